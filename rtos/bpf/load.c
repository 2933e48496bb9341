/* SPDX-License-Identifier: MIT
 *
 * The loader: what is asked of a blob before anything of it runs, and the arena it then gets.
 *
 * Nothing that a blob claims grants anything. What it does at run time is bounded by the MPU and by the checks
 * behind the supervisor call; the checks here make mistakes visible before they run, with a reason for each refusal
 * (error.def) and the place (offset in the blob) or number that the reason is about.
 */
#include "domain.h"

#include "bpf/helper.h"
#include "bpf/place.h"
#include "bpf/scan.h"

#include <string.h>

extern const struct hook_kind hook_timer, hook_gpio, hook_uart, hook_adc, hook_trace, hook_cmd;

static const struct {
    const char *prefix;
    const struct hook_kind *kind; /* NULL: raw programs run when somebody asks for it */
} hooks[BPF_HOOK_COUNT] = {
#define BPF_HOOK(NAME, prefix, ...) [BPF_HOOK_##NAME] = {#prefix, HOOK_KIND_##NAME},
#define HOOK_KIND_RAW NULL
#define HOOK_KIND_TIMER &hook_timer
#define HOOK_KIND_GPIO &hook_gpio
#define HOOK_KIND_UART &hook_uart
#define HOOK_KIND_ADC &hook_adc
#define HOOK_KIND_TRACE &hook_trace
#define HOOK_KIND_CMD &hook_cmd
#include "bpf/hook.def"
};

/* Where the library has it; 0: it has not. */
static uint32_t resolve(void *user, uint32_t helper) {
    (void)user;
    for (uint32_t i = 0; i < domain_library()->count; i++)
        if (domain_library()->rows[i].id == helper)
            return domain_library()->rows[i].entry;
    return 0;
}

const struct hook_kind *load_hook(const struct blob *blob, const struct blob_program *program,
                                  const char **pattern) {
    const char *section = blob_string(blob, program->section),
               *prefix = hooks[program->hook].prefix;
    while (*prefix && *section == *prefix) {
        section++;
        prefix++;
    }
    *pattern = *prefix ? "" : section + (*section == '/');
    return hooks[program->hook].kind;
}

/* ----- checks ------------------------------------------------------------------------------------------- */

static bool any(const uint16_t *bits) {
    uint16_t all = 0;
    for (unsigned i = 0; i < BPF_GRANT_PORTS; i++)
        all |= bits[i];
    return all;
}

/* A helper that could only ever be refused. Which instance it may be is asked at each call. */
static bool is_granted(uint32_t helper, const struct bpf_grant *grant) {
    switch (helper) {
    case BPF_FUNC_GPIO_WRITE:
    case BPF_FUNC_GPIO_TOGGLE: return any(grant->gpio_out);
    case BPF_FUNC_GPIO_READ: return any(grant->gpio_in) || any(grant->gpio_out);
    case BPF_FUNC_LED_SET: return grant->leds;
    case BPF_FUNC_PWM_SET: return grant->pwm;
    case BPF_FUNC_ENCODER_READ: return grant->encoders;
    case BPF_FUNC_ADC_READ: return grant->adc;
    case BPF_FUNC_UART_WRITE: return grant->uart;
    case BPF_FUNC_ACCEL_READ: return grant->accel;
    default: return true;
    }
}

static enum bpf_status check_helpers(const struct blob *blob, const struct bpf_grant *grant,
                                     uint32_t *where) {
    for (uint32_t i = 0; i < blob->header->helpers.count; i++) {
        *where = blob->helpers[i];
        if (!resolve(NULL, *where))
            return BPF_BLOB_HELPER;
        if (!is_granted(*where, grant))
            return BPF_NOT_GRANTED;
    }
    return BPF_OK;
}

/* What interrupts and the tick do for a hook is in no budget, and in the tick it grows with the square of their number:
 * so there are not many. What only runs when somebody asks for it does not count. */
static enum bpf_status check_hooks(const struct blob *blob, const struct bpf_grant *grant,
                                   uint32_t *where) {
    unsigned hooked = 0;
    if (blob->header->programs.count > DOMAIN_ENTRIES_MAX)
        return BPF_TOO_MANY;
    for (uint32_t i = 0; i < blob->header->programs.count; i++) {
        struct domain_entry scratch = {.program = &blob->programs[i]};
        const char *pattern;
        const struct hook_kind *kind = load_hook(blob, scratch.program, &pattern);
        enum bpf_status status = kind ? kind->check(&scratch, pattern, grant) : BPF_OK;
        *where = (uint32_t)((const uint8_t *)scratch.program - blob->base);
        hooked += kind && kind != &hook_cmd;
        if (!status && hooked > DOMAIN_HOOKS_MAX)
            status = BPF_TOO_MANY;
        if (status)
            return status;
    }
    return BPF_OK;
}

/* sandbox_init() wants room for the frame that begins a run and for one more. */
static uint32_t stack_of(const struct blob *blob, enum bpf_engine engine) {
    const struct blob_header *header = blob->header;
    uint32_t stack = engine == BPF_ENGINE_THUMB ? header->stack_thumb : header->stack_interp;
    return stack < 2 * SANDBOX_FRAME ? 2 * SANDBOX_FRAME : stack;
}

/* Bytes of the largest context that is queued; 0: none is. */
static uint32_t queued_context(const struct blob *blob) {
    uint32_t most = 0;
    for (uint32_t i = 0; i < blob->header->programs.count; i++) {
        const char *pattern;
        const struct blob_program *program = &blob->programs[i];
        const struct hook_kind *kind = load_hook(blob, program, &pattern);
        if (kind && kind != &hook_cmd && !kind->context && program->ctx_size > most)
            most = program->ctx_size;
    }
    return most;
}

struct domain_layout load_layout(const struct blob *blob, enum bpf_engine engine,
                                 const struct bpf_grant *grant) {
    uint32_t timers = timers_size(blob), context = queued_context(blob),
             entries = blob->header->programs.count + (timers != 0);
    struct domain_layout layout = {.arena = stack_of(blob, engine) + blob->header->arena_size,
                                   .slot_count = context ? grant->queue : 0,
                                   .slot_size =
                                       (uint32_t)sizeof(struct event_slot) + ((context + 7) & ~7u),
                                   .entries = DOMAIN_STACK};
    layout.capacity = layout.slot_count + entries;
    layout.order = layout.entries + entries * (uint32_t)sizeof(struct domain_entry);
    layout.slots = (layout.order + layout.capacity + 7) & ~7u;
    layout.timers = layout.slots + layout.slot_count * layout.slot_size;
    layout.block = layout.timers + timers;
    return layout;
}

/* The scan's scratch memory is a piece of the pool; with little of that left it takes a few more goes. */
static enum bpf_status scan(const struct blob *blob, uint32_t *where) {
    enum { LEAST = 256 };
    uint32_t address, size = pool_allocate(BPF_SCAN_SCRATCH(blob->header->code.count), &address);
    if (!size)
        size = pool_allocate(LEAST, &address);
    if (!size)
        return BPF_NO_RAM;
    enum bpf_status status = bpf_scan(blob, (void *)address, size, where);
    pool_free(address, size);
    return status;
}

enum bpf_status load_check(const void *bytes, uint32_t size, const struct bpf_grant *grant,
                           struct blob *blob, enum bpf_engine *engine, uint32_t *where) {
    struct bpf_region region;
    enum bpf_status status = blob_parse(bytes, size, blob, where);
    if (status)
        return status;
    if (domain_library()->magic != LIBRARY_MAGIC || domain_library()->version != LIBRARY_VERSION)
        return BPF_LIBRARY;
    if (!bpf_place_region((uint32_t)bytes, blob->header->size, &region))
        return BPF_PLACE;
    *engine = blob_has_code(blob) ? BPF_ENGINE_THUMB : BPF_ENGINE_INTERP;
    if (*engine == BPF_ENGINE_THUMB)
        status = scan(blob, where);
    if (!status)
        status = check_helpers(blob, grant, where);
    if (!status)
        status = check_hooks(blob, grant, where);
    if (status)
        return status;
    const struct domain_layout layout = load_layout(blob, *engine, grant);
    *where = layout.arena + layout.block - DOMAIN_STACK;
    return *where > grant->ram ? BPF_RAM : BPF_OK;
}

/* ----- making ------------------------------------------------------------------------------------------- */

enum bpf_status load_arena(struct domain *domain) {
    uint32_t r9;
    const struct blob blob = domain_blob(domain);
    enum bpf_status status =
        bpf_arena_init(&blob, (uint32_t)domain->blob, domain->engine, (void *)domain->arena,
                       domain->arena, domain->arena_size, resolve, NULL, &r9);
    domain->head = (struct bpf_arena *)r9;
    return status;
}

static struct mpu_area area_of(uint32_t address, uint32_t size, enum mpu_access access) {
    struct bpf_region region = {0};
    bpf_place_region(address, size, &region);
    return (struct mpu_area){region.base, region.size, region.disabled, (uint8_t)access};
}

enum bpf_status load_sandbox(struct domain *domain) {
    const struct sandbox_layout layout = {
        .code = area_of((uint32_t)domain->blob, domain->blob->size, MPU_CODE),
        .arena = area_of(domain->arena, domain->arena_size, MPU_DATA),
        .library = {MEMMAP_LIBRARY, MEMMAP_LIBRARY_SIZE, 0, MPU_LIBRARY},
        .stack_top = (uint32_t)domain->head,
        .static_base = (uint32_t)domain->head,
        .leave = domain_library()->exit,
        .calls = domain_calls,
        .call_count = domain_call_count,
    };
    return sandbox_init(&domain->box, &layout) ? BPF_INTERNAL : BPF_OK;
}

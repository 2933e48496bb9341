/* SPDX-License-Identifier: MIT
 *
 * The attacks, and what must hold after each: it ended as it should, no word of the kernel's RAM has changed that
 * harmless runs leave alone, the neighbour's arena is as it was and its program still runs, and the output that the
 * attacker was granted is at its safe level.
 *
 * `attack` at the shell runs them; scripts/selftest reads the lines, as those of the kernel's own tests.
 */
#include "attack.h"

#include "bpf/helper.h"
#include "bpf/map.h"
#include "hal/gpio.h"
#include "rtos/print.h"
#include "rtos/selftest.h"
#include "rtos/shell.h"

#include <string.h>

enum { WORDS = 9, CALL_TARGET = 8, R12 = 4, SAFE_PIN = GPIO_PIN('D', 12), MOTOR = 5 };

/* clang-format off */
#define CODE(_) \
    _(call) _(svc) _(svc_2) _(svc_255) _(read) _(write) _(jump) _(load_many) _(store_many) _(special) \
    _(loop) _(sleep) _(undefined) _(breakpoint) _(fpu) _(stack_svc) _(stack_loop) _(stack_push) \
    _(stack_fault) _(recurse) _(fill) _(poke) _(good) _(rewrite)
/* clang-format on */
#define DECLARE(name) extern const uint8_t hostile_##name[], hostile_##name##_end[];
CODE(DECLARE)
#undef DECLARE

static struct bpf_grant grant, neighbours; /* which has no outputs: they have one owner */
static struct attack_blob blob, good_blob;
static struct domain *attacker, *neighbour;
static unsigned passed, failed, skipped;
const char ATTACK_SKIP[] = "";
static bool has_pins;

/* ----- one run --------------------------------------------------------------------------------------- */

struct run {
    uint32_t words[WORDS];
    uint64_t result;
    enum bpf_status status;
};

static void work(struct domain *domain, void *argument) {
    struct run *run = argument;
    uint32_t cycles;
    run->status = domain_run_now(domain, 0, run->words, sizeof(run->words), &run->result, &cycles);
}

/* A domain that a policy has stopped is not asked again. */
static unsigned end_of(struct domain *domain, struct run *run) {
    if (domain_do(domain, work, run, PROGRAMS_TIMEOUT))
        return 0;
    return 1u << domain->box.result.end;
}

static bool load(const void *code, const void *end, enum bpf_policy policy) {
    uint32_t where;
    grant.policy = (uint8_t)policy;
    if (!attack_blob(&blob, code, end, 0))
        return false;
    enum bpf_status status =
        domain_make("attacker", (void *)blob.address, blob.size, &grant, &attacker, &where);
    if (status)
        print("attack: the loader says %u at %x\n", (unsigned)status, (unsigned)where);
    return !status;
}

static void unload(void) {
    domain_end(attacker);
    domain_free(attacker);
    attack_blob_free(&blob);
}

/* ----- what must hold ---------------------------------------------------------------------------------- */

static uint32_t neighbour_sum(void) {
    return bpf_crc32(0, (void *)neighbour->head, neighbour->blob->ctx_off);
}
static uint32_t neighbour_before;

const char *attack_hold(uint32_t reach) {
    static char text[32];
    uint32_t broken = canary_broken(reach);
    bool safe = !has_pins;
    struct run run = {0};
    if (broken) {
        format(text, sizeof(text), "changed %x", (unsigned)broken);
        return text;
    }
    if (neighbour_sum() != neighbour_before)
        return "the neighbour's arena has changed";
    if (has_pins)
        gpio_read(SAFE_PIN, &safe);
    if (!safe)
        return "the output is not safe";
    if (end_of(neighbour, &run) != 1u << SANDBOX_EXIT || run.result != 42)
        return "the neighbour does not run";
    return NULL;
}

void attack_report(const char *name, const char *wrong) {
    bool skip = wrong == ATTACK_SKIP;
    skipped += skip;
    failed += wrong && !skip;
    passed += !wrong;
    print("selftest: attack.%s: %s %s\n", name,
          skip    ? "SKIP"
          : wrong ? "FAIL"
                  : "PASS",
          wrong ? wrong : "");
}

/* ----- single attacks ------------------------------------------------------------------------------------ */

enum {
    EXIT = 1 << SANDBOX_EXIT,
    FAULT = 1 << SANDBOX_FAULT,
    BUDGET = 1 << SANDBOX_BUDGET,
    KILLED = 1 << SANDBOX_KILLED,
    BAD_CALL = 1 << SANDBOX_BAD_CALL,
};

/* Addresses that are nobody's business. */
enum place {
    KERNEL_RAM,
    KERNEL_FLASH,
    ALIAS,
    LIBRARY,
    STORE,
    SRAM_BITS,
    PERIPHERAL,
    PERIPHERAL_BITS,
    CCM,
    SYSTEM,
    SYSTICK,
    MPU,
    NEIGHBOUR,
    NEIGHBOUR_BLOB,
    BELOW,
    BEHIND,
    OWN_BLOB,
    TOP,
    PLACES
};
static const char *const place_names[PLACES] = {
    "kernel_ram", "kernel_flash",    "alias", "library", "store",    "sram_bits",
    "peripheral", "peripheral_bits", "ccm",   "system",  "systick",  "mpu",
    "neighbour",  "neighbour_blob",  "below", "behind",  "own_blob", "top"};

static uint32_t address_of(enum place place) {
    switch (place) {
    case KERNEL_RAM: return (uint32_t)&grant;
    case KERNEL_FLASH: return MEMMAP_FLASH + 0x400;
    case ALIAS: return 0x400;
    case LIBRARY: return MEMMAP_LIBRARY;
    case STORE: return MEMMAP_STORE;
    case SRAM_BITS: return 0x22000000u + ((uint32_t)&grant - MEMMAP_SRAM) * 32;
    case PERIPHERAL: return 0x40020C14u; /* GPIOD_ODR */
    case PERIPHERAL_BITS: return 0x42000000u + 0x20C14u * 32 + 12 * 4;
    case CCM: return 0x10000000u;
    case SYSTEM: return 0x1FFF7A10u;
    case SYSTICK: return 0xE000E010u;
    case MPU: return 0xE000ED94u;
    case NEIGHBOUR: return (uint32_t)neighbour->head;
    case NEIGHBOUR_BLOB: return good_blob.address;
    case BELOW: return attacker->arena - 4;
    case BEHIND: return attacker->arena + attacker->arena_size;
    case OWN_BLOB: return blob.address;
    case TOP: return 0xFFFFFFF0u;
    case PLACES: break;
    }
    return 0;
}

static const struct attack {
    const char *name;
    const uint8_t *code, *end;
    unsigned ends;   /* in which it may end */
    bool places;     /* once for each place, in words[0] */
    uint32_t except; /* places where it is no attack: a bit each */
} attacks[] = {
#define ROW(name, ends, places, except)                                                            \
    { #name, hostile_##name, hostile_##name##_end, ends, places, except }
    ROW(read, FAULT, true, 1u << LIBRARY | 1u << OWN_BLOB),
    ROW(write, FAULT, true, 0),
    ROW(jump, FAULT, true, 1u << LIBRARY | 1u << OWN_BLOB),
    ROW(load_many, FAULT, true, 1u << LIBRARY | 1u << OWN_BLOB),
    ROW(store_many, FAULT, true, 0),
    ROW(special, FAULT, true, 1u << LIBRARY | 1u << OWN_BLOB),
    ROW(stack_svc, FAULT | BAD_CALL, true, 1u << BEHIND),
    ROW(stack_loop, FAULT | BUDGET, true, 0),
    ROW(stack_push, FAULT, true, 1u << BEHIND),
    ROW(stack_fault, FAULT, true, 0),
    ROW(fill, FAULT, true, 0),
    ROW(svc_2, BAD_CALL, false, 0),
    ROW(svc_255, BAD_CALL, false, 0),
    ROW(loop, BUDGET, false, 0),
    ROW(sleep, BUDGET, false, 0),
    ROW(undefined, FAULT, false, 0),
    ROW(breakpoint, FAULT, false, 0),
    ROW(fpu, FAULT, false, 0),
    ROW(recurse, FAULT, false, 0),
    ROW(rewrite, FAULT, false, 0),
#undef ROW
};

static void attack(const struct attack *row, unsigned place) {
    char name[40];
    const char *wrong = "it was not loaded";
    format(name, sizeof(name), row->places ? "%s_%s" : "%s", row->name, place_names[place]);
    if (load(row->code, row->end, BPF_POLICY_STOP)) {
        struct run run = {.words = {address_of((enum place)place), 0x55555555}};
        canary_arm();
        unsigned end = end_of(attacker, &run);
        wrong = end & row->ends ? attack_hold(0) : "it ended in another way";
        if (!wrong && !attacker->stopped)
            wrong = "the policy has not stopped it";
        unload();
    }
    attack_report(name, wrong);
}

/* ----- calls ------------------------------------------------------------------------------------------------- */

/* One word of the arguments is an address of somebody else; the others are all the same, an address of the attacker's own or
 * a size. Whatever the helper makes of it: a result, or a fault. */
static void call_with(uint32_t target, uint32_t id, unsigned word, uint32_t address,
                      uint32_t others) {
    struct run run = {0};
    for (unsigned i = 0; i < CALL_TARGET; i++)
        run.words[i] = others;
    run.words[R12] = id;
    run.words[word < R12 ? word : word + 1] = address;
    run.words[CALL_TARGET] = target;
    end_of(attacker, &run);
}

static uint32_t own_memory(void) {
    return (uint32_t)attacker->head + BPF_ARENA_SLOTS;
}

static const char *call_all(uint32_t target, uint32_t id) {
    const uint32_t others[] = {own_memory(), 6, 8};
    for (unsigned word = 0; word < 6; word++)
        for (unsigned place = 0; place < PLACES; place++)
            for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
                call_with(target, id, word, address_of((enum place)place), others[i]);
    return attack_hold(0);
}

/* Every helper of the library, by its entry; every one behind the call, by its number; into the middle of the library. */
static void calls(void) {
    const char *wrong = NULL;
    if (!load(hostile_call, hostile_call_end, BPF_POLICY_CONTINUE))
        return;
    canary_arm();
    for (uint32_t i = 0; i < domain_library()->count && !wrong; i++)
        wrong = call_all(domain_library()->rows[i].entry, domain_library()->rows[i].id);
    attack_report("helpers", wrong);
    wrong = NULL;
    canary_arm();
    for (uint32_t at = domain_library()->rows[0].entry & ~1u;
         at < MEMMAP_LIBRARY + domain_library()->size && !wrong; at += 62)
        call_with(at | 1, at, at % 4, address_of((enum place)(at % PLACES)), own_memory());
    attack_report("library_middle", attack_hold(0));
    unload();
}

static void supervisor_calls(void) {
    const char *wrong = NULL;
    if (!load(hostile_svc, hostile_svc_end, BPF_POLICY_CONTINUE))
        return;
    canary_arm();
    for (uint32_t i = 0; i < domain_library()->count && !wrong; i++)
        wrong = call_all(0, domain_library()->rows[i].id);
    for (uint32_t id = 0; id < 4200; id += 7)
        call_with(0, id, 0, address_of(KERNEL_RAM), 6);
    for (uint32_t bit = 0; bit < 32; bit++)
        call_with(0, 1u << bit, 0, address_of(KERNEL_RAM), 6);
    attack_report("supervisor_calls", wrong ? wrong : attack_hold(0));
    unload();
}

/* A helper that writes to its caller's memory is given the frame with which the call itself returns: pc and xPSR become
 * the sensor's bytes. Whatever the processor makes of it, it is the attacker's. */
static void frames(void) {
    enum { PUSHED = 40 /* bytes, by hostile_svc */, SIZE = 6 };
    if (!load(hostile_svc, hostile_svc_end, BPF_POLICY_CONTINUE))
        return;
    uint32_t frame = (uint32_t)attacker->head - PUSHED - SANDBOX_FRAME;
    canary_arm();
    for (uint32_t at = frame - SIZE; at < frame + SANDBOX_FRAME; at++) {
        struct run run = {.words = {at, SIZE}};
        run.words[R12] = BPF_FUNC_ACCEL_READ;
        end_of(attacker, &run);
    }
    attack_report("frames", attack_hold(0));
    unload();
}

/* ----- what privileged code reads of an arena ---------------------------------------------------------------------- */

static void touch_map(struct domain *domain, void *argument) {
    uint32_t key = 1;
    uint64_t value = 5;
    struct bpf_map *map = domain_map(domain, 0);
    (void)argument;
    if (map && !bpf_map_update(map, &key, &value, BPF_ANY))
        bpf_map_lookup(map, &key);
}

/* Every word of the arena, head, slots, map header and contents, forged in turn with several values; then the kernel works
 * with it. */
static void forged(void) {
    static const uint32_t values[] = {0, 0xFFFFFFFFu, 0x20000000u, 0x7FFFFFF8u, 0x08000001u};
    if (!load(hostile_poke, hostile_poke_end, BPF_POLICY_CONTINUE))
        return;
    uint32_t first = (uint32_t)attacker->head, last = attacker->arena + attacker->arena_size;
    const char *wrong = NULL;
    canary_arm();
    for (uint32_t at = first; at < last && !wrong; at += 4)
        for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
            struct run run = {.words = {at, values[i]}};
            end_of(attacker, &run);
            domain_do(attacker, touch_map, NULL, PROGRAMS_TIMEOUT);
        }
    attack_report("forged_arena", attack_hold(0));
    unload();
}

/* ----- all of it ----------------------------------------------------------------------------------------------------- */

/* Of a domain: its registers when it was preempted, times, what the fault was, where its caller's question lies, refills,
 * counters. Nothing follows these as an address. */
void attack_allow_numbers(const struct domain *domain) {
    canary_allow(&domain->box.context, &domain->box.sp + 1);
    canary_allow(&domain->box.budget, &domain->box.result + 1);
    canary_allow(&domain->task.slice, &domain->task.name);
    canary_allow(&domain->budget, &domain->budget + 1);
    canary_allow(sandbox_last_fault(), sandbox_last_fault() + 1);
    canary_allow(&domain->window, &domain->repaired + 1);
}

/* Lines for the log, until all of its ring has been written. */
static void learn_log(void) {
    if (!load(hostile_svc, hostile_svc_end, BPF_POLICY_CONTINUE))
        return;
    for (unsigned i = 0; i < 100; i++) {
        struct run run = {.words = {(uint32_t)domain_context(attacker), sizeof(run.words)}};
        for (unsigned word = 2; word < WORDS; word++)
            run.words[word] = 0x21212121 * (1 + i % 2);
        run.words[R12] = BPF_FUNC_LOG;
        end_of(attacker, &run);
    }
    unload();
}

/* Every helper, with arguments that are the caller's own. */
static void learn_helpers(void) {
    if (!load(hostile_call, hostile_call_end, BPF_POLICY_CONTINUE))
        return;
    for (uint32_t i = 0; i < domain_library()->count; i++)
        for (uint32_t first = 0; first < 8; first++)
            call_with(domain_library()->rows[i].entry, domain_library()->rows[i].id, 0, first, 6);
    unload();
}

/* Runs without harm that do what attacks do as well: load, return, fault, be killed, be stopped, unload. */
static void learn(void) {
    static const struct {
        const uint8_t *code, *end;
    } rows[] = {{hostile_good, hostile_good_end},
                {hostile_undefined, hostile_undefined_end},
                {hostile_loop, hostile_loop_end},
                {hostile_svc_2, hostile_svc_2_end},
                {hostile_call, hostile_call_end}};
    canary_begin();
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            struct run run = {0};
            if (!load(rows[i].code, rows[i].end, round ? BPF_POLICY_STOP : BPF_POLICY_CONTINUE))
                continue;
            end_of(attacker, &run);
            domain_do(attacker, touch_map, NULL, PROGRAMS_TIMEOUT);
            end_of(neighbour, &run);
            unload();
        }
    for (unsigned i = 0; i < 100; i++)
        print("selftest: attack: this is what runs without harm print\n");
    learn_log();
    learn_helpers();
    storms_learn();
    attack_allow_numbers(attacker);
    attack_allow_numbers(neighbour);
    canary_learn();
}

static bool begin(void) {
    uint32_t where;
    grant = bpf_grant_default;
    has_pins = gpio_configure(SAFE_PIN, GPIO_OUTPUT) == KERNEL_OK; /* QEMU has none */
    grant.gpio_out[SAFE_PIN / 16] = grant.gpio_safe[SAFE_PIN / 16] =
        (uint16_t)(has_pins << SAFE_PIN % 16);
    if (has_pins) { /* these helpers get past the question whether they are granted; the ADC would change RAM by itself */
        grant.leds = 2;
        grant.pwm = 1u << MOTOR;
        grant.encoders = grant.accel = 1;
    }
    grant.budget_us = grant.period_us = 2000;
    neighbours = bpf_grant_default;
    neighbours.encoders = grant.encoders;
    neighbours.accel = grant.accel;
    neighbours.budget_us = neighbours.period_us = 2000;
    passed = failed = skipped = 0;
    if (!attack_blob(&good_blob, hostile_good, hostile_good_end, 0) ||
        domain_make("neighbour", (void *)good_blob.address, good_blob.size, &neighbours, &neighbour,
                    &where))
        return false;
    neighbour_before = neighbour_sum();
    learn();
    return true;
}

static int run_attacks(struct shell *shell, int argc, char **argv) {
    (void)argc, (void)argv;
    if (!begin()) {
        shell_print(shell, "the neighbour cannot be loaded\n");
        return SHELL_FAILED;
    }
    for (unsigned i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++)
        for (unsigned place = 0; place < (attacks[i].places ? PLACES : 1u); place++)
            if (!(attacks[i].except >> place & 1))
                attack(&attacks[i], place);
    calls();
    supervisor_calls();
    frames();
    forged();
    storms_run();
    print("selftest: %u passed, %u failed, %u skipped\n", passed, failed, skipped);
    print("selftest: result: %s\n", failed ? "FAIL" : "PASS");
    return SHELL_DONE;
}
SHELL_COMMAND(attack, .help = "runs the attack suite", .run = run_attacks);

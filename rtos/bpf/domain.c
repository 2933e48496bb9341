/* SPDX-License-Identifier: MIT
 *
 * A domain at run time: a task that waits for events and runs the programs of one blob, one after the other, inside
 * its sandbox.
 *
 * The order of runs is the order of events. A periodic hook has at most one event waiting, the others as many
 * as there are slots; what does not fit is counted and told to the next run (the context's lost or overruns).
 * What the host wants of maps is done by the same task between two runs, so that nobody else touches an arena
 * while its program runs, and a program never finds a map half changed.
 *
 * After every end but a return the maps are put in order, what waits is forgotten, the outputs that the grant gives
 * are at their safe levels, and the policy decides: go on, begin anew with a fresh arena, or stop.
 */
#include "domain.h"

#include "bpf/map.h"
#include "rtos/trace.h"

#include <string.h>

/* ----- a run ------------------------------------------------------------------------------------------ */

static void count(struct domain_entry *entry, uint32_t cycles) {
    unsigned bucket = cycles < 256 ? 0 : 24u - (unsigned)__builtin_clz(cycles);
    entry->histogram[bucket < PROGRAMS_BUCKETS ? bucket : PROGRAMS_BUCKETS - 1]++;
    if (!entry->runs++ || cycles < entry->cycles_min)
        entry->cycles_min = cycles;
    if (cycles > entry->cycles_max)
        entry->cycles_max = cycles;
    entry->cycles_sum += cycles;
}

/* Into the sandbox; true: it returned. */
static bool call(struct domain *domain, struct domain_entry *entry, uint32_t function,
                 const uint32_t arguments[4]) {
    domain->head->tail_calls = 0;
    domain->current = entry;
    sandbox_run(&domain->box, function, arguments, domain->budget.cycles);
    const struct sandbox_result *result = &domain->box.result;
    count(entry, result->cycles);
    return result->end == SANDBOX_EXIT;
}

/* What the task has used up to now is nobody's: the host wanted it, or it has been charged. */
static void account(struct domain *domain) {
    domain->accounted = (uint32_t)task_cycles(&domain->task);
}

/* A run costs its domain what the task has used since the last one: the event, the run, and what a fault makes
 * necessary, which is as much as the program has made its maps large. In the sandbox it is not less than what was
 * counted there, by a clock that WFI does not stop. */
static uint32_t cost(struct domain *domain) {
    uint32_t before = domain->accounted, inside = domain->box.result.cycles;
    account(domain);
    uint32_t used = domain->accounted - before;
    return used > inside ? used : inside;
}

/* What the host wants comes out of what is left, and makes no debt: it may want as much as it likes. */
static uint32_t cost_of_call(struct domain *domain) {
    uint32_t used = cost(domain), left = (uint32_t)domain->budget.available;
    return domain->budget.available <= 0 ? 0 : used < left ? used : left;
}

static bool run(struct domain *domain, struct domain_entry *entry, uint32_t size) {
    const struct blob_program *program = entry->program;
    uint32_t context = (uint32_t)domain_context(domain);
    uint32_t arguments[4] = {context, size, 0, 0},
             function = (uint32_t)domain->blob + domain->blob->code.off + program->entry;
    if (size < program->ctx_size)
        memset((uint8_t *)context + size, 0, program->ctx_size - size);
    if (domain->engine == BPF_ENGINE_INTERP) {
        function = domain_library()->interpreter;
        arguments[0] = (uint32_t)(program - domain_blob(domain).programs);
        arguments[1] = context;
        arguments[2] = size;
    }
    return call(domain, entry, function, arguments);
}

static bool run_timer(struct domain *domain, const struct timer_call *timer) {
    if (!timer->function) {
        domain->box.result = (struct sandbox_result){.end = SANDBOX_FAULT};
        return false;
    }
    bool good = !sandbox_set_stack(&domain->box, timer->stack_top) &&
                call(domain, timer->entry, timer->function, timer->arguments);
    sandbox_set_stack(&domain->box, (uint32_t)domain->head);
    return good;
}

static void repair(struct domain *domain) {
    for (unsigned i = 0; i < domain->blob->maps.count; i++)
        domain_map(domain, i);
}

static void hooks_stop(struct domain *domain) {
    for (uint32_t i = 0; i < domain->blob->programs.count; i++)
        if (domain->entries[i].kind)
            domain->entries[i].kind->stop(&domain->entries[i]);
}

static enum bpf_status hooks_start(struct domain *domain) {
    enum bpf_status status = BPF_OK;
    for (uint32_t i = 0; i < domain->blob->programs.count && !status; i++)
        if (domain->entries[i].kind)
            status = domain->entries[i].kind->start(&domain->entries[i]);
    return status;
}

void domain_stop(struct domain *domain) {
    if (domain->stopped)
        return;
    hooks_stop(domain);
    timers_forget(domain);
    devices_safe(domain->grant);
    domain->stopped = true;
}

static bool may_restart(struct domain *domain) {
    uint32_t now = kernel_ticks();
    if (!domain->restarts_in_window || now - domain->window > domain->grant->window_ms) {
        domain->window = now;
        domain->restarts_in_window = 0;
    }
    if (domain->restarts_in_window >= domain->grant->restarts)
        return false;
    domain->restarts_in_window++;
    domain->restarts++;
    return true;
}

/* The run has not come to its end. */
static void failed(struct domain *domain, struct domain_entry *entry) {
    const struct sandbox_result *result = &domain->box.result;
    bool fault = result->end == SANDBOX_FAULT;
    entry->faults++;
    domain->faults++;
    trace_fault(domain->name, fault ? result->fault.cfsr : 0, fault ? result->fault.mmfar : 0);
    uint32_t key = kernel_lock();
    events_forget(domain);
    kernel_unlock(key);
    timers_forget(domain);
    devices_safe(domain->grant);
    repair(domain);
    if (domain->ending)
        return;
    switch ((enum bpf_policy)domain->grant->policy) {
    case BPF_POLICY_CONTINUE: break;
    case BPF_POLICY_RESTART:
        if (!may_restart(domain) || load_arena(domain))
            domain_stop(domain);
        break;
    case BPF_POLICY_STOP: domain_stop(domain); break;
    }
}

static void finish(struct domain *domain, struct domain_entry *entry, bool good) {
    if (!good)
        failed(domain, entry);
    program_ran(domain, !good);
}

/* What another task wants to be done here, on its stack: it waits until that is done. */
struct domain_work {
    void (*function)(struct domain *domain, void *argument);
    void *argument;
    struct semaphore done;
};

/* ----- the task ----------------------------------------------------------------------------------------- */

static void do_work(struct domain *domain) {
    if (!__atomic_load_n(&domain->work, __ATOMIC_RELAXED))
        return;
    uint32_t key = kernel_lock();
    struct domain_work *work = domain->work;
    domain->work = NULL;
    kernel_unlock(key);
    if (!work)
        return;
    work->function(domain, work->argument);
    account(domain);
    semaphore_give(&work->done);
}

static void serve(struct domain *domain) {
    uint32_t size;
    while (!domain->ending && !domain->stopped) {
        do_work(domain);
        uint32_t wait = budget_wait(&domain->budget);
        if (wait) {
            semaphore_take(&domain->wanted, wait);
            continue;
        }
        uint32_t began = kernel_ticks();
        struct domain_entry *entry = events_next(domain, &size);
        if (!entry)
            return;
        struct timer_call timer;
        if (entry->program)
            finish(domain, entry, run(domain, entry, size));
        else if (timers_take(domain, &timer))
            finish(domain, timer.entry, run_timer(domain, &timer));
        else
            continue;
        budget_use(&domain->budget, began, cost(domain));
    }
    do_work(domain);
}

static void domain_task(void *argument) {
    struct domain *domain = argument;
    while (!domain->ending) {
        semaphore_take(&domain->wanted, KERNEL_FOREVER);
        serve(domain);
    }
}

/* ----- for the manager ------------------------------------------------------------------------------------ */

enum bpf_status domain_do(struct domain *domain, void (*function)(struct domain *, void *),
                          void *argument, uint32_t timeout) {
    struct domain_work work = {.function = function, .argument = argument};
    semaphore_init(&work.done, 0, 1);
    uint32_t key = kernel_lock();
    domain->work = &work;
    kernel_unlock(key);
    semaphore_give(&domain->wanted);
    if (semaphore_take(&work.done, timeout) == KERNEL_OK)
        return BPF_OK;
    key = kernel_lock();
    bool begun = !domain->work;
    domain->work = NULL;
    kernel_unlock(key);
    if (!begun)
        return BPF_BUSY;
    semaphore_take(&work.done,
                   KERNEL_FOREVER); /* what has begun ends, by the budget at the latest */
    return BPF_OK;
}

/* What somebody gives is the arguments of a command, or all of the context of another hook, or nothing: then it is as
 * if the period had passed. UINT32_MAX: too large. */
static uint32_t context_of_call(struct domain_entry *entry, const void *data, uint32_t size) {
    uint8_t *context = domain_context(entry->domain);
    if (entry->program->hook == BPF_HOOK_CMD)
        return hook_cmd_context(context, data, size);
    if (size == 0 && entry->kind && entry->kind->context)
        return entry->kind->context(entry, context, 0);
    if (size > entry->program->ctx_size)
        return UINT32_MAX;
    memcpy(context, data, size);
    return size;
}

enum bpf_status domain_run_now(struct domain *domain, unsigned entry, const void *data,
                               uint32_t size, uint64_t *result, uint32_t *cycles) {
    struct domain_entry *e = domain_entry(domain, entry);
    if (!e)
        return BPF_NOT_FOUND;
    if (domain->stopped)
        return BPF_STOPPED;
    uint32_t used = context_of_call(e, data, size);
    if (used == UINT32_MAX)
        return BPF_TOO_LARGE;
    account(domain);
    uint32_t began = kernel_ticks();
    bool good = run(domain, e, used);
    *result = domain->box.result.value;
    *cycles = domain->box.result.cycles;
    finish(domain, e, good);
    budget_use(&domain->budget, began, cost_of_call(domain));
    return good ? BPF_OK : BPF_FAULTED;
}

struct bpf_map *domain_map(struct domain *domain, unsigned map) {
    if (map >= domain->blob->maps.count)
        return NULL;
    const struct blob_map *def = &domain_blob(domain).maps[map];
    struct bpf_map *found = (struct bpf_map *)(void *)((uint8_t *)domain->head + def->off);
    if (bpf_map_repair(found, def) != BPF_MAP_WAS_WHOLE)
        domain->repaired++;
    return found;
}

struct domain_entry *domain_entry(struct domain *domain, unsigned entry) {
    return entry < domain->blob->programs.count ? &domain->entries[entry] : NULL;
}

void domain_fill_info(const struct domain *domain, struct program_info *info) {
    info->state = domain->stopped ? PROGRAM_STOPPED : PROGRAM_RUNNING;
    info->arena = domain->arena;
    info->arena_size = domain->arena_size;
    info->arena_head = (uint32_t)domain->head;
    info->engine = domain->engine;
    info->restarts = domain->restarts;
    info->faults = domain->faults;
    info->repaired_maps = domain->repaired;
}

/* ----- beginning and end ---------------------------------------------------------------------------------- */

static void make_entries(struct domain *domain, const struct domain_layout *layout) {
    uint8_t *memory = (uint8_t *)domain->block;
    domain->entries = (struct domain_entry *)(void *)(memory + layout->entries);
    domain->events = (struct domain_events){.order = memory + layout->order,
                                            .slots = memory + layout->slots,
                                            .slot_size = (uint16_t)layout->slot_size,
                                            .capacity = (uint8_t)layout->capacity,
                                            .slot_count = (uint8_t)layout->slot_count};
    const struct blob blob = domain_blob(domain);
    for (uint32_t i = 0; i < blob.header->programs.count; i++) {
        struct domain_entry *entry = &domain->entries[i];
        const char *pattern;
        entry->domain = domain;
        entry->program = &blob.programs[i];
        entry->kind = load_hook(&blob, entry->program, &pattern);
        if (entry->kind)
            entry->kind->check(entry, pattern, domain->grant); /* it has been BPF_OK */
    }
    if (layout->block > layout->timers)
        timers_make(domain, memory + layout->timers);
}

static void release(struct domain *domain) {
    if (domain->arena)
        pool_free(domain->arena, domain->arena_size);
    if (domain->block)
        pool_free(domain->block, domain->block_size);
    domain->arena = domain->block = 0;
    domain->name = NULL;
}

/* The whole piece that the pool gives is the arena's: what is rounded up makes the stack larger. */
static enum bpf_status take_memory(struct domain *domain, uint32_t *where) {
    const struct blob blob = domain_blob(domain);
    const struct domain_layout layout = load_layout(&blob, domain->engine, domain->grant);
    *where = layout.arena;
    domain->arena_size = pool_allocate(layout.arena, &domain->arena);
    if (!domain->arena_size)
        return BPF_NO_RAM;
    *where = layout.block;
    domain->block_size = pool_allocate(layout.block, &domain->block);
    if (!domain->block_size)
        return BPF_NO_RAM;
    make_entries(domain, &layout);
    return BPF_OK;
}

static struct domain domains[PROGRAMS_MAX];
static struct {
    char owner[PROGRAMS_NAME];
    uint32_t output;
} conflict;

const char *domain_output_owner(uint32_t *output) {
    *output = conflict.output;
    return conflict.owner;
}

/* A program that its policy has stopped keeps its outputs, at their safe levels; one that ends has none any more. */
static enum bpf_status check_outputs(const struct domain *domain, uint32_t *where) {
    for (const struct domain *other = domains; other < domains + PROGRAMS_MAX; other++)
        if (other != domain && other->name && !other->ending &&
            devices_share_output(domain->grant, other->grant, where)) {
            strncpy(conflict.owner, other->name, sizeof(conflict.owner) - 1);
            conflict.output = *where;
            return BPF_OUTPUT;
        }
    return BPF_OK;
}

static enum bpf_status begin(struct domain *domain, uint32_t *where) {
    enum bpf_status status = take_memory(domain, where);
    if (!status)
        status = load_arena(domain);
    if (!status)
        status = load_sandbox(domain);
    if (!status)
        status = check_outputs(domain, where);
    if (!status) {
        status = devices_claim(domain->grant);
        if (status)
            devices_release(domain->grant);
    }
    if (status)
        return status;
    budget_init(domain);
    semaphore_init(&domain->wanted, 0, 1);
    const struct task_config config = {.name = domain->name,
                                       .entry = domain_task,
                                       .argument = domain,
                                       .priority = domain->grant->priority,
                                       .stack = (uint32_t *)domain->block,
                                       .stack_size = DOMAIN_STACK};
    return task_create(&domain->task, &config) ? BPF_INTERNAL : BPF_OK;
}

enum bpf_status domain_make(const char *name, const void *blob, uint32_t size,
                            const struct bpf_grant *grant, struct domain **out, uint32_t *where) {
    struct domain *domain = domains;
    *out = NULL;
    while (domain < domains + PROGRAMS_MAX && domain->name)
        domain++;
    if (domain == domains + PROGRAMS_MAX)
        return BPF_TOO_MANY;
    struct blob parsed;
    *domain = (struct domain){.grant = grant, .blob = blob};
    enum bpf_status status = load_check(blob, size, grant, &parsed, &domain->engine, where);
    if (status)
        return status;
    domain->name = name;
    status = begin(domain, where);
    if (status)
        release(domain);
    else
        *out = domain;
    return status;
}

enum bpf_status domain_start(struct domain *domain) {
    return hooks_start(domain);
}

enum bpf_status domain_check(const void *blob, uint32_t size, const struct bpf_grant *grant,
                             uint32_t *where) {
    struct blob parsed;
    enum bpf_engine engine;
    return load_check(blob, size, grant, &parsed, &engine, where);
}

/* The task ends by itself: it is inside the kernel's calls until then, and its stack goes back to the pool. */
void domain_end(struct domain *domain) {
    if (!domain->stopped)
        hooks_stop(domain);
    domain->ending = true;
    task_set_priority(&domain->task, BPF_GRANT_PRIORITY_MAX + 1); /* no other program delays it */
    semaphore_give(&domain->wanted);
    while (domain->task.state != TASK_ENDED) {
        sandbox_kill(&domain->box); /* again: it may have been just before a run */
        task_sleep(1);
    }
    timers_forget(domain); /* the last run may have started some */
    devices_release(domain->grant);
}

void domain_free(struct domain *domain) {
    release(domain);
}

/* SPDX-License-Identifier: MIT
 *
 * Installed programs: what becomes of them. docs/installed.md tells it from the outside.
 *
 * The store knows what is installed and enabled; a table beside it knows the domains, and the copies that lie in RAM
 * only. Each call holds the manager's lock from its beginning to its end. What a domain's own task finds out (it has
 * run well for long enough, it has faulted too often) it leaves as a wish to the manager's task, which may wait for
 * the flash and for the end of that very domain.
 */
#include "manager.h"
#include "rtos/print.h"

struct manager manager;

static TASK_STACK(manager_stack, 1536);
static struct task task;

/* Whether the caller is the holder is known without the lock: nobody else makes it so. */
void manager_lock(void) {
    if (manager.holder != task_self()) {
        mutex_lock(&manager.lock, KERNEL_FOREVER);
        manager.holder = task_self();
        manager.slice = 0; /* who comes has had his time: he may have decoded a packet */
    }
    manager.held++;
}

enum bpf_status manager_unlock(enum bpf_status status) {
    if (--manager.held == 0) {
        manager.holder = NULL;
        mutex_unlock(&manager.lock);
    }
    return status;
}

void programs_hold(void) {
    manager_lock();
}

void programs_release(void) {
    manager_unlock(BPF_OK);
}

enum bpf_status store_status(enum store_status status) {
    switch (status) {
    case STORE_OK: return BPF_OK;
    case STORE_BAD_ARGUMENT: return BPF_ARGUMENT;
    case STORE_NOT_FOUND: return BPF_NOT_FOUND;
    case STORE_TOO_LARGE: return BPF_TOO_LARGE;
    case STORE_NO_ROOM: return BPF_NO_ROOM;
    case STORE_TOO_MANY: return BPF_TOO_MANY;
    case STORE_BUSY: return BPF_BUSY;
    case STORE_CORRUPT: return BPF_STORE_CORRUPT;
    case STORE_FLASH: return BPF_FLASH;
    }
    return BPF_INTERNAL;
}

/* ----- beginning and end of the board's day ----------------------------------------------------------------- */

static bool any_enabled(void) {
    for (unsigned i = 0; i < STORE_PROGRAMS; i++)
        if (manager.programs[i].name[0] && program_is_enabled(&manager.programs[i]))
            return true;
    return false;
}

static void load(struct program *program) {
    struct source source = program_source(program);
    enum bpf_status status = program_load(program, &source);
    if (status)
        print("programs: %s: %s (status %d, %u)\n", program->name, programs_status_text(status),
              (int)status, (unsigned)program->where);
}

static void load_all(void) {
    struct program *program;
    for (unsigned i = 0; (program = program_nth(i)); i++)
        if (program_is_enabled(program))
            load(program);
}

static void unload_all(void) {
    for (unsigned i = 0; i < STORE_PROGRAMS; i++)
        program_unload(&manager.programs[i]);
}

static void mount(void) {
    struct store_flash flash;
    manager.mounted = BPF_FLASH;
    if (store_flash(&flash))
        manager.mounted = store_status(store_mount(&manager.store, &flash, true));
    if (manager.mounted)
        print("programs: %s\n", bpf_status_text(manager.mounted));
    if (store_is_readable())
        program_add_stored();
    if (manager.store.repaired)
        print("programs: %u records that a loss of power had cut off are gone\n",
              manager.store.repaired);
    if (manager.store.unlisted)
        print("programs: %u that had been removed have come back, and are more than can be listed: "
              "the record of it is damaged\n",
              manager.store.unlisted);
}

static void attend(void *argument) {
    (void)argument;
    uint64_t healthy = kernel_uptime() + HEALTHY_TICKS;
    for (;;) {
        uint64_t now = kernel_uptime();
        bool good = now >= healthy;
        if (good && !manager.healthy) {
            manager.healthy = true;
            health_good();
        }
        uint32_t idle = manager_attend();
        uint32_t wait = good ? KERNEL_FOREVER : (uint32_t)(healthy - now);
        semaphore_take(&manager.attention, idle < wait ? idle : wait);
    }
}

void programs_start(bool safe) {
    static const struct task_config config = {.name = "programs",
                                              .entry = attend,
                                              .priority = MANAGER_PRIORITY,
                                              .stack = manager_stack,
                                              .stack_size = sizeof(manager_stack)};
    mutex_init(&manager.lock);
    semaphore_init(&manager.attention, 0, 1);
    manager_lock();
    mount();
    if (safe)
        manager.safe = "the button was held";
    else if (any_enabled() && !health_begin())
        manager.safe = "three boots in a row did not last for ten seconds";
    if (manager.safe)
        print("programs: safe boot, none was loaded: %s\n", manager.safe);
    else
        load_all();
    manager_unlock(BPF_OK);
    task_create(&task, &config);
}

void programs_leave(void) {
    manager_lock();
    unload_all();
    health_good();
    manager_unlock(BPF_OK);
}

enum bpf_status programs_store(void) {
    return manager.mounted;
}

const char *programs_safe(void) {
    return manager.safe;
}

const char *programs_status_text(enum bpf_status status) {
    static char text[80]; /* of the task of shell and protocol */
    char name[BPF_OUTPUT_NAME];
    uint32_t output;
    if (status != BPF_OUTPUT)
        return bpf_status_text(status);
    const char *owner = domain_output_owner(&output);
    bpf_output_name(output, name);
    format(text, sizeof(text), "%s: %s has %s", bpf_status_text(status), owner, name);
    return text;
}

/* ----- the predecessor ------------------------------------------------------------------------------------ */

/* In the domain's own task. A policy that has stopped it on probation leaves nothing to wait for. */
void program_ran(struct domain *domain, bool fault) {
    struct program *p = domain->program;
    if (!p || p->good_runs >= PROGRAM_GOOD_RUNS)
        return;
    if (fault)
        p->faults++;
    else
        p->good_runs++;
    if (fault && (p->faults >= PROGRAM_FAULTS || domain->stopped))
        p->wish = WISH_ROLLBACK;
    else if (p->good_runs == PROGRAM_GOOD_RUNS)
        p->wish = WISH_CONFIRM;
    else
        return;
    semaphore_give(&manager.attention);
}

/* The predecessor begins anew: with what its maps held another program has worked since. */
static enum bpf_status roll_back(struct program *program) {
    if (!program_can_roll_back(program))
        return BPF_PREDECESSOR;
    enum bpf_status status = store_status(store_rollback(&manager.store, program->name));
    if (status)
        return status;
    bool load_it = program->domain || (program_is_enabled(program) && !manager.safe);
    program_unload(program);
    program->seq = program_stored(program)->seq;
    program->status = BPF_OK;
    if (load_it)
        load(program);
    return BPF_OK;
}

/* An upload of the same name is in the way: its end looks again. */
static bool must_wait(enum bpf_status status) {
    return status == BPF_BUSY;
}

static void roll_back_after_faults(struct program *program) {
    static const char line[] = "faulted too often: its predecessor comes back";
    if (program->domain && program_can_roll_back(program))
        domain_log(program->domain, line, sizeof(line) - 1);
    if (must_wait(roll_back(program)))
        program->wish = WISH_ROLLBACK;
}

uint32_t manager_attend(void) {
    manager_lock();
    uint32_t idle = install_expire();
    for (unsigned i = 0; i < STORE_PROGRAMS; i++) {
        struct program *p = &manager.programs[i];
        uint8_t wish = p->wish;
        p->wish = WISH_NOTHING;
        if (wish == WISH_ROLLBACK)
            roll_back_after_faults(p);
        else if (wish == WISH_CONFIRM && program_can_roll_back(p) &&
                 must_wait(store_status(store_confirm(&manager.store, p->name))))
            p->wish = WISH_CONFIRM;
    }
    manager_unlock(BPF_OK);
    return idle;
}

enum bpf_status programs_rollback(const char *name) {
    manager_lock();
    struct program *program = program_find(name);
    return manager_unlock(program ? roll_back(program) : BPF_NOT_FOUND);
}

/* ----- enabling, removing, grants ------------------------------------------------------------------------- */

static enum bpf_status enable(struct program *program) {
    if (program->domain && !program->domain->stopped)
        return BPF_OK;
    program_unload(program);
    struct source source = program_source(program);
    enum bpf_status status = program_load(program, &source);
    if (!status) {
        status = program_set_enabled(program, true);
        if (status)
            program_unload(program);
    }
    return status;
}

/* What the flash does not take has not happened: the program goes on. */
static enum bpf_status disable(struct program *program) {
    enum bpf_status status = program_set_enabled(program, false);
    if (status)
        return status;
    program_unload(program);
    program->status = BPF_OK;
    return BPF_OK;
}

enum bpf_status programs_enable(const char *name, bool enabled) {
    manager_lock();
    struct program *program = program_find(name);
    if (!program)
        return manager_unlock(BPF_NOT_FOUND);
    return manager_unlock(enabled ? enable(program) : disable(program));
}

static enum bpf_status remove_program(struct program *program) {
    enum bpf_status status =
        program->copy ? BPF_OK : store_status(store_remove(&manager.store, program->name));
    if (status)
        return status;
    program_unload(program);
    program_free_copy(program->copy);
    *program = (struct program){.seq = 0};
    return BPF_OK;
}

enum bpf_status programs_remove(const char *name) {
    manager_lock();
    struct program *program = program_find(name);
    return manager_unlock(program ? remove_program(program) : BPF_NOT_FOUND);
}

static enum bpf_status keep_grant(struct program *program, const struct bpf_grant *grant) {
    if (!program->copy)
        return store_status(store_grant(&manager.store, program->name, grant, sizeof(*grant)));
    program->copy->grant = *grant;
    return BPF_OK;
}

/* A domain that runs gets a successor with the same blob: pins, queue and RAM are given out anew. */
static enum bpf_status change_grant(struct program *program, const struct bpf_grant *given) {
    static struct bpf_grant grant; /* a domain looks at it until the store has it */
    struct source source = program_source(program);
    struct exchange x;
    uint32_t where;
    bool running = program->domain != NULL;
    grant = *given;
    source.grant = &grant;
    enum bpf_status status = domain_check(source.blob, source.size, &grant, &where);
    if (!status && running)
        status = exchange_begin(&x, program, &source, &where);
    if (status)
        return status;
    status = keep_grant(program, &grant);
    if (running && status)
        exchange_undo(&x);
    else if (running)
        exchange_done(&x);
    if (status)
        return status;
    if (program->domain)
        program->domain->grant = program_source(program).grant; /* the same, where it stays */
    else if (program_is_enabled(program) && !manager.safe)
        load(program);
    return BPF_OK;
}

enum bpf_status programs_grant(const char *name, const struct bpf_grant *grant) {
    if (bpf_grant_check(grant, sizeof(*grant)))
        return BPF_GRANT;
    manager_lock();
    struct program *program = program_find(name);
    return manager_unlock(program ? change_grant(program, grant) : BPF_NOT_FOUND);
}

/* ----- maintenance ---------------------------------------------------------------------------------------- */

static uint32_t largest_maps(void) {
    uint32_t largest = 0;
    for (unsigned i = 0; i < STORE_PROGRAMS; i++) {
        const struct program *p = &manager.programs[i];
        uint32_t bytes = p->domain ? maps_bytes(p->domain->blob) : 0;
        largest = bytes > largest ? bytes : largest;
    }
    return largest;
}

/* The flash stalls for as long as an erase takes, so nothing runs, and outputs are safe. Afterwards each domain is made
 * anew, as its blob lies elsewhere; maps go through one piece of RAM, one domain after the other. */
static enum bpf_status compact(void) {
    struct saved saved;
    uint32_t stopped = 0;
    if (!store_is_readable())
        return manager.mounted;
    if (manager.upload.open)
        return BPF_BUSY;
    if (!saved_reserve(&saved, largest_maps()))
        return BPF_NO_RAM;
    for (unsigned i = 0; i < STORE_PROGRAMS; i++)
        if (manager.programs[i].domain) {
            stopped |= (uint32_t)manager.programs[i].domain->stopped << i;
            program_quiet(&manager.programs[i]);
        }
    enum bpf_status status = store_status(store_compact(&manager.store));
    for (unsigned i = 0; i < STORE_PROGRAMS; i++)
        if (manager.programs[i].domain)
            exchange_moved(&manager.programs[i], &saved, stopped >> i & 1);
    saved_release(&saved);
    return status;
}
_Static_assert(STORE_PROGRAMS <= 32, "bits of stopped");

enum bpf_status programs_compact(void) {
    manager_lock();
    return manager_unlock(compact());
}

/* Copies in RAM stay, but an erase stalls everybody. */
static enum bpf_status empty(void) {
    struct store_flash flash;
    if (!store_flash(&flash))
        return BPF_FLASH;
    install_abort();
    unload_all();
    for (unsigned i = 0; i < STORE_PROGRAMS; i++)
        if (!manager.programs[i].copy)
            manager.programs[i] = (struct program){.seq = 0};
    manager.mounted = store_status(store_format(&manager.store, &flash));
    load_all();
    return manager.mounted;
}

enum bpf_status programs_format(void) {
    manager_lock();
    return manager_unlock(empty());
}

struct store_room programs_room(void) {
    struct store_room room = {0, 0};
    manager_lock();
    if (store_is_readable())
        room = store_room(&manager.store);
    manager_unlock(BPF_OK);
    return room;
}

uint32_t programs_ram_free(void) {
    manager_lock();
    uint32_t bytes = pool_largest();
    manager_unlock(BPF_OK);
    return bytes;
}

uint32_t programs_ram_used(void) {
    manager_lock();
    uint32_t bytes = pool_used();
    manager_unlock(BPF_OK);
    return bytes;
}

/* SPDX-License-Identifier: MIT */
#include "manager/board.h"

#include "bpf/map.h"
#include "rtos/print.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct board board;

static void say(const char *text) {
    size_t used = strlen(board.text);
    snprintf(board.text + used, sizeof(board.text) - used, "%s", text);
}

/* ----- kernel --------------------------------------------------------------------------------------------- */

static unsigned locked;

enum kernel_status mutex_init(struct mutex *mutex) {
    *mutex = (struct mutex){.owner = NULL};
    locked = 0;
    return KERNEL_OK;
}

enum kernel_status mutex_lock(struct mutex *mutex, uint32_t timeout) {
    (void)mutex, (void)timeout;
    cr_assert_eq(locked++, 0, "the lock is taken twice");
    return KERNEL_OK;
}

enum kernel_status mutex_unlock(struct mutex *mutex) {
    (void)mutex;
    cr_assert_eq(locked--, 1, "the lock is given back twice");
    return KERNEL_OK;
}

enum kernel_status semaphore_init(struct semaphore *semaphore, uint32_t count, uint32_t limit) {
    *semaphore = (struct semaphore){.count = count, .limit = limit};
    return KERNEL_OK;
}

enum kernel_status semaphore_take(struct semaphore *semaphore, uint32_t timeout) {
    (void)timeout;
    semaphore->count = 0;
    return KERNEL_OK;
}

enum kernel_status semaphore_give(struct semaphore *semaphore) {
    semaphore->count = 1;
    board.wakes++;
    return KERNEL_OK;
}

enum kernel_status task_create(struct task *task, const struct task_config *config) {
    (void)task;
    cr_assert_eq(config->priority, MANAGER_PRIORITY);
    board.task_made = true;
    return KERNEL_OK;
}

struct task *task_self(void) {
    static struct task one;
    return &one;
}

uint64_t kernel_uptime(void) {
    return board.ticks;
}

void print(const char *text, ...) {
    char line[200];
    va_list arguments;
    va_start(arguments, text);
    vsnprintf(line, sizeof(line), text, arguments);
    va_end(arguments);
    say(line);
}

/* ----- memory --------------------------------------------------------------------------------------------- */

static uint8_t *pool;
static uint32_t pieces[BOARD_PIECES]; /* bytes that were asked for; 0: free */

unsigned board_pieces(void) {
    unsigned used = 0;
    for (unsigned i = 0; i < BOARD_PIECES; i++)
        used += pieces[i] != 0;
    return used;
}

uint32_t pool_allocate(uint32_t size, uint32_t *address) {
    cr_assert_neq(size, 0);
    if (board_pieces() >= board.pool_limit || size > BOARD_PIECE)
        return 0;
    for (unsigned i = 0; i < BOARD_PIECES; i++)
        if (!pieces[i]) {
            pieces[i] = size;
            *address = (uint32_t)(uintptr_t)pool + i * BOARD_PIECE;
            memset(pool + i * BOARD_PIECE, 0, BOARD_PIECE);
            return size;
        }
    return 0;
}

void pool_free(uint32_t address, uint32_t size) {
    uint32_t at = (address - (uint32_t)(uintptr_t)pool) / BOARD_PIECE;
    cr_assert_lt(at, BOARD_PIECES);
    cr_assert_eq(pieces[at], size, "a piece is given back that was not taken");
    memset(pool + at * BOARD_PIECE, 0xa5, BOARD_PIECE); /* nobody looks at it any more */
    pieces[at] = 0;
}

uint32_t pool_largest(void) {
    return board_pieces() < board.pool_limit ? BOARD_PIECE : 0;
}

uint32_t pool_used(void) {
    return board_pieces() * BOARD_PIECE;
}

bool store_flash(struct store_flash *flash) {
    *flash = board.no_flash ? (struct store_flash){.size = 0} : nor_flash(&board.nor);
    return !board.no_flash;
}

/* ----- domains -------------------------------------------------------------------------------------------- */

enum { STACK = 64 };
static struct domain domains[PROGRAMS_MAX];
static bool started[PROGRAMS_MAX];

/* The status that was ordered. */
static enum bpf_status ordered(enum bpf_status *status) {
    enum bpf_status now = *status;
    if (now && board.fail_once) {
        *status = BPF_OK;
        board.fail_once = false;
    }
    return now;
}

enum bpf_status domain_check(const void *blob, uint32_t size, const struct bpf_grant *grant,
                             uint32_t *where) {
    struct blob parsed;
    enum bpf_status status = ordered(&board.check_status);
    cr_assert_null(bpf_grant_check(grant, sizeof(*grant)));
    return status ? status : blob_parse(blob, size, &parsed, where);
}

static uint32_t resolve(void *user, uint32_t helper) {
    (void)user;
    return 0x08040001 + helper * 2;
}

static void fill_arena(struct domain *domain) {
    uint32_t r9;
    uint8_t *memory = (uint8_t *)(uintptr_t)domain->arena;
    const struct blob blob = domain_blob(domain);
    enum bpf_status status = bpf_arena_init(&blob, 0x08000000, BPF_ENGINE_THUMB, memory,
                                            domain->arena, domain->arena_size, resolve, NULL, &r9);
    cr_assert_eq(status, BPF_OK);
    domain->head = (struct bpf_arena *)(void *)(memory + (r9 - domain->arena));
}

enum bpf_status domain_make(const char *name, const void *blob, uint32_t size,
                            const struct bpf_grant *grant, struct domain **out, uint32_t *where) {
    enum bpf_status status = ordered(&board.make_status);
    struct domain *domain = domains;
    *out = NULL;
    *where = 4711;
    cr_assert_null(board_domain(name), "%s has a domain already", name);
    if (status)
        return status;
    while (domain < domains + PROGRAMS_MAX && domain->name)
        domain++;
    if (domain == domains + PROGRAMS_MAX)
        return BPF_TOO_MANY;
    *domain = (struct domain){.grant = grant, .engine = BPF_ENGINE_THUMB};
    struct blob parsed;
    status = blob_parse(blob, size, &parsed, where);
    if (status)
        return status;
    domain->blob = parsed.header;
    domain->arena_size =
        pool_allocate(domain->blob->arena_size + domain->blob->stack_thumb + STACK, &domain->arena);
    if (!domain->arena_size)
        return BPF_NO_RAM;
    domain->name = name;
    domain->entries = calloc(domain->blob->programs.count, sizeof(struct domain_entry));
    fill_arena(domain);
    started[domain - domains] = false;
    board.made++;
    *out = domain;
    return BPF_OK;
}

const char *domain_output_owner(uint32_t *output) {
    *output = 61;
    return "blink";
}

size_t format(char *out, size_t size, const char *text, ...) {
    va_list arguments;
    va_start(arguments, text);
    int length = vsnprintf(out, size, text, arguments);
    va_end(arguments);
    return (size_t)length;
}

enum bpf_status domain_start(struct domain *domain) {
    enum bpf_status status = ordered(&board.start_status);
    cr_assert(!started[domain - domains] && domain->program && !domain->ending);
    started[domain - domains] = !status;
    board.started += !status;
    return status;
}

void domain_stop(struct domain *domain) {
    domain->stopped = true;
}

void domain_end(struct domain *domain) {
    cr_assert(domain->name && !domain->ending);
    domain->ending = true;
    board.ended++;
    cr_assert_null(bpf_grant_check(domain->grant, sizeof(*domain->grant)), "%s: its grant is gone",
                   domain->name);
}

void domain_free(struct domain *domain) {
    cr_assert(domain->ending);
    pool_free(domain->arena, domain->arena_size);
    free(domain->entries);
    domain->name = NULL;
}

enum bpf_status domain_do(struct domain *domain, void (*work)(struct domain *, void *),
                          void *argument, uint32_t timeout) {
    cr_assert(domain->name && !domain->ending);
    cr_assert_eq(timeout, PROGRAMS_TIMEOUT);
    if (board.hung)
        return BPF_BUSY;
    work(domain, argument);
    return BPF_OK;
}

/* Counts, and adds what it was given to the first value of the first map. */
enum bpf_status domain_run_now(struct domain *domain, unsigned entry, const void *data,
                               uint32_t size, uint64_t *result, uint32_t *cycles) {
    if (entry >= domain->blob->programs.count)
        return BPF_NOT_FOUND;
    if (domain->stopped)
        return BPF_STOPPED;
    domain->entries[entry].runs++;
    *result = size ? *(const uint8_t *)data : 41;
    *cycles = 100;
    board_run_ends(domain, false);
    return BPF_OK;
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
    info->engine = domain->engine;
    info->faults = domain->faults;
}

void domain_log(const struct domain *domain, const char *line, uint32_t length) {
    char text[100];
    snprintf(text, sizeof(text), "%s: %.*s\n", domain->name, (int)length, line);
    say(text);
}

/* ----- the board ------------------------------------------------------------------------------------------ */

unsigned board_domains(void) {
    unsigned count = 0;
    for (unsigned i = 0; i < PROGRAMS_MAX; i++)
        count += domains[i].name != NULL;
    return count;
}

struct domain *board_domain(const char *name) {
    for (unsigned i = 0; i < PROGRAMS_MAX; i++)
        if (domains[i].name && strcmp(domains[i].name, name) == 0)
            return &domains[i];
    return NULL;
}

void board_run_ends(struct domain *domain, bool fault) {
    domain->faults += fault;
    program_ran(domain, fault);
}

void board_forget_ram(void) {
    for (unsigned i = 0; i < PROGRAMS_MAX; i++) {
        if (domains[i].name)
            free(domains[i].entries);
        domains[i] = (struct domain){.arena = 0};
    }
    memset(pieces, 0, sizeof(pieces));
    memset(&manager, 0, sizeof(manager));
    board.check_status = board.make_status = board.start_status = BPF_OK;
    board.hung = board.fail_once = false;
    board.text[0] = '\0';
    locked = 0;
}

void board_init(uint64_t seed) {
    if (!pool)
        pool = mmap(NULL, BOARD_PIECES * BOARD_PIECE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    cr_assert_neq(pool, MAP_FAILED);
    memset(&board, 0, sizeof(board));
    board.pool_limit = BOARD_PIECES;
    board_forget_ram();
    nor_init(&board.nor, seed);
    health_good();
}

void board_reset(bool button) {
    board_forget_ram();
    board.ticks = 0;
    programs_start(button);
}

void board_power_up(void) {
    nor_power_up(&board.nor);
    health_good(); /* what the noise comes to */
    board_reset(false);
}

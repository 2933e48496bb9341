/* SPDX-License-Identifier: MIT
 *
 * A domain: one blob that runs (docs/domains.md). Inside rtos/bpf only.
 */
#ifndef DOMAIN_H
#define DOMAIN_H

#include "bpf/arena.h"
#include "bpf/blob.h"
#include "bpf/grant.h"
#include "bpf/hook.h"
#include "bpf/library.h"
#include "bpf/memmap.h"
#include "rtos/clock.h"
#include "rtos/kernel.h"
#include "rtos/programs.h"
#include "rtos/sandbox.h"

struct domain;
struct hook_kind;

enum {
    DOMAIN_STACK =
        768, /* bytes: of its task, privileged; what its programs use lies in the arena */
    DOMAIN_REFILLS = 3, /* of the budget that are still to come: budget_use() */
    DOMAIN_ENTRIES_MAX = 64,
    DOMAIN_HOOKS_MAX = 16, /* of these, with a hook that is served in interrupts */
    DOMAIN_NO_RUN = -1,    /* from hook_kind.context: there was nothing after all */
};

/* One program of the blob, with the hook that makes it run. */
struct domain_entry {
    struct domain *domain;
    const struct blob_program *program;
    const struct hook_kind *kind;
    struct domain_entry *next; /* in its hook's list: at the same line, port, ... */
    union {
        struct {
            struct timeout timeout;
            uint32_t period; /* ticks */
        } timer;
        struct {
            uint8_t pin, edge; /* enum exti_edge */
        } gpio;
        struct {
            uint8_t port;
        } uart;
        struct {
            uint32_t hz;
            uint16_t samples;
            uint8_t channel, place; /* in the sequence */
        } adc;
        struct {
            struct timeout timeout;
            uint32_t cursor, waiting; /* events: read so far, not read yet */
            uint8_t event;            /* enum trace_kind */
        } trace;
        const char *name; /* cmd */
    } hook;
    bool pending;  /* periodic: is to run */
    uint32_t lost; /* events or periods since the last run: what the context says */
    uint32_t runs, faults, overruns; /* counters: struct program_stats */
    uint32_t cycles_min, cycles_max;
    uint64_t cycles_sum;
    uint32_t histogram[PROGRAMS_BUCKETS];
};

/* Events that wait, in order of arrival. Their contexts lie in slots, which are used in the same order; an event
 * of a periodic hook has none. Whoever posts takes a slot with the kernel locked, fills it unlocked, and only then
 * says that it is ready. */
struct domain_events {
    uint8_t *order;                /* entry, plus EVENT_HAS_SLOT */
    uint8_t *slots;                /* each a struct event_slot */
    uint16_t slot_size;            /* bytes */
    uint8_t capacity, first, used; /* of order */
    uint8_t slot_count, slot_first, slots_used;
};

/* The budget as a sporadic server has it: what a run uses comes back a period after the run began. */
struct domain_budget {
    int32_t available; /* cycles; below 0 after a run that went over it */
    uint32_t cycles;   /* a full one */
    struct {
        uint32_t at, cycles; /* tick; up to two budgets and what a kill costs: more than 2^31 */
    } refill[DOMAIN_REFILLS];
    uint16_t period; /* ticks: a minute at most */
    uint8_t first, used;
};

struct event_slot {
    uint16_t size; /* bytes of context */
    bool ready;
    uint8_t reserved[5];
    uint8_t context[];
};

struct domain {
    struct sandbox box; /* first: svc.c */
    struct task task;
    struct semaphore wanted;  /* there is something to do */
    struct domain_work *work; /* of domain_do(); NULL: none, or it has begun */
    struct domain_events events;
    struct domain_budget budget;
    const struct blob_header *blob; /* blob_parse() has accepted it */
    const struct bpf_grant *grant;
    struct program *program;      /* whose domain it is: manager.h; NULL: not yet anybody's */
    struct domain_entry *entries; /* one more if it has timers: theirs */
    struct domain_entry *current; /* whose run it is */
    struct domain_timers *timers; /* NULL: the blob uses none */
    struct bpf_arena *head;       /* r9 */
    uint32_t arena, arena_size;
    uint32_t block, block_size; /* entries, events and the stack */
    uint32_t window;            /* tick at which the first of the restarts in it was */
    uint32_t accounted;         /* the task's cycles that have been charged, or are nobody's */
    uint32_t restarts, faults, repaired;
    uint8_t restarts_in_window;
    bool stopped; /* by its policy: hooks are off, maps may still be read */
    bool ending;  /* domain_end() waits */
    enum bpf_engine engine;
    const char *name; /* whoever has made it keeps it; NULL: this domain is free */
};
/* What the kernel counts of a task, and the queue of events, are not a domain's own. */
_Static_assert(sizeof(void *) != 4 ||
                   sizeof(struct domain) - sizeof(struct task) - sizeof(struct domain_events) <=
                       256,
               "256 bytes a domain");

/* What programs call, part of the firmware's image. */
static inline const struct library_header *domain_library(void) {
    return (const struct library_header *)MEMMAP_LIBRARY;
}

/* The context copy of a run, in the arena. */
static inline uint8_t *domain_context(const struct domain *domain) {
    return (uint8_t *)domain->head + domain->blob->ctx_off;
}

/* ----- events.c, budget.c: for domain.c ------------------------------------------------------------------ */

/* The next event, whose context is then in the arena; NULL: nothing waits, or it is not complete yet. */
struct domain_entry *events_next(struct domain *domain, uint32_t *size);
void events_forget(struct domain *domain); /* locked: everything that waits */

void budget_init(struct domain *domain);                                        /* full */
void budget_use(struct domain_budget *budget, uint32_t began, uint32_t cycles); /* began: tick */
uint32_t budget_wait(struct domain_budget *budget); /* ticks until a run may begin; 0: now */

/* ----- load.c: what domain.c begins with -------------------------------------------------------------- */

/* Everything that can be said of a blob before it runs. Fills blob and engine. */
enum bpf_status load_check(const void *bytes, uint32_t size, const struct bpf_grant *grant,
                           struct blob *blob, enum bpf_engine *engine, uint32_t *where);
/* The arena as new: data and maps as the blob has them. domain.blob, engine, arena... are set. */
enum bpf_status load_arena(struct domain *domain);
/* Regions, stack, way out. */
enum bpf_status load_sandbox(struct domain *domain);

/* What a domain takes of the pool: an arena with the stack below it, and a block with the task's stack (aligned for its
 * guard), entries, the order of events, their slots, timers. All but the task's stack comes out of the grant's ram. */
struct domain_layout {
    uint32_t arena, block;                  /* bytes of the two pieces */
    uint32_t entries, order, slots, timers; /* offsets in the block */
    uint32_t capacity, slot_size, slot_count;
};
struct domain_layout load_layout(const struct blob *blob, enum bpf_engine engine,
                                 const struct bpf_grant *grant);
const struct hook_kind *load_hook(const struct blob *blob, const struct blob_program *program,
                                  const char **pattern);

/* svc.c */
extern sandbox_call *const domain_calls[];
extern const uint32_t domain_call_count;
/* log.c: a line that a program prints */
void domain_log(const struct domain *domain, const char *line, uint32_t length);

/* ----- domain.c -------------------------------------------------------------------------------------- */

/* Checks everything and makes a domain, none of whose programs runs before domain_start(): until then whoever
 * has made it may touch its maps. *where as blob_parse(), or what the status is about. *out: NULL if it fails. The blob,
 * its grant and its name stay where they are until domain_end(). */
enum bpf_status domain_make(const char *name, const void *blob, uint32_t size,
                            const struct bpf_grant *grant, struct domain **out, uint32_t *where);
/* Its hooks. Where it fails, domain_end() and domain_free() are what is left. */
enum bpf_status domain_start(struct domain *domain);
/* Who has the output that the last BPF_OUTPUT of domain_make() was about, and which it is (bpf/grant.h), as *where. */
const char *domain_output_owner(uint32_t *output);
/* Checks as domain_make(), makes nothing. */
enum bpf_status domain_check(const void *blob, uint32_t size, const struct bpf_grant *grant,
                             uint32_t *where);
/* For work: no event any more, outputs safe. The maps stay, and may be read by anybody when the work is done. */
void domain_stop(struct domain *domain);
/* Kills what runs, waits for its end, outputs safe. The blob is not looked at any more; the maps may still be. */
void domain_end(struct domain *domain);
/* Gives its memory back. */
void domain_free(struct domain *domain);

/* Runs function(domain, argument), "for work" below, with privilege in the domain's own task, between two runs of its programs.
 * BPF_BUSY: the program did not end in time (the work is then withdrawn). */
enum bpf_status domain_do(struct domain *domain, void (*function)(struct domain *, void *),
                          void *argument, uint32_t timeout);
/* For work: runs an entry with this payload in its context. */
enum bpf_status domain_run_now(struct domain *domain, unsigned entry, const void *data,
                               uint32_t size, uint64_t *result, uint32_t *cycles);
/* For work: the map, in order (repaired); NULL: the blob has none of that index. */
struct bpf_map *domain_map(struct domain *domain, unsigned map);

static inline struct blob domain_blob(const struct domain *domain) {
    return blob_tables(domain->blob);
}
void domain_fill_info(const struct domain *domain,
                      struct program_info *info); /* the fields that a domain has */
struct domain_entry *domain_entry(struct domain *domain, unsigned entry); /* NULL: there is none */
/* programs.c: after each run, in the domain's task, when the policy has been applied to a fault. Confirms, rolls back. */
void program_ran(struct domain *domain, bool fault);

/* Events. From tasks, and from interrupts of the kernel's band. */
/* Queued: context = head and data, copied; a full queue is counted in entry->lost and overruns. */
void domain_post(struct domain_entry *entry, const void *head, uint32_t head_size, const void *data,
                 uint32_t size);
/* Periodic: the context is made when the entry's turn has come (hook_kind.context); still pending: an overrun. */
void domain_wake(struct domain_entry *entry);
/* Counts an event that no run will see: the next context tells of it, and the statistics. */
void domain_lose(struct domain_entry *entry);
/* Out of its hook's list; false: it was not in it. */
bool domain_unlink(struct domain_entry **first, const struct domain_entry *entry);

/* ----- hooks: hook_NAME.c ----------------------------------------------------------------------------- */

struct hook_kind {
    /* Reads what follows "prefix/" in SEC() into entry->hook, checks it against the grant. Starts nothing. */
    enum bpf_status (*check)(struct domain_entry *entry, const char *pattern,
                             const struct bpf_grant *grant);
    enum bpf_status (*start)(
        struct domain_entry *entry);          /* e.g. BPF_BUSY: the EXTI line is another port's */
    void (*stop)(struct domain_entry *entry); /* no event comes afterwards; also without a start */
    /* Periodic ones, whose context is made when the entry's turn has come; returns its bytes or DOMAIN_NO_RUN. */
    uint32_t (*context)(struct domain_entry *entry, void *context, uint32_t lost);
    uint16_t lost_at; /* queued ones: where their context says how many were lost; 0: nowhere */
};
/* hook_cmd.c: the context of a call by name */
uint32_t hook_cmd_context(void *context, const void *data, uint32_t size);

/* ----- devices.c ---------------------------------------------------------------------------------------- */

/* A helper behind SVC: words are its arguments by AAPCS, r0 to r3. Runs as an interrupt of the kernel's
 * band: short, no waiting. Pointers are checked with sandbox_reaches() or domain_reads(), in each call,
 * and not kept. */
typedef int64_t device_call(struct domain *domain, const uint32_t *words);
/* NULL: not behind SVC. */
device_call *device_call_of(uint32_t helper_id);
/* Whether two grants drive the same output, by whatever name; *output is what `owner` calls it. */
bool devices_share_output(const struct bpf_grant *grant, const struct bpf_grant *owner,
                          uint32_t *output);
/* Configures what a grant gives, and puts outputs to their safe levels. No other has one of its outputs.
 * BPF_BUSY, BPF_NOT_GRANTED. */
enum bpf_status devices_claim(const struct bpf_grant *grant);
void devices_safe(const struct bpf_grant *grant);
void devices_release(const struct bpf_grant *grant); /* what devices_claim() has claimed */

/* hook_adc.c */
enum bpf_status
adc_claim(uint32_t channels); /* a bit each; on failure too, until it is given back */
void adc_give_back(uint32_t channels);
int32_t adc_latest(uint32_t channel);
/* hook_uart.c; ports that the board does not have, or keeps for itself, are refused when they are used */
enum bpf_status uart_claim(uint32_t ports); /* a bit each; on failure too, until it is given back */
void uart_give_back(uint32_t ports);
/* What a helper gets behind r3, two words on the program's stack; false: they lie outside. */
bool domain_stack_words(const struct domain *domain, const uint32_t *words, uint32_t out[2]);
/* All of [address, address + size) may be read by the program: arena or blob. */
bool domain_reads(const struct domain *domain, uint32_t address, uint32_t size);

/* ----- timers.c ------------------------------------------------------------------------------------------ */

uint32_t timers_size(const struct blob *blob); /* bytes of a domain's block; 0: it uses none */
void timers_make(struct domain *domain, void *memory); /* entries are there */
void timers_forget(struct domain *domain);             /* all of them */
device_call timers_init, timers_set_callback, timers_start, timers_cancel;

struct timer_call {
    struct domain_entry *entry; /* of the program whose timer it is */
    uint32_t function;          /* 0: its callback is no function */
    uint32_t arguments[4], stack_top;
};
/* When the turn of entries[programs] has come. False: nothing is to run. */
bool timers_take(struct domain *domain, struct timer_call *call);

/* ----- pool.c: arenas (and blobs in RAM) ------------------------------------------------------------------ */
uint32_t
pool_allocate(uint32_t size,
              uint32_t *address); /* bytes that were taken (placed as bpf/place.h); 0: no room */
void pool_free(uint32_t address, uint32_t size);
uint32_t pool_largest(void);
uint32_t pool_used(void); /* bytes; 0 when nothing is installed and no upload is open */

#endif

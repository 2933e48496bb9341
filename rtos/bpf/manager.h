/* SPDX-License-Identifier: MIT
 *
 * The manager of installed programs, inside (rtos/programs.h is what others see): what is known of a program, and the
 * steps of which installing, replacing and going back consist. All of it is called with the manager's lock held, by
 * tasks above all domains.
 */
#ifndef MANAGER_H
#define MANAGER_H

#include "domain.h"

enum {
    PROGRAM_GOOD_RUNS = 64, /* that confirm a successor: its predecessor goes */
    PROGRAM_FAULTS = 3,     /* before that many good runs: its predecessor comes back */
    UPLOAD_IDLE = 300000,   /* ticks without a byte, then an upload is given up */
    MANAGER_PRIORITY = 10,  /* of its task: above all domains */
};

enum program_wish { WISH_NOTHING, WISH_CONFIRM, WISH_ROLLBACK };

/* A blob that is installed until the next restart: in a piece of the pool, like the blob itself. */
struct ram_copy {
    struct bpf_grant grant;
    uint32_t address, taken; /* of this piece: bytes */
    uint32_t blob, blob_taken;
    uint32_t size; /* of the blob */
    bool enabled;
};

/* What is known of an installed program besides what the store says. */
struct program {
    char name[PROGRAMS_NAME]; /* empty: this one is free */
    uint32_t seq;             /* of its installation; copies in RAM count for themselves */
    struct domain *domain;    /* NULL: it has none */
    struct ram_copy *copy;    /* NULL: it lies in the store */
    uint32_t where;
    uint8_t status; /* enum bpf_status: why it has no domain although it is enabled */
    uint8_t good_runs, faults;
    uint8_t wish; /* enum program_wish: of program_ran(), for the manager's task */
};

struct source {
    const uint8_t *blob;
    uint32_t size;
    const struct bpf_grant *grant; /* NULL: what is stored there is none, or damaged */
};

struct upload {
    char name[PROGRAMS_NAME];
    struct bpf_grant grant;
    struct ram_copy *copy; /* NULL: into the store */
    uint32_t size, done;
    uint64_t deadline; /* kernel_uptime() at which it is given up */
    bool open;
};

struct manager {
    struct store store;
    struct upload upload;
    struct program programs[STORE_PROGRAMS];
    struct semaphore attention; /* somebody has a wish */
    struct mutex lock;
    const struct task *holder; /* of the lock; it may take it again */
    unsigned held;             /* so often */
    uint64_t slice; /* ns at which the holder's present slice of time has begun: pause.c */
    enum bpf_status mounted;
    const char *safe; /* why nothing was loaded */
    uint32_t copies;  /* that were installed: their seq */
    bool healthy;
};
extern struct manager manager;

/* ----- programs.c ----------------------------------------------------------------------------------------- */

void manager_lock(void);
enum bpf_status manager_unlock(enum bpf_status status); /* returns its argument */
enum bpf_status store_status(enum store_status status); /* the same in our words */
/* One look at everybody's wishes, and at the upload: ticks until it wants another. */
uint32_t manager_attend(void);

/* ----- table.c -------------------------------------------------------------------------------------------- */

bool store_is_readable(void);                   /* else manager.mounted says why */
struct program *program_find(const char *name); /* NULL: there is none */
struct program *program_add(const char *name);  /* NULL: there are too many */
void program_add_stored(void);                  /* those of the store, after it was mounted */
struct program *program_nth(unsigned n);        /* in order of installation, copies in RAM last */
/* What the store says of it; NULL: it cannot be read any more. Not for copies in RAM. */
const struct store_program *program_stored(const struct program *program);
bool program_is_enabled(const struct program *program);
bool program_can_roll_back(const struct program *program);
struct source program_source(const struct program *program);
enum bpf_status program_set_enabled(struct program *program, bool enabled);
void program_free_copy(struct ram_copy *copy); /* NULL: nothing */

/* ----- install.c ------------------------------------------------------------------------------------------ */

void install_abort(void); /* if there is one */
/* Ends an upload that nobody goes on with, which holds RAM and the program of its name. Ticks until it has to be
 * looked at again. */
uint32_t install_expire(void);

/* ----- exchange.c: domains begin and end ------------------------------------------------------------------ */

/* The bytes of all maps of a domain, while there is none. taken 0: there are no maps. */
struct saved {
    uint32_t address, taken;
};
bool saved_reserve(struct saved *saved, uint32_t bytes); /* false: no RAM */
void saved_release(struct saved *saved);
uint32_t maps_bytes(const struct blob_header *blob);

/* The program's domain comes to an end between two runs, or in one that takes too long. */
void program_quiet(struct program *program);
/* The same, and its memory is free. Without a domain nothing. */
void program_unload(struct program *program);
/* Makes and starts its domain, which it has not; `status` and `where` of the program say how it went. */
enum bpf_status program_load(struct program *program, const struct source *source);

/* In the place of the domain that the program has one of another source, with the contents of the maps that the two
 * have in common. Until exchange_done() the old one can come back with all its maps, and does if the new one
 * cannot be started. */
struct exchange {
    struct program *program;
    struct source old;
    struct blob blob; /* the old one's tables */
    struct saved maps;
    bool had_domain, was_stopped;
};
enum bpf_status exchange_begin(struct exchange *exchange, struct program *program,
                               const struct source *source, uint32_t *where);
void exchange_undo(struct exchange *exchange);
void exchange_done(struct exchange *exchange);
/* What program_quiet() has left goes on with a blob that lies elsewhere now, its maps by way of `saved`. */
void exchange_moved(struct program *program, const struct saved *saved, bool was_stopped);

/* ----- store_flash.c ---------------------------------------------------------------------------------------- */

/* The board's flash as the store wants it; false: the board has no place for one. */
bool store_flash(struct store_flash *flash);

/* ----- health.c --------------------------------------------------------------------------------------------- */

enum { HEALTHY_TICKS = 10000 };

/* A boot that loads programs begins; false: the last three before it did not live for HEALTHY_TICKS. */
bool health_begin(void);
void health_good(void);

#endif

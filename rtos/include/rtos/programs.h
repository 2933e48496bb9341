/* SPDX-License-Identifier: MIT
 *
 * Installed programs: what the shell and the protocol work on. One name = one blob = one domain. All calls
 * belong to tasks and are serialised here; none waits longer than the flash does, or than a
 * program's own turn (map access is an event in the domain's own task, bounded by PROGRAMS_TIMEOUT).
 *
 * Results are enum bpf_status (bpf/error.def: one table of texts for host and board).
 */
#ifndef RTOS_PROGRAMS_H
#define RTOS_PROGRAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/arena.h"
#include "bpf/blob.h"
#include "bpf/error.h"
#include "bpf/grant.h"
#include "bpf/store.h"

enum {
    PROGRAMS_MAX = 8, /* domains that exist at one time */
    PROGRAMS_NAME = STORE_NAME,
    PROGRAMS_BUCKETS = 16,   /* of the histogram of run times: powers of two, from 256 cycles on */
    PROGRAMS_TIMEOUT = 1000, /* ticks that an access to a map waits for the program */
};

enum program_state {
    PROGRAM_DISABLED, /* installed, has no domain */
    PROGRAM_RUNNING,
    PROGRAM_STOPPED, /* by its policy, after faults */
    PROGRAM_REFUSED, /* enabled, but the loader says no: status, where */
};

struct program_info {
    char name[PROGRAMS_NAME];
    enum program_state state;
    bool enabled;
    bool in_ram;            /* install --ram: gone after a reset */
    bool can_roll_back;     /* its predecessor is still there */
    uint32_t seq;           /* of the installation */
    uint32_t size, address; /* of the blob */
    uint32_t code;          /* address of its compiled code, for a debugger; 0: bytecode only */
    uint32_t arena, arena_size, arena_head; /* region, its bytes, r9; 0 without a domain */
    enum bpf_engine engine;
    uint64_t id;            /* of the blob: the host's line tables */
    enum bpf_status status; /* why it is refused */
    uint32_t where;         /* offset in the blob, or what is missing, as the status says */
    uint32_t entries, maps; /* programs and maps in the blob */
    uint32_t restarts, faults, repaired_maps;
    uint32_t good_runs; /* since it was installed, up to the number that confirms it */
};

struct program_stats { /* of one entry */
    char name[32], section[48];
    uint32_t runs, faults, overruns; /* overruns: periods or events lost */
    uint32_t cycles_min, cycles_max;
    uint64_t cycles_sum;
    uint32_t histogram[PROGRAMS_BUCKETS];
};

struct program_map {
    char name[32];
    uint32_t type, key_size, value_size, max_entries;
};

/* Boot: mounts the store, loads what is enabled. safe: load nothing (architecture.md 8, safe boot). Once, from a task
 * above all programs. */
void programs_start(bool safe);
/* Before a restart that is meant: all stops, outputs are safe, and this boot was a healthy one. */
void programs_leave(void);

/* For several calls that belong together: none is replaced or removed in between, so that what programs_map() says of
 * sizes stays true. Not from a domain's task. */
void programs_hold(void);
void programs_release(void);

/* BPF_OK; else why nothing can be installed, as BPF_STORE_CORRUPT. */
enum bpf_status programs_store(void);
/* Why this boot has loaded nothing; NULL: it has. */
const char *programs_safe(void);

/* What a status means, at once after the call that gave it: with the name of whoever has the output. */
const char *programs_status_text(enum bpf_status status);

/* The index-th name, in order of installation; false: there are no more. */
bool programs_at(unsigned index, struct program_info *out);
/* The same name alone; it stays where it is until the program is removed. NULL: there are no more. */
const char *programs_name(unsigned index);
enum bpf_status programs_info(const char *name, struct program_info *out);
enum bpf_status programs_stats(const char *name, unsigned entry, struct program_stats *out);
enum bpf_status programs_grant_of(const char *name, struct bpf_grant *out);

/* Install. begin, write in order, commit: everything is checked there, nothing runs before. `offset` has to be
 * where the last write ended (programs_upload_offset(): where to go on). in_ram: a volatile copy. */
enum bpf_status programs_begin(const char *name, uint32_t size, const struct bpf_grant *grant,
                               bool in_ram);
enum bpf_status programs_write(uint32_t offset, const void *bytes, uint32_t count);
uint32_t programs_upload_offset(void);
bool programs_upload_is_open(void); /* it ends by itself when nobody goes on with it */
enum bpf_status programs_commit(bool enable, uint32_t *where);
void programs_abort(void);

enum bpf_status programs_enable(const char *name, bool enabled);
enum bpf_status programs_remove(const char *name);
enum bpf_status programs_grant(const char *name, const struct bpf_grant *grant);
enum bpf_status programs_rollback(const char *name);
/* Stops all, compacts the store, starts all. */
enum bpf_status programs_compact(void);
/* Empties the store: what is installed there is gone. The way out of BPF_STORE_CORRUPT. */
enum bpf_status programs_format(void);
struct store_room programs_room(void);
uint32_t programs_ram_free(void); /* bytes of the largest arena that could be made now */
uint32_t programs_ram_used(void); /* bytes of domains, copies in RAM and an upload */

/* Runs an entry once, now, with these bytes as its context's payload (cmd hooks: arguments). */
enum bpf_status programs_run(const char *name, unsigned entry, const void *data, uint32_t size,
                             uint64_t *result, uint32_t *cycles);

/* Maps, by index in the blob. Sizes of key and value are those of the map. */
enum bpf_status programs_map(const char *name, unsigned map, struct program_map *out);
enum bpf_status programs_map_get(const char *name, unsigned map, const void *key, void *value);
enum bpf_status programs_map_set(const char *name, unsigned map, const void *key,
                                 const void *value);
enum bpf_status programs_map_delete(const char *name, unsigned map, const void *key);
/* The element at *cursor (start with 0) and the cursor of the next; BPF_NOT_FOUND: the end. */
enum bpf_status programs_map_next(const char *name, unsigned map, uint32_t *cursor, void *key,
                                  void *value);
/* The oldest record of a ring buffer, taken out; at most *size bytes, *size is then its length. */
enum bpf_status programs_ring_read(const char *name, unsigned map, void *out, uint32_t *size);
/* bpf_printk() of all programs: text from *cursor on (0: the oldest); *cursor goes on, *lost is what was
 * overwritten. */
uint32_t programs_log(uint32_t *cursor, uint32_t *lost, char *out, uint32_t size);

#endif

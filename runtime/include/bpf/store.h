/* SPDX-License-Identifier: MIT */
/*
 * The store: programs in two flash sectors that outlive every loss of power (docs/store.md).
 *
 *     struct store s;
 *     status = store_mount(&s, &flash, now_is_boot);
 *     status = store_begin(&s, "blink", size, grant, grant_size);
 *     status = store_write(&s, bytes, count);            as they come
 *     status = store_commit(&s);                         from here on it is there, before it was not
 *
 * Every call is atomic: whenever power goes, the next mount finds the state before the call or the
 * state behind it. Nothing here blocks longer than the flash does; sectors are erased by
 * store_mount(), store_compact() and store_format() only, which belong to boot and maintenance.
 *
 * Not reentrant: one task owns the store.
 */
#ifndef BPF_STORE_H
#define BPF_STORE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    STORE_SECTORS = 2,
    STORE_NAME = 16,     /* bytes of a name with its NUL */
    STORE_PROGRAMS = 24, /* entries, predecessors included */
    STORE_RETURNED = 4, /* more, for removed ones that come back when the record of it is damaged */
    STORE_GRANT_MAX = 1024,
    STORE_ALIGN = 32, /* of records */
};

enum store_status {
    STORE_OK = 0,
    STORE_BAD_ARGUMENT = 100, /* a name, size or order of calls that can never work */
    STORE_NOT_FOUND,
    STORE_TOO_LARGE,     /* no empty store could take it */
    STORE_NO_ROOM = 200, /* store_room() says how much compacting would give */
    STORE_TOO_MANY,      /* STORE_PROGRAMS entries */
    STORE_BUSY,          /* an upload of this name is open, or of any for store_compact() */
    STORE_CORRUPT,       /* neither sector can be read: only store_format() helps */
    STORE_FLASH,         /* the flash does not take what is written, or refuses */
};

/*
 * The flash, which is mapped to memory. Addresses of places are those of the board (bpf/place.h), so that
 * a host can build images. program() writes one word: bits go from 1 to 0 only. Both return false if
 * the hardware says no; what they wrote is read back here.
 */
struct store_flash {
    uint32_t address[STORE_SECTORS];      /* on the board; a multiple of size */
    uint32_t size;                        /* bytes of each sector, a power of two */
    const uint8_t *memory[STORE_SECTORS]; /* the same, to read; aligned to 4 */
    void *user;
    bool (*program)(void *user, unsigned sector, uint32_t offset, uint32_t word);
    bool (*erase)(void *user, unsigned sector);
};

struct store_program {
    char name[STORE_NAME];
    uint32_t seq;    /* of its installation: its identity, also over compaction */
    uint32_t offset; /* of the blob, in the active sector */
    uint32_t size;
    uint32_t grant, grant_size; /* offset in the active sector; bytes */
    uint32_t
        replaces; /* seq of the predecessor that would come back; 0: none, or it is confirmed */
    bool enabled;
    bool damaged;       /* its bytes, or those of the grant that came with them, have changed */
    bool grant_damaged; /* those of the grant that it has now */
};

struct store {
    struct store_flash flash;
    struct store_program programs[STORE_PROGRAMS + STORE_RETURNED]; /* in order of seq */
    unsigned count;
    unsigned active;     /* sector */
    uint32_t generation; /* of the active sector */
    uint32_t end;        /* where the next record begins in the active sector */
    uint32_t next_seq;
    uint32_t erased[STORE_SECTORS]; /* how often */
    unsigned repaired;              /* torn records that the mount has made harmless */
    unsigned unlisted;              /* programs that have found no entry in the table */
    bool spare_ready;               /* the other sector is erased and marked */
    bool sure;                      /* that the active one is complete, also at the next mount */
    bool sealed;                    /* what a mount leaves out in front of `end` reads as used */
    struct {                        /* between store_begin() and store_commit() */
        uint32_t record, offset, size, done;
        uint32_t word; /* bytes that do not fill a word yet */
        bool open;
    } upload;
};

/*
 * Finds the state, finishes or undoes what a loss of power has left, formats a blank flash.
 * may_erase: this is boot or maintenance; else a sector that needs it stays as it is (spare_ready false).
 * STORE_CORRUPT: nothing has been changed.
 */
enum store_status store_mount(struct store *s, const struct store_flash *flash, bool may_erase);

/* Empties the store. Whatever was there is gone. */
enum store_status store_format(struct store *s, const struct store_flash *flash);

/*
 * Adds a program, which is disabled until store_enable(), or replaces the one of that name, whose enabling
 * it takes over; that one stays until store_confirm(), and is what store_rollback() brings back. The
 * predecessor of a predecessor goes.
 */
enum store_status store_begin(struct store *s, const char *name, uint32_t size, const void *grant,
                              uint32_t grant_size);
enum store_status store_write(struct store *s, const void *bytes, uint32_t count);
/* What has been written, where the blob will lie: for checks before the commit. */
const uint8_t *store_upload(const struct store *s);
enum store_status store_commit(struct store *s); /* BAD_ARGUMENT if bytes are missing: goes on */
enum store_status store_abort(struct store *s);

enum store_status store_remove(struct store *s, const char *name);
enum store_status store_enable(struct store *s, const char *name, bool enabled);
enum store_status store_grant(struct store *s, const char *name, const void *grant, uint32_t size);
enum store_status store_confirm(struct store *s, const char *name);
enum store_status store_rollback(struct store *s, const char *name);

/* Copies what is in use to the other sector and erases the old one. Programs move: none may run. */
enum store_status store_compact(struct store *s);

/* The installed program of a name (never a predecessor), or null. */
const struct store_program *store_find(const struct store *s, const char *name);
/* Is it one that runs, not one that waits to come back? */
bool store_is_current(const struct store *s, const struct store_program *p);
const uint8_t *store_bytes(const struct store *s, const struct store_program *p);

/* Bytes of the largest blob that would fit now, and after store_compact(). */
struct store_room {
    uint32_t now, compacted;
};
struct store_room store_room(const struct store *s);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Inside the store: what lies in a sector, and the only code that writes it.
 *
 * A sector begins with a header of 32 bytes. Behind it lies the log: records of 64 bytes at
 * multiples of 32, each followed by its payload, a program's at a place of bpf/place.h. Nothing is ever written
 * over, except that bits go from 1 to 0.
 *
 * What a loss of power does to the word that is being programmed: any of the bits that should become 0 may
 * be 0 or 1, and may read as one today and as the other tomorrow (a weak bit). An erase that is
 * interrupted leaves the whole sector so. Therefore
 *
 * - a record counts once its last word, `commit2`, is there, which is written after all others have
 *   been read back; a sector by `formatted` and `complete2` in the same way;
 * - what a mount believes of words that may be weak it programs once more, what it does not believe
 *   it sets to 0: from then on every mount sees the same (log_settle);
 * - a sector whose erase began is not looked at again before the erase has come to its end: the other
 *   sector's generation is higher, and its log begins with a record that says so (RECORD_ERASE);
 * - after a mount the log goes on 32 bytes further than it seems to end: what reads as erased there may
 *   be a word whose programming had just begun. Before the first record these bytes are marked as used
 *   (log_seal), or the mount after a loss of power in that record's first word would go on in the same place.
 */
#ifndef STORE_LOG_H
#define STORE_LOG_H

#include "bpf/store.h"

enum record_kind {
    RECORD_PROGRAM = 1, /* payload: the blob, then the grant */
    RECORD_GRANT,       /* payload: the grant */
    RECORD_ENABLE,      /* value: 0 or 1 */
    RECORD_REMOVE,
    RECORD_CONFIRM,  /* the predecessor goes */
    RECORD_ROLLBACK, /* the predecessor comes back */
    RECORD_ERASE,    /* subject: sector; value: its erase count from then on */
    RECORD_KINDS,
};

struct record {
    uint32_t kind; /* with RECORD_MAGIC */
    uint32_t seq;
    uint32_t subject; /* seq of the program it is about */
    uint32_t value;   /* PROGRAM: enabled */
    uint32_t size;    /* of the blob */
    uint32_t offset;  /* of the payload in the sector; 0: none */
    uint32_t grant_size;
    char name[STORE_NAME];
    uint32_t replaces;    /* PROGRAM: seq of its predecessor, 0: none */
    uint32_t crc;         /* of all above, the place and the sector's generation */
    uint32_t payload_crc; /* from here on written by log_commit() */
    uint32_t commit1, commit2;
};
_Static_assert(sizeof(struct record) == 64, "layout in flash");

enum record_state {
    RECORD_COMMITTED,
    RECORD_DEAD, /* was never committed, and never will be */
    RECORD_OPEN, /* neither: an upload, or what a loss of power has left */
    RECORD_NONE, /* no header here */
};

enum sector_state {
    SECTOR_DIRTY,   /* anything else */
    SECTOR_READY,   /* erased and marked */
    SECTOR_FILLING, /* records, but not complete */
    SECTOR_COMPLETE,
};

enum {
    LOG_START = 64,       /* of the first record, which is a RECORD_ERASE */
    LOG_ERASE = 64,       /* bytes of it */
    LOG_RESERVE = 1024,   /* bytes that programs leave for records without payload */
    LOG_ERASE_ROOM = 256, /* of these the last, for RECORD_ERASE */
};

/* Where a record's payload would lie, and where the next record: false if behind `limit`. */
bool log_layout(const struct store *s, unsigned sector, uint32_t at, uint32_t size,
                uint32_t grant_size, bool is_program, uint32_t limit, uint32_t *offset,
                uint32_t *end);
uint32_t log_end(const struct record *r, uint32_t at);
uint32_t log_grant_offset(const struct record *r); /* in the sector */
uint32_t log_payload_size(const struct record *r); /* blob and grant, each in whole words */

const struct record *log_at(const struct store *s, unsigned sector, uint32_t at);
enum record_state log_state(const struct store *s, unsigned sector, uint32_t generation,
                            uint32_t at);
bool log_payload_good(const struct store *s, unsigned sector, const struct record *r);
/* Where the next record with a header is, from `at` on; the sector's size: none. */
uint32_t log_next(const struct store *s, unsigned sector, uint32_t generation, uint32_t at,
                  uint32_t used);
/* The first multiple of STORE_ALIGN behind the last word that is not erased. */
uint32_t log_used(const struct store *s, unsigned sector);

/* Each writes, reads back, and answers whether it is there. */
bool log_program(struct store *s, unsigned sector, uint32_t offset, uint32_t word);
bool log_copy(struct store *s, unsigned sector, uint32_t offset, const void *bytes, uint32_t size);
bool log_header(struct store *s, unsigned sector, uint32_t generation, uint32_t at,
                struct record *r); /* fills in kind's magic and crc */
bool log_commit(struct store *s, unsigned sector, uint32_t at);
/* Before every record at s->end of the active sector. */
bool log_seal(struct store *s);
/* The same for a payload that is what it is, with the CRC that it should have. */
bool log_commit_copy(struct store *s, unsigned sector, uint32_t at, uint32_t payload_crc);
uint32_t log_payload_crc(const struct store *s, unsigned sector, const struct record *r);
/* It will never be committed. */
bool log_kill(struct store *s, unsigned sector, uint32_t generation, uint32_t at);
/* Sets every word in [from, to) that is not erased to 0: what a loss of power has left of a header. True if
 * there was one. */
bool log_scrub(struct store *s, unsigned sector, uint32_t from, uint32_t to);
/* After a loss of power: a committed record is made sure, an open one is killed. */
bool log_settle(struct store *s, unsigned sector, uint32_t generation, uint32_t at);

enum sector_state sector_state(const struct store *s, unsigned sector, uint32_t *generation,
                               uint32_t *erased);
bool sector_is_fresh(const struct store *s, unsigned sector); /* nothing behind the header */
bool sector_mark(struct store *s, unsigned sector, uint32_t generation, uint32_t erased);
bool sector_complete(struct store *s, unsigned sector);
bool sector_strengthen(struct store *s, unsigned sector); /* what its header says, once more */

#endif

/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: a store whose flash has been damaged. The first byte says from which of the stores below it
 * begins and what the mount may do; each six that follow change a word somewhere. Whatever is there:
 *
 * - a mount ends, and a second one finds the same; what is listed lies in the flash;
 * - what the damage has not touched is there: the mount finds what it finds in the undamaged flash when the records
 *   that were hit have never been committed;
 * - the flash itself is sound, so no call may put the blame on it: what was mounted takes a program, lets
 *   itself be compacted and emptied. What cannot be mounted has not been touched, and is a good store when it has been
 *   formatted.
 */
#include "libfuzzer/target.h"
#include "store/log.h"
#include "store/nor.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAY_ERASE = 1, COMPACT = 2, BASE_SHIFT = 2 }; /* the first byte */
enum { PLACE_XOR = 0x8000 };                         /* the word is flipped, not set */

#define REQUIRE(holds) require((holds), #holds, __LINE__)
static void require(bool holds, const char *what, int line) {
    if (holds)
        return;
    fprintf(stderr, "line %d: not so: %s\n", line, what);
    abort();
}

/* ----- a flash of which the sanitizer sees the ends --------------------------------------------------- */

static bool program(void *user, unsigned sector, uint32_t offset, uint32_t word) {
    uint8_t **memory = user;
    REQUIRE(sector < STORE_SECTORS && offset % 4 == 0 && offset < NOR_SIZE);
    *(uint32_t *)(void *)(memory[sector] + offset) &= word;
    return true;
}

static bool erase(void *user, unsigned sector) {
    uint8_t **memory = user;
    REQUIRE(sector < STORE_SECTORS);
    memset(memory[sector], 0xff, NOR_SIZE);
    return true;
}

static struct store_flash flash_of(uint8_t *memory[STORE_SECTORS]) {
    struct store_flash flash = {.address = {0x08000000, 0x08000000 + NOR_SIZE},
                                .size = NOR_SIZE,
                                .memory = {memory[0], memory[1]},
                                .user = memory,
                                .program = program,
                                .erase = erase};
    return flash;
}

/* ----- what it begins from ---------------------------------------------------------------------------- */

static enum store_status install(struct store *s, const char *name, uint32_t size) {
    uint8_t bytes[200];
    memset(bytes, (uint8_t)size, sizeof(bytes));
    enum store_status status = store_begin(s, name, size, "grant", 5);
    if (!status)
        status = store_write(s, bytes, size);
    return status ? status : store_commit(s);
}

static void remount(struct store *s, struct nor *nor) {
    struct store_flash flash = nor_flash(nor);
    nor_power_up(nor);
    REQUIRE(store_mount(s, &flash, true) == STORE_OK);
}

/* A predecessor, a removed one, a grant of its own. */
static void some(struct store *s) {
    REQUIRE(install(s, "one", 100) == STORE_OK && install(s, "two", 40) == STORE_OK);
    REQUIRE(store_enable(s, "one", true) == STORE_OK);
    REQUIRE(install(s, "one", 120) == STORE_OK);
    REQUIRE(store_grant(s, "one", "another", 7) == STORE_OK);
    REQUIRE(install(s, "three", 8) == STORE_OK && store_remove(s, "two") == STORE_OK);
}

/* All entries that there can be, and no more room for records that can wait. */
static void full(struct store *s) {
    char name[] = "a";
    for (; s->count < STORE_PROGRAMS; name[0]++)
        REQUIRE(install(s, name, 4) == STORE_OK);
    REQUIRE(store_remove(s, "b") == STORE_OK && install(s, "again", 4) == STORE_OK);
    while (!store_enable(s, "a", !store_find(s, "a")->enabled))
        ;
}

typedef enum store_status call_fn(struct store *s);

static enum store_status replace(struct store *s) {
    return install(s, "three", 30);
}

/* Power fails in the call, so many operations before its end. */
static void cut(struct nor *nor, struct store *s, call_fn *call, uint64_t before_end) {
    static struct nor copy;
    struct store whole;
    remount(s, nor); /* a record that comes first after a mount takes a word more */
    copy = *nor;
    remount(&whole, &copy);
    copy.operations = 0;
    REQUIRE(call(&whole) == STORE_OK);
    nor->operations = 0;
    nor->cut_at = copy.operations - before_end;
    nor->tear = NOR_RANDOM;
    REQUIRE(call(s) == STORE_FLASH);
    nor_power_up(nor);
}

/* At the end of an installation come three words that commit it; of a compaction two words that complete the new sector,
 * the erase, and the mark of six words. */
static const struct {
    void (*make)(struct store *s); /* NULL: erased flash */
    call_fn *call;                 /* on top of that; NULL: none */
    uint64_t cut;                  /* operations before its end; 0: it ends */
} bases[] = {
    {NULL, NULL, 0},           {some, NULL, 0},          {some, store_compact, 0},
    {full, NULL, 0},           {some, replace, 20},      {some, replace, 1},
    {some, store_compact, 50}, {some, store_compact, 8}, {some, store_compact, 7},
    {some, store_compact, 3},
};
enum { BASES = sizeof(bases) / sizeof(bases[0]) };

static void make_base(struct nor *nor, unsigned base) {
    struct store s;
    nor_init(nor, 1);
    if (!bases[base].make)
        return;
    remount(&s, nor);
    bases[base].make(&s);
    if (bases[base].cut)
        cut(nor, &s, bases[base].call, bases[base].cut);
    else if (bases[base].call)
        REQUIRE(bases[base].call(&s) == STORE_OK);
}

static const struct nor *base_of(unsigned base) {
    static struct nor nor[BASES];
    static bool made[BASES];
    if (!made[base])
        make_base(&nor[base], base);
    made[base] = true;
    return &nor[base];
}

/* ----- what is listed ------------------------------------------------------------------------------------ */

/* Without the places, which compacting changes. No padding: rows are compared as bytes. */
struct row {
    char name[STORE_NAME];
    uint32_t seq, size, grant_size, replaces, enabled, damaged, grant_damaged;
    uint32_t blob, grant; /* sums of what lies in the flash, which ASan sees being read */
};

struct listing {
    struct row row[STORE_PROGRAMS + STORE_RETURNED];
    uint32_t count;
};

static uint32_t sum(const struct store *s, uint32_t offset, uint32_t size) {
    REQUIRE(offset <= NOR_SIZE && size <= NOR_SIZE - offset);
    return bpf_crc32(0, s->flash.memory[s->active] + offset, size);
}

static void list(const struct store *s, struct listing *to) {
    memset(to, 0, sizeof(*to));
    to->count = s->count;
    for (unsigned i = 0; i < s->count; i++) {
        const struct store_program *p = &s->programs[i];
        REQUIRE(p->grant_size <= STORE_GRANT_MAX && memchr(p->name, 0, STORE_NAME));
        to->row[i] = (struct row){.seq = p->seq,
                                  .size = p->size,
                                  .grant_size = p->grant_size,
                                  .replaces = p->replaces,
                                  .enabled = p->enabled,
                                  .damaged = p->damaged,
                                  .grant_damaged = p->grant_damaged,
                                  .blob = sum(s, p->offset, p->size),
                                  .grant = sum(s, p->grant, p->grant_size)};
        memcpy(to->row[i].name, p->name, STORE_NAME);
    }
}

static bool same(const struct listing *a, const struct listing *b) {
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* ----- what the damage must leave ------------------------------------------------------------------------ */

static bool differs(uint8_t *a, const uint8_t *b, uint32_t from, uint32_t to) {
    return memcmp(a + from, b + from, to - from) != 0;
}

/* Records that the damage has forged, or brought back to life: nothing can be asked then. */
static bool is_forged(const struct store *damaged, const struct store *clean, unsigned sector,
                      uint32_t generation) {
    for (uint32_t at = LOG_START;
         (at = log_next(damaged, sector, generation, at, NOR_SIZE)) < NOR_SIZE;) {
        enum record_state now = log_state(damaged, sector, generation, at),
                          was = log_state(clean, sector, generation, at);
        if (now != was && now != RECORD_OPEN && now != RECORD_DEAD)
            return true;
        at = log_end(log_at(damaged, sector, at), at);
    }
    return false;
}

static bool is_hit(uint8_t *damaged, const uint8_t *clean, uint32_t at) {
    return differs(damaged, clean, at, at + offsetof(struct record, payload_crc)) ||
           differs(damaged, clean, at + offsetof(struct record, commit1),
                   at + (uint32_t)sizeof(struct record));
}

/* Of the clean flash: what has been hit was never committed, what has lost bytes of its payload, or their checksum, loses
 * them here, too. How many were hit. */
static unsigned carry_over(uint8_t *memory[STORE_SECTORS], const struct store *clean,
                           uint8_t *damaged[STORE_SECTORS], uint32_t generation) {
    uint8_t *to = memory[clean->active], *from = damaged[clean->active];
    unsigned hits = 0;
    for (uint32_t at = LOG_START, end;
         (at = log_next(clean, clean->active, generation, at, NOR_SIZE)) < NOR_SIZE; at = end) {
        const struct record *r = log_at(clean, clean->active, at);
        uint32_t payload = r->offset ? r->offset : at + (uint32_t)sizeof(*r);
        uint32_t crc = at + offsetof(struct record, payload_crc);
        end = log_end(r, at);
        memcpy(to + payload, from + payload, end - payload);
        memcpy(to + crc, from + crc, sizeof(r->payload_crc));
        if (is_hit(from, to, at)) {
            memset(to + at + offsetof(struct record, commit1), 0, 8);
            hits++;
        }
    }
    return hits;
}

/* What a mount has to find in `damaged`. False: nothing can be said. */
static bool expected(const struct nor *base, uint8_t *damaged[STORE_SECTORS], struct listing *to) {
    static struct nor copy;
    struct store s, looks_at;
    copy = *base;
    uint8_t *memory[STORE_SECTORS] = {(uint8_t *)copy.word[0], (uint8_t *)copy.word[1]};
    struct store_flash flash = flash_of(memory);
    if (store_mount(&s, &flash, false) != STORE_OK)
        return false;
    memcpy(copy.word, base->word, sizeof(copy.word));
    looks_at = s;
    looks_at.flash = flash_of(damaged);
    if (differs(damaged[s.active], memory[s.active], 0, LOG_START) ||
        is_forged(&looks_at, &s, s.active, s.generation))
        return false;
    unsigned hits = carry_over(memory, &s, damaged, s.generation);
    REQUIRE(store_mount(&s, &flash, false) == STORE_OK);
    REQUIRE(s.unlisted == 0 || hits > STORE_RETURNED);
    list(&s, to);
    return true;
}

/* ----- what can be done with it -------------------------------------------------------------------------- */

static void mount_again(struct store *s, bool may_erase, struct listing *is) {
    struct store_flash flash = s->flash;
    REQUIRE(store_mount(s, &flash, may_erase) == STORE_OK);
    list(s, is);
}

static void compact(struct store *s) {
    struct listing before, after;
    list(s, &before);
    REQUIRE(store_compact(s) == STORE_OK);
    list(s, &after);
    REQUIRE(same(&before, &after));
}

/* It takes a program where there is room for one, and then has that and all others. */
static void use(struct store *s) {
    struct listing before, after;
    enum store_status status = install(s, "new", 64);
    if (status == STORE_NO_ROOM) {
        REQUIRE(store_room(s).now < 64 + 8);
        compact(s);
        status = install(s, "new", 64);
    }
    REQUIRE(status == STORE_OK || status == STORE_TOO_MANY ||
            (status == STORE_NO_ROOM && store_room(s).now < 64 + 8));
    list(s, &before);
    mount_again(s, true, &after);
    REQUIRE(same(&before, &after));
    const struct store_program *p = store_find(s, "new");
    REQUIRE(status || (p && p->size == 64 && !p->damaged));
}

static void empty(struct store *s) {
    struct listing is;
    while (s->count) {
        char name[STORE_NAME];
        memcpy(name, s->programs[s->count - 1].name, STORE_NAME);
        enum store_status status = store_remove(s, name);
        if (status == STORE_NO_ROOM) {
            compact(s);
            status = store_remove(s, name);
        }
        REQUIRE(status == STORE_OK);
    }
    mount_again(s, true, &is);
    REQUIRE(is.count == 0);
    compact(s);
    REQUIRE(install(s, "new", 64) == STORE_OK);
}

/* ----- one input ------------------------------------------------------------------------------------------ */

static void damage(uint8_t *memory[STORE_SECTORS], const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i + 6 <= size; i += 6) {
        uint32_t place = bytes[i] | (uint32_t)bytes[i + 1] << 8, word, old;
        uint8_t *at = memory[place / NOR_WORDS % STORE_SECTORS] + place % NOR_WORDS * 4;
        memcpy(&word, bytes + i + 2, sizeof(word));
        memcpy(&old, at, sizeof(old));
        word ^= place & PLACE_XOR ? old : 0;
        memcpy(at, &word, sizeof(word));
    }
}

static void examine(const struct nor *base, uint8_t *memory[STORE_SECTORS], unsigned flags) {
    struct listing should, is, later;
    struct store s;
    struct store_flash flash = flash_of(memory);
    bool certain = expected(base, memory, &should);
    enum store_status status = store_mount(&s, &flash, flags & MAY_ERASE);
    REQUIRE(!certain || status == STORE_OK);
    if (status) {
        REQUIRE(status == STORE_CORRUPT);
        REQUIRE(store_format(&s, &flash) == STORE_OK && s.count == 0);
        should.count = 0;
    }
    list(&s, &is);
    REQUIRE(!certain || same(&is, &should));
    mount_again(&s, flags & MAY_ERASE, &later);
    REQUIRE(same(&is, &later));
    if (flags & COMPACT)
        compact(&s);
    use(&s);
    empty(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    uint8_t *memory[STORE_SECTORS];
    unsigned flags = size ? bytes[0] : 0;
    const struct nor *base = base_of((flags >> BASE_SHIFT) % BASES);

    for (unsigned i = 0; i < STORE_SECTORS; i++) {
        memory[i] = malloc(NOR_SIZE);
        memcpy(memory[i], base->word[i], NOR_SIZE);
    }
    damage(memory, bytes + 1, size ? size - 1 : 0);
    examine(base, memory, flags);
    for (unsigned i = 0; i < STORE_SECTORS; i++)
        free(memory[i]);
    return 0;
}

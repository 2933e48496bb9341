/* SPDX-License-Identifier: MIT */
/*
 * The store on a NOR flash that loses power in every single operation of every call (tests/store/nor.h):
 * afterwards it is as before the call or as behind it, every later mount sees the same, and it
 * goes on working. Then what it refuses, what a worn or broken flash does, and 10,000 random calls.
 */
#include "bpf/place.h"
#include "bpf/store.h"
#include "store/nor.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ----- what a store holds, as a text ------------------------------------------------------------- */

#define TEXT_MAX 4096

static uint32_t sum(const uint8_t *bytes, uint32_t count) {
    uint32_t h = 2166136261u;
    for (uint32_t i = 0; i < count; i++)
        h = (h ^ bytes[i]) * 16777619u;
    return h;
}

static const char *describe_one(const struct store *s, const struct store_program *p, char *to,
                                size_t size) {
    snprintf(to, size, "%s %u bytes %08x%s%s, grant %u bytes %08x", p->name, p->size,
             sum(store_bytes(s, p), p->size), p->enabled ? " on" : " off",
             p->damaged ? " damaged" : "", p->grant_size,
             sum(s->flash.memory[s->active] + p->grant, p->grant_size));
    return to;
}

static void describe(const struct store *s, char text[TEXT_MAX]) {
    size_t n = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < s->count; i++) {
        char one[128], old[128] = "nothing";
        const struct store_program *p = &s->programs[i];
        if (!store_is_current(s, p))
            continue;
        for (unsigned k = 0; p->replaces && k < s->count; k++)
            if (s->programs[k].seq == p->replaces)
                describe_one(s, &s->programs[k], old, sizeof(old));
        n += (size_t)snprintf(text + n, TEXT_MAX - n, "%s; before it %s\n",
                              describe_one(s, p, one, sizeof(one)), old);
    }
}

/* ----- calls -------------------------------------------------------------------------------------- */

/* AROUND installs `name`; while its upload is open, b is switched on and off. */
enum call_kind {
    INSTALL,
    REMOVE,
    ENABLE,
    DISABLE,
    GRANT,
    CONFIRM,
    ROLLBACK,
    COMPACT,
    CALLS,
    AROUND,
};

struct call {
    enum call_kind kind;
    const char *name;
    uint32_t size; /* INSTALL: of the blob; GRANT: of the grant */
    uint32_t seed; /* of the bytes */
};

static const uint8_t *bytes_of(uint32_t seed, uint32_t size) {
    static uint8_t bytes[NOR_SIZE];
    for (uint32_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(seed >> 24);
    }
    return bytes;
}

static enum store_status install(struct store *s, const struct call *c) {
    uint32_t grant_size = c->seed % 3 * 10;
    enum store_status status =
        store_begin(s, c->name, c->size, bytes_of(c->seed + 1, grant_size), grant_size);
    const uint8_t *bytes = bytes_of(c->seed, c->size);
    for (uint32_t at = 0; !status && at < c->size;) { /* in pieces that do not end with words */
        uint32_t piece = c->size - at < 37 ? c->size - at : 37;
        status = store_write(s, bytes + at, piece);
        at += piece;
    }
    return status ? status : store_commit(s);
}

static enum store_status install_around(struct store *s, const struct call *c) {
    enum store_status status = store_begin(s, c->name, c->size, NULL, 0);
    if (!status)
        status = store_enable(s, "b", true);
    if (!status)
        status = store_write(s, bytes_of(c->seed, c->size), c->size);
    if (!status)
        status = store_enable(s, "b", false);
    return status ? status : store_commit(s);
}

static enum store_status perform(struct store *s, const struct call *c) {
    switch (c->kind) {
    case AROUND: return install_around(s, c);
    case INSTALL: return install(s, c);
    case REMOVE: return store_remove(s, c->name);
    case ENABLE: return store_enable(s, c->name, true);
    case DISABLE: return store_enable(s, c->name, false);
    case GRANT: return store_grant(s, c->name, bytes_of(c->seed, c->size), c->size);
    case CONFIRM: return store_confirm(s, c->name);
    case ROLLBACK: return store_rollback(s, c->name);
    default: return store_compact(s);
    }
}

static char what[160]; /* is tried, for messages */

static struct store mounted(struct nor *nor) {
    struct store_flash flash = nor_flash(nor);
    struct store s;
    enum store_status status = store_mount(&s, &flash, true);
    cr_assert_eq(status, STORE_OK, "%s: mount: %d", what, status);
    return s;
}

/* ----- power cuts --------------------------------------------------------------------------------- */

/* Calls in an order that reaches each state of a program, and a log that is full. */
static const struct call script[] = {
    {INSTALL, "a", 300, 1}, {ENABLE, "a", 0, 0},      {INSTALL, "b", 1000, 2},
    {INSTALL, "a", 310, 3}, {GRANT, "a", 24, 4},      {ROLLBACK, "a", 0, 0},
    {INSTALL, "a", 320, 5}, {CONFIRM, "a", 0, 0},     {INSTALL, "a", 330, 6},
    {INSTALL, "a", 340, 7}, {DISABLE, "a", 0, 0},     {GRANT, "b", 100, 8},
    {COMPACT, NULL, 0, 0},  {REMOVE, "a", 0, 0},      {INSTALL, "a", 200, 9},
    {INSTALL, "c", 1, 10},  {GRANT, "c", 0, 0},       {REMOVE, "b", 0, 0},
    {COMPACT, NULL, 0, 0},  {INSTALL, "d", 2048, 11}, {REMOVE, "c", 0, 0},
    {REMOVE, "d", 0, 0},    {REMOVE, "a", 0, 0},      {COMPACT, NULL, 0, 0},
    {COMPACT, NULL, 0, 0},
};
enum { STEPS = sizeof(script) / sizeof(script[0]) };

/* A store that was mounted after a loss of power takes another program, and has it after the next mount. */
static void expect_usable(struct nor *nor, const char *before) {
    const struct call probe = {INSTALL, "probe", 50, 99};
    char text[TEXT_MAX];
    struct store s = mounted(nor);
    enum store_status status = perform(&s, &probe);
    if (status == STORE_NO_ROOM) { /* what was cut off has taken it */
        status = store_compact(&s);
        if (!status)
            status = perform(&s, &probe);
    }
    cr_assert_eq(status, STORE_OK, "%s: install afterwards: %d", what, status);
    nor_power_up(nor);
    s = mounted(nor);
    cr_assert_not_null(store_find(&s, "probe"), "%s: installed afterwards, gone", what);
    cr_assert_eq(store_remove(&s, "probe"), STORE_OK);
    describe(&s, text);
    cr_assert_str_eq(text, before, "%s: an installation afterwards has changed it", what);
}

/* Which of the two texts the store is; fails if neither. */
static void expect_either(const struct store *s, const char *old, const char *new, char *is) {
    describe(s, is);
    cr_assert(strcmp(is, old) == 0 || strcmp(is, new) == 0, "%s:\nis\n%s\nwas\n%s\nshould be\n%s",
              what, is, old, new);
}

/* Mounts that lose power themselves, at operation `cut`, then one that does not. */
static struct store recover(struct nor *nor, uint64_t cut) {
    struct store_flash flash = nor_flash(nor);
    struct store s;
    nor_power_up(nor);
    nor->cut_at = cut;
    store_mount(&s, &flash, true);
    nor_power_up(nor);
    return mounted(nor);
}

static void cut_call(const struct nor *base, const struct call *call, const char *old,
                     const char *new, uint64_t cut, enum nor_tear tear, uint64_t second) {
    static struct nor nor;
    char is[TEXT_MAX], later[TEXT_MAX];
    nor = *base;
    nor.random += cut * 7919 + tear * 104729 + second;
    struct store s = mounted(&nor);
    nor.operations = 0;
    nor.cut_at = cut;
    nor.tear = tear;
    snprintf(what, sizeof(what), "call %d of %s, operation %llu, tear %d, then %llu", call->kind,
             call->name ? call->name : "all", (unsigned long long)cut, tear,
             (unsigned long long)second);
    perform(&s, call);
    s = recover(&nor, second);
    expect_either(&s, old, new, is);
    nor_power_up(&nor);
    s = mounted(&nor);
    describe(&s, later);
    cr_assert_str_eq(later, is, "%s: a later mount sees something else", what);
    expect_usable(&nor, is);
}

/* Operations of the call, which is carried out on `nor`. */
static uint64_t carry_out(struct nor *nor, const struct call *call, char new[TEXT_MAX]) {
    struct store s = mounted(nor);
    nor->operations = 0;
    enum store_status status = perform(&s, call);
    cr_assert_eq(status, STORE_OK, "call %d of %s: %d", call->kind, call->name, status);
    uint64_t operations = nor->operations;
    describe(&s, new);
    return operations;
}

Test(store, power_fails_in_every_operation, .timeout = 120) {
    static struct nor nor, base;
    static char old[TEXT_MAX], new[TEXT_MAX];
    nor_init(&nor, 1);
    for (unsigned i = 0; i < STEPS; i++) {
        struct store s = mounted(&nor);
        describe(&s, old);
        base = nor;
        uint64_t operations = carry_out(&nor, &script[i], new);
        for (uint64_t cut = 0; cut < operations; cut++)
            for (int tear = 0; tear < NOR_TEARS; tear++)
                cut_call(&base, &script[i], old, new, cut, (enum nor_tear)tear,
                         (cut * NOR_TEARS + (unsigned)tear) % 3 ? UINT64_MAX : cut % 17);
    }
}

/*
 * A commit whose record does not lie last: switching b on and off are calls of their own, so that only the
 * last six operations, those of the commit, are cut.
 */
Test(store, power_fails_in_a_commit_behind_which_records_lie) {
    static const struct call around = {AROUND, "a", 20, 7};
    static struct nor nor, base;
    char old[TEXT_MAX], new[TEXT_MAX];
    nor_init(&nor, 16);
    carry_out(&nor, &(struct call){INSTALL, "b", 40, 2}, old);
    base = nor;
    uint64_t operations = carry_out(&nor, &around, new);
    for (uint64_t cut = operations - 3; cut < operations; cut++)
        for (int i = 0; i < 40 * NOR_TEARS; i++) {
            base.random += 1;
            cut_call(&base, &around, old, new, cut, (enum nor_tear)(i % NOR_TEARS), UINT64_MAX);
        }
}

/*
 * The first word of a record, of which nothing is to be seen afterwards: the next record must not begin there,
 * also if it was the first one since a mount. The kinds of record differ in bits that then stay weak.
 */
Test(store, power_fails_in_the_first_word_behind_a_mount) {
    static const struct call calls[] = {
        {DISABLE, "a", 0, 0}, {GRANT, "a", 24, 4}, {REMOVE, "a", 0, 0}, {INSTALL, "b", 90, 3}};
    static const struct call probe = {INSTALL, "probe", 50, 99};
    for (unsigned i = 0; i < 400; i++) {
        static struct nor nor;
        char ignored[TEXT_MAX];
        nor_init(&nor, 100 + i);
        carry_out(&nor, &(struct call){INSTALL, "a", 300, 1}, ignored);
        carry_out(&nor, &(struct call){ENABLE, "a", 0, 0}, ignored);
        nor_power_up(&nor);
        struct store s = mounted(&nor);
        nor.operations = 0;
        nor.cut_at = i / 4 % 2; /* what is written first of all, too */
        nor.tear = i / 8 % 2 ? NOR_WEAK_OLD : NOR_RANDOM;
        perform(&s, &calls[i % 4]);
        nor_power_up(&nor);
        s = mounted(&nor);
        snprintf(what, sizeof(what), "round %u", i);
        cr_assert_eq(perform(&s, &probe), STORE_OK);
        for (int k = 0; k < 5; k++) {
            nor_power_up(&nor);
            s = mounted(&nor);
            cr_assert_not_null(store_find(&s, "probe"), "%s: installed, and gone", what);
        }
    }
}

/* Damage in the last word: the log then ends behind the sector, and what goes through it has to end there, too. */
Test(store, the_last_word_is_in_use) {
    static struct nor nor;
    struct store s;
    nor_init(&nor, 1);
    struct store_flash flash = nor_flash(&nor);
    cr_assert_eq(store_mount(&s, &flash, true), STORE_OK);
    cr_assert_eq(store_begin(&s, "one", 8, NULL, 0), STORE_OK);
    cr_assert_eq(store_write(&s, "12345678", 8), STORE_OK);
    cr_assert_eq(store_commit(&s), STORE_OK);
    nor.word[s.active][NOR_WORDS - 1] = 0;
    cr_assert_eq(store_mount(&s, &flash, false), STORE_OK);
    cr_assert_eq(store_room(&s).now, 0);
    cr_assert_gt(store_room(&s).compacted, 0);
    cr_assert_not_null(store_find(&s, "one"));
}

Test(store, power_fails_in_the_first_mount) {
    struct store s;
    for (uint64_t cut = 0; cut < 60; cut++)
        for (int tear = 0; tear < NOR_TEARS; tear++) {
            static struct nor nor;
            nor_init(&nor, cut);
            struct store_flash flash = nor_flash(&nor);
            nor.cut_at = cut;
            nor.tear = (enum nor_tear)tear;
            store_mount(&s, &flash, true);
            nor_power_up(&nor);
            s = mounted(&nor);
            cr_assert_eq(s.count, 0);
            expect_usable(&nor, "");
        }
}

/* Formatting over a store that is in use: the old one or an empty one. */
Test(store, power_fails_in_format) {
    static struct nor nor, base;
    char old[TEXT_MAX];
    nor_init(&base, 3);
    carry_out(&base, &script[0], old);
    for (uint64_t cut = 0; cut < 60; cut++)
        for (int tear = 0; tear < NOR_TEARS; tear++) {
            char is[TEXT_MAX];
            nor = base;
            struct store s;
            struct store_flash flash = nor_flash(&nor);
            nor.operations = 0;
            nor.cut_at = cut;
            nor.tear = (enum nor_tear)tear;
            store_format(&s, &flash);
            nor_power_up(&nor);
            s = mounted(&nor);
            expect_either(&s, old, "", is);
        }
}

/* ----- what calls mean ----------------------------------------------------------------------------- */

static void expect_program(const struct store *s, const char *name, uint32_t seed, uint32_t size,
                           bool enabled) {
    const struct store_program *p = store_find(s, name);
    cr_assert_not_null(p, "%s: %s is not there", what, name);
    cr_expect_eq(p->size, size, "%s: %u bytes", what, p->size);
    cr_expect_eq(p->enabled, enabled, "%s: enabled", what);
    cr_expect_eq(memcmp(store_bytes(s, p), bytes_of(seed, size), size), 0, "%s: bytes", what);
}

/* Each line is one call and the program `a` behind it: size (0: none), enabled, entries in the store. */
Test(store, meaning) {
    static const struct {
        struct call call;
        enum store_status status;
        uint32_t size, seed;
        bool enabled;
        unsigned count;
    } steps[] = {
        {{INSTALL, "a", 10, 1}, STORE_OK, 10, 1, false, 1},
        {{CONFIRM, "a", 0, 0}, STORE_NOT_FOUND, 10, 1, false, 1},
        {{ROLLBACK, "a", 0, 0}, STORE_NOT_FOUND, 10, 1, false, 1},
        {{ENABLE, "a", 0, 0}, STORE_OK, 10, 1, true, 1},
        {{INSTALL, "a", 20, 2}, STORE_OK, 20, 2, true, 2}, /* takes the enabling over */
        {{DISABLE, "a", 0, 0}, STORE_OK, 20, 2, false, 2},
        {{ROLLBACK, "a", 0, 0}, STORE_OK, 10, 1, false, 1}, /* so does who comes back */
        {{ROLLBACK, "a", 0, 0}, STORE_NOT_FOUND, 10, 1, false, 1},
        {{INSTALL, "a", 30, 3}, STORE_OK, 30, 3, false, 2},
        {{CONFIRM, "a", 0, 0}, STORE_OK, 30, 3, false, 1},
        {{ROLLBACK, "a", 0, 0}, STORE_NOT_FOUND, 30, 3, false, 1},
        {{INSTALL, "a", 40, 4}, STORE_OK, 40, 4, false, 2},
        {{INSTALL, "a", 50, 5}, STORE_OK, 50, 5, false, 2}, /* the predecessor's one goes */
        {{ROLLBACK, "a", 0, 0}, STORE_OK, 40, 4, false, 1},
        {{INSTALL, "a", 60, 6}, STORE_OK, 60, 6, false, 2},
        {{REMOVE, "a", 0, 0}, STORE_OK, 0, 0, false, 0}, /* with its predecessor */
        {{REMOVE, "a", 0, 0}, STORE_NOT_FOUND, 0, 0, false, 0},
    };
    for (int compacted = 0; compacted < 2; compacted++) {
        static struct nor nor;
        nor_init(&nor, 17);
        struct store s = mounted(&nor);
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
            snprintf(what, sizeof(what), "step %zu%s", i, compacted ? ", compacted" : "");
            cr_expect_eq(perform(&s, &steps[i].call), steps[i].status, "%s", what);
            if (compacted)
                cr_assert_eq(store_compact(&s), STORE_OK);
            s = mounted(&nor);
            cr_expect_eq(s.count, steps[i].count, "%s: %u entries", what, s.count);
            if (steps[i].size)
                expect_program(&s, "a", steps[i].seed, steps[i].size, steps[i].enabled);
            else
                cr_expect_null(store_find(&s, "a"), "%s", what);
        }
    }
}

/* ----- refusals ----------------------------------------------------------------------------------- */

Test(store, bad_arguments) {
    static struct nor nor;
    nor_init(&nor, 4);
    struct store s = mounted(&nor);
    uint8_t grant[4] = {0};
    static const char *const names[] = {"", "sixteen-letters-", "a b", "tab\t", "\x7f", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        cr_expect_eq(store_begin(&s, names[i], 8, NULL, 0), STORE_BAD_ARGUMENT, "%s", names[i]);
    cr_expect_eq(store_begin(&s, "a", 0, NULL, 0), STORE_BAD_ARGUMENT);
    cr_expect_eq(store_begin(&s, "a", 8, grant, STORE_GRANT_MAX + 1), STORE_BAD_ARGUMENT);
    cr_expect_eq(store_begin(&s, "a", NOR_SIZE, NULL, 0), STORE_TOO_LARGE);
    cr_expect_eq(store_begin(&s, "a", UINT32_MAX, NULL, 0), STORE_TOO_LARGE);
    cr_expect_eq(store_write(&s, grant, 1), STORE_BAD_ARGUMENT);
    cr_expect_eq(store_commit(&s), STORE_BAD_ARGUMENT);
    cr_expect_eq(store_abort(&s), STORE_BAD_ARGUMENT);
    cr_expect_eq(store_remove(&s, "a"), STORE_NOT_FOUND);
    cr_expect_eq(store_enable(&s, "a", true), STORE_NOT_FOUND);
    cr_expect_eq(store_grant(&s, "a", grant, 4), STORE_NOT_FOUND);
    cr_expect_eq(store_confirm(&s, "a"), STORE_NOT_FOUND);
    cr_expect_eq(store_rollback(&s, "a"), STORE_NOT_FOUND);
    cr_expect_eq(store_begin(&s, "fifteen-letters", 8, NULL, 0), STORE_OK);
    cr_expect_eq(store_begin(&s, "b", 8, NULL, 0), STORE_BAD_ARGUMENT);
    cr_expect_eq(store_write(&s, bytes_of(1, 9), 9), STORE_BAD_ARGUMENT);
    cr_expect_eq(store_write(&s, bytes_of(1, 7), 7), STORE_OK);
    cr_expect_eq(store_commit(&s), STORE_BAD_ARGUMENT);
    cr_expect_eq(store_compact(&s), STORE_BUSY);
    cr_expect_eq(store_write(&s, bytes_of(1, 1), 1), STORE_OK);
    cr_expect_eq(store_commit(&s), STORE_OK);
    cr_expect_not_null(store_find(&s, "fifteen-letters"));
}

/* An upload of a name forbids changes of that name only; what others do in between stays. */
Test(store, changes_during_an_upload) {
    static struct nor nor;
    char text[TEXT_MAX], later[TEXT_MAX];
    nor_init(&nor, 5);
    carry_out(&nor, &(struct call){INSTALL, "a", 40, 1}, text);
    carry_out(&nor, &(struct call){INSTALL, "b", 40, 2}, text);
    struct store s = mounted(&nor);
    cr_assert_eq(store_begin(&s, "a", 4, NULL, 0), STORE_OK);
    cr_expect_eq(store_remove(&s, "a"), STORE_BUSY);
    cr_expect_eq(store_grant(&s, "a", text, 4), STORE_BUSY);
    cr_expect_eq(store_enable(&s, "a", true), STORE_BUSY);
    cr_expect_eq(store_enable(&s, "b", true), STORE_OK);
    cr_expect_eq(store_write(&s, "code", 4), STORE_OK);
    cr_expect_eq(store_remove(&s, "b"), STORE_OK);
    cr_expect_eq(memcmp(store_upload(&s), "code", 4), 0);
    cr_assert_eq(store_commit(&s), STORE_OK);
    describe(&s, text);
    nor_power_up(&nor);
    s = mounted(&nor);
    describe(&s, later);
    cr_expect_str_eq(later, text);
    cr_expect_eq(store_rollback(&s, "a"), STORE_OK);
    cr_expect_eq(store_find(&s, "a")->size, 40);
    cr_expect_null(store_find(&s, "b"));
}

Test(store, room_is_what_fits) {
    static struct nor nor;
    char text[TEXT_MAX];
    nor_init(&nor, 6);
    for (unsigned i = 0; i < 40; i++) {
        static struct nor copy;
        struct store s = mounted(&nor);
        struct store_room room = store_room(&s);
        char name[8];
        copy = nor;
        s = mounted(&copy);
        if (room.now)
            cr_expect_eq(perform(&s, &(struct call){INSTALL, "x", room.now, 0}), STORE_OK);
        copy = nor;
        s = mounted(&copy);
        cr_expect_neq(perform(&s, &(struct call){INSTALL, "x", room.now + 1, 0}), STORE_OK);
        copy = nor;
        s = mounted(&copy);
        cr_expect_eq(store_compact(&s), STORE_OK);
        cr_expect_eq(store_room(&s).now, room.compacted);
        snprintf(name, sizeof(name), "p%u", i % 5);
        s = mounted(&nor);
        if (perform(&s, &(struct call){INSTALL, name, 1 + nor_random(&nor) % 700, i})) {
            cr_expect_eq(store_compact(&s), STORE_OK);
            store_remove(&s, name);
        }
        describe(&s, text);
    }
}

/* A program can be removed, and switched off, when nothing fits any more. */
Test(store, a_full_store_can_be_emptied) {
    static struct nor nor;
    char name[8];
    nor_init(&nor, 7);
    struct store s = mounted(&nor);
    unsigned count = 0;
    enum store_status status = STORE_OK;
    for (; !status; count++) {
        snprintf(name, sizeof(name), "p%u", count);
        status = perform(&s, &(struct call){INSTALL, name, 20, count});
    }
    cr_assert(status == STORE_NO_ROOM || status == STORE_TOO_MANY, "%d", status);
    for (unsigned i = 0; i + 1 < count && i < 8; i++) {
        snprintf(name, sizeof(name), "p%u", i);
        cr_expect_eq(store_remove(&s, name), STORE_OK);
    }
    cr_expect_eq(store_compact(&s), STORE_OK);
    cr_expect_eq(perform(&s, &(struct call){INSTALL, "again", 20, 1}), STORE_OK);
}

Test(store, too_many_programs) {
    static struct nor nor;
    char name[8];
    nor_init(&nor, 8);
    struct store s = mounted(&nor);
    for (unsigned i = 0; i < STORE_PROGRAMS; i++) {
        snprintf(name, sizeof(name), "p%u", i);
        cr_assert_eq(perform(&s, &(struct call){INSTALL, name, 4, i}), STORE_OK);
    }
    cr_expect_eq(store_begin(&s, "one-more", 4, NULL, 0), STORE_TOO_MANY);
    cr_expect_eq(store_remove(&s, "p3"), STORE_OK);
    cr_expect_eq(store_begin(&s, "one-more", 4, NULL, 0), STORE_OK);
}

/* ----- damage ------------------------------------------------------------------------------------- */

Test(store, a_flipped_bit_of_a_program_is_reported) {
    static struct nor nor;
    char text[TEXT_MAX];
    nor_init(&nor, 9);
    carry_out(&nor, &(struct call){INSTALL, "a", 40, 1}, text);
    carry_out(&nor, &(struct call){INSTALL, "b", 40, 2}, text);
    struct store s = mounted(&nor);
    nor.word[s.active][store_find(&s, "a")->offset / 4] ^= 4;
    s = mounted(&nor);
    cr_expect(store_find(&s, "a")->damaged);
    cr_expect_not(store_find(&s, "b")->damaged);
    cr_expect_eq(store_compact(&s), STORE_OK);
    cr_expect(store_find(&s, "a")->damaged);
    cr_expect_not(store_find(&s, "b")->damaged);
}

/*
 * Of the bytes that fill up the last word of a grant: they are under the same checksum. The damage goes along when the
 * store is compacted, and a mount that finds the log nearly full compacts it.
 */
Test(store, a_flipped_bit_behind_a_grant_is_in_nobodys_way) {
    static struct nor nor;
    nor_init(&nor, 19);
    struct store s = mounted(&nor);
    cr_assert_eq(perform(&s, &(struct call){INSTALL, "a", 40, 1}), STORE_OK); /* a grant of 10 */
    cr_assert_eq(perform(&s, &(struct call){INSTALL, "b", 40, 2}), STORE_OK);
    while (s.end < NOR_SIZE - 400)
        cr_assert_eq(store_enable(&s, "b", !store_find(&s, "b")->enabled), STORE_OK);
    nor.word[s.active][(s.programs[0].grant + 10) / 4] ^= 0x01000000;
    for (int i = 0; i < 3; i++) {
        s = mounted(&nor);
        cr_expect(store_find(&s, "a")->damaged);
        cr_expect_not(store_find(&s, "b")->damaged);
        cr_expect_eq(perform(&s, &(struct call){INSTALL, "b", 40, 3}), STORE_OK);
        cr_expect_eq(store_compact(&s), STORE_OK);
    }
}

/* A grant that reads as another one might permit more. A new one puts an end to that, not the blob's damage. */
Test(store, a_flipped_bit_of_a_grant_is_reported) {
    static struct nor nor;
    nor_init(&nor, 20);
    struct store s = mounted(&nor);
    cr_assert_eq(perform(&s, &(struct call){INSTALL, "a", 40, 1}), STORE_OK);
    for (int own = 0; own < 2; own++) {
        nor.word[s.active][s.programs[0].grant / 4] ^= 0x10;
        s = mounted(&nor);
        cr_expect(store_find(&s, "a")->grant_damaged);
        cr_expect(store_find(&s, "a")->damaged, "the one that came with it");
        cr_expect_eq(store_compact(&s), STORE_OK);
        cr_expect(store_find(&s, "a")->grant_damaged);
        cr_expect_eq(perform(&s, &(struct call){GRANT, "a", 20, 2}), STORE_OK);
        cr_expect_not(store_find(&s, "a")->grant_damaged);
        s = mounted(&nor);
        cr_expect_not(store_find(&s, "a")->grant_damaged);
    }
}

/* All entries are taken when one comes back because the record of its removal is damaged: the others stay. */
Test(store, lost_removals_in_a_full_table) {
    static struct nor nor;
    char name[8], text[TEXT_MAX], is[TEXT_MAX];
    nor_init(&nor, 21);
    struct store s = mounted(&nor);
    for (unsigned i = 0; i < STORE_PROGRAMS; i++) {
        snprintf(name, sizeof(name), "p%u", i);
        cr_assert_eq(perform(&s, &(struct call){INSTALL, name, 4, i}), STORE_OK);
    }
    for (unsigned i = 0; i < STORE_RETURNED + 2; i++) {
        uint32_t removal = s.end;
        snprintf(name, sizeof(name), "p%u", i);
        cr_assert_eq(store_remove(&s, name), STORE_OK);
        snprintf(name, sizeof(name), "q%u", i);
        cr_assert_eq(perform(&s, &(struct call){INSTALL, name, 4, i}), STORE_OK);
        nor.word[s.active][removal / 4] ^= 0x100;
    }
    s = mounted(&nor);
    cr_expect_eq(s.count, STORE_PROGRAMS + STORE_RETURNED);
    cr_expect_eq(s.unlisted, 2);
    cr_expect_not_null(store_find(&s, "q3"));
    cr_expect_eq(store_begin(&s, "one-more", 4, NULL, 0), STORE_TOO_MANY);
    describe(&s, text);
    cr_expect_eq(store_compact(&s), STORE_OK);
    s = mounted(&nor);
    describe(&s, is);
    cr_expect_str_eq(is, text);
    cr_expect_eq(s.unlisted, 0);
    for (unsigned i = 0; i <= STORE_RETURNED; i++) {
        snprintf(name, sizeof(name), "p%u", i);
        cr_expect_eq(store_remove(&s, name), STORE_OK);
    }
    cr_expect_eq(store_begin(&s, "one-more", 4, NULL, 0), STORE_OK);
}

/* A bit of a header: that record is lost, no other. */
Test(store, a_flipped_bit_of_a_record_costs_that_record) {
    static struct nor nor, copy;
    char text[TEXT_MAX];
    nor_init(&nor, 10);
    for (unsigned i = 0; i < 6; i++) {
        char name[2] = {(char)('a' + i), 0};
        carry_out(&nor, &(struct call){INSTALL, name, 40, i}, text);
    }
    struct store s = mounted(&nor);
    unsigned active = s.active;
    for (uint32_t bit = 0; bit < 64 * 8; bit++)
        for (unsigned i = 0; i < 6; i++) {
            copy = nor;
            uint32_t at = s.programs[i].offset;
            while (copy.word[active][at / 4] >> 8 != 0x423252) /* back to the record */
                at -= 4;
            copy.word[active][at / 4 + bit / 32] ^= 1u << bit % 32;
            struct store damaged = mounted(&copy);
            unsigned there = 0;
            for (unsigned k = 0; k < damaged.count; k++)
                there += !damaged.programs[k].damaged;
            cr_assert_geq(there, 5, "bit %u of record %u", bit, i);
        }
}

Test(store, what_is_no_store_is_not_touched) {
    static struct nor nor, copy;
    struct store s;
    nor_init(&nor, 11);
    for (unsigned i = 0; i < NOR_WORDS; i++)
        nor.word[0][i] = nor_random(&nor);
    struct store_flash flash = nor_flash(&nor);
    copy = nor;
    cr_expect_eq(store_mount(&s, &flash, true), STORE_CORRUPT);
    cr_expect_eq(memcmp(copy.word, nor.word, sizeof(nor.word)), 0);
    cr_expect_eq(store_format(&s, &flash), STORE_OK);
    expect_usable(&nor, "");
}

/* Without leave to erase nothing is erased, and what can be read is there. */
Test(store, a_mount_that_may_not_erase) {
    static struct nor nor;
    char text[TEXT_MAX], is[TEXT_MAX];
    struct store s;
    nor_init(&nor, 12);
    struct store_flash flash = nor_flash(&nor);
    cr_expect_eq(store_mount(&s, &flash, false), STORE_CORRUPT);
    carry_out(&nor, &(struct call){INSTALL, "a", 40, 1}, text);
    s = mounted(&nor);
    nor.word[!s.active][0] = 0;
    unsigned erases = nor.erases[0] + nor.erases[1];
    cr_expect_eq(store_mount(&s, &flash, false), STORE_OK);
    cr_expect_not(s.spare_ready);
    describe(&s, is);
    cr_expect_str_eq(is, text);
    cr_expect_eq(nor.erases[0] + nor.erases[1], erases);
    s = mounted(&nor);
    cr_expect(s.spare_ready);
}

/* Programming fails from some word on: every call says so, and nothing that was there is lost. */
Test(store, a_flash_that_breaks) {
    static struct nor nor, base;
    char text[TEXT_MAX], is[TEXT_MAX];
    nor_init(&base, 13);
    carry_out(&base, &(struct call){INSTALL, "a", 300, 1}, text);
    struct store s = mounted(&base);
    for (uint32_t from = s.end; from < s.end + 500; from += 4) {
        nor = base;
        nor.broken_sector = s.active;
        nor.broken_offset = from;
        struct store now = mounted(&nor);
        cr_assert_eq(perform(&now, &(struct call){INSTALL, "b", 400, 2}), STORE_FLASH);
        describe(&now, is);
        cr_assert_str_eq(is, text);
        nor.broken_offset = NOR_SIZE;
        now = mounted(&nor);
        describe(&now, is);
        cr_assert_str_eq(is, text);
    }
    nor = base;
    nor.broken_sector = !s.active;
    nor.broken_offset = 200;
    s = mounted(&nor);
    cr_expect_eq(store_compact(&s), STORE_FLASH);
    cr_expect_not(s.spare_ready);
    s = mounted(&nor);
    describe(&s, is);
    cr_expect_str_eq(is, text);
}

/* A flash that takes nothing any more is read all the same, and nothing else is written over. */
Test(store, a_flash_that_takes_nothing) {
    static struct nor nor, copy;
    char text[TEXT_MAX], is[TEXT_MAX];
    struct store s;
    nor_init(&nor, 22);
    carry_out(&nor, &(struct call){INSTALL, "a", 300, 1}, text);
    s = mounted(&nor);
    nor.broken_sector = s.active;
    nor.broken_offset = 0;
    nor.word[!s.active][0] = 0; /* the mount wants to make sure of the active sector, too */
    struct store_flash flash = nor_flash(&nor);
    copy = nor;
    cr_expect_eq(store_mount(&s, &flash, true), STORE_FLASH);
    describe(&s, is);
    cr_expect_str_eq(is, text);
    cr_expect_eq(perform(&s, &(struct call){INSTALL, "b", 40, 2}), STORE_FLASH);
    cr_expect_eq(store_remove(&s, "a"), STORE_FLASH);
    cr_expect_eq(store_compact(&s), STORE_FLASH);
    cr_expect_eq(memcmp(copy.word, nor.word, sizeof(nor.word)), 0);
    nor.broken_offset = NOR_SIZE; /* it works again, but what the mount found is not sure yet */
    cr_expect_eq(store_compact(&s), STORE_FLASH);
    cr_expect_eq(nor.erases[!s.active], copy.erases[!s.active]);
    s = mounted(&nor);
    describe(&s, is);
    cr_expect_str_eq(is, text);
    cr_expect_eq(store_compact(&s), STORE_OK);
}

/* ----- random calls ------------------------------------------------------------------------------- */

static struct call random_call(struct nor *nor) {
    static const char *const names[] = {"a", "b", "c", "d"};
    uint32_t r = nor_random(nor);
    return (struct call){(enum call_kind)(r % 16 < CALLS ? r % 16 : INSTALL), names[r >> 8 & 3],
                         1 + (r >> 10) % 600, r >> 4};
}

/* Carries out a random call; what it may answer depends on what is there. */
static enum store_status try_call(struct store *s, const struct call *call) {
    enum store_status status = perform(s, call);
    if (s->upload.open)
        cr_assert_eq(store_abort(s), STORE_OK);
    cr_assert(status == STORE_OK || status == STORE_NO_ROOM || status == STORE_NOT_FOUND, "%d",
              status);
    return status;
}

static void expect_even_wear(const struct nor *nor, int most) {
    cr_expect_leq(abs((int)(nor->erases[0] - nor->erases[1])), most, "%u and %u erases",
                  nor->erases[0], nor->erases[1]);
    cr_expect_gt(nor->erases[0], 100);
}

Test(store, random_calls, .timeout = 120) {
    static struct nor nor;
    static char old[TEXT_MAX], new[TEXT_MAX];
    nor_init(&nor, 14);
    struct store s = mounted(&nor);
    for (unsigned i = 0; i < 10000; i++) {
        struct call call = random_call(&nor);
        describe(&s, old);
        enum store_status status = try_call(&s, &call);
        describe(&s, new);
        cr_assert(!status || strcmp(old, new) == 0, "call %u: %d changed something", i, status);
        if (status == STORE_NO_ROOM)
            cr_assert_eq(store_compact(&s), STORE_OK);
        s = mounted(&nor);
        describe(&s, old);
        cr_assert_str_eq(old, new, "call %u: the mount afterwards", i);
    }
    expect_even_wear(&nor, 2);
    for (unsigned i = 0; i < STORE_SECTORS; i++)
        cr_expect_eq(s.erased[i], nor.erases[i], "sector %u: %u erases, %u are counted", i,
                     nor.erases[i], s.erased[i]);
}

/* One call in ten is cut off; each can cost the spare sector an erase. */
Test(store, random_calls_with_cuts, .timeout = 120) {
    static struct nor nor, before;
    static char old[TEXT_MAX], new[TEXT_MAX], is[TEXT_MAX];
    nor_init(&nor, 15);
    struct store s = mounted(&nor);
    for (unsigned i = 0; i < 10000; i++) {
        struct call call = random_call(&nor);
        describe(&s, old);
        before = nor;
        if (try_call(&s, &call) == STORE_NO_ROOM)
            cr_assert_eq(store_compact(&s), STORE_OK);
        describe(&s, new);
        if (nor_random(&nor) % 10 == 0) {
            uint64_t operations = nor.operations + 1, seed = nor.random;
            nor = before;
            nor.random = seed;
            s = mounted(&nor);
            nor.cut_at = nor.operations + nor_random(&nor) % operations % 400;
            nor.tear = (enum nor_tear)(nor_random(&nor) % NOR_TEARS);
            perform(&s, &call);
            s = recover(&nor, nor_random(&nor) % 4 ? UINT64_MAX : nor_random(&nor) % 20);
            expect_either(&s, old, new, is);
        }
    }
    /* Interrupted erases count, too, and now and then one in front of which power has failed. */
    for (unsigned i = 0; i < STORE_SECTORS; i++)
        cr_expect(s.erased[i] >= nor.erases[i] && s.erased[i] <= nor.erases[i] + 10,
                  "sector %u: %u erases, %u are counted", i, nor.erases[i], s.erased[i]);
    expect_even_wear(&nor, 20);
}

/* ----- places ------------------------------------------------------------------------------------- */

Test(place, regions_cover_and_no_more_than_a_granule) {
    struct bpf_region r;
    uint32_t at;
    for (uint32_t size = 1; size < 5000; size += size < 600 ? 1 : 37)
        for (uint32_t from = 0x080c0000; from < 0x080c0000 + 9000; from += 97) {
            uint32_t granule = bpf_place_granule(size);
            cr_assert(bpf_place_next(from, size, &at));
            cr_assert(at >= from && bpf_place_region(at, size, &r));
            cr_assert(r.size >= 256 && (r.size & (r.size - 1)) == 0 && r.base % r.size == 0);
            cr_assert(granule * 8 == r.size && (r.size == 256 || r.size / 2 < size));
            for (unsigned i = 0; i < 8; i++) {
                uint32_t start = r.base + i * granule, end = start + granule;
                bool used = start < at + size && end > at;
                cr_assert_eq(used, !(r.disabled >> i & 1), "%x, %u bytes, sub-region %u", at, size,
                             i);
            }
            cr_assert(at >= r.base && at + size <= r.base + r.size);
            for (uint32_t lower = (from + granule - 1) / granule * granule; lower < at;
                 lower += granule)
                cr_assert_not(bpf_place_region(lower, size, &r), "%x would do", lower);
        }
    cr_expect_not(bpf_place_region(0x080c0000, 0, &r));
    cr_expect_not(bpf_place_region(0x080c0004, 32, &r));
    cr_expect_eq(bpf_place_granule(0x80000001u), 0);
    cr_expect_not(bpf_place_next(0xffffff00u, 512, &at));
}

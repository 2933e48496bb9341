/* SPDX-License-Identifier: MIT */
/*
 * The manager of installed programs on a board of tests/manager: what each call does and refuses, what becomes of maps,
 * and power that fails in every operation of the flash. After each step the domains have to be those
 * that the store asks for, and the pool to hold nothing else.
 */
#include "manager/use.h"
#include "runtime/sample.h"

#include "bpf/hook.h"
#include "bpf/map.h"
#include "rtos/programs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void setup(void) {
    board_init(1);
    board_power_up();
}
TestSuite(programs, .init = setup);

static void expect_kept(const char *wanted) {
    char text[1000];
    describe(text, sizeof(text));
    cr_assert_str_eq(text, wanted);
}

static uint32_t array_value(const char *name, uint32_t key) {
    uint32_t value[3];
    OK(programs_map_get(name, SAMPLE_ARRAY, &key, value));
    return value[0];
}

static void set_array(const char *name, uint32_t key, uint32_t value) {
    uint32_t values[3] = {value, 0, 0};
    OK(programs_map_set(name, SAMPLE_ARRAY, &key, values));
}

/* ----- life of a program ----------------------------------------------------------------------------------- */

Test(programs, installed_runs_until_it_is_removed) {
    uint64_t result;
    uint32_t cycles;
    uint8_t argument = 9;
    OK(install("a", 1, true));
    expect_order("installed");
    struct program_info is = info("a");
    cr_assert_eq(is.state, PROGRAM_RUNNING);
    cr_assert(is.enabled && !is.in_ram && !is.can_roll_back);
    cr_assert_eq(is.id, 1001);
    cr_assert_eq(is.entries, 2);
    cr_assert_eq(is.maps, SAMPLE_MAPS);
    cr_assert_eq(is.engine, BPF_ENGINE_THUMB);
    OK(programs_run("a", 0, &argument, 1, &result, &cycles));
    cr_assert_eq(result, 9);
    cr_assert_eq(info("a").good_runs, 1);
    REFUSED(programs_run("a", 2, NULL, 0, &result, &cycles), NOT_FOUND);
    OK(programs_enable("a", false));
    cr_assert_eq(info("a").state, PROGRAM_DISABLED);
    expect_order("disabled");
    REFUSED(programs_run("a", 0, NULL, 0, &result, &cycles), DISABLED);
    OK(programs_enable("a", true));
    OK(programs_enable("a", true));
    cr_assert_eq(board.made, 2, "what runs already is left alone");
    board_power_up();
    cr_assert_eq(info("a").state, PROGRAM_RUNNING);
    expect_order("booted");
    OK(programs_remove("a"));
    expect_order("removed");
    cr_assert_eq(board_pieces(), 0);
    REFUSED(programs_remove("a"), NOT_FOUND);
    board_power_up();
    REFUSED(programs_info("a", &is), NOT_FOUND);
}

Test(programs, installed_without_being_enabled) {
    OK(install("a", 1, false));
    cr_assert_eq(info("a").state, PROGRAM_DISABLED);
    cr_assert_eq(board.made, 0);
    OK(programs_enable("a", true));
    OK(install("a", 2, false)); /* a successor takes over its predecessor's enabling */
    cr_assert_eq(info("a").state, PROGRAM_RUNNING);
    expect_order("replaced");
    expect_kept("a id 1002 on after another priority 3\n");
}

Test(programs, in_order_of_installation) {
    struct program_info is;
    OK(install_in_ram("m", 9, true));
    OK(install("b", 1, true));
    OK(install("a", 2, false));
    OK(install("b", 3, true));
    const char *order[] = {"a", "b", "m"};
    for (unsigned i = 0; i < 3; i++) {
        cr_assert(programs_at(i, &is));
        cr_assert_str_eq(is.name, order[i]);
    }
    cr_assert(!programs_at(3, &is));
}

Test(programs, not_found) {
    struct program_info is;
    struct program_stats stats;
    struct program_map map;
    struct bpf_grant grant = grant_of(1);
    uint32_t key = 0, value[3], size = 4;
    static const char *const names[] = {"",
                                        "a",
                                        "nobody",
                                        "fifteen_letters",
                                        "sixteen_letters_",
                                        "a name that is much longer than any other"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        REFUSED(programs_info(names[i], &is), NOT_FOUND);
        REFUSED(programs_stats(names[i], 0, &stats), NOT_FOUND);
        REFUSED(programs_grant_of(names[i], &grant), NOT_FOUND);
        REFUSED(programs_enable(names[i], true), NOT_FOUND);
        REFUSED(programs_remove(names[i]), NOT_FOUND);
        REFUSED(programs_grant(names[i], &grant), NOT_FOUND);
        REFUSED(programs_rollback(names[i]), NOT_FOUND);
        REFUSED(programs_map(names[i], 0, &map), NOT_FOUND);
        REFUSED(programs_map_get(names[i], 0, &key, value), NOT_FOUND);
        REFUSED(programs_ring_read(names[i], 0, value, &size), NOT_FOUND);
    }
}

/* ----- uploads --------------------------------------------------------------------------------------------- */

Test(programs, names) {
    struct bpf_grant grant = grant_of(1);
    static const char *const bad[] = {"",    "a b",        "a.b",
                                      "a/b", "\x80",       "a\n",
                                      "@a",  "a[",         "a{b}",
                                      "a`",  "a:",         "sixteen_letters_",
                                      "a~",  "ae\xcc\x88", "fifteen_letters_and_more"};
    static const char *const good[] = {"a", "Z", "0", "_", "-", "fifteen_letters", "A-z_09"};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        REFUSED(programs_begin(bad[i], 100, &grant, i & 1), NAME);
    for (unsigned i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        OK(programs_begin(good[i], 100, &grant, i & 1));
    OK(install("fifteen_letters", 1, true));
    cr_assert_str_eq(info("fifteen_letters").name, "fifteen_letters");
}

Test(programs, sizes) {
    struct bpf_grant grant = grant_of(1);
    REFUSED(programs_begin("a", 0, &grant, false), ARGUMENT);
    REFUSED(programs_begin("a", NOR_SIZE, &grant, false), TOO_LARGE);
    REFUSED(programs_begin("a", BLOB_MAX_SIZE + 1, &grant, true), TOO_LARGE);
    REFUSED(programs_begin("a", UINT32_MAX, &grant, true), TOO_LARGE);
    REFUSED(programs_begin("a", BLOB_MAX_SIZE, &grant, true), NO_RAM);
    cr_assert_eq(board_pieces(), 0);
    board.pool_limit = 1;
    REFUSED(programs_begin("a", 100, &grant, true), NO_RAM);
    board.pool_limit = 0;
    REFUSED(programs_begin("a", 100, &grant, true), NO_RAM);
    cr_assert_eq(board_pieces(), 0);
}

/* Bytes that a hostile client may send as a grant: refused by every call that takes one. */
Test(programs, hostile_grants) {
    OK(install("a", 1, true));
    OK(install_in_ram("m", 1, true));
    srand(7);
    for (int i = 0; i < 2000; i++) {
        struct bpf_grant grant = grant_of(1), is;
        uint8_t *bytes = (uint8_t *)&grant;
        for (int k = 0; k < 1 + i % 5; k++)
            bytes[(size_t)rand() % sizeof(grant)] ^= (uint8_t)(1 << rand() % 8);
        if (!bpf_grant_check(&grant, sizeof(grant)))
            continue;
        REFUSED(programs_begin("b", 100, &grant, i & 1), GRANT);
        REFUSED(programs_grant(i & 2 ? "a" : "m", &grant), GRANT);
        OK(programs_grant_of(i & 2 ? "a" : "m", &is));
        cr_assert_eq(is.priority, 2);
    }
    cr_assert_eq(board.made, 2);
    expect_order("hostile grants");
}

static void upload_in_pieces(bool in_ram) {
    struct bytes blob = blob_of(1, -1);
    struct bpf_grant grant = grant_of(1);
    uint32_t where = 99;
    REFUSED(programs_write(0, blob.at, 4), NOT_FOUND);
    REFUSED(programs_commit(true, &where), NOT_FOUND);
    OK(programs_begin("a", blob.size, &grant, in_ram));
    cr_assert_eq(programs_upload_offset(), 0);
    OK(programs_write(0, blob.at, 5));
    REFUSED(programs_write(4, blob.at, 4), OFFSET);
    REFUSED(programs_write(6, blob.at, 4), OFFSET);
    REFUSED(programs_write(0, blob.at, 5), OFFSET);
    cr_assert_eq(programs_upload_offset(), 5);
    REFUSED(programs_commit(true, &where), OFFSET);
    cr_assert_eq(where, 5);
    REFUSED(programs_write(5, blob.at + 5, blob.size - 4), TOO_LARGE);
    REFUSED(programs_write(5, blob.at + 5, UINT32_MAX), TOO_LARGE);
    OK(programs_write(5, blob.at + 5, 0));
    OK(programs_write(5, blob.at + 5, blob.size - 5)); /* goes on where it was */
    REFUSED(programs_write(blob.size, blob.at, 1), TOO_LARGE);
    expect_order("uploaded");
    OK(programs_commit(true, &where));
    REFUSED(programs_commit(true, &where), NOT_FOUND);
    expect_order("committed");
    cr_assert_eq(info("a").in_ram, in_ram);
    free(blob.at);
}

Test(programs, uploads_go_on_where_they_were) {
    upload_in_pieces(false);
}

Test(programs, uploads_into_ram_too) {
    upload_in_pieces(true);
}

/* What nobody goes on with for five minutes gives its RAM back, and lets go of the program of its name. */
Test(programs, an_upload_that_nobody_goes_on_with) {
    struct bytes blob = blob_of(1, -1);
    struct bpf_grant grant = bpf_grant_default;
    unsigned pieces = board_pieces();
    for (unsigned in_ram = 0; in_ram <= 1; in_ram++) {
        OK(programs_begin("a", blob.size, &grant, in_ram));
        board.ticks += UPLOAD_IDLE - 1;
        cr_assert_eq(manager_attend(), 1);
        OK(programs_write(0, blob.at, 8));
        cr_assert_eq(manager_attend(), UPLOAD_IDLE, "it lives");
        board.ticks += UPLOAD_IDLE - 1;
        cr_assert(programs_upload_is_open() && manager_attend() == 1);
        board.ticks++;
        cr_assert_eq(manager_attend(), KERNEL_FOREVER);
        cr_assert_not(programs_upload_is_open());
        cr_assert_eq(board_pieces(), pieces);
        REFUSED(programs_write(8, blob.at + 8, 8), NOT_FOUND);
    }
    OK(send("a", blob, 1, false));
    cr_assert(programs_upload_is_open());
    free(blob.at);
}

Test(programs, an_upload_that_is_given_up) {
    struct bytes blob = blob_of(1, -1);
    uint32_t where;
    OK(send("a", blob, 1, true));
    programs_abort();
    programs_abort();
    expect_order("aborted");
    OK(send("a", blob, 1, false));
    programs_abort();
    REFUSED(programs_commit(true, &where), NOT_FOUND);
    OK(send("a", blob, 1, true)); /* another one takes its place */
    OK(send("b", blob, 1, false));
    OK(programs_commit(true, &where));
    expect_order("the later one");
    expect_kept("b id 1001 on priority 2\n");
    free(blob.at);
}

/* What is refused leaves nothing, and what ran before has not noticed. */
Test(programs, refused_at_commit) {
    OK(install("a", 1, true));
    unsigned made = board.made;
    struct bytes blob = blob_of(2, -1);
    blob.at[blob.size - 9] ^= 1;
    REFUSED(install_bytes("a", blob, 2, true, false), BLOB_CRC);
    board.check_status = BPF_NOT_GRANTED;
    REFUSED(install("a", 2, true), NOT_GRANTED);
    board.check_status = BPF_OK;
    OK(programs_compact()); /* the store is small */
    made = board.made;
    board.check_status = BPF_NOT_GRANTED;
    REFUSED(install("b", 2, true), NOT_GRANTED);
    REFUSED(install_in_ram("c", 2, true), NOT_GRANTED);
    cr_assert_eq(board.made, made);
    expect_order("refused");
    expect_kept("a id 1001 on priority 2\n");
}

/* ----- replacing ------------------------------------------------------------------------------------------- */

static void fill_maps(const char *name) {
    uint32_t key = 5, small = 11;
    uint64_t value = 55;
    set_array(name, 2, 22);
    OK(programs_map_set(name, SAMPLE_HASH, &key, &value));
    OK(programs_map_set(name, SAMPLE_LRU, &key, &small));
    OK(programs_map_set(name, SAMPLE_QUEUE, NULL, &small));
    OK(programs_map_set(name, SAMPLE_STACK, NULL, &small));
}

/* As many of the maps of fill_maps() as still hold what they did. */
static unsigned maps_kept(const char *name) {
    uint32_t key = 5, small = 0;
    uint64_t value = 0;
    unsigned kept = array_value(name, 2) == 22;
    kept += !programs_map_get(name, SAMPLE_HASH, &key, &value) && value == 55;
    kept += !programs_map_get(name, SAMPLE_LRU, &key, &small) && small == 11;
    kept += !programs_map_get(name, SAMPLE_QUEUE, NULL, &small) && small == 11;
    kept += !programs_map_get(name, SAMPLE_STACK, NULL, &small) && small == 11;
    return kept;
}

Test(programs, maps_survive_a_replacement) {
    OK(install("a", 1, true));
    fill_maps("a");
    OK(install("a", 2, true));
    cr_assert_eq(maps_kept("a"), 5);
    cr_assert_eq(info("a").id, 1002);
    cr_assert_eq(board_domain("a")->repaired, 0);
    expect_order("replaced");
}

Test(programs, maps_of_another_type_do_not) {
    for (int changed = SAMPLE_ARRAY; changed <= SAMPLE_STACK; changed++) {
        char name[2] = {(char)('a' + changed), 0};
        OK(install_in_ram(name, 1, true));
        fill_maps(name);
        OK(install_bytes(name, blob_of(2, changed), 2, true, true));
        cr_assert_eq(maps_kept(name), 4, "map %d", changed);
        OK(programs_remove(name));
    }
}

/* Everything that has to be equal, one after the other. */
Test(programs, maps_have_to_be_the_same_in_all_respects) {
    for (int what = 0; what < 5; what++) {
        struct bytes blob = blob_of(2, -1);
        struct blob_map *map = &SAMPLE_ROWS(blob.at, maps, struct blob_map)[SAMPLE_HASH];
        struct blob_map *array = &SAMPLE_ROWS(blob.at, maps, struct blob_map)[SAMPLE_ARRAY];
        switch (what) {
        case 0: map->name = 36; break;
        case 1: map->btf_hash = 0; break;
        case 2: /* swaps names: each finds a map of its name, but of another kind */
            map->name = array->name;
            array->name = 6;
            break;
        case 3: map->type = BPF_MAP_PERCPU_HASH; break;
        default: map->btf_hash = array->btf_hash; break;
        }
        sample_seal(blob.at);
        OK(install_in_ram("a", 1, true));
        fill_maps("a");
        OK(install_bytes("a", blob, 2, true, true));
        cr_assert_eq(maps_kept("a"), what == 2 ? 3 : 4, "%d", what);
        OK(programs_remove("a"));
    }
}

Test(programs, maps_without_types_are_not_kept) {
    struct bytes one = blob_of(1, -1), two = blob_of(2, -1);
    SAMPLE_ROWS(one.at, maps, struct blob_map)[SAMPLE_QUEUE].btf_hash = 0;
    SAMPLE_ROWS(two.at, maps, struct blob_map)[SAMPLE_QUEUE].btf_hash = 0;
    sample_seal(one.at);
    sample_seal(two.at);
    OK(install_bytes("a", one, 1, true, false));
    fill_maps("a");
    OK(install_bytes("a", two, 2, true, false));
    cr_assert_eq(maps_kept("a"), 4);
}

static uint32_t prog_slot(const char *name) {
    struct domain *domain = board_domain(name);
    return *(uint32_t *)(void *)((uint8_t *)domain_map(domain, SAMPLE_PROGS) +
                                 BPF_MAP_ARRAY_VALUES);
}

/* Its values are indices of the old blob. */
Test(programs, an_array_of_programs_is_the_new_one) {
    OK(install("a", 1, true));
    struct domain *domain = board_domain("a");
    *(uint32_t *)(void *)((uint8_t *)domain_map(domain, SAMPLE_PROGS) + BPF_MAP_ARRAY_VALUES) = 2;
    cr_assert_eq(prog_slot("a"), 2);
    struct bpf_grant grant = grant_of(5);
    OK(programs_grant("a", &grant));
    cr_assert_eq(prog_slot("a"), 2, "the same blob keeps it");
    OK(install("a", 2, true));
    cr_assert_eq(prog_slot("a"), 0);
}

/* The new one passes all checks, but cannot be made or started: the old one is back, with its maps. */
Test(programs, what_cannot_be_started_is_not_installed) {
    OK(install("a", 1, true));
    OK(install_in_ram("m", 1, true));
    fill_maps("a");
    fill_maps("m");
    for (int start = 0; start < 2; start++) {
        enum bpf_status wanted = start ? BPF_BUSY : BPF_NO_RAM;
        uint32_t where;
        const char *names[] = {"a", "m"};
        for (int i = 0; i < 2; i++) {
            struct bytes blob = blob_of(2, -1);
            OK(send(names[i], blob, 2, i == 1));
            *(start ? &board.start_status : &board.make_status) = wanted;
            board.fail_once = true; /* the old one can be made again */
            enum bpf_status status = programs_commit(true, &where);
            cr_assert_eq(status, wanted);
            free(blob.at);
            cr_assert_eq(info(names[i]).state, PROGRAM_RUNNING);
            cr_assert_eq(info(names[i]).id, 1001);
            cr_assert_eq(maps_kept(names[i]), 5);
            expect_order("not started");
        }
    }
    expect_kept("a id 1001 on priority 2\n");
    OK(programs_compact());
    OK(install("a", 3, true));
    cr_assert_eq(maps_kept("a"), 5);
}

Test(programs, a_new_one_that_cannot_be_started_leaves_nothing) {
    board.make_status = BPF_NO_RAM;
    REFUSED(install("a", 1, true), NO_RAM);
    REFUSED(install_in_ram("b", 1, true), NO_RAM);
    expect_order("not started");
    expect_kept("");
    OK(install("a", 1, false));
    REFUSED(programs_enable("a", true), NO_RAM);
    expect_kept("a id 1001 priority 2\n");
    cr_assert_eq(info("a").state, PROGRAM_REFUSED);
    cr_assert_eq(info("a").status, BPF_NO_RAM);
    cr_assert_eq(info("a").where, 4711);
    board.make_status = BPF_OK;
    OK(programs_enable("a", true));
    cr_assert_eq(info("a").status, BPF_OK);
}

Test(programs, what_its_policy_has_stopped_stays_stopped_when_others_fail) {
    OK(install("a", 1, true));
    domain_stop(board_domain("a"));
    board.make_status = BPF_NO_RAM;
    board.fail_once = true;
    REFUSED(install("a", 2, true), NO_RAM);
    cr_assert_eq(info("a").state, PROGRAM_STOPPED);
    OK(programs_enable("a", true)); /* the one way to go on */
    cr_assert_eq(info("a").state, PROGRAM_RUNNING);
}

/* A piece for the maps comes first; without it nothing has happened. */
Test(programs, no_ram_for_maps) {
    OK(install("a", 1, true));
    struct domain *domain = board_domain("a");
    board.pool_limit = 1;
    REFUSED(install("a", 2, true), NO_RAM);
    struct bpf_grant grant = grant_of(4);
    REFUSED(programs_grant("a", &grant), NO_RAM);
    REFUSED(programs_compact(), NO_RAM);
    cr_assert_eq(board_domain("a"), domain);
    cr_assert_eq(board.ended, 0);
    expect_order("no RAM");
    expect_kept("a id 1001 on priority 2\n");
}

/* A run that does not end is cut off. */
Test(programs, what_hangs_is_replaced_all_the_same) {
    uint64_t result;
    uint32_t cycles;
    OK(install("a", 1, true));
    fill_maps("a");
    board.hung = true;
    REFUSED(programs_run("a", 0, NULL, 0, &result, &cycles), BUSY);
    OK(install("a", 2, true));
    board.hung = false;
    cr_assert_eq(maps_kept("a"), 5);
    board.hung = true;
    OK(programs_remove("a"));
    expect_order("removed");
}

/* ----- predecessors ---------------------------------------------------------------------------------------- */

static void runs(const char *name, unsigned good, unsigned bad) {
    for (; bad; bad--)
        board_run_ends(board_domain(name), true);
    for (; good; good--)
        board_run_ends(board_domain(name), false);
}

Test(programs, good_runs_confirm) {
    OK(install("a", 1, true));
    OK(install("a", 2, true));
    runs("a", PROGRAM_GOOD_RUNS - 1, PROGRAM_FAULTS - 1);
    manager_attend();
    expect_kept("a id 1002 on after another priority 3\n");
    board.wakes = 0;
    runs("a", 1, 0);
    cr_assert_eq(board.wakes, 1);
    manager_attend();
    expect_kept("a id 1002 on priority 3\n");
    runs("a", 0, 10); /* from now on its policy alone decides */
    cr_assert_eq(board.wakes, 1);
    manager_attend();
    expect_kept("a id 1002 on priority 3\n");
    REFUSED(programs_rollback("a"), PREDECESSOR);
}

Test(programs, faults_bring_the_predecessor_back) {
    OK(install("a", 1, true));
    fill_maps("a");
    OK(install("a", 2, true));
    cr_assert_eq(maps_kept("a"), 5);
    runs("a", 3, PROGRAM_FAULTS);
    manager_attend();
    expect_kept("a id 1001 on priority 2\n");
    cr_assert_eq(maps_kept("a"), 0, "fresh maps");
    cr_assert(strstr(board.text, "a: faulted too often: its predecessor comes back"));
    expect_order("rolled back");
    runs("a", 0, PROGRAM_FAULTS);
    manager_attend();
    expect_kept("a id 1001 on priority 2\n");
    expect_order("without a predecessor");
}

Test(programs, so_does_a_policy_that_stops_it) {
    OK(install("a", 1, true));
    OK(install("a", 2, true));
    domain_stop(board_domain("a"));
    runs("a", 0, 1);
    manager_attend();
    expect_kept("a id 1001 on priority 2\n");
    cr_assert_eq(info("a").state, PROGRAM_RUNNING);
}

/* The store does not touch a program whose successor is being uploaded. */
Test(programs, wishes_wait_for_an_upload) {
    struct bytes blob = blob_of(3, -1);
    OK(install("a", 1, true));
    OK(install("a", 2, true));
    OK(send("a", blob, 3, false));
    runs("a", 0, PROGRAM_FAULTS);
    manager_attend();
    expect_kept("a id 1002 on after another priority 3\n");
    REFUSED(programs_remove("a"), BUSY);
    REFUSED(programs_enable("a", false), BUSY);
    REFUSED(programs_rollback("a"), BUSY);
    cr_assert_eq(info("a").state, PROGRAM_RUNNING);
    board.wakes = 0;
    programs_abort();
    cr_assert_eq(board.wakes, 1);
    manager_attend();
    expect_kept("a id 1001 on priority 2\n");
    OK(programs_compact());
    OK(install("a", 2, true));
    OK(send("a", blob, 3, false));
    runs("a", PROGRAM_GOOD_RUNS, 0);
    manager_attend();
    programs_abort();
    manager_attend();
    expect_kept("a id 1002 on priority 3\n");
    free(blob.at);
}

Test(programs, rollback_by_hand) {
    OK(install("a", 1, true));
    REFUSED(programs_rollback("a"), PREDECESSOR);
    OK(install("a", 2, true));
    OK(install("a", 3, true)); /* the predecessor of a predecessor goes */
    OK(programs_rollback("a"));
    expect_kept("a id 1002 on priority 3\n");
    cr_assert_eq(info("a").seq, manager.store.programs[0].seq);
    expect_order("rolled back");
    OK(programs_enable("a", false));
    OK(programs_compact());
    OK(install("a", 4, false));
    OK(programs_rollback("a"));
    expect_kept("a id 1002 priority 3\n");
    expect_order("not enabled");
    OK(install_in_ram("m", 1, true));
    OK(install_in_ram("m", 2, true));
    REFUSED(programs_rollback("m"), PREDECESSOR);
}

/* A successor that the loader refuses at boot, as another firmware might. */
Test(programs, rollback_of_what_does_not_load) {
    OK(install("a", 1, true));
    OK(install("a", 2, true));
    board_forget_ram();
    board.make_status = BPF_BLOB_HELPER;
    board.fail_once = true;
    programs_start(false);
    cr_assert_eq(info("a").state, PROGRAM_REFUSED);
    cr_assert_eq(info("a").status, BPF_BLOB_HELPER);
    cr_assert(strstr(board.text, "programs: a: the blob needs a helper"));
    uint32_t key = 0, value[3];
    REFUSED(programs_map_get("a", 0, &key, value), BLOB_HELPER);
    OK(programs_rollback("a"));
    cr_assert_eq(info("a").state, PROGRAM_RUNNING);
    expect_order("rolled back");
}

/* ----- grants ---------------------------------------------------------------------------------------------- */

Test(programs, grants_change_and_maps_stay) {
    struct bpf_grant grant = grant_of(7), is;
    OK(install("a", 1, true));
    OK(install_in_ram("m", 1, true));
    const char *names[] = {"a", "m"};
    for (int i = 0; i < 2; i++) {
        fill_maps(names[i]);
        OK(programs_grant(names[i], &grant));
        OK(programs_grant_of(names[i], &is));
        cr_assert_eq(is.priority, 8);
        cr_assert_eq(maps_kept(names[i]), 5);
        expect_order("granted");
    }
    board_power_up();
    expect_kept("a id 1001 on priority 8\n");
}

Test(programs, grants_that_are_not_enough) {
    struct bpf_grant grant = grant_of(7), is;
    OK(install("a", 1, true));
    fill_maps("a");
    board.check_status = BPF_NOT_GRANTED;
    REFUSED(programs_grant("a", &grant), NOT_GRANTED);
    cr_assert_eq(board.ended, 0);
    board.check_status = BPF_OK;
    board.make_status = BPF_BUSY;
    board.fail_once = true;
    REFUSED(programs_grant("a", &grant), BUSY);
    OK(programs_grant_of("a", &is));
    cr_assert_eq(is.priority, 2);
    cr_assert_eq(maps_kept("a"), 5);
    expect_order("refused");
}

Test(programs, a_grant_may_be_what_was_missing) {
    struct bpf_grant grant = grant_of(7);
    OK(install("a", 1, true));
    board_power_up();
    program_unload(program_find("a"));
    program_find("a")->status = BPF_BUSY;
    OK(programs_grant("a", &grant));
    cr_assert_eq(info("a").state, PROGRAM_RUNNING);
    expect_order("granted");
    OK(programs_enable("a", false));
    OK(programs_grant("a", &grant));
    cr_assert_eq(info("a").state, PROGRAM_DISABLED);
}

/* What lies in the store as a grant is looked at each time. */
Test(programs, a_stored_grant_that_is_none) {
    struct bpf_grant is;
    OK(install("a", 1, true));
    cr_assert_eq(store_grant(&manager.store, "a", "no grant", 8), STORE_OK);
    board_power_up();
    cr_assert_eq(info("a").state, PROGRAM_REFUSED);
    cr_assert_eq(info("a").status, BPF_GRANT_STORED);
    REFUSED(programs_grant_of("a", &is), GRANT_STORED);
    is = grant_of(1);
    OK(programs_grant("a", &is));
    cr_assert_eq(info("a").state, PROGRAM_RUNNING);
}

/* ----- maps ------------------------------------------------------------------------------------------------ */

/* A name that is no text is one all the same where somebody reads it. */
Test(programs, names_that_a_terminal_would_obey) {
    struct program_map map;
    struct bytes blob = blob_of(1, -1);
    const struct blob_map *maps = SAMPLE_ROWS(blob.at, maps, struct blob_map);
    char *name = (char *)blob.at + sample_header(blob.at)->strings.off + maps[SAMPLE_HASH].name;
    memcpy(name, "\x1b[\x9b\n", 4);
    sample_seal(blob.at);
    OK(install_bytes("a", blob, 1, true, false));
    OK(programs_map("a", SAMPLE_HASH, &map));
    cr_assert_str_eq(map.name, "?[??t");
}

Test(programs, maps_one_by_one) {
    struct program_map map;
    uint32_t key, value[3], cursor = 0, count = 0;
    uint64_t value64 = 7;
    OK(install("a", 1, true));
    OK(programs_map("a", SAMPLE_HASH, &map));
    cr_assert_str_eq(map.name, "visit");
    cr_assert_eq(map.type, BPF_MAP_HASH);
    cr_assert_eq(map.key_size, 4);
    cr_assert_eq(map.value_size, 8);
    cr_assert_eq(map.max_entries, 5);
    REFUSED(programs_map("a", SAMPLE_MAPS, &map), NOT_FOUND);
    for (key = 0; key < 5; key++)
        OK(programs_map_set("a", SAMPLE_HASH, &key, &value64));
    REFUSED(programs_map_set("a", SAMPLE_HASH, &key, &value64), TOO_MANY);
    REFUSED(programs_map_delete("a", SAMPLE_HASH, &key), NOT_FOUND);
    key = 3;
    OK(programs_map_delete("a", SAMPLE_HASH, &key));
    REFUSED(programs_map_get("a", SAMPLE_HASH, &key, &value64), NOT_FOUND);
    while (!programs_map_next("a", SAMPLE_HASH, &cursor, &key, &value64))
        count++;
    cr_assert_eq(count, 4);
    for (cursor = count = 0; !programs_map_next("a", SAMPLE_ARRAY, &cursor, &key, value); count++)
        cr_assert_eq(key, count);
    cr_assert_eq(count, 4);
    REFUSED(programs_map_delete("a", SAMPLE_ARRAY, &key), ARGUMENT);
    key = 4;
    REFUSED(programs_map_get("a", SAMPLE_ARRAY, &key, value), NOT_FOUND);
    REFUSED(programs_map_get("a", SAMPLE_MAPS, &key, value), NOT_FOUND);
    REFUSED(programs_map_set("a", SAMPLE_MAPS, &key, value), NOT_FOUND);
    REFUSED(programs_map_delete("a", SAMPLE_MAPS, &key), NOT_FOUND);
    REFUSED(programs_map_next("a", SAMPLE_MAPS, &cursor, &key, value), NOT_FOUND);
    REFUSED(programs_map_get("a", SAMPLE_QUEUE, NULL, value), NOT_FOUND);
    OK(programs_enable("a", false));
    OK(programs_map("a", SAMPLE_RINGBUF, &map));
    REFUSED(programs_map_get("a", SAMPLE_ARRAY, &key, value), DISABLED);
}

Test(programs, records_of_a_ring) {
    uint8_t out[16] = {0};
    uint32_t size = sizeof(out);
    OK(install("a", 1, true));
    struct bpf_map *ring = domain_map(board_domain("a"), SAMPLE_RINGBUF);
    REFUSED(programs_ring_read("a", SAMPLE_RINGBUF, out, &size), NOT_FOUND);
    bpf_ringbuf_output(ring, "first", 6, 0);
    bpf_ringbuf_output(ring, "the second", 11, 0);
    OK(programs_ring_read("a", SAMPLE_RINGBUF, out, &size));
    cr_assert_eq(size, 6);
    cr_assert_str_eq((const char *)out, "first");
    size = 3;
    memset(out, 'x', sizeof(out));
    OK(programs_ring_read("a", SAMPLE_RINGBUF, out, &size));
    cr_assert_eq(size, 11);
    cr_assert_eq(memcmp(out, "thexx", 5), 0);
    REFUSED(programs_ring_read("a", SAMPLE_ARRAY, out, &size), ARGUMENT);
    REFUSED(programs_ring_read("a", SAMPLE_MAPS, out, &size), NOT_FOUND);
    REFUSED(programs_map_get("a", SAMPLE_RINGBUF, NULL, out), ARGUMENT);
}

/* A program may write what it likes into its arena: the header is made right before anybody reads by it. */
Test(programs, sizes_come_from_the_blob) {
    uint32_t key = 0, value[3] = {1, 2, 3}, guarded[4] = {0, 0, 0, 0xfeed};
    OK(install("a", 1, true));
    OK(programs_map_set("a", SAMPLE_ARRAY, &key, value));
    struct bpf_map *map = domain_map(board_domain("a"), SAMPLE_ARRAY);
    map->value_size = 1 << 20;
    OK(programs_map_get("a", SAMPLE_ARRAY, &key, guarded));
    cr_assert_eq(guarded[3], 0xfeed);
}

Test(programs, statistics) {
    struct program_stats stats;
    uint64_t result;
    uint32_t cycles;
    OK(install("a", 1, true));
    OK(programs_run("a", 1, NULL, 0, &result, &cycles));
    OK(programs_stats("a", 1, &stats));
    cr_assert_str_eq(stats.name, "next");
    cr_assert_str_eq(stats.section, "timer/10ms");
    cr_assert_eq(stats.runs, 1);
    REFUSED(programs_stats("a", 2, &stats), NOT_FOUND);
    OK(programs_enable("a", false));
    OK(programs_stats("a", 0, &stats));
    cr_assert_str_eq(stats.section, "raw");
    cr_assert_eq(stats.runs, 0);
}

/* ----- copies in RAM --------------------------------------------------------------------------------------- */

Test(programs, copies_in_ram) {
    OK(install_in_ram("m", 1, true));
    fill_maps("m");
    cr_assert(info("m").in_ram);
    cr_assert_eq(info("m").address, program_find("m")->copy->blob);
    OK(install_in_ram("m", 2, true));
    cr_assert_eq(maps_kept("m"), 5);
    cr_assert_eq(info("m").seq, 2);
    expect_order("replaced");
    OK(programs_enable("m", false));
    OK(install_in_ram("m", 3, false));
    cr_assert_eq(info("m").state, PROGRAM_DISABLED);
    OK(programs_enable("m", true));
    expect_order("enabled");
    OK(install("a", 1, true));
    struct bpf_grant grant = grant_of(1);
    REFUSED(programs_begin("a", 100, &grant, true), EXISTS);
    OK(programs_compact());
    cr_assert_eq(info("m").id, 1003);
    board_reset(false);
    struct program_info is;
    REFUSED(programs_info("m", &is), NOT_FOUND);
    expect_order("reset");
}

Test(programs, the_store_takes_over_from_ram) {
    OK(install_in_ram("m", 1, true));
    fill_maps("m");
    OK(install("m", 2, false));
    cr_assert(!info("m").in_ram && info("m").enabled);
    cr_assert_eq(maps_kept("m"), 5);
    expect_order("taken over");
    expect_kept("m id 1002 on priority 3\n");
    cr_assert_eq(board_pieces(), 1);
}

/* ----- limits ---------------------------------------------------------------------------------------------- */

Test(programs, too_many_domains) {
    char name[3] = "m0";
    for (int i = 0; i < PROGRAMS_MAX; i++, name[1]++)
        OK(install_in_ram(name, 1, true));
    REFUSED(install_in_ram(name, 1, true), TOO_MANY);
    REFUSED(install("a", 1, true), TOO_MANY);
    expect_order("full");
    OK(install("a", 1, false));
    REFUSED(programs_enable("a", true), TOO_MANY);
    OK(programs_remove("m0"));
    OK(programs_enable("a", true));
    expect_order("one less");
}

Test(programs, too_many_programs) {
    char name[3] = "ma";
    for (int i = 0; i < STORE_PROGRAMS; i++, name[1]++)
        OK(install_in_ram(name, 1, false));
    REFUSED(install_in_ram(name, 1, false), TOO_MANY);
    REFUSED(install("a", 1, false), TOO_MANY);
    OK(install_in_ram("ma", 2, false));
    expect_order("full");
    expect_kept("");
    OK(programs_remove("mb"));
    OK(install("a", 1, false));
}

Test(programs, a_full_store_is_compacted) {
    char name[2] = "a";
    enum bpf_status status;
    unsigned count = 0;
    while (!(status = install(name, 1, true)))
        name[0]++, count++;
    cr_assert_eq(status, BPF_NO_ROOM);
    cr_assert_geq(count, 3);
    cr_assert_eq(programs_room().compacted < 1000, true);
    expect_order("full");
    OK(programs_remove("b"));
    REFUSED(install("b", 2, true), NO_ROOM);
    cr_assert_lt(programs_room().now, programs_room().compacted);
    fill_maps("a");
    fill_maps("c");
    set_array("c", 0, 333);
    domain_stop(board_domain("c"));
    uint32_t address = info("a").address;
    OK(programs_compact());
    cr_assert_neq(info("a").address, address);
    cr_assert_eq(maps_kept("a"), 5);
    cr_assert_eq(array_value("a", 0), 0);
    cr_assert_eq(array_value("c", 0), 333);
    cr_assert_eq(info("c").state, PROGRAM_STOPPED);
    cr_assert_eq(info("a").state, PROGRAM_RUNNING);
    expect_order("compacted");
    OK(install("b", 2, true));
    expect_order("there is room");
    cr_assert_gt(programs_ram_free(), 0);
}

Test(programs, no_compaction_while_something_is_uploaded) {
    struct bytes blob = blob_of(1, -1);
    OK(send("a", blob, 1, false));
    REFUSED(programs_compact(), BUSY);
    free(blob.at);
}

/* ----- flash that is broken, corrupt or not there ---------------------------------------------------------- */

static void break_flash(void) {
    board.nor.broken_sector = manager.store.active;
    board.nor.broken_offset = manager.store.end;
}

Test(programs, flash_that_takes_nothing) {
    struct bpf_grant grant = grant_of(7), is;
    OK(install("a", 1, true));
    OK(install("a", 2, true));
    fill_maps("a");
    unsigned ended = board.ended;
    break_flash();
    REFUSED(programs_remove("a"), FLASH);
    REFUSED(programs_enable("a", false), FLASH);
    REFUSED(programs_rollback("a"), FLASH);
    cr_assert_eq(board.ended, ended);
    REFUSED(programs_grant("a", &grant), FLASH);
    OK(programs_grant_of("a", &is));
    cr_assert_eq(is.priority, 3);
    cr_assert_eq(maps_kept("a"), 5);
    REFUSED(install("b", 3, true), FLASH);
    expect_order("broken");
    runs("a", 0, PROGRAM_FAULTS);
    manager_attend();
    expect_order("broken, and faulted");
    expect_kept("a id 1002 on after another priority 3\n");
    OK(install_in_ram("m", 1, true));
}

/* The last word of a commit: everything else has been taken. */
Test(programs, a_commit_that_fails) {
    OK(install("a", 1, true));
    fill_maps("a");
    struct bytes blob = blob_of(2, -1);
    uint32_t where;
    OK(send("a", blob, 2, false));
    board.nor.broken_sector = manager.store.active;
    board.nor.broken_offset = manager.store.upload.record;
    REFUSED(programs_commit(true, &where), FLASH);
    cr_assert_eq(maps_kept("a"), 5);
    cr_assert_eq(info("a").id, 1001);
    expect_order("not committed");
    free(blob.at);
}

/* Installed it is, but not enabled. */
Test(programs, an_enabling_that_fails) {
    struct bytes blob = blob_of(1, -1);
    uint32_t where;
    OK(send("a", blob, 1, false));
    break_flash();
    REFUSED(programs_commit(true, &where), FLASH);
    cr_assert_eq(info("a").state, PROGRAM_DISABLED);
    expect_order("not enabled");
    expect_kept("a id 1001 priority 2\n");
    free(blob.at);
}

Test(programs, a_corrupt_store) {
    OK(install("a", 1, true));
    for (unsigned s = 0; s < STORE_SECTORS; s++)
        board.nor.word[s][0] = 0x12345678;
    board_power_up();
    cr_assert_eq(programs_store(), BPF_STORE_CORRUPT);
    cr_assert(strstr(board.text, "programs: the store cannot be read"));
    struct program_info is;
    cr_assert(!programs_at(0, &is));
    REFUSED(install("a", 1, true), STORE_CORRUPT);
    REFUSED(programs_compact(), STORE_CORRUPT);
    REFUSED(programs_remove("a"), NOT_FOUND);
    cr_assert_eq(programs_room().compacted, 0);
    OK(install_in_ram("m", 1, true));
    expect_order("corrupt");
    OK(programs_format());
    OK(programs_store());
    cr_assert_eq(info("m").state, PROGRAM_RUNNING);
    OK(install("a", 1, true));
    expect_order("emptied");
    board_power_up();
    expect_kept("a id 1001 on priority 2\n");
}

Test(programs, emptied_on_demand) {
    struct bytes blob = blob_of(1, -1);
    OK(install("a", 1, true));
    OK(send("b", blob, 1, false));
    OK(programs_format());
    expect_kept("");
    expect_order("emptied");
    uint32_t where;
    REFUSED(programs_commit(true, &where), NOT_FOUND);
    board_power_up();
    expect_kept("");
    free(blob.at);
}

Test(programs, a_board_without_a_store) {
    board.no_flash = true;
    board_power_up();
    cr_assert_eq(programs_store(), BPF_FLASH);
    REFUSED(install("a", 1, true), FLASH);
    REFUSED(programs_compact(), FLASH);
    REFUSED(programs_format(), FLASH);
    cr_assert_eq(programs_room().now, 0);
    OK(install_in_ram("m", 1, true));
    expect_order("RAM only");
}

Test(programs, a_damaged_program_is_refused) {
    OK(install("a", 1, true));
    const struct store_program *p = store_find(&manager.store, "a");
    uint32_t *word = &board.nor.word[manager.store.active][(p->offset + 200) / 4];
    while (!*word)
        word++;
    *word = 0;
    board_power_up();
    cr_assert_eq(info("a").state, PROGRAM_REFUSED);
    cr_assert_eq(info("a").status, BPF_BLOB_CRC);
    cr_assert(info("a").enabled);
    expect_order("damaged");
}

/* One bit more, and the program could have what nobody has granted: it waits for a new one. */
Test(programs, a_damaged_grant_is_not_believed) {
    OK(install("a", 1, true));
    const struct store_program *p = store_find(&manager.store, "a");
    uint32_t place = p->grant + (uint32_t)offsetof(struct bpf_grant, priority);
    uint8_t *byte = (uint8_t *)&board.nor.word[manager.store.active][place / 4] + place % 4;
    *byte ^= 1;
    board_power_up();
    cr_assert_eq(info("a").state, PROGRAM_REFUSED);
    cr_assert_eq(info("a").status, BPF_GRANT_STORED);
    struct bpf_grant grant = grant_of(2), is;
    REFUSED(programs_grant_of("a", &is), GRANT_STORED);
    REFUSED(programs_enable("a", true), GRANT_STORED);
    expect_order("grant damaged");
    OK(programs_grant("a", &grant));
    cr_assert_eq(info("a").state, PROGRAM_RUNNING);
    board_power_up();
    cr_assert_eq(info("a").state, PROGRAM_RUNNING);
    expect_order("granted anew");
}

/* ----- safe boot ------------------------------------------------------------------------------------------- */

Test(programs, the_button_loads_nothing) {
    OK(install("a", 1, true));
    OK(install("b", 2, false));
    board_reset(true);
    cr_assert_str_eq(programs_safe(), "the button was held");
    cr_assert_eq(board_domains(), 0);
    cr_assert_eq(info("a").state, PROGRAM_DISABLED);
    cr_assert(info("a").enabled);
    cr_assert(strstr(board.text, "safe boot"));
    OK(programs_enable("a", true)); /* by hand everything goes on */
    OK(programs_enable("b", true));
    cr_assert_eq(board_domains(), 2);
    expect_order("safe");
    board_reset(false);
    cr_assert_null(programs_safe());
    cr_assert_eq(board_domains(), 2);
}

Test(programs, three_boots_that_do_not_last) {
    OK(install("a", 1, true));
    board_power_up();
    for (int i = 0; i < 3; i++) {
        cr_assert_null(programs_safe());
        cr_assert_eq(board_domains(), 1);
        board_reset(false);
    }
    cr_assert_str_eq(programs_safe(), "three boots in a row did not last for ten seconds");
    cr_assert_eq(board_domains(), 0);
    board_reset(false);
    cr_assert_not_null(programs_safe(), "until it has lasted");
    health_good();
    board_reset(false);
    cr_assert_null(programs_safe());
    for (int i = 0; i < 10; i++) {
        programs_leave(); /* a restart that is meant */
        cr_assert_eq(board_domains(), 0);
        board_reset(false);
        cr_assert_null(programs_safe());
    }
}

/* Nothing was loaded, so it cannot be the programs. */
Test(programs, boots_without_programs_do_not_count) {
    OK(install("a", 1, false));
    for (int i = 0; i < 6; i++)
        board_reset(false);
    cr_assert_null(programs_safe());
}

Test(programs, noise_is_no_count) {
    extern struct health { uint32_t boots, check; } health;
    static const uint32_t noise[] = {0, UINT32_MAX, 3, 0x5a5a5a5a, 4};
    for (unsigned i = 0; i < 25; i++) {
        health.boots = noise[i % 5];
        health.check = noise[i / 5];
        cr_assert(health_begin(), "%u", i);
        cr_assert(health_begin());
        cr_assert(health_begin());
        cr_assert(!health_begin());
    }
}

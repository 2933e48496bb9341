/* SPDX-License-Identifier: MIT */
/* The arena's layout: what compiled code has in its instructions lies apart and aligned to 8. */
#include "thumb2/layout.h"

#include "bpf/arena.h"

#include <criterion/criterion.h>

static const uint8_t image[24];

static struct prog_data datas[] = {
    {.name = ".rodata", .image = image, .size = 5},
    {.name = ".data", .image = image, .size = 12, .writable = true},
    {.name = ".rodata.rel", .image = image, .size = 8, .relocated = true},
    {.name = ".rodata.2", .image = image, .size = 3},
    {.name = ".bss", .size = 9, .writable = true},
    {.name = ".rodata.zeros", .size = 2}, /* no image that could stay in the blob */
};
static struct prog_map maps[] = {{.name = "first", .bytes = 40}, {.name = "second", .bytes = 64}};
static struct prog_entry entries[] = {{.ctx_size = 12}, {.ctx_size = 29}, {.ctx_size = 4}};

static struct arena_layout laid_out(struct program *prog, uint32_t helpers) {
    struct arena_layout layout = {.nhelpers = 0};
    *prog = (struct program){.arena = arena_new(),
                             .datas = datas,
                             .ndatas = 6,
                             .maps = maps,
                             .nmaps = 2,
                             .entries = entries,
                             .nentries = 3};
    for (uint32_t id = 1; id <= helpers; id++)
        layout_add_helper(&layout, 10 * id);
    layout_finish(&layout, prog);
    return layout;
}

Test(layout, offsets) {
    for (uint32_t helpers = 0; helpers < 6; helpers++) {
        struct program prog;
        struct arena_layout l = laid_out(&prog, helpers);
        uint32_t off = (BPF_ARENA_SLOTS + 4 * helpers + 7) / 8 * 8;
        cr_expect_eq(l.data_off[1], off);
        cr_expect_eq(l.data_off[2], off + 16);
        cr_expect_eq(l.data_off[4], off + 24);
        cr_expect_eq(l.data_off[5], off + 40);
        cr_expect_eq(l.map_off[0], off + 48);
        cr_expect_eq(l.map_off[1], off + 88);
        cr_expect_eq(l.ctx_off, off + 152);
        cr_expect_eq(l.ctx_size, 32, "the largest of all programs");
        cr_expect_eq(l.size, off + 184);
        arena_free(prog.arena);
    }
}

Test(layout, data_in_code) {
    static const bool expected[] = {true, false, false, true, false, false};
    struct program prog;
    struct arena_layout l = laid_out(&prog, 0);
    for (uint32_t i = 0; i < prog.ndatas; i++)
        cr_expect_eq(l.data_in_code[i], expected[i], "%s", datas[i].name);
    cr_expect_eq(l.data_off[0], 0);
    cr_expect_eq(l.data_off[3], 8);
    cr_expect_eq(l.rodata_size, 16);
    arena_free(prog.arena);
}

Test(layout, slots) {
    struct program prog;
    struct arena_layout l = laid_out(&prog, 5);
    for (uint32_t id = 1; id <= 5; id++)
        cr_expect_eq(layout_slot(&l, 10 * id), BPF_ARENA_SLOTS + 4 * (id - 1));
    layout_add_helper(&l, 30);
    cr_expect_eq(l.nhelpers, 5, "a helper that is there already");
    arena_free(prog.arena);
}

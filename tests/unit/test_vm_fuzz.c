/* SPDX-License-Identifier: MIT */
/*
 * Untrusted bytecode against the host: random instructions, half of them pieces that make sense (a map's
 * address, a helper with plausible arguments, a callback), over an arena that earlier rounds have
 * scribbled on. Nothing is expected of a run but that it ends and stays in its memory: the sanitizers
 * look.
 */
#include "runtime/guest.h"

#include "bpf/helper.h"
#include "bpf/map.h"

#include <criterion/criterion.h>
#include <string.h>

#define ROUNDS 150000
#define BUDGET 10000
#define CHECK_EVERY 64 /* rounds with one arena */

static uint64_t seed = 88172645463325252ull;

static uint32_t below(uint32_t n) { /* xorshift64 */
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 20) % n;
}

static const struct prog_map maps[] = {
    {.type = BPF_MAP_HASH, .key_size = 3, .value_size = 5, .max_entries = 3},
    {.type = BPF_MAP_ARRAY, .key_size = 4, .value_size = 12, .max_entries = 3},
    {.type = BPF_MAP_PROG_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 4},
    {.type = BPF_MAP_LRU_HASH, .key_size = 8, .value_size = 8, .max_entries = 2},
    {.type = BPF_MAP_QUEUE, .value_size = 7, .max_entries = 3},
    {.type = BPF_MAP_STACK, .value_size = 8, .max_entries = 2},
    {.type = BPF_MAP_RINGBUF, .max_entries = 128},
};
#define MAPS (sizeof(maps) / sizeof(maps[0]))

static const uint8_t image[64] = "%d %s %-9x|%5c %p %llu %%";
static const struct prog_data datas[] = {
    {.name = ".rodata", .image = image, .size = 64, .align = 8},
    {.name = ".data", .image = image, .size = 64, .align = 8, .writable = true},
};
static const struct prog_reloc relocs[] = {
    {.kind = PROG_RELOC_PROG, .data = 2, .off = 0, .target = 0},
    {.kind = PROG_RELOC_PROG, .data = 2, .off = 1, .target = 1},
};
static const uint32_t entries[] = {0, 1};

/* 96 slots: functions at 0, 48 and 72. */
static struct guest *make_guest(void) {
    char text[4096] = "lddw %r0, func f\n call local g\n";
    for (int i = 3; i < 95; i++)
        strcat(text, i == 47 || i == 71 ? "exit\n"
                     : i == 48          ? "f: mov %r0, 0\n"
                     : i == 72          ? "g: mov %r0, 0\n"
                                        : "mov %r0, 0\n");
    strcat(text, "exit\n");
    return guest_new(&(struct guest_spec){.text = text,
                                          .maps = maps,
                                          .nmaps = MAPS,
                                          .datas = datas,
                                          .ndatas = 2,
                                          .relocs = relocs,
                                          .nrelocs = 2,
                                          .entries = entries,
                                          .nentries = 2,
                                          .mem_size = 64},
                     &(struct compile_options){.bytecode_only = true});
}

/* ------------------------------------------------------------------------------------- generator */

struct out {
    struct bpf_insn *code, *begin, *at, *end;
};

static void emit(struct out *o, uint8_t opcode, unsigned dst, unsigned src, int off, uint32_t imm) {
    if (o->at < o->end)
        *o->at++ = (struct bpf_insn){opcode, (uint8_t)(dst | src << 4), (int16_t)off, (int32_t)imm};
}

static uint32_t number(void) {
    static const uint32_t some[] = {
        0,  1,   2,   3,   4,    7,      8,          9,          16,         56,
        64, 120, 128, 512, 4095, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff};
    return below(4) ? some[below(20)] : below(0xffffffff);
}

/* Something for an argument: stack, map, data, function, number, what is there already. */
static void argument(struct out *o, unsigned reg) {
    switch (below(9)) {
    case 0:
    case 1:
    case 2:
        emit(o, 0xbf, reg, 10, 0, 0);
        emit(o, 0x07, reg, 0, 0, (uint32_t) - (int32_t)below(70));
        break;
    case 3: emit(o, 0x18, reg, BPF_PSEUDO_MAP, 0, below(MAPS + (below(20) == 0))); goto second;
    case 4:
        emit(o, 0x18, reg, BPF_PSEUDO_DATA, 0, below(2));
    second:
        emit(o, 0, 0, 0, 0, below(70));
        if (below(3) == 0)
            emit(o, 0x07, reg, 0, 0, below(40)); /* inside a map, somewhere */
        break;
    case 5:
        emit(o, 0x18, reg, BPF_PSEUDO_FUNC, 0, below(3));
        emit(o, 0, 0, 0, 0, 0);
        break;
    case 6:
    case 7: emit(o, 0xb7, reg, 0, 0, number()); break;
    default: break;
    }
}

/* The stack, .data, or somewhere in a map. */
static void memory_argument(struct out *o, unsigned reg) {
    if (below(3)) {
        emit(o, 0xbf, reg, 10, 0, 0);
        emit(o, 0x07, reg, 0, 0, (uint32_t) - (int32_t)(70 + below(30)));
        return;
    }
    bool data = below(2);
    emit(o, 0x18, reg, data ? BPF_PSEUDO_DATA : BPF_PSEUDO_MAP, 0, data ? 1 : below(MAPS));
    emit(o, 0, 0, 0, 0, data ? below(8) : 0);
    if (!data)
        emit(o, 0x07, reg, 0, 0, below(60));
}

static void map_argument(struct out *o, unsigned reg) {
    emit(o, 0x18, reg, BPF_PSEUDO_MAP, 0, below(MAPS));
    emit(o, 0, 0, 0, 0, 0);
}

static void helper_call(struct out *o) {
    size_t count;
    const struct bpf_helper *h;
    do
        h = bpf_helpers(&count) + below((uint32_t)count);
    while (h->id >= BPF_HELPER_INTERNAL_BASE && below(50));
    for (unsigned i = 0; i < h->nargs; i++)
        switch (below(40) ? h->arg[i] : BPF_ARG_NONE) {
        case BPF_ARG_MAP:
        case BPF_ARG_RINGBUF:
        case BPF_ARG_PROG_ARRAY: map_argument(o, i + 1); break;
        case BPF_ARG_FUNC:
            emit(o, 0x18, i + 1, BPF_PSEUDO_FUNC, 0, below(3));
            emit(o, 0, 0, 0, 0, 0);
            break;
        case BPF_ARG_SIZE:
        case BPF_ARG_SIZE0:
        case BPF_ARG_CONST_SIZE:
        case BPF_ARG_U32: emit(o, 0xb7, i + 1, 0, 0, below(5) ? below(70) : number()); break;
        case BPF_ARG_U64: emit(o, 0xb7, i + 1, 0, 0, below(4)); break;
        case BPF_ARG_RINGBUF_MEM: emit(o, 0xbf, i + 1, 6 + below(3), 0, 0); break;
        case BPF_ARG_STR:
            emit(o, 0x18, i + 1, BPF_PSEUDO_DATA, 0, below(2));
            emit(o, 0, 0, 0, 0, below(30));
            break;
        case BPF_ARG_NONE: argument(o, i + 1); break;
        default: below(12) ? memory_argument(o, i + 1) : argument(o, i + 1); break;
        }
    emit(o, 0x85, 0, 0, 0, h->id);
    if (below(2)) /* keeps a pointer that it may have returned */
        emit(o, 0xbf, 6 + below(3), 0, 0, 0);
}

static void piece(struct out *o) {
    static const uint8_t memory[] = {0x61, 0x69, 0x71, 0x79, 0x81, 0x89, 0x91, 0x62, 0x6a,
                                     0x72, 0x7a, 0x63, 0x6b, 0x73, 0x7b, 0xc3, 0xdb};
    static const uint8_t atomic[] = {0, 0x40, 0x50, 0xa0, 1, 0x41, 0x51, 0xa1, 0xe1, 0xf1};
    uint8_t opcode;
    switch (below(10)) {
    case 0:
    case 1:
    case 2:
    case 3: helper_call(o); break;
    case 4:
    case 5:
        opcode = memory[below(sizeof(memory))];
        emit(o, opcode, below(10), below(10), (int)below(100) - 60,
             opcode >= 0xc0 ? atomic[below(10)] : number());
        if (below(4) && o->at > o->begin) { /* mostly by r10, where there is memory */
            bool load = (opcode & 7) == 1;
            uint8_t regs = o->at[-1].regs;
            o->at[-1].regs = load ? (regs & 15) | 0xa0 : (regs & 0xf0) | 10;
            o->at[-1].off = (int16_t) - (int)(8 + below(60));
        } else if (below(3) && o->at > o->begin) { /* what a callback has been given */
            o->at[-1].regs = (uint8_t)((1 + below(3)) | (1 + below(3)) << 4);
            o->at[-1].off = (int16_t)below(60);
        }
        break;
    case 6: argument(o, below(10)); break;
    case 7:
        emit(o, (uint8_t)((below(14) << 4) | (below(2) << 3) | (below(2) ? 7 : 4)), below(10),
             below(11), below(8) ? 0 : 1, number());
        break;
    case 8:
        emit(o, (uint8_t)((below(14) << 4) | (below(2) << 3) | (below(2) ? 5 : 6)), below(10),
             below(11), (int)below(30) - 6, number());
        break;
    default:
        if (below(12)) {
            emit(o, 0x85, 0, 1, 0, (below(2) ? 48 : 72) - (uint32_t)(o->at - o->code) - 1);
            break;
        }
        emit(o, (uint8_t)below(256), below(16), below(16), (int)below(0x10000), number());
        break;
    }
}

/* The function in slots [start, start + count), or the first few of them. */
static void function(struct bpf_insn *code, uint32_t start, uint32_t count) {
    struct bpf_insn *first = code + start;
    struct out o = {code, first, first, first + 2 + below(count - 2)};
    while (o.at < o.end)
        piece(&o);
    if (below(4))
        emit(&(struct out){code, first, o.at - 1, o.at}, 0xb7, 0, 0, 0, 0); /* r0 = 0 */
    *o.at = (struct bpf_insn){.opcode = 0x95};
}

/* ----------------------------------------------------------------------------------------- rounds */

static uint64_t device(void *user, uint32_t id, const uint64_t args[5]) {
    (void)user;
    return id ^ args[0];
}

Test(vm_fuzz, nothing_leaves_its_memory, .timeout = 300) {
    struct guest *g = make_guest();
    unsigned ended[256] = {0};
    cr_assert_eq(guest_header(g)->bytecode.count, 96);
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint8_t memory[64];
        uint64_t r0;
        if (round % CHECK_EVERY == 0) {
            cr_assert_eq(guest_start(g), BPF_OK);
            bpf_host_set_budget(g->host, BUDGET);
            bpf_host_set_device(g->host, device, NULL);
        }
        /* the host's copy, in place: a new one each time would cost more than the run */
        struct bpf_insn *code = (void *)(uintptr_t)bpf_host_vm(g->host)->blob->bytecode;
        function(code, 0, 48);
        function(code, 48, 24);
        function(code, 72, 24);
        memset(memory, (int)below(256), sizeof(memory));
        ended[bpf_host_run(g->host, below(2), memory, below(65), &r0)]++;
        for (unsigned i = 0; i < MAPS; i++) { /* the host's own look at what is left */
            uint32_t size;
            struct bpf_map *map = guest_map(g, i);
            if (bpf_map_is_intact(map, &bpf_host_vm(g->host)->blob->maps[i]))
                bpf_ringbuf_read(map, &size);
        }
    }
    for (unsigned i = 0; i < 256; i++)
        if (ended[i])
            cr_log_info("%6u %s", ended[i], bpf_status_text((enum bpf_status)i));
    cr_expect_gt(ended[BPF_OK], ROUNDS / 100, "%u", ended[BPF_OK]);
    cr_expect_eq(ended[BPF_INTERNAL], 0);
    guest_free(g);
}

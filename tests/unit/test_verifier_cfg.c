/* SPDX-License-Identifier: MIT */
/*
 * Blocks, dominators, loops, order and live registers of the verifier: small functions by hand, random
 * ones against the definitions (dominators by taking a block away, loops by what gets to a latch, live
 * registers by going over the instructions until nothing changes), and large ones against the clock.
 */
#include "verifier/cfg.h"

#include "tests/unit/fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

TestSuite(verifier_cfg, .init = setup, .fini = teardown);

static struct cfg built(const struct program *p) {
    struct cfg cfg;
    uint32_t culprit;

    cr_assert(cfg_build(arena, p, 0, NULL, &cfg, &culprit), "irreducible at %u", culprit);
    return cfg;
}

/* ------------------------------------------------------------------------------------- by hand */

Test(verifier_cfg, straight) {
    struct cfg cfg = built(from_text("lddw r0, 1\nexit\nja -1"));

    cr_assert_eq(cfg.nblocks, 1);
    cr_expect_eq(cfg.blocks[0].start, 0);
    cr_expect_eq(cfg.blocks[0].last, 2);
    cr_expect_eq(cfg.blocks[0].end, 3);
    cr_expect_eq(cfg.blocks[0].nsucc, 0);
    cr_expect_eq(cfg.blocks[0].idom, CFG_NONE);
    cr_expect_eq(cfg.blocks[0].loop, CFG_NONE);
    cr_expect_eq(cfg.block_of[0], 0);
    cr_expect_eq(cfg.block_of[3], CFG_NONE);
    cr_expect_eq(cfg.nloops, 0);
}

/* A second half of lddw belongs to the block as a slot, but no block is at it. */
Test(verifier_cfg, second_halves) {
    struct cfg cfg = built(from_text("jeq r1, 0, +2\nlddw r0, 1\nlddw r0, 1\nexit"));

    cr_assert_eq(cfg.nblocks, 3);
    cr_expect_eq(cfg.blocks[1].start, 1);
    cr_expect_eq(cfg.blocks[1].end, 3);
    cr_expect_eq(cfg.blocks[1].last, 1);
    cr_expect_eq(cfg.block_of[1], 1);
    cr_expect_eq(cfg.block_of[2], CFG_NONE);
    cr_expect_eq(cfg.block_of[3], 2);
}

/* Fall-through stands first, both sides to the same block are two edges, calls end nothing. */
Test(verifier_cfg, edges) {
    struct cfg cfg =
        built(from_text("jeq r1, 0, a\ncall 5\nmov r1, 1\na:\njne r1, 1, b\nb:\nexit"));

    cr_assert_eq(cfg.nblocks, 4);
    cr_expect_eq(cfg.blocks[0].succ[0], 1);
    cr_expect_eq(cfg.blocks[0].succ[1], 2);
    cr_expect_eq(cfg.blocks[1].nsucc, 1);
    cr_expect_eq(cfg.blocks[2].nsucc, 2);
    cr_expect_eq(cfg.blocks[2].succ[0], 3);
    cr_expect_eq(cfg.blocks[2].succ[1], 3);
    cr_assert_eq(cfg.blocks[3].npreds, 2);
    cr_expect_eq(cfg.blocks[3].preds[1], 2);
    cr_expect_eq(cfg.blocks[2].idom, 0);
}

/* The inner loop's exits are in the outer one; the entry may be a header; latches of one header
 * make one loop. */
Test(verifier_cfg, loops) {
    struct cfg cfg = built(from_text("outer:\nadd r1, 1\n"               /* 0 */
                                     "inner:\njeq r1, 5, outer\n"        /* 1 */
                                     "jeq r1, 6, out\n"                  /* 2 */
                                     "jeq r1, 7, inner\nja inner\n"      /* 3, 4 */
                                     "out:\njeq r1, 8, outer\nexit\n")); /* 5, 6 */

    cr_assert_eq(cfg.nloops, 2);
    cr_expect_eq(cfg.loops[0].header, 0);
    cr_expect_eq(cfg.loops[0].parent, CFG_NONE);
    cr_expect_eq(cfg.loops[0].depth, 1);
    cr_expect_eq(cfg.loops[0].nlatches, 2);
    cr_expect_eq(cfg.loops[0].nblocks, 6);
    cr_expect_eq(cfg.loops[1].header, 1);
    cr_expect_eq(cfg.loops[1].parent, 0);
    cr_expect_eq(cfg.loops[1].depth, 2);
    cr_expect_eq(cfg.loops[1].nlatches, 2);
    cr_expect_eq(cfg.loops[1].nblocks, 4);
    cr_expect_eq(cfg.blocks[6].loop, CFG_NONE);
    cr_expect(cfg_in_loop(&cfg, 5, 0));
    cr_expect_not(cfg_in_loop(&cfg, 5, 1));
    cr_expect_not(cfg_in_loop(&cfg, 6, 0));
}

/* Both sides of one jump to the header: one latch, two edges. */
Test(verifier_cfg, double_latch) {
    struct cfg cfg = built(from_text("jeq r2, 0, +2\nl:\nadd r1, 1\njeq r1, 0, l\nexit"));
    cr_assert_eq(cfg.nloops, 1);
    cr_expect_eq(cfg.loops[0].nlatches, 1);
    cfg = built(from_text("l:\njeq r1, 0, l\nexit"));
    cr_expect_eq(cfg.loops[0].nlatches, 1);
    cr_expect_eq(cfg.blocks[0].npreds, 1);
}

Test(verifier_cfg, irreducible) {
    static const struct {
        const char *text;
        uint32_t culprit, or_else; /* either is right */
    } cases[] = {
        {"jeq r1, 0, b\na:\nadd r1, 1\nb:\njne r1, 9, a\nexit", 0, 0},
        {"top:\njeq r1, 0, b\na:\nadd r1, 1\nb:\njne r1, 9, a\njne r1, 4, top\nexit", 0, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cfg cfg;
        uint32_t culprit = 99;
        cr_assert_not(cfg_build(arena, from_text(cases[i].text), 0, NULL, &cfg, &culprit));
        cr_expect(culprit == cases[i].culprit || culprit == cases[i].or_else, "%zu: %u", i,
                  culprit);
    }
}

#define R(n) (1u << (n))
#define ARGS 0x3e

Test(verifier_cfg, effects) {
    static const struct {
        const char *text;
        uint16_t reads, writes;
    } cases[] = {
        {"mov r1, r2", R(2), R(1)},
        {"mov r1, 2", 0, R(1)},
        {"add r1, r2", R(1) | R(2), R(1)},
        {"add32 r1, 2", R(1), R(1)},
        {"neg r3", R(3), R(3)},
        {"movsx864 r4, r5", R(5), R(4)},
        {"be16 r4", R(4), R(4)},
        {"lddw r7, 1", 0, R(7)},
        {"ldxw r1, [r2+0]", R(2), R(1)},
        {"stxw [r1+0], r2", R(1) | R(2), 0},
        {"stw [r1+0], 2", R(1), 0},
        {"lock add [r1+0], r2", R(1) | R(2), 0},
        {"lock fetch add [r1+0], r2", R(1) | R(2), R(2)},
        {"lock xchg [r1+0], r2", R(1) | R(2), R(2)},
        {"lock cmpxchg [r1+0], r2", R(0) | R(1) | R(2), R(0)},
        {"jeq r1, r2, +0", R(1) | R(2), 0},
        {"jeq r1, 2, +0", R(1), 0},
        {"ja +0", 0, 0},
        {"call 5", 0, R(0) | ARGS},
        {"call 1", R(1) | R(2), R(0) | ARGS},
        {"call 9999", ARGS, R(0) | ARGS},
        {"call r6", R(6) | ARGS, R(0) | ARGS},
        {"exit", R(0), 0},
        {"call local f\nexit\nf:\nexit", R(3), R(0) | ARGS},
    };
    static const uint16_t live_args[] = {0, R(10) | R(3) | R(0)};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text = arena_printf(arena, "%s\nexit", cases[i].text);
        uint16_t reads, writes;
        cfg_effects(from_text(text), 0, live_args, &reads, &writes);
        cr_expect_eq(reads, cases[i].reads, "`%s` reads %#x", cases[i].text, reads);
        cr_expect_eq(writes, cases[i].writes, "`%s` writes %#x", cases[i].text, writes);
    }
}

Test(verifier_cfg, live) {
    struct program *p =
        from_text("mov r0, r3\nl:\nadd r0, r4\nsub r2, 1\njne r2, 0, l\ncall local f\n"
                  "exit\nf:\nexit");
    static const uint16_t live_args[] = {0, R(5)};
    struct cfg cfg;
    uint32_t culprit;

    cr_assert(cfg_build(arena, p, 0, live_args, &cfg, &culprit));
    cr_expect_eq(cfg.blocks[0].live_in, R(2) | R(3) | R(4) | R(5) | R(10));
    cr_expect_eq(cfg.blocks[1].live_in, R(0) | R(2) | R(4) | R(5) | R(10));
    cr_expect_eq(cfg_live_at(&cfg, p, 1, live_args), R(0) | R(2) | R(4) | R(5) | R(10));
    cr_expect_eq(cfg_live_at(&cfg, p, 2, live_args), R(0) | R(2) | R(4) | R(5) | R(10));
    cr_expect_eq(cfg_live_at(&cfg, p, 4, live_args), R(5) | R(10));
    cr_expect_eq(cfg_live_at(&cfg, p, 5, live_args), R(0) | R(10));
}

/* ------------------------------------------------------------------------------ random, naively */

#define MAX_BLOCKS 24
#define MAX_SLOTS 128

static uint64_t seed = 88172645463325252ull;

static uint32_t below(uint32_t n) { /* xorshift64 */
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 20) % n;
}

static struct bpf_decoded random_insn(void) {
    uint8_t dst = (uint8_t)below(10), src = (uint8_t)below(11);
    switch (below(7)) {
    case 0: return (struct bpf_decoded){.op = BPF_LDX, .width = 64, .dst = dst, .src = src};
    case 1: return (struct bpf_decoded){.op = BPF_STX, .width = 64, .dst = dst, .src = src};
    case 2: return (struct bpf_decoded){.op = BPF_CALL_HELPER, .imm = 1};
    case 3: return (struct bpf_decoded){.op = BPF_LDDW, .dst = dst, .imm = 1};
    case 4:
        return (struct bpf_decoded){
            .op = BPF_MOV, .width = 64, .src_reg = 1, .dst = dst, .src = src};
    case 5: return (struct bpf_decoded){.op = BPF_MOV, .width = 32, .dst = dst, .imm = 3};
    default:
        return (struct bpf_decoded){
            .op = BPF_ADD, .width = 64, .src_reg = 1, .dst = dst, .src = src};
    }
}

/* How a block ends; where jumps lead is filled in once starts are known. Most lead forward, those back
 * mostly to a block near, so that a good part of the functions is reducible. */
static uint32_t random_target(uint32_t from, uint32_t nblocks, uint32_t back) {
    if (below(100) < back)
        return below(3) ? from - below(from + 1 < 4 ? from + 1 : 4) : below(from + 1);
    if (from + 1 >= nblocks)
        return from;
    uint32_t ahead = nblocks - from - 1;
    return from + 1 + (below(2) ? below(ahead) : below(ahead < 3 ? ahead : 3));
}

static struct program *random_function(void) {
    uint32_t nblocks = 2 + below(MAX_BLOCKS - 2), count = 0, back = below(45);
    uint32_t start[MAX_BLOCKS], end[MAX_BLOCKS];
    struct bpf_insn insns[MAX_SLOTS];

    for (uint32_t i = 0; i < nblocks; i++) {
        start[i] = count;
        for (uint32_t k = below(3); k > 0; k--) {
            struct bpf_decoded d = random_insn();
            count += bpf_encode(&d, insns + count);
        }
        end[i] = count++;
    }
    for (uint32_t i = 0; i < nblocks; i++) {
        int32_t target = (int32_t)start[random_target(i, nblocks, back)] - (int32_t)end[i];
        struct bpf_decoded d = {.op = BPF_EXIT};
        if (i + 1 < nblocks && below(8)) {
            bool always = below(4) == 0;
            d = (struct bpf_decoded){.op = always ? BPF_JA : BPF_JEQ,
                                     .width = 64,
                                     .dst = always ? 0 : (uint8_t)below(10),
                                     .target = target};
        } else if (i + 1 == nblocks && below(3) == 0) {
            d = (struct bpf_decoded){.op = BPF_JA, .width = 64, .target = target};
        }
        bpf_encode(&d, insns + end[i]);
    }
    return from_insns(insns, count);
}

/* Single instructions as a graph, without anything of the code under test. */
static uint32_t slot_succs(const struct program *p, uint32_t slot, uint32_t out[2]) {
    const struct bpf_decoded *d = &p->decoded[slot];
    uint32_t n = 0;
    if (d->op != BPF_JA && d->op != BPF_EXIT)
        out[n++] = slot + d->len;
    if (d->op == BPF_JA || bpf_op_is_jcc(d->op))
        out[n++] = slot + (uint32_t)d->target;
    return n;
}

/* What can be reached from a slot by paths that do not enter `without` (or CFG_NONE). */
static void reach(const struct program *p, uint32_t from, uint32_t without, bool *seen) {
    uint32_t todo[MAX_SLOTS], n = 0;
    memset(seen, 0, MAX_SLOTS);
    if (from == without)
        return;
    seen[from] = true;
    todo[n++] = from;
    while (n) {
        uint32_t succ[2], k = slot_succs(p, todo[--n], succ);
        while (k-- > 0)
            if (succ[k] != without && !seen[succ[k]]) {
                seen[succ[k]] = true;
                todo[n++] = succ[k];
            }
    }
}

struct naive {
    bool reached[MAX_SLOTS];
    bool dominates[MAX_SLOTS][MAX_SLOTS]; /* slot a dominates slot b */
    bool leads[MAX_SLOTS][MAX_SLOTS];     /* by at least no step */
};

static struct naive naive;

static void find_naive(const struct program *p) {
    bool seen[MAX_SLOTS];
    reach(p, 0, CFG_NONE, naive.reached);
    for (uint32_t a = 0; a < p->ninsns; a++) {
        reach(p, 0, a, seen);
        for (uint32_t b = 0; b < p->ninsns; b++)
            naive.dominates[a][b] = naive.reached[a] && naive.reached[b] && !seen[b];
        reach(p, a, CFG_NONE, naive.leads[a]);
    }
}

/* Whether in a cycle that block `to` belongs to, which avoids slot `from`, no block is a way in for
 * all: then the edge between them is into its middle. */
static bool into_middle(const struct program *p, uint32_t from) {
    uint32_t succ[2], n = slot_succs(p, from, succ);
    for (uint32_t k = 0; k < n; k++) {
        bool after[MAX_SLOTS], back[MAX_SLOTS];
        reach(p, succ[k], from, after);
        for (uint32_t v = 0; v < p->ninsns; v++) {
            if (!after[v] || naive.dominates[v][succ[k]] || naive.dominates[succ[k]][v])
                continue;
            reach(p, v, from, back);
            if (back[succ[k]])
                return true;
        }
    }
    return false;
}

/* Irreducible: without the edges to a dominator a cycle remains (peeled off, slot after slot). */
static bool is_reducible(const struct program *p) {
    bool gone[MAX_SLOTS] = {false}, any = true;
    uint32_t left = 0;
    for (uint32_t i = 0; i < p->ninsns; i++)
        left += naive.reached[i];
    while (any) {
        any = false;
        for (uint32_t i = 0; i < p->ninsns; i++) {
            uint32_t succ[2], n = slot_succs(p, i, succ), ahead = 0;
            if (!naive.reached[i] || gone[i])
                continue;
            for (uint32_t k = 0; k < n; k++)
                ahead += !gone[succ[k]] && !naive.dominates[succ[k]][i];
            if (ahead == 0) {
                gone[i] = any = true;
                left--;
            }
        }
    }
    return left == 0;
}

static void check_blocks(const struct program *p, const struct cfg *cfg) {
    uint32_t covered = 0, slots = 0;
    for (uint32_t i = 0; i < p->ninsns; i++) {
        bool in = cfg->block_of[i] != CFG_NONE;
        cr_assert_eq(in, naive.reached[i]);
        slots += in ? p->decoded[i].len : 0;
    }
    for (uint32_t i = 0; i < cfg->nblocks; i++) {
        const struct cfg_block *block = &cfg->blocks[i];
        uint32_t succ[2], n = slot_succs(p, block->last, succ);
        cr_assert_eq(block->nsucc, n);
        for (uint32_t k = 0; k < n; k++) {
            cr_assert_eq(cfg->blocks[block->succ[k]].start, succ[k]);
            uint32_t times = 0;
            for (uint32_t j = 0; j < cfg->blocks[block->succ[k]].npreds; j++)
                times += cfg->blocks[block->succ[k]].preds[j] == i;
            cr_assert_eq(times, n == 2 && succ[0] == succ[1] ? 2 : 1);
        }
        cr_assert_eq(block->end, block->last + p->decoded[block->last].len);
        for (uint32_t s = block->start; s < block->end; s += p->decoded[s].len) {
            cr_assert_eq(cfg->block_of[s], i);
            cr_assert(s == block->last || slot_succs(p, s, succ) == 1);
        }
        covered += block->end - block->start;
    }
    cr_assert_eq(covered, slots);
    cr_assert_eq(cfg->blocks[0].start, 0);
}

static void check_dominators(const struct cfg *cfg) {
    for (uint32_t a = 0; a < cfg->nblocks; a++) {
        uint32_t idom = cfg->blocks[a].idom;
        cr_assert_eq(idom == CFG_NONE, a == 0);
        for (uint32_t b = 0; b < cfg->nblocks; b++) {
            bool truth = naive.dominates[cfg->blocks[a].start][cfg->blocks[b].start];
            cr_assert_eq(cfg_dominates(cfg, a, b), truth);
            if (a != 0 && b != a && naive.dominates[cfg->blocks[b].start][cfg->blocks[a].start])
                cr_assert(naive.dominates[cfg->blocks[b].start][cfg->blocks[idom].start]);
        }
        cr_assert(a == 0 || (idom != a && cfg_dominates(cfg, idom, a)));
    }
}

static bool has_edge(const struct cfg *cfg, uint32_t a, uint32_t b) {
    for (uint32_t k = 0; k < cfg->blocks[a].nsucc; k++)
        if (cfg->blocks[a].succ[k] == b)
            return true;
    return false;
}

/* A loop by definition: the header, and what gets to a latch without passing it. */
static bool belongs(const struct program *p, const struct cfg *cfg, uint32_t header,
                    uint32_t block) {
    bool seen[MAX_SLOTS];
    if (block == header)
        return true;
    reach(p, cfg->blocks[block].start, cfg->blocks[header].start, seen);
    for (uint32_t i = 0; i < cfg->nblocks; i++)
        if (seen[cfg->blocks[i].start] && has_edge(cfg, i, header) && cfg_dominates(cfg, header, i))
            return cfg_dominates(cfg, header, block);
    return false;
}

static void check_loops(const struct program *p, const struct cfg *cfg) {
    uint32_t nloops = 0, inner[MAX_SLOTS];
    for (uint32_t b = 0; b < cfg->nblocks; b++)
        inner[b] = CFG_NONE;
    for (uint32_t h = 0; h < cfg->nblocks; h++) {
        uint32_t nlatches = 0, size = 0;
        for (uint32_t b = 0; b < cfg->nblocks; b++)
            nlatches += has_edge(cfg, b, h) && cfg_dominates(cfg, h, b);
        if (nlatches == 0)
            continue;
        cr_assert_lt(nloops, cfg->nloops);
        const struct cfg_loop *loop = &cfg->loops[nloops];
        cr_assert_eq(loop->header, h);
        cr_assert_eq(loop->nlatches, nlatches);
        for (uint32_t i = 0; i < nlatches; i++) {
            cr_assert(has_edge(cfg, loop->latches[i], h) &&
                      cfg_dominates(cfg, h, loop->latches[i]));
            cr_assert(i == 0 || loop->latches[i - 1] < loop->latches[i]);
        }
        /* The loop around: the innermost one so far that its header is in. */
        cr_assert_eq(loop->parent, inner[h]);
        cr_assert_eq(loop->depth, inner[h] == CFG_NONE ? 1 : cfg->loops[inner[h]].depth + 1);
        for (uint32_t b = 0; b < cfg->nblocks; b++) {
            bool truth = belongs(p, cfg, h, b);
            cr_assert_eq(cfg_in_loop(cfg, b, nloops), truth);
            if (!truth)
                continue;
            inner[b] = nloops;
            cr_assert_lt(size, loop->nblocks);
            cr_assert_eq(loop->blocks[size++], b); /* ascending */
        }
        cr_assert_eq(size, loop->nblocks);
        cr_assert_eq(loop->blocks[size - 1], h + size - 1); /* together */
        nloops++;
    }
    cr_assert_eq(nloops, cfg->nloops);
    for (uint32_t b = 0; b < cfg->nblocks; b++)
        cr_assert_eq(cfg->blocks[b].loop, inner[b]);
}

/* Every edge leads on, but those to a header from inside of its loop. */
static void check_order(const struct cfg *cfg) {
    for (uint32_t a = 0; a < cfg->nblocks; a++)
        for (uint32_t k = 0; k < cfg->blocks[a].nsucc; k++)
            cr_assert(cfg->blocks[a].succ[k] > a || cfg_dominates(cfg, cfg->blocks[a].succ[k], a));
}

static void check_live(const struct program *p, const struct cfg *cfg) {
    uint16_t live[MAX_SLOTS] = {0};
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = p->ninsns; i-- > 0;) {
            uint32_t succ[2], n;
            uint16_t reads, writes, now = R(10);
            if (!naive.reached[i])
                continue;
            n = slot_succs(p, i, succ);
            while (n-- > 0)
                now |= live[succ[n]];
            cfg_effects(p, i, NULL, &reads, &writes);
            now = (uint16_t)((now & ~writes) | reads);
            changed |= now != live[i];
            live[i] = now;
        }
    }
    for (uint32_t i = 0; i < p->ninsns; i++)
        if (naive.reached[i])
            cr_assert_eq(cfg_live_at(cfg, p, i, NULL), live[i]);
    for (uint32_t i = 0; i < cfg->nblocks; i++)
        cr_assert_eq(cfg->blocks[i].live_in, live[cfg->blocks[i].start]);
}

Test(verifier_cfg, random) {
    unsigned refused = 0, rounds = 4000, loops = 0, nested = 0;

    for (unsigned round = 0; round < rounds; round++) {
        teardown();
        setup();
        struct program *p = random_function();
        struct cfg cfg;
        uint32_t culprit = CFG_NONE;
        find_naive(p);
        bool good = cfg_build(arena, p, 0, NULL, &cfg, &culprit);
        cr_assert_eq(good, is_reducible(p), "round %u", round);
        if (!good) {
            refused++;
            cr_assert(culprit < p->ninsns && into_middle(p, culprit), "round %u: %u", round,
                      culprit);
            continue;
        }
        check_blocks(p, &cfg);
        check_dominators(&cfg);
        check_loops(p, &cfg);
        check_order(&cfg);
        check_live(p, &cfg);
        loops += cfg.nloops;
        for (uint32_t i = 0; i < cfg.nloops; i++)
            nested += cfg.loops[i].depth > 2;
    }
    /* Both kinds must come often, or little has been tested. */
    cr_expect(refused > rounds / 10 && refused < rounds * 9 / 10, "%u refused", refused);
    cr_expect(loops > rounds / 2 && nested > 20, "%u loops, %u nested deep", loops, nested);
}

/* --------------------------------------------------------------------------------------- large */

#define SIZE 100000
#define LIMIT 2.0 /* seconds of CPU, with sanitizers; what is quadratic takes minutes */

struct code {
    struct bpf_insn *insns;
    uint32_t n;
};

static void put(struct code *code, struct bpf_decoded d) {
    code->n += bpf_encode(&d, code->insns + code->n);
}

static void put_jump(struct code *code, int32_t target) {
    put(code, (struct bpf_decoded){.op = BPF_JEQ, .width = 64, .dst = BPF_R2, .target = target});
}

static void put_ja(struct code *code, uint32_t to) {
    put(code,
        (struct bpf_decoded){.op = BPF_JA, .width = 32, .target = (int32_t)to - (int32_t)code->n});
}

static void put_add(struct code *code) {
    put(code, (struct bpf_decoded){
                  .op = BPF_ADD, .width = 64, .src_reg = 1, .dst = BPF_R0, .src = BPF_R2});
}

static void straight_line(struct code *code) {
    while (code->n < SIZE)
        put_add(code);
}

static void diamonds(struct code *code) {
    while (code->n < SIZE) {
        put_jump(code, 2);
        put_add(code);
    }
}

/* One block with very many predecessors: chains of else-ifs. */
static void exits(struct code *code) {
    while (code->n < SIZE) {
        put_jump(code, 2);
        put_ja(code, SIZE + 100);
    }
    while (code->n < SIZE + 100)
        put_add(code);
}

/* Loops inside each other, as deep as there is room: headers first, then their latches. */
static void nest(struct code *code) {
    for (uint32_t i = 0; i < SIZE / 3; i++)
        put_add(code);
    for (uint32_t i = 0; i < SIZE / 3; i++) {
        put_jump(code, 2);
        put_ja(code, SIZE / 3 - 1 - i);
    }
}

/* The same, and the innermost body leaves all of them, again and again. */
static void nest_left(struct code *code) {
    for (uint32_t i = 0; i < SIZE / 4; i++)
        put_add(code);
    for (uint32_t i = 0; i < SIZE / 8; i++) {
        put_jump(code, 2);
        put_ja(code, SIZE);
    }
    for (uint32_t i = 0; i < SIZE / 4; i++) {
        put_jump(code, 2);
        put_ja(code, SIZE / 4 - 1 - i);
    }
    while (code->n <= SIZE)
        put_add(code);
}

/* Loops one after another, in one. */
static void row(struct code *code) {
    put_add(code);
    while (code->n < SIZE) {
        put_add(code);
        put_jump(code, -1);
    }
    put_jump(code, 2);
    put_ja(code, 0);
}

static void run(void (*shape)(struct code *), uint32_t loops) {
    struct code code = {.insns = calloc(2 * SIZE, sizeof(struct bpf_insn))};
    struct cfg cfg;
    uint32_t culprit;

    shape(&code);
    put(&code, (struct bpf_decoded){.op = BPF_EXIT});
    struct program *p = from_insns(code.insns, code.n);
    clock_t start = clock();
    cr_assert(cfg_build(arena, p, 0, NULL, &cfg, &culprit), "irreducible at %u", culprit);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    cr_expect_eq(cfg.nloops, loops, "%u loops", cfg.nloops);
    cr_expect_lt(seconds, LIMIT, "%.2f s", seconds);
    if (getenv("CFG_TIMES"))
        fprintf(stderr, "%u slots, %u blocks, %u loops: %.1f ms, %.1f MB\n", code.n, cfg.nblocks,
                cfg.nloops, seconds * 1e3, (double)arena_used(arena) / 1e6);
    free(code.insns);
}

Test(verifier_cfg, large_straight) {
    run(straight_line, 0);
}
Test(verifier_cfg, large_diamonds) {
    run(diamonds, 0);
}
Test(verifier_cfg, large_exits) {
    run(exits, 0);
}
Test(verifier_cfg, large_nest) {
    run(nest, SIZE / 3);
}
Test(verifier_cfg, large_nest_left) {
    run(nest_left, SIZE / 4);
}
Test(verifier_cfg, large_row) {
    run(row, SIZE / 2 + 1);
}

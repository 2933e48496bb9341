/* SPDX-License-Identifier: MIT */
/*
 * The scan of a blob's compiled code (bpf/scan.h). The code is walked from range to range, instruction by
 * instruction, twice: the first walk looks at each instruction and marks where branches may land, the
 * second looks where branches land. With scratch memory for a part of the code only, both are done once
 * for each part.
 */
#include "bpf/scan.h"
#include "bpf/pause.h"

#include <assert.h>
#include <string.h>

#include "admitted.h"

enum { SP = 13, PC = 15, A_PAUSE = 16 /* instructions */ };

_Static_assert(BPF_FLOW_B8 == 0 && BPF_FLOW_CBZ + 1 == BPF_FLOW_BX &&
                   BPF_FLOW_BX + 1 == BPF_FLOW_BLX,
               "direct branches first, then those by register");

struct insn {
    uint32_t addr; /* offset in the code */
    uint32_t word; /* as in struct bpf_pattern */
    const struct bpf_admitted *row;
    uint32_t size; /* bytes */
    uint8_t it;    /* ITSTATE that it is executed under (ARM DDI0403, A7.3.3); 0: none */
};

struct scanner {
    const uint8_t *code;
    uint32_t size;
    uint8_t *landings;  /* a bit for each halfword of the part: a branch may lead here */
    uint32_t low, high; /* the part, as offsets in the code */
    bool checking;      /* the second walk */
    uint32_t where;     /* offset in the code of what is at fault */
};

/* ---- One instruction ------------------------------------------------------------------------- */

static bool has(uint32_t word, const struct bpf_pattern *pattern) {
    return (word & pattern->mask) == pattern->value;
}

static uint32_t nibble(uint32_t word, unsigned shift) {
    return word >> shift & 15;
}

static bool passes(uint32_t word, uint32_t checks) {
    uint32_t list = word & 0xffff;
    if (checks & BPF_SCAN_12_NOT_16 && nibble(word, 12) == nibble(word, 16))
        return false;
    if (checks & BPF_SCAN_12_NOT_8 && nibble(word, 12) == nibble(word, 8))
        return false;
    if (checks & BPF_SCAN_16_IS_0 && nibble(word, 16) != nibble(word, 0))
        return false;
    if (checks & BPF_SCAN_SP_FROM_SP && nibble(word, 8) == SP && nibble(word, 16) != SP)
        return false;
    if (checks & BPF_SCAN_TWO && !(list & (list - 1)))
        return false;
    return !(checks & BPF_SCAN_FIELD) ||
           ((word >> 10 & 0x1c) | (word >> 6 & 3)) + (word & 31) <= 31;
}

static bool is_admitted(const struct bpf_admitted *row, uint32_t word) {
    if (!has(word, &row->pattern))
        return false;
    for (uint32_t rest = row->excluded; rest; rest &= rest - 1)
        if (has(word, &bpf_excluded[__builtin_ctz(rest)]))
            return false;
    return passes(word, row->checks & ~(uint32_t)BPF_SCAN_NOT_IN_IT);
}

/* The row that admits a word whose first halfword begins with `byte`, or NULL. */
static const struct bpf_admitted *find_row(uint32_t word, uint32_t byte) {
    for (uint32_t i = bpf_admitted_first[byte]; i < bpf_admitted_first[byte + 1]; i++) {
        const struct bpf_admitted *row = &bpf_admitted[bpf_admitted_rows[i]];
        if (is_admitted(row, word))
            return row;
    }
    return NULL;
}

static uint32_t halfword(const struct scanner *s, uint32_t addr) {
    return s->code[addr] | (uint32_t)s->code[addr + 1] << 8;
}

/* Reads the instruction at insn->addr, below end. */
static bool decode(const struct scanner *s, uint32_t end, struct insn *insn) {
    uint32_t first = halfword(s, insn->addr);
    insn->word = first;
    insn->size = first >> 11 >= 0x1d ? 4 : 2; /* A5.1 */
    if (insn->size > end - insn->addr)
        return false;
    if (insn->size == 4)
        insn->word = first << 16 | halfword(s, insn->addr + 2);
    insn->row = find_row(insn->word, first >> 8);
    return insn->row && !(insn->it && insn->row->checks & BPF_SCAN_NOT_IN_IT);
}

static bool writes_pc(const struct insn *insn) {
    return insn->row->flow <= BPF_FLOW_BLX ||
           (insn->row->flow == BPF_FLOW_POP &&
            (insn->size == 2 ? insn->word >> 8 & 1 : insn->word >> PC & 1));
}

/* Control does not come to what follows. */
static bool is_end(const struct insn *insn) {
    switch (insn->row->flow) {
    case BPF_FLOW_B11:
    case BPF_FLOW_B24:
    case BPF_FLOW_BX:
    case BPF_FLOW_POP: return !insn->it && writes_pc(insn);
    case BPF_FLOW_UDF: return !insn->it;
    default: return false;
    }
}

static uint32_t sign_extend(uint32_t value, unsigned bits) {
    uint32_t sign = 1u << (bits - 1);
    return (value ^ sign) - sign;
}

/* What a direct branch adds to its address + 4 (A7.7.12, A7.7.18, A7.7.21). */
static uint32_t distance(const struct insn *insn) {
    uint32_t word = insn->word, sign = word >> 26 & 1, j1 = word >> 13 & 1, j2 = word >> 11 & 1;
    switch (insn->row->flow) {
    case BPF_FLOW_B8: return sign_extend(word & 0xff, 8) * 2;
    case BPF_FLOW_B11: return sign_extend(word & 0x7ff, 11) * 2;
    case BPF_FLOW_B20:
        return sign_extend(sign << 19 | j2 << 18 | j1 << 17 | (word >> 16 & 0x3f) << 11 |
                               (word & 0x7ff),
                           20) *
               2;
    case BPF_FLOW_B24:
    case BPF_FLOW_BL:
        return sign_extend(sign << 23 | (j1 ^ sign ^ 1) << 22 | (j2 ^ sign ^ 1) << 21 |
                               (word >> 16 & 0x3ff) << 11 | (word & 0x7ff),
                           24) *
               2;
    default: return (word >> 4 & 0x20) * 2 + (word >> 3 & 0x1f) * 2; /* CBZ: i:imm5 */
    }
}

/* ---- Landings -------------------------------------------------------------------------------- */

static bool in_part(const struct scanner *s, uint32_t addr) {
    return addr >= s->low && addr < s->high;
}

static void mark(struct scanner *s, uint32_t addr, bool landing) {
    uint32_t bit = (addr - s->low) / 2;
    if (!in_part(s, addr))
        return;
    if (landing)
        s->landings[bit / 8] |= (uint8_t)(1u << bit % 8);
    else
        s->landings[bit / 8] &= (uint8_t) ~(1u << bit % 8);
}

/* False also for what is even and in another part of the code: that is not looked at now. */
static bool is_bad_landing(const struct scanner *s, uint32_t addr) {
    uint32_t bit = (addr - s->low) / 2;
    if (addr % 2 || addr >= s->size)
        return true;
    return in_part(s, addr) && !(s->landings[bit / 8] >> bit % 8 & 1);
}

/* ---- Walks ----------------------------------------------------------------------------------- */

static enum bpf_status look(struct scanner *s, const struct insn *insn) {
    if (insn->it && (insn->it & 15) != 8 && writes_pc(insn))
        return BPF_BLOB_INSN; /* UNPREDICTABLE but at the end of its block */
    if (insn->row->flow == BPF_FLOW_LITERAL) {
        uint32_t place = ((insn->addr + 4) & ~3u) + (insn->word & 0xff) * 4;
        if (place >= s->size || s->size - place < 4)
            return BPF_BLOB_BRANCH;
    }
    if (!insn->it)
        mark(s, insn->addr, true);
    return BPF_OK;
}

static enum bpf_status check(struct scanner *s, const struct insn *insn) {
    if (insn->row->flow > BPF_FLOW_CBZ)
        return BPF_OK;
    return is_bad_landing(s, insn->addr + 4 + distance(insn)) ? BPF_BLOB_BRANCH : BPF_OK;
}

/* ITSTATE of the next instruction. */
static uint8_t next_it(const struct insn *insn) {
    if (insn->row->flow == BPF_FLOW_IT)
        return insn->word & 0xff;
    return insn->it & 7 ? (uint8_t)((insn->it & 0xe0) | (insn->it << 1 & 0x1f)) : 0;
}

/*
 * A range of code. Behind its last instruction that goes no further there is nothing but NOPs, to which no
 * branch leads: they would run on into data.
 */
static enum bpf_status walk_range(struct scanner *s, uint32_t start, uint32_t end) {
    struct insn insn = {.addr = start};
    uint32_t closed = 0; /* behind the last end, as long as only NOPs follow */
    for (uint32_t steps = 0; insn.addr < end; steps++) {
        s->where = insn.addr;
        if (steps % A_PAUSE == 0)
            bpf_pause();
        if (!decode(s, end, &insn))
            return BPF_BLOB_INSN;
        enum bpf_status status = s->checking ? check(s, &insn) : look(s, &insn);
        if (status != BPF_OK)
            return status;
        if (is_end(&insn))
            closed = insn.addr + insn.size;
        else if (insn.row->flow != BPF_FLOW_NOP)
            closed = 0;
        insn.it = next_it(&insn);
        insn.addr += insn.size;
    }
    s->where = start;
    if (insn.it)
        return BPF_BLOB_INSN;
    if (!closed)
        return BPF_BLOB_BRANCH;
    for (uint32_t addr = closed; addr < end && !s->checking; addr += 2)
        mark(s, addr, false);
    return BPF_OK;
}

static enum bpf_status walk(struct scanner *s, const struct blob *blob, bool checking) {
    s->checking = checking;
    for (uint32_t i = 0; i < blob->header->ranges.count; i++) {
        const struct blob_range *r = &blob->ranges[i];
        enum bpf_status status =
            r->kind == BLOB_RANGE_CODE ? walk_range(s, r->off, r->off + r->size) : BPF_OK;
        if (status != BPF_OK)
            return status;
    }
    return BPF_OK;
}

/* Where control comes in: programs, functions, code pointers. */
static const void *bad_entry(const struct scanner *s, const struct blob *blob) {
    for (uint32_t i = 0; i < blob->header->programs.count; i++)
        if (is_bad_landing(s, blob->programs[i].entry))
            return &blob->programs[i];
    for (uint32_t i = 0; i < blob->header->funcs.count; i++) {
        const struct blob_func *f = &blob->funcs[i];
        if ((f->entry != BLOB_NONE && is_bad_landing(s, f->entry)) ||
            (f->code != BLOB_NONE && is_bad_landing(s, f->code)))
            return f;
    }
    return NULL;
}

static enum bpf_status scan_part(struct scanner *s, const struct blob *blob, uint32_t *where) {
    memset(s->landings, 0, BPF_SCAN_SCRATCH(s->high - s->low));
    enum bpf_status status = walk(s, blob, false);
    if (status == BPF_OK)
        status = walk(s, blob, true);
    if (status != BPF_OK) {
        *where = blob->header->code.off + s->where;
        return status;
    }
    const uint8_t *row = bad_entry(s, blob);
    if (!row)
        return BPF_OK;
    *where = (uint32_t)(row - blob->base);
    return BPF_BLOB_BRANCH;
}

enum bpf_status bpf_scan(const struct blob *blob, void *scratch, size_t size, uint32_t *where) {
    struct scanner s = {.code = blob->code, .size = blob->header->code.count, .landings = scratch};
    uint32_t part = size < BPF_SCAN_SCRATCH_MAX ? (uint32_t)size * 16 : BLOB_MAX_SIZE;
    enum bpf_status status = BPF_OK;
    *where = 0;
    if (size == 0)
        return BPF_ARENA_SIZE;
    for (; s.low < s.size && status == BPF_OK; s.low = s.high) {
        s.high = s.size - s.low < part ? s.size : s.low + part;
        status = scan_part(&s, blob, where);
    }
    return status;
}

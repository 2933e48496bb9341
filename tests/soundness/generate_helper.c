/* SPDX-License-Identifier: MIT */
/* Random programs: maps, records, buffers, calls of functions and by helpers. */
#include "soundness/generate.h"

#include "bpf/helper.h"
#include "bpf/map.h"

static const uint32_t value_sizes[] = {ARRAY_VALUE, HASH_VALUE, LRU_VALUE};

/* ---- Maps */

static void memory_argument(struct generator *g, unsigned r, uint32_t bytes, bool written);

/* r1: the map, r2: a key of it on the stack, which mostly is there. */
static void map_and_key(struct generator *g, uint32_t map) {
    int off = KEY_AT;
    if (chance(g, g->held ? 50 : 15)) {
        memory_argument(g, BPF_R2, map == MAP_LRU ? 8 : 4, false);
        lddw(g, BPF_R1, BPF_PSEUDO_MAP, map, 0);
        set_unset(g, BPF_R1);
        set_unset(g, BPF_R2);
        return;
    }
    if (map == MAP_LRU || !g->written[9])
        write_words(g, 8, 2);
    if (chance(g, 50)) {
        memory(g, BPF_ST, 4, BPF_R10, 0, off, pick(g, 5));
    } else {
        unsigned key = (unsigned)number_register(g);
        if (chance(g, 60))
            alu_imm(g, BPF_AND, width(g), key, chance(g, 80) ? 3 : 7);
        memory(g, BPF_STX, chance(g, 80) ? 4 : 8, BPF_R10, key, off, 0);
    }
    alu_reg(g, BPF_MOV, 64, BPF_R2, BPF_R10);
    alu_imm(g, BPF_ADD, 64, BPF_R2, off);
    lddw(g, BPF_R1, BPF_PSEUDO_MAP, map, 0);
    set_unset(g, BPF_R1);
    set_unset(g, BPF_R2);
}

/* A look-up whose result is used at once, or held in r7. */
void do_lookup(struct generator *g) {
    uint32_t map = pick(g, 3), bytes = value_sizes[map];
    map_and_key(g, map);
    helper(g, BPF_FUNC_MAP_LOOKUP_ELEM);
    unsigned tested = 0;
    if (chance(g, 30)) { /* a copy is tested */
        alu_reg(g, BPF_MOV, 64, BPF_R6, 0);
        set_unset(g, BPF_R6);
        tested = chance(g, 50) ? BPF_R6 : 0;
    }
    if (chance(g, 15)) { /* or what was spilled meanwhile */
        memory(g, BPF_STX, 8, BPF_R10, 0, FOUND_AT, 0);
        memory(g, BPF_LDX, 8, 0, BPF_R10, FOUND_AT, 0);
    }
    if (!g->record && !g->held && chance(g, 60)) {
        jump_out(g, BPF_JEQ, 64, tested, -1, 0);
        alu_reg(g, BPF_MOV, 64, BPF_R7, 0);
        g->reg[BPF_R7] = POINTER;
        g->held = bytes;
        g->held_constant = false;
        do_held(g);
        return;
    }
    uint32_t skip = UINT32_MAX;
    if (chance(g, 98))
        skip = jump(g, chance(g, 98) ? BPF_JEQ : BPF_JNE, 64, tested, -1, 0);
    struct beliefs before = believe(g);
    unsigned s = size(g);
    access(g, 0, s, (int)(s * pick(g, bytes / s)) + (chance(g, 2) ? 8 : 0), false);
    land(g, skip);
    join(g, &before);
    set_unset(g, 0);
}

/* Elements from one look-up, in two iterations or calls, or from two: compared as if they were one. */
void do_two_lookups(struct generator *g) {
    if (g->counting || g->record || g->depth > 3)
        return;
    uint32_t map = pick(g, 3);
    bool twice = chance(g, 85);
    int at = FOUND_AT;
    memory(g, BPF_ST, 8, BPF_R10, 0, at, 0);
    alu_imm(g, BPF_MOV, 64, BPF_R8, 0);
    g->counting = true;
    struct beliefs before = believe(g);
    uint32_t top = g->count;
    map_and_key(g, map);
    if (chance(g, 80)) /* another one in each iteration */
        memory(g, BPF_STX, 4, BPF_R10, BPF_R8, KEY_AT, 0);
    helper(g, BPF_FUNC_MAP_LOOKUP_ELEM);
    jump_out(g, BPF_JEQ, 64, 0, -1, 0);
    memory(g, BPF_LDX, 8, BPF_R1, BPF_R10, at, 0);
    uint32_t skip = jump(g, BPF_JEQ, 64, BPF_R1, -1, 0);
    if (chance(g, 85)) {
        memory(g, BPF_LDX, 1, BPF_R2, BPF_R1, (int)pick(g, value_sizes[map]), 0);
    } else { /* tells an address, unless both are one element */
        alu_reg(g, BPF_MOV, 64, BPF_R2, 0);
        alu_reg(g, BPF_SUB, 64, BPF_R2, BPF_R1);
    }
    land(g, skip);
    memory(g, BPF_STX, 8, BPF_R10, 0, at, 0);
    if (twice) {
        alu_imm(g, BPF_ADD, 64, BPF_R8, 1);
        uint32_t back = jump(g, BPF_JLT, 64, BPF_R8, -1, 3);
        g->code[back].target = (int32_t)(top - back);
    }
    g->counting = false;
    set_unset(g, 0);
    join(g, &before);
}

static void value_argument(struct generator *g, unsigned r, uint32_t value_bytes) {
    if (chance(g, 40)) { /* a value of a map, or its key, for instance: of this one, too */
        uint16_t pinned = g->pinned;
        g->pinned |= 1 << BPF_R1 | 1 << BPF_R2;
        memory_argument(g, r, value_bytes, false);
        g->pinned = pinned;
    } else {
        write_words(g, 0, 3);
        alu_reg(g, BPF_MOV, 64, r, BPF_R10);
        alu_imm(g, BPF_ADD, 64, r, chance(g, 97) ? -24 : -8);
    }
    set_unset(g, r);
}

/* Update, delete, push, pop, peek. */
void do_map(struct generator *g) {
    static const uint32_t queue_helpers[] = {BPF_FUNC_MAP_PUSH_ELEM, BPF_FUNC_MAP_POP_ELEM,
                                             BPF_FUNC_MAP_PEEK_ELEM};
    if (chance(g, 50)) {
        uint32_t map = chance(g, 97) ? pick(g, 3) : MAP_QUEUE;
        map_and_key(g, map);
        if (map != MAP_ARRAY && chance(g, 40)) {
            helper(g, BPF_FUNC_MAP_DELETE_ELEM);
        } else {
            value_argument(g, BPF_R3, map == MAP_QUEUE ? QUEUE_VALUE : value_sizes[map]);
            alu_imm(g, BPF_MOV, 64, BPF_R4, pick(g, 3));
            helper(g, BPF_FUNC_MAP_UPDATE_ELEM);
        }
    } else {
        uint32_t id = queue_helpers[pick(g, 3)];
        int off = -8 * (int)(1 + pick(g, 4)); /* what is popped may be there for the first time */
        lddw(g, BPF_R1, BPF_PSEUDO_MAP, chance(g, 50) ? MAP_QUEUE : MAP_STACK, 0);
        if (id == BPF_FUNC_MAP_PUSH_ELEM) {
            value_argument(g, BPF_R2, LRU_VALUE);
        } else {
            alu_reg(g, BPF_MOV, 64, BPF_R2, BPF_R10);
            alu_imm(g, BPF_ADD, 64, BPF_R2, off < -16 || chance(g, 90) ? off - 8 : off);
        }
        alu_imm(g, BPF_MOV, 64, BPF_R3, pick(g, 3));
        helper(g, id);
        if (id != BPF_FUNC_MAP_PUSH_ELEM && off < -8)
            memory(g, BPF_LDX, 8, BPF_R6, BPF_R10, off - 8, 0), set_number(g, BPF_R6);
    }
    set_number(g, 0);
}

/* ---- Ring buffer */

static void give_back(struct generator *g, unsigned r) {
    if (r != BPF_R1)
        alu_reg(g, BPF_MOV, 64, BPF_R1, r);
    alu_imm(g, BPF_MOV, 64, BPF_R2, 0);
    helper(g, chance(g, 70) ? BPF_FUNC_RINGBUF_SUBMIT : BPF_FUNC_RINGBUF_DISCARD);
    set_number(g, 0);
}

/* A record that is reserved, written and given back, mostly. */
void do_record(struct generator *g) {
    if (g->record || g->depth > 3)
        return;
    uint32_t bytes = 8 * (1 + pick(g, 4));
    lddw(g, BPF_R1, BPF_PSEUDO_MAP, MAP_RING, 0);
    alu_imm(g, BPF_MOV, 64, BPF_R2, bytes);
    alu_imm(g, BPF_MOV, 64, BPF_R3, chance(g, 90) ? 0 : 1);
    helper(g, BPF_FUNC_RINGBUF_RESERVE);
    alu_reg(g, BPF_MOV, 64, BPF_R7, 0);
    set_unset(g, BPF_R7);
    int at = RECORD_AT;
    bool spilled = chance(g, 20);
    if (spilled)
        memory(g, BPF_STX, 8, BPF_R10, BPF_R7, at, 0);
    struct beliefs before = believe(g);
    if (chance(g, 30)) { /* something between, which both ways do */
        g->reg[BPF_R7] = POINTER;
        g->record = true;
        do_load(g);
        do_spill(g);
        g->record = false;
        g->reg[BPF_R7] = UNSET;
    }
    uint32_t skip = jump(g, BPF_JEQ, 64, chance(g, 50) ? BPF_R7 : 0, -1, 0);
    if (g->code[skip].dst == 0 && g->reg[0] != UNSET)
        g->code[skip].dst = BPF_R7; /* r0 has been used meanwhile */
    g->reg[BPF_R7] = POINTER;
    g->held = bytes;
    g->held_constant = false;
    g->record = true;
    statements(g, 1 + pick(g, 3));
    if (spilled && chance(g, 50)) {
        memory(g, BPF_LDX, 8, BPF_R7, BPF_R10, at, 0);
        g->reg[BPF_R7] = POINTER;
        g->held = bytes;
    }
    if (g->held && chance(g, 98))
        give_back(g, BPF_R7);
    if (g->held && chance(g, 3)) /* too late */
        do_held(g);
    if (spilled && chance(g, 3))
        memory(g, BPF_LDX, 8, BPF_R7, BPF_R10, at, 0);
    g->record = false;
    g->held = 0;
    set_unset(g, BPF_R7);
    land(g, skip);
    join(g, &before);
}

/* ---- Memory with a size */

/* r becomes a size of at most `most`. The jump around what uses it, or UINT32_MAX. */
static uint32_t size_argument(struct generator *g, unsigned r, uint32_t most) {
    if (chance(g, 40)) {
        alu_imm(g, BPF_MOV, width(g), r, 1 + pick(g, most) + (chance(g, 2) ? most : 0));
        return UINT32_MAX;
    }
    unsigned from = (unsigned)number_register(g);
    alu_reg(g, BPF_MOV, 64, r, from);
    return bound(g, r, most);
}

/* r becomes the address of at least `bytes` bytes that a helper reads, or writes. */
static void memory_argument(struct generator *g, unsigned r, uint32_t bytes, bool written) {
    struct region region = any_region(g);
    bool fits = region.size >= bytes && (!written || !region.constant || chance(g, 2));
    if (g->held >= bytes && (!written || !g->held_constant) && chance(g, 70)) {
        region = (struct region){.size = g->held, .kind = REGION_HELD};
    } else if (!fits || chance(g, 50)) {
        write_words(g, 0, 4);
        region = (struct region){.size = 32, .kind = REGION_STACK, .off = -32};
    }
    region_base(g, &region, r);
    if (region.size > bytes)
        alu_imm(g, BPF_ADD, 64, r, pick(g, region.size - bytes + 1));
}

/* r becomes a format; mostly one that takes numbers only. */
static void format_argument(struct generator *g, unsigned r) {
    static const uint8_t formats[] = FORMATS_AT;
    unsigned choice = pick(g, 100);
    if (choice < 30) {
        lddw(g, r, BPF_PSEUDO_DATA, DATA_TEXT, choice ? FORMAT_AT : DATA_BYTES);
        return;
    }
    uint32_t at = choice < 94 ? formats[choice % 2    ? 1
                                        : choice < 65 ? 4
                                                      : 0]
                              : formats[2 + choice % 2];
    lddw(g, r, BPF_PSEUDO_DATA, DATA_FORMATS, (int)at);
    if (choice == 93) { /* anywhere in them */
        unsigned i = (unsigned)number_register(g);
        alu_imm(g, BPF_AND, 64, i, 15);
        alu_reg(g, BPF_ADD, 64, r, i);
    }
}

/* Into bytes that need not be there before, or into what is read at the same time. */
static void print_into(struct generator *g) {
    uint32_t numbers = chance(g, 95) ? pick(g, 4) : 5;
    memory_argument(g, BPF_R4, 8 * numbers, false);
    g->pinned |= 1 << BPF_R4;
    if (chance(g, 70)) {
        alu_reg(g, BPF_MOV, 64, BPF_R1, BPF_R10);
        alu_imm(g, BPF_ADD, 64, BPF_R1, chance(g, 50) ? -64 : -32);
    } else {
        memory_argument(g, BPF_R1, 32, true);
    }
    alu_reg(g, BPF_MOV, 64, BPF_R2, BPF_R6);
    g->pinned |= 1 << BPF_R1 | 1 << BPF_R2;
    format_argument(g, BPF_R3);
    alu_imm(g, BPF_MOV, 64, BPF_R5, 8 * numbers);
    helper(g, BPF_FUNC_SNPRINTF);
}

/* To the log, with numbers in registers or in memory. */
static void print_log(struct generator *g, bool memory) {
    static const uint8_t formats[] = FORMATS_AT;
    static const uint8_t sizes[] = {5, 6, 5, 8, 8};
    unsigned choice = chance(g, 98) ? 2 * pick(g, 3) % 5 : 3;
    choice = choice == 2 ? 1 : choice;
    if (memory) {
        memory_argument(g, BPF_R3, 24, false);
        alu_imm(g, BPF_MOV, 64, BPF_R4, 8 * pick(g, 4));
    } else {
        for (unsigned r = BPF_R3; r < BPF_R5 + (chance(g, 90) ? 0 : 1); r++)
            alu_imm(g, BPF_MOV, 64, r, constant(g));
    }
    lddw(g, BPF_R1, BPF_PSEUDO_DATA, DATA_FORMATS, formats[choice]);
    alu_imm(g, BPF_MOV, 64, BPF_R2, sizes[choice]);
    helper(g, memory ? BPF_FUNC_TRACE_VPRINTK : BPF_FUNC_TRACE_PRINTK);
}

/* Output, formatting and comparison of as many bytes as a number says, which may be 0. */
void do_buffer(struct generator *g) {
    unsigned kind = pick(g, 5);
    uint16_t pinned = g->pinned;
    write_words(g, 0, 4);
    struct beliefs written = believe(g);
    uint32_t skip = size_argument(g, BPF_R6, 32);
    set_unset(g, BPF_R6);
    if (kind == 0) {
        memory_argument(g, BPF_R2, 32, false);
        lddw(g, BPF_R1, BPF_PSEUDO_MAP, MAP_RING, 0);
        alu_reg(g, BPF_MOV, 64, BPF_R3, BPF_R6);
        alu_imm(g, BPF_MOV, 64, BPF_R4, 0);
        helper(g, BPF_FUNC_RINGBUF_OUTPUT);
    } else if (kind == 1) {
        print_into(g);
    } else if (kind == 2) {
        memory_argument(g, BPF_R1, 32, false);
        alu_reg(g, BPF_MOV, 64, BPF_R2, BPF_R6);
        lddw(g, BPF_R3, BPF_PSEUDO_DATA, DATA_TEXT, WORD_AT);
        helper(g, BPF_FUNC_STRNCMP);
    } else if (kind == 3) {
        memory_argument(g, BPF_R2, 32, false);
        alu_imm(g, BPF_MOV, 64, BPF_R1, 2);
        alu_reg(g, BPF_MOV, 64, BPF_R3, BPF_R6);
        helper(g, BPF_FUNC_UART_WRITE);
    } else {
        print_log(g, chance(g, 50));
    }
    g->pinned = pinned;
    set_number(g, 0);
    land(g, skip);
    for (unsigned i = 0; i < WORDS; i++) /* on both ways or on none */
        g->written[i] &= written.written[i];
    join(g, &written);
}

/* Helpers that take numbers. */
void do_small_helper(struct generator *g) {
    static const uint32_t ids[] = {BPF_FUNC_GET_PRANDOM_U32, BPF_FUNC_KTIME_GET_NS,
                                   BPF_FUNC_GPIO_READ,       BPF_FUNC_GPIO_WRITE,
                                   BPF_FUNC_GPIO_TOGGLE,     BPF_FUNC_LED_SET,
                                   BPF_FUNC_PWM_SET,         BPF_FUNC_ADC_READ,
                                   BPF_FUNC_ENCODER_READ,    BPF_FUNC_GET_SMP_PROCESSOR_ID};
    unsigned count = sizeof(ids) / sizeof(ids[0]), choice = pick(g, count + 3);
    if (choice < count) {
        alu_imm(g, BPF_MOV, 64, BPF_R1, pick(g, 4));
        alu_imm(g, BPF_MOV, 64, BPF_R2, pick(g, 4));
        helper(g, ids[choice]);
    } else if (choice == count) {
        lddw(g, BPF_R1, BPF_PSEUDO_MAP, MAP_RING, 0);
        alu_imm(g, BPF_MOV, 64, BPF_R2, pick(g, 5));
        helper(g, BPF_FUNC_RINGBUF_QUERY);
    } else if (choice == count + 1) {
        memory_argument(g, BPF_R1, 6, true);
        alu_imm(g, BPF_MOV, 64, BPF_R2, 6);
        helper(g, BPF_FUNC_ACCEL_READ);
    } else {
        alu_reg(g, BPF_MOV, 64, BPF_R1, BPF_R10);
        alu_imm(g, BPF_ADD, 64, BPF_R1, -8);
        alu_imm(g, BPF_MOV, 64, BPF_R2, chance(g, 97) ? 6 : 8);
        helper(g, BPF_FUNC_ACCEL_READ);
    }
    set_number(g, 0);
}

/* ---- Calls */

/* A function of this kind behind the running one, or 0. */
static uint32_t find(struct generator *g, enum func_kind kind) {
    uint32_t found[SOURCE_FUNCS], n = 0;
    for (uint32_t f = g->func + 1; f < g->out->nfuncs; f++)
        if (g->out->kind[f] == kind)
            found[n++] = f;
    return n && g->ncalls < FIXUPS_MAX ? found[pick(g, n)] : 0;
}

static void name_function(struct generator *g, uint32_t func) {
    g->calls[g->ncalls++] = (struct fixup){g->count, func};
}

/* r1: a number, r2: 16 bytes of the stack, or what this function has of its caller's. */
static void call_arguments(struct generator *g) {
    unsigned r = (unsigned)number_register(g);
    enum func_kind kind = kind_of(g);
    write_words(g, 8, 2);
    alu_reg(g, BPF_MOV, 64, BPF_R1, r);
    if ((kind == FUNC_SUB || kind == FUNC_TABLE) && chance(g, 50)) {
        alu_reg(g, BPF_MOV, 64, BPF_R2, BPF_R9);
    } else {
        alu_reg(g, BPF_MOV, 64, BPF_R2, BPF_R10);
        alu_imm(g, BPF_ADD, 64, BPF_R2, WORDS_AT);
    }
    set_unset(g, BPF_R1);
    set_unset(g, BPF_R2);
}

static void forget_arguments(struct generator *g) {
    for (unsigned r = BPF_R1; r <= BPF_R5; r++)
        set_unset(g, r);
    set_number(g, 0);
}

/* Through a register: of a function's address, out of the table, or a helper's number. */
static void indirect_call(struct generator *g) {
    uint32_t func = find(g, FUNC_TABLE);
    unsigned kind = pick(g, 3);
    if (kind == 0) {
        alu_imm(g, BPF_MOV, 64, BPF_R3, BPF_FUNC_GET_PRANDOM_U32);
    } else if (!func) {
        return;
    } else {
        unsigned i = (unsigned)number_register(g);
        if (kind == 1) {
            call_arguments(g);
            name_function(g, func);
            lddw(g, BPF_R3, BPF_PSEUDO_FUNC, 0, 0);
        } else {
            bool all = true; /* the table has functions in front of this one, too: no recursion */
            for (uint32_t f = 0; f <= g->func; f++)
                all &= g->out->kind[f] != FUNC_TABLE;
            if (!all || i < BPF_R6)
                return;
            call_arguments(g);
            alu_imm(g, BPF_AND, 64, i, chance(g, 97) ? 3 : 7);
            alu_imm(g, BPF_LSH, 64, i, 3);
            lddw(g, BPF_R3, BPF_PSEUDO_DATA, DATA_FUNCS, 0);
            alu_reg(g, BPF_ADD, 64, BPF_R3, i);
            memory(g, BPF_LDX, 8, BPF_R3, BPF_R3, 0, 0);
        }
    }
    emit(g, (struct bpf_decoded){.op = BPF_CALLX, .dst = BPF_R3});
    forget_arguments(g);
}

void do_call(struct generator *g) {
    if (chance(g, 35)) {
        indirect_call(g);
        return;
    }
    uint32_t func = find(g, FUNC_SUB);
    if (!func)
        return;
    call_arguments(g);
    name_function(g, func);
    emit(g, (struct bpf_decoded){.op = BPF_CALL_LOCAL});
    forget_arguments(g);
}

/* Two elements that one function has found, which need not be the same. */
void do_find(struct generator *g) {
    uint32_t func = find(g, FUNC_FIND);
    if (!func || g->record)
        return;
    for (int i = 0; i < 2; i++) {
        alu_reg(g, BPF_MOV, 64, BPF_R1, (unsigned)number_register(g));
        name_function(g, func);
        emit(g, (struct bpf_decoded){.op = BPF_CALL_LOCAL});
        forget_arguments(g);
        set_unset(g, 0);
        jump_out(g, BPF_JEQ, 64, 0, -1, 0);
        if (i == 0) {
            alu_reg(g, BPF_MOV, 64, BPF_R6, 0);
            set_unset(g, BPF_R6);
        }
        if (i == 0 && chance(g, 60))
            break;
    }
    g->pinned |= 1 << BPF_R6;
    if (chance(g, 90)) {
        access(g, 0, 4, (int)pick(g, HASH_VALUE - 3), false);
    } else {
        alu_reg(g, BPF_SUB, 64, 0, BPF_R6);
        g->pinned &= (uint16_t) ~(1u << BPF_R6);
        set_number(g, 0);
        return;
    }
    g->pinned &= (uint16_t) ~(1u << BPF_R6);
    access(g, BPF_R6, 4, (int)pick(g, HASH_VALUE - 3), false);
    set_unset(g, BPF_R6);
    set_unset(g, 0);
}

/* What function() writes at the end of such a one. */
void find_element(struct generator *g) {
    unsigned key = (unsigned)number_register(g);
    write_words(g, 8, 2);
    memory(g, BPF_STX, 4, BPF_R10, key, KEY_AT, 0);
    alu_reg(g, BPF_MOV, 64, BPF_R2, BPF_R10);
    alu_imm(g, BPF_ADD, 64, BPF_R2, KEY_AT);
    lddw(g, BPF_R1, BPF_PSEUDO_MAP, MAP_HASH, 0);
    helper(g, BPF_FUNC_MAP_LOOKUP_ELEM);
}

void do_callback(struct generator *g) {
    bool each = chance(g, 50);
    uint32_t func = find(g, each ? FUNC_EACH : FUNC_LOOP);
    if (!func)
        return;
    write_words(g, 8, 2);
    if (each) {
        lddw(g, BPF_R1, BPF_PSEUDO_MAP, chance(g, 80) ? pick(g, 3) : MAP_JOBS, 0);
    } else if (chance(g, 50)) {
        alu_imm(g, BPF_MOV, 64, BPF_R1, 1 + pick(g, 12));
    } else {
        alu_reg(g, BPF_MOV, 64, BPF_R1, (unsigned)number_register(g));
        if (chance(g, 95))
            alu_imm(g, BPF_AND, width(g), BPF_R1, 15);
    }
    set_unset(g, BPF_R1);
    name_function(g, func);
    lddw(g, BPF_R2, BPF_PSEUDO_FUNC, 0, 0);
    alu_reg(g, BPF_MOV, 64, BPF_R3, BPF_R10);
    alu_imm(g, BPF_ADD, 64, BPF_R3, WORDS_AT);
    if (chance(g, 20)) /* no stack; or 8 bytes too few */
        lddw(g, BPF_R3, BPF_PSEUDO_DATA, DATA_VAR, chance(g, 97) ? (int)pick(g, 17) : 24);
    alu_imm(g, BPF_MOV, 64, BPF_R4, chance(g, 98) ? 0 : 1);
    helper(g, each ? BPF_FUNC_FOR_EACH_MAP_ELEM : BPF_FUNC_LOOP);
    set_number(g, 0);
}

void do_tail_call(struct generator *g) {
    enum func_kind kind = kind_of(g);
    if ((kind != FUNC_MAIN && kind != FUNC_TAIL) || (g->record && chance(g, 95)) || chance(g, 60))
        return;
    unsigned i = (unsigned)number_register(g);
    alu_reg(g, BPF_MOV, 64, BPF_R3, i);
    if (chance(g, 80))
        alu_imm(g, BPF_AND, 64, BPF_R3, 3);
    alu_reg(g, BPF_MOV, 64, BPF_R1, BPF_R9);
    lddw(g, BPF_R2, BPF_PSEUDO_MAP, MAP_PROGRAMS, 0);
    helper(g, BPF_FUNC_TAIL_CALL);
    set_number(g, 0);
}

/* ---- Timers */

/* r1: the timer of the element in `value`, mostly. */
static void timer_argument(struct generator *g, unsigned value) {
    alu_reg(g, BPF_MOV, 64, BPF_R1, value);
    alu_imm(g, BPF_ADD, 64, BPF_R1, chance(g, 98) ? JOB_TIMER : JOB_TIMER - 8);
    set_unset(g, BPF_R1);
}

/* A function that the timer calls may stand anywhere: it is not called from here. */
static bool timer_function(struct generator *g) {
    uint32_t found[SOURCE_FUNCS], n = 0;
    for (uint32_t f = 0; f < g->out->nfuncs; f++)
        if (g->out->kind[f] == FUNC_TIMER || (g->out->kind[f] == FUNC_EACH && chance(g, 3)))
            found[n++] = f;
    if (!n || g->ncalls >= FIXUPS_MAX)
        return false;
    name_function(g, found[pick(g, n)]);
    lddw(g, BPF_R2, BPF_PSEUDO_FUNC, 0, 0);
    return true;
}

/* A callback and its time, for the timer of the element in `value`, which outlives calls. */
static void start_timer(struct generator *g, unsigned value) {
    if (chance(g, 85)) {
        timer_argument(g, value);
        if (timer_function(g))
            helper(g, BPF_FUNC_TIMER_SET_CALLBACK);
    }
    if (chance(g, 85)) {
        timer_argument(g, value);
        alu_reg(g, BPF_MOV, 64, BPF_R2, (unsigned)number_register(g));
        alu_imm(g, BPF_MOV, 64, BPF_R3, chance(g, 98) ? 0 : 1);
        helper(g, BPF_FUNC_TIMER_START);
    }
    if (chance(g, 10)) {
        timer_argument(g, value);
        helper(g, BPF_FUNC_TIMER_CANCEL);
    }
    set_number(g, 0);
}

/* The callback of a timer, called by its name, with what a timer would give it. */
static void call_timer_function(struct generator *g) {
    uint32_t func = find(g, FUNC_TIMER);
    if (!func)
        return;
    alu_reg(g, BPF_MOV, 64, BPF_R3, BPF_R6);
    alu_reg(g, BPF_MOV, 64, BPF_R2, BPF_R10);
    alu_imm(g, BPF_ADD, 64, BPF_R2, KEY_AT);
    lddw(g, BPF_R1, BPF_PSEUDO_MAP, MAP_JOBS, 0);
    name_function(g, func);
    emit(g, (struct bpf_decoded){.op = BPF_CALL_LOCAL});
    forget_arguments(g);
}

/* An element is looked up, and its timer set; its other bytes are used. */
void do_timer(struct generator *g) {
    if (g->record && chance(g, 80))
        return;
    map_and_key(g, MAP_JOBS);
    helper(g, BPF_FUNC_MAP_LOOKUP_ELEM);
    uint32_t skip = UINT32_MAX;
    if (chance(g, 98))
        skip = jump(g, BPF_JEQ, 64, 0, -1, 0);
    alu_reg(g, BPF_MOV, 64, BPF_R6, 0);
    set_unset(g, BPF_R6);
    set_unset(g, 0);
    struct beliefs before = believe(g);
    g->pinned |= 1 << BPF_R6;
    if (chance(g, 30)) {
        timer_argument(g, BPF_R6);
        lddw(g, BPF_R2, BPF_PSEUDO_MAP, chance(g, 98) ? MAP_JOBS : MAP_HASH, 0);
        alu_imm(g, BPF_MOV, 64, BPF_R3, chance(g, 98) ? BPF_CLOCK_MONOTONIC : 0);
        helper(g, BPF_FUNC_TIMER_INIT);
    }
    start_timer(g, BPF_R6);
    if (chance(g, 20))
        call_timer_function(g);
    unsigned bytes = size(g);
    int off = (int)(bytes * pick(g, JOB_TIMER / bytes));
    access(g, BPF_R6, bytes, chance(g, 98) ? off : JOB_TIMER - (int)pick(g, 8), false);
    g->pinned &= (uint16_t) ~(1u << BPF_R6);
    set_unset(g, BPF_R6);
    land(g, skip);
    join(g, &before);
    if (chance(g, 10)) {
        map_and_key(g, MAP_JOBS);
        helper(g, BPF_FUNC_MAP_DELETE_ELEM);
        set_number(g, 0);
    }
}

/* ---- Arguments */

/* What a callee does with the 16 bytes behind r9: counts, notes a number, on some paths or on all; now and
 * then an address. */
static void use_words(struct generator *g) {
    unsigned choice = pick(g, 4);
    uint32_t skip = UINT32_MAX;
    memory(g, BPF_LDX, 8, 0, BPF_R9, 0, 0);
    set_number(g, 0);
    if (choice == 0)
        return;
    if (choice == 1)
        skip = jump(g, random_condition(g), width(g), BPF_R6, -1, constant(g));
    if (chance(g, 50)) {
        alu_imm(g, BPF_ADD, width(g), 0, 1);
        memory(g, BPF_STX, chance(g, 50) ? 8 : 4, BPF_R9, 0, 0, 0);
    }
    memory(g, BPF_STX, 8, BPF_R9, BPF_R6, 8, 0);
    if (chance(g, 8))
        memory(g, BPF_STX, 8, BPF_R9, g->reg[BPF_R7] == POINTER ? BPF_R7 : BPF_R10, 8, 0);
    land(g, skip);
}

void begin_function(struct generator *g) {
    enum func_kind kind = kind_of(g);
    switch (kind) {
    case FUNC_MAIN:
    case FUNC_TAIL:
        if (g->out->hook == BPF_HOOK_RAW && kind == FUNC_MAIN)
            set_number(g, BPF_R2);
        alu_reg(g, BPF_MOV, 64, BPF_R9, BPF_R1);
        return;
    case FUNC_FIND: set_number(g, BPF_R1); return;
    case FUNC_EACH: /* map, key, value, context */
        alu_reg(g, BPF_MOV, 64, BPF_R7, chance(g, 50) ? BPF_R3 : BPF_R2);
        g->reg[BPF_R7] = POINTER;
        g->held_constant = g->code[g->count - 1].src == BPF_R2;
        g->held = g->held_constant ? 4 : LRU_VALUE;
        memory(g, BPF_LDX, 4, BPF_R6, BPF_R3, 0, 0);
        alu_reg(g, BPF_MOV, 64, BPF_R9, BPF_R4);
        break;
    case FUNC_TIMER: /* map, key, value; the 16 bytes in front of its timer are the words */
        alu_reg(g, BPF_MOV, 64, BPF_R9, BPF_R3);
        alu_reg(g, BPF_MOV, 64, BPF_R7, chance(g, 50) ? BPF_R3 : BPF_R2);
        g->reg[BPF_R7] = POINTER;
        g->held_constant = g->code[g->count - 1].src == BPF_R2;
        g->held = g->held_constant ? 4 : JOB_TIMER;
        memory(g, BPF_LDX, 4, BPF_R6, chance(g, 98) ? BPF_R2 : BPF_R4, 0, 0);
        set_number(g, BPF_R6);
        if (chance(g, 50))
            start_timer(g, BPF_R9);
        break;
    case FUNC_SUB:
    case FUNC_TABLE:
    case FUNC_LOOP: /* a number or the index, the words */
        alu_reg(g, BPF_MOV, 64, BPF_R6, BPF_R1);
        alu_reg(g, BPF_MOV, 64, BPF_R9, BPF_R2);
        break;
    }
    set_number(g, BPF_R6);
    use_words(g);
    if (kind != FUNC_EACH && kind != FUNC_TIMER && chance(g, 50)) /* number and index go on in r1 */
        set_number(g, BPF_R1);
}

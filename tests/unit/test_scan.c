/* SPDX-License-Identifier: MIT */
/*
 * The loader's scan. Single instructions: all of 16 bits, random ones of 32 bits and the neighbours of
 * good ones, against two oracles: the compiler's decoder with what this file says about registers, and
 * Capstone with a list of mnemonics, which shares nothing with the project. Then code as a whole: branches,
 * IT blocks, literals, entries, ranges; and parts of it, for little scratch memory.
 */
#include "bpf/scan.h"
#include "encoder/fields.h"

#include <capstone/capstone.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Blobs of bare code ---- */

#define CODE_MAX 0x2000
#define CODE_OFF 128

/* Code, ranges and entries in place; the rest of a blob is of no interest here. */
struct sample {
    struct blob_header header;
    struct blob blob;
    struct blob_range ranges[4];
    struct blob_program program;
    struct blob_func func;
};

static void sample_init(struct sample *s, const void *code, uint32_t size) {
    memset(s, 0, sizeof(*s));
    s->ranges[0] = (struct blob_range){0, size, BLOB_RANGE_CODE};
    s->func = (struct blob_func){.entry = BLOB_NONE, .code = BLOB_NONE};
    s->header.code = (struct blob_span){CODE_OFF, size};
    s->header.ranges.count = 1;
    s->blob = (struct blob){.base = (const uint8_t *)s,
                            .header = &s->header,
                            .code = code,
                            .ranges = s->ranges,
                            .programs = &s->program,
                            .funcs = &s->func};
}

static enum bpf_status scan_sample(const struct sample *s, uint32_t *where) {
    uint8_t scratch[BPF_SCAN_SCRATCH(CODE_MAX)];
    return bpf_scan(&s->blob, scratch, sizeof(scratch), where);
}

/* Whether an instruction may stand in code, in an IT block of its own or not. Where branches lead to does
 * not count. */
static bool admits(uint32_t word, bool in_it) {
    static struct sample s;
    uint16_t code[8];
    unsigned n = 0;
    uint32_t where;
    if (in_it)
        code[n++] = 0xbf08; /* it eq */
    if (word >> 16)
        code[n++] = (uint16_t)(word >> 16);
    code[n++] = (uint16_t)word;
    while (n < COUNT(code))
        code[n++] = 0xde00; /* udf */
    sample_init(&s, code, sizeof(code));
    return scan_sample(&s, &where) != BPF_BLOB_INSN;
}

/* ---- Oracle: the compiler's decoder, and registers ---- */

/* Register operands (bit i: ri) without lists and without what the instruction implies. */
static uint32_t operands(enum t2_enc enc, struct t2_fields *f, const char *letters) {
    uint32_t mask = 0;
    for (; *letters; letters++)
        if (t2_has(t2_row(enc), *letters))
            mask |= 1u << *t2_register(f, *letters);
    return mask;
}

static bool registers_allowed(enum t2_enc enc, struct t2_fields *f) {
    const uint32_t sp = 1 << T2_SP, pc = 1 << T2_PC;
    bool add_16 = enc == T2_ADD_REG_T2;
    enum t2_op op = t2_row(enc)->op;
    bool add_imm = (op == T2_OP_ADD || op == T2_OP_SUB) && t2_row(enc)->form == T2_IMM;
    if (operands(enc, f, "dnatulh") & pc || (operands(enc, f, "m") & pc && !add_16))
        return false;
    if (operands(enc, f, "atulh") & sp || (operands(enc, f, "m") & sp && !add_16))
        return false;
    if (operands(enc, f, "d") & sp && !(add_imm && f->n == T2_SP))
        return false;
    if (op == T2_OP_LDMIA || op == T2_OP_STMDB)
        return f->n == T2_SP && f->index != T2_OFFSET;
    return op != T2_OP_IT || f->cond != T2_AL;
}

static bool decoder_admits(uint32_t word, bool in_it) {
    uint16_t code[2] = {(uint16_t)(word >> 16 ? word >> 16 : word), (uint16_t)word};
    enum t2_enc enc;
    struct t2_fields f;
    unsigned len;
    return t2_decode(code, word >> 16 ? 2 : 1, in_it, &enc, &f, &len) &&
           !(t2_row(enc)->rules & T2_RULE_UNUSED) && registers_allowed(enc, &f);
}

/* ---- Oracle: Capstone ---- */

static csh capstone;

static void setup(void) {
    cr_assert_eq(cs_open(CS_ARCH_ARM, CS_MODE_THUMB | CS_MODE_MCLASS, &capstone), CS_ERR_OK);
}

static void teardown(void) {
    cs_close(&capstone);
}

TestSuite(scan, .init = setup, .fini = teardown, .timeout = 300);

/* All that compiled code is made of, without .w, s and conditions. */
static const char mnemonics[] =
    " mov movw mvn movt add addw adr adr.w adc sub subw sbc rsb and bic orr orn eor lsl lsr asr "
    "ror cmp cmn "
    "tst mul mla mls umull smull umlal smlal udiv sdiv clz rev rev16 sxtb sxth uxtb uxth ubfx ldr "
    "ldrb "
    "ldrh ldrsb ldrsh str strb strh push pop b bl bx blx cbz cbnz nop udf trap ";

static bool is_mnemonic(const char *text, size_t length) {
    char word[24];
    snprintf(word, sizeof(word), " %.*s ", (int)length, text);
    return strstr(mnemonics, word);
}

/* A mnemonic as Capstone writes it: with "s", a condition and ".w" in this order. */
static bool mnemonic_allowed(const char *text, bool in_it) {
    static const char conditions[] = " eq ne hs lo mi pl vs vc hi ls ge lt gt le ";
    size_t length = strcspn(text, ".");
    char condition[8] = "";
    if (length > 2)
        snprintf(condition, sizeof(condition), " %.2s ", text + length - 2);
    bool conditional = condition[0] && strstr(conditions, condition);
    if (in_it && length >= 3 && is_mnemonic(text, length))
        return strncmp(text, "udf", 3) == 0 || strncmp(text, "trap", 4) == 0;
    if (in_it)
        return conditional && (is_mnemonic(text, length - 2) ||
                               (text[length - 3] == 's' && is_mnemonic(text, length - 3)));
    return is_mnemonic(text, length) ||
           (text[length - 1] == 's' && is_mnemonic(text, length - 1)) ||
           (text[0] == 'b' && length == 3 && conditional) || strncmp(text, "it", 2) == 0;
}

static bool has_register(const char *operands_text, const char *name) {
    const char *at = strstr(operands_text, name);
    return at && (at == operands_text || strchr(" [{", at[-1]));
}

static bool is_one_of(const char *mnemonic, const char *const *names) {
    for (; *names; names++)
        if (strncmp(mnemonic, *names, strlen(*names)) == 0)
            return true;
    return false;
}

/* pc: add d, pc; addw or subw d, pc, i (ADR); ldr t, [pc, i]; a return. */
static bool pc_allowed(const cs_insn *insn) {
    const char *m = insn->mnemonic, *ops = insn->op_str;
    if (strncmp(m, "pop", 3) == 0)
        return !strstr(ops, "lr");
    if (strncmp(m, "ldr", 3) == 0)
        return insn->size == 2 && strstr(ops, "[pc");
    if (strncmp(m, "addw", 4) == 0 || strncmp(m, "subw", 4) == 0)
        return strncmp(ops, "pc", 2) != 0 && strncmp(ops, "sp", 2) != 0 && strstr(ops, ", pc, #");
    return insn->size == 2 && strncmp(m, "add", 3) == 0 && strncmp(ops, "pc", 2) != 0 &&
           strncmp(ops, "sp", 2) != 0;
}

/* sp: a base; added to and subtracted from; compared with something. */
static bool sp_allowed(const cs_insn *insn) {
    static const char *const add_sub[] = {"add", "sub", NULL}, *const compare[] = {"cm", NULL},
                             *const memory[] = {"ldr", "str", NULL};
    const char *m = insn->mnemonic, *ops = insn->op_str, *second = strchr(ops, ',');
    bool first = strncmp(ops, "sp", 2) == 0;
    if (is_one_of(m, memory))
        return !first && strstr(ops, "[sp");
    if (is_one_of(m, compare))
        return first && !has_register(second, "sp");
    if (!is_one_of(m, add_sub))
        return false;
    if (first)
        return strchr(ops, '#') && (insn->size == 2 || strncmp(second, ", sp,", 5) == 0);
    return insn->size == 2 || strncmp(second, ", sp,", 5) == 0;
}

static bool operands_allowed(const cs_insn *insn) {
    return (!has_register(insn->op_str, "pc") || pc_allowed(insn)) &&
           (!has_register(insn->op_str, "sp") || sp_allowed(insn));
}

/* What Capstone reads although the manual calls it UNPREDICTABLE, and IT AL, which is of no use. */
static bool is_odd(uint32_t word, bool in_it) {
    return ((word & 0xff80) == 0x4700 && word & 7) || /* BX, bits that should be 0 */
           (word & 0xffc0) == 0x4500 ||               /* CMP, two low registers */
           (word >= 0xbfe0 && word < 0xc000) || (in_it && word >> 12 == 0xd && word >> 8 < 0xde);
}

/* The instruction as Capstone reads it, behind an IT or alone; false: it does not. */
static bool disassemble(uint32_t word, bool in_it, cs_insn **list, size_t *count) {
    uint8_t bytes[6];
    unsigned n = 0;
    if (in_it) {
        bytes[n++] = 0x08; /* it eq */
        bytes[n++] = 0xbf;
    }
    if (word >> 16) {
        bytes[n++] = (uint8_t)(word >> 16);
        bytes[n++] = (uint8_t)(word >> 24);
    }
    bytes[n++] = (uint8_t)word;
    bytes[n++] = (uint8_t)(word >> 8);
    *count = cs_disasm(capstone, bytes, n, 0x10000, 0, list);
    return *count == 1u + in_it && (*list)[in_it].size == (word >> 16 ? 4 : 2);
}

static bool capstone_admits(uint32_t word, bool in_it, char text[200]) {
    cs_insn *list = NULL;
    size_t count;
    bool good = disassemble(word, in_it, &list, &count);
    snprintf(text, 200, "?");
    if (good) {
        const cs_insn *insn = &list[in_it];
        snprintf(text, 200, "%s %s", insn->mnemonic, insn->op_str);
        good = mnemonic_allowed(insn->mnemonic, in_it) && operands_allowed(insn);
    }
    if (count)
        cs_free(list, count);
    return good;
}

/* ---- Single instructions ---- */

Test(scan, all_halfwords) {
    unsigned wrong = 0;
    for (int in_it = 0; in_it < 2; in_it++)
        for (uint32_t word = 0; word < 0xe800; word++) {
            char text[200];
            bool admitted = admits(word, in_it), decoder = decoder_admits(word, in_it);
            bool other = capstone_admits(word, in_it, text) && !is_odd(word, in_it);
            if (admitted != decoder || admitted != other) {
                wrong++;
                printf("%04x in IT %d: scan %d, decoder %d, Capstone %d: %s\n", word, in_it,
                       admitted, decoder, other, text);
            }
        }
    cr_expect_eq(wrong, 0);
}

/* Both oracles about one word; Capstone in one direction, as it reads much that is UNPREDICTABLE. */
static bool agree(uint32_t word, bool in_it) {
    char text[200] = "";
    bool admitted = admits(word, in_it), decoder = decoder_admits(word, in_it);
    if (admitted == decoder && (!admitted || capstone_admits(word, in_it, text)))
        return true;
    printf("%08x in IT %d: scan %d, decoder %d, Capstone: %s\n", word, in_it, admitted, decoder,
           text);
    return false;
}

static uint32_t word_of(enum t2_enc enc, const struct t2_fields *f) {
    uint16_t out[2];
    return t2_encode(enc, f, out) == 1 ? out[0] : (uint32_t)out[0] << 16 | out[1];
}

/* Every encoding, unused ones too, with good operands and with each bit of them changed. */
Test(scan, encodings_and_their_neighbours) {
    uint64_t state = 1;
    unsigned wrong = 0, admitted = 0;
    for (unsigned e = 0; e < T2_ENC_COUNT; e++) {
        const struct t2_row *row = t2_row((enum t2_enc)e);
        bool once = false;
        for (unsigned i = 0; row->halfwords == 2 && i < 40; i++) {
            bool in_it = i % 4 == 0 && !(row->rules & T2_NOT_IN_IT);
            struct t2_fields f = fields_encodable((enum t2_enc)e, in_it, &state);
            uint32_t word = word_of((enum t2_enc)e, &f);
            once |= admits(word, in_it);
            wrong += !agree(word, in_it);
            for (unsigned bit = 0; bit < 32; bit++)
                if ((word ^ 1u << bit) >> 27 >= 0x1d)
                    wrong += !agree(word ^ 1u << bit, in_it);
        }
        if (row->halfwords == 2 && (t2_row((enum t2_enc)e)->rules & T2_RULE_UNUSED) == once &&
            e != T2_LDMIA_WB_T2 &&
            e != T2_STMDB_WB_T1) { /* with sp as base only: seldom by chance */
            printf("%s: %d\n", row->name, once);
            wrong++;
        }
        admitted += once;
    }
    cr_expect_eq(wrong, 0);
    cr_expect_gt(admitted, 80);
    cr_expect(admits(0xe8bd8ff0, false), "pop.w {r4-r11, pc}");
    cr_expect(admits(0xe92d4ff0, false), "push.w {r4-r11, lr}");
}

Test(scan, random_words) {
    uint64_t state = 2;
    unsigned wrong = 0, admitted = 0;
    for (unsigned i = 0; i < 200000; i++) {
        uint32_t word = random_next(&state) | 0xe0000000;
        if (word >> 27 < 0x1d)
            word |= 0x10000000;
        wrong += !agree(word, i % 4 == 0);
        admitted += admits(word, false);
    }
    cr_expect_eq(wrong, 0);
    cr_expect_gt(admitted, 10000);
}

Test(scan, what_no_program_may_do) {
    static const uint32_t words[] = {
        0xdf00,     /* svc #0 */
        0xbe00,     /* bkpt #0 */
        0xb662,     /* cpsie i */
        0xb672,     /* cpsid i */
        0xbf20,     /* wfe */
        0xbf30,     /* wfi */
        0x4687,     /* mov pc, r0 */
        0x4487,     /* add pc, r0 */
        0x4685,     /* mov sp, r0 */
        0x4485,     /* add sp, r0 */
        0x4778,     /* bx pc */
        0x4768,     /* bx sp */
        0xf3808814, /* msr control, r0 */
        0xf3808808, /* msr msp, r0 */
        0xf3ef8014, /* mrs r0, control */
        0xf8d0f000, /* ldr.w pc, [r0] */
        0xf85dfb04, /* ldr pc, [sp], #4 */
        0xf8d0d000, /* ldr.w sp, [r0] */
        0xe8908001, /* ldmia.w r0, {r0, pc} */
        0xe8b08006, /* ldmia.w r0!, {r1, r2, pc} */
        0xe8bdc001, /* pop.w {r0, lr, pc} */
        0xe8d0f001, /* tbb [r0, r1] */
        0xee000a10, /* vmov s0, r0 */
        0xed900a00, /* vldr s0, [r0] */
        0xee070f9a, /* mcr 15, 0, r0, c7, c10, 4 */
        0xf3bf8f6f, /* isb */
        0xf3af8001, /* yield.w */
        0xe8500f00, /* ldrex */
        0xf850fe00, /* ldrt pc */
        0xf8500e04, /* ldrt r0, [r0, #4] */
    };
    for (size_t i = 0; i < COUNT(words); i++)
        for (int in_it = 0; in_it < 2; in_it++)
            cr_expect_not(admits(words[i], in_it), "%x", words[i]);
}

/* ---- Code as a whole ---- */

#define BX_LR 0x4770
#define UDF 0xde00
#define NOP 0xbf00
#define IT_EQ 0xbf08
#define ITT_EQ 0xbf04
#define MOVS 0x2000                                       /* movs r0, #0 */
#define MOVW 0xf240, 0x0000                               /* movw r0, #0 */
#define B(halfwords) (0xe000 | (((halfwords)-2) & 0x7ff)) /* b.n, from here */
#define BEQ(halfwords) (0xd000 | (((halfwords)-2) & 0xff))
#define LDR_LITERAL(words) (0x4800 | (words)) /* ldr r0, [pc, #4 * words] */
#define POP_PC 0xbd00

Test(scan, code) {
    static const struct {
        const char *what;
        uint16_t code[12];
        uint32_t count, data; /* halfwords; of data at the end */
        enum bpf_status status;
        uint32_t where;
    } rows[] = {
        {"a return", {BX_LR}, 1, 0, BPF_OK, 0},
        {"pop {pc}", {POP_PC}, 1, 0, BPF_OK, 0},
        {"an endless loop", {B(0)}, 1, 0, BPF_OK, 0},
        {"no end", {MOVS}, 1, 0, BPF_BLOB_BRANCH, 0},
        {"no end but pop {r0}", {MOVS, 0xbc01}, 2, 0, BPF_BLOB_BRANCH, 0},
        {"no end but a conditional branch", {BEQ(0)}, 1, 0, BPF_BLOB_BRANCH, 0},
        {"no end but a call", {MOVS, 0x4780}, 2, 0, BPF_BLOB_BRANCH, 0},
        {"an end under IT only", {MOVS, IT_EQ, BX_LR}, 3, 0, BPF_BLOB_BRANCH, 0},
        {"udf under IT only", {MOVS, IT_EQ, UDF}, 3, 0, BPF_BLOB_BRANCH, 0},
        {"a conditional return", {IT_EQ, BX_LR, UDF}, 3, 0, BPF_OK, 0},
        {"nothing but NOPs", {NOP, NOP}, 2, 0, BPF_BLOB_BRANCH, 0},
        {"NOPs at the end", {BX_LR, NOP, NOP}, 3, 0, BPF_OK, 0},
        {"a branch to NOPs at the end", {B(2), BX_LR, NOP}, 3, 0, BPF_BLOB_BRANCH, 0},
        {"a branch to NOPs inside", {B(2), BX_LR, NOP, BX_LR}, 4, 0, BPF_OK, 0},
        {"a branch into an instruction", {MOVS, B(2), MOVW, UDF}, 5, 0, BPF_BLOB_BRANCH, 2},
        {"a branch to an instruction", {MOVS, B(1), MOVW, UDF}, 5, 0, BPF_OK, 0},
        {"a branch back into an instruction", {MOVW, B(-1)}, 3, 0, BPF_BLOB_BRANCH, 4},
        {"a branch in front of the code", {MOVS, B(-2)}, 2, 0, BPF_BLOB_BRANCH, 2},
        {"a branch to the end of the code", {B(1)}, 1, 0, BPF_BLOB_BRANCH, 0},
        {"a branch into an IT block", {IT_EQ, MOVS, B(-1)}, 3, 0, BPF_BLOB_BRANCH, 4},
        {"a branch to an IT", {IT_EQ, MOVS, B(-2)}, 3, 0, BPF_OK, 0},
        {"a branch behind an IT block", {B(3), IT_EQ, MOVS, UDF}, 4, 0, BPF_OK, 0},
        {"a branch into the second half of an IT block",
         {ITT_EQ, MOVS, MOVS, B(-1)},
         4,
         0,
         BPF_BLOB_BRANCH,
         6},
        {"a branch at the end of an IT block", {ITT_EQ, MOVS, B(1), UDF}, 4, 0, BPF_OK, 0},
        {"a branch inside an IT block", {ITT_EQ, B(2), MOVS, UDF}, 4, 0, BPF_BLOB_INSN, 2},
        {"a call inside an IT block", {ITT_EQ, 0x4780, MOVS, UDF}, 4, 0, BPF_BLOB_INSN, 2},
        {"a return inside an IT block", {ITT_EQ, POP_PC, MOVS, UDF}, 4, 0, BPF_BLOB_INSN, 2},
        {"pop {r0} inside an IT block", {ITT_EQ, 0xbc01, MOVS, UDF}, 4, 0, BPF_OK, 0},
        {"IT inside an IT block", {ITT_EQ, IT_EQ, MOVS, UDF}, 4, 0, BPF_BLOB_INSN, 2},
        {"an IT block that does not end", {BX_LR, ITT_EQ, MOVS}, 3, 0, BPF_BLOB_INSN, 0},
        {"half of an instruction", {BX_LR, 0xf240}, 2, 0, BPF_BLOB_INSN, 2},
        {"half of an instruction before data", {BX_LR, MOVW}, 3, 1, BPF_BLOB_INSN, 2},
        {"svc", {MOVS, 0xdf00, UDF}, 3, 0, BPF_BLOB_INSN, 2},
        {"svc as data", {BX_LR, 0xdf00}, 2, 1, BPF_OK, 0},
        {"a branch to data", {B(1), BX_LR}, 2, 1, BPF_BLOB_BRANCH, 0},
        {"a literal", {LDR_LITERAL(0), BX_LR, 1, 2}, 4, 2, BPF_OK, 0},
        {"a literal half behind the code", {LDR_LITERAL(0), BX_LR, 1}, 3, 1, BPF_BLOB_BRANCH, 0},
        {"a literal behind the code", {LDR_LITERAL(1), BX_LR, 1, 2}, 4, 2, BPF_BLOB_BRANCH, 0},
        {"a literal from a misaligned pc",
         {MOVS, LDR_LITERAL(0), BX_LR, NOP, 1, 2},
         6,
         2,
         BPF_OK,
         0},
        {"that literal behind the code",
         {MOVS, LDR_LITERAL(2), BX_LR, NOP, 1, 2},
         6,
         2,
         BPF_BLOB_BRANCH,
         2},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sample s;
        uint32_t where, size = rows[i].count * 2, data = rows[i].data * 2;
        void *code = malloc(size); /* of its exact size */
        memcpy(code, rows[i].code, size);
        sample_init(&s, code, size);
        s.ranges[0].size = size - data;
        if (data)
            s.ranges[s.header.ranges.count++] =
                (struct blob_range){size - data, data, BLOB_RANGE_DATA};
        enum bpf_status status = scan_sample(&s, &where);
        cr_expect_eq(status, rows[i].status, "%s: %d", rows[i].what, status);
        cr_expect_eq(where, rows[i].status ? CODE_OFF + rows[i].where : 0, "%s: %u", rows[i].what,
                     where);
        free(code);
    }
}

/* Each range of code must be closed, and IT does not reach over data. */
Test(scan, ranges) {
    static const uint16_t code[] = {B(3), 1, 2, MOVS, BX_LR, 3};
    static const struct blob_range ranges[] = {{0, 2, BLOB_RANGE_CODE},
                                               {2, 4, BLOB_RANGE_DATA},
                                               {6, 4, BLOB_RANGE_CODE},
                                               {10, 2, BLOB_RANGE_DATA}};
    struct sample s;
    uint32_t where;
    sample_init(&s, code, sizeof(code));
    memcpy(s.ranges, ranges, sizeof(ranges));
    s.header.ranges.count = 4;
    cr_expect_eq(scan_sample(&s, &where), BPF_OK);
    s.ranges[2].size = 2; /* movs alone */
    s.ranges[3] = (struct blob_range){8, 4, BLOB_RANGE_DATA};
    cr_expect_eq(scan_sample(&s, &where), BPF_BLOB_BRANCH);
    cr_expect_eq(where, CODE_OFF + 6);
    s.header.code.count = s.header.ranges.count = 0; /* bytecode only */
    cr_expect_eq(scan_sample(&s, &where), BPF_OK);
}

Test(scan, entries) {
    static const uint16_t code[] = {MOVW, IT_EQ, MOVS, BX_LR, NOP, 1};
    static const bool good[] = {true, false, true, false, true, false, false};
    struct sample s;
    uint32_t where;
    sample_init(&s, code, sizeof(code));
    s.ranges[0].size = 12;
    s.ranges[1] = (struct blob_range){12, 2, BLOB_RANGE_DATA};
    s.header.ranges.count = 2;
    for (uint32_t i = 0; i < COUNT(good); i++) {
        enum bpf_status want = good[i] ? BPF_OK : BPF_BLOB_BRANCH;
        s.header.programs.count = 1;
        s.header.funcs.count = 0;
        s.program.entry = 2 * i;
        cr_expect_eq(scan_sample(&s, &where), want, "program %u", i);
        cr_expect_eq(where, good[i] ? 0 : (uint32_t)((uint8_t *)&s.program - (uint8_t *)&s));
        s.header.programs.count = 0;
        s.header.funcs.count = 1;
        s.func = (struct blob_func){.entry = 2 * i, .code = BLOB_NONE};
        cr_expect_eq(scan_sample(&s, &where), want, "code pointer %u", i);
        cr_expect_eq(where, good[i] ? 0 : (uint32_t)((uint8_t *)&s.func - (uint8_t *)&s));
        s.func = (struct blob_func){.entry = BLOB_NONE, .code = 2 * i};
        cr_expect_eq(scan_sample(&s, &where), want, "function %u", i);
    }
}

/* ---- Distances and parts ---- */

/*
 * IT blocks all over, of 18 bytes each: branches may lead to their beginnings only, so that a target that is off
 * by powers of two is seen. The last halfword is an end.
 */
enum { BLOCK = 18, BLOCKS = CODE_MAX / BLOCK };
_Static_assert(CODE_MAX == BLOCKS * BLOCK + 2, "blocks, and the end");

static void fill(uint16_t *code) {
    static const uint16_t block[BLOCK / 2] = {0xbf01, MOVW, MOVW, MOVW, MOVW}; /* itttt eq */
    for (unsigned i = 0; i < BLOCKS; i++)
        memcpy(code + i * BLOCK / 2, block, sizeof(block));
    code[CODE_MAX / 2 - 1] = UDF;
}

/* A block with a branch in front and NOPs behind it; false: the encoding does not reach. */
static bool put_branch(uint16_t *block, enum t2_enc enc, int32_t distance) {
    bool call = enc == T2_BL_T1 || enc == T2_CBZ_T1 || enc == T2_CBNZ_T1;
    bool conditional = enc == T2_B_T1 || enc == T2_B_T3;
    const struct t2_fields f = {.form = t2_row(enc)->form,
                                .cond = call          ? 0
                                        : conditional ? T2_NE
                                                      : T2_AL,
                                .imm = distance};
    if (!t2_encodable(enc, &f))
        return false;
    for (unsigned i = t2_encode(enc, &f, block); i < BLOCK / 2; i++)
        block[i] = NOP;
    return true;
}

Test(scan, distances) {
    static const enum t2_enc encs[] = {T2_B_T1,  T2_B_T2,   T2_B_T3,   T2_B_T4,
                                       T2_BL_T1, T2_CBZ_T1, T2_CBNZ_T1};
    static uint16_t code[CODE_MAX / 2];
    const uint32_t at = BLOCKS / 2 * BLOCK;
    struct sample s;
    uint64_t state = 3;
    unsigned landed = 0, outside = 0;
    sample_init(&s, code, sizeof(code));
    for (unsigned i = 0; i < 6000; i++) {
        /* near, over the whole code, or as far as 24 bits go; half of them to a block */
        int32_t reach = i % 3 == 0 ? 150 : i % 3 == 1 ? CODE_MAX / 2 + 16 : 1 << 24;
        int32_t distance = (int32_t)random_below(&state, 2 * (uint32_t)reach) - reach;
        distance = i % 2 ? distance / BLOCK * BLOCK - 4 : distance & ~1;
        enum t2_enc enc = encs[random_below(&state, COUNT(encs))];
        fill(code);
        if (!put_branch(code + at / 2, enc, distance))
            continue;
        uint32_t target = at + 4 + (uint32_t)distance, size = 2u * t2_row(enc)->halfwords, where;
        bool good = target < CODE_MAX &&
                    (target % BLOCK == 0 || (target >= at + size && target < at + BLOCK));
        enum bpf_status status = scan_sample(&s, &where);
        cr_assert_eq(status, good ? BPF_OK : BPF_BLOB_BRANCH, "%04x%04x by %d: %d", code[at / 2],
                     code[at / 2 + 1], distance, status);
        landed += good;
        outside += target >= CODE_MAX;
    }
    cr_expect_gt(landed, 300);
    cr_expect_gt(outside, 100);
}

/* However little scratch memory there is, and wherever the parts end. */
Test(scan, parts) {
    static uint16_t code[CODE_MAX / 2];
    struct sample s;
    uint64_t state = 4;
    unsigned bad = 0;
    sample_init(&s, code, sizeof(code));
    for (unsigned i = 0; i < 30; i++) {
        uint8_t scratch[BPF_SCAN_SCRATCH(CODE_MAX)];
        uint32_t where;
        fill(code);
        for (unsigned k = 0; k < 40; k++) {
            uint32_t from = random_below(&state, BLOCKS) * BLOCK;
            uint32_t to = random_below(&state, BLOCKS + 1) * BLOCK - (i % 2 && k == 20 ? 2 : 0);
            put_branch(code + from / 2, T2_B_T4, (int32_t)(to - from - 4));
        }
        enum bpf_status whole = bpf_scan(&s.blob, scratch, sizeof(scratch), &where);
        bad += whole != BPF_OK;
        for (size_t size = 1 + i % 3; size < sizeof(scratch); size += 1 + size / 2) {
            uint8_t *little = malloc(size);
            memset(little, 0xff, size);
            cr_assert_eq(bpf_scan(&s.blob, little, size, &where), whole, "%zu bytes", size);
            free(little);
        }
    }
    cr_expect(bad >= 10 && bad <= 15, "%u", bad);
    uint32_t where;
    cr_expect_eq(bpf_scan(&s.blob, code, 0, &where), BPF_ARENA_SIZE);
}

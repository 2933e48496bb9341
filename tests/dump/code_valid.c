/* SPDX-License-Identifier: MIT */
/*
 * Is compiled code what the loader admits? Programs are compiled at every level, and their code is read
 * back as the loader would:
 *
 *   - every instruction in the ranges of code decodes, and none is SVC or BKPT;
 *   - an IT block lies within its range, is not entered from outside, and branches at its end only;
 *   - branches lead to instructions of the same function, calls to the start of a function;
 *   - control leaves a range of code by a branch or return, it does not run on into data;
 *   - literals come from ranges of data, addresses are those of data or of functions;
 *   - the loader's own scan agrees (bpf/scan.h);
 *   - functions cover all code but padding, and the blob has the code that was assembled.
 *
 * Each program is compiled twice, with memory of its own: the bytes must be the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/blob.h"
#include "bpf/scan.h"
#include "compile.h"
#include "conformance/data.h"
#include "elf/elf.h"
#include "ir/random.h"
#include "thumb2/encoding.h"

struct insn {
    bool start;        /* an instruction begins here */
    bool inside_it;    /* and is executed under an IT */
    bool data;         /* in a range of data */
    uint8_t halfwords; /* of the instruction */
    enum t2_enc enc;
    struct t2_fields f;
};

struct code {
    const char *what;
    const struct compile_result *result;
    const uint8_t *bytes;
    uint32_t size;
    struct insn *insns; /* by halfword */
    const char *why;    /* first defect, NULL: none */
    uint32_t where;
};

static unsigned passed, failed, refused;
static char refusal[200]; /* the message of the last program that was refused */

static void defect(struct code *c, uint32_t addr, const char *why) {
    if (!c->why) {
        c->why = why;
        c->where = addr;
    }
}

static struct insn *at(struct code *c, uint32_t addr) {
    return addr < c->size && addr % 2 == 0 ? &c->insns[addr / 2] : NULL;
}

static bool is_direct_branch(enum t2_op op) {
    return op == T2_OP_B || op == T2_OP_BL || op == T2_OP_CBZ || op == T2_OP_CBNZ;
}

static bool writes_pc(const struct insn *insn) {
    return t2_regs_written(insn->enc, &insn->f) >> T2_PC & 1;
}

/* Control never goes on behind it. */
static bool is_end(const struct insn *insn) {
    enum t2_op op = t2_row(insn->enc)->op;
    if (insn->inside_it)
        return false;
    return op == T2_OP_UDF || op == T2_OP_BX || (op == T2_OP_B && insn->f.cond == T2_AL) ||
           (op == T2_OP_LDMIA && writes_pc(insn));
}

/* ---------------------------------------------------------------------------------------- reading */

static void check_op(struct code *c, uint32_t addr, const struct insn *insn, uint8_t it) {
    enum t2_op op = t2_row(insn->enc)->op;
    if (op == T2_OP_SVC || op == T2_OP_BKPT)
        defect(c, addr, "SVC or BKPT");
    if (writes_pc(insn) && !is_direct_branch(op) && op != T2_OP_BX && op != T2_OP_BLX &&
        op != T2_OP_LDMIA)
        defect(c, addr, "writes the pc");
    if (it && !t2_it_last(it) && (writes_pc(insn) || is_direct_branch(op)))
        defect(c, addr, "a branch inside an IT block, not at its end");
    if (it && insn->enc == T2_IT_T1)
        defect(c, addr, "IT inside an IT block");
}

/* A range of code; its last instruction that is no padding must end the flow of control. */
static void read_code(struct code *c, uint32_t addr, uint32_t end) {
    const struct insn *last = NULL;
    uint8_t it = 0;
    while (addr < end) {
        struct insn *insn = at(c, addr);
        uint16_t code[2] = {0};
        unsigned len;
        memcpy(code, c->bytes + addr, end - addr < 4 ? end - addr : 4);
        if (!t2_decode(code, (end - addr) / 2, it != 0, &insn->enc, &insn->f, &len)) {
            defect(c, addr, "not an instruction");
            return;
        }
        insn->start = true;
        insn->halfwords = (uint8_t)len;
        insn->inside_it = it != 0;
        check_op(c, addr, insn, it);
        it = insn->enc == T2_IT_T1 ? t2_it_start(&insn->f) : t2_it_next(it);
        if (t2_row(insn->enc)->op != T2_OP_NOP)
            last = insn;
        addr += 2 * len;
    }
    if (it)
        defect(c, end, "an IT block reaches out of its range");
    if (!last || !is_end(last))
        defect(c, end, "control runs out of the range");
}

static void read_ranges(struct code *c, const struct blob *blob) {
    for (uint32_t i = 0; i < blob->header->ranges.count; i++) {
        const struct blob_range *r = &blob->ranges[i];
        if (r->kind == BLOB_RANGE_CODE)
            read_code(c, r->off, r->off + r->size);
        else
            for (uint32_t addr = r->off; addr < r->off + r->size; addr += 2)
                at(c, addr)->data = true;
    }
}

/* -------------------------------------------------------------------------------------- references */

static bool is_function(const struct code *c, uint32_t addr) {
    vec_for_each(const struct code_func, func, &c->result->code.funcs)
        if (func->addr == addr)
            return true;
    return false;
}

static void check_branch(struct code *c, const struct code_func *func, uint32_t addr,
                         const struct insn *insn) {
    uint32_t target = addr + 4 + (uint32_t)insn->f.imm;
    const struct insn *to = at(c, target);
    if (!to || !to->start)
        defect(c, addr, "a branch to what is no instruction");
    else if (to->inside_it)
        defect(c, addr, "a branch into an IT block");
    else if (t2_row(insn->enc)->op == T2_OP_BL && !is_function(c, target))
        defect(c, addr, "a call to what is no function");
    else if (t2_row(insn->enc)->op != T2_OP_BL && target - func->addr >= func->size)
        defect(c, addr, "a branch out of the function");
}

static void check_reference(struct code *c, const struct code_func *func, uint32_t addr,
                            const struct insn *insn) {
    const struct t2_row *row = t2_row(insn->enc);
    uint32_t place = ((addr + 4) & ~3u) + (uint32_t)insn->f.imm;
    const struct insn *to = at(c, place & ~1u);
    if (is_direct_branch(row->op))
        check_branch(c, func, addr, insn);
    else if (insn->enc == T2_LDR_LIT_T1 || insn->enc == T2_LDR_LIT_T2) {
        if (place % 4 || !to || !to->data || place - func->addr >= func->size)
            defect(c, addr, "a literal that is not in the function's data");
    } else if (row->op == T2_OP_ADR && !(place % 2 && is_function(c, place - 1)) &&
               (!to || !to->data))
        defect(c, addr, "an address of neither data nor function");
}

static void check_functions(struct code *c) {
    uint32_t end = 0;
    vec_for_each(const struct code_func, func, &c->result->code.funcs) {
        if (func->addr < end || func->addr - end >= 4 || func->addr % 4)
            defect(c, func->addr, "functions overlap, leave a gap or are misaligned");
        if (!at(c, func->addr) || !at(c, func->addr)->start)
            defect(c, func->addr, "a function that begins with no instruction");
        end = func->addr + func->size;
        if (end > c->size)
            defect(c, func->addr, "a function leaves the code");
        for (uint32_t addr = func->addr; addr < end && !c->why; addr += 2)
            if (at(c, addr)->start)
                check_reference(c, func, addr, at(c, addr));
    }
    for (uint32_t addr = end; addr < c->size; addr += 2)
        if (at(c, addr)->start && t2_row(at(c, addr)->enc)->op != T2_OP_NOP)
            defect(c, addr, "code outside of functions");
}

/* ---------------------------------------------------------------------------------------- programs */

static void check_code(struct code *c) {
    struct blob blob;
    uint32_t where;
    enum bpf_status status = blob_parse(c->result->blob, c->result->blob_size, &blob, &where);
    uint8_t scratch[BPF_SCAN_SCRATCH_MAX];
    if (status == BPF_OK)
        status = bpf_scan(&blob, scratch, sizeof(scratch), &where);
    if (status != BPF_OK) {
        defect(c, where, bpf_status_text(status));
        return;
    }
    c->bytes = blob.code;
    c->size = blob.header->code.count;
    if (c->size != c->result->code.size || memcmp(c->bytes, c->result->code.bytes, c->size) != 0)
        defect(c, 0, "the blob has other code than was assembled");
    c->insns = calloc(c->size / 2, sizeof(*c->insns));
    read_ranges(c, &blob);
    if (!c->why)
        check_functions(c);
    free(c->insns);
}

/* Where programs come from: fills in a fresh program, NULL after messages. */
struct source {
    const char *name;
    const char *object; /* or instructions: */
    const struct bpf_insn *insns;
    uint32_t count;
};

static struct program *make_program(const struct source *s, struct arena *arena,
                                    struct diag *diag) {
    const struct elf_options options = {0};
    struct program *program;
    if (s->object)
        return elf_read(s->object, arena, &options, &program, diag) ? program : NULL;
    return program_from_insns(arena, s->name, s->insns, s->count, 4096, diag);
}

static bool compile(const struct source *s, const char *level, struct arena *arena,
                    struct compile_result *result, struct diag *diag) {
    struct compile_options options = {.bytecode = true, .check_passes = true};
    compile_level(level, &options);
    struct program *program = make_program(s, arena, diag);
    return program && compile_program(program, &options, result, diag);
}

/* False: refused, at every level alike. */
static bool check_level(const struct source *s, const char *level) {
    struct arena *arena = arena_new(), *other = arena_new();
    struct diag *diag = diag_new();
    struct compile_result result, again;
    bool compiled = compile(s, level, arena, &result, diag);
    if (compiled) {
        struct code code = {.what = s->name, .result = &result};
        check_code(&code);
        (void)arena_alloc(other, 12345); /* other addresses than the first time */
        if (!compile(s, level, other, &again, diag) || again.blob_size != result.blob_size ||
            memcmp(again.blob, result.blob, result.blob_size) != 0)
            defect(&code, 0, "compiled again it is not the same");
        if (code.why)
            printf("FAILED: %s -O%s: at 0x%x: %s\n", s->name, level, code.where, code.why);
        *(code.why ? &failed : &passed) += 1;
    }
    for (size_t i = 0; !compiled && i < diag_count(diag); i++)
        if (diag_get(diag, i)->severity == DIAG_ERROR)
            snprintf(refusal, sizeof(refusal), "%s", diag_get(diag, i)->text);
    diag_free(diag);
    arena_free(arena);
    arena_free(other);
    return compiled;
}

static bool check_source(const struct source *s) {
    static const char *const levels[] = {"0", "1", "2", "s"};
    for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++)
        if (!check_level(s, levels[i])) {
            if (i > 0) {
                printf("FAILED: %s: refused at -O%s only\n", s->name, levels[i]);
                failed++;
            }
            return false;
        }
    return true;
}

static void check_vector(const char *path) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    struct vector vector;
    if (!vector_read(arena, path, &vector, diag)) {
        diag_print(diag, stdout, false);
        failed++;
    } else {
        struct source s = {.name = path, .insns = vector.insns, .count = vector.count};
        if (!check_source(&s) && !vector.error) {
            printf("FAILED: %s is refused: %s\n", path, refusal);
            failed++;
        }
    }
    diag_free(diag);
    arena_free(arena);
}

/* The generator knows nothing of some rules (no tail calls in sub-programs). */
static void check_random(uint64_t seed) {
    static struct bpf_insn insns[RANDOM_MAX_INSNS];
    char name[40];
    snprintf(name, sizeof(name), "random program %llu", (unsigned long long)seed);
    struct source s = {.name = name, .insns = insns};
    s.count = random_program(seed, seed % 8, insns);
    refused += !check_source(&s);
}

static void check_file(const char *path) {
    size_t length = strlen(path);
    if (length > 5 && strcmp(path + length - 5, ".data") == 0) {
        check_vector(path);
        return;
    }
    struct source s = {.name = path, .object = path};
    if (!check_source(&s)) {
        printf("FAILED: %s is refused: %s\n", path, refusal);
        failed++;
    }
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "random") == 0) {
        uint64_t first = strtoull(argv[2], NULL, 0), count = strtoull(argv[3], NULL, 0);
        for (uint64_t seed = first; seed < first + count; seed++)
            check_random(seed);
        if (10 * refused > count) {
            printf("FAILED: %u random programs are refused, the last: %s\n", refused, refusal);
            failed++;
        }
    } else if (argc > 1) {
        for (int i = 1; i < argc; i++)
            check_file(argv[i]);
    } else {
        fprintf(stderr, "usage: code-valid X.data|X.o... | random FIRST COUNT\n");
        return 2;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * What the programs that were run have done, so that what the generator never makes is seen: operations by the kinds
 * of values they worked on, as the verifier has them; instructions; helpers.
 */
#include "soundness/coverage.h"

#include <string.h>

#include "bpf/helper.h"

struct coverage coverage;

static const char *const kind_names[COVERAGE_KINDS] = {[VALUE_NONE] = "none",
                                                       [VALUE_SCALAR] = "number",
                                                       [VALUE_CTX] = "context",
                                                       [VALUE_STACK] = "stack",
                                                       [VALUE_MAP] = "map",
                                                       [VALUE_MAP_VALUE] = "map value",
                                                       [VALUE_MAP_KEY] = "map key",
                                                       [VALUE_RECORD] = "record",
                                                       [VALUE_DATA] = "data",
                                                       [VALUE_FUNC] = "function",
                                                       [VALUE_FUNC_OF] = "out of a table",
                                                       [VALUE_FUNC_ANY] = "any function",
                                                       [COVERAGE_NULLABLE] = "(may be null)"};

static const char *const op_names[] = {
#define BPF_ALU(NAME, ...) #NAME,
#define BPF_ALU1(NAME, ...) #NAME,
#define BPF_MOVSX(NAME, ...) #NAME,
#define BPF_END(NAME, ...) #NAME,
#define BPF_JCC(NAME, ...) #NAME,
#define BPF_MEM(NAME, ...) #NAME,
#define BPF_ATOMIC(NAME, ...) #NAME,
#define BPF_CTRL(NAME, ...) #NAME,
#include "bpf/insn.def"
};

/* Columns. */
/* clang-format off */
#define OPERATIONS(X)                                                                              \
    X(MOVED, "mov") X(ADDED, "+ -") X(ALU, "alu") X(LOADED, "load") X(STORED_TO, "store")          \
    X(ATOMIC, "atomic") X(STORED, "stored") X(NULL_TEST, "== 0") X(SAME, "cmp own")                \
    X(OTHER, "cmp oth") X(HALF, "cmp 32") X(ARGUMENT, "arg") X(CALLED, "callx") X(EXIT, "exit")
/* clang-format on */

enum operation {
#define X(NAME, text) DID_##NAME,
    OPERATIONS(X)
#undef X
        OPERATION_COUNT
};

_Static_assert(OPERATION_COUNT == COVERAGE_OPERATIONS, "one column for each");

static void did(enum operation op, const struct value *v) {
    coverage.did[v->kind][op]++;
    if (v->nullable)
        coverage.did[COVERAGE_NULLABLE][op]++;
}

static void note_jump(const struct state *s, const struct bpf_decoded *d) {
    const struct value imm = value_const((uint64_t)d->imm), *x = &s->reg[d->dst];
    const struct value *y = d->src_reg ? &s->reg[d->src] : &imm;
    enum operation op = d->width == 32                                 ? DID_HALF
                        : value_is_null(y)                             ? DID_NULL_TEST
                        : x->kind == y->kind && x->object == y->object ? DID_SAME
                        : value_is_code(x) && value_is_code(y)         ? DID_SAME
                                                                       : DID_OTHER;
    did(op, x);
    did(op, y);
}

static void note_helper(const struct state *s, uint32_t id) {
    const struct bpf_helper *h = bpf_helper_by_id(id);
    for (unsigned i = 0; h && i < h->nargs; i++) {
        did(DID_ARGUMENT, &s->reg[BPF_R1 + i]);
        coverage.argument[h->arg[i]][s->reg[BPF_R1 + i].kind]++;
    }
    if (id < COVERAGE_HELPERS)
        coverage.helper[id]++;
}

static void note_operands(const struct state *s, const struct bpf_decoded *d) {
    const struct value *dst = &s->reg[d->dst], *src = &s->reg[d->src];
    if (d->op == BPF_MOV) {
        if (d->src_reg)
            did(DID_MOVED, src);
    } else if (bpf_op_is_alu(d->op)) {
        enum operation op = d->op == BPF_ADD || d->op == BPF_SUB ? DID_ADDED : DID_ALU;
        did(op, dst);
        if (d->src_reg)
            did(op, src);
    } else if (bpf_op_is_jcc(d->op)) {
        note_jump(s, d);
    } else if (bpf_op_is_atomic(d->op)) {
        did(DID_ATOMIC, dst);
    } else if (d->op == BPF_LDX || d->op == BPF_LDXS) {
        did(DID_LOADED, src);
    } else if (d->op == BPF_ST || d->op == BPF_STX) {
        did(DID_STORED_TO, dst);
        if (d->op == BPF_STX)
            did(DID_STORED, src);
    }
}

void coverage_note(const struct state *s, const struct bpf_decoded *d) {
    unsigned width = d->width == 64 ? 3 : d->width == 32 ? 2 : d->width == 16 ? 1 : 0;
    coverage.insn[d->op][d->op == BPF_LDDW ? d->pseudo : width][d->src_reg]++;
    note_operands(s, d);
    if (d->op == BPF_CALL_HELPER)
        note_helper(s, (uint32_t)d->imm);
    if (d->op == BPF_CALLX) {
        did(DID_CALLED, &s->reg[d->dst]);
        if (s->reg[d->dst].kind == VALUE_SCALAR)
            note_helper(s, (uint32_t)s->reg[d->dst].n.x.value);
    }
    if (d->op == BPF_EXIT)
        did(DID_EXIT, &s->reg[BPF_R0]);
}

void coverage_add(const struct coverage *more) {
    const uint64_t *from = (const uint64_t *)more;
    uint64_t *to = (uint64_t *)&coverage;
    for (size_t i = 0; i < sizeof(coverage) / sizeof(*to); i++)
        to[i] += from[i];
}

/* ---- Printing */

static void print_kinds(FILE *out) {
    static const char *const names[] = {
#define X(NAME, text) text,
        OPERATIONS(X)
#undef X
    };
    fprintf(out, "%-14s", "");
    for (int op = 0; op < OPERATION_COUNT; op++)
        fprintf(out, " %8s", names[op]);
    for (int kind = 0; kind < COVERAGE_KINDS; kind++) {
        fprintf(out, "\n%-14s", kind_names[kind]);
        for (int op = 0; op < OPERATION_COUNT; op++)
            fprintf(out, " %8llu", (unsigned long long)coverage.did[kind][op]);
    }
    fprintf(out, "\n");
}

static void print_arguments(FILE *out) {
    static const char *const names[COVERAGE_ARGS] = {
        "",     "map",          "ringbuf",     "prog_array", "key",        "value", "value out",
        "mem",  "mem out",      "size",        "size0",      "const size", "str",   "ctx",
        "func", "callback ctx", "ringbuf mem", "timer",      "u32",        "u64"};
    fprintf(out, "arguments of helpers\n");
    for (int arg = 1; arg < COVERAGE_ARGS; arg++) {
        fprintf(out, "  %-13s", names[arg]);
        for (int kind = 0; kind < COVERAGE_NULLABLE; kind++)
            if (coverage.argument[arg][kind])
                fprintf(out, " %s %llu;", kind_names[kind],
                        (unsigned long long)coverage.argument[arg][kind]);
        fprintf(out, "\n");
    }
}

static bool has_form(enum bpf_op op, int form, int source) {
    bool sized = bpf_op_is_alu(op) || bpf_op_is_jcc(op);
    return (sized && form >= 2 && form <= 3 && (op != BPF_NEG || !source)) ||
           (!source && op == BPF_LDDW && form != 3 && form < 5) ||
           (!source && form == 3 && !sized && op != BPF_LDDW);
}

/* Jumps and arithmetic by width and second operand; lddw by what it names; the others at all. */
static void print_never(FILE *out) {
    size_t count;
    const struct bpf_helper *helpers = bpf_helpers(&count);
    fprintf(out, "helpers never called:");
    for (size_t i = 0; i < count; i++)
        if (helpers[i].id < COVERAGE_HELPERS && !coverage.helper[helpers[i].id])
            fprintf(out, " %s", helpers[i].name);
    fprintf(out, "\ninstructions never executed:");
    for (int op = 0; op < BPF_OP_COUNT; op++)
        for (int form = 0; form < 8; form++)
            for (int source = 0; source < 2; source++) {
                uint64_t sum = 0;
                bool sized = bpf_op_is_alu((enum bpf_op)op) || bpf_op_is_jcc((enum bpf_op)op) ||
                             op == BPF_LDDW;
                for (int i = 0; i < 16; i++)
                    sum += sized ? 0 : coverage.insn[op][i / 2][i % 2];
                if (has_form((enum bpf_op)op, form, source) &&
                    !(sized ? coverage.insn[op][form][source] : sum))
                    fprintf(out, " %s(%d%s)", op_names[op], form, source ? ", register" : "");
            }
    fprintf(out, "\n");
}

void coverage_print(FILE *out) {
    print_kinds(out);
    print_arguments(out);
    print_never(out);
}

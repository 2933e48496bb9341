/* SPDX-License-Identifier: MIT */
/*
 * Reads the text form of a function (ir.h). One line holds one instruction or one label; a ';'
 * starts a comment. Values and blocks keep their numbers. The order of a block's predecessors is
 * that of its phis' labels, or of the edges in the text if it has none.
 *
 * Only the text is checked here; ir_check() then looks at what it says.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ir.h"
#include "util/vec.h"

#define MAX_NUMBER 10000000u /* of values and blocks: keeps a typing error from eating the memory */

struct phi_arg {
    struct ir_inst *phi;
    uint32_t pred; /* block id */
    ir_val value;
    unsigned line;
};

struct parser {
    struct arena *arena;
    struct diag *diag;
    const char *file;
    unsigned line;
    const char *at; /* next character */
    struct ir_fn *fn;
    struct ir_block *block;
    bool *defined; /* by block id */
    uint32_t defined_room;
    VEC(struct phi_arg) phi_args;
};

static bool fail_at(struct parser *p, unsigned line, const char *what, const char *text) {
    struct diag_loc loc = {.object = p->file, .file = p->file, .line = line, .insn = -1};
    return diag_error(p->diag, DIAG_IR, &loc, NULL, "%s%s%s", what, text ? ": " : "",
                      text ? text : "");
}

static bool fail(struct parser *p, const char *what) {
    return fail_at(p, p->line, what, arena_printf(p->arena, "'%.30s'", p->at));
}

/* ---------------------------------------------------------------------------------------- tokens */

static void skip_blanks(struct parser *p) {
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\r')
        p->at++;
    if (*p->at == ';')
        while (*p->at && *p->at != '\n')
            p->at++;
}

static bool at_line_end(struct parser *p) {
    skip_blanks(p);
    return *p->at == '\n' || !*p->at;
}

static bool accept(struct parser *p, const char *text) {
    skip_blanks(p);
    size_t n = strlen(text);
    if (strncmp(p->at, text, n) != 0)
        return false;
    bool word = isalnum((unsigned char)text[n - 1]);
    if (word && (isalnum((unsigned char)p->at[n]) || p->at[n] == '_'))
        return false;
    p->at += n;
    return true;
}

static bool parse_number(struct parser *p, int64_t *number) {
    skip_blanks(p);
    if (!isdigit((unsigned char)*p->at) && *p->at != '-')
        return fail(p, "expected a number");
    char *end;
    *number = *p->at == '-' ? (int64_t)strtoll(p->at, &end, 0) : (int64_t)strtoull(p->at, &end, 0);
    if (end == p->at)
        return fail(p, "expected a number");
    p->at = end;
    return true;
}

static bool parse_u32(struct parser *p, uint32_t *number, uint32_t max) {
    int64_t value = 0;
    const char *start = p->at;
    if (!parse_number(p, &value))
        return false;
    if (value < 0 || value > max) {
        p->at = start;
        return fail(p, "number out of range");
    }
    *number = (uint32_t)value;
    return true;
}

/* A letter with a number: v12, b3. */
static bool parse_name(struct parser *p, char letter, uint32_t *number) {
    skip_blanks(p);
    if (*p->at != letter || !isdigit((unsigned char)p->at[1]))
        return fail(p, letter == 'v' ? "expected a value" : "expected a block");
    p->at++;
    return parse_u32(p, number, MAX_NUMBER);
}

/* Longest text that is followed by no more of a word; -1 if none. */
static int parse_word_of(struct parser *p, const char *const *texts, int count) {
    skip_blanks(p);
    for (int i = 0; i < count; i++) {
        size_t n = strlen(texts[i]);
        if (strncmp(p->at, texts[i], n) != 0)
            continue;
        const char *rest = p->at + n;
        bool type = !strncmp(rest, ".32", 3) || !strncmp(rest, ".64", 3);
        if (!type && (isalnum((unsigned char)*rest) || *rest == '_' || *rest == '.'))
            continue;
        p->at = rest;
        return i;
    }
    return -1;
}

/* ------------------------------------------------------------------------------ blocks and values */

static struct ir_block *block_of(struct parser *p, uint32_t id) {
    while (p->fn->nblocks <= id)
        ir_block_new(p->fn);
    return p->fn->blocks[id];
}

static bool define_block(struct parser *p, uint32_t id) {
    block_of(p, id);
    if (id >= p->defined_room) {
        uint32_t room = 2 * id + 16;
        bool *defined = arena_alloc_array(p->arena, room, sizeof(bool));
        if (p->defined_room)
            memcpy(defined, p->defined, p->defined_room);
        p->defined = defined;
        p->defined_room = room;
    }
    if (p->defined[id])
        return fail(p, "block defined twice, before");
    p->defined[id] = true;
    p->block = p->fn->blocks[id];
    return true;
}

static void reserve_value(struct ir_fn *fn, ir_val v) {
    if (v < fn->nvalues)
        return;
    if (v >= fn->values_room) {
        uint32_t room = v * 2;
        struct ir_value *values = arena_alloc_array(fn->arena, room, sizeof(*values));
        memcpy(values, fn->values, fn->nvalues * sizeof(*values));
        fn->values = values;
        fn->values_room = room;
    }
    fn->nvalues = v + 1;
}

static bool define_value(struct parser *p, struct ir_inst *inst, int i) {
    ir_val v = inst->res[i];
    reserve_value(p->fn, v);
    if (!v || p->fn->values[v].def)
        return fail(p, v ? "value defined twice, before" : "there is no v0, before");
    enum ir_type type = inst->type == IR_VOID ? IR_I64 : (enum ir_type)inst->type;
    if (inst->op == IR_LOAD && inst->size < 8)
        type = IR_I32;
    p->fn->values[v] = (struct ir_value){.def = inst, .type = (uint8_t)type};
    return true;
}

/* ---------------------------------------------------------------------------------- instructions */

struct line {
    VEC(ir_val) args;
    ir_val res[2];
    int64_t imm;
    struct ir_block *target[2];
    unsigned ntargets;
};

static bool parse_phi_arg(struct parser *p, struct ir_inst *phi, struct line *l) {
    struct phi_arg arg = {.phi = phi, .line = p->line};
    if (!parse_name(p, 'b', &arg.pred))
        return false;
    if (!accept(p, ":"))
        return fail(p, "expected ':'");
    if (!parse_name(p, 'v', &arg.value))
        return false;
    vec_push(p->arena, &p->phi_args, arg);
    vec_push(p->arena, &l->args, arg.value);
    return true;
}

static bool parse_operand(struct parser *p, struct ir_inst *inst, struct line *l) {
    skip_blanks(p);
    uint32_t number;
    if (inst->op == IR_PHI)
        return parse_phi_arg(p, inst, l);
    if (*p->at == 'v') {
        if (!parse_name(p, 'v', &number))
            return false;
        vec_push(p->arena, &l->args, number);
        return true;
    }
    if (accept(p, "_")) {
        vec_push(p->arena, &l->args, 0);
        return true;
    }
    if (*p->at == 'b') {
        if (l->ntargets == 2)
            return fail(p, "too many targets");
        if (!parse_name(p, 'b', &number))
            return false;
        l->target[l->ntargets++] = block_of(p, number);
        return true;
    }
    return parse_number(p, &l->imm);
}

static bool at_attribute(struct parser *p) {
    static const char *const names[] = {"size=", "align=", "signed", "index=", "@"};
    skip_blanks(p);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (!strncmp(p->at, names[i], strlen(names[i])))
            return true;
    return false;
}

static bool parse_attributes(struct parser *p, struct ir_inst *inst) {
    while (!at_line_end(p)) {
        uint32_t number = 0;
        if (accept(p, "signed")) {
            inst->is_signed = true;
        } else if (accept(p, "size=")) {
            if (!parse_u32(p, &number, 8))
                return false;
            inst->size = (uint8_t)number;
        } else if (accept(p, "align=")) {
            if (!parse_u32(p, &number, 8))
                return false;
            inst->align = (uint8_t)number;
        } else if (accept(p, "index=")) {
            if (!parse_u32(p, &inst->index, UINT32_MAX))
                return false;
        } else if (accept(p, "@")) {
            if (!parse_u32(p, &inst->insn, UINT32_MAX))
                return false;
        } else {
            return fail(p, "expected size=, align=, signed, index=, @ or the end of the line");
        }
    }
    return true;
}

static bool parse_op(struct parser *p, struct ir_inst *inst) {
    static const char *const ops[] = {
#define IR(NAME, text, args, results, level, flags) text,
#include "ir/ir.def"
    };
    static const char *const conds[] = {
#define IR_COND_TEXT(NAME, text, INVERSE, SWAPPED) text,
        IR_CONDS(IR_COND_TEXT)
#undef IR_COND_TEXT
    };
    int op = parse_word_of(p, ops, IR_OP_COUNT);
    if (op < 0)
        return fail(p, "expected an operation");
    inst->op = (uint8_t)op;
    inst->type = accept(p, ".32") ? IR_I32 : accept(p, ".64") ? IR_I64 : IR_VOID;
    if (op != IR_BR && op != IR_BR2)
        return true;
    int cond = parse_word_of(p, conds, IR_COND_COUNT);
    if (cond < 0)
        return fail(p, "expected a condition");
    inst->cond = (uint8_t)cond;
    return true;
}

/* The left side: v1 = or v1, v2 = */
static bool parse_results(struct parser *p, struct line *l) {
    skip_blanks(p);
    if (*p->at != 'v' || !isdigit((unsigned char)p->at[1]))
        return true;
    if (!parse_name(p, 'v', &l->res[0]))
        return false;
    if (accept(p, ",") && !parse_name(p, 'v', &l->res[1]))
        return false;
    return accept(p, "=") || fail(p, "expected '='");
}

static bool parse_inst(struct parser *p) {
    if (!p->block)
        return fail(p, "expected a block label before");
    struct line l = {0};
    if (!parse_results(p, &l))
        return false;
    struct ir_inst *inst = ir_inst_new(p->fn, IR_CONST, IR_VOID, 0, NULL, 0, IR_VOID);
    if (!parse_op(p, inst))
        return false;
    if (!at_line_end(p) && !at_attribute(p))
        do
            if (!parse_operand(p, inst, &l))
                return false;
        while (accept(p, ","));
    if (!parse_attributes(p, inst))
        return false;
    inst->args = l.args.items;
    inst->nargs = (uint32_t)l.args.count;
    inst->imm = inst->op == IR_CONST && inst->type == IR_I32 ? (int64_t)(uint32_t)l.imm : l.imm;
    ir_append(p->block, inst);
    for (int i = 0; i < 2; i++) {
        inst->res[i] = l.res[i];
        if (l.res[i] && !define_value(p, inst, i))
            return false;
    }
    if (l.ntargets) {
        if (p->block->target[0])
            return fail(p, "second terminator in the block, before");
        ir_set_targets(p->fn, p->block, l.target[0], l.target[1]);
    }
    return true;
}

/* ------------------------------------------------------------------------------------- functions */

static bool parse_header(struct parser *p) {
    uint32_t func = 0, level = 64;
    if (!accept(p, "func"))
        return fail(p, "expected 'func NUMBER NAME'");
    if (!parse_u32(p, &func, UINT32_MAX))
        return false;
    skip_blanks(p);
    size_t n = strcspn(p->at, " \t\r\n;");
    p->fn = ir_fn_new(p->arena, NULL, func, arena_printf(p->arena, "%.*s", (int)n, p->at));
    p->at += n;
    while (!at_line_end(p)) {
        if (accept(p, "level=")) {
            if (!parse_u32(p, &level, 64))
                return false;
            p->fn->level = level == 32 ? IR_LEVEL_32 : IR_LEVEL_64;
        } else if (accept(p, "stack=")) {
            if (!parse_u32(p, &p->fn->stack, UINT32_MAX))
                return false;
        } else {
            return fail(p, "expected level= or stack=");
        }
    }
    return true;
}

static bool parse_line(struct parser *p) {
    if (!p->fn)
        return parse_header(p);
    if (*p->at == 'b' && isdigit((unsigned char)p->at[1])) {
        uint32_t id;
        if (!parse_name(p, 'b', &id) || !define_block(p, id))
            return false;
        return (accept(p, ":") && at_line_end(p)) || fail(p, "expected ':'");
    }
    return parse_inst(p);
}

/* The labels of a block's first phi name each of its edges once, and become the order of its
 * predecessors. */
static bool order_preds(struct parser *p, const struct phi_arg *args, uint32_t *count) {
    struct ir_block *block = args->phi->block;
    for (uint32_t i = 0; i < block->npreds; i++)
        count[block->preds[i]->id]++;
    for (uint32_t i = 0; i < block->npreds; i++) {
        if (args[i].pred >= p->fn->nblocks || count[args[i].pred]-- == 0)
            return fail_at(p, args[i].line, "phi label is not a predecessor, or repeated", NULL);
        block->preds[i] = p->fn->blocks[args[i].pred];
    }
    return true;
}

/* Puts the arguments of each phi into the order of its block's predecessors. Block is done before
 * block, phi before phi, as they stand in the text. */
static bool order_phis(struct parser *p) {
    uint32_t *count = arena_alloc_array(p->arena, p->fn->nblocks + 1, sizeof(*count));
    ir_val *from = arena_alloc_array(p->arena, p->fn->nblocks + 1, sizeof(*from));
    for (size_t i = 0; i < p->phi_args.count;) {
        const struct phi_arg *args = &p->phi_args.items[i];
        struct ir_inst *phi = args->phi;
        struct ir_block *block = phi->block;
        if (phi->nargs != block->npreds)
            return fail_at(p, args->line, "phi with more or fewer labels than predecessors", NULL);
        if (phi == block->first && !order_preds(p, args, count))
            return false;
        for (uint32_t k = 0; k < phi->nargs; k++)
            if (args[k].pred < p->fn->nblocks)
                from[args[k].pred] = args[k].value;
        for (uint32_t k = 0; k < phi->nargs; k++)
            phi->args[k] = from[block->preds[k]->id];
        for (uint32_t k = 0; k < phi->nargs; k++) {
            if (!phi->args[k])
                return fail_at(p, args->line, "phi label is not a predecessor, or repeated", NULL);
            from[block->preds[k]->id] = 0;
        }
        i += phi->nargs;
    }
    return true;
}

static bool check_blocks(struct parser *p) {
    for (uint32_t i = 0; i < p->fn->nblocks; i++) {
        if (i < p->defined_room && p->defined[i])
            continue;
        if (p->fn->blocks[i]->npreds)
            return fail_at(p, p->line, "a branch to a block that is not defined",
                           arena_printf(p->arena, "b%u", i));
        p->fn->blocks[i] = NULL;
    }
    if (!p->fn->nblocks || !p->fn->blocks[0])
        return fail_at(p, p->line, "there is no b0, the entry", NULL);
    return true;
}

/* Every value that is used is defined: what everything else relies on to look at a definition. */
static bool check_values(struct parser *p) {
    for (uint32_t i = 0; i < p->fn->nblocks; i++)
        for (struct ir_inst *inst = p->fn->blocks[i] ? p->fn->blocks[i]->first : NULL; inst;
             inst = inst->next)
            for (uint32_t k = 0; k < inst->nargs; k++)
                if (inst->args[k] &&
                    (inst->args[k] >= p->fn->nvalues || !p->fn->values[inst->args[k]].def))
                    return fail_at(p, p->line, "a value that is not defined",
                                   arena_printf(p->arena, "v%u", inst->args[k]));
    return true;
}

struct ir_fn *ir_parse(struct arena *arena, const char *text, const char *file, struct diag *diag) {
    struct parser p = {.arena = arena, .diag = diag, .file = file, .at = text, .line = 1};
    while (*p.at) {
        if (!at_line_end(&p) && !parse_line(&p))
            return NULL;
        if (!at_line_end(&p)) {
            fail(&p, "expected the end of the line");
            return NULL;
        }
        if (*p.at)
            p.at++;
        p.line++;
    }
    if (!p.fn) {
        fail(&p, "expected 'func NUMBER NAME'");
        return NULL;
    }
    return check_blocks(&p) && order_phis(&p) && check_values(&p) ? p.fn : NULL;
}

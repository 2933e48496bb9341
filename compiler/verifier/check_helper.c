/* SPDX-License-Identifier: MIT */
/* May this helper be called with these arguments? By the argument kinds of helper.def. */
#include "verifier/analysis.h"

#include <inttypes.h>
#include <string.h>

#include "bpf/map.h"

struct checking {
    const struct analysis *a;
    const struct state *s;
    uint32_t slot;
    const struct bpf_helper *h;
    struct problem *problem;
};

static const struct value *argument(const struct checking *c, unsigned i) {
    return &c->s->reg[BPF_R1 + i];
}

/* "the key (argument 2) of bpf_map_lookup_elem()" */
static const char *argument_name(const struct checking *c, unsigned i) {
    const char *what = c->h->arg[i] == BPF_ARG_MAP_KEY ? "the key"
                       : c->h->arg[i] == BPF_ARG_MAP_VALUE || c->h->arg[i] == BPF_ARG_MAP_VALUE_OUT
                           ? "the value"
                           : NULL;
    if (what)
        return arena_printf(c->a->arena, "%s (argument %u) of bpf_%s()", what, i + 1, c->h->name);
    return arena_printf(c->a->arena, "argument %u of bpf_%s()", i + 1, c->h->name);
}

/* ---- Maps */

static uint32_t types(const char *kinds) {
    uint32_t set = 0;
    static const struct {
        char letter;
        enum bpf_map_type type;
    } letters[] = {{'a', BPF_MAP_ARRAY},     {'h', BPF_MAP_HASH},  {'l', BPF_MAP_LRU_HASH},
                   {'q', BPF_MAP_QUEUE},     {'s', BPF_MAP_STACK}, {'r', BPF_MAP_RINGBUF},
                   {'p', BPF_MAP_PROG_ARRAY}};
    for (; *kinds; kinds++)
        for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
            if (*kinds == letters[i].letter)
                set |= UINT32_C(1) << letters[i].type;
    return set;
}

/* Types of maps that a helper with a MAP argument works on. */
static uint32_t accepted_types(const struct bpf_helper *h, enum bpf_arg kind) {
    if (kind == BPF_ARG_RINGBUF)
        return types("r");
    if (kind == BPF_ARG_PROG_ARRAY)
        return types("p");
    switch ((enum bpf_helper_id)h->id) {
    case BPF_FUNC_MAP_DELETE_ELEM: return types("hl");
    case BPF_FUNC_MAP_PUSH_ELEM:
    case BPF_FUNC_MAP_POP_ELEM:
    case BPF_FUNC_MAP_PEEK_ELEM: return types("qs");
    default: return types("ahl");
    }
}

static const char *type_name(uint32_t type) {
    switch (type) {
#define NAME(NAME, number, text)                                                                   \
    case number: return text;
        BPF_MAP_TYPES(NAME)
#undef NAME
    }
    return "unknown";
}

static bool check_map(const struct checking *c, unsigned i, enum bpf_arg kind) {
    const struct value *v = argument(c, i);
    if (v->kind != VALUE_MAP || v->nullable)
        return PROBLEM(c, DIAG_HELPER, "give the address of a map: `&my_map`",
                       "%s must be a map, and is %s", argument_name(c, i),
                       object_name(c->a, c->s, v));
    const struct prog_map *m = &c->a->program->maps[v->object];
    if (!scalar_is_const(&v->n) || v->n.x.value != 0)
        return PROBLEM(c, DIAG_HELPER, "give the address of the map itself",
                       "%s points into map %s", argument_name(c, i), m->name);
    uint32_t plain = bpf_map_plain_type(m->type);
    if (accepted_types(c->h, kind) >> plain & 1)
        return true;
    return PROBLEM(c, DIAG_HELPER, "use a helper for this type of map (docs/programming.md)",
                   "bpf_%s() cannot be used on map %s, which is of type %s", c->h->name, m->name,
                   type_name(m->type));
}

/* ---- Memory */

static bool check_memory(const struct checking *c, unsigned i, uint64_t size, bool write) {
    const struct value *v = argument(c, i);
    struct access access = {.pointer = v, .size = size, .write = write, .uninit_ok = write};
    if (c->problem)
        access.who = argument_name(c, i);
    else
        access.who = "";
    /* Nothing of it is touched: then it may be null, too. */
    if (size == 0 && (v->kind == VALUE_SCALAR || v->nullable))
        return true;
    return check_access(c->a, c->s, c->slot, &access, c->problem);
}

static bool check_map_memory(const struct checking *c, unsigned i, enum bpf_arg kind) {
    const struct value *map = argument(c, 0);
    if (map->kind != VALUE_MAP)
        return false; /* reported for argument 1 */
    const struct prog_map *m = &c->a->program->maps[map->object];
    return check_memory(c, i, kind == BPF_ARG_MAP_KEY ? m->key_size : m->value_size,
                        kind == BPF_ARG_MAP_VALUE_OUT);
}

static bool check_number(const struct checking *c, unsigned i) {
    const struct value *v = argument(c, i);
    if (v->kind == VALUE_SCALAR)
        return true;
    return PROBLEM(c, DIAG_LEAK, "give a number",
                   "%s is the address of %s: helpers take numbers here", argument_name(c, i),
                   object_name(c->a, c->s, v));
}

/* Memory and the size behind it. */
static bool check_sized_memory(const struct checking *c, unsigned i, bool write) {
    const struct value *size = argument(c, i + 1);
    const struct scalar *n = &size->n;
    if (size->kind != VALUE_SCALAR)
        return check_number(c, i + 1);
    if (n->x.umax > UINT32_MAX / 2)
        return PROBLEM(c, DIAG_BOUNDS, "test the size first, as an unsigned number",
                       "the size in %s may be negative or anything", argument_name(c, i + 1));
    if (n->x.umin == 0 && c->h->arg[i + 1] == BPF_ARG_SIZE)
        return PROBLEM(c, DIAG_BOUNDS, "test that the size is not 0", "the size in %s may be 0",
                       argument_name(c, i + 1));
    return check_memory(c, i, n->x.umax, write);
}

static bool check_constant_size(const struct checking *c, unsigned i) {
    const struct value *v = argument(c, i);
    if (!check_number(c, i))
        return false;
    if (!scalar_is_const(&v->n) || v->n.x.value == 0 || v->n.x.value > UINT32_MAX / 2)
        return PROBLEM(c, DIAG_BOUNDS, "use sizeof, or a constant", "%s must be a constant size",
                       argument_name(c, i));
    return true;
}

/* A string that ends, in constant memory. */
static bool check_string(const struct checking *c, unsigned i) {
    const struct value *v = argument(c, i);
    int64_t low, high;
    bool known =
        v->kind == VALUE_DATA && !v->nullable && object_range(v, 0, &low, &high) && low >= 0;
    const struct prog_data *d = known ? &c->a->program->datas[v->object] : NULL;
    if (!known || d->writable || high >= (int64_t)d->size)
        return PROBLEM(c, DIAG_HELPER, "use a string literal, or a `static const char` array",
                       "%s must be a constant string", argument_name(c, i));
    /* From the last place on there is an end, so there is one from every place. */
    const uint8_t *end = d->image ? memchr(d->image + high, 0, d->size - (uint64_t)high) : NULL;
    if (d->image && !end)
        return PROBLEM(c, DIAG_HELPER, "end the string with \\0", "%s is a string without an end",
                       argument_name(c, i));
    if (end && object_has_pointer(c->a, v->object, low, (uint64_t)(end - d->image - low) + 1))
        return PROBLEM(c, DIAG_LEAK, "use a string literal, or a `static const char` array",
                       "%s has a pointer in it", argument_name(c, i));
    return true;
}

/* ---- The other kinds */

static bool check_context(const struct checking *c, unsigned i) {
    const struct value *v = argument(c, i);
    if (v->kind == VALUE_CTX && !v->nullable && scalar_is_const(&v->n) && v->n.x.value == 0)
        return true;
    return PROBLEM(c, DIAG_HELPER, "pass on the program's first argument as it is",
                   "%s must be the program's context", argument_name(c, i));
}

static bool check_function(const struct checking *c, unsigned i) {
    const struct value *v = argument(c, i);
    if (value_is_code(v) && !v->nullable)
        return true;
    return PROBLEM(c, DIAG_HELPER, "give the name of a static function",
                   "%s must be a function of the program", argument_name(c, i));
}

/* A pointer to the stack or to memory, or a number: the callback's checks see what it is. */
static bool check_callback_context(const struct checking *c, unsigned i) {
    const struct value *v = argument(c, i);
    if (v->kind == VALUE_SCALAR || v->kind == VALUE_STACK || v->kind == VALUE_CTX ||
        v->kind == VALUE_MAP_VALUE || v->kind == VALUE_DATA)
        return true;
    return PROBLEM(c, DIAG_HELPER, "pass the address of a local variable, or NULL",
                   "%s is %s, which a callback cannot take", argument_name(c, i),
                   object_name(c->a, c->s, v));
}

static bool check_record(const struct checking *c, unsigned i) {
    const struct value *v = argument(c, i);
    if (v->kind != VALUE_RECORD)
        return PROBLEM(c, DIAG_RECORD, "give what bpf_ringbuf_reserve() returned",
                       "%s must be a reserved record, and is %s", argument_name(c, i),
                       object_name(c->a, c->s, v));
    if (v->nullable)
        return PROBLEM(c, DIAG_NULL, "test the pointer first: `if (!p) return 0;`",
                       "%s may be null: the ring buffer may have been full", argument_name(c, i));
    if (!scalar_is_const(&v->n) || v->n.x.value != 0)
        return PROBLEM(c, DIAG_RECORD, "give the pointer as bpf_ringbuf_reserve() returned it",
                       "%s does not point to the record's beginning", argument_name(c, i));
    return true;
}

/* The timer of a map's value, exactly. */
static bool check_timer(const struct checking *c, unsigned i) {
    const struct value *v = argument(c, i);
    if (v->kind != VALUE_MAP_VALUE)
        return PROBLEM(c, DIAG_HELPER,
                       "make the timer a member of a map's value, and give its address in there",
                       "%s must be the timer of a map's value, and is %s", argument_name(c, i),
                       object_name(c->a, c->s, v));
    const struct prog_map *m = &c->a->program->maps[v->object];
    if (v->nullable)
        return PROBLEM(c, DIAG_NULL, "test the pointer first: `if (!p) return 0;`",
                       "%s is in %s that may be null", argument_name(c, i),
                       object_name(c->a, c->s, v));
    if (!m->has_timer)
        return PROBLEM(c, DIAG_HELPER,
                       "make `struct bpf_timer` a member of the structure that is the map's value",
                       "%s is in map %s, whose values have no timer", argument_name(c, i), m->name);
    if (scalar_is_const(&v->n) && v->n.x.value == m->timer_off)
        return true;
    return PROBLEM(c, DIAG_HELPER, "give the address of the timer itself: `&value->timer`",
                   "%s %s the timer of map %s, which is at byte %u of a value", argument_name(c, i),
                   scalar_is_const(&v->n) ? "is not" : "need not be", m->name, m->timer_off);
}

static bool check_argument(const struct checking *c, unsigned i) {
    enum bpf_arg kind = (enum bpf_arg)c->h->arg[i];
    switch (kind) {
    case BPF_ARG_NONE: return true;
    case BPF_ARG_MAP:
    case BPF_ARG_RINGBUF:
    case BPF_ARG_PROG_ARRAY: return check_map(c, i, kind);
    case BPF_ARG_MAP_KEY:
    case BPF_ARG_MAP_VALUE:
    case BPF_ARG_MAP_VALUE_OUT: return check_map_memory(c, i, kind);
    case BPF_ARG_MEM: return check_sized_memory(c, i, false);
    case BPF_ARG_MEM_OUT: return check_sized_memory(c, i, true);
    case BPF_ARG_CONST_SIZE: return check_constant_size(c, i);
    case BPF_ARG_STR: return check_string(c, i);
    case BPF_ARG_CTX: return check_context(c, i);
    case BPF_ARG_FUNC: return check_function(c, i);
    case BPF_ARG_CALLBACK_CTX: return check_callback_context(c, i);
    case BPF_ARG_RINGBUF_MEM: return check_record(c, i);
    case BPF_ARG_TIMER: return check_timer(c, i);
    case BPF_ARG_SIZE:
    case BPF_ARG_SIZE0:
    case BPF_ARG_U32:
    case BPF_ARG_U64: return check_number(c, i);
    }
    return false;
}

/* ---- What one helper alone wants */

static bool check_records_open(const struct checking *c, const char *why) {
    if (c->s->nrecords == 0)
        return true;
    return PROBLEM(c, DIAG_RECORD, "submit or discard the record first",
                   "%s while a ring buffer record is reserved", why);
}

static bool check_reserve(const struct checking *c) {
    const struct prog_map *m = &c->a->program->maps[argument(c, 0)->object];
    if (state_has_record(c->s, c->slot))
        return PROBLEM(c, DIAG_RECORD,
                       "submit or discard the record before the next one is reserved",
                       "a record is reserved while the one from the same place may still be open");
    if (c->s->nrecords == STATE_RECORDS_MAX)
        return PROBLEM(c, DIAG_RECORD, "submit records earlier",
                       "more than %d records are open at one time", STATE_RECORDS_MAX);
    if (argument(c, 1)->n.x.value + 8 > m->max_entries)
        return PROBLEM(c, DIAG_BOUNDS, "make the ring buffer larger (max_entries are its bytes)",
                       "a record of %" PRIu64 " bytes does not fit into map %s, which has %u bytes",
                       argument(c, 1)->n.x.value, m->name, m->max_entries);
    return true;
}

/* Three axes of 16 bits: of any other size nothing would be written. */
static bool check_accel(const struct checking *c) {
    if (argument(c, 1)->n.x.value == 6)
        return true;
    return PROBLEM(c, DIAG_BOUNDS, "declare `s16 xyz[3]` and give `sizeof(xyz)`",
                   "bpf_accel_read() writes 6 bytes, and argument 2 is %" PRIu64,
                   argument(c, 1)->n.x.value);
}

/* The map that the timer is in, and the one clock that there is. */
static bool check_timer_init(const struct checking *c) {
    const struct prog_map *m = &c->a->program->maps[argument(c, 0)->object];
    const struct scalar *flags = &argument(c, 2)->n;
    if (argument(c, 1)->object != argument(c, 0)->object)
        return PROBLEM(c, DIAG_HELPER, arena_printf(c->a->arena, "give `&%s`", m->name),
                       "the timer of argument 1 is in map %s, and argument 2 is %s", m->name,
                       object_name(c->a, c->s, argument(c, 1)));
    if (scalar_is_const(flags) && flags->x.value == BPF_CLOCK_MONOTONIC)
        return true;
    return PROBLEM(c, DIAG_HELPER, "give CLOCK_MONOTONIC",
                   "argument 3 of bpf_timer_init() must be the constant CLOCK_MONOTONIC: there is "
                   "no other clock");
}

static bool check_timer_start(const struct checking *c) {
    const struct scalar *flags = &argument(c, 2)->n;
    if (scalar_is_const(flags) && flags->x.value == 0)
        return true;
    return PROBLEM(c, DIAG_HELPER, "give 0, and the time from now on",
                   "argument 3 of bpf_timer_start() must be the constant 0");
}

/* Programs that a prog_array starts with must take this program's context. */
static bool check_tail_call(const struct checking *c) {
    const struct program *p = c->a->program;
    uint32_t map = argument(c, 1)->object;
    if (c->s->nframes > 1)
        return PROBLEM(c, DIAG_CALL, "make the tail call in the program itself",
                       "a tail call in a function that has a caller");
    const struct prog_entry *from = &p->entries[argument(c, 0)->object];
    for (uint32_t i = 0; i < p->nrelocs; i++) {
        if (p->relocs[i].kind != PROG_RELOC_PROG || p->relocs[i].data != map)
            continue;
        const struct prog_entry *to = &p->entries[p->relocs[i].target];
        if (to->hook != from->hook || to->ctx_size != from->ctx_size)
            return PROBLEM(c, DIAG_CALL, "put programs of one type into a prog_array",
                           "map %s leads from %s, of type %s, to %s, of type %s", p->maps[map].name,
                           from->name, hook_info(from->hook)->prefix, to->name,
                           hook_info(to->hook)->prefix);
    }
    return check_records_open(c, "a tail call");
}

/* ---- Formats */

/* A format in constants. */
struct format {
    const char *text;
    uint64_t size;
    bool exact; /* it begins with the text; else somewhere in it */
};

/* The format of a helper that has one; false if it has none, or one that is not constant. */
static bool constant_format(const struct checking *c, struct format *f) {
    bool string = c->h->id == BPF_FUNC_SNPRINTF; /* ends with 0; of the others the size is given */
    if (!string && c->h->id != BPF_FUNC_TRACE_PRINTK && c->h->id != BPF_FUNC_TRACE_VPRINTK)
        return false;
    const struct value *fmt = argument(c, string ? 2 : 0), *size = argument(c, 1);
    const struct prog_data *d = fmt->kind == VALUE_DATA ? &c->a->program->datas[fmt->object] : NULL;
    int64_t low, high;
    if (!d || d->writable || !d->image || !object_range(fmt, 0, &low, &high) || low < 0 ||
        high > (int64_t)d->size)
        return false;
    *f = (struct format){(const char *)d->image + low, d->size - (uint64_t)low, low == high};
    if (string)
        return true;
    if (!f->exact || size->kind != VALUE_SCALAR || !scalar_is_const(&size->n) ||
        size->n.x.value > f->size)
        return false;
    f->size = size->n.x.value;
    return true;
}

/* Where the letter of the conversion is that begins with the % at i: as bpf_format() reads it. */
static uint64_t conversion_letter(const struct format *f, uint64_t i) {
    for (i++; i < f->size && f->text[i] && strchr("-0123456789lh", f->text[i]); i++)
        ;
    return i;
}

/* Arguments that bpf_trace_printk() reads: its format and as many numbers as that has conversions. A
 * format that is not constant may ask for all. */
static unsigned printk_arguments(const struct checking *c) {
    struct format f;
    unsigned conversions = 0;
    if (!constant_format(c, &f))
        return c->h->nargs;
    for (uint64_t i = 0; i + 1 < f.size; i++)
        if (f.text[i] == '%') {
            conversions += f.text[i + 1] != '%';
            i += f.text[i + 1] == '%';
        }
    return conversions + 2 < c->h->nargs ? conversions + 2 : c->h->nargs;
}

/* What %s prints is read at an address that is a number to the verifier: it could be any. */
static bool check_format(const struct checking *c) {
    struct format f;
    if (!constant_format(c, &f))
        return true;
    for (uint64_t i = 0; i < f.size && (f.text[i] || !f.exact); i++) {
        uint64_t letter = i;
        if (f.text[i] == '%')
            letter = conversion_letter(&f, i);
        if (letter > i && letter < f.size && f.text[letter] == 's')
            return PROBLEM(
                c, DIAG_HELPER,
                "make the string a part of the format, or print its characters by %c",
                "the format of bpf_%s() has a %%s, which reads memory at an address that "
                "is given as a number",
                c->h->name);
        if (f.exact)
            i = letter;
    }
    return true;
}

bool check_helper(const struct analysis *a, const struct state *s, uint32_t slot, uint32_t id,
                  struct problem *problem) {
    struct checking c = {a, s, slot, bpf_helper_by_id(id), problem};
    if (!c.h || id >= BPF_HELPER_INTERNAL_BASE)
        return PROBLEM(&c, DIAG_HELPER, "use the helpers that bpf_mcu.h declares",
                       "there is no helper with id %u", id);
    unsigned nargs = id == BPF_FUNC_TRACE_PRINTK ? printk_arguments(&c) : c.h->nargs;
    for (unsigned i = 0; i < nargs; i++) {
        const struct value *v = argument(&c, i);
        if (v->kind == VALUE_NONE)
            return v->reason == NONE_RELEASED
                       ? PROBLEM(&c, DIAG_RECORD, "submit or discard a record once",
                                 "%s is a record that was given back already", argument_name(&c, i))
                       : PROBLEM(&c, DIAG_UNINIT, "give the variable a value first",
                                 "%s has no value on some path", argument_name(&c, i));
        if (!check_argument(&c, i))
            return false;
    }
    if (id == BPF_FUNC_RINGBUF_RESERVE)
        return check_reserve(&c);
    if (id == BPF_FUNC_TAIL_CALL)
        return check_tail_call(&c);
    if (id == BPF_FUNC_ACCEL_READ)
        return check_accel(&c);
    if (id == BPF_FUNC_TIMER_INIT)
        return check_timer_init(&c);
    if (id == BPF_FUNC_TIMER_START)
        return check_timer_start(&c);
    return check_format(&c);
}

/* SPDX-License-Identifier: MIT */
/* What the call of a helper changes, by the rows of helper.def: r0, memory that it writes, records. */
#include "verifier/analysis.h"

#include "bpf/arena.h"
#include "bpf/map.h"

/* Whether a look-up cannot miss: an array and a key in range. */
static bool lookup_hits(const struct analysis *a, const struct state *s) {
    const struct value *map = &s->reg[BPF_R1], *key = &s->reg[BPF_R2];
    if (map->kind != VALUE_MAP || key->nullable)
        return false;
    const struct prog_map *m = &a->program->maps[map->object];
    if (bpf_map_plain_type(m->type) != BPF_MAP_ARRAY)
        return false;
    if (key->kind == VALUE_DATA) {
        struct value constant = object_load(a, key, 0, 4);
        return constant.kind == VALUE_SCALAR && constant.n.x.umax < m->max_entries;
    }
    if (key->kind != VALUE_STACK || !s->frame[key->object])
        return false;
    int64_t low, high;
    if (!object_range(key, 0, &low, &high) || low != high || low < -VERIFY_STACK_MAX || low > -4)
        return false;
    const struct frame *f = s->frame[key->object];
    if (!stack_is_init(f, (int)low, 4))
        return false;
    struct value index = stack_read(f, (int)low, 4);
    return index.kind == VALUE_SCALAR && index.n.x.umax < m->max_entries;
}

/* A pointer that may be null, with an identity of its own. */
static struct value nullable(struct state *s, enum value_kind kind, uint32_t object) {
    struct value v = value_pointer(kind, object);
    v.nullable = true;
    v.width = 64;
    v.base = s->next_base++;
    return v;
}

static struct value reservation(const struct analysis *a, struct state *s, uint32_t slot) {
    /* check_helper() sees to it that no record of the same place is open, here or on each path: what may be null
     * is, and is no copy of the new one. */
    state_release_null_record(a->pool, s, slot);
    struct value v = nullable(s, VALUE_RECORD, slot);
    const struct scalar *size = &s->reg[BPF_R2].n;
    v.size = scalar_is_const(size) ? (uint32_t)size->x.value : 0;
    v.owner = true;
    state_open_record(s, slot); /* check_helper() refuses one too many */
    return v;
}

static struct value result(const struct analysis *a, struct state *s, uint32_t slot,
                           const struct bpf_helper *h) {
    uint32_t map = s->reg[BPF_R1].object;
    switch ((enum bpf_ret)h->ret) {
    case BPF_RET_VOID: return value_const(0);
    case BPF_RET_S32: return value_scalar(scalar_sext(32));
    case BPF_RET_U32: return value_scalar(scalar_zext(32));
    case BPF_RET_U64: return value_scalar(scalar_unknown());
    case BPF_RET_RINGBUF_MEM_OR_NULL: return reservation(a, s, slot);
    case BPF_RET_MAP_VALUE_OR_NULL: break;
    }
    if (s->reg[BPF_R1].kind != VALUE_MAP)
        return value_none(NONE_MIXED);
    state_forget_lookup(a->pool, s, slot);
    struct value v =
        lookup_hits(a, s) ? value_pointer(VALUE_MAP_VALUE, map) : nullable(s, VALUE_MAP_VALUE, map);
    v.size = slot + 1;
    return v;
}

/* Memory that the helper fills: all of it if place and size are known, else perhaps some. */
static void written(const struct analysis *a, struct state *s, const struct value *p,
                    uint64_t min_size, uint64_t max_size) {
    int64_t low, high;
    if (p->kind == VALUE_NONE && max_size > 0)
        transfer_write_anywhere(a, s, true);
    if (p->kind != VALUE_STACK || !s->frame[p->object] || max_size == 0)
        return;
    if (!object_range(p, 0, &low, &high) || max_size > VERIFY_STACK_MAX)
        low = -VERIFY_STACK_MAX, high = 0, max_size = VERIFY_STACK_MAX;
    int64_t end = high + (int64_t)max_size;
    low = low < -VERIFY_STACK_MAX ? -VERIFY_STACK_MAX : low;
    end = end > 0 ? 0 : end;
    if (low >= end)
        return;
    struct frame *f = state_write_frame(a->pool, s, p->object);
    stack_clobber(a->pool, f, (int)low, (int)(end - low), false);
    if (low == high && min_size > 0 && low + (int64_t)min_size <= 0)
        stack_clobber(a->pool, f, (int)low, (int)min_size, true);
}

static void written_arguments(const struct analysis *a, struct state *s,
                              const struct bpf_helper *h) {
    for (unsigned i = 0; i < h->nargs; i++) {
        struct value p = s->reg[BPF_R1 + i];
        if (bpf_arg_access((enum bpf_arg)h->arg[i]) != BPF_ARG_WRITTEN)
            continue;
        if (h->arg[i] == BPF_ARG_MAP_VALUE_OUT) {
            bool known = s->reg[BPF_R1].kind == VALUE_MAP;
            uint32_t size = known ? a->program->maps[s->reg[BPF_R1].object].value_size : 0;
            written(a, s, &p, size, known ? size : VERIFY_STACK_MAX);
        } else if (h->arg[i] == BPF_ARG_MEM_OUT) {
            const struct value *size = &s->reg[BPF_R1 + i + 1];
            bool number = size->kind == VALUE_SCALAR;
            written(a, s, &p, number ? size->n.x.umin : 0,
                    number ? size->n.x.umax : VERIFY_STACK_MAX);
        } else { /* a kind whose size nobody has told here */
            written(a, s, &p, 0, VERIFY_STACK_MAX);
        }
    }
}

/* A record is submitted or discarded; where paths with different ones meet, any of them. */
static void given_back(const struct analysis *a, struct state *s, const struct value *record) {
    if (record->kind == VALUE_RECORD)
        state_release_record(a->pool, s, record->object);
    else if (record->kind == VALUE_NONE)
        state_doubt_records(a->pool, s);
}

void transfer_helper(const struct analysis *a, struct state *s, uint32_t slot, uint32_t id) {
    const struct bpf_helper *h = bpf_helper_by_id(id);
    struct value r0 = value_none(NONE_MIXED);
    if (h) {
        written_arguments(a, s, h);
        r0 = id == BPF_FUNC_TAIL_CALL ? value_const((uint64_t)BPF_TAIL_CALL_FAILED)
                                      : result(a, s, slot, h);
        if (h->arg[0] == BPF_ARG_RINGBUF_MEM)
            given_back(a, s, &s->reg[BPF_R1]);
    }
    s->reg[BPF_R0] = r0;
    for (int r = BPF_R1; r <= BPF_R5; r++)
        s->reg[r] = value_none(NONE_CALL);
}

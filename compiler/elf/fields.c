/* SPDX-License-Identifier: MIT */
/*
 * A type of BTF as the numbers that lie in it: `{.kp, .limits[1].high}`. For people who read and write maps;
 * what is not made of whole numbers only (bit-fields, floats, pointers) has no fields, and is then just bytes.
 */
#include "elf/object.h"

#include <bpf/btf.h>

enum { FIELDS_MAX = 64, DEPTH_MAX = 8 };

struct walk {
    const struct object *object;
    uint32_t size; /* of the whole type: nothing lies outside */
    struct prog_field *fields;
    uint32_t count;
};

static bool add(struct walk *w, const char *name, uint64_t offset, uint32_t size, bool is_signed) {
    if (size != 1 && size != 2 && size != 4 && size != 8)
        return false;
    if (w->count == FIELDS_MAX || offset + size > w->size)
        return false;
    w->fields[w->count++] = (struct prog_field){name, (uint32_t)offset, size, is_signed};
    return true;
}

static bool walk(struct walk *w, uint32_t id, const char *name, uint64_t offset, unsigned depth);

static bool walk_array(struct walk *w, const struct btf_type *t, const char *name, uint64_t offset,
                       unsigned depth) {
    const struct btf_array *array = btf_array(t);
    long long each = btf__resolve_size(w->object->btf, array->type);

    if (each <= 0 || array->nelems > FIELDS_MAX)
        return false;
    for (uint32_t i = 0; i < array->nelems; i++)
        if (!walk(w, array->type, arena_printf(w->object->arena, "%s[%u]", name, i),
                  offset + i * (uint64_t)each, depth))
            return false;
    return true;
}

static bool walk_struct(struct walk *w, const struct btf_type *t, const char *name, uint64_t offset,
                        unsigned depth) {
    for (unsigned i = 0; i < btf_vlen(t); i++) {
        const char *member = btf_string(w->object, btf_members(t)[i].name_off);
        uint32_t bits = btf_member_bit_offset(t, i);
        if (!member || bits % 8 || btf_member_bitfield_size(t, i))
            return false;
        const char *dot = *name && *member ? "." : "";
        if (!walk(w, btf_members(t)[i].type,
                  arena_printf(w->object->arena, "%s%s%s", name, dot, member), offset + bits / 8,
                  depth))
            return false;
    }
    return true;
}

static bool walk(struct walk *w, uint32_t id, const char *name, uint64_t offset, unsigned depth) {
    const struct btf_type *t = btf_plain_type(w->object, id);

    if (!t || depth == DEPTH_MAX)
        return false;
    if (btf_is_int(t))
        return btf_int_bits(t) == 8 * t->size && btf_int_offset(t) == 0 &&
               add(w, name, offset, t->size, btf_int_encoding(t) & BTF_INT_SIGNED);
    if (btf_is_any_enum(t))
        return add(w, name, offset, t->size, btf_kflag(t));
    if (btf_is_array(t))
        return walk_array(w, t, name, offset, depth + 1);
    return btf_is_struct(t) && walk_struct(w, t, name, offset, depth + 1);
}

struct prog_fields fields_of(const struct object *object, uint32_t id, uint32_t size) {
    struct walk w = {.object = object, .size = size};

    w.fields = arena_alloc_array(object->arena, FIELDS_MAX, sizeof(*w.fields));
    if (!id || !walk(&w, id, "", 0, 0))
        return (struct prog_fields){0};
    return (struct prog_fields){w.fields, w.count};
}

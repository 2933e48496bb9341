/* SPDX-License-Identifier: MIT */
/*
 * Map definitions in .maps, in libbpf's notation: a variable whose type is a structure of pointers, where
 * `int (*max_entries)[16]` says max_entries = 16 and `struct key *key` says what a key is. The variable
 * itself holds nothing but the initial programs of a prog_array. Which variables there are and where they
 * lie is taken from the symbols, because clang leaves the BTF of .maps without offsets.
 */
#include "elf/object.h"

#include "bpf/map.h"
#include "util/hash.h"

#include <bpf/btf.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define MAPS_MAX 256 /* 64 KiB of arena have no room for more */

/* A definition while it is read. */
struct definition {
    struct object *object;
    struct object_map *map;
    struct prog_map *result;
    struct diag_loc loc;
    bool has_key, has_value, has_type;
    uint32_t key_type, value_type; /* BTF ids; 0: only the size is given */
};

#define MEND_NOTATION                                                                              \
    "write struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 16); __type(key, "       \
    "__u32); "                                                                                     \
    "__type(value, __u64); } name SEC(\".maps\");"

static bool map_error(const struct definition *d, const char *mend, const char *what) {
    return diag_error(d->object->diag, DIAG_MAP, &d->loc, mend, "map %s: %s", d->map->name, what);
}

/* ---- Attributes ---- */

/* The N of int (*name)[N]. */
static bool read_uint(const struct definition *d, const struct btf_member *m, uint32_t *number) {
    const struct btf_type *pointer = btf_plain_type(d->object, m->type);
    const struct btf_type *array =
        pointer && btf_is_ptr(pointer) ? btf_plain_type(d->object, pointer->type) : NULL;

    if (!array || !btf_is_array(array))
        return map_error(d, MEND_NOTATION,
                         arena_printf(d->object->arena,
                                      "attribute %s is not of the form "
                                      "__uint(%s, number)",
                                      btf_string(d->object, m->name_off),
                                      btf_string(d->object, m->name_off)));
    *number = btf_array(array)->nelems;
    return true;
}

/* The T of T *name, and its size. */
static bool read_type(const struct definition *d, const struct btf_member *m, uint32_t *type,
                      uint32_t *number) {
    const char *name = btf_string(d->object, m->name_off);
    const struct btf_type *pointer = btf_plain_type(d->object, m->type);

    if (!pointer || !btf_is_ptr(pointer))
        return map_error(d, MEND_NOTATION,
                         arena_printf(d->object->arena,
                                      "attribute %s is not of the form __type(%s, type)", name,
                                      name));
    long long size = btf__resolve_size(d->object->btf, pointer->type);
    if (size <= 0 || size > UINT32_MAX)
        return map_error(d, "use an integer, a structure or an array",
                         arena_printf(d->object->arena, "the type of its %s has no size", name));
    *type = pointer->type;
    *number = (uint32_t)size;
    return true;
}

/* Key and value in this order, however the definition has them, so that equal maps have equal hashes. */
static bool hash_types(const struct definition *d) {
    const uint32_t types[] = {d->key_type, d->value_type};

    if (!d->key_type && !d->value_type)
        return true;
    d->result->btf_hash = HASH_INIT;
    for (int i = 0; i < 2; i++) {
        d->result->btf_hash = hash_bytes(d->result->btf_hash, i ? "value" : "key", i ? 5 : 3);
        if (types[i] && !btf_hash_type(d->object, types[i], &d->result->btf_hash))
            return map_error(d, "use a simpler type",
                             arena_printf(d->object->arena,
                                          "the type of its %s cannot be described",
                                          i ? "value" : "key"));
    }
    return true;
}

/* A size that both __type and __uint may give; they must agree. */
static bool set_size(const struct definition *d, const char *what, bool *has, uint32_t *size,
                     uint32_t number) {
    if (*has && *size != number)
        return map_error(d, "give only one of them",
                         arena_printf(d->object->arena,
                                      "its %s has %u bytes by one attribute and "
                                      "%u by another",
                                      what, *size, number));
    *has = true;
    *size = number;
    return true;
}

/* `.values`: an array of pointers to programs. */
static bool read_values(struct definition *d, const struct btf_member *m) {
    const struct btf_type *array = btf_plain_type(d->object, m->type);
    const struct btf_type *pointer =
        array && btf_is_array(array) ? btf_plain_type(d->object, btf_array(array)->type) : NULL;
    const struct btf_type *element =
        pointer && btf_is_ptr(pointer) ? btf_plain_type(d->object, pointer->type) : NULL;

    if (element && btf_is_struct(element))
        return map_error(d, "use one map with a larger key", "maps of maps are not supported");
    if (!element || !btf_is_func_proto(element))
        return map_error(d, "write __array(values, int (void *))",
                         "attribute values is no array of programs");
    d->map->has_values = true;
    d->map->values_offset = d->map->start + m->offset / 8;
    return true;
}

static bool read_attribute(struct definition *d, const struct btf_member *m) {
    const char *name = btf_string(d->object, m->name_off);
    struct prog_map *r = d->result;
    uint32_t number;

    if (strcmp(name, "type") == 0)
        return d->has_type = read_uint(d, m, &r->type);
    if (strcmp(name, "max_entries") == 0)
        return read_uint(d, m, &r->max_entries);
    if (strcmp(name, "map_flags") == 0)
        return read_uint(d, m, &r->map_flags);
    if (strcmp(name, "key_size") == 0)
        return read_uint(d, m, &number) && set_size(d, "key", &d->has_key, &r->key_size, number);
    if (strcmp(name, "value_size") == 0)
        return read_uint(d, m, &number) &&
               set_size(d, "value", &d->has_value, &r->value_size, number);
    if (strcmp(name, "key") == 0)
        return read_type(d, m, &d->key_type, &number) &&
               set_size(d, "key", &d->has_key, &r->key_size, number);
    if (strcmp(name, "value") == 0)
        return read_type(d, m, &d->value_type, &number) &&
               set_size(d, "value", &d->has_value, &r->value_size, number);
    if (strcmp(name, "values") == 0)
        return read_values(d, m);
    if (strcmp(name, "pinning") == 0) {
        diag_warn(d->object->diag, DIAG_MAP, &d->loc, "remove the attribute",
                  "map %s: pinning has no meaning on the board and is ignored", d->map->name);
        return true;
    }
    return map_error(d,
                     "use type, key, value, key_size, value_size, max_entries, map_flags, values",
                     arena_printf(d->object->arena, "unknown attribute %s", name));
}

/* ---- Definitions ---- */

/* The BTF of section .maps, or NULL. */
static const struct btf_type *maps_datasec(const struct object *object) {
    for (uint32_t id = 1; object->btf && id < btf__type_cnt(object->btf); id++) {
        const struct btf_type *t = btf__type_by_id(object->btf, id);
        if (btf_is_datasec(t) && strcmp(btf_string(object, t->name_off), ".maps") == 0)
            return t;
    }
    return NULL;
}

/* The type of a variable of .maps, or NULL. */
static const struct btf_type *variable_type(const struct object *object,
                                            const struct btf_type *datasec, const char *name) {
    for (unsigned i = 0; datasec && i < btf_vlen(datasec); i++) {
        const struct btf_type *v = btf__type_by_id(object->btf, btf_var_secinfos(datasec)[i].type);
        if (v && btf_is_var(v) && strcmp(btf_string(object, v->name_off), name) == 0)
            return btf_plain_type(object, v->type);
    }
    return NULL;
}

/* ---- Timers ---- */

/* Whether a type is struct bpf_timer or has one somewhere. hash_types() has seen that it ends. */
static bool holds_timer(const struct object *object, uint32_t type) {
    const struct btf_type *t = btf_plain_type(object, type);
    bool found = t && btf_is_struct(t) && strcmp(btf_string(object, t->name_off), "bpf_timer") == 0;

    if (t && btf_is_array(t))
        return holds_timer(object, btf_array(t)->type);
    for (unsigned i = 0; t && btf_is_composite(t) && i < btf_vlen(t) && !found; i++)
        found = holds_timer(object, btf_members(t)[i].type);
    return found;
}

/* Where the timer lies: one, as a member of the value itself. */
static bool find_timer(const struct definition *d) {
    const struct object *object = d->object;
    const struct btf_type *value = d->value_type ? btf_plain_type(object, d->value_type) : NULL;
    struct prog_map *r = d->result;
    const char *member =
        "make `struct bpf_timer` a member of the structure that is the map's value";

    if (d->key_type && holds_timer(object, d->key_type))
        return map_error(d, member, "its key has a timer");
    if (!value || !holds_timer(object, d->value_type))
        return true;
    if (r->type != BPF_MAP_ARRAY && r->type != BPF_MAP_HASH && r->type != BPF_MAP_LRU_HASH)
        return map_error(d, "use an array, a hash or an LRU hash",
                         "maps of this type cannot have a timer in their values");
    if (!btf_is_struct(value) || strcmp(btf_string(object, value->name_off), "bpf_timer") == 0)
        return map_error(d, member, "its value is not a structure that has a timer as a member");
    for (unsigned i = 0; i < btf_vlen(value); i++) {
        const struct btf_type *t = btf_plain_type(object, btf_members(value)[i].type);
        uint32_t bits = btf_member_bit_offset(value, i);
        if (!holds_timer(object, btf_members(value)[i].type))
            continue;
        if (!btf_is_struct(t) || strcmp(btf_string(object, t->name_off), "bpf_timer") != 0)
            return map_error(d, member, "its value has a timer inside of one of its members");
        if (r->has_timer)
            return map_error(d, "use a map of its own for the second timer",
                             "its value has two timers; there can be one");
        if (t->size != sizeof(struct bpf_timer) || bits % 64 || bits / 8 + t->size > r->value_size)
            return map_error(
                d,
                "use the struct bpf_timer of bpf_mcu.h, in a structure that is not "
                "packed",
                "its timer is none: it has another size, or is not aligned to 8 bytes");
        r->has_timer = true;
        r->timer_off = bits / 8;
    }
    return true;
}

static bool read_definition(struct definition *d, const struct btf_type *datasec) {
    const struct btf_type *t = variable_type(d->object, datasec, d->map->name);
    struct prog_map *r = d->result;
    const char *why = "its sizes are impossible";

    if (!t)
        return map_error(d, d->object->btf ? MEND_NOTATION : "compile with clang -g",
                         d->object->btf ? "it has no type information"
                                        : "maps need type information, which this object lacks");
    if (!btf_is_struct(t))
        return map_error(d, MEND_NOTATION, "it is not defined as a structure of attributes");
    for (unsigned i = 0; i < btf_vlen(t); i++)
        if (!read_attribute(d, &btf_members(t)[i]))
            return false;
    if (!d->has_type)
        return map_error(d, MEND_NOTATION, "attribute type is missing");
    if (d->map->has_values && r->type != BPF_MAP_PROG_ARRAY)
        return map_error(d, "use BPF_MAP_TYPE_PROG_ARRAY, or remove the attribute",
                         "only a prog_array has initial values");
    /* As with libbpf, the values of a prog_array need not be described. */
    if (r->type == BPF_MAP_PROG_ARRAY && !d->has_value)
        r->value_size = sizeof(uint32_t);
    r->bytes =
        bpf_map_bytes(r->type, r->key_size, r->value_size, r->max_entries, r->map_flags, &why);
    if (r->bytes == 0)
        return map_error(d, "correct the definition", why);
    if (!hash_types(d) || !find_timer(d))
        return false;
    r->key_fields = fields_of(d->object, d->key_type, r->key_size);
    r->value_fields = fields_of(d->object, d->value_type, r->value_size);
    return true;
}

static int compare_maps(const void *a, const void *b) {
    const struct object_map *x = a, *y = b;

    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* The variables of .maps, in the order of their places. */
static bool find_maps(struct object *object) {
    struct diag_loc loc = object_loc_section(object, object->maps_section);

    vec_for_each(const struct object_symbol, s, &object->symbols) {
        if (s->section != object->maps_section || s->type == STT_SECTION)
            continue;
        if (s->type != STT_OBJECT || s->size == 0)
            return diag_error(object->diag, DIAG_MAP, &loc, MEND_NOTATION,
                              "symbol %s in section .maps is no variable", s->name);
        vec_push(
            object->arena, &object->maps,
            (struct object_map){.name = s->name, .start = s->value, .end = s->value + s->size});
    }
    if (object->maps.count)
        qsort(object->maps.items, object->maps.count, sizeof(*object->maps.items), compare_maps);
    if (object->maps.count > MAPS_MAX)
        return diag_error(object->diag, DIAG_MAP, &loc, "use fewer maps",
                          "%zu maps; there can be %d", object->maps.count, MAPS_MAX);
    for (size_t i = 1; i < object->maps.count; i++)
        if (object->maps.items[i].start < object->maps.items[i - 1].end)
            return diag_error(object->diag, DIAG_SYMBOL, &loc, "compile it again",
                              "corrupt symbols: maps %s and %s overlap",
                              object->maps.items[i - 1].name, object->maps.items[i].name);
    return true;
}

bool maps_read(struct object *object, struct program *program) {
    if (object->maps_section == OBJECT_NONE)
        return true;
    if (!find_maps(object))
        return false;
    const struct btf_type *datasec = maps_datasec(object);
    program->nmaps = (uint32_t)object->maps.count;
    program->maps = arena_alloc_array(object->arena, program->nmaps, sizeof(*program->maps));
    for (uint32_t i = 0; i < program->nmaps; i++) {
        struct definition d = {.object = object,
                               .map = &object->maps.items[i],
                               .result = &program->maps[i],
                               .loc = object_loc_section(object, object->maps_section)};
        d.result->name = d.map->name;
        if (!read_definition(&d, datasec))
            return false;
    }
    return true;
}

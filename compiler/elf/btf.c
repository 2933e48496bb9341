/* SPDX-License-Identifier: MIT */
/*
 * BTF, the type information of an object: loading it, and the hash of a type. libbpf's btf__new() checks
 * that the types fill their section; that every type id, string and size in them is one is checked here,
 * before and after it, because libbpf's accessors rely on it.
 */
#include "elf/object.h"

#include "util/hash.h"

#include <bpf/btf.h>
#include <string.h>

#define MEND_REBUILD "compile it again with clang -g, or strip the section with llvm-strip -g"

/* Longest chain of typedefs and qualifiers, deepest nesting and most parts of a map's type. What a
 * person writes stays far below; cycles and explosions in damaged types end here. */
#define CHAIN_MAX 32
#define DEPTH_MAX 16
#define PARTS_MAX 10000
#define NAME_PART 64 /* bytes of a name that count as a part */

static bool corrupt(const struct object *object, const char *what) {
    struct diag_loc loc = object_loc_section(object, object->btf_section);

    return diag_error(object->diag, DIAG_BTF, &loc, MEND_REBUILD,
                      "corrupt type information (.BTF): %s", what);
}

/* ---- Header and strings ---- */

static bool check_header(struct object *object) {
    const struct object_section *s = &object->sections.items[object->btf_section];
    struct btf_header h;

    if (s->size < sizeof(h))
        return corrupt(object, "the section is shorter than its header");
    memcpy(&h, s->bytes, sizeof(h));
    if (h.magic != BTF_MAGIC || h.version != BTF_VERSION)
        return corrupt(object, "wrong magic number or version");
    if (h.hdr_len < sizeof(h) || h.hdr_len > s->size)
        return corrupt(object, "wrong length of the header");
    uint64_t room = s->size - h.hdr_len;
    if ((uint64_t)h.type_off + h.type_len > room || (uint64_t)h.str_off + h.str_len > room)
        return corrupt(object, "types or strings leave the section");
    const char *strings = (const char *)s->bytes + h.hdr_len + h.str_off;
    if (h.str_len == 0 || strings[0] != '\0' || strings[h.str_len - 1] != '\0')
        return corrupt(object, "the strings do not begin and end with a zero byte");
    object->strings = strings;
    object->strings_size = h.str_len;
    return true;
}

const char *btf_string(const struct object *object, uint32_t offset) {
    return offset < object->strings_size ? object->strings + offset : NULL;
}

/* ---- Checks of the types ---- */

/* Ids and names of the parts of a type: members, values, parameters, variables. */
static bool check_parts(const struct object *object, const struct btf_type *t) {
    uint32_t types = btf__type_cnt(object->btf);

    for (unsigned i = 0; i < btf_vlen(t); i++) {
        uint32_t name = 0, type = 0;
        switch (btf_kind(t)) {
        case BTF_KIND_STRUCT:
        case BTF_KIND_UNION:
            name = btf_members(t)[i].name_off;
            type = btf_members(t)[i].type;
            break;
        case BTF_KIND_ENUM: name = btf_enum(t)[i].name_off; break;
        case BTF_KIND_ENUM64: name = btf_enum64(t)[i].name_off; break;
        case BTF_KIND_FUNC_PROTO:
            name = btf_params(t)[i].name_off;
            type = btf_params(t)[i].type;
            break;
        case BTF_KIND_DATASEC: type = btf_var_secinfos(t)[i].type; break;
        default: return true; /* other kinds keep something else in vlen */
        }
        if (name >= object->strings_size || type >= types)
            return false;
    }
    return true;
}

static bool check_type(const struct object *object, const struct btf_type *t) {
    uint32_t types = btf__type_cnt(object->btf);

    if (t->name_off >= object->strings_size)
        return false;
    switch (btf_kind(t)) {
    case BTF_KIND_PTR:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case BTF_KIND_FUNC:
    case BTF_KIND_FUNC_PROTO:
    case BTF_KIND_VAR:
    case BTF_KIND_DECL_TAG:
    case BTF_KIND_TYPE_TAG:
        if (t->type >= types)
            return false;
        break;
    case BTF_KIND_ARRAY:
        if (btf_array(t)->type >= types || btf_array(t)->index_type >= types)
            return false;
        break;
    default: break;
    }
    return check_parts(object, t);
}

/* Variables that only a Linux kernel could provide. */
static bool refuse_kernel_sections(const struct object *object, const struct btf_type *t) {
    const char *name = object->strings + t->name_off;
    struct diag_loc loc = DIAG_OBJECT(object->path);

    if (btf_kind(t) != BTF_KIND_DATASEC ||
        (strcmp(name, ".kconfig") != 0 && strcmp(name, ".ksyms") != 0))
        return true;
    loc.section = name;
    return diag_error(object->diag, DIAG_SECTION, &loc,
                      "remove the declarations with __kconfig or __ksym",
                      "section %s: %s of a Linux kernel are not supported", name,
                      name[2] == 'c' ? "configuration values" : "symbols");
}

static bool check_types(const struct object *object) {
    for (uint32_t id = 1; id < btf__type_cnt(object->btf); id++) {
        const struct btf_type *t = btf__type_by_id(object->btf, id);
        if (!t || !check_type(object, t))
            return corrupt(object, arena_printf(object->arena,
                                                "type %u refers to a type or a string that does "
                                                "not exist",
                                                id));
        if (!refuse_kernel_sections(object, t))
            return false;
    }
    return true;
}

bool btf_load(struct object *object) {
    if (object->btf_section == OBJECT_NONE)
        return true;
    if (!check_header(object))
        return false;
    const struct object_section *s = &object->sections.items[object->btf_section];

    libbpf_quiet();
    object->btf = btf__new(s->bytes, (uint32_t)s->size);
    if (!object->btf)
        return corrupt(object, "the types do not fit their section");
    return check_types(object);
}

void btf_unload(struct object *object) {
    btf__free(object->btf);
    object->btf = NULL;
}

/* ---- Use of the types ---- */

const struct btf_type *btf_plain_type(const struct object *object, uint32_t id) {
    for (int i = 0; i < CHAIN_MAX && id != 0; i++) {
        const struct btf_type *t = btf__type_by_id(object->btf, id);
        if (!btf_is_mod(t) && !btf_is_typedef(t))
            return t;
        id = t->type;
    }
    return NULL;
}

static void mix(uint64_t *hash, uint32_t number) {
    *hash = hash_bytes(*hash, &number, sizeof(number));
}

/* The zero byte goes in too, so that "ab", "c" and "a", "bc" differ. */
static bool mix_name(const struct object *object, uint64_t *hash, uint32_t offset,
                     unsigned *parts) {
    const char *name = object->strings + offset;
    size_t length = strnlen(name, PARTS_MAX * NAME_PART);

    *parts += (unsigned)(length / NAME_PART);
    if (*parts > PARTS_MAX)
        return false;
    *hash = hash_bytes(*hash, name, length + 1);
    return true;
}

static bool hash_type(const struct object *object, uint32_t id, uint64_t *hash, unsigned depth,
                      unsigned *parts) {
    const struct btf_type *t = btf_plain_type(object, id);

    if (!t || depth > DEPTH_MAX || ++*parts > PARTS_MAX)
        return false;
    mix(hash, btf_kind(t));
    if (!mix_name(object, hash, t->name_off, parts))
        return false;
    switch (btf_kind(t)) {
    case BTF_KIND_INT:
        mix(hash, t->size);
        mix(hash, *(const uint32_t *)(t + 1)); /* encoding, offset, bits */
        return true;
    case BTF_KIND_PTR: /* 8 bytes, whatever they point to */ return true;
    case BTF_KIND_FLOAT: mix(hash, t->size); return true;
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
        mix(hash, t->size);
        for (unsigned i = 0; i < btf_vlen(t) && ++*parts <= PARTS_MAX; i++) {
            bool wide = btf_is_enum64(t);
            if (!mix_name(object, hash, wide ? btf_enum64(t)[i].name_off : btf_enum(t)[i].name_off,
                          parts))
                return false;
            mix(hash, wide ? btf_enum64(t)[i].val_lo32 : (uint32_t)btf_enum(t)[i].val);
            mix(hash, wide ? btf_enum64(t)[i].val_hi32 : 0);
        }
        return true;
    case BTF_KIND_ARRAY:
        mix(hash, btf_array(t)->nelems);
        return hash_type(object, btf_array(t)->type, hash, depth + 1, parts);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
        mix(hash, t->size);
        for (unsigned i = 0; i < btf_vlen(t); i++) {
            const struct btf_member *m = &btf_members(t)[i];
            if (!mix_name(object, hash, m->name_off, parts))
                return false;
            mix(hash, m->offset); /* with the width of a bit field */
            if (!hash_type(object, m->type, hash, depth + 1, parts))
                return false;
        }
        return true;
    default: return false; /* functions and forward declarations have no size */
    }
}

bool btf_hash_type(const struct object *object, uint32_t id, uint64_t *hash) {
    unsigned parts = 0;

    return hash_type(object, id, hash, 0, &parts);
}

/* SPDX-License-Identifier: MIT */
/* Values alone: what one register or cell may hold. Relations between them are relate.c's. */
#include "verifier/state.h"

struct value value_none(enum none_reason reason) {
    return (struct value){.kind = VALUE_NONE, .reason = (uint8_t)reason};
}

struct value value_scalar(struct scalar n) {
    return (struct value){.kind = VALUE_SCALAR, .n = n};
}

struct value value_const(uint64_t v) {
    return value_scalar(scalar_const(v));
}

struct value value_pointer(enum value_kind kind, uint32_t object) {
    return (struct value){.kind = (uint8_t)kind, .object = object, .n = scalar_const(0)};
}

bool value_is_null(const struct value *v) {
    return v->kind == VALUE_SCALAR && scalar_is_const(&v->n) && v->n.x.value == 0;
}

/* Pointers to the same kind of object, or both numbers: then only n, nullable and a map's element may
 * differ. */
static bool same_sort(const struct value *a, const struct value *b) {
    return a->kind == b->kind && a->object == b->object &&
           (a->size == b->size || a->kind == VALUE_MAP_VALUE);
}

bool value_same_object(const struct value *a, const struct value *b) {
    bool element = a->kind == VALUE_MAP_VALUE || a->kind == VALUE_MAP_KEY;
    bool some =
        a->kind == VALUE_FUNC_OF || a->kind == VALUE_FUNC_ANY; /* one of several functions */
    return a->kind >= VALUE_CTX && !some && a->kind == b->kind && a->object == b->object &&
           a->size == b->size && (!element || a->size != 0);
}

bool value_equal(const struct value *a, const struct value *b) {
    if (a->kind == VALUE_NONE || b->kind == VALUE_NONE)
        return a->kind == b->kind;
    return same_sort(a, b) && a->size == b->size && a->nullable == b->nullable &&
           scalar_equal(&a->n, &b->n);
}

bool value_subset(const struct value *a, const struct value *b) {
    if (b->kind == VALUE_NONE)
        return true;
    if (b->nullable && value_is_null(a))
        return true;
    if (b->kind == VALUE_FUNC_ANY && value_is_code(a))
        return b->nullable || !a->nullable;
    return same_sort(a, b) && (a->size == b->size || b->size == 0) &&
           (b->nullable || !a->nullable) && scalar_subset(&a->n, &b->n);
}

struct value value_join(const struct value *a, const struct value *b,
                        const struct thresholds *widen) {
    if (a->kind == VALUE_NONE)
        return value_none(a->reason);
    if (b->kind == VALUE_NONE)
        return value_none(b->reason);
    if (same_sort(a, b)) {
        struct value v = *a;
        v.size = a->size == b->size ? a->size : 0;
        v.nullable |= b->nullable;
        value_unrelate(&v);
        v.owner = false; /* state_join() knows */
        v.n = widen ? scalar_widen(&a->n, &b->n, widen) : scalar_join(&a->n, &b->n);
        return v;
    }
    if (value_is_code(a) && value_is_code(b)) {
        struct value v = value_pointer(VALUE_FUNC_ANY, 0);
        v.nullable = a->nullable || b->nullable;
        return v;
    }
    /* Null or a pointer. */
    if (value_is_null(a) || value_is_null(b)) {
        struct value v = value_is_null(a) ? *b : *a;
        if (!value_is_pointer(&v))
            return value_none(NONE_MIXED);
        v.nullable = true;
        value_unrelate(&v);
        v.owner = false;
        return v;
    }
    return value_none(NONE_MIXED);
}

/* SPDX-License-Identifier: MIT */
#include "kill.h"

#include "library.h"

#include "bpf/helper.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACK 512
#define KEY_AT STACK
#define VALUE_AT (KEY_AT + MODEL_KEY)
#define MAP_AT (VALUE_AT + MODEL_VALUE + 8)
#define STEPS_AFTER 200 /* operations on each repaired map */
#define PARTS 4         /* words that one instruction stores at most, others than by words */

struct trial {
    const struct blob_map *def;
    const struct operation *op;
    const char *name;
    struct kill_count *count;
    uint8_t *map;  /* in the machine */
    uint8_t *last; /* the map as it was at the last instruction */
    struct model before, after;
    uint32_t seed;
};

struct machine *kill_machine(void) {
    struct machine *m = machine_new();
    size_t size;
    const void *image = library_image(&size);
    machine_set_library(m, image, size);
    return m;
}

void kill_apply(struct bpf_map *map, const struct operation *op) {
    uint8_t out[MODEL_VALUE];
    uint8_t *record = (uint8_t *)map + op->record;
    switch (op->helper) {
    case BPF_FUNC_MAP_LOOKUP_ELEM: bpf_map_lookup(map, op->key); break;
    case BPF_FUNC_MAP_UPDATE_ELEM: bpf_map_update(map, op->key, op->value, op->flags); break;
    case BPF_FUNC_MAP_DELETE_ELEM: bpf_map_delete(map, op->key); break;
    case BPF_FUNC_MAP_PUSH_ELEM: bpf_map_push(map, op->value, op->flags); break;
    case BPF_FUNC_MAP_POP_ELEM: bpf_map_pop(map, out); break;
    case BPF_FUNC_MAP_PEEK_ELEM: bpf_map_peek(map, out); break;
    case BPF_FUNC_RINGBUF_OUTPUT: bpf_ringbuf_output(map, op->value, op->size, op->flags); break;
    case BPF_FUNC_RINGBUF_RESERVE: bpf_ringbuf_reserve(map, op->size, op->flags); break;
    case BPF_FUNC_RINGBUF_SUBMIT: bpf_ringbuf_commit(map, record, false); break;
    case BPF_FUNC_RINGBUF_DISCARD: bpf_ringbuf_commit(map, record, true); break;
    default: assert(!"an operation of a map");
    }
}

/* ------------------------------------------------------------------------------- what may have become */

static bool contains(const struct model *m, const struct model_entry *e) {
    for (uint32_t i = 0; i < m->count; i++) {
        const struct model_entry *f = &m->entries[i];
        if (memcmp(e->key, f->key, MODEL_KEY) == 0 && e->size == f->size &&
            memcmp(e->value, f->value, e->size) == 0)
            return true;
    }
    return false;
}

static bool is_key_of(const struct trial *t, const struct model_entry *e) {
    return memcmp(e->key, t->op->key, t->def->key_size) == 0;
}

/* Entries that the operation leaves alone keep their order. */
static bool same_order(const struct trial *t, const struct model *now) {
    uint32_t at = 0;
    for (uint32_t i = 0; i < t->before.count; i++) {
        const struct model_entry *e = &t->before.entries[i];
        if (is_key_of(t, e) || !contains(&t->after, e))
            continue;
        while (at < now->count && memcmp(now->entries[at].key, e->key, MODEL_KEY) != 0)
            at++;
        if (at++ == now->count)
            return false;
    }
    return true;
}

/* An entry is old, new or absent if the operation changes it, and else what it was. */
static const char *compare_hash(const struct trial *t, const struct model *now) {
    bool updates = t->op->helper == BPF_FUNC_MAP_UPDATE_ELEM;
    for (uint32_t i = 0; i < now->count; i++)
        if (!contains(&t->before, &now->entries[i]) && !contains(&t->after, &now->entries[i]))
            return "an entry that never was";
    for (uint32_t i = 0; i < t->before.count; i++) {
        const struct model_entry *e = &t->before.entries[i];
        bool left_alone = contains(&t->after, e) && !(updates && is_key_of(t, e));
        if (left_alone && !contains(now, e))
            return "an entry is lost that the operation leaves alone";
    }
    if (t->def->type == BPF_MAP_LRU_HASH && !same_order(t, now))
        return "the order by age is lost";
    return NULL;
}

/* Bytes of the one value are old or new. */
static const char *compare_array(const struct trial *t, const struct model *now) {
    for (uint32_t i = 0; i < now->count; i++)
        for (uint32_t k = 0; k < now->entries[i].size; k++) {
            uint8_t byte = now->entries[i].value[k];
            if (byte != t->before.entries[i].value[k] && byte != t->after.entries[i].value[k])
                return "a byte that never was";
        }
    return NULL;
}

/* As it was, as it would be, or only without its oldest element if that made room. */
static const char *compare_queue(const struct trial *t, const struct model *now) {
    struct model shorter = t->before;
    if (!model_compare(&t->before, now) || !model_compare(&t->after, now))
        return NULL;
    if (t->op->flags != BPF_EXIST || shorter.count < t->def->max_entries)
        return "neither old nor new";
    model_remove(&shorter, 0);
    return model_compare(&shorter, now);
}

/* What had been handed over is there; what was open is not. */
static const char *compare_ring(const struct trial *t, struct model *now) {
    struct model before = t->before, after = t->after;
    struct model *all[] = {&before, &after, now};
    for (uint32_t i = 0; i < 3; i++)
        for (uint32_t k = all[i]->count; k-- > 0;)
            if (all[i] == now && now->entries[k].record == MODEL_OPEN)
                return "a record is still open";
            else if (all[i]->entries[k].record != MODEL_SUBMITTED)
                model_remove(all[i], k);
    return !model_compare(&before, now) ? NULL : model_compare(&after, now);
}

static const char *compare(const struct trial *t, struct model *now) {
    switch (t->def->type) {
    case BPF_MAP_ARRAY: return compare_array(t, now);
    case BPF_MAP_PROG_ARRAY:
        return !model_compare(&t->before, now) ? NULL : model_compare(&t->after, now);
    case BPF_MAP_RINGBUF: return compare_ring(t, now);
    case BPF_MAP_HASH:
    case BPF_MAP_LRU_HASH: return compare_hash(t, now);
    default: return compare_queue(t, now);
    }
}

/* ------------------------------------------------------------------------------------------ one state */

static const char *repair_and_use(struct trial *t, struct bpf_map *map, struct bpf_map *copy) {
    static struct model now;
    if (bpf_map_repair(map, t->def) == BPF_MAP_CLEARED)
        return "it was cleared";
    memcpy(copy, map, t->def->size);
    if (bpf_map_repair(copy, t->def) != BPF_MAP_WAS_WHOLE || memcmp(copy, map, t->def->size) != 0)
        return "a second repair finds something";
    model_read(&now, map, t->def);
    const char *problem = compare(t, &now);
    return problem ? problem : model_run(map, t->def, &t->seed, STEPS_AFTER);
}

static void check_state(struct trial *t, const uint8_t *state, const char *where, uint32_t pc) {
    /* Of its exact size, so that a sanitizer sees every byte too far. */
    struct bpf_map *map = malloc(t->def->size), *copy = malloc(t->def->size);
    memcpy(map, state, t->def->size);
    const char *problem = repair_and_use(t, map, copy);
    t->count->states++;
    t->count->failed += problem != NULL;
    if (problem && t->count->failed <= 20)
        fprintf(stderr, "%s, %s %08x: %s\n", t->name, where, pc, problem);
    free(map);
    free(copy);
}

/*
 * STRD and STM may be interrupted between their words (DDI 0403E B1.5.10): then the state has only some
 * of them, from the first on or from the last.
 */
static void check_parts(struct trial *t, uint32_t pc) {
    uint32_t at[PARTS + 1], count = 0, size = t->def->size;
    for (uint32_t i = 0; i < size && count <= PARTS; i += 4)
        if (memcmp(t->map + i, t->last + i, 4) != 0)
            at[count++] = i;
    assert(count <= PARTS);
    for (uint32_t i = 0; count > 1 && i < count; i++) {
        uint8_t *state = malloc(size);
        memcpy(state, t->last, size);
        for (uint32_t k = 0; k < i; k++)
            memcpy(state + at[k], t->map + at[k], 4);
        if (i > 0)
            check_state(t, state, "inside the instruction before", pc);
        memcpy(state, t->map, size);
        memcpy(state + at[i], t->last + at[i], 4);
        check_state(t, state, "inside the instruction before", pc);
        free(state);
    }
}

static void on_instruction(void *user, struct machine *m, uint32_t pc) {
    struct trial *t = user;
    (void)m;
    t->count->steps++;
    if (memcmp(t->map, t->last, t->def->size) == 0)
        return; /* the same state as an instruction ago */
    check_parts(t, pc);
    check_state(t, t->map, "before", pc);
    memcpy(t->last, t->map, t->def->size);
}

/* -------------------------------------------------------------------------------------------- the call */

/* The helper's arguments by AAPCS; a 64-bit one goes into an aligned pair, or on the stack behind r3. */
static void run(struct machine *machine, const struct trial *t, uint8_t *arena,
                struct machine_result *result) {
    const struct operation *op = t->op;
    uint32_t map = MEMMAP_ARENA + MAP_AT, key = MEMMAP_ARENA + KEY_AT;
    uint32_t value = MEMMAP_ARENA + VALUE_AT + op->shift;
    struct machine_call call = {.pc = library_helper(op->helper) & ~1u,
                                .sp = MEMMAP_ARENA + STACK - 8,
                                .lr = library_exit(),
                                .r0 = map,
                                .r1 = t->def->key_size ? key : value,
                                .r2 = (uint32_t)op->flags,
                                .r9 = MEMMAP_ARENA + STACK};
    switch (op->helper) {
    case BPF_FUNC_MAP_UPDATE_ELEM: call.r2 = value; break;
    case BPF_FUNC_RINGBUF_OUTPUT: call.r2 = op->size; break;
    case BPF_FUNC_RINGBUF_RESERVE: call.r1 = op->size; break;
    case BPF_FUNC_RINGBUF_SUBMIT:
    case BPF_FUNC_RINGBUF_DISCARD: call.r0 = map + op->record; break;
    }
    memcpy(arena + STACK - 8, &op->flags, sizeof(op->flags));
    memcpy(arena + KEY_AT, op->key, MODEL_KEY);
    memcpy(arena + VALUE_AT + op->shift, op->value, MODEL_VALUE);
    machine_call(machine, &call, result);
}

void kill_everywhere(struct machine *machine, struct bpf_map *map, const struct blob_map *def,
                     const struct operation *op, const char *name, struct kill_count *count) {
    static struct trial t;
    uint32_t size = def->size;
    uint8_t *arena = machine_set_arena(machine, (MAP_AT + size + 4095) & ~4095u);
    struct machine_result result;
    struct bpf_map *whole = malloc(size);
    t.def = def, t.op = op, t.name = name, t.count = count, t.seed = count->states;
    t.map = arena + MAP_AT;
    t.last = malloc(size);
    memcpy(t.map, map, size);
    memcpy(t.last, map, size);
    memcpy(whole, map, size);
    kill_apply(whole, op);
    model_read(&t.before, map, def);
    model_read(&t.after, whole, def);
    check_state(&t, t.map, "before the operation", 0);
    machine_set_trace(machine, on_instruction, &t);
    run(machine, &t, arena, &result);
    count->operations++;
    if (result.status != BPF_OK || memcmp(t.map, whole, size) != 0) {
        count->failed++;
        fprintf(stderr, "%s: status %d %s, or the machine's map is not the host's\n", name,
                result.status, result.detail);
    }
    free(whole);
    free(t.last);
}

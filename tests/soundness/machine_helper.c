/* SPDX-License-Identifier: MIT */
/* Helpers: arguments by the rows of helper.def, maps and formatting by the runtime. */
#include "soundness/machine.h"

#include "bpf/format.h"
#include "bpf/helper.h"
#include "bpf/map.h"

#include <string.h>

#define LOOP_MAX (1u << 23)
#define MEMORY_MAX 1024 /* of one argument */

/* A call, with what its arguments point to. */
struct call {
    struct machine *m;
    const struct bpf_helper *h;
    struct word arg[5];
    uint8_t memory[5][MEMORY_MAX];
    uint32_t size[5]; /* bytes of memory */
    uint32_t map;
};

static struct bpf_map *map_of(struct machine *m, uint32_t map) {
    return (struct bpf_map *)(void *)m->map[map];
}

static uint64_t number(const struct call *c, unsigned i) {
    return c->arg[i].n;
}

/* ---- Arguments */

static void map_argument(struct call *c, unsigned i) {
    const struct word *w = &c->arg[i];
    if (w->kind == WORD_POINTER && w->object_kind == VALUE_MAP && w->off == 0)
        c->map = w->object;
    else
        machine_fail(c->m, "a helper's map is none");
}

static void memory_argument(struct call *c, unsigned i, uint64_t size, bool out) {
    if (size > MEMORY_MAX) {
        machine_fail(c->m, "a helper's memory is larger than any object");
        return;
    }
    c->size[i] = (uint32_t)size;
    if (out)
        machine_writable(c->m, &c->arg[i], c->size[i]);
    else
        machine_gather(c->m, &c->arg[i], c->memory[i], c->size[i]);
}

/* A string that ends, in constants. */
static void string_argument(struct call *c, unsigned i) {
    const struct word *w = &c->arg[i];
    if (w->kind != WORD_POINTER || w->object_kind != VALUE_DATA ||
        c->m->program->datas[w->object].writable) {
        machine_fail(c->m, "a helper's string is not constant");
        return;
    }
    for (uint32_t k = 0; !c->m->fault && k < MEMORY_MAX; k++) {
        c->memory[i][k] = (uint8_t)machine_load(c->m, w, k, 1).n;
        if (!c->memory[i][k])
            return;
    }
}

static void record_argument(struct call *c, unsigned i) {
    const struct word *w = &c->arg[i];
    if (w->kind != WORD_POINTER || w->object_kind != VALUE_RECORD || w->off != 0)
        machine_fail(c->m, "a record that is none is given back");
}

static void timer_argument(struct call *c, unsigned i) {
    const struct word *w = &c->arg[i];
    const struct prog_map *map = &c->m->program->maps[w->object];
    if (w->kind != WORD_POINTER || w->object_kind != VALUE_MAP_VALUE || !map->has_timer ||
        w->off != map->timer_off)
        machine_fail(c->m, "a timer that is none");
}

static void argument(struct call *c, unsigned i) {
    const struct prog_map *map = &c->m->program->maps[c->map];
    const struct word *w = &c->arg[i];
    switch ((enum bpf_arg)c->h->arg[i]) {
    case BPF_ARG_MAP:
    case BPF_ARG_RINGBUF:
    case BPF_ARG_PROG_ARRAY: map_argument(c, i); return;
    case BPF_ARG_MAP_KEY: memory_argument(c, i, map->key_size, false); return;
    case BPF_ARG_MAP_VALUE: memory_argument(c, i, map->value_size, false); return;
    case BPF_ARG_MAP_VALUE_OUT: memory_argument(c, i, map->value_size, true); return;
    case BPF_ARG_MEM: memory_argument(c, i, (uint32_t)number(c, i + 1), false); return;
    case BPF_ARG_MEM_OUT: memory_argument(c, i, (uint32_t)number(c, i + 1), true); return;
    case BPF_ARG_STR: string_argument(c, i); return;
    case BPF_ARG_RINGBUF_MEM: record_argument(c, i); return;
    case BPF_ARG_TIMER: timer_argument(c, i); return;
    case BPF_ARG_FUNC:
        if (w->kind != WORD_POINTER || w->object_kind != VALUE_FUNC)
            machine_fail(c->m, "a callback that is no function");
        return;
    case BPF_ARG_CALLBACK_CTX:
    case BPF_ARG_CTX:
    case BPF_ARG_NONE: return;
    case BPF_ARG_SIZE:
    case BPF_ARG_SIZE0:
    case BPF_ARG_CONST_SIZE:
    case BPF_ARG_U32:
    case BPF_ARG_U64: break;
    }
    if (w->kind != WORD_NUMBER)
        machine_fail(c->m, "an address where a helper takes a number");
}

/* How many arguments bpf_trace_printk() takes: what its format asks for. */
static unsigned printk_arguments(const struct call *c) {
    unsigned count = 2;
    const char *text = (const char *)c->memory[0];
    for (uint32_t i = 0; i < c->size[0] && text[i]; i++) {
        if (text[i] != '%')
            continue;
        do
            i++;
        while (i < c->size[0] && text[i] && strchr("-0123456789lh", text[i]));
        count += i < c->size[0] && text[i] && text[i] != '%';
    }
    return count < c->h->nargs ? count : c->h->nargs;
}

static void arguments(struct call *c) {
    unsigned nargs = c->h->nargs;
    for (unsigned i = 0; i < nargs; i++)
        c->arg[i] = c->m->reg[BPF_R1 + i];
    for (unsigned i = 0; i < nargs && !c->m->fault; i++) {
        bool dead = c->arg[i].kind == WORD_POINTER && !machine_alive(c->m, &c->arg[i]);
        if (c->arg[i].kind == WORD_NONE || dead)
            machine_fail(c->m, dead ? "a pointer to what is no longer there for a helper"
                                    : "an unset register for a helper");
        argument(c, i);
        if (i == 1 && c->h->id == BPF_FUNC_TRACE_PRINTK && !c->m->fault)
            nargs = printk_arguments(c);
    }
}

/* ---- Callbacks */

/* r1: the map, r2: the key of an element, r3: its value. */
static void give_element(struct machine *m, const struct iteration *it, const void *key,
                         void *value) {
    bool in_map = (const uint8_t *)key >= m->map[it->map] &&
                  (const uint8_t *)key < m->map[it->map] + MAP_MEMORY;
    uint32_t element =
        in_map ? (uint32_t)((const uint8_t *)key - m->map[it->map]) : KEY_OF_ARRAY + it->number;
    m->reg[BPF_R1] = machine_pointer(VALUE_MAP, it->map, 0, 0);
    m->reg[BPF_R2] = machine_pointer(VALUE_MAP_KEY, it->map, element, 0);
    m->reg[BPF_R3] = machine_pointer(VALUE_MAP_VALUE, it->map,
                                     (uint32_t)((uint8_t *)value - m->map[it->map]), 0);
}

/* The next run in the frame that has been entered for it; false if there is none. */
static bool run_again(struct machine *m, uint32_t func, uint32_t back, struct iteration it) {
    const void *key = NULL;
    void *value = NULL;
    if (it.kind == LOOPS ? it.runs >= it.limit
                         : !bpf_map_next(map_of(m, it.map), &it.cursor, &it.key, &key, &value))
        return false;
    uint32_t run = it.runs++;
    machine_enter(m, func, back);
    if (m->fault)
        return true;
    m->frame[m->depth - 1].iteration = it;
    machine_clobber(m);
    if (it.kind == LOOPS) {
        m->reg[BPF_R1] = machine_number(run);
        m->reg[BPF_R2] = it.context;
        return true;
    }
    give_element(m, &it, key, value);
    m->reg[BPF_R4] = it.context;
    return true;
}

static void finish(struct machine *m, uint64_t r0, uint32_t back) {
    machine_clobber(m);
    m->reg[BPF_R0] = machine_number(r0);
    m->slot = back;
}

void machine_next_run(struct machine *m, const struct call_frame *f) {
    struct iteration it = f->iteration;
    uint32_t func = f->func, back = f->back;
    struct word result = m->reg[BPF_R0];
    if (result.kind != WORD_NUMBER || result.n > 1)
        machine_fail(m, "a callback returns something other than 0 or 1");
    if (result.n || !run_again(m, func, back, it))
        finish(m, it.runs, back);
}

static void call_back(struct call *c) {
    struct machine *m = c->m;
    bool loop = c->h->id == BPF_FUNC_LOOP;
    uint32_t type = m->program->maps[c->map].type;
    struct iteration it = {.kind = loop ? LOOPS : WALKS,
                           .number = ++m->iterations,
                           .limit = (uint32_t)number(c, 0),
                           .map = c->map,
                           .context = c->arg[2]};
    bool walks = type == BPF_MAP_ARRAY || type == BPF_MAP_HASH || type == BPF_MAP_LRU_HASH;
    if (number(c, 3) || (!loop && !walks))
        finish(m, (uint64_t)-BPF_EINVAL, m->slot + 1);
    else if (loop && it.limit > LOOP_MAX)
        finish(m, (uint64_t)-BPF_E2BIG, m->slot + 1);
    else if (!run_again(m, c->arg[1].object, m->slot + 1, it))
        finish(m, 0, m->slot + 1);
}

/* ---- Timers */

static struct timer *timer_of(const struct call *c) {
    struct machine *m = c->m;
    const struct word *w = &c->arg[0];
    for (uint32_t i = 0; i < m->ntimers; i++)
        if (m->timer[i].map == w->object && m->timer[i].element == w->element)
            return &m->timer[i];
    if (m->ntimers == TIMERS_MAX)
        return NULL;
    m->timer[m->ntimers] = (struct timer){.map = w->object, .element = w->element};
    return &m->timer[m->ntimers++];
}

/* What happens to a timer. Results are anything: no program relies on them. */
static void work_timer(const struct call *c) {
    struct timer *t = timer_of(c);
    if (!t)
        return;
    switch (c->h->id) {
    case BPF_FUNC_TIMER_INIT:
        if (c->arg[1].object != t->map || number(c, 2) != BPF_CLOCK_MONOTONIC)
            machine_fail(c->m, "another map's timer, or no clock");
        break;
    case BPF_FUNC_TIMER_SET_CALLBACK:
        t->func = c->arg[1].object;
        t->set = true;
        break;
    case BPF_FUNC_TIMER_START:
        t->started = true;
        if (number(c, 2))
            machine_fail(c->m, "flags of a timer");
        break;
    default: t->started = false; break;
    }
}

/* Elements that have been deleted have no timers. */
bool machine_fire(struct machine *m) {
    for (uint32_t i = 0; i < m->ntimers && m->fired < FIRED_MAX; i++) {
        struct timer *t = &m->timer[i];
        struct iteration it = {.kind = TIMED, .number = ++m->iterations, .map = t->map};
        const void *key;
        void *value;
        while (t->set && t->started &&
               bpf_map_next(map_of(m, t->map), &it.cursor, &it.key, &key, &value)) {
            if ((uint32_t)((uint8_t *)value - m->map[t->map]) != t->element)
                continue;
            t->started = false;
            m->fired++;
            m->depth = 0;
            memset(m->reg, 0, sizeof(m->reg));
            machine_enter(m, t->func, UINT32_MAX);
            m->frame[0].iteration = it;
            give_element(m, &it, key, value);
            return true;
        }
    }
    return false;
}

/* ---- Ring buffer */

static struct word reserve(struct call *c) {
    struct machine *m = c->m;
    uint32_t size = (uint32_t)number(c, 1);
    for (uint32_t i = 0; i < m->nrecords; i++)
        if (m->record[i].open && m->record[i].slot == m->slot)
            machine_fail(m, "two open records from one place, which no state tells apart");
    if (m->nrecords == RECORDS_MAX) {
        m->done = true; /* enough of this run */
        return machine_number(0);
    }
    uint8_t *at = bpf_ringbuf_reserve(map_of(m, c->map), size, number(c, 2));
    if (!at)
        return machine_number(0);
    m->record[m->nrecords] = (struct record){m->slot, (uint32_t)(at - m->map[c->map]), size, true};
    return machine_pointer(VALUE_RECORD, m->slot, m->nrecords++, 0);
}

static void give_back(struct call *c, bool discard) {
    struct record *r = &c->m->record[c->arg[0].element];
    bpf_ringbuf_commit(map_of(c->m, MAP_RING), c->m->map[MAP_RING] + r->at, discard);
    r->open = false;
    uint32_t size; /* somebody reads, mostly */
    if (machine_random(c->m) % 4)
        bpf_ringbuf_read(map_of(c->m, MAP_RING), &size);
}

/* ---- The others */

static struct word look_up(struct call *c) {
    uint8_t *value = bpf_map_lookup(map_of(c->m, c->map), c->memory[1]);
    if (!value)
        return machine_number(0);
    return machine_pointer(VALUE_MAP_VALUE, c->map, (uint32_t)(value - c->m->map[c->map]), 0);
}

static int32_t take(struct call *c, bool remove) {
    uint8_t out[MEMORY_MAX];
    struct bpf_map *map = map_of(c->m, c->map);
    bool queue = map->type == BPF_MAP_QUEUE || map->type == BPF_MAP_STACK;
    int32_t result = remove ? bpf_map_pop(map, out) : bpf_map_peek(map, out);
    if (queue) /* else nothing has been written */
        machine_scatter(c->m, &c->arg[1], out, c->size[1]);
    return result;
}

/* What %s prints would be anywhere. */
static int no_string(void *user, uint32_t address) {
    (void)address;
    machine_fail(user, "a string at an address that is a number");
    return -1;
}

/* Behind what bpf_format() writes, zeros: all of the buffer is written, whatever becomes of it. */
static int32_t print(struct call *c) {
    uint8_t out[MEMORY_MAX] = {0};
    const char *format = (const char *)c->memory[2];
    int32_t length = -BPF_EINVAL;
    if (c->size[3] % 8 == 0)
        length = bpf_format((char *)out, c->size[0], format, (uint32_t)strlen(format), c->memory[3],
                            c->size[3] / 8, no_string, c->m);
    uint32_t written = length < 0 ? 0 : (uint32_t)length + 1;
    if (written < c->size[0])
        memset(out + written, 0, c->size[0] - written);
    machine_scatter(c->m, &c->arg[0], out, c->size[0]);
    return length < 0 ? length : length + 1;
}

static int32_t read_accelerometer(struct call *c) {
    uint8_t xyz[6];
    uint64_t v = machine_random(c->m);
    memcpy(xyz, &v, sizeof(xyz));
    if (c->size[0] != sizeof(xyz)) {
        machine_fail(c->m, "a size that the accelerometer does not have");
        return 0;
    }
    machine_scatter(c->m, &c->arg[0], xyz, sizeof(xyz));
    return 0;
}

static int32_t compare_strings(const struct call *c) {
    for (uint32_t i = 0; i < c->size[0]; i++) {
        int32_t difference = c->memory[0][i] - c->memory[2][i];
        if (difference || !c->memory[0][i])
            return difference;
    }
    return 0;
}

static uint64_t result(struct call *c) {
    struct bpf_map *map = map_of(c->m, c->map);
    switch (c->h->id) {
    case BPF_FUNC_MAP_UPDATE_ELEM:
        return (uint64_t)bpf_map_update(map, c->memory[1], c->memory[2], number(c, 3));
    case BPF_FUNC_MAP_DELETE_ELEM: return (uint64_t)bpf_map_delete(map, c->memory[1]);
    case BPF_FUNC_MAP_PUSH_ELEM: return (uint64_t)bpf_map_push(map, c->memory[1], number(c, 2));
    case BPF_FUNC_MAP_POP_ELEM: return (uint64_t)take(c, true);
    case BPF_FUNC_MAP_PEEK_ELEM: return (uint64_t)take(c, false);
    case BPF_FUNC_RINGBUF_OUTPUT:
        return (uint64_t)bpf_ringbuf_output(map, c->memory[1], c->size[1], number(c, 3));
    case BPF_FUNC_RINGBUF_QUERY: return bpf_ringbuf_query(map, number(c, 1));
    case BPF_FUNC_RINGBUF_SUBMIT: give_back(c, false); return 0;
    case BPF_FUNC_RINGBUF_DISCARD: give_back(c, true); return 0;
    case BPF_FUNC_SNPRINTF: return (uint64_t)print(c);
    case BPF_FUNC_STRNCMP: return (uint64_t)compare_strings(c);
    case BPF_FUNC_ACCEL_READ: return (uint64_t)read_accelerometer(c);
    case BPF_FUNC_GET_SMP_PROCESSOR_ID: return 0;
    default: break;
    }
    uint64_t v = machine_any_number(c->m);
    return c->h->ret == BPF_RET_U32   ? (uint32_t)v
           : c->h->ret == BPF_RET_S32 ? (uint64_t)(int64_t)(int32_t)v
                                      : v;
}

void machine_helper(struct machine *m, uint32_t id) {
    static struct call c; /* large, and one at a time */
    c.m = m;
    c.map = 0;
    c.h = bpf_helper_by_id(id);
    if (!c.h || id >= BPF_HELPER_INTERNAL_BASE) {
        machine_fail(m, "a helper that does not exist");
        return;
    }
    arguments(&c);
    if (m->fault)
        return;
    if (id == BPF_FUNC_LOOP || id == BPF_FUNC_FOR_EACH_MAP_ELEM) {
        call_back(&c);
        return;
    }
    if (c.h->arg[0] == BPF_ARG_TIMER)
        work_timer(&c);
    struct word r0 = id == BPF_FUNC_MAP_LOOKUP_ELEM   ? look_up(&c)
                     : id == BPF_FUNC_RINGBUF_RESERVE ? reserve(&c)
                                                      : machine_number(result(&c));
    machine_clobber(m);
    m->reg[BPF_R0] = r0;
    m->slot++;
}

/* ---- Maps as they are before a run */

void machine_init_maps(struct machine *m) {
    for (uint32_t i = 0; i < m->program->nmaps; i++) {
        const struct prog_map *p = &m->program->maps[i];
        struct blob_map def = {.size = p->bytes,
                               .type = p->type,
                               .key_size = p->key_size,
                               .value_size = p->value_size,
                               .max_entries = p->max_entries};
        bpf_map_init(map_of(m, i), &def);
    }
    for (uint32_t i = 0; i < 12; i++) {
        uint64_t key = machine_random(m) % 5, value[ARRAY_VALUE / 8];
        for (unsigned k = 0; k < ARRAY_VALUE / 8; k++)
            value[k] = machine_any_number(m);
        uint32_t map = (uint32_t)(machine_random(m) % 5);
        if (map == MAP_QUEUE || map == MAP_STACK)
            bpf_map_push(map_of(m, map), value, BPF_ANY);
        else
            bpf_map_update(map_of(m, map), &key, value, BPF_ANY);
    }
    for (uint32_t key = 0; key < 3; key++) {
        uint64_t value[JOB_VALUE / 8];
        for (unsigned k = 0; k < JOB_VALUE / 8; k++)
            value[k] = machine_any_number(m);
        bpf_map_update(map_of(m, MAP_JOBS), &key, value, BPF_ANY);
    }
}

/* SPDX-License-Identifier: MIT */
#include "same.h"

#include "bpf/map.h"
#include "rtos/print.h"
#include "rtos/shell.h"

#include <string.h>

enum {
    DRAIN_MS = 60, /* what a line sends in a run, at most */
    ACCEL_MS = 25, /* the accelerometer has been asked (devices.c) */
    WAIT_MS = 5000,
};

/* ----- one run ------------------------------------------------------------------------------------------- */

struct run {
    const struct same_event *event;
    unsigned entry;
    uint64_t result;
    enum bpf_status status;
};

/* Memory is given by the domain's task itself. */
static void run_memory(struct domain *domain, void *argument) {
    struct run *run = argument;
    uint32_t cycles;
    run->status = domain_run_now(domain, run->entry, same_at(run->event->data), run->event->size,
                                 &run->result, &cycles);
}

/* As the hook's own interrupt does it. */
static void raise(struct domain_entry *entry, const struct same_event *event) {
    switch ((enum bpf_hook)entry->program->hook) {
    case BPF_HOOK_TIMER: domain_wake(entry); break;
    case BPF_HOOK_GPIO: same_edge(); break;
    case BPF_HOOK_UART: same_frame(same_at(event->data), event->size); break;
    default: same_samples(same_at(event->data)); break;
    }
}

static void run_event(struct drill *drill, struct run *run) {
    struct domain_entry *entry = domain_entry(drill->domain, run->entry);
    uint32_t runs = entry->runs, hook = entry->program->hook;
    if (hook == BPF_HOOK_RAW || hook == BPF_HOOK_CMD) {
        if (domain_do(drill->domain, run_memory, run, WAIT_MS))
            run->status = BPF_BUSY;
        return;
    }
    raise(entry, run->event);
    for (unsigned i = 0; i < WAIT_MS && entry->runs == runs; i++)
        task_sleep(1);
    run->result = drill->domain->box.result.value;
    run->status = entry->runs == runs                ? BPF_BUSY
                  : entry->faults || entry->overruns ? BPF_FAULTED
                                                     : BPF_OK;
}

/* ----- what is left: read between two runs, when nobody else touches the arena; a domain's task has no stack for it --- */

/* Without the zeros at its end, which are where the program wrote nothing. */
static void print_context(struct domain *domain, unsigned entry) {
    char text[SAME_TEXT];
    const uint8_t *context = domain_context(domain);
    uint32_t size = domain->entries[entry].program->ctx_size;
    while (size > 0 && context[size - 1] == 0)
        size--;
    print("context %s\n", same_bytes(context, size, text));
}

static void print_records(struct domain *domain) {
    char text[SAME_TEXT];
    const struct blob blob = domain_blob(domain);
    const void *data;
    uint32_t size;
    for (uint32_t i = 0; i < blob.header->maps.count; i++) {
        const struct blob_map *def = &blob.maps[i];
        if (def->type != BPF_MAP_RINGBUF)
            continue;
        struct bpf_map *map = domain_map(domain, i);
        while ((data = bpf_ringbuf_read(map, &size)))
            print("ringbuf %s %s\n", blob_string(&blob, def->name), same_bytes(data, size, text));
    }
}

static bool is_zero(const uint8_t *bytes, uint32_t size) {
    while (size > 0 && bytes[size - 1] == 0)
        size--;
    return size == 0;
}

/* Entries in the map's own order; those of an array that are 0 are as if they were not there. A queue or stack is emptied. */
static bool next_entry(struct bpf_map *map, uint32_t *cursor, uint32_t *index, const void **key,
                       void **value) {
    static uint8_t element[256];
    if (map->type == BPF_MAP_QUEUE || map->type == BPF_MAP_STACK) {
        *key = NULL;
        *value = element;
        return map->value_size <= sizeof(element) && bpf_map_pop(map, element) == 0;
    }
    while (bpf_map_next(map, cursor, index, key, value))
        if (map->type != BPF_MAP_ARRAY || !is_zero(*value, map->value_size))
            return true;
    return false;
}

static void print_maps(struct domain *domain) {
    char key_text[SAME_TEXT], value_text[SAME_TEXT];
    const struct blob blob = domain_blob(domain);
    for (uint32_t i = 0; i < blob.header->maps.count; i++) {
        const struct blob_map *def = &blob.maps[i];
        struct bpf_map *map = domain_map(domain, i);
        uint32_t cursor = 0, index;
        const void *key;
        void *value;
        while (next_entry(map, &cursor, &index, &key, &value))
            print("map %s %s %s\n", blob_string(&blob, def->name),
                  key ? same_bytes(key, def->key_size, key_text) : "-",
                  same_bytes(value, def->value_size, value_text));
    }
}

/* ----- a case ------------------------------------------------------------------------------------------------- */

/* Its events come from the script alone. */
static void quiet(struct domain *domain) {
    for (uint32_t i = 0; i < domain->blob->programs.count; i++)
        if (domain->entries[i].program->hook == BPF_HOOK_TIMER)
            domain->entries[i].kind->stop(&domain->entries[i]);
    uint32_t key = kernel_lock();
    events_forget(domain);
    kernel_unlock(key);
}

static bool find(const struct domain *domain, const char *name, unsigned *entry) {
    const struct blob blob = domain_blob(domain);
    for (*entry = 0; *entry < blob.header->programs.count; (*entry)++)
        if (!strcmp(name, blob_string(&blob, blob.programs[*entry].name)))
            return true;
    return false;
}

static enum bpf_status run_all(struct drill *drill, const struct same_case *given) {
    struct run run = {.event = same_at(given->events)};
    if (!find(drill->domain, same_at(given->program), &run.entry))
        return BPF_NOT_FOUND;
    if (drill->domain->grant->accel)
        task_sleep(ACCEL_MS);
    drill->domain->head->prandom = given->seed;
    for (uint32_t i = 0; i < given->event_count; i++, run.event++) {
        same_clock(run.event->time_ns);
        run_event(drill, &run);
        bool complete = same_print_calls();
        if (run.status || !complete)
            return run.status ? run.status : BPF_TOO_LARGE;
        print_records(drill->domain);
        print("r0 %08x%08x\n", (unsigned)(run.result >> 32), (unsigned)run.result);
        print_context(drill->domain, run.entry);
        if (drill->domain->grant->uart)
            task_sleep(DRAIN_MS);
    }
    print_maps(drill->domain);
    return BPF_OK;
}

static bool run_case(const struct same_case *given, enum bpf_engine engine) {
    struct drill drill;
    const uint8_t *blob = same_at(given->blob);
    print("same: %s\n", (const char *)same_at(given->name));
    same_devices(given);
    enum bpf_status status =
        drill_load(&drill, blob, blob + given->blob_size, engine, same_at(given->grant));
    if (!status) {
        quiet(drill.domain);
        status = run_all(&drill, given);
    }
    same_devices(NULL);
    drill_unload(&drill);
    print("same: end: %u\n", (unsigned)status);
    return !status;
}

static int run_same(struct shell *shell, int argc, char **argv) {
    enum bpf_engine engine = !strcmp(argv[1], "interp") ? BPF_ENGINE_INTERP : BPF_ENGINE_THUMB;
    bool good = true;
    (void)shell, (void)argc;
    for (uint32_t i = 0; i < same_image->count; i++)
        good &= run_case(&same_image->cases[i], engine);
    print("same: result: %s\n", good ? "PASS" : "FAIL");
    return SHELL_DONE;
}
SHELL_COMMAND(same, .usage = "thumb|interp",
              .help = "the programs that the PC ran, with the same events", .least = 1, .most = 1,
              .run = run_same);

/* SPDX-License-Identifier: MIT */
/* What the loader does for a blob: maps of the library get their headers before the first run. */
#include "bpf/blob.h"
#include "bpf/map.h"

/* As bpf_mcu.h beside this writes them. */
struct native_map {
    struct bpf_map *object;
    uint32_t type, key_size, value_size, max_entries;
};

/* The linker's names for the ends of a section; absent when no program uses such a map. */
extern const struct native_map __start_native_maps[] __attribute__((weak));
extern const struct native_map __stop_native_maps[] __attribute__((weak));

void native_setup(void);
void native_setup(void) {
    for (const struct native_map *m = __start_native_maps; m < __stop_native_maps; m++) {
        struct blob_map def = {
            .type = m->type,
            .key_size = m->key_size,
            .value_size = m->value_size,
            .max_entries = m->max_entries,
        };
        def.size = bpf_map_bytes(m->type, m->key_size, m->value_size, m->max_entries, 0, NULL);
        bpf_map_init(m->object, &def);
    }
}

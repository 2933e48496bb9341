// SPDX-License-Identifier: MIT
/*
 * Hash-map counter: 64 events, whose low four bits say who and whose high byte how much, are counted by source in
 * a hash map that the host can read: events and bytes of each. r0 = the most bytes of one source. Look-up,
 * insertion, and update of a value in its place.
 *
 *     bpf2thumb run --mem 01000005020000070100000a flow_count.bpf.c
 */
#include "bpf_mcu.h"

#define EVENTS 64

struct flow {
    u32 count;
    u32 bytes;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 32);
    __type(key, u32);
    __type(value, struct flow);
} flows SEC(".maps");

SEC("raw")
u64 flow_count(const u32 *memory, u32 size) {
    u32 most = 0;
    (void)size;
    for (u32 i = 0; i < EVENTS; i++) {
        u32 key = memory[i] & 15, bytes = memory[i] >> 24;
        struct flow *flow = bpf_map_lookup_elem(&flows, &key);
        if (flow) {
            flow->count++;
            flow->bytes += bytes;
            if (flow->bytes > most)
                most = flow->bytes;
        } else {
            struct flow first = {1, bytes};
            bpf_map_update_elem(&flows, &key, &first, BPF_ANY);
        }
    }
    return most;
}

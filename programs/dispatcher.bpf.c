// SPDX-License-Identifier: MIT
/*
 * A dispatcher by tail calls: the first byte of the memory is the number of an operation, and the program goes
 * on as the one that stands in the map `operations` under that number. Programs of a table can be
 * replaced one by one; an empty place is an error code, not a crash. What follows the first byte is the
 * operation's own: 0 adds up bytes, 1 finds the largest, 2 reverses them in place, 3 does not exist yet.
 *
 *     bpf2thumb run --prog dispatch --mem 0001020304 dispatcher.bpf.c       10
 */
#include "bpf_mcu.h"

#define NO_SUCH_OPERATION 0xffff

u64 add_up(u8 *memory, u32 size);
u64 largest(u8 *memory, u32 size);
u64 reverse(u8 *memory, u32 size);

struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 4);
    __type(key, u32);
    __type(value, u32);
    __array(values, u64(u8 *, u32));
} operations SEC(".maps") = {
    .values = {[0] = (void *)&add_up, [1] = (void *)&largest, [2] = (void *)&reverse}};

#define MEMORY 4096

static u32 length; /* a tail call hands over the context alone */

/* What lies in a variable may come from anywhere, so its bound is tested again. */
static u32 bytes(void) {
    return length < MEMORY ? length : MEMORY;
}

SEC("raw")
u64 dispatch(u8 *memory, u32 size) {
    length = size;
    if (size)
        bpf_tail_call(memory, &operations, memory[0]);
    return NO_SUCH_OPERATION;
}

SEC("raw")
u64 add_up(u8 *memory, u32 size) {
    u64 sum = 0;
    (void)size;
    u32 end = bytes();
    for (u32 i = 1; i < end; i++)
        sum += memory[i];
    return sum;
}

SEC("raw")
u64 largest(u8 *memory, u32 size) {
    u32 most = 0;
    (void)size;
    u32 end = bytes();
    for (u32 i = 1; i < end; i++)
        if (memory[i] > most)
            most = memory[i];
    return most;
}

SEC("raw")
u64 reverse(u8 *memory, u32 size) {
    u32 end = bytes();
    (void)size;
    for (u32 i = 1, k = end - 1; i < k && k < end; i++, k--) {
        u8 byte = memory[i];
        memory[i] = memory[k];
        memory[k] = byte;
    }
    return end - 1;
}

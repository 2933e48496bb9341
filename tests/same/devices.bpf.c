// SPDX-License-Identifier: MIT
/*
 * What no program of programs/ does, for tests/same: every device helper, with instances that exist and that do not,
 * random numbers, text, time, and maps of the other kinds. The bytes of the event say what is done.
 */
#include "bpf_mcu.h"

BPF_GRANT("gpio:PD0-3=out gpio:PE0-1=in led:0-3 pwm:5 encoder:0 adc:1+2 uart:3 accel");

enum { ENTRIES = 8, LINE = 48 };

struct {
    __uint(type, BPF_MAP_TYPE_QUEUE);
    __uint(max_entries, ENTRIES);
    __type(value, u32);
} queue SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_STACK);
    __uint(max_entries, ENTRIES);
    __type(value, u64);
} stack SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16);
    __type(key, u32);
    __type(value, u64);
} results SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, ENTRIES);
    __type(key, u32);
    __type(value, u32);
} recent SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 256);
} records SEC(".maps");

static u32 calls;

static long tilt(void) {
    s16 mg[3];
    long result = bpf_accel_read(mg, sizeof(mg));
    return result ? result : mg[0] + mg[1] * 3 + mg[2] * 5;
}

/* A device's answer, so that an error number that differs is seen. */
static long answer(u32 what, u32 index, u32 value) {
    switch (what) {
    case 0: return bpf_gpio_write(index & 16 ? 1000 : BPF_PIN('D', 0) + (index & 3), value & 1);
    case 1: return bpf_gpio_toggle(BPF_PIN('D', 0) + (index & 3));
    case 2: return bpf_gpio_read(index & 1 ? BPF_PIN('E', 0) : BPF_PIN('E', 1));
    case 3: return bpf_gpio_read(BPF_PIN('D', 0) + (index & 3));
    case 4: return bpf_led_set(index & 7, value & 1);
    case 5: return bpf_pwm_set(index & 1 ? 5 : index & 2 ? 0 : index | 8, value * 8);
    case 6: return bpf_encoder_read(index & 1);
    case 7: return bpf_adc_read(1 + (index & 1));
    case 8: return tilt();
    default: return bpf_get_prandom_u32();
    }
}

static void remember(u32 key, u64 value) {
    u32 half = (u32)value;
    bpf_map_update_elem(&results, &key, &value, BPF_ANY);
    bpf_map_update_elem(&recent, &half, &key, BPF_ANY);
    if (bpf_map_push_elem(&queue, &half, BPF_ANY))
        bpf_map_pop_elem(&queue, &half);
    bpf_map_push_elem(&stack, &value, BPF_EXIST);
    if (half & 1)
        bpf_map_delete_elem(&results, &key);
    bpf_ringbuf_output(&records, &value, sizeof(value), 0);
}

SEC("raw")
u64 devices(const u8 *bytes, u32 length) {
    u64 sum = bpf_ktime_get_ns();
    char line[LINE];
    for (u32 i = 0; i + 3 <= length && i < 48; i += 3) {
        long result = answer(bytes[i] & 15, bytes[i + 1], bytes[i + 2]);
        remember(bytes[i], result);
        sum = sum * 31 + result;
        calls++;
    }
    u64 words[2] = {sum, calls};
    long used = bpf_snprintf(line, sizeof(line), "%llx after %llu", words, sizeof(words));
    if (used > 0 && used <= LINE)
        bpf_uart_write(3, line, used - 1);
    bpf_uart_write(7, line, 1);
    bpf_printk("%u calls, %lld", calls, sum);
    return sum;
}

/* SPDX-License-Identifier: MIT */
/*
 * The same programs as native code: what programs include, with maps and helpers as firmware in C
 * would have them. An array is an array, other maps are the library's own objects, devices stand
 * behind the library's supervisor calls as they do for eBPF. docs/benchmark.md says what that means
 * for the figures. All the rest is the generated header, which lies next in the search path.
 */
#ifndef NATIVE_BPF_MCU_H
#define NATIVE_BPF_MCU_H

#include_next <bpf_mcu.h>

#undef SEC
#undef __uint
#undef __type
#define SEC(name) __attribute__((used))

/* A map carries its storage: `object` for those of the library, `values` for arrays. Members that
 * say something about the map are pointers to types, as in eBPF, and cost 4 bytes each. */
#define NATIVE_WORDS 256
#define NATIVE_ENTRIES 64
#define NATIVE_HAS_type(T) u64 object[NATIVE_WORDS];
#define NATIVE_HAS_value(T) typeof(T) values[NATIVE_ENTRIES];
#define NATIVE_HAS_max_entries(N)                                                                  \
    _Static_assert((N) <= 8 * NATIVE_WORDS, "NATIVE_WORDS is too small");
#define NATIVE_HAS_key(T)
#define NATIVE_HAS_map_flags(F)
#define __uint(name, val)                                                                          \
    int(*name)[val];                                                                               \
    NATIVE_HAS_##name(val) int name##_end[0]
#define __type(name, val)                                                                          \
    typeof(val) *name;                                                                             \
    NATIVE_HAS_##name(val) int name##_end[0]

#define NATIVE_NUMBER(map, name) (sizeof(*(map)->name) / sizeof(int))
#define NATIVE_IS_ARRAY(map) (NATIVE_NUMBER(map, type) == BPF_MAP_TYPE_ARRAY)

/* One for each use of a map of the library, in a section of their own: setup.c initialises them. */
struct native_map {
    u64 *object;
    u32 type, key_size, value_size, max_entries;
};

#define NATIVE_MAP(map, key_bytes, value_bytes)                                                    \
    ({                                                                                             \
        static const struct native_map native_map __attribute__((                                  \
            section("native_maps"), used)) = {(map)->object, NATIVE_NUMBER(map, type), key_bytes,  \
                                              value_bytes, NATIVE_NUMBER(map, max_entries)};       \
        (map)->object;                                                                             \
    })
#define NATIVE_KEYED(map) NATIVE_MAP(map, sizeof(*(map)->key), sizeof(*(map)->value))

#define NATIVE_ARRAY_LOOKUP(map, k)                                                                \
    ({                                                                                             \
        _Static_assert(NATIVE_NUMBER(map, max_entries) <= NATIVE_ENTRIES || !NATIVE_IS_ARRAY(map), \
                       "NATIVE_ENTRIES is too small");                                             \
        u32 native_index = *(const u32 *)(k);                                                      \
        (void *)(native_index < NATIVE_NUMBER(map, max_entries) ? &(map)->values[native_index]     \
                                                                : NULL);                           \
    })
#define NATIVE_ARRAY_UPDATE(map, k, v, flags)                                                      \
    ({                                                                                             \
        typeof(*(map)->value) *native_value = NATIVE_ARRAY_LOOKUP(map, k);                         \
        long native_result = !native_value ? -7 : (flags) == BPF_NOEXIST ? -17 : 0;                \
        if (native_result == 0)                                                                    \
            *native_value = *(v);                                                                  \
        native_result;                                                                             \
    })

#define bpf_map_lookup_elem(map, k)                                                                \
    __builtin_choose_expr(NATIVE_IS_ARRAY(map), NATIVE_ARRAY_LOOKUP(map, k),                       \
                          bpf_h_map_lookup_elem(NATIVE_KEYED(map), k))
#define bpf_map_update_elem(map, k, v, flags)                                                      \
    __builtin_choose_expr(NATIVE_IS_ARRAY(map), NATIVE_ARRAY_UPDATE(map, k, v, flags),             \
                          bpf_h_map_update_elem(NATIVE_KEYED(map), k, v, flags))
#define bpf_ringbuf_reserve(map, size, flags)                                                      \
    bpf_h_ringbuf_reserve(NATIVE_MAP(map, 0, 0), size, flags)

/* Entries of the library, at the addresses that its ELF file has. */
void *bpf_h_map_lookup_elem(void *map, const void *key);
long bpf_h_map_update_elem(void *map, const void *key, const void *value, u64 flags);
void *bpf_h_ringbuf_reserve(void *map, u32 size, u64 flags);
void bpf_h_ringbuf_submit(void *data, u64 flags);
long bpf_h_gpio_write(u32 pin, u32 level);
long bpf_h_gpio_read(u32 pin);
long bpf_h_gpio_toggle(u32 pin);
long bpf_h_led_set(u32 led, u32 on);
long bpf_h_pwm_set(u32 channel, u32 duty);
long bpf_h_encoder_read(u32 encoder);
u64 bpf_h_ktime_get_ns(void);
long bpf_h_uart_write(u32 port, const void *data, u32 size);
#define bpf_ringbuf_submit bpf_h_ringbuf_submit
#define bpf_gpio_write bpf_h_gpio_write
#define bpf_gpio_read bpf_h_gpio_read
#define bpf_gpio_toggle bpf_h_gpio_toggle
#define bpf_led_set bpf_h_led_set
#define bpf_pwm_set bpf_h_pwm_set
#define bpf_encoder_read bpf_h_encoder_read
#define bpf_ktime_get_ns bpf_h_ktime_get_ns
#define bpf_uart_write bpf_h_uart_write

#endif

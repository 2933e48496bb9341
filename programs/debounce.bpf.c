// SPDX-License-Identifier: MIT
/*
 * Button debounce: on the board, samples the blue button (PA0) every 5 ms, takes a level as real once it
 * has been the same for four samples (20 ms), counts presses in a map that the host can read, and
 * toggles the green LED (PD12) at each press. A mechanical contact bounces for some milliseconds;
 * counting edges would count each press many times.
 */
#include "bpf_mcu.h"

BPF_GRANT("gpio:PA0=in gpio:PD12=out budget=100us/5ms ram=2K");

#define BUTTON BPF_PIN('A', 0)
#define LED BPF_PIN('D', 12)
#define STABLE 4

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, u32);
    __type(value, u64);
} presses SEC(".maps");

static u32 history; /* last samples, newest in bit 0 */
static u32 pressed; /* debounced level */

SEC("timer/5ms")
int debounce(struct bpf_ctx_timer *ctx) {
    (void)ctx;
    history = (history << 1 | (bpf_gpio_read(BUTTON) & 1)) & ((1 << STABLE) - 1);
    u32 level = pressed;
    if (history == (1 << STABLE) - 1)
        level = 1;
    else if (history == 0)
        level = 0;
    if (level && !pressed) {
        u32 key = 0;
        u64 *count = bpf_map_lookup_elem(&presses, &key);
        if (count)
            *count += 1;
        bpf_gpio_toggle(LED);
    }
    pressed = level;
    return 0;
}

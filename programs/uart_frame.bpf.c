// SPDX-License-Identifier: MIT
/*
 * UART frame parser: on the board, runs for each frame that UART 3 receives. A frame is
 *
 *     0x7e | length | command | payload, length bytes | checksum
 *
 * where the checksum makes the sum of all bytes from length on 0 modulo 256. A newline (0x0a) ends a frame, so that
 * none may have one before its last byte. Command 1 sets the LEDs
 * PD12 to PD15 from bits 0 to 3 of its payload, command 2 sets PWM channel payload[0] to
 * payload[1..2] permille; it has to be the motor's, because the others are at the LEDs' pins. Answers "ok" or
 * "error" on the same port and counts both in a map.
 */
#include "bpf_mcu.h"

BPF_GRANT("uart:3 gpio:PD12-15=out pwm:5 budget=1ms/10ms");

enum { START = 0x7e, HEADER = 3, CMD_LEDS = 1, CMD_PWM = 2, MOTOR = 5 };
enum { COUNT_OK, COUNT_ERROR, COUNTS };

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, COUNTS);
    __type(key, u32);
    __type(value, u32);
} counts SEC(".maps");

static bool checksum_ok(const struct bpf_ctx_uart *ctx, u32 end) {
    u8 sum = 0;
    for (u32 i = 1; i < end && i < sizeof(ctx->data); i++)
        sum += ctx->data[i];
    return sum == 0;
}

static bool execute(const struct bpf_ctx_uart *ctx, u32 length) {
    switch (ctx->data[2]) {
    case CMD_LEDS:
        if (length != 1)
            return false;
        for (u32 led = 0; led < 4; led++)
            bpf_gpio_write(BPF_PIN('D', 12) + led, ctx->data[3] >> led & 1);
        return true;
    case CMD_PWM:
        if (length != 3 || ctx->data[3] != MOTOR)
            return false;
        return bpf_pwm_set(MOTOR, ctx->data[4] << 8 | ctx->data[5]) == 0;
    default: return false;
    }
}

static bool parse(const struct bpf_ctx_uart *ctx) {
    if (ctx->len < HEADER + 1 || ctx->data[0] != START)
        return false;
    u32 length = ctx->data[1], end = HEADER + length + 1;
    if (end > ctx->len || end > sizeof(ctx->data))
        return false;
    return checksum_ok(ctx, end) && execute(ctx, length);
}

SEC("uart/3")
int uart_frame(struct bpf_ctx_uart *ctx) {
    bool ok = parse(ctx);
    u32 key = ok ? COUNT_OK : COUNT_ERROR;
    u32 *count = bpf_map_lookup_elem(&counts, &key);
    if (count)
        *count += 1;
    if (ok)
        bpf_uart_write(ctx->port, "ok\n", 3);
    else
        bpf_uart_write(ctx->port, "error\n", 6);
    return 0;
}

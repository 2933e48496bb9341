// SPDX-License-Identifier: MIT
/*
 * Protocol state machine: a small command protocol on UART 3, byte by byte, as a device implements it.
 *
 *     0x02 LENGTH PAYLOAD... SUM      SUM = all bytes from LENGTH on, added up
 *
 * A good packet is answered with 0x06 on the same port, a bad one with 0x15; PAYLOAD[0] 'L' switches the LEDs
 * by the bits of PAYLOAD[1]. The state survives from frame to frame, so a packet may come in pieces, and
 * noise between packets is skipped. Packets and errors are counted in a map.
 *
 *     bpf2thumb run --mem 02024c0553 protocol.bpf.c
 */
#include "bpf_mcu.h"

BPF_GRANT("uart:3 led:0-3 budget=1ms/10ms");

#define PORT 3
#define START 0x02
#define ACK 0x06
#define NAK 0x15
#define PAYLOAD_MAX 16

enum state { WAIT_START, WAIT_LENGTH, IN_PAYLOAD, WAIT_SUM };

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 3);
    __type(key, u32);
    __type(value, u32);
} counts SEC(".maps"); /* [0] packets, [1] wrong sums or lengths, [2] bytes skipped */

static u8 payload[PAYLOAD_MAX];
static u32 state, length, have, sum;

static void count(u32 what) {
    u32 *n = bpf_map_lookup_elem(&counts, &what);
    if (n)
        ++*n;
}

static void answer(u8 byte) {
    bpf_uart_write(PORT, &byte, 1);
}

static void execute(void) {
    if (length < 2 || payload[0] != 'L')
        return;
    for (u32 led = 0; led < 4; led++)
        bpf_led_set(led, payload[1] >> led & 1);
}

static void finish(bool good) {
    state = WAIT_START;
    count(!good);
    answer(good ? ACK : NAK);
    if (good)
        execute();
}

static void take(u8 byte) {
    switch (state) {
    case WAIT_START:
        if (byte == START)
            state = WAIT_LENGTH;
        else
            count(2);
        break;
    case WAIT_LENGTH:
        length = sum = byte;
        have = 0;
        state = IN_PAYLOAD;
        if (length == 0 || length > PAYLOAD_MAX)
            finish(false);
        break;
    case IN_PAYLOAD:
        payload[have & (PAYLOAD_MAX - 1)] = byte;
        sum += byte;
        if (++have == length)
            state = WAIT_SUM;
        break;
    default: finish((sum & 0xff) == byte); break;
    }
}

SEC("uart/3")
int protocol(struct bpf_ctx_uart *ctx) {
    for (u32 i = 0; i < ctx->len && i < sizeof(ctx->data); i++)
        take(ctx->data[i]);
    return 0;
}

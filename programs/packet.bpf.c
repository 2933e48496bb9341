// SPDX-License-Identifier: MIT
/*
 * Packet header parser: 16 Ethernet frames of 64 bytes; Ethernet, IPv4 and UDP headers are checked in order,
 * lengths before contents, the IPv4 checksum too. r0: accepted packets for 10.0.0.0/8 (bits 48 up), reasons why
 * the others were not, added up (bits 32 up), and destination ports, added up.
 *
 *     bpf2thumb run --mem @frames.bin packet.bpf.c
 */
#include "bpf_mcu.h"

#define PACKETS 16
#define SIZE 64

static __always_inline u32 be16(const u8 *p) {
    return (u32)p[0] << 8 | p[1];
}

static __always_inline u32 be32(const u8 *p) {
    return be16(p) << 16 | be16(p + 2);
}

/* The destination port of a UDP packet for net 10.0.0.0/8; negative: why not. */
static int parse(const u8 *p, u32 size) {
    if (size < 14 + 20 + 8)
        return -1;
    if (be16(p + 12) != 0x0800)
        return -2;
    const u8 *ip = p + 14;
    u32 header = (ip[0] & 15) * 4;
    if (ip[0] >> 4 != 4 || header != 20)
        return -3;
    if (be16(ip + 2) > size - 14)
        return -4;
    u32 sum = 0;
    for (u32 i = 0; i < 20; i += 2)
        sum += be16(ip + i);
    sum = (sum & 0xffff) + (sum >> 16);
    if (sum != 0xffff)
        return -5;
    if (ip[9] != 17)
        return -6;
    if ((be32(ip + 16) & 0xff000000) != 0x0a000000)
        return -7;
    return be16(ip + 22);
}

SEC("raw")
u64 packet(const u8 *memory, u32 size) {
    u32 accepted = 0, ports = 0, refused = 0;
    (void)size;
    for (u32 i = 0; i < PACKETS; i++) {
        int port = parse(memory + SIZE * i, SIZE);
        if (port < 0) {
            refused += -port;
        } else {
            accepted++;
            ports += port;
        }
    }
    return (u64)(accepted << 16 | refused) << 32 | ports;
}

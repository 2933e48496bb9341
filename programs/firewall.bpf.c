// SPDX-License-Identifier: MIT
/*
 * Packet filter: the memory is one Ethernet frame, r0 the verdict (1 pass, 0 drop). Rules are tried in order:
 * network and mask of the source, protocol, range of destination ports; the first that matches decides,
 * and what matches none is dropped. A map counts the hits of every rule, the last one those of none.
 *
 *     bpf2thumb run --mem @frame.bin firewall.bpf.c
 *
 * Everything is checked before it is read: a frame that is cut off, has options, or is no IPv4 is dropped.
 */
#include "bpf_mcu.h"

#define ETHERNET 14
#define IPV4 20
#define ICMP 1
#define TCP 6
#define UDP 17

struct rule {
    u32 net, mask;   /* source */
    u16 first, last; /* destination ports; 0, 65535 also match where there are none */
    u8 protocol;     /* 0: any */
    u8 pass;
};

static const struct rule rules[] = {
    {0x0a000066, 0xffffffff, 0, 65535, 0, 0},     /* 10.0.0.102 has been naughty */
    {0x0a000000, 0xff000000, 22, 22, TCP, 1},     /* ssh from inside */
    {0x00000000, 0x00000000, 80, 443, TCP, 1},    /* web from anywhere */
    {0xc0a80000, 0xffff0000, 5000, 5999, UDP, 1}, /* telemetry of 192.168.0.0/16 */
    {0x0a000000, 0xff000000, 0, 65535, ICMP, 1},  /* ping from inside */
};
#define RULES (sizeof(rules) / sizeof(rules[0]))

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, RULES + 1);
    __type(key, u32);
    __type(value, u32);
} hits SEC(".maps");

static __always_inline u32 be16(const u8 *p) {
    return (u32)p[0] << 8 | p[1];
}

static __always_inline u32 be32(const u8 *p) {
    return be16(p) << 16 | be16(p + 2);
}

/* The rule that decides; RULES: none. */
static u32 match(u32 source, u32 protocol, u32 port) {
    u32 i = 0;
    for (; i < RULES; i++) {
        const struct rule *r = &rules[i];
        if ((source & r->mask) == r->net && (!r->protocol || r->protocol == protocol) &&
            port >= r->first && port <= r->last)
            break;
    }
    return i;
}

SEC("raw")
u64 firewall(const u8 *frame, u32 size) {
    if (size < ETHERNET + IPV4 || be16(frame + 12) != 0x0800)
        return 0;
    const u8 *ip = frame + ETHERNET;
    u32 protocol = ip[9], port = 0;
    if (ip[0] != 0x45 || be16(ip + 2) < IPV4 || be16(ip + 2) > size - ETHERNET)
        return 0;
    if (protocol == TCP || protocol == UDP) {
        if (be16(ip + 2) < IPV4 + 4)
            return 0;
        port = be16(ip + IPV4 + 2);
    }
    u32 rule = match(be32(ip + 12), protocol, port);
    u32 *count = bpf_map_lookup_elem(&hits, &rule);
    if (count)
        ++*count;
    return rule < RULES && rules[rule].pass;
}

/* SPDX-License-Identifier: MIT */
/* Several programs in one section and in several; calls inside of a section and across, of static, global
 * and weak functions; a callback; a function that nobody calls. */
#include "common.h"

static NOINLINE int add(int a, int b) {
    BARRIER(a);
    return a + b;
}

NOINLINE int global(int a) {
    BARRIER(a);
    return add(a, 3);
}

__attribute__((weak)) NOINLINE int weak(int a) {
    BARRIER(a);
    return add(a, 4) + global(a);
}

NOINLINE int unused(int a) {
    BARRIER(a);
    return a;
}

static long body(u32 i, void *ctx) {
    *(u32 *)ctx += i;
    return 0;
}

SEC("timer/10ms") int first(void *ctx) {
    u32 sum = 0;

    bpf_loop(10, body, &sum, 0);
    return add(sum, 1) + weak(2);
}

SEC("timer/10ms") int second(void *ctx) {
    return global(5);
}

SEC("cmd/x") static NOINLINE int neighbour(int a) {
    BARRIER(a);
    return a * 2;
}

SEC("cmd/x") NOINLINE int third(void *ctx) {
    return neighbour(add(6, 7));
}

/* A program is a function too. */
SEC("uart/2") int fourth(void *ctx) {
    return third(ctx);
}

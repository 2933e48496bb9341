/* SPDX-License-Identifier: MIT */
// expect: a chain of 9 functions begins with prog
#include "common.h"

NOINLINE int f8(int a) {
    BARRIER(a);
    return a;
}

NOINLINE int f7(int a) {
    BARRIER(a);
    return f8(a) + 1;
}

NOINLINE int f6(int a) {
    BARRIER(a);
    return f7(a) + 1;
}

NOINLINE int f5(int a) {
    BARRIER(a);
    return f6(a) + 1;
}

NOINLINE int f4(int a) {
    BARRIER(a);
    return f5(a) + 1;
}

NOINLINE int f3(int a) {
    BARRIER(a);
    return f4(a) + 1;
}

NOINLINE int f2(int a) {
    BARRIER(a);
    return f3(a) + 1;
}

NOINLINE int f1(int a) {
    BARRIER(a);
    return f2(a) + 1;
}

SEC("timer/1ms") int prog(void *ctx) {
    return f1(1);
}

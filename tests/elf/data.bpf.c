/* SPDX-License-Identifier: MIT */
/* Data of every kind: constants, strings, tables of strings, of functions and of pointers to data, initialised
 * and zero variables, static and global ones, sections by name, common symbols. */
#include "common.h"

typedef int (*operation)(int);

static int increment(int a) {
    return a + 1;
}

static int decrement(int a) {
    return a - 1;
}

static const operation operations[2] = {increment, decrement};
static operation changing[2] = {decrement, increment};
static const char *const names[3] = {"one", "two", "one"};
static const u32 squares[4] = {0, 1, 4, 9};
const volatile u32 limit = 7;
u64 total = 5;
static volatile u16 pair[2] = {1, 2};
static u32 count;
u8 buffer[100];
u32 *cursor = (u32 *)&buffer[8];
static u32 own SEC(".data.own") = 3;
static u32 zeroed SEC(".bss.own");
u32 common_a;
u64 common_b;
int unused_variable = 3;

SEC("raw") int main_program(u8 *memory, u64 length) {
    u32 i = memory[0] & 1;

    total += squares[memory[1] % 4] + limit + pair[i];
    count++;
    buffer[memory[2] % 100] = names[memory[3] % 3][0];
    *cursor += own++;
    zeroed += common_a++;
    common_b += zeroed;
    if (memory[4])
        changing[i] = increment;
    return operations[i](count) + changing[i](2);
}

char LICENSE[] SEC("license") = "MIT";
u32 VERSION SEC("version") = 1;

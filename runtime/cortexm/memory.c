/* SPDX-License-Identifier: MIT */
/*
 * The four functions that gcc calls on its own, also from freestanding code. Words where both sides
 * are aligned, bytes else: the library's copies are keys and values, a few words long.
 */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);

typedef uint32_t __attribute__((may_alias)) word;

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((((uintptr_t)t | (uintptr_t)f) & 3) == 0)
        for (; size >= 4; size -= 4, t += 4, f += 4)
            *(word *)t = *(const word *)f;
    while (size--)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t size) {
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((uintptr_t)t - (uintptr_t)f >= size)
        return memcpy(to, from, size);
    while (size--)
        t[size] = f[size];
    return to;
}

void *memset(void *to, int value, size_t size) {
    uint8_t *t = to;
    uint32_t all = (uint8_t)value * 0x01010101u;
    for (; size && (uintptr_t)t & 3; size--)
        *t++ = (uint8_t)value;
    for (; size >= 4; size -= 4, t += 4)
        *(word *)t = all;
    while (size--)
        *t++ = (uint8_t)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t size) {
    const uint8_t *x = a, *y = b;
    if ((((uintptr_t)x | (uintptr_t)y) & 3) == 0)
        for (; size >= 4 && *(const word *)x == *(const word *)y; size -= 4, x += 4, y += 4)
            continue;
    for (; size; size--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *text) {
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

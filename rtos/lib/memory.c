/* SPDX-License-Identifier: MIT
 *
 * The functions that the compiler calls without being asked (GCC manual, 2.1).
 */
#include <stddef.h>
#include <stdint.h>

/* Structs are copied by words: some while interrupts are masked. */
typedef uint32_t word __attribute__((may_alias));

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    char *t = to;
    const char *f = from;
    if ((((uintptr_t)t | (uintptr_t)f) & 3) == 0)
        for (; size >= 4; size -= 4, t += 4, f += 4)
            *(word *)t = *(const word *)f;
    while (size--)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t size) {
    char *t = to;
    const char *f = from;
    if (t <= f)
        return memcpy(to, from, size);
    while (size--)
        t[size] = f[size];
    return to;
}

void *memset(void *to, int value, size_t size) {
    char *t = to;
    while (size--)
        *t++ = (char)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t size) {
    const unsigned char *x = a, *y = b;
    for (; size; size--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

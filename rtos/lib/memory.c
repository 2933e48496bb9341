/* SPDX-License-Identifier: MIT
 *
 * The functions that the compiler calls without being asked (GCC manual, 2.1), and some of the same kind that runtime/
 * and the manager of programs want. Words first: the processor
 * reads and writes them at any address (ARM DDI0403, A3.2.1), in memory; none of these is for devices.
 */
#include <stddef.h>
#include <stdint.h>

/* Of whatever type the bytes are, wherever they lie. */
typedef uint32_t __attribute__((may_alias, aligned(1))) word;
enum { WORD = sizeof(word) };

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
char *strncpy(char *restrict to, const char *restrict from, size_t size);

void *memcpy(void *restrict to, const void *restrict from, size_t size) {
    char *t = to;
    const char *f = from;
    for (; size >= WORD; size -= WORD, t += WORD, f += WORD)
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
    for (; size >= WORD; size -= WORD, t += WORD)
        *(word *)t = (unsigned char)value * 0x01010101u;
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

size_t strlen(const char *text) {
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

int strcmp(const char *a, const char *b) {
    while (*a && *a == *b)
        a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t size) {
    for (; size && *a && *a == *b; size--)
        a++, b++;
    return size ? (unsigned char)*a - (unsigned char)*b : 0;
}

/* Zeros up to size, and none behind what is longer. */
char *strncpy(char *restrict to, const char *restrict from, size_t size) {
    for (size_t i = 0; i < size; i++) {
        to[i] = *from;
        from += *from != 0;
    }
    return to;
}

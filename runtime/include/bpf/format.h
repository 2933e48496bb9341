/* SPDX-License-Identifier: MIT */
/* printf-like formatting without a C library: for snprintf and printk, here and on the host. */
#ifndef BPF_FORMAT_H
#define BPF_FORMAT_H

#include <stddef.h>
#include <stdint.h>

/* The byte at a guest address of a string argument, or -1 if it cannot be read. */
typedef int bpf_format_read(void *user, uint32_t addr);

/*
 * Formats into out[0..size), always NUL-terminated if size > 0, and returns the length that the whole
 * text has. Understands %% %c %s %d %i %u %x %X %p with flags 0 and -, a width, and l, ll, h, hh. An
 * unknown conversion or one without an argument left ends the text with -BPF_EINVAL. fmt need not be
 * terminated: fmt_size bounds it. The arguments are nargs words of 64 bits, at any alignment.
 */
int32_t bpf_format(char *out, uint32_t size, const char *fmt, uint32_t fmt_size, const void *args,
                   uint32_t nargs, bpf_format_read *read, void *user);

#endif

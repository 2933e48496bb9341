/* SPDX-License-Identifier: MIT
 *
 * What hooks have in common: reading what follows the / in SEC(), whose syntax the compiler checks
 * (compiler/program/hook.c), but the board does not believe it; and the sizes of contexts.
 */
#ifndef HOOK_TEXT_H
#define HOOK_TEXT_H

#include "domain.h"

/* The word at *text, which moves behind it. */
bool hook_word(const char **text, const char *word);
/* A decimal number up to max at *text, which moves behind it. */
bool hook_number(const char **text, uint32_t max, uint32_t *number);
/* A number with us, ms or s. */
bool hook_duration_us(const char **text, uint64_t *us);
/* PA0: port * 16 + number. */
bool hook_pin(const char **text, uint32_t *pin);

/* Bytes of the rows of a context in hook.def: CTX_SIZE_NAME. */
enum {
#define CTX_ROW(HOOK, WHICH, ctype, count)                                                         \
    +(BPF_HOOK_##HOOK == BPF_HOOK_##WHICH ? sizeof(ctype) * (count) : 0)
#define BPF_CTX(HOOK, prefix, ctype, name, count, what) CTX_ROW(HOOK, TIMER, ctype, count)
    CTX_SIZE_TIMER = 0
#include "bpf/hook.def"
    ,
#define BPF_CTX(HOOK, prefix, ctype, name, count, what) CTX_ROW(HOOK, GPIO, ctype, count)
    CTX_SIZE_GPIO = 0
#include "bpf/hook.def"
    ,
#define BPF_CTX(HOOK, prefix, ctype, name, count, what) CTX_ROW(HOOK, UART, ctype, count)
    CTX_SIZE_UART = 0
#include "bpf/hook.def"
    ,
#define BPF_CTX(HOOK, prefix, ctype, name, count, what) CTX_ROW(HOOK, ADC, ctype, count)
    CTX_SIZE_ADC = 0
#include "bpf/hook.def"
    ,
#define BPF_CTX(HOOK, prefix, ctype, name, count, what) CTX_ROW(HOOK, TRACE, ctype, count)
    CTX_SIZE_TRACE = 0
#include "bpf/hook.def"
    ,
#define BPF_CTX(HOOK, prefix, ctype, name, count, what) CTX_ROW(HOOK, CMD, ctype, count)
    CTX_SIZE_CMD = 0
#include "bpf/hook.def"
};

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Writes bpf_mcu.h, the one header that programs need, from the tables of the runtime: helper
 * prototypes from helper.def, contexts from hook.def, map types from map.h. Run by the build.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include "bpf/grant.h"
#include "bpf/helper.h"
#include "bpf/hook.h"
#include "bpf/map.h"

static void types(void) {
    static const struct {
        const char *c, *name;
    } rows[] = {
        {"unsigned char", "u8"}, {"unsigned short", "u16"},
        {"unsigned int", "u32"}, {"unsigned long long", "u64"},
        {"signed char", "s8"},   {"short", "s16"},
        {"int", "s32"},          {"long long", "s64"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        printf("typedef %s __%s;\n", rows[i].c, rows[i].name);
        printf("typedef %s %s;\n", rows[i].c, rows[i].name);
        printf("typedef %s %sint%s_t;\n", rows[i].c, rows[i].name[0] == 'u' ? "u" : "",
               rows[i].name + 1);
    }
    printf("typedef _Bool bool;\n#define true 1\n#define false 0\n#define NULL ((void *)0)\n\n");
}

static void contexts(void) {
    printf("/* What r1 points to, by program type. */\n");
#define BPF_HOOK(NAME, prefix, pattern, example, min, max, what)                                   \
    if (BPF_HOOK_##NAME != BPF_HOOK_RAW)                                                           \
        printf("%s\n/* SEC(\"%s\"): %s. Return %s. */\nstruct bpf_ctx_%s {\n",                     \
               BPF_HOOK_##NAME > 1 ? "};\n" : "", example, what,                                   \
               (min) == (max) ? "0" : "anything", #prefix);
#define BPF_CTX(HOOK, prefix, ctype, name, count, what)                                            \
    if ((count) == 1)                                                                              \
        printf("    %s %s; /* %s */\n", #ctype, #name, what);                                      \
    else                                                                                           \
        printf("    %s %s[%d]; /* %s */\n", #ctype, #name, (int)(count), what);
#include "bpf/hook.def"
    printf("};\n\n");
}

static void maps(void) {
    printf("/* Map types, for __uint(type, ...). */\nenum bpf_map_type {\n");
#define ROW(NAME, number, text) printf("    BPF_MAP_TYPE_%s = %d,\n", #NAME, number);
    BPF_MAP_TYPES(ROW)
#undef ROW
    printf("};\n\n/* Flags of bpf_map_update_elem. */\nenum { BPF_ANY = 0, BPF_NOEXIST = 1, "
           "BPF_EXIST = 2 "
           "};\n\n");
    printf("/* A timer: a member of a map's value. It is worked with the bpf_timer_*() helpers "
           "alone. */\n"
           "struct bpf_timer {\n    __u64 __opaque[%zu];\n} __attribute__((aligned(8)));\n"
           "#ifndef CLOCK_MONOTONIC\n#define CLOCK_MONOTONIC %d\n#endif\n\n",
           sizeof(struct bpf_timer) / 8, BPF_CLOCK_MONOTONIC);
}

/* "void *bpf_f(int a)" -> "static void *(*const bpf_f)(int a) = (void *)ID;" */
static void helper(const struct bpf_helper *h) {
    const char *name = h->prototype;
    while (!(name[0] == 'b' && name[1] == 'p' && name[2] == 'f' && name[3] == '_'))
        name++;
    const char *open = name;
    while (*open != '(')
        open++;
    printf("static %.*s(*const %.*s)%s = (void *)%u;\n", (int)(name - h->prototype), h->prototype,
           (int)(open - name), name, open, h->id);
}

static void helpers(void) {
    size_t count;
    const struct bpf_helper *rows = bpf_helpers(&count);
    printf("/* Helpers; docs/helpers.md says what each does. */\n");
    for (size_t i = 0; i < count; i++)
        if (rows[i].id < BPF_HELPER_INTERNAL_BASE)
            helper(&rows[i]);
    printf("\n");
}

#define PRINTK_MAX 12 /* arguments of bpf_printk() */

/* bpf_printk: up to three arguments go in registers, more in an array of 64-bit values. */
static void printk(void) {
    printf("#define __bpf_nth(_, a, b, c, d, e, f, g, h, i, j, k, l, n, ...) n\n"
           "#define __bpf_cast0()\n#define __bpf_cast1(a) (u64)(a)\n");
    for (int n = 2; n <= PRINTK_MAX; n++)
        printf("#define __bpf_cast%d(a, ...) (u64)(a), __bpf_cast%d(__VA_ARGS__)\n", n, n - 1);
    printf("#define __bpf_casts(...) __bpf_nth(_, ##__VA_ARGS__");
    for (int n = PRINTK_MAX; n >= 0; n--)
        printf(", __bpf_cast%d", n);
    printf(")(__VA_ARGS__)\n"
           "#define __bpf_printk_few(fmt, ...) ({ static const char fmt_[] = fmt; "
           "bpf_trace_printk(fmt_, sizeof(fmt_), ##__VA_ARGS__); })\n"
           "#define __bpf_printk_many(fmt, ...) ({ static const char fmt_[] = fmt; "
           "const u64 args_[] = {__bpf_casts(__VA_ARGS__)}; "
           "bpf_trace_vprintk(fmt_, sizeof(fmt_), args_, sizeof(args_)); })\n"
           "/* A line in the log: bpf_printk(\"x = %%d\", x), with up to 12 arguments. */\n"
           "#define bpf_printk(fmt, ...) __bpf_nth(_, ##__VA_ARGS__");
    for (int n = PRINTK_MAX; n >= 0; n--)
        printf(", __bpf_printk_%s", n > 3 ? "many" : "few");
    printf(")(fmt, ##__VA_ARGS__)\n\n");
}

int main(void) {
    printf("/* SPDX-License-Identifier: MIT */\n"
           "/* What programs for bpf2thumb include. Generated from the runtime's tables: do not "
           "edit. */\n"
           "#ifndef BPF_MCU_H\n#define BPF_MCU_H\n\n");
    types();
    printf("#define SEC(name) __attribute__((section(name), used))\n"
           "#define __uint(name, val) int(*name)[val]\n"
           "#define __type(name, val) typeof(val) *name\n"
           "#define __array(name, val) typeof(val) *name[]\n"
           "#define __always_inline inline __attribute__((always_inline))\n"
           "#define __noinline __attribute__((noinline))\n\n"
           "/* A pin as helpers number it: BPF_PIN('D', 12) is PD12. */\n"
           "#define BPF_PIN(port, number) (((port) - 'A') * 16 + (number))\n\n"
           "/* What the program would like to be permitted, once in a source, for who installs it "
           "(docs/grant.md):\n * BPF_GRANT(\"gpio:PD12=out budget=100us/10ms\"); */\n"
           "#define BPF_GRANT(text) static const char bpf_grant_text[] "
           "SEC(\"" BPF_GRANT_SECTION "\") = text\n\n");
    printk();
    contexts();
    maps();
    helpers();
    printf("#endif\n");
    return 0;
}

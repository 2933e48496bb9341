/* SPDX-License-Identifier: MIT
 *
 * Cycles per instruction, measured by the core, beside those of the model of emulator/cycles.h. The code runs from flash;
 * each loop stays in the accelerator's lines, so what is measured is the core with zero wait states.
 *
 * The model's column is not compiled in: `make calibrate` runs this very image on the virtual board and
 * writes what it measured there into the section .model, so that nobody has to keep a table by hand.
 */
#include "calibrate.h"
#include "armv7m.h"
#include "rtos/print.h"

enum { ROUNDS = 16 };

#define LOOP(count, body)                                                                          \
    __asm volatile(".fpu fpv4-sp-d16\n"                                                            \
                   "   mov r4, %1\n"                                                               \
                   "   mov r6, #0x7fffffff\n"                                                      \
                   "   movs r5, #1\n"                                                              \
                   "   movs r3, #0\n"                                                              \
                   "   adr.w r7, 9f\n"                                                             \
                   "   b 1f\n"                                                                     \
                   "   .balign 16\n"                                                               \
                   "1: .rept " #count "\n" body "\n .endr\n"                                       \
                   "   subs %0, #1\n"                                                              \
                   "   bne.w 1b\n"                                                                 \
                   "   b 8f\n"                                                                     \
                   "   .balign 4\n"                                                                \
                   "9: .word 0x01010101\n"                                                         \
                   "8:"                                                                            \
                   : "+r"(rounds)                                                                  \
                   : "r"(memory)                                                                   \
                   : "r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r12", "lr", "cc", "memory")

static uint64_t memory_words[8];

static void empty(uint32_t rounds, void *memory) {
    LOOP(0, "nop");
}

/* A function of its own for each, so that each loop is laid out alone. */
#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define PATTERN(name, counted, count, body)                                                        \
    static void JOIN(pattern_, __LINE__)(uint32_t rounds, void *memory) {                          \
        LOOP(count, body);                                                                         \
    }
#include "patterns.def"

struct pattern {
    const char *name;
    uint16_t instructions; /* counted in one round */
    void (*run)(uint32_t rounds, void *memory);
};

static const struct pattern patterns[] = {
#define PATTERN(name, counted, count, body) {name, (counted) * (count), JOIN(pattern_, __LINE__)},
#include "patterns.def"
};
enum { PATTERNS = sizeof(patterns) / sizeof(patterns[0]) };

/* Hundredths of a cycle, from a run on the virtual board; 0xFFFF: not filled in. */
__attribute__((section(".model"), used))
const volatile uint16_t calibrate_model[PATTERNS] = {[0 ... PATTERNS - 1] = 0xFFFF};

/* Twice, because the first time fills the flash accelerator. */
static uint32_t measure(void (*run)(uint32_t rounds, void *memory)) {
    uint32_t begin = 0, end = 0;
    for (int i = 0; i < 2; i++) {
        begin = DWT_CYCCNT;
        run(ROUNDS, memory_words);
        end = DWT_CYCCNT;
    }
    return end - begin;
}

static void print_hundredths(unsigned value) {
    print("%6u.%u%u", value / 100, value / 10 % 10, value % 10);
}

void calibrate_run(void) {
    uint32_t base = measure(empty), start = DWT_CYCCNT;
    if (DWT_CYCCNT == start) {
        print("calibrate: nothing counts cycles here\n");
        return;
    }
    print("calibrate: %-24s %9s %9s\n", "cycles", "here", "model R");
    for (unsigned i = 0; i < PATTERNS; i++) {
        const struct pattern *p = &patterns[i];
        uint32_t total = measure(p->run) - base, count = ROUNDS * p->instructions;
        unsigned here = (unsigned)((total * 100 + count / 2) / count);
        unsigned model = calibrate_model[i];
        print("calibrate: %-24s", p->name);
        print_hundredths(here);
        if (model == 0xFFFF) {
            print("         -\n");
            continue;
        }
        print_hundredths(model);
        print(here == model ? "\n" : "   differs\n");
    }
    print("calibrate: end\n");
}

/* SPDX-License-Identifier: MIT
 *
 * What the tests of the sandbox share: two sandboxes with an arena each, between words that must not
 * change, and the code of attack_code.S.
 */
#ifndef SELFTEST_ATTACK_H
#define SELFTEST_ATTACK_H

#include "rtos/sandbox.h"
#include "selftest.h"

enum { BOXES = 2, ARENA = 512, ARENA_WORDS = ARENA / 4 };

extern struct sandbox boxes[BOXES];
extern struct sandbox_layout box_layouts[BOXES];

/* One struct, so that what lies beside the arenas is known; aligned for the regions. */
struct arenas {
    uint32_t below[ARENA_WORDS], arena[BOXES][ARENA_WORDS], above[ARENA_WORDS];
};
extern struct arenas arenas;

/* attack_run.c */
void boxes_init(void);
uint32_t cycles_of_ticks(uint32_t ticks);
/* Runs code(r0...) in boxes[number]. */
enum kernel_status box_run(unsigned number, void (*code)(void), const uint32_t arguments[4],
                           uint32_t budget);
/* Everything that an attack could want to change, as one number; asleep, the time it takes for the
 * others to show that they live. */
uint32_t kernel_sum(void);
const char *unharmed(uint32_t sum_before);

/* attack_code.S */
#define ATTACK_CODE(name) extern void attack_##name(void)
ATTACK_CODE(read);
ATTACK_CODE(write);
ATTACK_CODE(jump);
ATTACK_CODE(pop_pc);
ATTACK_CODE(load_many);
ATTACK_CODE(store_many);
ATTACK_CODE(load_two);
ATTACK_CODE(undefined);
ATTACK_CODE(fpu);
ATTACK_CODE(breakpoint);
ATTACK_CODE(special);
ATTACK_CODE(special_loop);
ATTACK_CODE(loop);
ATTACK_CODE(wait);
ATTACK_CODE(wait_loop);
ATTACK_CODE(svc_next);
ATTACK_CODE(svc_128);
ATTACK_CODE(svc_enter);
ATTACK_CODE(sp_svc);
ATTACK_CODE(sp_loop);
ATTACK_CODE(recurse);
ATTACK_CODE(add);
ATTACK_CODE(registers);
ATTACK_CODE(library_call);
ATTACK_CODE(call);
ATTACK_CODE(call_killed);
ATTACK_CODE(count);
ATTACK_CODE(leave);
extern const uint16_t attack_library_half[];

#endif

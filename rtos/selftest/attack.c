/* SPDX-License-Identifier: MIT
 *
 * Attacks of unprivileged code. Each row says what runs, at what it aims, how it must end and what the
 * fault registers must say (ARMv7-M, B3.2.15); afterwards nothing of the kernel has changed, and the
 * other tasks go on.
 */
#include "attack.h"
#include "hal/flash.h"

#define MINE ((uint32_t)arenas.arena[0])
#define KERNEL_RAM ((uint32_t)&helpers[0])
#define KERNEL_CODE ((uint32_t)fault_last)

/* ATTACK(name, code, target, enum fault_kind, CFSR) */
#define ATTACKS(ATTACK)                                                                            \
    ATTACK(write_own_code, write, (uint32_t)attack_write & ~1u, FAULT_MEMORY, DACCVIOL)            \
    ATTACK(write_library, write, (uint32_t)attack_leave & ~1u, FAULT_MEMORY, DACCVIOL)             \
    ATTACK(read_library_off, read, ((uint32_t)attack_leave & ~1u) + 128, FAULT_MEMORY, DACCVIOL)   \
    ATTACK(read_kernel_ram, read, KERNEL_RAM, FAULT_MEMORY, DACCVIOL)                              \
    ATTACK(write_kernel_ram, write, KERNEL_RAM, FAULT_MEMORY, DACCVIOL)                            \
    ATTACK(write_below, write, MINE - 4, FAULT_STACK_OVERFLOW, DACCVIOL)                           \
    ATTACK(write_above, write, MINE + ARENA, FAULT_MEMORY, DACCVIOL)                               \
    ATTACK(read_kernel_flash, read, KERNEL_CODE & ~3u, FAULT_MEMORY, DACCVIOL)                     \
    ATTACK(write_kernel_flash, write, KERNEL_CODE & ~3u, FAULT_MEMORY, DACCVIOL)                   \
    ATTACK(read_flash_alias, read, 0x00000000, FAULT_MEMORY, DACCVIOL)                             \
    ATTACK(write_flash_alias, write, 0x00000400, FAULT_MEMORY, DACCVIOL)                           \
    ATTACK(read_peripheral, read, 0x40020000, FAULT_MEMORY, DACCVIOL)                              \
    ATTACK(write_peripheral, write, 0x40023800, FAULT_MEMORY, DACCVIOL)                            \
    ATTACK(read_bitband_ram, read, 0x22000000, FAULT_MEMORY, DACCVIOL)                             \
    ATTACK(write_bitband_ram, write, 0x22000000 + (KERNEL_RAM - 0x20000000) * 32, FAULT_MEMORY,    \
           DACCVIOL)                                                                               \
    ATTACK(write_bitband_peripheral, write, 0x42470000, FAULT_MEMORY, DACCVIOL)                    \
    ATTACK(read_systick, read, 0xE000E010, FAULT_BUS, PRECISERR)                                   \
    ATTACK(write_systick, write, 0xE000E010, FAULT_BUS, PRECISERR)                                 \
    ATTACK(read_mpu, read, 0xE000ED94, FAULT_BUS, PRECISERR)                                       \
    ATTACK(write_mpu, write, 0xE000ED94, FAULT_BUS, PRECISERR)                                     \
    ATTACK(write_vector_table, write, 0xE000ED08, FAULT_BUS, PRECISERR)                            \
    ATTACK(write_software_interrupt, write, 0xE000EF00, FAULT_BUS, PRECISERR)                      \
    ATTACK(jump_kernel, jump, KERNEL_CODE, FAULT_MEMORY, IACCVIOL)                                 \
    ATTACK(jump_stack, jump, MINE + 1, FAULT_MEMORY, IACCVIOL)                                     \
    ATTACK(jump_exc_return, jump, 0xFFFFFFFD, FAULT_MEMORY, IACCVIOL)                              \
    ATTACK(jump_exc_return_handler, jump, 0xFFFFFFF1, FAULT_MEMORY, IACCVIOL)                      \
    ATTACK(pop_exc_return, pop_pc, 0xFFFFFFF9, FAULT_MEMORY, IACCVIOL)                             \
    ATTACK(jump_even, jump, (uint32_t)attack_add & ~1u, FAULT_USAGE, INVSTATE)                     \
    ATTACK(jump_library_half, jump, (uint32_t)attack_library_half + 3, FAULT_USAGE, UNDEFINSTR)    \
    ATTACK(special_registers, special, KERNEL_RAM, FAULT_MEMORY, DACCVIOL)                         \
    ATTACK(sp_kernel_svc, sp_svc, KERNEL_RAM + 96, FAULT_MEMORY, MSTKERR)                          \
    ATTACK(sp_nowhere_svc, sp_svc, 0x30000000, FAULT_MEMORY, MSTKERR)                              \
    ATTACK(sp_zero_svc, sp_svc, 0, FAULT_MEMORY, MSTKERR)                                          \
    ATTACK(sp_half_svc, sp_svc, MINE + 16, FAULT_STACK_OVERFLOW, MSTKERR)                          \
    ATTACK(sp_kernel_tick, sp_loop, KERNEL_RAM + 96, FAULT_MEMORY, MSTKERR)                        \
    ATTACK(sp_nowhere_tick, sp_loop, 0x30000000, FAULT_MEMORY, MSTKERR)                            \
    ATTACK(sp_code_tick, sp_loop, ((uint32_t)attack_write & ~7u) + 64, FAULT_MEMORY, MSTKERR)      \
    ATTACK(sp_above_tick, sp_loop, MINE + ARENA + 16, FAULT_MEMORY, MSTKERR)                       \
    ATTACK(sp_half_tick, sp_loop, MINE + 16, FAULT_STACK_OVERFLOW, MSTKERR)                        \
    ATTACK(recurse, recurse, MINE - 16, FAULT_STACK_OVERFLOW, DACCVIOL | MSTKERR)                  \
    ATTACK(undefined, undefined, 0, FAULT_USAGE, UNDEFINSTR)                                       \
    ATTACK(unaligned_many, load_many, MINE + 2, FAULT_USAGE, UNALIGNED)                            \
    ATTACK(unaligned_two, load_two, MINE + 2, FAULT_USAGE, UNALIGNED)                              \
    ATTACK(fpu, fpu, 0, FAULT_USAGE, NOCP)                                                         \
    ATTACK(breakpoint, breakpoint, 0, FAULT_HARD, 0)

/* Where a push runs over the stack, an interrupt that comes just before may do so first. */
static const char *check_fault(uint32_t target, enum fault_kind kind, uint32_t cfsr) {
    const struct fault_record *fault = sandbox_last_fault();
    if (cfsr == (DACCVIOL | MSTKERR) && fault->cfsr == MSTKERR)
        cfsr = MSTKERR;
    CHECK(boxes[0].result.end == SANDBOX_FAULT);
    CHECK(fault->cfsr == cfsr && boxes[0].result.fault.cfsr == cfsr);
    CHECK(boxes[0].result.fault.mmfar == fault->mmfar);
    CHECK(fault->kind == kind);
    CHECK(fault->exception == 0);
    CHECK(texts_equal(fault->task, "console"));
    CHECK(fault->frame_valid == !(cfsr & MSTKERR));
    if (cfsr & DACCVIOL)
        CHECK(fault->mmfar == target);
    if (cfsr == PRECISERR)
        CHECK(fault->bfar == target);
    if (cfsr == IACCVIOL)
        CHECK(fault->frame[FRAME_PC] == (target & ~1u));
    return NULL;
}

static const char *attack(void (*code)(void), uint32_t target, enum fault_kind kind,
                          uint32_t cfsr) {
    if (code == attack_breakpoint && is_debugged())
        return SKIP_DEBUGGED;
    boxes_init();
    uint32_t sum = kernel_sum();
    const uint32_t arguments[4] = {target};
    CHECK(box_run(0, code, arguments, cycles_of_ticks(3)) == KERNEL_OK);
    const char *wrong = check_fault(target, kind, cfsr);
    return wrong ? wrong : unharmed(sum);
}

#define ATTACK_TEST(name, code, target, kind, cfsr)                                                \
    static const char *name(void) {                                                                \
        return attack(attack_##code, target, kind, cfsr);                                          \
    }
ATTACKS(ATTACK_TEST)

/* Those that end otherwise than by a fault. */
static const char *attack_ends(void (*code)(void), uint32_t target, enum sandbox_end end) {
    boxes_init();
    uint32_t sum = kernel_sum();
    const uint32_t arguments[4] = {target};
    CHECK(box_run(0, code, arguments, cycles_of_ticks(3)) == KERNEL_OK);
    CHECK(boxes[0].result.end == end);
    return unharmed(sum);
}

static const char *svc_next(void) {
    return attack_ends(attack_svc_next, 0, SANDBOX_BAD_CALL);
}

static const char *svc_128(void) {
    return attack_ends(attack_svc_128, 0, SANDBOX_BAD_CALL);
}

static const char *svc_enter(void) {
    return attack_ends(attack_svc_enter, (uint32_t)&boxes[1], SANDBOX_BAD_CALL);
}

/* Frame and nothing else fits: what the switch stores must not go below. */
static const char *sp_low_switch(void) {
    return attack_ends(attack_sp_loop, MINE + SANDBOX_FRAME, SANDBOX_BUDGET);
}

static const char *loop(void) {
    return attack_ends(attack_loop, 0, SANDBOX_BUDGET);
}

static const char *masked_loop(void) {
    return attack_ends(attack_special_loop, 0, SANDBOX_BUDGET);
}

static const char *wait_loop(void) {
    return attack_ends(attack_wait_loop, 0, SANDBOX_BUDGET);
}

static const char *wait(void) {
    return attack_ends(attack_wait, 0, SANDBOX_EXIT);
}

static const char *jump_leave(void) {
    return attack_ends(attack_jump, (uint32_t)attack_leave, SANDBOX_EXIT);
}

/* Across the end of the arena: the first byte outside is the address, or the access's own. */
static const char *across(void (*code)(void), uint32_t target) {
    boxes_init();
    uint32_t sum = kernel_sum();
    const uint32_t arguments[4] = {target};
    CHECK(box_run(0, code, arguments, cycles_of_ticks(3)) == KERNEL_OK);
    CHECK(boxes[0].result.end == SANDBOX_FAULT && boxes[0].result.fault.cfsr == DACCVIOL);
    uint32_t mmfar = boxes[0].result.fault.mmfar;
    CHECK(mmfar == target || mmfar == MINE + ARENA);
    return unharmed(sum);
}

static const char *load_across(void) {
    return across(attack_load_many, MINE + ARENA - 8);
}

static const char *store_across(void) {
    return across(attack_store_many, MINE + ARENA - 8);
}

static const char *unaligned_across(void) {
    return across(attack_read, MINE + ARENA - 2);
}

static const char *write_across(void) {
    return across(attack_write, MINE + ARENA - 1);
}

/* What interrupted a sandbox has its frame on the arena, where another task of the same arena may change it before
 * the exception returns: the faults of that return are the sandbox's, too. */
static uint32_t forged_value;
static enum fault_register forged_register;

static void forge(void *argument) {
    (void)argument;
    task_sleep(1);
    boxes[0].sp[forged_register] = forged_value;
}

static const char *forged(enum fault_register which, uint32_t value, enum fault_kind kind,
                          uint32_t cfsr) {
    boxes_init();
    uint32_t sum = kernel_sum();
    forged_register = which;
    forged_value = value;
    helper_start(3, 20, forge);
    CHECK(box_run(0, attack_loop, NULL, cycles_of_ticks(4)) == KERNEL_OK);
    if (cfsr)
        CHECK(boxes[0].result.fault.cfsr == cfsr && sandbox_last_fault()->kind == kind);
    CHECK(boxes[0].result.end == (cfsr ? SANDBOX_FAULT : SANDBOX_BUDGET));
    return unharmed(sum);
}

/* Back to thread mode with the number of an exception. The frame that negates the unstacking goes to the stack of
 * the mode that is returned to (ARMv7-M, B1.5.8); QEMU goes by the number, and 32 bytes of the main stack are lost. */
static const char *forged_handler(void) {
    if (flash_is_ram())
        return SKIP "QEMU puts the frame elsewhere";
    return forged(FRAME_PSR, 1u << 24 | 11, FAULT_USAGE, INVPC);
}

static const char *forged_state(void) {
    return forged(FRAME_PSR, 0, FAULT_USAGE, INVSTATE);
}

static const char *forged_pc(void) {
    return forged(FRAME_PC, KERNEL_CODE & ~1u, FAULT_MEMORY, IACCVIOL);
}

static const char *forged_exc_return(void) {
    return forged(FRAME_PC, 0xFFFFFFF8, FAULT_MEMORY, IACCVIOL);
}

static const char *forged_alignment(void) {
    return forged(FRAME_PSR, 1u << 24 | 1u << 9 | 0xF8000000, FAULT_NONE, 0);
}

/* A thousand faults of all kinds in a row leave nothing behind. */
static const char *storm(void) {
    static const struct {
        void (*code)(void);
        uint32_t target;
        uint32_t cfsr;
    } kinds[] = {
        {attack_read, 0x40020000, DACCVIOL},
        {attack_write, 0xE000E010, PRECISERR},
        {attack_jump, 0xFFFFFFFD, IACCVIOL},
        {attack_undefined, 0, UNDEFINSTR},
        {attack_sp_svc, 0x30000000, MSTKERR},
        {attack_fpu, 0, NOCP},
        {attack_breakpoint, 0, 0},
        {attack_jump, 0x40000000, INVSTATE},
    };
    boxes_init();
    uint32_t sum = kernel_sum();
    for (unsigned i = 0; i < 1000; i++) {
        unsigned kind = i % (sizeof(kinds) / sizeof(kinds[0]));
        const uint32_t arguments[4] = {kinds[kind].target};
        if (kinds[kind].code == attack_breakpoint && is_debugged())
            continue;
        CHECK(box_run(0, kinds[kind].code, arguments, cycles_of_ticks(3)) == KERNEL_OK);
        CHECK(boxes[0].result.end == SANDBOX_FAULT);
        CHECK(kinds[kind].cfsr == INVSTATE || boxes[0].result.fault.cfsr == kinds[kind].cfsr);
    }
    return unharmed(sum);
}

#define ATTACK_ROW(name, code, target, kind, cfsr) {"attack", #name, name},
const struct test tests_attack[] = {
    ATTACKS(ATTACK_ROW){"attack", "svc_next", svc_next},
    {"attack", "svc_128", svc_128},
    {"attack", "svc_enter", svc_enter},
    {"attack", "sp_low_switch", sp_low_switch},
    {"attack", "loop", loop},
    {"attack", "masked_loop", masked_loop},
    {"attack", "wait_loop", wait_loop},
    {"attack", "wait", wait},
    {"attack", "jump_leave", jump_leave},
    {"attack", "load_across", load_across},
    {"attack", "store_across", store_across},
    {"attack", "unaligned_across", unaligned_across},
    {"attack", "write_across", write_across},
    {"attack", "forged_handler", forged_handler},
    {"attack", "forged_state", forged_state},
    {"attack", "forged_pc", forged_pc},
    {"attack", "forged_exc_return", forged_exc_return},
    {"attack", "forged_alignment", forged_alignment},
    {"attack", "storm", storm},
};
SUITE_END(attack);

/* SPDX-License-Identifier: MIT
 *
 * Registers and kernel for drivers on the host. REG() of a driver comes here: each access first settles
 * the accesses before it, so that a write is known when the next access begins. A write of what was
 * just read is no write; no driver's correctness may hang on one.
 */
#ifndef TESTS_DRIVER_MODEL_H
#define TESTS_DRIVER_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REG(address) (*model_access((uint32_t)(address)))
#define BARRIER() model_settle()
#define FIRMWARE_END model_firmware_end
#define LIBRARY_START 0x08040000u
#define LIBRARY_END 0x08044000u

volatile uint32_t *model_access(uint32_t address);
void model_settle(void);

/* What a test does to registers: without hooks, without an effect on others. */
uint32_t model_get(uint32_t address);
void model_set(uint32_t address, uint32_t value);

/* The device of the test. read() is called before each access and says what is to be read; written()
 * gets what was written and what was there; it leaves in the register what it wants with model_set().
 * Null: plain memory. */
struct model_device {
    uint32_t (*read)(uint32_t address, uint32_t stored);
    void (*written)(uint32_t address, uint32_t value, uint32_t before);
};
void model_reset(const struct model_device *device); /* all registers 0, all counts 0 */

/* What the kernel was asked. */
struct model_kernel {
    uint32_t locked;   /* depth of kernel_lock() */
    uint32_t ticks;    /* the test moves them */
    uint32_t takes;    /* semaphore_take() that would have waited */
    uint32_t sleeps;   /* task_sleep() */
    bool owner_died;   /* what the next mutex_lock() says */
    bool timer_active; /* the last timer started */
    void *task;        /* what task_self() returns */
    uint32_t irqs;     /* irq_enable() calls */
    uint32_t worst_priority;
};
extern struct model_kernel model_kernel;
void model_timer_expire(void);      /* calls the callback of the timer */
extern void (*model_waiting)(void); /* while a semaphore is waited for; may be null */

/* The clock that the drivers find; bsp.h's struct clock is filled by the test that needs it. */
extern uint32_t model_firmware_end;

#endif

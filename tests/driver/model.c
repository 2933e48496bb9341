/* SPDX-License-Identifier: MIT */
#include "model.h"
#include "rtos/core.h"
#include "rtos/fault.h"
#include "rtos/kernel.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Open addressing; never more than half full. */
enum { CELLS = 1 << 17, PENDING = 4 };

static struct cell {
    uint32_t address, value;
    bool used;
} cells[CELLS];

/* Cells whose address was given out and may have been written since. */
static struct {
    struct cell *cell;
    uint32_t before;
} pending[PENDING];
static unsigned pending_next;

static struct model_device device;
struct model_kernel model_kernel;
void (*model_waiting)(void);
uint32_t model_firmware_end = 0x08009000;

static struct cell *cell_of(uint32_t address) {
    uint32_t i = address / 4 * 2654435761u >> 15;
    while (cells[i].used && cells[i].address != address)
        i = (i + 1) % CELLS;
    if (!cells[i].used)
        cells[i] = (struct cell){address, 0, true};
    return &cells[i];
}

uint32_t model_get(uint32_t address) {
    model_settle();
    return cell_of(address)->value;
}

void model_set(uint32_t address, uint32_t value) {
    cell_of(address)->value = value;
}

void model_settle(void) {
    for (unsigned i = 0; i < PENDING; i++) {
        unsigned at = (pending_next + i) % PENDING; /* the oldest first */
        struct cell *cell = pending[at].cell;
        uint32_t before = pending[at].before;
        pending[at].cell = NULL;
        if (cell && cell->value != before && device.written)
            device.written(cell->address, cell->value, before);
    }
}

volatile uint32_t *model_access(uint32_t address) {
    model_settle();
    struct cell *cell = cell_of(address);
    if (device.read)
        cell->value = device.read(address, cell->value);
    pending[pending_next].cell = cell;
    pending[pending_next].before = cell->value;
    pending_next = (pending_next + 1) % PENDING;
    return &cell->value;
}

void model_reset(const struct model_device *d) {
    memset(cells, 0, sizeof(cells));
    memset(pending, 0, sizeof(pending));
    device = d ? *d : (struct model_device){0};
    model_kernel = (struct model_kernel){.task = &model_kernel};
    model_waiting = NULL;
}

/* ----- the kernel --------------------------------------------------------------------------------- */

uint32_t kernel_lock(void) {
    return model_kernel.locked++;
}

void kernel_unlock(uint32_t key) {
    model_kernel.locked--;
    if (model_kernel.locked != key)
        abort();
}

uint32_t kernel_ticks(void) {
    return model_kernel.ticks;
}

struct task *task_self(void) {
    return model_kernel.task;
}

enum kernel_status mutex_lock(struct mutex *mutex, uint32_t timeout) {
    (void)timeout;
    if (mutex->owner)
        return KERNEL_ALREADY_OWNER;
    mutex->owner = model_kernel.task;
    bool died = model_kernel.owner_died;
    model_kernel.owner_died = false;
    return died ? KERNEL_OWNER_DIED : KERNEL_OK;
}

enum kernel_status mutex_unlock(struct mutex *mutex) {
    mutex->owner = NULL;
    return KERNEL_OK;
}

enum kernel_status semaphore_init(struct semaphore *sem, uint32_t count, uint32_t limit) {
    sem->count = count;
    sem->limit = limit;
    return KERNEL_OK;
}

/* A wait passes all of its time, in which the test may do something. */
enum kernel_status semaphore_take(struct semaphore *sem, uint32_t timeout) {
    if (model_kernel.locked)
        abort();
    if (sem->count == 0) {
        model_kernel.takes++;
        model_kernel.ticks += timeout;
        if (model_waiting)
            model_waiting();
    }
    if (sem->count == 0)
        return timeout ? KERNEL_TIMEOUT : KERNEL_WOULD_BLOCK;
    sem->count--;
    return KERNEL_OK;
}

enum kernel_status task_sleep(uint32_t ticks) {
    if (model_kernel.locked)
        abort();
    model_kernel.sleeps++;
    model_kernel.ticks += ticks;
    return model_kernel.task ? KERNEL_OK : KERNEL_MASKED; /* NULL: before the kernel has started */
}

enum kernel_status semaphore_give_isr(struct semaphore *sem) {
    if (sem->count == sem->limit)
        return KERNEL_LIMIT;
    sem->count++;
    return KERNEL_OK;
}

enum kernel_status semaphore_give(struct semaphore *sem) {
    return semaphore_give_isr(sem);
}

static struct timer *started;

enum kernel_status timer_init(struct timer *timer, void (*callback)(void *argument),
                              void *argument) {
    timer->callback = callback;
    timer->argument = argument;
    return KERNEL_OK;
}

enum kernel_status timer_start_isr(struct timer *timer, uint32_t delay, uint32_t period) {
    (void)delay;
    timer->period = period;
    started = timer;
    model_kernel.timer_active = true;
    return KERNEL_OK;
}

enum kernel_status timer_stop(struct timer *timer) {
    (void)timer;
    model_kernel.timer_active = false;
    return KERNEL_OK;
}

void model_timer_expire(void) {
    started->callback(started->argument);
}

void irq_enable(unsigned irq, unsigned priority) {
    (void)irq;
    model_kernel.irqs++;
    if (priority > model_kernel.worst_priority)
        model_kernel.worst_priority = priority;
}

_Noreturn void fault_panic_of(const struct task *task, const char *text) {
    (void)task;
    fprintf(stderr, "panic: %s\n", text);
    abort();
}

/* SPDX-License-Identifier: MIT
 *
 * The recorder. While somebody watches, the processor uses a table of vectors in RAM whose PendSV and interrupts lead
 * here first (vectors.S) and then to the handlers of the table in flash.
 *
 * PendSV does not know yet which task it will enter, so a switch is told when the next one begins. What is more
 * urgent than the kernel's band is not recorded: it could not be held up here.
 */
#include "rtos/trace.h"

#include "arch.h"
#include "rtos/clock.h"
#include "rtos/kernel.h"

#include <string.h>

enum { VECTORS = 128, FIRST_IRQ = 16 }; /* the largest table of the family has 113 */

const uint32_t *trace_handlers; /* the table in flash: vectors.S */
void trace_vector_switch(void);
void trace_vector_irq(void);
void trace_switch(void);
void trace_irq(void);

static uint32_t vectors[VECTORS] __attribute__((aligned(VECTORS * 4)));
static struct trace_event ring[TRACE_EVENTS];
static uint32_t written;
static unsigned users;
static void (*told)(const struct trace_event *event);
static struct {
    uint64_t time_ns;
    uint32_t left;
    bool open;
} change; /* the switch whose other end is not known yet */

uint32_t trace_name(const char *name) {
    uint32_t word = 0;
    for (unsigned i = 0; i < 4 && name[i]; i++)
        word |= (uint32_t)(uint8_t)name[i] << i * 8;
    return word;
}

/* Locked. */
static void put(const struct trace_event *event) {
    ring[written++ % TRACE_EVENTS] = *event;
    told(event);
}

void trace_switch(void) {
    uint32_t name = trace_name(task_self()->name);
    uint32_t key = arch_lock();
    if (change.open && change.left != name)
        put(&(struct trace_event){change.time_ns, TRACE_SWITCH, change.left, name, change.left});
    change.time_ns = clock_ns();
    change.left = name;
    change.open = true;
    arch_unlock_quiet(key);
}

void trace_irq(void) {
    uint32_t irq = arch_exception() - FIRST_IRQ;
    if (NVIC_IPR(irq) < PRIORITY_KERNEL)
        return;
    uint32_t key = arch_lock();
    put(&(struct trace_event){clock_ns(), TRACE_IRQ, irq, 0, trace_name(task_self()->name)});
    arch_unlock_quiet(key);
}

void trace_fault(const char *task, uint32_t status, uint32_t address) {
    uint32_t key = arch_lock();
    if (users)
        put(&(struct trace_event){clock_ns(), TRACE_FAULT, status, address, trace_name(task)});
    arch_unlock(key);
}

void trace_start(void (*function)(const struct trace_event *event)) {
    uint32_t key = arch_lock();
    told = function;
    if (users++ == 0) {
        trace_handlers = (const uint32_t *)SCB_VTOR;
        memcpy(vectors, trace_handlers, sizeof(vectors));
        vectors[EXCEPTION_PENDSV] = (uint32_t)trace_vector_switch;
        for (unsigned i = FIRST_IRQ; i < VECTORS; i++)
            vectors[i] = (uint32_t)trace_vector_irq;
        change.open = false;
        SCB_VTOR = (uint32_t)vectors;
        __asm volatile("dsb" : : : "memory");
    }
    arch_unlock(key);
}

void trace_stop(void) {
    uint32_t key = arch_lock();
    if (--users == 0) {
        SCB_VTOR = (uint32_t)trace_handlers;
        __asm volatile("dsb" : : : "memory");
    }
    arch_unlock(key);
}

bool trace_read(uint32_t *cursor, struct trace_event *out, uint32_t *lost) {
    uint32_t key = arch_lock();
    uint32_t ahead = written - *cursor;
    *lost = ahead > TRACE_EVENTS ? ahead - TRACE_EVENTS : 0;
    *cursor += *lost;
    if (ahead)
        *out = ring[(*cursor)++ % TRACE_EVENTS];
    arch_unlock_quiet(key);
    return ahead;
}

uint32_t trace_written(void) {
    return written;
}

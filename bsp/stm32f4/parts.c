/* SPDX-License-Identifier: MIT
 *
 * What is there. One firmware runs on the chip and on models that lack units; each unit gets its clock
 * and is asked once, at boot, whether it remembers something.
 */
#include "bsp.h"
#include "stm32f4.h"

static const struct {
    uint8_t enable, bit;
    uint32_t probe, pattern;
} parts[PARTS] = {
#define PART(name, enable, bit, probe, pattern) {enable, bit, probe, pattern},
#include "parts.def"
#undef PART
};

static uint32_t parts_there; /* bits of enum part */
_Static_assert(PARTS < 32, "one word");

static bool answers(uint32_t address, uint32_t pattern) {
    uint32_t before = REG(address);
    REG(address) = pattern;
    bool same = REG(address) == pattern;
    REG(address) = before;
    return same;
}

void parts_probe(void) {
    for (unsigned i = 0; i < PARTS; i++) {
        /* An address without a unit may answer with a BusFault. */
        if (!(board_config.parts >> i & 1))
            continue;
        RCC_ENABLE(parts[i].enable) |= 1u << parts[i].bit;
        (void)RCC_ENABLE(parts[i].enable); /* errata ES0182 2.1.13: two cycles until it answers */
        if (answers(parts[i].probe, parts[i].pattern))
            parts_there |= 1u << i;
    }
}

bool part_there(enum part part) {
    return parts_there >> part & 1;
}

bool wait_for(uint32_t address, uint32_t mask, uint32_t value, uint32_t tries) {
    while (tries--)
        if ((REG(address) & mask) == value)
            return true;
    return false;
}

uint32_t timeout_left(uint32_t start, uint32_t timeout) {
    uint32_t waited = kernel_ticks() - start;
    if (timeout == KERNEL_FOREVER)
        return timeout;
    return waited < timeout ? timeout - waited : KERNEL_NO_WAIT;
}

/* A task that ended in the middle of an operation leaves the mutex to the next one, and no operation that does
 * not begin with what it needs: that is no reason to refuse it. */
enum kernel_status driver_lock(struct mutex *mutex) {
    enum kernel_status status = task_self() ? mutex_lock(mutex, KERNEL_FOREVER) : KERNEL_OK;
    return status == KERNEL_OWNER_DIED ? KERNEL_OK : status;
}

void driver_unlock(struct mutex *mutex) {
    if (task_self())
        mutex_unlock(mutex);
}

/* SPDX-License-Identifier: MIT
 *
 * A board whose programs make it restart again and again stays reachable: after three boots in a row that loaded
 * programs and did not live for ten seconds, the next one loads none. The count lies in RAM that a reset leaves alone
 * and that holds noise after a power-up.
 */
#include "manager.h"

enum { UNHEALTHY_BOOTS = 3 };

__attribute__((section(".keep"))) struct health {
    uint32_t boots, check;
} health; /* not static: tests are the noise */

/* Never the same as noise that is all zeros or ones. */
static uint32_t check_of(uint32_t boots) {
    return boots * 0x9e3779b9u ^ 0x48454c54u;
}

static void set(uint32_t boots) {
    health.boots = boots;
    health.check = check_of(boots);
}

bool health_begin(void) {
    if (health.check != check_of(health.boots) || health.boots > UNHEALTHY_BOOTS)
        set(0);
    if (health.boots == UNHEALTHY_BOOTS)
        return false;
    set(health.boots + 1);
    return true;
}

void health_good(void) {
    set(0);
}

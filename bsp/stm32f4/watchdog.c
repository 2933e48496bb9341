/* SPDX-License-Identifier: MIT
 *
 * The independent watchdog (RM0090 21). Its clock is the LSI, 32 kHz by name and 17 to 47 kHz in fact: a
 * time of a second is between 0.7 and 1.9.
 */
#include "hal/watchdog.h"
#include "stm32f4.h"

enum {
    LSI_PER_MS = 32,
    RELOAD_MAX = 0x1000,
    PRESCALER_MAX = 6,     /* LSI / 256 */
    UPDATE_TRIES = 200000, /* an update takes 5 cycles of the LSI */
};

static void wait_for_update(void) {
    for (int i = 0; i < UPDATE_TRIES && IWDG_SR; i++)
        ;
}

/* QEMU has none: what is written is not there afterwards. */
bool board_watchdog_start(uint32_t ms) {
    uint32_t prescaler = 0, count = ms * LSI_PER_MS / 4;
    while (count > RELOAD_MAX && prescaler < PRESCALER_MAX) {
        count /= 2;
        prescaler++;
    }
    uint32_t reload = (count > RELOAD_MAX ? RELOAD_MAX : count) - 1;
    IWDG_KR = IWDG_KR_START;
    wait_for_update();
    IWDG_KR = IWDG_KR_UNLOCK;
    IWDG_PR = prescaler;
    IWDG_RLR = reload;
    wait_for_update();
    board_watchdog_feed();
    return IWDG_RLR == reload;
}

void board_watchdog_feed(void) {
    IWDG_KR = IWDG_KR_FEED;
}

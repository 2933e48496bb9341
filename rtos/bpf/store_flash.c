/* SPDX-License-Identifier: MIT
 *
 * The store's two sectors in the board's flash, which says itself where they are (hal/flash.h).
 */
#include "bpf/pause.h"
#include "hal/flash.h"
#include "manager.h"

static unsigned numbers[STORE_SECTORS];

static bool program(void *user, unsigned sector, uint32_t offset, uint32_t word) {
    const struct store_flash *flash = user;
    enum kernel_status status = flash_write(flash->address[sector] + offset, &word, 1);
    bpf_pause();
    return status == KERNEL_OK;
}

static bool erase(void *user, unsigned sector) {
    (void)user;
    return flash_erase(numbers[sector]) == KERNEL_OK;
}

bool store_flash(struct store_flash *out) {
    static struct store_flash flash;
    struct flash_sector sector;
    unsigned found = 0;
    for (unsigned i = 0; found < STORE_SECTORS && !flash_sector(i, &sector); i++) {
        if (!sector.store)
            continue;
        numbers[found] = i;
        flash.address[found] = sector.address;
        flash.memory[found++] = (const uint8_t *)(uintptr_t)sector.address;
        flash.size = sector.size;
    }
    flash.user = &flash;
    flash.program = program;
    flash.erase = erase;
    *out = flash;
    return found == STORE_SECTORS;
}

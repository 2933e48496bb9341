/* SPDX-License-Identifier: MIT
 *
 * `bpf load`: starts what is installed, or installs a blob that a debugger has put into the flash, in a sector that
 * nobody uses. From there on it is an installation like any other, with the same checks; what is not named is not
 * granted.
 */
#include "command_bpf.h"
#include "line.h"

#include "hal/flash.h"

#include <string.h>

/* Bytes of the blob that lies at an address of the flash; 0: there is none. Nothing else is looked at, because what
 * is no memory would restart the board. */
static uint32_t blob_size(int64_t address) {
    struct flash_sector first, last;
    struct blob_header header;
    unsigned count = flash_sector_count();
    if (!count || flash_sector(0, &first) || flash_sector(count - 1, &last))
        return 0;
    int64_t room = (int64_t)last.address + last.size - address;
    if (address < first.address || room < (int64_t)sizeof(header))
        return 0;
    memcpy(&header, (const void *)(uintptr_t)address, sizeof(header));
    return header.magic == BLOB_MAGIC && header.size <= room ? header.size : 0;
}

static enum bpf_status install(const char *name, const uint8_t *blob, uint32_t size,
                               const struct bpf_grant *grant, bool in_ram) {
    enum { PART = 512 };
    uint32_t where;
    enum bpf_status status = programs_begin(name, size, grant, in_ram);
    if (status)
        return status;
    for (uint32_t at = 0; at < size && !status; at += PART)
        status = programs_write(at, blob + at, size - at < PART ? size - at : PART);
    if (status)
        programs_abort();
    return status ? status : programs_commit(true, &where);
}

int bpf_load(struct shell *shell, int argc, char **argv) {
    struct bpf_grant grant = bpf_grant_default;
    int64_t address;
    if (argc == 2)
        return bpf_result(shell, programs_enable(argv[1], true));
    bool in_ram = argc > 3 && text_equal(argv[3], "ram");
    int items = in_ram ? 4 : 3;
    if (!shell_value(shell, argv[2], &address) ||
        !bpf_grant_items(shell, argc - items, argv + items, &grant))
        return SHELL_FAILED;
    uint32_t size = blob_size(address);
    if (!size) {
        shell_print(shell, "bpf: there is no blob at 0x%08x, or it is not in the flash\n",
                    (unsigned)address);
        return SHELL_FAILED;
    }
    programs_hold();
    enum bpf_status status =
        install(argv[1], (const uint8_t *)(uintptr_t)address, size, &grant, in_ram);
    int result = bpf_result(shell, status);
    programs_release();
    return result;
}

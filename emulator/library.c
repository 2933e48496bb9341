/* SPDX-License-Identifier: MIT */
/* The library image, put in by the assembler; it describes itself (bpf/library.h). */
#include "library.h"

#include "bpf/helper.h"
#include "bpf/library.h"

#include <assert.h>

__asm__(".pushsection .rodata\n"
        ".balign 8\n"
        "emulator_library:\n"
        ".incbin \"build/target/library.bin\"\n"
        "emulator_library_end:\n"
        ".popsection\n");
extern const uint8_t emulator_library[], emulator_library_end[];

static const struct library_header *header(void) {
    const struct library_header *h = (const struct library_header *)(const void *)emulator_library;
    assert(h->magic == LIBRARY_MAGIC && h->version == LIBRARY_VERSION);
    return h;
}

const void *library_image(size_t *size) {
    *size = (size_t)(emulator_library_end - emulator_library);
    return header();
}

uint32_t library_helper(uint32_t id) {
    const struct library_header *h = header();

    for (uint32_t i = 0; i < h->count; i++)
        if (h->rows[i].id == id)
            return h->rows[i].entry;
    return 0;
}

uint32_t library_exit(void) {
    return header()->exit;
}

uint32_t library_interpreter(void) {
    return header()->interpreter;
}

const char *library_name(uint32_t address) {
    const struct library_header *h = header();

    if (h->exit == (address | 1))
        return "exit";
    for (uint32_t i = 0; i < h->count; i++)
        if (h->rows[i].entry == (address | 1))
            return bpf_helper_by_id(h->rows[i].id)->name;
    return 0;
}

/* SPDX-License-Identifier: MIT */
#include "image.h"
#include "board.h"

#include "util/file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLASH_BASE 0x08000000u

static uint8_t *io_error(const char *path, struct diag *diag) {
    diag_error(diag, DIAG_IO, NULL, NULL, "%s: %s", path, strerror(errno));
    return NULL;
}

/* Makes a new file erased, and refuses one that is no image. */
static bool prepare(int fd, const char *path, struct diag *diag) {
    struct stat st;

    if (fstat(fd, &st) != 0)
        return io_error(path, diag);
    if (st.st_size == BOARD_FLASH_SIZE)
        return true;
    if (st.st_size != 0)
        return diag_error(diag, DIAG_IO, NULL, "name a new file, or one that --flash has made",
                          "%s is not an image of the flash: it has %lld bytes, an image %d", path,
                          (long long)st.st_size, BOARD_FLASH_SIZE);
    uint8_t *erased = malloc(BOARD_FLASH_SIZE);
    if (!erased)
        abort();
    memset(erased, 0xFF, BOARD_FLASH_SIZE);
    bool ok = write(fd, erased, BOARD_FLASH_SIZE) == BOARD_FLASH_SIZE;
    free(erased);
    return ok || io_error(path, diag);
}

uint8_t *image_open(const char *path, struct diag *diag) {
    int fd = -1, flags = MAP_PRIVATE | MAP_ANONYMOUS;

    if (path) {
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0)
            return io_error(path, diag);
        flags = MAP_SHARED;
        if (!prepare(fd, path, diag)) {
            close(fd);
            return NULL;
        }
    }
    uint8_t *flash = mmap(NULL, BOARD_FLASH_SIZE, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (fd >= 0)
        close(fd);
    if (flash == MAP_FAILED)
        return io_error(path ? path : "the flash", diag);
    if (!path)
        memset(flash, 0xFF, BOARD_FLASH_SIZE);
    return flash;
}

void image_close(uint8_t *flash) {
    if (flash)
        munmap(flash, BOARD_FLASH_SIZE);
}

static bool refuse(const char *path, struct diag *diag, const char *mend, const char *text) {
    struct diag_loc loc = DIAG_OBJECT(path);
    return diag_error(diag, DIAG_ELF, &loc, mend, "%s", text);
}

static bool load_segment(uint8_t *flash, const GElf_Phdr *p, const uint8_t *file, size_t size) {
    uint64_t offset = p->p_paddr - FLASH_BASE;

    if (p->p_offset > size || p->p_filesz > size - p->p_offset)
        return false;
    if (p->p_paddr < FLASH_BASE || offset > BOARD_FLASH_SIZE ||
        p->p_filesz > BOARD_FLASH_SIZE - offset)
        return false;
    memcpy(flash + offset, file + p->p_offset, p->p_filesz);
    return true;
}

static bool load(uint8_t *flash, Elf *elf, const char *path, const uint8_t *file, size_t size,
                 struct diag *diag) {
    GElf_Ehdr header;
    GElf_Phdr p;
    bool any = false;

    if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header) ||
        header.e_machine != EM_ARM || header.e_type != ET_EXEC)
        return refuse(path, diag, "make firmware builds build/firmware/stm32f407.elf",
                      "this is not an ARM executable");
    for (int i = 0; gelf_getphdr(elf, i, &p); i++) {
        if (p.p_type != PT_LOAD || p.p_filesz == 0)
            continue;
        if (!load_segment(flash, &p, file, size))
            return refuse(path, diag, "link it for 0x08000000 to 0x080fffff",
                          "a segment does not lie in the board's flash");
        any = true;
    }
    return any || refuse(path, diag, NULL, "it has nothing to load");
}

bool image_load(uint8_t *flash, const char *path, struct arena *arena, struct diag *diag) {
    uint8_t *file;
    size_t size;

    if (!file_read(path, FILE_SIZE_LIMIT, arena, &file, &size, diag))
        return false;
    elf_version(EV_CURRENT);
    Elf *elf = elf_memory((char *)file, size);
    bool ok = load(flash, elf, path, file, size, diag);
    elf_end(elf);
    return ok;
}

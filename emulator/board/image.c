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
    diag_error(diag, DIAG_IO, NULL, "the flash is kept in a file that can be written and mapped",
               "%s: %s", path, strerror(errno));
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

/* The two words that a reset loads: an erased flash has neither stack nor code. */
bool image_is_blank(const uint8_t *flash) {
    static const uint8_t erased[8] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

    return memcmp(flash, erased, sizeof(erased)) == 0;
}

void image_close(uint8_t *flash) {
    if (flash)
        munmap(flash, BOARD_FLASH_SIZE);
}

static bool refuse(const char *path, struct diag *diag, const char *mend, const char *text) {
    struct diag_loc loc = DIAG_OBJECT(path);
    return diag_error(diag, DIAG_ELF, &loc, mend, "%s", text);
}

static bool is_loaded(const GElf_Phdr *p) {
    return p->p_type == PT_LOAD && p->p_filesz != 0;
}

/* NULL, or what is wrong with a segment; *mend is then what helps. `taken` has a byte for each of the flash, 1 where
 * a segment before this one lies. */
static const char *check_segment(const GElf_Phdr *p, size_t size, uint8_t *taken,
                                 const char **mend) {
    if (p->p_offset > size || p->p_filesz > size - p->p_offset) {
        *mend = "build or copy it again";
        return "the file is cut off";
    }
    *mend = "link it for 0x08000000 to 0x080fffff";
    if (p->p_paddr < FLASH_BASE || p->p_paddr - FLASH_BASE > BOARD_FLASH_SIZE ||
        p->p_filesz > BOARD_FLASH_SIZE - (p->p_paddr - FLASH_BASE))
        return "a segment does not lie in the board's flash";
    uint8_t *place = taken + (p->p_paddr - FLASH_BASE);
    if (memchr(place, 1, p->p_filesz))
        return "two segments lie at the same place";
    memset(place, 1, p->p_filesz);
    return NULL;
}

/* Nothing is written before all segments have been looked at: the flash may outlive the run. */
static bool load(uint8_t *flash, Elf *elf, const char *path, const uint8_t *file, size_t size,
                 struct arena *arena, struct diag *diag) {
    const char *mend = "make firmware builds build/firmware/stm32f407.elf", *wrong;
    uint8_t *taken = arena_alloc(arena, BOARD_FLASH_SIZE);
    GElf_Ehdr header;
    GElf_Phdr p;
    bool any = false;

    if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header) ||
        header.e_machine != EM_ARM || header.e_type != ET_EXEC)
        return refuse(path, diag, mend, "this is not an ARM executable");
    for (int i = 0; gelf_getphdr(elf, i, &p); i++) {
        if (!is_loaded(&p))
            continue;
        wrong = check_segment(&p, size, taken, &mend);
        if (wrong)
            return refuse(path, diag, mend, wrong);
        any = true;
    }
    if (!any)
        return refuse(path, diag, mend, "it has nothing to load, or is cut off");
    for (int i = 0; gelf_getphdr(elf, i, &p); i++)
        if (is_loaded(&p))
            memcpy(flash + (p.p_paddr - FLASH_BASE), file + p.p_offset, p.p_filesz);
    return true;
}

bool image_load(uint8_t *flash, const char *path, struct arena *arena, struct diag *diag) {
    uint8_t *file;
    size_t size;

    if (!file_read(path, FILE_SIZE_LIMIT, arena, &file, &size, diag))
        return false;
    elf_version(EV_CURRENT);
    Elf *elf = elf_memory((char *)file, size);
    bool ok = load(flash, elf, path, file, size, arena, diag);
    elf_end(elf);
    return ok;
}

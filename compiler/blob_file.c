/* SPDX-License-Identifier: MIT */
/*
 * Blobs as input. blob_parse() checks what instantiation and execution rely on; what instructions of the
 * bytecode refer to is checked here, because a listing follows it.
 */
#include "blob_file.h"

#include <elf.h>
#include <string.h>

bool blob_is_meant(const uint8_t *bytes, size_t size, const char *path, bool asked) {
    static const char name[] = ".blob";
    size_t length = strlen(path);
    uint32_t magic = BLOB_MAGIC;

    if (size >= sizeof(magic) && memcmp(bytes, &magic, sizeof(magic)) == 0)
        return true;
    if (size >= SELFMAG && memcmp(bytes, ELFMAG, SELFMAG) == 0)
        return false;
    return asked || (length >= strlen(name) && strcmp(path + length - strlen(name), name) == 0);
}

bool blob_check(const uint8_t *bytes, size_t size, const char *path, struct blob *out,
                struct diag *diag) {
    const struct diag_loc loc = DIAG_OBJECT(path);
    uint32_t where;
    enum bpf_status status = blob_parse(bytes, size, out, &where);
    if (status == BPF_OK)
        return true;
    const char *mend = status == BPF_BLOB_MAGIC ? "give a blob that `bpf2thumb compile` wrote"
                                                : "compile it again with this version of bpf2thumb";
    return diag_error(diag, DIAG_BLOB, &loc, mend, "%s (at offset %u)", bpf_status_text(status),
                      where);
}

/* A name for listings, without control characters. */
static const char *name_of(struct arena *arena, const struct blob *blob, uint32_t off) {
    char *text = arena_strdup(arena, blob_string(blob, off));
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    return text;
}

static bool read_funcs(struct program *p, const struct blob *blob) {
    uint32_t next = 0;
    p->nfuncs = blob->header->funcs.count;
    p->funcs = arena_alloc_array(p->arena, p->nfuncs, sizeof(*p->funcs));
    for (uint32_t i = 0; i < p->nfuncs; i++) {
        const struct blob_func *f = &blob->funcs[i];
        if (f->start != next)
            return false;
        p->funcs[i] = (struct prog_func){.name = name_of(p->arena, blob, f->name),
                                         .section = "",
                                         .start = f->start,
                                         .len = f->len,
                                         .entry = -1,
                                         .elf_insn = f->start};
        next += f->len;
    }
    return next == p->ninsns;
}

static void read_names(struct program *p, const struct blob *blob) {
    p->nmaps = blob->header->maps.count;
    p->maps = arena_alloc_array(p->arena, p->nmaps, sizeof(*p->maps));
    for (uint32_t i = 0; i < p->nmaps; i++)
        p->maps[i].name = name_of(p->arena, blob, blob->maps[i].name);
    p->ndatas = blob->header->datas.count;
    p->datas = arena_alloc_array(p->arena, p->ndatas, sizeof(*p->datas));
    for (uint32_t i = 0; i < p->ndatas; i++)
        p->datas[i].name = name_of(p->arena, blob, blob->datas[i].name);
}

static bool refers_to_something(const struct program *p, uint32_t slot) {
    const struct bpf_decoded *d = &p->decoded[slot];
    uint32_t index = (uint32_t)d->imm;
    if (d->op == BPF_CALL_LOCAL)
        return (int64_t)slot + d->target >= 0 && (int64_t)slot + d->target < p->ninsns;
    if (d->op != BPF_LDDW)
        return true;
    switch (d->pseudo) {
    case BPF_PSEUDO_MAP: return index < p->nmaps;
    case BPF_PSEUDO_DATA: return index < p->ndatas;
    case BPF_PSEUDO_FUNC: return index < p->nfuncs;
    default: return true;
    }
}

struct program *blob_program(struct arena *arena, const struct blob *blob, const char *path,
                             struct diag *diag) {
    const struct diag_loc loc = DIAG_OBJECT(path);
    struct program *p = arena_alloc(arena, sizeof(*p));
    p->arena = arena;
    p->file = path;
    p->ninsns = blob->header->bytecode.count;
    p->insns = (struct bpf_insn *)blob->bytecode;
    if (!p->ninsns) {
        diag_error(diag, DIAG_BLOB, &loc, "compile it with --with-bytecode, or dump its object",
                   "the blob has no bytecode");
        return NULL;
    }
    if (!read_funcs(p, blob)) {
        diag_error(diag, DIAG_BLOB, &loc, NULL, "the blob has bytecode outside its functions");
        return NULL;
    }
    read_names(p, blob);
    if (!program_decode(p, diag))
        return NULL;
    for (uint32_t i = 0; i < p->ninsns; i++)
        if (p->decoded[i].len && !refers_to_something(p, i)) {
            diag_error(diag, DIAG_BLOB, &loc, NULL,
                       "instruction %u refers to something that does not exist", i);
            return NULL;
        }
    return p;
}

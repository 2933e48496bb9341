/* SPDX-License-Identifier: MIT */
/* Blobs for tests of the runtime: see guest.h. */
#include "runtime/guest.h"

#include "asm/asm.h"
#include "bpf/map.h"

#include <stdlib.h>
#include <string.h>

static void need(struct guest *g, bool ok) {
    if (ok)
        return;
    diag_print(g->diag, stderr, false);
    abort();
}

static struct bpf_insn *insns_of(struct guest *g, const char *text, uint32_t *count) {
    struct bpf_insn *insns;
    need(g, asm_parse(g->arena, text, "test", &insns, count, g->diag));
    return insns;
}

static bool is_table_reference(const struct bpf_insn *insn) {
    unsigned src = insn->regs >> 4;
    return insn->opcode == 0x18 && (src == BPF_PSEUDO_MAP || src == BPF_PSEUDO_DATA);
}

static void add_maps(struct program *p, const struct guest_spec *spec) {
    p->maps = arena_alloc_array(p->arena, spec->nmaps + 1, sizeof(*p->maps));
    p->nmaps = spec->nmaps;
    for (uint32_t i = 0; i < spec->nmaps; i++) {
        struct prog_map *m = &p->maps[i];
        *m = spec->maps[i];
        m->name = arena_printf(p->arena, "map%u", i);
        m->bytes =
            bpf_map_bytes(m->type, m->key_size, m->value_size, m->max_entries, m->map_flags, NULL);
    }
}

static void add_tables(struct program *p, const struct guest_spec *spec) {
    add_maps(p, spec);
    p->datas = arena_alloc_array(p->arena, spec->ndatas + 1, sizeof(*p->datas));
    p->ndatas = spec->ndatas;
    for (uint32_t i = 0; i < spec->ndatas; i++)
        p->datas[i] = spec->datas[i];
    p->relocs = arena_alloc_array(p->arena, spec->nrelocs + 1, sizeof(*p->relocs));
    p->nrelocs = spec->nrelocs;
    for (uint32_t i = 0; i < spec->nrelocs; i++)
        p->relocs[i] = spec->relocs[i];
    if (!spec->entries)
        return;
    p->entries = arena_alloc_array(p->arena, spec->nentries, sizeof(*p->entries));
    p->nentries = spec->nentries;
    for (uint32_t i = 0; i < p->nfuncs; i++)
        p->funcs[i].entry = -1;
    for (uint32_t i = 0; i < spec->nentries; i++) {
        p->entries[i] = (struct prog_entry){.name = arena_printf(p->arena, "entry%u", i),
                                            .section = "raw",
                                            .func = spec->entries[i],
                                            .hook = BPF_HOOK_RAW,
                                            .ctx_size = spec->mem_size};
        p->funcs[spec->entries[i]].entry = (int32_t)i;
    }
}

/* Bare instructions have no tables to refer to: what refers to them comes back once there are some. */
static struct program *make_program(struct guest *g, const struct guest_spec *spec) {
    uint32_t count;
    struct bpf_insn *insns = insns_of(g, spec->text, &count);
    struct bpf_insn *bare = arena_alloc_array(g->arena, count, sizeof(*bare));
    memcpy(bare, insns, count * sizeof(*bare));
    for (uint32_t i = 0; i < count; i++)
        if (is_table_reference(&insns[i]))
            bare[i].regs &= 15;
    struct program *p = program_from_insns(g->arena, "test", bare, count, spec->mem_size, g->diag);
    need(g, p);
    for (uint32_t i = 0; i < count; i++)
        if (is_table_reference(&insns[i]))
            p->insns[i].regs = insns[i].regs;
    add_tables(p, spec);
    need(g, program_decode(p, g->diag));
    return p;
}

struct guest *guest_new(const struct guest_spec *spec, const struct compile_options *options) {
    struct arena *arena = arena_new();
    struct guest *g = arena_alloc(arena, sizeof(*g));
    struct compile_options with_bytecode = *options;
    g->arena = arena;
    g->diag = diag_new();
    with_bytecode.bytecode = true;
    g->prog = make_program(g, spec);
    need(g, compile_program(g->prog, &with_bytecode, &g->compiled, g->diag));
    return g;
}

void guest_free(struct guest *g) {
    if (!g)
        return;
    bpf_host_free(g->host);
    diag_free(g->diag);
    arena_free(g->arena);
}

struct blob_header *guest_header(struct guest *g) {
    return (struct blob_header *)(void *)g->compiled.blob;
}

struct bpf_insn *guest_bytecode(struct guest *g) {
    return (struct bpf_insn *)(void *)(g->compiled.blob + guest_header(g)->bytecode.off);
}

void guest_patch(struct guest *g, uint32_t at, const char *text) {
    uint32_t count;
    const struct bpf_insn *insns = insns_of(g, text, &count);
    need(g, at + count <= guest_header(g)->bytecode.count);
    memcpy(guest_bytecode(g) + at, insns, count * sizeof(*insns));
}

void guest_seal(uint8_t *blob, uint32_t size) {
    struct blob_header *h = (struct blob_header *)(void *)blob;
    h->crc = 0;
    h->crc = bpf_crc32(0, blob, size);
}

enum bpf_status guest_start(struct guest *g) {
    enum bpf_status status;
    guest_seal(g->compiled.blob, g->compiled.blob_size);
    bpf_host_free(g->host);
    g->host = bpf_host_new(g->compiled.blob, g->compiled.blob_size, &status);
    return status;
}

struct bpf_map *guest_map(const struct guest *g, uint32_t index) {
    const struct bpf_vm *vm = bpf_host_vm(g->host);
    return (struct bpf_map *)(void *)((uint8_t *)vm->arena + vm->blob->maps[index].off);
}

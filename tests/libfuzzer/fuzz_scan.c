/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: a blob through the parser and the scan of its code. Where both say that it is good, control is
 * followed from every entry, by direct branches and by what comes next: it must meet nothing but instructions
 * that the compiler emits, each always under the same IT, and no SVC. The decoder is the compiler's. With
 * little scratch memory the answer is the same.
 */
#include "bpf/scan.h"
#include "libfuzzer/target.h"
#include "thumb2/encoding.h"

#include <stdlib.h>
#include <string.h>

enum { UNSEEN, FOLLOWED = 0x100 }; /* plus the IT state */

struct follower {
    const uint8_t *code;
    uint32_t size;
    uint16_t *seen; /* by halfword */
    uint32_t *todo; /* addresses, all outside of IT blocks */
    uint32_t count;
};

static void require(bool condition) {
    if (!condition)
        abort();
}

static void land(struct follower *f, uint32_t addr) {
    require(addr % 2 == 0 && addr < f->size);
    if (f->seen[addr / 2] == UNSEEN) {
        f->seen[addr / 2] = FOLLOWED;
        f->todo[f->count++] = addr;
    }
    require(f->seen[addr / 2] == FOLLOWED); /* not under IT */
}

static bool ends(enum t2_enc enc, const struct t2_fields *f, uint8_t it) {
    enum t2_op op = t2_row(enc)->op;
    return !it && (op == T2_OP_UDF || op == T2_OP_BX || (op == T2_OP_B && f->cond == T2_AL) ||
                   (op == T2_OP_LDMIA && f->reglist >> T2_PC & 1));
}

static void look(struct follower *f, uint32_t addr, enum t2_enc enc,
                 const struct t2_fields *fields) {
    enum t2_op op = t2_row(enc)->op;
    require(!(t2_row(enc)->rules & T2_RULE_UNUSED) && op != T2_OP_SVC && op != T2_OP_BKPT);
    if (op == T2_OP_B || op == T2_OP_BL || op == T2_OP_CBZ || op == T2_OP_CBNZ)
        land(f, addr + 4 + (uint32_t)fields->imm);
    else if (t2_regs_written(enc, fields) >> T2_PC & 1)
        require(op == T2_OP_BX || op == T2_OP_BLX || op == T2_OP_LDMIA);
}

/* From a landing to what goes no further. */
static void follow(struct follower *f, uint32_t addr) {
    uint8_t it = 0;
    for (;;) {
        uint16_t code[2] = {0};
        enum t2_enc enc;
        struct t2_fields fields;
        unsigned len;
        require(addr < f->size);
        memcpy(code, f->code + addr, f->size - addr < 4 ? f->size - addr : 4);
        require(t2_decode(code, (f->size - addr) / 2, it, &enc, &fields, &len));
        look(f, addr, enc, &fields);
        if (ends(enc, &fields, it))
            return;
        it = enc == T2_IT_T1 ? t2_it_start(&fields) : t2_it_next(it);
        addr += 2 * len;
        require(addr < f->size);
        if (f->seen[addr / 2] != UNSEEN) {
            require(f->seen[addr / 2] == (FOLLOWED | it));
            return;
        }
        f->seen[addr / 2] = FOLLOWED | it;
    }
}

static void follow_all(const struct blob *blob) {
    struct follower f = {.code = blob->code, .size = blob->header->code.count};
    f.seen = calloc(f.size / 2 + 1, sizeof(*f.seen));
    f.todo = calloc(f.size / 2 + 1, sizeof(*f.todo));
    for (uint32_t i = 0; i < blob->header->programs.count; i++)
        land(&f, blob->programs[i].entry);
    for (uint32_t i = 0; i < blob->header->funcs.count; i++)
        if (blob->funcs[i].entry != BLOB_NONE)
            land(&f, blob->funcs[i].entry);
    while (f.count)
        follow(&f, f.todo[--f.count]);
    free(f.seen);
    free(f.todo);
}

static void scan(const struct blob *blob, size_t size) {
    uint8_t scratch[BPF_SCAN_SCRATCH_MAX];
    uint32_t where, other;
    enum bpf_status status = bpf_scan(blob, scratch, sizeof(scratch), &where);
    require(where < size);
    require(bpf_scan(blob, scratch, 1 + size % 37, &other) == status);
    if (status == BPF_OK && blob->header->code.count)
        follow_all(blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct blob blob;
    uint32_t where;
    uint8_t *copy; /* of its exact size, and aligned as flash is */

    size &= ~(size_t)7;
    if (size < sizeof(struct blob_header) || posix_memalign((void **)&copy, 8, size))
        return 0;
    memcpy(copy, bytes, size);
    target_seal(copy, size);
    if (blob_parse(copy, size, &blob, &where) == BPF_OK)
        scan(&blob, size);
    free(copy);
    return 0;
}

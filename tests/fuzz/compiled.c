/* SPDX-License-Identifier: MIT */
/*
 * Random programs, interpreter against compiled code: for each seed a program (tests/ir/random.h) runs on
 * the native interpreter, on the interpreter for Cortex-M4 and as compiled code at every level; result
 * and context must be the same. A program that makes a difference is shrunk and printed: it becomes a
 * conformance vector or a test of the pass at fault.
 *
 *     fuzz-compiled FIRST COUNT
 */
#include "asm/asm.h"
#include "bpf/host.h"
#include "compile.h"
#include "ir/random.h"
#include "load.h"
#include "program/program.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET 2000000 /* instructions of the interpreter; cycles are 64 times that */

#define MEMORY_MAX 4096 /* of maps and writable data */

struct outcome {
    enum bpf_status status;
    uint64_t r0;
    uint8_t context[RANDOM_CTX_SIZE];
    uint8_t memory[MEMORY_MAX]; /* maps and data, one after another */
};

static bool same(const struct outcome *a, const struct outcome *b) {
    return a->status == b->status &&
           (a->status != BPF_OK ||
            (a->r0 == b->r0 && memcmp(a->context, b->context, sizeof(a->context)) == 0 &&
             memcmp(a->memory, b->memory, sizeof(a->memory)) == 0));
}

/* Copies what a program left in its maps and data. `context` lies in the arena. */
static void copy_memory(struct outcome *out, const struct compile_result *r,
                        const uint8_t *context) {
    struct blob blob;
    uint32_t where, n = 0;
    if (blob_parse(r->blob, r->blob_size, &blob, &where) != BPF_OK)
        abort();
    const uint8_t *arena = context - blob.header->ctx_off;
    for (uint32_t i = 0; i < blob.header->maps.count; n += blob.maps[i++].size)
        memcpy(out->memory + n, arena + blob.maps[i].off, blob.maps[i].size);
    for (uint32_t i = 0; i < blob.header->datas.count; i++)
        if (blob.datas[i].flags & BLOB_DATA_ARENA) {
            memcpy(out->memory + n, arena + blob.datas[i].off, blob.datas[i].size);
            n += blob.datas[i].size;
        }
    assert(n <= MEMORY_MAX);
}

static struct outcome run_native(const struct compile_result *r, const uint8_t *context) {
    struct outcome out = {0};
    struct bpf_host *host = bpf_host_new(r->blob, r->blob_size, &out.status);
    if (!host)
        return out;
    bpf_host_set_budget(host, BUDGET);
    out.status = bpf_host_run(host, 0, context, RANDOM_CTX_SIZE, &out.r0);
    memcpy(out.context, bpf_host_context(host), sizeof(out.context));
    copy_memory(&out, r, bpf_host_context(host));
    bpf_host_free(host);
    return out;
}

static struct outcome run_machine(struct machine *m, const struct compile_result *r,
                                  enum bpf_engine engine, const uint8_t *context) {
    struct outcome out = {0};
    struct loaded loaded;
    struct machine_result result;
    uint32_t where;
    out.status = load_blob(m, r->blob, r->blob_size, engine, &loaded, &where);
    if (out.status != BPF_OK)
        return out;
    machine_set_budget(m, (uint64_t)BUDGET * 64);
    load_run(&loaded, 0, context, RANDOM_CTX_SIZE, &result);
    out.status = result.status;
    out.r0 = result.r0;
    memcpy(out.context, loaded.context, sizeof(out.context));
    copy_memory(&out, r, loaded.context);
    return out;
}

/* Programs may store the address of their context: it has to be the same in all engines, so all get
 * the same room for the stack. */
static void same_layout(struct compile_result *r) {
    struct blob_header *h = (struct blob_header *)(void *)r->blob;
    h->stack_thumb = h->stack_interp = 8192;
    h->crc = 0;
    h->crc = bpf_crc32(0, r->blob, r->blob_size);
}

static const char *const levels[] = {"0", "1", "2", "s"};

enum verdict { SAME, DIFFERENT, REFUSED, FAULTS };

/* A program under test, and the first difference between engines. */
struct subject {
    struct bpf_insn insns[RANDOM_MAX_INSNS];
    uint32_t count;
    unsigned flags; /* enum random_flags */
    uint8_t context[RANDOM_CTX_SIZE];
    const char *engine; /* the one that differs from the native interpreter */
    struct outcome expected, got;
};

static bool note(struct subject *s, const char *engine, const struct outcome *got) {
    if (same(&s->expected, got))
        return false;
    s->engine = engine;
    s->got = *got;
    return true;
}

static enum verdict run_level(struct machine *m, struct subject *s, const struct program *prog,
                              unsigned level, struct diag *diag) {
    static const char *const names[] = {"compiled, -O0", "compiled, -O1", "compiled, -O2",
                                        "compiled, -Os"};
    struct compile_options options = {.bytecode = true, .check_passes = true};
    struct compile_result result;
    struct outcome got;
    compile_level(levels[level], &options);
    if (!compile_program(prog, &options, &result, diag))
        return REFUSED;
    same_layout(&result);
    /* From the same blob: where maps lie, and so what their addresses are, depends on the level. */
    s->expected = run_native(&result, s->context);
    if (s->expected.status != BPF_OK)
        return FAULTS; /* what a fault leaves behind depends on the engine */
    if (level == 0) {
        got = run_machine(m, &result, BPF_ENGINE_INTERP, s->context);
        if (note(s, "interpreter, Cortex-M4", &got))
            return DIFFERENT;
    }
    got = run_machine(m, &result, BPF_ENGINE_THUMB, s->context);
    return note(s, names[level], &got) ? DIFFERENT : SAME;
}

static enum verdict run_all(struct machine *m, struct subject *s) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    struct program *prog =
        program_from_insns(arena, "random", s->insns, s->count, RANDOM_CTX_SIZE, diag);
    enum verdict verdict = prog ? SAME : REFUSED;
    if (prog && s->flags & RANDOM_MAPS)
        random_attach(prog);
    for (unsigned level = 0; verdict == SAME && level < 4; level++)
        verdict = run_level(m, s, prog, level, diag);
    diag_free(diag);
    arena_free(arena);
    return verdict;
}

/* ---------------------------------------------------------------------------------------- shrinking */

/* What a smaller program needs as well, or it would read what nobody wrote, which engines may differ in: the
 * stores that fill the stack, and the offset of an address there. */
static bool is_kept(const struct bpf_insn *insns, uint32_t i) {
    const struct bpf_insn *insn = &insns[i];
    bool fills = insn->opcode == 0x7a && (insn->regs & 15) == BPF_R10;
    bool offsets = i > 0 && insn->opcode == 0x07 && insns[i - 1].opcode == 0xbf &&
                   insns[i - 1].regs == (BPF_R10 << 4 | (insn->regs & 15));
    return fills || offsets;
}

/* Replaces one instruction after another by `ja +0` while a difference stays. */
static void shrink(struct machine *m, struct subject *s) {
    const struct bpf_insn nop = {.opcode = 0x05};
    for (bool smaller = true; smaller;) {
        smaller = false;
        for (uint32_t i = 0; i < s->count; i++) {
            struct bpf_insn old[2] = {s->insns[i], s->insns[i + 1 < s->count ? i + 1 : i]};
            bool wide = old[0].opcode == 0x18;
            if (memcmp(&old[0], &nop, sizeof(nop)) == 0 || is_kept(s->insns, i))
                continue;
            s->insns[i] = nop;
            if (wide)
                s->insns[i + 1] = nop;
            if (run_all(m, s) == DIFFERENT) {
                smaller = true;
                continue;
            }
            s->insns[i] = old[0];
            if (wide)
                s->insns[i + 1] = old[1];
        }
    }
    run_all(m, s);
}

/* The program as assembler text; `ja +0` that nobody needs are left in, so that offsets hold. */
static void print_subject(const struct subject *s, uint64_t seed) {
    printf("seed %llu: %s: status %d, r0 0x%llx; native interpreter: r0 0x%llx\n",
           (unsigned long long)seed, s->engine, s->got.status, (unsigned long long)s->got.r0,
           (unsigned long long)s->expected.r0);
    for (unsigned i = 0; i < RANDOM_CTX_SIZE; i++)
        if (s->got.status == BPF_OK && s->got.context[i] != s->expected.context[i])
            printf("  context[%u] = 0x%02x, 0x%02x expected\n", i, s->got.context[i],
                   s->expected.context[i]);
    for (uint32_t i = 0; i < s->count; i++) {
        struct bpf_decoded d;
        char text[ASM_PRINT_SIZE];
        if (bpf_decode(&s->insns[i], s->count - i, &d) != BPF_DECODE_OK)
            continue;
        asm_print(&d, text, sizeof(text));
        if (s->insns[i].opcode != 0x05 || s->insns[i].off)
            printf("  %4u  %s\n", i, text);
    }
}

/* ------------------------------------------------------------------------------------------- driver */

struct tally {
    unsigned refused, faults; /* programs that say nothing about engines */
};

static bool check_seed(struct machine *m, uint64_t seed, struct tally *tally) {
    static struct subject s;
    s.flags = seed % 2 ? RANDOM_MAPS | (unsigned)(seed / 2 % 4 * 2) : (unsigned)(seed / 2 % 8);
    s.count = random_program(seed, s.flags, s.insns);
    for (unsigned i = 0; i < sizeof(s.context); i++)
        s.context[i] = (uint8_t)((seed * 0x9e3779b97f4a7c15ull >> 17) * (i + 1) >> 3);
    switch (run_all(m, &s)) {
    case SAME: return true;
    case REFUSED: tally->refused++; return true;
    case FAULTS: tally->faults++; return true;
    default: break;
    }
    if (!getenv("NOSHRINK"))
        shrink(m, &s);
    print_subject(&s, seed);
    return false;
}

/* Helpers behind SVC return 0, as they do on the host without devices. */
static enum bpf_status device(void *user, struct machine *m, uint32_t helper, uint64_t *r0,
                              unsigned *cycles) {
    (void)user, (void)m, (void)helper;
    *r0 = 0;
    *cycles = 1;
    return BPF_OK;
}

/* A new machine now and then: Unicorn 2.0.1 crashed after some ten thousand programs in one engine. */
static struct machine *fresh_machine(struct machine *old) {
    machine_free(old);
    struct machine *m = machine_new();
    load_library(m);
    machine_set_svc(m, device, NULL);
    return m;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: fuzz-compiled FIRST COUNT\n");
        return 2;
    }
    uint64_t first = strtoull(argv[1], NULL, 0), count = strtoull(argv[2], NULL, 0);
    struct machine *m = fresh_machine(NULL);
    unsigned failed = 0;
    struct tally tally = {0};
    for (uint64_t seed = first; seed < first + count; seed++) {
        if (!check_seed(m, seed, &tally) && ++failed == 3)
            break;
        if ((seed - first) % 1000 == 999) {
            m = fresh_machine(m);
            fprintf(stderr, "%llu programs, %u differences\n",
                    (unsigned long long)(seed - first + 1), failed);
        }
    }
    machine_free(m);
    printf("  %llu programs, of which %u are refused and %u stop with a fault\n",
           (unsigned long long)count, tally.refused, tally.faults);
    printf("%llu passed, %u failed\n", (unsigned long long)(count - failed), failed);
    /* a generator that makes mostly programs without a result tests nothing */
    return failed || (tally.refused + tally.faults) * 5ull > count;
}

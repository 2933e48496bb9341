/* SPDX-License-Identifier: MIT */
/*
 * Random programs, interpreter against compiled code: for each seed a program (tests/ir/random.h) runs on
 * the native interpreter, on the interpreter for Cortex-M4 and as compiled code at every level; result
 * and context must be the same. A program that makes a difference is shrunk and printed.
 * The program that shows it is left as a file; copied to tests/fuzz/found it is a test. --help says more.
 */
#include "asm/asm.h"
#include "bpf/host.h"
#include "compile.h"
#include "fuzz/coverage.h"
#include "fuzz/jobs.h"
#include "ir/random.h"
#include "load.h"
#include "program/program.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUDGET 2000000 /* instructions of the interpreter; cycles are 64 times that */

#define STACK_ROOM 8192

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
static void same_layout(struct compile_result *r, uint32_t stack) {
    struct blob_header *h = (struct blob_header *)(void *)r->blob;
    h->stack_thumb = h->stack_interp = stack;
    h->crc = 0;
    h->crc = bpf_crc32(0, r->blob, r->blob_size);
}

static const char *const levels[] = {"0", "1", "2", "s", "2"};
#define LEVELS 5
#define WITH_FACTS                                                                                 \
    4 /* the last one again, with what the verifier proves, where it accepts the program */

enum verdict { SAME, DIFFERENT, REFUSED, FAULTS };

/* A program under test, and the first difference between engines. */
struct subject {
    struct bpf_insn insns[RANDOM_MAX_INSNS];
    uint32_t count;
    unsigned flags; /* enum random_flags */
    uint8_t context[RANDOM_CTX_SIZE];
    bool verified;      /* it also ran with facts */
    const char *engine; /* the one that differs from the native interpreter */
    struct outcome expected, got;
};

/* For the test of this program: compiled code of what has this instruction gives another result. */
static bool injected_error;
#define INJECTED 0x2f /* mul %rX, %rY */

static void inject(const struct subject *s, struct outcome *out) {
    for (uint32_t i = 0; injected_error && i < s->count; i += s->insns[i].opcode == 0x18 ? 2 : 1)
        if (s->insns[i].opcode == INJECTED) {
            out->r0 ^= 1;
            return;
        }
}

static bool note(struct subject *s, const char *engine, const struct outcome *got) {
    if (same(&s->expected, got))
        return false;
    s->engine = engine;
    s->got = *got;
    return true;
}

/* Coverage is measured on some of the programs: the dump takes longer than all the rest. */
static bool measured;
static char *dumped;
static size_t dumped_size;

static void dump_final(struct compile_options *options) {
    options->dump_pass = "final";
    options->dump = open_memstream(&dumped, &dumped_size);
}

static void cover(const struct compile_result *result) {
    struct blob blob;
    uint32_t where;
    if (measured && blob_parse(result->blob, result->blob_size, &blob, &where) == BPF_OK)
        coverage_code(&blob);
}

static void cover_dump(const struct compile_options *options) {
    if (!options->dump)
        return;
    fclose(options->dump);
    coverage_ir(dumped);
    free(dumped);
}

/* A program that is being shrunk may come to tell addresses, which are not the same everywhere: then its
 * result depends on where the arena lies. */
static bool shrinking;

static bool tells_addresses(const struct subject *s, struct compile_result *r) {
    same_layout(r, STACK_ROOM / 2);
    struct outcome moved = run_native(r, s->context);
    same_layout(r, STACK_ROOM);
    return !same(&s->expected, &moved);
}

static enum verdict run_level(struct machine *m, struct subject *s, const struct program *prog,
                              unsigned level, struct diag *diag) {
    static const char *const names[] = {"compiled, -O0", "compiled, -O1", "compiled, -O2",
                                        "compiled, -Os", "compiled, -O2 with facts"};
    struct compile_options options = {.bytecode = true, .check_passes = true};
    struct compile_result result;
    struct outcome got;
    compile_level(levels[level], &options);
    options.verify = level == WITH_FACTS ? COMPILE_TRY : COMPILE_UNVERIFIED;
    if (measured && level == 2)
        dump_final(&options);
    bool compiled = compile_program(prog, &options, &result, diag);
    cover_dump(&options);
    if (!compiled)
        return REFUSED;
    s->verified = result.verified;
    if (level == WITH_FACTS && !result.verified)
        return SAME;
    same_layout(&result, STACK_ROOM);
    /* From the same blob: where maps lie, and so what their addresses are, depends on the level. */
    s->expected = run_native(&result, s->context);
    if (s->expected.status != BPF_OK)
        return FAULTS; /* what a fault leaves behind depends on the engine */
    if (shrinking && tells_addresses(s, &result))
        return SAME;
    if (level == 0) {
        got = run_machine(m, &result, BPF_ENGINE_INTERP, s->context);
        if (note(s, "interpreter, Cortex-M4", &got))
            return DIFFERENT;
    }
    got = run_machine(m, &result, BPF_ENGINE_THUMB, s->context);
    inject(s, &got);
    cover(&result);
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
    for (unsigned level = 0; verdict == SAME && level < LEVELS; level++)
        verdict = run_level(m, s, prog, level, diag);
    diag_free(diag);
    arena_free(arena);
    return verdict;
}

/* ---------------------------------------------------------------------------------------- shrinking */

/* What a smaller program needs as well, or it would read what nobody wrote, which engines may differ in: the
 * stores that fill the stack, the offset of an address there, what r1 to r5 get behind a call, and
 * what overwrites a code pointer. */
static bool is_kept(const struct bpf_insn *insns, uint32_t i) {
    const struct bpf_insn *insn = &insns[i];
    uint8_t dst = insn->regs & 15, class = insn->opcode & 7;
    bool fills = insn->opcode == 0x7a && dst == BPF_R10;
    bool offsets = i > 0 && insn->opcode == 0x07 && insns[i - 1].opcode == 0xbf &&
                   insns[i - 1].regs == (BPF_R10 << 4 | dst);
    bool writes = dst >= BPF_R1 && dst <= BPF_R5 && (class == 7 || class == 4 || class == 0);
    bool behind_call = false;
    for (uint32_t k = 1; k <= 10 && k <= i; k++)
        behind_call |= insns[i - k].opcode == 0x85 || insns[i - k].opcode == 0x8d;
    bool behind_pointer =
        i > 1 && insns[i - 2].opcode == 0x18 && insns[i - 2].regs == (4 << 4 | dst);
    return fills || offsets || behind_pointer || (writes && behind_call);
}

/* Replaces one instruction after another by `ja +0` while a difference stays. */
static void shrink(struct machine *m, struct subject *s) {
    const struct bpf_insn nop = {.opcode = 0x05};
    shrinking = true;
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
    shrinking = false;
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

/* ------------------------------------------------------------------------------------------- files */

/* `flags F`, `context HEX`, then an instruction a line: 16 digits, as RFC 9669 encodes it; # starts a comment. */
static void save_subject(const struct subject *s, const char *dir, uint64_t seed) {
    char path[4096];
    snprintf(path, sizeof(path), "%s/seed-%llu.prog", dir, (unsigned long long)seed);
    FILE *out = fopen(path, "w");
    if (!out) {
        fprintf(stderr, "fuzz-compiled: cannot write %s\n", path);
        return;
    }
    fprintf(out, "# %s differs from the interpreter\nflags %u\ncontext ", s->engine, s->flags);
    for (unsigned i = 0; i < sizeof(s->context); i++)
        fprintf(out, "%02x", s->context[i]);
    fputc('\n', out);
    for (uint32_t i = 0; i < s->count; i++) {
        struct bpf_decoded d;
        char text[ASM_PRINT_SIZE] = "";
        uint64_t bits;
        memcpy(&bits, &s->insns[i], sizeof(bits));
        if (bpf_decode(&s->insns[i], s->count - i, &d) == BPF_DECODE_OK)
            asm_print(&d, text, sizeof(text));
        fprintf(out, "%016llx # %u %s\n", (unsigned long long)bits, i, text);
    }
    fclose(out);
    printf("  the program is %s; copy it to tests/fuzz/found to keep it as a test\n", path);
}

static bool load_subject(struct subject *s, const char *path) {
    char line[400];
    FILE *in = fopen(path, "r");
    bool has_context = false;
    s->count = 0;
    while (in && fgets(line, sizeof(line), in)) {
        if (line[0] == '#')
            continue;
        if (sscanf(line, "flags %u", &s->flags) == 1)
            continue;
        if (strncmp(line, "context ", 8) == 0) {
            has_context = strlen(line) >= 8 + 2 * sizeof(s->context);
            for (unsigned i = 0; has_context && i < sizeof(s->context); i++)
                has_context = sscanf(line + 8 + 2 * i, "%2hhx", &s->context[i]) == 1;
            continue;
        }
        uint64_t bits = strtoull(line, NULL, 16);
        if (s->count < RANDOM_MAX_INSNS)
            memcpy(&s->insns[s->count++], &bits, sizeof(bits));
    }
    if (in)
        fclose(in);
    return in && has_context && s->count;
}

/* ------------------------------------------------------------------------------------------- driver */

struct options {
    uint64_t first, count;
    unsigned jobs;
    const char *coverage, *save; /* list; directory for programs that were found */
    bool all;                    /* print all of the coverage */
};

struct tally {
    unsigned done, refused, faults, failed, verified;
};

static void check_seed(struct machine *m, uint64_t seed, const struct options *o,
                       struct tally *tally) {
    static struct subject s;
    s.flags = seed % 2 ? RANDOM_MAPS | (unsigned)(seed / 2 % 4 * 2) : (unsigned)(seed / 2 % 8);
    s.verified = false;
    s.count = random_program(seed, s.flags, s.insns);
    for (unsigned i = 0; i < sizeof(s.context); i++)
        s.context[i] = (uint8_t)((seed * 0x9e3779b97f4a7c15ull >> 17) * (i + 1) >> 3);
    measured = o->coverage && seed % 4 < 2;
    enum verdict verdict = run_all(m, &s);
    measured = false;
    tally->done++;
    tally->refused += verdict == REFUSED;
    tally->verified += s.verified;
    tally->faults += verdict == FAULTS;
    if (verdict != DIFFERENT)
        return;
    tally->failed++;
    shrink(m, &s);
    print_subject(&s, seed);
    save_subject(&s, o->save, seed);
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

/* The run of all jobs: each fills a tally of its own, which are added up in the first process. */
struct run {
    const struct options *options;
    struct tally tally;
};

/* Every jobs-th eight of the seeds, which take kinds of programs in turn; stops at the third difference. */
static void run_job(void *user, unsigned job, FILE *results) {
    const struct options *o = ((struct run *)user)->options;
    struct machine *m = fresh_machine(NULL);
    struct tally tally = {0};
    for (uint64_t i = 0; i < o->count && tally.failed < 3; i++) {
        if (i / 8 % o->jobs != job)
            continue;
        check_seed(m, o->first + i, o, &tally);
        if (tally.done % 1000 == 0) {
            m = fresh_machine(m);
            if (job == 0)
                fprintf(stderr, "%llu of %llu programs\n", (unsigned long long)i + 1,
                        (unsigned long long)o->count);
        }
    }
    machine_free(m);
    fwrite(&tally, sizeof(tally), 1, results);
    coverage_write(results);
}

static bool collect(void *user, FILE *results) {
    struct tally *sum = &((struct run *)user)->tally, t;
    if (fread(&t, sizeof(t), 1, results) != 1 || !coverage_read(results))
        return false;
    sum->done += t.done;
    sum->refused += t.refused;
    sum->verified += t.verified;
    sum->faults += t.faults;
    sum->failed += t.failed;
    return true;
}

static struct tally run_jobs(const struct options *o) {
    struct run run = {.options = o};
    unsigned lost = jobs_run(
        &(struct jobs){.count = o->jobs, .user = &run, .run = run_job, .collect = collect});
    run.tally.failed += lost;
    return run.tally;
}

static int replay(int count, char **paths) {
    static struct subject s;
    struct machine *m = fresh_machine(NULL);
    int failed = 0;
    for (int i = 0; i < count; i++) {
        enum verdict verdict = load_subject(&s, paths[i]) ? run_all(m, &s) : REFUSED;
        if (verdict == SAME || verdict == FAULTS)
            continue;
        failed++;
        printf("FAILED: %s: %s\n", paths[i],
               verdict == DIFFERENT ? s.engine : "no program, or one that is refused");
    }
    machine_free(m);
    printf("%d passed, %d failed\n", count - failed, failed);
    return failed != 0;
}

static const char usage[] =
    "usage: fuzz-compiled [OPTION...] FIRST COUNT\n"
    "       fuzz-compiled --replay FILE...\n"
    "\n"
    "Runs COUNT random programs from seed FIRST on: interpreters against compiled code at every "
    "level.\n"
    "\n"
    "  --jobs N          processes (default 1)\n"
    "  --coverage LIST   count what the programs reach, and hold it against LIST\n"
    "  --all             print all of the coverage, rarest first\n"
    "  --save DIR        where programs that make a difference go (default .)\n"
    "  --inject-error    for the test of the shrinker: programs with `mul` of registers differ\n"
    "  --replay          run programs that were saved\n"
    "\n"
    "Exit status: 0 no difference, most programs ran to their end, and the coverage is as listed.\n"
    "example: fuzz-compiled --jobs 2 --coverage tests/fuzz/coverage.list 1 20000\n";

static bool parse(int argc, char **argv, struct options *o) {
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--jobs") == 0 && more)
            o->jobs = jobs_parse(argv[++i]);
        else if (strcmp(argv[i], "--coverage") == 0 && more)
            o->coverage = argv[++i];
        else if (strcmp(argv[i], "--save") == 0 && more)
            o->save = argv[++i];
        else if (strcmp(argv[i], "--all") == 0)
            o->all = true;
        else if (strcmp(argv[i], "--inject-error") == 0)
            injected_error = true;
        else
            return false;
    }
    if (argc - i != 2 || o->jobs == 0)
        return false;
    o->first = strtoull(argv[i], NULL, 0);
    o->count = strtoull(argv[i + 1], NULL, 0);
    return o->count > 0;
}

/* Hits that a name of the list has to have, of those programs that are measured. */
static uint64_t least_hits(uint64_t count) {
    return count < 20000 ? count / 2000 : 20;
}

int main(int argc, char **argv) {
    struct options o = {.jobs = 1, .save = "."};
    if (argc > 2 && strcmp(argv[1], "--replay") == 0)
        return replay(argc - 2, argv + 2);
    if (!parse(argc, argv, &o)) {
        bool help = argc > 1 && strcmp(argv[1], "--help") == 0;
        fputs(usage, help ? stdout : stderr);
        return help ? 0 : 2;
    }
    struct tally t = run_jobs(&o);
    unsigned good = t.done - t.failed, covered = 0;
    printf("  %u programs, of which %u are refused (%.1f %% accepted) and %u stop with a fault; %u "
           "are "
           "proven safe and ran with facts\n",
           t.done, t.refused, 100.0 * (t.done - t.refused) / (t.done ? t.done : 1), t.faults,
           t.verified);
    if (o.coverage) {
        t.failed += coverage_report(o.coverage, least_hits(o.count), o.all, &covered);
        printf("  coverage: %u operations and encodings\n", covered);
    }
    /* A generator that makes mostly programs without a result tests nothing. */
    if ((t.refused + t.faults) * 5ull > t.done) {
        printf("too many programs are refused or stop with a fault\n");
        t.failed++;
    }
    printf("%u passed, %u failed\n", good + covered, t.failed);
    return t.failed != 0;
}

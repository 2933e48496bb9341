/* SPDX-License-Identifier: MIT */
/*
 * compare-kernel: our verifier's verdicts beside those of this machine's Linux, on files and on random
 * programs. Exit status 1 if they differ and no reason is known (reasons.c), 0 if not, or if Linux lets
 * nobody load programs here.
 */
#include "asm/asm.h"
#include "conformance/data.h"
#include "elf/elf.h"
#include "ir/random.h"
#include "kernel/compare.h"
#include "kernel/generate.h"
#include "util/vec.h"
#include "verifier/case.h"

#include <cjson/cJSON.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LARGE 100 /* instructions: from here on, times are compared */

struct session {
    struct arena *arena; /* of the results */
    VEC(struct comparison) results;
    struct bpf_insn *insns; /* room for a random program */
    const char *print;      /* name of the one program that is printed */
    const char *include;    /* directory of bpf_mcu.h, for cases in C */
    bool all;
};

/* ---- What is compared ---- */

static const char *current; /* name, for when our verifier fails an assertion */

static void name_current(int signal) {
    (void)signal;
    if (write(STDERR_FILENO, current, strlen(current)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
        _exit(3);
}

static void print_program(const struct subject *s) {
    for (uint32_t i = 0; i < s->count; i++) {
        struct bpf_decoded d;
        char text[ASM_PRINT_SIZE] = "?";
        if (bpf_decode(&s->insns[i], s->count - i, &d) == BPF_DECODE_OK)
            asm_print(&d, text, sizeof(text));
        printf("%4u  %s\n", i, text);
        i += d.len == 2;
    }
}

static void add(struct session *session, struct subject *s) {
    if (session->print && strcmp(session->print, s->name) != 0)
        return;
    if (session->print && s->program) {
        s->insns = s->program->insns;
        s->count = s->program->ninsns;
    }
    if (session->print)
        print_program(s);
    s->name = current = arena_strdup(session->arena, s->name);
    vec_push(session->arena, &session->results, compare(session->arena, s));
}

static void add_object(struct session *session, struct arena *arena, const char *path,
                       struct diag *diag) {
    struct program *program;
    struct elf_options options = {0};
    if (!elf_read(path, arena, &options, &program, diag)) {
        diag_print(diag, stdout, false);
        return;
    }
    for (uint32_t i = 0; i < program->nentries; i++) {
        struct subject s = {.program = program, .entry = i, .diag = diag};
        s.name = arena_printf(arena, "%s:%s", path, program->entries[i].name);
        add(session, &s);
    }
}

static void add_vector(struct session *session, struct arena *arena, const char *path,
                       struct diag *diag) {
    struct vector v;
    if (!vector_read(arena, path, &v, diag)) {
        diag_print(diag, stdout, false);
        return;
    }
    struct subject s = {.name = path,
                        .insns = v.insns,
                        .count = v.count,
                        .mem_size = v.mem_len ? v.mem_len : 1,
                        .diag = diag,
                        .runnable = true};
    s.program = program_from_insns(arena, path, v.insns, v.count, s.mem_size, diag);
    add(session, &s);
}

/* The cases of the verifier's own tests. */
static void add_cases(struct session *session, struct arena *arena, const char *path) {
    const struct case_paths paths = {session->include, "/tmp"};
    case_list cases = {0};
    if (!case_read(arena, path, &cases))
        return;
    for (size_t i = 0; i < cases.count; i++) {
        struct diag *diag = diag_new();
        struct subject s = {.diag = diag, .runnable = true};
        s.program = case_build(arena, &cases.items[i], &paths, diag);
        s.name = arena_printf(arena, "%s:%s", path, cases.items[i].name);
        if (s.program)
            add(session, &s);
        diag_free(diag);
    }
}

static void add_file(struct session *session, const char *path) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    const char *end = strrchr(path, '.');
    if (end && strcmp(end, ".o") == 0)
        add_object(session, arena, path, diag);
    else if (end && strcmp(end, ".cases") == 0)
        add_cases(session, arena, path);
    else
        add_vector(session, arena, path, diag);
    diag_free(diag);
    arena_free(arena);
}

/* The kinds of random programs: a name, and who makes and links them. */
static uint32_t make_ir(uint64_t seed, struct bpf_insn *out, uint32_t *mem_size) {
    *mem_size = RANDOM_CTX_SIZE;
    return random_program(seed, seed % 2 ? RANDOM_CALLS : RANDOM_CALLS | RANDOM_MAPS, out);
}

static void attach_ir(struct program *program) {
    if (program->ninsns)
        random_attach(program);
}

static const struct kind {
    const char *name;
    uint32_t (*make)(uint64_t seed, struct bpf_insn *out, uint32_t *mem_size);
    void (*attach)(struct program *program);
} kinds[] = {
    {"generated", generate, generate_attach},
    {"random", make_ir, attach_ir},
};

static void add_random(struct session *session, const struct kind *kind, uint64_t seed) {
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    struct subject s = {.insns = session->insns, .diag = diag, .runnable = true};
    s.name = arena_printf(arena, "%s:%" PRIu64, kind->name, seed);
    s.count = kind->make(seed, session->insns, &s.mem_size);
    struct program *p = program_from_insns(arena, s.name, s.insns, s.count, s.mem_size, diag);
    if (p)
        kind->attach(p);
    s.program = p;
    add(session, &s);
    diag_free(diag);
    arena_free(arena);
}

/* ---- Reports ---- */

static const char *const outcome_names[OUTCOMES] = {
    [BOTH_ACCEPT] = "both accept",
    [BOTH_REFUSE] = "both refuse",
    [ONLY_WE] = "only we accept",
    [ONLY_PRIVILEGED] = "only we and a privileged Linux accept",
    [ONLY_LINUX] = "only Linux accepts",
    [SKIPPED] = "skipped",
};

static bool differs(const struct comparison *c) {
    return (c->outcome != BOTH_ACCEPT && c->outcome != BOTH_REFUSE && c->outcome != SKIPPED) ||
           c->run.status == RUN_FAULT;
}

static bool unexplained(const struct comparison *c) {
    return differs(c) && !c->reason;
}

static const char *run_text(struct arena *arena, const struct comparison *c) {
    switch (c->run.status) {
    case RUN_ENDED: return "runs without a fault";
    case RUN_LONG: return "runs long";
    case RUN_FAULT: return arena_printf(arena, "RUN FAULTS at %u: %s", c->run.slot, c->run.what);
    default: return "not run";
    }
}

static void print_difference(struct arena *arena, const struct comparison *c) {
    printf("  %s: %s; we: %s%s%s; Linux: %s; %s\n", c->name, outcome_names[c->outcome],
           c->ours ? c->category : "accept", c->ours ? " " : "", c->ours ? c->ours : "",
           c->linux_text ? c->linux_text : "accepts", run_text(arena, c));
}

static bool is_random(const struct comparison *c) {
    for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
        if (strncmp(c->name, kinds[k].name, strlen(kinds[k].name)) == 0)
            return true;
    return false;
}

/* Those with the reason of number `first`; of random programs one, unless all are wanted. */
static void print_reason(const struct session *s, size_t first) {
    const struct comparison *r = s->results.items;
    size_t count = 0, random = 0;
    for (size_t i = first; i < s->results.count; i++)
        count += differs(&r[i]) && r[i].reason == r[first].reason;
    printf("%zu: %s\n", count, r[first].reason ? r[first].reason : "NO KNOWN REASON");
    for (size_t i = first; i < s->results.count; i++)
        if (differs(&r[i]) && r[i].reason == r[first].reason &&
            (s->all || !r[first].reason || !is_random(&r[i]) || random++ == 0))
            print_difference(s->arena, &r[i]);
}

static void print_differences(const struct session *s) {
    const struct comparison *r = s->results.items;
    for (size_t i = 0; i < s->results.count; i++) {
        bool seen = !differs(&r[i]);
        for (size_t k = 0; k < i && !seen; k++)
            seen = differs(&r[k]) && r[k].reason == r[i].reason;
        if (!seen)
            print_reason(s, i);
    }
}

static void print_times(const struct session *s) {
    printf("\nprograms of %d and more instructions that we and a privileged Linux accept:\n"
           "%8s %10s %10s %12s  name\n",
           LARGE, "insns", "we, us", "Linux, us", "Linux insns");
    for (size_t i = 0; i < s->results.count; i++) {
        const struct comparison *c = &s->results.items[i];
        if ((c->outcome == BOTH_ACCEPT || c->outcome == ONLY_PRIVILEGED) && c->insns >= LARGE &&
            (s->all || !is_random(c)))
            printf("%8u %10u %10u %12u  %s\n", c->insns, c->our_usec, c->linux_usec, c->processed,
                   c->name);
    }
}

/* Why programs were skipped, each reason once. */
static void print_skipped(const struct session *s) {
    const struct comparison *r = s->results.items;
    for (size_t i = 0; i < s->results.count; i++) {
        size_t count = 0, before = 0;
        for (size_t k = 0; k < s->results.count && r[i].skip; k++)
            if (r[k].skip && strcmp(r[k].skip, r[i].skip) == 0) {
                count++;
                before += k < i;
            }
        if (count && !before)
            printf("%8zu skipped: %s\n", count, r[i].skip);
    }
}

static size_t print_report(const struct session *s) {
    size_t counts[OUTCOMES] = {0}, unknown = 0;
    for (size_t i = 0; i < s->results.count; i++) {
        counts[s->results.items[i].outcome]++;
        unknown += unexplained(&s->results.items[i]);
    }
    print_differences(s);
    print_times(s);
    printf("\n");
    for (int i = 0; i < SKIPPED; i++)
        printf("%8zu %s\n", counts[i], outcome_names[i]);
    print_skipped(s);
    return unknown;
}

static bool write_json(const struct session *s, const char *path) {
    cJSON *root = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(root, "programs");
    for (size_t i = 0; i < s->results.count; i++) {
        const struct comparison *c = &s->results.items[i];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "name", c->name);
        cJSON_AddStringToObject(o, "outcome", outcome_names[c->outcome]);
        const char *const texts[][2] = {{"skipped", c->skip},
                                        {"category", c->category},
                                        {"ours", c->ours},
                                        {"linux", c->linux_text},
                                        {"reason", c->reason}};
        for (size_t k = 0; k < sizeof(texts) / sizeof(*texts); k++)
            if (texts[k][1])
                cJSON_AddStringToObject(o, texts[k][0], texts[k][1]);
        cJSON_AddStringToObject(o, "run", run_text(s->arena, c));
        cJSON_AddNumberToObject(o, "instructions", c->insns);
        cJSON_AddNumberToObject(o, "our_us", c->our_usec);
        cJSON_AddNumberToObject(o, "linux_us", c->linux_usec);
        cJSON_AddNumberToObject(o, "linux_processed", c->processed);
        cJSON_AddItemToArray(list, o);
    }
    char *text = cJSON_Print(root);
    FILE *file = fopen(path, "w");
    bool good = file && fputs(text, file) >= 0;
    good = file && fclose(file) == 0 && good;
    free(text);
    cJSON_Delete(root);
    return good;
}

/* ---- Command line ---- */

struct arguments {
    const char *json;
    uint64_t first, count;
};

static bool parse(int argc, char **argv, struct session *s, struct arguments *a) {
    static const struct option options[] = {{"json", required_argument, NULL, 'j'},
                                            {"all", no_argument, NULL, 'a'},
                                            {"first", required_argument, NULL, 'f'},
                                            {"random", required_argument, NULL, 'r'},
                                            {"print", required_argument, NULL, 'p'},
                                            {"include", required_argument, NULL, 'i'},
                                            {0}};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'j': a->json = optarg; break;
        case 'a': s->all = true; break;
        case 'f': a->first = strtoull(optarg, NULL, 10); break;
        case 'r': a->count = strtoull(optarg, NULL, 10); break;
        case 'p': s->print = optarg; break;
        case 'i': s->include = optarg; break;
        default: return false;
        }
    }
    return true;
}

int main(int argc, char **argv) {
    struct session s = {.arena = arena_new()};
    struct arguments a = {.first = 1};
    const char *why;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!parse(argc, argv, &s, &a)) {
        fprintf(stderr, "usage: compare-kernel [--json FILE] [--all] [--print NAME] [--first SEED] "
                        "[--random COUNT] [--include DIR] [X.bpf.o|X.data|X.cases ...]\n");
        return 2;
    }
    if ((why = kernel_unusable())) {
        printf("skipped: this machine does not let us load eBPF programs into Linux (%s)\n", why);
        return 0;
    }
    signal(SIGABRT, name_current);
    s.insns = calloc(GENERATE_MAX_INSNS + RANDOM_MAX_INSNS, sizeof(*s.insns));
    for (int i = optind; i < argc; i++)
        add_file(&s, argv[i]);
    for (uint64_t seed = a.first; seed < a.first + a.count; seed++)
        for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
            add_random(&s, &kinds[k], seed);
    size_t unknown = print_report(&s);
    bool written = !a.json || write_json(&s, a.json);
    free(s.insns);
    arena_free(s.arena);
    return unknown || !written;
}

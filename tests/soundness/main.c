/* SPDX-License-Identifier: MIT */
/* Random programs against the verifier's states; --help says more, soundness.h what it is for. */
#include "fuzz/jobs.h"
#include "soundness/coverage.h"
#include "soundness/soundness.h"

#include <stdlib.h>
#include <string.h>

#define RUNS 6
#define REPLAY_RUNS 40

struct options {
    uint64_t first, count;
    unsigned jobs;
    int rest;         /* the first argument that is no option */
    const char *save; /* directory for programs that were found */
    bool coverage;    /* print what was done */
    bool why;         /* say of each program whether it is accepted */
    bool replay;      /* the other arguments are files */
};

#define CATEGORIES 32

struct tally {
    uint64_t programs, accepted, run, failed, steps, compared;
    uint64_t refused_faulted; /* programs that were refused, and did something wrong in a run */
    uint64_t refused[CATEGORIES], faulted[CATEGORIES]; /* by category of the first error */
};

static const char *category_name(int category) {
    static const char *const names[] = {
#define DIAG_CATEGORY(id, name, about) name,
#include "util/diag.def"
#undef DIAG_CATEGORY
    };
    return category >= 0 && (size_t)category < sizeof(names) / sizeof(names[0]) ? names[category]
                                                                                : "?";
}

static const char *violation_name(enum violation v) {
    static const char *const names[] = {"nothing", "state", "fault", "bound", "depth", "fact"};
    return names[v];
}

/* ---- Failures */

static void report(struct source *s, const struct options *o, enum violation violation) {
    char path[4096];
    struct trial_result r;
    shrink(s, RUNS, violation);
    snprintf(path, sizeof(path), "%s/seed-%llu.prog", o->save, (unsigned long long)s->seed);
    FILE *out = fopen(path, "w");
    FILE *outs[] = {stdout, out};
    for (int i = 0; i < 2; i++) {
        if (!outs[i])
            continue;
        if (i == 0)
            printf("seed %llu:\n", (unsigned long long)s->seed);
        trial(s, RUNS, outs[i], &r);
        fprintf(outs[i], "; %s, instruction %u: %s (%s)\n", violation_name(r.violation), r.slot,
                r.what, r.accepted ? "accepted" : category_name(r.category));
        source_print(s, outs[i]);
    }
    if (out)
        fclose(out);
    printf("  the program is %s; copied to tests/soundness/found it is a test\n", path);
    fflush(stdout);
}

static void print_why(const char *name, const struct trial_result *r) {
    printf("%s: %s%s %s\n", name, r->accepted ? "accepted" : category_name(r->category),
           r->faulted ? ", faults" : "", r->what);
}

static void try_seed(uint64_t seed, const struct options *o, struct tally *t) {
    static struct source s;
    struct trial_result r;
    generate(&s, seed);
    trial(&s, RUNS, NULL, &r);
    t->programs++;
    t->accepted += r.accepted;
    t->run += r.form;
    t->steps += r.steps;
    t->compared += r.compared;
    if (!r.accepted && r.category < CATEGORIES) {
        t->refused[r.category]++;
        t->faulted[r.category] += r.faulted;
        t->refused_faulted += r.faulted;
    }
    if (o->why) {
        char name[24];
        snprintf(name, sizeof(name), "%llu", (unsigned long long)seed);
        print_why(name, &r);
    }
    if (r.violation == VIOLATION_NONE)
        return;
    t->failed++;
    report(&s, o, r.violation);
}

/* ---- Jobs */

/* The run of all jobs: each fills a tally of its own, which are added up in the first process. */
struct run {
    const struct options *options;
    struct tally tally;
};

/* Every jobs-th program; stops at the third failure. */
static void run_job(void *user, unsigned job, FILE *results) {
    const struct options *o = ((struct run *)user)->options;
    struct tally t = {0};
    memset(&coverage, 0, sizeof(coverage));
    for (uint64_t i = job; i < o->count && t.failed < 3; i += o->jobs) {
        try_seed(o->first + i, o, &t);
        if (job == 0 && t.programs % 5000 == 0)
            fprintf(stderr, "%llu of %llu programs\n", (unsigned long long)i,
                    (unsigned long long)o->count);
    }
    fwrite(&t, sizeof(t), 1, results);
    fwrite(&coverage, sizeof(coverage), 1, results);
}

static bool collect(void *user, FILE *results) {
    struct tally *sum = &((struct run *)user)->tally, t;
    static struct coverage more;
    if (fread(&t, sizeof(t), 1, results) != 1 || fread(&more, sizeof(more), 1, results) != 1)
        return false;
    coverage_add(&more);
    sum->programs += t.programs;
    sum->accepted += t.accepted;
    sum->run += t.run;
    sum->failed += t.failed;
    sum->steps += t.steps;
    sum->compared += t.compared;
    sum->refused_faulted += t.refused_faulted;
    for (int i = 0; i < CATEGORIES; i++) {
        sum->refused[i] += t.refused[i];
        sum->faulted[i] += t.faulted[i];
    }
    return true;
}

static struct tally run_jobs(const struct options *o) {
    struct run run = {.options = o};
    unsigned lost = jobs_run(
        &(struct jobs){.count = o->jobs, .user = &run, .run = run_job, .collect = collect});
    run.tally.failed += lost;
    return run.tally;
}

static void print_tally(const struct tally *t) {
    double all = t->programs ? (double)t->programs : 1;
    uint64_t refused = t->programs - t->accepted;
    printf("  %llu programs, %llu accepted (%.1f %%)\n", (unsigned long long)t->programs,
           (unsigned long long)t->accepted, 100.0 * (double)t->accepted / all);
    printf("  %llu instructions executed, %llu states compared\n", (unsigned long long)t->steps,
           (unsigned long long)t->compared);
    printf("  %llu refused, of which %llu did something wrong (%.1f %%):",
           (unsigned long long)refused, (unsigned long long)t->refused_faulted,
           100.0 * (double)t->refused_faulted / (refused ? (double)refused : 1));
    for (int i = 0; i < CATEGORIES; i++)
        if (t->refused[i])
            printf(" %s %llu of %llu;", category_name(i), (unsigned long long)t->faulted[i],
                   (unsigned long long)t->refused[i]);
    printf("\n");
}

/* ---- Files */

static int replay(const struct options *o, int count, char **paths) {
    static struct source s;
    int failed = 0;
    for (int i = 0; i < count; i++) {
        struct trial_result r;
        bool read = source_read(&s, paths[i]);
        if (read)
            trial(&s, REPLAY_RUNS, stdout, &r);
        if (read && o->why)
            print_why(paths[i], &r);
        if (read && r.violation == VIOLATION_NONE)
            continue;
        failed++;
        printf("FAILED: %s: %s\n", paths[i], read ? r.what : "no program");
    }
    printf("%d passed, %d failed\n", count - failed, failed);
    return failed != 0;
}

static int print_seed(const char *text) {
    static struct source s;
    generate(&s, strtoull(text, NULL, 0));
    source_print(&s, stdout);
    return 0;
}

static const char usage[] =
    "usage: soundness [OPTION...] FIRST COUNT\n"
    "       soundness [--why] --replay FILE...\n"
    "       soundness --print SEED\n"
    "\n"
    "Verifies COUNT random programs from seed FIRST on and runs them: the machine's states must "
    "be\n"
    "among the verifier's, and accepted programs must do nothing wrong.\n"
    "\n"
    "  --jobs N          processes (default 1)\n"
    "  --save DIR        where programs that show an error go, made small (default .)\n"
    "  --coverage        what the runs did, by kinds of values, and what they never did\n"
    "  --why             say of each program whether it is accepted\n"
    "  --replay          run programs that were saved\n"
    "  --print           the program of a seed\n"
    "\n"
    "Exit status: 0 no error, and at least half of the programs accepted.\n"
    "example: soundness --jobs 2 1 2000\n";

static bool parse(int argc, char **argv, struct options *o) {
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--jobs") == 0 && more)
            o->jobs = jobs_parse(argv[++i]);
        else if (strcmp(argv[i], "--save") == 0 && more)
            o->save = argv[++i];
        else if (strcmp(argv[i], "--coverage") == 0)
            o->coverage = true;
        else if (strcmp(argv[i], "--why") == 0)
            o->why = true;
        else if (strcmp(argv[i], "--replay") == 0)
            o->replay = true;
        else
            return false;
    }
    o->rest = i;
    if (o->replay)
        return true;
    if (argc - i != 2 || o->jobs == 0)
        return false;
    o->first = strtoull(argv[i], NULL, 0);
    o->count = strtoull(argv[i + 1], NULL, 0);
    return o->count > 0;
}

int main(int argc, char **argv) {
    struct options o = {.jobs = 1, .save = "."};
    if (argc == 3 && strcmp(argv[1], "--print") == 0)
        return print_seed(argv[2]);
    if (!parse(argc, argv, &o)) {
        bool help = argc > 1 && strcmp(argv[1], "--help") == 0;
        fputs(usage, help ? stdout : stderr);
        return help ? 0 : 2;
    }
    if (o.replay)
        return replay(&o, argc - o.rest, argv + o.rest);
    struct tally t = run_jobs(&o);
    print_tally(&t);
    if (o.coverage)
        coverage_print(stdout);
    uint64_t good = t.programs > t.failed ? t.programs - t.failed : 0;
    if (2 * t.accepted < t.programs) {
        printf("fewer than half of the programs are accepted\n");
        t.failed++;
    }
    printf("%llu passed, %llu failed\n", (unsigned long long)good, (unsigned long long)t.failed);
    return t.failed != 0;
}

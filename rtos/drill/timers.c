/* SPDX-License-Identifier: MIT
 *
 * Timers in maps: when they run, with what, and when they must not.
 */
#include "drill.h"

#include <string.h>

enum { IN_TABLE, IN_JOBS, ELEMENT };                                 /* entries of timers.bpf.c */
enum { INIT, ONCE, AGAIN, SPIN, START, CANCEL, CREATE = 0, DELETE }; /* what they do */
enum { TABLE, JOBS };                                                /* maps */
enum { EBUSY = 16, ENOMEM = 12, EINVAL = 22, ROWS = 8 };

/* Of both maps. */
struct job {
    uint64_t time_ns, timer[2];
    uint32_t runs, key, found;
};

static struct drill a;
static struct job seen;
static const char *wrong;

static int order(unsigned entry, unsigned what, unsigned key, unsigned ms) {
    const uint8_t data[3] = {(uint8_t)what, (uint8_t)key, (uint8_t)ms};
    return drill_call(&a, entry, data, sizeof(data));
}

static const struct job *job(unsigned map, uint32_t key) {
    memset(&seen, 0, sizeof(seen));
    drill_value(&a, map, key, &seen, sizeof(seen));
    return &seen;
}

static enum bpf_status load(enum bpf_engine engine, const char *grant) {
    return drill_load(&a, drill_timers, drill_timers_end, engine, grant);
}

static const char *finish(const char *result) {
    drill_unload(&a);
    return result;
}

#define GRANT "budget=5ms/10ms "
#define BEGIN(grant)                                                                               \
    wrong = NULL;                                                                                  \
    EXPECT(!load(engine, GRANT grant));

static const char *once(enum bpf_engine engine) {
    BEGIN("")
    EXPECT(order(IN_TABLE, INIT, 7, 0) == 0);
    EXPECT(order(IN_TABLE, ONCE, 7, 0) == 0);
    uint64_t begun = clock_ns();
    EXPECT(order(IN_TABLE, START, 7, 20) == 0);
    task_sleep(10);
    EXPECT(job(TABLE, 7)->runs == 0);
    task_sleep(50);
    EXPECT(job(TABLE, 7)->runs == 1 && seen.key == 7 && seen.found == 1);
    EXPECT(seen.time_ns - begun >= 19000000 && seen.time_ns - begun < 23000000);
    EXPECT(job(TABLE, 6)->runs == 0);
    EXPECT(a.domain->faults == 0 && a.domain->entries[IN_TABLE].runs == 4);
    EXPECT(a.domain->box.stack_top == (uint32_t)a.domain->head); /* for the next program */
end:
    return finish(wrong);
}

static const char *hash(enum bpf_engine engine) {
    BEGIN("")
    EXPECT(order(ELEMENT, CREATE, 200, 0) == 0);
    EXPECT(order(IN_JOBS, INIT, 200, 0) == 0);
    EXPECT(order(IN_JOBS, ONCE, 200, 0) == 0);
    EXPECT(order(IN_JOBS, START, 200, 5) == 0);
    task_sleep(30);
    EXPECT(job(JOBS, 200)->runs == 1 && seen.key == 200 && seen.found == 1);
end:
    return finish(wrong);
}

static const char *again(enum bpf_engine engine) {
    BEGIN("")
    EXPECT(!order(IN_TABLE, INIT, 0, 0) && !order(IN_TABLE, AGAIN, 0, 0));
    EXPECT(!order(IN_TABLE, START, 0, 5));
    task_sleep(103);
    uint32_t runs = job(TABLE, 0)->runs;
    EXPECT(runs >= 15 && runs <= 20);
    EXPECT(order(IN_TABLE, CANCEL, 0, 0) == 1);
    runs = job(TABLE, 0)->runs;
    task_sleep(30);
    EXPECT(job(TABLE, 0)->runs == runs);
    EXPECT(order(IN_TABLE, CANCEL, 0, 0) == 0);
end:
    return finish(wrong);
}

/* It has run out, but has to wait for budget: a cancel still stops it. */
static const char *late(enum bpf_engine engine) {
    wrong = NULL;
    EXPECT(!load(engine, "budget=5ms/2s"));
    EXPECT(!order(IN_TABLE, INIT, 3, 0) && !order(IN_TABLE, ONCE, 3, 0));
    EXPECT(!order(IN_TABLE, START, 3, 5));
    a.domain->budget.available = 0;
    task_sleep(20);
    EXPECT(job(TABLE, 3)->runs == 0);
    EXPECT(order(IN_TABLE, CANCEL, 3, 0) == 1);
    a.domain->budget.available = (int32_t)a.domain->budget.cycles;
    EXPECT(order(IN_TABLE, CANCEL, 3, 0) == 0);
    task_sleep(20);
    EXPECT(job(TABLE, 3)->runs == 0);
end:
    return finish(wrong);
}

/* A start moves the time of a timer that runs already. */
static const char *moved(enum bpf_engine engine) {
    BEGIN("")
    EXPECT(!order(IN_TABLE, INIT, 3, 0) && !order(IN_TABLE, ONCE, 3, 0));
    EXPECT(!order(IN_TABLE, START, 3, 10));
    EXPECT(!order(IN_TABLE, START, 3, 60));
    task_sleep(30);
    EXPECT(job(TABLE, 3)->runs == 0);
    task_sleep(60);
    EXPECT(job(TABLE, 3)->runs == 1);
end:
    return finish(wrong);
}

/* An element that is deleted, or has another key since, does not fire; its row is free again. */
static const char *deleted(enum bpf_engine engine) {
    BEGIN("")
    EXPECT(!order(ELEMENT, CREATE, 1, 0));
    EXPECT(!order(IN_JOBS, INIT, 1, 0) && !order(IN_JOBS, ONCE, 1, 0));
    EXPECT(!order(IN_JOBS, START, 1, 20));
    EXPECT(!order(ELEMENT, DELETE, 1, 0));
    EXPECT(!order(ELEMENT, CREATE, 2, 0) && !order(ELEMENT, CREATE, 3, 0)); /* one in its place */
    task_sleep(40);
    EXPECT(job(JOBS, 2)->runs == 0 && job(JOBS, 3)->runs == 0);
    EXPECT(a.domain->faults == 0);
    EXPECT(order(IN_JOBS, START, 2, 5) == -EINVAL && order(IN_JOBS, START, 3, 5) == -EINVAL);
    EXPECT(!order(IN_JOBS, INIT, 2, 0) && !order(IN_JOBS, INIT, 3, 0));
    EXPECT(!order(IN_JOBS, ONCE, 2, 0) && !order(IN_JOBS, START, 2, 5));
    task_sleep(30);
    EXPECT(job(JOBS, 2)->runs == 1 && job(JOBS, 3)->runs == 0);
end:
    return finish(wrong);
}

/* Rows: their number, and calls out of order. */
static const char *rows(enum bpf_engine engine) {
    BEGIN("")
    for (unsigned i = 0; i < ROWS; i++) {
        EXPECT(order(IN_TABLE, INIT, i, 0) == 0);
        EXPECT(order(IN_TABLE, INIT, i, 0) == -EBUSY);
    }
    EXPECT(order(IN_TABLE, INIT, ROWS, 0) == -ENOMEM);
    EXPECT(order(IN_TABLE, ONCE, ROWS, 0) == -EINVAL);
    EXPECT(order(IN_TABLE, START, ROWS, 1) == -EINVAL);
    EXPECT(order(IN_TABLE, CANCEL, ROWS, 0) == -EINVAL);
    EXPECT(order(IN_TABLE, START, 0, 1) == -EINVAL); /* without a callback */
    for (unsigned i = 0; i < ROWS; i++)
        EXPECT(!order(IN_TABLE, ONCE, i, 0) && !order(IN_TABLE, START, i, 20));
    task_sleep(60);
    for (unsigned i = 0; i < ROWS; i++)
        EXPECT(job(TABLE, i)->runs == 1 && seen.key == i && seen.found == 1);
end:
    return finish(wrong);
}

/* A callback that does not end costs its program what a run does that does not end. */
static const char *killed(enum bpf_engine engine) {
    BEGIN("policy=continue")
    EXPECT(!order(IN_TABLE, INIT, 0, 0) && !order(IN_TABLE, AGAIN, 0, 0));
    EXPECT(!order(IN_TABLE, START, 0, 30));
    EXPECT(!order(IN_TABLE, INIT, 1, 0) && !order(IN_TABLE, SPIN, 1, 0));
    EXPECT(!order(IN_TABLE, START, 1, 10));
    task_sleep(100);
    EXPECT(a.domain->faults == 1 && a.domain->box.result.end != SANDBOX_FAULT);
    EXPECT(a.domain->entries[IN_TABLE].faults == 1);
    EXPECT(job(TABLE, 0)->runs == 0); /* its row went with the kill */
    EXPECT(order(IN_TABLE, CANCEL, 0, 0) == -EINVAL);
    EXPECT(!order(IN_TABLE, INIT, 0, 0) && !order(IN_TABLE, ONCE, 0, 0));
    EXPECT(!order(IN_TABLE, START, 0, 5));
    task_sleep(50);
    EXPECT(job(TABLE, 0)->runs == 1);
end:
    return finish(wrong);
}

static void stop(struct domain *domain, void *argument) {
    (void)argument;
    domain_stop(domain);
}

static const char *stopped(enum bpf_engine engine) {
    BEGIN("")
    EXPECT(!order(IN_TABLE, INIT, 0, 0) && !order(IN_TABLE, AGAIN, 0, 0));
    EXPECT(!order(IN_TABLE, START, 0, 5));
    task_sleep(30);
    EXPECT(!domain_do(a.domain, stop, NULL, PROGRAMS_TIMEOUT));
    uint32_t runs = job(TABLE, 0)->runs;
    task_sleep(30);
    EXPECT(runs > 0 && job(TABLE, 0)->runs == runs);
    /* gone while timers run; what comes into their memory is left alone */
    drill_unload(&a);
    EXPECT(!load(engine, GRANT));
    EXPECT(!order(IN_TABLE, INIT, 0, 0) && !order(IN_TABLE, AGAIN, 0, 0));
    EXPECT(!order(IN_TABLE, START, 0, 5));
    drill_unload(&a);
    EXPECT(!load(engine, GRANT));
    task_sleep(30);
    EXPECT(a.domain->faults == 0 && job(TABLE, 0)->runs == 0);
end:
    return finish(wrong);
}

/* What no verifier has seen. */
static const char *wild(enum bpf_engine engine) {
    enum { WILD_CODE, WILD_TIMER, WILD_MAP, WILD_TIME, WILD_FLAGS, WILD_CLOCK };
    wrong = NULL;
    EXPECT(!drill_load(&a, drill_wild, drill_wild_end, engine, GRANT "policy=continue"));
    EXPECT(order(0, WILD_TIMER, 0, 0) == -EINVAL);
    EXPECT(order(0, WILD_MAP, 0, 0) == -EINVAL);
    EXPECT(order(0, WILD_CLOCK, 0, 0) == -EINVAL);
    EXPECT(order(0, WILD_TIME, 0, 0) == -EINVAL);
    EXPECT(order(0, WILD_FLAGS, 0, 0) == -EINVAL);
    task_sleep(20);
    EXPECT(a.domain->faults == 0);
    EXPECT(order(0, WILD_CODE, 0, 0) == 0);
    task_sleep(20);
    EXPECT(a.domain->faults == 1);
    EXPECT(order(0, WILD_TIMER, 0, 0) == -EINVAL); /* it still runs */
end:
    return finish(wrong);
}

const struct drill_row drill_timer_tests[] = {
    {"timer_once", once},
    {"timer_hash", hash},
    {"timer_again", again},
    {"timer_late", late},
    {"timer_moved", moved},
    {"timer_deleted", deleted},
    {"timer_rows", rows},
    {"timer_killed", killed},
    {"timer_stopped", stopped},
    {"timer_wild", wild},
    {NULL, NULL},
};

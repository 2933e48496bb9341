/* SPDX-License-Identifier: MIT */
/*
 * Power that fails in every operation of the flash that a call of rtos/programs.h makes: the next boot finds what was
 * before the call or what should be behind it, runs it, and goes on working. Installing and enabling what was
 * not enabled are two records, so the program may also be found installed and not enabled. Then calls at
 * random, with failures and losses of power at random, beside a model.
 */
#include "manager/use.h"

#include "rtos/programs.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ----- calls ----------------------------------------------------------------------------------------------- */

enum act {
    INSTALL, /* and enable */
    INSTALL_ONLY,
    ENABLE,
    DISABLE,
    GRANT,
    REMOVE,
    ROLLBACK,
    FAULTS,    /* so many that the predecessor comes back */
    GOOD_RUNS, /* so many that it goes */
    COMPACT,
    FORMAT,
    ACTS
};

struct step {
    enum act act;
    const char *name;
    uint32_t variant; /* of blob and grant */
};

static void run(const char *name, unsigned count, bool fault) {
    struct domain *domain = board_domain(name);
    for (; domain && count; count--)
        board_run_ends(domain, fault);
    manager_attend();
}

static enum bpf_status perform(const struct step *step) {
    struct bpf_grant grant = grant_of(step->variant);
    switch (step->act) {
    case INSTALL:
    case INSTALL_ONLY: return install(step->name, step->variant, step->act == INSTALL);
    case ENABLE:
    case DISABLE: return programs_enable(step->name, step->act == ENABLE);
    case GRANT: return programs_grant(step->name, &grant);
    case REMOVE: return programs_remove(step->name);
    case ROLLBACK: return programs_rollback(step->name);
    case FAULTS: run(step->name, PROGRAM_FAULTS, true); return BPF_OK;
    case GOOD_RUNS: run(step->name, PROGRAM_GOOD_RUNS, false); return BPF_OK;
    case COMPACT: return programs_compact();
    default: return programs_format();
    }
}

/* ----- every operation --------------------------------------------------------------------------------------- */

enum { TEXT = 1000, EDGE = 50 };

/* A sector has room for three blobs, one of which is the probe. */
static const struct step script[] = {
    {INSTALL, "a", 1},      {INSTALL, "a", 3},   {FAULTS, "a", 0},   {COMPACT, NULL, 0},
    {INSTALL_ONLY, "a", 4}, {GOOD_RUNS, "a", 0}, {GRANT, "a", 5},    {COMPACT, NULL, 0},
    {INSTALL_ONLY, "b", 2}, {ENABLE, "b", 0},    {DISABLE, "b", 0},  {REMOVE, "a", 0},
    {COMPACT, NULL, 0},     {INSTALL, "b", 6},   {ROLLBACK, "b", 0}, {REMOVE, "b", 0},
    {INSTALL, "c", 7},      {FORMAT, NULL, 0},
};
enum { STEPS = sizeof(script) / sizeof(script[0]) };

static char what[200];
static struct nor base;

/* The step from `base` on, which has not lost power. */
static uint64_t carry_out(const struct step *step, char text[TEXT]) {
    board.nor = base;
    board_power_up();
    board.nor.operations = 0;
    enum bpf_status status = perform(step);
    cr_assert_eq(status, BPF_OK, "step %d: %s", (int)(step - script), bpf_status_text(status));
    describe(text, TEXT);
    expect_order("without a cut");
    return board.nor.operations;
}

static void expect_usable(const char *before) {
    char text[TEXT];
    enum bpf_status status = install("probe", 9, true);
    if (status == BPF_NO_ROOM) {
        cr_assert_eq(programs_compact(), BPF_OK, "%s", what);
        status = install("probe", 9, true);
    }
    cr_assert_eq(status, BPF_OK, "%s: installing afterwards: %s", what, bpf_status_text(status));
    board_power_up();
    expect_order(what);
    cr_assert_not_null(program_find("probe"), "%s: installed afterwards, and gone", what);
    cr_assert_eq(info("probe").state, PROGRAM_RUNNING, "%s", what);
    cr_assert_eq(programs_remove("probe"), BPF_OK);
    describe(text, sizeof(text));
    cr_assert_str_eq(text, before, "%s: something came or went with an installation", what);
}

static void cut(const struct step *step, uint64_t at, enum nor_tear tear, char texts[3][TEXT]) {
    char is[TEXT], later[TEXT];
    snprintf(what, sizeof(what), "step %d, operation %llu, tear %d", (int)(step - script),
             (unsigned long long)at, tear);
    board.nor = base;
    board.nor.random += at * 7919 + tear * 104729;
    board_power_up();
    board.nor.operations = 0;
    board.nor.cut_at = at;
    board.nor.tear = tear;
    perform(step);
    expect_order(what); /* whoever still runs then sees that nothing is written any more */
    board_power_up();
    expect_order(what);
    describe(is, sizeof(is));
    cr_assert(!strcmp(is, texts[0]) || !strcmp(is, texts[1]) || !strcmp(is, texts[2]),
              "%s:\nis\n%swas\n%sshould be\n%s", what, is, texts[0], texts[2]);
    board_power_up();
    describe(later, sizeof(later));
    cr_assert_str_eq(later, is, "%s: a later boot sees something else", what);
    expect_usable(is);
}

/* The bytes of a blob are many, and alike: one way of tearing each. */
static void cut_everywhere(const struct step *step, uint64_t operations, char texts[3][TEXT]) {
    for (uint64_t at = 0; at < operations; at++)
        for (unsigned tear = 0; tear < NOR_TEARS; tear++)
            if (at < EDGE || at + EDGE >= operations || tear == at % NOR_TEARS)
                cut(step, at, (enum nor_tear)tear, texts);
}

Test(programs_power, fails_in_every_operation, .timeout = 240) {
    static char texts[3][TEXT]; /* before, between installing and enabling, behind */
    board_init(2);
    board_power_up();
    for (unsigned i = 0; i < STEPS; i++) {
        struct step halfway = script[i];
        if (halfway.act == INSTALL)
            halfway.act = INSTALL_ONLY;
        describe(texts[0], TEXT);
        base = board.nor;
        carry_out(&halfway, texts[1]);
        uint64_t operations = carry_out(&script[i], texts[2]);
        struct nor after = board.nor;
        cut_everywhere(&script[i], operations, texts);
        board.nor = after;
        board_power_up();
    }
}

/* ----- at random ---------------------------------------------------------------------------------------------- */

struct version {
    uint32_t variant, grant; /* 0: there is none */
};

struct model {
    struct version now, before;
    bool on;
};

static const char *const names[] = {"a", "b", "c"};
enum { NAMES = 3 };

/* What the step makes of the program, if it is done. */
static struct model behind(struct model m, const struct step *step) {
    switch (step->act) {
    case INSTALL:
    case INSTALL_ONLY:
        m.before = m.now;
        m.now = (struct version){step->variant, step->variant};
        m.on |= step->act == INSTALL;
        break;
    case ENABLE: m.on = true; break;
    case DISABLE: m.on = false; break;
    case GRANT: m.now.grant = step->variant; break;
    case REMOVE:
    case FORMAT: m = (struct model){.on = false}; break;
    case ROLLBACK:
    case FAULTS:
        if (m.before.variant && (step->act == ROLLBACK || m.on)) {
            m.now = m.before;
            m.before.variant = 0;
        }
        break;
    case GOOD_RUNS:
        if (m.on)
            m.before.variant = 0;
        break;
    default: break;
    }
    return m;
}

static bool is_as(const char *name, const struct model *m) {
    struct program_info is;
    struct bpf_grant grant;
    if (programs_info(name, &is))
        return !m->now.variant;
    cr_assert_eq(programs_grant_of(name, &grant), BPF_OK);
    return m->now.variant && is.id == 1000 + m->now.variant && is.enabled == m->on &&
           is.can_roll_back == (m->before.variant != 0) &&
           grant.priority == grant_of(m->now.grant).priority;
}

static bool applies(const struct step *step, unsigned name) {
    return step->act == FORMAT || step->act == COMPACT || strcmp(step->name, names[name]) == 0;
}

/* After a step that may have been done or not: takes over what has become of it. */
static void settle(struct model models[NAMES], const struct step *step, bool done, bool cut_off) {
    for (unsigned i = 0; i < NAMES; i++) {
        struct model new = applies(step, i) ? behind(models[i], step) : models[i], half = new;
        half.on = models[i].on;
        if (is_as(names[i], &new) && (done || cut_off))
            models[i] = new;
        else if (step->act == INSTALL && is_as(names[i], &half) && !done)
            models[i] = half;
        else
            cr_assert(is_as(names[i], &models[i]) && (!done || cut_off), "%s: %s", what, names[i]);
    }
}

static uint32_t below(uint32_t n) {
    return nor_random(&board.nor) % n;
}

/* Something that goes wrong: a domain that cannot be made, or loss of power. */
static bool order_trouble(void) {
    board.nor.operations = 0;
    switch (below(8)) {
    case 0: board.make_status = BPF_NO_RAM; break;
    case 1: board.start_status = BPF_BUSY; break;
    case 2: board.check_status = BPF_NOT_GRANTED; break;
    case 3: board.pool_limit = board_pieces() + below(2); break;
    case 4:
        board.nor.cut_at = below(below(2) ? 30 : 300);
        board.nor.tear = (enum nor_tear)below(NOR_TEARS);
        break;
    default: break;
    }
    board.fail_once = true;
    return board.nor.cut_at != UINT64_MAX;
}

static void end_trouble(void) {
    board.make_status = board.start_status = board.check_status = BPF_OK;
    board.pool_limit = BOARD_PIECES;
    board.nor.cut_at = UINT64_MAX;
}

static void random_step(struct model models[NAMES], int number) {
    const struct step step = {below(30) ? (enum act)below(COMPACT) : FORMAT, names[below(NAMES)],
                              1 + below(200)};
    unsigned ended = board.ended;
    bool power = order_trouble();
    enum bpf_status status = perform(&step);
    snprintf(what, sizeof(what), "step %d, %d of %s: %s", number, step.act, step.name,
             bpf_status_text(status));
    bool off = power && board.nor.off;
    end_trouble();
    expect_order(what);
    if (off)
        board_power_up();
    bool by_task = step.act == FAULTS || step.act == GOOD_RUNS; /* whose task does not say */
    settle(models, &step, !status && !off && !by_task, off || by_task);
    if (status == BPF_NO_ROOM && !off)
        cr_assert_eq(programs_compact(), BPF_OK, "%s: compacting", what);
    if (below(20) == 0)
        board_power_up();
    expect_order(what);
    (void)ended;
}

Test(programs_power, a_model_beside_it, .timeout = 240) {
    struct model models[NAMES] = {{.on = false}};
    board_init(3);
    board_power_up();
    for (int i = 0; i < 6000; i++)
        random_step(models, i);
    for (unsigned i = 0; i < NAMES; i++)
        programs_remove(names[i]);
    cr_assert_eq(board_pieces(), 0);
}

/* SPDX-License-Identifier: MIT */
/*
 * What the manager of programs (rtos/bpf/programs.c) has below it, on the host: the kernel's calls that it needs, flash
 * of tests/store/nor.h, a pool of pieces below 4 GiB, and domains whose arenas are real and whose programs do
 * nothing by themselves. It sees to the order of calls: a domain is made after the one of that name has ended, starts
 * once, is used by one task at a time, and gives everything back.
 */
#ifndef MANAGER_BOARD_H
#define MANAGER_BOARD_H

#include "rtos/bpf/manager.h"
#include "store/nor.h"

enum { BOARD_PIECES = 64, BOARD_PIECE = 32768, BOARD_TEXT = 1 << 14 };

struct board {
    struct nor nor;
    bool no_flash;  /* the board has no place for a store */
    uint64_t ticks; /* kernel_uptime() */
    /* What the next calls answer instead of BPF_OK; fail_once: only the next one of all. */
    enum bpf_status check_status, make_status, start_status;
    bool fail_once;
    unsigned pool_limit; /* pieces */
    bool hung;           /* no domain comes to its work */
    /* What was done. */
    char text[BOARD_TEXT]; /* print(), domain_log() */
    unsigned made, started, ended, wakes;
    bool task_made;
};
extern struct board board;

void board_init(uint64_t seed); /* as after the first power-up, without programs_start() */
void board_forget_ram(void);
void board_power_up(void); /* RAM is lost; programs_start(false) */
void board_reset(bool button);
unsigned board_pieces(void);  /* of the pool in use */
unsigned board_domains(void); /* that exist */
struct domain *board_domain(const char *name);
/* A run of the domain's first entry ends, in its own task. */
void board_run_ends(struct domain *domain, bool fault);

#endif

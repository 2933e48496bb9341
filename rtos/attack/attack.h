/* SPDX-License-Identifier: MIT
 *
 * The attack suite: blobs that neither compiler nor scan has seen, against a kernel that must not notice. It is a firmware of
 * its own, whose loader has no scan (scan.c here): what holds them is the MPU and what is behind the supervisor call.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include "domain.h"

/* blob.c: a blob of one raw program with this code and a context of CONTEXT bytes, an array map, and `helpers`. It lies
 * in the pool; 0: no room. */
enum { ATTACK_CONTEXT = 64, ATTACK_VALUES = 4 };
struct attack_blob {
    uint32_t address, taken, size;
};
bool attack_blob(struct attack_blob *out, const void *code, const void *end, uint32_t arena_more);
void attack_blob_free(struct attack_blob *blob);

/* attack.c: what must hold after each; what is wrong, or NULL. A line about one. */
extern const char ATTACK_SKIP[];         /* for `wrong`: this board has not what it takes */
const char *attack_hold(uint32_t reach); /* of canary_broken() */
void attack_allow_numbers(const struct domain *domain); /* where one may lie */
void attack_report(const char *name, const char *wrong);

/* storm.c */
void storms_learn(void); /* in a control run */
void storms_run(void);

/* canary.c: all RAM below the pool. */
void canary_begin(void); /* a control run begins: what it changes may change */
void canary_learn(void); /* it is over */
void canary_allow(const void *begin, const void *end); /* this may change, too */
void canary_arm(void);                                 /* an attack begins */
/* Address of a word that this run has changed, and no control run has changed it or one `reach` words away; 0: none. */
uint32_t canary_broken(uint32_t reach);

#endif

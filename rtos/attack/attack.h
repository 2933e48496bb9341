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

/* canary.c: all RAM below the pool. */
void canary_begin(void); /* a control run begins: what it changes may change */
void canary_learn(void); /* it is over */
void canary_allow(const void *begin, const void *end); /* this may change, too */
void canary_arm(void);                                 /* an attack begins */
uint32_t canary_broken(
    void); /* address of a word that no control run has changed and this one has; 0: none */

#endif

/* SPDX-License-Identifier: MIT
 *
 * Group 64: what its files share.
 */
#ifndef SMP_PROGRAMS_H
#define SMP_PROGRAMS_H

#include "rtos/programs.h"
#include "server.h"

_Static_assert((int)BPF_BLOB_TRUNCATED >= SMP_STATUS, "told apart from the protocol's own errors");

/* Bytes of an answer behind a list: where the next one goes on, and the list's end. */
enum { PROGRAM_RESERVED = 16 };

/* With zeros up to its end. */
struct program_name {
    char text[PROGRAMS_NAME];
};

/* programs.c. Arguments, as smp_arg_*(); a text that can be no name leaves BPF_NAME, a grant BPF_GRANT. */
struct program_name program_arg_name(struct smp_request *r);
struct bpf_grant program_arg_grant(struct smp_request *r);

/* upload.c, maps.c */
smp_handler smp_upload_begin, smp_upload_data, smp_upload_commit, smp_upload_abort;
smp_handler smp_map_describe, smp_map_get, smp_map_set, smp_map_delete, smp_map_next, smp_map_ring;

#endif

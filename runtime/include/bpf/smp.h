/* SPDX-License-Identifier: MIT */
/*
 * The header of SMP, mcumgr's simple management protocol, and its errors (Zephyr Project documentation,
 * "SMP Protocol Specification"). A packet is a header and, if its length is not 0, one CBOR map.
 */
#ifndef BPF_SMP_H
#define BPF_SMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/cbor.h"

enum {
    SMP_HEADER = 8, /* bytes */
    SMP_V1 = 0,     /* errors are {"rc": N} */
    SMP_V2 = 1,     /* errors of a group are {"err": {"group": G, "rc": N}} */
};

/* An answer's operation is its request's plus 1. */
enum smp_op { SMP_READ, SMP_READ_ANSWER, SMP_WRITE, SMP_WRITE_ANSWER };

enum smp_group { SMP_GROUP_OS = 0, SMP_GROUP_SHELL = 9, SMP_GROUP_PROGRAMS = 64 };

/* Of SMP_GROUP_PROGRAMS. */
enum board_command {
#define BOARD_COMMAND(NAME, id, op, repeat, more) BOARD_##NAME = id,
#include "bpf/command.def"
#undef BOARD_COMMAND
};

/* Errors of the protocol itself, {"rc": N} in both versions: mcumgr_err_t. SMP_ERROR(NAME, number, text) */
#define SMP_ERRORS(_)                                                                              \
    _(OK, 0, "ok")                                                                                 \
    _(UNKNOWN, 1, "unknown error")                                                                 \
    _(NO_MEMORY, 2, "no memory")                                                                   \
    _(BAD_VALUE, 3, "the request is malformed, or a value in it is")                               \
    _(TIMEOUT, 4, "time-out")                                                                      \
    _(NOT_FOUND, 5, "no such entry")                                                               \
    _(BAD_STATE, 6, "not in this state")                                                           \
    _(TOO_LARGE, 7, "the answer is larger than a packet")                                          \
    _(NOT_SUPPORTED, 8, "no such group, command or operation")                                     \
    _(CORRUPT, 9, "corrupt")                                                                       \
    _(BUSY, 10, "busy with another command")                                                       \
    _(DENIED, 11, "access denied")                                                                 \
    _(TOO_OLD, 12, "this version of the protocol is no longer supported")                          \
    _(TOO_NEW, 13, "this version of the protocol is not supported yet")
enum smp_error {
#define SMP_ERROR_ENUM(NAME, number, text) SMP_##NAME = number,
    SMP_ERRORS(SMP_ERROR_ENUM)
#undef SMP_ERROR_ENUM
};
const char *smp_error_text(unsigned error); /* never NULL */

struct smp_header {
    uint8_t version;  /* SMP_V1, SMP_V2; 2 and 3 are for the future */
    uint8_t op;       /* enum smp_op; up to 7 */
    uint8_t flags;    /* 0 */
    uint16_t length;  /* of what follows */
    uint16_t group;   /* enum smp_group */
    uint8_t sequence; /* the answer has its request's */
    uint8_t id;       /* the command, within the group */
};

void smp_header_read(const uint8_t bytes[SMP_HEADER], struct smp_header *out);
void smp_header_write(const struct smp_header *header, uint8_t bytes[SMP_HEADER]);

/* The header of a whole packet, whose length has to be right. */
bool smp_packet(const uint8_t *bytes, size_t size, struct smp_header *out);

/* The entry of an answer's map that says what went wrong in a group. */
void smp_put_error(struct cbor_writer *w, unsigned version, uint16_t group, unsigned rc);

#endif

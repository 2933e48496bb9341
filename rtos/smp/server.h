/* SPDX-License-Identifier: MIT
 *
 * Groups of commands, and what their handlers work with.
 */
#ifndef SMP_SERVER_H
#define SMP_SERVER_H

#include "bpf/smp.h"
#include "rtos/smp.h"

struct smp_request {
    struct smp_header header;
    struct cbor map; /* well-formed */
    int error;       /* of an argument: smp_arg_*() */
    bool has_where;  /* `where` goes with the status */
    uint32_t where;
};

/* Answers with entries of a map that the server has begun and will end. What it returns: 0 (SMP_OK); an enum
 * smp_error; or, from SMP_STATUS on, a status of the group. Unless it is 0 all entries are dropped. */
typedef int smp_handler(struct smp_request *r, struct cbor_writer *w);
enum { SMP_STATUS = 100 };

struct smp_command {
    smp_handler *read, *write; /* NULL: there is no such operation */
};

struct smp_service {
    uint16_t group;
    uint16_t count;
    const struct smp_command *commands; /* by id */
    const char *(*status_text)(int status);
    void (*enter)(void), (*leave)(void); /* around each handler; NULL: nothing to do */
};

/* server.c. Arguments by key. One that is missing or not as said leaves SMP_BAD_VALUE in r->error (the first error
 * stays), and the result is 0. */
uint32_t smp_arg_uint(struct smp_request *r, const char *key, uint32_t most);
uint32_t smp_arg_uint_or(struct smp_request *r, const char *key, uint32_t most, uint32_t otherwise);
bool smp_arg_bool_or(struct smp_request *r, const char *key, bool otherwise);
const uint8_t *smp_arg_bytes(struct smp_request *r, const char *key, uint32_t *size);
/* What other text there is in printable ASCII and \n, \t; the rest becomes a dot. For answers: CBOR's texts are UTF-8,
 * what commands print may be anything. Returns how many bytes there was room for. */
size_t smp_add_text(struct cbor_writer *w, size_t begin, const char *text, size_t length);

/* Entries of the answer. */
void smp_put_uint(struct cbor_writer *w, const char *key, uint64_t value);
void smp_put_text(struct cbor_writer *w, const char *key, const char *text);
void smp_put_bool(struct cbor_writer *w, const char *key, bool value);
void smp_put_bytes(struct cbor_writer *w, const char *key, const void *bytes, size_t size);

/* What is to happen after the answer. */
void smp_after(void (*action)(void));

#endif

/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: requests to the board's server, on mocks of board and programs. Every answer fits, is well-formed and
 * belongs to its request; requests that are none have none. Input: requests of {operation, group, command, length of the
 * map, map}; the first byte's high bit makes the header wrong.
 */
#include "bpf/smp.h"
#include "libfuzzer/target.h"
#include "rtos/smp.h"
#include "shell/mock.h"
#include "smp/programs_mock.h"

#include <stdlib.h>
#include <string.h>

const struct smp_service *const smp_services[] = {&smp_service_os, &smp_service_shell,
                                                  &smp_service_programs, NULL};

enum { HEAD = 5 };

/* As large as they are said to be, so that the sanitizer sees who goes further; here, because a restart comes out of
 * the middle of an answer. */
static uint8_t *request, *answer;

static void release(void) {
    free(request);
    free(answer);
    request = answer = NULL;
}

static void check(const struct smp_header *h, size_t size) {
    struct smp_header got;
    struct cbor map = {answer + SMP_HEADER, answer + size};
    struct cbor_item item;
    if (size > SMP_PACKET || !smp_packet(answer, size, &got) || got.op != h->op + 1 ||
        got.group != h->group || got.id != h->id || got.sequence != h->sequence)
        abort();
    if (!cbor_well_formed(map) || !cbor_next(&map, &item) || item.kind != CBOR_MAP)
        abort();
}

/* Returns how many bytes it took. */
static size_t one(const uint8_t *bytes, size_t size) {
    static const uint16_t groups[] = {SMP_GROUP_OS, SMP_GROUP_SHELL, SMP_GROUP_PROGRAMS,
                                      SMP_GROUP_PROGRAMS};
    if (size < HEAD)
        return size;
    size_t length = (size_t)bytes[3] << 8 | bytes[4];
    if (length > size - HEAD)
        length = size - HEAD;
    struct smp_header h = {SMP_V2, bytes[0] & 7, 0, (uint16_t)length, groups[bytes[1] & 3],
                           7,      bytes[2] & 31};
    h.length = (uint16_t)(h.length + (bytes[0] >> 7));
    request = malloc(SMP_HEADER + length);
    answer = malloc(SMP_PACKET);
    smp_header_write(&h, request);
    memcpy(request + SMP_HEADER, bytes + HEAD, length);
    size_t answered = smp_answer(request, SMP_HEADER + length, answer, SMP_PACKET);
    if ((answered == 0) != (h.op != SMP_READ && h.op != SMP_WRITE))
        abort();
    if (answered)
        check(&h, answered);
    release();
    return HEAD + length;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    volatile size_t at = 0;
    jmp_buf ended;
    mock_start(&ended);
    programs_mock_start();
    programs_mock_add("a", 100);
    programs_mock_add("blink", 2000);
    programs_mock.log = "some text\n";
    programs_mock.record_count = MOCK_RECORDS;
    while (at < size) {
        if (setjmp(ended)) /* a restart, asked for by a command: what is behind it does not come */
            break;
        at += one(bytes + at, size - at);
        if (smp_pending())
            smp_answered();
    }
    release();
    return 0;
}

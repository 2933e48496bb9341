/* SPDX-License-Identifier: MIT
 *
 * SMP, mcumgr's simple management protocol: docs/protocol.md. A packet in, its answer out; who carries them does
 * not matter to the server. The console is one carrier, by its serial port and by the debugger's ring.
 */
#ifndef RTOS_SMP_H
#define RTOS_SMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a packet, header included, each way: buf_size of `mcumgr parameters`. The frames of one of this size
 * fit into the debugger's ring, whose writer does not wait for room (rtos/console.h). */
enum { SMP_PACKET = 1024 };

/* What a firmware serves: it has a list, up to NULL (rtos/app). */
struct smp_service;
extern const struct smp_service smp_service_os, smp_service_shell, smp_service_programs;
extern const struct smp_service *const smp_services[];

/* server.c: the length of the answer, 0: there is none. From one task only. */
size_t smp_answer(const uint8_t *request, size_t size, uint8_t *answer, size_t room);
/* Whether the request wants something to happen after its answer has arrived (a reset); and that happens. */
bool smp_pending(void);
void smp_answered(void);

/* console.c: shell and protocol on the console; does not return */
_Noreturn void smp_console(void);

#endif

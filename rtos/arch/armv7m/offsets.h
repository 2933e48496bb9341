/* SPDX-License-Identifier: MIT
 *
 * Where assembly finds the fields of the kernel's structs. rtos/kernel/offsets.c holds each of them against the
 * struct.
 */
#ifndef ARCH_OFFSETS_H
#define ARCH_OFFSETS_H

#define KERNEL_CURRENT 0
#define KERNEL_READY_BITS 4
#define KERNEL_SWITCHED_AT 8
#define KERNEL_CLOCK 12
#define KERNEL_INSIDE 16
#define KERNEL_LOADED 20
#define KERNEL_READY 24

#define TASK_SP 0
#define TASK_SANDBOX 4
#define TASK_GUARD 68
#define TASK_CYCLES 72

#define BOX_SP 36 /* right behind the nine words of context */
#define BOX_CALLER 40
#define BOX_TASK 44
#define BOX_REGIONS 48
#define BOX_FRAME_LOW 72
#define BOX_FRAME_SPAN 76
#define BOX_STACK_TOP 80
#define BOX_STATIC_BASE 84
#define BOX_LEAVE 88
#define BOX_CALLS 92
#define BOX_CALL_COUNT 96
#define BOX_BUDGET 100
#define BOX_SINCE 104
#define BOX_KILL 108
#define BOX_VALUE 112
#define BOX_CYCLES 120
#define BOX_END 124

#define STATUS_BAD_ARGUMENT 101
#define STATUS_IN_INTERRUPT 105
#define STATUS_MASKED 107
#define STATUS_RUNNING 113

#define END_EXIT 0 /* enum sandbox_end */
#define END_BAD_CALL 4

#define LOCKED 0x20              /* BASEPRI: PRIORITY_KERNEL */
#define SAVED_SANDBOX 0xFFFFFFEF /* in the place of EXC_RETURN: see switch.S */

#endif

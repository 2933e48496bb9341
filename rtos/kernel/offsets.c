/* SPDX-License-Identifier: MIT
 *
 * What assembly believes of the kernel's structs (offsets.h). No code.
 */
#include "offsets.h"
#include "kernel.h"
#include "rtos/sandbox.h"

#define AT(name, type, field) _Static_assert(offsetof(struct type, field) == (name), #field)
#define IS(name, value) _Static_assert((name) == (value), #value)

AT(KERNEL_CURRENT, kernel, current);
AT(KERNEL_READY_BITS, kernel, ready_bits);
AT(KERNEL_SWITCHED_AT, kernel, switched_at);
AT(KERNEL_CLOCK, kernel, clock);
AT(KERNEL_INSIDE, kernel, inside);
AT(KERNEL_LOADED, kernel, loaded);
AT(KERNEL_READY, kernel, ready);
AT(TASK_SP, task, sp);
AT(TASK_SANDBOX, task, sandbox);
AT(TASK_GUARD, task, guard);
AT(TASK_CYCLES, task, cycles);
AT(0, sandbox, context);
AT(BOX_SP, sandbox, sp);
AT(BOX_CALLER, sandbox, caller);
AT(BOX_TASK, sandbox, task);
AT(BOX_REGIONS, sandbox, regions);
AT(BOX_FRAME_LOW, sandbox, frame_low);
AT(BOX_FRAME_SPAN, sandbox, frame_span);
AT(BOX_STACK_TOP, sandbox, stack_top);
AT(BOX_STATIC_BASE, sandbox, static_base);
AT(BOX_LEAVE, sandbox, leave);
AT(BOX_CALLS, sandbox, calls);
AT(BOX_CALL_COUNT, sandbox, call_count);
AT(BOX_BUDGET, sandbox, budget);
AT(BOX_SINCE, sandbox, since);
AT(BOX_KILL, sandbox, kill);
AT(BOX_END, sandbox, result.end);
AT(BOX_CYCLES, sandbox, result.cycles);
AT(BOX_VALUE, sandbox, result.value);
AT(0, arch_clock, reload);
AT(4, arch_clock, end);
IS(sizeof(enum sandbox_end), 1);
IS(END_EXIT, SANDBOX_EXIT);
IS(END_BAD_CALL, SANDBOX_BAD_CALL);
IS(STATUS_BAD_ARGUMENT, KERNEL_BAD_ARGUMENT);
IS(STATUS_IN_INTERRUPT, KERNEL_IN_INTERRUPT);
IS(STATUS_MASKED, KERNEL_MASKED);
IS(STATUS_RUNNING, KERNEL_RUNNING);
IS(LOCKED, PRIORITY_KERNEL);
IS(255, SANDBOX_SVC_ENTER);

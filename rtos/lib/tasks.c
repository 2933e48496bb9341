/* SPDX-License-Identifier: MIT
 *
 * The list of tasks, for whoever prints it: no lock is held while that is done.
 */
#include "rtos/kernel.h"

bool task_copy(unsigned number, struct task *out, const struct task **which) {
    uint32_t key = kernel_lock();
    struct task *task = task_iterate(NULL);
    while (task && number--)
        task = task_iterate(task);
    if (task) {
        *out = *task;
        *which = task;
    }
    kernel_unlock(key);
    return task != NULL;
}

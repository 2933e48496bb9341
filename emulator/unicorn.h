/* SPDX-License-Identifier: MIT */
/* What the bare machine and the virtual board both need around Unicorn's interface. */
#ifndef EMULATOR_UNICORN_H
#define EMULATOR_UNICORN_H

#include <stdio.h>
#include <stdlib.h>
#include <unicorn/unicorn.h>

/* r0 to r15 */
static const int reg_ids[16] = {
    UC_ARM_REG_R0,  UC_ARM_REG_R1, UC_ARM_REG_R2, UC_ARM_REG_R3, UC_ARM_REG_R4,  UC_ARM_REG_R5,
    UC_ARM_REG_R6,  UC_ARM_REG_R7, UC_ARM_REG_R8, UC_ARM_REG_R9, UC_ARM_REG_R10, UC_ARM_REG_R11,
    UC_ARM_REG_R12, UC_ARM_REG_SP, UC_ARM_REG_LR, UC_ARM_REG_PC,
};

/* Every call that can only fail through a mistake of ours. */
static inline void must(uc_err err) {
    if (err == UC_ERR_OK)
        return;
    fprintf(stderr, "emulator: internal error: %s\n", uc_strerror(err));
    abort();
}

#endif

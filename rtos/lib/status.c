/* SPDX-License-Identifier: MIT */
#include "rtos/kernel.h"

const char *kernel_status_text(enum kernel_status status) {
    switch (status) {
#define STATUS(name, value, text)                                                                  \
    case KERNEL_##name:                                                                            \
        return text;
#include "rtos/status.def"
#undef STATUS
    }
    return "unknown status";
}

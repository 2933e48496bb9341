/* SPDX-License-Identifier: MIT */
#include "rtos/kernel.h"

/* Not a switch: of that the compiler makes a table with a place for every number below the largest. */
static const struct {
    uint8_t status;
    const char *text;
} texts[] = {
#define STATUS(name, value, text) {value, text},
#include "rtos/status.def"
#undef STATUS
};

const char *kernel_status_text(enum kernel_status status) {
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "unknown status";
}

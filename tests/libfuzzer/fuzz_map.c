/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer target: a map whose program has written anything into it, put in order by bpf_map_repair(). Three
 * bytes say which map and how wild it is, the others are the map's.
 */
#include "libfuzzer/target.h"
#include "maps/forge.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size < 3)
        return 0;
    const struct blob_map def = forge_def(bytes[0]);
    const char *problem = forge_check(&def, bytes + 3, size - 3, bytes[1], bytes[2]);
    if (problem) {
        fprintf(stderr, "map of type %u: %s\n", def.type, problem);
        abort();
    }
    return 0;
}

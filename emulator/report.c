/* SPDX-License-Identifier: MIT */
/* How a run ended, as text and as JSON. */
#include "report.h"

#include "util/file.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HEX_LINE 16 /* bytes of a line of a dump */

bool report_parse_hex(const char *text, uint8_t *bytes, size_t *size) {
    *size = 0;
    for (;;) {
        while (isspace((unsigned char)*text))
            text++;
        if (*text == '\0')
            return true;
        unsigned value;
        if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]))
            return false;
        sscanf(text, "%2x", &value);
        bytes[(*size)++] = value;
        text += 2;
    }
}

bool report_read_memory(struct cmd_args *args, const char *text, size_t limit, uint8_t **bytes,
                        size_t *size) {
    if (text[0] == '@') {
        if (!file_read(text + 1, FILE_SIZE_LIMIT, args->arena, bytes, size, args->diag))
            return false;
    } else {
        *bytes = arena_alloc(args->arena, strlen(text) / 2 + 1);
        if (!report_parse_hex(text, *bytes, size))
            return diag_error(args->diag, DIAG_USAGE, NULL,
                              "give pairs of hex digits, or @FILE for the bytes of a file",
                              "--mem: '%s' is no memory", text);
    }
    if (*size > limit)
        return diag_error(args->diag, DIAG_USAGE, NULL, NULL,
                          "--mem has %zu bytes; there is room for %zu", *size, limit);
    return true;
}

void report_result(const struct machine_result *result, struct cJSON *json) {
    char text[32];

    if (!json) {
        printf("r0 = 0x%" PRIx64 " (%" PRId64 ")\n", result->r0, (int64_t)result->r0);
        return;
    }
    /* As text: numbers of JSON are doubles. */
    snprintf(text, sizeof(text), "0x%" PRIx64, result->r0);
    cJSON_AddStringToObject(json, "r0", text);
    snprintf(text, sizeof(text), "%" PRId64, (int64_t)result->r0);
    cJSON_AddStringToObject(json, "r0_signed", text);
}

void report_cycles(const struct machine_result *result, struct cJSON *json) {
    const struct cycles *c = &result->cycles;

    if (!json) {
        printf("cycles: %" PRIu64 " (program %" PRIu64 ", library %" PRIu64
               ", helpers behind svc %" PRIu64 "), %" PRIu64 " instructions, stack %u bytes\n",
               c->total, c->part[CYCLES_PROGRAM], c->part[CYCLES_LIBRARY], c->part[CYCLES_KERNEL],
               c->instructions, result->stack_used);
        return;
    }
    cJSON *o = cJSON_AddObjectToObject(json, "cycles");
    cJSON_AddNumberToObject(o, "total", (double)c->total);
    cJSON_AddNumberToObject(o, "program", (double)c->part[CYCLES_PROGRAM]);
    cJSON_AddNumberToObject(o, "library", (double)c->part[CYCLES_LIBRARY]);
    cJSON_AddNumberToObject(o, "kernel", (double)c->part[CYCLES_KERNEL]);
    cJSON_AddNumberToObject(json, "instructions", (double)c->instructions);
    cJSON_AddNumberToObject(json, "stack", result->stack_used);
}

const char *report_hex(const uint8_t *bytes, size_t size, struct arena *arena) {
    static const char digits[] = "0123456789abcdef";
    char *hex = arena_alloc(arena, size * 2 + 1);

    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    return hex;
}

void report_memory(const uint8_t *bytes, size_t size, struct cmd_args *args) {
    if (args->json) {
        cJSON_AddStringToObject(args->result, "memory", report_hex(bytes, size, args->arena));
        return;
    }
    for (size_t at = 0; at < size; at += HEX_LINE) {
        printf("memory %04zx:", at);
        for (size_t i = at; i < size && i < at + HEX_LINE; i++)
            printf(" %02x", bytes[i]);
        printf("\n");
    }
}

void report_fault(const struct machine_result *result, const struct diag_loc *loc,
                  struct cmd_args *args) {
    const char *address =
        result->has_address ? arena_printf(args->arena, ", address 0x%08x", result->address) : "";
    const char *detail =
        *result->detail ? arena_printf(args->arena, ": %s", result->detail) : result->detail;

    diag_error(args->diag, DIAG_RUN, loc, NULL, "%s%s (at 0x%08x%s, after %" PRIu64 " cycles)",
               bpf_status_text(result->status), detail, result->pc, address, result->cycles.total);
    if (args->json) {
        cJSON *o = cJSON_AddObjectToObject(args->result, "fault");
        cJSON_AddNumberToObject(o, "status", result->status);
        cJSON_AddStringToObject(o, "text", bpf_status_text(result->status));
        cJSON_AddStringToObject(o, "detail", result->detail);
        cJSON_AddNumberToObject(o, "pc", result->pc);
        if (result->has_address)
            cJSON_AddNumberToObject(o, "address", result->address);
    }
}

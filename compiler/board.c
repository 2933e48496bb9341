/* SPDX-License-Identifier: MIT */
#include "board.h"

#include "bpf/error.h"
#include "device/grant_words.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Programs ---- */

struct cJSON *board_program_json(const struct device_program *p) {
    const struct {
        const char *key;
        uint64_t number;
    } rows[] = {{"seq", p->seq},          {"size", p->size},     {"entries", p->entries},
                {"maps", p->maps},        {"status", p->status}, {"faults", p->faults},
                {"restarts", p->restarts}};
    cJSON *row = cJSON_CreateObject();

    cJSON_AddStringToObject(row, "name", p->name);
    cJSON_AddStringToObject(row, "state", p->state);
    cJSON_AddBoolToObject(row, "enabled", p->enabled);
    cJSON_AddBoolToObject(row, "ram", p->ram);
    cJSON_AddStringToObject(row, "engine", p->engine);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cJSON_AddNumberToObject(row, rows[i].key, (double)rows[i].number);
    if (p->status) {
        cJSON_AddStringToObject(row, "reason", bpf_status_text((enum bpf_status)p->status));
        cJSON_AddNumberToObject(row, "where", (double)p->where);
    }
    return row;
}

const char *board_state(struct cmd_args *args, const struct device_program *p) {
    if (!p->status)
        return p->state;
    return arena_printf(args->arena, "%s: %s%s", p->state,
                        bpf_status_text((enum bpf_status)p->status),
                        device_where(args->arena, (unsigned)p->status, p->where));
}

/* ---- Grants ---- */

bool board_read_grant(struct device *d, const struct cbor_item_t *answer, struct bpf_grant *grant) {
    size_t size = 0;
    const uint8_t *bytes = message_bytes(answer, "grant", d->args->arena, &size);

    if (!bytes || bpf_grant_check(bytes, size))
        return device_nonsense(d, bytes ? bpf_grant_check(bytes, size) : "it has no grant");
    memcpy(grant, bytes, sizeof(*grant));
    return true;
}

static void indent(const char *lines) {
    while (*lines) {
        int length = (int)strcspn(lines, "\n");
        printf("  %.*s\n", length, lines);
        lines += length + (lines[length] == '\n');
    }
}

void board_show_grant(struct cmd_args *args, const struct bpf_grant *grant) {
    const char *text = grant_text(grant, args->arena);

    if (args->json) {
        cJSON_AddStringToObject(args->result, "grant", text);
        return;
    }
    indent(grant_words(grant, args->arena));
    printf("as text: %s\n", text);
}

bool board_parse_grant(struct cmd_args *args, const char *text, struct bpf_grant *grant) {
    struct bpf_grant_error error;

    *grant = bpf_grant_default;
    if (bpf_grant_parse(text, strlen(text), grant, &error))
        return true;
    return diag_error(args->diag, DIAG_USAGE, NULL,
                      "such as `gpio:PD12=out, led:0-3, budget=2ms/10ms`: docs/grant.md",
                      "the grant is wrong at \"%.20s\": expected %s",
                      error.at < strlen(text) ? text + error.at : "", error.expected);
}

/* ---- Maps ---- */

struct cbor_item_t *board_map_request(const char *program, const struct board_map *map) {
    struct cbor_item_t *request = device_named(program);

    message_add_uint(request, "map", map->index);
    return request;
}

static bool read_map(struct device *d, const char *program, struct board_map *map) {
    const struct cbor_item_t *answer =
        device_ask(d, BOARD_MAP, program, board_map_request(program, map));

    if (!answer)
        return false;
    map->name = message_text(answer, "name", d->args->arena);
    if (!map->name || !message_uint(answer, "key", &map->key) ||
        !message_uint(answer, "value", &map->value) || map->key > DEVICE_PACKET ||
        map->value > SMP_BODY_MAX)
        return device_nonsense(d, "a map without name or sizes");
    message_uint(answer, "type", &map->type);
    message_uint(answer, "max", &map->max);
    return true;
}

int board_maps(struct device *d, const char *program, struct board_map **out) {
    enum { MOST = 256 };
    const struct cbor_item_t *answer = device_ask(d, BOARD_INFO, program, device_named(program));
    uint64_t count = 0;

    if (!answer)
        return -1;
    if (!message_uint(answer, "maps", &count) || count > MOST) {
        device_nonsense(d, "a program without a number of maps");
        return -1;
    }
    *out = arena_alloc_array(d->args->arena, count + 1, sizeof(**out));
    for (unsigned i = 0; i < count; i++) {
        (*out)[i].index = i;
        if (!read_map(d, program, &(*out)[i]))
            return -1;
    }
    return (int)count;
}

bool board_find_map(struct device *d, const char *program, const char *map, struct board_map *out) {
    struct board_map *maps;
    int count = board_maps(d, program, &maps);
    char *end;
    unsigned long index = strtoul(map, &end, 10);
    const char *names = "";

    for (int i = 0; i < count; i++) {
        if (strcmp(maps[i].name, map) == 0 || (*map && !*end && (unsigned long)i == index)) {
            *out = maps[i];
            return true;
        }
        names = arena_printf(d->args->arena, "%s%s%s", names, i ? ", " : "it has ", maps[i].name);
    }
    if (count < 0)
        return false;
    return diag_error(d->diag, DIAG_DEVICE, NULL, count ? names : "it has no maps",
                      "%s: there is no map %s", program, map);
}

/* ---- JSON lines ---- */

void board_json_line(struct cmd_args *args, struct cJSON *object) {
    char *text = cJSON_PrintUnformatted(object);

    args->lines = true;
    puts(text);
    fflush(stdout);
    cJSON_free(text);
    cJSON_Delete(object);
}

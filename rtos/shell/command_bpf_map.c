/* SPDX-License-Identifier: MIT
 *
 * `bpf map`: what programs and people tell each other. Keys and values of 1, 2, 4 or 8 bytes are numbers, expressions
 * of the shell when they are given; others are bytes in hexadecimal, lowest address first.
 */
#include "command_bpf.h"
#include "line.h"

#include "bpf/map.h"

#include <string.h>

enum { KEY_MAX = 64, VALUE_MAX = 256, ELEMENTS_SHOWN = 64 };

/* One shell at a time asks, and a stack is small. */
static uint8_t key[KEY_MAX], value[VALUE_MAX];

static const char *type_name(uint32_t type) {
    switch (type) {
#define NAME_OF_TYPE(NAME, number, text)                                                           \
    case number: return text;
        BPF_MAP_TYPES(NAME_OF_TYPE)
#undef NAME_OF_TYPE
    }
    return "unknown";
}

static bool is_number(uint32_t size) {
    return size == 1 || size == 2 || size == 4 || size == 8;
}

static void print_bytes(struct shell *shell, const uint8_t *bytes, uint32_t size) {
    uint64_t number = 0;
    if (is_number(size)) {
        memcpy(&number, bytes, size);
        shell_print(shell, "%llu", (unsigned long long)number);
        return;
    }
    for (uint32_t i = 0; i < size; i++)
        shell_print(shell, "%02x", bytes[i]);
}

static int digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False: the shell has said what is wrong. */
static bool read_bytes(struct shell *shell, const char *text, uint8_t *bytes, uint32_t size) {
    int64_t number;
    if (is_number(size)) {
        if (!shell_value(shell, text, &number))
            return false;
        memcpy(bytes, &number, size);
        return true;
    }
    bool good = strlen(text) == 2 * (size_t)size;
    for (uint32_t i = 0; good && i < size; i++) {
        int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        good = high >= 0 && low >= 0;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    if (!good)
        shell_print(shell, "bpf: %u bytes are %u digits in hexadecimal\n", (unsigned)size,
                    2 * (unsigned)size);
    return good;
}

static int list(struct shell *shell, const char *name) {
    struct program_map map;
    unsigned i = 0;
    enum bpf_status status;
    while (!(status = programs_map(name, i, &map)))
        shell_print(shell, "%u %-15s %-15s key %u, value %u bytes, %u entries\n", i++, map.name,
                    type_name(map.type), (unsigned)map.key_size, (unsigned)map.value_size,
                    (unsigned)map.max_entries);
    return status == BPF_NOT_FOUND && i ? SHELL_DONE : bpf_result(shell, status);
}

/* Index or name of a map. */
static enum bpf_status find(const char *name, const char *text, unsigned *index,
                            struct program_map *map) {
    enum bpf_status status;
    for (*index = 0; !(status = programs_map(name, *index, map)); ++*index)
        if (text_equal(map->name, text) || (text[0] == (char)('0' + *index) && !text[1]))
            return BPF_OK;
    return status;
}

static int show_all(struct shell *shell, const char *name, unsigned index,
                    const struct program_map *map) {
    uint32_t cursor = 0, shown = 0;
    enum bpf_status status;
    while (!(status = programs_map_next(name, index, &cursor, key, value))) {
        if (shown++ == ELEMENTS_SHOWN) {
            shell_print(shell, "...\n");
            return SHELL_DONE;
        }
        print_bytes(shell, key, map->key_size);
        shell_print(shell, ": ");
        print_bytes(shell, value, map->value_size);
        shell_print(shell, "\n");
    }
    return status == BPF_NOT_FOUND ? SHELL_DONE : bpf_result(shell, status);
}

static int get(struct shell *shell, const char *name, unsigned index,
               const struct program_map *map) {
    enum bpf_status status = programs_map_get(name, index, key, value);
    if (status)
        return bpf_result(shell, status);
    print_bytes(shell, value, map->value_size);
    shell_print(shell, "\n");
    return SHELL_DONE;
}

/* argv: get|set|delete NAME MAP [KEY [VALUE]]; nobody replaces the program meanwhile. */
static int access(struct shell *shell, int argc, char **argv) {
    struct program_map map;
    unsigned index;
    enum bpf_status status = find(argv[1], argv[2], &index, &map);
    if (status)
        return bpf_result(shell, status);
    if (map.key_size > KEY_MAX || map.value_size > VALUE_MAX) {
        shell_print(shell, "bpf: it is too large for the shell: bpf2thumb map shows it\n");
        return SHELL_FAILED;
    }
    bool has_key = map.key_size != 0; /* queues and stacks have none */
    int wanted = text_equal(argv[0], "set") ? 4 + has_key : 3 + has_key;
    if (text_equal(argv[0], "get") && argc == 3 && has_key)
        return show_all(shell, argv[1], index, &map);
    if (argc != wanted)
        return SHELL_USAGE;
    if (has_key && !read_bytes(shell, argv[3], key, map.key_size))
        return SHELL_FAILED;
    if (text_equal(argv[0], "get"))
        return get(shell, argv[1], index, &map);
    if (text_equal(argv[0], "delete"))
        return bpf_result(shell, programs_map_delete(argv[1], index, key));
    if (!read_bytes(shell, argv[argc - 1], value, map.value_size))
        return SHELL_FAILED;
    return bpf_result(shell, programs_map_set(argv[1], index, key, value));
}

int bpf_map(struct shell *shell, int argc, char **argv) {
    if (argc == 2)
        return list(shell, argv[1]);
    bool known =
        text_equal(argv[1], "get") || text_equal(argv[1], "set") || text_equal(argv[1], "delete");
    if (argc < 4 || !known)
        return SHELL_USAGE;
    programs_hold();
    int result = access(shell, argc - 1, argv + 1);
    programs_release();
    return result;
}

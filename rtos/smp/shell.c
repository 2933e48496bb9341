/* SPDX-License-Identifier: MIT
 *
 * Group 9: the shell's commands (Zephyr documentation, "Shell management").
 */
#include "rtos/shell.h"
#include "server.h"

enum {
    LINE = 160,   /* more than the shell takes; what is longer is not even begun */
    RESERVED = 24 /* bytes of the answer behind the output */
};

/* The words with blanks between them, as Zephyr does it: one word may be the whole line. */
static bool join(const struct smp_request *r, char line[LINE]) {
    struct cbor_item argv, word;
    if (!cbor_find(r->map, "argv", &argv) || argv.kind != CBOR_ARRAY)
        return false;
    struct cbor in = argv.body;
    uint64_t left = argv.value;
    size_t length = 0;
    while (cbor_element(&argv, &in, &left, &word)) {
        if (word.kind != CBOR_TEXT || word.value + 2 > LINE - length)
            return false;
        if (length)
            line[length++] = ' ';
        if (!cbor_copy_string(&word, line + length, (size_t)word.value))
            return false;
        for (size_t end = length + (size_t)word.value; length < end; length++)
            if (line[length] < ' ' || line[length] > '~')
                return false; /* what nobody could type */
    }
    line[length] = 0;
    return length > 0;
}

/* Where a command's output goes. */
struct output {
    struct cbor_writer *w;
    size_t begin;
    uint32_t lost; /* bytes for which there was no room */
};

static void collect(void *context, const char *text, size_t length) {
    struct output *output = context;
    output->lost += (uint32_t)(length - smp_add_text(output->w, output->begin, text, length));
}

static int execute(struct smp_request *r, struct cbor_writer *w) {
    char line[LINE];
    if (!join(r, line))
        return SMP_BAD_VALUE;
    cbor_text(w, "o");
    cbor_reserve(w, RESERVED);
    struct output output = {.w = w, .begin = cbor_begin_text(w)};
    int result = shell_execute(&(struct shell){collect, &output}, line);
    cbor_end_text(w, output.begin);
    cbor_release(w, RESERVED);
    cbor_text(w, "ret");
    cbor_int(w, result);
    if (output.lost)
        smp_put_uint(w, "lost", output.lost);
    return SMP_OK;
}

static const struct smp_command commands[] = {[0] = {.write = execute}};

const struct smp_service smp_service_shell = {
    .group = SMP_GROUP_SHELL,
    .count = sizeof(commands) / sizeof(commands[0]),
    .commands = commands,
};

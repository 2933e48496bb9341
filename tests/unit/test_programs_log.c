/* SPDX-License-Identifier: MIT */
/* What programs print: a line is a line, whoever reads late is told what is missing. */
#include "rtos/bpf/log.c"

#include <criterion/criterion.h>

static const struct domain domain = {.name = "blink"};

uint32_t kernel_lock(void) {
    return 0;
}

void kernel_unlock(uint32_t key) {
    (void)key;
}

static const char *read_log(uint32_t *cursor, uint32_t *lost) {
    static char out[LOG_SIZE + 1];
    out[programs_log(cursor, lost, out, LOG_SIZE)] = '\0';
    return out;
}

static void say(const char *line) {
    domain_log(&domain, line, (uint32_t)strlen(line));
}

Test(programs_log, a_line_is_one_line_of_plain_text) {
    uint32_t cursor = 0, lost;
    say("on\n");
    say("off");
    say("");
    say("\n");
    say("a\nother: b\x1b[2J\x80\x9b\tc\n");
    domain_log(&domain, "1\0002", 3);
    cr_expect_str_eq(
        read_log(&cursor, &lost),
        "blink: on\nblink: off\nblink: \nblink: \nblink: a?other: b?[2J???c\nblink: 1?2\n");
    cr_expect_eq(lost, 0);
    cr_expect_str_empty(read_log(&cursor, &lost));
}

Test(programs_log, each_byte_at_each_place) {
    for (unsigned at = 0; at < 4; at++)
        for (unsigned byte = 0; byte < 256; byte++) {
            uint8_t bytes[4] = {'a', ' ', '~', '?'}, wanted[4];
            bytes[at] = (uint8_t)byte;
            memcpy(wanted, bytes, 4);
            wanted[at] = byte >= ' ' && byte <= '~' ? (uint8_t)byte : '?';
            uint32_t word;
            memcpy(&word, bytes, 4);
            word = printable(word);
            cr_expect_arr_eq(&word, wanted, 4, "%x at %u", byte, at);
        }
}

Test(programs_log, the_newest_are_kept) {
    uint32_t cursor = 0, lost;
    enum { LINE = 7 + 100 + 1 };
    char line[100];
    memset(line, 'x', sizeof(line));
    for (unsigned i = 0; i < 50; i++)
        domain_log(&domain, line, sizeof(line));
    cr_expect_eq(strlen(read_log(&cursor, &lost)), LOG_SIZE);
    cr_expect_eq(lost, 50 * LINE - LOG_SIZE);
    say("last");
    cr_expect_str_eq(read_log(&cursor, &lost), "blink: last\n");
    cr_expect_eq(lost, 0);
}

/* SPDX-License-Identifier: MIT */
/* The shell's commands on a mock of the board: what is typed, and what is answered. */
#include "rtos/console.h"
#include "rtos/shell/expression.h"
#include "rtos/shell/session.h"
#include "shell/mock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static jmp_buf ended;
static struct session session;

static void to_console(void *context, const char *text, size_t length) {
    (void)context;
    console_write(CONSOLE_INTERACTIVE, text, length);
}

static void start(void) {
    mock_start(&ended);
    session_init(&session, (struct shell){to_console, NULL});
    mock_take();
}

/* What the shell prints behind the echo of the line, without the next prompt. */
static const char *answer(const char *line) {
    static char text[MOCK_OUTPUT];
    for (const char *c = line; *c; c++)
        session_feed(&session, (uint8_t)*c);
    mock_take();
    session_feed(&session, '\r');
    const char *all = mock_take();
    size_t length = strlen(all);
    cr_assert(length >= 3 && !strcmp(all + length - 2, "> "), "no prompt behind: %s", all);
    snprintf(text, sizeof(text), "%.*s", (int)length - 3, all + 1);
    return text;
}

/* An empty answer: the command is content. */
static const struct {
    const char *line, *answer;
} dialogue[] = {
    {"", ""},
    {"    ", ""},
    {"version", "bpf2thumb 0.1.0 on mock board, 1 MHz\n"},
    {"  version  ", "bpf2thumb 0.1.0 on mock board, 1 MHz\n"},
    {"\"version\"", "bpf2thumb 0.1.0 on mock board, 1 MHz\n"},
    {"versio", "versio: no such command; `help` lists them\n"},
    {"version 1", "usage: version\n"},
    {"\"ver", "ver: no such command; `help` lists them\n"},
    {"led \"green on", "shell: a \" is missing\n"},
    {"gpio 1 2 3 4 5 6 7 8", "shell: too many words\n"},
    {"gpio 1 2 3 4 5 6 7",
     "usage: gpio [read PIN | write PIN LEVEL | toggle PIN | mode PIN MODE]\n"},
    {"help led", "led COLOUR on|off|toggle\n  switches an LED\n"},
    {"help me", "help: there is no command me\n"},
    {"print 6*7", "42 (0x2a)\n"},
    {"print -1", "-1 (0xffffffffffffffff)\n"},
    {"print 1 +* 2", "a number, a variable or ( is expected here:\n  1 +* 2\n     ^\n"},
    {"print 5/(2-2)", "division by zero:\n  5/(2-2)\n   ^\n"},
    {"set x = 5 * 3", ""},
    {"set y x+1", ""},
    {"print x*y", "240 (0xf0)\n"},
    {"print", "x               = 15 (0xf)\ny               = 16 (0x10)\n"},
    {"set", "x               = 15 (0xf)\ny               = 16 (0x10)\n"},
    {"set x", "usage: set [NAME = EXPRESSION]\n"},
    {"set 5 = 5", "usage: set [NAME = EXPRESSION]\n"},
    {"set x-1", "usage: set [NAME = EXPRESSION]\n"},
    {"set x =", "a number, a variable or ( is expected here:\n  \n  ^\n"},
    {"set a_name_with_more = 1", "set: a name has at most 15 characters\n"},
    {"unset x", ""},
    {"unset x", "unset: there is no variable x\n"},
    {"unset", "usage: unset NAME\n"},
    {"print x", "there is no such variable (set NAME = VALUE makes one):\n  x\n  ^\n"},
    {"gpio", "USER         PA0   0  button\nLD4          PD12  0  green LED\n"},
    {"gpio write PD12 1", ""},
    {"gpio read PD12", "1\n"},
    {"gpio toggle LD4", ""},
    {"gpio read LD4", "0\n"},
    {"gpio write LD4 y>15", ""},
    {"gpio read LD4", "1\n"},
    {"gpio write LD4 1/0", "division by zero:\n  1/0\n   ^\n"},
    {"gpio read PJ1", "PJ1: no such pin; PD12 is one, and `gpio` lists those with a use\n"},
    {"gpio read \"P D\"1", "P D1: no such pin; PD12 is one, and `gpio` lists those with a use\n"},
    {"gpio read PD16", "PD16: no such pin; PD12 is one, and `gpio` lists those with a use\n"},
    {"gpio read PD", "PD: no such pin; PD12 is one, and `gpio` lists those with a use\n"},
    {"gpio read PD4294967297",
     "PD4294967297: no such pin; PD12 is one, and `gpio` lists those with a use\n"},
    {"gpio read PH15",
     "gpio: this board, or this model of it, has no such hardware (status 220)\n"},
    {"gpio mode PD12 sideways",
     "usage: gpio [read PIN | write PIN LEVEL | toggle PIN | mode PIN MODE]\n"},
    {"led green off", ""},
    {"gpio read LD4", "0\n"},
    {"led pink on", "usage: led COLOUR on|off|toggle\n"},
    {"led red onn", "usage: led COLOUR on|off|toggle\n"},
    {"uptime", "0 days 00:00:00, 0 ticks\n"},
    {"tasks 0", "tasks: an interval has 1 to 60000 ms\n"},
    {"tasks 100", "task         state     prio   cpu %     cpu ms  stack stack unused\n"
                  "console      ready       10    25.0         25    256           96\n"
                  "idle         ready        0    75.0         75    256           96\n"},
    {"uptime", "0 days 00:00:00, 100 ticks\n"},
    {"mem", "memory          address      size      used      free\nRAM          0x20000000      "
            "1000       400       600\n"},
    {"crash", "the run before did not end in a crash\n"},
    {"crash then", "usage: crash [now]\n"},
    {"log", ""},
    {"log never", "usage: log [clear]\n"},
    {"selftest sem", ""},
    {"selftest all", "selftest: there is no suite all; there are: sched sem\n"},
    {"console rtt maybe", "usage: console [uart|rtt|log|semihost on|off]\n"},
    {"console semihost on",
     "console: this board, or this model of it, has no such hardware (status 220)\n"},
    {"exit 3/", "a number, a variable or ( is expected here:\n  3/\n    ^\n"},
    {"exit 3", "exit: nobody answers semihosting calls\n"},
};

Test(shell_command, dialogue) {
    start();
    if (setjmp(ended))
        cr_assert_fail("the system ended");
    for (size_t i = 0; i < sizeof(dialogue) / sizeof(dialogue[0]); i++)
        cr_expect_str_eq(answer(dialogue[i].line), dialogue[i].answer, "%s: %s", dialogue[i].line,
                         answer(dialogue[i].line));
    cr_assert_eq(mock.exit_code, 3);
    cr_assert_eq(mock.panics + mock.resets, 0);
}

/* What is printed of an interval does not grow while it is printed. */
Test(shell_command, tasks_at_one_moment) {
    start();
    mock.write_cycles = 40000;
    cr_expect_str_eq(answer("tasks 100"),
                     "task         state     prio   cpu %     cpu ms  stack stack unused\n"
                     "console      ready       10    25.0         25    256           96\n"
                     "idle         ready        0    75.0         75    256           96\n");
}

Test(shell_command, pins) {
    start();
    answer("gpio mode PB7 pull-up");
    cr_assert_eq(mock.configured, 16u + 7);
    cr_assert_eq(mock.mode, 1);
    answer("led blue on");
    cr_assert(mock.pins[63]);
    cr_assert_eq(mock.mode, 3, "an output");
    answer("led blue toggle");
    cr_assert_not(mock.pins[63]);
}

Test(shell_command, ends) {
    start();
    if (!setjmp(ended))
        answer("reset");
    cr_assert_eq(mock.resets, 1);
    session_init(&session, (struct shell){to_console, NULL});
    if (!setjmp(ended))
        answer("crash now");
    cr_assert_eq(mock.panics, 1);
    session_init(&session, (struct shell){to_console, NULL});
    mock.crashed = true;
    cr_assert_str_eq(answer("crash"), "crash record of the run before:\nlost\n");
}

Test(shell_command, help_lists_all_in_order) {
    char last[32] = "", name[32];
    start();
    unsigned count = 0;
    for (const char *line = answer("help"); *line; line = strchr(line, '\n') + 1, count++) {
        cr_assert_eq(sscanf(line, "%31s", name), 1);
        if (!strcmp(name, "help") && !strncmp(line, "help COMMAND", 12))
            break;
        cr_assert_lt(strcmp(last, name), 0, "%s, then %s", last, name);
        strcpy(last, name);
        cr_assert_str_eq(shell_command_at(count)->name, name);
    }
    cr_assert_gt(count, 14u);
    cr_assert_null(shell_command_at(count));
}

Test(shell_command, log_shows_what_was_printed) {
    start();
    console_write(CONSOLE_ALL, "one\ntwo \x01\x80", 10);
    cr_assert_str_eq(answer("log"), "one\ntwo ..\n");
    cr_assert_str_eq(answer("log"), "one\ntwo ..\n", "an answer is not logged");
    cr_assert_str_eq(answer("log clear"), "");
    cr_assert_str_eq(answer("log"), "");
}

Test(shell_command, sinks) {
    start();
    cr_assert_str_eq(answer("console log off"), "");
    console_write(CONSOLE_ALL, "gone", 4);
    cr_assert_str_eq(answer("log"), "");
    mock.semihost = true;
    cr_assert_str_eq(answer("console semihost on"), "");
    console_write(CONSOLE_ALL, "hello", 5);
    cr_assert_str_eq(mock.semihosted, "hello");
    cr_assert_not_null(strstr(answer("console"), "semihost  on   0 bytes dropped"));
    cr_assert_not_null(strstr(answer("console"), "log       off  0 bytes dropped"));
}

/* typed, and what then stands in the line */
static const struct {
    const char *typed, *text;
} completions[] = {
    {"ver\t", "version "},
    {"u\t", "u"},
    {"up\t", "uptime "},
    {"gpio w\t", "gpio write "},
    {"gpio read L\t", "gpio read LD4 "},
    {"gpio mode LD4 p\t", "gpio mode LD4 pull-"},
    {"  led g\t\ton\t", "  led green on "},
    {"selftest se\t", "selftest sem "},
    {"nothing x\t", "nothing x"},
    {"version x\t", "version x"},
    {"help ver\t", "help version "},
    {"help version x\t", "help version x"},
    {"console semi\tof\t", "console semihost off "},
    {"print lo\t", "print long_name "},
    {"log \t", "log clear "},
    {"crash \t", "crash now "},
};

Test(shell_command, completion) {
    start();
    variable_set("long_name", 9, 1);
    for (size_t i = 0; i < sizeof(completions) / sizeof(completions[0]); i++) {
        session_feed(&session, 0x15); /* kill line */
        for (const char *c = completions[i].typed; *c; c++)
            session_feed(&session, (uint8_t)*c);
        cr_expect_str_eq(session.line.text, completions[i].text, "%s: %s", completions[i].typed,
                         session.line.text);
    }
}

Test(shell_command, bad_lines_are_not_carried_out) {
    char many[200];
    start();
    snprintf(many, sizeof(many), "gpio write LD4 1 %0*d", LINE_MAX, 0);
    cr_assert_str_eq(answer(many), "shell: longer than 120 characters: not carried out\n");
    cr_assert_str_eq(
        answer("gpio write LD4 1\x80"),
        "shell: 1 bytes of noise came with this line (wrong speed?): not carried out\n");
    cr_assert_not(mock.pins[60]);
    cr_assert_eq(shell_execute(&session.shell, strcat(many, "12345678")), SHELL_FAILED);
    cr_assert_str_eq(answer("print 6*7"), "42 (0x2a)\n");
}

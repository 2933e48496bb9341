/* SPDX-License-Identifier: MIT */
/* bpf2thumb-emu board: firmware on the virtual STM32F407, its console on the terminal. */
#include "board/board.h"
#include "board/host.h"
#include "board/image.h"
#include "board/terminal.h"
#include "commands.h"
#include "desk/desk.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPT_SERIAL = CMD_LONG,
    OPT_UART,
    OPT_FLASH,
    OPT_STLINK,
    OPT_VIEW,
    OPT_STIMULI,
    OPT_MOTOR,
    OPT_MODEL,
    OPT_CUT,
    OPT_CUT_FLASH,
    OPT_IRQ,
    OPT_MAX,
    OPT_PACE,
    OPT_NO_CRYSTAL,
    OPT_ADC,
    OPT_LIS302DL,
    OPT_MASKED,
    CONSOLE_USART = 2,
    SERIAL_JSON_MAX = 1 << 20,
};

static const struct cmd_option options[] = {
    {OPT_SERIAL, "serial", "WHERE",
     "where USART2 leads: stdio, none, pty, tcp:PORT (default: stdio)", "stdio none pty tcp:"},
    {OPT_UART, "uart", "N=WHERE",
     "where another USART leads, 1 to 6: pty, tcp:PORT, loop (back to itself); may be repeated",
     NULL},
    {OPT_STLINK, "stlink", "PORT", "an ST-LINK at this port of the PC, for OpenOCD (0: any port)",
     NULL},
    {OPT_VIEW, "view", NULL, "LEDs, PWM and button in the last line; Ctrl-A b presses the button",
     NULL},
    {OPT_STIMULI, "stimuli", "FILE", "what happens from outside, and when: docs/board.md", NULL},
    {OPT_MOTOR, "motor", NULL, "a motor at TIM1's PWM (PE9), its shaft at the encoder", NULL},
    {OPT_FLASH, "flash", "FILE", "the flash lives in FILE and outlives the run", NULL},
    {OPT_MODEL, "model", "M", "cycle model: r (no wait states) or f (flash with ART; default: r)",
     "r f"},
    {OPT_PACE, "pace", "P",
     "real: not faster than a board; fast (default: real on a terminal, else fast)", "real fast"},
    {OPT_MAX, "max-cycles", "N", "end after N cycles, with exit status 1", NULL},
    {OPT_CUT, "cut-power-at", "N", "power goes at cycle N", NULL},
    {OPT_CUT_FLASH, "cut-flash-at", "N", "power goes in the middle of the flash's N-th operation",
     NULL},
    {OPT_IRQ, "irq-every", "N", "an empty interrupt every N instructions of thread code", NULL},
    {OPT_NO_CRYSTAL, "no-crystal", NULL, "the board's crystal is broken", NULL},
    {OPT_ADC, "adc", "FILE", "what the ADC's channels see: docs/board-devices.md", NULL},
    {OPT_LIS302DL, "lis302dl", NULL, "the accelerometer of early boards", NULL},
    {OPT_MASKED, "masked", NULL,
     "say at the end where interrupts were masked, and how long at most", NULL},
    {0},
};

struct options {
    const char *flash;
    bool terminal; /* the console is on standard input and output */
    bool real_time, fast;
    struct desk_options desk;
    unsigned long long max_cycles;
    struct board_config config;
    bool masked; /* to be reported */
};

static bool choose(struct cmd_args *args, const char *option, const char *first, const char *second,
                   bool *is_second) {
    *is_second = strcmp(args->value, second) == 0;
    if (*is_second || strcmp(args->value, first) == 0)
        return true;
    return diag_error(args->diag, DIAG_USAGE, NULL, NULL, "%s is %s or %s, not '%s'", option, first,
                      second, args->value);
}

static bool number(struct cmd_args *args, const char *option, uint64_t *value) {
    unsigned long long n = 0;
    bool ok = cmd_number(args, option, args->value, 1, UINT64_MAX, &n);
    *value = n;
    return ok;
}

/* A file that is opened at the first conversion only. */
static bool adc_file(struct cmd_args *args, struct options *o) {
    o->config.adc_file = args->value;
    return access(args->value, R_OK) == 0 ||
           diag_error(args->diag, DIAG_USAGE, NULL, NULL, "--adc: %s: %s", args->value,
                      strerror(errno));
}

/* 3=tcp:4000 */
static bool other_line(struct cmd_args *args, struct options *o) {
    const char *value = args->value;
    unsigned usart =
        value[0] >= '1' && value[0] <= '0' + BOARD_USARTS ? (unsigned)(value[0] - '0') : 0;

    if (usart == 0 || value[1] != '=')
        return diag_error(args->diag, DIAG_USAGE, NULL, "write --uart 3=tcp:4000",
                          "--uart is the number of a USART, 1 to %d, and where it leads, not '%s'",
                          BOARD_USARTS, value);
    if (usart == CONSOLE_USART)
        return diag_error(args->diag, DIAG_USAGE, NULL, NULL, "use --serial for USART%d",
                          CONSOLE_USART);
    o->desk.serial[usart] = value + 2;
    return true;
}

static bool parse(struct cmd_args *args, struct options *o) {
    unsigned long long port = 0;
    uint64_t max = 0;

    for (int id; (id = cmd_next(args)) != 0;) {
        bool ok = true;
        switch (id) {
        case OPT_SERIAL:
            o->terminal = strcmp(args->value, "stdio") == 0;
            o->desk.serial[CONSOLE_USART] =
                o->terminal || strcmp(args->value, "none") == 0 ? NULL : args->value;
            break;
        case OPT_UART: ok = other_line(args, o); break;
        case OPT_STLINK:
            o->desk.stlink = true;
            ok = cmd_number(args, "--stlink", args->value, 0, 65535, &port);
            o->desk.stlink_port = (unsigned)port;
            break;
        case OPT_VIEW: o->desk.view = true; break;
        case OPT_MOTOR: o->desk.motor = true; break;
        case OPT_STIMULI: o->desk.stimuli = args->value; break;
        case OPT_FLASH: o->flash = args->value; break;
        case OPT_MODEL: ok = choose(args, "--model", "r", "f", &o->config.model_f); break;
        case OPT_PACE:
            ok = choose(args, "--pace", "real", "fast", &o->fast);
            o->real_time = !o->fast;
            break;
        case OPT_MAX:
            ok = number(args, "--max-cycles", &max);
            o->max_cycles = max;
            break;
        case OPT_CUT: ok = number(args, "--cut-power-at", &o->config.cut_power_at); break;
        case OPT_CUT_FLASH: ok = number(args, "--cut-flash-at", &o->config.cut_flash_at); break;
        case OPT_IRQ: ok = number(args, "--irq-every", &o->config.irq_every); break;
        case OPT_NO_CRYSTAL: o->config.no_crystal = true; break;
        case OPT_ADC: ok = adc_file(args, o); break;
        case OPT_LIS302DL: o->config.lis302dl = true; break;
        case OPT_MASKED: o->masked = true; break;
        default: ok = false;
        }
        if (!ok)
            return false;
    }
    if (!cmd_operands(args, 0, 1))
        return false;
    return args->argc || o->flash || o->desk.stlink ||
           diag_error(args->diag, DIAG_USAGE, NULL,
                      "name an ELF file, or an image that has firmware in it: --flash FILE",
                      "there is nothing to run");
}

/* ------------------------------------------------------------------------------------------------
 * What the board says */

struct console {
    struct desk desk;
    bool terminal;
    bool json; /* kept for the result, else written */
    char *text;
    size_t length;
};

static void console_write(struct console *c, const void *bytes, size_t length) {
    if (!c->json) {
        terminal_write(bytes, length);
        return;
    }
    if (c->length + length > SERIAL_JSON_MAX)
        return;
    c->text = realloc(c->text, c->length + length + 1);
    if (!c->text)
        abort();
    memcpy(c->text + c->length, bytes, length);
    c->text[c->length += length] = 0;
}

static void on_serial(void *user, unsigned usart, uint8_t byte) {
    struct console *c = user;

    if (c->desk.serial[usart])
        serial_put(c->desk.serial[usart], byte);
    else if (usart == CONSOLE_USART && c->terminal)
        console_write(c, &byte, 1);
}

static void on_semihost(void *user, const char *text, size_t length) {
    console_write(user, text, length);
}

static void on_note(void *user, const char *text) {
    const struct console *c = user;

    if (!c->json)
        fprintf(stderr, "board: %s\n", text);
}

/* ------------------------------------------------------------------------------------------------
 * The run */

static const char *const stop_names[] = {
    [BOARD_RAN] = "ran",          [BOARD_HALTED] = "halted",     [BOARD_EXITED] = "exited",
    [BOARD_LOCKED_UP] = "lockup", [BOARD_NO_POWER] = "no-power",
};

static void report_json(struct cmd_args *args, const struct board *b, enum board_stop stop,
                        const struct console *c) {
    cJSON_AddStringToObject(args->result, "stop", stop_names[stop]);
    if (stop == BOARD_EXITED)
        cJSON_AddNumberToObject(args->result, "exit_code", board_exit_code(b));
    cJSON_AddNumberToObject(args->result, "cycles", (double)board_cycles(b));
    cJSON_AddNumberToObject(args->result, "instructions", (double)board_instructions(b));
    cJSON_AddNumberToObject(args->result, "ns", (double)board_ns(b));
    cJSON_AddNumberToObject(args->result, "flash_operations", (double)board_flash_operations(b));
    cJSON_AddStringToObject(args->result, "serial", c->text ? c->text : "");
    struct board_masked masked = board_longest_masked(b, 0);
    cJSON *object = cJSON_AddObjectToObject(args->result, "masked");
    cJSON_AddNumberToObject(object, "cycles", (double)masked.cycles);
    cJSON_AddNumberToObject(object, "from", masked.from);
    cJSON_AddNumberToObject(object, "to", masked.to);
}

static void report_masked(const struct board *b) {
    struct board_masked m;

    for (unsigned rank = 0; m = board_longest_masked(b, rank), m.cycles; rank++)
        fprintf(stderr,
                "masked: %" PRIu64 " cycles, from %08" PRIx32 " to %08" PRIx32
                ", called from %08" PRIx32 "\n",
                m.cycles, m.from, m.to, m.caller);
}

static void report_lockup(struct cmd_args *args, struct board *b) {
    uint32_t pc = board_pc(b), code = 0;
    bool blank = board_debug_read(b, pc & ~1u, 2, &code) && code == 0xFFFF;

    diag_error(args->diag, DIAG_RUN, NULL,
               blank ? "the flash is blank there: program the whole firmware"
                     : "a fault came while a fault was handled; look at the vector table and stack",
               "the core has locked up after %" PRIu64 " cycles, at %08" PRIx32, board_cycles(b),
               pc);
}

static void report(struct cmd_args *args, struct board *b, const struct host *host,
                   enum board_stop stop) {
    switch (stop) {
    case BOARD_EXITED: args->status = board_exit_code(b) ? CMD_REFUSED : CMD_DONE; break;
    case BOARD_LOCKED_UP: report_lockup(args, b); break;
    case BOARD_NO_POWER:
        if (!args->json)
            fprintf(stderr, "board: power was cut at cycle %" PRIu64 "\n", board_cycles(b));
        break;
    case BOARD_RAN:
        if (!host->leave)
            diag_error(args->diag, DIAG_RUN, NULL, NULL, "it did not end within --max-cycles");
        break;
    case BOARD_HALTED: break;
    }
}

static bool take_key(void *user, uint8_t key) {
    return desk_key(user, key);
}

/* To the end, with all that is on the desk; terminal and sockets are as before then. */
static void run_host(struct cmd_args *args, struct host *host, const struct options *o,
                     struct console *c) {
    if (o->terminal)
        terminal_open(host, CONSOLE_USART);
    terminal_keys(take_key, &c->desk);
    enum board_stop stop = host_run(host);
    terminal_close();
    desk_close(&c->desk);
    if (args->json)
        report_json(args, host->board, stop, c);
    report(args, host->board, host, stop);
    if (o->masked && !args->json)
        report_masked(host->board);
}

static void run_board(struct cmd_args *args, struct options *o) {
    struct console console = {.json = args->json, .terminal = o->terminal};

    o->config.listener = (struct board_listener){
        .user = &console, .serial = on_serial, .semihost = on_semihost, .note = on_note};
    struct board *b = board_new(&o->config);
    struct host host = {.board = b,
                        .max_cycles = o->max_cycles,
                        .real_time = o->real_time || (!o->fast && isatty(STDIN_FILENO))};
    if (desk_open(&console.desk, &host, &o->desk, args->arena, args->diag))
        run_host(args, &host, o, &console);
    else
        desk_close(&console.desk);
    board_free(b);
    free(console.text);
    host_signal();
}

/* With a probe a blank board is what one begins with. */
static bool has_firmware(struct cmd_args *args, const struct options *o) {
    return o->desk.stlink || !image_is_blank(o->config.flash) ||
           diag_error(args->diag, DIAG_RUN, NULL,
                      "name an ELF file of firmware, or program one: --stlink and OpenOCD",
                      "the flash is blank where a reset begins: there is nothing to run");
}

static void run(struct cmd_args *args) {
    struct options o = {.terminal = true, .desk = {.usart = CONSOLE_USART}};

    if (!parse(args, &o))
        return;
    uint8_t *flash = image_open(o.flash, args->diag);
    o.config.flash = flash;
    if (flash && (args->argc == 0 || image_load(flash, args->argv[0], args->arena, args->diag)) &&
        has_firmware(args, &o))
        run_board(args, &o);
    image_close(flash);
}

const struct cmd cmd_board = {
    .name = "board",
    .brief = "run firmware on a virtual STM32F407 Discovery board",
    .operands = "[X.elf]",
    .about = "The whole chip: Cortex-M4F, memories and devices (docs/board.md). USART2 is on the "
             "terminal; Ctrl-A x leaves. The exit status is 0 when the guest leaves by semihosting "
             "with code 0.",
    .example =
        "bpf2thumb board build/firmware/stm32f407.elf\n"
        "bpf2thumb board --flash board.img --cut-power-at 50000 build/firmware/stm32f407.elf",
    .options = options,
    .run = run,
};

/* SPDX-License-Identifier: MIT */
#include "device/device.h"

#include "bpf/blob.h"
#include "bpf/error.h"
#include "bpf/grant.h"
#include "bpf/helper.h"
#include "util/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAUD = 115200, TIMEOUT_MS = 2000 };

/* ---- Options ---- */

static bool parse_timeout(struct cmd_args *args, int *timeout) {
    char *end;
    double seconds = strtod(args->value, &end);

    if (end == args->value || *end || !(seconds >= 0.01 && seconds <= 3600))
        return diag_error(args->diag, DIAG_USAGE, NULL, "seconds, such as 0.5 or 10",
                          "--timeout: %s is not a number from 0.01 to 3600", args->value);
    *timeout = (int)(seconds * 1000);
    return true;
}

bool device_option(struct cmd_args *args, int id, struct device_place *place) {
    unsigned long long number;

    switch (id) {
    case 'p': place->port = args->value; return true;
    case OPT_BAUD:
        if (!cmd_number(args, "--baud", args->value, 50, 12000000, &number))
            return false;
        place->baud = (unsigned)number;
        return true;
    case OPT_TIMEOUT: return parse_timeout(args, &place->timeout);
    default: return false;
    }
}

bool device_parse(struct cmd_args *args, struct device_place *place, int min, int max) {
    for (int id; (id = cmd_next(args)) != 0;)
        if (!device_option(args, id, place))
            return false;
    return cmd_operands(args, min, max);
}

/* ---- Failures as messages ---- */

/* What to do about a refusal, where the text alone does not say it. */
static const char *mend_of(const struct device *d) {
    if (!d->refusal.in_group)
        return d->refusal.status == SMP_NOT_SUPPORTED
                   ? "the firmware does not know this command: update it"
                   : NULL;
    switch (d->refusal.status) {
    case BPF_NOT_FOUND: return "see what there is with `bpf2thumb list`, `info NAME`, `map NAME`";
    case BPF_BUSY: return "try again; if it stays so, `bpf2thumb reset`";
    case BPF_BLOB_ABI:
    case BPF_LIBRARY: return "compiler and firmware must be of one version: update one of them";
    case BPF_BLOB_CRC:
    case BPF_OFFSET: return "install it again";
    case BPF_BLOB_HELPER: return "update the firmware, or do without";
    case BPF_BLOB_SECTION:
    case BPF_PERIOD:
        return "docs/domains.md says what a board takes, which is less than the emulator";
    case BPF_EXISTS: return "`bpf2thumb remove NAME` first, or install it without --ram";
    case BPF_TOO_LARGE: return "make it smaller: docs/limits.md has the numbers";
    case BPF_NOT_THERE: return "grant what this board has: docs/discovery.md";
    case BPF_FAULTED: return "`bpf2thumb info NAME` and `bpf2thumb stats NAME` say more";
    case BPF_NOT_GRANTED: return "give what it needs with --grant, or `bpf2thumb grant NAME TEXT`";
    case BPF_OUTPUT:
        return "give it other outputs with --grant, or disable or remove the other program";
    case BPF_RAM: return "raise ram= in its grant, or make its maps smaller";
    case BPF_NO_RAM: return "disable or remove a program, or make its maps smaller";
    case BPF_NO_ROOM: return "remove a program, then `bpf2thumb compact`";
    case BPF_TOO_MANY:
        return "disable or remove a program, delete an element of the map, or use fewer hooks: "
               "docs/limits.md has the numbers";
    case BPF_DISABLED: return "`bpf2thumb enable NAME` first";
    case BPF_STOPPED: return "`bpf2thumb enable NAME` starts it again; `info NAME` says more";
    case BPF_GRANT_STORED: return "give it another: `bpf2thumb grant NAME TEXT`";
    case BPF_FLASH:
        return "`bpf2thumb reset` reads the store anew; if it stays so, the flash is worn out: "
               "`install --ram` does without";
    case BPF_STORE_CORRUPT: return "`bpf2thumb doctor --format` empties it; all programs are lost";
    default: return NULL;
    }
}

const char *device_where(struct arena *arena, unsigned status, uint64_t where) {
    const struct bpf_helper *helper =
        where <= UINT32_MAX ? bpf_helper_by_id((uint32_t)where) : NULL;
    char name[BPF_OUTPUT_NAME];

    switch (status) {
    case BPF_RAM:
    case BPF_NO_RAM: return arena_printf(arena, " (it needs %" PRIu64 " bytes)", where);
    case BPF_BLOB_HELPER:
    case BPF_NOT_GRANTED: /* a helper, or the row of a program whose hook it is */
        if (helper)
            return arena_printf(arena, " (bpf_%s())", helper->name);
        break;
    case BPF_OUTPUT:
        bpf_output_name((uint32_t)where, name);
        return arena_printf(arena, " (%s)", name);
    case BPF_PERIOD:
    case BPF_BLOB_SECTION:
    case BPF_PLACE: break;
    default:
        if (status < BPF_BLOB_TRUNCATED || status > BPF_FAULT_ALIGN)
            return "";
    }
    return arena_printf(arena, " (at offset %" PRIu64 " of the blob)", where);
}

bool device_refused(struct device *d, const char *about) {
    const char *text = d->refusal.in_group ? bpf_status_text(d->refusal.status)
                                           : smp_error_text(d->refusal.status);
    size_t length = strlen(text);
    const char *said = d->refusal.text ? d->refusal.text : text, *more = "", *where = "";

    if (strncmp(said, text, length) == 0)
        more = said + length; /* it knows the names of other programs, for example */
    else                      /* it is of another version */
        more = arena_printf(d->args->arena, ": %s", said);
    if (!*more && d->refusal.has_where && d->refusal.in_group)
        where = device_where(d->args->arena, d->refusal.status, d->refusal.where);
    return diag_error(d->diag, DIAG_DEVICE, NULL, mend_of(d), "%s%s%s%s%s", about ? about : "",
                      about ? ": " : "", text, more, where);
}

bool device_store_is_good(struct device *d) {
    if (!d->hello.store)
        return true;
    memset(&d->refusal, 0, sizeof(d->refusal));
    d->refusal.in_group = true;
    d->refusal.status = (unsigned)d->hello.store;
    return device_refused(d, "the store");
}

bool device_status_is(const struct device *d, unsigned status) {
    return d->refusal.in_group && d->refusal.status == status;
}

bool device_nonsense(struct device *d, const char *what) {
    return diag_error(d->diag, DIAG_DEVICE, NULL,
                      "firmware and bpf2thumb may be of different versions: `bpf2thumb doctor`",
                      "the board's answer makes no sense: %s", what);
}

/* Nothing came back. What came instead says why. */
static bool report_silence(struct device *d, int timeout, uint32_t text, uint32_t broken,
                           uint32_t late) {
    const char *seconds = arena_printf(d->args->arena, "%g", timeout / 1000.0);

    if (broken)
        return diag_error(d->diag, DIAG_IO, NULL,
                          "a lower --baud, a shorter cable; is another program using the port?",
                          "no answer within %s s on %s: %u damaged frame%s came", seconds, d->port,
                          broken, broken == 1 ? "" : "s");
    if (late)
        return diag_error(d->diag, DIAG_IO, NULL, "raise --timeout",
                          "no answer within %s s on %s, but %u to earlier questions", seconds,
                          d->port, late);
    if (text)
        return diag_error(
            d->diag, DIAG_IO, NULL,
            line_is_serial(d->line) ? "is --baud right, and is this bpf2thumb's firmware?"
                                    : "is this bpf2thumb's firmware?",
            "no answer within %s s on %s, only %u bytes of other text", seconds, d->port, text);
    return diag_error(d->diag, DIAG_IO, NULL,
                      "is the board on, is the port right, is another program using it?",
                      "no answer within %s s on %s", seconds, d->port);
}

/* ---- Asking ---- */

/* {"rc": n}, or {"err": {"group": g, "rc": n}} of version 2 */
static bool read_refusal(struct device *d, const struct cbor_item_t *answer) {
    const struct cbor_item_t *err = message_map(answer, "err");
    uint64_t status = 0, group = 0;

    memset(&d->refusal, 0, sizeof(d->refusal));
    if (err)
        message_uint(err, "group", &group);
    if (!message_uint(err ? err : answer, "rc", &status) || (status == 0 && !err))
        return false;
    d->refusal.in_group = err && group == SMP_GROUP_PROGRAMS;
    d->refusal.status = status > UINT32_MAX ? UINT32_MAX : (unsigned)status;
    d->refusal.has_where = message_uint(answer, "where", &d->refusal.where) && d->refusal.where;
    d->refusal.text = message_text(answer, "text", d->args->arena);
    return true;
}

static enum device_result exchange(struct device *d, struct smp_question *q,
                                   struct cbor_item_t *request) {
    uint32_t text = d->client.text, broken = smp_client_broken(&d->client), late = d->client.late;
    struct arena *scratch = arena_new();
    struct smp_answer answer = {0};

    if (!request)
        request = message_new();
    q->body = message_bytes_of(request, scratch, &q->size);
    message_free(request);
    message_free(d->answer);
    d->answer = NULL;
    enum smp_result result = smp_ask(&d->client, q, &answer);
    arena_free(scratch);
    d->tries = answer.tries;
    if (result == SMP_LINE_LOST) {
        diag_error(d->diag, DIAG_IO, NULL, "is the board still plugged in and on?",
                   "the line %s was closed", d->port);
        return DEVICE_LOST;
    }
    if (result == SMP_SILENT) {
        report_silence(d, q->timeout, d->client.text - text, smp_client_broken(&d->client) - broken,
                       d->client.late - late);
        return DEVICE_LOST;
    }
    d->answer = message_parse(answer.body, answer.size);
    if (!d->answer) {
        device_nonsense(d, "it is not a map of CBOR");
        return DEVICE_LOST;
    }
    return read_refusal(d, d->answer) ? DEVICE_REFUSED : DEVICE_DONE;
}

enum device_result device_try_group(struct device *d, unsigned group, unsigned id, enum smp_op op,
                                    bool repeat, struct cbor_item_t *request) {
    struct smp_question question = {.op = op,
                                    .group = (uint16_t)group,
                                    .id = (uint8_t)id,
                                    .timeout = d->timeout,
                                    .repeat = repeat};

    return exchange(d, &question, request);
}

enum device_result device_try(struct device *d, enum board_command command,
                              struct cbor_item_t *request) {
    static const struct {
        enum smp_op op;
        bool repeat;
        int more;
    } rows[] = {
#define BOARD_COMMAND(NAME, id, op, repeat, more) [id] = {op, repeat, more},
#include "bpf/command.def"
#undef BOARD_COMMAND
    };
    struct smp_question question = {.op = rows[command].op,
                                    .group = SMP_GROUP_PROGRAMS,
                                    .id = (uint8_t)command,
                                    .timeout = d->timeout + rows[command].more,
                                    .repeat = rows[command].repeat};

    return exchange(d, &question, request);
}

struct cbor_item_t *device_ask(struct device *d, enum board_command command, const char *about,
                               struct cbor_item_t *request) {
    enum device_result result = device_try(d, command, request);

    if (result == DEVICE_DONE)
        return d->answer;
    if (result == DEVICE_REFUSED)
        device_refused(d, about);
    return NULL;
}

struct cbor_item_t *device_named(const char *name) {
    struct cbor_item_t *request = message_new();

    message_add_text(request, "name", name);
    return request;
}

/* ---- Opening ---- */

static void read_hello(struct device *d) {
    const struct {
        const char *key;
        uint64_t *number;
    } rows[] = {
        {"protocol", &d->hello.protocol},   {"abi", &d->hello.abi},
        {"library", &d->hello.library},     {"hz", &d->hello.hz},
        {"programs", &d->hello.programs},   {"ram", &d->hello.ram},
        {"store", &d->hello.store},         {"room", &d->hello.room},
        {"compacted", &d->hello.compacted}, {"replacements", &d->hello.replacements},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        message_uint(d->answer, rows[i].key, rows[i].number);
    d->hello.firmware = message_text(d->answer, "firmware", d->args->arena);
    d->hello.board = message_text(d->answer, "board", d->args->arena);
    d->hello.uid = message_bytes(d->answer, "uid", d->args->arena, &d->hello.uid_size);
}

bool device_handshake(struct device *d) {
    enum device_result result = device_try(d, BOARD_HELLO, NULL);

    if (result == DEVICE_LOST)
        return false;
    if (result == DEVICE_DONE)
        read_hello(d);
    if (result == DEVICE_REFUSED || !d->hello.firmware)
        return diag_error(d->diag, DIAG_DEVICE, NULL,
                          "program bpf2thumb's firmware into it: docs/discovery.md",
                          "something answers on %s, but it is not bpf2thumb's firmware", d->port);
    if (d->hello.protocol != DEVICE_PROTOCOL)
        return diag_error(d->diag, DIAG_DEVICE, NULL,
                          d->hello.protocol > DEVICE_PROTOCOL ? "update bpf2thumb"
                                                              : "update the firmware",
                          "the firmware on %s (%s) speaks version %" PRIu64
                          " of the protocol, bpf2thumb version %d",
                          d->port, d->hello.firmware, d->hello.protocol, DEVICE_PROTOCOL);
    return true;
}

struct device *device_connect(struct cmd_args *args, const struct device_place *place) {
    const char *port = place->port ? place->port : getenv("BPF2THUMB_PORT");
    struct timespec t;

    if (!port || !*port) {
        diag_error(args->diag, DIAG_USAGE, NULL,
                   "--port /dev/ttyACM0, --port tcp:localhost:9090, or set BPF2THUMB_PORT",
                   "which board? No --port is given");
        return NULL;
    }
    struct device *d = arena_alloc(args->arena, sizeof(*d));
    *d = (struct device){.args = args, .diag = args->diag, .port = port};
    d->timeout = place->timeout ? place->timeout : TIMEOUT_MS;
    d->line = line_open(port, place->baud ? place->baud : BAUD, d->timeout, args->diag);
    if (!d->line)
        return NULL;
    clock_gettime(CLOCK_REALTIME, &t);
    smp_client_init(&d->client, line_of(d->line), (uint8_t)(t.tv_nsec >> 10));
    return d;
}

struct device *device_open(struct cmd_args *args, const struct device_place *place) {
    struct device *d = device_connect(args, place);

    if (d && !device_handshake(d)) {
        device_close(d);
        return NULL;
    }
    return d;
}

void device_close(struct device *d) {
    if (!d)
        return;
    message_free(d->answer);
    d->answer = NULL;
    line_close(d->line);
    d->line = NULL;
}

/* ---- Programs ---- */

bool device_read_program(struct device *d, const struct cbor_item_t *item,
                         struct device_program *out) {
    const struct {
        const char *key;
        uint64_t *number;
    } rows[] = {
        {"seq", &out->seq},       {"size", &out->size},         {"entries", &out->entries},
        {"maps", &out->maps},     {"status", &out->status},     {"where", &out->where},
        {"faults", &out->faults}, {"restarts", &out->restarts},
    };
    struct arena *arena = d->args->arena;

    *out = (struct device_program){.name = message_text(item, "name", arena),
                                   .state = message_text(item, "state", arena),
                                   .engine = message_text(item, "engine", arena)};
    if (!out->name)
        return device_nonsense(d, "a program without a name");
    out->state = out->state ? out->state : "unknown";
    out->engine = out->engine ? out->engine : "";
    message_bool(item, "enabled", &out->enabled);
    message_bool(item, "ram", &out->ram);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        message_uint(item, rows[i].key, rows[i].number);
    return true;
}

int device_list(struct device *d, struct device_program **out) {
    enum { MOST = 64 };
    struct device_program *programs =
        arena_alloc_array(d->args->arena, MOST, sizeof(struct device_program));
    uint64_t from = 0;
    int count = 0;

    *out = programs;
    for (bool more = true; more;) {
        struct cbor_item_t *request = message_new();
        message_add_uint(request, "from", from);
        const struct cbor_item_t *answer = device_ask(d, BOARD_LIST, NULL, request);
        if (!answer)
            return -1;
        if (!message_is_array(answer, "programs")) {
            device_nonsense(d, "no list of programs");
            return -1;
        }
        for (size_t i = 0; i < message_count(answer, "programs") && count < MOST; i++)
            if (!device_read_program(d, message_item(answer, "programs", i), &programs[count++]))
                return -1;
        uint64_t before = from;
        more = message_uint(answer, "next", &from) && count < MOST;
        if (more && from <= before) {
            device_nonsense(d, "a list that does not end");
            return -1;
        }
    }
    return count;
}

void device_explain_room(struct device *d, uint64_t size) {
    struct device_program *programs;
    uint64_t room = d->hello.room, compacted = d->hello.compacted;
    int count = device_list(d, &programs);

    if (size <= compacted)
        diag_note(d->diag, DIAG_DEVICE, NULL, "bpf2thumb compact",
                  "%" PRIu64 " bytes are free now, %" PRIu64 " after `compact`: then it fits", room,
                  compacted);
    else
        diag_note(d->diag, DIAG_DEVICE, NULL, NULL,
                  "it takes %" PRIu64 " bytes, %" PRIu64 " are free after `compact`: %" PRIu64
                  " are missing",
                  size, compacted, size - compacted);
    for (int i = 0; i < count; i++)
        if (!programs[i].ram)
            diag_note(d->diag, DIAG_DEVICE, NULL, NULL, "%s takes %" PRIu64 " bytes",
                      programs[i].name, programs[i].size);
}

/* ---- Ctrl-C ---- */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) {
    (void)number;
    interrupted = 1;
}

void device_catch_interrupt(void) {
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool device_interrupted(void) {
    return interrupted;
}

/*
 * The signals are let through within ppoll() alone: one that came between a look at `interrupted` and
 * an ordinary wait would be noticed only when the wait is over, and at a question it never is.
 */
enum device_wait device_wait(int fd, int ms) {
    struct pollfd input = {.fd = fd, .events = POLLIN};
    int64_t until = clock_ms() + ms;
    sigset_t ours, before;
    int ready = -1;

    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigprocmask(SIG_BLOCK, &ours, &before);
    while (ready < 0 && !interrupted) {
        int64_t left = ms < 0 ? 0 : until - clock_ms();
        if (left < 0)
            left = 0;
        struct timespec t = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000L};
        ready = ppoll(&input, 1, ms < 0 ? NULL : &t, &before);
        if (ready < 0 && errno != EINTR)
            break;
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return interrupted ? DEVICE_INTERRUPTED : ready > 0 ? DEVICE_INPUT : DEVICE_TIME_OUT;
}

bool device_sleep(int ms) {
    return device_wait(-1, ms) != DEVICE_INTERRUPTED;
}

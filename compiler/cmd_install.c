/* SPDX-License-Identifier: MIT */
/*
 * bpf2thumb install: a program from its C source, object or blob into a running board. What it asks for is
 * shown to the person who installs, and what that person says is what it gets: the grant is sent beside the
 * blob, and no blob can change it.
 */
#include "blob_file.h"
#include "board.h"
#include "bpf/blob.h"
#include "commands.h"
#include "compile.h"
#include "device/grant_words.h"
#include "util/file.h"
#include "util/progress.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OPT_NAME = CMD_LONG, OPT_GRANT, OPT_YES, OPT_RAM, OPT_DISABLED };

static const struct cmd_option options[] = {
    DEVICE_OPTIONS,
    {OPT_NAME, "name", "NAME", "what it is called on the board (default: the file's name)", NULL},
    {OPT_GRANT, "grant", "TEXT", "what it may do, instead of what it asks for", NULL},
    {OPT_YES, "yes", NULL, "grant what it asks for, without a question", NULL},
    {OPT_RAM, "ram", NULL, "into RAM: no wear of the flash, gone after a reset", NULL},
    {OPT_DISABLED, "disabled", NULL, "do not let it run yet", NULL},
    {0},
};

struct job {
    struct device_place place;
    const char *name, *grant_text;
    bool yes, ram, disabled;
    const uint8_t *bytes;
    size_t size;
    struct blob blob;
    struct bpf_grant grant;
    bool begun;      /* the board has an upload open */
    uint64_t upload; /* its number; 0: the firmware does not number them */
};

static bool parse(struct cmd_args *args, struct job *job) {
    for (int id; (id = cmd_next(args)) != 0;) {
        switch (id) {
        case OPT_NAME: job->name = args->value; break;
        case OPT_GRANT: job->grant_text = args->value; break;
        case OPT_YES: job->yes = true; break;
        case OPT_RAM: job->ram = true; break;
        case OPT_DISABLED: job->disabled = true; break;
        default:
            if (!device_option(args, id, &job->place))
                return false;
        }
    }
    return cmd_operands(args, 1, 1);
}

/* ---- What is installed ---- */

/* dir/blink.bpf.c -> blink */
static const char *name_of(const char *path, struct arena *arena) {
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;

    return arena_printf(arena, "%.*s", (int)strcspn(file, "."), file);
}

static bool check_name(struct cmd_args *args, const char *name) {
    size_t length = strlen(name);

    if (length > 0 && length < DEVICE_NAME &&
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == length)
        return true;
    return diag_error(args->diag, DIAG_USAGE, NULL, "choose one with --name",
                      "%s is no name for a program: 1 to %d letters, digits, _ or -", name,
                      DEVICE_NAME - 1);
}

static bool read_blob(struct cmd_args *args, const char *path, struct job *job) {
    uint8_t *bytes;

    if (!file_read(path, FILE_SIZE_LIMIT, args->arena, &bytes, &job->size, args->diag))
        return false;
    if (!blob_is_meant(bytes, job->size, path, false)) {
        const struct compile_options how = {.level = 2, .verify = COMPILE_VERIFIED};
        struct compile_result result;
        if (!compile_file(args->arena, path, &how, &result, args->diag))
            return false;
        bytes = result.blob;
        job->size = result.blob_size;
    }
    job->bytes = bytes;
    if (!blob_check(bytes, job->size, path, &job->blob, args->diag))
        return false;
    job->size = job->blob.header->size; /* what is behind it in the file is not part of it */
    return true;
}

/* ---- What it may do ---- */

static void show_request(struct cmd_args *args, const struct job *job) {
    const char *words = grant_words(&job->grant, args->arena);
    /* The question follows on standard error; results go to standard output. */
    fprintf(stderr, "%s asks for this:\n", job->name);
    while (*words) {
        int length = (int)strcspn(words, "\n");
        fprintf(stderr, "  %.*s\n", length, words);
        words += length + (words[length] == '\n');
    }
}

static bool ask_person(struct cmd_args *args, const struct job *job) {
    char line[16] = "";

    if (args->json || !isatty(STDIN_FILENO) || !diag_is_terminal(stderr))
        return diag_error(args->diag, DIAG_USAGE, NULL,
                          "--yes grants that; --grant TEXT grants something else",
                          "%s asks for \"%s\", and there is nobody to ask", job->name,
                          grant_text(&job->grant, args->arena));
    show_request(args, job);
    fprintf(stderr, "install it? [y/N] ");
    if (device_wait(STDIN_FILENO, -1) != DEVICE_INPUT || !fgets(line, sizeof(line), stdin) ||
        (line[0] != 'y' && line[0] != 'Y'))
        return diag_error(args->diag, DIAG_DEVICE, NULL, NULL, "nothing was installed");
    return true;
}

static bool decide_grant(struct cmd_args *args, struct job *job) {
    const char *request = bpf_grant_request(&job->blob);
    struct bpf_grant_error error;

    if (job->grant_text)
        return board_parse_grant(args, job->grant_text, &job->grant);
    job->grant = bpf_grant_default;
    if (request && !bpf_grant_parse(request, strlen(request), &job->grant, &error))
        return diag_error(args->diag, DIAG_BLOB, NULL, "correct its BPF_GRANT(), or use --grant",
                          "what the program asks for is no grant: \"%s\", expected %s", request,
                          error.expected);
    return job->yes || ask_person(args, job);
}

/* ---- Upload ---- */

static bool fits_board(struct device *d, const struct job *job) {
    if (job->blob.header->abi == d->hello.abi || job->blob.header->flags & BLOB_BYTECODE)
        return true;
    return diag_error(d->diag, DIAG_DEVICE, NULL,
                      d->hello.abi > BLOB_ABI ? "update bpf2thumb" : "update the firmware",
                      "the firmware (%s) runs code of ABI %" PRIu64 ", the blob is of ABI %u",
                      d->hello.firmware, d->hello.abi, job->blob.header->abi);
}

/* Bytes of the blob in a packet: what the board's buffers hold, less header, keys and offset. */
static size_t chunk_size(struct device *d) {
    enum { OS_PARAMETERS = 6, AROUND = SMP_HEADER + 32, LEAST = 32 };
    uint64_t packet = DEVICE_PACKET;

    if (device_try_group(d, SMP_GROUP_OS, OS_PARAMETERS, SMP_READ, true, NULL) == DEVICE_DONE)
        message_uint(d->answer, "buf_size", &packet);
    if (packet > DEVICE_PACKET)
        packet = DEVICE_PACKET;
    return packet < AROUND + LEAST ? LEAST : (size_t)(packet - AROUND) & ~(size_t)31;
}

static bool report_refusal(struct device *d, const struct job *job) {
    if (job->begun && device_status_is(d, BPF_NOT_FOUND))
        return diag_error(
            d->diag, DIAG_DEVICE, NULL, "install it again",
            "%s: the board has given up this upload: was it reset, or has another one begun?",
            job->name);
    device_refused(d, job->name);
    if (job->begun && device_status_is(d, BPF_BUSY))
        diag_note(d->diag, DIAG_DEVICE, NULL, NULL,
                  "another program may hold a pin, timer or channel that it is granted: see their "
                  "grants with `bpf2thumb grant NAME`");
    if (device_status_is(d, BPF_NO_ROOM))
        device_explain_room(d, job->size);
    return false;
}

static enum device_result ask_begin(struct device *d, const struct job *job) {
    struct cbor_item_t *request = device_named(job->name);

    message_add_uint(request, "size", job->size);
    message_add_uint(request, "crc", bpf_crc32(0, job->bytes, job->size));
    message_add_bytes(request, "grant", &job->grant, sizeof(job->grant));
    message_add_bool(request, "ram", job->ram);
    return device_try(d, BOARD_BEGIN, request);
}

/* An upload of something else that nobody has finished gives way: there is one line, so nobody is at it. */
static bool begin(struct device *d, struct job *job, uint64_t *offset) {
    enum device_result result = ask_begin(d, job);

    if (result == DEVICE_REFUSED && device_status_is(d, BPF_BUSY) &&
        device_try(d, BOARD_ABORT, NULL) == DEVICE_DONE)
        result = ask_begin(d, job);
    if (result == DEVICE_REFUSED)
        return report_refusal(d, job);
    if (result == DEVICE_LOST)
        return false;
    if (!message_uint(d->answer, "off", offset) || *offset > job->size)
        return device_nonsense(d, "no offset to begin at");
    message_uint(d->answer, "upload", &job->upload);
    job->begun = true;
    return true;
}

/* A question about what has begun: somebody else may begin something else meanwhile, which ends this one. */
static struct cbor_item_t *ask_upload(const struct job *job) {
    struct cbor_item_t *request = message_new();

    if (job->upload)
        message_add_uint(request, "upload", job->upload);
    return request;
}

/* The board says where it is, and is right: also when an answer was lost, and the part comes twice. */
static bool send_parts(struct device *d, const struct job *job, uint64_t offset) {
    size_t chunk = chunk_size(d);
    unsigned stuck = 0;

    progress_begin("installing", job->size);
    while (offset < job->size && !device_interrupted()) {
        size_t count = job->size - offset < chunk ? job->size - offset : chunk;
        struct cbor_item_t *request = ask_upload(job);
        message_add_uint(request, "off", offset);
        message_add_bytes(request, "data", job->bytes + offset, count);
        enum device_result result = device_try(d, BOARD_DATA, request);
        if (result == DEVICE_REFUSED)
            return report_refusal(d, job);
        if (result == DEVICE_LOST)
            return diag_note(d->diag, DIAG_DEVICE, NULL, NULL,
                             "the board has %" PRIu64
                             " of %zu bytes: the same command goes on there",
                             offset, job->size);
        uint64_t next = 0;
        if (!message_uint(d->answer, "off", &next) || next > job->size)
            return device_nonsense(d, "no offset to go on at");
        stuck = next > offset ? 0 : stuck + 1;
        if (stuck == 5)
            return device_nonsense(d, "the upload does not get any further");
        offset = next;
        progress_step(offset);
    }
    progress_end();
    return !device_interrupted() ||
           diag_error(d->diag, DIAG_DEVICE, NULL, "the same command goes on where it was",
                      "interrupted at byte %" PRIu64 " of %zu", offset, job->size);
}

/* Which installation of what was sent is there; 0: none. */
static uint64_t installation(struct device *d, const struct job *job) {
    const uint64_t id = job->blob.header->id;
    struct diag *quiet = diag_new(), *before = d->diag;
    uint64_t seq = 0;
    size_t size = 0;

    d->diag = quiet;
    const uint8_t *there = device_ask(d, BOARD_INFO, NULL, device_named(job->name))
                               ? message_bytes(d->answer, "id", d->args->arena, &size)
                               : NULL;
    bool same = there && size == sizeof(id) && memcmp(there, &id, sizeof(id)) == 0;
    if (same)
        message_uint(d->answer, "seq", &seq);
    d->diag = before;
    diag_free(quiet);
    return seq;
}

/* When the answer to commit is lost, a new installation says that it has come; the same program may have been there
 * before, with another grant. */
static bool commit(struct device *d, const struct job *job) {
    struct cbor_item_t *request = ask_upload(job);
    struct diag *own = diag_new(), *before = d->diag;
    uint64_t old = installation(d, job), now;

    message_add_bool(request, "enable", !job->disabled);
    d->diag = own; /* silence may still be success */
    enum device_result result = device_try(d, BOARD_COMMIT, request);
    d->diag = before;
    const char *silence =
        result == DEVICE_LOST ? arena_strdup(d->args->arena, diag_get(own, 0)->text) : NULL;
    diag_free(own);
    if (result == DEVICE_REFUSED)
        return report_refusal(d, job);
    if (result == DEVICE_DONE || ((now = installation(d, job)) && now != old))
        return true;
    return diag_error(d->diag, DIAG_IO, NULL, "see with `bpf2thumb list`, or install it again",
                      "%s: whether it was installed is not known: %s", job->name, silence);
}

static void report(struct cmd_args *args, const struct job *job, uint64_t resumed) {
    cJSON_AddStringToObject(args->result, "name", job->name);
    cJSON_AddNumberToObject(args->result, "size", (double)job->size);
    cJSON_AddNumberToObject(args->result, "resumed", (double)resumed);
    cJSON_AddStringToObject(args->result, "grant", grant_text(&job->grant, args->arena));
    if (args->json)
        return;
    printf("%s: installed%s, %zu bytes%s", job->name, job->ram ? " in RAM" : "", job->size,
           job->disabled ? ", disabled" : "");
    if (resumed)
        printf(" (%" PRIu64 " of them were there)", resumed);
    putchar('\n');
}

static void run(struct cmd_args *args) {
    struct job job = {0};
    uint64_t offset;

    if (!parse(args, &job))
        return;
    if (!job.name)
        job.name = name_of(args->argv[0], args->arena);
    if (!check_name(args, job.name) || !read_blob(args, args->argv[0], &job))
        return;
    struct device *d = device_open(args, &job.place);
    device_catch_interrupt();
    if (d && fits_board(d, &job) && decide_grant(args, &job) && begin(d, &job, &offset) &&
        send_parts(d, &job, offset) && commit(d, &job))
        report(args, &job, offset);
    device_close(d);
}

const struct cmd cmd_install = {
    .name = "install",
    .brief = "install a program on a board, or replace it, while the board runs",
    .operands = "X.bpf.c|X.bpf.o|X.blob",
    .about = "Compiles what is no blob. Shows what the program asks for, and asks whether it may "
             "have that;\n"
             "without a terminal it needs --yes or --grant. After an interruption the same command "
             "goes on\n"
             "where the upload was.",
    .example = "bpf2thumb install blink.bpf.c --grant gpio:PD12-15=out --port /dev/ttyACM0",
    .options = options,
    .run = run,
};

/* SPDX-License-Identifier: MIT
 *
 * Group 64: installed programs (docs/protocol.md). Every command is a call of rtos/programs.h.
 */
#include "programs.h"

#include <string.h>

#include "bpf/library.h"
#include "hal/board.h"
#include "hal/chip.h"

enum {
    PROTOCOL = 1,
    BLOB_TYPICAL = 4096, /* bytes; for the estimate of replacements before anything is installed */
    STORE_OVERHEAD = 256 /* of a replacement: records and grant (docs/store.md) */
};

/* ----- arguments ---------------------------------------------------------------------------------- */

/* A name that is none leaves BPF_NAME: what names look like is for rtos/programs.h to say, this only makes sure
 * that it is a string. */
struct program_name program_arg_name(struct smp_request *r) {
    struct program_name name = {{0}};
    struct cbor_item item;
    if (!cbor_find(r->map, "name", &item) || item.kind != CBOR_TEXT) {
        r->error = SMP_BAD_VALUE;
    } else if (!cbor_copy_string(&item, name.text, sizeof(name.text) - 1) ||
               !cbor_is_text(&item, name.text) || !name.text[0]) { /* too long, or a 0 inside */
        if (!r->error)
            r->error = BPF_NAME;
    }
    return name;
}

/* 108 bytes, copied to where their fields are aligned. */
struct bpf_grant program_arg_grant(struct smp_request *r) {
    struct bpf_grant grant = {0};
    uint32_t size;
    const uint8_t *bytes = smp_arg_bytes(r, "grant", &size);
    if (bytes && size == sizeof(grant))
        memcpy(&grant, bytes, sizeof(grant));
    else if (!r->error)
        r->error = BPF_GRANT;
    if (!r->error && bpf_grant_check(&grant, sizeof(grant)))
        r->error = BPF_GRANT;
    return grant;
}

/* ----- what there is ------------------------------------------------------------------------------ */

/* How often the largest program could be replaced before the store has to be compacted. */
static uint32_t replacements(uint32_t room) {
    struct program_info info;
    uint32_t largest = 0;
    for (unsigned i = 0; programs_at(i, &info); i++)
        if (info.size > largest && !info.in_ram)
            largest = info.size;
    return room / ((largest ? largest : BLOB_TYPICAL) + STORE_OVERHEAD);
}

static int hello(struct smp_request *r, struct cbor_writer *w) {
    struct chip_identity chip = {0};
    struct store_room room = programs_room();
    (void)r;
    smp_put_uint(w, "protocol", PROTOCOL);
    smp_put_text(w, "firmware", BPF2THUMB_VERSION);
    smp_put_text(w, "board", board_name);
    smp_put_uint(w, "abi", BLOB_ABI);
    smp_put_uint(w, "library", LIBRARY_VERSION);
    if (chip_identity(&chip) == KERNEL_OK)
        smp_put_bytes(w, "uid", chip.unique, sizeof(chip.unique));
    smp_put_uint(w, "hz", board_core_hz());
    smp_put_uint(w, "programs", PROGRAMS_MAX);
    smp_put_uint(w, "ram", programs_ram_free());
    smp_put_uint(w, "store", (uint64_t)programs_store());
    smp_put_uint(w, "room", room.now);
    smp_put_uint(w, "compacted", room.compacted);
    smp_put_uint(w, "replacements", replacements(room.now));
    return SMP_OK;
}

static void put_program(struct cbor_writer *w, const struct program_info *info) {
    static const char *const states[] = {[PROGRAM_DISABLED] = "disabled",
                                         [PROGRAM_RUNNING] = "running",
                                         [PROGRAM_STOPPED] = "stopped",
                                         [PROGRAM_REFUSED] = "refused"};
    smp_put_text(w, "name", info->name);
    smp_put_text(w, "state", states[info->state]);
    smp_put_bool(w, "enabled", info->enabled);
    smp_put_bool(w, "ram", info->in_ram);
    smp_put_uint(w, "seq", info->seq);
    smp_put_uint(w, "size", info->size);
    smp_put_text(w, "engine", info->engine == BPF_ENGINE_THUMB ? "thumb" : "interp");
    smp_put_uint(w, "entries", info->entries);
    smp_put_uint(w, "maps", info->maps);
    smp_put_uint(w, "status", (uint64_t)info->status);
    smp_put_uint(w, "where", info->where);
    smp_put_uint(w, "faults", info->faults);
    smp_put_uint(w, "restarts", info->restarts);
}

/* As many as fit; "next" is where to go on. */
static int list(struct smp_request *r, struct cbor_writer *w) {
    struct program_info info;
    uint32_t i = smp_arg_uint_or(r, "from", UINT16_MAX, 0);
    if (r->error)
        return r->error;
    bool full = false;
    cbor_text(w, "programs");
    cbor_begin_array(w);
    cbor_reserve(w, PROGRAM_RESERVED);
    for (; programs_at(i, &info); i++) {
        size_t before = cbor_mark(w);
        cbor_begin_map(w);
        put_program(w, &info);
        cbor_end(w);
        full = w->overflow;
        if (full) {
            cbor_rewind(w, before);
            break;
        }
    }
    cbor_release(w, PROGRAM_RESERVED);
    cbor_end(w);
    if (full)
        smp_put_uint(w, "next", i);
    return SMP_OK;
}

static int info(struct smp_request *r, struct cbor_writer *w) {
    struct program_name name = program_arg_name(r);
    struct program_info is;
    struct bpf_grant grant;
    if (!r->error)
        r->error = (int)programs_info(name.text, &is);
    if (!r->error)
        r->error = (int)programs_grant_of(name.text, &grant);
    if (r->error)
        return r->error;
    put_program(w, &is);
    smp_put_uint(w, "address", is.address);
    smp_put_uint(w, "arena", is.arena);
    smp_put_uint(w, "arena_size", is.arena_size);
    smp_put_uint(w, "head", is.arena_head);
    if (is.code)
        smp_put_uint(w, "code", is.code);
    smp_put_bytes(w, "id", &is.id, sizeof(is.id));
    smp_put_uint(w, "repaired", is.repaired_maps);
    smp_put_uint(w, "good_runs", is.good_runs);
    smp_put_bool(w, "can_roll_back", is.can_roll_back);
    smp_put_bytes(w, "grant", &grant, sizeof(grant));
    return SMP_OK;
}

static int stats(struct smp_request *r, struct cbor_writer *w) {
    struct program_name name = program_arg_name(r);
    uint32_t entry = smp_arg_uint_or(r, "entry", UINT16_MAX, 0);
    struct program_stats s;
    if (!r->error)
        r->error = (int)programs_stats(name.text, entry, &s);
    if (r->error)
        return r->error;
    smp_put_text(w, "name", s.name);
    smp_put_text(w, "section", s.section);
    smp_put_uint(w, "runs", s.runs);
    smp_put_uint(w, "faults", s.faults);
    smp_put_uint(w, "overruns", s.overruns);
    smp_put_uint(w, "min", s.cycles_min);
    smp_put_uint(w, "max", s.cycles_max);
    smp_put_uint(w, "sum", s.cycles_sum);
    cbor_text(w, "histogram");
    cbor_array(w, PROGRAMS_BUCKETS);
    for (unsigned i = 0; i < PROGRAMS_BUCKETS; i++)
        cbor_uint(w, s.histogram[i]);
    return SMP_OK;
}

static int enable(struct smp_request *r, struct cbor_writer *w) {
    struct program_name name = program_arg_name(r);
    bool on = smp_arg_bool_or(r, "enable", true);
    (void)w;
    return r->error ? r->error : (int)programs_enable(name.text, on);
}

static int remove_program(struct smp_request *r, struct cbor_writer *w) {
    struct program_name name = program_arg_name(r);
    (void)w;
    return r->error ? r->error : (int)programs_remove(name.text);
}

static int grant(struct smp_request *r, struct cbor_writer *w) {
    struct program_name name = program_arg_name(r);
    struct bpf_grant given = program_arg_grant(r);
    (void)w;
    return r->error ? r->error : (int)programs_grant(name.text, &given);
}

static int rollback(struct smp_request *r, struct cbor_writer *w) {
    struct program_name name = program_arg_name(r);
    (void)w;
    return r->error ? r->error : (int)programs_rollback(name.text);
}

static int compact(struct smp_request *r, struct cbor_writer *w) {
    (void)r;
    enum bpf_status status = programs_compact();
    smp_put_uint(w, "room", programs_room().now);
    return (int)status;
}

static int run(struct smp_request *r, struct cbor_writer *w) {
    struct program_name name = program_arg_name(r);
    uint32_t entry = smp_arg_uint_or(r, "entry", UINT16_MAX, 0), size, cycles = 0;
    const uint8_t *bytes = smp_arg_bytes(r, "data", &size);
    uint64_t result = 0;
    if (!r->error)
        r->error = (int)programs_run(name.text, entry, bytes, size, &result, &cycles);
    smp_put_uint(w, "result", result);
    smp_put_uint(w, "cycles", cycles);
    return r->error;
}

static int maintenance(struct smp_request *r, struct cbor_writer *w) {
    bool format = smp_arg_bool_or(r, "format", false);
    (void)w;
    if (r->error || !format)
        return SMP_BAD_VALUE;
    return (int)programs_format();
}

/* Programs' output, from the cursor on. */
static int log_text(struct smp_request *r, struct cbor_writer *w) {
    uint32_t cursor = smp_arg_uint_or(r, "cursor", UINT32_MAX, 0), lost = 0;
    if (r->error)
        return r->error;
    cbor_text(w, "text");
    cbor_reserve(w, 2 * PROGRAM_RESERVED);
    size_t begin = cbor_begin_text(w);
    for (;;) {
        char part[64];
        uint32_t gone = 0, length = 0;
        if (cbor_room(w) >= sizeof(part))
            length = programs_log(&cursor, &gone, part, sizeof(part));
        lost += gone;
        if (length == 0)
            break;
        smp_add_text(w, begin, part, length);
    }
    cbor_end_text(w, begin);
    cbor_release(w, 2 * PROGRAM_RESERVED);
    smp_put_uint(w, "cursor", cursor);
    smp_put_uint(w, "lost", lost);
    return SMP_OK;
}

static const struct smp_command commands[] = {
    [BOARD_HELLO] = {.read = hello},
    [BOARD_LIST] = {.read = list},
    [BOARD_INFO] = {.read = info},
    [BOARD_BEGIN] = {.write = smp_upload_begin},
    [BOARD_DATA] = {.write = smp_upload_data},
    [BOARD_COMMIT] = {.write = smp_upload_commit},
    [BOARD_ABORT] = {.write = smp_upload_abort},
    [BOARD_ENABLE] = {.write = enable},
    [BOARD_REMOVE] = {.write = remove_program},
    [BOARD_GRANT] = {.write = grant},
    [BOARD_ROLLBACK] = {.write = rollback},
    [BOARD_COMPACT] = {.write = compact},
    [BOARD_STATS] = {.read = stats},
    [BOARD_RUN] = {.write = run},
    [BOARD_MAP] = {.read = smp_map_describe},
    [BOARD_GET] = {.read = smp_map_get},
    [BOARD_SET] = {.write = smp_map_set},
    [BOARD_DELETE] = {.write = smp_map_delete},
    [BOARD_NEXT] = {.read = smp_map_next},
    [BOARD_RING] = {.write = smp_map_ring},
    [BOARD_LOG] = {.read = log_text},
    [BOARD_MAINTENANCE] = {.write = maintenance},
};

static const char *status_text(int status) {
    return programs_status_text((enum bpf_status)status);
}

const struct smp_service smp_service_programs = {
    .group = SMP_GROUP_PROGRAMS,
    .count = sizeof(commands) / sizeof(commands[0]),
    .commands = commands,
    .status_text = status_text,
    .enter = programs_hold,
    .leave = programs_release,
};

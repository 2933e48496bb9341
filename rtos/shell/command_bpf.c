/* SPDX-License-Identifier: MIT
 *
 * The command about installed programs. Installing is the client's: a blob is too much to be typed. (`bpf load` takes
 * one that is in the flash already.)
 */
#include "command_bpf.h"
#include "line.h"

#include <string.h>

int bpf_result(struct shell *shell, enum bpf_status status) {
    if (!status)
        return SHELL_DONE;
    shell_print(shell, "bpf: %s (status %d)\n", programs_status_text(status), (int)status);
    return SHELL_FAILED;
}

static const char *const states[] = {[PROGRAM_DISABLED] = "disabled",
                                     [PROGRAM_RUNNING] = "running",
                                     [PROGRAM_STOPPED] = "stopped",
                                     [PROGRAM_REFUSED] = "refused"};

/* ----- what there is -------------------------------------------------------------------------------------- */

static void print_refusal(struct shell *shell, const struct program_info *info) {
    if (info->status)
        shell_print(shell, "%-15s   %s (status %d, %u)\n", "", bpf_status_text(info->status),
                    (int)info->status, (unsigned)info->where);
}

static int list(struct shell *shell, int argc, char **argv) {
    (void)argc, (void)argv;
    struct program_info info;
    shell_print(shell, "%-15s %-9s %-6s %7s %7s %5s %7s %8s\n", "program", "state", "engine",
                "entries", "size", "maps", "faults", "restarts");
    for (unsigned i = 0; programs_at(i, &info); i++) {
        shell_print(shell, "%-15s %-9s %-6s %7u %7u %5u %7u %8u%s\n", info.name, states[info.state],
                    info.engine == BPF_ENGINE_THUMB ? "thumb" : "interp", (unsigned)info.entries,
                    (unsigned)info.size, (unsigned)info.maps, (unsigned)info.faults,
                    (unsigned)info.restarts, info.in_ram ? "  (in RAM)" : "");
        print_refusal(shell, &info);
    }
    struct store_room room = programs_room();
    shell_print(shell, "room for %u bytes (%u after `bpf compact`), RAM for %u, %u in use\n",
                (unsigned)room.now, (unsigned)room.compacted, (unsigned)programs_ram_free(),
                (unsigned)programs_ram_used());
    if (programs_safe())
        shell_print(shell, "safe boot: none was loaded, because %s\n", programs_safe());
    return bpf_result(shell, programs_store());
}

static void print_grant(struct shell *shell, const char *name) {
    static char text[BPF_GRANT_TEXT]; /* too large for a stack; one shell at a time asks */
    struct bpf_grant grant;
    if (programs_grant_of(name, &grant))
        return;
    size_t length = bpf_grant_print(&grant, text, sizeof(text));
    shell_print(shell, "grant     ");
    shell->write(shell->context, text, length < sizeof(text) ? length : sizeof(text) - 1);
    shell_print(shell, "\n");
}

static void print_state(struct shell *shell, const struct program_info *info) {
    const char *next = info->state == PROGRAM_STOPPED
                           ? ", after faults; `bpf enable` starts it anew"
                       : info->enabled && info->state == PROGRAM_DISABLED ? ", since a safe boot"
                                                                          : "";
    shell_print(shell, "state     %s%s\n", states[info->state], next);
    if (info->status)
        shell_print(shell, "refused   %s (status %d, %u)\n", bpf_status_text(info->status),
                    (int)info->status, (unsigned)info->where);
    shell_print(shell, "installed %s, number %u%s\n",
                info->in_ram ? "in RAM, until the next restart" : "in the store",
                (unsigned)info->seq, info->can_roll_back ? ", its predecessor is there" : "");
    shell_print(shell, "runs      %u good ones since it was started (up to 64)\n",
                (unsigned)info->good_runs);
    shell_print(shell, "faults    %u, %u restarts, %u maps repaired\n", (unsigned)info->faults,
                (unsigned)info->restarts, (unsigned)info->repaired_maps);
}

static int info(struct shell *shell, int argc, char **argv) {
    (void)argc;
    struct program_info is;
    enum bpf_status status = programs_info(argv[1], &is);
    if (status)
        return bpf_result(shell, status);
    print_state(shell, &is);
    shell_print(shell, "blob      0x%08x, %u bytes, id %016llx\n", (unsigned)is.address,
                (unsigned)is.size, (unsigned long long)is.id);
    if (is.arena)
        shell_print(shell, "arena     0x%08x, %u bytes, r9 = 0x%08x\n", (unsigned)is.arena,
                    (unsigned)is.arena_size, (unsigned)is.arena_head);
    print_grant(shell, argv[1]);
    if (is.code)
        shell_print(shell, "gdb       add-symbol-file %s.elf 0x%08x\n", is.name, (unsigned)is.code);
    return SHELL_DONE;
}

/* Powers of two of cycles, those that occur. */
static void print_histogram(struct shell *shell, const struct program_stats *stats) {
    if (!stats->runs)
        return;
    shell_print(shell, "  cycles below:");
    for (unsigned i = 0; i < PROGRAMS_BUCKETS; i++)
        if (stats->histogram[i] && i + 1 < PROGRAMS_BUCKETS)
            shell_print(shell, " %u: %u", 256u << i, (unsigned)stats->histogram[i]);
    if (stats->histogram[PROGRAMS_BUCKETS - 1])
        shell_print(shell, " more: %u", (unsigned)stats->histogram[PROGRAMS_BUCKETS - 1]);
    shell_print(shell, "\n");
}

static int stats(struct shell *shell, int argc, char **argv) {
    (void)argc;
    struct program_stats s;
    enum bpf_status status = programs_stats(argv[1], 0, &s);
    if (status)
        return bpf_result(shell, status);
    for (unsigned entry = 0; !programs_stats(argv[1], entry, &s); entry++) {
        shell_print(shell, "%u %s, %s: %u runs, %u faults, %u overruns\n", entry, s.name, s.section,
                    (unsigned)s.runs, (unsigned)s.faults, (unsigned)s.overruns);
        if (s.runs)
            shell_print(shell, "  cycles: least %u, mean %u, most %u\n", (unsigned)s.cycles_min,
                        (unsigned)(s.cycles_sum / s.runs), (unsigned)s.cycles_max);
        print_histogram(shell, &s);
    }
    return SHELL_DONE;
}

static int log_command(struct shell *shell, int argc, char **argv) {
    (void)argc, (void)argv;
    char part[64];
    uint32_t cursor = 0, lost, length;
    bool first = true;
    while ((length = programs_log(&cursor, &lost, part, sizeof(part)))) {
        if (lost && !first)
            shell_print(shell, "\n(%u bytes lost)\n", (unsigned)lost);
        first = false;
        shell->write(shell->context, part, length);
    }
    return SHELL_DONE;
}

/* ----- what is done --------------------------------------------------------------------------------------- */

static int enable(struct shell *shell, int argc, char **argv) {
    (void)argc;
    return bpf_result(shell, programs_enable(argv[1], text_equal(argv[0], "enable")));
}

static int remove_program(struct shell *shell, int argc, char **argv) {
    (void)argc;
    return bpf_result(shell, programs_remove(argv[1]));
}

static int rollback(struct shell *shell, int argc, char **argv) {
    (void)argc;
    return bpf_result(shell, programs_rollback(argv[1]));
}

static int compact(struct shell *shell, int argc, char **argv) {
    (void)argc, (void)argv;
    return bpf_result(shell, programs_compact());
}

static int format_store(struct shell *shell, int argc, char **argv) {
    (void)argc;
    if (!text_equal(argv[1], "yes"))
        return SHELL_USAGE;
    return bpf_result(shell, programs_format());
}

bool bpf_grant_items(struct shell *shell, int count, char **items, struct bpf_grant *grant) {
    struct bpf_grant_error error;
    for (int i = 0; i < count; i++)
        if (!bpf_grant_parse(items[i], strlen(items[i]), grant, &error)) {
            shell_print(shell, "%s is expected here:\n  %s\n  %*s^\n", error.expected, items[i],
                        (int)error.at, "");
            return false;
        }
    return true;
}

/* Items are added to the default, as when a program is installed: what is not named is not granted. */
static int grant(struct shell *shell, int argc, char **argv) {
    struct bpf_grant wanted = bpf_grant_default;
    if (argc == 2) {
        enum bpf_status status = programs_grant_of(argv[1], &wanted);
        print_grant(shell, argv[1]);
        return bpf_result(shell, status);
    }
    if (!bpf_grant_items(shell, argc - 2, argv + 2, &wanted))
        return SHELL_FAILED;
    return bpf_result(shell, programs_grant(argv[1], &wanted));
}

/* Index or name of an entry. */
static enum bpf_status entry_of(const char *name, const char *text, unsigned *entry) {
    struct program_stats s;
    enum bpf_status status;
    for (*entry = 0; !(status = programs_stats(name, *entry, &s)); ++*entry)
        if (text_equal(s.name, text) || (text[0] == (char)('0' + *entry) && !text[1]))
            return BPF_OK;
    return status;
}

/* NAME [ENTRY [WORD...]]: the words, with blanks between them, are what a cmd program is given. */
static int run(struct shell *shell, int argc, char **argv) {
    char data[128];
    size_t size = 0;
    unsigned entry = 0;
    uint64_t result;
    uint32_t cycles;
    enum bpf_status status = argc > 2 ? entry_of(argv[1], argv[2], &entry) : BPF_OK;
    if (status)
        return bpf_result(shell, status);
    for (int i = 3; i < argc; i++) {
        size_t length = strlen(argv[i]);
        if (size + length + 1 > sizeof(data))
            return bpf_result(shell, BPF_TOO_LARGE);
        if (i > 3)
            data[size++] = ' ';
        memcpy(data + size, argv[i], length);
        size += length;
    }
    status = programs_run(argv[1], entry, data, (uint32_t)size, &result, &cycles);
    if (status)
        return bpf_result(shell, status);
    shell_print(shell, "%lld (0x%llx), %u cycles\n", (long long)result, (unsigned long long)result,
                (unsigned)cycles);
    return SHELL_DONE;
}

/* ----- the command ---------------------------------------------------------------------------------------- */

static const struct subcommand {
    const char *name, *usage;
    int8_t least, most; /* arguments */
    bool names_program; /* the first one */
    int (*run)(struct shell *shell, int argc, char **argv);
} subcommands[] = {
    {"list", "", 0, 0, false, list},
    {"info", " NAME", 1, 1, true, info},
    {"enable", " NAME", 1, 1, true, enable},
    {"disable", " NAME", 1, 1, true, enable},
    {"remove", " NAME", 1, 1, true, remove_program},
    {"run", " NAME [ENTRY [WORD...]]", 1, 5, true, run},
    {"stats", " NAME", 1, 1, true, stats},
    {"map", " NAME | get|delete NAME MAP [KEY] | set NAME MAP KEY VALUE", 1, 5, true, bpf_map},
    {"log", "", 0, 0, false, log_command},
    {"grant", " NAME [ITEM...]", 1, 5, true, grant},
    {"rollback", " NAME", 1, 1, true, rollback},
    {"compact", "", 0, 0, false, compact},
    {"format", " yes", 1, 1, false, format_store},
    {"load", " NAME [ADDRESS [ram] [ITEM...]]", 1, 5, true, bpf_load},
};
enum { SUBCOMMANDS = sizeof(subcommands) / sizeof(subcommands[0]) };

static int usage(struct shell *shell, const struct subcommand *sub) {
    shell_print(shell, "usage: bpf %s%s\n", sub->name, sub->usage);
    return SHELL_FAILED;
}

static int bpf(struct shell *shell, int argc, char **argv) {
    for (unsigned i = 0; argc > 1 && i < SUBCOMMANDS; i++) {
        const struct subcommand *sub = &subcommands[i];
        if (!text_equal(sub->name, argv[1]))
            continue;
        int arguments = argc - 2, result = SHELL_USAGE;
        if (arguments >= sub->least && arguments <= sub->most)
            result = sub->run(shell, argc - 1, argv + 1);
        return result == SHELL_USAGE ? usage(shell, sub) : result;
    }
    if (argc > 1)
        return SHELL_USAGE;
    for (unsigned i = 0; i < SUBCOMMANDS; i++)
        shell_print(shell, "bpf %s%s\n", subcommands[i].name, subcommands[i].usage);
    return SHELL_DONE;
}

/* A program's name may also stand behind `map get`. */
static const char *word(unsigned position, unsigned index) {
    if (position == 1)
        return index < SUBCOMMANDS ? subcommands[index].name : NULL;
    return position <= 3 ? programs_name(index) : NULL;
}

SHELL_COMMAND(bpf,
              .usage = "[list|info|enable|disable|remove|run|stats|map|log|grant|rollback|compact|"
                       "format|load ...]",
              .help = "installed programs; without arguments: how each of these is used", .most = 6,
              .run = bpf, .word = word);

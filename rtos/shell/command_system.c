/* SPDX-License-Identifier: MIT
 *
 * Commands about the system itself.
 */
#include "hal/board.h"
#include "line.h"
#include "rtos/console.h"
#include "rtos/fault.h"
#include "rtos/kernel.h"
#include "rtos/selftest.h"
#include "rtos/shell.h"

/* ----- what there is ------------------------------------------------------------------------------ */

static int help(struct shell *shell, int argc, char **argv) {
    const struct shell_command *command;
    bool found = argc == 1;
    for (unsigned i = 0; (command = shell_command_at(i)); i++) {
        if (argc == 1)
            shell_print(shell, "%-10s %s\n", command->name, command->help);
        if (argc == 1 || !text_equal(command->name, argv[1]))
            continue;
        found = true;
        shell_print(shell, "%s %s\n  %s\n", command->name, command->usage ? command->usage : "",
                    command->help);
    }
    if (!found)
        shell_print(shell, "help: there is no command %s\n", argv[1]);
    else if (argc == 1)
        shell_print(shell,
                    "help COMMAND says more. Tab completes; the keys are those of a shell.\n");
    return found ? SHELL_DONE : SHELL_FAILED;
}

static const char *help_word(unsigned position, unsigned index) {
    const struct shell_command *command = shell_command_at(index);
    return position == 1 && command ? command->name : NULL;
}

static int version(struct shell *shell, int argc, char **argv) {
    (void)argc, (void)argv;
    shell_print(shell, "bpf2thumb %s on %s, %u MHz\n", BPF2THUMB_VERSION, board_name,
                (unsigned)(board_core_hz() / 1000000));
    return SHELL_DONE;
}

static int uptime(struct shell *shell, int argc, char **argv) {
    (void)argc, (void)argv;
    uint64_t ticks = kernel_uptime(), s = ticks / KERNEL_TICK_HZ;
    shell_print(shell, "%u days %02u:%02u:%02u, %llu ticks\n", (unsigned)(s / 86400),
                (unsigned)(s / 3600 % 24), (unsigned)(s / 60 % 60), (unsigned)(s % 60),
                (unsigned long long)ticks);
    return SHELL_DONE;
}

/* ----- tasks -------------------------------------------------------------------------------------- */

enum { TASKS_MEASURED = 16 };

/* Cycles of each task at one moment. */
struct snapshot {
    unsigned count;
    uint64_t ticks;
    struct {
        const struct task *task;
        uint64_t cycles;
    } at[TASKS_MEASURED];
};

static void snapshot_take(struct snapshot *s) {
    struct task task;
    (void)task_cycles(task_self()); /* brings the accounts up to date */
    s->ticks = kernel_uptime();
    for (s->count = 0; s->count < TASKS_MEASURED; s->count++) {
        if (!task_copy(s->count, &task, &s->at[s->count].task))
            break;
        s->at[s->count].cycles = task.cycles;
    }
}

/* 0 for a task that was not there then. */
static uint64_t cycles_at(const struct snapshot *s, const struct task *task) {
    for (unsigned i = 0; i < s->count; i++)
        if (s->at[i].task == task)
            return s->at[i].cycles;
    return 0;
}

/* Cycles of all tasks but the idle one. */
static uint64_t busy_cycles(const struct snapshot *since, const struct snapshot *now) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < now->count; i++)
        if (now->at[i].task->base != KERNEL_PRIORITY_IDLE)
            sum += now->at[i].cycles - cycles_at(since, now->at[i].task);
    return sum;
}

/* The idle task gets what nobody else had: on the chip the counter of cycles stops while it sleeps. */
static void tasks_print(struct shell *shell, const struct snapshot *since,
                        const struct snapshot *now) {
    static const char *const states[] = {"none", "ready", "waiting", "ended", "faulted"};
    struct task task;
    const struct task *where;
    uint32_t cycles_per_tick = board_core_hz() / KERNEL_TICK_HZ;
    uint64_t total = (now->ticks - since->ticks) * cycles_per_tick;
    uint64_t busy = busy_cycles(since, now), rest = total > busy ? total - busy : 0;
    shell_print(shell, "%-12s %-9s %4s %7s %10s %6s %12s\n", "task", "state", "prio", "cpu %",
                "cpu ms", "stack", "stack unused");
    for (unsigned i = 0; task_copy(i, &task, &where); i++) {
        bool idle = task.base == KERNEL_PRIORITY_IDLE;
        uint64_t cycles = idle ? rest : cycles_at(now, where) - cycles_at(since, where);
        unsigned permille = total ? (unsigned)(cycles * 1000 / total) : 0;
        shell_print(shell, "%-12s %-9s %4u %5u.%u %10u %6u %12u\n", task.name,
                    task.suspended ? "suspended" : states[task.state], task.priority, permille / 10,
                    permille % 10, (unsigned)(cycles / cycles_per_tick),
                    (unsigned)((char *)task.stack_top - (char *)task.stack),
                    (unsigned)task_stack_unused(&task));
    }
}

static int tasks(struct shell *shell, int argc, char **argv) {
    static struct snapshot since, now; /* too large for a stack; one shell at a time measures */
    int64_t ticks;
    since = (struct snapshot){0};
    if (argc == 2) {
        if (!shell_value(shell, argv[1], &ticks))
            return SHELL_FAILED;
        if (ticks < 1 || ticks > 60000) {
            shell_print(shell, "tasks: an interval has 1 to 60000 ms\n");
            return SHELL_FAILED;
        }
        snapshot_take(&since);
        task_sleep((uint32_t)ticks);
    }
    snapshot_take(&now); /* printing takes time, too */
    tasks_print(shell, &since, &now);
    return SHELL_DONE;
}

static int mem(struct shell *shell, int argc, char **argv) {
    (void)argc, (void)argv;
    struct board_memory memory;
    shell_print(shell, "%-12s %10s %9s %9s %9s\n", "memory", "address", "size", "used", "free");
    for (unsigned i = 0; board_memory(i, &memory); i++)
        shell_print(shell, "%-12s 0x%08x %9u %9u %9u\n", memory.name, (unsigned)memory.start,
                    (unsigned)memory.size, (unsigned)memory.used,
                    (unsigned)(memory.size - memory.used));
    return SHELL_DONE;
}

/* ----- what was, and what is printed where -------------------------------------------------------- */

static int log_command(struct shell *shell, int argc, char **argv) {
    if (argc == 2) {
        if (!text_equal(argv[1], "clear"))
            return SHELL_USAGE;
        console_log_clear();
        return SHELL_DONE;
    }
    char part[64], last = '\n';
    size_t offset = 0, length;
    while ((length = console_log_read(offset, part, sizeof(part)))) {
        for (size_t i = 0; i < length; i++) /* it may be of another firmware, or damaged */
            if ((part[i] < ' ' || part[i] > '~') && part[i] != '\n')
                part[i] = '.';
        shell->write(shell->context, part, length);
        last = part[length - 1];
        offset += length;
    }
    if (last != '\n')
        shell_print(shell, "\n");
    return SHELL_DONE;
}

static const char *log_word(unsigned position, unsigned index) {
    return position == 1 && index == 0 ? "clear" : NULL;
}

static int console(struct shell *shell, int argc, char **argv) {
    struct console_state state;
    for (unsigned i = 0; i < CONSOLE_SINKS; i++) {
        console_state(i, &state);
        if (argc == 1)
            shell_print(shell, "%-9s %-4s %u bytes dropped; %s\n", state.name,
                        state.on ? "on" : "off", (unsigned)state.dropped, state.what);
        else if (argc == 3 && text_equal(state.name, argv[1]) &&
                 (text_equal(argv[2], "on") || text_equal(argv[2], "off")))
            return console_enable(i, text_equal(argv[2], "on"));
    }
    return argc == 1 ? SHELL_DONE : SHELL_USAGE;
}

static const char *console_word(unsigned position, unsigned index) {
    static const char *const on_off[] = {"on", "off"};
    struct console_state state;
    if (position == 2 && index < 2)
        return on_off[index];
    if (position != 1 || index >= CONSOLE_SINKS)
        return NULL;
    console_state(index, &state);
    return state.name;
}

static int crash(struct shell *shell, int argc, char **argv) {
    if (argc == 2) {
        if (!text_equal(argv[1], "now"))
            return SHELL_USAGE;
        fault_panic("asked for by `crash now`");
    }
    const struct fault_record *record = fault_previous();
    if (!record) {
        shell_print(shell, "the run before did not end in a crash\n");
        return SHELL_DONE;
    }
    shell_print(shell, "crash record of the run before:\n");
    fault_print(record);
    return SHELL_DONE;
}

static const char *crash_word(unsigned position, unsigned index) {
    return position == 1 && index == 0 ? "now" : NULL;
}

/* ----- tests and ends ----------------------------------------------------------------------------- */

static int selftest(struct shell *shell, int argc, char **argv) {
    if (selftest_run(argc == 2 ? argv[1] : NULL))
        return SHELL_DONE;
    shell_print(shell, "selftest: there is no suite %s; there are:", argv[1]);
    const char *suite;
    for (unsigned i = 0; (suite = selftest_suite(i)); i++)
        shell_print(shell, " %s", suite);
    shell_print(shell, "\n");
    return SHELL_FAILED;
}

static const char *selftest_word(unsigned position, unsigned index) {
    return position == 1 ? selftest_suite(index) : NULL;
}

static int reset(struct shell *shell, int argc, char **argv) {
    (void)shell, (void)argc, (void)argv;
    board_reset();
}

static int exit_command(struct shell *shell, int argc, char **argv) {
    int64_t code = selftest_failed();
    if (argc == 2 && !shell_value(shell, argv[1], &code))
        return SHELL_FAILED;
    board_exit((int)code);
    shell_print(shell, "exit: nobody answers semihosting calls\n");
    return SHELL_FAILED;
}

SHELL_COMMAND(console, .usage = "[uart|rtt|log|semihost on|off]", .help = "where output goes",
              .most = 2, .run = console, .word = console_word);
SHELL_COMMAND(crash, .usage = "[now]", .help = "the crash record of the run before; now: makes one",
              .most = 1, .run = crash, .word = crash_word);
SHELL_COMMAND(exit, .usage = "[CODE]", .help = "leaves the emulator; 1 if a selftest failed",
              .most = 1, .run = exit_command);
SHELL_COMMAND(help, .usage = "[COMMAND]", .help = "lists commands", .most = 1, .run = help,
              .word = help_word);
SHELL_COMMAND(log, .usage = "[clear]", .help = "what was printed last, before resets too",
              .most = 1, .run = log_command, .word = log_word);
SHELL_COMMAND(mem, .help = "memory in use", .run = mem);
SHELL_COMMAND(reset, .help = "restarts the board", .run = reset);
SHELL_COMMAND(selftest, .usage = "[SUITE]",
              .help = "the firmware's own tests, or one suite; ends in restarts", .most = 1,
              .run = selftest, .word = selftest_word);
SHELL_COMMAND(tasks, .usage = "[MS]",
              .help = "all tasks, with CPU time since start or over MS milliseconds", .most = 1,
              .run = tasks);
SHELL_COMMAND(uptime, .help = "time since start", .run = uptime);
SHELL_COMMAND(version, .help = "of this firmware", .run = version);

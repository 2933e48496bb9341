/* SPDX-License-Identifier: MIT
 *
 * Group 0: the system (Zephyr documentation, "Default/OS Management Group").
 */
#include "hal/board.h"
#include "rtos/kernel.h"
#include "rtos/programs.h"
#include "server.h"

/* What is asked with "d" comes back as "r". */
static int echo(struct smp_request *r, struct cbor_writer *w) {
    struct cbor_item item;
    if (!cbor_find(r->map, "d", &item) || item.kind != CBOR_TEXT || !cbor_whole(&item))
        return SMP_BAD_VALUE;
    cbor_text(w, "r");
    cbor_text_of(w, (const char *)cbor_whole(&item), (size_t)item.value);
    return SMP_OK;
}

/* Stacks in words of 4 bytes and time in ticks, as Zephyr has them. Switches are not counted here. */
static void put_task(struct cbor_writer *w, unsigned number, const struct task *task) {
    size_t bytes = (size_t)((char *)task->stack_top - (char *)task->stack);
    cbor_text(w, task->name);
    cbor_map(w, 6);
    smp_put_uint(w, "prio", task->priority);
    smp_put_uint(w, "tid", number);
    smp_put_uint(w, "state", task->state);
    smp_put_uint(w, "stkuse", (bytes - task_stack_unused(task)) / 4);
    smp_put_uint(w, "stksiz", bytes / 4);
    smp_put_uint(w, "runtime", task->cycles / (board_core_hz() / KERNEL_TICK_HZ));
}

/* As many tasks as fit. */
static int task_statistics(struct smp_request *r, struct cbor_writer *w) {
    struct task task;
    const struct task *where;
    (void)r;
    (void)task_cycles(task_self()); /* brings the accounts up to date */
    cbor_text(w, "tasks");
    cbor_begin_map(w);
    cbor_reserve(w, 1); /* for its end */
    for (unsigned i = 0; task_copy(i, &task, &where); i++) {
        size_t before = cbor_mark(w);
        put_task(w, i, &task);
        if (w->overflow) {
            cbor_rewind(w, before);
            break;
        }
    }
    cbor_release(w, 1);
    cbor_end(w);
    return SMP_OK;
}

/* The board's memories as pools of bytes. */
static int memory_pools(struct smp_request *r, struct cbor_writer *w) {
    struct board_memory memory;
    (void)r;
    for (unsigned i = 0; board_memory(i, &memory); i++) {
        cbor_text(w, memory.name);
        cbor_map(w, 4);
        smp_put_uint(w, "blksiz", 1);
        smp_put_uint(w, "nblks", memory.size);
        smp_put_uint(w, "nfree", memory.size - memory.used);
        smp_put_uint(w, "min", memory.size - memory.used);
    }
    return SMP_OK;
}

static void restart(void) {
    programs_leave();
    board_reset();
}

static int reset(struct smp_request *r, struct cbor_writer *w) {
    (void)r, (void)w;
    smp_after(restart);
    return SMP_OK;
}

static int parameters(struct smp_request *r, struct cbor_writer *w) {
    (void)r;
    smp_put_uint(w, "buf_size", SMP_PACKET);
    smp_put_uint(w, "buf_count", 1);
    return SMP_OK;
}

/* In the order in which they are printed, whatever the order of the letters in the request. */
static const struct {
    char letter;
    const char *text;
} facts[] = {
    {'s', "bpf2thumb"}, {'n', "bpf2thumb"}, {'r', BPF2THUMB_VERSION}, {'v', BPF2THUMB_VERSION},
    {'m', "arm"},       {'p', "cortex-m4"}, {'i', board_name},        {'o', "bpf2thumb"},
};
enum { FACTS = sizeof(facts) / sizeof(facts[0]) };

/* The facts that a format asks for, as bits; 0: it has a letter that is not known. */
static unsigned facts_wanted(struct cbor format) {
    unsigned wanted = 0;
    for (; format.at < format.end; format.at++) {
        unsigned bits = *format.at == 'a' ? (1u << FACTS) - 1 : 0;
        for (unsigned i = 0; i < FACTS; i++)
            if (*format.at == (uint8_t)facts[i].letter)
                bits |= 1u << i;
        if (!bits)
            return 0;
        wanted |= bits;
    }
    return wanted;
}

static int info(struct smp_request *r, struct cbor_writer *w) {
    struct cbor_item item;
    unsigned wanted = 1; /* without a format: the kernel's name */
    if (cbor_find(r->map, "format", &item)) {
        const uint8_t *text = item.kind == CBOR_TEXT ? cbor_whole(&item) : NULL;
        wanted = text ? facts_wanted((struct cbor){text, text + item.value}) : 0;
        if (!wanted)
            return SMP_BAD_VALUE;
    }
    cbor_text(w, "output");
    size_t begin = cbor_begin_text(w);
    for (unsigned i = 0; i < FACTS; i++) {
        size_t length = 0;
        while (facts[i].text[length])
            length++;
        if (!(wanted >> i & 1))
            continue;
        if (wanted & ((1u << i) - 1))
            cbor_add_text(w, begin, " ", 1);
        smp_add_text(w, begin, facts[i].text, length);
    }
    cbor_end_text(w, begin);
    return SMP_OK;
}

/* There is no clock of days: command 4 is not supported. */
static const struct smp_command commands[] = {
    [0] = {echo, echo},     [2] = {.read = task_statistics}, [3] = {.read = memory_pools},
    [5] = {.write = reset}, [6] = {.read = parameters},      [7] = {.read = info},
};

const struct smp_service smp_service_os = {
    .group = SMP_GROUP_OS,
    .count = sizeof(commands) / sizeof(commands[0]),
    .commands = commands,
};

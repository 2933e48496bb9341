/* SPDX-License-Identifier: MIT
 *
 * The console, shared: frames are taken out of what comes, the rest is the shell's. The serial port and the debugger's
 * ring have a decoder each, and an answer goes where its request came from.
 *
 * One task does all of it, so that a command runs to its end before the next packet is looked at, whichever way it
 * came, and handlers need no locks against each other.
 */
#include "rtos/console.h"
#include "bpf/wire.h"
#include "rtos/shell.h"
#include "rtos/smp.h"

/* How long a byte that may begin a marker is kept from the shell. */
enum { HELD_TICKS = 50 };

static const enum console_sink sinks[] = {CONSOLE_UART, CONSOLE_RTT};
enum { CHANNELS = sizeof(sinks) / sizeof(sinks[0]) };

static struct channel {
    enum console_sink sink;
    struct wire_decoder decoder;
    uint8_t buffer[SMP_PACKET + WIRE_CRC];
} channels[CHANNELS];

static struct channel *channel_of(enum console_sink sink) {
    unsigned i = 0;
    while (i + 1 < CHANNELS && sinks[i] != sink)
        i++;
    return &channels[i];
}

static void send_line(void *context, const char *line, size_t length) {
    const struct channel *channel = context;
    console_write_line(channel->sink, line, length);
}

static void serve(struct channel *channel) {
    static uint8_t answer[SMP_PACKET];
    size_t length = smp_answer(channel->buffer, channel->decoder.length, answer, sizeof(answer));
    if (length) {
        wire_encode(answer, length, send_line, channel);
        shell_console_covered();
    }
    if (smp_pending()) {
        console_drain(channel->sink);
        smp_answered();
    }
}

static void take(struct channel *channel, uint8_t byte) {
    struct wire_decoder *d = &channel->decoder;
    switch (wire_feed(d, byte)) {
    case WIRE_TEXT:
        for (unsigned i = 0; i < d->text_count; i++)
            shell_console_feed(d->text[i]);
        break;
    case WIRE_PACKET: serve(channel); break;
    case WIRE_BROKEN:
        if (d->refusal != WIRE_CUT) /* that was a packet, and it is the line that is whole */
            shell_console_lost();
        break;
    case WIRE_NOTHING: break;
    }
}

static bool any_held(void) {
    bool held = false;
    for (unsigned i = 0; i < CHANNELS; i++)
        held |= channels[i].decoder.held;
    return held;
}

static void give_up_held(void) {
    for (unsigned i = 0; i < CHANNELS; i++) {
        int byte = wire_idle(&channels[i].decoder);
        if (byte >= 0)
            shell_console_feed((uint8_t)byte);
    }
}

_Noreturn void smp_console(void) {
    for (unsigned i = 0; i < CHANNELS; i++) {
        channels[i].sink = sinks[i];
        wire_decoder_init(&channels[i].decoder, channels[i].buffer, sizeof(channels[i].buffer));
    }
    shell_console_start();
    for (;;) {
        enum console_sink from;
        int byte = console_read(any_held() ? HELD_TICKS : KERNEL_FOREVER, &from);
        if (byte >= 0)
            take(channel_of(from), (uint8_t)byte);
        else
            give_up_held();
    }
}

/* What has been refused, and why: the first thing to look at when a client gets no answers. */
static int smp(struct shell *shell, int argc, char **argv) {
    (void)argc, (void)argv;
    for (unsigned i = 0; i < CHANNELS; i++) {
        const struct wire_decoder *d = &channels[i].decoder;
        struct console_state state;
        console_state(channels[i].sink, &state);
        shell_print(shell, "%-5s %u packets\n", state.name, (unsigned)d->packets);
        for (unsigned reason = 0; reason < WIRE_REFUSED_REASONS; reason++)
            if (d->refused[reason])
                shell_print(shell, "%-5s %u refused: %s\n", state.name,
                            (unsigned)d->refused[reason], wire_refusal_text(reason));
    }
    return SHELL_DONE;
}
SHELL_COMMAND(smp, .help = "packets of the management protocol, and lines that were refused",
              .run = smp);

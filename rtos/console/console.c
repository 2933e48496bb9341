/* SPDX-License-Identifier: MIT */
#include "rtos/console.h"
#include "hal/board.h"
#include "sink.h"

enum {
    /* The debugger's ring gives no interrupt when somebody types into it: it is looked at this often. */
    RTT_POLL_TICKS = 20,
    /* A debugger that reads the ring does it ten times a second (OpenOCD). */
    RTT_WAIT_TICKS = 1000,
};

static size_t uart_write(const char *text, size_t length) {
    board_write(text, length);
    return 0;
}

static struct {
    const char *name, *what;
    size_t (*write)(const char *text, size_t length); /* returns how many bytes it dropped */
    uint32_t dropped;
    bool inside_line; /* what was written last did not end with \n */
} sinks[CONSOLE_SINKS] = {
#define SINK_NAMES(id, text, what) [CONSOLE_##id] = {text, what, NULL, 0, false},
    CONSOLE_SINK_LIST(SINK_NAMES)
#undef SINK_NAMES
};

static unsigned enabled;

/* From a fault handler the lock is refused, and not needed. */
static struct mutex lock;

void console_init(void) {
    sinks[CONSOLE_UART].write = uart_write;
    sinks[CONSOLE_RTT].write = rtt_write;
    sinks[CONSOLE_LOG].write = ramlog_write;
    sinks[CONSOLE_SEMIHOST].write = semihost_write;
    rtt_init();
    enabled = CONSOLE_ALL & ~(1u << CONSOLE_SEMIHOST);
}

void console_write(unsigned to, const char *text, size_t length) {
    mutex_lock(&lock, KERNEL_FOREVER);         /* whatever it says, the text is wanted */
    for (unsigned i = CONSOLE_SINKS; i-- > 0;) /* the serial port last: it is the slow one */
        if (to & enabled & 1u << i && length) {
            size_t dropped = sinks[i].write(text, length);
            sinks[i].dropped += (uint32_t)dropped;
            if (!dropped)
                sinks[i].inside_line = text[length - 1] != '\n';
        }
    mutex_unlock(&lock); /* nothing, if it was refused */
}

/* False: there was no room, and nothing has been written. */
static bool write_line(enum console_sink to, const char *line, size_t length) {
    bool done = true;
    mutex_lock(&lock, KERNEL_FOREVER);
    size_t before = sinks[to].inside_line;
    if (to == CONSOLE_UART) {
        board_write_raw("\n", before);
        board_write_raw(line, length);
    } else {
        done = rtt_room() >= before + length;
        if (done) {
            rtt_write("\n", before);
            rtt_write(line, length);
        }
    }
    if (done)
        sinks[to].inside_line = false;
    mutex_unlock(&lock);
    return done;
}

bool console_write_line(enum console_sink to, const char *line, size_t length) {
    uint32_t start = kernel_ticks();
    while (!write_line(to, line, length)) {
        if (kernel_ticks() - start > RTT_WAIT_TICKS)
            return false;
        task_sleep(RTT_POLL_TICKS);
    }
    return true;
}

void console_drain(enum console_sink to) {
    uint32_t start = kernel_ticks();
    board_flush();
    while (to == CONSOLE_RTT && !rtt_is_read() && kernel_ticks() - start < RTT_WAIT_TICKS)
        task_sleep(RTT_POLL_TICKS);
}

static int read_either(uint32_t timeout, enum console_sink *from) {
    uint32_t start = kernel_ticks();
    for (;;) {
        int byte = rtt_read();
        *from = CONSOLE_RTT;
        if (byte >= 0)
            return byte;
        *from = CONSOLE_UART;
        uint32_t passed = kernel_ticks() - start, wait = RTT_POLL_TICKS;
        if (timeout != KERNEL_FOREVER && passed >= timeout)
            return board_read(KERNEL_NO_WAIT);
        if (timeout != KERNEL_FOREVER && timeout - passed < wait)
            wait = timeout - passed;
        byte = board_read(wait);
        if (byte >= 0)
            return byte;
    }
}

int console_read(uint32_t timeout, enum console_sink *from) {
    enum console_sink source;
    int byte = read_either(timeout, &source);
    if (from)
        *from = source;
    return byte;
}

void console_state(enum console_sink sink, struct console_state *out) {
    *out = (struct console_state){.name = sinks[sink].name,
                                  .what = sinks[sink].what,
                                  .on = enabled >> sink & 1,
                                  .dropped = sinks[sink].dropped};
}

enum kernel_status console_enable(enum console_sink sink, bool on) {
    if (sink >= CONSOLE_SINKS)
        return KERNEL_BAD_ARGUMENT;
    if (on && sink == CONSOLE_SEMIHOST && semihost_open() < 0)
        return KERNEL_NOT_THERE;
    enabled = on ? enabled | 1u << sink : enabled & ~(1u << sink);
    return KERNEL_OK;
}

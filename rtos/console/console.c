/* SPDX-License-Identifier: MIT */
#include "rtos/console.h"
#include "hal/board.h"
#include "sink.h"

/* The debugger's ring gives no interrupt when somebody types into it: it is looked at this often. */
enum { RTT_POLL_TICKS = 20 };

static size_t uart_write(const char *text, size_t length) {
    board_write(text, length);
    return 0;
}

static struct {
    const char *name, *what;
    size_t (*write)(const char *text, size_t length); /* returns how many bytes it dropped */
    uint32_t dropped;
} sinks[CONSOLE_SINKS] = {
#define SINK_NAMES(id, text, what) [CONSOLE_##id] = {text, what, NULL, 0},
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
        if (to & enabled & 1u << i)
            sinks[i].dropped += (uint32_t)sinks[i].write(text, length);
    mutex_unlock(&lock); /* nothing, if it was refused */
}

int console_read(uint32_t timeout) {
    uint32_t start = kernel_ticks();
    for (;;) {
        int byte = rtt_read();
        if (byte >= 0)
            return byte;
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

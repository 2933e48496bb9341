/* SPDX-License-Identifier: MIT
 *
 * SEC("uart/<port>"): a run for each frame that a serial line receives. A line runs while a grant names its port;
 * a frame goes to all programs of the port, whichever domain they are in. What a domain's queue has no room for is lost
 * to that domain alone, and counted in its overruns.
 *
 * Ports are the numbers of USARTs. The console's is not for programs.
 */
#include "hook_text.h"

#include "hal/uart.h"

enum { PORTS = 16 /* bits of a grant */ };

struct uart_context {
    uint64_t time_ns;
    uint32_t port, len;
    uint8_t data[UART_FRAME];
};
_Static_assert(sizeof(struct uart_context) == CTX_SIZE_UART, "hook.def");

static struct port {
    struct domain_entry *first; /* and its next ones */
    uint8_t users;              /* grants that have it */
} ports[PORTS];

/* In the interrupt. */
static void frame(const uint8_t *bytes, uint32_t size, void *argument) {
    const struct port *port = argument;
    const struct {
        uint64_t time_ns;
        uint32_t port, len;
    } head = {clock_ns(), (uint32_t)(port - ports), size};
    _Static_assert(sizeof(head) == offsetof(struct uart_context, data), "");
    for (struct domain_entry *entry = port->first; entry; entry = entry->next)
        domain_post(entry, &head, sizeof(head), bytes, size);
}

enum bpf_status uart_claim(uint32_t wanted) {
    enum bpf_status status = BPF_OK;
    for (unsigned i = 0; i < PORTS; i++)
        if (wanted >> i & 1 && ports[i].users++ == 0 && uart_probe(i) == KERNEL_OK &&
            uart_start(i, frame, &ports[i]))
            status = BPF_BUSY;
    return status;
}

void uart_give_back(uint32_t given) {
    for (unsigned i = 0; i < PORTS; i++)
        if (given >> i & 1 && --ports[i].users == 0)
            uart_stop(i);
}

static enum bpf_status check(struct domain_entry *entry, const char *pattern,
                             const struct bpf_grant *grant) {
    uint32_t port;
    if (!hook_number(&pattern, PORTS - 1, &port) || *pattern)
        return BPF_BLOB_SECTION;
    entry->hook.uart.port = (uint8_t)port;
    if (!(grant->uart >> port & 1))
        return BPF_NOT_GRANTED;
    enum kernel_status status = uart_probe(port);
    return status == KERNEL_OK ? BPF_OK : status == KERNEL_BUSY ? BPF_BUSY : BPF_NOT_THERE;
}

/* Its grant has started the line. */
static enum bpf_status start(struct domain_entry *entry) {
    struct port *port = &ports[entry->hook.uart.port];
    uint32_t key = kernel_lock();
    entry->next = port->first;
    port->first = entry;
    kernel_unlock(key);
    return BPF_OK;
}

static void stop(struct domain_entry *entry) {
    uint32_t key = kernel_lock();
    domain_unlink(&ports[entry->hook.uart.port].first, entry);
    kernel_unlock(key);
}

const struct hook_kind hook_uart = {check, start, stop, NULL, 0};

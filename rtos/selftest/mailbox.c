/* SPDX-License-Identifier: MIT */
#include "hal/board.h"
#include "selftest.h"

static struct mailbox mailbox;
static void *slots[2];
static uint32_t large[64]; /* larger than a queue would copy */
static volatile enum kernel_status seen[4];

/* The pointer itself arrives, in order; what it points to is not touched. */
static const char *order(void) {
    CHECK(mailbox_init(&mailbox, slots, 2) == KERNEL_OK);
    large[63] = 7;
    void *got = NULL;
    CHECK(mailbox_receive(&mailbox, &got, KERNEL_NO_WAIT) == KERNEL_WOULD_BLOCK);
    CHECK(mailbox_send(&mailbox, large, KERNEL_NO_WAIT) == KERNEL_OK);
    CHECK(mailbox_send(&mailbox, NULL, KERNEL_NO_WAIT) == KERNEL_OK);
    CHECK(mailbox_send(&mailbox, large, KERNEL_NO_WAIT) == KERNEL_WOULD_BLOCK);
    CHECK(mailbox_send(&mailbox, large, 2) == KERNEL_TIMEOUT);
    CHECK(mailbox_receive(&mailbox, &got, KERNEL_NO_WAIT) == KERNEL_OK);
    CHECK(got == large && large[63] == 7);
    CHECK(mailbox_receive(&mailbox, &got, KERNEL_NO_WAIT) == KERNEL_OK && got == NULL);
    CHECK(mailbox_receive(&mailbox, &got, 2) == KERNEL_TIMEOUT);
    CHECK(mailbox_init(&mailbox, NULL, 2) == KERNEL_BAD_ARGUMENT);
    CHECK(mailbox_init(&mailbox, slots, 0) == KERNEL_BAD_ARGUMENT);
    return NULL;
}

static void receive(void *argument) {
    (void)argument;
    void *got = NULL;
    mailbox_receive(&mailbox, &got, 20);
    trace(got == large ? 'l' : got == large + 1 ? 'm' : '?');
}

static void send(void *argument) {
    trace(mailbox_send(&mailbox, large + number_of(argument), 20) == KERNEL_OK ? 's' : '?');
}

/* Waiting receivers and waiting senders. */
static const char *waiting(void) {
    mailbox_init(&mailbox, slots, 1);
    helper_start(0, 20, receive);
    helper_start(1, 19, receive);
    CHECK(mailbox_send(&mailbox, large, KERNEL_NO_WAIT) == KERNEL_OK);
    CHECK(mailbox_send(&mailbox, large + 1, KERNEL_NO_WAIT) == KERNEL_OK);
    CHECK(trace_is("lm"));
    helper_start(0, 20, send);
    helper_start(1, 20, send);
    void *got = NULL;
    CHECK(trace_is("s"));
    CHECK(mailbox_receive(&mailbox, &got, KERNEL_NO_WAIT) == KERNEL_OK && got == large);
    CHECK(mailbox_receive(&mailbox, &got, KERNEL_NO_WAIT) == KERNEL_OK && got == large + 1);
    CHECK(trace_is("s"));
    return NULL;
}

static void use_in_interrupt(void) {
    void *got = NULL;
    seen[0] = mailbox_send_isr(&mailbox, large); /* to the waiting task */
    seen[1] = mailbox_send_isr(&mailbox, large);
    seen[2] = mailbox_send_isr(&mailbox, large);
    seen[3] = mailbox_receive_isr(&mailbox, &got);
}

static const char *interrupt(void) {
    mailbox_init(&mailbox, slots, 1);
    helper_start(0, 20, receive);
    board_spare_handler[BOARD_SPARE_KERNEL] = use_in_interrupt;
    board_spare_pend(BOARD_SPARE_KERNEL);
    CHECK(seen[0] == KERNEL_OK && seen[1] == KERNEL_OK && seen[2] == KERNEL_WOULD_BLOCK);
    CHECK(seen[3] == KERNEL_OK);
    CHECK(trace_is("l"));
    CHECK(mailbox_send_isr(&mailbox, large) == KERNEL_NOT_IN_INTERRUPT);
    return NULL;
}

const struct test tests_mailbox[] = {
    {"mailbox", "order", order},
    {"mailbox", "waiting", waiting},
    {"mailbox", "interrupt", interrupt},
};
SUITE_END(mailbox);

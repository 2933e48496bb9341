/* SPDX-License-Identifier: MIT */
/* The ST-LINK and its server. What a client sends is written out byte by byte. */
#include "desk/desk.h"

#include "tests/desk/fake_board.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------------------
 * Commands */

static struct stlink probe;

static void setup_probe(void) {
    fake_board_reset();
    stlink_init(&probe, &fake_board);
}

TestSuite(stlink, .init = setup_probe);

#define COMMAND(...)                                                                               \
    (const uint8_t[STLINK_COMMAND_SIZE]) {                                                         \
        __VA_ARGS__                                                                                \
    }

static void expect_in(const uint8_t *command, const uint8_t *expected, size_t size) {
    uint8_t data[STLINK_DATA_LIMIT];

    memset(data, 0xcc, sizeof(data));
    stlink_transfer(&probe, command, STLINK_IN, data, size);
    cr_expect_arr_eq(data, expected, size, "command %02x %02x", command[0], command[1]);
    cr_expect_eq(data[size], 0xcc);
}

#define EXPECT(command, ...)                                                                       \
    expect_in(command, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

Test(stlink, the_probe_introduces_itself) {
    EXPECT(COMMAND(0xf1), 0x29, 0x47, 0x83, 0x04, 0x48, 0x37);
    EXPECT(COMMAND(0xf5), 1, 0);
    EXPECT(COMMAND(0xf2, 0x30, 0xa3), 0x80, 0);
    EXPECT(COMMAND(0xf5), 2, 0);
    EXPECT(COMMAND(0xf2, 0x31), 0x80, 0, 0, 0, 0x77, 0x14, 0xa0, 0x2b, 0, 0, 0, 0);
    uint8_t none[1];
    stlink_transfer(&probe, COMMAND(0xf2, 0x21), STLINK_IN, none, 0);
    EXPECT(COMMAND(0xf5), 1, 0);
}

Test(stlink, registers_of_a_halted_core) {
    EXPECT(COMMAND(0xf2, 0x33, 15), 0x08, 0, 0, 0, 0, 0, 0, 0); /* it runs */
    EXPECT(COMMAND(0xf2, 0x35, 0xf0, 0xed, 0, 0xe0, 3, 0, 0x5f, 0xa0), 0x80, 0);
    EXPECT(COMMAND(0xf2, 0x36, 0xf0, 0xed, 0, 0xe0), 0x80, 0, 0, 0, 0, 0, 2, 0);
    EXPECT(COMMAND(0xf2, 0x34, 15, 0x78, 0x56, 0x34, 0x12), 0x80, 0);
    cr_expect_eq(fake_board.core[15], 0x12345678);
    fake_board.core[0x40] = 0xcafe;
    EXPECT(COMMAND(0xf2, 0x33, 0x40), 0x80, 0, 0, 0, 0xfe, 0xca, 0, 0);

    uint8_t all[88];
    fake_board.core[20] = 0x99;
    stlink_transfer(&probe, COMMAND(0xf2, 0x3a), STLINK_IN, all, sizeof(all));
    cr_expect_eq(bytes_get(all + 4 + 4 * 15, 4), 0x12345678);
    cr_expect_eq(bytes_get(all + 4 + 4 * 19, 4), 0x99);
}

Test(stlink, debug_registers_that_are_not_there) {
    EXPECT(COMMAND(0xf2, 0x36, 0, 0, 0, 0x90), 0x11, 0, 0, 0, 0, 0, 0, 0);
    EXPECT(COMMAND(0xf2, 0x35, 0, 0, 0, 0x90), 0x11, 0);
    EXPECT(COMMAND(0xf2, 0x36, 2, 0, 0, 0x20), 0x0a, 0, 0, 0, 0, 0, 0, 0);
}

static void out(const uint8_t *command, const char *text) {
    uint8_t data[64];

    memcpy(data, text, strlen(text));
    stlink_transfer(&probe, command, STLINK_OUT, data, strlen(text));
}

#define LAST_STATUS COMMAND(0xf2, 0x3e)

Test(stlink, memory_in_all_widths) {
    out(COMMAND(0xf2, 0x08, 0x10, 0, 0, 0x20, 8, 0), "abcdefgh");
    out(COMMAND(0xf2, 0x48, 0x18, 0, 0, 0x20, 2, 0), "ij");
    out(COMMAND(0xf2, 0x0d, 0x1a, 0, 0, 0x20, 3, 0), "klm");
    EXPECT(LAST_STATUS, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    cr_expect_arr_eq(fake_board.ram + 0x10, "abcdefghijklm", 13);
    EXPECT(COMMAND(0xf2, 0x07, 0x10, 0, 0, 0x20, 4, 0), 'a', 'b', 'c', 'd');
    EXPECT(COMMAND(0xf2, 0x47, 0x12, 0, 0, 0x20, 4, 0), 'c', 'd', 'e', 'f');
    EXPECT(COMMAND(0xf2, 0x0c, 0x1b, 0, 0, 0x20, 1, 0), 'l', 0); /* two bytes for one */
}

Test(stlink, a_word_again_and_again) {
    out(COMMAND(0xf2, 0x50, 0, 0, 0, 0x20, 8, 0), "abcdefgh");
    cr_expect_arr_eq(fake_board.ram, "efgh\0\0\0", 8);
    EXPECT(COMMAND(0xf2, 0x54, 0, 0, 0, 0x20, 8, 0), 'e', 'f', 'g', 'h', 'e', 'f', 'g', 'h');
}

Test(stlink, transfers_cross_4_kib) {
    out(COMMAND(0xf2, 0x08, 0xfc, 0x0f, 0, 0x20, 8, 0), "abcdefgh");
    cr_expect_arr_eq(fake_board.ram + 0xffc, "abcdefgh", 8);
}

Test(stlink, an_access_that_fails_tells_where) {
    EXPECT(COMMAND(0xf2, 0x0c, 0xfe, 0x1f, 0, 0x20, 4, 0), 0, 0, 0, 0);
    EXPECT(LAST_STATUS, 0x11, 0, 0, 0, 0x00, 0x20, 0, 0x20, 0, 0, 0, 0);
    EXPECT(COMMAND(0xf5), 1, 0); /* another command does not clear it */
    EXPECT(LAST_STATUS, 0x11, 0, 0, 0, 0x00, 0x20, 0, 0x20, 0, 0, 0, 0);
    EXPECT(COMMAND(0xf2, 0x07, 2, 0, 0, 0x20, 4, 0), 0, 0, 0, 0);
    EXPECT(COMMAND(0xf2, 0x3b), 0x0a, 0);
    EXPECT(COMMAND(0xf2, 0x07, 0, 0, 0, 0x20, 4, 0, 1), 0, 0, 0, 0); /* another AP */
    EXPECT(COMMAND(0xf2, 0x3b), 0x1d, 0);
}

Test(stlink, lengths_that_do_not_fit_the_data) {
    EXPECT(COMMAND(0xf2, 0x07, 0, 0, 0, 0x20, 0xfc, 0xff), 0, 0, 0, 0, 0, 0);
    out(COMMAND(0xf2, 0x08, 0, 0, 0, 0x20, 0xfc, 0xff), "abcdef");
    cr_expect_arr_eq(fake_board.ram, "abcd\0\0\0", 8);
}

Test(stlink, resets) {
    EXPECT(COMMAND(0xf2, 0x32), 0x80, 0);
    cr_expect_eq(fake_board.aircr, 0x05fa0004);
    EXPECT(COMMAND(0xf2, 0x3c, 0), 0x80, 0);
    cr_expect(probe.in_reset);
    cr_expect_eq(fake_board.pin_resets, 0);
    EXPECT(COMMAND(0xf2, 0x3c, 1), 0x80, 0);
    cr_expect_not(probe.in_reset);
    cr_expect_eq(fake_board.pin_resets, 1);
    EXPECT(COMMAND(0xf2, 0x3c, 1), 0x80, 0); /* it was high already */
    cr_expect_eq(fake_board.pin_resets, 1);
    EXPECT(COMMAND(0xf2, 0x3c, 2), 0x80, 0);
    cr_expect_eq(fake_board.pin_resets, 2);
    cr_expect_not(probe.in_reset);
    EXPECT(COMMAND(0xf2, 0x3c, 3), 0x42, 0);
    EXPECT(COMMAND(0xf2, 0x3c, 0), 0x80, 0);
    stlink_disconnect(&probe);
    cr_expect_eq(fake_board.pin_resets, 3);
}

Test(stlink, debug_port) {
    EXPECT(COMMAND(0xf2, 0x46, 0xff, 0xff, 4, 0, 0, 0, 0, 0x50), 0x80, 0);
    EXPECT(COMMAND(0xf2, 0x45, 0xff, 0xff, 4, 0), 0x80, 0, 0, 0, 0, 0, 0, 0xf0);
    EXPECT(COMMAND(0xf2, 0x45, 0, 0, 0xfc, 0), 0x80, 0, 0, 0, 0x11, 0, 0x77, 0x24);
    EXPECT(COMMAND(0xf2, 0x45, 1, 0, 0xfc, 0), 0x80, 0, 0, 0, 0, 0, 0, 0);
    EXPECT(COMMAND(0xf2, 0x4b, 0), 0x80, 0);
    EXPECT(COMMAND(0xf2, 0x4b, 1), 0x1d, 0);
}

Test(stlink, any_command_is_harmless) {
    uint8_t data[64];

    for (unsigned group = 0; group < 256; group++)
        for (unsigned code = 0; code < 256; code++)
            for (unsigned size = 0; size < 3; size++) {
                stlink_transfer(&probe, COMMAND((uint8_t)group, (uint8_t)code), STLINK_IN, data,
                                size);
                stlink_transfer(&probe, COMMAND((uint8_t)group, (uint8_t)code), STLINK_OUT, data,
                                size);
                stlink_transfer(&probe, COMMAND((uint8_t)group, (uint8_t)code), STLINK_TRACE, data,
                                size);
            }
    EXPECT(COMMAND(0xf2, 0xee), 0x42, 0);
    EXPECT(COMMAND(0x12), 0x42, 0);
}

/* ------------------------------------------------------------------------------------------------
 * The server */

static struct stlink_server *server;
static int client;

static int dial(void) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)stlink_port(server)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return fd;
}

static void setup_server(void) {
    char error[100];

    fake_board_reset();
    server = stlink_listen(&fake_board, 0, error, sizeof(error));
    cr_assert(server, "%s", error);
    client = dial();
}

static void teardown_server(void) {
    close(client);
    stlink_close(server);
}

TestSuite(stlink_server, .init = setup_server, .fini = teardown_server);

/* A few turns of the loop; it must not spin when there is nothing to do. */
static void turn(void) {
    for (unsigned i = 0; i < 20; i++) {
        struct pollfd fds[DESK_POLL];
        if (poll(fds, stlink_poll(server, fds), i < 2 ? 100 : 0) == 0)
            return;
        stlink_serve(server);
    }
    cr_assert_fail("the server is never done");
}

static void ask(const void *request, size_t size) {
    cr_assert_eq(send(client, request, size, MSG_NOSIGNAL), (ssize_t)size);
    turn();
}

static void expect_reply(const uint8_t *expected, size_t size) {
    uint8_t data[STLINK_DATA_LIMIT + 4];
    cr_assert_eq(recv(client, data, size, MSG_WAITALL), (ssize_t)size);
    cr_expect_arr_eq(data, expected, size);
}

#define ASK(...) ask((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
#define REPLY(...)                                                                                 \
    expect_reply((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
#define OK 1, 0, 0, 0
#define BAD 2, 0x10, 0, 0

static void expect_closed(int fd) {
    uint8_t byte;
    cr_expect_leq(recv(fd, &byte, 1, 0), 0);
}

static void open_device(void) {
    ASK(3, 0, 0, 0, 0x1b, 0x1a, 0, 0);
    REPLY(OK, 0x2d, 0x2c, 0, 0);
}

/* A USB command to the connection, which answers with `size` bytes. */
#define USB(direction, size, ...)                                                                  \
    5, 0, 0, 0, 0x2d, 0x2c, 0, 0, __VA_ARGS__, direction, 0, 0, 0, (size)&0xff, (size) >> 8, 0, 0
#define GET_MODE 0xf5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0

Test(stlink_server, list_open_command_close) {
    ASK(6, 1, 0, 0);
    REPLY(2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0);
    ASK(0, 0);
    REPLY(OK);
    ASK(1);
    REPLY(1, 0, 0, 0);
    ASK(2, 0, 0, 0, 41, 0, 0, 0);
    REPLY(OK, 0x1b, 0x1a, 0, 0, 'B', 'P', 'F', '2', 'T', 'H', 'U', 'M', 'B', 'V', 'I', 'R', 'T',
          'U', 'A', 'L', 'F', '4', '0', '7', 'V', 'G', '0', '1', 0, 0, 0, 0, 0, 0, 0, 0, 0x83, 4,
          0x48, 0x37, 0);
    cr_expect_not(stlink_connected(server));
    open_device();
    cr_expect(stlink_connected(server));
    ASK(USB(1, 2, GET_MODE));
    REPLY(OK, 1, 0);
    ASK(4, 0, 0, 0, 0x2d, 0x2c, 0, 0);
    REPLY(OK);
    cr_expect_not(stlink_connected(server));
}

Test(stlink_server, memory_goes_both_ways) {
    open_device();
    ASK(USB(0, 4, 0xf2, 8, 0, 1, 0, 0x20, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0), 'd', 'a', 't', 'a');
    REPLY(OK);
    cr_expect_arr_eq(fake_board.ram + 0x100, "data", 4);
    ASK(USB(1, 6144, 0xf2, 7, 0, 1, 0, 0x20, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0));
    uint8_t expected[4 + 6144] = {OK, 'd', 'a', 't', 'a'};
    expect_reply(expected, sizeof(expected));
}

Test(stlink_server, requests_in_pieces_and_several_at_once) {
    static const uint8_t request[] = {USB(1, 2, GET_MODE)};

    open_device();
    for (size_t i = 0; i < sizeof(request); i++)
        ask(request + i, 1);
    REPLY(OK, 1, 0);
    ASK(1, 1, USB(1, 2, GET_MODE), 1);
    REPLY(1, 0, 0, 0, 1, 0, 0, 0, OK, 1, 0, 1, 0, 0, 0);
}

Test(stlink_server, one_command_between_two_slices_of_the_board) {
    uint8_t data[8];

    cr_assert_eq(send(client, "\1\1", 2, 0), 2);
    struct pollfd fds[DESK_POLL];
    poll(fds, stlink_poll(server, fds), 1000);
    stlink_serve(server);
    cr_expect_eq(recv(client, data, 8, 0), 4);
    stlink_serve(server);
    cr_expect_eq(recv(client, data, 8, 0), 4);
}

Test(stlink_server, only_who_has_opened_the_device_may_use_it) {
    ASK(USB(1, 2, GET_MODE));
    REPLY(BAD, 0, 0);
    ASK(3, 0, 0, 0, 1, 0, 0, 0);
    REPLY(BAD, 0, 0, 0, 0);
    open_device();
    ASK(3, 0, 0, 0, 0x1b, 0x1a, 0, 0);
    REPLY(BAD, 0, 0, 0, 0);
    ASK(4, 0, 0, 0, 9, 0, 0, 0);
    REPLY(BAD);
    ASK(5, 0, 0, 0, 7, 7, 7, 7, 0xf2, 8, 0, 0, 0, 0x20, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4,
        0, 0, 0, 'd', 'a', 't', 'a');
    REPLY(BAD);
    cr_expect_eq(fake_board.ram[0], 0);
}

Test(stlink_server, malformed_requests_end_the_connection) {
    static const struct {
        uint8_t bytes[40];
        size_t size;
    } malformed[] = {
        {{'G', 'E', 'T', ' ', '/'}, 5},   {{8}, 1},
        {{USB(1, 6145, GET_MODE)}, 32},   {{USB(2, 4, GET_MODE)}, 32},
        {{USB(0, 0xffff, GET_MODE)}, 32}, {{5, [28] = 0xff, 0xff, 0xff, 0xff}, 32},
    };

    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        open_device();
        ask(malformed[i].bytes, malformed[i].size);
        expect_closed(client);
        cr_expect_not(stlink_connected(server));
        close(client);
        client = dial();
    }
    open_device();
}

Test(stlink_server, noise) {
    srand(1);
    for (unsigned i = 0; i < 300; i++) {
        uint8_t bytes[200];
        for (size_t j = 0; j < sizeof(bytes); j++)
            bytes[j] = (uint8_t)(rand() & (j % 3 ? 7 : 0xff));
        if (i % 2)
            send(client, (const uint8_t[]){3, 0, 0, 0, 0x1b, 0x1a, 0, 0}, 8, MSG_NOSIGNAL);
        send(client, bytes, (size_t)rand() % sizeof(bytes), MSG_NOSIGNAL);
        for (unsigned j = 0; j < 50; j++)
            stlink_serve(server);
        close(client);
        client = dial();
    }
    turn();
    open_device();
}

Test(stlink_server, a_second_client_is_turned_away) {
    open_device();
    int other = dial();
    turn();
    expect_closed(other);
    close(other);
    ASK(USB(1, 2, GET_MODE));
    REPLY(OK, 1, 0);
}

Test(stlink_server, a_client_that_vanishes) {
    open_device();
    ASK(USB(1, 2, 0xf2, 0x3c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    REPLY(OK, 0x80, 0);
    cr_expect(stlink_in_reset(server));
    send(client, (const uint8_t[]){USB(1, 2, GET_MODE)}, 20, 0); /* in the middle of a request */
    close(client);
    turn();
    cr_expect_not(stlink_in_reset(server));
    cr_expect_eq(fake_board.pin_resets, 1);
    client = dial();
    turn();
    open_device();
    ASK(USB(1, 2, GET_MODE));
    REPLY(OK, 1, 0);
}

/* OpenOCD is killed and started anew, all while the board runs a slice. */
Test(stlink_server, the_next_client_is_there_before_the_last_is_missed) {
    open_device();
    send(client, (const uint8_t[]){USB(1, 2, GET_MODE)}, 32, 0);
    close(client);
    client = dial();
    turn();
    open_device();
}

Test(stlink_server, a_port_that_is_taken) {
    char error[100];
    cr_expect_null(stlink_listen(&fake_board, stlink_port(server), error, sizeof(error)));
    cr_expect(strstr(error, "Address already in use"), "%s", error);
}

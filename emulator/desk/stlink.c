/* SPDX-License-Identifier: MIT */
/*
 * The commands of an ST-LINK/V2 with firmware J37, against the debug port of the virtual board. They have
 * never been published; what is here is what OpenOCD 0.12 sends and expects (its hla and dapdirect_swd
 * transports), tried out with it.
 *
 * A command block is 16 bytes: a group, for the group DEBUG a command, then arguments, little-endian. Most
 * replies begin with a status. Reads of memory do not, because data fills them, so the host asks for
 * their status afterwards.
 */
#include "desk/desk.h"

#include <string.h>

/* Versions as the host sees them: V2 J37 S7. The features that OpenOCD uses depend on J. */
#define VERSION ((2u << 12) | (37u << 6) | 7u)

enum group {
    GET_VERSION = 0xf1,
    DEBUG = 0xf2,
    DFU = 0xf3,
    GET_CURRENT_MODE = 0xf5,
    GET_TARGET_VOLTAGE = 0xf7,
};

enum mode { MODE_MASS = 1, MODE_DEBUG = 2 };

enum status {
    STATUS_OK = 0x80,
    STATUS_NOT_READY = 0x08, /* the core did not do it: a register of a core that runs */
    STATUS_ALIGNMENT = 0x0a,
    STATUS_AP_FAULT = 0x11, /* a bus error */
    STATUS_BAD_AP = 0x1d,
    STATUS_UNKNOWN = 0x42, /* no such command */
};

/* The debug registers that this file knows by name (ARMv7-M, C1.6) and what is in them. */
#define AIRCR 0xe000ed0cu
#define AIRCR_SYSRESETREQ 0x05fa0004u
#define DHCSR 0xe000edf0u
#define DHCSR_S_REGRDY (1u << 16)
#define DCRSR 0xe000edf4u
#define DCRSR_WRITE (1u << 16)
#define DCRDR 0xe000edf8u

#define SWD_IDR 0x2ba01477u    /* DPIDR of the SW-DP, and what READ_IDCODES tells */
#define AHB_AP_IDR 0x24770011u /* of the Cortex-M4 */
#define ROM_TABLE 0xe00ff003u  /* BASE: the table of debug components, present */

struct transfer {
    const uint8_t *command;
    enum stlink_direction direction;
    uint8_t *data;
    size_t size;
};

/* ------------------------------------------------------------------------------------------------
 * Replies. A host that leaves less room than a reply has gets the beginning. */

static void put(struct transfer *t, size_t at, unsigned size, uint32_t value) {
    for (unsigned i = 0; i < size && at + i < t->size; i++)
        t->data[at + i] = (uint8_t)(value >> (8 * i));
}

/* ------------------------------------------------------------------------------------------------
 * The probe itself */

static enum status get_version(struct stlink *s, struct transfer *t) {
    (void)s;
    put(t, 0, 1, VERSION >> 8); /* the only number with its high byte first */
    put(t, 1, 1, VERSION & 0xff);
    put(t, 2, 2, STLINK_VENDOR);
    put(t, 4, 2, STLINK_PRODUCT);
    return STATUS_OK;
}

static enum status get_mode(struct stlink *s, struct transfer *t) {
    put(t, 0, 1, s->mode);
    return STATUS_OK;
}

/* Two readings of its ADC, of a reference of 1.2 V and of half the target's voltage: 3.0 V here. */
static enum status get_voltage(struct stlink *s, struct transfer *t) {
    (void)s;
    put(t, 0, 4, 1640);
    put(t, 4, 4, 2050);
    return STATUS_OK;
}

static enum status nothing(struct stlink *s, struct transfer *t) {
    (void)s;
    (void)t;
    return STATUS_OK;
}

static enum status enter(struct stlink *s, struct transfer *t) {
    (void)t; /* SWD or JTAG: the difference is not to be seen from here */
    s->mode = MODE_DEBUG;
    return STATUS_OK;
}

static enum status leave(struct stlink *s, struct transfer *t) {
    (void)t;
    s->mode = MODE_MASS;
    return STATUS_OK;
}

static enum status read_idcodes(struct stlink *s, struct transfer *t) {
    (void)s;
    put(t, 4, 4, SWD_IDR);
    return STATUS_OK;
}

static void set_reset(struct stlink *s, bool low) {
    if (s->in_reset && !low)
        board_reset(s->board, BOARD_RESET_PIN);
    s->in_reset = low;
}

static enum status drive_nrst(struct stlink *s, struct transfer *t) {
    enum { LOW, HIGH, PULSE };

    if (t->command[2] > PULSE)
        return STATUS_UNKNOWN;
    set_reset(s, t->command[2] != HIGH);
    set_reset(s, t->command[2] == LOW);
    return STATUS_OK;
}

/* ------------------------------------------------------------------------------------------------
 * The core */

static enum status reset_system(struct stlink *s, struct transfer *t) {
    (void)t;
    return board_debug_write(s->board, AIRCR, 4, AIRCR_SYSRESETREQ) ? STATUS_OK : STATUS_AP_FAULT;
}

/* Whether the core has taken or given the value; it does both at once while it is halted. */
static enum status register_ready(struct stlink *s) {
    uint32_t dhcsr;

    if (!board_debug_read(s->board, DHCSR, 4, &dhcsr))
        return STATUS_AP_FAULT;
    return dhcsr & DHCSR_S_REGRDY ? STATUS_OK : STATUS_NOT_READY;
}

static enum status register_value(struct stlink *s, uint32_t selector, uint32_t *value) {
    if (!board_debug_write(s->board, DCRSR, 4, selector))
        return STATUS_AP_FAULT;
    enum status status = register_ready(s);
    if (status == STATUS_OK && !board_debug_read(s->board, DCRDR, 4, value))
        return STATUS_AP_FAULT;
    return status;
}

static enum status read_register(struct stlink *s, struct transfer *t) {
    uint32_t value = 0;
    enum status status = register_value(s, t->command[2], &value);

    put(t, 4, 4, value);
    return status;
}

static enum status write_register(struct stlink *s, struct transfer *t) {
    if (!board_debug_write(s->board, DCRDR, 4, bytes_get(t->command + 3, 4)) ||
        !board_debug_write(s->board, DCRSR, 4, DCRSR_WRITE | t->command[2]))
        return STATUS_AP_FAULT;
    return register_ready(s);
}

/* r0 to r15, xPSR, MSP, PSP and what selector 20 packs (CONTROL, FAULTMASK, BASEPRI, PRIMASK). */
static enum status read_registers(struct stlink *s, struct transfer *t) {
    static const uint8_t selectors[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,
                                        10, 11, 12, 13, 14, 15, 16, 17, 18, 20};

    for (size_t i = 0; i < sizeof(selectors); i++) {
        uint32_t value;
        enum status status = register_value(s, selectors[i], &value);
        if (status != STATUS_OK)
            return status;
        put(t, 4 + 4 * i, 4, value);
    }
    return STATUS_OK;
}

static enum status read_debug_register(struct stlink *s, struct transfer *t) {
    uint32_t address = bytes_get(t->command + 2, 4), value = 0;

    if (address % 4)
        return STATUS_ALIGNMENT;
    if (!board_debug_read(s->board, address, 4, &value))
        return STATUS_AP_FAULT;
    put(t, 4, 4, value);
    return STATUS_OK;
}

static enum status write_debug_register(struct stlink *s, struct transfer *t) {
    uint32_t address = bytes_get(t->command + 2, 4);

    if (address % 4)
        return STATUS_ALIGNMENT;
    return board_debug_write(s->board, address, 4, bytes_get(t->command + 6, 4)) ? STATUS_OK
                                                                                 : STATUS_AP_FAULT;
}

/* ------------------------------------------------------------------------------------------------
 * Memory */

static enum status access_one(struct stlink *s, struct transfer *t, uint32_t address,
                              unsigned width, size_t at) {
    uint32_t value;

    if (t->direction == STLINK_OUT)
        return board_debug_write(s->board, address, width, bytes_get(t->data + at, width))
                   ? STATUS_OK
                   : STATUS_AP_FAULT;
    if (!board_debug_read(s->board, address, width, &value))
        return STATUS_AP_FAULT;
    put(t, at, width, value);
    return STATUS_OK;
}

/*
 * The AP's own increment of the address ends at 4 KiB, but the probe's does not: OpenOCD's dapdirect_swd puts
 * accesses on both sides of such a border into one transfer. It stops at the first error, as the AP does,
 * whose sticky error then refuses what follows.
 */
static enum status access_memory(struct stlink *s, struct transfer *t, unsigned width,
                                 bool increments) {
    uint32_t base = bytes_get(t->command + 2, 4);
    size_t length = bytes_get(t->command + 6, 2);

    s->rw_address = base;
    if (t->command[8] != 0)
        return STATUS_BAD_AP;
    if (base % width || length % width)
        return STATUS_ALIGNMENT;
    if (length > t->size) /* for a single byte the host makes room for two */
        length = t->size - t->size % width;
    for (size_t i = 0; i < length; i += width) {
        uint32_t address = increments ? base + (uint32_t)i : base;
        enum status status = access_one(s, t, address, width, i);
        if (status != STATUS_OK) {
            s->rw_address = address;
            return status;
        }
    }
    return STATUS_OK;
}

/* The status is not part of the reply: last_status() gives it afterwards. */
static enum status access_bytes(struct stlink *s, struct transfer *t) {
    return s->rw_status = access_memory(s, t, 1, true);
}

static enum status access_halves(struct stlink *s, struct transfer *t) {
    return s->rw_status = access_memory(s, t, 2, true);
}

static enum status access_words(struct stlink *s, struct transfer *t) {
    return s->rw_status = access_memory(s, t, 4, true);
}

static enum status access_one_word(struct stlink *s, struct transfer *t) {
    return s->rw_status = access_memory(s, t, 4, false);
}

static enum status last_status(struct stlink *s, struct transfer *t) {
    put(t, 4, 4, s->rw_status == STATUS_OK ? 0 : s->rw_address);
    return s->rw_status;
}

/* ------------------------------------------------------------------------------------------------
 * Debug port and access port (ADIv5), for OpenOCD's dapdirect_swd: memory goes by the commands above there
 * as well, so what is left is who-are-you and power. */

enum { DP_ACCESS = 0xffff };
enum { DP_IDR = 0x0, DP_CONTROL = 0x4, DP_SELECT = 0x8, DP_RDBUFF = 0xc };
enum { AP_CSW = 0x00, AP_TAR = 0x04, AP_DRW = 0x0c, AP_BASE = 0xf8, AP_IDR = 0xfc };

#define DP_REQUESTS 0x50000000u /* CSYSPWRUPREQ, CDBGPWRUPREQ; each is acknowledged one bit above */
#define CSW_READS_AS 0x23000040u /* DeviceEn, and an AP of the Cortex-M4's HPROT */

static enum status read_dap(struct stlink *s, struct transfer *t) {
    unsigned port = bytes_get(t->command + 2, 2), address = bytes_get(t->command + 4, 2);
    uint32_t value = 0;

    if (port == DP_ACCESS)
        value = address == DP_IDR       ? SWD_IDR
                : address == DP_CONTROL ? s->dp_control | (s->dp_control & DP_REQUESTS) << 1
                : address == DP_SELECT  ? s->dp_select
                                        : 0;
    else if (port == 0 && address == AP_DRW) {
        if (!board_debug_read(s->board, s->ap_tar & ~3u, 4, &value))
            return STATUS_AP_FAULT;
    } else if (port == 0)
        value = address == AP_CSW    ? s->ap_csw | CSW_READS_AS
                : address == AP_TAR  ? s->ap_tar
                : address == AP_BASE ? ROM_TABLE
                : address == AP_IDR  ? AHB_AP_IDR
                                     : 0;
    put(t, 4, 4, value); /* the IDR of an AP that is not there is 0 */
    return STATUS_OK;
}

static enum status write_dap(struct stlink *s, struct transfer *t) {
    unsigned port = bytes_get(t->command + 2, 2), address = bytes_get(t->command + 4, 2);
    uint32_t value = bytes_get(t->command + 6, 4);

    if (port == DP_ACCESS && address == DP_CONTROL)
        s->dp_control = value & DP_REQUESTS;
    else if (port == DP_ACCESS && address == DP_SELECT)
        s->dp_select = value;
    else if (port == 0 && address == AP_CSW)
        s->ap_csw = value;
    else if (port == 0 && address == AP_TAR)
        s->ap_tar = value;
    else if (port == 0 && address == AP_DRW)
        return board_debug_write(s->board, s->ap_tar & ~3u, 4, value) ? STATUS_OK : STATUS_AP_FAULT;
    return STATUS_OK;
}

static enum status open_ap(struct stlink *s, struct transfer *t) {
    (void)s;
    return t->command[2] == 0 ? STATUS_OK : STATUS_BAD_AP;
}

/* ------------------------------------------------------------------------------------------------
 * The tables */

enum reply {
    REPLY_STATUS, /* begins with the status */
    REPLY_DATA,   /* all of it is what act() puts there */
};

struct command {
    uint8_t code;
    enum stlink_direction direction;
    enum reply reply;
    enum status (*act)(struct stlink *s, struct transfer *t);
};

static const struct command groups[] = {
    {GET_VERSION, STLINK_IN, REPLY_DATA, get_version},
    {DFU, STLINK_IN, REPLY_DATA, nothing}, /* leaves a mode that this probe is never in */
    {GET_CURRENT_MODE, STLINK_IN, REPLY_DATA, get_mode},
    {GET_TARGET_VOLTAGE, STLINK_IN, REPLY_DATA, get_voltage},
};

static const struct command debug_commands[] = {
    {0x07, STLINK_IN, REPLY_DATA, access_words},
    {0x08, STLINK_OUT, REPLY_DATA, access_words},
    {0x0c, STLINK_IN, REPLY_DATA, access_bytes},
    {0x0d, STLINK_OUT, REPLY_DATA, access_bytes},
    {0x21, STLINK_IN, REPLY_DATA, leave},
    {0x30, STLINK_IN, REPLY_STATUS, enter},
    {0x31, STLINK_IN, REPLY_STATUS, read_idcodes},
    {0x32, STLINK_IN, REPLY_STATUS, reset_system},
    {0x33, STLINK_IN, REPLY_STATUS, read_register},
    {0x34, STLINK_IN, REPLY_STATUS, write_register},
    {0x35, STLINK_IN, REPLY_STATUS, write_debug_register},
    {0x36, STLINK_IN, REPLY_STATUS, read_debug_register},
    {0x3a, STLINK_IN, REPLY_STATUS, read_registers},
    {0x3b, STLINK_IN, REPLY_STATUS, last_status},
    {0x3c, STLINK_IN, REPLY_STATUS, drive_nrst},
    {0x3e, STLINK_IN, REPLY_STATUS, last_status},
    {0x40, STLINK_IN, REPLY_STATUS, nothing}, /* trace on: nothing will come, SWO is not modelled */
    {0x41, STLINK_IN, REPLY_STATUS, nothing}, /* trace off */
    {0x42, STLINK_IN, REPLY_DATA, nothing},   /* bytes of trace: 0 */
    {0x43, STLINK_IN, REPLY_STATUS, nothing}, /* frequency of SWD: any */
    {0x44, STLINK_IN, REPLY_STATUS, nothing}, /* of JTAG */
    {0x45, STLINK_IN, REPLY_STATUS, read_dap},
    {0x46, STLINK_IN, REPLY_STATUS, write_dap},
    {0x47, STLINK_IN, REPLY_DATA, access_halves},
    {0x48, STLINK_OUT, REPLY_DATA, access_halves},
    {0x4b, STLINK_IN, REPLY_STATUS, open_ap},
    {0x4c, STLINK_IN, REPLY_STATUS, open_ap}, /* close */
    {0x50, STLINK_OUT, REPLY_DATA, access_one_word},
    {0x54, STLINK_IN, REPLY_DATA, access_one_word},
};

static const struct command *find(const struct command *table, size_t count, uint8_t code,
                                  enum stlink_direction direction) {
    for (size_t i = 0; i < count; i++)
        if (table[i].code == code && table[i].direction == direction)
            return &table[i];
    return NULL;
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

void stlink_transfer(struct stlink *s, const uint8_t *command, enum stlink_direction direction,
                     uint8_t *data, size_t size) {
    struct transfer t = {command, direction, data, size};
    bool debug = command[0] == DEBUG;
    const struct command *c =
        debug ? find(debug_commands, COUNT(debug_commands), command[1], direction)
              : find(groups, COUNT(groups), command[0], direction);

    if (direction != STLINK_OUT)
        memset(data, 0, size);
    enum status status = c ? c->act(s, &t) : STATUS_UNKNOWN;
    if (direction == STLINK_IN && !(c && c->reply == REPLY_DATA))
        put(&t, 0, 1, status);
}

void stlink_init(struct stlink *s, struct board *board) {
    *s = (struct stlink){.board = board, .mode = MODE_MASS, .rw_status = STATUS_OK};
}

void stlink_disconnect(struct stlink *s) {
    set_reset(s, false);
    stlink_init(s, s->board);
}

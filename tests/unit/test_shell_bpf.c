/* SPDX-License-Identifier: MIT */
/* The shell's command about installed programs: what is typed, what it calls, what it answers. */
#include "rtos/console.h"
#include "rtos/shell/session.h"
#include "shell/mock.h"
#include "smp/programs_mock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static jmp_buf ended;
static struct session session;

static void to_console(void *context, const char *text, size_t length) {
    (void)context;
    console_write(CONSOLE_INTERACTIVE, text, length);
}

static void setup(void) {
    mock_start(&ended);
    programs_mock_start();
    programs_mock_add("blink", 2100);
    programs_mock_add("pid", 5000);
    session_init(&session, (struct shell){to_console, NULL});
    mock_take();
}
TestSuite(shell_bpf, .init = setup);

static const char *answer(const char *line) {
    static char text[MOCK_OUTPUT];
    for (const char *c = line; *c; c++)
        session_feed(&session, (uint8_t)*c);
    mock_take();
    session_feed(&session, '\r');
    const char *all = mock_take();
    size_t length = strlen(all);
    cr_assert(length >= 3 && !strcmp(all + length - 2, "> "), "no prompt behind: %s", all);
    snprintf(text, sizeof(text), "%.*s", (int)length - 3, all + 1);
    return text;
}

static void expect(const char *line, const char *wanted) {
    cr_expect_str_eq(answer(line), wanted, "%s", line);
}

static void expect_part(const char *line, const char *part) {
    const char *text = answer(line);
    cr_expect(strstr(text, part), "%s: %s\nis not in\n%s", line, part, text);
}

static void expect_call(const char *line, const char *call) {
    programs_mock.last[0] = '\0';
    expect(line, "");
    cr_expect_str_eq(programs_mock.last, call, "%s", line);
}

Test(shell_bpf, calls) {
    expect_call("bpf enable blink", "enable blink");
    expect_call("bpf disable blink", "disable blink");
    expect_call("bpf remove pid", "remove pid");
    expect_call("bpf rollback pid", "rollback pid");
    expect_call("bpf compact", "compact ");
    expect_call("bpf format yes", "format ");
}

Test(shell_bpf, statuses_are_words) {
    static const char *const lines[] = {"bpf info x",
                                        "bpf enable x",
                                        "bpf disable x",
                                        "bpf remove x",
                                        "bpf run x",
                                        "bpf stats x",
                                        "bpf map x",
                                        "bpf grant x",
                                        "bpf grant x led:0",
                                        "bpf rollback x",
                                        "bpf map get x counts 1"};
    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        expect(lines[i], "bpf: there is no such thing (status 131)\n");
    programs_mock.next = BPF_NO_ROOM;
    expect("bpf compact", "bpf: the store is full (status 201)\n");
    programs_mock.next = BPF_BUSY;
    expect("bpf format yes", "bpf: it is in use (status 133)\n");
}

Test(shell_bpf, usage) {
    expect_part("bpf", "bpf run NAME [ENTRY [WORD...]]\n");
    expect_part("bpf nonsense", "usage: bpf [list|");
    expect("bpf info", "usage: bpf info NAME\n");
    expect("bpf info a b", "usage: bpf info NAME\n");
    expect("bpf compact now", "usage: bpf compact\n");
    expect("bpf format", "usage: bpf format yes\n");
    expect("bpf format no", "usage: bpf format yes\n");
    expect_part("bpf map get blink", "usage: bpf map");
    expect_part("bpf map put blink counts 1", "usage: bpf map");
    expect_part("bpf map set blink counts 1", "usage: bpf map");
    expect_part("bpf map delete blink counts", "usage: bpf map");
    expect("bpf load", "usage: bpf load NAME [ADDRESS [ram] [ITEM...]]\n");
    cr_expect_str_eq(programs_mock.last, "map blink", "nothing was done");
    cr_expect_eq(programs_mock.held, 0);
}

/* Of the flash alone, and of a blob that ends in it, whatever its header says. */
Test(shell_bpf, load) {
    static const char none[] = "bpf: there is no blob at 0x%08x, or it is not in the flash\n";
    char *flash = mmap(NULL, 2 * MOCK_SECTOR, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    uint32_t at = (uint32_t)(uintptr_t)flash, end = at + 2 * MOCK_SECTOR;
    struct blob_header header = {.magic = BLOB_MAGIC, .size = 1200};
    char line[80], wanted[80];
    expect_call("bpf load blink", "enable blink");
    expect_part("bpf load x 0x08000000", "no blob at 0x08000000"); /* a board without flash */
    programs_mock.flash = at;
    const struct {
        uint32_t address, size;
        bool found;
    } rows[] = {{at, 1200, true},        {at + 4096, 4096, true}, {at + 4096, 4104, false},
                {at, UINT32_MAX, false}, {end - 128, 128, true},  {end - 120, 128, false},
                {at - 8, 1200, false},   {end, 1200, false},      {0xfffffff8, 1200, false},
                {0, 1200, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        header.size = rows[i].size;
        memset(flash, 0xff, 2 * MOCK_SECTOR);
        if (rows[i].address >= at && rows[i].address + sizeof(header) <= end)
            memcpy(flash + (rows[i].address - at), &header, sizeof(header));
        snprintf(line, sizeof(line), "bpf load x%zu 0x%x", i, rows[i].address);
        snprintf(wanted, sizeof(wanted), none, rows[i].address);
        expect(line, rows[i].found ? "" : wanted);
        if (rows[i].found)
            cr_expect(programs_mock.size == rows[i].size && programs_mock.enabled &&
                      memcmp(programs_mock.blob, flash + (rows[i].address - at), rows[i].size) ==
                          0);
    }
    header.size = 1200;
    memcpy(flash, &header, sizeof(header));
    snprintf(line, sizeof(line), "bpf load y 0x%x ram led:1 queue=3", at);
    expect(line, "");
    cr_expect(programs_mock.in_ram && programs_mock.grant.leds == 2 &&
              programs_mock.grant.queue == 3);
    snprintf(line, sizeof(line), "bpf load y 0x%x led:x", at);
    expect_part(line, "is expected here");
    programs_mock.next = BPF_FLASH;
    snprintf(line, sizeof(line), "bpf load y 0x%x", at);
    expect_part(line, "the flash does not take");
    cr_expect_eq(programs_mock.held, 0);
    munmap(flash, 2 * MOCK_SECTOR);
}

Test(shell_bpf, list) {
    expect("bpf list",
           "program         state     engine entries    size  maps  faults restarts\n"
           "blink           running   thumb        2    2100     2       3        1\n"
           "pid             running   thumb        2    5000     2       3        1\n"
           "room for 50000 bytes (120000 after `bpf compact`), RAM for 32768, 4096 in use\n");
    struct program_info *pid = &programs_mock.programs[1];
    pid->state = PROGRAM_REFUSED;
    pid->status = BPF_NOT_GRANTED;
    pid->where = 1001;
    pid->in_ram = true;
    expect_part("bpf list", "  (in RAM)\n");
    expect_part("bpf list", "it uses what the grant does not give (status 141, 1001)\n");
    programs_mock.safe = "the button was held";
    expect_part("bpf list", "safe boot: none was loaded, because the button was held\n");
    programs_mock.store = BPF_STORE_CORRUPT;
    expect_part("bpf list", "bpf: the store cannot be read: only emptying it helps (status 203)\n");
}

Test(shell_bpf, info) {
    struct program_info *is = &programs_mock.programs[0];
    is->code = 0x080c0180;
    is->can_roll_back = true;
    expect("bpf info blink",
           "state     running\n"
           "installed in the store, number 1, its predecessor is there\n"
           "runs      100 good ones since it was started (up to 64)\n"
           "faults    3, 1 restarts, 0 maps repaired\n"
           "blob      0x080c0000, 2100 bytes, id 8877665544332211\n"
           "arena     0x20010000, 4096 bytes, r9 = 0x20010400\n"
           "grant     budget=1ms/10ms priority=3 ram=8K queue=8 policy=restart:3/10s\n"
           "gdb       add-symbol-file blink.elf 0x080c0180\n");
    is->state = PROGRAM_STOPPED;
    expect_part("bpf info blink", "stopped, after faults; `bpf enable` starts it anew\n");
    is->state = PROGRAM_DISABLED;
    expect_part("bpf info blink", "disabled, since a safe boot\n");
    is->enabled = false;
    expect_part("bpf info blink", "disabled\n");
    is->status = BPF_NO_RAM;
    is->where = 4000;
    expect_part("bpf info blink", "refused   there is no RAM left (status 202, 4000)\n");
}

Test(shell_bpf, stats) {
    expect_part("bpf stats blink", "1 blink, timer/100ms: 1000 runs, 2 faults, 1 overruns\n"
                                   "  cycles: least 50, mean 60, most 900\n"
                                   "  cycles below: 2048: 7 more: 4294967295\n");
}

Test(shell_bpf, run) {
    expect("bpf run blink", "-256 (0xffffffffffffff00), 412 cycles\n");
    cr_expect_eq(programs_mock.payload_size, 0);
    expect("bpf run blink 1 up \"and down\"", "-255 (0xffffffffffffff01), 412 cycles\n");
    cr_expect_eq(programs_mock.payload_size, 11);
    cr_expect_eq(memcmp(programs_mock.payload, "up and down", 11), 0);
    expect("bpf run blink blink x", "-256 (0xffffffffffffff00), 412 cycles\n");
    expect("bpf run blink 2", "bpf: there is no such thing (status 131)\n");
    expect("bpf run blink blin", "bpf: there is no such thing (status 131)\n");
}

Test(shell_bpf, grant) {
    expect_call("bpf grant blink gpio:PD12=out,led:0 budget=2ms/10ms", "grant blink");
    cr_expect_eq(programs_mock.grant.leds, 1);
    cr_expect_eq(programs_mock.grant.budget_us, 2000);
    cr_expect_eq(programs_mock.grant.priority, bpf_grant_default.priority);
    expect_part("bpf grant blink", "grant     budget=1ms/10ms");
    programs_mock.last[0] = '\0';
    expect_part("bpf grant blink led:77", " is expected here:\n  led:77\n  ");
    cr_expect_str_eq(programs_mock.last, "", "nothing is granted by halves");
}

Test(shell_bpf, maps) {
    expect("bpf map blink",
           "0 counts          hash            key 4, value 8 bytes, 300 entries\n"
           "1 events          ringbuf         key 0, value 0 bytes, 4096 entries\n");
    expect("bpf map set blink counts 3 6*7", "");
    expect("bpf map set blink 0 4 -1", "");
    expect("bpf map get blink counts 3", "42\n");
    expect("bpf map get blink 0", "3: 42\n4: 18446744073709551615\n");
    expect("bpf map get blink counts 5", "bpf: there is no such thing (status 131)\n");
    expect("bpf map delete blink counts 3", "");
    expect_part("bpf map get blink counts 1+", "is expected here");
    expect("bpf map get blink others 1", "bpf: there is no such thing (status 131)\n");
    cr_expect_eq(programs_mock.held, 0);
}

Test(shell_bpf, maps_of_other_sizes) {
    programs_mock.map.key_size = 3;
    programs_mock.map.value_size = 5;
    expect("bpf map set blink counts 0a0B0c 0102030405", "");
    expect("bpf map get blink counts", "0a0b0c: 0102030405\n");
    expect("bpf map get blink counts 0a0b0c", "0102030405\n");
    static const char *const bad[] = {"0a0b0", "0a0b0c0", "0a0b0g", "0a0b0:", ""};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char line[80];
        snprintf(line, sizeof(line), "bpf map get blink counts \"%s\"", bad[i]);
        expect(line, "bpf: 3 bytes are 6 digits in hexadecimal\n");
    }
    programs_mock.map.key_size = 0; /* a queue */
    programs_mock.elements = 0;
    expect("bpf map set blink counts 0102030405", "");
    expect("bpf map get blink counts", "0102030405\n");
    programs_mock.map.key_size = 65;
    expect_part("bpf map get blink counts", "too large for the shell");
    programs_mock.map.key_size = 4;
    programs_mock.map.value_size = 257;
    expect_part("bpf map get blink counts", "too large for the shell");
}

Test(shell_bpf, long_maps_are_cut) {
    programs_mock.elements = 100;
    const char *text = answer("bpf map get blink counts");
    unsigned lines = 0;
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    cr_expect_eq(lines, 65);
    cr_expect(strstr(text, "\n...\n"));
}

Test(shell_bpf, log) {
    programs_mock.log = "blink: on\nblink: off\n";
    programs_mock.log_lost = 500;
    expect("bpf log", "blink: on\nblink: off\n");
}

Test(shell_bpf, completion) {
    session_feed(&session, '\r');
    mock_take();
    const char *typed = "bpf inf\tbl\t";
    for (const char *c = typed; *c; c++)
        session_feed(&session, (uint8_t)*c);
    cr_expect(strstr(mock_take(), "o blink"), "completed");
    session_feed(&session, 3);
    mock_take();
    expect_part("bpf info blink", "state     running");
}

Test(shell_bpf, a_restart_that_is_meant) {
    if (!setjmp(ended))
        answer("reset");
    cr_expect_str_eq(programs_mock.last, "leave ");
    cr_expect_eq(mock.resets, 1);
}

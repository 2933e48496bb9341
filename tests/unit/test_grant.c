/* SPDX-License-Identifier: MIT */
/*
 * Grants: what texts mean and where wrong ones are wrong; every field at its limits; random grants through
 * text and back; text that chance has changed; what compiled programs ask for.
 */
#include "bpf/grant.h"
#include "compile.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 1;

static uint32_t chance(uint32_t below) {
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

/* Parses from memory of exactly the text's length, so that the sanitizers see a read behind it. */
static bool parse(const char *text, size_t length, struct bpf_grant *grant,
                  struct bpf_grant_error *error) {
    char *copy = malloc(length ? length : 1);
    memcpy(copy, text, length);
    bool good = bpf_grant_parse(copy, length, grant, error);
    free(copy);
    return good;
}

/* The text of a grant, which must be complete: parsed over the default it is the grant again. */
static const char *round_trip(const struct bpf_grant *grant) {
    static char text[BPF_GRANT_TEXT];
    struct bpf_grant again = bpf_grant_default;
    struct bpf_grant_error error;
    size_t length = bpf_grant_print(grant, text, sizeof(text));
    cr_assert(length < sizeof(text) && strlen(text) == length, "%zu bytes", length);
    cr_assert(parse(text, length, &again, &error), "%s: at %zu: %s", text, error.at,
              error.expected);
    cr_assert_eq(memcmp(&again, grant, sizeof(again)), 0, "%s", text);
    return text;
}

/* ---- Text ---- */

#define REST " budget=1ms/10ms priority=3 ram=8K queue=8 policy=restart:3/10s"

Test(grant, texts) {
    static const struct {
        const char *text, *printed;
    } rows[] = {
        {"", REST + 1},
        {" , ,", REST + 1},
        {"gpio:PD12=out", "gpio:PD12=out" REST},
        {"gpio:PD12=out/safe=0", "gpio:PD12=out" REST},
        {"gpio:PD12=out/safe=1", "gpio:PD12=out/safe=1" REST},
        {"gpio:PD12=out/safe=1 gpio:PD12=out", "gpio:PD12=out" REST},
        {"gpio:PD12=out gpio:PD13=out/safe=1", "gpio:PD12=out gpio:PD13=out/safe=1" REST},
        {"gpio:PA0=in,gpio:PI15=in", "gpio:PA0+PI15=in" REST},
        {"gpio:PA0+1+PB0-15+PB3+2=in", "gpio:PA0-1+PB0-15=in" REST},
        {"gpio:PA0=in gpio:PA0=out", "gpio:PA0=in gpio:PA0=out" REST},
        {"led:0-3 pwm:0-4 encoder:0 adc:1+16 uart:2 accel trace",
         "led:0-3 pwm:0-4 encoder:0 uart:2 adc:1+16 accel trace" REST},
        {"led:15,adc:31", "led:15 adc:31" REST},
        {"adc:0-31", "adc:0-31" REST},
        {"led:1 led:2+0", "led:0-2" REST},
        {"led:3-3", "led:3" REST},
        {"budget=2ms/10ms", "budget=2ms/10ms priority=3 ram=8K queue=8 policy=restart:3/10s"},
        {"budget=1us/60s", "budget=1us/60s priority=3 ram=8K queue=8 policy=restart:3/10s"},
        {"budget=60s/60000ms", "budget=60s/60s priority=3 ram=8K queue=8 policy=restart:3/10s"},
        {"budget=1500us/2000us",
         "budget=1500us/2ms priority=3 ram=8K queue=8 policy=restart:3/10s"},
        {"priority=9 ram=128K queue=32 policy=stop",
         "budget=1ms/10ms priority=9 ram=128K queue=32 policy=stop"},
        {"priority=1 ram=1 queue=1 policy=continue",
         "budget=1ms/10ms priority=1 ram=1 queue=1 policy=continue"},
        {"ram=1025", "budget=1ms/10ms priority=3 ram=1025 queue=8 policy=restart:3/10s"},
        {"policy=restart:255/3600s", "budget=1ms/10ms priority=3 ram=8K queue=8 "
                                     "policy=restart:255/3600s"},
        {"policy=stop policy=restart:1/1ms", "budget=1ms/10ms priority=3 ram=8K queue=8 "
                                             "policy=restart:1/1ms"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bpf_grant grant = bpf_grant_default;
        struct bpf_grant_error error;
        cr_expect(parse(rows[i].text, strlen(rows[i].text), &grant, &error), "%s: at %zu: %s",
                  rows[i].text, error.at, error.expected);
        cr_expect_null(bpf_grant_check(&grant, sizeof(grant)), "%s", rows[i].text);
        cr_expect_str_eq(round_trip(&grant), rows[i].printed);
    }
}

Test(grant, fields) {
    static const char text[] =
        "gpio:PA0+PI3=in gpio:PD12=out gpio:PE1=out/safe=1 led:1 pwm:2 encoder:3 "
        "uart:4 adc:17 accel budget=3us/4us priority=5 ram=6 queue=7 "
        "policy=restart:8/9s";
    struct bpf_grant grant = bpf_grant_default;
    struct bpf_grant_error error;
    const struct bpf_grant want = {
        .version = 1,
        .priority = 5,
        .policy = BPF_POLICY_RESTART,
        .budget_us = 3,
        .period_us = 4,
        .ram = 6,
        .window_ms = 9000,
        .restarts = 8,
        .queue = 7,
        .accel = 1,
        .gpio_in = {[0] = 1, [8] = 8},
        .gpio_out = {[3] = 1 << 12, [4] = 2},
        .gpio_safe = {[4] = 2},
        .leds = 2,
        .pwm = 4,
        .encoders = 8,
        .uart = 16,
        .adc = 1 << 17,
    };
    cr_assert(parse(text, sizeof(text) - 1, &grant, &error));
    cr_assert_eq(memcmp(&grant, &want, sizeof(want)), 0);
}

Test(grant, wrong_texts) {
    static const struct {
        const char *text;
        size_t at;
        const char *expected; /* the beginning */
    } rows[] = {
        {"gpoi:PD12=out", 0, "gpio:, led:"},
        {"led:1 x", 6, "gpio:, led:"},
        {"led:1;led:2", 5, "a comma"},
        {"accelerate", 5, "a comma"},
        {"gpio:D12=out", 5, "a pin such as PD12"},
        {"gpio:PJ0=out", 5, "a pin such as PD12"},
        {"gpio:Pa0=out", 5, "a pin such as PD12"},
        {"gpio:", 5, "a pin such as PD12"},
        {"gpio:PD16=out", 7, "the number of a pin"},
        {"gpio:PD=out", 7, "the number of a pin"},
        {"gpio:PD3-2=out", 9, "the number of a pin"},
        {"gpio:PD3+=out", 9, "the number of a pin"},
        {"gpio:PD3", 8, "=in or =out"},
        {"gpio:PD3=on", 9, "in or out"},
        {"gpio:PD3=in/safe=1", 11, "a comma"},
        {"gpio:PD3=out/safe=2", 18, "0 or 1"},
        {"gpio:PD3=out/safe=", 18, "0 or 1"},
        {"led:16", 4, "a number from 0 to 15"},
        {"led:99999999999999999999", 4, "a number from 0 to 15"},
        {"led:-1", 4, "a number from 0 to 15"},
        {"led:1-", 6, "a number from 0 to 15"},
        {"adc:32", 4, "a number from 0 to 31"},
        {"budget=0us/1ms", 7, "a time such as 2ms"},
        {"budget=1/1ms", 8, "a unit"},
        {"budget=1m/1ms", 8, "a unit"},
        {"budget=1ms", 10, "/ and a period"},
        {"budget=1ms/61s", 11, "a period such as 10ms"},
        {"budget=2ms/1ms", 7, "a budget that is not more"},
        {"budget=4294967296us/1ms", 7, "a time such as 2ms"},
        {"budget=4295s/60s", 7, "a time such as 2ms"}, /* 2^32 us and some */
        {"priority=0", 9, "a priority"},
        {"priority=10", 9, "a priority"},
        {"ram=0", 4, "a number of bytes"},
        {"ram=129K", 4, "a number of bytes"},
        {"ram=131073", 4, "a number of bytes"},
        {"ram=8k", 5, "a comma"},
        {"queue=0", 6, "a number of events"},
        {"queue=33", 6, "a number of events"},
        {"policy=none", 7, "continue, stop"},
        {"policy=restart", 7, "continue, stop"},
        {"policy=restart:0/1s", 15, "a number of restarts"},
        {"policy=restart:256/1s", 15, "a number of restarts"},
        {"policy=restart:1", 16, "/ and a time"},
        {"policy=restart:1/1us", 17, "a time such as 10s"},
        {"policy=restart:1/3601s", 17, "a time such as 10s"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bpf_grant grant = bpf_grant_default;
        struct bpf_grant_error error;
        cr_expect_not(parse(rows[i].text, strlen(rows[i].text), &grant, &error), "%s",
                      rows[i].text);
        cr_expect_eq(error.at, rows[i].at, "%s: at %zu", rows[i].text, error.at);
        cr_expect_eq(strncmp(error.expected, rows[i].expected, strlen(rows[i].expected)), 0,
                     "%s: %s", rows[i].text, error.expected);
        cr_expect_eq(memcmp(&grant, &bpf_grant_default, sizeof(grant)), 0, "%s", rows[i].text);
    }
}

/* A NUL is no end, and the text ends where its length says. */
Test(grant, length_is_the_end) {
    struct bpf_grant grant = bpf_grant_default;
    struct bpf_grant_error error;
    cr_expect_not(parse("led:1\0led:2", 11, &grant, &error));
    cr_expect_eq(error.at, 5);
    cr_expect(parse("led:123", 5, &grant, &error));
    cr_expect_eq(grant.leds, 2);
}

Test(grant, print_cuts) {
    char whole[BPF_GRANT_TEXT], cut[BPF_GRANT_TEXT];
    size_t length = bpf_grant_print(&bpf_grant_default, whole, sizeof(whole));
    for (size_t size = 0; size <= length + 1; size++) {
        memset(cut, '#', sizeof(cut));
        cr_assert_eq(bpf_grant_print(&bpf_grant_default, cut, size), length);
        cr_assert_eq(cut[size], '#');
        if (size) {
            cr_assert_eq(strlen(cut), size - 1);
            cr_assert_eq(memcmp(cut, whole, size - 1), 0);
        }
    }
}

/* ---- Bytes ---- */

#define FIELD(name) offsetof(struct bpf_grant, name), sizeof(((struct bpf_grant *)0)->name)

Test(grant, every_field_at_its_limits) {
    static const struct {
        size_t offset, size;
        uint32_t value;
        bool good;
    } rows[] = {
        {FIELD(version), 0, false},
        {FIELD(version), 1, true},
        {FIELD(version), 2, false},
        {FIELD(priority), 0, false},
        {FIELD(priority), 1, true},
        {FIELD(priority), 9, true},
        {FIELD(priority), 10, false},
        {FIELD(policy), BPF_POLICY_STOP, false}, /* with restarts */
        {FIELD(policy), 3, false},
        {FIELD(budget_us), 0, false},
        {FIELD(budget_us), 10000, true},
        {FIELD(budget_us), 10001, false},
        {FIELD(period_us), 999, false},
        {FIELD(period_us), 60000000, true},
        {FIELD(period_us), 60000001, false},
        {FIELD(ram), 0, false},
        {FIELD(ram), 1, true},
        {FIELD(ram), 131072, true},
        {FIELD(ram), 131073, false},
        {FIELD(window_ms), 0, false},
        {FIELD(window_ms), 3600000, true},
        {FIELD(window_ms), 3600001, false},
        {FIELD(restarts), 0, false},
        {FIELD(restarts), 255, true},
        {FIELD(queue), 0, false},
        {FIELD(queue), 32, true},
        {FIELD(queue), 33, false},
        {FIELD(accel), 1, true},
        {FIELD(accel), 2, false},
        {FIELD(trace), 1, true},
        {FIELD(trace), 2, false},
        {FIELD(gpio_in[8]), 0xffff, true},
        {FIELD(gpio_out[0]), 0xffff, true},
        {FIELD(gpio_safe[8]), 0x8000, false}, /* of no output */
        {FIELD(leds), 0xffff, true},
        {FIELD(pwm), 0xffff, true},
        {FIELD(encoders), 0xffff, true},
        {FIELD(uart), 0xffff, true},
        {FIELD(reserved), 0x8000, false},
        {FIELD(adc), 0xffffffff, true},
        {FIELD(zero[0]), 1, false},
        {FIELD(zero[3]), 0x80000000, false},
    };
    cr_assert_null(bpf_grant_check(&bpf_grant_default, sizeof(bpf_grant_default)));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t bytes[sizeof(struct bpf_grant) + 1]; /* at an odd address */
        memcpy(bytes + 1, &bpf_grant_default, sizeof(bpf_grant_default));
        memcpy(bytes + 1 + rows[i].offset, &rows[i].value, rows[i].size);
        const char *why = bpf_grant_check(bytes + 1, sizeof(struct bpf_grant));
        cr_expect_eq(!why, rows[i].good, "row %zu: %s", i, why ? why : "accepted");
    }
    cr_expect_not_null(bpf_grant_check(&bpf_grant_default, sizeof(bpf_grant_default) - 1));
    cr_expect_not_null(bpf_grant_check(&bpf_grant_default, sizeof(bpf_grant_default) + 1));
}

Test(grant, policies_without_restarts) {
    struct bpf_grant grant = bpf_grant_default;
    grant.policy = BPF_POLICY_CONTINUE;
    grant.window_ms = 0;
    cr_expect_not_null(bpf_grant_check(&grant, sizeof(grant)));
    grant.restarts = 0;
    cr_expect_null(bpf_grant_check(&grant, sizeof(grant)));
    grant.window_ms = 1;
    cr_expect_not_null(bpf_grant_check(&grant, sizeof(grant)));
}

static struct bpf_grant random_grant(void) {
    static const uint16_t longest[] = {0x5555, 0xb6db, 0xdb6d, 0x6db6, 0xffff, 0};
    struct bpf_grant g = bpf_grant_default;
    g.priority = (uint8_t)(1 + chance(9));
    g.policy = (uint8_t)chance(3);
    g.period_us = 1 + chance(chance(2) ? 1000 : 60000000);
    g.budget_us = 1 + chance(g.period_us);
    g.ram = 1 + chance(131072);
    g.restarts = g.policy == BPF_POLICY_RESTART ? (uint8_t)(1 + chance(255)) : 0;
    g.window_ms = g.policy == BPF_POLICY_RESTART ? 1 + chance(3600000) : 0;
    g.queue = (uint8_t)(1 + chance(32));
    g.accel = (uint8_t)chance(2);
    g.trace = (uint8_t)chance(2);
    for (unsigned port = 0; port < BPF_GRANT_PORTS; port++) {
        g.gpio_in[port] = chance(2) ? longest[chance(6)] : (uint16_t)chance(65536);
        g.gpio_out[port] = chance(2) ? longest[chance(6)] : (uint16_t)chance(65536);
        g.gpio_safe[port] =
            g.gpio_out[port] & (chance(2) ? longest[chance(6)] : (uint16_t)chance(65536));
    }
    g.leds = (uint16_t)chance(65536);
    g.pwm = (uint16_t)chance(65536);
    g.encoders = (uint16_t)chance(65536);
    g.uart = (uint16_t)chance(65536);
    g.adc = chance(65536) << 16 | chance(65536);
    return g;
}

Test(grant, random_grants_through_text) {
    for (unsigned i = 0; i < 20000; i++) {
        struct bpf_grant grant = random_grant();
        const char *why = bpf_grant_check(&grant, sizeof(grant));
        cr_assert_null(why, "%s", why);
        round_trip(&grant);
    }
}

/* Each piece as long as it can be, which no grant has all at once: BPF_GRANT_TEXT is enough. */
Test(grant, the_longest_text_fits) {
    static const char rest[] = "led:0-1+3-4+6-7+9-10+12-13+15 pwm:0-1+3-4+6-7+9-10+12-13+15 "
                               "encoder:0-1+3-4+6-7+9-10+12-13+15 uart:0-1+3-4+6-7+9-10+12-13+15 "
                               "adc:0-1+3-4+6-7+9-10+12-13+15-16+18-19+21-22+24-25+27-28+30-31 "
                               "accel trace budget=59999999us/59999999us priority=9 ram=131071 "
                               "queue=32 policy=restart:255/3599999ms";
    static const char port[] = "PA0-1+3-4+6-7+9-10+12-13+15+";
    const size_t pins = 3 * (strlen("gpio:=out/safe=1 ") + BPF_GRANT_PORTS * strlen(port));
    cr_expect_lt(pins + sizeof(rest), BPF_GRANT_TEXT);
}

/* What chance makes of good texts: refused with a place in the text, or a grant that passes the check. */
Test(grant, changed_texts) {
    static const char bytes[] = " ,+-/=:0123456789PADIKmsugpioutnled\xff\n\"";
    unsigned good = 0;
    for (unsigned i = 0; i < 50000; i++) {
        struct bpf_grant grant = random_grant(), before = bpf_grant_default, after = before;
        struct bpf_grant_error error;
        char text[BPF_GRANT_TEXT];
        size_t length = bpf_grant_print(&grant, text, sizeof(text));
        for (unsigned change = 1 + chance(2); change; change--)
            text[chance((uint32_t)length)] = bytes[chance(sizeof(bytes))];
        if (parse(text, length, &after, &error)) {
            const char *why = bpf_grant_check(&after, sizeof(after));
            cr_assert_null(why, "%s: %s", text, why);
            good++;
        } else {
            cr_assert(error.expected && error.at <= length);
            cr_assert_eq(memcmp(&before, &after, sizeof(before)), 0);
        }
    }
    cr_expect(good > 1000, "%u of 50000 were good", good);
}

/* ---- What a blob asks for ---- */

/* What the compiler makes of a program, with and without compiled code. */
static const char *request_of(struct arena *arena, const char *name, bool bytecode_only) {
    struct compile_options options = {.level = 2, .bytecode_only = bytecode_only};
    struct compile_result result;
    struct diag *diag = diag_new();
    struct blob blob;
    uint32_t where;
    const char *path = arena_printf(arena, "build/bpf/programs/%s.bpf.o", name);
    cr_assert(compile_file(arena, path, &options, &result, diag), "%s", path);
    cr_assert_eq(blob_parse(result.blob, result.blob_size, &blob, &where), BPF_OK);
    diag_free(diag);
    return bpf_grant_request(&blob);
}

Test(grant, compiled_programs_ask) {
    struct arena *arena = arena_new();
    for (int bytecode = 0; bytecode < 2; bytecode++) {
        cr_expect_str_eq(request_of(arena, "blink", bytecode),
                         "gpio:PD12-15=out budget=100us/100ms ram=2K");
        cr_expect_str_eq(request_of(arena, "histogram", bytecode), "adc:1 budget=1ms/10ms");
        cr_expect_null(request_of(arena, "crc32", bytecode));
    }
    arena_free(arena);
}

Test(grant, a_request_is_one_printable_string) {
    static const struct {
        const char *name, *image;
        uint32_t size, flags;
        bool found;
    } rows[] = {
        {".rodata.grant", "led:1", 6, 0, true},
        {".rodata.grant", "", 1, 0, true},
        {".rodata.grant", "led:1", 5, 0, false},         /* no end */
        {".rodata.grant", "led:1\0led:2", 12, 0, false}, /* two */
        {".rodata.grant", "led:\x1b[2J", 9, 0, false},
        {".rodata.grant", "led:\x7f", 6, 0, false},
        {".rodata.grant", "led:\xc3\xa4", 7, 0, false},
        {".rodata.grant", "", 0, 0, false},
        {".rodata.grant", NULL, 6, 0, false}, /* zeros */
        {".rodata.grant", "led:1", 6, BLOB_DATA_WRITABLE, false},
        {".rodata.grant", "led:1", 6, BLOB_DATA_ARENA, false},
        {".rodata", "led:1", 6, 0, false},
        {".rodata.grant2", "led:1", 6, 0, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *strings = strdup(rows[i].name), *bytes = malloc(rows[i].size + 1);
        struct blob_header header = {.datas = {0, 1}};
        struct blob_data data = {.flags = rows[i].flags, .size = rows[i].size, .image = 1};
        if (rows[i].image)
            memcpy(bytes + 1, rows[i].image, rows[i].size);
        else
            data.image = BLOB_NONE;
        const struct blob blob = {
            .base = (uint8_t *)bytes, .header = &header, .datas = &data, .strings = strings};
        const char *request = bpf_grant_request(&blob);
        cr_expect_eq(request, rows[i].found ? bytes + 1 : NULL, "row %zu", i);
        free(strings);
        free(bytes);
    }
}

Test(grant, names_of_outputs) {
    static const struct {
        uint32_t output;
        const char *name;
    } rows[] = {{0, "PA0"},
                {61, "PD13"},
                {143, "PI15"},
                {BPF_OUTPUT_LED + 3, "led:3"},
                {BPF_OUTPUT_PWM, "pwm:0"},
                {BPF_OUTPUT_PWM + 5, "pwm:5"},
                {UINT32_MAX, "pwm:255"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[BPF_OUTPUT_NAME];
        bpf_output_name(rows[i].output, name);
        cr_expect_str_eq(name, rows[i].name);
    }
}

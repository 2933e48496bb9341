/* SPDX-License-Identifier: MIT */
/* The helpers behind SVC as a program calls them: arguments, pointer checks, log and stimuli. */
#include "devices.h"

#include "bpf/helper.h"

#include <cjson/cJSON.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_SIZE 1024
#define SP (MEMMAP_ARENA + 512)

static struct arena *arena;
static struct machine *m;
static struct devices *d;
static uint8_t *memory;

/* The program calls the helper whose id is in r9. */
static void setup(void) {
    static const uint16_t code[] = {0x46cc, 0xdf01, 0x4770}; /* mov r12, r9; svc #1; bx lr */
    static const uint16_t library[] = {0xdf00};

    arena = arena_new();
    d = devices_new(arena);
    m = machine_new();
    machine_set_library(m, library, sizeof(library));
    machine_set_program(m, code, sizeof(code));
    memory = machine_set_arena(m, ARENA_SIZE);
    machine_set_svc(m, devices_helper, d);
}

static void teardown(void) {
    machine_free(m);
    arena_free(arena);
}

TestSuite(devices, .init = setup, .fini = teardown);

static struct machine_result run(uint32_t helper, uint32_t a, uint32_t b, uint32_t c) {
    struct machine_call call = {.pc = MEMMAP_STORE,
                                .sp = SP,
                                .lr = MEMMAP_LIBRARY | 1,
                                .r0 = a,
                                .r1 = b,
                                .r2 = c,
                                .r9 = helper};
    struct machine_result result;
    machine_call(m, &call, &result);
    return result;
}

static int32_t call(uint32_t helper, uint32_t a, uint32_t b, uint32_t c) {
    struct machine_result result = run(helper, a, b, c);
    cr_assert_eq(result.status, BPF_OK);
    return (int32_t)result.r0;
}

static void expect_log(const char *expected) {
    char *text;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    devices_print(d, 0, file);
    fclose(file);
    cr_expect_str_eq(text, expected);
    free(text);
}

Test(devices, outputs_are_recorded_with_their_time) {
    memcpy(memory + 600, "a\"\n\x01z", 5);
    machine_set_time(m, 3200000);
    call(BPF_FUNC_GPIO_WRITE, 60, 1, 0);
    machine_set_time(m, 4000000);
    call(BPF_FUNC_GPIO_TOGGLE, 60, 0, 0);
    machine_set_time(m, 1000000000);
    call(BPF_FUNC_LED_SET, 0, 7, 0);
    machine_set_time(m, 1500);
    call(BPF_FUNC_PWM_SET, 1, 255, 0);
    machine_set_time(m, 0);
    cr_expect_eq(call(BPF_FUNC_UART_WRITE, 2, MEMMAP_ARENA + 600, 5), 5);
    expect_log("gpio PD12 = 1 at 3.2 ms\n"
               "gpio PD12 = 0 at 4 ms\n"
               "led 0 = on at 1 s\n"
               "pwm 1 = 25.5 % at 1.505 us\n"
               "uart 2: \"a\\\"\\n\\x01z\" at 5 ns\n");
}

Test(devices, no_timers) {
    static const uint32_t helpers[] = {BPF_FUNC_TIMER_INIT, BPF_FUNC_TIMER_SET_CALLBACK,
                                       BPF_FUNC_TIMER_START, BPF_FUNC_TIMER_CANCEL};
    for (int i = 0; i < 4; i++)
        cr_expect_eq(call(helpers[i], MEMMAP_ARENA + 600, 0, 1), -EOPNOTSUPP);
}

Test(devices, log) {
    memcpy(memory + 600, "plain", 5);
    cr_expect_eq(call(BPF_FUNC_LOG, MEMMAP_ARENA + 600, 5, 0), 0);
    cr_expect_eq(call(BPF_FUNC_LOG, 0, 5, 0), -EFAULT);
    cr_expect_eq(call(BPF_FUNC_LOG, MEMMAP_ARENA + 600, 0x80000000, 0), -EFAULT);
    cr_expect_eq(devices_event_count(d), 1);
    cr_expect_str_eq(devices_event(d, 0)->text, "plain");
}

Test(devices, arguments_out_of_range) {
    cr_expect_eq(call(BPF_FUNC_GPIO_WRITE, 144, 1, 0), -EINVAL);
    cr_expect_eq(call(BPF_FUNC_GPIO_READ, 144, 0, 0), -EINVAL);
    cr_expect_eq(call(BPF_FUNC_GPIO_TOGGLE, 0xffffffff, 0, 0), -EINVAL);
    cr_expect_eq(call(BPF_FUNC_LED_SET, 4, 1, 0), -EINVAL);
    cr_expect_eq(call(BPF_FUNC_PWM_SET, 1, 1001, 0), -EINVAL);
    cr_expect_eq(call(BPF_FUNC_UART_WRITE, 0, MEMMAP_ARENA, 1), -EINVAL);
    expect_log("");
}

/* len <= size && off <= size - len, for the arena (reading and writing) and the blob (reading). */
Test(devices, pointers_are_checked) {
    static const struct {
        uint32_t address, size;
        int32_t result;
    } reads[] = {
        {MEMMAP_ARENA, 10, 10},
        {MEMMAP_ARENA + ARENA_SIZE - 10, 10, 10},
        {MEMMAP_ARENA + ARENA_SIZE - 9, 10, -EFAULT},
        {MEMMAP_ARENA - 1, 10, -EFAULT},
        {MEMMAP_ARENA, ARENA_SIZE, 256}, /* what a call takes */
        {MEMMAP_ARENA, ARENA_SIZE + 1, -EFAULT},
        {MEMMAP_ARENA + 8, 0xffffffff, -EFAULT},
        {MEMMAP_ARENA + 8, 0xfffffff8, -EFAULT},
        {MEMMAP_STORE, 6, 6},
        {MEMMAP_STORE, 7, -EFAULT},
        {MEMMAP_LIBRARY, 2, -EFAULT},
        {0, 0, -EFAULT},
        {0, 1, -EFAULT},
        {0xfffffff0, 32, -EFAULT},
        {MEMMAP_SRAM, 4, -EFAULT},
    };
    for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++)
        cr_expect_eq(call(BPF_FUNC_UART_WRITE, 1, reads[i].address, reads[i].size), reads[i].result,
                     "read of %u at %08x", reads[i].size, reads[i].address);
    cr_expect_eq(call(BPF_FUNC_ACCEL_READ, MEMMAP_ARENA + ARENA_SIZE - 6, 6, 0), 0);
    cr_expect_eq(call(BPF_FUNC_ACCEL_READ, MEMMAP_ARENA + ARENA_SIZE - 5, 6, 0), -EFAULT);
    cr_expect_eq(call(BPF_FUNC_ACCEL_READ, MEMMAP_STORE, 6, 0), -EFAULT);
}

Test(devices, stimuli) {
    const char *why;
    const int16_t *xyz = (const int16_t *)(memory + 600);

    cr_expect_eq(call(BPF_FUNC_ADC_READ, 1, 0, 0), 0);
    cr_expect(devices_stimulus(d, DEVICE_ADC, "1=100,200,0x12c", &why));
    cr_expect(devices_stimulus(d, DEVICE_ADC, "2=7", &why));
    cr_expect(devices_stimulus(d, DEVICE_GPIO, "PA0=1", &why));
    cr_expect(devices_stimulus(d, DEVICE_ENCODER, "0=-5", &why));
    cr_expect(devices_stimulus(d, DEVICE_ACCEL, "1,-2,3,4,5,6", &why));
    for (int expected = 100; expected <= 300; expected += 100)
        cr_expect_eq(call(BPF_FUNC_ADC_READ, 1, 0, 0), expected);
    cr_expect_eq(call(BPF_FUNC_ADC_READ, 1, 0, 0), 300, "the last value stays");
    cr_expect_eq(call(BPF_FUNC_ADC_READ, 2, 0, 0), 7);
    cr_expect_eq(call(BPF_FUNC_ADC_READ, 3, 0, 0), 0);
    cr_expect_eq(call(BPF_FUNC_GPIO_READ, 0, 0, 0), 1);
    cr_expect_eq(call(BPF_FUNC_ENCODER_READ, 0, 0, 0), -5);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(call(BPF_FUNC_ACCEL_READ, MEMMAP_ARENA + 600, 6, 0), 0);
        cr_expect_eq(xyz[1], i ? 5 : -2);
    }
}

/* As the board's: one encoder, channels 0 to 18. */
Test(devices, what_does_not_exist_cannot_be_read) {
    cr_expect_eq(call(BPF_FUNC_ENCODER_READ, 1, 0, 0), -EINVAL);
    cr_expect_eq(call(BPF_FUNC_ADC_READ, 18, 0, 0), 0);
    cr_expect_eq(call(BPF_FUNC_ADC_READ, 19, 0, 0), -EINVAL);
}

Test(devices, time_that_stands_still) {
    devices_freeze(d, 123456789);
    machine_set_time(m, 5000000000);
    cr_expect_eq(run(BPF_FUNC_KTIME_GET_NS, 0, 0, 0).r0, 123456789);
    call(BPF_FUNC_GPIO_WRITE, 60, 1, 0);
    cr_expect_eq(devices_event(d, 0)->time, 123456789);
}

Test(devices, a_pin_reads_as_written) {
    cr_expect_eq(call(BPF_FUNC_GPIO_READ, 60, 0, 0), 0);
    call(BPF_FUNC_GPIO_WRITE, 60, 3, 0);
    cr_expect_eq(call(BPF_FUNC_GPIO_READ, 60, 0, 0), 1);
}

Test(devices, bad_stimuli_are_refused) {
    static const struct {
        enum device device;
        const char *text;
    } bad[] = {
        {DEVICE_GPIO, "0=1"},  {DEVICE_GPIO, "PA16=1"}, {DEVICE_GPIO, "PZ1=1"},
        {DEVICE_ADC, "=1"},    {DEVICE_ADC, "1=1,"},    {DEVICE_ADC, "1=x"},
        {DEVICE_ADC, "1"},     {DEVICE_ADC, "300=1"},   {DEVICE_ADC, "1=9999999999"},
        {DEVICE_ACCEL, "1,2"}, {DEVICE_ACCEL, ""},      {DEVICE_ADC, "1=1;2"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *why = NULL;
        cr_expect_not(devices_stimulus(d, bad[i].device, bad[i].text, &why), "%s", bad[i].text);
        cr_expect(why);
    }
}

Test(devices, time_and_cost) {
    machine_set_time(m, 5000000000);
    struct machine_result result = run(BPF_FUNC_KTIME_GET_NS, 0, 0, 0);
    cr_expect(result.r0 >= 5000000000 && result.r0 < 5000000100);
    cr_expect_gt(result.cycles.part[CYCLES_KERNEL], 100);
    cr_expect_leq(result.cycles.total, bpf_helper_by_id(BPF_FUNC_KTIME_GET_NS)->cycles,
                  "a stub and its handler stay within the helper's bound");
}

Test(devices, unknown_and_pure_helpers_are_refused) {
    cr_expect_eq(run(4000, 0, 0, 0).status, BPF_FAULT_CALL);
    cr_expect_eq(run(BPF_FUNC_MAP_LOOKUP_ELEM, 0, 0, 0).status, BPF_FAULT_CALL);
}

Test(devices, json) {
    memcpy(memory + 600, "\xff\0x", 3);
    call(BPF_FUNC_UART_WRITE, 1, MEMMAP_ARENA + 600, 3);
    call(BPF_FUNC_LED_SET, 1, 1, 0);
    cJSON *json = devices_json(d);
    char *text = cJSON_PrintUnformatted(json);
    cr_expect_not_null(strstr(text, "\"text\":\"\xc3\xbf\xef\xbf\xbdx\""), "%s", text);
    cr_expect_not_null(strstr(text, "\"device\":\"led\""));
    cJSON_free(text);
    cJSON_Delete(json);
}

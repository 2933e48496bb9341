/* SPDX-License-Identifier: MIT */
#include "hook_text.h"

bool hook_word(const char **text, const char *word) {
    const char *at = *text;
    while (*word && *at == *word) {
        at++;
        word++;
    }
    if (*word)
        return false;
    *text = at;
    return true;
}

bool hook_number(const char **text, uint32_t max, uint32_t *number) {
    const char *at = *text;
    uint64_t value = 0;
    while (*at >= '0' && *at <= '9' && value <= max)
        value = value * 10 + (uint32_t)(*at++ - '0');
    if (at == *text || value > max)
        return false;
    *text = at;
    *number = (uint32_t)value;
    return true;
}

bool hook_duration_us(const char **text, uint64_t *us) {
    static const struct {
        char unit[3];
        uint32_t us;
    } units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}};
    uint32_t number;
    if (!hook_number(text, UINT32_MAX, &number))
        return false;
    for (unsigned i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (hook_word(text, units[i].unit)) {
            *us = (uint64_t)number * units[i].us;
            return true;
        }
    return false;
}

bool hook_pin(const char **text, uint32_t *pin) {
    const char *at = *text;
    if (at[0] != 'P' || at[1] < 'A' || at[1] >= 'A' + BPF_GRANT_PORTS)
        return false;
    uint32_t port = (uint32_t)(at[1] - 'A'), number;
    at += 2;
    if (!hook_number(&at, 15, &number))
        return false;
    *text = at;
    *pin = port * 16 + number;
    return true;
}

/* SPDX-License-Identifier: MIT */
#include "smp/programs_mock.h"
#include "hal/chip.h"
#include "hal/flash.h"

#include <stdio.h>
#include <string.h>

struct programs_mock programs_mock;
#define m programs_mock

void programs_mock_start(void) {
    memset(&m, 0, sizeof(m));
    m.map = (struct program_map){"counts", 1, 4, 8, MOCK_ELEMENTS};
    m.ring = (struct program_map){"events", 27, 0, 0, 4096};
    m.log = "";
}

void programs_mock_add(const char *name, uint32_t size) {
    struct program_info *p = &m.programs[m.count];
    m.grants[m.count++] = bpf_grant_default;
    *p = (struct program_info){.state = PROGRAM_RUNNING,
                               .enabled = true,
                               .seq = m.count,
                               .size = size,
                               .address = 0x080c0000,
                               .code = 0x080c0100,
                               .arena = 0x20010000,
                               .arena_size = 4096,
                               .arena_head = 0x20010400,
                               .id = 0x8877665544332211,
                               .entries = 2,
                               .maps = 2,
                               .faults = 3,
                               .restarts = 1,
                               .good_runs = 100};
    snprintf(p->name, sizeof(p->name), "%s", name);
}

/* The status that a test wants, else good; notes the call. */
static enum bpf_status called(const char *call, const char *name) {
    enum bpf_status status = m.next;
    m.next = BPF_OK;
    snprintf(m.last, sizeof(m.last), "%s %s", call, name);
    return status;
}

static struct program_info *find(const char *name) {
    for (unsigned i = 0; i < m.count; i++)
        if (strcmp(m.programs[i].name, name) == 0)
            return &m.programs[i];
    return NULL;
}

static enum bpf_status of(const char *call, const char *name) {
    enum bpf_status status = called(call, name);
    return status ? status : find(name) ? BPF_OK : BPF_NOT_FOUND;
}

void programs_hold(void) {
    m.held++;
}

void programs_release(void) {
    m.held--;
}

void programs_leave(void) {
    called("leave", "");
}

enum bpf_status programs_store(void) {
    return m.store;
}

const char *programs_status_text(enum bpf_status status) {
    return status == BPF_OUTPUT ? "another program has it: blink" : bpf_status_text(status);
}

const char *programs_safe(void) {
    return m.safe;
}

enum bpf_status programs_format(void) {
    return called("format", "");
}

bool programs_at(unsigned index, struct program_info *out) {
    if (index < m.count)
        *out = m.programs[index];
    return index < m.count;
}

const char *programs_name(unsigned index) {
    return index < m.count ? m.programs[index].name : NULL;
}

enum bpf_status programs_info(const char *name, struct program_info *out) {
    if (!find(name))
        return BPF_NOT_FOUND;
    *out = *find(name);
    return BPF_OK;
}

enum bpf_status programs_stats(const char *name, unsigned entry, struct program_stats *out) {
    enum bpf_status status = of("stats", name);
    if (status || entry >= 2)
        return status ? status : BPF_NOT_FOUND;
    *out = (struct program_stats){
        "blink", "timer/100ms", 1000, 2, 1, 50, 900, 60000, {[3] = 7, [15] = UINT32_MAX}};
    return BPF_OK;
}

enum bpf_status programs_grant_of(const char *name, struct bpf_grant *out) {
    if (!find(name))
        return BPF_NOT_FOUND;
    *out = m.grants[find(name) - m.programs];
    return BPF_OK;
}

/* ----- installing --------------------------------------------------------------------------------- */

enum bpf_status programs_begin(const char *name, uint32_t size, const struct bpf_grant *grant,
                               bool in_ram) {
    enum bpf_status status = called("begin", name);
    if (status || size > MOCK_BLOB)
        return status ? status : BPF_TOO_LARGE;
    snprintf(m.name, sizeof(m.name), "%s", name);
    m.size = size;
    m.grant = *grant;
    m.in_ram = in_ram;
    m.have = 0;
    m.open = true;
    m.begun++;
    return BPF_OK;
}

enum bpf_status programs_write(uint32_t offset, const void *bytes, uint32_t count) {
    enum bpf_status status = called("write", m.name);
    if (status)
        return status;
    if (!m.open || offset != m.have || count > m.size - m.have)
        return BPF_OFFSET;
    memcpy(m.blob + m.have, bytes, count);
    m.have += count;
    return BPF_OK;
}

uint32_t programs_upload_offset(void) {
    return m.open ? m.have : 0;
}

bool programs_upload_is_open(void) {
    return m.open;
}

enum bpf_status programs_commit(bool enable, uint32_t *where) {
    enum bpf_status status = called("commit", m.name);
    m.commits++;
    *where = m.where;
    if (status || !m.open || m.have != m.size)
        return status ? status : BPF_OFFSET;
    m.enabled = enable;
    programs_mock_add(m.name, m.size);
    m.grants[m.count - 1] = m.grant;
    m.open = false;
    return BPF_OK;
}

void programs_abort(void) {
    m.open = false;
    m.aborted++;
}

enum bpf_status programs_enable(const char *name, bool enabled) {
    return of(enabled ? "enable" : "disable", name);
}

enum bpf_status programs_remove(const char *name) {
    return of("remove", name);
}

enum bpf_status programs_grant(const char *name, const struct bpf_grant *grant) {
    m.grant = *grant;
    return of("grant", name);
}

enum bpf_status programs_rollback(const char *name) {
    return of("rollback", name);
}

enum bpf_status programs_compact(void) {
    return called("compact", "");
}

struct store_room programs_room(void) {
    return (struct store_room){50000, 120000};
}

uint32_t programs_ram_free(void) {
    return 32768;
}

uint32_t programs_ram_used(void) {
    return 4096;
}

/* ----- running, maps ------------------------------------------------------------------------------ */

enum bpf_status programs_run(const char *name, unsigned entry, const void *data, uint32_t size,
                             uint64_t *result, uint32_t *cycles) {
    enum bpf_status status = of("run", name);
    if (status)
        return status;
    memcpy(m.payload, data, size);
    m.payload_size = size;
    *result = 0xffffffffffffff00u + entry;
    *cycles = 412;
    return BPF_OK;
}

enum bpf_status programs_map(const char *name, unsigned map, struct program_map *out) {
    enum bpf_status status = of("map", name);
    if (status || map > 1)
        return status ? status : BPF_NOT_FOUND;
    *out = map ? m.ring : m.map;
    return BPF_OK;
}

static int element(const void *key) {
    for (unsigned i = 0; i < m.elements; i++)
        if (memcmp(m.keys[i], key, m.map.key_size) == 0)
            return (int)i;
    return -1;
}

enum bpf_status programs_map_get(const char *name, unsigned map, const void *key, void *value) {
    (void)map;
    enum bpf_status status = m.held == 1 ? of("get", name) : BPF_INTERNAL;
    if (status || element(key) < 0)
        return status ? status : BPF_NOT_FOUND;
    memcpy(value, m.values[element(key)], m.map.value_size);
    return BPF_OK;
}

enum bpf_status programs_map_set(const char *name, unsigned map, const void *key,
                                 const void *value) {
    (void)map;
    enum bpf_status status = of("set", name);
    if (status)
        return status;
    int i = element(key);
    if (i < 0)
        i = (int)m.elements++;
    memcpy(m.keys[i], key, m.map.key_size);
    memcpy(m.values[i], value, m.map.value_size);
    return BPF_OK;
}

enum bpf_status programs_map_delete(const char *name, unsigned map, const void *key) {
    (void)map;
    enum bpf_status status = of("delete", name);
    if (status || element(key) < 0)
        return status ? status : BPF_NOT_FOUND;
    m.elements--;
    return BPF_OK;
}

enum bpf_status programs_map_next(const char *name, unsigned map, uint32_t *cursor, void *key,
                                  void *value) {
    (void)map;
    enum bpf_status status = of("next", name);
    if (status || *cursor >= m.elements)
        return status ? status : BPF_NOT_FOUND;
    memcpy(key, m.keys[*cursor], m.map.key_size);
    memcpy(value, m.values[(*cursor)++], m.map.value_size);
    return BPF_OK;
}

/* A record is gone, whatever fits of it. */
enum bpf_status programs_ring_read(const char *name, unsigned map, void *out, uint32_t *size) {
    (void)map;
    enum bpf_status status = of("ring", name);
    if (status || m.first_record == m.record_count)
        return status ? status : BPF_NOT_FOUND;
    uint32_t length = m.record_size[m.first_record];
    memcpy(out, m.records[m.first_record++], length < *size ? length : *size);
    *size = length;
    return BPF_OK;
}

uint32_t programs_log(uint32_t *cursor, uint32_t *lost, char *out, uint32_t size) {
    uint32_t length = m.log_lost + (uint32_t)strlen(m.log);
    *lost = 0;
    if (*cursor < m.log_lost) {
        *lost = m.log_lost - *cursor;
        *cursor = m.log_lost;
    }
    uint32_t count = *cursor < length ? length - *cursor : 0;
    if (count > size)
        count = size;
    memcpy(out, m.log + (*cursor - m.log_lost), count);
    *cursor += count;
    return count;
}

unsigned flash_sector_count(void) {
    return m.flash ? 2 : 0;
}

enum kernel_status flash_sector(unsigned number, struct flash_sector *out) {
    *out = (struct flash_sector){m.flash + number * MOCK_SECTOR, MOCK_SECTOR, false, false};
    return KERNEL_OK;
}

enum kernel_status chip_identity(struct chip_identity *out) {
    *out = (struct chip_identity){.unique = {0x33323130, 0x37363534, 0x62613938}};
    return KERNEL_OK;
}

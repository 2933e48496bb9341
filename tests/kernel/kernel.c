/* SPDX-License-Identifier: MIT */
#include "kernel/kernel.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOG_STATS 4 /* messages and figures, not the state at each instruction */

static int bpf(enum bpf_cmd command, union bpf_attr *attr) {
    return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* Only the effective set changes, so that it can be undone. */
static bool capabilities(enum kernel_mode mode) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &header, data))
        return false;
    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        data[i].effective = mode == KERNEL_PRIVILEGED ? data[i].permitted : 0;
    data[CAP_TO_INDEX(CAP_BPF)].effective |= CAP_TO_MASK(CAP_BPF);
    return syscall(SYS_capset, &header, data) == 0;
}

const char *kernel_unusable(void) {
    const struct kernel_map map = {
        .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1};
    uint64_t insns[] = {0xb7, 0x95}; /* r0 = 0; exit */
    const uint32_t start = 0;
    const struct kernel_program program = {insns, 2, &start, 1, false};
    static struct kernel_verdict verdict;

    libbpf_set_print(NULL);
    int fd = kernel_map_create(&map);
    if (fd < 0)
        return strerror(errno);
    kernel_close(fd);
    if (!capabilities(KERNEL_STRICT) || !capabilities(KERNEL_PRIVILEGED))
        return "capabilities cannot be dropped";
    kernel_verify(&program, KERNEL_PRIVILEGED, &verdict);
    return verdict.accepts ? NULL : verdict.reason;
}

/* Linux finds a timer by its type: a value of nothing but a struct bpf_timer at its place. */
static struct btf *timer_types(const struct kernel_map *map, uint32_t *key, uint32_t *value) {
    struct btf *btf = btf__new_empty();
    int integer = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
    int byte = btf__add_int(btf, "char", 1, BTF_INT_CHAR);
    int number = btf__add_int(btf, "long", 8, 0);
    int opaque = btf__add_array(btf, integer, number, 2);
    int bytes = btf__add_array(btf, integer, byte, map->key_size);

    int timer = btf__add_struct(btf, "bpf_timer", 16);
    btf__add_field(btf, "__opaque", opaque, 0, 0);
    *key = (uint32_t)(map->key_size == 4 ? integer : bytes);
    *value = (uint32_t)btf__add_struct(btf, "value", map->value_size);
    btf__add_field(btf, "timer", timer, map->timer_off * 8, 0);
    if (btf__load_into_kernel(btf) == 0)
        return btf;
    btf__free(btf);
    return NULL;
}

int kernel_map_create(const struct kernel_map *map) {
    struct btf *types = NULL;
    union bpf_attr attr = {.map_type = map->type,
                           .key_size = map->key_size,
                           .value_size = map->value_size,
                           .max_entries = map->max_entries,
                           .map_flags = map->flags | (map->constant ? BPF_F_RDONLY_PROG : 0)};
    if (map->has_timer) {
        types = timer_types(map, &attr.btf_key_type_id, &attr.btf_value_type_id);
        if (!types)
            return -1;
        attr.btf_fd = (uint32_t)btf__fd(types);
    }
    int fd = bpf(BPF_MAP_CREATE, &attr);
    btf__free(types); /* null is allowed; the map keeps what it needs */
    if (fd < 0)
        return -1;
    if (map->image) {
        uint32_t key = 0;
        memset(&attr, 0, sizeof(attr));
        attr.map_fd = (uint32_t)fd;
        attr.key = (uintptr_t)&key;
        attr.value = (uintptr_t)map->image;
        bpf(BPF_MAP_UPDATE_ELEM, &attr);
    }
    if (map->constant) {
        memset(&attr, 0, sizeof(attr));
        attr.map_fd = (uint32_t)fd;
        bpf(BPF_MAP_FREEZE, &attr);
    }
    return fd;
}

void kernel_close(int fd) {
    close(fd);
}

/* Types of all functions: static ones without parameters, which says nothing about them. */
static struct btf *function_types(const struct kernel_program *program,
                                  struct bpf_func_info *info) {
    struct btf *btf = btf__new_empty();
    int integer = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
    int prototype = btf__add_func_proto(btf, integer);
    for (uint32_t i = 0; i < program->nfuncs; i++) {
        char name[20];
        snprintf(name, sizeof(name), "f%u", i);
        info[i].insn_off = program->funcs[i];
        info[i].type_id = (uint32_t)btf__add_func(btf, name, BTF_FUNC_STATIC, prototype);
    }
    btf__load_into_kernel(btf);
    return btf;
}

static uint32_t figure(const char *log, const char *name) {
    const char *at = strstr(log, name);
    return at ? (uint32_t)strtoul(at + strlen(name), NULL, 10) : 0;
}

/* The last line that is not the picture of a state. */
static char *last_line(char *log) {
    for (;;) {
        char *line = strrchr(log, '\n');
        line = line ? line + 1 : log;
        if (line == log || (strncmp(line, "cur state:", 10) && strncmp(line, "old state:", 10)))
            return line;
        line[-1] = 0;
    }
}

/* The figures stand behind the messages, each in a line of its own. */
static void read_log(struct kernel_verdict *v) {
    char *end = strstr(v->log, "verification time ");
    v->usec = figure(v->log, "verification time ");
    v->processed = figure(v->log, "processed ");
    if (end)
        *end = 0;
    else
        end = v->log + strlen(v->log);
    while (end > v->log && end[-1] == '\n')
        *--end = 0;
    v->reason = last_line(v->log);
}

void kernel_verify(const struct kernel_program *program, enum kernel_mode mode,
                   struct kernel_verdict *out) {
    struct bpf_func_info *info = calloc(program->nfuncs, sizeof(*info));
    struct btf *btf = NULL;
    union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
                           .insns = (uintptr_t)program->insns,
                           .insn_cnt = program->count,
                           .license = (uintptr_t) "GPL",
                           .log_buf = (uintptr_t)out->log,
                           .log_size = sizeof(out->log),
                           .log_level = LOG_STATS};
    if (program->callbacks) {
        btf = function_types(program, info);
        attr.prog_btf_fd = (uint32_t)btf__fd(btf);
        attr.func_info_rec_size = sizeof(*info);
        attr.func_info = (uintptr_t)info;
        attr.func_info_cnt = program->nfuncs;
    }
    out->log[0] = 0;
    capabilities(mode);
    int fd = bpf(BPF_PROG_LOAD, &attr);
    int error = errno;
    capabilities(KERNEL_PRIVILEGED);
    out->accepts = fd >= 0;
    read_log(out);
    if (fd >= 0)
        close(fd);
    else if (!*out->reason)
        out->reason = strcpy(out->log, strerror(error));
    btf__free(btf);
    free(info);
}

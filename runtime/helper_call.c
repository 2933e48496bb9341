/* SPDX-License-Identifier: MIT */
/*
 * From the interpreter to the helpers: r1 to r5 become what the argument kinds of helper.def say, the
 * result goes back as the result kind says. On the host every pointer is checked for the size that
 * its kind implies; on the board (PORT_CHECKED 0) the checks fold away.
 */
#include "bpf/helper.h"
#include "bpf/port.h"
#include "bpf/vm.h"

#include "helpers.h"

#include <string.h>

struct kinds {
    uint16_t id;
    uint8_t ret, where, arg[5];
};

static const struct kinds table[] = {
#define BPF_HELPER(NAME, id, name, RET, A1, A2, A3, A4, A5, WHERE, stack, cycles, prototype)       \
    {id,                                                                                           \
     BPF_RET_##RET,                                                                                \
     BPF_##WHERE,                                                                                  \
     {BPF_ARG_##A1, BPF_ARG_##A2, BPF_ARG_##A3, BPF_ARG_##A4, BPF_ARG_##A5}},
#include "bpf/helper.def"
};

/*
 * The row of an id at once, because each call of the interpreter asks: ids come in three dense ranges
 * (helper.def), laid end to end. Rows count from 1; 0 is no helper.
 */
#define PLACE(id) ((id) < 1024 ? (id) : (id) < BPF_HELPER_INTERNAL_BASE ? (id)-832 : (id)-1792)
enum {
    ROW_NONE,
#define BPF_HELPER(NAME, ...) ROW_##NAME,
#include "bpf/helper.def"
};
static const uint8_t row_at[] = {
#define BPF_HELPER(NAME, id, ...) [PLACE(id)] = ROW_##NAME,
#include "bpf/helper.def"
};

static const struct kinds *find(uint32_t id) {
    uint32_t place = PLACE(id);
    if (place >= sizeof(row_at) || row_at[place] == ROW_NONE)
        return NULL;
    const struct kinds *row = &table[row_at[place] - 1];
    return row->id == id ? row : NULL; /* an id between the ranges shares a place */
}

/* Arguments after conversion. */
struct call {
    struct bpf_vm *vm;
    const uint64_t *args;
    void *p[5];          /* pointers, where the kind is one */
    struct bpf_map *map; /* of the MAP, RINGBUF or RINGBUF_MEM argument */
};

static bool fault(struct bpf_vm *vm, uint32_t addr, bool write) {
    vm->status = write ? BPF_FAULT_WRITE : BPF_FAULT_READ;
    vm->fault_addr = addr;
    return false;
}

static bool memory(struct call *c, unsigned i, uint32_t size, bool write) {
    uint32_t addr = (uint32_t)c->args[i];
    c->p[i] = port_guest(c->vm, addr, size, write);
    return !PORT_CHECKED || c->p[i] || (size == 0) || fault(c->vm, addr, write);
}

/* A map must be one of the blob's, with its header as it was made: its sizes bound what we touch. */
static bool is_intact_map(const struct call *c, uint32_t addr, const struct bpf_map *map) {
    const struct blob *blob = c->vm->blob;
    for (uint32_t i = 0; i < blob->header->maps.count; i++) {
        const struct blob_map *def = &blob->maps[i];
        if (c->vm->r9 + def->off != addr)
            continue;
        return bpf_map_is_intact(map, def);
    }
    return false;
}

static bool map_argument(struct call *c, unsigned i) {
    uint32_t addr = (uint32_t)c->args[i];
    c->p[i] = c->map = port_guest(c->vm, addr, sizeof(*c->map), true);
    if (PORT_CHECKED && (!c->map || addr % 8 || !is_intact_map(c, addr, c->map)))
        return fault(c->vm, addr, true);
    return true;
}

/* A reservation: inside the contents of one of the blob's ring buffers. */
static bool ringbuf_argument(struct call *c, unsigned i) {
    uint32_t addr = (uint32_t)c->args[i];
    c->p[i] = port_guest(c->vm, addr, 0, true);
    if (!PORT_CHECKED) {
        c->map = bpf_ringbuf_owner(c->p[i]);
        return true;
    }
    for (uint32_t k = 0; k < c->vm->blob->header->maps.count; k++) {
        const struct blob_map *def = &c->vm->blob->maps[k];
        uint32_t first = c->vm->r9 + def->off + (uint32_t)sizeof(struct bpf_map) + 16;
        if (def->type != BPF_MAP_RINGBUF || addr < first || addr - first > def->max_entries - 8 ||
            addr % 8)
            continue;
        c->map = port_guest(c->vm, c->vm->r9 + def->off, def->size, true);
        if (c->map && bpf_map_is_intact(c->map, def))
            return true;
        break;
    }
    return fault(c->vm, addr, true);
}

/* A string ends before readable memory does. */
static bool string_argument(struct call *c, unsigned i) {
    uint32_t addr = (uint32_t)c->args[i];
    const char *p = c->p[i] = port_guest(c->vm, addr, 1, false);
    while (PORT_CHECKED) {
        if (!p)
            return fault(c->vm, addr, false);
        if (!*p)
            break;
        p = port_guest(c->vm, ++addr, 1, false);
    }
    return true;
}

/* No default: the compiler asks for each new kind. */
static bool convert(struct call *c, unsigned i, enum bpf_arg kind) {
    switch (kind) {
    case BPF_ARG_MAP:
    case BPF_ARG_RINGBUF:
    case BPF_ARG_PROG_ARRAY: return map_argument(c, i);
    case BPF_ARG_MAP_KEY: return memory(c, i, c->map->key_size, false);
    case BPF_ARG_MAP_VALUE: return memory(c, i, c->map->value_size, false);
    case BPF_ARG_MAP_VALUE_OUT: return memory(c, i, c->map->value_size, true);
    case BPF_ARG_MEM: return memory(c, i, (uint32_t)c->args[i + 1], false);
    case BPF_ARG_MEM_OUT: return memory(c, i, (uint32_t)c->args[i + 1], true);
    case BPF_ARG_STR: return string_argument(c, i);
    case BPF_ARG_RINGBUF_MEM: return ringbuf_argument(c, i);
    case BPF_ARG_TIMER: /* an address: the kernel finds the element in its tables */
    case BPF_ARG_FUNC:  /* an address, until it is called */
    case BPF_ARG_CALLBACK_CTX:
    case BPF_ARG_CTX:
    case BPF_ARG_SIZE:
    case BPF_ARG_SIZE0:
    case BPF_ARG_CONST_SIZE:
    case BPF_ARG_U32:
    case BPF_ARG_U64:
    case BPF_ARG_NONE: break;
    }
    return true;
}

static uint64_t pointer(const struct call *c, const void *p) {
    return port_address(c->vm, p);
}

/* No default: a helper of the library without a case here does not compile (-Wswitch). */
static uint64_t dispatch(const struct call *c, enum bpf_helper_id id, const uint8_t kinds[5]) {
    const uint64_t *a = c->args;
    void *const *p = c->p;
    switch (id) {
    case BPF_FUNC_MAP_LOOKUP_ELEM: return pointer(c, bpf_h_map_lookup_elem(p[0], p[1]));
    case BPF_FUNC_MAP_UPDATE_ELEM: return (uint32_t)bpf_h_map_update_elem(p[0], p[1], p[2], a[3]);
    case BPF_FUNC_MAP_DELETE_ELEM: return (uint32_t)bpf_h_map_delete_elem(p[0], p[1]);
    case BPF_FUNC_GET_PRANDOM_U32: return bpf_h_get_prandom_u32();
    case BPF_FUNC_GET_SMP_PROCESSOR_ID: return bpf_h_get_smp_processor_id();
    case BPF_FUNC_MAP_PUSH_ELEM: return (uint32_t)bpf_h_map_push_elem(p[0], p[1], a[2]);
    case BPF_FUNC_MAP_POP_ELEM: return (uint32_t)bpf_h_map_pop_elem(p[0], p[1]);
    case BPF_FUNC_MAP_PEEK_ELEM: return (uint32_t)bpf_h_map_peek_elem(p[0], p[1]);
    case BPF_FUNC_RINGBUF_OUTPUT:
        return (uint32_t)bpf_h_ringbuf_output(p[0], p[1], (uint32_t)a[2], a[3]);
    case BPF_FUNC_RINGBUF_RESERVE:
        return pointer(c, bpf_h_ringbuf_reserve(p[0], (uint32_t)a[1], a[2]));
    case BPF_FUNC_RINGBUF_SUBMIT: bpf_ringbuf_commit(c->map, p[0], false); return 0;
    case BPF_FUNC_RINGBUF_DISCARD: bpf_ringbuf_commit(c->map, p[0], true); return 0;
    case BPF_FUNC_RINGBUF_QUERY: return bpf_h_ringbuf_query(p[0], a[1]);
    case BPF_FUNC_FOR_EACH_MAP_ELEM:
        return (uint32_t)bpf_h_for_each_map_elem(p[0], (bpf_code)a[1], (uint32_t)a[2], a[3]);
    case BPF_FUNC_SNPRINTF:
        return (uint32_t)bpf_h_snprintf(p[0], (uint32_t)a[1], p[2], p[3], (uint32_t)a[4]);
    case BPF_FUNC_TRACE_PRINTK:
        return (uint32_t)bpf_h_trace_printk(p[0], (uint32_t)a[1], a[2], a[3], a[4]);
    case BPF_FUNC_TRACE_VPRINTK:
        return (uint32_t)bpf_h_trace_vprintk(p[0], (uint32_t)a[1], p[2], (uint32_t)a[3]);
    case BPF_FUNC_LOOP:
        return (uint32_t)bpf_h_loop((uint32_t)a[0], (bpf_code)a[1], (uint32_t)a[2], a[3]);
    case BPF_FUNC_STRNCMP: return (uint32_t)bpf_h_strncmp(p[0], (uint32_t)a[1], p[2]);
    case BPF_FUNC_TAIL_CALL: /* the engines do these themselves */
    case BPF_FUNC_UDIV64:
    case BPF_FUNC_UMOD64:
    case BPF_FUNC_SDIV64:
    case BPF_FUNC_SMOD64:
    case BPF_FUNC_TAIL_TARGET:
    case BPF_FUNC_CALLX: break;
#define CASE_PURE(NAME)
#define CASE_BUILTIN(NAME)
#define CASE_SVC(NAME) case BPF_FUNC_##NAME:
#define BPF_HELPER(NAME, id, name, RET, A1, A2, A3, A4, A5, WHERE, ...) CASE_##WHERE(NAME)
#include "bpf/helper.def"
        return port_device(c->vm, id, kinds, a);
    }
    c->vm->status = BPF_FAULT_CALL;
    return 0;
}

static uint64_t extend(uint64_t value, enum bpf_ret kind) {
    switch (kind) {
    case BPF_RET_VOID: return 0;
    case BPF_RET_S32: return (uint64_t)(int64_t)(int32_t)(uint32_t)value;
    case BPF_RET_U64: return value;
    default: return (uint32_t)value;
    }
}

bool bpf_helper_call(struct bpf_vm *vm, uint32_t id, const uint64_t args[5], uint64_t *result) {
    const struct kinds *row = find(id);
    struct call c = {.vm = vm, .args = args};
    if (!row) {
        vm->status = BPF_FAULT_CALL;
        return false;
    }
    for (unsigned i = 0; i < 5 && row->arg[i] != BPF_ARG_NONE; i++)
        if (!convert(&c, i, (enum bpf_arg)row->arg[i]))
            return false;
    struct bpf_vm *outer = port_enter(vm);
    uint64_t value = dispatch(&c, (enum bpf_helper_id)id, row->arg);
    port_leave(outer);
    if (vm->status != BPF_OK)
        return false;
    *result = extend(value, (enum bpf_ret)row->ret);
    return true;
}

/* SPDX-License-Identifier: MIT
 *
 * Installing: an upload at a time, into the store or into RAM. Everything is checked where it then lies, and a program
 * that is to run is started before the store is told to keep it: what cannot be started is not installed, and
 * what ran before goes on. When power fails in between, the store has the old one.
 */
#include "bpf/pause.h"
#include "manager.h"

#include <string.h>

static struct upload *const upload = &manager.upload;

/* ----- begin and end of an upload ------------------------------------------------------------------------- */

static bool name_is_good(const char *name) {
    unsigned length = 0;
    for (; length < PROGRAMS_NAME && name[length]; length++) {
        char c = name[length], lower = c | 0x20;
        if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return length > 0 && length < PROGRAMS_NAME;
}

static void upload_end(void) {
    upload->open = false;
    upload->copy = NULL;
    semaphore_give(&manager.attention); /* who had to wait for it */
}

void install_abort(void) {
    if (!upload->open)
        return;
    if (upload->copy)
        program_free_copy(upload->copy);
    else
        store_abort(&manager.store);
    upload_end();
}

/* Something has come of it. */
static void upload_lives(void) {
    upload->deadline = kernel_uptime() + UPLOAD_IDLE;
}

uint32_t install_expire(void) {
    uint64_t now = kernel_uptime();
    if (upload->open && now >= upload->deadline)
        install_abort();
    return upload->open ? (uint32_t)(upload->deadline - now) : KERNEL_FOREVER;
}

/* A piece for what is to be known of it, and one for the blob. */
static enum bpf_status begin_in_ram(uint32_t size, const struct bpf_grant *grant) {
    struct ram_copy copy = {.grant = *grant, .size = size};
    copy.taken = pool_allocate(sizeof(copy), &copy.address);
    if (!copy.taken)
        return BPF_NO_RAM;
    copy.blob_taken = pool_allocate(size, &copy.blob);
    if (!copy.blob_taken) {
        pool_free(copy.address, copy.taken);
        return BPF_NO_RAM;
    }
    upload->copy = (struct ram_copy *)(uintptr_t)copy.address;
    *upload->copy = copy;
    return BPF_OK;
}

/* A copy in RAM does not hide what is in the store; the store may take over from a copy. */
static enum bpf_status begin(const char *name, uint32_t size, const struct bpf_grant *grant,
                             bool in_ram) {
    const struct program *old = program_find(name);
    enum bpf_status status;
    if (size == 0 || size > BLOB_MAX_SIZE)
        return size ? BPF_TOO_LARGE : BPF_ARGUMENT;
    if (old && in_ram && !old->copy)
        return BPF_EXISTS;
    if (!in_ram && !store_is_readable())
        return manager.mounted;
    upload->copy = NULL;
    if (in_ram)
        status = begin_in_ram(size, grant);
    else
        status = store_status(store_begin(&manager.store, name, size, grant, sizeof(*grant)));
    if (status)
        return status;
    strncpy(upload->name, name, sizeof(upload->name));
    upload->grant = *grant;
    upload->size = size;
    upload->done = 0;
    upload->open = true;
    upload_lives();
    semaphore_give(&manager.attention); /* somebody has to watch it */
    return BPF_OK;
}

enum bpf_status programs_begin(const char *name, uint32_t size, const struct bpf_grant *grant,
                               bool in_ram) {
    if (!name_is_good(name))
        return BPF_NAME;
    if (bpf_grant_check(grant, sizeof(*grant)))
        return BPF_GRANT;
    manager_lock();
    install_abort();
    return manager_unlock(begin(name, size, grant, in_ram));
}

/* The store gives up what the flash does not take. */
static enum bpf_status write(uint32_t offset, const void *bytes, uint32_t count) {
    if (!upload->open)
        return BPF_NOT_FOUND;
    if (offset != upload->done)
        return BPF_OFFSET;
    if (count > upload->size - offset)
        return BPF_TOO_LARGE;
    if (upload->copy) {
        memcpy((uint8_t *)(uintptr_t)upload->copy->blob + offset, bytes, count);
    } else {
        enum bpf_status status = store_status(store_write(&manager.store, bytes, count));
        if (status) {
            upload_end();
            return status;
        }
    }
    upload->done += count;
    upload_lives();
    return BPF_OK;
}

enum bpf_status programs_write(uint32_t offset, const void *bytes, uint32_t count) {
    manager_lock();
    bpf_pause(); /* a packet as large as they come has just been decoded */
    return manager_unlock(write(offset, bytes, count));
}

uint32_t programs_upload_offset(void) {
    manager_lock();
    uint32_t done = upload->open ? upload->done : 0;
    manager_unlock(BPF_OK);
    return done;
}

bool programs_upload_is_open(void) {
    manager_lock();
    bool open = upload->open;
    manager_unlock(BPF_OK);
    return open;
}

void programs_abort(void) {
    manager_lock();
    install_abort();
    manager_unlock(BPF_OK);
}

/* ----- commit --------------------------------------------------------------------------------------------- */

static struct source uploaded(void) {
    if (upload->copy)
        return (struct source){(const uint8_t *)(uintptr_t)upload->copy->blob, upload->size,
                               &upload->copy->grant};
    return (struct source){store_upload(&manager.store), upload->size, &upload->grant};
}

/* From here on it is the program of that name, in RAM or in the store. */
static enum bpf_status keep(struct program *program, bool enable) {
    struct ram_copy *old = program->copy;
    if (upload->copy) {
        upload->copy->enabled = enable;
        program->seq = ++manager.copies;
    } else {
        enum bpf_status status = store_status(store_commit(&manager.store));
        if (status)
            return status;
        program->seq = store_find(&manager.store, program->name)->seq;
    }
    program->copy = upload->copy;
    program_free_copy(old);
    upload_end();
    return BPF_OK;
}

/* It is installed. The store says in a record of its own that it is enabled, unless its predecessor was. */
static enum bpf_status finish(struct program *program, bool enable) {
    enum bpf_status status = enable ? program_set_enabled(program, true) : BPF_OK;
    if (status)
        program_unload(program);
    else if (program->domain)
        program->domain->grant = program_source(program).grant; /* the same, where it stays */
    else
        program->status = BPF_OK;
    return status;
}

static enum bpf_status install(struct program *program, bool enable, uint32_t *where) {
    const struct source source = uploaded();
    struct exchange x;
    enum bpf_status status = enable ? exchange_begin(&x, program, &source, where) : BPF_OK;
    if (status)
        return status;
    status = keep(program, enable);
    if (enable && status)
        exchange_undo(&x);
    else if (enable)
        exchange_done(&x);
    return status ? status : finish(program, enable);
}

static enum bpf_status commit(bool enable, uint32_t *where) {
    if (!upload->open)
        return BPF_NOT_FOUND;
    const struct source source = uploaded();
    *where = upload->done;
    if (upload->done != upload->size)
        return BPF_OFFSET; /* it stays open: the rest may come */
    enum bpf_status status = domain_check(source.blob, source.size, source.grant, where);
    struct program *program = program_find(upload->name);
    bool is_new = !program;
    if (!status && is_new)
        program = program_add(upload->name);
    if (!status && !program)
        status = BPF_TOO_MANY;
    if (!status)
        status = install(program, enable || (!is_new && program_is_enabled(program)), where);
    if (status && upload->open) { /* it has not become the program of that name */
        if (is_new && program)
            *program = (struct program){.seq = 0};
        install_abort();
    }
    return status;
}

enum bpf_status programs_commit(bool enable, uint32_t *where) {
    manager_lock();
    *where = 0;
    return manager_unlock(commit(enable, where));
}

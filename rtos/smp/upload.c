/* SPDX-License-Identifier: MIT
 *
 * Group 64: installing. What is kept here is only what makes an upload go on after a break.
 */
#include <string.h>

#include "programs.h"
#include "rtos/driver.h"

/* The upload that has begun. An upload of the same goes on with it, as after a lost line or a restarted client. */
static struct upload {
    struct program_name name; /* empty: there is none */
    uint32_t size, crc;
    bool in_ram;
    struct bpf_grant grant;
    uint32_t sum;    /* CRC of what has come */
    uint32_t number; /* of this begin that was not one more of the same */
} upload;

static bool upload_is(const struct upload *other) {
    return memcmp(&upload.name, &other->name, sizeof(upload.name)) == 0 &&
           upload.size == other->size && upload.crc == other->crc &&
           upload.in_ram == other->in_ram &&
           memcmp(&upload.grant, &other->grant, sizeof(upload.grant)) == 0;
}

static void upload_forget(void) {
    upload.name.text[0] = 0;
}

/* The manager may have ended it: for maintenance, or because nobody went on with it. */
static bool upload_is_open(void) {
    if (upload.name.text[0] && !programs_upload_is_open())
        upload_forget();
    return upload.name.text[0];
}

/* What a client goes on with or ends is what it has begun: another one may have begun something else since. */
static bool upload_is_meant(struct smp_request *r) {
    uint32_t number = smp_arg_uint_or(r, "upload", UINT32_MAX, upload.number);
    return upload_is_open() && number == upload.number;
}

int smp_upload_begin(struct smp_request *r, struct cbor_writer *w) {
    struct upload wanted = {.name = program_arg_name(r),
                            .size = smp_arg_uint(r, "size", UINT32_MAX),
                            .crc = smp_arg_uint(r, "crc", UINT32_MAX),
                            .in_ram = smp_arg_bool_or(r, "ram", false),
                            .grant = program_arg_grant(r)};
    if (r->error)
        return r->error;
    if (!upload_is_open() || !upload_is(&wanted)) {
        static uint32_t number;
        if (upload.name.text[0])
            programs_abort();
        upload_forget();
        enum bpf_status status =
            programs_begin(wanted.name.text, wanted.size, &wanted.grant, wanted.in_ram);
        if (status)
            return (int)status;
        upload = wanted;
        upload.number = ++number;
    }
    smp_put_uint(w, "off", programs_upload_offset());
    smp_put_uint(w, "upload", upload.number);
    return SMP_OK;
}

int smp_upload_data(struct smp_request *r, struct cbor_writer *w) {
    uint32_t size, offset = smp_arg_uint(r, "off", UINT32_MAX);
    const uint8_t *bytes = smp_arg_bytes(r, "data", &size);
    bool meant = upload_is_meant(r);
    if (r->error)
        return r->error;
    if (!meant)
        return BPF_NOT_FOUND;
    if (offset == programs_upload_offset()) {
        if (size > upload.size - offset)
            return BPF_TOO_LARGE;
        enum bpf_status status = programs_write(offset, bytes, size);
        if (status) { /* it cannot go on: the next begin is a new one */
            programs_abort();
            upload_forget();
            return (int)status;
        }
        upload.sum = crc_update_zlib(upload.sum, bytes, size);
    }
    smp_put_uint(w, "off", programs_upload_offset());
    return SMP_OK;
}

int smp_upload_commit(struct smp_request *r, struct cbor_writer *w) {
    bool enable = smp_arg_bool_or(r, "enable", false);
    bool meant = upload_is_meant(r);
    struct program_info is = {.seq = 0};
    if (r->error)
        return r->error;
    if (!meant)
        return BPF_NOT_FOUND;
    if (programs_upload_offset() != upload.size) {
        r->has_where = true;
        r->where = programs_upload_offset();
        return BPF_OFFSET; /* it stays open: the rest may come */
    }
    enum bpf_status status = BPF_BLOB_CRC;
    if (upload.sum == upload.crc)
        status = programs_commit(enable, &r->where);
    if (status) {
        r->has_where = upload.sum == upload.crc;
        programs_abort();
    } else {
        status = programs_info(upload.name.text, &is);
        smp_put_uint(w, "seq", is.seq);
    }
    upload_forget();
    return (int)status;
}

int smp_upload_abort(struct smp_request *r, struct cbor_writer *w) {
    bool meant = upload_is_meant(r);
    (void)w;
    if (r->error)
        return r->error;
    if (!meant) /* it has ended already */
        return SMP_OK;
    upload_forget();
    programs_abort();
    return SMP_OK;
}

/* SPDX-License-Identifier: MIT */
#include "bpf/smp.h"

const char *smp_error_text(unsigned error) {
    static const char *const texts[] = {
#define SMP_ERROR_TEXT(NAME, number, text) [number] = text,
        SMP_ERRORS(SMP_ERROR_TEXT)
#undef SMP_ERROR_TEXT
    };
    return error < sizeof(texts) / sizeof(texts[0]) ? texts[error] : "unknown error";
}

/* Byte 0: three reserved bits, two of the version, three of the operation. Numbers are big-endian. */
void smp_header_read(const uint8_t bytes[SMP_HEADER], struct smp_header *out) {
    *out = (struct smp_header){
        .version = bytes[0] >> 3 & 3,
        .op = bytes[0] & 7,
        .flags = bytes[1],
        .length = (uint16_t)(bytes[2] << 8 | bytes[3]),
        .group = (uint16_t)(bytes[4] << 8 | bytes[5]),
        .sequence = bytes[6],
        .id = bytes[7],
    };
}

void smp_header_write(const struct smp_header *header, uint8_t bytes[SMP_HEADER]) {
    bytes[0] = (uint8_t)((header->version & 3) << 3 | (header->op & 7));
    bytes[1] = header->flags;
    bytes[2] = (uint8_t)(header->length >> 8);
    bytes[3] = (uint8_t)header->length;
    bytes[4] = (uint8_t)(header->group >> 8);
    bytes[5] = (uint8_t)header->group;
    bytes[6] = header->sequence;
    bytes[7] = header->id;
}

bool smp_packet(const uint8_t *bytes, size_t size, struct smp_header *out) {
    if (size < SMP_HEADER)
        return false;
    smp_header_read(bytes, out);
    return out->length == size - SMP_HEADER;
}

void smp_put_error(struct cbor_writer *w, unsigned version, uint16_t group, unsigned rc) {
    if (version != SMP_V1) {
        cbor_text(w, "err");
        cbor_map(w, 2);
        cbor_text(w, "group");
        cbor_uint(w, group);
    }
    cbor_text(w, "rc");
    cbor_uint(w, rc);
}

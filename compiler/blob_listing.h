/* SPDX-License-Identifier: MIT */
/* Header and tables of a checked blob for people, and the same as JSON. */
#ifndef BLOB_LISTING_H
#define BLOB_LISTING_H

#include "bpf/blob.h"

#include <stdio.h>

struct cJSON;

void blob_list(const struct blob *blob, FILE *out);
/* Adds header and tables to an object. */
void blob_list_json(const struct blob *blob, struct cJSON *out);

/* "bpf_map_lookup_elem" of a helper id, "unknown" if this version has none. */
const char *blob_helper_name(uint32_t id, char buf[64]);

#endif

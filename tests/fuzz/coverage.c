/* SPDX-License-Identifier: MIT */
/* Coverage of the random programs; see coverage.h. */
#include "fuzz/coverage.h"

#include "ir/ir.h"
#include "thumb2/encoding.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 1024
#define NAME_SIZE 48
#define VALUES_MAX 65536

struct name {
    char text[NAME_SIZE];
    uint64_t hits;
    char state; /* of the list: '+' reached, '-' not, 0 not listed */
};

static struct name names[NAMES_MAX];
static unsigned name_count;

static struct name *find(const char *text) {
    for (unsigned i = 0; i < name_count; i++)
        if (strcmp(names[i].text, text) == 0)
            return &names[i];
    if (name_count == NAMES_MAX || strlen(text) >= NAME_SIZE)
        abort();
    strcpy(names[name_count].text, text);
    return &names[name_count++];
}

/* ------------------------------------------------------------------------------------------- code */

static uint64_t encodings[T2_ENC_COUNT];

void coverage_code(const struct blob *blob) {
    for (uint32_t i = 0; i < blob->header->ranges.count; i++) {
        const struct blob_range *r = &blob->ranges[i];
        uint8_t it = 0;
        for (uint32_t at = r->off; r->kind == BLOB_RANGE_CODE && at < r->off + r->size;) {
            uint16_t code[2] = {0};
            struct t2_fields f;
            enum t2_enc enc;
            unsigned length;
            uint32_t left = r->off + r->size - at;
            memcpy(code, blob->code + at, left < 4 ? left : 4);
            if (!t2_decode(code, left / 2, it != 0, &enc, &f, &length))
                abort();
            encodings[enc]++;
            it = enc == T2_IT_T1 ? t2_it_start(&f) : t2_it_next(it);
            at += 2 * length;
        }
    }
}

/* --------------------------------------------------------------------------------------------- IR */

static bool is_constant[VALUES_MAX];

static unsigned value_number(const char *text) {
    return text[0] == 'v' && isdigit((unsigned char)text[1]) ? (unsigned)atoi(text + 1) : 0;
}

/* "add.32 vc": the operation with its width, and v or c for each operand that can be either. */
static void coverage_line(char *line) {
    char *save = NULL, *word = strtok_r(line, " ,", &save);
    unsigned result = 0;
    char text[NAME_SIZE], form[4] = "";
    while (word && value_number(word)) { /* results */
        result = value_number(word);
        word = strtok_r(NULL, " ,", &save);
    }
    if (word && strcmp(word, "=") == 0)
        word = strtok_r(NULL, " ,", &save);
    if (!word || strncmp(word, "func", 4) == 0 || strchr(word, ':'))
        return;
    const char *op = word;
    bool binary = false, branch = strncmp(op, "br.", 3) == 0 || strncmp(op, "br2.", 4) == 0;
    for (unsigned i = 0; i < IR_OP_COUNT; i++) {
        size_t length = strlen(ir_ops[i].text);
        if (strncmp(op, ir_ops[i].text, length) == 0 && op[length] == '.')
            binary |= ir_ops[i].nargs == 2 && ir_ops[i].nresults == 1;
    }
    if (strncmp(op, "const.", 6) == 0 && result < VALUES_MAX)
        is_constant[result] = true;
    const char *cond = branch ? strtok_r(NULL, " ,", &save) : "";
    /* An operand of br2 is two words, and a constant if both are. */
    unsigned words = strncmp(op, "br2.", 4) == 0 ? 2 : 1;
    for (unsigned n = 0; (binary || branch) && n < 2; n++) {
        bool constant = true;
        unsigned value = 0;
        for (unsigned i = 0; i < words && (word = strtok_r(NULL, " ,", &save)); i++) {
            value = value_number(word);
            constant &= is_constant[value % VALUES_MAX];
        }
        if (value)
            form[n] = constant ? 'c' : 'v';
    }
    snprintf(text, sizeof(text), "%s%s%s%s%s", op, *cond ? " " : "", cond, *form ? " " : "", form);
    find(text)->hits++;
}

void coverage_ir(const char *text) {
    char *copy = strdup(text), *save = NULL;
    memset(is_constant, 0, sizeof(is_constant));
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (strncmp(line, "func", 4) == 0)
            memset(is_constant, 0, sizeof(is_constant));
        else if (line[0] == ' ')
            coverage_line(line);
    }
    free(copy);
}

/* ----------------------------------------------------------------------------------------- report */

/* Encodings join the names, with none missing. */
static void name_encodings(void) {
    char text[NAME_SIZE];
    for (unsigned e = 0; e < T2_ENC_COUNT; e++) {
        snprintf(text, sizeof(text), "code %s", t2_row((enum t2_enc)e)->name);
        find(text)->hits += encodings[e];
        encodings[e] = 0;
    }
}

void coverage_write(FILE *out) {
    name_encodings();
    for (unsigned i = 0; i < name_count; i++)
        fprintf(out, "%llu %s\n", (unsigned long long)names[i].hits, names[i].text);
}

bool coverage_read(FILE *in) {
    char line[128];
    while (fgets(line, sizeof(line), in)) {
        char *end;
        uint64_t hits = strtoull(line, &end, 10);
        line[strcspn(line, "\n")] = '\0';
        if (end == line || *end != ' ')
            return false;
        find(end + 1)->hits += hits;
    }
    return true;
}

/* Lines `+ name` and `- name: why it is not reached`; # starts a comment. */
static bool read_list(const char *path) {
    char line[256];
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    while (fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '+' && line[0] != '-')
            continue;
        char *why = line[0] == '-' ? strchr(line, ':') : NULL;
        if (why)
            *why = '\0';
        find(line + 2)->state = line[0];
    }
    fclose(file);
    return true;
}

static int by_hits(const void *a, const void *b) {
    const struct name *x = a, *y = b;
    if (x->hits != y->hits)
        return x->hits < y->hits ? -1 : 1;
    return strcmp(x->text, y->text);
}

unsigned coverage_report(const char *list_path, uint64_t minimum, bool all, unsigned *passed) {
    unsigned defects = 0;
    *passed = 0;
    name_encodings();
    if (!read_list(list_path)) {
        printf("coverage: cannot read %s\n", list_path);
        return 1;
    }
    qsort(names, name_count, sizeof(names[0]), by_hits);
    for (unsigned i = 0; i < name_count; i++) {
        const struct name *n = &names[i];
        bool known = n->state || (n->hits < minimum && strncmp(n->text, "code ", 5) != 0);
        const char *defect = !known                                 ? "is not in the list"
                             : n->state == '+' && n->hits < minimum ? "is reached too seldom"
                             : n->state == '-' && n->hits >= 2 * minimum + 100
                                 ? "is reached, the list says it is not"
                                 : NULL;
        if (defect)
            printf("coverage: %s %s (%llu hits, at least %llu)\n", n->text, defect,
                   (unsigned long long)n->hits, (unsigned long long)minimum);
        else if (all)
            printf("  %10llu %s\n", (unsigned long long)n->hits, n->text);
        defects += defect != NULL;
        *passed += n->state == '+' && !defect;
    }
    return defects;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Members of a JSON object that is being made. One that there is no memory for makes the whole
 * failed, which the maker asks for once, at the end.
 */
#ifndef EW_SHOW_JSON_JSON_FIELDS_H
#define EW_SHOW_JSON_JSON_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fields {
	json_t *object;
	bool failed;
};

struct fields fields_new(void);

/* The object, or NULL where anything failed; it is freed then. */
json_t *fields_done(struct fields *fields);

/* Takes value over. */
void field_value(struct fields *fields, const char *name, json_t *value);

void field_text(struct fields *fields, const char *name, const char *text);
void field_known(struct fields *fields, const char *name, const char *text); /* NULL, "": null */
void field_int(struct fields *fields, const char *name, int64_t value);
void field_positive(struct fields *fields, const char *name, int64_t value); /* else null */
void field_u64(struct fields *fields, const char *name, uint64_t value);
void field_bool(struct fields *fields, const char *name, bool value);
void field_seconds(struct fields *fields, const char *name, int64_t ns); /* to ms; below 0: null */
void field_wall(struct fields *fields, const char *name, int64_t wall);	 /* 0: null */
void field_texts(struct fields *fields, const char *name, const char *const *texts, size_t n);

/* Appends to an array that may be NULL already; either way the result is what there is then. */
json_t *fields_append(json_t *array, json_t *value);

#endif

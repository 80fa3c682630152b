/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Facts as JSON objects: {"type":"socket","mono_ns":12,"cookie":7,…}.
 *
 * One table of fields for each type drives writing and reading, so the two cannot differ. Every
 * field is always written. Durations and times end in _ns, tri is "yes", "no" or "unknown", an
 * address is "10.0.0.7:5051"; texts and great numbers are as base/jsonval.h says.
 */
#ifndef EW_BASE_FACTJSON_H
#define EW_BASE_FACTJSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"

struct error;

enum factjson_kind {
	FACTJSON_I32,
	FACTJSON_U32,
	FACTJSON_I64,
	FACTJSON_U64,
	FACTJSON_BOOL,
	FACTJSON_REAL,
	FACTJSON_TRI,
	FACTJSON_TEXT,
	FACTJSON_ADDR,
	FACTJSON_LIST, /* const char *const *, its size_t at count */
};

struct factjson_field {
	const char *name;
	enum factjson_kind kind;
	uint16_t offset; /* in struct fact */
	uint16_t count;	 /* of FACTJSON_LIST: offset of its size_t */
	int8_t missing;	 /* what a number reads as when a line has no such field */
};

/* "socket"; NULL for a number that names no type. */
const char *factjson_type_name(enum fact_type type);

/* A new object with type, mono_ns and all fields; NULL: no memory, or no such type. */
json_t *factjson_pack(const struct fact *fact);

/* Owns the strings of the fact that was read last. */
struct factjson_reader;

struct factjson_reader *factjson_reader_new(void);
void factjson_reader_free(struct factjson_reader *reader);

#define FACTJSON_LATER 1 /* a type that this version does not know */

/*
 * Reads one line of len bytes (with or without its newline). *fact is valid until the next read.
 * *unknown gets the number of fields that this version does not know.
 * Returns 0; FACTJSON_LATER; -EINVAL where the line is no fact, with the reason in *error; -ENOMEM.
 */
int factjson_read(struct factjson_reader *reader, const char *line, size_t len, struct fact *fact,
		  size_t *unknown, struct error *error);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The values of every JSON that this project writes, in one notation.
 *
 * Text. An executor id may hold any bytes, JSON holds Unicode only. Valid UTF-8 stays as it is; a
 * byte that belongs to no valid sequence is written \xNN (two lower-case hex digits, in the JSON
 * source "\\xNN"). A backslash that would read as the beginning of such an escape is itself written
 * \x5c; every other backslash stays. So each sequence of bytes has one notation, and can be read
 * back.
 *
 * Numbers beyond 2^53 are strings of decimal digits, since many readers keep numbers as doubles.
 */
#ifndef EW_BASE_JSONVAL_H
#define EW_BASE_JSONVAL_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* New references; NULL when out of memory. text may be NULL: "". */
json_t *jsonval_text(const char *text);
json_t *jsonval_u64(uint64_t value);
json_t *jsonval_i64(int64_t value);

/* The bytes that text stands for, into buf (strlen(text) + 1 bytes suffice); returns their count.
 */
size_t jsonval_bytes(const char *text, char *buf);

/*
 * As json_loadb(), but text with a NUL byte is refused, as JSON demands. jansson (2.14) passes over
 * a NUL that follows a number, so that "pid":17<NUL>, in place of "pid":171, would read as 17.
 */
json_t *jsonval_load(const char *text, size_t len, size_t flags, json_error_t *error);

/* Both notations are read. Return 0, or -EINVAL (other type, out of range) with *ret untouched. */
int jsonval_get_u64(const json_t *value, uint64_t *ret);
int jsonval_get_i64(const json_t *value, int64_t *ret);

/*
 * As json_dumps() and json_dumpf(), but a character that a terminal acts on (utf8_is_invisible())
 * is written as an escape of JSON, which means the same. The text is to be freed with free(); NULL
 * when there is no memory. jsonval_dumpf() returns 0, or -ENOMEM or -EIO.
 */
char *jsonval_dumps(const json_t *value, size_t flags);
int jsonval_dumpf(const json_t *value, FILE *out, size_t flags);

#endif

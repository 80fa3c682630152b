/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/jsonval.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define EXACT_MAX (INT64_C(1) << 53) /* the greatest integer below which doubles have no gaps */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that an escape at s stands for; -1: none begins here. There is no NUL in text. */
static int escaped_byte(const char *s)
{
	int high, low;

	if (s[0] != '\\' || s[1] != 'x')
		return -1;
	high = hex_digit(s[2]);
	low = high < 0 ? -1 : hex_digit(s[3]);
	return low < 0 || high + low == 0 ? -1 : high << 4 | low;
}

/* Length of what may stand in JSON as it is; 0: the byte at s must be escaped. */
static size_t plain_length(const char *s)
{
	uint32_t cp;

	return escaped_byte(s) >= 0 ? 0 : utf8_next(s, &cp);
}

static json_t *text_escaped(const char *text)
{
	char *buf = malloc(strlen(text) * 4 + 1);
	char *out = buf;
	json_t *value;

	if (!buf)
		return NULL;
	while (*text) {
		size_t len = plain_length(text);

		if (len) {
			memcpy(out, text, len);
			out += len;
			text += len;
		} else {
			out += sprintf(out, "\\x%02x", (uint8_t)*text++);
		}
	}
	value = json_stringn(buf, (size_t)(out - buf));
	free(buf);
	return value;
}

/* Length of the text if all of it is printable ASCII without a backslash, as most is; else 0. */
static size_t simple_length(const char *text)
{
	size_t len = 0;

	while (text[len] >= 0x20 && text[len] < 0x7f && text[len] != '\\')
		len++;
	return text[len] ? 0 : len;
}

json_t *jsonval_text(const char *text)
{
	const char *s = text ? text : "";
	size_t len = simple_length(s);

	if (len)
		return json_stringn_nocheck(s, len);
	while (*s && (len = plain_length(s)))
		s += len;
	return *s ? text_escaped(text) : json_string(text ? text : "");
}

size_t jsonval_bytes(const char *text, char *buf)
{
	char *out = buf;

	while (*text) {
		int byte = escaped_byte(text);

		*out++ = byte < 0 ? *text : (char)byte;
		text += byte < 0 ? 1 : 4;
	}
	*out = '\0';
	return (size_t)(out - buf);
}

json_t *jsonval_u64(uint64_t value)
{
	char text[24];

	if (value <= (uint64_t)EXACT_MAX)
		return json_integer((json_int_t)value);
	snprintf(text, sizeof(text), "%" PRIu64, value);
	return json_string(text);
}

json_t *jsonval_i64(int64_t value)
{
	char text[24];

	if (value <= EXACT_MAX && value >= -EXACT_MAX)
		return json_integer(value);
	snprintf(text, sizeof(text), "%" PRId64, value);
	return json_string(text);
}

/* strtoull() and strtoll() alone would take blanks, signs and nothing at all. */
static bool is_decimal(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits && !text[digits];
}

int jsonval_get_u64(const json_t *value, uint64_t *ret)
{
	const char *text = json_string_value(value);
	unsigned long long parsed;

	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		*ret = (uint64_t)json_integer_value(value);
		return 0;
	}
	if (!text || !is_decimal(text))
		return -EINVAL;
	errno = 0;
	parsed = strtoull(text, NULL, 10);
	if (errno)
		return -EINVAL;
	*ret = parsed;
	return 0;
}

int jsonval_get_i64(const json_t *value, int64_t *ret)
{
	const char *text = json_string_value(value);
	long long parsed;

	if (json_is_integer(value)) {
		*ret = json_integer_value(value);
		return 0;
	}
	if (!text || !is_decimal(text + (*text == '-')))
		return -EINVAL;
	errno = 0;
	parsed = strtoll(text, NULL, 10);
	if (errno)
		return -EINVAL;
	*ret = parsed;
	return 0;
}

static void escape_write(FILE *out, uint32_t cp)
{
	if (cp < 0x10000)
		fprintf(out, "\\u%04x", cp);
	else
		fprintf(out, "\\u%04x\\u%04x", 0xd800 + ((cp - 0x10000) >> 10),
			0xdc00 + ((cp - 0x10000) & 0x3ff));
}

/* A piece of JSON from jansson, which never cuts a character. Controls below 0x20 are layout. */
static int piece_write(const char *text, size_t len, void *ctx)
{
	FILE *out = ctx;
	size_t plain = 0;

	for (size_t at = 0; at < len;) {
		uint32_t cp = 0;
		size_t size = (uint8_t)text[at] < 0x7f ? 1 : utf8_next(text + at, &cp);

		size = size ? size : 1;
		if (cp >= 0x7f && utf8_is_invisible(cp)) {
			fwrite_unlocked(text + plain, 1, at - plain, out);
			escape_write(out, cp);
			plain = at + size;
		}
		at += size;
	}
	fwrite_unlocked(text + plain, 1, len - plain, out);
	return ferror_unlocked(out) ? -1 : 0;
}

int jsonval_dumpf(const json_t *value, FILE *out, size_t flags)
{
	if (json_dump_callback(value, piece_write, out, flags) == 0)
		return 0;
	return ferror(out) ? -EIO : -ENOMEM;
}

char *jsonval_dumps(const json_t *value, size_t flags)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int err;

	if (!out)
		return NULL;
	err = jsonval_dumpf(value, out, flags);
	if (fclose(out) == 0 && !err)
		return text;
	free(text);
	return NULL;
}

json_t *jsonval_load(const char *text, size_t len, size_t flags, json_error_t *error)
{
	json_t *value = json_loadb(text, len, flags, error);
	const char *nul = memchr(text, '\0', len);

	if (!value || !nul)
		return value;
	json_decref(value);
	if (error) {
		error->column = (int)(nul - text) + 1;
		snprintf(error->text, sizeof(error->text), "NUL byte");
	}
	return NULL;
}

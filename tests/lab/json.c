/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "json.h"

#include <stdbool.h>
#include <string.h>

/* Length of the UTF-8 sequence at s; 0: it is none. */
static size_t utf8_len(const unsigned char *s)
{
	size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void put(struct buf *out, const char *text, bool escape)
{
	const unsigned char *s = (const unsigned char *)text;

	buf_str(out, "\"");
	while (*s) {
		size_t n = *s < 0x80 ? 1 : utf8_len(s);

		if (*s == '"' || *s == '\\')
			buf_fmt(out, "\\%c", *s);
		else if (*s < 0x20)
			buf_fmt(out, "\\u%04x", *s);
		else if (!n && escape)
			buf_fmt(out, "\\udc%02x", *s);
		else
			buf_add(out, s, n ? n : 1);
		s += n ? n : 1;
	}
	buf_str(out, "\"");
}

void json_str(struct buf *out, const char *s)
{
	put(out, s, false);
}

void json_str_escaped(struct buf *out, const char *s)
{
	put(out, s, true);
}

void json_key(struct buf *out, const char *key, const char *value)
{
	buf_fmt(out, ",\"%s\":", key);
	json_str(out, value);
}

void json_comma(struct buf *out)
{
	if (out->len && !strchr("[{,:", out->data[out->len - 1]))
		buf_str(out, ",");
}

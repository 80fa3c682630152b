/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/sh_quote.h"

#include <ctype.h>
#include <string.h>

static bool is_plain(const char *word)
{
	for (const char *c = word; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_-./@:", *c))
			return false;
	return *word;
}

bool sh_quote(const char *word, char *buf, size_t size)
{
	const char *quote = is_plain(word) ? "" : "'";
	size_t used = 0;

	for (const char *c = quote; *c && used < size; c++)
		buf[used++] = *c;
	for (const char *c = word; *c; c++) {
		const char *piece = *c == '\'' ? "'\\''" : (const char[]){ *c, '\0' };

		if (iscntrl((unsigned char)*c) || used + strlen(piece) >= size)
			return false;
		memcpy(buf + used, piece, strlen(piece));
		used += strlen(piece);
	}
	if (used + strlen(quote) >= size)
		return false;
	memcpy(buf + used, quote, strlen(quote) + 1);
	return true;
}

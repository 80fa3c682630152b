// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Any bytes keep their meaning in JSON, and their place on a terminal.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonval.h"
#include "show/term_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void json_check(const char *text)
{
	json_t *value = jsonval_text(text);
	char *back;

	if (!value)
		abort();
	back = malloc(json_string_length(value) + 1);
	if (jsonval_bytes(json_string_value(value), back) != strlen(text) ||
	    strcmp(back, text) != 0)
		abort();
	free(back);
	json_decref(value);
}

static void cell_check(const char *text)
{
	for (int width = 1; width < 12; width++) {
		char *buf = NULL;
		size_t len;
		FILE *file = open_memstream(&buf, &len);

		term_text_put(file, text, width, width % 2);
		fclose(file);
		if (term_text_width(buf) != width || memchr(buf, '\x1b', len))
			abort();
		free(buf);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);

	json_check(text);
	cell_check(text);
	free(text);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/textbuf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

int textbuf_begin(struct textbuf *out)
{
	*out = (struct textbuf){ 0 };
	out->text = open_memstream(&out->buf, &out->len);
	return out->text ? 0 : -ENOMEM;
}

char *textbuf_end(struct textbuf *out)
{
	bool failed = ferror(out->text);

	if (fclose(out->text) == 0 && !failed)
		return out->buf;
	free(out->buf);
	return NULL;
}

int textbuf_end_to(struct textbuf *out, FILE *file)
{
	char *text = textbuf_end(out);
	int err = text ? textbuf_write(file, text, out->len) : -ENOMEM;

	free(text);
	return err;
}

int textbuf_write(FILE *file, const char *text, size_t len)
{
	if (ferror(file))
		return -EIO; /* what went wrong before was told before */
	errno = 0;
	if (fwrite(text, 1, len, file) == len && fflush(file) == 0)
		return 0;
	return errno ? -errno : -EIO;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which documents can be read: "execwatch.NAME/VERSION" in their member "schema". */
#ifndef EW_RECORD_SCHEMA_H
#define EW_RECORD_SCHEMA_H

#include <jansson.h>

struct error;

/* The last line of a whole recording: {"type":"recording-end","facts":N}; the header announces it.
 */
#define RECORD_FOOTER	   "recording-end"
#define RECORD_FOOTER_FLAG "footer"
#define RECORD_SCHEMA	   "execwatch.recording/1"

/*
 * Returns 0 where document's schema is one of names (n of them, all of version 1). -EINVAL: it is
 * not such a document, and cure says what to give instead; -EPROTONOSUPPORT: another version of
 * one of them. what names the file.
 */
int schema_check(const json_t *document, const char *const *names, size_t n, const char *what,
		 const char *cure, struct error *error);

#endif

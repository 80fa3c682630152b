/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Facts as bytes, from a process to the one that forked it: both run the same program, so that the
 * layout needs no version. The tables of base/factjson.h drive it: what comes back is what a line
 * of JSON would bring back, and a text without a value is "". A fact costs a tenth of its JSON.
 */
#ifndef EW_BASE_FACTWIRE_H
#define EW_BASE_FACTWIRE_H

#include <stddef.h>

#include "facts.h"

struct factwire_writer {
	char *bytes; /* of the fact that was written last */
	size_t len, cap;
};

/* Writes fact into writer->bytes. Returns 0, -ENOMEM, or -EINVAL: there is no such type. */
int factwire_write(struct factwire_writer *writer, const struct fact *fact);
void factwire_writer_clear(struct factwire_writer *writer);

/* Owns the lists of the fact that was read last. All zero: ready. */
struct factwire_reader {
	const char **texts;
	size_t n, cap;
};

/*
 * Reads the len bytes of one fact. *fact points into bytes, and is valid until the next read.
 * Returns 0; -EBADMSG: these are not the bytes of one fact; -ENOMEM.
 */
int factwire_read(struct factwire_reader *reader, const char *bytes, size_t len, struct fact *fact);
void factwire_reader_clear(struct factwire_reader *reader);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_JSON_H
#define LAB_JSON_H

#include "buf.h"

/*
 * A quoted JSON string. Bytes that are not UTF-8 go out as they are, as Mesos does.
 */
void json_str(struct buf *out, const char *s);

/*
 * The same, but bytes that are not UTF-8 become lone surrogates \udc80 to \udcff: valid
 * JSON, and Python's os.fsencode() gives the bytes back.
 */
void json_str_escaped(struct buf *out, const char *s);

void json_comma(struct buf *out); /* unless it would be the first element */
void json_key(struct buf *out, const char *key, const char *value); /* one more member, a string */

#endif

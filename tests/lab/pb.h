/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_PB_H
#define LAB_PB_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

/* Protocol buffers, as much as the lab needs. Fields are written in the order given. */
void pb_varint(struct buf *b, unsigned int field, uint64_t value);
void pb_double(struct buf *b, unsigned int field, double value);
void pb_bytes(struct buf *b, unsigned int field, const void *data, size_t len);
void pb_str(struct buf *b, unsigned int field, const char *s);
void pb_sub(struct buf *b, unsigned int field, struct buf *sub);  /* and frees sub */
void pb_id(struct buf *b, unsigned int field, const char *value); /* a message { 1: string } */

/* One field of an encoded message. */
struct pb_field {
	unsigned int number;
	uint64_t value;	  /* varint, fixed64, fixed32 */
	const char *data; /* length-delimited; NULL for the others */
	size_t len;
};

/* Takes the next field off (*data, *len); false at the end or where it makes no sense. */
bool pb_next(const char **data, size_t *len, struct pb_field *field);

/* The string of the message { 1: string } in field `number` of a message, malloc'd; or NULL. */
char *pb_get_id(const char *data, size_t len, unsigned int number);

/* The length-delimited field `number`; false if there is none. */
bool pb_get(const char *data, size_t len, unsigned int number, struct pb_field *field);

#endif

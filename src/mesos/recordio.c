/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/recordio.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 20 /* of UINT64_MAX */

enum state { IN_DIGITS, IN_DATA, TOLD, BROKEN };

struct mesos_recordio {
	enum state state;
	uint64_t len;
	uint64_t left;
	size_t n_digits;
	size_t kept;
	size_t max;
	char digits[DIGITS_MAX];
	char data[];
};

static void reset(struct mesos_recordio *r)
{
	r->state = IN_DIGITS;
	r->n_digits = 0;
	r->kept = 0;
}

struct mesos_recordio *mesos_recordio_new(size_t max)
{
	struct mesos_recordio *r = malloc(sizeof(*r) + max);

	if (!r)
		return NULL;
	reset(r);
	r->max = max;
	return r;
}

void mesos_recordio_free(struct mesos_recordio *recordio)
{
	free(recordio);
}

static void digit_take(struct mesos_recordio *r, char c)
{
	struct mesos_span digits = mesos_span_at(r->digits, r->n_digits);

	if (c != '\n') {
		if (r->n_digits == DIGITS_MAX || c < '0' || c > '9')
			r->state = BROKEN;
		else
			r->digits[r->n_digits++] = c;
		return;
	}
	if (!mesos_span_number(&digits, UINT64_MAX, &r->len)) {
		r->state = BROKEN;
		return;
	}
	r->left = r->len;
	r->state = IN_DATA;
}

static size_t data_take(struct mesos_recordio *r, const char *bytes, size_t len)
{
	size_t n = r->left < len ? (size_t)r->left : len;
	size_t keep = n < r->max - r->kept ? n : r->max - r->kept;

	memcpy(r->data + r->kept, bytes, keep);
	r->kept += keep;
	r->left -= n;
	return n;
}

size_t mesos_recordio_feed(struct mesos_recordio *recordio, const void *bytes, size_t len,
			   struct mesos_record *record)
{
	const char *at = bytes;
	size_t used = 0;

	memset(record, 0, sizeof(*record));
	if (recordio->state == TOLD)
		reset(recordio);
	while (used < len && recordio->state == IN_DIGITS)
		digit_take(recordio, at[used++]);
	if (recordio->state == BROKEN) {
		record->kind = MESOS_RECORD_BROKEN;
		return len;
	}
	if (recordio->state == IN_DATA && used < len)
		used += data_take(recordio, at + used, len - used);
	if (recordio->state == IN_DATA && recordio->left == 0) {
		record->kind = MESOS_RECORD_DATA;
		record->data = mesos_span_at(recordio->data, recordio->kept);
		record->len = recordio->len;
		recordio->state = TOLD;
	}
	return used;
}

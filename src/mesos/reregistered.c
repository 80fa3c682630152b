/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/reregistered.h"

#include <stdbool.h>
#include <string.h>

struct out {
	char *at;
	size_t len, size;
	bool full;
};

static void put(struct out *out, const void *bytes, size_t len)
{
	if (out->full || len > out->size - out->len) {
		out->full = true;
		return;
	}
	memcpy(out->at + out->len, bytes, len);
	out->len += len;
}

static void put_text(struct out *out, const char *text)
{
	put(out, text, strlen(text));
}

static void put_varint(struct out *out, uint64_t value)
{
	do {
		unsigned char byte = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));

		put(out, &byte, 1);
		value >>= 7;
	} while (value);
}

static void put_bytes(struct out *out, unsigned number, const void *bytes, size_t len)
{
	put_varint(out, number << 3 | 2);
	put_varint(out, len);
	put(out, bytes, len);
}

static void put_hex(struct out *out, size_t value)
{
	char digits[2 * sizeof(value)];
	size_t n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value & 15];
		value >>= 4;
	} while (value);
	while (n)
		put(out, &digits[--n], 1);
}

#define INFO_MAX 512

/*
 * SlaveInfo { 1: hostname, 6: SlaveID { 1: value }, 7: checkpoint, 8: port } (mesos.proto), in the
 * order in which protobuf writes them. Its resources are left out.
 */
static size_t info_pack(const struct mesos_reregistered *message, const struct out *id, char *buf)
{
	struct out out = { .at = buf, .size = INFO_MAX };

	put_bytes(&out, 1, message->hostname, strlen(message->hostname));
	put_bytes(&out, 6, id->at, id->len);
	put_varint(&out, 7 << 3);
	put_varint(&out, true);
	put_varint(&out, 8 << 3);
	put_varint(&out, message->port);
	return out.full ? 0 : out.len;
}

static size_t body_pack(const struct mesos_reregistered *message, char *buf, size_t size)
{
	char id_bytes[INFO_MAX], info[INFO_MAX];
	struct out id = { .at = id_bytes, .size = sizeof(id_bytes) };
	struct out out = { .at = buf, .size = size };
	size_t len;

	put_bytes(&id, 1, message->slave_id, strlen(message->slave_id));
	len = id.full ? 0 : info_pack(message, &id, info);
	put_bytes(&out, 1, id.at, id.len);
	put_bytes(&out, 2, info, len);
	return out.full || !len ? 0 : out.len;
}

/* What would end a line of the head, or the path in it. */
static bool is_plain(const char *text, const char *forbidden)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr(forbidden, *c))
			return false;
	return *text;
}

size_t mesos_reregistered(const struct mesos_reregistered *message, char *buf)
{
	struct out out = { .at = buf, .size = MESOS_REREGISTERED_MAX };
	char body[2 * INFO_MAX + 16];
	size_t len;

	if (!is_plain(message->agent, "") || !is_plain(message->id, "/?#") ||
	    !is_plain(message->slave_id, "") || !is_plain(message->hostname, "") || !message->port)
		return 0;
	len = body_pack(message, body, sizeof(body));
	put_text(&out, "POST /");
	put_text(&out, message->id);
	put_text(&out, "/mesos.internal.ExecutorReregisteredMessage HTTP/1.1\r\n"
		       "Libprocess-From: ");
	put_text(&out, message->agent);
	put_text(&out,
		 "\r\nConnection: Keep-Alive\r\nHost: \r\nTransfer-Encoding: chunked\r\n\r\n");
	put_hex(&out, len);
	put_text(&out, "\r\n");
	put(&out, body, len);
	put_text(&out, "\r\n0\r\n\r\n");
	return out.full || !len ? 0 : out.len;
}

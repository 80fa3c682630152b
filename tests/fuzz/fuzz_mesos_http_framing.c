/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A stream in one piece and in segments of 1 to 9 bytes: the same must come out. */
#include "mesos_fuzz.h"

#include "mesos/http_framing.h"

#define BODY_MAX 64

/* What came out, independent of cuts. FNV-1a: order and content matter. */
struct sum {
	uint64_t hash;
	uint64_t garbage;
	uint64_t messages;
	uint64_t heads;
};

static void hash_add(struct sum *sum, struct mesos_span bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		sum->hash = (sum->hash ^ (uint8_t)bytes.p[i]) * 0x100000001b3ULL;
	sum->hash = (sum->hash ^ bytes.len) * 0x100000001b3ULL;
}

static void frame_add(struct sum *sum, const struct http_frame *frame)
{
	sum->garbage += frame->garbage;
	if (frame->kind == HTTP_FRAME_HEAD) {
		must(frame->head.len >= 4 && frame->head.len <= HTTP_FRAMING_HEAD_MAX);
		hash_add(sum, frame->head);
		sum->heads++;
	}
	if (frame->kind == HTTP_FRAME_END) {
		must(frame->body.len == (frame->body_len < BODY_MAX ? frame->body_len : BODY_MAX));
		hash_add(sum, frame->head);
		hash_add(sum, frame->body);
		sum->messages++;
	}
}

static void feed(struct http_framing *framing, const uint8_t *data, size_t size, struct sum *sum)
{
	struct http_frame frame;
	size_t used = 0;
	size_t calls = 0;

	do {
		used += http_framing_feed(framing, data + used, size - used, &frame);
		must(used <= size && calls++ < 4 * size + 8);
		if (frame.kind == HTTP_FRAME_BODY)
			must_lie_in(frame.piece, data, size);
		frame_add(sum, &frame);
	} while (frame.kind != HTTP_FRAME_MORE);
	must(used == size);
}

static struct sum run(const uint8_t *data, size_t size, size_t segment)
{
	struct http_framing *framing = http_framing_new(BODY_MAX);
	struct sum sum = { .hash = 0xcbf29ce484222325ULL };
	struct http_frame frame;

	must(framing != NULL);
	for (size_t at = 0; at < size; at += segment)
		feed(framing, data + at, size - at < segment ? size - at : segment, &sum);
	http_framing_finish(framing, &frame);
	frame_add(&sum, &frame);
	must(sum.messages <= sum.heads);
	http_framing_free(framing);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sum whole = run(data, size, size + 1);
	struct sum cut = run(data, size, size ? 1 + data[size - 1] % 9 : 1);

	must(memcmp(&whole, &cut, sizeof(whole)) == 0);
	return 0;
}

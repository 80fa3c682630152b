/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/gadget.h"
#include "act/inject/tracee_maps.h"
#include "act/inject/tracee_mem.h"

#include <errno.h>
#include <string.h>

/* Consecutive chunks overlap so that no pattern is cut in two. */
enum { OVERLAP = sizeof(sigframe_patterns[0].bytes) - 1, LONGEST = 9 /* bytes, of any pattern */ };

static uint64_t *code_field(struct sigframe_code *code, const struct sigframe_pattern *pattern)
{
	return (uint64_t *)((char *)code + pattern->field);
}

/* Where the bytes before it are not in this chunk, it has been looked at in the one before. */
static bool may_be_here(const unsigned char *buf, const unsigned char *at,
			const struct sigframe_pattern *pattern)
{
	size_t len = pattern->not_after_len;

	return (size_t)(at - buf) >= len &&
	       (!len || memcmp(at - len, pattern->not_after, len) != 0);
}

static const unsigned char *find_aligned(const unsigned char *buf, size_t len, uint64_t base,
					 const struct sigframe_pattern *pattern)
{
	const unsigned char *end = buf + len, *at = buf;

	while ((at = memmem(at, (size_t)(end - at), pattern->bytes, pattern->len))) {
		if ((base + (uint64_t)(at - buf)) % pattern->align == 0 &&
		    may_be_here(buf, at, pattern))
			return at;
		at++;
	}
	return NULL;
}

void gadget_scan(const unsigned char *buf, size_t len, uint64_t base, struct sigframe_code *code)
{
	for (size_t i = 0; i < sigframe_n_patterns; i++) {
		const struct sigframe_pattern *pattern = &sigframe_patterns[i];
		uint64_t *field = code_field(code, pattern);
		const unsigned char *at;

		if (*field)
			continue;
		at = find_aligned(buf, len, base, pattern);
		if (!at)
			continue;
		*field = base + (uint64_t)(at - buf);
		if (field == &code->sigreturn)
			code->sigreturn_end = *field + pattern->len;
	}
}

static bool usable(const struct tracee_area *area)
{
	return area->flags & AREA_EXEC && !(area->flags & (AREA_WRITE | AREA_SHARED)) &&
	       area->flags & (AREA_FILE | AREA_VDSO);
}

static int scan_area(const struct tracee_area *area, struct tracee_mem *mem, unsigned char *chunk,
		     struct sigframe_code *code)
{
	uint64_t at = area->start;

	while (area->end - at > OVERLAP) {
		size_t want = area->end - at < GADGET_CHUNK ? area->end - at : GADGET_CHUNK;
		ssize_t n = tracee_mem_read(mem, at, chunk, want);

		if (n < 0)
			return (int)n;
		gadget_scan(chunk, (size_t)n, at, code);
		if (code->syscall_ret && code->sigreturn)
			return 0;
		if ((size_t)n < want || want < GADGET_CHUNK)
			return 0; /* the end, or a file that was truncated under its mapping */
		at += want - OVERLAP;
	}
	return 0;
}

/* The smallest area first, then the most probable ones. */
static int place_of(const struct tracee_area *area)
{
	if (area->flags & AREA_VDSO)
		return 0;
	return area->flags & AREA_LIBC ? 1 : 2;
}

int gadget_find(const struct tracee_maps *maps, struct tracee_mem *mem, unsigned char *chunk,
		struct sigframe_code *ret)
{
	int err = 0;

	memset(ret, 0, sizeof(*ret));
	for (int place = 0; place < 3; place++) {
		for (size_t i = 0; i < maps->n; i++) {
			const struct tracee_area *area = &maps->area[i];
			int area_err;

			if (!usable(area) || place_of(area) != place)
				continue;
			area_err = scan_area(area, mem, chunk, ret);
			if (area_err < 0)
				err = area_err;
			if (ret->syscall_ret && ret->sigreturn)
				return 0;
		}
	}
	if (sigframe_code_complete(ret))
		return 0;
	return err < 0 ? err : -ENOENT;
}

/* The addresses in struct sigframe_code, in the order of gadget_cache.offset. */
static void code_addresses(struct sigframe_code *code, uint64_t *ret_at[4])
{
	ret_at[0] = &code->syscall_ret;
	ret_at[1] = &code->sigreturn;
	ret_at[2] = &code->sigreturn_end;
	ret_at[3] = &code->pop_nr;
}

bool gadget_recall(const struct tracee_maps *maps, struct tracee_mem *mem,
		   const struct gadget_cache *cache, struct sigframe_code *ret)
{
	for (size_t i = 0; cache->inode && i < maps->n; i++) {
		const struct tracee_area *area = &maps->area[i];
		struct sigframe_code code = { 0 };
		uint64_t *at[4];

		if (area->inode != cache->inode || area->device != cache->device || !usable(area))
			continue;
		code_addresses(&code, at);
		for (int j = 0; j < 4; j++)
			if (cache->offset[j])
				*at[j] = area->start + (cache->offset[j] - area->offset);
		if (!gadget_verify(mem, &code))
			continue;
		*ret = code;
		return true;
	}
	return false;
}

void gadget_remember(const struct tracee_maps *maps, const struct sigframe_code *code,
		     struct gadget_cache *cache)
{
	const struct tracee_area *area = tracee_maps_find(maps, code->syscall_ret);
	struct sigframe_code copy = *code;
	uint64_t *at[4];

	if (!area || !area->inode)
		return;
	code_addresses(&copy, at);
	for (int j = 0; j < 4; j++)
		if (*at[j] && (*at[j] < area->start || *at[j] > area->end))
			return;
	cache->device = area->device;
	cache->inode = area->inode;
	for (int j = 0; j < 4; j++)
		cache->offset[j] = *at[j] ? *at[j] - area->start + area->offset : 0;
}

/* Whether a pattern for this field of struct sigframe_code is at addr. */
static bool pattern_at(struct tracee_mem *mem, uint64_t addr, size_t field)
{
	unsigned char bytes[sizeof(sigframe_patterns[0].bytes)];
	ssize_t n = tracee_mem_read(mem, addr, bytes, LONGEST);

	for (size_t i = 0; i < sigframe_n_patterns; i++) {
		const struct sigframe_pattern *pattern = &sigframe_patterns[i];

		if (pattern->field == field && n >= (ssize_t)pattern->len &&
		    memcmp(bytes, pattern->bytes, pattern->len) == 0)
			return true;
	}
	return false;
}

bool gadget_verify(struct tracee_mem *mem, const struct sigframe_code *code)
{
	if (!pattern_at(mem, code->syscall_ret, offsetof(struct sigframe_code, syscall_ret)))
		return false;
	return code->sigreturn
		       ? pattern_at(mem, code->sigreturn, offsetof(struct sigframe_code, sigreturn))
		       : pattern_at(mem, code->pop_nr, offsetof(struct sigframe_code, pop_nr));
}

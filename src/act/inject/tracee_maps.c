/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/tracee_maps.h"
#include "base/lines.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MARGIN = 8192,	    /* left free below a frame, for signal handlers */
	SMALL_STACK = 4096, /* of the 16 KB of a Go scheduler stack */
};

static uint32_t name_flags(const char *name)
{
	if (strcmp(name, "[stack]") == 0)
		return AREA_STACK;
	if (strcmp(name, "[vdso]") == 0)
		return AREA_VDSO;
	if (strstr(name, "/libc.so") || strstr(name, "/libc-") || strstr(name, "/ld-musl") ||
	    strstr(name, "/libc.musl"))
		return AREA_LIBC;
	return 0;
}

/* Parses a number and the one character after it. sscanf() is ten times as slow for a line. */
static bool parse_number(const char **at, int base, char after, uint64_t *ret)
{
	char *end;

	*ret = strtoull(*at, &end, base);
	if (end == *at || *end != after)
		return false;
	*at = end + 1;
	return true;
}

static uint32_t mode_flags(const char mode[4])
{
	return (mode[0] == 'r' ? AREA_READ : 0) | (mode[1] == 'w' ? AREA_WRITE : 0) |
	       (mode[2] == 'x' ? AREA_EXEC : 0) | (mode[3] == 's' ? AREA_SHARED : 0);
}

int tracee_area_parse(const char *line, struct tracee_area *ret)
{
	uint64_t major, minor;
	const char *at = line, *mode;

	if (!parse_number(&at, 16, '-', &ret->start) || !parse_number(&at, 16, ' ', &ret->end))
		return -EPROTO;
	mode = at;
	if (strnlen(mode, 5) < 5 || mode[4] != ' ')
		return -EPROTO;
	at += 5;
	if (!parse_number(&at, 16, ' ', &ret->offset) || !parse_number(&at, 16, ':', &major) ||
	    !parse_number(&at, 16, ' ', &minor))
		return -EPROTO;
	ret->inode = strtoull(at, (char **)&at, 10);
	at += strspn(at, " ");
	ret->device = major << 32 | minor;
	ret->flags = mode_flags(mode) | (ret->inode ? AREA_FILE : 0) | name_flags(at);
	return 0;
}

static int read_areas(int fd, struct tracee_maps *maps)
{
	char buf[16384], *line;
	struct lines lines;
	size_t len;

	lines_init(&lines, fd, buf, sizeof(buf));
	while ((line = lines_next(&lines, &len))) {
		if (maps->n == TRACEE_MAPS_MAX) {
			maps->truncated = true;
			return 0;
		}
		if (lines.cut || tracee_area_parse(line, &maps->area[maps->n]) < 0)
			return -EPROTO;
		maps->n++;
	}
	return lines.err;
}

int tracee_maps_read(pid_t pid, pid_t tid, struct tracee_maps *ret)
{
	char path[PROC_PATH_MAX];
	int fd, err;

	ret->n = 0;
	ret->truncated = false;
	fd = open(proc_path(path, pid, tid, "maps"), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = read_areas(fd, ret);
	close(fd);
	return err;
}

const struct tracee_area *tracee_maps_find(const struct tracee_maps *maps, uint64_t addr)
{
	size_t low = 0, high = maps->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct tracee_area *area = &maps->area[mid];

		if (addr < area->start)
			high = mid;
		else if (addr >= area->end)
			low = mid + 1;
		else
			return area;
	}
	return NULL;
}

static bool guard_below(const struct tracee_maps *maps, const struct tracee_area *area)
{
	const struct tracee_area *below = area - 1;

	return area > maps->area && below->end == area->start &&
	       !(below->flags & (AREA_READ | AREA_WRITE | AREA_EXEC));
}

/*
 * Go maps its heap, with the stacks in it, at 0xc000000000 (runtime/malloc.go; elsewhere only if
 * that is in use). A position-independent program has nothing else that low.
 */
static bool go_heap(uint64_t sp)
{
	return sp >> 32 >= 0xc0 && sp >> 32 <= 0xff;
}

/* The address of musl's TCB is unknown until a robust mutex is used: then the guard decides. */
static bool is_own_stack(const struct tracee_thread *thread, const struct tracee_area *area)
{
	return !thread->tcb || (thread->tcb >= thread->sp && thread->tcb < area->end);
}

int tracee_maps_stack(const struct tracee_maps *maps, const struct tracee_thread *thread,
		      struct tracee_stack *ret)
{
	const struct tracee_area *area = tracee_maps_find(maps, thread->sp - 1);
	bool guarded;

	if (!area || !(area->flags & AREA_WRITE) || area->flags & (AREA_SHARED | AREA_FILE))
		return -ENOTSUP;
	guarded = thread->guard || guard_below(maps, area);
	if (area->flags & AREA_STACK || (guarded && is_own_stack(thread, area))) {
		ret->low = (thread->guard ? thread->guard : area->start) + MARGIN;
		ret->small = false;
		return 0;
	}
	if (go_heap(thread->sp) && thread->idle) {
		uint64_t low = thread->sp - SMALL_STACK;

		ret->low = low > area->start ? low : area->start;
		ret->small = true;
		return 0;
	}
	return -ENOTSUP;
}

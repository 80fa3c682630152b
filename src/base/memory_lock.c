/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/memory_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/lines.h"

struct mapping {
	uintptr_t from, to;
	bool of_file; /* readable, private, of a file: code, constants, variables */
};

/* A line of /proc/self/maps. */
static bool mapping_parse(const char *line, struct mapping *ret)
{
	char mode[5] = "";
	unsigned long from, to;
	int path = 0;

	if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %n", &from, &to, mode, &path) < 3)
		return false;
	*ret = (struct mapping){ .from = from, .to = to };
	ret->of_file = path && line[path] == '/' && mode[0] == 'r' && mode[3] == 'p';
	return true;
}

/* A part that is readable but has no page behind it (the end of a file that was cut) is left out.
 */
static int mapping_lock(const struct mapping *m)
{
	if (mlock((void *)m->from, m->to - m->from) == 0)
		return 0;
	return errno == EAGAIN ? 0 : -errno;
}

int memory_lock_program(size_t max)
{
	char buf[8192], *line;
	struct lines lines;
	struct mapping m;
	size_t len, sum = 0;
	int err = 0, fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	lines_init(&lines, fd, buf, sizeof(buf));
	while (!err && (line = lines_next(&lines, &len))) {
		if (!mapping_parse(line, &m) || !m.of_file)
			continue;
		sum += m.to - m.from;
		err = sum > max ? -EFBIG : mapping_lock(&m);
	}
	if (!err)
		err = lines.err;
	close(fd);
	return err;
}

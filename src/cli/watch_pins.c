/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/watch_pins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "act/lock.h"
#include "base/error.h"
#include "base/safe_dir.h"
#include "observe/bpf/pins.h"

#define NAME_SIZE 32

static void dir_name(uint16_t port, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "bpf-%u", port);
}

static int lock_take(const char *run_dir, uint16_t port, int *lock, struct error *error)
{
	char name[NAME_SIZE];

	snprintf(name, sizeof(name), "watching-%u", port);
	return act_lock_take(run_dir, name, lock, error);
}

struct watch_pins watch_pins_none(void)
{
	return (struct watch_pins){ .lock = -1, .dir = -1 };
}

int watch_pins_open(struct watch_pins *pins, const char *run_dir, uint16_t port,
		    struct error *error)
{
	char name[NAME_SIZE];
	int run, err = lock_take(run_dir, port, &pins->lock, error);

	if (err)
		return err;
	run = safe_dir_open(run_dir, 0755, "--run-dir", error);
	if (run < 0)
		return run;
	dir_name(port, name);
	pins->dir = ew_bpf_pins_open(run, name, error);
	close(run);
	if (pins->dir < 0)
		return pins->dir;
	snprintf(pins->path, sizeof(pins->path), "/proc/self/fd/%d", pins->dir);
	snprintf(pins->name, sizeof(pins->name), "%s/%s", run_dir, name);
	return 0;
}

static void dir_remove(const char *run_dir, uint16_t port)
{
	struct error error;
	char name[NAME_SIZE];
	int run = safe_dir_open(run_dir, 0, "--run-dir", &error);

	if (run < 0)
		return;
	dir_name(port, name);
	(void)unlinkat(run, name, AT_REMOVEDIR);
	close(run);
}

void watch_pins_close(struct watch_pins *pins, const char *run_dir, uint16_t port, bool keep)
{
	if (pins->dir >= 0) {
		close(pins->dir);
		if (!keep)
			dir_remove(run_dir, port);
	}
	if (pins->lock >= 0)
		close(pins->lock);
	*pins = watch_pins_none();
}

int watch_pins_clean(const char *run_dir, uint16_t port, bool *locked, struct error *error)
{
	char name[NAME_SIZE];
	int lock = -1, run = safe_dir_open(run_dir, 0, "--run-dir", error), err;

	*locked = false;
	if (run < 0)
		return run;
	dir_name(port, name);
	if (faccessat(run, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		err = -ENOENT;
	else
		err = lock_take(run_dir, port, &lock, error);
	*locked = lock >= 0;
	if (*locked) {
		err = ew_bpf_pins_clean(run, name, error);
		close(lock);
	}
	close(run);
	return err;
}

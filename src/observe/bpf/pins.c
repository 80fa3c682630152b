/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/pins.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "observe/bpf/libbpf.h"
#include "base/error.h"
#include "observe/bpf/observer.h"
#include "observe/bpf/observer_priv.h"

#define BPF_FS_MAGIC 0xcafe4a11 /* linux/magic.h of 4.4 and later */

int ew_bpf_pins_mount(const char *dir, struct error *error)
{
	struct statfs fs;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return error_set(error, -errno, NULL, "create directory '%s'", dir);
	if (statfs(dir, &fs) < 0)
		return error_set(error, -errno, NULL, "look at directory '%s'", dir);
	if ((unsigned int)fs.f_type == BPF_FS_MAGIC)
		return 0;
	if (mount("bpf", dir, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return error_set(error, -errno, "run as root", "mount a bpf filesystem on '%s'",
				 dir);
	return 0;
}

bool ew_bpf_pins_meta(const char *dir, struct ew_meta *meta)
{
	struct bpf_map_info info = { 0 };
	__u32 len = sizeof(info), zero = 0;
	char path[512];
	bool found = false;
	int fd;

	snprintf(path, sizeof(path), "%s/meta", dir);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return false;
	if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && info.value_size == sizeof(*meta))
		found = bpf_map_lookup_elem(fd, &zero, meta) == 0;
	close(fd);
	return found;
}

/* .rodata and .bss are of one set of programs: they are not shared. */
static bool is_internal(const struct bpf_map *map)
{
	return strchr(bpf_map__name(map), '.') != NULL;
}

int ew_bpf_pins_maps(struct ew_bpf *watch)
{
	struct bpf_map *map;
	char path[512];
	int err = 0;

	bpf_object__for_each_map(map, watch->skel->obj)
	{
		if (is_internal(map))
			continue;
		snprintf(path, sizeof(path), "%s/%s", watch->pins, bpf_map__name(map));
		err = bpf_map__set_pin_path(map, path);
		if (err)
			break;
	}
	return err;
}

/* fd: a link or program of slot i. */
static int pin(const struct ew_bpf *watch, const char *kind, size_t i, int fd)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s-%u-%s", watch->pins, kind, watch->meta.generation,
		 bpf_slots[i].name);
	return bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

int ew_bpf_pins_links(const struct ew_bpf *watch)
{
	int err = 0;

	for (size_t i = 0; !err && i < EW_BPF_HOOKS_MAX; i++) {
		if (!watch->links[i])
			continue;
		err = pin(watch, "prog", i, bpf_program__fd(watch->progs[i]));
		if (!err)
			err = pin(watch, "link", i, bpf_link__fd(watch->links[i]));
	}
	return err;
}

/* Of a link or program; 0: it is something else. */
static unsigned int generation_of(const struct dirent *entry)
{
	unsigned int generation;

	return sscanf(entry->d_name, "%*[a-z]-%u-", &generation) == 1 ? generation : 0;
}

void ew_bpf_pins_unlink(const struct ew_bpf *watch)
{
	DIR *stream = *watch->pins ? opendir(watch->pins) : NULL;
	struct dirent *entry;

	if (!stream)
		return;
	while ((entry = readdir(stream)))
		if (generation_of(entry) == watch->meta.generation)
			unlinkat(dirfd(stream), entry->d_name, 0);
	closedir(stream);
}

static uint64_t skipped_by(const char *dir, unsigned int generation, const char *slot)
{
	uint64_t skipped;
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/prog-%u-%s", dir, generation, slot);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	skipped = ew_bpf_skipped(fd);
	close(fd);
	return skipped;
}

uint64_t ew_bpf_pins_skipped(const char *dir, unsigned int generation)
{
	uint64_t skipped = 0;

	for (size_t i = 0; i < bpf_slots_n; i++)
		if (bpf_slots[i].skip == EW_BPF_SKIP_LOSES)
			skipped += skipped_by(dir, generation, bpf_slots[i].name);
	return skipped;
}

void ew_bpf_pins_drop(const char *dir, unsigned int generation)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;

	if (!stream)
		return;
	while ((entry = readdir(stream))) {
		unsigned int of = generation_of(entry);

		if (entry->d_type == DT_DIR || (generation && (!of || of == generation)))
			continue;
		unlinkat(dirfd(stream), entry->d_name, 0);
	}
	closedir(stream);
}

void ew_bpf_pins_unmount(const char *dir)
{
	struct stat self, parent;
	char above[512];

	ew_bpf_pins_drop(dir, 0);
	snprintf(above, sizeof(above), "%s/..", dir);
	if (stat(dir, &self) < 0 || stat(above, &parent) < 0)
		return;
	if (self.st_dev != parent.st_dev && umount2(dir, MNT_DETACH) < 0)
		return;
	rmdir(dir);
}

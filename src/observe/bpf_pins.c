/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf_pins.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "observe/bpf_lib.h"
#include "fail.h"
#include "observe/bpf.h"
#include "observe/bpf_priv.h"

#define BPF_FS_MAGIC 0xcafe4a11 /* linux/magic.h of 4.4 and later */

int bpf_pins_mount(const char *dir, struct fail *why)
{
	struct statfs fs;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return fail_set(why, -errno, NULL, "create directory '%s'", dir);
	if (statfs(dir, &fs) < 0)
		return fail_set(why, -errno, NULL, "look at directory '%s'", dir);
	if ((unsigned int)fs.f_type == BPF_FS_MAGIC)
		return 0;
	if (mount("bpf", dir, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return fail_set(why, -errno, "run as root", "mount a bpf filesystem on '%s'", dir);
	return 0;
}

bool bpf_pins_meta(const char *dir, struct ew_meta *meta)
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

int bpf_pins_maps(struct bpf_watch *watch)
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

int bpf_pins_links(struct bpf_watch *watch)
{
	char path[512];
	int err = 0;

	for (size_t i = 0; !err && i < BPF_SLOTS_MAX; i++) {
		if (!watch->links[i])
			continue;
		snprintf(path, sizeof(path), "%s/link-%u-%s", watch->pins, watch->meta.generation,
			 bpf_slots[i].name);
		err = bpf_link__pin(watch->links[i], path);
	}
	return err;
}

void bpf_pins_unlink(struct bpf_watch *watch)
{
	for (size_t i = 0; i < BPF_SLOTS_MAX; i++)
		if (watch->links[i] && bpf_link__pin_path(watch->links[i]))
			bpf_link__unpin(watch->links[i]);
}

void bpf_pins_drop(const char *dir, unsigned int generation)
{
	DIR *stream = opendir(dir);
	struct dirent *entry;
	unsigned int of;

	if (!stream)
		return;
	while ((entry = readdir(stream))) {
		bool is_link = sscanf(entry->d_name, "link-%u-", &of) == 1;

		if (entry->d_type == DT_DIR || (generation && (!is_link || of == generation)))
			continue;
		unlinkat(dirfd(stream), entry->d_name, 0);
	}
	closedir(stream);
}

void bpf_pins_unmount(const char *dir)
{
	struct stat self, parent;
	char above[512];

	bpf_pins_drop(dir, 0);
	snprintf(above, sizeof(above), "%s/..", dir);
	if (stat(dir, &self) < 0 || stat(above, &parent) < 0)
		return;
	if (self.st_dev != parent.st_dev && umount2(dir, MNT_DETACH) < 0)
		return;
	rmdir(dir);
}

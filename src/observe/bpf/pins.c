/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "events.h"
#include "observe/bpf/counters.h"
#include "observe/bpf/libbpf.h"
#include "observe/bpf/prog_variants.h"

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

static bool is_bpf(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (unsigned int)fs.f_type == BPF_FS_MAGIC;
}

static int dir_open(int above, const char *name)
{
	int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int owner_check(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return st.st_uid == 0 || st.st_uid == geteuid() ? 0 : -EPERM;
}

/* Mounts on the directory that fd is, wherever its path leads meanwhile. */
static int mount_on(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (mount("bpf", path, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return -errno;
	return 0;
}

int ew_bpf_pins_open(int dir, const char *name, struct error *error)
{
	int fd, err;

	if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return error_set(error, -errno, NULL, "create directory '%s'", name);
	fd = err = dir_open(dir, name);
	if (fd >= 0)
		err = owner_check(fd);
	if (!err && !is_bpf(fd)) {
		err = mount_on(fd);
		close(fd);
		fd = err ? -1 : dir_open(dir, name); /* what is mounted there now */
		if (!err && (fd < 0 || !is_bpf(fd)))
			err = fd < 0 ? fd : -EBUSY;
	}
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return error_set(error, err, "run as root", "mount a bpf filesystem on '%s'", name);
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

/* .rodata and .bss belong to one set of programs: they are not shared. */
static bool is_internal(const struct bpf_map *map)
{
	return strchr(bpf_map__name(map), '.') != NULL;
}

int ew_bpf_pins_maps(const char *dir, struct bpf_object *object)
{
	struct bpf_map *map;
	char path[512];
	int err = 0;

	bpf_object__for_each_map(map, object)
	{
		if (is_internal(map))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, bpf_map__name(map));
		err = bpf_map__set_pin_path(map, path);
		if (err)
			break;
	}
	return err;
}

static void pin_path(const char *dir, const char *kind, unsigned int generation, size_t hook,
		     char path[512])
{
	snprintf(path, 512, "%s/%s-%u-%s", dir, kind, generation, ew_bpf_hooks[hook].name);
}

int ew_bpf_pins_hook(const char *dir, unsigned int generation, size_t hook,
		     const struct bpf_program *prog, const struct bpf_link *link)
{
	char path[512];

	pin_path(dir, "prog", generation, hook, path);
	if (bpf_obj_pin(bpf_program__fd(prog), path) < 0)
		return -errno;
	pin_path(dir, "link", generation, hook, path);
	return bpf_obj_pin(bpf_link__fd(link), path) < 0 ? -errno : 0;
}

/* Of a link or program; 0: the entry is neither. */
static unsigned int generation_of(const struct dirent *entry)
{
	unsigned int generation;

	return sscanf(entry->d_name, "%*[a-z]-%u-", &generation) == 1 ? generation : 0;
}

static bool is_of(const struct dirent *entry, unsigned int generation)
{
	return generation_of(entry) == generation;
}

static bool is_of_another(const struct dirent *entry, unsigned int generation)
{
	return generation_of(entry) && generation_of(entry) != generation;
}

static bool is_any(const struct dirent *entry, unsigned int generation)
{
	(void)generation;
	return entry->d_type != DT_DIR;
}

/* Takes fd over. Files of any other filesystem are not ours to remove. */
static void remove_in(int fd, unsigned int generation,
		      bool (*matches)(const struct dirent *entry, unsigned int generation))
{
	DIR *stream = fd >= 0 && is_bpf(fd) ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!stream) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(stream)))
		if (matches(entry, generation))
			unlinkat(dirfd(stream), entry->d_name, 0);
	closedir(stream);
}

static void remove_if(const char *dir, unsigned int generation,
		      bool (*matches)(const struct dirent *entry, unsigned int generation))
{
	remove_in(open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), generation, matches);
}

void ew_bpf_pins_remove(const char *dir, unsigned int generation)
{
	remove_if(dir, generation, is_of);
}

void ew_bpf_pins_remove_others(const char *dir, unsigned int generation)
{
	remove_if(dir, generation, is_of_another);
}

void ew_bpf_pins_remove_all(const char *dir)
{
	remove_if(dir, 0, is_any);
}

static uint64_t hook_misses(const char *dir, unsigned int generation, size_t hook)
{
	uint64_t misses;
	char path[512];
	int fd;

	pin_path(dir, "prog", generation, hook, path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	misses = ew_bpf_misses(fd);
	close(fd);
	return misses;
}

uint64_t ew_bpf_pins_misses(const char *dir, unsigned int generation)
{
	uint64_t misses = 0;

	for (size_t i = 0; i < ew_bpf_hooks_n; i++)
		if (ew_bpf_hooks[i].miss == EW_BPF_MISS_LOSES)
			misses += hook_misses(dir, generation, i);
	return misses;
}

void ew_bpf_pins_unmount(const char *dir)
{
	struct stat self, parent;
	char above[512];

	ew_bpf_pins_remove_all(dir);
	snprintf(above, sizeof(above), "%s/..", dir);
	if (stat(dir, &self) < 0 || stat(above, &parent) < 0)
		return;
	if (self.st_dev != parent.st_dev && umount2(dir, MNT_DETACH) < 0)
		return;
	rmdir(dir);
}

/* Fails where nothing is mounted: then the directory is in a bpf filesystem, or empty. */
static void unmount_in(int dir, const char *name)
{
	char path[320];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, name);
	(void)umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
}

int ew_bpf_pins_clean(int dir, const char *name, struct error *error)
{
	int fd = dir_open(dir, name), err;
	bool bpf = fd >= 0 && is_bpf(fd);

	if (fd < 0)
		return error_set(error, fd, "remove it by hand", "open '%s'", name);
	err = owner_check(fd);
	if (err || !bpf)
		close(fd);
	else
		remove_in(fd, 0, is_any);
	if (bpf && !err)
		unmount_in(dir, name);
	if (!err && unlinkat(dir, name, AT_REMOVEDIR) < 0)
		err = errno == ENOTEMPTY ? -EPERM : -errno;
	if (!err)
		return 0;
	return error_set(error, err,
			 bpf ? "run as root, and see what holds it" : "remove it by hand",
			 bpf ? "remove '%s'"
			     : "remove '%s': it is no bpf filesystem, and what is in it is not "
			       "execwatch's",
			 name);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/armed_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/safe_dir.h"

#define MAGIC "EWARMED1"
#define CURE  "free space there, or give another directory with --run-dir"

struct armed_file {
	int dir;
	char name[32];
	bool published;
	struct stat stat;
	void *at;
	size_t size;
};

static void name_write(char *to, size_t size, uint16_t port)
{
	snprintf(to, size, "guard-%u.armed", port);
}

static size_t size_of(size_t n)
{
	return sizeof(struct armed_head) + n * sizeof(struct armed_record);
}

/* Takes dir and fd over. */
static int file_map(int dir, int fd, struct armed_file **ret)
{
	struct armed_file *file = calloc(1, sizeof(*file));
	int err = file ? 0 : -ENOMEM;

	if (file)
		file->dir = dir;
	if (!err && fstat(fd, &file->stat) < 0)
		err = -errno;
	if (!err) {
		file->size = (size_t)file->stat.st_size;
		file->at = mmap(NULL, file->size ? file->size : 1, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_POPULATE, fd, 0);
		err = file->at == MAP_FAILED ? -errno : 0;
	}
	close(fd);
	if (err) {
		close(dir);
		free(file);
		return err;
	}
	(void)mlock(file->at, file->size);
	*ret = file;
	return 0;
}

static int head_write(int fd, const struct armed_head *head, const struct armed_record *records,
		      size_t n)
{
	struct armed_head full = *head;
	int err;

	memcpy(full.magic, MAGIC, sizeof(full.magic));
	full.record_size = sizeof(*records);
	full.n = (uint32_t)n;
	err = fd_write_all(fd, (const char *)&full, sizeof(full));
	return err ? err : fd_write_all(fd, (const char *)records, n * sizeof(*records));
}

static void fresh_name(char *to, size_t size, const char *name)
{
	snprintf(to, size, "%s.new", name);
}

static int file_make(int dir, const char *name, const struct armed_head *head,
		     const struct armed_record *records, size_t n)
{
	char fresh[48];
	int fd, err;

	fresh_name(fresh, sizeof(fresh), name);
	(void)unlinkat(dir, fresh, 0);
	fd = safe_file_open(dir, fresh, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return fd;
	err = head_write(fd, head, records, n);
	if (!err)
		return fd;
	(void)unlinkat(dir, fresh, 0);
	close(fd);
	return err;
}

int armed_file_new(const char *dir, const struct armed_head *head,
		   const struct armed_record *records, size_t n, struct armed_file **ret,
		   struct error *error)
{
	char name[sizeof((*ret)->name)];
	int above = safe_dir_open(dir, 0755, "--run-dir", error), fd, err;

	if (above < 0)
		return above;
	name_write(name, sizeof(name), (uint16_t)head->port);
	fd = err = file_make(above, name, head, records, n);
	if (fd < 0)
		close(above);
	else
		err = file_map(above, fd, ret);
	if (err < 0)
		return error_set(error, err, CURE, "write '%s/%s'", dir, name);
	memcpy((*ret)->name, name, sizeof(name));
	return 0;
}

int armed_file_publish(struct armed_file *file)
{
	char fresh[48];

	fresh_name(fresh, sizeof(fresh), file->name);
	if (renameat(file->dir, fresh, file->dir, file->name) < 0)
		return -errno;
	file->published = true;
	return 0;
}

void armed_file_free(struct armed_file *file)
{
	char fresh[48];

	if (!file)
		return;
	fresh_name(fresh, sizeof(fresh), file->name);
	if (!file->published)
		(void)unlinkat(file->dir, fresh, 0);
	munmap(file->at, file->size ? file->size : 1);
	close(file->dir);
	free(file);
}

void armed_file_remove(struct armed_file *file)
{
	struct stat now;

	if (file && file->published &&
	    fstatat(file->dir, file->name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	    now.st_ino == file->stat.st_ino && now.st_dev == file->stat.st_dev)
		(void)unlinkat(file->dir, file->name, 0);
	armed_file_free(file);
}

/* ---- what is left of another execwatch ---- */

static bool is_whole(const struct armed_file *file)
{
	const struct armed_head *head = file->at;

	return file->size >= sizeof(*head) &&
	       memcmp(head->magic, MAGIC, sizeof(head->magic)) == 0 &&
	       head->record_size == sizeof(struct armed_record) && file->size == size_of(head->n) &&
	       memchr(head->boot_id, '\0', sizeof(head->boot_id));
}

static void texts_end(struct armed_file *file)
{
	struct armed_record *records = armed_file_records(file);

	for (uint32_t i = 0; i < armed_file_head(file)->n; i++) {
		records[i].executor_id[sizeof(records[i].executor_id) - 1] = '\0';
		records[i].framework_id[sizeof(records[i].framework_id) - 1] = '\0';
	}
}

int armed_file_open(const char *dir, uint16_t port, struct armed_file **ret, struct error *error)
{
	char name[sizeof((*ret)->name)];
	int above = safe_dir_open(dir, 0, "--run-dir", error), fd, err;

	if (above < 0)
		return above;
	name_write(name, sizeof(name), port);
	fd = err = safe_file_open(above, name, O_RDWR, 0);
	if (fd < 0)
		close(above);
	else
		err = file_map(above, fd, ret);
	if (err < 0)
		return error_set(error, err, NULL, "read '%s/%s'", dir, name);
	memcpy((*ret)->name, name, sizeof(name));
	(*ret)->published = true;
	if (is_whole(*ret)) {
		texts_end(*ret);
		return 0;
	}
	armed_file_free(*ret);
	return error_set(error, -EBADMSG, "remove it", "read '%s/%s'", dir, name);
}

struct armed_head *armed_file_head(struct armed_file *file)
{
	return file->at;
}

struct armed_record *armed_file_records(struct armed_file *file)
{
	return (struct armed_record *)((char *)file->at + sizeof(struct armed_head));
}

void armed_file_list(const char *dir, void (*each)(void *ctx, uint16_t port), void *ctx)
{
	struct error error;
	int above = safe_dir_open(dir, 0, "--run-dir", &error);
	DIR *stream = above < 0 ? NULL : fdopendir(above);
	struct dirent *entry;

	if (above >= 0 && !stream)
		close(above);
	while (stream && (entry = readdir(stream))) {
		char name[32];
		unsigned int port;

		if (sscanf(entry->d_name, "guard-%5u.armed", &port) != 1 || port > UINT16_MAX)
			continue;
		name_write(name, sizeof(name), (uint16_t)port);
		if (strcmp(name, entry->d_name) == 0)
			each(ctx, (uint16_t)port);
	}
	if (stream)
		closedir(stream);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/baseline.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "base/jsonval.h"
#include "record/baseline_document.h"

#define PREFIX	     "baseline-"
#define BOOT_ID_LEN  36
#define TMP_KEPT_S   86400
#define START_DIGITS 20

int baseline_name(const struct baseline_key *key, char *buf, size_t size)
{
	int len = snprintf(buf, size, PREFIX "%s-%u-%020" PRIu64 "-%d.json", key->boot_id,
			   key->port, key->agent_start, key->agent_pid);

	return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

/* ---- names ---- */

struct name {
	char boot_id[BOOT_ID_LEN + 1];
	uint64_t port, start, pid;
	bool single; /* of an earlier version: without start and pid */
	bool tmp;    /* left by an interrupted baseline_save() */
};

/* Reads a decimal number; NULL: there is none of at most max. */
static const char *number_parse(const char *text, uint64_t max, uint64_t *ret)
{
	char *end;

	if (*text < '0' || *text > '9')
		return NULL;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno || *ret > max ? NULL : end;
}

static const char *agent_parse(const char *text, struct name *name)
{
	const char *end = number_parse(text, UINT64_MAX, &name->start);

	if (!end || end != text + START_DIGITS || *end != '-')
		return NULL;
	return number_parse(end + 1, INT32_MAX, &name->pid);
}

/* ".NAME.PID" of safe_file_replace(), or of an earlier version "NAME.XXXXXX" of mkstemp(3). */
static bool is_tmp(const char *ending, bool hidden)
{
	if (*ending != '.')
		return false;
	return hidden ? ending[1 + strspn(ending + 1, "0123456789")] == '\0' : strlen(ending) == 7;
}

/* False: not the name of a baseline. */
static bool name_parse(const char *text, struct name *name)
{
	bool hidden = *text == '.';

	*name = (struct name){ 0 };
	text += hidden;
	if (strncmp(text, PREFIX, strlen(PREFIX)) != 0)
		return false;
	text += strlen(PREFIX);
	if (strspn(text, "0123456789abcdef-") < BOOT_ID_LEN || text[BOOT_ID_LEN] != '-')
		return false;
	memcpy(name->boot_id, text, BOOT_ID_LEN);
	text = number_parse(text + BOOT_ID_LEN + 1, UINT16_MAX, &name->port);
	name->single = text && *text == '.';
	if (text && *text == '-')
		text = agent_parse(text + 1, name);
	if (!text || strncmp(text, ".json", 5) != 0)
		return false;
	text += 5;
	name->tmp = is_tmp(text, hidden);
	return name->tmp || (!*text && !hidden);
}

/* ---- the list ---- */

/* The single file of an earlier version does not name its agent; its document does. */
static bool agent_read(const struct baseline_dir *dir, const char *text, struct name *name)
{
	json_t *document = NULL, *agent;
	bool read = baseline_document_load(dir, text, &document, NULL) == 0;

	agent = json_object_get(document, "agent");
	if (jsonval_get_u64(json_object_get(agent, "pid"), &name->pid) < 0 ||
	    jsonval_get_u64(json_object_get(agent, "start_time"), &name->start) < 0)
		name->pid = name->start = 0;
	json_decref(document);
	return read && name->pid <= INT32_MAX;
}

static int file_add(struct baseline_files *files, const struct baseline_dir *dir, const char *text,
		    struct name *name)
{
	char *copy;

	if (name->single && !agent_read(dir, text, name))
		return 0;
	if (array_reserve(&files->v, &files->cap, files->n, sizeof(*files->v)) < 0)
		return -ENOMEM;
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	files->v[files->n++] = (struct baseline_file){
		.name = copy,
		.port = (uint16_t)name->port,
		.agent_start = name->start,
		.agent_pid = (int32_t)name->pid,
	};
	return 0;
}

/* The newest agent process first; of the same process the single file of an earlier version last.
 */
static int newest_first(const void *a, const void *b)
{
	const struct baseline_file *x = a, *y = b;

	if (x->agent_start != y->agent_start)
		return x->agent_start < y->agent_start ? 1 : -1;
	if (x->agent_pid != y->agent_pid)
		return x->agent_pid < y->agent_pid ? 1 : -1;
	return strlen(x->name) < strlen(y->name) ? 1 : -1;
}

/* The entries of dir, whose descriptor stays open. */
static DIR *entries_open(const struct baseline_dir *dir)
{
	int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);

	if (!entries && fd >= 0)
		close(fd);
	return entries;
}

int baseline_files_list(const struct baseline_dir *dir, const char *boot_id, uint32_t port,
			struct baseline_files *files, struct error *error)
{
	DIR *entries = entries_open(dir);
	struct dirent *entry;
	struct name name;
	int err = entries ? 0 : -errno;

	*files = (struct baseline_files){ 0 };
	while (!err && (entry = readdir(entries))) {
		if (name_parse(entry->d_name, &name) && !name.tmp && (!port || name.port == port) &&
		    strcmp(name.boot_id, boot_id) == 0)
			err = file_add(files, dir, entry->d_name, &name);
	}
	if (entries)
		closedir(entries);
	if (err)
		return error_set(error, err, "run as root, or give --state-dir",
				 "list the baselines in '%s'", dir->path);
	if (files->n)
		qsort(files->v, files->n, sizeof(*files->v), newest_first);
	return 0;
}

void baseline_files_free(struct baseline_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->v[i].name);
	free(files->v);
	*files = (struct baseline_files){ 0 };
}

/* ---- pruning ---- */

static bool is_outdated(int dir, const char *text, const struct name *name, const char *boot_id,
			int64_t now)
{
	bool other = strcmp(name->boot_id, boot_id) != 0;
	struct stat st;

	if ((!name->tmp && !other) || fstatat(dir, text, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return false;
	return now - st.st_mtime > (name->tmp ? TMP_KEPT_S : BASELINE_OTHER_BOOT_S);
}

static void outdated_remove(const struct baseline_dir *dir, const char *boot_id, int64_t now)
{
	DIR *entries = entries_open(dir);
	struct dirent *entry;
	struct name name;

	while (entries && (entry = readdir(entries)))
		if (name_parse(entry->d_name, &name) &&
		    is_outdated(dir->fd, entry->d_name, &name, boot_id, now))
			unlinkat(dir->fd, entry->d_name, 0);
	if (entries)
		closedir(entries);
}

void baseline_files_prune(const struct baseline_dir *dir, const char *boot_id, uint32_t port,
			  int64_t now)
{
	struct baseline_files files;

	if (baseline_files_list(dir, boot_id, port, &files, NULL) == 0)
		for (size_t i = BASELINE_KEPT; i < files.n; i++)
			unlinkat(dir->fd, files.v[i].name, 0);
	baseline_files_free(&files);
	outdated_remove(dir, boot_id, now);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/protected.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/dirents.h"
#include "base/error.h"
#include "base/jsonval.h"
#include "base/proc.h"
#include "base/safe_dir.h"

#define NAME "protected.json"

struct protected
{
	char *dir;
	char *boot_id;
	struct protected_link *v;
	size_t n, cap;
};

void protected_free(struct protected *links)
{
	if (!links)
		return;
	free(links->dir);
	free(links->boot_id);
	free(links->v);
	free(links);
}

static struct protected_link *find(const struct protected *links, uint64_t cookie)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->v[i].cookie == cookie)
			return &links->v[i];
	return NULL;
}

const struct protected_link *protected_find(const struct protected *links, uint64_t cookie)
{
	return find(links, cookie);
}

int protected_add(struct protected *links, const struct protected_link *link)
{
	if (find(links, link->cookie))
		return 0;
	if (array_reserve(&links->v, &links->cap, links->n, sizeof(*links->v)) < 0)
		return -ENOMEM;
	links->v[links->n++] = *link;
	return 0;
}

void protected_remove(struct protected *links, uint64_t cookie)
{
	struct protected_link *link = find(links, cookie);

	if (link)
		*link = links->v[--links->n];
}

/* ---- reading ---- */

static bool number_read(const json_t *json, const char *name, uint32_t *ret)
{
	const json_t *value = json_object_get(json, name);
	json_int_t number = json_integer_value(value);

	*ret = (uint32_t)number;
	return json_is_integer(value) && number >= 0 && number <= INT32_MAX;
}

/* Numbers of 64 bits are strings. */
static bool wide_read(const json_t *json, const char *name, uint64_t *ret)
{
	const char *text = json_string_value(json_object_get(json, name));
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return !errno && !*end;
}

/* Of a file that an earlier version wrote it may be missing. */
static bool inode_read(const json_t *json, struct protected_link *link)
{
	return !json_object_get(json, "inode") || wide_read(json, "inode", &link->inode);
}

static bool link_read(const json_t *json, struct protected_link *link)
{
	const json_t *on = json_object_get(json, "on");
	uint32_t pid;

	*link = (struct protected_link){ .before.on = json_is_true(on) };
	if (!json_is_boolean(on) || !number_read(json, "pid", &pid) ||
	    !wide_read(json, "cookie", &link->cookie) || !wide_read(json, "start", &link->start) ||
	    !inode_read(json, link) || !number_read(json, "idle_s", &link->before.idle) ||
	    !number_read(json, "interval_s", &link->before.interval) ||
	    !number_read(json, "count", &link->before.count))
		return false;
	link->pid = (int32_t)pid;
	return true;
}

/* Only a list of descriptors that was read to its end shows that the socket is not among them. */
static bool socket_is_gone(const struct protected_link *link, pid_t thread)
{
	char path[PROC_PATH_MAX], name[16];
	uint64_t inode = 0;
	struct dirents list;
	int fd = 0, err = dirents_open(&list, AT_FDCWD, proc_path(path, link->pid, thread, "fd"));

	if (err < 0)
		return false;
	while (!err && inode != link->inode && (fd = dirents_next(&list)) >= 0) {
		snprintf(name, sizeof(name), "%d", fd);
		err = proc_fd_socket(list.fd, name, &inode);
	}
	dirents_close(&list);
	return !err && inode != link->inode && fd == -ENOENT;
}

static bool is_over(const struct protected_link *link)
{
	pid_t thread = proc_live_thread(link->pid, link->start);

	return thread == 0 || (thread > 0 && link->inode && socket_is_gone(link, thread) &&
			       proc_live_thread(link->pid, link->start) == thread);
}

static int document_read(const json_t *document, struct protected *links)
{
	const json_t *array = json_object_get(document, "links"), *each;
	const char *boot_id = json_string_value(json_object_get(document, "boot_id"));
	size_t i;

	if (!boot_id || !json_is_array(array))
		return -EBADMSG;
	if (strcmp(boot_id, links->boot_id) != 0)
		return 0;
	json_array_foreach(array, i, each)
	{
		struct protected_link link;

		if (!link_read(each, &link))
			return -EBADMSG;
		if (!is_over(&link) && protected_add(links, &link) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int file_read(int dir, struct protected *links)
{
	int fd = safe_file_open(dir, NAME, O_RDONLY, 0), err;
	json_t *document;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	document = json_loadfd(fd, 0, NULL);
	err = document ? document_read(document, links) : -EBADMSG;
	json_decref(document);
	close(fd);
	return err;
}

int protected_load(const char *dir, const char *boot_id, struct protected **ret,
		   struct error *error)
{
	struct protected *links = calloc(1, sizeof(*links));
	int fd = -1, err = -ENOMEM;

	if (links) {
		links->dir = strdup(dir);
		links->boot_id = strdup(boot_id);
	}
	if (!links || !links->dir || !links->boot_id) {
		error_set(error, err, NULL, "read '%s/" NAME "'", dir);
		goto out;
	}
	fd = err = safe_dir_open(dir, 0, "--state-dir", error);
	if (fd < 0 && fd != -ENOENT)
		goto out;
	err = fd < 0 ? 0 : file_read(fd, links);
	if (fd >= 0)
		close(fd);
	if (!err) {
		*ret = links;
		return 0;
	}
	error_set(error, err,
		  "move it away; which keepalive the links had before is then not known any more",
		  "read '%s/" NAME "'", dir);
out:
	protected_free(links);
	return err;
}

/* ---- writing ---- */

static json_t *link_pack(const struct protected_link *link)
{
	char cookie[24], start[24], inode[24];

	snprintf(cookie, sizeof(cookie), "%llu", (unsigned long long)link->cookie);
	snprintf(start, sizeof(start), "%llu", (unsigned long long)link->start);
	snprintf(inode, sizeof(inode), "%llu", (unsigned long long)link->inode);
	return json_pack("{s:s, s:i, s:s, s:s, s:b, s:i, s:i, s:i}", "cookie", cookie, "pid",
			 link->pid, "start", start, "inode", inode, "on", link->before.on, "idle_s",
			 (int)link->before.idle, "interval_s", (int)link->before.interval, "count",
			 (int)link->before.count);
}

static char *document_text(const struct protected *links)
{
	json_t *array = json_array(), *document;
	bool whole = array != NULL;
	char *text;

	for (size_t i = 0; i < links->n; i++)
		whole &= json_array_append_new(array, link_pack(&links->v[i])) == 0;
	document = json_pack("{s:s, s:o}", "boot_id", links->boot_id, "links", array);
	text = document && whole ? jsonval_dumps(document, JSON_INDENT(1)) : NULL;
	json_decref(document);
	return text;
}

int protected_save(const struct protected *links, struct error *error)
{
	char *text = document_text(links);
	int dir, err = text ? 0 : -ENOMEM;

	if (err)
		return error_set(error, err, NULL, "write '%s/" NAME "'", links->dir);
	dir = safe_dir_open(links->dir, 0700, "--state-dir", error);
	err = dir < 0 ? dir : safe_file_replace(dir, NAME, text, strlen(text));
	if (dir >= 0 && err)
		error_set(error, err, "free disk space, or give another directory with --state-dir",
			  "write '%s/" NAME "'", links->dir);
	if (dir >= 0)
		close(dir);
	free(text);
	return err;
}

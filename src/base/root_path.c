/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/root_path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MAX 40 /* as the kernel: MAXSYMLINKS of include/linux/namei.h */

/* What has been resolved, in buf, and what is still to be. */
struct resolving {
	char *buf;
	size_t size, root_len, len;
	char rest[PATH_MAX];
	int links;
};

static void to_parent(struct resolving *r)
{
	while (r->len > r->root_len && r->buf[--r->len] != '/')
		;
	r->buf[r->len] = '\0';
}

/* The link stands for the last component of buf. */
static int link_follow(struct resolving *r, const char *link, const char *behind)
{
	char rest[PATH_MAX];

	if (++r->links > LINKS_MAX)
		return -ELOOP;
	if (snprintf(rest, sizeof(rest), "%s/%s", link, behind) >= (int)sizeof(rest))
		return -ENAMETOOLONG;
	if (*link == '/')
		r->len = r->root_len;
	r->buf[r->len] = '\0';
	memcpy(r->rest, rest, sizeof(rest));
	return 0;
}

static int component_add(struct resolving *r, const char *name, const char *behind)
{
	size_t before = r->len, name_len = strlen(name);
	char link[PATH_MAX];
	ssize_t n;

	if (r->len + 1 + name_len >= r->size)
		return -ENAMETOOLONG;
	r->buf[r->len] = '/';
	memcpy(r->buf + r->len + 1, name, name_len + 1);
	n = readlink(r->buf, link, sizeof(link) - 1);
	if (n < 0 && errno != EINVAL) /* EINVAL: it is no link */
		return -errno;
	if (n >= 0) {
		link[n] = '\0';
		r->len = before;
		return link_follow(r, link, behind);
	}
	r->len += 1 + name_len;
	memmove(r->rest, behind, strlen(behind) + 1);
	return 0;
}

int root_path_resolve(const char *root, const char *path, char *buf, size_t size)
{
	struct resolving r = { .buf = buf, .size = size, .root_len = strlen(root) };
	char name[NAME_MAX + 1];
	int err = 0;

	r.len = r.root_len;
	if (r.len >= size || strlen(path) >= sizeof(r.rest))
		return -ENAMETOOLONG;
	memcpy(buf, root, r.len + 1);
	memcpy(r.rest, path, strlen(path) + 1);
	while (!err) {
		const char *begin = r.rest + strspn(r.rest, "/");
		size_t n = strcspn(begin, "/");

		if (!n)
			return 0;
		if (n >= sizeof(name))
			return -ENAMETOOLONG;
		memcpy(name, begin, n);
		name[n] = '\0';
		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			err = component_add(&r, name, begin + n);
			continue;
		}
		if (name[1])
			to_parent(&r);
		memmove(r.rest, begin + n, strlen(begin + n) + 1);
	}
	return err;
}

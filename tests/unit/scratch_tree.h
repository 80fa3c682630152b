/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A directory for files of a test, removed with all that is in it. */
#ifndef EW_TEST_SCRATCH_TREE_H
#define EW_TEST_SCRATCH_TREE_H

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct scratch_tree {
	char root[64];
};

static inline void scratch_tree_make(struct scratch_tree *tree)
{
	strcpy(tree->root, "/tmp/execwatch-tree.XXXXXX");
	if (!mkdtemp(tree->root))
		abort();
}

/* path begins with "/"; its directories are made. */
static inline void scratch_tree_put(const struct scratch_tree *tree, const char *path,
				    const char *text)
{
	char full[PATH_MAX];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", tree->root, path);
	for (char *slash = full + strlen(tree->root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	file = fopen(full, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
}

static inline int scratch_tree_remove_one(const char *path, const struct stat *st, int type,
					  struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void scratch_tree_remove(const struct scratch_tree *tree)
{
	nftw(tree->root, scratch_tree_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif

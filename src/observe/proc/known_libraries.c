/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/proc/known_libraries.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/proc.h"

uint64_t known_program(const struct proc_stat *stat, const char *exe, const char *cmdline)
{
	uint64_t hash;

	if (!stat->start_stack) /* it is told to those who may trace the process */
		return 0;
	hash = hash_bytes(HASH_BEGIN, &stat->start, sizeof(stat->start));
	hash = hash_bytes(hash, &stat->start_stack, sizeof(stat->start_stack));
	return hash_text(hash_text(hash, exe), cmdline);
}

void known_libraries_begin(struct known_libraries *known)
{
	struct known_library_list empty = known->last;

	known->last = known->now;
	known->last.at = 0;
	empty.n = 0;
	known->now = empty;
}

void known_libraries_free(struct known_libraries *known)
{
	free(known->last.v);
	free(known->now.v);
	*known = (struct known_libraries){ 0 };
}

static void keep(struct known_libraries *known, const struct known_library *item)
{
	struct known_library_list *now = &known->now;

	if (array_reserve(&now->v, &now->cap, now->n, sizeof(*now->v)) == 0)
		now->v[now->n++] = *item;
}

bool known_library_find(struct known_libraries *known, int32_t pid, uint64_t program, int64_t now,
			struct procfs_library *library)
{
	struct known_library_list *last = &known->last;
	const struct known_library *item;

	while (last->at < last->n && last->v[last->at].pid < pid)
		last->at++;
	if (last->at == last->n)
		return false;
	item = &last->v[last->at];
	if (item->pid != pid || !program || item->program != program ||
	    now - item->read_at >= KNOWN_LIBRARY_NS)
		return false;
	*library = known->table[item->library];
	keep(known, item);
	return true;
}

static bool is_same(const struct procfs_library *a, const struct procfs_library *b)
{
	return strcmp(a->path, b->path) == 0 && strcmp(a->version, b->version) == 0 &&
	       strcmp(a->from, b->from) == 0 && strcmp(a->build_id, b->build_id) == 0 &&
	       a->deleted == b->deleted;
}

void known_library_add(struct known_libraries *known, int32_t pid, uint64_t program, int64_t now,
		       const struct procfs_library *library)
{
	struct known_library item = { .pid = pid, .program = program, .read_at = now };
	size_t i = 0;

	if (!program || !library->path[0])
		return;
	while (i < known->n_table && !is_same(&known->table[i], library))
		i++;
	if (i == sizeof(known->table) / sizeof(*known->table))
		return;
	if (i == known->n_table)
		known->table[known->n_table++] = *library;
	item.library = (uint8_t)i;
	keep(known, &item);
}

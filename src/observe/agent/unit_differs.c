/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How a unit as systemd has loaded it differs from its files. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/text_list.h"
#include "facts.h"
#include "observe/agent/unit_load.h"
#include "observe/agent/unit_parts.h"
#include "systemd/show_output.h"

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* ---- files that systemd has not loaded ---- */

/* By another path too: /lib is /usr/lib, and a link in /etc leads to a package's directory. */
static bool same_file(const char *a, const char *b)
{
	struct stat st_a, st_b;

	if (strcmp(a, b) == 0)
		return true;
	return stat(a, &st_a) == 0 && stat(b, &st_b) == 0 && st_a.st_dev == st_b.st_dev &&
	       st_a.st_ino == st_b.st_ino;
}

static bool is_among(const struct text_list *texts, const char *path)
{
	for (size_t i = 0; i < texts->n; i++)
		if (same_file(texts->v[i], path))
			return true;
	return false;
}

static void loaded_paths(struct arena *arena, const char *answer, struct text_list *paths)
{
	const char *fragment = show_output_value(arena, answer, "FragmentPath");
	const char *rest = show_output_value(arena, answer, "DropInPaths");

	if (fragment)
		text_list_add(arena, paths, fragment);
	while (rest && *rest) {
		size_t len = strcspn(rest, " ");

		if (len)
			text_list_add(arena, paths, arena_span(arena, rest, len));
		rest += len + (rest[len] == ' ');
	}
}

/*
 * NeedDaemonReload says no of a drop-in whose directory is new: systemd looks for drop-ins in the
 * directories that it knew when it loaded the unit (basic/unit-file.c, unit_path_cache; 252).
 */
static bool has_other_files(struct arena *arena, const char *answer,
			    const struct loaded_unit *files)
{
	struct text_list loaded = { 0 };

	loaded_paths(arena, answer, &loaded);
	for (size_t i = 0; i < files->n; i++)
		if (!is_among(&loaded, files->paths[i]))
			return true;
	for (size_t i = 0; i < loaded.n; i++)
		if (access(loaded.v[i], F_OK) < 0 && errno == ENOENT)
			return true;
	return false;
}

/* ---- how the two differ ---- */

static void differ(struct arena *arena, struct text_list *differs, const char *name,
		   const char *loaded, const char *files)
{
	if (strcmp(or_empty(loaded), or_empty(files)) != 0)
		text_list_add(arena, differs,
			      arena_printf(arena, "%s: %s is loaded, the files say %s", name,
					   or_empty(loaded), or_empty(files)));
}

/* Quotes and blanks are not kept by systemctl. */
static bool same_command(const char *a, const char *b)
{
	static const char skipped[] = " \t\"'@+!:|\\";

	for (;; a++, b++) {
		a += strspn(a, skipped);
		b += strspn(b, skipped);
		if (*a != *b || !*a)
			return *a == *b;
	}
}

static bool has_step(const char *const *steps, size_t n, const char *step)
{
	for (size_t i = 0; i < n; i++)
		if (same_command(steps[i], step))
			return true;
	return false;
}

static void steps_differ(struct arena *arena, const struct fact_service *service,
			 struct text_list *differs)
{
	for (size_t i = 0; i < service->n_steps; i++)
		if (!has_step(service->file_steps, service->n_file_steps, service->steps[i]))
			text_list_add(arena, differs,
				      arena_printf(arena, "%s is loaded, and not in the files",
						   service->steps[i]));
	for (size_t i = 0; i < service->n_file_steps; i++)
		if (!has_step(service->steps, service->n_steps, service->file_steps[i]))
			text_list_add(arena, differs,
				      arena_printf(arena, "%s is in the files, and not loaded",
						   service->file_steps[i]));
}

void unit_differs_fill(struct arena *arena, const char *answer, const struct loaded_unit *files,
		       struct fact_service *service)
{
	struct text_list differs = { 0 };

	if (has_other_files(arena, answer, files))
		service->need_reload = EW_YES;
	if (service->need_reload != EW_YES)
		return;
	differ(arena, &differs, "KillMode", service->kill_mode, service->file_kill_mode);
	steps_differ(arena, service, &differs);
	service->differs = differs.v;
	service->n_differs = differs.n;
}

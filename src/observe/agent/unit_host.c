/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/unit_host.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/arena.h"
#include "observe/agent/unit_load.h"
#include "systemd/environment.h"
#include "systemd/specifiers.h"

enum { ID_LEN = 32 };

/* The 32 digits of a file that holds an id, with or without dashes; NULL: it is none. */
static const char *id_of(struct arena *arena, const char *path)
{
	const char *text;
	char id[ID_LEN + 1];
	size_t len, n = 0;

	if (unit_file_read(arena, path, &text, &len) < 0)
		return NULL;
	for (size_t i = 0; i < len && text[i] && text[i] != '\n'; i++) {
		if (text[i] == '-')
			continue;
		if (n == ID_LEN)
			return NULL;
		id[n++] = text[i];
	}
	return n == ID_LEN ? arena_span(arena, id, n) : NULL;
}

/* A file of /proc has no size. */
static const char *boot_id_of(struct arena *arena)
{
	char id[ID_LEN + 1];
	int i = 0, got;
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	while (file && i < ID_LEN && (got = fgetc(file)) != EOF && got != '\n')
		if (got != '-')
			id[i++] = (char)got;
	if (file)
		fclose(file);
	return i == ID_LEN ? arena_span(arena, id, ID_LEN) : NULL;
}

/* As systemd's basic/architecture.c names it. */
static const char *architecture_of(const char *machine)
{
	static const char *const names[][2] = { { "x86_64", "x86-64" },
						{ "aarch64", "arm64" },
						{ "i686", "x86" },
						{ "ppc64le", "ppc64-le" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(machine, names[i][0]) == 0)
			return names[i][1];
	return machine;
}

static const char *release_value(const struct environment *release, const char *name)
{
	const struct env_var *var = environment_find(release, name);

	return var ? var->value : "";
}

/* os-release(5): the first file that is there. */
static void release_fill(struct arena *arena, const char *root, struct specifiers *specifiers)
{
	struct environment release = { .arena = arena };
	const char *text;
	size_t len;

	if (unit_file_read(arena, arena_printf(arena, "%s/etc/os-release", root), &text, &len) <
		    0 &&
	    unit_file_read(arena, arena_printf(arena, "%s/usr/lib/os-release", root), &text, &len) <
		    0)
		return;
	environment_add_file(&release, text, len, ENVIRONMENT_SYSTEMD, "os-release");
	specifiers->os_id = release_value(&release, "ID");
	specifiers->os_version = release_value(&release, "VERSION_ID");
	specifiers->os_build = release_value(&release, "BUILD_ID");
	specifiers->os_variant = release_value(&release, "VARIANT_ID");
	specifiers->image_id = release_value(&release, "IMAGE_ID");
	specifiers->image_version = release_value(&release, "IMAGE_VERSION");
}

void unit_host_fill(struct arena *arena, const char *root, const char *unit,
		    struct specifiers *specifiers)
{
	struct utsname names;

	*specifiers = (struct specifiers){ .unit = unit };
	if (uname(&names) == 0) {
		specifiers->hostname = arena_text(arena, names.nodename);
		specifiers->kernel = arena_text(arena, names.release);
		specifiers->architecture = arena_text(arena, architecture_of(names.machine));
	}
	specifiers->machine_id = id_of(arena, arena_printf(arena, "%s/etc/machine-id", root));
	specifiers->boot_id = boot_id_of(arena);
	release_fill(arena, root, specifiers);
}

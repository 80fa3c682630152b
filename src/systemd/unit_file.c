/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "systemd/unit_file.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"

#define WHITESPACE " \t\n\r"

struct assignment {
	const char *section;
	const char *key;
	const char *value;
	const char *path;
	struct assignment *next;
};

struct unit_settings {
	struct arena *arena;
	struct assignment *first, **last;
};

struct unit_settings *unit_settings_new(struct arena *arena)
{
	struct unit_settings *settings = arena_array(arena, 1, sizeof(*settings));

	if (!settings)
		return NULL;
	settings->arena = arena;
	settings->last = &settings->first;
	return settings;
}

/* ---- one logical line ---- */

/* Cuts blanks off both ends, in place. */
static char *strip(char *text)
{
	char *end;

	text += strspn(text, WHITESPACE);
	end = text + strlen(text);
	while (end > text && strchr(WHITESPACE, end[-1]))
		end--;
	*end = '\0';
	return text;
}

/* Does the line end in a backslash that is not itself escaped? */
static bool goes_on(const char *line, size_t len)
{
	size_t slashes = 0;

	while (slashes < len && line[len - 1 - slashes] == '\\')
		slashes++;
	return slashes % 2;
}

static void assignment_add(struct unit_settings *settings, const char *section, char *line,
			   const char *path)
{
	char *value = strchr(line, '=');
	struct assignment *a;

	if (!value || !section)
		return;
	*value++ = '\0';
	a = arena_array(settings->arena, 1, sizeof(*a));
	if (!a)
		return;
	a->section = section;
	a->key = arena_text(settings->arena, strip(line));
	a->value = arena_text(settings->arena, strip(value));
	a->path = path;
	*settings->last = a;
	settings->last = &a->next;
}

/* A section's line sets *section. */
static void line_add(struct unit_settings *settings, const char **section, char *line,
		     const char *path)
{
	size_t len;

	line = strip(line);
	len = strlen(line);
	if (line[0] != '[')
		assignment_add(settings, *section, line, path);
	else if (len > 2 && line[len - 1] == ']')
		*section = arena_span(settings->arena, line + 1, len - 2);
	else
		*section = NULL;
}

/* ---- a file ---- */

struct reader {
	const char *text;
	size_t len;
	size_t at;
};

/* The next physical line, without its newline; false at the end. */
static bool physical_next(struct reader *reader, const char **line, size_t *len)
{
	const char *end;

	if (reader->at >= reader->len)
		return false;
	*line = reader->text + reader->at;
	end = memchr(*line, '\n', reader->len - reader->at);
	*len = end ? (size_t)(end - *line) : reader->len - reader->at;
	reader->at += *len + 1;
	return true;
}

static bool is_comment(const char *line, size_t len)
{
	size_t blank = 0;

	while (blank < len && strchr(WHITESPACE, line[blank]))
		blank++;
	return blank < len && (line[blank] == '#' || line[blank] == ';');
}

/* Joins what goes on; buf holds the whole text, so that every line fits. False at the end. */
static bool logical_next(struct reader *reader, char *buf)
{
	const char *line;
	size_t len, used = 0;
	bool any = false, more = true;

	while (more && physical_next(reader, &line, &len)) {
		any = true;
		if (is_comment(line, len))
			continue; /* also between two lines that belong together */
		if (len && line[len - 1] == '\r')
			len--;
		more = goes_on(line, len);
		memcpy(buf + used, line, len);
		used += len;
		if (more)
			buf[used - 1] = ' ';
	}
	buf[used] = '\0';
	return any;
}

void unit_settings_add(struct unit_settings *settings, const char *text, size_t len,
		       const char *path)
{
	struct reader reader = { .text = text, .len = strnlen(text, len) };
	const char *section = NULL;
	char *buf = arena_array(settings->arena, reader.len + 1, 1);

	path = arena_text(settings->arena, path);
	if (reader.len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		reader.at = 3;
	while (buf && logical_next(&reader, buf))
		line_add(settings, &section, buf, path);
}

/* ---- what counts ---- */

static bool is_of(const struct assignment *a, const char *section, const char *key)
{
	return strcmp(a->section, section) == 0 && strcmp(a->key, key) == 0;
}

const char *unit_setting(const struct unit_settings *settings, const char *section, const char *key)
{
	const char *value = NULL;

	for (const struct assignment *a = settings->first; a; a = a->next)
		if (is_of(a, section, key))
			value = *a->value ? a->value : NULL;
	return value;
}

const struct unit_line *unit_setting_list(const struct unit_settings *settings, const char *section,
					  const char *key, size_t *n)
{
	struct unit_line *lines;
	size_t total = 0;

	for (const struct assignment *a = settings->first; a; a = a->next)
		total += is_of(a, section, key);
	lines = arena_array(settings->arena, total + 1, sizeof(*lines));
	*n = 0;
	for (const struct assignment *a = settings->first; lines && a; a = a->next) {
		if (!is_of(a, section, key))
			continue;
		if (*a->value)
			lines[(*n)++] = (struct unit_line){ a->value, a->path };
		else
			*n = 0;
	}
	return lines;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "systemd/environment.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "systemd/specifiers.h"
#include "systemd/words.h"

#define BLANK " \t\r"

static struct env_var **slot_of(struct environment *env, const char *name)
{
	struct env_var **slot = &env->first;

	while (*slot && strcmp((*slot)->name, name) != 0)
		slot = &(*slot)->next;
	return slot;
}

void environment_set(struct environment *env, const char *name, const char *value,
		     const char *source, bool computed)
{
	struct env_var **slot = slot_of(env, name);

	if (!*slot)
		*slot = arena_array(env->arena, 1, sizeof(**slot));
	if (!*slot)
		return;
	(*slot)->name = arena_text(env->arena, name);
	(*slot)->value = arena_text(env->arena, value);
	(*slot)->source = arena_text(env->arena, source);
	(*slot)->computed = computed;
}

void environment_unset(struct environment *env, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	const char *name =
		equals ? arena_span(env->arena, assignment, (size_t)(equals - assignment))
		       : assignment;
	struct env_var **slot = slot_of(env, name);

	if (*slot && (!equals || strcmp((*slot)->value, equals + 1) == 0))
		*slot = (*slot)->next;
}

const struct env_var *environment_find(const struct environment *env, const char *name)
{
	for (const struct env_var *var = env->first; var; var = var->next)
		if (strcmp(var->name, name) == 0)
			return var;
	return NULL;
}

/* As env_name_is_valid() of systemd's basic/env-util.c. */
static bool is_name(const char *name)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";

	return *name && strchr(first, *name) &&
	       name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
				 "0123456789")] == '\0';
}

int environment_add_words(struct environment *env, const char *line,
			  const struct specifiers *specifiers, const char *source)
{
	char *word = arena_array(env->arena, strlen(line) + 1, 1);
	int got = 0;

	while (word && (got = systemd_word_next(&line, word)) > 0) {
		bool unknown = false;
		const char *text = specifiers_expand(env->arena, specifiers, word, &unknown);
		const char *equals = strchr(text, '='), *name;

		if (!equals)
			continue;
		name = arena_span(env->arena, text, (size_t)(equals - text));
		if (is_name(name))
			environment_set(env, name, equals + 1, source, unknown);
	}
	return got;
}

/* ---- files ---- */

struct file {
	const char *at, *end;
	enum environment_syntax syntax;
	char *buf; /* has room for all of the text */
	size_t used;
	size_t keep; /* so much of it was quoted: blanks up to there belong to the value */
	bool computed;
};

static void line_skip(struct file *file)
{
	while (file->at < file->end && *file->at != '\n')
		file->at++;
	file->at += file->at < file->end;
}

static void blanks_skip(struct file *file)
{
	while (file->at < file->end && strchr(BLANK "\n", *file->at))
		file->at++;
}

/* The name in front of "="; false: the line is no assignment. */
static bool name_take(struct file *file, char *name, size_t size)
{
	const char *begin = file->at, *end;

	if (file->syntax == ENVIRONMENT_SHELL && file->end - begin > 7 &&
	    memcmp(begin, "export ", 7) == 0)
		begin += 7;
	for (end = begin; end < file->end && *end != '=' && *end != '\n'; end++)
		continue;
	if (end == file->end || *end != '=' || (size_t)(end - begin) >= size)
		return false;
	file->at = end + 1;
	while (end > begin && strchr(BLANK, end[-1]))
		end--;
	memcpy(name, begin, (size_t)(end - begin));
	name[end - begin] = '\0';
	return is_name(name);
}

static void byte_add(struct file *file, char byte, bool quoted)
{
	file->buf[file->used++] = byte;
	if (quoted)
		file->keep = file->used;
}

/* A backslash, at *at; quote: inside of which quotes, NUL for none. */
static void escape_take(struct file *file, char quote)
{
	char next;

	file->at++;
	if (file->at == file->end)
		return;
	next = *file->at++;
	if (next == '\n')
		return;
	if (quote == '"' && !strchr("\"\\`$", next))
		byte_add(file, '\\', true);
	byte_add(file, next, true);
}

/* From behind the opening quote to behind the closing one. */
static void quoted_take(struct file *file, char quote)
{
	file->at++;
	while (file->at < file->end && *file->at != quote) {
		if (*file->at == '\\' && (quote == '"' || file->syntax == ENVIRONMENT_SYSTEMD)) {
			escape_take(file, quote);
			continue;
		}
		file->computed |= quote == '"' && (*file->at == '$' || *file->at == '`');
		byte_add(file, *file->at++, true);
	}
	file->at += file->at < file->end;
	file->keep = file->used;
}

/* A shell's word ends at a blank or ";"; of a file for systemd the whole line counts. */
static bool value_ends(const struct file *file)
{
	return *file->at == '\n' ||
	       (file->syntax == ENVIRONMENT_SHELL && strchr(" \t;", *file->at));
}

static void value_take(struct file *file)
{
	file->used = file->keep = 0;
	file->computed = false;
	while (file->at < file->end && strchr(BLANK, *file->at) && !value_ends(file))
		file->at++;
	while (file->at < file->end && !value_ends(file)) {
		if (file->syntax == ENVIRONMENT_PLAIN)
			byte_add(file, *file->at++, true);
		else if (*file->at == '\\')
			escape_take(file, '\0');
		else if (*file->at == '"' || *file->at == '\'')
			quoted_take(file, *file->at);
		else {
			file->computed |= *file->at == '$' || *file->at == '`';
			byte_add(file, *file->at++, false);
		}
	}
	while (file->used > file->keep && strchr(BLANK, file->buf[file->used - 1]))
		file->used--;
	file->buf[file->used] = '\0';
}

void environment_add_file(struct environment *env, const char *text, size_t len,
			  enum environment_syntax syntax, const char *source)
{
	struct file file = { .at = text, .end = text + strnlen(text, len), .syntax = syntax };
	char name[128];

	file.buf = arena_array(env->arena, len + 1, 1);
	while (file.buf && (blanks_skip(&file), file.at < file.end)) {
		bool comment = *file.at == '#' || *file.at == ';';

		if (!comment && name_take(&file, name, sizeof(name))) {
			value_take(&file);
			environment_set(env, name, file.buf, source,
					syntax == ENVIRONMENT_SHELL && file.computed);
		}
		line_skip(&file);
	}
}

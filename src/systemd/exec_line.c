/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "systemd/exec_line.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "systemd/environment.h"
#include "systemd/specifiers.h"
#include "systemd/words.h"

/* The kernel runs no program with a longer argument (linux/binfmts.h, MAX_ARG_STRLEN). */
enum { ARGUMENT_MAX = 128 * 1024 };

/* A word under construction. */
struct text {
	char *buf; /* ARGUMENT_MAX bytes */
	size_t used;
	bool cut;
};

static void text_add(struct text *text, const char *bytes, size_t len)
{
	if (len >= ARGUMENT_MAX - text->used) {
		text->cut = true;
		return;
	}
	memcpy(text->buf + text->used, bytes, len);
	text->used += len;
}

/* ---- parse ---- */

/* Takes the prefixes off; "@": the first argument is the program's name for itself. */
static const char *prefixes_take(const char *value, struct exec_line *line, bool *renamed)
{
	for (; *value && strchr("@-:+!|", *value); value++) {
		line->ignores_failure |= *value == '-';
		line->literal |= *value == ':';
		*renamed |= *value == '@';
	}
	return value;
}

int exec_line_parse(struct arena *arena, const char *value, const struct specifiers *specifiers,
		    struct exec_line *line)
{
	bool renamed = false, first = true;
	const char **argv;
	char *word;
	int got;

	*line = (struct exec_line){ 0 };
	value = prefixes_take(value, line, &renamed);
	word = arena_array(arena, strlen(value) + 1, 1);
	argv = arena_array(arena, strlen(value) / 2 + 2, sizeof(*argv));
	if (!word || !argv)
		return -ENOMEM;
	while ((got = systemd_word_next(&value, word)) > 0) {
		const char *text = specifiers_expand(arena, specifiers, word, &line->unknown);

		line->unknown |= strlen(text) >= ARGUMENT_MAX;
		if (first)
			line->program = text;
		else if (renamed)
			renamed = false;
		else
			argv[line->n++] = text;
		first = false;
	}
	line->argv = argv;
	return got < 0 || !line->program || !*line->program ? -EINVAL : 0;
}

/* ---- variables ---- */

static size_t name_len(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) || text[len] == '_')
		len++;
	return len;
}

static const char *value_of(struct arena *arena, const struct environment *env, const char *name,
			    size_t len, bool *unknown)
{
	const struct env_var *var = environment_find(env, arena_span(arena, name, len));

	*unknown |= var && var->computed;
	return var ? var->value : "";
}

/* ${NAME} and $$ anywhere in a word. */
static const char *braces_expand(struct arena *arena, const struct environment *env,
				 struct text *text, const char *word, bool *unknown)
{
	const char *dollar, *value;

	text->used = 0;
	while ((dollar = strchr(word, '$'))) {
		size_t len = dollar[1] == '{' ? name_len(dollar + 2) : 0;

		text_add(text, word, (size_t)(dollar - word));
		if (len && dollar[2 + len] == '}') {
			value = value_of(arena, env, dollar + 2, len, unknown);
			text_add(text, value, strlen(value));
			word = dollar + len + 3;
		} else {
			text_add(text, "$", 1);
			word = dollar + 1 + (dollar[1] == '$');
		}
	}
	text_add(text, word, strlen(word));
	return arena_span(arena, text->buf, text->used);
}

/* The name of a word that is $NAME and nothing else; NULL: it is another. */
static const char *variable_of(const char *word, size_t *len)
{
	if (word[0] != '$')
		return NULL;
	*len = name_len(word + 1);
	return *len && !word[1 + *len] ? word + 1 : NULL;
}

struct words {
	const char **v;
	size_t n, cap;
};

static int word_add(struct arena *arena, struct words *words, const char *word)
{
	const char **more;

	if (words->n == words->cap) {
		more = arena_array(arena, 2 * words->cap + 8, sizeof(*more));
		if (!more)
			return -ENOMEM;
		if (words->n)
			memcpy(more, words->v, words->n * sizeof(*more));
		words->v = more;
		words->cap = 2 * words->cap + 8;
	}
	words->v[words->n++] = word;
	return 0;
}

/* A value that systemd cannot split is taken as one word by it too. */
static int words_add(struct arena *arena, struct words *words, const char *value)
{
	char *word = arena_array(arena, strlen(value) + 1, 1);
	int err = word ? 0 : -ENOMEM;

	while (!err && systemd_word_next(&value, word) > 0)
		err = word_add(arena, words, arena_text(arena, word));
	return err;
}

int exec_line_expand(struct arena *arena, const struct environment *env, struct exec_line *line)
{
	struct text buf = { .buf = arena_array(arena, ARGUMENT_MAX, 1) };
	struct words words = { 0 };
	const char *name;
	size_t len;
	int err = buf.buf ? 0 : -ENOMEM;

	if (line->literal)
		return 0;
	for (size_t i = 0; !err && i < line->n; i++) {
		name = variable_of(line->argv[i], &len);
		err = name ? words_add(arena, &words,
				       value_of(arena, env, name, len, &line->unknown))
			   : word_add(arena, &words,
				      braces_expand(arena, env, &buf, line->argv[i],
						    &line->unknown));
	}
	line->argv = words.v;
	line->n = words.n;
	line->unknown |= buf.cut;
	return err;
}

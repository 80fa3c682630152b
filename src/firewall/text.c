/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "firewall/text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "firewall/ruleset_private.h"

#define CUT	  "…"
#define DEPTH_MAX 16
#define LIST_MAX  8 /* elements of a set that are shown */

struct text {
	char *buf;
	size_t size, used;
	bool cut;
	unsigned int depth;
};

static void put(struct text *text, const char *what)
{
	size_t len = strlen(what);

	if (text->cut)
		return;
	if (text->used + len + sizeof(CUT) > text->size) {
		text->cut = true;
		/* Do not cut inside a UTF-8 character. */
		len = text->size - text->used - sizeof(CUT);
		while (len && ((unsigned char)what[len] & 0xc0) == 0x80)
			len--;
		memcpy(text->buf + text->used, what, len);
		text->used += len;
		what = CUT;
		len = strlen(CUT);
	}
	memcpy(text->buf + text->used, what, len);
	text->used += len;
	text->buf[text->used] = '\0';
}

/* A space, unless at the beginning or after one. */
static void space(struct text *text)
{
	if (text->used && text->buf[text->used - 1] != ' ')
		put(text, " ");
}

static void put_integer(struct text *text, json_int_t number)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%lld", (long long)number);
	put(text, digits);
}

static void put_value(struct text *text, const json_t *value);

static void put_joined(struct text *text, const json_t *list, const char *between)
{
	const json_t *item;
	size_t at;

	json_array_foreach(list, at, item)
	{
		if (at)
			put(text, between);
		if (at == LIST_MAX) {
			put(text, CUT);
			return;
		}
		put_value(text, item);
	}
}

static void put_pair(struct text *text, const json_t *pair)
{
	put_value(text, json_array_get(pair, 0));
	put(text, " : ");
	put_value(text, json_array_get(pair, 1));
}

static void put_set(struct text *text, const json_t *elements)
{
	const json_t *item;
	size_t at;

	if (!json_is_array(elements)) {
		put_value(text, elements);
		return;
	}
	put(text, "{ ");
	json_array_foreach(elements, at, item)
	{
		if (at)
			put(text, ", ");
		if (at == LIST_MAX) {
			put(text, CUT);
			break;
		}
		if (json_is_array(item) && json_array_size(item) == 2)
			put_pair(text, item);
		else
			put_value(text, item);
	}
	put(text, " }");
}

static void put_words(struct text *text, const char *first, const char *second)
{
	put(text, first);
	space(text);
	put(text, second);
}

/* meta l4proto is printed with "meta", iifname without, as nft does. */
static void put_meta(struct text *text, const json_t *meta)
{
	static const char *const bare[] = { "iif",     "oif",	   "iifname",  "oifname", "iiftype",
					    "oiftype", "iifgroup", "oifgroup", "skuid",	  "skgid" };
	const char *key = ruleset_string(meta, "key");

	for (size_t i = 0; i < sizeof(bare) / sizeof(*bare); i++)
		if (strcmp(key, bare[i]) == 0) {
			put(text, key);
			return;
		}
	put_words(text, "meta", key);
}

static void put_operation(struct text *text, const char *name, const json_t *body)
{
	if (strcmp(name, "meta") == 0) {
		put_meta(text, body);
	} else if (strcmp(name, "ct") == 0) {
		put_words(text, "ct", ruleset_string(body, "dir"));
		space(text);
		put(text, ruleset_string(body, "key"));
	} else if (strcmp(name, "payload") == 0) {
		put_words(text, ruleset_string(body, "protocol"), ruleset_string(body, "field"));
	} else if (strcmp(name, "prefix") == 0) {
		put(text, ruleset_string(body, "addr"));
		put(text, "/");
		put_integer(text, json_integer_value(json_object_get(body, "len")));
	} else if (strcmp(name, "range") == 0) {
		put_joined(text, body, "-");
	} else if (strcmp(name, "concat") == 0) {
		put_joined(text, body, " . ");
	} else if (strcmp(name, "set") == 0) {
		put_set(text, body);
	} else if (strcmp(name, "elem") == 0) {
		put_value(text, json_object_get(body, "val"));
	} else if (strcmp(name, "&") == 0 || strcmp(name, "|") == 0 || strcmp(name, "^") == 0) {
		put_joined(text, body, name[0] == '&' ? " & " : name[0] == '|' ? " | " : " ^ ");
	} else if (strcmp(name, "jump") == 0 || strcmp(name, "goto") == 0) {
		put_words(text, name, ruleset_string(body, "target"));
	} else {
		put(text, name); /* verdicts, and what needs no more words here */
	}
}

static void put_value(struct text *text, const json_t *value)
{
	const char *name;
	const json_t *body;

	if (text->cut || text->depth >= DEPTH_MAX)
		return;
	text->depth++;
	if (json_is_string(value))
		put(text, json_string_value(value));
	else if (json_is_integer(value))
		put_integer(text, json_integer_value(value));
	else if (json_is_boolean(value))
		put(text, json_is_true(value) ? "exists" : "missing");
	else if (json_is_array(value))
		put_joined(text, value, ",");
	json_object_foreach((json_t *)value, name, body) put_operation(text, name, body);
	text->depth--;
}

/* Names of devices are quoted, as nft does. */
static void put_right(struct text *text, const json_t *left, const json_t *right)
{
	bool dev = strstr(ruleset_string(json_object_get(left, "meta"), "key"), "if") != NULL;

	if (dev && json_is_string(right)) {
		put(text, "\"");
		put_value(text, right);
		put(text, "\"");
	} else {
		put_value(text, right);
	}
}

static void put_match(struct text *text, const json_t *match)
{
	const json_t *left = json_object_get(match, "left");
	const char *op = ruleset_string(match, "op");

	put_value(text, left);
	space(text);
	if (strcmp(op, "in") != 0 && (strcmp(op, "==") != 0 || json_object_get(left, "&"))) {
		put(text, op);
		space(text);
	}
	put_right(text, left, json_object_get(match, "right"));
}

static void put_statement(struct text *text, const char *name, const json_t *body)
{
	if (strcmp(name, "counter") == 0 || strcmp(name, "comment") == 0)
		return;
	space(text);
	if (strcmp(name, "match") == 0) {
		put_match(text, body);
	} else if (strcmp(name, "vmap") == 0) {
		put_value(text, json_object_get(body, "key"));
		put(text, " vmap ");
		put_value(text, json_object_get(body, "data"));
	} else if (strcmp(name, "mangle") == 0) {
		put_value(text, json_object_get(body, "key"));
		put(text, " set ");
		put_value(text, json_object_get(body, "value"));
	} else if (strcmp(name, "xt") == 0) {
		put_words(text, "xt", ruleset_string(body, "type"));
		space(text);
		put(text, ruleset_string(body, "name"));
	} else {
		put_operation(text, name, body);
	}
}

void firewall_rule_text(const json_t *expr, char *buf, size_t size)
{
	struct text text = { .buf = buf, .size = size };
	const json_t *statement, *body;
	const char *name;
	size_t at;

	buf[0] = '\0';
	json_array_foreach(expr, at, statement) json_object_foreach((json_t *)statement, name, body)
		put_statement(&text, name, body);
}

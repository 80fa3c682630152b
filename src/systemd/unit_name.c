/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "systemd/unit_name.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* Where the parts of a name end. */
struct parts {
	size_t prefix;	 /* bytes in front of "@" or of the dot */
	const char *at;	 /* NULL: there is none */
	const char *dot; /* or the end */
};

static struct parts parts_of(const char *name)
{
	struct parts parts = { .at = strchr(name, '@'), .dot = strrchr(name, '.') };

	if (!parts.dot)
		parts.dot = name + strlen(name);
	if (parts.at && parts.at > parts.dot)
		parts.at = NULL;
	parts.prefix = (size_t)((parts.at ? parts.at : parts.dot) - name);
	return parts;
}

static bool is_instance(const struct parts *parts)
{
	return parts->at && *parts->dot && parts->dot > parts->at + 1;
}

const char *unit_name_template(struct arena *arena, const char *name)
{
	struct parts parts = parts_of(name);

	if (!is_instance(&parts))
		return NULL;
	return arena_printf(arena, "%.*s@%s", (int)parts.prefix, name, parts.dot);
}

const char *unit_name_instance(struct arena *arena, const char *template, const char *instance)
{
	struct parts of = parts_of(template), parts = parts_of(instance);

	if (!of.at || is_instance(&of) || !is_instance(&parts))
		return NULL;
	return arena_printf(arena, "%.*s%s", (int)of.prefix, template, parts.at);
}

const char *unit_name_prefix(struct arena *arena, const char *name)
{
	return arena_span(arena, name, parts_of(name).prefix);
}

const char *unit_name_instance_part(struct arena *arena, const char *name)
{
	struct parts parts = parts_of(name);

	return is_instance(&parts)
		       ? arena_span(arena, parts.at + 1, (size_t)(parts.dot - parts.at - 1))
		       : "";
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

const char *unit_name_unescape(struct arena *arena, const char *part)
{
	char *text = arena_array(arena, strlen(part) + 1, 1), *to = text;

	for (; text && *part; part++) {
		bool escaped = part[0] == '\\' && part[1] == 'x' && hex_digit(part[2]) >= 0 &&
			       hex_digit(part[3]) >= 0;

		if (escaped) {
			*to++ = (char)(16 * hex_digit(part[2]) + hex_digit(part[3]));
			part += 3;
		} else {
			*to++ = *part == '-' ? '/' : *part;
		}
	}
	return text ? text : "";
}

static void name_add(struct arena *arena, struct text_list *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i], name) == 0)
			return;
	text_list_add(arena, names, name);
}

/* The prefix up to its last dash that is not its end: "mesos-" of "mesos-agent"; 0: none. */
static size_t shorter_prefix(const char *name, size_t len)
{
	while (len && name[len - 1] == '-')
		len--;
	while (len && name[len - 1] != '-')
		len--;
	return len;
}

void unit_name_drop_ins(struct arena *arena, const char *name, struct text_list *names)
{
	struct parts parts = parts_of(name);
	const char *template = unit_name_template(arena, name);
	size_t len = shorter_prefix(name, parts.prefix);

	name_add(arena, names, name);
	if (template)
		unit_name_drop_ins(arena, template, names);
	if (len > 0)
		unit_name_drop_ins(arena,
				   arena_printf(arena, "%.*s%s", (int)len, name,
						is_instance(&parts) ? parts.at : parts.dot),
				   names);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "systemd/specifiers.h"

#include <string.h>

#include "base/arena.h"
#include "systemd/unit_name.h"

/* ---- of the unit's name ---- */

/* Behind the last dash of the prefix. */
static const char *last_component(struct arena *arena, const char *unit)
{
	const char *prefix = unit_name_prefix(arena, unit), *dash = strrchr(prefix, '-');

	return dash ? dash + 1 : prefix;
}

static const char *without_suffix(struct arena *arena, const char *unit)
{
	const char *dot = strrchr(unit, '.');

	return dot ? arena_span(arena, unit, (size_t)(dot - unit)) : unit;
}

/* The instance, or the prefix, as a path. */
static const char *as_path(struct arena *arena, const char *unit)
{
	const char *part = unit_name_instance_part(arena, unit);

	part = unit_name_unescape(arena, *part ? part : unit_name_prefix(arena, unit));
	return *part == '/' ? part : arena_printf(arena, "/%s", part);
}

static const char *of_name(struct arena *arena, char letter, const char *unit)
{
	switch (letter) {
	case 'n':
		return unit;
	case 'N':
		return without_suffix(arena, unit);
	case 'p':
		return unit_name_prefix(arena, unit);
	case 'P':
		return unit_name_unescape(arena, unit_name_prefix(arena, unit));
	case 'i':
		return unit_name_instance_part(arena, unit);
	case 'I':
		return unit_name_unescape(arena, unit_name_instance_part(arena, unit));
	case 'j':
		return last_component(arena, unit);
	case 'J':
		return unit_name_unescape(arena, last_component(arena, unit));
	case 'f':
		return as_path(arena, unit);
	case 'd':
		return arena_printf(arena, "/run/credentials/%s", unit);
	default:
		return NULL;
	}
}

/* ---- of the host ---- */

static const char *short_hostname(struct arena *arena, const char *hostname)
{
	return hostname ? arena_span(arena, hostname, strcspn(hostname, ".")) : NULL;
}

static const char *of_host(struct arena *arena, char letter, const struct specifiers *s)
{
	switch (letter) {
	case 'H':
		return s->hostname;
	case 'l':
		return short_hostname(arena, s->hostname);
	case 'a':
		return s->architecture;
	case 'v':
		return s->kernel;
	case 'm':
		return s->machine_id;
	case 'b':
		return s->boot_id;
	case 'o':
		return s->os_id;
	case 'w':
		return s->os_version;
	case 'B':
		return s->os_build;
	case 'W':
		return s->os_variant;
	case 'M':
		return s->image_id;
	case 'A':
		return s->image_version;
	default:
		return NULL;
	}
}

/* What every unit of the system's manager has, whatever its User=. */
static const char *of_system(char letter)
{
	static const struct {
		char letter;
		const char *value;
	} rows[] = { { '%', "%" },	  { 'E', "/etc" },	 { 't', "/run" },
		     { 'S', "/var/lib" }, { 'C', "/var/cache" }, { 'L', "/var/log" },
		     { 'T', "/tmp" },	  { 'V', "/var/tmp" },	 { 'u', "root" },
		     { 'U', "0" },	  { 'g', "root" },	 { 'G', "0" },
		     { 'h', "/root" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].letter == letter)
			return rows[i].value;
	return NULL;
}

/* Those that systemd knows and the tables above do not: the pretty hostname, a shell, paths. */
static bool is_known_to_systemd(char letter)
{
	return letter && strchr("aAbBcdDfgGHijJlmMoqrRsvwWyY", letter) != NULL;
}

static const char *value_of(struct arena *arena, const struct specifiers *s, char letter)
{
	const char *value = of_system(letter);

	if (!value)
		value = of_name(arena, letter, s->unit);
	return value ? value : of_host(arena, letter, s);
}

/* Writes the text to buf, unless that is NULL. Returns its length. */
static size_t expand_to(struct arena *arena, const struct specifiers *s, const char *text,
			char *buf, bool *unknown)
{
	const char *percent, *value;
	size_t used = 0, len;

	while ((percent = strchr(text, '%')) && percent[1]) {
		value = value_of(arena, s, percent[1]);
		*unknown |= !value && is_known_to_systemd(percent[1]);
		len = (size_t)(percent - text);
		if (buf)
			memcpy(buf + used, text, len);
		used += len;
		len = value ? strlen(value) : 2;
		if (buf)
			memcpy(buf + used, value ? value : percent, len);
		used += len;
		text = percent + 2;
	}
	len = strlen(text);
	if (buf)
		memcpy(buf + used, text, len);
	return used + len;
}

const char *specifiers_expand(struct arena *arena, const struct specifiers *specifiers,
			      const char *text, bool *unknown)
{
	char *buf;

	if (!specifiers->unit || !strchr(text, '%'))
		return arena_text(arena, text);
	buf = arena_array(arena, expand_to(arena, specifiers, text, NULL, unknown) + 1, 1);
	if (buf)
		expand_to(arena, specifiers, text, buf, unknown);
	return buf ? buf : "";
}

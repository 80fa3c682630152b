/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "launch.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct field {
	const char *name;
	size_t offset;
	const char *preset;
};

#define FIELD(member, preset)                                                                      \
	{                                                                                          \
#member, offsetof(struct launch, member), preset                                   \
	}

static const struct field fields[] = {
	FIELD(id, ""),
	FIELD(group, "default"),
	FIELD(kind, "v0-old"),
	FIELD(version, ""),
	FIELD(lib, "yes"),
	FIELD(as, "executor"),
	FIELD(exe, "kept"),
	FIELD(mode, "normal"),
	FIELD(agent, "main"),
	FIELD(framework, ""),
	FIELD(checkpoint, "1"),
	FIELD(workers, "8"),
	FIELD(recovery_timeout, ""),
	FIELD(grace, "5secs"),
	FIELD(task, "sleep"),
	FIELD(command, "echo started; exec sleep 100000"),
	FIELD(suicide, "task"),
	FIELD(environ, "kept"),
	FIELD(other, "kept"),
	FIELD(mptcp, "no"),
	FIELD(family, "plain"),
	FIELD(acks, "yes"),
	FIELD(peer_match, "no"),
	FIELD(tls_said, "no"),
	FIELD(log, "file"),
	FIELD(leak, "no"),
	FIELD(ns, "none"),
	FIELD(link_port, "0"),
	FIELD(listen_port, "0"),
	FIELD(inode_like, ""),
	FIELD(framework_id, ""),
	FIELD(container_id, ""),
	FIELD(slave_id, ""),
	FIELD(agent_ip, "127.0.0.1"),
	FIELD(agent_port, "5051"),
	FIELD(domain_socket, ""),
	FIELD(backoff_max, ""),
	FIELD(directory, ""),
	FIELD(dir, ""),
	FIELD(net_index, "0"),
	FIELD(node_ns, ""),
};

enum { N_FIELDS = sizeof(fields) / sizeof(fields[0]) };

static char **member(const struct launch *l, const struct field *f)
{
	return (char **)((char *)l + f->offset);
}

struct launch *launch_new(void)
{
	struct launch *l = lab_calloc(1, sizeof(*l));

	for (size_t i = 0; i < N_FIELDS; i++)
		*member(l, &fields[i]) = lab_strdup(fields[i].preset);
	return l;
}

void launch_free(struct launch *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < N_FIELDS; i++)
		free(*member(l, &fields[i]));
	free(l);
}

static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(strchr("-_", *a) && strchr("-_", *b)))
			return false;
	return *a == *b;
}

bool launch_set(struct launch *l, const char *name, const char *value)
{
	for (size_t i = 0; i < N_FIELDS; i++) {
		char **m = member(l, &fields[i]);

		if (!same_name(fields[i].name, name))
			continue;
		if (*m == value)
			return true;
		free(*m);
		*m = lab_strdup(value);
		return true;
	}
	return false;
}

bool word_next(const char **line, char **key, char **value)
{
	size_t len;
	const char *eq;

	*line += strspn(*line, " \t\r\n");
	len = strcspn(*line, " \t\r\n");
	if (!len)
		return false;
	eq = memchr(*line, '=', len);
	*key = pct_decode(*line, eq ? (size_t)(eq - *line) : len);
	*value = eq ? pct_decode(eq + 1, len - (eq + 1 - *line)) : NULL;
	*line += len;
	return true;
}

char *launch_parse(struct launch *l, const char *line)
{
	char *key, *value;

	while (word_next(&line, &key, &value)) {
		bool known = value && launch_set(l, key, value);

		free(value);
		if (!known)
			return key;
		free(key);
	}
	return NULL;
}

void launch_format(const struct launch *l, struct buf *out)
{
	for (size_t i = 0; i < N_FIELDS; i++) {
		const char *value = *member(l, &fields[i]);

		if (!strcmp(value, fields[i].preset))
			continue;
		buf_fmt(out, "%s%s=", out->len ? " " : "", fields[i].name);
		pct_encode(out, value);
	}
}

bool launch_is(const char *value, const char *wanted)
{
	return !strcmp(value, wanted);
}

bool launch_is_v1(const struct launch *l)
{
	return launch_is(l->kind, "v1");
}

unsigned long launch_number(const char *value)
{
	return strtoul(value, NULL, 10);
}

void pct_encode(struct buf *out, const char *s)
{
	for (; *s; s++) {
		if (isalnum((unsigned char)*s) || strchr("._-:/@()", *s))
			buf_add(out, s, 1);
		else
			buf_fmt(out, "%%%02x", (unsigned char)*s);
	}
}

char *pct_decode(const char *s, size_t len)
{
	char *text = lab_calloc(1, len + 1), *to = text;

	for (size_t i = 0; i < len; i++) {
		unsigned int byte;

		if (s[i] == '%' && i + 2 < len && sscanf(s + i + 1, "%2x", &byte) == 1) {
			*to++ = byte;
			i += 2;
		} else {
			*to++ = s[i];
		}
	}
	return text;
}

unsigned int version_number(const char *version)
{
	unsigned int a = 0, b = 0, c = 0;

	sscanf(version, "%u.%u.%u", &a, &b, &c);
	return a * 1000000 + b * 1000 + c;
}

long long duration_ms(const char *text)
{
	static const struct {
		const char *name;
		double ms;
	} units[] = { { "ns", 1e-6 },	  { "us", 1e-3 },      { "ms", 1 },
		      { "secs", 1000 },	  { "mins", 60000 },   { "hrs", 3600000 },
		      { "days", 86.4e6 }, { "weeks", 604.8e6 } };
	char *unit;
	double n = strtod(text, &unit);

	for (size_t i = 0; unit != text && i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(unit, units[i].name))
			return n * units[i].ms;
	return -1;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *grow(void *array, size_t n, size_t size)
{
	array = realloc(array, (n + 1) * size);
	if (!array)
		lab_die("out of memory");
	return array;
}

struct spec_agent *spec_find_agent(const struct spec *s, const char *name)
{
	for (size_t i = 0; i < s->n_agents; i++)
		if (!strcmp(s->agents[i].name, name))
			return &s->agents[i];
	return NULL;
}

static struct spec_agent *spec_add_agent(struct spec *s)
{
	struct spec_agent *a;

	s->agents = grow(s->agents, s->n_agents, sizeof(*a));
	a = &s->agents[s->n_agents++];
	*a = (struct spec_agent){
		.name = lab_strdup("main"),
		.comm = lab_strdup("mesos-agent"),
		.port = lab_strdup("5051"),
		.version = lab_strdup("1.11.0"),
		.api = lab_strdup("ok"),
		.recovery_timeout = lab_strdup("15mins"),
		.reregistration_timeout = lab_strdup("2secs"),
		.retry_interval = lab_strdup(""),
		.recovery_delay = lab_strdup("50ms"),
		.removed_after = lab_strdup(""),
		.orphans = lab_strdup("keep"),
		.strict = lab_strdup("true"),
		.ip = lab_strdup(""),
		.listen_ip = lab_strdup(""),
		.advertise_ip = lab_strdup(""),
		.advertise_port = lab_strdup(""),
		.uid = lab_strdup("0"),
		.claims = lab_strdup(""),
		.domain_socket = lab_strdup("no"),
		.mptcp = lab_strdup("no"),
		.ns = lab_strdup("none"),
		.env = lab_strdup(""),
		.boot_id = lab_strdup(""),
	};
	return a;
}

void spec_init(struct spec *s)
{
	*s = (struct spec){ .ip = lab_strdup("127.0.0.1"), .rules = lab_strdup("") };
	spec_add_agent(s);
}

static bool is(const char *key, const char *name)
{
	for (; *key && *name; key++, name++)
		if (*key != *name && !(*key == '_' && *name == '-'))
			return false;
	return *key == *name;
}

static char **agent_member(struct spec_agent *a, const char *key)
{
	const struct {
		const char *name;
		char **member;
	} members[] = {
		{ "name", &a->name },
		{ "comm", &a->comm },
		{ "port", &a->port },
		{ "version", &a->version },
		{ "api", &a->api },
		{ "recovery-timeout", &a->recovery_timeout },
		{ "reregistration-timeout", &a->reregistration_timeout },
		{ "retry-interval", &a->retry_interval },
		{ "recovery-delay", &a->recovery_delay },
		{ "removed-after", &a->removed_after },
		{ "orphans", &a->orphans },
		{ "strict", &a->strict },
		{ "ip", &a->ip },
		{ "listen-ip", &a->listen_ip },
		{ "advertise-ip", &a->advertise_ip },
		{ "advertise-port", &a->advertise_port },
		{ "uid", &a->uid },
		{ "claims", &a->claims },
		{ "domain-socket", &a->domain_socket },
		{ "mptcp", &a->mptcp },
		{ "ns", &a->ns },
		{ "env", &a->env },
		{ "boot-id", &a->boot_id },
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (is(key, members[i].name))
			return members[i].member;
	return NULL;
}

/* The name decides whether this is the agent that is always there, or one more. */
static char *line_name(const char *line)
{
	char *key, *value, *name = NULL;

	while (word_next(&line, &key, &value)) {
		if (value && is(key, "name")) {
			free(name);
			name = lab_strdup(value);
		}
		free(key);
		free(value);
	}
	return name ? name : lab_strdup("main");
}

static char *agent_line(struct spec *s, const char *line)
{
	char *name = line_name(line), *key, *value, *why = NULL;
	struct spec_agent *a = spec_find_agent(s, name);

	if (!a)
		a = spec_add_agent(s);
	free(name);
	while (!why && word_next(&line, &key, &value)) {
		char **member = agent_member(a, key);

		if (!member || !value) {
			why = lab_fmt("unknown word '%s' of an agent", key);
			free(value);
		} else {
			free(*member);
			*member = value;
		}
		free(key);
	}
	return why;
}

static char *node_line(struct spec *s, const char *line)
{
	char *key, *value, *why = NULL;

	while (!why && word_next(&line, &key, &value)) {
		if (value && is(key, "ip")) {
			free(s->ip);
			s->ip = lab_strdup(value);
		} else if (value && is(key, "conntrack")) {
			s->conntrack = !strcmp(value, "on");
		} else if (value && is(key, "rules")) {
			free(s->rules);
			s->rules = lab_strdup(value);
		} else {
			why = lab_fmt("unknown word '%s' of the node", key);
		}
		free(key);
		free(value);
	}
	return why;
}

static void add_launch(struct spec *s, struct launch *l)
{
	s->launches = grow(s->launches, s->n_launches, sizeof(l));
	s->launches[s->n_launches++] = l;
}

static char *executor_line(struct spec *s, const char *line)
{
	struct launch *l = launch_new();
	char *bad = launch_parse(l, line), *why = NULL;

	if (bad)
		why = lab_fmt("unknown word '%s' of an executor", bad);
	else if (!*l->id || strchr(l->id, '/'))
		why = lab_strdup("an executor needs an id without '/'");
	free(bad);
	if (why)
		launch_free(l);
	else
		add_launch(s, l);
	return why;
}

/* count=N prefix=P: N executors P0, P1, ... of otherwise the same words. */
static char *executors_line(struct spec *s, const char *line)
{
	unsigned long count = 1;
	char *prefix = lab_strdup("task-"), *key, *value, *why = NULL;
	struct buf rest = { 0 };

	while (word_next(&line, &key, &value)) {
		if (value && is(key, "count")) {
			count = strtoul(value, NULL, 10);
		} else if (value && is(key, "prefix")) {
			free(prefix);
			prefix = lab_strdup(value);
		} else {
			buf_fmt(&rest, " %s=", key);
			pct_encode(&rest, value ? value : "");
		}
		free(key);
		free(value);
	}
	for (unsigned long i = 0; i < count && !why; i++) {
		struct buf one = { 0 };

		buf_str(&one, "id=");
		pct_encode(&one, prefix);
		buf_fmt(&one, "%lu%s", i, rest.data ? rest.data : "");
		why = executor_line(s, one.data);
		buf_free(&one);
	}
	buf_free(&rest);
	free(prefix);
	return why;
}

static char *connection_line(struct spec *s, const char *line)
{
	struct spec_connection c = { .kind = lab_strdup("monitor"),
				     .name = lab_strdup("telegraf"),
				     .agent = lab_strdup("main"),
				     .count = 1 };
	char *key, *value, *why = NULL;

	while (!why && word_next(&line, &key, &value)) {
		char **member = is(key, "kind")	   ? &c.kind
				: is(key, "name")  ? &c.name
				: is(key, "agent") ? &c.agent
						   : NULL;

		if (value && member) {
			free(*member);
			*member = lab_strdup(value);
		} else if (value && is(key, "count")) {
			c.count = strtoul(value, NULL, 10);
		} else {
			why = lab_fmt("unknown word '%s' of a connection", key);
		}
		free(key);
		free(value);
	}
	s->connections = grow(s->connections, s->n_connections, sizeof(c));
	s->connections[s->n_connections++] = c;
	return why;
}

static const struct {
	const char *word;
	char *(*take)(struct spec *s, const char *rest);
} lines[] = {
	{ "node", node_line },
	{ "agent", agent_line },
	{ "executor", executor_line },
	{ "executors", executors_line },
	{ "connection", connection_line },
};

char *spec_line(struct spec *s, const char *line)
{
	size_t len;

	line += strspn(line, " \t\r\n");
	len = strcspn(line, " \t\r\n");
	if (!len || *line == '#')
		return NULL;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (strlen(lines[i].word) == len && !strncmp(line, lines[i].word, len))
			return lines[i].take(s, line + len);
	return lab_fmt("unknown line '%.*s'", (int)len, line);
}

void spec_read(struct spec *s, const char *path)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char *line = NULL;
	size_t size = 0, number = 0;

	if (!f)
		lab_die("open spec '%s': %s", path, strerror(errno));
	while (getline(&line, &size, f) > 0) {
		char *why = spec_line(s, line);

		number++;
		if (why)
			lab_die("%s:%zu: %s", path, number, why);
	}
	free(line);
	if (f != stdin)
		fclose(f);
}

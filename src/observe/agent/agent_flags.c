/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/agent_flags.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/proc.h"
#include "mesos/span.h"

enum { ITEMS_MAX = 128 * 1024 };

static bool copy(const char *text, char *value, size_t size)
{
	return (size_t)snprintf(value, size, "%s", text) < size;
}

/* What follows NAME in item: "=VALUE", or nothing; NULL for another name. */
static const char *behind_name(const char *item, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(item, name, len) != 0 || (item[len] && item[len] != '='))
		return NULL;
	return item + len;
}

/* The last one counts, as for Mesos. */
bool agent_flag_in_cmdline(const char *items, size_t len, const char *name, char *value,
			   size_t size)
{
	bool found = false;

	for (size_t at = 0; at < len; at += strlen(items + at) + 1) {
		const char *item = items + at, *rest;

		if (strncmp(item, "--", 2) != 0)
			continue;
		rest = behind_name(item + 2, name);
		if (rest)
			found = copy(*rest ? rest + 1 : "true", value, size);
		else if (strncmp(item + 2, "no-", 3) == 0 && behind_name(item + 5, name))
			found = copy("false", value, size);
	}
	return found;
}

bool agent_flag_in_environ(const char *items, size_t len, const char *name, char *value,
			   size_t size)
{
	static const char prefix[] = "MESOS_";
	size_t name_len = strlen(name), prefix_len = sizeof(prefix) - 1;

	for (size_t at = 0; at < len; at += strlen(items + at) + 1) {
		const char *item = items + at;

		if (strncmp(item, prefix, prefix_len) == 0 &&
		    strncasecmp(item + prefix_len, name, name_len) == 0 &&
		    item[prefix_len + name_len] == '=')
			return copy(item + prefix_len + name_len + 1, value, size);
	}
	return false;
}

/* Reads a process' file of items, "cmdline" or "environ". As proc_read(). */
static ssize_t items_read(int32_t pid, const char *file, char *items, size_t size)
{
	char path[PROC_PATH_MAX];

	return proc_read(AT_FDCWD, proc_path(path, pid, 0, file), items, size);
}

static bool flag_in(int32_t pid, const char *file,
		    bool (*find)(const char *items, size_t len, const char *name, char *value,
				 size_t size),
		    const char *name, char *value, size_t size)
{
	char items[ITEMS_MAX];
	ssize_t len = items_read(pid, file, items, sizeof(items));

	return len > 0 && find(items, (size_t)len, name, value, size);
}

bool agent_flag(int32_t pid, const char *name, char *value, size_t size)
{
	return flag_in(pid, "cmdline", agent_flag_in_cmdline, name, value, size) ||
	       flag_in(pid, "environ", agent_flag_in_environ, name, value, size);
}

/* 0: it is no port. */
static int port_of(const char *text)
{
	struct mesos_span value = mesos_span_of(text);
	uint64_t port;

	return mesos_span_number(&value, UINT16_MAX, &port) && !value.len ? (int)port : 0;
}

static const char *libprocess_port(const char *items, size_t len)
{
	static const char name[] = "LIBPROCESS_ADVERTISE_PORT=";

	for (size_t at = 0; at < len; at += strlen(items + at) + 1)
		if (strncmp(items + at, name, sizeof(name) - 1) == 0)
			return items + at + sizeof(name) - 1;
	return "";
}

int agent_advertised_port(int32_t pid)
{
	char items[ITEMS_MAX], value[16];
	ssize_t len = items_read(pid, "cmdline", items, sizeof(items));

	if (len < 0)
		return (int)len;
	if (agent_flag_in_cmdline(items, (size_t)len, "advertise_port", value, sizeof(value)) &&
	    port_of(value))
		return port_of(value);
	len = items_read(pid, "environ", items, sizeof(items));
	if (len < 0)
		return (int)len;
	if (agent_flag_in_environ(items, (size_t)len, "advertise_port", value, sizeof(value)) &&
	    port_of(value))
		return port_of(value);
	return port_of(libprocess_port(items, (size_t)len));
}

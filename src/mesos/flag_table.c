/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/flag_table.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mesos/duration.h"

static bool is_since(const struct mesos_version *v, unsigned int minor, unsigned int patch)
{
	return v->major > 1 ||
	       (v->major == 1 && (v->minor > minor || (v->minor == minor && v->patch >= patch)));
}

static bool since_1_0(const struct mesos_version *v)
{
	return is_since(v, 0, 0);
}

static bool since_1_1(const struct mesos_version *v)
{
	return is_since(v, 1, 0);
}

static bool since_1_3(const struct mesos_version *v)
{
	return is_since(v, 3, 0);
}

static bool since_1_5(const struct mesos_version *v)
{
	return is_since(v, 5, 0);
}

static bool since_1_10(const struct mesos_version *v)
{
	return is_since(v, 10, 0);
}

/* 1.1.3, 1.2.2, 1.3.1 and from 1.4.0 on (CHANGELOG, MESOS-7540 and MESOS-7569). */
static bool reregistration(const struct mesos_version *v)
{
	if (v->major == 1 && v->minor >= 1 && v->minor <= 3)
		return v->patch >= 4u - v->minor;
	return is_since(v, 4, 0);
}

/* Older versions name them without LIBPROCESS_ (libprocess src/openssl.cpp). */
#define SSL(name) "LIBPROCESS_SSL_" name

const struct mesos_flag mesos_flag_table[MESOS_FLAGS_WATCHED] = {
	{ "attributes", MESOS_FLAG_TEXT, "", NULL, NULL, NULL },
	{ "resources", MESOS_FLAG_TEXT, "", NULL, NULL, NULL },
	{ "default_role", MESOS_FLAG_TEXT, "*", NULL, NULL, NULL },
	{ "hostname", MESOS_FLAG_TEXT, NULL, NULL, NULL, NULL },
	{ "hostname_lookup", MESOS_FLAG_BOOL, "true", NULL, NULL, NULL },
	{ "ip", MESOS_FLAG_TEXT, NULL, NULL, NULL, "LIBPROCESS_IP" },
	{ "ip_discovery_command", MESOS_FLAG_PATH, NULL, NULL, NULL, NULL },
	{ "advertise_ip", MESOS_FLAG_TEXT, NULL, NULL, NULL, "LIBPROCESS_ADVERTISE_IP" },
	{ "port", MESOS_FLAG_TEXT, "5051", NULL, NULL, NULL },
	{ "advertise_port", MESOS_FLAG_TEXT, NULL, NULL, NULL, "LIBPROCESS_ADVERTISE_PORT" },
	{ "domain", MESOS_FLAG_TEXT, "", NULL, NULL, NULL },
	{ "reconfiguration_policy", MESOS_FLAG_TEXT, "equal", NULL, since_1_5, NULL },
	{ "work_dir", MESOS_FLAG_PATH, NULL, NULL, NULL, NULL },
	{ "runtime_dir", MESOS_FLAG_PATH, "/var/run/mesos", NULL, since_1_1, NULL },
	{ "recover", MESOS_FLAG_TEXT, "reconnect", NULL, NULL, NULL },
	{ "strict", MESOS_FLAG_BOOL, "true", NULL, NULL, NULL },
	{ "containerizers", MESOS_FLAG_LIST, "mesos", NULL, NULL, NULL },
	{ "launcher", MESOS_FLAG_TEXT, NULL, NULL, NULL, NULL },
	{ "cgroups_root", MESOS_FLAG_TEXT, "mesos", NULL, NULL, NULL },
	{ "cgroups_hierarchy", MESOS_FLAG_PATH, "/sys/fs/cgroup", NULL, NULL, NULL },
	{ "isolation", MESOS_FLAG_LIST, "posix/cpu,posix/mem", NULL, NULL, NULL },
	{ "systemd_enable_support", MESOS_FLAG_BOOL, "true", NULL, NULL, NULL },
	{ "recovery_timeout", MESOS_FLAG_DURATION, "15mins", NULL, NULL, NULL },
	{ "executor_reregistration_timeout", MESOS_FLAG_DURATION, "2secs", NULL, reregistration,
	  NULL },
	{ "executor_reregistration_retry_interval", MESOS_FLAG_DURATION, "", NULL, reregistration,
	  NULL },
	{ "credential", MESOS_FLAG_PATH, "", NULL, NULL, NULL },
	{ "http_credentials", MESOS_FLAG_PATH, "", NULL, since_1_0, NULL },
	{ "authenticate_http_readonly", MESOS_FLAG_BOOL, "false", NULL, since_1_0, NULL },
	{ "authenticate_http_readwrite", MESOS_FLAG_BOOL, "false", NULL, since_1_0, NULL },
	{ "authenticate_http_executors", MESOS_FLAG_BOOL, "false", NULL, since_1_3, NULL },
	{ "jwt_secret_key", MESOS_FLAG_PATH, "", "executor_secret_key", since_1_3, NULL },
	{ "http_executor_domain_sockets", MESOS_FLAG_BOOL, "false", NULL, since_1_10, NULL },
	{ SSL("ENABLED"), MESOS_FLAG_BOOL, "false", "SSL_ENABLED", NULL, SSL("ENABLED") },
	{ SSL("SUPPORT_DOWNGRADE"), MESOS_FLAG_BOOL, "false", "SSL_SUPPORT_DOWNGRADE", NULL,
	  SSL("SUPPORT_DOWNGRADE") },
	{ SSL("REQUIRE_CERT"), MESOS_FLAG_BOOL, "false", "SSL_REQUIRE_CERT", NULL,
	  SSL("REQUIRE_CERT") },
	{ SSL("KEY_FILE"), MESOS_FLAG_PATH, "", "SSL_KEY_FILE", NULL, SSL("KEY_FILE") },
	{ SSL("CERT_FILE"), MESOS_FLAG_PATH, "", "SSL_CERT_FILE", NULL, SSL("CERT_FILE") },
	{ SSL("CA_FILE"), MESOS_FLAG_PATH, "", "SSL_CA_FILE", NULL, SSL("CA_FILE") },
};

const struct mesos_flag *mesos_flag_find(struct mesos_span name)
{
	for (size_t i = 0; i < MESOS_FLAGS_WATCHED; i++)
		if (mesos_span_is(name, mesos_flag_table[i].name) ||
		    (mesos_flag_table[i].alias && mesos_span_is(name, mesos_flag_table[i].alias)))
			return &mesos_flag_table[i];
	return NULL;
}

bool mesos_flag_is_variable(const struct mesos_flag *flag)
{
	return flag->variable && strcmp(flag->name, flag->variable) == 0;
}

static bool is_variable(const char *name, const char *prefix, const char *rest)
{
	size_t len = strlen(prefix);

	return strncmp(name, prefix, len) == 0 && strcasecmp(name + len, rest) == 0;
}

static bool is_of_row(const struct mesos_flag *row, const char *name)
{
	static const char libprocess[] = "LIBPROCESS_";

	if (row->variable && is_variable(name, libprocess, row->variable + strlen(libprocess)))
		return true;
	if (mesos_flag_is_variable(row))
		return strcmp(name, row->alias) == 0;
	return is_variable(name, "MESOS_", row->name) ||
	       (row->alias && is_variable(name, "MESOS_", row->alias));
}

const struct mesos_flag *mesos_flag_of_variable(const char *name)
{
	for (size_t i = 0; i < MESOS_FLAGS_WATCHED; i++)
		if (is_of_row(&mesos_flag_table[i], name))
			return &mesos_flag_table[i];
	return NULL;
}

/* ---- values that compare ---- */

enum { LIST_MAX = 64 };

static int text_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *list_canonical(const char *value, char *buf, size_t size)
{
	char copy[1024], *rest, *word;
	const char *words[LIST_MAX];
	size_t n = 0, used = 0;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", value) >= sizeof(copy))
		return value;
	word = strtok_r(copy, ", ", &rest);
	for (; word; word = strtok_r(NULL, ", ", &rest)) {
		if (n == LIST_MAX)
			return value;
		words[n++] = word;
	}
	qsort(words, n, sizeof(*words), text_order);
	buf[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? "," : "", words[i]);
		if (used >= size)
			return value;
	}
	return buf;
}

const char *mesos_flag_canonical(const struct mesos_flag *flag, const char *value, char *buf,
				 size_t size)
{
	int64_t ns;

	switch (flag->kind) {
	case MESOS_FLAG_DURATION:
		if (mesos_duration_parse(mesos_span_of(value), &ns) < 0)
			return value;
		snprintf(buf, size, "%lldns", (long long)ns);
		return buf;
	case MESOS_FLAG_BOOL:
		return strcmp(value, "1") == 0 ? "true" : strcmp(value, "0") == 0 ? "false" : value;
	case MESOS_FLAG_LIST:
		return list_canonical(value, buf, size);
	case MESOS_FLAG_TEXT:
	case MESOS_FLAG_PATH:
		break;
	}
	return value;
}

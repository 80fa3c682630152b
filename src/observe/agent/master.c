/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/master.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/jsonval.h"
#include "base/netns.h"
#include "base/now.h"
#include "base/proc.h"
#include "facts.h"
#include "mesos/duration.h"
#include "mesos/span.h"
#include "observe/agent/api_url.h"
#include "observe/agent/http_get.h"

enum { ASK_MS = 1000, URL_SIZE = 512, PROBLEM_SIZE = 700 };

struct asking {
	const struct master_question *question;
	char url[URL_SIZE]; /* of the master that is asked now */
	char problem[PROBLEM_SIZE];
	struct fact fact;
};

static void __attribute__((format(printf, 2, 3))) lacks(struct asking *a, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(a->problem, sizeof(a->problem), fmt, args);
	va_end(args);
}

/* ---- where it is ---- */

static void chomp(char *text)
{
	text[strcspn(text, " \t\r\n")] = '\0';
}

/* The flag may name a file that has the value (stout flags/fetch.hpp). */
static int value_of(const char *text, char *value, size_t size)
{
	ssize_t len;

	if (strncmp(text, "file://", 7) != 0) {
		snprintf(value, size, "%s", text);
	} else {
		len = proc_read(AT_FDCWD, text + 7, value, size);
		if (len < 0)
			return (int)len;
	}
	chomp(value);
	return 0;
}

/* "http://HOST:PORT" of a flag's value; false with a problem for what names no master. */
static bool find_url(struct asking *a)
{
	char value[URL_SIZE - 32];
	const char *host;

	if (value_of(a->question->master, value, sizeof(value)) < 0) {
		lacks(a, "'%s' cannot be read", a->question->master);
		return false;
	}
	if (strncmp(value, "zk://", 5) == 0) {
		snprintf(a->url, sizeof(a->url), "%s", value);
		lacks(a, "%s", "ZooKeeper is not asked which master leads; give --master-url");
		return false;
	}
	host = strncmp(value, "http://", 7) == 0 ? value + 7 : value;
	snprintf(a->url, sizeof(a->url), "%s%s%s", strstr(value, "://") ? "" : "http://", value,
		 strchr(host, ':') || strchr(host, '/') ? "" : ":5050");
	return true;
}

/* ---- one request ---- */

static int connected(const struct api_url *url, int nsfd, struct error *error)
{
	int fd = netns_socket(nsfd, url->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0, error);

	if (fd < 0)
		return fd;
	if (connect(fd, (const struct sockaddr *)&url->addr, url->addr_len) < 0 &&
	    errno != EINPROGRESS) {
		int err = -errno;

		close(fd);
		return error_set(error, err, NULL, "connect to %s", url->host);
	}
	return fd;
}

static int get(struct asking *a, const char *endpoint, struct http_answer *answer)
{
	struct error error = { 0 };
	struct api_url url;
	char path[1024];
	int err = api_url_parse(a->url, &url, &error), fd;

	if (!err && url.tls)
		err = error_set(&error, -EPROTONOSUPPORT, NULL,
				"ask %s: TLS is not spoken to a "
				"master",
				a->url);
	if (err < 0)
		goto out;
	fd = connected(&url, a->question->nsfd, &error);
	if (fd < 0) {
		err = fd;
		goto out;
	}
	snprintf(path, sizeof(path), "%s%s", url.path, endpoint);
	err = http_get(fd, url.host, path, ASK_MS, answer, &error);
out:
	if (err < 0)
		error_text(&error, a->problem, sizeof(a->problem));
	return err;
}

/* "//10.0.0.2:5050/slaves" or with a scheme before it (Mesos master/http.cpp, redirect()). */
static bool go_to_leader(struct asking *a, const char *location)
{
	const char *host = strstr(location, "//");
	size_t len;

	if (!host)
		return false;
	host += 2;
	len = strcspn(host, "/?");
	snprintf(a->url, sizeof(a->url), "http://%.*s", (int)(len < 256 ? len : 256), host);
	return len > 0;
}

/* The JSON of a 200, or NULL with a problem. */
static json_t *ask(struct asking *a, const char *endpoint)
{
	struct http_answer answer = { 0 };
	json_t *json = NULL;

	if (get(a, endpoint, &answer) < 0)
		return NULL;
	if (answer.status == 307 && go_to_leader(a, answer.location)) {
		free(answer.body);
		answer = (struct http_answer){ 0 };
		if (get(a, endpoint, &answer) < 0)
			return NULL;
	}
	a->fact.master.http_status = answer.status;
	if (answer.status == 200)
		json = jsonval_load(answer.body, answer.len, 0, NULL);
	if (answer.status != 200)
		lacks(a, "%s answered %d to %s", a->url, answer.status, endpoint);
	else if (!json)
		lacks(a, "the answer to %s is no JSON", endpoint);
	free(answer.body);
	return json;
}

/* ---- what it says ---- */

/* NO only of a list that is one. */
static enum ew_tri lists(const json_t *slaves, const char *slave_id)
{
	const json_t *list = json_object_get(slaves, "slaves"), *slave;
	size_t i;

	if (!json_is_array(list) || !*slave_id)
		return EW_UNKNOWN;
	json_array_foreach(list, i, slave)
	{
		const char *id = json_string_value(json_object_get(slave, "id"));

		if (id && strcmp(id, slave_id) == 0)
			return EW_YES;
	}
	return EW_NO;
}

static const char *flag_text(const json_t *flags, const char *name, const char *old_name)
{
	const char *text = json_string_value(json_object_get(flags, name));

	return text ? text : json_string_value(json_object_get(flags, old_name));
}

/* How long it waits for a silent agent: both flags; slave_… before 1.0 (Mesos master/flags.cpp). */
static int64_t removal_after(const json_t *answer)
{
	const json_t *flags = json_object_get(answer, "flags");
	const char *ping = flag_text(flags, "agent_ping_timeout", "slave_ping_timeout");
	const char *max = flag_text(flags, "max_agent_ping_timeouts", "max_slave_ping_timeouts");
	int64_t ns;
	long n = max ? strtol(max, NULL, 10) : 0;

	if (!ping || mesos_duration_parse(mesos_span_of(ping), &ns) < 0 || n < 1 || n > 100000 ||
	    ns > INT64_MAX / n)
		return 0;
	return ns * n;
}

static void ask_both(struct asking *a)
{
	json_t *answer = ask(a, "/slaves");

	if (answer)
		a->fact.master.lists_agent = lists(answer, a->question->slave_id);
	if (answer && !json_is_array(json_object_get(answer, "slaves")))
		lacks(a, "%s", "the answer to /slaves has no list of agents");
	json_decref(answer);
	if (!answer)
		return;
	answer = ask(a, "/flags");
	if (answer)
		a->fact.master.removal_after = removal_after(answer);
	json_decref(answer);
}

void master_emit(const struct master_question *question, const struct fact_sink *sink)
{
	struct asking a = { .question = question, .fact = { .type = FACT_MASTER } };

	a.fact.master.named = question->named;
	a.fact.master.slave_id = question->slave_id;
	if (find_url(&a))
		ask_both(&a);
	a.fact.mono = now_mono();
	a.fact.master.url = a.url;
	a.fact.master.problem = a.problem;
	fact_emit(sink, &a.fact);
}

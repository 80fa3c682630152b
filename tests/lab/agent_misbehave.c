/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * APIs that tests need: answers that are refused, empty, slow or no HTTP at all, and a /state
 * that somebody else has written.
 */
#include "agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { SLOW_MS = 200, ENDLESS_MS = 20, ENDLESS_SIZE = 4096 };

/* What goes on being sent to one connection. */
struct drip {
	struct agent *agent;
	unsigned long serial;
	bool endless;
	size_t sent; /* of text, if it is not endless */
	struct buf text;
};

static void drip_on(void *arg)
{
	struct drip *d = arg;
	struct conn *c = agent_conn(d->agent, d->serial);

	if (!c || (!d->endless && d->sent == d->text.len)) {
		buf_free(&d->text);
		free(d);
		return;
	}
	if (!d->endless) {
		conn_send(c, d->text.data + d->sent++, 1);
	} else if (!c->out.len) {
		struct buf chunk = { 0 };

		buf_fmt(&chunk, "%x\r\n%*s\r\n", ENDLESS_SIZE, ENDLESS_SIZE, "");
		conn_send_buf(c, &chunk);
	}
	loop_after(d->agent->loop, d->endless ? ENDLESS_MS : SLOW_MS, drip_on, d);
}

static void drip(struct agent *a, struct conn *c, const char *text, bool endless)
{
	struct drip *d = lab_calloc(1, sizeof(*d));

	d->agent = a;
	d->serial = agent_conn_serial(a, c);
	d->endless = endless;
	buf_str(&d->text, text);
	drip_on(d);
}

static void put_head(struct buf *out, const char *status, const char *headers)
{
	buf_fmt(out, "HTTP/1.1 %s\r\nDate: ", status);
	http_date(out);
	buf_fmt(out, "\r\n%s\r\n", headers);
}

static void hang(struct agent *a, struct conn *c)
{
	(void)a;
	(void)c;
}

static void garbage(struct agent *a, struct conn *c)
{
	static const char bytes[] = "\x7f\x00\xff not http at all \r\n\r\n{\"frameworks\":[{";

	(void)a;
	conn_send(c, bytes, sizeof(bytes) - 1);
}

static void unauthorized(struct agent *a, struct conn *c)
{
	struct buf out = { 0 };

	(void)a;
	put_head(&out, "401 Unauthorized",
		 "WWW-Authenticate: Basic realm=\"mesos-agent-readonly\"\r\nContent-Length: 0\r\n");
	conn_send_buf(c, &out);
}

static void forbidden(struct agent *a, struct conn *c)
{
	struct buf out = { 0 };

	(void)a;
	put_head(&out, "403 Forbidden", "Content-Length: 0\r\n");
	conn_send_buf(c, &out);
}

/* The connection is reset as soon as something is asked. */
static void reset(struct agent *a, struct conn *c)
{
	struct linger now = { .l_onoff = 1 };

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	agent_forget_conn(a, c);
	conn_close(c);
}

/* A byte five times a second, of an answer that takes minutes. */
static void slow(struct agent *a, struct conn *c)
{
	struct buf out = { 0 };

	put_head(&out, "200 OK", "Content-Type: application/json\r\nContent-Length: 2000\r\n");
	conn_send_buf(c, &out);
	buf_fmt(&out, "{%1998s}", "");
	drip(a, c, out.data, false);
	buf_free(&out);
}

/* White space without an end. */
static void endless(struct agent *a, struct conn *c)
{
	struct buf out = { 0 };

	put_head(&out, "200 OK",
		 "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n");
	conn_send_buf(c, &out);
	drip(a, c, "", true);
}

static const struct {
	const char *name;
	bool health; /* that endpoint has no realm: it answers as ever */
	void (*answer)(struct agent *a, struct conn *c);
} kinds[] = {
	{ "hang", true, hang },		 { "garbage", true, garbage },
	{ "auth", false, unauthorized }, { "forbidden", false, forbidden },
	{ "reset", true, reset },	 { "slow", true, slow },
	{ "endless", true, endless },
};

/* DIR/agents/NAME.state.json, where there is one: the lab's test has written it. */
static bool forged(struct agent *a, struct conn *c, const char *target)
{
	char *path, chunk[4096];
	struct buf out = { 0 }, body = { 0 };
	size_t n;
	FILE *f;

	if (strcmp(target, "/state") && strcmp(target, "/slave(1)/state"))
		return false;
	path = lab_fmt("%s/agents/%s.state.json", a->flags.lab_dir, a->flags.lab_name);
	f = fopen(path, "re");
	free(path);
	if (!f)
		return false;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_add(&body, chunk, n);
	fclose(f);
	http_response(&out, "200 OK", "application/json", &body);
	buf_free(&body);
	conn_send_buf(c, &out);
	return true;
}

bool agent_misbehave_known(const char *api)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(api, kinds[i].name))
			return true;
	return !strcmp(api, "ok") || !strcmp(api, "empty");
}

bool agent_misbehave(struct agent *a, struct conn *c, const char *target)
{
	bool health = !strcmp(target, "/health") || !strcmp(target, "/slave(1)/health");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!launch_is(a->flags.api, kinds[i].name) || (health && !kinds[i].health))
			continue;
		kinds[i].answer(a, c);
		return true;
	}
	return a->state >= AGENT_RUNNING && forged(a, c, target);
}

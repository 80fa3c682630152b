/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/api.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/now.h"
#include "facts.h"
#include "base/error.h"
#include "mesos/http_framing.h"
#include "mesos/http_head.h"
#include "mesos/span.h"
#include "mesos/api_state.h"
#include "observe/agent/api_answer.h"
#include "observe/agent/api_url.h"
#include "observe/agent/tls.h"
#include "base/netns.h"
#include "observe/netlink/own_traffic.h"

#define STATE	   "/state"
#define FLAGS	   "/flags"
#define TLS_HINT   "an agent that speaks TLS only is asked with --agent-url https://HOST:PORT"
#define BODY_BEGIN 4096 /* of an answer: to tell JSON and the agent's errors from others' pages */

struct api {
	struct event_base *base;
	struct api_url url;
	const struct tls *tls; /* NULL: plain text */
	char *url_text;
	char *authorization;
	int nsfd;
	bool emit_own;
	int32_t pid; /* whose answer it will be; 0: not known */
	uint64_t start;
	uint32_t timeout_ms;

	/* The question that is under way; bev is NULL while there is none. */
	struct bufferevent *bev;
	struct event *timer;
	struct http_framing *framing;
	struct api_state *body; /* what it says so far */
	const char *endpoint;
	struct fact answer; /* FACT_API, filled as it becomes known */
	int status;
	char problem[640];
	struct fact_sink sink;
};

static void ask_endpoint(struct api *api, const char *endpoint);

static void connection_drop(struct api *api)
{
	if (api->bev)
		bufferevent_free(api->bev);
	api->bev = NULL;
	http_framing_free(api->framing);
	api->framing = NULL;
}

static void body_drop(struct api *api)
{
	api_state_free(api->body);
	api->body = NULL;
}

/* The answer is complete, or there will be none. */
static void finish(struct api *api)
{
	connection_drop(api);
	event_del(api->timer);
	api->endpoint = NULL;
	api->answer.mono = now_mono();
	api->answer.api.problem = api->problem;
	fact_emit(&api->sink, &api->answer);
	body_drop(api);
}

static void answer_lacks(struct api *api, const char *text)
{
	snprintf(api->problem, sizeof(api->problem), "%s", text);
	finish(api);
}

static void answer_failed(struct api *api, const struct error *error)
{
	char text[sizeof(api->problem)];

	answer_lacks(api, error_text(error, text, sizeof(text)));
}

/* After the last byte: of an answer that is cut nothing counts. */
static void got_state(struct api *api)
{
	const struct mesos_state *state;
	struct error error = { 0 };

	if (api_state_end(api->body, &state, &error) < 0)
		answer_failed(api, &error);
	else if (api_answer_state(&api->answer.api, state, &api->sink) < 0)
		answer_lacks(api, "out of memory");
	else
		finish(api);
}

/* Only while the agent recovers; /state gives the rest later. */
static void got_flags(struct api *api, struct mesos_span begin)
{
	const struct mesos_state *state;

	if (api_status_check(api->status, begin, NULL) == 0 &&
	    api_state_end(api->body, &state, NULL) == 0)
		api_answer_flags(&api->answer.api, &state->flags, &api->sink);
	finish(api);
}

/* begin is enough of the body to see what it is. */
static void got_answer(struct api *api, struct mesos_span begin)
{
	struct error error = { 0 };
	int err;

	if (strcmp(api->endpoint, FLAGS) == 0) {
		got_flags(api, begin);
		return;
	}
	api->answer.api.http_status = api->status;
	err = api_status_check(api->status, begin, &error);
	if (err == -EAGAIN) {
		api->answer.api.recovering = true;
		connection_drop(api);
		ask_endpoint(api, FLAGS);
	} else if (err < 0) {
		answer_failed(api, &error);
	} else {
		got_state(api);
	}
}

/* Returns true when the connection has served its purpose (and may be gone). */
static bool got_frame(struct api *api, const struct http_frame *frame)
{
	struct http_start start;

	if (frame->body_len > API_BODY_MAX) {
		answer_lacks(api, "the answer is larger than 64 MiB");
		return true;
	}
	switch (frame->kind) {
	case HTTP_FRAME_HEAD:
		if (http_start_parse(frame->head, &start) < 0 || !start.response)
			break;
		api->status = start.status;
		return false;
	case HTTP_FRAME_BODY:
		if (api->status == 200)
			api_state_feed(api->body, frame->piece);
		return false;
	case HTTP_FRAME_END:
		got_answer(api, frame->body);
		return true;
	case HTTP_FRAME_GARBAGE:
		break;
	default:
		return false;
	}
	answer_lacks(api, "the answer is no HTTP, or ends too early; " TLS_HINT);
	return true;
}

static void on_read(struct bufferevent *bev, void *ctx)
{
	struct evbuffer *input = bufferevent_get_input(bev);
	struct api *api = ctx;
	struct http_frame frame;

	while (evbuffer_get_length(input)) {
		size_t len = evbuffer_get_contiguous_space(input);
		const unsigned char *bytes = evbuffer_pullup(input, (ev_ssize_t)len);
		size_t used = 0;

		do {
			used += http_framing_feed(api->framing, bytes + used, len - used, &frame);
			if (got_frame(api, &frame))
				return;
		} while (frame.kind != HTTP_FRAME_MORE);
		evbuffer_drain(input, len);
	}
}

static void on_event(struct bufferevent *bev, short what, void *ctx)
{
	struct api *api = ctx;
	int err = EVUTIL_SOCKET_ERROR();
	struct http_frame frame;
	struct error error = { 0 };
	char problem[320];

	if (what & BEV_EVENT_CONNECTED)
		return;
	if (what & BEV_EVENT_EOF) {
		http_framing_finish(api->framing, &frame);
		if (frame.kind == HTTP_FRAME_MORE)
			answer_lacks(api, "the connection was closed without an answer; " TLS_HINT);
		else
			got_frame(api, &frame);
		return;
	}
	if (api->tls && *tls_problem(api->tls, bev, problem, sizeof(problem))) {
		answer_lacks(api, problem);
		return;
	}
	error_set(&error, -(err ? err : ECONNRESET),
		  err == ECONNRESET ? TLS_HINT : "is the agent running? see --agent-url, --port",
		  "ask %s%s", api->url_text, api->endpoint);
	answer_failed(api, &error);
}

static void on_timeout(evutil_socket_t fd, short what, void *ctx)
{
	struct api *api = ctx;

	(void)fd;
	(void)what;
	/* A recovering agent that does not tell its flags has answered what matters. */
	if (api->answer.api.recovering)
		finish(api);
	else
		answer_lacks(api, "no answer in time: the agent hangs, or something drops packets");
}

static int socket_connected(struct api *api, struct error *error)
{
	int fd = netns_socket(api->nsfd, api->url.addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0,
			      error);

	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&api->url.addr, api->url.addr_len) < 0 &&
	    errno != EINPROGRESS) {
		int err = -errno;

		close(fd);
		return error_set(error, err, NULL, "connect to %s", api->url_text);
	}
	if (api->emit_own)
		own_traffic_emit(fd, api->nsfd, &api->url.addr, &api->sink);
	return fd;
}

static void request_write(struct api *api)
{
	struct evbuffer *out = bufferevent_get_output(api->bev);

	evbuffer_add_printf(out, "GET %s%s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\n",
			    api->url.path, api->endpoint, api->url.host);
	if (api->authorization)
		evbuffer_add_printf(out, "Authorization: %s\r\n", api->authorization);
	evbuffer_add_printf(out, "User-Agent: execwatch\r\nConnection: close\r\n\r\n");
}

/*
 * libevent connects sockets in its own namespace only: the socket is made in the agent's, and is
 * given to a bufferevent while it connects.
 */
static void ask_endpoint(struct api *api, const char *endpoint)
{
	struct error error = { 0 };
	int fd = socket_connected(api, &error);

	api->endpoint = endpoint;
	if (fd < 0) {
		answer_failed(api, &error);
		return;
	}
	api->framing = http_framing_new(BODY_BEGIN);
	body_drop(api);
	api->body = api_state_new(strcmp(endpoint, FLAGS) == 0 ? MESOS_FLAGS : MESOS_STATE);
	api->bev = api->tls ? tls_bufferevent(api->tls, api->base, fd, api->url.node)
			    : bufferevent_socket_new(api->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!api->bev)
		close(fd);
	if (!api->bev || !api->framing || !api->body) {
		answer_lacks(api, "out of memory");
		return;
	}
	bufferevent_setcb(api->bev, on_read, NULL, on_event, api);
	if (!api->tls) /* it connects already: only await it */
		bufferevent_socket_connect(api->bev, NULL, 0);
	request_write(api);
	bufferevent_enable(api->bev, EV_READ | EV_WRITE);
}

static int credential_check(const struct api_options *options, const struct api_url *url,
			    struct error *error)
{
	if (!options->authorization || url->tls || api_url_is_of(url, options->agent))
		return 0;
	return error_set(error, -EPERM, "give an https URL, or leave --credential-file out",
			 "ask %s: it is not the agent found here, and a credential is sent to "
			 "nobody else in plain text",
			 options->url);
}

int api_new(struct event_base *base, const struct api_options *options, struct api **ret_api,
	    struct error *error)
{
	struct api *api = calloc(1, sizeof(*api));
	int err;

	if (!api)
		return error_set(error, -ENOMEM, NULL, "ask %s", options->url);
	api->nsfd = NETNS_OWN;
	api->base = base;
	api->emit_own = options->emit_own;
	api->pid = options->pid;
	api->start = options->start;
	api->timeout_ms = options->timeout_ms ? options->timeout_ms : API_TIMEOUT_MS;
	err = api_url_parse(options->url, &api->url, error);
	api->tls = api->url.tls ? options->tls : NULL;
	if (!err && api->url.tls && !options->tls)
		err = error_set(error, -EPROTONOSUPPORT, NULL, "ask %s: no TLS", options->url);
	if (!err)
		err = credential_check(options, &api->url, error);
	if (err < 0)
		goto out;
	api->url_text = strdup(options->url);
	api->authorization = options->authorization ? strdup(options->authorization) : NULL;
	api->timer = evtimer_new(base, on_timeout, api);
	if (options->nsfd != NETNS_OWN)
		api->nsfd = fcntl(options->nsfd, F_DUPFD_CLOEXEC, 0);
	if (!api->url_text || !api->timer || (options->authorization && !api->authorization) ||
	    (options->nsfd != NETNS_OWN && api->nsfd < 0)) {
		err = error_set(error, -ENOMEM, NULL, "ask %s", options->url);
		goto out;
	}
	*ret_api = api;
	return 0;
out:
	api_free(api);
	return err;
}

void api_free(struct api *api)
{
	if (!api)
		return;
	connection_drop(api);
	body_drop(api);
	if (api->timer)
		event_free(api->timer);
	if (api->nsfd >= 0)
		close(api->nsfd);
	if (api->authorization)
		explicit_bzero(api->authorization, strlen(api->authorization));
	free(api->authorization);
	free(api->url_text);
	free(api);
}

bool api_is_asking(const struct api *api)
{
	return api && api->endpoint;
}

int api_ask(struct api *api, uint32_t answer_nr, const struct fact_sink *sink)
{
	struct timeval bound = { .tv_sec = api->timeout_ms / 1000,
				 .tv_usec = api->timeout_ms % 1000 * 1000 };

	if (api->endpoint)
		return -EBUSY;
	api->answer = (struct fact){ .type = FACT_API };
	api->answer.api.url = api->url_text;
	api->answer.api.answer_nr = answer_nr;
	api->answer.api.pid = api->pid;
	api->answer.api.start = api->start;
	api->problem[0] = '\0';
	api->status = 0;
	api->sink = *sink;
	event_add(api->timer, &bound);
	ask_endpoint(api, STATE);
	return 0;
}

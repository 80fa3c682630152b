/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "loop.h"

#include "buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

struct watch {
	struct loop *loop;
	int fd;
	bool dead;
	loop_io_fn *fn;
	void *arg;
};

struct timer {
	struct timer *next;
	uint64_t at_ns;
	loop_timer_fn *fn;
	void *arg;
};

struct garbage {
	struct garbage *next;
	void *ptr;
};

struct loop {
	int epfd;
	struct timer *timers; /* soonest first */
	struct garbage *garbage;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

struct loop *loop_new(void)
{
	struct loop *l = lab_calloc(1, sizeof(*l));

	l->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epfd < 0)
		lab_die("epoll_create1: %s", strerror(errno));
	return l;
}

struct watch *loop_watch(struct loop *l, int fd, uint32_t events, loop_io_fn *fn, void *arg)
{
	struct watch *w = lab_calloc(1, sizeof(*w));
	struct epoll_event ev = { .events = events, .data.ptr = w };

	*w = (struct watch){ .loop = l, .fd = fd, .fn = fn, .arg = arg };
	if (epoll_ctl(l->epfd, EPOLL_CTL_ADD, fd, &ev) < 0)
		lab_die("epoll_ctl(add %d): %s", fd, strerror(errno));
	return w;
}

void loop_watch_events(struct watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };

	if (epoll_ctl(w->loop->epfd, EPOLL_CTL_MOD, w->fd, &ev) < 0)
		lab_die("epoll_ctl(mod %d): %s", w->fd, strerror(errno));
}

void loop_unwatch(struct watch *w)
{
	if (!w)
		return;
	epoll_ctl(w->loop->epfd, EPOLL_CTL_DEL, w->fd, NULL);
	w->dead = true;
	loop_free_later(w->loop, w);
}

struct timer *loop_after(struct loop *l, uint64_t ms, loop_timer_fn *fn, void *arg)
{
	struct timer *t = lab_calloc(1, sizeof(*t));
	struct timer **at = &l->timers;

	*t = (struct timer){ .at_ns = now_ns() + ms * 1000000ull, .fn = fn, .arg = arg };
	while (*at && (*at)->at_ns <= t->at_ns)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
	return t;
}

void loop_cancel(struct loop *l, struct timer *t)
{
	for (struct timer **at = &l->timers; t && *at; at = &(*at)->next) {
		if (*at != t)
			continue;
		*at = t->next;
		free(t);
		return;
	}
}

void loop_free_later(struct loop *l, void *ptr)
{
	struct garbage *g = lab_calloc(1, sizeof(*g));

	*g = (struct garbage){ .next = l->garbage, .ptr = ptr };
	l->garbage = g;
}

static void loop_collect(struct loop *l)
{
	while (l->garbage) {
		struct garbage *g = l->garbage;

		l->garbage = g->next;
		free(g->ptr);
		free(g);
	}
}

static void loop_run_timers(struct loop *l)
{
	uint64_t now = now_ns();

	while (l->timers && l->timers->at_ns <= now) {
		struct timer *t = l->timers;

		l->timers = t->next;
		t->fn(t->arg);
		free(t);
	}
}

/* Rounded up, so that the timer is due when epoll_wait() comes back. */
static int loop_wait_ms(const struct loop *l)
{
	uint64_t now = now_ns();

	if (!l->timers)
		return -1;
	if (l->timers->at_ns <= now)
		return 0;
	return (l->timers->at_ns - now + 999999) / 1000000;
}

void loop_run(struct loop *l)
{
	struct epoll_event evs[64];

	for (;;) {
		int n = epoll_wait(l->epfd, evs, 64, loop_wait_ms(l));

		if (n < 0 && errno != EINTR)
			lab_die("epoll_wait: %s", strerror(errno));
		for (int i = 0; i < n; i++) {
			struct watch *w = evs[i].data.ptr;

			if (!w->dead)
				w->fn(w->arg, evs[i].events);
		}
		loop_run_timers(l);
		loop_collect(l);
	}
}

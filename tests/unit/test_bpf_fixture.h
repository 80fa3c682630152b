/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For tests of BPF: a network namespace of the test's own, and facts stored for comparison. Each
 * test process has a port of its own, so that other processes of this kernel do not show.
 */
#ifndef EW_TEST_BPF_FIXTURE_H
#define EW_TEST_BPF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/agent_ports.h"
#include "base/error.h"
#include "facts.h"
#include "observe/bpf/counters.h"
#include "observe/bpf/hooks_probe.h"
#include "observe/bpf/observer.h"
#include "observe/bpf/pins.h"
#include "observe/bpf/libbpf.h"
#include "observe/bpf/observer_internal.h"
#include "observe/bpf/records.h"
#include "observe/bpf/rings.h"

#define FACTS_MAX   100000
#define PATIENCE_MS 30000 /* an emulated processor is slow */
#define QUIET_MS    2000  /* after that nothing more is expected */

struct fixture {
	struct ew_bpf *watch;
	struct fact_sink sink;
	struct fact facts[FACTS_MAX]; /* strings are the fixture's own */
	size_t n;
	uint16_t port;
	uint64_t netns;
	int left[8]; /* programs for changes of TCP state, of watches that were left
			(test_bpf_pinned.h) */
	size_t n_left;
};

static inline const char *kept(const char *text)
{
	return strdup(text ? text : "");
}

static inline void fixture_emit(void *ctx, const struct fact *fact)
{
	struct fixture *f = ctx;
	struct fact *copy = &f->facts[f->n];

	assert_true(f->n < FACTS_MAX);
	*copy = *fact;
	switch (fact->type) {
	case FACT_HOOK:
		copy->hook.hook = kept(fact->hook.hook);
		copy->hook.program = kept(fact->hook.program);
		copy->hook.reason = kept(fact->hook.reason);
		break;
	case FACT_EXEC:
		copy->exec.comm = kept(fact->exec.comm);
		copy->exec.filename = kept(fact->exec.filename);
		break;
	case FACT_EXIT:
		copy->exit.comm = kept(fact->exit.comm);
		copy->exit.killer_comm = kept(fact->exit.killer_comm);
		break;
	case FACT_SIGNAL:
		copy->signal.sender_comm = kept(fact->signal.sender_comm);
		break;
	case FACT_MESSAGE:
		copy->message.name = kept(fact->message.name);
		copy->message.from = kept(fact->message.from);
		copy->message.executor_id = kept(fact->message.executor_id);
		copy->message.framework_id = kept(fact->message.framework_id);
		break;
	case FACT_LOST:
		copy->lost.cause = kept(fact->lost.cause);
		break;
	default:
		break;
	}
	f->n++;
}

static inline void fixture_forget(struct fixture *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct fact *fact = &f->facts[i];

		if (fact->type == FACT_HOOK) {
			free((void *)fact->hook.hook);
			free((void *)fact->hook.program);
			free((void *)fact->hook.reason);
		} else if (fact->type == FACT_EXEC) {
			free((void *)fact->exec.comm);
			free((void *)fact->exec.filename);
		} else if (fact->type == FACT_EXIT) {
			free((void *)fact->exit.comm);
			free((void *)fact->exit.killer_comm);
		} else if (fact->type == FACT_SIGNAL) {
			free((void *)fact->signal.sender_comm);
		} else if (fact->type == FACT_MESSAGE) {
			free((void *)fact->message.name);
			free((void *)fact->message.from);
			free((void *)fact->message.executor_id);
			free((void *)fact->message.framework_id);
		} else if (fact->type == FACT_LOST) {
			free((void *)fact->lost.cause);
		}
	}
	f->n = 0;
}

/* A directory for pins, in a mount namespace of the test's own. */
static inline int fixture_dir_new(char *template)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return mkdtemp(template) ? 0 : -1;
}

/* Into a new network namespace with its loopback up. */
static inline void netns_enter(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

static inline uint64_t netns_of_self(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	return st.st_ino;
}

static inline void fixture_open(struct fixture *f, const struct ew_bpf_options *options)
{
	struct error error = { 0 };

	if (ew_bpf_open(options, &f->sink, &f->watch, &error) < 0)
		fail_msg("%s; %s", error.message, error.cure);
}

/* cmocka's setup for a test; options may be NULL. */
static inline struct fixture *fixture_new(const struct ew_bpf_options *options)
{
	struct ew_bpf_options used = { 0 };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	if (options)
		used = *options;
	netns_enter();
	f->netns = netns_of_self();
	f->sink = (struct fact_sink){ fixture_emit, f };
	/* Even: a test that takes the next port too is not in the way of the next process. */
	f->port = (uint16_t)(10000 + 2 * (getpid() % 10000));
	used.agent_port = f->port;
	fixture_open(f, &used);
	return f;
}

/* Scans all descriptors. */
static inline void fixture_scan(struct fixture *f)
{
	struct error error = { 0 };

	if (ew_bpf_scan(f->watch, &f->sink, &error) < 0)
		fail_msg("%s", error.message);
}

static inline void fixture_free(struct fixture *f)
{
	ew_bpf_free(f->watch);
	fixture_forget(f);
	while (f->n_left)
		close(f->left[--f->n_left]);
	free(f);
}

static inline int64_t mono_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Dispatches until count facts satisfy match, or fails the test. */
static inline void fixture_wait(struct fixture *f, bool (*match)(const struct fact *, const void *),
				const void *arg, size_t count, const char *what)
{
	int64_t end = mono_ms() + PATIENCE_MS;

	for (;;) {
		struct pollfd pfd = { .fd = ew_bpf_fd(f->watch), .events = POLLIN };
		size_t found = 0;

		ew_bpf_dispatch(f->watch, &f->sink);
		for (size_t i = 0; i < f->n; i++)
			found += match(&f->facts[i], arg);
		if (found >= count)
			return;
		if (mono_ms() > end)
			fail_msg("%zu of %zu: %s", found, count, what);
		poll(&pfd, 1, 100);
	}
}

struct expected_state {
	uint64_t cookie;
	uint32_t to;
};

static inline bool state_reached(const struct fact *fact, const void *arg)
{
	const struct expected_state *e = arg;

	return fact->type == FACT_TCP && fact->tcp.cookie == e->cookie && fact->tcp.to == e->to;
}

static inline void fixture_wait_state(struct fixture *f, uint64_t cookie, uint32_t to)
{
	struct expected_state e = { cookie, to };

	fixture_wait(f, state_reached, &e, 1, "change of TCP state");
}

static inline size_t fixture_count(const struct fixture *f, enum fact_type type)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->facts[i].type == type;
	return n;
}

/* The last FACT_LOST of this cause, or NULL. */
static inline const struct fact *fixture_loss(const struct fixture *f, const char *cause)
{
	for (size_t i = f->n; i-- > 0;)
		if (f->facts[i].type == FACT_LOST && strcmp(f->facts[i].lost.cause, cause) == 0)
			return &f->facts[i];
	return NULL;
}

static inline uint64_t fixture_lost(const struct fixture *f, const char *cause)
{
	const struct fact *loss = fixture_loss(f, cause);

	return loss ? loss->lost.lost : 0;
}

/* Changes of TCP state that were emitted or counted as lost. */
static inline size_t fixture_reported_or_lost(const struct fixture *f)
{
	return fixture_count(f, FACT_TCP) + fixture_lost(f, "lifecycle-ring") +
	       fixture_lost(f, "history");
}

/* Changes of TCP state, of the whole host, for which the kernel has skipped the programs. */
static inline size_t fixture_misses(const struct fixture *f)
{
	size_t misses =
		ew_bpf_misses(bpf_program__fd(f->watch->programs.skel->progs.tcp_state_set));

	for (size_t i = 0; i < f->n_left; i++)
		misses += ew_bpf_misses(f->left[i]);
	return misses;
}

/*
 * Dispatches until the expected number of changes was reported or lost. The last packets of a
 * connection may still be queued when both ends are closed. When they interrupt a running program,
 * the kernel skips it and counts a miss (EW_BPF_MISS_HEALS), which is accepted in place of a
 * change.
 */
static inline size_t fixture_settle(struct fixture *f, size_t expected)
{
	int64_t end = mono_ms() + PATIENCE_MS, quiet = mono_ms() + QUIET_MS;
	size_t seen = 0;

	for (;;) {
		struct pollfd pfd = { .fd = ew_bpf_fd(f->watch), .events = POLLIN };
		size_t before = seen;

		ew_bpf_dispatch(f->watch, &f->sink);
		ew_bpf_counters(f->watch, false, &f->sink);
		seen = fixture_reported_or_lost(f);
		if (seen >= expected)
			return seen;
		if (seen != before)
			quiet = mono_ms() + QUIET_MS;
		else if (mono_ms() > quiet && seen + fixture_misses(f) >= expected)
			return expected;
		if (mono_ms() > end) {
			print_message("%zu of %zu, %zu missed\n", seen, expected,
				      fixture_misses(f));
			return seen;
		}
		poll(&pfd, 1, 10);
	}
}

#endif

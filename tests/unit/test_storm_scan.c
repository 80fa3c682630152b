/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An observer starts on a host with 1,000 executors, of which 100 reconnect, close and fork all the
 * time: none is missed, none is reported twice or with another's socket. STORM=full: 20 times.
 */
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "observe/bpf/libbpf.h"
#include "events.h"
#include "test_bpf_actor.h"

#define EXECUTORS 1000
#define RESTLESS  100 /* the first of them */
#define LINKS_MAX 512 /* of one executor, in one scan */

struct executor {
	pid_t pid;
	uint16_t port; /* its end of the link it has now */
	uint64_t links[LINKS_MAX];
	pid_t children[LINKS_MAX];
	_Atomic uint32_t n_links, n_children;
};

struct truth {
	uint16_t port;
	_Atomic uint32_t listening, connected;
	_Atomic uint32_t round, resting; /* odd rounds: they are restless */
	_Atomic uint32_t failed;	 /* line */
	struct executor executors[EXECUTORS];
};

static struct fixture *fixture;
static struct truth *truth;
static pid_t agent;

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			atomic_store(&truth->failed, __LINE__);                                    \
			pause();                                                                   \
		}                                                                                  \
	} while (0)

/* ---- the agent: accepts all connections, closes what its peer has closed ---- */

static void agent_live(void)
{
	static struct pollfd fds[EXECUTORS * 2 + 1];
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(truth->port) };
	size_t n = 1;
	char buf[64];

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fds[0] = (struct pollfd){ .fd = socket(AF_INET, SOCK_STREAM, 0), .events = POLLIN };
	CHECK(bind(fds[0].fd, (void *)&here, sizeof(here)) == 0 && listen(fds[0].fd, 1024) == 0);
	atomic_store(&truth->listening, 1);
	for (;;) {
		CHECK(poll(fds, n, -1) > 0);
		for (size_t i = n - 1; i > 0; i--) {
			if (!fds[i].revents || recv(fds[i].fd, buf, sizeof(buf), 0) > 0)
				continue;
			close(fds[i].fd);
			fds[i] = fds[--n];
		}
		if (!fds[0].revents)
			continue;
		CHECK(n < sizeof(fds) / sizeof(fds[0]));
		fds[n] = (struct pollfd){ .fd = accept(fds[0].fd, NULL, NULL), .events = POLLIN };
		CHECK(fds[n++].fd >= 0);
	}
}

/* ---- executors ---- */

static int link_new(struct executor *self)
{
	struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(truth->port) }, here;
	socklen_t len = sizeof(here);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	self->links[atomic_fetch_add(&self->n_links, 1)] = (uint64_t)cookie_of(fd);
	CHECK(connect(fd, (void *)&there, sizeof(there)) == 0);
	CHECK(getsockname(fd, (void *)&here, &len) == 0);
	self->port = ntohs(here.sin_port);
	return fd;
}

/* A child that inherits the link for a while. */
static void child_come_and_go(struct executor *self)
{
	pid_t pid = child_new();

	if (pid == 0) {
		poll(NULL, 0, 1);
		_exit(0);
	}
	self->children[atomic_fetch_add(&self->n_children, 1)] = pid;
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static void rest(uint32_t until_after)
{
	atomic_fetch_add(&truth->resting, 1);
	while (atomic_load(&truth->round) == until_after)
		poll(NULL, 0, 1);
}

static void restless_live(struct executor *self, int fd)
{
	for (;;) {
		uint32_t round = atomic_load(&truth->round);
		int old = fd;

		if (round % 2 == 0 || atomic_load(&self->n_links) == LINKS_MAX) {
			rest(round);
			continue;
		}
		if (self->n_links % 4 == 0)
			child_come_and_go(self);
		fd = link_new(self);
		close(old);
		poll(NULL, 0, 1);
	}
}

static void executor_live(struct executor *self)
{
	int fd;

	while (!atomic_load(&truth->listening))
		poll(NULL, 0, 1);
	fd = link_new(self);
	atomic_fetch_add(&truth->connected, 1);
	if (self - truth->executors < RESTLESS)
		restless_live(self, fd);
	for (;;)
		pause();
}

/* ---- the host ---- */

static void await(_Atomic uint32_t *counter, uint32_t wanted, const char *what)
{
	int64_t end = mono_ms() + 2 * PATIENCE_MS;

	while (atomic_load(counter) < wanted) {
		if (atomic_load(&truth->failed))
			fail_msg("a process failed at line %u", atomic_load(&truth->failed));
		if (mono_ms() > end)
			fail_msg("%u of %u %s", atomic_load(counter), wanted, what);
		poll(NULL, 0, 1);
	}
}

static void host_new(uint16_t port)
{
	struct rlimit files = { 4096, 4096 };

	truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	assert_ptr_not_equal(truth, MAP_FAILED);
	truth->port = port;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	agent = child_new();
	if (agent == 0)
		agent_live();
	for (int i = 0; i < EXECUTORS; i++) {
		pid_t pid = child_new();

		if (pid == 0)
			executor_live(&truth->executors[i]);
		truth->executors[i].pid = pid;
	}
	await(&truth->connected, EXECUTORS, "executors are connected");
	await(&truth->resting, RESTLESS, "executors rest");
}

static void host_end(void)
{
	for (int i = 0; i < EXECUTORS; i++)
		kill(truth->executors[i].pid, SIGKILL);
	kill(agent, SIGKILL);
	for (int i = 0; i < EXECUTORS; i++)
		waitpid(truth->executors[i].pid, NULL, 0);
	waitpid(agent, NULL, 0);
	munmap(truth, sizeof(*truth));
}

static void unrest_begin(void)
{
	for (int i = 0; i < RESTLESS; i++) {
		struct executor *e = &truth->executors[i];

		e->links[0] = e->links[e->n_links - 1];
		e->n_links = 1;
		e->n_children = 0;
	}
	atomic_fetch_add(&truth->round, 1);
}

static void unrest_end(void)
{
	atomic_store(&truth->resting, 0);
	atomic_fetch_add(&truth->round, 1);
	await(&truth->resting, RESTLESS, "executors rest");
}

static void wait_for_unrest(uint32_t links)
{
	for (int i = 0; i < RESTLESS; i++)
		await(&truth->executors[i].n_links, links, "links");
}

/* ---- facts against the real state ---- */

struct reported {
	uint64_t cookie;
	const struct executor *owner;
	size_t sockets, holders;
	bool now; /* the present link */
};

static struct reported reported[EXECUTORS + RESTLESS * LINKS_MAX];
static size_t n_reported;

static int by_cookie(const void *a, const void *b)
{
	const struct reported *x = a, *y = b;

	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

static void reported_begin(void)
{
	n_reported = 0;
	for (int i = 0; i < EXECUTORS; i++) {
		const struct executor *e = &truth->executors[i];

		for (uint32_t k = 0; k < e->n_links; k++)
			reported[n_reported++] = (struct reported){ .cookie = e->links[k],
								    .owner = e,
								    .now = k == e->n_links - 1 };
	}
	qsort(reported, n_reported, sizeof(reported[0]), by_cookie);
}

static struct reported *reported_find(uint64_t cookie)
{
	struct reported key = { .cookie = cookie };

	return bsearch(&key, reported, n_reported, sizeof(reported[0]), by_cookie);
}

static bool is_family(const struct executor *e, pid_t pid)
{
	if (e->pid == pid)
		return true;
	for (uint32_t i = 0; i < e->n_children; i++)
		if (e->children[i] == pid)
			return true;
	return false;
}

/* Holders of an executor's socket are the executor or its child; of other sockets, the agent. */
static void check_holder(const struct fact_holder *holder)
{
	struct reported *link = reported_find(holder->cookie);

	if (!link) {
		assert_int_equal(holder->pid, agent);
		return;
	}
	assert_true(is_family(link->owner, holder->pid));
	link->holders++;
}

static void check_facts(void)
{
	reported_begin();
	for (size_t i = 0; i < fixture->n; i++) {
		const struct fact *fact = &fixture->facts[i];
		struct reported *link;

		if (fact->type == FACT_HOLDER)
			check_holder(&fact->holder);
		if (fact->type == FACT_SOCKET && (link = reported_find(fact->socket.cookie)))
			link->sockets += fact->socket.state != TCP_CLOSE;
		if (fact->type == FACT_TCP && fact->tcp.pid &&
		    (link = reported_find(fact->tcp.cookie)))
			assert_true(is_family(link->owner, fact->tcp.pid));
	}
	for (size_t i = 0; i < n_reported; i++)
		assert_in_range(reported[i].sockets, 0, 1);
}

/* While some are restless: the others are reported once, with one holder. */
static void check_quiet_ones(void)
{
	for (int i = RESTLESS; i < EXECUTORS; i++) {
		const struct reported *link = reported_find(truth->executors[i].links[0]);

		assert_int_equal(link->sockets, 1);
		assert_int_equal(link->holders, 1);
	}
}

/* Entries of the kernel's map: executors' ends, and agent's ends with its listener. */
static void map_count(size_t *at_executors, size_t *at_agent)
{
	int fd = bpf_map__fd(fixture->watch->programs.skel->maps.conns);
	uint64_t cookie, *last = NULL;
	struct ew_conn conn;

	*at_executors = *at_agent = 0;
	for (; bpf_map_get_next_key(fd, last, &cookie) == 0; last = &cookie) {
		const struct reported *link = reported_find(cookie);

		if (bpf_map_lookup_elem(fd, &cookie, &conn) < 0)
			continue; /* being closed */
		/* First seen while it was closed in a softirq: its owner is unknown. */
		if (conn.owner.tgid || conn.state == TCP_ESTABLISHED)
			assert_int_equal(conn.owner.tgid, link ? link->owner->pid : agent);
		*at_agent += !link;
		*at_executors += link != NULL;
	}
}

/* When all rest, each has one link in the facts and, after the agent has closed, in the map. */
static void check_all(void)
{
	int64_t end = mono_ms() + PATIENCE_MS;
	size_t at_executors, at_agent;

	for (size_t i = 0; i < n_reported; i++) {
		assert_int_equal(reported[i].sockets, reported[i].now);
		assert_int_equal(reported[i].holders, reported[i].now);
	}
	do { /* the next scan removes what a missed change has left */
		fixture_scan(fixture);
		map_count(&at_executors, &at_agent);
	} while (at_executors + at_agent > 2 * EXECUTORS + 1 && mono_ms() < end &&
		 poll(NULL, 0, 1) == 0);
	assert_int_equal(at_executors, EXECUTORS);
	assert_int_equal(at_agent, EXECUTORS + 1);
}

/* Opens a new observer. */
static void reopen(void)
{
	struct ew_bpf_options options = { .agent_port = fixture->port, .life_ring = 16 << 20 };

	ew_bpf_free(fixture->watch);
	fixture_forget(fixture);
	fixture_open(fixture, &options);
}

static void test_scan_on_a_busy_host(void **state)
{
	const char *size = getenv("STORM");
	int rounds = size && strcmp(size, "full") == 0 ? 20 : 2;

	(void)state;
	for (int i = 0; i < rounds; i++) {
		unrest_begin();
		wait_for_unrest(3);
		reopen();
		fixture_scan(fixture);
		unrest_end();
		check_facts();
		check_quiet_ones();
		ew_bpf_dispatch(fixture->watch, &fixture->sink);
		fixture_forget(fixture);
		fixture_scan(fixture);
		check_facts();
		check_all();
	}
}

static int setup(void **state)
{
	(void)state;
	fixture = fixture_new(NULL);
	ew_bpf_free(fixture->watch);
	fixture->watch = NULL;
	host_new(fixture->port);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	host_end();
	fixture_free(fixture);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_scan_on_a_busy_host, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Thousands of connections, processes and messages at once. With any size of the rings, each event
 * is reported or counted as lost, and the state at the end is the kernel's.
 */
#include "storm.h"

#include <netinet/tcp.h>

#include "observe/bpf/libbpf.h"
#include "events.h"
#include "base/netns.h"
#include "observe/netlink/sockdiag.h"

#define ROUNDS 3

static struct fixture *fixture;

static const struct ew_bpf_losses *counts(void)
{
	return &fixture->watch->reported;
}

/* ---- the reader of the rings ---- */

static void read_all(void)
{
	ew_bpf_dispatch(fixture->watch, &fixture->sink);
}

/* The rings are not read between these parts of the storm. Bounded by progress, not by time. */
static void watch_storm(uint32_t stall_from, uint32_t stall_to)
{
	struct pollfd pfd = { .fd = ew_bpf_fd(fixture->watch), .events = POLLIN };
	int64_t end = mono_ms() + 4 * PATIENCE_MS;
	uint32_t percent = 0;

	atomic_store(&storm->go, 1);
	while (!storm_is_over()) {
		if (percent != storm_percent())
			end = mono_ms() + 4 * PATIENCE_MS;
		percent = storm_percent();
		if (mono_ms() > end)
			fail_msg("the storm stands still: %u %%, %u at rest", percent,
				 atomic_load(&storm->workers_done));
		if (percent >= stall_from && percent < stall_to) {
			poll(NULL, 0, 1);
			continue;
		}
		poll(&pfd, 1, 5);
		read_all();
	}
}

/* ---- every event is reported or counted ---- */

static uint64_t life_reported(void)
{
	uint64_t reported = 0;

	for (size_t i = 0; i < fixture->n; i++) {
		enum fact_type type = fixture->facts[i].type;

		reported += type == FACT_TCP || type == FACT_FORK || type == FACT_EXEC ||
			    type == FACT_EXIT || type == FACT_SIGNAL;
	}
	return reported;
}

/* Exits that the full ring has lost are reported from the map, and were counted as lost before. */
static void check_life_is_accounted_for(void)
{
	uint64_t made = storm_life_made(), in_ring, shown, lost, misses;
	int64_t end = mono_ms() + PATIENCE_MS;

	do { /* the last packets may still be queued */
		read_all();
		in_ring = life_reported();
		ew_bpf_counters(fixture->watch, true, &fixture->sink);
		shown = counts()->sum.life_shown;
		lost = counts()->sum.life_lost;
		misses = counts()->misses.healed;
	} while (shown + lost + misses < made && mono_ms() < end);
	/* Changes for which the kernel has skipped the program, of any connection. */
	assert_in_range(shown + lost, made - misses, made);
	assert_int_equal(in_ring, shown);
	assert_int_equal(counts()->misses.lost, 0);
	assert_int_equal(counts()->memory, 0);
}

static void check_messages_are_accounted_for(void)
{
	const struct ew_counters *sum = &counts()->sum;
	uint64_t reported = 0, bodies;
	int64_t last = -1;

	for (size_t i = 0; i < fixture->n; i++) {
		int number;

		if (fixture->facts[i].type != FACT_MESSAGE)
			continue;
		assert_int_equal(sscanf(fixture->facts[i].message.from, "executor(%d)", &number),
				 1);
		assert_int_equal(fixture->facts[i].message.pid, storm->talker);
		assert_true(number > last); /* in order, and none twice */
		last = number;
		reported++;
	}
	bodies = storm->n_messages / 10;
	assert_int_equal(sum->message_shown + sum->message_lost, storm->n_messages + bodies);
	assert_in_range(sum->message_shown - reported, 0, bodies);
	assert_in_range(storm->n_messages - reported, 0, sum->message_lost);
	assert_true(sum->message_filtered >= bodies);
}

/* ---- exits: none is lost as long as the map has room ---- */

static int by_pid(const void *a, const void *b)
{
	const struct storm_proc *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* The first process with this pid whose exit was not reported yet: pids may be reused. */
static struct storm_proc *proc_that_ends(pid_t pid)
{
	struct storm_proc *end = storm->procs + storm->n_procs;

	for (struct storm_proc *proc = storm->procs; proc < end && proc->pid <= pid; proc++)
		if (proc->pid == pid && !proc->reported)
			return proc;
	return NULL;
}

static void check_ends(void)
{
	size_t reported = 0;

	qsort(storm->procs, storm->n_procs, sizeof(storm->procs[0]), by_pid);
	for (size_t i = 0; i < fixture->n; i++) {
		const struct fact_exit *end = &fixture->facts[i].exit;
		struct storm_proc *proc;

		if (fixture->facts[i].type != FACT_EXIT)
			continue;
		proc = proc_that_ends(end->pid);
		assert_non_null(proc);
		proc->reported = true;
		assert_int_equal(end->status, proc->status);
		assert_int_equal(end->killer, proc->how == PROC_KILLED	       ? storm->parent
					      : proc->how == PROC_KILLS_ITSELF ? proc->pid
									       : 0);
		assert_string_equal(end->comm, proc->how == PROC_EXECS ? "true" : "test_storm");
		reported++;
	}
	assert_in_range(reported + counts()->sum.unfollowed, storm->n_procs,
			storm->n_procs + counts()->sum.unfollowed);
	assert_true(reported <= storm->n_procs);
}

/* ---- the state at the end ---- */

struct seen_socket {
	uint64_t cookie;
	uint32_t state;
	pid_t owner;
};

struct sockets {
	struct seen_socket v[2 * STORM_CONNS + 8];
	size_t n;
};

static int by_cookie(const void *a, const void *b)
{
	const struct seen_socket *x = a, *y = b;

	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

/* From sock_diag: all sockets of this namespace but the reader's own. */
static void kernel_sockets(struct sockets *all)
{
	const struct agent_ports ports = { { storm->port } };
	const struct fact_socket *socket;
	struct sockdiag *list;
	int more;

	all->n = 0;
	assert_int_equal(
		sockdiag_open(NETNS_OWN, fixture->netns, &ports, SOCKDIAG_REAL, &list, NULL), 0);
	while ((more = sockdiag_next(list, &socket, NULL)) > 0) {
		assert_true(all->n < sizeof(all->v) / sizeof(all->v[0]));
		all->v[all->n++] =
			(struct seen_socket){ .cookie = socket->cookie, .state = socket->state };
	}
	assert_int_equal(more, 0);
	sockdiag_close(list);
	qsort(all->v, all->n, sizeof(all->v[0]), by_cookie);
}

/* From the map: the entries of that port. */
static void map_sockets(struct sockets *all)
{
	int fd = bpf_map__fd(fixture->watch->programs.skel->maps.conns);
	uint64_t cookie, *last = NULL;
	struct ew_conn conn;

	all->n = 0;
	for (; bpf_map_get_next_key(fd, last, &cookie) == 0; last = &cookie) {
		assert_int_equal(bpf_map_lookup_elem(fd, &cookie, &conn), 0);
		if (conn.ends.lport != storm->port && conn.ends.rport != storm->port)
			continue;
		all->v[all->n++] =
			(struct seen_socket){ cookie, conn.state, (pid_t)conn.owner.tgid };
	}
	qsort(all->v, all->n, sizeof(all->v[0]), by_cookie);
}

/* From the facts since the last scan. */
static void fact_sockets(struct sockets *all)
{
	all->n = 0;
	for (size_t i = 0; i < fixture->n; i++) {
		const struct fact *fact = &fixture->facts[i];

		if (fact->type == FACT_SOCKET && (fact->socket.local.port == storm->port ||
						  fact->socket.remote.port == storm->port))
			all->v[all->n++] = (struct seen_socket){ .cookie = fact->socket.cookie,
								 .state = fact->socket.state };
	}
	qsort(all->v, all->n, sizeof(all->v[0]), by_cookie);
}

static void same_sockets(const struct sockets *got, const struct sockets *wanted)
{
	assert_int_equal(got->n, wanted->n);
	for (size_t i = 0; i < got->n; i++) {
		assert_int_equal(got->v[i].cookie, wanted->v[i].cookie);
		assert_int_equal(got->v[i].state, wanted->v[i].state);
	}
}

static pid_t true_owner(uint64_t cookie)
{
	for (uint32_t i = 0; i < storm->n_conns; i++) {
		if (storm->conns[i].at_client == cookie)
			return storm->conns[i].client;
		if (storm->conns[i].at_server == cookie)
			return storm->agent;
	}
	return storm->agent; /* the listener */
}

static void check_sockets(void)
{
	static struct sockets kernel, map, reported;
	size_t open = 1;

	for (uint32_t i = 0; i < storm->n_conns; i++)
		open += 2 * (storm->conns[i].how == CONN_OPEN);
	if (counts()->misses.healed) /* a scan repairs them */
		fixture_scan(fixture);
	kernel_sockets(&kernel);
	assert_int_equal(kernel.n, open);
	map_sockets(&map);
	same_sockets(&map, &kernel);
	for (size_t i = 0; i < map.n; i++)
		assert_int_equal(map.v[i].owner, true_owner(map.v[i].cookie));
	fixture_forget(fixture);
	fixture_scan(fixture);
	fact_sockets(&reported);
	same_sockets(&reported, &kernel);
	for (size_t i = 0; i < fixture->n; i++) {
		const struct fact_holder *holder = &fixture->facts[i].holder;

		if (fixture->facts[i].type == FACT_HOLDER && holder->pid != storm->talker)
			assert_int_equal(holder->pid, true_owner(holder->cookie));
	}
}

/* Every followed process is alive, and its pid was not reused. */
static void check_processes(void)
{
	int fd = bpf_map__fd(fixture->watch->programs.skel->maps.procs);
	uint32_t tgid, *last = NULL;
	struct ew_proc proc;
	size_t n = 0;

	for (; bpf_map_get_next_key(fd, last, &tgid) == 0; last = &tgid, n++) {
		assert_int_equal(bpf_map_lookup_elem(fd, &tgid, &proc), 0);
		assert_int_equal(proc.start_ticks, start_of((pid_t)tgid));
	}
	assert_int_equal(n, STORM_CLIENTS + 3); /* with agent, parent and talker */
}

/* ---- the chain of changes, when nothing was lost ---- */

static uint32_t last_state(uint64_t cookie)
{
	uint32_t state = 0;

	for (size_t i = 0; i < fixture->n; i++) {
		const struct fact_tcp *change = &fixture->facts[i].tcp;

		if (fixture->facts[i].type != FACT_TCP || change->cookie != cookie)
			continue;
		assert_true(!state || change->from == state);
		state = change->to;
	}
	return state;
}

static void check_chains(void)
{
	if (counts()->misses.healed)
		return;
	/* Quadratic: every seventh connection suffices. */
	for (uint32_t i = 0; i < storm->n_conns; i += 7) {
		const struct storm_conn *conn = &storm->conns[i];
		uint32_t end = conn->how == CONN_OPEN ? TCP_ESTABLISHED : TCP_CLOSE;

		assert_int_equal(last_state(conn->at_client), end);
		assert_int_equal(last_state(conn->at_server), end);
	}
}

/* ---- tests ---- */

static void storm_begin(uint32_t life_ring, uint32_t message_ring)
{
	struct ew_bpf_options options = { .life_ring = life_ring, .message_ring = message_ring };

	fixture = fixture_new(&options);
	storm_new(fixture->port);
	ew_bpf_add_process(fixture->watch, storm->parent, storm->parent_start, EW_BPF_ROLE_EXECUTOR,
			   NULL);
	ew_bpf_add_process(fixture->watch, storm->talker, storm->talker_start, EW_BPF_ROLE_EXECUTOR,
			   NULL);
}

static void round_over(void)
{
	storm_end();
	fixture_free(fixture);
	fixture = NULL;
}

/* Rings that hold all records: nothing is lost. */
static void test_nothing_is_missed(void **state)
{
	(void)state;
	for (int i = 0; i < (storm_is_full() ? ROUNDS : 1); i++) {
		storm_begin(16 << 20, 64 << 20);
		watch_storm(30, 60);
		check_life_is_accounted_for();
		assert_int_equal(counts()->sum.life_lost + counts()->sum.message_lost, 0);
		check_messages_are_accounted_for();
		check_ends();
		check_chains();
		check_sockets();
		check_processes();
		round_over();
	}
}

/* Rings that do not, while nobody reads: the number that is lost is exact, and the state is true.
 */
static void test_what_is_lost_is_counted(void **state)
{
	uint32_t unit = storm_is_full() ? 8 : 1;

	(void)state;
	for (int i = 0; i < (storm_is_full() ? ROUNDS : 1); i++) {
		storm_begin(32768 * unit, 131072 * unit);
		watch_storm(20, 80);
		check_life_is_accounted_for();
		assert_true(counts()->sum.life_lost > 0 && counts()->sum.message_lost > 0);
		check_messages_are_accounted_for();
		check_ends();
		check_sockets();
		check_processes();
		round_over();
	}
}

/* After a failure. */
static int teardown(void **state)
{
	(void)state;
	if (storm)
		storm_end();
	if (fixture)
		fixture_free(fixture);
	fixture = NULL;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_nothing_is_missed, teardown),
		cmocka_unit_test_teardown(test_what_is_lost_is_counted, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

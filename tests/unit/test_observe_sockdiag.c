/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Real sockets in a network namespace of the test's own. */
#include "test_observe.h"

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netlink/msg.h>

#include "base/addr.h"
#include "base/agent_ports.h"
#include "observe/proc/fd_owners.h"
#include "observe/netlink/netlink.h"
#include "base/netns.h"
#include "observe/proc/procfs.h"
#include "observe/netlink/sockdiag.h"

#define PORT 5051

static int home; /* descriptor of the namespace that the test program began in */

struct seen {
	struct fact_socket rows[64];
	size_t n;
};

/* Returns 0 or a negative errno. */
static int list(int nsfd, uint64_t netns, const struct agent_ports *ports, uint32_t states,
		struct seen *seen, struct error *error)
{
	const struct fact_socket *socket;
	struct sockdiag *list = NULL;
	int more = sockdiag_open(nsfd, netns, ports, states, &list, error) ?: 1;

	while (more > 0 && (more = sockdiag_next(list, &socket, error)) > 0) {
		assert_true(seen->n < 64);
		seen->rows[seen->n++] = *socket;
	}
	sockdiag_close(list);
	return more;
}

static const struct fact_socket *by_cookie(const struct seen *seen, uint64_t cookie)
{
	for (size_t i = 0; i < seen->n; i++)
		if (seen->rows[i].cookie == cookie)
			return &seen->rows[i];
	return NULL;
}

static struct seen dump_ports(struct agent_ports ports, uint32_t states)
{
	struct seen seen = { .n = 0 };
	struct error error = { 0 };

	if (list(NETNS_OWN, 4711, &ports, states, &seen, &error) < 0)
		fail_msg("%s", error.message);
	return seen;
}

static struct seen dump(uint16_t port, uint32_t states)
{
	return dump_ports((struct agent_ports){ { port } }, states);
}

static uint64_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void both_ends_of_a_connection_are_told(void **state)
{
	int listener = listen_on(AF_INET, PORT), client = connect_to(AF_INET, PORT);
	int server = accept(listener, NULL, NULL);
	const struct fact_socket *ours, *theirs;
	struct seen seen = dump(PORT, SOCKDIAG_REAL);
	char text[ADDR_TEXT_MAX];

	(void)state;
	assert_int_equal(seen.n, 3);
	ours = by_cookie(&seen, cookie_of(client));
	theirs = by_cookie(&seen, cookie_of(server));
	assert_non_null(ours);
	assert_non_null(theirs);
	assert_string_equal(addr_text(&ours->remote, text), "127.0.0.1:5051");
	assert_true(addr_equal(&ours->local, &theirs->remote));
	assert_true(addr_equal(&ours->remote, &theirs->local));
	assert_int_equal(ours->inode, inode_of(client));
	assert_int_equal(theirs->inode, inode_of(server));
	assert_int_equal(ours->state, 1);
	assert_int_equal(ours->netns, 4711);
	assert_true(ours->idle >= 0 && ours->idle < INT64_C(60000000000));
	assert_int_equal(by_cookie(&seen, cookie_of(listener))->state, 10);
	assert_int_equal(by_cookie(&seen, cookie_of(listener))->idle, -1);
	close(client);
	close(server);
	close(listener);
}

static void ipv6_and_mixed_connections_compare_equal_at_both_ends(void **state)
{
	int listener = listen_on(AF_INET6, PORT);
	int mixed = connect_to(AF_INET, PORT), mixed_end = accept(listener, NULL, NULL);
	int pure = connect_to(AF_INET6, PORT), pure_end = accept(listener, NULL, NULL);
	struct seen seen = dump(PORT, SOCKDIAG_REAL);

	(void)state;
	assert_int_equal(seen.n, 5);
	assert_true(addr_equal(&by_cookie(&seen, cookie_of(mixed))->local,
			       &by_cookie(&seen, cookie_of(mixed_end))->remote));
	assert_true(addr_equal(&by_cookie(&seen, cookie_of(pure))->local,
			       &by_cookie(&seen, cookie_of(pure_end))->remote));
	assert_false(addr_is_v4(&by_cookie(&seen, cookie_of(pure))->local));
	close(mixed);
	close(mixed_end);
	close(pure);
	close(pure_end);
	close(listener);
}

/* 50510, 15051: not the port; 5051 as the client's own: it is. */
static void only_the_very_port_is_listed(void **state)
{
	int near = listen_on(AF_INET, 50510), other = listen_on(AF_INET, 15051);
	int agents = listen_on(AF_INET, PORT);
	struct seen seen = dump(PORT, SOCKDIAG_REAL), all = dump(0, SOCKDIAG_REAL);

	(void)state;
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.rows[0].cookie, cookie_of(agents));
	assert_int_equal(all.n, 3);
	close(near);
	close(other);
	close(agents);
}

/* Of a set with a gap, at either end. */
static void every_port_of_a_set_is_listed(void **state)
{
	struct agent_ports set = { { PORT, 15051, 0, 15053 } };
	int agents = listen_on(AF_INET, PORT), first = listen_on(AF_INET, 15051);
	int other = listen_on(AF_INET, 15052), last = listen_on(AF_INET6, 15053);
	int client = connect_to(AF_INET, 15053);
	struct seen seen = dump_ports(set, SOCKDIAG_REAL);

	(void)state;
	assert_int_equal(seen.n, 5);
	assert_non_null(by_cookie(&seen, cookie_of(agents)));
	assert_non_null(by_cookie(&seen, cookie_of(first)));
	assert_non_null(by_cookie(&seen, cookie_of(last)));
	assert_non_null(by_cookie(&seen, cookie_of(client)));
	assert_null(by_cookie(&seen, cookie_of(other)));
	close(client);
	close(agents);
	close(first);
	close(other);
	close(last);
}

static void a_connection_nobody_has_accepted_is_told_without_an_owner(void **state)
{
	int listener = listen_on(AF_INET, PORT), client = connect_to(AF_INET, PORT);
	struct seen seen = dump(PORT, SOCKDIAG_REAL & ~SOCKDIAG_LISTEN);

	(void)state;
	assert_int_equal(seen.n, 2);
	for (size_t i = 0; i < seen.n; i++)
		if (seen.rows[i].cookie != cookie_of(client))
			assert_int_equal(seen.rows[i].inode, 0);
	close(client);
	close(listener);
}

/* The fingerprint of a FIN that was dropped: FIN_WAIT1, no descriptor. */
static void an_ownerless_socket_that_waits_for_its_fin_is_emitted(void **state)
{
	int listener = listen_on(AF_INET, PORT), client = connect_to(AF_INET, PORT);
	int server = accept(listener, NULL, NULL);
	uint64_t cookie = cookie_of(server);
	struct seen seen;

	(void)state;
	if (geteuid() != 0)
		skip();
	nft("add table ip t\nadd chain ip t i { type filter hook input priority 0; }\n"
	    "add rule ip t i tcp flags & (fin|syn) == fin drop\n");
	close(server);
	seen = dump(PORT, SOCKDIAG_REAL);
	nft("delete table ip t\n");
	assert_non_null(by_cookie(&seen, cookie));
	assert_int_equal(by_cookie(&seen, cookie)->state, 4);
	assert_int_equal(by_cookie(&seen, cookie)->inode, 0);
	assert_int_equal(by_cookie(&seen, cookie_of(client))->state, 1);
	close(client);
	close(listener);
}

static void another_namespace_is_listed_without_leaving_ours(void **state)
{
	int listener = listen_on(AF_INET, PORT);
	uint64_t here = netns_own(), there = 0;
	int nsfd = netns_open_pid(getpid(), &there);
	const struct agent_ports ports = { { PORT } };
	struct seen seen = { .n = 0 };
	int fd;

	(void)state;
	assert_true(nsfd >= 0);
	assert_int_equal(there, here);
	assert_int_equal(setns(home, CLONE_NEWNET), 0);
	assert_int_not_equal(netns_own(), here);
	assert_int_equal(list(nsfd, here, &ports, SOCKDIAG_LISTEN, &seen, NULL), 0);
	assert_int_not_equal(netns_own(), here);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.rows[0].cookie, cookie_of(listener));
	fd = netns_socket(nsfd, AF_INET, SOCK_STREAM, 0, NULL);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd,
				 (struct sockaddr *)&(struct sockaddr_in){
					 .sin_family = AF_INET,
					 .sin_port = htons(PORT),
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
				 sizeof(struct sockaddr_in)),
			 0);
	assert_int_equal(setns(nsfd, CLONE_NEWNET), 0);
	close(fd);
	close(nsfd);
	close(listener);
}

static void what_is_no_namespace_is_refused_with_a_reason(void **state)
{
	int null = open("/dev/null", O_RDONLY);
	struct error error = { 0 };
	struct seen seen = { .n = 0 };

	(void)state;
	assert_int_equal(list(null, 0, NULL, SOCKDIAG_REAL, &seen, &error), -EINVAL);
	assert_int_equal(error.code, -EINVAL);
	assert_non_null(strstr(error.message, "namespace"));
	close(null);
}

/* Of both families; the kernel puts some 100 sockets into one message. */
static void a_long_list_names_each_socket_once(void **state)
{
	enum { SOCKETS = 700 };
	static uint8_t times[SOCKETS];
	const struct fact_socket *socket;
	struct sockdiag *list;
	int fds[SOCKETS], more;

	(void)state;
	for (int i = 0; i < SOCKETS; i++) {
		fds[i] = listen_on(i % 2 ? AF_INET : AF_INET6, (uint16_t)(20000 + i));
		assert_true(fds[i] >= 0);
	}
	assert_int_equal(sockdiag_open(NETNS_OWN, 1, NULL, SOCKDIAG_LISTEN, &list, NULL), 0);
	while ((more = sockdiag_next(list, &socket, NULL)) > 0)
		times[socket->local.port - 20000]++;
	sockdiag_close(list);
	assert_int_equal(more, 0);
	for (int i = 0; i < SOCKETS; i++) {
		assert_int_equal(times[i], 1);
		close(fds[i]);
	}
}

static void every_descriptor_of_a_socket_is_found(void **state)
{
	int fd = listen_on(AF_INET, PORT), copy = dup(fd), pipes[2];
	struct fd_owners owners = { 0 };
	const struct fd_owner *found;
	size_t n = 0;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(fd_owners_add(&owners, getpid(), 17), 0);
	fd_owners_sort(&owners);
	found = fd_owners_find(&owners, inode_of(fd), &n);
	assert_non_null(found);
	assert_int_equal(n, 2);
	assert_int_equal(found[0].fd, fd < copy ? fd : copy);
	assert_int_equal(found[1].fd, fd < copy ? copy : fd);
	assert_int_equal(found[0].pid, getpid());
	assert_int_equal(found[0].start, 17);
	assert_null(fd_owners_find(&owners, inode_of(pipes[0]), &n));
	assert_null(fd_owners_find(&owners, 0, &n));
	assert_int_equal(fd_owners_add(&owners, 1 << 22, 0),
			 0); /* no such process: no descriptors */
	fd_owners_clear(&owners);
	close(fd);
	close(copy);
	close(pipes[0]);
	close(pipes[1]);
}

static int group_setup(void **state)
{
	(void)state;
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return netns_make();
}

/* So it is with TCP where the module tcp_diag is missing: the list ends with the error. */
static void a_list_that_the_kernel_cannot_give_is_not_an_empty_one(void **state)
{
	const struct inet_diag_req_v2 head = { .sdiag_family = AF_INET, .sdiag_protocol = 253 };
	struct nl_msg *request =
		netlink_request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &head, sizeof(head));
	int fd = netlink_open(NETNS_OWN, NETLINK_SOCK_DIAG, NULL);
	struct netlink_dump dump;
	struct nlmsghdr *row;

	(void)state;
	assert_int_equal(netlink_dump_begin(&dump, fd, request), 0);
	assert_int_equal(netlink_dump_next(&dump, &row), -ENOENT);
	netlink_dump_end(&dump);
	nlmsg_free(request);
	close(fd);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_of_a_connection_are_told),
		cmocka_unit_test(ipv6_and_mixed_connections_compare_equal_at_both_ends),
		cmocka_unit_test(only_the_very_port_is_listed),
		cmocka_unit_test(every_port_of_a_set_is_listed),
		cmocka_unit_test(a_connection_nobody_has_accepted_is_told_without_an_owner),
		cmocka_unit_test(an_ownerless_socket_that_waits_for_its_fin_is_emitted),
		cmocka_unit_test(another_namespace_is_listed_without_leaving_ours),
		cmocka_unit_test(what_is_no_namespace_is_refused_with_a_reason),
		cmocka_unit_test(a_long_list_names_each_socket_once),
		cmocka_unit_test(every_descriptor_of_a_socket_is_found),
		cmocka_unit_test(a_list_that_the_kernel_cannot_give_is_not_an_empty_one),
	};

	child_main(argc, argv);
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, group_setup, NULL);
}

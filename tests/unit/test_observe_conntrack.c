/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The kernel's own connection tracking, in a network namespace of the test's own. */
#include "test_observe.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/addr.h"
#include "observe/netlink/conntrack.h"
#include "observe/netlink/conntrack_table.h"
#include "base/netns.h"
#include "observe/netlink/conntrack_hooks.h"
#include "observe/netlink/xtables.h"

#define PORT 5051

/* The firewall of the failure: what is not known to be part of a connection is dropped. */
static const char firewall[] =
	"add table inet t\n"
	"add chain inet t i { type filter hook input priority 0; policy drop; }\n"
	"add rule inet t i ct state established,related accept\n"
	"add rule inet t i tcp flags & (fin|syn|rst|ack) == syn accept\n";

static int setup(void **state)
{
	(void)state;
	return netns_make(); /* a fresh one each time: nothing to clean up */
}

static struct conntrack_query query_of(int fd)
{
	struct sockaddr_storage ends[2];
	struct conntrack_query query = { 0 };
	struct ew_addr *to[] = { &query.local, &query.remote };

	for (int i = 0; i < 2; i++) {
		socklen_t len = sizeof(ends[i]);
		struct sockaddr_in6 *v6 = (void *)&ends[i];
		struct sockaddr_in *v4 = (void *)&ends[i];

		assert_int_equal(i ? getpeername(fd, (void *)&ends[i], &len)
				   : getsockname(fd, (void *)&ends[i], &len),
				 0);
		if (ends[i].ss_family == AF_INET) {
			*to[i] = addr_from_v4(&v4->sin_addr, ntohs(v4->sin_port));
		} else {
			memcpy(to[i]->ip, &v6->sin6_addr, 16);
			to[i]->port = ntohs(v6->sin6_port);
		}
	}
	return query;
}

static struct conntrack_query look_up(int fd)
{
	struct conntrack_query query = query_of(fd);
	struct error error = { 0 };

	if (conntrack_lookup(NETNS_OWN, &query, 1, &error) < 0)
		fail_msg("%s", error.message);
	return query;
}

static struct conntrack_hooks probe(bool v4, bool v6)
{
	struct conntrack_hooks tracking;
	struct error error = { 0 };

	if (conntrack_hooks_probe(NETNS_OWN, v4, v6, &tracking, &error) < 0)
		fail_msg("%s", error.message);
	return tracking;
}

static void set_sysctl(const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/netfilter/%s", name);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, value, strlen(value)), (ssize_t)strlen(value));
	close(fd);
}

static void a_tracked_link_has_an_entry_with_its_timeout(void **state)
{
	int listener, client, server;
	struct conntrack_query query;

	(void)state;
	nft(firewall);
	listener = listen_on(AF_INET, PORT);
	client = connect_to(AF_INET, PORT);
	server = accept(listener, NULL, NULL);
	query = look_up(client);
	assert_int_equal(query.present, EW_YES);
	assert_true(query.timeout > INT64_C(431900) * 1000000000);
	assert_true(query.timeout <= INT64_C(432000) * 1000000000);
	/* From the agent's side it is the same entry, seen from its other end. */
	assert_int_equal(look_up(server).present, EW_YES);
	assert_int_equal(probe(true, false).in_force, EW_YES);
	close(client);
	close(server);
	close(listener);
}

static void a_forgotten_link_has_none_and_asking_brings_none(void **state)
{
	int listener, client, server;

	(void)state;
	nft(firewall);
	set_sysctl("nf_conntrack_tcp_loose", "0");
	listener = listen_on(AF_INET, PORT);
	client = connect_to(AF_INET, PORT);
	server = accept(listener, NULL, NULL);
	run("conntrack -D -p tcp --dport %d >/dev/null 2>&1", PORT);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(look_up(client).present, EW_NO);
		assert_int_equal(look_up(server).present, EW_NO);
	}
	/* Tracking is in force all the same, with not one entry left. */
	assert_int_equal(probe(true, false).in_force, EW_YES);
	close(client);
	close(server);
	close(listener);
}

static void ipv6_links_are_looked_up_too(void **state)
{
	int listener, clients[2];

	(void)state;
	nft(firewall);
	nft("insert rule inet t i icmpv6 type nd-neighbor-solicit accept\n");
	listener = listen_on(AF_INET6, PORT);
	clients[0] = connect_to(AF_INET6, PORT);
	clients[1] = connect_to(AF_INET6, PORT);
	assert_int_equal(look_up(clients[0]).present, EW_YES);
	run("conntrack -D -f ipv6 -p tcp --sport %u >/dev/null 2>&1",
	    query_of(clients[1]).local.port);
	assert_int_equal(look_up(clients[0]).present, EW_YES);
	assert_int_equal(look_up(clients[1]).present, EW_NO);
	close(clients[0]);
	close(clients[1]);
	close(listener);
}

static void many_links_are_answered_each_for_itself(void **state)
{
	enum { LINKS = 300 };
	struct conntrack_query queries[LINKS];
	int clients[LINKS], listener;

	(void)state;
	nft(firewall);
	listener = listen_on(AF_INET, PORT);
	for (int i = 0; i < LINKS; i++) {
		clients[i] = connect_to(AF_INET, PORT);
		assert_true(clients[i] >= 0);
		queries[i] = query_of(clients[i]);
	}
	for (int i = 0; i < LINKS; i += 37)
		run("conntrack -D -p tcp --sport %u >/dev/null 2>&1", queries[i].local.port);
	assert_int_equal(conntrack_lookup(NETNS_OWN, queries, LINKS, NULL), 0);
	for (int i = 0; i < LINKS; i++) {
		assert_int_equal(queries[i].present, i % 37 ? EW_YES : EW_NO);
		close(clients[i]);
	}
	close(listener);
}

static void without_privilege_nothing_is_said_instead_of_none(void **state)
{
	struct conntrack_query query = { .present = EW_YES };
	struct conntrack_hooks tracking = { .in_force = EW_NO };
	struct error refused = { 0 }, error = { 0 };
	int err;

	(void)state;
	nft(firewall);
	query.local = addr_from_v4("\x7f\0\0\1", 1);
	query.remote = query.local;
	assert_int_equal(seteuid(65534), 0);
	err = conntrack_lookup(NETNS_OWN, &query, 1, &refused);
	assert_int_equal(conntrack_hooks_probe(NETNS_OWN, true, true, &tracking, &error), -EPERM);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(err, -EPERM);
	assert_int_equal(query.present, EW_UNKNOWN);
	assert_string_equal(refused.cure, "run as root");
	assert_string_equal(error.cure, "run as root");
}

/* Each as the kernel's own behaviour tells: does a connection get an entry? */
static void every_kind_of_rule_is_judged_as_the_kernel_does(void **state)
{
#define FILTER "add chain ip t c { type filter hook input priority 0; }\n"
#define NAT    "add chain ip t c { type nat hook prerouting priority -100; }\n"
	static const char *const rules[] = {
		"",
		FILTER,
		FILTER "add rule ip t c tcp dport 1 drop\n",
		NAT,
		FILTER "add rule ip t c ct state established accept\n",
		FILTER "add rule ip t c ct mark set 1\n",
		FILTER "add rule ip t c ct state vmap { established : accept, invalid : drop }\n",
		FILTER "add rule ip t c ct count over 1000 drop\n",
		FILTER "add rule ip t c tcp dport 1 synproxy mss 1460 wscale 7\n",
		"add chain ip t c\nadd rule ip t c ct state established accept\n",
		"add chain ip t c { type filter hook prerouting priority -300; }\n"
		"add rule ip t c tcp dport 1 notrack\n",
		"add chain ip t c { type filter hook prerouting priority -150; }\n"
		"add rule ip t c tcp dport 1 tproxy to :2\n",
		NAT "add rule ip t c tcp dport 1 redirect to 2\n",
		NAT "add rule ip t c tcp dport 1 dnat to 10.9.9.9\n",
		"add chain ip t c { type nat hook postrouting priority 100; }\n"
		"add rule ip t c ip saddr 10.9.9.9 masquerade\n",
		"add ct helper ip t h { type \"ftp\" protocol tcp; }\n",
		"add ct timeout ip t h { protocol tcp; policy = { established: 100 }; }\n",
		"add map ip t m { type ct_state : verdict; }\n",
	};
	size_t in_force = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		char lines[512];
		enum ew_tri entry, told;
		int listener, client;

		assert_int_equal(netns_make(), 0);
		snprintf(lines, sizeof(lines), "add table ip t\n%s", rules[i]);
		nft(lines);
		told = probe(true, false).in_force; /* before there is any entry */
		listener = listen_on(AF_INET, PORT);
		client = connect_to(AF_INET, PORT);
		entry = look_up(client).present;
		if (told != entry)
			fail_msg("told %d, but an entry %d, with:\n%s", told, entry, lines);
		in_force += told == EW_YES;
		close(client);
		close(listener);
	}
	assert_int_equal(in_force, 11);
}

static void rules_for_the_other_family_do_not_count(void **state)
{
	(void)state;
	nft("add table ip6 t\nadd chain ip6 t c { type filter hook input priority 0; }\n"
	    "add rule ip6 t c ct state established accept\n");
	assert_int_equal(probe(true, false).in_force, EW_NO);
	assert_int_equal(probe(false, true).in_force, EW_YES);
	assert_int_equal(probe(true, true).in_force, EW_YES);
	nft("flush ruleset\nadd table ip t\n"
	    "add chain ip t c { type filter hook input priority 0; }\n"
	    "add rule ip t c ct state established accept\n");
	assert_int_equal(probe(true, false).in_force, EW_YES);
	assert_int_equal(probe(false, true).in_force, EW_NO);
}

/* Unless the kernel lists its hooks (CONFIG_NETFILTER_NETLINK_HOOK): then it is known. */
static void entries_that_outlive_their_rules_leave_it_open(void **state)
{
	int listener, client;
	bool listed;

	(void)state;
	nft(firewall);
	listed = strncmp(probe(true, false).evidence, "hook", 4) == 0;
	listener = listen_on(AF_INET, PORT);
	client = connect_to(AF_INET, PORT);
	nft("delete table inet t\n");
	assert_int_equal(probe(true, false).in_force, listed ? EW_NO : EW_UNKNOWN);
	run("conntrack -F >/dev/null 2>&1");
	assert_int_equal(probe(true, false).in_force, EW_NO);
	close(client);
	close(listener);
}

static void a_namespace_is_asked_without_leaving_ours(void **state)
{
	struct conntrack_hooks tracking;
	uint64_t there, here;
	int nsfd;

	(void)state;
	nft(firewall);
	nsfd = netns_open_pid(getpid(), &there);
	assert_int_equal(netns_make(), 0);
	here = netns_own();
	assert_int_not_equal(here, there);
	assert_int_equal(conntrack_hooks_probe(nsfd, true, false, &tracking, NULL), 0);
	assert_int_equal(tracking.in_force, EW_YES);
	assert_int_equal(probe(true, false).in_force, EW_NO);
	assert_int_equal(netns_own(), here);
	close(nsfd);
}

/* Loopback traffic is tracked in zone 7. */
static const char zone[] = "add table inet z\n"
			   "add chain inet z o { type filter hook output priority -300; }\n"
			   "add chain inet z i { type filter hook prerouting priority -300; }\n"
			   "add rule inet z o ct zone set 7\n"
			   "add rule inet z i ct zone set 7\n";

static void an_entry_of_another_zone_is_found(void **state)
{
	struct conntrack_query query;
	int listener, client;

	(void)state;
	nft(firewall);
	assert_false(probe(true, false).sets_zones);
	nft(zone);
	assert_true(probe(true, false).sets_zones);
	listener = listen_on(AF_INET, PORT);
	client = connect_to(AF_INET, PORT);
	query = look_up(client);
	assert_int_equal(query.present, EW_YES);
	assert_int_equal(query.zone, 7);
	run("conntrack -D -p tcp -w 7 --sport %u >/dev/null 2>&1", query.local.port);
	assert_int_equal(look_up(client).present, EW_NO);
	close(client);
	close(listener);
}

/* iptables-legacy's rules are not among those that nftables lists. */
static void zones_of_iptables_are_seen(void **state)
{
	(void)state;
	nft(firewall);
	run("iptables-legacy -w -t raw -A OUTPUT -o lo -j CT --notrack");
	assert_false(probe(true, true).sets_zones);
	run("iptables-legacy -w -t raw -A OUTPUT -o lo -j CT --zone 7");
	assert_true(probe(true, false).sets_zones);
	assert_false(probe(false, true).sets_zones);
	run("ip6tables-legacy -w -t raw -A OUTPUT -o lo -j CT --zone-orig 7");
	assert_true(probe(false, true).sets_zones);
}

/* The zone that a packet is looked up in is not known here: the worse of two entries counts. */
static void of_two_zones_the_entry_that_expires_first_counts(void **state)
{
	struct conntrack_query query;
	int listener, client;

	(void)state;
	nft(firewall);
	nft(zone);
	listener = listen_on(AF_INET, PORT);
	client = connect_to(AF_INET, PORT);
	query = query_of(client);
	for (int other = 8; other < 10; other++)
		run("conntrack -I -p tcp -s 127.0.0.1 -d 127.0.0.1 --sport %u --dport %u "
		    "--state ESTABLISHED -t %d -w %d >/dev/null 2>&1",
		    query.local.port, PORT, other * 1000, other);
	query = look_up(client);
	assert_int_equal(query.zone, 8);
	assert_true(query.timeout <= INT64_C(8000) * 1000000000);
	close(client);
	close(listener);
}

static void a_translated_link_tells_the_other_ends_view(void **state)
{
	struct conntrack_query query, other;
	int listener, client, server;

	(void)state;
	nft("add table ip n\n"
	    "add chain ip n p { type nat hook postrouting priority 100; }\n"
	    "add rule ip n p tcp dport 5051 snat to 127.0.0.1:20000-30000 fully-random\n");
	listener = listen_on(AF_INET, PORT);
	client = connect_to(AF_INET, PORT);
	server = accept(listener, NULL, NULL);
	query = look_up(client);
	other = query_of(server);
	assert_int_equal(query.present, EW_YES);
	assert_int_not_equal(other.remote.port, query.local.port);
	assert_true(addr_equal(&query.peer_local, &other.local));
	assert_true(addr_equal(&query.peer_remote, &other.remote));
	/* By the reply tuple, from the other end. */
	query = look_up(server);
	assert_int_equal(query.present, EW_YES);
	other = query_of(client);
	assert_true(addr_equal(&query.peer_remote, &other.remote));
	assert_true(addr_equal(&query.peer_local, &other.local));
	close(client);
	close(server);
	close(listener);
}

static void entries_are_counted(void **state)
{
	uint64_t before, entries, limit = 0;
	int listener, client;

	(void)state;
	nft(firewall);
	assert_int_equal(conntrack_count(NETNS_OWN, &before, &limit), 0);
	listener = listen_on(AF_INET, PORT);
	client = connect_to(AF_INET, PORT);
	assert_int_equal(conntrack_count(NETNS_OWN, &entries, &limit), 0);
	assert_int_equal(entries, before + 1);
	assert_true(limit > entries);
	close(client);
	close(listener);
}

/* Data without its ACK gives an entry 300 s: it is looked at again when the ACK must be there. */
static void data_on_its_way_does_not_make_an_entry_expire(void **state)
{
	char byte = 'x';
	int listener, client, server;

	(void)state;
	nft(firewall);
	listener = listen_on(AF_INET, PORT);
	client = connect_to(AF_INET, PORT);
	server = accept(listener, NULL, NULL);
	for (int i = 0; i < 3;
	     i++) { /* beyond the first segments, which are acknowledged at once */
		assert_int_equal(write(client, &byte, 1), 1);
		assert_int_equal(read(server, &byte, 1), 1);
		assert_int_equal(write(server, &byte, 1), 1);
		assert_int_equal(read(client, &byte, 1), 1);
	}
	assert_int_equal(write(client, &byte, 1), 1);
	assert_true(look_up(client).timeout > INT64_C(400000) * 1000000000);
	close(client);
	close(server);
	close(listener);
}

static void rewrite_for_ever(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		run("iptables-legacy -w -A INPUT -p tcp --dport 1 -j DROP");
		run("iptables-legacy -w -F INPUT");
	}
}

static void rules_that_are_rewritten_meanwhile_are_read_all_the_same(void **state)
{
	char name[XTABLES_NAME_MAX];
	pid_t pid;

	(void)state;
	run("iptables-legacy -w -A INPUT -p tcp --dport 2 -j DROP");
	pid = fork();
	if (pid == 0)
		rewrite_for_ever();
	for (int i = 0; i < 50000; i++)
		assert_int_equal(xtables_find_tracking(false, name, sizeof(name)), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tracked_link_has_an_entry_with_its_timeout),
		TEST(a_forgotten_link_has_none_and_asking_brings_none),
		TEST(ipv6_links_are_looked_up_too),
		TEST(many_links_are_answered_each_for_itself),
		TEST(without_privilege_nothing_is_said_instead_of_none),
		TEST(every_kind_of_rule_is_judged_as_the_kernel_does),
		TEST(rules_for_the_other_family_do_not_count),
		TEST(entries_that_outlive_their_rules_leave_it_open),
		TEST(a_namespace_is_asked_without_leaving_ours),
		TEST(an_entry_of_another_zone_is_found),
		TEST(zones_of_iptables_are_seen),
		TEST(of_two_zones_the_entry_that_expires_first_counts),
		TEST(a_translated_link_tells_the_other_ends_view),
		TEST(entries_are_counted),
		TEST(data_on_its_way_does_not_make_an_entry_expire),
		TEST(rules_that_are_rewritten_meanwhile_are_read_all_the_same),
	};

	child_main(argc, argv);
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where packets of a container go: the kernel's own routes, in namespaces of the test's own. */
#include "test_observe.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/netns.h"
#include "observe/netlink/next_hop.h"

struct world {
	int host, container; /* namespaces; we are in the container's */
};

static void must_run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

static int here(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* A container whose device is a port of the host's bridge, as docker and CNI make it. */
static int setup(void **state)
{
	static struct world world;
	char peer[128];

	netns_make();
	world.host = here();
	must_run("ip link set lo up && ip addr add 10.77.0.1/32 dev lo && "
		 "ip link add br0 type bridge && ip link set br0 up && "
		 "ip addr add 172.30.1.1/30 dev br0");
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	world.container = here();
	snprintf(peer, sizeof(peer),
		 "ip link add eth0 type veth peer name port0 netns /proc/%d/fd/%d", getpid(),
		 world.host);
	must_run(peer);
	must_run("ip link set lo up && ip addr add 172.30.1.2/30 dev eth0 && ip link set eth0 up");
	must_run("ip route add default via 172.30.1.1");
	assert_int_equal(setns(world.host, CLONE_NEWNET), 0);
	must_run("ip link set port0 master br0 up");
	assert_int_equal(setns(world.container, CLONE_NEWNET), 0);
	*state = &world;
	return 0;
}

static int teardown(void **state)
{
	const struct world *world = *state;

	close(world->host);
	close(world->container);
	return 0;
}

static int way(const char *from, const char *to, struct way_out *out)
{
	struct ew_addr ends[2];
	struct error error = { 0 };
	struct next_hop *hop;
	int err;

	assert_int_equal(addr_parse(to, &ends[1]), 0);
	if (from)
		assert_int_equal(addr_parse(from, &ends[0]), 0);
	assert_int_equal(next_hop_open(NETNS_OWN, &hop, &error), 0);
	err = next_hop_find(hop, from ? &ends[0] : NULL, &ends[1], out, &error);
	next_hop_close(hop);
	return err;
}

static void by_a_bridge_of_the_host(void **state)
{
	const struct world *world = *state;
	struct error error = { 0 };
	struct next_hop *hop;
	struct way_out out;

	assert_int_equal(way("172.30.1.2:1", "10.77.0.1:5051", &out), 0);
	assert_int_equal(out.kind, WAY_PAIR);
	assert_string_equal(out.device, "eth0");
	assert_int_equal(next_hop_open(NETNS_OWN, &hop, &error), 0);
	assert_int_equal(next_hop_is(hop, out.netns_id, world->host), 1);
	assert_int_equal(next_hop_is(hop, out.netns_id, world->container), 0);
	next_hop_close(hop);
	assert_int_equal(way("172.30.1.2:1", "172.30.1.2:5051", &out), 0);
	assert_int_equal(out.kind, WAY_LOCAL);
}

/* As CNI's source based routing: no route of the main table leads to the agent. */
static void by_a_rule_for_the_source(void **state)
{
	struct way_out out;

	(void)state;
	must_run("ip rule add from 172.30.1.2 lookup 100 && "
		 "ip route add default via 172.30.1.1 table 100 && ip route del default");
	assert_int_equal(way(NULL, "10.77.0.1:5051", &out), -ENETUNREACH);
	assert_int_equal(out.kind, WAY_UNKNOWN);
	assert_int_equal(way("172.30.1.2:1", "10.77.0.1:5051", &out), 0);
	assert_int_equal(out.kind, WAY_PAIR);
	assert_string_equal(out.device, "eth0");
}

static void by_a_device_of_another_kind(void **state)
{
	struct way_out out;

	(void)state;
	must_run("ip link add br9 type bridge && ip link set br9 up && "
		 "ip route replace default dev br9");
	assert_int_equal(way("172.30.1.2:1", "10.77.0.1:5051", &out), 0);
	assert_int_equal(out.kind, WAY_UNKNOWN);
	assert_string_equal(out.device, "br9");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_a_bridge_of_the_host, setup, teardown),
		cmocka_unit_test_setup_teardown(by_a_rule_for_the_source, setup, teardown),
		cmocka_unit_test_setup_teardown(by_a_device_of_another_kind, setup, teardown),
	};

	if (geteuid() != 0)
		return 77; /* needs root */
	return cmocka_run_group_tests(tests, NULL, NULL);
}

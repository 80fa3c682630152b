/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Capabilities, pidfds and network namespaces of real processes. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/caps.h"
#include "base/error.h"
#include "base/netns.h"
#include "base/pidfd.h"

static void capabilities_are_named(void **state)
{
	char buf[64], tiny[8];

	(void)state;
	assert_string_equal(
		caps_names(CAPS_BIT(CAP_BPF) | CAPS_BIT(CAP_PERFMON), " and ", buf, sizeof(buf)),
		"CAP_PERFMON and CAP_BPF");
	assert_string_equal(caps_names(CAPS_BIT(CAP_SYS_TIME), " ", buf, sizeof(buf)),
			    "capability 25");
	assert_string_equal(caps_names(0, " ", buf, sizeof(buf)), "");
	assert_string_equal(caps_names(CAPS_BIT(CAP_BPF), " ", tiny, sizeof(tiny)), "CAP_BPF");
	assert_string_equal(
		caps_names(CAPS_BIT(CAP_BPF) | CAPS_BIT(CAP_NET_RAW), " ", tiny, sizeof(tiny)),
		"CAP_NET");
}

/* Runs fn in a child; returns its exit status. */
static int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(fn());
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static int limit_to_two(void)
{
	uint64_t two = CAPS_BIT(CAP_NET_ADMIN) | CAPS_BIT(CAP_BPF);

	if (caps_effective() == two || caps_limit(two) < 0)
		return 1;
	return caps_effective() == two && caps_have(CAP_BPF) && caps_have(CAP_NET_ADMIN) &&
			       !caps_have(CAP_SYS_ADMIN)
		       ? 0
		       : 2;
}

static void what_is_not_kept_is_gone(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_child(limit_to_two), 0);
}

static void a_pidfd_tells_the_end_and_copies_descriptors(void **state)
{
	struct stat theirs, copied;
	int shared[2], pidfd, copy;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(shared), 0);
	pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	pidfd = ew_pidfd_open(pid, false);
	assert_true(pidfd >= 0);
	assert_false(ew_pidfd_has_ended(pidfd));
	copy = ew_pidfd_getfd(pidfd, shared[1]);
	assert_true(copy >= 0);
	assert_int_equal(fstat(shared[1], &theirs), 0);
	assert_int_equal(fstat(copy, &copied), 0);
	assert_int_equal(copied.st_ino, theirs.st_ino);
	assert_int_equal(fcntl(copy, F_GETFD), FD_CLOEXEC);
	assert_int_equal(ew_pidfd_getfd(pidfd, 900), -EBADF);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(ew_pidfd_has_ended(pidfd));
	assert_int_equal(ew_pidfd_open(pid, false), -ESRCH);
	assert_false(ew_pidfd_unsupported(-ESRCH));
	assert_true(ew_pidfd_unsupported(-ENOSYS));
	close(pidfd);
	close(copy);
	close(shared[0]);
	close(shared[1]);
}

/* A child in a network namespace of its own. */
static pid_t child_apart(void)
{
	int ready[2];
	char byte = 'r';
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNET) == 0 && write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static int inode_here(void *arg)
{
	*(uint64_t *)arg = netns_inode(NETNS_OWN);
	return 7;
}

static void a_namespace_is_entered_by_a_thread_of_its_own(void **state)
{
	uint64_t own = netns_inode(NETNS_OWN), theirs = 0, seen = 0;
	struct error error = { 0 };
	int nsfd, again;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = child_apart();
	nsfd = netns_open_pid(pid, &theirs);
	assert_true(nsfd >= 0);
	assert_int_not_equal(theirs, own);
	assert_int_equal(netns_inode(nsfd), theirs);
	assert_int_equal(netns_run(nsfd, inode_here, &seen, &error), 7);
	assert_int_equal(seen, theirs);
	assert_int_equal(netns_inode(NETNS_OWN), own);
	again = netns_open_inode(theirs);
	assert_int_equal(netns_inode(again), theirs);
	close(again);
	close(nsfd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(netns_open_inode(theirs), -ENOENT);
	assert_int_equal(netns_open_pid(pid, &theirs), -ENOENT);
}

static void only_a_network_namespace_is_taken_for_one(void **state)
{
	uint64_t inode = 0;
	int fd = netns_open_path("/proc/self/ns/net", &inode);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(inode, netns_inode(NETNS_OWN));
	close(fd);
	assert_int_equal(netns_open_path("/proc/self/ns/pid", &inode), -EINVAL);
	assert_int_equal(netns_open_path("/proc/self/status", &inode), -EINVAL);
	assert_int_equal(netns_open_path("/run/netns/none-of-this-name", &inode), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capabilities_are_named),
		cmocka_unit_test(what_is_not_kept_is_gone),
		cmocka_unit_test(a_pidfd_tells_the_end_and_copies_descriptors),
		cmocka_unit_test(a_namespace_is_entered_by_a_thread_of_its_own),
		cmocka_unit_test(only_a_network_namespace_is_taken_for_one),
	};

	return cmocka_run_group_tests_name("base_handles", tests, NULL, NULL);
}

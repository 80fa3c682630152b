/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Real listeners, of this process. */
#include "test_observe.h"

#include "base/addr.h"
#include "observe/socket_look.h"

/* On a port that the kernel chooses; at has the address that it listens on. */
static int listener(const char *ip, struct ew_addr *at)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET, ip, &addr.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*at = addr_from_v4(&addr.sin_addr, ntohs(addr.sin_port));
	return fd;
}

static int owned(pid_t pid, const char *ip, uint16_t port)
{
	struct error error = { 0 };
	struct ew_addr at;
	char text[64];
	int ret;

	snprintf(text, sizeof(text), "%s:%u", ip, port);
	assert_int_equal(addr_parse(text, &at), 0);
	ret = socket_look_owned(pid, &at, &error);
	if (ret < 0)
		fail_msg("%s", error.message);
	return ret;
}

/* Another process may listen on the same port of another address. */
static void owned_at_that_address(void **state)
{
	struct ew_addr at;
	int fd = listener("127.0.0.1", &at);

	(void)state;
	assert_int_equal(owned(getpid(), "127.0.0.1", at.port), 1);
	assert_int_equal(owned(getpid(), "127.0.0.2", at.port), 0);
	close(fd);
	assert_int_equal(owned(getpid(), "127.0.0.1", at.port), 0);
}

static void owned_at_any_address(void **state)
{
	struct ew_addr at;
	int fd = listener("0.0.0.0", &at);

	(void)state;
	assert_int_equal(owned(getpid(), "127.0.0.2", at.port), 1);
	close(fd);
}

static void of_another_process(void **state)
{
	struct ew_addr at;
	int fd = listener("127.0.0.1", &at);
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fd);
		for (;;)
			pause();
	}
	while (owned(pid, "127.0.0.1", at.port) == 1) /* until it has closed its copy */
		;
	assert_int_equal(owned(getpid(), "127.0.0.1", at.port), 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owned_at_that_address),
		cmocka_unit_test(owned_at_any_address),
		cmocka_unit_test(of_another_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

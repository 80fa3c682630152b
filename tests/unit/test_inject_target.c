/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Injections into real processes: that they do what they promise, and every refusal. Needs root and
 * build/victims.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "act/inject.h"
#include "act/injector.h"
#include "fail.h"
#include "victim.h"
#include "victim_run.h"

enum { SECOND_MS = 1000 };

/* ---- a child of this process with one end of a TCP connection ---- */

struct kid {
	pid_t pid;
	int link;  /* the child's descriptor, closed here */
	int other; /* the other end, here */
	uint64_t inode, cookie;
	int ready;
};

/* What a child does with its link; never returns. */
typedef void kid_body(int link, int ready);

static void say_ready(int ready)
{
	if (write(ready, "", 1) != 1)
		_exit(1);
}

static void wait_forever(void)
{
	static uint32_t word;

	for (;;)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL);
}

static void body_futex(int link, int ready)
{
	(void)link;
	say_ready(ready);
	wait_forever();
}

static void tcp_pair(int fds[2])
{
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fds[0], (struct sockaddr *)&addr, len), 0);
	fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fds[1] >= 0);
	close(listener);
}

static void await_ready(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, 10 * SECOND_MS), 1);
}

static struct kid kid_start_with(kid_body *body, int link, int other)
{
	struct kid kid = {.link = link, .other = other};
	socklen_t len = sizeof(kid.cookie);
	struct stat st;
	int ready[2];

	assert_int_equal(fstat(link, &st), 0);
	kid.inode = st.st_ino;
	if (getsockopt(link, SOL_SOCKET, SO_COOKIE, &kid.cookie, &len) < 0)
		kid.cookie = 0;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	kid.pid = fork();
	assert_true(kid.pid >= 0);
	if (kid.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (other >= 0)
			close(other);
		body(link, ready[1]);
		_exit(0);
	}
	close(link);
	close(ready[1]);
	kid.ready = ready[0];
	await_ready(kid.ready);
	return kid;
}

static struct kid kid_start(kid_body *body)
{
	int fds[2];

	tcp_pair(fds);
	return kid_start_with(body, fds[0], fds[1]);
}

static void kid_end(struct kid *kid)
{
	kill(kid->pid, SIGKILL);
	waitpid(kid->pid, NULL, 0);
	close(kid->ready);
	if (kid->other >= 0)
		close(kid->other);
}

static char state_of(pid_t pid)
{
	return victim_state(pid, pid);
}

static void await_state(pid_t pid, char state)
{
	struct victim v = {.pid = pid};

	assert_true(victim_await_state(&v, pid, state, 10 * SECOND_MS));
}

static struct inject_target target_of(const struct kid *kid)
{
	return (struct inject_target){.pid = kid->pid,
				      .pidfd = -1,
				      .fd = kid->link,
				      .inode = kid->inode,
				      .cookie = kid->cookie};
}

static struct inject_result inject(const struct inject_target *t, enum inject_method m)
{
	struct inject_result res;
	struct fail why = {0};
	int err = inject_shutdown(t, m, injector_now() + 5000000000ull, &res, &why);

	if (res.status == INJECT_DONE) {
		assert_int_equal(err, 0);
	} else {
		assert_true(err < 0);
		assert_int_equal(why.err, err);
		assert_true(why.what[0] != '\0');
		assert_string_equal(why.cure, inject_reason_cure(res.reason));
	}
	return res;
}

static void assert_reason(struct inject_result res, enum inject_status status,
			  enum inject_reason reason)
{
	assert_string_equal(inject_status_name(res.status), inject_status_name(status));
	assert_string_equal(inject_reason_id(res.reason), inject_reason_id(reason));
}

/* Refused by ptrace and by pidfd alike, and the socket is whole afterwards. */
static void refused_either_way(const struct inject_target *t, enum inject_reason reason)
{
	for (int m = INJECT_AUTO; m <= INJECT_PIDFD; m++) {
		struct inject_result res = inject(t, (enum inject_method)m);

		assert_reason(res, INJECT_REFUSED, reason);
		assert_int_equal(res.stopped_ns, 0);
	}
}

/* By ptrace refused with a reason; auto takes the copy, and then it is done. */
static void refused_then_copied(struct kid *kid, enum inject_reason reason)
{
	struct inject_target t = target_of(kid);
	struct inject_result res = inject(&t, INJECT_PTRACE);

	assert_reason(res, INJECT_REFUSED, reason);
	res = inject(&t, INJECT_AUTO);
	assert_reason(res, INJECT_DONE, INJECT_R_NONE);
	assert_int_equal(res.used, INJECT_PIDFD);
	assert_int_not_equal(state_of(kid->pid), 'Z');
}

/* ---- victims: done, and nobody noticed ---- */

static void inject_victim(const char *kind, enum inject_proof proof)
{
	const char *argv[] = {"build/victims/threads", kind, NULL};
	struct victim_health health;
	struct inject_target t;
	struct inject_result res;
	struct victim v;

	assert_true(victim_start(&v, argv));
	victim_ping(&v, 10 * SECOND_MS, &health);
	assert_string_equal(health.detail, "");
	assert_true(victim_await_state(&v, v.page->thread[0].tid, 'S', 10 * SECOND_MS));
	victim_target(&v, &t);
	t.proof = proof;
	res = inject(&t, INJECT_PTRACE);
	victim_ping(&v, 10 * SECOND_MS, &health);
	victim_stop(&v);
	assert_reason(res, INJECT_DONE, INJECT_R_NONE);
	assert_int_equal(res.used, INJECT_PTRACE);
	assert_int_equal(res.call_ret, 0);
	assert_true(res.stopped_ns > 0 && res.syscalls > 5 && res.tid > 0);
	assert_string_equal(health.detail, "");
	assert_true(health.link_shut);
}

static void unnoticed_in_each_call_it_chooses(void **state)
{
	static const char *const kinds[] = {"futex",	    "registers", "tiles",
					    "futex_bitset", "lock_pi",	 "wait4"};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (int proof = INJECT_BY_VALUE; proof <= INJECT_BY_EFFECT; proof++)
			inject_victim(kinds[i], (enum inject_proof)proof);
}

static void unnoticed_beside_every_other_call(void **state)
{
	static const char *const kinds[] = {
		"epoll_wait", "poll",	      "ppoll",	  "select",    "pselect",    "read",
		"recv",	      "recv_timeout", "recv_all", "nanosleep", "sigsuspend", "sigtimedwait",
		"msgrcv",     "semop",	      "accept",	  "flock",     "busy",
	};
	const char *argv[2 + sizeof(kinds) / sizeof(kinds[0])] = {"build/victims/threads"};
	struct victim_health health;
	struct inject_target t;
	struct inject_result res;
	struct victim v;

	(void)state;
	memcpy(argv + 1, kinds, sizeof(kinds));
	assert_true(victim_start(&v, argv));
	victim_target(&v, &t);
	res = inject(&t, INJECT_PTRACE);
	victim_ping(&v, 20 * SECOND_MS, &health);
	victim_stop(&v);
	assert_reason(res, INJECT_DONE, INJECT_R_NONE);
	assert_string_equal(health.detail, "");
	assert_true(health.link_shut);
}

/* One thread in epoll_wait would see EINTR: ptrace says no, auto copies. */
static void event_loop_gets_a_copy(void **state)
{
	const char *argv[] = {"build/victims/single", NULL};
	struct victim_health health;
	struct inject_target t;
	struct inject_result res;
	struct victim v;

	(void)state;
	assert_true(victim_start(&v, argv));
	assert_true(victim_await_state(&v, v.pid, 'S', 10 * SECOND_MS));
	victim_target(&v, &t);
	res = inject(&t, INJECT_PTRACE);
	assert_reason(res, INJECT_REFUSED, INJECT_R_NO_THREAD);
	res = inject(&t, INJECT_AUTO);
	victim_ping(&v, 10 * SECOND_MS, &health);
	victim_stop(&v);
	assert_reason(res, INJECT_DONE, INJECT_R_NONE);
	assert_int_equal(res.used, INJECT_PIDFD);
	assert_string_equal(health.detail, "");
	assert_true(health.link_shut);
}

/* A program without a file: run from a memfd. */
static void program_without_a_name(void **state)
{
	const char *argv[] = {NULL, "futex", NULL};
	int from = open("build/victims/threads", O_RDONLY | O_CLOEXEC);
	char name[] = "/tmp/ew-victim-XXXXXX";
	struct victim_health health;
	struct inject_target t;
	struct inject_result res;
	struct victim v;
	struct stat st;
	int to;

	(void)state;
	to = mkostemp(name, O_CLOEXEC);
	assert_true(from >= 0 && to >= 0);
	fstat(from, &st);
	assert_int_equal(sendfile(to, from, NULL, (size_t)st.st_size), st.st_size);
	fchmod(to, 0700);
	close(to);
	close(from);
	argv[0] = name;
	assert_true(victim_start(&v, argv));
	unlink(name);
	victim_target(&v, &t);
	res = inject(&t, INJECT_PTRACE);
	victim_ping(&v, 10 * SECOND_MS, &health);
	victim_stop(&v);
	assert_reason(res, INJECT_DONE, INJECT_R_NONE);
	assert_string_equal(health.detail, "");
}

/* ---- what the caller and the other end see ---- */

static void body_close_at_eof(int link, int ready)
{
	char c;

	say_ready(ready);
	while (read(link, &c, 1) > 0)
		;
	close(link);
	wait_forever();
}

/* The copy is closed at once: the owner's close is the last, and its FIN goes out. */
static void fin_reaches_the_other_end(void **state)
{
	struct kid kid = kid_start(body_close_at_eof);
	struct inject_target t = target_of(&kid);
	struct pollfd p = {.fd = kid.other, .events = POLLIN};
	char c;

	(void)state;
	assert_reason(inject(&t, INJECT_PIDFD), INJECT_DONE, INJECT_R_NONE);
	assert_int_equal(poll(&p, 1, 10 * SECOND_MS), 1);
	assert_int_equal(read(kid.other, &c, 1), 0);
	kid_end(&kid);
}

static volatile sig_atomic_t n_sigchld;

static void count_sigchld(int signo)
{
	(void)signo;
	n_sigchld++;
}

static void caller_gets_no_child_signal(void **state)
{
	struct sigaction count = {.sa_handler = count_sigchld}, old;
	struct kid kid = kid_start(body_futex);
	struct inject_target t = target_of(&kid);

	(void)state;
	await_state(kid.pid, 'S');
	sigaction(SIGCHLD, &count, &old);
	n_sigchld = 0;
	assert_reason(inject(&t, INJECT_PTRACE), INJECT_DONE, INJECT_R_NONE);
	assert_int_equal(n_sigchld, 0);
	sigaction(SIGCHLD, &old, NULL);
	kid_end(&kid);
}

static void second_time_finds_nothing_to_do(void **state)
{
	struct kid kid = kid_start(body_futex);
	struct inject_target t = target_of(&kid);

	(void)state;
	await_state(kid.pid, 'S');
	assert_reason(inject(&t, INJECT_AUTO), INJECT_DONE, INJECT_R_NONE);
	refused_either_way(&t, INJECT_R_ALREADY_SHUT);
	kid_end(&kid);
}

static void no_time_left(void **state)
{
	struct kid kid = kid_start(body_futex);
	struct inject_target t = target_of(&kid);
	struct inject_result res;
	struct fail why;

	(void)state;
	assert_int_equal(inject_shutdown(&t, INJECT_AUTO, injector_now(), &res, &why), -ETIMEDOUT);
	assert_reason(res, INJECT_REFUSED, INJECT_R_DEADLINE);
	kid_end(&kid);
}

/* ---- bad input ---- */

static void pids_never_touched(void **state)
{
	struct inject_target t = {.pidfd = -1, .fd = 3, .inode = 1};

	(void)state;
	static const pid_t bad[] = {0, 1, -1, -4711, (pid_t)0x80000000};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		t.pid = bad[i];
		refused_either_way(&t, INJECT_R_BAD_PID);
	}
	t.pid = getpid();
	refused_either_way(&t, INJECT_R_OWN_PROCESS);
}

static void kernel_thread(void **state)
{
	struct inject_target t = {.pid = 2, .pidfd = -1, .fd = 3, .inode = 1};
	char name[16] = "";
	int fd = open("/proc/2/comm", O_RDONLY | O_CLOEXEC);

	(void)state;
	if (fd < 0 || read(fd, name, sizeof(name) - 1) < 0 || strcmp(name, "kthreadd\n") != 0)
		skip(); /* in a pid name space of its own */
	close(fd);
	refused_either_way(&t, INJECT_R_KERNEL_THREAD);
}

static void thread_id(void **state)
{
	const char *argv[] = {"build/victims/threads", "futex", "futex", NULL};
	struct inject_target t;
	struct victim v;

	(void)state;
	assert_true(victim_start(&v, argv));
	victim_target(&v, &t);
	t.pid = v.page->thread[1].tid;
	refused_either_way(&t, INJECT_R_THREAD_ID);
	victim_stop(&v);
}

static void process_gone_or_another(void **state)
{
	struct kid kid = kid_start(body_futex);
	struct inject_target t = target_of(&kid);

	(void)state;
	t.start_ticks = 1;
	refused_either_way(&t, INJECT_R_OTHER_PROCESS);
	t.start_ticks = 0;
	kid_end(&kid);
	refused_either_way(&t, INJECT_R_GONE);
}

static void body_exit(int link, int ready)
{
	(void)link;
	say_ready(ready);
	_exit(0);
}

static void zombie(void **state)
{
	struct kid kid = kid_start(body_exit);
	struct inject_target t = target_of(&kid);

	(void)state;
	await_state(kid.pid, 'Z');
	refused_either_way(&t, INJECT_R_ZOMBIE);
	kid_end(&kid);
}

static void descriptors_that_are_no_link(void **state)
{
	struct kid kid = kid_start(body_futex);
	struct inject_target t = target_of(&kid);
	char path[64];
	struct stat st;

	(void)state;
	t.fd = 1000;
	refused_either_way(&t, INJECT_R_NO_FD);
	t.fd = -1;
	refused_either_way(&t, INJECT_R_NO_FD);
	t.fd = 0; /* whatever it is, it is no socket */
	snprintf(path, sizeof(path), "/proc/%d/fd/0", kid.pid);
	assert_int_equal(stat(path, &st), 0);
	t.inode = st.st_ino;
	if (!S_ISSOCK(st.st_mode))
		refused_either_way(&t, INJECT_R_NO_SOCKET);
	t = target_of(&kid);
	t.inode++;
	refused_either_way(&t, INJECT_R_OTHER_SOCKET);
	t.inode--;
	t.cookie++;
	refused_either_way(&t, INJECT_R_OTHER_SOCKET);
	kid_end(&kid);
}

static void refuse_socket(int fd, enum inject_reason reason)
{
	struct kid kid = kid_start_with(body_futex, fd, -1);
	struct inject_target t = target_of(&kid);

	refused_either_way(&t, reason);
	kid_end(&kid);
}

static void other_kinds_of_socket(void **state)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), pair[2];

	(void)state;
	refuse_socket(socket(AF_INET, SOCK_DGRAM, 0), INJECT_R_NOT_TCP);
	refuse_socket(socket(AF_UNIX, SOCK_STREAM, 0), INJECT_R_NOT_TCP);
	refuse_socket(socket(AF_NETLINK, SOCK_RAW, 0), INJECT_R_NOT_TCP);
	refuse_socket(socket(AF_INET, SOCK_STREAM, 0), INJECT_R_WRONG_STATE);
	assert_int_equal(listen(listener, 1), 0);
	refuse_socket(listener, INJECT_R_LISTENING);
	tcp_pair(pair); /* the other end has said goodbye: CLOSE_WAIT */
	close(pair[1]);
	struct pollfd p = {.fd = pair[0], .events = POLLRDHUP};
	assert_int_equal(poll(&p, 1, 10 * SECOND_MS), 1);
	refuse_socket(pair[0], INJECT_R_WRONG_STATE);
}

/* ---- states of the target ---- */

static void stopped_stays_stopped(void **state)
{
	struct kid kid = kid_start(body_futex);

	(void)state;
	kill(kid.pid, SIGSTOP);
	await_state(kid.pid, 'T');
	refused_then_copied(&kid, INJECT_R_STOPPED);
	assert_int_equal(state_of(kid.pid), 'T');
	kid_end(&kid);
}

static void already_traced(void **state)
{
	struct kid kid = kid_start(body_futex);
	struct inject_target t = target_of(&kid);
	struct inject_result res;
	struct fail why;
	char want[32];

	(void)state;
	assert_int_equal(ptrace(PTRACE_SEIZE, kid.pid, NULL, NULL), 0);
	inject_shutdown(&t, INJECT_PTRACE, injector_now() + 1000000000, &res, &why);
	assert_reason(res, INJECT_REFUSED, INJECT_R_TRACED);
	snprintf(want, sizeof(want), "by process %d", getpid());
	assert_non_null(strstr(why.what, want));
	refused_then_copied(&kid, INJECT_R_TRACED);
	kid_end(&kid);
}

/* vfork's parent waits uninterruptibly for its child. */
static void body_vfork(int link, int ready)
{
	char byte;
	int hold[2];

	(void)link;
	if (pipe(hold) < 0)
		_exit(1);
	say_ready(ready);
	if (syscall(SYS_vfork) == 0) {
		syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
		syscall(SYS_read, hold[0], &byte, 1);
	}
	_exit(0);
}

static void uninterruptible(void **state)
{
	struct kid kid;

	(void)state;
	kid = kid_start(body_vfork);
	await_state(kid.pid, 'D');
	refused_then_copied(&kid, INJECT_R_UNINTERRUPTIBLE);
	kid_end(&kid);
}

static void filter(uint32_t nr, uint32_t result)
{
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, result),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof(insns) / sizeof(insns[0]), insns};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		_exit(1);
}

static void body_no_shutdown(int link, int ready)
{
	filter(SYS_shutdown, SECCOMP_RET_KILL_PROCESS);
	body_futex(link, ready);
}

static void body_no_sigreturn(int link, int ready)
{
	filter(SYS_rt_sigreturn, SECCOMP_RET_KILL_PROCESS);
	filter(SYS_reboot, SECCOMP_RET_ERRNO | EPERM); /* a newer one, which allows it */
	body_futex(link, ready);
}

static void body_other_filter(int link, int ready)
{
	filter(SYS_reboot, SECCOMP_RET_KILL_PROCESS);
	filter(SYS_shutdown, SECCOMP_RET_LOG);
	body_futex(link, ready);
}

static void seccomp_filters(void **state)
{
	struct inject_target t;
	struct kid kid;

	(void)state;
	kid = kid_start(body_no_shutdown);
	await_state(kid.pid, 'S');
	refused_then_copied(&kid, INJECT_R_SECCOMP);
	kid_end(&kid);
	kid = kid_start(body_no_sigreturn);
	await_state(kid.pid, 'S');
	refused_then_copied(&kid, INJECT_R_SECCOMP);
	kid_end(&kid);
	kid = kid_start(body_other_filter);
	await_state(kid.pid, 'S');
	t = target_of(&kid);
	assert_reason(inject(&t, INJECT_PTRACE), INJECT_DONE, INJECT_R_NONE);
	assert_int_not_equal(state_of(kid.pid), 'Z');
	kid_end(&kid);
}

enum { TABLE = 256 };

static void fill_table(int link)
{
	int last;

	do
		last = dup(link);
	while (last >= 0 && last < TABLE - 1);
}

static void body_full_table(int link, int ready)
{
	fill_table(link);
	body_futex(link, ready);
}

static void body_full_to_the_limit(int link, int ready)
{
	struct rlimit limit = {TABLE, TABLE};

	setrlimit(RLIMIT_NOFILE, &limit);
	body_full_table(link, ready);
}

/* The table grows if it may; if not there is no number to be safe with. */
static void full_descriptor_table(void **state)
{
	struct kid kid = kid_start(body_full_table);
	struct inject_target t = target_of(&kid);

	(void)state;
	await_state(kid.pid, 'S');
	assert_reason(inject(&t, INJECT_PTRACE), INJECT_DONE, INJECT_R_NONE);
	kid_end(&kid);
	kid = kid_start(body_full_to_the_limit);
	await_state(kid.pid, 'S');
	refused_then_copied(&kid, INJECT_R_NO_SPARE);
	kid_end(&kid);
}

/*
 * The target puts another socket on the number and the right one back, all the time: neither way
 * ever touches the other, whatever is reported.
 */
static void never_another_socket(void **state)
{
	const char *argv[] = {"build/victims/threads", "futex", "swap", NULL};
	struct victim_health health;
	unsigned done = 0;
	struct victim v;

	(void)state;
	assert_true(victim_start_with(&v, argv, VICTIM_LINKS, -1));
	for (int i = 0; i < VICTIM_LINKS; i++) {
		struct inject_target t;
		struct inject_result res;

		victim_link_target(&v, i, &t);
		v.page->swap_fd = t.fd;
		res = inject(&t, i % 2 ? INJECT_PTRACE : INJECT_PIDFD);
		v.page->swap_fd = 0;
		if (res.status == INJECT_DONE)
			done++;
		else
			assert_reason(res, INJECT_REFUSED, INJECT_R_OTHER_SOCKET);
		victim_ping(&v, 10 * SECOND_MS, &health);
		assert_string_equal(health.detail, "");
		assert_int_equal(health.decoys_hit, 0);
		assert_int_equal(victim_links_shut(&v) >> i & 1, res.status == INJECT_DONE);
	}
	assert_true(v.page->renewals > 0);
	assert_true(done > 0);
	victim_stop(&v);
}

/* A stack whose end nobody knows: memory between other memory. */
static void *wait_in_thread(void *arg)
{
	*(_Atomic pid_t *)arg = gettid();
	wait_forever();
	return NULL;
}

/* Says that all is ready once the new thread is asleep. */
static void start_thread(const pthread_attr_t *attr, int ready)
{
	static _Atomic pid_t tid;
	pthread_t thread;

	pthread_create(&thread, attr, wait_in_thread, &tid);
	while (!tid || victim_state(getpid(), tid) != 'S')
		sched_yield();
	say_ready(ready);
}

static void body_odd_stack(int link, int ready)
{
	enum { HALF = 1 << 20 };
	char *memory =
		mmap(NULL, 2 * HALF, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attr;

	(void)link;
	mprotect(memory, 4096, PROT_READ); /* whatever lies below: no guard */
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, memory + HALF, HALF);
	start_thread(&attr, ready);
	poll(NULL, 0, -1);
}

static void stack_of_unknown_end(void **state)
{
	struct kid kid;

	(void)state;
	kid = kid_start(body_odd_stack);
	refused_then_copied(&kid, INJECT_R_STACK);
	kid_end(&kid);
}

static void body_leader_ends(int link, int ready)
{
	(void)link;
	start_thread(NULL, ready);
	syscall(SYS_exit, 0); /* this thread alone */
}

/* The first thread has ended, others live: /proc/PID shows a zombie without a memory map. */
static void first_thread_ended(void **state)
{
	struct kid kid = kid_start(body_leader_ends);
	struct inject_target t = target_of(&kid);
	struct pollfd p = {.fd = kid.other, .events = POLLRDHUP};
	struct inject_result res;

	(void)state;
	await_state(kid.pid, 'Z');
	res = inject(&t, INJECT_PTRACE);
	assert_reason(res, INJECT_DONE, INJECT_R_NONE);
	assert_int_not_equal(res.tid, kid.pid);
	assert_int_equal(poll(&p, 1, 0), 0); /* only shut down for reading: nothing is sent */
	kid_end(&kid);
}

static void body_name_spaces(int link, int ready)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC) < 0)
		_exit(1);
	body_futex(link, ready);
}

static void other_name_spaces(void **state)
{
	struct kid kid = kid_start(body_name_spaces);
	struct inject_target t = target_of(&kid);

	(void)state;
	await_state(kid.pid, 'S');
	assert_reason(inject(&t, INJECT_PTRACE), INJECT_DONE, INJECT_R_NONE);
	kid_end(&kid);
}

/* As an ordinary user on root's process; the answer comes back as an exit code. */
static void no_permission(void **state)
{
	struct kid kid = kid_start(body_futex);
	struct inject_target t = target_of(&kid);
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0) {
		struct inject_result res;
		bool as_promised = setgid(65534) == 0 && setuid(65534) == 0;

		for (int m = INJECT_AUTO; m <= INJECT_PIDFD; m++) {
			inject_shutdown(&t, (enum inject_method)m, injector_now() + 1000000000,
					&res, NULL);
			as_promised &=
				res.status == INJECT_REFUSED && res.reason == INJECT_R_PERMISSION;
		}
		_exit(as_promised ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	kid_end(&kid);
}

/* An i386 program of three instructions: pause, for ever. */
static void body_i386(int link, int ready)
{
	static const unsigned char code[] = {0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7};
	struct {
		Elf32_Ehdr head;
		Elf32_Phdr segment;
		unsigned char code[sizeof(code)];
	} file = {
		.head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
			 .e_type = ET_EXEC,
			 .e_machine = EM_386,
			 .e_version = EV_CURRENT,
			 .e_entry = 0x8048000 + offsetof(__typeof__(file), code),
			 .e_phoff = sizeof(file.head),
			 .e_ehsize = sizeof(file.head),
			 .e_phentsize = sizeof(file.segment),
			 .e_phnum = 1},
		.segment = {.p_type = PT_LOAD,
			    .p_vaddr = 0x8048000,
			    .p_filesz = sizeof(file),
			    .p_memsz = sizeof(file),
			    .p_flags = PF_R | PF_X,
			    .p_align = 4096},
	};
	char *none[] = {NULL};
	int fd = memfd_create("i386", 0);

	memcpy(file.code, code, sizeof(code));
	if (write(fd, &file, sizeof(file)) != sizeof(file))
		_exit(1);
	fcntl(link, F_SETFD, 0);
	fexecve(fd, none, none);
	say_ready(ready); /* this kernel runs no i386 programs */
	_exit(1);
}

static void program_of_32_bits(void **state)
{
	struct kid kid = kid_start(body_i386); /* ready: its end of the pipe was closed by exec */
	char c;

	(void)state;
	if (read(kid.ready, &c, 1) == 1) {
		kid_end(&kid);
		skip();
	}
	await_state(kid.pid, 'S');
	refused_then_copied(&kid, INJECT_R_ARCH);
	kid_end(&kid);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(unnoticed_in_each_call_it_chooses),
		cmocka_unit_test(unnoticed_beside_every_other_call),
		cmocka_unit_test(event_loop_gets_a_copy),
		cmocka_unit_test(program_without_a_name),
		cmocka_unit_test(fin_reaches_the_other_end),
		cmocka_unit_test(caller_gets_no_child_signal),
		cmocka_unit_test(second_time_finds_nothing_to_do),
		cmocka_unit_test(no_time_left),
		cmocka_unit_test(pids_never_touched),
		cmocka_unit_test(kernel_thread),
		cmocka_unit_test(thread_id),
		cmocka_unit_test(process_gone_or_another),
		cmocka_unit_test(zombie),
		cmocka_unit_test(descriptors_that_are_no_link),
		cmocka_unit_test(other_kinds_of_socket),
		cmocka_unit_test(stopped_stays_stopped),
		cmocka_unit_test(already_traced),
		cmocka_unit_test(uninterruptible),
		cmocka_unit_test(seccomp_filters),
		cmocka_unit_test(full_descriptor_table),
		cmocka_unit_test(never_another_socket),
		cmocka_unit_test(stack_of_unknown_end),
		cmocka_unit_test(first_thread_ended),
		cmocka_unit_test(other_name_spaces),
		cmocka_unit_test(no_permission),
		cmocka_unit_test(program_of_32_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

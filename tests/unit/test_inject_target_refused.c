/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Injections that must be refused because of the state of the process, each with its reason; the
 * process and its socket stay as they were. Needs root.
 */
#include "inject_child.h"

#include <sys/utsname.h>

static void stopped_stays_stopped(void **state)
{
	struct tcp_child child = child_start(body_futex);

	(void)state;
	kill(child.pid, SIGSTOP);
	await_state(child.pid, 'T');
	refused_then_copied(&child, INJECT_R_STOPPED);
	assert_int_equal(victim_state(child.pid, child.pid), 'T');
	child_end(&child);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Makes a cgroup (version 2) and puts pid into it. False: not possible here. */
static bool enter_cgroup(pid_t pid, char *dir, size_t size)
{
	static const char *const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	char path[128], text[16];

	snprintf(text, sizeof(text), "%d", pid);
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		snprintf(dir, size, "%s/ew-test-%d", roots[i], pid);
		snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
		if (mkdir(dir, 0755) == 0 && write_file(path, text))
			return true;
		rmdir(dir);
	}
	return false;
}

static void await_frozen(const char *dir)
{
	char path[128], events[128];

	snprintf(path, sizeof(path), "%s/cgroup.events", dir);
	for (int i = 0; i < 10000; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = read(fd, events, sizeof(events) - 1);

		close(fd);
		events[n > 0 ? n : 0] = '\0';
		if (strstr(events, "frozen 1"))
			return;
		sched_yield();
	}
	fail();
}

static struct inject_plan plan_once(const struct tcp_child *child)
{
	struct inject_request request = request_of(child);
	struct inject_worker *worker;
	struct inject_plan plan;

	assert_int_equal(inject_worker_new(&worker), 0);
	assert_int_equal(inject_plan_make(worker, &request, &plan), 0);
	inject_worker_free(worker);
	return plan;
}

/* A child in a frozen cgroup; *plan (may be NULL) was made before. False: not possible here. */
static bool frozen_start(struct tcp_child *child, char *dir, size_t size, struct inject_plan *plan)
{
	char path[128];

	*child = child_start(body_futex);
	await_state(child->pid, 'S');
	if (!enter_cgroup(child->pid, dir, size)) {
		child_end(child);
		return false;
	}
	if (plan)
		*plan = plan_once(child);
	snprintf(path, sizeof(path), "%s/cgroup.freeze", dir);
	assert_true(write_file(path, "1"));
	await_frozen(dir);
	return true;
}

static void frozen_cgroup(void **state)
{
	struct tcp_child child;
	char dir[64];

	(void)state;
	if (!frozen_start(&child, dir, sizeof(dir), NULL))
		skip();
	refused_then_copied(&child, INJECT_R_FROZEN);
	child_end(&child); /* SIGKILL ends frozen ones too */
	rmdir(dir);
}

/* It would run the calls once it is thawed, when nobody waits for them any more. */
static void frozen_since_the_plan_was_made(void **state)
{
	struct inject_request request;
	struct inject_plan plan;
	struct inject_result result;
	struct tcp_child child;
	char dir[64];

	(void)state;
	if (!frozen_start(&child, dir, sizeof(dir), &plan))
		skip();
	request = request_of(&child);
	request.plan = &plan;
	result = inject(&request, INJECT_PTRACE);
	assert_reason(result, INJECT_REFUSED, INJECT_R_FROZEN);
	assert_int_equal(result.stopped_ns, 0);
	child_end(&child);
	rmdir(dir);
}

static void already_traced(void **state)
{
	struct tcp_child child = child_start(body_futex);
	struct inject_request t = request_of(&child);
	struct inject_result res;
	char want[32];

	(void)state;
	assert_int_equal(ptrace(PTRACE_SEIZE, child.pid, NULL, NULL), 0);
	inject_once(&t, INJECT_PTRACE, 1000, &res);
	assert_reason(res, INJECT_REFUSED, INJECT_R_TRACED);
	snprintf(want, sizeof(want), "by process %d", getpid());
	assert_non_null(strstr(res.error.message, want));
	refused_then_copied(&child, INJECT_R_TRACED);
	child_end(&child);
}

/* The parent of a vfork() waits uninterruptibly for the child. */
static void body_vfork(int link, int ready)
{
	char byte;
	int hold[2];

	(void)link;
	if (pipe(hold) < 0)
		_exit(1);
	say_ready(ready);
	if (syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0) == 0) {
		syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
		syscall(SYS_read, hold[0], &byte, 1);
	}
	_exit(0);
}

static void uninterruptible(void **state)
{
	struct tcp_child child;

	(void)state;
	child = child_start(body_vfork);
	await_state(child.pid, 'D');
	refused_then_copied(&child, INJECT_R_UNINTERRUPTIBLE);
	child_end(&child);
}

static void body_no_shutdown(int link, int ready)
{
	filter(SYS_shutdown, SECCOMP_RET_KILL_PROCESS);
	body_futex(link, ready);
}

static void body_no_sigreturn(int link, int ready)
{
	filter(SYS_rt_sigreturn, SECCOMP_RET_KILL_PROCESS);
	filter(SYS_reboot, SECCOMP_RET_ERRNO | EPERM); /* a newer filter, which allows the call */
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
	struct inject_request t;
	struct tcp_child child;

	(void)state;
	child = child_start(body_no_shutdown);
	await_state(child.pid, 'S');
	refused_then_copied(&child, INJECT_R_SECCOMP);
	child_end(&child);
	child = child_start(body_no_sigreturn);
	await_state(child.pid, 'S');
	refused_then_copied(&child, INJECT_R_SECCOMP);
	child_end(&child);
	child = child_start(body_other_filter);
	await_state(child.pid, 'S');
	t = request_of(&child);
	assert_reason(inject(&t, INJECT_PTRACE), INJECT_DONE, INJECT_R_NONE);
	assert_int_not_equal(victim_state(child.pid, child.pid), 'Z');
	child_end(&child);
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
	struct rlimit limit = { TABLE, TABLE };

	setrlimit(RLIMIT_NOFILE, &limit);
	body_full_table(link, ready);
}

enum { GAP = 64 + 16 }; /* enough free numbers, in a table of TABLE */

static void full_but_for(int n_free, int link, int ready)
{
	struct rlimit limit = { TABLE, TABLE };

	setrlimit(RLIMIT_NOFILE, &limit);
	fill_table(link);
	for (int fd = TABLE / 4 - 5; fd < TABLE / 4 - 5 + n_free; fd++)
		close(fd);
	for (int fd = 3 * TABLE / 4 + 8; fd < TABLE; fd += 9) /* and gaps that are too small */
		for (int i = 0; i < 8 && fd + i < TABLE; i++)
			close(fd + i);
	body_futex(link, ready);
}

static void body_enough_free(int link, int ready)
{
	full_but_for(GAP, link, ready);
}

static void body_too_few_free(int link, int ready)
{
	full_but_for(GAP - 1, link, ready);
}

/* The first has room for a duplicate, the second has not. */
static void only_the_first_has_room(void (*first)(int, int), void (*second)(int, int))
{
	struct tcp_child child = child_start(first);
	struct inject_request t = request_of(&child);

	await_state(child.pid, 'S');
	assert_reason(inject(&t, INJECT_PTRACE), INJECT_DONE, INJECT_R_NONE);
	child_end(&child);
	child = child_start(second);
	await_state(child.pid, 'S');
	refused_then_copied(&child, INJECT_R_NO_SCRATCH_FD);
	child_end(&child);
}

static void free_numbers_between_used_ones(void **state)
{
	(void)state;
	only_the_first_has_room(body_enough_free, body_too_few_free);
}

/* The table grows if its limit allows; if not, there is no safe number. */
static void full_descriptor_table(void **state)
{
	(void)state;
	only_the_first_has_room(body_full_table, body_full_to_the_limit);
}

/* By an ordinary user, on a process of root; the exit code of the child tells the result. */
static void no_permission(void **state)
{
	struct tcp_child child = child_start(body_futex);
	struct inject_request t = request_of(&child);
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
			inject_once(&t, (enum inject_method)m, 1000, &res);
			as_promised &=
				res.status == INJECT_REFUSED && res.reason == INJECT_R_PERMISSION;
		}
		_exit(as_promised ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	child_end(&child);
}

/* An i386 program of three instructions, which calls pause() for ever. */
static void body_i386(int link, int ready)
{
	static const unsigned char code[] = { 0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7 };
	struct {
		Elf32_Ehdr head;
		Elf32_Phdr segment;
		unsigned char code[sizeof(code)];
	} file = {
		.head = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
			  .e_type = ET_EXEC,
			  .e_machine = EM_386,
			  .e_version = EV_CURRENT,
			  .e_entry = 0x8048000 + offsetof(__typeof__(file), code),
			  .e_phoff = sizeof(file.head),
			  .e_ehsize = sizeof(file.head),
			  .e_phentsize = sizeof(file.segment),
			  .e_phnum = 1 },
		.segment = { .p_type = PT_LOAD,
			     .p_vaddr = 0x8048000,
			     .p_filesz = sizeof(file),
			     .p_memsz = sizeof(file),
			     .p_flags = PF_R | PF_X,
			     .p_align = 4096 },
	};
	char *none[] = { NULL };
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
	struct tcp_child child =
		child_start(body_i386); /* ready: its end of the pipe was closed by exec */
	char c;

	(void)state;
	if (read(child.ready, &c, 1) == 1) {
		child_end(&child);
		skip();
	}
	await_state(child.pid, 'S');
	refused_then_copied(&child, INJECT_R_ARCH);
	child_end(&child);
}

#ifdef __x86_64__		     /* arm64 has no such dispatch */
#ifndef PR_SET_SYSCALL_USER_DISPATCH /* Linux 5.11 */
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON	     1
#endif

static uint32_t dispatch_word;

/* In a section of its own: the only code whose system calls are allowed. */
__attribute__((section("calls"), noinline, no_sanitize("address", "undefined"))) static void
own_wait(int ready)
{
	long nr = SYS_write;

	__asm__ volatile("syscall"
			 : "+a"(nr)
			 : "D"(ready), "S"("r"), "d"(1)
			 : "rcx", "r11", "memory");
	for (;;) {
		register long timeout __asm__("r10") = 0;

		nr = SYS_futex;
		__asm__ volatile("syscall"
				 : "+a"(nr)
				 : "D"(&dispatch_word), "S"(FUTEX_WAIT_PRIVATE), "d"(0),
				   "r"(timeout)
				 : "rcx", "r11", "memory");
	}
}

__attribute__((no_sanitize("address"))) static void body_dispatch(int link, int ready)
{
	(void)link;
	/* Not prctl(): a sanitizer makes system calls around that. */
	if (syscall(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, own_wait, 512,
		    NULL) < 0)
		_exit(1);
	own_wait(ready);
}

/* Other system calls, injected ones too, would kill it by SIGSYS. Linux shows this since 6.4. */
static void dispatches_its_calls(void **state)
{
	struct utsname kernel;
	struct tcp_child child;
	int major, minor;

	(void)state;
	assert_int_equal(uname(&kernel), 0);
	assert_int_equal(sscanf(kernel.release, "%d.%d", &major, &minor), 2);
	if (major * 100 + minor < 604)
		skip();
	child = child_start(body_dispatch);
	await_state(child.pid, 'S');
	refused_then_copied(&child, INJECT_R_DISPATCH);
	await_state(child.pid, 'S');
	child_end(&child);
}
#endif

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(stopped_stays_stopped),
		cmocka_unit_test(frozen_cgroup),
		cmocka_unit_test(frozen_since_the_plan_was_made),
		cmocka_unit_test(already_traced),
		cmocka_unit_test(uninterruptible),
		cmocka_unit_test(seccomp_filters),
		cmocka_unit_test(full_descriptor_table),
		cmocka_unit_test(free_numbers_between_used_ones),
		cmocka_unit_test(no_permission),
		cmocka_unit_test(program_of_32_bits),
#ifdef __x86_64__
		cmocka_unit_test(dispatches_its_calls),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Facts about real processes with crafted environments, libraries and namespaces. */
#include "test_observe.h"

#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/resource.h>

#include "base/dirents.h"
#include "base/pid_set.h"
#include "base/proc.h"
#include "observe/bpf/thread_scan.h"
#include "observe/proc/known_libraries.h"
#include "observe/proc/procfs.h"

#define SLAVE "slave(1)@127.0.0.1:5051"

static struct facts facts;
static struct procfs *procfs;
static struct child child;
static struct ew_thread_scan *threads; /* NULL: all threads are read from /proc */
static struct pid_set odd;
static bool keeps_libraries;

static int setup(void **state)
{
	(void)state;
	facts_init(&facts);
	return dir_make() < 0 ? -1 : procfs_new(&procfs, NULL);
}

static int teardown(void **state)
{
	(void)state;
	child_end(&child);
	procfs_free(procfs);
	ew_thread_scan_free(threads);
	threads = NULL;
	keeps_libraries = false;
	pid_set_free(&odd);
	facts_free(&facts);
	return dir_remove();
}

static int setup_with_thread_scan(void **state)
{
	return setup(state) || ew_thread_scan_open(&threads) < 0;
}

/* All processes with a Mesos environment; their libraries but for those of one. */
static void list_all(pid_t not_closely)
{
	struct procfs_row row;
	int more;

	assert_int_equal(procfs_list(procfs, NULL), 0);
	if (keeps_libraries)
		procfs_list_keep_libraries(procfs);
	if (threads) {
		assert_int_equal(ew_thread_scan_run(threads, &odd), 0);
		procfs_list_threads(procfs, &odd);
	}
	while ((more = procfs_next(procfs, &row, NULL)) > 0)
		if (row.mesos)
			procfs_emit_row(procfs, row.pid != not_closely, &facts.sink);
	assert_int_equal(more, 0);
	procfs_emit_denied(procfs, &facts.sink);
}

static const json_t *scanned(void)
{
	facts_clear(&facts);
	list_all(0);
	return facts_with(&facts, "process", "pid", child.pid);
}

static const char *const nothing[] = { NULL };

static void an_executor_is_told_as_its_agent_started_it(void **state)
{
	char *env[] = { "MESOS_FRAMEWORK_ID=F-0000",
			"MESOS_SLAVE_PID=" SLAVE,
			"MESOS_SLAVE_ID=S0",
			"MESOS_EXECUTOR_ID=web",
			"MESOS_CHECKPOINT=1",
			"MESOS_DIRECTORY=/w/slaves/S0/frameworks/F-0000/executors/web/runs/c-1",
			"MESOS_RECOVERY_TIMEOUT=20mins",
			"MESOS_SUBSCRIPTION_BACKOFF_MAX=2secs",
			NULL };
	struct proc_stat stat;
	const json_t *fact;

	(void)state;
	child = child_start(child_name("mesos-executor"), nothing, env, 0);
	fact = scanned();
	assert_non_null(fact);
	assert_string_equal(text(fact, "executor_id"), "web");
	assert_string_equal(text(fact, "framework_id"), "F-0000");
	assert_string_equal(text(fact, "slave_id"), "S0");
	assert_string_equal(text(fact, "slave_pid"), SLAVE);
	assert_string_equal(text(fact, "container_id"), "c-1");
	assert_string_equal(text(fact, "comm"), "mesos-executor");
	assert_string_equal(text(fact, "environ_read"), "yes");
	assert_true(json_is_true(json_object_get(fact, "checkpoint")));
	assert_int_equal(number(fact, "recovery_timeout_ns"), 1200 * INT64_C(1000000000));
	assert_int_equal(number(fact, "backoff_max_ns"), 2 * INT64_C(1000000000));
	assert_int_equal(number(fact, "ppid"), getpid());
	assert_int_equal(proc_stat_of(child.pid, &stat), 0);
	assert_int_equal(number(fact, "start"), stat.start);
	assert_int_equal(number(fact, "ns_pid"), child.pid);
	assert_int_equal(number(fact, "netns"), netns_own());
	assert_string_equal(text(fact, "library"), "");
	assert_string_equal(text(fact, "library_version"), "");
}

static void an_id_may_hold_any_byte(void **state)
{
	char *env[] = { "MESOS_EXECUTOR_ID=it's \"a\nb\" ; $(rm -rf) \xc3\xa9", NULL };

	(void)state;
	child = child_start("/proc/self/exe", nothing, env, 0);
	assert_non_null(scanned());
	assert_string_equal(text(scanned(), "executor_id"), "it's \"a\nb\" ; $(rm -rf) \xc3\xa9");
}

static void an_environment_of_a_hundred_kilobytes_is_read_to_its_end(void **state)
{
	static char large[120 * 1024];
	char *env[] = { large, "MESOS_EXECUTOR_ID=last", NULL };

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	large[1] = '=';
	child = child_start("/proc/self/exe", nothing, env, 0);
	assert_non_null(scanned());
	assert_string_equal(text(scanned(), "executor_id"), "last");
}

static void a_variable_that_its_process_erased_is_not_there(void **state)
{
	const char *args[] = { "erase=MESOS_SLAVE_ID", NULL };
	char *env[] = { "MESOS_SLAVE_ID=gone", "MESOS_EXECUTOR_ID=e", NULL };

	(void)state;
	child = child_start("/proc/self/exe", args, env, 0);
	assert_non_null(scanned());
	assert_string_equal(text(scanned(), "slave_id"), "");
	assert_string_equal(text(scanned(), "executor_id"), "e");
}

static void who_has_no_mesos_environment_is_told_only_when_asked(void **state)
{
	char *env[] = { "X_MESOS_EXECUTOR_ID=no", "PATH=MESOS_EXECUTOR_ID=", NULL };

	(void)state;
	child = child_start(child_name("nginx"), nothing, env, 0);
	assert_null(scanned());
	assert_int_equal(procfs_emit(procfs, child.pid, &facts.sink), 0);
	assert_string_equal(text(facts_with(&facts, "process", "pid", child.pid), "comm"), "nginx");
	assert_string_equal(text(facts_with(&facts, "process", "pid", child.pid), "executor_id"),
			    "");
}

static void a_process_that_has_ended_is_passed_over(void **state)
{
	char *env[] = { "MESOS_EXECUTOR_ID=e", NULL };
	pid_t pid;

	(void)state;
	child = child_start("/proc/self/exe", nothing, env, 0);
	pid = child.pid;
	child_end(&child);
	assert_int_equal(procfs_emit(procfs, pid, &facts.sink), -ESRCH);
	assert_int_equal(json_array_size(facts.all), 0);
}

/* Its parent has not waited for it: it has a pid, and nothing else. */
static void a_zombie_is_no_executor(void **state)
{
	char *env[] = { "MESOS_EXECUTOR_ID=e", NULL };
	siginfo_t info;

	(void)state;
	child = child_start("/proc/self/exe", nothing, env, 0);
	kill(child.pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT), 0);
	assert_null(scanned());
	assert_null(facts_with(&facts, "unread", "pid", child.pid));
}

static void what_may_not_be_read_is_said(void **state)
{
	char *env[] = { "MESOS_EXECUTOR_ID=e", NULL };
	const json_t *fact;

	(void)state;
	if (geteuid() != 0)
		skip();
	child = child_start("/proc/self/exe", nothing, env, 0);
	assert_int_equal(seteuid(65534), 0);
	procfs_emit(procfs, child.pid, &facts.sink);
	list_all(0);
	assert_int_equal(seteuid(0), 0);
	fact = facts_with(&facts, "unread", "pid", child.pid);
	assert_non_null(fact);
	assert_non_null(strstr(text(fact, "reason"), "Permission denied; run as root"));
	fact = facts_with(&facts, "process", "pid", child.pid);
	assert_non_null(fact);
	assert_string_equal(text(fact, "environ_read"), "no");
	/* Denied processes are counted in one fact: an unprivileged user may read nearly none. */
	assert_int_equal(facts_count(&facts, "unread"), 2);
}

static void a_deleted_executable_is_told_by_its_old_path(void **state)
{
	char *env[] = { "MESOS_EXECUTOR_ID=e", NULL };
	const char *copy = dir_at("mesos executor");
	const json_t *fact;

	(void)state;
	run("cp /proc/%d/exe '%s'", getpid(), copy);
	child = child_start(copy, nothing, env, 0);
	assert_true(json_is_false(json_object_get(scanned(), "exe_deleted")));
	assert_int_equal(unlink(copy), 0);
	fact = scanned();
	assert_string_equal(text(fact, "exe"), copy);
	assert_true(json_is_true(json_object_get(fact, "exe_deleted")));
}

static void a_file_that_is_called_deleted_is_not(void **state)
{
	char *env[] = { "MESOS_EXECUTOR_ID=e", NULL };
	const char *copy = dir_at("x (deleted)");

	(void)state;
	run("cp /proc/%d/exe '%s'", getpid(), copy);
	child = child_start(copy, nothing, env, 0);
	assert_string_equal(text(scanned(), "exe"), copy);
	assert_true(json_is_false(json_object_get(scanned(), "exe_deleted")));
}

static void the_mapped_library_tells_its_version_even_deleted(void **state)
{
	char *env[] = { "MESOS_EXECUTOR_ID=e", "MESOS_NATIVE_LIBRARY=/x/libmesos-1.12.0.so", NULL };
	const char *library = dir_at("libmesos-1.0.4.so");
	char map[256];
	const char *args[] = { map, NULL };

	(void)state;
	file_write(library, "library", 7);
	snprintf(map, sizeof(map), "map=%s", library);
	child = child_start("/proc/self/exe", args, env, 0);
	for (int i = 0; i < 2; i++) {
		const json_t *fact = scanned();

		assert_string_equal(text(fact, "library"), library);
		assert_string_equal(text(fact, "library_version"), "1.0.4");
		assert_string_equal(text(fact, "version_from"), "library");
		assert_string_equal(text(fact, "library_deleted"), i ? "yes" : "no");
		unlink(library);
	}
}

/* What a watch knows of its last scan: that the file is deleted meanwhile shows it, and nothing
 * else. */
static void a_library_is_kept_for_the_program_that_has_it(void **state)
{
	char *env[] = { "MESOS_EXECUTOR_ID=e", NULL };
	const char *library = dir_at("libmesos-1.0.4.so");
	char map[256];
	const char *args[] = { map, NULL };

	(void)state;
	file_write(library, "library", 7);
	snprintf(map, sizeof(map), "map=%s", library);
	child = child_start("/proc/self/exe", args, env, 0);
	keeps_libraries = true;
	assert_string_equal(text(scanned(), "library_deleted"), "no");
	unlink(library);
	for (int i = 0; i < 2; i++) {
		assert_string_equal(text(scanned(), "library"), library);
		assert_string_equal(text(scanned(), "library_version"), "1.0.4");
		assert_string_equal(text(scanned(), "library_deleted"), "no");
	}
	keeps_libraries = false;
	assert_string_equal(text(scanned(), "library_deleted"), "yes");
}

static void another_program_has_another_number(void **state)
{
	struct proc_stat stat = { .start = 1, .start_stack = 2 }, other = stat;
	uint64_t program = known_program(&stat, "/bin/a", "a b");

	(void)state;
	assert_true(program && program == known_program(&other, "/bin/a", "a b"));
	assert_true(program != known_program(&stat, "/bin/b", "a b"));
	assert_true(program != known_program(&stat, "/bin/a", "a c"));
	other.start_stack = 3;
	assert_true(program != known_program(&other, "/bin/a", "a b"));
	other = stat;
	other.start = 2;
	assert_true(program != known_program(&other, "/bin/a", "a b"));
	stat.start_stack = 0; /* not told */
	assert_true(known_program(&stat, "/bin/a", "a b") == 0);
}

static void a_known_library_is_looked_at_again_after_a_minute(void **state)
{
	struct known_libraries known = { 0 };
	struct procfs_library library = { .path = "/l/libmesos.so", .from = "" }, found;

	(void)state;
	known_libraries_begin(&known);
	known_library_add(&known, 7, 77, 1000, &library);
	known_library_add(&known, 9, 99, 1000, &library);
	known_libraries_begin(&known);
	assert_true(known_library_find(&known, 7, 77, 2000, &found));
	assert_string_equal(found.path, "/l/libmesos.so");
	assert_false(known_library_find(&known, 8, 77, 2000, &found));
	assert_false(known_library_find(&known, 9, 98, 2000, &found)); /* another program */
	known_libraries_begin(&known);
	assert_true(known_library_find(&known, 7, 77, 999 + KNOWN_LIBRARY_NS, &found));
	assert_false(known_library_find(&known, 9, 99, 2000, &found)); /* not in the last list */
	known_libraries_begin(&known);
	assert_false(known_library_find(&known, 7, 77, 1000 + KNOWN_LIBRARY_NS, &found));
	known_libraries_free(&known);
}

/* Renamed, it still says with what name and version it was built. */
static void the_library_itself_outweighs_its_files_name(void **state)
{
	char *env[] = { "MESOS_EXECUTOR_ID=e", NULL };
	const char *library = dir_at("libmesos-1.11.0.so");
	char map[256];
	const char *args[] = { map, NULL };
	const json_t *fact;

	(void)state;
	if (geteuid() != 0)
		skip();
	run("echo 'int x;' | cc -x c -shared -fPIC -Wl,-soname,libmesos-1.0.4.so "
	    "-Wl,--build-id=0xfeed0104 -o %s -",
	    library);
	snprintf(map, sizeof(map), "map=%s", library);
	child = child_start("/proc/self/exe", args, env, 0);
	unlink(library);
	fact = scanned();
	assert_string_equal(text(fact, "library"), library);
	assert_string_equal(text(fact, "library_version"), "1.0.4");
	assert_string_equal(text(fact, "library_build_id"), "feed0104");
	assert_string_equal(text(fact, "library_deleted"), "yes");
}

/* The second file is no library at all: a program may map what it likes beside its own. */
static void libraries_that_differ_tell_no_version(void **state)
{
	char *env[] = { "MESOS_EXECUTOR_ID=e", NULL };
	char maps[3][256];
	const char *args[] = { maps[0], maps[1], maps[2], NULL };
	static const char *const names[] = { "libmesos-1.0.4.so", "libmesos-1.11.0.so",
					     "libmesos.so" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		file_write(dir_at("%s", names[i]), "library", 7);
		snprintf(maps[i], sizeof(maps[i]), "map=%s", dir_at("%s", names[i]));
	}
	child = child_start("/proc/self/exe", args, env, 0);
	assert_string_equal(text(scanned(), "library_version"), "");
	assert_string_equal(text(scanned(), "version_from"), "");
	assert_non_null(strstr(text(scanned(), "library"), "/libmesos-1."));
}

static void libraries_that_agree_tell_their_version(void **state)
{
	char *env[] = { "MESOS_EXECUTOR_ID=e", NULL };
	char maps[2][256];
	const char *args[] = { maps[0], maps[1], NULL };

	(void)state;
	run("mkdir -p %s", dir_at("x"));
	file_write(dir_at("libmesos-1.0.4.so"), "library", 7);
	file_write(dir_at("x/libmesos-1.0.4.so"), "library", 7);
	snprintf(maps[0], sizeof(maps[0]), "map=%s", dir_at("libmesos-1.0.4.so"));
	snprintf(maps[1], sizeof(maps[1]), "map=%s", dir_at("x/libmesos-1.0.4.so"));
	child = child_start("/proc/self/exe", args, env, 0);
	assert_string_equal(text(scanned(), "library_version"), "1.0.4");
}

static void a_library_that_does_not_matter_is_not_looked_for(void **state)
{
	char *env[] = { "MESOS_EXECUTOR_ID=e", NULL };
	const char *library = dir_at("libmesos-1.0.4.so");
	char map[256];
	const char *args[] = { map, NULL };
	const json_t *fact;

	(void)state;
	file_write(library, "library", 7);
	snprintf(map, sizeof(map), "map=%s", library);
	child = child_start("/proc/self/exe", args, env, 0);
	list_all(child.pid);
	fact = facts_with(&facts, "process", "pid", child.pid);
	assert_string_equal(text(fact, "executor_id"), "e");
	assert_string_equal(text(fact, "library"), "");
}

/* A log is rotated, and the task writes into it; the environment has the agent's library. */
static void no_log_and_no_environment_tells_the_version(void **state)
{
	static const char head[] = "I1123 18:50:57.081728  9990 exec.cpp:164] Version: 1.11.0\n";
	static char directory[128];
	char *env[] = { "MESOS_EXECUTOR_ID=e", "MESOS_NATIVE_LIBRARY=/x/libmesos-1.12.0.so",
			directory, NULL };

	(void)state;
	file_write(dir_at("stderr"), head, sizeof(head) - 1);
	snprintf(directory, sizeof(directory), "MESOS_DIRECTORY=%s", dir_path);
	child = child_start("/proc/self/exe", nothing, env, 0);
	assert_string_equal(text(scanned(), "executor_id"), "e");
	assert_string_equal(text(scanned(), "library_version"), "");
	assert_string_equal(text(scanned(), "version_from"), "");
}

/* ---- the state of its threads ---- */

static char *const an_executor[] = { "MESOS_EXECUTOR_ID=e", NULL };

/* The last fact of the child, after all its threads were looked at as often as it takes. */
static const json_t *rechecked(void)
{
	static const struct timespec pause = { .tv_nsec = 10000000 };

	scanned();
	while (procfs_recheck(procfs, &facts.sink))
		nanosleep(&pause, NULL);
	return facts_last(&facts, "process", "pid", child.pid);
}

static void await_state(pid_t pid, char state)
{
	struct proc_stat stat;

	do
		assert_int_equal(proc_stat_of(pid, &stat), 0);
	while (stat.state != state);
}

/* Returns the limit before. */
static rlim_t files_limit(rlim_t n)
{
	struct rlimit limit;
	rlim_t before;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	before = limit.rlim_cur;
	limit.rlim_cur = n;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	return before;
}

/* With any number of free descriptors nothing that was not looked at is taken for harmless. */
static void without_descriptors_a_process_is_not_taken_for_harmless(void **state)
{
	size_t all = 0, less = 0;
	rlim_t before;

	(void)state;
	if (geteuid() != 0)
		skip();
	child = child_start("/proc/self/exe", nothing, an_executor, CLONE_NEWPID);
	kill(child.pid, SIGSTOP);
	await_state(child.pid, 'T');
	for (rlim_t n = 3; n < 32; n++) {
		const json_t *fact;

		facts_clear(&facts);
		before = files_limit(n);
		procfs_emit_closely(procfs, child.pid, &facts.sink);
		files_limit(before);
		fact = facts_with(&facts, "process", "pid", child.pid);
		if (facts_count(&facts, "unread")) {
			less++;
			assert_string_not_equal(text(fact, "state"), "S");
			continue;
		}
		all++;
		assert_string_equal(text(fact, "state"), "T");
		assert_int_equal(number(fact, "pidns_init"), child.pid);
		assert_string_not_equal(text(fact, "cgroup"), "");
	}
	assert_true(all > 0 && less > 0);
}

static void without_descriptors_a_list_of_processes_fails(void **state)
{
	struct procfs_row row;
	rlim_t before;
	int err;

	(void)state;
	assert_int_equal(procfs_list(procfs, NULL), 0);
	before = files_limit(3);
	err = procfs_next(procfs, &row, NULL);
	files_limit(before);
	assert_int_equal(err, -EMFILE);
}

static void a_process_that_runs_has_its_state_at_the_first_look(void **state)
{
	(void)state;
	child = child_start("/proc/self/exe", nothing, an_executor, 0);
	await_state(child.pid, 'S');
	assert_string_equal(text(scanned(), "state"), "S");
	assert_string_equal(text(scanned(), "frozen"), "no");
	assert_int_equal(number(scanned(), "tracer"), 0);
	assert_false(procfs_recheck(procfs, &facts.sink));
}

static void a_process_that_a_signal_stopped_is_in_state_T(void **state)
{
	(void)state;
	child = child_start("/proc/self/exe", nothing, an_executor, 0);
	kill(child.pid, SIGSTOP);
	await_state(child.pid, 'T');
	assert_string_equal(text(scanned(), "state"), "T");
	kill(child.pid, SIGCONT);
	await_state(child.pid, 'S');
	assert_string_equal(text(scanned(), "state"), "S");
}

static void a_process_that_its_tracer_stopped_is_in_state_t(void **state)
{
	(void)state;
	child = child_start("/proc/self/exe", nothing, an_executor, 0);
	assert_int_equal(ptrace(PTRACE_SEIZE, child.pid, NULL, NULL), 0);
	await_state(child.pid, 'S');
	assert_string_equal(text(rechecked(), "state"), "S");
	assert_int_equal(number(rechecked(), "tracer"), getpid());
	assert_int_equal(ptrace(PTRACE_INTERRUPT, child.pid, NULL, NULL), 0);
	await_state(child.pid, 't');
	assert_string_equal(text(rechecked(), "state"), "t");
	assert_true(number(rechecked(), "in_state_ns") >= 100000000);
}

static pid_t last_thread(pid_t pid)
{
	struct dirents list;
	char path[PROC_PATH_MAX];
	pid_t tid, last = 0;

	assert_int_equal(dirents_open(&list, AT_FDCWD, proc_path(path, pid, 0, "task")), 0);
	while ((tid = dirents_next(&list)) > 0)
		last = tid;
	dirents_close(&list);
	return last;
}

/* The thread that answers the agent may be any of them. */
static void one_stopped_thread_stands_for_its_process(void **state)
{
	const char *args[] = { "thread=", NULL };
	pid_t last;

	(void)state;
	child = child_start("/proc/self/exe", args, an_executor, 0);
	last = last_thread(child.pid);
	assert_int_not_equal(last, child.pid);
	assert_int_equal(ptrace(PTRACE_SEIZE, last, NULL, NULL), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, last, NULL, NULL), 0);
	assert_int_equal(waitpid(last, NULL, __WALL), last);
	assert_string_equal(text(rechecked(), "state"), "t");
	assert_int_equal(number(rechecked(), "tracer"), getpid());
	assert_int_equal(ptrace(PTRACE_DETACH, last, NULL, NULL), 0);
}

/* A parent of vfork(2) is in uninterruptible sleep until its child runs another program. */
static void a_process_that_hangs_in_the_kernel_is_in_state_D_for_seconds(void **state)
{
	const char *args[] = { "hang=", NULL };

	(void)state;
	child = child_start("/proc/self/exe", args, an_executor, 0);
	await_state(child.pid, 'D');
	assert_string_equal(text(rechecked(), "state"), "D");
	assert_true(number(rechecked(), "in_state_ns") >= 2000000000);
}

/* By an empty set none is odd: not one that its tracer has stopped. Its tracer is not read either.
 */
static void threads_that_were_looked_at_are_not_read_again(void **state)
{
	const char *args[] = { "thread=", NULL };
	const struct pid_set none = { 0 };
	struct procfs_row row = { 0 };
	const json_t *fact;
	pid_t thread;

	(void)state;
	child = child_start("/proc/self/exe", args, an_executor, 0);
	thread = last_thread(child.pid);
	assert_int_equal(ptrace(PTRACE_SEIZE, thread, NULL, NULL), 0);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, thread, NULL, NULL), 0);
	assert_int_equal(waitpid(thread, NULL, __WALL), thread);
	assert_int_equal(procfs_list(procfs, NULL), 0);
	procfs_list_threads(procfs, &none);
	while (row.pid != child.pid)
		assert_int_equal(procfs_next(procfs, &row, NULL), 1);
	assert_int_equal(procfs_emit_row(procfs, true, &facts.sink), 0);
	fact = facts_with(&facts, "process", "pid", child.pid);
	assert_string_equal(text(fact, "state"), "S");
	assert_false(procfs_recheck(procfs, &facts.sink));
	assert_string_equal(text(rechecked(), "state"), "t"); /* the next list does not know */
	assert_int_equal(ptrace(PTRACE_DETACH, thread, NULL, NULL), 0);
}

/* Which of these processes the list has, each once: a bit for each. */
static uint64_t listed(struct procfs *list, const pid_t *pids, size_t n)
{
	struct procfs_row row;
	uint64_t found = 0;

	assert_int_equal(procfs_list(list, NULL), 0);
	while (procfs_next(list, &row, NULL) > 0)
		for (size_t i = 0; i < n; i++)
			if (pids[i] == row.pid) {
				assert_false(found >> i & 1);
				found |= UINT64_C(1) << i;
			}
	return found;
}

static void every_process_is_in_one_half_and_always_the_same(void **state)
{
	const uint64_t all = (UINT64_C(1) << 40) - 1;
	struct procfs *second;
	uint64_t in_first, in_second;
	pid_t pids[40];

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			for (;;)
				pause();
	}
	assert_true(listed(procfs, pids, 40) == all);
	assert_int_equal(procfs_new(&second, NULL), 0);
	procfs_halves(procfs, second);
	in_first = listed(procfs, pids, 40);
	in_second = listed(second, pids, 40);
	assert_true(in_first && in_second);
	assert_true((in_first & in_second) == 0);
	assert_true((in_first | in_second) == all);
	assert_true(listed(procfs, pids, 40) == in_first);
	procfs_halves(procfs, NULL);
	procfs_free(second);
	assert_true(listed(procfs, pids, 40) == all);
	for (size_t i = 0; i < 40; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

static void the_first_process_of_a_pid_namespace_is_told(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	child = child_start("/proc/self/exe", nothing, an_executor, CLONE_NEWPID);
	assert_int_equal(number(scanned(), "pidns_init"), child.pid);
}

static void a_pid_namespace_is_seen_through(void **state)
{
	char *env[] = { "MESOS_EXECUTOR_ID=e", NULL };
	const json_t *fact;
	struct stat own;

	(void)state;
	if (geteuid() != 0)
		skip();
	child = child_start("/proc/self/exe", nothing, env, CLONE_NEWPID | CLONE_NEWNET);
	fact = scanned();
	assert_non_null(fact);
	assert_int_equal(number(fact, "ns_pid"), 1);
	assert_int_equal(stat("/proc/self/ns/pid", &own), 0);
	assert_int_not_equal(number(fact, "pidns"), own.st_ino);
	assert_int_not_equal(number(fact, "netns"), netns_own());
}

/* As proc(5) shows it: cgroup v1 with systemd's hierarchy, v2 alone, v1 without systemd. */
static void the_cgroup_is_systemds_else_the_unified_one(void **state)
{
	static const struct {
		const char *file;
		const char *path;
	} cases[] = {
		{ "9:name=systemd:/mesos_executors.slice\n4:memory:/mesos/c\n0::/unified\n",
		  "/mesos_executors.slice" },
		{ "0::/system.slice/dcos-mesos-slave.service\n",
		  "/system.slice/dcos-mesos-slave.service" },
		{ "10:cpu:/a\n0::/b:c d\n", "/b:c d" },
		{ "4:memory:/mesos/c\n", "" },
		{ "", "" },
	};
	int dir = open(dir_path, O_PATH | O_DIRECTORY);
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		file_write(dir_at("cgroup"), cases[i].file, strlen(cases[i].file));
		proc_cgroup(dir, path, sizeof(path));
		assert_string_equal(path, cases[i].path);
	}
	close(dir);
}

/* A name may hold what separates the fields. */
static void a_name_with_parentheses_does_not_shift_the_fields(void **state)
{
	const char *const args[] = { NULL };
	char *env[] = { "MESOS_EXECUTOR_ID=e", NULL };

	(void)state;
	child = child_start(child_name("a) R 1 (b"), args, env, 0);
	assert_non_null(scanned());
	assert_string_equal(text(scanned(), "comm"), "a) R 1 (b");
	assert_int_equal(number(scanned(), "ppid"), getpid());
}

static void every_process_is_listed_with_its_namespace(void **state)
{
	char *env[] = { "MESOS_EXECUTOR_ID=e", NULL };
	struct procfs_row row;
	size_t n = 0;

	(void)state;
	child = child_start("/proc/self/exe", nothing, env, 0);
	assert_int_equal(procfs_list(procfs, NULL), 0);
	while (procfs_next(procfs, &row, NULL) > 0) {
		n += row.pid == getpid() && row.netns == netns_own() && !row.mesos;
		n += row.pid == child.pid && row.netns == netns_own() && row.mesos;
	}
	assert_int_equal(n, 2);
}

/* Its directory stays that of the process which was listed. */
static void a_process_that_ends_after_it_was_listed_has_no_fact(void **state)
{
	char *env[] = { "MESOS_EXECUTOR_ID=e", NULL };
	struct procfs_row row;

	(void)state;
	child = child_start("/proc/self/exe", nothing, env, 0);
	assert_int_equal(procfs_list(procfs, NULL), 0);
	do
		assert_int_equal(procfs_next(procfs, &row, NULL), 1);
	while (row.pid != child.pid);
	assert_true(row.mesos);
	child_end(&child);
	assert_int_equal(procfs_emit_row(procfs, true, &facts.sink), -ESRCH);
	assert_int_equal(facts_count(&facts, "process"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_WITH_THREAD_SCAN(name)                                                                \
	{                                                                                          \
#name " by BPF", name, setup_with_thread_scan, teardown, NULL                      \
	}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(an_executor_is_told_as_its_agent_started_it),
		TEST(an_id_may_hold_any_byte),
		TEST(an_environment_of_a_hundred_kilobytes_is_read_to_its_end),
		TEST(a_variable_that_its_process_erased_is_not_there),
		TEST(who_has_no_mesos_environment_is_told_only_when_asked),
		TEST(a_process_that_has_ended_is_passed_over),
		TEST(a_zombie_is_no_executor),
		TEST(what_may_not_be_read_is_said),
		TEST(a_deleted_executable_is_told_by_its_old_path),
		TEST(a_file_that_is_called_deleted_is_not),
		TEST(the_mapped_library_tells_its_version_even_deleted),
		TEST(a_library_is_kept_for_the_program_that_has_it),
		TEST(another_program_has_another_number),
		TEST(a_known_library_is_looked_at_again_after_a_minute),
		TEST(the_library_itself_outweighs_its_files_name),
		TEST(libraries_that_differ_tell_no_version),
		TEST(libraries_that_agree_tell_their_version),
		TEST(a_library_that_does_not_matter_is_not_looked_for),
		TEST(no_log_and_no_environment_tells_the_version),
		TEST(without_descriptors_a_process_is_not_taken_for_harmless),
		TEST(without_descriptors_a_list_of_processes_fails),
		TEST(a_process_that_runs_has_its_state_at_the_first_look),
		TEST(a_process_that_a_signal_stopped_is_in_state_T),
		TEST(a_process_that_its_tracer_stopped_is_in_state_t),
		TEST(one_stopped_thread_stands_for_its_process),
		TEST(a_process_that_hangs_in_the_kernel_is_in_state_D_for_seconds),
		TEST(threads_that_were_looked_at_are_not_read_again),
		TEST_WITH_THREAD_SCAN(a_process_that_runs_has_its_state_at_the_first_look),
		TEST_WITH_THREAD_SCAN(a_process_that_a_signal_stopped_is_in_state_T),
		TEST_WITH_THREAD_SCAN(a_process_that_its_tracer_stopped_is_in_state_t),
		TEST_WITH_THREAD_SCAN(one_stopped_thread_stands_for_its_process),
		TEST_WITH_THREAD_SCAN(a_process_that_hangs_in_the_kernel_is_in_state_D_for_seconds),
		TEST(every_process_is_in_one_half_and_always_the_same),
		TEST(the_first_process_of_a_pid_namespace_is_told),
		TEST(the_cgroup_is_systemds_else_the_unified_one),
		TEST(a_name_with_parentheses_does_not_shift_the_fields),
		TEST(a_pid_namespace_is_seen_through),
		TEST(every_process_is_listed_with_its_namespace),
		TEST(a_process_that_ends_after_it_was_listed_has_no_fact),
	};

	child_main(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Over a copy of what a real agent wrote (tests/data/mesos/meta), whole and damaged. */
#include "test_observe.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "observe/agent/checkpoints.h"

#define SLAVE	  "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-S0"
#define FRAMEWORK "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-0000"
#define OTHER	  "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-0001"
#define WEB_RUN	  "70c332d8-b506-4f13-a492-4cd514dc0924"
#define LOOP_RUN  "27bc78a7-dfe2-4f68-ac6d-ae27c3dba4a3"
#define META	  "work/meta/slaves/" SLAVE "/frameworks/"
#define WEB	  META FRAMEWORK "/executors/web"
#define LOOP	  META OTHER "/executors/loop"

static struct facts facts;

static int link_to(const char *target, const char *path)
{
	return symlink(target, dir_at("%s", path));
}

/* The links are absolute, as an agent makes them, and lead to a place that is not there. */
static int setup(void **state)
{
	(void)state;
	facts_init(&facts);
	if (dir_make() < 0)
		return -1;
	run("mkdir %s && cp -r tests/data/mesos/meta %s", dir_at("work"), dir_at("work/meta"));
	return link_to("/nowhere/meta/slaves/" SLAVE, "work/meta/slaves/latest") ||
	       link_to("/nowhere/" WEB_RUN, WEB "/runs/latest") ||
	       link_to("/nowhere/" LOOP_RUN, LOOP "/runs/latest");
}

static int teardown(void **state)
{
	(void)state;
	facts_free(&facts);
	return dir_remove();
}

static int meta_emit(void)
{
	facts_clear(&facts);
	return checkpoints_emit(dir_at("work"), &facts.sink, NULL);
}

static const json_t *run_of(const char *executor_id)
{
	return facts_find(&facts, "checkpoint", "executor_id", executor_id);
}

static const char *task_of(const json_t *run, size_t i)
{
	const char *name = json_string_value(json_array_get(json_object_get(run, "tasks"), i));

	return name ? name : "(none)";
}

static void what_a_real_agent_wrote_is_told(void **state)
{
	const json_t *dir, *web, *loop;

	(void)state;
	run("touch -d @1500000000 '%s'", dir_at(WEB "/runs/" WEB_RUN "/pids/forked.pid"));
	run("touch -d @1400000000.5 '%s'", dir_at("work/meta/boot_id"));
	assert_int_equal(meta_emit(), 0);
	dir = facts_nth(&facts, "work_dir", NULL, NULL, 0);
	assert_string_equal(text(dir, "path"), dir_at("work"));
	assert_string_equal(text(dir, "slave_id"), SLAVE);
	assert_string_equal(text(dir, "readable"), "yes");
	assert_string_equal(text(dir, "same_boot"), "no");
	assert_int_equal(number(dir, "info_port"), 5051);
	assert_int_equal(number(dir, "boot_written_wall_ns"), INT64_C(1400000000500000000));
	assert_int_equal(facts_count(&facts, "checkpoint"), 2);
	assert_int_equal(facts_count(&facts, "unread"), 0);
	web = run_of("web");
	assert_string_equal(text(web, "slave_id"), SLAVE);
	assert_string_equal(text(web, "framework_id"), FRAMEWORK);
	assert_string_equal(text(web, "container_id"), WEB_RUN);
	assert_string_equal(text(web, "upid"), "executor(1)@127.0.0.1:42593");
	assert_int_equal(number(web, "forked_pid"), 21315);
	assert_int_equal(number(web, "forked_wall_ns"), INT64_C(1500000000000000000));
	assert_true(json_is_false(json_object_get(web, "http")));
	assert_true(json_is_false(json_object_get(web, "completed")));
	assert_string_equal(task_of(web, 0), "web");
	assert_string_equal(task_of(web, 1), "(none)");
	loop = run_of("loop");
	assert_string_equal(text(loop, "framework_id"), OTHER);
	assert_string_equal(text(loop, "container_id"), LOOP_RUN);
}

static void the_boot_is_compared(void **state)
{
	(void)state;
	run("cp /proc/sys/kernel/random/boot_id %s", dir_at("work/meta/boot_id"));
	assert_int_equal(meta_emit(), 0);
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "same_boot"), "yes");
	unlink(dir_at("work/meta/boot_id"));
	assert_int_equal(meta_emit(), 0);
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "same_boot"),
			    "unknown");
}

static void markers_tell_the_protocol_and_the_end(void **state)
{
	(void)state;
	file_write(dir_at(WEB "/runs/" WEB_RUN "/http.marker"), "", 0);
	unlink(dir_at(WEB "/runs/" WEB_RUN "/pids/libprocess.pid"));
	file_write(dir_at(LOOP "/runs/" LOOP_RUN "/executor.sentinel"), "", 0);
	assert_int_equal(meta_emit(), 0);
	assert_true(json_is_true(json_object_get(run_of("web"), "http")));
	assert_string_equal(text(run_of("web"), "upid"), "");
	assert_true(json_is_true(json_object_get(run_of("loop"), "completed")));
	assert_true(json_is_false(json_object_get(run_of("loop"), "http")));
	assert_int_equal(facts_count(&facts, "unread"), 0);
}

static void an_executor_that_never_registered_has_no_upid(void **state)
{
	(void)state;
	unlink(dir_at(WEB "/runs/" WEB_RUN "/pids/libprocess.pid"));
	assert_int_equal(meta_emit(), 0);
	assert_string_equal(text(run_of("web"), "upid"), "");
	assert_int_equal(number(run_of("web"), "forked_pid"), 21315);
	assert_int_equal(facts_count(&facts, "unread"), 0);
}

static void the_latest_run_counts(void **state)
{
	(void)state;
	run("cp -r %s %s", dir_at(WEB "/runs/" WEB_RUN), dir_at(WEB "/runs/second"));
	run("printf 4711 > %s", dir_at(WEB "/runs/second/pids/forked.pid"));
	unlink(dir_at(WEB "/runs/latest"));
	assert_int_equal(link_to("second", WEB "/runs/latest"), 0);
	assert_int_equal(meta_emit(), 0);
	assert_int_equal(facts_count(&facts, "checkpoint"), 2);
	assert_string_equal(text(run_of("web"), "container_id"), "second");
	assert_int_equal(number(run_of("web"), "forked_pid"), 4711);
}

static void ids_may_hold_any_byte_but_the_slash(void **state)
{
	static const char id[] = "it's \"a\nb\" $(x) \xc3\xa9";

	(void)state;
	assert_int_equal(rename(dir_at(WEB), dir_at(META FRAMEWORK "/executors/%s", id)), 0);
	assert_int_equal(meta_emit(), 0);
	assert_non_null(run_of(id));
	assert_int_equal(number(run_of(id), "forked_pid"), 21315);
}

static void runs_of_an_id_that_was_given_up_are_told_with_it(void **state)
{
	(void)state;
	run("cp -r %s %s", dir_at("work/meta/slaves/" SLAVE), dir_at("work/meta/slaves/OLD"));
	assert_int_equal(meta_emit(), 0);
	assert_int_equal(facts_count(&facts, "checkpoint"), 4);
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "latest"), "yes");
	unlink(dir_at("work/meta/slaves/latest"));
	assert_int_equal(meta_emit(), 0);
	assert_int_equal(facts_count(&facts, "checkpoint"), 4);
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "slave_id"), "");
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "latest"), "no");
	assert_non_null(facts_find(&facts, "checkpoint", "slave_id", "OLD"));
}

static void damage_is_named_by_file_and_the_rest_goes_on(void **state)
{
	const json_t *unread;

	(void)state;
	file_write(dir_at(WEB "/runs/" WEB_RUN "/pids/libprocess.pid"), "executor(1)@", 12);
	file_write(dir_at(LOOP "/runs/" LOOP_RUN "/pids/forked.pid"), "", 0);
	file_write(dir_at(LOOP "/runs/" LOOP_RUN "/tasks/loop/task.info"), "\xff\xff\xff\x7fxx", 6);
	assert_int_equal(meta_emit(), 0);
	assert_int_equal(facts_count(&facts, "checkpoint"), 2);
	assert_int_equal(facts_count(&facts, "unread"), 3);
	unread = facts_find(&facts, "unread", "object",
			    dir_at(WEB "/runs/" WEB_RUN "/pids/libprocess.pid"));
	assert_non_null(unread);
	assert_int_equal(number(unread, "pid"), 21315); /* whose registration is now unknown */
	assert_string_not_equal(text(unread, "reason"), "");
	assert_string_equal(text(run_of("web"), "upid"), "");
	unread = facts_find(&facts, "unread", "object",
			    dir_at(LOOP "/runs/" LOOP_RUN "/pids/forked.pid"));
	assert_non_null(unread);
	assert_non_null(strstr(text(unread, "reason"), "empty"));
	assert_int_equal(number(run_of("loop"), "forked_pid"), 0);
	assert_non_null(facts_find(&facts, "unread", "object",
				   dir_at(LOOP "/runs/" LOOP_RUN "/tasks/loop/task.info")));
	assert_string_equal(task_of(run_of("loop"), 0), "loop"); /* its directory has its id */
}

#define WEB_FRAMEWORK META FRAMEWORK
#define WEB_TASK      WEB "/runs/" WEB_RUN "/tasks/web"

/* What is said of web when this file is not as it should be; the agent's own file concerns loop
 * too.
 */
static void without(const char *path, const char *name, bool all)
{
	char obstacle[64], file[PATH_MAX], kept[PATH_MAX];

	snprintf(file, sizeof(file), "%s", dir_at("%s/%s", path, name));
	snprintf(kept, sizeof(kept), "%s", dir_at("kept"));
	run("mv %s %s", file, kept);
	assert_int_equal(meta_emit(), 0);
	snprintf(obstacle, sizeof(obstacle), "%s is missing", name);
	assert_string_equal(text(run_of("web"), "recoverable"), "no");
	assert_string_equal(text(run_of("web"), "obstacle"), obstacle);
	assert_string_equal(text(run_of("loop"), "recoverable"), all ? "no" : "yes");
	file_write(file, "", 0);
	assert_int_equal(meta_emit(), 0);
	assert_string_equal(text(run_of("web"), "recoverable"), "no");
	assert_non_null(strstr(text(run_of("web"), "obstacle"), "is empty"));
	assert_int_equal(facts_count(&facts, "damage"), 0);
	unlink(file);
	assert_int_equal(symlink(file, file), 0);
	meta_emit();
	assert_string_equal(text(run_of("web"), "recoverable"), "unknown");
	assert_non_null(strstr(text(run_of("web"), "obstacle"), "could not be read"));
	unlink(file);
	run("mv %s %s", kept, file);
	assert_int_equal(meta_emit(), 0);
	assert_string_equal(text(run_of("web"), "recoverable"), "yes");
	assert_string_equal(text(run_of("web"), "obstacle"), "");
}

static void without_a_file_the_agent_does_not_take_it_back(void **state)
{
	(void)state;
	without("work/meta/slaves/" SLAVE, "slave.info", true);
	without(WEB_FRAMEWORK, "framework.info", false);
	without(WEB_FRAMEWORK, "framework.pid", false);
	without(WEB, "executor.info", false);
	without(WEB_TASK, "task.info", false);
}

/* Damaged, all of them end the recovery; the last bytes of the message are another wire type. */
static void damage(const char *path, const char *fatal, const char *recoverable)
{
	static const char bytes[] = "\x04\0\0\0\xff\xff\xff\xff";
	char file[PATH_MAX], kept[PATH_MAX];
	const json_t *found;

	snprintf(file, sizeof(file), "%s", dir_at("%s", path));
	snprintf(kept, sizeof(kept), "%s", dir_at("kept"));
	run("mv %s %s", file, kept);
	file_write(file, bytes, 8);
	assert_int_equal(meta_emit(), 0);
	assert_int_equal(facts_count(&facts, "damage"), 1);
	found = facts_nth(&facts, "damage", NULL, NULL, 0);
	assert_string_equal(text(found, "path"), file);
	assert_string_not_equal(text(found, "text"), "");
	assert_string_equal(text(found, "fatal"), fatal);
	assert_string_equal(text(run_of("web"), "recoverable"), recoverable);
	run("mv %s %s", kept, file);
}

static void damage_ends_the_recovery(void **state)
{
	(void)state;
	run("mkdir %s && touch %s", dir_at("work/meta/resources"),
	    dir_at("work/meta/resources/resources.info"));
	damage("work/meta/slaves/" SLAVE "/slave.info", "no", "no");
	damage(WEB_FRAMEWORK "/framework.info", "no", "no");
	damage(WEB "/executor.info", "no", "no");
	damage(WEB_TASK "/task.info", "no", "no");
	damage(WEB_TASK "/task.updates", "no", "yes");
	damage("work/meta/resources/resources.info", "no", "yes");
	damage(WEB "/runs/" WEB_RUN "/pids/forked.pid", "yes", "yes");
}

static void damage_of_an_earlier_run_ends_it_too(void **state)
{
	(void)state;
	run("cp -r %s %s", dir_at(WEB "/runs/" WEB_RUN), dir_at(WEB "/runs/earlier"));
	damage(WEB "/runs/earlier/tasks/web/task.info", "no", "yes");
	damage(WEB "/runs/earlier/tasks/web/task.updates", "no", "yes");
	damage(WEB "/runs/earlier/pids/forked.pid", "yes", "yes");
	assert_int_equal(facts_count(&facts, "checkpoint"), 2);
	file_write(dir_at(WEB "/runs/earlier/executor.sentinel"), "", 0);
	damage(WEB "/runs/earlier/tasks/web/task.info", "no", "yes");
}

/* Below what it passes over the agent does not look, nor into the tree of another id. */
static void damage_that_the_agent_does_not_meet_is_none(void **state)
{
	(void)state;
	run("cp -r %s %s", dir_at("work/meta/slaves/" SLAVE), dir_at("work/meta/slaves/OLD"));
	file_write(dir_at("work/meta/slaves/OLD/slave.info"), "x", 1);
	unlink(dir_at(WEB_FRAMEWORK "/framework.pid"));
	file_write(dir_at(WEB "/executor.info"), "x", 1);
	assert_int_equal(meta_emit(), 0);
	assert_int_equal(facts_count(&facts, "damage"), 0);
	unlink(dir_at("work/meta/slaves/" SLAVE "/slave.info"));
	file_write(dir_at(LOOP "/executor.info"), "x", 1);
	assert_int_equal(meta_emit(), 0);
	assert_int_equal(facts_count(&facts, "damage"), 0);
}

static void a_boot_id_that_is_none_is_that_of_another_boot(void **state)
{
	static const char *const texts[] = { "", "x" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		file_write(dir_at("work/meta/boot_id"), texts[i], i);
		assert_int_equal(meta_emit(), 0);
		assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "same_boot"),
				    "no");
		assert_string_equal(text(run_of("web"), "own_boot"), "no");
	}
}

static void sandboxes_without_meta_are_a_first_start(void **state)
{
	(void)state;
	run("rm -r %s && mkdir %s", dir_at("work/meta"), dir_at("work/slaves"));
	assert_int_equal(meta_emit(), 0);
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "readable"), "yes");
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "latest"), "no");
	run("rmdir %s", dir_at("work/slaves"));
	assert_int_equal(meta_emit(), -ENOENT);
}

static void an_empty_libprocess_pid_hides_the_marker(void **state)
{
	(void)state;
	file_write(dir_at(WEB "/runs/" WEB_RUN "/http.marker"), "", 0);
	file_write(dir_at(WEB "/runs/" WEB_RUN "/pids/libprocess.pid"), "", 0);
	assert_int_equal(meta_emit(), 0);
	assert_true(json_is_false(json_object_get(run_of("web"), "http")));
	assert_string_equal(text(run_of("web"), "upid"), "");
}

/* Who may write below the work directory must not make us read, or wait for, something else. */
static void links_pipes_and_strangers_are_passed_over(void **state)
{
	(void)state;
	run("printf 1 > %s", dir_at("elsewhere"));
	unlink(dir_at(WEB "/runs/" WEB_RUN "/pids/forked.pid"));
	assert_int_equal(
		symlink(dir_at("elsewhere"), dir_at(WEB "/runs/" WEB_RUN "/pids/forked.pid")), 0);
	unlink(dir_at(LOOP "/runs/" LOOP_RUN "/pids/forked.pid"));
	assert_int_equal(mkfifo(dir_at(LOOP "/runs/" LOOP_RUN "/pids/forked.pid"), 0600), 0);
	file_write(dir_at(META FRAMEWORK "/executors/aBcDeF"), "x", 1);
	file_write(dir_at("work/meta/slaves/" SLAVE "/frameworks/lost+found"), "x", 1);
	run("mkdir %s", dir_at("work/meta/resources"));
	assert_int_equal(symlink("/", dir_at(META "loop-back")), 0);
	assert_int_equal(meta_emit(), 0);
	assert_int_equal(facts_count(&facts, "checkpoint"), 2);
	assert_int_equal(number(run_of("web"), "forked_pid"), 0);
	assert_int_equal(number(run_of("loop"), "forked_pid"), 0);
	assert_int_equal(facts_count(&facts, "unread"), 2);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(text(facts_nth(&facts, "unread", NULL, NULL, i), "reason"),
				    "Invalid argument");
}

static void a_task_is_called_by_its_name(void **state)
{
	(void)state;
	assert_int_equal(rename(dir_at(WEB "/runs/" WEB_RUN "/tasks/web"),
				dir_at(WEB "/runs/" WEB_RUN "/tasks/id-1")),
			 0);
	assert_int_equal(meta_emit(), 0);
	assert_string_equal(task_of(run_of("web"), 0), "web");
}

static void a_latest_that_leads_nowhere_is_said(void **state)
{
	(void)state;
	unlink(dir_at(WEB "/runs/latest"));
	assert_int_equal(link_to("..", WEB "/runs/latest"), 0);
	unlink(dir_at(LOOP "/runs/latest"));
	assert_int_equal(meta_emit(), 0);
	assert_int_equal(facts_count(&facts, "checkpoint"), 0);
	assert_non_null(facts_find(&facts, "unread", "object", dir_at(WEB "/runs/latest")));
	assert_non_null(facts_find(&facts, "unread", "object", dir_at(LOOP "/runs/latest")));
}

static void a_task_that_is_over_is_left_out(void **state)
{
	/* StatusUpdateRecord{1: UPDATE, 2: StatusUpdate{4: TaskStatus{2: TASK_FINISHED}}} */
	static const char finished[] = "\x08\x00\x12\x0a\x22\x08\x0a\x04\x0a\x02"
				       "ab\x10\x02";
	const size_t len = sizeof(finished) - 1;
	char record[64];

	(void)state;
	memcpy(record, &(uint32_t){ (uint32_t)len }, 4);
	memcpy(record + 4, finished, len);
	run("cp -r %s %s", dir_at(WEB "/runs/" WEB_RUN "/tasks/web"),
	    dir_at(WEB "/runs/" WEB_RUN "/tasks/zzz"));
	file_write(dir_at(WEB "/runs/" WEB_RUN "/tasks/web/task.updates"), record, len + 4);
	run("rm %s", dir_at(WEB "/runs/" WEB_RUN "/tasks/zzz/task.info"));
	assert_int_equal(meta_emit(), 0);
	assert_int_equal(facts_count(&facts, "unread"), 0);
	assert_string_equal(task_of(run_of("web"), 0), "zzz");
	assert_string_equal(task_of(run_of("web"), 1), "(none)");
}

static void a_work_directory_that_is_none_is_refused_with_a_cure(void **state)
{
	struct error error = { 0 };

	(void)state;
	assert_int_equal(checkpoints_emit(dir_at("nothing here"), &facts.sink, &error), -ENOENT);
	assert_non_null(strstr(error.message, "nothing here/meta"));
	assert_non_null(strstr(error.cure, "--work-dir"));
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "readable"), "no");
	assert_int_equal(facts_count(&facts, "unread"), 1);
}

static void what_may_not_be_read_is_not_taken_for_empty(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(dir_path, 0755), 0);
	assert_int_equal(chmod(dir_at("work/meta"), 0700), 0);
	assert_int_equal(seteuid(65534), 0);
	meta_emit();
	assert_int_equal(seteuid(0), 0);
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "readable"), "no");
	assert_int_equal(chmod(dir_at("work/meta"), 0755), 0);
	assert_int_equal(chmod(dir_at(META FRAMEWORK "/executors"), 0700), 0);
	assert_int_equal(seteuid(65534), 0);
	meta_emit();
	assert_int_equal(seteuid(0), 0);
	assert_non_null(
		facts_find(&facts, "unread", "object", dir_at(META FRAMEWORK "/executors")));
	assert_null(run_of("web"));
}

/* With any number of free descriptors: all was read, or it is said that something was not. */
static void without_descriptors_it_is_not_complete(void **state)
{
	struct rlimit all, few;
	size_t complete = 0, incomplete = 0;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
	for (rlim_t n = 3; n < 32; n++) {
		int err;

		few = (struct rlimit){ .rlim_cur = n, .rlim_max = all.rlim_max };
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		err = meta_emit();
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
		if (err == 0) {
			complete++;
			assert_string_equal(text(run_of("web"), "upid"),
					    "executor(1)@127.0.0.1:42593");
			assert_int_equal(facts_count(&facts, "checkpoint"), 2);
		} else if (facts_find(&facts, "work_dir", "readable", "yes")) {
			incomplete++;
			assert_int_equal(err, -EIO);
		}
	}
	assert_true(complete > 0 && incomplete > 0);
}

/* What fails is remembered over the reading of other files, of which one is not there. */
static void agent_ids_that_may_not_be_read_are_not_taken_for_none(void **state)
{
	int err;

	(void)state;
	if (geteuid() != 0)
		skip();
	unlink(dir_at("work/meta/boot_id"));
	run("chmod 0755 %s && chmod 0700 %s", dir_path, dir_at("work/meta/slaves"));
	assert_int_equal(seteuid(65534), 0);
	err = meta_emit();
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(err, -EACCES);
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "readable"), "no");
}

/* Every list of a directory fails, as on a disk that is broken. */
static int lists_fail(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getdents64, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(*code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

static void a_directory_whose_list_breaks_off_is_not_complete(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0)
		_exit(lists_fail() ? 1 : -meta_emit());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EIO);
}

static void a_file_that_is_read_in_part_is_named(void **state)
{
	const json_t *unread;

	(void)state;
	file_write(dir_at(WEB "/runs/" WEB_RUN "/tasks/web/task.updates"), "", 0);
	assert_int_equal(truncate(dir_at(WEB "/runs/" WEB_RUN "/tasks/web/task.updates"),
				  4 * 1024 * 1024 + 1),
			 0);
	meta_emit();
	unread = facts_find(&facts, "unread", "object",
			    dir_at(WEB "/runs/" WEB_RUN "/tasks/web/task.updates"));
	assert_non_null(unread);
	assert_string_equal(text(unread, "reason"), "File too large");
}

static void an_agent_that_never_registered_has_no_id(void **state)
{
	(void)state;
	run("rm -r %s", dir_at("work/meta/slaves"));
	assert_int_equal(meta_emit(), 0);
	assert_int_equal(json_array_size(facts.all), 1);
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "readable"), "yes");
	assert_string_equal(text(facts_nth(&facts, "work_dir", NULL, NULL, 0), "slave_id"), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_real_agent_wrote_is_told),
		TEST(the_boot_is_compared),
		TEST(markers_tell_the_protocol_and_the_end),
		TEST(an_executor_that_never_registered_has_no_upid),
		TEST(the_latest_run_counts),
		TEST(ids_may_hold_any_byte_but_the_slash),
		TEST(runs_of_an_id_that_was_given_up_are_told_with_it),
		TEST(damage_is_named_by_file_and_the_rest_goes_on),
		TEST(without_a_file_the_agent_does_not_take_it_back),
		TEST(damage_ends_the_recovery),
		TEST(damage_of_an_earlier_run_ends_it_too),
		TEST(damage_that_the_agent_does_not_meet_is_none),
		TEST(a_boot_id_that_is_none_is_that_of_another_boot),
		TEST(an_empty_libprocess_pid_hides_the_marker),
		TEST(sandboxes_without_meta_are_a_first_start),
		TEST(links_pipes_and_strangers_are_passed_over),
		TEST(a_latest_that_leads_nowhere_is_said),
		TEST(a_task_is_called_by_its_name),
		TEST(a_task_that_is_over_is_left_out),
		TEST(a_work_directory_that_is_none_is_refused_with_a_cure),
		TEST(what_may_not_be_read_is_not_taken_for_empty),
		TEST(without_descriptors_it_is_not_complete),
		TEST(agent_ids_that_may_not_be_read_are_not_taken_for_none),
		TEST(a_directory_whose_list_breaks_off_is_not_complete),
		TEST(a_file_that_is_read_in_part_is_named),
		TEST(an_agent_that_never_registered_has_no_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

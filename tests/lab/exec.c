/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "exec.h"

#include "env.h"
#include "glog.h"
#include "json.h"
#include "procs.h"
#include "disguise.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKER_STACK = 64 * 1024, LOOP_STACK = 512 * 1024, LIBRARY_SIZE = 8192 };
enum { STOP_MS = 1000, ACK_MS = 60000 };

void exec_link_json(struct buf *json, const struct conn *c)
{
	union addr local = { .v6 = { 0 } };
	socklen_t len = sizeof(local);
	struct stat st = { 0 };
	char *from, *to;

	if (!c || c->fd < 0)
		return;
	fstat(c->fd, &st);
	if (c->peer.sa.sa_family == AF_UNIX) {
		buf_fmt(json, "%s{\"fd\":%d,\"inode\":%lu,\"local\":\"\",\"remote\":\"unix\"}",
			json->len ? "," : "", c->fd, (unsigned long)st.st_ino);
		return;
	}
	getsockname(c->fd, &local.sa, &len);
	from = addr_format(&local);
	to = addr_format(&c->peer);
	buf_fmt(json, "%s{\"fd\":%d,\"inode\":%lu,\"local\":\"%s\",\"remote\":\"%s\"}",
		json->len ? "," : "", c->fd, (unsigned long)st.st_ino, from, to);
	free(from);
	free(to);
}

static void put_state(struct executor *ex, struct buf *b)
{
	struct buf links = { 0 };
	pid_t pid = procs_host_pid();

	ex->protocol->links(ex, &links);
	buf_str(b, "\"executor_id\":");
	json_str_escaped(b, ex->l->id);
	buf_str(b, ",\"group\":");
	json_str_escaped(b, ex->l->group);
	buf_fmt(b, ",\"framework_id\":\"%s\",\"container_id\":\"%s\"", ex->l->framework_id,
		ex->l->container_id);
	buf_fmt(b, ",\"kind\":\"%s\",\"protocol\":\"%s\",\"version\":\"%s\",\"agent\":\"%s\"",
		ex->l->kind, ex->protocol->name, ex->l->version, ex->l->agent);
	buf_fmt(b, ",\"as\":\"%s\",\"ns\":\"%s\",\"mode\":\"%s\",\"checkpoint\":%s", ex->l->as,
		ex->l->ns, ex->l->mode, ex->checkpoint ? "true" : "false");
	buf_fmt(b, ",\"pid\":%d,\"start_time\":%llu,\"task_pid\":%d", pid, procs_host_start_time(),
		ex->task_host_pid);
	buf_fmt(b, ",\"phase\":\"%s\",\"connected\":%s,\"registered\":%s,\"changed\":%.6f",
		ex->phase, ex->connected ? "true" : "false", ex->registered ? "true" : "false",
		wall_time());
	buf_fmt(b, ",\"upid\":\"%s\"", ex->upid ? ex->upid : "");
	buf_fmt(b, ",\"links\":[%s]", links.data ? links.data : "");
	buf_free(&links);
}

void exec_phase(struct executor *ex, const char *phase)
{
	char *path = lab_fmt("%s/state/%s", ex->l->dir, ex->l->container_id);
	char *tmp = lab_fmt("%s.new", path);
	struct buf b = { 0 };
	int fd;

	ex->phase = phase;
	put_state(ex, &b);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, b.data, b.len) != (ssize_t)b.len || rename(tmp, path) < 0)
		exec_log(ex, 'E', "lab.cpp:1", "Cannot write %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	buf_free(&b);
	free(tmp);
	free(path);
}

static void exec_update(struct executor *ex, enum msg_task_state state, const char *message)
{
	struct msg_status *status;

	ex->unacked = realloc(ex->unacked, (ex->n_unacked + 1) * sizeof(*status));
	if (!ex->unacked)
		lab_die("out of memory");
	status = &ex->unacked[ex->n_unacked++];
	*status = (struct msg_status){ .state = state, .timestamp = wall_time() };
	snprintf(status->message, sizeof(status->message), "%s", message);
	if (getrandom(status->uuid, sizeof(status->uuid), 0) < 0)
		lab_die("getrandom: %s", strerror(errno));
	ex->protocol->update(ex, status);
}

static void exec_exit(void *arg);

void exec_acknowledged(struct executor *ex, const unsigned char uuid[16])
{
	for (size_t i = 0; i < ex->n_unacked; i++) {
		if (memcmp(ex->unacked[i].uuid, uuid, 16))
			continue;
		memmove(&ex->unacked[i], &ex->unacked[i + 1],
			(ex->n_unacked - i - 1) * sizeof(ex->unacked[0]));
		ex->n_unacked--;
		break;
	}
	if (ex->exiting && ex->wait_ack && !ex->n_unacked)
		exec_exit(ex);
}

static void exec_exit(void *arg)
{
	struct executor *ex = arg;

	exec_log(ex, 'I', "process.cpp:935", "Stopped the socket accept loop");
	exec_phase(ex, "exited");
	_exit(0);
}

/*
 * The driver is stopped a second after the last update was sent, acknowledged or not. A v1
 * executor of Mesos waits for the acknowledgement instead, for a minute at most.
 */
static void exec_finish(struct executor *ex)
{
	if (ex->exiting)
		return;
	ex->exiting = true;
	loop_after(ex->loop, ex->wait_ack && ex->n_unacked ? ACK_MS : STOP_MS, exec_exit, ex);
}

/* Whatever became of the task, the executor exits 0 afterwards (launcher/executor.cpp, reaped). */
static void exec_task_ended(struct executor *ex, int status)
{
	enum msg_task_state state = ex->killed ? TASK_KILLED : TASK_FAILED;
	char *message;

	if (WIFEXITED(status))
		message = lab_fmt("Command exited with status %d", WEXITSTATUS(status));
	else
		message =
			lab_fmt("Command terminated with signal %s", sigdescr_np(WTERMSIG(status)));
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		state = TASK_FINISHED;
	exec_log(ex, 'I', "executor.cpp:1041", "%s (pid: %d)", message, ex->task_pid);
	ex->task_pid = ex->task_host_pid = 0;
	exec_update(ex, state, message);
	free(message);
	exec_phase(ex, "ending");
	exec_finish(ex);
}

void exec_launch_task(struct executor *ex)
{
	if (ex->task_fd >= 0 || ex->aborted || launch_is(ex->l->task, "none"))
		return;
	exec_log(ex, 'I', "executor.cpp:190", "Received LAUNCH event");
	exec_log(ex, 'I', "executor.cpp:722", "Starting task %s", ex->l->id);
	exec_update(ex, TASK_STARTING, "");
	exec_task_start(ex, exec_task_ended);
	exec_log(ex, 'I', "executor.cpp:740", "Forked command at %d", ex->task_pid);
	exec_update(ex, TASK_RUNNING, "");
}

static void exec_escalate(void *arg)
{
	struct executor *ex = arg;

	if (!ex->task_pid)
		return;
	exec_log(ex, 'I', "executor.cpp:1082",
		 "Process %d did not terminate after 3secs, sending SIGKILL to process tree at %d",
		 ex->task_pid, ex->task_pid);
	exec_task_signal(ex, SIGKILL);
}

static void exec_give_up(void *arg)
{
	(void)arg;
	_exit(1);
}

/* ShutdownProcess of exec.cpp: what is still there after the grace period is killed. */
static void exec_kill_group(void *arg)
{
	struct executor *ex = arg;

	exec_phase(ex, "killing-group");
	killpg(0, SIGKILL);
	loop_after(ex->loop, 5000, exec_give_up, ex);
}

static void exec_end_task(struct executor *ex)
{
	ex->killed = true;
	exec_log(ex, 'I', "executor.cpp:956", "Sending SIGTERM to process tree at pid %d",
		 ex->task_pid);
	exec_task_signal(ex, SIGTERM);
	exec_log(ex, 'I', "executor.cpp:973", "Scheduling escalation to SIGKILL in 3secs from now");
	loop_after(ex->loop, 3000, exec_escalate, ex);
}

void exec_kill(struct executor *ex)
{
	exec_log(ex, 'I', "executor.cpp:190", "Received KILL event");
	exec_log(ex, 'I', "executor.cpp:871", "Received kill for task %s", ex->l->id);
	if (ex->task_pid && !ex->killed)
		exec_end_task(ex);
}

void exec_shutdown(struct executor *ex)
{
	if (ex->aborted)
		return;
	ex->aborted = true;
	exec_stop_waiting(ex);
	exec_phase(ex, "shutting-down");
	loop_after(ex->loop, duration_ms(ex->l->grace), exec_kill_group, ex);
	exec_log(ex, 'I', "executor.cpp:190", "Received SHUTDOWN event");
	exec_log(ex, 'I', "executor.cpp:843", "Shutting down");
	if (!ex->task_pid) {
		exec_finish(ex);
		return;
	}
	if (!launch_is(ex->l->suicide, "group"))
		exec_end_task(ex);
}

static void exec_timed_out(void *arg)
{
	struct executor *ex = arg;

	ex->recovery = NULL;
	exec_log(ex, 'I', "exec.cpp:532", "Recovery timeout of %s exceeded; Shutting down",
		 ex->l->recovery_timeout);
	exec_log(ex, 'I', "exec.cpp:486", "Executor asked to shutdown");
	exec_shutdown(ex);
}

void exec_wait_for_agent(struct executor *ex)
{
	if (!ex->recovery)
		ex->recovery = loop_after(ex->loop, ex->recovery_ms, exec_timed_out, ex);
}

void exec_stop_waiting(struct executor *ex)
{
	loop_cancel(ex->loop, ex->recovery);
	ex->recovery = NULL;
}

/* libmesos as /proc/PID/maps shows it. */
static void map_library(const struct launch *l)
{
	char *path;
	int fd;

	if (launch_is(l->lib, "no"))
		return;
	path = env_library(l);
	if (launch_is(l->lib, "deleted")) {
		char *dir = lab_fmt("%s/lib/%s", l->dir, l->container_id);

		mkdir(dir, 0755);
		free(dir);
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0755);
	if (fd < 0) /* it is another user's, and complete */
		fd = open(path, O_RDONLY | O_CLOEXEC);
	else if (ftruncate(fd, LIBRARY_SIZE) < 0)
		lab_die("truncate '%s': %s", path, strerror(errno));
	if (fd < 0 || mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED ||
	    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 4096) == MAP_FAILED)
		lab_die("map '%s': %s", path, strerror(errno));
	close(fd);
	if (launch_is(l->lib, "deleted"))
		unlink(path);
	free(path);
}

/* What py-setproctitle does: getenv() goes on working, /proc/PID/environ shows zeroes. */
static void overwrite_environ(void)
{
	char *first = environ[0], *end = first;

	for (char **v = environ; *v; v++) {
		end = *v + strlen(*v) + 1;
		*v = lab_strdup(*v);
	}
	memset(first, 0, end - first);
}

/* The private copy that disguise.c made for it. */
static void delete_self(const struct launch *l)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (!launch_is(l->exe, "deleted") || n <= 0)
		return;
	path[n] = '\0';
	unlink(path);
}

struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t never;
};

static void *worker(void *arg)
{
	struct waiting *w = arg;

	pthread_mutex_lock(&w->lock);
	for (;;)
		pthread_cond_wait(&w->never, &w->lock);
	return NULL;
}

static void start_workers(const struct launch *l)
{
	struct waiting *w = lab_calloc(1, sizeof(*w));
	pthread_attr_t attr;
	pthread_t thread;

	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->never, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WORKER_STACK);
	for (unsigned long i = launch_number(l->workers); i > 0; i--)
		if (pthread_create(&thread, &attr, worker, w))
			lab_die("cannot start a worker thread");
}

static void leash_ended(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	_exit(0);
}

static void *loop_thread(void *arg)
{
	struct executor *ex = arg;

	if (fcntl(FD_LEASH, F_GETFD) >= 0)
		loop_watch(ex->loop, FD_LEASH, EPOLLIN | EPOLLHUP, leash_ended, ex);
	ex->protocol->start(ex);
	loop_run(ex->loop);
}

static void exec_init(struct executor *ex)
{
	struct launch *l = ex->l;

	ex->protocol = launch_is_v1(l) ? &exec_v1 : &exec_v0;
	ex->loop = loop_new();
	ex->task_fd = -1;
	ex->year = version_number(l->version) >= 1012000;
	ex->role = version_number(l->version) >= 1000000 ? "agent" : "slave";
	ex->checkpoint = launch_is(l->checkpoint, "1");
	ex->wait_ack = launch_is(l->suicide, "ack");
	ex->recovery_ms = duration_ms(l->recovery_timeout);
	if (ex->recovery_ms < 0 || duration_ms(l->grace) < 0)
		lab_die("bad duration: recovery_timeout '%s' or grace '%s'", l->recovery_timeout,
			l->grace);
	if (addr_parse(l->agent_ip, launch_number(l->agent_port), &ex->agent) < 0)
		lab_die("bad address '%s'", l->agent_ip);
	if (launch_is(l->family, "mapped"))
		addr_map(&ex->agent);
	ex->ids = (struct msg_ids){
		.slave_id = l->slave_id,
		.framework_id = l->framework_id,
		.executor_id = l->id,
		.task_id = l->id,
		.hostname = l->agent_ip,
		.container_id = l->container_id,
		.command = l->command,
	};
}

/* The main thread waits for the loop's, as in a real executor; all else is in the loop. */
int executor_main(int argc, char **argv)
{
	static struct executor ex;
	pthread_attr_t attr;
	pthread_t thread;

	(void)argc;
	(void)argv;
	mallopt(M_ARENA_MAX, 1); /* 1,000 executors fit on one machine */
	signal(SIGPIPE, SIG_IGN);
	ex.l = disguise_read_conf();
	fcntl(FD_LEASH, F_SETFD, FD_CLOEXEC);
	if (launch_is(ex.l->environ, "overwritten"))
		overwrite_environ();
	map_library(ex.l);
	delete_self(ex.l);
	exec_init(&ex);
	start_workers(ex.l);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, LOOP_STACK);
	if (pthread_create(&thread, &attr, loop_thread, &ex))
		lab_die("cannot start the event loop's thread");
	pthread_join(thread, NULL);
	return 0;
}

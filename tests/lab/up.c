/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Starts the node's supervisor, prints its description, runs until its standard input ends. */
#include "node.h"
#include "procs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *new_container_id(void)
{
	unsigned char r[16];

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		lab_die("getrandom: %s", strerror(errno));
	return lab_fmt("%02x%02x%02x%02x-%02x%02x-4%01x%02x-a%01x%02x-%02x%02x%02x%02x%02x%02x",
		       r[0], r[1], r[2], r[3], r[4], r[5], r[6] & 15, r[7], r[8] & 15, r[9], r[10],
		       r[11], r[12], r[13], r[14], r[15]);
}

static void fill_node(struct node *n)
{
	struct spec *s = &n->spec;

	n->agents = lab_calloc(s->n_agents, sizeof(*n->agents));
	for (size_t i = 0; i < s->n_agents; i++)
		n->agents[i] = (struct node_agent){ .node = n, .spec = &s->agents[i], .pidfd = -1 };
	n->execs = lab_calloc(s->n_launches + 1, sizeof(*n->execs));
	n->n_execs = s->n_launches;
	for (size_t i = 0; i < s->n_launches; i++) {
		char *cid = new_container_id();

		launch_set(s->launches[i], "container_id", cid);
		free(cid);
		n->execs[i].l = s->launches[i];
		n->execs[i].agent = node_find_agent(n, s->launches[i]->agent);
		if (!n->execs[i].agent)
			lab_die("executor '%s' belongs to agent '%s', which there is not",
				s->launches[i]->id, s->launches[i]->agent);
	}
}

static void take_line(struct spec *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void take_line(struct spec *s, const char *fmt, ...)
{
	struct buf line = { 0 };
	va_list ap;
	char *why;

	va_start(ap, fmt);
	buf_vfmt(&line, fmt, ap);
	va_end(ap);
	why = spec_line(s, line.data);
	if (why)
		lab_die("%s", why);
	buf_free(&line);
}

struct quick {
	const char *count, *kind, *workers;
};

static const char *next_arg(int argc, char **argv, int *i)
{
	if (*i + 1 >= argc)
		lab_die("up: '%s' needs a value", argv[*i]);
	return argv[++*i];
}

static void take_args(struct node *n, int argc, char **argv)
{
	struct quick q = { .count = "0", .kind = "v0-old", .workers = "8" };

	spec_init(&n->spec);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--dir"))
			n->dir = realpath(next_arg(argc, argv, &i), NULL);
		else if (!strcmp(argv[i], "--spec"))
			spec_read(&n->spec, next_arg(argc, argv, &i));
		else if (!strcmp(argv[i], "--executors"))
			q.count = next_arg(argc, argv, &i);
		else if (!strcmp(argv[i], "--kind"))
			q.kind = next_arg(argc, argv, &i);
		else if (!strcmp(argv[i], "--workers"))
			q.workers = next_arg(argc, argv, &i);
		else if (!strcmp(argv[i], "--conntrack"))
			take_line(&n->spec, "node conntrack=on");
		else
			lab_die("up: unknown option '%s'", argv[i]);
	}
	if (!n->dir)
		lab_die("up: --dir DIR of an existing directory is needed");
	if (atoi(q.count))
		take_line(&n->spec, "executors count=%s kind=%s workers=%s", q.count, q.kind,
			  q.workers);
}

/* Pipes whose ends stand for processes: see node.h. */
struct pipes {
	int life[2];  /* up writes (nothing), the supervisor reads */
	int leash[2]; /* up and the supervisor write (nothing), all others read */
	int ready[2]; /* the supervisor's answer */
};

static pid_t start_supervisor(struct node *n, struct pipes *p)
{
	pid_t pid;

	if (pipe2(p->life, O_CLOEXEC) < 0 || pipe2(p->leash, O_CLOEXEC) < 0 ||
	    pipe2(p->ready, O_CLOEXEC) < 0)
		lab_die("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		lab_die("fork: %s", strerror(errno));
	if (pid == 0) {
		close(p->life[1]);
		close(p->ready[0]);
		procs_place_fd(p->leash[0], FD_LEASH);
		n->life_fd = p->life[0];
		n->ready_fd = p->ready[1];
		_exit(node_main(n));
	}
	close(p->life[0]);
	close(p->leash[0]);
	close(p->ready[1]);
	return pid;
}

static bool is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* Copies what the supervisor answers; false: that was all. */
static bool pass_answer(int fd)
{
	char chunk[65536];
	ssize_t got = read(fd, chunk, sizeof(chunk));

	if (got > 0)
		fwrite(chunk, 1, got, stdout);
	else
		fflush(stdout);
	return got > 0;
}

/* Until a signal, the end of our input (if it is a pipe), or the supervisor's own end. */
static void stay(int ready, int sigfd, int pidfd)
{
	struct pollfd fds[] = {
		{ .fd = sigfd, .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = is_pipe(STDIN_FILENO) ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = ready, .events = POLLIN },
	};
	char sink[256];

	for (;;) {
		if (poll(fds, 4, -1) < 0)
			continue;
		if (fds[3].revents && !pass_answer(ready))
			fds[3].fd = -1;
		if (fds[0].revents || (fds[1].revents && !fds[3].revents))
			return;
		if (fds[2].revents && read(STDIN_FILENO, sink, sizeof(sink)) <= 0)
			return;
	}
}

int up_main(int argc, char **argv)
{
	static struct node n;
	struct pipes p;
	sigset_t ends;
	int sigfd, pidfd, status = 0;
	pid_t pid;

	take_args(&n, argc, argv);
	fill_node(&n);
	pid = start_supervisor(&n, &p);
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	sigfd = signalfd(-1, &ends, SFD_CLOEXEC);
	pidfd = procs_pidfd(pid);
	if (sigfd < 0 || pidfd < 0)
		lab_die("signalfd or pidfd_open: %s", strerror(errno));
	stay(p.ready[0], sigfd, pidfd);
	close(p.life[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

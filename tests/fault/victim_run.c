/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "victim_run.h"
#include "act/inject/inject_api.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_MS = 60000, POLL_US = 50 };

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void nap(void)
{
	static const struct timespec ts = { .tv_nsec = POLL_US * 1000 };

	nanosleep(&ts, NULL);
}

int victim_connect(int *ret_other)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*ret_other = -1;
	if (bind(listener, (struct sockaddr *)&addr, len) == 0 && listen(listener, 1) == 0 &&
	    getsockname(listener, (struct sockaddr *)&addr, &len) == 0 &&
	    connect(fd, (struct sockaddr *)&addr, len) == 0)
		*ret_other = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	if (*ret_other >= 0)
		return fd;
	close(fd);
	return -1;
}

static bool open_links(struct victim *v, int n)
{
	for (int i = 0; i < n; i++) {
		v->ours[i] = victim_connect(&v->peers[i]);
		if (v->ours[i] < 0)
			return false;
		v->n_links++;
	}
	return true;
}

int victim_tracepoint(const char *name)
{
	static const char root[] = "/sys/kernel/tracing";
	char path[160];
	int id = -1;
	FILE *f;

	snprintf(path, sizeof(path), "%s/events/%s/id", root, name);
	if (access(path, R_OK) < 0 &&
	    (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	     mount("tracefs", root, "tracefs", 0, NULL) < 0))
		return -1;
	f = fopen(path, "re");
	if (f && fscanf(f, "%d", &id) != 1)
		id = -1;
	if (f)
		fclose(f);
	return id;
}

int victim_count(pid_t pid, int tracepoint)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = (uint64_t)tracepoint,
		.inherit = 1,
	};

	if (tracepoint < 0)
		return -1;
	return (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

int64_t victim_counted(int counter)
{
	uint64_t n;

	return counter >= 0 && read(counter, &n, sizeof(n)) == sizeof(n) ? (int64_t)n : -1;
}

/* To a number above all those used in the victim. */
static int move_away(int fd)
{
	return fcntl(fd, F_DUPFD, VICTIM_LINK_FD + VICTIM_LINKS);
}

/* Moves fd to its number in the victim, to stay open over exec. */
static void place(int fd, int at)
{
	if (fd == at ? fcntl(fd, F_SETFD, 0) < 0 : dup2(fd, at) < 0)
		_exit(125);
}

static void run_program(const struct victim *v, int input, int go, const char *const *argv)
{
	int links[VICTIM_LINKS], page = move_away(v->page_fd);
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(go, &c, 1) != 1) /* the starter has ended */
		_exit(125);
	place(input, 0);
	place(open("/dev/null", O_WRONLY), 1);
	for (int i = 0; i < v->n_links; i++)
		links[i] = move_away(v->ours[i]);
	for (int i = 0; i < v->n_links; i++)
		place(links[i], VICTIM_LINK_FD + i);
	place(page, VICTIM_PAGE_FD);
	close_range(VICTIM_PAGE_FD + 1, VICTIM_LINK_FD - 1, 0);
	close_range(VICTIM_LINK_FD + (unsigned)v->n_links, ~0u, 0);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

static bool open_page(struct victim *v)
{
	v->page_fd = memfd_create("victim", MFD_CLOEXEC);
	if (v->page_fd < 0 || ftruncate(v->page_fd, VICTIM_PAGE_SIZE) < 0)
		return false;
	v->page = mmap(NULL, VICTIM_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, v->page_fd, 0);
	return v->page != MAP_FAILED;
}

/* All threads have started, and answered once. */
static bool await_ready(struct victim *v)
{
	uint64_t end = now_ms() + START_MS;
	struct victim_page *page = v->page;

	while (now_ms() < end && victim_state(v->pid, v->pid) != 'Z') {
		bool ready = page->ready;

		for (uint32_t i = 0; ready && i < page->n_threads; i++)
			ready = page->thread[i].pong != 0;
		if (ready)
			return true;
		nap();
	}
	return false;
}

bool victim_start(struct victim *v, const char *const *argv)
{
	return victim_start_with(v, argv, 0, -1);
}

bool victim_start_with(struct victim *v, const char *const *argv, int n_links, int tracepoint)
{
	int ends[2], go[2];
	bool ok;

	memset(v, 0, sizeof(*v));
	v->page_fd = v->input = v->calls = -1;
	if (!open_page(v) || !open_links(v, n_links) || pipe2(ends, O_CLOEXEC) < 0 ||
	    pipe2(go, O_CLOEXEC) < 0)
		return false;
	v->input = ends[1];
	v->pid = fork();
	if (v->pid == 0) {
		close(go[1]);
		run_program(v, ends[0], go[0], argv);
	}
	v->calls = victim_count(v->pid, tracepoint);
	ok = write(go[1], "", 1) == 1;
	close(go[0]);
	close(go[1]);
	close(ends[0]);
	if (ok && v->pid > 0 && await_ready(v))
		return true;
	victim_stop(v);
	return false;
}

char victim_state(pid_t pid, pid_t tid)
{
	char path[64], line[512] = "", *after;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	fclose(f);
	after = strrchr(line, ')');
	return after && after[1] == ' ' ? after[2] : 0;
}

bool victim_await_state(const struct victim *v, pid_t tid, char state, int timeout_ms)
{
	uint64_t end = now_ms() + (uint64_t)timeout_ms;

	while (victim_state(v->pid, tid) != state) {
		if (now_ms() > end)
			return false;
		nap();
	}
	return true;
}

static bool all_answered(const struct victim_page *page, uint32_t ping)
{
	for (uint32_t i = 0; i < page->n_threads; i++)
		if (page->thread[i].pong != ping)
			return false;
	return true;
}

static void add_thread(const struct victim_thread *t, uint32_t ping, struct victim_health *h)
{
	const char *what = t->pong != ping ? "does not answer"
			   : t->bad	   ? t->first_bad
			   : t->eintr	   ? "EINTR"
			   : t->odd	   ? "odd result"
					   : NULL;

	h->bad += t->bad;
	h->eintr += t->eintr;
	h->odd += t->odd;
	if (what && !h->detail[0])
		snprintf(h->detail, sizeof(h->detail), "%s: %s", t->what, what);
}

void victim_ping(struct victim *v, int timeout_ms, struct victim_health *ret)
{
	struct victim_page *page = v->page;
	uint64_t end = now_ms() + (uint64_t)timeout_ms;
	uint32_t ping = page->ping + 1;
	char state;

	memset(ret, 0, sizeof(*ret));
	page->ping = ping;
	syscall(SYS_futex, &page->ping, FUTEX_WAKE, 1000);
	if (write(v->input, "", 1) < 0 && errno != EPIPE)
		perror("ping");
	while (!(ret->answered = all_answered(page, ping)) && now_ms() < end)
		nap();
	/* the kernel detaches a killed tracer some time after closing its descriptors */
	while ((state = victim_state(v->pid, v->pid)) && strchr("tT", state) && now_ms() < end)
		nap();
	ret->alive = state && state != 'Z' && state != 'X';
	ret->stopped = state == 'T' || state == 't';
	if (!ret->alive)
		snprintf(ret->detail, sizeof(ret->detail), "dead");
	else if (ret->stopped)
		snprintf(ret->detail, sizeof(ret->detail), "left stopped");
	ret->link_shut = page->link_shut;
	ret->decoys_hit = page->decoys_hit;
	for (uint32_t i = 0; i < page->n_threads; i++)
		add_thread(&page->thread[i], ping, ret);
	if (ret->decoys_hit && !ret->detail[0])
		snprintf(ret->detail, sizeof(ret->detail), "another socket was touched");
}

void victim_target(const struct victim *v, struct inject_request *ret)
{
	*ret = (struct inject_request){
		.pid = v->pid,
		.fd = v->page->link_fd,
		.inode = v->page->link_inode,
	};
}

void victim_link_target(const struct victim *v, int link, struct inject_request *ret)
{
	struct stat st = { 0 };

	fstat(v->ours[link], &st);
	*ret = (struct inject_request){
		.pid = v->pid,
		.fd = VICTIM_LINK_FD + link,
		.inode = st.st_ino,
	};
}

uint32_t victim_links_shut(const struct victim *v)
{
	uint32_t shut = 0;

	for (int i = 0; i < v->n_links; i++) {
		struct pollfd p = { .fd = v->ours[i], .events = POLLRDHUP };

		if (poll(&p, 1, 0) == 1 && p.revents & POLLRDHUP)
			shut |= 1u << i;
	}
	return shut;
}

static int descriptors_of(const struct victim *v, int link)
{
	char path[64], want[32], got[32];
	struct stat st = { 0 };
	struct dirent *entry;
	DIR *dir;
	int n = 0;

	fstat(v->ours[link], &st);
	snprintf(want, sizeof(want), "socket:[%ju]", (uintmax_t)st.st_ino);
	snprintf(path, sizeof(path), "/proc/%d/fd", v->pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		ssize_t len = readlinkat(dirfd(dir), entry->d_name, got, sizeof(got) - 1);

		got[len > 0 ? len : 0] = '\0';
		n += strcmp(got, want) == 0;
	}
	if (dir)
		closedir(dir);
	return n;
}

bool victim_await_descriptors(const struct victim *v, int link, int n, int timeout_ms)
{
	uint64_t end = now_ms() + (uint64_t)timeout_ms;

	while (descriptors_of(v, link) != n) {
		if (now_ms() > end)
			return false;
		nap();
	}
	return true;
}

bool victim_close_link(struct victim *v, int link, int timeout_ms)
{
	struct victim_health health;

	close(v->ours[link]);
	v->ours[link] = -1;
	v->page->close_fd = VICTIM_LINK_FD + link;
	victim_ping(v, timeout_ms, &health);
	v->page->close_fd = 0;
	return health.answered;
}

bool victim_await_fin(const struct victim *v, int link, int timeout_ms)
{
	struct pollfd peer = { .fd = v->peers[link], .events = POLLRDHUP };

	return poll(&peer, 1, timeout_ms) == 1;
}

void victim_forks_begin(struct victim *v)
{
	v->page->forking++;
}

void victim_forks_end(struct victim *v, int timeout_ms)
{
	uint64_t end = now_ms() + (uint64_t)timeout_ms;

	v->page->forking++;
	while (v->page->children != v->page->children_ready && now_ms() < end)
		nap();
}

int64_t victim_calls(const struct victim *v)
{
	return victim_counted(v->calls);
}

void victim_stop(struct victim *v)
{
	if (!v->page) /* all zero: never started */
		return;
	if (v->pid > 0) {
		kill(v->pid, SIGKILL);
		waitpid(v->pid, NULL, 0);
	}
	for (int i = 0; i < v->n_links; i++) {
		if (v->ours[i] >= 0)
			close(v->ours[i]);
		close(v->peers[i]);
	}
	if (v->calls >= 0)
		close(v->calls);
	if (v->input >= 0)
		close(v->input);
	if (v->page && v->page != MAP_FAILED)
		munmap(v->page, VICTIM_PAGE_SIZE);
	if (v->page_fd >= 0)
		close(v->page_fd);
	memset(v, 0, sizeof(*v));
	v->page_fd = v->input = v->calls = -1;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/standby_list.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/now.h"
#include "base/pidfd.h"
#include "base/proc.h"

/*
 * For a FIN on its way through the host, where a softirq is late: at least so long after the agent
 * has closed its sockets, and as long as links still end, but not longer than that.
 */
#define SETTLE_MIN	 (2 * NS_PER_MS)
#define SETTLE_MAX	 (15 * NS_PER_MS)
#define INJECT_WAIT	 (2000 * NS_PER_MS)
#define DESCRIPTORS_KEPT 256 /* numbers below the limit that pidfds leave free */

void standby_list_free(struct standby_list *list, bool finished)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->n; i++)
		if (list->links[i].pidfd >= 0)
			close(list->links[i].pidfd);
	if (finished)
		armed_file_remove(list->file);
	else
		armed_file_free(list->file);
	munmap(list, list->size);
}

struct standby_list *standby_list_new(const struct standby_link *links, size_t n, bool *locked)
{
	size_t size = sizeof(struct standby_list) + n * sizeof(*links);
	struct standby_list *list = mmap(NULL, size, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (list == MAP_FAILED)
		return NULL;
	*locked = mlock(list, size) == 0;
	list->n = n;
	list->size = size;
	if (n)
		memcpy(list->links, links, n * sizeof(*links));
	return list;
}

void standby_link_set(struct standby_link *link, enum armed_state state)
{
	link->state = state;
	if (!link->record)
		return;
	link->record->begun = link->begun;
	__atomic_store_n(&link->record->state, (uint32_t)state, __ATOMIC_RELEASE);
}

/* The pidfd first: then it is of the process whose start time is read after it. */
int standby_identify(const struct inject_request *request)
{
	struct proc_stat stat;
	int pidfd = ew_pidfd_open(request->pid, false);

	if (pidfd < 0)
		return pidfd;
	if (proc_stat_of(request->pid, &stat) == 0 && stat.start == request->start)
		return pidfd;
	close(pidfd);
	return -ESRCH;
}

static bool plan_take(struct standby_link *link, const struct standby_list *earlier)
{
	for (size_t i = 0; earlier && i < earlier->n; i++) {
		const struct standby_link *other = &earlier->links[i];

		if (other->request.cookie != link->request.cookie ||
		    other->request.pid != link->request.pid ||
		    other->request.start != link->request.start)
			continue;
		link->plan = other->plan;
		return other->plan.known;
	}
	return false;
}

/* Where descriptors are few, the last processes are identified when their turn comes. */
static void link_prepare(struct standby_link *link, int highest)
{
	struct inject_result result;
	int pidfd = standby_identify(&link->request);

	if (pidfd < 0 || inject_prepared_check(&link->request, pidfd, &result) < 0)
		standby_link_set(link, ARMED_LEFT);
	link->pidfd = pidfd < highest ? pidfd : -1;
	if (pidfd >= highest)
		close(pidfd);
}

void standby_list_prepare(struct standby_list *list, const struct standby_list *earlier,
			  struct inject_worker *planner)
{
	struct rlimit limit;
	int highest = 1024;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < INT32_MAX)
		highest = (int)limit.rlim_cur;
	highest = highest > DESCRIPTORS_KEPT ? highest - DESCRIPTORS_KEPT : 0;
	for (size_t i = 0; i < list->n; i++) {
		struct standby_link *link = &list->links[i];

		link_prepare(link, highest);
		if (planner && link->request.method == INJECT_PTRACE &&
		    link->state == ARMED_WAITING && !plan_take(link, earlier))
			(void)inject_plan_make(planner, &link->request, &link->plan);
	}
}

/* ---- the act ---- */

static int link_pidfd(const struct standby_link *link)
{
	return link->pidfd >= 0 ? link->pidfd : standby_identify(&link->request);
}

static void link_release(const struct standby_link *link, int pidfd)
{
	if (pidfd >= 0 && pidfd != link->pidfd)
		close(pidfd);
}

/* What a check that failed says of the link: not every reason is its end. */
static enum armed_state state_after(enum inject_reason reason)
{
	switch (reason) {
	case INJECT_R_WRONG_STATE:
	case INJECT_R_ALREADY_SHUT:
	case INJECT_R_NO_FD:
	case INJECT_R_NO_SOCKET:
	case INJECT_R_OTHER_SOCKET:
	case INJECT_R_NOT_TCP:
		return ARMED_NOTICED;
	default:
		return ARMED_LEFT;
	}
}

/* True: it waits no more. */
static bool link_has_changed(struct standby_link *link)
{
	struct inject_result result = { 0 };
	int err, pidfd;

	if (link->state != ARMED_WAITING)
		return false;
	pidfd = link_pidfd(link);
	err = pidfd < 0 ? pidfd : inject_prepared_check(&link->request, pidfd, &result);
	link_release(link, pidfd);
	if (!err)
		return false;
	standby_link_set(link, state_after(result.reason));
	return true;
}

static void pause_ns(int64_t ns)
{
	struct timespec pause = { .tv_nsec = ns };

	nanosleep(&pause, NULL);
}

/* Looks at all until those that noticed have, and nothing changes any more. */
void standby_list_settle(struct standby_list *list, int64_t ended)
{
	size_t changed;

	do {
		changed = 0;
		for (size_t i = 0; i < list->n; i++)
			changed += link_has_changed(&list->links[i]);
		if (!changed && now_mono() - ended >= SETTLE_MIN)
			return;
		pause_ns(NS_PER_MS / 2);
	} while (now_mono() - ended < SETTLE_MAX);
}

static int link_shutdown(struct standby_link *link, struct inject_worker *worker)
{
	struct inject_request request = link->request;
	int err, pidfd = link_pidfd(link);

	request.deadline = link->begun + INJECT_WAIT;
	request.plan = &link->plan;
	err = pidfd < 0 ? pidfd
			: inject_prepared_shutdown(worker, &request, pidfd, &link->injected);
	link_release(link, pidfd);
	return err;
}

void standby_link_treat(struct standby_link *link, struct inject_worker *worker)
{
	link->begun = now_mono();
	standby_link_set(link, ARMED_BEGUN);
	link_shutdown(link, worker);
	switch (link->injected.status) {
	case INJECT_DONE:
		standby_link_set(link, ARMED_DONE);
		break;
	case INJECT_UNSURE:
		break; /* begun */
	default:
		standby_link_set(link, ARMED_NOT_DONE);
	}
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/standby_list.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/now.h"
#include "base/pidfd.h"

#define STACK_SIZE (128 * 1024) /* PTHREAD_STACK_MIN and what a refusal's text needs */
/* A new agent needs longer than that from listen(2) to the first executor that it asks. */
#define LOOK_AGAIN NS_PER_MS

/* A thread that treats links beside the one that waits. */
struct helper {
	struct standby *standby;
	struct inject_worker *worker;
	pthread_t thread;
};

struct standby {
	struct standby_options options;
	struct helper *helpers;
	size_t n_helpers;
	int go;		     /* eventfd, counted down by each helper */
	_Atomic bool cancel; /* the helpers' reason to go: nothing is to be done */
	_Atomic size_t next; /* link to be treated */
	pthread_mutex_t looking;
	int64_t looked; /* for a new agent, mono ns */
	bool late;	/* one was found */
	pthread_t thread;
	int agent;	/* pidfd */
	int stop, done; /* eventfds */
	void *stack;
	bool started;
	bool first;
	bool acted;			     /* as the caller knows */
	struct standby_list *none;	     /* in the place of a list: the thread has taken it */
	_Atomic(struct standby_list *) list; /* for the thread; NULL: none yet */
	struct standby_list *taken;
	int64_t ended;
};

/* ---- the act, in the thread ---- */

/* Has a new agent begun to listen? */
static bool is_late(struct standby *standby)
{
	bool late;

	pthread_mutex_lock(&standby->looking);
	if (!standby->late && now_mono() - standby->looked >= LOOK_AGAIN) {
		standby->late = standby->options.next_listens(standby->options.ctx);
		standby->looked = now_mono();
	}
	late = standby->late;
	pthread_mutex_unlock(&standby->looking);
	return late;
}

static void link_treat(struct standby *standby, struct standby_link *link,
		       struct inject_worker *worker)
{
	if (link->state != ARMED_WAITING)
		return;
	if (is_late(standby))
		standby_link_set(link, ARMED_LEFT);
	else
		standby_link_treat(link, worker);
}

/* Whether link i is of the same process as the one before it. */
static bool continues_process(const struct standby_list *list, size_t i)
{
	const struct inject_request *own = &list->links[i].request;
	const struct inject_request *before = i ? &list->links[i - 1].request : NULL;

	return before && before->pid == own->pid && before->start == own->start;
}

/*
 * Treats links until none is left. A process has one injector at a time: its links, which follow
 * each other, are treated one after the other.
 */
static void treat(struct standby *standby, struct inject_worker *worker)
{
	struct standby_list *list = standby->taken;
	size_t i;

	while ((i = atomic_fetch_add(&standby->next, 1)) < list->n) {
		if (continues_process(list, i))
			continue;
		do
			link_treat(standby, &list->links[i], worker);
		while (++i < list->n && continues_process(list, i));
	}
}

static void *helper_run(void *arg)
{
	struct helper *helper = arg;
	uint64_t one;

	while (read(helper->standby->go, &one, sizeof(one)) < 0)
		;
	if (!atomic_load(&helper->standby->cancel))
		treat(helper->standby, helper->worker);
	return NULL;
}

static void helpers_join(struct standby *standby)
{
	for (size_t i = 0; i < standby->n_helpers; i++)
		pthread_join(standby->helpers[i].thread, NULL);
	standby->n_helpers = 0;
}

static void act_at_once(struct standby *standby)
{
	const struct standby_options *options = &standby->options;
	uint64_t n = standby->n_helpers;

	if (n && write(standby->go, &n, sizeof(n)) < 0)
		return; /* cannot be: the counter is 0 */
	treat(standby, options->n_workers ? options->workers[0] : NULL);
	helpers_join(standby);
}

static void act(struct standby *standby)
{
	struct standby_list *list;
	uint64_t one = 1;

	standby->ended = now_mono();
	list = standby->taken = atomic_exchange(&standby->list, standby->none);
	if (list) {
		armed_file_head(list->file)->ended = standby->ended;
		standby_list_settle(list, standby->ended);
		act_at_once(standby);
	}
	if (write(standby->done, &one, sizeof(one)) < 0)
		return; /* cannot be: the counter is 0 */
}

static void *thread_run(void *arg)
{
	struct standby *standby = arg;
	struct pollfd fds[] = { { .fd = standby->agent, .events = POLLIN },
				{ .fd = standby->stop, .events = POLLIN } };

	while (poll(fds, 2, -1) < 0)
		;
	if (!fds[1].revents)
		act(standby);
	return NULL;
}

/* ---- the thread ---- */

/*
 * Before all that has no such priority, so that a busy host does not delay it. Its children, if it
 * has to replace the worker, have none.
 */
static bool become_first(pthread_t thread)
{
	const struct sched_param param = { .sched_priority = 1 };

	return pthread_setschedparam(thread, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) == 0;
}

static int helpers_start(struct standby *standby, pthread_attr_t *attr)
{
	const struct standby_options *options = &standby->options;

	if (options->n_workers < 2)
		return 0;
	standby->helpers = calloc(options->n_workers - 1, sizeof(*standby->helpers));
	if (!standby->helpers)
		return ENOMEM;
	for (size_t i = 1; i < options->n_workers; i++) {
		struct helper *helper = &standby->helpers[i - 1];
		int err;

		*helper = (struct helper){ standby, options->workers[i], 0 };
		err = pthread_create(&helper->thread, attr, helper_run, helper);
		if (err)
			return err;
		standby->n_helpers++;
		become_first(helper->thread);
	}
	return 0;
}

/* Signals are for the thread that began. */
static int threads_start(struct standby *standby)
{
	pthread_attr_t attr;
	sigset_t all, old;
	int err = pthread_attr_init(&attr);

	if (err)
		return -err;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	err = helpers_start(standby, &attr);
	pthread_attr_setstack(&attr, standby->stack, STACK_SIZE);
	if (!err)
		err = pthread_create(&standby->thread, &attr, thread_run, standby);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	standby->started = !err;
	if (!err)
		standby->first = become_first(standby->thread);
	for (size_t i = 0; !err && i < standby->options.n_workers; i++)
		if (standby->options.workers[i])
			inject_worker_go_first(standby->options.workers[i]);
	return -err;
}

static int stack_new(struct standby *standby, struct error *error)
{
	void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_POPULATE, -1, 0);

	if (stack == MAP_FAILED)
		return error_set(error, -errno, NULL, "arm the guard");
	(void)mlock(stack, STACK_SIZE);
	standby->stack = stack;
	return 0;
}

static int can_copy(int pidfd)
{
	int copy = ew_pidfd_getfd(pidfd, STDIN_FILENO);

	if (copy >= 0)
		close(copy);
	return copy == -ENOSYS ? copy : 0;
}

static int descriptors_open(struct standby *standby, struct error *error)
{
	const struct inject_request agent = { .pid = standby->options.agent_pid,
					      .start = standby->options.agent_start };
	int err;

	standby->agent = standby_identify(&agent);
	err = standby->agent < 0 ? standby->agent : can_copy(standby->agent);
	if (err)
		return error_set(error, ew_pidfd_unsupported(err) ? -ENOSYS : err, NULL,
				 "wait for the end of the agent (pid %d)", agent.pid);
	standby->stop = eventfd(0, EFD_CLOEXEC);
	standby->done = eventfd(0, EFD_CLOEXEC);
	standby->go = eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE);
	if (standby->stop < 0 || standby->done < 0 || standby->go < 0)
		return error_set(error, -errno, NULL, "make an eventfd");
	return 0;
}

static void standby_clear(struct standby *standby, bool finished)
{
	int fds[] = { standby->agent, standby->stop, standby->done, standby->go };
	struct standby_list *waiting = atomic_load(&standby->list);

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (waiting != standby->none)
		standby_list_free(waiting, finished);
	standby_list_free(standby->taken, finished);
	standby_list_free(standby->none, false);
	if (standby->stack)
		munmap(standby->stack, STACK_SIZE);
	free(standby->helpers);
	free(standby);
}

int standby_new(const struct standby_options *options, struct standby **ret, struct error *error)
{
	struct standby *standby = calloc(1, sizeof(*standby));
	bool locked;
	int err;

	if (!standby)
		return error_set(error, -ENOMEM, NULL, "arm the guard");
	standby->options = *options;
	standby->agent = standby->stop = standby->done = standby->go = -1;
	pthread_mutex_init(&standby->looking, NULL);
	standby->none = standby_list_new(NULL, 0, &locked);
	if (standby->none)
		err = descriptors_open(standby, error);
	else
		err = error_set(error, -ENOMEM, NULL, "arm the guard");
	if (!err)
		err = stack_new(standby, error);
	if (!err) {
		err = threads_start(standby);
		if (err)
			error_set(error, err, NULL, "start the guard's threads");
	}
	if (err) {
		standby_free(standby, false);
		return err;
	}
	*ret = standby;
	return 0;
}

void standby_stop(struct standby *standby)
{
	uint64_t one = 1, n;

	while (standby->started && write(standby->stop, &one, sizeof(one)) < 0)
		;
	if (standby->started)
		pthread_join(standby->thread, NULL);
	standby->started = false;
	atomic_store(&standby->cancel, true);
	n = standby->n_helpers; /* 0 if they have been at work */
	while (n && write(standby->go, &n, sizeof(n)) < 0)
		;
	helpers_join(standby);
}

void standby_free(struct standby *standby, bool finished)
{
	if (!standby)
		return;
	standby_stop(standby);
	standby_clear(standby, finished);
}

bool standby_is_first(const struct standby *standby)
{
	return standby->first;
}

int standby_arm(struct standby *standby, const struct standby_link *links, size_t n,
		struct armed_file *file, bool *armed, bool *locked, struct error *error)
{
	struct standby_list *fresh = standby_list_new(links, n, locked),
			    *old = atomic_load(&standby->list);

	*armed = false;
	if (!fresh) {
		armed_file_free(file);
		return error_set(error, -ENOMEM, NULL, "arm the guard for %zu links", n);
	}
	fresh->file = file;
	standby_list_prepare(fresh, old, standby->options.planner);
	while (old != standby->none)
		if (atomic_compare_exchange_strong(&standby->list, &old, fresh)) {
			int err = armed_file_publish(file);

			*armed = true;
			/* Without the new file under that name, the old one would be believed. */
			standby_list_free(old, err != 0);
			return err ? error_set(error, err, NULL, "name the guard's file") : 0;
		}
	standby_list_free(fresh, false);
	return -EALREADY;
}

int standby_fd(const struct standby *standby)
{
	return standby->done;
}

bool standby_acted(struct standby *standby)
{
	struct pollfd done = { .fd = standby->done, .events = POLLIN };

	standby->acted = standby->acted || poll(&done, 1, 0) == 1;
	return standby->acted;
}

int64_t standby_ended(const struct standby *standby)
{
	return standby->ended;
}

const struct standby_link *standby_links(const struct standby *standby, size_t *n)
{
	*n = standby->taken ? standby->taken->n : 0;
	return standby->taken ? standby->taken->links : NULL;
}

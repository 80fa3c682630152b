/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_api.h"
#include "act/inject/inject_preflight.h"
#include "act/inject/inject_report.h"
#include "act/inject/inject_socket.h"
#include "act/inject/inject_worker.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static int by_pidfd(const struct inject_target *t, int copy, struct inject_report *rep)
{
	rep->res.used = INJECT_PIDFD;
	rep->res.tid = 0;
	if (copy < 0)
		return inject_refuse(rep, INJECT_R_NO_PIDFD, -ENOSYS,
				     "copy descriptor %d of process %d", t->fd, t->pid);
	rep->res.syscalls++;
	if (shutdown(copy, SHUT_RD) < 0) {
		rep->res.call_ret = -errno;
		return inject_report_set(rep, INJECT_FAILED, INJECT_R_CALL_ERROR, rep->res.call_ret,
					 "shutdown of descriptor %d of process %d", t->fd, t->pid);
	}
	rep->res.status = INJECT_DONE;
	rep->res.reason = INJECT_R_NONE;
	return 0;
}

/* A refusal that concerns the way, not the socket or the process. */
static bool other_way_helps(const struct inject_result *res)
{
	if (res->status != INJECT_REFUSED)
		return false;
	switch (res->reason) {
	case INJECT_R_GONE:
	case INJECT_R_ZOMBIE:
	case INJECT_R_EXITING:
	case INJECT_R_VANISHED:
	case INJECT_R_OTHER_SOCKET:
		return false;
	default:
		return true;
	}
}

static int by_method(struct inject_worker *injector, const struct inject_target *t,
		     enum inject_method m, uint64_t deadline_ns,
		     const struct inject_subject *subject, struct inject_report *rep)
{
	int err;

	if (m == INJECT_PIDFD)
		return by_pidfd(t, subject->copy, rep);
	err = inject_worker_run(injector, t, subject, deadline_ns, rep);
	if (m == INJECT_AUTO && subject->copy >= 0 && other_way_helps(&rep->res))
		return by_pidfd(t, subject->copy, rep);
	return err;
}

int inject_shutdown(struct inject_worker *injector, const struct inject_target *t,
		    enum inject_method m, uint64_t deadline_ns, struct inject_result *res,
		    struct error *error)
{
	struct inject_report rep = { .res = { .used = m } };
	struct inject_subject subject;
	int err;

	if (inject_worker_now() >= deadline_ns)
		err = inject_refuse(&rep, INJECT_R_DEADLINE, -ETIMEDOUT,
				    "no time left for process %d", t->pid);
	else
		err = inject_preflight(t, &subject, &rep);
	if (err == 0) {
		err = by_method(injector, t, m, deadline_ns, &subject, &rep);
		if (subject.copy >= 0)
			close(subject.copy);
	}
	*res = rep.res;
	if (err < 0 && error)
		*error = rep.error;
	return err;
}

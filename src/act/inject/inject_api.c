/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_api.h"
#include "act/inject/inject_pidfd.h"
#include "act/inject/inject_preflight.h"
#include "act/inject/inject_worker.h"

#include <stdbool.h>
#include <unistd.h>

/* Whether ptrace was refused for a reason that does not concern the other method. */
static bool pidfd_may_do(const struct inject_result *result)
{
	if (result->status != INJECT_REFUSED)
		return false;
	switch (result->reason) {
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

static int by_method(struct inject_worker *worker, const struct inject_request *request, int copy,
		     struct inject_result *result)
{
	bool by_pidfd = request->method == INJECT_PIDFD;
	int err = 0;

	if (!by_pidfd) {
		err = inject_worker_run(worker, request, copy, result);
		by_pidfd = request->method == INJECT_AUTO && copy >= 0 && pidfd_may_do(result);
	}
	return by_pidfd ? inject_pidfd_shutdown(request, copy, result) : err;
}

int inject_shutdown(struct inject_worker *worker, const struct inject_request *request,
		    struct inject_result *result)
{
	int err, copy = -1;

	*result = (struct inject_result){ .used = request->method };
	err = inject_preflight(request, &copy, result);
	if (err == 0)
		err = by_method(worker, request, copy, result);
	if (copy >= 0)
		close(copy);
	return err;
}

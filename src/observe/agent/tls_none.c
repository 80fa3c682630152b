/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* make TLS=no */
#include <errno.h>

#include "base/error.h"
#include "observe/agent/tls.h"

int tls_new(const char *ca_file, struct tls **ret, struct error *error)
{
	(void)ca_file, (void)ret;
	return error_set(error, -EPROTONOSUPPORT,
			 "use one that is linked dynamically, or leave --agent-url out",
			 "ask an https URL: this build of execwatch, a static one, has no TLS");
}

void tls_free(struct tls *tls)
{
	(void)tls;
}

struct bufferevent *tls_bufferevent(const struct tls *tls, struct event_base *base, int fd,
				    const char *host)
{
	(void)tls, (void)base, (void)fd, (void)host;
	return NULL;
}

const char *tls_problem(const struct tls *tls, struct bufferevent *bev, char *buf, size_t size)
{
	(void)tls, (void)bev, (void)size;
	*buf = '\0';
	return buf;
}

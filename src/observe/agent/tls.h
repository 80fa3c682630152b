/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TLS for the agent's HTTP API (libprocess' SSL support, LIBPROCESS_SSL_ENABLED): TLS 1.2 or later,
 * and a certificate that names the URL's host. A static build has none, since OpenSSL's
 * certificates and engines are the host's.
 */
#ifndef EW_OBSERVE_AGENT_TLS_H
#define EW_OBSERVE_AGENT_TLS_H

#include <stddef.h>

struct bufferevent;
struct error;
struct event_base;
struct tls;

/*
 * Reads the certificates of the authorities that are trusted: those in ca_file (PEM), NULL: the
 * system's. -EPROTONOSUPPORT: built without TLS, or OpenSSL is not there; -EINVAL: they cannot be
 * read.
 */
int tls_new(const char *ca_file, struct tls **ret, struct error *error);
void tls_free(struct tls *tls);

/*
 * A bufferevent for the connecting socket fd, which it owns from now on; host: the name or address
 * that the certificate has to have. NULL, with fd not touched: out of memory.
 */
struct bufferevent *tls_bufferevent(const struct tls *tls, struct event_base *base, int fd,
				    const char *host);

/* What is wrong with the connection, after an error of that bufferevent; "": it was not TLS. */
const char *tls_problem(const struct tls *tls, struct bufferevent *bev, char *buf, size_t size);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * OpenSSL is loaded when an https URL is asked: most agents speak plain text, and it would take a
 * millisecond and 2 MB of each run.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "observe/agent/tls.h"

/* With those that it depends on, libssl and libcrypto. */
#define LIBRARY "libevent_openssl-2.1.so.7"

#define FUNCTIONS(X)                                                                               \
	X(ERR_get_error)                                                                           \
	X(ERR_reason_error_string)                                                                 \
	X(SSL_CTX_ctrl)                                                                            \
	X(SSL_CTX_free)                                                                            \
	X(SSL_CTX_load_verify_file)                                                                \
	X(SSL_CTX_new)                                                                             \
	X(SSL_CTX_set_default_verify_paths)                                                        \
	X(SSL_CTX_set_verify)                                                                      \
	X(SSL_ctrl)                                                                                \
	X(SSL_free)                                                                                \
	X(SSL_get0_param)                                                                          \
	X(SSL_get_verify_result)                                                                   \
	X(SSL_new)                                                                                 \
	X(SSL_set1_host)                                                                           \
	X(TLS_client_method)                                                                       \
	X(X509_VERIFY_PARAM_set1_ip_asc)                                                           \
	X(X509_get_default_cert_dir)                                                               \
	X(X509_verify_cert_error_string)                                                           \
	X(bufferevent_get_openssl_error)                                                           \
	X(bufferevent_openssl_get_ssl)                                                             \
	X(bufferevent_openssl_socket_new)

struct functions {
#define FUNCTION_POINTER(name) __typeof__(&name) name;
	FUNCTIONS(FUNCTION_POINTER)
};

struct tls {
	void *library;
	struct functions f;
	SSL_CTX *ctx;
};

static int load(struct tls *tls, struct error *error)
{
	const char *missing = NULL;

	tls->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!tls->library)
		return error_set(error, -EPROTONOSUPPORT, "install it, or leave --agent-url out",
				 "load OpenSSL for an https URL: %s", dlerror());
#define FUNCTION_FIND(name)                                                                        \
	tls->f.name = (__typeof__(&name))dlsym(tls->library, #name);                               \
	missing = tls->f.name ? missing : #name;
	FUNCTIONS(FUNCTION_FIND)
	return missing ? error_set(error, -EPROTONOSUPPORT, "install OpenSSL 3",
				   "load OpenSSL for an https URL: it has no %s", missing)
		       : 0;
}

static const char *reason(const struct functions *f, unsigned long code)
{
	const char *text = f->ERR_reason_error_string(code);

	return text ? text : "no reason is known";
}

static int trust(struct tls *tls, const char *ca_file, struct error *error)
{
	const struct functions *f = &tls->f;

	if (ca_file ? f->SSL_CTX_load_verify_file(tls->ctx, ca_file)
		    : f->SSL_CTX_set_default_verify_paths(tls->ctx))
		return 0;
	return error_set(error, -EINVAL, "--ca-file takes a file of certificates in PEM",
			 "read the trusted certificates in '%s': %s",
			 ca_file ? ca_file : f->X509_get_default_cert_dir(),
			 reason(f, f->ERR_get_error()));
}

static int context_new(struct tls *tls, const char *ca_file, struct error *error)
{
	const struct functions *f = &tls->f;

	tls->ctx = f->SSL_CTX_new(f->TLS_client_method());
	if (!tls->ctx)
		return error_set(error, -ENOMEM, NULL, "begin with TLS");
	/* SSL_CTX_set_min_proto_version(), a macro */
	f->SSL_CTX_ctrl(tls->ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL);
	f->SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, NULL);
	return trust(tls, ca_file, error);
}

int tls_new(const char *ca_file, struct tls **ret, struct error *error)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	int err = tls ? load(tls, error) : error_set(error, -ENOMEM, NULL, "begin with TLS");

	if (!err)
		err = context_new(tls, ca_file, error);
	if (err)
		tls_free(tls);
	else
		*ret = tls;
	return err;
}

/* The library stays: it registers handlers for the end of the process. */
void tls_free(struct tls *tls)
{
	if (tls && tls->ctx)
		tls->f.SSL_CTX_free(tls->ctx);
	free(tls);
}

/* The name goes along too (RFC 6066), so that a server of several chooses; an address does not. */
static int expect(const struct functions *f, SSL *ssl, const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
		return f->X509_VERIFY_PARAM_set1_ip_asc(f->SSL_get0_param(ssl), host);
	/* SSL_set_tlsext_host_name(), a macro */
	return f->SSL_set1_host(ssl, host) &&
	       f->SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
			   (void *)(uintptr_t)host);
}

struct bufferevent *tls_bufferevent(const struct tls *tls, struct event_base *base, int fd,
				    const char *host)
{
	SSL *ssl = tls->f.SSL_new(tls->ctx);
	struct bufferevent *bev = NULL;

	if (ssl && expect(&tls->f, ssl, host))
		bev = tls->f.bufferevent_openssl_socket_new(
			base, fd, ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	if (!bev)
		tls->f.SSL_free(ssl);
	return bev;
}

const char *tls_problem(const struct tls *tls, struct bufferevent *bev, char *buf, size_t size)
{
	const struct functions *f = &tls->f;
	long verified = f->SSL_get_verify_result(f->bufferevent_openssl_get_ssl(bev));
	unsigned long code = f->bufferevent_get_openssl_error(bev);

	*buf = '\0';
	if (verified != X509_V_OK)
		snprintf(buf, size,
			 "its certificate is not accepted: %s; see --ca-file for another "
			 "authority's",
			 f->X509_verify_cert_error_string(verified));
	else if (code)
		snprintf(buf, size, "TLS failed: %s", reason(f, code));
	return buf;
}

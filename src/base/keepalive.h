/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TCP keepalive of a socket (tcp(7)): after idle seconds without a packet from the other end, a
 * probe is sent, which the other end's kernel answers; count probes in a row without an answer,
 * interval seconds apart, end the connection with ETIMEDOUT.
 */
#ifndef EW_BASE_KEEPALIVE_H
#define EW_BASE_KEEPALIVE_H

#include <stdbool.h>
#include <stdint.h>

/* Limits of the kernel (include/net/tcp.h, MAX_TCP_KEEPIDLE and so on). */
#define KEEPALIVE_IDLE_MAX  32767u
#define KEEPALIVE_COUNT_MAX 127u

struct keepalive {
	bool on;	   /* SO_KEEPALIVE */
	uint32_t idle;	   /* TCP_KEEPIDLE, seconds */
	uint32_t interval; /* TCP_KEEPINTVL, seconds */
	uint32_t count;	   /* TCP_KEEPCNT */
};

/* Returns 0 or a negative errno. */
int keepalive_read(int fd, struct keepalive *ret);

/*
 * Sets all four. Turned on, the timer counts from the last packet that was received: on a socket
 * that has been idle for longer, the first probe is sent at once (tcp_sock_set_keepidle_locked(),
 * net/ipv4/tcp.c). Turned off, no probe is sent on the way. Returns 0 or the negative errno of the
 * first that failed.
 */
int keepalive_write(int fd, const struct keepalive *wanted);

bool keepalive_equal(const struct keepalive *a, const struct keepalive *b);

/*
 * The idle time that renews an entry of connection tracking which an idle connection keeps for
 * lifetime ns: a quarter of it, so that three probes may be lost, and no more than 10 min.
 */
#define KEEPALIVE_IDLE_LONGEST 600u
uint32_t keepalive_idle_for(int64_t lifetime);

/*
 * On, with probes repeated at the same distance, and as many as the kernel allows before the
 * connection ends. A link whose entry is lost all the same (a flushed table) must not end soon: its
 * executor would wait for a restart that nobody plans, and end itself.
 */
struct keepalive keepalive_for(uint32_t idle);

#endif

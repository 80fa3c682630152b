/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a shutdown has led to: has the process closed the socket by itself? */
#ifndef EW_ACT_SOCKET_EFFECT_H
#define EW_ACT_SOCKET_EFFECT_H

struct inject_request;

enum socket_effect {
	SOCKET_UNKNOWN,
	SOCKET_OPEN,	      /* the descriptor refers to the socket */
	SOCKET_CLOSED,	      /* it does not, and the process is alive */
	SOCKET_PROCESS_ENDED, /* that closes the socket too, but proves nothing */
};

/* Reads /proc now. The process is alive while any of its threads is (base/proc.h). */
enum socket_effect socket_effect_read(const struct inject_request *request);

#endif

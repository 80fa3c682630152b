/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The page that a victim shares with the test that injects into it: descriptor 3 of the victim, a
 * memfd of VICTIM_PAGE_SIZE bytes. The test raises `ping` and wakes its waiters; every thread of
 * the victim then finishes what it waits in, checks what it had put into registers, masks and
 * memory, and answers in its `pong`.
 */
#ifndef EW_VICTIM_H
#define EW_VICTIM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum {
	VICTIM_PAGE_FD = 3,
	VICTIM_LINK_FD = 100, /* the first of the connections that the test brings */
	VICTIM_LINKS = 32,
	VICTIM_PAGE_SIZE = 16384,
	VICTIM_THREADS = 40,
	VICTIM_DECOYS = 8,
};

struct victim_thread {
	char what[28]; /* what it waits in: "futex", "epoll_wait" */
	int32_t tid;
	_Atomic uint32_t pong;	/* the last ping it answered */
	_Atomic uint32_t bad;	/* register, mask, alternate stack or memory found changed */
	_Atomic uint32_t eintr; /* EINTR seen though no handler of its own had run */
	_Atomic uint32_t odd;	/* another unexpected result: short count, lost wake-up */
	_Atomic uint64_t spins; /* progress of a thread that does not wait */
	char first_bad[32];	/* what was found changed first */
};

/* Victims in other languages know `ready`, `ping`, `n_threads` and thread[0].pong by offset. */
struct victim_page {
	_Atomic uint32_t ready; /* 1 when everything below is set */
	_Atomic uint32_t ping;
	uint32_t n_threads;
	int32_t link_fd; /* the socket that is meant, if the test brought none */
	uint64_t link_inode;
	int32_t decoy_fd[VICTIM_DECOYS]; /* sockets that must not be touched; -1: none */
	_Atomic uint32_t link_shut;	 /* at the last ping the link was shut down */
	_Atomic uint32_t decoys_hit;	 /* at any ping a decoy was */
	_Atomic uint32_t signals;	 /* signals handled */
	_Atomic uint32_t renewals;	 /* descriptors closed and opened again, programs started */
	_Atomic int32_t swap_fd;  /* a descriptor to replace and put back all the time; 0: none */
	_Atomic int32_t close_fd; /* a descriptor to close at the next ping; 0: none */
	struct victim_thread thread[VICTIM_THREADS];
	/*
	 * Odd: threads of kind "keeps" fork children, which close all connections that the test has
	 * brought, and live until the next odd number. ready: children that have closed them.
	 */
	_Atomic uint32_t forking;
	_Atomic uint32_t children, children_ready;
};

_Static_assert(offsetof(struct victim_page, n_threads) == 8, "known by offset");
_Static_assert(offsetof(struct victim_page, thread[0].pong) == 112, "known by offset");
_Static_assert(sizeof(struct victim_page) <= VICTIM_PAGE_SIZE, "the page must hold it");

#endif

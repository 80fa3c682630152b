/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_LOOP_H
#define LAB_LOOP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * An event loop: epoll and timers on CLOCK_MONOTONIC. One thread per loop.
 * What is deleted inside a callback stays valid until that round of events is over.
 */
struct loop;
struct watch;
struct timer;

typedef void loop_io_fn(void *arg, uint32_t events); /* EPOLLIN, ... */
typedef void loop_timer_fn(void *arg);

struct loop *loop_new(void);
void loop_run(struct loop *l) __attribute__((noreturn)); /* callbacks end the process */

struct watch *loop_watch(struct loop *l, int fd, uint32_t events, loop_io_fn *fn, void *arg);
void loop_watch_events(struct watch *w, uint32_t events);
void loop_unwatch(struct watch *w); /* NULL ok; does not close the descriptor */

/* Fires once. The pointer is dead once it has fired or was cancelled. */
struct timer *loop_after(struct loop *l, uint64_t ms, loop_timer_fn *fn, void *arg);
void loop_cancel(struct loop *l, struct timer *t); /* NULL ok */

/* free(ptr) after this round of events. */
void loop_free_later(struct loop *l, void *ptr);

#endif

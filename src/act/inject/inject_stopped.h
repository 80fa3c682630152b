/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One injection by ptrace from the stop of the thread to its release: check again, write the
 * frames, have the descriptor duplicated, check the duplicate, commit, detach.
 */
#ifndef EW_ACT_INJECT_INJECT_STOPPED_H
#define EW_ACT_INJECT_INJECT_STOPPED_H

#include <stdint.h>

struct inject_shared;
struct thread_choice;

/*
 * low: the frames must not reach below it. Returns 0, INJECT_TRY_AGAIN, or a negative errno; unless
 * 0 in->end is filled. The thread is released, unless in->must_exit_to_detach is set.
 */
int inject_stop_and_call(struct inject_shared *in, const struct thread_choice *choice,
			 uint64_t low);

#endif

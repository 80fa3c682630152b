/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Facts from files that may lie on a file system that does not answer: read in a child process,
 * which is abandoned when nothing comes from it (base/bounded.h).
 */
#ifndef EW_OBSERVE_AGENT_BOUNDED_EMIT_H
#define EW_OBSERVE_AGENT_BOUNDED_EMIT_H

#include <stdint.h>

struct error;
struct fact_sink;

/* In the child: emits into sink, and returns 0 or a negative errno with *error filled. */
typedef int (*bounded_emitter)(void *ctx, const struct fact_sink *sink, struct error *error);

/*
 * Calls emit in a child, and hands on to sink what it emits, as it comes. object names what is read
 * ("/var/lib/mesos/meta"). Returns what emit returned; -ETIMEDOUT when nothing came for 3 s, or at
 * until (mono ns; 0: no bound), with a FACT_UNREAD for object; or another negative errno.
 */
int bounded_emit(bounded_emitter emit, void *ctx, int64_t until, const char *object,
		 const struct fact_sink *sink, struct error *error);

/*
 * The same in two steps, for sources that are read at the same time: the first forks, with ctx as
 * it is now; the second hands on. A child that was begun must be ended, or dropped
 * (bounded_drop()).
 */
struct bounded;
int bounded_emit_begin(struct bounded *child, bounded_emitter emit, void *ctx);
int bounded_emit_end(struct bounded *child, int64_t until, const char *object,
		     const struct fact_sink *sink, struct error *error);

#endif

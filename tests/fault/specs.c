/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "specs.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define THREADS "build/victims/threads"
#define MUSL	"build/victims/threads_musl"

const struct spec specs[] = {
	{ .name = "event loop and workers",
	  .argv = { THREADS, "epoll_wait", "futex", "futex", "futex" },
	  .method = SHOT_AUTO,
	  .closes = true,
	  .share = 20 },
	{ .name = "registers",
	  .argv = { THREADS, "registers", "registers" },
	  .method = SHOT_FRAME,
	  .share = 12 },
	{ .name = "tiles",
	  .argv = { THREADS, "tiles", "tiles" },
	  .method = SHOT_FRAME,
	  .share = 8 },
	{ .name = "busy",
	  .argv = { THREADS, "busy", "registers", "busy" },
	  .method = SHOT_FRAME,
	  .share = 6 },
	{ .name = "each call",
	  .argv = { THREADS,	"lock_pi",   "epoll_wait", "poll",	   "ppoll",
		    "select",	"pselect",   "read",	   "recv",	   "recv_timeout",
		    "recv_all", "nanosleep", "sigsuspend", "sigtimedwait", "msgrcv",
		    "semop",	"wait4",     "accept",	   "flock",	   "futex_bitset" },
	  .method = SHOT_FRAME,
	  .share = 8 },
	{ .name = "lock_pi", .argv = { THREADS, "lock_pi" }, .method = SHOT_FRAME, .share = 3 },
	{ .name = "wait4", .argv = { THREADS, "wait4" }, .method = SHOT_FRAME, .share = 3 },
	{ .name = "timed futex",
	  .argv = { THREADS, "futex_bitset" },
	  .method = SHOT_FRAME,
	  .share = 3 },
	{ .name = "musl, static",
	  .argv = { MUSL, "registers", "epoll_wait", "futex" },
	  .method = SHOT_FRAME,
	  .share = 8,
	  .needs = MUSL },
	{ .name = "one thread, epoll_wait",
	  .argv = { "build/victims/single" },
	  .method = SHOT_AUTO,
	  .closes = true,
	  .share = 5 },
	{ .name = "pidfd",
	  .argv = { THREADS, "epoll_wait", "futex" },
	  .method = SHOT_PIDFD,
	  .closes = true,
	  .share = 8 },
	{ .name = "python",
	  .argv = { "/usr/bin/python3", "tests/victims/sleeper.py" },
	  .method = SHOT_FRAME,
	  .share = 4,
	  .needs = "/usr/bin/python3" },
	{ .name = "go",
	  .argv = { "build/victims/sleeper_go" },
	  .method = SHOT_FRAME,
	  .share = 4,
	  .needs = "/usr/bin/go",
	  .prepare = "go build -o build/victims/sleeper_go tests/victims/sleeper.go" },
	{ .name = "java",
	  .argv = { "/usr/bin/java", "-Xshare:auto", "-cp", "build/victims", "Sleeper" },
	  .method = SHOT_FRAME,
	  .share = 4,
	  .needs = "/usr/bin/javac",
	  .prepare = "javac -d build/victims tests/victims/Sleeper.java" },
	{ .name = "storm of signals",
	  .argv = { THREADS, "registers", "tiles", "busy", "read", "epoll_wait", "sigsuspend" },
	  .storm = STORM_SIGNALS,
	  .method = SHOT_FRAME,
	  .share = 6 },
	{ .name = "storm of stops",
	  .argv = { THREADS, "registers", "busy", "read" },
	  .storm = STORM_STOPCONT,
	  .method = SHOT_AUTO,
	  .share = 3 },
	{ .name = "another tracer",
	  .argv = { THREADS, "registers", "futex", "busy" },
	  .storm = STORM_TRACER,
	  .method = SHOT_AUTO,
	  .share = 3 },
	{ .name = "threads and forks",
	  .argv = { THREADS, "spawn", "forks", "spawn", "registers" },
	  .method = SHOT_FRAME,
	  .share = 3 },
	{ .name = "execs", .argv = { "build/victims/execs" }, .method = SHOT_FRAME, .share = 3 },
	{ .name = "dying",
	  .argv = { THREADS, "registers", "epoll_wait" },
	  .storm = STORM_DEATH,
	  .method = SHOT_AUTO,
	  .share = 3 },
	{ .name = "descriptors reused",
	  .argv = { THREADS, "epoll_wait", "registers", "churn", "churn" },
	  .method = SHOT_FRAME,
	  .share = 3 },
	{ .name = "the very descriptor reused",
	  .argv = { THREADS, "registers", "swap" },
	  .method = SHOT_FRAME,
	  .swaps = true,
	  .share = 3 },
};
const size_t n_specs = sizeof(specs) / sizeof(specs[0]);

bool spec_prepare(const struct spec *spec)
{
	char quiet[256];

	if (spec->needs && access(spec->needs, X_OK) < 0)
		return false;
	if (!spec->prepare)
		return true;
	snprintf(quiet, sizeof(quiet), "%s >/dev/null 2>&1", spec->prepare);
	return system(quiet) == 0;
}

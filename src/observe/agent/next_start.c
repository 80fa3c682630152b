/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/next_start.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/netns.h"
#include "base/now.h"
#include "facts.h"
#include "observe/agent/address.h"
#include "observe/agent/agent_flags.h"
#include "observe/agent/next.h"

/* ---- the agent's own root ---- */

static ino_t inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

/*
 * An agent in a container, or with a root directory of its own, reads its files there; where that
 * cannot be seen, they are not known. Of others the root is ours.
 */
static const char *agent_root_of(struct next *next)
{
	const char *dir = arena_printf(next->arena, "/proc/%d", next->agent->pid);
	const char *root = arena_printf(next->arena, "%s/root", dir);
	ino_t mounts = inode_of(arena_printf(next->arena, "%s/ns/mnt", dir));
	char target[PATH_MAX];
	ssize_t len = readlink(root, target, sizeof(target));

	if (len < 0) /* it is not ours to see, or has ended */
		return errno == EACCES || errno == EPERM ? NULL : next->root;
	if (len == 1 && mounts && mounts == inode_of("/proc/self/ns/mnt"))
		return next->root;
	return access(arena_printf(next->arena, "%s/", root), X_OK) == 0 ? root : NULL;
}

/* ---- the whole ---- */

/* A directory that is the running agent's, by whatever path, gets its name. */
static void directory_name(struct next *next, const char *name)
{
	const struct mesos_flag *flag = mesos_flag_find(mesos_span_of(name));
	struct next_flag *slot = &next->flags[flag - mesos_flag_table];
	char running[PATH_MAX];
	struct stat a, b;

	if (slot->value && agent_flag(next->agent->pid, name, running, sizeof(running)) &&
	    stat(slot->value, &a) == 0 && stat(running, &b) == 0 && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino)
		slot->value = arena_text(next->arena, running);
}

/* Is the address there that the next start binds? */
static enum ew_tri is_bound(const struct next *next)
{
	const struct mesos_flag *flag = mesos_flag_find(mesos_span_of("ip"));
	const struct next_flag *ip = &next->flags[flag - mesos_flag_table];
	struct ew_addr addr;
	const char *text;
	enum ew_tri bound;
	uint64_t inode;
	int nsfd;

	if (!ip->value || *ip->problem)
		return EW_UNKNOWN;
	text = arena_printf(next->arena, strchr(ip->value, ':') ? "[%s]:0" : "%s:0", ip->value);
	if (addr_parse(text, &addr) < 0)
		return EW_UNKNOWN;
	nsfd = netns_open_pid(next->agent->pid, &inode);
	if (nsfd < 0)
		return EW_UNKNOWN;
	bound = address_is_bound(&addr, nsfd);
	close(nsfd);
	return bound;
}

static bool is_scope(const char *unit)
{
	const char *dot = unit ? strrchr(unit, '.') : NULL;

	return dot && strcmp(dot, ".scope") == 0;
}

static void next_emit(struct next *next, const char *unit, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_NEXT_START, .mono = now_mono() };
	const struct next_start_options *options = next->options;

	fact.next_start.pid = next->agent->pid;
	fact.next_start.start = next->agent->start;
	fact.next_start.unit = options->unit ? options->unit : unit;
	fact.next_start.program = next->program;
	fact.next_start.version = options->version;
	fact.next_start.known = next->problem ? EW_NO : EW_YES;
	fact.next_start.problem = next->problem;
	fact.next_start.named = options->unit || options->n_env;
	fact.next_start.sources = next->sources.v;
	fact.next_start.n_sources = next->sources.n;
	fact.next_start.missing = next->missing.v;
	fact.next_start.n_missing = next->missing.n;
	fact.next_start.twice = next->twice.v;
	fact.next_start.n_twice = next->twice.n;
	fact.next_start.bound = is_bound(next);
	fact_emit(sink, &fact);
	if (next->service)
		fact_emit(sink, &(struct fact){ .type = FACT_SERVICE,
						.mono = fact.mono,
						.service = *next->service });
	for (size_t i = 0; i < MESOS_FLAGS_WATCHED; i++)
		if (next->flags[i].value)
			next_flag_emit(next, "next", i, &next->flags[i], sink);
}

void next_start_emit(const struct fact_agent *agent, const char *unit,
		     const struct next_start_options *options, const struct fact_sink *sink)
{
	struct arena *arena = arena_new();
	struct next *next = arena ? arena_array(arena, 1, sizeof(*next)) : NULL;

	if (next) {
		next->arena = next->env.arena = arena;
		next->agent = agent;
		next->options = options;
		next->root = options->root ? options->root : "";
		next_running_emit(next, sink);
		next->agent_root = agent_root_of(next);
		/* A scope has no command: a container starts again with the same one. */
		if (options->unit || (unit && !is_scope(unit)))
			next_unit_add(next, unit);
		else
			next_running_add(next);
		next_flags_of_environment(next);
		next_named_files_check(next);
		directory_name(next, "work_dir");
		directory_name(next, "runtime_dir");
		next_emit(next, unit, sink);
	}
	arena_free(arena);
}

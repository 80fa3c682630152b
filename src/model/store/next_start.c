/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Flags of the running agent and of the next start, and how the agent has described itself. */
#include <stdlib.h>
#include <string.h>

#include "model/store/apply.h"
#include "model/store/memory.h"
#include "model/store/next_start.h"

static bool is_next(const struct fact_flag *flag)
{
	return strcmp(flag->when, "next") == 0;
}

static bool is_api(const struct fact_flag *flag)
{
	return strcmp(flag->source, "api") == 0;
}

/* The API's and the command line's stand side by side. */
static bool same_place(const struct fact_flag *a, const struct fact_flag *b)
{
	return a->pid == b->pid && a->start == b->start && is_next(a) == is_next(b) &&
	       is_api(a) == is_api(b) && strcmp(a->name, b->name) == 0;
}

void store_apply_flag(struct store *store, const struct fact *fact)
{
	struct fact_flag flag = fact->flag;

	flag.when = store_text(store, flag.when);
	flag.name = store_text(store, flag.name);
	flag.value = store_text(store, flag.value);
	flag.source = store_text(store, flag.source);
	flag.problem = store_text(store, flag.problem);
	for (size_t i = 0; i < store->flags.n; i++) {
		if (same_place(&store->flags.v[i], &flag)) {
			store->flags.v[i] = flag;
			return;
		}
	}
	if (store_reserve(store, store->flags))
		store->flags.v[store->flags.n++] = flag;
}

/* Its flags follow: those of an earlier scan may be gone. */
static void next_flags_drop(struct store *store, int32_t pid, uint64_t start)
{
	size_t kept = 0;

	for (size_t i = 0; i < store->flags.n; i++) {
		const struct fact_flag *flag = &store->flags.v[i];

		if (!is_next(flag) || flag->pid != pid || flag->start != start)
			store->flags.v[kept++] = *flag;
	}
	store->flags.n = kept;
}

static struct fact_next_start *next_find(const struct store *store, int32_t pid, uint64_t start)
{
	for (size_t i = 0; i < store->next_starts.n; i++)
		if (store->next_starts.v[i].pid == pid && store->next_starts.v[i].start == start)
			return &store->next_starts.v[i];
	return NULL;
}

void store_apply_next_start(struct store *store, const struct fact *fact)
{
	struct fact_next_start next = fact->next_start;
	struct fact_next_start *old = next_find(store, next.pid, next.start);

	next_flags_drop(store, next.pid, next.start);
	if (!old && store_reserve(store, store->next_starts)) {
		old = &store->next_starts.v[store->next_starts.n++];
		*old = (struct fact_next_start){ 0 };
	}
	if (!old)
		return;
	next.unit = store_text(store, next.unit);
	next.program = store_text(store, next.program);
	next.version = store_text(store, next.version);
	next.problem = store_text(store, next.problem);
	store_copy_list(store, next, old, sources);
	store_copy_list(store, next, old, missing);
	store_copy_list(store, next, old, twice);
	*old = next;
}

void store_apply_agent_info(struct store *store, const struct fact *fact)
{
	struct fact_agent_info info = fact->agent_info, *old = &store->agent_info;

	info.slave_id = store_text(store, info.slave_id);
	info.hostname = store_text(store, info.hostname);
	info.domain = store_text(store, info.domain);
	info.problem = store_text(store, info.problem);
	store_copy_list(store, info, old, attributes);
	store_copy_list(store, info, old, resources);
	*old = info;
	store->has_agent_info = true;
}

const struct fact_next_start *store_next_start(const struct store *store, const struct agent *agent)
{
	return next_find(store, agent->facts.pid, agent->facts.start);
}

const struct fact_flag *store_flag(const struct store *store, const struct agent *agent, bool next,
				   const char *name)
{
	const struct fact_flag *found = NULL;

	for (size_t i = 0; i < store->flags.n; i++) {
		const struct fact_flag *flag = &store->flags.v[i];

		if (flag->pid != agent->facts.pid || flag->start != agent->facts.start ||
		    is_next(flag) != next || strcmp(flag->name, name) != 0)
			continue;
		if (is_api(flag))
			return flag;
		found = flag;
	}
	return found;
}

const struct fact_flag *store_flag_given(const struct store *store, const struct agent *agent,
					 const char *name)
{
	for (size_t i = 0; i < store->flags.n; i++) {
		const struct fact_flag *flag = &store->flags.v[i];

		if (flag->pid == agent->facts.pid && flag->start == agent->facts.start &&
		    !is_next(flag) && !is_api(flag) && strcmp(flag->name, name) == 0)
			return flag;
	}
	return NULL;
}

void store_clear_next_starts(struct store *store)
{
	for (size_t i = 0; i < store->next_starts.n; i++) {
		free((void *)store->next_starts.v[i].sources);
		free((void *)store->next_starts.v[i].missing);
		free((void *)store->next_starts.v[i].twice);
	}
	free((void *)store->agent_info.attributes);
	free((void *)store->agent_info.resources);
	free(store->next_starts.v);
	free(store->flags.v);
}

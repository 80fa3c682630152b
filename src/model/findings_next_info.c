/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the next start would tell the master of itself, against what slave.info says the agent has
 * told: they have to be equal up to Mesos 1.4 (slave/slave.cpp, recover(), 0.28.3 and 1.4.3), and
 * since 1.5 as --reconfiguration_policy says (slave/compatibility.cpp, equal() and additive()).
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "model/findings_next.h"

enum { DIFFERENCES_MAX = 64 };

/* By what they do: refused by every policy, permitted by "additive", or perhaps no difference. */
struct differences {
	const char *changed[DIFFERENCES_MAX], *added[DIFFERENCES_MAX], *unsure[DIFFERENCES_MAX];
	size_t n_changed, n_added, n_unsure;
};

#define DIFFER(d, kind, text)                                                                      \
	((d)->n_##kind < DIFFERENCES_MAX ? (void)((d)->kind[(d)->n_##kind++] = (text)) : (void)0)

static bool items_of(const struct next_subject *s, const char *const *texts, size_t n,
		     bool attributes, struct mesos_items *items)
{
	struct mesos_items one;

	*items = (struct mesos_items){ 0 };
	items->v = arena_array(s->arena, n + 1, sizeof(*items->v));
	for (size_t i = 0; items->v && i < n; i++) {
		int err = attributes ? mesos_attributes_parse(s->arena, texts[i], &one)
				     : mesos_resources_parse(s->arena, texts[i], "*", &one);

		if (err || one.n != 1)
			return false;
		items->v[items->n++] = one.v[0];
	}
	return items->v;
}

static void item_compare(const struct next_subject *s, const struct mesos_item *old,
			 const struct mesos_item *now, struct differences *d)
{
	enum mesos_change change = mesos_item_compare(old, now);
	const char *text;

	if (change == MESOS_SAME)
		return;
	text = arena_printf(s->arena, "%s will be %s", mesos_item_text(s->arena, old),
			    mesos_item_text(s->arena, now));
	/* Of attributes only ranges may grow. */
	if (change == MESOS_GROWN && (*old->role || old->type == MESOS_RANGES))
		DIFFER(d, added, text);
	else
		DIFFER(d, changed, text);
}

static void items_added(const struct next_subject *s, const struct mesos_items *old,
			const struct mesos_items *now, struct differences *d)
{
	for (size_t i = 0; i < now->n; i++)
		if (!mesos_items_find(old, &now->v[i]))
			DIFFER(d, added,
			       arena_printf(s->arena, "%s is added",
					    mesos_item_text(s->arena, &now->v[i])));
}

/* What slave.info has is more than a flag can say. */
static void incomparable(const struct next_subject *s, const char *what)
{
	finding_add(s->store, s->report, FINDING_NEXT_UNREAD, SEVERITY_UNKNOWN,
		    arena_printf(s->arena,
				 "The %s in slave.info cannot be compared with those of the next "
				 "start.",
				 what),
		    "Compare them with those that the agent's API shows.");
}

/* Says what it means that the item is not there any more. role: of resources without one. */
typedef void (*gone_fn)(const struct next_subject *s, const struct mesos_item *old,
			const char *role, struct differences *d);

static void items_compare(const struct next_subject *s, const struct mesos_items *old,
			  const struct mesos_items *now, gone_fn gone, const char *role,
			  struct differences *d)
{
	for (size_t i = 0; i < old->n; i++) {
		const struct mesos_item *same = mesos_items_find(now, &old->v[i]);

		if (same)
			item_compare(s, &old->v[i], same, d);
		else
			gone(s, &old->v[i], role, d);
	}
	items_added(s, old, now, d);
}

static void attribute_gone(const struct next_subject *s, const struct mesos_item *old,
			   const char *role, struct differences *d)
{
	(void)role;
	DIFFER(d, changed,
	       arena_printf(s->arena, "attribute %s is gone", mesos_item_text(s->arena, old)));
}

static void attributes_compare(const struct next_subject *s, const struct fact_agent_info *info,
			       struct differences *d)
{
	const char *flag = next_value(s, "attributes");
	struct mesos_items old, now;

	if (!flag || next_changes(s, "attributes") == EW_NO ||
	    mesos_attributes_parse(s->arena, flag, &now) < 0)
		return;
	if (!items_of(s, info->attributes, info->n_attributes, true, &old)) {
		incomparable(s, "attributes");
		return;
	}
	items_compare(s, &old, &now, attribute_gone, NULL, d);
}

/* Mesos slave/containerizer/containerizer.cpp, resources(): what the flag lacks is detected. */
static bool is_detected(const struct mesos_item *item, const char *role)
{
	static const char *const names[] = { "cpus", "mem", "disk", "ports", "gpus" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(item->name, names[i]) == 0)
			return strcmp(item->role, role) == 0 && !*item->disk;
	return false;
}

/* Was it given to the running agent by name? */
static bool was_given(const struct next_subject *s, const struct mesos_item *item, const char *role)
{
	const char *flag = running_value(s, "resources");
	struct mesos_items items;

	return flag && mesos_resources_parse(s->arena, flag, role, &items) == 0 &&
	       mesos_items_find(&items, item);
}

static void resource_gone(const struct next_subject *s, const struct mesos_item *old,
			  const char *role, struct differences *d)
{
	const char *text = mesos_item_text(s->arena, old);

	if (!is_detected(old, role))
		DIFFER(d, changed, arena_printf(s->arena, "resource %s is gone", text));
	else if (was_given(s, old, role))
		DIFFER(d, unsure,
		       arena_printf(s->arena, "%s is no longer given and will be detected", text));
}

static void resources_compare(const struct next_subject *s, const struct fact_agent_info *info,
			      struct differences *d)
{
	const char *flag = next_value(s, "resources"), *role = next_value(s, "default_role");
	struct mesos_items old, now;

	if (!flag || !role ||
	    (next_changes(s, "resources") == EW_NO && next_changes(s, "default_role") == EW_NO) ||
	    mesos_resources_parse(s->arena, flag, role, &now) < 0)
		return;
	if (!items_of(s, info->resources, info->n_resources, false, &old)) {
		incomparable(s, "resources");
		return;
	}
	items_compare(s, &old, &now, resource_gone, role, d);
}

static void hostname_compare(const struct next_subject *s, const struct fact_agent_info *info,
			     struct differences *d)
{
	const struct fact_flag *flag = store_flag(s->store, s->agent, true, "hostname");
	const char *now = next_value(s, "hostname");

	if (now && *now) {
		if (strcmp(now, info->hostname) != 0)
			DIFFER(d, changed,
			       arena_printf(s->arena, "hostname %s will be %s", info->hostname,
					    now));
		return;
	}
	if (!flag &&
	    (next_changes(s, "hostname") == EW_YES || next_changes(s, "hostname_lookup") == EW_YES))
		DIFFER(d, unsure,
		       arena_printf(s->arena,
				    "hostname %s is no longer given and will be looked up",
				    info->hostname));
}

/* What advertises another port than that of a flag (LIBPROCESS_ADVERTISE_PORT) does so again. */
static void port_compare(const struct next_subject *s, const struct fact_agent_info *info,
			 struct differences *d)
{
	const struct fact_flag *advertised = store_flag(s->store, s->agent, true, "advertise_port");
	const char *port = next_value(s, "advertise_port");

	if ((advertised && *advertised->problem) ||
	    (next_changes(s, "port") == EW_NO && next_changes(s, "advertise_port") == EW_NO))
		return;
	port = port && *port ? port : next_value(s, "port");
	if (port && strtoul(port, NULL, 10) != info->port)
		DIFFER(d, changed, arena_printf(s->arena, "port %u will be %s", info->port, port));
}

static void domain_compare(const struct next_subject *s, const struct fact_agent_info *info,
			   struct differences *d)
{
	const char *flag = next_value(s, "domain"), *now;

	if (!flag || next_changes(s, "domain") == EW_NO)
		return;
	now = *flag ? mesos_domain_text(s->arena, flag) : "";
	if (strcmp(now, info->domain) == 0)
		return;
	if (*info->domain)
		DIFFER(d, changed,
		       arena_printf(s->arena, "domain %s will be %s", info->domain,
				    *now ? now : "none"));
	else
		DIFFER(d, added, arena_printf(s->arena, "domain %s is added", now));
}

/* Before 1.5 the environment may name the policy, and nobody reads it. */
static bool is_additive(const struct next_subject *s)
{
	const char *policy = next_value(s, "reconfiguration_policy");
	const struct mesos_flag *row = mesos_flag_find(mesos_span_of("reconfiguration_policy"));

	return policy && strcmp(policy, "additive") == 0 &&
	       (!s->has_version || row->known(&s->version));
}

static const char *evidence(const struct next_subject *s, const char *const *texts, size_t n)
{
	return arena_printf(s->arena,
			    "The next agent would describe itself differently from slave.info: %s.",
			    finding_texts(s->arena, texts, n));
}

static void differences_add(const struct next_subject *s, struct differences *d)
{
	static const char cure[] =
		"Give the next start what slave.info has; since Mesos 1.5 what is only added "
		"passes "
		"with --reconfiguration_policy=additive. Do not remove meta/slaves/latest, which "
		"the agent's log advises: that abandons every executor.";
	bool additive = is_additive(s);

	for (size_t i = 0; !additive && i < d->n_added; i++)
		DIFFER(d, changed, d->added[i]);
	if (d->n_changed)
		finding_add(s->store, s->report, FINDING_AGENT_INFO_CHANGED, SEVERITY_CRITICAL,
			    evidence(s, d->changed, d->n_changed), cure);
	if (d->n_unsure)
		finding_add(s->store, s->report, FINDING_AGENT_INFO_CHANGED, SEVERITY_WARNING,
			    evidence(s, d->unsure, d->n_unsure), cure);
	if (additive && d->n_added)
		finding_add(s->store, s->report, FINDING_AGENT_INFO_EXTENDED, SEVERITY_OK,
			    evidence(s, d->added, d->n_added), "");
}

void next_info_fill(const struct next_subject *s)
{
	const struct fact_agent_info *info = &s->store->agent_info;
	struct differences *d = arena_array(s->arena, 1, sizeof(*d));

	if (!d || !s->store->has_agent_info || *info->problem)
		return;
	attributes_compare(s, info, d);
	resources_compare(s, info, d);
	hostname_compare(s, info, d);
	port_compare(s, info, d);
	domain_compare(s, info, d);
	differences_add(s, d);
}

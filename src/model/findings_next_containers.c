/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Containers that the next agent does not recover. */
#include <string.h>

#include "base/arena.h"
#include "model/findings_next.h"

static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; at && *at; at += strspn(at, ", ")) {
		size_t n = strcspn(at, ", ");

		if (n == len && memcmp(at, word, n) == 0)
			return true;
		at += n;
	}
	return false;
}

static bool drops_containerizer(const struct next_subject *s)
{
	const char *old = running_value(s, "containerizers"),
		   *now = next_value(s, "containerizers");

	return old && now &&
	       ((has_word(old, "docker") && !has_word(now, "docker")) ||
		(has_word(old, "mesos") && !has_word(now, "mesos")));
}

/*
 * The launcher recovers containers by their cgroup below --cgroups_root, or by pid (Mesos
 * slave/containerizer/mesos/linux_launcher.cpp and launcher.cpp, recover()).
 */
static void containers(const struct next_subject *s)
{
	static const char *const names[] = { "launcher", "cgroups_root", "cgroups_hierarchy" };
	const char *launcher = running_value(s, "launcher");
	bool posix = launcher && strcmp(launcher, "posix") == 0;

	if (drops_containerizer(s))
		next_finding(s, FINDING_CONTAINERS_NOT_RECOVERED, SEVERITY_CRITICAL,
			     next_change_text(s, "containerizers"),
			     "Keep the containerizer until its executors have ended.");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (next_changes(s, names[i]) == EW_YES && (!posix || !i))
			next_finding(s, FINDING_CONTAINERS_NOT_RECOVERED, SEVERITY_CRITICAL,
				     next_change_text(s, names[i]),
				     "Keep it until no executor runs.");
	if (next_changes(s, "isolation") == EW_YES)
		next_finding(
			s, FINDING_ISOLATION_CHANGED, SEVERITY_WARNING,
			next_change_text(s, "isolation"),
			"Keep the isolators until no executor runs, or try it on one node first.");
	if (next_changes(s, "systemd_enable_support") == EW_YES)
		next_finding(s, FINDING_SYSTEMD_SUPPORT_CHANGED, SEVERITY_WARNING,
			     next_change_text(s, "systemd_enable_support"),
			     "Keep it on where systemd runs the agent.");
}

/* A daemon-reload may move processes out of cgroups that are not delegated. */
static void delegation(const struct next_subject *s)
{
	const struct fact_service *service = store_service(s->store, s->agent);
	const char *isolation = running_value(s, "isolation");
	const char *launcher = running_value(s, "launcher");
	bool cgroups = (isolation && strstr(isolation, "cgroups/")) ||
		       (launcher && strcmp(launcher, "linux") == 0);

	if (service && *service->unit && service->delegate == EW_NO && cgroups &&
	    next_is_true(running_value(s, "systemd_enable_support")))
		next_finding(
			s, FINDING_CGROUP_NOT_DELEGATED, SEVERITY_WARNING,
			arena_printf(s->arena,
				     "%s has Delegate=no, and the agent makes cgroups of its own.",
				     service->unit),
			arena_printf(s->arena, "Set Delegate=yes (systemctl edit %s).",
				     service->unit));
}

void next_containers_fill(const struct next_subject *s)
{
	containers(s);
	delegation(s);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the next start changes against the running agent, and what that does to its executors. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/now.h"
#include "mesos/duration.h"
#include "model/findings_next.h"
#include "model/judge/evidence.h"
#include "model/judge/identity.h"

/* Mesos slave/constants.hpp, MAX_EXECUTOR_REREGISTRATION_TIMEOUT (1.4.0 to 1.11.0). */
#define REREGISTRATION_MAX (15 * NS_PER_S)

static bool is_true(const char *value)
{
	return value && (strcmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

static void add(const struct next_subject *s, enum finding finding, enum severity severity,
		const char *evidence, const char *cure)
{
	finding_add(s->store, s->report, finding, severity, evidence, cure);
}

/* "--work_dir is /a, and will be /b (/etc/mesos-slave/work_dir)." */
static const char *change_text(const struct next_subject *s, const char *name)
{
	const struct fact_flag *next = store_flag(s->store, s->agent, true, name);
	const char *old = running_value(s, name), *now = next_value(s, name);

	return arena_printf(s->arena, "--%s is %s, and will be %s%s%s%s.", name,
			    old && *old ? old : "not given", now && *now ? now : "not given",
			    next ? " (" : "", next ? next->source : "", next ? ")" : "");
}

/* ---- a start that ends at once ---- */

enum { REASONS_MAX = 64 };

struct reasons {
	const char *v[REASONS_MAX];
	size_t n;
};

static void reason(struct reasons *reasons, const char *text)
{
	if (reasons->n < REASONS_MAX)
		reasons->v[reasons->n++] = text;
}

/* Unknown names are refused on the command line alone (stout flags/flags.hpp, load()). */
static void unknown_flags(const struct next_subject *s, struct reasons *reasons)
{
	for (size_t i = 0; s->has_version && i < MESOS_FLAGS_WATCHED; i++) {
		const struct mesos_flag *row = &mesos_flag_table[i];
		const struct fact_flag *flag = store_flag(s->store, s->agent, true, row->name);

		if (flag && flag->on_command_line && row->known && !row->known(&s->version))
			reason(reasons, arena_printf(s->arena, "Mesos %.*s has no flag --%s (%s)",
						     (int)s->version.text.len, s->version.text.p,
						     row->name, flag->source));
	}
}

/* The running agent was given the very same, and started. */
static bool is_in_use(const struct next_subject *s, const char *name, const char *value)
{
	const struct fact_flag *given = store_flag_given(s->store, s->agent, name);

	return given && strcmp(given->value, value) == 0;
}

static void bad_durations(const struct next_subject *s, struct reasons *reasons)
{
	for (size_t i = 0; i < MESOS_FLAGS_WATCHED; i++) {
		const struct mesos_flag *row = &mesos_flag_table[i];
		const char *value =
			next_known_value(store_flag(s->store, s->agent, true, row->name));
		int64_t ns;

		if (!value || row->kind != MESOS_FLAG_DURATION || is_in_use(s, row->name, value))
			continue;
		if (mesos_duration_parse(mesos_span_of(value), &ns) < 0)
			reason(reasons,
			       arena_printf(s->arena, "--%s=%s is no duration", row->name, value));
		else if (strcmp(row->name, "executor_reregistration_timeout") == 0 &&
			 ns > REREGISTRATION_MAX)
			reason(reasons,
			       arena_printf(s->arena, "--%s=%s is above 15secs", row->name, value));
	}
}

static void bad_items(const struct next_subject *s, struct reasons *reasons)
{
	const char *attributes = next_value(s, "attributes");
	const char *resources = next_value(s, "resources");
	struct mesos_items items;

	if (attributes && !is_in_use(s, "attributes", attributes) &&
	    mesos_attributes_parse(s->arena, attributes, &items) < 0)
		reason(reasons,
		       arena_printf(s->arena, "--attributes=%s cannot be read by it", attributes));
	if (resources && !is_in_use(s, "resources", resources) &&
	    mesos_resources_parse(s->arena, resources, "*", &items) < 0)
		reason(reasons,
		       arena_printf(s->arena, "--resources=%s cannot be read by it", resources));
}

static void flags_refused(const struct next_subject *s)
{
	struct reasons reasons = { .n = 0 };

	for (size_t i = 0; i < s->next->n_twice; i++)
		reason(&reasons, arena_printf(s->arena, "--%s is given twice", s->next->twice[i]));
	unknown_flags(s, &reasons);
	bad_durations(s, &reasons);
	bad_items(s, &reasons);
	if (reasons.n)
		add(s, FINDING_NEXT_FLAGS_REFUSED, SEVERITY_CRITICAL,
		    arena_printf(s->arena, "The next agent refuses its flags: %s.",
				 finding_texts(s->arena, reasons.v, reasons.n)),
		    "Correct the flags before the restart.");
}

static void files_missing(const struct next_subject *s)
{
	if (s->next->n_missing)
		add(s, FINDING_NEXT_FILES_MISSING, SEVERITY_CRITICAL,
		    arena_printf(s->arena, "The next start needs files that are not there: %s.",
				 finding_texts(s->arena, s->next->missing, s->next->n_missing)),
		    "Put the files in place before the restart.");
}

static void unread(const struct next_subject *s)
{
	if (s->next->named && s->next->known != EW_YES)
		add(s, FINDING_NEXT_UNREAD, SEVERITY_UNKNOWN,
		    arena_printf(s->arena, "Not all flags of the next start are known: %s.",
				 s->next->problem),
		    "Name the unit by --next-unit, or its environment by --next-env.");
}

/* ---- what the agent finds of its past ---- */

/* An address that is not given is found by the host's name: it may be the same. */
static void address(const struct next_subject *s)
{
	const char *name = next_changes(s, "advertise_ip") == EW_YES ? "advertise_ip" : "ip";

	if (next_changes(s, name) == EW_YES)
		add(s, FINDING_AGENT_ADDRESS_CHANGED,
		    next_value(s, name) ? SEVERITY_CRITICAL : SEVERITY_WARNING,
		    change_text(s, name), "Keep the address until no executor runs.");
}

/* Mesos slave/main.cpp, --work_dir; slave/state.cpp, recover(). */
static void directories(const struct next_subject *s)
{
	if (next_changes(s, "work_dir") == EW_YES)
		add(s, FINDING_WORK_DIR_CHANGED, SEVERITY_CRITICAL, change_text(s, "work_dir"),
		    "Start it with the old work directory.");
	if (next_changes(s, "runtime_dir") == EW_YES)
		add(s, FINDING_RUNTIME_DIR_CHANGED, SEVERITY_CRITICAL,
		    change_text(s, "runtime_dir"), "Start it with the old runtime directory.");
}

static void recovery(const struct next_subject *s)
{
	const char *recover = next_value(s, "recover");

	if (recover && strcmp(recover, "reconnect") != 0)
		add(s, FINDING_RECOVER_CLEANUP, SEVERITY_CRITICAL,
		    arena_printf(s->arena, "The next start has --recover=%s.", recover),
		    "Start it with --recover=reconnect.");
	if (next_changes(s, "strict") == EW_YES && !is_true(next_value(s, "strict")))
		add(s, FINDING_RECOVERY_NOT_STRICT, SEVERITY_WARNING, change_text(s, "strict"),
		    "Start it with --strict=true, and see docs/findings.md for what the "
		    "checkpoints "
		    "lack.");
}

/* ---- containers ---- */

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
		add(s, FINDING_CONTAINERS_NOT_RECOVERED, SEVERITY_CRITICAL,
		    change_text(s, "containerizers"),
		    "Keep the containerizer until its executors have ended.");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (next_changes(s, names[i]) == EW_YES && (!posix || !i))
			add(s, FINDING_CONTAINERS_NOT_RECOVERED, SEVERITY_CRITICAL,
			    change_text(s, names[i]), "Keep it until no executor runs.");
	if (next_changes(s, "isolation") == EW_YES)
		add(s, FINDING_ISOLATION_CHANGED, SEVERITY_WARNING, change_text(s, "isolation"),
		    "Keep the isolators until no executor runs, or try it on one node first.");
	if (next_changes(s, "systemd_enable_support") == EW_YES)
		add(s, FINDING_SYSTEMD_SUPPORT_CHANGED, SEVERITY_WARNING,
		    change_text(s, "systemd_enable_support"),
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
	    is_true(running_value(s, "systemd_enable_support")))
		add(s, FINDING_CGROUP_NOT_DELEGATED, SEVERITY_WARNING,
		    arena_printf(s->arena,
				 "%s has Delegate=no, and the agent makes cgroups of its own.",
				 service->unit),
		    arena_printf(s->arena, "Set Delegate=yes (systemctl edit %s).", service->unit));
}

/* ---- timeouts ---- */

static int64_t duration_of(const char *value)
{
	int64_t ns;

	return value && mesos_duration_parse(mesos_span_of(value), &ns) == 0 ? ns : 0;
}

static void timeouts(const struct next_subject *s)
{
	static const char *const names[] = { "executor_reregistration_timeout",
					     "executor_reregistration_retry_interval" };
	int64_t old = duration_of(running_value(s, names[0]));
	int64_t now = duration_of(next_value(s, names[0]));
	const char *retry = next_value(s, names[1]);

	if (next_changes(s, names[0]) == EW_YES && now && now < old)
		add(s, FINDING_TIMEOUTS_CHANGED, SEVERITY_WARNING, change_text(s, names[0]),
		    "Do not shorten it in the upgrade that restarts the agent.");
	if (next_changes(s, names[1]) == EW_YES && retry && !*retry)
		add(s, FINDING_TIMEOUTS_CHANGED, SEVERITY_WARNING, change_text(s, names[1]),
		    "Keep the retries while executors with libraries before 1.1.2 run.");
	if (next_changes(s, "recovery_timeout") == EW_YES)
		add(s, FINDING_TIMEOUTS_CHANGED, SEVERITY_OK, change_text(s, "recovery_timeout"),
		    "Count on the old value for the executors that run now.");
}

/* ---- authentication ---- */

static size_t count_v1(const struct executors *view)
{
	size_t n = 0;

	for (size_t i = 0; i < view->n_executors; i++)
		n += evidence_protocol(view->executors[i].checkpoint) == PROTOCOL_V1 &&
		     identity_of(view->store, &view->executors[i]) == WHOSE_OURS;
	return n;
}

/*
 * An executor gets its token when it is launched (Mesos slave/slave.cpp, generateSecret(); since
 * 1.3).
 */
static void authentication(const struct next_subject *s)
{
	static const char executors[] = "authenticate_http_executors";
	bool on = is_true(next_value(s, executors));
	size_t n = count_v1(s->view);
	const char *name = next_changes(s, executors) == EW_YES ? executors : "jwt_secret_key";

	if (on && n && next_changes(s, name) == EW_YES)
		add(s, FINDING_EXECUTOR_AUTHENTICATION, SEVERITY_CRITICAL,
		    arena_printf(s->arena, "%s %zu v1 executors run.", change_text(s, name), n),
		    "Keep it as it is until the v1 executors have ended.");
	if (next_changes(s, "credential") == EW_YES)
		add(s, FINDING_CREDENTIAL_CHANGED, SEVERITY_WARNING, change_text(s, "credential"),
		    "See that the master accepts the agent with it.");
}

/* ---- the whole ---- */

static bool version_find(struct next_subject *s)
{
	const char *text = *s->next->version ? s->next->version : s->store->api.version;

	return (*s->next->version || s->store->has_api) && text &&
	       mesos_version_parse(mesos_span_of(text), &s->version) == 0;
}

void findings_next_fill(const struct executors *view, struct report *report)
{
	struct next_subject s = { .store = view->store,
				  .view = view,
				  .report = report,
				  .arena = report->arena,
				  .agent = store_agent(view->store) };

	s.next = s.agent ? store_next_start(s.store, s.agent) : NULL;
	if (!s.next)
		return;
	s.has_version = version_find(&s);
	files_missing(&s);
	flags_refused(&s);
	unread(&s);
	next_info_fill(&s);
	address(&s);
	directories(&s);
	recovery(&s);
	containers(&s);
	delegation(&s);
	timeouts(&s);
	authentication(&s);
}

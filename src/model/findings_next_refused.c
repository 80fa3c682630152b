/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A start that ends at once: flags that are refused and files that are missing. */
#include <string.h>

#include "base/arena.h"
#include "base/now.h"
#include "mesos/duration.h"
#include "model/findings_next.h"

/* Mesos slave/constants.hpp, MAX_EXECUTOR_REREGISTRATION_TIMEOUT (1.4.0 to 1.11.0). */
#define REREGISTRATION_MAX (15 * NS_PER_S)

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

/* libprocess src/openssl.cpp, reinitialize(): "SSL requires key!" */
static void ssl_without_files(const struct next_subject *s, struct reasons *reasons)
{
	static const char *const names[] = { "LIBPROCESS_SSL_KEY_FILE",
					     "LIBPROCESS_SSL_CERT_FILE" };

	for (size_t i = 0; next_is_true(next_value(s, "LIBPROCESS_SSL_ENABLED")) && i < 2; i++) {
		const char *value = next_value(s, names[i]);

		if (value && !*value)
			reason(reasons,
			       arena_printf(s->arena, "SSL is on, and %s is not given", names[i]));
	}
}

static void flags_refused(const struct next_subject *s)
{
	struct reasons reasons = { .n = 0 };

	for (size_t i = 0; i < s->next->n_twice; i++)
		reason(&reasons, arena_printf(s->arena, "--%s is given twice", s->next->twice[i]));
	unknown_flags(s, &reasons);
	bad_durations(s, &reasons);
	bad_items(s, &reasons);
	ssl_without_files(s, &reasons);
	if (reasons.n)
		next_finding(s, FINDING_NEXT_FLAGS_REFUSED, SEVERITY_CRITICAL,
			     arena_printf(s->arena, "The next agent refuses its flags: %s.",
					  finding_texts(s->arena, reasons.v, reasons.n)),
			     "Correct the flags before the restart.");
}

static void files_missing(const struct next_subject *s)
{
	if (s->next->n_missing)
		next_finding(
			s, FINDING_NEXT_FILES_MISSING, SEVERITY_CRITICAL,
			arena_printf(s->arena, "The next start needs files that are not there: %s.",
				     finding_texts(s->arena, s->next->missing, s->next->n_missing)),
			"Put the files in place before the restart.");
}

static void unread(const struct next_subject *s)
{
	if (s->next->named && s->next->known != EW_YES)
		next_finding(s, FINDING_NEXT_UNREAD, SEVERITY_UNKNOWN,
			     arena_printf(s->arena,
					  "Not all flags of the next start are known: %s.",
					  s->next->problem),
			     "Name the unit by --next-unit, or its environment by --next-env.");
}

void next_refused_fill(const struct next_subject *s)
{
	files_missing(s);
	flags_refused(s);
	unread(s);
}

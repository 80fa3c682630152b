/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/version.h"

#include <errno.h>
#include <string.h>

static bool number_take(struct mesos_span *text, uint16_t *number)
{
	uint64_t value;

	if (!mesos_span_number(text, UINT16_MAX, &value))
		return false;
	*number = (uint16_t)value;
	return true;
}

static void suffix_read(struct mesos_span suffix, struct mesos_version *version)
{
	struct mesos_span rest = suffix;

	if (suffix.len == 0)
		version->phase = MESOS_PHASE_RELEASE;
	else if (mesos_span_is(suffix, "-dev"))
		version->phase = MESOS_PHASE_DEV;
	else if (mesos_span_take(&rest, "-rc") && number_take(&rest, &version->rc) && !rest.len)
		version->phase = MESOS_PHASE_RC;
	else
		version->phase = MESOS_PHASE_VENDOR;
}

static bool is_suffix(struct mesos_span text)
{
	if (text.len && !strchr("-+~", *text.p))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~' || text.p[i] == '/')
			return false;
	return true;
}

int mesos_version_parse(struct mesos_span text, struct mesos_version *version)
{
	struct mesos_version read = { .text = text };

	if (!text.p || !number_take(&text, &read.major) || !mesos_span_take(&text, ".") ||
	    !number_take(&text, &read.minor) || !mesos_span_take(&text, ".") ||
	    !number_take(&text, &read.patch) || !is_suffix(text))
		return -EINVAL;
	suffix_read(text, &read);
	*version = read;
	return 0;
}

/* What libtool puts behind: ".so", ".so.0.0.0". The name itself has ".so" nowhere else. */
static bool so_cut(struct mesos_span *name)
{
	const char *so = mesos_span_find(*name, ".so");
	struct mesos_span rest;

	if (!so)
		return false;
	rest = mesos_span_at(so + 3, name->len - (size_t)(so + 3 - name->p));
	if (rest.len && *rest.p != '.')
		return false;
	name->len = (size_t)(so - name->p);
	return true;
}

/* "mesos.native-0.28.2-py2.7-linux-x86_64.egg": the version is between the first two '-'. */
static int egg_version(struct mesos_span path, struct mesos_version *version)
{
	static const char *const names[] = { "mesos.native-", "mesos.executor-",
					     "mesos.scheduler-" };
	struct mesos_span part, text;

	while (mesos_span_cut(&path, '/', &part))
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (mesos_span_take(&part, names[i]) && mesos_span_cut(&part, '-', &text))
				return mesos_version_parse(text, version);
	return -EINVAL;
}

int mesos_version_from_path(struct mesos_span path, struct mesos_version *version)
{
	static const char deleted[] = " (deleted)";
	struct mesos_span name;

	if (path.len >= sizeof(deleted) &&
	    memcmp(path.p + path.len - (sizeof(deleted) - 1), deleted, sizeof(deleted) - 1) == 0)
		path.len -= sizeof(deleted) - 1;
	name = mesos_span_last(path, '/');
	if (!so_cut(&name))
		return -EINVAL;
	if (mesos_span_take(&name, "libmesos-"))
		return mesos_version_parse(name, version) < 0 ? -ENOENT : 0;
	if (mesos_span_is(name, "libmesos"))
		return -ENOENT;
	if (!mesos_span_take(&name, "_mesos") && !mesos_span_take(&name, "_executor") &&
	    !mesos_span_take(&name, "_scheduler"))
		return -EINVAL;
	if (egg_version(path, version) == 0)
		return 0;
	return mesos_span_find(path, "mesos") ? -ENOENT : -EINVAL;
}

/* Less than, equal to or greater than 0, as strcmp(3). */
static int version_compare(const struct mesos_version *a, const struct mesos_version *b)
{
	if (a->major != b->major)
		return a->major - b->major;
	if (a->minor != b->minor)
		return a->minor - b->minor;
	if (a->patch != b->patch)
		return a->patch - b->patch;
	if (a->phase != b->phase)
		return (int)a->phase - (int)b->phase;
	return a->rc - b->rc;
}

bool mesos_version_relinks(const struct mesos_version *version)
{
	static const struct mesos_version first_1_1 = {
		.major = 1, .minor = 1, .patch = 2, .phase = MESOS_PHASE_RELEASE
	};
	static const struct mesos_version first_1_2 = { .major = 1,
							.minor = 2,
							.phase = MESOS_PHASE_RELEASE };
	static const struct mesos_version first_1_3 = { .major = 1,
							.minor = 3,
							.phase = MESOS_PHASE_RC };
	const struct mesos_version *first = &first_1_3;

	if (version->major == 1 && version->minor == 1)
		first = &first_1_1;
	if (version->major == 1 && version->minor == 2)
		first = &first_1_2;
	return version_compare(version, first) >= 0;
}

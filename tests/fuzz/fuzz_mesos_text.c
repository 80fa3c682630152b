/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Short texts: log lines, versions, paths of libraries, durations, addresses, cut JSON. */
#include "mesos_fuzz.h"

#include "mesos/duration.h"
#include "mesos/glog.h"
#include "mesos/json.h"
#include "mesos/upid.h"
#include "mesos/version.h"

static void durations(struct mesos_span text)
{
	int64_t ns;

	if (mesos_duration_parse(text, &ns) == 0)
		must(ns >= 0);
}

static void logs(struct mesos_span text)
{
	struct mesos_glog log;

	if (mesos_glog_parse(text, &log) < 0)
		return;
	must_lie_in(log.file, text.p, text.len);
	must_lie_in(log.text, text.p, text.len);
}

static void versions(struct mesos_span text)
{
	struct mesos_version version;

	if (mesos_version_from_path(text, &version) == 0)
		must_lie_in(version.text, text.p, text.len);
	if (mesos_version_parse(text, &version) == 0)
		mesos_version_relinks(&version);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mesos_span text = mesos_span_at(data, size);
	struct mesos_upid upid;

	durations(text);
	logs(text);
	versions(text);
	if (mesos_upid_parse(text, &upid) == 0)
		must_lie_in(upid.id, data, size);
	must_lie_in(mesos_json_member(text, "type"), data, size);
	return 0;
}

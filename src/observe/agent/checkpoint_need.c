/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/checkpoints_private.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/emit.h"
#include "base/error.h"
#include "base/now.h"
#include "facts.h"
#include "mesos/span.h"

int checkpoint_read(struct checkpoint_scan *scan, int dir, const char *name,
		    struct mesos_span *file)
{
	int err = checkpoint_file_read(dir, name, scan->file, file);

	if (err > 0)
		checkpoint_refused(scan, -EFBIG, name);
	else if (err < 0 && err != -ENOENT)
		checkpoint_refused(scan, err, name);
	return err < 0 ? err : 0;
}

void checkpoint_damaged(struct checkpoint_scan *scan, int32_t pid, const char *name, int err,
			const struct error *what)
{
	char object[PATH_MAX + 64];

	snprintf(object, sizeof(object), "%s/%s", scan->path.text, name);
	emit_corrupt(scan->sink, pid, object,
		     err == -ENODATA ? "is empty: the agent takes it as missing" : what->message);
}

void checkpoint_fatal(const struct checkpoint_scan *scan, const char *name, const char *text,
		      enum ew_tri fatal)
{
	struct fact fact = { .type = FACT_DAMAGE, .mono = now_mono() };
	char path[PATH_MAX + 64];

	if (scan->former || scan->passed_over)
		return;
	snprintf(path, sizeof(path), "%s%s%s", scan->path.text, *name ? "/" : "", name);
	fact.damage.path = path;
	fact.damage.text = text;
	fact.damage.fatal = fatal;
	fact_emit(scan->sink, &fact);
}

void checkpoint_lacks(struct checkpoint_need *need, enum ew_tri met, const char *name,
		      const char *how)
{
	if (need->met == EW_NO || (need->met == EW_UNKNOWN && met == EW_UNKNOWN))
		return;
	need->met = met;
	snprintf(need->obstacle, sizeof(need->obstacle), "%s %s", name, how);
}

void checkpoint_judge(struct checkpoint_need *need, int err, const char *name)
{
	switch (err) {
	case 0:
		return;
	case -ENOENT:
		checkpoint_lacks(need, EW_NO, name, "is missing");
		return;
	case -ENODATA:
		checkpoint_lacks(need, EW_NO, name, "is empty");
		return;
	case -EBADMSG:
		checkpoint_lacks(need, EW_NO, name, "is damaged");
		return;
	default:
		checkpoint_lacks(need, EW_UNKNOWN, name, "could not be read");
	}
}

/* A file that the buffer does not hold is neither whole nor damaged. */
int checkpoint_info_file(struct checkpoint_scan *scan, int dir, enum mesos_info which,
			 struct mesos_span *file)
{
	int err = checkpoint_read(scan, dir, mesos_info_name(which), file);

	return !err && file->len == CHECKPOINT_FILE_MAX ? -EFBIG : err;
}

void checkpoint_info_damaged(struct checkpoint_scan *scan, enum mesos_info which, int err,
			     const struct error *what)
{
	checkpoint_damaged(scan, 0, mesos_info_name(which), err, what);
	if (err == -EBADMSG)
		checkpoint_fatal(scan, mesos_info_name(which), what->message, EW_NO);
}

void checkpoint_need_info(struct checkpoint_scan *scan, int dir, enum mesos_info which)
{
	struct mesos_span file;
	struct error what = { 0 };
	int err = checkpoint_info_file(scan, dir, which, &file);

	if (!err) {
		err = mesos_checkpoint_info(file, which, &what);
		if (err < 0)
			checkpoint_info_damaged(scan, which, err, &what);
	}
	checkpoint_judge(&scan->need, err, mesos_info_name(which));
}

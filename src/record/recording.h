/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A recording: a file of JSON lines, one fact each (base/factjson.h), after a first line
 * {"schema":"execwatch.recording/1","tool":"…"}. Types and fields are only ever added within a
 * version, so a reader passes over what it does not know.
 */
#ifndef EW_RECORD_RECORDING_H
#define EW_RECORD_RECORDING_H

#include <stdbool.h>
#include <stddef.h>

#include "facts.h"

struct error;
struct recording;

/*
 * Creates a file of mode 0600, since it holds command lines. An existing file with content is
 * refused (-EEXIST); an empty file (mktemp(1)), a pipe and a device are used as they are. tool is
 * the version of the writer.
 */
int recording_create(const char *path, const char *tool, struct recording **ret,
		     struct error *error);

/*
 * Facts emitted here are buffered until the next flush, or until there are many. Valid until
 * recording_close().
 */
struct fact_sink recording_sink(struct recording *recording);

/*
 * Writes the buffered facts. When writing fails (disk full, reader of the pipe gone) the file is
 * cut back to its last whole line, and no later fact is recorded: this returns the negative errno
 * once, and 0 from then on.
 */
int recording_flush(struct recording *recording, struct error *error);

/*
 * Flushes, syncs to disk, closes and frees. Returns what recording_flush() would, or the error of
 * the sync. NULL: nothing to do.
 */
int recording_close(struct recording *recording, struct error *error);

struct recording_counts {
	size_t facts;
	size_t later_types;  /* lines of a type that this version does not know, passed over */
	size_t later_fields; /* the same for fields */
	bool cut;	     /* the last line is not whole: its writer was killed */
	bool incomplete;     /* cut, or lines are missing by its footer, or the footer is */
};

/*
 * Emits every fact of a recording. path "-" is standard input. Needs no privilege.
 * Returns 0, or a negative errno: -EINVAL for a line that is no fact (its number is in *error), and
 * -EPROTONOSUPPORT for a recording of another version. Facts before the bad line have been emitted.
 */
int recording_replay(const char *path, const struct fact_sink *sink,
		     struct recording_counts *counts, struct error *error);

#endif

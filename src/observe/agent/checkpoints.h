/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the agent wrote down about its executors: WORK_DIR/meta (Mesos slave/paths.hpp).
 *
 * Links are never followed: the targets of "latest" are read as text, and only their last part is
 * used, below the directory that holds the link. So the tree can be read through /proc/PID/root of
 * an agent in another mount namespace, where absolute links would lead elsewhere.
 */
#ifndef EW_OBSERVE_AGENT_CHECKPOINTS_H
#define EW_OBSERVE_AGENT_CHECKPOINTS_H

struct fact_sink;
struct error;

/*
 * Emits FACT_WORK_DIR and FACT_CHECKPOINT of the latest run of each executor of the agent id that
 * meta/slaves/latest names, and of those of other ids that are not completed; tasks that are over
 * are left out there, and FACT_TASK tells how each ended. FACT_UNREAD for what is damaged or may
 * not be read, by path. Files that Mesos does not know are passed over. path is the work directory
 * as it can be opened here. Returns 0; -EIO when something that is there was refused (no
 * descriptors, no permission); another negative errno when nothing could be said of registrations
 * (FACT_WORK_DIR with readable NO was emitted).
 */
int checkpoints_emit(const char *path, const struct fact_sink *sink, struct error *error);

/*
 * Emits FACT_TASK of each task that is over, of the run in whose directory dir is opened (it stays
 * open).
 */
void checkpoints_emit_tasks(int dir, const char *framework_id, const char *executor_id,
			    const char *container_id, const struct fact_sink *sink);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Baselines: the documents of `audit -f json`, kept for `verify`. One file for each agent process,
 * so that an audit never replaces the baseline of an earlier agent process:
 *
 *   STATE_DIR/baseline-BOOT_ID-PORT-START-PID.json
 *
 * START and PID are the agent's; START is in clock ticks since boot, 20 digits, so that the names
 * of one boot and port sort by the age of the agent process, whatever happens to the wall clock.
 * Earlier versions kept a single baseline-BOOT_ID-PORT.json, which is still read.
 */
#ifndef EW_RECORD_BASELINE_H
#define EW_RECORD_BASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"

struct agent_ports;
struct error;

/* How many baselines of a boot and port are kept; older ones are removed. */
#define BASELINE_KEPT 16
/* How long baselines of other boots are kept, in seconds: 30 days. */
#define BASELINE_OTHER_BOOT_S (30 * 86400)

struct baseline_key {
	const char *boot_id;  /* of /proc/sys/kernel/random/boot_id */
	uint32_t port;	      /* the agent port */
	uint64_t agent_start; /* in clock ticks since boot */
	int32_t agent_pid;    /* 0: no agent listened */
};

/* The file name of a baseline, into buf. Returns 0, or -ENAMETOOLONG. */
int baseline_name(const struct baseline_key *key, char *buf, size_t size);

/*
 * A state directory. Its files are used by fd alone, and only those that nobody else can have
 * written (safe_file_open()): in a directory with the sticky bit others may have files too.
 * Functions that take a directory take NULL for a file of the user's choice, whose name is a path.
 */
struct baseline_dir {
	int fd;		  /* of safe_dir_open() */
	const char *path; /* for messages */
};

struct baseline_file {
	char *name; /* owned by the list */
	uint16_t port;
	uint64_t agent_start;
	int32_t agent_pid; /* 0: no agent listened */
};

struct baseline_files {
	struct baseline_file *v; /* the newest agent process first */
	size_t n, cap;
};

/*
 * The baselines of a boot and port (0: of every port). A file of an earlier version that cannot be
 * parsed is left out. files is to be freed with baseline_files_free() also after an error.
 */
int baseline_files_list(const struct baseline_dir *dir, const char *boot_id, uint32_t port,
			struct baseline_files *files, struct error *error);
void baseline_files_free(struct baseline_files *files);

/*
 * The ports of the agent that listened on this port, or advertised it, when a baseline of this boot
 * was made; the newest counts. ports->v[0] is the listener's. False: there is no such baseline.
 */
bool baseline_ports(const struct baseline_dir *dir, const char *boot_id, uint16_t port,
		    struct agent_ports *ports);

/*
 * Removes all but the newest BASELINE_KEPT baselines of this boot and port, those of other boots
 * that were not written for BASELINE_OTHER_BOOT_S, and what an interrupted baseline_save() left a
 * day ago. now: seconds since the epoch. Other files are left alone, failures are ignored.
 */
void baseline_files_prune(const struct baseline_dir *dir, const char *boot_id, uint32_t port,
			  int64_t now);

/*
 * Replaces the file atomically (safe_file_replace()). The directory must exist; the file's mode is
 * 0600.
 */
int baseline_save(const struct baseline_dir *dir, const char *name, const char *document,
		  size_t len, struct error *error);

/*
 * The text of a document, in *ret, to be freed with free(). Returns 0, -ENOENT, -EFBIG or another
 * negative errno.
 */
int baseline_read(const struct baseline_dir *dir, const char *name, char **ret);

/* The document tells of an act that was done: its executors' clocks may run. */
bool baseline_is_treated(const char *document);

/*
 * Adds to a document what an earlier one of the same agent process knows: of an executor that is
 * disconnected in both, the earlier time; with keep also the executors that the document does not
 * list any more (compared by framework, executor and container id and by process) and the acts.
 * *ret is to be freed with free(). Returns 0, -EINVAL (no such documents) or -ENOMEM.
 */
int baseline_merge(const char *document, const char *earlier, bool keep, char **ret, size_t *len);

/*
 * Emits a FACT_BASELINE at mono for each executor of an audit or shutdown document except the
 * foreign ones; *n gets their number. A document of another boot than boot_id (NULL: any) is
 * refused with -ESTALE: none of its processes is alive. Nothing is emitted unless the whole
 * document is valid; -EINVAL otherwise.
 */
int baseline_load(const struct baseline_dir *dir, const char *name, const char *boot_id,
		  int64_t mono, const struct fact_sink *sink, size_t *n, struct error *error);

#endif

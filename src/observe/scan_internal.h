/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a scan consists of, and the parts of it, each in the file of its source: for scan*.c. */
#ifndef EW_OBSERVE_SCAN_INTERNAL_H
#define EW_OBSERVE_SCAN_INTERNAL_H

#include <limits.h>

#include "base/addr.h"
#include "base/bounded.h"
#include "base/pid_set.h"
#include "facts.h"
#include "observe/agent/agent_log.h"
#include "observe/scan.h"

enum { A_STEP = 16 }; /* processes, or sockets, of one step */

struct scan {
	struct scan_options options;
	char *work_dir;
	char *agent_url;
	char *authorization;
	struct tls *tls; /* NULL: plain text */
	struct procfs *procfs;
	struct process_half *half;	/* read by a thread in a scan of everything; NULL: none */
	struct ew_thread_scan *threads; /* NULL: threads are read from /proc */
	struct pid_set odd;		/* what it found last */
	struct snapshot *snapshot;
	int looked; /* for the work directory: -ETIMEDOUT, its file system does not answer */
	char found_work_dir[PATH_MAX]; /* kept: the agent that named it may be gone by now */
	struct agent_log_place log;    /* of the last agent; kept: it may be gone by now */
	char url[ADDR_TEXT_MAX + 16];
	uint32_t answer_nr; /* of answers of the API */

	/* The scan under way. */
	struct fact_sink out;
	struct fact_sink sink; /* adds to the snapshot, then hands on to out */
	uint32_t scope;
	uint32_t failed; /* what could not be completed, of scope */
	size_t part;	 /* number of the part under way */
	size_t at, n;	 /* how far that has come, of how many */
	bool with_bpf;	 /* BPF has emitted the sockets with the agent port */
	struct sockets *sockets;
	struct api_question *question; /* not answered yet */
	struct node_scan *node;	       /* under way */
	struct bounded checkpoints;    /* likewise */
	char likely[PATH_MAX];	       /* the work directory that they are of */
};

enum step { STEP_MORE, STEP_DONE, STEP_FAILED, STEP_AGAIN /* from the first part on */ };

/* Emits that the object could not be read. Returns STEP_FAILED. */
enum step scan_fail(struct scan *scan, const char *object, const struct error *error);

/* Ends what an unfinished scan has open. */
void scan_drop(struct scan *scan);
/* Nothing of the scope has been read yet. */
void scan_reset(struct scan *scan);

/* ---- the agent's work directory ---- */

/* As the options name it, else as it was found; "": not yet. */
const char *scan_known_work_dir(const struct scan *scan);

/*
 * Before anybody is asked: its owner tells the agent from others that listen on the port. The file
 * system that it is on may not answer.
 */
void scan_find_work_dir(struct scan *scan);

/*
 * Where the work directory is most likely, before the agent is known: a process of root's listens
 * on its port and was told so. "" where nothing tells.
 */
void scan_likely_work_dir(struct scan *scan, char *path, size_t size);

/* The work directory; "", with error: not found. Where nothing else names it, the agent's answer
 * may: this waits for it. */
const char *scan_await_work_dir(struct scan *scan, struct error *error);

/* ---- the agent's API ---- */

/* Waits for the agent's answer, if it was asked. */
void scan_await_answer(struct scan *scan);

/* ---- steps: a part of the scan each, or a bit of one ---- */

enum step scan_bpf_step(struct scan *scan);
enum step scan_processes_step(struct scan *scan);
enum step scan_libraries_step(struct scan *scan);
enum step scan_sockets_part_step(struct scan *scan);
enum step scan_agents_step(struct scan *scan);
enum step scan_node_begin_step(struct scan *scan);
enum step scan_peers_step(struct scan *scan);
enum step scan_named_listeners_step(struct scan *scan);
enum step scan_unix_links_step(struct scan *scan);
enum step scan_conntrack_step(struct scan *scan);
enum step scan_ask_step(struct scan *scan);
enum step scan_checkpoints_begin_step(struct scan *scan);
enum step scan_checkpoints_step(struct scan *scan);
enum step scan_answer_step(struct scan *scan);
enum step scan_node_end_step(struct scan *scan);
enum step scan_ports_step(struct scan *scan);
enum step scan_states_step(struct scan *scan);

#endif

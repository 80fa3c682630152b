/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/scan.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/agent_ports.h"
#include "base/bounded.h"
#include "base/emit.h"
#include "base/error.h"
#include "base/netns.h"
#include "base/now.h"
#include "base/proc.h"
#include "facts.h"
#include "observe/agent/agent_flags.h"
#include "observe/agent/agent_log.h"
#include "observe/agent/api.h"
#include "observe/agent/agent_flags.h"
#include "observe/agent/api_url.h"
#include "observe/agent/bounded_emit.h"
#include "observe/agent/checkpoints.h"
#include "observe/agent/post_mortem.h"
#include "observe/agent/tls.h"
#include "observe/agent_scan.h"
#include "observe/conntrack_lookup.h"
#include "observe/node_scan.h"
#include "observe/keepalive_lookup.h"
#include "observe/proc/procfs.h"
#include "observe/snapshot.h"
#include "observe/sockets.h"
#include "observe/unix_links.h"

enum { ANSWER_MS = 3000 }; /* that a file system has */
#define COARSE_CLOCK (10 * NS_PER_MS)

enum { A_STEP = 16 }; /* processes, or sockets, of one step */

struct scan {
	struct scan_options options;
	char *work_dir;
	char *agent_url;
	char *authorization;
	struct tls *tls; /* NULL: plain text */
	struct procfs *procfs;
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

static void scan_emit(void *ctx, const struct fact *fact)
{
	struct scan *scan = ctx;

	snapshot_add(scan->snapshot, fact);
	fact_emit(&scan->out, fact);
}

static int copy(const char *text, char **ret_copy)
{
	*ret_copy = text ? strdup(text) : NULL;
	return text && !*ret_copy ? -ENOMEM : 0;
}

static int options_copy(struct scan *scan, const struct scan_options *options)
{
	int err = copy(options->work_dir, &scan->work_dir);

	scan->options = *options;
	scan->options.known = NULL; /* the snapshot has them */
	if (!err)
		err = copy(options->agent_url, &scan->agent_url);
	if (!err)
		err = copy(options->authorization, &scan->authorization);
	return err;
}

int scan_new(const struct scan_options *options, struct scan **ret_scan, struct error *error)
{
	struct scan *scan = calloc(1, sizeof(*scan));
	struct agent_ports ports = { { 0 } };
	int err;

	if (!scan)
		return error_set(error, -ENOMEM, NULL, "prepare a scan");
	if (options->known)
		ports = *options->known;
	ports.v[0] = options->port;
	scan->sink = (struct fact_sink){ .emit = scan_emit, .ctx = scan };
	scan->snapshot = snapshot_new(&ports);
	err = scan->snapshot ? options_copy(scan, options) : -ENOMEM;
	if (!err)
		err = snapshot_enter(scan->snapshot, options->netns ? *options->netns : NETNS_OWN,
				     options->elsewhere);
	if (err < 0)
		error_set(error, err, NULL, "prepare a scan");
	else
		err = procfs_new(&scan->procfs, error);
	if (!err && options->agent_url && api_url_is_tls(options->agent_url))
		err = tls_new(options->ca_file, &scan->tls, error);
	if (err < 0) {
		scan_free(scan);
		return err;
	}
	snapshot_bound(scan->snapshot, options->until);
	procfs_bound(scan->procfs, options->until);
	*ret_scan = scan;
	return 0;
}

/* Waits for the agent's answer, if it was asked. */
static void await_answer(struct scan *scan)
{
	if (scan->question)
		api_ask_end(scan->question);
	scan->question = NULL;
}

/* Ends what an unfinished scan has open. */
static void scan_drop(struct scan *scan)
{
	sockets_free(scan->sockets);
	scan->sockets = NULL;
	api_ask_drop(scan->question);
	scan->question = NULL;
	bounded_drop(&scan->checkpoints);
	node_scan_drop(scan->node);
	scan->node = NULL;
	snapshot_end(scan->snapshot);
}

/* Nothing of the scope has been read yet. */
static void scan_reset(struct scan *scan)
{
	scan->failed = 0;
	scan->part = scan->at = 0;
	scan->with_bpf = false;
	if (scan->scope & SCAN_PROCESSES)
		snapshot_begin(scan->snapshot);
}

void scan_free(struct scan *scan)
{
	if (!scan)
		return;
	if (scan->snapshot)
		scan_drop(scan);
	snapshot_free(scan->snapshot);
	procfs_free(scan->procfs);
	free(scan->work_dir);
	free(scan->agent_url);
	free(scan->authorization);
	tls_free(scan->tls);
	free(scan);
}

static void emit_phase(const struct fact_sink *sink, const char *phase, uint32_t scope)
{
	struct fact fact = { .type = FACT_SCAN, .mono = now_mono() };

	fact.scan.phase = phase;
	fact.scan.scope = scope;
	fact_emit(sink, &fact);
}

/* ---- the parts ---- */

enum step { STEP_MORE, STEP_DONE, STEP_FAILED, STEP_AGAIN /* from the first part on */ };

static enum step fail(struct scan *scan, const char *object, const struct error *error)
{
	emit_failed(&scan->sink, object, error);
	return STEP_FAILED;
}

static enum step bpf_step(struct scan *scan)
{
	const struct scan_options *options = &scan->options;
	struct error error = { 0 };

	scan->with_bpf = options->bpf_scan != NULL;
	if (scan->with_bpf && options->bpf_scan(options->bpf_scan_ctx, &scan->sink, &error) < 0) {
		emit_failed(&scan->sink, "sockets by BPF", &error);
		scan->with_bpf = false; /* made good by the parts that follow */
	}
	snapshot_sort(scan->snapshot);
	snapshot_find_linked(scan->snapshot);
	return STEP_DONE;
}

/*
 * An executor's library matters, not that of the processes which it has started. Without BPF the
 * executors are not known yet: every process is read closely.
 */
static void take_process(struct scan *scan, const struct procfs_row *row)
{
	bool closely = !scan->with_bpf || snapshot_is_linked(scan->snapshot, row->pid);

	if (row->mesos && procfs_emit_row(scan->procfs, closely, &scan->sink) == -ESRCH)
		return;
	snapshot_add_row(scan->snapshot, row);
}

static enum step processes_step(struct scan *scan)
{
	struct error error = { 0 };
	struct procfs_row row;
	int more = scan->at++ ? 1 : procfs_list(scan->procfs, &error) ?: 1;

	for (int i = 0; i < A_STEP && more > 0; i++) {
		more = procfs_next(scan->procfs, &row, &error);
		if (more > 0)
			take_process(scan, &row);
	}
	if (more > 0)
		return STEP_MORE;
	procfs_emit_denied(scan->procfs, &scan->sink);
	snapshot_sort_processes(scan->snapshot);
	snapshot_find_runs(scan->snapshot);
	return more < 0 ? fail(scan, "processes", &error) : STEP_DONE;
}

/* Where it is not clear which process of a run is the executor, the library shows it. */
static enum step libraries_step(struct scan *scan)
{
	const struct snapshot *snapshot = scan->snapshot;

	if (scan->at == 0)
		scan->n = scan->with_bpf ? snapshot_n_processes(snapshot) : 0;
	for (int i = 0; i < A_STEP && scan->at < scan->n; i++) {
		const struct snapshot_process *process = snapshot_process(snapshot, scan->at++);

		if (process->mesos && !snapshot_is_linked(snapshot, process->pid) &&
		    !snapshot_run_is_plain(snapshot, process->run))
			procfs_emit(scan->procfs, process->pid,
				    &scan->sink); /* adds it, behind n */
	}
	if (scan->at < scan->n)
		return STEP_MORE;
	snapshot_sort_processes(scan->snapshot);
	return snapshot_is_broken(snapshot) ? STEP_FAILED : STEP_DONE;
}

static enum step sockets_part_step(struct scan *scan)
{
	struct error error = { 0 };
	int more = scan->sockets
			   ? 0
			   : sockets_new(scan->snapshot, scan->with_bpf, &scan->sockets, &error);

	if (!more)
		more = sockets_step(scan->sockets, &scan->sink, &error);
	if (more > 0)
		return STEP_MORE;
	sockets_free(scan->sockets);
	scan->sockets = NULL;
	return more < 0 ? fail(scan, "sockets", &error) : STEP_DONE;
}

static const char *known_work_dir(const struct scan *scan)
{
	return scan->work_dir ? scan->work_dir : scan->found_work_dir;
}

/* In a child: "YES OWNER PATH"; YES is 0 where the owner cannot be told. */
static int work_dir_find(void *ctx, int out)
{
	const struct scan *scan = ctx;
	char found[PATH_MAX];
	uint32_t uid = 0;
	bool known;

	if (scan->work_dir || !agent_work_dir(scan->snapshot, found, sizeof(found)))
		snprintf(found, sizeof(found), "%s", known_work_dir(scan));
	known = *found && agent_work_dir_owner(found, &uid);
	return dprintf(out, "%d %u %s", known, uid, found) < 0;
}

/*
 * Before anybody is asked: its owner tells the agent from others that listen on the port. The file
 * system that it is on may not answer.
 */
static void find_work_dir(struct scan *scan)
{
	char answer[PATH_MAX + 32];
	int known, path = 0;
	uint32_t uid;

	scan->looked = bounded_text(ANSWER_MS, scan->options.until, work_dir_find, scan, answer,
				    sizeof(answer));
	if (scan->looked <= 0 || sscanf(answer, "%d %u %n", &known, &uid, &path) != 2 ||
	    !answer[path])
		return;
	if (!scan->work_dir)
		snprintf(scan->found_work_dir, sizeof(scan->found_work_dir), "%.*s", PATH_MAX - 1,
			 answer + path);
	snapshot_set_owner(scan->snapshot, known ? &uid : NULL);
}

static enum step agents_step(struct scan *scan)
{
	const struct snapshot_agent *agent;

	agent_emit(scan->procfs, scan->snapshot, &scan->options.next, &scan->sink);
	agent = snapshot_agent(scan->snapshot);
	if (agent)
		agent_log_remember(agent->pid, &scan->log);
	find_work_dir(scan);
	return STEP_DONE;
}

static enum step peers_step(struct scan *scan)
{
	const struct fact_socket *socket = NULL;
	size_t end = scan->at + A_STEP;

	for (; scan->at < end && (socket = snapshot_socket(scan->snapshot, scan->at)); scan->at++)
		agent_emit_peers(scan->procfs, scan->snapshot, socket, &scan->sink);
	return socket ? STEP_MORE : STEP_DONE;
}

static enum step unix_links_step(struct scan *scan)
{
	unix_links_emit(scan->snapshot, &scan->sink);
	return STEP_DONE;
}

static enum step conntrack_step(struct scan *scan)
{
	/* The timers first: an entry read afterwards is then the later evidence of the two. */
	keepalive_lookup_all(scan->snapshot, &scan->sink);
	return conntrack_lookup_all(scan->snapshot, &scan->sink) ? STEP_DONE : STEP_FAILED;
}

/* In a child: the path. */
static int work_dir_guess(void *ctx, int out)
{
	const struct scan *scan = ctx;
	char found[PATH_MAX];

	return agent_work_dir_guess(scan->snapshot, found, sizeof(found), NULL) < 0 ||
	       dprintf(out, "%s", found) < 0;
}

/* Where nothing else names it, the agent's answer may. */
static const char *await_work_dir(struct scan *scan, struct error *error)
{
	if (scan->looked == -ETIMEDOUT) {
		error_set(error, scan->looked, "see whether its file system answers",
			  "look at the agent's work directory");
		return "";
	}
	if (*known_work_dir(scan))
		return known_work_dir(scan);
	await_answer(scan);
	if (bounded_text(ANSWER_MS, scan->options.until, work_dir_guess, scan, scan->found_work_dir,
			 sizeof(scan->found_work_dir)) <= 0)
		error_set(error, -ENOENT, "name it with --work-dir",
			  "find the agent's work directory");
	return known_work_dir(scan);
}

static int emit_checkpoints(void *ctx, const struct fact_sink *sink, struct error *error)
{
	return checkpoints_emit(ctx, sink, error);
}

/*
 * Where the work directory is most likely, before the agent is known: a process of root's listens
 * on its port and was told so. "" where nothing tells.
 */
static void likely_work_dir(struct scan *scan, char *path, size_t size)
{
	const struct fact_socket *socket;
	const struct fact_holder *holder;
	char name[PROC_PATH_MAX];
	struct stat st;
	size_t n;

	snprintf(path, size, "%s", known_work_dir(scan));
	for (size_t i = 0; !*path && (socket = snapshot_socket(scan->snapshot, i)); i++) {
		if (socket->state != TCP_LISTEN ||
		    socket->local.port != snapshot_port(scan->snapshot) ||
		    socket->netns != snapshot_netns(scan->snapshot))
			continue;
		holder = snapshot_holders(scan->snapshot, socket->cookie, &n);
		if (n && stat(proc_path(name, holder->pid, 0, ""), &st) == 0 && st.st_uid == 0 &&
		    !agent_flag(holder->pid, "work_dir", path, size))
			*path = '\0';
	}
}

/*
 * The checkpoints are read in a child while all else is read here, if where they are turns out to
 * be right.
 */
static enum step checkpoints_begin_step(struct scan *scan)
{
	likely_work_dir(scan, scan->likely, sizeof(scan->likely));
	if (*scan->likely == '/')
		bounded_emit_begin(&scan->checkpoints, emit_checkpoints, scan->likely);
	return STEP_DONE;
}

static enum step checkpoints_step(struct scan *scan)
{
	struct error error = { 0 };
	const char *path = await_work_dir(scan, &error);
	bool begun = scan->checkpoints.pid && strcmp(path, scan->likely) == 0;
	int err;

	if (!begun)
		bounded_drop(&scan->checkpoints);
	if (!*path)
		return fail(scan, "the agent's checkpoints", &error);
	err = begun ? bounded_emit_end(&scan->checkpoints, scan->options.until, path, &scan->sink,
				       &error)
		    : bounded_emit(emit_checkpoints, (void *)path, scan->options.until, path,
				   &scan->sink, &error);
	return err ? STEP_FAILED : STEP_DONE;
}

/* At the agent's own address: the process that listens there answers. */
static int own_api_options(struct scan *scan, const struct snapshot_agent *agent,
			   struct api_options *found, struct error *error)
{
	struct ew_addr addr = agent->listen;
	char text[ADDR_TEXT_MAX];

	if (addr_is_any(&addr))
		addr = addr_from_v4("\x7f\0\0\1", addr.port);
	snprintf(scan->url, sizeof(scan->url), "http://%s", addr_text(&addr, text));
	found->url = scan->url;
	found->agent = &agent->listen;
	found->pid = agent->pid;
	found->start = agent->start;
	found->nsfd = snapshot_netns_open(scan->snapshot, agent->netns);
	if (found->nsfd >= 0)
		return 0;
	return error_set(error, found->nsfd, "run as root",
			 "enter the network namespace %llu of the agent",
			 (unsigned long long)agent->netns);
}

struct post_mortem_work {
	const char *work_dir;
	const struct agent_log_place *log;
	const struct post_mortem_run *runs;
	size_t n;
};

static int emit_post_mortem(void *ctx, const struct fact_sink *sink, struct error *error)
{
	const struct post_mortem_work *work = ctx;

	(void)error;
	post_mortem_emit(work->work_dir, work->log, work->runs, work->n, sink);
	return 0;
}

void scan_post_mortem(struct scan *scan, const struct post_mortem_run *runs, size_t n,
		      const struct fact_sink *sink)
{
	const char *path = known_work_dir(scan);

	if (n && *path)
		bounded_emit(emit_post_mortem,
			     &(struct post_mortem_work){ path, &scan->log, runs, n },
			     scan->options.until, path, sink, NULL);
}

struct agent_log_work {
	const struct agent_log_place *place;
	int32_t pid;
	uint64_t start;
};

static int emit_agent_log(void *ctx, const struct fact_sink *sink, struct error *error)
{
	const struct agent_log_work *work = ctx;

	(void)error;
	agent_log_emit(work->place, work->pid, work->start, sink);
	return 0;
}

void scan_agent_log(struct scan *scan, int32_t pid, uint64_t start, const struct fact_sink *sink)
{
	bounded_emit(emit_agent_log, &(struct agent_log_work){ &scan->log, pid, start },
		     scan->options.until, "the agent's log", sink, NULL);
}

/*
 * libevent's clock is coarse (CLOCK_MONOTONIC_COARSE), so that its timers may be early: an answer
 * is not given up before the scan's time is over, or what follows would pass for complete.
 */
static uint32_t api_patience_ms(const struct scan *scan)
{
	int64_t until = scan->options.until;
	int ms = bounded_ms(API_TIMEOUT_MS, until ? until + COARSE_CLOCK : 0);

	return ms ? (uint32_t)ms : 1;
}

int scan_api_options(struct scan *scan, struct api_options *options, struct error *error)
{
	const struct snapshot_agent *agent = snapshot_agent(scan->snapshot);
	struct api_options found = { .url = scan->agent_url, .nsfd = NETNS_OWN };
	int err = 0;

	found.authorization = scan->authorization;
	found.tls = scan->tls;
	found.timeout_ms = api_patience_ms(scan);
	found.emit_own = !scan->options.bpf_scan;
	if (!found.url && !agent)
		return error_set(error, -ENOENT, "start it, or give --port or --agent-url",
				 "find the agent: nothing listens on port %u", scan->options.port);
	if (!found.url)
		err = own_api_options(scan, agent, &found, error);
	else if (agent && agent->netns == netns_inode(NETNS_OWN))
		found.agent = &agent->listen;
	if (!err)
		*options = found;
	return err;
}

uint32_t scan_api_answer_nr(struct scan *scan)
{
	return ++scan->answer_nr;
}

static enum step ask_step(struct scan *scan)
{
	struct api_options options;
	struct error error = { 0 };
	int err = scan_api_options(scan, &options, &error);

	if (err == -ENOENT)
		return STEP_FAILED; /* that no FACT_AGENT was emitted says the same */
	if (!err) {
		err = api_ask_begin(&options, scan_api_answer_nr(scan), &scan->sink,
				    &scan->question, &error);
		if (options.nsfd != NETNS_OWN)
			close(options.nsfd);
	}
	return err < 0 ? fail(scan, "the agent's HTTP API", &error) : STEP_DONE;
}

/* As a whole only: what a restart meets does not change from one look at the links to the next. */
static enum step node_begin_step(struct scan *scan)
{
	const struct snapshot_agent *agent = snapshot_agent(scan->snapshot);
	struct node_scan_options options = { .work_dir = known_work_dir(scan) };
	int nsfd = -1;

	if (scan->scope != SCAN_ALL)
		return STEP_DONE;
	options.master_url = scan->options.master_url;
	options.nsfd = NETNS_OWN;
	if (agent) {
		options.agent = agent->pid;
		options.listen = &agent->listen;
		nsfd = snapshot_netns_open(scan->snapshot, agent->netns);
		if (nsfd < 0)
			return STEP_DONE;
		options.nsfd = nsfd;
	}
	scan->node = node_scan_begin(&options, &scan->sink);
	if (nsfd >= 0)
		close(nsfd);
	return STEP_DONE;
}

static enum step node_end_step(struct scan *scan)
{
	if (scan->node)
		node_scan_end(scan->node, scan->options.until, &scan->sink);
	scan->node = NULL;
	return STEP_DONE;
}

static enum step answer_step(struct scan *scan)
{
	await_answer(scan);
	return STEP_DONE;
}

/*
 * A thread at a tracer's stop or in uninterruptible sleep is looked at a second time. This comes
 * last: by now most have gone on.
 */
static enum step states_step(struct scan *scan)
{
	static const struct timespec pause = { .tv_nsec = 20 * NS_PER_MS };

	if (procfs_recheck(scan->procfs, &scan->sink)) {
		nanosleep(&pause, NULL);
		return STEP_MORE;
	}
	snapshot_sort_processes(scan->snapshot);
	return STEP_DONE;
}

/* ---- the ports ---- */

static bool port_learn(struct scan *scan, uint16_t port, const char *source)
{
	struct fact fact = { .type = FACT_PORT, .mono = now_mono() };

	if (!snapshot_add_port(scan->snapshot, port))
		return false;
	fact.port.port = port;
	fact.port.source = source;
	fact_emit(&scan->sink, &fact);
	return true;
}

/*
 * What the agent itself says counts, else its slave.info. The environment of executors does not:
 * anybody may give a program of his own such variables, and the agent's two sources have whatever
 * port the environment of a true executor has.
 */
static bool ports_learn(struct scan *scan)
{
	const struct snapshot_agent *agent = snapshot_agent(scan->snapshot);
	int said = agent ? agent_advertised_port(agent->pid) : -ENOENT;
	bool grown = port_learn(scan, said > 0 ? (uint16_t)said : 0, "flags");

	if (agent)
		grown |= port_learn(scan, snapshot_api_port(scan->snapshot), "api");
	if (said < 0)
		grown |= port_learn(scan, snapshot_info_port(scan->snapshot), "disk");
	return grown;
}

/* Sockets with a port that is new were passed over so far. */
static enum step ports_step(struct scan *scan)
{
	const struct scan_options *options = &scan->options;
	const struct agent_ports *ports = snapshot_ports(scan->snapshot);
	int err;

	if (!ports_learn(scan))
		return STEP_DONE;
	err = options->set_ports ? options->set_ports(options->set_ports_ctx, ports) : 0;
	if (err)
		emit_unread(&scan->sink, 0, 0, err,
			    "connections to the ports that the agent advertises");
	scan_drop(scan);
	scan_reset(scan);
	return STEP_AGAIN;
}

const struct agent_ports *scan_ports(const struct scan *scan)
{
	return snapshot_ports(scan->snapshot);
}

/* ---- the scan ---- */

static const struct part {
	uint32_t source;
	enum step (*run)(struct scan *scan);
	const char *object; /* what it reads */
	bool ends;	    /* takes what was begun, and waits no longer than until itself */
} parts[] = {
	/* first: who has a link decides what to read of whom */
	{ SCAN_SOCKETS, bpf_step, "sockets, by BPF", false },
	/* in a child, beside all that follows */
	{ SCAN_CHECKPOINTS, checkpoints_begin_step, "the agent's checkpoints", false },
	/* whose sockets and namespaces matter */
	{ SCAN_PROCESSES, processes_step, "processes", false },
	{ SCAN_PROCESSES, libraries_step, "libraries of executors", false },
	{ SCAN_SOCKETS, sockets_part_step, "sockets", false },
	/* which of them are links */
	{ SCAN_SOCKETS, agents_step, "the agent's process and work directory", false },
	/* in children, beside all that follows */
	{ SCAN_SOCKETS, node_begin_step, "the node", false },
	{ SCAN_SOCKETS, peers_step, "owners of connections", false },
	{ SCAN_SOCKETS, unix_links_step, "domain sockets", false },
	/* before anything that takes long */
	{ SCAN_TRACKING, conntrack_step, "connection tracking and firewall rules", false },
	/* the answer takes the agent some time, in which the checkpoints are read */
	{ SCAN_API, ask_step, "the agent's HTTP API", false },
	{ SCAN_CHECKPOINTS, checkpoints_step, "the agent's checkpoints", false },
	{ SCAN_API, answer_step, "the agent's HTTP API", true },
	{ SCAN_SOCKETS, node_end_step, "the node", true },
	{ SCAN_SOCKETS, ports_step, "the ports that the agent advertises", false },
	{ SCAN_PROCESSES, states_step, "states of processes", false },
};

enum { PARTS = sizeof(parts) / sizeof(*parts) };

/* What has to be read for scope. */
static uint32_t scope_closed(uint32_t scope)
{
	if (scope & SCAN_TRACKING)
		scope |= SCAN_SOCKETS;
	if (scope & SCAN_SOCKETS)
		scope |= SCAN_PROCESSES;
	return scope;
}

/* What depends on a part that has failed is not tried. */
static bool is_next(const struct scan *scan, const struct part *part)
{
	return scan->scope & part->source && !(scan->failed & part->source);
}

void scan_begin(struct scan *scan, uint32_t scope, const struct fact_sink *sink)
{
	scan_drop(scan);
	scan->scope = scope_closed(scope);
	scan->out = *sink;
	scan_reset(scan);
	emit_phase(sink, "begin", scan->scope);
}

static void scan_end(struct scan *scan)
{
	uint32_t done = scan->scope & ~scan->failed;

	scan_drop(scan);
	emit_phase(&scan->out, "end", done);
}

static bool has_time(const struct scan *scan)
{
	return !scan->options.until || now_mono() < scan->options.until;
}

/* What nobody looked at is not known, and is named. */
static enum step cut_off(struct scan *scan, const struct part *part)
{
	emit_corrupt(&scan->sink, 0, part->object, "there was no time left; see --timeout");
	return STEP_FAILED;
}

const char *scan_object(const struct scan *scan)
{
	return scan->part < PARTS ? parts[scan->part].object : "the end of the scan";
}

bool scan_step(struct scan *scan)
{
	const struct part *part;
	enum step step;

	while (scan->part < PARTS && !is_next(scan, &parts[scan->part]))
		scan->part++;
	if (scan->part == PARTS) {
		scan_end(scan);
		return false;
	}
	part = &parts[scan->part];
	step = part->ends || has_time(scan) ? part->run(scan) : cut_off(scan, part);
	if (step == STEP_FAILED)
		scan->failed |= part->source;
	if (step != STEP_MORE) {
		scan->part = step == STEP_AGAIN ? 0 : scan->part + 1;
		scan->at = 0;
	}
	return true;
}

uint32_t scan_run(struct scan *scan, uint32_t scope, const struct fact_sink *sink)
{
	scan_begin(scan, scope, sink);
	while (scan_step(scan))
		continue;
	return scan->scope & ~scan->failed;
}

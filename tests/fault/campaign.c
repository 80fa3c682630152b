/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Kills the injecting process, thousands of times, and checks that its target is not damaged:
 *
 *     execwatch-fault [--runs N] [--seed S] [--victim NAME] [--method auto|frame|pidfd|classic|gdb]
 *
 * Four of five runs are killed before or after a chosen system call of the injecting process, most
 * of these while it holds the target (from its first ptrace call) or a copy of its descriptor (from
 * pidfd_getfd); one of ten at a random time, one of ten not at all. After each run the victim must
 * be alive and not stopped; all its threads must answer, with unchanged registers, masks and stacks
 * and without EINTR; the socket must be untouched or shut down by exactly one call, as reported;
 * and no other socket may be touched. Some victims then close the socket: the other end must
 * receive a FIN, which proves that no copy is left open. Some fork all the time, and their children
 * live on: each copy that one has inherited must be reported, or be found afterwards if the
 * operator was killed, and must be ended so that the FIN comes. Exit code 1 if a run of auto, frame
 * or pidfd has done damage.
 */
#include "act/inject/inject_copies.h"
#include "base/now.h"
#include "shot.h"
#include "specs.h"
#include "victim_run.h"

#include <stdarg.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
	ANSWER_MS = 60000,
	OTHERS_ANSWER_MS = 1500,
	CALLS_AFTER_SEIZE = 76,
	CALLS_AFTER_COPY = 24,
	CALLS_ALL = 320,
};

struct tally {
	unsigned runs, killed, done, refused, failed, unsure, damaged;
	unsigned copies;	/* inherited by children of the victim */
	unsigned found, missed; /* of these: found after the operator was killed; not reported */
	unsigned reasons[INJECT_R_COUNT];
	char first[128];
};

/* A victim, which is used for many runs: one link after the other. */
struct party {
	struct victim victim;
	int next_link;
	uint32_t expected_shut; /* links that were requested so far */
	int64_t calls;		/* of shutdown(), before this run */
	bool dies;
};

struct campaign {
	unsigned seed;
	int tracepoint; /* -1: shutdown calls are not counted */
	const struct spec *spec;
	enum shot_method method;
	struct party judged, first; /* first: what the same worker has treated before */
	struct tally tally;
};

static unsigned pick(struct campaign *c, unsigned below)
{
	return (unsigned)rand_r(&c->seed) % below;
}

static void plan_kill(struct campaign *c, struct shot_plan *plan)
{
	bool by_copy = c->method == SHOT_PIDFD;
	unsigned kind = pick(c, 10);

	plan->loss_nth = plan->loss ? 1 + pick(c, CALLS_AFTER_SEIZE) : 0;
	if (c->method == SHOT_GDB) {
		plan->kill = kind < 9 ? SHOT_KILL_AT_TIME : SHOT_KILL_NONE;
		plan->delay_us = pick(c, 400000);
	} else if (kind < 8) {
		plan->kill = SHOT_KILL_AT_CALL;
		plan->from_hold = kind < 7;
		plan->nth = 1 + pick(c, !plan->from_hold ? CALLS_ALL
					: by_copy	 ? CALLS_AFTER_COPY
							 : CALLS_AFTER_SEIZE);
	} else if (kind < 9 && !plan->loss) {
		plan->kill = SHOT_KILL_AT_TIME;
		plan->delay_us = pick(c, 1500);
	}
}

static void damage(struct campaign *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void damage(struct campaign *c, const char *fmt, ...)
{
	va_list ap;

	c->tally.damaged++;
	if (c->tally.first[0])
		return;
	va_start(ap, fmt);
	vsnprintf(c->tally.first, sizeof(c->tally.first), fmt, ap);
	va_end(ap);
}

/*
 * Damage to the sockets of a victim in one run, in words, or NULL. res: the reported result, or
 * NULL.
 */
static const char *judge_sockets(const struct party *p, bool reported,
				 const struct inject_result *res, uint32_t shut, int64_t calls)
{
	uint32_t link = 1u << p->next_link;

	if (shut & ~(p->expected_shut | link))
		return "another socket was shut down";
	if (calls > 1)
		return "the call was made more than once";
	if (calls == 1 && !(shut & link))
		return "the call was made on something else";
	if (calls == 0 && shut & link && reported)
		return "shut down by nobody";
	if (!reported || !res)
		return NULL;
	if (res->status == INJECT_DONE && !(shut & link))
		return "reported done, but the socket is whole";
	if (res->status == INJECT_REFUSED && shut & link)
		return "reported refused, but the socket is shut down";
	return NULL;
}

/*
 * The victim has closed the socket. What its children hold is counted without any knowledge of the
 * injection; result: what the operator reported, or NULL.
 */
static void judge_copies(struct campaign *c, const struct inject_request *request,
			 const struct inject_result *result)
{
	const struct timespec settled = { .tv_nsec = INJECT_COPIES_WAIT };
	struct inject_copies held, told;

	nanosleep(&settled, NULL);
	inject_copies_search(request, false, &held);
	if (result)
		inject_copies_settle(request, &result->dups, true, &told);
	else
		inject_copies_search(request, true, &told);
	c->tally.copies += (unsigned)(held.n > 0 ? held.n : 0);
	c->tally.found += (unsigned)(held.n > 0 && !result ? held.n : 0);
	if (held.n != told.n || told.left) {
		c->tally.missed++;
		damage(c, "%d copies are held, %d reported, %d left", held.n, told.n, told.left);
	}
}

/* The victim closes the socket: no copy may be left. */
static void judge_close(struct campaign *c, struct party *p, const struct inject_result *result)
{
	struct inject_request request;

	victim_link_target(&p->victim, p->next_link, &request);
	if (!victim_close_link(&p->victim, p->next_link, ANSWER_MS))
		damage(c, "the owner does not close its socket");
	if (c->spec->forks)
		judge_copies(c, &request, result);
	if (!victim_await_fin(&p->victim, p->next_link, ANSWER_MS))
		damage(c, "the owner's close sent no FIN: a copy is left");
}

/* others_calls: shutdown() calls of the injecting process; -1: not counted. */
static void judge(struct campaign *c, struct party *p, bool reported,
		  const struct inject_result *res, int64_t others_calls)
{
	struct victim_health health = { 0 };
	const char *what;
	uint32_t shut;
	int64_t calls;

	if (!p->dies)
		victim_ping(&p->victim, c->method >= SHOT_CLASSIC ? OTHERS_ANSWER_MS : ANSWER_MS,
			    &health);
	shut = victim_links_shut(&p->victim);
	calls = victim_calls(&p->victim);
	if (calls >= 0 && others_calls >= 0)
		calls += others_calls - p->calls;
	what = judge_sockets(p, reported, res, shut, calls);
	if (health.detail[0])
		damage(c, "%s", health.detail);
	else if (what)
		damage(c, "%s", what);
	else if (health.alive && !c->spec->swaps &&
		 !victim_await_descriptors(&p->victim, p->next_link, 1, ANSWER_MS))
		damage(c, "a descriptor was left open");
	else if (health.alive && c->spec->closes)
		judge_close(c, p, reported ? res : NULL);
	p->expected_shut |= shut;
}

static void judge_all(struct campaign *c, const struct shot_result *r)
{
	bool own = c->method < SHOT_CLASSIC;

	if (r->hung)
		damage(c, "the injecting process hung");
	judge(c, &c->judged, r->reported, own ? &r->res : NULL, r->calls);
	if (c->spec->follows)
		judge(c, &c->first, r->first_reported, &r->first_res, 0);
}

static void add_result(struct tally *tally, const struct shot_result *r)
{
	tally->runs++;
	tally->killed += r->killed;
	if (!r->reported)
		return;
	tally->done += r->res.status == INJECT_DONE;
	tally->refused += r->res.status == INJECT_REFUSED;
	tally->failed += r->res.status == INJECT_FAILED;
	tally->unsure += r->res.status == INJECT_UNSURE;
	tally->reasons[r->res.reason]++;
}

/* Prepares one more run: the next link of the victim is the target. */
static bool ready_party(struct campaign *c, struct party *p, const char *const *argv,
			struct inject_request *ret)
{
	if (p->victim.pid == 0 || p->next_link == VICTIM_LINKS) {
		victim_stop(&p->victim);
		p->next_link = 0;
		p->expected_shut = 0;
		if (!victim_start_with(&p->victim, argv, VICTIM_LINKS, c->tracepoint))
			return false;
	}
	victim_link_target(&p->victim, p->next_link, ret);
	ret->proof = pick(c, 2) ? INJECT_BY_VALUE : INJECT_BY_EFFECT;
	p->calls = victim_calls(&p->victim);
	return true;
}

static void leave_party(struct party *p, bool damaged)
{
	p->next_link++;
	if (damaged || p->dies)
		victim_stop(&p->victim);
}

static bool run_once(struct campaign *c)
{
	static const char *const bystander[] = { "build/victims/threads", "registers", NULL };
	struct shot_plan plan = { .method = c->method, .loss = c->spec->loss };
	unsigned damaged = c->tally.damaged;
	struct inject_request target, first;
	struct shot_result result;
	pid_t storm;

	if (!ready_party(c, &c->judged, c->spec->argv, &target) ||
	    (c->spec->follows && !ready_party(c, &c->first, bystander, &first)))
		return false;
	plan.planned = (c->method == SHOT_FRAME || c->method == SHOT_AUTO) && pick(c, 2);
	plan.first = c->spec->follows ? &first : NULL;
	plan_kill(c, &plan);
	if (c->spec->swaps)
		c->judged.victim.page->swap_fd = target.fd;
	storm = storm_start(c->spec->storm, &c->judged.victim, pick(c, 1u << 30));
	if (c->spec->forks)
		victim_forks_begin(&c->judged.victim);
	shot_fire(&target, &plan, c->tracepoint, &result);
	if (c->spec->forks)
		victim_forks_end(&c->judged.victim, ANSWER_MS);
	storm_stop(c->spec->storm, storm, &c->judged.victim);
	c->judged.victim.page->swap_fd = 0;
	add_result(&c->tally, &result);
	judge_all(c, &result);
	leave_party(&c->judged, c->tally.damaged != damaged);
	leave_party(&c->first, c->tally.damaged != damaged);
	return true;
}

static void print_head(void)
{
	printf("%-27s %-8s %6s %6s %6s %7s %6s %6s %8s  %s\n", "victim", "method", "runs", "killed",
	       "done", "refused", "failed", "unsure", "damaged", "first damage");
}

static void print_tally(const char *name, const char *method, const struct tally *t)
{
	printf("%-27s %-8s %6u %6u %6u %7u %6u %6u %8u  %s\n", name, method, t->runs, t->killed,
	       t->done, t->refused, t->failed, t->unsure, t->damaged, t->first);
	if (t->copies || t->missed)
		printf("    %u copies inherited by children: %u reported, %u found after the "
		       "operator was killed, %u missed\n",
		       t->copies, t->copies - t->found - t->missed, t->found, t->missed);
	fflush(stdout);
}

static void print_reasons(const struct tally *t)
{
	for (int i = 1; i < INJECT_R_COUNT; i++)
		if (t->reasons[i])
			printf("    enum inject_reason %2d %6u\n", i, t->reasons[i]);
}

/* Returns the number of damaged runs, -1 if the victim could not be started. */
static int run_spec(struct campaign *c, unsigned runs, bool verbose)
{
	memset(&c->tally, 0, sizeof(c->tally));
	c->judged.dies = c->spec->storm == STORM_DEATH;
	c->first.dies = c->spec->loss == SHOT_LOSES_TARGET;
	for (unsigned i = 0; i < runs; i++) {
		if (!run_once(c)) {
			fprintf(stderr, "%s: does not start\n", c->spec->name);
			return -1;
		}
	}
	victim_stop(&c->judged.victim);
	victim_stop(&c->first.victim);
	print_tally(c->spec->name, shot_method_name(c->method), &c->tally);
	if (verbose)
		print_reasons(&c->tally);
	return (int)c->tally.damaged;
}

struct options {
	unsigned runs, seed;
	const char *victim;
	int method; /* -1: each victim's own */
	bool verbose;
};

static int find_method(const char *name)
{
	for (int m = 0; m < SHOT_METHODS; m++)
		if (strcmp(name, shot_method_name((enum shot_method)m)) == 0)
			return m;
	fprintf(stderr, "no such method: %s\n", name);
	exit(64);
}

static struct options parse(int argc, char **argv)
{
	static const struct option table[] = {
		{ "runs", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ "victim", required_argument, NULL, 'v' },
		{ "method", required_argument, NULL, 'm' },
		{ "reasons", no_argument, NULL, 'R' },
		{ 0 },
	};
	struct options o = { .runs = 1000, .seed = 1, .method = -1 };

	for (int opt; (opt = getopt_long(argc, argv, "", table, NULL)) != -1;) {
		switch (opt) {
		case 'r':
			o.runs = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 's':
			o.seed = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'v':
			o.victim = optarg;
			break;
		case 'm':
			o.method = find_method(optarg);
			break;
		case 'R':
			o.verbose = true;
			break;
		default:
			exit(64);
		}
	}
	return o;
}

static unsigned runs_of(const struct options *o, const struct spec *spec)
{
	unsigned all = 0;

	if (o->victim)
		return strcmp(o->victim, spec->name) == 0 ? o->runs : 0;
	for (size_t i = 0; i < n_specs; i++)
		all += specs[i].share;
	return (o->runs * spec->share + all - 1) / all;
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);
	struct campaign c = { .seed = o.seed,
			      .tracepoint = victim_tracepoint("syscalls/sys_enter_shutdown") };
	unsigned total = 0, damaged = 0;
	bool own = o.method < SHOT_CLASSIC;

	if (c.tracepoint < 0)
		printf("no tracefs: calls of shutdown are not counted\n");
	printf("seed %u\n", o.seed);
	print_head();
	for (size_t i = 0; i < n_specs; i++) {
		unsigned runs = runs_of(&o, &specs[i]);
		int got;

		if (runs == 0)
			continue;
		if (!spec_prepare(&specs[i])) {
			printf("%-27s skipped: no %s\n", specs[i].name, specs[i].needs);
			continue;
		}
		c.spec = &specs[i];
		c.method = o.method >= 0 ? (enum shot_method)o.method : specs[i].method;
		got = run_spec(&c, runs, o.verbose);
		if (got < 0)
			return 99;
		total += runs;
		damaged += (unsigned)got;
	}
	printf("%u runs, %u damaged\n", total, damaged);
	return own && damaged ? 1 : 0;
}

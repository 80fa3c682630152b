/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The evaluation against the kernel. For each ruleset a real connection is made over lo in a
 * network namespace of its own, its conntrack entry is deleted or kept, and one end sends its FIN.
 * Where the evaluation is definite, the FIN must have arrived, or not, as it said; and after the
 * command that firewall_cure() gives, the FIN that was dropped arrives when the kernel sends it
 * again.
 */
#include "test_observe.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <time.h>

#include "base/addr.h"
#include "base/now.h"
#include "firewall/cure.h"
#include "firewall/eval.h"
#include "firewall/ruleset.h"
#include "firewall_rules.h"
#include "observe/netlink/firewall.h"
#include "base/netns.h"

#define PORT	5051
#define WORKERS 12
#define WAIT_MS 20000
#define N_CASES (sizeof(firewall_cases) / sizeof(*firewall_cases))

/* Tracked from the start, whatever the rules that are loaded later. */
static const char tracking[] =
	"table inet tracking {\n chain c {\n type filter hook input priority -1;"
	" policy accept;\n ct state new accept\n }\n}\n";

/* Each ruleset is tried with each of these. */
struct situation {
	const char *name;
	int family;
	bool forgotten; /* the entry is deleted */
};

static const struct situation situations[] = {
	{ "IPv4, no entry", AF_INET, true },
	{ "IPv4, entry kept", AF_INET, false },
	{ "IPv6, no entry", AF_INET6, true },
};
#define N_SITUATIONS (sizeof(situations) / sizeof(*situations))

enum seen { SEEN_NOTHING = 0, SEEN_ARRIVED, SEEN_DROPPED };

struct trial {
	bool done;
	bool unknown_here; /* this kernel has no such hook */
	struct firewall_result result;
	enum seen seen;
	char cure[FIREWALL_CURE_MAX];
	enum firewall_decision cured;
	enum seen seen_cured;
};

static int state_of(int fd, struct tcp_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) < 0 ? -1 : info->tcpi_state;
}

/*
 * Has the FIN reached the client? It has not once the kernel has given it up, or sends it again for
 * the retry'th time: the earlier ones were dropped. A FIN that a rule of the hook output drops
 * counts as not sent, and is sent again as a probe.
 */
static enum seen fin_seen(int server, int client, unsigned int retry)
{
	int64_t end = now_mono() + WAIT_MS * NS_PER_MS;
	struct tcp_info info;

	do {
		struct pollfd fin = { .fd = client, .events = POLLRDHUP };
		bool over;

		over = state_of(server, &info) == TCP_CLOSE || info.tcpi_retransmits >= retry ||
		       info.tcpi_probes >= retry;
		poll(&fin, 1, 0);
		if (state_of(client, &info) == TCP_CLOSE_WAIT)
			return SEEN_ARRIVED;
		if (over)
			return SEEN_DROPPED;
		poll(&fin, 1, 20);
	} while (now_mono() < end);
	return SEEN_NOTHING;
}

static struct ew_addr addr_of(int fd)
{
	struct sockaddr_in6 name = { 0 };
	const struct sockaddr_in *v4 = (const void *)&name;
	socklen_t len = sizeof(name);
	struct ew_addr addr = { 0 };

	assert_int_equal(getsockname(fd, (void *)&name, &len), 0);
	if (name.sin6_family == AF_INET)
		return addr_from_v4(&v4->sin_addr, ntohs(v4->sin_port));
	memcpy(addr.ip, &name.sin6_addr, 16);
	addr.port = ntohs(name.sin6_port);
	return addr;
}

/* Returns false where this kernel or this nft cannot take the rules. */
static bool rules_load(const struct firewall_case *one)
{
	FILE *out;

	if (one->rules) {
		out = popen("nft -f - 2>/dev/null", "w");
		assert_non_null(out);
		fputs(one->rules, out);
		return pclose(out) == 0;
	}
	for (const char *line = one->iptables; line && *line; line = strchr(line, '\n') + 1) {
		int len = (int)(strchr(line, '\n') - line);

		run("iptables-nft %.*s 2>/dev/null", len, line);
		run("ip6tables-nft %.*s 2>/dev/null", len, line);
	}
	return true;
}

static enum firewall_decision judge(int server, int client, bool forgotten, char *cure,
				    struct firewall_result *result)
{
	struct ew_addr from = addr_of(server), to = addr_of(client);
	struct firewall_packet fin =
		firewall_fin(&from, &to, forgotten ? FIREWALL_CT_INVALID : FIREWALL_CT_ESTABLISHED);
	struct ruleset *rules = NULL;
	struct error error = { 0 };

	if (firewall_read(NETNS_OWN, 0, &rules, &error) < 0)
		fail_msg("%s", error.message);
	firewall_evaluate(rules, &fin, result);
	firewall_cure(rules, &fin, cure, FIREWALL_CURE_MAX);
	ruleset_free(rules);
	return result->decision;
}

static void trial_run(const struct firewall_case *one, const struct situation *situation,
		      struct trial *trial)
{
	struct firewall_result after;
	char cure[FIREWALL_CURE_MAX];
	int listener, client, server;

	assert_int_equal(netns_make(), 0);
	nft(tracking);
	run("sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0");
	if (one->before && !rules_load(one))
		trial->unknown_here = true;
	listener = listen_on(situation->family, PORT);
	client = connect_to(situation->family, PORT);
	server = accept(listener, NULL, NULL);
	assert_true(server >= 0);
	if (!one->before && !rules_load(one))
		trial->unknown_here = true;
	if (situation->forgotten)
		run("conntrack -F 2>/dev/null");
	judge(server, client, situation->forgotten, trial->cure, &trial->result);
	assert_int_equal(shutdown(server, SHUT_WR), 0);
	trial->seen = fin_seen(server, client, 1);
	if (trial->seen == SEEN_DROPPED && trial->cure[0]) {
		run("(%s) 2>/dev/null", trial->cure);
		trial->cured = judge(server, client, situation->forgotten, cure, &after);
		trial->seen_cured = fin_seen(server, client, 8);
	}
	close(client);
	close(server);
	close(listener);
	trial->done = true;
}

static void worker(struct trial *trials, size_t first)
{
	for (size_t i = first; i < N_CASES * N_SITUATIONS; i += WORKERS)
		trial_run(&firewall_cases[i / N_SITUATIONS], &situations[i % N_SITUATIONS],
			  &trials[i]);
	_exit(0);
}

static struct trial *trials;

static int trials_run(void **state)
{
	pid_t workers[WORKERS];

	(void)state;
	trials = mmap(NULL, N_CASES * N_SITUATIONS * sizeof(*trials), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(trials != MAP_FAILED);
	for (size_t i = 0; i < WORKERS; i++) {
		workers[i] = fork();
		if (workers[i] == 0)
			worker(trials, i);
	}
	for (size_t i = 0; i < WORKERS; i++)
		waitpid(workers[i], NULL, 0);
	return 0;
}

static const char *rules_of(size_t trial)
{
	const struct firewall_case *one = &firewall_cases[trial / N_SITUATIONS];

	return one->rules ? one->rules : one->iptables;
}

static void tell(size_t i)
{
	const struct firewall_result *result = &trials[i].result;

	print_error("%s\n%s: %s by %s %s %s %lld '%s', untracked %d; seen %d\n", rules_of(i),
		    situations[i % N_SITUATIONS].name, firewall_decision_name(result->decision),
		    result->by.family, result->by.table, result->by.chain,
		    (long long)result->by.handle, result->by.text, (int)result->untracked,
		    (int)trials[i].seen);
}

static void a_definite_answer_is_what_the_kernel_does(void **state)
{
	size_t wrong = 0, definite = 0, unknown_here = 0;

	(void)state;
	for (size_t i = 0; i < N_CASES * N_SITUATIONS; i++) {
		const struct trial *trial = &trials[i];
		enum seen expected =
			trial->result.decision == FIREWALL_ACCEPTED ? SEEN_ARRIVED : SEEN_DROPPED;
		bool bad = !trial->done || trial->seen == SEEN_NOTHING;

		if (trial->unknown_here) {
			unknown_here++;
			if (getenv("VERBOSE"))
				print_message("not loaded: %s\n", rules_of(i));
			continue;
		}
		if (trial->result.decision != FIREWALL_MAYBE) {
			definite++;
			bad = bad || trial->seen != expected;
		}
		if (bad || getenv("VERBOSE"))
			tell(i);
		wrong += bad;
	}
	print_message(
		"%zu rulesets, %zu trials, %zu of them not loaded here: %zu definite answers\n",
		N_CASES, N_CASES * N_SITUATIONS, unknown_here, definite);
	assert_int_equal(wrong, 0);
}

static void after_the_cure_the_dropped_fin_arrives(void **state)
{
	size_t wrong = 0, cured = 0, without = 0;

	(void)state;
	for (size_t i = 0; i < N_CASES * N_SITUATIONS; i++) {
		const struct trial *trial = &trials[i];

		if (trial->seen != SEEN_DROPPED)
			continue;
		if (!trial->cure[0]) {
			without++;
			print_message("no cure: %s\n", rules_of(i));
			continue;
		}
		cured++;
		if (trial->cured == FIREWALL_ACCEPTED && trial->seen_cured == SEEN_ARRIVED)
			continue;
		wrong++;
		tell(i);
		print_error("cure: %s; then %s, seen %d\n", trial->cure,
			    firewall_decision_name(trial->cured), (int)trial->seen_cured);
	}
	print_message("%zu cured, %zu without a cure\n", cured, without);
	assert_int_equal(wrong, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_definite_answer_is_what_the_kernel_does),
		cmocka_unit_test(after_the_cure_the_dropped_fin_arrives),
	};

	child_main(argc, argv);
	if (unshare(CLONE_NEWNET) < 0) {
		printf("no network namespace can be made: %s\n", strerror(errno));
		return 77;
	}
	if (access("/usr/sbin/nft", X_OK) < 0 || access("/usr/sbin/conntrack", X_OK) < 0) {
		printf("no nft or conntrack here\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, trials_run, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reading the rules of real namespaces, and what is said where that fails. */
#include "test_observe.h"

#include <linux/capability.h>
#include <sys/syscall.h>

#include "base/error.h"
#include "base/netns.h"
#include "firewall/eval.h"
#include "firewall/ruleset.h"
#include "observe/netlink/firewall.h"

#include "observe/netlink/nft_list.h"

#define NFT "/usr/sbin/nft"

static const char dropping[] = "table inet fw {\n chain in {\n"
			       " type filter hook input priority 0; policy drop;\n }\n}\n";

static int setup(void **state)
{
	(void)state;
	return dir_make() < 0 ? -1 : netns_make();
}

static int teardown(void **state)
{
	(void)state;
	umount2(NFT, MNT_DETACH); /* where a test covered it */
	return dir_remove();
}

/* What runs as nft from now on, in this test's mount namespace; NULL: nothing can be run. */
static void nft_cover(const char *script)
{
	const char *path = "/dev/null";

	if (script) {
		path = dir_at("nft");
		file_write(path, script, strlen(script));
		assert_int_equal(chmod(path, 0755), 0);
	}
	assert_int_equal(mount(path, NFT, NULL, MS_BIND, NULL), 0);
}

static enum firewall_decision decision_in(int nsfd, unsigned int *unread)
{
	struct firewall_packet fin = { .family = FIREWALL_IPV4,
				       .known = FIREWALL_KNOWS_LOOPBACK,
				       .ct = FIREWALL_CT_INVALID };
	struct firewall_result result;
	struct ruleset *rules = NULL;
	struct error error = { 0 };

	if (firewall_read(nsfd, 0, &rules, &error) < 0)
		fail_msg("%s", error.message);
	firewall_evaluate(rules, &fin, &result);
	if (unread)
		*unread = ruleset_unread(rules);
	ruleset_free(rules);
	return result.decision;
}

static void the_rules_of_the_named_namespace_are_read(void **state)
{
	int other;

	(void)state;
	nft(dropping);
	other = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(netns_make(), 0);
	assert_int_equal(decision_in(other, NULL), FIREWALL_DROPPED);
	assert_int_equal(decision_in(NETNS_OWN, NULL), FIREWALL_ACCEPTED);
	close(other);
}

static void without_tables_no_program_is_needed(void **state)
{
	(void)state;
	nft_cover(NULL);
	assert_int_equal(decision_in(NETNS_OWN, NULL), FIREWALL_ACCEPTED);
}

static void tables_without_nft_are_said_to_be_unread(void **state)
{
	struct ruleset *rules = NULL;
	struct error error = { 0 };

	(void)state;
	nft(dropping);
	nft_cover(NULL);
	assert_int_equal(firewall_read(NETNS_OWN, 0, &rules, &error), -ENOENT);
	assert_null(rules);
	assert_string_equal(error.message, "read the nftables rules: there is no program nft");
	assert_string_equal(error.cure, "install the package nftables");
}

static void rules_of_the_old_iptables_are_said_to_be_unread(void **state)
{
	unsigned int unread;

	(void)state;
	assert_int_equal(decision_in(NETNS_OWN, &unread), FIREWALL_ACCEPTED);
	assert_int_equal(unread, RULESET_COMPLETE);
	run("iptables-legacy -P INPUT ACCEPT"); /* makes the table, with no rule */
	run("iptables-legacy -t nat -A POSTROUTING -s 10.9.9.9 -j MASQUERADE");
	assert_int_equal(decision_in(NETNS_OWN, &unread), FIREWALL_ACCEPTED);
	assert_int_equal(unread, RULESET_COMPLETE);
	run("iptables-legacy -P INPUT DROP");
	assert_int_equal(decision_in(NETNS_OWN, &unread), FIREWALL_MAYBE);
	assert_int_equal(unread, RULESET_UNREAD_LEGACY4);
	run("iptables-legacy -P INPUT ACCEPT");
	run("ip6tables-legacy -t raw -A OUTPUT -o eth0 -j DROP");
	assert_int_equal(decision_in(NETNS_OWN, &unread), FIREWALL_ACCEPTED);
	assert_int_equal(unread, RULESET_UNREAD_LEGACY6);
}

static bool pid_lives(const char *file)
{
	FILE *in = fopen(file, "re");
	int pid = 0;

	assert_non_null(in);
	assert_int_equal(fscanf(in, "%d", &pid), 1);
	fclose(in);
	return kill(pid, 0) == 0;
}

static void an_nft_that_hangs_is_ended_with_its_children(void **state)
{
	struct nft_listing listing;
	char script[256];
	struct error error = { 0 };
	int tries;

	(void)state;
	snprintf(script, sizeof(script), "#!/bin/sh\nsleep 1000 &\necho $! > %s\nwait\n",
		 dir_at("pid"));
	nft_cover(script);
	assert_int_equal(nft_list(NETNS_OWN, 2000, 1024, &listing, &error), -ETIMEDOUT);
	assert_string_equal(error.message, "read the nftables rules: nft took longer than 2000 ms");
	/* init, or whoever adopts orphans, may still have to reap it */
	for (tries = 0; pid_lives(dir_at("pid")) && tries < 1000; tries++)
		usleep(10000);
	assert_true(tries < 1000);
}

static void more_than_the_bound_is_not_read(void **state)
{
	struct error error = { 0 };
	struct nft_listing listing = { 0 };

	(void)state;
	assert_int_equal(nft_list(NETNS_OWN, 10000, 16, &listing, &error), -EFBIG);
	assert_string_equal(error.message, "read the nftables rules: more than 16 bytes");
	assert_null(listing.text);
}

static void a_run_that_fails_is_repeated_once(void **state)
{
	char script[512];
	struct ruleset *rules = NULL;
	struct error error = { 0 };

	(void)state;
	run("cp " NFT " %s", dir_at("real"));
	nft(dropping);
	snprintf(script, sizeof(script),
		 "#!/bin/sh\n[ -e %s/tried ] && exec %s/real \"$@\"\n"
		 "touch %s/tried\necho 'Error: cache initialization failed' >&2\nexit 1\n",
		 dir_path, dir_path, dir_path);
	nft_cover(script);
	assert_int_equal(decision_in(NETNS_OWN, NULL), FIREWALL_DROPPED);
	umount2(NFT, MNT_DETACH);
	nft_cover("#!/bin/sh\necho 'Error: out of luck' >&2\nexit 1\n");
	assert_int_equal(firewall_read(NETNS_OWN, 0, &rules, &error), -EIO);
	assert_string_equal(error.message,
			    "read the nftables rules: nft failed: Error: out of luck");
}

/* An nft older than the kernel leaves out what it does not know, and succeeds. */
static void what_nft_leaves_out_is_said_to_be_unread(void **state)
{
	static const char script[] =
		"#!/bin/sh\n"
		"echo \"netlink: Error: unknown expression type 'inner'\" >&2\n"
		"echo '{\"nftables\":[]}'\n";
	unsigned int unread;

	(void)state;
	run("iptables-nft -A INPUT -i lo -m conntrack --ctstate NEW -j ACCEPT");
	assert_int_equal(decision_in(NETNS_OWN, &unread), FIREWALL_ACCEPTED);
	assert_int_equal(unread, RULESET_COMPLETE);
	nft_cover(script);
	assert_int_equal(decision_in(NETNS_OWN, &unread), FIREWALL_MAYBE);
	assert_int_equal(unread, RULESET_UNREAD_NFT);
}

/* In a child: capabilities do not come back. */
static int read_without_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };
	struct ruleset *rules = NULL;
	struct error error = { 0 };

	if (syscall(SYS_capset, &head, none) < 0)
		return 1;
	if (firewall_read(NETNS_OWN, 0, &rules, &error) != -EPERM)
		return 2;
	return strcmp(error.message, "list the tables of nftables") == 0 ? 0 : 3;
}

static void without_the_capability_nothing_is_known(void **state)
{
	int status = -1;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0)
		_exit(read_without_capabilities());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(the_rules_of_the_named_namespace_are_read),
		TEST(without_tables_no_program_is_needed),
		TEST(tables_without_nft_are_said_to_be_unread),
		TEST(rules_of_the_old_iptables_are_said_to_be_unread),
		TEST(an_nft_that_hangs_is_ended_with_its_children),
		TEST(more_than_the_bound_is_not_read),
		TEST(a_run_that_fails_is_repeated_once),
		TEST(what_nft_leaves_out_is_said_to_be_unread),
		TEST(without_the_capability_nothing_is_known),
	};

	child_main(argc, argv);
	if (access(NFT, X_OK) < 0) {
		printf("no %s here\n", NFT);
		return 77;
	}
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		printf("no namespaces can be made: %s\n", strerror(errno));
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a look at the entries that fails does to links. Real sockets; the entries are told. */
#include "act_node.h"

#include <netinet/tcp.h>

#include "act/protect.h"
#include "act/protected.h"
#include "base/now.h"

/* How many looks succeed before all others fail. */
struct entries {
	unsigned looks, good;
};

static int look(void *ctx, const bool *wanted, struct protect_entry *entries, struct error *error)
{
	struct entries *e = ctx;

	assert_true(wanted[0]);
	entries[0] = (struct protect_entry){ ENTRY_THERE, now_mono() + 100 * NS_PER_S,
					     now_mono() + 101 * NS_PER_S };
	return e->looks++ < e->good ? 0 : error_set(error, -EIO, NULL, "ask for the entries");
}

static struct heard protect(const struct executor *e, struct entries *entries)
{
	struct protect_target target = { .executor_id = "web",
					 .framework_id = "fw",
					 .request = { .pid = e->pid,
						      .start = e->start,
						      .fd = e->fd[0],
						      .inode = e->inode[0],
						      .cookie = e->cookie[0] } };
	struct protect_options options = { .look = look, .ctx = entries };
	char dir[] = "/tmp/ew-protect-XXXXXX", path[64];
	struct heard heard = { 0 };
	struct fact_sink sink = { hear, &heard };
	struct error error = { 0 };
	struct protected *links;
	struct audit_log *log;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(audit_log_open(dir, &log, &error), 0);
	assert_int_equal(protected_load(dir, "boot", &links, &error), 0);
	assert_int_equal(act_protect(&target, 1, &options, log, links, &sink, &error), 0);
	assert_null(protected_find(links, e->cookie[0]));
	protected_free(links);
	audit_log_close(log);
	snprintf(path, sizeof(path), "%s/audit.log", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/protected.json", dir);
	unlink(path);
	rmdir(dir);
	assert_int_equal(heard.n, 1);
	return heard;
}

static void entries_that_cannot_be_read(void **state)
{
	struct executor e;
	struct entries entries = { .good = 0 };
	struct heard heard;

	(void)state;
	need_namespace();
	e = executor_start(CLOSES, 1);
	heard = protect(&e, &entries);
	assert_string_equal(heard.v[0].result, "refused");
	assert_string_equal(heard.v[0].reason_id, "entry-unknown");
	assert_non_null(strstr(heard.v[0].reason, "could not be read: ask for the entries"));
	executor_end(&e);
}

/* It is set already: back to what was, since nothing shows that a probe has renewed the entry. */
static void entries_that_cannot_be_read_any_more(void **state)
{
	struct executor e;
	struct entries entries = { .good = 1 };
	struct heard heard;

	(void)state;
	need_namespace();
	e = executor_start(CLOSES, 1);
	heard = protect(&e, &entries);
	assert_string_equal(heard.v[0].result, "failed");
	assert_string_equal(heard.v[0].reason_id, "entry-unknown");
	executor_end(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_that_cannot_be_read),
		cmocka_unit_test(entries_that_cannot_be_read_any_more),
	};

	return cmocka_run_group_tests(tests, own_namespace, NULL);
}

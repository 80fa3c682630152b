/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Targets that are not begun: refused or skipped, each with its reason. */
#include "act_node.h"

#include <jansson.h>

static void refused_when_forbidden(void **state)
{
	struct executor e;
	struct shutdown_target t;
	struct heard h;

	(void)state;
	need_namespace();
	e = executor_start(CLOSES, 1);
	t = target(&e, 0);
	t.forbidden = "it has never registered";
	h = treat(&t, 1, &no_options);
	assert_int_equal(h.intents, 0);
	assert_string_equal(h.v[0].result, "refused");
	assert_string_equal(h.v[0].reason, "it has never registered");
	assert_string_equal(h.v[0].reason_id, "forbidden");
	assert_string_equal(h.v[0].method, "");
	assert_false(closed(&e, 0));
	executor_end(&e);
}

/* Another process or another socket than that of the audit: identity is checked right before. */
static void refused_when_it_is_another(void **state)
{
	static const char *const ids[] = { "other-process", "other-socket", "other-socket",
					   "no-fd" };
	struct executor e;
	struct heard h;

	(void)state;
	need_namespace();
	e = executor_start(CLOSES, 1);
	for (int i = 0; i < 4; i++) {
		struct shutdown_target t = target(&e, 0);

		t.request.start += i == 0;
		t.request.inode += i == 1;
		t.request.cookie += i == 2;
		t.request.fd += i == 3 ? 500 : 0;
		h = treat(&t, 1, &no_options);
		assert_int_equal(h.n, 1);
		assert_string_equal(h.v[0].result, "refused");
		assert_true(strlen(h.v[0].reason) > 0);
		assert_string_equal(h.v[0].reason_id, ids[i]);
		assert_false(closed(&e, 0));
	}
	executor_end(&e);
}

static void dry_run_touches_nothing(void **state)
{
	struct executor e;
	struct shutdown_target t[2];
	struct shutdown_options dry = { .dry_run = true };
	struct heard heard = { 0 };
	struct fact_sink sink = { hear, &heard };
	size_t begun;

	(void)state;
	need_namespace();
	e = executor_start(CLOSES, 2);
	t[0] = target(&e, 0);
	t[1] = target(&e, 1);
	t[1].forbidden = "it is disconnected";
	assert_int_equal(act_shutdown(t, 2, &dry, NULL, &sink, &begun, NULL), 0);
	assert_int_equal(heard.intents, 0);
	assert_string_equal(heard.v[0].result, "skipped");
	assert_string_equal(heard.v[1].result, "refused"); /* as it would be */
	assert_string_equal(heard.v[0].reason_id, "dry-run");
	assert_false(closed(&e, 0));
	assert_false(closed(&e, 1));
	executor_end(&e);
}

static volatile sig_atomic_t stop;

static void stop_after_first(void *ctx, size_t done, size_t n)
{
	(void)ctx;
	(void)n;
	stop = done >= 1;
}

static void stop_flag(void **state)
{
	struct executor a, b;
	struct shutdown_target t[2];
	struct shutdown_options options = { .stop = &stop, .progress = stop_after_first };
	struct heard h;

	(void)state;
	need_namespace();
	a = executor_start(CLOSES, 1);
	b = executor_start(CLOSES, 1);
	t[0] = target(&a, 0);
	t[1] = target(&b, 0);
	stop = 0;
	h = treat(t, 2, &options);
	assert_int_equal(h.n, 2);
	assert_string_equal(h.v[0].result, "done");
	assert_string_equal(h.v[1].result, "skipped");
	assert_string_equal(h.v[1].reason_id, "interrupted");
	assert_true(closed(&a, 0));
	assert_false(closed(&b, 0));
	executor_end(&a);
	executor_end(&b);
}

/* The schema lists every reason_id. */
static void reasons_in_the_schema(void **state)
{
	json_t *schema = json_load_file("schema/common.schema.json", 0, NULL), *words;
	bool found;

	(void)state;
	assert_int_equal(json_unpack(schema, "{s:{s:{s:{s:{s:o}}}}}", "$defs", "act", "properties",
				     "reason_id", "enum", &words),
			 0);
	for (int reason = INJECT_R_NONE + 1; reason < INJECT_R_COUNT; reason++) {
		const char *id = inject_reason_id((enum inject_reason)reason);

		found = false;
		for (size_t i = 0; i < json_array_size(words) && *id; i++) {
			const char *word = json_string_value(json_array_get(words, i));

			found |= word && strcmp(word, id) == 0;
		}
		if (!found)
			fail_msg("reason %d, '%s', is not in the schema", reason, id);
		for (int other = reason + 1; other < INJECT_R_COUNT; other++)
			assert_string_not_equal(id, inject_reason_id((enum inject_reason)other));
	}
	json_decref(schema);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_when_forbidden),
		cmocka_unit_test(refused_when_it_is_another),
		cmocka_unit_test(dry_run_touches_nothing),
		cmocka_unit_test(stop_flag),
		cmocka_unit_test(reasons_in_the_schema),
	};

	return cmocka_run_group_tests(tests, own_namespace, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Attributes and resources of flags and of slave.info, and watched flags. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "mesos/agent_items.h"
#include "mesos/flag_table.h"

static const char *text_of(struct arena *arena, const struct mesos_items *items)
{
	const char *all = "";

	for (size_t i = 0; i < items->n; i++)
		all = arena_printf(arena, "%s%s%s", all, i ? " " : "",
				   mesos_item_text(arena, &items->v[i]));
	return all;
}

static void attributes_of_a_flag(void **state)
{
	static const struct {
		const char *flag;
		int err;
		const char *want;
	} rows[] = {
		{ "rack:r1;zone:z", 0, "rack:r1 zone:z" },
		{ "u:3; rack : a b", 0, "u:3  rack :ab" },
		{ "ports:[1-3, 7-9]\nhost:a.b:80", 0, "ports:[1-3,7-9] host:a.b:80" },
		{ "", 0, "" },
		{ ";;", 0, "" },
		{ "rack", -EINVAL, NULL },
		{ ":r1", -EINVAL, NULL },
		{ "rack:", -EINVAL, NULL },
		{ "set:{a,b}", -EINVAL, NULL },
		{ "r:[3-1]", -EINVAL, NULL },
		{ "r:[1-2", -EINVAL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct mesos_items items;

		if (mesos_attributes_parse(arena, rows[i].flag, &items) != rows[i].err)
			fail_msg("%s", rows[i].flag);
		if (rows[i].want)
			assert_string_equal(text_of(arena, &items), rows[i].want);
		arena_free(arena);
	}
}

static void resources_of_a_flag(void **state)
{
	static const struct {
		const char *flag;
		int err;
		const char *want;
	} rows[] = {
		{ "cpus:4;mem:8192", 0, "cpus(*):4 mem(*):8192" },
		{ "cpus(web):2; ports(*):[80-90,31000-32000]", 0,
		  "cpus(web):2 ports(*):[80-90,31000-32000]" },
		{ "cpus:2;cpus:3", 0, "cpus(*):5" },
		{ "ports:[5-9,1-4,7-8]", 0, "ports(*):[1-9]" },
		{ "zones:{b,a}", 0, "zones(*):{a,b}" },
		{ "[{\"name\":\"disk\",\"type\":\"SCALAR\",\"scalar\":{\"value\":100},\"role\":\"*"
		  "\","
		  "\"disk\":{\"source\":{\"type\":\"MOUNT\",\"mount\":{\"root\":\"/data\"}}}},"
		  "{\"name\":\"ports\",\"type\":\"RANGES\",\"ranges\":{\"range\":[{\"begin\":1,"
		  "\"end\":2}]}},{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":1.5},"
		  "\"reservations\":[{\"type\":\"STATIC\",\"role\":\"web\"}]}]",
		  0, "disk(*)[mount:/data]:100 ports(*):[1-2] cpus(web):1.5" },
		{ "disk(*)[mount:/data]:100", 0, "disk(*)[mount:/data]:100" },
		{ "cpus", -EINVAL, NULL },
		{ "cpus:many", -EINVAL, NULL },
		{ "[{\"name\":\"cpus\"}]", -EINVAL, NULL },
		{ "[", -EINVAL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct mesos_items items;

		if (mesos_resources_parse(arena, rows[i].flag, "*", &items) != rows[i].err)
			fail_msg("%s", rows[i].flag);
		if (rows[i].want)
			assert_string_equal(text_of(arena, &items), rows[i].want);
		arena_free(arena);
	}
}

static void two_of_a_kind_compare(void **state)
{
	static const struct {
		const char *old, *now;
		enum mesos_change want;
	} rows[] = {
		{ "cpus:4", "cpus:4.0001", MESOS_SAME }, { "cpus:4", "cpus:5", MESOS_GROWN },
		{ "cpus:4", "cpus:3.9", MESOS_CHANGED }, { "p:[1-3]", "p:[1-2,3-3]", MESOS_SAME },
		{ "p:[1-3]", "p:[1-4]", MESOS_GROWN },	 { "p:[1-3]", "p:[2-9]", MESOS_CHANGED },
		{ "s:{a}", "s:{b,a}", MESOS_GROWN },	 { "s:{a,b}", "s:{b}", MESOS_CHANGED },
		{ "s:{a}", "s:[1-2]", MESOS_CHANGED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *arena = arena_new();
		struct mesos_items old, now;

		assert_int_equal(mesos_resources_parse(arena, rows[i].old, "*", &old), 0);
		assert_int_equal(mesos_resources_parse(arena, rows[i].now, "*", &now), 0);
		assert_ptr_equal(mesos_items_find(&now, &old.v[0]), &now.v[0]);
		assert_int_equal(mesos_item_compare(&old.v[0], &now.v[0]), rows[i].want);
		arena_free(arena);
	}
}

/* SlaveInfo: hostname, id, port, attributes, domain. */
static void what_slave_info_says(void **state)
{
	static const char bad[] = "\x1a\x10\x0a\x05ports\x10\x01\x22\x05\x0a\x03\x08\x09\x10";
	static const char good[] = "\x0a\x04host\x32\x04\x0a\x02S0\x40\xbc\x27"
				   "\x2a\x0e\x0a\x04rack\x10\x03\x2a\x04\x0a\x02r1"
				   "\x52\x0c\x0a\x0a\x0a\x03\x0a\x01r\x12\x03\x0a\x01z";
	struct arena *arena = arena_new();
	struct mesos_agent_info info;
	char file[256];
	uint32_t len = sizeof(bad) - 1;

	(void)state;
	/* a range without its end */
	memcpy(file, &len, 4);
	memcpy(file + 4, bad, len);
	assert_int_equal(mesos_agent_info_parse(arena, mesos_span_at(file, len + 4), &info, NULL),
			 -EBADMSG);
	len = sizeof(good) - 1;
	memcpy(file, &len, 4);
	memcpy(file + 4, good, len);
	assert_int_equal(mesos_agent_info_parse(arena, mesos_span_at(file, len + 4), &info, NULL),
			 0);
	assert_string_equal(info.hostname, "host");
	assert_string_equal(info.id, "S0");
	assert_int_equal(info.port, 5052);
	assert_string_equal(info.domain, "r/z");
	assert_string_equal(text_of(arena, &info.attributes), "rack:r1");
	assert_int_equal(mesos_agent_info_parse(arena, mesos_span_at(file, len + 3), &info, NULL),
			 -EBADMSG);
	assert_int_equal(mesos_agent_info_parse(arena, mesos_span_at(file, 3), &info, NULL),
			 -EBADMSG);
	arena_free(arena);
}

static void a_domain_of_a_flag(void **state)
{
	struct arena *arena = arena_new();

	(void)state;
	assert_string_equal(mesos_domain_text(arena,
					      "{\"fault_domain\":{\"region\":{\"name\":\"r\"},"
					      "\"zone\":{\"name\":\"z\"}}}"),
			    "r/z");
	assert_string_equal(mesos_domain_text(arena, "{}"), "");
	assert_string_equal(mesos_domain_text(arena, "x"), "");
	arena_free(arena);
}

static void since_when_a_version_knows_a_flag(void **state)
{
	static const struct {
		const char *flag, *version;
		bool known;
	} rows[] = {
		{ "executor_reregistration_timeout", "1.1.2", false },
		{ "executor_reregistration_timeout", "1.1.3", true },
		{ "executor_reregistration_timeout", "1.2.1", false },
		{ "executor_reregistration_retry_interval", "1.2.2", true },
		{ "executor_reregistration_retry_interval", "1.3.0", false },
		{ "executor_reregistration_retry_interval", "1.3.1", true },
		{ "executor_reregistration_retry_interval", "1.0.4", false },
		{ "executor_reregistration_retry_interval", "1.4.0", true },
		{ "reconfiguration_policy", "1.4.3", false },
		{ "reconfiguration_policy", "1.5.0", true },
		{ "http_executor_domain_sockets", "1.9.0", false },
		{ "http_executor_domain_sockets", "1.10.0", true },
		{ "executor_secret_key", "1.3.0", true },
		{ "http_credentials", "0.28.3", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct mesos_flag *flag = mesos_flag_find(mesos_span_of(rows[i].flag));
		struct mesos_version version;

		assert_int_equal(mesos_version_parse(mesos_span_of(rows[i].version), &version), 0);
		if (flag->known(&version) != rows[i].known)
			fail_msg("%s of %s", rows[i].flag, rows[i].version);
	}
	assert_null(mesos_flag_find(mesos_span_of("master")));
}

static void values_that_mean_the_same(void **state)
{
	static const struct {
		const char *flag, *a, *b;
		bool same;
	} rows[] = {
		{ "recovery_timeout", "15mins", "900secs", true },
		{ "recovery_timeout", "15mins", "901secs", false },
		{ "recovery_timeout", "15mins", "soon", false },
		{ "strict", "1", "true", true },
		{ "isolation", "cgroups/cpu, cgroups/mem", "cgroups/mem,cgroups/cpu", true },
		{ "isolation", "a,b", "a", false },
		{ "hostname", "a", "a", true },
	};
	char a[64], b[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct mesos_flag *flag = mesos_flag_find(mesos_span_of(rows[i].flag));

		assert_int_equal(strcmp(mesos_flag_canonical(flag, rows[i].a, a, sizeof(a)),
					mesos_flag_canonical(flag, rows[i].b, b, sizeof(b))) == 0,
				 rows[i].same);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_of_a_flag),
		cmocka_unit_test(resources_of_a_flag),
		cmocka_unit_test(two_of_a_kind_compare),
		cmocka_unit_test(what_slave_info_says),
		cmocka_unit_test(a_domain_of_a_flag),
		cmocka_unit_test(since_when_a_version_knows_a_flag),
		cmocka_unit_test(values_that_mean_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Versions and log lines. */
#include "mesos_data.h"

#include <errno.h>

#include "mesos/glog.h"
#include "mesos/version.h"

static struct mesos_version version(const char *text)
{
	struct mesos_version read = { 0 };

	if (mesos_version_parse(mesos_span_of(text), &read) < 0)
		fail_msg("'%s' is no version", text);
	return read;
}

static void parsing(void **state)
{
	static const char *const refused[] = { "",	     "1",	  "1.2",
					       "1.2.",	     "1.2.x",	  "v1.2.3",
					       "1.2.3.4",    "1.2.3 ",	  "1.2.3 -rc1",
					       "1.2.3-rc 1", "65536.0.0", "1.2.3-rc1/x",
					       "1.2.3\n" };
	struct mesos_version v = version("1.2.0-rc3");

	(void)state;
	assert_int_equal(v.major, 1);
	assert_int_equal(v.minor, 2);
	assert_int_equal(v.patch, 0);
	assert_int_equal(v.phase, MESOS_PHASE_RC);
	assert_int_equal(v.rc, 3);
	assert_span(v.text, "1.2.0-rc3");
	assert_int_equal(version("1.12.0-dev").phase, MESOS_PHASE_DEV);
	assert_int_equal(version("1.12.0-rc").phase, MESOS_PHASE_VENDOR);
	assert_int_equal(version("1.12.0-rc1x").phase, MESOS_PHASE_VENDOR);
	assert_int_equal(version("1.12.0-2.0.6~debian8").phase, MESOS_PHASE_VENDOR);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (mesos_version_parse(mesos_span_of(refused[i]), &v) != -EINVAL)
			fail_msg("'%s' was taken for a version", refused[i]);
	assert_int_equal(mesos_version_parse(mesos_span_of(NULL), &v), -EINVAL);
}

static void relinking(void **state)
{
	static const struct {
		const char *text;
		bool relinks;
	} rows[] = {
		{ "0.20.0", false },	{ "0.28.3", false },	{ "1.0.0", false },
		{ "1.0.3-rc1", false }, { "1.0.4", false },	{ "1.1.0", false },
		{ "1.1.1", false },	{ "1.1.2", true },	{ "1.1.2-rc1", false },
		{ "1.1.3-dev", true },	{ "1.1.3", true },	{ "1.2.0-rc1", false },
		{ "1.2.0-rc2", false }, { "1.2.0-dev", false }, { "1.2.0", true },
		{ "1.2.1", true },	{ "1.2.0-x", false },	{ "1.3.0-dev", false },
		{ "1.3.0-rc1", true },	{ "1.3.0", true },	{ "1.10.0", true },
		{ "1.12.0-dev", true }, { "1.12.0", true },	{ "2.0.0-dev", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mesos_version v = version(rows[i].text);

		if (mesos_version_relinks(&v) != rows[i].relinks)
			fail_msg("%s", rows[i].text);
	}
}

static void paths(void **state)
{
	static const struct {
		const char *path;
		int err;
		const char *text;
	} rows[] = {
		{ "/usr/local/lib/libmesos-1.12.0.so", 0, "1.12.0" },
		{ "/usr/lib/libmesos-1.0.4.so (deleted)", 0, "1.0.4" },
		{ "/usr/lib/libmesos-0.28.2.so.0.0.0", 0, "0.28.2" },
		{ "/opt/mesosphere/packages/mesos--ab/lib/libmesos-1.2.0-rc1.so", 0, "1.2.0-rc1" },
		{ "libmesos-1.0.4.so", 0, "1.0.4" },
		{ "/usr/lib/libmesos.so", -ENOENT, NULL },
		{ "/usr/lib/libmesos.so (deleted)", -ENOENT, NULL },
		{ "/usr/lib/libmesos-new.so", -ENOENT, NULL },
		{ "/root/.pex/install/mesos.native-0.22.0-py2.7-linux-x86_64.egg.5f/"
		  "mesos.native-0.22.0-py2.7-linux-x86_64.egg/mesos/native/_mesos.so",
		  0, "0.22.0" },
		{ "/x/mesos.executor-1.1.0-py2.7-linux-x86_64.egg/mesos/executor/_executor.so", 0,
		  "1.1.0" },
		{ "/usr/lib/python2.7/mesos/native/_mesos.so", -ENOENT, NULL },
		{ "/usr/lib/python3/_executor.so", -EINVAL, NULL },
		{ "/usr/lib/libmesos-1.0.4.sox", -EINVAL, NULL },
		{ "/usr/lib/libmesos-1.0.4", -EINVAL, NULL },
		{ "/usr/lib/libmesosphere-1.0.4.so", -EINVAL, NULL },
		{ "/usr/lib/libc.so.6", -EINVAL, NULL },
		{ "/usr/libexec/mesos/mesos-executor", -EINVAL, NULL },
		{ "/libmesos-1.0.4.so/other", -EINVAL, NULL },
		{ "(deleted)", -EINVAL, NULL },
		{ "", -EINVAL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mesos_span path = data_copy(rows[i].path, strlen(rows[i].path));
		struct mesos_version v = { 0 };
		int err = mesos_version_from_path(path, &v);

		if (err != rows[i].err)
			fail_msg("'%s': %d", rows[i].path, err);
		assert_span(v.text, rows[i].text);
		data_free(path);
	}
}

static void prefixes(void **state)
{
	struct mesos_glog glog;

	(void)state;
	assert_int_equal(mesos_glog_parse(mesos_span_of("W20261123 19:02:20.900904 29697 "
							"process.cpp:1917] Failed: x] y\r\n"),
					  &glog),
			 0);
	assert_span(glog.file, "process.cpp");
	assert_span(glog.text, "Failed: x] y");
	assert_int_equal(
		mesos_glog_parse(mesos_span_of("E0101 00:00:00.000000     1 a.cpp:1] "), &glog), 0);
	assert_span(glog.text, "");
	assert_int_equal(mesos_glog_parse(mesos_span_of("E0101 00:00:00.000000 1 a.cpp:1]"), &glog),
			 0);
}

static void no_prefixes(void **state)
{
	static const char *const lines[] = {
		"",
		"started",
		"I1123",
		"I11 1",
		"X1123 18:50:57.081728  9990 exec.cpp:164] x",
		"I1323 18:50:57.081728  9990 exec.cpp:164] x",
		"I1100 18:50:57.081728  9990 exec.cpp:164] x",
		"I1123 24:50:57.081728  9990 exec.cpp:164] x",
		"I1123 18:60:57.081728  9990 exec.cpp:164] x",
		"I1123 18:50:57.08172  9990 exec.cpp:164] x",
		"I1123 18:50:57  9990 exec.cpp:164] x",
		"I112 18:50:57.081728  9990 exec.cpp:164] x",
		"I1123 18:50:57.081728 exec.cpp:164] x",
		"I1123 18:50:57.081728  9990 exec.cpp] x",
		"I1123 18:50:57.081728  9990 exec.cpp:164 x",
		"I1123 18:50:57.081728  9990 exec.cpp:164]x",
		"I1123 18:50:57.081728  9990 a b:164] x",
		"I+123 18:50:57.081728  9990 exec.cpp:164] x",
		"[ ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct mesos_glog glog = { .file = { "a", 1 } };

		if (mesos_glog_parse(mesos_span_of(lines[i]), &glog) != -EINVAL)
			fail_msg("'%s'", lines[i]);
		assert_span(glog.file, "a");
	}
}

/* Each line of real logs, and each line cut anywhere. */
static void one_log(const char *path, struct mesos_span bytes)
{
	struct mesos_span rest = bytes;
	struct mesos_span line;
	struct mesos_version v;
	struct mesos_glog glog;

	(void)path;
	while (mesos_span_cut(&rest, '\n', &line)) {
		for (size_t n = 0; n < line.len; n++) {
			struct mesos_span cut = data_copy(line.p, n);

			mesos_glog_parse(cut, &glog);
			mesos_version_from_path(cut, &v);
			data_free(cut);
		}
	}
}

static void real_logs(void **state)
{
	(void)state;
	data_each(DATA "logs/*", 12, one_log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parsing),     cmocka_unit_test(relinking),
		cmocka_unit_test(paths),       cmocka_unit_test(prefixes),
		cmocka_unit_test(no_prefixes), cmocka_unit_test(real_logs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

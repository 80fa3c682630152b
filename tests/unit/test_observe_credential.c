/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the user writes for the HTTP API: URLs and credential files, usable or not. */
#include "test_observe.h"

#include "observe/agent/api_url.h"
#include "observe/agent/credential.h"

static void credentials_that_cannot_be_used_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"nothing",
		"a\x01:b",
		"principal ",
		":b",
		"{\"principal\": \"a\"}",
		"{\"principal\": \"a:b\", \"secret\": \"c\"}",
		"{\"principal\": \"a\", \"secret\": \"c\\nX: y\"}",
		"{\"principal\": \"a\", \"secret\"",
	};
	struct error error = { 0 };
	char *header = NULL;

	(void)state;
	assert_int_equal(dir_make(), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		file_write(dir_at("c"), bad[i], strlen(bad[i]));
		assert_int_equal(chmod(dir_at("c"), 0600), 0);
		assert_int_equal(credential_read(dir_at("c"), &header, &error), -EINVAL);
		assert_non_null(strstr(error.cure, "user:password"));
	}
	file_write(dir_at("c"), "a:b", 3);
	assert_int_equal(chmod(dir_at("c"), 0644), 0);
	assert_int_equal(credential_read(dir_at("c"), &header, &error), -EACCES);
	assert_non_null(strstr(error.message, "every user"));
	assert_int_equal(credential_read(dir_at("none"), &header, &error), -ENOENT);
	assert_null(header);
	dir_remove();
}

/* Mesos takes a line of its own credentials file apart at blanks, however many (credentials.hpp).
 */
static void credentials_in_every_form_are_read(void **state)
{
	static const char *const good[][2] = {
		{ "principal:secret", "Basic cHJpbmNpcGFsOnNlY3JldA==" },
		{ "principal:\n", "Basic cHJpbmNpcGFsOg==" },
		{ "principal: secret", "Basic cHJpbmNpcGFsOiBzZWNyZXQ=" },
		{ "principal secret\n", "Basic cHJpbmNpcGFsOnNlY3JldA==" },
		{ "principal    secret\n", "Basic cHJpbmNpcGFsOnNlY3JldA==" },
		{ "  principal secret   \r\n", "Basic cHJpbmNpcGFsOnNlY3JldA==" },
		{ "{\"principal\": \"principal\", \"secret\": \"secret\"}",
		  "Basic cHJpbmNpcGFsOnNlY3JldA==" },
		{ "token=abc", "token=abc" },
		{ "Bearer abc\n", "Bearer abc" },
	};

	(void)state;
	assert_int_equal(dir_make(), 0);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct error error = { 0 };
		char *header = NULL;

		file_write(dir_at("c"), good[i][0], strlen(good[i][0]));
		assert_int_equal(chmod(dir_at("c"), 0600), 0);
		if (credential_read(dir_at("c"), &header, &error) < 0)
			fail_msg("'%s': %s", good[i][0], error.message);
		assert_string_equal(header, good[i][1]);
		free(header);
	}
	dir_remove();
}

static void urls_are_understood_or_refused(void **state)
{
	static const struct {
		const char *url;
		int err;
		const char *host;
		const char *path;
		uint16_t port;
	} cases[] = {
		{ "http://127.0.0.1:5051", 0, "127.0.0.1:5051", "", 5051 },
		{ "http://127.0.0.1", 0, "127.0.0.1", "", 5051 },
		{ "http://127.0.0.1:80/", 0, "127.0.0.1:80", "", 80 },
		{ "http://127.0.0.1:80/agent/S0//", 0, "127.0.0.1:80", "/agent/S0", 80 },
		{ "http://[::1]:5052/x", 0, "[::1]:5052", "/x", 5052 },
		{ "http://[::1]", 0, "[::1]", "", 5051 },
		{ "https://127.0.0.1:5052/x", 0, "127.0.0.1:5052", "/x", 5052 },
		{ "https://", -EINVAL, NULL, NULL, 0 },
		{ "httpx://127.0.0.1", -EINVAL, NULL, NULL, 0 },
		{ "127.0.0.1:5051", -EINVAL, NULL, NULL, 0 },
		{ "http://", -EINVAL, NULL, NULL, 0 },
		{ "http://:5051", -EINVAL, NULL, NULL, 0 },
		{ "http://127.0.0.1:", -EINVAL, NULL, NULL, 0 },
		{ "http://127.0.0.1:50x", -EINVAL, NULL, NULL, 0 },
		{ "http://[::1", -EINVAL, NULL, NULL, 0 },
		{ "http://[::1]x", -EINVAL, NULL, NULL, 0 },
		{ "http://u:p@127.0.0.1/", -EINVAL, NULL, NULL, 0 },
		{ "http://a b/", -EINVAL, NULL, NULL, 0 },
		{ "http://127.0.0.1/a\r\nX: y", -EINVAL, NULL, NULL, 0 },
		{ "http://127.0.0.1:99999", -EINVAL, NULL, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct api_url parsed;
		struct error error = { 0 };
		int err = api_url_parse(cases[i].url, &parsed, &error);
		const struct sockaddr_in *addr = (const void *)&parsed.addr;

		if (err != cases[i].err)
			fail_msg("%s: %d (%s)", cases[i].url, err, error.message);
		if (err)
			continue;
		assert_string_equal(parsed.host, cases[i].host);
		assert_string_equal(parsed.path, cases[i].path);
		assert_int_equal(ntohs(addr->sin_port), cases[i].port); /* v6: same place */
	}
}

/* Its other sources are libraries, which a static program must not load. */
static void names_are_found_without_what_nsswitch_names(void **state)
{
	static const char sources[] = "hosts: nothing\n", names[] = "127.0.0.9 agent.test\n";
	struct error error = { 0 };
	struct api_url url;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(dir_make(), 0);
	file_write(dir_at("nsswitch"), sources, strlen(sources));
	file_write(dir_at("hosts"), names, strlen(names));
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount(dir_at("nsswitch"), "/etc/nsswitch.conf", NULL, MS_BIND, NULL), 0);
	assert_int_equal(mount(dir_at("hosts"), "/etc/hosts", NULL, MS_BIND, NULL), 0);
	if (api_url_parse("http://agent.test", &url, &error) < 0)
		fail_msg("%s", error.message);
	assert_int_equal(((struct sockaddr_in *)&url.addr)->sin_addr.s_addr, htonl(0x7f000009));
	assert_int_equal(umount("/etc/hosts"), 0);
	assert_int_equal(umount("/etc/nsswitch.conf"), 0);
	dir_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials_that_cannot_be_used_are_refused),
		cmocka_unit_test(credentials_in_every_form_are_read),
		cmocka_unit_test(urls_are_understood_or_refused),
		cmocka_unit_test(names_are_found_without_what_nsswitch_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

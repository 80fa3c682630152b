/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define TEXT_MOST 4096

#define FORMS                                                                                      \
	"name a file with user:password, \"principal secret\", {\"principal\": …, \"secret\": "  \
	"…}, "                                                                                   \
	"token=… or Bearer …"

/* RFC 4648. out has room for 4 characters for every 3 bytes begun, and a NUL. */
static void base64(const char *text, size_t len, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		size_t rest = len - i;
		uint32_t bits = (uint32_t)(uint8_t)text[i] << 16;

		bits |= rest > 1 ? (uint32_t)(uint8_t)text[i + 1] << 8 : 0;
		bits |= rest > 2 ? (uint8_t)text[i + 2] : 0;
		*out++ = digits[bits >> 18];
		*out++ = digits[bits >> 12 & 63];
		*out++ = rest > 1 ? digits[bits >> 6 & 63] : '=';
		*out++ = rest > 2 ? digits[bits & 63] : '=';
	}
	*out = '\0';
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((uint8_t)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

static int basic(const char *user, size_t user_len, const char *password, char **ret_header)
{
	size_t size = user_len + strlen(password) + 2;
	char *pair = malloc(size), *header = malloc(sizeof("Basic ") + (size + 2) / 3 * 4);
	int err = pair && header ? 0 : -ENOMEM;

	if (!err) {
		int len = snprintf(pair, size, "%.*s:%s", (int)user_len, user, password);

		base64(pair, (size_t)len, stpcpy(header, "Basic "));
		*ret_header = header;
	} else {
		free(header);
	}
	if (pair)
		explicit_bzero(pair, size);
	free(pair);
	return err;
}

/* {"principal": "…", "secret": "…"}: Mesos' Credential as a file of its own holds it. */
static int header_of_json(const char *text, char **ret_header)
{
	json_t *credential = json_loads(text, 0, NULL);
	const char *principal = json_string_value(json_object_get(credential, "principal"));
	const char *secret = json_string_value(json_object_get(credential, "secret"));
	int err = -EINVAL;

	/* RFC 7617: a colon ends the user. */
	if (principal && secret && *principal && !strchr(principal, ':') &&
	    !has_control(principal) && !has_control(secret))
		err = basic(principal, strlen(principal), secret, ret_header);
	json_decref(credential);
	return err;
}

static int header_of_line(const char *line, char **ret_header)
{
	size_t user = strcspn(line, ": ");
	const char *password = line + user + 1;

	if (has_control(line))
		return -EINVAL;
	if (strncmp(line, "token=", 6) == 0 || strncmp(line, "Bearer ", 7) == 0) {
		*ret_header = strdup(line);
		return *ret_header ? 0 : -ENOMEM;
	}
	if (!user || !line[user])
		return -EINVAL;
	if (line[user] != ':')
		password += strspn(password, " ");
	return *password || line[user] == ':' ? basic(line, user, password, ret_header) : -EINVAL;
}

static int header_of(char *text, char **ret_header)
{
	text += strspn(text, " \r\n");
	if (*text == '{')
		return header_of_json(text, ret_header);
	text[strcspn(text, "\r\n")] = '\0';
	for (size_t len = strlen(text); text[strcspn(text, ": ")] == ' ' && text[len - 1] == ' ';)
		text[--len] = '\0';
	return header_of_line(text, ret_header);
}

int credential_read(const char *path, char **ret_header, struct error *error)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char text[TEXT_MOST];
	struct stat st;
	ssize_t len;
	int err;

	if (fd < 0)
		return error_set(error, -errno, FORMS, "open the credential file '%s'", path);
	len = fstat(fd, &st) < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	err = len < 0 ? -errno : 0;
	close(fd);
	if (err < 0)
		return error_set(error, err, NULL, "read the credential file '%s'", path);
	if (st.st_mode & S_IROTH)
		return error_set(error, -EACCES, "take the permission away: chmod o-r",
				 "the credential file '%s' can be read by every user", path);
	text[len] = '\0';
	err = header_of(text, ret_header);
	explicit_bzero(text, sizeof(text));
	if (err < 0)
		return error_set(error, err, FORMS, "read the credential file '%s'", path);
	return 0;
}

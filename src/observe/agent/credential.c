/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define LINE_MOST 4096

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

static int header_of(const char *line, char **ret_header)
{
	size_t len = strlen(line);
	char *header;

	for (size_t i = 0; i < len; i++)
		if ((uint8_t)line[i] < ' ' || line[i] == 0x7f)
			return -EINVAL;
	if (strncmp(line, "token=", 6) == 0 || strncmp(line, "Bearer ", 7) == 0) {
		header = strdup(line);
	} else if (strchr(line, ':')) {
		header = malloc(sizeof("Basic ") + (len + 2) / 3 * 4);
		if (header)
			base64(line, len, stpcpy(header, "Basic "));
	} else {
		return -EINVAL;
	}
	if (!header)
		return -ENOMEM;
	*ret_header = header;
	return 0;
}

int credential_read(const char *path, char **ret_header, struct error *error)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char line[LINE_MOST];
	struct stat st;
	ssize_t len;
	int err;

	if (fd < 0)
		return error_set(error, -errno,
				 "name a file that holds user:password, token=... or Bearer ...",
				 "open the credential file '%s'", path);
	len = fstat(fd, &st) < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	err = len < 0 ? -errno : 0;
	close(fd);
	if (err < 0)
		return error_set(error, err, NULL, "read the credential file '%s'", path);
	if (st.st_mode & S_IROTH)
		return error_set(error, -EACCES, "take the permission away: chmod o-r",
				 "the credential file '%s' can be read by every user", path);
	line[len] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	err = header_of(line, ret_header);
	explicit_bzero(line, sizeof(line));
	if (err < 0)
		return error_set(error, err, "one line: user:password, token=… or Bearer …",
				 "read the credential file '%s'", path);
	return 0;
}

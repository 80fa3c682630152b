/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/command_script.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bounded.h"

enum { READ_MS = 1000, SCRIPT_MAX = 64 * 1024, TEXT_MAX = 256 * 1024, WORDS_MAX = 32 };

/* ---- in a child: files may hang ---- */

static bool is_shell(const char *word)
{
	static const char *const names[] = { "sh", "bash", "dash", "ksh", "zsh" };
	const char *slash = strrchr(word, '/');

	word = slash ? slash + 1 : word;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(word, names[i]) == 0)
			return true;
	return false;
}

/* Opens a regular file that is not large; the first word of a command by PATH too. */
static int script_open(const char *word, bool by_path)
{
	const char *path = getenv("PATH"), *end;
	char full[PATH_MAX];
	struct stat st;
	int fd = -1;

	if (strchr(word, '/') || !by_path)
		fd = open(word, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	for (; fd < 0 && by_path && !strchr(word, '/') && path && *path;
	     path = *end ? end + 1 : end) {
		end = strchrnul(path, ':');
		snprintf(full, sizeof(full), "%.*s/%s", (int)(end - path), path, word);
		fd = open(full, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	}
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size >= SCRIPT_MAX)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Joins lines that go on, in place. */
static void lines_join(char *text)
{
	for (char *at = text; (at = strstr(at, "\\\n"));)
		at[0] = at[1] = ' ';
}

/* Nothing else of a script goes into a recording: it may have secrets. */
static bool is_of_interest(const char *line)
{
	static const char *const words[] = { "docker", "containerd",	"mesos",
					     "kill",   "slaves/latest", "/meta" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

static void lines_write(char *text, int out)
{
	char *rest, *line;

	lines_join(text);
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		line += strspn(line, " \t");
		if (*line != '#' && is_of_interest(line))
			dprintf(out, "%s\n", line);
	}
}

/* of_shell: the word in front of it is a shell, which takes any file. */
static void script_write(const char *word, bool by_path, bool of_shell, int out)
{
	char *text = calloc(1, SCRIPT_MAX + 1);
	int fd = text ? script_open(word, by_path) : -1;
	ssize_t len = fd >= 0 ? read(fd, text, SCRIPT_MAX) : -1;

	if (len > 2 && !memchr(text, '\0', (size_t)len) && (of_shell || memcmp(text, "#!", 2) == 0))
		lines_write(text, out);
	if (fd >= 0)
		close(fd);
	free(text);
}

static int scripts_work(void *ctx, int out)
{
	char *const *argv = ctx;
	bool of_shell = false;

	for (size_t i = 0; argv[i] && i < WORDS_MAX; i++) {
		if (argv[i][0] == '-') {
			of_shell &= strcmp(argv[i], "-c") != 0;
			continue;
		}
		script_write(argv[i], i == 0, of_shell, out);
		of_shell = is_shell(argv[i]);
	}
	return 0;
}

/* ---- here ---- */

char *command_script(char *const *argv)
{
	char *text = malloc(TEXT_MAX);

	if (text &&
	    bounded_text(READ_MS, 0, scripts_work, (void *)(uintptr_t)argv, text, TEXT_MAX) > 0)
		return text;
	free(text);
	return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/child.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/now.h"
#include "base/error.h"
#include "facts.h"

extern char **environ;

static void quote(FILE *out, const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,";

	if (*word && strspn(word, plain) == strlen(word)) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++)
		fputs(*word == '\'' ? "'\\''" : (char[]){ *word, '\0' }, out);
	fputc('\'', out);
}

char *child_text(char *const *argv)
{
	size_t size;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (size_t i = 0; argv[i]; i++) {
		fputs(i ? " " : "", out);
		quote(out, argv[i]);
	}
	fclose(out);
	return text;
}

static void emit(const struct child *command, const char *phase, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_COMMAND,
			     .mono = now_mono(),
			     .command = {
				     .text = command->text,
				     .pid = command->pid,
				     .phase = phase,
				     .status = command->status,
			     } };

	fact_emit(sink, &fact);
}

static bool is_pipe(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/*
 * Over ssh without a terminal a lost connection closes the pipes that the command writes to, and
 * its next message would end it by SIGPIPE in the middle of the restart.
 */
static bool output_may_vanish(void)
{
	return getenv("SSH_CONNECTION") && (is_pipe(STDOUT_FILENO) || is_pipe(STDERR_FILENO));
}

/*
 * With default signals: what we ignore or hold back is our own affair, but an ignored SIGHUP stays
 * ignored (nohup(1)). In a session of its own, which a terminal that hangs up sends no SIGHUP.
 */
static int spawn(pid_t *pid, char *const *argv, bool quiet_stdout)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, defaults;
	int err;

	sigemptyset(&none);
	sigemptyset(&defaults);
	if (!output_may_vanish())
		sigaddset(&defaults, SIGPIPE);
	sigaddset(&defaults, SIGXFSZ);
	posix_spawn_file_actions_init(&files);
	if (quiet_stdout)
		posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETSID);
	err = posix_spawnp(pid, argv[0], &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return -err;
}

int child_start(struct child *command, char *const *argv, bool quiet_stdout,
		const struct fact_sink *sink, struct error *error)
{
	int err;

	*command = (struct child){ .argv = argv, .text = child_text(argv), .status = -1 };
	if (!command->text)
		return error_set(error, -ENOMEM, NULL, "start '%s'", argv[0]);
	err = spawn(&command->pid, argv, quiet_stdout);
	if (err) {
		command->pid = 0;
		return error_set(error, err, "is the command behind -- right?", "start '%s'",
				 argv[0]);
	}
	emit(command, "started", sink);
	return 0;
}

bool child_ended(struct child *command, const struct fact_sink *sink)
{
	if (!command->pid)
		return true;
	if (waitpid(command->pid, &command->status, WNOHANG) != command->pid)
		return false;
	emit(command, "ended", sink);
	command->pid = 0;
	return true;
}

void child_free(struct child *command)
{
	free(command->text);
	command->text = NULL;
}

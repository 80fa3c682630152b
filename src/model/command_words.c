/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/command_words.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "model/store/store.h"

/* ---- words ---- */

struct word {
	const char *p;
	size_t len;
};

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_-./=", c));
}

/* The next word of the text up to end; its len is 0 at the end. */
static struct word word_next(const char **at, const char *end)
{
	struct word word;

	while (*at < end && !is_word_char(**at))
		++*at;
	word.p = *at;
	while (*at < end && is_word_char(**at))
		++*at;
	word.len = (size_t)(*at - word.p);
	return word;
}

/* Paths count by their last part. */
static struct word last_part(struct word word)
{
	const char *slash = memrchr(word.p, '/', word.len);

	if (!slash)
		return word;
	return (struct word){ slash + 1, (size_t)(word.p + word.len - slash - 1) };
}

/* A package may have its version behind it. */
static struct word before_equals(struct word word)
{
	const char *equals = memchr(word.p, '=', word.len);

	return equals ? (struct word){ word.p, (size_t)(equals - word.p) } : word;
}

static bool word_is(struct word word, const char *text)
{
	return word.len == strlen(text) && memcmp(word.p, text, word.len) == 0;
}

/* texts ends with NULL. */
static bool is_one_of(struct word word, const char *const *texts)
{
	for (; *texts; texts++)
		if (word_is(word, *texts))
			return true;
	return false;
}

static bool has_one_of(const char *at, const char *end, const char *const *texts)
{
	struct word word;

	while ((word = word_next(&at, end)).len) {
		word = before_equals(word);
		if (is_one_of(last_part(word), texts) || is_one_of(word, texts))
			return true;
	}
	return false;
}

/* ---- docker ---- */

/* What stands in front of a program: others that run it, their options, variables, numbers. */
static bool is_in_front(struct word word)
{
	static const char *const runners[] = { "sudo",	  "env",  "nohup",   "nice",   "ionice",
					       "timeout", "exec", "command", "setsid", "sh",
					       "bash",	  "dash", "ksh",     "then",   "do",
					       "else",	  "if",	  "while",   "time",   "eval",
					       NULL };

	return word.p[0] == '-' || isdigit((unsigned char)word.p[0]) ||
	       memchr(word.p, '=', word.len) || is_one_of(last_part(word), runners);
}

/* The program of a simple command; *at moves behind it. */
static struct word program_of(const char **at, const char *end)
{
	struct word word;

	do {
		word = word_next(at, end);
	} while (word.len && is_in_front(word));
	return word;
}

static bool simple_restarts_docker(const char *at, const char *end)
{
	static const char *const managers[] = { "systemctl", "service",	    "rc-service", "initctl",
						"snap",	     "invoke-rc.d", "sv",	  NULL };
	static const char *const verbs[] = {
		"restart", "stop", "try-restart", "force-restart", "reload-or-restart", "kill",
		"isolate", "mask", NULL
	};
	static const char *const units[] = { "docker",	      "docker.service",
					     "docker.socket", "dockerd",
					     "containerd",    "containerd.service",
					     "docker.io",     NULL };
	static const char *const signals[] = { "pkill", "killall", "kill", "skill", NULL };
	static const char *const killed[] = { "dockerd",	"containerd",	     "docker.pid",
					      "containerd.pid", "docker-containerd", NULL };
	static const char *const installers[] = { "apt-get", "apt",	 "yum", "dnf",
						  "zypper",  "aptitude", NULL };
	static const char *const changes[] = { "install", "upgrade",   "update", "remove",
					       "purge",	  "reinstall", NULL };
	static const char *const packages[] = {
		"docker-ce", "docker.io", "docker-engine", "containerd.io", "containerd",
		"docker",    NULL
	};
	static const char *const upstart[] = { "restart", "stop", NULL };
	struct word word = program_of(&at, end), program = last_part(word);

	if (is_one_of(program, managers))
		return has_one_of(at, end, verbs) && has_one_of(at, end, units);
	if (is_one_of(program, signals))
		return has_one_of(at, end, killed) || has_one_of(at, end, units);
	if (is_one_of(program, installers))
		return has_one_of(at, end, changes) && has_one_of(at, end, packages);
	if (is_one_of(program, upstart))
		return has_one_of(at, end, units);
	return memmem(word.p, word.len, "init.d/", 7) && is_one_of(program, units) &&
	       has_one_of(at, end, verbs);
}

bool command_restarts_docker(const char *command)
{
	while (*command) {
		size_t len = strcspn(command, ";&|\n");

		if (simple_restarts_docker(command, command + len))
			return true;
		command += len + (command[len] != '\0');
	}
	return false;
}

/* ---- the command of `run` and its script ---- */

const char *command_that(const struct store *store, struct arena *arena,
			 bool (*is)(const char *command))
{
	const char *command = store->session.command, *script = store->session.script;

	if (command && is(command))
		return command;
	while (script && *script) {
		size_t len = strcspn(script, "\n");
		const char *line = arena_span(arena, script, len);

		if (is(line))
			return line;
		script += len + (script[len] != '\0');
	}
	return NULL;
}

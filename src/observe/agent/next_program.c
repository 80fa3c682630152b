/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs that start the agent: itself, a shell, env, docker run. */
#include <string.h>

#include "base/arena.h"
#include "observe/agent/next.h"
#include "systemd/exec_line.h"
#include "systemd/words.h"

/* ---- command lines ---- */

static void arguments_add(struct next *next, const struct exec_line *line, size_t first,
			  const char *source)
{
	for (size_t i = first; i < line->n; i++)
		next_argument_add(next, line->argv[i], source,
				  line->unknown && strchr(line->argv[i], '%')
					  ? "its value has a % specifier"
					  : NULL);
}

static bool ends_command(const char *word)
{
	return strchr(";&|<>()", *word) != NULL;
}

/* Cuts the ";" off a word that ends the command; true when there was one. */
static bool end_cut(char *word)
{
	size_t len = strlen(word);

	if (len < 2 || word[len - 1] != ';')
		return false;
	word[len - 1] = '\0';
	return true;
}

/* sh -c "A=1 exec /usr/sbin/mesos-agent --x >>/var/log/y 2>&1" */
static void shell_add(struct next *next, const char *script, const char *source)
{
	static const char too_much[] = "its shell command is more than this program understands";
	bool found = false, over = false, computed = strpbrk(script, "$`") != NULL;
	char *word = arena_array(next->arena, strlen(script) + 1, 1);

	while (word && !over && systemd_word_next(&script, word) > 0) {
		char *equals = strchr(word, '=');

		if (found && ends_command(word))
			break;
		over = end_cut(word) && found;
		if (found) {
			next_argument_add(next, arena_text(next->arena, word), source,
					  strpbrk(word, "$`") ? too_much : NULL);
		} else if (next_is_agent(word)) {
			found = true;
		} else if (equals && strncmp(word, "MESOS_", 6) == 0) {
			*equals = '\0';
			environment_set(&next->env, word, equals + 1, source,
					strpbrk(equals + 1, "$`") != NULL);
		}
	}
	if (!found || computed)
		next->problem = too_much;
}

/* Reads what --env-file names: NAME=VALUE, taken as it stands (docker-run(1)). */
static void docker_env_file(struct next *next, const char *path)
{
	const char *text;
	size_t len;
	int err = next_file_read(next, path, &text, &len);

	if (err)
		next_missing_add(next, arena_printf(next->arena, "--env-file %s", path), err);
	else
		environment_add_file(&next->env, text, len, ENVIRONMENT_PLAIN, path);
}

/* An option of docker run; true: the next word is its value. */
static bool docker_option(struct next *next, const char *word, const char *value,
			  const char *source)
{
	const struct specifiers none = { 0 };
	const char *equals = strchr(word, '=');
	size_t len = equals ? (size_t)(equals - word) : strlen(word);

	value = equals ? equals + 1 : value;
	if ((len == 2 && memcmp(word, "-e", 2) == 0) || (len == 5 && memcmp(word, "--env", 5) == 0))
		environment_add_words(&next->env, value, &none, source);
	else if (len == 10 && memcmp(word, "--env-file", 10) == 0)
		docker_env_file(next, value);
	else
		return false;
	return !equals;
}

/*
 * What docker run sets; the image may set more. Its files are those of the container, which are
 * seen where the running agent is in one.
 */
static void docker_add(struct next *next, const struct exec_line *line, const char *source)
{
	bool image = false;

	if (next->agent_root == next->root)
		next->agent_root = NULL;
	for (size_t i = 0; i < line->n; i++) {
		const char *word = line->argv[i], *value = i + 1 < line->n ? line->argv[i + 1] : "";

		if (image)
			next_argument_add(next, word, source, NULL);
		else if (docker_option(next, word, value, source))
			i++;
		else
			image = word[0] != '-' && strchr(word, '=') == NULL &&
				strstr(word, "mesos") && i && line->argv[i - 1][0] != '-';
	}
	next->problem = "the environment and the entry point of its image are not known";
}

/* ---- programs ---- */

/* Programs that run another one with the arguments and the environment that they got. */
static bool passes_on(const char *name)
{
	static const char *const names[] = { "nice", "ionice", "numactl", "taskset",
					     "chrt", "setsid", "nohup",	  "stdbuf",
					     "tini", "cgexec", "prlimit", "tee_stderr" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* env [-i] [-u NAME] NAME=VALUE…: false for an option. */
static bool env_word_add(struct next *next, const char *word, const char *source)
{
	const char *equals = strchr(word, '=');

	if (word[0] == '-')
		return false;
	if (equals)
		environment_set(&next->env, arena_span(next->arena, word, (size_t)(equals - word)),
				equals + 1, source, false);
	return true;
}

/* The agent among the arguments of another program. */
static void below_add(struct next *next, const struct exec_line *line, const char *source)
{
	const char *name = next_base_of(line->program);
	bool is_env = strcmp(name, "env") == 0, known = is_env || passes_on(name);
	size_t i;

	for (i = 0; i < line->n && !next_is_agent(line->argv[i]); i++)
		if (is_env)
			known &= env_word_add(next, line->argv[i], source);
	arguments_add(next, line, i + 1, source);
	if (!known || i >= line->n)
		next->problem =
			arena_printf(next->arena, "%s is not the agent itself, and may add flags",
				     line->program);
}

static bool is_shell(const char *name)
{
	return strcmp(name, "sh") == 0 || strcmp(name, "bash") == 0 || strcmp(name, "dash") == 0;
}

void next_program_add(struct next *next, const struct exec_line *line, const char *source)
{
	const char *name = next_base_of(line->program);

	next->program = line->program;
	if (line->unknown)
		next->problem = "a % specifier of its ExecStart is not known here";
	if (next_is_agent(line->program))
		arguments_add(next, line, 0, source);
	else if (strcmp(name, "mesos-init-wrapper") == 0)
		next_wrapper_add(next, line);
	else if (strcmp(name, "start_mesos.sh") == 0) /* of DC/OS: all flags are variables */
		return;
	else if (is_shell(name) && line->n == 2 && strcmp(line->argv[0], "-c") == 0)
		shell_add(next, line->argv[1], source);
	else if (strcmp(name, "docker") == 0 || strcmp(name, "podman") == 0)
		docker_add(next, line, source);
	else
		below_add(next, line, source);
}

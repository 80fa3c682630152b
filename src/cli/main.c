/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <event2/event.h>
#include <fcntl.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/agent_port.h"
#include "cli/exit_codes.h"
#include "cli/help.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/time_bound.h"
#include "observe/bpf/libbpf_log.h"
#include "show/format.h"

static void say_line(const char *line)
{
	log_message("%s", line);
}

/* The format's name if argument i gives one, also across two arguments; NULL. */
static const char *format_word(char **argv, int i)
{
	static const char *const forms[] = { "-f", "--format=" };

	if (strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "--format") == 0)
		return argv[i + 1];
	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++)
		if (strncmp(argv[i], forms[f], strlen(forms[f])) == 0)
			return argv[i] + strlen(forms[f]);
	return NULL;
}

/* Before the options are parsed: a mistyped option must not turn a plugin's answer into none. */
static bool plugin_wanted(int argc, char **argv)
{
	const struct formatter *format = NULL;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *word = format_word(argv, i);

		format = word ? formatter_find(word) : format;
	}
	return format && format->plugin;
}

/* A monitoring plugin ends with one line and 0 to 3, whatever happens. */
static int plugin_end(int code, bool reported)
{
	if (!reported)
		printf("EXECWATCH UNKNOWN - %s\n", *log_last() ? log_last() : "no report was made");
	fflush(stdout);
	return reported && code >= EXIT_WELL && code <= EXIT_UNKNOWN ? code : EXIT_UNKNOWN;
}

static int verb_run_bounded(struct options *options)
{
	int code;

	if (options->verb->bounded && !options->replay &&
	    !time_bound_begin(options->verb->name, options->timeout, &options->bound, &code,
			      options->reported))
		return code;
	if (!options->replay && options->verb->bit != REPORT)
		agent_port_resolve(options);
	code = options->verb->run(options);
	time_bound_write(options->bound); /* a plugin's line may follow */
	return code;
}

static int run(int argc, char **argv, bool *reported)
{
	struct options options;
	char text[512];

	if (options_parse(argc, argv, &options, text) < 0) {
		log_message("%s", text);
		return EXIT_WRONG_USE;
	}
	options.reported = reported;
	ew_libbpf_log_to(options.verbose ? say_line : NULL);
	if (options.version) {
		puts("execwatch " EW_VERSION);
		*reported = true;
		return EXIT_WELL;
	}
	if (options.help) {
		help_write(stdout, options.verb);
		*reported = true;
		return EXIT_WELL;
	}
	return verb_run_bounded(&options);
}

/* libevent has said what failed (no descriptors, no memory); left alone it exits with 1. */
static void on_event_fatal(int err)
{
	(void)err;
	exit(EXIT_UNKNOWN);
}

/*
 * A program that starts without one of them would get the next file it opens as its standard
 * output: a recording with a report in it. A report that nobody can get is an error: that output is
 * opened for reading only.
 */
static void standard_descriptors_open(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR) != fd)
			_exit(EXIT_UNKNOWN);
}

int main(int argc, char **argv)
{
	bool reported = false;
	int code;

	standard_descriptors_open();
	setlocale(LC_CTYPE, "");
	/* What a scan has gathered goes back when it ends. Left alone glibc raises this
	 * (mallopt(3)). */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	/* A reader that goes away is an error of writing, not an end in the middle of an act. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit of file size is one as well (EFBIG) */
	event_set_fatal_callback(on_event_fatal);
	code = run(argc, argv, &reported);
	return plugin_wanted(argc, argv) ? plugin_end(code, reported) : code;
}

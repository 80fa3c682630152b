/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/exit_codes.h"
#include "cli/log.h"
#include "cli/options.h"
#include "observe/bpf/libbpf_log.h"

static void say_line(const char *line)
{
	log_message("%s", line);
}

/* Before the options are parsed: a mistyped option must not turn a plugin's answer into none. */
static bool nagios_wanted(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : "";

		if (strcmp(argv[i], "-fnagios") == 0 || strcmp(argv[i], "--format=nagios") == 0 ||
		    ((strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "--format") == 0) &&
		     strcmp(next, "nagios") == 0))
			return true;
	}
	return false;
}

/* A monitoring plugin ends with one line and 0 to 3, whatever happens. */
static int nagios_end(int code, bool reported)
{
	if (!reported)
		printf("EXECWATCH UNKNOWN - %s\n", *log_last() ? log_last() : "no report was made");
	fflush(stdout);
	return reported && code >= EXIT_WELL && code <= EXIT_UNKNOWN ? code : EXIT_UNKNOWN;
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
		options_help(stdout, options.verb);
		*reported = true;
		return EXIT_WELL;
	}
	return options.verb->run(&options);
}

int main(int argc, char **argv)
{
	bool reported = false;
	int code;

	setlocale(LC_CTYPE, "");
	/* What a scan has gathered goes back when it ends. Left alone glibc raises this
	 * (mallopt(3)). */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	/* A reader that goes away is an error of writing, not an end in the middle of an act. */
	signal(SIGPIPE, SIG_IGN);
	code = run(argc, argv, &reported);
	return nagios_wanted(argc, argv) ? nagios_end(code, reported) : code;
}

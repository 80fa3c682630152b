/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>

#include "cli/exit_codes.h"
#include "cli/log.h"
#include "cli/options.h"
#include "observe/bpf/libbpf_log.h"

static void say_line(const char *line)
{
	log_message("%s", line);
}

int main(int argc, char **argv)
{
	struct options options;
	char text[512];

	setlocale(LC_CTYPE, "");
	/* What a pass has gathered goes back when it ends. Left alone glibc raises this
	 * (mallopt(3)). */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	/* A reader that goes away is an error of writing, not an end in the middle of an act. */
	signal(SIGPIPE, SIG_IGN);
	if (options_parse(argc, argv, &options, text) < 0) {
		log_message("%s", text);
		return EXIT_WRONG_USE;
	}
	ew_libbpf_log_to(options.verbose ? say_line : NULL);
	if (options.version) {
		puts("execwatch " EW_VERSION);
		return EXIT_WELL;
	}
	if (options.help) {
		options_help(stdout, options.verb);
		return EXIT_WELL;
	}
	return options.verb->run(&options);
}

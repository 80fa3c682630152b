/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the command of `run`, or the script that it runs, seems to do besides restarting the agent.
 * Told from its words: what programs that it calls do is not seen.
 */
#ifndef EW_MODEL_COMMAND_WORDS_H
#define EW_MODEL_COMMAND_WORDS_H

#include <stdbool.h>

struct arena;
struct store;

/* Does it stop or restart docker or containerd: by a service manager, a signal, a package? */
bool command_restarts_docker(const char *command);

/*
 * The command, or the first line of its script, that does what is() says; NULL: none, or there is
 * no command.
 */
const char *command_that(const struct store *store, struct arena *arena,
			 bool (*is)(const char *command));

#endif

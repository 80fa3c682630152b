/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The scripts that a command line names: what they do belongs to the command. */
#ifndef EW_OBSERVE_COMMAND_SCRIPT_H
#define EW_OBSERVE_COMMAND_SCRIPT_H

/*
 * The lines that name docker, containerd, mesos, kill or the agent's checkpoints, without comments,
 * of the scripts among the words of the command: regular files of at most 64 KiB that begin with
 * "#!", or that a shell in front of them is given; argv[0] is looked for in PATH. Takes 1 s at
 * most, as files may hang. Returns a text to be freed; NULL: there is none, or it could not be
 * read.
 */
char *command_script(char *const *argv);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What `systemctl show` prints: lines NAME=VALUE, and for a command line
 * "{ path=P ; argv[]=ARG ARG ; ignore_errors=no ; … }" (systemd shared/bus-print-properties.c and
 * systemctl/systemctl-show.c, 252). A property may stand there several times, once for each
 * command.
 */
#ifndef EW_SYSTEMD_SHOW_OUTPUT_H
#define EW_SYSTEMD_SHOW_OUTPUT_H

struct arena;

/*
 * The value of the next line with this name at or behind *text, which moves behind it. NULL: there
 * is none.
 */
const char *show_output_next(struct arena *arena, const char **text, const char *name);

/* The first one; NULL: there is none, or it is empty. */
const char *show_output_value(struct arena *arena, const char *text, const char *name);

/* A command as a unit file would have it, "-/bin/x a b"; NULL: the value is no such thing. */
const char *show_output_command(struct arena *arena, const char *value);

#endif

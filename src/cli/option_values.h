/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Values of options: text of the command line to members of struct options. */
#ifndef EW_CLI_OPTION_VALUES_H
#define EW_CLI_OPTION_VALUES_H

#include <stddef.h>

struct options;

#define OPTION_MESSAGE_MAX 512 /* bytes of a message */

/* Fills message (OPTION_MESSAGE_MAX bytes) and returns -EINVAL. */
int option_refuse(char *message, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Appends a name to a list in words: "a, b". */
void option_list_add(char *list, size_t size, const char *name);

/* Each parses a value and stores it. Returns 0, or -EINVAL after option_refuse(). */
int option_set_port(struct options *o, const char *value, char *message);
int option_set_pid(struct options *o, const char *value, char *message);
int option_set_master_timeout(struct options *o, const char *value, char *message);
int option_set_timeout(struct options *o, const char *value, char *message);
int option_set_until(struct options *o, const char *value, char *message);
int option_set_format(struct options *o, const char *value, char *message);
int option_set_method(struct options *o, const char *value, char *message);
int option_set_treat(struct options *o, const char *value, char *message);
int option_set_colour(struct options *o, const char *value, char *message);
int option_set_select(struct options *o, const char *value, char *message);
int option_set_accept(struct options *o, const char *value, char *message);
int option_set_ignore(struct options *o, const char *value, char *message);
int option_set_next_version(struct options *o, const char *value, char *message);
int option_set_next_env(struct options *o, const char *value, char *message);
int option_set_horizon(struct options *o, const char *value, char *message);
int option_set_hold_at(struct options *o, const char *value, char *message);
int option_set_idle(struct options *o, const char *value, char *message);

#endif

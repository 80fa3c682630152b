/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A set of pids: filled, sorted, then asked. */
#ifndef EW_BASE_PID_SET_H
#define EW_BASE_PID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pid_set {
	int32_t *v; /* all zero: empty */
	size_t n, cap;
};

int pid_set_add(struct pid_set *set, int32_t pid); /* 0 or -ENOMEM */
void pid_set_sort(struct pid_set *set);
bool pid_set_has(const struct pid_set *set, int32_t pid); /* of a sorted one */
void pid_set_clear(struct pid_set *set);		  /* empty, with its memory */
void pid_set_free(struct pid_set *set);

#endif

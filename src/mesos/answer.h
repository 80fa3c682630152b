/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parsers of the agent's answers share: JSON in, owned strings out. */
#ifndef EW_MESOS_ANSWER_H
#define EW_MESOS_ANSWER_H

#include <jansson.h>
#include <stddef.h>

#include "mesos/span.h"

struct fail;

/* *ret_root is to be given back with json_decref(). 0, or -EBADMSG. what names the answer. */
int mesos_answer_load(struct mesos_span body, const char *what, json_t **ret_root,
		      struct fail *why);

/* The string member, or "", in memory of its own. 0 or -ENOMEM. */
int mesos_answer_text(const json_t *object, const char *key, char **ret_text);

/* The array member; NULL without one, or where the member is something else. */
const json_t *mesos_answer_array(const json_t *object, const char *key);

/* n zeroed elements; *ret_items is NULL for none. 0 or -ENOMEM. */
int mesos_answer_alloc(size_t n, size_t size, void **ret_items);

int mesos_answer_memory(const char *what, struct fail *why);			/* -ENOMEM */
int mesos_answer_lacks(const char *what, const char *member, struct fail *why); /* -EBADMSG */

#endif

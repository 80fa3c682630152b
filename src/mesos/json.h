/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Looks into JSON of which only the beginning may be there, which no real JSON parser takes. Finds
 * what is written plainly; does not tell valid from invalid.
 */
#ifndef EW_MESOS_JSON_H
#define EW_MESOS_JSON_H

#include "mesos/span.h"

/*
 * The member of the object that json begins with: a string without its quotes (nothing where it is
 * cut or has escapes), an object or array from its bracket as far as there is any, another value as
 * written (nothing where the end is reached). Nothing without such a member.
 */
struct mesos_span mesos_json_member(struct mesos_span json, const char *key);

#endif

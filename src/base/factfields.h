/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tables behind base/factjson.h: the name of each type of fact, and its fields. */
#ifndef EW_BASE_FACTFIELDS_H
#define EW_BASE_FACTFIELDS_H

#include <stddef.h>

#include "facts.h"

struct factjson_field;

struct factfields {
	enum fact_type type;
	const char *name;
	const struct factjson_field *field;
	size_t n;
};

/* NULL: there is none. */
const struct factfields *factfields_of(enum fact_type type);
const struct factfields *factfields_named(const char *name);

#endif

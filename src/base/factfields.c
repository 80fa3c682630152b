/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/factfields.h"

#include <string.h>

#include "base/factfields_row.h"

static const struct factfields_table *const tables[] = {
	&factfields_session, &factfields_process,    &factfields_connection,
	&factfields_agent,   &factfields_next_start, &factfields_node,
};

#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

const struct factfields *factfields_of(enum fact_type type)
{
	for (size_t i = 0; i < N_TABLES; i++)
		for (size_t j = 0; j < tables[i]->n; j++)
			if (tables[i]->v[j].type == type)
				return &tables[i]->v[j];
	return NULL;
}

const struct factfields *factfields_named(const char *name)
{
	for (size_t i = 0; i < N_TABLES; i++)
		for (size_t j = 0; j < tables[i]->n; j++)
			if (strcmp(tables[i]->v[j].name, name) == 0)
				return &tables[i]->v[j];
	return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_SHOW_TABLE_TABLE_PLAN_H
#define EW_SHOW_TABLE_TABLE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "model/model.h"
#include "show/layout.h"

/*
 * What an acting verb would do: for --dry-run, and before it asks. Returns 0 or a negative errno,
 * of a full disk or a closed pipe as well. guarded: the targets are those that a guard stands by
 * for, and of these it shuts down only the ones that do not notice the agent's end.
 */
int table_plan_write(FILE *out, const struct model_target *targets, size_t n, bool guarded,
		     const struct layout *layout);

/* The same for links that keepalive would be set on; undo: that of before. */
int table_protections_write(FILE *out, const struct model_protection *links, size_t n, bool undo,
			    const struct layout *layout);

/* The same for executors whose clocks would be stopped. */
int table_holds_write(FILE *out, const struct model_hold *holds, size_t n,
		      const struct layout *layout);

#endif

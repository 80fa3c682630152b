/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_CLI_SUGGEST_H
#define EW_CLI_SUGGEST_H

#include <stddef.h>

/*
 * What somebody who typed word may have meant: the name nearest to it, NULL when none is near.
 * name(ctx, i) gives the i-th name, NULL behind the last.
 */
const char *suggest(const char *word, const char *(*name)(const void *ctx, size_t i),
		    const void *ctx);

#endif

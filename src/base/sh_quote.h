/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_BASE_SH_QUOTE_H
#define EW_BASE_SH_QUOTE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes word as one word for sh, in single quotes where it needs them. False: it does not fit, or
 * has control characters, which would end the line that a command is shown in.
 */
bool sh_quote(const char *word, char *buf, size_t size);

#endif

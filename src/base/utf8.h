/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_BASE_UTF8_H
#define EW_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Length of the UTF-8 sequence that text (NUL-terminated) begins with, and its code point in *cp.
 * 0 with *cp untouched where RFC 3629 allows none: overlong, surrogate, above U+10FFFF, cut.
 */
size_t utf8_next(const char *text, uint32_t *cp);

/*
 * A control, format, bidirectional, separator or private character: a terminal may act on it, or
 * show the text around it in another order. Never shown raw.
 */
bool utf8_is_invisible(uint32_t cp);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_SHOW_LAYOUT_H
#define EW_SHOW_LAYOUT_H

#include <stdbool.h>

/* How text for people is laid out. */
struct layout {
	int width; /* columns; less than 72 is taken as 72 */
	bool color;
	bool verbose; /* every executor, with the evidence */
};

#endif

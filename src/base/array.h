/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Arrays that grow while they are filled. */
#ifndef EW_BASE_ARRAY_H
#define EW_BASE_ARRAY_H

#include <stddef.h>

/*
 * Makes room for one more element of size bytes in the array *items (a pointer to the caller's
 * pointer) that holds n and has room for *cap. Returns 0, or -ENOMEM with the array as it was.
 */
int array_reserve(void *items, size_t *cap, size_t n, size_t size);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Interned strings: one copy of each. The same executor is described again with every scan of a
 * node; its strings take no memory the second time.
 */
#ifndef EW_BASE_STRPOOL_H
#define EW_BASE_STRPOOL_H

struct strpool;

struct strpool *strpool_new(void);
void strpool_free(struct strpool *pool);

/*
 * The pool's copy of text, equal texts giving equal pointers; lives as long as the pool. "" for
 * NULL. Returns NULL when out of memory.
 */
const char *strpool_text(struct strpool *pool, const char *text);

#endif

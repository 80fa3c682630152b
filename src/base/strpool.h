/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One copy of each string. The same executor is described again with every pass over a node; what
 * is kept of it costs nothing the second time.
 */
#ifndef EW_BASE_STRPOOL_H
#define EW_BASE_STRPOOL_H

struct strpool;

struct strpool *strpool_new(void);
void strpool_free(struct strpool *pool);

/*
 * The pool's copy of text, equal texts giving equal pointers; lives as long as the pool. "" for
 * NULL. NULL when there is no memory.
 */
const char *strpool_text(struct strpool *pool, const char *text);

#endif

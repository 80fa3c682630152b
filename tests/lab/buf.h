/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_BUF_H
#define LAB_BUF_H

#include <stdarg.h>
#include <stddef.h>

/* A growing run of bytes. Zeroed is empty. Memory that cannot be had ends the process. */
struct buf {
	char *data; /* always followed by a NUL that is not counted, once anything was added */
	size_t len;
	size_t cap;
};

void buf_add(struct buf *b, const void *data, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vfmt(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void buf_drop(struct buf *b, size_t n); /* the first n bytes */
void buf_free(struct buf *b);		/* empty again, may be used on */

/* Never NULL: out of memory ends the process. */
void *lab_calloc(size_t n, size_t size);
char *lab_strdup(const char *s);
char *lab_fmt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints "execwatch-lab: ..." and exits with 1. */
void lab_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif

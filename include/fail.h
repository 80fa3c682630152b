/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Why something failed, filled once at the place that knows, printed once by cli.
 *
 * Functions that can fail take `struct fail *why` as their last parameter and return a negative
 * errno. A struct fail holds text only: nothing to free.
 */
#ifndef EW_FAIL_H
#define EW_FAIL_H

struct fail {
	int err;	/* negative errno; 0: nothing failed */
	char what[320]; /* what failed, on which object: "read checkpoint '/a/b'" */
	char cure[200]; /* what to do about it; empty: nothing better than the errno's text */
};

/*
 * Fills *why (NULL: nobody asked) and returns err, so that callers can write
 * `return fail_set(why, -errno, "run as root", "open '%s'", path)`. cure may be NULL.
 */
int fail_set(struct fail *why, int err, const char *cure, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Writes "what: errno text; cure" into buf, always terminated; returns buf. Without the text of
 * EINVAL. */
const char *fail_text(const struct fail *why, char *buf, unsigned int size);

#endif

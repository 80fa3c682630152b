/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Why something failed: filled once, where the cause is known, and printed once, by cli.
 *
 * Functions that can fail take `struct error *error` as their last parameter and return a negative
 * errno. A struct error holds text only: nothing to free.
 */
#ifndef EW_BASE_ERROR_H
#define EW_BASE_ERROR_H

struct error {
	int code;	   /* negative errno; 0: nothing failed */
	char message[320]; /* what failed, on which object: "read checkpoint '/a/b'" */
	char cure[200];	   /* what to do about it; empty: nothing is known to help */
};

/*
 * Fills *error (may be NULL) and returns err, so that callers can write
 * `return error_set(error, -errno, "run as root", "open '%s'", path)`. cure may be NULL.
 */
int error_set(struct error *error, int err, const char *cure, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Writes "message: text of errno; cure" into buf, always terminated; returns buf. EINVAL's text is
 * left out: such a message says itself what is invalid.
 */
const char *error_text(const struct error *error, char *buf, unsigned int size);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Words of a setting: separated by blanks, with "quotes", 'quotes' and escapes of C. Syntax:
 * systemd.syntax(7), Quoting; systemd basic/extract-word.c, extract_first_word() (252).
 */
#ifndef EW_SYSTEMD_WORDS_H
#define EW_SYSTEMD_WORDS_H

/*
 * Takes the first word off the front of *rest and writes it, without quotes and escapes, to buf,
 * which has room for strlen(*rest) + 1 bytes. Returns 1; 0 at the end; -EINVAL for a quote that is
 * not closed or an escape that does not exist: systemd then ignores the whole line.
 */
int systemd_word_next(const char **rest, char *buf);

#endif

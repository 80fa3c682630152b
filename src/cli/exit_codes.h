/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Exit codes, the same for every verb; those of monitoring plugins, and of sysexits(3). */
#ifndef EW_CLI_EXIT_CODES_H
#define EW_CLI_EXIT_CODES_H

#define EXIT_WELL      0
#define EXIT_ATTENTION 1  /* something needs attention and can be treated */
#define EXIT_LOST      2  /* something is lost, or will be */
#define EXIT_UNKNOWN   3  /* cannot be known: no permission, events lost, interrupted */
#define EXIT_WRONG_USE 64 /* of the command line */
#define EXIT_BUSY      75 /* another execwatch is acting on this host */

#endif

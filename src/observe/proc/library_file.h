/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the file of a mapped library says of itself, whatever it is called. */
#ifndef EW_OBSERVE_PROC_LIBRARY_FILE_H
#define EW_OBSERVE_PROC_LIBRARY_FILE_H

#include <stdint.h>

struct library_file {
	char soname[64];   /* DT_SONAME: "libmesos-1.0.4.so" as Mesos builds it; "": not known */
	char build_id[65]; /* NT_GNU_BUILD_ID, hexadecimal; "": not known */
};

/*
 * dir: the process' directory in /proc; range: of one mapping of the file, as in maps
 * ("7fef28000000-7fef2e749000"). Read through map_files, so also when the file was deleted or is in
 * another mount namespace (CAP_SYS_ADMIN, or CAP_CHECKPOINT_RESTORE since Linux 5.9). In a child, 3
 * s at most and not beyond until (mono ns; 0: no bound): its file system may not answer.
 */
void library_file_read(int dir, const char *range, int64_t until, struct library_file *ret);

#endif

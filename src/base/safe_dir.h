/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Directories that execwatch trusts: what is created, locked, read back or removed in them is its
 * own. Such a directory is opened once and then used by its descriptor, so that nobody who can
 * rename or link something on the way to it redirects what happens there.
 */
#ifndef EW_BASE_SAFE_DIR_H
#define EW_BASE_SAFE_DIR_H

#include <stddef.h>
#include <sys/types.h>

struct error;

/*
 * Opens a directory without following a symbolic link anywhere in path, and checks that it belongs
 * to the caller or root and that nobody else can write to it. A directory with the sticky bit is
 * taken, since others cannot remove or rename files of ours there; safe_file_open() rejects theirs.
 * create: the mode with which the last component is made if it is missing; 0: it is not made.
 * option names it to the user
 * ("--state-dir").
 *
 * Returns a descriptor (O_RDONLY, close-on-exec), or a negative errno: -ELOOP for a symbolic link,
 * -EPERM for a directory of others, those of openat(2) and mkdirat(2).
 */
int safe_dir_open(const char *path, mode_t create, const char *option, struct error *error);

/*
 * Opens a regular file in dir. Never follows a link, never blocks (a FIFO), and takes no file that
 * belongs to others, that others can write to, or that has a second name. flags and mode are those
 * of openat(2). Returns a descriptor (close-on-exec), or a negative errno: -ELOOP, -EPERM, those of
 * openat(2).
 */
int safe_file_open(int dir, const char *name, int flags, mode_t mode);

/*
 * Gives dir a file of this name and content, mode 0600, whole or not at all, and syncs both to
 * disk. Returns 0, or a negative errno; the file of before is then unchanged.
 */
int safe_file_replace(int dir, const char *name, const char *data, size_t len);

/* Writes all of data and syncs the file. Returns 0, or the negative errno of write(2) or fsync(2).
 */
int fd_write_all(int fd, const char *data, size_t len);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The file of a baseline as a JSON document. */
#ifndef EW_RECORD_BASELINE_DOCUMENT_H
#define EW_RECORD_BASELINE_DOCUMENT_H

#include <jansson.h>
#include <limits.h>

struct baseline_dir;
struct error;

/* A file of dir, or of the user's choice, as messages name it: into buf, returned. */
const char *baseline_shown(const struct baseline_dir *dir, const char *name, char buf[PATH_MAX]);

/*
 * Reads an audit or shutdown document that has an array of executors. *ret is to be released with
 * json_decref(). Returns 0, -EINVAL (no such document), -EPROTONOSUPPORT (another version) or
 * another negative errno.
 */
int baseline_document_load(const struct baseline_dir *dir, const char *name, json_t **ret,
			   struct error *error);

#endif

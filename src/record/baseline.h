/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The baseline is the very document that `audit -f json` prints, kept for `verify`.
 */
#ifndef EW_RECORD_BASELINE_H
#define EW_RECORD_BASELINE_H

#include <stddef.h>
#include <stdint.h>

#include "facts.h"

struct error;

/*
 * Where the baseline of this boot and agent port is kept, into buf. boot_id comes from
 * /proc/sys/kernel/random/boot_id. Returns 0, or -ENAMETOOLONG.
 */
int baseline_path(const char *state_dir, const char *boot_id, uint32_t agent_port, char *buf,
		  size_t size);

/*
 * Puts document into place at once or not at all: written beside path, synced, renamed. The
 * directory must exist; the file is readable by its owner only.
 */
int baseline_save(const char *path, const char *document, size_t len, struct error *error);

/*
 * Puts a FACT_BASELINE at mono into sink for each executor of an audit or shutdown document but
 * the foreign ones; *n gets their number. With boot_id (may be NULL) a document of another boot is
 * refused (-ESTALE): no process of it lives. Nothing is put unless the whole document is
 * understood; -EINVAL where it is not.
 */
int baseline_load(const char *path, const char *boot_id, int64_t mono, const struct fact_sink *sink,
		  size_t *n, struct error *error);

#endif

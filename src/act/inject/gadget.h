/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the instructions an injection needs in the code that a process has mapped: whatever its
 * files are called, deleted or not, stripped or not.
 */
#ifndef EW_ACT_INJECT_GADGET_H
#define EW_ACT_INJECT_GADGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "act/inject/sigframe.h"

struct tracee_maps;
struct tracee_mem;

enum { GADGET_CHUNK = 65536 };

/*
 * Where the instructions were found last, so that many targets that run the same C library need one
 * search. All zero at first. What it says is compared with the target's memory each time.
 */
struct gadget_cache {
	uint64_t device, inode; /* of the file; inode 0: nothing yet */
	uint64_t offset[4];	/* in the file */
};

/* Takes what buf, which is at address base of the target, has of what code still lacks. */
void gadget_scan(const unsigned char *buf, size_t len, uint64_t base, struct sigframe_code *code);

/*
 * Looks through the private file mappings that are executable and not writable, the
 * vdso and a C library first. chunk: GADGET_CHUNK bytes. Returns 0; -ENOENT: not there; or the
 * error of the last read.
 */
int gadget_find(const struct tracee_maps *maps, struct tracee_mem *mem, unsigned char *chunk,
		struct sigframe_code *ret);

/* Takes them from where they lay in the same file before. False: not mapped here, or not the same.
 */
bool gadget_recall(const struct tracee_maps *maps, struct tracee_mem *mem,
		   const struct gadget_cache *cache, struct sigframe_code *ret);

/* Remembers them if they all lie in one mapping. */
void gadget_remember(const struct tracee_maps *maps, const struct sigframe_code *code,
		     struct gadget_cache *cache);

/* Reads the found instructions again and compares. False: not there any more. */
bool gadget_verify(struct tracee_mem *mem, const struct sigframe_code *code);

#endif

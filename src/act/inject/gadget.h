/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds the instructions that an injection needs in the code that a process has mapped, whatever
 * the names of its files, deleted or not, stripped or not.
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
 * Where the instructions were found last, so that many processes with the same C library need one
 * search. All zero at first. Compared with the memory of the process before each use.
 */
struct gadget_cache {
	uint64_t device, inode; /* of the file; inode 0: nothing yet */
	uint64_t offset[4];	/* in the file */
};

/* Scan buf (mapped at base in the target) for instructions not found yet. */
void gadget_scan(const unsigned char *buf, size_t len, uint64_t base, struct sigframe_code *code);

/*
 * Searches the private, executable, read-only file mappings, the vdso and a C library first. chunk:
 * GADGET_CHUNK bytes. Returns 0; -ENOENT: not found; or the error of the last read.
 */
int gadget_find(const struct tracee_maps *maps, struct tracee_mem *mem, unsigned char *chunk,
		struct sigframe_code *ret);

/* Tries the cached place. False: the file is not mapped here, or its bytes differ. */
bool gadget_recall(const struct tracee_maps *maps, struct tracee_mem *mem,
		   const struct gadget_cache *cache, struct sigframe_code *ret);

/* Caches the place of the instructions if all are in one mapping. */
void gadget_remember(const struct tracee_maps *maps, const struct sigframe_code *code,
		     struct gadget_cache *cache);

/* Reads the instructions again. False: they have changed or are unmapped. */
bool gadget_verify(struct tracee_mem *mem, const struct sigframe_code *code);

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * FNV-1a, 64 bits: a number in place of a text. The chance that two of 5,000 texts share one is
 * about 10^-12.
 */
#ifndef EW_BASE_HASH_H
#define EW_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)

/* Continues hash, HASH_BEGIN at first, with these bytes. */
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size);
uint64_t hash_text(uint64_t hash, const char *text); /* with its NUL; NULL is as "" */

#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_ACT_INJECT_PROGRAM_ARCH_H
#define EW_ACT_INJECT_PROGRAM_ARCH_H

#include <stdbool.h>
#include <stddef.h>

/* Whether an ELF file that begins so is for another architecture or word size. False: not ELF. */
bool program_is_foreign(const void *head, size_t len);

#endif

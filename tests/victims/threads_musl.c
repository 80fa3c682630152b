/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* CC: musl-gcc LDFLAGS: -static */
/* The same victim on another C library, linked statically. */
#include "threads.c"

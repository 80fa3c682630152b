/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* bench_load KIND N PORT: one of loads.h N times, its listener on PORT: on an agent's it is
 * watched. */
#include "loads.h"

int main(int argc, char **argv)
{
	struct load load;

	if (argc != 4)
		return 64;
	load = load_begin(argv[1], (uint16_t)strtoul(argv[3], NULL, 10));
	for (long i = strtol(argv[2], NULL, 10); i > 0; i--)
		load.once(&load);
	return 0;
}

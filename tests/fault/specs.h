/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The victims of the campaign. */
#ifndef EW_FAULT_SPECS_H
#define EW_FAULT_SPECS_H

#include <stdbool.h>
#include <stddef.h>

#include "shot.h"
#include "storm.h"

struct spec {
	const char *name;
	const char *argv[28];
	enum storm storm;
	enum shot_method method; /* used if none is given */
	bool follows;		 /* its worker has treated another process before */
	enum shot_loss loss;	 /* and what was killed meanwhile */
	bool swaps;		 /* its thread replaces the descriptor all the time */
	bool forks;		 /* its children may inherit copies: these are looked for */
	bool closes;		 /* it closes the descriptor after each run, if asked to */
	unsigned share;		 /* of the runs, relative to the others; 0: only by name */
	const char *needs;	 /* a program that must be installed, or NULL */
	const char *prepare;	 /* a shell command before the first start, or NULL */
};

extern const struct spec specs[];
extern const size_t n_specs;

/* Builds the program if needed. False: a tool for that is missing. */
bool spec_prepare(const struct spec *spec);

#endif

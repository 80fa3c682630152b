/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* For tests of observers that leave pins to the next. */
#ifndef EW_TEST_BPF_PINNED_H
#define EW_TEST_BPF_PINNED_H

#include "test_bpf_fixture.h"

/* Without an observer. */
static inline struct fixture *fixture_new_unwatched(void)
{
	struct fixture *f = fixture_new(NULL);

	ew_bpf_free(f->watch);
	f->watch = NULL;
	fixture_forget(f);
	return f;
}

/* Removes also the pins that the last observer has left. */
static inline void fixture_free_pinned(struct fixture *f, const char *pins)
{
	ew_bpf_free(f->watch);
	f->watch = NULL;
	ew_bpf_pins_unmount(pins);
	fixture_free(f);
}

/* Ends the observer as if it had been killed: its pins stay. */
static inline void fixture_leave(struct fixture *f)
{
	assert_true(f->n_left < sizeof(f->left) / sizeof(f->left[0]));
	f->left[f->n_left++] = dup(bpf_program__fd(f->watch->programs.skel->progs.tcp_state_set));
	f->watch->pins[0] = '\0';
	ew_bpf_free(f->watch);
	f->watch = NULL;
}

/* fixture_dir_new(), and the name of a directory in it that the observer creates. */
static inline int fixture_pins_new(char *template, char *pins, size_t size)
{
	if (fixture_dir_new(template) < 0)
		return -1;
	snprintf(pins, size, "%s/pins", template);
	return 0;
}

static inline int fixture_pins_meta(const char *pins)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/meta", pins);
	return bpf_obj_get(path);
}

#endif

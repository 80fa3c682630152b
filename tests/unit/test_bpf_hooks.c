/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of hooks and the programs in the BPF object are the same. Loads nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "observe/bpf/libbpf.h"
#include "observe/bpf/prog_variants.h"

static int open_object(void **state)
{
	*state = execwatch_bpf__open();
	return *state ? 0 : -1;
}

static int close_object(void **state)
{
	execwatch_bpf__destroy(*state);
	return 0;
}

static size_t rows_with(const char *program)
{
	size_t n = 0;

	for (size_t i = 0; i < ew_bpf_hooks_n; i++)
		for (size_t v = 0; v < EW_BPF_VARIANTS_MAX && ew_bpf_hooks[i].programs[v]; v++)
			n += strcmp(ew_bpf_hooks[i].programs[v], program) == 0;
	return n;
}

static void each_row_names_programs_of_the_object(void **state)
{
	const struct execwatch_bpf *skel = *state;

	assert_true(ew_bpf_hooks_n <= EW_BPF_HOOKS_MAX);
	for (size_t i = 0; i < ew_bpf_hooks_n; i++)
		for (size_t v = 0; v < EW_BPF_VARIANTS_MAX && ew_bpf_hooks[i].programs[v]; v++)
			if (!ew_bpf_hook_program(&ew_bpf_hooks[i], skel, v))
				fail_msg("hook '%s': bpf/ has no program %s", ew_bpf_hooks[i].name,
					 ew_bpf_hooks[i].programs[v]);
}

static void each_program_has_one_row(void **state)
{
	const struct execwatch_bpf *skel = *state;
	struct bpf_program *program;

	bpf_object__for_each_program(program, skel->obj)
	{
		const char *name = bpf_program__name(program);

		if (rows_with(name) != 1)
			fail_msg("program %s is in %zu rows of src/observe/bpf/prog_variants.c",
				 name, rows_with(name));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_names_programs_of_the_object),
		cmocka_unit_test(each_program_has_one_row),
	};

	return cmocka_run_group_tests(tests, open_object, close_object);
}

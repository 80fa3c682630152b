/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * vmlinux/vmlinux.h is written by hand: each type and field that the BPF object names must be one
 * of the running kernel. Types named NAME___WHEN may lack fields, or be absent: they are of some
 * kernels only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "observe/bpf/libbpf.h"

/* Of the object's own making, not the kernel's. */
static bool is_ours(const char *name)
{
	return strncmp(name, "ew_", 3) == 0;
}

static struct btf *object_btf(void)
{
	size_t size;
	const void *elf = execwatch_bpf__elf_bytes(&size);
	int fd = memfd_create("object", MFD_CLOEXEC);
	char path[64];
	struct btf *btf;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, elf, size), size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	btf = btf__parse_elf(path, NULL);
	close(fd);
	assert_non_null(btf);
	return btf;
}

/* Looks into anonymous members too, as C does. */
static bool has_member(const struct btf *btf, const struct btf_type *type, const char *name)
{
	const struct btf_member *m = btf_members(type);

	for (int i = 0; i < btf_vlen(type); i++, m++) {
		const char *found = btf__name_by_offset(btf, m->name_off);
		const struct btf_type *inner = btf__type_by_id(btf, m->type);

		if (strcmp(found, name) == 0)
			return true;
		while (btf_is_mod(inner) || btf_is_typedef(inner))
			inner = btf__type_by_id(btf, inner->type);
		if (!*found && btf_is_composite(inner) && has_member(btf, inner, name))
			return true;
	}
	return false;
}

/* Number of members compared; *missing counts those that the kernel does not have. */
static size_t compare_type(const struct btf *kernel, const struct btf *object,
			   const struct btf_type *type, size_t *missing)
{
	const char *name = btf__name_by_offset(object, type->name_off);
	const struct btf_member *m = btf_members(type);
	int id = btf__find_by_name_kind(kernel, name, btf_kind(type));
	size_t compared = 0;

	if (id < 0) {
		print_error("the kernel has no '%s'\n", name);
		(*missing)++;
		return 0;
	}
	for (int i = 0; i < btf_vlen(type); i++, m++) {
		const char *member = btf__name_by_offset(object, m->name_off);

		if (!*member)
			continue;
		compared++;
		if (has_member(kernel, btf__type_by_id(kernel, (__u32)id), member))
			continue;
		print_error("the kernel has no '%s.%s'\n", name, member);
		(*missing)++;
	}
	return compared;
}

static void test_fields_exist(void **state)
{
	struct btf *kernel = btf__load_vmlinux_btf(), *object = object_btf();
	size_t compared = 0, missing = 0;

	(void)state;
	if (!kernel)
		skip();
	for (__u32 id = 1; id < btf__type_cnt(object); id++) {
		const struct btf_type *type = btf__type_by_id(object, id);
		const char *name = btf__name_by_offset(object, type->name_off);

		if (!btf_is_composite(type) || !*name || is_ours(name) || strstr(name, "___"))
			continue;
		compared += compare_type(kernel, object, type, &missing);
	}
	assert_int_equal(missing, 0);
	assert_true(compared > 40); /* the object's BTF was really read */
	btf__free(kernel);
	btf__free(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_fields_exist) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

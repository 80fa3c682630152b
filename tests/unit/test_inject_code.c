/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Finding instructions, and running seccomp filters; also those of real processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "act/inject/gadget.h"
#include "act/inject/inject_api.h"
#include "act/inject/seccomp_verdict.h"
#include "act/inject/tracee_maps.h"
#include "act/inject/tracee_mem.h"

#ifdef __x86_64__
static const unsigned char text[] = {
	0x90, 0x0f, 0x05, 0x90,					       /* syscall, but no ret */
	0x58, 0xc3,						       /* pop rax; ret: 0x1004 */
	0x0f, 0x05, 0xc3,					       /* 0x1006 */
	0x48, 0xc7, 0xc0, 0x0e, 0, 0, 0, 0x0f, 0x05,		       /* another number */
	0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x05, 0xc3, /* 0x1012 */
};

static void finds_instructions(void **state)
{
	struct sigframe_code code = { 0 };

	(void)state;
	gadget_scan(text, sizeof(text), 0x1000, &code);
	assert_int_equal(code.syscall_ret, 0x1006);
	assert_int_equal(code.sigreturn, 0x1012);
	assert_int_equal(code.sigreturn_end, 0x101b);
	assert_int_equal(code.pop_nr, 0x1004);
	assert_true(sigframe_code_complete(&code));
}

/*
 * musl's __syscall_cp_asm and glibc's __syscall_cancel_arch end like this: a signal for the
 * cancellation of a thread that is found there ends the thread.
 */
static void passes_over_cancellation_points(void **state)
{
	static const unsigned char wrapper[] = {
		0x4c, 0x8b, 0x4c, 0x24, 0x10,		  /* mov 16(%rsp),%r9 */
		0x4c, 0x89, 0x5c, 0x24, 0x08,		  /* mov %r11,8(%rsp) */
		0x0f, 0x05, 0xc3,			  /* syscall; ret */
		0x90, 0x90, 0x90, 0x90, 0x0f, 0x05, 0xc3, /* another one: 0x1011 */
	};
	struct sigframe_code code = { 0 };

	(void)state;
	gadget_scan(wrapper, sizeof(wrapper), 0x1000, &code);
	assert_int_equal(code.syscall_ret, 0x1011);
	/* A chunk that begins behind the wrapper's last instruction but one. */
	code.syscall_ret = 0;
	gadget_scan(wrapper + 10, sizeof(wrapper) - 10, 0x100a, &code);
	assert_int_equal(code.syscall_ret, 0x1011);
}

static void needs_both_ends(void **state)
{
	struct sigframe_code code = { 0 };

	(void)state;
	gadget_scan(text, 4, 0x1000, &code);
	assert_false(sigframe_code_complete(&code));
	gadget_scan(text, 6, 0x1000, &code); /* pop_nr alone */
	assert_false(sigframe_code_complete(&code));
	gadget_scan(text, 9, 0x1000, &code); /* pop_nr and syscall_ret: enough */
	assert_true(sigframe_code_complete(&code));
	assert_int_equal(code.sigreturn, 0);
}

static void short_spelling(void **state)
{
	static const unsigned char musl[] = { 0x90, 0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05 };
	struct sigframe_code code = { 0 };

	(void)state;
	gadget_scan(musl, sizeof(musl), 0x2000, &code);
	assert_int_equal(code.sigreturn, 0x2001);
	assert_int_equal(code.sigreturn_end, 0x2008);
}
#endif

/* In this process: what was found is verified, and noticed if it is no longer there. */
static void finds_in_a_process(void **state)
{
	struct tracee_maps *maps = malloc(sizeof(*maps));
	unsigned char *chunk = malloc(GADGET_CHUNK);
	struct sigframe_code code, moved;
	struct tracee_mem mem;
	unsigned calls = 0;

	(void)state;
	tracee_mem_init(&mem, getpid(), &calls);
	assert_int_equal(tracee_maps_read(getpid(), getpid(), maps), 0);
	assert_false(maps->truncated);
	assert_int_equal(gadget_find(maps, &mem, chunk, &code), 0);
	assert_true(gadget_verify(&mem, &code));
	assert_true(calls > 0);
	moved = code;
	moved.syscall_ret++;
	assert_false(gadget_verify(&mem, &moved));
	moved = code;
	moved.syscall_ret = 4096; /* not mapped */
	assert_false(gadget_verify(&mem, &moved));
	tracee_mem_close(&mem);
	free(chunk);
	free(maps);
}

#ifdef __x86_64__
/* Instructions across the boundary of two chunks, and none after them. */
static void finds_across_chunks(void **state)
{
	struct tracee_maps *maps = calloc(1, sizeof(*maps));
	unsigned char *chunk = malloc(GADGET_CHUNK);
	int fd = memfd_create("text", MFD_CLOEXEC);
	struct sigframe_code code;
	struct tracee_mem mem;
	unsigned calls = 0;
	char *at;

	(void)state;
	assert_int_equal(ftruncate(fd, GADGET_CHUNK + 4096), 0);
	assert_int_equal(pwrite(fd, text + 18, 12, GADGET_CHUNK - 5), 12);
	at = mmap(NULL, GADGET_CHUNK + 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(at, MAP_FAILED);
	maps->area[0] = (struct tracee_area){ .start = (uint64_t)at,
					      .end = (uint64_t)at + GADGET_CHUNK + 4096,
					      .flags = AREA_READ | AREA_EXEC | AREA_FILE };
	maps->n = 1;
	tracee_mem_init(&mem, getpid(), &calls);
	assert_int_equal(gadget_find(maps, &mem, chunk, &code), 0);
	assert_int_equal(code.sigreturn, (uint64_t)at + GADGET_CHUNK - 5);
	assert_int_equal(code.syscall_ret, (uint64_t)at + GADGET_CHUNK + 4);
	munmap(at, GADGET_CHUNK + 4096);
	close(fd);
	free(chunk);
	free(maps);
}
#endif

/* Cached for the next process that maps the same file, and compared before use. */
static void remembers_where_it_was(void **state)
{
	struct tracee_maps *maps = malloc(sizeof(*maps));
	unsigned char *chunk = malloc(GADGET_CHUNK);
	struct gadget_cache cache = { 0 };
	struct sigframe_code found, recalled;
	struct tracee_mem mem;
	unsigned calls = 0;

	(void)state;
	tracee_mem_init(&mem, getpid(), &calls);
	assert_int_equal(tracee_maps_read(getpid(), getpid(), maps), 0);
	assert_false(gadget_recall(maps, &mem, &cache, &recalled));
	assert_int_equal(gadget_find(maps, &mem, chunk, &found), 0);
	gadget_remember(maps, &found, &cache);
	assert_true(gadget_recall(maps, &mem, &cache, &recalled));
	assert_memory_equal(&recalled, &found, sizeof(found));
	cache.offset[0]++;
	assert_false(gadget_recall(maps, &mem, &cache, &recalled));
	cache.offset[0]--;
	cache.inode++;
	assert_false(gadget_recall(maps, &mem, &cache, &recalled));
	free(chunk);
	free(maps);
}

#ifdef __x86_64__
/* Bytes that match several patterns are verified for their own field. */
static void verifies_each_for_itself(void **state)
{
	static const unsigned char near[] = { 0x58, 0xc3, 0x90, 0x0f, 0x05, 0xc3, 0x58, 0xc3 };
	struct sigframe_code code = { .syscall_ret = (uint64_t)near + 3, .pop_nr = (uint64_t)near };
	struct tracee_mem mem;
	unsigned calls = 0;

	(void)state;
	tracee_mem_init(&mem, getpid(), &calls);
	assert_true(gadget_verify(&mem, &code));
	code.pop_nr = (uint64_t)near + 3; /* that is the syscall */
	assert_false(gadget_verify(&mem, &code));
	tracee_mem_close(&mem);
}
#endif

static void finds_nothing_in_data(void **state)
{
	struct tracee_maps *maps = calloc(1, sizeof(*maps));
	unsigned char *chunk = malloc(GADGET_CHUNK);
	struct sigframe_code code;
	struct tracee_mem mem;
	unsigned calls = 0;

	(void)state;
	tracee_mem_init(&mem, getpid(), &calls);
	maps->area[0] =
		(struct tracee_area){ .start = (uint64_t)chunk,
				      .end = (uint64_t)chunk + 4096,
				      .flags = AREA_READ | AREA_WRITE | AREA_EXEC | AREA_FILE };
	maps->n = 1; /* writable */
	assert_int_equal(gadget_find(maps, &mem, chunk, &code), -ENOENT);
	assert_int_equal(calls, 0);
	maps->area[0].flags =
		AREA_READ | AREA_EXEC; /* of no file: a just-in-time compiler's code */
	assert_int_equal(gadget_find(maps, &mem, chunk, &code), -ENOENT);
	assert_int_equal(calls, 0);
	free(chunk);
	free(maps);
}

static const struct seccomp_data shutdown_data = {
	.nr = SYS_shutdown,
	.arch = AUDIT_ARCH_X86_64,
	.instruction_pointer = 0x1122334455667788,
	.args = { 7, 0 },
};

#define RUN(...)                                                                                   \
	seccomp_filter_run((const struct sock_filter[]){ __VA_ARGS__ },                            \
			   sizeof((const struct sock_filter[]){ __VA_ARGS__ }) /                   \
				   sizeof(struct sock_filter),                                     \
			   &shutdown_data)
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RET(v)	    BPF_STMT(BPF_RET | BPF_K, v)

static void filters_by_number(void **state)
{
	(void)state;
	assert_int_equal(RUN(LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_shutdown, 0, 1),
			     RET(SECCOMP_RET_ERRNO | 5), RET(SECCOMP_RET_ALLOW)),
			 SECCOMP_RET_ERRNO | 5);
	assert_int_equal(RUN(LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SYS_shutdown + 1, 0, 1),
			     RET(SECCOMP_RET_KILL_THREAD), RET(SECCOMP_RET_ALLOW)),
			 SECCOMP_RET_ALLOW);
	assert_int_equal(RUN(LOAD(args), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 4, 0, 1),
			     RET(SECCOMP_RET_TRAP), RET(SECCOMP_RET_ALLOW)),
			 SECCOMP_RET_TRAP);
}

static void arithmetic(void **state)
{
	const uint16_t k = BPF_ALU | BPF_K, x = BPF_ALU | BPF_X;

	(void)state;
	/* ((((nr + 2) * 3 - 10) / 7 & 0xff) << 4 >> 1 | 1) ^ 3, negated twice: 48 gives 162 */
	assert_int_equal(RUN(LOAD(nr), BPF_STMT(k | BPF_ADD, 2), BPF_STMT(k | BPF_MUL, 3),
			     BPF_STMT(k | BPF_SUB, 10), BPF_STMT(k | BPF_DIV, 7),
			     BPF_STMT(k | BPF_AND, 0xff), BPF_STMT(k | BPF_LSH, 4),
			     BPF_STMT(k | BPF_RSH, 1), BPF_STMT(k | BPF_OR, 1),
			     BPF_STMT(k | BPF_XOR, 3), BPF_STMT(BPF_ALU | BPF_NEG, 0),
			     BPF_STMT(BPF_ALU | BPF_NEG, 0), BPF_STMT(BPF_RET | BPF_A, 0)),
			 ((((48 + 2) * 3 - 10) / 7 & 0xff) << 4 >> 1 | 1) ^ 3);
	/* memory, and the index register */
	assert_int_equal(RUN(BPF_STMT(BPF_LD | BPF_IMM, 40), BPF_STMT(BPF_ST, 3),
			     BPF_STMT(BPF_LDX | BPF_MEM, 3), BPF_STMT(BPF_LD | BPF_IMM, 2),
			     BPF_STMT(x | BPF_ADD, 0), BPF_STMT(BPF_MISC | BPF_TAX, 0),
			     BPF_STMT(BPF_STX, 4), BPF_STMT(BPF_LD | BPF_MEM, 4),
			     BPF_STMT(BPF_RET | BPF_A, 0)),
			 42);
	assert_int_equal(RUN(BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_RET | BPF_A, 0)),
			 sizeof(struct seccomp_data));
}

static void what_is_wrong_kills(void **state)
{
	(void)state;
	assert_int_equal(RUN(LOAD(nr)), SECCOMP_RET_KILL_PROCESS); /* runs off the end */
	assert_int_equal(RUN(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), RET(SECCOMP_RET_ALLOW)),
			 SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(RUN(BPF_STMT(BPF_LD | BPF_MEM, 16), RET(SECCOMP_RET_ALLOW)),
			 SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(RUN(BPF_STMT(BPF_LDX | BPF_IMM, 0), BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
			     RET(SECCOMP_RET_ALLOW)),
			 SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(RUN(BPF_STMT(BPF_JMP | BPF_JA, 100), RET(SECCOMP_RET_ALLOW)),
			 SECCOMP_RET_KILL_PROCESS);
}

static void only_allow_and_log_pass(void **state)
{
	(void)state;
	assert_true(seccomp_allows(SECCOMP_RET_ALLOW));
	assert_true(seccomp_allows(SECCOMP_RET_LOG));
	assert_false(seccomp_allows(SECCOMP_RET_ERRNO));
	assert_false(seccomp_allows(SECCOMP_RET_TRACE));
	assert_false(seccomp_allows(SECCOMP_RET_TRAP));
	assert_false(seccomp_allows(SECCOMP_RET_USER_NOTIF));
	assert_false(seccomp_allows(SECCOMP_RET_KILL_THREAD));
	assert_false(seccomp_allows(SECCOMP_RET_KILL_PROCESS));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#ifdef __x86_64__
		cmocka_unit_test(finds_instructions),
		cmocka_unit_test(passes_over_cancellation_points),
		cmocka_unit_test(needs_both_ends),
		cmocka_unit_test(short_spelling),
		cmocka_unit_test(finds_across_chunks),
		cmocka_unit_test(verifies_each_for_itself),
#endif
		cmocka_unit_test(finds_in_a_process),
		cmocka_unit_test(remembers_where_it_was),
		cmocka_unit_test(finds_nothing_in_data),
		cmocka_unit_test(filters_by_number),
		cmocka_unit_test(arithmetic),
		cmocka_unit_test(what_is_wrong_kills),
		cmocka_unit_test(only_allow_and_log_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For victims: a system call, or a spin, made with every register full of a known pattern, and the
 * comparison afterwards. x86_64 only; elsewhere the patterns are empty. Included by one program,
 * hence static.
 */
#ifndef EW_VICTIM_REGS_H
#define EW_VICTIM_REGS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __x86_64__
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { REGS_AREA = 16384, REGS_RED = 16, REGS_GPRS = 14 };

/* The assembler below knows these offsets. */
struct regs_io {
	uint64_t mask;		 /* 0: components of the extended state */
	uint64_t spins;		 /* 8: 0: the system call, else rounds of a loop */
	uint64_t gpr[REGS_GPRS]; /* 16: rax rdi rsi rdx r10 r8 r9 rbx rbp r12 r13 r14 r15 flags */
	uint64_t got[REGS_GPRS]; /* 128 */
	uint64_t red[REGS_RED];	 /* 240: what lay in the red zone afterwards */
	_Alignas(64) unsigned char want_x[REGS_AREA]; /* 384 */
	_Alignas(64) unsigned char got_x[REGS_AREA];  /* 16768 */
};
_Static_assert(__builtin_offsetof(struct regs_io, got) == 128, "asm");
_Static_assert(__builtin_offsetof(struct regs_io, red) == 240, "asm");
_Static_assert(__builtin_offsetof(struct regs_io, want_x) == 384, "asm");
_Static_assert(__builtin_offsetof(struct regs_io, got_x) == 16768, "asm");

void regs_run(struct regs_io *io);
__asm__(".text\n.globl regs_run\n.type regs_run,@function\nregs_run:\n"
	"push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; push %rdi\n"
	"fninit\n"
	"mov %rdi, %rcx; mov (%rcx), %eax; mov 4(%rcx), %edx\n"
	"xrstor64 384(%rcx)\n"
	/* the red zone: -8(%rsp) to -128(%rsp) */
	"mov $0x5eed5eed5eed5eed, %rax\n"
	"mov $16, %r11\n"
	"1: neg %r11; mov %rax, (%rsp,%r11,8); neg %r11; dec %r11; jnz 1b\n"
	"push 120(%rcx); popfq\n" /* writes -8(%rsp); put it right without touching flags */
	"mov %rax, -8(%rsp)\n"
	"mov 16(%rcx), %rax; mov 24(%rcx), %rdi; mov 32(%rcx), %rsi; mov 40(%rcx), %rdx\n"
	"mov 48(%rcx), %r10; mov 56(%rcx), %r8; mov 64(%rcx), %r9; mov 72(%rcx), %rbx\n"
	"mov 80(%rcx), %rbp; mov 88(%rcx), %r12; mov 96(%rcx), %r13; mov 104(%rcx), %r14\n"
	"mov 112(%rcx), %r15\n"
	"mov 8(%rcx), %rcx\n"
	"jrcxz 3f\n"
	"2: lea -1(%rcx), %rcx; jrcxz 4f; jmp 2b\n"
	"3: syscall\n"
	"4: mov (%rsp), %rcx\n"
	"mov %rax, 128(%rcx); mov %rdi, 136(%rcx); mov %rsi, 144(%rcx); mov %rdx, 152(%rcx)\n"
	"mov %r10, 160(%rcx); mov %r8, 168(%rcx); mov %r9, 176(%rcx); mov %rbx, 184(%rcx)\n"
	"mov %rbp, 192(%rcx); mov %r12, 200(%rcx); mov %r13, 208(%rcx); mov %r14, 216(%rcx)\n"
	"mov %r15, 224(%rcx)\n"
	"mov -8(%rsp), %r11; mov %r11, 240(%rcx)\n"
	"pushfq; pop 232(%rcx)\n"
	"cld\n"
	"mov $15, %r11\n"
	"5: mov %r11, %rax; neg %rax; mov -8(%rsp,%rax,8), %rdx; mov %rdx, 240(%rcx,%r11,8)\n"
	"dec %r11; jnz 5b\n"
	"mov (%rcx), %eax; mov 4(%rcx), %edx\n"
	"xsave64 16768(%rcx)\n"
	"fninit; pushq $0x1f80; ldmxcsr (%rsp); pop %rax; vzeroupper\n"
	"pop %rdi; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"ret\n.size regs_run,.-regs_run\n");

static uint64_t regs_xcr0(void)
{
	uint32_t lo, hi;

	__asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (uint64_t)hi << 32 | lo;
}

/* Asks for the tile registers (AMX); false: not there. */
static bool regs_want_tiles(void)
{
	enum { REQ_XCOMP_PERM = 0x1023, TILEDATA = 18 };

	return regs_xcr0() >> TILEDATA & 1 &&
	       syscall(SYS_arch_prctl, REQ_XCOMP_PERM, TILEDATA) == 0;
}

static void regs_fill(unsigned char *at, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		at[i] = (unsigned char)(seed >> 56);
	}
}

static void regs_component(unsigned int bit, uint32_t *size, uint32_t *offset)
{
	uint32_t c, d;

	__cpuid_count(0xd, bit, *size, *offset, c, d);
}

/* x87, SSE, and all of AVX, AVX-512 and (tiles) AMX that the processor has. */
static void regs_init(struct regs_io *io, uint64_t seed, bool tiles)
{
	const uint64_t tile_bits = 3ull << 17, known = 0xe7ull;
	uint64_t mask = regs_xcr0() & (known | (tiles ? tile_bits : 0));
	static const unsigned char head[32] = {0x7f, 0x02, 0, 0, 0xff}; /* fcw: round down */
	const uint32_t mxcsr = 0x3f80;					/* round down */

	memset(io, 0, sizeof(*io));
	io->mask = mask;
	memcpy(io->want_x, head, sizeof(head));
	memcpy(io->want_x + 24, &mxcsr, sizeof(mxcsr));
	for (int i = 0; i < 8; i++)
		regs_fill(io->want_x + 32 + 16 * i, 10, seed + (uint64_t)i);
	regs_fill(io->want_x + 160, 256, seed + 9);
	memcpy(io->want_x + 512, &mask, sizeof(mask));
	for (unsigned int bit = 2; bit < 19; bit++) {
		uint32_t size, offset;

		if (!(mask >> bit & 1))
			continue;
		regs_component(bit, &size, &offset);
		if (bit == 17) { /* tile configuration: palette 1, 8 tiles of 16 rows by 64 bytes */
			io->want_x[offset] = 1;
			for (int i = 0; i < 8; i++) {
				io->want_x[offset + 16 + 2 * i] = 64;
				io->want_x[offset + 48 + i] = 16;
			}
		} else {
			regs_fill(io->want_x + offset, size, seed + bit);
		}
	}
	for (int i = 0; i < REGS_GPRS; i++)
		io->gpr[i] = seed * 0x9e3779b97f4a7c15u + (uint64_t)i;
	io->gpr[13] = 0x202 | 0x4d5; /* IF; CF PF AF ZF SF DF: the call must keep them */
}

/* NULL: all as before, or the name of what changed. The call's result is in got[0]. */
static const char *regs_changed(const struct regs_io *io)
{
	static const char *const names[] = {"rax", "rdi", "rsi", "rdx", "r10", "r8",  "r9",
					    "rbx", "rbp", "r12", "r13", "r14", "r15", "eflags"};

	for (int i = io->spins ? 0 : 1; i < REGS_GPRS; i++)
		if (io->got[i] != io->gpr[i])
			return names[i];
	for (int i = 0; i < REGS_RED; i++)
		if (io->red[i] != 0x5eed5eed5eed5eedull)
			return "red zone";
	if (memcmp(io->want_x, io->got_x, 5) != 0)
		return "x87 control";
	if (memcmp(io->want_x + 24, io->got_x + 24, 4) != 0)
		return "mxcsr";
	for (int i = 0; i < 8; i++)
		if (memcmp(io->want_x + 32 + 16 * i, io->got_x + 32 + 16 * i, 10) != 0)
			return "x87";
	if (memcmp(io->want_x + 160, io->got_x + 160, 256) != 0)
		return "xmm";
	for (unsigned int bit = 2; bit < 19; bit++) {
		static const char *const parts[19] = {
			[2] = "ymm",	  [5] = "opmask",   [6] = "zmm_hi256",
			[7] = "hi16_zmm", [17] = "tilecfg", [18] = "tiles"};
		uint32_t size, offset;

		if (!(io->mask >> bit & 1))
			continue;
		regs_component(bit, &size, &offset);
		if (memcmp(io->want_x + offset, io->got_x + offset, size) != 0)
			return parts[bit];
	}
	return NULL;
}

static long regs_syscall(struct regs_io *io, long nr, uint64_t a, uint64_t b, uint64_t c,
			 uint64_t d)
{
	io->spins = 0;
	io->gpr[0] = (uint64_t)nr;
	io->gpr[1] = a;
	io->gpr[2] = b;
	io->gpr[3] = c;
	io->gpr[4] = d;
	regs_run(io);
	return (long)io->got[0];
}

static void regs_spin(struct regs_io *io, uint64_t rounds)
{
	io->spins = rounds;
	regs_run(io);
}

#else
#include <unistd.h>

struct regs_io {
	char none;
};

static bool regs_want_tiles(void)
{
	return false;
}

static void regs_init(struct regs_io *io, uint64_t seed, bool tiles)
{
	(void)io, (void)seed, (void)tiles;
}

static const char *regs_changed(const struct regs_io *io)
{
	(void)io;
	return NULL;
}

static long regs_syscall(struct regs_io *io, long nr, uint64_t a, uint64_t b, uint64_t c,
			 uint64_t d)
{
	(void)io;
	return syscall(nr, a, b, c, d);
}

static void regs_spin(struct regs_io *io, uint64_t rounds)
{
	(void)io;
	for (volatile uint64_t i = 0; i < rounds; i++)
		;
}
#endif
#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For victims: a system call, or a spin, made with every register full of a known pattern, and the
 * comparison afterwards. Included by one program, hence static.
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
	static const unsigned char head[32] = { 0x7f, 0x02, 0, 0, 0xff }; /* fcw: round down */
	const uint32_t mxcsr = 0x3f80;					  /* round down */

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
	static const char *const names[] = { "rax", "rdi", "rsi", "rdx", "r10", "r8",  "r9",
					     "rbx", "rbp", "r12", "r13", "r14", "r15", "eflags" };

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
			[7] = "hi16_zmm", [17] = "tilecfg", [18] = "tiles"
		};
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

#elif defined(__aarch64__)
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { REGS_X = 31, REGS_V = 512, REGS_SVE_BYTES = 32 };

/* The assembler below knows these offsets. */
struct regs_io {
	uint64_t x[REGS_X];	     /* 0 */
	uint64_t got[REGS_X];	     /* 248 */
	uint64_t nzcv, got_nzcv;     /* 496, 504 */
	uint64_t fpcr, got_fpcr;     /* 512, 520 */
	unsigned char v[REGS_V];     /* 528 */
	unsigned char got_v[REGS_V]; /* 1040 */
	bool spun, sve;
};
_Static_assert(__builtin_offsetof(struct regs_io, nzcv) == 496, "asm");
_Static_assert(__builtin_offsetof(struct regs_io, v) == 528, "asm");
_Static_assert(__builtin_offsetof(struct regs_io, got_v) == 1040, "asm");

#define REGS_PAIRS(op, base, at)                                                                   \
#op " x1, x2, [" #base ", #" #at " + 8]; " #op " x3, x4, [" #base ", #" #at " + 24]\n" #op \
	    " x5, x6, [" #base ", #" #at " + 40]; " #op " x7, x8, [" #base ", #" #at               \
	    " + 56]\n" #op " x9, x10, [" #base ", #" #at " + 72]; " #op " x11, x12, [" #base       \
	    ", #" #at " + 88]\n" #op " x13, x14, [" #base ", #" #at " + 104]; " #op                \
	    " x15, x16, [" #base ", #" #at " + 120]\n" #op " x17, x18, [" #base ", #" #at          \
	    " + 136]; " #op " x19, x20, [" #base ", #" #at " + 152]\n" #op " x21, x22, [" #base    \
	    ", #" #at " + 168]; " #op " x23, x24, [" #base ", #" #at " + 184]\n" #op               \
	    " x25, x26, [" #base ", #" #at " + 200]; " #op " x27, x28, [" #base ", #" #at          \
	    " + 216]\n" #op " x29, x30, [" #base ", #" #at " + 232]\n"
#define REGS_V8(op, a, b, c, d, e, f, g, h, at)                                                    \
#op " q" #a ", q" #b ", [x1, #" #at "]; " #op " q" #c ", q" #d ", [x1, #" #at              \
	    " + 32]\n" #op " q" #e ", q" #f ", [x1, #" #at " + 64]; " #op " q" #g ", q" #h         \
	    ", [x1, #" #at " + 96]\n"
#define REGS_VECTORS(op)                                                                           \
	REGS_V8(op, 0, 1, 2, 3, 4, 5, 6, 7, 0)                                                     \
	REGS_V8(op, 8, 9, 10, 11, 12, 13, 14, 15, 128)                                             \
	REGS_V8(op, 16, 17, 18, 19, 20, 21, 22, 23, 256)                                           \
	REGS_V8(op, 24, 25, 26, 27, 28, 29, 30, 31, 384)
#define REGS_FUNCTION(name, body)                                                                  \
	__asm__(".text\n.globl " name "\n.type " name ",%function\n" name ":\n"                    \
		"stp x29, x30, [sp, #-176]!; stp x19, x20, [sp, #16]; stp x21, x22, [sp, #32]\n"   \
		"stp x23, x24, [sp, #48]; stp x25, x26, [sp, #64]; stp x27, x28, [sp, #80]\n"      \
		"stp d8, d9, [sp, #96]; stp d10, d11, [sp, #112]; stp d12, d13, [sp, #128]\n"      \
		"stp d14, d15, [sp, #144]; str x0, [sp, #160]\n"                                   \
		"add x1, x0, #528\n" REGS_VECTORS(                                                 \
			ldp) "ldr x2, [x0, #512]; msr fpcr, x2; ldr x2, [x0, #496]; msr nzcv, "    \
			     "x2\n" REGS_PAIRS(ldp, x0,                                            \
					       0) "ldr x0, [x0]\n" body "\n"                       \
						  "str x0, [sp, #168]; ldr x0, [sp, "              \
						  "#160]\n" REGS_PAIRS(                            \
							  stp, x0,                                 \
							  248) "ldr x2, [sp, #168]; str x2, [x0, " \
							       "#248]\n"                           \
							       "mrs x2, nzcv; str x2, [x0, "       \
							       "#504]; mrs x2, fpcr; str x2, "     \
							       "[x0, #520]\n"                      \
							       "add x1, x0, #1040\n" REGS_VECTORS( \
								       stp) "msr fpcr, xzr\n"      \
									    "ldp d8, d9, [sp, "    \
									    "#96]; ldp d10, d11, " \
									    "[sp, #112]; ldp "     \
									    "d12, d13, [sp, "      \
									    "#128]\n"              \
									    "ldp d14, d15, [sp, "  \
									    "#144]; ldp x19, "     \
									    "x20, [sp, #16]; ldp " \
									    "x21, x22, [sp, "      \
									    "#32]\n"               \
									    "ldp x23, x24, [sp, "  \
									    "#48]; ldp x25, x26, " \
									    "[sp, #64]; ldp x27, " \
									    "x28, [sp, #80]\n"     \
									    "ldp x29, x30, [sp], " \
									    "#176; "               \
									    "ret\n.size " name     \
									    ",.-" name "\n")

void regs_call(struct regs_io *io);
void regs_loop(struct regs_io *io);
REGS_FUNCTION("regs_call", "svc 0");
REGS_FUNCTION("regs_loop", "1: sub x8, x8, #1; cbnz x8, 1b");

/* The largest state there is: vectors (SVE), of another length than its own. False: it has none. */
static bool regs_want_tiles(void)
{
	return prctl(PR_SVE_SET_VL, REGS_SVE_BYTES) == REGS_SVE_BYTES;
}

/* In use, as by a program that has just computed with them: all bits, the predicates too. */
static void regs_use_sve(void)
{
	__asm__ volatile(".arch_extension sve\n"
			 "ptrue p0.b; dup z0.b, #0x5a; dup z31.b, #0x5a; setffr\n"
			 :
			 :
			 : "v0", "v31");
}

/*
 * A call discards what of the vectors is not in the v registers (Documentation/arch/arm64/sve.rst,
 * 3), but not their length.
 */
static const char *regs_sve_changed(void)
{
	return (prctl(PR_SVE_GET_VL) & PR_SVE_VL_LEN_MASK) == REGS_SVE_BYTES ? NULL
									     : "vector length";
}

static void regs_init(struct regs_io *io, uint64_t seed, bool tiles)
{
	memset(io, 0, sizeof(*io));
	io->sve = tiles;
	for (int i = 0; i < REGS_X; i++)
		io->x[i] = seed * 0x9e3779b97f4a7c15u + (uint64_t)i;
	for (int i = 0; i < REGS_V; i++)
		io->v[i] = (unsigned char)(seed * 31 + (uint64_t)i * 7);
	io->nzcv = 0xb0000000;
	io->fpcr = 0x00800000; /* round to minus infinity */
}

static const char *regs_changed(const struct regs_io *io)
{
	for (int i = 0; i < REGS_X; i++)
		if (io->x[i] != io->got[i] && i != (io->spun ? 8 : 0))
			return "x register";
	if (io->nzcv != io->got_nzcv)
		return "nzcv";
	if (io->fpcr != io->got_fpcr)
		return "fpcr";
	if (memcmp(io->v, io->got_v, REGS_V) != 0)
		return "v register";
	return io->sve ? regs_sve_changed() : NULL;
}

static long regs_syscall(struct regs_io *io, long nr, uint64_t a, uint64_t b, uint64_t c,
			 uint64_t d)
{
	const uint64_t arg[] = { a, b, c, d };

	memcpy(io->x, arg, sizeof(arg));
	io->x[8] = (uint64_t)nr;
	io->spun = false;
	if (io->sve)
		regs_use_sve();
	regs_call(io);
	return (long)io->got[0];
}

static void regs_spin(struct regs_io *io, uint64_t rounds)
{
	io->x[8] = rounds;
	io->spun = true;
	regs_loop(io);
}
#endif
#endif

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/seccomp_verdict.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

struct machine {
	uint32_t a, x;
	uint32_t mem[BPF_MEMWORDS];
};

static bool alu(uint16_t op, uint32_t *a, uint32_t v)
{
	switch (op) {
	case BPF_ADD:
		*a += v;
		return true;
	case BPF_SUB:
		*a -= v;
		return true;
	case BPF_MUL:
		*a *= v;
		return true;
	case BPF_AND:
		*a &= v;
		return true;
	case BPF_OR:
		*a |= v;
		return true;
	case BPF_XOR:
		*a ^= v;
		return true;
	case BPF_LSH:
		*a <<= v & 31;
		return true;
	case BPF_RSH:
		*a >>= v & 31;
		return true;
	case BPF_NEG:
		*a = -*a;
		return true;
	case BPF_DIV:
		if (!v)
			return false; /* the kernel ends the filter with 0: kill */
		*a /= v;
		return true;
	default:
		return false;
	}
}

static bool condition(uint16_t op, uint32_t a, uint32_t v)
{
	switch (op) {
	case BPF_JEQ:
		return a == v;
	case BPF_JGT:
		return a > v;
	case BPF_JGE:
		return a >= v;
	default:
		return a & v; /* BPF_JSET */
	}
}

static bool load(const struct sock_filter *insn, const struct machine *m,
		 const struct seccomp_data *data, uint32_t *ret)
{
	switch (BPF_MODE(insn->code)) {
	case BPF_IMM:
		*ret = insn->k;
		return true;
	case BPF_LEN:
		*ret = sizeof(*data);
		return true;
	case BPF_MEM:
		if (insn->k >= BPF_MEMWORDS)
			return false;
		*ret = m->mem[insn->k];
		return true;
	case BPF_ABS:
		if (insn->k % 4 || insn->k > sizeof(*data) - 4)
			return false;
		memcpy(ret, (const char *)data + insn->k, 4);
		return true;
	default:
		return false;
	}
}

static bool store(struct machine *m, uint32_t slot, uint32_t v)
{
	if (slot >= BPF_MEMWORDS)
		return false;
	m->mem[slot] = v;
	return true;
}

/* All instructions but RET and JMP. */
static bool step(const struct sock_filter *insn, struct machine *m, const struct seccomp_data *data)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		return load(insn, m, data, &m->a);
	case BPF_LDX:
		return load(insn, m, data, &m->x);
	case BPF_ST:
		return store(m, insn->k, m->a);
	case BPF_STX:
		return store(m, insn->k, m->x);
	case BPF_ALU:
		return alu(BPF_OP(insn->code), &m->a,
			   BPF_SRC(insn->code) == BPF_X ? m->x : insn->k);
	case BPF_MISC:
		if (BPF_MISCOP(insn->code) == BPF_TAX)
			m->x = m->a;
		else
			m->a = m->x;
		return true;
	default:
		return false;
	}
}

static size_t jump(const struct sock_filter *insn, const struct machine *m)
{
	uint32_t v = BPF_SRC(insn->code) == BPF_X ? m->x : insn->k;

	if (BPF_OP(insn->code) == BPF_JA)
		return insn->k;
	return condition(BPF_OP(insn->code), m->a, v) ? insn->jt : insn->jf;
}

/* Jumps only go forward, so this terminates. */
uint32_t seccomp_filter_run(const struct sock_filter *insns, size_t n,
			    const struct seccomp_data *data)
{
	struct machine m = { 0 };

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *insn = &insns[pc];

		if (BPF_CLASS(insn->code) == BPF_RET)
			return BPF_RVAL(insn->code) == BPF_A ? m.a : insn->k;
		if (BPF_CLASS(insn->code) == BPF_JMP)
			pc += jump(insn, &m);
		else if (!step(insn, &m, data))
			break;
	}
	return SECCOMP_RET_KILL_PROCESS;
}

bool seccomp_allows(uint32_t result)
{
	uint32_t action = result & SECCOMP_RET_ACTION_FULL;

	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG;
}

#ifndef PTRACE_SECCOMP_GET_FILTER
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif

int seccomp_verdict(pid_t tid, const struct seccomp_data *calls, size_t n,
		    struct sock_filter *insns, int *ret_nr)
{
	for (uintptr_t i = 0;; i++) {
		long len = ptrace(PTRACE_SECCOMP_GET_FILTER, tid, (void *)i, insns);

		if (len < 0) /* ENOENT: past the last one */
			return errno == ENOENT && i > 0 ? 0 : -errno;
		for (size_t c = 0; c < n; c++) {
			if (seccomp_allows(seccomp_filter_run(insns, (size_t)len, &calls[c])))
				continue;
			*ret_nr = calls[c].nr;
			return -EACCES;
		}
	}
}

/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/tracee.h"
#include "act/inject/sigframe.h"
#include "act/inject/tracee_mem.h"
#include "base/now.h"

#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

enum { POLLS = 100 }; /* some 40 us */

void tracee_init(struct tracee *t, pid_t tid, bool polls, unsigned *calls)
{
	*t = (struct tracee){ .tid = tid, .polls = polls, .calls = calls };
}

static long request(struct tracee *t, int what, uintptr_t addr, uintptr_t data)
{
	long got;

	++*t->calls;
	got = ptrace(what, t->tid, (void *)addr, (void *)data);
	return got < 0 ? -errno : got;
}

int tracee_stop(struct tracee *t)
{
	long err = request(t, PTRACE_SEIZE, 0, PTRACE_O_TRACESYSGOOD);

	if (err < 0)
		return (int)err;
	t->seized = true;
	t->asked_at = now_mono();
	return (int)request(t, PTRACE_INTERRUPT, 0, 0);
}

static enum tracee_event stop_event(struct tracee *t, int status)
{
	int signal = status & 0xff, event = status >> 8;

	if (event == PTRACE_EVENT_STOP)
		return signal == SIGTRAP ? TRACEE_STOPPED : TRACEE_GROUP;
	if (event)
		return TRACEE_OTHER;
	if (signal == (SIGTRAP | 0x80))
		return TRACEE_SYSCALL;
	t->signal = signal;
	return TRACEE_SIGNAL;
}

/*
 * Most stops come within some 20 us, and waking this process up takes as long again, while the
 * thread stands still: so poll for a while before sleeping. Yield, because the thread may need this
 * very CPU.
 */
static int next_stop(struct tracee *t, siginfo_t *ret)
{
	const int what = WSTOPPED | WEXITED | __WALL | WNOWAIT;

	for (int i = 0;; i++) {
		int got;

		ret->si_pid = 0;
		++*t->calls;
		got = waitid(P_PID, (id_t)t->tid, ret,
			     t->polls && i < POLLS ? what | WNOHANG : what);
		if (got == 0 && ret->si_pid)
			return 0;
		if (got < 0 && errno != EINTR)
			return -errno;
		sched_yield();
	}
}

int tracee_wait(struct tracee *t, enum tracee_event *ret_event)
{
	siginfo_t info;
	int err = next_stop(t, &info);

	if (err < 0)
		return err;
	if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED) {
		t->seized = false;
		t->must_exit_to_detach = true;
		*ret_event = TRACEE_ENDED;
		return 0;
	}
	t->stopped = true;
	if (!t->seen_at)
		t->seen_at = now_mono();
	*ret_event = stop_event(t, info.si_status);
	return 0;
}

static int read_set(struct tracee *t, int note, void *buf, size_t *len)
{
	struct iovec io = { buf, *len };
	long err = request(t, PTRACE_GETREGSET, (uintptr_t)note, (uintptr_t)&io);

	if (err < 0)
		return (int)err;
	*len = io.iov_len;
	return 0;
}

int tracee_read_regs(struct tracee *t, struct sigframe_stop *ret)
{
	size_t len = sizeof(ret->regs);
	int err = read_set(t, NT_PRSTATUS, &ret->regs, &len);

	if (err < 0)
		return err;
	return sigframe_native(&ret->regs, len) ? 0 : -ENOTSUP;
}

int tracee_read_state(struct tracee *t, struct sigframe_stop *ret)
{
	int err;

	ret->xstate_len = sizeof(ret->xstate);
	err = read_set(t, sigframe_xstate_regset, ret->xstate, &ret->xstate_len);
	if (err < 0)
		return err;
	return (int)request(t, PTRACE_GETSIGMASK, sizeof(ret->sigmask), (uintptr_t)&ret->sigmask);
}

/* Linux 6.4; the header that has it clashes with sys/ptrace.h. */
enum { GET_DISPATCH = 0x4211 };
struct dispatch_config {
	uint64_t mode, selector, offset, len;
};

bool tracee_dispatches_calls(struct tracee *t)
{
	struct dispatch_config conf = { 0 };

	return request(t, GET_DISPATCH, sizeof(conf), (uintptr_t)&conf) == 0 && conf.mode != 0;
}

bool tracee_has_unsupported_regsets(struct tracee *t)
{
	for (const int *note = sigframe_unsupported_regsets; *note; note++) {
		unsigned char data[64];
		size_t len = sizeof(data);

		if (read_set(t, *note, data, &len) == 0 && sigframe_regset_in_use(*note, data, len))
			return true;
	}
	return false;
}

int tracee_write_regs(struct tracee *t, const void *regs, size_t len)
{
	struct iovec io = { (void *)regs, len };

	return (int)request(t, PTRACE_SETREGSET, NT_PRSTATUS, (uintptr_t)&io);
}

int tracee_block_signals(struct tracee *t)
{
	uint64_t all = ~0ull;

	return (int)request(t, PTRACE_SETSIGMASK, sizeof(all), (uintptr_t)&all);
}

int tracee_step_call(struct tracee *t)
{
	int signal = t->signal;

	t->signal = 0;
	t->stopped = false;
	return (int)request(t, PTRACE_SYSCALL, 0, (uintptr_t)signal);
}

int tracee_release(struct tracee *t)
{
	long err = 0;

	if (t->seized && t->stopped)
		err = request(t, PTRACE_DETACH, 0, (uintptr_t)t->signal);
	t->must_exit_to_detach |= t->seized && (!t->stopped || err < 0);
	t->seized = t->stopped = false;
	t->signal = 0;
	return (int)err;
}

#ifndef PTRACE_GET_RSEQ_CONFIGURATION /* Linux 5.13 */
#define PTRACE_GET_RSEQ_CONFIGURATION 0x420f
#endif

/* linux/ptrace.h clashes with sys/ptrace.h, linux/rseq.h is not in every distribution. */
struct rseq_configuration {
	uint64_t area;
	uint32_t size, signature, flags, pad;
};
struct rseq_section {
	uint32_t version, flags;
	uint64_t start_ip, length, abort_ip;
};
enum { RSEQ_CS = 8 }; /* offset of the pointer to the current section in struct rseq */

int tracee_in_rseq(struct tracee *t, uint64_t pc, bool *ret_inside)
{
	struct rseq_configuration conf = { 0 };
	struct rseq_section section;
	struct tracee_mem mem;
	uint64_t at = 0;
	bool read_all;

	*ret_inside = false;
	if (request(t, PTRACE_GET_RSEQ_CONFIGURATION, sizeof(conf), (uintptr_t)&conf) < 0 ||
	    !conf.area)
		return 0; /* older kernel, or none registered */
	tracee_mem_init(&mem, t->tid, t->calls);
	read_all = tracee_mem_read(&mem, conf.area + RSEQ_CS, &at, sizeof(at)) == sizeof(at);
	if (read_all && at) {
		read_all = tracee_mem_read(&mem, at, &section, sizeof(section)) == sizeof(section);
		*ret_inside = read_all && pc - section.start_ip < section.length;
	}
	tracee_mem_close(&mem);
	return read_all ? 0 : -EFAULT;
}

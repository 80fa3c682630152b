/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Architectures that have no frame_ARCH.c: no instructions to look for, so that no thread ever
 * qualifies and `auto` takes a copy of the descriptor instead.
 */
#ifndef __x86_64__
#include "act/frame.h"

#include <errno.h>

const int frame_xstate_note = 0;
const uint32_t frame_audit_arch = 0;
const struct frame_pattern frame_patterns[1] = {{0}};
const size_t frame_n_patterns = 0;

void frame_layout_read(struct frame_layout *layout)
{
	*layout = (struct frame_layout){0};
}

int frame_build(const struct frame_stop *stop, const struct frame_code *code,
		const struct frame_call *call, const struct frame_layout *layout,
		struct frame *ret_frame)
{
	(void)stop, (void)code, (void)call, (void)layout, (void)ret_frame;
	return -EINVAL;
}

bool frame_restarts(const frame_regs *regs, long nr)
{
	(void)regs, (void)nr;
	return false;
}

bool frame_native(const frame_regs *regs, size_t len)
{
	(void)regs, (void)len;
	return false;
}

uint64_t frame_sp(const frame_regs *regs)
{
	return regs->sp;
}

uint64_t frame_pc(const frame_regs *regs)
{
	return regs->pc;
}

bool frame_at_call(const frame_regs *regs, const struct frame_code *code, long nr)
{
	(void)regs, (void)code, (void)nr;
	return false;
}

long frame_call_value(const frame_regs *regs)
{
	(void)regs;
	return -ENOSYS;
}

void frame_call_cancel(frame_regs *regs)
{
	(void)regs;
}

uint64_t frame_seccomp_ip(const struct frame_code *code, int which)
{
	(void)code, (void)which;
	return 0;
}

bool frame_code_complete(const struct frame_code *code)
{
	(void)code;
	return false;
}
#endif

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Executors whose event loop fails: the thread that waits for events gets another instruction to go on with."""

import pathlib
import platform

# The number of epoll_pwait(2) or epoll_wait(2), an undefined instruction, and a jump to itself.
MACHINE = {"x86_64": ({232, 281}, b"\x0f\x0b", b"\xeb\xfe"),
           "aarch64": ({22}, b"\0\0\0\0", b"\0\0\0\x14")}


def _replace(executor, instruction):
    for thread in pathlib.Path(f"/proc/{executor.pid}/task").iterdir():
        words = (thread / "syscall").read_text().split()
        if words[0].isdigit() and int(words[0]) in MACHINE[platform.machine()][0]:
            with open(f"/proc/{executor.pid}/mem", "r+b", buffering=0) as memory:
                memory.seek(int(words[-1], 16))
                memory.write(instruction)


def crash(executor):
    """At the next event."""
    _replace(executor, MACHINE[platform.machine()][1])


def hang(executor):
    """From the next event on: it runs, and handles none."""
    _replace(executor, MACHINE[platform.machine()][2])

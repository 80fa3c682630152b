# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""An older kernel, as far as system calls tell: those that it lacks do not exist for a program."""

import sys

# Numbers that are the same on every architecture.
PIDFD_OPEN, PIDFD_GETFD = 434, 438

# argv: the numbers with commas, then a command.
_FILTER = """
import ctypes, os, struct, sys
calls = list(map(int, sys.argv[1].split(",")))
rules = [(0x20, 0, 0, 0)]  # the number
rules += [(0x15, len(calls) - i, 0, call) for i, call in enumerate(calls)]
rules += [(0x06, 0, 0, 0x7fff0000), (0x06, 0, 0, 0x50026)]  # allowed, or ENOSYS
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(rules), ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
    sys.exit("no filter")
os.execv(sys.argv[2], sys.argv[2:])
"""


def without_calls(*calls):
    """A prefix: for the command behind it these system calls fail with ENOSYS."""
    return [sys.executable, "-c", _FILTER, ",".join(map(str, calls))]

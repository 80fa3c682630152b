# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A file system whose server reads no request: whoever looks at it waits for ever."""

import sys

# argv: where to mount, then a command; 99 if that hangs.
_MOUNT = """
import ctypes, os, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)
assert libc.unshare(0x00020000) == 0  # CLONE_NEWNS
assert libc.mount(b"none", b"/", None, 0x44000, None) == 0  # MS_REC | MS_PRIVATE
fd = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={fd},rootmode=40000,user_id=0,group_id=0".encode()
assert libc.mount(b"dead", sys.argv[1].encode(), b"fuse", 0, options) == 0
child = subprocess.Popen(sys.argv[2:])
try:
    code = child.wait(timeout=20)
except subprocess.TimeoutExpired:
    child.kill()
    code = 99
os.close(fd)
os._exit(code)
"""


def dead_at(path):
    """A prefix: for the command behind it, and for no other process, nothing answers what is asked of path."""
    return [sys.executable, "-c", _MOUNT, str(path)]

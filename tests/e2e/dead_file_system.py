# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""File systems whose server answers nothing, or nothing any more: whoever looks at them waits for ever."""

import subprocess
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


# argv: a file, which becomes one of a file system of its own in a mount namespace of its own. A line on standard
# input: nothing is answered any more.
_SERVE = r"""
import ctypes, os, select, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
assert libc.unshare(0x00020000) == 0  # CLONE_NEWNS
assert libc.mount(b"none", b"/", None, 0x44000, None) == 0  # MS_REC | MS_PRIVATE
fuse = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={fuse},rootmode=100644,user_id=0,group_id=0,allow_other".encode()
assert libc.mount(b"dying", sys.argv[1].encode(), b"fuse", 0, options) == 0
print("mounted", flush=True)
content = b""

# include/uapi/linux/fuse.h
INIT, GETATTR, OPEN, READ, WRITE, RELEASE, FLUSH, FORGET, INTERRUPT = 26, 3, 14, 15, 16, 18, 25, 2, 36

def answer(opcode, body):
    global content
    if opcode == INIT:
        return struct.pack("<4I2H2I2H8I", 7, 31, 0, 0, 8, 6, 1 << 16, 1, 16, 0, *[0] * 8)
    if opcode == GETATTR:  # valid for no time at all
        return struct.pack("<QII6Q10I", 0, 0, 0, 1, len(content), 0, 0, 0, 0, 0, 0, 0, 0o100644, 1, 0, 0, 0, 4096, 0)
    if opcode == OPEN:
        return struct.pack("<QII", 0, 1, 0)  # FOPEN_DIRECT_IO
    if opcode == READ:
        _, offset, size = struct.unpack_from("<QQI", body)
        return content[offset:offset + size]
    if opcode == WRITE:
        size = struct.unpack_from("<QQI", body)[2]
        content += body[40:40 + size]
        return struct.pack("<II", size, 0)
    return b"" if opcode in (RELEASE, FLUSH) else None

while True:
    if 0 in select.select([0, fuse], [], [])[0]:
        break
    request = os.read(fuse, 1 << 18)
    _, opcode, unique = struct.unpack_from("<IIQ", request)
    if opcode in (FORGET, INTERRUPT):
        continue
    result = answer(opcode, request[40:])
    error = -38 if result is None else 0  # ENOSYS
    os.write(fuse, struct.pack("<IiQ", 16 + len(result or b""), error, unique) + (result or b""))
if sys.stdin.readline():
    print("dead", flush=True)
    sys.stdin.readline()
"""


class DyingFile:
    """A file (.path) that can be read and written, and be opened by everybody, until die()."""

    def __init__(self, path):
        path.write_bytes(b"")
        self.server = subprocess.Popen([sys.executable, "-c", _SERVE, str(path)], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)
        assert self.server.stdout.readline() == "mounted\n"
        self.path = f"/proc/{self.server.pid}/root{path}"

    def die(self):
        self.server.stdin.write("die\n")
        self.server.stdin.flush()
        assert self.server.stdout.readline() == "dead\n"

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        """Who waits for it gets an error now."""
        self.server.kill()
        self.server.communicate()

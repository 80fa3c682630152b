# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What an audit opens. A node has hundreds of executors: each of their files is opened once."""

import collections
import os
import re

from labnode import executors

# openat(5</proc/4711>, "environ", O_RDONLY|O_CLOEXEC) = 6</proc/4711/environ>
OPENED = re.compile(r'openat\([^<,]*(?:<([^>]*)>)?, "([^"]*)", [^)]*\) += \d')


def opens(ew, tmp_path, *args):
    """{path: how often an audit opens it}, in all of its processes."""
    traces = tmp_path / "traces"  # a file a thread: in one of all, a call may be cut in two by another
    traces.mkdir()
    done = ew("audit", *args, prefix=("strace", "-ff", "-y", "-qq", "-s", "4096", "-e", "trace=openat", "-o", traces / "of"))
    assert done.code == 0, done
    return collections.Counter(os.path.normpath(os.path.join(directory or "/", name)) for trace in traces.iterdir()
                               for directory, name in OPENED.findall(trace.read_text(encoding="utf-8")))


def below(counter, directory):
    """The same of that directory, relative to it."""
    return {os.path.relpath(path, directory): n for path, n in counter.items()
            if os.path.commonpath([path, directory]) == directory}


def test_files_of_proc(lab, ew, tmp_path):
    """With eight threads each, of which none is stopped, traced or in uninterruptible sleep. The library is that of
    all, and is read once."""
    node = lab(executors(3, kind="v0-old"))
    opened = opens(ew, tmp_path)
    libraries = 0
    for executor in node.executors():
        files = below(opened, f"/proc/{executor.pid}")
        libraries += sum(files.pop(path) for path in list(files) if path.startswith("map_files/"))
        assert files == {".": 1, "environ": 1, "stat": 1, "cgroup": 1, "cmdline": 1, "maps": 1}
        assert below(opened, f"/proc/{executor.task_pid}") == {".": 1, "environ": 1, "stat": 1}
    assert libraries == 1


def test_files_of_checkpoints(lab, ew, tmp_path):
    node = lab(executors(3, kind="v0-old"))
    opened = below(opens(ew, tmp_path), os.path.join(node.work_dir, "meta"))
    assert {path: n for path, n in opened.items() if "/executors/" in path and n > 1} == {}
    assert sum(path.endswith("forked.pid") for path in opened) == 3

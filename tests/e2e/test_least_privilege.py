# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""execwatch gives up what it does not use; the command of `run` does not feel it."""

import json
import pathlib
import re
import subprocess

from execwatch import EXECWATCH
from labnode import executors

NEEDED = {1: "dac_override", 2: "dac_read_search", 12: "net_admin", 19: "sys_ptrace",
          21: "sys_admin", 38: "perfmon", 39: "bpf"}


def capabilities(status, which):
    mask = int(re.search(rf"^{which}:\s*([0-9a-f]+)$", status, re.M)[1], 16)
    return {bit for bit in range(64) if mask >> bit & 1}


def test_a_watch_holds_only_what_it_needs(lab, port, tmp_path):
    node = lab(executors(1, kind="v0-old"))
    watch = subprocess.Popen([EXECWATCH, "-p", str(port), "--netns", str(node.netns), "--state-dir", str(tmp_path), "--run-dir", str(tmp_path),
                              "watch", "-f", "jsonl"], stdout=subprocess.PIPE)
    try:
        while json.loads(watch.stdout.readline())["type"] != "executor":
            pass  # all is loaded and the first pass made
        status = pathlib.Path(f"/proc/{watch.pid}/status").read_text()
        assert capabilities(status, "CapEff") == set(NEEDED)
        assert capabilities(status, "CapPrm") == set(NEEDED)
    finally:
        watch.terminate()
        watch.stdout.read()
        watch.wait(timeout=30)


def test_the_command_is_roots_own(lab, port, tmp_path):
    node = lab(executors(1, kind="v0-old"))
    shown = tmp_path / "status"
    script = 'cp /proc/self/status "$0" && exec "$@"'
    done = subprocess.run([EXECWATCH, "-p", str(port), "--netns", str(node.netns), "--state-dir", str(tmp_path), "--run-dir", str(tmp_path),
                           "run", "--yes", "-q", "--until", "settled", "--",
                           "sh", "-c", script, str(shown), *node.command(*node.restart_args())],
                          capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    own = capabilities(pathlib.Path("/proc/self/status").read_text(), "CapEff")
    assert capabilities(shown.read_text(), "CapEff") == own

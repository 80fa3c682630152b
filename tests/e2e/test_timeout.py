# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""audit and doctor end within --timeout, whatever does not answer: what was not looked at is unknown, and named."""

import contextlib
import os
import pathlib
import signal
import socket

import pytest

from dead_file_system import dead_at
from execwatch import by_id, each
from labnode import executors

CUT = "there was no time left; see --timeout"

@pytest.fixture
def node(lab):
    return lab(executors(2, kind="v0-old"), conntrack=True)


def is_one_line_that_names(done, *words):
    assert done.code == 3, done
    assert done.out.startswith("EXECWATCH UNKNOWN - ")
    assert done.out.count("\n") == 1
    for word in words:
        assert word in done.out


def nothing_is_left(node, ew):
    """No process of that run."""
    def left():
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                found += [path] if str(ew.state_dir).encode() in path.read_bytes() else []
        return found
    node.wait_until(lambda: not left(), what="the end of what was started")


def test_a_dead_work_directory(node, ew):
    """A report of what there was time for."""
    document = ew.json("audit", "--timeout", "2s", prefix=dead_at(node.work_dir), code=3)
    assert each(document, node, "verdict") == {"task-0": "unknown", "task-1": "unknown"}
    assert f"Could not read the agent's checkpoints: {CUT}." in document["notes"]
    nothing_is_left(node, ew)


@pytest.mark.parametrize("verb, option, named", [
    ("audit", "state_dir", "the audit log in"),
    ("doctor", "run_dir", "the run dir"),
])
def test_a_dead_directory_of_our_own(node, ew, verb, option, named):
    """What hangs is execwatch itself: it is given up."""
    path = getattr(ew, option)
    path.mkdir()
    done = ew(verb, "--timeout", "2s", "-f", "nagios", prefix=dead_at(path))
    is_one_line_that_names(done, f"{verb}: not done within 2 s, still waiting for {named} '{path}'")
    nothing_is_left(node, ew)


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_an_agent_that_is_stopped(node, ew):
    node.wait_registered()
    with stopped(node.agent_pid):
        document = ew.json("audit", "--timeout", "2s", code=3)
        assert each(document, node, "verdict") == {"task-0": "unknown", "task-1": "unknown"}
        is_one_line_that_names(ew("audit", "--timeout", "2s", "-f", "nagios"), "2 of 2 executors could not be checked")
        found = {c["name"]: c for c in ew.json("doctor", "--timeout", "2s", code=3)["checks"]}
    assert "no answer in time" in found["agent api"]["detail"]
    assert found["scan"]["state"] == "missing"
    assert "--timeout" in found["scan"]["cure"]


def test_a_listener_that_never_answers(node, ew):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        document = ew.json("audit", "--timeout", "2s", "--agent-url", url, code=3)
    assert each(document, node, "verdict") == {"task-0": "unknown", "task-1": "unknown"}
    assert f"Could not read states of processes: {CUT}." in document["notes"]


def test_a_program_that_is_slow(node, ew, tmp_path):
    """nft takes its time: whether the rules let the FIN pass is not known, and nothing gets better by it."""
    slow = tmp_path / "nft"
    slow.write_text("#!/bin/sh\nexec sleep 100\n")
    slow.chmod(0o755)
    node.forget("task-0")
    hidden = ["unshare", "-m", "--propagation", "private", "sh", "-c",
              f'mount --bind {slow} "$(command -v nft)" && exec "$@"', "sh"]
    document = ew.json("audit", "--timeout", "2s", prefix=hidden, code=3)
    assert by_id(document, node)["task-0"]["links"][0]["fin_accepted"] == "unknown"
    assert f"Could not read the agent's checkpoints: {CUT}." in document["notes"]

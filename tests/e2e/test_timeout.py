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
from labnode import agent, executors
from servers import Server

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


# argv: a program that hangs, then a command, which meets it in place of what execwatch runs, and a systemd that runs.
_HANGING = """
for name in systemctl journalctl nft; do mount --bind "$0" "$(command -v $name)" || exit 98; done
mount -t tmpfs none /run/systemd && mkdir /run/systemd/system && exec "$@"
"""


@pytest.fixture
def hanging(lab, port, tmp_path):
    """(a node, a prefix, arguments): the agent, docker, the master, the work directory, what the next start reads and
    each program that execwatch runs answer nothing, all at once."""
    docker, slow, unit = tmp_path / "docker.sock", tmp_path / "slow", tmp_path / "mesos-agent.service"
    node = lab(agent(port=port, env=f"MESOS_CONTAINERIZERS=docker,mesos MESOS_DOCKER_SOCKET={docker}"),
               executors(2, kind="v0-old"), conntrack=True)
    node.wait_registered()
    slow.write_text("#!/bin/sh\nexec sleep 100\n")
    slow.chmod(0o755)
    unit.write_text(f"[Service]\nEnvironmentFile={node.work_dir}/env\nExecStart=/usr/sbin/mesos-agent\n")
    servers = [Server(node, "unix", str(docker), answers={"/containers/json": "hang"}),
               Server(node, "tcp", "127.0.0.1", "5050", answers={"/slaves": "hang", "/flags": "hang"})]
    prefix = ["unshare", "-m", "--propagation", "private", "sh", "-c", _HANGING, str(slow), *dead_at(node.work_dir)]
    with stopped(node.agent_pid):
        yield node, prefix, ["--master-url", "http://127.0.0.1:5050", "--next-unit", str(unit)]
    for server in servers:
        server.end()


@pytest.mark.parametrize("timeout", ["1s", "4s"])
def test_all_hangs_at_once(hanging, ew, timeout):
    """A report within the limit, of which nothing is good. dead_at() ends what goes on, after 20 s."""
    node, prefix, args = hanging
    document = ew.json("audit", "--timeout", timeout, *args, prefix=prefix, code=3)
    assert each(document, node, "verdict") == {"task-0": "unknown", "task-1": "unknown"}
    assert f"Could not read the agent's checkpoints: {CUT}." in document["notes"]
    nothing_is_left(node, ew)

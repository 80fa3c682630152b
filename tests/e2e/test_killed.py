# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""execwatch gets SIGKILL at a random moment while it acts: no executor is harmed, the next start works
and says what is known, and the audit log has a result for every act."""

import collections
import contextlib
import fcntl
import os
import pathlib
import random
import re
import select
import signal
import time

import pytest

from connections import keeps_its_links
from execwatch import tries
from labnode import LabNode, agent, executors

# Of each verb. All together: 40, and 625 in `make check-all`.
TRIES = tries(8, 125)
N = 3


def status_of(executor):
    with open(f"/proc/{executor.pid}/status", encoding="ascii") as f:
        return dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)


def descriptors(executor):
    return set(map(int, os.listdir(f"/proc/{executor.pid}/fd")))


def is_as_before(executor, before):
    """Running, traced by nobody, and without a descriptor that it had not; a new link takes the number of the old
    one. The kernel detaches a killed tracer's thread, which then finishes, some time after."""
    status = status_of(executor)
    return status["State"][0] not in "Tt" and status["TracerPid"] == "0" and descriptors(executor) <= before


def is_free(lock):
    with open(lock, "r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def shutdown(method):
    def begin(ew, node):
        del node
        return ew.start("shutdown", "--yes", "--method", method)
    return begin


def began(ew):
    """A file: its command has begun."""
    return ew.state_dir.parent / "command"


def run(ew, node):
    restart = " ".join(map(str, node.command(*node.restart_args())))
    return ew.start("run", "--yes", "--until", "settled", "--", "sh", "-c", f"touch {began(ew)}; {restart}; exit")


def nothing_runs(ew):
    """No process of that run, its command included, which goes on by itself."""
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(ew.state_dir.parent).encode() in path.read_bytes():
                return False
    return True


def is_restarted(ew, node):
    """Once the command of `run` has ended, if it had begun: all are back."""
    node.wait_until(lambda: nothing_runs(ew), what="the end of its command")
    if not began(ew).exists():
        return False
    began(ew).unlink()
    node.wait_recovered()
    node.wait_registered()
    return True


def guard(ew, node):
    """The agent ends when it is armed."""
    guarding = ew.start("guard", "--yes", "--until", "settled").wait_for("the guard is armed")
    node.forget("all")
    end = os.pidfd_open(node.agent_pid)
    os.kill(node.agent_pid, signal.SIGKILL)
    select.select([end], [], [], 10)
    os.close(end)
    return guarding


def kill_at(ew, node, background, moment, seconds):
    """`seconds` after its start, or after it has written down what it is about to do."""
    if moment == "act":
        node.wait_until(lambda: ew.audit_log() or background.process.poll() is not None, what="the first intent")
    time.sleep(seconds)
    background.process.kill()
    background.process.wait()
    if (ew.run_dir / "acting.lock").exists():
        node.wait_until(lambda: is_free(ew.run_dir / "acting.lock"), what="the end of its worker")


def acts_of(ew):
    """{executor: "intent" or "result" of each line}, without what an armed guard would have done."""
    acts = collections.defaultdict(list)
    for line in ew.audit_log():
        if line.get("reason_id") != "guard":
            acts[line["executor_id"]].append(line["phase"])
    return acts


def each_has_a_result(acts):
    return all(phases.count("intent") <= phases.count("result") for phases in acts.values())


def done_of(ew, result="done"):
    return {line["executor_id"] for line in ew.audit_log() if line["result"] == result}


def files_remove(ew):
    for path in (ew.state_dir, ew.run_dir):
        for file in path.glob("*"):
            if file.is_file():
                file.unlink()


@pytest.mark.parametrize("name, begin, longest", [
    ("ptrace", shutdown("ptrace"), 0.4), ("pidfd", shutdown("pidfd"), 0.4), ("run", run, 1.2), ("guard", guard, 0.05)])
def test_killed_at_a_random_moment(ew, name, begin, longest):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    moments = random.Random(seed)
    for _ in range(TRIES):
        with LabNode(agent(port=ew.port), executors(N, kind="v0-old"), conntrack=True) as node:
            if name != "guard":
                node.forget("all")
            before = node.executors()
            had = {e.executor_id: descriptors(e) for e in before}
            moment = moments.choice(["start", "act"]) if name != "guard" else "start"
            kill_at(ew, node, begin(ew, node), moment, moments.uniform(0, longest if moment == "start" else 0.02))
            node.wait_until(lambda: all(is_as_before(e, had[e.executor_id]) for e in before),
                            what="executors that are as before")
            begun = {line["executor_id"] for line in ew.audit_log()}
            done = done_of(ew)
            lost = {e.executor_id for e in before if not keeps_its_links(e)}
            if name != "run":  # its agent, and the links to that, may be others by now
                assert lost <= begun
            restarted = name == "run" and is_restarted(ew, node)
            again = ew("shutdown", "--yes")
            assert each_has_a_result(acts_of(ew)), again
            # Of those that were begun and never seen to be done it cannot be known who disconnected them.
            assert again.code == (2 if begun - done_of(ew) and not restarted else 0), again
            assert not any(keeps_its_links(e) for e in before)
            if name in ("ptrace", "pidfd"):
                assert ("was killed while it acted" in again.err) == bool(begun - done), again
            assert all(e.alive for e in node.executors())
        files_remove(ew)


def test_hold_killed_at_a_random_moment(ew):
    """A message is sent whole or not at all; who was not reached still waits, and the next hold reaches it."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    moments = random.Random(seed)
    for _ in range(TRIES):
        with LabNode(agent(port=ew.port), executors(N, kind="v0-old")) as node:
            node.stop_agent()
            node.wait_until(lambda: node.phases("all") == {"disconnected"}, what="the executors' clocks")
            before = node.executors()
            had = {e.executor_id: descriptors(e) for e in before}
            moment = moments.choice(["start", "act"])
            kill_at(ew, node, ew.start("hold", "--yes"), moment,
                    moments.uniform(0, 0.4 if moment == "start" else 0.1))
            node.wait_until(lambda: all(is_as_before(e, had[e.executor_id]) for e in before),
                            what="executors that are as before")
            begun = {line["executor_id"] for line in ew.audit_log()}
            held = done_of(ew, "held")
            reached = {e.executor_id for e in node.executors() if e.phase == "reregistered"}
            assert held <= reached <= begun
            again = ew("hold", "--yes")
            assert again.code == 1, again
            told = re.findall(r"(\S+) \(pid \d+\): it is not known whether it got the message", again.err)
            assert sorted(told) == sorted(begun - held), again
            assert ("was killed while it acted" in again.err) == bool(begun - held), again
            assert each_has_a_result(acts_of(ew)), again
            assert node.phases("all") == {"reregistered"}
            node.start_agent()
            node.wait_recovered()
            node.wait_registered()
            assert [e.pid for e in node.executors() if e.alive] == [e.pid for e in before]
        files_remove(ew)

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Kernels before 5.6 cannot copy a descriptor of another process, and those before 5.3 have no descriptors of
processes: what works there, and that the rest is refused with the reason. BPF is left out, as it is there."""

import pytest

from execwatch import each
from guarding import alive, results, restart
from labnode import executors
from without_calls import PIDFD_GETFD, PIDFD_OPEN, without_calls


@pytest.fixture(params=[(PIDFD_GETFD,), (PIDFD_OPEN, PIDFD_GETFD)], ids=["linux-5.5", "linux-4.19"])
def kernel(request):
    return without_calls(*request.param)


@pytest.fixture
def node(lab):
    return lab(executors(3, kind="v0-old"), conntrack=True)


def reasons(document):
    return {a["executor_id"]: (a["result"], a["reason_id"]) for a in document["acts"]}


def test_shutdown_acts_by_ptrace(node, ew, kernel):
    node.forget("all")
    document = ew.json("shutdown", "--yes", "--no-bpf", "--method", "pidfd", "--pid", node.executor("task-0").pid,
                       prefix=kernel, code=1)
    assert reasons(document) == {"task-0": ("refused", "no-pidfd")}
    document = ew.json("shutdown", "--yes", "--no-bpf", prefix=kernel, code=0)
    assert results(document) == dict.fromkeys(alive(node), "done")
    assert {(a["method"], a["copies"]) for a in document["acts"]} == {("ptrace", 0)}
    assert node.phases("all") == {"disconnected"}


def test_run_brings_all_back(node, ew, kernel):
    node.forget("all")
    document = ew.json("run", "--yes", "--no-bpf", "--until", "settled", "--", *node.command(*node.restart_args(down=1)),
                       prefix=kernel, code=0)
    assert each(document, node, "outcome") == dict.fromkeys(["task-0", "task-1", "task-2"], "reregistered")
    assert {a["method"] for a in document["acts"]} == {"ptrace"}


def test_the_guard_treats_who_did_not_notice(node, ew, kernel):
    guard = ew.start("guard", "--yes", "--no-bpf", "--until", "settled", "-f", "json", prefix=kernel)
    guard.wait_for("the guard is armed")
    node.forget(["task-0", "task-1"])
    restart(node, "KILL", 3)
    done = guard.result()
    assert results(done.json) == {"task-0": "done", "task-1": "done"}
    assert {a["method"] for a in done.json["acts"]} == {"ptrace"}
    assert alive(node) == {"task-0", "task-1", "task-2"}


def test_protect_says_what_it_lacks(node, ew, kernel):
    document = ew.json("protect", "--yes", "--no-bpf", prefix=kernel, code=1)
    assert reasons(document) == dict.fromkeys(alive(node), ("refused", "no-pidfd"))
    assert {a["reason"] for a in document["acts"]} == {
        "keepalive is set through a copy of the descriptor, which this kernel cannot make (Linux 5.6)"}
    assert not ew.audit_log()


def test_hold_needs_no_such_call(node, ew, kernel):
    node.stop_agent()
    node.wait_until(lambda: node.phases("all") == {"disconnected"}, what="the executors' clocks")
    document = ew.json("hold", "--yes", "--no-bpf", prefix=kernel, code=1)
    assert results(document) == dict.fromkeys(alive(node), "held")

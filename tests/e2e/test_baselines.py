# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Which audit `verify` compares with: the last one of an agent process that has ended."""

import os
import shutil
import stat
import subprocess

import pytest

from execwatch import each
from labnode import executors


@pytest.fixture
def node(lab):
    """Two executors with stale links: a restart loses both."""
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("all")
    return node


def lose(node):
    """Restarts the agent; returns when both executors have been killed. Nobody watches."""
    pid = node.restart_agent()
    node.wait_recovered()
    node.wait_until(lambda: not any(e.alive for e in node.executors()))
    return pid


def files(ew):
    return sorted(ew.state_dir.glob("baseline-*"))


def killed(n):
    return {f"task-{i}": "killed-by-agent" for i in range(n)}


def test_an_audit_after_the_restart_hides_no_loss(node, ew):
    """A monitoring cron job audits the new agent before anybody verifies."""
    old = node.agent_pid
    before = ew.json("audit", code=1)
    lose(node)
    for _ in range(3):
        assert ew("audit", "-f", "nagios").code == 0
    assert len(files(ew)) == 2
    report = ew.json("verify", "--until", "settled", code=2)
    assert {e["executor_id"]: e["outcome"] for e in report["executors"]} == killed(2)
    assert report["baseline"] == {"generated_at": before["generated_at"], "agent_pid": old,
                                  "agent_start_time": before["agent"]["start_time"]}
    clock = before["generated_at"][11:19] + "Z"
    done = ew("verify", "--until", "settled")
    assert f"Compared with the audit of {clock}, of agent pid {old}." in done.words


def test_the_last_audit_before_the_restart_counts(node, ew):
    """Audits of one agent process replace each other; earlier ones are not needed."""
    ew("audit")
    node.kill("task-0")
    node.wait_until(lambda: not node.executor("task-0").alive)
    assert ew("audit").code == 1
    assert len(files(ew)) == 1
    lose(node)
    report = ew.json("verify", "--until", "settled", code=2)
    assert {e["executor_id"]: e["outcome"] for e in report["executors"]} == \
        {"task-1": "killed-by-agent"}


def test_two_restarts_and_one_audit(node, ew):
    """The agent that killed them has ended as well."""
    old = node.agent_pid
    ew("audit")
    lose(node)
    node.restart_agent()
    node.wait_recovered()
    report = ew.json("verify", "--until", "settled", code=2)
    assert report["baseline"]["agent_pid"] == old
    assert {e["executor_id"]: e["outcome"] for e in report["executors"]} == killed(2)


def test_two_restarts_and_an_audit_between(lab, ew):
    """The newer one is compared with."""
    lab_node = lab(executors(2, kind="v0-relink"))
    ew("audit")
    middle = lab_node.restart_agent()
    lab_node.wait_recovered()
    lab_node.wait_registered()
    ew.wait_judged(lab_node)
    lab_node.restart_agent()
    lab_node.wait_recovered()
    lab_node.wait_registered()
    report = ew.json("verify", "--until", "settled", code=0)
    assert report["baseline"]["agent_pid"] == middle
    assert each(report, lab_node, "outcome") == dict.fromkeys(["task-0", "task-1"], "reregistered")


def test_an_audit_without_an_agent_is_not_kept(node, ew):
    old = node.agent_pid
    ew("audit")
    kept, = files(ew)
    node.stop_agent()
    done = ew("audit")
    assert "no agent listens: this audit is not kept as a baseline for 'verify'" in done.err
    assert files(ew) == [kept]
    node.start_agent()
    node.wait_recovered()
    node.wait_until(lambda: not any(e.alive for e in node.executors()))
    report = ew.json("verify", "--until", "settled", code=2)
    assert report["baseline"]["agent_pid"] == old


def test_an_audit_during_recovery_is_not_kept(node, ew):
    """The new agent has not decided yet whom it kills: the audit before the restart counts."""
    old = node.agent_pid
    ew("audit")
    kept, = files(ew)
    node.stop_agent()
    node.start_agent(hold=True)
    done = ew("audit")
    assert "the agent has not finished its recovery: this audit is not kept" in done.err
    assert files(ew) == [kept]
    node.stop_agent()
    node.start_agent()
    node.wait_recovered()
    node.wait_until(lambda: not any(e.alive for e in node.executors()))
    report = ew.json("verify", "--until", "settled", code=2)
    assert report["baseline"]["agent_pid"] == old
    assert {e["executor_id"]: e["outcome"] for e in report["executors"]} == killed(2)


def test_without_an_audit(node, ew):
    """Not known what to compare with: says what to do, and ends with 3."""
    done = ew("verify", "--until", "settled")
    assert done.code == 3
    assert "find an audit of the agent on port" in done.err
    assert "run 'execwatch audit' while the agent serves, before each restart" in done.err


def test_the_agent_was_not_restarted(node, ew):
    """The only audit is of the agent that still runs: compared with it, and told so."""
    before = ew.json("audit", code=1)
    done = ew("verify", "--until", "settled")
    assert done.code == 0
    clock = before["generated_at"][11:19] + "Z"
    assert f"Compared with the audit of {clock}: the agent (pid {node.agent_pid}) was not " \
        "restarted since." in done.words


def test_a_file_of_ones_own(node, ew, tmp_path):
    """--baseline overrides what the state directory has."""
    own = tmp_path / "own.json"
    ew("audit", "--baseline", own)
    shutil.rmtree(ew.state_dir)
    lose(node)
    ew("audit")
    report = ew.json("verify", "--baseline", own, "--until", "settled", code=2)
    assert {e["executor_id"]: e["outcome"] for e in report["executors"]} == killed(2)


def test_the_file_of_an_earlier_version(node, ew):
    """A single file for each boot and port, without the agent in its name."""
    ew("audit")
    path, = files(ew)
    prefix = path.name.rsplit("-", 2)[0]
    path.rename(path.with_name(prefix + ".json"))
    lose(node)
    ew("audit")
    report = ew.json("verify", "--until", "settled", code=2)
    assert {e["executor_id"]: e["outcome"] for e in report["executors"]} == killed(2)


def test_audits_after_a_treatment_keep_its_executors(node, ew):
    """Their clocks run: who has ended since is not forgotten by the next audit of the same agent."""
    ew("audit")
    assert ew("shutdown", "--yes").code == 0
    path, = files(ew)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    victim = node.executor("task-0").pid
    node.kill("task-0")
    node.wait_until(lambda: not node.executor("task-0").alive)
    for _ in range(2):
        audit = ew.json("audit")
        assert victim not in [e["pid"] for e in audit["executors"]]
    assert files(ew) == [path]
    node.restart_agent()
    node.wait_recovered()
    report = ew.json("verify", "--until", "settled", code=2)
    assert {e["executor_id"]: e["outcome"] for e in report["executors"]} == \
        {"task-0": "lost", "task-1": "reregistered"}


def test_a_pipe(lab, ew, tmp_path):
    """One that nobody writes to blocks nobody; one that is written to is read."""
    lab(executors(1, kind="v0-old"))
    os.mkfifo(tmp_path / "pipe")
    done = ew("verify", "--baseline", tmp_path / "pipe")
    assert done.code == 3 and str(tmp_path / "pipe") in done.err
    ew("audit", "--baseline", tmp_path / "saved")
    with subprocess.Popen(["cat", str(tmp_path / "saved")], stdout=subprocess.PIPE) as cat:
        done = ew("verify", "--until", "1s", "--baseline", "/dev/stdin", stdin=cat.stdout)
    assert done.code == 0, done

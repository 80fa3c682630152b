# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The window step by step: audit, shutdown, the restart by hand, verify."""

import datetime
import signal
import time

import pytest

from execwatch import by_id, each
from labnode import agent, executor, executors


@pytest.fixture
def node(lab):
    node = lab(executors(2, kind="v0-old"), executor("relinks", kind="v0-relink"),
               executor("http", kind="v1"), conntrack=True)
    node.forget("all")
    return node


ALL = {"task-0", "task-1", "relinks", "http"}


def test_step_by_step(node, ew):
    """Nobody watched the restart: the agent's own word is the proof."""
    assert ew("audit").code == 1
    assert ew("shutdown", "--yes").code == 0
    node.restart_agent()
    node.wait_recovered()
    report = ew.json("verify", "--until", "settled", code=0)
    assert each(report, node, "outcome") == dict.fromkeys(ALL, "reregistered")
    assert set(each(report, node, "proof").values()) <= {"api", "link", "message"}
    assert report["agent"]["restarted"]


def test_an_id_that_is_no_text(lab, ew):
    """A framework may call an executor anything: that costs neither it nor others the agent's word."""
    node = lab(executors(1, kind="v0-old"), executor(b"odd\xff\xc3(", kind="v0-old"))
    assert ew("audit").code == 0
    assert ew("shutdown", "--all", "--yes").code == 0
    node.restart_agent()
    node.wait_recovered()
    report = ew.json("verify", "--until", "settled", code=0)
    assert report["agent"]["api"] == "serving"
    assert each(report, node, "proof") == {"task-0": "api", "odd\\xff\\xc3(": "api"}
    tasks = {id: len(t) for id, t in each(report, node, "tasks").items()}
    assert tasks == {"task-0": 1, "odd\\xff\\xc3(": 1}


def test_while_the_agent_recovers(node, ew):
    """verify begins in the middle of the executors' return."""
    assert ew("shutdown", "--yes").code == 0
    node.restart_agent()
    report = ew.json("verify", "--until", "settled", code=0, timeout=15)
    assert each(report, node, "outcome") == dict.fromkeys(ALL, "reregistered")


def test_nothing_is_left_to_wait_for(node, ew):
    """All executors and the agent have ended before: the default end is now, not at a deadline."""
    assert ew("audit").code == 1
    node.stop_agent()
    node.kill("all")
    node.wait_until(lambda: not any(e.alive for e in node.executors()))
    report = ew.json("verify", code=2, timeout=15)
    assert each(report, node, "outcome") == dict.fromkeys(ALL, "lost")


def test_the_audit_is_the_baseline(node, ew):
    """Without a shutdown two are lost, and verify knows whom it misses."""
    assert ew("audit").code == 1
    node.restart_agent()
    node.wait_recovered()
    node.wait_until(lambda: [e.alive for e in node.executors()].count(True) == 1)
    report = ew.json("verify", "--until", "settled")
    outcomes = each(report, node, "outcome")
    assert outcomes["relinks"] == "reregistered"
    lost = {id: o for id, o in outcomes.items() if id != "relinks"}
    assert lost == dict.fromkeys(ALL - {"relinks"}, "killed-by-agent")  # by the reason on disk
    assert report["exit_code"] == 2


def test_restart_under_verify(node, ew):
    """verify was there first: it sees the messages, and who kills whom."""
    ew("audit")
    verify = ew.start("verify", "-f", "json", "--until", "20s")
    verify.wait_for("done|waiting")
    node.restart_agent()
    node.wait_recovered()
    node.wait_until(lambda: [e.alive for e in node.executors()].count(True) == 1)
    verify.interrupt()
    done = verify.result()
    assert done.code == 2  # interrupted, but a loss is known
    outcomes = each(done.json, node, "outcome")
    assert outcomes == {**dict.fromkeys(ALL, "killed-by-agent"), "relinks": "reregistered"}
    assert by_id(done.json, node)["relinks"]["proof"] == "message"


def test_nothing_happened(node, ew):
    ew("audit")
    report = ew.json("verify", "--until", "settled", code=0)
    assert each(report, node, "outcome") == dict.fromkeys(ALL, "kept")


def test_until_a_duration(node, ew):
    """All are treated and the agent has not been restarted: verify stops when it was told to."""
    ew("shutdown", "--yes")
    report = ew.json("verify", "--until", "1s", code=1)
    outcomes = each(report, node, "outcome")
    assert {id for id, o in outcomes.items() if o == "waiting"} == {"task-0", "task-1"}
    for id in "task-0", "task-1":
        e = by_id(report, node)[id]
        assert e["deadline"] > report["generated_at"]
        assert "Restart the agent before the deadline" in e["advice"]


def test_ctrl_c_then_again(node, ew):
    """Once ends it with what is known; a later verify has the last word."""
    ew("shutdown", "--yes")
    node.stop_agent()
    verify = ew.start("verify", "-f", "json")
    verify.wait_for("waiting for 4 of 4").interrupt()
    done = verify.result()
    assert done.code == 3
    assert done.json["interrupted"]
    assert set(each(done.json, node, "outcome").values()) == {"waiting"}
    node.start_agent()
    node.wait_recovered()
    assert ew.json("verify", "--until", "settled", code=0)["summary"]["reregistered"] == 4


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGHUP])
def test_other_ways_to_end_it(node, ew, sig):
    """The end of the ssh session is no reason to say nothing."""
    ew("shutdown", "--yes")
    verify = ew.start("verify", "-f", "json")
    verify.wait_for("waiting")
    done = verify.interrupt(sig).result()
    assert done.code == 3 and done.json["interrupted"]


def test_a_run_that_was_interrupted_can_be_verified(node, ew):
    run = ew.start("run", "--yes", "-f", "json", "--treat", "before", "--", *node.command("stop-agent"))
    run.wait_for('"ok":true')
    node.wait_until(lambda: not run.children(), what="the end of the command")
    done = run.interrupt().result()
    assert done.code == 3
    assert done.json["interrupted"] and done.json["command"]["exit_code"] == 0
    node.start_agent()
    node.wait_recovered()
    report = ew.json("verify", "--until", "settled", code=0)
    assert each(report, node, "outcome") == dict.fromkeys(ALL, "reregistered")


def test_a_baseline_of_ones_own(node, ew, tmp_path):
    mine = tmp_path / "before.json"
    ew("audit", "--baseline", mine)
    node.restart_agent()
    ew("audit")  # the saved one is of after the restart now
    node.wait_recovered()
    report = ew.json("verify", "--baseline", mine, "--until", "settled")
    assert report["agent"]["restarted"]
    assert set(by_id(report, node)) == ALL
    assert mine.stat().st_mode & 0o077 == 0


def test_without_a_baseline(node, ew):
    done = ew("verify")
    assert done.code == 3
    assert "baseline" in done.err and "execwatch audit" in done.err


def test_another_agents_executors_are_none_of_its_business(lab, ew, port, other_port):
    node = lab(agent(name="other", port=other_port()), executor("mine", kind="v0-old"),
               executor("foreign", kind="v0-old", agent="other"))
    ew("audit")
    node.kill("foreign")
    report = ew.json("verify", "--until", "settled", code=0)
    assert each(report, node, "outcome") == {"mine": "kept"}


def test_progress_on_a_terminal(node, ew):
    """One line that is drawn over and over, gone when the report comes."""
    ew("shutdown", "--yes")
    node.stop_agent()
    terminal = ew.terminal("verify", "--until", "settled")
    terminal.read_until("waiting for 4 of 4 · next deadline in 14:")
    node.start_agent()
    assert terminal.wait() == 0
    assert "None of 4 executors is lost: 4 reregistered." in " ".join(terminal.text.split())


def latest_deadline(ew, node):
    row = by_id(ew.json("verify", "--until", "1s", code=1), node)["web"]
    assert (row["outcome"], row["deadline_is_latest"]) == ("waiting", True)
    return row["deadline"]


def test_the_latest_deadline_does_not_move_while_no_agent_is_there(lab, ew):
    """The first verify that finds no agent fixes it."""
    node = lab(executor("web", kind="v0-old"))
    assert ew("audit").code == 0
    node.stop_agent()
    node.wait_until(lambda: node.phases("all") == {"disconnected"}, what="the end of the link")
    first = latest_deadline(ew, node)
    time.sleep(1.1)  # deadlines are told in seconds
    assert latest_deadline(ew, node) == first


def test_the_latest_deadline_does_not_move_under_the_next_agent(lab, ew):
    """That agent's own start is the last moment at which the one before can have ended."""
    node = lab(executor("web", kind="v0-old"))
    assert ew("audit").code == 0
    node.stop_agent()
    node.wait_until(lambda: node.phases("all") == {"disconnected"}, what="the end of the link")
    node.stop("web")
    node.start_agent(hold=True)
    began = time.time()
    first = latest_deadline(ew, node)
    assert datetime.datetime.fromisoformat(first.replace("Z", "+00:00")).timestamp() <= began + 1 + 900
    time.sleep(1.1)  # deadlines are told in seconds
    assert latest_deadline(ew, node) == first
    node.cont("web")

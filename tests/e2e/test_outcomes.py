# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What became of each executor: every outcome, in the document and in the table."""

import os
import re
from datetime import datetime, timedelta

import pytest

import event_loop
from execwatch import by_id
from labnode import executor, executors


class Told:
    """A window that was reported twice: as a document, and as the table of its recording."""

    def __init__(self, ew, tmp_path):
        self.ew, self.recording = ew, str(tmp_path / "window.jsonl")

    def start(self, *args):
        self.run = self.ew.start("run", "--yes", "-f", "json", "--record", self.recording, *args)
        return self.run

    def start_held(self, *command, options=()):
        """The window is open until the test lets it go; then `command` runs in it."""
        self.gate = self.recording + ".gate"
        os.mkfifo(self.gate)
        script = 'echo started; read x < "$0"; exec "$@"'
        self.start(*options, "--until", "settled", "--", "sh", "-c", script, self.gate,
                   *(command or ["true"])).wait_for("started")

    def let_go(self):
        with open(self.gate, "w", encoding="ascii") as gate:
            gate.write("go\n")

    def end(self, node, code):
        done = self.run.result()
        assert done.code == code, done
        self.document = done.json
        self.executors = by_id(self.document, node)
        table = self.ew("report", "--replay", self.recording)
        assert table.code == code, table
        self.table = table.words
        return self


@pytest.fixture
def told(ew, tmp_path):
    return Told(ew, tmp_path)


def stop(node):
    return ["--", *node.command("stop-agent")]


def restart(node, **kw):
    return ["--", *node.command(*node.restart_args(**kw))]


def test_self_terminated(lab, told):
    """The agent stays away for longer than the recovery timeout."""
    node = lab(executors(2, kind="v0-old", recovery_timeout="5secs"), conntrack=True)
    node.forget("all")
    told.start(*stop(node))  # with nobody left there is nothing to wait for
    told.end(node, code=2)
    for e in told.executors.values():
        assert e["outcome"] == "self-terminated"
        assert e["severity"] == "critical"
        late = datetime.fromisoformat(e["ended_at"]) - datetime.fromisoformat(e["deadline"])
        assert timedelta(seconds=-1) < late < timedelta(seconds=4)
        said = re.match(r"It ended itself (\d+) s after it lost the agent;", e["why"][0])
        rest = (late + timedelta(seconds=5 - int(said[1]))).total_seconds()
        assert -0.002 < rest < 1.002  # whole seconds; the times are in milliseconds
    assert "2 of 2 executors are lost: 2 self-terminated" in told.table
    assert "its recovery timeout is 5 s" in told.table
    assert "let its framework start it again" in told.table
    assert "none listens" in told.table


def dies_with_their_answers(node):
    """The executors have answered its reconnect request, and it has registered none of them again."""
    node.start_agent(hold=True)
    node.wait_until(lambda: node.phases(V0) == {"reconnecting"}, what="the executors' answers")
    node.stop_agent()


def dies_before_they_answer(node):
    """The executors read its reconnect request when nobody takes an answer any more."""
    node.kill(V0, signal="STOP")
    node.start_agent(hold=True)
    node.wait_until(lambda: node.agent_log().count("Sending reconnect request") == len(V0))
    node.stop_agent()
    node.kill(V0, signal="CONT")
    node.wait_until(lambda: not node.phases(V0) & {"disconnected"}, what="the reading of the requests")


V0 = ["task-0", "task-1", "relinks"]


@pytest.mark.parametrize("dies", [dies_with_their_answers, dies_before_they_answer])
def test_second_disconnect(lab, told, dies):
    """An agent that dies between its reconnect requests and the registrations takes along who was asked."""
    node = lab(executors(2, kind="v0-old"), executor("relinks", kind="v0-relink"), executor("http", kind="v1"))
    told.start("--until", "settled", *stop(node)).wait_for('"ok":true')
    node.wait_until(lambda: node.phases("all") == {"disconnected"}, what="the end of the links")
    dies(node)
    node.start_agent()
    told.end(node, code=2)
    assert {id: e["outcome"] for id, e in told.executors.items()} == {
        **dict.fromkeys(V0, "self-terminated"), "http": "reregistered"}
    why = "It ended itself: its link ended a second time before it had registered again."
    assert all(told.executors[id]["why"] == [why] for id in V0)
    assert all(told.executors[id]["severity"] == "critical" for id in V0)
    assert "3 of 4 executors are lost: 3 self-terminated; 1 reregistered." in told.table
    assert why in told.table


def test_killed_by_agent(lab, told):
    """Links that go stale during the window, after the audit and with no guard: the old agent's fate
    for them."""
    node = lab(executors(2, kind="v0-old"), executor("relinks", kind="v0-relink"), conntrack=True)
    told.start_held(*node.command(*node.restart_args()), options=("--treat", "before"))
    node.forget("all")
    told.let_go()
    told.end(node, code=2)
    agent = told.document["agent"]["pid"]
    for id in "task-0", "task-1":
        e = told.executors[id]
        assert (e["outcome"], e["killer"]["pid"]) == ("killed-by-agent", agent)
        assert "had not registered again in time" in e["why"][0]
    assert told.executors["relinks"]["outcome"] == "reregistered"
    assert "2 of 3 executors are lost: 2 killed-by-agent; 1 reregistered." in told.table
    assert f"The agent (pid {agent}) killed it with signal 9" in told.table


def test_killed_by_somebody(lab, told):
    node = lab(executor("victim", kind="v0-old"), executor("other", kind="v0-old"))
    told.start_held(*node.command(*node.restart_args()))
    killer, = node.kill("victim", comm="backup-job")
    node.wait_until(lambda: not node.executor("victim").alive)
    told.let_go()
    told.end(node, code=2)
    victim = told.executors["victim"]
    assert victim["outcome"] == "killed"
    assert victim["killer"] == {"pid": killer, "comm": "backup-job"}
    assert told.executors["other"]["outcome"] == "reregistered"
    assert "1 of 2 executors is lost: 1 killed; 1 reregistered." in told.table
    assert f"Signal 9 from pid {killer} (backup-job) killed it." in told.table


def test_finished_and_crashed(lab, told):
    node = lab(executor("batch", kind="v0-old"), executor("buggy", kind="v1"),
               executor("service", kind="v0-old"))
    told.start_held(*node.command(*node.restart_args()))
    node.finish("batch")
    event_loop.crash(node.executor("buggy"))
    node.finish("buggy")  # an event
    node.wait_until(lambda: [e.alive for e in node.executors()].count(True) == 1)
    told.let_go()
    told.end(node, code=2)
    outcomes = {id: e["outcome"] for id, e in told.executors.items()}
    assert outcomes == {"batch": "finished", "buggy": "crashed", "service": "reregistered"}
    assert told.executors["batch"]["severity"] == "ok"
    assert "crashed with signal 4 (ILL)" in told.table
    assert "1 of 3 executors is lost: 1 crashed; 1 reregistered, 1 finished." in told.table


def test_finished_alone_is_no_loss(lab, told):
    node = lab(executor("batch", kind="v0-old"), executor("service", kind="v0-old"))
    told.start_held(*node.command(*node.restart_args()))
    node.finish("batch")
    node.wait_until(lambda: not node.executor("batch").alive)
    told.let_go()
    told.end(node, code=0)
    assert told.executors["batch"]["outcome"] == "finished"
    assert "None of 2 executors is lost: 1 reregistered, 1 finished." in told.table


def test_waiting_then_reregistered(lab, told, ew):
    """The agent is late but in time: a look in between says until when there is time."""
    node = lab(executors(2, kind="v0-old", recovery_timeout="30secs"),
               executor("http", kind="v1"), conntrack=True)
    node.forget("all")
    run = told.start("--until", "settled", *stop(node))
    run.wait_for('"ok":true')
    look = ew("verify", "-f", "json", "--until", "1s")
    assert look.code == 1, look
    waiting = by_id(look.json, node)
    assert {e["outcome"] for e in waiting.values()} == {"waiting"}
    assert all(e["deadline"] > look.json["generated_at"] for id, e in waiting.items() if id != "http")
    assert all("none listens" in e["why"][0] for e in waiting.values())
    node.start_agent()
    told.end(node, code=0)
    assert {e["outcome"] for e in told.executors.values()} == {"reregistered"}
    assert {e["proof"] for e in told.executors.values()} == {"message"}
    assert "None of 3 executors is lost: 3 reregistered." in told.table

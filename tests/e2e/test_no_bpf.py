# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Without BPF: the same verdicts and outcomes, weaker proofs, and what is missing is said."""

import json
import os

import pytest

from execwatch import by_id, each
from labnode import executor, executors


class Held:
    """`run --no-bpf` whose command waits until the test lets it go."""

    def __init__(self, ew, tmp_path):
        self.ew, self.dir = ew, tmp_path
        self.recording = tmp_path / "window.jsonl"

    def start(self, *command, until="settled"):
        self.gate = self.dir / "gate"
        os.mkfifo(self.gate)
        script = 'echo started; read x < "$0"; exec "$@"'
        self.run = self.ew.start(
            "run", "--no-bpf", "--yes", "--treat", "before", "-f", "json", "--record", self.recording, "--until", until,
            "--master-timeout", "6s", "--", "sh", "-c", script, self.gate, *command)
        self.run.wait_for("started")

    def end(self, node, code):
        self.gate.write_text("go\n")
        done = self.run.result()
        assert done.code == code, done
        self.document = done.json
        return by_id(self.document, node)

    def table(self):
        return self.ew("report", "--replay", self.recording).words

    def facts(self):
        return [json.loads(line) for line in self.recording.read_text().splitlines()][1:]


@pytest.fixture
def held(ew, tmp_path):
    return Held(ew, tmp_path)


def test_a_window_is_proven_by_the_api(lab, held):
    node = lab(executors(3, kind="v0-old"), executor("http", kind="v1"), conntrack=True)
    node.forget(["task-0", "task-1"])
    held.start(*node.command(*node.restart_args()))
    ended = held.end(node, code=0)
    assert {e["outcome"] for e in ended.values()} == {"reregistered"}
    assert {e["proof"] for e in ended.values()} == {"api"}
    assert held.document["events"]["lost"] == 0
    assert not [f for f in held.facts() if f["type"] in ("message", "signal")]
    assert "None of 4 executors is lost: 4 reregistered." in held.table()


def test_a_window_is_proven_by_the_links_where_the_api_is_mute(lab, ew, held):
    node = lab(executors(2, kind="v0-old"), agent_words={"api": "garbage"}, conntrack=True)
    node.forget("task-0")
    ew.wait_judged(node)
    held.start(*node.command(*node.restart_args()))
    ended = held.end(node, code=0)
    assert {(e["outcome"], e["proof"]) for e in ended.values()} == {("reregistered", "link")}


def test_killed_by_somebody(lab, held):
    """How it ended is known at once; who did it is not."""
    node = lab(executor("victim", kind="v0-old"), executor("other", kind="v0-old"))
    held.start(*node.command(*node.restart_args()))
    node.kill("victim", comm="backup-job")
    node.wait_until(lambda: not node.executor("victim").alive)
    pid = node.executor("victim").pid
    ended = held.end(node, code=2)
    victim = ended["victim"]
    assert victim["outcome"] == "killed"
    assert victim["killer"] is None
    assert "Signal 9 killed it" in victim["why"][0]
    exits = [f for f in held.facts() if f["type"] == "exit" and f["pid"] == pid]
    assert [(f["status"], f["signal"], f["killer"]) for f in exits] == [(9, 9, 0)]
    assert ended["other"]["outcome"] == "reregistered"


@pytest.mark.parametrize("kind", ["v0-old", "v1"])
def test_killed_by_the_agent(lab, held, kind):
    """The signal's sender is not seen, and the agent's record of the task tells."""
    node = lab(executors(2, kind=kind), conntrack=True)
    held.start(*node.command(*node.restart_args()))
    node.forget("task-0")
    ended = held.end(node, code=2)
    assert (ended["task-0"]["outcome"], ended["task-0"]["cause"]) == ("killed-by-agent", "disk")
    assert "it had not registered again in time" in ended["task-0"]["why"][0]
    assert ended["task-1"]["outcome"] == "reregistered"


def test_told_to_shut_down(lab, held):
    """An executor that speaks v1 then kills its own process group: the agent's log says why."""
    node = lab(executors(2, kind="v1", grace="1500ms"))
    held.start("true", until="10s")
    node.stop_agent("USR1")
    node.wait_until(lambda: not any(e.alive for e in node.executors()), what="their end")
    ended = held.end(node, code=2)
    assert {(e["outcome"], e["cause"]) for e in ended.values()} == {("killed-by-agent", "log")}
    assert "the agent's log says 'Shutting down executor 'task-0'" in ended["task-0"]["why"][0]


def test_an_executor_that_speaks_v1_ends_itself(lab, held):
    """By a signal to its own process group as well, once its recovery timeout has run out."""
    node = lab(executors(2, kind="v1", recovery_timeout="5secs", suicide="ack", grace="1500ms"))
    held.start(*node.command("stop-agent"), until="deadline")
    ended = held.end(node, code=2)
    assert {e["outcome"] for e in ended.values()} == {"self-terminated"}


def test_finished(lab, held):
    node = lab(executor("batch", kind="v0-old"), executor("service", kind="v0-old"))
    held.start(*node.command(*node.restart_args()))
    node.finish("batch")
    node.wait_until(lambda: not node.executor("batch").alive)
    ended = held.end(node, code=0)
    assert {id: e["outcome"] for id, e in ended.items()} == \
        {"batch": "finished", "service": "reregistered"}


def test_self_terminated(lab, held):
    """Its timer and its exit status are all there is to tell it from a task that ended."""
    node = lab(executors(2, kind="v0-old", recovery_timeout="5secs"), conntrack=True)
    held.start(*node.command("stop-agent"), until="deadline")
    ended = held.end(node, code=2)
    assert {e["outcome"] for e in ended.values()} == {"self-terminated"}
    for e in ended.values():
        assert "its recovery timeout is 5 s" in e["why"][0]


@pytest.fixture
def watch(ew):
    """Follows the executors by the time it tells of the first."""
    return lambda: ew.start("watch", "--no-bpf", "-f", "jsonl").wait_for('"type": ?"executor"')


def test_an_end_is_told_when_it_comes(lab, watch):
    """With its status, which no look at /proc would find."""
    node = lab(executors(2, kind="v0-old"))
    watching = watch()
    pid = node.executor("task-0").pid
    node.kill("task-0")
    watching.wait_for(rf'"type": ?"exit"[^\n]*"pid": ?{pid},[^\n]*"status": ?9\b')


def test_the_end_of_a_link_is_told_when_it_comes(lab, ew, watch):
    node = lab(executors(2, kind="v0-old"))
    link, = each(ew.json("audit", "--no-bpf"), node, "links")["task-0"]
    watching = watch()
    node.disconnect("task-0")
    watching.wait_for(rf'"type": ?"tcp"[^\n]*"cookie": ?"?{link["cookie"]}\b[^\n]*"to": ?7\b')


def test_its_own_questions_are_not_shown(lab, ew):
    """Only what others do is news: the ends of links, not those of execwatch's own connections."""
    node = lab(executors(1, kind="v0-old"))
    watch = ew.start("watch", "--no-bpf", "-f", "jsonl").wait_for('"type": ?"api"')
    # No audit before it: the kernel can tell the end of an earlier execwatch's connection late.
    lines = [json.loads(line) for line in watch.out.rpartition(b"\n")[0].splitlines()]
    link, = [line["links"][0] for line in lines if line.get("pid") == node.executor("task-0").pid]
    node.disconnect("task-0")
    watch.wait_for(rf'"type": ?"tcp"[^\n]*"cookie": ?"?{link["cookie"]}\b')
    lines = [json.loads(line) for line in watch.interrupt().result().out.splitlines()]
    shown = [line for line in lines if line["type"] == "tcp"]
    assert shown and all(link["local"] in (line["local"], line["remote"]) for line in shown), shown


def test_what_is_missing_is_said(lab, ew):
    node = lab(executors(1, kind="v0-old"))
    doctor = ew("doctor", "--no-bpf")
    assert doctor.code == 0, doctor
    assert "messages" in doctor.words and "--no-bpf" in doctor.words
    assert "proc connector" in doctor.words
    assert "sock_diag destroy" in doctor.words
    audit = ew("audit", "--no-bpf")
    assert "Protocol messages are not observed (--no-bpf)." in audit.words
    assert each(ew.json("audit", "--no-bpf"), node, "verdict") == {"task-0": "healthy"}


def test_a_window_is_proven_by_the_links_where_the_api_refuses_to_answer(lab, ew, held):
    node = lab(executors(2, kind="v0-old"), agent_words={"api": "auth"})
    ew.wait_judged(node)
    held.start(*node.command(*node.restart_args()))
    ended = held.end(node, code=0)
    assert {(e["outcome"], e["proof"]) for e in ended.values()} == {("reregistered", "link")}

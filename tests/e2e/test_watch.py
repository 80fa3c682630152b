# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What happens, as it happens: lines for programs, a table for people."""

import json
import re
import signal

import pytest

from execwatch import by_id
from labnode import executor, executors


@pytest.fixture
def node(lab):
    return lab(executors(2, kind="v0-old"), executor("relinks", kind="v0-relink"),
               executor("http", kind="v1"))


def events(done):
    return [json.loads(line) for line in done.out.splitlines()]


def test_lines_of_a_restart(node, ew):
    """Numbered without gaps, in order, the summary last."""
    watch = ew.start("watch", "-f", "jsonl", "--until", "30s")
    watch.wait_for('"type": ?"executor".*http')
    node.restart_agent()
    node.wait_recovered()
    watch.wait_for('"name": ?"ExecutorReregisteredMessage"').wait_for('"name": ?"SUBSCRIBE"')
    done = watch.interrupt().result()

    lines = events(done)
    assert [l["seq"] for l in lines] == list(range(1, len(lines) + 1))
    assert all({"ts", "mono_ns", "type"} <= set(l) for l in lines)
    assert [l["type"] for l in lines].count("summary") == 1
    assert lines[-1]["type"] == "summary"
    assert lines[-1]["schema"].startswith("execwatch.")
    names = [l["name"] for l in lines if l["type"] == "message"]
    for name in ("ReconnectExecutorMessage", "ReregisterExecutorMessage",
                 "ExecutorReregisteredMessage", "SUBSCRIBE"):
        assert name in names


def test_lines_tell_who_ended_and_why(node, ew):
    watch = ew.start("watch", "-f", "jsonl", "--until", "30s")
    watch.wait_for('"type": ?"executor".*http')
    victim = node.executor("task-0").pid
    killer, = node.kill("task-0", comm="cron-job")
    watch.wait_for('"type": ?"exit"')
    done = watch.interrupt().result()
    exits = {l["pid"]: l for l in events(done) if l["type"] == "exit"}
    assert exits[victim]["signal"] == 9
    assert (exits[victim]["killer"], exits[victim]["killer_comm"]) == (killer, "cron-job")


def test_a_line_is_there_at_once(node, ew):
    """Each is flushed: a pipe's reader sees the disconnect while the watch goes on."""
    watch = ew.start("watch", "-f", "jsonl", "--until", "60s")
    watch.wait_for('"type": ?"executor".*http')
    node.disconnect("task-1")
    watch.wait_for('"verdict": ?"disconnected"', seconds=10)
    assert watch.process.poll() is None


def test_a_pipe_gets_lines_without_asking(node, ew):
    watch = ew.start("watch", "--until", "1s")
    assert events(watch.result())[-1]["type"] == "summary"


def test_it_ends_when_it_was_told_to(node, ew):
    done = ew("watch", "-f", "jsonl", "--until", "1s")
    assert done.code == 0
    summary = done.lines[-1]
    assert summary["summary"]["healthy"] == 4
    assert summary["exit_code"] == 0


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_interrupted(node, ew, sig):
    """Watching has no end of its own, so Ctrl-C is the way to end it; the last line is whole."""
    watch = ew.start("watch", "-f", "jsonl")
    watch.wait_for('"type": ?"executor".*http')
    done = watch.interrupt(sig).result()
    assert events(done)[-1]["type"] == "summary"
    assert done.code == 0


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_interrupted_before_it_watches(node, ew, sig):
    """Loading and the first look take their time; who has changed their mind by then is heard as well."""
    watch = ew.start("watch", "-f", "jsonl")
    node.wait_until(lambda: watch.catches(sig))
    done = watch.interrupt(sig).result()
    assert events(done)[-1]["type"] == "summary"
    assert done.code == 0


def test_a_reader_that_goes_away(node, ew):
    """`execwatch watch | head -1` ends, and does not go on for nobody."""
    watch = ew.start("watch", "-f", "jsonl").wait_for('"type": ?"executor".*http')
    watch.process.stdout.close()
    assert watch.process.wait(timeout=20) == 3
    assert "Broken pipe" in watch.process.stderr.read().decode()


def test_without_bpf(node, ew):
    """Less is seen, but the end of a link is."""
    watch = ew.start("watch", "-f", "jsonl", "--no-bpf", "--until", "60s")
    watch.wait_for('"type": ?"executor".*http')
    node.disconnect("task-1")
    watch.wait_for('"verdict": ?"disconnected"', seconds=10)


def shown(terminal):
    """The text without the escapes that place it."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", " ", terminal.text)


def test_the_live_table(node, ew):
    terminal = ew.terminal("watch", "--until", "60s", rows=60)
    terminal.read_until(r"healthy.*task-1 ")
    for id in "task-0", "task-1", "relinks", "http":
        assert id in shown(terminal)
    node.disconnect("task-0")
    terminal.read_until(r"disconnected[^\n]*task-0")
    terminal.type("\x03")
    terminal.wait()
    assert "Traceback" not in terminal.text


@pytest.mark.parametrize("end", ["\x03", None])
def test_the_live_table_keeps_the_lost(node, ew, end):
    """Executors that are killed stay on top with outcome and cause; the end is 2, after Ctrl-C too."""
    terminal = ew.terminal("watch", "--until", "60s" if end else "10s", rows=60)
    terminal.read_until(r"healthy.*task-1 ")
    killer, = node.kill("task-0", comm="cron-job")
    terminal.read_until(r"1 executor was lost: 1 killed\.")
    terminal.read_until(rf"Signal 9 from pid {killer} \(cron-job\) killed it\.")
    if end:
        terminal.type(end)
    assert terminal.wait() == 2
    last = shown(terminal)[shown(terminal).rindex("1 executor was lost"):]
    assert last.index("killed it.") < last.index("healthy")
    assert re.sub(r"\s+", " ", last).startswith(
        "1 executor was lost: 1 killed. A restart of the agent is safe for all 3 executors.")


def test_lines_keep_the_lost(node, ew):
    """An executor line with its outcome, and the same in the summary."""
    watch = ew.start("watch", "-f", "jsonl", "--until", "60s")
    watch.wait_for('"type": ?"executor".*http')
    victim = node.executor("task-0").pid
    node.kill("task-0", comm="cron-job")
    watch.wait_for('"outcome": ?"killed"')
    done = watch.interrupt().result()
    assert done.code == 2
    lines = events(done)
    line, = [l for l in lines if l["type"] == "executor" and l.get("outcome")]
    assert (line["pid"], line["outcome"], line["severity"]) == (victim, "killed", "critical")
    ended, = lines[-1]["ended"]
    assert (ended["pid"], ended["outcome"], ended["killer"]["comm"]) == (victim, "killed", "cron-job")
    assert lines[-1]["exit_code"] == 2
    assert lines[-1]["summary"]["healthy"] == 3


def test_the_live_table_leaves_the_terminal_as_it_was(node, ew):
    terminal = ew.terminal("watch", "--until", "2s")
    assert terminal.wait() == 0
    assert terminal.text.count("\x1b[?25l") == terminal.text.count("\x1b[?25h")
    assert "A restart of the agent is safe for all 4 executors." in " ".join(terminal.text.split())


def test_watch_beside_a_run(lab, ew):
    """Two may watch, one may act."""
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("all")
    watch = ew.start("watch", "-f", "jsonl", "--until", "30s")
    watch.wait_for('"type": ?"executor".*task-1')
    report = ew.json("run", "--yes", "--until", "settled", "--",
                     *node.command(*node.restart_args()), code=0)
    assert {e["outcome"] for e in by_id(report, node).values()} == {"reregistered"}
    watch.wait_for('"name": ?"ExecutorReregisteredMessage"')

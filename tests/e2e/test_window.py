# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A whole maintenance window on a node where the firewall has forgotten the links."""

import json

import pytest

import event_loop
from execwatch import by_id, each
from labnode import executor, executors

MIXED = [
    executors(4, kind="v0-old"),
    executors(2, kind="v0-old", prefix="docker-", as_="docker"),
    executor("relinks", kind="v0-relink"),
    executor("http", kind="v1"),
]
VULNERABLE = {"task-0", "task-1", "task-2", "task-3", "docker-0", "docker-1", "http"}


def tasks(node):
    return {e.executor_id: (e.pid, e.task_pid) for e in node.executors() if e.alive}


def restart(node, **kw):
    """The operator's command behind `--`."""
    return ["--", *node.command(*node.restart_args(**kw))]


def test_without_execwatch_the_agent_kills_them(lab):
    node = lab(*MIXED, conntrack=True)
    node.forget("all")
    node.restart_agent()
    node.wait_recovered()
    node.wait_until(lambda: len(tasks(node)) == 1, what="the end of all that do not relink")
    assert set(tasks(node)) == {"relinks"}


def test_with_execwatch_none_is_lost(lab, ew):
    node = lab(*MIXED, conntrack=True)
    node.forget("all")
    before = tasks(node)
    report = ew.json("run", "--yes", "--until", "settled", *restart(node), code=0)

    assert each(report, node, "outcome") == dict.fromkeys(before, "reregistered")
    assert each(report, node, "proof") == dict.fromkeys(before, "message")
    assert report["summary"]["reregistered"] == len(before)
    assert tasks(node) == before
    assert report["agent"]["restarted"] and report["agent"]["serving"]
    assert report["command"]["exit_code"] == 0
    assert report["events"]["lost"] == 0
    assert {a["executor_id"] for a in report["acts"]} == VULNERABLE
    assert {a["result"] for a in report["acts"]} == {"done"}


def test_the_tables_tell_the_story(lab, ew):
    """Before: what would be lost. After: that nothing was, and what was done for it."""
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("all")
    done = ew("run", "--yes", "--until", "settled", *restart(node))
    assert done.code == 0
    assert "2 of 2 executors are lost unless treated first" in done.words
    assert "None of 2 executors is lost: 2 reregistered." in done.words
    assert done.words.index("lost unless") < done.words.index("None of 2")
    assert done.out.count("reregistered     task-") == 2
    assert max(map(len, done.out.splitlines())) <= 80


def test_healthy_links_are_left_alone(lab, ew):
    """Failure off: everybody comes back by itself, nothing was injected."""
    node = lab(*MIXED)
    before = tasks(node)
    report = ew.json("run", "--yes", "--until", "settled", *restart(node), code=0)
    assert report["acts"] == []
    assert each(report, node, "outcome") == dict.fromkeys(before, "reregistered")
    assert tasks(node) == before
    assert {(line["phase"], line["reason_id"]) for line in ew.audit_log()} == {("intent", "guard")}


def test_an_agent_that_was_not_restarted(lab, ew):
    """The command did something else: every link is still the one it was, and that is no success."""
    node = lab(*MIXED)
    before = tasks(node)
    done = ew("run", "--yes", "--until", "3s", "-f", "json", "--", "true")
    assert done.code == 1
    report = done.json
    assert report["acts"] == []
    assert set(each(report, node, "outcome")) == set(before)
    assert not report["agent"]["restarted"]


def test_a_restart_that_comes_after_the_command(lab, ew):
    """systemctl --no-block returns before the restart: the window is not settled before it was seen."""
    node = lab(executors(2, kind="v0-old"))
    script = "(sleep 3; " + " ".join(map(str, node.command(*node.restart_args()))) + ") >/dev/null 2>&1 &"
    report = ew.json("run", "--yes", "--until", "settled", "--", "sh", "-c", script, code=0)
    assert report["agent"]["restarted"]
    assert set(each(report, node, "outcome").values()) == {"reregistered"}


def test_the_gate_names_what_it_waits_for(lab, ew, tmp_path):
    """Without --accept the command is not started, and nobody is lost."""
    node = lab(executors(1, kind="v0-old"), executor("batch", kind="v0-old", checkpoint="0"))
    started = tmp_path / "started"
    done = ew("run", "--yes", "--", "touch", started)
    assert done.code == 2
    assert "1 no-checkpoint; --accept no-checkpoint lets the restart lose it" in done.err
    assert not started.exists()
    assert all(e.alive for e in node.executors())


def test_nothing_is_treated_when_the_gate_stays_shut(lab, ew, tmp_path):
    """A treatment starts a clock; without the restart it would be the treatment that loses the task."""
    node = lab(executors(2, kind="v0-old"), executor("batch", kind="v0-old", checkpoint="0"), conntrack=True)
    node.forget("task-0")
    node.forget("task-1")
    assert ew.json("run", "--yes", "--", "touch", tmp_path / "started", code=2)["acts"] == []
    assert not (tmp_path / "started").exists()
    assert each(ew.json("audit", code=2), node, "verdict") == {
        "task-0": "at-risk", "task-1": "at-risk", "batch": "no-checkpoint"}


def test_the_gate_stays_shut_for_an_executor_that_cannot_be_treated(lab, ew, tmp_path):
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("task-0")
    node.stop("task-0")
    done = ew("run", "--yes", "-f", "json", "--", "touch", tmp_path / "started")
    assert done.code == 2
    assert done.json["acts"] == []
    assert not (tmp_path / "started").exists()


def test_the_gate_stays_shut_after_a_failed_treatment(lab, ew, tmp_path):
    """An executor that did not close its socket would be lost: the command is not started."""
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("task-0")
    event_loop.hang(node.executor("task-0"))
    done = ew("run", "--yes", "-f", "json", "--", "touch", tmp_path / "started")
    assert done.code == 2
    assert [a["result"] for a in done.json["acts"]] == ["failed"]
    assert not (tmp_path / "started").exists()


def test_until_deadline_waits_for_the_last_recovery_timeout(lab, ew):
    """An executor that came back must still be there when its old clock would have run out."""
    node = lab(executors(2, kind="v0-old", recovery_timeout="6secs"), conntrack=True)
    node.forget("all")
    report = ew.json("run", "--yes", *restart(node), code=0)
    for e in by_id(report, node).values():
        assert e["outcome"] == "reregistered"
    acted = min(a["at"] for a in report["acts"])
    assert seconds(report["generated_at"]) - seconds(acted) >= 6


def seconds(timestamp):
    """Of the day; windows of tests at midnight are not worth a parser."""
    hours, minutes, rest = timestamp.rstrip("Z").split("T")[1].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def test_a_command_that_fails(lab, ew):
    """It restarted the agent before it failed: its code is reported, the verdict is the executors'."""
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("all")
    command = ["--", "sh", "-c", '"$@"; exit 42', "sh", *node.command(*node.restart_args())]
    done = ew("run", "--yes", "-f", "json", "--until", "settled", *command)
    assert done.code == 0
    assert done.json["command"]["exit_code"] == 42
    assert "exit status 42" in done.err
    assert each(done.json, node, "outcome") == dict.fromkeys(["task-0", "task-1"], "reregistered")


def test_a_command_that_does_not_exist(lab, ew):
    """The executors' clocks run already: execwatch says so and sees the agent restarted by hand."""
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("all")
    run = ew.start("run", "--yes", "-f", "json", "--until", "settled", "--", "/no/such/restart")
    run.wait_for("/no/such/restart.*No such file").wait_for("watched all the same")
    node.restart_agent()
    done = run.result()
    assert done.code == 0
    assert each(done.json, node, "outcome") == dict.fromkeys(["task-0", "task-1"], "reregistered")


def test_a_command_that_hangs(lab, ew):
    """The agent is back and all are registered, but the window is not over before the command."""
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("all")
    command = ["--", "sh", "-c", '"$@"; exec sleep 100', "sh", *node.command(*node.restart_args())]
    run = ew.start("run", "--yes", "-f", "json", "--until", "settled", *command)
    run.wait_for('"ok":true')
    node.wait_recovered()
    run.interrupt().wait_for("Watching goes on").interrupt()  # a terminal sends the first to both
    done = run.result()
    assert done.code == 3
    assert "still runs" in done.err
    assert not done.json["command"]["ended"]
    assert done.json["interrupted"]
    assert each(done.json, node, "outcome") == dict.fromkeys(["task-0", "task-1"], "reregistered")


def test_a_command_that_is_killed(lab, ew):
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("all")
    command = ["--", "sh", "-c", '"$@"; kill -TERM $$', "sh", *node.command(*node.restart_args())]
    done = ew("run", "--yes", "-f", "json", "--until", "settled", *command)
    assert done.code == 0
    assert done.json["command"]["signal"] == 15
    assert "signal 15" in done.err


def test_somebody_else_starts_the_agent(lab, ew):
    """The command only stops the old one; who starts the new one does not matter."""
    node = lab(executors(3, kind="v0-old"), conntrack=True)
    node.forget("all")
    run = ew.start("run", "--yes", "-f", "json", "--until", "settled",
                   "--", *node.command("stop-agent"))
    run.wait_for('"ok":true')
    node.start_agent()
    done = run.result()
    assert done.code == 0
    assert set(each(done.json, node, "proof").values()) == {"message"}


@pytest.mark.parametrize("option", ["--no-bpf", "--method=pidfd", "--method=ptrace"])
def test_other_ways_to_the_same_end(lab, ew, option):
    """Without BPF no message is seen: the agent's own word is the proof then."""
    node = lab(executors(2, kind="v0-old"), executor("http", kind="v1"), conntrack=True)
    node.forget("all")
    report = ew.json("run", "--yes", option, "--until", "settled", *restart(node), code=0)
    proof = "api" if option == "--no-bpf" else "message"
    assert set(each(report, node, "proof").values()) == {proof}
    methods = {a["method"] for a in report["acts"] if a["method"]}
    assert methods == {option.partition("=")[2] or "ptrace"}


@pytest.mark.parametrize("api", ["auth", "hang"])
def test_an_api_that_does_not_answer(lab, ew, api):
    """Registrations are seen on the wire, whatever the API says."""
    node = lab(executors(2, kind="v0-old"), conntrack=True, agent_words={"api": api})
    node.forget("all")
    ew.wait_judged(node)
    report = ew.json("run", "--yes", "--until", "6s", *restart(node), code=0)
    assert set(each(report, node, "outcome").values()) == {"reregistered"}
    assert set(each(report, node, "proof").values()) == {"message"}


def test_what_the_command_prints_does_not_break_a_document(lab, ew):
    """A document stays a document, whatever the command prints."""
    node = lab(executors(1, kind="v0-old"))
    done = ew("run", "--yes", "-f", "json", "--until", "2s", "--", "echo", "restarted")
    assert json.loads(done.out)["schema"] == "execwatch.run/1"
    assert "restarted" in done.err


def test_what_no_one_can_save_is_said_before(lab, ew):
    """Without checkpoints a task ends with its agent: known before the command runs, and counted
    as lost after it."""
    node = lab(executors(2, kind="v0-old"), executor("batch", kind="v0-old", checkpoint="0"),
               executor("waits", kind="v0-old", mode="disconnected"))
    done = ew("run", "--yes", "--accept", "no-checkpoint", "-f", "json", "--until", "settled", *restart(node))
    outcomes = each(done.json, node, "outcome")
    assert done.code == 2, by_id(done.json, node)
    assert outcomes == {"batch": "self-terminated", **dict.fromkeys(["task-0", "task-1", "waits"], "reregistered")}


def test_what_was_foreseen_is_looked_at_again(lab, ew):
    """By run and, from the baseline, by verify: what stands still, and what does not."""
    node = lab(executors(2, kind="v0-relink"))
    nobody = ["--master-url", "http://127.0.0.1:5059"]
    give = ["chown", "-R", "0:0", str(node.meta())]
    run_dir = node.run_dir(node.executor("task-0"))
    node.run("chown", "65534", run_dir, check=True)
    report = ew.json("run", "--yes", "--until", "settled", *nobody, "--", "sh", "-c",
                     '"$@" && ' + " ".join(give), "sh", *node.command(*node.restart_args()), code=1)
    assert {f["id"]: f["stands"] for f in report["foreseen"]} == {"master-unreachable": True, "checkpoint-owner": False}
    done = ew("verify", "--until", "settled", *nobody)
    assert "checkpoint-owner (warning): it is so no more" in done.words
    assert "master-unreachable (warning): it still is so" in done.words


def test_a_command_that_restarts_docker_is_told_before_it_starts(lab, ew):
    node = lab(executor("web", kind="v0-old", as_="docker"))
    done = ew("run", "--yes", "--until", "settled", "--", "sh", "-c", '"$@"; : systemctl restart docker',
              "sh", *node.command(*node.restart_args()))
    assert done.code == 0
    assert "warning: docker-restart: The command seems to stop or restart docker, and 1 executors" in done.err


def test_a_dry_run_is_a_document_too(lab, ew, tmp_path):
    """What would be treated, the exit code of an audit, and the same from a recording; nothing is done."""
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("task-0")
    recording = str(tmp_path / "dry.jsonl")
    document = ew.json("run", "--dry-run", "--record", recording, "--", "touch", tmp_path / "started", code=1)
    assert document["schema"] == "execwatch.run/1"
    assert [(a["executor_id"], a["result"], a["reason_id"]) for a in document["acts"]] == [("task-0", "skipped", "dry-run")]
    assert ew("report", "--replay", recording, "-f", "json").json == document
    line = ew("run", "--dry-run", "-f", "nagios", "--", "touch", tmp_path / "started")
    assert line.code == 1
    assert line.out.startswith("EXECWATCH WARNING - Dry run: nothing was done. 1 link would be shut down. |")
    assert not (tmp_path / "started").exists()
    assert node.phases("all") == {"registered"}

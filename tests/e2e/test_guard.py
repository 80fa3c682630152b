# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The guard of `run`: links that did not notice the agent's end are treated before the next one asks."""

import json
import shlex
import signal

import pytest

from connections import keeps_its_links
from execwatch import each
from labnode import executor, executors

STALE = [f"task-{i}" for i in range(8)]


def command(*commands):
    """CMD that runs these one after the other."""
    return ["--", "sh", "-c", " && ".join(shlex.join(map(str, c)) for c in commands)]


def forget_and_restart(node, ids, **kw):
    """Their links go stale in the window, after they were judged; then the agent restarts."""
    return command(node.command("forget", node.select(ids)), node.command(*node.restart_args(**kw)))


def results(document):
    return {a["executor_id"]: a["result"] for a in document["acts"]}


def alive(node):
    return {e.executor_id for e in node.executors() if e.alive}


def run(ew, *args, code):
    return ew.json("run", "--yes", "--until", "settled", *args, code=code)


def test_a_firewall_that_is_reloaded_in_the_window(lab, ew):
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    flush = node.inside("conntrack", "-F")
    report = run(ew, *command(flush, node.command(*node.restart_args())), code=0)
    assert results(report) == {"task-0": "done", "task-1": "done"}
    assert each(report, node, "outcome") == dict.fromkeys(["task-0", "task-1"], "reregistered")


def test_without_the_guard_they_are_lost(lab, ew):
    node = lab(executors(3, kind="v0-old"), conntrack=True)
    report = run(ew, "--treat", "before", *forget_and_restart(node, ["task-0", "task-1"]), code=2)
    assert report["acts"] == []
    assert alive(node) == {"task-2"}


@pytest.mark.parametrize("down", [0.3, 2])
@pytest.mark.parametrize("end", ["KILL", "TERM"])
def test_exactly_those_that_did_not_notice(lab, ew, end, down):
    """None that has noticed is touched, and none is lost."""
    node = lab(executors(20, kind="v0-old"), conntrack=True)
    before = alive(node)
    report = run(ew, *forget_and_restart(node, STALE, signal=end, down=down), code=0)
    assert results(report) == dict.fromkeys(STALE, "done")
    assert each(report, node, "outcome") == dict.fromkeys(before, "reregistered")
    assert alive(node) == before
    assert [line["result"] for line in ew.audit_log() if line["phase"] == "result"] == ["done"] * 8


def test_a_new_agent_at_once(lab, ew):
    """Whoever is first: no executor that has noticed is lost, and each stale one is accounted for."""
    node = lab(executors(20, kind="v0-old"), conntrack=True)
    done = ew("run", "--yes", "--until", "settled", "-f", "json",
              *forget_and_restart(node, STALE, down=0))
    treated = {id for id, result in results(done.json).items() if result == "done"}
    left_alone = {id for id, result in results(done.json).items() if result == "skipped"}
    assert treated | left_alone == set(STALE)
    assert alive(node) == {f"task-{i}" for i in range(20)} - left_alone
    assert all(f"{id} did not notice the agent's end and is left alone" in done.err for id in left_alone)


def test_those_that_the_new_agent_asked_first(lab, ew, tmp_path):
    """execwatch is stopped while the agent restarts: it comes too late, touches none, names them."""
    node = lab(executors(4, kind="v0-old"), conntrack=True, reregistration_timeout="10secs")
    go = tmp_path / "go"
    window = ew.start("run", "--yes", "--until", "settled", "-f", "json", "--", "sh", "-c",
                      f"echo begun >&2; until [ -e {go} ]; do sleep 0.05; done").wait_for("begun")
    node.forget(["task-0", "task-1"])
    window.process.send_signal(signal.SIGSTOP)
    node.stop_agent()
    node.start_agent(hold=True)
    node.wait_until(lambda: node.phases("all") == {"reconnecting"}, what="the answers of all")
    window.process.send_signal(signal.SIGCONT)
    window.wait_for("0 of 2 links")
    node.release()
    go.touch()
    done = window.result()
    assert results(done.json) == {"task-0": "skipped", "task-1": "skipped"}
    for id in "task-0", "task-1":
        assert f"{id} did not notice the agent's end and is left alone: the new agent has already asked it" in done.err
    assert alive(node) == {"task-2", "task-3"}
    assert done.code == 2


def test_executors_that_relink_and_http_ones(lab, ew):
    """Those that heal by themselves are left alone; both links of a v1 executor are treated."""
    node = lab(executor("relinks", kind="v0-relink"), executor("old", kind="v0-old"),
               executor("http", kind="v1"), executor("well", kind="v1"), conntrack=True)
    before = alive(node)
    report = run(ew, *forget_and_restart(node, ["relinks", "old", "http"]), code=0)
    assert results(report) == {"old": "done", "http": "done"}
    assert alive(node) == before


def test_by_the_guard_alone(lab, ew, tmp_path):
    """Links that are stale before: none is treated until the agent ends, and the gate counts on it."""
    node = lab(executors(6, kind="v0-old"), conntrack=True)
    node.half_open(["task-0"])
    node.forget(["task-1"])
    log = tmp_path / "log-at-start"
    report = run(ew, "--treat", "guard",
                 *command(["cp", ew.state_dir / "audit.log", log],
                          node.command(*node.restart_args())), code=0)
    armed = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["executor_id"] for line in armed} == {f"task-{i}" for i in range(6)}
    assert {(line["phase"], line["reason_id"]) for line in armed} == {("intent", "guard")}
    assert results(report) == {"task-0": "done", "task-1": "done"}
    assert set(each(report, node, "outcome").values()) == {"reregistered"}


def test_the_guard_needs_an_agent_to_wait_for(lab, ew, tmp_path):
    """Without one it cannot be armed, and the gate counts on nothing."""
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("all")
    node.stop_agent()
    done = ew("run", "--yes", "--treat", "guard", "--", "touch", tmp_path / "started")
    assert done.code == 2
    assert "arm the guard: no agent listens" in done.err
    assert not (tmp_path / "started").exists()


def test_a_terminal_is_asked_before_the_guard_is_armed(lab, ew, tmp_path):
    lab(executors(1, kind="v0-old"), conntrack=True)
    terminal = ew.terminal("run", "--", "touch", tmp_path / "started").read_until(r"\[y/N\]")
    assert "treat the links that do not notice" in terminal.text
    assert terminal.type("n\n").wait() == 1
    assert not (tmp_path / "started").exists()


def test_nothing_is_treated_while_the_question_stands(lab, ew, tmp_path):
    """Somebody else ends the agent meanwhile: without a "yes" the links are left as they are."""
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    before = node.executors()
    terminal = ew.terminal("run", "--", "touch", tmp_path / "started").read_until(r"\[y/N\]")
    node.forget("all")
    node.stop_agent()
    assert terminal.type("n\n").wait() == 1
    assert ew.audit_log() == []
    assert all(keeps_its_links(e) for e in before)


def test_without_hooks_a_scan_finds_them(lab, ew):
    node = lab(executors(4, kind="v0-old"), conntrack=True)
    before = alive(node)
    report = ew.json("run", "--yes", "--no-bpf", "--until", "settled",
                     *forget_and_restart(node, ["task-0"], down=4))
    assert results(report) == {"task-0": "done"}
    assert alive(node) == before


def test_a_recording_of_it_gives_the_same_document(lab, ew, tmp_path):
    node = lab(executors(4, kind="v0-old"), conntrack=True)
    recording = tmp_path / "recording"
    done = ew("run", "--yes", "--until", "settled", "-f", "json", "--record", recording,
              *forget_and_restart(node, ["task-0"]))
    assert done.code == 0
    assert results(done.json) == {"task-0": "done"}
    assert ew("report", "-f", "json", "--replay", recording).out == done.out

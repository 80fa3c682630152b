# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The rules of acting: who is asked, who is chosen, what is written down, who goes first."""

import contextlib
import os
import random
import signal
import threading

import pytest

import event_loop
from connections import keeps_its_links, node_connections
from execwatch import by_id, each, tries
from labnode import LabNode, agent, executor, executors

# Of the restart at a random moment.
TRIES = tries(5, 100)


@pytest.fixture
def node(lab):
    """Four executors that would be lost, one that is well."""
    node = lab(executor("half-0", kind="v0-old", group="half"),
               executor("half-1", kind="v0-old", group="half"),
               executor("risk-0", kind="v0-old", group="risk"),
               executor("risk-1", kind="v0-old", group="risk"),
               executor("well", kind="v0-old"), conntrack=True)
    node.half_open("group:half")
    node.forget("group:risk")
    return node


def touched(before):
    return {e.executor_id for e in before if not keeps_its_links(e)}


def acted_on(document):
    return {a["executor_id"] for a in document["acts"] if a["result"] == "done"}


ALL_FOUR = {"half-0", "half-1", "risk-0", "risk-1"}


# ---- once, twice, two at once ----

def test_running_again_finds_nothing_to_do(node, ew):
    assert acted_on(ew.json("shutdown", "--yes", code=0)) == ALL_FOUR
    log = ew.audit_log()
    again = ew("shutdown", "--yes")
    assert again.code == 0
    assert "Nothing was treated." in again.words
    assert "4 are disconnected" in again.words
    assert ew.audit_log() == log


def test_two_at_once(node, ew):
    """The first holds the lock for its whole window; the second does nothing and says who has it."""
    before = node.executors()
    first = ew.start("run", "--yes", "-q", "--select", "half-open", "--accept", "at-risk",
                     "--", "sleep", "100")
    node.wait_until(lambda: touched(before) == {"half-0", "half-1"})
    second = ew("shutdown", "--yes")
    assert second.code == 75
    assert str(first.process.pid) in second.err
    assert touched(before) == {"half-0", "half-1"}


def test_the_lock_goes_with_its_holder(node, ew):
    """SIGKILL leaves no stale lock."""
    first = ew.start("run", "--yes", "-q", "--", "sleep", "100")
    before = node.executors()
    node.wait_until(lambda: [l["result"] for l in ew.audit_log()].count("done") == 4, what="the results")
    assert touched(before) == ALL_FOUR
    first.interrupt(signal.SIGKILL)
    assert first.result().code == -signal.SIGKILL
    assert ew("shutdown", "--yes").code == 0


def test_an_audit_needs_no_lock(node, ew):
    before = node.executors()
    ew.start("run", "--yes", "-q", "--", "sleep", "100")
    node.wait_until(lambda: touched(before) == ALL_FOUR)
    assert ew("audit").code == 2
    assert ew("shutdown", "--dry-run").code == 0


# ---- asking ----

def test_without_a_terminal_somebody_must_say_yes(node, ew, port):
    before = node_connections(node, port)
    for verb in ["shutdown"], ["run", "--", "true"]:
        done = ew(*verb)
        assert done.code == 64
        assert "--yes" in done.err and "--dry-run" in done.err
        assert done.out == ""
    assert node_connections(node, port) == before


def test_no_means_no(node, ew, port):
    before = node_connections(node, port)
    terminal = ew.terminal("shutdown").read_until(r"\[y/N\]")
    assert "4 links would be shut down" in terminal.text
    assert terminal.type("n\n").wait() == 1
    assert "nothing was done" in terminal.text
    assert node_connections(node, port) == before
    assert ew.audit_log() == []


def test_no_answer_means_no(node, ew, port):
    """Just the return key, and the end of input."""
    before = node_connections(node, port)
    for answer in "\n", "\x04":
        assert ew.terminal("shutdown").read_until(r"\[y/N\]").type(answer).wait() == 1
    assert node_connections(node, port) == before


def test_yes_means_yes(node, ew):
    before = node.executors()
    terminal = ew.terminal("shutdown").read_until(r"\[y/N\]").type("y\n")
    assert terminal.wait() == 0
    assert "4 of 4 links treated" in terminal.text
    assert touched(before) == ALL_FOUR


def test_run_asks_once_for_all(node, ew, tmp_path):
    """No: the command is not started either."""
    started = tmp_path / "started"
    terminal = ew.terminal("run", "--", "touch", started).read_until(r"\[y/N\]")
    assert terminal.type("no\n").wait() == 1
    assert not started.exists()


# ---- the plan is as old as the question: what has changed since is dropped ----

def test_the_agent_restarts_while_the_question_stands(node, ew):
    """The new agent has asked the executors: a second disconnect would end them. None is touched,
    and each is named with the reason."""
    old = node.status()["agents"][0]["pid"]
    terminal = ew.terminal("shutdown").read_until(r"\[y/N\]")
    node.stop_agent()
    new = node.start_agent(hold=True)
    before = node.executors()
    node.wait_until(lambda: node.phases(["risk-0", "risk-1"]) == {"reconnecting"}, what="the executors' answers")
    assert terminal.type("y\n").wait() == 1
    assert "nothing was done" in terminal.text
    for id in ALL_FOUR:
        assert f"{id} is left alone: the agent is another process now (pid {new}, it was pid {old})" in terminal.text
    assert ew.audit_log() == []
    assert not touched(before) & {"risk-0", "risk-1"}  # the other two have closed theirs themselves


def test_a_restart_at_a_random_moment(lab, ew):
    """Around the answer: who has been asked by the new agent is not treated after it."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    moments = random.Random(seed)
    for _ in range(TRIES):
        with contextlib.ExitStack() as stack:
            node = stack.enter_context(LabNode(agent(port=ew.port), executors(4, kind="v0-old"), conntrack=True))
            node.forget("all")
            terminal = ew.terminal("shutdown").read_until(r"\[y/N\]")
            answer = threading.Timer(moments.uniform(0, 0.15), terminal.type, ["y\n"])
            answer.start()
            node.stop_agent()
            node.start_agent(hold=True)
            answer.join()
            terminal.wait()
            # Asked by the new agent, and no connection was lost after that.
            node.wait_until(lambda: node.phases("all") == {"reconnecting"}, what="the answers of all")


def test_a_link_that_is_another_one_now(node, ew):
    """The other executors are treated; this one has a new link, or none, and is named."""
    terminal = ew.terminal("shutdown").read_until(r"\[y/N\]")
    os.kill(node.executor("risk-0").pid, signal.SIGKILL)
    node.wait_until(lambda: not node.executor("risk-0").alive, what="the executor's end")
    before = [e for e in node.executors() if e.alive]
    terminal.type("y\n").wait()
    assert "risk-0 is left alone: it has ended" in terminal.text
    assert "3 of 4 links treated" in terminal.text
    assert touched(before) == ALL_FOUR - {"risk-0"}


def test_a_lock_taken_before_the_question(node, ew):
    """Nobody else acts while somebody thinks about the answer."""
    first = ew.terminal("shutdown").read_until(r"\[y/N\]")
    assert ew("shutdown", "--yes").code == 75
    assert first.type("n\n").wait() == 1
    assert ew("shutdown", "--yes").code == 0


def test_ctrl_c_at_a_question_ends_at_once(node, ew, port):
    before = node_connections(node, port)
    terminal = ew.terminal("shutdown").read_until(r"\[y/N\]")
    assert terminal.type("\x03").wait() == 3
    assert "nothing was done" in terminal.text
    assert node_connections(node, port) == before


# ---- choosing ----

@pytest.mark.parametrize("choice, chosen, code", [
    (["--select", "half-open"], {"half-0", "half-1"}, 1),
    (["--select", "at-risk"], {"risk-0", "risk-1"}, 1),
    (["--select", "half-open,at-risk"], ALL_FOUR, 0),
    (["--select", "healthy"], {"well"}, 1),
    (["--select", "self-healing"], set(), 1),
    (["--all"], ALL_FOUR | {"well"}, 0),
])
def test_choice(node, ew, choice, chosen, code):
    """The exit code is that of what was left untreated."""
    before = node.executors()
    plan = ew.json("shutdown", "--dry-run", *choice, code=1)
    own = {e.executor_id for e in before}
    assert {a["executor_id"] for a in plan["acts"]} & own == chosen
    done = ew.json("shutdown", "--yes", *choice, code=code)
    assert acted_on(done) == chosen
    assert touched(before) == chosen


def test_one_by_its_pid(node, ew):
    before = node.executors()
    done = ew.json("shutdown", "--yes", "--pid", node.executor("risk-1").pid, code=1)
    assert acted_on(done) == touched(before) == {"risk-1"}


def test_a_pid_that_is_no_executors(node, ew):
    """A mistyped pid must not read as done."""
    done = ew("shutdown", "--yes", "--pid", os.getpid())
    assert done.code == 64
    assert f"process {os.getpid()} is no executor of the agent on port {ew.port}" in done.err


# ---- how ----

@pytest.mark.parametrize("method, used", [("auto", "ptrace"), ("ptrace", "ptrace"), ("pidfd", "pidfd")])
def test_method(node, ew, method, used):
    before = node.executors()
    done = ew.json("shutdown", "--yes", "--method", method, code=0)
    assert {a["method"] for a in done["acts"]} == {used}
    assert all(a["effect_us"] > 0 for a in done["acts"])
    assert all((a["stopped_us"] is None) == (used == "pidfd") for a in done["acts"])
    assert touched(before) == ALL_FOUR
    assert all(e.alive and e.phase == "disconnected" for e in node.executors() if e.executor_id in ALL_FOUR)


def test_a_stopped_executor_is_not_touched(node, ew):
    """It could not close its socket: it is left as it is, and named."""
    frozen = node.executor("half-0")
    node.stop("half-0")
    try:
        done = ew.json("shutdown", "--yes", "--all", code=2)
        result, = [a for a in done["acts"] if a["executor_id"] == "half-0"]
        assert (result["result"], result["reason_id"]) == ("refused", "forbidden")
        assert acted_on(done) == ALL_FOUR - {"half-0"} | {"well"}
        with open(f"/proc/{frozen.pid}/status", encoding="ascii") as f:
            status = f.read()
        assert "State:\tT (stopped)" in status and "TracerPid:\t0" in status  # stopped as it was
    finally:
        node.cont("half-0")


@pytest.mark.parametrize("method", ["ptrace", "pidfd"])
def test_an_act_without_effect_has_failed(lab, ew, method):
    """An act is proven by its effect: an executor that does not close its socket was not treated."""
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("all")
    event_loop.hang(node.executor("task-0"))
    done = ew.json("shutdown", "--yes", "--method", method, code=1)
    assert {a["executor_id"]: a["result"] for a in done["acts"]} == {"task-0": "failed", "task-1": "done"}
    failed, = [a for a in done["acts"] if a["executor_id"] == "task-0"]
    assert failed["effect_us"] is None
    assert [l["result"] for l in ew.audit_log() if l["phase"] == "result"] == ["done", "failed"]


def test_no_executor_is_left_stopped_or_traced(node, ew):
    assert acted_on(ew.json("shutdown", "--yes", "--all")) == ALL_FOUR | {"well"}
    for e in node.executors():
        with open(f"/proc/{e.pid}/status", encoding="ascii") as f:
            status = f.read()
        assert "TracerPid:\t0" in status
        assert "State:\tT" not in status and "State:\tt" not in status


def test_ctrl_c_stops_between_two(lab, ew):
    """Who was begun is treated whole, who was not is untouched and told as skipped."""
    node = lab(executors(200, kind="v0-old"))
    before = node.executors()
    run = ew.start("shutdown", "--yes", "--all", "-f", "json")
    node.wait_until(lambda: any(act["phase"] == "result" for act in ew.audit_log()), what="the first result")
    done = run.interrupt().result()
    results = {a["executor_id"]: a["result"] for a in done.json["acts"]}
    skipped = {id for id, result in results.items() if result == "skipped"}
    assert done.code == 3 and done.json["interrupted"] and len(results) == 200
    assert skipped and {a["reason_id"] for a in done.json["acts"] if a["result"] == "skipped"} == {"interrupted"}
    assert set(results.values()) == {"done", "skipped"}
    assert touched(before) == set(results) - skipped


# ---- the audit log ----

def test_every_act_is_in_the_audit_log(node, ew):
    """An intent before, a result after; who did it, on whom."""
    pids = {e.executor_id: e.pid for e in node.executors()}
    done = ew.json("shutdown", "--yes", code=0)
    log = ew.audit_log()
    for phase in "intent", "result":
        lines = [l for l in log if l["phase"] == phase]
        assert {l["executor_id"]: l["pid"] for l in lines} == {id: pids[id] for id in ALL_FOUR}
        assert {l["by_uid"] for l in lines} == {0}
    assert {l["result"] for l in log if l["phase"] == "result"} == {"done"}
    for id in ALL_FOUR:
        assert [l["phase"] for l in log if l["executor_id"] == id] == ["intent", "result"]
    assert [l["ts"] for l in log] == sorted(l["ts"] for l in log)
    assert os.stat(ew.state_dir / "audit.log").st_mode & 0o077 == 0
    assert len(done["acts"]) == 4


def test_a_refusal_is_in_the_audit_log(lab, ew):
    node = lab(executor("batch", kind="v0-old", checkpoint="0"))
    done = ew.json("shutdown", "--yes", "--pid", node.executor("batch").pid, code=2)
    assert [a["result"] for a in done["acts"]] == ["refused"]
    batch = by_id(done, node)["batch"]
    assert batch["forbidden"] == done["acts"][0]["reason"]
    assert [(l["phase"], l["result"]) for l in ew.audit_log()] == [("result", "refused")]


def test_nothing_is_begun_that_cannot_be_written_down(node, ew, port):
    ew.state_dir.mkdir()
    (ew.state_dir / "audit.log").symlink_to("/dev/full")
    before = node_connections(node, port)
    done = ew("shutdown", "--yes")
    assert done.code == 3
    assert "audit.log" in done.err
    assert node_connections(node, port) == before


@pytest.mark.parametrize("verb", ["shutdown", "protect", "hold", "guard"])
def test_a_recording_cannot_be_acted_on(ew, verb, tmp_path):
    """And this host is not meant."""
    done = ew(verb, "--yes", "--replay", tmp_path / "recording")
    assert done.code == 64
    assert f"'{verb}' acts on this host" in done.err


# The size of files is limited so that the intents fit and the results do not: as on a full disk.
FULL = ["bash", "-c", 'ulimit -f "$0"; exec "$@"', "3"]


def test_a_log_that_fails_in_the_middle(lab, ew):
    """What was begun is told, on standard output, with its deadline; nothing else is begun."""
    node = lab(executors(4, kind="v0-old"), conntrack=True)
    node.forget("all")
    before = node.executors()
    done = ew("shutdown", "--yes", prefix=FULL)
    assert done.code == 3, done
    assert "audit.log" in done.err and "File too large" in done.err
    assert touched(before)
    assert f"{len(touched(before))} of 4 links treated" in done.words
    assert "The first executor ends itself in 14:" in done.words
    assert all(f"task-{i}" in done.out for i in range(4))


def test_run_goes_on_to_the_restart_when_the_log_fails(lab, ew):
    """The clocks of the treated run: only the restart saves them."""
    node = lab(executors(4, kind="v0-old"), conntrack=True)
    node.forget("all")
    done = ew("run", "--yes", "-f", "json", "--until", "settled", "--accept", "at-risk",
              "--", *node.command(*node.restart_args()), prefix=FULL)
    assert done.json["agent"]["restarted"]
    treated = {a["executor_id"] for a in done.json["acts"] if a["result"] == "done"}
    assert treated
    assert {e["executor_id"] for e in done.json["executors"] if e["outcome"] == "reregistered"} >= treated


# ---- what it leaves behind ----

def test_the_report_names_the_first_deadline(node, ew):
    done = ew("shutdown", "--yes")
    assert done.code == 0
    assert "4 of 4 links treated and closed by their executors." in done.words
    assert "The first executor ends itself in 14:" in done.words
    assert "Restart the agent before the deadline." in done.words


def test_treated_before_another_audit(node, ew):
    """The audit after it shows what it has done, in an operator's words."""
    ew("shutdown", "--yes")
    audit = ew.json("audit", code=2)
    assert each(audit, node, "verdict") == {**dict.fromkeys(ALL_FOUR, "disconnected"), "well": "healthy"}

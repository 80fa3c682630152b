# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""An executor exits 0 whatever its task did: what became of it is said by its task's own end, by the
agent's orders that were seen, by what is on disk, and otherwise not at all."""

import json
import os

import pytest

from execwatch import by_id, each
from labnode import executor, executors


class Held:
    """A run whose command waits until the test lets it go."""

    def __init__(self, ew, tmp_path):
        self.ew, self.gate = ew, str(tmp_path / "gate")

    def start(self, *command, options=()):
        os.mkfifo(self.gate)
        script = 'echo started; read x < "$0"; exec "$@"'
        self.run = self.ew.start("run", "--yes", "-f", "json", *options, "--until", "settled", "--",
                                 "sh", "-c", script, self.gate, *(command or ["true"]))
        self.run.wait_for("started")
        return self

    def end(self, code):
        with open(self.gate, "w", encoding="ascii") as gate:
            gate.write("go\n")
        done = self.run.result(seconds=150)
        assert done.code == code, done
        return done.json


@pytest.fixture
def held(ew, tmp_path):
    return Held(ew, tmp_path)


def alive(node):
    return {e.executor_id for e in node.executors() if e.alive}


def end_tasks(node):
    """One ends well, one fails, one is shot, one is killed by its framework; "stays" goes on."""
    node.finish("done")
    node.finish("bad", code=3)
    node.kill("shot", what="task_pid")
    node.kill_task("unwanted")
    node.wait_until(lambda: alive(node) == {"stays"}, what="four ends")


def four(kind):
    return [executor(id, kind=kind) for id in ("done", "bad", "shot", "unwanted", "stays")]


ENDS = {"done": "finished", "bad": "task-failed", "shot": "task-failed", "unwanted": "task-killed"}


@pytest.mark.parametrize("kind", ["v0-old", "v1"])
def test_by_its_last_update(lab, held, kind):
    node = lab(*four(kind))
    held.start(*node.command(*node.restart_args()))
    end_tasks(node)
    document = held.end(code=2)
    outcomes = each(document, node, "outcome")
    assert outcomes == {**ENDS, "stays": "reregistered"}
    assert {e["severity"] for e in document["executors"] if e["outcome"] == "task-failed"} == {"critical"}
    assert by_id(document, node)["done"]["why"] == [
        "Its task ended well: TASK_FINISHED in the agent's checkpoints."]
    assert by_id(document, node)["bad"]["why"] == [
        "Its task failed in the window: TASK_FAILED in the agent's checkpoints, by its own executor."]


@pytest.mark.parametrize("kind", ["v0-old", "v1"])
def test_by_disk_where_no_message_is_seen(lab, ew, kind):
    node = lab(*four(kind))
    assert ew("audit").code == 0
    end_tasks(node)
    document = ew.json("verify", "--no-bpf", "--until", "settled", code=2)
    assert each(document, node, "outcome") == {**ENDS, "stays": "kept"}
    assert each(document, node, "cause") == {**dict.fromkeys(ENDS, "disk"), "stays": None}


def test_dead_before_verify(lab, ew):
    """How they ended is in no file: lost, not unknown."""
    node = lab(executors(2))
    ew("audit")
    node.kill("all")
    node.wait_until(lambda: not alive(node), what="their end")
    document = ew.json("verify", "--until", "settled", code=2)
    assert set(each(document, node, "outcome").values()) == {"lost"}
    assert all(e["why"][0].startswith("It has exited; the cause was not observed.")
               for e in document["executors"])


def test_killed_for_silence_before_verify(lab, ew):
    node = lab(executors(2), executor("relinks", kind="v0-relink"), conntrack=True)
    ew("audit")
    node.forget("all")
    node.restart_agent()
    node.wait_recovered()
    node.wait_until(lambda: alive(node) == {"relinks"}, what="two ends")
    document = ew.json("verify", "--until", "settled", code=2)
    assert each(document, node, "outcome") == {
        "task-0": "killed-by-agent", "task-1": "killed-by-agent", "relinks": "reregistered"}
    assert each(document, node, "cause")["task-0"] == "disk"
    assert "REASON_EXECUTOR_REREGISTRATION_TIMEOUT" in by_id(document, node)["task-0"]["why"][0]


ORDERS = {
    "SIGUSR1": lambda node: node.stop_agent("USR1"),
    "removed": lambda node: node.remove_agent(),
    "teardown": lambda node: node.teardown("web"),
}


@pytest.mark.parametrize("how", ORDERS)
def test_told_to_end(lab, held, how):
    """They exit 0, or by their own killpg, and are none the less lost."""
    node = lab(executor("web", kind="v0-relink"), executor("http", kind="v1", grace="1500ms"))
    held.start(*node.command("status"))
    ORDERS[how](node)
    node.wait_until(lambda: not alive(node), what="their end")
    document = held.end(code=2)
    assert each(document, node, "outcome") == {"web": "killed-by-agent", "http": "killed-by-agent"}
    assert all("The agent told it to shut down" in e["why"][0] for e in document["executors"])
    assert all(e["killer"] is None for e in document["executors"])


def test_cleanup_is_no_kill_by_the_framework(lab, held):
    """Its updates count, and say TASK_KILLED: the order was first."""
    node = lab(executor("web", kind="v0-relink"))
    held.start(*node.command("status"))
    node.stop_agent()
    node.start_agent(recover="cleanup")
    node.wait_until(lambda: not alive(node), what="its end")
    document = held.end(code=2)
    assert each(document, node, "outcome") == {"web": "killed-by-agent"}


def test_ended_while_no_agent_was_there(lab, held):
    node = lab(executor("web"), executor("stays"))
    held.start(*node.command("start-agent"))
    node.stop_agent()
    node.finish("web")
    node.wait_until(lambda: alive(node) == {"stays"}, what="the end of web")
    document = held.end(code=2)
    web = by_id(document, node)["web"]
    assert web["outcome"] == "task-failed" and web["cause"] == "disk"
    assert "exit status 0 while no agent was there" in web["why"][0]
    assert "told TASK_FAILED" in web["why"][0]


def test_refused_by_an_agent_of_another_id(lab, ew):
    node = lab(executor("web"), executor("http", kind="v1", backoff_max="100ms"))
    assert ew("audit").code == 0
    node.stop_agent()
    node.forget_agent_id()
    node.start_agent()
    node.wait_until(lambda: node.agent_log().count("400 Bad Request to executor 'http'") >= 2,
                    what="two refusals")
    document = ew.json("verify", "--until", "3s", code=2)
    assert each(document, node, "outcome") == {"web": "orphaned", "http": "orphaned"}
    assert each(document, node, "proof") == {"web": None, "http": None}


def test_group_suicide_is_its_own(lab, held):
    node = lab(executors(2, kind="v0-old", recovery_timeout="3secs", suicide="group", grace="1secs"))
    held.start(*node.command("status"))
    node.stop_agent()
    node.wait_until(lambda: not alive(node), what="their end")
    document = held.end(code=2)
    assert set(each(document, node, "outcome").values()) == {"self-terminated"}
    assert all(e["killer"] is None for e in document["executors"])


def test_who_came_after_the_audit(lab, ew, tmp_path):
    node = lab(executor("old"), executor("new"))
    audit = ew.json("audit", code=0)
    audit["executors"] = [e for e in audit["executors"] if e["executor_id"] == "old"]
    baseline = tmp_path / "baseline.json"
    baseline.write_text(json.dumps(audit))
    verify = ew.start("verify", "-f", "json", "--baseline", baseline, "--until", "60s")
    verify.wait_for("done|waiting|kept")
    node.kill("new")
    node.wait_until(lambda: alive(node) == {"old"}, what="the end of new")
    verify.interrupt()
    done = verify.result()
    assert done.code == 2, done
    assert each(done.json, node, "appeared") == {"old": False, "new": True}
    assert each(done.json, node, "outcome") == {"old": "kept", "new": "killed"}


def test_master_timeout_stays_a_finding(lab, ew):
    # on a busy machine an executor may need longer than half a second to register again
    node = lab(executor("web", kind="v0-relink"), agent_words={"reregistration_timeout": "2secs"})
    document = ew.json("run", "--yes", "--master-timeout", "1s", "--until", "settled", "--",
                       *node.command(*node.restart_args(down=2)), code=1)
    assert each(document, node, "outcome") == {"web": "reregistered"}
    finding, = document["findings"]
    assert (finding["id"], finding["severity"]) == ("master-timeout", "warning")
    assert "silent for 1 s" in finding["evidence"]


def test_own_acts_date_a_disconnection(lab, ew, tmp_path):
    """verify was not there when shutdown made it drop its link: the audit log says when, beside a baseline
    from before; and the baseline that shutdown leaves does, without the log."""
    lab(executor("web", recovery_timeout="60secs"))
    before = tmp_path / "before.json"
    ew("audit", "--baseline", before)
    ew("shutdown", "--yes", "--all")
    done, = [line for line in ew.audit_log() if line["phase"] == "result"]
    for baseline in ["--baseline", before], []:
        looks = [ew.json("verify", *baseline, "--until", "1s", code=1)["executors"][0] for _ in range(2)]
        assert looks[0]["outcome"] == "waiting" and not looks[0]["deadline_is_latest"]
        assert looks[0]["deadline"] == looks[1]["deadline"]
        assert looks[0]["disconnected_at"][:19] == done["ts"][:19]
        (ew.state_dir / "audit.log").unlink(missing_ok=True)


def test_unseen_disconnection_is_dated_at_the_latest(lab, ew):
    node = lab(executor("web", recovery_timeout="60secs"))
    ew("audit")
    node.disconnect("web")
    node.wait_until(lambda: node.phases("all") == {"disconnected"}, what="its notice")
    e, = ew.json("verify", "--until", "1s", code=1)["executors"]
    assert (e["outcome"], e["deadline_is_latest"]) == ("waiting", True)
    assert e["disconnected_at"] is None and "at the latest" in e["why"][1]


def test_recovery_timeout_before_verify_is_told_by_its_log(lab, ew):
    """Nobody watched, and the agent knows only that it is gone: its own stderr says why."""
    node = lab(executor("web", recovery_timeout="2secs"), executor("stays", recovery_timeout="60secs"))
    ew("audit")
    node.stop_agent()
    node.wait_until(lambda: alive(node) == {"stays"}, what="the end of web")
    node.start_agent()
    node.wait_recovered()
    document = ew.json("verify", "--until", "settled", code=2)
    web = by_id(document, node)["web"]
    assert (web["outcome"], web["cause"]) == ("self-terminated", "log")
    assert "Recovery timeout of 2secs exceeded" in web["why"][0]


def test_orders_before_verify_are_told_by_the_agents_log(lab, ew):
    """With another agent id in place of theirs: what is written under the old one is found."""
    node = lab(executor("web", kind="v0-relink"), executor("http", kind="v1", grace="1500ms"))
    ew("audit")
    node.stop_agent("USR1")
    node.wait_until(lambda: not alive(node), what="their end")
    node.start_agent()
    document = ew.json("verify", "--until", "3s", code=2)
    assert each(document, node, "outcome") == {"web": "killed-by-agent", "http": "killed-by-agent"}
    assert each(document, node, "cause") == {"web": "log", "http": "log"}
    for e in document["executors"]:
        assert f"the agent's log says 'Shutting down executor '{e['executor_id']}'" in " ".join(e["why"])

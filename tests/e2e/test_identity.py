# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Who is the agent and who an executor: by what no tenant can write. Lists that disagree are told."""

import os
import pathlib
import subprocess
import time

import pytest

from execwatch import by_id, each
from labnode import agent, executor, executors

NOBODY = 65534


def evil(port, **kw):
    """An agent of another user, at another address under the agent's port, id and name."""
    return agent(name="evil", port=port, ip="127.0.0.2", uid=NOBODY, claims="main", **kw)


def notes(document):
    return " ".join(document["notes"])


def rows(document, node):
    """The node's, with those that no process was found for: [(executor id, pid, verdict)]."""
    frameworks = {e.framework_id for e in node.executors()}
    return sorted((e["executor_id"], e["pid"], e["verdict"]) for e in document["executors"]
                  if e["framework_id"] in frameworks)


def overwrite_environment(pid):
    """As setproctitle does: what /proc/PID/environ shows becomes zeros."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    first, end = int(fields[50 - 3]), int(fields[51 - 3])
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(first)
        memory.write(bytes(end - first))


# ---- the agent ----

def test_an_agent_of_another_user_is_none(lab, ew, port):
    node = lab(evil(port), executors(2, kind="v0-old"))
    audit = ew.json("audit", code=1)
    assert each(audit, node, "verdict") == {"task-0": "healthy", "task-1": "healthy"}
    assert audit["agent"]["pid"] == node.agent_pid
    assert f"of user {NOBODY} listens on 127.0.0.2:{port}" in notes(audit)
    assert [f["id"] for f in audit["findings"]] == ["impostor-agent"]


def test_it_does_not_stand_in_for_the_agent(lab, ew, port):
    node = lab(evil(port), executors(2, kind="v0-old"))
    node.stop_agent()
    audit = ew.json("audit", code=2)
    assert (audit["agent"]["pid"], audit["agent"]["version"]) == (None, None)  # nor is it asked
    assert each(audit, node, "verdict") == {"task-0": "disconnected", "task-1": "disconnected"}


@pytest.mark.parametrize("agent_serves", [True, False])
def test_doctor_tells_of_it(lab, ew, port, agent_serves):
    node = lab(evil(port), executors(1, kind="v0-old"))
    if not agent_serves:
        node.stop_agent()
    found = {check["name"]: check for check in ew.json("doctor", code=1)["checks"]}
    assert found["listener"]["state"] == "degraded"
    assert f"of user {NOBODY} listens on 127.0.0.2:{port}" in found["listener"]["detail"]
    assert found["agent"]["state"] == ("ok" if agent_serves else "degraded")


def test_its_message_is_no_proof(lab, ew, port):
    """It tells an executor that waits for the agent that it is registered."""
    node = lab(evil(port), executor("stale", kind="v0-old"))
    ew("audit")
    verify = ew.start("verify", "-f", "json", "--until", "6s")
    verify.wait_for("1/1 done|waiting for 1 of 1")
    node.stop_agent()
    node.wait_until(lambda: node.phases("stale") == {"disconnected"}, what="the end of its link")
    node.forge_message("stale", "evil")
    report = verify.result().json
    assert each(report, node, "outcome") == {"stale": "waiting"}
    assert by_id(report, node)["stale"]["disconnected_at"]  # its clock runs on


def test_two_that_may_be_the_agent(lab, ew, port):
    """Both of root: the address that executors name does not decide between them."""
    node = lab(agent(name="second", port=port, ip="127.0.0.2"), executor("a", kind="v0-old"),
               executor("b", kind="v0-old", agent="second"))
    audit = ew.json("audit", code=3)
    assert set(each(audit, node, "verdict").values()) == {"unknown"}
    assert "either may be the agent" in notes(audit)


def test_the_work_directory_names_one_of_two(lab, ew, port):
    node = lab(agent(name="second", port=port, ip="127.0.0.2"), executor("a", kind="v0-old"),
               executor("b", kind="v0-old", agent="second"))
    audit = ew.json("audit", "--work-dir", node.work_dir, code=0)
    assert each(audit, node, "verdict") == {"a": "healthy", "b": "foreign"}
    assert audit["agent"]["pid"] == node.agent_pid


def test_the_url_of_another_agent(lab, ew, other_port):
    other = other_port()
    node = lab(agent(name="other", port=other), executors(2, kind="v0-old"))
    ew.enters = False
    audit = ew.json("audit", "--agent-url", f"http://127.0.0.1:{other}", code=3, prefix=node.inside())
    assert each(audit, node, "verdict") == {"task-0": "unknown", "task-1": "unknown"}
    assert "meta/slaves/latest names" in notes(audit)


def test_an_answer_that_began_before_the_agent(lab, ew):
    node = lab(executors(1, kind="v0-old"))
    with open(f"/proc/{node.agent_pid}/stat", encoding="ascii") as stat:
        ticks = int(stat.read().rpartition(")")[2].split()[19])
    began = ticks / os.sysconf("SC_CLK_TCK") + time.time() - time.monotonic()
    node.set_state({**node.state(), "start_time": began - 86400.5})
    audit = ew.json("audit", code=3)
    assert each(audit, node, "verdict") == {"task-0": "unknown"}
    assert "started 86400 s before" in notes(audit)


@pytest.mark.parametrize("member, value", [("id", None), ("id", 7), ("id", ""), ("start_time", None), ("start_time", 0),
                                           ("start_time", -1.5)])
def test_an_answer_that_does_not_tell_whose_it_is(lab, ew, member, value):
    node = lab(executors(1, kind="v0-old"))
    node.set_state({**node.state(), member: value})
    audit = ew.json("audit", code=3)
    assert each(audit, node, "verdict") == {"task-0": "unknown"}
    assert audit["agent"]["api"] == f"the agent's /state lacks '{member}': Bad message"


def test_an_agent_that_advertises_another_address(lab, ew, port):
    node = lab(executors(1, kind="v0-old"), ip="10.77.0.1",
               agent_words={"advertise_ip": "10.77.0.1", "listen_ip": "0.0.0.0"})
    assert each(ew.json("audit", code=0), node, "verdict") == {"task-0": "healthy"}


def test_a_port_where_nobody_is(lab, ew, other_port):
    """Not even when executors of another agent are on the host."""
    lab(executors(1, kind="v0-old"))
    ew.port = other_port()
    audit = ew.json("audit", code=3)
    assert audit["agent"]["pid"] is None


# ---- executors ----

def test_claims_change_nothing(lab, ew):
    node = lab(executors(2, kind="v0-old"))
    claims = node.impostors("task-0", count=20, connect=True)
    audit = ew.json("audit", code=0)
    assert rows(audit, node) == sorted((e.executor_id, e.pid, "healthy") for e in node.executors())
    assert len(claims) == 20 and "20 processes have in their environment" in notes(audit)


LISTENER = "import socket, time; s = socket.create_server(('', 0)); print(flush=True); time.sleep(600)"


@pytest.mark.parametrize("checkpoint", ["1", "0"])
def test_an_executor_that_the_agent_does_not_know(lab, ew, checkpoint):
    """Any user can give a process such an environment."""
    node = lab(executors(1, kind="v0-old"))
    real = pathlib.Path(f"/proc/{node.executor('task-0').pid}/environ").read_bytes()
    env = dict(v.decode().split("=", 1) for v in real.split(b"\0") if v)
    env |= {"MESOS_EXECUTOR_ID": "invented", "MESOS_CHECKPOINT": checkpoint}
    with node.popen("/usr/bin/python3", "-c", LISTENER, env=env, stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            audit = ew.json("audit", code=0)
        finally:
            process.kill()
    assert rows(audit, node) == [("task-0", node.executor("task-0").pid, "healthy")]
    assert "1 process has in its environment" in notes(audit)


def test_a_claim_does_not_take_the_place_of_the_dead(lab, ew):
    node = lab(executors(1, kind="v0-old"))
    node.stop_agent()
    node.impostors("task-0", connect=False)
    node.kill("task-0")
    node.wait_until(lambda: not node.executor("task-0").alive, what="its end")
    audit = ew.json("audit", code=3)
    assert rows(audit, node) == [("task-0", None, "unknown")]


def test_an_overwritten_environment_hides_nobody(lab, ew):
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("task-0")
    overwrite_environment(node.executor("task-0").pid)
    audit = ew.json("audit", code=1)
    assert each(audit, node, "verdict") == {"task-0": "at-risk", "task-1": "healthy"}


def test_an_overwritten_environment_without_a_link(lab, ew):
    node = lab(executor("gone", kind="v0-old", mode="disconnected"), executor("stays", kind="v0-old"))
    overwrite_environment(node.executor("gone").pid)
    audit = ew.json("audit", code=3)
    assert rows(audit, node) == [("gone", None, "unknown"), ("stays", node.executor("stays").pid, "healthy")]


def test_the_api_does_not_list_it(lab, ew):
    node = lab(executors(2, kind="v0-old"))
    state = node.state()
    for framework in state["frameworks"]:
        framework["executors"] = [e for e in framework["executors"] if e["id"] != "task-0"]
    node.set_state(state)
    audit = ew.json("audit", code=3)
    assert each(audit, node, "verdict") == {"task-0": "unknown", "task-1": "healthy"}
    assert "does not list it" in by_id(audit, node)["task-0"]["why"][0]


def test_an_answer_under_access_rules(lab, ew):
    """It may list some and leave out others."""
    node = lab(executors(2, kind="v0-old"))
    state = node.state()
    state["flags"]["acls"] = "{\"permissive\": false}"
    for framework in state["frameworks"]:
        framework["executors"] = [e for e in framework["executors"] if e["id"] != "task-0"]
    node.set_state(state)
    assert each(ew.json("audit", code=0), node, "verdict") == {"task-0": "healthy", "task-1": "healthy"}


def test_an_answer_emptied_by_access_rules(lab, ew):
    """It says nothing of who is there."""
    node = lab(executors(2, kind="v0-old"))
    node.api("empty")
    assert each(ew.json("audit", code=0), node, "verdict") == {"task-0": "healthy", "task-1": "healthy"}


# ---- orphans ----

def test_latest_is_removed_while_the_agent_serves(lab, ew):
    """The next agent takes a new id."""
    node = lab(executors(1, kind="v0-old"), executor("http", kind="v1"))
    node.forget_agent_id()
    audit = ew.json("audit", code=2)
    assert each(audit, node, "verdict") == {"task-0": "orphaned", "http": "orphaned"}


def test_an_agent_with_a_new_id(lab, ew):
    node = lab(executors(1, kind="v0-old"), executor("http", kind="v1"))
    ew("audit")
    node.stop_agent()
    node.forget_agent_id(meta=True)
    node.start_agent()
    node.wait_recovered()
    audit = ew.json("audit", code=2)
    assert each(audit, node, "verdict") == {"task-0": "orphaned", "http": "orphaned"}


def test_a_window_after_which_the_agent_has_a_new_id(lab, ew):
    node = lab(executors(1, kind="v0-old"), executor("http", kind="v1"))
    done = ew.json("run", "--yes", "--until", "8s", "--", "sh", "-c",
                   f"{' '.join(node.command('stop-agent'))}; rm {node.work_dir}/meta/slaves/latest; "
                   f"{' '.join(node.command('start-agent'))}", code=2)
    assert each(done, node, "outcome") == {"task-0": "orphaned", "http": "orphaned"}


def test_checkpoints_of_another_boot(lab, ew):
    node = lab(executors(2, kind="v0-old"))
    path = pathlib.Path(node.work_dir, "meta", "boot_id")
    path.write_text("11111111-2222-3333-4444-555555555555")
    audit = ew.json("audit", code=2)
    assert each(audit, node, "verdict") == {"task-0": "orphaned", "task-1": "orphaned"}

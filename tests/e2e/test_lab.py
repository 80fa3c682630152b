# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The lab itself: its failure is the real one, and nothing of it outlives its node."""

import json
import os
import pathlib
import re
import signal
import subprocess

import pytest

from labnode import (LAB, TOP, LabError, LabNode, agent, connection, executor, executors,
                     port_rules)

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")


def phases(node):
    return {os.fsencode(e.executor_id): e.phase for e in node.executors()}


def alive(node):
    return {e.executor_id for e in node.executors() if e.alive}


def wait_for_phase(node, executor_id, phase, seconds=30):
    node.wait_until(lambda: node.executor(executor_id).phase == phase, seconds,
                    f"{executor_id} {phase}")


def descendants_left(directory):
    """Processes that run a program of the node's, or have it in their environment."""
    left = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as c, open(f"/proc/{pid}/environ", "rb") as e:
                if directory.encode() in c.read() + e.read():
                    left.append(int(pid))
        except OSError:
            pass
    return left


# -- the failure -----------------------------------------------------------------------------


def test_forgotten_links_cost_executors():
    with LabNode(executor("old"), executor("new", kind="v0-relink"),
                 executor("http", kind="v1"), executor("kept"), conntrack=True) as node:
        before = node.executor("old").link
        node.forget(["old", "new", "http"])
        node.restart_agent()
        node.wait_recovered()
        node.wait_until(lambda: alive(node) == {"new", "kept"}, what="the end of old and http")
        assert phases(node)[b"old"] == "reconnecting", "it answered on the dead link"
        assert "Killing un-reregistered executor 'old'" in node.agent_log()
        assert "Agent exited" not in node.stderr_of(node.executor("old"))
        assert "Agent exited" in node.stderr_of(node.executor("kept"))
        sockets = node.run("ss", "-tna", capture_output=True, text=True).stdout
        orphan = [s.split() for s in sockets.splitlines() if before["local"] in s]
        assert orphan and all(s[0] == "FIN-WAIT-1" for s in orphan)


def test_without_the_failure_all_come_back():
    with LabNode(executors(3), executors(2, prefix="http-", kind="v1"),
                 conntrack=True) as node:
        tasks = {e.executor_id: e.task_pid for e in node.executors()}
        old = node.agent_pid
        assert node.restart_agent(signal="TERM") != old
        node.wait_recovered()
        node.wait_registered()
        assert {e.executor_id: e.task_pid for e in node.executors()} == tasks
        assert set(phases(node).values()) == {"reregistered"}


def test_half_open_link_is_answered_with_a_reset():
    with LabNode(executor("old"), executor("http", kind="v1")) as node:
        node.half_open("all")
        assert all(e.connected for e in node.executors())
        ends = node.run("ss", "-tnH", "sport = :5051", capture_output=True, text=True).stdout
        assert not ends.strip(), "the agent's ends are gone"
        node.restart_agent()
        node.wait_recovered()
        node.wait_until(lambda: not alive(node), what="the end of both")
        assert "Agent exited, but" in node.stderr_of(node.executor("old"))


def test_retry_interval_heals_where_a_reset_comes_back():
    with LabNode(agent(retry_interval="300ms"), executor("old")) as node:
        node.half_open("old")
        node.restart_agent()
        node.wait_recovered()
        node.wait_registered()
        assert "Re-sending reconnect request" in node.agent_log()


# -- executors' other ends ---------------------------------------------------------------------


def test_recovery_timeout_ends_executor_and_task():
    with LabNode(executor("web", recovery_timeout="1secs", as_="containerizer"),
                 executor("http", recovery_timeout="1secs", kind="v1")) as node:
        node.stop_agent()
        node.wait_until(lambda: not alive(node), what="self-termination")
        assert set(phases(node).values()) == {"exited"}
        text = node.stderr_of(node.executor("web"))
        assert "Recovery timeout of 1secs exceeded; Shutting down" in text
        assert "Command terminated with signal Terminated" in text


def test_group_suicide_after_the_grace_period():
    with LabNode(executor("web", recovery_timeout="1secs", grace="1secs",
                          suicide="group")) as node:
        node.disconnect("web")      # the agent stays, and sees how its child ends
        node.wait_until(lambda: not alive(node), what="killpg")
        assert phases(node)[b"web"] == "killing-group"
        node.wait_until(lambda: "terminated with signal Killed" in node.agent_log())


def test_v1_executor_whose_end_nobody_acknowledges_kills_its_own_group():
    with LabNode(executor("http", kind="v1", suicide="ack", recovery_timeout="500ms",
                          grace="1500ms")) as node:
        node.stop_agent()
        node.wait_until(lambda: not alive(node), what="killpg")
        assert phases(node)[b"http"] == "killing-group"
        assert "Command terminated with signal Terminated" in node.stderr_of(node.executor("http"))


def test_second_disconnect_is_the_end():
    with LabNode(executor("web")) as node:
        node.disconnect("web")
        wait_for_phase(node, "web", "disconnected")
        node.kill("web", signal="STOP")
        node.restart_agent()
        node.wait_until(lambda: "Sending reconnect request" in node.agent_log())
        node.stop_agent()   # its request waits in the stopped executor
        node.kill("web", signal="CONT")
        node.wait_until(lambda: not alive(node), what="its end")
        assert "Agent exited ... shutting down" in node.stderr_of(node.executor("web"))


def test_without_checkpoint_or_registration_it_dies_with_the_agent():
    with LabNode(executor("a", checkpoint=0), executor("b", checkpoint=0, kind="v1"),
                 executor("c", mode="unregistered"), executor("d")) as node:
        node.stop_agent()
        node.wait_until(lambda: alive(node) == {"d"}, what="the end of a, b and c")


def test_finish_and_kill():
    with LabNode(executor("ends"), executor("killed"), executor("stays")) as node:
        node.finish("ends")
        (killer,) = node.kill("killed", comm="bad-neighbour")
        assert killer > 0
        node.wait_until(lambda: alive(node) == {"stays"}, what="two ends")
        assert phases(node)[b"ends"] == "exited"
        state = json.loads(node.run("curl", "-s", "http://127.0.0.1:5051/state",
                                    capture_output=True).stdout)
        framework = state["frameworks"][0]
        assert [e["id"] for e in framework["executors"]] == ["stays"]
        assert {e["id"] for e in framework["completed_executors"]} == {"ends", "killed"}


# -- how tasks end -------------------------------------------------------------------------------


def ends(node, executor_id):
    """The last UPDATE of its task.updates, and whether an ACK follows it."""
    records = node.task_updates(node.executor(executor_id))
    acked = records[-1][0] == "ACK"
    return records[-2 if acked else -1][1:], acked


def exit_lines(node, executor_id):
    return [line.split("] ", 1)[1] for line in node.agent_log().splitlines()
            if f"Executor '{executor_id}'" in line and ("exited" in line or "terminated" in line)]


def task_lists(node):
    tasks = node.call("GET_TASKS")
    return {name: {t["task_id"]["value"]: t["state"] for t in tasks[name]}
            for name in ("launched_tasks", "terminated_tasks", "completed_tasks")}


@pytest.mark.parametrize("kind", ["v0-old", "v1"])
def test_executors_exit_0_whatever_became_of_the_task(kind):
    with LabNode(executor("done", kind=kind), executor("bad", kind=kind),
                 executor("shot", kind=kind), executor("unwanted", kind=kind),
                 executor("stays", kind=kind)) as node:
        node.finish("done")
        node.finish("bad", code=3)
        node.kill("shot", what="task_pid")
        node.kill_task("unwanted")
        node.wait_until(lambda: alive(node) == {"stays"}, what="four ends")
        expected = {"done": ("TASK_FINISHED", "Command exited with status 0"),
                    "bad": ("TASK_FAILED", "Command exited with status 3"),
                    "shot": ("TASK_FAILED", "Command terminated with signal Killed"),
                    "unwanted": ("TASK_KILLED", "Command terminated with signal Terminated")}
        assert {e: ends(node, e) for e in expected} == {e: (x, True) for e, x in expected.items()}
        for e in expected:
            fid = node.executor(e).framework_id
            assert exit_lines(node, e) == [f"Executor '{e}' of framework {fid} exited with status 0"]
        framework = node.state()["frameworks"][0]
        assert {e["id"]: [t["state"] for t in e["completed_tasks"]]
                for e in framework["completed_executors"]} == {e: [x[0]] for e, x in expected.items()}
        lists = task_lists(node)
        assert lists == {"launched_tasks": {"stays": "TASK_RUNNING"}, "terminated_tasks": {},
                         "completed_tasks": {e: x[0] for e, x in expected.items()}}


def test_an_end_that_its_framework_does_not_acknowledge():
    with LabNode(executor("web", acks="no"), executor("stays")) as node:
        node.finish("web", code=1)
        node.wait_until(lambda: alive(node) == {"stays"}, what="the end of web")
        assert ends(node, "web") == (("TASK_FAILED", "Command exited with status 1"), False)
        assert task_lists(node)["terminated_tasks"] == {"web": "TASK_FAILED"}


def test_a_task_that_ends_while_no_agent_is_there_has_failed():
    with LabNode(executor("web"), executor("http", kind="v1", suicide="ack"),
                 executor("stays")) as node:
        node.stop_agent()
        node.finish(["web", "http"])
        node.wait_until(lambda: alive(node) == {"http", "stays"}, what="the end of web")
        node.start_agent()
        node.wait_recovered()
        assert ends(node, "web") == (("TASK_FAILED", "Executor terminated"), True)
        node.wait_until(lambda: alive(node) == {"stays"}, what="the end of http")
        assert ends(node, "http") == (("TASK_FINISHED", "Command exited with status 0"), True)


def test_an_executor_that_is_killed_for_its_silence_loses_its_task():
    with LabNode(executor("web")) as node:
        node.half_open("web")
        node.restart_agent()
        node.wait_until(lambda: not alive(node), what="its end")
        node.wait_until(lambda: ends(node, "web") == (
            ("TASK_LOST", "Executor did not reregister within 2secs"), True))


# -- orders of the agent --------------------------------------------------------------------------


def latest(node):
    return os.path.lexists(os.path.join(node.work_dir, "meta", "slaves", "latest"))


def assert_told_to_shut_down(node):
    """v0 exits 0, v1 waits for an acknowledgement and ends by its own killpg()."""
    assert "Executor asked to shutdown" in node.stderr_of(node.executor("web"))
    assert "Received SHUTDOWN event" in node.stderr_of(node.executor("http"))
    assert phases(node) == {b"web": "exited", b"http": "killing-group"}
    assert exit_lines(node, "web")[0].endswith("exited with status 0")


ORDERS = {
    "SIGUSR1": lambda node: node.stop_agent("USR1"),
    "removed": lambda node: node.remove_agent(),
}


@pytest.mark.parametrize("how", ORDERS)
def test_agent_that_ends_for_good(how):
    with LabNode(executor("web"), executor("http", kind="v1", grace="1500ms")) as node:
        old = node.state()["id"]
        ORDERS[how](node)
        assert not alive(node)
        assert_told_to_shut_down(node)
        assert exit_lines(node, "http")[0].endswith("terminated with signal Killed")
        assert ends(node, "web") == (("TASK_RUNNING", ""), True), "no update of a framework that ends"
        assert not latest(node)
        node.start_agent()
        assert node.state()["id"] != old


def test_teardown_of_a_framework():
    with LabNode(executor("web"), executor("http", kind="v1", grace="1500ms"),
                 executor("other", framework=7)) as node:
        node.teardown("web")
        node.wait_until(lambda: alive(node) == {"other"}, what="the end of web and http")
        node.wait_until(lambda: len(exit_lines(node, "http")) == 1, what="the agent's notice")
        assert phases(node) == {b"web": "exited", b"http": "killing-group",
                                b"other": "registered"}
        assert f"Asked to shut down framework {node.executor('web').framework_id} by" in node.agent_log()


def test_recovery_that_cleans_up():
    with LabNode(executor("web"), executor("http", kind="v1", backoff_max="100ms")) as node:
        node.stop_agent()
        node.start_agent(recover="cleanup")
        node.wait_until(lambda: node.status()["agent"]["pid"] == 0, what="the agent's end")
        assert not alive(node)
        assert ends(node, "web") == (("TASK_KILLED", "Command terminated with signal Terminated"), True)
        assert exit_lines(node, "web")[0].endswith("has terminated with unknown status")
        assert not latest(node)


def test_master_removes_an_agent_that_was_away_for_too_long():
    with LabNode(agent(removed_after="3secs"), executor("web")) as node:
        node.restart_agent()
        node.wait_recovered()
        assert alive(node) == {"web"}
        node.restart_agent(down=1.5)
        node.wait_until(lambda: not alive(node), what="the end of web")
        node.wait_until(lambda: node.status()["agent"]["pid"] == 0, what="the agent's end")
        assert "because 'Agent attempted to reregister after removal'" in node.agent_log()
        assert not latest(node)


# -- an agent with another id ---------------------------------------------------------------------


@pytest.mark.parametrize("meta", [False, True])
def test_agent_with_another_id_refuses_v1_for_ever(meta):
    with LabNode(executor("web"), executor("http", kind="v1", backoff_max="100ms")) as node:
        old = node.state()["id"]
        node.stop_agent()
        node.forget_agent_id(meta=meta)
        node.start_agent()
        assert node.state()["id"] != old
        node.wait_until(lambda: node.agent_log().count("400 Bad Request to executor 'http'") >= 2,
                        what="two refusals")
        links = [link["inode"] for link in node.executor("http").links]
        assert len(links) == 2
        node.wait_until(lambda: node.agent_log().count("400 Bad Request to executor 'http'") >= 4,
                        what="more of them")
        assert [link["inode"] for link in node.executor("http").links] == links
        assert phases(node)[b"web"] == "disconnected" and alive(node) == {"web", "http"}


def test_unknown_executor_that_registers_again_is_told_to_go():
    with LabNode(executor("web", kind="v0-relink")) as node:
        node.kill("web", signal="STOP")
        node.restart_agent()
        node.wait_until(lambda: "Sending reconnect request" in node.agent_log())
        node.stop_agent()
        node.forget_agent_id()
        node.start_agent()      # the request of the one before waits in the stopped executor
        node.kill("web", signal="CONT")
        node.wait_until(lambda: not alive(node), what="its end")
        assert "because its framework is unknown" in node.agent_log()
        assert "Executor asked to shutdown" in node.stderr_of(node.executor("web"))


def test_orphans_are_destroyed():
    with LabNode(agent(orphans="destroy"), executor("web", as_="containerizer"),
                 executor("http", kind="v1")) as node:
        node.restart_agent()
        node.wait_recovered()
        assert alive(node) == {"web", "http"}, "they are in the checkpoints"
        node.stop_agent()
        node.forget_agent_id()
        node.start_agent()
        node.wait_until(lambda: not alive(node), what="the end of both")
        assert node.agent_log().count("Cleaning up orphan container") == 2


# -- ends over a temporary connection --------------------------------------------------------------


def test_last_update_goes_over_a_temporary_connection():
    with LabNode(executor("web", recovery_timeout="500ms")) as node:
        node.disconnect("web")
        node.wait_until(lambda: not alive(node), what="its end")
        assert "Recovery timeout of 500ms exceeded" in node.stderr_of(node.executor("web"))
        assert ends(node, "web") == (("TASK_KILLED", "Command terminated with signal Terminated"), True)
        assert node.executor("web").links == [], "it never got a link again"


# -- who is who ------------------------------------------------------------------------------------

NOBODY = 65534


def status_uid(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Uid:"))


def environ(pid):
    with open(f"/proc/{pid}/environ", "rb") as f:
        return dict(v.split(b"=", 1) for v in f.read().split(b"\0") if b"=" in v)


def comm(pid):
    with open(f"/proc/{pid}/comm", encoding="ascii") as f:
        return f.read().strip()


def test_impostor_agent_with_executors_of_its_own():
    with LabNode(executor("web"), agent(name="evil", ip="127.0.0.2", uid=NOBODY, claims="main"),
                 executor("bad", agent="evil"), executor("bad-http", kind="v1", agent="evil")) as node:
        evil = next(a for a in node.status()["agents"] if a["name"] == "evil")
        assert comm(evil["pid"]) == comm(node.agent_pid) == "mesos-agent"
        assert (status_uid(evil["pid"]), status_uid(node.agent_pid)) == (NOBODY, 0)
        assert status_uid(node.executor("bad").pid) == NOBODY
        listeners = node.run("ss", "-tlnH", "sport = :5051", capture_output=True, text=True).stdout
        assert sorted(line.split()[3] for line in listeners.splitlines()) == [
            "127.0.0.1:5051", "127.0.0.2:5051"]
        assert node.state("evil")["id"] == node.state()["id"]
        assert node.executor("bad").framework_id == node.executor("web").framework_id
        assert node.executor("bad").link["remote"] == "127.0.0.2:5051"
        forged = node.state()
        forged["start_time"] = 1.5
        node.set_state(forged, agent="evil")
        assert node.state("evil") == forged
        node.set_state(None, agent="evil")
        assert node.state("evil")["start_time"] > 1.5
        node.restart_agent(agent="evil")
        node.wait_recovered(agent="evil")
        assert alive(node) == {"web", "bad", "bad-http"}


def test_forged_message_reaches_the_executor():
    with LabNode(executor("web"), agent(name="evil", ip="127.0.0.2", uid=NOBODY)) as node:
        node.disconnect("web")
        wait_for_phase(node, "web", "disconnected")
        node.forge_message("web", "evil")
        wait_for_phase(node, "web", "reregistered")
        assert node.executor("web").links == [], "but it has no link"


def test_impostors_copy_an_executor():
    with LabNode(executor("web")) as node:
        web = node.executor("web")
        quiet = node.impostors("web", count=300)
        linked = node.impostors("web", count=2, connect=True)
        assert (len(quiet), len(linked)) == (300, 2)
        node.wait_until(lambda: all(comm(p) == "mesos-executor" for p in quiet + linked))
        for pid in (quiet[0], quiet[-1], linked[0]):
            assert status_uid(pid) == NOBODY
            assert environ(pid) == environ(web.pid)
        node.wait_until(lambda: owners(node).count("mesos-executor") == 3,
                        what="the links of one executor and two impostors")


# -- domain sockets ----------------------------------------------------------------------------------


def test_v1_executors_over_a_domain_socket():
    with LabNode(agent(domain_socket="yes"), executor("http", kind="v1"), executor("web"),
                 executor("forgotten"), conntrack=True) as node:
        path = f"{node.dir}/run/main/agent.sock".encode()
        for e in node.executors():
            assert environ(e.pid)[b"MESOS_DOMAIN_SOCKET"] == path
        assert [link["remote"] for link in node.executor("http").links] == ["unix", "unix"]
        assert node.executor("web").link["remote"] == "127.0.0.1:5051"
        assert owners(node) == ["mesos-executor"] * 2
        node.forget("all")
        node.restart_agent()
        node.wait_recovered()
        node.wait_until(lambda: alive(node) == {"http"}, what="the end of those that use TCP")
        assert phases(node)[b"http"] == "reregistered"


# -- who cannot answer -------------------------------------------------------------------------------


def proc_status(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(line.split(":", 1)[1].strip() for line in f if line.startswith(name + ":"))


def killed_by_the_next_agent(node, executor_id):
    node.restart_agent()
    node.wait_recovered()
    return f"Killing un-reregistered executor '{executor_id}'" in node.agent_log()


def test_stopped_executor_does_not_come_back():
    with LabNode(executor("web"), executor("other"), reregistration_timeout="500ms") as node:
        node.stop("web")
        pid = node.executor("web").pid
        node.wait_until(lambda: proc_status(pid, "State") == "T (stopped)", what="its stop")
        assert killed_by_the_next_agent(node, "web")
        node.wait_until(lambda: alive(node) == {"other"}, what="the end of web")


@pytest.mark.parametrize("stop", [False, True])
def test_traced_executor(stop):
    with LabNode(executor("web"), reregistration_timeout="500ms") as node:
        (tracer,) = node.trace("web", stop=stop)
        pid = node.executor("web").pid
        assert proc_status(pid, "TracerPid") == str(tracer)
        node.wait_until(lambda: (proc_status(pid, "State") == "t (tracing stop)") == stop,
                        what="its state")
        assert killed_by_the_next_agent(node, "web") == stop


@pytest.mark.parametrize("cgroup", [1, 2])
def test_frozen_executor(cgroup):
    with LabNode(executor("web"), executor("other"), reregistration_timeout="500ms") as node:
        node.freeze(["web", "other"], cgroup=cgroup)
        with open(f"/proc/{node.executor('web').pid}/cgroup", encoding="ascii") as f:
            inside = [line for line in f if "execwatch-lab-" in line]
        assert len(inside) == 1 and (inside[0][:3] == "0::") == (cgroup == 2)
        node.thaw("other")
        assert killed_by_the_next_agent(node, "web")
        node.wait_recovered()
        assert phases(node)[b"other"] == "reregistered"


def test_frozen_executors_end_with_their_node():
    with LabNode(executor("web")) as node:
        pid = node.executor("web").pid
        node.freeze("web")
        with open(f"/proc/{pid}/cgroup", encoding="ascii") as f:
            name = next(line for line in f if "execwatch-lab-" in line).strip().rsplit("/", 1)[1]
    assert not os.path.exists(f"/proc/{pid}")
    assert not [d for d, names, _ in os.walk("/sys/fs/cgroup") if name in names]


def test_environment_that_was_overwritten():
    with LabNode(executor("web", environ="overwritten")) as node:
        assert environ(node.executor("web").pid) == {}
        assert environ(node.executor("web").task_pid)[b"MESOS_EXECUTOR_ID"] == b"web"
        node.restart_agent()
        node.wait_recovered()
        assert alive(node) == {"web"}


def test_one_of_two_links():
    with LabNode(executor("one", kind="v1", other="closed"), executor("half", kind="v1")) as node:
        assert len(node.executor("one").links) == 1
        node.finish("one", code=2)
        node.wait_until(lambda: alive(node) == {"half"}, what="the end of one")
        assert ends(node, "one") == (("TASK_FAILED", "Command exited with status 2"), True)
        events, calls = node.executor("half").links
        node.half_open("half", link=1)
        agents = node.run("ss", "-tnH", "sport = :5051", capture_output=True, text=True).stdout
        assert [line.split()[4] for line in agents.splitlines()] == [events["local"]]
        node.disconnect("half", link=0)
        node.wait_until(lambda: {x["inode"] for x in node.executor("half").links}.isdisjoint(
            {events["inode"], calls["inode"]}) and phases(node)[b"half"] == "reregistered")


@pytest.mark.parametrize("agent_too", ["yes", "no"])
def test_links_over_mptcp(agent_too):
    with LabNode(agent(mptcp=agent_too), executor("web", mptcp="yes"),
                 executor("http", kind="v1", mptcp="yes"), executor("plain")) as node:
        lines = node.run("ss", "-HMnp", "dport = :5051", capture_output=True, text=True).stdout
        assert lines.count("mesos-executor") == 3
        agents = node.run("ss", "-HMn", "sport = :5051", capture_output=True, text=True).stdout
        assert len(agents.splitlines()) == (3 if agent_too == "yes" else 0)
        node.restart_agent()
        node.wait_recovered()
        node.wait_registered()


# -- the node's network ----------------------------------------------------------------------------


def test_expiry_zones_and_rules():
    with LabNode(executor("web"), ip="10.77.0.1", reregistration_timeout="500ms") as node:
        node.zone(7)
        node.restart_agent()
        node.wait_recovered()
        node.wait_registered()
        port = node.executor("web").link["local"].rsplit(":", 1)[1]
        (entry,) = [e for e in node.entries() if f"sport={port} dport=5051" in e]
        assert entry.count("zone=7") == 1
        node.expire_in("web", 100, zone=7)
        (entry,) = [e for e in node.entries() if f"sport={port} dport=5051" in e]
        assert int(entry.split()[2]) in range(90, 101)
        with pytest.raises(LabError, match="No such file"):
            node.forget("web")
        node.forget("web", zone=7)
        assert not [e for e in node.entries() if f"sport={port} dport=5051" in e]
        assert "ct zone set 7" in node.ruleset()
        with pytest.raises(LabError, match="syntax error"):
            node.nft("table nonsense {")


def test_links_whose_source_is_translated():
    with LabNode(executor("web"), executor("net", ns="net"), ip="10.77.0.1",
                 reregistration_timeout="500ms") as node:
        node.translate_source("10.77.0.1")
        node.restart_agent()
        node.wait_recovered()
        node.wait_registered()
        peers = node.run("ss", "-tnH", "state", "established", "sport = :5051",
                         capture_output=True, text=True).stdout
        assert len(peers.splitlines()) == 2
        for line in peers.splitlines():
            ip, port = line.split()[3].rsplit(":", 1)
            assert ip == "10.77.0.1" and 20000 <= int(port) <= 30000


def test_agent_behind_another_port():
    with LabNode(agent(advertise_port=6051), executor("net", ns="net"), executor("web"),
                 ip="10.77.0.1", rules=port_rules("10.77.0.1", 6051, 5051)) as node:
        assert node.executor("net").link["remote"] == "10.77.0.1:6051"
        assert node.executor("web").link["remote"] == "10.77.0.1:6051"
        peers = node.run("ss", "-tnH", "state", "established", "sport = :5051",
                         capture_output=True, text=True).stdout
        assert len(peers.splitlines()) == 2


def test_pid_namespace_whose_first_process_is_the_agent():
    with LabNode(agent(ns="pid", boot_id="11111111-2222-4333-8444-555555555555"),
                 executor("web"), executor("http", kind="v1")) as node:
        pid = node.agent_pid
        assert proc_status(pid, "NSpid").split() == [str(pid), "1"]
        assert len(proc_status(node.executor("web").pid, "NSpid").split()) == 2
        assert node.meta("boot_id").read_text() == "11111111-2222-4333-8444-555555555555"
        assert open("/proc/sys/kernel/random/boot_id").read().strip() != "11111111-2222-4333-8444-555555555555"
        assert alive(node) == {"web", "http"}
        node.stop_agent()
        node.wait_until(lambda: not alive(node), what="the end of all that was in it")


# -- checkpoints -----------------------------------------------------------------------------------


def test_checkpoints_of_another_boot():
    with LabNode(executor("web"), reregistration_timeout="500ms") as node:
        old = node.state()["id"]
        node.stop_agent()
        node.other_boot()
        node.start_agent()
        node.wait_recovered()
        assert "Agent host rebooted" in node.agent_log()
        assert "Sending reconnect request" not in node.agent_log()
        assert ends(node, "web") == (("TASK_FAILED", "Executor terminated"), True)
        assert node.state()["id"] == old
        assert alive(node) == {"web"} and phases(node)[b"web"] == "disconnected"


@pytest.mark.parametrize("version,same", [("1.3.0", False), ("1.4.0", True)])
def test_id_after_a_reboot(version, same):
    with LabNode(agent(version=version), reregistration_timeout="500ms") as node:
        old = node.state()["id"]
        node.stop_agent()
        node.other_boot()
        node.start_agent()
        node.wait_recovered()
        assert (node.state()["id"] == old) == same


@pytest.mark.parametrize("name, log", [
    ("executor.info", "Skipping recovery of executor 'web'"),
    ("framework.info", "Failed to find framework info file"),
    ("framework.pid", "Recovering executor 'other'"),
])
def test_without_a_file_of_its_tree_an_executor_is_not_recovered(name, log):
    with LabNode(executor("web", framework=0), executor("other", framework=1), "agent orphans=destroy",
                 reregistration_timeout="500ms") as node:
        node.stop_agent()
        node.checkpoint(node.executor("web"), name).unlink()
        node.start_agent()
        node.wait_recovered()
        node.wait_until(lambda: alive(node) == {"other"}, what="the end of web")
        assert log in node.agent_log()
        assert "request to executor 'web'" not in node.agent_log()
        assert {e["id"] for f in node.state()["frameworks"] for e in f["executors"]} == {"other"}


def test_without_slave_info_the_agent_takes_a_new_id():
    with LabNode(executor("web")) as node:
        old = node.state()["id"]
        node.stop_agent()
        node.checkpoint(node.executor("web"), "slave.info").unlink()
        node.start_agent()
        node.wait_until(lambda: status_of(node, "/state") == "200", what="an agent without executors")
        assert node.state()["id"] != old


def test_a_task_without_its_file_is_unknown_to_the_agent():
    with LabNode(executor("web"), executor("other")) as node:
        node.stop_agent()
        node.checkpoint(node.executor("web"), "task.info").unlink()
        node.start_agent()
        node.wait_recovered()
        node.wait_until(lambda: alive(node) == {"other"}, what="the end of web")
        assert "Shutting down executor 'web'" in node.agent_log()


@pytest.mark.parametrize("name", ["slave.info", "framework.info", "executor.info", "task.info", "task.updates",
                                  "resources.info", "pids/forked.pid"])
def test_damage_ends_the_recovery(name):
    with LabNode(executor("web")) as node:
        node.stop_agent()
        path = node.checkpoint(node.executor("web"), name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\x04\0\0\0\xff\xff\xff\xff")
        node.start_agent()
        node.wait_until(lambda: "Failed to perform recovery" in node.agent_log(), what="the end of the recovery")
        node.wait_until(lambda: node.status()["agents"][0]["pid"] == 0, what="the end of the agent")
        assert alive(node) == {"web"}


def test_one_pid_in_two_runs_ends_the_recovery():
    with LabNode(executors(2)) as node:
        node.stop_agent()
        pids = [node.checkpoint(e, "pids/forked.pid") for e in node.executors()]
        pids[0].write_bytes(pids[1].read_bytes())
        node.start_agent()
        node.wait_until(lambda: "Detected duplicate pid" in node.agent_log(), what="the end of the recovery")


def test_checkpoints_that_lead_nowhere_or_cannot_be_read():
    with LabNode(executor("web"), executor("gone"), executor("other"),
                 reregistration_timeout="500ms") as node:
        node.stop_agent()
        pids = pathlib.Path(node.run_dir(node.executor("web")), "pids")
        node.make_unreadable(pids / "libprocess.pid")
        with pytest.raises(OSError, match="Too many levels"):
            (pids / "libprocess.pid").read_text()
        node.dangle(pathlib.Path(node.run_dir(node.executor("gone"))).parent / "latest")
        node.start_agent()
        node.wait_recovered()
        node.wait_until(lambda: alive(node) == {"gone", "other"}, what="the end of web")
        assert "Killing un-reregistered executor 'web'" in node.agent_log()
        assert "Recovering executor 'gone'" not in node.agent_log()
        old = node.state()["id"]
        node.stop_agent()
        node.dangle(node.meta("slaves", "latest"))
        node.start_agent()
        node.wait_until(lambda: status_of(node, "/state") == "200", what="an agent without executors")
        assert node.state()["frameworks"] == []
        assert node.state()["id"] not in (old, "gone")


# -- disguises -----------------------------------------------------------------------------------


@pytest.mark.parametrize("words,comm,exe", [
    ({"as_": "docker"}, "mesos-docker-ex", "mesos-docker-executor"),
    ({"as_": "containerizer"}, "mesos-executor", "mesos-executor"),
    ({"as_": "sh"}, "mesos-executor", "mesos-executor"),
    ({"as_": "java"}, "java", "java"),
    ({"as_": "memfd"}, None, "/memfd:mesos-executor (deleted)"),
    ({"exe": "deleted", "lib": "deleted"}, "mesos-executor", "mesos-executor (deleted)"),
])
def test_disguise(words, comm, exe):
    with LabNode(executor("web", **words)) as node:
        e = node.executor("web")
        with open(f"/proc/{e.pid}/comm", encoding="ascii") as f:
            name = f.read().strip()
        assert name == comm or (comm is None and name.isdigit())
        assert os.readlink(f"/proc/{e.pid}/exe").endswith(exe)
        with open(f"/proc/{e.pid}/maps", encoding="ascii") as f:
            libs = [line for line in f if "/libmesos-1.0.4.so" in line]
        assert len(libs) == 2 and all(("(deleted)" in x) == ("lib" in words) for x in libs)
        assert (e.forked_pid != e.pid) == (words.get("as_") in ("containerizer", "sh"))
        with open(f"/proc/{e.task_pid}/environ", "rb") as f:
            assert b"MESOS_EXECUTOR_ID=web\0" in f.read()


def owners(node):
    """Names of the processes that are connected to the agent's port."""
    sockets = node.run("ss", "-tnpH", "state", "established", "dport = :5051",
                       capture_output=True, text=True).stdout
    return re.findall(r'users:\(\("([^"]+)"', sockets)


def test_namespaces_ids_and_strangers():
    odd = b"a b\n'\"$(x)\xff"
    with LabNode(agent(name="other", port=5052), executor("net", ns="net"),
                 executor("pid", ns="pid"), executor(odd), executor("foreign", agent="other"),
                 executor("curl", task="curl"), executor("inode", inode_like="5051"),
                 executor("port", link_port=50510), executor("leak", leak="yes"),
                 connection("master", "mesos-master"), connection("monitor"),
                 ip="10.77.0.1") as node:
        host = os.readlink("/proc/self/ns/net")
        inside = os.readlink(f"/proc/{node.agent_pid}/ns/net")
        by_id = {os.fsencode(e.executor_id): e for e in node.executors()}
        assert os.readlink(f"/proc/{by_id[b'net'].pid}/ns/net") not in (host, inside)
        assert inside != host
        assert os.readlink(f"/proc/{by_id[b'pid'].pid}/ns/pid") != os.readlink("/proc/self/ns/pid")
        assert odd in by_id
        assert "5051" in str(by_id[b"inode"].link["inode"])
        assert by_id[b"port"].link["local"].endswith(":50510")
        assert by_id[b"foreign"].link["remote"] == "10.77.0.1:5052"
        socket = f"socket:[{by_id[b'leak'].link['inode']}]"
        task = by_id[b"leak"].task_pid
        assert socket in {os.readlink(f"/proc/{task}/fd/{fd}") for fd in os.listdir(f"/proc/{task}/fd")}
        node.wait_until(lambda: {"mesos-master", "telegraf", "curl"} <= set(owners(node)),
                        what="the strangers' connections")
        node.restart_agent()
        node.wait_recovered()
        node.wait_registered()


# -- the agent's face ------------------------------------------------------------------------------


def status_of(node, path):
    return node.run("curl", "-s", "-m", "2", "-o", "/dev/null", "-w", "%{http_code}",
                    f"http://127.0.0.1:5051{path}", capture_output=True, text=True).stdout


def members(value, path=""):
    """(path, type) of everything in a JSON value; lists by their elements."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from members(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from members(inner, path + "[]")
    else:
        yield path, type(value).__name__


@pytest.mark.parametrize("endpoint,capture", [
    ("state", "state"), ("containers", "containers"), ("flags", "flags"),
    ("metrics/snapshot", "metrics-snapshot")])
def test_api_has_no_member_that_mesos_has_not(endpoint, capture):
    real = json.loads((TOP / f"tests/data/mesos/api/{capture}.json").read_text())
    with LabNode(executor("web"), executor("http", kind="v1")) as node:
        made = json.loads(node.run("curl", "-s", f"http://127.0.0.1:5051/{endpoint}",
                                   capture_output=True).stdout)
    assert set(members(made)) - set(members(real)) == set()
    if endpoint == "state":
        tasks = [t for f in made["frameworks"] for e in f["executors"] for t in e["tasks"]]
        assert {t["state"] for t in tasks} == {"TASK_RUNNING"} and len(tasks) == 2


def test_503_until_recovery_is_over():
    with LabNode(executor("web")) as node:
        node.restart_agent()
        node.wait_until(lambda: status_of(node, "/health") == "200", what="/health")
        assert status_of(node, "/state") == "503"
        assert status_of(node, "/slave(1)/containers") == "200"
        node.wait_recovered()
        assert status_of(node, "/state") == "200"


@pytest.mark.parametrize("api,code", [("auth", "401"), ("hang", "000"), ("garbage", "000")])
def test_api_that_misbehaves(api, code):
    with LabNode(agent(api=api), executor("web")) as node:
        assert status_of(node, "/state") == code
        assert status_of(node, "/health") == ("200" if api == "auth" else code)


def curl(node, *words):
    """Its exit code, the status and how many bytes came, in a second."""
    done = node.run("curl", "-s", "-m", "1", "-o", "/dev/null", "-w", "%{http_code} %{size_download}",
                    *words, "http://127.0.0.1:5051/state", capture_output=True, text=True)
    code, size = done.stdout.split()
    return done.returncode, code, int(size)


def test_api_changes_its_mind():
    with LabNode(executor("web")) as node:
        node.api("forbidden")
        assert curl(node)[:2] == (0, "403")
        node.api("reset")
        assert curl(node) == (56, "000", 0)
        node.api("slow")
        status, code, size = curl(node)
        assert (status, code) == (28, "200") and 0 < size < 100
        node.api("endless")
        status, code, size = curl(node)
        assert (status, code) == (28, "200") and size > 10000
        node.api("empty")
        assert node.state()["frameworks"] == []
        assert node.call("GET_EXECUTORS") == {"executors": [], "completed_executors": []}
        node.api("ok")
        assert len(node.state()["frameworks"]) == 1
        with pytest.raises(LabError, match="unknown kind of API 'dance'"):
            node.api("dance")


def test_port_that_is_closed_for_a_while():
    with LabNode(executor("web")) as node:
        node.listen(False)
        assert curl(node) == (7, "000", 0)
        assert phases(node)[b"web"] == "registered" and owners(node) == ["mesos-executor"]
        node.listen(True)
        assert curl(node)[:2] == (0, "200")


def test_state_that_is_not_the_truth():
    with LabNode(executors(2)) as node:
        less = node.state()
        del less["frameworks"][0]["executors"][1]
        less["id"] = "another"
        node.set_state(less)
        assert node.state() == less
        node.restart_agent()
        assert status_of(node, "/state") == "503", "not while it recovers"


def test_agent_that_advertises_another_address():
    with LabNode(agent(advertise_ip="10.77.0.9", listen_ip="0.0.0.0"), executor("web"),
                 executor("http", kind="v1"), ip="10.77.0.1") as node:
        assert node.state()["pid"] == "slave(1)@10.77.0.9:5051"
        assert environ(node.executor("web").pid)[b"MESOS_SLAVE_PID"] == b"slave(1)@10.77.0.9:5051"
        assert node.executor("http").link["remote"] == "10.77.0.9:5051"
        listeners = node.run("ss", "-tlnH", "sport = :5051", capture_output=True, text=True).stdout
        assert [line.split()[3] for line in listeners.splitlines()] == ["0.0.0.0:5051"]
        node.restart_agent()
        node.wait_recovered()
        node.wait_registered()


# -- the end ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["up", "supervisor", "both"])
def test_nothing_outlives_a_killed_node(who):
    node = LabNode(executors(3, as_="containerizer"), executor("pid", ns="pid"),
                   executor("stopped"), executor("sh", as_="sh"), connection("monitor"))
    node.up()
    try:
        if who == "up":     # a stopped executor can't end by itself: it is killed
            node.kill("stopped", signal="STOP")
        if who != "up":
            os.kill(node.initial["ns_pid"], signal.SIGKILL)
        if who != "supervisor":
            os.kill(node.process.pid, signal.SIGKILL)
        node.process.wait(timeout=30)
        node.wait_until(lambda: not descendants_left(node.dir), what="the end of all")
    finally:
        node.down()


@pytest.mark.parametrize("how", ["TERM", "INT", "down"])
def test_nothing_outlives_a_node_that_ends(how):
    node = LabNode(executors(2), executors(2, prefix="http-", kind="v1"))
    node.up()
    try:
        if how == "down":
            node.ctl("down")
        else:
            node.process.send_signal(getattr(signal, "SIG" + how))
        assert node.process.wait(timeout=30) == 0
        assert not descendants_left(node.dir)
    finally:
        node.down()


def test_bad_spec_and_unknown_command():
    with pytest.raises(LabError, match="unknown word 'colour' of an executor"):
        LabNode("executor id=a colour=red").up()
    with pytest.raises(LabError, match="executor 'web' ended at its start"):
        LabNode(executor("web", grace="soon")).up()
    with LabNode(executor("web")) as node:
        with pytest.raises(LabError, match="no executor matches"):
            node.kill("nobody")
        with pytest.raises(LabError, match="unknown command"):
            node.ctl("dance")
    done = subprocess.run([LAB], capture_output=True, check=False)
    assert done.returncode == 64

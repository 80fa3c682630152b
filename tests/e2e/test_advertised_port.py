# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The agent advertises another port than it listens on, and address translation leads to it.

The catalogue (*-advertised-port) has the verdicts of an audit; here the same is so without BPF, in
a window, under a watch that was killed, and without the agent. Nobody but the agent names a port.
"""

import pathlib
import subprocess

import pytest

from execwatch import by_id, each
from labnode import executor, executors, port_rules

IP = "10.77.0.1"
CLAIMED = """
import socket, time
server = socket.create_server((%r, %d))
link = socket.create_connection((%r, %d))
print(flush=True)
time.sleep(600)
"""


@pytest.fixture
def advertised(other_port):
    return other_port()


@pytest.fixture
def node(lab, port, advertised):
    return lab(executors(2, kind="v0-old"), executor("http", kind="v1"), ip=IP, conntrack=True,
               agent_words={"advertise_port": advertised}, rules=port_rules(IP, advertised, port))


HEALTHY = {"task-0": "healthy", "task-1": "healthy", "http": "healthy"}


@pytest.mark.parametrize("option", [[], ["--no-bpf"]], ids=["bpf", "no-bpf"])
def test_an_audit(node, ew, advertised, option):
    audit = ew.json("audit", *option, code=0)
    assert each(audit, node, "verdict") == HEALTHY
    assert audit["agent"]["advertised_ports"] == [advertised]
    assert f", advertised as port {advertised}, API serving" in ew("audit", *option).words


@pytest.mark.parametrize("option, proof", [([], "message"), (["--no-bpf"], "api")], ids=["bpf", "no-bpf"])
def test_a_window(node, ew, option, proof):
    node.forget(["task-1"])
    done = ew.json("run", "--yes", *option, "--until", "settled", "--", *node.command(*node.restart_args()), code=0)
    assert each(done, node, "outcome") == {id: "reregistered" for id in HEALTHY}
    assert each(done, node, "proof") == {id: proof for id in HEALTHY}
    assert done["events"]["lost"] == 0
    assert all(e.alive for e in node.executors())


def test_a_half_open_link_is_shut_down(node, ew):
    node.half_open(["task-0"])
    done = ew.json("shutdown", "--yes", code=0)
    assert [(act["executor_id"], act["result"]) for act in done["acts"]] == [("task-0", "done")]


def test_without_the_agent_its_slave_info_says_it(node, ew, advertised):
    node.forget(["task-0"])
    node.stop_agent()
    audit = ew.json("audit", "--work-dir", node.work_dir, code=2)
    assert audit["agent"]["advertised_ports"] == [advertised]
    rows = by_id(audit, node)
    assert {id: rows[id]["verdict"] for id in ("task-0", "task-1")} == {"task-0": "half-open", "task-1": "disconnected"}


@pytest.mark.parametrize("option", [[], ["--no-bpf"]], ids=["bpf", "no-bpf"])
def test_the_advertised_port_is_given(node, ew, port, advertised, option):
    node.half_open(["task-0"])
    audit = ew.json("audit", "--port", str(advertised), *option, code=1)
    assert each(audit, node, "verdict") == {**HEALTHY, "task-0": "half-open"}
    assert audit["agent"]["advertised_ports"] == [advertised]
    said = ew("audit", "--port", str(advertised), *option).err
    assert f"port {advertised} is advertised by the agent (pid {node.agent_pid}), which listens on port {port}: " \
           "that one is taken" in said


def test_a_window_by_the_advertised_port(node, ew, advertised):
    node.forget(["task-1"])
    done = ew.json("run", "--port", str(advertised), "--yes", "--until", "settled", "--",
                   *node.command(*node.restart_args()), code=0)
    assert each(done, node, "outcome") == {id: "reregistered" for id in HEALTHY}
    assert each(done, node, "proof") == {id: "message" for id in HEALTHY}


@pytest.mark.parametrize("by_advertised", [False, True], ids=["listeners-port", "advertised-port"])
def test_without_the_agent_its_last_audit_says_it(node, ew, advertised, by_advertised):
    """Its work directory is in no usual place: it is found where its executors are."""
    ew.json("audit", code=0)
    node.forget(["task-0"])
    node.stop_agent()
    audit = ew.json("audit", *(["--port", str(advertised)] if by_advertised else []), code=2)
    assert audit["agent"]["advertised_ports"] == [advertised]
    assert audit["agent"]["work_dir"] == str(node.work_dir)
    rows = by_id(audit, node)
    assert {id: rows[id]["verdict"] for id in HEALTHY} == \
        {"task-0": "half-open", "task-1": "disconnected", "http": "disconnected"}


def test_without_the_agent_and_an_audit_nothing_is_known(node, ew, advertised):
    node.stop_agent()
    audit = ew.json("audit", code=3)
    assert each(audit, node, "verdict") == {id: "unknown" for id in HEALTHY}
    assert f"{IP}:{advertised}" in " ".join(by_id(audit, node)["task-0"]["why"])


def test_a_watch_that_was_killed(node, ew, advertised):
    """What was learnt stays in the kernel with its programs: what happens meanwhile is not lost."""
    ew.json("audit", code=0)
    watch = ew.start("watch", "-f", "jsonl")
    watch.wait_for('"type": ?"now"|"verdict"')
    watch.process.kill()
    watch.result()
    node.restart_agent()
    node.wait_recovered()
    node.wait_registered()
    audit = ew.json("verify", "--until", "settled", code=0)
    assert audit["agent"]["advertised_ports"] == [advertised]
    assert each(audit, node, "outcome") == {id: "reregistered" for id in HEALTHY}
    assert each(audit, node, "proof") == {id: "message" for id in HEALTHY}


def test_a_claimed_port_is_nobodys(lab, ew, advertised):
    """A process with an executor's environment names a port of its own and is connected there."""
    node = lab(executors(1, kind="v0-old"), ip=IP)
    real = pathlib.Path(f"/proc/{node.executor('task-0').pid}/environ").read_bytes()
    env = dict(v.decode().split("=", 1) for v in real.split(b"\0") if v)
    env |= {"MESOS_EXECUTOR_ID": "claimed", "MESOS_SLAVE_PID": f"slave(1)@{IP}:{advertised}",
            "MESOS_AGENT_ENDPOINT": f"{IP}:{advertised}"}
    script = CLAIMED % (IP, advertised, IP, advertised)
    with node.popen("/usr/bin/python3", "-c", script, env=env, stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            audit = ew.json("audit", code=0)
        finally:
            process.kill()
    assert audit["agent"]["advertised_ports"] == []
    assert each(audit, node, "verdict") == {"task-0": "healthy"}
    assert not [c for c in audit["other_connections"] if str(advertised) in str(c)]


def test_address_and_port_of_both_ends_are_translated(lab, ew, port, advertised):
    """Executors go to an address and port that the agent has not, and it sees others of theirs (DNAT, SNAT).
    Only the entries tell which ends are one connection, also for messages that come before they are read."""
    node = lab(executors(2, kind="v0-old"), executors(2, kind="v1", prefix="http-"), ip=IP, conntrack=True,
               agent_words={"advertise_ip": "10.88.0.1", "advertise_port": advertised, "listen_ip": IP},
               rules=f"""table ip lab_nat {{
                   chain out {{ type nat hook output priority -100;
                       ip daddr 10.88.0.1 tcp dport {advertised} dnat to {IP}:{port}; }}
                   chain post {{ type nat hook postrouting priority 100;
                       ct original ip daddr 10.88.0.1 meta l4proto tcp snat to {IP}:20000-30000 fully-random; }}
               }}""")
    ids = ["task-0", "task-1", "http-0", "http-1"]
    ew.wait_judged(node)
    assert each(ew.json("audit", code=0), node, "verdict") == dict.fromkeys(ids, "healthy")
    done = ew.json("run", "--yes", "--until", "settled", "--", *node.command(*node.restart_args()), code=0)
    assert each(done, node, "outcome") == dict.fromkeys(ids, "reregistered")
    assert each(done, node, "proof") == dict.fromkeys(ids, "message")

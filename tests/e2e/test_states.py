# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Executors that cannot answer, that end with the agent, or that talk over a domain socket: with
real signals, tracers, cgroups, namespaces and sockets."""

import contextlib
import os
import pathlib
import signal

import pytest

from dead_file_system import dead_at
from execwatch import by_id, each
from labnode import agent, executor

SYSTEMD = pathlib.Path("/sys/fs/cgroup/systemd")
CGROUPS = SYSTEMD if SYSTEMD.is_dir() else pathlib.Path("/sys/fs/cgroup")


def verdict(ew, node, code):
    audit = ew.json("audit", code=code)
    return by_id(audit, node)["web"]


@pytest.mark.parametrize("options", [[], ["--no-bpf"]], ids=["bpf", "no-bpf"])
def test_a_stopped_executor_cannot_answer(lab, ew, options):
    node = lab(executor("web", kind="v0-relink"))
    pid = node.executor("web").pid
    node.stop("web")
    web = by_id(ew.json("audit", *options, code=2), node)["web"]
    assert web["verdict"] == "unresponsive"
    assert "stopped" in " ".join(web["why"])
    assert f"kill -CONT {pid}" in web["advice"]
    assert web["forbidden"]
    node.cont("web")
    assert verdict(ew, node, 0)["verdict"] == "healthy"


def test_at_a_tracers_stop_it_cannot_answer(lab, ew):
    """A tracer that lets it run is named, no more."""
    node = lab(executor("web", kind="v0-old"))
    tracer, = node.trace("web")
    web = verdict(ew, node, 0)
    assert web["verdict"] == "healthy"
    assert f"Process {tracer} traces it and lets it run" in " ".join(web["why"])
    os.kill(tracer, signal.SIGKILL)
    node.wait_until(lambda: "TracerPid:\t0\n" in pathlib.Path(
        f"/proc/{node.executor('web').pid}/status").read_text(encoding="ascii"))
    tracer, = node.trace("web", stop=True)
    web = verdict(ew, node, 2)
    assert web["verdict"] == "unresponsive"
    assert f"Process {tracer} traces it and has stopped it" in " ".join(web["why"])


@pytest.mark.parametrize("cgroup", [1, 2])
def test_in_a_frozen_cgroup_it_cannot_answer(lab, ew, cgroup):
    node = lab(executor("web", kind="v0-old"))
    node.freeze("web", cgroup=cgroup)
    web = verdict(ew, node, 2)
    assert web["verdict"] == "unresponsive"
    assert "cgroup is frozen" in " ".join(web["why"])
    node.thaw("web")
    assert verdict(ew, node, 0)["verdict"] == "healthy"


@contextlib.contextmanager
def unit(name):
    """A cgroup as systemd would make it for a unit."""
    top = CGROUPS / f"lab-{os.getpid()}.slice"
    path = top / name
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        for pid in (path / "cgroup.procs").read_text(encoding="ascii").split():
            (CGROUPS / "cgroup.procs").write_text(pid, encoding="ascii")
        path.rmdir()
        top.rmdir()


def enter(cgroup, *pids):
    for pid in pids:
        (cgroup / "cgroup.procs").write_text(str(pid), encoding="ascii")


def test_in_the_agents_unit_it_ends_with_the_agent(lab, ew):
    node = lab(executor("web", kind="v0-old"), executor("apart", kind="v0-old"))
    with unit("mesos-agent.service") as cgroup:
        enter(cgroup, node.agent_pid)
        assert verdict(ew, node, 0)["verdict"] == "healthy"
        enter(cgroup, node.executor("web").pid)
        audit = ew.json("audit", code=2)
        assert each(audit, node, "verdict") == {"web": "same-fate", "apart": "healthy"}
        web = by_id(audit, node)["web"]
        assert "mesos-agent.service, whose KillMode is not known" in " ".join(web["why"])
        assert "daemon-reload" in web["advice"]


def test_a_login_session_is_nobodys_unit(lab, ew):
    """An agent that was started from a shell shares the session's cgroup with its executors."""
    node = lab(executor("web", kind="v0-old"))
    with unit("session-3.scope") as cgroup:
        enter(cgroup, node.agent_pid, node.executor("web").pid)
        assert verdict(ew, node, 0)["verdict"] == "healthy"


def test_over_a_domain_socket(lab, ew):
    """The connections are looked up: the variable says nothing."""
    node = lab(agent(domain_socket="yes"), executor("web", kind="v1"),
               executor("old", kind="v0-old"), conntrack=True)
    audit = ew.json("audit", code=0)
    assert each(audit, node, "verdict") == {"web": "self-healing", "old": "healthy"}
    assert "domain socket" in " ".join(by_id(audit, node)["web"]["why"])
    node.stop_agent()
    assert each(ew.json("audit", code=2), node, "verdict") == \
        {"web": "disconnected", "old": "disconnected"}
    node.start_agent()
    node.wait_recovered()
    assert each(ew.json("audit", code=0), node, "verdict") == \
        {"web": "self-healing", "old": "healthy"}


def test_one_of_two_connections(lab, ew):
    """What is left of a v1 executor's two connections carries nothing."""
    node = lab(executor("web", kind="v1"), conntrack=True)
    node.half_open("web", link=1)
    assert verdict(ew, node, 1)["verdict"] == "half-open"


@pytest.mark.parametrize("where", ["sandbox", "library"])
def test_a_dead_file_system_stops_nobody(lab, ew, where):
    """Neither the sandbox nor the file of a mapped library is needed to tell."""
    node = lab(executor("web", kind="v0-relink"))
    path = {"sandbox": node.sandbox(node.executor("web")), "library": f"{node.dir}/lib"}[where]
    web = by_id(ew.json("audit", prefix=dead_at(path), code=0), node)["web"]
    assert web["verdict"] == "healthy"
    assert web["library_version"] == "1.11.0"


@pytest.mark.parametrize("where", ["work", "meta", "run"])
def test_checkpoints_on_a_dead_file_system_are_unknown(lab, ew, where):
    """What cannot be read of an executor's registration makes its row unknown, and nothing hangs."""
    node = lab(executor("web", kind="v0-old"))
    path = {"work": node.work_dir, "meta": str(node.meta()),
            "run": node.run_dir(node.executor("web"))}[where]
    document = ew.json("audit", prefix=dead_at(path), code=3)
    assert each(document, node, "verdict") == {"web": "unknown"}


def test_a_backoff_above_the_agents_timeout(lab, ew):
    node = lab(agent(reregistration_timeout="2secs"),
               executor("web", kind="v1", backoff_max="20secs"))
    audit = ew.json("audit", code=1)
    assert each(audit, node, "verdict") == {"web": "healthy"}
    assert [f["id"] for f in audit["findings"]] == ["v1-backoff"]

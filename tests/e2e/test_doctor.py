# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Can this host be watched and acted on? Every missing piece comes with its cure."""

import shutil
import subprocess

import pytest

from execwatch import Execwatch
from labnode import executors


@pytest.fixture(scope="module")
def node(module_lab):
    return module_lab(executors(2, kind="v0-old"), conntrack=True)


def checks(document):
    return {c["name"]: c for c in document["checks"]}


def test_all_is_well_for_root(node, ew):
    document = ew.json("doctor", code=0)
    found = checks(document)
    assert document["can"] == {"audit": True, "shutdown": True, "watch": True}
    for name in ("privilege", "sock-diag", "conntrack", "ptrace", "kernel", "agent", "agent api", "work dir"):
        assert found[name]["state"] == "ok", found[name]
    assert {c["state"] for c in found.values()} <= {"ok", "degraded"}
    assert all(c["cure"] for c in found.values() if c["state"] != "ok" and not c["name"].startswith("bpf "))
    assert str(node.agent_pid) in found["agent"]["detail"]
    assert node.work_dir in found["work dir"]["detail"]


def test_each_hook_names_its_program(node, ew):
    slots = {n: c for n, c in checks(ew.json("doctor")).items() if n.startswith("bpf ")}
    assert {"bpf tcp-state", "bpf exit", "bpf signal", "bpf seed", "bpf messages"} <= set(slots)
    assert all("/" in c["detail"] for c in slots.values())


def test_the_table(node, ew):
    done = ew("doctor")
    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= 80
    for word in "audit", "shutdown", "watch":
        assert f"{word} cannot work" not in done.words


def test_it_changes_nothing(node, ew):
    ew("doctor")
    assert not ew.state_dir.exists() and not ew.run_dir.exists()


def test_no_agent(ew, other_port):
    """Nobody listens: not the host's fault, but said, with what to do."""
    ew.port = other_port()
    found = checks(ew.json("doctor"))
    assert found["agent"]["state"] == "degraded"
    assert str(ew.port) in found["agent"]["detail"]
    assert "--port" in found["agent"]["cure"]


def test_no_work_dir(node, ew):
    document = ew.json("doctor", "-w", "/no/such/dir", code=3)
    assert checks(document)["work dir"]["state"] == "missing"
    assert "--work-dir" in checks(document)["work dir"]["cure"]
    assert not document["can"]["audit"] and not document["can"]["shutdown"]


@pytest.fixture
def as_user(ew, open_dir):
    """doctor as another user, or as root without a capability."""
    tool = Execwatch(ew.port, open_dir, shutil.copy(ew.binary, open_dir / "execwatch"))
    return lambda *setpriv: tool.json("doctor", prefix=["setpriv", *setpriv, "--"])


def test_an_ordinary_user(node, as_user):
    document = as_user("--reuid=65534", "--regid=65534", "--clear-groups")
    found = checks(document)
    assert document["exit_code"] == 3
    assert not any(document["can"].values())
    assert found["privilege"]["state"] == found["scan"]["state"] == "missing"
    for capability in "CAP_SYS_PTRACE", "CAP_NET_ADMIN", "CAP_BPF":
        assert capability in found["privilege"]["detail"]
    for check in found.values():
        assert check["state"] == "ok" or check["cure"], check
    assert "run as root" in found["privilege"]["cure"]


@pytest.mark.parametrize("capability, cannot", [
    ("sys_ptrace", {"audit", "shutdown", "watch"}),
    ("net_admin", {"audit", "shutdown", "watch"}),
    ("bpf,-sys_admin", {"audit", "shutdown", "watch"}),
])
def test_root_without_a_capability(node, as_user, capability, cannot):
    document = as_user(f"--bounding-set=-{capability}")
    assert {verb for verb, can in document["can"].items() if not can} == cannot
    name = "CAP_" + capability.split(",")[0].upper()
    assert name in checks(document)["privilege"]["detail"]


@pytest.mark.parametrize("capability", ["ipc_lock", "sys_nice"])
def test_a_guard_that_may_be_delayed(node, as_user, capability):
    check = checks(as_user(f"--bounding-set=-{capability}"))["guard"]
    assert check["state"] == "degraded"
    assert check["detail"].startswith(f"CAP_{capability.upper()} missing")


def test_in_a_pid_namespace(node, ew):
    """A container without --pid=host sees nobody, and is told so."""
    done = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", *ew.argv("doctor")],
                          capture_output=True, text=True, timeout=40, check=False)
    assert done.returncode == 3
    assert "--pid=host" in done.stdout

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""An ordinary user with named capabilities instead of root: what is enough, and what is said
where one is missing."""

import os
import pathlib
import shutil
import tempfile

import pytest

from execwatch import EXECWATCH, Background, Execwatch, by_id, each
from labnode import agent, executor, executors

NOBODY = 65534
# Other users' environments; their descriptors, namespaces and registers; setns(2); conntrack.
AUDIT = {"dac_read_search", "sys_ptrace", "sys_admin", "net_admin"}
# What CAP_SYS_ADMIN held before Linux 5.8, and still includes.
BPF = {"bpf", "perfmon"}


def as_nobody(capabilities):
    """argv that runs what follows with exactly these."""
    given = ",".join(["-all", *(f"+{c}" for c in sorted(capabilities))])
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
            f"--inh-caps={given}", f"--ambient-caps={given}", f"--bounding-set={given}"]


@pytest.fixture
def nobodys(port):
    """execwatch with files of that user; nobody("audit", capabilities=...)."""
    dir = pathlib.Path(tempfile.mkdtemp(prefix="ew-nobody-"))
    binary = dir / "execwatch"
    shutil.copy(EXECWATCH, binary)
    os.chown(dir, NOBODY, NOBODY)
    tool = Execwatch(port, dir, binary=str(binary))
    tool.enters = False  # it is started inside
    yield tool
    tool.close()
    shutil.rmtree(dir)


@pytest.fixture
def node(lab):
    node = lab(executors(2, kind="v0-old"), executor("http", kind="v1"), conntrack=True)
    node.forget("task-0")
    return node


VERDICTS = {"task-0": "at-risk", "task-1": "healthy", "http": "healthy"}


@pytest.mark.parametrize("options", [["--no-bpf"], []], ids=["no-bpf", "bpf"])
def test_audit_needs_four(node, nobodys, options):
    needed = AUDIT if options else AUDIT | BPF
    document = nobodys.json("audit", *options, code=1, prefix=node.inside(*as_nobody(needed)))
    assert each(document, node, "verdict") == VERDICTS


@pytest.mark.parametrize("missing", sorted(AUDIT))
def test_audit_with_one_missing(node, nobodys, missing):
    """Nothing is judged better or worse for want of it: what needs it is not known."""
    allowed = node.inside(*as_nobody(AUDIT - {missing}))
    told = nobodys("audit", "--no-bpf", prefix=allowed)
    assert "un as root" in told.words, told
    document = nobodys.json("audit", "--no-bpf", code=3, prefix=allowed)
    # Without DAC_READ_SEARCH no process is known to be an executor.
    found = {} if missing == "dac_read_search" else dict.fromkeys(VERDICTS, "unknown")
    assert each(document, node, "verdict") == found
    doctor = nobodys("doctor", "--no-bpf", prefix=allowed)
    assert f"lacks CAP_{missing.upper()}" in doctor.words, doctor
    assert "CAP_BPF" not in doctor.words and "CAP_PERFMON" not in doctor.words, doctor
    assert doctor.code == 3, doctor


def test_shutdown_needs_the_same_four(node, nobodys):
    done = nobodys.json("shutdown", "--no-bpf", "--yes", code=0, prefix=node.inside(*as_nobody(AUDIT)))
    acts = {a["executor_id"]: a["result"] for a in done["acts"]}
    assert acts == {"task-0": "done"}
    node.restart_agent()
    node.wait_recovered()
    assert all(e.alive for e in node.executors())


@pytest.mark.parametrize("missing", sorted(AUDIT))
def test_shutdown_with_one_missing_touches_nothing(node, nobodys, missing):
    done = nobodys("shutdown", "--no-bpf", "--yes", "-f", "json",
                   prefix=node.inside(*as_nobody(AUDIT - {missing})))
    assert done.code == 3, done
    assert done.json["acts"] == []


@pytest.mark.parametrize("capabilities, proof", [(AUDIT, "api"), (AUDIT | BPF, "message")],
                         ids=["no-bpf", "bpf"])
def test_a_window(node, nobodys, capabilities, proof):
    options = [] if proof == "message" else ["--no-bpf"]
    gate = nobodys.state_dir.parent / "gate"
    os.mkfifo(gate)
    os.chmod(gate, 0o644)
    argv = [*node.inside(*as_nobody(capabilities)), *nobodys.argv(
        "run", *options, "--yes", "-f", "json", "--until", "settled", "--",
        "sh", "-c", 'echo started; read x < "$0"', gate)]
    run = Background(argv)
    nobodys.running.append(run)
    run.wait_for("started")
    node.restart_agent()
    gate.write_text("go\n")
    done = run.result()
    assert done.code == 0, done
    ended = by_id(done.json, node)
    assert {(e["outcome"], e["proof"]) for e in ended.values()} == {("reregistered", proof)}
    assert done.json["exit_code"] == 0


@pytest.mark.parametrize("missing", sorted(BPF))
def test_either_of_bpf_is_in_sys_admin(node, nobodys, missing):
    document = nobodys.json("audit", code=1, prefix=node.inside(*as_nobody(AUDIT | BPF - {missing})))
    assert each(document, node, "verdict") == VERDICTS


@pytest.mark.parametrize("missing", sorted(AUDIT - {"sys_ptrace"}))
def test_with_bpf_and_one_missing(node, nobodys, missing):
    """What the programs see does not stand in for what could not be read."""
    allowed = node.inside(*as_nobody((AUDIT | BPF) - {missing}))
    told = nobodys("audit", prefix=allowed)
    assert "un as root" in told.words, told
    assert "going on without" not in told.err, told
    assert "temporarily unavailable" not in told.words, told
    document = nobodys.json("audit", code=3, prefix=allowed)
    # Without DAC_READ_SEARCH its environment, which says whose it is, cannot be read; its socket is seen.
    found = {"": "unknown"} if missing == "dac_read_search" else dict.fromkeys(VERDICTS, "unknown")
    assert each(document, node, "verdict") == found
    doctor = nobodys("doctor", prefix=allowed)
    assert f"lacks CAP_{missing.upper()}" in doctor.words, doctor
    assert doctor.code == 3, doctor
    watched = nobodys("watch", "-f", "jsonl", "--until", "1s", prefix=allowed)
    assert watched.code == 3, watched


def test_bpf_with_one_missing_goes_on_without(node, nobodys):
    """CAP_SYS_ADMIN would include them; without it no other namespace is seen."""
    told = nobodys("audit", prefix=node.inside(*as_nobody(AUDIT - {"sys_admin"} | {"bpf"})))
    assert "CAP_PERFMON missing" in told.err
    assert "going on without" in told.err
    assert "--no-bpf" in told.err


@pytest.mark.parametrize("options", [["--no-bpf"], []], ids=["no-bpf", "bpf"])
def test_pid_namespaces_that_cannot_be_read(lab, nobodys, options):
    """The executors end with the agent, the first process of its pid namespace: without
    CAP_SYS_PTRACE that cannot be seen, and nobody is healthy by it."""
    node = lab(agent(ns="pid"), executors(2, kind="v0-old"), conntrack=True)
    prefix = node.inside(*as_nobody((AUDIT | BPF) - {"sys_ptrace"}))
    document = nobodys.json("audit", *options, code=3, prefix=prefix)
    assert each(document, node, "verdict") == {"task-0": "unknown", "task-1": "unknown"}
    whole = node.inside(*as_nobody(AUDIT | BPF))
    document = nobodys.json("audit", code=2, prefix=whole)
    assert set(each(document, node, "verdict").values()) == {"same-fate"}

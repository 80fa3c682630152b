# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The verb `guard`: it stands by while somebody else restarts the agent."""

import ctypes
import fcntl
import os
import pathlib
import select
import signal
import struct
import subprocess
import time

import pytest

from connections import keeps_its_links
from execwatch import each
from guarding import alive, facts, kill, launch, restart, results, start
from labnode import executor, executors

WALL = 0x40000000  # __WALL of wait(2)
STALE = [f"task-{i}" for i in range(8)]
OLD = executors(20, kind="v0-old")


@pytest.mark.parametrize("how, down", [("KILL", 0.3), ("TERM", 2), ("crash", 0.3)])
def test_exactly_those_that_did_not_notice(lab, ew, tmp_path, how, down):
    """Entries go after the audit. All come back, and no clock has run that the agent's end did not start."""
    node = lab(OLD, conntrack=True)
    before, agent = alive(node), node.agent_pid
    guard = start(ew, "--record", tmp_path / "recording")
    node.forget(STALE)
    assert {line["phase"] for line in ew.audit_log()} == {"intent"}
    restart(node, how, down)
    done = guard.result()
    assert done.code == 0
    assert done.json["schema"] == "execwatch.guard/1"
    assert results(done.json) == dict.fromkeys(STALE, "done")
    assert each(done.json, node, "outcome") == dict.fromkeys(before, "reregistered")
    assert alive(node) == before
    ended = next(f["mono_ns"] for f in facts(tmp_path / "recording", "exit") if f["pid"] == agent)
    assert all(f["begun_ns"] > ended for f in facts(tmp_path / "recording", "act"))
    assert not list(ew.run_dir.glob("guard-*"))


def test_a_new_agent_at_once(lab, ew):
    """Whoever is first: each stale one is treated, or named; no other is touched or lost."""
    node = lab(OLD, conntrack=True)
    guard = start(ew)
    node.forget(STALE)
    node.restart_agent(down=0)
    done = guard.result()
    treated = {id for id, result in results(done.json).items() if result == "done"}
    left_alone = {id for id, result in results(done.json).items() if result == "skipped"}
    assert treated | left_alone == set(STALE)
    assert alive(node) == {f"task-{i}" for i in range(20)} - left_alone
    assert all(f"{id} did not notice the agent's end and is left alone" in done.err for id in left_alone)


def test_those_that_relink_or_lose_by_design_are_left_alone(lab, ew):
    node = lab(executor("relinks", kind="v0-relink"), executor("old", kind="v0-old"),
               executor("http", kind="v1"), executor("well", kind="v1"),
               executor("other", kind="v0-old", checkpoint=0), conntrack=True)
    guard = start(ew)
    node.forget(["relinks", "old", "http"])
    restart(node, "KILL", 0.5)
    done = guard.result()
    assert results(done.json) == {"old": "done", "http": "done"}
    assert alive(node) == {"relinks", "old", "http", "well"}


def test_links_of_other_methods(lab, ew):
    node = lab(executors(4, kind="v0-old"), conntrack=True)
    guard = start(ew, "--method", "ptrace")
    node.forget(["task-0", "task-1"])
    restart(node, "KILL", 2)
    done = guard.result()
    assert {(a["result"], a["method"]) for a in done.json["acts"]} == {("done", "ptrace")}
    assert len(alive(node)) == 4


def test_without_hooks(lab, ew):
    """The thread needs none: it waits for the process and looks at the sockets themselves."""
    node = lab(executors(4, kind="v0-old"), conntrack=True)
    guard = start(ew, "--no-bpf")
    node.forget(["task-0"])
    restart(node, "KILL", 2)
    done = guard.result()
    assert results(done.json) == {"task-0": "done"}
    assert len(alive(node)) == 4


def test_an_executor_that_comes_while_it_stands_by(lab, ew):
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    guard = start(ew)
    launch(node, "id=new container_id=11111111-2222-3333-4444-555555555555 kind=v0-old")
    node.wait_until(lambda: "new" in {line["executor_id"] for line in ew.audit_log()}, what="its intent")
    node.run("conntrack", "-F", capture_output=True)
    restart(node, "KILL", 0.5)
    done = guard.result()
    outcomes = {e["executor_id"]: (e["outcome"], e["pid"]) for e in done.json["executors"]}
    os.kill(outcomes["new"][1], signal.SIGKILL)  # the lab does not know it
    assert results(done.json) == dict.fromkeys(["task-0", "task-1", "new"], "done")
    assert {id: outcome for id, (outcome, _) in outcomes.items()} == dict.fromkeys(
        ["task-0", "task-1", "new"], "reregistered")


def test_a_recording_of_it_gives_the_same_document(lab, ew, tmp_path):
    node = lab(executors(4, kind="v0-old"), conntrack=True)
    guard = start(ew, "--record", tmp_path / "recording")
    node.forget(["task-0"])
    restart(node, "KILL", 0.5)
    done = guard.result()
    assert ew("report", "-f", "json", "--replay", tmp_path / "recording").out == done.out


# ---- acting ----

def test_a_dry_run_lists_what_it_would_stand_by_for(lab, ew):
    node = lab(executor("old", kind="v0-old"), executor("relinks", kind="v0-relink"), conntrack=True)
    document = ew.json("guard", "--dry-run", code=0)
    assert [(a["executor_id"], a["result"], a["reason_id"]) for a in document["acts"]] == [("old", "skipped", "dry-run")]
    assert "1 link would be shut down on which the agent's end is not noticed" in ew("guard", "--dry-run").out
    assert ew.audit_log() == []
    assert len(alive(node)) == 2


def test_it_asks_on_a_terminal_and_refuses_without_one(lab, ew):
    lab(executors(1, kind="v0-old"), conntrack=True)
    assert ew("guard").code == 64
    terminal = ew.terminal("guard").read_until(r"\[y/N\]")
    assert "Stand by, and treat" in terminal.text
    assert terminal.type("n\n").wait() == 1
    assert ew.audit_log() == []


def test_ctrl_c_disarms_it(lab, ew):
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    guard = start(ew)
    node.forget("all")
    done = guard.interrupt().result()
    assert done.code == 3
    assert "the guard is disarmed; nothing was treated" in done.err
    assert not list(ew.run_dir.glob("guard-*"))
    restart(node, "KILL", 0.3)
    node.wait_recovered()
    assert alive(node) == set()


def test_it_treats_nothing_while_its_report_is_read(lab, ew):
    """Ctrl-C has disarmed it, however long the reader of its report takes."""
    node = lab(OLD, conntrack=True)
    before = node.executors()
    guard = start(ew)
    fcntl.fcntl(guard.process.stdout, fcntl.F_SETPIPE_SZ, 4096)
    node.forget("all")
    guard.interrupt()
    assert select.select([guard.process.stdout], [], [], 40)[0]  # the rest of it does not fit in the pipe
    node.stop_agent()
    assert guard.result().code == 3
    assert {line["phase"] for line in ew.audit_log()} == {"intent"}
    assert all(keeps_its_links(e) for e in before)


@pytest.mark.parametrize("ms", [0, 1, 2, 4, 8])
def test_ctrl_c_in_the_middle(lab, ew, ms):
    """What was treated until then, and nothing else, is logged as done."""
    node = lab(OLD, conntrack=True)
    before = node.executors()
    guard = start(ew)
    node.forget("all")
    pid = node.agent_pid
    end = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    select.select([end], [], [], 10)
    os.close(end)
    time.sleep(ms / 1000)
    guard.interrupt().result()
    done = sorted(line["executor_id"] for line in ew.audit_log() if line.get("result") == "done")
    assert done == sorted(e.executor_id for e in before if not keeps_its_links(e))


def test_no_restart_until_its_time_is_over(lab, ew):
    lab(executors(2, kind="v0-old"), conntrack=True)
    done = ew("guard", "--yes", "--until", "2s")
    assert done.code == 1
    assert "the agent was NOT restarted" in done.words


def test_one_at_a_time(lab, ew):
    lab(executors(1, kind="v0-old"), conntrack=True)
    start(ew)
    assert ew("shutdown", "--yes").code == 75


def test_without_an_agent_it_cannot_be_armed(lab, ew):
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.stop_agent()
    done = ew("guard", "--yes")
    assert done.code == 3
    assert "arm the guard: no agent listens" in done.err


# ---- killed ----

def test_killed_while_the_agent_still_runs(lab, ew):
    """The next one says so, arms again, and treats."""
    node = lab(executors(4, kind="v0-old"), conntrack=True)
    kill(start(ew))
    node.forget(["task-0"])
    guard = start(ew)
    assert b"was killed" in guard.err
    assert b"that agent still runs: no link was treated" in guard.err
    restart(node, "KILL", 0.5)
    assert results(guard.result().json) == {"task-0": "done"}
    assert len(alive(node)) == 4


def test_killed_before_the_agent_ended(lab, ew):
    """Nothing was treated, and the next acting verb names those that did not notice."""
    node = lab(executors(4, kind="v0-old"), conntrack=True)
    guard = start(ew)
    node.forget(["task-1"])
    kill(guard)
    node.stop_agent()
    done = ew("shutdown", "--yes")
    assert "that agent has ended since, unseen by the guard" in done.err
    assert "task-1 (pid" in done.err and "it was not treated" in done.err
    assert "of 4 links it treated 0; 1 that did not notice" in done.err
    assert "was killed" not in ew("shutdown", "--yes").err


def test_killed_after_it_has_acted(lab, ew):
    """What it did is in the audit log, with its time, as soon as anybody acts again."""
    node = lab(executors(20, kind="v0-old"), conntrack=True)
    guard = start(ew)
    node.forget(STALE)
    file = ew.run_dir / f"guard-{ew.port}.armed"
    node.stop_agent()
    guard.wait_for("of 8 links")
    kill(guard)
    assert "was killed" in ew("shutdown", "--yes").err
    assert not file.exists()
    assert logged_results(ew) == [(id, "done") for id in STALE]


PTRACE_CONT, PTRACE_SEIZE, PTRACE_O_TRACEEXIT = 7, 0x4206, 0x40


def test_a_worker_of_it_is_stuck_in_the_kernel(lab, ew):
    """Nobody else is kept from acting by that. A tracer keeps it at its exit, with all its descriptors."""
    trace = ctypes.CDLL(None, use_errno=True).ptrace
    trace.argtypes = [ctypes.c_long] * 4
    node = lab(executors(4, kind="v0-old"), conntrack=True)
    guard = start(ew, "--method", "ptrace")
    children = [int(pid) for pid in guard.children()]
    # All but the one that makes the plans run before others: a stopped thread waits for nobody.
    first = [os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO for pid in children]
    assert (len(first), first.count(False)) == (33, 1)
    worker = children[first.index(True)]
    assert trace(PTRACE_SEIZE, worker, 0, PTRACE_O_TRACEEXIT) == 0
    kill(guard)
    assert os.WIFSTOPPED(os.waitpid(worker, WALL)[1])
    node.forget(["task-0"])
    done = ew.json("shutdown", "--yes")
    assert results(done) == {"task-0": "done"}
    assert pathlib.Path(f"/proc/{worker}/fd").exists()
    trace(PTRACE_CONT, worker, 0, 0)
    os.waitpid(worker, WALL)


def logged_results(ew):
    return sorted((line["executor_id"], line["result"]) for line in ew.audit_log() if line["phase"] == "result")


def as_if_killed_before_it_logged(ew, file):
    """See struct armed_head and struct armed_record."""
    log = ew.state_dir / "audit.log"
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    log.write_text("".join(line for line in lines if '"intent"' in line), encoding="utf-8")
    with open(file, "r+b") as image:
        size, n = struct.unpack("8x II", image.read(16))
        first = os.path.getsize(file) - n * size
        for record in range(first, first + n * size, size):
            image.seek(record + 44)
            image.write(bytes(4))


def test_killed_and_the_next_one_cannot_log_it(lab, ew):
    """A full disk: the guard's file stays until its acts are in the audit log."""
    node = lab(OLD, conntrack=True)
    guard = start(ew)
    node.forget(STALE)
    node.stop_agent()
    guard.wait_for("of 8 links")
    kill(guard)
    file = ew.run_dir / f"guard-{ew.port}.armed"
    as_if_killed_before_it_logged(ew, file)
    assert "File too large" in ew("shutdown", "--yes", prefix=["bash", "-c", 'ulimit -f 1; exec "$@"', "sh"]).err
    assert file.exists() and logged_results(ew) == []
    ew("shutdown", "--yes")
    assert not file.exists() and logged_results(ew) == [(id, "done") for id in STALE]


# ---- the disk is full when it acts ----

@pytest.fixture
def small_disk(ew):
    """The state directory is a file system of its own; `fill` takes all its room, `free` gives that back."""
    ew.state_dir.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "none", ew.state_dir], check=True)
    yield SmallDisk(ew.state_dir / "fill")
    subprocess.run(["umount", "-l", ew.state_dir], check=True)


class SmallDisk:
    def __init__(self, path):
        self.path = path

    def fill(self):
        with open(self.path, "wb", buffering=0) as file:
            with pytest.raises(OSError, match="No space left"):
                while True:
                    file.write(bytes(4096))

    def free(self):
        self.path.unlink()


def test_results_that_the_disk_has_no_room_for(lab, ew, small_disk):
    """They are in the report, which says so, and with the guard's file, from which the next one writes them down."""
    node = lab(OLD, conntrack=True)
    guard = start(ew)
    file = ew.run_dir / f"guard-{ew.port}.armed"
    node.forget(STALE)
    small_disk.fill()
    restart(node, "KILL", 0.5)
    done = guard.result()
    assert "audit.log" in done.err and "No space left on device" in done.err
    assert results(done.json) == dict.fromkeys(STALE, "done")
    written = len(logged_results(ew))
    assert written < len(STALE)
    note, = [n for n in done.json["notes"] if "audit log" in n]
    assert f"The results of {len(STALE) - written} acts are not in the audit log (write audit log " in note
    assert "No space left on device" in note
    assert (done.code, done.json["exit_code"]) == (3, 3)
    assert file.exists()
    small_disk.free()
    assert "could not write down the results" in ew("shutdown", "--yes").err
    assert not file.exists()
    assert logged_results(ew) == [(id, "done") for id in STALE]


def test_results_are_written_once_the_disk_has_room(lab, ew, small_disk):
    node = lab(OLD, conntrack=True)
    guard = start(ew)
    node.forget(STALE)
    small_disk.fill()
    node.stop_agent()
    guard.wait_for("of 8 links")
    assert len(logged_results(ew)) < len(STALE)
    small_disk.free()
    guard.wait_for("the audit log has all results now")
    assert logged_results(ew) == [(id, "done") for id in STALE]
    node.start_agent()
    done = guard.result()
    assert (done.code, done.json["exit_code"]) == (0, 0)
    assert not [n for n in done.json["notes"] if "audit log" in n]
    assert not list(ew.run_dir.glob("guard-*"))


@pytest.mark.parametrize("ms", [0, 3, 8, 20])
def test_killed_in_the_middle(lab, ew, ms):
    """At any moment: each stale link is treated by it or by the next one, each act is logged once."""
    node = lab(OLD, conntrack=True)
    guard = start(ew)
    node.forget(STALE)
    pid = node.agent_pid
    end = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    select.select([end], [], [], 10)
    time.sleep(ms / 1000)
    kill(guard)
    os.close(end)
    node.wait_until(lambda: node.status()["agent"]["pid"] != pid, what="the agent's end")
    ew("shutdown", "--yes")
    done = [line["executor_id"] for line in ew.audit_log() if line.get("result") == "done"]
    assert sorted(done) == STALE
    node.start_agent()
    node.wait_recovered()
    assert len(alive(node)) == 20


# ---- behind address translation ----

@pytest.fixture
def translated(lab, port):
    """Executors in network namespaces of their own, whom the agent sees by other addresses; these are forgotten."""
    rules = f"""table ip ew_nat {{
        chain in {{
            type nat hook input priority 100;
            iifname != "lo" tcp dport {port} snat to 10.77.0.1:20000-30000;
        }}
    }}"""
    node = lab(executors(3, kind="v0-old", ns="net"), executor("relinks", kind="v0-relink", ns="net"),
               ip="10.77.0.1", rules=rules)
    node.run("conntrack", "-F", capture_output=True)
    return node


def test_links_whose_other_end_is_not_known(translated, ew):
    """An audit cannot judge them; at the agent's end their state alone decides."""
    assert each(ew.json("audit"), translated, "verdict") == {
        "task-0": "unknown", "task-1": "unknown", "task-2": "unknown", "relinks": "self-healing"}
    guard = start(ew)
    restart(translated, "KILL", 0.5)
    done = guard.result()
    assert results(done.json) == {"task-0": "done", "task-1": "done", "task-2": "done"}
    assert set(each(done.json, translated, "outcome").values()) == {"reregistered"}
    assert done.code == 0


def test_the_gate_counts_on_the_guard_for_them(translated, ew):
    restarting = ["--", *translated.command(*translated.restart_args(down=1))]
    assert ew("run", "--yes", "--treat", "before", *restarting).code == 3
    assert len(alive(translated)) == 4
    report = ew.json("run", "--yes", "--until", "settled", *restarting, code=0)
    assert results(report) == {"task-0": "done", "task-1": "done", "task-2": "done"}
    assert len(alive(translated)) == 4

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A window outlives its terminal: the command and the watching go on, and the report is kept."""

import json
import os
import pathlib
import random
import shlex
import signal
import subprocess
import sys

import pytest

from execwatch import each, tries
from labnode import LabNode, agent, executors

# Of the hang-up at a random moment.
TRIES = tries(4, 50)


@pytest.fixture
def node(lab):
    node = lab(executors(3, kind="v0-old"), conntrack=True)
    node.forget("all")
    return node


def restart_behind(gate, node):
    """A command that restarts the agent once the file `gate` is there. What it prints can fail."""
    wait = f"touch {gate}.waits; while [ ! -e {gate} ]; do sleep 0.05; done; "
    return ["--", "sh", "-c", wait + shlex.join(map(str, node.command(*node.restart_args())))]


def wait_for_file(node, path):
    node.wait_until(lambda: os.path.exists(path), what=f"the file {path}")


def hang_up(terminal):
    """What the loss of a connection does: the terminal is gone, and its session gets SIGHUP."""
    os.close(terminal.fd)
    terminal.fd = os.open("/dev/null", os.O_RDONLY)


def exit_code(terminal, node):
    def ended():
        pid, status = os.waitpid(terminal.pid, os.WNOHANG)
        if pid:
            terminal.code = os.waitstatus_to_exitcode(status)
        return pid
    node.wait_until(ended, seconds=60, what="the end of execwatch")
    return terminal.code


def hang_up_in_the_window(ew, node, gate):
    """The terminal is lost, then the agent restarts. Returns the exit code of `run`."""
    terminal = ew.terminal("run", "--yes", "--until", "settled", *restart_behind(gate, node))
    wait_for_file(node, f"{gate}.waits")
    hang_up(terminal)
    gate.touch()
    return exit_code(terminal, node)


def kept(ew, ending="json"):
    file, = ew.state_dir.glob(f"run-*-{ew.port}.{ending}")
    return file


def registered_again(node):
    return dict.fromkeys((e.executor_id for e in node.executors()), "reregistered")


def test_the_terminal_hangs_up(node, ew, tmp_path):
    assert hang_up_in_the_window(ew, node, tmp_path / "gate") == 0
    report = json.loads(kept(ew).read_text())
    assert report["schema"] == "execwatch.run/1"
    assert report["agent"]["restarted"]
    assert report["command"]["ended"]
    assert each(report, node, "outcome") == registered_again(node)
    assert "3 reregistered" in " ".join(kept(ew, "txt").read_text().split())


def test_the_kept_report_is_shown_later(node, ew, tmp_path):
    """By whoever connects again; verify compares with the audit of before the window."""
    assert hang_up_in_the_window(ew, node, tmp_path / "gate") == 0
    shown = ew("report")
    assert (shown.code, shown.out) == (0, kept(ew, "txt").read_text())
    assert ew.json("report", code=0) == json.loads(kept(ew).read_text())
    verified = ew.json("verify", "--until", "settled", code=0)
    assert each(verified, node, "outcome") == registered_again(node)


def test_no_report_is_kept_yet(node, ew):
    ew.state_dir.mkdir()
    done = ew("report")
    assert done.code == 64
    assert f"no report of a window on port {ew.port} is kept in '{ew.state_dir}'" in done.err


def test_a_report_is_kept_in_any_case(node, ew):
    report = ew.json("run", "--yes", "--until", "settled", "--", *node.command(*node.restart_args()), code=0)
    assert json.loads(kept(ew).read_text()) == report
    assert os.stat(kept(ew)).st_mode & 0o077 == 0


def test_hang_up_at_a_random_moment(ew):
    """From the start of execwatch to the end of its window."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    moments = random.Random(seed)
    for _ in range(TRIES):
        with LabNode(agent(port=ew.port), executors(3, kind="v0-old"), conntrack=True) as node:
            node.forget("all")
            terminal = ew.terminal("run", "--yes", "--until", "settled",
                                   "--", *node.command(*node.restart_args(down=0.5)))
            terminal.read_until("\\w")  # the program runs, and has taken over its signals
            for _ in range(moments.randrange(25)):
                terminal._read(0.05)
            hang_up(terminal)
            assert exit_code(terminal, node) == 0
            report = json.loads(kept(ew).read_text())
            assert report["agent"]["restarted"]
            assert each(report, node, "outcome") == registered_again(node)
        for file in ew.state_dir.glob("run-*"):
            file.unlink()


def test_a_hang_up_at_the_question_does_nothing(node, ew, tmp_path):
    gate = tmp_path / "gate"
    terminal = ew.terminal("run", *restart_behind(gate, node)).read_until(r"\[y/N\]")
    hang_up(terminal)
    assert exit_code(terminal, node) == 1
    assert ew.audit_log() == []
    assert not os.path.exists(f"{gate}.waits")


def test_an_ignored_hang_up_stays_ignored(node, ew, tmp_path):
    """As nohup has it; for the command too."""
    gate = tmp_path / "gate"
    run = ew.start("run", "--yes", "--until", "settled", *restart_behind(gate, node),
                   preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    wait_for_file(node, f"{gate}.waits")
    for pid in [run.process.pid, *run.children()]:
        status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        ignored = int(status.split("SigIgn:")[1].split()[0], 16)
        assert ignored >> (signal.SIGHUP - 1) & 1
    run.interrupt(signal.SIGHUP)
    gate.touch()
    assert run.result().code == 0


def test_output_that_nobody_reads_any_more(node, ew, tmp_path):
    """ssh without a terminal: no signal comes, only the pipes are closed."""
    gate = tmp_path / "gate"
    run = ew.start("run", "--yes", "--until", "settled", *restart_behind(gate, node))
    wait_for_file(node, f"{gate}.waits")
    run.process.stdout.close()
    run.process.stderr.close()
    gate.touch()
    run.process.wait(timeout=60)
    report = json.loads(kept(ew).read_text())
    assert each(report, node, "outcome") == registered_again(node)


def test_a_command_that_writes_to_a_lost_connection(node, ew, tmp_path):
    """Its messages have no reader any more; it goes on to the restart."""
    gate = tmp_path / "gate"
    argv = restart_behind(gate, node)
    argv[-1] = argv[-1].replace("done; ", "done; echo the agent is restarted; ")
    run = ew.start("run", "--yes", "--until", "settled", *argv,
                   env={**os.environ, "SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"})
    wait_for_file(node, f"{gate}.waits")
    run.process.stdout.close()
    run.process.stderr.close()
    gate.touch()
    run.process.wait(timeout=60)
    report = json.loads(kept(ew).read_text())
    assert report["agent"]["restarted"]
    assert each(report, node, "outcome") == registered_again(node)


def test_over_ssh_it_is_said_at_the_start(node, ew):
    args = ["run", "--yes", "--until", "settled", "--", *node.command(*node.restart_args())]
    done = ew(*args, env={**os.environ, "SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"})
    first = done.err.splitlines()[0]
    assert "over ssh: if the connection is lost, the command and the watching go on" in first
    assert str(kept(ew, "txt").with_suffix("")) in first


def test_ctrl_c_reaches_the_command(node, ew, tmp_path):
    """The first one is the command's; the watching goes on, and the agent is restarted by hand."""
    waits = tmp_path / "waits"
    terminal = ew.terminal("run", "--yes", "--until", "settled", "-f", "json",
                           "--", "sh", "-c", f"touch {waits}; exec sleep 100")
    wait_for_file(node, waits)
    terminal.type("\x03").read_until("gets it too")
    node.restart_agent()
    assert terminal.wait() == 0
    assert json.loads(kept(ew).read_text())["command"]["signal"] == signal.SIGINT


def test_a_command_that_has_ended_is_reaped(node, ew):
    """Also where the watching ends after a fixed time."""
    done = ew("run", "--yes", "--until", "4s", "-f", "json", "--", *node.command(*node.restart_args()))
    assert done.json["command"]["exit_code"] == 0
    assert "still runs" not in done.err


JOURNAL = """
import os, socket, subprocess, sys
d = sys.argv[1] + "/dev"
os.mkdir(d)
subprocess.run(["mount", "-t", "tmpfs", "none", d], check=True)
for name in os.listdir("/dev"):
    if os.path.islink("/dev/" + name):
        os.symlink(os.readlink("/dev/" + name), d + "/" + name)
    elif name != "log":
        kind = os.path.isdir("/dev/" + name)
        (os.mkdir if kind else lambda p: open(p, "w").close())(d + "/" + name)
        subprocess.run(["mount", "--rbind" if kind else "--bind", "/dev/" + name, d + "/" + name], check=True)
subprocess.run(["mount", "--move", d, "/dev"], check=True)
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("/dev/log")
os.set_inheritable(log.fileno(), False)
child = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
child.stdout.close()
child.stderr.close()
log.settimeout(60)
while True:
    line = log.recv(65536).decode()
    print(line, flush=True)
    if "exit code" in line:
        break
sys.exit(child.wait())
"""


def test_the_journal_gets_the_summary(node, ew, tmp_path):
    """In a mount namespace of its own, where /dev/log is the test's."""
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private", sys.executable, "-c", JOURNAL, str(tmp_path),
         *ew.argv("run", "--yes", "--until", "settled", "--", *node.command(*node.restart_args()))],
        capture_output=True, text=True, timeout=120, check=False)
    assert "EXECWATCH OK" in done.stdout, done
    assert str(kept(ew, "txt")) in done.stdout

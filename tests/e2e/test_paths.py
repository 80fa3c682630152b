# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What execwatch creates, locks and removes is its own, wherever links and other users point."""

import json
import os
import subprocess
import sys

import pytest

from connections import node_connections
from execwatch import each
from labnode import executors


@pytest.fixture
def node(lab):
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("all")
    return node


def others_write(directory):
    directory.mkdir()
    directory.chmod(0o777)


def others_own(directory):
    directory.mkdir()
    os.chown(directory, 65534, 65534)


def a_link(directory):
    target = directory.with_name("elsewhere")
    target.mkdir()
    directory.symlink_to(target)


BAD = {
    "others write": (others_write, "other users can write to it"),
    "others own": (others_own, "it belongs to another user"),
    "a link": (a_link, "without symbolic links"),
}


@pytest.mark.parametrize("option", ["state_dir", "run_dir"])
@pytest.mark.parametrize("how", BAD)
def test_a_directory_that_is_not_ours_alone(node, ew, port, option, how):
    """Nothing is done, nothing is written there."""
    make, reason = BAD[how]
    make(getattr(ew, option))
    before = node_connections(node, port)
    done = ew("shutdown", "--yes")
    assert done.code == 3
    assert str(getattr(ew, option)) in done.err and reason in done.err
    assert list(getattr(ew, option).iterdir()) == []
    assert node_connections(node, port) == before


def test_a_link_above_the_directory(node, ew, port):
    ew.run_dir.parent.joinpath("real/run").mkdir(parents=True)
    (ew.run_dir.parent / "link").symlink_to("real")
    ew.run_dir = ew.run_dir.parent / "link" / "run"
    done = ew("shutdown", "--yes")
    assert done.code == 3
    assert "without symbolic links" in done.err
    assert list(ew.run_dir.iterdir()) == []


def test_a_baseline_that_others_could_have_written(node, ew):
    assert ew("audit").code == 1
    ew.state_dir.chmod(0o777)
    done = ew("verify", "--until", "1s")
    assert done.code == 3
    assert "other users can write to it" in done.err


@pytest.mark.parametrize("option", ["state_dir", "run_dir"])
def test_doctor_says_so_before(node, ew, option):
    others_write(getattr(ew, option))
    done = ew.json("doctor", code=1)
    check, = [c for c in done["checks"] if c["name"] == option.replace("_", " ")]
    assert check["state"] == "missing"
    assert "other users can write to it" in check["detail"]
    assert "chmod go-w" in check["cure"]
    assert done["can"] == {"audit": True, "shutdown": False, "watch": True}


def test_an_audit_does_without_the_state_directory(node, ew):
    """It says so, and judges by what it sees itself."""
    others_write(ew.state_dir)
    audit = ew("audit", "-f", "json")
    assert audit.code == 1
    assert "other users can write to it" in audit.err
    assert each(audit.json, node, "verdict") == {"task-0": "at-risk", "task-1": "at-risk"}


def test_a_directory_with_the_sticky_bit(node, ew):
    """As /tmp, and as a new tmpfs: others cannot replace what is ours there."""
    ew.state_dir.mkdir()
    ew.state_dir.chmod(0o1777)
    assert ew("shutdown", "--yes").code == 0
    assert [l["phase"] for l in ew.audit_log()] == ["intent", "intent", "result", "result"]


def test_a_baseline_of_others_in_a_directory_with_the_sticky_bit(node, ew):
    """Anybody can put one there, which does not know who was lost: it is refused by name."""
    ew.state_dir.mkdir()
    ew.state_dir.chmod(0o1777)
    assert ew("audit").code == 1
    kept, = ew.state_dir.glob("baseline-*")
    document = json.loads(kept.read_text())
    document["executors"] = []
    kept.write_text(json.dumps(document))
    os.chown(kept, 65534, 65534)
    node.restart_agent()
    node.wait_recovered()
    node.wait_until(lambda: not any(e.alive for e in node.executors()))
    done = ew("verify", "--until", "settled")
    assert done.code == 3
    assert f"open baseline '{kept}': others may have made or written it" in done.err


@pytest.mark.parametrize("name", ["state_dir/audit.log", "run_dir/acting.lock"])
@pytest.mark.parametrize("how", ["a link", "a FIFO", "a second name", "of others"])
def test_a_file_that_is_not_ours(node, ew, tmp_path, port, name, how):
    directory, name = name.split("/")
    file = getattr(ew, directory) / name
    file.parent.mkdir()
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    if how == "a link":
        file.symlink_to(victim)
    elif how == "a FIFO":
        os.mkfifo(file)
    elif how == "a second name":
        file.hardlink_to(victim)
    else:
        file.write_text("")
        os.chown(file, 65534, 65534)
    before = node_connections(node, port)
    done = ew("shutdown", "--yes")
    assert done.code == 3
    assert str(file) in done.err
    assert victim.read_text() == "as it was"
    assert node_connections(node, port) == before


# ---- removing: in a mount namespace of its own, with decoys ----

# Arguments: a directory of the test, and the command. Everything under the directory is on a tmpfs
# that nobody else sees; bpf-PORT and its decoy files are made as the first argument says.
NAMESPACE = """
import os, subprocess, sys
how, top, port, *argv = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0700", "none", top], check=True)
os.mkdir(top + "/run")
os.mkdir(top + "/decoys")
for name in "one", "two":
    open(top + "/decoys/" + name, "w").close()
pins = top + "/run/bpf-" + port
if how == "link":
    os.symlink(top + "/decoys", pins)
elif how == "plain":
    os.rename(top + "/decoys", pins)
elif how == "run-link":
    os.rename(top + "/run", top + "/real")
    os.rename(top + "/decoys", top + "/real/bpf-" + port)
    os.symlink(top + "/real", top + "/run")
elif how == "empty":
    os.mkdir(pins)
code = subprocess.run(argv).returncode
names = sorted(name for _, _, names in os.walk(top) for name in names if name in ("one", "two"))
print(*names, os.path.lexists(pins))
sys.exit(code)
"""


@pytest.mark.parametrize("how, code, left, said", [
    ("link", 1, "one two True", "Not a directory"),
    ("plain", 1, "one two True", "no bpf filesystem"),
    ("run-link", 3, "one two True", "without symbolic links"),
    ("empty", 0, "one two False", "unloaded"),
    ("none", 0, "one two False", "nothing is left"),
])
def test_cleaning_removes_nothing_else(ew, tmp_path, how, code, left, said):
    top = tmp_path / "top"
    top.mkdir()
    ew.run_dir = top / "run"
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private", sys.executable, "-c", NAMESPACE, how, str(top),
         str(ew.port), *ew.argv("doctor", "--clean")], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done
    assert done.stdout.strip() == left
    assert said in done.stderr


def test_a_link_in_the_place_of_the_pins(lab, ew, tmp_path):
    """The observers do without; what the link leads to stays as it is."""
    node = lab(executors(1, kind="v0-old"))
    decoys = tmp_path / "decoys"
    decoys.mkdir()
    (decoys / "one").write_text("as it was")
    ew.run_dir.mkdir()
    (ew.run_dir / f"bpf-{ew.port}").symlink_to(decoys)
    run = ew.start("watch", "-f", "jsonl", "--until", "1s")
    done = run.result()
    assert "Not a directory" in done.err and "going on without" in done.err
    assert os.listdir(decoys) == ["one"]
    os.unlink(ew.run_dir / f"bpf-{ew.port}")


def test_a_path_that_is_long(lab, ew):
    """The programs are pinned all the same."""
    node = lab(executors(1, kind="v0-old"))
    ew.run_dir = ew.run_dir / ("a" * 200) / ("b" * 200)
    ew.run_dir.parent.mkdir(parents=True)
    run = ew.start("watch", "-f", "jsonl")
    run.wait_for('"type":')
    node.wait_until(lambda: list(ew.run_dir.glob("bpf-*/link-*")), what="pinned programs")
    run.interrupt().result()
    assert list(ew.run_dir.glob("bpf-*")) == []


# ---- recordings ----

def test_a_recording_is_not_written_through_a_link(node, ew, tmp_path):
    victim, link = tmp_path / "victim", tmp_path / "recording"
    victim.write_text("")
    link.symlink_to(victim)
    done = ew("audit", "--record", link)
    assert done.code == 3
    assert "it is a symbolic link" in done.err
    assert victim.read_text() == ""


def test_a_fifo_that_nobody_reads_does_not_block(node, ew, tmp_path):
    os.mkfifo(tmp_path / "recording")
    done = ew("audit", "--record", tmp_path / "recording")
    assert done.code == 3
    assert "a FIFO that nobody reads" in done.err


@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1, 2]])
def test_standard_descriptors_that_are_closed(node, ew, tmp_path, closed):
    """The report of an audit is not written into its recording."""
    recording = tmp_path / "recording"
    with open(tmp_path / "out", "w", encoding="utf-8") as out:
        subprocess.run(["sh", "-c", 'exec "$@" ' + " ".join(f"{fd}>&-" for fd in closed), "sh",
                        *ew.argv("audit", "--record", recording)],
                       stdout=out, stderr=out, timeout=60, check=False)
    for line in recording.read_text().splitlines():
        json.loads(line)
    replayed = ew.json("audit", "--replay", recording)
    assert each(replayed, node, "verdict") == {"task-0": "at-risk", "task-1": "at-risk"}


def test_a_limit_of_file_size_is_an_error(node, ew, tmp_path):
    """SIGXFSZ does not end it: the report is made, and the recording is said to be cut."""
    done = ew("audit", "--record", tmp_path / "recording", prefix=["bash", "-c", 'ulimit -f 4; exec "$@"', "bash"])
    assert done.code == 3
    assert "File too large" in done.err
    assert "task-0" in done.out

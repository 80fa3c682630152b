# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A recording gives the same result again: byte for byte, elsewhere, without privilege."""

import json
import os
import shutil
import subprocess

import pytest

from labnode import executor, executors

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]


@pytest.fixture
def node(lab):
    node = lab(executors(3, kind="v0-old", prefix="forgotten-", group="forget"),
               executor("it's\n\"odd\" ☃", kind="v0-old", group="forget"),
               executor("relinks", kind="v0-relink", group="forget"),
               executor("http", kind="v1"), conntrack=True)
    node.forget("group:forget")
    return node


@pytest.fixture
def recording(tmp_path):
    return tmp_path / "recording.jsonl"


@pytest.fixture
def as_nobody(ew, open_dir):
    """Replays with nothing but the file: another user, who owns nothing here."""
    tool = shutil.copy(ew.binary, open_dir / "execwatch")
    os.chmod(tool, 0o755)

    def replay(recording, verb, *args):
        copy = shutil.copy(recording, open_dir / "recording")
        os.chmod(copy, 0o644)
        return subprocess.run([*NOBODY, tool, verb, "--replay", copy, *args],
                              capture_output=True, timeout=60, check=False)
    return replay


def run(ew, *args):
    """An audit is given more time than its own 10 s, which a busy machine may need."""
    bound = ["--timeout", "50s"] if args[0] == "audit" else []
    return subprocess.run(ew.argv(*args, *bound), stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60, check=False)


@pytest.mark.parametrize("format", ["table", "json", "jsonl", "nagios"])
def test_an_audit(node, ew, recording, as_nobody, format):
    live = run(ew, "audit", "-f", format, "--record", recording)
    again = as_nobody(recording, "audit", "-f", format)
    assert (again.returncode, again.stdout) == (live.returncode, live.stdout)
    assert again.stderr == b""
    assert live.returncode == 1 and live.stdout


def test_a_recording_is_the_owners_alone(node, ew, recording):
    run(ew, "audit", "--record", recording)
    assert recording.stat().st_mode & 0o777 == 0o600


def test_what_is_recorded_are_facts(node, ew, recording):
    """One JSON object a line, the file's own name and version first."""
    run(ew, "audit", "--record", recording)
    head, *facts = [json.loads(line) for line in recording.read_text().splitlines()]
    assert head["schema"] == "execwatch.recording/1"
    assert facts[0]["type"] == "window"
    assert {"process", "socket", "holder", "checkpoint", "agent", "api", "entry", "now"} <= \
        {f["type"] for f in facts}


def test_to_a_pipe_and_from_one(node, ew):
    """`--record /dev/stdout` and `--replay -`: the recording need not touch a disk."""
    live = run(ew, "audit", "-f", "json", "--record", "/dev/stderr")
    again = subprocess.run(ew.argv("audit", "-f", "json", "--replay", "-"), input=live.stderr,
                           capture_output=True, timeout=60, check=False)
    assert (again.returncode, again.stdout) == (live.returncode, live.stdout)


def test_an_existing_recording_is_kept(node, ew, recording):
    recording.write_text("precious")
    done = ew("audit", "--record", recording)
    assert done.code == 3
    assert str(recording) in done.err and "another file" in done.err
    assert recording.read_text() == "precious"


def test_a_directory_that_does_not_exist(node, ew, tmp_path):
    done = ew("audit", "--record", tmp_path / "no" / "such")
    assert done.code == 3
    assert f"'{tmp_path}/no/such'" in done.err and "No such file" in done.err


# ---- a whole window ----

@pytest.fixture(scope="module")
def window(module_lab, module_ew, tmp_path_factory):
    """A recorded run of a node that is gone."""
    node = module_lab(executors(2, kind="v0-old"), executor("http", kind="v1"), conntrack=True)
    node.forget("all")
    path = tmp_path_factory.mktemp("window") / "recording.jsonl"
    live = run(module_ew, "run", "--yes", "-f", "json", "--until", "settled", "--record", path,
               "--", *node.command(*node.restart_args()))
    node.down()
    return live, path


def test_a_window(window, as_nobody):
    """`report` says again what the run said at its end."""
    live, path = window
    again = as_nobody(path, "report", "-f", "json")
    assert live.returncode == 0
    assert (again.returncode, again.stdout) == (live.returncode, live.stdout)
    assert json.loads(again.stdout)["summary"]["reregistered"] == 3


def test_the_audit_in_a_window(window, as_nobody):
    """`audit` gives what was known before anything was done."""
    audit = as_nobody(window[1], "audit", "-f", "json")
    assert audit.returncode == 1
    assert json.loads(audit.stdout)["summary"]["at-risk"] == 3


def test_a_shutdown(lab, ew, recording, as_nobody):
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("all")
    live = run(ew, "shutdown", "--yes", "-f", "json", "--record", recording)
    again = as_nobody(recording, "report", "-f", "json")
    assert (again.returncode, again.stdout) == (live.returncode, live.stdout)
    assert json.loads(again.stdout)["acts"]


def test_a_verify(lab, ew, recording, as_nobody):
    node = lab(executors(2, kind="v0-relink"))
    run(ew, "audit")
    node.restart_agent()
    node.wait_recovered()
    live = run(ew, "verify", "-f", "json", "--until", "settled", "--record", recording)
    for verb in "report", "verify":
        again = as_nobody(recording, verb, "-f", "json")
        assert (again.returncode, again.stdout) == (live.returncode, live.stdout)


def test_a_writer_that_was_killed(window, ew, tmp_path, as_nobody):
    """The last line is cut: what it may have told is not known, and said so."""
    whole = window[1].read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(whole[:-20])
    again = as_nobody(cut, "report", "-f", "json")
    assert again.returncode == 3
    assert b"ends in the middle of a line" in again.stderr
    assert json.loads(again.stdout)["schema"] == "execwatch.run/1"


@pytest.mark.parametrize("damage, word", [
    (lambda lines: [*lines[:5], b"{\"type\": \"socket\", ", *lines[6:]], b"line 6"),
    (lambda lines: [*lines[:5], b"\x00\xff\xfe", *lines[6:]], b"line 6"),
    (lambda lines: [*lines[:5], b"[]", *lines[6:]], b"line 6"),
    (lambda lines: lines[1:], b"recording"),
    (lambda lines: [b'{"schema":"execwatch.recording/2","tool":"9.9"}', *lines[1:]], b"version 2"),
    (lambda lines: [b'{"schema":"execwatch.audit/1"}', *lines[1:]], b"execwatch.recording/1"),
    (lambda lines: [], b"empty"),
])
def test_damage(window, tmp_path, as_nobody, damage, word):
    """Nothing is concluded from a file that is not what it says."""
    broken = tmp_path / "broken"
    broken.write_bytes(b"".join(line + b"\n" for line in damage(window[1].read_bytes().splitlines())))
    done = as_nobody(broken, "report")
    assert done.returncode == 3
    assert word in done.stderr and b"recording'" in done.stderr
    assert done.stdout == b""


def test_a_later_version_of_facts(window, tmp_path, as_nobody):
    """Facts and fields that are not known here are left out, and it is said."""
    lines = window[1].read_bytes().splitlines()
    known = as_nobody(window[1], "report", "-f", "json")
    extra = json.loads(lines[1]) | {"colour": "green"}
    newer = tmp_path / "newer"
    end = json.loads(lines[-1])
    end["facts"] += 1
    newer.write_bytes(b"\n".join([lines[0], json.dumps(extra).encode(),
                                  b'{"type":"weather","mono_ns":1,"rain":true}', *lines[2:-1],
                                  json.dumps(end).encode(), b""]))
    done = as_nobody(newer, "report", "-f", "json")
    assert done.stdout == known.stdout
    assert b"1 facts and 1 fields" in done.stderr


# ---- the disk is full ----

def on_small_disk(ew, size, *args):
    """Runs with a small file system at /mnt in a mount namespace of its own; prints the
    recording that is left on it after the command's own output."""
    script = ('mount -t tmpfs -o size=$1 none /mnt && shift && "$@"; code=$?; '
              'cat /mnt/recording >&2; exit $code')
    return subprocess.run(
        ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", size, *ew.argv(*args)],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)


def test_the_disk_is_full_while_recording(node, ew):
    """The audit is as good as ever; the recording is not complete, and that is an exit code."""
    done = on_small_disk(ew, "8k", "audit", "-f", "json", "--record", "/mnt/recording")
    assert done.returncode == 3
    assert json.loads(done.stdout)["summary"]["at-risk"] == 4
    message, _, recorded = done.stderr.partition(b"{\"schema\"")
    assert b"'/mnt/recording'" in message and b"No space left" in message
    assert b"another disk" in message
    assert recorded.endswith(b"}\n")  # whole lines only
    for line in (b"{\"schema\"" + recorded).splitlines():
        json.loads(line)


def test_the_disk_is_full_before_the_first_act(node, ew):
    """No baseline, no audit log: the state directory's disk has no room, so nothing is done."""
    script = ('mount -t tmpfs -o size=4k,nr_inodes=2 none "$0" && dd if=/dev/zero of="$0"/fill bs=4k '
              'count=1 status=none; exec "$@"')
    ew.state_dir.mkdir()
    done = subprocess.run(
        ["unshare", "-m", "--propagation", "private", "sh", "-c", script, str(ew.state_dir),
         *ew.argv("shutdown", "--yes", "--select", "at-risk")],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert done.returncode == 3
    assert b"audit.log" in done.stderr and b"No space left" in done.stderr
    assert b"--state-dir" in done.stderr
    assert ew.json("audit", code=1)["summary"]["at-risk"] == 4

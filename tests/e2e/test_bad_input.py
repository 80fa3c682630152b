# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What cannot be done is said with its object, its cause and a cure. Run with the address and
undefined sanitizers on: a crash is an end with a code of its own."""

import contextlib
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import subprocess

import pytest

from execwatch import SANITIZED, Execwatch, each
from labnode import LabNode, agent, executor, executors

CODES = {0, 1, 2, 3, 64, 75}


class Sane:
    """Execwatch whose every result is looked through for a crash."""

    def __init__(self, tool):
        self.tool = tool

    def __getattr__(self, name):
        return getattr(self.tool, name)

    def __call__(self, *args, **kw):
        done = self.tool(*args, **kw)
        assert "Sanitizer" not in done.err and "runtime error" not in done.err, done
        assert done.code in CODES, done
        return done


@pytest.fixture
def ew(port, tmp_path):
    if not os.path.exists(SANITIZED):
        pytest.skip("no sanitized build: make san")
    return Sane(Execwatch(port, tmp_path, SANITIZED))


@pytest.fixture(scope="module")
def node(module_lab):
    """A node that all look at and nobody touches."""
    node = module_lab(executors(2, kind="v0-old"), executor("http", kind="v1"), conntrack=True)
    node.forget("task-0")
    return node


def nothing_half_written(ew):
    """What is in its directory is whole, and nothing temporary is left."""
    for path in ew.state_dir.rglob("*") if ew.state_dir.is_dir() else []:
        if path.suffix == ".json":
            assert json.loads(path.read_text())["executors"] is not None
        else:
            assert path.name == "audit.log", path


# ---- the command line ----

@pytest.mark.parametrize("args, words", [
    ([], ["no verb", "--help"]),
    (["aduit"], ["'aduit'", "did you mean 'audit'"]),
    (["shutdwon"], ["'shutdwon'", "did you mean 'shutdown'"]),
    (["frobnicate"], ["'frobnicate'", "--help"]),
    (["audit", "--dry-rnu"], ["'--dry-rnu'", "did you mean '--dry-run'"]),
    (["audit", "--bseline=x"], ["'--bseline'", "did you mean '--baseline'"]),
    (["audit", "--frobnicate"], ["'--frobnicate'", "--help"]),
    (["audit", "-Z"], ["-Z", "--help"]),
    (["audit", "now"], ["'now'"]),
    (["run", "restart"], ["'restart'", "behind --"]),
    (["run"], ["'run'", "-- CMD"]),
    (["run", "--"], ["'run'", "-- CMD"]),
    (["audit", "--", "true"], ["'audit'", "no command"]),
    (["audit", "--port"], ["'--port'", "value"]),
    (["audit", "-p", "0"], ["'0'", "1 to 65535"]),
    (["audit", "-p", "65536"], ["'65536'", "1 to 65535"]),
    (["audit", "-p", "-1"], ["'-1'", "1 to 65535"]),
    (["audit", "-p", "http"], ["'http'", "1 to 65535"]),
    (["audit", "-p", ""], ["''", "1 to 65535"]),
    (["audit", "-p", "99999999999999999999"], ["1 to 65535"]),
    (["verify", "--until", "soon"], ["'soon'", "90s"]),
    (["verify", "--until", "0s"], ["'0s'", "90s"]),
    (["verify", "--until", "-5s"], ["'-5s'", "90s"]),
    (["verify", "--until", "5 parsecs"], ["'5 parsecs'", "90s"]),
    (["verify", "--until", "99999999999999999999d"], ["duration"]),
    (["verify", "--master-timeout", "long"], ["'long'", "75s"]),
    (["audit", "-f", "xml"], ["'xml'", "table, json"]),
    (["audit", "--timeout", "0s"], ["'0s'", "500ms"]),
    (["audit", "--timeout", "2d"], ["'2d'", "a day at most"]),
    (["verify", "--timeout", "5s"], ["--timeout is for doctor and audit"]),
    (["audit", "--color", "pink"], ["'pink'", "always"]),
    (["shutdown", "--method", "gdb"], ["'gdb'", "ptrace, pidfd"]),
    (["shutdown", "--select", "half-opened"], ["'half-opened'", "did you mean half-open?"]),
    (["shutdown", "--select", "xyzxyzxyz"], ["'xyzxyzxyz'", "they are: ", "half-open, "]),
    (["shutdown", "--select", ""], ["''", "half-open,at-risk"]),
    (["shutdown", "--select", "half-open,,"], ["''", "verdict"]),
    (["shutdown", "--select", "x" * 5000], ["verdict"]),
    (["shutdown", "--pid", "0"], ["'0'", "process id"]),
    (["shutdown", "--pid", "12x"], ["'12x'", "process id"]),
    (["shutdown", "--all", "--pid", "1"], ["exclude each other"]),
    (["audit", "--ignore", "conntrack-ful"], ["'conntrack-ful'", "did you mean conntrack-full?"]),
    (["audit", "--ignore", "v1-backoff,"], ["''", "no finding"]),
    (["doctor", "--ignore", "v1-backoff"], ["--ignore is for audit", "'doctor'"]),
    (["audit", "--all"], ["--all is for shutdown and run", "'audit'"]),
    (["verify", "--accept", "unknown"], ["--accept is for run", "'verify'"]),
    (["audit", "--clean"], ["--clean is for doctor", "'audit'"]),
    (["watch", "-f", "jsonl", "--pid", "1"], ["--pid is for shutdown, protect, hold and run", "'watch'"]),
    (["run", "--hold-at", "soon", "--", "true"], ["'soon'", "90s"]),
    (["hold", "--hold-at", "9s"], ["--hold-at is for run", "'hold'"]),
    (["hold", "--yes", "--replay", "x"], ["'hold'", "recording"]),
    (["protect", "--idle", "0s"], ["'0s'", "1s to 32767s"]),
    (["protect", "--idle", "1500ms"], ["'1500ms'", "whole seconds"]),
    (["protect", "--idle", "10h"], ["'10h'"]),
    (["protect", "--undo", "--daemon"], ["--undo excludes"]),
    (["protect", "--daemon", "--dry-run"], ["--daemon excludes"]),
    (["protect", "--all"], ["--all is for shutdown and run", "'protect'"]),
    (["shutdown", "--undo"], ["--undo is for protect", "'shutdown'"]),
    (["protect", "--yes", "--replay", "x"], ["'protect'", "recording"]),
    (["audit", "--record", "a", "--replay", "b"], ["--record", "--replay"]),
    (["report"], ["'report'", "--replay FILE"]),
    (["shutdown", "--yes", "--replay", "x"], ["'shutdown'", "recording"]),
    (["audit", "x" * 100000], ["unexpected argument"]),
    (["\x01\x1b[31m"], ["unknown verb"]),
])
def test_wrong_use(ew, args, words):
    done = ew(*args)
    assert done.code == 64
    assert done.out == ""
    assert done.err.count("\n") == 1 and done.err.startswith("execwatch: ")
    assert [w for w in words if w not in done.err] == []
    assert not ew.state_dir.exists() and not ew.run_dir.exists()


VERBS = "doctor", "audit", "shutdown", "protect", "hold", "watch", "verify", "run", "guard", "report"


def listed(text, section):
    """The names that a section of the help lists."""
    lines = text.split(f"\n{section}:\n")[1].split("\n\n")[0].splitlines()
    return [re.search(r"--[a-z-]+|\S+", line)[0] for line in lines]


def options_of(text):
    return set(re.findall(r"^  (?:-.,|   ) (--[a-z-]+)", text, re.M))


def test_version(ew):
    done = ew("--version")
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(r"execwatch \d+\.\d+\.\d+\n", done.out)


@pytest.mark.parametrize("args", [[], *([verb] for verb in VERBS)])
def test_help(ew, args):
    done = ew(*args, "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"usage: execwatch {''.join(args) or 'VERB'} [options]")
    assert max(map(len, done.out.splitlines())) <= 100
    assert listed(done.out, "exit codes")[:1] == ["0"]
    for example in re.findall(r"^  execwatch (\w+)(.*)", done.out.split("example")[1], re.M):
        assert example[0] in (args or VERBS)
        assert ew(example[0], "--help", *shlex.split(example[1])).out == ew(example[0], "--help").out


def test_help_names_every_verb(ew):
    text = ew("--help").out
    assert re.findall(r"^  (\w+) ", text.split("more):\n")[1].split("\n\n")[0], re.M) == list(VERBS)


def test_help_of_a_verb_lists_the_options_it_takes(ew):
    of = {verb: options_of(ew(verb, "--help").out) for verb in VERBS}
    assert set.union(*of.values()) == options_of(ew("--help").out)
    assert of["report"] == {"--port", "--state-dir", "--replay", "--ignore", "--format", "--color", "--verbose",
                            "--help", "--version"}
    for verb in VERBS:
        for option in ["--all"], ["--pid", "1"], ["--select", "healthy"], ["--accept", "unknown"], ["--clean"]:
            refused = ew(verb, *option, *(["--", "true"] if verb == "run" else [])).err
            option = option[0]
            assert (option in of[verb]) != (f"{option} is for" in refused), (verb, option)


def test_help_lists_the_formats_that_are_taken(ew):
    formats = listed(ew("report", "--help").out, "formats")
    assert formats == ["table", "json", "jsonl", "nagios"]
    for name in formats:
        assert f"'{name}'" not in ew("report", "-f", name).err, name
        assert ew("audit", "-f", name).code == 3 and ew("audit", "-f", name).out, name
        assert ew("doctor", "-f", name).out, name
    assert listed(ew("watch", "--help").out, "formats") == ["table", "json", "jsonl"]


# ---- the work dir and what is in it ----

@pytest.fixture
def tree(node, tmp_path):
    """A copy of the agent's work dir, to be damaged."""
    return pathlib.Path(shutil.copytree(node.work_dir, tmp_path / "work", symlinks=True))


def meta(tree, name):
    """Files of that name in the tree."""
    found = [p for p in tree.rglob(name) if "meta" in p.parts]
    assert found, f"no {name} in {tree}"
    return found


def test_work_dir_that_does_not_exist(node, ew):
    done = ew("audit", "-w", "/no/such/dir")
    assert done.code == 3
    assert "/no/such/dir" in done.out and "No such file" in done.words and "--work-dir" in done.words
    assert set(each(ew.json("audit", "-w", "/no/such/dir"), node, "verdict").values()) == {"unknown"}


def test_work_dir_that_is_a_file(node, ew, tmp_path):
    (tmp_path / "file").write_text("no directory")
    done = ew("audit", "-w", tmp_path / "file")
    assert done.code == 3
    assert str(tmp_path / "file") in done.out.replace("\n    ", "")


def test_work_dir_that_is_empty(node, ew, tmp_path):
    (tmp_path / "empty").mkdir()
    done = ew("audit", "-w", tmp_path / "empty")
    assert done.code == 3
    assert "--work-dir" in done.words


def test_work_dir_full_of_foreign_files(node, ew, tree):
    """Whatever lies around between the checkpoints is not taken for one."""
    for directory in [p for p in tree.rglob("*") if p.is_dir() and not p.is_symlink()] + [tree]:
        (directory / "core.1234").write_bytes(os.urandom(1000))
        (directory / "lost+found").mkdir()
        (directory / "loop").symlink_to("loop")
        (directory / "up").symlink_to("..")
        os.mkfifo(directory / "pipe")
        (directory / "two\nlines \x1b[31m").touch()
        (directory / ("long" * 60)).touch()
        (directory / "null").symlink_to("/dev/zero")
    audit = ew("audit", "-w", tree, "-f", "json")
    assert audit.code == 1
    assert each(audit.json, node, "verdict") == {"task-0": "at-risk", "task-1": "healthy", "http": "healthy"}


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(random.Random(1).randbytes(4096)),
    "huge length": lambda path: path.write_bytes(b"\xff\xff\xff\x7f" + b"x" * 100),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-3]),
    "endless": lambda path: (path.unlink(), path.symlink_to("/dev/zero")),
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "a directory": lambda path: (path.unlink(), path.mkdir()),
    "a loop": lambda path: (path.unlink(), path.symlink_to(path.name)),
    "gone": lambda path: path.unlink(),
    "binary": lambda path: path.write_bytes(b"\0" * 100),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["libprocess.pid", "forked.pid", "executor.info", "framework.info",
                                  "task.info", "slave.info", "boot_id"])
def test_damaged_checkpoint(node, ew, tree, name, damage):
    """Never a crash and never a hang. An executor without a readable libprocess.pid or forked.pid is
    seen as not registered, and is not treated; without the other files the next agent does not take it
    back, and damage ends that agent's recovery."""
    alive = iter((1, os.getppid(), os.getpid()))
    for path in meta(tree, name):
        DAMAGES[damage](path)
        if name == "forked.pid" and damage == "cut":  # half of the digits may be nobody's number
            path.write_text(str(next(alive)))
    audit = ew("audit", "-w", tree, "-f", "json", timeout=20)
    verdicts = each(audit.json, node, "verdict")
    if name == "libprocess.pid" and damage != "cut":
        assert verdicts == {"task-0": "unregistered", "task-1": "unregistered", "http": "healthy"}
        assert audit.code == 2
        plan = ew("shutdown", "--dry-run", "--pid", node.executor("task-0").pid, "-w", tree, "-f", "json")
        assert [a["result"] for a in plan.json["acts"]] == ["refused"]
    elif name == "forked.pid" and damage == "cut":
        # another process's number: which one is the executor is not certain
        rows = [(e["verdict"], e["pid"]) for e in audit.json["executors"] if e["verdict"] != "foreign"]
        assert rows == [("unknown", None)] * 3
        assert audit.code == 3
    elif name == "forked.pid":
        assert verdicts == dict.fromkeys(("task-0", "task-1", "http"), "unregistered")
        assert audit.code == 2
    elif name == "libprocess.pid" or (name, damage) == ("boot_id", "gone"):
        assert verdicts == {"task-0": "at-risk", "task-1": "healthy", "http": "healthy"}
        assert audit.code == 1
    elif damage in ("endless", "a pipe", "a directory", "a loop"):
        assert verdicts == dict.fromkeys(("task-0", "task-1", "http"), "unknown")
        assert audit.code == 3
    else:
        assert verdicts == dict.fromkeys(("task-0", "task-1", "http"), "orphaned")
        assert audit.code == 2
        fails = "checkpoint-damaged" in [f["id"] for f in audit.json["findings"]]
        assert fails == (damage not in ("empty", "gone") and name != "boot_id")


# ---- the agent's API ----

@pytest.fixture
def mute(ew, other_port):
    """A node whose agent has just begun and does not tell of itself."""
    with contextlib.ExitStack() as stack:
        def up(api):
            ew.tool.port = other_port()
            main = agent(port=ew.tool.port, api=api)
            node = stack.enter_context(LabNode(main, executors(2, kind="v0-old"), conntrack=True))
            node.forget("task-0")
            return node
        yield up


@pytest.mark.parametrize("api, said", [("auth", "the agent refused to answer (HTTP 401)"),
                                       ("garbage", "the answer is no HTTP"), ("hang", "no answer in time")])
def test_api_that_is_of_no_use(mute, ew, api, said):
    """What it did is said. While it may still be recovering, nothing is safe and nothing is touched."""
    node = mute(api)
    audit = ew("audit", "-f", "json")
    assert audit.code == 3
    assert set(each(audit.json, node, "verdict").values()) == {"unknown"}
    assert audit.json["agent"]["api"].startswith(said)


def test_audit_does_without_the_api(mute, ew):
    node = mute("auth")
    ew.wait_judged(node)
    audit = ew("audit", "-f", "json")
    assert audit.code == 1
    assert each(audit.json, node, "verdict") == {"task-0": "at-risk", "task-1": "healthy"}


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://", "gopher://localhost", "", "http://[::1",
                                 "http://no.such.host.invalid:5051", "http://127.0.0.1:99999"])
def test_agent_url(node, ew, url):
    """An API that cannot be asked is named, and the links are judged without it."""
    ew.wait_judged(node, "--agent-url", url)
    done = ew("audit", "--agent-url", url, timeout=30)
    assert done.code == 1
    assert url in done.out.replace("\n    ", "").replace("\n  ", "") + done.err


@pytest.mark.parametrize("content", [None, b"", b"\0\xff", b"x" * 1000000],
                         ids=["missing", "empty", "binary", "huge"])
def test_credential_file(node, ew, tmp_path, content):
    path = tmp_path / "credential"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)
    done = ew("audit", "--credential-file", path)
    assert done.code == 3
    assert f"'{path}'" in done.err
    assert done.out == ""


def test_credentials_that_all_may_read(node, ew, tmp_path):
    path = tmp_path / "credential"
    path.write_text("user:secret")
    path.chmod(0o644)
    done = ew("audit", "--credential-file", path)
    assert done.code == 3
    assert f"'{path}'" in done.err and "chmod" in done.err
    assert "secret" not in done.err


# ---- baselines ----

@pytest.mark.parametrize("content, words", [
    (None, ["No such file", "execwatch audit"]),
    (b"", ["execwatch audit"]),
    (b"{", ["line 1", "execwatch audit"]),
    (b"[]", ["execwatch.audit"]),
    (b"{\"schema\":\"execwatch.audit/2\",\"executors\":[]}", ["version"]),
    (b"{\"schema\":\"execwatch.run/1\",\"executors\":[]}", ["execwatch.audit"]),
    (b"{\"schema\":\"execwatch.audit/1\",\"executors\":[{\"pid\":\"x\"}]}", ["execwatch audit"]),
    (b"{\"schema\":\"execwatch.audit/1\",\"boot_id\":\"another\",\"executors\":[]}", ["another boot"]),
    (b"\xff" * 1000, ["execwatch audit"]),
    (b"[" * 100000, ["execwatch audit"]),
])
def test_baseline(node, ew, tmp_path, content, words):
    path = tmp_path / "baseline.json"
    if content is not None:
        path.write_bytes(content)
    done = ew("verify", "--baseline", path, "--until", "1s")
    assert done.code == 3
    assert done.out == ""
    assert [w for w in [str(path), *words] if w not in done.err] == []


def test_baseline_that_is_a_directory(node, ew, tmp_path):
    done = ew("verify", "--baseline", tmp_path)
    assert done.code == 3 and str(tmp_path) in done.err


# ---- recordings ----

@pytest.fixture(scope="module")
def recorded(node, port, tmp_path_factory):
    """The bytes of a recording."""
    tool = Execwatch(port, tmp_path_factory.mktemp("recorded"))
    assert tool("audit", "--record", tool.state_dir.parent / "whole").code == 1
    return (tool.state_dir.parent / "whole").read_bytes()


@pytest.mark.parametrize("i", range(12))
def test_recording_with_a_broken_byte(recorded, ew, tmp_path, i):
    """Nothing is concluded from it; the line is named. (No such byte may be in JSON.)"""
    chance = random.Random(i)
    # within a character of several bytes 128 may be in place
    place = chance.choice([p for p, byte in enumerate(recorded) if byte < 128])
    path = tmp_path / "bent"
    path.write_bytes(recorded[:place] + bytes([chance.choice([0, 7, 27, 128, 192, 255])]) + recorded[place + 1:])
    done = ew("audit", "--replay", path)
    assert done.code == 3 and done.out == ""
    assert f"'{path}'" in done.err and f"line {recorded[:place].count(10) + 1}" in done.err


@pytest.mark.parametrize("i", range(12))
def test_recording_cut_within_a_line(recorded, ew, tmp_path, i):
    """What is there is judged. The end of the scan is missing, so nothing is known for certain."""
    lines = recorded.splitlines(keepends=True)
    n = 2 + i * (len(lines) - 4) // 11  # from the third line to the last of the scan
    path = tmp_path / "cut"
    path.write_bytes(b"".join(lines[:n]) + lines[n][:len(lines[n]) // 2])
    done = ew("audit", "--replay", path)
    assert done.code == 3
    assert f"'{path}' ends in the middle of a line" in done.err


@pytest.mark.parametrize("i", range(6))
def test_recording_cut_between_lines(recorded, ew, tmp_path, i):
    lines = recorded.splitlines(keepends=True)
    path = tmp_path / "cut"
    path.write_bytes(b"".join(lines[:2 + i * (len(lines) - 4) // 5]))
    assert ew("audit", "--replay", path).code == 3


def test_recording_cut_after_the_scan(recorded, ew, tmp_path):
    """What a recording without its end lacks is not known, even if that is only the last line."""
    lines = recorded.splitlines(keepends=True)
    assert [json.loads(line)["type"] for line in lines[-2:]] == ["now", "recording-end"]
    path = tmp_path / "cut"
    for part in b"".join(lines[:-1]), b"".join(lines[:-1]) + lines[-1][:9]:
        path.write_bytes(part)
        assert ew("audit", "--replay", path).code == 3


# ---- places that cannot be written ----

def test_state_dir_that_is_a_file(node, ew):
    """An audit needs no place to write; the baseline that could not be saved is mentioned."""
    ew.state_dir.write_text("file")
    done = ew("audit")
    assert done.code == 1
    assert str(ew.state_dir) in done.err and "--state-dir" in done.err
    assert ew.state_dir.read_text() == "file"


def test_run_dir_that_is_a_file(node, ew):
    ew.run_dir.write_text("file")
    done = ew("shutdown", "--yes", "--select", "half-open")
    assert done.code == 3
    assert str(ew.run_dir) in done.err and "--run-dir" in done.err


def test_baseline_that_cannot_be_saved(node, ew, tmp_path):
    (tmp_path / "file").touch()
    done = ew("audit", "--baseline", tmp_path / "file" / "baseline.json")
    assert done.code == 3
    assert str(tmp_path / "file") in done.err
    nothing_half_written(ew)


def test_baseline_in_a_directory_that_does_not_exist(node, ew, tmp_path):
    done = ew("audit", "--baseline", tmp_path / "no" / "such" / "baseline.json")
    assert done.code == 3
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("format", ["table", "json"])
def test_output_that_cannot_be_written(node, ew, format):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(ew.argv("audit", "-f", format), stdin=subprocess.DEVNULL, stdout=full,
                              stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 3
    assert b"standard output: No space left on device" in done.stderr


@pytest.mark.parametrize("args", [
    ["shutdown", "--dry-run"],
    ["run", "--dry-run", "--", "true"],
    ["run", "--dry-run", "--treat", "guard", "--", "true"],
])
def test_plan_that_cannot_be_written(node, ew, args):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(ew.argv(*args), stdin=subprocess.DEVNULL, stdout=full,
                              stderr=subprocess.PIPE, timeout=60, check=False)
    assert done.returncode == 3
    assert b"No space left on device" in done.stderr


def test_pid_of_a_namespace_that_is_no_pid(node, ew):
    """A number that is 1 in 32 bits is not process 1."""
    done = ew("audit", "--netns", str(2**32 + 1))
    assert done.code == 3
    assert f"open the network namespace '{2**32 + 1}'" in done.err


def test_reader_that_goes_away(node, ew):
    """`execwatch audit | head -0` ends with a message, not with a signal."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(ew.argv("audit"), stdin=subprocess.DEVNULL, stdout=write,
                          stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(write)
    assert done.returncode == 3
    assert b"Broken pipe" in done.stderr


# ---- not root ----

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]


@pytest.fixture
def as_nobody(ew, open_dir):
    """The same tool where another user can run it."""
    tool = Execwatch(ew.port, open_dir, shutil.copy(ew.binary, open_dir / "execwatch"))
    return lambda *args: Sane(tool)(*args, prefix=NOBODY)


def test_audit_of_an_ordinary_user(node, as_nobody):
    """Nothing can be known, and it does not look as if all were well."""
    done = as_nobody("audit")
    assert done.code == 3
    assert "run as root" in done.words + done.err
    assert "safe" not in done.words


def test_audit_of_an_ordinary_user_claims_nothing(node, as_nobody):
    done = as_nobody("audit")
    assert "no agent listens" not in done.words and "none listens" not in done.words


@pytest.mark.parametrize("verb", ["shutdown", "run", "protect", "hold"])
def test_acting_of_an_ordinary_user(node, as_nobody, open_dir, verb):
    open_dir.chmod(0o777)
    before = node.executors()
    done = as_nobody(verb, "--yes", *(["--", "touch", open_dir / "never"] if verb == "run" else []))
    assert done.code == 3
    assert "run as root" in done.err
    assert not (open_dir / "never").exists()
    assert [e.phase for e in node.executors()] == [e.phase for e in before]

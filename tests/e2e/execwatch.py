# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The tool as a user runs it: in a pipe, in the background, or on a terminal."""

import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import time

from labnode import LabNode

TOP = pathlib.Path(__file__).resolve().parents[2]
EXECWATCH = os.environ.get("EXECWATCH", str(TOP / "build" / "execwatch"))
SANITIZED = os.environ.get("EXECWATCH_SAN", str(TOP / "build" / "san" / "execwatch"))
PATIENCE = 40


def tries(few, many):
    """How often what comes at a random moment is tried: many times in `make check-all`."""
    return many if os.environ.get("EXECWATCH_TRIES") == "all" else few


def by_id(document, node):
    """The node's executors in a document, by their id. Other nodes on the machine have executors
    too, which are `foreign` to this one's agent."""
    own = {e.pid for e in node.executors()}
    return {e["executor_id"]: e for e in document["executors"] if e["pid"] in own}


def each(document, node, field):
    """{executor id: its verdict, outcome, ...}"""
    return {id: e[field] for id, e in by_id(document, node).items()}


class Result:
    """What one run said and how it ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit code {self.code}\n--- stdout\n{self.out[-3000:]}\n--- stderr\n{self.err[-3000:]}"

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def words(self):
        """The output with line breaks made blanks: sentences are wrapped to the terminal."""
        return " ".join(self.out.split())


class Background:
    """A run that goes on while the test does something else."""

    def __init__(self, argv, **kw):
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kw)
        os.set_blocking(self.process.stderr.fileno(), False)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.out = self.err = b""

    def _read(self):
        for name in ("out", "err"):
            pipe = getattr(self.process, "std" + name)
            while not pipe.closed and (chunk := pipe.read(1 << 16)):
                setattr(self, name, getattr(self, name) + chunk)

    def wait_for(self, pattern, seconds=PATIENCE):
        """Until the pattern is in what it printed, on either stream."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern.encode(), self.out + self.err):
            assert time.monotonic() < deadline, f"no {pattern!r} in {self.out!r} {self.err!r}"
            assert self.process.poll() is None or self._ended_with(pattern), \
                f"it ended with {self.process.returncode} before {pattern!r}: {self.out!r} {self.err!r}"
            pipes = [self.process.stdout, self.process.stderr]
            select.select(pipes, [], [], 0.05)
            self._read()
        return self

    def _ended_with(self, pattern):
        self._read()
        return re.search(pattern.encode(), self.out + self.err)

    def children(self):
        pid = self.process.pid
        return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()

    def catches(self, sig):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16) >> (sig - 1) & 1

    def interrupt(self, sig=signal.SIGINT):
        self.process.send_signal(sig)
        return self

    def result(self, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end: {self.out!r} {self.err!r}"
            select.select([self.process.stdout, self.process.stderr], [], [], 0.05)
            self._read()
        self._read()
        return Result(self.process.returncode, self.out.decode(errors="surrogateescape"),
                      self.err.decode(errors="surrogateescape"))

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


class Terminal:
    """A run on a terminal of its own (80 columns); what it shows is read as text."""

    def __init__(self, argv, columns=80, rows=24, env=None):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(env or {})
            os.execv(argv[0], argv)
        import fcntl
        import struct
        import termios
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.text = ""
        self.code = None

    def read_until(self, pattern, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, f"no {pattern!r} on the terminal: {self.text!r}"
            assert self._read(0.1) or re.search(pattern, self.text), \
                f"it ended before {pattern!r}: {self.text!r}"
        return self

    def _read(self, seconds):
        """False when nothing more will come."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            chunk = os.read(self.fd, 1 << 16)
        except OSError:  # EIO: nobody has the terminal open any more
            return False
        self.text += chunk.decode(errors="replace")
        return bool(chunk)

    def type(self, text):
        os.write(self.fd, text.encode())
        return self

    def wait(self, seconds=PATIENCE):
        """Its exit code."""
        deadline = time.monotonic() + seconds
        while self._read(0.1):
            assert time.monotonic() < deadline, f"it does not end: {self.text!r}"
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def end(self):
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


class Execwatch:
    """execwatch with directories and an agent port of its own.

        ew = Execwatch(port, tmp_path)
        assert ew("audit").code == 0
        assert ew.json("audit")["exit_code"] == 0
    """

    def __init__(self, port, dir, binary=EXECWATCH):
        self.port, self.binary = port, binary
        self.enters = True  # names the network namespace of the lab node with that port
        self.state_dir = pathlib.Path(dir, "state")
        self.run_dir = pathlib.Path(dir, "run")
        self.running = []

    def argv(self, *args):
        node = LabNode.with_port(self.port)
        netns = ["--netns", str(node.netns)] if node and self.enters else []
        return [self.binary, "-p", str(self.port), *netns, "--state-dir", str(self.state_dir),
                "--run-dir", str(self.run_dir), *map(os.fspath, map(_word, args))]

    def __call__(self, *args, prefix=(), **kw):
        kw.setdefault("timeout", PATIENCE)
        kw.setdefault("stdin", subprocess.DEVNULL)
        done = subprocess.run([*prefix, *self.argv(*args)], capture_output=True, check=False, **kw)
        return Result(done.returncode, done.stdout.decode(errors="surrogateescape"),
                      done.stderr.decode(errors="surrogateescape"))

    def wait_judged(self, node, *args):
        """An agent that has just begun and tells nothing of itself may be recovering: until it cannot be any more."""
        node.wait_until(lambda: self("audit", *args).code != 3, seconds=60, what="an audit that knows")

    def json(self, verb, *args, code=None, **kw):
        """The document of a verb; `code` is the exit code that is expected."""
        done = self(verb, "-f", "json", *args, **kw)
        assert code is None or done.code == code, done
        document = done.json
        assert document["exit_code"] == done.code, done
        return document

    def start(self, *args, prefix=(), **kw):
        self.running.append(Background([*prefix, *self.argv(*args)], **kw))
        return self.running[-1]

    def terminal(self, *args, **kw):
        self.running.append(Terminal(self.argv(*args), **kw))
        return self.running[-1]

    def audit_log(self):
        path = self.state_dir / "audit.log"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def close(self):
        for run in self.running:
            run.end()
        if list(self.run_dir.glob("bpf-*")):
            self("doctor", "--clean")  # what a watch that was killed, or kept, has left in the kernel


def _word(arg):
    return arg if isinstance(arg, (str, bytes, os.PathLike)) else str(arg)

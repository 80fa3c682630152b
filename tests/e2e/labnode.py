# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A lab node for tests: an agent and its executors in a network namespace of their own.

    with LabNode(executors(3, kind="v0-old"), conntrack=True) as node:
        node.forget("all")
        node.restart_agent()
        node.wait_recovered()
        assert not node.executor("task-0").alive

Executors are given as spec lines made by executor() and executors(); tests/lab/README.md
lists their words. A selector is "all", an executor id, "group:G", "kind:K" or "pid:N", or
several of them in a list. Everything dies with the node, also when the test is killed.
"""

import json
import os
import pathlib
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse

TOP = pathlib.Path(__file__).resolve().parents[2]
LAB = os.environ.get("EXECWATCH_LAB", str(TOP / "build" / "execwatch-lab"))
UP_SECONDS = 120
# For LabNode: "500ms" makes tests faster that restart agents. Not with v1 executors: one that is
# answered 503 while the agent starts asks again after a second, and has been killed by then.
REREGISTRATION_TIMEOUT = os.environ.get("EXECWATCH_LAB_REREGISTRATION_TIMEOUT")
# 1,000 executors have some 20,000 files: best where no disk is.
FILES = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else "/tmp"


class LabError(Exception):
    """The lab could not do what it was asked to."""


def encode(text):
    """Percent-encodes a word of a spec or selector; str or bytes (any but NUL and '/')."""
    return urllib.parse.quote(os.fsencode(text), safe="._-:@()")


def words(**kw):
    """key=value words; '_' in a key stands for '-'."""
    return " ".join(f"{k.replace('_', '-')}={encode(str(v)) if not isinstance(v, bytes) else encode(v)}"
                    for k, v in kw.items())


def executor(id, **kw):
    """One executor, e.g. executor("web", kind="v1", as_="containerizer")."""
    return "executor " + words(id=id, **_plain(kw))


def executors(count, **kw):
    """count executors task-0, task-1, ... (prefix="..." for another name)."""
    return "executors " + words(count=count, **_plain(kw))


def agent(**kw):
    """Flags of the node's agent, or (name="...", port=...) one more agent."""
    return "agent " + words(**kw)


def connection(kind, name="telegraf", **kw):
    """A connection to the agent's port that is no executor's: master, monitor or idle."""
    return "connection " + words(kind=kind, name=name, **kw)


def port_rules(ip, advertised, real):
    """Rules for LabNode(rules=...): what is sent to the agent's advertised port reaches the real
    one (DNAT), from the node itself and from executors with ns="net"."""
    rule = f"ip daddr {ip} tcp dport {advertised} dnat to {ip}:{real};"
    return f"""table ip lab_dnat {{
        chain out {{ type nat hook output priority -100; {rule} }}
        chain in {{ type nat hook prerouting priority -100; {rule} }}
    }}"""


def _with_timeout(lines, timeout):
    word = words(reregistration_timeout=timeout)
    first = ["agent " + word]   # of the agent that is always there
    return first + [f"{line} {word}" if line.split()[0] == "agent"
                    and not re.search(r"\breregistration[-_]timeout=", line) else line
                    for line in lines]


def _plain(kw):
    return {k.rstrip("_"): v for k, v in kw.items()}


def _fields(data):
    """(number, value) of a protobuf message; length-delimited values are bytes."""
    def varint(at):
        value = shift = 0
        while True:
            value |= (data[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if not data[at - 1] & 0x80:
                return value, at
    at = 0
    while at < len(data):
        key, at = varint(at)
        if key & 7 == 0:
            value, at = varint(at)
        else:
            size, at = (8, at) if key & 7 == 1 else varint(at)
            value, at = data[at:at + size], at + size
        yield key >> 3, value


TASK_STATES = ("TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED", "TASK_FAILED", "TASK_KILLED",
               "TASK_LOST", "TASK_STAGING")


def _records(data):
    while data:
        size = int.from_bytes(data[:4], "little")
        yield data[4:4 + size]
        data = data[4 + size:]


def _record(data):
    """A StatusUpdateRecord { 1: type, 2: StatusUpdate { 4: TaskStatus } }."""
    record = dict(_fields(data))
    if record[1] == 1:
        return ("ACK", None, None)
    status = dict(_fields(dict(_fields(record[2]))[4]))
    return ("UPDATE", TASK_STATES[status[2]], status.get(4, b"").decode())


class Executor:
    """One executor as `status` tells of it; every member of its JSON is an attribute."""

    def __init__(self, fields):
        self.fields = fields

    def __getattr__(self, name):
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(name) from None

    def __repr__(self):
        return f"<Executor {self.executor_id!r} pid {self.fields.get('pid')} {self.fields.get('phase')}>"

    @property
    def link(self):
        """Its (first) link: a dict of fd, inode, local, remote; None without one."""
        return self.links[0] if self.links else None


class LabNode:
    """A running node. Use it as a context manager, or call up() and down()."""

    running = []  # in the order in which they came up

    def __init__(self, *lines, conntrack=False, ip="127.0.0.1", dir=None, keep=False,
                 up_seconds=UP_SECONDS, reregistration_timeout=REREGISTRATION_TIMEOUT, rules=""):
        """lines: what executor(), executors(), agent() and connection() return.

        conntrack: the failure's firewall is on before anybody connects.
        up_seconds: how long it may take to come up; thousands of executors need minutes.
        dir: where the node keeps its files (a new one in FILES, removed at the end).
        rules: of nft, loaded in the node before anybody connects.
        reregistration_timeout: of agents whose lines give none; None: as Mesos, 2secs.
        """
        if rules:
            lines = ["node " + words(rules=rules), *lines]
        if reregistration_timeout:
            lines = _with_timeout(lines, reregistration_timeout)
        node = words(ip=ip, conntrack="on" if conntrack else "off")
        self.spec = "\n".join(["node " + node, *lines]) + "\n"
        self.keep = keep or dir is not None
        self.up_seconds = up_seconds
        self.dir = str(dir) if dir else None
        self.process = None
        self.initial = None

    # -- life ----------------------------------------------------------------------------

    def up(self):
        """Starts it and waits until all executors are where the spec wants them."""
        if not self.dir:
            self.dir = tempfile.mkdtemp(prefix="ewlab-", dir=FILES)
        spec = os.path.join(self.dir, "spec")
        with open(spec, "w", encoding="ascii") as f:
            f.write(self.spec)
        self.log = open(os.path.join(self.dir, "up.log"), "wb")
        self.process = subprocess.Popen(
            [LAB, "up", "--dir", self.dir, "--spec", spec],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        line = self._read_line(self.up_seconds)
        if not line:
            text = self._diagnosis()
            self.down()
            raise LabError(f"the node did not come up: {text}")
        self.initial = json.loads(line)
        LabNode.running.append(self)
        return self

    def down(self):
        """Ends it, and everything in it."""
        if self in LabNode.running:
            LabNode.running.remove(self)
        if self.process:
            self.process.stdin.close()
            self.process.wait(timeout=self.up_seconds)
            self.process.stdout.close()
            self.process = None
            self.log.close()
        if self.dir and not self.keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    __enter__ = up

    def __exit__(self, *exc):
        self.down()

    def _read_line(self, seconds):
        data, deadline = b"", time.monotonic() + seconds
        fd = self.process.stdout.fileno()
        while not data.endswith(b"\n"):
            if not select.select([fd], [], [], max(0, deadline - time.monotonic()))[0]:
                return None
            chunk = os.read(fd, 1 << 20)
            if not chunk:
                return None
            data += chunk
        return data

    def _diagnosis(self):
        text = pathlib.Path(self.dir, "up.log").read_text(errors="replace")
        for log in sorted(pathlib.Path(self.dir, "agents").glob("*.log")):
            text += log.read_text(errors="replace")[-2000:]
        return text

    @staticmethod
    def with_port(port):
        """The node that came up first, of those with an agent on this port; None without one."""
        for node in LabNode.running:
            if f"port={port}" in node.spec.split():
                return node
        return None

    @property
    def netns(self):
        """A process in its network namespace: for --netns."""
        return self.initial["ns_pid"]

    # -- commands ------------------------------------------------------------------------

    def command(self, *args):
        """argv of a lab command on this node: for `execwatch run -- ...`."""
        return [LAB, "ctl", self.dir, *map(str, args)]

    def ctl(self, *args):
        """Runs it; returns its answer (a dict); LabError if it could not be done."""
        done = subprocess.run(self.command(*args), capture_output=True, timeout=150, check=False)
        if done.returncode:
            raise LabError((done.stdout or done.stderr).decode(errors="replace").strip())
        return json.loads(done.stdout)

    @staticmethod
    def select(selector):
        """Encodes "all", "group:x", an id..., or a list of them."""
        terms = selector if isinstance(selector, (list, tuple)) else [selector]
        return ",".join(encode(t) for t in terms)

    def status(self):
        return self.ctl("status")

    def executors(self):
        return [Executor(e) for e in self.status()["executors"]]

    def executor(self, executor_id):
        wanted = os.fsencode(executor_id)
        for e in self.executors():
            if os.fsencode(e.executor_id) == wanted:
                return e
        raise KeyError(executor_id)

    def phases(self, ids):
        """Where these executors (a list of ids, or "all") say they are, as a set."""
        return {e.phase for e in self.executors() if ids == "all" or e.executor_id in ids}

    def restart_agent(self, down=0.2, signal="KILL", agent="main"):
        """Returns the new agent's pid once it listens."""
        return self.ctl(*self.restart_args(down, signal, agent))["pid"]

    @staticmethod
    def restart_args(down=0.2, signal="KILL", agent="main"):
        return ("restart-agent", "--down", down, "--signal", signal, "--agent", agent)

    def stop_agent(self, signal="KILL", agent="main"):
        self.ctl("stop-agent", "--signal", signal, "--agent", agent)

    def start_agent(self, agent="main", hold=False, recover="reconnect"):
        """hold: it answers no re-registration until it is released.

        recover="cleanup": it tells all executors to shut down, and exits when they have.
        """
        return self.ctl("start-agent", "--agent", agent, "--hold", "yes" if hold else "no",
                        "--recover", recover)["pid"]

    def release(self, agent="main"):
        self.ctl("release", "--agent", agent)

    def wait_recovered(self, agent="main"):
        """Until the agent's recovery is over: who had not come back has been killed."""
        self.ctl("wait", "recovered", "--agent", agent)

    def wait_registered(self):
        """Until every executor that is left is registered and connected."""
        self.ctl("wait", "registered")

    def conntrack(self, on):
        """The failure's firewall. Links that exist when it is switched on have no entry."""
        self.ctl("conntrack", "on" if on else "off")

    def forget(self, selector, link=-1, zone=0):
        """Connection tracking forgets the links of these executors.

        link: of a v1 executor's two only that one; 0 is the one that carries events.
        zone: the zone of connection tracking that has their entries.
        """
        self.ctl("forget", self.select(selector), "--link", link, "--zone", zone)

    def half_open(self, selector, link=-1):
        """The agent's end of their links vanishes without a FIN."""
        self.ctl("half-open", self.select(selector), "--link", link)

    def disconnect(self, selector, link=-1):
        """The agent closes its end of their links."""
        self.ctl("disconnect", self.select(selector), "--link", link)

    def stop(self, selector):
        """SIGSTOP. Returns once all their threads are stopped."""
        self.kill(selector, signal="STOP")

    def cont(self, selector):
        self.kill(selector, signal="CONT")

    def trace(self, selector, stop=False):
        """Traces all their threads, from one process for each executor, whose pids it returns; it ends
        with that process. The threads run on, as under strace; stop: they are stopped."""
        return self.ctl("trace", self.select(selector), "--stop", "yes" if stop else "no")["pids"]

    def freeze(self, selector, cgroup=1):
        """They stand still in a cgroup of their own: of the freezer (1) or of cgroup2 (2). It
        ends with the node or by thaw(); a node whose supervisor is killed leaves those of 1."""
        self.ctl("freeze", self.select(selector), "--cgroup", cgroup)

    def thaw(self, selector):
        self.ctl("thaw", self.select(selector))

    # -- the node's network ------------------------------------------------------------------

    def nft(self, rules):
        """Loads rules in the node's namespace; LabError with nft's words."""
        done = self.run("nft", "-f", "-", input=rules, text=True, capture_output=True)
        if done.returncode:
            raise LabError(done.stderr.strip())

    def ruleset(self):
        """What `nft list ruleset` says."""
        return self.run("nft", "list", "ruleset", text=True, capture_output=True).stdout

    def sysctl(self, name, value):
        self.run("sysctl", "-qw", f"{name}={value}", check=True)

    def established_timeout(self, seconds):
        """How long connection tracking keeps an idle connection; of packets from now on."""
        self.sysctl("net.netfilter.nf_conntrack_tcp_timeout_established", seconds)

    def entries(self):
        """Lines of `conntrack -L` in the node."""
        done = self.run("conntrack", "-L", "-p", "tcp", text=True, capture_output=True)
        return done.stdout.splitlines()

    def expire_in(self, selector, seconds, zone=0):
        """The entries of their links have so many seconds left."""
        self.ctl("expire", self.select(selector), "--seconds", seconds, "--zone", zone)

    def zone(self, number):
        """Loopback traffic is tracked in that zone; of connections from now on."""
        self.nft(f"""table inet lab_zone {{
            chain out {{ type filter hook output priority -300; oifname "lo" ct zone set {number}; }}
            chain in {{ type filter hook prerouting priority -300; iifname "lo" ct zone set {number}; }}
        }}""")

    def translate_source(self, to, port="5051"):
        """Connections from the node to that port get that address and other ports (SNAT); of
        connections from now on. The agent sees another peer than the executor has."""
        self.nft(f"""table ip lab_snat {{
            chain out {{ type nat hook postrouting priority 100;
                tcp dport {port} snat to {to}:20000-30000 fully-random; }}
            chain in {{ type nat hook input priority 100;
                ip saddr 172.30.0.0/16 tcp dport {port} snat to {to}:20000-30000 fully-random; }}
        }}""")

    # -- checkpoints -------------------------------------------------------------------------

    def meta(self, *parts, agent="main"):
        """A path below the agent's meta directory."""
        return pathlib.Path(self.dir, "work", agent, "meta", *parts)

    def other_boot(self, agent="main"):
        """The checkpoints are of another boot; the agent that starts next recovers no executor."""
        self.meta("boot_id", agent=agent).write_text("00000000-0000-4000-8000-000000000000")

    @staticmethod
    def dangle(link):
        """A symbolic link that leads nowhere any more, e.g. meta("slaves", "latest")."""
        link = pathlib.Path(link)
        link.unlink()
        link.symlink_to(link.parent / "gone")

    @staticmethod
    def make_unreadable(path):
        """A file that is there and cannot be read, also not by root: too many links."""
        path = pathlib.Path(path)
        path.unlink()
        path.symlink_to(path)

    def finish(self, selector, code=0):
        """Their tasks end by themselves, with this exit status; the executors exit 0.

        By a signal: kill(selector, signal=..., what="task_pid").
        """
        self.ctl("finish", self.select(selector), "--code", code)

    def kill_task(self, selector):
        """Their frameworks kill the tasks: KillTaskMessage or KILL event, then TASK_KILLED."""
        self.ctl("kill-task", self.select(selector))

    def teardown(self, selector):
        """Their frameworks are torn down: the agent tells all their executors to shut down."""
        self.ctl("teardown", self.select(selector))

    def remove_agent(self, agent="main"):
        """The master tells the agent that it was removed: it shuts all executors down, removes
        meta/slaves/latest and exits. Returns once it has. (SIGUSR1 to it: stop_agent("USR1").)"""
        self.ctl("remove-agent", "--agent", agent)

    def api(self, kind, agent="main"):
        """How its API answers from now on: ok, empty (access rules hide all executors), auth (401),
        forbidden (403), garbage, hang, reset, slow, endless."""
        self.ctl("agent-api", kind, "--agent", agent)

    def listen(self, on, agent="main"):
        """Whether its port is open; connections that are there stay."""
        self.ctl("agent-listen", "on" if on else "off", "--agent", agent)

    def set_state(self, state, agent="main"):
        """What /state answers from now on: anything that JSON can say, or None for the truth."""
        path = pathlib.Path(self.dir, "agents", agent + ".state.json")
        if state is None:
            path.unlink()
        else:
            new = path.with_suffix(".new")
            new.write_text(json.dumps(state))
            new.rename(path)

    def impostors(self, selector, count=1, uid=65534, comm="mesos-executor", connect=False):
        """Starts processes of another user, each with a copy of the environment of the selected
        executor; connected to its agent's port, or not. Returns their pids."""
        return self.ctl("impostors", self.select(selector), "--count", count, "--uid", uid,
                        "--comm", comm, "--connect", "yes" if connect else "no")["pids"]

    def forge_message(self, selector, agent, name="ExecutorReregisteredMessage"):
        """Another agent sends these executors a message that is not its to send: that name,
        ReconnectExecutorMessage or ShutdownExecutorMessage."""
        self.ctl("forge-message", self.select(selector), "--name", name, "--agent", agent)

    def launch(self, id, kind="v0-old", agent="main"):
        """The agent starts one more executor, which `status` does not list."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(f"{self.dir}/agents/{agent}.sock")
            s.sendall(f"launch id={id} container_id=late-{id} kind={kind}\n".encode())
            s.recv(100)

    def forget_agent_id(self, agent="main", meta=False):
        """Removes meta/slaves/latest, or all of meta: the next agent takes a new id."""
        path = os.path.join(self.dir, "work", agent, "meta")
        if meta:
            shutil.rmtree(path)
        else:
            os.unlink(os.path.join(path, "slaves", "latest"))

    def kill(self, selector, comm="oom-helper", signal="KILL", what="pid"):
        """A process of that name signals them; returns its pids."""
        return self.ctl("kill", self.select(selector), "--comm", comm, "--signal", signal,
                        "--what", what)["killers"]

    # -- looking at it -------------------------------------------------------------------

    @property
    def agent_pid(self):
        return self.status()["agent"]["pid"]

    @property
    def work_dir(self):
        return self.initial["agent"]["work_dir"]

    def inside(self, *argv):
        """argv that runs in the node's network namespace."""
        return ["nsenter", "-t", str(self.initial["ns_pid"]), "-n", "--", *map(str, argv)]

    def run(self, *argv, **kw):
        """subprocess.run() in the node's network namespace."""
        kw.setdefault("timeout", 120)
        kw.setdefault("check", False)
        return subprocess.run(self.inside(*argv), **kw)

    def popen(self, *argv, **kw):
        return subprocess.Popen(self.inside(*argv), **kw)

    def stderr_of(self, executor):
        """What the executor wrote to the stderr of its sandbox."""
        return pathlib.Path(self.sandbox(executor), "stderr").read_text(errors="replace")

    def sandbox(self, executor):
        fid = os.fsencode(executor.framework_id)
        sid = fid.rsplit(b"-", 1)[0] + b"-S0"
        return os.fsdecode(b"/".join([
            os.fsencode(self.dir), b"work", os.fsencode(executor.agent), b"slaves", sid,
            b"frameworks", fid, b"executors", os.fsencode(executor.executor_id), b"runs",
            os.fsencode(executor.container_id)]))

    def run_dir(self, executor):
        """meta/.../runs/CONTAINER of its checkpoints."""
        return self.sandbox(executor).replace("/slaves/", "/meta/slaves/", 1)

    def checkpoint(self, executor, name):
        """The path of a checkpoint by its name: "slave.info", "framework.pid", "executor.info", "boot_id",
        "resources.info", or one of its latest run: "pids/forked.pid", "task.info", "task.updates"."""
        run = pathlib.Path(self.run_dir(executor))
        levels = {"executor.info": run.parents[1], "framework.info": run.parents[3], "framework.pid": run.parents[3],
                  "slave.info": run.parents[5], "boot_id": run.parents[7],
                  "resources.info": run.parents[7] / "resources"}
        if name.startswith("task."):
            return next((run / "tasks").iterdir()) / name
        return levels.get(name, run) / name

    def task_updates(self, executor):
        """What task.updates has: ("UPDATE", state, message) and ("ACK", None, None), in order."""
        path = pathlib.Path(self.run_dir(executor), "tasks", executor.executor_id, "task.updates")
        return [_record(r) for r in _records(path.read_bytes())]

    def http(self, path, agent="main", body=None):
        """One request to the agent from within the node: its JSON; LabError without an answer."""
        words = ["curl", "-s", "-f", "-m", "10"]
        if body is not None:
            words += ["-d", json.dumps(body), "-H", "Content-Type: application/json"]
        a = self._agent(agent)
        host = f"[{a['ip']}]" if ":" in a["ip"] else a["ip"]
        done = self.run(*words, f"http://{host}:{a['port']}{path}", capture_output=True)
        if done.returncode:
            raise LabError(f"curl {path} exited with {done.returncode}")
        return json.loads(done.stdout)

    def state(self, agent="main"):
        return self.http("/state", agent)

    def call(self, type, agent="main"):
        """An operator call, e.g. "GET_TASKS": its answer without the envelope."""
        return self.http("/api/v1", agent, {"type": type})[type.lower()]

    def _agent(self, name):
        return next(a for a in self.status()["agents"] if a["name"] == name)

    def agent_log(self, agent="main"):
        return pathlib.Path(self.dir, "agents", agent + ".log").read_text(errors="replace")

    def wait_until(self, condition, seconds=30, what="the condition"):
        """Looks every 20 ms; AssertionError after `seconds`."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not come about in {seconds} s"
            time.sleep(0.02)

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Scenarios of the catalogue: what one file says, and how it is run in a node of its own.

tests/e2e/catalogue/README.md describes the files.
"""

import collections
import dataclasses
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import tomllib

import event_loop
from connections import wait_quiet
from dead_file_system import dead_at
from execwatch import Background, Execwatch
from labnode import LabNode, agent, executors, words
from servers import Holder, Server

DIRECTORY = pathlib.Path(__file__).parent / "catalogue"
RULES = DIRECTORY / "rules.toml"
STARTED = "catalogue: the command has started"
VERBS = ("audit", "shutdown", "verify", "run", "report", "doctor")
# Long enough for a window on a busy machine; no scenario waits for a bound of its own beyond it.
SECONDS = 150
# argv: the scenario's directory, then a command, which sees units/ as /etc/systemd/system and, where systemctl is
# there, that program beside a systemd that runs.
SYSTEMD = """
set -e
mount --bind "$0/units" /etc/systemd/system
[ ! -e "$0/systemctl" ] || { mount --bind "$0/systemctl" /usr/bin/systemctl; mount -t tmpfs none /run/systemd; mkdir /run/systemd/system; }
exec "$@"
"""
KEYS = {"title", "source", "quick", "world", "ip", "rules", "before", "command", "prefix", "window", "later", "after",
        "expect", "pending", "pending_without", "contradicted", "shows", "files", "systemctl", "script"}
EXPECTATIONS = {"exit", "verdicts", "outcomes", "proofs", "causes", "findings", "no_findings", "acts", "started",
                "alive", "appeared", "stdout", "stderr", "document"}


@dataclasses.dataclass
class Scenario:
    name: str
    title: str
    source: str
    command: str
    expect: dict
    world: str = ""
    ip: str = "127.0.0.1"
    rules: dict = dataclasses.field(default_factory=dict)
    prefix: list = dataclasses.field(default_factory=list)
    files: dict = dataclasses.field(default_factory=dict)
    systemctl: str = ""
    script: str = ""
    before: list = dataclasses.field(default_factory=list)
    window: list = dataclasses.field(default_factory=list)
    later: list = dataclasses.field(default_factory=list)
    after: list = dataclasses.field(default_factory=list)
    shows: list = dataclasses.field(default_factory=list)
    contradicted: list = dataclasses.field(default_factory=list)
    quick: bool = False
    pending: str = ""
    pending_without: dict = dataclasses.field(default_factory=dict)

    @property
    def verb(self):
        return next((w for w in self.command.split() if w in VERBS), "")

    @property
    def document(self):
        """It prints a JSON document."""
        return self.expect.get("document", True)

    def rules_shown(self):
        """Ids of the rules that it shows: what it expects, and what its file names besides."""
        shown = {"exit:" + str(self.expect["exit"])} | set(self.shows)
        shown |= {f"finding:{id}" for id in self.expect.get("findings", [])}
        for kind, key in ("verdict", "verdicts"), ("outcome", "outcomes"), ("proof", "proofs"), ("cause", "causes"):
            shown |= {f"{kind}:{value}" for value in self.expect.get(key, {}).values() if value != "none"}
        return shown


def load(path):
    fields = tomllib.loads(path.read_text(encoding="utf-8"))
    unknown = (fields.keys() - KEYS) | (fields.get("expect", {}).keys() - EXPECTATIONS)
    if unknown:
        raise ValueError(f"{path.name}: unknown keys {', '.join(sorted(unknown))}")
    return Scenario(name=path.stem, **fields)


def load_all():
    return [load(path) for path in sorted(DIRECTORY.glob("*.toml")) if path != RULES]


def _value(text):
    """A step's word: a number, yes or no, a list with commas, or text."""
    if text in ("yes", "no"):
        return text == "yes"
    if text.lstrip("-").replace(".", "", 1).isdigit():
        return float(text) if "." in text else int(text)
    return text.split(",") if "," in text else text


class World:
    """The node of one scenario and execwatch beside it: its methods, and LabNode's, are the steps."""

    def __init__(self, scenario, port, other_port, scratch):
        self.scenario, self.scratch = scenario, pathlib.Path(scratch)
        self.names = {"$PORT": str(port), "$OTHER": str(other_port), "$DIR": str(scratch)}
        self.ew = Execwatch(port, scratch)
        self.port, self.tool, self.cgroups, self.others, self.prefix, self.processes = port, None, [], [], [], []
        self.helpers = []
        self.node = LabNode(agent(port=port), *self.lines(), ip=scenario.ip)

    def lines(self):
        lines = [line.strip() for line in self.fill(self.scenario.world).splitlines() if line.strip()]
        if "first" in self.scenario.rules:  # loaded before anybody connects
            lines.insert(0, "node " + words(rules=self.rules("first")))
        return lines

    def __enter__(self):
        self.node.up()
        self.names["$NODE"] = self.node.dir
        self.names["$WORK_DIR"] = self.node.work_dir
        self.names["$AGENT"] = str(self.node.agent_pid)
        self.make_files()
        wait_quiet(self.node, self.port)
        return self

    def __exit__(self, *exc):
        if self.tool:
            self.tool.end()
        for helper in self.helpers:
            helper.end()
        self.ew.close()
        for process in self.processes:
            process.kill()
            process.wait()
        for node in [self.node, *self.others]:
            node.down()
        for directory in reversed(self.cgroups):
            os.rmdir(directory)

    def make_files(self):
        """Of units/ execwatch sees a systemd whose units they are."""
        for name, text in self.scenario.files.items():
            path = self.scratch / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.fill(text), encoding="utf-8")
        if self.scenario.systemctl:
            (self.scratch / "answer").write_text(self.fill(self.scenario.systemctl), encoding="ascii")
            path = self.scratch / "systemctl"
            path.write_text(f"#!/bin/sh\ncat {self.scratch}/answer\n", encoding="ascii")
            path.chmod(0o755)
        if (self.scratch / "units").is_dir():
            self.prefix = ["unshare", "-m", "--propagation", "private", "sh", "-c", SYSTEMD, str(self.scratch)]

    def fill(self, text):
        for name, value in self.names.items():
            text = text.replace(name, value)
        return text

    # -- steps -------------------------------------------------------------------------------

    def do(self, steps):
        for step in steps:
            verb, *rest = shlex.split(self.fill(step))
            if verb == "execwatch":
                self.execwatch(*rest)
                continue
            options = dict(word.split("=", 1) for word in rest if "=" in word)
            method = getattr(self, verb, None) or getattr(self.node, verb)
            method(*[_value(w) for w in rest if "=" not in w], **{k: _value(v) for k, v in options.items()})

    def execwatch(self, *args):
        """A run before the one that counts, e.g. the audit whose baseline verify compares with."""
        done = self.ew(*args, prefix=self.node.inside(), timeout=SECONDS)
        assert done.code < 64, done

    def load_rules(self, name):
        self.node.nft(self.rules(name))

    def rules(self, name):
        """With a line for each brace, as nft wants them."""
        return self.fill(self.scenario.rules[name]).replace("{ ", "{\n").replace("}", "\n}\n")

    def iptables_zone(self, number):
        """Rules of iptables-legacy: loopback traffic is tracked in that zone from now on."""
        for chain, device in ("OUTPUT", "-o"), ("PREROUTING", "-i"):
            self.node.run("iptables-legacy", "-w", "-t", "raw", "-A", chain, device, "lo", "-j", "CT", "--zone",
                          str(number), check=True)

    def flush_entries(self):
        self.node.run("conntrack", "-F", capture_output=True, check=True)

    def wait_dead(self, which="all"):
        ids = [which] if isinstance(which, str) else which
        self.node.wait_until(lambda: not any(e.alive for e in self.node.executors()
                                             if ids == ["all"] or e.executor_id in ids), 60, f"the end of {ids}")

    def wait_recorded(self, id):
        """Until the agent has written down the end of this executor: the last file that it writes of it."""
        sentinel = pathlib.Path(self.node.run_dir(self.node.executor(id)), "executor.sentinel")
        self.node.wait_until(sentinel.exists, 60, f"{sentinel}")

    def wait_phase(self, id, phase):
        self.node.wait_until(lambda: self.node.executor(id).phase == phase, 60, f"{id} {phase}")

    def wait_agent_gone(self):
        self.node.wait_until(lambda: self.node.status()["agent"]["pid"] == 0, 60, "the agent's end")

    def wait_logged(self, text, count=1):
        """Until the agent has written that so often."""
        self.node.wait_until(lambda: self.node.agent_log().count(text) >= count, 60, text)

    def wait_known(self):
        """Until the agent is so old that its recovery is over, whatever it tells."""
        self.node.wait_until(lambda: self.ew("audit", prefix=self.node.inside()).code != 3, 60, "an audit that knows")

    def return_executors(self):
        """The agent restarts and every executor is registered again."""
        self.node.restart_agent()
        self.node.wait_recovered()
        self.node.wait_registered()
        wait_quiet(self.node, self.port)

    def api_omits(self, id):
        """The agent's /state, else complete, has that executor no more."""
        state = self.node.state()
        for framework in state["frameworks"]:
            framework["executors"] = [e for e in framework["executors"] if e["id"] != id]
        self.node.set_state(state)

    def api_has_id(self, id):
        state = self.node.state()
        state["id"] = id
        self.node.set_state(state)

    def hide_checkpoints(self):
        """All of the checkpoint tree is there and cannot be read."""
        self.node.make_unreadable(self._slaves_moved())

    def _slaves_moved(self):
        slaves = self.node.meta("slaves")
        slaves.rename(slaves.with_name("slaves.moved"))
        slaves.touch()
        return slaves

    def latest_dangles(self):
        self.node.dangle(self.node.meta("slaves", "latest"))

    def same_forked_pid(self, first, second):
        """The run of the second names the process of the first."""
        path = pathlib.Path(self.node.run_dir(self.node.executor(second)), "pids", "forked.pid")
        path.write_text(str(self.node.executor(first).pid), encoding="ascii")

    def master(self, agent="itself", pings=5):
        """A master that lists the node's agent, or "another", and removes one after so many pings of 15 s.

        It is no leader: it sends whoever asks to one on another port."""
        id = pathlib.Path(self.node.meta("slaves", "latest")).readlink().name if agent == "itself" else agent
        slaves = {"slaves": [{"id": "X-1", "active": True}, {"id": id, "active": True}]}
        flags = {"flags": {"agent_ping_timeout": "15secs", "max_agent_ping_timeouts": str(pings)}}
        self.helpers += [
            Server(self.node, "tcp", "127.0.0.1", "5060", answers={"/slaves": [200, slaves], "/flags": [200, flags]}),
            Server(self.node, "tcp", "127.0.0.1", "5050",
                   answers={"/slaves": [307, {}, "//127.0.0.1:5060/slaves"]})]

    def docker(self, state="running", hangs=False, more=""):
        """A docker daemon with a container for each executor, and more ones of Mesos'."""
        containers = [{"Names": ["/other/mesos-x", f"/mesos-{e.container_id}"], "State": state} for e in self.node.executors()]
        containers += [{"Names": [f"/{more}"], "State": "running"}] if more else []
        self.helpers.append(Server(self.node, "unix", str(self.scratch / "docker.sock"),
                                   answers={"/containers/json": "hang" if hangs else [200, containers]}))

    def copy_listener(self):
        """Another process holds the agent's listening socket."""
        self.helpers.append(Holder(self.node, self.port))

    def remove_address(self, address):
        self.node.run("ip", "address", "del", f"{address}/32", "dev", "lo", check=True)

    def start_failing(self, times):
        """The agent is started so often, and ends within its recovery each time."""
        for count in range(times):
            self.node.start_agent()
            self.wait_agent_gone()
            self.wait_logged("Failed to perform recovery", count + 1)

    def container_status(self, id, status):
        """What the launcher of that executor writes when it ends: its wait(2) status."""
        path = pathlib.Path(self.node.dir, "run", "main", "containers", self.node.executor(id).container_id, "status")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(status), encoding="ascii")

    def link_unit(self, name):
        """The unit's file is a link to one elsewhere, as DC/OS and `systemctl link` make it."""
        path = self.scratch / "units" / name
        path.rename(self.scratch / name)
        path.symlink_to(self.scratch / name)

    def give_checkpoints(self, id, uid):
        os.chown(self.node.run_dir(self.node.executor(id)), uid, uid)

    def lose_forked_pid(self, id):
        """Its run has no pids/forked.pid: a crash came before it was synced."""
        os.unlink(self.node.run_dir(self.node.executor(id)) + "/pids/forked.pid")

    def lose_checkpoint(self, id, name):
        self.node.checkpoint(self.node.executor(id), name).unlink()

    def empty_checkpoint(self, id, name):
        self.node.checkpoint(self.node.executor(id), name).write_bytes(b"")

    def damage_checkpoint(self, id, name):
        path = self.node.checkpoint(self.node.executor(id), name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\x04\0\0\0\xff\xff\xff\xff")

    def hide_checkpoint(self, id, name):
        """It is there and cannot be read."""
        self.node.make_unreadable(self.node.checkpoint(self.node.executor(id), name))

    def api_adds(self, id):
        """The agent's /state has one more executor."""
        state = self.node.state()
        executors = state["frameworks"][0]["executors"]
        executors.append({**executors[0], "id": id, "container": "c-" + id})
        self.node.set_state(state)

    def rotate_log(self, id):
        path = pathlib.Path(self.node.sandbox(self.node.executor(id)), "stderr")
        path.write_text("rotated\n", encoding="ascii")

    def wait_entries_gone(self):
        self.node.wait_until(lambda: not any(f"dport={self.port} " in line and "ESTABLISHED" in line for line in self.node.entries()), 60,
                             "the end of the entries")

    def neighbour_node(self, ip="10.77.0.2", serves=True):
        """Another node, with an agent on the same port in its own network namespace.

        serves=no: its agent is down, and its executors know.
        """
        node = LabNode(agent(port=self.port), executors(2, prefix="theirs-"), ip=ip)
        self.others.append(node.up())
        if not serves:
            node.stop_agent()
            node.wait_until(lambda: all(e.phase == "disconnected" for e in node.executors()), 60,
                            "the neighbour's executors without an agent")

    def dead_file_system(self, id):
        """The executor's sandbox is on a file system whose server never answers, for execwatch alone."""
        self.prefix = dead_at(self.node.sandbox(self.node.executor(id)))

    def launch(self, id):
        """The agent starts one more executor."""
        self.node.launch(id)
        self.node.wait_until(lambda: self._late(id), 60, f"the start of {id}")

    def _late(self, id):
        """pids of an executor that `launch` started: the lab does not list it."""
        wanted = f"MESOS_EXECUTOR_ID={id}".encode()
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "environ").read_bytes().split(b"\0")
                comm = (process / "comm").read_text().strip()
            except OSError:
                continue
            if wanted in words and comm == "mesos-executor" and os.fsencode(self.node.dir) in b"".join(words):
                return int(process.name)
        return None

    def kill_late(self, id):
        os.kill(self._late(id), signal.SIGKILL)
        self.node.wait_until(lambda: not self._late(id), 60, f"the end of {id}")

    def wait_listed(self, id):
        """Until the agent's API says that this executor has registered."""
        self.node.wait_until(lambda: any(e["id"] == id and e["tasks"] for f in self.node.state()["frameworks"]
                                         for e in f["executors"]), 60, f"{id} in /state")

    def cgroup(self, name):
        """A cgroup of systemd's hierarchy with a slice of its own above it, made if it is not there."""
        top = pathlib.Path("/sys/fs/cgroup/systemd" if os.path.isdir("/sys/fs/cgroup/systemd") else "/sys/fs/cgroup",
                           f"catalogue-{os.getpid()}.slice")
        for path in top, top / name:
            if path not in self.cgroups:
                path.mkdir()
                self.cgroups.append(path)
        return top / name

    def into_service_cgroup(self, *which):
        """The agent and its executors are in one cgroup, as in a service without a slice for executors. which:
        "agent", or ids of executors; else all."""
        pids = {"agent": self.node.agent_pid} | {e.executor_id: e.pid for e in self.node.executors()}
        for name in which or pids:
            (self.cgroup("mesos-slave.service") / "cgroup.procs").write_text(str(pids[name]))

    def into_cgroup(self, name, id):
        (self.cgroup(name) / "cgroup.procs").write_text(str(self.node.executor(id).pid))

    def container_logger(self):
        """A process with the name of one, in the service's cgroup."""
        program = self.scratch / "mesos-logrotate-logger"
        shutil.copy("/bin/sleep", program)
        self.processes.append(subprocess.Popen([program, "1000"]))
        (self.cgroup("mesos-slave.service") / "cgroup.procs").write_text(str(self.processes[-1].pid))

    @staticmethod
    def fifo(name):
        os.mkfifo(name)

    def break_event_loop(self, id):
        event_loop.crash(self.node.executor(id))

    def remove_last_line(self, name):
        path = pathlib.Path(name)
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))

    @staticmethod
    def record_load(name, load):
        """In that recording the host has two processors and this load: none is made here."""
        path = pathlib.Path(name)
        facts = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for fact in facts:
            if fact.get("type") == "host":
                fact.update(cpus=2, load=load)
        path.write_text("".join(json.dumps(fact) + "\n" for fact in facts), encoding="utf-8")

    def fill_state_dir(self, size, pages):
        """A small file system of its own for execwatch's state, nearly full."""
        self.ew.state_dir.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", self.ew.state_dir], check=True)
        (self.ew.state_dir / "fill").write_bytes(bytes(4096 * pages))

    def unfill_state_dir(self):
        subprocess.run(["umount", "-l", self.ew.state_dir], check=True)

    def interrupt(self):
        self.tool.interrupt(signal.SIGINT)

    def wait_output(self, text):
        self.tool.wait_for(text)

    # -- the command ---------------------------------------------------------------------------

    def audit_again(self, prefix=(), options=()):
        """One more audit, whose command begins with `prefix`: (exit code, document). It leaves no baseline."""
        _, *args = shlex.split(self.fill(self.scenario.command))
        argv = self.ew.argv("audit", "-f", "json", *args, *options, "--state-dir", self.scratch / "state-again")
        done = subprocess.run(self.inside(*map(self.fill, prefix), *argv), capture_output=True, check=False,
                              timeout=SECONDS)
        return done.returncode, json.loads(done.stdout) if done.stdout else None

    def inside(self, *argv):
        """A command as the scenario's own is run."""
        return self.node.inside(*map(self.fill, self.scenario.prefix), *self.prefix, *argv)

    def argv(self):
        args = shlex.split(self.fill(self.scenario.command))
        if self.scenario.document:
            args[1:1] = ["-f", "json"]
        if args[0] in ("audit", "verify", "run"):
            args[1:1] = ["--record", str(self.recording)]
        if args[0] == "run":
            args += ["--", "sh", *self.command_words(), str(self.gate)]
        return self.inside(*self.ew.argv(*args))

    def command_words(self):
        """run's command: a script of the scenario's, or one that does nothing but wait."""
        if self.scenario.script:
            return [str(self.scratch / self.scenario.script)]
        return ["-c", f'echo "{STARTED}"; read x < "$0"']

    @property
    def recording(self):
        return self.scratch / "recording.jsonl"

    @property
    def gate(self):
        return self.scratch / "gate"

    def run(self):
        """The command from its start to its end, with what happens meanwhile."""
        if self.scenario.verb == "run":
            os.mkfifo(self.gate)
        self.tool = Background(self.argv())
        if self.scenario.verb == "run":
            self._run_window()
        elif self.scenario.window:
            self.tool.wait_for("done|waiting")
            self.do(self.scenario.window)
        return self.tool.result(SECONDS)

    def _run_window(self):
        expected = self.scenario.expect.get("started", True)
        if not self._has_started(expected):
            return
        if expected:
            self.do(self.scenario.window)
        with open(self.gate, "w", encoding="ascii") as gate:
            gate.write("go\n")
        if expected:
            self.do(self.scenario.later)

    def _has_started(self, expected):
        """Waits until run's command has started, or run has ended without it."""
        try:
            self.tool.wait_for(STARTED, SECONDS)
        except AssertionError:
            if expected or self.tool.process.poll() is None:
                raise
            return False
        return True


def rows_of(document, frameworks, field):
    """{executor id: what the document says of it}. Two rows with one id are both told."""
    found = collections.defaultdict(list)
    for e in document["executors"]:
        if e["framework_id"] in frameworks or e["framework_id"] is None:
            found[e["executor_id"]].append(e.get(field) or "none")
    return {id: " and ".join(values) for id, values in found.items()}


FIELDS = {"verdicts": "verdict", "outcomes": "outcome", "proofs": "proof", "causes": "cause"}


def seen(world, done):
    """What there was to see of what the scenario expects, in the same form."""
    expect, result = world.scenario.expect, {"exit": done.code}
    if "stdout" in expect:
        result["stdout"] = expect["stdout"] if world.fill(expect["stdout"]) in done.out else done.out
    if "stderr" in expect:
        result["stderr"] = expect["stderr"] if world.fill(expect["stderr"]) in done.err else done.err
    if "started" in expect:
        result["started"] = STARTED in done.out + done.err
    if "alive" in expect:
        result["alive"] = sorted(e.executor_id for e in world.node.executors() if e.alive)
    if world.scenario.document:
        document = document_of(done)
        frameworks = {e.framework_id for e in world.node.executors()}
        for key in FIELDS.keys() & expect.keys():
            rows = rows_of(document, frameworks, FIELDS[key])
            # Proofs and causes are told of those that are named.
            result[key] = rows if key in ("verdicts", "outcomes") else {id: rows.get(id) for id in expect[key]}
        findings = {f["id"] for f in document["findings"]}
        for key in {"findings"} & expect.keys():
            result[key] = [id for id in expect[key] if id in findings]
        if "no_findings" in expect:
            result["no_findings"] = [id for id in expect["no_findings"] if id not in findings]
        if "acts" in expect:
            result["acts"] = {a["executor_id"]: a["result"] for a in document.get("acts", [])}
        if "appeared" in expect:
            result["appeared"] = sorted(e["executor_id"] for e in document["executors"] if e.get("appeared"))
    return result


def document_of(done):
    """The JSON document; the command's own output may come before it."""
    assert "{" in done.out, done
    text = done.out[done.out.index("{"):]
    return json.JSONDecoder().raw_decode(text)[0]


def play(scenario, port, other_port, scratch, look=None):
    """Runs it. Returns (what it expects, what there was to see, how the command ended). look(world, done) is
    called after the command's end."""
    with World(scenario, port, other_port, scratch) as world:
        world.do(scenario.before)
        done = world.run()
        if look:
            look(world, done)
        world.do(scenario.after)
        result = seen(world, done)
    expected = {key: value for key, value in scenario.expect.items() if key != "document"}
    if "alive" in expected:
        expected["alive"] = sorted(expected["alive"])
    return expected, result, done

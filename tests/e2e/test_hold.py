# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""hold: executors that wait for an agent that is late do not end themselves."""

import os
import re
import resource
import signal
import subprocess
import sys
import time

import pytest

from dead_file_system import DyingFile
from execwatch import by_id, each
from labnode import executor, executors

# Seconds until an executor ends itself; and where hold has to come before that, also on a busy machine.
TIMEOUT, ENOUGH = 5, 15


def alive(node):
    return {e.executor_id for e in node.executors() if e.alive}


def acts(document, *fields):
    return sorted((a["executor_id"], a["result"], *(a[f] for f in fields)) for a in document["acts"])


def waiting(lab, *lines, **kw):
    """A node whose agent has gone, and whose executors wait for the next."""
    node = lab(*lines, **kw)
    node.stop_agent()
    node.wait_until(lambda: node.phases("all") == {"disconnected"}, what="the executors' clocks")
    return node


def short(id, seconds=TIMEOUT, **kw):
    return executor(id, recovery_timeout=f"{seconds}secs", **{"kind": "v0-old", **kw})


def port_of(node, id):
    """Where it listens."""
    upid = node.checkpoint(node.executor(id), "pids/libprocess.pid").read_text(encoding="ascii")
    return upid.rpartition(":")[2].strip()


def end_of(node, id):
    node.wait_until(lambda: id not in alive(node), seconds=60, what=f"the end of {id}")


# ---- what it is for ----

def test_held_ones_live_and_register_again(lab, ew):
    """Libraries before and after 1.4, which answer differently; the control, whose clock began with theirs, ends
    itself."""
    node = waiting(lab, short("held", ENOUGH), short("held-new", ENOUGH, kind="v0-relink"), short("control", ENOUGH))
    for id in "held", "held-new":
        document = ew.json("hold", "--yes", "--pid", node.executor(id).pid)
        assert acts(document, "proof", "action") == [(id, "held", "answer+log", "hold")]
    held = by_id(document, node)["held-new"]
    assert (held["verdict"], held["deadline"], held["severity"]) == ("disconnected", None, "warning")
    assert held["held_at"] and "its clock does not run" in held["why"][0]
    end_of(node, "control")
    assert alive(node) == {"held", "held-new"}
    node.start_agent()
    node.wait_recovered()
    node.wait_registered()
    assert alive(node) == {"held", "held-new"}
    assert each(ew.json("audit", code=0), node, "verdict")["held"] == "healthy"


def test_after_the_next_agent_the_clock_runs_again(lab, ew):
    """What was held is an executor like any other once it has registered."""
    node = waiting(lab, short("web", ENOUGH))
    assert acts(ew.json("hold", "--yes")) == [("web", "held")]
    node.start_agent()
    node.wait_recovered()
    node.wait_registered()
    node.stop_agent()
    end_of(node, "web")


def test_the_message_is_the_agents_and_is_recorded(lab, ew, tmp_path):
    node = waiting(lab, executor("web", kind="v0-old"))
    document = ew.json("hold", "--yes", "--record", tmp_path / "facts.jsonl")
    sent, = document["acts"]
    assert sent["bytes"].startswith("POST /executor(1)/mesos.internal.ExecutorReregisteredMessage HTTP/1.1%0d%0a"
                                    f"Libprocess-From: slave(1)@127.0.0.1:{ew.port}%0d%0a")
    assert "%0a" in sent["bytes"].partition("%0d%0a%0d%0a")[2]
    intent, result = ew.audit_log()
    assert (intent["phase"], intent["bytes"]) == ("intent", sent["bytes"])
    assert (result["result"], result["proof"]) == ("held", "answer+log")
    replayed = ew("report", "--replay", tmp_path / "facts.jsonl", "-f", "json")
    assert replayed.json == document
    assert re.search(r"Executor re-registered on agent", node.stderr_of(node.executor("web")))


def test_again_in_the_same_and_in_a_later_run(lab, ew):
    """A later run did not see what came between: it says so, and says no clock is stopped."""
    node = waiting(lab, executor("web", kind="v0-old"))
    assert acts(ew.json("hold", "--yes", code=1)) == [("web", "held")]
    later = by_id(ew.json("audit", code=2), node)["web"]
    assert later["deadline"] and later["held_at"] is None
    assert later["why"][0] == "It was held before: unless it has registered since, its clock does not run."
    assert acts(ew.json("hold", "--yes", code=1)) == [("web", "held")]


# ---- refused ----

def test_refused_while_an_agent_answers(lab, ew):
    node = lab(executor("web", kind="v0-old"))
    document = ew.json("hold", "--yes", "--pid", node.executor("web").pid)
    assert acts(document, "reason_id") == [("web", "refused", "agent-answers")]
    assert acts(ew.json("hold", "--yes", code=0)) == []


def test_refused_for_v1(lab, ew):
    node = lab(executor("old", kind="v0-old"), executor("http", kind="v1"))
    node.stop_agent()
    node.wait_until(lambda: node.executor("old").phase == "disconnected")
    node.wait_until(lambda: each(ew.json("audit"), node, "verdict")["http"] == "disconnected")
    document = ew.json("hold", "--yes", code=2)
    assert acts(document, "reason_id") == [("http", "refused", "v1"), ("old", "held", None)]


def test_refused_for_one_that_does_not_wait(lab, ew):
    node = lab(executor("stale", kind="v0-old"), conntrack=True)
    node.forget("stale")
    node.stop_agent()
    document = ew.json("hold", "--yes", "--pid", node.executor("stale").pid)
    assert acts(document, "reason_id") == [("stale", "refused", "not-disconnected")]


def test_an_executor_that_insists_on_the_senders_address(lab, ew):
    """It takes the message, which comes from its agent's address, not from one that the host prefers."""
    node = waiting(lab, executor("strict", kind="v0-relink", peer_match="yes"), ip="10.77.0.1")
    node.run("ip", "route", "change", "local", "10.77.0.1", "dev", "lo", "table", "local", "src", "127.0.0.1",
             check=True)
    assert acts(ew.json("hold", "--yes"), "proof") == [("strict", "held", "answer+log")]


def test_refused_when_it_speaks_tls(lab, ew):
    waiting(lab, executor("web", kind="v0-old", tls_said="yes"))
    assert acts(ew.json("hold", "--yes", code=2), "reason_id") == [("web", "refused", "tls")]


def test_refused_when_it_does_not_listen_where_its_checkpoint_says(lab, ew):
    """Never a message to whoever may listen there: it has the address of another executor."""
    node = waiting(lab, executor("web", kind="v0-old"), executor("other", kind="v0-old"))
    upid = {id: node.checkpoint(node.executor(id), "pids/libprocess.pid") for id in ("web", "other")}
    upid["web"].write_bytes(upid["other"].read_bytes())
    document = ew.json("hold", "--yes", "--pid", node.executor("web").pid)
    assert acts(document, "reason_id") == [("web", "refused", "not-listening")]
    assert node.phases("all") == {"disconnected"}


def test_refused_when_this_host_has_not_the_address_it_insists_on(lab, ew):
    """The agent's address has moved to another host."""
    node = waiting(lab, executor("strict", kind="v0-relink", peer_match="yes"), ip="10.77.0.1")
    node.run("ip", "address", "del", "10.77.0.1", "dev", "lo", check=True)
    assert acts(ew.json("hold", "--yes"), "reason_id") == [("strict", "refused", "refuses-sender")]
    assert node.phases("all") == {"disconnected"}


def test_refused_when_its_timeout_runs_out_while_the_question_stands(lab, ew):
    """It waits for the end of its grace period: a message would stop no clock."""
    node = waiting(lab, short("web", suicide="group", grace="60secs"))
    terminal = ew.terminal("hold").read_until(r"\[y/N\]")
    node.wait_until(lambda: node.phases("all") != {"disconnected"}, what="the end of its recovery timeout")
    terminal.type("y\n").read_until("web is left alone: its recovery timeout has run out")
    assert terminal.wait() == 1


def test_refused_when_an_agent_has_asked_it(lab, ew, tmp_path):
    """It is stopped: the request of an agent that has come and gone waits in its socket, and will be read."""
    node = lab(executor("web", kind="v0-old"))
    went, go = tmp_path / "went", tmp_path / "go"
    stop = " ".join(node.command("stop-agent", "--signal", "KILL"))
    window = ew.start("run", "--yes", "--hold-at", "1s", "-f", "json", "--", "sh", "-c",
                      f"{stop} >/dev/null; touch {went}; until [ -e {go} ]; do sleep 0.05; done")
    node.wait_until(went.exists, what="the end of the agent")
    node.wait_until(lambda: node.phases("all") == {"disconnected"}, what="its clock")
    node.stop("web")
    window.wait_for(r"web \(pid \d+\): refused: it does not run")
    requests = node.agent_log().count("Sending reconnect request")
    node.start_agent(hold=True)
    node.wait_until(lambda: node.agent_log().count("Sending reconnect request") > requests, what="the request")
    node.stop_agent()
    window.wait_for(r"web \(pid \d+\): refused: an agent has asked it to reconnect")
    window.interrupt().wait_for("interrupted; the command")
    document = window.interrupt().result().json
    go.touch()
    assert [(a["result"], a["reason_id"]) for a in document["acts"]] == [
        ("refused", "unresponsive"), ("refused", "asked")]


def test_held_once_it_runs_again(lab, ew, tmp_path):
    """A reason that is gone is no reason any more."""
    node = lab(executor("web", kind="v0-old"))
    go = tmp_path / "go"
    stop = " ".join(node.command("stop-agent", "--signal", "KILL"))
    window = ew.start("run", "--yes", "--hold-at", "1s", "-f", "json", "--", "sh", "-c",
                      f"{stop} >/dev/null; until [ -e {go} ]; do sleep 0.05; done")
    node.wait_until(lambda: node.phases("all") == {"disconnected"}, what="its clock")
    node.stop("web")
    window.wait_for(r"web \(pid \d+\): refused: it does not run")
    node.cont("web")
    window.wait_for(r"web \(pid \d+\): held")
    window.interrupt().wait_for("interrupted; the command")
    window.interrupt().result()
    go.touch()
    assert node.phases("all") == {"reregistered"}


# While the first of two, whose answer never comes, is waited for, something happens to the second.

MUTE = """table inet mute {{
    chain out {{
        type filter hook output priority 0;
        tcp sport {port} tcp flags & psh == psh drop;
    }}
}}"""


@pytest.fixture
def first_and_second(lab):
    """Those that end first are held first."""
    node = waiting(lab, executor("first", kind="v0-old", recovery_timeout="10mins"), executor("second", kind="v0-old"))
    node.nft(MUTE.format(port=port_of(node, "first")))
    return node


def hold_both(ew):
    """Both intents are on the disk before the first message is sent."""
    run = ew.start("hold", "--yes", "-f", "json")
    while len(ew.audit_log()) < 2:
        assert run.process.poll() is None
        time.sleep(0.01)
    return run


def result_of(run, id):
    return [(a["result"], a["reason_id"]) for a in run.result().json["acts"] if a["executor_id"] == id]


def test_refused_when_it_has_ended_meanwhile(first_and_second, ew):
    node = first_and_second
    run = hold_both(ew)
    os.kill(node.executor("second").pid, signal.SIGKILL)
    assert result_of(run, "second") == [("refused", "executor-ended")]


def test_refused_when_its_environment_is_gone_meanwhile(first_and_second, ew):
    """It has written something else there, as some programs do with their title."""
    node = first_and_second
    run = hold_both(ew)
    pid = node.executor("second").pid
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat, open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        begin, end = map(int, stat.read().rpartition(")")[2].split()[47:49])
        memory.seek(begin)
        memory.write(bytes(end - begin))
    assert result_of(run, "second") == [("refused", "no-environment")]
    assert node.phases(["second"]) == {"disconnected"}


def test_refused_when_an_agent_comes_meanwhile(first_and_second, ew):
    node = first_and_second
    run = hold_both(ew)
    node.start_agent(hold=True)
    assert result_of(run, "second") == [("refused", "agent-answers")]


def test_refused_when_the_sockets_cannot_be_read(first_and_second, ew):
    """One descriptor is left to it: enough to read /proc, not to look into a network namespace."""
    node = first_and_second
    run = hold_both(ew)
    used = {int(fd) for fd in os.listdir(f"/proc/{run.process.pid}/fd")}
    hard = resource.prlimit(run.process.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(run.process.pid, resource.RLIMIT_NOFILE, (min(set(range(1024)) - used) + 1, hard))
    assert result_of(run, "second") == [("refused", "agent-unknown")]
    assert node.phases(["second"]) == {"disconnected"}


LISTEN = "import socket, sys; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); print(flush=True); sys.stdin.read()"


def test_an_agent_that_came_and_went_is_no_reason_for_ever(first_and_second, ew, tmp_path):
    """It begins to listen right before the message, and ends before it asks anybody, as one whose recovery fails."""
    node = first_and_second
    go = tmp_path / "go"
    node.start_agent()
    node.wait_recovered()
    node.wait_registered()
    stop = " ".join(node.command("stop-agent", "--signal", "KILL"))
    window = ew.start("run", "--yes", "--hold-at", "1s", "-f", "json", "--", "sh", "-c",
                      f"{stop} >/dev/null; until [ -e {go} ]; do sleep 0.05; done")
    node.wait_until(lambda: [line["action"] for line in ew.audit_log()].count("hold") == 2, what="both intents")
    with node.popen(sys.executable, "-c", LISTEN, str(ew.port), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as agent:
        agent.stdout.readline()
        window.wait_for(r"second \(pid \d+\): refused: an agent listens on the port now")
        agent.stdin.close()
    window.wait_for(r"second \(pid \d+\): held")
    window.interrupt().wait_for("interrupted; the command")
    window.interrupt().result()
    go.touch()
    assert node.phases(["second"]) == {"reregistered"}


def test_interrupted_in_the_middle(first_and_second, ew):
    node = first_and_second
    run = hold_both(ew).interrupt()
    assert result_of(run, "second") == [("skipped", "interrupted")]
    assert node.phases(["second"]) == {"disconnected"}


def test_refused_without_an_address(lab, ew):
    """No message can be made for what its checkpoint names."""
    node = waiting(lab, executor("web", kind="v0-old"))
    at = f"127.0.0.1:{port_of(node, 'web')}"
    node.checkpoint(node.executor("web"), "pids/libprocess.pid").write_bytes(f"executor?@{at}".encode())
    document = ew.json("hold", "--yes", "--pid", node.executor("web").pid)
    print(by_id(document,node)["web"]["verdict"], by_id(document,node)["web"]["why"])
    assert acts(document, "reason_id") == [("web", "refused", "no-address")]


def test_refused_when_it_is_stopped(lab, ew):
    node = waiting(lab, executor("web", kind="v0-old"))
    node.stop("web")
    assert acts(ew.json("hold", "--yes", code=2), "reason_id") == [("web", "refused", "unresponsive")]


def test_one_that_cannot_be_reached_is_not_held(lab, ew):
    node = waiting(lab, executor("web", kind="v0-old"))
    node.nft(f"""table inet closed {{
        chain in {{ type filter hook input priority 0; tcp dport {port_of(node, "web")} reject with tcp reset; }}
    }}""")
    assert acts(ew.json("hold", "--yes", code=2), "reason_id") == [("web", "failed", "no-connection")]
    assert node.phases("all") == {"disconnected"}


def test_one_that_rejects_the_message_is_not_held(lab, ew):
    """Translation gives it another sender's address than its agent's."""
    node = waiting(lab, executor("strict", kind="v0-relink", peer_match="yes"), ip="10.77.0.1")
    node.nft("""table ip other {
        chain out { type nat hook postrouting priority srcnat; tcp dport != 5051 snat to 127.0.0.9; }
    }""")
    assert acts(ew.json("hold", "--yes", code=2), "reason_id") == [("strict", "failed", "rejected")]
    assert node.phases("all") == {"disconnected"}


# ---- not proven, or by less ----

def test_without_a_log_the_answer_is_the_proof(lab, ew):
    node = waiting(lab, executor("web", kind="v0-old", log="null"))
    assert acts(ew.json("hold", "--yes", code=1), "proof") == [("web", "held", "answer")]
    assert node.phases("all") == {"reregistered"}


@pytest.mark.parametrize("log", ["file", "null"])
def test_one_that_does_not_answer_is_not_held(lab, ew, log):
    """Its kernel takes the message; whether it does will be seen later."""
    node = waiting(lab, executor("web", kind="v0-old", log=log))
    node.nft(f"""table inet mute {{
        chain out {{
            type filter hook output priority 0;
            meta skuid 0 tcp flags & psh == psh ct direction reply drop;
        }}
    }}""")
    document = ew.json("hold", "--yes", code=2)
    assert acts(document, "reason_id", "proof") == [("web", "sent", "unproven", None)]
    assert by_id(document, node)["web"]["held_at"] is None


def test_a_log_on_a_file_system_that_does_not_answer_any_more(lab, ew, tmp_path):
    """Its driver waits there before it drops its timer (exec.cpp, reregistered()); hold does not."""
    with DyingFile(tmp_path / "stderr") as log:
        node = waiting(lab, executor("web", kind="v0-old", log=log.path))
        log.die()
        document = ew.json("hold", "--yes", code=2)
        assert acts(document, "reason_id", "proof") == [("web", "sent", "unproven", None)]
        assert by_id(document, node)["web"]["held_at"] is None


def test_a_log_on_a_file_system_of_a_server(lab, ew, tmp_path):
    """The same while it answers."""
    with DyingFile(tmp_path / "stderr") as log:
        waiting(lab, executor("web", kind="v0-old", log=log.path))
        assert acts(ew.json("hold", "--yes", code=1), "proof") == [("web", "held", "answer+log")]


def test_no_is_no(lab, ew):
    node = waiting(lab, executor("web", kind="v0-old"))
    terminal = ew.terminal("hold").read_until(r"\[y/N\]")
    assert "takes itself for registered with an agent that is not there" in " ".join(terminal.text.split())
    terminal.type("n\n")
    assert terminal.wait() == 1
    assert node.phases("all") == {"disconnected"}


# ---- who is asked, what is shown ----

def test_dry_run_sends_nothing(lab, ew):
    node = waiting(lab, executors(2, kind="v0-old"))
    shown = ew("hold", "--dry-run")
    assert "The clocks of 2 executors would be stopped." in shown.words
    assert re.search(r"hold +task-0", shown.out)
    assert acts(ew.json("hold", "--dry-run", code=2), "reason_id") == [
        ("task-0", "skipped", "dry-run"), ("task-1", "skipped", "dry-run")]
    assert node.phases("all") == {"disconnected"}


def test_it_needs_a_yes(lab, ew):
    waiting(lab, executor("web", kind="v0-old"))
    done = ew("hold")
    assert done.code == 64 and "--yes" in done.err


def test_the_agent_comes_while_the_question_stands(lab, ew):
    node = waiting(lab, executor("web", kind="v0-old"))
    terminal = ew.terminal("hold").read_until(r"\[y/N\]")
    node.start_agent(hold=True)
    terminal.type("y\n").read_until("web is left alone: ")
    assert terminal.wait() == 1
    assert "nothing was done" in terminal.text


def test_a_log_that_fails_in_the_middle(lab, ew):
    """The intents fit, the results do not, as on a full disk: who is held is told all the same."""
    node = waiting(lab, executors(2, kind="v0-old"))
    done = ew("hold", "--yes", "-f", "json", prefix=["bash", "-c", 'ulimit -f "$0"; exec "$@"', "2"])
    assert done.code == 2  # whose clock runs is told before that
    assert "audit.log" in done.err and "File too large" in done.err
    assert acts(done.json) == [("task-0", "held"), ("task-1", "skipped")]
    assert node.phases("task-1") == {"disconnected"}


def test_killed_before_its_result_was_written(lab, ew):
    waiting(lab, executor("web", kind="v0-old"))
    ew.json("hold", "--yes")
    log = ew.state_dir / "audit.log"
    log.write_text(log.read_text(encoding="utf-8").splitlines(keepends=True)[0], encoding="utf-8")
    again = ew("hold", "--yes")
    assert re.search(r"web \(pid \d+\): it is not known whether it got the message", again.err)
    assert [(line["phase"], line["result"]) for line in ew.audit_log()] == [
        ("intent", ""), ("result", "failed"), ("intent", ""), ("result", "held")]


# ---- in a window ----

def test_run_holds_who_still_waits(lab, ew, tmp_path):
    """The restart takes longer than anybody planned."""
    node = lab(short("old", ENOUGH), short("new", ENOUGH, kind="v0-relink"))
    go = tmp_path / "go"
    stop, start = (" ".join(node.command(*words)) for words in (["stop-agent", "--signal", "KILL"], ["start-agent"]))
    window = ew.start("run", "--yes", "--hold-at", "1s", "--until", "settled", "-f", "json", "--",
                      "sh", "-c", f"{stop} >/dev/null; until [ -e {go} ]; do sleep 0.05; done; {start} >/dev/null")
    window.wait_for(r"old \(pid \d+\): held")
    node.run("sleep", str(ENOUGH + 2), check=True)
    assert alive(node) == {"old", "new"}
    go.touch()
    document = window.result(seconds=120).json
    assert set(each(document, node, "outcome").values()) == {"reregistered"}
    assert acts(document, "action") == [("new", "held", "hold"), ("old", "held", "hold")]


@pytest.mark.parametrize("kind", ["v0-old", "v0-relink"])
def test_without_hold_at_they_end(lab, ew, kind):
    node = waiting(lab, short("web", kind=kind))
    end_of(node, "web")

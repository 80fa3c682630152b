# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""protect: keepalive, set from outside, keeps links from going stale."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from connections import keeps_its_links, node_connections
from execwatch import by_id, each, tries
from labnode import agent, executor, executors

# How long entries of 3 s have to be outlived.
OUTLIVE = float(os.environ.get("EXECWATCH_TEST_OUTLIVE", 8))
# How often protect is killed at a random moment.
KILLS = tries(4, 125)


def alive(node):
    return {e.executor_id for e in node.executors() if e.alive}


def acts(document, *fields):
    """[(executor, result, ...)], in the order of executors."""
    return sorted((a["executor_id"], a["result"], *(a[f] for f in fields)) for a in document["acts"])


def keepalive(ew, node):
    """{executor: what keepalive its links have}, from the sockets themselves."""
    audit = by_id(ew.json("audit"), node)
    return {id: [link["keepalive"] and {k: v for k, v in link["keepalive"].items() if k != "probe_in_s"}
                 for link in e["links"]] for id, e in audit.items()}


def timers(node):
    """How many connections to the agent have a keepalive timer, as `ss` tells."""
    out = node.run("ss", "-tnoH", "state", "established", text=True, capture_output=True).stdout
    return out.count("timer:(keepalive")


def has_entry(node, link):
    port = link["local"].rpartition(":")[2]
    return any(f"sport={port} " in line and "ESTABLISHED" in line for line in node.entries())


def audited(ew, node, id):
    return by_id(ew.json("audit"), node)[id]


PROTECTED = {"idle_s": 600, "interval_s": 600, "count": 127}
EVERY_SECOND = {"idle_s": 1, "interval_s": 1, "count": 127}


# ---- what it is for ----

def test_entries_of_3_s_are_outlived_and_the_fin_arrives(lab, ew):
    """The control's entry expires; the agent's FIN never reaches it, and it is lost."""
    node = lab(executor("kept", kind="v0-old"), executor("kept-v1", kind="v1"),
               executor("control", kind="v0-old"), conntrack=True)
    links = {e.executor_id: e.link for e in node.executors()}
    node.established_timeout(3)
    for id in "kept", "kept-v1":
        document = ew.json("protect", "--yes", "--pid", node.executor(id).pid)
        assert {a["result"] for a in document["acts"]} == {"done"}
    node.expire_in("control", 3)
    node.wait_until(lambda: not has_entry(node, links["control"]), what="the end of the control's entry")
    until = time.monotonic() + OUTLIVE
    node.wait_until(lambda: time.monotonic() > until, seconds=OUTLIVE + 10)
    assert has_entry(node, links["kept"]) and has_entry(node, links["kept-v1"])
    assert each(ew.json("audit", code=1), node, "verdict") == {
        "kept": "healthy", "kept-v1": "healthy", "control": "at-risk"}
    before = {e.executor_id: e for e in node.executors()}
    node.stop_agent()
    node.wait_until(lambda: not keeps_its_links(before["kept"]) and not keeps_its_links(before["kept-v1"]),
                    what="the agent's FIN on the links that are protected")
    assert keeps_its_links(before["control"])
    node.start_agent()
    node.wait_recovered()
    assert alive(node) == {"kept", "kept-v1"}


def test_a_link_that_is_renewed_in_time_is_not_at_risk(lab, ew):
    """An entry of 30 s expires within any executor's recovery timeout; only keepalive that was read
    changes the verdict."""
    node = lab(executors(1, kind="v0-old"), conntrack=True)
    node.established_timeout(30)
    node.expire_in("all", 20)
    before = audited(ew, node, "task-0")
    assert (before["verdict"], before["links"][0]["keepalive"], before["links"][0]["renewed"]) == (
        "at-risk", None, "unknown")
    document = ew.json("protect", "--yes", code=0)
    assert acts(document, "proof", "action") == [("task-0", "done", "entry-renewed", "protect")]
    after = audited(ew, node, "task-0")
    assert after["verdict"] == "healthy"
    assert after["links"][0]["renewed"] == "yes"
    assert {k: after["links"][0]["keepalive"][k] for k in EVERY_SECOND} == {
        "idle_s": 7, "interval_s": 7, "count": 127}
    assert "keepalive renews its entry of connection tracking every 7 s" in after["why"][0]
    assert re.search(r"^healthy +task-0 +\d+ +both ends +renewed ", ew("audit").out, re.M)


def test_a_timeout_that_was_lowered_since_makes_it_at_risk_again(lab, ew):
    """The next probe would still come in time; the one after it would not."""
    node = lab(executors(1, kind="v0-old"), conntrack=True)
    assert acts(ew.json("protect", "--yes", "--horizon", "60s", code=0)) == [("task-0", "done")]
    node.established_timeout(60)
    link = audited(ew, node, "task-0")["links"][0]
    assert (link["keepalive"]["idle_s"], link["renewed"]) == (600, "no")
    assert acts(ew.json("protect", "--yes", code=0)) == [("task-0", "done")]
    link = audited(ew, node, "task-0")["links"][0]
    assert (link["keepalive"]["idle_s"], link["renewed"]) == (15, "yes")


def test_the_idle_time_can_be_given(lab, ew):
    node = lab(executors(1, kind="v0-old"), conntrack=True)
    assert acts(ew.json("protect", "--yes", "--idle", "90s", code=0)) == [("task-0", "done")]
    assert keepalive(ew, node) == {"task-0": [{"idle_s": 90, "interval_s": 90, "count": 127}]}
    assert acts(ew.json("protect", "--yes", "--idle", "2m", code=0)) == [("task-0", "done")]
    assert keepalive(ew, node) == {"task-0": [{"idle_s": 120, "interval_s": 120, "count": 127}]}
    assert acts(ew.json("protect", "--yes", code=0), "reason_id") == [("task-0", "skipped", "protected")]


# ---- twice, and back ----

def test_running_again_changes_nothing(lab, ew):
    node = lab(executors(2, kind="v0-old"), executor("http", kind="v1"), conntrack=True)
    ew.json("protect", "--yes", code=0)
    log, kept = ew.audit_log(), (ew.state_dir / "protected.json").read_bytes()
    values = keepalive(ew, node)
    again = ew.json("protect", "--yes", code=0)
    assert acts(again, "reason_id", "method") == [
        ("http", "skipped", "protected", None), ("http", "skipped", "protected", None),
        ("task-0", "skipped", "protected", None), ("task-1", "skipped", "protected", None)]
    assert keepalive(ew, node) == values
    assert (ew.audit_log(), (ew.state_dir / "protected.json").read_bytes()) == (log, kept)


def test_undo_restores_what_was(lab, ew):
    """One link had no keepalive; the other was given one by hand, which then went by the board."""
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    assert timers(node) == 0
    document = ew.json("protect", "--yes", code=0)
    before = {a["executor_id"]: a["keepalive_before"] for a in document["acts"]}
    assert timers(node) == 2
    shown = ew("protect", "--undo", "--dry-run")
    assert "The keepalive of before would be restored on 2 links." in shown.words
    assert re.search(r"restore +task-0", shown.out)
    ew.json("protect", "--yes", "--idle", "5s", code=0)  # the first values are those to restore
    undone = ew.json("protect", "--undo", "--yes", code=0)
    assert acts(undone, "action", "proof") == [
        ("task-0", "done", "unprotect", "read-back"), ("task-1", "done", "unprotect", "read-back")]
    assert {a["executor_id"]: a["keepalive"] for a in undone["acts"]} == before
    assert before["task-0"] == {"on": False, "idle_s": 7200, "interval_s": 75, "count": 9}
    assert timers(node) == 0
    assert json.loads((ew.state_dir / "protected.json").read_text())["links"] == []
    assert acts(ew.json("protect", "--undo", "--yes", code=0)) == []


def test_a_link_that_is_no_more_is_forgotten(lab, ew):
    """The executor lives on, with another socket."""
    def kept():
        return [(link["cookie"], link["pid"]) for link in json.loads((ew.state_dir / "protected.json").read_text())["links"]]
    node = lab(executors(1, kind="v0-old"), conntrack=True)
    ew.json("protect", "--yes", code=0)
    (cookie, pid), = kept()
    node.restart_agent()
    node.wait_recovered()
    node.wait_registered()
    ew.json("protect", "--yes", code=0)
    (new_cookie, same_pid), = kept()
    assert same_pid == pid == node.executor("task-0").pid
    assert new_cookie != cookie


def test_what_was_before_is_written_before_anything_is_set(lab, ew):
    """Killed at any moment: what was before can be restored, and another run finishes the work."""
    node = lab(executors(4, kind="v0-old"), conntrack=True)
    for nr in range(KILLS):
        run = ew.start("protect", "--yes", "-q")
        node.wait_until(lambda: run.process.poll() is not None or (ew.state_dir / "audit.log").exists())
        time.sleep(nr / KILLS * 1.2)  # a moment of the act, each time another one
        run.interrupt(signal.SIGKILL).result()
        finished = {id for id, now in keepalive(ew, node).items() if now == [PROTECTED]}
        assert acts(ew.json("protect", "--yes", code=0)) == [
            (f"task-{i}", "skipped" if f"task-{i}" in finished else "done") for i in range(4)]
        assert keepalive(ew, node) == {f"task-{i}": [PROTECTED] for i in range(4)}
        undone = ew.json("protect", "--undo", "--yes", code=0)
        assert [a["keepalive"] for a in undone["acts"]] == [
            {"on": False, "idle_s": 7200, "interval_s": 75, "count": 9}] * 4
        (ew.state_dir / "audit.log").unlink()


def test_a_log_that_cannot_be_written_stops_it(lab, ew):
    node = lab(executors(1, kind="v0-old"), conntrack=True)
    ew.state_dir.mkdir(mode=0o700)
    (ew.state_dir / "protected.json").write_text("{")
    done = ew("protect", "--yes")
    assert done.code == 3
    assert "protected.json" in done.err and "move it away" in done.err
    assert (ew.state_dir / "protected.json").read_text() == "{"
    assert timers(node) == 0


def test_a_log_that_fails_in_the_middle(lab, ew):
    """The intents fit, the results do not, as on a full disk: what was done is told all the same."""
    node = lab(executors(4, kind="v0-old"), conntrack=True)
    done = ew("protect", "--yes", "-f", "json", prefix=["bash", "-c", 'ulimit -f "$0"; exec "$@"', "3"])
    assert done.code == 3
    assert "audit.log" in done.err and "File too large" in done.err
    assert acts(done.json) == [(f"task-{i}", "done") for i in range(4)]
    assert timers(node) == 4


def test_killed_before_its_result_was_written(lab, ew):
    lab(executors(1, kind="v0-old"), conntrack=True)
    ew.json("protect", "--yes", code=0)
    log = ew.state_dir / "audit.log"
    log.write_text(log.read_text(encoding="utf-8").splitlines(keepends=True)[0], encoding="utf-8")
    again = ew("protect", "--yes")
    assert re.search(r"task-0 \(pid \d+\): its keepalive may be another one than before", again.err)
    assert [(line["phase"], line["result"]) for line in ew.audit_log()] == [("intent", ""), ("result", "failed")]


def test_a_link_that_ends_during_the_act_is_no_refusal(lab, ew):
    """Its probes are dropped, so that the act waits for 5 s; something had been changed by then."""
    node = lab(executors(1, kind="v0-old"), conntrack=True)
    port = node.executor("task-0").link["local"].rpartition(":")[2]
    node.nft(f"""table ip mute {{
        chain out {{
            type filter hook output priority -500;
            tcp sport {port} drop;
        }}
    }}""")
    run = ew.start("protect", "--yes", "-f", "json")
    node.wait_until(lambda: timers(node) == 1, what="the keepalive")
    node.run("ss", "-K", "sport", "=", f":{port}", check=True, capture_output=True)
    act, = run.result().json["acts"]
    assert act["result"] == "failed"


# ---- refused ----

def test_refused_with_the_reason(lab, ew, other_port):
    node = lab(agent(name="other", port=other_port()),
               executor("forgotten", kind="v0-old"), executor("half", kind="v0-old"),
               executor("foreign", kind="v0-old", agent="other"),
               executor("batch", kind="v0-old", checkpoint="0"),
               executor("well", kind="v0-old"), conntrack=True)
    node.forget("forgotten")
    node.half_open("half")
    before = node_connections(node, ew.port)
    document = ew.json("protect", "--yes", code=2)
    assert acts(document, "reason_id") == [
        ("batch", "refused", "forbidden"), ("forgotten", "refused", "no-entry"),
        ("half", "refused", "no-agent-end"), ("well", "done", None)]
    assert "a probe would break the link" in next(
        a["reason"] for a in document["acts"] if a["executor_id"] == "forgotten")
    assert timers(node) == 1
    assert node_connections(node, ew.port) == before


def test_an_entry_that_lasts_too_short_or_an_idle_time_that_is_too_long(lab, ew):
    node = lab(executors(1, kind="v0-old"), conntrack=True)
    node.established_timeout(100)
    refused = ew.json("protect", "--yes", "--idle", "51s")
    assert acts(refused, "reason_id") == [("task-0", "refused", "idle-too-long")]
    node.established_timeout(2)
    assert acts(ew.json("protect", "--yes"), "reason_id") == [("task-0", "refused", "short-lived")]
    assert timers(node) == 0


def test_a_policy_of_the_firewall_is_shorter_than_the_sysctl(lab, ew):
    """What an entry really lasts is seen when the first probe has renewed it."""
    node = lab(executors(1, kind="v0-old"), conntrack=True)
    node.nft(f"""table ip brief {{
        ct timeout short {{
            protocol tcp;
            l3proto ip;
            policy = {{ established : 40 }};
        }}
        chain out {{
            type filter hook output priority -50;
            tcp dport {ew.port} ct timeout set "short";
        }}
    }}""")
    node.restart_agent()
    node.wait_recovered()
    node.wait_registered()
    assert acts(ew.json("protect", "--yes", code=0)) == [("task-0", "done")]
    assert keepalive(ew, node)["task-0"][0]["idle_s"] == 10


def test_without_connection_tracking_nothing_is_to_do(lab, ew):
    node = lab(executors(1, kind="v0-old"))
    assert acts(ew.json("protect", "--yes", code=0), "reason_id") == [("task-0", "skipped", "not-tracked")]
    assert timers(node) == 0
    assert re.search(r"^healthy +task-0 +\d+ +both ends +off ", ew("audit").out, re.M)


def test_an_executor_in_a_network_of_its_own(lab, ew):
    """Its packets pass two namespaces; the entry is in the agent's."""
    node = lab(executor("boxed", kind="v0-old", ns="net"), ip="10.77.0.1", conntrack=True)
    assert acts(ew.json("protect", "--yes", code=0), "proof") == [("boxed", "done", "entry-renewed")]
    node.forget("boxed")
    assert acts(ew.json("protect", "--yes", "--idle", "5s", code=1), "reason_id") == [
        ("boxed", "refused", "no-entry")]


# ---- who is asked, what is shown ----

def test_dry_run_touches_nothing(lab, ew):
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("task-1")
    shown = ew("protect", "--dry-run")
    assert shown.code == 1
    assert "Keepalive would be set on 1 link." in shown.words
    assert re.search(r"protect +task-0", shown.out) and re.search(r"leave +task-1", shown.out)
    assert acts(ew.json("protect", "--dry-run"), "reason_id") == [
        ("task-0", "skipped", "dry-run"), ("task-1", "refused", "no-entry")]
    assert timers(node) == 0
    assert ew.audit_log() == []
    assert not (ew.state_dir / "protected.json").exists()


def test_a_dry_run_leaves_the_file_of_links_alone(lab, ew):
    """It holds no lock: another execwatch may be writing it."""
    lab(executors(1, kind="v0-old"), conntrack=True)
    ew.json("protect", "--yes", code=0)
    file = ew.state_dir / "protected.json"
    before = file.stat().st_ino, file.stat().st_mtime_ns
    assert acts(ew.json("protect", "--undo", "--dry-run"), "reason_id") == [("task-0", "skipped", "dry-run")]
    assert acts(ew.json("protect", "--idle", "5s", "--dry-run"), "reason_id") == [("task-0", "skipped", "dry-run")]
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == before


def test_it_needs_a_yes(lab, ew):
    node = lab(executors(1, kind="v0-old"), conntrack=True)
    done = ew("protect")
    assert done.code == 64 and "--yes" in done.err
    terminal = ew.terminal("protect").read_until(r"\[y/N\]")
    assert "No executor is disconnected" in terminal.text
    assert terminal.type("n\n").wait() == 1
    assert timers(node) == 0
    assert ew.terminal("protect").read_until(r"\[y/N\]").type("y\n").wait() == 0
    assert timers(node) == 1


def test_what_changes_while_the_question_stands_is_left_alone(lab, ew):
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    terminal = ew.terminal("protect").read_until(r"\[y/N\]")
    node.forget("task-0")
    terminal.type("y\n").read_until("task-0 is left alone: its entry of connection tracking is gone")
    terminal.wait()
    assert {id for id, links in keepalive(ew, node).items() if links[0]} == {"task-1"}


def test_one_at_a_time(lab, ew):
    node = lab(executors(1, kind="v0-old"), conntrack=True)
    first = ew.start("run", "--yes", "-q", "--", "sh", "-c", "echo begun >&2; sleep 100").wait_for("begun")
    second = ew("protect", "--yes")
    assert second.code == 75 and str(first.process.pid) in second.err
    assert timers(node) == 0


def test_the_audit_log_has_what_was_and_what_is(lab, ew):
    lab(executors(1, kind="v0-old"), conntrack=True)
    ew.json("protect", "--yes", code=0)
    intent, result = ew.audit_log()
    assert (intent["phase"], intent["action"], intent["before_on"], intent["before_idle_s"]) == (
        "intent", "protect", "no", 7200)
    assert (result["phase"], result["result"], result["on"], result["idle_s"], result["proof"]) == (
        "result", "done", "yes", 600, "entry-renewed")


def test_protecting_is_no_treatment(lab, ew):
    """No clock runs, and an audit after it says nothing of one."""
    node = lab(executors(1, kind="v0-old"), conntrack=True)
    ew.json("protect", "--yes", code=0)
    node.stop_agent()
    node.wait_until(lambda: audited(ew, node, "task-0")["verdict"] == "disconnected")
    assert "treated" not in ew("audit", "-v").words


# ---- the daemon ----

@pytest.fixture
def daemon(ew):
    def start():
        return ew.start("protect", "--daemon", "--yes").wait_for("waiting for executors to register")
    return start


def test_the_daemon_protects_an_executor_that_comes(lab, ew, daemon):
    node = lab(executors(1, kind="v0-old"), conntrack=True)
    run = daemon().wait_for("task-0 .* is protected")
    node.launch("late")
    run.wait_for("late .* is protected")
    assert timers(node) == 2
    node.launch("late-v1", kind="v1")
    run.wait_for("late-v1 .* is protected")
    run.interrupt(signal.SIGTERM)
    assert run.result().code == 0
    assert timers(node) == 4


def test_the_daemon_protects_the_new_links_after_a_restart(lab, ew, daemon):
    node = lab(executors(2, kind="v0-old"), executor("http", kind="v1"), conntrack=True)
    run = daemon()
    assert timers(node) == 4
    node.restart_agent()
    node.wait_registered()
    node.wait_until(lambda: timers(node) == 4, seconds=60, what="protection of the new links")
    assert run.process.poll() is None


def test_the_daemon_survives_its_kill(lab, ew, daemon):
    node = lab(executors(1, kind="v0-old"), conntrack=True)
    daemon().interrupt(signal.SIGKILL).result()
    assert timers(node) == 1
    node.launch("late")
    run = daemon().wait_for("late .* is protected")
    assert timers(node) == 2
    ew.json("protect", "--undo", "--yes", code=0)
    assert timers(node) == 0
    assert run.process.poll() is None


# Begins TLS with the agent all the time, as one that is about to register.
NOISE = '''
import socket, sys, time
while True:
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
        s.sendall(bytes.fromhex("160301000568656c6c6f"))
    print(flush=True)
    time.sleep(0.1)
'''


def test_the_daemon_looks_also_while_events_come_all_the_time(lab, ew, daemon):
    node = lab(executors(1, kind="v0-old"), conntrack=True)
    run = daemon()
    noise = node.popen(sys.executable, "-c", NOISE, str(ew.port), stdout=subprocess.PIPE)
    try:
        noise.stdout.readline()
        node.launch("late")
        run.wait_for("late .* is protected")
    finally:
        noise.kill()
        noise.communicate()


def test_one_daemon_for_a_port(lab, ew, daemon):
    lab(executors(1, kind="v0-old"), conntrack=True)
    first = daemon()
    second = ew("protect", "--daemon", "--yes")
    assert second.code == 75 and str(first.process.pid) in second.err


def test_the_daemon_acts_beside_others(lab, ew, daemon):
    """It holds the lock only while it acts: a window can be opened beside it."""
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    daemon()
    report = ew.json("run", "--yes", "--until", "settled", "--", *node.command(*node.restart_args()), code=0)
    assert set(each(report, node, "outcome").values()) == {"reregistered"}


def test_the_daemon_needs_events(lab, ew):
    lab(executors(1, kind="v0-old"), conntrack=True)
    done = ew("protect", "--daemon", "--yes", "--no-bpf")
    assert done.code == 3 and "needs events of connections" in done.err

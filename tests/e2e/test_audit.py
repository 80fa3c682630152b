# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Audits of nodes in other states: no firewall, no agent, libraries that tell little."""

import contextlib
import http.server
import threading

import pytest

from execwatch import by_id, each
from labnode import executor, executors


def evidence(document, node):
    return {id: [(l["agent_end"], l["conntrack"]) for l in e["links"]]
            for id, e in by_id(document, node).items()}


def test_no_connection_tracking(lab, ew):
    """Nothing can forget a link: all is well, whatever the age of the executors."""
    node = lab(executors(2, kind="v0-old"), executor("http", kind="v1"))
    audit = ew.json("audit", code=0)
    assert set(each(audit, node, "verdict").values()) == {"healthy"}
    assert {c for links in evidence(audit, node).values() for c in links} == {("present", "off")}


def test_a_firewall_that_came_later(lab, ew):
    """Links that were there before it was switched on have no entry."""
    node = lab(executors(2, kind="v0-old"), executor("relinks", kind="v0-relink"))
    assert ew("audit").code == 0
    node.conntrack(True)
    audit = ew.json("audit", code=1)
    assert each(audit, node, "verdict") == {"task-0": "at-risk", "task-1": "at-risk", "relinks": "self-healing"}


def test_a_half_open_link_without_connection_tracking(lab, ew):
    """Only one end is left: no firewall is needed for that to be a loss."""
    node = lab(executors(2, kind="v0-old"))
    node.half_open("task-1")
    audit = ew.json("audit", code=1)
    assert each(audit, node, "verdict") == {"task-0": "healthy", "task-1": "half-open"}


def test_the_agent_is_gone_already(lab, ew):
    """Those that noticed wait; those that did not can still be told."""
    node = lab(executors(1, kind="v0-old"), executor("stale", kind="v0-old"),
               executor("http", kind="v1"), conntrack=True)
    node.forget("stale")
    node.stop_agent()
    audit = ew.json("audit", code=2)
    assert each(audit, node, "verdict") == \
        {"task-0": "disconnected", "stale": "half-open", "http": "disconnected"}
    assert audit["agent"]["pid"] is None
    done = ew.json("shutdown", "--yes", code=2)  # task-0 is lost unless an agent starts
    assert [(a["executor_id"], a["result"]) for a in done["acts"]] == [("stale", "done")]
    node.start_agent()
    node.wait_recovered()
    assert all(e.alive for e in node.executors())


@pytest.mark.parametrize("kind, version, verdict", [
    ("v0-old", "0.28.3", "at-risk"), ("v0-old", "1.1.1", "at-risk"), ("v0-relink", "1.1.2", "self-healing"),
    ("v0-relink", "1.3.0", "self-healing"), ("v0-old", "1.2.0-rc1", "at-risk"),
])
def test_the_version_decides(lab, ew, kind, version, verdict):
    """Which library relinks: told by the mapped library, whether its file is still there or not."""
    node = lab(executor("mapped", kind=kind, version=version),
               executor("deleted", kind=kind, version=version, lib="deleted"), conntrack=True)
    node.forget("all")
    audit = ew.json("audit")
    found = by_id(audit, node)
    assert {id: e["library_version"] for id, e in found.items()} == dict.fromkeys(found, version)
    assert each(audit, node, "verdict") == dict.fromkeys(found, verdict)


def test_a_version_that_nobody_knows(lab, ew):
    """An executor of unknown age is taken for an old one: the version in its log says nothing of the
    code that runs, since logs are rotated and the task writes into them too."""
    node = lab(executor("mystery", kind="v0-relink", version="1.11.0", lib="no"), conntrack=True)
    node.forget("all")
    assert "Version: 1.11.0" in node.stderr_of(node.executor("mystery"))
    audit = ew.json("audit", code=1)
    assert each(audit, node, "verdict") == {"mystery": "at-risk"}
    assert by_id(audit, node)["mystery"]["library_version"] is None
    assert "not known" in " ".join(by_id(audit, node)["mystery"]["why"])


@contextlib.contextmanager
def asked(happens):
    """A URL; what happens when it is asked is over before its (useless) answer."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            happens()
            self.send_error(404)

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("options", [[], ["--no-bpf"]], ids=["bpf", "no-bpf"])
def test_what_lasts_for_a_moment_is_looked_at_twice(lab, ew, options):
    """The agent comes back while the audit is under way, its sockets read and its API not yet."""
    node = lab(executors(2, kind="v0-old"), executor("http", kind="v1"))
    node.stop_agent()

    returned = []

    def back():
        if not returned:
            returned.append(node.start_agent())
            node.wait_registered()

    with asked(back) as url:
        audit = ew.json("audit", "--agent-url", url, "--record", ew.state_dir.parent / "recording", *options)
    assert {id: {end for end, _ in links} for id, links in evidence(audit, node).items()} == \
        dict.fromkeys(("task-0", "task-1", "http"), {"present"})
    assert "disconnected" not in each(audit, node, "verdict").values()
    replayed = ew("audit", "-f", "json", "--replay", ew.state_dir.parent / "recording")
    assert replayed.json == audit


def test_an_empty_node(lab, ew):
    lab()
    done = ew("audit")
    assert done.code == 0
    assert f"The agent on port {ew.port} has no executors." in done.words


def test_recovery_timeouts_are_the_executors_own(lab, ew):
    """Each from its own environment: an old executor keeps what an old agent gave it."""
    node = lab(executor("short", kind="v0-old", recovery_timeout="90secs"),
               executor("long", kind="v0-old", recovery_timeout="24hrs"),
               executor("agents", kind="v0-old"), conntrack=True,
               agent_words={"recovery-timeout": "10mins"})
    node.forget("all")
    found = by_id(ew.json("audit"), node)
    assert {id: e["recovery_timeout_s"] for id, e in found.items()} == \
        {"short": 90, "long": 86400, "agents": 600}
    plan = ew.json("shutdown", "--dry-run")
    assert [a["executor_id"] for a in plan["acts"]] == ["short", "agents", "long"]  # first to end first


@pytest.mark.parametrize("format, pattern", [
    ("nagios", "EXECWATCH WARNING - If the agent restarts now, 1 of 2 executors is lost"),
    ("jsonl", '"schema":"execwatch.audit/1"'),
])
def test_formats(lab, ew, format, pattern):
    """One line for a monitoring system, one for a log."""
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    node.forget("task-0")
    done = ew("audit", "-f", format)
    assert done.code == 1
    assert pattern in done.out
    assert done.out.count("\n") == 1


@pytest.mark.parametrize("format, pattern", [
    ("table", "v1-backoff (warning, ignored):"),
    ("json", '"ignored": true'),
    ("jsonl", '"ignored":true'),
    ("nagios", "EXECWATCH OK - A restart of the agent is safe for all 2 executors. Ignored: v1-backoff (warning)."),
])
def test_an_ignored_finding_is_shown_as_ignored(lab, ew, format, pattern):
    lab(executors(2, kind="v1", backoff_max="10secs"))
    done = ew("audit", "-f", format, "--ignore", "impostor-agent,v1-backoff", "--ignore", "v1-backoff")
    assert (done.code, pattern in done.words) == (0, True), done


def test_colours(lab, ew):
    """On a terminal only, or when asked for; NO_COLOR is respected."""
    lab(executors(1, kind="v0-old"))
    assert "\x1b[" not in ew("audit").out
    assert "\x1b[32m" in ew("audit", "--color", "always").out
    terminal = ew.terminal("audit")
    assert terminal.wait() == 0 and "\x1b[32m" in terminal.text
    terminal = ew.terminal("audit", env={"NO_COLOR": "1"})
    assert terminal.wait() == 0 and "\x1b[" not in terminal.text

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Sockets of IPv6: with IPv4 addresses inside, as Java has them by default, and with their own."""

import pytest

from execwatch import by_id, each, tries
from guarding import start
from labnode import executor, executors

# What the agent and its executors use: arguments of the node, of the agent, of the executors. The
# first in `make check`, all in `make check-all`.
FAMILIES = {
    "mapped-both": ({"ip": "10.77.0.1"}, {"listen_ip": "::"}, {"family": "mapped"}),
    "unique-local": ({"ip": "fd00::1"}, {}, {}),
    "mapped": ({}, {}, {"family": "mapped"}),
    "dual-stack-agent": ({"ip": "10.77.0.1"}, {"listen_ip": "::"}, {}),
    "loopback": ({"ip": "::1"}, {}, {}),
    "listens-on-any": ({"ip": "fd00::1"}, {"listen_ip": "::"}, {}),
}


@pytest.fixture(params=list(FAMILIES)[:tries(1, len(FAMILIES))], name="family")
def _family(request):
    return FAMILIES[request.param]


@pytest.fixture
def up(lab, family):
    """up(executor("web"), ...): a node of that family, with the firewall that forgets."""
    node, main, each_one = family
    return lambda *made, **kw: lab(*(make(**{**each_one, **words}) for make, words in made), conntrack=True,
                                   agent_words=main, **node, **kw)


def one(id, **kw):
    return lambda **words: executor(id, **words), {"kind": "v0-old", **kw}


def many(count, **kw):
    return lambda **words: executors(count, **words), {"kind": "v0-old", **kw}


def alive(node):
    return {e.executor_id for e in node.executors() if e.alive}


def results(document):
    return {a["executor_id"]: (a["result"], a["method"]) for a in document["acts"]}


FOUR = (one("stale"), one("half"), one("well"), one("http", kind="v1"))


@pytest.mark.parametrize("options", [(), ("--no-bpf",)], ids=["bpf", "no-bpf"])
def test_verdicts(up, ew, options):
    node = up(*FOUR, one("http-stale", kind="v1"))
    node.forget(["stale", "http-stale"])
    node.half_open("half")
    document = ew.json("audit", *options, code=1)
    assert each(document, node, "verdict") == {
        "stale": "at-risk", "half": "half-open", "well": "healthy", "http": "healthy", "http-stale": "at-risk"}
    assert {link["agent_end"] for link in by_id(document, node)["well"]["links"]} == {"present"}


def test_lost_without(up):
    """The control of what follows."""
    node = up(*FOUR)
    node.forget("stale")
    node.half_open("half")
    node.restart_agent()
    node.wait_recovered()
    assert alive(node) == {"well", "http"}


@pytest.mark.parametrize("method", ["ptrace", "pidfd"])
def test_shutdown_saves(up, ew, method):
    node = up(*FOUR)
    node.forget("stale")
    node.half_open("half")
    document = ew.json("shutdown", "--yes", "--method", method)
    assert results(document) == {"stale": ("done", method), "half": ("done", method)}
    node.restart_agent()
    node.wait_recovered()
    assert alive(node) == {"stale", "half", "well", "http"}


def test_run_saves(up, ew):
    node = up(*FOUR)
    node.forget("stale")
    node.half_open("half")
    document = ew.json("run", "--yes", "--until", "settled", "--", *node.command(*node.restart_args()), code=0)
    outcomes = by_id(document, node)
    assert {id: (e["outcome"], e["proof"]) for id, e in outcomes.items()} == {
        id: ("reregistered", "message") for id in ("stale", "half", "well", "http")}
    assert alive(node) == {"stale", "half", "well", "http"}


def test_the_guard_saves(up, ew):
    """Links go stale after the audit."""
    node = up(many(4), one("http", kind="v1"))
    guard = start(ew)
    node.forget(["task-0", "task-1", "http"])
    node.restart_agent(down=1)
    done = guard.result()
    assert done.code == 0
    assert {id: result for id, (result, _) in results(done.json).items()} == dict.fromkeys(
        ["task-0", "task-1", "http"], "done")
    assert alive(node) == {"task-0", "task-1", "task-2", "task-3", "http"}


def test_protect_keeps_the_entry(up, ew):
    node = up(one("web"))
    node.established_timeout(30)
    node.expire_in("all", 20)
    assert each(ew.json("audit", code=1), node, "verdict") == {"web": "at-risk"}
    document = ew.json("protect", "--yes", code=0)
    assert [(a["executor_id"], a["result"], a["proof"]) for a in document["acts"]] == [
        ("web", "done", "entry-renewed")]
    assert each(ew.json("audit", code=0), node, "verdict") == {"web": "healthy"}


def test_hold_stops_the_clock(up, ew):
    node = up(one("held"))
    node.stop_agent()
    node.wait_until(lambda: node.phases("all") == {"disconnected"}, what="the executor's clock")
    document = ew.json("hold", "--yes")
    assert [(a["executor_id"], a["result"], a["proof"]) for a in document["acts"]] == [("held", "held", "answer+log")]


def test_in_a_namespace_of_its_own(lab, ew):
    """The entries of both namespaces are looked up in IPv6."""
    node = lab(executor("stale", kind="v0-old", ns="net"), executor("well", kind="v0-old", ns="net"),
               conntrack=True, ip="fd00::1")
    node.forget("stale")
    document = ew.json("audit")
    assert each(document, node, "verdict") == {"stale": "at-risk", "well": "healthy"}
    assert by_id(document, node)["well"]["links"][0]["remote"] == f"[fd00::1]:{ew.port}"


def test_link_local(lab, ew):
    """The API cannot be asked at an address without its scope: nothing is called good."""
    node = lab(executors(2, kind="v0-old"), conntrack=True, ip="fe80::1%lo")
    node.forget("task-0")
    assert each(ew.json("audit", code=3), node, "verdict") == {"task-0": "unknown", "task-1": "unknown"}
    node.restart_agent()
    node.wait_recovered()
    assert alive(node) == {"task-1"}

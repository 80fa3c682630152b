# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Links whose packets pass a network namespace that is neither the executor's nor the agent's."""

import os

import pytest

from execwatch import by_id, each
from labnode import executor
from router import Router

IP = "10.77.0.1"
SOURCE = """chain out {{ type nat hook postrouting priority 100;
    tcp dport {port} snat ip to 172.31.1.2:20000-30000 fully-random; }}
"""


@pytest.fixture
def behind(lab, port):
    """behind(kind, nat): a node, and a router between it and the executor "web"; "near" has none."""
    routers = []

    def up(kind="v0-old", nat="", **kw):
        node = lab(executor("web", kind=kind, ns="net", **kw), executor("near", kind="v0-old"), ip=IP, conntrack=True)
        router = Router(node)
        routers.append(router)
        node.stop_agent()
        node.wait_until(lambda: node.phases("all") == {"disconnected"}, what="the agent's FIN")
        router.firewall(nat.format(port=port))
        node.start_agent()
        node.wait_recovered()
        node.wait_registered()
        return node, router
    yield up
    for router in routers:
        router.end()


def alive(node):
    return {e.executor_id for e in node.executors() if e.alive}


def test_an_entry_in_each_namespace(behind, ew):
    node, _ = behind()
    ew.wait_judged(node)
    assert each(ew.json("audit", code=0), node, "verdict") == {"web": "healthy", "near": "healthy"}


def test_what_the_router_has_forgotten_is_at_risk(behind, ew, port):
    node, router = behind()
    ew.wait_judged(node)
    router.forget(port)
    audit = ew.json("audit", code=1)
    assert each(audit, node, "verdict") == {"web": "at-risk", "near": "healthy"}
    assert by_id(audit, node)["web"]["links"][0]["conntrack"] == "none"


def test_lost_without(behind, port):
    """The control of the two that follow."""
    node, router = behind()
    router.forget(port)
    node.restart_agent()
    node.wait_recovered()
    assert alive(node) == {"near"}


def test_shutdown_saves(behind, ew, port):
    node, router = behind()
    ew.wait_judged(node)
    router.forget(port)
    acts = ew.json("shutdown", "--yes", code=0)["acts"]
    assert [(a["executor_id"], a["result"]) for a in acts] == [("web", "done")]
    node.restart_agent()
    node.wait_recovered()
    assert alive(node) == {"web", "near"}


@pytest.fixture
def hidden(behind, ew, port):
    """A node whose router has forgotten the link: no process is in its namespace, and it has no name."""
    node, router = behind()
    ew.wait_judged(node)
    fd = os.open(f"/proc/{router.process.pid}/ns/net", os.O_RDONLY)
    router.forget(port)
    router.end()
    yield node
    os.close(fd)


def test_a_router_that_nothing_leads_to(hidden, ew):
    """Whether its tracking knows the link cannot be told."""
    audit = ew.json("audit", code=3)
    assert each(audit, hidden, "verdict") == {"web": "unknown", "near": "healthy"}
    words = ew("audit").words
    assert "no process is in and that has no name" in words
    assert "Restart the agent by 'execwatch run' only: its guard treats a link" in words


def test_the_guard_saves_behind_it(hidden, ew):
    """As the advice says."""
    done = ew.json("run", "--yes", "--until", "settled", "--", *hidden.command(*hidden.restart_args()), code=0)
    assert each(done, hidden, "outcome") == {"web": "reregistered", "near": "reregistered"}


def test_a_router_with_a_name(behind, ew, port):
    """As ip-netns(8) and docker keep those without a process."""
    node, router = behind()
    ew.wait_judged(node)
    router.forget(port)
    script = ("mount -t tmpfs none /run/netns && touch /run/netns/router && "
              f"mount --bind /proc/{router.process.pid}/ns/net /run/netns/router && kill -9 {router.process.pid} && "
              f"while [ -e /proc/{router.process.pid}/ns/net ]; do :; done; exec \"$@\"")
    os.makedirs("/run/netns", exist_ok=True)
    done = ew("audit", "-f", "json",
              prefix=["unshare", "-m", "--propagation", "private", "bash", "-c", script, "sh"])
    assert done.code == 1, done
    assert each(done.json, node, "verdict") == {"web": "at-risk", "near": "healthy"}


def test_the_router_translates(behind, ew, port):
    """The agent sees the router's address; the entry of the router tells whose that is."""
    node, router = behind(nat=SOURCE)
    ew.wait_judged(node)
    audit = ew.json("audit", code=0)
    assert each(audit, node, "verdict") == {"web": "healthy", "near": "healthy"}
    router.forget(port)
    assert each(ew.json("audit", code=3), node, "verdict") == {"web": "unknown", "near": "healthy"}


def test_a_registration_through_a_router_that_translates(behind, ew):
    node, _ = behind(kind="v1", nat=SOURCE)
    ew.wait_judged(node)
    done = ew.json("run", "--yes", "--until", "settled", "--", *node.command(*node.restart_args()), code=0)
    assert {id: (e["outcome"], e["proof"]) for id, e in by_id(done, node).items()} == {
        "web": ("reregistered", "message"), "near": ("reregistered", "message")}

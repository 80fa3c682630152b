# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Executors in containers whose devices are ports of a bridge of the host, as docker and CNI make them."""

import subprocess

import pytest

from execwatch import by_id, each
from labnode import executor

IP = "10.77.0.1"


def in_its_network(node, executor_id, *argv):
    pid = str(node.executor(executor_id).pid)
    subprocess.run(["nsenter", "-t", pid, "-n", "--", *argv], check=True, timeout=60)


def to_bridge(node, index):
    """The node's end of pair `index` becomes a port of a bridge, which gets its address."""
    bridge, port = f"br{index}", f"ew{index}"
    for argv in (["link", "add", bridge, "type", "bridge"], ["link", "set", bridge, "up"],
                 ["addr", "del", f"172.30.{index}.1/30", "dev", port], ["link", "set", port, "master", bridge],
                 ["addr", "add", f"172.30.{index}.1/30", "dev", bridge]):
        node.run("ip", *argv, check=True)


@pytest.fixture
def node(lab, ew):
    """Two bridges, one container at each, and an executor beside the agent."""
    node = lab(executor("web", kind="v0-old", ns="net"), executor("db", kind="v0-old", ns="net"),
               executor("near", kind="v0-old"), ip=IP, conntrack=True)
    to_bridge(node, 1)
    to_bridge(node, 2)
    ew.wait_judged(node)
    return node


def test_healthy(node, ew):
    assert each(ew.json("audit", code=0), node, "verdict") == {"web": "healthy", "db": "healthy", "near": "healthy"}


def test_what_the_host_has_forgotten_is_at_risk(node, ew):
    node.forget("web")
    audit = ew.json("audit", code=1)
    assert each(audit, node, "verdict") == {"web": "at-risk", "db": "healthy", "near": "healthy"}
    assert by_id(audit, node)["web"]["links"][0]["conntrack"] == "none"


def test_a_route_by_the_source_address(node, ew):
    """As CNI's source based routing: no route of the main table leads to the agent."""
    for argv in (["rule", "add", "from", "172.30.1.2", "lookup", "100"],
                 ["route", "add", "default", "via", "172.30.1.1", "table", "100"],
                 ["route", "del", "default"]):
        in_its_network(node, "web", "ip", *argv)
    assert each(ew.json("audit", code=0), node, "verdict")["web"] == "healthy"
    node.forget("web")
    assert each(ew.json("audit", code=1), node, "verdict")["web"] == "at-risk"

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The connections of a node as the kernel has them: to see that something did not change."""

import os
import re
import subprocess

COOKIE = re.compile(r"\bsk:(\S+)")
INODE = re.compile(r"\bino:(\d+)")
OPEN = re.compile(r"([<-]-[>-])")


def _listing(pid, port):
    return subprocess.run(
        ["nsenter", "-t", str(pid), "-n", "--", "ss", "-tnHeO", "state", "established",
         f"( sport = :{port} or dport = :{port} )"],
        capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()


def connections(pid, port):
    """{cookie: (local, remote, inode, open directions)} of the connections to or from the port
    in the network namespace of pid. `<->` is open both ways, `-->` has been shut down for reading.
    """
    found = {}
    for line in _listing(pid, port):
        inode, directions = INODE.search(line), OPEN.search(line)
        found[COOKIE.search(line)[1]] = (
            *line.split()[2:4], inode and int(inode[1]), directions and directions[1])
    return found


def _namespaces(node):
    pids = [*(e.pid for e in node.executors() if e.alive), node.initial["ns_pid"]]
    return {os.readlink(f"/proc/{pid}/ns/net"): pid for pid in pids}.values()


def node_connections(node, port):
    """The same of the node and of every executor that has a namespace of its own."""
    return {key: value for pid in _namespaces(node)
            for key, value in connections(pid, port).items()}


def wait_quiet(node, port):
    """Until the kernel has an acknowledgement for every byte that was sent."""
    def quiet():
        return not any(line.split()[1] != "0" for pid in _namespaces(node)
                       for line in _listing(pid, port))
    node.wait_until(quiet, what="silence on the links")


def inodes(executor):
    """The sockets that its links are now, read from /proc; None where it has closed one."""
    def inode(fd):
        try:
            target = os.readlink(f"/proc/{executor.pid}/fd/{fd}")
        except FileNotFoundError:
            return None
        return int(target[8:-1]) if target.startswith("socket:[") else None
    return [inode(link["fd"]) for link in executor.links]


def keeps_its_links(executor):
    """It has the very sockets that it had when this `executor` was read from the node."""
    return inodes(executor) == [link["inode"] for link in executor.links]

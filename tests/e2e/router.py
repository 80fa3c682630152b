# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A router's network namespace between a lab node and an executor with ns="net"."""

import os
import subprocess

RULES = """
table inet router {{
    chain forward {{ type filter hook forward priority 0; policy drop;
        ct state established,related accept
        tcp flags & (fin|syn|rst|ack) == syn accept
    }}
{nat}}}
"""


class Router:
    """Takes over the node's end of the executor's pair of devices (number `index`): packets between
    the two pass this namespace from then on. Connections that are there stay."""

    def __init__(self, node, index=1):
        self.node, self.inside, self.outside = node, f"172.30.{index}.1/30", f"172.31.{index}"
        self.process = subprocess.Popen(["unshare", "-n", "sleep", "1000"])
        own = os.readlink("/proc/self/ns/net")
        node.wait_until(lambda: os.readlink(f"/proc/{self.process.pid}/ns/net") != own, what="the router's namespace")
        device, pid = f"ew{index}", self.process.pid
        self.run("ip", "link", "set", "lo", "up")
        self.outer("ip", "link", "set", device, "netns", pid)
        self.run("ip", "addr", "add", self.inside, "dev", device)
        self.run("ip", "link", "set", device, "up")
        self.outer("ip", "link", "add", f"out{index}", "type", "veth", "peer", "name", "up0", "netns", pid)
        self.outer("ip", "addr", "add", self.outside + ".1/30", "dev", f"out{index}")
        self.outer("ip", "link", "set", f"out{index}", "up")
        self.run("ip", "addr", "add", self.outside + ".2/30", "dev", "up0")
        self.run("ip", "link", "set", "up0", "up")
        self.run("ip", "route", "add", "default", "via", self.outside + ".1")
        self.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.outer("ip", "route", "add", f"172.30.{index}.0/30", "via", self.outside + ".2")

    def outer(self, *argv):
        self.node.run(*map(str, argv), check=True)

    def inside_argv(self, *argv):
        return ["nsenter", "-t", str(self.process.pid), "-n", "--", *map(str, argv)]

    def run(self, *argv, **kw):
        return subprocess.run(self.inside_argv(*argv), check=True, timeout=60, **kw)

    def firewall(self, nat=""):
        """The firewall that forgets; nat: a chain that translates."""
        self.run("nft", "-f", "-", input=RULES.format(nat=nat), text=True)
        self.run("sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_loose=0")

    def forget(self, port):
        """All entries of connections to that port."""
        self.run("conntrack", "-D", "-p", "tcp", "--orig-port-dst", port, capture_output=True)

    def end(self):
        self.process.kill()
        self.process.wait()

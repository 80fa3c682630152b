# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A table of connection tracking that is full: the limit is the host's, and counts in each network namespace."""

import pathlib

import pytest

from execwatch import each
from labnode import executors

LIMIT = pathlib.Path("/proc/sys/net/netfilter/nf_conntrack_max")
FILL = pathlib.Path(__file__).with_name("fill_conntrack.py")
MOST = 1 << 19  # half a gigabyte


def finding(audit):
    found, = [f for f in audit["findings"] if f["id"] == "conntrack-full"]
    return found


@pytest.mark.big
def test_a_full_table(lab, ew):
    node = lab(executors(2, kind="v0-old"), conntrack=True)
    limit = int(LIMIT.read_text())
    if limit > MOST:
        pytest.skip(f"{limit} entries would have to be made")
    node.run("/usr/bin/python3", FILL, str(limit), check=True)
    audit = ew.json("audit", code=2)
    # The kernel drops what opens a connection, the question to the agent too.
    assert audit["agent"]["api"] == "no answer in time: the agent hangs, or something drops packets"
    full = finding(audit)
    assert full["severity"] == "critical"
    assert f"has {limit} entries of at most {limit}." in full["evidence"]
    assert f"sysctl -w net.netfilter.nf_conntrack_max={2 * limit}" in full["cure"]
    node.run("conntrack", "-D", "-p", "tcp", "--dport", "80", capture_output=True, check=True)
    audit = ew.json("audit", code=0)
    assert each(audit, node, "verdict") == {"task-0": "healthy", "task-1": "healthy"}
    assert not audit["findings"]

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""-f nagios: every end is one line on standard output and a code from 0 to 3."""

import pytest

from labnode import executors


@pytest.mark.parametrize("args", [
    ["audit", "-f", "nagios", "--bogus"],
    ["-f", "nagios", "audti"],
    ["audit", "--format=nagios", "-p", "x"],
    ["audit", "-fnagios", "--replay", "/nonexistent"],
    ["verify", "-f", "nagios", "--baseline", "/nonexistent"],
    ["shutdown", "-f", "nagios"],
    ["run", "-f", "nagios", "--yes"],
    ["watch", "-f", "nagios"],
])
def test_what_goes_wrong_is_unknown(ew, args):
    done = ew(*args)
    assert done.code == 3
    assert done.out.startswith("EXECWATCH UNKNOWN - ")
    assert done.out.count("\n") == 1


def test_doctor(ew):
    done = ew("doctor", "-f", "nagios", "-p", "1")
    assert done.out.startswith("EXECWATCH ") and done.out.count("\n") == 1
    assert done.code == ["OK", "WARNING", "CRITICAL", "UNKNOWN"].index(done.out.split()[1])


def test_a_port_where_nothing_listens(lab, ew, other_port):
    """A typing error in the port is not OK."""
    lab(executors(1, kind="v0-old"))
    done = ew("audit", "-f", "nagios", "-p", str(other_port()))
    assert done.code == 3
    assert done.out.startswith("EXECWATCH UNKNOWN - ")


def test_a_healthy_node(lab, ew):
    lab(executors(2, kind="v0-old"))
    done = ew("audit", "-f", "nagios")
    assert done.code == 0
    assert done.out.startswith("EXECWATCH OK - A restart of the agent is safe for all 2 executors.")

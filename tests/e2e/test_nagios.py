# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""-f nagios: every end is one line on standard output and a code from 0 to 3."""

import subprocess
import sys

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


def test_a_listener_that_is_no_agent(lab, ew, other_port):
    """A web server on the port is not an agent without executors; nor does run start its command."""
    node = lab(executors(1, kind="v0-old"))
    port = str(other_port())
    server = node.popen(sys.executable, "-m", "http.server", port, stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL)
    try:
        node.wait_until(lambda: port in node.run("ss", "-tlnH", text=True,
                                                 capture_output=True).stdout, what="the listener")
        done = ew("audit", "-f", "nagios", "-p", port)
        assert done.code == 3
        assert done.out.startswith("EXECWATCH UNKNOWN - ")
        assert f"(pid {server.pid}) listens on port {port}" in done.out
        run = ew("run", "--yes", "-p", port, "--", "echo", "started")
        assert run.code == 3
        assert "started" not in run.out.splitlines()
    finally:
        server.kill()
        server.wait()


def test_standard_output_is_closed(lab, ew):
    """A report that nobody got is not OK."""
    lab(executors(1, kind="v0-old"))
    done = ew("audit", "-f", "nagios", prefix=["sh", "-c", 'exec "$@" >&-', "sh"])
    assert done.code == 3
    assert "write the report to standard output" in done.err


def test_a_healthy_node(lab, ew):
    lab(executors(2, kind="v0-old"))
    done = ew("audit", "-f", "nagios")
    assert done.code == 0
    assert done.out.startswith("EXECWATCH OK - A restart of the agent is safe for all 2 executors.")

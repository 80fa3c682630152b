# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Fixtures: a lab node, and execwatch with directories and an agent port of its own."""

import signal
import contextlib
import itertools
import os
import pathlib
import tempfile

import pytest

from connections import wait_quiet
from execwatch import Execwatch
from labnode import LabNode, agent

# Whoever runs the tests under nohup ignores SIGHUP, which execwatch inherits and honours.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Nodes on one machine do not see each other as long as their agents' ports differ, so each process
# that runs tests has a block of 60 ports (of four digits) of its own: scripts/run-e2e says which.
_ports = itertools.count(int(os.environ.get("EXECWATCH_TEST_PORT") or 6100 + os.getpid() % 60 * 60))


def pytest_configure(config):
    config.addinivalue_line("markers", "big: many executors; left out by -m 'not big'")


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="needs root: namespaces, ptrace and BPF"))


@pytest.fixture(scope="module")
def port():
    """The agent's port of this module's nodes."""
    return next(_ports)


@pytest.fixture(scope="session")
def other_port():
    """Numbers of ports for more agents of a node."""
    return lambda: next(_ports)


@pytest.fixture
def ew(port, tmp_path):
    tool = Execwatch(port, tmp_path)
    yield tool
    tool.close()


@pytest.fixture(scope="module")
def module_ew(port, tmp_path_factory):
    """For modules whose tests share a node."""
    tool = Execwatch(port, tmp_path_factory.mktemp("execwatch"))
    yield tool
    tool.close()


@pytest.fixture
def open_dir():
    """A directory that other users may enter. Below pytest's own they may not: each pytest that starts takes
    the right to enter away again."""
    with tempfile.TemporaryDirectory(prefix="ew-open-") as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


@contextlib.contextmanager
def _labs(port):
    with contextlib.ExitStack() as stack:
        def up(*lines, agent_words=None, **kw):
            main = agent(port=port, **(agent_words or {}))
            node = stack.enter_context(LabNode(main, *lines, **kw))
            wait_quiet(node, port)
            return node
        yield up


@pytest.fixture
def lab(port):
    """lab(executors(3), conntrack=True): a node that lives as long as the test."""
    with _labs(port) as up:
        yield up


@pytest.fixture(scope="module")
def module_lab(port):
    """The same for all tests of a module."""
    with _labs(port) as up:
        yield up

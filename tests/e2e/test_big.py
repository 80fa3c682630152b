# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A node with 1,000 executors."""

import pytest

from execwatch import by_id, each
from labnode import executors

pytestmark = pytest.mark.big


def test_a_thousand(lab, ew):
    """None is missed and none is lost, from the audit to the last registration."""
    node = lab(executors(500, kind="v0-old", prefix="stale-", group="stale", workers=1),
               executors(300, kind="v0-relink", prefix="relinks-", workers=1),
               executors(200, kind="v1", prefix="http-", workers=1), conntrack=True)
    node.forget("group:stale")
    audit = ew.json("audit", code=1)
    assert len(by_id(audit, node)) == 1000
    assert audit["summary"]["at-risk"] == 500
    assert audit["summary"]["healthy"] == 500
    assert audit["summary"]["unknown"] == 0

    before = {e.executor_id: (e.pid, e.task_pid) for e in node.executors()}
    report = ew.json("run", "--yes", "--until", "settled", "--",
                     *node.command(*node.restart_args()), code=0, timeout=120)
    assert len(report["acts"]) == 500
    assert set(each(report, node, "outcome").values()) == {"reregistered"}
    assert {e.executor_id: (e.pid, e.task_pid) for e in node.executors() if e.alive} == before


def test_the_table_of_a_thousand_fits_a_screen(lab, ew):
    """What is well is counted, not listed."""
    node = lab(executors(999, kind="v0-relink", workers=1, task="none"),
               executors(1, kind="v0-old", prefix="stale-", workers=1), conntrack=True)
    node.forget("stale-0")
    audit = ew("audit")
    assert audit.code == 1
    assert "1 of 1000 executors is lost unless treated first" in audit.words
    assert "healthy: 999 executors, -v lists them" in audit.words
    assert audit.out.count("\n") < 24

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The catalogue's own tools: a wrong expectation is seen, and so is what is better than it should be."""

import pytest

import without
from scenario import Scenario, play

WRONG = {"exit": 1, "verdicts": {"web": "foreign"}, "outcomes": {"web": "kept"}, "proofs": {"web": "api"},
         "causes": {"web": "event"}, "findings": ["master-timeout"], "acts": {"web": "done"}, "alive": [],
         "appeared": ["web"], "stdout": "nowhere", "stderr": "nowhere"}


def test_each_wrong_expectation_is_seen(port, other_port, tmp_path):
    scenario = Scenario(name="wrong", title="", source="", command="run --yes --until settled",
                        world="executor id=web kind=v0-old", window=["restart_agent"], expect=WRONG)
    expected, result, _ = play(scenario, port, other_port(), tmp_path)
    assert [key for key in expected if result[key] == expected[key]] == []
    assert expected.keys() == result.keys()


def report(code, severity, **row):
    """(exit code, document) of one executor."""
    row = {"framework_id": "f", "executor_id": "web", "pid": 1, "severity": severity, "verdict": "v", **row}
    return code, {"executors": [row], "notes": []}


REREGISTERED = {"outcome": "reregistered"}
KILLED = {"outcome": "killed"}


@pytest.mark.parametrize("whole, less, said", [
    (report(2, "critical"), report(0, "critical"), ["exit code 0, not 2"]),
    (report(2, "critical"), report(1, "critical"), ["exit code 1, not 2"]),
    (report(3, "unknown"), report(3, "ok"), ["web: v (ok), not v (unknown)"]),
    (report(1, "warning"), report(3, "ok"), ["web: v (ok), not v (warning)"]),
    (report(2, "critical"), report(2, "warning"), ["web: v (warning), not v (critical)"]),
    (report(0, "ok", proof="link", **REREGISTERED), report(0, "ok", proof="message", **REREGISTERED),
     ["web: proof message, not link"]),
    (report(2, "critical", cause="log", **KILLED), report(2, "critical", cause="event", **KILLED),
     ["web: cause event, not log"]),
    (report(2, "critical"), (2, {"executors": [], "notes": []}), ["web is not reported any more"]),
    # What is worse, or unknown, is not better.
    (report(2, "critical"), report(3, "unknown"), []),
    (report(0, "ok"), report(2, "critical"), []),
    (report(0, "ok", proof="message", **REREGISTERED), report(0, "ok", proof="api", **REREGISTERED), []),
    (report(2, "critical"), (3, {"executors": [], "notes": []}), []),
])
def test_what_is_better_is_seen(whole, less, said):
    assert without.better(whole, less) == said

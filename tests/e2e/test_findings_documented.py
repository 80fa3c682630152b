# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Each finding of the code has its entry in docs/findings.md, with its parts, and is shown by a scenario."""

import pathlib
import re

import pytest
from scenario import load_all

TOP = pathlib.Path(__file__).resolve().parents[2]
# The limit of the conntrack table is the host's: a test of its own sets it.
ELSEWHERE = {"conntrack-full": "tests/e2e/test_conntrack_full.py"}

IDS = re.findall(r'\[FINDING_\w+\] = \{\s*"([a-z0-9-]+)"', (TOP / "src/model/finding_table.c").read_text(encoding="utf-8"))
ENTRIES = {m[1]: m[2] for m in re.finditer(r"^## ([a-z0-9-]+) \((?:[^)]|\n)*\)\n(.*?)(?=^## |^# |\Z)",
                                           (TOP / "docs/findings.md").read_text(encoding="utf-8"), re.M | re.S)}
SHOWN = {id for scenario in load_all() if not scenario.pending for id in scenario.rules_shown()}


def test_the_ids_are_those_of_the_table():
    header = (TOP / "src/model/finding_table.h").read_text(encoding="utf-8")
    assert len(IDS) == len(re.findall(r"\bFINDING_(?!COUNT)[A-Z0-9_]+,", header))
    assert sorted(set(IDS)) == sorted(IDS)
    assert sorted(ENTRIES) == sorted(IDS)


@pytest.mark.parametrize("id", IDS)
def test_it_is_documented(id):
    assert re.findall(r"^- \*\*(\w+)\*\*:", ENTRIES[id], re.M) == ["Evidence", "Effect", "Cure", "Source"]


@pytest.mark.parametrize("id", IDS)
def test_a_scenario_shows_it(id):
    if id in ELSEWHERE:
        assert id in (TOP / ELSEWHERE[id]).read_text(encoding="utf-8")
    else:
        assert f"finding:{id}" in SHOWN

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Every scenario of tests/e2e/catalogue, on the real kernel: the verdict, outcome, proof and exit code
that its file expects; and nothing looks better when a source of evidence is missing.

EXECWATCH_CATALOGUE=quick runs those that are marked so; EXECWATCH_CATALOGUE_SHARD=1/4 a quarter.
"""

import os
import shutil

import pytest

import without
from scenario import load_all, play

_quick = os.environ.get("EXECWATCH_CATALOGUE") == "quick"
_shard, _shards = map(int, os.environ.get("EXECWATCH_CATALOGUE_SHARD", "1/1").split("/"))
SCENARIOS = [s for s in load_all() if s.quick or not _quick][_shard - 1::_shards]


def _of(scenario):
    """A scenario whose feature is missing says so in its file, and must fail as long as it says so."""
    marks = [pytest.mark.xfail(reason=scenario.pending, strict=False)] if scenario.pending else []
    return pytest.param(scenario, id=scenario.name, marks=marks)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    return tmp_path_factory.mktemp("recordings")


@pytest.mark.parametrize("scenario", map(_of, SCENARIOS))
def test_scenario(scenario, port, other_port, tmp_path, recordings):
    expected, result, done = play(scenario, port, other_port(), tmp_path)
    if (tmp_path / "recording.jsonl").exists():
        shutil.move(tmp_path / "recording.jsonl", recordings / scenario.name)
    if result != expected:
        wrong = {key: value for key, value in result.items() if value != expected.get(key)}
        pytest.fail(f"{scenario.title}\nexpected: {expected}\nseen:     {wrong}\n{done}", pytrace=False)


@pytest.mark.parametrize("scenario", [s for s in SCENARIOS if s.verb in ("audit", "verify", "run")], ids=lambda s: s.name)
def test_nothing_is_better_without_a_source(scenario, recordings, record_property):
    recording = recordings / scenario.name
    if not recording.exists():
        pytest.fail("the scenario left no recording")
    cases, better = without.judge(recording, scenario.contradicted)
    record_property("cases", cases)
    assert not better, "\n".join(better)

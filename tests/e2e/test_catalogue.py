# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Every scenario of tests/e2e/catalogue, on the real kernel: the verdict, outcome, proof and exit code
that its file expects; and nothing looks better when a source of evidence is missing.

Those that are marked as quick run; EXECWATCH_CATALOGUE=all: all; =pending: those whose feature is missing.
EXECWATCH_CATALOGUE_SHARD=1/4: a quarter of them.
"""

import os
import shutil

import pytest

import without
from scenario import load_all, play

_which = os.environ.get("EXECWATCH_CATALOGUE", "quick")
_shard, _shards = map(int, os.environ.get("EXECWATCH_CATALOGUE_SHARD", "1/1").split("/"))


def _chosen(scenario):
    if scenario.pending or _which == "pending":
        return bool(scenario.pending) and _which == "pending"
    return scenario.quick or _which == "all"


SCENARIOS = [s for s in load_all() if _chosen(s)][_shard - 1::_shards]


RECORDED = [s for s in SCENARIOS if s.document and s.verb in ("audit", "verify", "run")]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    return tmp_path_factory.mktemp("recordings")


class RealSources:
    """After an audit: the same once more without each source of evidence."""

    def __init__(self, scenario, record_property):
        self.scenario, self.record, self.better = scenario, record_property, []

    def look(self, world, done):
        if self.scenario.verb != "audit" or not self.scenario.document or _which == "quick":
            return
        if any(step.startswith("dead_file_system") for step in self.scenario.before):
            return  # it lasts as long as the one process that it was made for
        cases, self.better = without.for_real(world, done.code, done.json, self.scenario.contradicted)
        self.record("cases", cases)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_scenario(scenario, port, other_port, tmp_path, recordings, record_property):
    real = RealSources(scenario, record_property)
    expected, result, done = play(scenario, port, other_port(), tmp_path, real.look)
    if (tmp_path / "recording.jsonl").exists():
        shutil.move(tmp_path / "recording.jsonl", recordings / scenario.name)
    if result != expected:
        wrong = {key: value for key, value in result.items() if value != expected.get(key)}
        pytest.fail(f"{scenario.title}\nexpected: {expected}\nseen:     {wrong}\n{done}", pytrace=False)
    assert not real.better, "\n".join(real.better)


def recorded(scenario, recordings):
    recording = recordings / scenario.name
    assert recording.exists(), "the scenario left no recording"
    return recording


@pytest.mark.parametrize("scenario", RECORDED, ids=lambda s: s.name)
def test_nothing_is_better_without_a_source(scenario, recordings, record_property):
    recording = recorded(scenario, recordings)
    cases, better = without.judge(recording, [*scenario.contradicted, *scenario.pending_without])
    record_property("cases", cases)
    assert not better, "\n".join(better)


@pytest.mark.parametrize("scenario", RECORDED, ids=lambda s: s.name)
def test_a_recording_that_lacks_lines_is_not_good(scenario, recordings, record_property):
    cases, better = without.damaged(recorded(scenario, recordings), 10)
    record_property("cases", cases)
    assert not better, "\n".join(better)

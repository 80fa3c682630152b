# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Windows that were once judged wrongly, kept as they were recorded: facts came in an order that
nobody had thought of. No root, no kernel: the same facts, judged again."""

import gzip
import json
import pathlib
import subprocess

import pytest

from execwatch import EXECWATCH

RECORDINGS = pathlib.Path(__file__).parents[1] / "data" / "recordings"

# What is in each, and what must be said of it: {executor: (outcome, proof)}.
CASES = {
    # The agent had killed one before verify began: its kill was read before it was known as the agent.
    # "ends" ended with 0 while nobody watched: how its task ended is not in a recording of that age.
    "blame": {"http": ("killed-by-agent", None), "victim": ("killed", None), "ends": ("unknown", None),
              "doomed": ("reregistered", "api"), "relinks": ("reregistered", "api"),
              "task-0": ("reregistered", "api"), "task-1": ("reregistered", "api")},
    # A pass shows the old link gone before the events tell when; who listens was not read.
    "relink-seen-by-a-row-first": {
        "victim": ("lost", None), "doomed": ("reregistered", "message"), "ends": ("reregistered", "message"),
        "http": ("reregistered", "message"), "relinks": ("reregistered", "message"),
        "task-0": ("reregistered", "message"), "task-1": ("reregistered", "message")},
    "end-before-its-event": dict.fromkeys(("http", "relinks", "task-0", "task-1"), ("reregistered", "message")),
    # The agent's answers could not be seen, as nobody knew it yet: no reason to wait for them.
    "agent-known-late": {"http": ("reregistered", "message"), "relinks": ("reregistered", "api"),
                         "task-0": ("reregistered", "api"), "task-1": ("reregistered", "api")},
}


CODES = {"blame": 2, "relink-seen-by-a-row-first": 2, "end-before-its-event": 3, "agent-known-late": 3}


@pytest.mark.parametrize("name", CASES)
def test_judged_again(name):
    facts = gzip.decompress((RECORDINGS / f"{name}.jsonl.gz").read_bytes())
    done = subprocess.run([EXECWATCH, "report", "--replay", "-", "-f", "json"], input=facts,
                          capture_output=True, check=False, timeout=60)
    report = json.loads(done.stdout)
    assert done.returncode == report["exit_code"] == CODES[name]
    assert {e["executor_id"]: (e["outcome"], e["proof"]) for e in report["executors"]} == CASES[name]

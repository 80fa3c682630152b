#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The guard with 100 executors, 40 of them stale: every end of the agent, every delay of the next one;
then a guard that is killed at a random moment.

    tests/storm/guard.py [--kills 20] [--seed 1]

Each stale link is treated, or the new agent had asked its executor first and it is named; no other
link is touched; nobody else is lost; no executor lost its link before the agent ended.
"""

import argparse
import os
import pathlib
import random
import select
import signal
import sys
import tempfile
import time
import traceback

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(TOP / "tests" / "e2e"))

from connections import wait_quiet  # noqa: E402
from execwatch import Execwatch  # noqa: E402
from guarding import alive, facts, kill, restart, results, start  # noqa: E402
from labnode import LabNode, agent, executor, executors  # noqa: E402

PORT = 5990
CLOSE_WAIT = 8
STALE = [f"task-{i}" for i in range(40)]
OTHERS = [executor(f"relinks-{i}", kind="v0-relink") for i in range(5)] + [
    executor(f"http-{i}", kind="v1") for i in range(5)]
ENDS = [(how, down) for how in ("KILL", "TERM", "crash") for down in (0, 0.3, 5)]


class Node:
    """100 executors, and an execwatch with directories of its own."""

    def __enter__(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="ew-storm-guard-")
        self.dir = pathlib.Path(self.scratch.name)
        self.node = LabNode(agent(port=PORT, reregistration_timeout="15secs"),
                            executors(90, kind="v0-old", workers=1), *OTHERS, conntrack=True).up()
        wait_quiet(self.node, PORT)
        self.ew = Execwatch(PORT, self.dir)
        return self

    def __exit__(self, *exc):
        self.ew.close()
        self.node.down()
        self.scratch.cleanup()


def early(ew, recording, agent_pid):
    """Guarded links that ended before the agent did, or acts."""
    guarded = {line["cookie"] for line in ew.audit_log() if line["phase"] == "intent"}
    ended = next(f["mono_ns"] for f in facts(recording, "exit") if f["pid"] == agent_pid)
    ends = [f for f in facts(recording, "tcp") if f["to"] == CLOSE_WAIT and f["mono_ns"] < ended
            and f["cookie"] in guarded]
    acts = [f for f in facts(recording, "act") if f["begun_ns"] and f["begun_ns"] < ended]
    return ends + acts


def one_end(how, down):
    with Node() as n:
        before, agent_pid = alive(n.node), n.node.agent_pid
        guard = start(n.ew, "--record", n.dir / "recording")
        n.node.forget([*STALE, *(f"relinks-{i}" for i in range(5))])
        restart(n.node, how, down)
        done = guard.result(120)
        treated = {id for id, result in results(done.json).items() if result == "done"}
        left = set(results(done.json)) - treated
        assert treated | left == set(STALE), (treated, left)
        assert not left or down == 0, left
        assert all(f"{id} did not notice the agent's end and is left alone" in done.err for id in left), done
        assert alive(n.node) == before - left
        assert done.code == (2 if left else 0), done
        assert not early(n.ew, n.dir / "recording", agent_pid)
        return f"{len(treated)} treated, {len(left)} asked first"


def one_kill(ms):
    """The next execwatch finishes what the killed one had begun; each act is logged once."""
    with Node() as n:
        guard = start(n.ew)
        n.node.forget(STALE)
        pid = n.node.agent_pid
        end = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        select.select([end], [], [], 10)
        time.sleep(ms / 1000)
        kill(guard)
        os.close(end)
        n.node.wait_until(lambda: n.node.status()["agent"]["pid"] != pid, what="the agent's end")
        told = "was killed" in n.ew("shutdown", "--yes").err
        done = sorted(line["executor_id"] for line in n.ew.audit_log() if line.get("result") == "done")
        assert done == sorted(STALE), done
        n.node.start_agent()
        n.node.wait_recovered()
        assert len(alive(n.node)) == 100
        return "its file was found" if told else "it had ended"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    moments = random.Random(args.seed)
    steps = [(f"{how}, next agent after {down} s", one_end, (how, down)) for how, down in ENDS]
    for _ in range(args.kills):
        ms = round(moments.uniform(0, 60), 1)
        steps.append((f"guard killed {ms} ms after the agent", one_kill, (ms,)))
    failed = 0
    for name, step, words in steps:
        try:
            print(f"guard: {name}: {step(*words)}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"guard: {name}: FAILED\n{traceback.format_exc()}", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Kills `execwatch run` with SIGKILL at a moment of its window, and lets `verify` take over.

    tests/storm/resume.py --runs 200 --seed 1 [--jobs 2]

Whatever the moment, the final report says what an undisturbed one would have said of the same
facts (outcomes and killers), or that it does not know, or that an executor is gone and the cause
was not seen: never anything better. What came of each
executor is the lab's word, not execwatch's.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(TOP / "tests" / "e2e"))

from connections import wait_quiet  # noqa: E402
from execwatch import Execwatch, by_id  # noqa: E402
from labnode import LabNode, agent, executor, executors  # noqa: E402

WINDOW = 2.5  # seconds from the start of `run` to the end of its window, roughly
# Is killed by a third process; ends by itself; is forgotten by the firewall after the audit.
FATES = ("victim", "ends", "doomed")
OUTSIDER = "oom-helper"
RESUMED = "resumed the observers of an earlier execwatch"
LOSSES = ("killed", "killed-by-agent", "task-failed")

NODE = (
    executors(2, kind="v0-old"),
    executor("http", kind="v1"),
    executor("relinks", kind="v0-relink"),
    executor("victim", kind="v0-relink"),
    executor("ends", kind="v0-relink"),
    executor("doomed", kind="v0-old"),
)


def node_new(port):
    node = LabNode(agent(port=port, reregistration_timeout="1secs"), *NODE, conntrack=True).up()
    wait_quiet(node, port)
    node.forget([e.executor_id for e in node.executors() if e.executor_id not in ("doomed", "ends")])
    return node


class Window:
    """One window: a run that is killed, and what is done after it."""

    def __init__(self, node, ew, dir, down=0.3):
        self.node, self.ew = node, ew
        self.dir, self.resumed = pathlib.Path(dir), 0
        self.claim = self.dir / "claim"
        self.agent_before = node.agent_pid
        self.restart = node.command(*node.restart_args(down=down))
        pids = {e.executor_id: e.pid for e in node.executors()}
        self.pids = pids
        self.met = set()

    # -- what happens in it ---------------------------------------------------------------

    def command(self, before=":"):
        """The restart, done once: by the run's command or by whoever comes after it."""
        return ["sh", "-c", f"{before}; mkdir {shlex.quote(str(self.claim))} && exec {shlex.join(self.restart)}"]

    def run(self, before=":", until="settled"):
        return self.ew.start("run", "--yes", "-f", "json", "--until", until, "--",
                             *self.command(before))

    def kill(self, run):
        run.process.send_signal(signal.SIGKILL)
        run.process.wait()

    def meet_fate(self, id):
        """What is to become of this executor, once."""
        if id in self.met or not self.node.executor(id).alive:
            return
        self.met.add(id)
        if id == "doomed":
            self.node.forget(id)
            return
        if id == "victim":
            self.node.kill(id, comm=OUTSIDER)
        else:
            self.node.finish(id)
        self.node.wait_until(lambda: not self.node.executor(id).alive, what=f"the end of {id}")

    def restart_unless_done(self):
        try:
            self.claim.mkdir()
        except FileExistsError:
            return
        subprocess.run(self.restart, check=True, capture_output=True, timeout=60)

    def has_baseline(self):
        return any(self.ew.state_dir.glob("baseline-*.json"))

    def acts(self):
        return [act for act in self.ew.audit_log() if act.get("result") == "done"]

    def resume(self):
        """As the operator would: verify, or run once more if there is nothing to compare with."""
        if not self.has_baseline():
            return self.run()
        self.resumed += 1
        return self.ew.start("verify", "-f", "json", "--until", "settled",
                             "--record", self.dir / f"verify-{self.resumed}.jsonl")

    # -- what came of it ------------------------------------------------------------------

    def truth(self):
        self.node.wait_recovered()
        said = {}
        for e in self.node.executors():
            if e.alive:
                said[e.executor_id] = ("reregistered", None)
            elif e.executor_id == "victim" and "victim" in self.met:
                said[e.executor_id] = ("killed", OUTSIDER)
            elif e.executor_id == "ends" and "ends" in self.met:
                said[e.executor_id] = (self.task_end(e), None)
            else:
                said[e.executor_id] = ("killed-by-agent", None)
        return said

    def task_end(self, executor):
        """Its task ended well: finished, if the agent was there to hear it. Otherwise the framework
        is told TASK_FAILED when the executor is found gone."""
        states = [state for kind, state, _ in self.node.task_updates(executor) if kind == "UPDATE"]
        return "finished" if "TASK_FINISHED" in states else "task-failed"

    def differences(self, result):
        """[(executor, true outcome, reported outcome, why)]; raises if it is better than true."""
        truth, report = self.truth(), result.json
        told, differ = by_id_of(report, self.pids), []
        assert set(told) == set(truth), f"not the executors of the node: {set(told) ^ set(truth)}"
        for id, (outcome, killer) in truth.items():
            e = told[id]
            if e["outcome"] == "unknown" or e["outcome"] == "lost" and outcome in LOSSES:
                differ.append((id, outcome, e["outcome"], e["why"]))
                continue
            assert e["outcome"] == outcome, f"{id}: {e['outcome']} {e['why']}, in truth {outcome}"
            assert not killer or killer in " ".join(e["why"]), f"{id}: {e['why']}, in truth {killer}"
        lost = any(e["outcome"] in (*LOSSES, "lost") for e in told.values())
        expected = 2 if lost else 3 if differ else 0
        assert result.code == expected, (result.code, expected)
        return differ

    def leftovers(self):
        return [str(p) for p in self.ew.run_dir.glob("bpf-*")]


def by_id_of(report, pids):
    return {e["executor_id"]: e for e in report["executors"] if e["pid"] in pids.values()}


# ---- the campaign ------------------------------------------------------------------------


def one(number, seed, port):
    rng = random.Random(f"{seed}/{number}")
    moment, again = rng.uniform(0, WINDOW), rng.random() < 0.2
    early = {id for id in FATES if rng.random() < 0.3}
    dir = tempfile.mkdtemp(prefix="ewresume-")
    ew = Execwatch(port, dir)
    node = node_new(port)
    well = False
    try:
        window = Window(node, ew, dir)
        began = time.monotonic()
        run = window.run()
        if early and moment > 1:
            time.sleep(moment / 2)
            for id in early:
                if window.has_baseline():
                    window.meet_fate(id)
        time.sleep(max(0, began + moment - time.monotonic()))
        ended = run.process.poll() is not None
        window.kill(run)
        had_baseline = window.has_baseline()
        if had_baseline:
            for id in FATES:
                window.meet_fate(id)
        waits = any(act["executor_id"].startswith("task-") for act in window.acts())
        if had_baseline and (not waits or rng.random() < 0.3):
            window.restart_unless_done()  # nobody watches; else verify waits for it
        after = window.resume()
        if again:
            time.sleep(rng.uniform(0, 1))
            again = after.process.poll() is None  # else it has ended by itself, in order
        if again:
            window.kill(after)
            after = window.resume()
        if window.resumed:  # a verify restarts nothing
            after.wait_for("done|waiting|exit_code")
            window.restart_unless_done()
        result = after.result(seconds=90)
        differ = window.differences(result)
        left = window.leftovers()
        assert not left, f"left behind: {left}"
        well = True
        phase = "after its end" if ended else "with a baseline" if had_baseline else "before the baseline"
        return {"number": number, "moment": round(moment, 3), "phase": phase, "again": again,
                "differ": differ, "resumed": RESUMED in result.err}
    finally:
        ew.close()
        ew("doctor", "--clean")
        node.down()
        if well:
            shutil.rmtree(dir, ignore_errors=True)
        else:
            print(f"run {number}: its recordings are in {dir}", flush=True)


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--runs", type=int, default=200)
    args.add_argument("--seed", type=int, default=int(time.time()))
    args.add_argument("--jobs", type=int, default=2)
    args.add_argument("--only", type=int, help="repeat one run of that seed")
    args = args.parse_args()
    print(f"seed {args.seed}", flush=True)
    ports = list(range(7600 + os.getpid() % 50 * 8, 7600 + os.getpid() % 50 * 8 + args.jobs))
    free, bad = threading.local(), 0
    lock = threading.Lock()
    counts, reasons = collections.Counter(), collections.Counter()

    def job(number):
        if not hasattr(free, "port"):
            with lock:
                free.port = ports.pop()
        return one(number, args.seed, free.port)

    numbers = [args.only] if args.only is not None else range(args.runs)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for number, future in [(n, pool.submit(job, n)) for n in numbers]:
            try:
                done = future.result()
                counts[done["phase"]] += 1
                counts["less" if done["differ"] else "same"] += 1
                counts["resumed"] += done["resumed"]
                for id, _, told, why in done["differ"]:
                    reasons[f"{told}: {id}, {done['phase']}{', killed twice' * done['again']}: {' '.join(why)}"] += 1
                if args.only is not None:
                    print(json.dumps(done), flush=True)
            except Exception:  # pylint: disable=broad-except
                bad += 1
                print(f"run {number}: " + traceback.format_exc(limit=-2), flush=True)
    for reason, n in reasons.most_common():
        print(f"{n} times {reason}")
    print(f"{len(list(numbers))} runs, {bad} bad; " + ", ".join(f"{k}: {v}" for k, v in sorted(counts.items())))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

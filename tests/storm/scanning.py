#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Audits a node of 1,000 executors of all kinds while 100 of them lose and make links.

    tests/storm/scanning.py --runs 20

Every audit names each executor once, with its pid, and gives no link to another than its owner.
"""

import argparse
import collections
import os
import pathlib
import shutil
import sys
import tempfile
import threading

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(TOP / "tests" / "e2e"))

from execwatch import Execwatch  # noqa: E402
from labnode import LabError, LabNode, agent, executors  # noqa: E402

NODE = (
    executors(100, kind="v1", prefix="restless-", group="restless", workers=1),
    executors(400, kind="v0-old", prefix="old-", workers=1),
    executors(200, kind="v0-relink", prefix="relinks-", workers=1),
    executors(200, kind="v1", prefix="http-", workers=1),
    executors(50, kind="v0-old", prefix="docker-", as_="docker", workers=1),
    executors(50, kind="v0-old", prefix="leaks-", leak="yes", workers=1),
)


def check(report, truth):
    """AssertionError unless each executor is there once and each link is its owner's."""
    told = [e for e in report["executors"] if e["verdict"] != "foreign"]
    names = collections.Counter(e["executor_id"] for e in told)
    once = collections.Counter(list(truth))
    assert names == once, f"too many: {names - once}, missing: {once - names}"
    owners = collections.Counter(link["inode"] for e in told for link in e["links"])
    twice = [inode for inode, n in owners.items() if n > 1]
    assert not twice, f"links of two executors: {twice}"
    for e in told:
        true = truth[e["executor_id"]]
        assert e["pid"] == true.pid, f"{e['executor_id']}: pid {e['pid']}, in truth {true.pid}"
        if not e["executor_id"].startswith("restless-"):
            links = {(link["fd"], link["inode"]) for link in e["links"]}
            expected = {(link["fd"], link["inode"]) for link in true.links}
            assert links == expected, f"{e['executor_id']}: links {links}, in truth {expected}"


def restless_links(node):
    """Inodes of the links that they have now."""
    return {link["inode"] for e in node.executors() if e.executor_id.startswith("restless-") for link in e.links}


def unrest(node, stop, seen):
    """They subscribe again each time."""
    while not stop.is_set():
        for number in range(100):
            try:
                node.disconnect(f"restless-{number}")
            except LabError:
                pass  # it is between two links
            if stop.is_set():
                break
        seen |= restless_links(node)


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--runs", type=int, default=20)
    args = args.parse_args()
    port = 8200 + os.getpid() % 500
    dir = tempfile.mkdtemp(prefix="ewseed-")
    ew = Execwatch(port, dir)
    bad = 0
    with LabNode(agent(port=port), *NODE) as node:
        truth = {e.executor_id: e for e in node.executors()}
        stop, seen = threading.Event(), restless_links(node)
        thread = threading.Thread(target=unrest, args=(node, stop, seen))
        thread.start()
        try:
            for run in range(args.runs):
                try:
                    check(ew("audit", "-f", "json", timeout=120).json, truth)
                except AssertionError as error:
                    bad += 1
                    print(f"run {run}: {str(error)[:1000]}", flush=True)
        finally:
            stop.set()
            thread.join()
            ew.close()
    shutil.rmtree(dir, ignore_errors=True)
    print(f"{args.runs} audits of {len(truth)} executors, {len(seen)} links of 100 seen, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

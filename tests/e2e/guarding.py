# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""What the tests of the verb `guard` and its storm do alike."""

import json
import os
import signal
import socket
import time


def start(ew, *args):
    return ew.start("guard", "--yes", "--until", "settled", "-f", "json", *args).wait_for("the guard is armed")


def results(document):
    return {a["executor_id"]: a["result"] for a in document["acts"]}


def alive(node):
    return {e.executor_id for e in node.executors() if e.alive}


def end_agent(node, how):
    """As a crash does it, the last signal is the agent's own."""
    if how == "crash":
        pid = node.agent_pid
        os.kill(pid, signal.SIGSEGV)
        node.wait_until(lambda: node.status()["agent"]["pid"] != pid, what="the agent's end")
    else:
        node.stop_agent(signal=how)


def restart(node, how, down):
    """The new agent comes after `down` seconds."""
    end_agent(node, how)
    time.sleep(down)
    node.start_agent()


def launch(node, words):
    """The agent starts one more executor, which the lab's own commands do not know."""
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(f"{node.dir}/agents/main.sock")
        control.sendall(f"launch {words}\n".encode())
        assert control.recv(4096).startswith(b"ok")


def facts(path, type):
    with open(path, encoding="utf-8") as f:
        return [fact for fact in map(json.loads, f) if fact.get("type") == type]


def kill(guard):
    """Its workers end a moment later: whoever acts next waits for that."""
    guard.process.kill()
    guard.process.wait()

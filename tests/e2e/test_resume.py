# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""execwatch is killed in the middle of a window. The next one says what an undisturbed one would
have said, or that it does not know, and leaves nothing behind. tests/storm/resume.py does this at
random moments.
"""

import json
import pathlib
import struct
import subprocess
import sys
import time

import pytest

from execwatch import PATIENCE, by_id
from labnode import TOP

sys.path.append(str(TOP / "tests" / "storm"))
import resume  # noqa: E402  pylint: disable=wrong-import-position

BPFTOOL = next((p for p in ("/usr/sbin/bpftool", "/usr/bin/bpftool") if pathlib.Path(p).exists()), "bpftool")


@pytest.fixture(autouse=True)
def clean(ew):
    """Also when a test fails nothing of a killed watch stays in the kernel."""
    yield
    ew.close()
    ew("doctor", "--clean")


@pytest.fixture
def node(port):
    node = resume.node_new(port)
    yield node
    node.down()


@pytest.fixture
def window(node, ew, tmp_path):
    window = resume.Window(node, ew, tmp_path)
    yield window
    window.claim.mkdir(exist_ok=True)  # a command that still waits has nothing to do any more
    (tmp_path / "go on").touch()


def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about"
        time.sleep(0.002)


def pins(ew):
    """The directories of pins that are there."""
    return list(ew.run_dir.glob("bpf-*"))


def programs(ew):
    """Ids of the programs that are pinned."""
    links = [p for dir in pins(ew) for p in dir.glob("link-*")]
    shown = [subprocess.run([BPFTOOL, "-j", "link", "show", "pinned", link], check=True,
                            capture_output=True).stdout for link in links]
    return {json.loads(text)["prog_id"] for text in shown}


def loaded(ids):
    """Which of these programs the kernel still has."""
    return {id for id in ids if subprocess.run([BPFTOOL, "prog", "show", "id", str(id)],
                                               capture_output=True, check=False).returncode == 0}


def nothing_is_left(ew, ids):
    assert not pins(ew)
    assert str(ew.run_dir) not in pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8")
    until(lambda: not loaded(ids), "the unloading of all programs")  # after a grace period


# ---- moments of a window -----------------------------------------------------------------------


def before_the_act(window):
    run = window.run()
    until(window.has_baseline, "the baseline")
    return run


def between_acts(window):
    run = window.run()
    until(window.acts, "the first act")
    return run


def before_the_restart(window):
    started = window.dir / "started"
    hold = f"while [ ! -e '{window.dir}/go on' ]; do sleep 0.1; done"
    run = window.run(before=f"touch '{started}'; {hold}")
    until(started.exists, "the command")
    return run


def while_the_agent_is_down(window):
    window.restart = window.node.command(*window.node.restart_args(down=1.5))
    run = window.run()
    agent = pathlib.Path("/proc", str(window.agent_before), "exe")
    until(lambda: not agent.exists(), "the end of the agent")
    return run


def during_recovery(window):
    run = window.run()
    until(window.claim.exists, "the command")
    window.node.wait_until(lambda: window.node.agent_pid not in (None, 0, window.agent_before),
                           what="a new agent")
    return run


def after_recovery(window):
    run = window.run(until="60s")
    until(window.claim.exists, "the command")
    window.node.wait_until(lambda: window.node.agent_pid not in (None, 0, window.agent_before),
                           what="a new agent")
    window.node.wait_recovered()
    return run


@pytest.mark.parametrize("moment", [before_the_act, between_acts, before_the_restart,
                                    while_the_agent_is_down, during_recovery, after_recovery])
def test_killed(window, ew, moment):
    """What befalls executors while nobody watches is told by the next one, killers included."""
    run = moment(window)
    ids = programs(ew)
    window.kill(run)
    assert pins(ew)
    for id in resume.FATES:
        window.meet_fate(id)
    if moment in (before_the_act, between_acts):
        window.restart_unless_done()
    after = window.resume()
    if moment is before_the_restart:
        after.wait_for("waiting")
        window.restart_unless_done()
    result = after.result()
    assert resume.RESUMED in result.err
    assert not window.differences(result)
    nothing_is_left(ew, ids)


def test_killed_twice(window, ew):
    """The third one knows what happened after the second one's death."""
    window.kill(before_the_restart(window))
    after = window.resume()
    after.wait_for("waiting")
    window.kill(after)
    window.meet_fate("victim")
    window.restart_unless_done()
    last = window.resume()
    assert not window.differences(last.result())
    assert not pins(ew)


def test_killed_while_another_watches(window, ew):
    """Each has programs of its own: one's death is nothing to the other."""
    run = before_the_restart(window)
    other = ew.start("watch", "-f", "jsonl")
    other.wait_for('"type"')
    window.kill(run)
    window.meet_fate("victim")
    other.wait_for(resume.OUTSIDER)
    assert other.interrupt().result().code == 2  # one was killed
    assert pins(ew)  # the killed one's, for whoever comes next
    window.restart_unless_done()
    assert not window.differences(window.resume().result())
    assert not pins(ew)


# ---- what stays in the kernel --------------------------------------------------------------------


def test_doctor_clean(node, ew):
    watch = ew.start("watch", "-f", "jsonl")
    watch.wait_for('"type"')
    until(lambda: programs(ew), "pinned programs")
    ids = programs(ew)
    busy = ew("doctor", "--clean")
    assert busy.code == 75 and f"pid {watch.process.pid}" in busy.err, busy
    assert loaded(ids) == ids
    watch.process.kill()
    watch.process.wait()
    assert loaded(ids) == ids
    cleaned = ew("doctor", "--clean")
    assert cleaned.code == 0 and "unloaded" in cleaned.err, cleaned
    nothing_is_left(ew, ids)
    again = ew("doctor", "--clean")
    assert again.code == 0 and "nothing is left" in again.err, again


def test_an_orderly_end_leaves_nothing(node, ew):
    watch = ew.start("watch", "-f", "jsonl")
    watch.wait_for('"type"')
    until(lambda: programs(ew), "pinned programs")
    ids = programs(ew)
    assert loaded(ids) == ids
    watch.interrupt().result()
    nothing_is_left(ew, ids)


def test_kept_when_asked(window, node, ew):
    """Between an audit and a verify nobody runs, and who killed whom is known all the same."""
    audit = ew("audit", "--keep", "-f", "json")
    assert audit.code == 1 and "the observers stay in the kernel" in audit.err, audit
    ids = programs(ew)
    assert ids and loaded(ids) == ids
    window.meet_fate("victim")
    window.meet_fate("ends")
    kept = ew("verify", "--keep", "--until", "1s", "-f", "json")
    assert resume.RESUMED in kept.err
    assert loaded(programs(ew))
    last = ew("verify", "--until", "1s", "-f", "json")
    for report in (kept, last):
        ended = by_id(report.json, node)
        assert ended["ends"]["outcome"] == "finished"
        assert ended["victim"]["outcome"] == "killed"
        assert ended["victim"]["killer"]["comm"] == resume.OUTSIDER
    nothing_is_left(ew, ids)


def test_nothing_can_be_kept_without_bpf(node, ew):
    assert "no observers are left in the kernel" in ew("audit", "--no-bpf", "--keep").err
    assert not pins(ew)


def test_programs_of_another_version_are_replaced(window, node, ew):
    """What they saw cannot be read: the cause of an end is not known, and they are gone."""
    window.kill(before_the_restart(window))
    ids = programs(ew)
    meta = pins(ew)[0] / "meta"
    other = struct.pack("=IIIIIIQ", 999, ew.port, 1 << 20, 1 << 22, 1, 0, 0)
    subprocess.run([BPFTOOL, "map", "update", "pinned", meta, "key", "hex", *["00"] * 4,
                    "value", "hex", *[f"{byte:02x}" for byte in other]], check=True)
    window.meet_fate("victim")
    window.restart_unless_done()
    node.wait_recovered()
    result = window.resume().result()
    assert resume.RESUMED not in result.err
    assert by_id_of(result, window)["victim"]["outcome"] == "lost"
    assert result.code == 2
    assert {id for id, *_ in window.differences(result)} == {"victim"}
    nothing_is_left(ew, ids)


def by_id_of(result, window):
    return resume.by_id_of(result.json, window.pids)


CHANGES = 9  # of TCP state, both ends of a connection together
RECORD = 96 + 8  # bytes of one in the ring

KNOCK = """
import socket, sys
for _ in range(int(sys.argv[2])):
    socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
"""


def test_a_ring_that_is_full(window, node, ew):
    """While nobody reads more happens than the ring can hold. Who was killed, and by whom, is in a
    map; that a task ended well is in the agent's checkpoints.
    """
    window.kill(before_the_restart(window))
    shown = subprocess.run([BPFTOOL, "-j", "map", "show", "pinned", pins(ew)[0] / "life_ring"],
                           check=True, capture_output=True).stdout
    room = json.loads(shown)["max_entries"] // RECORD
    many = room // CHANGES + 1000
    node.run(sys.executable, "-c", KNOCK, ew.port, many, check=True)
    for id in "victim", "ends":
        window.meet_fate(id)
    window.restart_unless_done()
    result = window.resume().result()
    assert resume.RESUMED in result.err
    events = result.json["events"]
    # The last connections end in other ways, with the agent; the unit tests count exactly.
    assert 1000 * CHANGES / 2 < events["lost"] < many * CHANGES
    assert events["seen"] > (many - 1000) * CHANGES
    told = by_id_of(result, window)
    assert (told["ends"]["outcome"], told["ends"]["cause"]) == ("finished", "disk")
    assert told["victim"]["outcome"] == "killed"
    assert result.code == 2
    assert not window.differences(result)
    assert not pins(ew)

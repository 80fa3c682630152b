# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A node with one executor of every kind: what the audit says of each, and whom a shutdown takes.

The tests go from looking to acting, on one and the same node, in the order of the file.
"""

import pytest

from connections import keeps_its_links, node_connections, wait_quiet
from execwatch import by_id, each
from labnode import agent, connection, executor

SNOWMAN = "žluťoučký-☃"
SHELL = "$(reboot) `id`; rm -rf * | tee & #"
QUOTED = "it's \"quoted\""

VERDICTS = {
    "healthy": "healthy",
    "half-open": "half-open",
    "at-risk": "at-risk",
    "relinks": "self-healing",
    "v1": "healthy",
    "v1-half-open": "half-open",
    "foreign": "foreign",
    "no-checkpoint": "no-checkpoint",
    "unregistered": "unregistered",
    "disconnected": "disconnected",
    "with a space": "half-open",
    QUOTED: "healthy",
    "two\nlines": "half-open",
    SNOWMAN: "at-risk",
    SHELL: "half-open",
    "looks-like-the-port": "healthy",
    "leaks-its-link": "half-open",
    "own-network": "healthy",
    "own-pids": "half-open",
    "deleted": "half-open",
}
TREATABLE = {id for id, verdict in VERDICTS.items() if verdict in ("half-open", "at-risk")}
FORBIDDEN = {"foreign", "no-checkpoint", "unregistered", "disconnected"}


def spec(port, other):
    return [
        agent(name="other", port=other),
        executor("healthy", kind="v0-old"),
        executor("half-open", kind="v0-old", group="half"),
        executor("at-risk", kind="v0-old", group="forget"),
        executor("relinks", kind="v0-relink", group="half"),
        executor("v1", kind="v1"),
        executor("v1-half-open", kind="v1", group="half"),
        executor("foreign", kind="v0-old", agent="other"),
        executor("no-checkpoint", kind="v0-old", checkpoint="0"),
        executor("unregistered", kind="v0-old", mode="unregistered"),
        executor("disconnected", kind="v0-old", mode="disconnected"),
        executor("with a space", kind="v0-old", as_="docker", group="half"),
        executor(QUOTED, kind="v0-old", as_="sh"),
        executor("two\nlines", kind="v0-old", as_="containerizer", group="half"),
        executor(SNOWMAN, kind="v0-old", as_="java", group="forget"),
        executor(SHELL, kind="v0-old", as_="memfd", group="half"),
        executor("looks-like-the-port", kind="v0-old", inode_like=port, link_port=f"1{port}"),
        executor("leaks-its-link", kind="v0-old", leak="yes", group="half"),
        executor("own-network", kind="v0-old", ns="net"),
        executor("own-pids", kind="v0-old", ns="pid", group="half"),
        executor("deleted", kind="v0-old", exe="deleted", lib="deleted", task="curl", group="half"),
        connection("master", "mesos-master"),
        connection("monitor", "telegraf"),
        connection("idle", "netcat"),
    ]


STRANGERS = {"mesos-master": 1, "telegraf": 1, "netcat": 1, "curl": 1}


def strangers_connected(node):
    """They connect in their own time, after the executors."""
    listed = node.run("ss", "-tnp", "state", "established", capture_output=True, text=True).stdout
    return all(f'"{name}"' in listed for name in STRANGERS)


@pytest.fixture(scope="module")
def node(module_lab, port, other_port):
    node = module_lab(*spec(port, other_port()), conntrack=True, ip="10.77.0.1")
    node.wait_until(lambda: strangers_connected(node), what="every stranger's connection")
    node.half_open("group:half")
    node.forget("group:forget")
    return node


@pytest.fixture(scope="module")
def ew(module_ew):
    return module_ew


def test_each_executor_has_its_verdict(node, ew):
    audit = ew.json("audit", code=2)
    assert each(audit, node, "verdict") == VERDICTS


def test_evidence_is_in_the_document(node, ew, port):
    found = by_id(ew.json("audit"), node)
    links = {id: [(l["agent_end"], l["conntrack"]) for l in e["links"]] for id, e in found.items()}
    assert links["healthy"] == [("present", "entry")]
    assert links["half-open"] == [("absent", "entry")]
    assert links["at-risk"] == [("present", "none")]
    assert links["v1"] == [("present", "entry")] * 2
    assert links["disconnected"] == []
    assert found["looks-like-the-port"]["links"][0]["local"].endswith(f":1{port}")
    assert {id: e["protocol"] for id, e in found.items() if id.startswith("v1")} == \
        {"v1": "v1", "v1-half-open": "v1"}
    assert found["relinks"]["library_version"] == "1.11.0"
    assert found["deleted"]["library_version"] == "1.0.4"
    assert found["no-checkpoint"]["checkpoint"] is False


def test_links_are_those_of_the_kernel(node, ew):
    """Descriptor, inode and addresses are what the executor itself has, in whatever namespace."""
    def ends(links):
        return sorted((l["fd"], l["inode"], l["local"], l["remote"]) for l in links)
    audited = {id: ends(e["links"]) for id, e in by_id(ew.json("audit"), node).items()}
    real = {e.executor_id: ends(e.links) for e in node.executors()}
    del audited["foreign"], real["foreign"]  # it has no link to this agent
    assert audited == real


def test_the_executor_is_told_from_its_family(node, ew):
    """Wrappers, tasks and children that inherited the link are not taken for the executor."""
    audited = {id: e["pid"] for id, e in by_id(ew.json("audit"), node).items()}
    assert audited == {e.executor_id: e.pid for e in node.executors()}


def test_what_is_no_executors_is_counted_apart(node, ew):
    others = {c["comm"]: c["connections"] for c in ew.json("audit")["other_connections"]}
    assert others == STRANGERS


def test_table_tells_what_to_do(node, ew):
    audit = ew("audit")
    assert audit.code == 2
    assert max(map(len, audit.out.splitlines())) <= 80
    assert "Run 'execwatch shutdown', then restart the agent within 15 min." in audit.words
    assert "Never treat it: a second disconnect ends it at once." in audit.words
    assert f"half-open {SHELL[:18]}" in audit.words
    assert "two\\x0alines" in audit.words  # a line break is no line of the table's


def test_a_dry_run_names_the_treatable_and_changes_nothing(node, ew, port):
    before = node_connections(node, port)
    plan = ew.json("shutdown", "--dry-run")
    assert {a["executor_id"] for a in plan["acts"]} == TREATABLE
    assert {a["result"] for a in plan["acts"]} == {"skipped"}
    assert node_connections(node, port) == before
    assert ew.audit_log() == []


def test_exactly_the_treatable_are_touched(node, ew, port):
    executors = {e.executor_id: e for e in node.executors()}
    before = node_connections(node, port)
    done = ew.json("shutdown", "--yes", code=2)  # some of the others are lost by a restart
    assert {a["executor_id"] for a in done["acts"]} == TREATABLE
    assert {a["result"] for a in done["acts"]} == {"done"}

    touched = {id for id, e in executors.items() if not keeps_its_links(e)}
    assert touched == TREATABLE
    theirs = {link["inode"] for id in TREATABLE for link in executors[id].links}
    others = {key: c for key, c in before.items()
              if c[2] not in theirs and not _is_other_end(c, executors)}
    after = node_connections(node, port)
    assert {key: after.get(key) for key in others} == others
    assert all(e.alive for e in node.executors())


def _is_other_end(connection, executors):
    """The agent's end of a treated link: it closes after the executor has."""
    return any(connection[1] == link["local"] for id in TREATABLE for link in executors[id].links)


def test_treated_executors_are_not_treated_again(node, ew):
    """They wait for the agent now: a second disconnect would end them. v1 has come back at once."""
    verdicts = each(ew.json("audit"), node, "verdict")
    waiting = {id for id in TREATABLE if id != "v1-half-open"}
    assert {id for id, v in verdicts.items() if v == "disconnected"} == waiting | {"disconnected"}
    assert verdicts["v1-half-open"] == "healthy"
    assert ew.json("shutdown", "--yes", code=2)["acts"] == []


def test_the_forbidden_keep_their_sockets_whatever_is_asked(node, ew, port):
    wait_quiet(node, port)
    executors = {e.executor_id: e for e in node.executors()}
    before = node_connections(node, port)
    done = ew.json("shutdown", "--all", "--yes")
    results = {(a["executor_id"], a["result"]) for a in done["acts"]
               if a["executor_id"] in executors}
    refused = {id for id, result in results if result == "refused"} | {"foreign"}
    assert refused == FORBIDDEN | (TREATABLE - {"v1-half-open"})
    assert {id for id, result in results if result == "done"} == set(VERDICTS) - refused

    assert {id for id in FORBIDDEN if not keeps_its_links(executors[id])} == set()
    touched = {link["inode"] for id in set(VERDICTS) - refused for link in executors[id].links}
    peers = {link["local"] for id in set(VERDICTS) - refused for link in executors[id].links}
    untouched = {key: c for key, c in before.items() if c[2] not in touched and c[1] not in peers}
    after = node_connections(node, port)
    assert {key: after.get(key) for key in untouched} == untouched
    reasons = {a["executor_id"]: a["reason"] for a in done["acts"]}
    assert "checkpoint" in reasons["no-checkpoint"]
    assert "registered" in reasons["unregistered"]
    assert "second disconnect" in reasons["disconnected"]
    one = ew.json("shutdown", "--yes", "--pid", executors["foreign"].pid, code=2)
    assert [(a["result"], a["reason"]) for a in one["acts"]] == \
        [("refused", "it belongs to another agent")]
    assert keeps_its_links(executors["foreign"])


def test_other_connections_are_still_there(node, ew):
    others = {c["comm"] for c in ew.json("audit")["other_connections"]}
    inherited = {"sleep"}  # a task's copy of a treated link: no executor has that connection now
    assert others == {"mesos-master", "telegraf", "netcat", "curl"} | inherited

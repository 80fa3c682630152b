# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Between the agent's reconnect request and its answer an executor must not lose its link: a second
disconnect ends it at once. The agent is held there, and execwatch, which begins then and has seen
nothing of it, is asked to treat every executor.
"""

import pytest

from connections import keeps_its_links
from execwatch import each
from labnode import executor, executors

V0 = ["task-0", "task-1", "relinks"]


@pytest.fixture(params=["ok", "auth"])
def node(request, lab):
    """auth: an agent that does not tell whether it has recovered."""
    node = lab(executors(2, kind="v0-old"), executor("relinks", kind="v0-relink"), executor("http", kind="v1"),
               agent_words={"api": request.param})
    node.tells = request.param == "ok"
    node.stop_agent()
    node.wait_until(lambda: node.phases("all") == {"disconnected"}, what="the end of the links")
    node.start_agent(hold=True)
    node.wait_until(lambda: node.phases(V0) == {"reconnecting"} and node.executor("http").connected,
                    what="the executors' answers")
    return node


def all_come_back(node, before):
    node.release()
    node.wait_recovered()
    node.wait_registered()
    assert {e.executor_id: (e.pid, e.phase) for e in node.executors()} == {
        e.executor_id: (e.pid, "reregistered") for e in before}


def test_an_audit_does_not_call_them_safe(node, ew):
    audit = ew("audit", "-f", "json")
    assert audit.code == 3
    assert each(audit.json, node, "verdict") == {**dict.fromkeys(V0, "unknown"), "http": "healthy"}
    why, = {sentence for id in V0 for sentence in each(audit.json, node, "why")[id]}
    assert "recover" in why and "registered again" in why
    assert len(set(each(audit.json, node, "advice").values()) - {""}) == 1


def test_none_is_touched(node, ew):
    before = node.executors()
    done = ew.json("shutdown", "--yes", "--all")
    assert {a["executor_id"]: a["result"] for a in done["acts"]} == dict.fromkeys([*V0, "http"], "refused")
    for act in done["acts"]:
        assert ("the agent is recovering" if node.tells else "the agent may be recovering") in act["reason"]
        assert ("at once" in act["reason"]) == (act["executor_id"] in V0)
    assert all(map(keeps_its_links, before))
    all_come_back(node, before)


def test_run_restarts_no_agent_that_recovers(node, ew):
    """It waits for some seconds, then says for what. (Of an agent that does not tell, boot_id shows it.)"""
    before = node.executors()
    done = ew("run", "--yes", "--all", "-f", "json", "--", "echo", "it is started")
    assert done.code == 3
    assert "the agent still has not finished its recovery" in done.err
    assert "the command was not started" in done.err and "it is started" not in done.err
    assert done.json["acts"] == []
    assert all(map(keeps_its_links, before))
    all_come_back(node, before)

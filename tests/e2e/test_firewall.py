# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Will this link's FIN arrive? What the audit says, and what a restart without treatment does."""

import pathlib

import pytest

from connections import wait_quiet
from execwatch import by_id, each
from labnode import executor, executors

IP = "10.77.0.1"
TOP = pathlib.Path(__file__).resolve().parents[2]

# Without the rules that come before or after, these drop what meets no entry.
STATEFUL = "ct state established,related accept; ct state invalid drop; ct state new accept;"
SYN_ONLY = "ct state established,related accept; tcp flags & (fin|syn|rst|ack) == syn accept;"


def chain(rules, policy="drop", priority=0, name="in", hook="input"):
    return f"chain {name} {{ type filter hook {hook} priority {priority}; policy {policy}; {rules} }}"


def table(*chains, name="fw", family="inet"):
    return f"table {family} {name} {{ {' '.join(chains)} }}"


def lines(rules):
    """nft takes one statement a line."""
    return rules.replace("{ ", "{\n").replace("; ", ";\n").replace("}", "\n}\n")


def alive(node):
    return sorted(e.executor_id for e in node.executors() if e.alive)


def restart(node):
    node.restart_agent()
    node.wait_recovered()


def link_again(node):
    """New links, by the rules that are there now, with nothing on its way."""
    restart(node)
    node.wait_registered()
    wait_quiet(node, node.status()["agent"]["port"])


# Connections are tracked, and nothing is dropped.
TRACK = table(chain("ct state new accept;", "accept", -1), name="track")


def firewalled(lab, *rules, kind="v0-old", before=""):
    """A node whose links have entries, and then got this firewall."""
    node = lab(executors(2, kind=kind), ip=IP)
    node.nft(lines(before + TRACK))
    link_again(node)
    for text in rules:
        node.nft(lines(text))
    return node


def forget_all(node):
    node.run("conntrack", "-F", capture_output=True)


def links(document, node):
    return [link for e in by_id(document, node).values() for link in e["links"]]


# -- the entry's time ------------------------------------------------------------------------------


def test_an_entry_that_expires_within_the_horizon(lab, ew):
    node = lab(executors(2, kind="v0-old"), ip=IP, conntrack=True)
    node.expire_in("task-0", 600)
    document = ew.json("audit", code=1)
    assert each(document, node, "verdict") == {"task-0": "at-risk", "task-1": "healthy"}
    (link,) = by_id(document, node)["task-0"]["links"]
    assert link["conntrack"] == "entry"
    assert 300 < link["expires_s"] <= 600
    why = by_id(document, node)["task-0"]["why"][0]
    assert "expires in 9 min: the firewall then drops the agent's FIN" in why
    assert "left" in ew("audit").out


def test_an_entry_that_outlives_the_horizon(lab, ew):
    node = lab(executors(2, kind="v0-old"), ip=IP, conntrack=True)
    node.expire_in("task-0", 1000)
    assert each(ew.json("audit", code=0), node, "verdict") == {"task-0": "healthy", "task-1": "healthy"}
    document = ew.json("audit", "--horizon", "20m", code=1)
    assert each(document, node, "verdict") == {"task-0": "at-risk", "task-1": "healthy"}


def test_an_entry_that_expires_before_the_restart(lab, ew):
    node = lab(executors(2, kind="v0-old"), ip=IP, conntrack=True)
    port = node.executor("task-0").link["local"].rsplit(":", 1)[1]
    node.expire_in("task-0", 3)
    assert each(ew.json("audit", code=1), node, "verdict") == {"task-0": "at-risk", "task-1": "healthy"}
    node.wait_until(lambda: not [e for e in node.entries() if f"sport={port} " in e], what="the expiry")
    restart(node)
    assert alive(node) == ["task-1"]


def test_an_executor_treated_before_its_entry_expires(lab, ew):
    node = lab(executors(2, kind="v0-old"), ip=IP, conntrack=True)
    node.expire_in("task-0", 5)
    assert ew("shutdown", "--yes").code == 0
    restart(node)
    assert alive(node) == ["task-0", "task-1"]


# -- both directions, zones, translation -----------------------------------------------------------


def test_a_translated_link_is_whole(lab, ew, port):
    node = lab(executors(2, kind="v0-old"), ip=IP)
    node.nft(lines(table(chain(f"ip saddr {IP} tcp dport {port} snat to {IP}:20000-30000 fully-random;",
                               "accept", 100, "post", "postrouting").replace("filter", "nat"),
                         name="nat", family="ip")))
    link_again(node)
    document = ew.json("audit", code=0)
    assert each(document, node, "verdict") == {"task-0": "healthy", "task-1": "healthy"}
    assert {link["agent_end"] for link in links(document, node)} == {"present"}
    assert ew.json("shutdown", "--dry-run", code=0)["acts"] == []
    restart(node)
    assert alive(node) == ["task-0", "task-1"]


def test_a_translated_link_that_was_forgotten(lab, ew, port):
    """The agent's FIN goes to the translated port then, where no socket is."""
    node = lab(executors(1, kind="v0-old"), ip=IP)
    node.nft(lines(table(chain(f"ip saddr {IP} tcp dport {port} snat to {IP}:20000-30000 fully-random;",
                               "accept", 100, "post", "postrouting").replace("filter", "nat"),
                         name="nat", family="ip")))
    link_again(node)
    forget_all(node)
    assert each(ew.json("audit", code=1), node, "verdict") == {"task-0": "half-open"}
    restart(node)
    assert alive(node) == []


def test_entries_of_another_zone(lab, ew):
    node = lab(executors(2, kind="v0-old"), ip=IP)
    node.zone(7)
    node.nft(lines(TRACK))
    link_again(node)
    node.nft(lines(table(chain(STATEFUL))))
    assert each(ew.json("audit", code=0), node, "verdict") == {"task-0": "healthy", "task-1": "healthy"}
    node.forget("task-0", zone=7)
    assert each(ew.json("audit", code=1), node, "verdict") == {"task-0": "at-risk", "task-1": "healthy"}
    restart(node)
    assert alive(node) == ["task-1"]


def test_entries_of_before_a_zone_was_set(lab, ew):
    """Their packets are looked up in the zone from now on: what is in the default one is no proof."""
    node = lab(executors(2, kind="v0-old"), ip=IP, conntrack=True)
    node.zone(7)
    document = ew.json("audit", code=3)
    assert each(document, node, "verdict") == {"task-0": "unknown", "task-1": "unknown"}
    restart(node)
    assert alive(node) == []


# -- is tracking in force? -------------------------------------------------------------------------


@pytest.mark.parametrize("hide", ["mount -t tmpfs none /proc/sys/net/netfilter",
                                  "mount -t proc -o subset=pid proc /proc"])
def test_tracking_hidden_from_proc(lab, ew, hide):
    node = lab(executors(2, kind="v0-old"), ip=IP, conntrack=True)
    node.forget("task-0")
    hidden = ["unshare", "-m", "--propagation", "private", "sh", "-c", hide + ' && exec "$@"', "sh"]
    ew.enters = False
    document = ew.json("audit", prefix=[*node.inside(), *hidden])
    assert each(document, node, "verdict")["task-0"] == "at-risk"
    assert document["exit_code"] == 1


# -- the rules -------------------------------------------------------------------------------------


def test_loopback_that_is_accepted_first(lab, ew):
    node = firewalled(lab, table(chain('iifname "lo" accept; ' + STATEFUL)))
    forget_all(node)
    document = ew.json("audit", code=0)
    assert each(document, node, "verdict") == {"task-0": "healthy", "task-1": "healthy"}
    assert {link["fin_accepted"] for link in links(document, node)} == {"yes"}
    (rule,) = {link["rule"] for link in links(document, node)}
    assert rule.startswith("inet fw in handle ")
    assert rule in by_id(document, node)["task-0"]["why"][0]
    restart(node)
    assert alive(node) == ["task-0", "task-1"]


def test_loopback_that_is_not_tracked(lab, ew):
    raw = table(chain('iifname "lo" notrack;', "accept", -300, "pre", "prerouting"),
                chain('oifname "lo" notrack;', "accept", -300, "out", "output"), name="raw")
    node = firewalled(
        lab, table(chain("ct state established,related,untracked accept; ct state invalid drop;")),
        before=raw)
    document = ew.json("audit", code=0)
    assert each(document, node, "verdict") == {"task-0": "healthy", "task-1": "healthy"}
    assert "notrack" in by_id(document, node)["task-0"]["why"][0]
    restart(node)
    assert alive(node) == ["task-0", "task-1"]


def test_a_rule_that_drops_and_its_cure(lab, ew):
    node = firewalled(lab, table(chain(STATEFUL)))
    forget_all(node)
    document = ew.json("audit", code=1)
    assert each(document, node, "verdict") == {"task-0": "at-risk", "task-1": "at-risk"}
    (link,) = by_id(document, node)["task-0"]["links"]
    assert link["fin_accepted"] == "no"
    assert link["rule"].startswith("inet fw in handle ")
    assert link["rule"].endswith("ct state invalid drop")
    assert link["cure"] == "nft insert rule inet fw in iifname lo accept"
    assert link["cure"] in by_id(document, node)["task-0"]["advice"]
    assert link["cure"] in map(str.strip, ew("audit").out.splitlines())  # to be copied
    assert node.run("sh", "-c", link["cure"], capture_output=True).returncode == 0
    assert each(ew.json("audit", code=0), node, "verdict") == {"task-0": "healthy", "task-1": "healthy"}
    restart(node)
    assert alive(node) == ["task-0", "task-1"]


def test_a_rule_that_drops_kills(lab, ew):
    node = firewalled(lab, table(chain(STATEFUL)))
    forget_all(node)
    assert each(ew.json("audit", code=1), node, "verdict") == {"task-0": "at-risk", "task-1": "at-risk"}
    restart(node)
    assert alive(node) == []


def test_a_firewall_that_drops_a_fin_without_tracking(lab, ew):
    node = lab(executors(2, kind="v0-old"), ip=IP)
    node.nft(lines(table(chain("tcp flags & (fin) == fin drop;", "accept"))))
    document = ew.json("audit", code=1)
    assert each(document, node, "verdict") == {"task-0": "at-risk", "task-1": "at-risk"}
    assert {link["conntrack"] for link in links(document, node)} == {"off"}
    restart(node)
    assert alive(node) == []


def test_rules_of_iptables_legacy_are_not_judged(lab, ew):
    node = lab(executors(2, kind="v0-old"), ip=IP)
    node.nft(lines(TRACK))
    link_again(node)
    for rule in (["-m", "conntrack", "--ctstate", "ESTABLISHED,NEW", "-j", "ACCEPT"], ["-j", "DROP"]):
        node.run("iptables-legacy", "-w", "-A", "INPUT", *rule, check=True)
    node.forget("task-0")
    document = ew.json("audit", code=1)
    assert each(document, node, "verdict") == {"task-0": "at-risk", "task-1": "healthy"}
    (link,) = by_id(document, node)["task-0"]["links"]
    assert link["fin_accepted"] == "unknown"
    assert link["not_judged"] == "there are rules of iptables-legacy, which are not judged"
    restart(node)
    assert alive(node) == ["task-1"]


def test_without_nft_nothing_gets_better(lab, ew):
    node = firewalled(lab, table(chain('iifname "lo" accept; ' + STATEFUL)))
    node.forget("task-0")
    hidden = ["unshare", "-m", "--propagation", "private", "sh", "-c",
              'mount --bind /dev/null "$(command -v nft)" && exec "$@"', "sh"]
    document = ew.json("audit", prefix=hidden, code=1)
    assert each(document, node, "verdict") == {"task-0": "at-risk", "task-1": "healthy"}
    (link,) = by_id(document, node)["task-0"]["links"]
    assert link["fin_accepted"] == "unknown"
    assert "nft" in link["not_judged"]


@pytest.mark.parametrize("kind", ["v0-old", "v1"])
@pytest.mark.parametrize("rules", [STATEFUL, SYN_ONLY])
def test_tcp_loose_is_no_cure(lab, ew, kind, rules):
    node = firewalled(lab, table(chain(rules)), kind=kind)
    node.sysctl("net.netfilter.nf_conntrack_tcp_loose", 1)
    forget_all(node)
    document = ew.json("audit", code=1)
    assert each(document, node, "verdict") == {"task-0": "at-risk", "task-1": "at-risk"}
    assert "tcp_loose" not in str(document)


def test_the_readme_names_cures_that_are():
    text = " ".join((TOP / "README.md").read_text(encoding="utf-8").split())
    assert text.count("tcp_loose") == text.count("`net.netfilter.nf_conntrack_tcp_loose=1` is **no** cure")
    assert "loopback" in text


# -- MPTCP -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("agents", ["yes", "no"])
@pytest.mark.parametrize("args", [[], ["--no-bpf"]], ids=["bpf", "no-bpf"])
def test_links_over_mptcp(lab, ew, agents, args):
    node = lab(executor("web", kind="v0-old", mptcp="yes"), executor("http", kind="v1", mptcp="yes"),
               executor("plain", kind="v0-old"), agent_words={"mptcp": agents}, ip=IP, conntrack=True)
    document = ew.json("audit", *args, code=0)
    assert each(document, node, "verdict") == dict.fromkeys(["web", "http", "plain"], "healthy")
    node.forget("web")
    document = ew.json("audit", *args, code=1)
    assert each(document, node, "verdict") == {"web": "at-risk", "http": "healthy", "plain": "healthy"}
    web = by_id(document, node)["web"]
    link = web["links"][0]
    assert web["forbidden"].startswith(f"its link {link['local']} to {link['remote']} is a subflow of MPTCP")
    assert "move its task to another node before the restart" in web["forbidden"]
    act, = ew.json("shutdown", *args, "--yes", "--pid", web["pid"], code=1)["acts"]
    assert act["result"] == "refused" and "is a subflow of MPTCP" in act["reason"]
    restart(node)
    assert alive(node) == ["http", "plain"]


# -- facts -----------------------------------------------------------------------------------------


def test_a_recording_tells_the_same(lab, ew, tmp_path):
    node = firewalled(lab, table(chain(STATEFUL)))
    node.forget("task-0")
    document = ew("audit", "-f", "json", "--record", tmp_path / "facts")
    replayed = ew("audit", "-f", "json", "--replay", tmp_path / "facts")
    assert document.code == 1
    assert replayed.out == document.out

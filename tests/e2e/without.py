# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Recordings as they would be had one source of evidence been missing, audits for which it really is,
and what must hold then: no verdict, outcome, exit code or proof is better than with all sources.

A source is taken away as its observer would leave it out: its facts are missing, and the facts that
say whether it could be read say that it could not.
"""

import concurrent.futures
import json
import subprocess

from execwatch import EXECWATCH

SCAN_CHECKPOINTS, SCAN_TRACKING, SCAN_API = 4, 8, 16
EVENTS = ("tcp", "exec", "exit", "signal", "message", "fork")


def _scan(fact, bit):
    if fact["type"] == "survey" and fact["phase"] == "end":
        fact["scope"] &= ~bit
    return fact


def _hook(fact, names):
    """No program serves these hooks; None: any."""
    if fact["type"] == "slot" and (names is None or fact["slot"] in names):
        fact.update(program="", reason="taken away", best_effort=True)
    return fact


def no_messages(fact):
    return None if fact["type"] == "message" else _hook(fact, ["messages"])


def no_events(fact):
    """Neither programs in the kernel nor anything else that tells of events."""
    return None if fact["type"] in EVENTS else _hook(fact, None)


def no_api(fact):
    if fact["type"] == "api_executor" or (fact["type"] in ("task", "end") and fact["source"] == "api"):
        return None
    if fact["type"] == "api":
        kept = {key: fact[key] for key in ("type", "mono_ns", "url", "round") if key in fact}
        return {**kept, "http_status": 0, "problem": "connection refused"}
    return _scan(fact, SCAN_API)


def no_conntrack(fact):
    if fact["type"] == "entry":
        return {"type": "unread", "mono_ns": fact["mono_ns"], "object": "conntrack", "reason": "taken away",
                "pid": 0, "cookie": fact["cookie"]}
    if fact["type"] == "tracking":
        fact["in_force"] = "unknown"
    return _scan(fact, SCAN_TRACKING)


def no_checkpoints(fact):
    if fact["type"] in ("checkpoint", "damage") or (fact["type"] in ("task", "end") and fact["source"] == "disk"):
        return None
    if fact["type"] == "work_dir":
        return {"type": "work_dir", "mono_ns": fact["mono_ns"], "path": fact["path"], "slave_id": "", "readable": "no"}
    return _scan(fact, SCAN_CHECKPOINTS)


def no_logs(fact):
    if fact["type"] == "end" and fact["source"] == "log":
        return None
    if fact["type"] == "process" and fact.get("version_from") == "stderr":
        fact.update(version_from="", library_version="")
    return fact


def no_nft(fact):
    if fact["type"] == "firewall":
        fact.update(accepted="unknown", untracked="unknown", rule="", cure="", not_judged="nft is not there")
    return fact


SOURCES = {"messages": no_messages, "events": no_events, "api": no_api, "conntrack": no_conntrack,
           "checkpoints": no_checkpoints, "logs": no_logs, "nft": no_nft}

# What cannot be known is not better than what is known to be bad, nor worse.
SEVERITY = {"ok": 0, "warning": 1, "critical": 2, "unknown": 2}
EXIT = {0: 0, 1: 1, 2: 2, 3: 2}
PROOF = {None: 0, "link": 1, "api": 2, "message": 3}
CAUSE = {None: 0, "log": 1, "api": 2, "disk": 3, "event": 4}


def lines_of(recording):
    return recording.read_text(encoding="utf-8", errors="surrogateescape").splitlines(keepends=True)


def facts_of(recording):
    """(header, facts): without the footer, which would have to count them anew."""
    lines = [json.loads(line) for line in lines_of(recording)]
    header = {key: value for key, value in lines[0].items() if key != "footer"}
    return header, [fact for fact in lines[1:] if fact["type"] != "recording-end"]


def replay(header, facts):
    """(exit code, document) of what these facts say."""
    return replay_text("".join(json.dumps(line) + "\n" for line in [header, *facts]))


def replay_text(text):
    done = subprocess.run([EXECWATCH, "report", "--replay", "-", "-f", "json"], input=text.encode(errors="surrogateescape"),
                          capture_output=True, check=False, timeout=60)
    return done.returncode, json.loads(done.stdout) if done.stdout else None


def _rows(document):
    return {(e["framework_id"], e["executor_id"], e["pid"]): e for e in document["executors"]}


def better(all_sources, one_less):
    """Sentences: what is better in the second (exit code, document) than in the first."""
    found = []
    (code, document), (code_less, less) = all_sources, one_less
    if EXIT[code_less] < EXIT[code]:
        found.append(f"exit code {code_less}, not {code}")
    if less is None:  # nothing is said of anybody
        return found
    left = _rows(less)
    for key, row in _rows(document).items():
        now = left.get(key)
        name = row["executor_id"]
        if now is None:
            # Another process, or none, may be found for it; its id must still be there.
            if code_less != 3 and not any("not complete" in note for note in less["notes"]) \
               and not any(e["executor_id"] == name for e in less["executors"]):
                found.append(f"{name} is not reported any more")
            continue
        said = [d.get("outcome") or d["verdict"] for d in (row, now)]
        if SEVERITY[now["severity"]] < SEVERITY[row["severity"]]:
            found.append(f"{name}: {said[1]} ({now['severity']}), not {said[0]} ({row['severity']})")
        for field, ranks in ("proof", PROOF), ("cause", CAUSE):
            if said[0] == said[1] and ranks[now.get(field)] > ranks[row.get(field)]:
                found.append(f"{name}: {field} {now[field]}, not {row.get(field)}")
    return found


def judge(recording, contradicted=()):
    """(number of cases, sentences of what is better). A source in `contradicted` is the one whose word
    against the others makes the verdict bad: without it there is no contradiction."""
    header, facts = facts_of(recording)
    sources = [name for name in SOURCES if name not in contradicted]

    def case(name):
        kept = (SOURCES[name](dict(fact)) for fact in facts)
        return better(whole, replay(header, [fact for fact in kept if fact]))

    whole = replay(header, facts)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(case, sources))
    return len(sources), [f"without {name}: {text}" for name, texts in zip(sources, results) for text in texts]


HIDDEN = ["unshare", "-m", "--propagation", "private", "sh", "-c"]

# The same for real: words before an audit, and options of it, with which the source is not there.
FOR_REAL = {
    "events": ([], ["--no-bpf"]),
    "conntrack": (["capsh", "--drop=cap_net_admin", "--shell=/usr/bin/env", "--"], []),
    "checkpoints": ([*HIDDEN, 'mount -t tmpfs none "$0/work" && exec "$@"', "$NODE"], []),
    "logs": ([*HIDDEN, 'find "$0" -name "std*" -type f -exec mount --bind /dev/null {} ";" && exec "$@"', "$NODE"], []),
    "nft": ([*HIDDEN, 'mount --bind /dev/null /usr/sbin/nft && exec "$@"', "sh"], []),
}


def for_real(world, code, document, contradicted=()):
    """The same as judge() of an audit that has just ended, in the world that it has seen."""
    frameworks = {e.framework_id for e in world.node.executors()}
    found = []

    def ours(code, document):
        """Executors of other nodes come and go."""
        if document is None:
            return code, None
        rows = [e for e in document["executors"] if e["framework_id"] in frameworks]
        return code, {**document, "executors": rows}

    def case(name, prefix=(), options=()):
        less = ours(*world.audit_again(prefix, options))
        found.extend(f"without {name}: {text}" for text in better(ours(code, document), less))

    sources = [name for name in FOR_REAL if name not in contradicted]
    for name in sources:
        case(name, *FOR_REAL[name])
    if "api" not in contradicted and world.node.agent_pid:
        sources.append("api")
        world.node.api("auth")
        case("api")
    return len(sources), found


def damaged(recording, cases):
    """The same for a recording that lacks one line, or its end: it is never good, and with one line
    missing nobody is better. So many cases of each kind, spread over the lines."""
    lines = lines_of(recording)
    whole = replay_text("".join(lines))
    step = max(1, (len(lines) - 2) // cases)

    def case(i):
        cut = replay_text("".join(lines[:i]))
        less = replay_text("".join(lines[:i] + lines[i + 1:]))
        found = better(whole, less) + [f"the rest gone: exit code {cut[0]}"] * (EXIT[cut[0]] < EXIT[whole[0]])
        return [f"without line {i + 1}: {text}" for text in found + ["exit code 0"] * (0 in (cut[0], less[0]))]

    chosen = range(2, len(lines) - 1, step)  # the first two lines: what it is, and which verb
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(case, chosen))
    return 2 * len(chosen), [text for texts in results for text in texts]

# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""Every document is what its JSON Schema says."""

import json
import pathlib

import pytest

from labnode import agent, connection, executor, executors

jsonschema = pytest.importorskip("jsonschema", reason="needs python3-jsonschema")

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "schema"


def validator(name):
    """References between the files are followed on disk, never on the network."""
    stored = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    schema = stored[f"{name}.schema.json"]
    resolver = jsonschema.RefResolver(
        (SCHEMAS / f"{name}.schema.json").as_uri(), schema,
        store={path.as_uri(): stored[path.name] for path in SCHEMAS.glob("*.json")})
    return jsonschema.Draft202012Validator(schema, resolver=resolver)


def check(name, document):
    errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}"
              for e in validator(name).iter_errors(document)]
    assert errors == []
    assert document.get("schema", f"execwatch.{name}/1") == f"execwatch.{name}/1"


@pytest.fixture
def node(lab, other_port):
    node = lab(agent(name="other", port=other_port()),
               executor("at-risk", kind="v0-old"), executor("half", kind="v1"),
               executor("foreign", kind="v0-old", agent="other"),
               executor("batch", kind="v0-old", checkpoint="0"),
               executor("odd\nid \"☃\"", kind="v0-relink"),
               executor("nobody knows", kind="v0-old", lib="no"),
               connection("monitor"), conntrack=True)
    node.forget("at-risk")
    node.half_open("half")
    return node


def test_schemas_are_schemas():
    for path in SCHEMAS.glob("*.json"):
        jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text()))


def test_a_document_that_is_wrong_is_refused(node, ew):
    """The schemas are strict enough to notice."""
    document = ew.json("audit")
    for member in "schema", "host", "boot_id", "generated_at", "agent", "executors", "summary", "events", "exit_code":
        broken = {k: v for k, v in document.items() if k != member}
        assert not validator("audit").is_valid(broken), member
    document["executors"][0]["verdict"] = "fine"
    assert not validator("audit").is_valid(document)


def test_audit(node, ew):
    document = ew.json("audit")
    check("audit", document)
    line = ew("audit", "-f", "jsonl")
    assert line.out.count("\n") == 1
    check("audit", json.loads(line.out))


@pytest.mark.parametrize("kept, code", [(slice(1, 1), 3), (slice(2, None), 2)],
                         ids=["the first line alone", "no session"])
def test_a_recording_without_its_head(node, ew, tmp_path, kept, code):
    """Of what it does not tell the document has null; a loss that it does tell is told."""
    record, cut = tmp_path / "whole", tmp_path / "cut"
    ew("audit", "--record", str(record))
    lines = record.read_bytes().splitlines(keepends=True)
    assert json.loads(lines[1])["type"] == "window"
    cut.write_bytes(b"".join([lines[0], *lines[kept]]))
    ew.enters = False
    document = ew.json("report", "--replay", str(cut), code=code)
    assert document["agent"]["port"] is None
    check("audit", document)


def test_the_saved_baseline_is_an_audit(node, ew):
    ew("audit")
    saved, = ew.state_dir.glob("*.json")
    check("audit", json.loads(saved.read_text()))


def test_audit_without_an_agent(node, ew):
    node.stop_agent()
    check("audit", ew.json("audit"))


def test_shutdown(node, ew):
    check("shutdown", ew.json("shutdown", "--dry-run"))
    check("shutdown", ew.json("shutdown", "--yes"))


def test_protect(node, ew):
    check("protect", ew.json("protect", "--dry-run"))
    check("protect", ew.json("protect", "--yes"))
    check("audit", ew.json("audit"))
    check("protect", ew.json("protect", "--undo", "--yes"))


def test_hold(node, ew):
    check("hold", ew.json("hold", "--yes"))
    node.stop_agent()
    check("hold", ew.json("hold", "--dry-run"))
    check("hold", ew.json("hold", "--yes"))


def test_run_and_verify(node, ew):
    """With outcomes of several kinds, and interrupted ones."""
    check("run", ew.json("run", "--yes", "--", "true", code=2))  # the gate stays shut
    check("run", ew.json("run", "--yes", "--accept", "no-checkpoint,unknown", "--until", "1s", "--", "true"))
    node.kill("odd\nid \"☃\"", comm="b\xc3\xa4ckup")
    check("verify", ew.json("verify", "--until", "1s"))
    node.stop_agent()
    verify = ew.start("verify", "-f", "json")
    verify.wait_for("waiting").interrupt()
    check("verify", verify.result().json)


def test_watch(node, ew, tmp_path):
    watch = ew.start("watch", "-f", "jsonl", "--until", "20s")
    watch.wait_for('"type": ?"executor"')
    node.restart_agent()
    node.wait_recovered()
    done = watch.interrupt().result()
    assert len(done.lines) > 10
    one = validator("watch")
    for line in done.lines:
        assert [e.message[:200] for e in one.iter_errors(line)] == [], line["type"]


def test_doctor(node, ew):
    check("doctor", ew.json("doctor"))


def test_recording(node, ew, tmp_path):
    path = tmp_path / "recording.jsonl"
    ew("run", "--yes", "--accept", "no-checkpoint,unknown", "--until", "settled", "--record", path, "--",
       *node.command(*node.restart_args()))
    head, *facts, end = [json.loads(line) for line in path.read_text().splitlines()]
    check("recording", head)
    assert end == {"type": "recording-end", "facts": len(facts)}
    assert validator("recording").is_valid(end)
    assert len(facts) > 50
    one = validator("fact")
    for fact in facts:
        assert [e.message[:200] for e in one.iter_errors(fact)] == [], fact["type"]

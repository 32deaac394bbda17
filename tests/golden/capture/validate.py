#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The documents of every scene against the schema of tcptriage.capture/1; and, so that a schema that accepts everything is noticed, documents
with a member too many, one too few and one of the wrong type.
usage: validate.py TCPTRIAGE SCHEMAS      TAP on stdout"""
import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "captures"), str(TESTS / "support")]
import make  # noqa: E402
import tap  # noqa: E402

PROGRAM, SCHEMA = sys.argv[1], json.loads((pathlib.Path(sys.argv[2]) / "tcptriage.capture-1.json").read_text())
jsonschema.Draft202012Validator.check_schema(SCHEMA)
WHOLE = jsonschema.Draft202012Validator(SCHEMA)
LINE = jsonschema.Draft202012Validator({"$schema": SCHEMA["$schema"], "$ref": "#/$defs/line", "$defs": SCHEMA["$defs"]})
SCRATCH = tempfile.TemporaryDirectory(prefix="tcptriage-validate-")
# scenes that between them have every kind of row, event and finding
CHOSEN = ("healthy-v4", "syn_silent_long-v6", "icmp_prohibited-v4", "blackhole-v6", "too_big_obeyed-v4", "zero_window_stuck-v4", "drops-v4", "vxlan-v4",
          "vlan-v6", "dns_unanswered-v4", "ping-v6", "fragments_lost-v4", "midstream-v4", "pcapng_two_links-v4", "routing_loop-v6")
PATHS = make.write(SCRATCH.name, CHOSEN)


def said(name, option):
    done = subprocess.run([PROGRAM, "capture", "-r", PATHS[name], option], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, (name, done.returncode, done.stderr)
    return done.stdout.decode()


def document(name):
    return json.loads(said(name, "--json"))


def lines(name):
    return [json.loads(line) for line in said(name, "--ndjson").splitlines()]


def places(value, path=()):
    """Every object inside a document, by its path; of a list the first two members speak for the others."""
    if isinstance(value, dict):
        yield path
        members = value.items()
    else:
        members = enumerate(value[:2]) if isinstance(value, list) else ()
    for key, member in members:
        yield from places(member, (*path, key))


def at(value, path):
    for step in path:
        value = value[step]
    return value


def spoil(validator, value):
    for path in places(value):
        spoilt = copy.deepcopy(value)
        at(spoilt, path)["surplus"] = 1
        assert not validator.is_valid(spoilt), (path, "a member too many")
        for key in at(value, path):
            spoilt = copy.deepcopy(value)
            del at(spoilt, path)[key]
            assert not validator.is_valid(spoilt), (path, key, "is missing")
            at(spoilt, path)[key] = {"wrong": True}
            assert not validator.is_valid(spoilt), (path, key, "of the wrong type")


def document__of_each_scene__fits_the_schema():
    for name in CHOSEN:
        one = document(name)
        WHOLE.validate(one)
        keys = list(one)
        assert keys[:5] == ["schema", "version", "generated_at", "host", "netns"] and keys[-3:] == ["summary", "complete", "notices"], keys


def lines__of_each_scene__fit_the_schema():
    kinds = set()
    for name in CHOSEN:
        found = lines(name)
        for line in found:
            LINE.validate(line)
        assert found[0]["type"] == "header" and found[-1]["type"] == "summary", [line["type"] for line in found]
        kinds |= {line["type"] for line in found}
    assert kinds == {"header", "event", "flow", "finding", "summary"}, kinds


def lines__of_a_scene__say_what_the_document_says():
    for name in CHOSEN:
        one, found = document(name), lines(name)
        for kind, key in (("flow", "flows"), ("finding", "findings")):
            assert [{k: v for k, v in line.items() if k != "type"} for line in found if line["type"] == kind] == one[key], (name, kind)
        told = {}
        for line in found:
            if line["type"] == "event":
                told[line["kind"]] = told.get(line["kind"], 0) + 1
        assert told == {kind: count for kind, count in one["events"].items() if count}, (name, told)
        assert found[-1]["packets"] == one["packets"] and found[-1]["events"] == one["events"], name


def wrong_documents__each_member_spoilt__are_refused():
    for name in ("blackhole-v6", "vxlan-v4"):
        spoil(WHOLE, document(name))


def wrong_lines__each_member_spoilt__are_refused():
    for line in lines("icmp_prohibited-v4")[:12] + lines("syn_silent_long-v6")[-3:]:
        spoil(LINE, line)


sys.exit(tap.main())

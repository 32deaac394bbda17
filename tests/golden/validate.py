#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Documents against their JSON Schemas: hand-made ones in every kind, what the program says of this machine, and, so that a schema that
accepts everything is noticed, documents with a member too many, one too few and one of the wrong type."""
import copy
import json
import pathlib
import subprocess
import sys

import jsonschema

SAMPLES, PROGRAM, SCHEMAS = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])


def schema_of(name, line):
    schema = json.loads((SCHEMAS / f"tcptriage.{name}-1.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    if line:
        schema = {"$schema": schema["$schema"], "$ref": "#/$defs/line", "$defs": schema["$defs"]}
    return jsonschema.Draft202012Validator(schema)


def documents(name, text, lines):
    validator = schema_of(name, lines)
    found = [json.loads(line) for line in text.splitlines()] if lines else [json.loads(text)]
    for document in found:
        validator.validate(document)
    if lines:
        assert found[0]["type"] == "header" and found[-1]["type"] == "summary", [line["type"] for line in found]
    else:
        keys = list(found[0])
        assert keys[:5] == ["schema", "version", "generated_at", "host", "netns"], keys
        assert keys[-3:] == ["summary", "complete", "notices"], keys
    return found


def run(*words):
    answer = subprocess.run(words, capture_output=True, timeout=60)
    return answer.returncode, answer.stdout.decode("utf-8")


def sample(kind):
    code, text = run(SAMPLES, kind)
    assert code == 0 and text
    assert not any(byte < " " and byte != "\n" for byte in text), "a control character came through"
    return documents(kind.split()[0], text, kind.endswith("ndjson"))


def program(name, lines, *words):
    def case():
        code, text = run(PROGRAM, *words, "--ndjson" if lines else "--json")
        assert code in (0, 1, 2, 4), code
        documents(name, text, lines)
    return case


def kinds():
    return run(SAMPLES)[1].splitlines()


def places(value, path=()):
    """Every object inside a document, by its path; of a list the first two members speak for the others."""
    if isinstance(value, dict):
        yield path
        members = value.items()
    else:
        members = enumerate(value[:2]) if isinstance(value, list) else ()
    for key, member in members:
        yield from places(member, (*path, key))


def at(document, path):
    for step in path:
        document = document[step]
    return document


def wrong_documents_are_refused():
    """Each object of each document is spoilt in turn, one for all that stand at the same place; what may be left out is named."""
    optional = {"netns", "group_by", "groups", "states", "ports", "sockets_left_out"}
    for kind in kinds():
        lines = kind.endswith("ndjson")
        validator = schema_of(kind.split()[0], lines)
        seen = set()
        for document in sample(kind):
            for path in places(document):
                place = (document.get("type"), *("" if isinstance(step, int) else step for step in path))
                if place in seen:
                    continue
                seen.add(place)
                spoilt = copy.deepcopy(document)
                at(spoilt, path)["surplus"] = 1
                assert not validator.is_valid(spoilt), (kind, path, "a member too many")
                for key in at(document, path):
                    spoilt = copy.deepcopy(document)
                    del at(spoilt, path)[key]
                    assert key in optional or not validator.is_valid(spoilt), (kind, path, key, "is missing")
                    at(spoilt, path)[key] = {"wrong": True}
                    assert not validator.is_valid(spoilt), (kind, path, key, "of the wrong type")


CASES = {f"samples {kind}": lambda kind=kind: sample(kind) for kind in kinds()} | {
    "wrong documents are refused": wrong_documents_are_refused,
    "states of this machine": program("states", False, "states", "-tuan", "-iemop", "--flags"),
    "states of this machine, lines": program("states", True, "states", "-tuan", "-iemop"),
    "states, summary view": program("states", False, "states"),
    "states, summary view, lines": program("states", True, "states"),
    "states, groups": program("states", False, "states", "-ta", "--group-by", "state"),
    "states, groups, lines": program("states", True, "states", "-ta", "--group-by", "process"),
    "report of this machine": program("report", False, "report", "--quick", "--history", "none"),
    "report of this machine, lines": program("report", True, "report", "--quick", "-v", "--history", "none"),
}


def main():
    failed = 0
    print(f"1..{len(CASES)}")
    for number, (name, case) in enumerate(CASES.items(), 1):
        try:
            case()
            print(f"ok {number} - {name}", flush=True)
        except Exception as error:  # a case that breaks is a case that fails
            failed += 1
            print(f"not ok {number} - {name}")
            print("# " + f"{type(error).__name__}: {str(error)[:1500]}".replace("\n", "\n# "), flush=True)
    return 1 if failed else 0


sys.exit(main())

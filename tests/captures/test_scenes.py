#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every scene through the program: flows, events, findings and totals as the table of scenes has them, no more and no less.
usage: test_scenes.py TCPTRIAGE [SCENE…]      TAP on stdout"""
import sys
import tempfile

import make
import tool
from scenes import COUNTERS, SCENES, TOTALS, play

SIDES = ("ab", "ba")


def difference(what, said, expected):
    return [] if said == expected else [f"{what}: {said}, expected {expected}"]


def check_flow(number, said, expected, ledger):
    complaints = []
    ends = tuple((said[end]["address"], said[end]["port"]) for end in "ab")
    complaints += difference("ends", ends, ledger.ends)
    complaints += difference("protocol", said["protocol"], ledger.protocol)
    complaints += difference("state", said["state"] or "", expected["state"])
    for name in COUNTERS:
        wanted = expected.get(name, (0, 0))
        complaints += difference(name, tuple(said[f"{name}_{side}"] for side in SIDES), wanted)
    for name, wanted in (("packets", ledger.packets), ("bytes", ledger.bytes)):
        complaints += difference(name, [said[f"{name}_{side}"] for side in SIDES], wanted)
    for name in set(expected) - {"protocol", "state", *COUNTERS}:
        complaints += difference(name, said[name], expected[name])
    return [f"flow {number}: {text}" for text in complaints]


def check_flows(document, scene, net):
    said = document["flows"]
    ledgers = [ledger for ledger in net.flows if sum(ledger.packets)]
    if not len(said) == len(scene.flows) == len(ledgers):
        return [f"{len(said)} flows, expected {len(scene.flows)} (ledger: {len(ledgers)})"]
    return [text for number, row in enumerate(zip(said, scene.flows, ledgers), 1) for text in check_flow(number, *row)]


def check_totals(document, scene, net):
    complaints = difference("packets", document["packets"], len(net.frames))
    for name in TOTALS:
        complaints += difference(name, document[name] or 0, scene.totals.get(name, 0))
    counted = sum(flow[f"packets_{side}"] for flow in document["flows"] for side in SIDES)
    if counted > document["packets"]:
        complaints.append(f"the flows hold {counted} packets, the capture {document['packets']}")
    return complaints


def check_scene(name, path):
    scene, net = SCENES[name], play(name)
    answer = tool.capture("-r", path, "--json")
    assert answer.status == 0, (answer.status, answer.messages)
    document = answer.document
    found = {}
    for finding in document["findings"]:
        found.setdefault(finding["rule"], []).append("explained" if finding["explained_by"] else finding["severity"])
    complaints = check_flows(document, scene, net) + check_totals(document, scene, net)
    complaints += difference("events", {kind: n for kind, n in sorted(document["events"].items()) if n}, dict(sorted(scene.events.items())))
    complaints += difference("findings", {rule: " ".join(sorted(said)) for rule, said in found.items()}, scene.findings)
    return complaints


def main():
    names = sys.argv[2:] or list(SCENES)
    failed = 0
    print(f"1..{len(names)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="tcptriage-scenes-") as scratch:
        for number, (name, path) in enumerate(make.write(scratch, names).items(), 1):
            try:
                complaints = check_scene(name, path)
            except (AssertionError, KeyError, TypeError, ValueError) as error:
                complaints = [f"{type(error).__name__}: {error}"]
            failed += bool(complaints)
            print(f"{'not ok' if complaints else 'ok'} {number} - {name}")
            for complaint in complaints:
                print("# " + complaint.replace("\n", "\n# "), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

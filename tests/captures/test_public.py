#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The public captures, where the folder is: each is read, and our counts are those of tshark but for the differences explained here.
usage: test_public.py TCPTRIAGE      TAP on stdout; nothing but an empty plan where the captures are absent"""
import sys

import tool
from differences import BROKEN, DIFFERENCES, NOT_MALFORMED

# our counter of a flow and tshark's label
PAIRS = {"retransmissions": "retransmission", "out_of_order": "out_of_order", "duplicate_acks": "duplicate_ack", "zero_windows": "zero_window",
         "keepalives": "keep_alive", "resets": "rst"}


def counts(document):
    summed = {ours: sum(flow[f"{ours}_ab"] + flow[f"{ours}_ba"] for flow in document["flows"]) for ours in PAIRS}
    return {"packets": document["packets"], **summed}


def check_malformed(row, document):
    spoken_of = int(row["malformed"]) > 0
    if row["file"] in NOT_MALFORMED:
        assert spoken_of and not document["malformed"], (row["malformed"], document["malformed"])
    elif spoken_of:
        assert document["malformed"] + document["truncated"], "what tshark calls malformed is neither malformed nor cut"


def check(row):
    answer = tool.capture("-r", row["path"], "--json")
    if row["file"] in BROKEN:
        status, packets, word = BROKEN[row["file"]]
        assert answer.status == status and word in answer.messages, (answer.status, answer.messages)
        assert (answer.document["packets"] if answer.document else 0) == packets, answer.text
        return
    assert answer.status == 0, (answer.status, answer.messages)
    check_malformed(row, answer.document)
    ours, theirs = counts(answer.document), {"packets": int(row["packets"]), **{name: int(row[label]) for name, label in PAIRS.items()}}
    differing = {name: (ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]}
    explained = {name: (our, their) for name, (our, their, _) in DIFFERENCES.get(row["file"], {}).items()}
    assert differing == explained, f"differs {differing}, explained {explained}"


def main():
    rows = tool.public()
    failed = 0
    print(f"1..{len(rows)}")
    for number, row in enumerate(rows, 1):
        try:
            check(row)
            print(f"ok {number} - {row['file']}")
        except (AssertionError, KeyError, ValueError) as error:
            failed += 1
            print(f"not ok {number} - {row['file']}")
            print(f"# {error}".replace("\n", "\n# "), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The public captures, where the folder is: each is read, and our counts are those of tshark but for the differences explained here.
usage: test_public.py TCPTRIAGE      TAP on stdout; nothing but an empty plan where the captures are absent"""
import sys

import tool
from differences import BROKEN, DIFFERENCES

# our counter of a flow and tshark's label
PAIRS = {"retransmissions": "retransmission", "out_of_order": "out_of_order", "duplicate_acks": "duplicate_ack", "zero_windows": "zero_window",
         "keepalives": "keep_alive", "resets": "rst"}


def counts(document):
    return {ours: sum(flow[f"{ours}_ab"] + flow[f"{ours}_ba"] for flow in document["flows"]) for ours in PAIRS}


def check(row):
    answer = tool.capture("-r", row["path"], "--json")
    if row["file"] in BROKEN:
        status, packets, word = BROKEN[row["file"]]
        assert answer.status == status and word in answer.messages, (answer.status, answer.messages)
        assert (answer.document["packets"] if answer.document else 0) == packets, answer.text
        return
    assert answer.status == 0, (answer.status, answer.messages)
    document = answer.document
    assert document["packets"] == int(row["packets"]), (document["packets"], row["packets"])
    if int(row["malformed"]):
        assert document["malformed"] + document["truncated"], "what tshark calls malformed is neither malformed nor cut"
    ours = counts(document)
    differing = {name: (ours[name], int(row[label])) for name, label in PAIRS.items() if ours[name] != int(row[label])}
    explained = {name: pair for name, (*pair, _) in DIFFERENCES.get(row["file"], {}).items()}
    assert differing == {name: tuple(pair) for name, pair in explained.items()}, f"differs {differing}, explained {explained}"


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

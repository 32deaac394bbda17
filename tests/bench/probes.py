# SPDX-License-Identifier: MIT
"""The probe side of scripts/bench: how long mtu-probe and trace take until their answer stands, beside tracepath and traceroute on the same path.

A path of four hops (three routers) for each row, in namespaces of its own; every run is a fresh path, for routers remember whom they have
answered and kernels which path is narrow. A program that has not answered after PATIENCE seconds is ended; what it had printed until then,
to a pipe without buffering, counts as its answer."""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lab"))
from chain import PORT, Chain  # noqa: E402
from lab import Lab  # noqa: E402

PATIENCE = 40
ROUTERS = 3
LINE = "{:<34} {:<14} {:>6} {:>6} {:>6}  {:<10} {:>6}  {}"


def healthy(_):
    pass


def told(chain):
    chain.shrink(3, 1400)


def black_hole(chain):
    chain.shrink(3, 1400)
    chain.mute_too_big("r2")


def filtered(chain):
    chain.filter("r2", f"tcp dport {PORT} drop", "prerouting")


def mute(chain):
    chain.mute("r2")


# what, fault, our arguments, verdict and path MTU (or None), the other's command, most seconds (the number; None: none is set)
MTU_ROWS = (
    ("healthy, ICMP", healthy, ("--icmp",), ("fits", 1500), 1.5),
    ("healthy, TCP", healthy, ("--tcp", "--tcp-payload", "raw", "-p", str(PORT)), ("fits", 1500), None),
    ("healthy, UDP", healthy, ("--udp",), ("fits", 1500), None),
    ("narrower and told, ICMP", told, ("--icmp",), ("narrower-told", 1400), None),
    ("narrower and told, UDP", told, ("--udp",), ("narrower-told", 1400), None),
    ("black hole, ICMP", black_hole, ("--icmp",), ("black-hole", 1400), 5),
    ("black hole, TCP", black_hole, ("--tcp", "--tcp-payload", "raw", "-p", str(PORT)), ("black-hole", 1400), 5),
    ("black hole, UDP", black_hole, ("--udp",), ("black-hole", 1400), None),
)
TRACE_ROWS = (
    ("open", healthy, "open"),
    ("one mute router", mute, "open"),
    ("filtered behind the first router", filtered, "filtered"),
)


def timed(chain, words):
    """Seconds, output and whether it ended by itself."""
    began = time.monotonic()
    process = subprocess.Popen(["nsenter", f"--net=/run/netns/{chain.lab.ns('c')}", "stdbuf", "-oL", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        text, _ = process.communicate(timeout=PATIENCE)
        ended = True
    except subprocess.TimeoutExpired:
        process.kill()
        text, _ = process.communicate()
        ended = False
    return time.monotonic() - began, text, ended


def on_fresh_path(fault, words, family=4):
    with Lab(f"bench-{time.monotonic_ns()}", family) as lab:
        chain = Chain(lab, ROUTERS)
        chain.serve(answer=100)  # more would teach the host that the way back is narrow, and TCP could not be asked about larger sizes
        fault(chain)
        return timed(chain, [str(word).replace("TARGET", chain.target) for word in words])


def answer_of(text):
    try:
        result = json.loads(text)["results"][0]
    except (ValueError, LookupError):
        return ("no answer", None), 0
    return (result["verdict"], result.get("path_mtu")), result["probes_sent"]


def said_by_others(text, ended):
    lines = [line for line in text.splitlines() if line.strip()]
    return (lines[-1].strip()[:60] if lines else "nothing") + ("" if ended else " (ended after 40 s)")


def row(tool, runs, what, fault, words, wanted, other, limit):
    own = [on_fresh_path(fault, [tool, *words]) for _ in range(runs)]
    theirs = on_fresh_path(fault, other)
    answers = [answer_of(text) for _, text, _ in own]
    right = all(answer[:len(wanted)] == wanted for answer, _ in answers)
    seconds = statistics.median(took for took, _, _ in own)
    met = right and (limit is None or max(took for took, _, _ in own) <= limit)
    print(LINE.format(what, answers[0][0][0], f"{seconds:.2f}", max(sent for _, sent in answers), "-" if limit is None else f"{limit:g}",
                      other[0], f"{theirs[0]:.2f}",
                      ("yes" if met else "NO") + f"  {other[0]} says: {said_by_others(theirs[1], theirs[2])}"), flush=True)
    return met


def bench_probes(tool, runs):
    """Prints the tables. Return: every answer right and every limit met."""
    print(f"\nA path of {ROUTERS + 1} hops; median of {runs} runs each on a fresh path, the limit holds for the slowest.")
    print(LINE.format("mtu-probe", "verdict", "s", "sent", "limit", "beside", "s", "met"))
    good = True
    for what, fault, words, wanted, limit in MTU_ROWS:
        good &= row(tool, runs, what, fault, ("mtu-probe", "--json", *words, "TARGET"), wanted, ("tracepath", "-n", "TARGET"), limit)
    print(LINE.format("trace", "verdict", "s", "sent", "limit", "beside", "s", "met"))
    for what, fault, verdict in TRACE_ROWS:
        good &= row(tool, runs, what, fault, ("trace", "--json", "-4", f"TARGET:{PORT}"), (verdict,), ("traceroute", "-n", "-T", "-p", str(PORT), "TARGET"), None)
    return good

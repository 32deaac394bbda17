# SPDX-License-Identifier: MIT
"""Peers that do not read, relays that pass the stop on, and senders that are slow or fast for other reasons."""
import contextlib
import os
import re
import socket
import time

from cases import case
from lab import connected, listener, rest, Wrong

RULE = "peer-zero-window"
READER = "recvq-not-drained"
PORT = 9092


def sleeper(lab, count, chatter=False):
    """Accepts and never reads; with `chatter` it says something ten times a second all the same."""
    def program(tell):
        sock = listener(lab, PORT)
        tell("listening")
        kept = [sock.accept()[0] for _ in range(count)]
        while chatter:
            for connection in kept:
                connection.send(b"news")
            time.sleep(0.1)
        rest()
    return program


def writer(lab, count, role="s", reads=False, endless=False):
    """Writes on each connection until nothing more goes in, with `endless` tries on; with `reads` it takes what comes."""
    def program(tell):
        kept = [connected(lab, PORT, role) for _ in range(count)]
        for sock in kept:
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    sock.send(bytes(65536))
        tell("full")
        while reads or endless:
            for sock in kept:
                with contextlib.suppress(BlockingIOError):
                    while endless and sock.send(bytes(65536)):
                        pass
                with contextlib.suppress(BlockingIOError):
                    while reads and sock.recv(65536):
                        pass
            time.sleep(0.05)
        rest()
    return program


def blocked(lab, role, count, probes, patience=40, seconds=0):
    """As many sockets as that are in the persist timer, with at least `probes` probes answered, and `seconds` after the last data by the kernel's clock."""
    def number(row, name):
        found = re.search(rf"{name}:(\d+)", row.rest)
        return int(found[1]) if found else 0

    def like(row):
        return ("timer:(persist" in row.rest and "unacked:" not in row.rest and number(row, "backoff") >= probes
                and number(row, "lastsnd") >= 1000 * seconds)
    return lab.sockets(role, count, "state", "established", f"( dport = :{PORT} )", like=like, patience=patience)


def start(lab, count, **how):
    lab.build()
    lab.spawn("s", sleeper(lab, count, how.pop("chatter", False)), "lab-sleep").hear()
    program = lab.spawn("c", writer(lab, count, **how), "lab-write")
    program.hear()
    return program


@case(RULE, "fault")
def peer_asleep(lab):
    """One connection whose peer never reads."""
    program = start(lab, 1)
    blocked(lab, "c", 1, 3)
    finding = lab.expect(lab.report("c"), RULE, "warning", program, (lab.addr("s"), PORT), count=1, confidence=(0.85, 0.9))
    lab.expect_evidence(finding, "stuck", lambda value: 5000 <= value < 30000, "5 to 30 s")
    lab.expect_evidence(finding, "snd_wnd", lambda value: value < 1400, "less than a segment")
    lab.expect_evidence(finding, "bytes", lambda value: value > 1000, "what waits")


@case(RULE, "fault")
def five_connections_to_one_peer(lab):
    """The peer does not read at all: critical, however short."""
    program = start(lab, 5)
    blocked(lab, "c", 5, 3)
    lab.expect(lab.report("c"), RULE, "critical", program, (lab.addr("s"), PORT), count=5)


@case(RULE, "fault", waits=35)
def for_half_a_minute(lab):
    """One connection, shut for more than 30 s: critical; the time shown is that of the probes."""
    program = start(lab, 1)
    begun = time.monotonic()
    time.sleep(31)
    rows = blocked(lab, "c", 1, 6, seconds=31)
    quiet = int(re.search(r"lastsnd:(\d+)", rows[0].rest)[1])
    finding = lab.expect(lab.report("c"), RULE, "critical", program, (lab.addr("s"), PORT), count=1)
    longest = (time.monotonic() - begun) * 1000 + 1000
    lab.expect_evidence(finding, "stuck", lambda value: 0.9 * quiet <= value <= longest, f"{quiet} ms and the report's time")


@case(RULE, "fault")
def peer_that_talks_and_does_not_read(lab):
    """A peer that says something ten times a second and never reads is no livelier for that: its window stays shut."""
    program = start(lab, 1, chatter=True, reads=True)
    blocked(lab, "c", 1, 3)
    before = lab.ss("c", "state", "established")[0]
    finding = lab.expect(lab.report("c"), RULE, "warning", program, (lab.addr("s"), PORT), count=1)
    received = [int(re.search(r"bytes_received:(\d+)", row.rest)[1]) for row in (before, lab.ss("c", "state", "established")[0])]
    lab.check(received[1] > received[0] + 20, "the peer does not talk")
    lab.expect_evidence(finding, "own_unread", lambda value: value == 0, "0")


def explained(lab, doc, role, parent, child):
    """`child` is part of the story of `parent`: in JSON, in the short report as a count, with -v by name."""
    if doc is None:
        return
    by_rule = {finding["rule"]: finding for finding in doc["findings"]}
    if child not in by_rule or by_rule[child].get("explained_by") != by_rule[parent]["id"]:
        raise Wrong(f"{child} is not explained by {parent}: {[(f['rule'], f.get('explained_by')) for f in doc['findings']]}")
    for arguments, words in (((), "explains 1 other"), (("-v",), child)):
        text = lab.tcptriage("report", *arguments, "--netns", lab.ns(role)).stdout
        if words not in text:
            raise Wrong(f"report {' '.join(arguments)} does not say '{words}': {text}")


@case(RULE, "fault", waits=12, beside={READER: "the relay stops reading because it cannot write: the consequence, folded into the cause"})
def relay_whose_downstream_does_not_read(lab):
    """A sends to B, B passes on to C, C sleeps: B waits for C and leaves unread what A sends. C is the cause, and A sees B stand still."""
    lab.build("crs")
    lab.spawn("s", sleeper(lab, 1), "lab-sleep").hear()

    def relay(tell):
        front = listener(lab, PORT)
        tell("listening")
        upstream, downstream = front.accept()[0], connected(lab, PORT)
        downstream.settimeout(None)
        while True:
            downstream.sendall(upstream.recv(65536))
    middle = lab.spawn("r", relay, "lab-relay")
    middle.hear()
    source = lab.spawn("c", writer(lab, 1, "rc", endless=True), "lab-write")
    source.hear()
    blocked(lab, "r", 1, 3)
    blocked(lab, "c", 1, 1)
    lab.sockets("r", 1, "state", "established", f"( sport = :{PORT} )", like=lambda row: row.recv_q > 4096, patience=40)
    doc = lab.report("r")
    finding = lab.expect(doc, RULE, "critical", middle, (lab.addr("s"), PORT), count=1)
    lab.expect_evidence(finding, "behind", lambda value: value > 4096, "what the relay leaves unread")
    lab.expect(lab.report("c"), RULE, "warning", source, (lab.addr("rc"), PORT), count=1)
    explained(lab, doc, "r", RULE, READER)


@case(RULE, "fault", waits=12, beside={RULE: "the other half of the same standstill, folded"})
def both_write_and_neither_reads(lab):
    """Two programs that write until they are done before they read: each waits for the other."""
    lab.build()

    def server(tell):
        sock = listener(lab, PORT)
        tell("listening")
        connection = sock.accept()[0]
        connection.sendall(bytes(20_000_000))
    lab.spawn("s", server, "lab-wordy").hear()
    program = lab.spawn("c", writer(lab, 1, endless=True), "lab-write")
    program.hear()
    blocked(lab, "c", 1, 3)
    lab.sockets("c", 1, "state", "established", like=lambda row: row.recv_q > 4096, patience=40)
    doc = lab.report("c")
    lab.expect(doc, READER, "critical", program, count=1)
    explained(lab, doc, "c", READER, RULE)


@case(RULE, "fault", waits=12, beside={RULE: "what the sender sees of it, folded"})
def reader_on_the_same_host(lab):
    """Sender and sleeper share a host: the reader is the cause, the sender's shut window its consequence."""
    lab.build()
    address, lab.addr = lab.addr, lambda role: "127.0.0.1" if lab.family == 4 else "::1"
    sleeping = lab.spawn("c", sleeper(lab, 1), "lab-sleep")
    sleeping.hear()
    lab.spawn("c", writer(lab, 1), "lab-write").hear()
    lab.addr = address
    blocked(lab, "c", 1, 3)
    doc = lab.report("c")
    lab.expect(doc, READER, "critical", sleeping, count=1)
    explained(lab, doc, "c", READER, RULE)
    if doc and f"lab-sleep[{sleeping.pid}] on this host does not read" not in doc["findings"][1]["title"]:
        raise Wrong(doc["findings"][1]["title"])


def moving(lab, pause, chunk):
    """A reader that takes `chunk` and pauses, under a sender that never stops; the sender tells what it got rid of each second."""
    lab.build()

    def reader(tell):
        os.nice(15)
        sock = listener(lab, PORT)
        tell("listening")
        connection = sock.accept()[0]
        while True:
            connection.recv(chunk, socket.MSG_WAITALL)
            if pause:
                time.sleep(pause)

    def source(tell):
        os.nice(15)
        sock = connected(lab, PORT)
        sock.settimeout(None)
        tell("connected")
        sent, begun = 0, time.monotonic()
        while True:
            sent += sock.send(bytes(65536))
            if time.monotonic() - begun > 1:
                tell(sent)
                sent, begun = 0, time.monotonic()
    lab.spawn("s", reader, "lab-read").hear()
    program = lab.spawn("c", source, "lab-write")
    program.hear()
    return program


@case(RULE, "twin")
def bulk_at_full_rate(lab):
    """As fast as it goes: the window is used up again and again, for less than a millisecond."""
    program = moving(lab, 0, 1 << 20)
    doc = lab.report("c")
    moved = max(program.hear() for _ in range(3))
    lab.check(moved > 100_000_000, f"{moved} bytes in a second are no full rate")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def slow_reader_that_reads(lab):
    """64 KiB each 50 ms: the sender waits for the window nearly all the time, the persist timer comes and goes, bytes move."""
    program = moving(lab, 0.05, 65536)
    time.sleep(1)
    doc = lab.report("c")
    moved = max(program.hear() for _ in range(3))
    lab.check(200_000 < moved < 20_000_000, f"{moved} bytes in a second")
    rows = lab.ss("c", "state", "established")
    lab.check("rwnd_limited:" in rows[0].rest, "the window does not limit it")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def reader_that_pauses_for_a_second(lab):
    """A second's pause between the reads: shut for a while, and open again."""
    program = moving(lab, 1, 1 << 20)
    time.sleep(2)
    doc = lab.report("c")
    lab.check(program.hear() > 100_000, "nothing moves")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def path_cut_under_a_transfer(lab):
    """The sender's queue stands as well, but what it sent is not acknowledged: that is no window."""
    lab.build("crs")

    def reader(tell):
        sock = listener(lab, PORT)
        tell("listening")
        connection = sock.accept()[0]
        while True:
            connection.recv(65536)

    def source(tell):
        sock = connected(lab, PORT)
        sock.settimeout(None)
        tell("connected")
        while True:
            sock.send(bytes(2000))
            time.sleep(0.01)
    lab.spawn("s", reader, "lab-read").hear()
    lab.spawn("c", source, "lab-write").hear()
    time.sleep(0.5)
    lab.forward_rule("drop")
    lab.sockets("c", 1, "state", "established", like=lambda row: "timer:(on" in row.rest and re.search(r"backoff:[3-9]", row.rest), patience=40)
    lab.expect_silent(lab.report("c"), RULE, allowed=("dead-peer-unacked", "mtu-blackhole-send"))

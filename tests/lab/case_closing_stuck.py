# SPDX-License-Identifier: MIT
"""Closes that do not come to their end: nobody answers the FIN, or nobody reads what stands before it."""
import contextlib
import re
import socket
import time

from cases import case
from lab import connected, echo_server, listener, rest, told

RULE = "closing-stuck"
PORT = 5400
COUNT = 12


def holder(lab, closes=False, after_told=False):
    """Accepts and keeps; with `closes` it closes each at once, with `after_told` all when the case says go."""
    def program(tell):
        sock = listener(lab, PORT, 256)
        tell("listening")
        kept = [sock.accept()[0] for _ in range(COUNT)]
        if closes:
            for connection in kept:
                connection.close()
        tell("accepted")
        if after_told:
            told()
            for connection in kept:
                connection.close()
            tell("closed")
        rest()
    return program


def opener(lab, ends=False, fills=False):
    """Connects, waits for the peer's end or fills its window, and closes when the case says go."""
    def program(tell):
        kept = [connected(lab, PORT) for _ in range(COUNT)]
        for sock in kept:
            if ends:
                sock.recv(1)
            if fills:
                sock.settimeout(0.3)
                with contextlib.suppress(TimeoutError):
                    while True:
                        sock.send(bytes(65536))
        tell("connected")
        told()
        for sock in kept:
            sock.close()
        tell("closed")
        rest()
    return program


def number(row, name):
    found = re.search(rf"{name}:(\d+)", row.rest)
    return int(found[1]) if found else 0


def backoff(row):
    return number(row, "backoff")


def probed(row, ms):
    """The waits between probes so far, without the running one: a busy machine has measured a long round trip, and waits longer each time."""
    return number(row, "rto") * (2 ** backoff(row) - 1) >= ms


def stands(lab, role, state, timer="on", count=COUNT, at_least=3, patience=15):
    """`count` sockets without a program in `state` have backed off so far."""
    return lab.sockets(role, count, "state", state, patience=patience,
                       like=lambda row: f"timer:({timer}," in row.rest and backoff(row) >= at_least and "ino:" not in row.rest)


def scene(lab, server, client):
    """Both programs with their connections between them."""
    lab.build("crs")
    holding = lab.spawn("s", server, "lab-hold")
    holding.hear()
    opening = lab.spawn("c", client, "lab-open")
    opening.hear()
    holding.hear()
    return holding, opening


def close(program):
    program.go()
    program.hear()


@case(RULE, "fault")
def path_dies_before_our_close(lab):
    """FIN-WAIT-1: what the client sends is dropped, then its program closes and is gone."""
    _, client = scene(lab, holder(lab), opener(lab))
    lab.forward_rule(f"tcp dport {PORT} drop")
    close(client)
    stands(lab, "c", "fin-wait-1")
    finding = lab.expect(lab.report("c"), RULE, "warning", peer=(lab.addr("s"), PORT), count=COUNT)
    lab.expect_evidence(finding, "gives_up", lambda ms: 60_000 < ms < 106_000, "a minute to 106 s")
    lab.expect_evidence(finding, "oldest", lambda ms: 1_400 < ms < 60_000, "more than three timeouts")
    lab.expect_evidence(finding, "orphans", lambda count: count == COUNT, "all of them")


@case(RULE, "fault")
def path_dies_after_their_close(lab):
    """LAST-ACK: the server has closed, our own FIN is dropped."""
    _, client = scene(lab, holder(lab, closes=True), opener(lab, ends=True))
    lab.forward_rule(f"tcp dport {PORT} drop")
    close(client)
    stands(lab, "c", "last-ack")
    finding = lab.expect(lab.report("c"), RULE, "warning", peer=(lab.addr("s"), PORT), count=COUNT)
    lab.expect_evidence(finding, "last_ack", lambda count: count == COUNT, "all of them")


@case(RULE, "fault")
def both_close_and_ours_is_lost(lab):
    """CLOSING: our FIN is dropped, theirs arrives."""
    server, client = scene(lab, holder(lab, after_told=True), opener(lab))
    lab.forward_rule(f"tcp dport {PORT} drop")
    close(client)
    close(server)
    stands(lab, "c", "closing")
    finding = lab.expect(lab.report("c"), RULE, "warning", peer=(lab.addr("s"), PORT), count=COUNT)
    lab.expect_evidence(finding, "closing", lambda count: count == COUNT, "all of them")


@case(RULE, "fault", waits=14)
def peer_does_not_read(lab):
    """FIN-WAIT-1 behind a window of zero: the peer answers every probe and takes nothing."""
    _, client = scene(lab, holder(lab), opener(lab, fills=True))
    close(client)
    lab.sockets("c", COUNT, "state", "fin-wait-1", patience=60,
                like=lambda row: "timer:(persist," in row.rest and "ino:" not in row.rest and probed(row, 10_000))
    finding = lab.expect(lab.report("c"), RULE, "warning", peer=(lab.addr("s"), PORT), count=COUNT)
    lab.expect_evidence(finding, "probing", lambda count: count == COUNT, "all of them")
    lab.expect_evidence(finding, "send_q", lambda size: size > 10_000 * COUNT, "what the window did not take")
    lab.expect_evidence(finding, "gives_up", lambda ms: 150_000 < ms < 480_000, "about 330 s after the window closed, more with longer waits")


@case(RULE, "fault")
def clients_left(lab):
    """The server closes; its clients' network is gone. Named by client and by our port."""
    server, _ = scene(lab, holder(lab, after_told=True), opener(lab))
    lab.forward_rule(f"tcp sport {PORT} drop")
    close(server)
    stands(lab, "s", "fin-wait-1")
    finding = lab.expect(lab.report("s"), RULE, "warning", peer=(lab.addr("c"), 0), local_port=PORT, count=COUNT)
    lab.expect_evidence(finding, "fin_wait_1", lambda count: count == COUNT, "all of them")


@case(RULE, "fault", waits=32)
def one_for_half_a_minute(lab):
    """A single one is worth a warning when it has been repeated for half a minute."""
    def client(tell):
        sock = connected(lab, PORT)
        tell("connected")
        told()
        sock.close()
        tell("closed")
        rest()
    lab.build("crs")
    lab.spawn("s", echo_server(lab, PORT), "lab-echo").hear()
    program = lab.spawn("c", client, "lab-open")
    program.hear()
    lab.forward_rule(f"tcp dport {PORT} drop")
    close(program)
    stands(lab, "c", "fin-wait-1", count=1, at_least=7, patience=60)  # the seventh timeout comes 26 s after the FIN
    time.sleep(5)
    lab.expect(lab.report("c"), RULE, "warning", peer=(lab.addr("s"), PORT), count=1)


@case(RULE, "twin")
def five_hundred_closes(lab):
    """500 connections closed while the report looks, half by either side first."""
    lab.build("crs")

    def server(tell):
        sock = listener(lab, PORT, 512)
        tell("listening")
        while True:
            connection = sock.accept()[0]
            if connection.recv(1) == b"c":
                connection.close()
            else:
                connection.recv(1)
                connection.close()

    def client(tell):
        begun = time.monotonic()
        for number in range(500):
            with connected(lab, PORT) as sock:
                sock.send(b"c" if number % 2 else b"s")
                if number % 2:
                    sock.recv(1)
            if number == 10:
                tell("under way")
            time.sleep(max(begun + number / 80 - time.monotonic(), 0))
        tell("done")
        rest()
    lab.spawn("s", server, "lab-serve").hear()
    program = lab.spawn("c", client, "lab-visit")
    program.hear()
    docs = [lab.report(role) for role in "cs"]
    program.hear(30)
    lab.sockets("c", (200, 500), "state", "time-wait")
    for doc in docs:
        lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def last_answer_to_a_slow_reader(lab):
    """The program has closed, 12 connections still carry their last megabyte to readers that take their time: the timer does not back off."""
    def server(tell):
        sock = listener(lab, PORT)
        tell("listening")
        for _ in range(COUNT):
            connection = sock.accept()[0]
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            connection.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    connection.send(bytes(65536))
            connection.close()
        tell("closed")
        rest()

    def client(tell):
        kept = []
        for _ in range(COUNT):
            kept.append(connected(lab, PORT))
        tell("connected")
        while True:
            for sock in kept:
                sock.recv(4000)
            time.sleep(0.1)
    lab.build("crs")
    program = lab.spawn("s", server, "lab-serve")
    program.hear()
    lab.spawn("c", client, "lab-slow").hear()
    program.hear()
    lab.sockets("s", COUNT, "state", "fin-wait-1", like=lambda row: row.send_q > 20_000)
    doc = lab.report("s")
    lab.sockets("s", COUNT, "state", "fin-wait-1")  # they were on their way all the time
    lab.expect_silent(doc, RULE)

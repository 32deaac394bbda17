# SPDX-License-Identifier: MIT
"""Remotes that do not close: many connections that we closed, and half-closed ones that a program keeps. And remotes that do."""
import contextlib
import time

from cases import case
from lab import connected, listener, rest, told

RULE = "finwait2-pileup"
PORT = 5600
MINUTE = 63


def keeper(lab, count):
    """Accepts so many and closes none; when the case says go it closes all."""
    def program(tell):
        sock = listener(lab, PORT, 1024)
        tell("listening")
        kept = [sock.accept()[0] for _ in range(count)]
        tell("accepted")
        told()
        for connection in kept:
            connection.close()
        tell("closed")
        rest()
    return program


def visitor(lab, count, how):
    """Connects so many times; when the case says go it calls how(socket) on each."""
    def program(tell):
        kept = [connected(lab, PORT) for _ in range(count)]
        tell("connected")
        told()
        for sock in kept:
            how(sock)
        tell("done")
        rest()
    return program


def scene(lab, count, how, comms=("lab-keep", "lab-visit")):
    lab.build()
    server = lab.spawn("s", keeper(lab, count), comms[0])
    server.hear()
    client = lab.spawn("c", visitor(lab, count, how), comms[1])
    client.hear()
    server.hear()
    return server, client


def go(program):
    program.go()
    program.hear()


def close(sock):
    sock.close()


def end_half(sock):
    sock.shutdown(1)


def orphans(lab, role, count):
    """All but a few are records with the timer of TIME-WAIT; an ACK that came while close() still held the socket leaves a whole one."""
    rows = lab.sockets(role, count, "state", "fin-wait-2", like=lambda row: "ino:" not in row.rest)
    records = sum("timer:(timewait," in row.rest for row in rows)
    lab.check(records > 0.9 * count, f"{records} of {count} have the timer of TIME-WAIT")


@case(RULE, "fault", waits=12)
def server_never_closes(lab):
    """520 connections closed by the client, none by the server: the mirror of a leak over there."""
    _, client = scene(lab, 520, close)
    go(client)
    time.sleep(10.5)
    orphans(lab, "c", 520)
    lab.sockets("s", 520, "state", "close-wait")
    finding = lab.expect(lab.report("c"), RULE, "warning", peer=(lab.addr("s"), PORT), count=520)
    lab.expect_evidence(finding, "oldest", lambda ms: 10_000 < ms < 40_000, "the time since they were closed")
    lab.expect_evidence(finding, "remotes", lambda count: count == 1, "one")


@case(RULE, "fault", waits=12)
def clients_never_close(lab):
    """The server closes 520 connections, a client on the same network closes none: named with our port."""
    server, _ = scene(lab, 520, close)
    go(server)
    time.sleep(10.5)
    orphans(lab, "s", 520)
    lab.expect(lab.report("s"), RULE, "warning", peer=(lab.addr("c"), 0), local_port=PORT, count=520)


@case(RULE, "fault", waits=MINUTE)
def half_closed_and_forgotten(lab):
    """20 connections on which our program has called shutdown(SHUT_WR); the server says nothing for a minute."""
    _, client = scene(lab, 20, end_half)
    go(client)
    lab.sockets("c", 20, "state", "fin-wait-2", like=lambda row: "timer:" not in row.rest)
    time.sleep(61)
    lab.sockets("c", 20, "state", "fin-wait-2")
    finding = lab.expect(lab.report("c"), RULE, "warning", client, (lab.addr("s"), PORT), count=20)
    lab.expect_evidence(finding, "oldest", lambda ms: 60_000 < ms < 110_000, "a minute and some seconds")


@case(RULE, "twin")
def server_takes_its_time(lab):
    """600 connections closed by the client, and by the server some seconds later: all of them young."""
    server, client = scene(lab, 600, close)
    go(client)
    orphans(lab, "c", 600)
    doc = lab.report("c", "--samples", "2", "--interval", "2")
    orphans(lab, "c", 600)
    go(server)
    lab.sockets("c", 0, "state", "fin-wait-2")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def both_sides_close(lab):
    """520 connections, closed by both."""
    server, client = scene(lab, 520, close)
    go(client)
    go(server)
    lab.sockets("c", 520, "state", "time-wait")
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin", waits=MINUTE)
def half_close_in_use(lab):
    """40 connections on which the client is done sending, and the server still sends, for a minute."""
    def server(tell):
        sock = listener(lab, PORT, 64)
        tell("listening")
        kept = [sock.accept()[0] for _ in range(40)]
        tell("accepted")
        while True:
            for connection in kept:
                connection.send(b"tick")
            time.sleep(0.5)

    def client(tell):
        kept = [connected(lab, PORT) for _ in range(40)]
        for sock in kept:
            sock.shutdown(1)
            sock.setblocking(False)
        tell("half closed")
        while True:
            for sock in kept:
                with contextlib.suppress(BlockingIOError):
                    sock.recv(100)
            time.sleep(0.2)
    lab.build()
    program = lab.spawn("s", server, "lab-stream")
    program.hear()
    lab.spawn("c", client, "lab-listen").hear()
    program.hear()
    time.sleep(62)
    lab.sockets("c", 40, "state", "fin-wait-2")
    lab.expect_silent(lab.report("c"), RULE)

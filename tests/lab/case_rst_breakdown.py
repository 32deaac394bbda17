# SPDX-License-Identifier: MIT
"""Servers and clients that end connections by reset, each for another reason, and such as close in order."""
import contextlib
import socket
import struct
import time

from cases import case
from lab import connected, listener, rest, Wrong

RULE = "rst-breakdown"
PORT = 8080
ROUNDS = 300  # bounds every program here: twenty connections a second for as long as a report takes, and some more


def server(lab, end):
    """Answers each connection with one byte and ends it as end(connection) does."""
    def program(tell):
        sock = listener(lab, PORT)
        tell("listening")
        for _ in range(ROUNDS):
            connection = sock.accept()[0]
            with contextlib.suppress(OSError):
                end(connection)
            connection.close()
        rest()
    return program


def client(lab, pause, shut):
    """Sends a request, reads what comes to the end, closes. shut: says that it has finished sending, as a reset after that counts nowhere."""
    def program(tell):
        for number in range(ROUNDS):
            sock = connected(lab, PORT)
            with contextlib.suppress(OSError):
                sock.sendall(bytes(5000))
                if shut:
                    sock.shutdown(socket.SHUT_WR)
                while sock.recv(65536):
                    pass
            sock.close()
            if number == 3:
                tell("under way")
            time.sleep(pause)
        rest()
    return program


def in_order(connection):
    while connection.recv(65536):
        pass
    connection.send(b"x")


def unread(connection):
    """Answers before the request is read, as an error page is."""
    connection.recv(1)
    connection.send(b"x")
    time.sleep(0.005)


def linger_0(connection):
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def traffic(lab, end, pause=0.05, shut=True):
    lab.build()
    lab.spawn("s", server(lab, end), "lab-serve").hear()
    lab.spawn("c", client(lab, pause, shut), "lab-client").hear()
    return {role: lab.counters(role) for role in "cs"}


def grown(lab, role, before, name):
    return lab.counters(role)[name] - before[role].get(name, 0)


def told(lab, role, before, counter, name):
    """Info, and nearly all of the resets have this cause."""
    finding = lab.expect(lab.report(role), RULE, "info", count=(20, 300))
    lab.check(grown(lab, role, before, counter) >= 20, f"{counter} hardly moved")
    if finding:
        lab.expect_evidence(finding, name, lambda value: value >= 0.9 * finding["count"], f"most of {finding['count']}")
        lab.expect_evidence(finding, "share", lambda value: value > 80, "nearly all connections")
    return finding


@case(RULE, "fault")
def closed_with_data_unread(lab):
    before = traffic(lab, unread)
    finding = told(lab, "s", before, "TcpExtTCPAbortOnClose", "closed_unread")
    if finding and "before close()" not in finding["fixes"][0]:
        raise Wrong(f"the first fix is {finding['fixes'][0]}")


@case(RULE, "fault")
def closed_with_linger_0(lab):
    before = traffic(lab, linger_0)
    finding = told(lab, "s", before, "TcpExtTCPAbortOnData", "aborted")
    if finding and "SO_LINGER" not in finding["fixes"][0]:
        raise Wrong(f"the first fix is {finding['fixes'][0]}")


@case(RULE, "fault")
def reset_by_the_other_side(lab):
    """The same from the client's side: the server resets."""
    before = traffic(lab, linger_0, shut=False)
    told(lab, "c", before, "TcpEstabResets", "received")


@case(RULE, "twin")
def closed_in_order(lab):
    before = traffic(lab, in_order)
    doc = lab.report("s")
    lab.check(grown(lab, "s", before, "TcpPassiveOpens") >= 20, "hardly any connection was opened")
    lab.check(grown(lab, "s", before, "TcpEstabResets") == 0, "a connection was reset after all")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def a_handful_of_resets(lab):
    """One connection a second is reset: a health check, a user who closed a tab."""
    before = traffic(lab, linger_0, pause=0.95)
    doc = lab.report("s")
    lab.check(grown(lab, "s", before, "TcpEstabResets") >= 2, "no connection was reset")
    lab.expect_silent(doc, RULE)

# SPDX-License-Identifier: MIT
"""Clients that come back with the same source port while the server still holds the old connection, and others that may."""
import socket
import struct
import time

from cases import case
from lab import connected, dial, echo_server, rest, tcp, Wrong

RULE = "stale-tuple-challenge"
PORT = 7777
CLIENT_PORTS = range(5555, 5563)
ROUNDS = 2000  # bounds every program here


def come_back(lab, port, reset):
    """One connection from a fixed port; ended with an RST, or by both sides in order."""
    sock = tcp(lab)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", port))
    sock.settimeout(5)
    sock.connect((lab.addr("s"), PORT))
    if reset:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)
    sock.close()


def healthy(lab):
    """One request and its answer, so that the server sets the pace."""
    sock = connected(lab, PORT)
    sock.send(b"x")
    sock.recv(1)
    sock.close()


def lose_resets(lab):
    """The router drops the RST of a close (RST with ACK) and lets the one pass that answers a challenge (RST alone)."""
    lab.build("crs")
    lab.forward_rule(f"tcp dport {PORT} tcp flags & (rst | ack) == (rst | ack) drop")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()


def returning(lab, others, reset=True):
    """Comes back on one port after another, with `others` healthy connections before each."""
    def program(tell):
        for number in range(ROUNDS):
            for _ in range(others):
                healthy(lab)
            come_back(lab, CLIENT_PORTS[number % len(CLIENT_PORTS)], reset)
            if number == len(CLIENT_PORTS) + 1:
                tell("came back")
            if not others:
                time.sleep(0.1)
        rest()
    return program


def grown(lab, role, before, name):
    return lab.counters(role).get(name, 0) - before.get(name, 0)


BESIDE = {"rst-breakdown": "the old connections end by the resets of their clients"}


@case(RULE, "fault", beside=BESIDE)
def every_client_comes_back_too_early(lab):
    lose_resets(lab)
    lab.spawn("c", returning(lab, 0), "lab-return").hear()
    before = lab.counters("s")
    finding = lab.expect(lab.report("s"), RULE, "critical", count=(10, 100), confidence=(0.7, 0.9))
    lab.check(grown(lab, "s", before, "TcpExtTCPSYNChallenge") >= 10, "hardly any SYN was challenged")
    lab.check(grown(lab, "s", before, "TcpEstabResets") >= 10, "hardly any old connection ended")
    lab.expect_evidence(finding, "share", lambda value: value > 80, "nearly all")
    lab.expect_evidence(finding, "rate", lambda value: 100 < value < 1000, "some hundred a minute")


@case(RULE, "fault", beside=BESIDE)
def one_of_a_hundred_and_twenty(lab):
    """Most connections are healthy: the share makes it a warning."""
    lose_resets(lab)
    lab.spawn("c", returning(lab, 120), "lab-return").hear()
    finding = lab.expect(lab.report("s"), RULE, "warning", count=(5, 1000), confidence=(0.7, 0.9))
    lab.expect_evidence(finding, "share", lambda value: 0.5 < value < 1, "one in 120")


@case(RULE, "twin")
def same_port_after_a_clean_close(lab):
    """A fixed source port is harmless when both sides have closed."""
    lab.build("crs")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()
    lab.spawn("c", returning(lab, 0, reset=False), "lab-return").hear()
    before = lab.counters("s")
    doc = lab.report("s")
    lab.check(grown(lab, "s", before, "TcpPassiveOpens") >= 20, "hardly any client came back")
    lab.check(grown(lab, "s", before, "TcpExtTCPSYNChallenge") == 0, "a SYN was challenged after all")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def final_ack_lost(lab):
    """The server repeats its SYN-ACK because our final ACK is lost: the client counts a SYN on an open connection. Info at most."""
    lab.build("crs")
    lab.forward_rule(f"tcp dport {PORT} tcp flags & (syn | ack) == ack drop")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()

    def client(tell):
        kept = []
        tell("dialling")
        for _ in range(60):
            kept.append(dial(lab, PORT)[0])
            time.sleep(0.1)
        rest()
    lab.spawn("c", client, "lab-dial").hear()
    before = lab.counters("c")
    doc = lab.report("c")
    lab.check(grown(lab, "c", before, "TcpExtTCPSYNChallenge") >= 10, "hardly any SYN-ACK was repeated")
    loud = [finding for finding in (doc or {"findings": []})["findings"] if finding["severity"] != "info"]
    if loud:
        raise Wrong(f"{loud[0]['severity']} where a final ACK was lost: {loud[0]['title']}")

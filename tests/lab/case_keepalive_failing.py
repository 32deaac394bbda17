# SPDX-License-Identifier: MIT
"""Keepalive probes that nobody answers, and those that do their work."""
import re
import socket
import time

from cases import case
from lab import connected, listener, rest

RULE = "keepalive-failing"
PORT = 5432


def probe(sock, idle, interval, count=None):
    options = [(socket.TCP_KEEPIDLE, idle), (socket.TCP_KEEPINTVL, interval)] + ([(socket.TCP_KEEPCNT, count)] if count else [])
    for option, value in options:
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def pool(lab, count, *settings):
    """Idle connections that ask whether the peer is there."""
    def program(tell):
        kept = [connected(lab, PORT) for _ in range(count)]
        for sock in kept:
            probe(sock, *settings)
        tell("idle")
        rest()
    return program


def server(lab, count, *settings):
    """Accepts and says nothing; with settings it is the one who asks."""
    def program(tell):
        sock = listener(lab, PORT)
        tell("listening")
        kept = [sock.accept()[0] for _ in range(count)]
        for connection in kept:
            if settings:
                probe(connection, *settings)
        tell("accepted")
        rest()
    return program


def start(lab, count, *settings):
    lab.build("crs")
    door = lab.spawn("s", server(lab, count), "lab-serve")
    door.hear()
    program = lab.spawn("c", pool(lab, count, *settings), "lab-pool")
    program.hear()
    door.hear()
    return program


def unanswered(lab, count, probes, patience=40):
    """As many sockets as that with at least `probes` keepalive probes without an answer."""
    def like(row):
        found = re.search(r"timer:\(keepalive,[^,]*,(\d+)\)", row.rest)
        return found and int(found[1]) >= probes
    return lab.sockets("c", count, "state", "established", like=like, patience=patience)


@case(RULE, "fault", waits=10)
def three_connections(lab):
    """The path dies under three idle connections: the probes of all three go unanswered."""
    program = start(lab, 3, 1, 2, 9)
    lab.forward_rule("drop")
    unanswered(lab, 3, 2)
    finding = lab.expect(lab.report("c"), RULE, "critical", program, (lab.addr("s"), PORT), count=3, confidence=(0.75, 0.9))
    lab.expect_evidence(finding, "interval", lambda value: 1800 < value < 3500, "two seconds and the slack of the timer")
    lab.expect_evidence(finding, "probes", lambda value: 3 <= value < 9, "3 to 8")


@case(RULE, "fault", waits=15)
def one_connection(lab):
    """One connection and some probes of the nine that this host allows: a warning."""
    program = start(lab, 1, 1, 5, 9)
    lab.forward_rule("drop")
    unanswered(lab, 1, 2, patience=40)
    finding = lab.expect(lab.report("c"), RULE, "warning", program, (lab.addr("s"), PORT), count=1)
    lab.expect_evidence(finding, "probe_limit", lambda value: value == 9, "9")
    lab.expect_evidence(finding, "gives_up", lambda value: 10000 < value < 60000, "some probes of 5 s each")


@case(RULE, "fault", waits=18)
def last_probe(lab):
    """One connection that is about to be ended: by the count of this host one probe is left."""
    lab.build("crs")
    lab.sysctl("c", "net.ipv4.tcp_keepalive_probes", 3)
    door = lab.spawn("s", server(lab, 1), "lab-serve")
    door.hear()
    program = lab.spawn("c", pool(lab, 1, 1, 12), "lab-pool")
    program.hear()
    door.hear()
    lab.forward_rule("drop")
    unanswered(lab, 1, 2, patience=40)
    time.sleep(5)  # of the 12 s until the next: then two intervals of silence are certain
    finding = lab.expect(lab.report("c"), RULE, "critical", program, (lab.addr("s"), PORT), count=1)
    lab.expect_evidence(finding, "probe_limit", lambda value: value == 3, "3")


@case(RULE, "twin", waits=8)
def probes_that_are_answered(lab):
    """The same pool on a path that lives: the timer runs, no probe is missing."""
    start(lab, 3, 1, 2, 9)
    time.sleep(3)
    before = lab.counters("c")["TcpExtTCPKeepAlive"]
    doc = lab.report("c")
    lab.check(lab.counters("c")["TcpExtTCPKeepAlive"] > before, "no probe was sent")
    lab.sockets("c", 3, "state", "established", like=lambda row: re.search(r"timer:\(keepalive,[^,]*,0\)", row.rest))
    lab.expect_silent(doc, RULE)


@case(RULE, "twin", waits=8)
def server_that_asks(lab):
    """The server probes, the client's sockets show nothing of it: silence on either side."""
    lab.build("crs")
    door = lab.spawn("s", server(lab, 3, 1, 2, 9), "lab-serve")
    door.hear()

    def client(tell):
        kept = [connected(lab, PORT) for _ in range(3)]
        tell("idle")
        rest()
        del kept
    lab.spawn("c", client, "lab-pool").hear()
    door.hear()
    time.sleep(2)
    lab.check(not any("timer:" in row.rest for row in lab.ss("c", "state", "established")), "the client's sockets have timers")
    lab.sockets("s", 3, "state", "established", like=lambda row: "timer:(keepalive" in row.rest)
    for role in "cs":
        lab.expect_silent(lab.report(role), RULE)


@case(RULE, "twin", waits=14)
def one_probe_lost(lab):
    """One probe gets no answer, the next one does."""
    start(lab, 3, 1, 6, 9)
    lab.forward_rule("drop")
    unanswered(lab, 3, 1)
    doc = lab.report("c", "--quick")
    lab.nft("r", "delete table inet lab")
    lab.expect_silent(doc, RULE)
    lab.sockets("c", 3, "state", "established", like=lambda row: re.search(r"timer:\(keepalive,[^,]*,0\)", row.rest), patience=40)
    lab.expect_silent(lab.report("c"), RULE)

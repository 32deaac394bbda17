# SPDX-License-Identifier: MIT
"""Listeners in use whose queue is short, and short queues that nobody needs to know of."""
import time

from cases import case
from lab import connected, listener, rest, tcp

RULE = "backlog-clipped"
PORT = 8084
CLIENTS = 40


def server(lab, backlog, address=""):
    """Accepts at once and keeps what it gets."""
    def program(tell):
        sock = tcp(lab)
        sock.bind((address, PORT))
        sock.listen(backlog)
        tell("listening")
        kept = []
        while True:
            kept.append(sock.accept()[0])
            if len(kept) == CLIENTS:
                tell("accepted")
    return program


def clients(lab, role="s", address=None, count=CLIENTS):
    def program(tell):
        kept = []
        for _ in range(count):
            sock = tcp(lab)
            sock.settimeout(10)
            sock.connect((address or lab.addr(role), PORT))
            kept.append(sock)
        tell("connected")
        rest()
        del kept
    return program


def served(lab, asked, got, somaxconn):
    lab.build()
    lab.sysctl("s", "net.core.somaxconn", somaxconn)
    program = lab.spawn("s", server(lab, asked), "lab-serve")
    program.hear()
    lab.spawn("c", clients(lab), "lab-call").hear()
    program.hear()
    lab.sockets("s", CLIENTS, "state", "established", "sport", "=", f":{PORT}")
    lab.sockets("s", 1, "state", "listening", like=lambda row: (row.recv_q, row.send_q) == (0, got))
    return program


@case(RULE, "fault")
def asked_for_511_got_128(lab):
    """A namespace whose somaxconn is 128, as it was before Linux 5.4."""
    program = served(lab, 511, 128, 128)
    finding = lab.expect(lab.report("s"), RULE, "info", program, local_port=PORT, count=CLIENTS, confidence=(0.5, 0.7))
    lab.expect_evidence(finding, "somaxconn", lambda value: value == 128, "128")


@case(RULE, "fault")
def asked_for_five(lab):
    """A program's own small number, with forty clients that would all come again after a restart."""
    program = served(lab, 5, 5, 4096)
    finding = lab.expect(lab.report("s"), RULE, "info", program, local_port=PORT, count=CLIENTS)
    lab.expect_evidence(finding, "backlog", lambda value: value == 5, "5")


@case(RULE, "fault")
def clients_that_close_first(lab):
    """One after the other: they leave nothing on the server's side but the counter, and nobody else listens there."""
    lab.build()

    def short(tell):
        sock = listener(lab, PORT, 5)
        tell("listening")
        while True:
            connection = sock.accept()[0]
            connection.send(b"1")
            connection.recv(1)
            connection.close()

    def calls(tell):
        count = 0
        while True:
            sock = connected(lab, PORT)
            sock.recv(1)
            sock.close()
            count += 1
            if count == 10:
                tell(count)
            time.sleep(0.02)
    program = lab.spawn("s", short, "lab-short")
    program.hear()
    client = lab.spawn("c", calls, "lab-call")
    client.hear()
    before = lab.counters("s")["TcpPassiveOpens"]
    doc = lab.report("s")
    lab.check(lab.counters("s")["TcpPassiveOpens"] - before > 20, "hardly anybody came")
    lab.expect(doc, RULE, "info", program, local_port=PORT)


@case(RULE, "twin")
def gets_what_it_asked_for(lab):
    """listen(511) under a somaxconn of 4096."""
    served(lab, 511, 511, 4096)
    lab.expect_silent(lab.report("s"), RULE)


@case(RULE, "twin")
def on_loopback(lab):
    """An administration socket: five are enough."""
    lab.build()
    address = "127.0.0.1" if lab.family == 4 else "::1"
    lab.spawn("s", server(lab, 5, address), "lab-admin").hear()
    lab.spawn("s", clients(lab, address=address), "lab-call").hear()
    lab.sockets("s", CLIENTS, "state", "established", "sport", "=", f":{PORT}")
    lab.expect_silent(lab.report("s"), RULE)


@case(RULE, "twin")
def hardly_used(lab):
    """A backlog of one, and three clients in all."""
    lab.build()
    lab.spawn("s", server(lab, 1), "lab-rare").hear()
    lab.spawn("c", clients(lab, count=3), "lab-call").hear()
    lab.sockets("s", 3, "state", "established", "sport", "=", f":{PORT}")
    lab.expect_silent(lab.report("s"), RULE)

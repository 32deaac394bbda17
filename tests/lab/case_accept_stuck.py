# SPDX-License-Identifier: MIT
"""Connections that wait for accept() in a queue with room, and queues that are taken in time."""
import contextlib
import socket
import time

from cases import case
from lab import connected, listener, rest, tcp, told

RULE = "accept-stuck"
PORT = 8083
BACKLOG = 128
UNACCEPTED = "ino:0"


def deaf(lab):
    """Listens and never accepts."""
    def program(tell):
        sock = listener(lab, PORT, BACKLOG)
        tell("listening")
        rest()
        sock.close()
    return program


def waiting(row):
    """No descriptor: ss -e prints no inode for it."""
    return "ino:" not in row.rest or UNACCEPTED in row.rest


def nobody_accepts(lab, client, count, *state):
    lab.build()
    program = lab.spawn("s", deaf(lab), "lab-deaf")
    program.hear()
    lab.spawn("c", client, "lab-call").hear()
    lab.sockets("s", 1, "state", "listening", like=lambda row: (row.recv_q, row.send_q) == (count, BACKLOG))
    lab.sockets("s", count, *state, "sport", "=", f":{PORT}", like=waiting)
    return program


@case(RULE, "fault", waits=7)
def two_wait_for_ever(lab):
    """A program that never accepts: two clients, connected as far as they know."""
    def client(tell):
        kept = [connected(lab, PORT) for _ in range(2)]
        tell("connected")
        rest()
        del kept
    program = nobody_accepts(lab, client, 2, "state", "established")
    time.sleep(1)
    finding = lab.expect(lab.report("s"), RULE, "critical", program, local_port=PORT, count=2, confidence=(0.9, 0.95))
    lab.expect_evidence(finding, "oldest_child", lambda ms: 6000 <= ms < 60000, "from 6 s on")
    lab.expect_evidence(finding, "backlog", lambda backlog: backlog == BACKLOG, str(BACKLOG))
    lab.check(lab.counters("s")["TcpExtListenOverflows"] == 0, "the queue overflowed")


@case(RULE, "fault", waits=7)
def a_talking_client_waits_as_long(lab):
    """A client that sends ten bytes ten times a second: last_data_recv and last_ack_recv are young, its wait is not."""
    def client(tell):
        sock = connected(lab, PORT)
        tell("connected")
        with contextlib.suppress(OSError):
            while True:
                sock.send(bytes(10))
                time.sleep(0.1)
    program = nobody_accepts(lab, client, 1, "state", "established")
    time.sleep(1)
    finding = lab.expect(lab.report("s"), RULE, "critical", program, local_port=PORT, count=1)
    lab.expect_evidence(finding, "oldest_child", lambda ms: ms >= 6000, "from 6 s on")


@case(RULE, "fault", waits=7)
def clients_that_gave_up(lab):
    """Three ask, wait, and close: CLOSE-WAIT without a descriptor."""
    def client(tell):
        for sock in [connected(lab, PORT) for _ in range(3)]:
            sock.send(b"GET / HTTP/1.0\r\n\r\n")
            sock.close()
        tell("gone")
    program = nobody_accepts(lab, client, 3, "state", "close-wait")
    finding = lab.expect(lab.report("s"), RULE, "critical", program, local_port=PORT, count=3)
    lab.expect_evidence(finding, "gave_up", lambda sockets: sockets == 3, "3")


@case(RULE, "fault")
def slower_than_its_clients(lab):
    """One is accepted each 1.2 s, and two always wait: late, but not stuck."""
    lab.build()

    def server(tell):
        sock = listener(lab, PORT, BACKLOG)
        tell("listening")
        told()
        while True:
            connection = sock.accept()[0]
            connection.send(b"1")
            connection.close()
            time.sleep(1.2)

    def client(tell):
        kept = [connected(lab, PORT), connected(lab, PORT)]
        tell("waiting")
        while True:
            oldest = kept.pop(0)
            kept.append(connected(lab, PORT))
            oldest.settimeout(30)
            oldest.recv(1)
            oldest.close()
    program = lab.spawn("s", server, "lab-slow")
    program.hear()
    lab.spawn("c", client, "lab-call").hear()
    lab.sockets("s", (2, 3), "state", "established", "sport", "=", f":{PORT}", like=waiting)
    program.go()
    lab.expect(lab.report("s"), RULE, "warning", program, local_port=PORT, count=(1, 3))


@case(RULE, "fault")
def one_of_two_workers_is_stuck(lab):
    """Two listeners on one port (SO_REUSEPORT), one of which accepts: the kernel gives each its share, and half of the clients wait."""
    lab.build()

    def worker(accepts):
        def program(tell):
            sock = tcp(lab)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sock.bind(("", PORT))
            sock.listen(BACKLOG)
            tell("listening")
            kept = []
            while accepts:
                kept.append(sock.accept()[0])
            rest()
        return program

    def client(tell):
        kept = [connected(lab, PORT) for _ in range(40)]
        tell("connected")
        rest()
        del kept
    lab.spawn("s", worker(True), "lab-good").hear()
    stuck = lab.spawn("s", worker(False), "lab-stuck")
    stuck.hear()
    lab.spawn("c", client, "lab-call").hear()
    queues = lab.sockets("s", 2, "state", "listening", like=lambda row: row.recv_q < 40)
    waits = max(row.recv_q for row in queues)
    lab.check(waits > 0, "all clients came to the good one")
    time.sleep(1)
    finding = lab.expect(lab.report("s"), RULE, "critical", stuck, local_port=PORT, count=waits, confidence=(0.5, 0.85))
    lab.expect_evidence(finding, "listeners", lambda got: got == 2, "2")


@case(RULE, "twin")
def accepted_every_200_ms(lab):
    """A stream of connects; the server comes back every 200 ms and takes all that wait: the queue is hardly ever empty."""
    lab.build()

    def server(tell):
        sock = listener(lab, PORT, BACKLOG)
        sock.setblocking(False)
        tell("listening")
        taken, begun = 0, time.monotonic()
        while True:
            time.sleep(0.2)
            with contextlib.suppress(BlockingIOError):
                while True:
                    connection = sock.accept()[0]
                    connection.close()
                    taken += 1
            if time.monotonic() - begun > 2:
                tell(taken)
                taken, begun = 0, time.monotonic()

    def client(tell):
        tell("begins")
        while True:
            sock = connected(lab, PORT)
            time.sleep(0.02)
            sock.close()
    program = lab.spawn("s", server, "lab-serve")
    program.hear()
    lab.spawn("c", client, "lab-stream").hear()
    lab.check(program.hear() > 10, "nobody connects")
    doc = lab.report("s")
    lab.check(program.hear() > 10, "the stream has ended")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def deferred_until_data_comes(lab):
    """TCP_DEFER_ACCEPT and clients that say nothing: they stay in SYN-RECV, and nothing waits for accept()."""
    lab.build()

    def server(tell):
        sock = tcp(lab)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 60)
        sock.bind(("", PORT))
        sock.listen(BACKLOG)
        tell("listening")
        rest()

    def client(tell):
        kept = [connected(lab, PORT) for _ in range(3)]
        tell("connected")
        rest()
        del kept
    lab.spawn("s", server, "lab-defer").hear()
    lab.spawn("c", client, "lab-mute").hear()
    lab.sockets("s", 3, "state", "syn-recv")
    doc = lab.report("s")
    lab.sockets("s", 1, "state", "listening", like=lambda row: row.recv_q == 0)
    lab.expect_silent(doc, RULE)

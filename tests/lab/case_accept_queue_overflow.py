# SPDX-License-Identifier: MIT
"""Listeners whose program does not accept, and ones that accept in time."""
import socket
import struct
import time

from cases import case
from lab import dial, listener, rest

RULE = "accept-queue-overflow"
PORT = 8081
BACKLOG = 3
TCP_INFO_UNACKED = 24  # offset in tcp_info; of a listener: connections waiting for accept()


def deaf(lab, backlog):
    def program(tell):
        sock = listener(lab, PORT, backlog)
        tell("listening")
        rest()
        sock.close()
    return program


def callers(lab, count):
    def program(tell):
        kept = [dial(lab, PORT) for _ in range(count)]
        tell(len(kept))
        rest()
    return program


@case(RULE, "fault", beside={"accept-stuck": "those that got into the queue wait there: folded under the overflow",
                              "backlog-clipped": "a backlog of 3 is too short for twelve clients: folded under the overflow"})
def nobody_accepts(lab):
    lab.build()
    program = lab.spawn("s", deaf(lab, BACKLOG), "lab-deaf")
    program.hear()
    lab.spawn("c", callers(lab, 12), "lab-call").hear()
    time.sleep(1.5)
    lab.sockets("s", 1, "state", "listening", like=lambda row: (row.recv_q, row.send_q) == (BACKLOG + 1, BACKLOG))
    lab.check(lab.counters("s")["TcpExtListenOverflows"] >= 8, "ListenOverflows did not move")
    finding = lab.expect(lab.report("s"), RULE, "critical", program, local_port=PORT)
    if finding:
        shown = {row["name"]: row["value"] for row in finding["evidence"]}
        return f"evidence {shown}"


@case(RULE, "twin")
def bursts_that_are_accepted(lab):
    """Bursts of as many as the backlog holds, accepted 50 ms later, again and again: the queue fills and nothing is lost."""
    lab.build()

    def server(tell):
        sock = listener(lab, PORT, BACKLOG)
        tell("listening")
        sock.setblocking(True)
        fullest, rounds = 0, 0
        while True:
            kept = [sock.accept()[0]]
            time.sleep(0.05)
            fullest = max(fullest, struct.unpack_from("I", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), TCP_INFO_UNACKED)[0])
            kept += [sock.accept()[0] for _ in range(BACKLOG - 1)]
            for connection in kept:
                connection.recv(1)
                connection.close()
            rounds += 1
            if rounds % 5 == 0:
                tell(fullest)

    def client(tell):
        while True:
            kept = [dial(lab, PORT)[0] for _ in range(BACKLOG)]
            time.sleep(0.15)
            for sock in kept:
                sock.close()
            time.sleep(0.15)
    program = lab.spawn("s", server, "lab-accept")
    program.hear()
    lab.spawn("c", client, "lab-burst")
    time.sleep(1.5)
    doc = lab.report("s")
    fullest = max(program.hear() for _ in range(3))
    lab.check(fullest >= BACKLOG - 1, f"the queue never held more than {fullest}")
    lab.check(lab.counters("s")["TcpExtListenOverflows"] == 0, "a connection was dropped after all")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def queue_stands_but_has_room(lab):
    """Connections that wait in a queue with room: accept-stuck, but nothing is dropped."""
    lab.build()
    lab.spawn("s", deaf(lab, 64), "lab-late").hear()
    lab.spawn("c", callers(lab, 5), "lab-call").hear()
    time.sleep(1)
    lab.sockets("s", 1, "state", "listening", like=lambda row: (row.recv_q, row.send_q) == (5, 64))
    lab.expect_silent(lab.report("s"), RULE, allowed=("accept-stuck",))

# SPDX-License-Identifier: MIT
"""Data that waits in the receive queue because the program does not read, and programs that read slowly, in bulk, or need not."""
import contextlib
import socket
import time

from cases import case
from lab import connected, listener, rest, Wrong

RULE = "recvq-not-drained"
PORT = 6379
SO_MAX_PACING_RATE = 47


def sleeper(lab, count):
    """Accepts and never reads."""
    def program(tell):
        sock = listener(lab, PORT)
        tell("listening")
        kept = [sock.accept()[0] for _ in range(count)]
        tell("accepted")
        rest()
        del kept
    return program


def sender(lab, count, size=None):
    """Writes `size` bytes on each connection, or until no more goes in (and tries on)."""
    def program(tell):
        kept = [connected(lab, PORT) for _ in range(count)]
        for sock in kept:
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while sock.send(bytes(size or 65536)) and not size:
                    pass
        tell("sent")
        while not size:
            for sock in kept:
                with contextlib.suppress(BlockingIOError):
                    while sock.send(bytes(65536)):
                        pass
            time.sleep(0.2)
        rest()
    return program


def unread(lab, count, size, wait, recv_q):
    lab.build()
    program = lab.spawn("s", sleeper(lab, count), "lab-sleep")
    program.hear()
    lab.spawn("c", sender(lab, count, size), "lab-send").hear()
    program.hear()
    time.sleep(wait)
    lab.sockets("s", count, "state", "established", like=lambda row: recv_q[0] <= row.recv_q <= recv_q[1])
    return program


@case(RULE, "fault")
def three_with_two_kilobytes(lab):
    """2000 bytes on each of three connections, unread for some seconds: a warning."""
    program = unread(lab, 3, 2000, 0, (2000, 2000))  # 5 s old at the last sample: twice what it takes, half of what makes it critical
    lab.expect(lab.report("s"), RULE, "warning", program, count=3)


@case(RULE, "fault")
def buffer_full_window_shut(lab):
    """A sender without end: the buffer is full, the window is shut."""
    program = unread(lab, 2, None, 3, (50_000, 10_000_000))
    lab.check(lab.counters("s")["TcpExtTCPToZeroWindowAdv"] >= 1, "no zero window was advertised")
    lab.check(all("timer:(persist" in row.rest for row in lab.ss("c", "state", "established")), "the sender does not probe")
    lab.expect(lab.report("s"), RULE, "critical", program, count=2)


@case(RULE, "fault", waits=11)
def ten_sockets_ten_seconds(lab):
    """Ten connections of one process, stuck for longer than 10 s."""
    program = unread(lab, 10, 1500, 10.5, (1500, 1500))
    lab.expect(lab.report("s"), RULE, "critical", program, count=10)


@case(RULE, "fault")
def data_before_the_end(lab):
    """CLOSE-WAIT with data: the peer is gone, what it said is unread (its FIN counts one more)."""
    lab.build()
    program = lab.spawn("s", sleeper(lab, 3), "lab-sleep")
    program.hear()

    def client(tell):
        for _ in range(3):
            sock = connected(lab, PORT)
            sock.send(bytes(3000))
            sock.close()
        tell("gone")
    lab.spawn("c", client, "lab-send").hear()
    program.hear()
    lab.sockets("s", 3, "state", "close-wait", like=lambda row: row.recv_q == 3001)
    lab.expect(lab.report("s"), RULE, "warning", program, count=3)


def reading(lab, pause, pacing=None, chunk=65536):
    """A reader that takes `chunk` and pauses, under a sender that never stops; bytes read per second are told each second."""
    lab.build()

    def reader(tell):
        sock = listener(lab, PORT)
        tell("listening")
        connection = sock.accept()[0]
        taken, begun = 0, time.monotonic()
        while True:
            taken += len(connection.recv(chunk, socket.MSG_WAITALL))
            if pause:
                time.sleep(pause)
            if time.monotonic() - begun > 1:
                tell(taken)
                taken, begun = 0, time.monotonic()

    def writer(tell):
        sock = tcp_to(lab, pacing)
        tell("connected")
        with contextlib.suppress(OSError):
            while True:
                sock.sendall(bytes(65536))
    program = lab.spawn("s", reader, "lab-read")
    program.hear()
    lab.spawn("c", writer, "lab-write").hear()
    program.hear()
    return program


def tcp_to(lab, pacing):
    sock = connected(lab, PORT)
    sock.settimeout(None)
    if pacing:
        sock.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, pacing)
    return sock


@case(RULE, "twin")
def slow_reader_that_reads(lab):
    """64 KiB each 50 ms under a faster sender: the queue is never empty, the program works through it."""
    program = reading(lab, 0.05)
    time.sleep(1)
    lab.sockets("s", 1, "state", "established", like=lambda row: row.recv_q > 0)
    doc = lab.report("s")
    lab.check(program.hear() > 500000, "the reader does not read")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def bulk_receiver(lab):
    """A download at full speed for its reader (paced, so that it leaves the processors to others)."""
    program = reading(lab, 0, pacing=60_000_000)
    doc = lab.report("s")
    lab.check(max(program.hear() for _ in range(3)) > 20_000_000, "the download is slow")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def idle_pool_with_session_tickets(lab):
    """A client that has no reason to read: 510 bytes came after the handshake, as TLS 1.3 sends them. Info at most."""
    lab.build()

    def server(tell):
        sock = listener(lab, PORT)
        tell("listening")
        kept = []
        while True:
            kept.append(sock.accept()[0])
            kept[-1].send(bytes(510))

    def client(tell):
        kept = [connected(lab, PORT) for _ in range(5)]
        tell("idle")
        rest()
        del kept
    lab.spawn("s", server, "lab-serve").hear()
    lab.spawn("c", client, "lab-pool").hear()
    time.sleep(2.5)
    lab.sockets("c", 5, "state", "established", like=lambda row: row.recv_q == 510)
    doc = lab.report("c")
    loud = [finding for finding in (doc or {"findings": []})["findings"] if finding["severity"] != "info"]
    if loud:
        raise Wrong(f"{loud[0]['severity']} on an idle pool: {loud[0]['title']}")

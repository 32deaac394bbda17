# SPDX-License-Identifier: MIT
"""Connections that the peer has closed and our program has not, at the default thresholds: so each case waits a minute."""
import contextlib
import resource
import time

import recording
from cases import case
from lab import Absent, connected, listener, rest, scratch, Wrong

RULE = "close-wait-leak"
PORT = 5432
MINUTE = 62
CLOSE_WAIT = 8  # the kernel's number


def closing_server(lab, before_close=0.3, word=b""):
    """Accepts, perhaps says a word, and closes a moment later; then stays."""
    def program(tell):
        sock = listener(lab, PORT, 256)
        tell("listening")
        waiting = []
        sock.settimeout(0.05)
        while True:
            with contextlib.suppress(TimeoutError):
                connection = sock.accept()[0]
                if word:
                    connection.send(word)
                waiting.append((time.monotonic() + before_close, connection))
            while waiting and waiting[0][0] < time.monotonic():
                waiting.pop(0)[1].close()
    return program


def leaker(lab, count, reads=True, files=None):
    """Opens `count` connections, reads their end (or never reads), closes none."""
    def program(tell):
        if files:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        kept = [connected(lab, PORT) for _ in range(count)]
        if reads:
            for sock in kept:
                while sock.recv(100):
                    pass
        tell(len(kept))
        rest()
    return program


def leak(lab, count, recv_q=0, word=b"", wait=MINUTE, **how):
    lab.build()
    lab.spawn("s", closing_server(lab, word=word), "lab-serve").hear()
    program = lab.spawn("c", leaker(lab, count, **how), "lab-leak")
    program.hear()
    time.sleep(wait)
    lab.sockets("c", count, "state", "close-wait", like=lambda row: row.recv_q == recv_q)
    return program


@case(RULE, "fault", waits=MINUTE)
def thirty_six_seen_and_kept(lab):
    """Read to the end, never closed: the program's own bug. One look cannot tell it from a pool: a warning."""
    program = leak(lab, 36)
    finding = lab.expect(lab.report("c"), RULE, "warning", program, (lab.addr("s"), PORT), count=36, confidence=(0.5, 0.6))
    if finding and not finding["against"]:
        raise Wrong("nothing is said against it, but a lazy pool looks the same")


@case(RULE, "fault", waits=MINUTE)
def sixty_of_a_hundred_files(lab):
    """60 kept where the process may open 100 files: half of its limit is gone."""
    program = leak(lab, 60, files=100)
    lab.expect(lab.report("c"), RULE, "critical", program, (lab.addr("s"), PORT), count=60, confidence=(0.5, 0.9))


@case(RULE, "fault", waits=MINUTE)
def reader_does_not_run(lab):
    """A server whose read loop stands still: forty clients came and went, their end itself is unread (Recv-Q 1); 40 of 256 files."""
    lab.build()

    def stuck(tell):
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        sock = listener(lab, PORT)
        tell("listening")
        kept = [sock.accept()[0] for _ in range(40)]
        tell("accepted")
        rest()
        del kept

    def clients(tell):
        for sock in [connected(lab, PORT) for _ in range(40)]:
            sock.close()
        tell("gone")
    program = lab.spawn("s", stuck, "lab-stuck")
    program.hear()
    lab.spawn("c", clients, "lab-visit").hear()
    program.hear()
    time.sleep(MINUTE)
    lab.sockets("s", 40, "state", "close-wait", like=lambda row: row.recv_q == 1)
    lab.expect(lab.report("s"), RULE, "warning", program, count=40)


@case(RULE, "twin", waits=MINUTE)
def pool_with_unread_tickets(lab):
    """Pooled connections that the peer has closed, with the 510 bytes unread that TLS 1.3 sends after the handshake: no program reads those."""
    leak(lab, 40, 511, word=bytes(510), reads=False)
    doc = lab.report("c")
    if doc and doc["status"] != "ok":
        raise Wrong(f"an idle pool gives status {doc['status']}: {doc['findings'][0]['title']}")


def recorded_older(lab, folder):
    """A recording of the client's namespace in which every CLOSE-WAIT is ten minutes older, judged."""
    lab.tcptriage("report", "--json", "--netns", lab.ns("c"), "--samples", "2", "--interval", "1", "--record", f"{folder}/rec")
    if not recording.age(f"{folder}/rec", CLOSE_WAIT, 600_000):
        raise Absent("the recording holds no CLOSE-WAIT")
    return lab.document(lab.tcptriage("report", "--json", "--from", f"{folder}/rec"))


@case(RULE, "fault")
def sixty_for_ten_minutes__shifted_clock(lab):
    """60 kept for ten minutes, a recording with a shifted clock: damning in one look, whatever the limit of files."""
    program = leak(lab, 60, wait=0)
    if lab.binary:
        with scratch() as folder:
            lab.expect(recorded_older(lab, folder), RULE, "critical", program, (lab.addr("s"), PORT), count=60, confidence=(0.5, 0.9))


@case(RULE, "fault")
def one_for_ten_minutes__shifted_clock(lab):
    """One old socket, as every laptop has: said, and no alarm."""
    program = leak(lab, 1, wait=0)
    if lab.binary:
        with scratch() as folder:
            lab.expect(recorded_older(lab, folder), RULE, "info", program, (lab.addr("s"), PORT), count=1)


@case(RULE, "twin", waits=MINUTE)
def pool_of_five(lab):
    """Five pooled connections that the peer gave up: below the count of a leak, and flat."""
    leak(lab, 5)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin", waits=MINUTE)
def half_close_server_keeps_sending(lab):
    """A deliberate half-close: the peer is done sending, we go on answering, in CLOSE-WAIT, for a minute."""
    lab.build()

    def streamer(tell):
        sock = listener(lab, PORT)
        tell("listening")
        kept = [sock.accept()[0] for _ in range(40)]
        for connection in kept:
            while connection.recv(100):
                pass
        tell("half closed")
        while True:
            for connection in kept:
                connection.send(b"tick")
            time.sleep(0.4)

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
    program = lab.spawn("s", streamer, "lab-stream")
    program.hear()
    lab.spawn("c", client, "lab-listen").hear()
    program.hear()
    time.sleep(MINUTE)
    lab.sockets("s", 40, "state", "close-wait")
    lab.sockets("c", 40, "state", "fin-wait-2")
    lab.expect_silent(lab.report("s"), RULE)


@case(RULE, "twin")
def closed_a_moment_later(lab):
    """20 a second, each closed 0.3 s after its peer: always a handful in CLOSE-WAIT, never the same ones."""
    lab.build()
    lab.spawn("s", closing_server(lab, before_close=0.0), "lab-serve").hear()

    def client(tell):
        kept = []
        for number in range(10000):
            kept.append((time.monotonic() + 0.4, connected(lab, PORT)))
            while kept and kept[0][0] < time.monotonic():
                kept.pop(0)[1].close()
            if number == 20:
                tell("under way")
            time.sleep(0.05)
    lab.spawn("c", client, "lab-visit").hear()
    lab.sockets("c", (3, 12), "state", "close-wait")
    lab.expect_silent(lab.report("c"), RULE)

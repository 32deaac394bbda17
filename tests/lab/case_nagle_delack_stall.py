# SPDX-License-Identifier: MIT
"""Small writes that Nagle's algorithm holds back for an ACK that the peer delays, and traffic that only looks like it."""
import contextlib
import socket
import threading
import time

import wirebox
from cases import case
from lab import connected, listener, rest, scratch, Wrong

RULE = "nagle-delack-stall"
PORT = 7000
HEAD, BODY, ANSWER = 50, 100, 20
SHORTEST_DELAY = 30  # ms; a cycle that waited for a delayed ACK takes longer, on an idle machine 44
SO_MAX_PACING_RATE = 47


def take(sock, size):
    while size:
        data = sock.recv(size)
        if not data:
            raise EOFError
        size -= len(data)


def side_by_side(function, sockets):
    """function(socket) for each of them, in a thread of its own; returns when the last one has ended."""
    threads = [threading.Thread(target=function, args=(sock,), daemon=True) for sock in sockets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def answering(lab, count=1, ask=HEAD + BODY, answer=(ANSWER,), think=0.0):
    """Answers each request of `ask` bytes, in as many writes as `answer` has sizes, after `think` seconds."""
    def talk(connection):
        with contextlib.suppress(EOFError, OSError):
            while True:
                take(connection, ask)
                time.sleep(think)
                for size in answer:
                    connection.sendall(bytes(size))

    def program(tell):
        sock = listener(lab, PORT)
        tell("listening")
        side_by_side(talk, [sock.accept()[0] for _ in range(count)])
        rest()
    return program


def asking(lab, count=1, pieces=(HEAD, BODY), answer=ANSWER, pause=0.0, nodelay=False):
    """Sends requests in `pieces`, each after the answer to the one before and a pause; tells the median time of an answer in ms each second."""
    def program(tell):
        sockets = [connected(lab, PORT) for _ in range(count)]

        def ask(sock):
            begun = time.monotonic()
            for size in pieces:
                sock.sendall(bytes(size))
            take(sock, answer)
            return (time.monotonic() - begun) * 1000

        def talk(sock):
            sock.settimeout(None)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, nodelay)
            with contextlib.suppress(EOFError, OSError):  # the lab ends, and the server a moment before
                while True:
                    cycles, until = [], time.monotonic() + 1
                    while time.monotonic() < until:
                        cycles.append(ask(sock))
                        time.sleep(pause)
                    if sock is sockets[0]:
                        tell(sorted(cycles)[len(cycles) // 2])
        side_by_side(talk, sockets)
        rest()
    return program


def median(lab, program, low, high):
    """What the client's answers take now lies between these ms."""
    taken = program.hear()
    lab.check(low <= taken <= high, f"an answer takes {taken:.1f} ms")


def talk(lab, server, client, low, high, role="c"):
    """Starts both sides and waits until the client's answers take what they should: behind the quick ACKs of the beginning."""
    answerer = lab.spawn("s", server, "lab-answer")
    answerer.hear()
    program = lab.spawn(role, client, "lab-ask")
    program.hear()
    median(lab, program, low, high)
    return program, answerer


def expect_stalls(lab, doc, severity, owner, per_min=(400, 1600), **where):
    finding = lab.expect(doc, RULE, severity, owner, confidence=(0.8, 0.9), **where)
    for name, low, high in (("held_share", 50, 100), ("hold", 20, 60), ("segment", 50, 110), ("stalls", *per_min), ("looks", 50, 120)):
        lab.expect_evidence(finding, name, lambda value, low=low, high=high: low <= value <= high, f"{low} to {high}")
    if doc and doc["fast_looks"] < 50 * max(doc["fast_sockets"], 1):
        raise Wrong(f"{doc['fast_looks']} fast looks at {doc['fast_sockets']} sockets")
    return finding


@case(RULE, "fault")
def two_writes_and_a_wait(lab):
    """50 bytes, 100 bytes, wait for the answer: 44 ms each although the path takes microseconds."""
    lab.build()
    program, _ = talk(lab, answering(lab), asking(lab), SHORTEST_DELAY, 250)
    expect_stalls(lab, lab.report("c"), "warning", program, peer=(lab.addr("s"), PORT), count=1)
    median(lab, program, SHORTEST_DELAY, 250)


@case(RULE, "fault")
def answer_in_two_writes(lab):
    """The server writes header and body apart: it is the one that stalls, and its clients wait."""
    lab.build()
    _, server = talk(lab, answering(lab, ask=HEAD, answer=(HEAD, BODY)), asking(lab, pieces=(HEAD,), answer=HEAD + BODY), SHORTEST_DELAY, 250)
    expect_stalls(lab, lab.report("s"), "warning", server, local_port=PORT, count=1)


@case(RULE, "fault")
def four_connections_of_a_service(lab):
    """Four connections of one program that do nothing but wait: thousands of stalls a minute."""
    lab.build()
    program, _ = talk(lab, answering(lab, 4), asking(lab, 4), SHORTEST_DELAY, 250)
    lab.sockets("c", 4, "state", "established")
    expect_stalls(lab, lab.report("c"), "critical", program, per_min=(1600, 6400), peer=(lab.addr("s"), PORT), count=4)


@case(RULE, "fault")
def both_ends_on_this_host(lab):
    """Client and server in one namespace: the delayed ACKs that the kernel counts are those of this conversation."""
    lab.build()
    program, _ = talk(lab, answering(lab), asking(lab), SHORTEST_DELAY, 250, role="s")
    before = lab.counters("s")["TcpExtDelayedACKs"]
    finding = expect_stalls(lab, lab.report("s"), "warning", program, peer=(lab.addr("s"), PORT), count=1)
    lab.check(lab.counters("s")["TcpExtDelayedACKs"] - before >= 50, "no delayed ACKs")
    lab.expect_evidence(finding, "delayed_acks", lambda value: 50 <= value <= 130, "about 110")


@case(RULE, "twin")
def one_write(lab):
    """The same 150 bytes in one write."""
    lab.build()
    talk(lab, answering(lab), asking(lab, pieces=(HEAD + BODY,), pause=0.002), 0, SHORTEST_DELAY)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def nodelay(lab):
    """The same two writes with TCP_NODELAY."""
    lab.build()
    talk(lab, answering(lab), asking(lab, nodelay=True, pause=0.002), 0, SHORTEST_DELAY)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def server_that_thinks(lab):
    """An answer takes 40 ms because the server thinks: the ACK of the request is delayed too, but nothing waits for it."""
    lab.build()
    talk(lab, answering(lab, think=0.04), asking(lab, pieces=(HEAD + BODY,)), SHORTEST_DELAY, 250)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def client_that_thinks(lab):
    """A request each 40 ms."""
    lab.build()
    talk(lab, answering(lab), asking(lab, pieces=(HEAD + BODY,), pause=0.04), 0, SHORTEST_DELAY)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def stream_of_small_writes(lab):
    """Lines of a log, one each 2 ms: Linux delays no ACK for a reader that has nothing to say, and Nagle holds nothing for long."""
    lab.build()

    def reader(tell):
        sock = listener(lab, PORT)
        tell("listening")
        connection = sock.accept()[0]
        while connection.recv(100000):
            pass

    def writer(tell):
        sock = connected(lab, PORT)
        tell("connected")
        while True:
            sock.sendall(bytes(BODY))
            time.sleep(0.002)
    lab.spawn("s", reader, "lab-read").hear()
    lab.spawn("c", writer, "lab-log").hear()
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def bulk_sender(lab):
    """An upload at full speed for its reader (paced, so that it leaves the processors to others), in writes of an odd size."""
    lab.build()

    def reader(tell):
        sock = listener(lab, PORT)
        tell("listening")
        connection = sock.accept()[0]
        taken, begun = 0, time.monotonic()
        while True:
            taken += len(connection.recv(1 << 20))
            if time.monotonic() - begun > 1:
                tell(taken)
                taken, begun = 0, time.monotonic()

    def writer(tell):
        sock = connected(lab, PORT)
        sock.settimeout(None)
        sock.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, 60_000_000)
        tell("connected")
        while True:
            sock.sendall(bytes(100_001))
    program = lab.spawn("s", reader, "lab-read")
    program.hear()
    lab.spawn("c", writer, "lab-write").hear()
    doc = lab.report("c")
    lab.check(max(program.hear() for _ in range(3)) > 20_000_000, "the upload is slow")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def path_of_forty_ms(lab):
    """The same two writes over a path whose round trip is 40 ms: Nagle holds the second one back, but for the path's own time."""
    wirebox.build(lab, lambda packet, sender: [0.02])
    talk(lab, answering(lab), asking(lab), 2 * SHORTEST_DELAY, 400)
    lab.check(all("minrtt:4" in row.rest for row in lab.ss("c", "state", "established")), "the path is not 40 ms long")
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "view")
def looks_within_the_time_that_is_there(lab):
    """Fast looks never move a sample, end with the run, and are said to be missing where there are none."""
    lab.build()
    talk(lab, answering(lab), asking(lab), SHORTEST_DELAY, 250)

    def reasons(*arguments):
        begun = time.monotonic()
        doc = lab.report("c", "--rule", RULE, *arguments)
        return (doc or {}).get("skipped_rules"), (doc or {}).get("fast_looks"), (doc or {}).get("duration_ms"), time.monotonic() - begun

    for arguments, words, fast in ((("--interval", "0.2"), "too few fast looks", True), (("--quick",), "--quick takes none", False),
                                   (("--samples", "1"), "only one was taken", False)):
        skipped, looks, duration, _ = reasons(*arguments)
        if not lab.binary:
            return
        if not any(entry["rule"] == RULE and words in entry["reason"] for entry in skipped):
            raise Wrong(f"{arguments}: '{words}' is not said: {skipped}")
        if bool(looks) != fast or duration > 600:
            raise Wrong(f"{arguments}: {looks} fast looks in {duration} ms")
    with scratch() as folder:
        lab.tcptriage("report", "--json", "--netns", lab.ns("c"), "--samples", "2", "--interval", "1", "--record", f"{folder}/rec")
        doc = lab.document(lab.tcptriage("report", "--json", "--from", f"{folder}/rec"))
        if not any(entry["rule"] == RULE and "a recording holds none" in entry["reason"] for entry in doc["skipped_rules"]):
            raise Wrong(f"a recording without fast looks is judged: {doc['skipped_rules']}")
    done = lab.tcptriage("report", "--netns", lab.ns("c"), "--rule", RULE)
    if "socket looked at 1" not in done.stdout:
        raise Wrong(f"the cost is not said: {done.stdout[-200:]}")

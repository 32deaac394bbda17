# SPDX-License-Identifier: MIT
"""Requests that were delivered and are not answered, and connections that wait without anything being wrong."""
import re
import time

from cases import case
from lab import connected, listener, rest, Wrong

RULE = "awaiting-response"
PORT = 8080
WAIT = 31


def server(lab, port, count, reads=1, answers=0, last=b"", close=False):
    """Reads `reads` requests on each connection and answers the first `answers` of them, each after a thought. Then it is silent, or
    says a `last` word and closes."""
    def talk(connection):
        for number in range(reads):
            connection.recv(4096)
            if number < answers:
                time.sleep(0.05)
                connection.send(bytes(500))
        if close:
            connection.send(last)
            connection.close()

    def program(tell):
        sock = listener(lab, port)
        tell("listening")
        kept = [sock.accept()[0] for _ in range(count)]
        for connection in kept:
            talk(connection)
        tell("silent")
        rest()
    return program


def client(lab, port, count, questions=1, answers=0, pause=0.1):
    """Asks `questions` times on each of `count` connections, reads `answers` answers, and waits."""
    def program(tell):
        kept = [connected(lab, port) for _ in range(count)]
        time.sleep(pause)
        for sock in kept:
            for number in range(questions):
                sock.send(bytes(200))
                if number < answers:
                    sock.recv(500)
                    time.sleep(pause / 2)
        tell("asked")
        rest()
    return program


def times(row):
    """lastsnd and lastrcv of a row of ss, in ms."""
    return [int(re.search(rf"\b{word}:(\d+)", row.rest)[1]) for word in ("lastsnd", "lastrcv")]


def we_spoke_last(row):
    sent, received = times(row)
    return not row.send_q and "unacked" not in row.rest and received - sent > 8


def standing(lab, serve, ask, count, like, wait=WAIT):
    lab.build()
    other = lab.spawn("s", serve, "lab-serve")
    other.hear()
    program = lab.spawn("c", ask, "lab-ask")
    program.hear()
    other.hear()
    time.sleep(wait)
    lab.sockets("c", count, "state", "established", like=like)
    return program


def expect_waiting(lab, program, count):
    finding = lab.expect(lab.report("c"), RULE, "info", program, (lab.addr("s"), PORT), count=count, confidence=(0.4, 0.5))
    lab.expect_evidence(finding, "longest", lambda value: WAIT * 1000 <= value <= 90_000, "half a minute")
    lab.expect_evidence(finding, "timeout", lambda value: value == "request", "request")
    lab.expect_evidence(finding, "sent", lambda value: value >= 200 * count, "what was asked")
    if finding and not any("a watch" in line for line in finding["against"]):
        raise Wrong("nothing is said of a watch, which looks the same")
    return finding


@case(RULE, "fault", waits=WAIT)
def server_reads_and_sleeps(lab):
    """One request on each of three connections; the server reads them and sleeps."""
    program = standing(lab, server(lab, PORT, 3), client(lab, PORT, 3), 3, we_spoke_last)
    finding = expect_waiting(lab, program, 3)
    lab.expect_evidence(finding, "never_answered", lambda value: value == 3, "all three")


@case(RULE, "fault", waits=WAIT)
def third_request_hangs(lab):
    """Two requests on each connection were answered, the third is not."""
    program = standing(lab, server(lab, PORT, 2, reads=3, answers=2), client(lab, PORT, 2, questions=3, answers=2), 2, we_spoke_last)
    finding = expect_waiting(lab, program, 2)
    lab.expect_evidence(finding, "received", lambda value: value == 2000, "four answers of 500 bytes")


@case(RULE, "twin", waits=WAIT)
def watch_for_news(lab):
    """Three watches: asked, told the state of things, asked for what comes next, and there are no news. The same picture: no alarm, and it is said."""
    program = standing(lab, server(lab, PORT, 3, reads=2, answers=1), client(lab, PORT, 3, questions=2, answers=1), 3, we_spoke_last)
    doc = lab.report("c")
    if doc and doc["status"] != "ok":
        raise Wrong(f"a watch gives status {doc['status']}: {doc['findings'][0]['title']}")
    for finding in doc["findings"] if doc else []:
        if finding["rule"] == RULE and (finding["scope"]["pid"] != program.pid or not any("a watch" in line for line in finding["against"])):
            raise Wrong("a watch is blamed and nothing speaks for it")


@case(RULE, "twin", waits=WAIT)
def idle_pool(lab):
    """Pooled connections after their last answer: the peer spoke last, seen from either side."""
    standing(lab, server(lab, PORT, 5, answers=1), client(lab, PORT, 5, answers=1), 5, lambda row: times(row)[1] <= times(row)[0])
    lab.expect_silent(lab.report("c"), RULE)
    lab.sockets("s", 5, "state", "established", like=we_spoke_last)
    lab.expect_silent(lab.report("s"), RULE)


@case(RULE, "twin", waits=WAIT)
def one_that_waits(lab):
    """A single connection without an answer is a subscription more often than not."""
    standing(lab, server(lab, PORT, 1), client(lab, PORT, 1), 1, we_spoke_last)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin", waits=WAIT)
def secure_shells(lab):
    """Three connections to port 22 on which the client spoke last."""
    standing(lab, server(lab, 22, 3), client(lab, 22, 3), 3, we_spoke_last)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin", waits=WAIT)
def nobody_has_spoken(lab):
    """Connections that were opened ahead of their use."""
    lab.build()
    lab.spawn("s", server(lab, PORT, 3, reads=0), "lab-serve").hear()
    lab.spawn("c", client(lab, PORT, 3, questions=0), "lab-ask").hear()
    time.sleep(WAIT)
    lab.sockets("c", 3, "state", "established")
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin", waits=WAIT)
def pool_that_was_closed(lab):
    """As with TLS 1.3: 534 bytes that no client reads came last, then the end. Whoever speaks of it, it is no alarm."""
    lab.build()
    other = lab.spawn("s", server(lab, PORT, 3, last=bytes(534), close=True), "lab-serve")
    other.hear()
    lab.spawn("c", client(lab, PORT, 3), "lab-ask").hear()
    other.hear()
    time.sleep(WAIT)
    lab.sockets("c", 3, "state", "close-wait", like=lambda row: row.recv_q == 535)
    doc = lab.report("c")
    if doc and doc["status"] != "ok":
        raise Wrong(f"an idle pool gives status {doc['status']}: {doc['findings'][0]['title']}")

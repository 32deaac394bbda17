# SPDX-License-Identifier: MIT
"""What packets show of connections that end by reset, by a timer, or not at all because nobody answers; and of such as end in order."""
import contextlib
import random
import time

import case_dead_peer_unacked as dead
import case_rst_breakdown as resets
from cases import case
from lab import connected, echo_server, listener, rest, Wrong

PORT = 5432


# --- rst-after-idle

FORGETFUL = """table inet lab {
 chain forward_lab {
 type filter hook forward priority 0;
 ct state established accept
 tcp flags & (syn | ack) == syn accept
 meta l4proto tcp reject with tcp reset
 }
}
"""


def forgetful_router(lab):
    """A router that forgets connections after four seconds of silence, and answers what it does not know with RST."""
    lab.build("crs")
    lab.nft("r", FORGETFUL)
    for name, value in (("timeout_established", 4), ("timeout_unacknowledged", 4), ("loose", 0)):
        lab.sysctl("r", f"net.netfilter.nf_conntrack_tcp_{name}", value)


def pool(lab, silences):
    """A connection for each of `silences`: a question, that silence in seconds, another question; tells how each second one went."""
    def program(tell):
        kept = {connected(lab, PORT, timeout=3): silence for silence in silences}
        outcome = {}
        for sock in kept:
            sock.send(b"hello")
            sock.recv(100)
        begun = time.monotonic()
        for sock, silence in sorted(kept.items(), key=lambda item: item[1]):
            time.sleep(max(begun + silence - time.monotonic(), 0))
            try:
                sock.send(b"again")
                outcome[silence] = "answer" if sock.recv(100) else "end"
            except OSError as error:
                outcome[silence] = type(error).__name__
        tell([outcome[silence] for silence in silences])
        rest()
    return lab.spawn("c", program, "lab-pool")


@case("rst-after-idle", "capture-fault", waits=45, beside={"rst-breakdown": "the same resets, in the table of all"})
def forgotten_while_it_was_quiet(lab):
    """What was silent for more than half a minute is reset at its next use, what was silent for three seconds is not."""
    forgetful_router(lab)
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()
    with lab.capture("c", "c0") as capture:
        program = pool(lab, [3, 32.1, 32.2, 34])
        went = program.hear(60)
        time.sleep(0.5)
    lab.check(went == ["answer"] + ["ConnectionResetError"] * 3, f"the second questions went {went}")
    finding = lab.expect(capture.doc, "rst-after-idle", "warning", program, (lab.addr("s"), PORT), count=3)
    lab.expect_evidence(finding, "dies_after", lambda value: 31900 < value < 33500, "32 s")
    lab.expect_evidence(finding, "lives_after", lambda value: 2900 < value < 5000, "3 s")
    lab.expect_evidence(finding, "in_between", lambda value: value == 3, "3: the router made them")


@case("rst-after-idle", "capture-twin", waits=45)
def silence_that_is_survived(lab):
    """The same silences on a path that remembers."""
    lab.build("crs")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()
    with lab.capture("c", "c0") as capture:
        went = pool(lab, [3, 32.1, 32.2, 34]).hear(60)
    lab.check(went == ["answer"] * 4, f"the second questions went {went}")
    lab.expect_silent(capture.doc, "rst-after-idle")


# --- rst-breakdown

@case("rst-breakdown", "capture-fault")
def reset_by_a_box_in_between(lab):
    """A router rejects packets of connections at work: the RSTs bear the server's address, and do not look like its packets."""
    lab.build("crs")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()

    def client(tell):
        kept = [connected(lab, PORT, timeout=2) for _ in range(3)]
        for number in range(2000):
            for sock in kept:
                with contextlib.suppress(OSError):
                    sock.send(b"how are you")
                    sock.recv(100)
            if number == 20:
                tell("chats")
            time.sleep(0.05)
    with lab.capture("c", "c0") as capture:
        program = lab.spawn("c", client, "lab-chat")
        program.hear()
        lab.forward_rule(f"tcp dport {PORT} reject with tcp reset")
        time.sleep(1.5)
    lab.check(not lab.ss("c", "state", "established"), "the connections still stand")
    finding = lab.expect(capture.doc, "rst-breakdown", "warning", program, (lab.addr("s"), PORT), count=3)
    lab.expect_evidence(finding, "alien_ttl", lambda value: value == 1, 1)
    lab.expect_evidence(finding, "no_timestamp", lambda value: value == 1, 1)
    if finding and "in between" not in finding["title"]:
        raise Wrong(finding["title"])


@case("rst-breakdown", "capture-fault")
def reset_by_the_server_itself(lab):
    """SO_LINGER 0: the table of resets, as information; nobody in between is accused."""
    lab.build()
    lab.spawn("s", resets.server(lab, resets.linger_0), "lab-serve").hear()
    with lab.capture("c", "c0") as capture:
        lab.spawn("c", resets.client(lab, 0.05, False), "lab-client").hear()
        time.sleep(2)
    finding = lab.expect(lab.only(capture.doc, "rst-breakdown"), "rst-breakdown", "info", count=(10, 300))
    lab.expect_evidence(finding, "by_server", lambda value: finding["count"] == value, "all of them")
    lab.expect_evidence(finding, "between", lambda value: value == 0, "none")


@case("rst-breakdown", "capture-twin")
def closed_in_order(lab):
    lab.build()
    lab.spawn("s", resets.server(lab, resets.in_order), "lab-serve").hear()
    with lab.capture("c", "c0") as capture:
        program = lab.spawn("c", resets.client(lab, 0.05, True), "lab-client")
        program.hear()
        time.sleep(2)
    lab.expect_silent(capture.doc, "rst-breakdown")


# --- idle-close-pattern

def closing(lab, after, count=8):
    """A server that closes what has been idle for after() seconds, and a client that opens one connection after the other, asks once on each, and does not close first."""
    lab.build()

    def server(tell):
        sock = listener(lab, PORT)
        sock.settimeout(0.02)
        tell("listening")
        due, closed = {}, 0
        while closed < count:
            with contextlib.suppress(TimeoutError):
                connection = sock.accept()[0]
                connection.send(connection.recv(100))
                due[connection] = time.monotonic() + after()
            for connection in [one for one, when in due.items() if when <= time.monotonic()]:
                del due[connection]
                connection.close()
                closed += 1
        tell("closed")
        rest()
    server_program = lab.spawn("s", server, "lab-serve")
    server_program.hear()

    def client(tell):
        kept = []
        for _ in range(count):
            kept.append(connected(lab, PORT))
            kept[-1].send(b"hello")
            kept[-1].recv(100)
            time.sleep(0.2)
        for sock in kept:
            sock.settimeout(20)
            sock.recv(1)
            sock.close()
        tell("done")
        rest()
    with lab.capture("c", "c0") as capture:
        program = lab.spawn("c", client, "lab-pool")
        server_program.hear(40)
        program.hear(40)
    return program, capture.doc


@case("idle-close-pattern", "capture-fault", waits=8)
def server_that_closes_after_two_seconds(lab):
    program, doc = closing(lab, lambda: 2.2)
    finding = lab.expect(doc, "idle-close-pattern", "info", program, (lab.addr("s"), PORT), count=8)
    lab.expect_evidence(finding, "closer", lambda value: value == "server", "the server")
    lab.expect_evidence(finding, "median", lambda value: 2150 <= value <= 2500, "2.2 s")


@case("idle-close-pattern", "capture-twin", waits=12)
def closed_at_random(lab):
    dice = random.Random(lab.family)
    _, doc = closing(lab, lambda: dice.uniform(0.5, 6))
    lab.expect_silent(doc, "idle-close-pattern")


# --- dead-peer-unacked

@case("dead-peer-unacked", "capture-fault", waits=12)
def three_connections_die(lab):
    """Everything is dropped, then 100 bytes are sent on each of three connections."""
    lab.build("crs")
    lab.spawn("s", echo_server(lab, dead.PORT), "lab-serve").hear()
    with lab.capture("c", "c0") as capture:
        program = lab.spawn("c", dead.client(lab, 3), "lab-query")
        program.hear()
        dead.send_into_the_void(lab, program)
        dead.in_vain(lab, "c", 3, 5)
    finding = lab.expect(capture.doc, "dead-peer-unacked", "critical", program, (lab.addr("s"), dead.PORT), count=3)
    lab.expect_evidence(finding, "bytes", lambda value: value == 300, "300")


@case("dead-peer-unacked", "capture-twin", waits=12)
def path_that_comes_back(lab):
    """Three timeouts in a row, then the path heals."""
    lab.build("crs")
    lab.spawn("s", echo_server(lab, dead.PORT), "lab-serve").hear()
    with lab.capture("c", "c0") as capture:
        program = lab.spawn("c", dead.client(lab, 3), "lab-query")
        program.hear()
        dead.send_into_the_void(lab, program)
        dead.in_vain(lab, "c", 3, 4)
        lab.nft("r", "delete table inet lab")
        lab.sockets("c", 3, "state", "established", like=lambda row: "backoff:" not in row.rest, patience=40)
    lab.expect_silent(capture.doc, "dead-peer-unacked")


@case("dead-peer-unacked", "capture-twin", waits=8)
def peer_that_thinks(lab):
    """Requests are acknowledged and not answered."""
    lab.build("crs")

    def thinker(tell):
        sock = listener(lab, dead.PORT)
        tell("listening")
        kept = [sock.accept()[0] for _ in range(3)]
        for connection in kept:
            connection.send(connection.recv(100))
        rest()
    lab.spawn("s", thinker, "lab-think").hear()
    with lab.capture("c", "c0") as capture:
        program = lab.spawn("c", dead.client(lab, 3), "lab-query")
        program.hear()
        program.go()
        program.hear()
        time.sleep(6)
    lab.expect_silent(capture.doc, "dead-peer-unacked")

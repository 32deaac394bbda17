# SPDX-License-Identifier: MIT
"""What packets show of connections that do not open, datagrams that nobody takes, and clients that come back too early; and of such as succeed."""
import contextlib
import errno
import time

import case_accept_queue_overflow as queue
import case_connect_refused as refusal
import case_stale_tuple_challenge as stale
import case_syn_recv_stall as half
import case_syn_sent_stall as silence
import case_udp_unreachable as datagrams
import wirebox
from cases import case
from half_open import accepting, callers
from lab import dial, echo_server, rest, Wrong


# --- syn-sent-stall

@case("syn-sent-stall", "capture-fault")
def four_attempts_dropped(lab):
    lab.build("crs")
    lab.forward_rule(f"tcp dport {silence.PORT} drop")
    with lab.capture("c", "c0") as capture:
        program = lab.spawn("c", silence.dials(lab, 4), "lab-dial")
        program.hear()
        time.sleep(4.2)
        lab.sockets("c", 4, "state", "syn-sent")
    finding = lab.expect(capture.doc, "syn-sent-stall", "critical", program, (lab.addr("s"), silence.PORT), count=4)
    lab.expect_evidence(finding, "attempts", lambda value: value == 4, 4)


@case("syn-sent-stall", "capture-fault")
def seen_on_the_way(lab):
    """At the router, whose sockets these are not: the packets alone."""
    lab.build("crs")
    lab.forward_rule(f"tcp dport {silence.PORT} drop")
    with lab.capture("r", "rc") as capture:
        lab.spawn("c", silence.dials(lab, 4), "lab-dial").hear()
        time.sleep(4.2)
    lab.expect(capture.doc, "syn-sent-stall", "critical", peer=(lab.addr("s"), silence.PORT), count=4)


@case("syn-sent-stall", "capture-twin")
def one_syn_lost_then_success(lab):
    lab.build("crs")
    lab.forward_rule(f"tcp dport {silence.PORT} tcp flags & (syn | ack) == syn numgen inc mod 1000000 == 0 drop")
    lab.spawn("s", echo_server(lab, silence.PORT), "lab-serve").hear()

    def client(tell):
        sock, _ = dial(lab, silence.PORT)
        sock.settimeout(8)
        while sock.connect_ex((lab.addr("s"), silence.PORT)) not in (0, errno.EISCONN):
            time.sleep(0.05)
        sock.send(b"hello")
        tell(len(sock.recv(10)))
        rest()
    with lab.capture("c", "c0") as capture:
        lab.spawn("c", client, "lab-dial").hear()
        time.sleep(3)
    lab.check(not capture.doc or capture.doc["events"]["syn_retry"] == 1, "exactly one SYN should have been repeated")
    lab.expect_silent(capture.doc, "syn-sent-stall")


# --- connect-refused

@case("connect-refused", "capture-fault", waits=14)
def closed_port(lab):
    """Nothing listens; it lasts longer than a restart takes."""
    lab.build("crs")
    with lab.capture("c", "c0") as capture:
        program = lab.spawn("c", refusal.attempts(lab, [refusal.CLOSED]), "lab-refused")
        lab.check(program.hear() == [errno.ECONNREFUSED], "connect() went otherwise")
        time.sleep(12)
        program.end()
    severity = "critical" if lab.family == 4 else "warning"  # over IPv6 programs fall back
    finding = lab.expect(capture.doc, "connect-refused", severity, peer=(lab.addr("s"), refusal.CLOSED), count=(40, 200))
    lab.check(not finding or capture.doc["events"]["refused"] == finding["count"], "not every refusal was counted")


@case("connect-refused", "capture-fault", beside={"icmp-unreachable": "the same errors, as what they are: a router that rejects"})
def rejected_by_a_router(lab):
    """Who refuses is told: not the host that was asked."""
    lab.build("crs")
    lab.forward_rule(f"tcp dport {refusal.PORT} reject with icmpx type admin-prohibited")
    lab.sysctl("r", "net.ipv4.icmp_ratelimit" if lab.family == 4 else "net.ipv6.icmp.ratelimit", 0)

    def client(tell):
        for _ in range(8):
            code = refusal.attempt(lab, refusal.PORT)
        tell(code)
        rest()
    with lab.capture("c", "c0") as capture:
        code = lab.spawn("c", client, "lab-refused").hear(40)
    lab.check(code == (errno.EHOSTUNREACH if lab.family == 4 else errno.EACCES), f"connect() gave {code}")
    finding = lab.expect(lab.only(capture.doc, "connect-refused"), "connect-refused", "warning", peer=(lab.addr("s"), refusal.PORT), count=8)
    if finding and lab.addr("rc") not in f"{finding['title']} {finding['detail']}":
        raise Wrong(f"who refuses is not named: {finding['title']}: {finding['detail']}")


@case("connect-refused", "capture-twin")
def open_port(lab):
    lab.build("crs")
    lab.spawn("s", echo_server(lab, refusal.PORT), "lab-serve").hear()
    with lab.capture("c", "c0") as capture:
        program = lab.spawn("c", refusal.attempts(lab, [refusal.PORT], 0.02), "lab-client")
        lab.check(program.hear() == [0], "connect() failed")
        time.sleep(2)
        program.end()
    lab.expect_silent(capture.doc, "connect-refused")


@case("connect-refused", "capture-twin", waits=9)
def connect_timeouts(lab):
    """Attempts that nobody answers are no refusals."""
    lab.build("crs")
    lab.forward_rule(f"tcp dport {refusal.PORT} drop")
    with lab.capture("c", "c0") as capture:
        lab.spawn("c", silence_dials(lab, 8), "lab-dial").hear()
        time.sleep(5)
    lab.expect_silent(capture.doc, "connect-refused", allowed=("syn-sent-stall",))


def silence_dials(lab, count):
    def program(tell):
        kept = [dial(lab, refusal.PORT) for _ in range(count)]
        tell(len(kept))
        rest()
    return program


# --- syn-recv-stall

@case("syn-recv-stall", "capture-fault", waits=10)
def syn_acks_are_lost(lab):
    """Six clients ask again and again, seen at the server."""
    lab.build("crs")
    lab.forward_rule(half.LOST_SYN_ACK)
    program = lab.spawn("s", accepting(lab, half.PORT, half.BACKLOG), "lab-serve")
    program.hear()
    with lab.capture("s", "s0") as capture:
        lab.spawn("c", callers(lab, half.PORT, 6), "lab-call").hear()
        half.retried(lab, 6, 6)
        time.sleep(2)
    finding = lab.expect(capture.doc, "syn-recv-stall", "warning", local_port=None, count=6)
    lab.expect_evidence(finding, "repeating", lambda value: value >= 5, "nearly all")


@case("syn-recv-stall", "capture-twin")
def handshakes_that_complete(lab):
    lab.build("crs")
    lab.spawn("s", accepting(lab, half.PORT, half.BACKLOG), "lab-serve").hear()
    with lab.capture("s", "s0") as capture:
        lab.spawn("c", callers(lab, half.PORT, 300), "lab-call").hear()
        time.sleep(2)
    lab.check(not capture.doc or capture.doc["flows_seen"] >= 300, "not all came through")
    lab.expect_silent(capture.doc, "syn-recv-stall")


# --- accept-queue-overflow

def waves(lab, *sizes):
    """Dials as many at a time, and sends on each when all are connected."""
    def program(tell):
        kept = []
        for size in sizes:
            kept += [dial(lab, queue.PORT)[0] for _ in range(size)]
            time.sleep(1)
        for sock in kept:
            with contextlib.suppress(OSError):
                sock.send(b"hello")
        tell(len(kept))
        rest()
    return program


@case("accept-queue-overflow", "capture-fault", waits=10)
def handshakes_that_only_the_client_knows(lab):
    """Twenty clients wait for accept(), twenty more are on their way at once when the queue has room for five: the last ACK of the others is dropped."""
    wirebox.build(lab, lambda packet, _: [0.02])
    lab.sysctl("s", "net.ipv4.tcp_syncookies", 0)
    lab.sysctl("s", "net.ipv4.tcp_max_syn_backlog", 256)
    program = lab.spawn("s", queue.deaf(lab, 24), "lab-deaf")
    program.hear()
    with lab.capture("s", wirebox.FAR) as capture:
        lab.spawn("c", waves(lab, 20, 20), "lab-call").hear()
        lab.sockets("c", 40, "state", "established")
        time.sleep(7)
    overflows = lab.counters("s")["TcpExtListenOverflows"]
    lab.check(overflows >= 15, f"ListenOverflows is {overflows}")
    finding = lab.expect(capture.doc, "accept-queue-overflow", "critical", local_port=queue.PORT, count=15)
    if finding and lab.addr("s") not in finding["title"]:
        raise Wrong(f"the listener is not named: {finding['title']}")


@case("accept-queue-overflow", "capture-twin")
def queue_with_room(lab):
    wirebox.build(lab, lambda packet, _: [0.02])
    lab.spawn("s", queue.deaf(lab, 64), "lab-late").hear()
    with lab.capture("s", wirebox.FAR) as capture:
        lab.spawn("c", waves(lab, 20, 20), "lab-call").hear()
        time.sleep(3)
    lab.check(lab.counters("s")["TcpExtListenOverflows"] == 0, "a connection was dropped after all")
    lab.expect_silent(capture.doc, "accept-queue-overflow")


# --- stale-tuple-challenge

@case("stale-tuple-challenge", "capture-fault", waits=10, beside={"rst-breakdown": "the old connections end by the resets of their clients: the table of resets"})
def every_client_comes_back_too_early(lab):
    stale.lose_resets(lab)
    with lab.capture("c", "c0") as capture:
        program = lab.spawn("c", stale.returning(lab, 0), "lab-return")
        program.hear(60)
        time.sleep(4)
        program.end()
        challenges = lab.counters("s")["TcpExtTCPSYNChallenge"]
    lab.check(challenges >= 5, f"{challenges} SYNs were challenged")
    lab.expect(capture.doc, "stale-tuple-challenge", "critical", count=(4, 100))
    return f"{challenges} challenges"


@case("stale-tuple-challenge", "capture-twin")
def same_port_after_a_clean_close(lab):
    lab.build("crs")
    lab.spawn("s", echo_server(lab, stale.PORT), "lab-serve").hear()
    with lab.capture("c", "c0") as capture:
        program = lab.spawn("c", stale.returning(lab, 0, reset=False), "lab-return")
        program.hear()
        time.sleep(2)
        program.end()
    lab.check(lab.counters("s")["TcpExtTCPSYNChallenge"] == 0, "a SYN was challenged after all")
    lab.check(not capture.doc or capture.doc["events"]["port_reuse"] > 5, "no port was used again")
    lab.expect_silent(capture.doc, "stale-tuple-challenge")


# --- udp-unreachable

@case("udp-unreachable", "capture-fault", waits=10)
def nobody_listens(lab):
    lab.build()
    with lab.capture("c", "c0") as capture:
        lab.spawn("c", datagrams.sender(lab, lab.addr("s"), 20), "lab-send").hear()
        time.sleep(8)  # the server's kernel sends six ICMP errors at once, then one a second
    lab.expect(capture.doc, "udp-unreachable", "warning", peer=(lab.addr("s"), datagrams.PORT))


@case("udp-unreachable", "capture-fault", waits=8)
def name_server_that_does_not_answer(lab):
    """Questions to port 53 that are dropped on the way. No packet comes after the last one: it is the capture that has waited."""
    lab.build("crs")
    lab.forward_rule("udp dport 53 drop")

    def resolver(tell):
        for number in range(4):
            sock = datagrams.udp(lab)
            sock.sendto(number.to_bytes(2, "big") + b"\1\0\0\1\0\0\0\0\0\0\7example\3com\0\0\1\0\1", (lab.addr("s"), 53))
            time.sleep(0.1)
        tell("asked")
        rest()
    with lab.capture("c", "c0", "udp port 53") as capture:
        lab.spawn("c", resolver, "lab-ask").hear()
        time.sleep(3)
    lab.expect(capture.doc, "udp-unreachable", "warning", peer=(lab.addr("s"), 53))


@case("udp-unreachable", "capture-twin")
def datagrams_that_are_answered(lab):
    lab.build()

    def echo(tell):
        sock = datagrams.udp(lab)
        sock.bind(("", datagrams.PORT))
        tell("bound")
        while True:
            data, peer = sock.recvfrom(2048)
            sock.sendto(data, peer)
    lab.spawn("s", echo, "lab-echo").hear()
    with lab.capture("c", "c0") as capture:
        lab.spawn("c", datagrams.sender(lab, lab.addr("s"), 20, connect=True), "lab-send").hear()
        time.sleep(4)
    lab.expect_silent(capture.doc, "udp-unreachable")

# SPDX-License-Identifier: MIT
"""Connection attempts that nobody answers, and attempts that are answered late, refused or many but thin."""
import errno
import time

from cases import case
from lab import connected, dial, echo_server, rest, tcp, Wrong

RULE = "syn-sent-stall"
PORT = 7777


def dials(lab, count, addresses=None):
    """A program with `count` connects under way."""
    def program(tell):
        kept = [dial(lab, PORT, addresses[number % len(addresses)] if addresses else None) for number in range(count)]
        tell([code for _, code in kept])
        rest()
    return program


def silent_path(lab, count, addresses=None):
    """`count` attempts into a firewall that drops, 4.2 s old and repeated, as the kernel tells it."""
    lab.build("crs")
    lab.forward_rule(f"tcp dport {PORT} drop")
    program = lab.spawn("c", dials(lab, count, addresses), "lab-dial")
    program.hear()
    time.sleep(4.2)
    rows = lab.sockets("c", count, "state", "syn-sent")
    lab.check(all("timer:(on," in row.rest for row in rows), "a SYN-SENT socket has no retransmission timer")
    lab.check(lab.counters("c")["TcpExtTCPSynRetrans"] >= 2 * count, "SYNs were not repeated")
    return program


@case(RULE, "fault")
def four_attempts_dropped(lab):
    program = silent_path(lab, 4)
    lab.expect(lab.report("c"), RULE, "critical", program, (lab.addr("s"), PORT), count=4)


@case(RULE, "fault")
def one_attempt_dropped(lab):
    program = silent_path(lab, 1)
    finding = lab.expect(lab.report("c"), RULE, "warning", program, (lab.addr("s"), PORT), count=1)
    if finding and finding["severity"] != "warning":
        raise Wrong("one young attempt is no more than a warning")


@case(RULE, "fault", families=(6,))
def v6_dead_behind_v4(lab):
    """A client that fell back: its IPv6 attempt stands, its IPv4 connection to the same port works."""
    lab.build("crs")
    lab.forward_rule(f"meta nfproto ipv6 tcp dport {PORT} drop")

    def server(tell):
        lab.family = 4
        echo_server(lab, PORT)(tell)

    def client(tell):
        kept = [dial(lab, PORT)]
        time.sleep(0.3)
        lab.family = 4
        kept.append(connected(lab, PORT))
        kept[1].send(b"hello")
        tell("connected")
        rest()
    lab.spawn("s", server, "lab-serve").hear()
    program = lab.spawn("c", client, "lab-happy")
    program.hear()
    time.sleep(4)
    lab.sockets("c", 1, "-6", "state", "syn-sent")
    lab.sockets("c", 1, "-4", "state", "established")
    lab.expect(lab.report("c"), RULE, "warning", program, (lab.addr("s"), PORT), count=1)


@case(RULE, "twin")
def scanner_with_one_attempt_a_host(lab):
    """Many destinations, one attempt each, one process: a scanner's or health checker's picture, no more than info."""
    hosts = [lab.addr("s").replace("2.2", f"2.{number}") if lab.family == 4 else f"fd71:0:2::{number}" for number in range(20, 40)]
    silent_path(lab, len(hosts), hosts)
    doc = lab.report("c")
    loud = [finding for finding in (doc or {"findings": []})["findings"] if finding["severity"] != "info"]
    if loud:
        raise Wrong(f"{loud[0]['severity']} on a scanner's picture: {loud[0]['title']}")


@case(RULE, "twin")
def one_syn_lost_then_success(lab):
    lab.build("crs")
    lab.forward_rule(f"tcp dport {PORT} tcp flags & (syn | ack) == syn numgen inc mod 1000000 == 0 drop")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()

    def client(tell):
        sock, _ = dial(lab, PORT)
        tell("dialling")
        begun = time.monotonic()
        sock.settimeout(5)
        while sock.connect_ex((lab.addr("s"), PORT)) not in (0, errno.EISCONN):
            time.sleep(0.05)
        tell(time.monotonic() - begun)
        rest()
    program = lab.spawn("c", client, "lab-dial")
    program.hear()
    lab.sockets("c", 1, "state", "syn-sent")
    doc = lab.report("c")
    took = program.hear()
    lab.check(0.5 < took < 2.5, f"the second SYN should bring success after 1 s, it took {took:.1f} s")
    lab.check(lab.counters("c")["TcpExtTCPSynRetrans"] == 1, "exactly one SYN should have been repeated")
    lab.expect_silent(doc, RULE)


def refused(lab, rule, expected):
    """Attempts that are answered at once never stand; some are made all through the report."""
    lab.build("crs")
    lab.forward_rule(f"tcp dport {PORT} {rule}")

    def client(tell):
        codes = []
        while len(codes) < 60:
            sock = tcp(lab)
            sock.settimeout(3)
            codes.append(sock.connect_ex((lab.addr("s"), PORT)))
            sock.close()
            if len(codes) == 3:
                tell("under way")
            time.sleep(0.1)
        tell(sorted(set(codes)))
        rest()
    program = lab.spawn("c", client, "lab-dial")
    program.hear()
    doc = lab.report("c")
    codes = program.hear()
    lab.check(codes == [expected], f"connect() gave {codes}, expected only {expected}")
    lab.expect_silent(doc, RULE, allowed=("connect-refused",))


@case(RULE, "twin")
def rejected_with_reset(lab):
    refused(lab, "reject with tcp reset", errno.ECONNREFUSED)


@case(RULE, "twin")
def syn_sent_young(lab):
    """A first retry at 1 s is within normal loss: nothing is said about attempts that are younger than 3 s throughout."""
    lab.build("crs")
    lab.forward_rule(f"tcp dport {PORT} drop")

    def client(tell):
        while True:
            kept = [dial(lab, PORT) for _ in range(2)]
            tell("dialling")
            time.sleep(2.2)
            for sock, _ in kept:
                sock.close()
    program = lab.spawn("c", client, "lab-retry")
    program.hear()
    time.sleep(0.5)
    lab.sockets("c", 2, "state", "syn-sent")
    lab.expect_silent(lab.report("c"), RULE)

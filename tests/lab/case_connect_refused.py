# SPDX-License-Identifier: MIT
"""Attempts that are refused by a closed port or a rejecting router, and what else makes handshakes fail in the counters."""
import errno
import socket
import struct
import threading
import time

from cases import case
from lab import connected, echo_server, rest, tcp, Wrong

RULE = "connect-refused"
PORT, CLOSED = 7777, 7778
ROUNDS = 150  # bounds every program here: ten rounds a second for as long as a report takes, and some more


def attempt(lab, port):
    """A blocking connect(), as most programs make it; its errno."""
    sock = tcp(lab)
    try:
        return sock.connect_ex((lab.addr("s"), port))
    finally:
        sock.close()


def attempts(lab, ports, pause=0.1):
    """Connects to each of the ports, again and again."""
    def program(tell):
        for number in range(ROUNDS):
            codes = [attempt(lab, port) for port in ports]
            if number == 3:
                tell(codes)
            time.sleep(pause)
        rest()
    return program


def grown(lab, role, before, name):
    return lab.counters(role)[name] - before.get(name, 0)


@case(RULE, "fault")
def closed_port(lab):
    """Nothing listens: the server's kernel answers each SYN with RST, and all that this host opens is refused."""
    lab.build("crs")
    program = lab.spawn("c", attempts(lab, [CLOSED]), "lab-refused")
    codes = program.hear()
    lab.check(codes == [errno.ECONNREFUSED], f"connect() gave {codes}")
    before = lab.counters("c")
    finding = lab.expect(lab.report("c"), RULE, "critical", count=(25, 100))
    lab.check(grown(lab, "c", before, "TcpAttemptFails") >= 25, "too few attempts were refused")
    lab.expect_evidence(finding, "share", lambda value: value > 0.95, "all of them")
    lab.expect_evidence(finding, "icmp_errors", lambda value: value == 0, "0")
    lab.expect_evidence(finding, "rate", lambda value: 300 <= value <= 1000, "some hundred a minute")


@case(RULE, "fault")
def one_service_of_five(lab):
    """Four services answer, one does not: a fifth of the attempts."""
    lab.build("crs")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()
    program = lab.spawn("c", attempts(lab, [PORT, PORT, PORT, PORT, CLOSED], 0.2), "lab-refused")
    codes = program.hear()
    lab.check(codes == [0, 0, 0, 0, errno.ECONNREFUSED], f"connect() gave {codes}")
    finding = lab.expect(lab.report("c"), RULE, "warning", count=(5, 50))
    lab.expect_evidence(finding, "share", lambda value: 0.15 < value < 0.25, "a fifth")


@case(RULE, "fault", beside={"icmp-unreachable": "the same errors, as what they are: a router that rejects"})
def rejected_by_a_router(lab):
    """A firewall on the way rejects with an ICMP error: over IPv6, where programs fall back, no more than a warning.

    A router limits how many errors it sends to one host (the rest stands in SYN-SENT), which is lifted here.
    Between veth pairs the error comes while connect() still holds the socket, and only that of the second SYN, a second later, bites."""
    lab.build("crs")
    lab.forward_rule(f"tcp dport {PORT} reject with icmpx type admin-prohibited")
    lab.sysctl("r", "net.ipv4.icmp_ratelimit" if lab.family == 4 else "net.ipv6.icmp.ratelimit", 0)

    def program(tell):
        def work():
            for _ in range(ROUNDS // 10):
                codes.append(attempt(lab, PORT))
        codes = []
        workers = [threading.Thread(target=work, daemon=True) for _ in range(12)]
        for worker in workers:
            worker.start()
        while len(codes) < 12:
            time.sleep(0.05)
        tell(sorted(set(codes)))
        rest()
    program = lab.spawn("c", program, "lab-reject")
    codes = program.hear()
    lab.check(codes == [errno.EHOSTUNREACH if lab.family == 4 else errno.EACCES], f"connect() gave {codes}")
    finding = lab.expect(lab.report("c"), RULE, "critical" if lab.family == 4 else "warning", count=(20, 100))
    lab.expect_evidence(finding, "icmp_errors", lambda value: value >= 20, "one an attempt")
    if finding and "ICMP" not in finding["title"]:
        raise Wrong(f"the title does not name ICMP: {finding['title']}")


def checksum(data):
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def half_open(lab, raw, port):
    """A bare SYN: the client's kernel, which knows of no such socket, answers the SYN-ACK with RST, as half-open checks do."""
    addresses = [socket.inet_pton(raw.family, lab.addr(role)) for role in "cs"]
    segment = struct.pack("!HHIIBBHHH", port, PORT, 1, 0, 5 << 4, 2, 64240, 0, 0)
    tail = struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(segment)) if lab.family == 4 else struct.pack("!IHBB", len(segment), 0, 0, socket.IPPROTO_TCP)
    total = checksum(b"".join(addresses) + tail + segment)
    raw.sendto(segment[:16] + struct.pack("!H", total) + segment[18:], (lab.addr("s"), 0))


def checked(lab, check, counter):
    """A server under somebody's checks, ten a second, through the whole report on it; its document."""
    lab.build()
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()

    def client(tell):
        raw = socket.socket(socket.AF_INET if lab.family == 4 else socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_TCP)
        for number in range(ROUNDS):
            check(raw, number)
            if number == 3:
                tell("under way")
            time.sleep(0.1)
        rest()
    lab.spawn("c", client, "lab-check").hear()
    before = lab.counters("s")
    doc = lab.report("s")
    lab.check(grown(lab, "s", before, counter) >= 20, f"{counter} hardly moved")
    return doc


@case(RULE, "twin")
def half_open_checks_against_us(lab):
    doc = checked(lab, lambda raw, number: half_open(lab, raw, 40000 + number), "TcpAttemptFails")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def connect_then_reset_checks_against_us(lab):
    def check(_, __):
        sock = connected(lab, PORT)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    lab.expect_silent(checked(lab, check, "TcpEstabResets"), RULE)


@case(RULE, "twin")
def port_scan_against_us(lab):
    """Fifty closed ports a second are asked for: this host answers with RST, which is info at most."""
    def check(_, number):
        for port in range(5):
            attempt(lab, 10000 + 5 * number + port)
    doc = checked(lab, check, "TcpOutRsts")
    loud = [finding for finding in (doc or {"findings": []})["findings"] if finding["severity"] != "info"]
    if loud:
        raise Wrong(f"{loud[0]['severity']} on a scanned host: {loud[0]['title']}")
    if doc and [finding["rule"] for finding in doc["findings"]] != [RULE]:
        raise Wrong(f"a scan this loud is told as info: {doc['findings']}")


@case(RULE, "twin", waits=12)
def connect_timeouts(lab):
    """Attempts that end with ETIMEDOUT are no refusals, though the same counter grows."""
    lab.build("crs")
    lab.forward_rule(f"tcp dport {PORT} drop")
    lab.sysctl("c", "net.ipv4.tcp_syn_retries", 1)
    lab.sysctl("c", "net.ipv4.tcp_syn_linear_timeouts", 0)

    def program(tell):
        def work():
            for _ in range(8):
                codes.append(attempt(lab, PORT))
        codes = []
        workers = [threading.Thread(target=work, daemon=True) for _ in range(15)]
        for worker in workers:
            worker.start()
            time.sleep(0.2)
        tell("under way")
        while len(codes) < 30:
            time.sleep(0.1)
        tell(sorted(set(codes)))
        rest()
    program = lab.spawn("c", program, "lab-timeout")
    program.hear()
    before = lab.counters("c")
    doc = lab.report("c")
    lab.check(grown(lab, "c", before, "TcpAttemptFails") >= 10, "too few attempts timed out")
    lab.check(program.hear() == [errno.ETIMEDOUT], "attempts ended otherwise")
    lab.expect_silent(doc, RULE, allowed=("syn-sent-stall",))


@case(RULE, "twin")
def next_hop_that_does_not_resolve(lab):
    """connect() fails with EHOSTUNREACH after three seconds: the kernel's error to itself, nobody refused."""
    lab.build()
    nobody = "10.71.9.9" if lab.family == 4 else "fd71:0:9::9"

    def program(tell):
        def work():
            for _ in range(6):
                sock = tcp(lab)
                codes.append(sock.connect_ex((nobody, PORT)))
                sock.close()
        codes = []
        workers = [threading.Thread(target=work, daemon=True) for _ in range(12)]
        for worker in workers:
            worker.start()
            time.sleep(0.2)
        tell("under way")
        while len(codes) < 30:
            time.sleep(0.1)
        tell(sorted(set(codes)))
        rest()
    program = lab.spawn("c", program, "lab-lost")
    program.hear()
    before = lab.counters("c")
    doc = lab.report("c")
    lab.check(grown(lab, "c", before, "TcpAttemptFails") >= 10, "too few attempts failed")
    lab.check(program.hear() == [errno.EHOSTUNREACH], "attempts ended otherwise")
    lab.expect_silent(doc, RULE, allowed=("syn-local-stuck",))

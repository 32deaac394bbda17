# SPDX-License-Identifier: MIT
"""Healthy traffic that fools a naive rule: nothing in it may bring a warning."""
import contextlib
import os
import select
import socket
import struct
import time

from cases import case
from lab import connected, listener, rest, tcp, told, Wrong

RULE = "healthy"
PORTS = (8080, 8081, 5432)


def unharmed(lab, doc, where):
    """No warning and no critical; returns the rules that spoke at all."""
    for finding in (doc or {"findings": []})["findings"]:
        if finding["severity"] != "info":
            raise Wrong(f"{finding['severity']} {finding['rule']} on healthy traffic ({where}): {finding['title']}")
    return sorted({finding["rule"] for finding in (doc or {"findings": []})["findings"]})


def both(lab, *arguments):
    """Asks on either side."""
    spoke = {where: unharmed(lab, lab.report(where, *arguments), where) for where in "cs"}
    return " ".join(f"{where}: {','.join(rules)}" for where, rules in spoke.items() if rules)


def web_server(lab, port, closes_first, backlog=512):
    """Answers a request of up to 100 bytes with 1000; closes itself, or lets the client do it."""
    def program(tell):
        sock = listener(lab, port, backlog)
        tell("listening")
        sock.setblocking(False)
        poll, open_ones = select.epoll(), {}
        poll.register(sock.fileno(), select.EPOLLIN)
        while True:
            for number, _ in poll.poll():
                if number == sock.fileno():
                    with contextlib.suppress(BlockingIOError):
                        while True:
                            connection = sock.accept()[0]
                            open_ones[connection.fileno()] = connection
                            poll.register(connection.fileno(), select.EPOLLIN)
                    continue
                with contextlib.suppress(OSError):
                    if open_ones[number].recv(100):
                        open_ones[number].send(bytes(1000))
                        if not closes_first:
                            continue
                open_ones.pop(number).close()
    return program


def visit(lab, port, closes_first):
    """One short connection to a web_server(), closed by the side that has to."""
    with connected(lab, port) as sock:
        sock.send(b"GET")
        left = 1000
        while left:
            left -= len(sock.recv(left))
        if closes_first:
            sock.recv(1)


def visitor(lab, ports, per_second, seconds):
    """Short connections at a steady pace; says how many it made."""
    def program(tell):
        tell("begins")
        begun, count = time.monotonic(), 0
        while time.monotonic() - begun < seconds:
            number = count % len(ports)
            visit(lab, ports[number], closes_first=number == 0)
            count += 1
            time.sleep(max(begun + count / per_second - time.monotonic(), 0))
        tell(count)
        rest()
    return program


def bulk(lab, port):
    """A transfer as fast as the machine has time for, behind everybody else."""
    def sink(tell):
        os.nice(15)
        sock = listener(lab, port)
        tell("listening")
        connection, taken = sock.accept()[0], 0
        told_at = time.monotonic()
        while True:
            taken += len(connection.recv(1 << 20))
            if time.monotonic() - told_at > 5:
                tell(taken)
                taken, told_at = 0, time.monotonic()

    def source(tell):
        os.nice(15)
        sock = connected(lab, port)
        sock.settimeout(None)
        tell("connected")
        while True:
            sock.sendall(bytes(1 << 20))
    program = lab.spawn("s", sink, "lab-sink")
    program.hear()
    lab.spawn("c", source, "lab-source").hear()
    return program


def idle_pools(lab, role, count):
    """Idle connections over loopback: as many with keepalive as without."""
    def program(tell):
        family = socket.AF_INET if lab.family == 4 else socket.AF_INET6
        door = socket.create_server(("", 6432), family=family, backlog=2 * count)
        kept = []
        for number in range(2 * count):
            sock = socket.socket(family)
            sock.connect(("127.0.0.1" if lab.family == 4 else "::1", 6432))
            if number % 2:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5)
            kept += [sock, door.accept()[0]]
        tell("idle")
        rest()
    lab.spawn(role, program, "lab-pool").hear()


@case(RULE, "healthy", waits=65)
def soak_for_a_minute(lab):
    """200 short connections a second to three ports, a bulk transfer, idle pools: asked again and again for a minute, on both sides."""
    lab.build()
    for number, port in enumerate(PORTS):
        lab.spawn("s", web_server(lab, port, closes_first=number == 0), "lab-web").hear()
    for role in "cs":
        idle_pools(lab, role, 20)
    sink = bulk(lab, 9000)
    walker = lab.spawn("c", visitor(lab, PORTS, 200, 62), "lab-visit")
    walker.hear()
    begun, spoke = time.monotonic(), set()
    while time.monotonic() - begun < 50:
        spoke.add(both(lab))
    count = walker.hear(40)
    lab.check(count > 200 * 62 * 0.7, f"only {count} connections in 62 s")
    moved = sink.hear()
    lab.check(moved > 50_000_000, f"the bulk transfer moved {moved} bytes in 5 s")
    return f"{count} connections, bulk {moved / 5e6:.0f} MB/s; info: {'; '.join(sorted(spoke - {''})) or 'none'}"


@case(RULE, "healthy", waits=66)
def tls_pool_that_the_server_has_closed(lab):
    """Twelve pooled connections with 510 bytes of session tickets that nobody reads; a minute ago the server closed them (535 bytes and its FIN)."""
    lab.build()

    def server(tell):
        sock = listener(lab, 443)
        tell("listening")
        kept = [sock.accept()[0] for _ in range(12)]
        for connection in kept:
            connection.send(bytes(510))
        tell("tickets")
        told()
        for connection in kept:
            connection.send(bytes(24))
            connection.close()
        tell("closed")
        rest()

    def client(tell):
        kept = [connected(lab, 443) for _ in range(12)]
        tell("idle")
        rest()
        del kept
    program = lab.spawn("s", server, "lab-serve")
    program.hear()
    lab.spawn("c", client, "lab-pool").hear()
    program.hear()
    lab.sockets("c", 12, "state", "established", like=lambda row: row.recv_q == 510)
    first = both(lab)
    program.go()
    program.hear()
    time.sleep(61 if lab.binary else 0)
    lab.sockets("c", 12, "state", "close-wait", like=lambda row: row.recv_q == 535)
    return f"{first}; a minute after the close: {both(lab)}"


@case(RULE, "healthy", waits=15)
def keepalives_from_the_server_only(lab):
    """The client's sockets show no timer; the server probes them each two seconds and is answered."""
    lab.build()

    def server(tell):
        sock = listener(lab, 5432)
        tell("listening")
        kept = []
        for _ in range(20):
            kept.append(sock.accept()[0])
            for option, value in ((socket.TCP_KEEPIDLE, 2), (socket.TCP_KEEPINTVL, 2), (socket.TCP_KEEPCNT, 3)):
                kept[-1].setsockopt(socket.IPPROTO_TCP, option, value)
            kept[-1].setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        rest()

    def client(tell):
        kept = [connected(lab, 5432) for _ in range(20)]
        tell("idle")
        rest()
        del kept
    lab.spawn("s", server, "lab-serve").hear()
    lab.spawn("c", client, "lab-pool").hear()
    lab.sockets("s", 20, "state", "established", like=lambda row: "timer:(keepalive" in row.rest)
    lab.check(not any("timer:" in row.rest for row in lab.ss("c", "state", "established")), "the client has timers")
    time.sleep(5)
    return both(lab)


def tcp_checksum(source, destination, segment):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    pseudo = socket.inet_pton(family, source) + socket.inet_pton(family, destination) + struct.pack("!II", len(segment), socket.IPPROTO_TCP)
    words = pseudo + segment + b"\0" * (len(segment) % 2)
    total = sum(struct.unpack(f"!{len(words) // 2}H", words))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def half_open_checks(lab, port, per_second):
    """SYN, SYN-ACK, RST: raw SYNs, whose answers this kernel does not know and resets."""
    def program(tell):
        raw = socket.socket(socket.AF_INET if lab.family == 4 else socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_TCP)
        tell("begins")
        number = 0
        while True:
            number += 1
            def segment(checksum):
                return struct.pack("!HHIIBBHHH", 1024 + number % 20000, port, number, 0, 5 << 4, 2, 1024, checksum, 0)
            raw.sendto(segment(tcp_checksum(lab.addr("c"), lab.addr("s"), segment(0))), (lab.addr("s"), 0))
            time.sleep(1 / per_second)
    return program


def reset_checks(lab, port, per_second):
    """connect(), then RST: how many load balancers look whether a port is open."""
    def program(tell):
        tell("begins")
        while True:
            with connected(lab, port) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            time.sleep(1 / per_second)
    return program


@case(RULE, "healthy", waits=12)
def health_checks_that_reset(lab):
    """Connect-then-RST and half-open checks, 20 a second each, against a healthy server."""
    lab.build()
    lab.spawn("s", web_server(lab, 8080, closes_first=False), "lab-web").hear()
    lab.spawn("c", reset_checks(lab, 8080, 20), "lab-check").hear()
    lab.spawn("c", half_open_checks(lab, 8080, 20), "lab-check").hear()
    before = lab.counters("s")
    said = both(lab)
    after = lab.counters("s")
    for counter in ("TcpEstabResets", "TcpExtEmbryonicRsts"):
        lab.check(after[counter] - before[counter] >= 50, f"{counter} rose by {after[counter] - before[counter]} only")
    return said


@case(RULE, "healthy", waits=12)
def pool_that_warms_up(lab):
    """500 connections in five seconds, kept: growth by itself is no fault."""
    lab.build()

    def server(tell):
        sock = listener(lab, 5432, 512)
        tell("listening")
        kept = []
        while True:
            kept.append(sock.accept()[0])

    def client(tell):
        kept, begun = [], time.monotonic()
        tell("begins")
        for number in range(500):
            kept.append(connected(lab, 5432))
            time.sleep(max(begun + number / 100 - time.monotonic(), 0))
        tell("warm")
        rest()
    lab.spawn("s", server, "lab-serve").hear()
    program = lab.spawn("c", client, "lab-pool")
    program.hear()
    said = both(lab)
    program.hear()
    lab.sockets("c", 500, "state", "established")
    return said


@case(RULE, "healthy", waits=15)
def thousand_connections_a_second(lab):
    """1000 short connections a second, which the server closes first: its TIME-WAITs take no port."""
    lab.build()
    lab.spawn("s", web_server(lab, 8080, closes_first=True), "lab-web").hear()
    programs = [lab.spawn("c", visitor(lab, (8080,), 500, 11), "lab-visit") for _ in range(2)]
    for program in programs:
        program.hear()
    said = both(lab)
    made = sum(program.hear(60) for program in programs)
    lab.check(made > 11 * 500, f"only {made} connections in 11 s")
    return f"{made / 11:.0f}/s; {said}"


@case(RULE, "healthy", waits=25)
def phones_that_vanish(lab):
    """A public listener with 400 clients from twenty networks: three have vanished with data on the way to them. That is the Internet."""
    lab.build()
    base = "8.1.{}.9" if lab.family == 4 else "2600:1:1:{}::9"
    bits = 24 if lab.family == 4 else 64
    for number in range(1, 21):
        lab.batch("c", f"addr add {base.format(number)}/{bits} dev c0" + (" nodad" if lab.family == 6 else ""))
    lab.batch("s", f"route add {'8.1.0.0/16' if lab.family == 4 else '2600:1:1::/48'} via {lab.addr('c')}")

    def server(tell):
        sock = listener(lab, 443, 512)
        tell("listening")
        kept = [sock.accept() for _ in range(400)]
        tell("accepted")
        told()
        for connection, address in kept:
            if address[1] >= 50001 and address[1] <= 50003:
                connection.send(bytes(5000))
        tell("sent")
        rest()

    def client(tell):
        kept = []
        for number in range(400):
            kept.append(tcp(lab))
            kept[-1].bind((base.format(1 + number % 20), 50000 + number))
            kept[-1].connect((lab.addr("s"), 443))
        tell("connected")
        rest()
    program = lab.spawn("s", server, "lab-lb")
    program.hear()
    lab.spawn("c", client, "lab-phones").hear()
    program.hear()
    lab.nft("c", "table inet lab {\n chain in_lab {\n type filter hook input priority 0;\n tcp dport 50001-50003 drop\n }\n}\n")
    program.go()
    program.hear()
    time.sleep(8)
    lab.sockets("s", 3, "state", "established", "sport", "=", ":443", "and", "dport", "ge", ":50001", "and", "dport", "le", ":50003",
                like=lambda row: "backoff" in row.rest)
    doc = lab.report("s")
    return f"{','.join(unharmed(lab, doc, 's'))} (info)"

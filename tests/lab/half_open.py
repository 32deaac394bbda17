# SPDX-License-Identifier: MIT
"""What cases about half-open connections share: SYNs from addresses that nobody has, slow ways back, listeners of every temper."""
import contextlib
import ipaddress
import os
import random
import socket
import struct
import time

from case_healthy import tcp_checksum
from lab import dial, listener, rest, run

NOBODY = {4: ipaddress.ip_network("198.18.0.0/15"), 6: ipaddress.ip_network("fd72::/48")}
NETWORK_BITS = {4: 24, 6: 64}
IPPROTO_RAW = 255


def build_with_nobody(lab):
    """Client, router, server; what goes to addresses that nobody has ends silently in the router."""
    lab.build("crs")
    for key in ("all", "rc", "rs"):
        lab.sysctl("r", f"net.ipv4.conf.{key}.rp_filter", 0)
    lab.batch("r", f"route add blackhole {NOBODY[lab.family]}")


def syn(source, target, port, number):
    """A SYN with its IP header."""
    def segment(checksum):
        return struct.pack("!HHIIBBHHH", 1024 + number % 60000, port, (number * 2654435761) % (1 << 32), 0, 5 << 4, 2, 8192, checksum, 0)
    tcp = segment(tcp_checksum(source, target, segment(0)))
    if ":" in source:
        return struct.pack("!IHBB", 6 << 28, len(tcp), 6, 64) + socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, target) + tcp
    # the kernel fills in the length, the identification and the checksum
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, socket.inet_aton(source), socket.inet_aton(target)) + tcp


def invented_sources(lab, networks):
    """Addresses out of so many networks that nobody has, by turns."""
    dice = random.Random(1)
    if networks == 1:
        chosen = [next(NOBODY[lab.family].subnets(new_prefix=NETWORK_BITS[lab.family]))]
    else:
        shift = NOBODY[lab.family].max_prefixlen - NETWORK_BITS[lab.family]
        count = 1 << (NETWORK_BITS[lab.family] - NOBODY[lab.family].prefixlen)
        chosen = [ipaddress.ip_network((int(NOBODY[lab.family].network_address) + (number << shift), NETWORK_BITS[lab.family]))
                  for number in dice.sample(range(count), min(networks, count))]
    while True:
        for network in chosen:
            yield str(network[1 + dice.randrange(200)])


def flood(lab, port, first, per_second, networks=1000):
    """A program: `first` SYNs at once, then a steady rate, at most 6000 in all."""
    def program(tell):
        if lab.family == 4:
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, IPPROTO_RAW)
        else:
            raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, IPPROTO_RAW)
        sources, target = invented_sources(lab, networks), lab.addr("s")
        begun = time.monotonic()
        for number in range(6000):
            with contextlib.suppress(BlockingIOError):
                raw.sendto(syn(next(sources), target, port, number), (target, 0))
            if number == first:
                tell(number)
                begun = time.monotonic()
            if number > first:
                time.sleep(max(begun + (number - first) / per_second - time.monotonic(), 0))
        tell("done")
        rest()
    return program


def accepting(lab, port, backlog=128, prepare=None):
    """A program that accepts at once and keeps what it has."""
    def program(tell):
        sock = listener(lab, port, backlog)
        if prepare:
            prepare(sock)
        with contextlib.suppress(OSError):
            os.nice(-15)
        tell("listening")
        kept = []
        while True:
            kept.append(sock.accept()[0])
    return program


def callers(lab, port, count, sources=None, kept=None):
    """A program with so many connects under way, from addresses of its own by turns; or one wave of them, added to `kept`."""
    def program(tell):
        wave, kept_here = kept is not None, kept if kept is not None else []
        for number in range(count):
            kept_here.append(dial_from(lab, port, sources[number % len(sources)]) if sources else dial(lab, port)[0])
        tell(len(kept_here))
        if not wave:
            rest()
    return program


def dial_from(lab, port, source):
    sock = socket.socket(socket.AF_INET if lab.family == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.bind((source, 0))
    sock.connect_ex((lab.addr("s"), port))
    return sock


def slow_way_back(lab, per_second=200):
    """SYN-ACKs towards the client leave the router one by one, some milliseconds apart, as on a long path under load."""
    bits = 8 * (74 if lab.family == 4 else 94) * per_second
    run(["nsenter", f"--net=/run/netns/{lab.ns('r')}", "tc", "qdisc", "add", "dev", "rc", "root", "tbf", "rate", f"{bits}bit", "burst", "300",
         "limit", "200000"])


def rose(lab, role, before, *names):
    """How far counters have risen since `before`."""
    now = lab.counters(role)
    return {name.removeprefix("TcpExt"): now[name] - before[name] for name in names}

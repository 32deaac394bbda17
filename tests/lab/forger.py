# SPDX-License-Identifier: MIT
"""ICMP messages about packets that were never sent: wrong addresses, ports, ids and sequence numbers, absurd sizes, in a flood."""
import random
import socket
import struct
import time

from chain import address

SEED = 7


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def quote(rng, family, source, target):
    """The packet that an error speaks of: like ours in addresses, else not."""
    body = rng.choice([
        struct.pack("!BBHHH", 8 if family == 4 else 128, 0, 0, rng.randrange(65536), rng.randrange(65536)),
        struct.pack("!HHHH", rng.randrange(65536), rng.choice([33434, 53, 443]), rng.randrange(8, 1500), 0),
        struct.pack("!HHIIHHHH", rng.randrange(65536), 8443, rng.randrange(1 << 32), 0, 0x5002, 64240, 0, 0)])
    body += bytes(rng.randrange(256) for _ in range(rng.choice([0, 4, 64])))
    protocol = {8: 1, 128: 58}.get(body[0], rng.choice([6, 17, 1 if family == 4 else 58]))
    if family == 4:
        return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 1500, rng.randrange(65536), 0x4000, 1, protocol, 0, source, target) + body
    return struct.pack("!IHBB16s16s", 6 << 28, 1460, protocol, 1, source, target) + body


def message(rng, family, source, target):
    kind, code, rest = rng.choice([(3, 4, rng.choice([0, 1, 68, 296, 576, 1280, 1499, 65535])), (3, 1, 0), (3, 3, 0), (3, 13, 0), (11, 0, 0)]) if family == 4 else \
        rng.choice([(2, 0, rng.choice([0, 68, 1280, 1499, 0xffffffff])), (1, 0, 0), (1, 1, 0), (1, 4, 0), (3, 0, 0)])
    data = struct.pack("!BBHI", kind, code, 0, rest & 0xffffffff) + quote(rng, family, source, target)
    data += bytes(len(data) % 2)
    return data[:2] + struct.pack("!H", checksum(data)) + data[4:] if family == 4 else data


def start(lab, chain):
    """Lets r1 send them to c until the returned function is called."""
    family = socket.AF_INET if lab.family == 4 else socket.AF_INET6
    source, target = (socket.inet_pton(family, text) for text in (address(lab, 1, 1), chain.target))

    def forge(tell):
        rng = random.Random(SEED)
        sock = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_ICMP if lab.family == 4 else socket.IPPROTO_ICMPV6)
        tell("forging")
        for _ in range(20000):
            sock.sendto(message(rng, lab.family, source, target), (address(lab, 1, 1), 0))
            time.sleep(0.0005)
    program = lab.spawn("r1", forge, "lab-forge")
    program.hear()
    return program.end


def answer_client(lab, *kinds, when):
    """Lets r1 answer TCP packets of c that carry the flags `when` and nothing else with ICMP of `kinds` (type, code, rest) about just those, as only one on the way can. IPv4."""
    def forge(tell):
        sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        sniffer.bind(("l1e2", 0))
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        tell("forging")
        own = socket.inet_aton(address(lab, 1, 1))
        while True:
            packet = sniffer.recv(2048)
            if packet[12:16] != own or packet[9] != socket.IPPROTO_TCP or packet[33] != when:
                continue
            for kind, code, rest in kinds:
                data = struct.pack("!BBHI", kind, code, 0, rest) + packet[:28]
                sock.sendto(data[:2] + struct.pack("!H", checksum(data)) + data[4:], (address(lab, 1, 1), 0))
    lab.spawn("r1", forge, "lab-forge").hear()

# SPDX-License-Identifier: MIT
"""Builds packets byte by byte and writes them as pcap files: what the oracle test sends through both programs."""
import ipaddress
import struct

EN10MB, NULL, PPP, RAW, LINUX_SLL, LINUX_SLL2 = 1, 0, 9, 101, 113, 276
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))
HERE, THERE = "10.0.0.1", "192.0.2.130"
HERE6, THERE6 = "2001:db8::1", "2001:db8:0:1::2:0"
MACS = bytes.fromhex("0200000000bb0200000000aa")


def ones_sum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packed(address):
    return ipaddress.ip_address(address).packed


def with_checksum(segment, offset, src, dst, proto):
    """The segment with the checksum over itself and the pseudo header at `offset`."""
    pseudo = packed(src) + packed(dst) + (struct.pack("!BBH", 0, proto, len(segment)) if len(packed(src)) == 4
                                          else struct.pack("!II", len(segment), proto))
    value = ones_sum(pseudo + segment) or 0xFFFF
    return segment[:offset] + struct.pack("!H", value) + segment[offset + 2:]


def tcp(sport=1234, dport=80, seq=1000, ack=0, flags=SYN, window=512, urgent=0, options=b"", payload=b"", off=None, src=HERE, dst=THERE, checksum=None):
    options += b"\0" * (-len(options) % 4)
    words = (20 + len(options)) // 4 if off is None else off
    segment = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, words << 4, flags, window, checksum or 0, urgent) + options + payload
    return segment if checksum is not None else with_checksum(segment, 16, src, dst, TCP)


def udp(sport=5000, dport=6000, payload=b"", length=None, src=HERE, dst=THERE, checksum=None):
    datagram = struct.pack("!HHHH", sport, dport, 8 + len(payload) if length is None else length, checksum or 0) + payload
    return datagram if checksum is not None else with_checksum(datagram, 6, src, dst, UDP)


def icmp(kind, code=0, rest=b"\0\0\0\0", payload=b"", checksum=None):
    message = struct.pack("!BBH", kind, code, checksum or 0) + rest + payload
    return message if checksum is not None else message[:2] + struct.pack("!H", ones_sum(message)) + message[4:]


def icmp6(kind, code=0, rest=b"\0\0\0\0", payload=b"", src=HERE6, dst=THERE6, checksum=None):
    message = struct.pack("!BBH", kind, code, checksum or 0) + rest + payload
    return message if checksum is not None else with_checksum(message, 2, src, dst, ICMP6)


def ip4(payload, proto=TCP, src=HERE, dst=THERE, tos=0, ident=1, flags=2, offset=0, ttl=64, options=b"", length=None, ihl=None, checksum=None, version=4):
    options += b"\0" * (-len(options) % 4)
    words = (20 + len(options)) // 4 if ihl is None else ihl
    total = 20 + len(options) + len(payload) if length is None else length
    header = struct.pack("!BBHHHBBH", version << 4 | words, tos, total, ident, flags << 13 | offset // 8, ttl, proto, checksum or 0) + packed(src) + packed(dst) + options
    if checksum is None:
        header = header[:10] + struct.pack("!H", ones_sum(header)) + header[12:]
    return header + payload


def ip6(payload, proto=TCP, src=HERE6, dst=THERE6, traffic_class=0, label=0, hops=64, length=None):
    first = 6 << 28 | traffic_class << 20 | label
    return struct.pack("!IHBB", first, len(payload) if length is None else length, proto, hops) + packed(src) + packed(dst) + payload


def ether(payload, kind=None, pad=True):
    if kind is None:
        kind = 0x0800 if payload[0] >> 4 == 4 else 0x86DD
    frame = MACS + struct.pack("!H", kind) + payload
    return frame + b"\0" * (60 - len(frame)) if pad else frame


def vlan(payload, *tags, kind=0x0800, tpid=0x8100):
    """Ethernet with tags: each a control word."""
    inner = b"".join(struct.pack("!HH", tpid, tag) for tag in tags) + struct.pack("!H", kind) + payload
    return MACS + inner


def write_pcap(path, frames, link=EN10MB, snaplen=262144, start=1700000000, step=0.000321, nano=False, cut=None):
    """Frames, a fixed time apart; each may be a pair (bytes, length on the wire). `cut`: no more bytes than that are kept of each."""
    unit = 10 ** 9 if nano else 10 ** 6
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, snaplen, link))
        for index, frame in enumerate(frames):
            data, wire = frame if isinstance(frame, tuple) else (frame, len(frame))
            data = data[:cut] if cut is not None else data
            ticks = start * unit + int((index * step) * unit)
            file.write(struct.pack("<IIII", ticks // unit, ticks % unit, len(data), wire) + data)

# SPDX-License-Identifier: MIT
"""The captures that the oracle test makes: every text that a packet can have, and every way in which a packet can be cut or lie.

Each function returns (frames, arguments of write_pcap); its first line of text says what it is for."""
from frames import *  # pylint: disable=wildcard-import,unused-wildcard-import

CAPTURES = []


def capture(make):
    CAPTURES.append(make)
    return make


LINK_ADDRESS = b"\1\1\2\0\0\0\0\xaa"
TARGET = packed("2001:db8::77")
QUOTE = ip4(tcp(sport=4000, dport=443))[:28]
QUOTE6 = ip6(tcp(sport=4000, dport=443, src=HERE6, dst=THERE6))[:60]


def tcp6(**fields):
    return tcp(src=HERE6, dst=THERE6, **fields)


def udp6(**fields):
    return udp(src=HERE6, dst=THERE6, **fields)


def v4(payload, proto, **fields):
    return ether(ip4(payload, proto=proto, **fields), pad=False)


def v6(payload, proto, **fields):
    return ether(ip6(payload, proto=proto, **fields))


def conversation(here, there, build):
    """A connection from SYN to FIN and a new one on the same ports, with SACK, a wrap of the numbers and a segment out of window."""
    stamps = b"\1\1\x08\x0a\0\0\0\7\0\0\0\x09"
    first, second = 0xFFFFFFF0, 77
    steps = [(0, SYN, first, 0, b"\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\0\1\3\3\7", b""), (1, SYN | ACK, second, first + 1, b"\2\4\5\xb4\1\1\4\2", b""),
             (0, ACK, first + 1, second + 1, b"", b""), (0, PSH | ACK, first + 1, second + 1, stamps, b"x" * 100),
             (1, ACK, second + 1, first + 101, stamps, b""), (0, ACK, first + 1101, second + 1, b"", b"x" * 1000),
             (1, ACK, second + 1, first + 101, b"\1\1\5\x0a" + struct.pack("!II", first + 1101 & 0xFFFFFFFF, first + 2101 & 0xFFFFFFFF), b""),
             (0, URG | ACK, first + 5, second + 1, b"", b"y"), (0, FIN | ACK, first + 2101, second + 1, b"", b""), (1, RST | ACK, second + 1, first + 2102, b"", b""),
             (1, RST, second + 1, 0, b"", b""), (0, SYN | ECE | CWR, 5, 0, b"", b""), (1, SYN | ACK | ECE, 9, 6, b"", b""), (0, ACK, 6, 10, b"", b"")]
    frames = []
    for back, flags, seq, ack, options, payload in steps:
        ports = (50000, 5001) if not back else (5001, 50000)
        src, dst = (here, there) if not back else (there, here)
        segment = tcp(*ports, seq=seq, ack=ack, flags=flags, options=options, payload=payload, urgent=7, src=src, dst=dst)
        frames.append(ether(build(segment, src=src, dst=dst), pad=False))
    return frames


@capture
def connections():
    return conversation(HERE, THERE, ip4) + conversation(HERE6, THERE6, ip6), {}


@capture
def one_port_on_both_sides():
    """Which side is which is told by addresses when the ports are equal."""
    frames = []
    for src, dst, seq, ack in ((HERE, THERE, 100, 900), (THERE, HERE, 900, 110), (HERE, THERE, 110, 950)):
        frames.append(v4(tcp(7, 7, seq=seq, ack=ack, flags=ACK, payload=b"12345", src=src, dst=dst), TCP, src=src, dst=dst))
    return frames, {}


@capture
def tcp_flags():
    frames = [v4(tcp(flags=flags, urgent=7, ack=3, payload=payload), TCP) for flags in range(256) for payload in (b"", b"zz")]
    return frames, {}


@capture
def accurate_ecn():
    """The ninth flag, in a packet whose checksum knows of it."""
    segment = bytearray(tcp(5000, 5001, flags=ACK, ack=1, checksum=0))
    segment[12] |= 1
    return [v4(with_checksum(bytes(segment), 16, HERE, THERE, TCP), TCP)], {}


@capture
def tcp_options():
    options = [b"\2\4\5\xb4", b"\3\3\7", b"\4\2", b"\5\x0a" + b"\0\0\x10\0\0\0\x20\0", b"\5\x12" + bytes(range(16)), b"\5\x0b" + b"\0" * 9, b"\5\2", b"\6\6\0\0\0\1",
               b"\7\6\0\0\0\1", b"\x0b\6\0\0\0\1", b"\x0c\6\0\0\0\1", b"\x08\x0a\0\0\0\1\0\0\0\2", b"\x13\x12" + b"0123456789abcdef", b"\x14\4\1\2", b"\x1d\x10" + b"0123456789abcd",
               b"\x1d\3\1", b"\x1d\4\1\2", b"\x1c\4\0\4", b"\x22\2", b"\x22\x0a12345678", b"\x22\x04ab", b"\x22\x07abcde", b"\xfe\4\xf9\x89",
               b"\xfe\x0a\xf9\x89abcdef", b"\xfe\4\x12\x34", b"\xfd\4\x12\x34", b"\xfe\2", b"\xfe\3a", b"\x0e\3\1", b"\x0f\4\1\2", b"\x10\4\1\2", b"\x12\3\1", b"\x15\4ab",
               b"\x1b\x08abcdef", b"\x45\2", b"\x45\3a", b"\2\3\1", b"\2\5\1\2\3", b"\2\1", b"\2\0", b"\3\x28", b"\1\1\1\0\1\1\1\1", b"\0\1\1\1", b"\1\1\1\2", b"\x08\x0a\0",
               b"\1\2\4\5", b"\xac\4ab", b"\xae\4ab"]
    frames = [v4(tcp(options=each, flags=flags, ack=2), TCP) for each in options for flags in (SYN, ACK)]
    return frames + [v6(tcp6(options=each, flags=ACK), TCP) for each in options], {}


@capture
def tcp_options_at_random():
    """Forty bytes of any value, made by a generator with a fixed seed."""
    state, frames = 12345, []
    for _ in range(400):
        data = bytearray()
        for _ in range(40):
            state = (state * 1103515245 + 12345) & 0x7FFFFFFF
            value = state >> 16
            data.append((0, 1, 2, 3, 4, 5, 8, 10, 34, 254, 4, 10)[value % 12] if value & 256 else value & 15)
        frames.append(v4(tcp(options=bytes(data), flags=ACK), TCP))
    return frames, {}


@capture
def mptcp():
    options = [b"\x1e\x04\x01\x81", b"\x1e\x0c\x01\x81" + b"12345678", b"\x1e\x04\x40\x05", b"\x1e\x03\x51", b"\x1e\x0c\x60\x00" + b"12345678", b"\x1e\x0c\x70\x00" + b"12345678",
               b"\x1e\x04\x80\x01", b"\x1e\x08\x34\x05\x0a\0\0\1"]
    frames = [v4(tcp(options=each, flags=SYN | ACK, ack=1), TCP) for each in options]
    frames.append(v4(tcp(options=b"\x1e\x14\x00\x81" + b"12345678" * 2, flags=ACK, ack=1), TCP))
    frames.append(v4(tcp(options=b"\x1e\x0c\x10\x05\0\0\0\1\0\0\0\2"), TCP))
    frames.append(v4(tcp(options=b"\x1e\x10\x11\x05" + b"12345678\0\0\0\1", flags=SYN | ACK, ack=1), TCP))
    frames.append(v4(tcp(options=b"\x1e\x18\x10\x05" + b"12345678901234567890", flags=ACK, ack=1), TCP))
    for each in (b"\x1e\x14\x20\x05\0\0\0\1\0\0\0\2\0\0\0\3\0\4\0\5", b"\x1e\x08\x20\x01\0\0\0\7", b"\x1e\x0c\x20\x03\0\0\0\0\0\0\0\7", b"\x1e\x12\x20\x04\0\0\0\2\0\0\0\3\0\4\0\0"):
        frames.append(v4(tcp(options=each, flags=ACK, ack=1), TCP))
    return frames, {}


@capture
def tcp_that_lies():
    frames = [v4(tcp(5000, 5001, off=words, payload=b"abcdef"), TCP) for words in (0, 4, 5, 6, 7, 15)]
    frames += [v4(tcp()[:size], TCP) for size in (0, 1, 3, 4, 10, 13, 14, 19)]
    return frames + [v4(tcp(5000, 5001, checksum=0x1234, payload=b"zz"), TCP), v6(tcp6(sport=5000, dport=5001, checksum=0x1234), TCP)], {}


@capture
def offloaded():
    """What a machine sees of its own segments: only the pseudo header is summed up."""
    pseudo = ~ones_sum(packed(HERE) + packed(THERE) + struct.pack("!BBH", 0, TCP, 25)) & 0xFFFF
    datagram = ~ones_sum(packed(HERE) + packed(THERE) + struct.pack("!BBH", 0, UDP, 12)) & 0xFFFF
    return [v4(tcp(5000, 5001, checksum=pseudo, payload=b"hello"), TCP), v4(udp(payload=b"abcd", checksum=datagram), UDP)], {}


@capture
def udp_texts():
    frames = [v4(udp(payload=b"abc", length=length, checksum=0), UDP) for length in (0, 4, 7, 8, 9, 11, 12, 100)]
    frames += [v4(udp(payload=b"abc")[:size], UDP) for size in (0, 1, 4, 5, 7)]
    frames += [v4(udp(payload=b"abc", checksum=each), UDP) for each in (0, 0x1111, None)] + [v6(udp6(payload=b"abc", checksum=each), UDP) for each in (0, 1, None)]
    return frames + [v6(udp6(payload=b"abc", length=length), UDP) for length in (0, 9, 99)], {}


@capture
def ipv4_headers():
    segment = tcp(5000, 5001)
    frames = [v4(segment, TCP, tos=tos) for tos in (1, 2, 3, 0x10, 0xB9)]
    for fields in ({"ttl": 0}, {"flags": 0}, {"flags": 1}, {"flags": 3}, {"flags": 4}, {"flags": 7}, {"offset": 1480}, {"offset": 1480, "flags": 1}, {"checksum": 5},
                   {"length": 2000}, {"length": 10}, {"ihl": 4}, {"ihl": 7}, {"ihl": 0}, {"ihl": 15}, {"length": 39}, {"length": 22}):
        frames.append(ether(ip4(segment, **fields)))
    wrong = [ether(ip4(segment, version=5), kind=0x0800), ether(ip4(segment, version=6), kind=0x0800), ether(ip4(segment, version=4), kind=0x86DD)]
    return frames + wrong, {}


@capture
def large_segments():
    """A total length of 0: the card is to cut it (TSO)."""
    return [v4(tcp(5000, 5001, payload=b"x" * 3000), TCP, length=0)], {}


@capture
def ipv4_fragments():
    frames = [v4(tcp(5000, 5001, payload=b"x" * 100), TCP, flags=1), v4(udp(payload=b"x" * 100), UDP, flags=1), v4(udp(payload=b"x" * 100, length=3000), UDP, flags=1),
              v4(icmp(8, payload=b"x" * 100), ICMP, flags=1), v4(icmp(8, payload=b"x" * 100), 99, flags=1)]
    return frames + [v4(b"x" * 24, proto, offset=80, flags=1) for proto in (6, 17, 1, 99, 50)], {}


@capture
def ipv4_protocols():
    """Names of -v, and the protocols that nobody reads."""
    plain = [each for each in range(256) if each not in (1, 2, 4, 6, 8, 9, 17, 33, 41, 46, 47, 50, 51, 55, 58, 77, 88, 89, 97, 103, 108, 112, 113, 124, 132, 143)]
    return [v4(b"\0" * 20, each) for each in plain], {}


@capture
def ipv4_options():
    options = [b"\x94\4\0\0", b"\x94\4\0\5", b"\7\x0b\4" + b"\0" * 8, b"\7\x0b\x0c" + bytes([10, 0, 0, 9, 10, 0, 0, 8]), b"\x83\7\4\x0a\0\0\7", b"\x89\7\4\x0a\0\0\7", b"\x83\7\x08\x0a\0\0\7",
               b"\x44\x0c\5\0" + b"\0\0\0\1" + b"\0" * 4, b"\x44\x0c\x0d\x31" + bytes([10, 0, 0, 3]) + b"\0\0\0\7", b"\x44\x0c\5\3" + bytes([10, 0, 0, 3]) + b"\0\0\0\7", b"\x44\4\5\2",
               b"\x44\3\5", b"\1\1\1\0", b"\x82\x0b" + b"\0" * 9, b"\x88\4\1\2", b"\x99\4\1\2", b"\7\3\4\0", b"\7\2", b"\7\1", b"\7\x20\4\0", b"\x52\x0c" + b"\0" * 10,
               b"\7\7\5\x0a\0\0\1", b"\x94\3\0\0"]
    return [v4(tcp(5000, 5001), TCP, options=each) for each in options], {}


@capture
def cut_everywhere():
    """Packets at each length that a capture could leave of them."""
    segment = tcp(5000, 5001, options=b"\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\2\1\3\3\7\1\1\5\x12" + bytes(16), payload=b"abcdefgh", flags=PSH | ACK, ack=5)
    segment6 = tcp6(sport=5000, dport=5001, options=b"\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\2\1\3\3\7", payload=b"abcdefgh", flags=PSH | ACK, ack=5)
    whole = [v4(segment, TCP), v6(segment6, TCP), v4(udp(payload=b"abcdefgh"), UDP), v6(udp6(payload=b"abcdefgh"), UDP), v4(icmp(8, rest=b"\0\1\0\2", payload=b"abcdefgh"), ICMP),
             v4(icmp(3, 3, payload=QUOTE), ICMP), v4(icmp(5, 1, payload=QUOTE), ICMP), v4(icmp(11, 0, payload=QUOTE), ICMP), v4(icmp(12, 0, payload=QUOTE), ICMP),
             v6(icmp6(128, rest=b"\0\1\0\2", payload=b"abcdefgh"), ICMP6), v6(icmp6(1, 4, payload=QUOTE6), ICMP6), v6(icmp6(1, 1, payload=QUOTE6), ICMP6), v6(icmp6(3, payload=QUOTE6), ICMP6),
             v6(icmp6(135, payload=TARGET + LINK_ADDRESS), ICMP6), v6(icmp6(2, payload=QUOTE6), ICMP6), v6(icmp6(4, payload=QUOTE6), ICMP6), v4(tcp(5000, 5001), TCP, options=b"\7\x0b\x0c" + bytes(8))]
    return [(frame[:size], len(frame)) for frame in whole for size in range(1, len(frame) + 1)], {}


@capture
def icmp_texts():
    def message(*fields, **more):
        return v4(icmp(*fields, **more), ICMP)
    frames = [message(3, code, payload=QUOTE) for code in range(18)] + [message(3, 4, rest=b"\0\0\5\x78", payload=QUOTE)]
    frames += [message(3, 3, payload=ip4(udp(payload=b"abc"), proto=UDP)[:28]), message(3, 3, payload=ip4(b"12345678", proto=99)[:28])]
    frames += [message(5, code, rest=b"\x0a\1\2\3", payload=QUOTE) for code in range(6)] + [message(11, code, payload=QUOTE) for code in range(4)]
    frames += [message(12, code, rest=b"\x14\0\0\0", payload=QUOTE) for code in range(4)]
    frames += [message(kind, 0, rest=b"\0\1\0\2", payload=b"abcdefgh1234") for kind in (0, 1, 2, 6, 7, 8, 10, 13, 14, 15, 16, 17, 18, 19, 30, 31, 33, 38, 41, 42, 43, 44, 255)]
    frames += [message(4, 0, payload=QUOTE), message(8, 0, rest=b"\0\1\0\2", payload=b"abc", checksum=0x1234), message(3, 1, payload=QUOTE, checksum=1)]
    frames += [message(3, 1, payload=ip4(icmp(11, 0, payload=QUOTE), proto=ICMP)), message(11, 0, payload=QUOTE[:20]), message(14, 0, rest=b"\0\1\0\2", payload=b"\0\0\0\1" * 3)]
    return frames, {}


@capture
def icmp6_texts():
    def message(*fields, **more):
        return v6(icmp6(*fields, **more), ICMP6)
    frames = [message(1, code, payload=QUOTE6) for code in range(5)] + [message(1, 4, payload=ip6(udp6(payload=b"abc"), proto=UDP)), message(1, 4, payload=ip6(b"12345678", proto=99))]
    frames += [message(2, 0, rest=b"\0\0\5\0", payload=QUOTE6)] + [message(3, code, payload=QUOTE6) for code in range(4)] + [message(4, code, rest=b"\0\0\0\x28", payload=QUOTE6) for code in range(5)]
    frames += [message(kind, 0, rest=b"\0\1\0\2", payload=b"12345678") for kind in (128, 129)] + [message(128, 0, rest=b"\0\1\0\2", payload=b"x", checksum=7)]
    prefix = b"\3\4\x40\xc0" + b"\0\0\x0e\x10" * 2 + b"\0" * 4 + packed("2001:db8:5::")
    forever = b"\3\4\x40\x40" + b"\xff" * 8 + b"\0" * 4 + packed("2001:db8:6::")
    frames += [message(133, 0, payload=LINK_ADDRESS), message(134, 0, rest=b"\x40\x08\x07\x08", payload=b"\0" * 8 + LINK_ADDRESS + b"\5\1\0\0\0\0\5\xdc" + prefix + forever),
               message(134, 0, rest=b"\x40\xc0\x07\x08", payload=b"\0\0\1\0\0\0\0\2"), message(135, 0, payload=TARGET + LINK_ADDRESS),
               message(136, 0, rest=b"\xe0\0\0\0", payload=TARGET + b"\2" + LINK_ADDRESS[1:]), message(136, 0, payload=TARGET), message(137, 0, payload=TARGET + packed(HERE6) + LINK_ADDRESS)]
    frames += [message(130, 0, rest=b"\x27\x10\0\0", payload=packed("::") + b"\2\x7d\0\0"), message(130, 0, rest=b"\x97\x10\0\0", payload=packed("ff02::1") + b"\x0a\x9d\0\1" + packed(HERE6)),
               message(130, 0, payload=packed("ff02::fb") + b"\0"), message(143, 0, rest=b"\0\0\0\2", payload=b"\1\0\0\1" + packed("ff02::fb") + packed(HERE6) + b"\4\0\0\0" + packed("ff02::16"))]
    return frames, {}


@capture
def listener_version_1():
    return [v6(icmp6(kind, 0, rest=b"\x27\x10\0\0", payload=packed("ff02::fb")), ICMP6) for kind in (130, 131, 132)], {}


@capture
def not_read():
    """Protocols, EtherTypes and message types that are named with their length and no more."""
    frames = [v4(b"\0" * 20, proto) for proto in (2, 50, 89, 103, 132)] + [v4(icmp(9, rest=b"\1\2\0\x1e", payload=bytes([10, 0, 0, 1]) + b"\0\0\0\1"), ICMP)]
    frames += [v6(icmp6(kind, 0, payload=b"abcdefgh"), ICMP6) for kind in (5, 127, 200)] + [v6(icmp6(1, 7, payload=QUOTE6), ICMP6)]
    frames += [ether(b"hello" * 10, kind=0x1234), ether(b"hello" * 10, kind=0x88CC), MACS + b"\0\x26\x42\x42\3" + b"x" * 40]
    return frames, {}


@capture
def ipv6_headers():
    frames = [v6(tcp6(sport=5000, dport=5001), TCP, traffic_class=each) for each in (1, 2, 3, 0xB8)]
    for fields in ({"label": 0xBEEF}, {"label": 0xFBEEF}, {"hops": 0}, {"length": 500}, {"length": 10}, {"length": 19}):
        frames.append(v6(tcp6(sport=5000, dport=5001), TCP, **fields))
    return frames + [v6(b"", 59), v6(b"abc", 59), v6(b"12345678", 99)], {}


@capture
def ipv6_extensions():
    segment = tcp6(sport=5000, dport=5001)

    def hop(following, options=b"\5\2\0\0\1\0"):
        return bytes([following, 0]) + options

    def fragment(following, offset=0, more=0):
        return bytes([following, 0]) + struct.pack("!HI", offset | more, 0x12345678)

    def route(following, kind, left=1):
        return bytes([following, 2, kind, left, 0, 0, 0, 7]) + packed("2001:db8::9")
    authentication = b"\6\4\0\0" + b"\0\0\0\1\0\0\0\2" + b"\1" * 12
    report = icmp6(143, rest=b"\0\0\0\1", payload=b"\4\0\0\0" + packed("ff02::fb"))
    long_udp = udp6(payload=b"x" * 20, length=3000)
    cases = [(hop(58) + report, 0), (hop(6) + segment, 0), (hop(6, b"\1\4\0\0\0\0") + segment, 60), (hop(6, b"\0" * 6) + segment, 60), (hop(6, b"\x3e\4\0\1\0\0") + segment, 0),
             (hop(6, b"\5\x20\0\1\0\0") + segment, 0), (route(6, 0) + segment, 43), (route(6, 4) + segment, 43), (route(6, 2) + segment, 43), (route(6, 0, 0) + segment, 43),
             (fragment(6, 0, 1) + segment, 44), (fragment(6, 1448) + segment, 44), (fragment(6, 1448, 1) + segment, 44), (fragment(17, 0, 1) + long_udp, 44), (fragment(6) + segment, 44),
             (fragment(58, 0, 1) + icmp6(128, payload=b"x" * 20), 44), (authentication + segment, 51), (hop(44) + fragment(60) + hop(17, b"\1\4\0\0\0\0") + udp6(), 0),
             (hop(60) + hop(59, b"\1\4\0\0\0\0"), 0), (hop(99, b"\1\4\0\0\0\0") + b"12345678", 60), (fragment(99, 0, 1) + b"x" * 16, 44)]
    frames = [v6(payload, proto) for payload, proto in cases]
    long = v6(hop(60) + hop(44, b"\1\4\0\0\0\0") + fragment(17) + udp6(), 0)
    return frames + [v4(authentication + tcp(5000, 5001), 51)] + [(long[:size], len(long)) for size in range(54, len(long))], {}


def arp(operation, target=b"\0" * 6):
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + MACS[6:] + packed(HERE) + target + packed(THERE)


@capture
def ethernet():
    """Tags, labels, sessions and ARP."""
    four, six = ip4(tcp(5000, 5001)), ip6(tcp6(sport=5000, dport=5001))
    frames = [ether(four), ether(six), vlan(four, 5), vlan(four, 0xB005), vlan(four, 5, 6), vlan(four, 5, 6, tpid=0x88A8), vlan(four, 0x1005, tpid=0x9100), vlan(six, 7, kind=0x86DD),
              ether(arp(1), kind=0x0806), ether(arp(2, MACS[:6]), kind=0x0806), vlan(arp(1), 9, kind=0x0806), MACS + b"\x88\x47" + struct.pack("!I", 16 << 12 | 1 << 8 | 64) + four,
              MACS + b"\x88\x47" + struct.pack("!II", 16 << 12 | 64, 17 << 12 | 5 << 9 | 1 << 8 | 3) + six,
              MACS + b"\x88\x64" + struct.pack("!BBHHH", 0x11, 0, 7, len(four) + 2, 0x21) + four, MACS + b"\x88\x64" + struct.pack("!BBHHH", 0x11, 0, 7, len(six) + 2, 0x57) + six]
    return frames, {}


@capture
def cooked():
    def frame(payload, ethertype, kind=0):
        return struct.pack("!HHH", kind, 1, 6) + MACS[6:] + b"\0\0" + struct.pack("!H", ethertype) + payload
    four = ip4(tcp(5000, 5001))
    frames = [frame(four, 0x0800, kind) for kind in range(6)] + [frame(ip6(tcp6(sport=5000, dport=5001)), 0x86DD), frame(arp(1), 0x0806)]
    return frames, {"link": LINUX_SLL}


@capture
def cooked_2():
    def frame(payload, ethertype, kind=0):
        return struct.pack("!HHIHBB", ethertype, 0, 3, 1, kind, 6) + MACS[6:] + b"\0\0" + payload
    four = ip4(tcp(5000, 5001))
    frames = [frame(four, 0x0800, kind) for kind in range(6)] + [frame(ip6(tcp6(sport=5000, dport=5001)), 0x86DD), frame(arp(1), 0x0806)]
    return frames, {"link": LINUX_SLL2}


@capture
def loopback():
    four, six = ip4(tcp(5000, 5001)), ip6(tcp6(sport=5000, dport=5001))
    return [struct.pack("<I", 2) + four, struct.pack(">I", 2) + four] + [struct.pack("<I", family) + six for family in (24, 28, 30)], {"link": NULL}


@capture
def loopback_linux():
    """AF_INET6 of Linux, which tcpdump knows only of other systems."""
    return [struct.pack("<I", 10) + ip6(tcp6(sport=5000, dport=5001)), struct.pack("<I", 77) + b"abcd"], {"link": NULL}


@capture
def ppp():
    four, six = ip4(tcp(5000, 5001)), ip6(tcp6(sport=5000, dport=5001))
    return [b"\xff\3\0\x21" + four, b"\0\x21" + four, b"\x21" + four, b"\xff\3\0\x57" + six], {"link": PPP}


@capture
def raw_ip():
    return [ip4(tcp(5000, 5001)), ip6(tcp6(sport=5000, dport=5001))], {"link": RAW}


@capture
def wireless():
    """A link type that is not read."""
    return [b"\0\0\x08\0\0\0\0\0" + b"\x80" + b"\0" * 40], {"link": 127}


@capture
def tunnels():
    inner, inner6 = ip4(udp(payload=b"abc"), proto=UDP, src="10.9.0.1", dst="10.9.0.2"), ip6(udp6(payload=b"abc"), proto=UDP)
    vxlan = b"\x08\0\0\0\0\0\x2a\0" + MACS + b"\x08\0" + inner
    geneve = b"\0\0\x65\x58\0\0\x2a\0" + MACS + b"\x08\0" + inner
    return [v4(inner, 4), v4(inner6, 41), v6(inner, 4), v6(inner6, 41), v4(b"\0\0\x08\0" + inner, 47), v4(b"\x20\0\x08\0\0\0\0\7" + inner, 47), v4(b"\0\0\x86\xdd" + inner6, 47),
            v4(udp(40000, 4789, payload=vxlan), UDP), v4(udp(40000, 6081, payload=geneve), UDP)], {}


@capture
def applications():
    """What tcpdump takes for HTTP, DNS and so on by its port."""
    query = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1"
    frames = [v4(udp(40000, 53, payload=query), UDP), v4(udp(123, 123, payload=b"\x23" + b"\0" * 47), UDP), v4(tcp(40000, 53, flags=ACK, payload=struct.pack("!H", len(query)) + query), TCP)]
    for port, payload in ((80, b"GET / HTTP/1.1\r\n\r\n"), (80, b"\1\2\3"), (25, b"EHLO there\r\n"), (21, b"USER me\r\n"), (22, b"SSH-2.0-x\r\n"), (23, b"\xff\xfd\3")):
        frames.append(v4(tcp(40000, port, flags=PSH | ACK, payload=payload), TCP))
    return frames, {}


@capture
def payload_of_a_reset():
    return [v4(tcp(5000, 5001, flags=RST | ACK, payload=b"go away\x1b[2J"), TCP)], {}


@capture
def every_byte():
    """Payloads for the dumps: all values, line ends, none."""
    payloads = (bytes(range(256)), b"a\r\nb\rc\r", b"ab\r", b"", b"x", b"\x1b[2J\x07\x9b")
    return [v4(tcp(5000, 5001, payload=payload), TCP) for payload in payloads] + [ether(ip4(tcp(5000, 5001)))], {}


@capture
def clock():
    return [v4(tcp(5000, 5001), TCP)] * 4, {"step": 1.25}


@capture
def clock_backwards():
    return [v4(tcp(5000, 5001), TCP)] * 4, {"step": -1234.567891, "nano": True}


@capture
def clock_days():
    return [v4(tcp(5000, 5001), TCP)] * 3, {"step": 100000.5}

# SPDX-License-Identifier: MIT
"""Packets as bytes, layer by layer: what a scene is made of. Addresses are text; checksums are right unless a scene asks otherwise."""
import socket
import struct

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
ETHERTYPE = {4: 0x0800, 6: 0x86DD}
# LINKTYPE_ numbers, https://www.tcpdump.org/linktypes.html
NULL, ETHERNET, PPP, RAW_OLD, FDDI, PPP_HDLC, C_HDLC, RAW, LOOP, SLL = 0, 1, 9, 12, 10, 50, 104, 101, 108, 113
IPV4, IPV6, NFLOG, RADIOTAP, SLL2 = 228, 229, 239, 127, 276


def family_of(address):
    return 6 if ":" in address else 4


def packed(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def sum16(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def checksum(data):
    return ~sum16(data) & 0xFFFF


def ipv4(src, dst, protocol, payload, ttl=64, ident=0, dont_fragment=True, more=False, offset=0, tos=0, options=b"", length=None):
    header_length = 20 + len(options)
    assert not (len(options) % 4 or offset % 8)
    head = struct.pack(">BBHHHBBH4s4s", 0x40 | header_length // 4, tos, header_length + len(payload) if length is None else length,
                       ident & 0xFFFF, dont_fragment << 14 | more << 13 | offset // 8, ttl, protocol, 0, packed(src), packed(dst)) + options
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def ipv6(src, dst, protocol, payload, ttl=64, flow_label=0, extensions=()):
    """extensions: pairs (its own number, bytes behind its next-header byte)."""
    chain = b""
    numbers = [number for number, _ in extensions] + [protocol]
    for following, (_, body) in zip(numbers[1:], extensions):
        chain += bytes([following]) + body
    return struct.pack(">IHBB16s16s", 6 << 28 | flow_label, len(chain) + len(payload), numbers[0], ttl, packed(src), packed(dst)) + chain + payload


def ip(src, dst, protocol, payload, ttl=64, ident=0, dont_fragment=True):
    """Either family; IPv6 has neither an id nor a DF bit."""
    if family_of(src) == 6:
        return ipv6(src, dst, protocol, payload, ttl)
    return ipv4(src, dst, protocol, payload, ttl, ident, dont_fragment)


def with_hop_limit(packet, change):
    """The same packet some hops later."""
    if version(packet) == 6:
        return packet[:7] + bytes([packet[7] + change]) + packet[8:]
    length = (packet[0] & 15) * 4
    head = packet[:8] + bytes([packet[8] + change]) + packet[9:10] + b"\0\0" + packet[12:length]
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + packet[length:]


def fragment_header(ident, offset, more):
    """The fragment header of IPv6 as an extension of ipv6()."""
    return 44, struct.pack(">BHI", 0, offset | more, ident)


def with_checksum(src, dst, protocol, segment, at):
    """Fills in a transport checksum over the pseudo header; ICMP over IPv4 has none."""
    pseudo = b""
    if protocol != ICMP:
        pseudo = packed(src) + packed(dst) + struct.pack(">II" if family_of(src) == 6 else ">HH", *((len(segment), protocol) if family_of(src) == 6
                                                                                                  else (protocol, len(segment))))
    value = checksum(pseudo + segment)
    if protocol == UDP and not value:
        value = 0xFFFF
    return segment[:at] + struct.pack(">H", value) + segment[at + 2:]


def option_mss(size):
    return struct.pack(">BBH", 2, 4, size)


def option_wscale(shift):
    return b"\1" + bytes([3, 3, shift])


def option_sack_permitted():
    return b"\1\1" + bytes([4, 2])


def option_timestamps(value, echo):
    return b"\1\1" + struct.pack(">BBII", 8, 10, value & 0xFFFFFFFF, echo & 0xFFFFFFFF)


def option_sack(blocks):
    return b"\1\1" + bytes([5, 2 + 8 * len(blocks)]) + b"".join(struct.pack(">II", left & 0xFFFFFFFF, right & 0xFFFFFFFF) for left, right in blocks)


def tcp(src, dst, sport, dport, seq, ack, flags, window, options=b"", payload=b""):
    options += b"\0" * (-len(options) % 4)
    segment = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, (20 + len(options)) // 4 << 4, flags, window, 0, 0)
    return with_checksum(src, dst, TCP, segment + options + payload, 16)


def udp(src, dst, sport, dport, payload):
    return with_checksum(src, dst, UDP, struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload, 6)


def icmp(src, dst, kind, code, rest, body):
    """rest: the second four bytes of the header."""
    segment = struct.pack(">BBHI", kind, code, 0, rest) + body
    return with_checksum(src, dst, ICMP if family_of(src) == 4 else ICMPV6, segment, 2)


def protocol_of_icmp(address):
    return ICMP if family_of(address) == 4 else ICMPV6


# -- links: the bytes before an IP packet --
MAC_A, MAC_B = bytes.fromhex("02000000000a"), bytes.fromhex("02000000000b")


def version(packet):
    return packet[0] >> 4


def ethernet(packet, ethertype=None, src=MAC_A, dst=MAC_B):
    return dst + src + struct.pack(">H", ethertype or ETHERTYPE[version(packet)]) + packet


def vlan(packet, *tags):
    """tags: (TPID, control word), outermost first."""
    inner = struct.pack(">H", ETHERTYPE[version(packet)]) + packet
    for tpid, control in reversed(tags):
        inner = struct.pack(">HH", tpid, control) + inner
    return MAC_B + MAC_A + inner


def mpls(packet, *labels):
    stack = b"".join(struct.pack(">I", label << 12 | (i == len(labels) - 1) << 8 | 64) for i, label in enumerate(labels))
    return ethernet(stack + packet, 0x8847)


def pppoe(packet, session=0x11):
    ppp_protocol = 0x0021 if version(packet) == 4 else 0x0057
    return ethernet(struct.pack(">BBHHH", 0x11, 0, session, len(packet) + 2, ppp_protocol) + packet, 0x8864)


def sll(packet, kind=0):
    return struct.pack(">HHH8sH", kind, 1, 6, MAC_A + b"\0\0", ETHERTYPE[version(packet)]) + packet


def sll2(packet, ifindex=2, kind=0):
    return struct.pack(">HHIHBB8s", ETHERTYPE[version(packet)], 0, ifindex, 1, kind, 6, MAC_A + b"\0\0") + packet


def bsd_loopback(packet, order="<"):
    """LINKTYPE_NULL: the address family in the byte order of the machine that captured; LOOP: in network order."""
    return struct.pack(order + "I", 2 if version(packet) == 4 else 30) + packet


def ppp(packet):
    return b"\xff\x03" + struct.pack(">H", 0x0021 if version(packet) == 4 else 0x0057) + packet


def c_hdlc(packet):
    return b"\x0f\0" + struct.pack(">H", ETHERTYPE[version(packet)]) + packet


def llc_snap(packet):
    return b"\xaa\xaa\x03\0\0\0" + struct.pack(">H", ETHERTYPE[version(packet)]) + packet


def fddi(packet):
    return b"\x50" + MAC_B + MAC_A + llc_snap(packet)


def radiotap(packet):
    data_frame = struct.pack("<HH", 0x0208, 0) + MAC_B + MAC_A + MAC_A + struct.pack("<H", 0)
    return struct.pack("<BBHI", 0, 0, 8, 0) + data_frame + llc_snap(packet)


def nflog(packet):
    def attribute(kind, body):
        return struct.pack("<HH", 4 + len(body), kind) + body + b"\0" * (-len(body) % 4)
    return struct.pack(">BBH", 2 if version(packet) == 4 else 10, 0, 0) + attribute(10, b"lab\0") + attribute(9, packet)


# -- tunnels: the outer packet around an inner one; outer addresses are the carrier's --
OUTER = {4: ("172.16.0.1", "172.16.0.2"), 6: ("2001:db8:ffff::1", "2001:db8:ffff::2")}


def ip_in_ip(packet, outer=4, ident=7):
    return ip(*OUTER[outer], 4 if version(packet) == 4 else 41, packet, ident=ident)


def gre(packet, key=None, ident=7):
    head = struct.pack(">HH", 0x2000 if key is not None else 0, ETHERTYPE[version(packet)])
    return ipv4(*OUTER[4], 47, head + (b"" if key is None else struct.pack(">I", key)) + packet, ident=ident)


def vxlan(packet, vni=42, ident=7):
    body = struct.pack(">II", 0x08000000, vni << 8) + ethernet(packet)
    return ipv4(*OUTER[4], UDP, udp(*OUTER[4], 49152, 4789, body), ident=ident)


def geneve(packet, vni=43, options=b"", ident=7):
    body = struct.pack(">BBHI", len(options) // 4, 0, 0x6558, vni << 8) + options + ethernet(packet)
    return ipv4(*OUTER[4], UDP, udp(*OUTER[4], 49153, 6081, body), ident=ident)

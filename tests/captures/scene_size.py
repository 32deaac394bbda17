# SPDX-License-Identifier: MIT
"""Scenes of packets that are too large: black holes and their look-alikes, MSS, fragments, offload."""
import struct

import wire
from scenes import flow, scene
from scene_data import wire_text


def full_size(tcp, count):
    """Full segments on their way into the hole."""
    sent = []
    for _ in range(count):
        tcp.net.wait(0.05)
        sent.append(tcp.a.segment(wire.ACK, wire_text(tcp)))
        tcp.a.next += tcp.full
    return sent


def repeat_head(net, tcp, head, times, meanwhile=lambda time: None):
    begin = net.now
    for time in times:
        net.now = begin + round(time * 1e9)
        tcp.a.resend(head, lost=True)
        meanwhile(time)


@scene("full-size segments vanish five times, small ones of the same pair pass all the while",
       flows=[flow("established", retransmissions=(5, 0)), flow("established")], events={"timeout_retransmission": 5},
       findings={"mtu-blackhole-send": "critical", "mss-clamp-mismatch": "explained"})
def blackhole(net):
    tcp, small = net.tcp().open().exchange(), net.tcp().open().exchange()

    def meanwhile(time):
        if time > 1:
            small.exchange()
    repeat_head(net, tcp, full_size(tcp, 10)[0], (0.25, 0.75, 1.75, 3.75, 7.75), meanwhile)


@scene("the same with a router that says so: smaller segments follow, all is well", flows=[flow("closed", retransmissions=(4, 0))],
       events={"packet_too_big": 3, "retransmission": 4}, findings={"pmtu-shrunk": "info", "mss-clamp-mismatch": "explained"})
def too_big_obeyed(net):
    tcp = net.tcp().open().exchange()
    for number, segment in enumerate(full_size(tcp, 3)):
        net.too_big(segment.packet, 1400, after=2 if number == 0 else 0.05)
    first, size = tcp.a.next - 3 * tcp.full, tcp.full - 100
    data = wire_text(tcp) * 3
    for at in range(0, len(data), size):
        tcp.a.transmit(wire.ACK, data[at:at + size], False, seq=first + at, after=0.05)
    tcp.b.ack(after=10)
    tcp.close()


@scene("seen beside the receiver: the short end of an answer arrives, its full-size beginning never does",
       flows=[flow("closing", retransmissions=(0, 1), spurious_retransmissions=(0, 1), duplicate_acks=(2, 0))],
       events={"retransmission": 1, "spurious_retransmission": 1, "duplicate_ack": 2}, findings={"mtu-blackhole-recv": "warning"})
def blackhole_received(net):
    tcp = net.tcp().open()
    tcp.a.send(200, after=0.2)
    tcp.b.ack(after=10)
    for _ in range(3):
        tcp.b.send(tcp.full, lost=True, unseen=True)
    tail = tcp.b.send(656, after=1)
    tcp.a.ack(after=0.02)
    tcp.b.resend(tail, after=30)
    tcp.a.ack(after=0.02)
    tcp.a.fin(after=8000)
    tcp.b.ack(after=10)


@scene("the server's SYN-ACKs have no MSS option: 536 bytes by default", flows=[flow("closed")] * 4, findings={"mss-clamp-mismatch": "info"})
def mss_missing(net):
    for _ in range(4):
        net.tcp(server_mss=0).open().exchange().close()


@scene("one SYN-ACK without an MSS option: an old device", flows=[flow("closed")])
def mss_missing_once(net):
    net.tcp(server_mss=0).open().exchange().close()


@scene("an MSS of 400 is below what any path carries", flows=[flow("closed")], findings={"mss-clamp-mismatch": "warning"})
def mss_tiny(net):
    net.tcp(server_mss=400).open().exchange(200, 380).close()


@scene("a tunnel clamps both MSS to what it carries: that is how it should be", flows=[flow("closed")])
def mss_clamped(net):
    tcp = net.tcp(mss=1360).open()
    tcp.exchange(200, tcp.full).close()


def datagram_in_fragments(net, udp, ident, skip=(), overlap=0):
    """4000 bytes in three packets. Only the first names the ports, so only it belongs to the flow."""
    src, dst = net.client.address, net.server.address
    whole = wire.udp(src, dst, *udp.ports, bytes(range(250)) * 16)
    for number, at in enumerate(range(0, len(whole), 1480)):
        if number in skip:
            continue
        at -= overlap if number else 0
        part, more = whole[at:at + 1480 + (overlap if number else 0)], number < 2
        net.wait(0.02)
        if net.family == 4:
            packet = wire.ipv4(src, dst, wire.UDP, part, ident=ident, dont_fragment=False, more=more, offset=at)
        else:
            packet = wire.ipv6(src, dst, wire.UDP, part, extensions=[wire.fragment_header(ident, at, more)])
        net.put(packet, udp.flow if number == 0 else None)


@scene("large datagrams in fragments, all of them complete, all answered", flows=[flow("", "udp")])
def fragments_complete(net):
    udp = net.udp(45000, 2049)
    for number in range(20):
        datagram_in_fragments(net, udp, 100 + number)
        udp.answer(b"ok", after=5)


def lose_fragments(net, lost):
    """Forty datagrams; those named lack their last fragment. The capture goes on until nobody waits for it any more."""
    udp = net.udp(45000, 2049)
    for number in range(40):
        datagram_in_fragments(net, udp, 100 + number, skip=(2,) if number in lost else ())
        if number not in lost:
            udp.answer(b"ok", after=5)
    net.wait(70_000)
    udp.ask(b"still there?")
    udp.answer(b"yes")


@scene("four datagrams of forty lack their last fragment", flows=[flow("", "udp")], events={"fragments_lost": 4},
       findings={"ip-fragmentation": "warning"})
def fragments_lost(net):
    lose_fragments(net, (7, 12, 20, 33))


@scene("one datagram of forty lacks its last fragment: an accident", flows=[flow("", "udp")], events={"fragments_lost": 1})
def fragments_lost_once(net):
    lose_fragments(net, (7,))


@scene("fragments that overlap (RFC 5722): seen, and no crash", flows=[flow("", "udp")])
def fragments_overlap(net):
    udp = net.udp(45000, 2049)
    datagram_in_fragments(net, udp, 100, overlap=8)
    udp.answer(b"ok", after=5)


@scene("segments of 14 kB: offload joined them before the capture; nothing on the wire is that large", flows=[flow("closed")],
       findings={"capture-quality": "info"})
def super_segments(net):
    tcp = net.tcp().open().exchange()
    for _ in range(4):
        tcp.b.send(10 * tcp.full, after=10)
        tcp.a.ack(after=0.1)
    tcp.close()


@scene("a black hole behind offload: the joined segment is 10 times the MSS, its repetitions are single",
       flows=[flow("established", retransmissions=(5, 0)), flow("established")], events={"timeout_retransmission": 5},
       findings={"mtu-blackhole-send": "critical", "mss-clamp-mismatch": "explained", "capture-quality": "info"})
def blackhole_offload(net):
    tcp, small = net.tcp().open().exchange(), net.tcp().open().exchange()
    tcp.net.wait(0.05)
    joined = tcp.a.segment(wire.ACK, wire_text(tcp) * 10)
    tcp.a.next += 10 * tcp.full
    head = joined._replace(payload=joined.payload[:tcp.full])

    def meanwhile(time):
        if time > 1:
            small.exchange()
    repeat_head(net, tcp, head, (0.25, 0.75, 1.75, 3.75, 7.75), meanwhile)


@scene("a length field of 0 in IPv4: the card was to fill it in", families=(4,), flows=[flow("established")])
def length_zero(net):
    tcp = net.tcp().open()
    sent = tcp.a.segment(wire.ACK | wire.PSH, wire_text(tcp), unseen=True, after=1)
    packet = sent.packet[:2] + b"\0\0" + sent.packet[4:10] + b"\0\0" + sent.packet[12:]
    packet = packet[:10] + struct.pack(">H", wire.checksum(packet[:20])) + packet[12:]
    net.put(packet, tcp.flow, 0)
    tcp.a.next += tcp.full
    tcp.b.deliver(sent.seq, tcp.full, sent.tsval)
    tcp.b.ack(after=10)

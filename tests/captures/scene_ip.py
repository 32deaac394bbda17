# SPDX-License-Identifier: MIT
"""Scenes of ICMP errors, loops and datagrams."""
import struct

import talk
import wire
from scenes import flow, scene


@scene("a router drops a connection's packets for their TTL", flows=[flow("established", retransmissions=(3, 0))],
       events={"time_exceeded": 4, "timeout_retransmission": 3}, findings={"ttl-exceeded": "warning"})
def time_exceeded(net):
    tcp = net.tcp().open().exchange()
    lost = tcp.a.send(100, after=50, lost=True)
    net.icmp_error("expired", lost.packet, after=5)
    for wait in (210, 420, 840):
        net.icmp_error("expired", tcp.a.resend(lost, lost=True, after=wait).packet, after=5)


@scene("seen between two routers that send a packet to each other until its TTL is gone", flows=[flow("syn-sent")],
       events={"duplicate_frame": 1, "routing_loop": 1, "time_exceeded": 1}, findings={"ttl-exceeded": "critical"})
def routing_loop(net):
    # the second sight might be that of another interface; from the third on it is a loop
    tcp = net.tcp()
    packet = tcp.a.syn(lost=True).packet
    for passes in range(1, 15):
        net.wait(0.2)
        net.put(wire.with_hop_limit(packet, -2 * passes))
    net.icmp_error("expired", packet, after=0.2)


@scene("a traceroute: probes of UDP with rising TTL draw time exceeded and at last port unreachable", flows=[flow("", "udp")] * 5,
       events={"time_exceeded": 4, "unreachable": 1})
def traceroute(net):
    for hop in range(1, 6):
        udp = net.udp(50123, 33433 + hop)
        probe = udp.ask(bytes(32), after=50, ttl=hop)
        if hop < 5:
            net.icmp_error("expired", probe, after=hop * 2)
        else:
            net.icmp_error("port", probe, after=10, reporter=net.server.address)


def dns(ident, answer=False):
    return struct.pack(">HHHHHH", ident, 0x8180 if answer else 0x0100, 1, int(answer), 0, 0) + b"\3www\7example\3org\0" + struct.pack(">HH", 1, 1) + (
        b"\xc0\x0c" + struct.pack(">HHIH4s", 1, 1, 60, 4, bytes([192, 0, 2, 1])) if answer else b"")


@scene("three lookups, each repeated after 5 s, none answered; the path to others is well", flows=[flow("", "udp")] * 3 + [flow("closed")],
       findings={"udp-unreachable": "warning"})
def dns_unanswered(net):
    for number in range(3):
        udp = net.udp(40001 + number, 53)
        for _ in range(2):
            udp.ask(dns(number), after=5000)
    net.wait(5000)
    net.tcp(server=net.other).open().exchange().close()


@scene("three lookups, each answered", flows=[flow("", "udp")] * 3)
def dns_answered(net):
    for number in range(3):
        udp = net.udp(40001 + number, 53)
        udp.ask(dns(number), after=1000)
        udp.answer(dns(number, True))


@scene("one lookup unanswered, its repetition answered", flows=[flow("", "udp")])
def dns_retry_answered(net):
    udp = net.udp(40001, 53)
    udp.ask(dns(1))
    udp.ask(dns(1), after=5000)
    udp.answer(dns(1, True))


@scene("datagrams to a port where nobody listens: port unreachable from the host itself", flows=[flow("", "udp")], events={"unreachable": 12},
       findings={"udp-unreachable": "warning"})
def udp_port_unreachable(net):
    udp = net.udp(40001, 8125)
    for number in range(12):
        net.icmp_error("port", udp.ask(b"metric:%d|c" % number, after=3000), after=5, reporter=net.server.address)


@scene("announcements to a multicast group: no answer is owed", flows=[flow("", "udp")])
def multicast(net):
    net.server.address = "239.255.255.250" if net.family == 4 else "ff02::c"
    udp = net.udp(50000, 1900)
    for _ in range(4):
        udp.ask(b"M-SEARCH * HTTP/1.1\r\n\r\n", after=1000)


def echo(net, kind, sequence, after):
    net.wait(after)
    src, dst = (net.client, net.server) if kind == "request" else (net.server, net.client)
    number = {4: {"request": 8, "reply": 0}, 6: {"request": 128, "reply": 129}}[net.family][kind]
    body = wire.icmp(src.address, dst.address, number, 0, 0x1234 << 16 | sequence, bytes(56))
    net.put(wire.ip(src.address, dst.address, wire.protocol_of_icmp(src.address), body, src.ttl, src.next_ident()), net.ping, kind == "reply")


@scene("three echoes and their replies", flows={4: [flow("", "icmp")], 6: [flow("", "icmp6")]})
def ping(net):

    net.ping = talk.Flow("icmp" if net.family == 4 else "icmp6", (net.client.address, 0x1234), (net.server.address, 0x1234))
    for sequence in range(1, 4):
        echo(net, "request", sequence, 1000)
        echo(net, "reply", sequence, 10)

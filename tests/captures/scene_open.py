# SPDX-License-Identifier: MIT
"""Scenes of connections that open, or do not."""
import wire
from scenes import flow, scene


def connect(net, service=80, **how):
    return net.tcp(service=service, **how)


def syns(tcp, times):
    """SYNs at times in s."""
    for time in times:
        tcp.net.at(time * 1000)
        tcp.a.syn(lost=True)


@scene("handshake, a request, an answer, both FINs: nothing to say",
       flows=[flow("closed", handshake_rtt_us=10050)])
def healthy(net):
    tcp = net.tcp().open()
    tcp.a.send(200, after=0.2)
    tcp.b.ack(after=10)
    for _ in range(3):
        tcp.b.send(tcp.full, after=0.1)
    tcp.a.ack(after=0.05)
    tcp.close()


@scene("no answer to four SYNs in 7 s", flows=[flow("syn-sent", retransmissions=(3, 0))], events={"syn_retry": 3},
       findings={"syn-sent-stall": "warning"})
def syn_silent(net):
    syns(net.tcp(), (0, 1, 3, 7))


@scene("no answer to five SYNs in 15.5 s, which is a critical age", flows=[flow("syn-sent", retransmissions=(4, 0))], events={"syn_retry": 4},
       findings={"syn-sent-stall": "critical"})
def syn_silent_long(net):
    syns(net.tcp(), (0, 1, 3.1, 7.3, 15.5))


@scene("one SYN is lost, the second is answered: one lost packet is no fault", flows=[flow("closed", retransmissions=(1, 0))],
       events={"syn_retry": 1})
def syn_retry_once(net):
    tcp = net.tcp()
    tcp.a.syn(lost=True)
    net.wait(1000)
    tcp.open().exchange().close()


def refused(net, count, **rst):
    """A connection to another port of the same host that works, then refusals 2 s apart."""
    net.tcp(service=443).open().exchange().close()
    for _ in range(count):
        net.wait(2000)
        tcp = net.tcp()
        tcp.a.syn()
        tcp.b.rst(after=10, seq=0, window=0, timestamps=False, **rst)


@scene("nothing listens: the host itself answers six SYNs with RST", flows=[flow("closed")] + [flow("refused", resets=(0, 1))] * 6,
       events={"refused": 6}, findings={"connect-refused": "warning"})
def refused_by_host(net):
    refused(net, 6, dont_fragment=True)


@scene("six SYNs are reset with a TTL that the host's packets do not have: a box in between",
       flows=[flow("closed")] + [flow("refused", resets=(0, 1))] * 6, events={"refused": 6}, findings={"connect-refused": "warning"})
def refused_by_box(net):
    refused(net, 6, ttl=62, ident=0, dont_fragment=False)


@scene("one refusal: a service restarts", flows=[flow("closed"), flow("refused", resets=(0, 1))], events={"refused": 1},
       findings={"connect-refused": "info"})
def refused_once(net):
    refused(net, 1)


def unreachable(net, kind, count=6):
    for _ in range(count):
        tcp = net.tcp()
        net.icmp_error(kind, tcp.a.syn(lost=True).packet, after=5)
        net.wait(2000)
    net.tcp(service=443, server=net.other).open().close()


UNREACHABLE = {"flows": [flow("refused")] * 6 + [flow("closed")], "events": {"unreachable": 6}}


@scene("a firewall says so: administratively prohibited", **UNREACHABLE, findings={"connect-refused": "explained", "icmp-unreachable": "warning"})
def icmp_prohibited(net):
    unreachable(net, "prohibited")


@scene("a router says that the host is unreachable", **UNREACHABLE, findings={"connect-refused": "explained", "icmp-unreachable": "warning"})
def icmp_host_unreachable(net):
    unreachable(net, "host")


@scene("a firewall rejects with port unreachable", **UNREACHABLE, findings={"connect-refused": "warning"})
def icmp_port_unreachable(net):
    unreachable(net, "port")


def half_open(net, count):
    """Seen beside the server: it answers, the answer does not come through; SYN-ACK and SYN are repeated."""
    begin = net.now
    handshakes = [net.tcp() for _ in range(count)]
    for tcp in handshakes:
        tcp.a.syn(after=1)
        tcp.b.syn(after=0.05, lost=True)
    for time in (1000, 3000, 7000):
        for number, tcp in enumerate(handshakes):
            net.now = begin + round((time + number * 2) * 1e6)
            tcp.b.syn(lost=True)


@scene("six clients never finish the handshake: the SYN-ACKs are repeated", flows=[flow("syn-received", retransmissions=(0, 3))] * 6,
       events={"syn_ack_retry": 18}, findings={"syn-recv-stall": "warning"})
def syn_ack_silent(net):
    half_open(net, 6)


@scene("one client never finishes: it has gone", flows=[flow("syn-received", retransmissions=(0, 3)), flow("closed")], events={"syn_ack_retry": 3},
       findings={"syn-recv-stall": "info"})
def syn_ack_silent_once(net):
    half_open(net, 1)
    net.tcp().open().exchange().close()


def challenged(net, count):
    for _ in range(count):
        tcp = net.tcp()
        tcp.a.syn(lost=True)
        tcp.b.segment(wire.ACK, seq=5_000_000, ack=4_000_000, after=10)
        tcp.a.segment(wire.RST, seq=4_000_000, window=0, after=0.05, timestamps=False)
        net.wait(1000)
        tcp.open().exchange().close()
        net.wait(3000)


@scene("all SYNs, six of them, meet an old connection: challenge ACK, RST, and the second SYN is answered",
       flows=[flow("closed", retransmissions=(1, 0), resets=(1, 0))] * 6, events={"challenge_ack": 6, "reset": 6, "syn_retry": 6},
       findings={"stale-tuple-challenge": "warning"})
def challenge_ack(net):
    challenged(net, 6)


@scene("one SYN meets an old connection: a client has rebooted", flows=[flow("closed", retransmissions=(1, 0), resets=(1, 0))],
       events={"challenge_ack": 1, "reset": 1, "syn_retry": 1}, findings={"stale-tuple-challenge": "info"})
def challenge_ack_once(net):
    challenged(net, 1)


@scene("the client side is done, the server is not: its accept queue is full. It repeats the SYN-ACK and acknowledges no data",
       flows=[flow("established", retransmissions=(3, 2))] * 6,
       events={"syn_ack_retry": 12, "timeout_retransmission": 18}, findings={"accept-queue-overflow": "warning"})
def accept_queue_full(net):
    """Beside the server, so that its silence is not the network's: the client's ACK comes, is dropped by the full queue, and comes again."""
    for _ in range(6):
        begin = net.now
        tcp = net.tcp().open()
        request = tcp.a.send(100, lost=True, after=0.2)
        acknowledged = tcp.b.next
        for time, what in ((210, "data"), (630, "data"), (1011, "syn-ack"), (1480, "data"), (3020, "syn-ack")):
            net.now = begin + time * 1_000_000
            if what == "data":
                tcp.a.resend(request, lost=True)
            else:
                tcp.b.syn(lost=True)
                tcp.a.segment(wire.ACK, after=10)
        assert tcp.b.next == acknowledged
        net.now = begin + 5_000_000_000


@scene("the ports are used again after a clean close: a new flow, not a retransmission", flows=[flow("closed"), flow("closed")],
       events={"port_reuse": 1})
def port_reuse(net):
    net.tcp(port=41000).open().exchange().close()
    net.wait(70_000)
    net.tcp(port=41000, isn=(3_000_000_000, 2_000_000_000)).open().exchange().close()


@scene("both sides send a SYN at once (RFC 9293 §3.5)", flows=[flow("closed")])
def simultaneous_open(net):
    tcp = net.tcp(port=50000, service=50001)
    a, b = tcp.sides
    a.segment(wire.SYN, seq=a.isn)
    b.segment(wire.SYN, seq=b.isn, after=5)
    a.received, b.received, a.next, b.next = b.isn + 1, a.isn + 1, a.isn + 1, b.isn + 1
    a.segment(wire.SYN | wire.ACK, seq=a.isn, after=0.05)
    b.segment(wire.SYN | wire.ACK, seq=b.isn, after=5)
    a.ack(after=0.05)
    tcp.exchange().close()


@scene("data in the SYN with a fast-open cookie", flows=[flow("closed")])
def fast_open(net):
    tcp = net.tcp(timestamps=False)
    cookie = bytes([34, 10]) + bytes(range(8))
    tcp.a.segment(wire.SYN, b"GET / HTTP/1.0\r\n\r\n", seq=tcp.a.isn, options=wire.option_mss(1460) + b"\1\1" + cookie)
    tcp.a.next = tcp.a.isn + 19
    tcp.b.received = tcp.a.next
    tcp.b.sack = tcp.a.sack = False
    tcp.b.wscale = tcp.a.wscale = None
    tcp.b.syn(after=10)
    tcp.b.send(100, after=0.5)
    tcp.a.ack(after=0.05)
    tcp.close()

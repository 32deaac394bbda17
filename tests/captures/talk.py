# SPDX-License-Identifier: MIT
"""A small language for scenes: hosts talk, time passes, and a capture point writes down what goes by.

    tcp = net.tcp()                    # client and server, ports, sequence numbers
    tcp.open()                         # three segments, the round trip in between
    lost = tcp.a.send(1448, lost=True) # seen here, never arrives
    tcp.b.ack(after=10)                # 10 ms later: acknowledges what did arrive, SACK blocks by itself
    tcp.a.resend(lost, after=200)

`after` is in milliseconds. The capture point stands beside the client unless a scene says otherwise. A flow's packets and bytes are counted as
they are put on the wire; everything else that a scene expects is written down by hand (scenes.py).
"""
import collections
import functools

import files
import wire
from wire import ACK, FIN, PSH, RST, SYN

MS = 1_000_000  # ns

Frame = collections.namedtuple("Frame", "time packet wire interface")
Segment = collections.namedtuple("Segment", "seq payload flags tsval packet")
ICMP_KINDS = {  # what happened: type and code in either version
    "prohibited": ((3, 13), (1, 1)), "host": ((3, 1), (1, 3)), "port": ((3, 3), (1, 4)), "too-big": ((3, 4), (2, 0)), "expired": ((11, 0), (3, 0)),
    "reassembly": ((11, 1), (3, 1)),
}
ADDRESSES = {4: {"client": "192.168.7.5", "server": "10.0.3.4", "router": "192.168.7.1", "other": "10.0.3.5"},
             6: {"client": "fd00:7::5", "server": "fd00:3::4", "router": "fd00:7::1", "other": "fd00:3::5"}}


class Flow:
    """What the capture point saw of one flow: the ledger that expectations of packets and bytes come from."""

    def __init__(self, protocol, a, b):
        self.protocol, self.ends = protocol, (a, b)  # (address, port)
        self.packets, self.bytes = [0, 0], [0, 0]


class Host:
    """An address with what makes its packets recognisable: the TTL that is left here, a counter of IP ids, a timestamp clock."""

    def __init__(self, address, ttl, ident, ticks):
        self.address, self.ttl, self.ident, self.ticks = address, ttl, ident, ticks

    def next_ident(self):
        self.ident = (self.ident + 1) & 0xFFFF
        return self.ident


class Net:
    def __init__(self, family):
        self.family, self.now, self.frames, self.flows = family, 0, [], []
        names = ADDRESSES[family]
        self.client = Host(names["client"], 64, 0x1000, 1_000_000)
        self.server = Host(names["server"], 57, 0x8000, 77_000_000)
        self.other = Host(names["other"], 57, 0xA000, 99_000_000)
        self.router = names["router"]
        self.link, self.wrap, self.extension = wire.ETHERNET, lambda packet, frame: wire.ethernet(packet), "pcap"
        self.snaplen, self.file = 262144, None
        self.copies = []  # (delay in ns, what it does to a packet, interface): further sights of each packet
        self.carry = lambda packet: packet  # a tunnel around every packet
        self.next_port = 40000

    def wait(self, ms):
        self.now += round(ms * MS)

    def at(self, ms):
        """Moves the clock to a time since the start."""
        self.now = round(ms * MS)

    def put(self, packet, flow=None, side=0, interface=0):
        """One packet on the wire; flow and side say in whose account."""
        if flow:
            if flow not in self.flows:
                self.flows.append(flow)
            flow.packets[side] += 1
            flow.bytes[side] += len(packet)
        self.frames.append(Frame(self.now, self.carry(packet), None, interface))
        for delay, change, copy_interface in self.copies:
            self.frames.append(Frame(self.now + delay, self.carry(change(packet)), None, copy_interface))

    def tcp(self, **how):
        return Tcp(self, **how)

    def udp(self, port, service, server=None):
        return Udp(self, port, service, server or self.server)

    def port(self):
        self.next_port += 1
        return self.next_port

    def icmp_error(self, kind, quoted, after=0, reporter=None, rest=0, keep=64, to=None):
        """An ICMP error about a packet, from the router on the way unless a reporter is named."""
        self.wait(after)
        reporter = reporter or self.router
        code = ICMP_KINDS[kind][self.family == 6]
        target = to or self.client.address
        body = wire.icmp(reporter, target, *code, rest, quoted[:keep])
        self.put(wire.ip(reporter, target, wire.protocol_of_icmp(target), body, ttl=62, dont_fragment=False))

    def too_big(self, quoted, mtu, after=0, **more):
        self.icmp_error("too-big", quoted, after, rest=mtu, **more)

    def frame_bytes(self):
        """(time, bytes with the link header, length on the wire) of every frame, cut at the snaplen."""
        for frame in self.frames:
            data = self.wrap(frame.packet, frame)
            yield frame.time, data[:self.snaplen], len(data) if frame.wire is None else frame.wire

    def bytes(self):
        if self.file:
            return self.file(self)
        return files.pcap(self.frame_bytes(), self.link, snaplen=self.snaplen)


@functools.lru_cache(None)
def text(key, length):
    """Payload that differs between flows and sides, the same in every run."""
    line = f"{key} ".encode()
    return (line * (length // len(line) + 1))[:length]


class Side:
    """One end of a TCP connection: what it has sent, what reached it, and what it tells the other about that."""

    def __init__(self, tcp, index, host, port, isn, options):
        self.tcp, self.index, self.host, self.port, self.isn = tcp, index, host, port, isn
        self.next, self.received, self.beyond, self.recent = isn, None, [], 0
        self.window, self.dsack = 64240, None
        self.mss, self.wscale, self.sack, self.timestamps = options

    @property
    def other(self):
        return self.tcp.sides[1 - self.index]

    def segment(self, flags, payload=b"", after=0, seq=None, ack=None, window=None, ttl=None, ident=None, options=None, timestamps=None,
                sack=None, dont_fragment=True, unseen=False, age=0):
        """Any segment at all; what is not said follows from the state of the connection. age: ms that it was under way when it passes here."""
        net = self.tcp.net
        net.wait(after)
        seq = self.next if seq is None else seq
        ack = (self.received or 0) if ack is None else ack
        tsval = self.host.ticks + net.now // MS - age
        if options is None:
            options = self.options(flags, tsval, timestamps, sack)
        window = self.window if window is None else window
        field = min(window >> (0 if flags & SYN or not self.scaled else self.wscale), 0xFFFF)
        body = wire.tcp(self.host.address, self.other.host.address, self.port, self.other.port, seq, ack if flags & ACK else 0, flags, field, options,
                        payload)
        ident = self.host.next_ident() if ident is None else ident
        packet = wire.ip(self.host.address, self.other.host.address, wire.TCP, body, self.host.ttl if ttl is None else ttl, ident, dont_fragment)
        if not unseen:
            net.put(packet, self.tcp.flow, self.index)
        return Segment(seq, payload, flags, tsval, packet)

    @property
    def scaled(self):
        return self.wscale is not None and self.other.wscale is not None

    def options(self, flags, tsval, timestamps, sack):
        stamped = (self.timestamps and (flags & SYN and not flags & ACK or self.other.timestamps)) if timestamps is None else timestamps
        made = b""
        if flags & SYN:
            made += wire.option_mss(self.mss) if self.mss else b""
            made += wire.option_sack_permitted() if self.sack else b""
            made += wire.option_wscale(self.wscale) if self.wscale is not None else b""
        made += wire.option_timestamps(tsval, self.recent) if stamped else b""
        blocks = self.blocks() if sack is None else sack
        return made + (wire.option_sack(blocks[:3]) if blocks and not flags & (SYN | RST) else b"")

    def blocks(self):
        """SACK blocks as the receiver would send them: a DSACK first (RFC 2883), then what lies beyond the hole, newest first."""
        if not (self.sack and self.other.sack):
            return []
        first, self.dsack = ([self.dsack] if self.dsack else []), None
        return first + list(reversed(self.beyond))

    def deliver(self, seq, length, tsval):
        """Bytes reach this side: the left edge moves, or a block beyond the hole grows."""
        end = seq + length
        if self.received is None:
            self.received = seq
        if seq <= self.received:
            self.recent = tsval
        if end <= self.received or any(left <= seq and end <= right for left, right in self.beyond):
            self.dsack = (seq, end) if length else None
            return
        touching = [block for block in self.beyond if block[0] <= end and seq <= block[1]]
        self.beyond = [block for block in self.beyond if block not in touching]
        merged = (min([seq] + [left for left, _ in touching]), max([end] + [right for _, right in touching]))
        if merged[0] <= self.received:
            self.received = merged[1]
        else:
            self.beyond.append(merged)

    def transmit(self, flags, payload, lost, **how):
        sent = self.segment(flags, payload, **how)
        if not lost:
            self.other.deliver(sent.seq, len(payload) + bool(flags & SYN) + bool(flags & FIN), sent.tsval)
        return sent

    def syn(self, lost=False, **how):
        """The first or a repeated SYN (SYN-ACK when a SYN has reached this side)."""
        flags = SYN | ACK if self.received is not None else SYN
        if flags & ACK:
            how.setdefault("ident", 0)  # as Linux sends it
        self.next = self.isn + 1
        return self.transmit(flags, b"", lost, seq=self.isn, **how)

    def send(self, what, lost=False, flags=PSH | ACK, **how):
        """New data: a number of bytes or the bytes. lost: it passes here and never arrives; unseen: it arrives and never passes here."""
        payload = what if isinstance(what, bytes) else text(f"{self.port}-{self.next - self.isn}", what)
        sent = self.transmit(flags, payload, lost, **how)
        self.next = max(self.next, sent.seq + len(payload))
        return sent

    def resend(self, segment, lost=False, **how):
        return self.transmit(segment.flags, segment.payload, lost, seq=segment.seq, **how)

    def ack(self, **how):
        return self.segment(ACK, **how)

    def keepalive(self, **how):
        return self.segment(ACK, seq=self.next - 1, **how)

    def fin(self, lost=False, **how):
        sent = self.transmit(FIN | ACK, b"", lost, **how)
        self.next = sent.seq + 1
        return sent

    def rst(self, flags=RST | ACK, **how):
        return self.segment(flags, **how)


class Tcp:
    """A connection: side a opens it, side b is the service."""

    def __init__(self, net, port=None, service=80, server=None, rtt=10, mss=None, server_mss=None, wscale=7, sack=True, timestamps=True,
                 isn=(1_000_000, 900_000_000), client=None):
        self.net, self.rtt = net, rtt
        server, client, port = server or net.server, client or net.client, port or net.port()
        default = 1460 if net.family == 4 else 1440
        mss = default if mss is None else mss
        self.flow = Flow("tcp", (client.address, port), (server.address, service))
        self.sides = (Side(self, 0, client, port, isn[0] + port, (mss, wscale, sack, timestamps)),
                      Side(self, 1, server, service, isn[1] + port, (mss if server_mss is None else server_mss, wscale, sack, timestamps)))
        self.a, self.b = self.sides
        self.full = min(mss, server_mss or mss) - (12 if timestamps else 0)  # payload of a full segment

    def open(self):
        self.a.syn()
        self.b.syn(after=self.rtt)
        self.a.ack(after=0.05)
        return self

    def joined(self):
        """A connection that was there before the capture began."""
        self.a.next, self.b.next = self.a.isn + 1, self.b.isn + 1
        self.a.received, self.b.received = self.b.next, self.a.next
        self.a.recent, self.b.recent = self.b.host.ticks, self.a.host.ticks
        return self

    def exchange(self, request=200, answer=600):
        """One request and its answer, both acknowledged."""
        self.a.send(request, after=0.2)
        self.b.send(answer, after=self.rtt)
        self.a.ack(after=0.05)
        return self

    def close(self, first=0, after=1):
        """Both FINs, the round trip in between."""
        one, two = self.sides[first], self.sides[1 - first]
        one.fin(after=after)
        two.fin(after=self.rtt)
        one.ack(after=0.05)
        return self


class Udp:
    def __init__(self, net, port, service, server):
        self.net, self.hosts, self.ports = net, (net.client, server), (port, service)
        self.flow = Flow("udp", (net.client.address, port), (server.address, service))

    def datagram(self, side, payload, after=0, **how):
        self.net.wait(after)
        src, dst = self.hosts[side], self.hosts[1 - side]
        body = wire.udp(src.address, dst.address, self.ports[side], self.ports[1 - side], payload)
        packet = wire.ip(src.address, dst.address, wire.UDP, body, how.pop("ttl", src.ttl), src.next_ident(), how.pop("dont_fragment", False))
        assert not how
        self.net.put(packet, self.flow, side)
        return packet

    def ask(self, payload, after=0, **how):
        return self.datagram(0, payload, after, **how)

    def answer(self, payload, after=10, **how):
        return self.datagram(1, payload, after, **how)

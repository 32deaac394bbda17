# SPDX-License-Identifier: MIT
"""Scenes of captures that lack something: one direction, the beginning, bytes, time; and of hostile or damaged packets."""
import files
import talk
import wire
from scenes import flow, scene


def only(net, address):
    net.frames = [frame for frame in net.frames if wire.packed(address) in frame.packet[:24 if net.family == 6 else 16]]


@scene("the capture sees the clients' packets only: six connections that seem to talk to nobody", flows=[flow("established")] * 6,
       findings={"capture-quality": "warning"})
def one_way(net):
    flows = []
    for _ in range(6):
        tcp = net.tcp().open().exchange()
        tcp.exchange()
        flows.append(tcp.flow)
    only(net, net.client.address)
    for one in flows:
        one.packets[1] = one.bytes[1] = 0


@scene("the capture begins in the middle of twelve connections", flows=[flow("midstream")] * 12, findings={"capture-quality": "info"})
def midstream(net):
    for _ in range(12):
        net.tcp().joined().exchange().exchange()


@scene("the capture begins in the middle of three connections: it has to begin somewhere", flows=[flow("midstream")] * 3)
def midstream_few(net):
    for _ in range(3):
        net.tcp().joined().exchange().exchange()


@scene("the clock is set back by 2 s in the middle of a transfer", flows=[flow("closed")], events={"clock_back": 1},
       findings={"capture-quality": "info"})
def clock_back(net):
    net.wait(10_000)
    tcp = net.tcp(timestamps=False).open().exchange()
    net.wait(-2000)
    tcp.exchange().close()


@scene("a snaplen that cuts the TCP options", flows=[flow("closed")], findings={"capture-quality": "info"}, truncated=9)
def snaplen_options(net):
    net.snaplen = {4: 14 + 20 + 24, 6: 14 + 40 + 24}[net.family]
    net.tcp().open().exchange().close()


@scene("a snaplen that cuts payload only: all that is judged is there", flows=[flow("closed")])
def snaplen_payload(net):
    net.snaplen = 14 + {4: 20, 6: 40}[net.family] + 60
    net.tcp().open().exchange(400, 1400).close()


@scene("padding to the shortest frame of Ethernet is no payload", flows=[flow("closed")])
def padding(net):
    net.wrap = lambda packet, frame: wire.ethernet(packet) + bytes(max(0, 60 - 14 - len(packet)))
    net.tcp(timestamps=False, sack=False).open().exchange(1, 1).close()


@scene("the receiver's checksum is wrong in one segment, which comes again", flows=[flow("closed", retransmissions=(0, 1))],
       events={"bad_checksum": 1, "timeout_retransmission": 1})
def bad_checksum(net):
    tcp = net.tcp().open().exchange()
    sent = tcp.b.send(300, after=20, lost=True, unseen=True)
    net.put(sent.packet[:-1] + bytes([sent.packet[-1] ^ 0x55]), tcp.flow, 1)
    tcp.b.resend(sent, after=230)
    tcp.a.ack(after=0.05)
    tcp.close()


@scene("packets that contradict themselves, between good ones: each is counted, none is believed", flows=[flow("closed")], malformed=4)
def malformed(net):
    tcp = net.tcp().open()
    good = tcp.a.send(40, after=1).packet
    header = 20 if net.family == 4 else 40
    data_offset = good[:header + 12] + b"\x10" + good[header + 13:]
    beyond = good[:header + 12] + b"\xf0" + good[header + 13:header + 40]
    for packet in (data_offset, with_length(net, beyond), with_length(net, good[:header + 10]), good[:1] + good[1:12]):
        net.wait(0.1)
        net.put(packet)
    tcp.exchange().close()


def with_length(net, packet):
    """The same bytes with the length field that fits them, so that the contradiction lies in the layer above."""
    if net.family == 4:
        head = packet[:2] + len(packet).to_bytes(2, "big") + packet[4:10] + b"\0\0" + packet[12:20]
        return head[:10] + wire.checksum(head).to_bytes(2, "big") + head[12:] + packet[20:]
    return packet[:4] + (len(packet) - 40).to_bytes(2, "big") + packet[6:]


@scene("what is not read is said to be unsupported, not malformed: ARP, SCTP, ESP, LLDP; what has addresses is still a flow",
       flows=[flow("closed"), flow("", "132"), flow("", "50")], unsupported=4)
def unsupported(net):
    net.tcp().open().exchange().close()
    src, dst = net.client.address, net.server.address
    others = [(0x0806, bytes.fromhex("0001080006040001") + wire.MAC_A + bytes([192, 168, 7, 5]) + bytes(6) + bytes([192, 168, 7, 1])),
              (None, wire.ip(src, dst, 132, bytes(32))), (None, wire.ip(src, dst, 50, bytes(64))), (0x88CC, bytes(46))]
    for (ethertype, body), protocol in zip(others, (None, "132", "50", None)):
        net.wait(1)
        net.put(body, talk.Flow(protocol, (src, 0), (dst, 0)) if protocol else None)
    kinds = {body: ethertype for ethertype, body in others}
    net.wrap = lambda packet, frame: wire.ethernet(packet, kinds.get(packet))


@scene("pcapng statistics: 2 of 1000 packets were dropped by the kernel", flows=[flow("closed")], findings={"capture-quality": "warning"},
       received=1000, dropped_kernel=2)
def drops(net):
    net.extension = "pcapng"
    net.tcp().open().exchange().close()

    def write(this):
        made = files.Pcapng().section().interface(wire.ETHERNET)
        for time, data, length in this.frame_bytes():
            made.packet(time, data, length)
        return made.statistics(this.now, 1000, 0, 2).data
    net.file = write

# SPDX-License-Identifier: MIT
"""Scenes of data on its way: loss, reordering, copies, windows, small writes."""
import wire
from scenes import flow, scene


@scene("three timeouts with backoff, then it goes on", flows=[flow("closed", retransmissions=(3, 0))], events={"timeout_retransmission": 3})
def rto_backoff(net):
    tcp = net.tcp().open().exchange()
    lost = tcp.a.send(300, lost=True, after=50)
    for wait in (210, 420):
        tcp.a.resend(lost, lost=True, after=wait)
    tcp.a.resend(lost, after=840)
    tcp.b.ack(after=10)
    tcp.close()




@scene("seen beside the sender: three and more duplicate ACKs with SACK, fast retransmission",
       flows=[flow("closed", retransmissions=(1, 0), duplicate_acks=(0, 4))], events={"fast_retransmission": 1, "duplicate_ack": 4})
def fast_retransmit(net):
    fast(net.tcp())


@scene("the same without SACK and timestamps", flows=[flow("closed", retransmissions=(1, 0), duplicate_acks=(0, 4))],
       events={"fast_retransmission": 1, "duplicate_ack": 4})
def fast_retransmit_plain(net):
    fast(net.tcp(sack=False, timestamps=False))


def fast(tcp):
    tcp.open().exchange()
    # the acknowledgements are written down one by one: they leave the receiver while the segments are still coming in
    tcp.a.send(tcp.full, after=20)
    segments = []
    tcp.net.wait(0.1)
    lost = tcp.a.send(tcp.full, lost=True)
    for _ in range(4):
        tcp.net.wait(0.1)
        segments.append(tcp.a.segment(wire.ACK, wire_text(tcp)))
        tcp.a.next += tcp.full
    tcp.b.ack(after=10)
    for segment in segments:
        tcp.b.deliver(segment.seq, len(segment.payload), segment.tsval)
        tcp.b.ack(after=0.1)
    tcp.a.resend(lost, after=0.05)
    tcp.b.ack(after=10)
    tcp.close()


def wire_text(tcp):
    return b"0123456789abcdef" * (tcp.full // 16) + b"." * (tcp.full % 16)


@scene("seen beside the receiver: the lost segment never passes, its repetition fills the hole a round trip later",
       flows=[flow("closed", retransmissions=(0, 1), duplicate_acks=(4, 0))], events={"fast_retransmission": 1, "duplicate_ack": 4})
def fast_retransmit_received(net):
    tcp = net.tcp().open().exchange()
    tcp.b.send(tcp.full, after=20)
    tcp.a.ack(after=0.02)
    lost = tcp.b.send(tcp.full, after=0.1, lost=True, unseen=True)
    for _ in range(4):
        tcp.b.send(tcp.full, after=0.1)
        tcp.a.ack(after=0.02)
    tcp.b.resend(lost, after=10)
    tcp.a.ack(after=0.02)
    tcp.close()


@scene("the last segment is sent again before a timeout (RFC 8985 §7): neither fast nor timed out",
       flows=[flow("closed", retransmissions=(1, 0))], events={"retransmission": 1})
def tail_loss_probe(net):
    tcp = net.tcp().open().exchange()
    tcp.a.send(tcp.full, after=10)
    lost = tcp.a.send(500, after=0.1, lost=True)
    tcp.b.ack(after=10)
    tcp.a.resend(lost, after=20)
    tcp.b.ack(after=10)
    tcp.close()


@scene("the acknowledgement was lost: the repetition draws a DSACK, so it was not needed",
       flows=[flow("closed", retransmissions=(1, 0), spurious_retransmissions=(1, 0))],
       events={"timeout_retransmission": 1, "spurious_retransmission": 1})
def spurious_dsack(net):
    tcp = net.tcp().open().exchange()
    sent = tcp.a.send(300, after=50)
    tcp.a.resend(sent, after=210)
    tcp.b.ack(after=10)
    tcp.close()


@scene("seen beside the receiver: the bytes had been acknowledged when they came again",
       flows=[flow("closed", retransmissions=(1, 0), spurious_retransmissions=(1, 0))],
       events={"timeout_retransmission": 1, "spurious_retransmission": 1})
def spurious_acknowledged(net):
    tcp = net.tcp(sack=False, timestamps=False).open().exchange()
    sent = tcp.a.send(300, after=50)
    tcp.b.ack(after=0.1)
    tcp.a.resend(sent, after=230)
    tcp.b.ack(after=0.1)
    tcp.close()


@scene("the acknowledgement echoes the timestamp of the first copy (RFC 3522)",
       flows=[flow("closed", retransmissions=(1, 0), spurious_retransmissions=(1, 0))],
       events={"timeout_retransmission": 1, "spurious_retransmission": 1})
def spurious_timestamps(net):
    tcp = net.tcp(sack=False).open().exchange()
    sent = tcp.a.send(300, after=50)
    tcp.a.resend(sent, after=210, lost=True)
    tcp.b.ack(after=190)
    tcp.close()


def reordered(net, tcp, late_by, ident=None, age=0):
    """Seen beside the receiver: the second of six segments comes last, late_by ms after the first of them."""
    tcp.b.send(tcp.full, after=20)
    tcp.a.ack(after=0.02)
    late_ident = tcp.b.host.next_ident() if ident is None else ident
    late_seq = tcp.b.next
    tcp.b.next += tcp.full
    for _ in range(4):
        tcp.b.send(tcp.full, after=1, **({} if ident is None else {"ident": ident}))
        tcp.a.ack(after=0.02)
    net.wait(late_by)
    tcp.b.transmit(wire.ACK, wire_text(tcp), False, seq=late_seq, ident=late_ident, age=age)
    tcp.a.ack(after=0.02)
    tcp.close()


@scene("one segment comes 40 ms late; its IP id tells that it was sent in its turn", families=(4,),
       flows=[flow("closed", out_of_order=(0, 1), duplicate_acks=(4, 0))], events={"out_of_order": 1, "duplicate_ack": 4})
def reordered_by_id(net):
    reordered(net, net.tcp(timestamps=False, sack=False).open().exchange(), 40)


@scene("one segment comes 40 ms late; only its timestamp tells that it was sent in its turn",
       flows=[flow("closed", out_of_order=(0, 1), duplicate_acks=(4, 0))], events={"out_of_order": 1, "duplicate_ack": 4})
def reordered_by_timestamp(net):
    reordered(net, net.tcp(sack=False).open().exchange(), 40, ident=0, age=45)


@scene("one segment comes 2 ms late, sooner than a repetition could: the hole is younger than a round trip",
       flows=[flow("closed", out_of_order=(0, 1), duplicate_acks=(1, 0))], events={"out_of_order": 1, "duplicate_ack": 1})
def reordered_by_time(net):
    tcp = net.tcp(timestamps=False, sack=False, rtt=30).open().exchange()
    tcp.b.send(tcp.full, after=20, ident=0)
    tcp.a.ack(after=0.02)
    late_seq = tcp.b.next
    tcp.b.next += tcp.full
    tcp.b.send(tcp.full, after=0.1, ident=0)
    tcp.a.ack(after=0.02)
    tcp.b.transmit(wire.ACK, wire_text(tcp), False, seq=late_seq, ident=0, after=2)
    tcp.a.ack(after=0.02)
    tcp.close()


@scene("a mirror port shows every frame twice, 5 µs apart: the copies are taken out", flows=[flow("closed")], events={"duplicate_frame": 13},
       findings={"capture-quality": "info"})
def mirror_duplicates(net):
    net.copies = [(5_000, lambda packet: packet, 0)]
    tcp = net.tcp().open()
    tcp.exchange().exchange().close()
    tcp.a.ack(after=1)


@scene("a mirror that is 2 ms late: the IP id tells copies from repetitions", flows=[flow("closed")], events={"duplicate_frame": 12},
       findings={"capture-quality": "info"}, families=(4,))
def mirror_late(net):
    net.copies = [(2_000_000, lambda packet: packet, 0)]
    tcp = net.tcp()
    tcp.a.syn()
    tcp.b.syn(after=10, ident=tcp.b.host.next_ident())  # a Linux host would send 0, which tells nothing
    tcp.a.ack(after=0.05)
    tcp.exchange().exchange().close()
    net.frames.sort(key=lambda frame: frame.time)


@scene("captured on any interface of a router: each packet twice, a hop apart", flows=[flow("closed")], events={"duplicate_frame": 12},
       findings={"capture-quality": "info"})
def any_duplicates(net):
    net.link, net.wrap = wire.SLL2, lambda packet, frame: wire.sll2(packet, 2 + frame.interface, 0 if frame.interface == 0 else 4)
    net.copies = [(20_000, lambda packet: wire.with_hop_limit(packet, -1), 1)]
    net.tcp().open().exchange().exchange().close()


@scene("the network delivers copies, at once: the same IP id (where there is one), sequence and timestamp, each acknowledged with a DSACK", flows=[flow("closed")],
       events={"duplicate_frame": 8}, findings={"duplicate-delivery": "warning"})
def network_duplicates(net):
    tcp = net.tcp().open()
    for number in range(40):
        sent = tcp.b.send(tcp.full, after=10)
        tcp.a.ack(after=0.02)
        if number % 5:
            continue
        net.wait(0.03)
        net.frames.append(net.frames[-2]._replace(time=net.now))
        tcp.a.received = tcp.b.next
        tcp.a.dsack = (sent.seq, sent.seq + tcp.full)
        tcp.a.ack(after=0.02)
    tcp.close()


@scene("two segments were never captured and yet acknowledged: loss in the capture, not in the network", flows=[flow("closed")],
       events={"capture_loss": 1}, findings={"capture-quality": "info"})
def capture_loss(net):
    tcp = net.tcp().open().exchange()
    tcp.b.send(tcp.full, after=10)
    tcp.a.ack(after=0.02)
    tcp.b.send(tcp.full, after=0.1, unseen=True)
    tcp.b.send(tcp.full, after=0.1, unseen=True)
    tcp.b.send(tcp.full, after=0.1)
    tcp.a.ack(after=0.02)
    tcp.close()


@scene("the reader stands still: the window is shut for 51 s, each probe is answered with 0", flows=[flow("established", zero_windows=(0, 9))],
       events={"zero_window": 9, "zero_window_probe": 8}, findings={"peer-zero-window": "critical"})
def zero_window_stuck(net):
    tcp = net.tcp().open()
    tcp.a.send(tcp.full, after=1)
    tcp.b.window = 0
    tcp.b.ack(after=10)
    begin = net.now
    for time in (0.2, 0.6, 1.4, 3.0, 6.2, 12.6, 25.4, 51.0):
        net.now = begin + round(time * 1e9)
        tcp.a.keepalive()
        tcp.b.ack(after=10)


@scene("the window is shut for 300 ms and opens again", flows=[flow("closed", zero_windows=(0, 1))], events={"zero_window": 1, "window_open": 1})
def zero_window_recovers(net):
    tcp = net.tcp().open()
    tcp.a.send(tcp.full, after=1)
    tcp.b.ack(after=10, window=0)
    tcp.b.ack(after=300)
    tcp.a.send(tcp.full, after=0.1)
    tcp.b.ack(after=10)
    tcp.close()


@scene("the sender fills the window to the byte", flows=[flow("closed")], events={"window_full": 1})
def window_full(net):
    tcp = net.tcp(wscale=None).open()
    tcp.b.window = 4 * tcp.full
    tcp.a.send(100, after=1)
    tcp.b.ack(after=10)
    for _ in range(4):
        tcp.a.send(tcp.full, after=0.1)
    tcp.b.ack(after=10)
    tcp.close()


@scene("keepalives every 15 s, each answered", flows=[flow("closed", keepalives=(3, 0))], events={"keepalive": 3})
def keepalives(net):
    tcp = net.tcp().open().exchange()
    for _ in range(3):
        tcp.a.keepalive(after=15000)
        tcp.b.ack(after=10)
    tcp.close()


def small_writes(net, rtt, wait, rounds=60):
    """Two small writes for each request; the second is held until the first is acknowledged."""
    tcp = net.tcp(rtt=rtt).open()
    for _ in range(rounds):
        tcp.a.send(50, after=5)
        tcp.b.ack(after=wait)
        tcp.a.send(100, after=0.1)
        tcp.b.send(40, after=rtt)
        tcp.a.ack(after=0.02)
    tcp.close()


@scene("write, write, read: sixty times 44 ms of Nagle and delayed ACK on a path of 0.3 ms", flows=[flow("closed")], events={"nagle_stall": 60},
       findings={"nagle-delack-stall": "warning"})
def nagle(net):
    small_writes(net, 0.3, 44)


@scene("the same exchange where 44 ms is the round trip: nothing waits but the light", flows=[flow("closed")])
def nagle_far_away(net):
    small_writes(net, 44, 44)


def bulk(net, rounds, lossy):
    """Rounds of ten full segments with one round trip each; in the lossy ones the fifth is lost and repeated after duplicate ACKs."""
    tcp = net.tcp().open()
    for number in range(rounds):
        sent = []
        for position in range(10):
            net.wait(0.1)
            sent.append(tcp.a.segment(wire.ACK, wire_text(tcp)))
            tcp.a.next += tcp.full
        net.wait(9)
        for position, segment in enumerate(sent):
            if lossy(number) and position == 4:
                continue
            tcp.b.deliver(segment.seq, tcp.full, segment.tsval)
            tcp.b.ack(after=0.1)
        if lossy(number):
            tcp.a.resend(sent[4], after=0.1)
            tcp.b.ack(after=10)
    tcp.close()


@scene("2.5 % of 400 segments are lost on a private network: 10 fast retransmissions",
       flows=[flow("closed", retransmissions=(10, 0), duplicate_acks=(0, 50))], events={"fast_retransmission": 10, "duplicate_ack": 50},
       findings={"retrans-high": "warning"})
def plain_loss(net):
    bulk(net, 40, lambda number: number % 4 == 1)


@scene("10 % of 300 segments are lost: whatever chance did, it is more than 3 %", flows=[flow("closed", retransmissions=(30, 0), duplicate_acks=(0, 150))],
       events={"fast_retransmission": 30, "duplicate_ack": 150}, findings={"retrans-high": "critical"})
def heavy_loss(net):
    bulk(net, 30, lambda number: True)


@scene("300 segments and not one is lost", flows=[flow("closed")])
def bulk_clean(net):
    bulk(net, 30, lambda number: False)


@scene("small data got no answer seven times, nothing comes back any more: the peer or the path is gone",
       flows=[flow("established", retransmissions=(7, 0))], events={"timeout_retransmission": 7}, findings={"dead-peer-unacked": "critical"})
def dead_peer(net):
    tcp = net.tcp().open().exchange()
    lost = tcp.a.send(100, after=500, lost=True)
    begin = net.now
    for time in (0.21, 0.63, 1.47, 3.15, 6.5, 13.2, 26.6):
        net.now = begin + round(time * 1e9)
        tcp.a.resend(lost, lost=True)


@scene("sequence numbers pass 2^32 in the middle of a transfer", flows=[flow("closed", retransmissions=(1, 0), duplicate_acks=(0, 4))],
       events={"fast_retransmission": 1, "duplicate_ack": 4})
def sequence_wrap(net):
    fast(net.tcp(port=40001, isn=((1 << 32) - 3000 - 40001, (1 << 32) - 300 - 40001)))

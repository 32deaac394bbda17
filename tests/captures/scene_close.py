# SPDX-License-Identifier: MIT
"""Scenes of connections that end: after a silence, on time, with unread data, by somebody else."""
import wire
from scenes import flow, scene


@scene("350 s of silence, then the first packet is reset by a box that has forgotten the connection", flows=[flow("reset", resets=(0, 1))] * 2,
       events={"reset": 2, "idle_reset": 2}, findings={"rst-after-idle": "warning", "rst-breakdown": "explained"})
def idle_350_reset(net):
    for _ in range(2):
        tcp = net.tcp().open().exchange()
        tcp.a.send(100, after=350_000, lost=True)
        tcp.b.segment(wire.RST, after=4, seq=tcp.a.received, window=0, ttl=62, ident=0, dont_fragment=False, timestamps=False)


@scene("100 s of silence are survived", flows=[flow("closed")])
def idle_100_survives(net):
    tcp = net.tcp().open().exchange()
    net.wait(100_000)
    tcp.exchange().close()


def closed_after(net, seconds):
    for wait in seconds:
        tcp = net.tcp().open().exchange()
        tcp.close(first=1, after=wait * 1000)


@scene("the server closes eight connections after 5.0 s of silence each", flows=[flow("closed")] * 8, findings={"idle-close-pattern": "info"})
def idle_closes(net):
    closed_after(net, (5.0, 5.01, 5.0, 4.99, 5.0, 5.02, 5.0, 5.01))


@scene("eight connections close when their work is done, at no fixed age", flows=[flow("closed")] * 8)
def random_closes(net):
    closed_after(net, (0.3, 2.1, 7.4, 1.2, 12.9, 3.3, 0.9, 20.5))


@scene("the server closes with the request unread: RST after its acknowledgement", flows=[flow("reset", resets=(0, 1))] * 3, events={"reset": 3},
       findings={"rst-breakdown": "info"})
def abort_unread(net):
    for _ in range(3):
        tcp = net.tcp().open()
        for _ in range(3):
            tcp.a.send(tcp.full, after=0.1)
        tcp.b.ack(after=10)
        tcp.b.rst(after=20)
        net.wait(1000)


@scene("resets that do not look like the server's packets: other TTL, id 0 without DF, no timestamps", flows=[flow("reset", resets=(0, 1))] * 3,
       events={"reset": 3}, findings={"rst-breakdown": "explained warning"})
def reset_injected(net):
    for _ in range(3):
        tcp = net.tcp().open().exchange()
        tcp.a.send(300, after=20)
        tcp.b.segment(wire.RST, after=2, window=0, ttl=250, ident=0, dont_fragment=False, timestamps=False)
        net.wait(1000)


@scene("a browser gives up a connection: its own FIN, late data, its RST", flows=[flow("reset", resets=(1, 0))], events={"reset": 1},
       findings={"rst-breakdown": "info"})
def reset_after_fin(net):
    tcp = net.tcp().open().exchange()
    tcp.a.fin(after=100)
    tcp.b.send(tcp.full, after=10)
    tcp.a.rst(after=0.05, seq=tcp.a.next, flags=wire.RST, timestamps=False)


REQUEST = b"POST /orders HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 27\r\n\r\n" + b'{"item":4711,"quantity":1}\n'


@scene("a request dies with its connection and is sent again on a new one: it may be carried out twice",
       flows=[flow("reset", resets=(0, 1)), flow("closed")], events={"reset": 1},
       findings={"duplicate-delivery": "warning", "rst-breakdown": "info"})
def request_repeated(net):
    tcp = net.tcp().open()
    tcp.a.send(REQUEST, after=0.2)
    tcp.b.ack(after=10)
    tcp.b.rst(after=800)
    again = net.tcp()
    net.wait(2000)
    again.open()
    again.a.send(REQUEST, after=0.2)
    again.b.send(300, after=10)
    again.a.ack(after=0.05)
    again.close()


@scene("two requests alike, both answered: that is no repetition", flows=[flow("closed")] * 2)
def request_alike(net):
    for _ in range(2):
        tcp = net.tcp().open()
        tcp.a.send(REQUEST, after=0.2)
        tcp.b.send(300, after=10)
        tcp.a.ack(after=0.05)
        tcp.close()
        net.wait(1000)


@scene("half closed: the client is done sending, the server is not; then it ends well", flows=[flow("closed")])
def half_close(net):
    tcp = net.tcp().open()
    tcp.a.send(200, after=0.2)
    tcp.a.fin(after=0.2)
    for _ in range(5):
        tcp.b.send(tcp.full, after=400)
        tcp.a.ack(after=0.05)
    tcp.b.fin(after=1)
    tcp.a.ack(after=0.05)

# SPDX-License-Identifier: MIT
"""Large packets that vanish behind a router that may not say so, and what only looks like it."""
import contextlib
import re
import select
import time

from cases import case
from lab import connected, echo_server, listener, rest, serve, told

RULE = "mtu-blackhole-send"
PORT = 8443
NARROW = 1400
MUTE = "icmp type destination-unreachable drop\n icmpv6 type packet-too-big drop"
REQUEST = b"give me the page"


def hole(lab, device, mute=True):
    """The router's link is narrower than its neighbours know; with `mute` it cannot tell them."""
    lab.build("crs")
    lab.batch("r", f"link set {device} mtu {NARROW}")
    if mute:
        lab.forward_rule(MUTE, "output")


def client(lab, large, chatter, after_hello=lambda: None, repeat=False):
    """Says hello on every connection and hears the answer, then sends 80 kB on `large` of them; the others chat on."""
    def program(tell):
        kept = [connected(lab, PORT) for _ in range(large + chatter)]
        for sock in kept:
            sock.send(b"hello")
            sock.recv(100)
            sock.setblocking(False)
        tell("hello")
        after_hello()
        select.select([], [], [], 0.2)
        for sock in kept[:large]:
            with contextlib.suppress(BlockingIOError):
                sock.send(bytes(80000))
        tell("sent")
        while True:
            for number, sock in enumerate(kept):
                with contextlib.suppress(BlockingIOError):
                    if number >= large or repeat:
                        sock.send(bytes(20) if number >= large else bytes(20000))
                    while sock.recv(65536):
                        pass
            time.sleep(0.3)
    return program


def stuck(lab, role, count):
    """Sockets that repeat a full-sized head into the void."""
    rows = [row for row in lab.ss(role, "state", "established") if "lost:" in row.rest and re.search(r"backoff:([2-9]|\d\d)", row.rest)]
    lab.check(len(rows) == count, f"{len(rows)} stuck sockets, expected {count}")
    lab.check(all("pmtu:1500" in row.rest for row in rows), "the path MTU was learned after all")
    return rows


def start(lab, large, chatter, **how):
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()
    program = lab.spawn("c", client(lab, large, chatter, **how), "lab-upload")
    program.hear()
    program.hear()
    return program


@case(RULE, "fault")
def upload_while_others_chat(lab):
    """80 kB vanish while small messages to the same service pass: nothing but size tells them apart."""
    hole(lab, "rs")
    program = start(lab, 1, 1)
    time.sleep(4.5)
    stuck(lab, "c", 1)
    lab.expect(lab.report("c"), RULE, "critical", program, (lab.addr("s"), PORT), count=1, confidence=(0.7, 0.9))


@case(RULE, "fault", beside={"dead-peer-unacked": "nothing tells the two apart: both are printed, each at 0.5"})
def upload_alone(lab):
    """The only connection to that host: a black hole or a dead peer, possible at best, and the probe that tells is named."""
    hole(lab, "rs")
    program = start(lab, 1, 0)
    time.sleep(4.5)
    stuck(lab, "c", 1)
    doc = lab.report("c")
    for rule in (RULE, "dead-peer-unacked"):
        lab.expect(lab.only(doc, rule), rule, "warning", program, (lab.addr("s"), PORT), count=1, confidence=(0.4, 0.6))


@case(RULE, "fault")
def reply_of_five_thousand_bytes(lab):
    """The commonest real one: a reply of four segments, whose short tail passes and is SACKed; the server has acked nothing else."""
    hole(lab, "rc")

    def server(tell):
        sock = listener(lab, PORT)
        tell("listening")

        def answer(connection, data):
            with contextlib.suppress(OSError):
                connection.send(bytes(5000) if data == REQUEST else data[:64])
        serve(sock, answer)

    def browser(tell):
        page, chat = connected(lab, PORT), connected(lab, PORT)
        page.send(REQUEST)
        tell("asked")
        while True:
            chat.send(b"ping")
            chat.recv(100)
            time.sleep(0.3)
    program = lab.spawn("s", server, "lab-serve")
    program.hear()
    lab.spawn("c", browser, "lab-browse").hear()
    time.sleep(5)
    rows = stuck(lab, "s", 1)
    lab.check("sacked:1" in rows[0].rest and "unacked:4" in rows[0].rest, f"expected 4 unacked, 1 sacked: {rows[0].rest}")
    lab.expect(lab.report("s"), RULE, "critical", program, (lab.addr("c"), None), count=1)


@case(RULE, "fault", waits=15)
def hole_opens_under_a_transfer(lab):
    """Large packets pass for a while, then the path narrows in silence (a route that flips into a tunnel): the stall has to be long."""
    lab.build("crs")
    lab.forward_rule(MUTE, "output")
    program = start(lab, 1, 1, repeat=True)
    time.sleep(1)
    lab.sockets("c", 2, "state", "established", like=lambda row: "bytes_acked:" in row.rest)
    lab.batch("r", f"link set rs mtu {NARROW}")
    time.sleep(10)
    stuck(lab, "c", 1)
    lab.expect(lab.report("c"), RULE, "critical", program, (lab.addr("s"), PORT), count=1)


@case(RULE, "twin")
def router_that_tells(lab):
    """The same narrow link, and the router may say so: one round trip and the sender knows."""
    hole(lab, "rs", mute=False)
    program = lab.spawn("s", echo_server(lab, PORT), "lab-serve")
    program.hear()
    lab.spawn("c", client(lab, 2, 1, repeat=True), "lab-upload").hear()
    doc = lab.report("c")
    learned = [row for row in lab.ss("c", "state", "established") if f"pmtu:{NARROW}" in row.rest]
    lab.check(len(learned) >= 2, "the path MTU was not learned")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def random_loss(lab):
    """30 % of all data packets lost, whatever their size."""
    lab.build("crs")
    program = start(lab, 3, 1, repeat=True, after_hello=lambda: None)
    lab.forward_rule('iifname "rc" tcp dport 8443 numgen random mod 100 < 30 drop')
    time.sleep(2)
    before = lab.counters("c")
    doc = lab.report("c")
    after = lab.counters("c")
    lab.check(after["TcpRetransSegs"] - before["TcpRetransSegs"] > 20, "nothing was retransmitted")
    lab.expect_silent(doc, RULE, allowed=("retrans-high",))
    del program


@case(RULE, "twin")
def dead_path(lab):
    """Everything is dropped, small packets too: the path is dead, size has nothing to do with it."""
    lab.build("crs")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()

    def dying(tell):
        kept = [connected(lab, PORT) for _ in range(3)]
        for sock in kept:
            sock.send(b"hello")
            sock.recv(100)
            sock.setblocking(False)
        tell("hello")
        told()
        with contextlib.suppress(BlockingIOError):
            kept[0].send(bytes(80000))
        for sock in kept[1:]:
            sock.send(bytes(20))
        tell("sent")
        rest()
    program = lab.spawn("c", dying, "lab-upload")
    program.hear()
    lab.forward_rule("drop")
    program.go()
    program.hear()
    time.sleep(4.5)
    stuck(lab, "c", 3)
    lab.expect_silent(lab.report("c"), RULE, allowed=("dead-peer-unacked",))

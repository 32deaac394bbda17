# SPDX-License-Identifier: MIT
"""Answers and uploads whose large packets vanish on the way to us, seen where they do not arrive; and gaps that heal, slow peers, small answers."""
import contextlib
import re
import select
import socket
import time

from cases import case
from lab import connected, echo_server, listener, rest, serve, told

RULE = "mtu-blackhole-recv"
PORT = 8445
NARROW = 1400
MUTE = "icmp type destination-unreachable drop\n icmpv6 type packet-too-big drop"
LARGE, SMALL, LATE, DRIP = b"large", b"small", b"late!", b"drip!"
ANSWERS = {LARGE: 5000, SMALL: 1000}
HELD = re.compile(r"skmem:\(r([1-9]\d*),")


def hole(lab, device, mute=True):
    """The router's link is narrower than its neighbours know; with `mute` it cannot tell them."""
    lab.build("crs")
    lab.batch("r", f"link set {device} mtu {NARROW}")
    if mute:
        lab.forward_rule(MUTE, "output")


def server(lab):
    """Answers a request of five letters with what it asks for; anything else is counted and confirmed."""
    def program(tell):
        sock = listener(lab, PORT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted ones have it from here: small writes stay small
        tell("listening")

        def answer(connection, data):
            with contextlib.suppress(OSError):
                if data == DRIP:
                    for _ in range(6):
                        connection.send(bytes(300))
                elif data in ANSWERS:
                    connection.send(bytes(ANSWERS[data]))
                elif data and data != LATE:
                    connection.send(data[:20])
        serve(sock, answer)
    lab.spawn("s", program, "lab-serve").hear()


def browser(lab, requests, chatter=1):
    """Asks one thing on each connection, reads what comes, and chats on others."""
    def program(tell):
        asking = [connected(lab, PORT) for _ in requests]
        chatting = [connected(lab, PORT) for _ in range(chatter)]
        for sock, request in zip(asking, requests):
            sock.send(request)
        tell("asked")
        while True:
            for sock in chatting:
                sock.send(b"how are you")
            ready, _, _ = select.select(asking + chatting, [], [], 0.3)
            for sock in ready:
                sock.recv(65536)
            time.sleep(0.2)
    program = lab.spawn("c", program, "lab-browse")
    program.hear()
    return program


def gap(row):
    return row.recv_q == 0 and HELD.search(row.rest) and "rcv_ooopack:" in row.rest


@case(RULE, "fault")
def answer_of_five_thousand_bytes(lab):
    """Four segments of which the last, short one arrives; a chat with the same service goes on."""
    hole(lab, "rc")
    server(lab)
    program = browser(lab, [LARGE])
    time.sleep(3.5)
    rows = [row for row in lab.ss("c", "state", "established") if gap(row)]
    lab.check(len(rows) == 1 and "rcv_ooopack:1" in rows[0].rest and "bytes_received" not in rows[0].rest, f"no gap: {rows}")
    finding = lab.expect(lab.report("c"), RULE, "warning", program, (lab.addr("s"), PORT), count=1, confidence=(0.7, 0.85))
    lab.expect_evidence(finding, "gap", lambda value: 7000 <= value <= 20000, "8.5 s or so")
    lab.expect_evidence(finding, "out_of_order", lambda value: value == 1, 1)
    lab.expect_evidence(finding, "rcv_mss", lambda value: 500 <= value <= 800, "the short end")


@case(RULE, "fault")
def three_answers_and_nothing_else(lab):
    """Nobody chats: the peer may as well be gone."""
    hole(lab, "rc")
    server(lab)
    program = browser(lab, [LARGE] * 3, chatter=0)
    time.sleep(2)
    lab.check(sum(bool(gap(row)) for row in lab.ss("c", "state", "established")) == 3, "no gaps")
    lab.expect(lab.report("c"), RULE, "warning", program, (lab.addr("s"), PORT), count=3, confidence=(0.5, 0.65))


@case(RULE, "fault")
def upload_to_us(lab):
    """The other direction: what clients send is too large for their way to us, seen at the server."""
    hole(lab, "rs")
    program = lab.spawn("s", echo_server(lab, PORT), "lab-serve")
    program.hear()

    def uploader(tell):
        kept = [connected(lab, PORT) for _ in range(2)]
        for sock in kept:
            sock.send(bytes(5000))
        tell("sent")
        rest()
    lab.spawn("c", uploader, "lab-upload").hear()
    time.sleep(2)
    lab.check(sum(bool(gap(row)) for row in lab.ss("s", "state", "established")) == 2, "no gaps")
    lab.expect(lab.report("s"), RULE, "warning", program, (lab.addr("c"), None), count=2)


@case(RULE, "twin")
def small_answers_through_the_hole(lab):
    """1000 bytes on the same path."""
    hole(lab, "rc")
    server(lab)
    browser(lab, [SMALL] * 3)
    time.sleep(2)
    lab.check(sum("bytes_received:1000" in row.rest for row in lab.ss("c", "state", "established")) == 3, "the answers did not arrive")
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def slow_server(lab):
    """Accepted, acknowledged, and no answer yet: nothing out of order."""
    hole(lab, "rc")
    server(lab)
    browser(lab, [LATE] * 3)
    time.sleep(3.5)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def loss_that_heals(lab):
    """A tenth of what the server sends is lost, answer after answer: gaps open and close."""
    lab.build("crs")
    lab.forward_rule(f'iifname "rs" tcp sport {PORT} numgen random mod 100 < 10 drop')
    server(lab)

    def reader(tell):
        kept = [connected(lab, PORT, timeout=None) for _ in range(8)]
        left = dict.fromkeys(kept, 0)
        for count in range(1_000_000):
            for sock in kept:
                if not left[sock]:
                    sock.send(LARGE)
                    left[sock] = ANSWERS[LARGE]
            for sock in select.select(kept, [], [], 0.05)[0]:
                left[sock] -= len(sock.recv(left[sock]))
            if count == 20:
                tell("reads")
    lab.spawn("c", reader, "lab-browse").hear()
    before = lab.counters("c")["TcpExtTCPOFOQueue"]
    doc = lab.report("c")
    lab.check(lab.counters("c")["TcpExtTCPOFOQueue"] - before > 20, "nothing came out of order")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin", waits=8)
def gap_that_has_healed(lab):
    """Small packets of which some once came out of order, and a connection that has been idle since: the count stays, the gap does not."""
    lab.build("crs")
    server(lab)

    def reader(tell):
        kept = [connected(lab, PORT) for _ in range(10)]
        tell("connected")
        told()
        for _ in range(6):
            for sock in kept:
                sock.send(DRIP)
            for sock in kept:
                left = 1800
                while left:
                    left -= len(sock.recv(left))
        tell("read")
        rest()
    program = lab.spawn("c", reader, "lab-browse")
    program.hear()
    lab.forward_rule(f'iifname "rs" tcp sport {PORT} numgen random mod 100 < 15 drop')
    program.go()
    program.hear(30)
    time.sleep(3.5)
    rows = lab.ss("c", "state", "established")
    healed = [row for row in rows if "rcv_ooopack:" in row.rest and re.search(r"rcvmss:[1-9]\d\d ", row.rest)]
    lab.check(healed, "nothing small ever came out of order")
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def router_that_tells(lab):
    """The same narrow link, and the router may say so: the server sends again, smaller."""
    hole(lab, "rc", mute=False)
    server(lab)
    browser(lab, [LARGE] * 3)
    time.sleep(2)
    lab.check(sum("bytes_received:5000" in row.rest for row in lab.ss("c", "state", "established")) == 3, "the answers did not arrive")
    lab.expect_silent(lab.report("c"), RULE)

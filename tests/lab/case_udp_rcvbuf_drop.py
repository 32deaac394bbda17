# SPDX-License-Identifier: MIT
"""UDP receivers whose buffer overflows because they are slow, or do not read at all, and those that keep up."""
import contextlib
import re
import socket
import struct
import time

from cases import case
from lab import rest, told, Wrong

RULE = "udp-rcvbuf-drop"
PORT = 5140
GROUPS = {4: "239.71.1.1", 6: "ff15::7101"}


def udp(lab):
    return socket.socket(socket.AF_INET if lab.family == 4 else socket.AF_INET6, socket.SOCK_DGRAM)


def receiver(lab, rcvbuf, port=PORT, pause=None, group=False):
    """A socket with SO_RCVBUF `rcvbuf`, never read when `pause` is None, else after `pause` seconds for each datagram."""
    def program(tell):
        sock = udp(lab)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        sock.bind(("", port))
        if group:
            join(lab, sock)
        tell("bound")
        if pause is None:
            rest()
        count, begun = 0, time.monotonic()
        while True:
            sock.recv(2048)
            count += 1
            if pause:
                time.sleep(pause)
            if time.monotonic() - begun > 1:
                tell(count)
                begun = time.monotonic()
    return program


def join(lab, sock):
    if lab.family == 4:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                        socket.inet_aton(GROUPS[4]) + socket.inet_aton(lab.addr("s")))
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                        socket.inet_pton(socket.AF_INET6, GROUPS[6]) + struct.pack("@I", socket.if_nametoindex("s0")))


def sender(lab, rate, port=PORT, to=None, size=100, limit=100000):
    """Sends `rate` datagrams a second in small bursts, `limit` at most, and says so after the first burst."""
    def program(tell):
        sock = udp(lab)
        if to and lab.family == 6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("c0"))
        elif to:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(lab.addr("c")))
        sent, begun, told = 0, time.monotonic(), False
        while sent < limit:
            due = int((time.monotonic() - begun) * rate) + 1
            while sent < min(due, limit):
                with contextlib.suppress(ConnectionRefusedError):
                    sock.sendto(bytes(size), (to or lab.addr("s"), port))
                sent += 1
            if not told:
                tell("sending")
                told = True
            time.sleep(0.05)
        rest()
    return program


def drops_of(lab, port=PORT):
    rows = lab.ss("s", "sport", "=", f":{port}", options="-HOuanm")
    return [int(re.search(r"\bd(\d+)\)", row.rest)[1]) for row in rows]


def until_drops(lab, at_least, port=PORT):
    """The socket has dropped `at_least`, as its own count and the namespace's agree."""
    deadline = time.monotonic() + 30
    while sum(drops_of(lab, port)) < at_least:
        lab.check(time.monotonic() < deadline, f"the socket dropped {drops_of(lab, port)}, not {at_least}")
        time.sleep(0.05)
    name = "UdpRcvbufErrors" if lab.family == 4 else "Udp6RcvbufErrors"
    lab.check(lab.counters("s")[name] >= at_least, f"{name} does not count it")


def run(lab, receive, send, at_least=1, port=PORT):
    lab.build()
    program = lab.spawn("s", receive, "lab-recv")
    program.hear()
    lab.spawn("c", send, "lab-send").hear()
    if at_least:
        until_drops(lab, at_least, port)
    return program


@case(RULE, "fault")
def nobody_reads_many(lab):
    """SO_RCVBUF 4096, nobody reads, 400 datagrams a second: nine stay, all others are dropped."""
    program = run(lab, receiver(lab, 4096), sender(lab, 400), 200)
    finding = lab.expect(lab.report("s"), RULE, "critical", program, local_port=PORT, count=(500, 40000), confidence=(0.8, 1))
    lab.expect_evidence(finding, "rcvbuf", lambda value: value == 8192, "twice what was asked for")
    lab.expect_evidence(finding, "unread", lambda value: value == 1, "one socket")
    lab.expect_evidence(finding, "drop_rate", lambda value: 150 <= value <= 600, "about 400 a second")


@case(RULE, "fault")
def nobody_reads_few(lab):
    """The same at 20 a second: a warning."""
    program = run(lab, receiver(lab, 4096), sender(lab, 20), 5)
    lab.expect(lab.report("s"), RULE, "warning", program, local_port=PORT, count=(20, 2000))


@case(RULE, "fault")
def reader_too_slow(lab):
    """A reader that takes 100 a second at most of 1000: it reads, and loses what does not fit."""
    program = run(lab, receiver(lab, 40000, pause=0.01), sender(lab, 1000), 100)
    while program.hear() < 100:
        pass
    finding = lab.expect(lab.report("s"), RULE, "critical", program, local_port=PORT, count=(500, 100000), confidence=(0.9, 1))
    lab.expect_evidence(finding, "share", lambda value: 60 <= value <= 99.9, "most of it")
    lab.expect_evidence(finding, "drop_samples", lambda value: value == 2, "both intervals")


@case(RULE, "fault")
def connected_client(lab):
    """A client with a connected socket that stops reading the answers: named by whom it asks."""
    lab.build()

    def server(tell):
        sock = udp(lab)
        sock.bind(("", PORT))
        tell("bound")
        peer, begun, sent = sock.recvfrom(10)[1], time.monotonic(), 0
        while sent < 50000:
            while sent < (time.monotonic() - begun) * 300:
                sock.sendto(bytes(100), peer)
                sent += 1
            time.sleep(0.05)

    def client(tell):
        sock = udp(lab)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect((lab.addr("s"), PORT))
        sock.send(b"more")
        tell("asked")
        rest()
    lab.spawn("s", server, "lab-server").hear()
    program = lab.spawn("c", client, "lab-client")
    program.hear()
    deadline = time.monotonic() + 30
    while not lab.ss("c", "dport", "=", f":{PORT}", options="-HOuanm") or lab.counters("c")[
            "UdpRcvbufErrors" if lab.family == 4 else "Udp6RcvbufErrors"] < 50:
        lab.check(time.monotonic() < deadline, "nothing is dropped")
        time.sleep(0.05)
    lab.expect(lab.report("c"), RULE, "critical", program, (lab.addr("s"), PORT), count=(200, 50000))


def no_louder_than_info(doc):
    loud = [finding for finding in (doc or {"findings": []})["findings"] if finding["severity"] != "info"]
    if loud:
        raise Wrong(f"{loud[0]['severity']}: {loud[0]['title']}")
    return [finding for finding in (doc or {"findings": []})["findings"] if finding["rule"] == RULE]


@case(RULE, "twin")
def unread_announcements(lab):
    """A socket on the mDNS port in a group that nobody reads, full and dropping: named, and info at most."""
    program = run(lab, receiver(lab, 4096, 5353, group=True), sender(lab, 400, 5353, to=GROUPS[lab.family]), 100, 5353)
    found = no_louder_than_info(lab.report("s"))
    if lab.binary and (len(found) != 1 or found[0]["scope"].get("pid") != program.pid or found[0]["scope"]["local"]["port"] != 5353):
        raise Wrong(f"the unread socket is not named: {found}")


@case(RULE, "twin")
def drops_of_yesterday(lab):
    """A burst that is over: 400 datagrams dropped, the reader has come back. Info at most."""
    lab.build()
    program = lab.spawn("s", receiver_that_comes_back(lab), "lab-recv")
    program.hear()
    lab.spawn("c", sender(lab, 100000, limit=400), "lab-send").hear()
    until_drops(lab, 300)
    program.go()
    lab.check(program.hear() == "reading", "the reader did not come back")
    found = no_louder_than_info(lab.report("s"))
    if lab.binary and (len(found) != 1 or found[0]["scope"].get("pid") != program.pid):
        raise Wrong(f"the earlier drops are not told: {found}")


def receiver_that_comes_back(lab):
    def program(tell):
        sock = udp(lab)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.bind(("", PORT))
        tell("bound")
        told()
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while sock.recv(2048):
                pass
        tell("reading")
        sock.setblocking(True)
        while True:
            sock.recv(2048)
    return program


@case(RULE, "twin")
def reader_that_keeps_up(lab):
    """The same small buffer, and a program that reads: its sender waits for a word after each four, so that they always fit."""
    lab.build()

    def server(tell):
        sock = udp(lab)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.bind(("", PORT))
        tell("bound")
        count = 0
        while True:
            peer = sock.recvfrom(2048)[1]
            count += 1
            if count % 4 == 0:
                sock.sendto(b"more", peer)
            if count % 400 == 0:
                tell(count)

    def client(tell):
        sock = udp(lab)
        sock.connect((lab.addr("s"), PORT))
        for _ in range(10000):
            for _ in range(4):
                sock.send(bytes(100))
            sock.recv(10)
            time.sleep(0.005)
    program = lab.spawn("s", server, "lab-recv")
    program.hear()
    lab.spawn("c", client, "lab-send")
    program.hear()
    doc = lab.report("s")
    lab.check(program.hear() > 400, "nothing is sent")
    lab.check(drops_of(lab) == [0], f"the reader lost {drops_of(lab)}")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def fast_sender_large_buffer(lab):
    """Twenty times as many, and a buffer for some seconds of it."""
    program = run(lab, receiver(lab, 4_000_000, pause=0), sender(lab, 2000), 0)
    while program.hear() < 500:
        pass
    doc = lab.report("s")
    lab.check(drops_of(lab) == [0], f"the reader lost {drops_of(lab)}")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def full_queue_that_never_dropped(lab):
    """A program that reads once in a while: its queue is long and stands, nothing was ever dropped."""
    lab.build()
    program = lab.spawn("s", receiver(lab, 4_000_000), "lab-recv")
    program.hear()
    lab.spawn("c", sender(lab, 100000, limit=1500), "lab-send").hear()
    time.sleep(0.2)
    lab.check(drops_of(lab) == [0], "something was dropped")
    lab.expect_silent(lab.report("s"), RULE)

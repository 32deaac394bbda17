# SPDX-License-Identifier: MIT
"""What packets show of data that is lost, held back, not read or sent twice; and what only looks like it."""
import contextlib
import random
import socket
import struct
import time

import case_nagle_delack_stall as nagle
import case_peer_zero_window as window
import case_retrans_high as retrans
import wirebox
from cases import case
from lab import ADDRESSES, connected, listener, rest, serve, Wrong

OFFLOAD = {"capture-quality": "on a virtual link offload joins segments: info"}
PACE = 4_000_000


# --- retrans-high

def transfer(lab, role="c", interface="c0", seconds=4, pace=PACE):
    """A transfer that is under way for so long while it is captured: the program, the document, and how far the sender's counters went."""
    with lab.capture(role, interface) as capture:
        before = lab.counters("c")
        program = retrans.source(lab, pace=pace)
        time.sleep(seconds)
        program.end()
        after = lab.counters("c")
    return program, capture.doc, {key: after[key] - before.get(key, 0) for key in after}


def lossy(lab, role, interface):
    """One in twenty packets is dropped on the way. The sender's device takes one segment at a time, so that packets here are packets there."""
    lab.build("crs")
    lab.batch("c", "link set c0 gso_max_segs 1")
    retrans.sink(lab)
    retrans.lose(lab, 5)
    program, doc, grown = transfer(lab, role, interface)
    real = 100 * grown["TcpRetransSegs"] / max(grown["TcpExtTCPOrigDataSent"], 1)
    lab.check(3 < real < 8 and grown["TcpRetransSegs"] > 50, f"{real:.1f} % were sent again")
    return program, doc, real


@case("retrans-high", "capture-fault")
def one_in_twenty(lab):
    """5 % of what a transfer sends is dropped; what we count is what the sender's kernel counts."""
    program, doc, real = lossy(lab, "c", "c0")
    finding = lab.expect(doc, "retrans-high", "critical", program, (lab.addr("s"), retrans.PORT), count=1)
    lab.expect_evidence(finding, "loss", lambda value: 0.7 * real < value < 1.3 * real, f"about {real:.1f}")
    return f"{real:.1f} % by the counters"


@case("retrans-high", "capture-fault")
def seen_where_it_does_not_arrive(lab):
    """The same behind the router: what is lost is not in the capture, what is sent again is."""
    _, doc, real = lossy(lab, "s", "s0")
    finding = lab.expect(doc, "retrans-high", "critical", count=1)
    lab.expect_evidence(finding, "loss", lambda value: 0.5 * real < value < 1.5 * real, f"about {real:.1f}")
    return f"{real:.1f} % by the counters"


@case("retrans-high", "capture-twin")
def nothing_lost(lab):
    lab.build("crs")
    retrans.sink(lab)
    _, doc, grown = transfer(lab)
    lab.check(grown["TcpExtTCPOrigDataSent"] > 1000, "nothing was sent")
    lab.expect_silent(doc, "retrans-high")


def late_by_chance(packet, _):
    return [0.025 if len(packet) > 1000 and random.random() < 0.05 else 0.02]


def reordered(lab, role):
    wirebox.build(lab, late_by_chance)
    retrans.sink(lab)
    _, doc, grown = transfer(lab, role, wirebox.FAR, pace=1_000_000)
    lab.check(grown["TcpExtTCPSACKReorder"] + grown["TcpExtTCPTSReorder"] > 10, "the sender noticed no reordering")
    lab.check(not doc or doc["linktype"] in (12, 101), "a tun device has raw packets")
    lab.expect_silent(doc, "retrans-high")
    return f"{grown['TcpRetransSegs']} of {grown['TcpExtTCPOrigDataSent']} sent again"


@case("retrans-high", "capture-twin")
def reordering_without_loss(lab):
    """One in twenty segments comes 5 ms late, none is lost."""
    return reordered(lab, "c")


@case("retrans-high", "capture-twin")
def reordering_seen_by_the_receiver(lab):
    """Behind the path the same segments come out of order, and nothing tells that they were not sent again but what they carry."""
    return reordered(lab, "s")


# --- duplicate-delivery

def duplicated(lab, role, interface):
    """The router sends three in ten packets twice."""
    lab.build("crs")
    table = "ip" if lab.family == 4 else "ip6"
    lab.nft("r", f"table {table} lab {{\n chain dup_lab {{\n type filter hook prerouting priority 0;\n"
                 f' iifname "rc" tcp dport {retrans.PORT} numgen random mod 100 < 30 dup to {ADDRESSES[lab.family]["s"]} device "rs"\n }}\n}}\n')
    retrans.sink(lab)
    program, doc, grown = transfer(lab, role, interface, pace=2_000_000)
    lab.check(grown["TcpExtTCPDSACKRecv"] > 20, f"{grown['TcpExtTCPDSACKRecv']} duplicates were reported")
    return program, doc


@case("duplicate-delivery", "capture-fault", beside=OFFLOAD)
def copies_that_the_receiver_reports(lab):
    """Seen where they were sent once: the receiver says that it had them twice."""
    program, doc = duplicated(lab, "c", "c0")
    lab.expect(doc, "duplicate-delivery", "warning", program, (lab.addr("s"), retrans.PORT), count=1)


@case("duplicate-delivery", "capture-fault", beside=OFFLOAD)
def copies_that_arrive(lab):
    """Seen where they arrive twice: frames with the same IP id, sequence and timestamp, and the receiver's reports of them."""
    _, doc = duplicated(lab, "s", "s0")
    lab.check(not doc or doc["duplicate_frames"] > 20, f"{doc and doc['duplicate_frames']} frames were captured twice")
    lab.expect(doc, "duplicate-delivery", "warning", count=1)


REQUEST = b"POST /payments HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 200\r\n\r\n" + bytes(200)
PORT = 8080


def till(lab, breaks):
    """Answers requests; every third, with `breaks`, it reads and resets instead."""
    def program(tell):
        sock = listener(lab, PORT)
        tell("listening")
        for number in range(1000):
            connection = sock.accept()[0]
            connection.recv(1000)
            if breaks and number % 3 == 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            connection.close()
    lab.spawn("s", program, "lab-till").hear()


def shopper(lab, payments):
    """Each payment on a connection of its own; one that is not answered is sent again."""
    def pay(number):
        with contextlib.suppress(OSError), connected(lab, PORT) as sock:
            sock.sendall(REQUEST.replace(b"payments", b"pay%05d" % number))
            return bool(sock.recv(1000))
        return False

    def program(tell):
        tries = 0
        for number in range(payments):
            tries += 1
            while not pay(number):
                tries += 1
                time.sleep(0.2)
            time.sleep(0.1)
        tell(tries)
        rest()
    return lab.spawn("c", program, "lab-shop")


@case("duplicate-delivery", "capture-fault", beside={"rst-breakdown": "the connections that break are reset: the table of resets"})
def request_sent_again(lab):
    """A reset instead of an answer, and the same request on a new connection: it may have been carried out twice."""
    lab.build()
    till(lab, breaks=True)
    with lab.capture("c", "c0", "-s", "256") as capture:
        tries = shopper(lab, 6).hear()
    lab.check(tries >= 8, f"{tries} tries")
    finding = lab.expect(capture.doc, "duplicate-delivery", "warning", peer=(lab.addr("s"), PORT))
    lab.expect_evidence(finding, "retries", lambda value: value == 1, "1: each request has bytes of its own")


@case("duplicate-delivery", "capture-twin")
def requests_that_are_answered(lab):
    lab.build()
    till(lab, breaks=False)
    with lab.capture("c", "c0", "-s", "256") as capture:
        tries = shopper(lab, 6).hear()
    lab.check(tries == 6, f"{tries} tries")
    lab.expect_silent(capture.doc, "duplicate-delivery")


@case("duplicate-delivery", "capture-twin")
def loss_is_no_duplicate(lab):
    _, doc, _ = lossy(lab, "c", "c0")
    lab.expect_silent(doc, "duplicate-delivery", allowed=("retrans-high",))


# --- peer-zero-window

@case("peer-zero-window", "capture-fault", waits=60, beside=OFFLOAD)
def shut_for_most_of_a_minute(lab):
    """A peer that never reads: its window stays shut, and each probe is answered. The last that packets tell of it is the probe at 51 s."""
    lab.build()
    lab.spawn("s", window.sleeper(lab, 1), "lab-sleep").hear()
    with lab.capture("c", "c0") as capture:
        program = lab.spawn("c", window.writer(lab, 1), "lab-write")
        program.hear()
        window.blocked(lab, "c", 1, 8, patience=90)
    finding = lab.expect(capture.doc, "peer-zero-window", "critical", program, (lab.addr("s"), window.PORT), count=1)
    lab.expect_evidence(finding, "shut", lambda value: 40000 < value < 90000, "51 s or so")
    lab.expect_evidence(finding, "still_shut", lambda value: value == 1, 1)
    lab.expect_evidence(finding, "probes", lambda value: 6 <= value <= 20, "nine or so")


@case("peer-zero-window", "capture-fault", waits=10, beside=OFFLOAD)
def five_connections_to_one_peer(lab):
    lab.build()
    lab.spawn("s", window.sleeper(lab, 5), "lab-sleep").hear()
    with lab.capture("s", "s0") as capture:
        lab.spawn("c", window.writer(lab, 5), "lab-write").hear()
        window.blocked(lab, "c", 5, 5)
    finding = lab.expect(capture.doc, "peer-zero-window", "critical", count=5)
    if finding and "lab-sleep" not in finding["title"]:
        raise Wrong(f"the reader is here and not named: {finding['title']}")


@case("peer-zero-window", "capture-twin", waits=12)
def reader_that_pauses_for_a_second(lab):
    """Shut for a while, and open again."""
    lab.build()

    def reader(tell):
        sock = listener(lab, window.PORT)
        tell("listening")
        connection = sock.accept()[0]
        while True:
            connection.recv(1 << 20)
            time.sleep(1)

    def sender(tell):
        sock = connected(lab, window.PORT)
        sock.settimeout(None)
        tell("connected")
        while True:
            sock.send(bytes(65536))
    lab.spawn("s", reader, "lab-read").hear()
    with lab.capture("c", "c0") as capture:
        program = lab.spawn("c", sender, "lab-write")
        program.hear()
        time.sleep(8)
        program.end()
    lab.check(not lab.binary or capture.doc["events"]["zero_window"] > 0, "the window was never shut")
    lab.expect_silent(capture.doc, "peer-zero-window")


# --- nagle-delack-stall

def ask(lab, build=None, seconds=3, interface="c0", **how):
    """A client that asks and a server that answers, captured at the client: the program, the document, and what an answer took in ms."""
    (build or lab.build)()
    with lab.capture("c", interface) as capture:
        lab.spawn("s", nagle.answering(lab), "lab-answer").hear()
        program = lab.spawn("c", nagle.asking(lab, **how), "lab-ask")
        taken = [program.hear() for _ in range(seconds)]
    return program, capture.doc, taken[-1]


@case("nagle-delack-stall", "capture-fault")
def two_writes_and_a_wait(lab):
    program, doc, taken = ask(lab)
    lab.check(nagle.SHORTEST_DELAY <= taken <= 250, f"an answer takes {taken:.1f} ms")
    finding = lab.expect(doc, "nagle-delack-stall", "warning", program, (lab.addr("s"), nagle.PORT), count=1)
    lab.expect_evidence(finding, "stalls", lambda value: 10 <= value <= 150, "20 a second")
    lab.expect_evidence(finding, "wait_min", lambda value: 20 <= value <= 60, "40 ms")


@case("nagle-delack-stall", "capture-twin")
def the_same_with_nodelay(lab):
    _, doc, taken = ask(lab, nodelay=True, pause=0.005)
    lab.check(taken < nagle.SHORTEST_DELAY, f"an answer takes {taken:.1f} ms")
    lab.expect_silent(doc, "nagle-delack-stall")


@case("nagle-delack-stall", "capture-twin")
def path_of_forty_ms(lab):
    """The same two writes over a path whose round trip is 40 ms."""
    _, doc, taken = ask(lab, lambda: wirebox.build(lab, lambda packet, sender: [0.02]), interface=wirebox.FAR)
    lab.check(2 * nagle.SHORTEST_DELAY <= taken <= 400, f"an answer takes {taken:.1f} ms")
    lab.expect_silent(doc, "nagle-delack-stall")

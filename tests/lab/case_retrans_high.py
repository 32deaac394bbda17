# SPDX-License-Identifier: MIT
"""Segments that are lost on the way, and what is sent again without being lost: reordering, duplicates, lost ACKs, outages, a narrower path."""
import contextlib
import os
import socket
import time

from case_pmtu_shrunk import aliases
from cases import case
from lab import ADDRESSES, connected, listener, rest, serve, told

RULE = "retrans-high"
PORT = 5001
SO_MAX_PACING_RATE = 47
PACE = 20_000_000
ANSWER = 20000


def lose(lab, percent, towards="s"):
    """So many of a hundred packets on their way to a role are dropped at the router."""
    lab.forward_rule(f'iifname "{"rc" if towards == "s" else "rs"}" meta l4proto tcp numgen random mod 100 < {percent} drop')


def sink(lab, pause=0, cpus=None):
    """A program that takes what comes, and rests between two reads."""
    def program(tell):
        if cpus:
            os.sched_setaffinity(0, cpus)
        os.nice(10)
        sock = listener(lab, PORT)
        tell("listening")
        serve(sock, lambda connection, data: time.sleep(pause) if pause else None)
    lab.spawn("s", program, "lab-sink").hear()


def source(lab, count=1, pace=PACE, cpus=None):
    """Sends without end on each connection; says so when all have begun."""
    def program(tell):
        if cpus:
            os.sched_setaffinity(0, cpus)
        os.nice(10)
        kept = [connected(lab, PORT) for _ in range(count)]
        for sock in kept:
            if pace:
                sock.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, pace)
            sock.setblocking(False)
        tell("connected")
        told()
        begun = time.monotonic()
        while True:
            for sock in kept:
                with contextlib.suppress(BlockingIOError):
                    sock.send(bytes(1 << 18))
            if count > 1 or pace:
                time.sleep(0.002)
            if begun and time.monotonic() - begun > 1:
                tell("sends")
                begun = None
    program = lab.spawn("c", program, "lab-source")
    program.hear()
    program.go()
    program.hear()
    return program


def watched(lab, role="c"):
    """A report, and how far the counters of the role went meanwhile."""
    before = lab.counters(role)
    doc = lab.report(role)
    after = lab.counters(role)
    return doc, {key: after[key] - before.get(key, 0) for key in after}


def bulk(lab, percent, count=1):
    lab.build("crs")
    sink(lab)
    lose(lab, percent)
    program = source(lab, count)
    doc, grown = watched(lab)
    real = 100 * grown["TcpRetransSegs"] / max(grown["TcpExtTCPOrigDataSent"], 1)
    lab.check(0.6 * percent < real < 1.6 * percent and grown["TcpRetransSegs"] > 30, f"{real:.1f} % were sent again")
    return program, doc


@case(RULE, "fault")
def one_in_twenty(lab):
    """5 % of what a transfer sends is dropped: critical inside a private network."""
    program, doc = bulk(lab, 5)
    finding = lab.expect(doc, RULE, "critical", program, (lab.addr("s"), PORT), count=1, confidence=(0.8, 0.9))
    lab.expect_evidence(finding, "loss", lambda value: 3 < value < 8, "about 5")
    lab.expect_evidence(finding, "host_loss", lambda value: 3 < value < 8, "about 5")
    lab.expect_evidence(finding, "congestion_control", lambda value: value == "cubic", "cubic")


@case(RULE, "fault")
def four_transfers_at_once(lab):
    """Four connections of one program to one place are one finding."""
    program, doc = bulk(lab, 5, count=4)
    lab.expect(doc, RULE, "critical", program, (lab.addr("s"), PORT), count=(2, 4))


@case(RULE, "fault", waits=10)
def one_in_a_hundred(lab):
    """1 %: worth a warning inside a private network, and never more."""
    program, doc = bulk(lab, 1)
    finding = lab.expect(doc, RULE, "warning", program, (lab.addr("s"), PORT), count=1)
    lab.expect_evidence(finding, "loss", lambda value: 0.5 < value < 1.6, "about 1")


@case(RULE, "fault")
def server_that_pushes(lab):
    """The side that accepted loses: the client is named without the port that chance gave it."""
    lab.build("crs")
    lose(lab, 5, towards="c")

    def server(tell):
        sock = listener(lab, PORT)
        tell("listening")
        kept = [sock.accept()[0] for _ in range(3)]
        tell("accepted")
        for connection in kept:
            connection.setblocking(False)
        while True:
            for connection in kept:
                with contextlib.suppress(BlockingIOError):
                    connection.send(bytes(1 << 16))
            time.sleep(0.002)

    def client(tell):
        kept = [connected(lab, PORT) for _ in range(3)]
        for sock in kept:
            sock.setblocking(False)
        tell("connected")
        while True:
            for sock in kept:
                with contextlib.suppress(BlockingIOError):
                    while sock.recv(1 << 16):
                        pass
            time.sleep(0.002)
    program = lab.spawn("s", server, "lab-push")
    program.hear()
    lab.spawn("c", client, "lab-pull").hear()
    program.hear()
    time.sleep(1)
    doc, grown = watched(lab, "s")
    lab.check(grown["TcpRetransSegs"] > 50, f"{grown['TcpRetransSegs']} segments sent again")
    lab.expect(doc, RULE, "critical", program, (lab.addr("c"), None), count=(2, 3))


@case(RULE, "fault")
def connections_too_short_to_follow(lab):
    """Answers of 20 kB, a connection each: no socket stands in two samples, the counters tell, and nobody is blamed."""
    lab.build("crs")

    def server(tell):
        sock = listener(lab, PORT)
        tell("listening")

        def answer(connection, data):
            if data:
                connection.send(bytes(ANSWER))
        serve(sock, answer)

    def client(tell):
        for number in range(1_000_000):
            with contextlib.suppress(OSError), connected(lab, PORT, timeout=3) as sock:
                sock.send(b"GET")
                left = ANSWER
                while left:
                    left -= len(sock.recv(left)) or left
            if number == 5:
                tell("visits")
            time.sleep(0.005)
    lab.spawn("s", server, "lab-serve").hear()
    lose(lab, 5, towards="c")
    for _ in range(4):
        lab.spawn("c", client, "lab-visit").hear(30)
    doc, grown = watched(lab, "s")
    lab.check(grown["TcpRetransSegs"] > 60, f"{grown['TcpRetransSegs']} of {grown['TcpExtTCPOrigDataSent']} segments sent again")
    lab.expect(doc, RULE, "warning", confidence=(0.5, 0.65))


def clean(lab, cpus=None, pause=0, pace=None, roles="crs"):
    """A transfer that loses nothing: as fast as the machine can, or as slowly as the receiver reads."""
    lab.build(roles)
    sink(lab, pause, cpus)
    source(lab, 1, pace, cpus)
    doc, grown = watched(lab)
    lab.check(grown["TcpExtTCPOrigDataSent"] > 1000, "nothing was sent")
    lab.expect_silent(doc, RULE)
    return f"{grown['TcpRetransSegs']} of {grown['TcpExtTCPOrigDataSent']} sent again, {grown['TcpExtTCPDSACKRecvSegs']} of them needlessly"


@case(RULE, "twin")
def bulk_on_all_processors(lab):
    """A virtual link between two processors reorders: hundreds of segments are sent again, none is lost."""
    return clean(lab)


@case(RULE, "twin")
def bulk_on_one_processor(lab):
    return clean(lab, cpus={0})


@case(RULE, "twin")
def bulk_without_a_router(lab):
    return clean(lab, roles="cs")


@case(RULE, "twin")
def receiver_that_is_slow(lab):
    """The window is what holds the sender."""
    return clean(lab, pause=0.005)


@case(RULE, "twin")
def acknowledgements_lost(lab):
    """A fifth of the ACKs: later ones stand for them."""
    lab.build("crs")
    sink(lab)
    lose(lab, 20, towards="c")
    source(lab)
    doc, grown = watched(lab)
    lab.check(grown["TcpExtTCPOrigDataSent"] > 1000, "nothing was sent")
    lab.expect_silent(doc, RULE)
    return f"{grown['TcpRetransSegs']} of {grown['TcpExtTCPOrigDataSent']} sent again"


@case(RULE, "twin")
def duplicates_of_the_network(lab):
    """The router sends packets twice: duplicates are reported, and nothing was sent again."""
    lab.build("crs")
    table = "ip" if lab.family == 4 else "ip6"
    lab.nft("r", f"table {table} lab {{\n chain dup_lab {{\n type filter hook prerouting priority 0;\n"
                 f' iifname "rc" tcp dport {PORT} numgen random mod 100 < 30 dup to {ADDRESSES[lab.family]["s"]} device "rs"\n }}\n}}\n')
    sink(lab)
    source(lab, pace=2_000_000)
    doc, grown = watched(lab)
    lab.check(grown["TcpExtTCPDSACKRecv"] > 20, f"{grown['TcpExtTCPDSACKRecv']} duplicates were reported")
    lab.expect_silent(doc, RULE)
    return f"{grown['TcpExtTCPDSACKRecv']} duplicates, {grown['TcpRetransSegs']} sent again"


@case(RULE, "twin")
def path_that_dies(lab):
    """Everything is dropped in the middle of transfers: an outage, of which other rules speak."""
    lab.build("crs")
    sink(lab)
    source(lab, 5, pace=2_000_000)
    lab.forward_rule("drop")
    time.sleep(1)
    doc, grown = watched(lab)
    lab.check(grown["TcpExtTCPTimeouts"] >= 5, "no timeouts")
    lab.expect_silent(doc, RULE, allowed=("dead-peer-unacked", "mtu-blackhole-send"))


@case(RULE, "twin")
def path_that_dies_while_we_watch(lab):
    """The same, two seconds before the last sample."""
    lab.build("crs")
    sink(lab)
    source(lab, 5, pace=2_000_000)

    pid = os.fork()
    if not pid:
        try:
            time.sleep(3.2)
            lab.forward_rule("drop")
        finally:
            os._exit(0)
    doc, grown = watched(lab)
    os.waitpid(pid, 0)
    lab.check(grown["TcpExtTCPTimeouts"] >= 5, "no timeouts")
    lab.expect_silent(doc, RULE, allowed=("dead-peer-unacked", "mtu-blackhole-send"))


@case(RULE, "twin")
def path_that_is_narrower(lab):
    """A router that says so: what was too large is sent again, once a destination. Uploads to others begin while we watch."""
    lab.build("crs")
    lab.batch("r", "link set rs mtu 1400")
    others = aliases(lab)
    sink(lab)

    def uploader(tell):
        tell("ready")
        told()
        kept = []
        for address in others[:4]:
            kept.append(connected(lab, PORT, address=address))
            kept[-1].sendall(bytes(300_000))
            time.sleep(1)
        rest()
    program = lab.spawn("c", uploader, "lab-upload")
    program.hear()
    program.go()
    doc, grown = watched(lab)
    lab.check(grown["TcpRetransSegs"] >= 10, f"{grown['TcpRetransSegs']} segments were sent again")
    lab.expect_silent(doc, RULE, allowed=("pmtu-shrunk",))
    return f"{grown['TcpRetransSegs']} of {grown['TcpExtTCPOrigDataSent']} sent again"

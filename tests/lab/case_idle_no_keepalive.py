# SPDX-License-Identifier: MIT
"""Idle connections that the client's own connection tracking forgets, and idle connections that are kept alive or that nothing stands before."""
import re
import socket
import time

from cases import case
from lab import connected, listener, rest, serve

RULE = "idle-no-keepalive"
PORT = 5432
BUDGET = 5
SILENT_MS = 4000  # 0.8 of it
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
TRACK = "table inet lab {\n chain track {\n type filter hook output priority 0;\n ct state established accept\n }\n}\n"


def tracked(lab, roles="crs"):
    """The namespaces, with connection tracking at work in c that forgets after BUDGET seconds."""
    lab.build(roles)
    lab.nft("c", TRACK)
    lab.sysctl("c", "net.netfilter.nf_conntrack_tcp_timeout_established", BUDGET)


def keepalive(sock, seconds):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, seconds)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, seconds)


def pool(lab, count, seconds=None, address=None, beat=None):
    """A client with `count` connections that say nothing, with keepalive after `seconds`; with `beat` it speaks that often."""
    def program(tell):
        kept = [connected(lab, PORT, address=address) for _ in range(count)]
        for sock in kept if seconds else ():
            keepalive(sock, seconds)
        tell("idle")
        while beat:
            time.sleep(beat)
            for sock in kept:
                sock.send(b"alive?")
                sock.recv(100)
        rest()
        del kept
    return program


def server(lab, seconds=None):
    """Accepts, and answers when it is spoken to; probes its clients after `seconds`."""
    def program(tell):
        sock = listener(lab, PORT)
        if seconds:
            keepalive(sock, seconds)  # what it accepts inherits it
        tell("listening")
        serve(sock, lambda connection, data: connection.send(data) and None)
    return program


def silence(row):
    found = re.search(r"\blastack:(\d+)", row.rest)
    return int(found[1]) if found else 0


def until_silent(lab, role, count, ms=SILENT_MS):
    """`count` connections of a role have heard nothing for so long, and no timer runs for them."""
    deadline = time.monotonic() + 20
    while True:
        rows = lab.ss(role, "state", "established")
        lab.check(len(rows) == count, f"{len(rows)} connections, expected {count}")
        if all(silence(row) >= ms for row in rows):
            lab.check(not any("timer:" in row.rest for row in rows), "a timer runs")
            return
        lab.check(time.monotonic() < deadline, f"they are silent for {sorted(map(silence, rows))} ms only")
        time.sleep(0.1)


def tracks(lab):
    def count():
        with open("/proc/sys/net/netfilter/nf_conntrack_count", encoding="ascii") as number:
            return int(number.read())
    return lab.inside("c", count)


@case(RULE, "fault", waits=8)
def pool_forgotten_by_own_tracking(lab):
    """Twelve silent connections: the client's own connection tracking is about to forget them."""
    tracked(lab)
    lab.spawn("s", server(lab), "lab-serve").hear()
    program = lab.spawn("c", pool(lab, 12), "lab-pool")
    program.hear()
    until_silent(lab, "c", 12, SILENT_MS - 1500)
    lab.check(tracks(lab) >= 12, "the connections are not tracked")
    until_silent(lab, "c", 12)
    lab.inside("c", lambda: speak_elsewhere(lab))  # tracking forgets all of them otherwise, and then counts nothing
    finding = lab.expect(lab.report("c"), RULE, "warning", program, (lab.addr("s"), PORT), count=12, confidence=(0.8, 0.9))
    lab.expect_evidence(finding, "budget", lambda value: value == 1000 * BUDGET, "the setting")
    lab.expect_evidence(finding, "oldest", lambda value: SILENT_MS <= value <= 90000, "some seconds")
    lab.expect_evidence(finding, "past_budget", lambda value: value == 12, "all of them at the last sample")
    lab.expect_evidence(finding, "keepalive_time", lambda value: value == 7200, "the default")


def speak_elsewhere(lab):
    with socket.socket(socket.AF_INET if lab.family == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.connect((lab.addr("s"), 9))
        sock.send(b"x")


@case(RULE, "fault", waits=8)
def accepted_from_a_private_client(lab):
    """The same at the side that accepted: one line for the client, whatever its ports."""
    tracked(lab)

    def swapped_server(tell):
        sock = listener(lab, PORT)
        tell("listening")
        kept = [sock.accept()[0] for _ in range(12)]
        tell("accepted")
        rest()
        del kept

    def swapped_client(tell):
        kept = [connected(lab, PORT, role="c") for _ in range(12)]
        tell("idle")
        rest()
        del kept
    program = lab.spawn("c", swapped_server, "lab-serve")
    program.hear()
    lab.spawn("s", swapped_client, "lab-pool").hear()
    program.hear()
    until_silent(lab, "c", 12)
    lab.inside("c", lambda: speak_elsewhere(lab))
    lab.expect(lab.report("c"), RULE, "warning", program, (lab.addr("s"), 0), count=12)


@case(RULE, "twin", waits=8)
def client_probes(lab):
    """The same pool with keepalive after two seconds."""
    tracked(lab)
    lab.spawn("s", server(lab), "lab-serve").hear()
    lab.spawn("c", pool(lab, 12, seconds=2), "lab-pool").hear()
    time.sleep(SILENT_MS / 1000 + 0.5)
    lab.sockets("c", 12, "state", "established", like=lambda row: "timer:(keepalive" in row.rest)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin", waits=8)
def server_probes(lab):
    """The server sends the keepalives: at the client no timer runs and no clock is refreshed, only the segments are counted."""
    tracked(lab)
    lab.spawn("s", server(lab, seconds=1), "lab-serve").hear()
    lab.spawn("c", pool(lab, 12), "lab-pool").hear()
    until_silent(lab, "c", 12)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin", waits=8)
def program_speaks(lab):
    """A heartbeat of the application every second."""
    tracked(lab)
    lab.spawn("s", server(lab), "lab-serve").hear()
    lab.spawn("c", pool(lab, 12, beat=1), "lab-pool").hear()
    time.sleep(SILENT_MS / 1000 + 0.5)
    lab.sockets("c", 12, "state", "established", like=lambda row: silence(row) < 3000)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin", waits=8)
def idle_on_loopback(lab):
    """Silent connections to a server on the same host."""
    tracked(lab)
    lab.spawn("c", server(lab), "lab-serve").hear()
    lab.spawn("c", pool(lab, 12, address=LOOPBACK[lab.family]), "lab-pool").hear()
    until_silent(lab, "c", 24)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin", waits=8)
def own_address(lab):
    """The same by the host's own address."""
    tracked(lab)
    lab.spawn("c", server(lab), "lab-serve").hear()
    lab.spawn("c", pool(lab, 12, address=lab.addr("c")), "lab-pool").hear()
    until_silent(lab, "c", 24)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin", waits=8)
def peer_on_the_link(lab):
    """A peer in the same subnet: nothing stands between."""
    tracked(lab, "cs")
    lab.spawn("s", server(lab), "lab-serve").hear()
    lab.spawn("c", pool(lab, 12), "lab-pool").hear()
    until_silent(lab, "c", 12)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin", waits=8)
def nothing_forgets(lab):
    """No connection tracking, no known cloud: some seconds of silence are nothing."""
    lab.build("crs")
    lab.spawn("s", server(lab), "lab-serve").hear()
    lab.spawn("c", pool(lab, 12), "lab-pool").hear()
    until_silent(lab, "c", 12)
    lab.expect_silent(lab.report("c"), RULE)

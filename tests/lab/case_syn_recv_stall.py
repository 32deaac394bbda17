# SPDX-License-Identifier: MIT
"""Handshakes that are answered and do not complete, and ones that only take their time."""
import socket
import time

from cases import case
from half_open import accepting, build_with_nobody, callers, flood, rose, slow_way_back
from lab import rest, Wrong

RULE = "syn-recv-stall"
PORT = 7001
BACKLOG = 128
LOST_SYN_ACK = f"tcp sport {PORT} tcp flags & (syn | ack) == syn | ack drop"
LOST_LAST_ACK = f"tcp dport {PORT} tcp flags & (syn | ack) == ack drop"


def stalled(lab, lost, count, sources=None, backlog=BACKLOG):
    """Clients whose handshakes lose a packet in the router; returns the server's program once they are all half-open."""
    lab.build("crs")
    if sources:
        many_addresses(lab, sources)
    lab.forward_rule(lost)
    program = lab.spawn("s", accepting(lab, PORT, backlog), "lab-serve")
    program.hear()
    lab.spawn("c", callers(lab, PORT, count, sources), "lab-call").hear()
    lab.sockets("s", min(count, backlog + 1), "state", "syn-recv", "sport", "=", f":{PORT}")
    return program


def networks(lab, count):
    return [f"10.{72 + number // 200}.{number % 200}.9" if lab.family == 4 else f"fd73:0:0:{number}::9" for number in range(count)]


def many_addresses(lab, sources):
    bits, route = (24, "10.64.0.0/10") if lab.family == 4 else (64, "fd73::/48")
    lab.batch("c", *[f"addr add {source}/{bits} dev c0" + (" nodad" if lab.family == 6 else "") for source in sources])
    lab.batch("r", f"route add {route} via {lab.addr('c')}")


def retried(lab, low, high):
    """Half-open sockets that were answered again at least twice."""
    deadline = time.monotonic() + 10
    while True:
        rows = lab.ss("s", "state", "syn-recv", "sport", "=", f":{PORT}")
        again = [row for row in rows if int(row.rest.split("timer:(on,")[1].split(")")[0].split(",")[1]) >= 2]
        if low <= len(again) <= high:
            return again
        lab.check(time.monotonic() < deadline, f"{len(again)} of {len(rows)} were answered again twice")
        time.sleep(0.1)


def no_more_than_info(lab, doc, allowed=()):
    for finding in (doc or {"findings": []})["findings"]:
        if finding["severity"] != "info" and finding["rule"] not in allowed:
            raise Wrong(f"{finding['severity']} {finding['rule']} on a healthy twin: {finding['title']}")
    return [finding for finding in (doc or {"findings": []})["findings"] if finding["rule"] == RULE]


@case(RULE, "fault", waits=15)
def syn_acks_are_lost(lab):
    """Six clients ask again and again. After the first report one look is enough."""
    program = stalled(lab, LOST_SYN_ACK, 6)
    retried(lab, 6, 6)
    finding = lab.expect(lab.report("s"), RULE, "warning", program, local_port=PORT, count=6, confidence=(0.8, 0.9))
    lab.expect_evidence(finding, "repeating", lambda value: value >= 3, "3 and more")
    lab.expect_evidence(finding, "busiest_client", lambda value: value == lab.addr("c"), lab.addr("c"))
    lab.expect_evidence(finding, "networks", lambda value: value == 1, 1)
    lab.expect_evidence(finding, "gives_up", lambda value: value == 63000, 63000)
    lab.expect(lab.report("s", "--quick"), RULE, "warning", program, local_port=PORT, count=6, confidence=(0.7, 0.8))


@case(RULE, "fault", waits=15)
def twenty_five_of_them(lab):
    program = stalled(lab, LOST_SYN_ACK, 25)
    retried(lab, 25, 25)
    lab.expect(lab.report("s"), RULE, "critical", program, local_port=PORT, count=25, confidence=(0.8, 0.9))


@case(RULE, "fault", waits=15)
def last_packet_is_lost(lab):
    """The clients believe that they are connected, so they do not ask again."""
    program = stalled(lab, LOST_LAST_ACK, 8)
    lab.sockets("c", 8, "state", "established")
    retried(lab, 8, 8)
    finding = lab.expect(lab.report("s"), RULE, "warning", program, local_port=PORT, count=8, confidence=(0.6, 0.8))
    lab.expect_evidence(finding, "repeating", lambda value: value == 0, 0)


@case(RULE, "fault", waits=15)
def way_back_is_broken_for_all(lab):
    """A hundred and fifty clients from as many networks fill the queue, cookies are sent and none comes back: as in a flood, but they ask again."""
    sources = networks(lab, 150)
    program = stalled(lab, LOST_SYN_ACK, 150, sources, backlog=64)
    retried(lab, 60, 65)
    before = lab.counters("s")
    doc = lab.report("s")
    grew = rose(lab, "s", before, "TcpExtSyncookiesSent", "TcpExtSyncookiesRecv", "TcpPassiveOpens")
    lab.check(grew["SyncookiesSent"] >= 50 and not grew["SyncookiesRecv"], f"cookies: {grew}")
    finding = lab.expect(doc, RULE, "critical", program, local_port=PORT, count=(60, 65), confidence=(0.8, 0.9))
    lab.expect_evidence(finding, "networks", lambda value: 50 <= value <= 75, "about 65")


@case(RULE, "fault", waits=15, beside={"syn-flood": "from one network, without a repeated SYN, it may be either: both readings are printed"})
def both_readings_stand(lab):
    """SYNs from one network that nobody finishes."""
    build_with_nobody(lab)
    program = lab.spawn("s", accepting(lab, PORT, BACKLOG), "lab-serve")
    program.hear()
    lab.spawn("c", flood(lab, PORT, 300, 30, networks=1), "lab-flood").hear()
    lab.sockets("s", BACKLOG + 1, "state", "syn-recv", "sport", "=", f":{PORT}")
    doc = lab.report("s")
    finding = lab.expect(doc, RULE, "critical", program, local_port=PORT, count=BACKLOG + 1, confidence=(0.6, 0.6))
    for other in (doc or {"findings": []})["findings"]:
        if other["explained_by"] is not None:
            raise Wrong(f"{other['rule']} is folded under another")
    if finding and {other["rule"] for other in doc["findings"]} != {RULE, "syn-flood"}:
        raise Wrong("the other reading is missing")
    if finding and len({other["next"][0] for other in doc["findings"]}) != 1:
        raise Wrong("the two readings do not name the same command first")


@case(RULE, "twin", waits=15)
def deferred_accept(lab):
    """TCP_DEFER_ACCEPT: clients are connected and say nothing; they stay half-open by design."""
    lab.build("crs")
    lab.spawn("s", accepting(lab, PORT, BACKLOG, lambda sock: sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)), "lab-defer").hear()
    lab.spawn("c", callers(lab, PORT, 30), "lab-call").hear()
    lab.sockets("c", 30, "state", "established")
    time.sleep(3.2)
    lab.sockets("s", 30, "state", "syn-recv", "sport", "=", f":{PORT}", like=lambda row: row.rest.startswith("timer:(on,") and ",0)" in row.rest)
    spoke = no_more_than_info(lab, lab.report("s"))
    lab.sockets("s", 30, "state", "syn-recv")
    if lab.binary and (len(spoke) != 1 or spoke[0]["count"] != 30 or "TCP_DEFER_ACCEPT" not in spoke[0]["title"]):
        raise Wrong(f"deferred clients are not named: {[finding['title'] for finding in spoke]}")
    return no_more_than_info(lab, lab.report("s", "--quick")) and "also in one look"


@case(RULE, "twin", waits=15)
def four_clients_that_vanish(lab):
    """One fewer than the limit, beside one that works."""
    stalled(lab, LOST_SYN_ACK, 4)
    retried(lab, 4, 4)
    lab.expect_silent(lab.report("s"), RULE)


@case(RULE, "twin", waits=15)
def long_way_under_load(lab):
    """Handshakes take most of a second each, a hundred at a time: many half-open at every look, none answered twice."""
    lab.build("crs")
    slow_way_back(lab)
    lab.spawn("s", accepting(lab, PORT, 400), "lab-serve").hear()

    def crowds(tell):
        tell("begins")
        kept = []
        for _ in range(9):
            begun = time.monotonic()
            callers(lab, PORT, 150, kept=kept)(lambda count: None)
            time.sleep(max(begun + 1 - time.monotonic(), 0))
        rest()
    lab.spawn("c", crowds, "lab-crowd").hear()
    seen = 0
    for _ in range(20):
        seen = max(seen, len(lab.ss("s", "state", "syn-recv", "sport", "=", f":{PORT}")))
        time.sleep(0.05)
    lab.check(seen >= 30, f"no more than {seen} were half-open at once")
    lab.expect_silent(lab.report("s"), RULE)


@case(RULE, "twin", waits=15)
def handshakes_of_two_seconds(lab):
    """A way back with a queue of more than a second: clients repeat their SYN, are answered twice, and get in."""
    lab.build("crs")
    slow_way_back(lab, 30)
    lab.spawn("s", accepting(lab, PORT, 400), "lab-serve").hear()

    def crowds(tell):
        tell("begins")
        kept = []
        for _ in range(5):
            begun = time.monotonic()
            callers(lab, PORT, 40, kept=kept)(lambda count: None)
            time.sleep(max(begun + 2.8 - time.monotonic(), 0))
        rest()
    before = lab.counters("s")
    lab.spawn("c", crowds, "lab-crowd").hear()
    time.sleep(1)
    lab.sockets("s", (5, 60), "state", "syn-recv", "sport", "=", f":{PORT}")
    doc = lab.report("s")
    grew = rose(lab, "s", before, "TcpPassiveOpens", "TcpExtTCPSynRetrans")
    lab.check(grew["TCPSynRetrans"] >= 10 and grew["TcpPassiveOpens"] >= 40, f"not the picture: {grew}")
    lab.expect_silent(doc, RULE, allowed=("retrans-high",))
    return str(grew)

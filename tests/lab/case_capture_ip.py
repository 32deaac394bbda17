# SPDX-License-Identifier: MIT
"""What packets show of routes that lead in circles or nowhere, and of tools that ask for just such answers; and what a capture says about itself."""
import contextlib
import socket
import time

import case_retrans_high as retrans
from case_udp_unreachable import udp
from cases import case
from lab import rest, tcp, Wrong

NOWHERE = {4: "10.99.0.1", 6: "fd99::1"}
NETWORK = {4: "10.99.0.0/16", 6: "fd99::/64"}
PORT = 7777


# --- ttl-exceeded

def sends(lab, address, count=5, pause=0.2, ttl=None, first_port=PORT, answer=False):
    """A program: datagrams to an address, with a TTL of their own from ttl(number)."""
    def program(tell):
        for number in range(count):
            sock = udp(lab)
            if ttl:
                if lab.family == 4:
                    sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl(number))
                else:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl(number))
            with contextlib.suppress(OSError):
                sock.sendto(b"anybody there?", (address, first_port + number))
            time.sleep(pause)
        tell("sent")
        rest()
    return lab.spawn("c", program, "lab-send")


@case("ttl-exceeded", "capture-fault", beside={"udp-unreachable": "nobody answers the datagrams either", "capture-quality": "one direction only"})
def two_routers_that_point_at_each_other(lab):
    """Each takes the other for the way: a packet goes to and fro until its TTL is used up."""
    lab.build("crs")
    lab.sysctl("s", "net.ipv4.ip_forward", 1)
    lab.sysctl("s", "net.ipv6.conf.all.forwarding", 1)
    lab.sysctl("s", "net.ipv4.conf.s0.send_redirects", 0)
    lab.batch("r", f"route add {NETWORK[lab.family]} via {lab.addr('s')}")
    lab.batch("s", f"route replace {NETWORK[lab.family]} via {lab.addr('rs')}")
    with lab.capture("r", "rs") as capture:
        sends(lab, NOWHERE[lab.family]).hear()
        time.sleep(1)
    finding = lab.expect(capture.doc, "ttl-exceeded", "critical", peer=(NOWHERE[lab.family], None), count=5)
    lab.expect_evidence(finding, "ttl_step", lambda value: value == 1, "1: to s and back over the same link")
    lab.expect_evidence(finding, "passes", lambda value: value >= 10, "as many as the TTL allows")


@case("ttl-exceeded", "capture-fault")
def seen_by_who_sends(lab):
    """A loop takes over while somebody talks: messages about packets that had been answered before."""
    lab.build("crs")
    for role in "rs":
        lab.sysctl(role, "net.ipv4.icmp_ratelimit" if lab.family == 4 else "net.ipv6.icmp.ratelimit", 0)
    lab.sysctl("s", "net.ipv4.ip_forward", 1)
    lab.sysctl("s", "net.ipv6.conf.all.forwarding", 1)
    address = f"{NOWHERE[lab.family]}/{32 if lab.family == 4 else 128}"
    lab.batch("s", f"addr add {address} dev lo" + (" nodad" if lab.family == 6 else ""))
    lab.batch("r", f"route add {NETWORK[lab.family]} via {lab.addr('s')}")

    def server(tell):
        sock = udp(lab)
        sock.bind((NOWHERE[lab.family], PORT))
        tell("bound")
        while True:
            data, peer = sock.recvfrom(100)
            sock.sendto(data, peer)

    def client(tell):
        sock = udp(lab)
        for number in range(200):
            sock.sendto(b"how are you?", (NOWHERE[lab.family], PORT))
            if number < 5:
                sock.recv(100)
            if number == 5:
                tell("talks")
            time.sleep(0.2)
    lab.spawn("s", server, "lab-serve").hear()
    with lab.capture("c", "c0") as capture:
        program = lab.spawn("c", client, "lab-talk")
        program.hear()
        lab.batch("s", f"addr del {address} dev lo", f"route replace {NETWORK[lab.family]} via {lab.addr('rs')}")
        time.sleep(3)
    messages = capture.doc["events"]["time_exceeded"] if capture.doc else 3
    lab.check(messages >= 3, f"{messages} messages came")
    finding = lab.expect(capture.doc, "ttl-exceeded", "warning", peer=(NOWHERE[lab.family], PORT), count=messages)
    lab.expect_evidence(finding, "ttl", lambda value: value == 64, 64)


@case("ttl-exceeded", "capture-twin")
def somebody_traces_the_path(lab):
    """What a traceroute draws: datagrams with TTL 1, 2, 3, three of each."""
    lab.build("crs")
    lab.sysctl("r", "net.ipv4.icmp_ratelimit" if lab.family == 4 else "net.ipv6.icmp.ratelimit", 0)
    with lab.capture("c", "c0") as capture:
        sends(lab, lab.addr("s"), 9, 0.05, lambda number: 1 + number // 3, 33434).hear()
        time.sleep(1)
    lab.check(not capture.doc or capture.doc["events"]["time_exceeded"] >= 3, "no router answered")
    lab.expect_silent(capture.doc, "ttl-exceeded")


# --- icmp-unreachable

def asking(lab, count, pause):
    """A program that sends the same datagram to a destination again and again."""
    def program(tell):
        sock = udp(lab)
        for _ in range(count):
            with contextlib.suppress(OSError):
                sock.sendto(b"report", (NOWHERE[lab.family], 514))
            time.sleep(pause)
        tell("sent")
        rest()
    return lab.spawn("c", program, "lab-log")


def refuse(lab, how):
    lab.build("crs")
    lab.sysctl("r", "net.ipv4.icmp_ratelimit" if lab.family == 4 else "net.ipv6.icmp.ratelimit", 0)
    lab.batch("r", f"route add {how} {NETWORK[lab.family]}")


@case("icmp-unreachable", "capture-fault")
def route_that_says_unreachable(lab):
    refuse(lab, "unreachable")
    with lab.capture("c", "c0") as capture:
        asking(lab, 20, 0.15).hear()
        time.sleep(1)
    finding = lab.expect(capture.doc, "icmp-unreachable", "warning", peer=(NOWHERE[lab.family], None), count=(5, 20))
    lab.expect_evidence(finding, "reporter", lambda value: value == lab.addr("rc"), lab.addr("rc"))


@case("icmp-unreachable", "capture-fault")
def route_that_is_prohibited(lab):
    refuse(lab, "prohibit")
    with lab.capture("c", "c0") as capture:
        asking(lab, 20, 0.15).hear()
        time.sleep(1)
    finding = lab.expect(capture.doc, "icmp-unreachable", "warning", count=(5, 20))
    if finding and "prohibited" not in finding["title"]:
        raise Wrong(finding["title"])


@case("icmp-unreachable", "capture-twin")
def black_hole_that_says_nothing(lab):
    refuse(lab, "blackhole")

    def client(tell):
        for _ in range(2):
            sock = tcp(lab)
            sock.settimeout(1.5)
            with contextlib.suppress(OSError):
                sock.connect((NOWHERE[lab.family], PORT))
        tell("gave up")
        rest()
    with lab.capture("c", "c0") as capture:
        lab.spawn("c", client, "lab-dial").hear()
    lab.expect_silent(capture.doc, "icmp-unreachable", allowed=("syn-sent-stall",))


@case("icmp-unreachable", "capture-twin")
def a_message_or_two(lab):
    refuse(lab, "unreachable")
    with lab.capture("c", "c0") as capture:
        asking(lab, 2, 0.5).hear()
        time.sleep(1)
    lab.check(not capture.doc or capture.doc["events"]["unreachable"] >= 2, "the router said nothing")
    lab.expect_silent(capture.doc, "icmp-unreachable")


# --- capture-quality

@case("capture-quality", "capture-fault", beside={"udp-unreachable": "nobody listens for the flood"})
def buffer_too_small_for_a_flood(lab):
    """64 KiB of buffer under more packets than can be read: the kernel says how many it dropped, and every confidence is lower for it."""
    lab.build()

    def flood(tell):
        sock = udp(lab)
        sock.connect((lab.addr("s"), 9))
        for _ in range(60_000):
            with contextlib.suppress(OSError):
                sock.send(bytes(100))
        tell("sent")
        rest()
    with lab.capture("s", "s0", "-B", "64", "-s", "1500", drops=True) as capture:
        lab.spawn("c", flood, "lab-flood").hear(60)
    doc = capture.doc
    if not doc:
        return None
    lab.check(doc["dropped_kernel"] > 100, f"{doc['dropped_kernel']} packets were dropped")
    finding = lab.expect(doc, "capture-quality", "warning")
    lab.expect_evidence(finding, "dropped_kernel", lambda value: value == doc["dropped_kernel"], doc["dropped_kernel"])
    if doc["complete"]:
        raise Wrong("a capture with drops is no complete one")
    for other in doc["findings"]:
        if other["rule"] != "capture-quality" and other["confidence"] > 0.7:
            raise Wrong(f"{other['rule']} has confidence {other['confidence']} in a capture with drops")
    return f"{doc['dropped_kernel']} of {doc['received']} dropped"


def passing_through(lab, interface):
    """A transfer through a router, captured there."""
    lab.build("crs")
    retrans.sink(lab)
    with lab.capture("r", interface) as capture:
        program = retrans.source(lab, pace=500_000)
        time.sleep(2)
        program.end()
    return capture.doc


@case("capture-quality", "capture-fault")
def every_packet_twice(lab):
    """-i any on a router: each packet comes in on one interface and leaves on the other. They are taken out before anything is judged."""
    doc = passing_through(lab, "any")
    finding = lab.expect(doc, "capture-quality", "info")
    lab.expect_evidence(finding, "copies", lambda value: value > 100, "half of all")
    if doc and not 0.4 < doc["duplicate_frames"] / doc["packets"] < 0.6:
        raise Wrong(f"{doc['duplicate_frames']} of {doc['packets']} frames are copies, expected half")
    if doc and doc["linktype"] not in (113, 276):
        raise Wrong(f"link type {doc['linktype']} of any")


@case("capture-quality", "capture-twin")
def one_interface_of_the_router(lab):
    doc = passing_through(lab, "rc")
    lab.check(not doc or doc["packets"] > 60, "hardly any packet passed")
    if doc and doc["duplicate_frames"]:
        raise Wrong(f"{doc['duplicate_frames']} frames were captured twice")
    lab.expect_silent(without_offload(doc), "capture-quality")


def without_offload(doc):
    """Virtual links join segments at times, which is told as info and no fault of the capture."""
    return doc and {**doc, "findings": [finding for finding in doc["findings"] if "larger than any segment" not in finding["title"]]}

# SPDX-License-Identifier: MIT
"""Paths that are narrower than their interface with a router that says so, and paths whose size is as it should be."""
import contextlib
import time

from cases import case
from lab import connected, echo_server, listener, rest, run, scratch, serve

RULE = "pmtu-shrunk"
PORT = 8444
NARROW = 1400
MUTE = "icmp type destination-unreachable drop\n icmpv6 type packet-too-big drop"
DESTINATIONS = 40


def narrow(lab, mtu=NARROW):
    lab.build("crs")
    lab.batch("r", f"link set rs mtu {mtu}")


def uploader(lab, size=20000, count=2):
    """Says hello and sends `size` bytes on each of `count` connections; says so when the other side has them all."""
    def program(tell):
        kept = [connected(lab, PORT) for _ in range(count)]
        for sock in kept:
            sock.sendall(bytes(size))
        for sock in kept:
            sock.recv(1)
        tell("sent")
        rest()
    return program


def upload(lab, size=20000, count=2):
    def server(tell):
        sock, got = listener(lab, PORT), {}
        tell("listening")

        def take(connection, data):
            got[connection] = got.get(connection, 0) + len(data)
            if got[connection] == size:
                connection.send(b"x")
        serve(sock, take)
    lab.spawn("s", server, "lab-serve").hear()
    lab.spawn("c", uploader(lab, size, count), "lab-upload").hear()


def route(lab, address=None):
    """What the client's kernel knows of the way."""
    return run(["nsenter", f"--net=/run/netns/{lab.ns('c')}", "ip", f"-{lab.family}", "route", "get", address or lab.addr("s")])


@case(RULE, "fault")
def router_that_tells(lab):
    """The router may speak: the upload goes through, and the exception stands for ten minutes."""
    narrow(lab)
    upload(lab)
    known = route(lab)
    lab.check(f"mtu {NARROW}" in known and "expires" in known, f"no exception: {known}")
    lab.sockets("c", 2, "state", "established", like=lambda row: f"pmtu:{NARROW}" in row.rest)
    finding = lab.expect(lab.report("c"), RULE, "info", peer=(lab.addr("s"), None), count=2, confidence=(0.9, 0.95))
    lab.expect_evidence(finding, "pmtu", lambda value: value == NARROW, NARROW)
    lab.expect_evidence(finding, "interface_mtu", lambda value: value == 1500, 1500)
    lab.expect_evidence(finding, "expires", lambda value: 560_000 < value <= 600_000, "just below 600 s")
    lab.expect_evidence(finding, "likely", lambda value: "VPN" in value, "a VPN gateway")


@case(RULE, "fault")
def read_from_a_recording(lab):
    """The recording holds the route of a narrow path: read elsewhere, it says the same."""
    narrow(lab)
    upload(lab)
    lab.check(f"mtu {NARROW}" in route(lab), "no exception")
    if not lab.binary:
        return
    with scratch() as folder:
        lab.tcptriage("report", "--netns", lab.ns("c"), "--record", f"{folder}/rec")
        doc = lab.document(lab.tcptriage("report", "--json", "--from", f"{folder}/rec"))
    finding = lab.expect(doc, RULE, "info", peer=(lab.addr("s"), None), count=2)
    lab.expect_evidence(finding, "pmtu", lambda value: value == NARROW, NARROW)


@case(RULE, "fault", families=(4,))
def path_of_six_hundred_bytes(lab):
    """Smaller than IPv6 allows: no network of today, or a message that somebody made up."""
    narrow(lab, 600)
    upload(lab)
    lab.check("mtu 600" in route(lab), "no exception")
    finding = lab.expect(lab.report("c"), RULE, "warning", peer=(lab.addr("s"), None), count=2)
    lab.expect_evidence(finding, "pmtu", lambda value: value == 600, 600)


def aliases(lab):
    """More addresses of the server's, that the router knows the way to."""
    if lab.family == 4:
        many = [f"10.71.3.{number}" for number in range(1, DESTINATIONS + 1)]
        lab.batch("r", f"route add 10.71.3.0/24 via {lab.addr('s')}")
    else:
        many = [f"fd71:0:3::{number:x}" for number in range(1, DESTINATIONS + 1)]
        lab.batch("r", f"route add fd71:0:3::/64 via {lab.addr('s')}")
    lab.batch("s", *(f"addr add {address}/{32 if lab.family == 4 else 128} dev s0" for address in many))
    return many


@case(RULE, "fault", waits=12, beside={"retrans-high": "each first burst to a new destination is lost and sent again"})
def new_destination_every_third_of_a_second(lab):
    """Every connection goes to somebody new and pays for the size once more."""
    narrow(lab)
    many = aliases(lab)
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()

    def crawler(tell):
        kept = []
        for number, address in enumerate(many):
            sock = connected(lab, PORT, address=address)
            sock.sendall(bytes(6000))
            with contextlib.suppress(OSError):
                sock.recv(64)
            kept.append(sock)
            if number == 2:
                tell("crawls")
            time.sleep(0.3)
        rest()
    lab.spawn("c", crawler, "lab-crawl").hear()
    before = lab.counters("c")
    doc = lab.report("c")
    after = lab.counters("c")
    key = "IcmpInDestUnreachs" if lab.family == 4 else "Icmp6InPktTooBigs"
    lab.check(after[key] - before[key] >= 10, f"{after[key] - before[key]} messages")
    finding = lab.expect(doc, RULE, "warning", count=(5, DESTINATIONS))
    lab.expect_evidence(finding, "messages_per_minute", lambda value: value >= 60, "at least 60")
    lab.expect_evidence(finding, "learned", lambda value: value >= 5, "at least 5")


@case(RULE, "twin")
def path_as_wide_as_the_interface(lab):
    """The same upload over links of 1500 bytes."""
    lab.build("crs")
    upload(lab)
    lab.sockets("c", 2, "state", "established", like=lambda row: "pmtu:1500" in row.rest)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def mss_limited_on_the_way(lab):
    """The narrow link's router limits the MSS instead: small segments, and nobody has to learn anything."""
    narrow(lab)
    lab.forward_rule("tcp flags syn tcp option maxseg size set rt mtu")
    lab.forward_rule(MUTE, "output")
    upload(lab)
    lab.sockets("c", 2, "state", "established", like=lambda row: "pmtu:1500" in row.rest and " mss:13" in row.rest)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def mtu_set_on_the_route(lab):
    """A size that is configured, and for IPv6 one that expires as if a router had advertised it."""
    lab.build("crs")
    lab.batch("c", f"route replace default via {lab.addr('rc')} mtu {NARROW}" + (" expires 1800" if lab.family == 6 else ""))
    upload(lab)
    lab.sockets("c", 2, "state", "established", like=lambda row: f"pmtu:{NARROW}" in row.rest)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def loopback(lab):
    """64 KiB on loopback beside 1500 on the wire."""
    lab.build("crs")
    lab.spawn("c", echo_server(lab, PORT), "lab-local").hear()
    upload(lab)

    def near(tell):
        sock = connected(lab, PORT, address="127.0.0.1" if lab.family == 4 else "::1")
        sock.sendall(bytes(5000))
        tell("sent")
        rest()
    lab.spawn("c", near, "lab-near").hear()
    lab.sockets("c", (1, 9), "state", "established", f"( dport = :{PORT} )", like=lambda row: "pmtu:1500" in row.rest or "pmtu:6553" in row.rest)
    lab.expect_silent(lab.report("c"), RULE)

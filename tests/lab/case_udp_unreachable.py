# SPDX-License-Identifier: MIT
"""Datagrams for ports where nobody listens, UDP source ports used up, and pictures that only look like it."""
import contextlib
import errno
import socket
import time

from cases import case
from lab import listener, rest, Wrong

RULE = "udp-unreachable"
PORT = 8125
GLOBAL = {4: "9.71.2.2", 6: "2a71:0:2::2"}
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
COUNTER = {4: "UdpNoPorts", 6: "Udp6NoPorts"}


def udp(lab):
    return socket.socket(socket.AF_INET if lab.family == 4 else socket.AF_INET6, socket.SOCK_DGRAM)


def sender(lab, to, rate, connect=False, limit=5000):
    """Sends `rate` datagrams a second and never minds what comes back."""
    def program(tell):
        sock = udp(lab)
        if connect:
            sock.connect((to, PORT))
        sent, begun = 0, time.monotonic()
        while sent < limit:
            while sent < (time.monotonic() - begun) * rate + 1:
                with contextlib.suppress(ConnectionRefusedError):
                    if connect:
                        sock.send(b"counter:1|c")
                    else:
                        sock.sendto(b"counter:1|c", (to, PORT))
                sent += 1
                if sent == 3:
                    tell("sending")
            time.sleep(0.02)
        rest()
    return program


def refused(lab, at_least):
    """So many datagrams have met no socket on the server."""
    deadline = time.monotonic() + 30
    while lab.counters("s")[COUNTER[lab.family]] < at_least:
        lab.check(time.monotonic() < deadline, f"{COUNTER[lab.family]} does not grow")
        time.sleep(0.1)


@case(RULE, "fault")
def nobody_listens(lab):
    """Twenty datagrams a second to a closed port of a host with private addresses."""
    lab.build()
    lab.spawn("c", sender(lab, lab.addr("s"), 20), "lab-send").hear()
    refused(lab, 5)
    finding = lab.expect(lab.report("s"), RULE, "warning", count=(40, 2000))
    lab.expect_evidence(finding, "no_ports" if lab.family == 4 else "no_ports_v6", lambda value: 40 <= value <= 2000, "about a hundred")
    lab.expect_evidence(finding, "returned", lambda value: value == 0, "none: the sender is elsewhere")


@case(RULE, "fault")
def sender_on_the_same_host(lab):
    """A program whose statistics daemon does not run: named with whom it sends to."""
    lab.build()
    program = lab.spawn("s", sender(lab, LOOPBACK[lab.family], 20, connect=True), "lab-app")
    program.hear()
    refused(lab, 5)
    # every other call only fetches the error of the one before
    finding = lab.expect(lab.report("s"), RULE, "warning", program, (LOOPBACK[lab.family], PORT), count=(20, 2000))
    lab.expect_evidence(finding, "returned", lambda value: value >= 0.7 * finding["count"], "nearly as many")


def takes_ports(lab, count):
    """A program with `count` UDP sockets, each connected to another port; tells the errno of each."""
    def program(tell):
        kept, codes = [], []
        for number in range(count):
            sock = udp(lab)
            codes.append(sock.connect_ex((lab.addr("s"), 1000 + number)))
            kept.append(sock)
        tell(codes)
        rest()
        del kept
    return program


def ports_in_use(lab, count, refused_too=0):
    lab.build()
    lab.sysctl("c", "net.ipv4.ip_local_port_range", "40000 40019")
    program = lab.spawn("c", takes_ports(lab, count + refused_too), "lab-hoard")
    codes = program.hear()
    lab.check(codes == [0] * count + [errno.EAGAIN] * refused_too, f"connect() gave {codes}")
    return program


@case(RULE, "fault")
def no_port_left(lab):
    """Twenty sockets take the twenty ports, though each asks somebody else: the next ones get EAGAIN."""
    program = ports_in_use(lab, 20, 4)
    finding = lab.expect(lab.report("c"), RULE, "critical", program, count=20, confidence=(0.94, 0.96))
    lab.expect_evidence(finding, "free", lambda value: value == 0, "none")


@case(RULE, "fault")
def few_ports_left(lab):
    """Seventeen of twenty: a warning."""
    program = ports_in_use(lab, 17)
    lab.expect(lab.report("c"), RULE, "warning", program, count=17)


@case(RULE, "twin")
def echo_server(lab):
    """The same datagrams, and somebody who answers."""
    lab.build()

    def echo(tell):
        sock = udp(lab)
        sock.bind(("", PORT))
        tell("bound")
        count = 0
        while True:
            data, peer = sock.recvfrom(2048)
            sock.sendto(data, peer)
            count += 1
            if count % 20 == 0:
                tell(count)
    program = lab.spawn("s", echo, "lab-echo")
    program.hear()
    lab.spawn("c", sender(lab, lab.addr("s"), 20, connect=True), "lab-send").hear()
    program.hear()
    doc = lab.report("s")
    lab.check(program.hear() >= 40, "nothing is answered")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def late_answers(lab):
    """A name lookup now and then whose answer comes after its socket is closed: one in two seconds at most."""
    lab.build()

    def client(tell):
        sock = udp(lab)
        for number in range(30):
            sock.sendto(b"late", (lab.addr("s"), 40000 + number))
            if number == 1:
                tell("sending")
            time.sleep(2.6)
    lab.spawn("c", client, "lab-late").hear()
    refused(lab, 2)
    lab.expect_silent(lab.report("s"), RULE)


@case(RULE, "twin")
def host_on_the_internet(lab):
    """The same stream of datagrams to a host with a global address: info."""
    lab.build()
    bits = 32 if lab.family == 4 else 128
    lab.batch("s", f"addr add {GLOBAL[lab.family]}/{bits} dev s0" + (" nodad" if lab.family == 6 else ""))
    lab.batch("c", f"route add {GLOBAL[lab.family]}/{bits} dev c0")

    def server(tell):
        sock = udp(lab)
        sock.bind((GLOBAL[lab.family], 5353))
        tell("bound")
        rest()
    lab.spawn("s", server, "lab-serve").hear()
    lab.spawn("c", sender(lab, GLOBAL[lab.family], 20), "lab-send").hear()
    refused(lab, 5)
    expect_info(lab, lab.report("s"))


@case(RULE, "twin")
def way_out_is_global(lab):
    """Only servers on any address, and the route to the Internet leaves from a global one: info."""
    lab.build("crs")
    bits = 32 if lab.family == 4 else 128
    lab.batch("s", f"addr add {GLOBAL[lab.family]}/{bits} dev s0" + (" nodad" if lab.family == 6 else ""),
              f"route replace default via {lab.addr('rs')} src {GLOBAL[lab.family]}")
    lab.batch("r", f"route add {GLOBAL[lab.family]}/{bits} via {lab.addr('s')}")

    def server(tell):
        sock = listener(lab, 22)
        tell("listening")
        rest()
        del sock
    lab.spawn("s", server, "lab-serve").hear()
    lab.spawn("c", sender(lab, GLOBAL[lab.family], 20), "lab-send").hear()
    refused(lab, 5)
    expect_info(lab, lab.report("s"))


def expect_info(lab, doc):
    if doc is None:
        return
    found = [finding for finding in doc["findings"] if finding["rule"] == RULE]
    loud = [finding for finding in doc["findings"] if finding["severity"] != "info"]
    if loud or len(found) != 1 or not any(GLOBAL[lab.family] in line for line in found[0]["against"]):
        raise Wrong(f"expected one line of info that names the global address, there is {[(f['rule'], f['severity']) for f in doc['findings']]}")


@case(RULE, "twin")
def announcements_to_nobody(lab):
    """Multicast that no program here has joined is no refused datagram."""
    lab.build()

    def announcer(tell):
        sock = udp(lab)
        if lab.family == 4:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(lab.addr("c")))
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("c0"))
        tell("sending")
        for _ in range(400):
            sock.sendto(b"here", ("224.0.0.1" if lab.family == 4 else "ff02::1", 5353))
            time.sleep(0.05)
    lab.spawn("c", announcer, "lab-announce").hear()
    ignored = "UdpIgnoredMulti" if lab.family == 4 else "Udp6IgnoredMulti"
    deadline = time.monotonic() + 5
    while lab.counters("s")[ignored] < 3:
        lab.check(time.monotonic() < deadline, f"{ignored} does not grow")
        time.sleep(0.1)
    lab.expect_silent(lab.report("s"), RULE)


@case(RULE, "twin")
def half_of_the_ports(lab):
    """Ten of twenty ports in use."""
    ports_in_use(lab, 10)
    lab.expect_silent(lab.report("c"), RULE)

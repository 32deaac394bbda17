# SPDX-License-Identifier: MIT
"""Source ports that bind() takes before connect() knows where to go, and the same connections made without that."""
import errno
import socket

from case_ports import acceptor, narrow
from cases import case
from lab import rest, tcp, Wrong

RULE = "explicit-bind-waste"
PORTS = (8190, 8191)
RANGE = 3000
IP_BIND_ADDRESS_NO_PORT = 24  # include/uapi/linux/in.h


def attempt(lab, port, binds, no_port):
    """One connection; the socket, and what failed: ("bind" or "connect", errno), None when nothing did."""
    sock = tcp(lab)
    if no_port:
        sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    try:
        if binds:
            sock.bind((lab.addr("c"), 0))
    except OSError as error:
        return sock, ["bind", error.errno]
    code = sock.connect_ex((lab.addr("s"), port))
    return sock, ["connect", code] if code else None


def connections(lab, count, ports=PORTS, binds=False, no_port=False):
    """`count` connections, taking turns between the server's ports; returns the program, what failed, and how many ports serve more than one."""
    lab.build()
    narrow(lab, 40000, 40000 + RANGE - 1)
    lab.spawn("s", acceptor(lab, PORTS), "lab-serve").hear()

    def client(tell):
        kept, failed, used = [], [], [set() for _ in ports]
        for number in range(count):
            sock, failure = attempt(lab, ports[number % len(ports)], binds, no_port)
            kept.append(sock)
            if failure:
                failed.append(failure)
            else:
                used[number % len(ports)].add(sock.getsockname()[1])
        tell({"failed": failed, "shared": sum(map(len, used)) - len(set().union(*used))})
        rest()
    program = lab.spawn("c", client, "lab-proxy")
    return program, program.hear(60)


def bound(lab, count, **how):
    """The fault: no port serves two destinations."""
    program, result = connections(lab, count, binds=True, **how)
    lab.check(result == {"failed": [], "shared": 0}, f"bind() before connect() gave {result}")
    lab.sockets("c", count, "state", "established")
    return program


def shared(lab, count, **how):
    """A twin: the same number of connections, which share ports."""
    _, result = connections(lab, count, **how)
    lab.check(not result["failed"] and result["shared"] > 100, f"connect() gave {result}")
    lab.sockets("c", count, "state", "established")
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "fault")
def a_third_of_the_range(lab):
    program = bound(lab, 1000)
    finding = lab.expect(lab.report("c"), RULE, "info", program, count=1000)
    lab.expect_evidence(finding, "expected", lambda ports: 83 < ports < 84, "500 · 500 / 3000")
    lab.expect_evidence(finding, "shared", lambda ports: ports == 0, "none")
    lab.expect_evidence(finding, "odd", lambda ports: ports == 1000, "all of them")
    if finding and finding["scope"]["local"]["address"] != lab.addr("c"):
        raise Wrong(f"the source address is {finding['scope']['local']}")


@case(RULE, "fault")
def half_of_the_range(lab):
    program = bound(lab, 1500)
    lab.expect(lab.report("c"), RULE, "warning", program, count=1500)


@case(RULE, "fault")
def most_of_the_range(lab):
    """Beyond half of it bind() takes even ports too."""
    program = bound(lab, 2400)
    finding = lab.expect(lab.report("c"), RULE, "critical", program, count=2400)
    lab.expect_evidence(finding, "odd", lambda ports: ports == 1500, "all there are")


@case(RULE, "fault", beside={"ephemeral-port-exhaustion": "half of the range stands towards each destination: the same ports, counted by destination"})
def nothing_left_for_anybody(lab):
    """The range is used up: bind() fails, whatever the destination; that each destination has half of the range is the lesser half of the story."""
    program, result = connections(lab, RANGE + 5, binds=True)
    lab.check(result == {"failed": [["bind", errno.EADDRINUSE]] * 5, "shared": 0}, f"bind() before connect() gave {result}")
    lab.sockets("c", RANGE, "state", "established")
    doc = lab.report("c")
    lab.expect(doc, RULE, "critical", program, count=RANGE)
    for finding in (doc or {"findings": []})["findings"][1:]:
        if finding["explained_by"] != doc["findings"][0]["id"]:
            raise Wrong(f"{finding['rule']} stands by itself: {finding['title']}")


@case(RULE, "twin")
def bound_with_the_option(lab):
    """IP_BIND_ADDRESS_NO_PORT: the port is chosen in connect()."""
    shared(lab, 1500, binds=True, no_port=True)


@case(RULE, "twin")
def connect_alone(lab):
    shared(lab, 1500)


@case(RULE, "twin")
def connect_alone_in_numbers(lab):
    """Two destinations with 1400 ports each: nearly half of the range in use, all of it shared."""
    shared(lab, 2800)


@case(RULE, "twin")
def one_destination(lab):
    """bind() towards a single destination wastes nothing."""
    bound(lab, 1200, ports=PORTS[:1])
    lab.expect_silent(lab.report("c"), RULE)

# SPDX-License-Identifier: MIT
"""SYNs that wait in this host because the next hop does not resolve or the queue does not move, and SYNs that get out."""
import select
import socket
import time

from cases import case
from lab import connected, dial, echo_server, rest, run, Wrong

RULE = "syn-local-stuck"
PORT = 7777
ATTEMPTS = 4
ROUNDS = 12  # bounds the program: a round is 3 s, for as long as the kernel asks for the next hop
UNUSED = {4: "10.71.9.9", 6: "fd71:0:9::9"}  # on the link of c0 in the "cs" layout, and nobody's


def redials(lab, address=None):
    """A program with a few attempts at once, begun half a second apart; each is begun anew when the kernel ends it."""
    def program(tell):
        poll, attempts = select.poll(), {}

        def begin():
            sock, _ = dial(lab, PORT, address)
            attempts[sock.fileno()] = sock
            poll.register(sock.fileno(), select.POLLOUT)
        for _ in range(ATTEMPTS):
            begin()
            time.sleep(0.5)
        tell("dialling")
        for _ in range(ROUNDS * ATTEMPTS):
            for number, _ in poll.poll(10_000):
                poll.unregister(number)
                attempts.pop(number).close()
                begin()
        rest()
    return program


def in_namespace(lab, role, *command):
    return run(["nsenter", f"--net=/run/netns/{lab.ns(role)}", *command])


def check_held(lab, next_hop):
    """As the kernel tells it: the timer has run out, nothing was sent again, the next hop has no link address."""
    before = lab.counters("c").get("TcpExtTCPSpuriousRtxHostQueues", 0)
    deadline = time.monotonic() + 10
    while True:
        rows = [row for row in lab.ss("c", "state", "syn-sent") if "timer:(on," in row.rest and ",0)" not in row.rest.split()[0]]
        if rows and all("retrans:" not in row.rest for row in rows) and lab.counters("c")["TcpExtTCPSpuriousRtxHostQueues"] > before:
            break
        lab.check(time.monotonic() < deadline, f"no SYN is held: {[row.rest[:60] for row in rows]}")
        time.sleep(0.1)
    states = in_namespace(lab, "c", "ip", "neigh", "show", next_hop)
    lab.check("INCOMPLETE" in states or "FAILED" in states, f"{next_hop} is {states.strip() or 'not asked for'}")


def judged(lab, severity, program, peer, gateway, next_hop):
    finding = lab.expect(lab.report("c"), RULE, severity, program, peer, count=(1, ATTEMPTS * 4))
    lab.expect_evidence(finding, "next_hop", lambda value: value == next_hop, next_hop)
    lab.expect_evidence(finding, "neighbour", lambda value: value in ("INCOMPLETE", "FAILED"), "INCOMPLETE or FAILED")
    lab.expect_evidence(finding, "retries", lambda value: 1 <= value <= 4, "1 to 4")
    lab.expect_evidence(finding, "on_wire", lambda value: value == 0, "0")
    lab.expect_evidence(finding, "oldest", lambda value: 1000 <= value <= 4500, "1 to 4.5 s")
    lab.expect_evidence(finding, "default_gateway", lambda value: value == gateway, gateway)
    lab.expect_evidence(finding, "host_queue_retries", lambda value: value >= 2, "2 or more")
    if finding and finding["scope"].get("interface") != "c0":
        raise Wrong(f"the interface is {finding['scope'].get('interface')!r}")
    return finding


@case(RULE, "fault")
def unused_address_of_our_own_network(lab):
    lab.build()
    program = lab.spawn("c", redials(lab, UNUSED[lab.family]), "lab-redial")
    program.hear()
    check_held(lab, UNUSED[lab.family])
    judged(lab, "warning", program, (UNUSED[lab.family], PORT), 0, UNUSED[lab.family])


@case(RULE, "fault")
def default_gateway_gone(lab):
    """The default route points at an address of the link that nobody has."""
    lab.build("crs")
    gateway = {4: "10.71.1.9", 6: "fd71:0:1::9"}[lab.family]
    lab.batch("c", f"route replace default via {gateway}")
    program = lab.spawn("c", redials(lab), "lab-redial")
    program.hear()
    check_held(lab, gateway)
    judged(lab, "critical", program, (lab.addr("s"), PORT), 1, gateway)


@case(RULE, "fault")
def link_without_carrier(lab):
    lab.build("crs")
    lab.batch("r", "link set rc down")
    lab.check("NO-CARRIER" in in_namespace(lab, "c", "ip", "link", "show", "c0"), "c0 has a carrier")
    program = lab.spawn("c", redials(lab), "lab-redial")
    program.hear()
    check_held(lab, lab.addr("rc"))
    finding = judged(lab, "critical", program, (lab.addr("s"), PORT), 1, lab.addr("rc"))
    lab.expect_evidence(finding, "carrier", lambda value: value == 0, "no carrier")


@case(RULE, "fault")
def queue_that_does_not_move(lab):
    """A rate limit of almost nothing whose burst is used up: the next hop resolves, and the SYN stands in the queueing discipline."""
    lab.build("crs")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()
    lab.inside("c", lambda: connected(lab, PORT).close())  # the next hop is known
    in_namespace(lab, "c", "tc", "qdisc", "add", "dev", "c0", "root", "tbf", "rate", "80bit", "burst", "1600", "limit", "100000")

    def program(tell):
        filler = socket.socket(socket.AF_INET if lab.family == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
        for _ in range(3):
            filler.sendto(bytes(1400), (lab.addr("rc"), 9))
        kept = [dial(lab, PORT)[0] for _ in range(ATTEMPTS)]
        tell("dialling")
        rest()
        del kept
    dialler = lab.spawn("c", program, "lab-dial")
    dialler.hear()
    lab.sockets("c", ATTEMPTS, "state", "syn-sent", like=lambda row: ",2)" in row.rest.split()[0] and "retrans:" not in row.rest)
    lab.check("6p" in (shown := in_namespace(lab, "c", "tc", "-s", "qdisc", "show", "dev", "c0")) or "backlog 0b" not in shown, "the queue is empty")
    finding = lab.expect(lab.report("c"), RULE, "warning", dialler, (lab.addr("s"), PORT), count=ATTEMPTS)
    lab.expect_evidence(finding, "on_wire", lambda value: value == 0, "0")
    if finding and "wait inside this host" not in finding["title"]:
        raise Wrong(f"it blames the next hop: {finding['title']}")


@case(RULE, "twin")
def fresh_resolutions(lab):
    """The neighbour entry is thrown away again and again, and each connection has to ask anew: it gets its answer at once."""
    lab.build()
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()

    def client(tell):
        for number in range(100):
            in_namespace(lab, "c", "ip", "neigh", "flush", "dev", "c0")
            connected(lab, PORT).close()
            if number == 3:
                tell("under way")
            time.sleep(0.1)
        rest()
    lab.spawn("c", client, "lab-flush").hear()
    doc = lab.report("c")
    lab.check(lab.counters("c")["TcpActiveOpens"] >= 10, "hardly any connection was opened")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def answer_that_comes_late(lab):
    """The server is unreachable on its link for more than a second and comes back while it is looked at: the attempts get through."""
    lab.build()
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()
    mute = ("table arp lab {\n chain in {\n type filter hook input priority 0;\n arp operation request drop\n }\n}\n" if lab.family == 4 else
            "table ip6 lab {\n chain in {\n type filter hook input priority 0;\n icmpv6 type nd-neighbor-solicit drop\n }\n}\n")
    lab.nft("s", mute)
    lab.sysctl("c", f"net.ipv{lab.family}.neigh.c0.mcast_solicit", 10)  # asks for longer than this takes on any machine

    def client(tell):
        kept = [dial(lab, PORT)[0] for _ in range(3)]
        tell("dialling")
        time.sleep(1.8)
        lab.nft("s", f"delete table {'arp' if lab.family == 4 else 'ip6'} lab\n")
        for sock in kept:
            select.select([], [sock], [], 5)
        tell([sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) for sock in kept])
        rest()
    program = lab.spawn("c", client, "lab-dial")
    program.hear()
    lab.sockets("c", 3, "state", "syn-sent", like=lambda row: ",1)" in row.rest.split()[0])
    doc = lab.report("c")
    codes = program.hear()
    lab.check(codes == [0, 0, 0], f"connect() gave {codes}")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin")
def lost_on_the_way(lab):
    """A firewall on the way drops the SYNs: they have left this host, which is another rule's."""
    lab.build("crs")
    lab.forward_rule(f"tcp dport {PORT} drop")

    def client(tell):
        kept = [dial(lab, PORT)[0] for _ in range(2)]
        tell("dialling")
        rest()
        del kept
    lab.spawn("c", client, "lab-dial").hear()
    lab.sockets("c", 2, "state", "syn-sent", like=lambda row: "retrans:" in row.rest)
    lab.expect_silent(lab.report("c"), RULE, allowed=("syn-sent-stall",))


@case(RULE, "twin")
def silent_to_a_scan_of_our_own_network(lab):
    """Many neighbours, each tried once, none of which exists: a scanner's picture, no more than info."""
    lab.build()
    hosts = [f"10.71.{number}.9" if lab.family == 4 else f"fd71:0:9::{number}" for number in range(20, 44)]
    kept = []

    def client(tell):
        tell("scanning")
        for address in hosts:
            kept.append(dial(lab, PORT, address)[0])
        rest()
    lab.spawn("c", client, "lab-scan").hear()
    lab.sockets("c", len(hosts), "state", "syn-sent", like=lambda row: ",0)" not in row.rest.split()[0])
    doc = lab.report("c", "--quick")
    found = [(row["rule"], row["severity"]) for row in doc["findings"]] if doc else []
    if found not in ([], [(RULE, "info")]):  # nothing: on a busy machine they have ended before the sample
        raise Wrong(f"a scanner's picture gives {found}: {doc['findings'][0]['title']}")

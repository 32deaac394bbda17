# SPDX-License-Identifier: MIT
"""`trace` of attempts that end in every way, with what `traceroute -T` says about each."""
import os
import socket
import struct

import forger
from cases import case
from chain import NOBODY, PORT, Chain, address, expect, expect_finding, expect_quiet, within
from lab import Wrong, connected, rest, run, settle_namespace

SYN, REFUSED, LOOP, NOT_REACHED = "syn-sent-stall", "connect-refused", "ttl-exceeded", "icmp-unreachable"
SYN_FLAG, ACK_FLAG = 2, 16
STUCK, PORTS = "syn-local-stuck", "ephemeral-port-exhaustion"


def hops_are(result, chain, *wanted):
    """Addresses by hop, None for a mute one."""
    if result:
        got = [hop["address"] for hop in result["hops"]]
        if got != list(wanted):
            raise Wrong(f"hops are {got}, expected {list(wanted)} (verdict {result['verdict']})")


def agree(lab, said, *wanted):
    """traceroute has seen the same hops, as far as it goes."""
    lab.check([said.hops.get(number + 1) for number in range(len(wanted))] == list(wanted), f"traceroute says {said.text[-400:]}")


def opened(chain, user, *arguments):
    result = chain.one("trace", *arguments, port=PORT, user=user)
    expect(result, verdict="open", status=0, by=chain.target, dies_after=None)
    expect_quiet(result)
    return result


@case(SYN, "probe-twin")
def open_port(lab):
    chain = Chain(lab)
    chain.serve()
    agree(lab, chain.traceroute(), chain.hop(1), chain.hop(2), chain.target)
    for user in (None, NOBODY):
        result = opened(chain, user)
        hops_are(result, chain, chain.hop(1), chain.hop(2), chain.target)
        within(result, 3)


@case(REFUSED, "probe-twin")
def open_port_from_a_source_port_a_hop(lab):
    """In parallel without privilege: said that balancing may split the way."""
    chain = Chain(lab)
    chain.serve()
    result = opened(chain, NOBODY, "--parallel")
    hops_are(result, chain, chain.hop(1), chain.hop(2), chain.target)
    if result and "ECMP" not in str(result["notices"]) + result["stderr"]:
        raise Wrong(f"nothing is said of ECMP: {result['notices']}")


@case(SYN, "probe-twin", families=(4,), waits=20)
def messages_that_end_no_connection(lab):
    """One on the way speaks of our own packets: "too big" of a SYN, "unreachable" and "hop limit reached" of a connection that stands. None of it ends anything, and the port is open."""
    chain = Chain(lab)
    chain.serve()
    forger.answer_client(lab, (3, 4, 1300), (3, 4, 68), when=SYN_FLAG)
    forger.answer_client(lab, (3, 1, 0), (11, 0, 0), when=ACK_FLAG)
    for _ in range(8):
        hops_are(opened(chain, NOBODY), chain, chain.hop(1), chain.hop(2), chain.target)


@case(SYN, "probe-twin")
def reset_after_the_handshake(lab):
    """The program takes the connection and ends it at once: the port is open."""
    chain = Chain(lab)

    def server(tell):
        sock = socket.socket(socket.AF_INET6)
        sock.bind(("::", PORT))
        sock.listen(8)
        tell("listening")
        while True:
            connection = sock.accept()[0]
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
    lab.spawn("s", server, "lab-serve").hear()
    for _ in range(5):
        opened(chain, NOBODY)


@case(REFUSED, "probe-fault")
def closed_port(lab):
    """Nobody listens: the host itself, which the hop limit of its reset proves."""
    chain = Chain(lab)
    agree(lab, chain.traceroute(), chain.hop(1), chain.hop(2), chain.target)
    result = chain.one("trace", port=PORT)
    expect(result, verdict="refused", by=chain.target, status=6)
    hops_are(result, chain, chain.hop(1), chain.hop(2), chain.target)
    expect_finding(result, REFUSED, "warning")
    within(result, 8)


@case(REFUSED, "probe-fault", families=(6,))
def closed_port_at_a_link_local_address(lab):
    """The interface belongs to the address: it is told, and the commands that are proposed work with it."""
    chain = Chain(lab, 1)
    words = run(["nsenter", f"--net=/run/netns/{lab.ns('r1')}", "ip", "-6", "-o", "addr", "show", "dev", "l1e2", "scope", "link"]).split()
    plain = words[words.index("inet6") + 1].split("/")[0]
    for arguments, target in (((), f"{plain}%l1e1"), (("-i", "l1e1"), plain)):
        result = chain.one("trace", *arguments, target=target, port=PORT)
        expect(result, verdict="refused", address=plain, zone="l1e1", status=6)
        found = expect_finding(result, REFUSED, "warning")
        if found and f"ip route get {plain} oif l1e1" not in found["next"]:
            raise Wrong(f"no command goes by the interface: {found['next']}")


@case(REFUSED, "probe-fault")
def closed_port_without_privilege(lab):
    """Host or a box in front of it: not told apart, and said so."""
    chain = Chain(lab)
    result = chain.one("trace", port=PORT, user=NOBODY)
    expect(result, verdict="refused", by=None, status=6)
    expect_finding(result, REFUSED, "warning")


@case(REFUSED, "probe-fault")
def reset_by_the_first_router(lab):
    """The host stands farther away than the reset came from: no privilege is needed to see it."""
    chain = Chain(lab)
    chain.serve()
    chain.filter("r1", f"tcp dport {PORT} reject with tcp reset")
    said = chain.traceroute()
    lab.check(said.hops.get(2) == chain.target, f"traceroute does not print the host where the box is: {said.text}")
    for user in (None, NOBODY):
        result = chain.one("trace", port=PORT, user=user)
        expect(result, verdict="refused-by-middlebox", status=6, dies_after=1)
        expect_finding(result, REFUSED, "warning")


@case(REFUSED, "probe-fault")
def reset_by_the_last_router(lab):
    """As far away as the host: only the hop limit of the reset tells."""
    chain = Chain(lab)
    chain.serve()
    chain.filter("r2", f"tcp dport {PORT} reject with tcp reset")
    result = chain.one("trace", port=PORT)
    expect(result, verdict="refused-by-middlebox", status=6)
    expect(chain.one("trace", port=PORT, user=NOBODY), verdict="refused", by=None, status=6)


def shorter_for_tcp(chain):
    """A way for TCP alone, in both directions: r1 – q – s, while all else goes r1 – r2 – r3 – s."""
    lab = chain.lab
    run(["ip", "netns", "add", lab.ns("q")])
    lab.inside("q", settle_namespace)
    lab.link("r1", "q1", "q", "q2")
    lab.link("q", "q3", "s", "q4")
    for role, name, link, end in (("r1", "q1", 8, 1), ("q", "q2", 8, 2), ("q", "q3", 9, 1), ("s", "q4", 9, 2)):
        lab.batch(role, f"link set {name} up", f"addr add {address(lab, link, end, 4)}/24 dev {name}", f"addr add {address(lab, link, end, 6)}/64 dev {name} nodad")
    lab.sysctl("q", "net.ipv4.ip_forward", 1)
    lab.sysctl("q", "net.ipv6.conf.all.forwarding", 1)
    there, back = ("10.72.4.0/24", "10.72.1.0/24") if lab.family == 4 else ("fd72:0:4::/64", "fd72:0:1::/64")
    lab.batch("q", f"route add {there} via {address(lab, 9, 2)}", f"route add {back} via {address(lab, 8, 1)}")
    for role, net, by in (("r1", there, address(lab, 8, 2)), ("s", back, address(lab, 9, 1))):
        for name in ("all", *lab.inside(role, lambda: os.listdir("/proc/sys/net/ipv4/conf"))):
            lab.sysctl(role, f"net.ipv4.conf.{name}.rp_filter", 0)
        lab.batch(role, f"route add {net} via {by} table 77")
        run(["nsenter", f"--net=/run/netns/{lab.ns(role)}", "ip", f"-{lab.family}", "rule", "add", "ipproto", "tcp", "lookup", "77", "pref", "10"])
    lab.await_links(["q"])


@case(REFUSED, "probe-twin", waits=20)
def closed_port_behind_a_shorter_way_for_tcp(lab):
    """The host itself refuses, over fewer hops than its other packets come: no box, whether the router of that way speaks or not."""
    chain = Chain(lab, 3)
    shorter_for_tcp(chain)
    for mute in (False, True):
        if mute:
            chain.mute("q")
        for user in (None, NOBODY):
            result = chain.one("trace", port=PORT, user=user)
            expect(result, verdict="refused", by=None, proof=None, status=6)
            hops_are(result, chain, chain.hop(1), None if mute else address(lab, 8, 2), chain.target)


@case(REFUSED, "probe-fault")
def rejected_with_a_port_message(lab):
    """A router says "port unreachable" in the host's place."""
    chain = Chain(lab)
    chain.serve()
    chain.filter("r1", f"tcp dport {PORT} reject")
    result = chain.one("trace", port=PORT, user=NOBODY)
    expect(result, verdict="refused-by-middlebox", by=chain.hop(1), status=6)


@case(SYN, "probe-fault", waits=30)
def filtered_port(lab):
    """SYNs end behind the first router, other probes do not."""
    chain = Chain(lab)
    chain.serve()
    chain.filter("r2", f"tcp dport {PORT} drop", "prerouting")
    agree(lab, chain.traceroute(), chain.hop(1), None)
    for user in (None, NOBODY):
        result = chain.one("trace", port=PORT, user=user)
        expect(result, verdict="filtered", status=5, dies_after=1)
        hops_are({**result, "hops": result["hops"][:1]} if result else None, chain, chain.hop(1))
        expect_finding(result, SYN, "warning")
        within(result, 20)


@case(SYN, "probe-fault", waits=30)
def filtered_at_the_host(lab):
    chain = Chain(lab)
    chain.serve()
    chain.filter("s", f"tcp dport {PORT} drop", "input")
    result = chain.one("trace", port=PORT, user=NOBODY)
    expect(result, verdict="filtered", status=5, dies_after=2)
    finding = expect_finding(result, SYN, "warning", (0.4, 0.9))
    if finding and not finding["against"]:
        raise Wrong("nothing speaks against it, although the place is not known")


@case(SYN, "probe-fault", waits=30)
def nothing_goes_further(lab):
    """No protocol passes: silence, of which nobody knows more."""
    chain = Chain(lab)
    chain.serve()
    chain.filter("r2", f"iifname {{ l2e2 }} ip{'6' if lab.family == 6 else ''} daddr {chain.target} drop", "prerouting")
    agree(lab, chain.traceroute(), chain.hop(1), None)
    result = chain.one("trace", port=PORT, user=NOBODY)
    expect(result, verdict="silent", status=lambda status: status in (4, 5), dies_after=1)


@case(NOT_REACHED, "probe-fault")
def prohibited(lab):
    chain = Chain(lab)
    chain.serve()
    chain.filter("r2", f"tcp dport {PORT} reject with icmpx type admin-prohibited")
    said = chain.traceroute()
    lab.check("!X" in said.marks, f"traceroute shows no !X: {said.text}")
    for user in (None, NOBODY):
        result = chain.one("trace", port=PORT, user=user)
        expect(result, verdict="prohibited", by=chain.hop(2), status=5)
        expect_finding(result, NOT_REACHED, "warning")
        within(result, 5)


@case(NOT_REACHED, "probe-fault")
def no_route_at_a_router(lab):
    chain = Chain(lab)
    lab.batch("r1", f"route del {'10.72.3.0/24' if lab.family == 4 else 'fd72:0:3::/64'}")
    said = chain.traceroute()
    lab.check("!" in said.marks, f"traceroute shows no remark: {said.text}")
    result = chain.one("trace", port=PORT, user=NOBODY)
    expect(result, verdict="no-route", by=chain.hop(1), status=5)
    expect_finding(result, NOT_REACHED, "warning")


@case(NOT_REACHED, "probe-fault", waits=30)
def host_is_down(lab):
    """The last router finds nobody with that address."""
    chain = Chain(lab)
    absent = address(lab, 3, 99)
    result = chain.one("trace", target=absent, port=PORT, user=NOBODY)
    expect(result, verdict="no-route", by=chain.hop(2), status=5)


@case(NOT_REACHED, "probe-twin")
def other_port_prohibited(lab):
    chain = Chain(lab)
    chain.serve()
    chain.filter("r2", "tcp dport 25 reject with icmpx type admin-prohibited")
    opened(chain, NOBODY)


@case(LOOP, "probe-fault", waits=30)
def loop_between_routers(lab):
    chain = Chain(lab)
    net, far = ("10.72.3.0/24", "10.72.3.0/25") if lab.family == 4 else ("fd72:0:3::/64", "fd72:0:3::/65")
    lab.batch("r1", f"route replace {net} via {address(lab, 2, 2)}")
    lab.batch("r2", f"route add {far} via {address(lab, 2, 1)}")
    said = chain.traceroute()
    lab.check(said.hops.get(3) is not None and said.hops.get(3) != chain.target, f"traceroute sees no loop: {said.text}")
    for user in (None, NOBODY):
        result = chain.one("trace", port=PORT, user=user)
        expect(result, verdict="loop", status=5)
        expect_finding(result, LOOP, "critical")


@case(LOOP, "probe-twin", waits=20)
def mute_hop(lab):
    """A router that says nothing is passed by, not taken for the end."""
    chain = Chain(lab)
    chain.serve()
    chain.mute("r1")
    agree(lab, chain.traceroute(), None, chain.hop(2), chain.target)
    for user in (None, NOBODY):
        result = opened(chain, user)
        hops_are(result, chain, None, chain.hop(2), chain.target)


@case("trace", "view", waits=20)
def router_that_answers_once_a_second(lab):
    """Two runs within a second: what a rate limit swallows is asked for again, not printed as silence."""
    chain = Chain(lab)
    chain.serve()
    for role in ("r1", "r2"):
        chain.filter(role, "icmp type time-exceeded limit rate over 1/second burst 1 packets drop\n icmpv6 type time-exceeded limit rate over 1/second burst 1 packets drop", "output")
    for _ in range(2):
        hops_are(opened(chain, NOBODY), chain, chain.hop(1), chain.hop(2), chain.target)


@case("trace", "view")
def no_route_here(lab):
    """This machine has no way there: said at once, and no probe is sent."""
    chain = Chain(lab)
    for family in (4, 6):
        lab.batch("c", f"route del default via {address(lab, 1, 2, family)}")
    target = "192.0.2.1" if lab.family == 4 else "2001:db8::1"
    result = chain.one("trace", target=target, port=PORT, user=NOBODY)
    expect(result, verdict="local-error", status=lambda status: status in (4, 5))


@case("trace", "view")
def prohibited_here(lab):
    chain = Chain(lab)
    lab.batch("c", f"route add prohibit {'192.0.2.0/24' if lab.family == 4 else '2001:db8::/32'}")
    result = chain.one("trace", target="192.0.2.1" if lab.family == 4 else "2001:db8::1", port=PORT, user=NOBODY)
    expect(result, verdict="local-error")


@case("trace", "view", families=(4,), waits=30)
def dead_ipv6_hidden_by_ipv4(lab):
    """A name with both families, one of which dies on the way: said, although clients do not notice."""
    chain = Chain(lab)
    chain.serve()
    chain.filter("r2", f"meta nfproto ipv6 tcp dport {PORT} drop")
    hosts = f"/tmp/tcptriage-hosts-trace-{os.getpid()}"
    with open(hosts, "w", encoding="ascii") as handle:
        handle.write(f"{address(lab, 3, 2, 4)} lab-host\n{address(lab, 3, 2, 6)} lab-host\n")
    try:
        doc = chain.ask("trace", target="lab-host", port=PORT, wrap=["unshare", "-m", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh"])
    finally:
        os.unlink(hosts)
    if doc:
        verdicts = {row["family"]: row["verdict"] for row in doc["results"]}
        if verdicts != {"inet": "open", "inet6": "filtered"}:
            raise Wrong(f"{verdicts}")
        if "IPv6" not in str(doc["notices"]) + doc["stderr"]:
            raise Wrong(f"nothing is said of it: {doc['notices']} {doc['stderr']}")


@case(STUCK, "probe-fault")
def nobody_has_that_address_here(lab):
    """An unused address of the client's own network: the kernel says so after three requests."""
    chain = Chain(lab)
    for user in (None, NOBODY):
        result = chain.one("trace", target=address(lab, 1, 99), port=PORT, user=user)
        expect(result, verdict="local-error", status=5)
        expect_finding(result, STUCK, "warning")


@case(STUCK, "probe-fault")
def own_firewall(lab):
    chain = Chain(lab)
    chain.serve()
    chain.filter("c", f"tcp dport {PORT} drop", "output")
    result = chain.one("trace", port=PORT)
    expect(result, verdict="local-error", status=5)
    expect_finding(result, STUCK, "warning")


@case(SYN, "probe-fault", waits=30)
def own_firewall_that_is_not_seen(lab):
    """A connect() whose SYN is dropped in this host hears nothing: the place is unknown, and this host among the suspects."""
    chain = Chain(lab)
    chain.serve()
    chain.filter("c", f"tcp dport {PORT} drop", "output")
    result = chain.one("trace", port=PORT, user=NOBODY)
    expect(result, verdict="filtered", status=5, dies_after=None)
    finding = expect_finding(result, SYN, "warning", (0.4, 0.7))
    if finding and ("unknown" not in finding["title"] or not finding["next"][0].endswith("nft list ruleset")):
        raise Wrong(f"{finding['title']}: {finding['next']}")


@case(STUCK, "probe-fault")
def own_firewall_that_rejects(lab):
    chain = Chain(lab)
    chain.serve()
    chain.filter("c", f"tcp dport {PORT} reject", "output")
    for user in (None, NOBODY):
        result = chain.one("trace", port=PORT, user=user)
        expect(result, verdict="local-error", status=5)
        expect_finding(result, STUCK, "warning")


@case(STUCK, "probe-twin")
def unreachable_route_here(lab):
    """The same errno as of a neighbour that does not answer."""
    chain = Chain(lab)
    lab.batch("c", f"route add unreachable {'192.0.2.0/24' if lab.family == 4 else '2001:db8::/32'}")
    result = chain.one("trace", target="192.0.2.1" if lab.family == 4 else "2001:db8::1", port=PORT, user=NOBODY)
    expect(result, verdict="local-error")
    finding = expect_finding(result, NOT_REACHED, "warning")
    if finding and "unreachable route" not in finding["title"]:
        raise Wrong(finding["title"])


@case("trace", "view")
def source_port_that_cannot_be_had(lab):
    """A wish that is not granted is no fault of the network."""
    chain = Chain(lab)
    chain.serve()
    if not lab.binary:
        return
    target = f"[{chain.target}]:{PORT}" if lab.family == 6 else f"{chain.target}:{PORT}"
    prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all"]
    done = lab.tcptriage("trace", "--sport", "8", target, within="c", prefix=prefix, statuses=(1,))
    if done.stdout or "source port 8 cannot be used" not in done.stderr:
        raise Wrong(f"{done.stdout} {done.stderr}")


@case(STUCK, "probe-twin")
def neighbour_that_refuses(lab):
    """It is there, and its port is closed."""
    chain = Chain(lab)
    result = chain.one("trace", target=chain.hop(1), port=PORT)
    expect(result, verdict="refused", status=6)
    if result and [finding["rule"] for finding in result["findings"]] != [REFUSED]:
        raise Wrong(f"findings are {[finding['rule'] for finding in result['findings']]}")


def take_ports(chain, count, of, port=PORT):
    """A client that holds `count` of the `of` source ports there are, with connections to `port`."""
    lab = chain.lab
    lab.sysctl("c", "net.ipv4.ip_local_port_range", f"42000 {42000 + of - 1}")

    def client(tell):
        kept = [connected(lab, port, address=chain.target) for _ in range(count)]
        tell(len(kept))
        rest()
    lab.spawn("c", client, "lab-pool").hear()


@case(PORTS, "probe-fault")
def no_source_port_left(lab):
    chain = Chain(lab)
    chain.serve()
    take_ports(chain, 20, 20)
    for user in (None, NOBODY):
        result = chain.one("trace", port=PORT, user=user)
        expect(result, verdict="local-error", status=5)
        expect_finding(result, PORTS, "critical")


@case(PORTS, "probe-twin")
def source_ports_taken_by_connections_to_another_service(lab):
    """None is left to be bound, but connect() takes them all again to this service."""
    chain = Chain(lab)
    chain.serve()
    chain.serve(port=PORT + 1)
    take_ports(chain, 20, 20, port=PORT + 1)
    for user in (None, NOBODY):
        expect(opened(chain, user), split=True)


@case(PORTS, "probe-twin")
def one_source_port_left(lab):
    chain = Chain(lab)
    chain.serve()
    take_ports(chain, 19, 20)
    opened(chain, NOBODY)

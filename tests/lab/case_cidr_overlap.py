# SPDX-License-Identifier: MIT
"""Networks of this host that hide what has to be reached, and address plans as healthy hosts have them."""
import json
import socket
import time

from cases import case
from chain import expect, expect_finding, expect_quiet
from lab import connected, dial, echo_server, rest, Wrong
from case_syn_local_stuck import check_held, in_namespace, redials

RULE = "cidr-overlap"
PORT = 7777
FOLDED = {"syn-local-stuck": "the symptom, explained by it"}
# Below the network of s in the "crs" layout, with its address; what a Docker daemon or a VPN client would take.
INNER = {4: "10.71.2.1/25", 6: "fd71:0:2::9/80"}
HIDDEN = {4: "10.71.2.0/24", 6: "fd71:0:2::/64"}
DISJOINT = {4: "172.17.0.1/16", 6: "fd17::1/64"}


def inner_network(lab, role, prefix, name="shadow0"):
    """A network made on this host, on which nobody is."""
    lab.batch(role, f"link add {name} type veth peer name {name}p", f"link set {name} up", f"link set {name}p up",
              f"addr add {prefix} dev {name}" + (" nodad" if ":" in prefix else ""))
    lab.await_links(role)


def told_apart(lab, finding, network, interface, other):
    lab.expect_evidence(finding, "network", lambda value: value == network, network)
    lab.expect_evidence(finding, "other", lambda value: value == other, other)
    if finding and finding["scope"].get("interface") != interface:
        raise Wrong(f"the interface is {finding['scope'].get('interface')!r}, expected {interface!r}")
    if finding and not finding["explains"]:
        raise Wrong("it explains nothing: the symptom stands beside it")


@case(RULE, "fault", beside=FOLDED)
def local_network_hides_a_remote_one(lab):
    """RULES 40: a veth with a part of the network in which the server is, to which a route leads."""
    lab.build("crs")
    lab.batch("c", f"route add {HIDDEN[lab.family]} via {lab.addr('rc')}")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()
    lab.inside("c", lambda: connected(lab, PORT).close())  # it can be reached until then
    inner_network(lab, "c", INNER[lab.family])
    lab.spawn("c", redials(lab), "lab-redial").hear()
    check_held(lab, lab.addr("s"))
    finding = lab.expect(lab.report("c"), RULE, "critical", None, (lab.addr("s"), None))
    told_apart(lab, finding, {4: "10.71.2.0/25", 6: "fd71:0:2::/80"}[lab.family], "shadow0", "c0")


@case(RULE, "fault", beside=FOLDED)
def bridge_inside_our_own_network(lab):
    """Two networks on the link, one in the other: the bridge takes the server's address, which is on c0."""
    lab.build()
    bridge = {4: "10.71.2.1/24", 6: "fd71:0:2::1/64"}[lab.family]
    lab.batch("c", "link add br0 type bridge", "link set br0 up", f"addr add {bridge} dev br0" + (" nodad" if lab.family == 6 else ""),
              "link add port0 type veth peer name port0p", "link set port0 master br0", "link set port0 up", "link set port0p up")
    lab.await_links("c")
    lab.spawn("c", redials(lab), "lab-redial").hear()
    check_held(lab, lab.addr("s"))
    finding = lab.expect(lab.report("c"), RULE, "critical", None, (lab.addr("s"), None), confidence=(0.8, 0.9))
    told_apart(lab, finding, {4: "10.71.2.0/24", 6: "fd71:0:2::/64"}[lab.family], "br0", "c0")


@case(RULE, "fault", beside={"syn-sent-stall": "the symptom, explained by it"})
def private_address_sent_to_the_internet(lab):
    """Only global addresses on the interface, and a private destination by the default route, which nobody carries."""
    lab.build("crs")
    own, gateway = {4: ("11.71.1.2/24", "11.71.1.1"), 6: ("2a00:71:1::2/64", "2a00:71:1::1")}[lab.family]
    nobody = {4: "10.99.0.9", 6: "fd99::9"}[lab.family]
    bits = own.split("/")[1]
    lab.batch("c", "addr flush dev c0", f"addr add {own} dev c0" + (" nodad" if lab.family == 6 else ""))
    lab.batch("r", f"addr add {gateway}/{bits} dev rc" + (" nodad" if lab.family == 6 else ""), f"route add blackhole {nobody}")
    lab.batch("c", f"route replace default via {gateway}")

    def client(tell):
        kept = [dial(lab, PORT, nobody)[0] for _ in range(2)]
        tell("dialling")
        rest()
        del kept
    program = lab.spawn("c", client, "lab-dial")
    program.hear()
    lab.sockets("c", 2, "state", "syn-sent", like=lambda row: "retrans:" in row.rest)
    time.sleep(3)
    finding = lab.expect(lab.report("c"), RULE, "critical", program, (nobody, PORT), count=2, confidence=(0.5, 0.7))
    if finding and "to the Internet by c0" not in finding["title"]:
        raise Wrong(finding["title"])


@case(RULE, "fault")
def nobody_answers_in_a_network_made_here(lab):
    """Only the default route would lead there: that the network hides it is possible, and no more; the attempt itself is told first."""
    lab.build("crs")
    inner_network(lab, "c", INNER[lab.family])
    lab.spawn("c", redials(lab), "lab-redial").hear()
    check_held(lab, lab.addr("s"))
    doc = lab.report("c")
    if doc and doc["findings"][0]["rule"] != "syn-local-stuck":
        raise Wrong(f"first comes {doc['findings'][0]['rule']}")
    finding = lab.expect(lab.only(doc, RULE), RULE, "info", None, (lab.addr("s"), None), confidence=(0.4, 0.41))
    lab.expect_evidence(finding, "other", lambda value: value == "c0", "c0")


@case(RULE, "fault")
def two_interfaces_in_one_network(lab):
    """Nobody has run into it: worth knowing, and no more."""
    lab.build()
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()
    lab.inside("c", lambda: connected(lab, PORT).close())
    same = {4: "10.71.9.9/16", 6: "fd71:0:9::9/32"}[lab.family]
    inner_network(lab, "c", same)
    finding = lab.expect(lab.report("c"), RULE, "info")
    if finding and "are on the same network" not in finding["title"]:
        raise Wrong(finding["title"])


def probed(lab, command, *arguments):
    """The one result of a probe from c, as root."""
    if not lab.binary:
        return None
    host = lab.addr("s")
    target = {"mtu-probe": host, "trace": f"[{host}]:{PORT}" if lab.family == 6 else f"{host}:{PORT}"}[command]
    doc = json.loads(lab.tcptriage(command, "--json", *arguments, target, within="c", statuses=(0, 4, 5, 6), timeout=100).stdout)
    result = doc["results"][0]
    lab.said = f"{command} {result['verdict']} " + " ".join(finding["rule"] for finding in result["findings"])
    return result


@case(RULE, "probe-fault", waits=20)
def hidden_address_is_traced(lab):
    """Who asks for that very address is told at once; that it cannot be reached is explained by it."""
    lab.build("crs")
    lab.batch("c", f"route add {HIDDEN[lab.family]} via {lab.addr('rc')}")
    inner_network(lab, "c", INNER[lab.family])
    result = probed(lab, "trace")
    expect(result, verdict="local-error", interface="shadow0")
    told_apart(lab, expect_finding(result, RULE, "critical", (0.7, 0.8)), {4: "10.71.2.0/25", 6: "fd71:0:2::/80"}[lab.family], "shadow0", "c0")


@case(RULE, "probe-fault", waits=20)
def hidden_address_is_probed_for_its_mtu(lab):
    lab.build("crs")
    lab.batch("c", f"route add {HIDDEN[lab.family]} via {lab.addr('rc')}")
    inner_network(lab, "c", INNER[lab.family])
    result = probed(lab, "mtu-probe", "--icmp")
    expect(result, verdict="unreachable", interface="shadow0")
    finding = [row for row in result["findings"] if row["rule"] == RULE] if result else [None]
    if not finding:
        raise Wrong(f"not told; findings: {[row['rule'] for row in result['findings']]}")
    lab.expect_evidence(finding[0], "other", lambda value: value == "c0", "c0")


@case(RULE, "probe-twin", waits=20)
def address_beside_an_inner_network_is_traced(lab):
    """A network made here that has nothing to do with the address, whether the port is open or nobody is there."""
    lab.build("crs")
    inner_network(lab, "c", DISJOINT[lab.family], "dock0")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()
    result = probed(lab, "trace")
    expect(result, verdict="open")
    expect_quiet(result)
    lab.batch("s", "link set s0 down")
    result = probed(lab, "trace")
    if result and any(row["rule"] == RULE for row in result["findings"]):
        raise Wrong("a host that is down behind a router is no fault of the plan")


@case(RULE, "twin")
def disjoint_networks(lab):
    """Docker's usual network beside another one, single addresses, a VPN that takes everything in halves, link-local addresses."""
    lab.build("crs")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()
    inner_network(lab, "c", DISJOINT[lab.family], "dock0")
    inner_network(lab, "c", {4: "10.99.0.2/31", 6: "fd99::2/127"}[lab.family], "vpn0")
    halves = {4: ("0.0.0.0/1", "128.0.0.0/1", "169.254.169.254/32"), 6: ("2000::/4", "3000::/4", "fd71:0:2::77/128")}[lab.family]
    lab.batch("c", *(f"route add {half} dev vpn0" for half in halves), f"route add {HIDDEN[lab.family]} via {lab.addr('rc')}")

    def client(tell):
        kept = [connected(lab, PORT) for _ in range(3)]
        tell("connected")
        while True:
            for sock in kept:
                sock.send(b"ping")
                sock.recv(100)
            time.sleep(0.5)
    lab.spawn("c", client, "lab-chat").hear()
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def same_network_in_another_namespace(lab):
    """Each of two hosts has Docker's network for itself."""
    lab.build()
    for role in "cs":
        inner_network(lab, role, DISJOINT[lab.family], "dock0")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()

    def client(tell):
        sock = connected(lab, PORT)
        tell("connected")
        while True:
            sock.send(b"ping")
            sock.recv(100)
            time.sleep(0.5)
    lab.spawn("c", client, "lab-chat").hear()
    for role in "cs":
        lab.expect_silent(lab.report(role), RULE)


@case(RULE, "twin")
def neighbour_that_is_down(lab):
    """An unused address of a real network while a wider route leads elsewhere: a host that is down, not a fault of the plan."""
    lab.build("crs")
    # somebody answers on the inner network, so that it is in use
    inner_network(lab, "c", DISJOINT[lab.family], "dock0")
    lab.batch("c", f"neigh add {'172.17.0.2' if lab.family == 4 else 'fd17::2'} lladdr 02:00:00:00:00:02 dev dock0",
              f"route add {'172.16.0.0/12' if lab.family == 4 else 'fd00::/8'} via {lab.addr('rc')}")
    nobody = {4: "172.17.0.77", 6: "fd17::77"}[lab.family]
    lab.spawn("c", redials(lab, nobody), "lab-redial").hear()
    check_held(lab, nobody)
    lab.expect_silent(lab.report("c"), RULE, allowed=("syn-local-stuck",))


@case(RULE, "twin")
def several_addresses_of_one_network(lab):
    """Several addresses of one network on one interface, and a service that is refused: nothing overlaps."""
    lab.build()
    more = {4: ("10.71.1.3/16", "10.71.1.4/24"), 6: ("fd71:0:1::3/32", "fd71:0:1::4/64")}[lab.family]
    lab.batch("c", *(f"addr add {address} dev c0" + (" nodad" if lab.family == 6 else "") for address in more))
    lab.check("c0" in in_namespace(lab, "c", "ip", f"-{lab.family}", "route"), "no route")

    def client(tell):
        tell("dialling")
        for _ in range(20):
            sock = socket.socket(socket.AF_INET if lab.family == 4 else socket.AF_INET6)
            sock.connect_ex((lab.addr("s"), PORT))
            sock.close()
            time.sleep(0.3)
        rest()
    lab.spawn("c", client, "lab-dial").hear()
    lab.expect_silent(lab.report("c"), RULE, allowed=("connect-refused",))

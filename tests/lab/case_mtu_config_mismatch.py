# SPDX-License-Identifier: MIT
"""Interfaces of one host whose MTUs contradict each other, and combinations that are as they should be."""
import contextlib
import socket
import time

from case_cidr_overlap import probed
from cases import case
from chain import expect, expect_quiet
from lab import connected, echo_server, run, settle_namespace, Wrong

RULE = "mtu-config-mismatch"
PORT = 7777
NARROW = 1400
BRIDGE = {4: ("172.30.0.1/24", "172.30.0.2/24"), 6: ("fd72::1/64", "fd72::2/64")}
OVERHEAD = {4: 50, 6: 70}
PACKETS = 150


def nodad(address):
    return " nodad" if ":" in address else ""


def container(lab, mtu=1500, forwarding=True):
    """A bridge br0 on c with a container k behind it, which has sent something."""
    own, inner = BRIDGE[lab.family]
    run(["ip", "netns", "add", lab.ns("k")])
    lab.inside("k", settle_namespace)
    lab.link("c", "kb", "k", "k0")
    lab.batch("c", "link add br0 type bridge", "link set kb master br0", "link set kb up", f"link set kb mtu {mtu}", f"link set br0 mtu {mtu}", "link set br0 up",
              f"addr add {own} dev br0{nodad(own)}")
    lab.batch("k", "link set lo up", f"link set k0 mtu {mtu}", "link set k0 up", f"addr add {inner} dev k0{nodad(inner)}", f"route add default via {own.split('/')[0]}")
    if forwarding:
        lab.sysctl("c", "net.ipv4.ip_forward" if lab.family == 4 else "net.ipv6.conf.all.forwarding", 1)
    lab.await_links("ck")

    def traffic():
        sock = socket.socket(socket.AF_INET if lab.family == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
        for _ in range(PACKETS):
            with contextlib.suppress(OSError):
                sock.sendto(b"x", (own.split("/")[0], 9))
            time.sleep(0.002)
    lab.inside("k", traffic)


def narrow_way_out(lab, mtu=NARROW):
    lab.build("crs")
    lab.batch("c", f"link set c0 mtu {mtu}")
    lab.batch("r", f"link set rc mtu {mtu}")


def judged(lab, doc, severity, interface, narrow, fits):
    finding = lab.expect(doc, RULE, severity)
    lab.expect_evidence(finding, "narrow", lambda value: value == narrow, narrow)
    lab.expect_evidence(finding, "fits", lambda value: value == fits, fits)
    if finding and finding["scope"].get("interface") != interface:
        raise Wrong(f"the interface is {finding['scope'].get('interface')!r}, expected {interface!r}")
    return finding


@case(RULE, "fault")
def bridge_before_a_narrow_way_out(lab):
    """docker0 with 1500 over a VPN with less, in use: the commonest of all."""
    narrow_way_out(lab)
    container(lab)
    judged(lab, lab.report("c"), "warning", "br0", "c0", NARROW)


@case(RULE, "fault")
def bridge_that_is_not_passed_on(lab):
    """The same without forwarding: no packet of the container leaves by the narrow interface."""
    narrow_way_out(lab)
    container(lab, forwarding=False)
    judged(lab, lab.report("c"), "info", "br0", "c0", NARROW)


@case(RULE, "fault")
def jumbo_inside_plain_outside(lab):
    """9001 in a cloud's network with 1500 outside: worth knowing and no more."""
    lab.build("crs")
    container(lab, 9001)
    judged(lab, lab.report("c"), "info", "br0", "c0", 1500)


def tunnel(lab, mtu, *options):
    """VXLAN from c to s. A device below would make the kernel choose the MTU; it is set by hand either way."""
    lab.build("crs")
    for role, peer in (("c", "s"), ("s", "c")):
        inner = BRIDGE[lab.family][role == "s"]
        lab.batch(role, " ".join((f"link add vx0 mtu {mtu} type vxlan id 7 dstport 4789 remote", lab.addr(peer), *options)), "link set vx0 up",
                  f"addr add {inner} dev vx0{nodad(inner)}")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()


@case(RULE, "fault")
def vxlan_as_wide_as_what_is_below(lab):
    """MTU 1500 in the tunnel and 1500 below: the outer packet has 1550 bytes, or 1570."""
    tunnel(lab, 1500)
    finding = judged(lab, lab.report("c"), "warning", "vx0", "c0", 1500 - OVERHEAD[lab.family])
    lab.expect_evidence(finding, "overhead", lambda value: value == OVERHEAD[lab.family], OVERHEAD[lab.family])


@case(RULE, "fault")
def pair_whose_ends_differ(lab):
    lab.build()
    lab.batch("c", "link add va type veth peer name vb", "link set va up", "link set vb up", f"link set vb mtu {NARROW}")
    lab.await_links("c")
    judged(lab, lab.report("c"), "warning", "va", "vb", NARROW)


@case(RULE, "fault")
def ports_of_a_bridge_that_differ(lab):
    lab.build()
    lab.batch("c", "link add br0 type bridge", "link set br0 up", "link add va type veth peer name vb", "link add wa type veth peer name wb",
              *(f"link set {port} master br0" for port in ("va", "wa")), *(f"link set {port} up" for port in ("va", "vb", "wa", "wb")),
              f"link set wa mtu {NARROW}", f"link set wb mtu {NARROW}")
    lab.await_links("c")
    finding = judged(lab, lab.report("c"), "warning", "va", "wa", NARROW)
    lab.expect_evidence(finding, "bridge", lambda value: value == "br0", "br0")


@case(RULE, "fault", beside={"mtu-blackhole-send": "the symptom, explained by it"})
def upload_through_a_bridge_above_its_port(lab):
    """The host sends 1500 by the bridge, the port takes less and drops it without a word: what does harm is critical."""
    lab.build()
    lab.batch("c", "addr flush dev c0", "link add br0 type bridge", "link set c0 master br0", f"link set c0 mtu {NARROW}", "link set br0 mtu 1500", "link set br0 gso_max_segs 1",
              "link set br0 up", *(f"addr add {address} dev br0{nodad(address)}" for address in (f"{lab.addr('c')}/{16 if lab.family == 4 else 32}",)))
    lab.await_links("c")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()

    def client(tell):
        large, chat = connected(lab, PORT), connected(lab, PORT)
        for sock in (large, chat):
            sock.send(b"hello")
            sock.recv(100)
        large.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            large.send(bytes(80000))
        tell("sent")
        while True:
            chat.send(b"ping")
            chat.recv(100)
            time.sleep(0.3)
    lab.spawn("c", client, "lab-upload").hear()
    time.sleep(4.5)
    lab.check(any("backoff:" in row.rest and "lost:" in row.rest for row in lab.ss("c", "state", "established")), "nothing is stuck")
    finding = judged(lab, lab.report("c"), "critical", "br0", "c0", NARROW)
    if finding and not finding["explains"]:
        raise Wrong("it explains nothing: the black hole stands beside it")


@case(RULE, "fault")
def route_with_a_lock_above_its_interface(lab):
    lab.build("crs")
    lab.batch("c", f"route add {'10.88.0.0/16' if lab.family == 4 else 'fd88::/64'} via {lab.addr('rc')} mtu lock 9000")
    judged(lab, lab.report("c"), "info", "c0", "c0", 1500)


@case(RULE, "probe-fault", waits=20)
def path_beside_a_network_that_is_too_wide(lab):
    """What the path takes is measured; that an inner network takes more than its interface stands beside it, as information."""
    narrow_way_out(lab)
    container(lab)
    result = probed(lab, "mtu-probe", "--icmp")
    expect(result, verdict="fits", path_mtu=NARROW)
    expect_quiet(result)
    beside = [row for row in result["findings"] if row["rule"] == RULE] if result else [None]
    if not beside:
        raise Wrong("nothing is said of the bridge")
    lab.expect_evidence(beside[0], "narrow", lambda value: value == "c0", "c0")


@case(RULE, "probe-fault", waits=20)
def black_hole_of_a_bridge_above_its_port(lab):
    """Large packets vanish in the bridge of this host itself: the cause comes first, and is critical."""
    lab.build()
    lab.batch("c", "addr flush dev c0", "link add br0 type bridge", "link set c0 master br0", f"link set c0 mtu {NARROW}", "link set br0 mtu 1500", "link set br0 up",
              *(f"addr add {address} dev br0{nodad(address)}" for address in (f"{lab.addr('c')}/{16 if lab.family == 4 else 32}",)))
    lab.await_links("c")
    result = probed(lab, "mtu-probe", "--icmp")
    expect(result, verdict="black-hole", path_mtu=lambda mtu: NARROW <= mtu <= NARROW + 4)
    first = result["findings"][0] if result else None
    if first and (first["rule"], first["severity"]) != (RULE, "critical"):
        raise Wrong(f"first comes {first['severity']} {first['rule']}: {first['title']}")


@case(RULE, "probe-twin", waits=20)
def path_by_an_interface_that_fits(lab):
    """A contradiction on another interface has nothing to do with this path, and 1500 with 1500 is none."""
    lab.build("crs")
    container(lab)
    lab.batch("c", "link add va type veth peer name vb", "link set va up", "link set vb up", f"link set vb mtu {NARROW}")
    lab.await_links("c")
    result = probed(lab, "mtu-probe", "--icmp")
    expect(result, verdict="fits", path_mtu=1500)
    if result and result["findings"]:
        raise Wrong(f"{result['findings'][0]['rule']}: {result['findings'][0]['title']}")


@case(RULE, "twin")
def bridge_as_wide_as_the_way_out(lab):
    """docker0 with 1500 over eth0 with 1500, in use."""
    lab.build("crs")
    container(lab)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def bridge_narrower_than_the_way_out(lab):
    """The inner network was given what fits."""
    narrow_way_out(lab)
    container(lab, NARROW)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def vxlan_that_fits(lab):
    """1450 over IPv4, 1430 over IPv6, with traffic."""
    tunnel(lab, 1500 - OVERHEAD[lab.family])

    def client(tell):
        sock = connected(lab, PORT, address=BRIDGE[lab.family][1].split("/")[0])
        tell("connected")
        while True:
            sock.send(bytes(20000))
            sock.recv(65536)
            time.sleep(0.3)
    lab.spawn("c", client, "lab-chat").hear()
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def narrow_link_alone(lab):
    """An interface with less than Ethernet has, and nothing behind this host."""
    narrow_way_out(lab)
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()

    def client(tell):
        sock = connected(lab, PORT)
        tell("connected")
        while True:
            sock.send(bytes(20000))
            sock.recv(65536)
            time.sleep(0.3)
    lab.spawn("c", client, "lab-chat").hear()
    for role in "cs":
        lab.expect_silent(lab.report(role), RULE)

# SPDX-License-Identifier: MIT
"""What packets show of paths that are narrower than their ends know, of segment sizes, and of fragments; and of paths that are as they should be."""
import time

import case_mtu_blackhole_recv as recv
import case_mtu_blackhole_send as send
import case_pmtu_shrunk as shrunk
from case_udp_unreachable import udp
from cases import case
from lab import rest, Wrong

NARROW = 1400
OFFLOAD = {"capture-quality": "on a virtual link offload joins segments: info"}
CLAMP = {"mss-clamp-mismatch": "nobody limits the MSS to what the path carries: the same narrow path from the other side"}


# --- mtu-blackhole-send

@case("mtu-blackhole-send", "capture-fault", beside={**OFFLOAD, **CLAMP})
def upload_while_others_chat(lab):
    """80 kB vanish, small messages between the same two hosts pass: the capture brackets the size."""
    send.hole(lab, "rs")
    with lab.capture("c", "c0") as capture:
        program = send.start(lab, 1, 1)
        time.sleep(6)
        send.stuck(lab, "c", 1)
    finding = lab.expect(capture.doc, "mtu-blackhole-send", "critical", program, (lab.addr("s"), send.PORT), count=1, confidence=(0.7, 0.95))
    lab.expect_evidence(finding, "size_dead", lambda value: value == 1500, 1500)
    lab.expect_evidence(finding, "size_passed", lambda value: value < NARROW, "what the path takes, or less")


@case("mtu-blackhole-send", "capture-fault", waits=20, beside={**OFFLOAD, **CLAMP, "retrans-high": "what vanished was sent again"})
def sender_that_probes(lab):
    """tcp_mtu_probing=1: after some timeouts the sender tries smaller segments, and the rest goes through. The stall has been all the same."""
    send.hole(lab, "rs")
    lab.sysctl("c", "net.ipv4.tcp_mtu_probing", 1)
    with lab.capture("c", "c0") as capture:
        send.start(lab, 1, 1)
        lab.sockets("c", 2, "state", "established", like=lambda row: "backoff" not in row.rest and row.send_q == 0, patience=40)
    if capture.doc:
        wrong = [finding["title"] for finding in capture.doc["findings"] if finding["rule"] == "dead-peer-unacked"]
        if wrong:
            raise Wrong(f"the peer is alive: {wrong}")
        return " · ".join(f"{finding['rule']} {finding['severity']}: {finding['title']}" for finding in capture.doc["findings"])


@case("mtu-blackhole-send", "capture-twin")
def router_that_tells(lab):
    """The same narrow link, and the router may say so."""
    send.hole(lab, "rs", mute=False)
    with lab.capture("c", "c0") as capture:
        send.start(lab, 2, 1, repeat=True)
        time.sleep(4)
    lab.expect_silent(capture.doc, "mtu-blackhole-send")


@case("mtu-blackhole-send", "capture-twin")
def random_loss(lab):
    """30 % of all data packets lost, whatever their size."""
    lab.build("crs")
    with lab.capture("c", "c0") as capture:
        send.start(lab, 3, 1, repeat=True)
        lab.forward_rule(f'iifname "rc" tcp dport {send.PORT} numgen random mod 100 < 30 drop')
        time.sleep(6)
    lab.check(lab.counters("c")["TcpRetransSegs"] > 20, "nothing was retransmitted")
    lab.expect_silent(capture.doc, "mtu-blackhole-send", allowed=("retrans-high",))


# --- mtu-blackhole-recv

@case("mtu-blackhole-recv", "capture-fault", waits=8)
def answer_of_five_thousand_bytes(lab):
    """Four segments of which the last, short one arrives; a chat with the same service goes on."""
    recv.hole(lab, "rc")
    recv.server(lab)
    with lab.capture("c", "c0") as capture:
        program = recv.browser(lab, [recv.LARGE])
        time.sleep(5)
        lab.check(sum(bool(recv.gap(row)) for row in lab.ss("c", "state", "established")) == 1, "no gap")
    lab.expect(capture.doc, "mtu-blackhole-recv", "warning", program, (lab.addr("s"), recv.PORT), count=1)


@case("mtu-blackhole-recv", "capture-twin")
def answers_that_arrive(lab):
    """The same answers over links of 1500 bytes, and small ones through the hole."""
    recv.hole(lab, "rc")
    recv.server(lab)
    with lab.capture("c", "c0") as capture:
        recv.browser(lab, [recv.SMALL] * 3)
        time.sleep(5)
    lab.expect_silent(capture.doc, "mtu-blackhole-recv")


@case("mtu-blackhole-recv", "capture-twin")
def server_that_is_told(lab):
    """The router may say so: the server sends again, smaller."""
    recv.hole(lab, "rc", mute=False)
    recv.server(lab)
    with lab.capture("c", "c0") as capture:
        recv.browser(lab, [recv.LARGE] * 3)
        time.sleep(5)
    lab.expect_silent(capture.doc, "mtu-blackhole-recv")


# --- pmtu-shrunk

@case("pmtu-shrunk", "capture-fault", beside={**OFFLOAD, **CLAMP})
def router_that_says_so(lab):
    """The sender is told, and obeys."""
    shrunk.narrow(lab)
    with lab.capture("c", "c0") as capture:
        shrunk.upload(lab, size=200_001)
    lab.check(f"mtu {NARROW}" in shrunk.route(lab), "no exception")
    doc = lab.only(capture.doc, "pmtu-shrunk")
    finding = lab.expect(doc, "pmtu-shrunk", "info", peer=(lab.addr("s"), None))
    lab.expect_evidence(finding, "pmtu", lambda value: value == NARROW, NARROW)
    lab.expect_evidence(finding, "reporter", lambda value: value == lab.addr("rc"), lab.addr("rc"))


@case("pmtu-shrunk", "capture-twin")
def path_as_wide_as_the_interface(lab):
    lab.build("crs")
    with lab.capture("c", "c0") as capture:
        shrunk.upload(lab)
    lab.expect_silent(capture.doc, "pmtu-shrunk")


# --- mss-clamp-mismatch

def transfer(lab, rule):
    """An upload whose SYNs the router writes over."""
    lab.build("crs")
    lab.forward_rule(f"tcp flags syn tcp option maxseg {rule}")
    with lab.capture("s", "s0") as capture:
        shrunk.upload(lab, size=200_000)
    return capture.doc


@case("mss-clamp-mismatch", "capture-fault", beside=OFFLOAD)
def clamp_set_too_low(lab):
    lab.expect(transfer(lab, "size set 400"), "mss-clamp-mismatch", "warning", count=2)


@case("mss-clamp-mismatch", "capture-fault", beside={**OFFLOAD, "pmtu-shrunk": "the same narrow path, as the router tells of it"})
def narrow_path_without_a_clamp(lab):
    shrunk.narrow(lab)
    with lab.capture("c", "c0") as capture:
        shrunk.upload(lab)
    doc = lab.only(capture.doc, "mss-clamp-mismatch")
    finding = lab.expect(doc, "mss-clamp-mismatch", "info", count=2)
    lab.expect_evidence(finding, "path_mtu", lambda value: value == NARROW, NARROW)


@case("mss-clamp-mismatch", "capture-twin")
def clamp_that_fits(lab):
    lab.expect_silent(transfer(lab, "size set 1360"), "mss-clamp-mismatch")


# --- ip-fragmentation

def large_datagrams(lab, fate):
    """Thirty datagrams of 6000 bytes, captured where they arrive; `fate` is what the router's link does with fragments."""
    lab.build("crs")
    if fate:
        lab.nft("r", f'table netdev lab {{\n chain in_lab {{\n type filter hook ingress device "rc" priority 0;\n {fate}\n }}\n}}\n')

    def sink(tell):
        sock = udp(lab)
        sock.bind(("", 4739))
        tell("bound")
        rest()

    def source(tell):
        sock = udp(lab)
        for _ in range(30):
            sock.sendto(bytes(6000), (lab.addr("s"), 4739))
            time.sleep(0.02)
        tell("sent")
        rest()
    lab.spawn("s", sink, "lab-sink").hear()
    with lab.capture("s", "s0") as capture:
        lab.spawn("c", source, "lab-send").hear()
        time.sleep(3)
    lab.check(not capture.doc or capture.doc["fragments"] >= 30, "no fragments came")
    return capture.doc


@case("ip-fragmentation", "capture-fault", waits=8)
def fragments_dropped_by_a_filter(lab):
    """What carries no ports is dropped: only first fragments arrive."""
    doc = large_datagrams(lab, "ip frag-off & 0x1fff != 0 drop" if lab.family == 4 else "frag frag-off != 0 drop")
    finding = lab.expect(doc, "ip-fragmentation", "critical", peer=(lab.addr("s"), None), count=(25, 30))
    lab.expect_evidence(finding, "share", lambda value: value > 90, "nearly all")
    lab.expect_evidence(finding, "first_only", lambda value: value >= 25, "nearly all")


@case("ip-fragmentation", "capture-twin")
def fragments_that_arrive(lab):
    doc = large_datagrams(lab, None)
    lab.check(not doc or doc["fragments"] == 150, f"{doc and doc['fragments']} fragments")
    lab.expect_silent(doc, "ip-fragmentation")

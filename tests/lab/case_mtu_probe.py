# SPDX-License-Identifier: MIT
"""`mtu-probe` on paths that are narrow, silent, lossy or deaf, with what tracepath says about each."""
import json
import os
import signal
import subprocess
import time

from cases import case
from chain import NOBODY, PORT, Chain, address, expect, expect_finding, expect_quiet, nobody_can_ping, within
from lab import Wrong

HOLE, TOLD, BACK, CLAMP = "mtu-blackhole-send", "pmtu-shrunk", "mtu-blackhole-recv", "mss-clamp-mismatch"
SLOW = {"waits": 40}
LEFT_OPEN = {"method": "tcp", "verdict": None, "path_mtu": 1400, "bound": "lower", "status": 4}


def few(result):
    """Never more than 50 probes a second."""
    if result and result["probes_sent"] > 50 * (result["elapsed_ms"] / 1000 + 1):
        raise Wrong(f"{result['probes_sent']} probes in {result['elapsed_ms']} ms")


def agree(lab, said, mtu):
    """tracepath has come to the same path MTU."""
    lab.check(said.reached and said.mtu == mtu, f"tracepath says {said.mtu}, reached {said.reached}: {said.text[-300:]}")


def lost(lab, said):
    """tracepath does not get there: it has no answer of its own to give."""
    lab.check(not said.reached, f"tracepath reaches the host: {said.text[-300:]}")


def fits(lab, chain, *arguments, **options):
    result = chain.one("mtu-probe", *arguments, **options)
    expect(result, verdict="fits", path_mtu=1500, bound="exact", smallest_lost=None, shrinks_at=None, ptb=None, interface_mtu=1500, status=0)
    expect_quiet(result)
    few(result)
    return result


def hole(chain, mtu, ttl, *arguments, **options):
    return expect_hole(chain, chain.one("mtu-probe", *arguments, **options), mtu, ttl)


def expect_hole(chain, result, mtu, ttl):
    expect(result, verdict="black-hole", path_mtu=mtu, smallest_lost=mtu + 1, bound="exact", status=5, ptb=None)
    if result and ttl is not None:
        place = result["shrinks_at"] or {}
        if (place.get("ttl"), place.get("address")) != (ttl, chain.hop(ttl) if ttl else None):
            raise Wrong(f"shrinks_at is {place}, expected hop {ttl}")
    # a hole on the way back as well may be the more certain of two
    expect_finding(result and {**result, "findings": [finding for finding in result["findings"] if finding["rule"] != BACK]}, HOLE, "critical", (0.85, 1.0))
    few(result)
    return result


@case(HOLE, "probe-twin")
def no_shrink(lab):
    """1500 everywhere: exact within moments."""
    chain = Chain(lab)
    agree(lab, chain.tracepath(), 1500)
    within(fits(lab, chain, "--icmp"), 2)


@case(TOLD, "probe-twin")
def no_shrink_without_privilege(lab):
    """nobody, and no ping socket: UDP speaks."""
    chain = Chain(lab)
    nobody_can_ping(chain)
    expect(fits(lab, chain, user=NOBODY), method="udp")


@case(BACK, "probe-twin")
def no_shrink_by_ping_socket(lab):
    chain = Chain(lab)
    lab.sysctl("c", "net.ipv4.ping_group_range", f"0 {NOBODY}")
    expect(fits(lab, chain, user=NOBODY), method="icmp")


@case(BACK, "probe-twin")
def no_shrink_over_tcp(lab):
    """Segments of exact size to the service, and its answers to both MSS."""
    chain = Chain(lab)
    chain.serve()
    result = fits(lab, chain, "--tcp", "--tcp-payload", "raw", port=PORT, user=NOBODY)
    expect(result, method="tcp", reverse="fits")


@case(TOLD, "probe-fault")
def shrink_told(lab):
    """A router tells, and is right."""
    chain = Chain(lab)
    chain.shrink(2, 1400)
    agree(lab, chain.tracepath(), 1400)
    result = chain.one("mtu-probe", "--icmp")
    expect(result, verdict="narrower-told", path_mtu=1400, smallest_lost=1401, bound="exact", status=0, ptb=lambda ptb: chain.hop(1) in json.dumps(ptb),
           shrinks_at=lambda place: place["ttl"] == 1 and place["address"] == chain.hop(1) and place["mtu"] == 1400)
    expect_finding(result, TOLD, "info")
    within(result, 3)
    few(result)


@case(TOLD, "probe-fault", **SLOW)
def shrink_told_by_udp(lab):
    chain = Chain(lab)
    chain.shrink(3, 1300)
    result = chain.one("mtu-probe", user=NOBODY)
    expect(result, method="udp", verdict="narrower-told", path_mtu=1300, bound="exact", status=0, shrinks_at=lambda place: place["ttl"] == 2 and place["address"] == chain.hop(2))
    expect_finding(result, TOLD, "info")


@case(TOLD, "probe-fault")
def cached_exception_is_shown(lab):
    """What the kernel remembers from before is shown beside what is found now, and does not decide it."""
    chain = Chain(lab)
    chain.shrink(2, 1400)
    agree(lab, chain.tracepath(), 1400)
    chain.shrink(2, 1450)
    result = chain.one("mtu-probe", "--icmp")
    expect(result, verdict="narrower-told", path_mtu=1450, cached_pmtu=lambda cached: json.dumps(cached).find("1400") >= 0, status=0)


@case(HOLE, "probe-fault")
def shrink_silent(lab):
    """The narrow link's router is mute towards us: to the byte, with the hop, within five seconds."""
    chain = Chain(lab)
    chain.shrink(3, 1400)
    chain.mute_too_big("r2")
    lost(lab, chain.tracepath())
    within(hole(chain, 1400, 2, "--icmp"), 5)


@case(HOLE, "probe-fault")
def shrink_silent_at_the_first_router(lab):
    chain = Chain(lab)
    chain.shrink(2, 1280 if lab.family == 6 else 1003)
    chain.mute_too_big("r1")
    within(hole(chain, 1280 if lab.family == 6 else 1003, 1, "--icmp"), 5)


@case(HOLE, "probe-fault", waits=60)
def shrink_silent_by_udp(lab):
    """The host answers once a second: slow, and said to be."""
    chain = Chain(lab)
    chain.shrink(3, 1400)
    chain.mute_too_big("r2")
    expect(hole(chain, 1400, 2, user=NOBODY), method="udp")


@case(HOLE, "probe-fault", waits=40)
def shrink_silent_over_tcp(lab):
    chain = Chain(lab)
    chain.serve(answer=100)  # too short to be told about the way back, which would lessen the MSS that the host advertises
    chain.shrink(2, 1400)
    chain.mute_too_big("r1")
    result = hole(chain, 1400, 1, "--tcp", "--tcp-payload", "raw", port=PORT)
    default = 1448 if lab.family == 4 else 1428  # of an interface of 1500, as any program's connection has it, not of the one that advertised less to compare
    expect(result, method="tcp", reverse="unknown", tcp=lambda tcp: (tcp["advmss"], tcp["snd_mss"]) == (default, default))


def service_that_learns_of_the_way_back(lab):
    """Nobody tells the client that its way is narrow, while the router before the service tells that of its long answers, so that it allows less."""
    chain = Chain(lab)
    chain.serve()
    chain.shrink(2, 1400)
    chain.mute_too_big("r1")
    return chain


@case(HOLE, "probe-fault", waits=40)
def what_tcp_leaves_open_is_asked_by_icmp(lab):
    """As any web server has it: TCP cannot try what the service does not allow any more, and ICMP can."""
    chain = service_that_learns_of_the_way_back(lab)
    result = hole(chain, 1400, 1, "--tcp-payload", "raw", port=PORT)
    expect(result, method="icmp", first_method="tcp", reverse="fits", notices=told_in("could no longer be tried by TCP"))
    expect(result, notices=told_in("what TCP left open was asked by ICMP"))


@case("mtu-probe", "view", waits=40)
def what_tcp_leaves_open_when_nothing_else_was_asked_for(lab):
    """The bound stands, and is called one."""
    chain = service_that_learns_of_the_way_back(lab)
    result = chain.one("mtu-probe", "--tcp", "--tcp-payload", "raw", port=PORT)
    expect(result, **LEFT_OPEN, first_method=None, notices=told_in("could no longer be tried by TCP; --icmp or --udp ask the path itself"))


@case("mtu-probe", "view", waits=40)
def what_tcp_leaves_open_without_time_for_more(lab):
    """The way back comes first, and what is known by then is kept."""
    chain = service_that_learns_of_the_way_back(lab)
    result = chain.one("mtu-probe", "--timeout", "3", "--tcp-payload", "raw", port=PORT)
    expect(result, path_mtu=1400, reverse="fits", verdict=lambda verdict: verdict in (None, "black-hole"), status=lambda status: status in (4, 5))


@case("mtu-probe", "view", waits=40)
def what_tcp_leaves_open_when_nothing_else_is_answered(lab):
    """Less than a verdict, and more than silence."""
    chain = service_that_learns_of_the_way_back(lab)
    chain.deaf("icmp", "udp")
    result = chain.one("mtu-probe", "--tcp-payload", "raw", port=PORT)
    expect(result, **LEFT_OPEN, first_method="icmp", reverse="fits", notices=told_in("what TCP left open was asked by ICMP"))


@case("mtu-probe", "view", waits=40)
def what_icmp_loses_and_tcp_does_not(lab):
    """A filter on large echoes and datagrams is no narrow link: what TCP got through is not called lost."""
    chain = service_that_learns_of_the_way_back(lab)
    chain.filter("r1", "meta l4proto { icmp, icmpv6, udp } meta length > 1000 drop")
    result = chain.one("mtu-probe", "--tcp-payload", "raw", port=PORT)
    expect(result, **LEFT_OPEN, first_method="icmp", notices=told_in("while TCP of 1400 B does: ICMP is hindered"), findings=[])


@case("mtu-probe", "view", waits=20)
def service_that_says_little_without_time(lab):
    """It is left when it is quiet, and bears witness all the same."""
    chain = Chain(lab)
    chain.serve(answer=100)
    result = chain.one("mtu-probe", "--timeout", "2.5", "--tcp-payload", "raw", port=PORT)
    expect(result, method="tcp", verdict="fits", path_mtu=1500, reverse="unknown", status=0, tcp=lambda tcp: tcp and tcp["connected"])


@case(HOLE, "probe-fault", waits=40)
def large_segments_filtered(lab):
    """Only TCP loses what is large: echoes of that size arrive, so that no hop is to blame."""
    chain = Chain(lab)
    chain.serve(answer=100)
    chain.filter("r1", "meta l4proto tcp meta length > 1400 drop")
    result = chain.one("mtu-probe", "--tcp", "--tcp-payload", "raw", port=PORT)
    expect(result, method="tcp", verdict="black-hole", path_mtu=1400, smallest_lost=1401, status=5, place="unknown", shrinks_at=None)
    finding = expect_finding(result, HOLE, "critical", (0.7, 0.85))
    if finding and "a filter on the way" not in finding["title"]:
        raise Wrong(finding["title"])


@case(BACK, "probe-fault", waits=60)
def service_that_thinks_before_its_answer(lab):
    """Its head comes at once, and what does not fit the way back a second later: a quiet service is no short answer."""
    chain = Chain(lab)
    chain.serve(pause=1.3)
    chain.narrow_back("r2", 1400)
    chain.mute_too_big("r2")
    result = chain.one("mtu-probe", "--tcp-payload", "raw", port=PORT)
    expect(result, method="tcp", verdict="fits", path_mtu=1500, reverse="black-hole", status=5)


@case(BACK, "probe-fault", waits=60)
def shrink_silent_on_the_way_back(lab):
    """Only answers are too large: echo and datagrams pass, what the service sends does not."""
    chain = Chain(lab)
    chain.serve()
    chain.narrow_back("r2", 1400)
    chain.mute_too_big("r2")
    agree(lab, chain.tracepath(), 1500)
    result = chain.one("mtu-probe", "--tcp", "--tcp-payload", "raw", port=PORT)
    expect(result, verdict="fits", path_mtu=1500, reverse="black-hole", status=5)
    if result and not any(finding["rule"] == BACK and finding["severity"] == "critical" for finding in result["findings"]):
        raise Wrong(f"no {BACK} among {[finding['rule'] for finding in result['findings']]}")


@case(HOLE, "probe-fault", waits=60)
def shrink_silent_both_ways(lab):
    chain = Chain(lab)
    chain.serve()
    chain.shrink(2, 1400)
    chain.mute_too_big("r1", "r2")
    result = hole(chain, 1400, 1, "--tcp", "--tcp-payload", "raw", port=PORT)
    expect(result, method="tcp", reverse="black-hole", findings=lambda findings: any(finding["rule"] == BACK and finding["severity"] == "critical" for finding in findings))


@case(TOLD, "probe-fault")
def two_shrinks_told(lab):
    chain = Chain(lab)
    chain.shrink(2, 1450)
    chain.shrink(3, 1300)
    agree(lab, chain.tracepath(), 1300)
    result = chain.one("mtu-probe", "--icmp")
    expect(result, verdict="narrower-told", path_mtu=1300, bound="exact", shrinks_at=lambda place: place["ttl"] == 2 and place["address"] == chain.hop(2), status=0)
    expect_finding(result, TOLD, "info")


@case(HOLE, "probe-fault")
def two_shrinks_the_narrower_silent(lab):
    """What the first router tells is true and not enough."""
    chain = Chain(lab)
    chain.shrink(2, 1450)
    chain.shrink(3, 1300)
    chain.mute_too_big("r2")
    lost(lab, chain.tracepath())
    result = chain.one("mtu-probe", "--icmp")
    expect(result, verdict="black-hole", path_mtu=1300, smallest_lost=1301, status=5, shrinks_at=lambda place: place["ttl"] == 2)
    expect_finding(result, HOLE, "critical")
    within(result, 6)


@case(HOLE, "probe-fault")
def silent_shrink_before_one_that_tells(lab):
    """The largest packets die where nobody speaks: what is told further on of smaller ones helps no sender."""
    chain = Chain(lab, 4)
    chain.shrink(2, 1450)
    chain.shrink(4, 1400)
    chain.mute_too_big("r1")
    lost(lab, chain.tracepath())
    result = hole(chain, 1400, 1)
    expect(result, silent_size=1500, told=lambda told: [(word["address"], word["mtu"], word["kind"]) for word in told] == [(chain.hop(3), 1400, "confirmed")])
    within(result, 5)


@case(HOLE, "probe-twin")
def host_answers_small_echoes_only(lab):
    """The path is well: datagrams show it."""
    chain = Chain(lab)
    chain.filter("s", "meta length > 500 meta l4proto { icmp, ipv6-icmp } drop", "input")
    result = fits(lab, chain)
    expect(result, method="udp", echo_unanswered=501 if lab.family == 4 else lambda size: size > 400)
    within(result, 6)


@case(HOLE, "probe-twin")
def echo_replies_too_large_for_the_way_back(lab):
    """An echo reply is as large as the echo: a narrow way back is none there."""
    chain = Chain(lab)
    chain.narrow_back("r2", 1400)
    chain.mute_too_big("r2")
    chain.filter("r1", "ip frag-off & 0x3fff != 0 drop")
    result = fits(lab, chain)
    expect(result, method="udp", echo_unanswered=1401)
    within(result, 6)


@case(HOLE, "probe-twin")
def echo_replies_lost_and_datagrams_unanswered(lab):
    """Nothing tells the way there from the way back: unknown, and never a hole."""
    chain = Chain(lab)
    chain.narrow_back("r2", 1400)
    chain.mute_too_big("r2")
    chain.filter("r1", "ip frag-off & 0x3fff != 0 drop")
    chain.deaf("udp")
    result = chain.one("mtu-probe")
    expect(result, verdict=None, method="icmp", path_mtu=1400, bound="lower", smallest_lost=None, echo_unanswered=1401, status=4)
    expect_quiet(result)


@case(HOLE, "probe-fault")
def hop_proves_the_hole_where_datagrams_are_unanswered(lab):
    """A router behind the narrow place answers small packets alone, and its answers are small."""
    chain = Chain(lab)
    chain.shrink(2, 1400)
    chain.mute_too_big("r1")
    chain.deaf("udp")
    within(hole(chain, 1400, 1), 5)


@case(HOLE, "probe-fault")
def dropped_inside_one_segment(lab):
    """Nobody can tell: the receiving end of a link takes less than the sending end sends."""
    chain = Chain(lab)
    chain.shrink_end(2, 2, 1400)
    result = chain.one("mtu-probe", "--icmp")
    expect(result, verdict="black-hole", status=5, path_mtu=lambda mtu: 1400 <= mtu <= 1404, shrinks_at=lambda place: place["ttl"] == 1)
    expect_finding(result, HOLE, "critical")


@case(HOLE, "probe-fault")
def dropped_on_the_first_segment(lab):
    """Before any router: this machine's own link."""
    chain = Chain(lab)
    chain.shrink_end(1, 2, 1400)
    result = chain.one("mtu-probe", "--icmp")
    expect(result, verdict="black-hole", status=5, path_mtu=lambda mtu: 1400 <= mtu <= 1404)
    if result and result["shrinks_at"] and result["shrinks_at"]["ttl"] not in (0, None):
        raise Wrong(f"shrinks_at is {result['shrinks_at']}")


@case(HOLE, "probe-twin", waits=30)
def mss_clamped(lab):
    """The narrow link is mute, but the MSS is clamped: the service is well, the path is a hole for everything else. Over TCP it fits."""
    chain = Chain(lab)
    chain.serve()
    chain.shrink(3, 1400)
    chain.mute_too_big("r2")
    chain.filter("r2", f"tcp flags & (syn|rst) == syn tcp option maxseg size set {1360 if lab.family == 4 else 1340}")
    result = chain.one("mtu-probe", "--tcp", "--tcp-payload", "raw", port=PORT)
    expect(result, method="tcp", verdict="fits", path_mtu=1400, reverse="fits", status=0)
    expect_quiet(result)


@case(CLAMP, "probe-fault", waits=30)
def nobody_limits_the_mss(lab):
    """The segments that both sides agreed on do not fit the path, beside the hole that swallows them."""
    chain = Chain(lab)
    chain.serve(answer=100)
    chain.shrink(2, 1400)
    chain.mute_too_big("r1")
    result = hole(chain, 1400, 1, "--icmp", port=PORT)
    if result and not any(finding["rule"] == CLAMP and finding["severity"] == "warning" for finding in result["findings"]):
        raise Wrong(f"no {CLAMP} among {[finding['rule'] for finding in result['findings']]}")


@case(CLAMP, "probe-twin", waits=30)
def mss_that_fits_the_hole(lab):
    """The same hole, and a clamp in front of it: the hole is told, the MSS is as it should be."""
    chain = Chain(lab)
    chain.serve(answer=100)
    chain.shrink(2, 1400)
    chain.mute_too_big("r1")
    chain.filter("r1", f"tcp flags & (syn|rst) == syn tcp option maxseg size set {1360 if lab.family == 4 else 1340}")
    result = hole(chain, 1400, 1, "--icmp", port=PORT)
    if result and any(finding["rule"] == CLAMP for finding in result["findings"]):
        raise Wrong(f"{CLAMP} although it is clamped: {result['tcp']}")


@case(HOLE, "probe-fault", waits=40)
def tcp_mtu_probing_hides_nothing(lab):
    """The kernel would work around it after some seconds; the answer is the same."""
    chain = Chain(lab)
    chain.serve(answer=100)
    chain.shrink(2, 1400)
    chain.mute_too_big("r1")
    lab.sysctl("c", "net.ipv4.tcp_mtu_probing", 1)
    expect(hole(chain, 1400, 1, "--tcp", "--tcp-payload", "raw", port=PORT), method="tcp")


@case("mtu-probe", "view", waits=30)
def host_that_is_told_meanwhile(lab):
    """Its answers teach the host that the way back is narrow, and it allows less from then on: what lies above is not called fine."""
    chain = Chain(lab)
    chain.serve()
    chain.shrink(2, 1400)
    chain.mute_too_big("r1")
    result = chain.one("mtu-probe", "--tcp", "--tcp-payload", "raw", port=PORT)
    expect(result, method="tcp", verdict=lambda verdict: verdict in (None, "black-hole"), status=lambda status: status in (4, 5))
    if result and result["verdict"] is None and "at first" not in json.dumps(result["notices"]):
        raise Wrong(f"nothing is said of it: {result['notices']}")


@case("mtu-probe", "view", waits=20)
def service_that_ends_every_connection(lab):
    """It accepts, and resets at the first byte: nothing is known of sizes, and nobody refuses."""
    chain = Chain(lab)
    chain.serve()
    chain.filter("s", f"tcp dport {PORT} tcp flags & psh == psh reject with tcp reset", "input")
    result = chain.one("mtu-probe", "--tcp", "--tcp-payload", "raw", port=PORT)
    expect(result, method="tcp", verdict="host-deaf", unreachable=None, status=4)


@case("mtu-probe", "view")
def sizes_that_the_kernel_chooses(lab):
    """tcp_mtu_probing=2 lets nobody choose a segment's size: unknown, and why."""
    chain = Chain(lab)
    chain.serve()
    lab.sysctl("c", "net.ipv4.tcp_mtu_probing", 2)
    result = chain.one("mtu-probe", "--tcp", "--tcp-payload", "raw", port=PORT)
    expect(result, verdict=None, path_mtu=None, status=4, notices=lambda notices: "tcp_mtu_probing" in json.dumps(notices))


def told_in(*words):
    """All words stand in one notice."""
    return lambda notices: any(all(word in notice["text"] for word in words) for notice in notices)


def route_to_host(chain, *words):
    """The client's route to the host alone, with metrics."""
    lab = chain.lab
    lab.batch("c", " ".join(["route", "replace", chain.target, "via", chain.hop(1), *words]))


@case(TOLD, "probe-twin")
def mtu_of_a_route_over_tcp(lab):
    """An administrator's MTU is no word of a router: TCP sends no more, and that fits."""
    chain = Chain(lab)
    chain.serve()
    for words in (("mtu", "1420"), ("mtu", "lock", "1420")):
        route_to_host(chain, *words)
        result = chain.one("mtu-probe", "--tcp", "--tcp-payload", "raw", port=PORT)
        expect(result, verdict="fits", path_mtu=1420, bound="exact", route_mtu=1420, told=[], ptb=None, status=0)
        expect_quiet(result)


@case(TOLD, "probe-twin")
def remembered_over_tcp(lab):
    """What the kernel remembers of a path that is wide again: TCP cannot ask, and does not say that it did."""
    chain = Chain(lab)
    chain.serve()
    chain.shrink(2, 1400)
    agree(lab, chain.tracepath(), 1400)
    chain.shrink(2, 1500)
    result = chain.one("mtu-probe", "--tcp", "--tcp-payload", "raw", port=PORT)
    expect(result, method="tcp", verdict=None, path_mtu=1400, bound="lower", ptb=None, told=[], status=4, notices=told_in("remembers a path MTU of 1400", "--icmp or --udp"))
    result = chain.one("mtu-probe", "--tcp-payload", "raw", port=PORT)
    expect(result, method="icmp", verdict="fits", path_mtu=1500, reverse="fits", status=0, cached_pmtu=1400)


@case(BACK, "probe-twin")
def way_back_tells_what_was_seen(lab):
    """Advertised is what the route lets the kernel advertise; the packets are those that came."""
    chain = Chain(lab)
    chain.serve()
    headers = 40 if lab.family == 4 else 60
    route_to_host(chain, "advmss", "1380")
    result = chain.one("mtu-probe", "--tcp", "--tcp-payload", "raw", port=PORT)
    expect(result, reverse="fits", reverse_test=lambda test: (test["largest_mss"], test["largest_packet"]) == (1380, 1380 + headers))
    route_to_host(chain)
    chain.filter("r1", "tcp flags & (syn|rst) == syn tcp option maxseg size set 1300")
    result = chain.one("mtu-probe", "--tcp", "--tcp-payload", "raw", port=PORT)
    expect(result, reverse="fits", reverse_test=lambda test: (test["largest_mss"], test["largest_packet"]) == (1500 - headers, 1300 + headers), verdict="fits", path_mtu=1300 + headers,
           probes_sent=lambda sent: sent < 20)


@case(HOLE, "probe-twin", families=(4,))
def kernel_that_does_not_hear(lab):
    """ip_no_pmtu_disc=2: a router that tells looks like a hole, which is not claimed."""
    chain = Chain(lab)
    chain.shrink(2, 1400)
    lab.sysctl("c", "net.ipv4.ip_no_pmtu_disc", 2)
    for method in ("--icmp", "--udp"):
        result = chain.one("mtu-probe", method)
        expect(result, verdict=None, path_mtu=1400, smallest_lost=1401, status=4, notices=told_in("ip_no_pmtu_disc"))
        expect_quiet(result)


@case(TOLD, "probe-fault", families=(4,))
def kernel_that_hides_the_size(lab):
    """ip_no_pmtu_disc=1: the router named it, and is not called old."""
    chain = Chain(lab)
    chain.shrink(2, 1400)
    lab.sysctl("c", "net.ipv4.ip_no_pmtu_disc", 1)
    result = chain.one("mtu-probe", "--icmp")
    expect(result, verdict="narrower-told", path_mtu=1400, status=0, ptb=lambda ptb: ptb["kind"] == "hidden" and ptb["mtu"] is None, notices=told_in("ip_no_pmtu_disc is 1"))
    expect_finding(result, TOLD, "info")


@case("mtu-probe", "view")
def more_than_the_interface_sends(lab):
    """The question was about 9000 bytes: 1500 are a lower bound."""
    chain = Chain(lab)
    result = chain.one("mtu-probe", "--icmp", "--max-mtu", "9000")
    expect(result, verdict="fits", path_mtu=1500, bound="lower", status=4, notices=told_in("the interface l1e1 sends packets of 1500 B at most", "9000"))


@case("mtu-probe", "view", waits=20)
def another_method_than_the_one_that_was_silent(lab):
    """TCP is filtered and ICMP answers: who is asked instead is said."""
    chain = Chain(lab)
    chain.serve()
    chain.filter("r2", f"tcp dport {PORT} drop")
    result = chain.one("mtu-probe", "--tcp-payload", "raw", port=PORT)
    expect(result, method="icmp", first_method="tcp", verdict="fits", reverse=None, notices=told_in("was not answered: ICMP was used instead", "tcptriage trace"))


def most_in_a_second(chain, *arguments, **options):
    """Probes and SYNs that left the client in any second, by tcpdump, and the result."""
    lab = chain.lab
    wire = f"/tmp/tcptriage-lab-{os.getpid()}-{lab.ns('c')}.pcap"
    # no SYN's repetition by this kernel is a probe, and none is sent here: what is asked for answers
    wanted = "icmp[0] == 8 or icmp6[0] == 128 or udp dst port 33434 or tcp[13] == 2 or (ip6 proto 6 and ip6[53] == 2)"
    dump = subprocess.Popen(["nsenter", f"--net=/run/netns/{lab.ns('c')}", "tcpdump", "-i", "l1e1", "-Q", "out", "--immediate-mode", "-U", "-w", wire, wanted], stderr=subprocess.PIPE, text=True)
    try:
        while "listening on" not in dump.stderr.readline():
            pass
        result = chain.one("mtu-probe", *arguments, **options)
        time.sleep(0.3)
        dump.send_signal(signal.SIGINT)
        dump.communicate(timeout=10)
        lines = subprocess.run(["tcpdump", "-tt", "-n", "-r", wire], capture_output=True, text=True, check=True).stdout.splitlines()
    finally:
        dump.kill()
        if os.path.exists(wire):
            os.unlink(wire)
    times = [float(line.split()[0]) for line in lines]
    return max((sum(1 for other in times if at <= other < at + 1) for at in times), default=0), len(times), result


@case("mtu-probe", "view", waits=40)
def never_more_than_fifty_in_a_second(lab):
    """Search, way back and witness together; and what is printed is what left."""
    if not lab.binary:
        return
    chain = Chain(lab)
    chain.serve()
    chain.shrink(2, 1400)
    chain.mute_too_big("r1")
    chain.narrow_back("r2", 1300)
    for arguments, port in ((("--icmp",), None), (("--icmp",), PORT), (("--tcp", "--tcp-payload", "raw"), PORT), (("--udp", "--timeout", "4"), None)):
        most, sent, result = most_in_a_second(chain, *arguments, port=port)
        lab.check(most, "tcpdump saw nothing")
        if most > 50:
            raise Wrong(f"{most} in one second with {arguments} {port}")
        counted = result["probes_sent"] + result["connections"]
        if abs(sent - counted) > 2:
            raise Wrong(f"{sent} left, {counted} are printed with {arguments} {port}")


@case(HOLE, "probe-twin")
def five_percent_lost(lab):
    """Loss is not size."""
    chain = Chain(lab)
    chain.filter("r1", "numgen random mod 100 < 5 drop")
    for _ in range(3):
        fits(lab, chain, "--icmp")


@case(HOLE, "probe-fault")
def five_percent_lost_and_a_hole(lab):
    """Chance takes a fifth of the small ones as well in one run of some hundreds: then nothing is claimed, and the next run decides."""
    chain = Chain(lab)
    chain.filter("r1", "numgen random mod 100 < 5 drop")
    chain.shrink(3, 1400)
    chain.mute_too_big("r2")
    for _ in range(3):
        result = chain.one("mtu-probe", "--icmp")
        if not result or result["verdict"]:
            break
        expect(result, path_mtu=lambda mtu: mtu <= 1400, bound="lower", status=4, findings=[])
    expect_hole(chain, result, 1400, None)


@case(TOLD, "probe-twin")
def host_deaf_to_echo(lab):
    """Silence of echo is not an answer; datagrams are tried and say it."""
    chain = Chain(lab)
    chain.deaf("icmp")
    result = fits(lab, chain)
    expect(result, method="udp")


@case(HOLE, "probe-twin", waits=30)
def host_deaf_to_both(lab):
    """Unknown, and never OK."""
    chain = Chain(lab)
    chain.deaf("icmp", "udp")
    lost(lab, chain.tracepath())
    result = chain.one("mtu-probe")
    expect(result, verdict="host-deaf", path_mtu=None, status=4)
    expect_quiet(result)


@case("mtu-probe", "view", waits=30)
def service_of_a_deaf_host(lab):
    """It can be asked, and how is said."""
    chain = Chain(lab)
    chain.serve()
    chain.deaf("icmp", "udp")
    result = chain.one("mtu-probe", port=PORT)
    expect(result, verdict="host-deaf", status=4, notices=lambda notices: "--tcp --tcp-payload" in str(notices))


@case("mtu-probe", "view", waits=30)
def service_that_does_not_answer(lab):
    """What fits by echo is no good news for the service: where to look is said."""
    chain = Chain(lab)
    chain.serve()
    chain.filter("r2", f"tcp dport {PORT} drop")
    for arguments in ((), ("--tcp-payload", "raw")):
        expect(chain.one("mtu-probe", *arguments, port=PORT), method="icmp", verdict="fits", notices=lambda notices: "tcptriage trace" in str(notices))


@case("icmp-unreachable", "probe-fault", waits=30)
def host_that_is_gone(lab):
    """The last router looked for it on its own link: no route is missing."""
    chain = Chain(lab)
    result = chain.one("mtu-probe", target=address(lab, 3, 99))
    expect(result, verdict="unreachable", status=4)
    finding = expect_finding(result, "icmp-unreachable", "warning")
    if finding and "does not answer on its own link" not in finding["detail"]:
        raise Wrong(finding["detail"])


@case(HOLE, "probe-twin")
def unreachable_is_no_hole(lab):
    chain = Chain(lab)
    chain.filter("r2", "reject with icmpx type admin-prohibited")
    result = chain.one("mtu-probe", "--icmp")
    expect(result, verdict="unreachable", path_mtu=None, status=4)


@case("mtu-probe", "view")
def hops_are_listed(lab):
    chain = Chain(lab)
    result = fits(lab, chain, "--icmp", "--hops")
    expect(result, hops=lambda hops: [(hop["ttl"], hop["address"]) for hop in hops] == [(1, chain.hop(1)), (2, chain.hop(2)), (3, chain.target)])


@case("mtu-probe", "view")
def forged_messages_change_nothing(lab):
    """A router that sends all kinds of lies about packets that we did not send."""
    chain = Chain(lab)
    import forger
    stop = forger.start(lab, chain)
    result = fits(lab, chain, "--icmp")
    stop()
    if result and not result["ignored_messages"]:
        lab.check(False, "no forged message arrived")


@case("mtu-probe", "view", waits=30)
def interrupted_it_says_what_it_knows(lab):
    """SIGINT: a bound and not a verdict of more."""
    chain = Chain(lab)
    chain.shrink(3, 1400)
    chain.mute_too_big("r2")
    if not lab.binary:
        return
    process = subprocess.Popen(["nsenter", f"--net=/run/netns/{lab.ns('c')}", lab.binary, "mtu-probe", "--udp", "--json", chain.target],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    text, messages = process.communicate(timeout=20)
    doc = json.loads(text)
    result = doc["results"][0]
    if process.returncode != 130 or doc["complete"] or result["bound"] == "exact":
        raise Wrong(f"exit status {process.returncode}, complete {doc['complete']}, bound {result['bound']}: {messages[-200:]}")


@case("mtu-probe", "view", waits=20)
def timeout_gives_a_bound(lab):
    chain = Chain(lab)
    chain.shrink(3, 1400)
    chain.mute_too_big("r2")
    doc = chain.ask("mtu-probe", "--udp", "--timeout", "2", statuses=(4, 5))
    if doc and (doc["complete"] or doc["results"][0]["bound"] == "exact"):
        raise Wrong(f"complete {doc['complete']}, bound {doc['results'][0]['bound']}")


@case("mtu-probe", "view", families=(4,))
def both_families_of_a_name(lab):
    """Every address that the name has; the worst decides."""
    chain = Chain(lab)
    chain.shrink(3, 1400)
    chain.filter("r2", "icmpv6 type packet-too-big drop", "output")
    hosts = f"/tmp/tcptriage-hosts-{os.getpid()}"
    with open(hosts, "w", encoding="ascii") as handle:
        handle.write(f"{address(lab, 3, 2, 4)} lab-host\n{address(lab, 3, 2, 6)} lab-host\n")
    try:
        doc = chain.ask("mtu-probe", "--icmp", target="lab-host", wrap=["unshare", "-m", "sh", "-c", f'mount --bind {hosts} /etc/hosts && exec "$@"', "sh"])
    finally:
        os.unlink(hosts)
    if doc:
        verdicts = {row["family"]: row["verdict"] for row in doc["results"]}
        if verdicts != {"inet": "narrower-told", "inet6": "black-hole"} or doc["status"] != 5:
            raise Wrong(f"{verdicts}, exit status {doc['status']}")

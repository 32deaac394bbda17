# SPDX-License-Identifier: MIT
"""Half-open queues that invented clients fill, and queues that real ones use."""
import contextlib
import time

from cases import case
from case_healthy import half_open_checks, reset_checks, visitor, web_server
from half_open import accepting, build_with_nobody, callers, flood, rose, slow_way_back
from lab import connected, listener, rest, told, Wrong

RULE = "syn-flood"
PORT = 7002
BACKLOG = 128
COUNTERS = ("TcpExtSyncookiesSent", "TcpExtSyncookiesRecv", "TcpExtTCPReqQFullDrop", "TcpExtListenDrops", "TcpExtListenOverflows", "TcpPassiveOpens")


def under_flood(lab, cookies, per_second):
    """A listener with a backlog of 128 under a flood that goes on; returns its program."""
    build_with_nobody(lab)
    lab.sysctl("s", "net.ipv4.tcp_syncookies", cookies)
    program = lab.spawn("s", accepting(lab, PORT, BACKLOG), "lab-web")
    program.hear()
    lab.spawn("c", flood(lab, PORT, 600, per_second), "lab-flood").hear()
    return program


def half_open(lab, low, high):
    return lab.sockets("s", (low, high), "state", "syn-recv", "sport", "=", f":{PORT}")


def asked(lab, *arguments):
    """The report, and what the counters did meanwhile, a second."""
    before, begun = lab.counters("s"), time.monotonic()
    doc = lab.report("s", *arguments)
    seconds = time.monotonic() - begun
    return doc, {name: count / seconds for name, count in rose(lab, "s", before, *COUNTERS).items()}


def loud(lab, doc):
    """No finding of this rule above info."""
    for finding in (doc or {"findings": []})["findings"]:
        if finding["rule"] == RULE and finding["severity"] != "info":
            raise Wrong(f"{finding['severity']} {RULE} for real clients: {finding['title']}")
    return [finding for finding in (doc or {"findings": []})["findings"] if finding["rule"] == RULE]


@case(RULE, "fault", waits=15)
def more_than_a_hundred_cookies_a_second(lab):
    """A real client still gets in."""
    program = under_flood(lab, 1, 300)
    half_open(lab, BACKLOG + 1, BACKLOG + 1)
    lab.inside("c", lambda: connected(lab, PORT).close())
    doc, rates = asked(lab)
    lab.check(rates["SyncookiesSent"] >= 110 and rates["ListenOverflows"] == 0, f"the flood is too slow: {rates}")
    finding = lab.expect(doc, RULE, "critical", program, local_port=PORT, count=BACKLOG + 1, confidence=(0.85, 1))
    lab.expect_evidence(finding, "limit", lambda value: value == BACKLOG, BACKLOG)
    lab.expect_evidence(finding, "limit_from", lambda value: value == "listen()", "listen()")
    lab.expect_evidence(finding, "networks", lambda value: 90 <= value <= 160, "about 115 to 129")
    lab.expect_evidence(finding, "validated", lambda value: value == 0, 0)


@case(RULE, "fault", waits=15)
def some_cookies_a_second(lab):
    """A slow flood: a warning, and no more."""
    program = under_flood(lab, 1, 30)
    half_open(lab, BACKLOG + 1, BACKLOG + 1)
    doc, rates = asked(lab)
    lab.check(5 <= rates["SyncookiesSent"] <= 90, f"no slow flood: {rates}")
    lab.expect(doc, RULE, "warning", program, local_port=PORT, count=BACKLOG + 1, confidence=(0.85, 1))


@case(RULE, "fault", waits=15)
def cookies_are_off(lab):
    """SYNs are dropped, and no accept queue overflows."""
    program = under_flood(lab, 0, 300)
    half_open(lab, 90, BACKLOG + 1)
    doc, rates = asked(lab)
    lab.check(rates["ListenDrops"] > 20 and rates["ListenOverflows"] == 0 and rates["SyncookiesSent"] == 0, f"SYNs are not dropped: {rates}")
    finding = lab.expect(doc, RULE, "critical", program, local_port=PORT, count=(90, BACKLOG + 1), confidence=(0.75, 1))
    lab.expect_evidence(finding, "syn_drops", lambda value: value >= 100, "at least 100")


@case(RULE, "fault", waits=15)
def cookies_for_everybody(lab):
    """tcp_syncookies=2: nothing is half-open, only cookies go out and none come back."""
    program = under_flood(lab, 2, 300)
    half_open(lab, 0, 0)
    doc, rates = asked(lab)
    lab.check(rates["SyncookiesSent"] >= 110, f"the flood is too slow: {rates}")
    lab.expect(doc, RULE, "critical", program, local_port=PORT, confidence=(0.5, 0.9))


@case(RULE, "fault", waits=15)
def one_look(lab):
    """No counters, one look: a full queue of old requests from everywhere is not more than a warning, and the other reading is not hidden."""
    program = under_flood(lab, 1, 100)
    time.sleep(3.5)
    half_open(lab, BACKLOG + 1, BACKLOG + 1)
    lab.expect(lab.report("s", "--quick"), RULE, "warning", program, local_port=PORT, count=BACKLOG + 1, confidence=(0.5, 0.8))


@case(RULE, "twin", waits=15)
def five_hundred_connections_a_second(lab):
    lab.build()
    lab.spawn("s", web_server(lab, 8080, closes_first=True), "lab-web").hear()
    program = lab.spawn("c", visitor(lab, (8080,), 500, 8), "lab-visit")
    program.hear()
    doc = lab.report("s")
    made = program.hear(60)
    lab.check(made > 8 * 200, f"only {made} connections in 8 s")
    lab.expect_silent(doc, RULE)
    lab.expect_silent(doc, "syn-recv-stall")


@case(RULE, "twin", waits=15)
def six_hundred_clients_within_a_second(lab):
    """600 connects while it is looked at, and a program that accepts fast."""
    lab.build("crs")
    lab.spawn("s", accepting(lab, PORT, 700), "lab-web").hear()

    def crowd(tell):
        tell("ready")
        told()
        time.sleep(0.5)
        begun = time.monotonic()
        kept = []
        for number in range(600):
            kept.append(connected(lab, PORT))
            time.sleep(max(begun + number / 650 - time.monotonic(), 0))
        tell(time.monotonic() - begun)
        rest()
        kept.clear()
    program = lab.spawn("c", crowd, "lab-crowd")
    program.hear()
    program.go()
    doc = lab.report("s")
    took = program.hear()
    lab.sockets("s", 600, "state", "established", "sport", "=", f":{PORT}")
    lab.check(took < 4, f"600 connects took {took:.1f} s")
    lab.expect_silent(doc, RULE)


@case(RULE, "twin", waits=15)
def bursts_that_cookies_answer(lab):
    """Clients by the hundred over a slow way, more at once than the queue holds: cookies go out, and come back. No flood."""
    lab.build("crs")
    slow_way_back(lab)
    lab.spawn("s", accepting(lab, PORT, BACKLOG), "lab-web").hear()

    def crowds(tell):
        tell("begins")
        kept = []
        for _ in range(9):
            begun = time.monotonic()
            callers(lab, PORT, 170, kept=kept)(lambda count: None)
            time.sleep(max(begun + 1 - time.monotonic(), 0))
        tell("done")
        rest()
    lab.spawn("c", crowds, "lab-crowd").hear()
    time.sleep(0.5)
    doc, rates = asked(lab)
    lab.check(rates["SyncookiesSent"] >= 5 and rates["SyncookiesRecv"] >= 0.6 * rates["SyncookiesSent"], f"cookies did not go out and come back: {rates}")
    spoke = loud(lab, doc)
    # A machine that has no time for the program for most of a second makes the accept queue overflow as well: then this rule is silent.
    if lab.binary and bool(spoke) == (rates["ListenOverflows"] > 0):
        raise Wrong(f"{RULE} spoke {len(spoke)} times, {rates['ListenOverflows']:.1f} overflows a second")
    lab.expect_silent(doc, "syn-recv-stall", allowed=("accept-queue-overflow",))
    return f"{rates} {[finding['title'] for finding in spoke]}"


@case(RULE, "twin", waits=15)
def deploy_with_a_small_backlog(lab):
    """The program has just started and seldom comes to accept: cookies are sent and come back, and the accept queue overflows. Not a flood."""
    lab.build("crs")
    slow_way_back(lab)

    def late(tell):
        sock = listener(lab, PORT, 4)
        sock.setblocking(False)
        tell("listening")
        kept = []
        while True:
            time.sleep(0.9)
            with contextlib.suppress(BlockingIOError):
                while True:
                    kept.append(sock.accept()[0])
    lab.spawn("s", late, "lab-deploy").hear()

    def crowds(tell):
        tell("begins")
        kept = []
        for _ in range(9):
            callers(lab, PORT, 30, kept=kept)(lambda count: None)
            time.sleep(1)
        rest()
    before = lab.counters("s")
    lab.spawn("c", crowds, "lab-crowd").hear()
    doc = lab.report("s")
    grew = rose(lab, "s", before, *COUNTERS)
    lab.check(grew["SyncookiesSent"] >= 5 and grew["SyncookiesRecv"] >= 5 and grew["ListenOverflows"] >= 5, f"not the picture: {grew}")
    lab.expect_silent(doc, RULE, allowed=("accept-queue-overflow", "accept-stuck", "backlog-clipped"))
    lab.expect_silent(doc, "syn-recv-stall", allowed=("accept-queue-overflow", "accept-stuck", "backlog-clipped"))
    return str(grew)


@case(RULE, "twin", waits=15)
def half_open_health_checks(lab):
    """SYN, SYN-ACK, RST, and connect-then-RST, a hundred a second each."""
    lab.build()
    lab.spawn("s", web_server(lab, 8080, closes_first=False), "lab-web").hear()
    lab.spawn("c", half_open_checks(lab, 8080, 100), "lab-check").hear()
    lab.spawn("c", reset_checks(lab, 8080, 100), "lab-check").hear()
    before = lab.counters("s")
    doc = lab.report("s")
    grew = rose(lab, "s", before, "TcpExtEmbryonicRsts")
    lab.check(grew["EmbryonicRsts"] >= 100, f"few checks: {grew}")
    lab.expect_silent(doc, RULE)
    lab.expect_silent(doc, "syn-recv-stall")


@case(RULE, "twin", waits=15)
def cookies_for_everybody_and_all_come_back(lab):
    """tcp_syncookies=2 on an ordinary server."""
    lab.build()
    lab.sysctl("s", "net.ipv4.tcp_syncookies", 2)
    lab.spawn("s", web_server(lab, 8080, closes_first=True), "lab-web").hear()
    lab.spawn("c", visitor(lab, (8080,), 200, 8), "lab-visit").hear()
    doc, rates = asked(lab)
    lab.check(rates["SyncookiesSent"] >= 20 and rates["SyncookiesRecv"] >= 20, f"no cookies: {rates}")
    lab.expect_silent(doc, RULE)

# SPDX-License-Identifier: MIT
"""What packets show of data that is lost, held back, not read or sent twice; and what only looks like it."""
import time

import case_nagle_delack_stall as nagle
import case_peer_zero_window as window
import case_retrans_high as retrans
from cases import case

OFFLOAD = {"capture-quality": "on a virtual link offload joins segments: info"}


# --- retrans-high

def transfer(lab, role="c", interface="c0", seconds=4, **how):
    """A transfer that is under way for so long while it is captured; the program, the document, and how far the sender's counters went."""
    with lab.capture(role, interface) as capture:
        before = lab.counters("c")
        program = retrans.source(lab, **how)
        time.sleep(seconds)
        after = lab.counters("c")
        program.end()
    return program, capture.doc, {key: after[key] - before.get(key, 0) for key in after}


@case("retrans-high", "capture-fault", beside=OFFLOAD)
def one_in_twenty(lab):
    """5 % of what a transfer sends is dropped; what we count is what the sender's kernel counts."""
    lab.build("crs")
    retrans.sink(lab)
    retrans.lose(lab, 5)
    program, doc, grown = transfer(lab, pace=4_000_000)
    real = 100 * grown["TcpRetransSegs"] / max(grown["TcpExtTCPOrigDataSent"], 1)
    lab.check(3 < real < 8 and grown["TcpRetransSegs"] > 50, f"{real:.1f} % were sent again")
    finding = lab.expect(doc, "retrans-high", "critical", program, (lab.addr("s"), retrans.PORT), count=1)
    lab.expect_evidence(finding, "loss", lambda value: 0.7 * real < value < 1.3 * real, f"about {real:.1f}")
    return f"{real:.1f} % by the counters"


@case("retrans-high", "capture-twin")
def nothing_lost(lab):
    lab.build("crs")
    retrans.sink(lab)
    _, doc, grown = transfer(lab, pace=4_000_000)
    lab.check(grown["TcpExtTCPOrigDataSent"] > 1000, "nothing was sent")
    lab.expect_silent(doc, "retrans-high")


# --- peer-zero-window

@case("peer-zero-window", "capture-fault", waits=45, beside=OFFLOAD)
def shut_for_forty_seconds(lab):
    """A peer that never reads: its window stays shut, and each probe is answered."""
    lab.build()
    lab.spawn("s", window.sleeper(lab, 1), "lab-sleep").hear()
    with lab.capture("c", "c0") as capture:
        program = lab.spawn("c", window.writer(lab, 1), "lab-write")
        program.hear()
        time.sleep(40)
        window.blocked(lab, "c", 1, 6)
    finding = lab.expect(capture.doc, "peer-zero-window", "critical", program, (lab.addr("s"), window.PORT), count=1)
    lab.expect_evidence(finding, "shut", lambda value: 30000 < value < 90000, "40 s or so")
    lab.expect_evidence(finding, "still_shut", lambda value: value == 1, 1)
    lab.expect_evidence(finding, "probes", lambda value: 4 <= value <= 20, "some ten")


@case("peer-zero-window", "capture-twin", waits=12)
def reader_that_pauses_for_a_second(lab):
    """Shut for a while, and open again."""
    window_time = 8
    lab.build()
    with lab.capture("c", "c0") as capture:
        program = paused(lab)
        time.sleep(window_time)
        program.end()
    lab.check(not lab.binary or capture.doc["events"]["zero_window"] > 0, "the window was never shut")
    lab.expect_silent(capture.doc, "peer-zero-window")


def paused(lab):
    """A reader that takes a megabyte and sleeps a second, under a sender that never stops."""
    from lab import connected, listener  # noqa: E402

    def reader(tell):
        sock = listener(lab, window.PORT)
        tell("listening")
        connection = sock.accept()[0]
        while True:
            connection.recv(1 << 20)
            time.sleep(1)

    def sender(tell):
        sock = connected(lab, window.PORT)
        sock.settimeout(None)
        tell("connected")
        while True:
            sock.send(bytes(65536))
    lab.spawn("s", reader, "lab-read").hear()
    program = lab.spawn("c", sender, "lab-write")
    program.hear()
    return program


# --- nagle-delack-stall

def ask(lab, *, seconds=3, **how):
    lab.build()
    with lab.capture("c", "c0") as capture:
        server = lab.spawn("s", nagle.answering(lab), "lab-answer")
        server.hear()
        program = lab.spawn("c", nagle.asking(lab, **how), "lab-ask")
        taken = [program.hear() for _ in range(seconds)]
    return program, capture.doc, taken[-1]


@case("nagle-delack-stall", "capture-fault")
def two_writes_and_a_wait(lab):
    program, doc, taken = ask(lab)
    lab.check(nagle.SHORTEST_DELAY <= taken <= 250, f"an answer takes {taken:.1f} ms")
    finding = lab.expect(doc, "nagle-delack-stall", "warning", program, (lab.addr("s"), nagle.PORT), count=1)
    lab.expect_evidence(finding, "stalls", lambda value: 10 <= value <= 150, "20 a second")
    lab.expect_evidence(finding, "wait_min", lambda value: 20 <= value <= 60, "40 ms")


@case("nagle-delack-stall", "capture-twin")
def the_same_with_nodelay(lab):
    _, doc, taken = ask(lab, nodelay=True, pause=0.005)
    lab.check(taken < nagle.SHORTEST_DELAY, f"an answer takes {taken:.1f} ms")
    lab.expect_silent(doc, "nagle-delack-stall")

# SPDX-License-Identifier: MIT
"""Paths that die under a connection, at once or while it was quiet, and stalls that only look like it."""
import contextlib
import re
import time

from cases import case
from lab import connected, echo_server, listener, rest, told, Wrong

RULE = "dead-peer-unacked"
PORT = 5432
CUT = "drop"


def client(lab, count, size=100, port=PORT, quiet=()):
    """Talks on `count` connections and then, when told, sends `size` bytes on each and hears nothing. Those in `quiet` say nothing more."""
    def program(tell):
        kept = [connected(lab, port) for _ in range(count)]
        for sock in kept:
            sock.send(b"hello")
            sock.recv(100)
        tell([sock.getsockname()[1] for sock in kept])
        told()
        for number, sock in enumerate(kept):
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                if number not in quiet:
                    sock.send(bytes(size))
        tell("sent")
        rest()
    return program


def in_vain(lab, role, count, backoff, patience=40):
    """As many sockets as that have had at least `backoff` timeouts in a row."""
    def like(row):
        found = re.search(r"backoff:(\d+)", row.rest)
        return "timer:(on" in row.rest and found and int(found[1]) >= backoff
    return lab.sockets(role, count, "state", "established", f"( dport = :{PORT} )", like=like, patience=patience)


def quiet_for(lab, role, count, seconds):
    """Waits until the kernel itself counts that long since it last heard of each: where processors are short its clock is late."""
    def like(row):
        found = re.search(r"lastack:(\d+)", row.rest)
        return found and int(found[1]) >= seconds * 1000
    time.sleep(seconds)
    return lab.sockets(role, count, "state", "established", like=like, patience=40)


def start(lab, count, rto_min=None, **how):
    lab.build("crs")
    if rto_min:
        lab.batch("c", f"route change default via {lab.addr('rc')} rto_min {rto_min}")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()
    program = lab.spawn("c", client(lab, count, **how), "lab-query")
    program.ports = program.hear()
    return program


def send_into_the_void(lab, program):
    lab.forward_rule(CUT)
    program.go()
    program.hear()


@case(RULE, "fault")
def three_connections_die(lab):
    """Everything is dropped, then 100 bytes are sent on each of three connections."""
    program = start(lab, 3)
    send_into_the_void(lab, program)
    in_vain(lab, "c", 3, 3)
    finding = lab.expect(lab.report("c"), RULE, "critical", program, (lab.addr("s"), PORT), count=3, confidence=(0.85, 0.9))
    lab.expect_evidence(finding, "bytes", lambda value: value == 300, "300")
    lab.expect_evidence(finding, "stall", lambda value: 3000 < value < 30000, "3 to 30 s")
    lab.expect_evidence(finding, "others", lambda value: value == "none that answers", "none that answers")


@case(RULE, "fault", waits=10)
def one_connection_dies(lab):
    """One connection in its third to fifth timeout: a warning that says who waits for whom, and for how long yet."""
    program = start(lab, 1, rto_min="500ms")  # the third timeout after 3.5 s, the sixth not before 31 s
    send_into_the_void(lab, program)
    in_vain(lab, "c", 1, 3)
    finding = lab.expect(lab.report("c"), RULE, "warning", program, (lab.addr("s"), PORT), count=1, confidence=(0.75, 0.85))
    # 15 timeouts of the kernel's model are 924.6 s; some 10 have gone
    lab.expect_evidence(finding, "gives_up", lambda value: 860000 < value < 924600, "some 15 minutes")
    lab.expect_evidence(finding, "idle_before", lambda value: value < 20000, "below 20 s")
    if finding:
        text = lab.tcptriage("report", "--netns", lab.ns("c")).stdout
        peer = f"{lab.addr('s')}:{PORT}" if lab.family == 4 else f"[{lab.addr('s')}]:{PORT}"
        for words in (f"{peer} has fallen silent: lab-query[{program.pid}] sends 100 B again and again", "ETIMEDOUT in about", "TCP_USER_TIMEOUT"):
            if words not in " ".join(text.split()):
                raise Wrong(f"the report does not say '{words}': {text}")


@case(RULE, "fault", waits=20)
def one_connection_for_thirteen_seconds(lab):
    """Six timeouts in a row on one connection: critical."""
    program = start(lab, 1)
    send_into_the_void(lab, program)
    in_vain(lab, "c", 1, 6, patience=60)
    lab.expect(lab.report("c"), RULE, "critical", program, (lab.addr("s"), PORT), count=1, confidence=(0.85, 0.9))


@case(RULE, "fault", waits=75)
def forgotten_while_it_was_quiet(lab):
    """Nothing is said for more than a minute; then a request goes into the void, as behind a NAT that has forgotten the connection."""
    program = start(lab, 3)
    quiet_for(lab, "c", 3, 61)
    send_into_the_void(lab, program)
    in_vain(lab, "c", 3, 3)
    finding = lab.expect(lab.report("c"), RULE, "critical", program, (lab.addr("s"), PORT), count=3)
    lab.expect_evidence(finding, "idle_before", lambda value: 60000 <= value < 120000, "a minute")
    lab.expect_evidence(finding, "after_idle", lambda value: value == 3, "3")
    if finding and "of quiet" not in finding["title"]:
        raise Wrong(finding["title"])


@case(RULE, "fault")
def one_flow_of_two(lab):
    """A firewall drops one established flow; another connection to the same service is answered all the time."""
    program = start(lab, 1)

    def chatter(tell):
        sock = connected(lab, PORT)
        tell("chats")
        while True:
            sock.send(b"ping")
            sock.recv(100)
            time.sleep(0.3)
    lab.spawn("c", chatter, "lab-chat").hear()
    lab.forward_rule(f"tcp sport {program.ports[0]} drop")
    program.go()
    program.hear()
    lab.sockets("c", 1, "state", "established", f"( sport = :{program.ports[0]} )", like=lambda row: "backoff:3" in row.rest, patience=40)
    finding = lab.expect(lab.report("c"), RULE, "warning", program, (lab.addr("s"), PORT), count=1)
    lab.expect_evidence(finding, "others", lambda value: value == "answered", "answered")
    if finding and "only this flow" not in finding["causes"][0]:
        raise Wrong(f"first cause: {finding['causes'][0]}")


@case(RULE, "fault", waits=15)
def window_shut_and_then_silent(lab):
    """The peer stops reading, answers window probes for a moment, and is gone: nothing answers them any more."""
    lab.build("crs")

    def sleeper(tell):
        sock = listener(lab, PORT)
        tell("listening")
        kept = sock.accept()
        rest()
        del kept

    def writer(tell):
        sock = connected(lab, PORT)
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                sock.send(bytes(65536))
        tell("full")
        rest()
    lab.spawn("s", sleeper, "lab-sleep").hear()
    program = lab.spawn("c", writer, "lab-write")
    program.hear()
    lab.sockets("c", 1, "state", "established", like=lambda row: "timer:(persist" in row.rest)
    lab.forward_rule(CUT)
    lab.sockets("c", 1, "state", "established", like=lambda row: re.search(r"timer:\(persist,[^,]*,([3-9]|\d\d)\)", row.rest), patience=60)
    finding = lab.expect(lab.report("c"), RULE, "warning", program, (lab.addr("s"), PORT), count=1)
    lab.expect_evidence(finding, "unanswered_probes", lambda value: 3 <= value <= 5, "3 to 5")


@case(RULE, "fault", waits=10, beside={"mtu-blackhole-send": "the other service is behind a hole: both stand, and each is told from the other"})
def beside_a_black_hole(lab):
    """Two addresses behind one router: one is gone, to the other large packets vanish while small ones pass."""
    lab.build("crs")
    gone = "10.71.2.3" if lab.family == 4 else "fd71:0:2::3"
    lab.batch("s", "addr add 10.71.2.3/24 dev s0", "addr add fd71:0:2::3/64 dev s0 nodad")
    lab.batch("r", "link set rs mtu 1400")
    lab.forward_rule("icmp type destination-unreachable drop\n icmpv6 type packet-too-big drop", "output")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()

    def program(tell):
        large, chat = (connected(lab, PORT) for _ in range(2))
        address, lab.addr = lab.addr, lambda role: gone
        lost = [connected(lab, PORT) for _ in range(3)]
        lab.addr = address
        for sock in (large, chat, *lost):
            sock.send(b"hello")
            sock.recv(100)
            sock.setblocking(False)
        tell("hello")
        told()
        with contextlib.suppress(BlockingIOError):
            large.send(bytes(80000))
        for sock in lost:
            sock.send(bytes(100))
        tell("sent")
        while True:
            with contextlib.suppress(BlockingIOError):
                chat.send(b"ping")
                chat.recv(100)
            time.sleep(0.3)
    both = lab.spawn("c", program, "lab-both")
    both.hear()
    lab.forward_rule(f"{'ip' if lab.family == 4 else 'ip6'} daddr {gone} drop")
    both.go()
    both.hear()
    lab.sockets("c", 4, "state", "established", f"( dport = :{PORT} )", "and", "not", f"sport = :{chat_port(lab)}",
                like=lambda row: re.search(r"backoff:([3-9])", row.rest), patience=40)
    doc = lab.report("c")
    lab.expect(doc, RULE, "critical", both, (gone, PORT), count=3)
    lab.expect(lab.only(doc, "mtu-blackhole-send"), "mtu-blackhole-send", "critical", both, (lab.addr("s"), PORT), count=1, confidence=(0.7, 0.9))


def chat_port(lab):
    """The local port of the one connection that still gets answers."""
    time.sleep(2)
    rows = [row for row in lab.ss("c", "state", "established") if "backoff:" not in row.rest]
    lab.check(len(rows) == 1, f"{len(rows)} connections without timeouts, expected the one that chats")
    return rows[0].local[1]


@case(RULE, "fault", beside={"mtu-blackhole-send": "nothing tells the two apart: both are printed, each at 0.5"})
def large_segments_only(lab):
    """80 kB into a dead path, nothing else to that host: as likely a black hole, and both say with which command to tell."""
    program = start(lab, 1, size=80000)
    send_into_the_void(lab, program)
    in_vain(lab, "c", 1, 3)
    doc = lab.report("c")
    for rule in (RULE, "mtu-blackhole-send"):
        finding = lab.expect(lab.only(doc, rule), rule, "warning", program, (lab.addr("s"), PORT), count=1, confidence=(0.45, 0.55))
        if finding and not (finding["next"][0].startswith("tcptriage mtu-probe ") and lab.addr("s") in finding["next"][0]):
            raise Wrong(f"{rule} does not begin with the command that tells: {finding['next']}")


def talk(lab, loss, seconds):
    """Small requests on three connections and a stream on a fourth, under random loss; retransmissions while it is asked."""
    lab.build("crs")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()

    def program(tell):
        kept = [connected(lab, PORT) for _ in range(4)]
        for sock in kept:
            sock.send(b"hello")
            sock.recv(100)
            sock.setblocking(False)
        tell("hello")
        while True:
            for number, sock in enumerate(kept):
                with contextlib.suppress(BlockingIOError):
                    sock.send(bytes(20000 if number == 3 else 60))
                    while sock.recv(65536):
                        pass
            time.sleep(0.1)
    lab.spawn("c", program, "lab-talk").hear()
    lab.forward_rule(f'iifname "rc" tcp dport {PORT} numgen random mod 100 < {loss} drop')
    time.sleep(seconds)
    before = lab.counters("c")
    doc = lab.report("c")
    lost = lab.counters("c")["TcpRetransSegs"] - before["TcpRetransSegs"]
    lab.check(lost > loss / 3, f"{lost} segments were sent again")
    # what a path with such loss may be called is another rule's business; a silence that it explains is no alarm of its own
    if doc:
        doc["findings"] = [finding for finding in doc["findings"] if not finding["explained_by"]]
    lab.expect_silent(doc, RULE, allowed=("retrans-high",))


@case(RULE, "twin")
def random_loss_of_five_percent(lab):
    """One segment of twenty is lost: a timeout now and then, and acknowledgements go on."""
    talk(lab, 5, 2)


@case(RULE, "twin", waits=9)
def random_loss_of_thirty_percent(lab):
    """Nearly every third segment is lost: long stalls by chance, on connections that have lost packets before."""
    talk(lab, 30, 4)


@case(RULE, "twin")
def peer_that_thinks(lab):
    """Requests are acknowledged and not answered: the peer's kernel lives, its program takes its time."""
    lab.build("crs")

    def thinker(tell):
        sock = listener(lab, PORT)
        tell("listening")
        kept = [sock.accept()[0] for _ in range(3)]
        for connection in kept:
            connection.send(connection.recv(100))
        rest()
    lab.spawn("s", thinker, "lab-think").hear()
    program = lab.spawn("c", client(lab, 3), "lab-query")
    program.hear()
    program.go()
    program.hear()
    lab.sockets("c", 3, "state", "established", like=lambda row: "timer:" not in row.rest)
    time.sleep(1)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def path_that_comes_back(lab):
    """Three timeouts in a row, then the path heals: what was repeated arrives, the connection goes on."""
    program = start(lab, 3)
    send_into_the_void(lab, program)
    in_vain(lab, "c", 3, 3)
    lab.nft("r", "delete table inet lab")
    lab.sockets("c", 3, "state", "established", like=lambda row: "backoff:" not in row.rest, patience=40)
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin", waits=8)
def closed_by_the_program(lab):
    """The path dies, and the program closes: nobody waits for an answer any more (FIN-WAIT-1)."""
    lab.build("crs")
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()

    def program(tell):
        sock = connected(lab, PORT)
        sock.send(b"hello")
        sock.recv(100)
        tell("hello")
        told()
        sock.send(bytes(100))
        sock.close()
        tell("closed")
        rest()
    closer = lab.spawn("c", program, "lab-close")
    closer.hear()
    send_into_the_void(lab, closer)
    lab.sockets("c", 1, "state", "fin-wait-1", like=lambda row: re.search(r"backoff:[3-9]", row.rest), patience=40)
    lab.expect_silent(lab.report("c"), RULE, allowed=("closing-stuck",))

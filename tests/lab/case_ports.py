# SPDX-License-Identifier: MIT
"""Source ports used up towards one destination, short connections in numbers, and pictures that only look like it."""
import contextlib
import errno
import select
import time

from cases import case
from lab import listener, rest, serve, tcp, Wrong

EXHAUSTION, CHURN = "ephemeral-port-exhaustion", "time-wait-churn"
PORT = 8090


def acceptor(lab, ports=(PORT,), close_first=False):
    """A program that accepts on several ports; with close_first it ends each connection itself, otherwise the client does."""
    def program(tell):
        socks = [listener(lab, port, 4096) for port in ports]
        if len(socks) > 1 or close_first:
            poll, kept = select.epoll(), []
            for sock in socks:
                sock.setblocking(False)
                poll.register(sock.fileno(), select.EPOLLIN)
            by_number = {sock.fileno(): sock for sock in socks}
            tell("listening")
            while True:
                for number, _ in poll.poll():
                    with contextlib.suppress(BlockingIOError):
                        connection = by_number[number].accept()[0]
                        if close_first:
                            connection.close()
                        else:
                            kept.append(connection)
        tell("listening")
        serve(socks[0], lambda *_: None)
    return program


def connect_codes(lab, count, ports):
    """Connections kept open and the errno of each attempt."""
    kept, codes = [], []
    for number in range(count):
        sock = tcp(lab)
        codes.append(sock.connect_ex((lab.addr("s"), ports[number % len(ports)])))
        kept.append(sock)
    return kept, codes


def narrow(lab, low, high):
    lab.sysctl("c", "net.ipv4.ip_local_port_range", f"{low} {high}")


@case(EXHAUSTION, "fault")
def all_ports_connected(lab):
    lab.build()
    narrow(lab, 40000, 40019)
    lab.spawn("s", acceptor(lab), "lab-serve").hear()

    def client(tell):
        kept, codes = connect_codes(lab, 30, [PORT])
        tell(codes)
        rest()
        del kept
    program = lab.spawn("c", client, "lab-hoard")
    codes = program.hear()
    lab.check(codes.count(0) == 20 and codes.count(errno.EADDRNOTAVAIL) == 10, f"connect() gave {codes}")
    lab.sockets("c", 20, "state", "established")
    lab.expect(lab.report("c"), EXHAUSTION, "critical", program, (lab.addr("s"), PORT))


@case(EXHAUSTION, "fault")
def all_ports_in_time_wait(lab):
    lab.build()
    narrow(lab, 40000, 40019)
    lab.spawn("s", acceptor(lab), "lab-serve").hear()

    def client(tell):
        kept, codes = connect_codes(lab, 20, [PORT])
        for sock in kept:
            sock.close()
        time.sleep(0.3)
        tell(codes + [connect_codes(lab, 1, [PORT])[1][0]])
        rest()
    codes = lab.spawn("c", client, "lab-hoard").hear()
    lab.check(codes == [0] * 20 + [errno.EADDRNOTAVAIL], f"connect() gave {codes}")
    lab.sockets("c", 20, "state", "time-wait")
    lab.expect(lab.report("c"), EXHAUSTION, "critical", peer=(lab.addr("s"), PORT))


@case(EXHAUSTION, "fault")
def half_of_the_ports(lab):
    """60 of 100: every connect searches now. Few free ports in a range this small make it critical (fewer than 500 left)."""
    lab.build()
    narrow(lab, 40000, 40099)
    lab.spawn("s", acceptor(lab), "lab-serve").hear()

    def client(tell):
        kept, codes = connect_codes(lab, 60, [PORT])
        tell(codes)
        rest()
        del kept
    program = lab.spawn("c", client, "lab-hoard")
    lab.check(program.hear() == [0] * 60, "a connect failed")
    lab.sockets("c", 60, "state", "established")
    lab.expect(lab.report("c"), EXHAUSTION, "critical", program, (lab.addr("s"), PORT))


@case(EXHAUSTION, "twin")
def two_destinations_share_a_range(lab):
    """20 + 20 over two ports in a range of 100: the supply counts per destination, so each has 80 left."""
    lab.build()
    narrow(lab, 40000, 40099)
    lab.spawn("s", acceptor(lab, (PORT, PORT + 1)), "lab-serve").hear()

    def client(tell):
        kept, codes = connect_codes(lab, 40, [PORT, PORT + 1])
        tell(codes)
        rest()
        del kept
    lab.check(lab.spawn("c", client, "lab-pool").hear() == [0] * 40, "a connect failed")
    lab.sockets("c", 40, "state", "established")
    lab.expect_silent(lab.report("c"), EXHAUSTION)


@case(EXHAUSTION, "twin", waits=10)
def time_wait_on_the_server(lab):
    """5000 TIME-WAIT where the server closed first: its one port serves them all, no supply shrinks."""
    lab.build()
    lab.spawn("s", acceptor(lab, close_first=True), "lab-serve").hear()

    def client(tell):
        for _ in range(7500):
            sock = tcp(lab)
            sock.connect((lab.addr("s"), PORT))
            sock.recv(1)
            sock.close()
        tell("done")
    lab.spawn("c", client, "lab-visit").hear(60)
    lab.sockets("s", (5000, 7500), "state", "time-wait")  # fewer than were closed: a client port that comes again replaces its own
    lab.sockets("c", (0, 10), "state", "time-wait")
    lab.expect_silent(lab.report("s"), EXHAUSTION)


def churn(lab, per_second):
    """A client that opens and closes at a steady rate, closing first."""
    lab.spawn("s", acceptor(lab), "lab-serve").hear()

    def client(tell):
        begun, done = time.monotonic(), 0
        while True:
            sock = tcp(lab)
            sock.connect((lab.addr("s"), PORT))
            sock.close()
            done += 1
            if done == 10:
                tell("under way")
            time.sleep(max(0.0, begun + done / per_second - time.monotonic()))
    lab.spawn("c", client, "lab-churn").hear()


def churned(lab, per_second):
    """More than a minute of it: as many TIME-WAIT end each second as begin."""
    churn(lab, per_second)
    time.sleep(67)  # timers of a minute may be 2 s late
    lab.sockets("c", (int(per_second * 60 * 0.85), int(per_second * 60 * 1.15)), "state", "time-wait")


@case(CHURN, "fault", waits=68)
def short_connections_to_one_destination(lab):
    """150/s out of 28 232 ports: many, and harmless."""
    lab.build()
    churned(lab, 150)
    doc = lab.report("c")
    lab.expect(doc, CHURN, "info", peer=(lab.addr("s"), PORT))
    if doc and doc["status"] != "ok":
        raise Wrong(f"harmless churn gives status {doc['status']}")


@case(CHURN, "fault", waits=68)
def short_connections_that_need_half_the_ports(lab):
    """150/s out of 16 000 ports keep 0.56 of them in TIME-WAIT: more than half of the supply, exhaustion is not certain."""
    lab.build()
    narrow(lab, 40000, 55999)
    churned(lab, 150)
    doc = lab.report("c")
    if doc is None:
        return
    found = {finding["rule"]: finding["severity"] for finding in doc["findings"]}
    if found.get(CHURN) != "warning":
        raise Wrong(f"churn at half of the supply gives {found}")


@case(CHURN, "twin")
def two_hundred_short_connections(lab):
    lab.build()
    lab.spawn("s", acceptor(lab), "lab-serve").hear()

    def client(tell):
        for _ in range(200):
            sock = tcp(lab)
            sock.connect((lab.addr("s"), PORT))
            sock.close()
        tell("done")
        rest()
    lab.spawn("c", client, "lab-visit").hear()
    lab.sockets("c", 200, "state", "time-wait")
    lab.expect_silent(lab.report("c"), CHURN)

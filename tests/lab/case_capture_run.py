# SPDX-License-Identifier: MIT
"""A capture as a run: down to the last packet, whose each connection is, what is written, how it ends, and what it says without privilege."""
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import time

from case_udp_unreachable import udp
from cases import case
from lab import connected, echo_server, listener, rest, scratch, told, Wrong

PORT = 9999
BURST = 217
SO_COOKIE = 57
FILTER = f"port {PORT}"
TIMES = 10


def sink(lab):
    def program(tell):
        sock = udp(lab)
        sock.bind(("", PORT))
        tell("bound")
        rest()
    lab.spawn("s", program, "lab-sink").hear()


def burst(lab, count, size=100, pause=0.0, then=None):
    """A program that sends `count` datagrams when it is told to, and does `then` at once."""
    def program(tell):
        sock = udp(lab)
        sock.connect((lab.addr("s"), PORT))
        tell("ready")
        told()
        for _ in range(count):
            sock.send(bytes(size))
            time.sleep(pause)
        if then:
            then()
        tell("sent")
        rest()
    program = lab.spawn("c", program, "lab-burst")
    program.hear()
    return program


@case("capture-run", "capture-view", waits=12)
def down_to_the_last_packet(lab):
    """SIGINT within microseconds of the last packet: each that the filter accepted is counted, ten times out of ten."""
    lab.build()
    sink(lab)
    if not lab.binary:
        return
    for number in range(TIMES):
        with lab.capturing("c", "--json", "-i", "c0", FILTER) as capture:
            program = burst(lab, BURST, then=lambda pid=capture.pid: os.kill(pid, signal.SIGINT))
            program.go()
            program.hear()
            capture.finish(None)
            program.end()
        doc = lab.captured(capture)
        lab.check(not doc["dropped_kernel"], f"{doc['dropped_kernel']} packets were dropped")
        if doc["packets"] != BURST:
            raise Wrong(f"run {number + 1} of {TIMES}: {doc['packets']} of {BURST} packets were counted")


def client(lab, ends):
    """Connects when told to, says something, tells its port and cookie, and does `ends` with the connection when told again."""
    def program(tell):
        tell("ready")
        told()
        sock = connected(lab, PORT)
        sock.send(b"hello")
        sock.recv(10)
        tell([sock.getsockname()[1], f"{struct.unpack('Q', sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]:x}"])
        told()
        ends(sock)
        tell("over")
        rest()
    return program


def stays(_):
    pass


def talks_on(sock):
    sock.send(b"hello")
    sock.recv(10)


def aborts(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def owned(doc, port, program, cookie, gone):
    """The flow from that port is the program's, as its socket's cookie says."""
    flows = [flow for flow in doc["flows"] if port in (flow["a"]["port"], flow["b"]["port"])]
    if len(flows) != 1:
        raise Wrong(f"{len(flows)} flows with port {port}")
    owner = flows[0]["owner"] or {}
    for name, want in (("pid", program.pid), ("comm", program.comm), ("cookie", cookie), ("gone", gone)):
        if want is not None and owner.get(name) != want:
            raise Wrong(f"the owner's {name} is {owner.get(name)!r}, expected {want!r}")
    if not owner["tcp_info_first"] or bool(owner["tcp_info_last"]) == bool(gone):
        raise Wrong(f"tcp_info at first sight and at the end: {owner}")


@case("capture-run", "capture-view")
def whose_each_connection_is(lab):
    """Process and cookie of a connection that stands at the end, and of one that has gone long before."""
    lab.build()
    server = lab.spawn("s", echo_server(lab, PORT), "lab-serve")
    server.hear()
    programs = [lab.spawn("c", client(lab, ends), comm) for ends, comm in ((stays, "lab-stay"), (aborts, "lab-abort"))]
    for program in programs:
        program.hear()
    with lab.capture("c", "c0") as near, lab.capture("s", "s0") as far:
        for program in programs:
            program.go()
        sockets = [program.hear() for program in programs]
        time.sleep(0.5)
        for program in programs:
            program.go()
            program.hear()
        time.sleep(0.5)
    if not near.doc:
        return
    for program, (port, cookie), gone in zip(programs, sockets, (False, True)):
        owned(near.doc, port, program, cookie, gone)
        owned(far.doc, port, server, None, gone)


@case("capture-run", "capture-view", families=(4,))
def owner_in_every_form(lab):
    """The line of a packet, the event and the comment of a written packet name the process as well."""
    lab.build()
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()
    program = lab.spawn("c", client(lab, talks_on), "lab-stay")
    program.hear()
    if not lab.binary:
        return
    with scratch() as folder, lab.capturing("c", "-i", "c0", "--packets", "-w", f"{folder}/x.pcapng", "tcp", FILTER) as capture:
        program.go()
        program.hear()
        time.sleep(1.5)  # packets are handed over within a second, and then it is known whose they are
        program.go()
        program.hear()
        capture.finish()
        name = f"lab-stay[{program.pid}]"
        comments = run_tool("tshark", "-r", f"{folder}/x.pcapng", "-T", "fields", "-e", "frame.comment")
    if name not in capture.text:
        raise Wrong(f"no packet line names {name}: {capture.text[-300:]}")
    if name not in comments:
        raise Wrong(f"no comment names {name}: {comments!r}")


# --- files

def run_tool(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise Wrong(f"{' '.join(command)}: {done.stderr.strip()[-300:]}")
    return done.stdout


def talk(lab):
    """Two hundred datagrams and a connection, over a second."""
    lab.spawn("s", echo_server(lab, PORT), "lab-serve").hear()
    sink(lab)
    caller = lab.spawn("c", client(lab, aborts), "lab-call")
    caller.hear()
    sender = burst(lab, 200, pause=0.004)
    for program in (caller, sender):
        program.go()
        program.hear()
    caller.go()
    caller.hear()


@case("capture-run", "capture-view")
def what_is_written_is_what_was_captured(lab):
    """A pcap and a pcapng of the same traffic: other programs read the same packets out of them, and we the same flows."""
    lab.build()
    if not lab.binary:
        return
    with scratch() as folder, lab.capture("c", "c0", "-w", f"{folder}/x.pcap", FILTER) as old, \
            lab.capture("c", "c0", "-s", "0", "-w", f"{folder}/x.pcapng", FILTER) as new:
        os.chmod(folder, 0o777)
        talk(lab)
        time.sleep(0.3)
        old.finish()
        new.finish()
        read = [[line.split(" ", 1)[1] for line in run_tool("tcpdump", "-nttr", f"{folder}/x.pcap").splitlines()],
                [line.split(" ", 1)[1] for line in run_tool("tcpdump", "-nttr", f"{folder}/x.pcapng").splitlines()]]
        sizes = [run_tool("tshark", "-r", f"{folder}/x.{ending}", "-T", "fields", "-e", "frame.len").split() for ending in ("pcap", "pcapng")]
        again = [lab.tcptriage("capture", "--json", "-r", f"{folder}/x.{ending}", statuses=(0,)) for ending in ("pcap", "pcapng")]
    for capture, lines, lengths, done in zip((old, new), read, sizes, again):
        doc, offline = lab.captured(capture), lab.offline(done)
        if not doc["packets"] == len(lines) == len(lengths) == offline["packets"]:
            raise Wrong(f"{doc['packets']} packets, tcpdump reads {len(lines)}, tshark {len(lengths)}, we {offline['packets']}")
        if sum(map(int, lengths)) != doc["bytes"]:
            raise Wrong(f"{doc['bytes']} bytes on the wire, tshark sums up {sum(map(int, lengths))}")
        seen = [[(flow["a"], flow["b"], flow["packets_ab"], flow["packets_ba"], flow["payload_ab"]) for flow in one["flows"]] for one in (doc, offline)]
        if seen[0] != seen[1]:
            raise Wrong(f"flows of the capture: {seen[0]}, of the file: {seen[1]}")
    if [line.replace("IP6 ", "IP ") for line in read[0]] != [line.replace("IP6 ", "IP ") for line in read[1]]:
        raise Wrong("the two files do not hold the same packets")


# --- signals and limits

@case("capture-run", "capture-view", families=(4,))
def numbers_when_asked(lab):
    """SIGUSR1 prints what there is so far, as often as it comes; SIGTERM ends in order."""
    lab.build()
    sink(lab)
    if not lab.binary:
        return
    with lab.capturing("c", "--json", "-i", "c0", FILTER) as capture:
        for wanted in (100, 300):
            program = burst(lab, 100 if wanted == 100 else 200)
            program.go()
            program.hear()
            time.sleep(1.2)  # a block of the kernel's buffer is handed over within a second
            capture.process.send_signal(signal.SIGUSR1)
            deadline = time.monotonic() + 5
            while f"{wanted} packets" not in capture.said(1):
                if time.monotonic() > deadline:
                    raise Wrong(f"SIGUSR1 does not tell of {wanted} packets: {capture.said(1)[-300:]!r}")
                time.sleep(0.05)
        capture.finish(signal.SIGTERM, (0,))
        doc = lab.captured(capture)
    if doc["packets"] != 300 or not doc["complete"]:
        raise Wrong(f"{doc['packets']} packets, complete {doc['complete']}")


@case("capture-run", "capture-view", families=(4,))
def ends_by_itself(lab):
    """-c, --max-bytes and --duration end it with status 0."""
    lab.build()
    sink(lab)
    if not lab.binary:
        return
    program = burst(lab, 3000, size=58, pause=0.003)
    with lab.capturing("c", "--json", "-i", "c0", "-c", "20", FILTER) as counted, \
            lab.capturing("c", "--json", "-i", "c0", "--max-bytes", "1000", FILTER) as measured, \
            lab.capturing("c", "--json", "-i", "c0", "--duration", "1.5", FILTER) as timed:
        program.go()
        for capture in (counted, measured, timed):
            capture.finish(None, (0,))
        counts = [lab.captured(capture)["packets"] for capture in (counted, measured, timed)]
    if counts[:2] != [20, 10] or not 20 < counts[2] < 700:
        raise Wrong(f"packets: {counts}, expected 20, ten of a hundred bytes, and a second's worth")


@case("capture-run", "capture-view", families=(4,))
def without_privilege(lab):
    """What is missing, and the line that gives it."""
    lab.build()
    if not lab.binary:
        return
    nobody = ("setpriv", "--reuid=nobody", "--clear-groups", "--inh-caps=-all")
    done = lab.tcptriage("capture", "-i", "lo", within="c", prefix=nobody, statuses=(1,))
    if "setcap" not in done.stderr or "cap_net_raw" not in done.stderr.lower():
        raise Wrong(f"no word of what is missing: {done.stderr.strip()}")


@case("capture-run", "capture-view", families=(4,))
def what_is_no_interface(lab):
    """A name that nothing has is an error at once, as is a filter that is none."""
    lab.build()
    if not lab.binary:
        return
    for arguments, word in ((("-i", "nosuch0"), "nosuch0"), (("-i", "c0", "tcp port"), "tcp port")):
        done = lab.tcptriage("capture", *arguments, within="c", statuses=(1, 2))
        if word not in done.stderr or done.stdout:
            raise Wrong(f"{arguments}: {done.stderr.strip()}")


@case("capture-run", "capture-view", families=(4,))
def interface_that_goes_away(lab):
    """It may go down and up again; when it is deleted the capture fails, and what it had until then is told all the same."""
    lab.build()
    sink(lab)
    if not lab.binary:
        return
    with lab.capturing("c", "--json", "-i", "c0", FILTER) as capture:
        for _ in range(2):
            program = burst(lab, 20)
            program.go()
            program.hear()
            program.end()
            lab.batch("c", "link set c0 down")
            time.sleep(0.3)
            lab.batch("c", "link set c0 up", "addr replace 10.71.1.2/16 dev c0")
            lab.await_links("cs")
        lab.check(capture.process.poll() is None, f"an interface that goes down ends it: {capture.said(1)}")
        lab.batch("c", "link del c0")
        capture.finish(None, (1,))
        doc = lab.captured(capture)
    if "c0" not in capture.messages or doc["packets"] != 40 or doc["complete"]:
        raise Wrong(f"{doc['packets']} packets of 40, complete {doc['complete']}: {capture.messages.strip()}")

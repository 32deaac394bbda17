# SPDX-License-Identifier: MIT
"""Programs that run out of file descriptors, at their limit and near it, and ones that have enough."""
import errno
import os
import resource
import socket

import recording
from cases import case
from lab import Absent, connected, dial, listener, rest, scratch, Wrong

RULE = "fd-headroom"
PORT = 8085
LIMIT = 256
CLOSE_WAIT = 8  # the kernel's number


def limited(files):
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def descriptors():
    return len(os.listdir("/proc/self/fd")) - 1  # less the one that lists them


def collector(lab, limit, most, backlog=64):
    """Accepts and greets until `most` descriptors are open in all; says first how many clients that is. One whose limit that is tries one more."""
    def program(tell):
        limited(limit)
        sock = listener(lab, PORT, backlog)
        room = most - descriptors()
        tell(room)
        kept = []
        try:
            while len(kept) < room or most == limit:
                kept.append(sock.accept()[0])
                kept[-1].send(b"1")
        except OSError as error:
            tell(error.errno)
        else:
            tell("accepted")
        rest()
    return program


def callers(lab, count, more=0):
    """Comes one after the other, each greeted before the next; then `more` at once, that nobody waits for."""
    def program(tell):
        kept = []
        for _ in range(count):
            kept.append(connected(lab, PORT))
            kept[-1].recv(1)
        kept += [dial(lab, PORT)[0] for _ in range(more)]
        tell(len(kept))
        rest()
    return program


def collected(lab, limit, most, comm, backlog=64, more=0):
    """A server in s with `most` of `limit` descriptors open."""
    lab.build()
    program = lab.spawn("s", collector(lab, limit, most, backlog), comm)
    lab.spawn("c", callers(lab, program.hear(), more), "lab-call").hear()
    lab.check(program.hear() == (errno.EMFILE if most == limit else "accepted"), "accept() does not fail with EMFILE, or fails too early")
    fds(lab, program, most)
    return program


def fds(lab, program, count):
    shown = len(os.listdir(f"/proc/{program.pid}/fd"))
    lab.check(shown == count, f"{program.comm} has {shown} descriptors open, not {count}")


def numbers(lab, finding, **wanted):
    for name, value in wanted.items():
        lab.expect_evidence(finding, name, lambda got, value=value: got == value, str(value))


def folded(doc, *rules):
    """These stand in the document, explained by something else."""
    alone = {finding["rule"] for finding in doc["findings"] if not finding["explained_by"]}
    missing = set(rules) - {finding["rule"] for finding in doc["findings"]}
    if missing or alone & set(rules):
        raise Wrong(f"missing: {sorted(missing)}, not folded: {sorted(alone & set(rules))}")


@case(RULE, "fault")
def eleven_left_of_256(lab):
    """245 of 256: the next few clients are the last."""
    program = collected(lab, LIMIT, 245, "lab-hoard")
    finding = lab.expect(lab.report("s"), RULE, "critical", program, count=245, confidence=(0.9, 0.95))
    numbers(lab, finding, nofile=LIMIT, free=11, listen=1)
    lab.expect_evidence(finding, "estab", lambda got: 200 < got < 245, "most of the 245")
    lab.expect_evidence(finding, "most", lambda got: got.startswith("accepted on ") and got.endswith(f":{PORT}"), "the listener")


@case(RULE, "fault")
def four_fifths_are_open(lab):
    """205 of 256, opened to one peer: a warning."""
    lab.build()

    def server(tell):
        sock = listener(lab, PORT, 256)
        tell("listening")
        kept = []
        while True:
            kept.append(sock.accept()[0])

    def client(tell):
        limited(LIMIT)
        kept = []
        while descriptors() < 205:
            kept.append(connected(lab, PORT))
        tell(descriptors())
        rest()
    lab.spawn("s", server, "lab-serve").hear()
    program = lab.spawn("c", client, "lab-pool")
    program.hear()
    fds(lab, program, 205)
    finding = lab.expect(lab.report("c"), RULE, "warning", program, count=205)
    lab.expect_evidence(finding, "most", lambda got: got.startswith("opened to ") and lab.addr("s") in got, "the server")


@case(RULE, "fault", beside={"accept-stuck": "who came after the last descriptor waits for accept(): folded under its cause",
                             "accept-queue-overflow": "the queue behind it fills and overflows: folded under its cause",
                             "backlog-clipped": "a backlog of 5 is too short for those that wait: folded under the overflow"})
def accept_fails_with_emfile(lab):
    """The last descriptor is gone, accept() fails, and more clients come than the queue holds."""
    program = collected(lab, LIMIT, LIMIT, "lab-full", backlog=5, more=16)
    lab.sockets("s", 1, "state", "listening", like=lambda row: (row.recv_q, row.send_q) == (6, 5))
    doc = lab.report("s")
    finding = lab.expect(doc, RULE, "critical", program, count=LIMIT)
    numbers(lab, finding, free=0)
    if doc:
        folded(doc, "accept-stuck", "accept-queue-overflow")


@case(RULE, "fault", beside={"fd-headroom": "what the leak uses up: folded under it"})
def leak_that_uses_them_up__shifted_clock(lab):
    """230 of 256 in CLOSE-WAIT for ten minutes: the leak is the story, the descriptors are its consequence."""
    lab.build()

    def server(tell):
        sock = listener(lab, PORT, 256)
        tell("listening")
        while True:
            sock.accept()[0].close()

    def client(tell):
        limited(LIMIT)
        kept = []
        while descriptors() < 250:
            kept.append(connected(lab, PORT))
            kept[-1].recv(1)
        tell(len(kept))
        rest()
    lab.spawn("s", server, "lab-close").hear()
    program = lab.spawn("c", client, "lab-leak")
    count = program.hear()
    lab.sockets("c", count, "state", "close-wait")
    if not lab.binary:
        return
    with scratch() as folder:
        lab.tcptriage("report", "--json", "--netns", lab.ns("c"), "--samples", "2", "--interval", "1", "--record", f"{folder}/rec")
        if not recording.age(f"{folder}/rec", CLOSE_WAIT, 600_000):
            raise Absent("the recording holds no CLOSE-WAIT")
        doc = lab.document(lab.tcptriage("report", "--json", "--from", f"{folder}/rec"))
        lab.expect(doc, "close-wait-leak", "critical", program, (lab.addr("s"), PORT), count=count)
        folded(doc, RULE)


@case(RULE, "fault")
def recorded_and_replayed(lab):
    """The same from a recording: the process, its limit and its namespace are in it."""
    program = collected(lab, LIMIT, 250, "lab-hoard")
    if not lab.binary:
        return
    with scratch() as folder:
        lab.tcptriage("report", "--json", "--netns", lab.ns("s"), "--samples", "2", "--interval", "1", "--record", f"{folder}/rec")
        finding = lab.expect(lab.document(lab.tcptriage("report", "--json", "--from", f"{folder}/rec")), RULE, "critical", program, count=250)
        numbers(lab, finding, nofile=LIMIT, listen=1)


@case(RULE, "twin")
def a_hundred_of_1024(lab):
    collected(lab, 1024, 100, "lab-serve")
    lab.expect_silent(lab.report("s"), RULE)


@case(RULE, "twin")
def sandbox_with_a_limit_of_64(lab):
    """A helper that gave up its right to open more once it had all it needs."""
    collected(lab, 64, 62, "lab-helper")
    lab.expect_silent(lab.report("s"), RULE)


@case(RULE, "twin")
def full_in_another_namespace(lab):
    """A process is judged where it lives: next door nobody is told of it."""
    collected(lab, LIMIT, 250, "lab-hoard")
    lab.expect_silent(lab.report("c"), RULE)


@case(RULE, "twin")
def files_without_sockets(lab):
    """A full process that holds no socket of the Internet is not this program's business."""
    lab.build()

    def program(tell):
        limited(LIMIT)
        kept = []
        while descriptors() < LIMIT - 1:
            kept.append(socket.socket(socket.AF_UNIX))
        tell(descriptors())
        rest()
    full = lab.spawn("s", program, "lab-files")
    full.hear()
    fds(lab, full, LIMIT - 1)
    lab.expect_silent(lab.report("s"), RULE)

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What scripts rely on of `capture`: what a failure costs, and what is said of it. Files from scenes; live parts in a namespace of their own.
usage: test_capture.py TCPTRIAGE SOURCE_ROOT      TAP on stdout"""
import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile
import time

PROGRAM, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
sys.path[:0] = [str(ROOT / "tests/captures"), str(ROOT / "tests/support")]
import make  # noqa: E402,F401  registers the scenes
import tap  # noqa: E402
from scenes import play  # noqa: E402

SCRATCH = tempfile.TemporaryDirectory(prefix="tcptriage-contract-")
PCAP_HEADER = 24


def file_of(scene, times=1):
    """The packets of a scene, `times` over."""
    path = pathlib.Path(SCRATCH.name, f"{scene}-{times}.pcap")
    if not path.exists():
        data = play(scene).bytes()
        path.write_bytes(data + (times - 1) * data[PCAP_HEADER:])
    return str(path)


def long_file():
    """So long that output is written long before its end."""
    return file_of("healthy-v4", 100)


def call(*words, stdout=subprocess.PIPE):
    return subprocess.run([PROGRAM, "capture", *words], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False)


def output__no_space_left__is_a_failure_while_packets_come():
    for words in (("--packets",), ("--flows",), (), ("--json",), ("--ndjson",)):
        with open("/dev/full", "w", encoding="ascii") as full:
            answer = call("-r", long_file(), *words, stdout=full)
        assert answer.returncode == 1 and "No space left" in answer.stderr, (words, answer)


def write__no_space_left__costs_no_finding_and_stands_in_the_document():
    answer = call("-r", long_file(), "-w", "/dev/full", "--json")
    document = json.loads(answer.stdout)
    assert answer.returncode == 1 and "/dev/full" in answer.stderr, answer
    assert document["packets"] and document["complete"] is False, document
    assert any("/dev/full" in notice["text"] for notice in document["notices"]), document["notices"]


def write__to_the_file_that_is_read__is_refused():
    path = os.path.join(SCRATCH.name, "same.pcap")
    pathlib.Path(path).write_bytes(play("healthy-v4").bytes())
    answer = call("-r", path, "-w", os.path.join(SCRATCH.name, ".", "same.pcap"))
    assert answer.returncode == 2 and "same file" in answer.stderr, answer
    assert pathlib.Path(path).read_bytes() == play("healthy-v4").bytes()


def filter_file__that_is_not_there__is_a_failure_and_no_wrong_usage():
    answer = call("-r", long_file(), "-F", "/nonexistent/filter")
    assert answer.returncode == 1 and "/nonexistent/filter" in answer.stderr, answer


def second_process__killed_while_files_rotate__is_a_failure_that_is_told():
    path = os.path.join(SCRATCH.name, "rotated.pcap")
    data = play("healthy-v4").bytes()
    with subprocess.Popen([PROGRAM, "capture", "-r", "-", "-w", path, "-C", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as running:
        running.stdin.write(data)
        running.stdin.flush()
        deadline = time.monotonic() + 30
        while not os.path.exists(path) and time.monotonic() < deadline:
            time.sleep(0.01)
        children = pathlib.Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text(encoding="ascii").split()
        assert len(children) == 1, children
        os.kill(int(children[0]), signal.SIGKILL)
        records = data[PCAP_HEADER:]
        text, messages = running.communicate(records * (2500000 // len(records)), timeout=60)
    assert running.returncode == 1 and b"opens files has ended" in messages, (running.returncode, messages)
    assert b"incomplete" in text, text


FLOOD = """
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("ready", flush=True)
while True:
    sock.sendto(bytes(64), ("127.0.0.1", 9))
"""


# Ten packets as soon as a packet socket is there, then as many as go.
LATE_FLOOD = """
import socket, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("ready", flush=True)
while len(open("/proc/self/net/packet").readlines()) < 2:
    time.sleep(0.005)
time.sleep(0.3)
for _ in range(10):
    sock.sendto(bytes(64), ("127.0.0.1", 9))
time.sleep(0.04)
while True:
    sock.sendto(bytes(64), ("127.0.0.1", 9))
"""
# The first packet's socket is gone before anybody can look for it; another one takes its place.
COMES_BACK = """
import socket, time
def one():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 7777))
    sock.connect(("127.0.0.1", 9))
    return sock
print("ready", flush=True)
while len(open("/proc/self/net/packet").readlines()) < 2:
    time.sleep(0.005)
time.sleep(0.3)
with one() as sock:
    sock.send(b"x")
time.sleep(1)
sock = one()
time.sleep(30)
"""
REFUSED = """
import socket, time
print("ready", flush=True)
while True:
    with socket.socket() as sock:
        sock.connect_ex(("127.0.0.1", 9))
    time.sleep(0.005)
"""


def unshared():
    """What runs a command in a network namespace of its own."""
    if os.geteuid():
        raise tap.Skip("not root")
    if subprocess.run(["unshare", "-n", "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        raise tap.Skip("no namespaces here")
    return ["unshare", "-n"]


def call_live(*words, beside):
    """The program in a network namespace of its own where nothing but lo is up, while the Python program `beside` runs there."""
    script = 'ip link set lo up; mkfifo "$0/go"; python3 -c "$1" >"$0/go" & read word <"$0/go"; rm "$0/go"; shift; "$@"; status=$?; kill $!; exit $status'
    return subprocess.run([*unshared(), "sh", "-c", script, SCRATCH.name, beside, PROGRAM, "capture", *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)


def limit__reached_before_a_flood__what_is_dropped_in_it_does_not_count():
    dropped = []
    for _ in range(4):  # on a busy machine it may not have read ten packets before the flood begins
        answer = call_live("-i", "lo", "--immediate-mode", "-B", "64", "-c", "10", "--json", "udp", beside=LATE_FLOOD)
        document = json.loads(answer.stdout)
        assert answer.returncode == 0 and document["packets"] == 10, answer
        assert document["complete"] is (document["dropped_kernel"] == 0), document
        dropped.append(document["dropped_kernel"])
        if not dropped[-1]:
            return
    raise AssertionError(f"dropped: {dropped}")


def packets__of_any_interface__name_the_one_that_they_passed():
    answer = call_live("-i", "any", "--packets", "-t", "-c", "3", beside=FLOOD)
    assert answer.returncode == 0 and len(answer.stdout.splitlines()) == 3, answer
    assert all(line.startswith("lo    In  IP 127.0.0.1") for line in answer.stdout.splitlines()), answer


def owner__whose_socket_was_not_there_at_first__is_found_at_the_end():
    answer = call_live("-i", "lo", "--duration", "2", "--json", "udp", beside=COMES_BACK)
    owners = [flow["owner"] for flow in json.loads(answer.stdout)["flows"]]
    assert len(owners) == 1 and owners[0] and owners[0]["pid"] and owners[0]["gone"] is False, owners


def owner__that_nobody_could_find__is_null():
    answer = call_live("-i", "lo", "-c", "40", "--json", "tcp", beside=REFUSED)
    owners = [flow["owner"] for flow in json.loads(answer.stdout)["flows"]]
    assert owners and None in owners, answer
    assert all(owner is None or owner["pid"] or owner["cookie"] != "0" for owner in owners), owners


def status_line__on_a_terminal__is_gone_before_the_next_line():
    terminal, end = os.openpty()
    first, second = play("healthy-v4").bytes(), play("refused_once-v4").bytes()[PCAP_HEADER:]
    with subprocess.Popen([PROGRAM, "capture", "-r", "-"], stdin=subprocess.PIPE, stdout=end, stderr=end) as running:
        os.close(end)
        for part in (first, first[PCAP_HEADER:], second):
            running.stdin.write(part)
            running.stdin.flush()
            time.sleep(0.8)  # the line comes twice a second
        running.stdin.close()
        text = b""
        try:
            while piece := os.read(terminal, 4096):
                text += piece
        except OSError:  # the other end is closed
            pass
    os.close(terminal)
    assert text.count(b"so far") >= 2 and b"refused" in text, text
    for piece in text.split(b"so far")[1:]:
        assert piece.startswith(b"\x1b[K\r"), text


def pipe__packets_still_to_come__lines_of_those_that_came_are_there():
    for words, wanted in (((), b"refused"), (("--packets",), b"Flags [R.]")):
        data = play("refused_once-v4").bytes()
        with subprocess.Popen([PROGRAM, "capture", "-r", "-", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
            running.stdin.write(data)
            running.stdin.flush()
            text = b""
            while wanted not in text:
                assert select.select([running.stdout], [], [], 30)[0], (words, text)
                text += os.read(running.stdout.fileno(), 4096)
            running.stdin.close()
            running.stdout.read()


def standard_descriptors__closed__are_not_those_of_something_else():
    for redirection, words in ((">&-", ("-r", file_of("healthy-v4"))), ("<&-", ("-r", "-"))):
        answer = subprocess.run(["sh", "-c", f'exec "$@" {redirection}', "sh", PROGRAM, "capture", *words], stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True, timeout=20, check=False)
        assert answer.returncode == 1 and "Bad file descriptor" in answer.stderr, (redirection, answer)


def file__asked_for_what_only_an_interface_can_do__is_refused():
    for words in (("-Q", "in"), ("-y", "EN10MB")):
        answer = call("-r", file_of("healthy-v4"), *words)
        assert answer.returncode == 2 and words[0] in answer.stderr and not answer.stdout, answer


def numbers__asked_for_while_a_file_is_printed__come():
    with subprocess.Popen([PROGRAM, "capture", "-r", "-", "--packets", "-l"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as running:
        running.stdin.write(play("healthy-v4").bytes())
        running.stdin.flush()
        assert select.select([running.stdout], [], [], 30)[0]
        running.send_signal(signal.SIGUSR1)
        assert select.select([running.stderr], [], [], 30)[0], "nothing was said"
        assert b" packet" in os.read(running.stderr.fileno(), 4096)
        running.communicate(timeout=60)
    assert running.returncode == 0, running.returncode


def lists__of_another_namespace__are_not_ours():
    with subprocess.Popen([*unshared(), "sh", "-c", "ip link add only-there type veth peer name other-end && ip link set only-there up && echo made && read word"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as there:
        assert there.stdout.readline() == b"made\n"
        interfaces, types = call("-D", "-N", str(there.pid)), call("-L", "-N", str(there.pid), "-i", "only-there")
        there.communicate(b"over\n", timeout=60)
    assert interfaces.returncode == 0 and "only-there" in interfaces.stdout, interfaces
    assert types.returncode == 0 and "EN10MB" in types.stdout, types
    assert "only-there" not in call("-D").stdout


def lists__no_space_left__is_a_failure():
    with open("/dev/full", "w", encoding="ascii") as full:
        answer = call("-D", stdout=full)
    assert answer.returncode == 1 and "No space left" in answer.stderr, answer


sys.exit(tap.main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What scripts rely on: where output goes, what its failure costs, when there is none. Replayed scenes, no privilege."""
import json
import os
import pathlib
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import threading

PROGRAM, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
sys.path.insert(0, str(ROOT / "tests/golden"))
from recording import Recording, Sock, attribute  # noqa: E402
from scenes import SCENES  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import tap  # noqa: E402

SCRATCH = tempfile.TemporaryDirectory(prefix="tcptriage-contract-")


def scene(name, title=None):
    path = os.path.join(SCRATCH.name, title or name)
    if not os.path.isdir(path):
        SCENES[name]().write(path)
    return path


def call(*words, stdout=subprocess.PIPE):
    return subprocess.run([PROGRAM, *words], stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60, check=False)


def report(name, *words, **options):
    return call("report", "--from", scene(name), *words, **options)


def output__pipe_in_the_place_of_the_file__is_written_and_stays():
    path = os.path.join(SCRATCH.name, "pipe")
    got = []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: got.append(pathlib.Path(path).read_text()), daemon=True)
    reader.start()
    answer = report("close_wait_leak", "--json", "--output", path, "-q")
    assert stat.S_ISFIFO(os.stat(path).st_mode), "the pipe was replaced by a file"
    reader.join(10)
    assert answer.returncode == 2 and json.loads(got[0])["status"] == "critical", answer


def output__file__is_replaced_by_another():
    path = os.path.join(SCRATCH.name, "file")
    pathlib.Path(path).write_text("old")
    before = os.stat(path).st_ino
    assert report("close_wait_leak", "--json", "--output", path, "-q").returncode == 2
    assert os.stat(path).st_ino != before and json.loads(pathlib.Path(path).read_text())["status"] == "critical"


def quiet_ok__nothing_found__is_silent_in_every_form():
    file = os.path.join(SCRATCH.name, "none")
    cut = scene("healthy", "cut")
    owners = pathlib.Path(cut, "owners")
    owners.write_text("what is this\n" + owners.read_text())
    for words in ((), ("--json",), ("--ndjson",), ("--output", file)):
        answer = call("report", "--from", cut, "--quiet-ok", *words)
        assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", ""), (words, answer)
    # the file is no mail: an old verdict must not stay in it
    assert "no findings" in pathlib.Path(file).read_text()
    assert call("report", "--from", cut, "--json").stderr, "there was nothing to be silent about"


def write__no_space_left__is_a_failure_of_every_view():
    for words in ((), ("--json",), ("-ta",), ("--group-by", "state")):
        with open("/dev/full", "w", encoding="ascii") as full:
            answer = call("states", "--from", scene("healthy"), *words, stdout=full)
        assert answer.returncode == 1 and "No space left" in answer.stderr, (words, answer)
    with open("/dev/full", "w", encoding="ascii") as full:
        assert report("healthy", stdout=full).returncode == 3


def netns__empty_name__selects_nothing():
    assert call("states", "--netns=", "-t").returncode == 2
    assert call("report", "--netns=", "--quick").returncode == 3


def recording__without_cgroups__is_read():
    path, sock = os.path.join(SCRATCH.name, "bare"), Sock("ESTAB", ("10.0.0.1", 1), ("10.0.0.2", 2), inode=9)
    sock.raw += attribute(21, struct.pack("<Q", 7))  # INET_DIAG_CGROUP_ID
    Recording([(0, [sock])]).write(path)
    pathlib.Path(path, "cgroups").unlink()
    answer = call("states", "--from", path, "-ta", "--cgroup", "--json")
    assert answer.returncode >= 0 and len(json.loads(answer.stdout)["sockets"]) == 1, answer


def recording__cut_dump__is_counted_once():
    path = scene("close_wait_leak", "short")
    dump = next(file for file in pathlib.Path(path).iterdir() if file.name.endswith("0.tcp"))
    dump.write_bytes(dump.read_bytes()[:40000])
    answer = call("states", "--from", path)
    line = next(line for line in answer.stdout.splitlines() if line.startswith("CLOSE-WAIT")).split()
    owner = next(word for word in line if word.startswith("app["))
    assert 0 < int(line[1]) < 211 and line[line.index(owner) + 1] == line[1], line
    assert answer.returncode == 4, answer.returncode


def filter__overflows_of_a_listener_outside__are_no_finding():
    path = os.path.join(SCRATCH.name, "overflow")
    socks = [Sock("LISTEN", ("0.0.0.0", 80), ("0.0.0.0", 0), send_q=128, inode=5, cookie=5, skmem=(0,) * 9)]
    Recording([(0, socks), (5, socks)], counters=[{}, {"ListenOverflows": 5}]).write(path)
    assert call("report", "--from", path).returncode == 1
    assert call("report", "--from", path, "dst", "203.0.113.9").returncode == 0


def require_owners__some_are_hidden__cannot_tell():
    path = scene("close_wait_leak", "hidden")
    owners = pathlib.Path(path, "owners")
    owners.write_text("pass\t1\t0\nend\n")
    plain, required = call("report", "--from", path), call("report", "--from", path, "--require", "owners")
    assert plain.returncode == 2 and required.returncode == 3, (plain.returncode, required.returncode)
    assert required.stdout.startswith("CRITICAL"), "what was found is printed"


def interrupt__while_sampling__is_said_and_not_complete():
    with subprocess.Popen([PROGRAM, "report", "--interval", "60", "--json", "-q"], stdout=subprocess.PIPE,
                          text=True) as running:
        threading.Timer(1.5, running.send_signal, [signal.SIGINT]).start()
        text = running.communicate(timeout=60)[0]
    document = json.loads(text)
    assert running.returncode == 3 and document["status"] == "unknown", running.returncode
    assert document["complete"] is False and any("interrupted" in n["text"] for n in document["notices"]), document["notices"]


def errors__names_from_outside__cannot_move_a_cursor():
    for words in (("states", "-N", "x\x1b[31mred\n", "-t"), ("states", "--from", "/no\x1b[2Jne"), ("report", "--from", "/no\x1b[2Jne"),
                  ("states", "--netns", "x\x1b[31m", "--from", scene("healthy")), ("doctor", "-N", "x\x1b[31m")):
        answer = call(*words)
        assert answer.returncode and "\\x1b" in answer.stderr and "\x1b" not in answer.stderr, (words, answer)


def redact__filter__is_judged_on_the_true_addresses():
    for words, wanted in ((("dst", "10.0.3.4"), 2), (("dst", "10.0.3.5"), 0)):
        answer = call("report", "--from", scene("close_wait_leak"), "--redact", *words)
        assert answer.returncode == wanted and "10.0.3.4" not in answer.stdout, answer
        rows = call("states", "--from", scene("close_wait_leak"), "--redact", "-H", "-t", *words)
        assert bool(rows.stdout) == bool(wanted) and "10.0.3.4" not in rows.stdout, rows


sys.exit(tap.main())

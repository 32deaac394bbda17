#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The two processes of a capture, as the kernel shows them, on a binary without sanitizers, which need more system calls than the filter has.

During a capture that rotates into a directory that only root may enter: what each process still may do, and that a debugger with every right cannot make the one that reads
packets open a file. TAP on stdout."""
import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import lab  # noqa: E402
from case_capture_run import burst, FILTER, sink  # noqa: E402

NOBODY = "65534"
# What gdb has the process call. Each would succeed, or fail in another way, for nobody without a filter.
FORBIDDEN = {"open": '(int)open("/etc/passwd", 0)', "socket": "(int)socket(2, 1, 0)", "fork": "(int)fork()", "execve": '(int)execve("/nonexistent", 0, 0)',
             "kill": "(int)kill((int)getpid(), 0)", "setuid": f"(int)setuid({NOBODY})", "unlink": '(int)unlink("/nonexistent")', "memory that can be executed": "(long)mmap(0, 4096, 7, 34, -1, 0)"}
ALLOWED = "(int)getpid()"


class Wrong(Exception):
    """A process may do what it should not, or not what it should."""


def status(pid):
    lines = pathlib.Path("/proc", str(pid), "status").read_text().splitlines()
    return {line.split(":")[0]: line.split(":", 1)[1].split() for line in lines}


def children(pid):
    return [int(word) for word in pathlib.Path("/proc", str(pid), "task", str(pid), "children").read_text().split()]


def expect(shown, **wanted):
    wrong = {name: shown[name] for name, value in wanted.items() if shown[name][0] != value}
    if wrong:
        raise Wrong(f"{shown['Name'][0]}: {wrong}, expected {wanted}")


def files(folder):
    return sorted(path.name for path in pathlib.Path(folder).iterdir())


def settled(pid, patience=5):
    """Its status once the filter of system calls is loaded, which it does last of all that it gives up; as it is when that never comes."""
    deadline = time.monotonic() + patience
    while (shown := status(pid))["Seccomp"][0] == "0" and time.monotonic() < deadline:
        time.sleep(0.02)
    return shown


def reader_gave_up_everything(pid, _):
    """User, groups, capabilities, new privileges; a filter of system calls."""
    shown = settled(pid)
    expect(shown, NoNewPrivs="1", Seccomp="2", CapEff="0" * 16, CapPrm="0" * 16, CapInh="0" * 16, CapAmb="0" * 16)
    for name in ("Uid", "Gid"):
        if set(shown[name]) != {NOBODY}:
            raise Wrong(f"{name}: {shown[name]}")
    if set(shown["Groups"]) - {NOBODY}:
        raise Wrong(f"Groups: {shown['Groups']}")
    return " ".join(f"{name} {shown[name][0]}" for name in ("Uid", "CapEff", "NoNewPrivs", "Seccomp"))


def helper_keeps_what_it_needs(pid, _):
    """One child, which is root, and has no socket that packets come from."""
    found = children(pid)
    if len(found) != 1:
        raise Wrong(f"{len(found)} children")
    shown = status(found[0])
    expect(shown, Uid="0", NoNewPrivs="1")
    if int(shown["CapEff"][0], 16) == 0:
        raise Wrong("without capabilities it cannot look up owners")
    packets = {line.split()[8] for line in pathlib.Path("/proc", str(found[0]), "net/packet").read_text().splitlines()[1:]}
    held = [os.readlink(path) for path in pathlib.Path("/proc", str(found[0]), "fd").iterdir()]
    if any(f"socket:[{inode}]" in held for inode in packets):
        raise Wrong(f"the helper holds a packet socket: {held}")
    return " ".join(f"{name} {shown[name][0]}" for name in ("Name", "Uid", "CapEff", "NoNewPrivs", "Seccomp"))


def rotation_goes_on(_, folder):
    """New files appear in a directory that the one who writes into them may not even enter."""
    before = files(folder)
    deadline = time.monotonic() + 8
    while len(files(folder)) < len(before) + 2:
        if time.monotonic() > deadline:
            raise Wrong(f"files after 8 s: {files(folder)}")
        time.sleep(0.1)
    if pathlib.Path(folder).stat().st_mode & 0o777 != 0o700:
        raise Wrong("the directory is open to others")
    return f"{len(files(folder))} files"


def debug(pid, expressions):
    command = ["gdb", "-nx", "-batch", "-iex", "set auto-load off", "-iex", "set debuginfod enabled off", "-p", str(pid)]
    for expression in expressions:
        command += ["-ex", f'printf "result %ld errno %d\\n", (long){expression}, *(int *)__errno_location()']
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    results = [tuple(map(int, found)) for found in re.findall(r"^result (-?\d+) errno (\d+)$", done.stdout, re.M)]
    if len(results) != len(expressions):
        raise Wrong(f"gdb: {len(results)} of {len(expressions)} calls were made: {done.stderr.strip()[-400:]}")
    return results


def forbidden_calls_fail(pid, _):
    """A debugger has the process call what it must not: each fails with EPERM, as it would for whoever takes the process over; a call that is allowed does not."""
    results = debug(pid, [ALLOWED, *FORBIDDEN.values()])
    if results[0][0] != pid:
        raise Wrong(f"getpid() is {results[0][0]} in {pid}: the calls say nothing")
    wrong = {name: result for name, result in zip(FORBIDDEN, results[1:]) if result != (-1, 1)}
    if wrong:
        raise Wrong(f"(result, errno) other than (-1, EPERM): {wrong}")
    return ", ".join(FORBIDDEN)


def capture_goes_on(pid, folder):
    """After all that it still captures, and ends in order."""
    size = sum(path.stat().st_size for path in pathlib.Path(folder).iterdir())
    time.sleep(2)
    if status(pid)["State"][0] == "T" or sum(path.stat().st_size for path in pathlib.Path(folder).iterdir()) <= size:
        raise Wrong("nothing more is written")


CHECKS = [reader_gave_up_everything, helper_keeps_what_it_needs, rotation_goes_on, forbidden_calls_fail, capture_goes_on]


def examine(place, folder):
    """Yields (check, what is wrong, what to note)."""
    os.chmod(folder, 0o700)
    with place.capturing("c", "--json", "-i", "c0", "-w", f"{folder}/x-%s.pcap", "-G", "1", FILTER) as capture:
        sender = burst(place, 6000, pause=0.01)
        sender.go()
        for check in CHECKS:
            try:
                yield check, "", check(capture.pid, folder) or ""
            except (Wrong, OSError, subprocess.SubprocessError) as error:
                yield check, str(error), ""
        capture.finish()
    doc = place.captured(capture)
    written = sum(len(subprocess.run(["tcpdump", "-nr", path], capture_output=True, text=True, check=True).stdout.splitlines())
                  for path in pathlib.Path(folder).iterdir())
    if doc["packets"] != written or not written:
        raise Wrong(f"{doc['packets']} packets were counted, the files hold {written}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default="build-werror/src/tcptriage")
    arguments = parser.parse_args()
    if os.geteuid():
        print("not root: there is no privilege to give up")
        return 77
    os.environ["TCPTRIAGE_LAB"] = str(os.getpid())
    failed = 0
    with lab.Lab("processes", 4, os.path.abspath(arguments.binary)) as place, lab.scratch() as folder:
        try:
            place.build()
        except lab.Impossible as error:
            print(error)
            return 77
        sink(place)
        number = 0
        try:
            for number, (check, wrong, note) in enumerate(examine(place, folder), 1):
                failed += bool(wrong)
                print(f"{'not ok' if wrong else 'ok'} {number} - {check.__name__.replace('_', '-')} # {wrong or note}".rstrip(" #"), flush=True)
            print(f"ok {number + 1} - files-hold-what-was-counted", flush=True)
        except (Wrong, lab.Wrong, lab.Absent, subprocess.SubprocessError) as error:
            failed += 1
            print(f"not ok {number + 1} - files-hold-what-was-counted # {' '.join(str(error).split())}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())

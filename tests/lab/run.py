#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes each fault for real in network namespaces and asks tcptriage about it; its healthy twins must stay silent.

Cases run side by side: all that wait long at once, the others a few at a time. TAP on stdout, then a table
"rule, fault, first finding" and the count."""
import argparse
import collections
import fnmatch
import json
import os
import pathlib
import selectors
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cases  # noqa: E402
import lab  # noqa: E402

LONG_WAIT = 30  # cases that wait longer than this cost nothing while they do
AT_ONCE = 8
GRACE = 90
TRIES = 3  # a fault that did not stand says nothing about tcptriage: it is made again, when the others are done

Result = collections.namedtuple("Result", "case verdict detail said seconds")


def run_case(case, binary, keep):
    """One case, in a process of its own: prints its verdict and ends."""
    lab.die_with_parent(signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    place = lab.Lab(case.name.replace("/", "-"), case.family, binary, keep, case.beside)
    verdict, detail = "ok", ""
    with place:
        try:
            detail = case.run(place) or ""
        except lab.Impossible as error:
            verdict, detail = "skip", str(error)
        except lab.Absent as error:
            verdict, detail = "absent", str(error)
        except lab.Wrong as error:
            verdict, detail = "FAIL", str(error)
        except (OSError, RuntimeError, LookupError, TypeError, ValueError, AssertionError, subprocess.SubprocessError) as error:
            last = error.__traceback__
            while last.tb_next:
                last = last.tb_next
            verdict, detail = "FAIL", f"{type(error).__name__}: {error} ({pathlib.Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno})"
    return verdict, " ".join(detail.split()), place.said


class Runner:
    def __init__(self, arguments):
        self.arguments, self.results = arguments, []
        self.active = {}  # pipe → (case, pid, started)
        self.queue, self.tries = collections.deque(), collections.Counter()
        self.selector = selectors.DefaultSelector()

    def start(self, case):
        read, write = os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            os.close(read)
            try:
                verdict, detail, said = run_case(case, self.arguments.binary, self.arguments.keep)
                os.write(write, "\t".join((verdict, said, detail)).encode()[:4000])
            finally:
                os._exit(0)
        os.close(write)
        self.active[read] = (case, pid, time.monotonic())
        self.selector.register(read, selectors.EVENT_READ)

    def finish(self, pipe, text):
        case, pid, started = self.active.pop(pipe)
        self.selector.unregister(pipe)
        os.close(pipe)
        os.waitpid(pid, 0)
        verdict, said, detail = (text.split("\t", 2) + ["", ""])[:3] if text else ("FAIL", "", "the case ended without a word")
        self.tries[case.name] += 1
        if verdict == "absent" and self.tries[case.name] < TRIES:
            print(f"# made again: {case.name}: {detail}".replace("\n", " "), flush=True)
            self.queue.append(case)
            return
        verdict = "FAIL" if verdict == "absent" else verdict
        self.results.append(Result(case, verdict, detail, said, time.monotonic() - started))
        self.show(self.results[-1])

    def show(self, result):
        number = len(self.results)
        note = f"{result.seconds:.1f} s {result.said} {result.detail}".strip().replace("#", "")
        if result.verdict == "skip":
            print(f"ok {number} - {result.case.name} # SKIP {result.detail}", flush=True)
        else:
            print(f"{'ok' if result.verdict == 'ok' else 'not ok'} {number} - {result.case.name} # {note}", flush=True)

    def expire(self):
        for pipe, (case, pid, started) in list(self.active.items()):
            if time.monotonic() - started > case.waits + GRACE:
                os.kill(pid, signal.SIGTERM)
                time.sleep(1)
                self.finish(pipe, f"FAIL\t\tnot done after {case.waits + GRACE} s")

    def short_ones(self):
        return sum(case.waits <= LONG_WAIT for case, _, _ in self.active.values())

    def run(self, chosen):
        self.queue.extend(sorted(chosen, key=lambda case: -case.waits))
        while self.queue or self.active:
            while self.queue and (self.queue[0].waits > LONG_WAIT or self.short_ones() < AT_ONCE):
                self.start(self.queue.popleft())
            for key, _ in self.selector.select(1):
                self.finish(key.fd, os.read(key.fd, 65536).decode(errors="replace"))
            self.expire()

    def stop(self):
        for _, pid, _ in self.active.values():
            os.kill(pid, signal.SIGTERM)
        for _, pid, _ in self.active.values():
            os.waitpid(pid, 0)
        self.active.clear()


def print_table(results):
    rows = [("RULE", "CASE", "KIND", "FIRST FINDING")]
    rows += [(result.case.rule, result.case.name.split("/", 1)[1], result.case.kind, result.said or "-")
             for result in sorted(results, key=lambda result: result.case.name)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def explained(binary, *words):
    done = subprocess.run([binary, "explain", "--json", *words], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)["topics"]


def kinds_of(rule):
    """What has to be proven of a rule: what it sees in sockets, in packets, and by probes, each by a fault and by a twin. Whoever sees sockets has limits."""
    return ((["fault", "twin"] if rule["thresholds"] else []) + (["capture-fault", "capture-twin"] if rule["packets"] else []) +
            (["probe-fault", "probe-twin"] if rule["probes"] else []))


def unproven(binary, all_cases):
    """Rules without a real fault or without a healthy twin in either family."""
    rules = [explained(binary, topic["name"])[0] for topic in explained(binary) if topic["kind"] == "rule"]
    made = {(case.rule, case.kind, case.family) for case in all_cases}
    return [f"{rule['name']} ({kind}, IPv{family})" for rule in rules for kind in kinds_of(rule) or ["fault"] for family in (4, 6)
            if (rule["name"], kind, family) not in made]


def skip_all(chosen, reason):
    for number, case in enumerate(chosen, 1):
        print(f"ok {number} - {case.name} # SKIP {reason}")
    print(f"0 passed, 0 failed, {len(chosen)} skipped")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default="build/src/tcptriage")
    parser.add_argument("--only", action="append", metavar="GLOB", help="run cases whose name fits, e.g. 'close-wait-leak/*'")
    parser.add_argument("--list", action="store_true", help="name the cases")
    parser.add_argument("--keep", action="store_true", help="leave the namespaces behind for a look")
    parser.add_argument("--faults-only", action="store_true", help="make and check the faults, do not ask tcptriage")
    arguments = parser.parse_args()
    everything = cases.load()
    chosen = [case for case in everything if not arguments.only or any(fnmatch.fnmatch(case.name, glob) for glob in arguments.only)]
    if arguments.list:
        print("\n".join(case.name for case in chosen))
        return 0
    if not chosen:
        parser.error("no case has such a name")
    if os.geteuid():
        return skip_all(chosen, "not root: namespaces cannot be made")
    arguments.binary = None if arguments.faults_only else os.path.abspath(arguments.binary)
    if arguments.binary and not os.access(arguments.binary, os.X_OK):
        parser.error(f"no program at {arguments.binary}")
    os.environ["TCPTRIAGE_LAB"] = str(os.getpid())
    lab.namespaces_sweep()
    runner = Runner(arguments)
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(how, lambda *_: sys.exit(1))
    try:
        # The first namespace ever made mounts /run/netns: not side by side with others.
        run_first = subprocess.run(["ip", "netns", "add", f"{lab.PREFIX}-{os.getpid()}-first"], capture_output=True, text=True, check=False)
        if run_first.returncode:
            return skip_all(chosen, f"no namespaces here ({run_first.stderr.strip()})")
        runner.run(chosen)
    finally:
        runner.stop()
        if not arguments.keep:
            lab.namespaces_delete(f"{lab.PREFIX}-{os.getpid()}-")
    missing = unproven(arguments.binary, everything) if arguments.binary and not arguments.only else []
    if missing:
        print(f"not ok {len(runner.results) + 1} - every-rule-is-proven # no case for {', '.join(missing)}")
    print_table(runner.results)
    count = collections.Counter(result.verdict for result in runner.results)
    print(f"{count['ok']} passed, {count['FAIL']} failed, {count['skip']} skipped")
    return 1 if count["FAIL"] or missing else 0


if __name__ == "__main__":
    sys.exit(main())

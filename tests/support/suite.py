#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds and tests everything, side by side where that saves time, and says how many cases passed, failed, were skipped and why.

A step is a command whose output holds individual cases (TAP lines, unittest -v lines, meson's test log); a step that holds none is
one case itself. Steps start as soon as what they need is done; `cores` of them may compute at once, those that mostly wait are not counted."""
import argparse
import collections
import concurrent.futures
import fnmatch
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOGS = ROOT / "build-test-logs"
CORES = os.cpu_count() or 1
FUZZ_SECONDS = 30

Case = collections.namedtuple("Case", "name verdict detail")  # verdict: passed, failed, skipped

TAP = re.compile(r"^(?P<no>not )?ok\b(?: +\d+)?(?: +-)? *(?P<name>[^#]*?)(?: *# *(?P<skip>SKIP\b)?[: ]*(?P<why>.*))?$", re.I)
UNITTEST = re.compile(r"^(?P<name>\w+ \([\w.]+\)).*\.\.\. (?P<verdict>ok|FAIL|ERROR|skipped '(?P<why>.*)')$")


def read_cases(text, where):
    """The cases that an output names; [] when it names none."""
    cases = []
    for line in text.splitlines():
        tap, unit = TAP.match(line), UNITTEST.match(line)
        if tap:
            verdict = "skipped" if tap["skip"] else "failed" if tap["no"] else "passed"
            cases.append(Case(f"{where}/{tap['name'] or len(cases) + 1}", verdict, (tap["why"] or "").strip()))
        elif unit:
            verdict = {"ok": "passed", "FAIL": "failed", "ERROR": "failed"}.get(unit["verdict"], "skipped")
            cases.append(Case(f"{where}/{unit['name']}", verdict, unit["why"] or ""))
    return cases


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


def judge(name, status, text):
    """Cases of one command: those it names, and one of its own when it failed without naming a failed one."""
    cases = read_cases(text, name)
    if status == 77 and not cases:
        return [Case(name, "skipped", last_line(text))]
    if status not in (0, 77) and not any(case.verdict == "failed" for case in cases):
        cases.append(Case(name, "failed", f"exit status {status}: {last_line(text)}"))
    return cases or [Case(name, "passed", "")]


class Running:
    """Commands under way, each in a process group of its own, so that none outlives this one."""

    def __init__(self):
        self.lock, self.groups, self.stopped = threading.Lock(), set(), False

    def run(self, command, log, timeout, nice=0, env=None):
        """Runs a command, output into the file `log`. Returns (exit status, output)."""
        with open(log, "wb") as out:
            with self.lock:
                if self.stopped:
                    return 130, ""
                process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                           env={**os.environ, **(env or {})}, start_new_session=True,
                                           preexec_fn=(lambda: os.nice(nice)) if nice else None)
                self.groups.add(process.pid)
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.end(process.pid, signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    pass
                out.write(f"\nended after {timeout} s\n".encode())
                status = 124
            self.end(process.pid, signal.SIGKILL)
            process.wait()
            with self.lock:
                self.groups.discard(process.pid)
        return status, pathlib.Path(log).read_text(errors="replace")

    @staticmethod
    def end(group, how):
        try:
            os.killpg(group, how)
        except ProcessLookupError:
            pass

    def stop(self):
        with self.lock:
            self.stopped = True
            for group in self.groups:
                self.end(group, signal.SIGTERM)


RUNNING = Running()
SANITIZED = {"ASAN_OPTIONS": "exitcode=99:detect_stack_use_after_return=1", "UBSAN_OPTIONS": "halt_on_error=1:exitcode=99:print_stacktrace=1",
             "CMOCKA_MESSAGE_OUTPUT": "TAP"}


def build(name, directory, *options, compiler=None, targets=()):
    """Configures (once, or again when that fails) and builds a directory."""
    env = {"CC": compiler} if compiler else {}
    configured = (ROOT / directory / "build.ninja").exists()
    setup = ["meson", "setup", directory, *options] + (["--reconfigure"] if configured else [])
    status, text = RUNNING.run(setup, LOGS / f"{name}.setup.log", 120, env=env)
    if status and configured:
        shutil.rmtree(ROOT / directory)
        status, text = RUNNING.run(setup[:-1], LOGS / f"{name}.setup.log", 120, env=env)
    if not status:
        status, text = RUNNING.run(["ninja", "-C", directory, *targets], LOGS / f"{name}.log", 600, nice=5)
    return status, text


def build_gcc():
    # No -Werror here: gcc's own sanitizers bring warnings about paths that cannot be taken.
    status, text = build("build", "build-test", "-Db_sanitize=address,undefined", "-Dbuildtype=debugoptimized", "-Dtests=enabled", "-Dwerror=false",
                         compiler="gcc")
    return judge("build", status, "" if not status else text)


def build_release():
    status, text = build("build_release", "build-werror", "-Dbuildtype=release", "-Dtests=enabled", "-Dwerror=true", compiler="gcc")
    return judge("build_release", status, "" if not status else text)


def build_clang():
    status, text = build("build_clang", "build-clang", "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dbuildtype=debugoptimized",
                         "-Dtests=enabled", "-Dfuzz=true", "-Dwerror=true", compiler="clang")
    return judge("build_clang", status, "" if not status else text)


def meson_cases(directory):
    """Cases of meson's tests, from the output that its log keeps of each."""
    log = ROOT / directory / "meson-logs" / "testlog.json"
    cases = []
    for line in log.read_text(errors="replace").splitlines():
        test = json.loads(line)
        name = test["name"].split(":")[-1].replace(" / ", "/").replace("tcptriage/", "")
        status = 77 if test["result"] == "SKIP" else 0 if test["result"] in ("OK", "EXPECTEDFAIL") else test["returncode"] or 1
        cases += judge(name, status, "\n".join((test.get("stdout") or "", test.get("stderr") or "")))
    return cases


def meson_tests():
    log = ROOT / "build-test" / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    status, text = RUNNING.run(["meson", "test", "-C", "build-test", "--no-rebuild", "--timeout-multiplier", "8", "--num-processes", str(CORES)], LOGS / "meson.log", 600,
                               env=SANITIZED)
    if not log.exists():
        return judge("meson", status or 1, text)
    cases = meson_cases("build-test")
    if status and not any(case.verdict == "failed" for case in cases):
        cases.append(Case("meson", "failed", f"exit status {status}: {last_line(text)}"))
    return cases


def fuzz_one(target):
    name = target.name
    seeds = ROOT / "tests" / "fuzz" / "corpus" / name.removeprefix("fuzz_")
    grown = ROOT / "build-clang" / "fuzz-corpus" / name
    grown.mkdir(parents=True, exist_ok=True)
    command = [str(target), f"-max_total_time={FUZZ_SECONDS}", "-print_final_stats=1", "-timeout=10", "-rss_limit_mb=2048",
               f"-artifact_prefix={LOGS}/{name}-", str(grown)] + ([str(seeds)] if seeds.is_dir() else [])
    status, text = RUNNING.run(command, LOGS / f"{name}.log", FUZZ_SECONDS + 60, nice=15, env=SANITIZED)
    runs = re.search(r"number_of_executed_units: *(\d+)", text)
    if status or not runs or not int(runs[1]):
        return Case(f"fuzz/{name}", "failed", f"exit status {status}: {last_line(text)}")
    return Case(f"fuzz/{name}", "passed", f"{runs[1]} inputs")


def fuzz():
    targets = sorted(path for path in (ROOT / "build-clang" / "tests" / "fuzz").glob("fuzz_*") if path.is_file() and os.access(path, os.X_OK))
    if not targets:
        return [Case("fuzz", "failed", "no target was built")]
    with concurrent.futures.ThreadPoolExecutor(len(targets)) as pool:
        return list(pool.map(fuzz_one, targets))


def python_program(name, path, timeout, *arguments):
    status, text = RUNNING.run([sys.executable, "-B", path, *arguments], LOGS / f"{name}.log", timeout, env=SANITIZED)
    return judge(name, status, text)


def lab():
    return python_program("lab", "tests/lab/run.py", 1500, "--binary", "build-test/src/tcptriage")


def compare_ss():
    return python_program("compare_ss", "tests/lab/compare_ss.py", 400, "--binary", "build-test/src/tcptriage")


def processes():
    return python_program("processes", "tests/lab/capture_processes.py", 200, "--binary", "build-werror/src/tcptriage")


def breakable():
    """The stem of every signal's tests: rules by their name, signals in files of their own behind "packets_" or "probes_"."""
    triage = ROOT / "src" / "triage"
    signals = [f"{kind}_{path.stem}" for kind in ("packets", "probes") for path in (triage / kind).glob("*.c")]
    return sorted([path.stem for path in (triage / "rules").glob("*.c")] + signals)


def broken_rules():
    """Breaks the main condition of each signal in turn: its tests must be seen to fail, by a case of theirs and not by a crash."""
    cases = []
    for stem in breakable():
        name, target = f"broken/{stem.replace('_', '-')}", f"tests/rules/test_rule_{stem}"
        status, text = build(f"broken_{stem}", "build-broken", "-Dbuildtype=plain", "-Dtests=enabled", f"-Dbreak_rule={stem.replace('_', '-')}",
                             compiler="gcc", targets=[target])
        if status:
            cases.append(Case(name, "failed", f"does not build: {last_line(text)}"))
            continue
        status, text = RUNNING.run([str(ROOT / "build-broken" / target)], LOGS / f"broken_{stem}.test.log", 60, env=SANITIZED)
        fell = sum(case.verdict == "failed" for case in read_cases(text, name))
        if status > 0 and fell:
            cases.append(Case(name, "passed", f"{fell} of its tests notice"))
        else:
            cases.append(Case(name, "failed", f"no test of the rule notices that its condition is broken (exit status {status})"))
    return cases or [Case("broken", "failed", "no rule found")]


# name: (function, what must have passed before, does it compute all the time)
Step = collections.namedtuple("Step", "run needs computes")
STEPS = {
    "build": Step(build_gcc, [], True),
    "meson": Step(meson_tests, ["build"], True),
    "lab": Step(lab, ["build"], False),
    "compare_ss": Step(compare_ss, ["build"], False),
    "build_clang": Step(build_clang, ["build"], True),
    "build_release": Step(build_release, [], True),
    "processes": Step(processes, ["build_release"], False),
    "fuzz": Step(fuzz, ["build_clang"], False),
    "broken": Step(broken_rules, ["build"], True),
}


class Suite:
    def __init__(self, names):
        self.names, self.results, self.seconds = names, {}, {}
        self.slots = threading.Semaphore(max(1, CORES // 2))
        self.started = time.monotonic()

    def run_step(self, name, after):
        step = STEPS[name]
        concurrent.futures.wait([after[need] for need in step.needs])
        if any(case.verdict == "failed" for need in step.needs for case in self.results[need]):
            self.results[name] = [Case(name, "failed", f"not run: {', '.join(step.needs)} failed")]
            return
        if step.computes:
            self.slots.acquire()
        begun = time.monotonic()
        try:
            self.results[name] = step.run()
        except Exception as error:  # a step that breaks must not take the count of the others with it
            self.results[name] = [Case(name, "failed", f"{type(error).__name__}: {error}")]
        finally:
            if step.computes:
                self.slots.release()
        self.seconds[name] = time.monotonic() - begun
        count = collections.Counter(case.verdict for case in self.results[name])
        print(f"[{time.monotonic() - self.started:5.0f} s] {name}: {count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped"
              f" ({self.seconds[name]:.0f} s)", flush=True)

    def run(self):
        after = {}
        with concurrent.futures.ThreadPoolExecutor(len(self.names)) as pool:
            for name in self.names:  # STEPS is in the order of needs, so every need has its future
                after[name] = pool.submit(self.run_step, name, after)
        return [case for name in self.names for case in self.results[name]]


def load_skips():
    rows = []
    for line in (ROOT / "tests" / "skips.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, reason, why = (part.strip() for part in line.split("|", 2))
            rows.append((name, reason, why))
    return rows


def settle(cases, skips):
    """Turns skips that the table does not know into failures."""
    for case in cases:
        row = next((row for row in skips if fnmatch.fnmatch(case.name, row[0]) and fnmatch.fnmatch(case.detail, row[1])), None)
        if case.verdict == "skipped" and row is None:
            yield case._replace(verdict="failed", detail=f"skipped, which tests/skips.txt does not allow: {case.detail or 'no reason given'}")
        elif case.verdict == "skipped":
            yield case._replace(detail=f"{case.detail} [{row[2]}]")
        else:
            yield case


def print_table(cases):
    """One line a suite: the first part of its cases' names."""
    suites = collections.defaultdict(collections.Counter)
    for case in cases:
        suites[case.name.split("/")[0]][case.verdict] += 1
    width = max(map(len, suites), default=0)
    print(f"\n{'SUITE':{width}}  PASSED  FAILED  SKIPPED")
    for name, count in suites.items():
        print(f"{name:{width}}  {count['passed']:6}  {count['failed']:6}  {count['skipped']:7}")


def print_faults():
    """What the lab made and what was said first about it: the table at the end of its output, faults only."""
    log = LOGS / "lab.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    start = next((number for number, line in enumerate(lines) if line.startswith("RULE ")), None)
    if start is None:
        return
    kind = lines[start].index("KIND")
    print("\n" + "\n".join(line for line in lines[start:] if line[kind:].startswith(("KIND", "fault", "recorded", "capture-fault"))))


def print_outcome(cases, seconds):
    print_faults()
    print_table(cases)
    for title, verdict in (("Skipped", "skipped"), ("Failed", "failed")):
        chosen = [case for case in cases if case.verdict == verdict]
        if chosen:
            print(f"\n{title}:")
        for case in chosen:
            print(f"  {case.name}: {case.detail}" if case.detail else f"  {case.name}")
    count = collections.Counter(case.verdict for case in cases)
    print(f"\n{seconds:.0f} s, logs in {LOGS.relative_to(ROOT)}/")
    print(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped", flush=True)
    return 1 if count["failed"] or not count["passed"] else 0


def with_needs(wanted):
    names = set(wanted)
    while True:
        more = {need for name in names for need in STEPS[name].needs} - names
        if not more:
            return [name for name in STEPS if name in names]
        names |= more


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="steps, comma-separated")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the log of a step that failed whole")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(STEPS))
        return 0
    wanted = arguments.only.split(",") if arguments.only else list(STEPS)
    unknown = [name for name in wanted if name not in STEPS]
    if unknown:
        parser.error(f"no step '{unknown[0]}'; steps: {', '.join(STEPS)}")
    LOGS.mkdir(exist_ok=True)
    for how in (signal.SIGINT, signal.SIGTERM):
        signal.signal(how, lambda *_: RUNNING.stop())
    suite = Suite(with_needs(wanted))
    cases = list(settle(suite.run(), load_skips()))
    if arguments.verbose:
        for case in cases:
            log = LOGS / f"{case.name.split('/')[0]}.log"
            if case.verdict == "failed" and log.exists():
                print(f"\n== {log.name}\n{log.read_text(errors='replace')[-4000:]}")
    return print_outcome(cases, time.monotonic() - suite.started)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Golden tests: replay a scene, run a command on it, compare every byte of what it prints and its exit status; and what is printed of
hand-made results, for which there is no recording.

usage: run.py TCPTRIAGE SAMPLES [--update] [NAME…]      --update rewrites tests/golden/expected and shows the difference
The clock is that of the recording; what the run itself cost is the only thing that is not compared.
"""
import difflib
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from scenes import SCENES  # noqa: E402

# name | scene | exit status | command line
CASES = """
leak-summary        | close_wait_leak | 0 | states
leak-summary-json   | close_wait_leak | 0 | states --json
leak-report         | close_wait_leak | 2 | report
leak-report-verbose | close_wait_leak | 2 | report -v
leak-report-json    | close_wait_leak | 2 | report --json
leak-report-ndjson  | close_wait_leak | 2 | report --format ndjson
leak-report-filter  | close_wait_leak | 0 | report dst 203.0.113.0/24
leak-report-redact  | close_wait_leak | 2 | report --redact
leak-exit-zero      | close_wait_leak | 0 | report --exit-zero --rule syn-sent-stall
leak-group-process  | close_wait_leak | 0 | states -ta --group-by process
leak-group-json     | close_wait_leak | 0 | states -ta --group-by prefix/24 --json
leak-top            | close_wait_leak | 0 | states -t --sort age --top 3 --flags -p state close-wait
leak-columns        | close_wait_leak | 0 | states -t --columns state,local,peer,rtt,cwnd,pid,comm dst 203.0.113.2
healthy-report      | healthy         | 0 | report
healthy-quiet       | healthy         | 0 | report --quiet-ok
healthy-quick       | healthy         | 0 | report --quick
healthy-rows        | healthy         | 0 | states -tuaoempi
healthy-rows-line   | healthy         | 0 | states -taiO state established
healthy-rows-json   | healthy         | 0 | states -taemi --json dport = 5432
healthy-rows-ndjson | healthy         | 0 | states -tap --ndjson
healthy-filter      | healthy         | 0 | states -H -ta ( sport = :443 or dport 5432 ) and not comm = nobody and rtt < 1ms
stall-report        | syn_sent_stall  | 2 | report
stall-report-json   | syn_sent_stall  | 2 | report --json
fallback-report     | fallback        | 1 | report --quick
hostile-rows        | hostile         | 0 | states -taopi
hostile-rows-json   | hostile         | 0 | states -tapi --json
hostile-summary     | hostile         | 0 | states
bad-option          | healthy         | 2 | states --sotr rtt
bad-filter          | healthy         | 2 | states dprt = :80
bad-state           | healthy         | 2 | states state clos-wait
bad-rule            | healthy         | 3 | report --rule close-wait-leek
"""

# name | what is asked of SAMPLES
PRINTED = """
mtu-probe           | mtu-probe text
mtu-probe-80        | mtu-probe text 80
mtu-probe-json      | mtu-probe all json
mtu-probe-ndjson    | mtu-probe all ndjson
trace               | trace text
trace-80            | trace text 80
trace-json          | trace all json
trace-ndjson        | trace all ndjson
"""

COSTS = [
    (re.compile(r"read in [0-9.]+ (?:µs|ms|s)"), "read in COST"),
    (re.compile(r"owners in [0-9.]+ (?:µs|ms|s)"), "owners in COST"),
    (re.compile(r'"((?:\w+_)?cost_ms)":[0-9.]+'), r'"\1":0'),
    (re.compile(r"\b10\.0\.0\.\d+:5432 has closed +"), "STAND-IN has closed "),  # its last byte is random
    (re.compile(r'"version":"[^"]*"'), '"version":"VERSION"'),
]


def cases():
    for line in CASES.strip().splitlines():
        name, scene, status, words = (part.strip() for part in line.split("|"))
        yield name, scene, int(status), words.split()


def printed(argv):
    env = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"],
           **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}
    done = subprocess.run(argv, capture_output=True, env=env, timeout=60, check=False)
    text = done.stdout.decode("utf-8", "backslashreplace") + "".join(
        "stderr: " + line + "\n" for line in done.stderr.decode("utf-8", "backslashreplace").splitlines())
    for pattern, replacement in COSTS:
        text = pattern.sub(replacement, text)
    return text, done.returncode


def run(tool, words, recording):
    at = 1 if words[0] in ("states", "report") else 0
    text, code = printed([tool, *words[:at], "--from", recording, *words[at:]])
    return text.replace(recording, "RECORDING"), code


def all_cases(tool, samples, scratch):
    """Of each case its name, the exit status that it should have, and how to run it."""
    for scene, make in SCENES.items():
        make().write(os.path.join(scratch, scene))
    for name, scene, status, words in cases():
        yield name, status, lambda words=words, scene=scene: run(tool, words, os.path.join(scratch, scene))
    for line in PRINTED.strip().splitlines():
        name, kind = (part.strip() for part in line.split("|"))
        yield name, 0, lambda kind=kind: printed([samples, kind])


def main(argv):
    tool, samples, update = os.path.abspath(argv[1]), os.path.abspath(argv[2]), "--update" in argv
    wanted = [a for a in argv[3:] if not a.startswith("-")]
    failed = passed = 0
    with tempfile.TemporaryDirectory(prefix="tcptriage-golden-") as scratch:
        for name, status, case in all_cases(tool, samples, scratch):
            if wanted and name not in wanted:
                continue
            text, code = case()
            path = os.path.join(HERE, "expected", name + ".out")
            expected = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
            good = text == expected and code == status
            if not good:
                sys.stdout.writelines(difflib.unified_diff(expected.splitlines(True), text.splitlines(True),
                                                           "expected/" + name, "printed"))
                if code != status:
                    print(f"exit status {code}, expected {status}")
            if update and text != expected:
                with open(path, "w", encoding="utf-8") as out:
                    out.write(text)
            print(f"{'ok' if good else 'FAIL'} golden/{name}")
            passed, failed = passed + good, failed + (not good)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))

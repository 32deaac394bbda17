#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Golden tests of `capture -r`: play a scene, run a command on it, compare every byte of what it prints and its exit status.

usage: run.py TCPTRIAGE [--update] [NAME…]      --update rewrites tests/golden/capture/expected and shows the difference
"""
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "captures"))
import make  # noqa: E402

# name | scene | exit status | words behind `capture -r SCENE`
CASES = """
healthy             | healthy-v4             | 0 |
healthy-json        | healthy-v4             | 0 | --json
healthy-packets     | healthy-v4             | 0 | --packets
healthy-flows       | healthy-v4             | 0 | --flows
healthy6-packets    | healthy-v6             | 0 | --packets
healthy-filter      | healthy-v4             | 0 | --flows src host 10.0.3.4
syn-silent          | syn_silent_long-v4     | 0 |
syn-silent-json     | syn_silent_long-v6     | 0 | --json
syn-silent-ndjson   | syn_silent-v4          | 0 | --ndjson
refused-by-box      | refused_by_box-v4      | 0 |
prohibited          | icmp_prohibited-v6     | 0 |
fast-retransmit     | fast_retransmit-v4     | 0 |
spurious-packets    | spurious_dsack-v4      | 0 | --packets
zero-window         | zero_window_stuck-v4   | 0 |
zero-window-flows   | zero_window_stuck-v4   | 0 | --flows
nagle               | nagle-v4               | 0 |
idle-reset          | idle_350_reset-v4      | 0 |
idle-reset-verbose  | idle_350_reset-v4      | 0 | -v
reset-injected      | reset_injected-v4      | 0 |
blackhole           | blackhole-v4           | 0 |
blackhole6          | blackhole-v6           | 0 |
blackhole-json      | blackhole-v4           | 0 | --json
blackhole-ndjson    | blackhole-v6           | 0 | --ndjson
too-big             | too_big_obeyed-v4      | 0 |
too-big-packets     | too_big_obeyed-v6      | 0 | --packets
loop                | routing_loop-v4        | 0 |
fragments-packets   | fragments_lost-v4      | 0 | --packets -v -c 7
dns                 | dns_unanswered-v4      | 0 |
one-way             | one_way-v4             | 0 |
mirror              | mirror_duplicates-v4   | 0 |
malformed           | malformed-v4           | 0 |
malformed-packets   | malformed-v4           | 0 | --packets
vxlan-packets       | vxlan-v4               | 0 | --packets -e
two-links-flows     | pcapng_two_links-v4    | 0 | --flows
drops               | drops-v4               | 0 |
"""

MASKED = [
    (re.compile(r"read in [0-9.]+ (?:µs|ms|s)"), "read in COST"),
    (re.compile(r'"((?:\w+_)?cost_ms)":[0-9.]+'), r'"\1":0'),
    (re.compile(r'"generated_at":"[^"]*"'), '"generated_at":"NOW"'),
    (re.compile(r'"host":"[^"]*"'), '"host":"HOST"'),
    (re.compile(r'"version":"[^"]*"'), '"version":"VERSION"'),
]


def cases():
    for line in CASES.strip().splitlines():
        name, scene, status, words = (part.strip() for part in line.split("|"))
        yield name, scene, int(status), words.split()


def run(tool, words, path):
    env = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}
    done = subprocess.run([tool, "capture", "-r", path, *words], stdin=subprocess.DEVNULL, capture_output=True, env=env, timeout=60, check=False)
    text = done.stdout.decode("utf-8", "backslashreplace") + "".join(
        "stderr: " + line + "\n" for line in done.stderr.decode("utf-8", "backslashreplace").splitlines())
    text = text.replace(str(path.parent), "SCENES")
    for pattern, replacement in MASKED:
        text = pattern.sub(replacement, text)
    return text, done.returncode


def main(argv):
    tool, update = os.path.abspath(argv[1]), "--update" in argv
    wanted = [a for a in argv[2:] if not a.startswith("-")]
    chosen = [case for case in cases() if not wanted or case[0] in wanted]
    failed = 0
    print(f"1..{len(chosen)}")
    with tempfile.TemporaryDirectory(prefix="tcptriage-golden-") as scratch:
        paths = make.write(scratch, sorted({scene for _, scene, _, _ in chosen}))
        for number, (name, scene, status, words) in enumerate(chosen, 1):
            text, code = run(tool, words, paths[scene])
            path = HERE / "expected" / (name + ".out")
            expected = path.read_text(encoding="utf-8") if path.exists() else ""
            good = text == expected and code == status
            print(f"{'ok' if good else 'not ok'} {number} - {name}")
            if not good:
                sys.stdout.writelines("# " + line.rstrip("\n") + "\n" for line in difflib.unified_diff(
                    expected.splitlines(True), text.splitlines(True), "expected/" + name, "printed"))
                if code != status:
                    print(f"# exit status {code}, expected {status}")
            if update and text != expected:
                path.write_text(text, encoding="utf-8")
            failed += not good
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scripts/quickstart with stand-ins for meson and ninja: what they say goes to a log, what is left on the terminal is short."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import tap  # noqa: E402

SCRIPTS = pathlib.Path(sys.argv[1])
MESON = """echo "meson chatters: $*"
test -z "$BREAK_MESON" || exit 1
: > "$2/build.ninja"
"""
NINJA = """i=0
while [ $i -lt 100 ]; do echo "ninja line $i"; i=$((i + 1)); done
test -z "$BREAK_NINJA" || { echo "error: no such header"; exit 1; }
mkdir -p "$2/src"
printf '#!/bin/sh\\necho "report of: $*"\\nexit ${REPORT_STATUS:-0}\\n' > "$2/src/tcptriage"
chmod +x "$2/src/tcptriage"
"""


@contextlib.contextmanager
def checkout():
    """A tree with the scripts, and a function that runs quickstart in it."""
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch)
        shutil.copytree(SCRIPTS, root / "scripts")
        (root / "bin").mkdir()
        for name, body in (("meson", MESON), ("ninja", NINJA)):
            tool = root / "bin" / name
            tool.write_text("#!/bin/sh\n" + body)
            tool.chmod(0o755)

        def run(*words, **variables):
            env = os.environ | {"PATH": f"{root / 'bin'}:{os.environ['PATH']}", "BREAK_MESON": "", "BREAK_NINJA": ""} | variables
            return subprocess.run([root / "scripts/quickstart", "--no-install", *words], capture_output=True, text=True,
                                  timeout=60, env=env)
        yield root, run


def build__that_works__leaves_the_report_and_a_short_line():
    with checkout() as (root, run):
        answer = run("--quick")
        assert answer.returncode == 0, answer
        assert answer.stdout == "report of: report --quick\n", answer
        assert "chatters" not in answer.stderr and "ninja line" not in answer.stderr, answer.stderr
        assert "build-release/quickstart.log" in answer.stderr and len(answer.stderr.splitlines()) <= 4, answer.stderr
        log = (root / "build-release/quickstart.log").read_text()
        assert log.startswith("meson chatters: setup build-release") and log.endswith("ninja line 99\n"), log[:200]


def build__again__does_not_configure_again():
    with checkout() as (root, run):
        assert run().returncode == 0 and run().returncode == 0
        log = (root / "build-release/quickstart.log").read_text()
        assert log.startswith("ninja line 0\n") and log.count("ninja line 0\n") == 1, log[:200]


def build__that_fails__prints_the_end_of_the_log_and_its_place():
    with checkout() as (root, run):
        answer = run(BREAK_NINJA="yes")
        assert answer.returncode == 1 and not answer.stdout, answer
        assert "error: no such header" in answer.stderr and "ninja line 99" in answer.stderr, answer.stderr
        assert "ninja line 5\n" not in answer.stderr and "quickstart.log" in answer.stderr.splitlines()[-1], answer.stderr
        assert run().returncode == 0, "it can be run again"


def configure__that_fails__is_said_and_can_be_repeated():
    with checkout() as (root, run):
        answer = run(BREAK_MESON="yes")
        assert answer.returncode == 1 and "meson chatters" in answer.stderr and "'meson setup" in answer.stderr, answer
        assert run().returncode == 0


def report__that_could_not_tell__fails():
    with checkout() as (_, run):
        assert run(REPORT_STATUS="2").returncode == 0
        assert run(REPORT_STATUS="3").returncode == 1


sys.exit(tap.main())

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hands all scenes, and the public captures where they are, to test_cut.c, which cuts them at every place that matters.
usage: test_cut.py TEST_CUT      TAP on stdout"""
import pathlib
import subprocess
import sys
import tempfile

import make
import tool

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import tap  # noqa: E402


def cut(paths):
    done = subprocess.run([sys.argv[1], *map(str, paths)], capture_output=True, env=tool.ENVIRONMENT, timeout=200, check=False)
    text = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0 and not any(word in text for word in tool.SANITIZER), text[-3000:]


def scenes__cut_anywhere__give_all_whole_packets():
    with tempfile.TemporaryDirectory(prefix="tcptriage-cut-") as scratch:
        cut(make.write(scratch).values())


def public_captures__cut_anywhere__give_all_whole_packets():
    cut([row["path"] for row in tool.public()])


if not tool.public():
    del public_captures__cut_anywhere__give_all_whole_packets
sys.exit(tap.main())

# SPDX-License-Identifier: MIT
"""Runs the program on captures and reads what it says."""
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# beside the project; a worktree of it lies one deeper
SHARED = next((path for path in (HERE.parents[2] / "shared/captures", HERE.parents[3] / "shared/captures") if path.is_dir()), HERE / "none")
ENVIRONMENT = {"TZ": "UTC", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}
SANITIZER = ("Sanitizer", "runtime error:")


class Answer:
    """status, text (stdout), messages (stderr); document when --json was asked for and something was printed."""

    def __init__(self, done, words):
        self.status, self.text, self.messages = done.returncode, done.stdout, done.stderr.decode("utf-8", "backslashreplace")
        self.document = json.loads(self.text) if "--json" in words and self.text else None
        assert self.status >= 0 and self.status < 128, (words, self.status, self.messages[-2000:])
        assert not any(word in self.messages for word in SANITIZER), (words, self.messages[-4000:])


def capture(*words, stdin=None, timeout=120):
    """`tcptriage capture WORDS…`: never a signal, never a sanitizer report, JSON that can be read."""
    argv = [sys.argv[1], "capture", *map(str, words)]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL if stdin is None else stdin, capture_output=True, env=ENVIRONMENT, timeout=timeout,
                          check=False)
    return Answer(done, words)


def public():
    """The rows of LABELS.tsv with their paths, [] where the folder is absent."""
    labels = SHARED / "LABELS.tsv"
    if not labels.exists():
        return []
    lines = [line.split("\t") for line in labels.read_text().splitlines()]
    return [dict(zip(lines[0], line)) | {"path": SHARED / line[0]} for line in lines[1:]]

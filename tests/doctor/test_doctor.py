#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tcptriage doctor as users meet it: with and without privilege, as text and JSON."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import tap  # noqa: E402

PROGRAM, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def doctor(*words, prefix=()):
    return subprocess.run([*prefix, PROGRAM, "doctor", "-q", *words], capture_output=True, text=True, timeout=60)


def document(prefix=()):
    answer = doctor("--json", prefix=prefix)
    assert answer.returncode == 0, answer
    return json.loads(answer.stdout)


def need_root():
    if os.geteuid() or not shutil.which("setpriv"):
        raise tap.Skip("not root, or no setpriv: privilege cannot be taken away")


def text__every_source__has_a_line_with_its_status():
    text = doctor().stdout
    for source in document()["sources"]:
        assert re.search(rf"^{re.escape(source['source'])} +(works|partly|missing) ", text, re.M), source


def json__document__fits_the_schema():
    try:
        import jsonschema
    except ImportError:
        raise tap.Skip("no python3 module jsonschema")
    schema = json.loads((ROOT / "data/schema/tcptriage.doctor-1.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document())


def man_page__every_source__is_described():
    page = (ROOT / "man/tcptriage-doctor.8").read_text()
    for source in document()["sources"]:
        assert re.search(rf"^\.It .*\b{re.escape(source['source'].split()[0])}\b", page, re.M), source


def unprivileged__owners__are_partly_known_and_setcap_is_offered():
    need_root()
    sources = {source["source"]: source for source in document(NOBODY)["sources"]}
    assert sources["owners"]["status"] == "partly", sources["owners"]
    assert sources["owners"]["takes_away"]
    assert re.match(r"sudo setcap [a-z_,]*cap_sys_ptrace[a-z_,]*\+ep /", sources["owners"]["mend"]), sources["owners"]
    assert sources["sock_diag TCP IPv4"]["status"] == "works", "listing sockets needs no privilege"


def usage__operand__is_refused():
    answer = doctor("nonsense")
    assert answer.returncode == 2 and "'nonsense'" in answer.stderr, answer


sys.exit(tap.main())

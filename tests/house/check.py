#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The rules of the house, checked: the include arrow, headers that stand alone, documented externs, licence lines, no loose ends.
usage: check.py ROOT COMPILER...      TAP on stdout"""
import pathlib
import re
import subprocess
import sys

ROOMS = ["base", "model", "decode", "filter", "collect", "capture", "probe", "track", "store", "triage", "render", "cmd"]
HEADER_LINES_MAX = 250
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
DOC = re.compile(r"/\*\*.*?\*/", re.S)
COMMENT = re.compile(r"/\*.*?\*/", re.S)
PROTOTYPE = re.compile(r"^(?!static|typedef|struct \w+ \{|enum|#|\s|return)[\w \t*]+?[ *](\w+)\(", re.M)
VARIABLE = re.compile(r"^extern\b[^;()]*?(\w+)(?:\[[^\]]*\])*(?:\s*__attribute__[^;]*)?;", re.M)
# The words are spelled apart so that this file does not find itself.
LOOSE = re.compile(r"\b(" + "|".join(("TO" "DO", "FIX" "ME", "X" "XX", "HA" "CK")) + r")\b")


def room_of(path, root):
    """The room that a file belongs to, None outside of all rooms (main.c, tests)."""
    parts = path.relative_to(root).parts
    inside = parts[1] if parts[0] == "src" and len(parts) > 2 else parts[2] if parts[:2] == ("include", "tcptriage") and len(parts) > 3 else None
    return inside


def sources(root, *patterns):
    return sorted(path for pattern in patterns for path in root.glob(pattern))


def check_arrow(root):
    for path in sources(root, "src/*/**/*.[ch]", "include/tcptriage/**/*.h"):
        room = room_of(path, root)
        if room not in ROOMS:
            yield f"{path.relative_to(root)}: '{room}' is no room of the house"
            continue
        for target in INCLUDE.findall(path.read_text()):
            parts = target.removeprefix("tcptriage/").removeprefix("src/").split("/")
            other = parts[0] if len(parts) > 1 else room
            if other not in ROOMS:
                if (path.parent / target).exists() or (root / "src" / room / target).exists():
                    continue
                yield f"{path.relative_to(root)}: includes \"{target}\", which is in no room"
            elif ROOMS.index(other) > ROOMS.index(room):
                yield f"{path.relative_to(root)}: {room} includes \"{target}\", downstream of it"
            elif other != room and not target.startswith("tcptriage/"):
                yield f"{path.relative_to(root)}: includes \"{target}\", a private header of {other}"


def check_documented(root):
    for path in sources(root, "include/tcptriage/**/*.h"):
        text = path.read_text()
        docs = "\n".join(DOC.findall(text))
        code = COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
        for name in PROTOTYPE.findall(code) + VARIABLE.findall(code):
            if not re.search(rf"\b{name}\b", docs):
                yield f"{path.relative_to(root)}: {name} has no docstring"


def check_alone(root, compiler):
    headers = sources(root, "include/tcptriage/**/*.h")
    for path in headers:
        run = subprocess.run([*compiler, "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Werror", "-fsyntax-only", f"-I{root}/include", "-x", "c", "-"],
                             input=f'#include "{path.relative_to(root / "include")}"\n', capture_output=True, text=True, check=False)
        if run.returncode:
            yield f"{path.relative_to(root)}: does not compile alone: {run.stderr.strip().splitlines()[0]}"
    if not headers:
        yield "no header found"


def check_guards(root):
    for path in sources(root, "include/tcptriage/**/*.h"):
        guard = "_".join(path.relative_to(root / "include").with_suffix("").parts).upper() + "_H"
        if f"#ifndef {guard}\n#define {guard}\n" not in path.read_text():
            yield f"{path.relative_to(root)}: its include guard is not {guard}"


def check_length(root):
    for path in sources(root, "include/tcptriage/**/*.h"):
        lines = path.read_text().count("\n")
        if lines > HEADER_LINES_MAX:
            yield f"{path.relative_to(root)}: {lines} lines, more than {HEADER_LINES_MAX}: two nouns in one contract?"


def check_licence(root):
    for path in sources(root, "src/**/*.[ch]", "src/**/*.def", "include/**/*.h", "include/**/*.def", "tests/**/*.[ch]"):
        if not path.read_text().startswith("/* SPDX-License-Identifier: MIT */\n"):
            yield f"{path.relative_to(root)}: does not begin with the SPDX line"
    for path in sources(root, "tests/**/*.py", "tests/**/*.sh", "scripts/*", ".ci/*"):
        if path.is_file() and "SPDX-License-Identifier: MIT" not in "".join(path.read_text().splitlines(True)[:3]):
            yield f"{path.relative_to(root)}: has no SPDX line"


def check_loose_ends(root):
    for path in sources(root, "src/**/*.*", "include/**/*.*", "tests/**/*.[ch]", "tests/**/*.py", "tests/**/*.build", "scripts/*", "man/*", "*.md", "*.build"):
        if not path.is_file():
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if LOOSE.search(line):
                yield f"{path.relative_to(root)}:{number}: {line.strip()[:80]}"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    root, compiler = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    checks = [
        ("includes__every_room__point_upstream_only", check_arrow(root)),
        ("headers__compiled_alone__are_self_contained", check_alone(root, compiler)),
        ("headers__every_extern__has_a_docstring", check_documented(root)),
        ("headers__include_guard__follows_the_path", check_guards(root)),
        ("headers__contracts__stay_short", check_length(root)),
        ("files__first_line__names_the_licence", check_licence(root)),
        ("files__whole_tree__has_no_loose_ends", check_loose_ends(root)),
    ]
    bad = 0
    for number, (name, complaints) in enumerate(checks, 1):
        complaints = list(complaints)
        bad += bool(complaints)
        print(f"{'not ok' if complaints else 'ok'} {number} - {name}")
        for complaint in complaints:
            print(f"# {complaint}")
    print(f"1..{len(checks)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

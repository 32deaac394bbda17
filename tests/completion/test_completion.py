#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Completion scripts driven as their shells drive them: bash for real, zsh and fish read for syntax (and fish asked) where installed."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import tap  # noqa: E402

PROGRAM, SCRIPTS = sys.argv[1], pathlib.Path(sys.argv[2])
BASH = r"""
source "$1"; shift
program=$1; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
_tcptriage "$program"
if (( ${#COMPREPLY[@]} )); then printf '%s\n' "${COMPREPLY[@]}"; fi
"""


def bash(*words, program=PROGRAM):
    """What bash offers for the last of the words after "tcptriage"."""
    run = subprocess.run(["bash", "--norc", "-c", BASH, "bash", str(SCRIPTS / "bash/tcptriage"), program, "tcptriage", *words],
                         capture_output=True, text=True, timeout=30)
    assert run.returncode == 0 and not run.stderr, run
    return run.stdout.split("\n")[:-1]


def bash__first_word__is_a_command():
    assert sorted(bash("")) == ["capture", "doctor", "explain", "mtu-probe", "report", "states", "trace"], bash("")
    assert bash("st") == ["states"]


def bash__dash__offers_options_of_the_command():
    assert "--group-by" in bash("states", "--")
    assert "--group-by" not in bash("report", "--")
    assert bash("states", "--li") == ["--listening"]
    assert "--quiet-ok" in bash("--qui"), "a bare tcptriage is a report"


def bash__value_of_an_option__is_completed():
    assert bash("report", "--mute", "close-w") == ["close-wait-leak"]
    assert bash("states", "--color", "n") == ["never"]
    assert bash("states", "--color", "=", "al") == ["always"]
    assert bash("states", "--color", "=") == ["auto", "always", "never"]
    assert bash("states", "--top", "") == [], "a number is nothing to offer"
    assert bash("mtu-probe", "--tcp-payload", "t") == ["tls"]
    assert "lo" in bash("trace", "-i", "l")
    assert bash("states", "--columns", "recv_q,send_") == ["recv_q,send_q"]


def bash__word_of_a_filter__is_completed():
    assert "close-wait" in bash("states", "-t", "state", "cl")
    assert "dport" in bash("states", "-t", "dp")
    assert bash("explain", "close-wait-") == ["close-wait-leak"]
    assert "lo" in bash("states", "dev", "lo")


def bash__topic__is_completed_in_any_case():
    assert bash("explain", "close") == ["close-wait", "close-wait-leak"], bash("explain", "close")
    assert bash("explain", "CLOSE-W") == ["close-wait", "close-wait-leak"], bash("explain", "CLOSE-W")
    assert {"listen", "ListenOverflows", "ListenDrops"} <= set(bash("explain", "Lis")), bash("explain", "Lis")
    assert "TcpExtListenOverflows" in bash("explain", "tcpextlis")
    assert "sysctls" in bash("explain", "sysc")
    assert bash("report", "--mute", "CLOSE-W") == [], "ids of rules have one spelling"


def bash__hostile_name__is_not_expanded():
    with tempfile.TemporaryDirectory() as scratch:
        trap = pathlib.Path(scratch) / "trap"
        fake = pathlib.Path(scratch) / "fake"
        fake.write_text(f"#!/bin/sh\nprintf '%s\\n' 'a$(touch {trap})' 'b*'\n")
        fake.chmod(0o755)
        replies = bash("states", "", program=str(fake))
        assert len(replies) == 2 and replies[0].startswith("a\\$\\(touch") and replies[1] == "b\\*", replies
        assert not trap.exists()


def bash__program_missing__offers_nothing():
    assert bash("states", "", program="/nonexistent/tcptriage") == []


def need(shell):
    path = shutil.which(shell)
    if not path:
        raise tap.Skip(f"{shell} is not installed")
    return path


def zsh__script__parses():
    subprocess.run([need("zsh"), "-n", SCRIPTS / "zsh/_tcptriage"], check=True, timeout=30)


def fish__script__parses():
    subprocess.run([need("fish"), "-n", SCRIPTS / "fish/tcptriage.fish"], check=True, timeout=30)


def fish(line):
    with tempfile.TemporaryDirectory() as home:
        bin_dir = pathlib.Path(home) / "bin"
        bin_dir.mkdir()
        (bin_dir / "tcptriage").symlink_to(pathlib.Path(PROGRAM).resolve())
        env = {"HOME": home, "PATH": f"{bin_dir}:{os.environ['PATH']}"}
        run = subprocess.run([need("fish"), "--no-config", "-c", 'source $argv[1]; complete -C $argv[2]', str(SCRIPTS / "fish/tcptriage.fish"), line],
                             capture_output=True, text=True, timeout=30, env=env)
    return [entry.split("\t")[0] for entry in run.stdout.splitlines()]


def fish__words__are_completed():
    assert sorted(fish("tcptriage ")) == ["capture", "doctor", "explain", "mtu-probe", "report", "states", "trace"], fish("tcptriage ")
    assert "--listening" in fish("tcptriage states --li")
    assert fish("tcptriage states --color=ne") == ["--color=never"], fish("tcptriage states --color=ne")
    assert fish("tcptriage report --mute close-w") == ["close-wait-leak"]
    assert "close-wait" in fish("tcptriage states state cl")


sys.exit(tap.main())

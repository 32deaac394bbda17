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


def in_namespace(setup, prefix=()):
    """What doctor says in a network namespace of its own, by source."""
    if os.geteuid() or not shutil.which("unshare"):
        raise tap.Skip("not root, or no unshare: no namespace can be made")
    answer = subprocess.run(["unshare", "-n", "sh", "-c", f"{setup}; exec \"$@\"", "sh", *prefix, PROGRAM, "doctor", "-q", "--json"],
                            capture_output=True, text=True, timeout=60)
    if "unshare failed" in answer.stderr:
        raise tap.Skip("no namespaces here")
    assert answer.returncode == 0, answer
    return {source["source"]: source for source in json.loads(answer.stdout)["sources"]}


def probes__loopback_up__udp_is_shown_to_work():
    found = in_namespace("ip link set lo up")["UDP probes"]
    assert found["status"] == "works" and "error queue" in found["detail"], found


def probes__loopback_down__is_what_doctor_says():
    found = in_namespace("true")["UDP probes"]
    assert found["status"] == "partly" and found["mend"] == "ip link set lo up", found


def probes__icmp_dropped_on_the_loopback__udp_is_missing():
    if not shutil.which("nft"):
        raise tap.Skip("no nft: nothing drops ICMP")
    found = in_namespace("ip link set lo up && nft add table inet t && nft add chain inet t i '{ type filter hook input priority 0; }' && "
                         "nft add rule inet t i icmp type destination-unreachable drop")["UDP probes"]
    assert found["status"] == "missing" and "not reported" in found["detail"], found


def probes__ping_group_range__decides_for_a_user():
    need_root()
    closed = in_namespace("echo 1 0 >/proc/sys/net/ipv4/ping_group_range", NOBODY)["ICMP probes"]
    assert closed["status"] == "missing" and '"1 0"' in closed["detail"], closed
    assert re.match(r'sudo sysctl -w net\.ipv4\.ping_group_range="0 2147483647" # or: sudo setcap [a-z_,]*cap_net_raw[a-z_,]*\+ep /', closed["mend"]), closed
    opened = in_namespace("echo 65534 65534 >/proc/sys/net/ipv4/ping_group_range", NOBODY)["ICMP probes"]
    assert opened["status"] == "works" and "ping sockets" in opened["detail"] and '"65534 65534"' in opened["detail"], opened
    root = in_namespace("echo 1 0 >/proc/sys/net/ipv4/ping_group_range")["ICMP probes"]
    assert root["status"] == "works" and "raw sockets" in root["detail"], root


def probes__kernel_keeps_too_big_to_itself__are_partly_of_use():
    for mode, words in ((1, "the MTU that routers name"), (2, "looks like a black hole"), (3, "looks like a black hole")):
        sources = in_namespace(f"ip link set lo up; echo {mode} >/proc/sys/net/ipv4/ip_no_pmtu_disc")
        for name in ("UDP probes", "ICMP probes"):
            found = sources[name]
            assert found["status"] == "partly" and words in found["takes_away"], found
            assert found["mend"] == "sudo sysctl -w net.ipv4.ip_no_pmtu_disc=0", found


def usage__operand__is_refused():
    answer = doctor("nonsense")
    assert answer.returncode == 2 and "'nonsense'" in answer.stderr, answer


sys.exit(tap.main())

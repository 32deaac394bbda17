#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What scripts rely on of `mtu-probe` and `trace`: what is refused, where output goes, what the exit status says. Live parts stay in a namespace of their own.
usage: test_probes.py TCPTRIAGE SOURCE_ROOT      TAP on stdout"""
import json
import os
import pathlib
import pty
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROGRAM, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
sys.path.insert(0, str(ROOT / "tests/support"))
import tap  # noqa: E402
try:
    import jsonschema
except ImportError:
    jsonschema = None  # the suite "golden" tells when it is missing

SCRATCH = tempfile.TemporaryDirectory(prefix="tcptriage-probes-")
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
# A device that takes every packet and gives none back: whatever lies behind it is silence. It asks for no link address, so that nobody has to answer.
SETTING = ("ip link set lo up && ip link add black type veth peer name hole && ip link set black up arp off && ip link set hole up arp off"
           " && ip addr add 10.73.1.1/24 dev black && ip addr add fd73::1/64 dev black nodad && ip route add 10.73.9.0/24 dev black"
           " && ip route add prohibit 10.73.8.0/24")
SERVER = """
import socket, sys
sock = socket.socket(socket.AF_INET6)
sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
sock.bind(("::", 8443)); sock.listen(64)
print("ready", flush=True)
while True:
    connection = sock.accept()[0]
    try: connection.recv(65536)  # to close with something unread is a reset, which may overtake the acknowledgement
    except OSError: pass
    connection.close()
"""
SILENT, OPEN, CLOSED = "10.73.9.9", "127.0.0.1:8443", "127.0.0.1:9"


def unshared():
    if os.geteuid():
        raise tap.Skip("not root: no namespace can be made")
    if subprocess.run(["unshare", "-n", "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        raise tap.Skip("no namespaces here")
    return ["unshare", "-n"]


def call(*words, stdout=subprocess.PIPE):
    return subprocess.run([PROGRAM, *words], stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=90, check=False)


def inside(*words, prefix=(), setting=SETTING, stdout=subprocess.PIPE):
    """The program in a namespace of its own, beside a server on port 8443."""
    script = f'{setting} || exit 99; mkfifo "$0/go"; python3 -c "$1" >"$0/go" & read word <"$0/go"; rm "$0/go"; shift; "$@"; status=$?; kill $!; exit $status'
    return subprocess.run([*unshared(), "sh", "-c", script, SCRATCH.name, SERVER, *prefix, PROGRAM, *words], stdin=subprocess.DEVNULL, stdout=stdout,
                          stderr=subprocess.PIPE, text=True, timeout=90, check=False)


def document(answer, status):
    """What was printed, which fits the schema that it names."""
    assert answer.returncode == status, answer
    doc = json.loads(answer.stdout)
    if jsonschema:
        schema = json.loads((ROOT / "data/schema" / (doc["schema"].replace("/", "-") + ".json")).read_text())
        jsonschema.Draft202012Validator(schema).validate(doc)
    return doc


def result(answer, status):
    results = document(answer, status)["results"]
    assert len(results) == 1, results
    return results[0]


def usage__wrong_words__are_quoted():
    rows = (
        (("mtu-probe",), "HOST[:PORT]"), (("trace",), "HOST:PORT"), (("trace", "127.0.0.1"), "'127.0.0.1' has no port"), (("trace", "::1:443"), "has no port; did you mean '[::1]:443'?"),
        (("trace", "fd81:2::2:80"), "did you mean '[fd81:2::2]:80'?"), (("trace", "fd81:2::beef"), "'fd81:2::beef' has no port: a connection"),
        (("trace", "127.0.0.1:1", "-p", "2"), "different ports"), (("trace", "127.0.0.1", "-p", "no-port"), "'no-port' is no port"),
        (("trace", "127.0.0.1:0"), "'0' is no port"), (("trace", "127.0.0.1:65536"), "'65536' is no port"), (("mtu-probe", "127.0.0.1:x"), "'x' is no port"),
        (("mtu-probe", "127.0.0.1", "-p", "99999"), "'99999' is no port"), (("mtu-probe", "127.0.0.1:1", "-p", "2"), "different ports"),
        (("mtu-probe", "127.0.0.1", "more"), "'more' is one word too many"), (("mtu-probe", "127.0.0.1", "--all-netns"), "--netns NAME"),
        (("mtu-probe", "127.0.0.1", "--tcp"), "needs a port"), (("mtu-probe", "127.0.0.1", "--tcp-payload", "http"), "needs a port"),
        (("mtu-probe", "127.0.0.1:1", "--tcp-payload", "smtp"), "'smtp' is no payload"), (("mtu-probe", "127.0.0.1", "--udp", "--icmp"), "exclude each other"),
        (("mtu-probe", "127.0.0.1:1", "--udp", "--tcp-payload", "raw"), "goes with --tcp"), (("mtu-probe", "127.0.0.1", "--max-mtu", "67"), "'67' is no MTU"),
        (("mtu-probe", "127.0.0.1", "--max-mtu", "65536"), "'65536' is no MTU"), (("mtu-probe", "127.0.0.1", "-m", "0"), "'0' is no number of hops"),
        (("trace", "127.0.0.1:1", "-m", "65"), "'65' is no number of hops"), (("trace", "127.0.0.1:1", "--timeout", "0"), "'0' is no time"),
        (("trace", "127.0.0.1:1", "--timeout", "soon"), "'soon' is no time"), (("trace", "127.0.0.1:1", "--sport", "0"), "'0' is no port"),
        (("trace", "127.0.0.1:1", "--sport", "5000", "--parallel"), "exclude each other"), (("trace", "127.0.0.1:1", "--hops"), "unknown option '--hops'"),
        (("mtu-probe", "-6", "127.0.0.1"), "is an IPv4 address"), (("mtu-probe", "-4", "::1"), "is an IPv6 address"),
        (("mtu-probe", "https://127.0.0.1/"), "is a URL"), (("mtu-probe", "127.0.0.1", "-i", "l0"), "there is no interface 'l0': did you mean 'lo'?"),
        (("mtu-probe", "fe80::1"), "link-local address: say on which interface"),
    )
    for words, says in rows:
        answer = call(*words)
        assert answer.returncode == 2 and says in answer.stderr and not answer.stdout, (words, answer)


def target__that_is_no_single_host__is_refused():
    rows = (("10.73.1.255", "broadcast address"), ("10.73.1.0", "network address"), ("224.0.0.1", "multicast"), ("ff02::1", "multicast"), ("0.0.0.0", "any address"),
            ("::", "any address"), ("255.255.255.255", "every host"), ("10.73.1.0/24", "never a network"))
    for target, says in rows:
        for words in (("mtu-probe", target), ("trace", f"[{target}]:80" if ":" in target else f"{target}:80")):
            answer = inside(*words)
            assert answer.returncode == 2 and says in answer.stderr and not answer.stdout, (words, answer)


def name__that_does_not_resolve__fails_with_the_reason():
    for words in (("mtu-probe", "no-such-host.invalid"), ("trace", "no-such-host.invalid:443"), ("trace", "--json", "no-such-host.invalid:443")):
        answer = call(*words)
        assert answer.returncode == 1 and "'no-such-host.invalid' does not resolve" in answer.stderr and "getent" in answer.stderr, answer
        assert not answer.stdout, answer


def words_from_outside__cannot_move_a_cursor():
    for words in (("mtu-probe", "x\x1b[2J"), ("trace", "x\x1b[2J:1"), ("trace", "127.0.0.1:\x1b[2J"), ("mtu-probe", "127.0.0.1", "-i", "\x1b[2J"),
                  ("mtu-probe", "-N", "\x1b[2J", "127.0.0.1"), ("mtu-probe", "[fe80::1%\x1b[2J]")):
        answer = call(*words)
        assert answer.returncode in (1, 2) and "\\x1b" in answer.stderr and "\x1b" not in answer.stderr, (words, answer)


def mtu_probe__own_address__fits():
    for words in (("127.0.0.1",), ("::1",), ("--udp", "127.0.0.1"), ("--icmp", "::1")):
        found = result(inside("mtu-probe", "--json", "--max-mtu", "1500", *words), 0)
        assert (found["verdict"], found["path_mtu"], found["bound"]) == ("fits", 1500, "exact"), found
        assert found["probes_sent"] > 0, found


def mtu_probe__nobody_answers__is_unknown_and_never_fine():
    found = result(inside("mtu-probe", "--json", SILENT), 4)
    assert found["verdict"] == "host-deaf" and found["path_mtu"] is None, found


def mtu_probe__tcp_without_a_payload__tries_no_size():
    answer = inside("mtu-probe", "--json", "--tcp", OPEN)
    found = result(answer, 4)
    assert found["path_mtu"] is None and found["reverse"] is None and found["method"] == "tcp", found
    assert "--tcp-payload" in answer.stderr, answer.stderr


def mtu_probe__unprivileged__uses_udp():
    setting = SETTING + " && sysctl -qw net.ipv4.ping_group_range='1 0'"
    if not shutil.which("setpriv"):
        raise tap.Skip("not root, or no setpriv: privilege cannot be taken away")
    found = result(inside("mtu-probe", "--json", "--max-mtu", "1500", "127.0.0.1", prefix=NOBODY, setting=setting), 0)
    assert (found["method"], found["verdict"]) == ("udp", "fits"), found
    answer = inside("mtu-probe", "--icmp", "127.0.0.1", prefix=NOBODY, setting=setting)
    assert answer.returncode == 1 and "ping_group_range" in answer.stderr and not answer.stdout, answer


def trace__own_ports__are_open_or_refused():
    for prefix in ((), NOBODY):
        assert result(inside("trace", "--json", OPEN, prefix=prefix), 0)["verdict"] == "open"
        assert result(inside("trace", "--json", "[::1]:8443", prefix=prefix), 0)["verdict"] == "open"
        assert result(inside("trace", "--json", CLOSED, prefix=prefix), 6)["verdict"] == "refused"


def mtu_probe__tcp_that_cannot_choose_sizes__leaves_them_to_the_next_method():
    setting = SETTING + " && sysctl -qw net.ipv4.tcp_mtu_probing=2"
    words = ("mtu-probe", "--json", "--max-mtu", "1500", "--tcp-payload", "raw")
    found = document(inside(*words, OPEN, setting=setting), 0)
    assert (found["results"][0]["method"], found["results"][0]["verdict"]) == ("icmp", "fits"), found
    assert any("TCP was left out" in notice["text"] and "tcp_mtu_probing" in notice["text"] for notice in found["notices"]), found["notices"]
    found = document(inside(*words, "--tcp", OPEN, setting=setting), 4)
    assert (found["results"][0]["method"], found["results"][0]["verdict"]) == ("tcp", None), found


def mtu_probe__no_descriptor_left__says_nothing_of_the_host():
    told = 0
    for files in range(5, 14):
        for method in (("--udp",), ("--icmp",), ("--tcp", "--tcp-payload", "raw")):
            answer = inside("mtu-probe", "--json", "--max-mtu", "1500", *method, OPEN, prefix=["prlimit", f"--nofile={files}"])
            if answer.returncode == 1:
                assert "open files" in answer.stderr, answer
                continue
            doc = document(answer, answer.returncode)
            found = doc["results"][0]
            assert found["verdict"] in ("fits", None), (files, method, found["verdict"], doc["notices"])
            told += found["verdict"] is None and any("could not be probed" in notice["text"] for notice in doc["notices"])
    assert told > 3, told


def trace__port_as_an_option__is_the_same():
    assert result(inside("trace", "--json", "-p", "8443", "127.0.0.1"), 0)["port"] == 8443
    assert result(inside("trace", "--json", "--port", "8443", "::1"), 0)["verdict"] == "open"


def mtu_probe__address_that_ends_like_a_port__is_said_when_nobody_answers():
    answer = inside("mtu-probe", "--json", "fd73::2:8080", setting=SETTING + " && ip -6 route add fd73::2:8080/128 dev black")
    assert any("'[fd73::2]:8080' was meant" in notice["text"] for notice in document(answer, 4)["notices"]), answer
    assert not any("was meant" in notice["text"] for notice in document(inside("mtu-probe", "--json", "--max-mtu", "1500", "::1"), 0)["notices"])


def trace__nobody_answers__dies():
    found = result(inside("trace", "--json", "-m", "3", f"{SILENT}:80"), 5)
    assert found["verdict"] == "silent" and found["by"] is None, found


def trace__ended_early__is_undecided():
    found = result(inside("trace", "--json", "--timeout", "0.1", f"{SILENT}:80"), 4)
    assert found["verdict"] is None and found["partial"], found
    assert all(finding["severity"] == "info" for finding in found["findings"]), found["findings"]


def trace__this_machine_does_not_send__is_a_local_error():
    for target in ("203.0.113.1:80", "10.73.8.1:80"):
        assert result(inside("trace", "--json", target), 5)["verdict"] == "local-error"
    assert result(inside("mtu-probe", "--json", "203.0.113.1"), 4)["verdict"] == "unreachable"


def interface__that_is_named__is_the_one_that_is_used():
    found = result(inside("mtu-probe", "--json", "--icmp", "-i", "black", "10.73.1.9"), 4)
    assert found["interface_mtu"] == 1500, found
    assert result(inside("mtu-probe", "--json", "--icmp", "fe80::1234%black"), 4)["interface_mtu"] == 1500


def named(addresses, *words, prefix=()):
    """The program where the name "two.test" has these addresses."""
    hosts = pathlib.Path(SCRATCH.name, "hosts")
    hosts.write_text("".join(f"{address} two.test\n" for address in addresses))
    mount = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts)]
    return inside(*words, prefix=[*mount, *prefix])


def trace__name_with_a_dead_address__is_not_hidden_by_the_one_that_works():
    answer = named(["127.0.0.1", "fd73::9"], "trace", "--json", "-m", "3", "two.test:8443")
    doc = document(answer, 5)
    assert sorted(row["verdict"] for row in doc["results"]) == ["open", "silent"], doc
    assert any("fd73::9 (IPv6) silent" in notice["text"] and "127.0.0.1 (IPv4) it is open" in notice["text"] for notice in doc["notices"]), doc["notices"]
    assert result(named(["127.0.0.1", "fd73::9"], "trace", "--json", "-4", "two.test:8443"), 0)["verdict"] == "open"
    text = named(["127.0.0.1", "fd73::9"], "trace", "-m", "3", "two.test:8443")
    assert text.returncode == 5 and "open at 127.0.0.1, not at fd73::9" in text.stdout, text


def trace__family_that_this_host_has_no_route_for__is_told_and_does_not_count():
    answer = named(["127.0.0.1", "2001:db8::1"], "trace", "--json", "two.test:8443")
    doc = document(answer, 0)
    assert sorted(row["verdict"] for row in doc["results"]) == ["local-error", "open"], doc
    assert any("2001:db8::1 was not probed: this host has no route to it" in notice["text"] for notice in doc["notices"]), doc["notices"]
    assert document(named(["2001:db8::1"], "trace", "--json", "two.test:8443"), 5)["results"][0]["verdict"] == "local-error"


def mtu_probe__name__is_probed_once_a_family():
    answer = named(["127.0.0.1", "127.0.0.2", "127.0.0.1", "::1"], "mtu-probe", "--json", "--max-mtu", "1500", "two.test")
    doc = document(answer, 0)
    assert sorted(row["family"] for row in doc["results"]) == ["inet", "inet6"], doc
    assert any("'two.test' has 3 addresses" in notice["text"] for notice in doc["notices"]), doc["notices"]


def name__of_no_single_host__fails():
    answer = named(["10.73.1.255"], "trace", "two.test:80")
    assert answer.returncode == 1 and "broadcast address" in answer.stderr, answer
    answer = named(["10.73.1.255", "127.0.0.1"], "trace", "--json", "two.test:8443")
    assert any("left out: 10.73.1.255 is the broadcast address" in notice["text"] for notice in document(answer, 0)["notices"]), answer


def timeout__run_is_longer__ends_partial():
    begun = time.monotonic()
    answer = inside("trace", "--json", "--timeout", "300ms", f"{SILENT}:80", prefix=NOBODY)
    assert time.monotonic() - begun < 20, "the time limit was not kept"
    assert document(answer, 4)["complete"] is False, answer


def interrupt__partial_answer__is_printed():
    """SIGINT is told by the status, SIGTERM (as timeout(1) sends it) by "partial"."""
    rows = ((words, number, status) for words in (("trace", f"{SILENT}:80"), ("mtu-probe", SILENT)) for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 4)))
    for words, number, status in rows:
        script = f"{SETTING} || exit 99; echo made; exec \"$@\""
        with subprocess.Popen([*unshared(), "sh", "-c", script, "sh", *NOBODY, PROGRAM, *words, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as running:
            assert running.stdout.readline() == "made\n"
            time.sleep(0.7)
            running.send_signal(number)
            text, _ = running.communicate(timeout=30)
        assert running.returncode == status, (words, number, running.returncode)
        assert json.loads(text)["complete"] is False, text


def output__that_cannot_be_written__is_a_failure():
    with open("/dev/full", "w", encoding="ascii") as full:
        answer = inside("trace", OPEN, stdout=full)
    assert answer.returncode == 1 and "No space left" in answer.stderr, answer
    answer = inside("trace", OPEN, prefix=("sh", "-c", 'exec "$@" >&-', "sh"))
    assert answer.returncode == 1 and "cannot write the output" in answer.stderr, answer


def json__stdout__holds_one_document_and_nothing_else():
    for words in (("trace", CLOSED), ("mtu-probe", "--max-mtu", "1500", "127.0.0.1")):
        json.loads(inside(*words, "--json").stdout)
        lines = [json.loads(line) for line in inside(*words, "--ndjson").stdout.splitlines()]
        assert [line["type"] for line in lines] == ["header", "result", "summary"], lines
        quiet = inside(*words, "--json", "-q")
        assert not quiet.stderr, quiet


def progress__terminal__is_cleared():
    """On a terminal a line is written and taken away; without one nothing of it is seen."""
    leader, follower = pty.openpty()
    script = f"{SETTING} || exit 99; exec \"$@\""
    with subprocess.Popen([*unshared(), "sh", "-c", script, "sh", *NOBODY, PROGRAM, "trace", "--timeout", "1500ms", f"{SILENT}:80"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=follower) as running:
        os.close(follower)
        text = b""
        while select.select([leader], [], [], 30)[0]:
            try:
                text += os.read(leader, 4096)
            except OSError:
                break
        running.wait(30)
    os.close(leader)
    assert b"\r" + SILENT.encode() in text, text
    assert text.rstrip().endswith(b"\r\x1b[K") or b"\r\x1b[K" in text.split(SILENT.encode())[-1], text
    assert SILENT not in inside("trace", "--json", "--timeout", "1500ms", f"{SILENT}:80", prefix=NOBODY).stderr.split("\n")[0]


sys.exit(tap.main())

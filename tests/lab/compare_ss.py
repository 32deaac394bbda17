#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same sockets as ss with the same filter, by the kernel's bytecode and by tcptriage's own judge.

A namespace is filled with sockets of every kind that stands still; random filters are asked of `ss`, of `tcptriage states` live and of
`tcptriage states --from` a recording of the same namespace, and the sets of rows are compared. Root only.
usage: compare_ss.py --binary PROGRAM [--count N] [--seed N] [-v]      TAP on stdout"""
import argparse
import atexit
import collections
import ctypes
import ipaddress
import json
import os
import pathlib
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
SO_MARK = 36
PARTIAL_MIN = 0.6
PATIENCE = 6
EPHEMERAL = range(32768, 61000)
V4_HOME, V6_HOME = "10.77.0.1", "fd77::1"
NOBODY = {4: "10.77.0.9", 6: "fd77::9"}
V4 = ["127.0.0.1", "127.0.0.9", "10.1.2.3", "10.1.2.130", "10.1.9.1", "192.168.7.7"]
V6 = ["::1", "fd01:2:3::5", "fd01:2:3::9", "fd01:2:9::1", "2001:db8::80:1"]
CGROUPS = [f"tcptriage-{os.getpid()}-a", f"tcptriage-{os.getpid()}-b"]
SERVICES = {22: "ssh", 80: "http", 443: "https", 8080: "http-alt", 53: "domain", 993: "imaps"}


class Skip(Exception):
    """This machine cannot hold the comparison."""


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def must(*command):
    done = run(*command)
    if done.returncode:
        raise Skip(f"no namespaces here: {' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def namespace_make():
    """A namespace of our own, which this process enters; deleted at exit."""
    if os.geteuid():
        raise Skip("not root")
    name = f"tcptriage-compare-{os.getpid()}"
    must("ip", "netns", "add", name)
    atexit.register(run, "ip", "netns", "del", name)
    with open(f"/run/netns/{name}", "rb") as handle:
        if LIBC.setns(handle.fileno(), CLONE_NEWNET):
            raise Skip(f"no namespaces here: setns: {os.strerror(ctypes.get_errno())}")
    for line in ("link set lo up", "link add v0 type veth peer name v1", "link set v0 up", "link set v1 up", f"addr add {V4_HOME}/24 dev v0",
                 f"addr add {V6_HOME}/64 dev v0 nodad", f"neigh add {NOBODY[4]} lladdr 02:00:00:00:00:09 dev v0 nud permanent",
                 f"neigh add {NOBODY[6]} lladdr 02:00:00:00:00:09 dev v0 nud permanent"):
        must("ip", *line.split())
    for address in V4:
        if not address.startswith("127."):
            must("ip", "addr", "add", f"{address}/32", "dev", "lo")
    for address in V6[1:]:
        must("ip", "-6", "addr", "add", f"{address}/128", "dev", "lo", "nodad")


def cgroup_mount():
    for line in pathlib.Path("/proc/self/mounts").read_text(errors="replace").splitlines():
        fields = line.split()
        if fields[2] == "cgroup2":
            return pathlib.Path(fields[1])
    return None


class Cgroups:
    """Two cgroups for the sockets; `available` is false where none can be made."""

    def __init__(self):
        self.mount, self.available = cgroup_mount(), False
        try:
            for name in CGROUPS:
                (self.mount / name).mkdir()
                atexit.register((self.mount / name).rmdir)
            self.available = True
        except (OSError, TypeError):
            pass

    def enter(self, index):
        if self.available:
            (self.mount / CGROUPS[index] / "cgroup.procs").write_text(str(os.getpid()))


def checksum(data):
    """The Internet checksum of an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xffff)
    return struct.pack("!H", ~(total + (total >> 16)) & 0xffff)


class Town:
    """The sockets. Everything stays open until the process ends; nothing is bound inside the ephemeral range."""

    def __init__(self, rng, cgroups):
        self.rng, self.cgroups, self.kept = rng, cgroups, []

    def open(self, family, kind=socket.SOCK_STREAM, mark=0, device=None, both=False):
        sock = socket.socket(family, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if both else 1)
        if mark:
            sock.setsockopt(socket.SOL_SOCKET, SO_MARK, mark)
        if device:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        self.kept.append(sock)
        return sock

    def listen(self, address, port, **options):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = self.open(family, **options)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.bind((address, port))
        sock.listen(64)
        return sock

    def connect(self, listener, address, source=None, **options):
        """A pair: (our end, the accepted end)."""
        sock = self.open(socket.AF_INET6 if ":" in address else socket.AF_INET, **options)
        for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            sock.setsockopt(socket.SOL_SOCKET, buffer, 4096)
        if source:
            sock.bind(source)
        sock.connect((address, listener.getsockname()[1]))
        other = listener.accept()[0]
        other.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.kept.append(other)
        return sock, other

    @staticmethod
    def fill(sock):
        """Sends until the other side takes nothing more: what follows, FIN included, stays behind it."""
        sock.settimeout(0.05)
        try:
            while True:
                sock.send(b"x" * 1024)
        except TimeoutError:
            pass

    def populate_listeners(self):
        ports = sorted(SERVICES) + [3306, 5432, 6379, 9000, 9443]
        self.v4 = [self.listen("0.0.0.0", port) for port in ports[:6]] + [self.listen(self.rng.choice(V4), port) for port in ports[6:]]
        self.v6 = [self.listen("::", port) for port in ports[:4]] + [self.listen(self.rng.choice(V6), port) for port in ports[6:]]
        self.both = [self.listen("::", 7000 + i, both=True) for i in range(3)]
        self.marked = [self.listen("0.0.0.0", 7100, mark=0x10), self.listen("::", 7100, mark=0x13)]
        self.bound = [self.listen("0.0.0.0", 7200, device="lo"), self.listen("::", 7200, device="lo"), self.listen("0.0.0.0", 7201, device="v0")]

    def reach(self, listener):
        address = listener.getsockname()[0]
        if address == "0.0.0.0":
            return self.rng.choice(V4)
        return self.rng.choice(V6) if address == "::" else address

    def populate_pairs(self):
        for i, listener in enumerate(self.v4 + self.v6 + self.marked + self.bound[:2]):
            self.cgroups.enter(i % 2)
            for _ in range(self.rng.randint(2, 6)):
                self.connect(listener, self.reach(listener), mark=self.rng.choice((0, 0, 0x10, 0x20, 0x33)))
        for i, listener in enumerate(self.both):
            self.connect(listener, self.rng.choice(V4))
            self.connect(listener, self.rng.choice(V6))
            self.connect(listener, "::ffff:" + self.rng.choice(V4), both=True)
            self.connect(listener, V4[0], source=("127.0.0.1", 20000 + i))

    def populate_states(self):
        """CLOSE-WAIT with FIN-WAIT-2, FIN-WAIT-1 and LAST-ACK behind full buffers, TIME-WAIT, SYN-SENT; data that waits."""
        for listener in self.v4[:3] + self.v6[:3]:
            ours, _ = self.connect(listener, self.reach(listener))
            ours.shutdown(socket.SHUT_WR)
            ours, _ = self.connect(listener, self.reach(listener))
            self.fill(ours)
            ours.shutdown(socket.SHUT_WR)
            ours, theirs = self.connect(listener, self.reach(listener))
            ours.shutdown(socket.SHUT_WR)
            time.sleep(0.01)
            self.fill(theirs)
            theirs.shutdown(socket.SHUT_WR)
            ours, theirs = self.connect(listener, self.reach(listener))
            ours.send(b"unread")
            for mark in (0, 0x20):
                ours, theirs = self.connect(listener, self.reach(listener), mark=mark)
                ours.close()
                time.sleep(0.01)
                theirs.close()
        for family, address in ((socket.AF_INET, NOBODY[4]), (socket.AF_INET6, NOBODY[6])):
            for port in (80, 443, 5432):
                sock = self.open(family, device=self.rng.choice((None, "v0")))
                sock.setblocking(False)
                sock.connect_ex((address, port))

    def populate_udp(self):
        for port in (53, 123, 514, 5353):
            for address in ("0.0.0.0", "::", self.rng.choice(V4), self.rng.choice(V6)):
                sock = self.open(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM, mark=self.rng.choice((0, 0x10)))
                sock.bind((address, port))
        self.open(socket.AF_INET6, socket.SOCK_DGRAM, both=True).bind(("::", 7300))
        for address in V4 + V6 + ["::ffff:10.1.2.3"]:
            sock = self.open(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM, both=True, device=self.rng.choice((None, "lo")))
            sock.connect((address, self.rng.choice((53, 123, 4000))))

    @staticmethod
    def half_open(ports):
        """SYN-RECV: SYNs from the address that never answers, put on the wire behind v0."""
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        wire.bind(("v1", 0))
        link = json.loads(must("ip", "-j", "link", "show", "v0"))[0]["address"]
        source, target = socket.inet_aton(NOBODY[4]), socket.inet_aton(V4_HOME)
        for i, port in enumerate(ports):
            tcp = struct.pack("!HHIIBBHHH", 21000 + i, port, 1000 + i, 0, 5 << 4, 2, 8192, 0, 0)
            pseudo = source + target + struct.pack("!BBH", 0, 6, len(tcp))
            tcp = tcp[:16] + checksum(pseudo + tcp) + tcp[18:]
            head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), i, 0, 64, 6, 0, source, target)
            head = head[:10] + checksum(head) + head[12:]
            wire.send(bytes.fromhex(link.replace(":", "")) + bytes.fromhex("020000000009") + b"\x08\x00" + head + tcp)
        wire.close()

    def populate(self):
        self.cgroups.enter(0)
        self.populate_listeners()
        self.populate_pairs()
        self.cgroups.enter(1)
        self.populate_udp()
        self.populate_states()
        self.half_open([listener.getsockname()[1] for listener in self.v4[:6]] * 2)


def settle(rng, cgroups):
    """Fills the namespace from a child process that lives as long as this one. Returns when the sockets stand."""
    ready, tell = os.pipe()
    child = os.fork()
    if not child:
        LIBC.prctl(1, 9)
        status = b"ok"
        try:
            town = Town(rng, cgroups)
            town.populate()
        except OSError as error:
            status = str(error).encode()
        os.write(tell, status)
        time.sleep(3600)
        os._exit(0)
    atexit.register(os.waitpid, child, 0)
    atexit.register(os.kill, child, 9)
    os.close(tell)
    status = os.read(ready, 200)
    if status != b"ok":
        raise Skip(f"no namespaces here: the sockets cannot be made: {status.decode()}")


Row = collections.namedtuple("Row", "netid state local peer")


def endpoint(text):
    """One spelling for both programs: no interface, v4-mapped as IPv4, '*' as '[::]'."""
    host, port = text.rsplit(":", 1)
    host = re.sub(r"%[^\]:]+", "", host)
    host = host.replace("[::ffff:", "[").strip("[]") if "." in host else host
    return f"{'[::]' if host == '*' else host}:{port}"


def rows(text):
    """Rows of either program as a multiset. A single state has no column: it is None."""
    found = collections.Counter()
    for line in text.splitlines():
        fields = line.split()
        if len(fields) not in (5, 6):
            raise ValueError(f"a row of {len(fields)} fields: {line!r}")
        found[Row(fields[0], fields[1] if len(fields) == 6 else None, endpoint(fields[-2]), endpoint(fields[-1]))] += 1
    return found


def ask(*command):
    done = run(*command)
    if done.returncode:
        raise ValueError(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr.strip()}")
    return rows(done.stdout)


class Programs:
    """The three ways to ask."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.index = {link["ifname"]: str(link["ifindex"]) for link in json.loads(must("ip", "-j", "link", "show"))}
        self.record()

    def record(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        done = run(self.binary, "states", "-tuan", "--record", self.folder)
        if done.returncode:
            sys.exit(f"the recording failed with status {done.returncode}: {done.stderr.strip()[-2000:]}")

    def ss(self, words):
        return ask("ss", "-Htuan", *words)

    def live(self, words):
        return ask(self.binary, "states", "-H", "-t", "-u", "-a", "-n", *words)

    def recorded(self, words):
        """A recording knows interfaces by index."""
        words = [self.index.get(word, word) for word in words]
        return ask(self.binary, "states", "-H", "-t", "-u", "-a", "-n", "--from", self.folder, *words)


class Generator:
    """Random filters, made of what the sockets have.

    ss judges twice, in the kernel and again itself, and shows what both accept; with `dev` in the filter it leaves the kernel out. Its own
    judge compares the leading bits of addresses whatever their families, and takes the port range for `autobound`. A condition that
    this makes looser than the kernel's is only made where that does no harm: without `not` above it, and without `dev` or `autobound` (where
    the kernel's judge is the looser one) beside it."""

    def __init__(self, rng, everything, cgroups):
        self.rng = rng
        self.leaves = [self.host] * 6 + [self.port] * 6 + [self.any_host] * 2 + [self.mark] + [self.cgroup] * cgroups.available
        ends = {side: [getattr(row, side).rsplit(":", 1) for row in everything] for side in ("local", "peer")}
        # What the kernel chose is left out, so that a seed gives the same filters again.
        self.addresses = {side: sorted({ipaddress.ip_address(host.strip("[]")) for host, _ in ends[side]}, key=lambda a: (a.version, a)) for side in ends}
        self.ports = {side: sorted({int(port) for _, port in ends[side] if port.isdigit() and int(port) not in EPHEMERAL}) for side in ends}
        self.bits = {version: {int(address) << 128 - address.max_prefixlen for side in ends for address in self.addresses[side]
                               if address.version == version} for version in (4, 6)}
        self.strict = False

    def pick(self, *choices):
        return self.rng.choice(choices)

    def equals(self):
        return self.pick("", "", "= ", "== ", "eq ")

    def a_port(self, side):
        return self.rng.choice(self.ports[side]) if self.rng.random() < 0.8 else self.rng.choice(EPHEMERAL)

    def a_service(self, port):
        spelled = self.pick(str(port), f":{port}", f":{port}")
        return self.pick(SERVICES[port], f":{SERVICES[port]}") if port in SERVICES and self.rng.random() < 0.3 else spelled

    def is_loose(self, address, bits):
        """An address of the other family begins with the same bits."""
        first, shift = int(address) << 128 - address.max_prefixlen, 128 - bits
        return any(first >> shift == other >> shift for other in self.bits[10 - address.version])

    def host(self, negated):
        word, side = self.pick(("src", "local"), ("dst", "peer"))
        address = self.rng.choice(self.addresses[side])
        most = address.max_prefixlen
        bits = self.pick(most, most, self.rng.randint(0, most), self.pick(8, 16, 24, 25, 31) if most == 32 else self.pick(16, 32, 48, 64, 127))
        if (negated or self.strict) and self.is_loose(address, bits):
            return self.port(negated)
        mapped = address.version == 4 and not negated and not self.strict and self.rng.random() < 0.1
        text = f"::ffff:{address}" if mapped else str(address)
        bits, most = (bits + 96, 128) if mapped else (bits, most)
        slash = f"/{bits}" if bits < most else ""
        port = self.pick("", "", "", ":*", f":{self.a_port(side)}")
        text = f"[{text}{slash}]{port}" if ":" in text else f"{text}{slash}{port}"
        return f"{word} {self.equals() if self.rng.random() < 0.5 else ''}{text}"

    def any_host(self, negated):
        word, side = self.pick(("src", "local"), ("dst", "peer"))
        if not negated and not self.strict and self.rng.random() < 0.2:
            return self.pick(f"{word} 0.0.0.0/0", f"{word} ::/0", f"{word} *")
        return self.pick(f"{word} :{self.a_port(side)}", f"{word} *:{self.a_port(side)}")

    def port(self, _negated):
        word, side = self.pick(("sport", "local"), ("dport", "peer"))
        port = min(65535, max(0, self.a_port(side) + self.pick(0, 0, 0, 1, -1)))
        operator = self.pick("", "=", "==", "!=", "<", ">", "<=", ">=", "eq", "ne", "lt", "gt", "le", "ge")
        return f"{word} {operator} {self.a_service(port)}"

    def dev(self, _negated):
        return f"dev {self.pick('', '=', '!=')} {self.pick('lo', 'v0', '0', '1')}"

    def mark(self, _negated):
        return f"fwmark {self.pick('', '=', '!=', 'ne')} {self.pick('0', '16', '0x10', '0x10/0xf0', '0x3/0xf', '0x20/0x30', '0x13')}"

    def cgroup(self, _negated):
        return f"cgroup {self.pick('', '=', '!=')} /{self.pick(*CGROUPS)}"

    def own(self, _negated):
        """What ss does not know, and what stands still while sockets do."""
        return self.pick("cwnd > 5", "cwnd <= 10", "mss < 32k", "advmss >= 32k", "pmtu > 1500", "recvq > 0", "sendq = 0", "rtt < 1h", "rcvbuf > 64k",
                         "user = 0", "snd_wnd > 0", "total_retrans = 0", f"pid = {os.getpid()}", "comm = python*")

    def term(self, depth, negated, leaves):
        inverted = self.rng.random() < 0.25
        sign = self.pick("not ", "! ", "not ! ! ") if inverted else ""
        if depth and self.rng.random() < 0.35:
            return f"{sign}( {self.some(depth - 1, negated or inverted, leaves)} )"
        return sign + self.rng.choice(leaves)(negated or inverted)

    def some(self, depth, negated, leaves):
        text = self.term(depth, negated, leaves)
        for _ in range(self.pick(0, 0, 1, 1, 2, 3)):
            text += f" {self.pick('and', 'or', 'or', '&&', '||', '&', '|', '')} {self.term(depth, negated, leaves)}"
        return text

    def states(self):
        single = ["established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait", "closed", "close-wait", "last-ack", "listening", "closing"]
        groups = ["all", "connected", "synchronized", "bucket", "big"]
        kind = self.rng.random()
        if kind < 0.65:
            return ""
        if kind < 0.75:
            chosen = [f"exclude {word}" for word in self.rng.sample(single + ["connected"], self.pick(1, 2))]
        elif kind < 0.9:
            chosen = [f"state {word}" for word in self.rng.sample(single + groups, self.pick(1, 2, 3))]
        else:
            chosen = [f"state {self.rng.choice(groups)}", f"exclude {self.rng.choice(single)}"]
        return " ".join(chosen) + " "

    def autobound(self, negated):
        return self.port(negated) if negated else "autobound"

    def mixed(self):
        """A filter with predicates of our own among those of the kernel."""
        self.strict = False
        return (self.states() + self.some(self.pick(1, 2, 3), False, self.leaves + [self.own] * 12)).split()

    def filter(self):
        special = self.pick(self.dev, self.autobound, *[None] * 8)
        self.strict = bool(special)
        return (self.states() + self.some(self.pick(0, 1, 2, 3), False, self.leaves + [special] * 3 * self.strict)).split()


def differences(expected, ask_ours, words):
    """What ours says otherwise, as lines; [] when nothing."""
    try:
        found = ask_ours(words)
    except ValueError as error:
        return [str(error)]
    if expected and all(row.state is None for row in expected):
        found = rows_without_state(found)
    return [f"{sign} {row.netid} {row.state} {row.local} {row.peer}"
            for sign, lost in (("-", expected - found), ("+", found - expected)) for row in list(lost)[:5]]


def rows_without_state(found):
    without = collections.Counter()
    for row, count in found.items():
        without[row._replace(state=None)] += count
    return without


class Comparison:
    """Filters asked, and what differed."""

    def __init__(self, programs, verbose):
        self.programs, self.verbose = programs, verbose
        self.asked = self.partial = 0
        self.wrong = {"live": [], "recorded": []}

    def look(self, words):
        """What each way says otherwise than ss did, and whether ss says the same before and after."""
        expected = self.programs.ss(words)
        found = {way: differences(expected, getattr(self.programs, way), words) for way in self.wrong}
        return found, not any(found.values()) or self.programs.ss(words) == expected

    def compare(self, words):
        """One filter. Sockets that went since the recording, or between two looks, are no difference: then everything is asked anew."""
        found, _ = self.look(words)
        for _ in range(PATIENCE):
            if not any(found.values()):
                return
            self.programs.record()
            found, still = self.look(words)
            if still:
                break
        for way, lines in found.items():
            if lines:
                self.wrong[way].append(words)
                print(f"# {way} differs from ss: {' '.join(words)}", *lines, sep="\n#   ")

    def run(self, generator, count, everything):
        whole, tried = sum(everything.values()), 0
        while self.asked < count:
            words = generator.filter()
            tried += 1
            size = sum(self.programs.ss(words).values())
            partial = 0 < size < whole
            if not partial and self.asked - self.partial >= 0.25 * count:
                continue
            if self.verbose:
                print(f"# {size:4d} {' '.join(words)}")
            self.asked += 1
            self.partial += partial
            self.compare(words)
        print(f"# {tried} filters tried")


    def run_mixed(self, generator, count):
        """What the kernel narrows and we judge is what we judge alone: the program is a superset. Returns the filters for which it is not."""
        wrong = []
        for _ in range(count):
            words = generator.mixed()
            for _ in range(PATIENCE):
                lines = differences(self.programs.recorded(words), self.programs.live, words)
                if not lines:
                    break
                self.programs.record()
            if lines:
                wrong.append(words)
                print(f"# live differs from recorded: {' '.join(words)}", *lines, sep="\n#   ")
        return wrong


def report(number, name, fine, why=""):
    print(f"{'ok' if fine else 'not ok'} {number} - {name}{'' if fine else ': ' + why}")
    return fine


WANTED = {"ESTAB", "LISTEN", "CLOSE-WAIT", "FIN-WAIT-1", "FIN-WAIT-2", "LAST-ACK", "TIME-WAIT", "SYN-SENT", "SYN-RECV", "UNCONN"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default="build/src/tcptriage", type=os.path.abspath)
    parser.add_argument("--count", default=240, type=int)
    parser.add_argument("--seed", default=int.from_bytes(os.urandom(4), "big"), type=int)
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    namespace_make()
    folder = tempfile.mkdtemp(prefix="tcptriage-compare-")
    atexit.register(shutil.rmtree, folder, True)
    cgroups = Cgroups()
    settle(rng, cgroups)
    programs = Programs(options.binary, os.path.join(folder, "recording"))
    everything = programs.ss(["state", "all"])
    states = collections.Counter(row.state for row in everything.elements())
    print("1..5")
    print(f"# {sum(states.values())} sockets: {', '.join(f'{state} {number}' for state, number in states.most_common())}"
          f"{'' if cgroups.available else '; no cgroup v2 to make cgroups in'}")
    comparison = Comparison(programs, options.verbose)
    generator = Generator(rng, everything, cgroups)
    comparison.run(generator, options.count, everything)
    mixed = comparison.run_mixed(generator, options.count // 4)
    wrong = comparison.wrong
    found = len(wrong["live"]) + len(wrong["recorded"])
    fine = [report(1, "population__every_static_state__stands", WANTED <= set(states), f"no {WANTED - set(states)}"),
            report(2, "kernel_bytecode__same_filter__same_sockets_as_ss", not wrong["live"], f"{len(wrong['live'])} differ"),
            report(3, "own_judge_on_recording__same_filter__same_sockets_as_ss", not wrong["recorded"], f"{len(wrong['recorded'])} differ"),
            report(4, "filters__selecting_neither_none_nor_all__are_most", comparison.partial >= PARTIAL_MIN * comparison.asked, "too few"),
            report(5, "own_predicates_mixed_in__by_kernel_and_judge__same_as_judge_alone", not mixed, f"{len(mixed)} differ")]
    print(f"{comparison.asked} expressions, {comparison.partial} partial, {found} differences, seed {options.seed}")
    return not all(fine)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Skip as skip:
        print(f"1..0 # SKIP {skip}")
        print(skip)
        sys.exit(77)

# SPDX-License-Identifier: MIT
"""A path of several routers for active probes, its faults, and what tracepath and traceroute say about the same path.

c – r1 – r2 – s; hop k is router rk, the host is hop 3. Link k (1 is c–r1) has 10.72.k.0/24 and fd72:0:k::/64; the end nearer to c is .1."""
import collections
import json
import re
import socket
import subprocess
import threading
import time

from lab import Absent, Wrong, run, settle_namespace

NOBODY = 65534
ROLES = ("c", "r1", "r2", "s")
PORT = 8443


def address(lab, link, end, family=None):
    """Of the `end` (1: nearer to c, 2) of a link."""
    return f"10.72.{link}.{end}" if (family or lab.family) == 4 else f"fd72:0:{link}::{end}"


def device(link, end):
    return f"l{link}e{end}"


class Chain:
    """Built from a Lab: namespaces, links, routes both ways. `routers`: how many."""

    def __init__(self, lab, routers=2):
        self.lab, self.roles = lab, ["c", *(f"r{n}" for n in range(1, routers + 1)), "s"]
        for role in self.roles:
            run(["ip", "netns", "add", lab.ns(role)])
            lab.inside(role, settle_namespace)
        for link in range(1, len(self.roles)):
            self.join(link)
        for role in self.roles[1:-1]:
            lab.sysctl(role, "net.ipv4.ip_forward", 1)
            lab.sysctl(role, "net.ipv6.conf.all.forwarding", 1)
        for family in (4, 6):
            self.route_all(family)
        lab.await_links(self.roles)

    @property
    def last(self):
        return len(self.roles) - 1

    def join(self, link):
        a, b = self.roles[link - 1], self.roles[link]
        self.lab.link(a, device(link, 1), b, device(link, 2))
        for role, end in ((a, 1), (b, 2)):
            name = device(link, end)
            self.lab.batch(role, "link set lo up", f"link set {name} up", f"addr add {address(self.lab, link, end, 4)}/24 dev {name}",
                           f"addr add {address(self.lab, link, end, 6)}/64 dev {name} nodad")

    def route_all(self, family):
        lab = self.lab
        for at, role in enumerate(self.roles):
            lines = []
            for link in range(1, self.last + 1):
                net = f"10.72.{link}.0/24" if family == 4 else f"fd72:0:{link}::/64"
                if link > at + 1:
                    lines.append(f"route add {net} via {address(lab, at + 1, 2, family)}")
                elif link < at:
                    lines.append(f"route add {net} via {address(lab, at, 1, family)}")
            if role == "c":
                lines.append(f"route add default via {address(lab, 1, 2, family)}")
            lab.batch(role, *lines) if lines else None

    @property
    def target(self):
        return address(self.lab, self.last, 2)

    def hop(self, number):
        """Address with which router `number` answers the client."""
        return address(self.lab, number, 2)

    # --- faults

    def shrink(self, link, mtu):
        """Both ends of a link: routers tell, in both directions."""
        for role, end in ((self.roles[link - 1], 1), (self.roles[link], 2)):
            self.lab.batch(role, f"link set {device(link, end)} mtu {mtu}")

    def shrink_end(self, link, end, mtu):
        """One end only. Egress: that router tells. Ingress: veth drops silently what is larger than that (and 4 bytes), as a switch would."""
        self.lab.batch(self.roles[link - 2 + end], f"link set {device(link, end)} mtu {mtu}")

    def narrow_back(self, role, mtu):
        """A router whose way towards the client takes less; its links do not change, so that the other direction is as it was."""
        at = self.roles.index(role)
        for family, net in ((4, "10.72.1.0/24"), (6, "fd72:0:1::/64")):
            self.lab.batch(role, f"route replace {net} via {address(self.lab, at, 1, family)} mtu lock {mtu}")

    def mute_too_big(self, *roles):
        """Routers that do not say that a packet is too big."""
        for role in roles:
            self.lab.nft(role, "table inet muted {\n chain say {\n type filter hook output priority 0;\n icmp type destination-unreachable icmp code frag-needed drop\n"
                         " icmpv6 type packet-too-big drop\n }\n}\n")

    def mute(self, role):
        """A router that says nothing at all to anybody, and forwards."""
        self.lab.nft(role, "table inet muted {\n chain say {\n type filter hook output priority 0;\n icmp type { time-exceeded, destination-unreachable } drop\n"
                     " icmpv6 type { time-exceeded, destination-unreachable, packet-too-big } drop\n }\n}\n")

    def filter(self, role, rule, hook="forward"):
        self.lab.nft(role, f"table inet hindered {{\n chain pass {{\n type filter hook {hook} priority 0;\n {rule}\n }}\n}}\n")

    def deaf(self, *protocols):
        """A host that answers neither echo nor datagrams to closed ports."""
        rules = {"icmp": "icmp type echo-request drop\n icmpv6 type echo-request drop", "udp": "meta l4proto udp drop"}
        self.filter("s", "\n ".join(rules[protocol] for protocol in protocols), "input")

    def serve(self, answer=20000, port=PORT, pause=0):
        """A program that answers each request with `answer` bytes and keeps the connection; with a `pause` (s) it says a few bytes before that."""
        def server(tell):
            sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("::", port))
            sock.listen(128)
            tell("listening")

            def one(connection):
                try:
                    while connection.recv(65536):
                        if pause:
                            connection.sendall(bytes(19))
                            time.sleep(pause)
                        connection.sendall(bytes(answer))
                except OSError:
                    pass
                connection.close()
            while True:
                threading.Thread(target=one, args=(sock.accept()[0],), daemon=True).start()
        program = self.lab.spawn("s", server, "lab-serve")
        program.hear()
        return program

    # --- what others say

    def command(self, *words, timeout=20):
        """Output of a program in the client's namespace; what it had said when the time was over. Never fails."""
        process = subprocess.Popen(["nsenter", f"--net=/run/netns/{self.lab.ns('c')}", "stdbuf", "-oL", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            return process.communicate(timeout=timeout)[0], True
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0], False

    def tracepath(self, timeout=8):
        """What tracepath says: path MTU (None: nothing before the time was over), whether the host answered, addresses by hop."""
        text, done = self.command("tracepath", "-n", "-m", str(len(self.roles) + 2), self.target, timeout=timeout)
        sizes = [int(size) for size in re.findall(r"pmtu (\d+)", text)]
        hops = {int(number): who for number, who in re.findall(r"^ *(\d+): +(\S+) .*ms", text, re.M)}
        return said(mtu=sizes[-1] if sizes else None, reached="reached" in text, hops=hops, done=done, text=text)

    def traceroute(self, port=PORT, timeout=20):
        """What `traceroute -T` says: addresses by hop (None: a star) with its remarks (!X, !H …)."""
        text, done = self.command("traceroute", "-n", "-T", "-p", str(port), "-q", "2", "-w", "0.6", "-m", str(len(self.roles) + 4), self.target, timeout=timeout)
        hops, marks = {}, ""
        for line in text.splitlines():
            match = re.match(r" *(\d+) +(\S+)", line)
            if match:
                hops[int(match[1])] = None if match[2] == "*" else match[2]
                marks += "".join(re.findall(r"![A-Z0-9]*", line))
        return said(hops=hops, marks=marks, done=done, text=text)

    # --- what tcptriage says

    def ask(self, command, *arguments, target=None, port=None, user=None, statuses=(0, 4, 5, 6), timeout=100, wrap=()):
        """Runs `tcptriage COMMAND --json ARGUMENTS TARGET` in the client's namespace, as root or another user; the document, whose status fits."""
        lab = self.lab
        if not lab.binary:
            return None
        host = target or self.target
        name = f"[{host}]:{port}" if port and ":" in host else f"{host}:{port}" if port else host
        prefix = [*wrap, *(["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--inh-caps=-all"] if user else [])]
        done = lab.tcptriage(command, "--json", *arguments, name, within="c", prefix=prefix, statuses=statuses, timeout=timeout)
        doc = json.loads(done.stdout)
        if doc.get("schema") != f"tcptriage.{command}/1":
            raise Wrong(f"schema is {doc.get('schema')}")
        if len({name for row in doc["results"] for name in [row["address"]]}) != len(doc["results"]):
            raise Wrong("an address stands twice")
        doc["status"], doc["stderr"] = done.returncode, done.stderr
        first = doc["results"][0]
        lab.said = " ".join(str(word) for word in (command, first["verdict"] or "unknown", first.get("path_mtu") or first.get("by") or "", *(finding["rule"] for finding in first["findings"])) if word)
        return doc

    def one(self, command, *arguments, **options):
        """ask() for a target of one address: its result, with the exit status as "status"."""
        doc = self.ask(command, *arguments, **options)
        if doc is None:
            return None
        if len(doc["results"]) != 1:
            raise Wrong(f"{len(doc['results'])} results for one address")
        return {**doc["results"][0], "status": doc["status"], "notices": doc["notices"], "stderr": doc["stderr"]}


def said(**values):
    return collections.namedtuple("Said", values)(**values)


def expect(result, **wanted):
    """Members of a result are as wanted; a callable judges."""
    if result is None:
        return
    for key, want in wanted.items():
        got = result[key]
        if not (want(got) if callable(want) else got == want):
            raise Wrong(f"{key} is {got!r}, expected {'something else' if callable(want) else repr(want)} (verdict {result['verdict']}, {json.dumps({k: v for k, v in result.items() if k not in ('findings', 'sizes', 'hops')})[:900]})")


def expect_finding(result, rule, severity, confidence=(0.4, 1.0)):
    """The first finding of a result; no other rule warns."""
    if result is None:
        return None
    first = result["findings"][0] if result["findings"] else None
    if not first or first["rule"] != rule or first["severity"] != severity or not confidence[0] <= first["confidence"] <= confidence[1]:
        raise Wrong(f"first finding is {first and (first['rule'], first['severity'], first['confidence'], first['title'])}, expected {rule} {severity} {confidence}")
    for key in ("evidence", "next", "fixes", "refs"):
        if not first[key]:
            raise Wrong(f"{rule}: no {key}")
    return first


def expect_quiet(result):
    """Nothing at or above warning."""
    for finding in result["findings"] if result else ():
        if finding["severity"] != "info":
            raise Wrong(f"{finding['severity']} {finding['rule']} on a healthy path: {finding['title']}")


def within(result, seconds):
    """The whole answer took no longer."""
    if result and result["elapsed_ms"] > seconds * 1000:
        raise Wrong(f"took {result['elapsed_ms']} ms, {seconds} s are allowed ({result['probes_sent']} probes)")


def nobody_can_ping(chain):
    """ping_group_range as a fresh namespace has it: nobody may."""
    low, high = chain.lab.inside("c", lambda: open("/proc/sys/net/ipv4/ping_group_range").read().split())
    if int(low) <= int(high):
        raise Absent(f"ping_group_range is {low} {high}")

# SPDX-License-Identifier: MIT
"""Network namespaces of a test's own, programs inside them, and what the kernel says about them.

A Lab belongs to one case and is used with `with`: its namespaces carry a prefix that nothing else uses, its programs die with it, and both
are gone when the block is left, by whatever way. Roles: c (client), r (router, optional), s (server)."""
import argparse
import collections
import contextlib
import ctypes
import errno
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PREFIX = "tcptriage-lab"

ADDRESSES = {4: {"c": "10.71.1.2", "s": "10.71.2.2", "rc": "10.71.1.1", "rs": "10.71.2.1"},
             6: {"c": "fd71:0:1::2", "s": "fd71:0:2::2", "rc": "fd71:0:1::1", "rs": "fd71:0:2::1"}}

SANITIZER_ENV = {"ASAN_OPTIONS": "exitcode=99:detect_stack_use_after_return=1", "UBSAN_OPTIONS": "halt_on_error=1:exitcode=99:print_stacktrace=1"}


class Absent(Exception):
    """The fault that a case is about does not stand: the case says nothing about tcptriage."""


class Wrong(Exception):
    """tcptriage said something else than what stands."""


class Impossible(Exception):
    """This machine cannot make the fault."""


def die_with_parent(how=signal.SIGKILL):
    LIBC.prctl(PR_SET_PDEATHSIG, how)


def enter(namespace):
    with open(f"/run/netns/{namespace}", "rb") as handle:
        if LIBC.setns(handle.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")


def run(command, **options):
    """Runs a command to its end; its output, or RuntimeError with what it said."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=options.pop("timeout", 30), check=False, **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def namespaces():
    folder = pathlib.Path("/run/netns")
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def namespaces_delete(prefix):
    for name in namespaces():
        if name.startswith(prefix):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def namespaces_sweep():
    """Deletes what a run that was killed outright left behind: its process number is part of the name."""
    for name in namespaces():
        match = re.fullmatch(rf"{PREFIX}-(\d+)-.*", name)
        if match and not os.path.exists(f"/proc/{match[1]}"):
            namespaces_delete(name)


class Program:
    """A forked role. `tell` in the child reaches `hear` in the parent, `go` in the parent ends `told` in the child."""

    def __init__(self, pid, comm, pipe):
        self.pid, self.comm, self.pipe, self.pending = pid, comm, pipe, b""

    def hear(self, timeout=20):
        deadline = time.monotonic() + timeout
        while b"\n" not in self.pending:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.pipe], [], [], left)[0]:
                raise Absent(f"{self.comm} said nothing for {timeout} s")
            chunk = os.read(self.pipe, 65536)
            if not chunk:
                raise Absent(f"{self.comm} ended without a word")
            self.pending += chunk
        line, self.pending = self.pending.split(b"\n", 1)
        message = json.loads(line)
        if isinstance(message, dict) and "error" in message:
            raise Absent(f"{self.comm}: {message['error']}")
        return message

    def go(self):
        os.kill(self.pid, signal.SIGUSR1)

    def end(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        with contextlib.suppress(OSError):
            os.close(self.pipe)


class Capture:
    """A `tcptriage capture` under way. When it has ended: status, text (stdout), messages (stderr), and doc when JSON was asked for."""

    def __init__(self, command, shown):
        self.shown, self.doc, self.status, self.text, self.messages = shown, None, None, "", ""
        self.files = [tempfile.TemporaryFile() for _ in range(2)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.files[0], stderr=self.files[1], env={**os.environ, **SANITIZER_ENV})
        self.pid = self.process.pid

    def said(self, file):
        """What it has printed so far on stdout (0) or stderr (1)."""
        return os.pread(self.files[file].fileno(), 1 << 26, 0).decode(errors="replace")

    def is_open(self):
        """Whether a packet socket of its own is bound and runs, in its own namespace, and nothing is left to give up."""
        with contextlib.suppress(OSError):
            fds = pathlib.Path("/proc", str(self.pid), "fd")
            sockets = {os.readlink(fd) for fd in fds.iterdir()}
            rows = [line.split() for line in pathlib.Path("/proc", str(self.pid), "net/packet").read_text().splitlines()[1:]]
            return any(f"socket:[{row[8]}]" in sockets and row[5] == "1" for row in rows) and not self.privileged()
        return False

    def privileged(self):
        return re.search(r"^Uid:\t0\t", pathlib.Path("/proc", str(self.pid), "status").read_text(), re.M) is not None

    def await_open(self, patience=40):
        deadline = time.monotonic() + patience
        while not self.is_open():
            if self.process.poll() is not None:
                self.finish(None, (0,))
                raise Wrong(f"{self.shown} ended before anything was captured: {self.messages.strip()[-300:]}")
            if time.monotonic() > deadline:
                raise Absent(f"{self.shown} does not open its packet socket")
            time.sleep(0.02)

    def finish(self, how=signal.SIGINT, statuses=(130,), timeout=60):
        """Interrupts it (None: it ends by itself), and reads what it said."""
        if how and self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.status = self.process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise Wrong(f"{self.shown} does not end: {self.said(1)[-300:]}") from error
        self.text, self.messages = self.said(0), self.said(1)
        if self.status not in statuses or "Sanitizer" in self.messages or "runtime error" in self.messages:
            raise Wrong(f"{self.shown}: exit status {self.status}: {self.messages.strip()[-600:]}")
        return self

    def end(self):
        """Whatever happened: it is gone after this."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for file in self.files:
            file.close()


Row = collections.namedtuple("Row", "state recv_q send_q local peer rest")


def split_endpoint(text):
    address, _, port = text.rpartition(":")
    return address.strip("[]").split("%")[0].removeprefix("::ffff:"), port


class Lab:
    def __init__(self, name, family, binary=None, keep=False, beside=()):
        self.prefix = f"{PREFIX}-{os.environ.get('TCPTRIAGE_LAB', os.getpid())}-{name}"
        self.family, self.binary, self.keep = family, binary, keep
        self.programs, self.routed, self.beside = [], False, beside
        self.said = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in self.programs:
            program.end()
        if not self.keep:
            namespaces_delete(self.prefix + "-")

    # --- namespaces

    def ns(self, role):
        return f"{self.prefix}-{role}"

    def addr(self, role):
        return ADDRESSES[self.family][role]

    def batch(self, role, *lines):
        # nsenter, not `ip -n`: that one wants to remount / and cannot where / is no mount point (a chroot).
        run(["nsenter", f"--net=/run/netns/{self.ns(role)}", "ip", "-batch", "-"], input="\n".join(lines) + "\n")

    def build(self, roles="cs"):
        """Makes the namespaces, links and addresses of both families. "cs": one link. "crs": a router between."""
        self.routed = "r" in roles
        for role in roles:
            try:
                run(["ip", "netns", "add", self.ns(role)])
            except RuntimeError as error:
                raise Impossible(f"no namespaces here ({error})") from error
            self.inside(role, settle_namespace)
        if self.routed:
            self.link("c", "c0", "r", "rc")
            self.link("s", "s0", "r", "rs")
            self.up("r", "rc", "rc", 24, 64)
            self.up("r", "rs", "rs", 24, 64)
            self.up("c", "c0", "c", 24, 64, "rc")
            self.up("s", "s0", "s", 24, 64, "rs")
            self.sysctl("r", "net.ipv4.ip_forward", 1)
            self.sysctl("r", "net.ipv6.conf.all.forwarding", 1)
        else:
            self.link("c", "c0", "s", "s0")
            self.up("c", "c0", "c", 16, 32)
            self.up("s", "s0", "s", 16, 32)
        self.await_links(roles)

    def await_links(self, roles, patience=20):
        """A busy kernel takes its time to open a link that is up: until then it drops what is sent, the question for the neighbour too."""
        deadline = time.monotonic() + patience
        for role in roles:
            while any(" state UP " not in line for line in self.links(role)):
                if time.monotonic() > deadline:
                    raise Absent(f"the links of {role} do not come up: {self.links(role)}")
                time.sleep(0.05)

    def links(self, role):
        text = run(["nsenter", f"--net=/run/netns/{self.ns(role)}", "ip", "-o", "link"])
        return [line for line in text.splitlines() if "LOOPBACK" not in line and "link/ether" in line]

    def link(self, a, name_a, b, name_b):
        run(["ip", "link", "add", name_a, "netns", self.ns(a), "type", "veth", "peer", "name", name_b, "netns", self.ns(b)])

    def up(self, role, device, key, bits4, bits6, gateway=None):
        lines = ["link set lo up", f"link set {device} up", f"addr add {ADDRESSES[4][key]}/{bits4} dev {device}",
                 f"addr add {ADDRESSES[6][key]}/{bits6} dev {device} nodad"]
        if gateway:
            lines += [f"route add default via {ADDRESSES[family][gateway]}" for family in (4, 6)]
        self.batch(role, *lines)

    def sysctl(self, role, key, value):
        path = "/proc/sys/" + key.replace(".", "/")
        self.inside(role, lambda: pathlib.Path(path).write_text(str(value)) and None)

    def nft(self, role, text):
        try:
            run(["nsenter", f"--net=/run/netns/{self.ns(role)}", "nft", "-f", "-"], input=text)
        except RuntimeError as error:
            raise Impossible(f"nft does not take the rules ({str(error).splitlines()[0]})") from error

    def forward_rule(self, rule, hook="forward"):
        self.nft("r", f"table inet lab {{\n chain {hook}_lab {{\n type filter hook {hook} priority 0;\n {rule}\n }}\n}}\n")

    # --- programs

    def fork(self, role, function, comm):
        read, write = os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid:
            os.close(write)
            program = Program(pid, comm, read)
            self.programs.append(program)
            return program
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
            die_with_parent()
            os.close(read)
            enter(self.ns(role))
            pathlib.Path("/proc/self/comm").write_text(comm)

            def tell(message):
                os.write(write, json.dumps(message).encode() + b"\n")

            try:
                function(tell)
            except BaseException as error:  # whatever it is: the parent has to hear of it
                tell({"error": f"{type(error).__name__}: {error} at {traceback.extract_tb(error.__traceback__)[-1].lineno}"})
        finally:
            os._exit(0)

    def spawn(self, role, function, comm):
        """Starts function(tell) inside; it lives until it returns or the lab ends."""
        return self.fork(role, function, comm)

    def inside(self, role, function):
        """Runs function() inside a namespace and returns its result (JSON)."""
        program = self.fork(role, lambda tell: tell({"result": function()}), "lab-inside")
        try:
            return program.hear()["result"]
        finally:
            program.end()
            self.programs.remove(program)

    # --- what the kernel says

    def ss(self, role, *filters, options="-HOtanoim"):
        """Sockets as ss sees them."""
        text = run(["nsenter", f"--net=/run/netns/{self.ns(role)}", "ss", options, *filters])
        rows = []
        for line in text.splitlines():
            if line.split(None, 1)[0].isdigit():  # ss leaves the state out when the filter names one
                line = f"{filters[filters.index('state') + 1]} {line}"
            words = line.split(None, 5)
            rows.append(Row(words[0], int(words[1]), int(words[2]), split_endpoint(words[3]), split_endpoint(words[4]),
                            words[5] if len(words) > 5 else ""))
        return rows

    def counters(self, role):
        return self.inside(role, read_counters)

    def check(self, fine, text):
        """What must stand before tcptriage is asked."""
        if not fine:
            raise Absent(f"the fault does not stand: {text}")

    def sockets(self, role, count, *filters, like=lambda row: True, patience=5):
        """Exactly `count` sockets (or a range) under the filter stand, within a few seconds, and all are `like` that; returns them."""
        low, high = count if isinstance(count, tuple) else (count, count)
        deadline = time.monotonic() + patience
        while True:
            rows = self.ss(role, *filters)
            if low <= len(rows) <= high and all(map(like, rows)):
                return rows
            if time.monotonic() > deadline:
                shown = sorted({(row.state, row.recv_q, row.send_q) for row in rows})
                raise Absent(f"the fault does not stand: {len(rows)} sockets {' '.join(filters)} (state, Recv-Q, Send-Q: {shown[:5]}), expected {count}")
            time.sleep(0.1)

    # --- what tcptriage says

    def tcptriage(self, *arguments, within=None, prefix=(), statuses=(0, 1, 2, 3, 4), timeout=60):
        """Runs tcptriage; its completed process. `within`: enter that role's namespace first. `prefix`: setpriv and the like."""
        command = (["nsenter", f"--net=/run/netns/{self.ns(within)}"] if within else []) + [*prefix, self.binary, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, env={**os.environ, **SANITIZER_ENV})
        shown = " ".join(("tcptriage", *arguments))
        if done.returncode not in statuses or "Sanitizer" in done.stderr or "runtime error" in done.stderr:
            raise Wrong(f"{shown}: exit status {done.returncode}: {done.stderr.strip()[-600:]}")
        return done

    def report(self, role, *arguments, netns=None):
        """`tcptriage report --json` on a role's namespace, as a document whose exit status agrees with it."""
        if not self.binary:
            time.sleep(5)  # as long as a report takes, for what happens meanwhile
            return None
        return self.document(self.tcptriage("report", "--json", "--netns", netns or self.ns(role), *arguments))

    def document(self, done):
        try:
            doc = json.loads(done.stdout)
        except ValueError as error:
            raise Wrong(f"no JSON: {error}: {done.stderr.strip()[-300:]}") from error
        if doc.get("schema") != "tcptriage.report/1":
            raise Wrong(f"schema is {doc.get('schema')}")
        status = {"ok": 0, "warning": 1, "critical": 2, "unknown": 3}.get(doc.get("status"))
        if status != done.returncode:
            raise Wrong(f"status {doc.get('status')} but exit status {done.returncode}")
        self.note(doc)
        return doc

    def expect(self, doc, rule, severity, owner=None, peer=None, local_port=None, count=None, confidence=(0.4, 1.0), netns=None):
        """The first finding is `rule` with this severity, and it blames the right one."""
        if doc is None:
            return None
        if not doc["findings"]:
            raise Wrong(f"{rule}: no finding; skipped: {doc.get('skipped_rules')}")
        finding = doc["findings"][0]
        scope = finding["scope"]
        wanted = [("rule", finding["rule"], rule), ("severity", finding["severity"], severity)]
        if owner:
            wanted += [("pid", scope.get("pid"), owner.pid), ("comm", scope.get("comm"), owner.comm)]
        if peer:
            wanted.append(("peer", (scope.get("peer") or {}).get("address"), peer[0]))
        if peer and peer[1]:
            wanted.append(("peer port", (scope.get("peer") or {}).get("port"), peer[1]))
        if local_port:
            wanted.append(("local port", (scope.get("local") or {}).get("port"), local_port))
        if netns:
            wanted.append(("netns", scope.get("netns"), netns))
        for name, got, want in wanted:
            if got != want:
                raise Wrong(f"first finding's {name} is {got!r}, expected {want!r} ({finding['title']})")
        low, high = count if isinstance(count, tuple) else (count, count)
        if count is not None and not low <= finding["count"] <= high:
            raise Wrong(f"count is {finding['count']}, expected {count} ({finding['title']})")
        if not confidence[0] <= finding["confidence"] <= confidence[1]:
            raise Wrong(f"confidence is {finding['confidence']}, expected {confidence} ({finding['title']})")
        for other in doc["findings"]:
            if other["rule"] != rule and other["rule"] not in self.beside:
                raise Wrong(f"{other['severity']} {other['rule']} beside {rule}, which the case does not list: {other['title']}")
        if not finding["evidence"] or not finding["next"] or not finding["fixes"] or not finding["refs"]:
            raise Wrong("the finding lacks evidence, next steps, fixes or references")
        return finding

    @contextlib.contextmanager
    def capturing(self, role, *arguments):
        """`tcptriage capture ARGUMENTS` in a role's namespace, from the moment when it captures; the block or the lab ends it."""
        shown = " ".join(("tcptriage capture", *arguments))
        run_ = Capture([self.binary, "capture", "--netns", self.ns(role), *arguments], shown)
        try:
            run_.await_open()
            yield run_
        finally:
            run_.end()

    @contextlib.contextmanager
    def capture(self, role, interface, *arguments, drops=False):
        """Captures while the block runs; afterwards `doc` is the document. Without `drops`, a capture that lost packets proves nothing."""
        if not self.binary:
            yield argparse.Namespace(doc=None)
            return
        with self.capturing(role, "--json", "-i", interface, *arguments) as capture:
            yield capture
            capture.finish()
            capture.doc = self.captured(capture)
            if not drops:
                self.check(not capture.doc["dropped_kernel"], f"the capture dropped {capture.doc['dropped_kernel']} packets")

    def captured(self, capture):
        """The document of a capture that has ended."""
        return self.capture_document(capture.text, capture.messages, True)

    def offline(self, done):
        """The document of a file that was read."""
        return self.capture_document(done.stdout, done.stderr, False)

    def capture_document(self, text, messages, live):
        try:
            doc = json.loads(text)
        except ValueError as error:
            raise Wrong(f"no JSON: {error}: {messages.strip()[-300:]}") from error
        if doc.get("schema") != "tcptriage.capture/1" or doc["live"] != live:
            raise Wrong(f"schema is {doc.get('schema')}, live {doc.get('live')}")
        if sum(flow["packets_ab"] + flow["packets_ba"] for flow in doc["flows"]) > doc["packets"]:
            raise Wrong("flows have more packets than were captured")
        self.note(doc)
        return doc

    def note(self, doc):
        """What the table at the end shows of it."""
        self.said = "nothing"
        if doc["findings"]:
            first = doc["findings"][0]
            others = sorted({other["rule"] for other in doc["findings"]} - {first["rule"]})
            self.said = f"{first['rule']} {first['severity']} {first['confidence']:.2f}" + "".join(f" +{other}" for other in others)

    def only(self, doc, rule):
        """The document without the findings of other rules: for cases in which two are right and neither has to come first."""
        return doc and {**doc, "findings": [finding for finding in doc["findings"] if finding["rule"] == rule]}

    def expect_evidence(self, finding, name, fine, shown):
        """Evidence `name` of a finding exists and is as it should be."""
        if finding is None:
            return
        values = [row["value"] for row in finding["evidence"] if row["name"] == name]
        if not values or not fine(values[0]):
            raise Wrong(f"evidence {name} is {values or 'missing'}, expected {shown}; there is {[row['name'] for row in finding['evidence']]}")

    def expect_silent(self, doc, rule, allowed=()):
        """No finding of `rule`, and none at or above warning but of the rules in `allowed`."""
        if doc is None:
            return
        # A rule that could not run at all "needs" something; other entries say which part of it could not speak.
        unable = [entry["reason"] for entry in doc["skipped_rules"] if entry["rule"] == rule and entry["reason"].startswith("needs")]
        if unable:
            raise Wrong(f"{rule} was skipped: its silence says nothing ({unable})")
        for finding in doc["findings"]:
            loud = finding["severity"] != "info" and finding["rule"] not in allowed
            if finding["rule"] == rule or loud:
                raise Wrong(f"{finding['severity']} {finding['rule']} on a healthy twin: {finding['title']}")


@contextlib.contextmanager
def scratch():
    folder = tempfile.mkdtemp(prefix="tcptriage-lab-")
    try:
        os.chmod(folder, 0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def settle_namespace():
    """Defaults that the host may have changed, and no waiting for duplicate addresses."""
    settings = {"net/ipv6/conf/all/accept_dad": "0", "net/ipv6/conf/default/accept_dad": "0", "net/ipv4/tcp_mtu_probing": "0",
                "net/ipv4/tcp_tw_reuse": "2", "net/ipv4/tcp_syncookies": "1",
                # A veth pair reorders across processors: a late ACK meets no socket, and its RST would end the peer's TIME-WAIT.
                "net/ipv4/tcp_rfc1337": "1"}
    for key, value in settings.items():
        with contextlib.suppress(OSError):
            pathlib.Path("/proc/sys/", key).write_text(value)


def read_counters():
    """All of /proc/net/{snmp,netstat,snmp6} as {"TcpExtListenDrops": n}."""
    values = {}
    for name in ("snmp", "netstat"):
        lines = pathlib.Path("/proc/net", name).read_text().splitlines()
        for keys, numbers in zip(lines[::2], lines[1::2]):
            group = keys.split(":")[0]
            values.update((group + key, int(number)) for key, number in zip(keys.split()[1:], numbers.split()[1:]))
    for line in pathlib.Path("/proc/net/snmp6").read_text().splitlines():
        key, number = line.split()
        values[key] = int(number)
    return values


# --- sockets, inside a program

def tcp(lab):
    sock = socket.socket(socket.AF_INET if lab.family == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    with contextlib.suppress(OSError):  # the host's default may be one that loss hardly shows on
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
    return sock


def listener(lab, port, backlog=128):
    sock = tcp(lab)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", port))
    sock.listen(backlog)
    return sock


def connected(lab, port, role="s", timeout=10, address=None):
    sock = tcp(lab)
    sock.settimeout(timeout)
    sock.connect((address or lab.addr(role), port))
    return sock


def dial(lab, port, address=None):
    """A connect() that is under way; (socket, errno)."""
    sock = tcp(lab)
    sock.setblocking(False)
    code = sock.connect_ex((address or lab.addr("s"), port))
    return sock, 0 if code == errno.EINPROGRESS else code


def told():
    """Waits in a program until the case says go, however long what it does first may take."""
    signal.sigwait({signal.SIGUSR1})


def rest():
    """Keeps a program and its descriptors alive until the lab ends."""
    while True:
        signal.pause()


def serve(sock, on_data, deadline=None):
    """An event loop: on_data(connection, bytes) for whatever comes; b"" is the peer's FIN, after which the connection is closed
    unless on_data returns True."""
    poll, connections = select.epoll(), {}
    sock.setblocking(False)
    poll.register(sock.fileno(), select.EPOLLIN)
    while deadline is None or time.monotonic() < deadline:
        for number, _ in poll.poll(0.5):
            if number == sock.fileno():
                with contextlib.suppress(BlockingIOError):
                    connection, _ = sock.accept()
                    connection.setblocking(False)
                    connections[connection.fileno()] = connection
                    poll.register(connection.fileno(), select.EPOLLIN)
                continue
            connection = connections[number]
            try:
                data = connection.recv(65536)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            keep = on_data(connection, data)
            if not data and keep:
                poll.unregister(number)
            elif not data:
                del connections[number]
                connection.close()


def echo_server(lab, port):
    """A program: answers what it gets, closes when the peer does."""
    def program(tell):
        sock = listener(lab, port)
        tell("listening")

        def answer(connection, data):
            with contextlib.suppress(OSError):
                connection.send(data[:64])
        serve(sock, answer)
    return program

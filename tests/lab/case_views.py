# SPDX-License-Identifier: MIT
"""Namespaces, owners, rows, recordings and missing privilege, held against processes and sockets that stand for real."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

from cases import case
from lab import Wrong, connected, dial, die_with_parent, listener, rest, scratch, tcp, told

DEAF = "accept-queue-overflow"
BESIDE = {"accept-stuck": "those that got into the full queue wait there: folded under the overflow",
          "backlog-clipped": "a backlog of 3 is too short for twelve clients: folded under the overflow"}
PORT = 7070
NOBODY = 65534


def equal(what, got, want):
    if got != want:
        raise Wrong(f"{what} is {got!r}, expected {want!r}")


def deaf_server(lab, uid=None):
    """A full accept queue: one standing fault whose first finding is known. Returns the program that listens."""
    def server(tell):
        sock = listener(lab, PORT, 3)
        if uid is not None:
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        tell("listening")
        rest()
        sock.close()

    def client(tell):
        kept = [dial(lab, PORT) for _ in range(12)]
        tell(len(kept))
        rest()
    program = lab.spawn("s", server, "lab-deaf")
    program.hear()
    lab.spawn("c", client, "lab-call").hear()
    lab.sockets("s", 1, "state", "listening", like=lambda row: row.recv_q == 4)
    return program


def states(lab, role, *arguments):
    """`states --json`, its rows by (state, local port, peer port)."""
    done = lab.tcptriage("states", "--json", "--netns", lab.ns(role), *arguments, statuses=(0,))
    return json.loads(done.stdout)


@case("views", "view", beside=BESIDE)
def netns_by_pid(lab):
    """--netns takes the number of a process inside."""
    lab.build()
    program = deaf_server(lab)
    doc = lab.report("s", netns=str(program.pid))
    lab.expect(doc, DEAF, "critical", program, local_port=PORT)


@case("views", "view", families=(4,), beside=BESIDE)
def netns_by_path(lab):
    lab.build()
    program = deaf_server(lab)
    doc = lab.report("s", netns=f"/run/netns/{lab.ns('s')}")
    lab.expect(doc, DEAF, "critical", program, local_port=PORT)


@case("views", "view")
def all_namespaces_are_named(lab):
    """One run over every namespace of the machine: the finding says in which one it stands."""
    lab.build()
    program = deaf_server(lab)
    if not lab.binary:
        return
    doc = lab.document(lab.tcptriage("report", "--json", "--all-netns", timeout=80))
    scopes = [finding["scope"] for finding in doc["findings"] if finding["rule"] == DEAF]
    mine = [scope for scope in scopes if scope["netns"] == lab.ns("s")]
    equal("findings in our namespace", len(mine), 1)
    equal("owner", (mine[0]["pid"], mine[0]["comm"]), (program.pid, program.comm))


@case("views", "view", families=(4,))
def other_namespaces_are_mentioned(lab):
    """A look at the namespace it is in says how many others there are; who has chosen one knows."""
    lab.build()
    doc = lab.document(lab.tcptriage("report", "--json", "--quick", within="c"))
    if not any("not looked at (--all-netns)" in notice["text"] for notice in doc["notices"]):
        raise Wrong(f"no notice about the other namespaces: {doc['notices']}")
    doc = lab.document(lab.tcptriage("report", "--json", "--quick", "--netns", lab.ns("c")))
    if any("not looked at" in notice["text"] for notice in doc["notices"]):
        raise Wrong(f"a notice about namespaces that nobody asked for: {doc['notices']}")


@case("views", "view", beside=BESIDE)
def owner_of_another_user(lab):
    lab.build()
    program = deaf_server(lab, uid=12345)
    finding = lab.expect(lab.report("s"), DEAF, "critical", program, local_port=PORT)
    if finding is None:
        return
    rows = states(lab, "s", "-l", "-t", "-p", "-e")["sockets"]
    equal("listeners", len(rows), 1)
    equal("owners", [(owner["pid"], owner["comm"]) for owner in rows[0]["owners"]], [(program.pid, program.comm)])


@case("views", "view")
def reasons_of_missing_owners(lab):
    """TIME-WAIT, SYN-RECV, orphan, not accepted: each socket without an owner says why."""
    lab.build("crs")

    def server(tell):
        deaf = listener(lab, PORT, 8)
        active = listener(lab, PORT + 1, 8)
        tell("listening")
        first, second = active.accept()[0], active.accept()[0]
        first.close()  # the client closes too: TIME-WAIT here
        tell("closed")
        told()
        second.send(b"never acknowledged")
        second.close()  # into a dead path: FIN-WAIT-1 without a process
        tell("done")
        rest()
        deaf.close()

    def client(tell):
        waiting = [connected(lab, PORT) for _ in range(2)]
        one, two = connected(lab, PORT + 1), connected(lab, PORT + 1)
        tell("connected")
        one.recv(1)
        one.close()
        tell("closed")
        told()
        late = dial(lab, PORT)
        tell("dialled")
        rest()
        del waiting, two, late
    program = lab.spawn("s", server, "lab-serve")
    program.hear()
    caller = lab.spawn("c", client, "lab-call")
    caller.hear()
    program.hear()
    caller.hear()
    lab.sockets("s", 1, "state", "time-wait")
    # From here on nothing that the server says arrives: SYN-ACKs are lost, and so are the answers to its last words.
    lab.forward_rule('iifname "rs" tcp sport { 7070, 7071 } drop')
    caller.go()
    program.go()
    caller.hear()
    program.hear()
    lab.sockets("s", 1, "state", "time-wait")
    lab.sockets("s", 1, "state", "syn-recv")
    lab.sockets("s", 1, "state", "fin-wait-1")
    lab.sockets("s", 2, "state", "established")
    if not lab.binary:
        return
    rows = states(lab, "s", "-t", "-a", "-p")["sockets"]
    reasons = sorted((row["state"], row["owner_unknown"], [owner["comm"] for owner in row["owners"]]) for row in rows)
    equal("reasons", reasons, sorted([("LISTEN", None, ["lab-serve"]), ("LISTEN", None, ["lab-serve"]), ("ESTAB", "not-accepted", []),
                                      ("ESTAB", "not-accepted", []), ("TIME-WAIT", "time-wait", []), ("SYN-RECV", "syn-recv", []),
                                      ("FIN-WAIT-1", "orphan", [])]))


@case("views", "view")
def rows_name_the_real_holders(lab):
    """Each row's addresses, inode, process and descriptor are those that the process itself knows."""
    lab.build()

    def server(tell):
        sock = listener(lab, PORT)
        tell("listening")
        kept = [sock.accept()[0] for _ in range(5)]
        tell([[connection.getpeername()[1], os.fstat(connection.fileno()).st_ino, connection.fileno()] for connection in kept])
        rest()

    def client(tell):
        kept = [connected(lab, PORT) for _ in range(5)]
        tell([[sock.getsockname()[1], os.fstat(sock.fileno()).st_ino, sock.fileno()] for sock in kept])
        rest()
    serving = lab.spawn("s", server, "lab-serve")
    serving.hear()
    calling = lab.spawn("c", client, "lab-call")
    known = {"c": (calling, calling.hear()), "s": (serving, serving.hear())}
    lab.sockets("s", 5, "state", "established")
    if not lab.binary:
        return
    for role, (program, truth) in known.items():
        doc = states(lab, role, "-t", "-p", "state", "established")
        side = "local" if role == "c" else "peer"
        got = sorted([row[side]["port"], row["inode"], row["owners"][0]["fd"]] for row in doc["sockets"])
        equal(f"rows of {role}", got, sorted(truth))
        holders = {(owner["pid"], owner["comm"]) for row in doc["sockets"] for owner in row["owners"]}
        equal(f"holders of {role}", holders, {(program.pid, program.comm)})
        addresses = {(row["local"]["address"], row["peer"]["address"]) for row in doc["sockets"]}
        other = "s" if role == "c" else "c"
        equal(f"addresses of {role}", addresses, {(lab.addr(role), lab.addr(other))})
        equal(f"summary of {role}", doc["summary"]["tcp"]["ESTAB"], 5)


@case("views", "view")
def every_holder_is_shown(lab):
    """A listener that a parent and its two workers hold is held by three."""
    lab.build()

    def server(tell):
        sock = listener(lab, PORT)
        workers = []
        for _ in range(2):
            pid = os.fork()
            if pid == 0:
                die_with_parent()
                with contextlib.suppress(OSError):
                    pathlib.Path("/proc/self/comm").write_text("lab-worker")
                    rest()
                os._exit(0)
            workers.append(pid)
        tell(workers)
        rest()
        sock.close()
    program = lab.spawn("s", server, "lab-parent")
    workers = program.hear()
    time.sleep(0.3)
    try:
        lab.sockets("s", 1, "state", "listening")
        if lab.binary:
            rows = states(lab, "s", "-t", "-l", "-p")["sockets"]
            equal("holders", sorted((owner["pid"], owner["comm"]) for owner in rows[0]["owners"]),
                  sorted([(program.pid, "lab-parent")] + [(pid, "lab-worker") for pid in workers]))
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGKILL)


def essence(doc):
    """What a replay has to repeat of a report."""
    return [(finding["id"], finding["rule"], finding["severity"], finding["confidence"], finding["count"], finding["title"], finding["scope"],
             [(row["name"], row["value"]) for row in finding["evidence"]]) for finding in doc["findings"]]


@case("views", "view", beside=BESIDE)
def recording_replays_the_same(lab):
    lab.build()
    program = deaf_server(lab)
    if not lab.binary:
        return
    with scratch() as folder:
        live = lab.document(lab.tcptriage("report", "--json", "--netns", lab.ns("s"), "--record", f"{folder}/rec"))
        lab.expect(live, DEAF, "critical", program, local_port=PORT)
        modes = {oct(path.stat().st_mode & 0o777) for path in pathlib.Path(folder, "rec").rglob("*") if path.is_file()}
        equal("modes of the recorded files", modes, {"0o600"})
        again = lab.document(lab.tcptriage("report", "--json", "--from", f"{folder}/rec"))
        equal("replayed findings", essence(again), essence(live))
        equal("replayed status", again["status"], live["status"])


@case("views", "view")
def without_privilege(lab):
    """As nobody: sockets are seen, owners are not, and that is said; nothing breaks."""
    lab.build()
    deaf_server(lab)
    if not lab.binary:
        return
    with scratch() as folder:
        program = shutil.copy(lab.binary, folder)
        os.chmod(program, 0o755)
        lab.binary = program
        drop = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--")
        doc = lab.document(lab.tcptriage("report", "--json", within="s", prefix=drop))
        if DEAF not in [finding["rule"] for finding in doc["findings"]]:
            raise Wrong(f"the fault is not found without privilege: {doc['findings']}")
        if not doc["notices"]:
            raise Wrong("no notice says that owners could not be read")
        done = lab.tcptriage("states", "--json", "-t", "-l", "-p", within="s", prefix=drop)
        rows = json.loads(done.stdout)["sockets"]
        equal("listener's owner", [(row["owners"], row["owner_unknown"]) for row in rows], [([], "no-permission")])
        lab.tcptriage("doctor", within="s", prefix=drop, statuses=(0, 1, 4))


@case("views", "view", families=(4,))
def interrupted_report_prints_what_it_has(lab):
    """SIGINT between the samples: the report ends at once, says what was found and that it could not look to the end."""
    lab.build()
    deaf_server(lab)
    if not lab.binary:
        return
    time.sleep(1.5)  # one look takes a queue for full when somebody has waited a second in it
    run = subprocess.Popen([lab.binary, "report", "--json", "--netns", lab.ns("s"), "--interval", "30"], stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True)
    try:
        time.sleep(4)
        run.send_signal(signal.SIGINT)
        text, _ = run.communicate(timeout=10)
    finally:
        run.kill()
    equal("exit status", run.returncode, 3)
    doc = json.loads(text)
    if DEAF not in [finding["rule"] for finding in doc["findings"]]:
        raise Wrong(f"the standing fault is not printed: {doc['findings']}")


@case("views", "view", beside=BESIDE)
def filter_narrows_the_report(lab):
    """Two faults; the filter selects the service of one."""
    lab.build()
    program = deaf_server(lab)

    def other(tell):
        sock = listener(lab, PORT + 5, 3)
        tell("listening")
        rest()
        sock.close()
    lab.spawn("s", other, "lab-other").hear()

    def more(tell):
        kept = []
        for _ in range(8):
            sock = tcp(lab)
            sock.setblocking(False)
            sock.connect_ex((lab.addr("s"), PORT + 5))
            kept.append(sock)
        tell("dialled")
        rest()
    lab.spawn("c", more, "lab-more").hear()
    time.sleep(1)
    if not lab.binary:
        return
    both = lab.report("s")
    equal("listeners found", sorted(finding["scope"]["local"]["port"] for finding in both["findings"] if finding["rule"] == DEAF),
          [PORT, PORT + 5])
    one = lab.report("s", "sport", "=", f":{PORT}")
    equal("listeners found with a filter", {finding["scope"]["local"]["port"] for finding in one["findings"]}, {PORT})
    lab.expect(one, DEAF, "critical", program, local_port=PORT)


@case("views", "view")
def flags_name_sockets_not_bystanders(lab):
    """Attempts to three silent neighbours are one finding about their network: each of them is flagged, and no listener."""
    lab.build("crs")
    lab.forward_rule("tcp dport 7777 drop")

    def client(tell):
        door = listener(lab, 8080)
        kept = [dial(lab, 7777, lab.addr("s")[:-1] + str(last)) for last in (2, 3, 4)]
        tell("dialing")
        rest()
        del door, kept
    lab.spawn("c", client, "lab-dial").hear()
    lab.sockets("c", 3, "state", "syn-sent")
    time.sleep(3.5)
    rows = states(lab, "c", "-ta", "--flags")["sockets"]
    flags = sorted((row["state"], row["flags"] or []) for row in rows)
    equal("flags", flags, [("LISTEN", [])] + [("SYN-SENT", ["syn-sent-stall"])] * 3)

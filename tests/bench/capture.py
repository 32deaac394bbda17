# SPDX-License-Identifier: MIT
"""The capture side of scripts/bench: files against tcptrace, tshark and tcpdump, memory of the flow table, and a live flood on a veth pair.

Files are made by make_capture in a temporary folder. Subjects run in turn, so that a slow moment of the machine strikes all of them; the
median counts. A number of processor time stands beside each wall time: on a busy machine it is the one to look at."""

import re
import signal
import statistics
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PACKETS = 2_000_000
FLOWS = 200_000
FLOW_BYTES_LIMIT = 512
GROWTH_SLACK_MIB = 4
FLOOD_SECONDS = 4
FLOOD_BYTES = 100
DROP_SLACK = 0.001  # of what was received: two captures of one flood never lose the same packet


@dataclass
class Cost:
    """What the runs of one command took."""

    wall_s: list = field(default_factory=list)
    cpu_s: list = field(default_factory=list)
    peak_mib: float = 0.0

    @property
    def wall(self):
        return statistics.median(self.wall_s)

    @property
    def cpu(self):
        return statistics.median(self.cpu_s)


def run(bench, argv, cost):
    done = subprocess.run([bench / "measure", *map(str, argv)], capture_output=True, text=True, check=True)
    wall_ns, cpu_us, peak_kib, status = map(int, done.stdout.split())
    if status:
        raise RuntimeError(f"{argv[0]}: exit status {status}\n{done.stderr}")
    cost.wall_s.append(wall_ns / 1e9)
    cost.cpu_s.append(cpu_us / 1e6)
    cost.peak_mib = max(cost.peak_mib, peak_kib / 1024)


def verdict(met):
    return "yes" if met else "NO"


LINE = "{:<34} {:>8} {:>8}   {:<24} {:>8} {:>8}  {:>6} {:>6} {:>6}  {}"


def print_ratio(name, own, base_name, base, limit):
    wall, cpu = own.wall / base.wall, own.cpu / base.cpu
    print(LINE.format(name, f"{own.wall:.2f}", f"{own.cpu:.2f}", base_name, f"{base.wall:.2f}", f"{base.cpu:.2f}", f"{wall:.3f}", f"{cpu:.3f}",
                      f"{limit:.2f}" if limit else "–", verdict(wall <= limit) if limit else ""), flush=True)
    return not limit or wall <= limit


def make(bench, path, rounds, captured, flows=FLOWS):
    subprocess.run([bench / "make_capture", path, str(flows), str(rounds), str(captured), "1330"], check=True)
    return path


def files(tool, bench, folder, runs):
    """Headers through the analysis, whole packets through the printer. Return: whether the limits hold."""
    short, full = make(bench, folder / "short.pcap", 1, 96), make(bench, folder / "full.pcap", 1, 65535)
    subjects = {
        "analysis": [tool, "capture", "-r", short],
        "bare libpcap": [bench / "bare_pcap", short],
        "tcptrace -n": ["tcptrace", "-n", short],
        "tshark -z expert": ["tshark", "-n", "-q", "-z", "expert", "-r", short],
        "--packets": [tool, "capture", "-r", full, "--packets", "-n", "-q"],
        "bare libpcap, full": [bench / "bare_pcap", full],
        "tcpdump -nn": ["tcpdump", "-nn", "-r", full],
    }
    costs = {name: Cost() for name in subjects}
    for turn in range(runs):
        for name, argv in subjects.items():
            if name.startswith("tshark") and turn:
                continue  # takes most of a minute: one run is enough to hold a ratio of 0.02 against
            run(bench, argv, costs[name])
    print(f"\n{PACKETS} packets in {FLOWS} connections (s, median of {runs}, tshark once)")
    print(LINE.format("what", "wall", "cpu", "against", "wall", "cpu", "ratio", "cpu", "limit", "met"))
    good = print_ratio("analysis, 96 bytes a packet", costs["analysis"], "tcptrace -n", costs["tcptrace -n"], 0.07)
    good &= print_ratio("analysis, 96 bytes a packet", costs["analysis"], "tshark -z expert", costs["tshark -z expert"], 0.02)
    print_ratio("analysis, 96 bytes a packet", costs["analysis"], "bare libpcap", costs["bare libpcap"], 0)
    good &= print_ratio("--packets, whole packets", costs["--packets"], "tcpdump -nn", costs["tcpdump -nn"], 0.25)
    print_ratio("--packets, whole packets", costs["--packets"], "bare libpcap", costs["bare libpcap, full"], 0)
    return good & evictions(tool, short)


def evictions(tool, path):
    """The default capacity holds all the flows of the file."""
    done = subprocess.run([tool, "capture", "-r", path, "--ndjson"], capture_output=True, text=True, check=True)
    summary = done.stdout.rstrip().rsplit("\n", 1)[-1]
    evicted, seen = (int(re.search(rf'"{key}":(\d+)', summary)[1]) for key in ("evicted_flows", "flows_seen"))
    print(f"flows seen {seen}, evicted {evicted}  {verdict(seen == FLOWS and not evicted)}")
    return seen == FLOWS and not evicted


def memory(tool, bench, folder):
    """What the table takes, and peak memory of many flows and few, of many packets and few. Return: whether a flow stays in its bounds and packets cost nothing."""
    peaks = {}
    for name, flows, rounds in (("few", 16, 1), ("flows", FLOWS, 0), ("packets", 20_000, 1), ("more packets", 20_000, 20)):
        cost = Cost()
        run(bench, [tool, "capture", "-r", make(bench, folder / "memory.pcap", rounds, 96, flows), "--max-flows", FLOWS, "--packets", "--flows", "-q"], cost)
        peaks[name] = cost.peak_mib
    each = (peaks["flows"] - peaks["few"]) * 1048576 / FLOWS
    growth = peaks["more packets"] - peaks["packets"]
    table = float(subprocess.run([bench / "flow_memory", str(FLOWS)], capture_output=True, text=True, check=True).stdout)
    print(f"\nmemory: {table:.1f} bytes a flow in the table (limit {FLOW_BYTES_LIMIT})  {verdict(table <= FLOW_BYTES_LIMIT)}; {each:.0f} in the whole process, which judges and lists them")
    print(f"        {peaks['packets']:.1f} MiB with 200000 packets, {peaks['more packets']:.1f} MiB with 1720000 in as many flows  {verdict(growth <= GROWTH_SLACK_MIB)}")
    return table <= FLOW_BYTES_LIMIT and growth <= GROWTH_SLACK_MIB


@contextmanager
def veth():
    """A pair of namespaces with a link between them; yields their names."""
    names = ("tcptriage-bench-a", "tcptriage-bench-b")
    commands = [f"ip netns add {name}" for name in names] + [
        f"ip link add va netns {names[0]} type veth peer name vb netns {names[1]}",
        f"ip -n {names[0]} addr add 10.99.0.1/24 dev va", f"ip -n {names[1]} addr add 10.99.0.2/24 dev vb",
        f"ip -n {names[0]} link set va up", f"ip -n {names[1]} link set vb up",
        f"ip -n {names[0]} neigh add 10.99.0.2 lladdr $(ip -n {names[1]} -br link show vb | awk '{{print $3}}') dev va nud permanent",
    ]
    try:
        for command in commands:
            subprocess.run(command, shell=True, check=True)
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


def live_once(bench, names, argv, cost):
    """One flood with one capture beside it. Return: packets sent, received by the filter, dropped by the kernel."""
    watcher = subprocess.Popen(["ip", "netns", "exec", names[1], bench / "measure", *map(str, argv)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(1)
    flood = subprocess.run(["ip", "netns", "exec", names[0], bench / "udp_flood", "10.99.0.2", "9", str(FLOOD_BYTES), str(FLOOD_SECONDS)],
                           capture_output=True, text=True, check=True)
    time.sleep(1.2)
    tree = subprocess.run(["pgrep", "-P", str(watcher.pid)], capture_output=True, text=True, check=False).stdout.split()
    for pid in tree:
        subprocess.run(["kill", f"-{signal.SIGINT.value}", pid], check=False)
    output, errors = watcher.communicate(timeout=20)
    numbers = output.split()
    cost.wall_s.append(int(numbers[0]) / 1e9)
    cost.cpu_s.append(int(numbers[1]) / 1e6)
    received = int(re.search(r"(\d+) (?:packets )?received by filter", errors)[1])
    dropped = int(re.search(r"(\d+) (?:packets )?dropped by kernel", errors)[1])
    return int(flood.stdout), received, dropped


def live(tool, bench, runs):
    """Both captures under the same flood, in turn. Return: whether drops and processor time stay in their bounds."""
    subjects = {
        "tcpdump -w /dev/null": ["tcpdump", "-nn", "-i", "vb", "-s", "128", "-w", "/dev/null"],
        "tcptriage capture": [tool, "capture", "-i", "vb", "--flows"],
    }
    costs, lost = {name: Cost() for name in subjects}, {name: [] for name in subjects}
    with veth() as names:
        for _ in range(runs):
            for name, argv in subjects.items():
                sent, received, dropped = live_once(bench, names, argv, costs[name])
                lost[name].append(dropped)
                print(f"  {name:<22} sent {sent:>8} ({sent / FLOOD_SECONDS:,.0f}/s), received {received:>8}, dropped {dropped:>7}, cpu {costs[name].cpu_s[-1]:.2f} s")
    ours, theirs = costs["tcptriage capture"].cpu, costs["tcpdump -w /dev/null"].cpu
    drops = {name: statistics.median(values) for name, values in lost.items()}
    fine = drops["tcptriage capture"] <= drops["tcpdump -w /dev/null"] + DROP_SLACK * received
    print(f"live: cpu {ours:.2f} s against {theirs:.2f} s, ratio {ours / theirs:.2f} (limit 1.50)  {verdict(ours <= 1.5 * theirs)}; "
          f"dropped {drops['tcptriage capture']:.0f} against {drops['tcpdump -w /dev/null']:.0f}  {verdict(fine)}")
    return ours <= 1.5 * theirs and fine


def bench_capture(tool, bench, runs):
    """All of it. Return: whether every limit holds."""
    with tempfile.TemporaryDirectory(prefix="tcptriage-bench-") as folder:
        good = files(tool, bench, Path(folder), runs)
        good &= memory(tool, bench, Path(folder))
    print(f"\na flood of UDP on a veth pair, {runs} runs of each in turn")
    return live(tool, bench, runs) & good

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What we write is what we read: packet by packet for tcpdump, for tshark where libpcap cannot read it, and for us.
usage: test_roundtrip.py TCPTRIAGE      TAP on stdout"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import files
import make
import tool
import wire
from scenes import SCENES, play

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import tap  # noqa: E402

SCRATCH = tempfile.TemporaryDirectory(prefix="tcptriage-roundtrip-")
ROOT = pathlib.Path(SCRATCH.name)
# Each kind of frame, link and file once; the others differ in what they tell, not in how they are stored.
CHOSEN = ["healthy-v6", "malformed-v6"] + [name for name in SCENES if name.endswith("-v4") and name.startswith((
    "healthy-", "link_", "pcap", "snaplen", "vlan-", "qinq-", "malformed", "clock_back", "super_segments"))]
PATHS = make.write(ROOT, CHOSEN)
TWO_LINKS = ("pcapng_two_links-v4",)


def tcpdump(path):
    """Every packet with its time, link header and bytes; the reader's own remarks are left out."""
    done = subprocess.run(["tcpdump", "-tt", "-nn", "-xx", "-e", "--nano", "-r", path], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def tshark(path):
    done = subprocess.run(["tshark", "-r", path, "-n", "-T", "fields", *[word for field in (
        "frame.time_epoch", "frame.len", "frame.cap_len", "frame.encap_type", "frame.interface_name", "frame.protocols", "ip.id", "tcp.seq_raw",
        "tcp.payload") for word in ("-e", field)]], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ours(path):
    """Our own --json without what tells of the file and the run."""
    answer = tool.capture("-r", path, "--json")
    assert answer.status == 0, (path, answer.messages)
    return {key: value for key, value in answer.document.items() if key not in ("source", "generated_at", "snaplen", "host", "received", "dropped_kernel",
                                                                               "dropped_interface", "findings")}


def copy(name, ending):
    path = ROOT / f"copy-of-{name}.{ending}"
    answer = tool.capture("-r", PATHS[name], "-w", path, "--json")
    assert answer.status == 0, (name, answer.status, answer.messages)
    return path


def unpacked(path):
    if path.suffix != ".gz":
        return path
    plain = path.with_suffix("")
    plain.write_bytes(subprocess.run(["gzip", "-dc", path], capture_output=True, check=True).stdout)
    return plain


def same(name, ending):
    path = copy(name, ending)
    assert tcpdump(path) == tcpdump(unpacked(PATHS[name])), (name, ending)
    assert ours(path) == ours(PATHS[name]), (name, ending)


def needed(tool_name):
    if not shutil.which(tool_name):
        raise tap.Skip(f"{tool_name} is not installed")


def pcap__written__is_the_same_to_tcpdump_and_us():
    needed("tcpdump")
    for name in CHOSEN:
        if name not in TWO_LINKS and "two_sections" not in name:
            same(name, "pcap")


def pcapng__written__is_the_same_to_tcpdump_and_us():
    needed("tcpdump")
    for name in CHOSEN:
        if name not in TWO_LINKS and "two_sections" not in name:
            same(name, "pcapng")


def pcapng__of_two_link_types__is_the_same_to_tshark_and_us():
    needed("tshark")
    for name in TWO_LINKS:
        path = copy(name, "pcapng")
        assert tshark(path) == tshark(PATHS[name]), name
        assert ours(path) == ours(PATHS[name]), name


def pcapng__of_two_sections__is_the_same_to_us():
    path = copy("pcapng_two_sections-v4", "pcapng")
    assert ours(path) == ours(PATHS["pcapng_two_sections-v4"])


def pcap__of_two_link_types__is_refused_with_the_way_out():
    path = ROOT / "two.pcap"
    answer = tool.capture("-r", PATHS[TWO_LINKS[0]], "-w", path, "--json")
    assert answer.status in (1, 2) and "pcapng" in answer.messages, (answer.status, answer.messages)


def nanoseconds__of_the_source__are_kept():
    needed("tcpdump")
    net = play("pcap_ns-v4")
    odd = ROOT / "odd.pcap"

    frames = [(time + number * 37, data, length) for number, (time, data, length) in enumerate(net.frame_bytes())]
    odd.write_bytes(files.pcap(frames, wire.ETHERNET, magic=files.PCAP_NS))
    for ending in ("pcap", "pcapng"):
        path = ROOT / f"odd-copy.{ending}"
        assert tool.capture("-r", odd, "-w", path, "--json").status == 0
        assert tcpdump(path) == tcpdump(odd), ending


def filter__while_writing__keeps_what_it_accepts():
    needed("tcpdump")
    path = ROOT / "filtered.pcap"
    answer = tool.capture("-r", PATHS["healthy-v4"], "-w", path, "--json", "src", "host", "192.168.7.5")
    kept = len(re.findall(rb"^\d", tcpdump(path), re.M))
    sent = play("healthy-v4").flows[0].packets[0]
    assert answer.status == 0 and answer.document["packets"] == kept == sent, (answer.status, answer.messages, kept, sent)


def stdout__written_to__is_a_capture():
    done = subprocess.run([sys.argv[1], "capture", "-r", PATHS["healthy-v6"], "-w", "-"], capture_output=True, env=tool.ENVIRONMENT, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stderr
    path = ROOT / "from-stdout.pcap"
    path.write_bytes(done.stdout)
    assert ours(path) == ours(PATHS["healthy-v6"])


def disk__full__is_an_error_that_names_the_file():
    answer = tool.capture("-r", PATHS["healthy-v4"], "-w", "/dev/full")
    assert answer.status == 1 and "/dev/full" in answer.messages, (answer.status, answer.messages)


if __name__ == "__main__":
    sys.exit(tap.main())

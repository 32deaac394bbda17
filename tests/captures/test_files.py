#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files that end too early, and files that are no capture: what is told, where, and with which exit status.
usage: test_files.py TCPTRIAGE      TAP on stdout"""
import functools
import gzip
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import files
import make  # noqa: F401  registers the scenes
import tool
import wire
from scenes import play

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import tap  # noqa: E402

NONE = "is no pcap or pcapng file"
SCRATCH = tempfile.TemporaryDirectory(prefix="tcptriage-files-")
ROOT = pathlib.Path(SCRATCH.name)


def written(name, data):
    path = ROOT / name
    path.write_bytes(data)
    return path


def scene_bytes(name):
    return play(name).bytes()


def packets_of(answer):
    return answer.document["packets"]


FORMATS = ((), ("--json",), ("--ndjson",), ("--packets",), ("--flows",))


def refused(path, *reasons, formats=FORMATS):
    """Refused by name: exit 1, the reason on stderr, on stdout nothing or a document that holds no packet."""
    for words in formats:
        answer = tool.capture("-r", path, *words)
        assert answer.status == 1, (path, words, answer.status, answer.text, answer.messages)
        assert str(path) in answer.messages, (path, words, answer.messages)
        assert any(reason in answer.messages for reason in reasons), (path, answer.messages)
        assert not answer.text or words == ("--json",) and packets_of(answer) == 0, (path, words, answer.text)


def cut(data, size, packets, boundary):
    """The first size bytes: so many packets; exit 4 and a message unless the cut is where a packet ends."""
    path = written("cut.pcap", data[:size])
    answer = tool.capture("-r", path, "--json")
    assert answer.status == (0 if boundary else 4), (size, answer.status, answer.messages)
    assert packets_of(answer) == packets, (size, packets_of(answer), packets)
    assert answer.document["complete"] == boundary, size
    assert boundary or str(path) in answer.messages, (size, answer.messages)


def record_ends(data):
    """Where the records of a little-endian pcap file end."""
    at, ends = 24, []
    while at < len(data):
        at += 16 + struct.unpack_from("<I", data, at + 8)[0]
        ends.append(at)
    return ends


def block_ends(data):
    """(end, is a packet) of the blocks of a little-endian pcapng file."""
    at, ends = 0, []
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        at += length
        ends.append((at, kind == 6))
    return ends


def pcap__cut_around_each_record__gives_the_whole_packets():
    for name in ("healthy-v6", "nagle-v4"):
        data = scene_bytes(name)
        ends = record_ends(data)
        for number, end in list(enumerate(ends))[:: max(1, len(ends) // 8)]:
            begin = ends[number - 1] if number else 24
            cut(data, begin + 1, number, False)
            cut(data, begin + 17, number, False)
            cut(data, end - 1, number, False)
            cut(data, end, number + 1, True)


def pcapng__cut_around_each_block__gives_the_whole_packets():
    data = scene_bytes("pcapng_le-v4")
    packets = 0
    for end, is_packet in block_ends(data):
        if packets:
            cut(data, end - 1, packets, False)
        packets += is_packet
        if packets:
            cut(data, end, packets, True)
            if end < len(data):
                cut(data, end + 5, packets, False)


def gzip__cut_in_the_middle__is_said_and_gives_what_was_whole():
    data = scene_bytes("nagle-v4")
    packed = gzip.compress(data, mtime=0)
    for size in (len(packed) // 3, len(packed) // 2, len(packed) - 9, len(packed) - 4):
        path = written("cut.pcap.gz", packed[:size])
        answer = tool.capture("-r", path, "--json")
        assert answer.status == 4 and str(path) in answer.messages, (size, answer.status, answer.messages)
        assert packets_of(answer) <= len(play("nagle-v4").frames)


def cut_file__next_in_the_list__is_read_all_the_same():
    broken = written("first.pcap", scene_bytes("healthy-v4")[:-1])
    whole = written("second.pcap", scene_bytes("healthy-v6"))
    answer = tool.capture("-r", broken, "-r", whole, "--json")
    both = len(play("healthy-v4").frames) + len(play("healthy-v6").frames)
    assert answer.status == 4 and packets_of(answer) == both - 1, (answer.status, answer.messages)
    assert "first.pcap" in answer.messages and "second.pcap" not in answer.messages, answer.messages


def list_of_files__one_missing__is_named():
    whole = written("there.pcap", scene_bytes("healthy-v4"))
    answer = tool.capture("-r", whole, "-r", ROOT / "not-there.pcap", "--json")
    assert answer.status in (1, 4) and "not-there.pcap" in answer.messages, (answer.status, answer.messages)


def header__of_pcap_alone__is_an_empty_capture():
    answer = tool.capture("-r", written("empty.pcap", files.pcap_header(wire.ETHERNET)), "--json")
    assert answer.status == 0 and packets_of(answer) == 0 and not answer.document["flows"], answer.messages


def no_capture__empty_file__is_refused_by_name():
    refused(written("nothing", b""), "empty")


def no_capture__directory__is_refused_by_name():
    (ROOT / "folder").mkdir(exist_ok=True)
    refused(ROOT / "folder", "directory")


def no_capture__missing_file__is_refused_by_name():
    refused(ROOT / "missing.pcap", "No such file")


def no_capture__text__is_refused_by_name():
    refused(written("text.pcap", b"12:00:01.000000 IP 10.0.0.1.40000 > 10.0.0.2.80: Flags [S]\n" * 40), NONE)


def no_capture__header_cut__is_refused_by_name():
    for name, sizes in (("healthy-v4", (1, 3, 4, 10, 23)), ("pcapng_le-v4", (1, 4, 8, 11, 27))):
        for size in sizes:
            refused(written(f"header-{size}.pcap", scene_bytes(name)[:size]), NONE, "header", "cut", formats=FORMATS[:2])


def no_capture__gzip_of_noise__is_refused_by_name():
    noise = random.Random(4).randbytes(5000)
    refused(written("noise.gz", gzip.compress(noise, mtime=0)), NONE)
    refused(written("noise-inside.gz", gzip.compress(noise, mtime=0)[:10] + noise), NONE, "gzip", "unpack")


def no_capture__random_bytes__are_refused_by_name():
    source = random.Random(1)
    for number in range(12):
        refused(written(f"random-{number}", source.randbytes(source.choice((1, 5, 24, 100, 4000)))), NONE, formats=FORMATS[:1])


def no_capture__device_that_never_ends__is_refused_by_name():
    refused(pathlib.Path("/dev/zero"), NONE)


def headers__followed_by_random_bytes__end_with_a_message():
    """A file header that promises much: whatever follows, it ends, with what was whole."""
    source = random.Random(2)
    heads = [files.pcap_header(wire.ETHERNET), files.pcap_header(wire.ETHERNET, ">"), files.pcap_header(wire.RAW, magic=files.PCAP_NS),
             files.Pcapng().section().interface(wire.ETHERNET).data, files.Pcapng(">").section().data]
    for number in range(30):
        path = written("promises", heads[number % len(heads)] + source.randbytes(source.choice((1, 15, 16, 17, 200, 5000))))
        answer = tool.capture("-r", path, "--json")
        assert answer.status in (1, 4), (number, answer.status, answer.messages)
        assert str(path) in answer.messages, answer.messages


def frames__of_random_bytes__are_counted_one_by_one():
    """Whole records full of noise, for every link type that is read: each packet has one outcome, and the sum is right."""
    source = random.Random(3)
    for link in (wire.NULL, wire.ETHERNET, wire.PPP, wire.PPP_HDLC, wire.RAW, wire.C_HDLC, wire.LOOP, wire.SLL, wire.SLL2, wire.IPV4, wire.IPV6, wire.NFLOG):
        frames = [(number * 1000, source.randbytes(source.randrange(0, 200)), None) for number in range(400)]
        answer = tool.capture("-r", written("noise.pcap", files.pcap(frames, link)), "--json")
        said = answer.document
        assert answer.status == 0 and said["packets"] == 400, (link, answer.status, answer.messages)
        assert 100 < said["truncated"] + said["malformed"] + said["unsupported"] <= 400, said


def record__that_claims_2_gib__is_not_believed():
    good = files.pcap_record(files.START_NS, b"\x45" + bytes(59))
    for claim in (1 << 31, (1 << 31) - 1, (1 << 32) - 1, 1 << 24):
        for order, magic in (("<", files.PCAP_US), (">", files.PCAP_US), ("<", files.PCAP_NS)):
            head = files.pcap_header(wire.RAW, order, magic)
            lie = struct.pack(order + "IIII", 1_700_000_001, 0, claim, claim) + bytes(100)
            first = good if order == "<" and magic == files.PCAP_US else files.pcap_record(files.START_NS, b"\x45" + bytes(59), None, order, magic)
            path = written("claims.pcap", head + first + lie)
            answer = limited("-r", path, "--json")
            assert answer.status == 4 and packets_of(answer) == 1 and str(path) in answer.messages, (hex(claim), answer.status, answer.messages)


def block__that_claims_2_gib__is_not_believed():
    for order in "<>":
        for length in (1 << 31, 0xFFFFFFFC, 8, 12, 13):
            made = files.Pcapng(order).section().interface(wire.RAW).packet(0, b"\x45" + bytes(59))
            path = written("claims.pcapng", made.data + struct.pack(order + "II", 6, length) + bytes(100))
            answer = limited("-r", path, "--json")
            assert answer.status == 4 and packets_of(answer) == 1 and str(path) in answer.messages, (length, answer.status, answer.messages)


def block__whose_packet_claims_more_than_the_block__is_not_believed():
    for order in "<>":
        made = files.Pcapng(order).section().interface(wire.RAW).packet(0, b"\x45" + bytes(59))
        made.block(6, struct.pack(order + "IIIII", 0, 0, 0, 1 << 30, 1 << 30) + bytes(40))
        path = written("claims.pcapng", made.data)
        answer = limited("-r", path, "--json")
        assert answer.status == 4 and packets_of(answer) == 1 and str(path) in answer.messages, (answer.status, answer.messages)


def packet__of_an_interface_that_is_not_there__is_not_believed():
    made = files.Pcapng().section().interface(wire.RAW).packet(0, b"\x45" + bytes(59)).packet(1, bytes(60), None, 7)
    path = written("interface.pcapng", made.data)
    answer = tool.capture("-r", path, "--json")
    assert answer.status == 4 and packets_of(answer) == 1 and str(path) in answer.messages, (answer.status, answer.messages)


@functools.lru_cache(None)
def limit():
    """512 MiB of address space, so that a claim of 2 GiB that is believed fails; a sanitizer needs more for itself and is not limited."""
    words = ["prlimit", "--as=536870912"]
    works = subprocess.run([*words, sys.argv[1], "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    return words if works else []


def limited(*words):
    argv = [*limit(), sys.argv[1], "capture", *map(str, words)]
    return tool.Answer(subprocess.run(argv, capture_output=True, env=tool.ENVIRONMENT, timeout=60, check=False), words)


def name__with_control_characters__is_escaped():
    path = written("evil\x1b[2J\n.pcap", b"no capture at all, but long enough to be looked at")
    answer = tool.capture("-r", path)
    assert answer.status == 1 and "\x1b" not in answer.messages, repr(answer.messages)


def stdin__whole_capture__is_read():
    path = written("piped.pcap", scene_bytes("healthy-v4"))
    with open(path, "rb") as stdin:
        answer = tool.capture("-r", "-", "--json", stdin=stdin)
    assert answer.status == 0 and packets_of(answer) == len(play("healthy-v4").frames), answer.messages
    reader, writer = os.pipe()
    with subprocess.Popen(["cat", path], stdout=writer) as cat:
        os.close(writer)
        answer = tool.capture("-r", "-", "--json", stdin=reader)
        os.close(reader)
    assert cat.returncode == 0 and answer.status == 0 and packets_of(answer) == len(play("healthy-v4").frames), answer.messages


if __name__ == "__main__":
    sys.exit(tap.main())

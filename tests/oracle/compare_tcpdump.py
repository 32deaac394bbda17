#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tcpdump beside `tcptriage capture --packets -n`, packet by packet, over captures made here and over those of a folder.
usage: compare_tcpdump.py TCPTRIAGE [FOLDER]      TAP on stdout; FOLDER "" for none, when left out that of the public captures beside the tree

Where the two differ on purpose a row of DIFFERENCES says how and why. A difference without a row fails the test, and so does a row
that nothing needs any more."""
import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import captures  # noqa: E402  pylint: disable=wrong-import-position
from frames import write_pcap  # noqa: E402  pylint: disable=wrong-import-position

# Link types whose -e is made for comparing; the others print their name and length.
LINK_HEADERS = ("EN10MB", "LINUX_SLL", "LINUX_SLL2", "NULL", "RAW", "PPP")
FLAGS = ([], ["-v"], ["-vv"], ["-e", "-v"], ["-S", "-K", "-v"], ["-x"], ["-xx"], ["-X"], ["-XX"], ["-#", "-tt"], ["-t"], ["-ttt"], ["-tttt"], ["-ttttt"])
# Dumps as text hold line ends, so that no packet can be told from the next: the whole output is compared.
TEXT_FLAGS = (["-A"],)
# Rows that only captures of the folder need.
FOLDER_ONLY = ("family that nobody knows", "NFS", "Reverse ARP", "length beyond bounds", "more of an ICMP error", "timestamps that do not fit", "VXLAN with ARP")
FOLDER_FLAGS = ([], ["-vv"], ["-e", "-S"])
# What libpcap refuses to go on with and our reader does not.
REFUSED = re.compile(r"an interface has a (?:type|snapshot length) \d+ different from|unknown file format|invalid packet capture length")
ROOT = pathlib.Path(__file__).resolve().parents[2]

# Both sides are rewritten where a pattern fits, and must be equal then. theirs, ours: pattern and replacement, None for untouched.
Difference = collections.namedtuple("Difference", "name why theirs ours")
DUMP = r"(?:\n\t0x[0-9a-f]+:  [^\n]*)+"
INNER_MAC = r"(?:[0-9a-f:]{17} > [0-9a-f:]{17}, (?:ethertype )?IPv4(?: \(0x0800\))?, length \d+: )?"
OUTER = r"(IP6? |)\((?:tos|class|flowlabel|hlim)[^\n]*?(?:proto|next-header) (?:IPIP|IPv6|GRE|UDP) \(\d+\)(?:,| payload) length:? \d+\)\s+"
TUNNEL = r"(?=[^ ]+ > [^ ]+: (?:\[[^]]*\] )?(?:IP|GRE|VXLAN, [^\n]*\n(?!ARP)|Geneve|\())"
CHECKSUM = r"(?:\[(?:udp sum ok|bad udp cksum [^]]*)\] |, cksum 0x\w+ \((?:correct|incorrect -> 0x\w+)\))"
DIFFERENCES = [
    Difference("dump of a cut packet", "without link header, though decoding ended early", (r"(\[\|\w+\]>?)" + DUMP, r"\1"), (DUMP, "")),
    Difference("dump of an empty packet", "as above", (r"( \[\|ip6?\])" + DUMP + "$", r"\1"), (r"( \[\|ip6?\])$", r"\1")),
    Difference("checksums in a tunnel", "they are not looked at",
               (r"^[^~]*(?:GREv0|VXLAN|Geneve|IPIP|IPv6 \(41\))[^~]*$", lambda found: re.sub(CHECKSUM, "", found[0])), (r"^[^~]* > [^~]* > [^~]*$", lambda found: re.sub(CHECKSUM, "", found[0]))),
    Difference("more of an ICMP error", "extensions of RFC 4884 are not read", (r"\n\tICMP Multi-Part extension[^~]*", ""), None),
    Difference("VXLAN with ARP", "only IP is read in a tunnel", (r"(?:\[[^]]*\] )?VXLAN, flags \[I\] \(0x08\), vni \d+\n[^\n]*ARP[^\n]*", "UDP"), (r"(?:\[[^]]*\] )?UDP, length \d+", "UDP")),
    Difference("applications over TCP", "no application is read",
               (r"(Flags \[[^\n]*, length \d+)(?:: (?:HTTP|SMTP|FTP|SSH)\b| \[telnet | \d+[+*%$|-]* )(?:[^\n]|\n(?!\t0x))*", r"\1"), None),
    Difference("DNS", "no application is read", (r"(\d+: (?:\[[^]]*\] )?)\d+[-+*%$|]* [^\n]*\((\d+)\)(?=\n|$)", r"\1UDP, length \2"), None),
    Difference("NTP", "no application is read", (r"NTPv\d, [^\n]*?, length (\d+)(?:\n\t(?!0x)[^\n]*)*", r"UDP, length \1"), None),
    Difference("payload of a reset", "text of the sender is printed by dumps only", (r"(, length \d+) \[!?RST\+? [^\n]*\]", r"\1"), None),
    Difference("header outside a tunnel", "-v shows the inner header, the outer one is one line", (OUTER + TUNNEL, r"\1"), None),
    Difference("GRE", "one text for all tunnels", (r"GREv0, (?:Flags \[[^]]*\], )?(?:key=0x[0-9a-f]+, )?(?:proto \w+ \(0x\w+\), )?length \d+(?:: |\n\t)", "GRE: "), (r"GRE(?:, key \d+)?: ", "GRE: ")),
    Difference("VXLAN", "one line, without outer ports and inner link header",
               (r"([^ ]+)\.\d+ > ([^ ]+)\.4789: (?:\[[^]]*\] )?VXLAN, flags \[I\] \(0x08\), vni (\d+)\n" + INNER_MAC, r"\1 > \2: VXLAN, vni \3: "), None),
    Difference("Geneve", "one line, without outer ports and inner link header",
               (r"([^ ]+)\.\d+ > ([^ ]+)\.6081: (?:\[[^]]*\] )?Geneve, Flags \[[^]]*\](?: \(0x\w+\))?, vni 0x2a(?:, [^\n:]*)?:? ?\n?\t?" + INNER_MAC,
                r"\1 > \2: Geneve, vni 42: "), None),
    Difference("names of interfaces", "the interface of another machine is called by its number, not as ours with that number",
               (r"(^|\d )\S+ +(In |Out|B  |M  |P  |\?  ) (?=IP|ARP|ifindex|ethertype)", r"\1NAME \2 "), (r"(^|\d )if\d+ +(In |Out|B  |M  |P  |\?  ) (?=IP|ARP|ifindex|ethertype)", r"\1NAME \2 ")),
    Difference("offloaded checksums", "a checksum that the network card is to fill in is not wrong", (r"\(incorrect -> 0x[0-9a-f]{4}\)", "(offloaded)"), (r"\(offloaded\)", "(offloaded)")),
    Difference("offloaded checksums of UDP", "as above", (r"\[bad udp cksum 0x[0-9a-f]{4} -> 0x[0-9a-f]{4}!\]", "[udp sum offloaded]"), (r"\[udp sum offloaded\]", "[udp sum offloaded]")),
    Difference("AE", "the ninth flag of RFC 9768 is newer than tcpdump 4.99", None, (r"(Flags \[[FSRP.UEW]*)e\]", r"\1]")),
    Difference("length 0", "the card is to cut the segment (TSO), which can be read", (r"(?:IP )?bad-len 0(?=\n|$)", "large"), (r"(?:IP )?(?:\(tos [^\n]*length 0(?:, bad cksum 0 [^\n]*)?\)\n    )?[^ ]+ > [^ ]+: (?:Flags|tcp) [^\n]*", "large")),
    Difference("days", "a time difference of more than a day has all its hours", (r"^ \d\d:", " HH:"), (r"^ (?:2[4-9]|[3-9]\d|\d{3,}):", " HH:")),
    Difference("listener version 1", "a blank is missing there", (r"(listener (?:query|report|done))max", r"\1 max"), None),
    Difference("ccecho", "a name is missing there", (r"([\[,]) (\d+)", r"\1ccecho \2"), (r"ccecho", "ccecho")),
    Difference("user timeout", "the top bit tells minutes (RFC 5482), not the lowest", (r"uto 0x([0-9a-f]+) \d+", r"uto 0x\1"), (r"uto 0x([0-9a-f]+) \d+", r"uto 0x\1")),
    Difference("used up route", "the destination in the header is the last one when no segment is left (RFC 8200 §4.4)",
               (r"(segleft=0, [^\n]*)\(incorrect -> 0x[0-9a-f]{4}\)", r"\1(correct)"), None),
    Difference("cut fragment header", "nothing is said of a header that is cut", (r"frag \(0\|8\) (?=\n|$)", " [|frag6]"), (r" \[\|frag6\]", " [|frag6]")),
    Difference("dump behind PPP", "begins at the IP header, however short PPP's header is", (r"\n\t0x0000:  (?:0028 0001|2800 0140)[^~]*", " DUMP"), (r"\n\t0x0000:  4500 0028[^~]*", " DUMP")),
    Difference("timestamps that do not fit", "nothing is read beyond an option", (r"(\[bad length 14\]TS\+ADDR \^ 1229070338@0.0.52.112)[^~]*", r"\1"), (r"(\[bad length 14\]TS\+ADDR \^ 1229070338@0.0.52.112)[^~]*", r"\1")),
    Difference("bytes of options", "bytes are shown when they are asked for", (r"\n\t    0x0000:  [^\n]*(?:\n\t    0x[0-9a-f]+:  [^\n]*)*", ""), None),
    Difference("dump of what is not read", "as above", (r"(unknown icmp6 type \(\d+\)(?:, length \d+)?|AF Unknown \(\d+\), length \d+|Unknown AF \d+, length \d+|Unknown(?: Ethertype)?(?: \(0x1234\))?, length \d+)(?:: )?(?:" + DUMP + ")?", r"\1"), (r"((?:Unknown|unknown icmp6)[^\n]*)(?:" + DUMP + ")?", r"\1")),
]
# What is not read at all: the line says what it was and how long. theirs may be anything of that kind.
NOT_READ = [
    Difference("IGMP", "not read", r"igmp", r" ip-proto-2 \d+"),
    Difference("ESP", "not read", r"ESP\(spi", r" ip-proto-50 \d+"),
    Difference("OSPF", "not read", r"OSPFv", r" ip-proto-89 \d+"),
    Difference("PIM", "not read", r"PIMv", r" ip-proto-103 \d+"),
    Difference("SCTP", "not read", r"sctp", r" ip-proto-132 \d+"),
    Difference("router advertisement", "addresses are not read", r"ICMP router advertisement lifetime", r"ICMP router advertisement, length \d+"),
    Difference("mtrace", "not read", r"mtrace response", r"unknown icmp6 type \(200\)"),
    Difference("unknown unreachable", "not read", r"unknown unreach code \(7\)", r"unknown unreach code \(7\)"),
    Difference("LLDP", "not read", r"LLDP", r"ethertype LLDP \(0x88cc\), length \d+|LLDP, length \d+"),
    Difference("LLC", "not read", r"STP", r"802\.3, length 38"),
    Difference("802.11", "not read", r"", r"IEEE802_11_RADIO, length \d+"),
    Difference("AF_INET6 of Linux", "read, though tcpdump does not", r"AF Unknown \(10\)|Unknown AF 10", r"2001:db8::1\.5000 > "),
    Difference("family that nobody knows", "what looks like IP is read as IP", r"AF Unknown \(251660288\)|Unknown AF 251660288", r"10\.0\.0\.138\.53 > "),
    Difference("unknown family", "not read", r"AF Unknown \(77\)|Unknown AF 77", r"(?:AF )?Unknown(?: \(\d+\))?, length \d+"),
    Difference("NFS", "no application is read", r"NFS (?:request|reply) xid", r"UDP, length \d+"),
    Difference("Reverse ARP", "not read", r"Reverse Request", r"Reverse ARP|ifindex 26 [0-9a-f:]{17}$"),
    Difference("length beyond bounds", "the file says so, and what is there can be read", r"^\[Invalid header: len\(538976288\) > 262144\]", r"^"),
]


def command(argv):
    run = subprocess.run(argv, capture_output=True, check=False, env={**os.environ, "TZ": "UTC"})
    return run.stdout.decode("latin-1"), run.stderr.decode("latin-1")


def packets(text):
    """One text a packet: further lines begin with a tab or four blanks."""
    found = []
    for line in text.split("\n")[:-1]:
        if found and (line.startswith(("\t", "    ")) and not re.match(r" +\d+  ", line) or re.search(r"vni (0x)?[0-9a-f]+(, [^\n]*)?$", found[-1])):
            found[-1] += "\n" + line
        else:
            found.append(line)
    return found


class Comparison:
    """Runs both programs and keeps which rows were needed."""

    def __init__(self, program):
        self.program, self.used, self.packets = program, set(), 0

    def explained(self, theirs, ours):
        """Whether rows of the tables say why the two differ."""
        for row in NOT_READ:
            if re.search(row.theirs, theirs) and re.search(row.ours, ours):
                self.used.add(row.name)
                return True
        needed = set()
        for row in DIFFERENCES:
            if all(not pattern or re.search(pattern[0], text) for pattern, text in ((row.theirs, theirs), (row.ours, ours))):
                needed.add(row.name)
                theirs = re.sub(*row.theirs, theirs) if row.theirs else theirs
                ours = re.sub(*row.ours, ours) if row.ours else ours
        if theirs == ours:
            self.used |= needed
        return theirs == ours

    def file(self, path, flags):
        """Complaints about one file."""
        theirs, notes = command(["tcpdump", "-nn", "-r", str(path), *flags])
        if "-e" in flags and not re.search(rf"link-type ({'|'.join(LINK_HEADERS)}) ", notes):
            return []
        ours, _ = command([self.program, "capture", "-r", str(path), "--packets", "-n", *flags])
        if flags in TEXT_FLAGS:
            return [] if theirs == ours else [f"{' '.join(flags)}: the texts differ: {theirs[-300:]!r} {ours[-300:]!r}"]
        theirs, ours = packets(theirs), packets(ours)
        if REFUSED.search(notes):
            ours = ours[:len(theirs)]
        self.packets += len(ours)
        where = " ".join(flags) or "no option"
        complaints = [f"{where}, packet {number}\n  tcpdump: {left!r}\n  ours:    {right!r}" for number, (left, right) in enumerate(zip(theirs, ours), 1)
                      if left != right and not self.explained(left, right)]
        if len(theirs) != len(ours):
            complaints.append(f"{where}: {len(theirs)} packets there, {len(ours)} here")
        return complaints

    def made(self, make, folder):
        path = pathlib.Path(folder) / f"{make.__name__}.pcap"
        frames, fields = make()
        write_pcap(path, frames, **fields)
        complaints = [complaint for flags in FLAGS for complaint in self.file(path, flags)]
        if make is captures.every_byte:
            complaints += [complaint for flags in TEXT_FLAGS for complaint in self.file(path, flags)]
        return complaints

    def found(self, path):
        return [complaint for flags in FOLDER_FLAGS for complaint in self.file(path, flags)]


def report(number, name, complaints):
    print(f"{'not ok' if complaints else 'ok'} {number} - {name}", flush=True)
    for complaint in complaints[:5]:
        print("# " + complaint.replace("\n", "\n# "))
    if len(complaints) > 5:
        print(f"# and {len(complaints) - 5} more")
    return bool(complaints)


def version():
    """tcpdump's, "" when there is none."""
    try:
        return command(["tcpdump", "--version"])[0].splitlines()[0]
    except (FileNotFoundError, IndexError):
        return ""


def public_captures():
    if len(sys.argv) > 2:
        folders = [pathlib.Path(sys.argv[2])] if sys.argv[2] else []
    else:
        folders = [folder for folder in (ROOT.parent / "shared/captures", ROOT.parents[1] / "shared/captures") if folder.is_dir()]
    return sorted(folders[0].glob("*.pcap*")) if folders else []


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if not version().startswith("tcpdump version 4.99.3"):
        print(f"1..1\nok 1 - tcpdump # SKIP no tcpdump 4.99.3 here: {version() or 'none at all'}")
        return 0
    comparison = Comparison(sys.argv[1])
    paths = public_captures()
    count = len(captures.CAPTURES) + len(paths) + 1
    failed = 0
    print(f"1..{count}")
    with tempfile.TemporaryDirectory() as folder:
        for number, make in enumerate(captures.CAPTURES, 1):
            failed += report(number, f"{make.__name__}__every_option__as_tcpdump", comparison.made(make, folder))
    for number, path in enumerate(paths, len(captures.CAPTURES) + 1):
        failed += report(number, f"{path.name}__options__as_tcpdump", comparison.found(path))
    stale = [f"nothing needs the row '{row.name}' any more" for row in DIFFERENCES + NOT_READ if row.name not in comparison.used and (paths or row.name not in FOLDER_ONLY)]
    failed += report(count, "differences__every_row__is_needed", stale)
    print(f"# {comparison.packets} packets compared")
    return 1 if failed else 0


sys.exit(main())

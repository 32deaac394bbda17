# SPDX-License-Identifier: MIT
"""Writes a recording from a description in Python, so that golden tests replay sockets that no kernel has to make.

The layout is that of src/collect/recording.h; tcp_info offsets come from include/tcptriage/model/tcp_info.def.
"""
import os
import re
import socket
import struct

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
MASK = (1 << 64) - 1
STATES = {name: i for i, name in enumerate(
    "- ESTAB SYN-SENT SYN-RECV FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT UNCONN CLOSE-WAIT LAST-ACK LISTEN CLOSING".split())}
TIMERS = {"off": 0, "on": 1, "keepalive": 2, "timewait": 3, "persist": 4}


def hash_u64(x):
    x ^= x >> 33
    x = x * 0xFF51AFD7ED558CCD & MASK
    x ^= x >> 33
    x = x * 0xC4CEB9FE1A85EC53 & MASK
    return x ^ x >> 33


def hash_mix(seed, word):
    return hash_u64(seed ^ (word + 0x9E3779B97F4A7C15 + (seed << 6) + (seed >> 2) & MASK))


def hash_bytes(seed, data):
    value = hash_mix(seed, len(data))
    for at in range(0, len(data), 8):
        value = hash_mix(value, int.from_bytes(data[at:at + 8], "little"))
    return value


def tcp_info_fields():
    fields = {}
    with open(os.path.join(ROOT, "include/tcptriage/model/tcp_info.def"), encoding="utf-8") as table:
        for row in re.finditer(r'^TCPI\(\w+, "(\w+)", "\w+", (\d+), (\d+), (\d+),', table.read(), re.M):
            fields[row[1]] = tuple(int(n) for n in row.groups()[1:])
    return fields


FIELDS = tcp_info_fields()


def tcp_info(values, length):
    data = bytearray(length)
    for name, value in values.items():
        offset, bits, shift = FIELDS[name]
        if offset + (bits + 7) // 8 > length:
            raise ValueError(f"{name} lies beyond {length} bytes")
        if bits < 8:
            data[offset] |= value << shift
        else:
            data[offset:offset + bits // 8] = value.to_bytes(bits // 8, "little")
    return bytes(data)


def attribute(kind, data):
    raw = struct.pack("<HH", 4 + len(data), kind) + data
    return raw + bytes(-len(raw) % 4)


def address(text):
    if ":" in text:
        return socket.inet_pton(socket.AF_INET6, text)
    return socket.inet_aton(text) + bytes(12)


class Sock:
    """One socket. info: tcp_info fields by kernel name, None for a kernel that tells nothing (TIME-WAIT, SYN-RECV)."""

    def __init__(self, state, local, peer, info=None, *, netid="tcp", timer="off", expires=0, retrans=0, recv_q=0,
                 send_q=0, uid=0, inode=0, cookie=1, skmem=None, info_len=280, cong=None, family=None, mark=None):
        self.netid = netid
        self.v6 = family == 6 if family else ":" in local[0]
        number = TIMERS.get(timer, timer)
        raw = struct.pack("<BBBB", socket.AF_INET6 if self.v6 else socket.AF_INET, STATES[state], number, retrans)
        raw += struct.pack(">HH", local[1], peer[1])
        raw += self.sixteen(local[0]) + self.sixteen(peer[0])
        raw += struct.pack("<IQ", 0, cookie) + struct.pack("<IIIII", expires, recv_q, send_q, uid, inode)
        if info is not None:
            raw += attribute(2, tcp_info(info, info_len))
        if skmem is not None:
            raw += attribute(7, struct.pack("<9I", *skmem))
        if cong:
            raw += attribute(4, cong.encode() + b"\0")
        if mark is not None:
            raw += attribute(15, struct.pack("<I", mark))
        self.raw = raw

    def sixteen(self, text):
        if self.v6 and ":" not in text:
            return bytes(10) + b"\xff\xff" + socket.inet_aton(text)
        return address(text)


def frame(kind, family, data):
    return struct.pack("<IIIBBH", 0x4C4E5454, len(data), hash_bytes(0, data) & 0xFFFFFFFF, kind, family, 0) + data


def dump(socks):
    """Both families, each closed by its end frame."""
    out = b""
    for family in (0, 1):
        for sock in socks:
            if sock.v6 == bool(family):
                message = struct.pack("<IHHII", 16 + len(sock.raw), 20, 2, 1, 0) + sock.raw
                out += frame(1, family, message)
        out += frame(2, family, struct.pack("<iI", 0, 1))
    return out


def two_lines(group, values):
    return f"{group}: {' '.join(values)}\n{group}: {' '.join(str(v) for v in values.values())}\n"


SYSCTLS = {
    "ipv4/ip_local_port_range": "32768\t60999", "ipv4/tcp_tw_reuse": "2", "ipv4/tcp_tw_reuse_delay": "1000",
    "ipv4/tcp_max_tw_buckets": "131072", "ipv4/tcp_fin_timeout": "60", "ipv4/tcp_syn_retries": "6",
    "ipv4/tcp_syn_linear_timeouts": "4", "ipv4/tcp_rto_max_ms": "120000", "ipv4/tcp_timestamps": "1",
    "core/somaxconn": "4096", "ipv4/ip_local_reserved_ports": "",
}


# One interface with a default route, as src/collect/network_table.h writes it.
NETWORK = (
    "network\t0\t4\n"
    "link\t1\t65536\t0\t0\t7\t0\t0\t1000\t0\t0\t-\t0.0.0.0\tlo\n"
    "link\t2\t1500\t0\t0\t3\t0\t0\t90000\t3\t0\t-\t0.0.0.0\teth0\n"
    "address\t1\t8\t0\t127.0.0.1\t127.0.0.1\n"
    "address\t2\t24\t0\t10.0.0.5\t10.0.0.5\n"
    "route\t2\t0\t254\t0\t0\t1\t3\t0\t1\t1\t0.0.0.0\t10.0.0.1\t0.0.0.0\n"
    "route\t2\t24\t254\t0\t0\t1\t2\t253\t1\t2\t10.0.0.0\t0.0.0.0\t10.0.0.5\n"
    "end\n"
)


class Recording:
    """A directory in the making. samples: (offset in s, [Sock]); processes: (pid, comm, inodes, fds, nofile)."""

    def __init__(self, samples, processes=(), counters=None, sysctls=None, start_us=1_790_000_000_000_000):
        self.samples = samples
        self.processes = processes
        self.counters = counters or [{}] * len(samples)
        self.sysctls = {**SYSCTLS, **(sysctls or {})}
        self.start_us = start_us

    def write(self, path):
        os.makedirs(path, mode=0o700)

        def put(name, data):
            with open(os.path.join(path, name), "wb") as out:
                out.write(data if isinstance(data, bytes) else data.encode("utf-8", "surrogateescape"))

        manifest = ["tcptriage-recording\t1", "byte_order\tlittle", "host\tgolden", "kernel\t6.18.0", "redacted\tno",
                    "netns\t4026531833\t1\t-\t-\t-"]
        for n, (offset, socks) in enumerate(self.samples):
            clock = int(offset * 1_000_000)
            manifest.append(f"sample\t{self.start_us + clock}\t{1_000_000_000 + clock}\t{1_000_000_000 + clock}")
            put(f"ns0-{n}.tcp", dump([s for s in socks if s.netid == "tcp"]))
            put(f"ns0-{n}.udp", dump([s for s in socks if s.netid == "udp"]))
            self.put_counters(put, n)
        put("manifest", "\n".join(manifest) + "\nend\n")
        put("ns0.sysctl", "".join(f"{k} = {v}\n" for k, v in self.sysctls.items()) + "end\n")
        put("ns0.route", "end\n")
        put("ns0.network", NETWORK)
        put("cgroups", "cgroup\t1\t/\nend\n")
        lines = ["pass\t0\t0"]
        for pid, comm, inodes, fds, nofile in self.processes:
            lines.append(f"process\t{pid}\t1000\t{pid}\t{fds}\t{nofile}\t500000000\t83\t{comm}\t/\t-\t-")
            lines += [f"fd\t{inode}\t{7 + k}" for k, inode in enumerate(inodes)]
        put("owners", "\n".join(lines) + "\nend\n")

    def put_counters(self, put, n):
        grown = self.counters[n]
        tcp = {"ActiveOpens": 1000, "PassiveOpens": 1000, "AttemptFails": 0, "CurrEstab": 10, "RetransSegs": 5,
               "EstabResets": 3, "OutRsts": 3}
        ext = {"TW": 100, "TWRecycled": 0, "TWKilled": 0, "ListenOverflows": 0, "ListenDrops": 0, "TCPSynRetrans": 0,
               "TCPToZeroWindowAdv": 0, "EmbryonicRsts": 0, "TCPAbortOnTimeout": 0, "TCPAbortOnClose": 0, "TCPAbortOnData": 0,
               "TCPAbortOnMemory": 0, "TCPAbortOnLinger": 0, "TCPAbortFailed": 0, "TCPSYNChallenge": 0, "TCPChallengeACK": 0}
        put(f"ns0-{n}.snmp", two_lines("Tcp", {k: v + grown.get(k, 0) for k, v in tcp.items()}))
        put(f"ns0-{n}.netstat", two_lines("TcpExt", {k: v + grown.get(k, 0) for k, v in ext.items()}))
        put(f"ns0-{n}.snmp6", "Icmp6InPktTooBigs 0\n")
        put(f"ns0-{n}.sockstat", "sockets: used 200\nTCP: inuse 20 orphan 0 tw 3 alloc 25 mem 1\nUDP: inuse 2 mem 1\n")
        put(f"ns0-{n}.sockstat6", "TCP6: inuse 3\nUDP6: inuse 0\n")

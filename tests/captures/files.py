# SPDX-License-Identifier: MIT
"""Capture files, written byte by byte: pcap in either byte order and resolution, pcapng with its blocks and options."""
import struct

START_NS = 1_700_000_000 * 10**9  # when every scene begins

PCAP_US, PCAP_NS, PCAP_MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34


def pcap_header(link, order="<", magic=PCAP_US, snaplen=262144):
    return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, link)


def pcap_record(time_ns, data, wire=None, order="<", magic=PCAP_US):
    seconds, rest = divmod(time_ns, 10**9)
    return struct.pack(order + "IIII", seconds, rest if magic == PCAP_NS else rest // 1000, len(data), len(data) if wire is None else wire) + data


def pcap(frames, link, order="<", magic=PCAP_US, snaplen=262144):
    """frames: (time in ns since the start, bytes, length on the wire or None)."""
    return pcap_header(link, order, magic, snaplen) + b"".join(
        pcap_record(START_NS + time, data[:snaplen], len(data) if wire is None else wire, order, magic) for time, data, wire in frames)


class Pcapng:
    """A pcapng file as it grows: one section after the other, blocks in the order of the calls."""

    def __init__(self, order="<", resolution=6):
        self.order, self.resolution, self.data = order, resolution, b""

    def block(self, kind, body):
        body += b"\0" * (-len(body) % 4)
        total = 12 + len(body)
        self.data += struct.pack(self.order + "II", kind, total) + body + struct.pack(self.order + "I", total)
        return self

    def options(self, *pairs):
        text = b"".join(struct.pack(self.order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4) for code, value in pairs)
        return text + struct.pack(self.order + "HH", 0, 0) if pairs else b""

    def section(self, *options):
        return self.block(0x0A0D0D0A, struct.pack(self.order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + self.options(*options))

    def interface(self, link, snaplen=0, name=None, *options):
        pairs = ([(2, name)] if name else []) + ([(9, bytes([self.resolution]))] if self.resolution != 6 else []) + list(options)
        return self.block(1, struct.pack(self.order + "HHI", link, 0, snaplen) + self.options(*pairs))

    def packet(self, time_ns, data, wire=None, interface=0, *options):
        ticks = (START_NS + time_ns) // 10 ** (9 - self.resolution)
        padded = data + b"\0" * (-len(data) % 4)
        return self.block(6, struct.pack(self.order + "IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(data),
                                         len(data) if wire is None else wire) + padded + self.options(*options))

    def simple_packet(self, data, wire=None):
        return self.block(3, struct.pack(self.order + "I", len(data) if wire is None else wire) + data)

    def statistics(self, time_ns, received, dropped_interface, dropped_kernel, interface=0):
        ticks = (START_NS + time_ns) // 10 ** (9 - self.resolution)
        numbers = [(4, received), (5, dropped_interface), (7, dropped_kernel)]
        return self.block(5, struct.pack(self.order + "III", interface, ticks >> 32, ticks & 0xFFFFFFFF)
                          + self.options(*[(code, struct.pack(self.order + "Q", value)) for code, value in numbers]))

# SPDX-License-Identifier: MIT
"""Recordings with a shifted clock: what a socket would look like had the test waited longer than it can.

Only ages are moved; everything else of the recording is what the kernel said. The layout is that of src/collect/recording.h."""
import pathlib
import struct

FRAME = struct.Struct("=IIIBBH")  # magic, length, checksum, kind, family, zero
DATA = 1
NLMSG_HEADER, DIAG_MESSAGE = 16, 72
INET_DIAG_INFO = 2
LAST_DATA_SENT, LAST_DATA_RECV, LAST_ACK_RECV = 44, 52, 56  # offsets in tcp_info, ms
MASK = (1 << 64) - 1


def mix(seed, word):
    x = seed ^ ((word + 0x9e3779b97f4a7c15 + (seed << 6) + (seed >> 2)) & MASK)
    x = ((x ^ x >> 33) * 0xff51afd7ed558ccd) & MASK
    x = ((x ^ x >> 33) * 0xc4ceb9fe1a85ec53) & MASK
    return x ^ x >> 33


def checksum(data):
    value = mix(0, len(data))
    for at in range(0, len(data), 8):
        value = mix(value, int.from_bytes(data[at:at + 8], "little"))
    return value & 0xffffffff


def age_message(data, start, end, state, shift_ms):
    """Adds shift_ms to the ages of one sock_diag message if its socket is in `state`. Returns how many sockets were aged."""
    if data[start + NLMSG_HEADER + 1] != state:
        return 0
    at, aged = start + NLMSG_HEADER + DIAG_MESSAGE, 0
    while at + 4 <= end:
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        if kind & 0x3fff == INET_DIAG_INFO:
            for offset in (LAST_DATA_SENT, LAST_DATA_RECV, LAST_ACK_RECV):
                value, = struct.unpack_from("=I", data, at + 4 + offset)
                struct.pack_into("=I", data, at + 4 + offset, value + shift_ms)
            aged += 1
        at += (length + 3) & ~3
    return aged


def age_file(path, state, shift_ms):
    data, at, aged = bytearray(path.read_bytes()), 0, 0
    while at + FRAME.size <= len(data):
        magic, length, _, kind, family, zero = FRAME.unpack_from(data, at)
        body = at + FRAME.size
        message = body
        while kind == DATA and message + NLMSG_HEADER + DIAG_MESSAGE <= body + length:
            size, = struct.unpack_from("=I", data, message)
            aged += age_message(data, message, message + size, state, shift_ms)
            message += (size + 3) & ~3
        FRAME.pack_into(data, at, magic, length, checksum(bytes(data[body:body + length])), kind, family, zero)
        at = body + length
    path.write_bytes(data)
    return aged


def age(folder, state, shift_ms):
    """Makes every socket in `state` (the kernel's number) of a recording older. Returns how many rows were changed."""
    return sum(age_file(path, state, shift_ms) for path in pathlib.Path(folder).glob("ns*.tcp"))

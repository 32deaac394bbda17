# SPDX-License-Identifier: MIT
"""A path between c and s that a program carries: packets are read from a tun device, kept as long as they are to be on the way, and written to the other."""
import contextlib
import fcntl
import heapq
import os
import select
import struct
import time

from lab import enter

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454ca, 1, 0x1000
FAR = "far"  # the device of the path, in both namespaces


def tun_in(namespace, name):
    enter(namespace)
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def carrier(lab, fate):
    """A program: fate(packet, sender) says after how many seconds each copy of a packet arrives: [0.02], [] when it is lost, two numbers for two copies."""
    def program(tell):
        devices = [tun_in(lab.ns(role), FAR) for role in "cs"]
        waiting, count = [], 0
        tell("ready")
        while True:
            timeout = max(waiting[0][0] - time.monotonic(), 0) if waiting else 1
            for device in select.select(devices, [], [], timeout)[0]:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        packet = os.read(device, 65536)
                        for delay in fate(packet, "cs"[devices.index(device)]):
                            count += 1
                            heapq.heappush(waiting, (time.monotonic() + delay, count, devices[device == devices[0]], packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, device, packet = heapq.heappop(waiting)
                with contextlib.suppress(OSError):
                    os.write(device, packet)
    return program


def build(lab, fate):
    """Client and server with such a path between their addresses."""
    lab.build()
    lab.spawn("c", carrier(lab, fate), "lab-far").hear()
    bits = 32 if lab.family == 4 else 128
    for role, other in ("cs", "sc"):
        lab.batch(role, f"link set {FAR} up", f"route add {lab.addr(other)}/{bits} dev {FAR} src {lab.addr(role)}")

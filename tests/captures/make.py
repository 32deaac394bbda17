#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the captures of all scenes, byte by byte the same in every run.
usage: make.py DIRECTORY [SCENE…]      make.py --list: names and titles      make.py --bundle FILE: the frames of all scenes for test_sweep.c"""
import pathlib
import struct
import sys

import scene_capture  # noqa: F401  each module registers its scenes
import scene_close  # noqa: F401
import scene_data  # noqa: F401
import scene_ip  # noqa: F401
import scene_links  # noqa: F401
import scene_open  # noqa: F401
import scene_size  # noqa: F401
from scenes import SCENES, play


def write(directory, names=None):
    """Writes the scenes and returns name → path."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name in names or SCENES:
        net = play(name)
        paths[name] = directory / f"{name}.{net.extension}"
        paths[name].write_bytes(net.bytes())
    return paths


def bundle(path):
    """Each scene: name (32 bytes), link type, number of frames; each frame: time:64, captured:32, wire:32, bytes. All little-endian."""
    made = b""
    for name in SCENES:
        net = play(name)
        frames = list(net.frame_bytes())
        made += struct.pack("<32sII", name.encode(), net.link, len(frames))
        made += b"".join(struct.pack("<QII", time, len(data), wire) + data for time, data, wire in frames)
    pathlib.Path(path).write_bytes(made)


def main(argv):
    if len(argv) < 2:
        sys.exit(__doc__)
    if argv[1] == "--bundle":
        bundle(argv[2])
        return
    if argv[1] == "--list":
        for name, one in SCENES.items():
            print(f"{name:28} {one.title}")
        return
    print(f"{len(write(argv[1], argv[2:]))} captures in {argv[1]}")


if __name__ == "__main__":
    main(sys.argv)

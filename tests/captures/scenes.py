# SPDX-License-Identifier: MIT
"""The table of scenes: for each what it shows and what must be said of it. All numbers are written from the scene, never from the program.

A scene names per flow, in order of first sight, its state and the counters that are not 0 (a pair: client, server); packets and bytes come from the
ledger of the capture point. Events and findings are complete: one that is not named is a failure."""
import collections
import functools

import talk

COUNTERS = ("retransmissions", "spurious_retransmissions", "out_of_order", "duplicate_acks", "zero_windows", "keepalives", "resets")
TOTALS = ("truncated", "malformed", "unsupported", "dropped_kernel", "dropped_interface", "received")

Scene = collections.namedtuple("Scene", "name title family make flows events findings totals")
SCENES = {}


def flow(state, protocol="tcp", **numbers):
    return {"protocol": protocol, "state": state, **numbers}


def scene(title, flows=(), events=None, findings=None, families=(4, 6), **totals):
    """Registers a scene in each family. findings: rule → severities, "explained" for one that another finding explains. Whatever differs between families is given as {4: …, 6: …}."""
    def register(make):
        for family in families:
            def of(value):
                return value[family] if isinstance(value, dict) and set(value) == {4, 6} else value
            name = f"{make.__name__}-v{family}"
            assert name not in SCENES, name
            SCENES[name] = Scene(name, title, family, make, list(of(flows)), dict(of(events) or {}), dict(of(findings) or {}),
                                 {key: of(value) for key, value in totals.items()})
        return make
    return register


@functools.lru_cache(None)
def play(name):
    """The scene as it was played: its net, with frames and ledger."""
    net = talk.Net(SCENES[name].family)
    SCENES[name].make(net)
    return net

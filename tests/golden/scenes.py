# SPDX-License-Identifier: MIT
"""The sockets that golden tests replay: one leaking program among healthy neighbours, and one where every text is hostile."""
from recording import Recording, Sock

QUIET = {"state": 1, "options": 7, "snd_wscale": 7, "rcv_wscale": 7, "rto": 204000, "ato": 40000, "snd_mss": 1448,
         "rcv_mss": 536, "last_data_sent": 120, "last_data_recv": 80, "last_ack_recv": 80, "pmtu": 1500, "rtt": 312,
         "rttvar": 45, "snd_ssthresh": 2147483647, "snd_cwnd": 10, "advmss": 1448, "reordering": 3, "rcv_space": 14480,
         "rcv_ssthresh": 64088, "bytes_acked": 5001, "bytes_received": 9000, "segs_out": 40, "segs_in": 38,
         "data_segs_out": 20, "data_segs_in": 20, "min_rtt": 120, "bytes_sent": 5000, "delivered": 21,
         "delivery_rate": 4_000_000, "pacing_rate": 90_000_000, "max_pacing_rate": (1 << 64) - 1, "snd_wnd": 64256,
         "rcv_wnd": 64128, "busy_time": 9000}


def estab(cookie, local, peer, inode, at, **more):
    return Sock("ESTAB", local, peer, {**QUIET, "last_data_sent": 120 + at, "last_data_recv": 80 + at}, inode=inode,
                cookie=cookie, uid=1000, cong="cubic", skmem=(0, 131072, 0, 87040, 0, 0, 0, 0, 0), **more)


def neighbours(at):
    """Healthy sockets of every kind; at is the time of the sample in ms."""
    return [
        Sock("LISTEN", ("0.0.0.0", 443), ("0.0.0.0", 0), {"state": 10, "advmss": 536, "snd_cwnd": 10}, inode=101, cookie=1,
             send_q=511, cong="cubic", skmem=(0, 131072, 0, 16384, 0, 0, 0, 0, 0)),
        Sock("LISTEN", ("::", 8080), ("::", 0), {"state": 10, "snd_cwnd": 10}, inode=102, cookie=2, send_q=128),
        *[estab(10 + i, ("192.168.7.5", 443), (f"203.0.113.{i}", 50000 + i), 110 + i, at) for i in range(1, 6)],
        estab(20, ("192.168.7.5", 8080), ("10.0.9.9", 40001), 120, at, family=6),
        estab(21, ("2001:db8::5", 44000), ("2001:db8::80", 5432), 121, at),
        Sock("TIME-WAIT", ("192.168.7.5", 443), ("203.0.113.9", 50999), timer="timewait", expires=40000 - at, cookie=30),
        Sock("SYN-RECV", ("192.168.7.5", 443), ("203.0.113.77", 51000), timer="on", expires=900, cookie=31),
        Sock("FIN-WAIT-2", ("192.168.7.5", 443), ("203.0.113.78", 51001), timer="timewait", expires=30000, cookie=32),
        Sock("UNCONN", ("0.0.0.0", 53), ("0.0.0.0", 0), netid="udp", inode=140, cookie=40,
             skmem=(0, 212992, 0, 212992, 0, 0, 0, 0, 0)),
        Sock("ESTAB", ("127.0.0.1", 40000), ("127.0.0.53", 53), netid="udp", inode=141, cookie=41),
    ]


WEB = (812, "nginx", [101, 102, 111, 112, 113, 114, 115, 120, 121, 140, 141], 40, 1024)


def leak(at, count=211):
    info = {**QUIET, "state": 8, "last_data_sent": 8_041_000 + at, "last_data_recv": 8_040_200 + at,
            "last_ack_recv": 8_040_000 + at}
    return [Sock("CLOSE-WAIT", ("192.168.7.5", 33000 + i), ("10.0.3.4", 5432), info, inode=1000 + i, cookie=1000 + i,
                 uid=1000, cong="cubic") for i in range(count)]


def close_wait_leak():
    times = (0, 2, 5)
    return Recording([(t, neighbours(t * 1000) + leak(t * 1000)) for t in times],
                     [WEB, (4121, "app", [1000 + i for i in range(211)], 236, 1024)])


def healthy():
    return Recording([(t, neighbours(t * 1000)) for t in (0, 2, 5)], [WEB])


def syn_sent_stall():
    """Three attempts to one silent host, the oldest 16 s old, on a kernel with linear SYN timeouts."""
    def attempts(at):
        ages = {61: (16_000, 8, 3, 8000), 62: (7_000, 6, 1, 2000), 63: (4_200, 4, 0, 1000)}
        for cookie, (age, retries, backoff, rto) in ages.items():
            linear = (retries - backoff) * 1000 + (2 ** backoff - 1) * 1000
            yield Sock("SYN-SENT", ("192.168.7.5", 33000 + cookie), ("10.9.9.9", 80),
                       {"state": 2, "retransmits": retries, "backoff": backoff, "rto": rto * 1000, "snd_mss": 524,
                        "unacked": 1, "lost": 1, "total_retrans": retries, "snd_cwnd": 1, "pmtu": 1500, "advmss": 1460},
                       timer="on", retrans=retries, expires=max(rto - (age + at - linear), 1), send_q=1, inode=300 + cookie,
                       cookie=cookie, uid=1000)
    return Recording([(0, neighbours(0) + list(attempts(0)))], [WEB, (4121, "app", [361, 362, 363], 20, 1024)])


def fallback():
    """IPv6 is silent, and the same process has the same service over IPv4."""
    silent = [Sock("SYN-SENT", ("2001:db8::5", 40000 + n), ("2001:db8:1::9", 443),
                   {"state": 2, "retransmits": 6, "backoff": 2, "rto": 4000000, "unacked": 1, "lost": 1, "total_retrans": 6},
                   timer="on", retrans=6, expires=2000, send_q=1, inode=400 + n, cookie=400 + n) for n in range(3)]
    young = estab(410, ("192.168.7.5", 40010), ("203.0.113.80", 443), 410, 0)
    return Recording([(0, neighbours(0) + silent + [young])], [WEB, (77, "browser", [400, 401, 402, 410], 20, 1024)])


def hostile():
    """Names that try to move the cursor, end a line or break a quote; a timer and lengths of kernels to come and gone by."""
    def sockets(at):
        return [
            estab(1, ("10.0.0.1", 1000), ("10.0.0.2", 2000), 901, at),
            Sock("ESTAB", ("10.0.0.1", 1001), ("10.0.0.2", 2000), {**{k: v for k, v in QUIET.items() if k not in ("snd_wnd", "rcv_wnd")},
                 "snd_mss": 65483, "rtt": 0}, info_len=224, timer=9, expires=77, cookie=0xFFFFFFFF12345678, inode=902),
            Sock("ESTAB", ("fe80::1", 1002), ("fe80::2", 2000), {}, info_len=0, cookie=3, inode=903),
        ]
    # as the recording escapes them: see src/collect/table.h
    evil = "e\\x1b[2J\\x0avil\\x22\\x27"
    return Recording([(0, sockets(0))], [(66, evil, [901, 902], 9, 64), (67, "twin", [901], 9, 64)])


SCENES = {f.__name__: f for f in (close_wait_leak, healthy, syn_sent_stall, fallback, hostile)}

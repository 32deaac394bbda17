# SPDX-License-Identifier: MIT
"""Where our counts of the public captures differ from tshark's, and why ours are kept. Each was looked at packet by packet."""

# file → exit status, packets read, a word of the message
BROKEN = {
    "pcapplusplus__crash-pcapng-epb-unbounded-length.pcapng": (4, 0, "a packet of 65536 bytes where 0 are there"),
}

NOT_OUTSTANDING = "no data was outstanding, so the ACK repeats nothing (RFC 5681 §2)"
NEWER_ID = "the IP id is newer than those of the segments behind it, so it was sent after them: a retransmission, not a late segment"
SAME_ID = "the same IP id, sequence and timestamp: the frame was captured twice, nothing was sent again"
NO_PACKETS = "tshark shows custom blocks of pcapng as frames; they hold no packets"

# file → counter → ours, tshark's, the reason
DIFFERENCES = {
    "packets__tcp_zerowindowdead.pcapng": {"keepalives": (0, 3, "the window is shut: they are probes of it (RFC 9293 §3.8.6.1)")},
    "packets__nowebaccess3.pcapng": {"retransmissions": (1, 2, SAME_ID)},
    "packets__dns_isp_hijack.pcapng": {"retransmissions": (5, 4, NEWER_ID), "out_of_order": (0, 1, NEWER_ID), "duplicate_acks": (0, 5, NOT_OUTSTANDING)},
    "zeek__smtp.pcap": {"retransmissions": (7, 6, "sent again in smaller segments after 'packet too big'"), "out_of_order": (0, 1, "the same segment"),
                        "duplicate_acks": (0, 2, NOT_OUTSTANDING)},
    "zeek__206_example_a.pcap": {"retransmissions": (19, 14, NEWER_ID + "; duplicate ACKs had asked for them"), "out_of_order": (0, 5, NEWER_ID)},
    "zeek__mixed-vlan-mpls.pcap": {"duplicate_acks": (0, 1, NOT_OUTSTANDING)},
    "zeek__nflog-http.pcap": {"retransmissions": (0, 2, SAME_ID)},
    "tcptrace__discard.solaris.pcap": {"retransmissions": (74, 105, SAME_ID), "out_of_order": (0, 12, SAME_ID),
                                       "duplicate_acks": (317, 325, "one is " + SAME_ID + "; of the others: " + NOT_OUTSTANDING)},
    "tcptrace__single_byte_rexmit.pcap": {"duplicate_acks": (1, 2, NOT_OUTSTANDING)},
    "tcptrace__urgent.pcap": {"retransmissions": (5, 1, NEWER_ID + "; one is a single byte that was never acknowledged, which a keepalive's is"),
                              "out_of_order": (0, 3, NEWER_ID), "keepalives": (0, 1, "its byte had not been acknowledged: it is a retransmission")},
    "pcapng-gen__be_test102.pcapng": {"packets": (5, 8, NO_PACKETS)},
    "pcapng-gen__le_test202.pcapng": {"packets": (8, 11, NO_PACKETS)},
    "arkime__wireshark-retrans.pcap": {"retransmissions": (0, 47, SAME_ID), "out_of_order": (0, 1, SAME_ID), "duplicate_acks": (0, 27, SAME_ID),
                                       "keepalives": (0, 1, SAME_ID)},
    "arkime__80211http.pcap": {"retransmissions": (0, 1, "802.11 is not read, and said to be unsupported"),
                               "duplicate_acks": (0, 1, "802.11 is not read, and said to be unsupported")},
    "suricata-verify__split-handshake-4whs.pcap": {"retransmissions": (0, 1, "both sides sent a SYN; a SYN-ACK with the same number answers the other's")},
}

# files in which tshark calls something malformed that is none of our layers
NOT_MALFORMED = {
    "packets__icmp_traceroute.pcapng": "what stands behind the quoted packet is the extension of RFC 4884 (MPLS labels), which tshark takes for its payload",
    "pcapplusplus__one_tcp_stream_max_seq.pcap": "tshark's reassembly of the stream stumbles over a keepalive byte",
    "arkime__wireshark-retrans.pcap": "tshark's reassembly of the stream stumbles over copies of frames",
}

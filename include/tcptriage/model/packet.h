/* SPDX-License-Identifier: MIT */
/* One packet as it was decoded: the model between decode/ and everything that tracks, judges or prints. Plain data, host order.
 *
 * A struct packet is filled by packet_decode() and is worth as long as the bytes of its frame. To stay cheap it is not cleared for each
 * packet: a part is only worth something when its bit stands in @has, the arrays as far as their count says. */
#ifndef TCPTRIAGE_MODEL_PACKET_H
#define TCPTRIAGE_MODEL_PACKET_H

#include "tcptriage/model/address.h"
#include "tcptriage/model/decode_status.h"

/** Most of each that are read of one packet; a deeper nest is DECODE_UNSUPPORTED. */
#define PACKET_VLANS_MAX 4
#define PACKET_LABELS_MAX 8
#define PACKET_TUNNELS_MAX 4
#define TCP_SACK_BLOCKS_MAX 4

/** enum packet_direction - as seen from the machine that captured. */
enum packet_direction { DIRECTION_UNKNOWN, DIRECTION_IN, DIRECTION_OUT };

/**
 * struct frame - the bytes of one packet as they were captured.
 * @bytes: @captured of them are there, @wire were on the wire (≥ @captured). @time_ns: since 1970, may go backwards between frames.
 * @link_type: LINKTYPE_* number (https://www.tcpdump.org/linktypes.html). @interface: index into the capture's interfaces.
 * @direction: enum packet_direction, where the capture tells it. @number: from 1 on, counted over all files of a run.
 */
struct frame {
	const uint8_t *bytes;
	uint32_t captured, wire;
	int64_t time_ns;
	uint64_t number;
	uint32_t link_type, interface;
	uint8_t direction;
};

/** enum packet_layer - where decoding ended; the layer that a status other than DECODE_OK speaks of. */
enum packet_layer {
	LAYER_LINK,
	LAYER_IPV4,
	LAYER_IPV6,
	LAYER_TUNNEL,
	LAYER_TCP,
	LAYER_UDP,
	LAYER_ICMP,
	LAYER_OTHER, /* a network or transport protocol that is not read: ARP, SCTP, ESP, … */
	LAYER_COUNT
};
/** packet_layer_name() - "link", "ipv4", …: for counts and messages. */
const char *packet_layer_name(enum packet_layer layer);

/** Which parts of a struct packet are there: bits of packet.has. */
enum packet_has {
	PACKET_HAS_MAC = 1 << 0,
	PACKET_HAS_IP = 1 << 1,	   /* the innermost IP header */
	PACKET_HAS_TCP = 1 << 2,   /* at least the 20 fixed bytes */
	PACKET_HAS_UDP = 1 << 3,
	PACKET_HAS_ICMP = 1 << 4,  /* at least type and code */
	PACKET_HAS_QUOTE = 1 << 5, /* icmp.quote: at least its IP header */
	PACKET_HAS_IFINDEX = 1 << 6,
	PACKET_HAS_PORTS = 1 << 7, /* source and destination port, though the rest of the header may be cut */
};

/**
 * struct link_header - what stands before the network layer.
 * @type: LINKTYPE_* number. @src, @dst: hardware addresses (PACKET_HAS_MAC; cooked frames have only @src). @ethertype: of what follows VLAN
 * tags and MPLS labels, 0 when the link type has none. @vlan: tag control words, outermost first, @tpid of each. @label: MPLS label stack
 * entries (label, TC, S, TTL), top first. @pppoe_session: valid when @is_pppoe. @cooked_type: packet type of SLL/SLL2 (0 to us … 4 from us).
 * @hardware: ARPHRD_* of SLL/SLL2. @ifindex: SLL2's, index on the machine that captured.
 */
struct link_header {
	uint32_t type, ifindex;
	uint8_t src[6], dst[6];
	uint16_t ethertype, pppoe_session, cooked_type, hardware;
	uint8_t vlan_count, label_count;
	bool is_pppoe;
	struct {
		uint16_t tpid, tci;
	} vlan[PACKET_VLANS_MAX];
	uint32_t label[PACKET_LABELS_MAX];
};

/** enum checksum - what is known of a checksum. */
enum checksum {
	CHECKSUM_UNKNOWN,   /* not looked at, not all there, or nobody can tell */
	CHECKSUM_GOOD,
	CHECKSUM_ABSENT,    /* UDP over IPv4 without one */
	CHECKSUM_OFFLOADED, /* only the pseudo header is summed up, or nothing: the sender's network card fills it in (CHECKSUM_PARTIAL) */
	CHECKSUM_BAD,
};

/**
 * struct ip_header - IPv4 (RFC 791 §3.1) or IPv6 with its extension headers (RFC 8200 §3, §4).
 * @length: of the whole packet on the wire in bytes, header included; from the frame where the field is 0 (offload, jumbogram: @length_guessed).
 * @header: bytes before the transport header, options and extension headers included. @protocol: of what follows (IANA number).
 * @id: IPv4's 16 bits, or the fragment header's 32. @has_id: IPv6 only has one in fragments. @offset: of this fragment in bytes. @more: more
 * follow. @is_fragment: @more, or @offset > 0. @dont_fragment: DF; always for IPv6. @tos: TOS or traffic class byte. @hop_limit: TTL.
 * @flow_label: IPv6. @option_bytes: of IPv4 options. @extensions: number of IPv6 extension headers. @checksum: enum checksum of the IPv4 header.
 */
struct ip_header {
	struct addr src, dst;
	uint8_t protocol, tos, hop_limit, checksum;
	uint32_t length, id, offset, flow_label;
	uint16_t header, option_bytes;
	uint8_t extensions;
	bool has_id, more, is_fragment, dont_fragment, length_guessed;
};

/** enum tunnel_kind - what carries the inner packet. */
enum tunnel_kind { TUNNEL_NONE, TUNNEL_IPIP, TUNNEL_6IN4, TUNNEL_IN_IPV6, TUNNEL_GRE, TUNNEL_VXLAN, TUNNEL_GENEVE, TUNNEL_KIND_COUNT };
/** tunnel_kind_name() - "IPIP", "6in4", "GRE", "VXLAN", …; "" for none. */
const char *tunnel_kind_name(enum tunnel_kind kind);

/** struct tunnel - one outer packet. @id: VNI or GRE key, 0 none. @src, @dst: of the outer IP header. */
struct tunnel {
	uint8_t kind;
	uint32_t id;
	struct addr src, dst;
};

/** Flag bits of tcp_header.flags (RFC 9293 §3.1; AE: RFC 9768). */
enum tcp_flag {
	TCP_FIN = 1 << 0,
	TCP_SYN = 1 << 1,
	TCP_RST = 1 << 2,
	TCP_PSH = 1 << 3,
	TCP_ACK = 1 << 4,
	TCP_URG = 1 << 5,
	TCP_ECE = 1 << 6,
	TCP_CWR = 1 << 7,
	TCP_AE = 1 << 8,
};

/** Which options a segment carries: bits of tcp_header.options. */
enum tcp_option_bit {
	TCP_OPTION_MSS = 1 << 0,
	TCP_OPTION_WSCALE = 1 << 1,
	TCP_OPTION_SACK_PERMITTED = 1 << 2,
	TCP_OPTION_SACK = 1 << 3,
	TCP_OPTION_TIMESTAMPS = 1 << 4,
	TCP_OPTION_FAST_OPEN = 1 << 5,
	TCP_OPTION_MPTCP = 1 << 6,
	TCP_OPTION_MD5 = 1 << 7,
	TCP_OPTION_AO = 1 << 8,
	TCP_OPTION_UNKNOWN = 1 << 9,  /* kept, and skipped by their length */
	TCP_OPTION_BAD = 1 << 10,     /* a length that cannot be: the rest was not read */
	TCP_OPTION_CUT = 1 << 11,     /* snaplen ends inside the options */
};

/** struct sack_block - one block of a SACK option: @left ≤ seq < @right. */
struct sack_block {
	uint32_t left, right;
};

/**
 * struct tcp_header - RFC 9293 §3.1 with its options.
 * @window: as on the wire, not scaled. @header: bytes with options. @payload: bytes on the wire behind the header, from the IP length.
 * @mss, @wscale (shift, as sent; > 14 is kept), @tsval, @tsecr, @sack: worth something when the bit stands in @options.
 * @fast_open_len: bytes of the cookie. @mptcp_subtype: RFC 8684 §3. @option: the raw option bytes (@option_bytes captured) for printing.
 * @checksum: enum checksum.
 */
struct tcp_header {
	uint32_t seq, ack, payload;
	uint16_t src_port, dst_port, flags, window, urgent, options, mss, checksum_field;
	uint8_t header, wscale, sack_count, fast_open_len, mptcp_subtype, option_bytes, checksum;
	uint32_t tsval, tsecr;
	struct sack_block sack[TCP_SACK_BLOCKS_MAX];
	const uint8_t *option;
};

/** struct udp_header - RFC 768. @length: the field (0: jumbogram). @payload: bytes on the wire behind the header, within the IP packet. */
struct udp_header {
	uint16_t src_port, dst_port, length, checksum_field;
	uint32_t payload;
	uint8_t checksum;
};

/**
 * struct icmp_quote - the packet that an ICMP error quotes, read by the same decoder. @src_port, @dst_port, @seq, @icmp_id: worth something
 * when their bit stands in @has (PACKET_HAS_PORTS; PACKET_HAS_TCP: @seq too; PACKET_HAS_ICMP: @icmp_id, @icmp_seq). @tcp_flags: when
 * PACKET_HAS_TCP and the quote reaches that far, else 0. @status: how reading it ended; a quote is nearly always cut, which is DECODE_OK.
 */
struct icmp_quote {
	struct ip_header ip;
	unsigned has;
	uint16_t src_port, dst_port, icmp_id, icmp_seq, tcp_flags;
	uint32_t seq;
	uint8_t status;
};

/** enum icmp_class - what an ICMP message of either version means; types and codes differ, the meaning does not. */
enum icmp_class {
	ICMP_OTHER,
	ICMP_ECHO_REQUEST,
	ICMP_ECHO_REPLY,
	ICMP_TOO_BIG,		   /* type 3 code 4; ICMPv6 type 2 */
	ICMP_UNREACHABLE,	   /* net, host, no route, address */
	ICMP_PORT_UNREACHABLE,
	ICMP_PROTOCOL_UNREACHABLE,
	ICMP_PROHIBITED,	   /* administratively */
	ICMP_TIME_EXCEEDED,	   /* hop limit reached in transit */
	ICMP_REASSEMBLY_EXCEEDED,
	ICMP_PARAMETER_PROBLEM,
	ICMP_REDIRECT,
	ICMP_SOURCE_QUENCH,
	ICMP_NEIGHBOUR, /* neighbour and router discovery */
	ICMP_CLASS_COUNT
};
/** icmp_class_name() - "too big", "unreachable", …: for counts and evidence. */
const char *icmp_class_name(enum icmp_class class);
/** icmp_is_error() - a message of this class quotes the packet that caused it. */
bool icmp_is_error(enum icmp_class class);

/**
 * struct icmp_header - ICMP (RFC 792, RFC 1191 §4) or ICMPv6 (RFC 4443).
 * @class: enum icmp_class. @mtu: of ICMP_TOO_BIG (0: an old router did not say). @pointer: of a parameter problem. @id, @seq: of echoes.
 * @gateway: of an IPv4 redirect. @payload: bytes on the wire behind the eight of the header. @quote: PACKET_HAS_QUOTE.
 */
struct icmp_header {
	uint8_t type, code, class, checksum;
	uint16_t id, seq;
	uint32_t mtu, pointer, payload;
	struct addr gateway;
	struct icmp_quote quote;
};

/**
 * struct packet - one decoded packet.
 * @frame: where it came from (borrowed). @status, @layer: how decoding ended and at which layer. @has: which parts are worth something.
 * @tunnels: outer packets, outermost first; @ip and what follows are the innermost. @payload, @payload_captured: bytes behind the innermost
 * transport header (or IP header) that are there. @ip_bytes, @ip_captured: the outermost network-layer packet, for -x and -X.
 */
struct packet {
	const struct frame *frame;
	unsigned has;
	uint8_t status, layer, tunnel_count, direction;
	struct link_header link;
	struct tunnel tunnels[PACKET_TUNNELS_MAX];
	struct ip_header ip;
	const uint8_t *payload, *ip_bytes;
	uint32_t payload_captured, ip_captured;
	union {
		struct tcp_header tcp;
		struct udp_header udp;
		struct icmp_header icmp;
	};
};

#endif

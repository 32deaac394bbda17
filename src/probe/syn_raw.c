/* SPDX-License-Identifier: MIT */
/* SYNs from a raw socket: any number at once from one port, and the hop limit of answers is seen.
 *
 * The port is held by a socket that is bound and does nothing, so that the kernel itself meets a SYN-ACK with a reset. Each SYN has a sequence number of its own, by which
 * answers (they acknowledge it) and quotes of it are told apart. They rise from probe to probe, and by more than a window: a box that keeps state takes a lower one
 * for an old packet, and a host answers one inside the window of its half-open connection with a reset. */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "syn_segment.h"
#include "tcp_socket.h"
#include "tcptriage/base/setcap.h"
#include "tcptriage/decode/error_queue.h"
#include "tcptriage/decode/packet.h"

#define SYN_MOST 64
#define READS_MAX 64
#define SEND_TRIES 3
#define CONTROL_BYTES 512
/* IPv4 header with options, and a TCP header with options. */
#define MESSAGE_BYTES 160
#define LINKTYPE_IPV4 228
/* More than any window that a host offers before it has heard of window scaling. */
#define SEQ_STEP 0x40000u
#define SEQ_NOISE 0xffffu
/* Of an interface with 1500 bytes: no data follows. */
#define MSS_V4 1460
#define MSS_V6 1440

/* struct syn_raw - one prober. @holder: keeps @port. @source: of packets to the target, any unknown yet. @base, @secret: make sequence numbers. @hop_limit: of the socket, −1 the default. */
struct syn_raw {
	struct prober prober;
	int holder, hop_limit;
	uint16_t port;
	struct addr source;
	uint32_t base;
	uint64_t secret;
};

static bool is_v6(const struct syn_raw *raw)
{
	return raw->prober.options.address.family == ADDR_V6;
}

/* Return: a descriptor, or -errno with what would mend it. */
static int open_socket(enum addr_family family, struct err *err)
{
	int fd = socket(family == ADDR_V6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	char setcap[SETCAP_LINE_MAX];

	if (fd >= 0)
		return fd;
	if (errno != EPERM && errno != EACCES)
		return err_errno(err, -errno, "no raw socket");
	setcap_raw_line(setcap);
	return err_set(err, -EPERM, "SYNs from a raw socket need CAP_NET_RAW: run as root or %s", setcap);
}

static int raw_allowed(enum addr_family family, struct err *err)
{
	int fd = open_socket(family, err);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* Other packets than answers to our port must not wake us. An IPv4 raw socket sees packets from the IP header on, one of IPv6 from the TCP header on. */
static int attach_filter(const struct syn_raw *raw)
{
	const uint32_t theirs = raw->prober.options.port, ours = raw->port;
	struct sock_filter v4[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 5, 0), /* not a later fragment */
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, theirs, 0, 2),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ours, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_filter v6[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, theirs << 16 | ours, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = { .len = is_v6(raw) ? ARRAY_SIZE(v6) : ARRAY_SIZE(v4), .filter = is_v6(raw) ? v6 : v4 };

	return setsockopt(raw->prober.fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) ? -errno : 0;
}

static const struct setting {
	int level, name, value;
	bool v4, v6;
} settings[] = {
	{ IPPROTO_IP, IP_RECVERR, 1, true, false },
	{ IPPROTO_IP, IP_RECVTTL, 1, true, false },
	{ IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO, true, false },
	{ IPPROTO_IPV6, IPV6_RECVERR, 1, false, true },
	{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, false, true },
	{ IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 0, false, true },
};

static int apply_settings(const struct syn_raw *raw)
{
	const char *device = raw->prober.options.device;

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct setting *s = &settings[i];

		if ((is_v6(raw) ? s->v6 : s->v4) && setsockopt(raw->prober.fd, s->level, s->name, &s->value, sizeof(s->value)))
			return -errno;
	}
	return device && setsockopt(raw->prober.fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device) + 1) ? -errno : 0;
}

/* What came in before the filter was there. */
static void drain(int fd)
{
	uint8_t byte;

	for (unsigned i = 0; i < READS_MAX * READS_MAX && recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0; i++)
		;
}

static int raw_open(struct prober *prober, struct err *err)
{
	struct syn_raw *raw = (struct syn_raw *)prober;
	int code;

	raw->hop_limit = -1;
	raw->holder = tcp_socket_hold_port(&prober->options, &raw->port, err);
	if (raw->holder < 0)
		return raw->holder;
	prober->fd = open_socket((enum addr_family)prober->options.address.family, err);
	if (prober->fd < 0)
		return prober->fd;
	code = attach_filter(raw);
	if (!code)
		code = apply_settings(raw);
	if (code)
		return err_errno(err, code, "the raw socket for SYNs cannot be made ready");
	if (getrandom(&raw->base, sizeof(raw->base), 0) != sizeof(raw->base) || getrandom(&raw->secret, sizeof(raw->secret), 0) != sizeof(raw->secret))
		return err_errno(err, -errno, "no random sequence numbers");
	drain(prober->fd);
	return 0;
}

static uint32_t raw_size(const struct prober *prober)
{
	return SYN_SEGMENT_BYTES + addr_ip_header(prober->options.address.family);
}

static uint32_t seq_of(const struct syn_raw *raw, uint32_t id)
{
	return raw->base + id * SEQ_STEP + (uint32_t)(hash_mix(raw->secret, id) & SEQ_NOISE);
}

static struct pending_probe *find_seq(struct syn_raw *raw, uint32_t seq)
{
	struct pending *pending = &raw->prober.pending;

	for (unsigned i = 0; i < pending->count; i++) {
		if (seq_of(raw, pending->at[i].request.id) == seq)
			return &pending->at[i];
	}
	return NULL;
}

static bool is_ours(const struct syn_raw *raw, uint16_t ours, uint16_t theirs)
{
	return ours == raw->port && theirs == raw->prober.options.port;
}

/* One message of the error queue. Return: false when there is none, or it says nothing of a SYN under way; *@there: there was one. */
static bool take_error(struct syn_raw *raw, int64_t now_us, struct probe_outcome *outcome, bool *there)
{
	_Alignas(size_t) uint8_t control[CONTROL_BYTES];
	uint8_t bytes[MESSAGE_BYTES];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	const struct addr *target = &raw->prober.options.address;
	struct pending_probe *probe;
	struct queued_error error;
	struct syn_answer quote;
	ssize_t len = recvmsg(raw->prober.fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);

	*there = len >= 0;
	if (len < 0)
		return false;
	if (queued_error_decode(cursor_of(control, message.msg_controllen), &error) != DECODE_OK || !syn_quote_read(cursor_of(bytes, (size_t)len), &quote)) {
		raw->prober.counts.malformed++;
		return false;
	}
	probe = is_ours(raw, quote.src_port, quote.dst_port) ? find_seq(raw, quote.seq) : NULL;
	*outcome = (struct probe_outcome){ .reply = (uint8_t)answer_reply((enum icmp_class)error.class, addr_equal(&error.offender, target)), .is_icmp = true,
					   .icmp_type = error.type, .icmp_code = error.code, .reply_ttl = error.ttl, .from = error.offender };
	if (!probe || error.origin != QUEUED_ICMP || !error.has_offender || outcome->reply == REPLY_NONE || outcome->reply == REPLY_TOO_BIG) {
		raw->prober.counts.dropped++;
		return false;
	}
	answer_local(outcome, &error, &raw->source, target);
	pending_end(&raw->prober.pending, probe, now_us, outcome);
	return true;
}

/* Fields of an answer and the hop limit it came with. */
static bool read_answer(const struct syn_raw *raw, const uint8_t *bytes, size_t captured, size_t wire, struct cursor control, struct syn_answer *out, uint8_t *ttl)
{
	const struct frame frame = { .bytes = bytes, .captured = (uint32_t)captured, .wire = (uint32_t)wire, .link_type = LINKTYPE_IPV4 };
	struct packet packet;

	if (is_v6(raw)) {
		*ttl = control_hop_limit(control);
		return syn_answer_read(cursor_of(bytes, captured), out);
	}
	packet_decode(&frame, NULL, &packet);
	if (!(packet.has & PACKET_HAS_TCP))
		return false;
	*ttl = packet.ip.hop_limit;
	*out = (struct syn_answer){ packet.tcp.src_port, packet.tcp.dst_port, (uint8_t)packet.tcp.flags, packet.tcp.seq, packet.tcp.ack };
	return true;
}

static enum probe_reply reply_of(const struct syn_answer *answer)
{
	unsigned flags = answer->flags & (TCP_SYN | TCP_RST | TCP_ACK);

	return flags == (TCP_SYN | TCP_ACK) ? REPLY_OPEN : flags == (TCP_RST | TCP_ACK) ? REPLY_REFUSED : REPLY_NONE;
}

/* One segment. Return and @there as of take_error(). */
static bool take_segment(struct syn_raw *raw, int64_t now_us, struct probe_outcome *outcome, bool *there)
{
	_Alignas(size_t) uint8_t control[CONTROL_BYTES];
	uint8_t bytes[MESSAGE_BYTES];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct pending_probe *probe;
	struct syn_answer answer;
	uint8_t ttl = 0;
	ssize_t len = recvmsg(raw->prober.fd, &message, MSG_DONTWAIT | MSG_TRUNC);

	/* Beside EAGAIN an error that an earlier SYN met with, whose message stands in the error queue. */
	*there = len >= 0 || errno != EAGAIN;
	if (len < 0)
		return false;
	if (!read_answer(raw, bytes, MIN((size_t)len, sizeof(bytes)), (size_t)len, cursor_of(control, message.msg_controllen), &answer, &ttl)) {
		raw->prober.counts.malformed++;
		return false;
	}
	probe = is_ours(raw, answer.dst_port, answer.src_port) ? find_seq(raw, answer.ack - 1) : NULL;
	if (!probe || reply_of(&answer) == REPLY_NONE) {
		raw->prober.counts.dropped++;
		return false;
	}
	*outcome = (struct probe_outcome){ .reply = (uint8_t)reply_of(&answer), .reply_ttl = ttl, .from = raw->prober.options.address };
	pending_end(&raw->prober.pending, probe, now_us, outcome);
	return true;
}

static bool raw_next(struct prober *prober, int64_t now_us, struct probe_outcome *outcome)
{
	struct syn_raw *raw = (struct syn_raw *)prober;

	pending_expire(&prober->pending, now_us);
	for (unsigned i = 0; i < READS_MAX; i++) {
		bool error, segment;

		if (take_error(raw, now_us, outcome, &error) || take_segment(raw, now_us, outcome, &segment))
			return true;
		if (!error && !segment)
			return false;
	}
	return false;
}

/* Aiming fixes source and route, and brings the target's packets and the messages about ours only. */
static int aim(struct syn_raw *raw)
{
	int code = addr_is_any(&raw->source) ? tcp_socket_aim(raw->prober.fd, &raw->prober.options) : 0;

	if (!code)
		raw->source = tcp_socket_source(raw->prober.fd);
	return -code;
}

static int set_hop_limit(struct syn_raw *raw, int hop_limit)
{
	if (raw->hop_limit != hop_limit &&
	    setsockopt(raw->prober.fd, is_v6(raw) ? IPPROTO_IPV6 : IPPROTO_IP, is_v6(raw) ? IPV6_UNICAST_HOPS : IP_TTL, &hop_limit, sizeof(hop_limit)))
		return errno;
	raw->hop_limit = hop_limit;
	return 0;
}

/* A call that sends fails at times with the error of an earlier SYN, whose message is kept. Return: 0 when the kernel took it, or a positive errno. */
static int send_segment(struct syn_raw *raw, const uint8_t bytes[static SYN_SEGMENT_BYTES])
{
	int error = 0;

	for (unsigned i = 0; i < SEND_TRIES; i++) {
		(void)tcp_socket_error(raw->prober.fd);
		if (send(raw->prober.fd, bytes, SYN_SEGMENT_BYTES, 0) >= 0)
			return 0;
		error = errno;
	}
	return error;
}

static void refuse(struct syn_raw *raw, const struct probe_request *request, int error)
{
	prober_ready(&raw->prober, &(struct probe_outcome){ .id = request->id, .lane = request->lane, .size = request->size, .hop_limit = request->hop_limit,
							    .reply = REPLY_LOCAL, .error = error, .rtt_us = -1,
							    .from.family = raw->prober.options.address.family });
}

static void raw_send(struct prober *prober, const struct probe_request *request, int64_t now_us)
{
	struct syn_raw *raw = (struct syn_raw *)prober;
	struct syn_segment segment = { .dst = prober->options.address, .src_port = raw->port, .dst_port = prober->options.port,
				       .mss = is_v6(raw) ? MSS_V6 : MSS_V4, .seq = seq_of(raw, request->id), .timestamp = (uint32_t)(now_us / 1000) };
	uint8_t bytes[SYN_SEGMENT_BYTES];
	int error = aim(raw);

	if (!error)
		error = set_hop_limit(raw, request->hop_limit ? request->hop_limit : -1);
	segment.src = raw->source;
	syn_segment_build(&segment, bytes);
	if (!error)
		error = send_segment(raw, bytes);
	if (error) {
		refuse(raw, request, error);
		return;
	}
	prober->counts.sent++;
	pending_add(&prober->pending, request, now_us);
}

static void raw_close(struct prober *prober)
{
	struct syn_raw *raw = (struct syn_raw *)prober;

	if (raw->holder >= 0)
		close(raw->holder);
}

const struct prober_ops prober_syn_raw = {
	.method = PROBE_TCP,
	.most = SYN_MOST,
	.size = sizeof(struct syn_raw),
	.allowed = raw_allowed,
	.open = raw_open,
	.smallest = raw_size,
	.largest = raw_size,
	.send = raw_send,
	.next = raw_next,
	.close = raw_close,
};

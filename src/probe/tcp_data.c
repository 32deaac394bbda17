/* SPDX-License-Identifier: MIT */
/* Probes over TCP to the real port: a connection for each size, one segment of exactly that packet size, tcp_info as the witness.
 *
 * What passed is not what was acknowledged but what was acknowledged in one piece. When a router's "packet too big" or tcp_mtu_probing makes the kernel send the bytes
 * again in smaller segments, they are acknowledged all the same. No segment can be longer than the payload, for there is nothing else to send: so every transmission was
 * of the asked size exactly when bytes sent = segments sent × payload.
 *
 * An acknowledgement is no event of its own; a software timestamp of it is (SOF_TIMESTAMPING_TX_ACK), and needs no privilege without a copy of the packet
 * (OPT_TSONLY). A path MTU that fell is none either: while segments are under way a timer looks.
 * The hop limit of a request is not used: of a segment that expires the kernel tells EHOSTUNREACH without a sender (measured), which finds no hop.
 * Errors that ICMP reports of an established connection are soft (RFC 9293 §3.9.2.2) and the kernel tells nobody who said them: they are not asked for, silence decides. */
#include <errno.h>
#include <linux/net_tstamp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "answer.h"
#include "kinds.h"
#include "tcp_payload.h"
#include "tcp_socket.h"
#include "tcptriage/base/clock.h"
#include "tcptriage/decode/error_queue.h"

#define SLOTS 12
#define LOOK_EVERY_NS 10000000L
#define TIMER_SLOT SLOTS
#define QUEUE_READ_MAX 16

/* A connection. @id: of its probe, 0 free. @payload: bytes that were sent, 0 while it connects. @header: bytes of IP and TCP before them. @acked: before them. */
struct slot {
	uint32_t id, size, payload, header;
	int64_t deadline_us;
	uint64_t acked;
	int fd;
};

/* @least: bytes of the shortest payload. @largest: packet that fits the MSS, 0 before the first connection. */
struct tcp_data {
	struct prober prober;
	struct slot slots[SLOTS];
	uint32_t least, largest;
	int timer;
	bool ticking;
	uint8_t payload[TCP_PAYLOAD_MAX];
};

static struct tcp_data *data_of(struct prober *prober)
{
	return (struct tcp_data *)(void *)prober;
}

static const struct tcp_data *const_data_of(const struct prober *prober)
{
	return (const struct tcp_data *)(const void *)prober;
}

static int allowed(enum addr_family family, struct err *err)
{
	(void)family;
	(void)err;
	return 0;
}

static int watch(struct tcp_data *data, int fd, uint32_t events, uint32_t index)
{
	struct epoll_event event = { .events = events, .data = { .u32 = index } };

	return epoll_ctl(data->prober.fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_events(struct tcp_data *data, struct err *err)
{
	int code;

	data->prober.fd = epoll_create1(EPOLL_CLOEXEC);
	if (data->prober.fd < 0)
		return err_errno(err, -errno, "cannot wait for connections");
	data->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	code = data->timer < 0 ? -errno : watch(data, data->timer, EPOLLIN, TIMER_SLOT);
	return code ? err_errno(err, code, "cannot make a timer") : 0;
}

static int tcp_data_open(struct prober *prober, struct err *err)
{
	struct tcp_data *data = data_of(prober);
	int code;

	data->timer = -1;
	for (unsigned i = 0; i < SLOTS; i++)
		data->slots[i].fd = -1;
	if (prober->options.payload == PAYLOAD_NONE)
		return err_set(err, -EINVAL, "sizes over TCP need --tcp-payload http, tls or raw: without it nothing is sent to the service");
	if (tcp_socket_begins_small())
		return err_set(err, -EOPNOTSUPP, "net.ipv4.tcp_mtu_probing=2 makes this machine begin every connection with small segments, so that no size can be chosen; use --udp or --icmp, or set it to 1");
	code = tcp_socket_route(&prober->options, err);
	if (code)
		return code;
	data->least = (uint32_t)tcp_payload_write(&prober->options, 0, data->payload);
	return open_events(data, err);
}

static uint32_t headers_with_timestamps(const struct prober *prober)
{
	return prober->options.address.family == ADDR_V6 ? 72 : 52;
}

static uint32_t tcp_data_smallest(const struct prober *prober)
{
	return headers_with_timestamps(prober) + const_data_of(prober)->least;
}

static uint32_t tcp_data_largest(const struct prober *prober)
{
	return const_data_of(prober)->largest;
}

static struct slot *free_slot(struct tcp_data *data)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		if (!data->slots[i].id)
			return &data->slots[i];
	}
	return NULL;
}

/* What was sent is counted at the end: handshake, segment, repetitions, and the reset. */
static void count_sent(struct tcp_data *data, const struct slot *slot)
{
	struct tcp_reading reading;

	if (!tcp_socket_read(slot->fd, &reading))
		return;
	data->prober.counts.sent += tcpi_get(&reading.info, TCPI_SEGS_OUT) + tcp_socket_connected(&reading);
}

static void release(struct tcp_data *data, struct slot *slot)
{
	count_sent(data, slot);
	tcp_socket_reset(slot->fd);
	*slot = (struct slot){ .fd = -1 };
}

static void refuse(struct prober *prober, const struct probe_request *request, int error)
{
	prober_ready(prober, &(struct probe_outcome){ .id = request->id,
						      .lane = request->lane,
						      .size = request->size,
						      .hop_limit = request->hop_limit,
						      .reply = REPLY_LOCAL,
						      .error = error,
						      .rtt_us = -1 });
}

static void tcp_data_send(struct prober *prober, const struct probe_request *request, int64_t now_us)
{
	struct tcp_data *data = data_of(prober);
	struct slot *slot = free_slot(data);
	struct tcp_socket_wish wish = { .options = &prober->options };
	int fd, code;

	if (!slot) {
		refuse(prober, request, EAGAIN);
		return;
	}
	/* A port can carry one connection to the target at a time: those beside it take the next ones. */
	if (prober->options.source_port)
		wish.source_port = (uint16_t)(prober->options.source_port + (slot - data->slots));
	fd = tcp_socket_connect(&wish);
	code = fd < 0 ? fd : watch(data, fd, EPOLLOUT | EPOLLIN | EPOLLRDHUP | EPOLLET, (uint32_t)(slot - data->slots));
	if (code) {
		refuse(prober, request, -code);
		if (fd >= 0)
			close(fd);
		return;
	}
	*slot = (struct slot){ .id = request->id, .size = request->size, .deadline_us = request->deadline_us, .fd = fd };
	pending_add(&prober->pending, request, now_us);
}

/* It is known what came of it: the connection ends. Return: true, for the caller to hand on. */
static bool finish(struct tcp_data *data, struct slot *slot, const struct probe_outcome *found, struct probe_outcome *outcome)
{
	struct pending_probe *probe = pending_find(&data->prober.pending, slot->id);

	*outcome = *found;
	if (probe)
		pending_end(&data->prober.pending, probe, clock_mono_us(), outcome);
	if (found->reply == REPLY_LOCAL || (found->reply == REPLY_TOO_BIG && !slot->payload))
		outcome->rtt_us = -1;
	release(data, slot);
	return probe != NULL;
}

/* Nobody will say anything of it any more. */
static bool give_up(struct tcp_data *data, struct slot *slot)
{
	release(data, slot);
	return false;
}

/* What an ICMP message about a SYN means: the host's own "port unreachable" refuses the connection. */
static enum probe_reply reply_of(enum icmp_class class, bool from_target)
{
	enum probe_reply reply = answer_reply(class, from_target);

	return reply == REPLY_ARRIVED ? REPLY_REFUSED : reply == REPLY_TOO_BIG ? REPLY_NONE : reply;
}

/* One entry of the error queue. Return: false when there is none. @found: changed by an ICMP message that ended the handshake. */
static bool take_error(struct tcp_data *data, int fd, struct probe_outcome *found)
{
	_Alignas(struct cmsghdr) uint8_t control[512];
	uint8_t byte;
	struct iovec iov = { &byte, sizeof(byte) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct queued_error error;

	if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return false;
	if (queued_error_decode(cursor_of(control, message.msg_controllen), &error) != DECODE_OK) {
		data->prober.counts.malformed++;
		return true;
	}
	if (error.origin == QUEUED_ICMP)
		*found = (struct probe_outcome){ .reply = (uint8_t)reply_of(error.class, addr_equal(&error.offender, &data->prober.options.address)),
						 .is_icmp = true,
						 .icmp_type = error.type,
						 .icmp_code = error.code,
						 .from = error.offender };
	return true;
}

/* The handshake, or the connection, came to nothing. A service that ends the connection before the segment came says nothing of its size, and refuses nothing. */
static bool failed(struct tcp_data *data, struct slot *slot, struct probe_outcome *outcome)
{
	struct probe_outcome found = { .reply = REPLY_NONE };
	int error;

	for (unsigned i = 0; i < QUEUE_READ_MAX && found.reply == REPLY_NONE && take_error(data, slot->fd, &found); i++)
		;
	error = tcp_socket_error(slot->fd);
	if (found.reply == REPLY_NONE && (error == ETIMEDOUT || error == ECONNRESET || error == EPIPE || !error))
		return give_up(data, slot);
	if (found.reply == REPLY_NONE && error == ECONNREFUSED)
		found = (struct probe_outcome){ .reply = REPLY_REFUSED, .from = data->prober.options.address };
	if (found.reply == REPLY_NONE)
		found = (struct probe_outcome){ .reply = REPLY_LOCAL, .error = error };
	return finish(data, slot, &found, outcome);
}

/* The segment is longer than the MSS: because of what this kernel remembers of the path, or because the interface or the peer will not have more. @fitting: the largest packet of this connection. */
static bool too_long(struct tcp_data *data, struct slot *slot, uint32_t pmtu, uint32_t fitting, struct probe_outcome *outcome)
{
	uint32_t link = data->prober.options.interface_mtu;
	bool by_link = link && slot->size > link;
	struct probe_outcome found = { .reply = REPLY_LOCAL, .error = EMSGSIZE, .mtu = fitting };

	if (pmtu && pmtu < slot->size && !by_link)
		found = (struct probe_outcome){ .reply = REPLY_TOO_BIG, .mtu = pmtu, .from = { .family = data->prober.options.address.family } };
	return finish(data, slot, &found, outcome);
}

/* From here on only the acknowledgement matters, and it tells of itself. */
static void ask_for_acknowledgement(struct tcp_data *data, const struct slot *slot)
{
	const int stamps = SOF_TIMESTAMPING_TX_ACK | SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY;

	tcp_socket_forget_errors(slot->fd, data->prober.options.address.family);
	/* Should it fail, the timer sees the acknowledgement a little later. */
	(void)setsockopt(slot->fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof(stamps));
}

static bool speak(struct tcp_data *data, struct slot *slot, const struct tcp_reading *reading, struct probe_outcome *outcome)
{
	uint32_t header = tcp_socket_header_bytes(data->prober.options.address.family, reading), mss = (uint32_t)tcpi_get(&reading->info, TCPI_SND_MSS);
	size_t payload = MAX(slot->size, header + data->least) - header;
	uint32_t fitting = header + MIN(mss, (uint32_t)TCP_PAYLOAD_MAX);
	struct pending_probe *probe = pending_find(&data->prober.pending, slot->id);

	data->largest = MAX(data->largest, fitting);
	if (header + payload > fitting)
		return too_long(data, slot, (uint32_t)tcpi_get(&reading->info, TCPI_PMTU), fitting, outcome);
	payload = tcp_payload_write(&data->prober.options, payload, data->payload);
	ask_for_acknowledgement(data, slot);
	if (send(slot->fd, data->payload, payload, MSG_NOSIGNAL) != (ssize_t)payload)
		return failed(data, slot, outcome);
	slot->payload = (uint32_t)payload;
	slot->acked = tcpi_get(&reading->info, TCPI_BYTES_ACKED); /* the SYN counts as a byte (measured on 6.18) */
	slot->header = header;
	if (probe)
		probe->sent_us = clock_mono_us();
	return false;
}

static bool was_acknowledged(const struct slot *slot, const struct tcp_info_bytes *info)
{
	return tcpi_get(info, TCPI_BYTES_ACKED) >= slot->acked + slot->payload;
}

static bool was_in_one_piece(const struct slot *slot, const struct tcp_info_bytes *info)
{
	return tcpi_get(info, TCPI_BYTES_SENT) == tcpi_get(info, TCPI_DATA_SEGS_OUT) * slot->payload;
}

/* The segment is under way: has it arrived whole, has the kernel learned of a narrower path, has it begun to cut? */
static bool judge(struct tcp_data *data, struct slot *slot, const struct tcp_reading *reading, struct probe_outcome *outcome)
{
	const struct tcp_info_bytes *info = &reading->info;
	uint32_t pmtu = (uint32_t)tcpi_get(info, TCPI_PMTU), packet = slot->header + slot->payload;
	bool acknowledged = was_acknowledged(slot, info);

	if (acknowledged && was_in_one_piece(slot, info))
		return finish(data, slot, &(struct probe_outcome){ .reply = REPLY_ARRIVED, .from = data->prober.options.address }, outcome);
	if (pmtu < packet)
		return finish(data, slot,
			      &(struct probe_outcome){ .reply = REPLY_TOO_BIG, .mtu = pmtu, .from = { .family = data->prober.options.address.family } }, outcome);
	if (acknowledged || tcpi_get(info, TCPI_SND_MSS) < slot->payload)
		return give_up(data, slot);
	return tcp_socket_connected(reading) ? false : failed(data, slot, outcome);
}

static bool look(struct tcp_data *data, struct slot *slot, int64_t now_us, struct probe_outcome *outcome)
{
	struct tcp_reading reading;

	if (!tcp_socket_read(slot->fd, &reading))
		return give_up(data, slot);
	if (slot->payload && judge(data, slot, &reading, outcome))
		return true;
	if (!slot->payload && slot->id && !tcp_socket_connecting(&reading)) {
		if (tcp_socket_connected(&reading) ? speak(data, slot, &reading, outcome) : failed(data, slot, outcome))
			return true;
	}
	if (slot->id && slot->deadline_us <= now_us)
		give_up(data, slot);
	return false;
}

/* Events only wake (at their edge, so that none is left standing): tcp_info says what they were about. */
static void take_events(struct tcp_data *data)
{
	struct epoll_event events[SLOTS + 1];
	int count = epoll_wait(data->prober.fd, events, SLOTS + 1, 0);
	uint64_t ticks;

	for (int i = 0; i < count; i++) {
		if (events[i].data.u32 == TIMER_SLOT)
			(void)!read(data->timer, &ticks, sizeof(ticks));
	}
}

static void tick(struct tcp_data *data)
{
	struct itimerspec every = { .it_interval.tv_nsec = LOOK_EVERY_NS, .it_value.tv_nsec = LOOK_EVERY_NS };
	bool wanted = false;

	for (unsigned i = 0; i < SLOTS; i++)
		wanted = wanted || data->slots[i].payload;
	if (wanted == data->ticking)
		return;
	if (!wanted)
		every = (struct itimerspec){ .it_value.tv_nsec = 0 };
	timerfd_settime(data->timer, 0, &every, NULL);
	data->ticking = wanted;
}

static bool tcp_data_next(struct prober *prober, int64_t now_us, struct probe_outcome *outcome)
{
	struct tcp_data *data = data_of(prober);
	bool found = false;

	take_events(data);
	for (unsigned i = 0; i < SLOTS && !found; i++)
		found = data->slots[i].id && look(data, &data->slots[i], now_us, outcome);
	tick(data);
	return found;
}

static void tcp_data_close(struct prober *prober)
{
	struct tcp_data *data = data_of(prober);

	for (unsigned i = 0; i < SLOTS; i++) {
		if (data->slots[i].id)
			release(data, &data->slots[i]);
	}
	if (data->timer >= 0)
		close(data->timer);
}

const struct prober_ops prober_tcp_data = {
	.method = PROBE_TCP,
	.most = SLOTS,
	.size = sizeof(struct tcp_data),
	.allowed = allowed,
	.open = tcp_data_open,
	.smallest = tcp_data_smallest,
	.largest = tcp_data_largest,
	.send = tcp_data_send,
	.next = tcp_data_next,
	.close = tcp_data_close,
};

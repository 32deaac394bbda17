/* SPDX-License-Identifier: MIT */
/* SYNs by connect(): with a hop limit, without privilege. One at a time from one port, or many from a port each.
 *
 * The kernel refuses a second connection of the same ports, so of one port only one SYN is under way; its socket is gone as soon as it is closed (in SYN-SENT, or by a
 * reset when it was connected). What answers late is met by the kernel's own reset, and what it says about an earlier sequence number is dropped by the kernel. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "answer.h"
#include "tcp_socket.h"
#include "tcptriage/decode/error_queue.h"

#define SYN_MOST 64
#define CONTROL_BYTES 512
/* Entries of the error queue that are read at once. */
#define ENTRIES_MAX 16
/* IP and TCP headers with the options of a SYN. */
#define SYN_BYTES_V4 60
#define SYN_BYTES_V6 80

/* struct syn - one prober. @holder: keeps @port, −1 when each SYN has its own. @slots: SYNs under way, @count of them. */
struct syn {
	struct prober prober;
	int holder;
	uint16_t port;
	struct syn_slot {
		uint32_t id;
		int fd;
	} slots[SYN_MOST];
	unsigned count;
};

static int syn_allowed(enum addr_family family, struct err *err)
{
	(void)family;
	(void)err;
	return 0;
}

static int open_ports(struct prober *prober, struct err *err)
{
	struct syn *syn = (struct syn *)prober;

	syn->holder = -1;
	prober->fd = epoll_create1(EPOLL_CLOEXEC);
	return prober->fd < 0 ? err_errno(err, -errno, "nothing to wait for answers with") : 0;
}

static int open_one_port(struct prober *prober, struct err *err)
{
	struct syn *syn = (struct syn *)prober;
	int code = open_ports(prober, err);

	if (code)
		return code;
	syn->holder = tcp_socket_hold_port(&prober->options, &syn->port, err);
	return MIN(syn->holder, 0);
}

static uint32_t syn_size(const struct prober *prober)
{
	return prober->options.address.family == ADDR_V6 ? SYN_BYTES_V6 : SYN_BYTES_V4;
}

/* Nothing of it remains: a connection ends by a reset. What the kernel sent again is counted. */
static void end_slot(struct syn *syn, struct syn_slot *slot)
{
	struct tcp_reading reading;

	if (tcp_socket_read(slot->fd, &reading))
		syn->prober.counts.sent += tcpi_get(&reading.info, TCPI_TOTAL_RETRANS);
	tcp_socket_reset(slot->fd);
	*slot = syn->slots[--syn->count];
}

static void end_late(struct syn *syn, int64_t now_us)
{
	pending_expire(&syn->prober.pending, now_us);
	for (unsigned i = syn->count; i-- > 0;) {
		if (!pending_find(&syn->prober.pending, syn->slots[i].id))
			end_slot(syn, &syn->slots[i]);
	}
}

static void refuse(struct syn *syn, const struct probe_request *request, int error)
{
	prober_ready(&syn->prober, &(struct probe_outcome){ .id = request->id, .lane = request->lane, .size = request->size, .hop_limit = request->hop_limit,
							    .reply = REPLY_LOCAL, .error = error, .rtt_us = -1,
							    .from.family = syn->prober.options.address.family });
}

static void syn_send(struct prober *prober, const struct probe_request *request, int64_t now_us)
{
	struct syn *syn = (struct syn *)prober;
	struct tcp_socket_wish wish = { .options = &prober->options, .source_port = syn->port, .hop_limit = request->hop_limit };
	struct epoll_event event = { .events = EPOLLOUT | EPOLLERR, .data.u32 = request->id };
	int fd;

	end_late(syn, now_us);
	fd = syn->count < SYN_MOST ? tcp_socket_connect(&wish) : -EMFILE;
	if (fd >= 0 && epoll_ctl(prober->fd, EPOLL_CTL_ADD, fd, &event)) {
		int error = errno;

		tcp_socket_reset(fd);
		fd = -error;
	}
	if (fd < 0) {
		refuse(syn, request, -fd);
		return;
	}
	prober->counts.sent++;
	pending_add(&prober->pending, request, now_us);
	syn->slots[syn->count++] = (struct syn_slot){ .id = request->id, .fd = fd };
}

/* One entry of the error queue. *@there: there was one. Return: false when it does not end the attempt. */
static bool take_entry(struct syn *syn, int fd, struct probe_outcome *found, bool *there)
{
	_Alignas(size_t) uint8_t control[CONTROL_BYTES];
	struct msghdr message = { .msg_control = control, .msg_controllen = sizeof(control) };
	const struct addr *target = &syn->prober.options.address;
	struct queued_error error;
	struct addr own;

	*there = recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0;
	if (!*there)
		return false;
	if (queued_error_decode(cursor_of(control, message.msg_controllen), &error) != DECODE_OK) {
		syn->prober.counts.malformed++;
		return false;
	}
	if (error.origin == QUEUED_LOCAL) {
		*found = (struct probe_outcome){ .reply = REPLY_LOCAL, .error = error.error, .from.family = target->family };
		return true;
	}
	if (error.origin != QUEUED_ICMP || !error.has_offender || error.class == ICMP_TOO_BIG) {
		syn->prober.counts.dropped++;
		return false;
	}
	*found = (struct probe_outcome){ .reply = (uint8_t)answer_reply((enum icmp_class)error.class, addr_equal(&error.offender, target)),
					 .is_icmp = true,
					 .icmp_type = error.type,
					 .icmp_code = error.code,
					 .reply_ttl = error.ttl,
					 .from = error.offender };
	/* Other messages that the kernel queues end the attempt as well, a parameter problem for one. */
	if (found->reply == REPLY_NONE)
		found->reply = REPLY_UNREACHABLE;
	own = tcp_socket_source(fd);
	answer_local(found, &error, &own, target);
	return true;
}

/* What came with messages. Return: false when nothing of it ends the attempt. */
static bool take_error(struct syn *syn, int fd, struct probe_outcome *found)
{
	bool there = true;

	for (unsigned i = 0; i < ENTRIES_MAX && there; i++) {
		if (take_entry(syn, fd, found, &there))
			return true;
	}
	return false;
}

/*
 * Return: false when the SYN is still under way, or is over without a word.
 * The state is asked before any error: what arrives when the handshake is over sets SO_ERROR and ends nothing (tcp_v4_err()), and "too big" leaves a soft error in SYN-SENT
 * (tcp_v4_mtu_reduced()). Neither is this machine's own refusal, which connect() returns or an entry of the queue tells.
 */
static bool conclude(struct syn *syn, int fd, struct probe_outcome *found)
{
	struct addr target = syn->prober.options.address;
	struct tcp_reading reading;
	int error;

	if (!tcp_socket_read(fd, &reading))
		return false;
	if (tcp_socket_connected(&reading)) {
		*found = (struct probe_outcome){ .reply = REPLY_OPEN, .from = target };
		return true;
	}
	if (take_error(syn, fd, found))
		return true;
	error = tcp_socket_error(fd);
	if (error == ECONNREFUSED)
		*found = (struct probe_outcome){ .reply = REPLY_REFUSED, .from = target };
	else if (error == ECONNRESET || error == EPIPE) /* it was connected, and then reset */
		*found = (struct probe_outcome){ .reply = REPLY_OPEN, .from = target };
	else if (!error || !take_error(syn, fd, found)) { /* its message may have come in between */
		syn->prober.counts.dropped += error != 0;
		return false;
	}
	return true;
}

static struct syn_slot *find_slot(struct syn *syn, uint32_t id)
{
	for (unsigned i = 0; i < syn->count; i++) {
		if (syn->slots[i].id == id)
			return &syn->slots[i];
	}
	return NULL;
}

static bool syn_next(struct prober *prober, int64_t now_us, struct probe_outcome *outcome)
{
	struct syn *syn = (struct syn *)prober;
	struct epoll_event events[SYN_MOST];
	int count;

	end_late(syn, now_us);
	count = epoll_wait(prober->fd, events, SYN_MOST, 0);
	for (int i = 0; i < count; i++) {
		struct syn_slot *slot = find_slot(syn, events[i].data.u32);
		struct pending_probe *probe = pending_find(&prober->pending, events[i].data.u32);

		if (!slot || !probe || !conclude(syn, slot->fd, outcome))
			continue;
		pending_end(&prober->pending, probe, now_us, outcome);
		end_slot(syn, slot);
		return true;
	}
	return false;
}

static void syn_close(struct prober *prober)
{
	struct syn *syn = (struct syn *)prober;

	while (syn->count)
		end_slot(syn, &syn->slots[0]);
	if (syn->holder >= 0)
		close(syn->holder);
}

const struct prober_ops prober_syn = {
	.method = PROBE_TCP,
	.most = 1,
	.size = sizeof(struct syn),
	.allowed = syn_allowed,
	.open = open_one_port,
	.smallest = syn_size,
	.largest = syn_size,
	.send = syn_send,
	.next = syn_next,
	.close = syn_close,
};

const struct prober_ops prober_syn_ports = {
	.method = PROBE_TCP,
	.most = SYN_MOST,
	.size = sizeof(struct syn),
	.allowed = syn_allowed,
	.open = open_ports,
	.smallest = syn_size,
	.largest = syn_size,
	.send = syn_send,
	.next = syn_next,
	.close = syn_close,
};

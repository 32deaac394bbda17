/* SPDX-License-Identifier: MIT */
/* What probes by UDP and by ICMP share: one connected socket, packets of any size with a mark in them, and what the error queue says of them. */
#include "datagram.h"

#include <errno.h>
#include <linux/in6.h>
#include <string.h>
#include <sys/random.h>

#include "answer.h"
#include "socket_address.h"

/* How often a packet is tried when an answer to an earlier one comes in between: the kernel then fails the call that sends. */
#define SEND_TRIES 3
/* Enough of a message for 60 bytes of IP header, and header and mark of the probe. */
#define MESSAGE_BYTES 128
#define CONTROL_BYTES 512
/* Room for errors that come faster than they are read. */
#define RECEIVE_BYTES (1 << 20)

static const struct setting {
	int level, name, value;
	bool v4, v6, optional;
} settings[] = {
	{ IPPROTO_IP, IP_RECVERR, 1, true, false, false },
	{ IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, true, false, false }, /* DF; what the kernel remembers of the path does not count */
	{ IPPROTO_IP, IP_RECVTTL, 1, true, false, true },
	{ IPPROTO_IPV6, IPV6_RECVERR, 1, false, true, false },
	{ IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE, false, true, false },
	{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, false, true, true },
	{ IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 0, false, true, true },
	{ SOL_SOCKET, SO_RCVBUF, RECEIVE_BYTES, true, true, true },
};

int datagram_settings(int fd, enum addr_family family, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct setting *s = &settings[i];

		if ((family == ADDR_V6 ? s->v6 : s->v4) && setsockopt(fd, s->level, s->name, &s->value, sizeof(s->value)) && !s->optional)
			return err_errno(err, -errno, "this kernel lacks a socket option that probes need (%d of protocol %d)", s->name, s->level);
	}
	return 0;
}

/* Fails with what routing says of the target. */
static int connect_target(struct datagram *d, uint16_t port, struct err *err)
{
	const struct prober_options *o = &d->prober.options;
	union socket_address target = socket_address_of(&o->address, port, o->scope);
	char text[ADDR_TEXT_MAX + 1];

	if (!connect(d->prober.fd, &target.any, socket_address_bytes(o->address.family)))
		return 0;
	*addr_text(text, &o->address) = '\0';
	return err_errno(err, -errno, "nothing can be sent to %s", text);
}

static int bind_source(struct datagram *d, struct err *err)
{
	const struct prober_options *o = &d->prober.options;
	const struct addr any = { .family = o->address.family };
	union socket_address source = socket_address_of(&any, o->source_port, 0);

	if (o->device && setsockopt(d->prober.fd, SOL_SOCKET, SO_BINDTODEVICE, o->device, (socklen_t)strlen(o->device)))
		return err_errno(err, -errno, "probes cannot be bound to the interface '%s'", o->device);
	if (o->source_port && bind(d->prober.fd, &source.any, socket_address_bytes(o->address.family)))
		return err_errno(err, -errno, "source port %u cannot be used", o->source_port);
	return 0;
}

int datagram_prepare(struct datagram *d, const struct datagram_kind *kind, uint16_t port, struct err *err)
{
	int code = datagram_settings(d->prober.fd, (enum addr_family)d->prober.options.address.family, err);

	d->kind = kind;
	d->hop_limit = -1;
	if (getrandom(d->mark, sizeof(d->mark), 0) != sizeof(d->mark))
		return err_errno(err, -errno, "no random mark for the probes");
	if (!code)
		code = bind_source(d, err);
	return code ? code : connect_target(d, port, err);
}

uint32_t datagram_overhead(const struct prober *prober)
{
	return addr_ip_header(prober->options.address.family);
}

uint32_t datagram_size(const struct prober *prober, const struct probe_request *request)
{
	return MAX(request->size, prober->ops->smallest(prober));
}

uint32_t datagram_largest(const struct prober *prober)
{
	(void)prober;
	return DATAGRAM_LARGEST;
}

void datagram_put_mark(const struct datagram *d, uint8_t at[static DATAGRAM_MARK_BYTES], uint32_t id)
{
	memcpy(at, d->mark, sizeof(d->mark));
	memcpy(at + sizeof(d->mark), &id, sizeof(id));
}

enum whose datagram_read_mark(const struct datagram *d, struct cursor c, uint32_t *id)
{
	uint8_t mark[sizeof(d->mark)] = { 0 };
	size_t there = MIN(c.captured_left, sizeof(mark));

	cursor_bytes(&c, mark, there);
	if (memcmp(mark, d->mark, there))
		return WHOSE_FOREIGN;
	return cursor_u32ne(&c, id) ? WHOSE_OURS : WHOSE_UNNAMED;
}

/* Return: 1 a message, 0 none, −1 an error that an earlier packet caused and that is gone now. */
static int receive(struct datagram *d, bool queued, uint8_t bytes[static MESSAGE_BYTES], uint8_t control[static CONTROL_BYTES], struct datagram_message *out)
{
	union socket_address name = { .any = { 0 } };
	struct iovec iov = { .iov_base = bytes, .iov_len = MESSAGE_BYTES };
	struct msghdr header = { .msg_name = &name, .msg_namelen = sizeof(name), .msg_iov = &iov, .msg_iovlen = 1,
				 .msg_control = control, .msg_controllen = CONTROL_BYTES };
	ssize_t len = recvmsg(d->prober.fd, &header, MSG_DONTWAIT | MSG_TRUNC | (queued ? MSG_ERRQUEUE : 0));

	if (len < 0)
		return errno == EAGAIN ? 0 : -1;
	out->queued = queued;
	out->payload = cursor_of_cut(bytes, MIN((size_t)len, (size_t)MESSAGE_BYTES), (size_t)len);
	out->control = cursor_of(control, header.msg_controllen);
	if (!header.msg_namelen || !socket_address_read(&name, &out->from, NULL))
		out->from = (struct addr){ .family = d->prober.options.address.family };
	return 1;
}

/* The probe that a message is about, or NULL, counted. */
static struct pending_probe *probe_of(struct datagram *d, enum whose whose, uint32_t id, struct pending_probe *guess)
{
	struct prober *prober = &d->prober;
	struct pending_probe *probe = whose == WHOSE_UNNAMED ? guess : NULL;

	if (whose == WHOSE_OURS || whose == WHOSE_NAMED)
		probe = pending_find(&prober->pending, id);
	if (probe)
		return probe;
	if (whose == WHOSE_OURS)
		prober->counts.late++;
	else if (whose == WHOSE_MALFORMED)
		prober->counts.malformed++;
	else
		prober->counts.dropped++;
	return NULL;
}

static void fill_icmp(const struct queued_error *error, enum probe_reply reply, struct probe_outcome *out)
{
	out->reply = (uint8_t)reply;
	out->is_icmp = true;
	out->icmp_type = error->type;
	out->icmp_code = error->code;
	out->mtu = reply == REPLY_TOO_BIG ? error->mtu : 0;
	out->reply_ttl = error->ttl;
	out->from = error->offender;
	if (!error->has_offender)
		out->from.family = error->family;
}

static bool take_icmp(struct datagram *d, const struct datagram_message *message, const struct queued_error *error, int64_t now_us, struct probe_outcome *out)
{
	const struct addr *target = &d->prober.options.address;
	enum probe_reply reply = answer_reply((enum icmp_class)error->class, error->has_offender && addr_equal(&error->offender, target));
	enum whose whose = WHOSE_FOREIGN;
	struct pending_probe *probe;
	uint32_t id = 0;

	if (reply != REPLY_NONE && addr_equal(&message->from, target))
		whose = d->kind->quote(d, message->payload, &id);
	probe = probe_of(d, whose, id, whose == WHOSE_UNNAMED ? answer_guess(&d->prober.pending, reply, now_us) : NULL);
	if (!probe)
		return false;
	fill_icmp(error, reply, out);
	pending_end(&d->prober.pending, probe, now_us, out);
	return true;
}

static bool take_queued(struct datagram *d, const struct datagram_message *message, int64_t now_us, struct probe_outcome *out)
{
	struct queued_error error;
	enum decode_status status = queued_error_decode(message->control, &error);

	if (status != DECODE_OK || error.origin == QUEUED_OTHER) {
		d->prober.counts.malformed += status == DECODE_TRUNCATED || status == DECODE_MALFORMED;
		d->prober.counts.dropped += status == DECODE_OK || status == DECODE_UNSUPPORTED;
		return false;
	}
	if (error.origin == QUEUED_ICMP)
		return take_icmp(d, message, &error, now_us, out);
	d->refused = error.error;
	d->refused_mtu = error.mtu;
	return false;
}

static bool take_ordinary(struct datagram *d, const struct datagram_message *message, int64_t now_us, struct probe_outcome *out)
{
	enum whose whose = WHOSE_FOREIGN;
	struct pending_probe *probe;
	uint32_t id = 0;

	if (addr_equal(&message->from, &d->prober.options.address))
		whose = d->kind->take(d, message, &id);
	probe = probe_of(d, whose, id, whose == WHOSE_UNNAMED ? answer_alike(&d->prober.pending, now_us) : NULL);
	if (!probe)
		return false;
	out->reply = REPLY_ARRIVED;
	out->from = message->from;
	out->reply_ttl = control_hop_limit(message->control);
	pending_end(&d->prober.pending, probe, now_us, out);
	return true;
}

/* One message. Return: 0 none is there, 1 @out is filled, −1 there was one that says nothing. */
static int take_one(struct datagram *d, bool queued, int64_t now_us, struct probe_outcome *out)
{
	_Alignas(size_t) uint8_t control[CONTROL_BYTES];
	uint8_t bytes[MESSAGE_BYTES];
	struct datagram_message message;
	int got = receive(d, queued, bytes, control, &message);

	if (got <= 0)
		return got;
	*out = (struct probe_outcome){ .rtt_us = -1 };
	return (queued ? take_queued : take_ordinary)(d, &message, now_us, out) ? 1 : -1;
}

bool datagram_next(struct prober *prober, int64_t now_us, struct probe_outcome *outcome)
{
	struct datagram *d = (struct datagram *)prober;

	for (unsigned i = 0; i < DATAGRAM_READS_MAX; i++) {
		int got = take_one(d, true, now_us, outcome);

		if (!got)
			got = take_one(d, false, now_us, outcome);
		if (got >= 0)
			return got;
	}
	return false;
}

/* Reads what waits in the error queue, so that it cannot fail the next packet. */
static void drain_errors(struct datagram *d, int64_t now_us)
{
	struct probe_outcome outcome;
	socklen_t len = sizeof(int);
	int got, error;

	for (unsigned i = 0; i < DATAGRAM_READS_MAX && (got = take_one(d, true, now_us, &outcome)); i++) {
		if (got > 0)
			prober_ready(&d->prober, &outcome);
	}
	/* an error without an entry, for which there was no room; asking takes it away */
	(void)getsockopt(d->prober.fd, SOL_SOCKET, SO_ERROR, &error, &len);
}

static int set_hop_limit(struct datagram *d, int hop_limit)
{
	bool is_v6 = d->prober.options.address.family == ADDR_V6;

	/* not as a control message: ping sockets of IPv6 read none before Linux 5.18 */
	if (d->hop_limit != hop_limit &&
	    setsockopt(d->prober.fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP, is_v6 ? IPV6_UNICAST_HOPS : IP_TTL, &hop_limit, sizeof(hop_limit)))
		return errno;
	d->hop_limit = hop_limit;
	return 0;
}

/* Return: 0 when the kernel took it, or a positive errno. */
static int try_send(struct datagram *d, size_t bytes, int64_t now_us)
{
	int error = 0;

	for (unsigned i = 0; i < SEND_TRIES; i++) {
		d->refused = 0;
		if (send(d->prober.fd, d->packet, bytes, 0) >= 0)
			return 0;
		error = errno;
		drain_errors(d, now_us);
		if (d->refused)
			return d->refused;
	}
	return error;
}

/* A size that the interface takes and the kernel does not: it knows of something narrower, a tunnel or IPsec of its own. */
static bool is_own_notion(const struct datagram *d, uint32_t size, int error)
{
	uint32_t interface_mtu = d->prober.options.interface_mtu;

	return error == EMSGSIZE && d->refused && d->refused_mtu && interface_mtu && size <= interface_mtu;
}

static void refuse(struct datagram *d, const struct probe_request *request, int error)
{
	struct probe_outcome outcome = { .id = request->id, .size = request->size, .lane = request->lane, .hop_limit = request->hop_limit, .reply = REPLY_LOCAL,
					 .error = error, .rtt_us = -1, .from = { .family = d->prober.options.address.family } };

	if (is_own_notion(d, datagram_size(&d->prober, request), error)) {
		outcome.reply = REPLY_TOO_BIG;
		outcome.mtu = d->refused_mtu;
		outcome.error = 0;
	}
	prober_ready(&d->prober, &outcome);
}

void datagram_send(struct datagram *d, const struct probe_request *request, uint32_t lead, int64_t now_us)
{
	uint32_t size = datagram_size(&d->prober, request);
	int error = size > DATAGRAM_LARGEST ? EMSGSIZE : set_hop_limit(d, request->hop_limit ? request->hop_limit : -1);

	d->refused = 0;
	if (!error)
		error = try_send(d, size - datagram_overhead(&d->prober) - lead, now_us);
	if (error) {
		refuse(d, request, error);
		return;
	}
	d->prober.counts.sent++;
	pending_add(&d->prober.pending, request, now_us);
}

void datagram_close(struct prober *prober)
{
	(void)prober;
}

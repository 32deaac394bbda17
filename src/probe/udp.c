/* SPDX-License-Identifier: MIT */
/* Probes by UDP to a port where nobody listens: "port unreachable" says that one came, the error queue says so without privilege. */
#include <errno.h>
#include <sys/socket.h>

#include "datagram.h"
#include "socket_address.h"

/* Where path traces begin by custom: hardly a service listens there. */
#define DEFAULT_PORT 33434

static int open_socket(enum addr_family family, struct err *err)
{
	int fd = socket(socket_address_domain(family), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);

	return fd >= 0 ? fd : err_errno(err, -errno, "no UDP socket of %s", family == ADDR_V6 ? "IPv6" : "IPv4");
}

static int udp_allowed(enum addr_family family, struct err *err)
{
	AUTO_FD int fd = open_socket(family, err);

	return fd < 0 ? fd : datagram_settings(fd, family, err);
}

/* The quote begins behind the UDP header, whose ports the kernel has compared. */
static enum whose udp_quote(struct datagram *d, struct cursor payload, uint32_t *id)
{
	return datagram_read_mark(d, payload, id);
}

/* A service that sends our bytes back names the probe. Any other may send two datagrams for one probe: it counts where that can do no harm. */
static enum whose udp_take(struct datagram *d, const struct datagram_message *message, uint32_t *id)
{
	return datagram_read_mark(d, message->payload, id) == WHOSE_OURS ? WHOSE_OURS : WHOSE_UNNAMED;
}

static const struct datagram_kind kind = { .quote = udp_quote, .take = udp_take };

static int udp_open(struct prober *prober, struct err *err)
{
	prober->fd = open_socket(prober->options.address.family, err);
	if (prober->fd < 0)
		return prober->fd;
	return datagram_prepare((struct datagram *)prober, &kind, prober->options.port ? prober->options.port : DEFAULT_PORT, err);
}

static uint32_t udp_smallest(const struct prober *prober)
{
	return datagram_overhead(prober) + DATAGRAM_HEADER_BYTES + DATAGRAM_MARK_BYTES;
}

static void udp_send(struct prober *prober, const struct probe_request *request, int64_t now_us)
{
	struct datagram *d = (struct datagram *)prober;

	datagram_put_mark(d, d->packet, request->id);
	datagram_send(d, request, DATAGRAM_HEADER_BYTES, now_us);
}

const struct prober_ops prober_udp = {
	.method = PROBE_UDP,
	.most = DATAGRAM_MOST,
	.size = sizeof(struct datagram),
	.allowed = udp_allowed,
	.open = udp_open,
	.smallest = udp_smallest,
	.largest = datagram_largest,
	.send = udp_send,
	.next = datagram_next,
	.close = datagram_close,
};

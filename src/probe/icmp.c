/* SPDX-License-Identifier: MIT */
/* Probes by ICMP echo: through a ping socket where net.ipv4.ping_group_range allows it (of IPv6 too), else through a raw one.
 *
 *   0: type | code | checksum:16 | id:16 | seq:16 | mark[8] | probe id:32 | balance:16 | zeros up to the size
 *
 * Some routers balance by the whole first word behind the IP header, the checksum of an echo included. So the balance is chosen such that all words of every probe, and of IPv6 the length
 * in the pseudo header, sum up to the same: then the checksum is the same as well, whoever computes it. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <string.h>
#include <sys/random.h>

#include "datagram.h"
#include "socket_address.h"
#include "tcptriage/base/setcap.h"

#define BALANCE_BYTES 2
/* include/uapi/linux/icmp.h, whose names are those of our model as well. */
#define ECHO_REPLY_V4 0
#define ECHO_REQUEST_V4 8
#define RAW_ICMP_FILTER 1
#define PING_GROUPS "sudo sysctl -w net.ipv4.ping_group_range=\"0 2147483647\""

/* Where the fields stand. */
enum { AT_TYPE = 0, AT_CHECKSUM = 2, AT_ID = 4, AT_SEQ = 6, AT_MARK = 8, AT_BALANCE = AT_MARK + DATAGRAM_MARK_BYTES };

/* struct icmp - one prober. @raw: not a ping socket. @echo_id: identifier of all its echoes. @sum: of the words of every probe, checksum left out. */
struct icmp {
	struct datagram d;
	bool raw;
	uint16_t echo_id, sum;
};

static const struct family_kind {
	int protocol;
	uint8_t request;
} families[ADDR_FAMILY_COUNT] = {
	[ADDR_V4] = { IPPROTO_ICMP, ECHO_REQUEST_V4 },
	[ADDR_V6] = { IPPROTO_ICMPV6, ICMP6_ECHO_REQUEST },
};

/* Return: a descriptor, or -EPERM with what would mend it. */
static int open_socket(enum addr_family family, bool *raw, struct err *err)
{
	int domain = socket_address_domain(family), protocol = families[family].protocol, fd;
	char setcap[SETCAP_LINE_MAX];

	*raw = false;
	fd = socket(domain, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	if (fd >= 0)
		return fd;
	*raw = true;
	fd = socket(domain, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	if (fd >= 0)
		return fd;
	if (errno != EPERM && errno != EACCES)
		return err_errno(err, -errno, "no ICMP socket of %s", family == ADDR_V6 ? "IPv6" : "IPv4");
	setcap_raw_line(setcap);
	return err_set(err, -EPERM, "ICMP probes need CAP_NET_RAW, or net.ipv4.ping_group_range to hold a group of this user: %s; or %s", PING_GROUPS, setcap);
}

static int icmp_allowed(enum addr_family family, struct err *err)
{
	bool raw;
	AUTO_FD int fd = open_socket(family, &raw, err);

	return fd < 0 ? fd : datagram_settings(fd, family, err);
}

/* Nothing but echo replies is to wake us: errors come through the error queue, which no filter stops. */
static int filter_raw(int fd, bool is_v6)
{
	uint32_t v4 = ~(1u << ECHO_REPLY_V4); /* a bit that is set blocks its type */
	struct icmp6_filter v6;

	if (!is_v6)
		return setsockopt(fd, SOL_RAW, RAW_ICMP_FILTER, &v4, sizeof(v4));
	ICMP6_FILTER_SETBLOCKALL(&v6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &v6);
	return setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &v6, sizeof(v6));
}

/* The kernel gives every ping socket an identifier, as if it were a port; a raw one takes any. */
static int choose_id(struct icmp *icmp, struct err *err)
{
	union socket_address name;
	socklen_t len = sizeof(name);
	struct addr unused;

	if (icmp->raw)
		return getrandom(&icmp->echo_id, sizeof(icmp->echo_id), 0) == sizeof(icmp->echo_id) ? 0 : err_errno(err, -errno, "no random ICMP identifier");
	if (getsockname(icmp->d.prober.fd, &name.any, &len) || !socket_address_read(&name, &unused, &icmp->echo_id))
		return err_errno(err, -errno, "the ping socket does not tell its identifier");
	return 0;
}

/* Whose echo it is, request or reply. */
static enum whose whose_echo(const struct icmp *icmp, const struct icmp_echo *echo, uint32_t *id)
{
	const struct pending *pending = &icmp->d.prober.pending;
	enum whose whose;

	if (echo->id != icmp->echo_id)
		return WHOSE_FOREIGN;
	whose = datagram_read_mark(&icmp->d, echo->payload, id);
	if (whose != WHOSE_UNNAMED)
		return whose == WHOSE_OURS && echo->seq == (uint16_t)*id ? WHOSE_OURS : WHOSE_FOREIGN;
	for (unsigned i = 0; i < pending->count; i++) {
		*id = pending->at[i].request.id;
		if ((uint16_t)*id == echo->seq)
			return WHOSE_NAMED;
	}
	return WHOSE_FOREIGN;
}

static enum whose icmp_quote(struct datagram *d, struct cursor payload, uint32_t *id)
{
	struct icmp_echo echo;
	enum decode_status status = icmp_echo_decode(payload, (enum addr_family)d->prober.options.address.family, &echo);

	if (status != DECODE_OK)
		return status == DECODE_UNSUPPORTED ? WHOSE_FOREIGN : WHOSE_MALFORMED;
	return echo.class == ICMP_ECHO_REQUEST ? whose_echo((struct icmp *)d, &echo, id) : WHOSE_FOREIGN;
}

static enum whose icmp_take(struct datagram *d, const struct datagram_message *message, uint32_t *id)
{
	const struct icmp *icmp = (struct icmp *)d;
	enum addr_family family = (enum addr_family)d->prober.options.address.family;
	bool has_ip = icmp->raw && family == ADDR_V4;
	struct icmp_echo echo;
	enum decode_status status = has_ip ? icmp_echo_decode_ipv4(message->payload, &echo) : icmp_echo_decode(message->payload, family, &echo);
	enum whose whose;

	if (status != DECODE_OK)
		return status == DECODE_UNSUPPORTED ? WHOSE_FOREIGN : WHOSE_MALFORMED;
	whose = echo.class == ICMP_ECHO_REPLY ? whose_echo(icmp, &echo, id) : WHOSE_FOREIGN;
	/* a host sends back all that came: without the mark it is not an answer to us */
	return whose == WHOSE_OURS ? WHOSE_OURS : WHOSE_FOREIGN;
}

static const struct datagram_kind kind = { .quote = icmp_quote, .take = icmp_take };

static int icmp_open(struct prober *prober, struct err *err)
{
	struct icmp *icmp = (struct icmp *)prober;
	bool is_v6 = prober->options.address.family == ADDR_V6;
	int code;

	prober->options.source_port = 0;
	prober->fd = open_socket((enum addr_family)prober->options.address.family, &icmp->raw, err);
	if (prober->fd < 0)
		return prober->fd;
	if (icmp->raw && filter_raw(prober->fd, is_v6))
		return err_errno(err, -errno, "the raw socket takes no filter");
	code = datagram_prepare(&icmp->d, &kind, 0, err);
	if (code)
		return code;
	memcpy(&icmp->sum, icmp->d.mark, sizeof(icmp->sum));
	icmp->sum = (uint16_t)(icmp->sum % 0xfffe + 1); /* neither 0 nor 0xffff, which one's complement takes for the same */
	return choose_id(icmp, err);
}

static uint32_t icmp_smallest(const struct prober *prober)
{
	return datagram_overhead(prober) + DATAGRAM_HEADER_BYTES + DATAGRAM_MARK_BYTES + BALANCE_BYTES;
}

static void put_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* One's complement (RFC 1071). What follows the balance is zero and adds nothing. */
static uint16_t sum_of(const uint8_t *bytes, size_t len, uint32_t more)
{
	uint32_t sum = fold(more);

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	return fold(sum);
}

/* The header and what stands in the payload of an ICMP message of @bytes. */
static void write_echo(struct icmp *icmp, uint32_t id, uint32_t bytes)
{
	struct prober *prober = &icmp->d.prober;
	uint8_t *at = icmp->d.packet;
	bool is_v6 = prober->options.address.family == ADDR_V6;
	uint16_t rest;

	memset(at, 0, AT_BALANCE + BALANCE_BYTES);
	at[AT_TYPE] = families[prober->options.address.family].request;
	put_u16(at + AT_ID, icmp->echo_id);
	put_u16(at + AT_SEQ, (uint16_t)id);
	datagram_put_mark(&icmp->d, at + AT_MARK, id);
	rest = sum_of(at, AT_BALANCE, is_v6 ? bytes : 0);
	put_u16(at + AT_BALANCE, fold((uint32_t)icmp->sum + (uint16_t)~rest));
	/* the kernel writes it again but for raw IPv4, and comes to the same */
	put_u16(at + AT_CHECKSUM, (uint16_t)~icmp->sum);
}

static void icmp_send(struct prober *prober, const struct probe_request *request, int64_t now_us)
{
	struct icmp *icmp = (struct icmp *)prober;

	write_echo(icmp, request->id, datagram_size(prober, request) - datagram_overhead(prober));
	datagram_send(&icmp->d, request, 0, now_us);
}

const struct prober_ops prober_icmp = {
	.method = PROBE_ICMP,
	.most = DATAGRAM_MOST,
	.size = sizeof(struct icmp),
	.allowed = icmp_allowed,
	.open = icmp_open,
	.smallest = icmp_smallest,
	.largest = datagram_largest,
	.send = icmp_send,
	.next = datagram_next,
	.close = datagram_close,
};

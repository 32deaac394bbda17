/* SPDX-License-Identifier: MIT */
/* One TCP connection of a probe: how it is made, what the kernel tells of it, how it ends. */
#include "tcp_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "socket_address.h"
#include "tcptriage/base/file.h"
#include "tcptriage/model/state.h"

#define MTU_PROBING "/proc/sys/net/ipv4/tcp_mtu_probing"
#define MTU_PROBING_ALWAYS "2"

/* One row a socket option that a connection cannot do without; @v4, @v6: for which families. */
static const struct socket_setting {
	int level, name, value;
	bool v4, v6;
} settings[] = {
	{ IPPROTO_TCP, TCP_NODELAY, 1, true, true },
	{ IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO, true, false },
	{ IPPROTO_IP, IP_RECVERR, 1, true, false },
	{ IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO, false, true },
	{ IPPROTO_IPV6, IPV6_RECVERR, 1, false, true },
	{ IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 0, false, true },
};

static int set_all(int fd, enum addr_family family)
{
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const struct socket_setting *s = &settings[i];

		if ((family == ADDR_V4 ? s->v4 : s->v6) && setsockopt(fd, s->level, s->name, &s->value, sizeof(s->value)))
			return -errno;
	}
	return 0;
}

static int bind_device(int fd, const char *device)
{
	return device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device) + 1) ? -errno : 0;
}

/* @port may be bound by sockets of ours besides, as long as none listens. */
static int bind_port(int fd, enum addr_family family, uint16_t port)
{
	const struct addr any = { .family = (uint8_t)family };
	union socket_address source = socket_address_of(&any, port, 0);
	int one = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) || bind(fd, &source.any, socket_address_bytes(family)) ? -errno : 0;
}

static int set_hop_limit(int fd, enum addr_family family, int hop_limit)
{
	return setsockopt(fd, family == ADDR_V6 ? IPPROTO_IPV6 : IPPROTO_IP, family == ADDR_V6 ? IPV6_UNICAST_HOPS : IP_TTL, &hop_limit, sizeof(hop_limit)) ?
		       -errno :
		       0;
}

static int set_wish(int fd, const struct tcp_socket_wish *wish)
{
	enum addr_family family = (enum addr_family)wish->options->address.family;
	int code = bind_device(fd, wish->options->device);

	if (!code && wish->mss && setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &wish->mss, sizeof(wish->mss)))
		code = -errno;
	if (!code && wish->hop_limit)
		code = set_hop_limit(fd, family, wish->hop_limit);
	if (!code && wish->source_port)
		code = bind_port(fd, family, wish->source_port);
	return code;
}

int tcp_socket_connect(const struct tcp_socket_wish *wish)
{
	const struct prober_options *options = wish->options;
	enum addr_family family = (enum addr_family)options->address.family;
	int fd = socket(socket_address_domain(family), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP), code;

	if (fd < 0)
		return -errno;
	code = set_all(fd, family);
	if (!code)
		code = set_wish(fd, wish);
	if (!code)
		code = tcp_socket_aim(fd, options);
	if (!code || code == -EINPROGRESS)
		return fd;
	close(fd);
	return code;
}

static int hold_failed(const struct prober_options *options, int code, struct err *err)
{
	/* bind() has a word of its own for what connect() calls EADDRNOTAVAIL: none is free */
	if (code == -EADDRINUSE && !options->source_port)
		code = -EADDRNOTAVAIL;
	if (code == -EADDRINUSE && options->source_port)
		return err_set(err, code, "source port %u is taken; ss -tanp sport = :%u shows by whom, and without --sport a free one is used", options->source_port,
			       options->source_port);
	return options->source_port ? err_errno(err, code, "source port %u cannot be used", options->source_port) :
				      err_errno(err, code, "there is no source port for probes");
}

int tcp_socket_hold_port(const struct prober_options *options, uint16_t *port, struct err *err)
{
	enum addr_family family = (enum addr_family)options->address.family;
	int fd = socket(socket_address_domain(family), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP), code;
	union socket_address own;
	socklen_t len = sizeof(own);
	struct addr any;

	if (fd < 0)
		return err_errno(err, -errno, "no TCP socket");
	code = bind_device(fd, options->device);
	if (!code)
		code = bind_port(fd, family, options->source_port);
	if (!code && getsockname(fd, &own.any, &len))
		code = -errno;
	if (code) {
		close(fd);
		return hold_failed(options, code, err);
	}
	socket_address_read(&own, &any, port);
	return fd;
}

struct addr tcp_socket_source(int fd)
{
	union socket_address own;
	socklen_t len = sizeof(own);
	struct addr out = { .family = ADDR_V4 };

	if (!getsockname(fd, &own.any, &len))
		socket_address_read(&own, &out, NULL);
	return out;
}

int tcp_socket_aim(int fd, const struct prober_options *options)
{
	union socket_address target = socket_address_of(&options->address, options->port, options->scope);

	return connect(fd, &target.any, socket_address_bytes((enum addr_family)options->address.family)) ? -errno : 0;
}

bool tcp_socket_read(int fd, struct tcp_reading *out)
{
	socklen_t len = sizeof(out->bytes);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, out->bytes, &len))
		return false;
	out->info = (struct tcp_info_bytes){ .bytes = out->bytes, .len = (uint16_t)len };
	return true;
}

static unsigned state_of(const struct tcp_reading *reading)
{
	return (unsigned)tcpi_get(&reading->info, TCPI_STATE);
}

bool tcp_socket_connecting(const struct tcp_reading *reading)
{
	unsigned state = state_of(reading);

	return state == SOCK_STATE_SYN_SENT || state == SOCK_STATE_SYN_RECV;
}

bool tcp_socket_connected(const struct tcp_reading *reading)
{
	return !tcp_socket_connecting(reading) && state_of(reading) != SOCK_STATE_UNCONN;
}

uint32_t tcp_socket_header_bytes(enum addr_family family, const struct tcp_reading *reading)
{
	bool timestamps = tcpi_get(&reading->info, TCPI_OPTIONS) & TCPI_OPT_TIMESTAMPS;

	return addr_tcp_headers(family) + (timestamps ? TCP_TIMESTAMP_BYTES : 0);
}

bool tcp_socket_begins_small(void)
{
	char text[16];

	return file_read_at(AT_FDCWD, MTU_PROBING, text, sizeof(text)) > 0 && !strcmp(text, MTU_PROBING_ALWAYS "\n");
}

struct tcp_witness tcp_socket_witness(const struct tcp_reading *reading)
{
	const struct tcp_info_bytes *info = &reading->info;
	uint64_t rtt_us = tcpi_get(info, TCPI_RTT);

	return (struct tcp_witness){
		.made = true,
		.connected = tcp_socket_connected(reading),
		.begins_small = tcp_socket_begins_small(),
		.timestamps = tcpi_get(info, TCPI_OPTIONS) & TCPI_OPT_TIMESTAMPS,
		.snd_mss = (uint32_t)tcpi_get(info, TCPI_SND_MSS),
		.advmss = (uint32_t)tcpi_get(info, TCPI_ADVMSS),
		.rcv_mss = (uint32_t)tcpi_get(info, TCPI_RCV_MSS),
		.pmtu = (uint32_t)tcpi_get(info, TCPI_PMTU),
		.handshake_us = rtt_us ? (int64_t)rtt_us : -1,
	};
}

void tcp_socket_forget_errors(int fd, enum addr_family family)
{
	const int off = 0;
	int level = family == ADDR_V6 ? IPPROTO_IPV6 : IPPROTO_IP, name = family == ADDR_V6 ? IPV6_RECVERR : IP_RECVERR;

	/* Should it fail, an error ends the connection as one that is not soft. */
	(void)setsockopt(fd, level, name, &off, sizeof(off));
}

int tcp_socket_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) ? errno : error;
}

void tcp_socket_reset(int fd)
{
	struct linger at_once = { .l_onoff = 1 };

	/* Should it fail, an ordinary close ends the connection as well. */
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

/* A datagram socket that is connected to the target: routing is asked, nothing is sent. Return: descriptor or -errno. */
static int route_socket(const struct prober_options *options)
{
	int fd = socket(socket_address_domain((enum addr_family)options->address.family), SOCK_DGRAM | SOCK_CLOEXEC, 0), code;

	if (fd < 0)
		return -errno;
	code = bind_device(fd, options->device);
	if (!code)
		code = tcp_socket_aim(fd, options);
	if (!code)
		return fd;
	close(fd);
	return code;
}

int tcp_socket_route(const struct prober_options *options, struct err *err)
{
	char text[ADDR_TEXT_MAX + 1];
	int fd = route_socket(options);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	*addr_text(text, &options->address) = '\0';
	return err_errno(err, fd, "no connection to %s can be made", text);
}

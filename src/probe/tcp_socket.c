/* SPDX-License-Identifier: MIT */
/* One TCP connection of a probe: how it is made, what the kernel tells of it, how it ends. */
#include "tcp_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcptriage/model/state.h"

#define TCP_HEADER_BYTES 20
#define TIMESTAMP_BYTES 12

union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static const struct family_kind {
	int domain;
	socklen_t address_bytes;
	uint32_t header_bytes;
} families[ADDR_FAMILY_COUNT] = {
	[ADDR_V4] = { AF_INET, sizeof(struct sockaddr_in), 20 },
	[ADDR_V6] = { AF_INET6, sizeof(struct sockaddr_in6), 40 },
};

static union socket_address address_of(enum addr_family family, const struct addr *addr, uint16_t port, uint32_t scope)
{
	union socket_address out = { .v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_scope_id = scope } };

	if (family == ADDR_V6) {
		if (addr)
			memcpy(&out.v6.sin6_addr, addr->bytes, sizeof(out.v6.sin6_addr));
		return out;
	}
	out = (union socket_address){ .v4 = { .sin_family = AF_INET, .sin_port = htons(port) } };
	if (addr)
		memcpy(&out.v4.sin_addr, addr->bytes, sizeof(out.v4.sin_addr));
	return out;
}

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
	union socket_address source = address_of(family, NULL, port, 0);
	int one = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) || bind(fd, &source.any, families[family].address_bytes) ? -errno : 0;
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
	const struct family_kind *family = &families[options->address.family];
	union socket_address target = address_of(options->address.family, &options->address, options->port, options->scope);
	int fd = socket(family->domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP), code;

	if (fd < 0)
		return -errno;
	code = set_all(fd, options->address.family);
	if (!code)
		code = set_wish(fd, wish);
	if (!code && connect(fd, &target.any, family->address_bytes) && errno != EINPROGRESS)
		code = -errno;
	if (!code)
		return fd;
	close(fd);
	return code;
}

static int hold_failed(const struct prober_options *options, int code, struct err *err)
{
	if (code == -EADDRINUSE && options->source_port)
		return err_set(err, code, "source port %u is taken; ss -tanp sport = :%u shows by whom, and without --sport a free one is used", options->source_port,
			       options->source_port);
	return options->source_port ? err_errno(err, code, "source port %u cannot be used", options->source_port) :
				      err_errno(err, code, "there is no source port for probes");
}

int tcp_socket_hold_port(const struct prober_options *options, uint16_t *port, struct err *err)
{
	const struct family_kind *family = &families[options->address.family];
	int fd = socket(family->domain, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP), code;
	union socket_address own;
	socklen_t len = sizeof(own);

	if (fd < 0)
		return err_errno(err, -errno, "no TCP socket");
	code = bind_device(fd, options->device);
	if (!code)
		code = bind_port(fd, (enum addr_family)options->address.family, options->source_port);
	if (!code && getsockname(fd, &own.any, &len))
		code = -errno;
	if (code) {
		close(fd);
		return hold_failed(options, code, err);
	}
	*port = ntohs(options->address.family == ADDR_V6 ? own.v6.sin6_port : own.v4.sin_port);
	return fd;
}

struct addr tcp_socket_source(int fd)
{
	union socket_address own = { .v6 = { .sin6_family = AF_UNSPEC } };
	socklen_t len = sizeof(own);
	struct addr out = { .family = ADDR_V4 };

	if (getsockname(fd, &own.any, &len))
		return out;
	if (own.any.sa_family == AF_INET6) {
		out.family = ADDR_V6;
		memcpy(out.bytes, &own.v6.sin6_addr, sizeof(own.v6.sin6_addr));
	} else {
		memcpy(out.bytes, &own.v4.sin_addr, sizeof(own.v4.sin_addr));
	}
	return out;
}

int tcp_socket_aim(int fd, const struct prober_options *options)
{
	const struct family_kind *family = &families[options->address.family];
	union socket_address target = address_of(options->address.family, &options->address, options->port, options->scope);

	return connect(fd, &target.any, family->address_bytes) ? -errno : 0;
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

	return families[family].header_bytes + TCP_HEADER_BYTES + (timestamps ? TIMESTAMP_BYTES : 0);
}

struct tcp_witness tcp_socket_witness(const struct tcp_reading *reading)
{
	const struct tcp_info_bytes *info = &reading->info;
	uint64_t rtt_us = tcpi_get(info, TCPI_RTT);

	return (struct tcp_witness){
		.made = true,
		.connected = tcp_socket_connected(reading),
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
	int fd = socket(families[options->address.family].domain, SOCK_DGRAM | SOCK_CLOEXEC, 0), code;

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

static bool same_address(const union socket_address *a, const struct sockaddr *b)
{
	if (!b || b->sa_family != a->any.sa_family)
		return false;
	if (b->sa_family == AF_INET)
		return !memcmp(&a->v4.sin_addr, &((const struct sockaddr_in *)(const void *)b)->sin_addr, sizeof(a->v4.sin_addr));
	return !memcmp(&a->v6.sin6_addr, &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr, sizeof(a->v6.sin6_addr));
}

/* The interface that carries the source address of @fd. Return: false when none does. */
static bool name_of_source(int fd, char name[static IFNAMSIZ])
{
	union socket_address source;
	socklen_t len = sizeof(source);
	struct ifaddrs *list;
	bool found = false;

	if (getsockname(fd, &source.any, &len) || getifaddrs(&list))
		return false;
	for (const struct ifaddrs *at = list; at && !found; at = at->ifa_next) {
		found = same_address(&source, at->ifa_addr);
		if (found)
			strncpy(name, at->ifa_name, IFNAMSIZ - 1);
	}
	freeifaddrs(list);
	return found;
}

uint32_t tcp_socket_link_mtu(const struct prober_options *options)
{
	struct ifreq request = { .ifr_mtu = 0 };
	AUTO_FD int fd = route_socket(options);

	if (fd < 0)
		return 0;
	if (options->device)
		strncpy(request.ifr_name, options->device, IFNAMSIZ - 1);
	else if (!name_of_source(fd, request.ifr_name))
		return 0;
	return ioctl(fd, SIOCGIFMTU, &request) ? 0 : (uint32_t)request.ifr_mtu;
}

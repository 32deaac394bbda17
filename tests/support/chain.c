/* SPDX-License-Identifier: MIT */
/* Client, routers and server in network namespaces of their own. */
#include "chain.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static pid_t holders[CHAIN_PLACE_COUNT];
static unsigned routers;

const char *chain_skip(void)
{
	if (geteuid())
		return "not root: no network namespace of our own can be made";
	return unshare(CLONE_NEWNET) ? "no namespaces here" : NULL;
}

/* A process that holds a namespace open for as long as its parent lives. */
static pid_t hold_namespace(void)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) || write(ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

void chain_run(enum chain_place place, const char *format, ...)
{
	char inner[2048], outer[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(inner, sizeof(inner), format, args);
	va_end(args);
	if (place == CHAIN_CLIENT)
		snprintf(outer, sizeof(outer), "%s", inner);
	else
		snprintf(outer, sizeof(outer), "nsenter -n -t %d sh -c \"%s\"", (int)holders[place], inner);
	if (system(outer))
		fail_msg("failed: %s", outer);
}

void chain_enter(enum chain_place place)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)holders[place]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		_exit(1);
	close(fd);
}

/* Who stands @position links from the client. */
static enum chain_place place_at(unsigned position)
{
	return !position ? CHAIN_CLIENT : position > routers ? CHAIN_SERVER : (enum chain_place)(CHAIN_ROUTER + position - 1);
}

static void give_address(enum chain_place place, unsigned link, char end, unsigned host)
{
	chain_run(place, "ip addr add 10.71.%u.%u/24 dev tch%u%c && ip addr add fd71:%u::%u/64 dev tch%u%c nodad && ip link set tch%u%c up", link, host, link, end, link, host, link,
		  end, link, end);
}

static void join(unsigned link)
{
	chain_run(place_at(link - 1), "ip link set lo up && ip link add tch%ua type veth peer name tch%ub netns %d", link, link, (int)holders[place_at(link)]);
	give_address(place_at(link - 1), link, 'a', 1);
	give_address(place_at(link), link, 'b', 2);
}

/* Of a router: the nets behind the next one, and those before the last one. */
static void route(unsigned position)
{
	enum chain_place place = place_at(position);

	chain_run(place, "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
	for (unsigned link = 1; link <= routers + 1; link++) {
		if (link > position + 1)
			chain_run(place, "ip route add 10.71.%u.0/24 via 10.71.%u.2 && ip route add fd71:%u::/64 via fd71:%u::2", link, position + 1, link, position + 1);
		else if (link < position)
			chain_run(place, "ip route add 10.71.%u.0/24 via 10.71.%u.1 && ip route add fd71:%u::/64 via fd71:%u::1", link, position, link, position);
	}
}

void chain_up(unsigned count)
{
	unsigned last = count + 1;

	routers = count;
	for (unsigned position = 1; position <= last; position++)
		holders[place_at(position)] = hold_namespace();
	for (unsigned link = 1; link <= last; link++)
		join(link);
	for (unsigned position = 1; position < last; position++)
		route(position);
	chain_run(CHAIN_CLIENT, "ip route add default via 10.71.1.2 && ip route add default via fd71:1::2");
	chain_run(CHAIN_SERVER, "ip link set lo up && ip route add default via 10.71.%u.1 && ip route add default via fd71:%u::1", last, last);
	/* neighbours are known and carriers seen before anything is measured */
	chain_run(CHAIN_CLIENT,
		  "for i in 1 2 3 4 5 6 7 8 9 10; do ping -c1 -W1 -q 10.71.%u.2 >/dev/null && ping -6 -c1 -W1 -q fd71:%u::2 >/dev/null && exit 0; sleep 0.1; done; exit 1", last, last);
}

struct addr chain_server(enum addr_family family)
{
	char text[32];
	struct addr out;

	snprintf(text, sizeof(text), family == ADDR_V4 ? "10.71.%u.2" : "fd71:%u::2", routers + 1);
	assert_true(addr_parse(text, &out));
	return out;
}

void chain_widen(void)
{
	chain_run(CHAIN_ROUTER, "nft flush ruleset; ip link set tch1b mtu 1500; ip link set tch2a mtu 1500");
	for (unsigned position = 0; position <= routers + 1; position++)
		chain_run(place_at(position), "ip route flush cache; ip -6 route flush cache; ip tcp_metrics flush all");
}

void chain_narrow(enum chain_place to, unsigned mtu, bool silent)
{
	chain_run(CHAIN_ROUTER, "ip link set %s mtu %u", to == CHAIN_SERVER ? "tch2a" : "tch1b", mtu);
	if (silent)
		chain_run(CHAIN_ROUTER, "nft 'add table inet mute; add chain inet mute out { type filter hook output priority 0 ; }; "
					"add rule inet mute out icmp type destination-unreachable drop; add rule inet mute out icmpv6 type packet-too-big drop'");
}

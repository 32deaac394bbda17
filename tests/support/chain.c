/* SPDX-License-Identifier: MIT */
/* Client, router and server in network namespaces of their own. */
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

static pid_t holders[3];

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

void chain_up(void)
{
	holders[CHAIN_ROUTER] = hold_namespace();
	holders[CHAIN_SERVER] = hold_namespace();
	chain_run(CHAIN_CLIENT, "ip link set lo up && ip link add tch-c type veth peer name tch-rc netns %d", (int)holders[CHAIN_ROUTER]);
	chain_run(CHAIN_ROUTER, "ip link add tch-rs type veth peer name tch-s netns %d", (int)holders[CHAIN_SERVER]);
	chain_run(CHAIN_CLIENT, "ip addr add 10.71.1.2/24 dev tch-c && ip addr add fd71:1::2/64 dev tch-c nodad && ip link set tch-c up && "
				"ip route add default via 10.71.1.1 && ip route add default via fd71:1::1");
	chain_run(CHAIN_ROUTER, "ip addr add 10.71.1.1/24 dev tch-rc && ip addr add fd71:1::1/64 dev tch-rc nodad && ip link set tch-rc up && "
				"ip addr add 10.71.2.1/24 dev tch-rs && ip addr add fd71:2::1/64 dev tch-rs nodad && ip link set tch-rs up && "
				"sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
	chain_run(CHAIN_SERVER, "ip link set lo up && ip addr add 10.71.2.2/24 dev tch-s && ip addr add fd71:2::2/64 dev tch-s nodad && ip link set tch-s up && "
				"ip route add default via 10.71.2.1 && ip route add default via fd71:2::1");
	/* neighbours are known and carriers seen before anything is measured */
	chain_run(CHAIN_CLIENT, "for i in 1 2 3 4 5 6 7 8 9 10; do ping -c1 -W1 -q 10.71.2.2 >/dev/null && ping -6 -c1 -W1 -q fd71:2::2 >/dev/null && exit 0; sleep 0.1; done; exit 1");
}

struct addr chain_server(enum addr_family family)
{
	struct addr out;

	assert_true(addr_parse(family == ADDR_V4 ? "10.71.2.2" : "fd71:2::2", &out));
	return out;
}

void chain_widen(void)
{
	chain_run(CHAIN_ROUTER, "nft flush ruleset; ip link set tch-rc mtu 1500; ip link set tch-rs mtu 1500");
	for (unsigned place = CHAIN_CLIENT; place <= CHAIN_SERVER; place++)
		chain_run(place, "ip route flush cache; ip -6 route flush cache; ip tcp_metrics flush all");
}

void chain_narrow(enum chain_place to, unsigned mtu, bool silent)
{
	chain_run(CHAIN_ROUTER, "ip link set %s mtu %u", to == CHAIN_SERVER ? "tch-rs" : "tch-rc", mtu);
	if (silent)
		chain_run(CHAIN_ROUTER, "nft 'add table inet mute; add chain inet mute out { type filter hook output priority 0 ; }; "
					"add rule inet mute out icmp type destination-unreachable drop; add rule inet mute out icmpv6 type packet-too-big drop'");
}

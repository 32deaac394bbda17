/* SPDX-License-Identifier: MIT */
/* A chain of network namespaces, ours — router — router — server, that lives as long as the process that made it. Root only.
 *
 * ours (this process): 10.71.1.1, fd71:1::1 — router 1: 10.71.1.2, 10.71.2.1 — router 2: 10.71.2.2, 10.71.3.1 — server: 10.71.3.2; IPv6 likewise.
 * The link between the routers takes 1400 bytes. Nobody limits how often ICMP is sent. */
#ifndef TCPTRIAGE_TESTS_SUPPORT_NETNS_CHAIN_H
#define TCPTRIAGE_TESTS_SUPPORT_NETNS_CHAIN_H

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum chain_node { CHAIN_ROUTER_1, CHAIN_ROUTER_2, CHAIN_SERVER, CHAIN_NODES };

static pid_t chain_pids[CHAIN_NODES];

/** chain_run() - a shell command, inside @node. Return: its status. */
static inline int chain_run(enum chain_node node, const char *command)
{
	char line[1024];

	snprintf(line, sizeof(line), "nsenter -t %d -n sh -c '%s'", (int)chain_pids[node], command);
	return system(line);
}

/* A process that holds a namespace of its own until its parent ends. */
static inline pid_t chain_hold(void)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) || write(ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (pid > 0 && read(ready[0], &byte, 1) != 1)
		pid = -1;
	close(ready[0]);
	return pid;
}

/** chain_end() - end the processes that hold the namespaces. */
static inline void chain_end(void)
{
	for (unsigned i = 0; i < CHAIN_NODES; i++) {
		if (chain_pids[i] > 0) {
			kill(chain_pids[i], SIGKILL);
			waitpid(chain_pids[i], NULL, 0);
		}
	}
}

/** chain_make() - the process is in a namespace of its own already. Return: 0, or what failed. */
static inline int chain_make(void)
{
	static const char *const common =
		"echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; echo 0 >/proc/sys/net/ipv4/icmp_ratelimit;"
		"echo 0 >/proc/sys/net/ipv6/icmp/ratelimit; ip link set lo up";
	char line[512];

	for (unsigned i = 0; i < CHAIN_NODES; i++) {
		chain_pids[i] = chain_hold();
		if (chain_pids[i] < 0 || chain_run((enum chain_node)i, common))
			return -1;
	}
	snprintf(line, sizeof(line),
		 "ip link set lo up && ip link add ch0 type veth peer name ch1 netns %d && ip addr add 10.71.1.1/24 dev ch0 && "
		 "ip addr add fd71:1::1/64 dev ch0 nodad && ip link set ch0 up && ip route add default via 10.71.1.2 && ip route add default via fd71:1::2",
		 (int)chain_pids[CHAIN_ROUTER_1]);
	if (system(line))
		return -1;
	snprintf(line, sizeof(line),
		 "ip addr add 10.71.1.2/24 dev ch1 && ip addr add fd71:1::2/64 dev ch1 nodad && ip link set ch1 up && "
		 "ip link add ch2 mtu 1400 type veth peer name ch3 mtu 1400 netns %d && ip addr add 10.71.2.1/24 dev ch2 && "
		 "ip addr add fd71:2::1/64 dev ch2 nodad && ip link set ch2 up && ip route add 10.71.3.0/24 via 10.71.2.2 && ip route add fd71:3::/64 via fd71:2::2",
		 (int)chain_pids[CHAIN_ROUTER_2]);
	if (chain_run(CHAIN_ROUTER_1, line))
		return -1;
	snprintf(line, sizeof(line),
		 "ip addr add 10.71.2.2/24 dev ch3 && ip addr add fd71:2::2/64 dev ch3 nodad && ip link set ch3 up && "
		 "ip link add ch4 type veth peer name ch5 netns %d && ip addr add 10.71.3.1/24 dev ch4 && "
		 "ip addr add fd71:3::1/64 dev ch4 nodad && ip link set ch4 up && ip route add default via 10.71.2.1 && ip route add default via fd71:2::1",
		 (int)chain_pids[CHAIN_SERVER]);
	if (chain_run(CHAIN_ROUTER_2, line))
		return -1;
	return chain_run(CHAIN_SERVER, "ip addr add 10.71.3.2/24 dev ch5 && ip addr add fd71:3::2/64 dev ch5 nodad && ip link set ch5 up && "
				       "ip route add default via 10.71.3.1 && ip route add default via fd71:3::1");
}

#endif

/* SPDX-License-Identifier: MIT */
/* Fills the current network namespace with established loopback connections and holds them until its stdin ends.
 *
 * N sockets are W listeners (one a worker process) and (N - W) / 2 connections with both ends inside the worker that made them. Listeners
 * are bound to every address, so one port serves any number of distinct 127.x.y.z destinations: destination k is served by worker
 * k mod W. Each connection carries one request and one answer, so that its tcp_info is not all zeros. Meant for a namespace of its own:
 * it brings lo up. Workers die with their parent. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT_BASE 10000
#define FIRST_ADDRESS 0x7f010001u /* 127.1.0.1 */
#define DESTINATIONS_MAX 8000000u
#define WORKERS_MAX 512u
#define SPARE_FDS 64
#define LIFETIME_S 3600

/* What to make. @per_process: sockets, hence descriptors, that one worker may hold. */
struct plan {
	unsigned sockets, destinations, per_process, workers;
};

static const char usage[] =
	"usage: many_sockets [--sockets N] [--destinations D] [--per-process P]\n"
	"Makes N established or listening TCP sockets towards D distinct destinations, prints 'ready N',\n"
	"and holds them until stdin ends or SIGTERM comes.\n";

_Noreturn static void fail(const char *what)
{
	fprintf(stderr, "many_sockets: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void bring_lo_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request))
		fail("lo");
	request.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		fail("cannot bring lo up");
	close(fd);
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, 128))
		fail("cannot listen");
	return fd;
}

/* A reset instead of TIME-WAIT when the worker goes: the namespace empties at once. */
static void reset_at_close(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static void send_and_take(int from, int to, size_t bytes)
{
	char buf[1024] = { 0 };

	if (send(from, buf, bytes, 0) != (ssize_t)bytes ||
	    recv(to, buf, bytes, MSG_WAITALL) != (ssize_t)bytes)
		fail("cannot exchange data");
}

static void make_connection(int listener, uint32_t address, uint16_t port)
{
	struct sockaddr_in peer = { .sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(address) };
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), server;

	if (client < 0 || connect(client, (struct sockaddr *)&peer, sizeof(peer)))
		fail("cannot connect");
	server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (server < 0)
		fail("cannot accept");
	reset_at_close(client);
	reset_at_close(server);
	send_and_take(client, server, 64);
	send_and_take(server, client, 512);
}

/* The @worker-th share of @total, so that all shares differ by one at most. */
static unsigned share(unsigned total, unsigned workers, unsigned worker)
{
	return total / workers + (worker < total % workers);
}

/* Twice as many as are needed, where that is allowed: a process at its limit is a fault, and this population is to have none. */
static void raise_descriptor_limit(unsigned descriptors)
{
	struct rlimit limit;
	rlim_t wanted = 2 * (rlim_t)descriptors + SPARE_FDS;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		fail("getrlimit");
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	if (limit.rlim_cur < descriptors + SPARE_FDS || setrlimit(RLIMIT_NOFILE, &limit))
		fail("cannot raise the limit of open files; use --per-process");
}

_Noreturn static void work(const struct plan *plan, unsigned worker, pid_t parent, int report_fd)
{
	unsigned connections = share((plan->sockets - plan->workers) / 2, plan->workers, worker);
	unsigned destinations = share(plan->destinations, plan->workers, worker);
	uint16_t port = (uint16_t)(PORT_BASE + worker);
	int listener;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	raise_descriptor_limit(2 * connections + 1);
	listener = listen_on(port);
	for (unsigned i = 0; i < connections; i++) {
		uint32_t k = (i % destinations) * plan->workers + worker;

		make_connection(listener, FIRST_ADDRESS + k, port);
	}
	if (write(report_fd, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static volatile sig_atomic_t asked_to_end;

static void on_signal(int number)
{
	(void)number;
	asked_to_end = 1;
}

/* One byte, looking up twice a second whether a signal came meanwhile. Return: false at the end of @fd or of our time. */
static bool take_byte(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char byte;

	while (!asked_to_end)
		if (poll(&wait, 1, 500) > 0)
			return read(fd, &byte, 1) == 1;
	return false;
}

static bool all_ready(int report_fd, unsigned workers)
{
	while (workers && take_byte(report_fd))
		workers--;
	return !workers;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	alarm(LIFETIME_S);
}

static void end_workers(const pid_t *pids, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		kill(pids[i], SIGKILL);
	for (unsigned i = 0; i < count; i++)
		while (waitpid(pids[i], NULL, 0) < 0 && errno == EINTR)
			;
}

static bool hold(const struct plan *plan)
{
	pid_t pids[WORKERS_MAX], parent = getpid();
	int ends[2];
	bool ready;

	if (pipe(ends))
		fail("pipe");
	for (unsigned worker = 0; worker < plan->workers; worker++) {
		pids[worker] = fork();
		if (pids[worker] < 0)
			fail("fork");
		if (!pids[worker]) {
			close(ends[0]);
			signal(SIGTERM, SIG_DFL);
			work(plan, worker, parent, ends[1]);
		}
	}
	close(ends[1]);
	ready = all_ready(ends[0], plan->workers);
	if (ready) {
		printf("ready %u\n", plan->sockets);
		fflush(stdout);
		while (take_byte(0))
			;
	}
	end_workers(pids, plan->workers);
	return ready;
}

static unsigned number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || end == text || value == 0 || value > DESTINATIONS_MAX) {
		fprintf(stderr, "many_sockets: '%s' is no number from 1 to %u\n", text, DESTINATIONS_MAX);
		exit(2);
	}
	return (unsigned)value;
}

static void parse(struct plan *plan, int argc, char **argv)
{
	static const struct option options[] = { { "sockets", required_argument, NULL, 's' },
						 { "destinations", required_argument, NULL, 'd' },
						 { "per-process", required_argument, NULL, 'p' },
						 { 0 } };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		unsigned *into = option == 's' ? &plan->sockets :
				 option == 'd' ? &plan->destinations :
				 option == 'p' ? &plan->per_process :
						 NULL;

		if (!into) {
			fputs(usage, stderr);
			exit(2);
		}
		*into = number(optarg);
	}
}

/* The number of workers has N's parity, so that listeners and pairs of ends add up to N. */
static void divide(struct plan *plan)
{
	plan->workers = (plan->sockets + plan->per_process - 1) / plan->per_process;
	plan->workers += (plan->sockets - plan->workers) % 2;
	if (plan->workers > WORKERS_MAX || plan->sockets < 3 * plan->workers ||
	    plan->destinations < plan->workers) {
		fprintf(stderr, "many_sockets: %u sockets do not divide among %u workers\n",
			plan->sockets, plan->workers);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct plan plan = { .sockets = 1000, .destinations = 1000, .per_process = 9000 };

	parse(&plan, argc, argv);
	divide(&plan);
	catch_signals();
	bring_lo_up();
	return hold(&plan) ? 0 : 1;
}

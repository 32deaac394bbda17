/* SPDX-License-Identifier: MIT */
/* Sends UDP datagrams as fast as this machine can, for scripts/bench. usage: udp_flood ADDRESS PORT BYTES SECONDS
 * Prints how many the kernel took. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 64
#define BYTES_MAX 1400

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static char bytes[BYTES_MAX];
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct iovec part = { .iov_base = bytes };
	struct mmsghdr batch[BATCH];
	unsigned long long sent = 0;
	double until;
	int fd;

	if (argc != 5 || !inet_pton(AF_INET, argv[1], &to.sin_addr) || atoi(argv[3]) > BYTES_MAX) {
		fputs("usage: udp_flood ADDRESS PORT BYTES SECONDS\n", stderr);
		return 2;
	}
	to.sin_port = htons((unsigned short)atoi(argv[2]));
	part.iov_len = (size_t)atoi(argv[3]);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return 1;
	memset(batch, 0, sizeof(batch));
	for (unsigned i = 0; i < BATCH; i++) {
		batch[i].msg_hdr.msg_iov = &part;
		batch[i].msg_hdr.msg_iovlen = 1;
	}
	for (until = now() + atof(argv[4]); now() < until;) {
		int n = sendmmsg(fd, batch, BATCH, 0);

		if (n > 0)
			sent += (unsigned)n;
	}
	printf("%llu\n", sent);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* When the kernel gives up. */
#include "timers.h"

#define SYN_RTO_MS 1000
#define SYN_RETRIES 6
#define SYNACK_RETRIES 5
#define RTO_MIN_MS 200
#define RETRIES2 15
#define ORPHAN_RETRIES 8
#define KEEPALIVE_INTVL_S 75
#define KEEPALIVE_PROBES 9

/* @waits + 1 waits from @first_ms on, each twice the one before, none above the ceiling. */
static double doubling_ms(double first_ms, int64_t waits, double ceiling_ms)
{
	double total = 0, wait = first_ms;

	for (int64_t i = 0; i <= MIN(waits, 1000); i++) {
		total += MIN(wait, ceiling_ms);
		wait = MIN(wait * 2, ceiling_ms);
	}
	return total;
}

double syn_give_up_ms(const struct snapshot *snap)
{
	int64_t linear = sysctl_or(&snap->sysctls, SYSCTL_TCP_SYN_LINEAR_TIMEOUTS, 0);
	int64_t retries = sysctl_or(&snap->sysctls, SYSCTL_TCP_SYN_RETRIES, SYN_RETRIES);

	return (double)linear * SYN_RTO_MS + doubling_ms(SYN_RTO_MS, retries, snap->rto_max_ms);
}

double synack_give_up_ms(const struct snapshot *snap)
{
	return doubling_ms(SYN_RTO_MS, sysctl_or(&snap->sysctls, SYSCTL_TCP_SYNACK_RETRIES, SYNACK_RETRIES),
			   snap->rto_max_ms);
}

int64_t sock_stall_ms(const struct sock *sock)
{
	int64_t rto = (int64_t)sock_tcpi(sock, TCPI_RTO) / 1000;
	unsigned backoff = (unsigned)MIN(sock_tcpi(sock, TCPI_BACKOFF), 30u);

	return rto - (rto >> backoff) + MAX(rto - (int64_t)sock->expires_ms, 0);
}

double data_give_up_ms(const struct snapshot *snap, const struct sock *sock, unsigned retries)
{
	unsigned backoff = (unsigned)MIN(sock_tcpi(sock, TCPI_BACKOFF), 30u);
	double first_wait = (double)(sock_tcpi(sock, TCPI_RTO) / 1000 >> backoff);
	double model = doubling_ms(RTO_MIN_MS, retries, snap->rto_max_ms);
	double gone = MAX((double)sock_stall_ms(sock) - first_wait, 0);

	return MAX(model - gone, (double)sock->expires_ms);
}

unsigned data_retries(const struct snapshot *snap)
{
	return (unsigned)sysctl_or(&snap->sysctls, SYSCTL_TCP_RETRIES2, RETRIES2);
}

unsigned orphan_retries(const struct snapshot *snap)
{
	int64_t retries = sysctl_or(&snap->sysctls, SYSCTL_TCP_ORPHAN_RETRIES, 0);

	return retries ? (unsigned)retries : ORPHAN_RETRIES;
}

double keepalive_give_up_ms(const struct snapshot *snap, const struct sock *sock)
{
	double interval = (double)sysctl_or(&snap->sysctls, SYSCTL_TCP_KEEPALIVE_INTVL_S, KEEPALIVE_INTVL_S) * 1e3;
	double probes = (double)sysctl_or(&snap->sysctls, SYSCTL_TCP_KEEPALIVE_PROBES, KEEPALIVE_PROBES);
	double left = MAX(probes - (double)sock_tcpi(sock, TCPI_PROBES), 0);

	return left * interval + sock->expires_ms;
}

/* SPDX-License-Identifier: MIT */
/* What can be said of one socket alone: names of its parts, its age and its idle time. */
#include "tcptriage/model/socket.h"

const char *netid_name(unsigned netid)
{
	return netid == NETID_UDP ? "udp" : "tcp";
}

const char *sock_timer_name(unsigned timer)
{
	static const char *const names[SOCK_TIMER_COUNT] = {
		[SOCK_TIMER_NONE] = "off",	 [SOCK_TIMER_ON] = "on",
		[SOCK_TIMER_KEEPALIVE] = "keepalive", [SOCK_TIMER_TIMEWAIT] = "timewait",
		[SOCK_TIMER_PERSIST] = "persist",    [SOCK_TIMER_DELACK] = "delack",
	};

	return timer < SOCK_TIMER_COUNT ? names[timer] : "unknown";
}

#define SYN_RTO_MS 1000
#define TIME_WAIT_MS 60000

/* RULES §1: age = R0·[(n−b) + (2^b − 1)] + (rto − expires), each wait clamped at the ceiling; right with and without linear SYN
 * timeouts because the backoff stays 0 during the linear phase. */
static int64_t syn_sent_age(const struct sock *sock, uint32_t rto_max_ms)
{
	int64_t n = (int64_t)sock_tcpi(sock, TCPI_RETRANSMITS);
	int64_t b = (int64_t)sock_tcpi(sock, TCPI_BACKOFF);
	int64_t rto = (int64_t)sock_tcpi(sock, TCPI_RTO) / 1000, age;

	if (b > n)
		b = n;
	age = (n - b) * SYN_RTO_MS;
	for (int64_t i = 0; i < b; i++)
		age += MIN((int64_t)SYN_RTO_MS << MIN(i, 20), (int64_t)rto_max_ms);
	return age + MAX(rto - (int64_t)sock->expires_ms, 0);
}

/* Lower bound: the smallest k with 1000·2^k ≥ expires means that 2^k − 1 seconds have gone (RULES §1). */
static int64_t syn_recv_age(const struct sock *sock)
{
	unsigned k = 0;

	while (k < 20 && ((uint64_t)SYN_RTO_MS << k) < sock->expires_ms)
		k++;
	return ((int64_t)SYN_RTO_MS << k) - SYN_RTO_MS;
}

/* Σ of the timeouts so far: rto·(1 − 2^−b) + (rto − expires); the kernel's own total where it tells (6.7). */
static int64_t closing_age(const struct sock *sock)
{
	int64_t rto = (int64_t)sock_tcpi(sock, TCPI_RTO) / 1000;
	int64_t b = (int64_t)MIN(sock_tcpi(sock, TCPI_BACKOFF), (uint64_t)30);

	if (sock->timer != SOCK_TIMER_ON)
		return 0;
	return rto - (rto >> b) + MAX(rto - (int64_t)sock->expires_ms, 0);
}

int64_t sock_age_ms(const struct sock *sock, uint32_t rto_max_ms, uint32_t fin_timeout_ms,
		    bool *exact)
{
	bool unused;
	int64_t age = -1;

	exact = exact ? exact : &unused;
	*exact = true;
	switch (sock->state) {
	case SOCK_STATE_SYN_SENT:
		return sock->info.len ? syn_sent_age(sock, rto_max_ms) : -1;
	case SOCK_STATE_SYN_RECV:
		*exact = false;
		return syn_recv_age(sock);
	case SOCK_STATE_TIME_WAIT:
		return MAX(TIME_WAIT_MS - (int64_t)sock->expires_ms, 0);
	case SOCK_STATE_CLOSE_WAIT:
		*exact = sock->timer != SOCK_TIMER_KEEPALIVE && sock->timer != SOCK_TIMER_ON;
		return sock->info.len ? (int64_t)sock_tcpi(sock, TCPI_LAST_ACK_RECV) : -1;
	case SOCK_STATE_FIN_WAIT_2:
		if (sock->timer == SOCK_TIMER_TIMEWAIT)
			return MAX((int64_t)fin_timeout_ms - (int64_t)sock->expires_ms, 0);
		*exact = false;
		return sock->info.len ? (int64_t)sock_tcpi(sock, TCPI_LAST_ACK_RECV) : -1;
	case SOCK_STATE_FIN_WAIT_1:
	case SOCK_STATE_LAST_ACK:
	case SOCK_STATE_CLOSING:
		*exact = false;
		return sock->info.len ? closing_age(sock) : -1;
	default:
		return age;
	}
}

int64_t sock_idle_ms(const struct sock *sock)
{
	if (!sock->info.len || sock->state == SOCK_STATE_SYN_SENT ||
	    sock->state == SOCK_STATE_LISTEN)
		return -1;
	return (int64_t)MIN(sock_tcpi(sock, TCPI_LAST_DATA_SENT),
			    sock_tcpi(sock, TCPI_LAST_DATA_RECV));
}

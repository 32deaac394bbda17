/* SPDX-License-Identifier: MIT */
/* When the kernel gives up. */
#include "tcptriage/model/timers.h"

#define SYN_RTO_MS 1000
#define SYN_RETRIES 6
#define SYNACK_RETRIES 5
#define RTO_MIN_MS 200
#define RETRIES2 15
#define ORPHAN_RETRIES 8
/* Beyond any setting that is meant; keeps a sum over waits short. */
#define LIMIT_MAX 1000
#define KEEPALIVE_INTVL_S 75
#define KEEPALIVE_PROBES 9

/* The kernel takes a ceiling between these, and no longer linear phase; a recording may claim anything. */
#define RTO_MAX_MIN_MS 1000
#define RTO_MAX_MS 120000
#define SYN_LINEAR_MAX 255
#define KEEPALIVE_INTVL_MAX_S 32767
#define KEEPALIVE_PROBES_MAX 127

static double rto_max_ms(const struct sysctls *sysctls)
{
	int64_t ms = sysctl_or(sysctls, SYSCTL_TCP_RTO_MAX_MS, RTO_MAX_MS);

	return (double)MAX(MIN(ms, RTO_MAX_MS), RTO_MAX_MIN_MS);
}

/* @waits + 1 waits from @first_ms on, each twice the one before, none above the ceiling. */
static double doubling_ms(double first_ms, int64_t waits, double ceiling_ms)
{
	double total = 0, wait = first_ms;

	for (int64_t i = 0; i <= MIN(waits, LIMIT_MAX); i++) {
		total += MIN(wait, ceiling_ms);
		wait = MIN(wait * 2, ceiling_ms);
	}
	return total;
}

double syn_give_up_ms(const struct sysctls *sysctls)
{
	int64_t linear = sysctl_or(sysctls, SYSCTL_TCP_SYN_LINEAR_TIMEOUTS, 0);
	int64_t retries = sysctl_or(sysctls, SYSCTL_TCP_SYN_RETRIES, SYN_RETRIES);

	linear = MAX(MIN(linear, SYN_LINEAR_MAX), 0);
	return (double)linear * SYN_RTO_MS + doubling_ms(SYN_RTO_MS, retries, rto_max_ms(sysctls));
}

double synack_give_up_ms(const struct sysctls *sysctls)
{
	return doubling_ms(SYN_RTO_MS, sysctl_or(sysctls, SYSCTL_TCP_SYNACK_RETRIES, SYNACK_RETRIES),
			   rto_max_ms(sysctls));
}

int64_t sock_heard_ms(const struct sock *sock)
{
	return (int64_t)MIN(sock_tcpi(sock, TCPI_LAST_ACK_RECV), sock_tcpi(sock, TCPI_LAST_DATA_RECV));
}

int64_t sock_stall_ms(const struct sock *sock)
{
	int64_t rto = (int64_t)sock_tcpi(sock, TCPI_RTO) / 1000;
	unsigned backoff = (unsigned)MIN(sock_tcpi(sock, TCPI_BACKOFF), 30u);
	int64_t doubled = rto - (rto >> backoff) + MAX(rto - (int64_t)sock->expires_ms, 0);

	/* Every timeout of its life belongs to this stall: the kernel has kept the time, also past the ceiling, where doubling misses it. */
	if (backoff && tcpi_has(&sock->info, TCPI_TOTAL_RTO_TIME) &&
	    sock_tcpi(sock, TCPI_TOTAL_RTO) == sock_tcpi(sock, TCPI_BACKOFF))
		return MAX(doubled, (int64_t)sock_tcpi(sock, TCPI_TOTAL_RTO_TIME) + (rto >> backoff));
	return doubled;
}

double data_give_up_ms(const struct sysctls *sysctls, const struct sock *sock, unsigned retries)
{
	unsigned backoff = (unsigned)MIN(sock_tcpi(sock, TCPI_BACKOFF), 30u);
	double first_wait = (double)(sock_tcpi(sock, TCPI_RTO) / 1000 >> backoff);
	double model = doubling_ms(RTO_MIN_MS, retries, rto_max_ms(sysctls));
	double gone = MAX((double)sock_stall_ms(sock) - first_wait, 0);

	return MAX(model - gone, (double)sock->expires_ms);
}

unsigned data_retries(const struct sysctls *sysctls)
{
	return (unsigned)sysctl_or(sysctls, SYSCTL_TCP_RETRIES2, RETRIES2);
}

unsigned orphan_retries(const struct sysctls *sysctls)
{
	int64_t retries = sysctl_or(sysctls, SYSCTL_TCP_ORPHAN_RETRIES, 0);

	return retries ? (unsigned)retries : ORPHAN_RETRIES;
}

/* Limit of timeouts or probes when the timer of @wait_ms ends: 0 is none at all. */
static int64_t closing_retries(const struct sysctls *sysctls, const struct sock *sock, double wait_ms)
{
	int64_t retries = sysctl_or(sysctls, SYSCTL_TCP_ORPHAN_RETRIES, 0);

	if (sock->inode)
		return MIN((int64_t)data_retries(sysctls), LIMIT_MAX);
	return retries || wait_ms >= rto_max_ms(sysctls) ? MIN(retries, LIMIT_MAX) : ORPHAN_RETRIES;
}

/* No probe comes sooner than the smallest timeout, however short the path (tcp_probe0_base). */
static double probe_wait_ms(const struct sock *sock, int64_t backoff, double ceiling_ms)
{
	double rto = (double)MAX(sock_tcpi(sock, TCPI_RTO) / 1000, (uint64_t)RTO_MIN_MS);

	return MIN(rto * (double)(UINT64_C(1) << MIN(backoff, 40)), ceiling_ms);
}

int64_t sock_probing_ms(const struct sock *sock, uint32_t rto_max_ms)
{
	int64_t backoff = (int64_t)sock_tcpi(sock, TCPI_BACKOFF);
	double gone = probe_wait_ms(sock, backoff, rto_max_ms) - sock->expires_ms;

	for (int64_t i = 0; i < backoff; i++)
		gone += probe_wait_ms(sock, i, rto_max_ms);
	return (int64_t)MAX(gone, 0);
}

/* A peer that answers sets the count of probes back to 0; one probe may be under way. */
static double probes_give_up_ms(const struct sysctls *sysctls, const struct sock *sock)
{
	int64_t backoff = (int64_t)sock_tcpi(sock, TCPI_BACKOFF);
	int64_t last = MIN((int64_t)data_retries(sysctls), LIMIT_MAX); /* where the backoff stops */
	int64_t probes = (int64_t)sock_tcpi(sock, TCPI_PROBES);
	bool answered = probes <= 1;
	double at = sock->expires_ms, wait, ceiling = rto_max_ms(sysctls);

	for (;;) {
		wait = probe_wait_ms(sock, backoff, ceiling);
		if (!answered && probes++ >= closing_retries(sysctls, sock, wait))
			return at;
		if (!sock->inode && wait >= ceiling && backoff >= closing_retries(sysctls, sock, wait))
			return at;
		if (answered && (sock->inode || backoff >= last))
			return -1;
		backoff = MIN(backoff + 1, last);
		at += probe_wait_ms(sock, backoff, ceiling);
	}
}

static double timeouts_give_up_ms(const struct sysctls *sysctls, const struct sock *sock)
{
	unsigned backoff = (unsigned)MIN(sock_tcpi(sock, TCPI_BACKOFF), 30u);
	double wait = (double)MAX(sock_tcpi(sock, TCPI_RTO) / 1000, 1u);
	/* since the first retransmission; negative before it */
	double gone = (double)sock_stall_ms(sock) - (double)((int64_t)wait >> backoff);
	double at = sock->expires_ms, ceiling = rto_max_ms(sysctls);

	while (gone + at < doubling_ms(RTO_MIN_MS, closing_retries(sysctls, sock, wait), ceiling)) {
		wait = MIN(wait * 2, ceiling);
		at += wait;
	}
	return at;
}

double closing_give_up_ms(const struct sysctls *sysctls, const struct sock *sock)
{
	return sock->timer == SOCK_TIMER_PERSIST ? probes_give_up_ms(sysctls, sock) :
						   timeouts_give_up_ms(sysctls, sock);
}

unsigned keepalive_count(const struct sysctls *sysctls)
{
	int64_t probes = sysctl_or(sysctls, SYSCTL_TCP_KEEPALIVE_PROBES, KEEPALIVE_PROBES);

	return (unsigned)MAX(MIN(probes, KEEPALIVE_PROBES_MAX), 0);
}

/* When the next probe is due, counted from the last answer: the idle time before the first one and an interval for each since. */
static double next_probe_ms(const struct sock *sock)
{
	return (double)sock_heard_ms(sock) + sock->expires_ms;
}

double keepalive_interval_ms(const struct sysctls *sysctls, const struct sock *first,
			     const struct sock *last)
{
	int64_t interval_s = sysctl_or(sysctls, SYSCTL_TCP_KEEPALIVE_INTVL_S, KEEPALIVE_INTVL_S);
	double settings = (double)MAX(MIN(interval_s, KEEPALIVE_INTVL_MAX_S), 0) * 1e3;
	uint64_t before = first->timer == SOCK_TIMER_KEEPALIVE ? sock_tcpi(first, TCPI_PROBES) : 0;
	uint64_t probes = sock_tcpi(last, TCPI_PROBES);

	if (before && probes > before && next_probe_ms(last) > next_probe_ms(first))
		return (next_probe_ms(last) - next_probe_ms(first)) / (double)(probes - before);
	if (probes)
		settings = MIN(settings, next_probe_ms(last) / (double)probes);
	if (before && before == probes)
		settings = MAX(settings, (double)first->expires_ms);
	return MAX(settings, (double)last->expires_ms);
}

double keepalive_give_up_ms(const struct sysctls *sysctls, const struct sock *first,
			    const struct sock *last)
{
	double left = (double)keepalive_count(sysctls) - (double)sock_tcpi(last, TCPI_PROBES);

	if (left < 0)
		return -1;
	return left * keepalive_interval_ms(sysctls, first, last) + last->expires_ms;
}

const char *timeout_kind_name(enum timeout_kind kind)
{
	static const char *const names[TIMEOUT_KIND_COUNT] = {
		[TIMEOUT_NONE] = "",	      [TIMEOUT_CONNECT] = "connect", [TIMEOUT_IDLE] = "idle",
		[TIMEOUT_REQUEST] = "request", [TIMEOUT_CLOSE] = "close",
	};

	return names[kind];
}

/* @sum_ms: of all waits, of which the socket's age has gone. */
static struct sock_timeout connecting(const struct sock *sock, const struct sysctls *sysctls, double sum_ms)
{
	int64_t age = sock_age_ms(sock, (uint32_t)rto_max_ms(sysctls), 0, NULL);

	return (struct sock_timeout){ TIMEOUT_CONNECT,
				      age < 0 ? -1 : MAX((int64_t)sum_ms - age, (int64_t)sock->expires_ms) };
}

/* The retransmission timer runs whenever something is under way; it is a wait once it has expired. */
static struct sock_timeout established(const struct sock *sock, const struct sysctls *sysctls)
{
	const struct sock_timeout none = { TIMEOUT_NONE, -1 };

	if (!sock->info.len)
		return none;
	switch (sock->timer) {
	case SOCK_TIMER_ON:
		return sock_tcpi(sock, TCPI_BACKOFF) ?
			       (struct sock_timeout){ TIMEOUT_REQUEST,
						      (int64_t)data_give_up_ms(sysctls, sock, data_retries(sysctls)) } :
			       none;
	case SOCK_TIMER_PERSIST:
		return (struct sock_timeout){ TIMEOUT_REQUEST, (int64_t)closing_give_up_ms(sysctls, sock) };
	case SOCK_TIMER_KEEPALIVE:
		return (struct sock_timeout){ TIMEOUT_IDLE,
					      sock_tcpi(sock, TCPI_PROBES) ?
						      (int64_t)keepalive_give_up_ms(sysctls, sock, sock) :
						      -1 };
	default:
		return none;
	}
}

static struct sock_timeout closing(const struct sock *sock, const struct sysctls *sysctls)
{
	return (struct sock_timeout){ TIMEOUT_CLOSE,
				      sock->info.len ? (int64_t)closing_give_up_ms(sysctls, sock) : -1 };
}

struct sock_timeout sock_timeout(const struct sock *sock, const struct sysctls *sysctls)
{
	if (sock->netid != NETID_TCP || !sock->timer)
		return (struct sock_timeout){ TIMEOUT_NONE, -1 };
	switch (sock->state) {
	case SOCK_STATE_SYN_SENT:
		return connecting(sock, sysctls, syn_give_up_ms(sysctls));
	case SOCK_STATE_SYN_RECV:
		return connecting(sock, sysctls, synack_give_up_ms(sysctls));
	case SOCK_STATE_ESTAB:
	case SOCK_STATE_CLOSE_WAIT:
		return established(sock, sysctls);
	case SOCK_STATE_FIN_WAIT_1:
	case SOCK_STATE_CLOSING:
	case SOCK_STATE_LAST_ACK:
		return closing(sock, sysctls);
	case SOCK_STATE_FIN_WAIT_2:
	case SOCK_STATE_TIME_WAIT:
		return sock->timer == SOCK_TIMER_TIMEWAIT ?
			       (struct sock_timeout){ TIMEOUT_CLOSE, sock->expires_ms } :
			       (struct sock_timeout){ TIMEOUT_NONE, -1 };
	default:
		return (struct sock_timeout){ TIMEOUT_NONE, -1 };
	}
}

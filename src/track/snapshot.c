/* SPDX-License-Identifier: MIT */
/* One namespace over one run: every socket passes here once a sample and leaves numbers behind. */
#include "tcptriage/track/snapshot.h"

#include "tables.h"

#define RTO_MAX_MS 120000
#define FIN_TIMEOUT_S 60
#define SYNACK_RETRIES 5
#define TW_REUSE_DELAY_MS 1000
#define TW_REUSE_LOOPBACK 2

void snapshot_init(struct snapshot *snap, snapshot_want_fn *want, void *want_context)
{
	*snap = (struct snapshot){
		.complete = true,
		.info_for_all = true,
		.groups = groups_new(),
		.candidates = candidates_new(),
		.listeners = listeners_new(),
		.sources = sources_new(),
		.want = want,
		.want_context = want_context,
		.rto_max_ms = RTO_MAX_MS,
		.fin_timeout_ms = FIN_TIMEOUT_S * 1000,
		.tw_reuse_delay_ms = TW_REUSE_DELAY_MS,
		.synack_retries = SYNACK_RETRIES,
	};
	for (size_t i = 0; i < SOCK_STATE_COUNT; i++)
		snap->oldest_ms[i] = -1;
}

void snapshot_free(struct snapshot *snap)
{
	groups_free(snap->groups);
	candidates_free(snap->candidates);
	listeners_free(snap->listeners);
	sources_free(snap->sources);
	bursts_free(snap->bursts);
	snap->groups = NULL;
	snap->candidates = NULL;
	snap->listeners = NULL;
	snap->sources = NULL;
	snap->bursts = NULL;
}

static void set_range(struct snapshot *snap)
{
	const struct sysctls *s = &snap->sysctls;
	int64_t lo = sysctl_or(s, SYSCTL_PORT_LO, 0), hi = sysctl_or(s, SYSCTL_PORT_HI, 0);

	if (lo < 1 || hi > UINT16_MAX || lo > hi)
		return;
	snap->ports.lo = (uint16_t)lo;
	snap->ports.hi = (uint16_t)hi;
	for (int64_t port = lo; port <= hi; port++) {
		if (sysctls_port_reserved(s, (uint16_t)port))
			continue;
		port_set(snap->range, (uint16_t)port);
		snap->ports.size++;
	}
}

void snapshot_set_sysctls(struct snapshot *snap, const struct sysctls *sysctls)
{
	snap->sysctls = *sysctls;
	snap->has_sysctls = true;
	snap->rto_max_ms = (uint32_t)sysctl_or(sysctls, SYSCTL_TCP_RTO_MAX_MS, RTO_MAX_MS);
	snap->fin_timeout_ms =
		(uint32_t)sysctl_or(sysctls, SYSCTL_TCP_FIN_TIMEOUT_S, FIN_TIMEOUT_S) * 1000;
	snap->tw_reuse_delay_ms =
		(uint32_t)sysctl_or(sysctls, SYSCTL_TCP_TW_REUSE_DELAY_MS, TW_REUSE_DELAY_MS);
	snap->synack_retries = (uint32_t)sysctl_or(sysctls, SYSCTL_TCP_SYNACK_RETRIES, SYNACK_RETRIES);
	/* Without timestamps the kernel has no proof that a segment is not an old one, and reuses nothing. */
	if (sysctl_or(sysctls, SYSCTL_TCP_TIMESTAMPS, 1))
		snap->tw_reuse = (int)sysctl_or(sysctls, SYSCTL_TCP_TW_REUSE, 0);
	set_range(snap);
}

void snapshot_begin(struct snapshot *snap, int64_t now_us)
{
	uint32_t first_try = (snap->samples + 1) << EPOCH_TRY_BITS;

	snap->epoch = MAX(snap->epoch + 1, first_try);
	snap->now_us = now_us;
	snap->total_sockets = snap->left_out = snap->half_open_lost = 0;
	memset(snap->counts, 0, sizeof(snap->counts));
	memset(snap->taken, 0, sizeof(snap->taken));
	memset(snap->udp_taken, 0, sizeof(snap->udp_taken));
	memset(snap->lost, 0, sizeof(snap->lost));
	for (size_t i = 0; i < SOCK_STATE_COUNT; i++)
		snap->oldest_ms[i] = -1;
	snap->sources_lost = 0;
	listeners_begin(snap->listeners);
	sources_begin(snap->sources);
	groups_begin(snap->groups, snap->epoch);
}

static void add_listener(struct snapshot *snap, const struct sock *sock, bool role_only)
{
	if (!listeners_add(snap->listeners, sock, snap->epoch, role_only))
		snap->listeners_lost++;
	port_set(snap->taken, sock->local.port);
}

static void count_accepted(struct listener *listener, const struct sock *sock)
{
	int64_t waited;

	if (sock->state == SOCK_STATE_TIME_WAIT)
		listener->time_wait++;
	if (sock->state == SOCK_STATE_ESTAB)
		listener->estab++;
	if (sock->inode || (sock->state != SOCK_STATE_ESTAB && sock->state != SOCK_STATE_CLOSE_WAIT))
		return;
	listener->children_waiting++;
	waited = sock->info.len ? (int64_t)sock_tcpi(sock, TCPI_LAST_DATA_SENT) : -1;
	listener->oldest_child_ms = MAX(listener->oldest_child_ms, waited);
	if (sock->state != SOCK_STATE_CLOSE_WAIT)
		return;
	listener->children_closed++;
	listener->oldest_closed_ms = MAX(listener->oldest_closed_ms, waited);
}

static void count_estab(struct tuple_group *group, const struct sock *sock)
{
	uint64_t ack = sock_tcpi(sock, TCPI_LAST_ACK_RECV), oldest;

	group->estab++;
	if (!sock->info.len)
		return;
	oldest = MAX(sock_tcpi(sock, TCPI_LAST_DATA_SENT), sock_tcpi(sock, TCPI_LAST_DATA_RECV));
	group->estab_young += MAX(oldest, ack) < SNAPSHOT_YOUNG_MS;
	if (!sock_tcpi(sock, TCPI_UNACKED))
		group->fresh_ack_ms = MIN(group->fresh_ack_ms, (uint32_t)ack);
}

static bool reuse_applies(const struct snapshot *snap, const struct sock *sock)
{
	if (snap->tw_reuse != TW_REUSE_LOOPBACK)
		return snap->tw_reuse;
	return addr_is_loopback(&sock->local.addr) && addr_is_loopback(&sock->peer.addr);
}

static void count_time_wait(const struct snapshot *snap, struct tuple_group *group,
			    const struct sock *sock, bool in_range)
{
	int64_t age = sock_age_ms(sock, snap->rto_max_ms, snap->fin_timeout_ms, NULL);
	bool past = age >= (int64_t)snap->tw_reuse_delay_ms;

	group->time_wait++;
	group->tw_recent += age < SNAPSHOT_TW_RECENT_MS;
	if (!in_range)
		return;
	group->tw_in_range++;
	group->tw_past_delay += past;
	group->tw_reusable += past && reuse_applies(snap, sock);
}

static void note_pmtu(struct tuple_group *group, const struct sock *sock)
{
	uint32_t pmtu = (uint32_t)sock_tcpi(sock, TCPI_PMTU);

	if (pmtu && pmtu < group->pmtu_min)
		group->pmtu_min = pmtu;
}

static void count_unclosed(const struct snapshot *snap, struct tuple_group *group,
			   const struct sock *sock)
{
	int64_t age = sock_age_ms(sock, snap->rto_max_ms, snap->fin_timeout_ms, NULL);

	if (sock->inode)
		return;
	group->unclosed++;
	group->unclosed_port = sock->local.port;
	if (age < (int64_t)MIN(SNAPSHOT_UNCLOSED_MS, snap->fin_timeout_ms / 2))
		return;
	group->unclosed_old++;
	group->unclosed_ms = MAX(group->unclosed_ms, (uint32_t)age);
}

/* One bit a socket; its source address is looked up once for all sockets of its group. */
static void count_source_port(struct snapshot *snap, struct tuple_group *group, const struct sock *sock)
{
	bool first = !group->source;
	struct port_source *source;

	group->odd_in_range += (sock->local.port - snap->ports.lo) & 1;
	if (first)
		group->source = sources_find(snap->sources, &group->local);
	if (group->source == SOURCE_TURNED_AWAY) {
		snap->sources_lost++;
		return;
	}
	source = sources_at(snap->sources, group->source - 1u);
	source->groups += first;
	source->sockets++;
	source->distinct += !port_bit(source->ports, sock->local.port);
	port_set(source->ports, sock->local.port);
	source->told += !!(sock->has & SOCK_HAS_SOCKOPT);
	source->no_port += sock->has & SOCK_HAS_SOCKOPT && sock->sockopt & SOCKOPT_BIND_ADDRESS_NO_PORT;
}

static void count_in_group(struct snapshot *snap, struct tuple_group *group,
			   const struct sock *sock)
{
	bool in_range = group->outbound && port_bit(snap->range, sock->local.port);

	group->total++;
	group->in_range += in_range;
	if (in_range)
		count_source_port(snap, group, sock);
	if (sock->inode)
		group->inode = sock->inode;
	note_pmtu(group, sock);
	switch (sock->state) {
	case SOCK_STATE_ESTAB:
		count_estab(group, sock);
		break;
	case SOCK_STATE_TIME_WAIT:
		count_time_wait(snap, group, sock, in_range);
		break;
	case SOCK_STATE_SYN_SENT:
		group->syn_sent++;
		break;
	case SOCK_STATE_CLOSE_WAIT:
		group->close_wait++;
		break;
	case SOCK_STATE_FIN_WAIT_2:
		count_unclosed(snap, group, sock);
		group->other++;
		break;
	default:
		group->other++;
	}
}

/* Takes the rules out whose quota is used up, but for sockets that they know already. */
static uint64_t within_quota(struct snapshot *snap, const struct sock *sock, uint64_t rules)
{
	uint64_t known = candidates_rules(snap->candidates, sock), fresh = rules & ~known;

	for (uint64_t left = fresh; left; left &= left - 1) {
		unsigned rule = (unsigned)__builtin_ctzll(left);

		if (!snap->quota[rule] || snap->kept[rule] < snap->quota[rule])
			continue;
		snap->lost[rule]++;
		fresh &= ~(UINT64_C(1) << rule);
	}
	return known | fresh;
}

/* Return: the socket is remembered from now on. */
static bool remember(struct snapshot *snap, const struct sock *sock, bool outbound)
{
	uint64_t rules = snap->want ? snap->want(sock, snap->want_context) : 0, taken;

	if (!outbound)
		rules &= ~snap->outbound_only;
	if (UNLIKELY(rules))
		rules = within_quota(snap, sock, rules);
	if (!candidates_add(snap->candidates, sock, rules, outbound, snap->now_us, snap->epoch, &taken)) {
		snap->candidates_lost++;
		return false;
	}
	for (uint64_t left = taken; left; left &= left - 1)
		snap->kept[__builtin_ctzll(left)]++;
	return taken;
}

/* No group: with spoofed sources each would be new, and push out those of connections. */
static void add_half_open(struct snapshot *snap, struct listener *listener, const struct sock *sock)
{
	struct half_open *half = listener ? listeners_half_open(snap->listeners, listener) : NULL;

	remember(snap, sock, false);
	if (half)
		half_open_add(half, sock, sock_key(sock), snap->now_us, snap->epoch, snap->synack_retries);
	else if (listener)
		snap->half_open_lost++;
}

static void add_connection(struct snapshot *snap, const struct sock *sock)
{
	struct listener *listener = sock->state == SOCK_STATE_SYN_SENT ?
					    NULL :
					    listeners_find(snap->listeners, &sock->local);
	struct tuple_group *group;

	if (half_open_is(sock)) {
		add_half_open(snap, listener, sock);
		return;
	}
	group = groups_take(snap->groups, sock, !listener);
	if (listener)
		count_accepted(listener, sock);
	if (group)
		count_in_group(snap, group, sock);
	if (UNLIKELY(remember(snap, sock, !listener)) && group)
		groups_pin(snap->groups, group);
}

static void note_age(struct snapshot *snap, const struct sock *sock)
{
	int64_t age = sock_age_ms(sock, snap->rto_max_ms, snap->fin_timeout_ms, NULL);

	snap->oldest_ms[sock->state] = MAX(snap->oldest_ms[sock->state], age);
}

void snapshot_add(struct snapshot *snap, const struct sock *sock)
{
	snap->total_sockets++;
	snap->counts[sock->netid][sock->family][sock->state]++;
	snap->has_skmem[sock->netid] |= !!(sock->has & SOCK_HAS_SKMEM);
	if (sock->netid != NETID_TCP) {
		port_set(snap->udp_taken, sock->local.port);
		remember(snap, sock, sock->peer.port);
		return;
	}
	if (sock->info.len) {
		snap->has_tcp_info = true;
		snap->tcp_info_len = MAX(snap->tcp_info_len, sock->info.len);
	}
	if (sock->state != SOCK_STATE_ESTAB)
		note_age(snap, sock);
	if (sock->state == SOCK_STATE_LISTEN)
		add_listener(snap, sock, false);
	else if (sock->peer.port)
		add_connection(snap, sock);
	else
		port_set(snap->taken, sock->local.port);
}

void snapshot_add_role(struct snapshot *snap, const struct sock *sock)
{
	add_listener(snap, sock, true);
}

void snapshot_end(struct snapshot *snap)
{
	snap->ports.blocked = snap->ports.udp_used = 0;
	for (size_t i = 0; i < sizeof(snap->range); i++) {
		snap->ports.blocked +=
			(uint32_t)__builtin_popcount(snap->range[i] & snap->taken[i]);
		snap->ports.udp_used +=
			(uint32_t)__builtin_popcount(snap->range[i] & snap->udp_taken[i]);
	}
	listeners_end(snap->listeners, snap->epoch);
	candidates_end(snap->candidates, snap->epoch);
	groups_end(snap->groups, snap->now_us);
	snap->groups_dropped = groups_dropped(snap->groups);
	if (snap->samples < ARRAY_SIZE(snap->sample_us))
		snap->sample_us[snap->samples] = snap->now_us;
	snap->samples++;
}

void snapshot_add_counters(struct snapshot *snap, const struct counters *counters)
{
	uint64_t delta;

	if (!snap->has_counters)
		snap->counters_first = *counters;
	for (unsigned id = 0; snap->has_counters && id < COUNTER_COUNT; id++)
		snap->counter_steps[id] +=
			counters_delta(&snap->counters_last, counters, id, &delta) && delta;
	snap->counters_last = *counters;
	snap->has_counters = true;
}

const struct candidate *snapshot_candidate(const struct snapshot *snap, size_t index)
{
	return candidates_at(snap->candidates, index);
}

const struct listener *snapshot_listener(const struct snapshot *snap, size_t index)
{
	return listeners_at(snap->listeners, index);
}

const struct listener *snapshot_listener_for(const struct snapshot *snap,
					     const struct endpoint *local)
{
	return listeners_find(snap->listeners, local);
}

const struct tuple_group *snapshot_group(const struct snapshot *snap, size_t index)
{
	return groups_at(snap->groups, index);
}

const struct tuple_group *snapshot_group_find(const struct snapshot *snap, const struct addr *local,
					      const struct addr *peer, uint16_t peer_port)
{
	return groups_find(snap->groups, local, peer, peer_port);
}

const struct port_source *snapshot_source(const struct snapshot *snap, size_t index)
{
	return sources_at(snap->sources, index);
}

int64_t snapshot_span_us(const struct snapshot *snap)
{
	return snap->samples ? snap->now_us - snap->sample_us[0] : 0;
}

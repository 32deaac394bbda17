/* SPDX-License-Identifier: MIT */
/* Every rule against numbers that no kernel would send: nothing crashes, hangs or files nonsense. The seed is fixed. */
#include <math.h>
#include <string.h>

#include "rules.h"

#define ROUNDS 300
#define CROWD 700
#define SPEAKERS 15

/** struct dice - a source of numbers (splitmix64). */
struct dice {
	uint64_t state;
};

static uint64_t roll(struct dice *d)
{
	uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t below(struct dice *d, uint64_t limit)
{
	return roll(d) % limit;
}

/* Of every order of magnitude, with both ends more often than chance would have them. */
static uint64_t any_number(struct dice *d)
{
	switch (below(d, 6)) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	default:
		return roll(d) >> below(d, 64);
	}
}

static const char *any_of(struct dice *d, const char *const *texts, size_t count)
{
	return texts[below(d, count)];
}

static const char *const locals[] = {
	"10.0.0.1:80", "10.0.0.1:443", "10.0.0.1:40000", "10.0.0.1:50000", "*:80", "127.0.0.1:80", "127.0.0.1:40001",
	"192.0.2.1:443", "2001:db8::1:443", "2001:db8::1:40000", "::1:80", ":::80", "10.0.0.2:9", "*:0",
};

static const char *const peers[] = {
	"10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:443", "10.0.0.5:443", "127.0.0.1:80", "10.0.0.1:80", "8.8.8.8:53",
	"9.9.9.9:50000", "1.1.1.1:443", "11.1.1.1:2000", "12.1.1.1:2000", "13.1.1.1:2000", "14.1.1.1:2000",
	"2001:db8::2:443", "2600::1:443", "2600:1::1:443", "fe80::1:80", "::1:80", "255.255.255.255:1", "169.254.169.254:80",
};

/* All fields zero, or all one, or each by itself, or only a few that are not zero. */
static void shake_info(struct dice *d, struct fake *fake)
{
	unsigned how = (unsigned)below(d, 8);

	if (how != 1 && how != 2)
		memset(fake->info, how ? 0 : 0xff, sizeof(fake->info));
	for (unsigned i = 0; how > 4 && i < 8; i++)
		fake_set(fake, (enum tcpi_id)below(d, TCPI_COUNT), below(d, 2) ? any_number(d) : below(d, 100000));
	for (unsigned id = 0; how > 0 && how < 4 && id < TCPI_COUNT; id++)
		fake_set(fake, id, below(d, 4 * how) < 3 ? any_number(d) : below(d, 100000));
}

static void shake_numbers(struct dice *d, struct sock *s)
{
	s->timer = (uint8_t)(below(d, 8) ? below(d, SOCK_TIMER_COUNT) : roll(d));
	s->retrans = (uint8_t)any_number(d);
	s->expires_ms = (uint32_t)any_number(d);
	s->recv_q = (uint32_t)any_number(d);
	s->send_q = (uint32_t)any_number(d);
	s->mark = (uint32_t)below(d, 2);
	s->ifindex = (uint32_t)below(d, 3);
	for (unsigned i = 0; i < SKMEM_COUNT; i++)
		s->skmem[i] = (uint32_t)any_number(d);
}

static void shake(struct dice *d, struct fake *fake)
{
	shake_info(d, fake);
	shake_numbers(d, &fake->sock);
	fake->gone = !below(d, 12);
}

static enum sock_state any_state(struct dice *d)
{
	return (enum sock_state)(1 + below(d, SOCK_STATE_COUNT - 1));
}

static void add_socket(struct dice *d, struct fixture *f, enum sock_state state, const struct process *owner)
{
	static const uint16_t lengths[] = { 0, 1, 104, 192, 224, 232, 248, 280, TCP_INFO_MAX };
	const char *local = any_of(d, locals, ARRAY_SIZE(locals)), *peer = any_of(d, peers, ARRAY_SIZE(peers));
	struct fake *fake;

	f->info_len = lengths[below(d, 2) ? ARRAY_SIZE(lengths) - 1 : below(d, ARRAY_SIZE(lengths))];
	if (!below(d, 10)) {
		fake = fixture_udp(f, local, peer);
	} else {
		fake = fixture_sock(f, state, local, state == SOCK_STATE_LISTEN ? "*:0" : peer);
		fake->sock.has |= (uint32_t)(SOCK_HAS_SKMEM | SOCK_HAS_MARK) & (uint32_t)roll(d);
	}
	if (below(d, 3))
		fake->owner = owner;
	else if (below(d, 2))
		fake->sock.inode = 0;
	fake->sock.v6only = below(d, 2);
	shake(d, fake);
}

static void shake_counters(struct dice *d, struct fixture *f)
{
	for (unsigned id = 0; id < COUNTER_COUNT; id++) {
		f->counters.has[id] = below(d, 40);
		f->counters.value[id] = below(d, 8) ? f->counters.value[id] + below(d, 1 + (roll(d) >> below(d, 64))) : any_number(d);
	}
}

static void shake_settings(struct dice *d, struct fixture *f)
{
	for (unsigned id = 0; id < SYSCTL_COUNT; id++) {
		if (below(d, 3))
			continue;
		f->sysctls.has[id] = below(d, 8);
		f->sysctls.value[id] = (int64_t)(below(d, 2) ? any_number(d) >> 1 : below(d, 3));
	}
}

static void shake_route(struct dice *d, struct fixture *f)
{
	f->has_route = below(d, 6);
	f->route = (struct route){ .has = (uint32_t)(roll(d) | roll(d)),
				   .error = below(d, 8) ? 0 : -113,
				   .gateway = addr_v4((uint32_t)roll(d)),
				   .mtu = (uint32_t)any_number(d),
				   .link_mtu = (uint32_t)any_number(d),
				   .expires_ms = (uint32_t)any_number(d),
				   .ifindex = (uint32_t)below(d, 3),
				   .neighbour_state = (uint16_t)(1u << below(d, 8)),
				   .carrier = below(d, 4),
				   .is_default = below(d, 2),
				   .is_local = !below(d, 6),
				   .device = "eth0" };
}

static void number_is_sane(const struct finding *finding, const char *name, double value, double least, double most)
{
	if (!(isfinite(value) && value >= least && value <= most))
		fail_msg("%s: %s is %g", finding->rule, name, value);
}

static void finding_is_sane(const struct finding *finding)
{
	number_is_sane(finding, "confidence", finding->confidence, 0.001, 1);
	number_is_sane(finding, "score", finding->score, 0, 100);
	number_is_sane(finding, "share", finding->share, 0, 1e30);
	for (unsigned i = 0; i < finding->evidence_count; i++) {
		const struct evidence *e = &finding->evidence[i];

		assert_true(*e->name && *e->source);
		assert_ptr_equal(finding_evidence(finding, e->name), e);
		if (!e->text)
			number_is_sane(finding, e->name, e->value, 0, 1e30);
	}
}

static void judge_all(struct fixture *f, size_t *filed)
{
	for (size_t i = 0; i < triage_rule_count; i++) {
		f->rule[0] = triage_rules[i]->id;
		fixture_judge(f);
		filed[i] += f->verdict.finding_count;
		for (size_t k = 0; k < f->verdict.finding_count; k++)
			finding_is_sane(f->verdict.findings[k]);
		for (size_t k = 0; k < f->verdict.miss_count; k++)
			assert_true(isfinite(f->verdict.misses[k].value));
	}
}

#define THINGS 24

/* A layout that no kernel has: interfaces inside each other in circles, prefixes of any length, routes to nowhere. */
static const struct network *shaken_network(struct dice *d, struct fixture *f)
{
	struct link *links = arena_alloc(&f->arena, THINGS * sizeof(*links));
	struct link_prefix *prefixes = arena_alloc(&f->arena, THINGS * sizeof(*prefixes));
	struct net_route *routes = arena_alloc(&f->arena, THINGS * sizeof(*routes));
	struct network *network = arena_alloc(&f->arena, sizeof(*network));

	for (unsigned i = 0; i < THINGS; i++) {
		struct addr addr = addr_v4(below(d, 2) ? 0x0a000000u + (uint32_t)below(d, 1024) : (uint32_t)roll(d));
		uint8_t most = 32;

		if (below(d, 3) == 0) {
			addr.family = ADDR_V6;
			most = 128;
		}
		links[i] = (struct link){ .ifindex = i + 1, .mtu = (uint32_t)any_number(d), .master = (uint32_t)below(d, THINGS), .parent = (uint32_t)below(d, THINGS),
					  .kind = (uint8_t)below(d, LINK_KIND_COUNT), .forwards = (uint8_t)below(d, 4), .options = (uint8_t)roll(d), .up = below(d, 8),
					  .carrier = below(d, 8), .loopback = !below(d, 8), .has_underlay = below(d, 2), .external = !below(d, 4), .underlay = addr,
					  .packets = any_number(d), .answering = { (uint32_t)below(d, 2), (uint32_t)below(d, 2) } };
		prefixes[i] = (struct link_prefix){ .addr = addr, .peer = addr, .ifindex = (uint32_t)below(d, THINGS), .bits = (uint8_t)below(d, most + 1u), .has_peer = below(d, 2) };
		routes[i] = (struct net_route){ .prefix = addr, .gateway = addr, .source = addr, .ifindex = (uint32_t)below(d, THINGS), .table = below(d, 4) ? NET_TABLE_MAIN : 7,
						.metric = (uint32_t)below(d, 3), .mtu = (uint32_t)any_number(d), .bits = (uint8_t)below(d, most + 1u), .type = (uint8_t)below(d, 8),
						.nexthops = (uint16_t)below(d, 3), .has_gateway = below(d, 2), .has_source = below(d, 2), .mtu_locked = below(d, 2) };
	}
	*network = (struct network){ .links = links, .link_count = below(d, THINGS), .prefixes = prefixes, .prefix_count = below(d, THINGS), .routes = routes,
				     .route_count = below(d, THINGS), .policy_rules = (int)below(d, 3) - 1, .cut = !below(d, 4), .disguised = !below(d, 8) };
	return network;
}

static void open_world(struct dice *d, struct fixture *f)
{
	size_t sockets = below(d, 8) ? 30 + below(d, 90) : CROWD;
	enum sock_state all = below(d, 2) ? any_state(d) : 0;
	const struct process *owner;

	fixture_open(f, triage_rules[0]->id);
	shake_settings(d, f);
	shake_route(d, f);
	f->network = below(d, 8) ? shaken_network(d, f) : NULL;
	f->route.ifindex = f->network && below(d, 2) ? 1 + (uint32_t)below(d, THINGS) : f->route.ifindex;
	f->platform = (struct platform){ "", "", "" };
	f->no_counters = !below(d, 10);
	f->no_sysctls = !below(d, 10);
	owner = fixture_process(f, 42, "app");
	for (size_t i = 0; i < sockets; i++)
		add_socket(d, f, all && below(d, 10) ? all : any_state(d), owner);
}

/* One run of one to four samples over sockets that change in between. */
static void sample(struct dice *d, struct fixture *f)
{
	unsigned samples = 1 + (unsigned)below(d, 4);
	double seconds = 0;

	f->snap.info_for_all = below(d, 6);
	for (unsigned n = 0; n < samples; n++, seconds += (double)below(d, 3)) {
		fixture_sample(f, seconds);
		f->rule[0] = "nagle-delack-stall"; /* it has fast looks */
		fixture_looks(f, seconds, below(d, 16) ? 3 : 60, 5, NULL);
		shake_counters(d, f);
		for (size_t i = 0; i < f->count; i++) {
			if (below(d, 2))
				shake(d, f->fake[i]);
		}
	}
}

static void hostile_numbers__in_every_rule__make_no_nonsense(void **state)
{
	struct dice d = { 1 };
	size_t filed[64] = { 0 }, spoke = 0;
	struct fixture f;

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		open_world(&d, &f);
		sample(&d, &f);
		judge_all(&f, filed);
		fixture_close(&f);
	}
	for (size_t i = 0; i < triage_rule_count; i++)
		spoke += filed[i] > 0;
	assert_true(spoke >= SPEAKERS); /* else the numbers do not get past the first test of most rules */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_numbers__in_every_rule__make_no_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* syn-local-stuck: SYNs that never left this host, and SYNs that did. */
#include "rules.h"

#define RULE "syn-local-stuck"
#define INCOMPLETE 0x01
#define REACHABLE 0x02
#define FAILED 0x20
#define NOARP 0x40

/* A SYN-SENT whose timer has run out @retries times while the first SYN stood in the host; @left_ms of the running second to go. */
static struct fake *held(struct fixture *f, const char *peer, unsigned retries, uint32_t left_ms)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_SYN_SENT, "10.0.0.1:40000", peer);

	fake->sock.timer = SOCK_TIMER_ON;
	fake->sock.retrans = (uint8_t)retries;
	fake->sock.expires_ms = left_ms;
	fake_set(fake, TCPI_RETRANSMITS, retries);
	fake_set(fake, TCPI_RTO, 1000000);
	return fake;
}

static void route_on_link(struct fixture *f, uint16_t neighbour)
{
	f->has_route = true;
	f->route = (struct route){ .has = ROUTE_HAS_DEVICE | ROUTE_HAS_LINK | ROUTE_HAS_NEIGHBOUR,
				   .ifindex = 3,
				   .carrier = true,
				   .neighbour_state = neighbour,
				   .device = "eth0" };
}

static void route_by_gateway(struct fixture *f, uint16_t neighbour, bool is_default)
{
	route_on_link(f, neighbour);
	f->route.has |= ROUTE_HAS_GATEWAY;
	f->route.gateway = addr_v4(0x0a0000fe);
	f->route.is_default = is_default;
}

static void one_attempt__silent_neighbour__warns(void **state)
{
	static const uint16_t states[] = { INCOMPLETE, FAILED };
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		fixture_open(&f, RULE);
		route_on_link(&f, states[i]);
		held(&f, "10.0.0.9:80", 1, 400)->owner = fixture_process(&f, 42, "app");
		fixture_sample(&f, 0);
		fixture_judge(&f);
		finding = expect_one(&f, SEVERITY_WARNING);
		assert_string_equal(finding->threshold.name, "retries");
		assert_int_equal(evidence_of(finding, "oldest"), 1600);
		assert_int_equal(evidence_of(finding, "retries"), 1);
		assert_int_equal(evidence_of(finding, "on_wire"), 0);
		assert_int_equal(evidence_of(finding, "carrier"), 1);
		assert_int_equal(evidence_of(finding, "default_gateway"), 0);
		assert_string_equal(finding_evidence(finding, "neighbour")->text, i ? "FAILED" : "INCOMPLETE");
		assert_string_equal(finding_evidence(finding, "next_hop")->text, "10.0.0.9");
		assert_string_equal(finding->scope.interface, "eth0");
		assert_int_equal(finding->scope.pid, 42);
		expect_text(finding, finding->title, "10.0.0.9:80 does not answer ARP on eth0: SYNs of app[42]");
		expect_text(finding, finding->detail, "RFC 1918");
		expect_text(finding, finding->next[0], "ip neigh show 10.0.0.9");
		assert_true(finding->confidence > 0.89 && finding->confidence < 0.91);
		expect_part_skipped(&f, "history");
		fixture_close(&f);
	}
}

static void first_second__of_a_resolution__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	route_on_link(&f, INCOMPLETE);
	held(&f, "10.0.0.9:80", 0, 1);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_silence(&f);
	assert_int_equal(f.verdict.miss_count, 0);
	fixture_close(&f);
}

static void default_gateway__without_answer__is_critical(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (unsigned is_default = 0; is_default < 2; is_default++) {
		fixture_open(&f, RULE);
		route_by_gateway(&f, FAILED, is_default);
		held(&f, "198.51.100.7:443", 2, 400);
		fixture_sample(&f, 0);
		fixture_judge(&f);
		finding = expect_one(&f, is_default ? SEVERITY_CRITICAL : SEVERITY_WARNING);
		assert_string_equal(finding->threshold.name, is_default ? "critical_gateway" : "retries");
		assert_string_equal(finding_evidence(finding, "next_hop")->text, "10.0.0.254");
		expect_text(finding, finding->title, is_default ? "The default gateway 10.0.0.254 does not answer ARP" :
								  "The gateway 10.0.0.254 does not answer ARP");
		expect_text(finding, finding->title, "to 198.51.100.7:443");
		expect_text(finding, finding->detail, "documentation");
		expect_against(finding, "owner could not be read");
		fixture_close(&f);
	}
}

static void destinations__behind_one_gateway__are_one_finding(void **state)
{
	const struct finding *finding;
	struct process *app;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	route_by_gateway(&f, INCOMPLETE, true);
	app = fixture_process(&f, 42, "app");
	held(&f, "198.51.100.7:443", 1, 400)->owner = app;
	held(&f, "203.0.113.7:80", 2, 400)->owner = app;
	held(&f, "203.0.113.7:443", 1, 400)->owner = app;
	fixture_sample(&f, 0);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	assert_int_equal(finding->count, 3);
	assert_int_equal(evidence_of(finding, "destinations"), 2);
	assert_false(finding->scope.has_peer);
	expect_text(finding, finding->title, "SYNs of app[42] to 2 destinations never left");
	assert_true(finding->scope_factor > 1.1);
	fixture_close(&f);
}

static void link__without_carrier__is_named(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	route_by_gateway(&f, FAILED, true);
	f.route.carrier = false;
	held(&f, "198.51.100.7:443", 1, 400);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_CRITICAL);
	expect_text(finding, finding->title, "eth0 has no carrier");
	assert_int_equal(evidence_of(finding, "carrier"), 0);
	fixture_close(&f);
}

static void next_hop__that_resolves__needs_two_retries(void **state)
{
	static const uint16_t states[] = { REACHABLE, NOARP };
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		for (unsigned retries = 1; retries <= 2; retries++) {
			fixture_open(&f, RULE);
			route_by_gateway(&f, states[i], true);
			held(&f, "198.51.100.7:443", retries, 400);
			fixture_sample(&f, 0);
			fixture_judge(&f);
			if (retries == 1) {
				expect_silence(&f);
				assert_int_equal(f.verdict.miss_count, 1);
				assert_true(f.verdict.misses[0].value == 1 && f.verdict.misses[0].threshold == 2);
			} else {
				finding = expect_one(&f, SEVERITY_WARNING);
				assert_string_equal(finding->threshold.name, "held_retries");
				expect_text(finding, finding->title, "wait inside this host");
				expect_text(finding, finding->next[0], "tc -s qdisc show dev eth0");
				expect_text(finding, finding->causes[0], "queueing discipline");
				expect_against(finding, "the queue of eth0");
				expect_part_skipped(&f, "queueing disciplines");
				assert_int_equal(evidence_of(finding, "gives_up"), 131000 - 2600);
				assert_true(finding->confidence < 0.8);
			}
			fixture_close(&f);
		}
	}
}

static void route__unknown_or_not_that_of_the_socket__needs_two_retries(void **state)
{
	enum { NO_ROUTE, OTHER_INTERFACE, MARKED, REFUSED, NO_ENTRY, KINDS };
	struct fixture f;

	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		for (unsigned retries = 1; retries <= 2; retries++) {
			struct fake *fake;

			fixture_open(&f, RULE);
			route_on_link(&f, FAILED);
			fake = held(&f, "10.0.0.9:80", retries, 400);
			f.has_route = kind != NO_ROUTE;
			fake->sock.ifindex = kind == OTHER_INTERFACE ? 4 : 0;
			fake->sock.has |= SOCK_HAS_MARK;
			fake->sock.mark = kind == MARKED;
			f.route.error = kind == REFUSED ? -101 : 0;
			if (kind == NO_ENTRY)
				f.route.has &= ~(uint32_t)ROUTE_HAS_NEIGHBOUR;
			fixture_sample(&f, 0);
			fixture_judge(&f);
			if (retries == 1)
				expect_silence(&f);
			else
				expect_against(expect_one(&f, SEVERITY_WARNING), "next hop could not be read");
			fixture_close(&f);
		}
	}
	fixture_open(&f, RULE);
	route_on_link(&f, FAILED);
	held(&f, "10.0.0.9:80", 1, 400)->sock.ifindex = 3;
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_one(&f, SEVERITY_WARNING);
	fixture_close(&f);
}

static void syn__repeated_on_the_wire__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	route_on_link(&f, FAILED);
	fake_set(held(&f, "10.0.0.9:80", 3, 400), TCPI_TOTAL_RETRANS, 1);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

static void attempt__gone_by_the_newest_sample__counts_while_the_hop_is_silent(void **state)
{
	static const struct {
		uint16_t neighbour;
		bool fires;
	} rows[] = { { FAILED, true }, { INCOMPLETE, true }, { REACHABLE, false } };
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake *fake;

		fixture_open(&f, RULE);
		route_on_link(&f, rows[i].neighbour);
		fake = held(&f, "10.0.0.9:80", 2, 400);
		fixture_sample(&f, 0);
		fake->gone = true;
		fixture_sample(&f, 2);
		fixture_judge(&f);
		if (rows[i].fires) {
			finding = expect_one(&f, SEVERITY_WARNING);
			assert_int_equal(finding->count, 1);
			assert_int_equal(evidence_of(finding, "sockets"), 0);
			assert_int_equal(evidence_of(finding, "gone"), 1);
			expect_text(finding, finding->title, "an unknown process");
			expect_text(finding, finding->detail, "1 of them ended by now");
			expect_against(finding, "have ended; the next hop is still silent");
			expect_against(finding, "owner could not be read");
			assert_true(finding->confidence < 0.8);
		} else {
			expect_silence(&f);
			assert_int_equal(f.verdict.miss_count, 1);
		}
		fixture_close(&f);
	}
}

/* The attempts that wait for one next hop end together, and a program that tries on has only young ones at times. */
static void owner__of_attempts_that_are_gone__is_who_tries_again(void **state)
{
	static const struct {
		const char *peer;
		bool named;
	} rows[] = { { "10.0.0.9:80", true }, { "10.0.0.9:81", false }, { "10.0.0.8:80", false } };
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fake *fake;

		fixture_open(&f, RULE);
		route_on_link(&f, INCOMPLETE);
		fake = held(&f, "10.0.0.9:80", 2, 400);
		fixture_sample(&f, 0);
		fake->gone = true;
		held(&f, rows[i].peer, 0, 400)->owner = fixture_process(&f, 42, "app");
		fixture_sample(&f, 2);
		fixture_judge(&f);
		finding = expect_one(&f, SEVERITY_WARNING);
		assert_int_equal(finding->count, 1);
		assert_int_equal(finding->scope.pid, rows[i].named ? 42 : 0);
		if (rows[i].named)
			expect_against(finding, "app[42] tries the same destination again");
		fixture_close(&f);
	}
}

static void young_attempts__more_than_the_quota__are_reported(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	route_on_link(&f, REACHABLE);
	for (unsigned i = 0; i < 2049; i++)
		held(&f, "10.0.0.9:80", 0, 400);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_silence(&f);
	expect_part_skipped(&f, "1 more sockets than the 2048");
	fixture_close(&f);
}

static void attempt__that_got_through__is_silent(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned gone = 0; gone < 2; gone++) {
		struct fake *fake;

		fixture_open(&f, RULE);
		route_on_link(&f, FAILED);
		fake = held(&f, "10.0.0.9:80", 1, 400);
		fixture_sample(&f, 0);
		fake->sock.state = SOCK_STATE_ESTAB;
		fake->sock.timer = SOCK_TIMER_NONE;
		fixture_sample(&f, 2);
		fake->gone = gone;
		fixture_sample(&f, 5);
		fixture_judge(&f);
		expect_silence(&f);
		fixture_close(&f);
	}
}

static void attempt__released_onto_the_wire__is_silent(void **state)
{
	struct fake *fake;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	route_on_link(&f, FAILED);
	fake = held(&f, "10.0.0.9:80", 2, 400);
	fixture_sample(&f, 0);
	fake_set(fake, TCPI_TOTAL_RETRANS, 1);
	fixture_sample(&f, 2);
	fixture_judge(&f);
	expect_silence(&f);
	fixture_close(&f);
}

/* A program that calls connect() again on the socket that failed: the kernel keeps the cookie. */
static void attempt__begun_anew_on_the_same_socket__counts_as_first_seen(void **state)
{
	struct fake *fake;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	route_on_link(&f, INCOMPLETE);
	fake = held(&f, "10.0.0.9:80", 2, 400);
	fake->owner = fixture_process(&f, 42, "app");
	fixture_sample(&f, 0);
	fake->sock.retrans = 0;
	fake_set(fake, TCPI_RETRANSMITS, 0);
	fixture_sample(&f, 2);
	fixture_judge(&f);
	assert_int_equal(evidence_of(expect_one(&f, SEVERITY_WARNING), "retries"), 2);
	fixture_close(&f);
}

static void three_neighbours__of_one_network__are_one_finding(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	for (unsigned count = 2; count <= 3; count++) {
		fixture_open(&f, RULE);
		route_on_link(&f, FAILED);
		for (unsigned i = 0; i < count; i++)
			held(&f, "10.0.0.9:80", 1, 400)->sock.peer.addr.bytes[3] = (uint8_t)(9 + i);
		fixture_sample(&f, 0);
		fixture_judge(&f);
		if (count == 3) {
			finding = expect_one(&f, SEVERITY_WARNING);
			assert_int_equal(finding->scope.peer_bits, 24);
			assert_int_equal(finding->scope.peer.port, 80);
			expect_text(finding, finding->title, "10.0.0.0/24:80 does not answer");
		} else {
			assert_int_equal(f.verdict.finding_count, 2);
		}
		fixture_close(&f);
	}
}

static void ports__of_one_host__are_one_finding(void **state)
{
	const struct finding *finding;
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	route_on_link(&f, FAILED);
	held(&f, "[2001:db8::9]:80", 1, 400);
	held(&f, "[2001:db8::9]:443", 2, 400);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	finding = expect_one(&f, SEVERITY_WARNING);
	assert_int_equal(finding->count, 2);
	assert_int_equal(finding->scope.peer.port, 0);
	assert_int_equal(evidence_of(finding, "retries"), 2);
	expect_text(finding, finding->title, "2001:db8::9 does not answer neighbour discovery");
	fixture_close(&f);
}

static void scanner__each_neighbour_once__is_info(void **state)
{
	struct fixture f;

	(void)state;
	for (unsigned count = 15; count <= 16; count++) {
		struct process *scanner;

		fixture_open(&f, RULE);
		route_on_link(&f, FAILED);
		scanner = fixture_process(&f, 7, "nmap");
		for (unsigned i = 0; i < count; i++) {
			struct fake *fake = held(&f, "10.0.0.9:80", 1, 400);

			fake->sock.peer.addr.bytes[2] = (uint8_t)i;
			fake->owner = scanner;
		}
		fixture_sample(&f, 0);
		fixture_judge(&f);
		if (count == 16)
			expect_text(expect_one(&f, SEVERITY_INFO), f.verdict.findings[0]->title,
				    "Scanner-like: nmap[7] tries 16 neighbours");
		else
			assert_int_equal(f.verdict.finding_count, 15);
		fixture_close(&f);
	}
}

static void scanner__beside_a_program_that_retries__hides_nothing(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	route_on_link(&f, FAILED);
	for (unsigned i = 0; i < 20; i++)
		held(&f, "10.0.7.0:80", 1, 400)->sock.peer.addr.bytes[3] = (uint8_t)i;
	held(&f, "10.0.0.9:80", 1, 400);
	held(&f, "10.0.0.9:80", 2, 400);
	fixture_sample(&f, 0);
	fixture_judge(&f);
	assert_int_equal(f.verdict.finding_count, 2);
	assert_int_equal(f.verdict.findings[0]->severity, SEVERITY_WARNING);
	assert_int_equal(f.verdict.findings[0]->count, 2);
	assert_int_equal(f.verdict.findings[1]->severity, SEVERITY_INFO);
	assert_int_equal(f.verdict.findings[1]->count, 20);
	fixture_close(&f);
}

/* Behind a gateway that is silent every destination is cut off, however many there are. */
static void many_destinations__behind_a_silent_gateway__are_no_scan(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	route_by_gateway(&f, FAILED, true);
	for (unsigned i = 0; i < 20; i++)
		held(&f, "198.51.100.7:80", 1, 400)->sock.peer.addr.bytes[3] = (uint8_t)i;
	fixture_sample(&f, 0);
	fixture_judge(&f);
	assert_int_equal(expect_one(&f, SEVERITY_CRITICAL)->count, 20);
	fixture_close(&f);
}

static void counter__of_held_retries__raises_confidence(void **state)
{
	double without, with;
	struct fixture f;

	(void)state;
	for (unsigned support = 0; support < 2; support++) {
		struct fake *fake;

		fixture_open(&f, RULE);
		route_on_link(&f, FAILED);
		fake = held(&f, "10.0.0.9:80", 1, 400);
		fixture_sample(&f, 0);
		fake->sock.retrans = 2;
		fixture_count(&f, COUNTER_TCP_SPURIOUS_RTX_HOST_QUEUES, support ? 101 : 100);
		fixture_sample(&f, 1);
		fixture_judge(&f);
		*(support ? &with : &without) = expect_one(&f, SEVERITY_WARNING)->confidence;
		fixture_close(&f);
	}
	assert_true(with > without && with <= 0.95);
}

static void tcp_info__missing__is_skipped(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, RULE);
	route_on_link(&f, FAILED);
	f.info_len = 0;
	held(&f, "10.0.0.9:80", 2, 400)->sock.info.len = 0;
	fixture_sample(&f, 0);
	fixture_judge(&f);
	expect_skipped(&f, "tcp_info");
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_attempt__silent_neighbour__warns),
		cmocka_unit_test(first_second__of_a_resolution__is_silent),
		cmocka_unit_test(default_gateway__without_answer__is_critical),
		cmocka_unit_test(destinations__behind_one_gateway__are_one_finding),
		cmocka_unit_test(link__without_carrier__is_named),
		cmocka_unit_test(next_hop__that_resolves__needs_two_retries),
		cmocka_unit_test(route__unknown_or_not_that_of_the_socket__needs_two_retries),
		cmocka_unit_test(syn__repeated_on_the_wire__is_silent),
		cmocka_unit_test(attempt__gone_by_the_newest_sample__counts_while_the_hop_is_silent),
		cmocka_unit_test(owner__of_attempts_that_are_gone__is_who_tries_again),
		cmocka_unit_test(young_attempts__more_than_the_quota__are_reported),
		cmocka_unit_test(attempt__that_got_through__is_silent),
		cmocka_unit_test(attempt__released_onto_the_wire__is_silent),
		cmocka_unit_test(attempt__begun_anew_on_the_same_socket__counts_as_first_seen),
		cmocka_unit_test(three_neighbours__of_one_network__are_one_finding),
		cmocka_unit_test(ports__of_one_host__are_one_finding),
		cmocka_unit_test(scanner__each_neighbour_once__is_info),
		cmocka_unit_test(scanner__beside_a_program_that_retries__hides_nothing),
		cmocka_unit_test(many_destinations__behind_a_silent_gateway__are_no_scan),
		cmocka_unit_test(counter__of_held_retries__raises_confidence),
		cmocka_unit_test(tcp_info__missing__is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

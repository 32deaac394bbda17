/* SPDX-License-Identifier: MIT */
/* Order among findings: score, folding, rivals, identity, and the texts that all formats share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tcptriage/triage/engine.h"

#define MAX_FINDINGS 8

/** struct board - a verdict made by hand. */
struct board {
	struct arena arena;
	struct verdict verdict;
	struct finding *slot[MAX_FINDINGS];
};

static struct finding *put(struct board *b, const char *rule, enum severity severity, double confidence)
{
	struct finding *f = arena_alloc(&b->arena, sizeof(*f));

	*f = (struct finding){ .rule = rule,
			       .severity = severity,
			       .confidence = confidence,
			       .share = 1,
			       .growth = 1,
			       .scope_factor = 1 };
	b->verdict.arena = &b->arena;
	b->verdict.findings = b->slot;
	b->slot[b->verdict.finding_count++] = f;
	return f;
}

static void set_peer(struct finding *f, const char *addr, uint16_t port, unsigned bits)
{
	assert_true(addr_parse(addr, &f->scope.peer.addr));
	f->scope.peer.port = port;
	f->scope.peer_bits = (uint8_t)bits;
	f->scope.has_peer = true;
}

static void set_local(struct finding *f, const char *addr, uint16_t port)
{
	assert_true(addr_parse(addr, &f->scope.local.addr));
	f->scope.local.port = port;
	f->scope.has_local = true;
}

static void score__factors_of_each_severity__are_multiplied(void **state)
{
	static const struct {
		enum severity severity;
		double share, confidence, growth, factor, score;
	} rows[] = {
		{ SEVERITY_INFO, 0, 1, 1, 1, 5 },	 { SEVERITY_INFO, 1, 1, 1, 1, 20 },
		{ SEVERITY_WARNING, 0, 1, 1, 1, 40 },	 { SEVERITY_WARNING, 0.5, 0.5, 1, 1, 27.5 },
		{ SEVERITY_CRITICAL, 0, 0.5, 1, 1, 40 }, { SEVERITY_CRITICAL, 1, 0.9, 1.1, 0.8, 79.2 },
		{ SEVERITY_CRITICAL, 1, 1, 1.3, 1.2, 100 }, { SEVERITY_CRITICAL, 7, 1, 1, 1, 100 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct board b = { 0 };
		struct finding *f = put(&b, "any", rows[i].severity, rows[i].confidence);

		f->share = rows[i].share;
		f->growth = rows[i].growth;
		f->scope_factor = rows[i].factor;
		triage_rank(&b.verdict);
		assert_true(f->score > rows[i].score - 0.001 && f->score < rows[i].score + 0.001);
		arena_free(&b.arena);
	}
}

/* A fault of configuration becomes as bad as what it leads to, and takes it in; only where both speak of the same peer. */
static void raise__overlap__by_an_attempt_in_its_network(void **state)
{
	static const struct {
		const char *symptom, *peer;
		enum severity severity, becomes;
		double cause, confidence;
		bool folded;
	} rows[] = {
		{ "syn-local-stuck", "10.71.2.2", SEVERITY_WARNING, SEVERITY_CRITICAL, 0.7, 0.9, true },
		{ "syn-sent-stall", "10.71.2.2", SEVERITY_WARNING, SEVERITY_CRITICAL, 0.7, 0.9, true },
		{ "syn-sent-stall", "10.71.2.200", SEVERITY_WARNING, SEVERITY_WARNING, 0.7, 0.9, false }, /* another network */
		{ "syn-sent-stall", "10.71.2.2", SEVERITY_INFO, SEVERITY_WARNING, 0.7, 0.9, true },
		{ "syn-sent-stall", "10.71.2.2", SEVERITY_WARNING, SEVERITY_WARNING, 0.7, 0.49, true },
		{ "syn-sent-stall", "10.71.2.2", SEVERITY_CRITICAL, SEVERITY_WARNING, 0.4, 0.9, false }, /* hardly sure of itself */
		{ "dead-peer-unacked", "10.71.2.2", SEVERITY_WARNING, SEVERITY_WARNING, 0.7, 0.9, true },
		{ "retrans-high", "10.71.2.2", SEVERITY_WARNING, SEVERITY_WARNING, 0.7, 0.9, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct board b = { 0 };
		struct finding *symptom = put(&b, rows[i].symptom, rows[i].severity, rows[i].confidence);
		struct finding *cause = put(&b, "cidr-overlap", SEVERITY_WARNING, rows[i].cause);
		struct finding *plain = put(&b, "cidr-overlap", SEVERITY_INFO, 0.9); /* nobody has run into that one */

		set_peer(symptom, rows[i].peer, 80, 0);
		set_peer(cause, "10.71.2.0", 0, 25);
		triage_rank(&b.verdict);
		assert_int_equal(cause->severity, rows[i].becomes);
		assert_int_equal(plain->severity, SEVERITY_INFO);
		assert_ptr_equal(symptom->parent, rows[i].folded ? cause : NULL);
		arena_free(&b.arena);
	}
}

static void raise__mtu_mismatch__by_a_black_hole_of_that_interface(void **state)
{
	static const struct {
		const char *symptom, *interface;
		bool behind, raised;
		double hop;
	} rows[] = {
		{ "mtu-blackhole-send", "vx0", false, true, 0 },  { "mtu-blackhole-recv", "vx0", false, true, 0 },  { "mtu-blackhole-send", "eth0", false, false, 0 },
		{ "mtu-blackhole-send", "vx0", true, false, 0 }, /* the network behind this host has no part in this host's own connections */
		{ "mtu-blackhole-send", NULL, false, false, 0 },  { "pmtu-shrunk", "vx0", false, false, 0 },
		{ "mtu-blackhole-send", "vx0", false, false, 1 }, /* a probe saw large packets pass the first router */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct board b = { 0 };
		struct finding *cause = put(&b, "mtu-config-mismatch", SEVERITY_WARNING, 0.85);
		struct finding *symptom = put(&b, rows[i].symptom, SEVERITY_WARNING, 0.75);

		cause->scope.interface = "vx0";
		symptom->scope.interface = rows[i].interface;
		finding_add(cause, "own_packets", !rows[i].behind, UNIT_FLAG, "rule");
		if (rows[i].hop > 0)
			finding_add(symptom, "hop", rows[i].hop, UNIT_NONE, "probes");
		triage_rank(&b.verdict);
		assert_int_equal(cause->severity, rows[i].raised ? SEVERITY_CRITICAL : SEVERITY_WARNING);
		assert_ptr_equal(symptom->parent, rows[i].raised ? cause : NULL);
		arena_free(&b.arena);
	}
}

static void order__worst_first__children_behind_their_cause(void **state)
{
	struct board b = { 0 };
	struct finding *info = put(&b, "a", SEVERITY_INFO, 0.9);
	struct finding *churn = put(&b, "time-wait-churn", SEVERITY_INFO, 0.9);
	struct finding *ports = put(&b, "ephemeral-port-exhaustion", SEVERITY_WARNING, 0.9);
	struct finding *crit = put(&b, "b", SEVERITY_CRITICAL, 0.9);

	(void)state;
	triage_rank(&b.verdict);
	assert_int_equal(b.verdict.finding_count, 4);
	assert_ptr_equal(b.verdict.findings[0], crit);
	assert_ptr_equal(b.verdict.findings[1], ports);
	assert_ptr_equal(b.verdict.findings[2], churn);
	assert_ptr_equal(b.verdict.findings[3], info);
	assert_ptr_equal(churn->parent, ports);
	assert_int_equal(ports->folded, 1);
	arena_free(&b.arena);
}

/* A leak of connections to 10.0.0.9 and exhausted ports, both @severity by turns. */
static bool leak_explains_ports(enum severity leak_severity, double leak_confidence,
				enum severity ports_severity, const char *ports_peer, unsigned bits)
{
	struct board b = { 0 };
	struct finding *ports = put(&b, "ephemeral-port-exhaustion", ports_severity, 0.9);
	struct finding *leak = put(&b, "close-wait-leak", leak_severity, leak_confidence);
	bool folded;

	set_peer(leak, "10.0.0.9", 80, bits);
	set_peer(ports, ports_peer, 80, 0);
	triage_rank(&b.verdict);
	folded = ports->parent == leak;
	arena_free(&b.arena);
	return folded;
}

static void fold__only_one_story__and_never_under_a_lesser_cause(void **state)
{
	(void)state;
	assert_true(leak_explains_ports(SEVERITY_CRITICAL, 0.5, SEVERITY_CRITICAL, "10.0.0.9", 0));
	assert_true(leak_explains_ports(SEVERITY_CRITICAL, 0.5, SEVERITY_WARNING, "10.0.0.7", 24));
	assert_false(leak_explains_ports(SEVERITY_CRITICAL, 0.5, SEVERITY_WARNING, "10.0.0.8", 0));
	assert_false(leak_explains_ports(SEVERITY_WARNING, 0.9, SEVERITY_CRITICAL, "10.0.0.9", 0));
	assert_false(leak_explains_ports(SEVERITY_CRITICAL, 0.49, SEVERITY_CRITICAL, "10.0.0.9", 0));
}

/* Heavy loss towards a peer explains that one connection to it is silent for long; a dead peer explains loss that is no worse than itself. */
static void fold__silence_amid_heavy_loss__is_loss(void **state)
{
	(void)state;
	for (unsigned heavy = 0; heavy < 2; heavy++) {
		struct board b = { 0 };
		struct finding *dead = put(&b, "dead-peer-unacked", SEVERITY_WARNING, 0.8);
		struct finding *loss = put(&b, "retrans-high", heavy ? SEVERITY_CRITICAL : SEVERITY_WARNING, 0.85);

		set_peer(dead, "10.0.0.9", 443, 0);
		set_peer(loss, "10.0.0.9", 443, 0);
		triage_rank(&b.verdict);
		assert_ptr_equal(heavy ? dead->parent : loss->parent, heavy ? loss : dead);
		arena_free(&b.arena);
	}
}

static void fold__loss_of_the_whole_host__is_not_that_of_one_peer(void **state)
{
	static const char *const causes[] = { "mtu-blackhole-send", "dead-peer-unacked" };

	(void)state;
	for (size_t i = 0; i < 3 * ARRAY_SIZE(causes); i++) {
		struct board b = { 0 };
		struct finding *loss = put(&b, "retrans-high", SEVERITY_WARNING, 0.85);
		struct finding *stuck = put(&b, causes[i / 3], SEVERITY_CRITICAL, 0.85);

		set_peer(stuck, "10.0.0.9", 443, 0);
		if (i % 3)
			set_peer(loss, i % 3 == 1 ? "10.0.0.9" : "10.0.0.8", 443, 0);
		triage_rank(&b.verdict);
		assert_ptr_equal(loss->parent, i % 3 == 1 ? stuck : NULL);
		arena_free(&b.arena);
	}
}

static void fold__what_the_path_says_of_a_peer__explains_what_is_seen_of_it(void **state)
{
	static const struct {
		const char *cause, *symptom;
	} rows[] = {
		{ "mtu-blackhole-send", "mss-clamp-mismatch" }, { "pmtu-shrunk", "mss-clamp-mismatch" },
		{ "ttl-exceeded", "dead-peer-unacked" },	{ "icmp-unreachable", "dead-peer-unacked" },
	};

	(void)state;
	for (size_t i = 0; i < 3 * ARRAY_SIZE(rows); i++) {
		struct board b = { 0 };
		struct finding *symptom = put(&b, rows[i / 3].symptom, SEVERITY_WARNING, 0.8);
		struct finding *cause = put(&b, rows[i / 3].cause, SEVERITY_WARNING, 0.8);

		set_peer(symptom, "10.0.0.9", 443, 0);
		if (i % 3)
			set_peer(cause, i % 3 == 1 ? "10.0.0.9" : "10.0.0.8", 0, 0);
		triage_rank(&b.verdict);
		assert_ptr_equal(symptom->parent, i % 3 == 1 ? cause : NULL);
		arena_free(&b.arena);
	}
}

static void fold__other_namespace__is_another_story(void **state)
{
	struct board b = { 0 };
	struct finding *ports = put(&b, "ephemeral-port-exhaustion", SEVERITY_WARNING, 0.9);
	struct finding *churn = put(&b, "time-wait-churn", SEVERITY_INFO, 0.9);

	(void)state;
	ports->scope.netns = "blue";
	triage_rank(&b.verdict);
	assert_null(churn->parent);
	arena_free(&b.arena);
}

static void fold__queue_that_is_not_accepted__explains_who_waits_for_an_answer(void **state)
{
	static const char *const causes[] = { "accept-queue-overflow", "accept-stuck" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		struct board b = { 0 };
		struct finding *waits = put(&b, "awaiting-response", SEVERITY_INFO, 0.45);
		struct finding *queue = put(&b, causes[i], SEVERITY_WARNING, 0.8);

		set_local(queue, "10.0.0.1", 80);
		set_peer(waits, "10.0.0.1", 80, 0);
		triage_rank(&b.verdict);
		assert_ptr_equal(waits->parent, queue);
		arena_free(&b.arena);
	}
}

static void fold__counters_of_one_host__are_one_story(void **state)
{
	static const struct {
		const char *cause, *symptom;
		enum severity severity;
		double confidence;
		bool folds;
	} rows[] = {
		{ "stale-tuple-challenge", "rst-breakdown", SEVERITY_WARNING, 0.55, true },
		{ "stale-tuple-challenge", "rst-breakdown", SEVERITY_INFO, 0.45, false },
		{ "tcp-memory-orphans", "rst-breakdown", SEVERITY_CRITICAL, 0.95, true },
		{ "rst-after-idle", "rst-breakdown", SEVERITY_WARNING, 0.8, true },
		{ "icmp-unreachable", "connect-refused", SEVERITY_WARNING, 0.8, true },
		/* a refused connect() leaves no connection that could be reset */
		{ "connect-refused", "rst-breakdown", SEVERITY_CRITICAL, 0.85, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct board b = { 0 };
		struct finding *symptom = put(&b, rows[i].symptom, SEVERITY_INFO, 0.85);
		struct finding *cause = put(&b, rows[i].cause, rows[i].severity, rows[i].confidence);

		triage_rank(&b.verdict);
		assert_int_equal(symptom->parent == cause, rows[i].folds);
		arena_free(&b.arena);
	}
}

static void fold__one_peer__explains_neither_all_peers_nor_the_clients_of_a_port(void **state)
{
	static const struct {
		const char *cause_peer, *symptom_peer;
		uint16_t cause_port, symptom_port; /* of ours */
		bool folds;
	} rows[] = {
		{ "10.0.0.9", "10.0.0.9", 0, 0, true }, { "10.0.0.9", NULL, 0, 0, false },
		{ "10.0.0.9", NULL, 0, 443, false },	{ NULL, "10.0.0.9", 443, 0, false },
		{ NULL, NULL, 443, 443, true },		{ NULL, NULL, 443, 80, false },
		{ NULL, "10.0.0.9", 0, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct board b = { 0 };
		struct finding *symptom = put(&b, "closing-stuck", SEVERITY_CRITICAL, 0.85);
		struct finding *cause = put(&b, "dead-peer-unacked", SEVERITY_CRITICAL, 0.85);

		if (rows[i].cause_peer)
			set_peer(cause, rows[i].cause_peer, 0, 0);
		if (rows[i].symptom_peer)
			set_peer(symptom, rows[i].symptom_peer, 0, 0);
		if (rows[i].cause_port)
			set_local(cause, "10.0.0.1", rows[i].cause_port);
		if (rows[i].symptom_port)
			set_local(symptom, "10.0.0.1", rows[i].symptom_port);
		triage_rank(&b.verdict);
		assert_int_equal(symptom->parent == cause, rows[i].folds);
		arena_free(&b.arena);
	}
}

static void fold__silent_next_hop_of_many__explains_others_only_as_default_gateway(void **state)
{
	(void)state;
	for (unsigned is_default = 0; is_default < 2; is_default++) {
		struct board b = { 0 };
		struct finding *stall = put(&b, "syn-sent-stall", SEVERITY_WARNING, 0.8);
		struct finding *held = put(&b, "syn-local-stuck", SEVERITY_CRITICAL, 0.9);

		set_peer(stall, "198.51.100.7", 443, 0);
		finding_add(held, "default_gateway", is_default, UNIT_FLAG, "test");
		triage_rank(&b.verdict);
		assert_int_equal(stall->parent == held, is_default);
		arena_free(&b.arena);
	}
}

static void fold__resets_for_lack_of_memory__are_no_symptom_of_clients(void **state)
{
	static const struct {
		const char *cause;
		double out_of_memory;
		bool folds;
	} rows[] = {
		{ "stale-tuple-challenge", 0, true }, { "stale-tuple-challenge", 1, false },
		{ "rst-after-idle", 1, false },	      { "tcp-memory-orphans", 1, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct board b = { 0 };
		struct finding *resets = put(&b, "rst-breakdown", SEVERITY_CRITICAL, 0.95);
		struct finding *cause = put(&b, rows[i].cause, SEVERITY_CRITICAL, 0.8);

		finding_add(resets, "out_of_memory", rows[i].out_of_memory, UNIT_COUNT, "test");
		triage_rank(&b.verdict);
		assert_int_equal(resets->parent == cause, rows[i].folds);
		arena_free(&b.arena);
	}
}

static void fold__full_listener__explains_the_clients_on_its_address(void **state)
{
	static const struct {
		const char *local, *peer;
		uint16_t port;
		bool folds;
	} rows[] = { { "10.0.0.1", "10.0.0.1", 80, true },  { "10.0.0.1", "10.0.0.1", 81, false },
		     { "10.0.0.1", "10.0.0.2", 80, false }, { "0.0.0.0", "127.0.0.1", 80, true },
		     { "0.0.0.0", "10.0.0.2", 80, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct board b = { 0 };
		struct finding *stall = put(&b, "syn-sent-stall", SEVERITY_CRITICAL, 0.8);
		struct finding *full = put(&b, "accept-queue-overflow", SEVERITY_CRITICAL, 0.8);

		set_local(full, rows[i].local, 80);
		set_peer(stall, rows[i].peer, rows[i].port, 0);
		triage_rank(&b.verdict);
		assert_int_equal(stall->parent == full, rows[i].folds);
		arena_free(&b.arena);
	}
}

static void fold__chain__keeps_its_order(void **state)
{
	struct board b = { 0 };
	struct finding *queue = put(&b, "accept-queue-overflow", SEVERITY_WARNING, 0.9);
	struct finding *fds = put(&b, "fd-headroom", SEVERITY_CRITICAL, 0.9);
	struct finding *leak = put(&b, "close-wait-leak", SEVERITY_CRITICAL, 0.6);

	(void)state;
	queue->scope.pid = fds->scope.pid = leak->scope.pid = 7;
	triage_rank(&b.verdict);
	assert_ptr_equal(fds->parent, leak);
	assert_ptr_equal(queue->parent, fds);
	assert_ptr_equal(b.verdict.findings[0], leak);
	assert_ptr_equal(b.verdict.findings[1], fds);
	assert_ptr_equal(b.verdict.findings[2], queue);
	arena_free(&b.arena);
}

/* The same listener stuck and overflowing: the worse of the two tells the story, and a tie goes to what drops clients. */
static void fold__stuck_and_overflowing__are_one_story_per_endpoint(void **state)
{
	static const struct {
		enum severity overflow, stuck;
		uint16_t port;
		int parent; /* 0 none, 1 the overflow, 2 the stuck one */
	} rows[] = { { SEVERITY_CRITICAL, SEVERITY_CRITICAL, 80, 1 }, { SEVERITY_CRITICAL, SEVERITY_WARNING, 80, 1 },
		     { SEVERITY_WARNING, SEVERITY_CRITICAL, 80, 2 },  { SEVERITY_CRITICAL, SEVERITY_CRITICAL, 81, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct board b = { 0 };
		struct finding *overflow = put(&b, "accept-queue-overflow", rows[i].overflow, 0.9);
		struct finding *stuck = put(&b, "accept-stuck", rows[i].stuck, 0.9);
		struct finding *clipped = put(&b, "backlog-clipped", SEVERITY_INFO, 0.9);

		set_local(overflow, "10.0.0.1", 80);
		set_local(stuck, "10.0.0.1", rows[i].port);
		set_local(clipped, "10.0.0.1", 80);
		triage_rank(&b.verdict);
		assert_int_equal(stuck->parent == overflow, rows[i].parent == 1);
		assert_int_equal(overflow->parent == stuck, rows[i].parent == 2);
		assert_ptr_equal(clipped->parent, overflow);
		arena_free(&b.arena);
	}
}

static void fold__no_descriptors_left__explains_the_stuck_listener_of_that_process(void **state)
{
	struct board b = { 0 };
	struct finding *stuck = put(&b, "accept-stuck", SEVERITY_CRITICAL, 0.9);
	struct finding *other = put(&b, "accept-stuck", SEVERITY_CRITICAL, 0.9);
	struct finding *fds = put(&b, "fd-headroom", SEVERITY_CRITICAL, 0.9);

	(void)state;
	stuck->scope.pid = fds->scope.pid = 7;
	other->scope.pid = 8;
	triage_rank(&b.verdict);
	assert_ptr_equal(stuck->parent, fds);
	assert_null(other->parent);
	arena_free(&b.arena);
}

static void rivals__within_the_margin__both_stand(void **state)
{
	static const struct {
		double hole, dead;
		int kept; /* 0 both, 1 the first, 2 the second */
	} rows[] = { { 0.5, 0.5, 0 }, { 0.65, 0.5, 0 }, { 0.66, 0.5, 1 }, { 0.5, 0.66, 2 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct board b = { 0 };
		struct finding *hole = put(&b, "mtu-blackhole-send", SEVERITY_WARNING, rows[i].hole);
		struct finding *dead = put(&b, "dead-peer-unacked", SEVERITY_WARNING, rows[i].dead);

		set_peer(hole, "10.0.0.9", 80, 0);
		set_peer(dead, "10.0.0.9", 80, 0);
		triage_rank(&b.verdict);
		assert_int_equal(dead->parent == hole, rows[i].kept == 1);
		assert_int_equal(hole->parent == dead, rows[i].kept == 2);
		arena_free(&b.arena);
	}
}

/* A send that does not go on and a reader that stands still: which of them is the cause is in the evidence of the sender. */
static void reader_and_sender__fold__by_who_waits_for_whom(void **state)
{
	static const struct {
		const char *what, *evidence;
		double value;
		uint32_t reader, sender;
		int cause; /* 0 neither, 1 the reader, 2 the sender */
	} rows[] = {
		{ "a relay: it stopped reading since it cannot send", "behind", 65536, 7, 7, 2 },
		{ "both ends write and neither reads", "own_unread", 65536, 7, 7, 1 },
		{ "the other end is on this host", "reader_pid", 7, 7, 8, 1 },
		{ "another process is the other end", "reader_pid", 9, 7, 8, 0 },
		{ "two processes with nothing in common", "behind", 65536, 7, 8, 0 },
		{ "one process, little unread", "behind", 0, 7, 7, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct board b = { 0 };
		struct finding *reader = put(&b, "recvq-not-drained", SEVERITY_CRITICAL, 0.9);
		struct finding *sender = put(&b, "peer-zero-window", SEVERITY_CRITICAL, 0.9);

		reader->scope.pid = rows[i].reader;
		sender->scope.pid = rows[i].sender;
		finding_add(sender, rows[i].evidence, rows[i].value, UNIT_BYTES, "test");
		triage_rank(&b.verdict);
		if ((sender->parent == reader) != (rows[i].cause == 1) ||
		    (reader->parent == sender) != (rows[i].cause == 2))
			fail_msg("wrong cause: %s", rows[i].what);
		arena_free(&b.arena);
	}
}

static void dead_peer__explains_probes_without_an_answer__of_the_same_peer(void **state)
{
	(void)state;
	for (unsigned other = 0; other < 2; other++) {
		struct board b = { 0 };
		struct finding *dead = put(&b, "dead-peer-unacked", SEVERITY_CRITICAL, 0.9);
		struct finding *idle = put(&b, "keepalive-failing", SEVERITY_WARNING, 0.8);

		set_peer(dead, "10.0.0.9", 80, 0);
		set_peer(idle, other ? "10.0.0.8" : "10.0.0.9", 5432, 0);
		triage_rank(&b.verdict);
		assert_int_equal(idle->parent == dead, !other);
		arena_free(&b.arena);
	}
}

/* A flood and stalled handshakes on listeners that both listen on any address; @kept as in rivals__within_the_margin. */
static void rivals__of_a_listener__are_those_on_its_port(void **state)
{
	static const struct {
		uint16_t flood_port, stall_port;
		double flood, stall;
		int kept;
	} rows[] = { { 80, 80, 0.9, 0.5, 1 },  { 80, 443, 0.9, 0.5, 0 },  { 80, 80, 0.65, 0.55, 0 },
		     { 80, 80, 0.65, 0.5, 0 }, { 80, 80, 0.5, 0.66, 2 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct board b = { 0 };
		struct finding *flood = put(&b, "syn-flood", SEVERITY_WARNING, rows[i].flood);
		struct finding *stall = put(&b, "syn-recv-stall", SEVERITY_WARNING, rows[i].stall);

		set_local(flood, "0.0.0.0", rows[i].flood_port);
		set_local(stall, "0.0.0.0", rows[i].stall_port);
		triage_rank(&b.verdict);
		assert_int_equal(stall->parent == flood, rows[i].kept == 1);
		assert_int_equal(flood->parent == stall, rows[i].kept == 2);
		arena_free(&b.arena);
	}
}

static void identity__survives_a_restart__but_parts_twins(void **state)
{
	struct board a = { 0 }, b = { 0 };
	struct finding *before = put(&a, "r", SEVERITY_INFO, 1), *after = put(&b, "r", SEVERITY_INFO, 1);
	struct finding *twin = put(&b, "r", SEVERITY_INFO, 1), *other = put(&b, "s", SEVERITY_INFO, 1);

	(void)state;
	before->scope.comm = after->scope.comm = twin->scope.comm = other->scope.comm = "app";
	before->scope.pid = 1;
	after->scope.pid = 2;
	twin->scope.pid = 3;
	triage_rank(&a.verdict);
	triage_rank(&b.verdict);
	assert_true(before->id == after->id);
	assert_true(twin->id != after->id);
	assert_true(other->id != after->id && other->id != twin->id);
	arena_free(&a.arena);
	arena_free(&b.arena);
}

static void identity__of_triplets__differs(void **state)
{
	struct board b = { 0 };

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		put(&b, "r", SEVERITY_INFO, 1);
	triage_rank(&b.verdict);
	for (unsigned i = 0; i < 4; i++)
		for (unsigned k = 0; k < i; k++)
			assert_true(b.slot[i]->id != b.slot[k]->id);
	arena_free(&b.arena);
}

/* What explains a finding hides it only where it is itself shown. */
static void status__folded_under_what_is_too_unlikely__counts(void **state)
{
	struct board b = { 0 };
	struct finding *parent = put(&b, "a", SEVERITY_CRITICAL, 0.6);
	enum severity worst = SEVERITY_INFO;

	(void)state;
	put(&b, "b", SEVERITY_WARNING, 0.9)->parent = parent;
	assert_true(triage_status(&b.verdict, 0.8, &worst));
	assert_int_equal(worst, SEVERITY_WARNING);
	arena_free(&b.arena);
}

static void status__counts_what_stands_and_is_likely(void **state)
{
	struct board b = { 0 };
	struct finding *parent = put(&b, "a", SEVERITY_WARNING, 0.6);
	struct finding *child = put(&b, "b", SEVERITY_CRITICAL, 0.9);
	enum severity worst;

	(void)state;
	child->parent = parent;
	put(&b, "c", SEVERITY_CRITICAL, 0.49);
	assert_true(triage_status(&b.verdict, 0.5, &worst));
	assert_int_equal(worst, SEVERITY_WARNING);
	assert_true(triage_status(&b.verdict, 0.49, &worst));
	assert_int_equal(worst, SEVERITY_CRITICAL);
	assert_false(triage_status(&b.verdict, 0.95, &worst));
	arena_free(&b.arena);
}

static void confidence__words__begin_at_their_limits(void **state)
{
	(void)state;
	assert_string_equal(triage_confidence_word(0.9), "certain");
	assert_string_equal(triage_confidence_word(0.89), "very likely");
	assert_string_equal(triage_confidence_word(0.7), "very likely");
	assert_string_equal(triage_confidence_word(0.4), "possible");
	assert_string_equal(triage_confidence_word(0.39), "weak");
}

static void text__placeholders__are_filled_and_escaped(void **state)
{
	static const struct evidence evidence = { .name = "age", .value = 90, .unit = UNIT_S };
	static const struct evidence text = { .name = "state", .text = "a\x1b[1m" };
	struct finding f = { .count = 12, .evidence = { evidence, text }, .evidence_count = 2 };
	struct out out CLEANUP(out_close);

	(void)state;
	out_open_mem(&out);
	f.scope.comm = "ev\nil";
	f.scope.pid = 7;
	set_peer(&f, "2001:db8::", 80, 64);
	finding_expand(&out, &f, "{owner} {count} {peer} {peer_addr} {age} {state} {local_port} {netns}");
	assert_string_equal(out_text(&out), "ev\\x0ail[7] 12 [2001:db8::]/64:80 2001:db8:: 90 s a\\x1b[1m PORT this namespace");
}

static void add_number(struct finding *f, const char *name, double value)
{
	f->evidence[f->evidence_count++] = (struct evidence){ .name = name, .value = value, .source = "rule" };
}

/* A capture's table of resets is explained only when there is nothing else in it. */
static void fold__table_of_resets__needs_one_class_alone(void **state)
{
	static const struct {
		const char *cause, *class;
		double of_class, of_all;
		bool folds;
	} rows[] = {
		{ "rst-after-idle", "after_idle", 3, 3, true }, { "rst-after-idle", "after_idle", 2, 3, false }, { "rst-after-idle", "between", 3, 3, false },
		{ "rst-breakdown", "between", 3, 3, true },	{ "rst-breakdown", "between", 2, 3, false },	  { "stale-tuple-challenge", "others", 3, 3, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct board b = { 0 };
		struct finding *cause = put(&b, rows[i].cause, SEVERITY_WARNING, 0.9), *table = put(&b, "rst-breakdown", SEVERITY_INFO, 0.9);

		add_number(table, "reset_flows", rows[i].of_all);
		add_number(table, rows[i].class, rows[i].of_class);
		triage_rank(&b.verdict);
		assert_ptr_equal(table->parent, rows[i].folds ? cause : NULL);
		assert_null(cause->parent);
		arena_free(&b.arena);
	}
}

/* Counters do not say who was refused by an ICMP error; a capture does. */
static void fold__icmp_errors__explain_the_attempts_that_they_quote(void **state)
{
	static const struct {
		const char *peer; /* of the refused, NULL: of a report */
		double by_icmp;
		bool folds;
	} rows[] = { { NULL, 0, true }, { "10.0.0.2", 5, true }, { "10.0.0.2", 0, false }, { "10.0.0.3", 5, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct board b = { 0 };
		struct finding *cause = put(&b, "icmp-unreachable", SEVERITY_WARNING, 0.9), *refused = put(&b, "connect-refused", SEVERITY_WARNING, 0.9);

		set_peer(cause, "10.0.0.2", 80, 0);
		if (rows[i].peer) {
			set_peer(refused, rows[i].peer, 80, 0);
			add_number(refused, "by_icmp", rows[i].by_icmp);
		}
		triage_rank(&b.verdict);
		assert_ptr_equal(refused->parent, rows[i].folds ? cause : NULL);
		arena_free(&b.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raise__overlap__by_an_attempt_in_its_network),
		cmocka_unit_test(raise__mtu_mismatch__by_a_black_hole_of_that_interface),
		cmocka_unit_test(score__factors_of_each_severity__are_multiplied),
		cmocka_unit_test(order__worst_first__children_behind_their_cause),
		cmocka_unit_test(fold__only_one_story__and_never_under_a_lesser_cause),
		cmocka_unit_test(fold__silence_amid_heavy_loss__is_loss),
		cmocka_unit_test(fold__loss_of_the_whole_host__is_not_that_of_one_peer),
		cmocka_unit_test(fold__what_the_path_says_of_a_peer__explains_what_is_seen_of_it),
		cmocka_unit_test(fold__other_namespace__is_another_story),
		cmocka_unit_test(fold__counters_of_one_host__are_one_story),
		cmocka_unit_test(fold__one_peer__explains_neither_all_peers_nor_the_clients_of_a_port),
		cmocka_unit_test(fold__silent_next_hop_of_many__explains_others_only_as_default_gateway),
		cmocka_unit_test(fold__resets_for_lack_of_memory__are_no_symptom_of_clients),
		cmocka_unit_test(fold__full_listener__explains_the_clients_on_its_address),
		cmocka_unit_test(fold__queue_that_is_not_accepted__explains_who_waits_for_an_answer),
		cmocka_unit_test(fold__chain__keeps_its_order),
		cmocka_unit_test(fold__stuck_and_overflowing__are_one_story_per_endpoint),
		cmocka_unit_test(fold__no_descriptors_left__explains_the_stuck_listener_of_that_process),
		cmocka_unit_test(rivals__within_the_margin__both_stand),
		cmocka_unit_test(reader_and_sender__fold__by_who_waits_for_whom),
		cmocka_unit_test(dead_peer__explains_probes_without_an_answer__of_the_same_peer),
		cmocka_unit_test(rivals__of_a_listener__are_those_on_its_port),
		cmocka_unit_test(identity__survives_a_restart__but_parts_twins),
		cmocka_unit_test(identity__of_triplets__differs),
		cmocka_unit_test(status__folded_under_what_is_too_unlikely__counts),
		cmocka_unit_test(status__counts_what_stands_and_is_likely),
		cmocka_unit_test(confidence__words__begin_at_their_limits),
		cmocka_unit_test(text__placeholders__are_filled_and_escaped),
		cmocka_unit_test(fold__table_of_resets__needs_one_class_alone),
		cmocka_unit_test(fold__icmp_errors__explain_the_attempts_that_they_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* How connections begin and end: SYN retries, refusal, ports used again, challenges, resets and who sent them, silences, crashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "segments.h"

static void handshake__complete__is_established_and_measured(void **state)
{
	static const struct segment scene[] = { OPEN_10MS, { 20, A, 1, 100, 1 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_flow(&t)->state, FLOW_ESTABLISHED);
	assert_int_equal(talk_flow(&t)->flags & (FLOW_INITIATOR_KNOWN | FLOW_SAW_SYN | FLOW_SAW_SYN_ACK | FLOW_SYN_TO_DATA),
			 FLOW_INITIATOR_KNOWN | FLOW_SAW_SYN | FLOW_SAW_SYN_ACK | FLOW_SYN_TO_DATA);
	assert_true(talk_flow(&t)->flags & FLOW_HAS_HANDSHAKE_RTT);
	assert_int_equal(talk_flow(&t)->handshake_rtt_us, 10100);
	assert_int_equal(talk_flow(&t)->syn_wait_ms, 10);
	assert_int_equal(talk_side(&t, A)->mss, 1460);
	assert_int_equal(talk_side(&t, A)->isn, t.isn[A]);
	assert_int_equal(talk_side(&t, B)->seq_next, t.isn[B] + 1);
	assert_int_equal(flows_totals(t.flows)->midstream, 0);
	talk_close(&t);
}

static void handshake__syn_ack_first__knows_who_began(void **state)
{
	static const struct segment scene[] = { { 10, B, 0, 0, 1, TCP_SYN | TCP_ACK }, { 10.1, A, 1, 0, 1 }, { 11, A, 1, 100, 1 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_flow(&t)->end[0].port, 40000);
	assert_true(talk_flow(&t)->flags & FLOW_INITIATOR_KNOWN);
	assert_false(talk_flow(&t)->flags & (FLOW_SAW_SYN | FLOW_HAS_HANDSHAKE_RTT));
	assert_int_equal(talk_flow(&t)->state, FLOW_ESTABLISHED);
	assert_int_equal(talk_side(&t, A)->acked_unseen + talk_side(&t, B)->acked_unseen, 0);
	assert_false(talk_side(&t, A)->has & SIDE_HAS_WSCALE);
	talk_close(&t);
}

static void syn__unanswered__is_repeated_into_silence(void **state)
{
	static const struct segment scene[] = { { 0, A, 0, 0, 0, TCP_SYN }, { 1000, A, 0, 0, 0, TCP_SYN }, { 3000, A, 0, 0, 0, TCP_SYN } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_flow(&t)->state, FLOW_SYN_SENT);
	assert_int_equal(talk_side(&t, A)->syns, 3);
	assert_int_equal(talk_side(&t, A)->syn_retries, 2);
	assert_int_equal(talk_flow(&t)->syn_wait_ms, 3000);
	assert_int_equal(t.event[EVENT_SYN_RETRY].since_us, 3000000);
	talk_expect(&t, A, &(struct tally){ .again = 2 });
	assert_true(flow_one_way(talk_flow(&t)));
	talk_close(&t);
}

static void syn_ack__repeated__gives_no_round_trip(void **state)
{
	static const struct segment scene[] = { { 0, A, 0, 0, 0, TCP_SYN },
						{ 10, B, 0, 0, 1, TCP_SYN | TCP_ACK },
						{ 1010, B, 0, 0, 1, TCP_SYN | TCP_ACK },
						{ 1020, A, 1, 0, 1 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(t.counted[EVENT_SYN_ACK_RETRY], 1);
	assert_int_equal(t.event[EVENT_SYN_ACK_RETRY].side, 1);
	assert_int_equal(t.event[EVENT_SYN_ACK_RETRY].since_us, 1000000);
	assert_false(talk_flow(&t)->flags & FLOW_HAS_HANDSHAKE_RTT);
	assert_int_equal(talk_flow(&t)->handshake_rtt_us, 0);
	talk_expect(&t, B, &(struct tally){ .again = 1 });
	talk_close(&t);
}

static void refused__rst_answers_the_syn__and_nothing_else_does(void **state)
{
	static const struct segment refused[] = { { 0, A, 0, 0, 0, TCP_SYN }, { 5, B, 0, 0, 1, TCP_RST | TCP_ACK, .shut = true } };
	static const struct segment wrong[] = { { 0, A, 0, 0, 0, TCP_SYN }, { 5, B, 0, 0, 0, TCP_RST | TCP_ACK, .shut = true } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, refused, ARRAY_SIZE(refused));
	assert_int_equal(talk_flow(&t)->state, FLOW_REFUSED);
	assert_int_equal(talk_flow(&t)->syn_wait_ms, 5);
	assert_int_equal(talk_flow(&t)->resetter, 1);
	assert_int_equal(t.counted[EVENT_REFUSED], 1);
	assert_int_equal(t.counted[EVENT_RESET], 0);
	/* Some ask again at once, with the same SYN. */
	talk_send(&t, &(struct segment){ 505, A, 0, 0, 0, TCP_SYN });
	assert_int_equal(talk_flow(&t)->state, FLOW_SYN_SENT);
	talk_send(&t, &(struct segment){ 510, B, 0, 0, 1, TCP_RST | TCP_ACK, .shut = true });
	assert_int_equal(talk_flow(&t)->state, FLOW_REFUSED);
	assert_int_equal(t.event[EVENT_REFUSED].nth, 2);
	talk_add_up(&t);
	talk_close(&t);

	talk_open(&t);
	talk_play(&t, wrong, ARRAY_SIZE(wrong));
	assert_int_equal(talk_flow(&t)->state, FLOW_SYN_SENT);
	assert_int_equal(t.counted[EVENT_REFUSED], 0);
	talk_add_up(&t);
	talk_close(&t);
}

/* A box said no, the listener said yes. */
static void refused__listener_answers_after_all__was_a_box(void **state)
{
	static const struct segment scene[] = { { 0, A, 0, 0, 0, TCP_SYN },
						{ 5, B, 0, 0, 1, TCP_RST | TCP_ACK, .shut = true, .ttl = 60 },
						{ 10, B, 0, 0, 1, TCP_SYN | TCP_ACK },
						{ 10.1, A, 1, 0, 1 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_flow(&t)->state, FLOW_ESTABLISHED);
	assert_true(talk_flow(&t)->flags & FLOW_RESET_BY_BOX);
	talk_close(&t);
}

static void ports__used_again__make_a_flow_of_their_own(void **state)
{
	static const struct segment first[] = { OPEN_10MS, { 20, A, 1, 0, 1, TCP_FIN | TCP_ACK }, { 30, B, 1, 0, 2, TCP_FIN | TCP_ACK }, { 31, A, 2, 0, 2 } };
	static const struct segment second[] = { { 500, A, 0, 0, 0, TCP_SYN }, { 510, B, 0, 0, 1, TCP_SYN | TCP_ACK }, { 511, A, 1, 0, 1 } };
	struct endpoint a, b;
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, first, ARRAY_SIZE(first));
	assert_int_equal(talk_flow(&t)->state, FLOW_CLOSED);
	t.isn[A] += 5000000;
	t.isn[B] += 7000000;
	talk_play(&t, second, ARRAY_SIZE(second));
	assert_int_equal(flows_count(t.flows), 2);
	assert_int_equal(flows_at(t.flows, 0)->state, FLOW_CLOSED);
	assert_int_equal(flows_at(t.flows, 0)->number, 1);
	assert_int_equal(flows_at(t.flows, 1)->state, FLOW_ESTABLISHED);
	assert_int_equal(flows_at(t.flows, 1)->number, 2);
	assert_true(flows_at(t.flows, 1)->flags & FLOW_PORT_REUSE);
	assert_int_equal(t.event[EVENT_PORT_REUSE].since_us, 469000);
	a = (struct endpoint){ talk_address(&t, A), 40000 };
	b = (struct endpoint){ talk_address(&t, B), 80 };
	assert_ptr_equal(flows_find(t.flows, PROTOCOL_TCP, &a, &b), flows_at(t.flows, 1));
	assert_ptr_equal(flows_find(t.flows, PROTOCOL_TCP, &b, &a), flows_at(t.flows, 1));
	assert_null(flows_find(t.flows, PROTOCOL_UDP, &a, &b));
	talk_add_up(&t);
	talk_close(&t);
}

/* RFC 5961 §4, as RULES 14 describes it. */
static void challenge__syn_meets_an_older_connection(void **state)
{
	static const struct segment after[] = { { 1000, A, 0, 0, 0, TCP_SYN },
						{ 1010, B, 5001, 0, 90001, TCP_ACK },
						{ 1011, A, 90001, 0, 0, TCP_RST },
						{ 2000, A, 0, 0, 0, TCP_SYN },
						{ 2010, B, 0, 0, 1, TCP_SYN | TCP_ACK },
						{ 2011, A, 1, 0, 1 },
						{ 2012, A, 1, 100, 1 },
						{ 2022, B, 1, 0, 101 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, after, ARRAY_SIZE(after));
	assert_int_equal(talk_flow(&t)->state, FLOW_ESTABLISHED);
	assert_true(talk_flow(&t)->flags & FLOW_CHALLENGED);
	assert_int_equal(t.counted[EVENT_CHALLENGE_ACK], 1);
	assert_int_equal(t.counted[EVENT_REFUSED], 0);
	assert_int_equal(talk_side(&t, A)->resets, 1);
	assert_int_equal(talk_side(&t, A)->syn_retries, 1);
	assert_int_equal(talk_side(&t, B)->acked_unseen, 0);
	talk_expect(&t, A, &(struct tally){ .again = 1 });
	talk_close(&t);
}

static void open__both_at_once_and_split__is_one_connection(void **state)
{
	static const struct segment split[] = { { 0, A, 0, 0, 0, TCP_SYN },	       { 1, B, 0, 0, 0, TCP_SYN },
						{ 2, A, 0, 0, 1, TCP_SYN | TCP_ACK }, { 3, B, 1, 0, 1 },
						{ 4, A, 1, 4, 1 },		       { 5, B, 1, 0, 5 } };
	static const struct segment at_once[] = { { 0, A, 0, 0, 0, TCP_SYN },
						  { 1, B, 0, 0, 0, TCP_SYN },
						  { 11, A, 0, 0, 1, TCP_SYN | TCP_ACK },
						  { 12, B, 0, 0, 1, TCP_SYN | TCP_ACK },
						  { 21, A, 1, 4, 1 },
						  { 31, B, 1, 0, 5 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, split, ARRAY_SIZE(split));
	assert_int_equal(flows_count(t.flows), 1);
	assert_int_equal(talk_flow(&t)->state, FLOW_ESTABLISHED);
	assert_true(talk_flow(&t)->flags & FLOW_BOTH_SYN);
	talk_expect(&t, A, &(struct tally){ 0 });
	/* The answer once more is a repetition. */
	talk_send(&t, &(struct segment){ 1002, A, 0, 0, 1, TCP_SYN | TCP_ACK });
	talk_expect(&t, A, &(struct tally){ .again = 1 });
	talk_close(&t);
	talk_open(&t);
	talk_play(&t, at_once, ARRAY_SIZE(at_once));
	assert_int_equal(flows_count(t.flows), 1);
	assert_int_equal(talk_flow(&t)->state, FLOW_ESTABLISHED);
	assert_true(talk_flow(&t)->flags & FLOW_BOTH_SYN);
	talk_expect(&t, A, &(struct tally){ 0 });
	talk_expect(&t, B, &(struct tally){ 0 });
	talk_close(&t);
}

/* B resets after a request of A; what differs is how the RST looks. */
#define TALKED OPEN_10MS, { 20, A, 1, 100, 1 }, { 30, B, 1, 500, 101 }, { 31, A, 101, 0, 501 }, { 50, A, 101, 100, 501 }, { 60, B, 501, 0, 201 }
#define ORIGIN (FLOW_RESET_BY_BOX | FLOW_RESET_ALIEN_TTL | FLOW_RESET_ALIEN_ID | FLOW_RESET_NO_TIMESTAMP)

static const struct {
	const char *what;
	uint32_t origin;
	struct segment rst;
} resets[] = {
	{ "by the peer's program", 0, { 70, B, 501, 0, 201, TCP_RST | TCP_ACK } },
	{ "by the peer's kernel, which knows no such connection", FLOW_RESET_NO_TIMESTAMP, { 70, B, 501, 0, 0, TCP_RST, .no_id = true, .no_timestamp = true } },
	{ "by a firewall one hop nearer (nft reject)",
	  FLOW_RESET_BY_BOX | FLOW_RESET_ALIEN_TTL | FLOW_RESET_NO_TIMESTAMP,
	  { 70, B, 501, 0, 0, TCP_RST, .no_id = true, .no_timestamp = true, .ttl = 58 } },
	{ "by an injector elsewhere",
	  FLOW_RESET_BY_BOX | FLOW_RESET_ALIEN_TTL | FLOW_RESET_NO_TIMESTAMP,
	  { 70, B, 501, 0, 201, TCP_RST | TCP_ACK, .id = 0x1234, .no_timestamp = true, .ttl = 49, .cut_df = true } },
	{ "by a box as far away as the peer",
	  FLOW_RESET_BY_BOX | FLOW_RESET_ALIEN_ID | FLOW_RESET_NO_TIMESTAMP,
	  { 70, B, 501, 0, 201, TCP_RST | TCP_ACK, .no_id = true, .no_timestamp = true, .cut_df = true } },
	{ "by the peer over another path of nearly the same length", 0, { 70, B, 501, 0, 201, TCP_RST | TCP_ACK, .ttl = 56 } },
};

static void reset__how_it_looks__tells_who_sent_it(void **state)
{
	static const struct segment talked[] = { TALKED };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(resets); i++) {
		struct talk t;

		print_message("%s\n", resets[i].what);
		talk_open(&t);
		talk_play(&t, talked, ARRAY_SIZE(talked));
		talk_play(&t, &resets[i].rst, 1);
		assert_int_equal(talk_flow(&t)->flags & ORIGIN, resets[i].origin);
		assert_int_equal(talk_flow(&t)->state, FLOW_RESET);
		assert_int_equal(talk_flow(&t)->resetter, 1);
		assert_int_equal(talk_flow(&t)->closer, 1);
		assert_true(talk_flow(&t)->flags & FLOW_RESET_UNREAD);
		assert_true(talk_flow(&t)->flags & FLOW_CRASHED);
		assert_int_equal(talk_side(&t, B)->ttl_max, 57);
		talk_add_up(&t);
		talk_close(&t);
	}
}

static void reset__side_never_heard__leaves_its_ttl_unjudged(void **state)
{
	static const struct segment scene[] = { { 0, A, 1, 100, 1 }, { 10, B, 1, 0, 101, TCP_RST | TCP_ACK, .ttl = 30 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_flow(&t)->state, FLOW_RESET);
	assert_int_equal(talk_flow(&t)->flags & ORIGIN, FLOW_RESET_NO_TIMESTAMP & 0);
	assert_int_equal(talk_side(&t, B)->ttl_reset, 30);
	talk_close(&t);
}

/* An RST outside of the window ends nothing: whoever gets it ignores it. */
static void reset__out_of_window__ends_nothing(void **state)
{
	static const struct segment scene[] = { TALKED, { 70, B, 900000000, 0, 0, TCP_RST }, { 80, A, 201, 100, 501 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_flow(&t)->state, FLOW_ESTABLISHED);
	assert_int_equal(t.counted[EVENT_RESET], 1);
	talk_add_up(&t);
	talk_close(&t);
}

static void reset__after_its_own_fin__is_a_way_to_close(void **state)
{
	static const struct segment soon[] = { OPEN_10MS,
					       { 20, A, 1, 100, 1 },
					       { 30, B, 1, 500, 101 },
					       { 40, A, 101, 0, 501, TCP_FIN | TCP_ACK },
					       { 50, B, 501, 500, 101 },
					       { 60, A, 102, 0, 0, TCP_RST } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, soon, ARRAY_SIZE(soon));
	assert_true(talk_flow(&t)->flags & FLOW_RESET_AFTER_FIN);
	/* B's data crossed the FIN, and was answered by RST. */
	assert_true(talk_flow(&t)->flags & FLOW_RACE);
	assert_int_equal(talk_flow(&t)->closer, 0);
	assert_int_equal(talk_flow(&t)->close_idle_ms, 10);
	talk_close(&t);

	talk_open(&t);
	talk_play(&t, soon, 6);
	talk_send(&t, &(struct segment){ 1060, A, 102, 0, 0, TCP_RST });
	assert_false(talk_flow(&t)->flags & (FLOW_RESET_AFTER_FIN | FLOW_RACE));
	talk_close(&t);
}

static void half_close__other_side_goes_on__is_no_race(void **state)
{
	static const struct segment scene[] = { OPEN_10MS,
						{ 20, A, 1, 100, 1 },
						{ 30, B, 1, 0, 101 },
						{ 31, A, 101, 0, 1, TCP_FIN | TCP_ACK },
						{ 41, B, 1, 500, 102 },
						{ 42, A, 102, 0, 501 },
						{ 43, B, 501, 0, 102, TCP_FIN | TCP_ACK },
						{ 44, A, 102, 0, 502 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_flow(&t)->state, FLOW_CLOSED);
	assert_int_equal(talk_flow(&t)->flags & (FLOW_RACE | FLOW_CRASHED), 0);
	assert_int_equal(talk_side(&t, A)->fins, 1);
	assert_false(flow_is_open(talk_flow(&t)));
	talk_expect(&t, A, &(struct tally){ 0 });
	talk_close(&t);
}

static void silence__survived_or_not__is_measured(void **state)
{
	static const struct segment survived[] = { OPEN_10MS, { 20, A, 1, 100, 1 }, { 30, B, 1, 0, 101 }, { 40030, A, 101, 100, 1 }, { 40040, B, 1, 0, 201 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, survived, ARRAY_SIZE(survived));
	assert_int_equal(talk_flow(&t)->idle_max_ms, 40000);
	assert_int_equal(talk_flow(&t)->idle_last_ms, 0);
	/* The next one was too long. */
	talk_send(&t, &(struct segment){ 100040, A, 201, 100, 1 });
	talk_send(&t, &(struct segment){ 100050, B, 1, 0, 201, TCP_RST });
	assert_int_equal(talk_flow(&t)->idle_max_ms, 40000);
	assert_int_equal(talk_flow(&t)->idle_last_ms, 60000);
	assert_int_equal(t.counted[EVENT_IDLE_RESET], 1);
	assert_int_equal(t.event[EVENT_IDLE_RESET].since_us, 60000000);
	talk_add_up(&t);
	talk_close(&t);

	/* The answer is repeated into silence before it comes: nobody survived that long a time in between. */
	talk_open(&t);
	talk_play(&t, survived, ARRAY_SIZE(survived));
	talk_send(&t, &(struct segment){ 100040, A, 201, 100, 1 });
	talk_send(&t, &(struct segment){ 103040, A, 201, 100, 1 });
	talk_send(&t, &(struct segment){ 103050, B, 1, 0, 201, TCP_RST });
	assert_int_equal(talk_flow(&t)->idle_last_ms, 60000);
	talk_close(&t);

	/* 29 s are no idle time. */
	talk_open(&t);
	talk_play(&t, survived, 5);
	talk_send(&t, &(struct segment){ 29020, A, 101, 100, 1 });
	talk_send(&t, &(struct segment){ 29030, B, 1, 0, 101, TCP_RST });
	assert_int_equal(t.counted[EVENT_IDLE_RESET], 0);
	talk_close(&t);
}

static void crash__request_unanswered__is_told_from_an_answered_one(void **state)
{
	static const struct segment silent[] = { OPEN_10MS, { 20, A, 1, 100, 1 }, { 240, A, 1, 100, 1 }, { 680, A, 1, 100, 1 } };
	static const struct segment answered[] = { OPEN_10MS, { 20, A, 1, 100, 1 }, { 30, B, 1, 500, 101 }, { 31, A, 101, 0, 501 }, { 40, B, 501, 0, 101, TCP_RST | TCP_ACK } };
	uint64_t hash;
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, silent, ARRAY_SIZE(silent));
	assert_true(talk_flow(&t)->flags & FLOW_CRASHED);
	hash = talk_flow(&t)->request_hash;
	assert_true(hash);
	talk_close(&t);

	talk_open(&t);
	t.port[A]++;
	talk_play(&t, answered, ARRAY_SIZE(answered));
	assert_false(talk_flow(&t)->flags & (FLOW_CRASHED | FLOW_RESET_UNREAD));
	assert_true(talk_flow(&t)->request_hash == hash);
	talk_close(&t);

	/* Another request, and one too short to be told from others. */
	talk_open(&t);
	t.payload[63] = 'y';
	talk_play(&t, answered, ARRAY_SIZE(answered));
	assert_true(talk_flow(&t)->request_hash != hash && talk_flow(&t)->request_hash);
	talk_close(&t);
	talk_open(&t);
	talk_play(&t, (const struct segment[]){ OPEN_10MS, { 20, A, 1, 63, 1 }, { 21, A, 64, 100, 1 } }, 5);
	assert_int_equal(talk_flow(&t)->request_hash, 0);
	talk_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshake__complete__is_established_and_measured),
		cmocka_unit_test(handshake__syn_ack_first__knows_who_began),
		cmocka_unit_test(syn__unanswered__is_repeated_into_silence),
		cmocka_unit_test(syn_ack__repeated__gives_no_round_trip),
		cmocka_unit_test(refused__rst_answers_the_syn__and_nothing_else_does),
		cmocka_unit_test(refused__listener_answers_after_all__was_a_box),
		cmocka_unit_test(ports__used_again__make_a_flow_of_their_own),
		cmocka_unit_test(challenge__syn_meets_an_older_connection),
		cmocka_unit_test(open__both_at_once_and_split__is_one_connection),
		cmocka_unit_test(reset__how_it_looks__tells_who_sent_it),
		cmocka_unit_test(reset__side_never_heard__leaves_its_ttl_unjudged),
		cmocka_unit_test(reset__out_of_window__ends_nothing),
		cmocka_unit_test(reset__after_its_own_fin__is_a_way_to_close),
		cmocka_unit_test(half_close__other_side_goes_on__is_no_race),
		cmocka_unit_test(silence__survived_or_not__is_measured),
		cmocka_unit_test(crash__request_unanswered__is_told_from_an_answered_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

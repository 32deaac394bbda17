/* SPDX-License-Identifier: MIT */
/* Windows that shut, open and fill; probes, keepalives and their answers; small writes that wait for a delayed acknowledgement. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "segments.h"

/* B's window shuts at 30 ms; A probes as Linux does: nothing, just below what was acknowledged. */
#define SHUT { 20, A, 1, 1000, 1 }, { 30, B, 1, 0, 1001, .shut = true }

static void window__shut_for_good__counts_until_last_seen(void **state)
{
	static const struct segment scene[] = { OPEN_10MS,
						SHUT,
						{ 230, A, 1000, 0, 1 },
						{ 240, B, 1, 0, 1001, .shut = true },
						{ 640, A, 1000, 0, 1 },
						{ 650, B, 1, 0, 1001, .shut = true } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_true(talk_side(&t, B)->window_shut);
	assert_int_equal(talk_side(&t, B)->zero_windows, 3);
	assert_int_equal(talk_side(&t, B)->zero_window_ms, 620);
	assert_int_equal(talk_side(&t, B)->duplicate_acks, 0);
	assert_int_equal(talk_side(&t, A)->probes, 2);
	assert_int_equal(talk_side(&t, A)->keepalives, 0);
	assert_int_equal(t.event[EVENT_ZERO_WINDOW].since_us, 620000);
	assert_int_equal(t.event[EVENT_ZERO_WINDOW_PROBE].since_us, 610000);
	talk_expect(&t, A, &(struct tally){ 0 });
	/* Interim numbers do not stop it. */
	talk_send(&t, &(struct segment){ 1030, B, 1, 0, 1001 });
	flows_end(t.flows);
	assert_false(talk_side(&t, B)->window_shut);
	assert_int_equal(talk_side(&t, B)->zero_window_ms, 1000);
	assert_int_equal(t.event[EVENT_WINDOW_OPEN].since_us, 1000000);
	talk_close(&t);
}

/* Other stacks offer one new byte again and again; once there is room it is sent with the rest, and nothing of it is a repetition. */
static void window__probed_with_a_byte__is_no_retransmission(void **state)
{
	static const struct segment refused[] = { OPEN_10MS,
						  SHUT,
						  { 230, A, 1001, 1, 1 },
						  { 240, B, 1, 0, 1001, .shut = true },
						  { 640, A, 1001, 1, 1 },
						  { 650, B, 1, 0, 1001, .shut = true },
						  { 700, B, 1, 0, 1001 },
						  { 701, A, 1001, 1000, 1 },
						  { 711, B, 1, 0, 2001 } };
	static const struct segment taken[] = { OPEN_10MS, SHUT, { 230, A, 1001, 1, 1 }, { 240, B, 1, 0, 1002, .shut = true }, { 700, B, 1, 0, 1002 },
						{ 701, A, 1002, 1000, 1 }, { 711, B, 1, 0, 2002 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, refused, ARRAY_SIZE(refused));
	assert_int_equal(talk_side(&t, A)->probes, 2);
	assert_int_equal(talk_side(&t, B)->acked_unseen, 0);
	talk_expect(&t, A, &(struct tally){ 0 });
	talk_close(&t);
	talk_open(&t);
	talk_play(&t, taken, ARRAY_SIZE(taken));
	assert_int_equal(talk_side(&t, A)->probes, 1);
	assert_int_equal(talk_side(&t, B)->acked_unseen, 0);
	talk_expect(&t, A, &(struct tally){ 0 });
	talk_close(&t);
}

/* What is on its way when the window shuts is turned down: its answers are no duplicate ACKs. */
static void window__shut_with_data_on_its_way__is_no_loss_signal(void **state)
{
	static const struct segment scene[] = { OPEN_10MS,
						{ 20, A, 1, 1000, 1 },
						{ 20.1, A, 1001, 1000, 1 },
						{ 20.2, A, 2001, 1000, 1 },
						{ 30, B, 1, 0, 1001, .shut = true },
						{ 30.1, B, 1, 0, 1001, .shut = true },
						{ 30.2, B, 1, 0, 1001, .shut = true },
						{ 30.3, B, 1, 0, 1001, .shut = true } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_side(&t, B)->duplicate_acks, 0);
	assert_int_equal(talk_side(&t, B)->zero_windows, 4);
	talk_close(&t);
}

static void window__zero_on_syn_fin_or_rst__is_not_shut(void **state)
{
	static const struct segment scene[] = { { 0, A, 0, 0, 0, TCP_SYN, .shut = true },
						{ 10, B, 0, 0, 1, TCP_SYN | TCP_ACK, .shut = true },
						{ 11, A, 1, 0, 1 },
						{ 20, A, 1, 0, 1, TCP_FIN | TCP_ACK, .shut = true },
						{ 30, B, 1, 0, 2, TCP_RST | TCP_ACK, .shut = true } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_side(&t, A)->zero_windows, 0);
	assert_int_equal(talk_side(&t, B)->zero_windows, 0);
	talk_add_up(&t);
	talk_close(&t);
}

/* 500 << 7 bytes of room. */
static void window__filled_to_the_byte__only_where_scaling_is_known(void **state)
{
	static const struct segment scene[] = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 30, B, 1, 0, 1001 }, { 31, A, 1001, 63000, 1 }, { 32, A, 64001, 1000, 1 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_side(&t, A)->window_fulls, 1);
	assert_int_equal(t.event[EVENT_WINDOW_FULL].seq, 64001);
	talk_close(&t);

	talk_open(&t);
	talk_play(&t, scene + 3, ARRAY_SIZE(scene) - 3);
	assert_int_equal(talk_side(&t, A)->window_fulls, 0);
	/* Unscaled, 500 bytes would be full: nobody knows. */
	talk_send(&t, &(struct segment){ 40, B, 1, 0, 65001 });
	talk_send(&t, &(struct segment){ 41, A, 65001, 500, 1 });
	assert_int_equal(talk_side(&t, A)->window_fulls, 0);
	talk_add_up(&t);
	talk_close(&t);
}

static void window__without_scaling__is_taken_as_it_is(void **state)
{
	static const struct segment scene[] = { OPEN_10MS, { 20, A, 1, 400, 1 }, { 30, B, 1, 0, 401, .window = 300 }, { 31, A, 401, 300, 1 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	t.wscale[B] = -1;
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_true(talk_side(&t, A)->has & SIDE_HAS_WSCALE);
	assert_int_equal(talk_side(&t, A)->wscale, 0);
	assert_int_equal(talk_side(&t, B)->wscale, 0);
	assert_int_equal(talk_side(&t, A)->window_fulls, 1);
	talk_close(&t);
}

static void wscale__beyond_14__counts_as_14(void **state)
{
	static const struct segment scene[] = { OPEN_10MS };
	struct talk t;

	(void)state;
	talk_open(&t);
	t.wscale[B] = 200;
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_side(&t, A)->wscale, 7);
	assert_int_equal(talk_side(&t, B)->wscale, 14);
	talk_close(&t);
}

/* Linux sends none, others one old byte. Every one is answered, none is a duplicate ACK or a retransmission. */
static void keepalive__with_and_without_a_byte__is_answered(void **state)
{
	static const struct segment scene[] = { OPEN_10MS,
						{ 20, A, 1, 100, 1 },
						{ 30, B, 1, 0, 101 },
						{ 5030, A, 100, 0, 1 },
						{ 5040, B, 1, 0, 101 },
						{ 10030, A, 100, 1, 1 },
						{ 10040, B, 1, 0, 101 },
						{ 15030, A, 100, 0, 1 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	assert_int_equal(talk_side(&t, A)->keepalives, 3);
	assert_int_equal(talk_side(&t, A)->keepalive_acks, 2);
	assert_int_equal(talk_side(&t, A)->probes, 0);
	assert_int_equal(talk_side(&t, B)->duplicate_acks, 0);
	assert_int_equal(t.event[EVENT_KEEPALIVE].nth, 3);
	talk_expect(&t, A, &(struct tally){ 0 });
	talk_close(&t);
}

/* One byte that comes again is a keepalive only when it was acknowledged and everybody was silent. */
static void keepalive__single_byte_look_alikes__are_retransmissions(void **state)
{
	static const struct segment unacked[] = { OPEN_10MS, { 20, A, 1, 1, 1 }, { 1240, A, 1, 1, 1 }, { 1250, B, 1, 0, 2 } };
	static const struct segment acked[] = { OPEN_10MS, { 20, A, 1, 1, 1 }, { 230, B, 1, 0, 2 }, { 240, A, 1, 1, 1 } };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, unacked, ARRAY_SIZE(unacked));
	assert_int_equal(talk_side(&t, A)->keepalives, 0);
	talk_expect(&t, A, &(struct tally){ .again = 1, .timeouts = 1 });
	talk_close(&t);
	talk_open(&t);
	talk_play(&t, acked, ARRAY_SIZE(acked));
	assert_int_equal(talk_side(&t, A)->keepalives, 0);
	talk_expect(&t, A, &(struct tally){ .again = 1, .timeouts = 1, .spurious = 1 });
	talk_close(&t);
}

/* @first: writes, @gap_ms later acknowledged, @then_ms later written again. */
static const struct delay {
	const char *what;
	double rtt_ms, gap_ms, then_ms;
	uint32_t first, reply;
	unsigned stalls, cycles;
} delays[] = {
	{ "Linux delays 40 ms", 1, 41, 0.1, 4, 0, 5, 5 },
	{ "others 200", 1, 200, 0.1, 4, 0, 5, 5 },
	{ "a wait between the timers", 1, 60, 0.1, 4, 0, 0, 10 },
	{ "the second write comes later than the ACK", 1, 41, 5, 4, 0, 0, 10 },
	{ "the path is that long", 41, 41.5, 0.1, 4, 0, 0, 10 },
	{ "the acknowledgement came with the answer", 1, 41, 0.1, 4, 50, 0, 10 },
	{ "a full segment waits for nobody", 1, 41, 0.1, 1460, 0, 0, 5 },
};

static void nagle__small_writes__stall_behind_delayed_acks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
		const struct delay *d = &delays[i];
		double at = 100;
		uint32_t sent = 1, got = 1;
		struct talk t;

		print_message("%s\n", d->what);
		talk_open(&t);
		t.timestamps = false;
		talk_send(&t, &(struct segment){ 0, A, 0, 0, 0, TCP_SYN });
		talk_send(&t, &(struct segment){ d->rtt_ms, B, 0, 0, 1, TCP_SYN | TCP_ACK });
		talk_send(&t, &(struct segment){ d->rtt_ms, A, 1, 0, 1 });
		for (unsigned round = 0; round < 5; round++, at += 1000) {
			talk_send(&t, &(struct segment){ at, A, sent, d->first, got });
			sent += d->first;
			talk_send(&t, &(struct segment){ at + d->gap_ms, B, got, d->reply, sent });
			got += d->reply;
			talk_send(&t, &(struct segment){ at + d->gap_ms + d->then_ms, A, sent, 16, got });
			sent += 16;
			talk_send(&t, &(struct segment){ at + d->gap_ms + d->then_ms + d->rtt_ms, B, got, 20, sent });
			got += 20;
		}
		assert_int_equal(talk_side(&t, A)->nagle_stalls, d->stalls);
		assert_int_equal(talk_side(&t, A)->nagle_cycles, d->cycles);
		if (d->stalls) {
			assert_int_equal(talk_side(&t, A)->nagle_ms_min, (int)d->gap_ms);
			assert_int_equal(talk_side(&t, A)->nagle_ms_max, (int)d->gap_ms);
		}
		talk_expect(&t, A, &(struct tally){ 0 });
		talk_close(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window__shut_for_good__counts_until_last_seen),
		cmocka_unit_test(window__probed_with_a_byte__is_no_retransmission),
		cmocka_unit_test(window__shut_with_data_on_its_way__is_no_loss_signal),
		cmocka_unit_test(window__zero_on_syn_fin_or_rst__is_not_shut),
		cmocka_unit_test(window__filled_to_the_byte__only_where_scaling_is_known),
		cmocka_unit_test(window__without_scaling__is_taken_as_it_is),
		cmocka_unit_test(wscale__beyond_14__counts_as_14),
		cmocka_unit_test(keepalive__with_and_without_a_byte__is_answered),
		cmocka_unit_test(keepalive__single_byte_look_alikes__are_retransmissions),
		cmocka_unit_test(nagle__small_writes__stall_behind_delayed_acks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* cmd/probe_loop.c with a machine that is told what to say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "cmd/probe_loop.h"
#include "cmd/session.h"
#include "tcptriage/base/clock.h"

#define SENDS_MAX 64

/* struct script - wants @sends probes sent, then waits for @wanted outcomes from a pipe; @stopped: it was told to stop. @wait_us: how long it wants to wait. */
struct script {
	unsigned sends, sent, wanted, taken, steps, stops;
	int64_t wait_us, sent_us[SENDS_MAX];
	int pipe[2];
	struct probe_pace pace;
};

static enum probe_step step(void *machine, int64_t now_us, int64_t *wake_us)
{
	struct script *script = machine;

	script->steps++;
	if (script->stops || (script->sent == script->sends && script->taken >= script->wanted))
		return STEP_DONE;
	if (script->sent < script->sends) {
		assert_true(script->sent < SENDS_MAX);
		script->sent_us[script->sent++] = now_us;
		assert_int_equal(write(script->pipe[1], "x", 1), 1);
		return STEP_SEND;
	}
	*wake_us = now_us + script->wait_us;
	return STEP_WAIT;
}

static bool take(void *machine, int64_t now_us)
{
	struct script *script = machine;
	struct pollfd fd = { .fd = script->pipe[0], .events = POLLIN };
	char byte;

	(void)now_us;
	if (poll(&fd, 1, 0) != 1 || read(script->pipe[0], &byte, 1) != 1)
		return false;
	script->taken++;
	return true;
}

static unsigned fds(const void *machine, struct pollfd fds[PROBE_LOOP_FDS])
{
	const struct script *script = machine;

	fds[0] = (struct pollfd){ .fd = script->pipe[0], .events = POLLIN };
	return 1;
}

static void stop(void *machine, int64_t now_us)
{
	struct script *script = machine;

	(void)now_us;
	script->stops++;
}

static const struct probe_machine ops = { .step = step, .take = take, .fds = fds, .stop = stop };

static int64_t run(struct script *script, int64_t patience_us)
{
	int64_t began_us = clock_mono_us();

	assert_int_equal(pipe(script->pipe), 0);
	probe_loop_run(&ops, script, &script->pace, began_us + patience_us, false);
	close(script->pipe[0]);
	close(script->pipe[1]);
	return clock_mono_us() - began_us;
}

static void loop__answers_come__ends_without_waiting(void **state)
{
	struct script script = { .sends = 5, .wanted = 5, .wait_us = 60000000 };

	(void)state;
	assert_true(run(&script, 60000000) < 5000000);
	assert_int_equal(script.taken, 5);
	assert_int_equal(script.stops, 0);
}

static void loop__silence__is_stopped_once_at_the_deadline(void **state)
{
	struct script script = { .sends = 1, .wanted = 2, .wait_us = 60000000 };
	int64_t took_us = run(&script, 300000);

	(void)state;
	assert_true(took_us >= 300000 && took_us < 5000000);
	assert_int_equal(script.stops, 1);
	assert_int_equal(script.taken, 1);
	/* it slept: a wait is cut into pieces for the progress line, not into nothing */
	assert_in_range(script.steps, 2, 20);
}

static void loop__short_waits__are_kept(void **state)
{
	struct script script = { .sends = 1, .wanted = 2, .wait_us = 50000 };

	(void)state;
	run(&script, 400000);
	assert_in_range(script.steps, 5, 12);
}

static void loop__interrupt__stops_it(void **state)
{
	struct script script = { .sends = 1, .wanted = 2, .wait_us = 60000000 };

	(void)state;
	interrupted = 2;
	assert_true(run(&script, 60000000) < 5000000);
	interrupted = 0;
	assert_int_equal(script.stops, 1);
}

/* Whatever left before counts: a machine does not begin with an allowance of its own. */
static void loop__more_than_fifty__spread_over_seconds_with_what_left_before(void **state)
{
	struct script script = { .sends = 60, .wanted = 60, .wait_us = 60000000 };
	int64_t before_us = clock_mono_us();

	(void)state;
	for (unsigned i = 0; i < 30; i++)
		probe_pace_sent(&script.pace, before_us);
	run(&script, 60000000);
	assert_int_equal(script.taken, 60);
	assert_true(script.sent_us[19] - before_us < 500000);
	assert_true(script.sent_us[20] - before_us > 1000000);
	for (unsigned i = 50; i < 60; i++)
		assert_true(script.sent_us[i] - script.sent_us[i - 50] > 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loop__answers_come__ends_without_waiting),
		cmocka_unit_test(loop__silence__is_stopped_once_at_the_deadline),
		cmocka_unit_test(loop__short_waits__are_kept),
		cmocka_unit_test(loop__interrupt__stops_it),
		cmocka_unit_test(loop__more_than_fifty__spread_over_seconds_with_what_left_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

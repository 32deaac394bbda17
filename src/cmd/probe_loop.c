/* SPDX-License-Identifier: MIT */
/* One loop for every machine that decides which probe comes next. */
#include "probe_loop.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "session.h"
#include "tcptriage/base/clock.h"

#define PROGRESS_EVERY_US 200000
/* Outcomes that are taken before the machine is asked again: a flood of them must not hold it. */
#define OUTCOMES_A_TURN 64
/* A descriptor that is ready without telling anything is looked at again no sooner than after this. */
#define IDLE_READY_MS 2
#define LINE_COLUMNS 79

/* struct loop - one run. @columns: of the terminal. @shown_us: when the line was written last. @stopped: the machine was told to. */
struct loop {
	const struct probe_machine *ops;
	void *machine;
	int64_t deadline_us, shown_us;
	unsigned columns;
	bool show, shown, stopped;
};

static unsigned terminal_columns(void)
{
	struct winsize size;

	return !ioctl(STDERR_FILENO, TIOCGWINSZ, &size) && size.ws_col > 1 ? size.ws_col - 1u : LINE_COLUMNS;
}

/* Bytes of UTF-8 @text that fill @columns at most: a line that wraps could not be taken away again. */
static int fitting(const char *text, unsigned columns)
{
	const char *at = text;

	for (; *at; at++) {
		bool begins = ((unsigned char)*at & 0xc0) != 0x80;

		if (begins && !columns--)
			break;
	}
	return (int)(at - text);
}

static void show_progress(struct loop *loop, int64_t now_us)
{
	CLEANUP(out_close) struct out line = { 0 };
	const char *text;

	if (!loop->show || now_us - loop->shown_us < PROGRESS_EVERY_US)
		return;
	out_open_mem(&line);
	loop->ops->progress(loop->machine, &line);
	text = out_text(&line);
	fprintf(stderr, "\r%.*s\033[K", fitting(text, loop->columns), text);
	loop->shown_us = now_us;
	loop->shown = true;
}

/* Return: something was handed in. */
static bool take_outcomes(struct loop *loop, int64_t now_us)
{
	unsigned taken = 0;

	while (taken < OUTCOMES_A_TURN && loop->ops->take(loop->machine, now_us))
		taken++;
	return taken;
}

static int timeout_ms(int64_t from_us, int64_t until_us)
{
	return until_us <= from_us ? 0 : (int)MIN((until_us - from_us + 999) / 1000, PROGRESS_EVERY_US / 1000);
}

/* @deaf: a descriptor was ready and told nothing the last time. Return: one is ready. */
static bool wait_for(struct loop *loop, int64_t now_us, int64_t wake_us, bool deaf)
{
	struct pollfd fds[PROBE_LOOP_FDS];
	unsigned count = loop->ops->fds(loop->machine, fds);

	if (deaf)
		poll(NULL, 0, MIN(timeout_ms(now_us, wake_us), IDLE_READY_MS));
	return poll(fds, count, deaf ? 0 : timeout_ms(now_us, MIN(wake_us, loop->deadline_us))) > 0;
}

/* Asks the machine, as soon as what it may want sent may leave. */
static enum probe_step ask(const struct loop *loop, struct probe_pace *pace, int64_t now_us, int64_t *wake_us)
{
	int64_t when_us = probe_pace_when(pace);
	enum probe_step step;

	if (when_us > now_us && !loop->stopped) {
		*wake_us = when_us;
		return STEP_WAIT;
	}
	step = loop->ops->step(loop->machine, now_us, wake_us);
	if (step == STEP_SEND)
		probe_pace_sent(pace, now_us);
	return step;
}

bool probe_loop_run(const struct probe_machine *ops, void *machine, struct probe_pace *pace, int64_t deadline_us, bool show)
{
	struct loop loop = { .ops = ops, .machine = machine, .deadline_us = deadline_us, .columns = terminal_columns(), .show = show, .shown_us = clock_mono_us() };
	bool ready = false;

	for (;;) {
		int64_t now = clock_mono_us(), wake = now;
		bool heard = take_outcomes(&loop, now);
		enum probe_step step;

		if (!loop.stopped && (interrupted || now >= deadline_us)) {
			ops->stop(machine, now);
			loop.stopped = true;
			loop.deadline_us = INT64_MAX;
		}
		step = ask(&loop, pace, now, &wake);
		if (step == STEP_DONE)
			break;
		show_progress(&loop, now);
		if (step == STEP_WAIT)
			ready = wait_for(&loop, now, wake, ready && !heard);
	}
	if (loop.shown)
		fputs("\r\033[K", stderr);
	return !loop.stopped;
}

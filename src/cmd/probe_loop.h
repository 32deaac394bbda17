/* SPDX-License-Identifier: MIT */
/* Drives a machine of track/ (mtu_search.h, path_trace.h, reverse_search.h): sends what it asks for, waits, hands in what comes, until it is done. */
#ifndef TCPTRIAGE_SRC_CMD_PROBE_LOOP_H
#define TCPTRIAGE_SRC_CMD_PROBE_LOOP_H

#include <poll.h>

#include "probe_pace.h"
#include "tcptriage/base/out.h"
#include "tcptriage/model/probe.h"

/** Descriptors of one machine at most. */
#define PROBE_LOOP_FDS 4

/**
 * struct probe_machine - a machine with its senders, behind one pointer.
 * @step: ask it; what it wants sent is sent. @take: hand in one outcome that is there; false when there is none. @fds: descriptors to wait for; returns their
 * number. @stop: time is up. @progress: one line of what is known.
 */
struct probe_machine {
	enum probe_step (*step)(void *machine, int64_t now_us, int64_t *wake_us);
	bool (*take)(void *machine, int64_t now_us);
	unsigned (*fds)(const void *machine, struct pollfd fds[PROBE_LOOP_FDS]);
	void (*stop)(void *machine, int64_t now_us);
	void (*progress)(const void *machine, struct out *out);
};

/**
 * probe_loop_run() - until it is done; stopped at CLOCK_MONOTONIC @deadline_us and by `interrupted`. @pace: what left before, whoever sent it; while it allows no more the machine is not
 * asked. @show: a line of progress on stderr, gone in the end. Return: false when it was stopped.
 */
bool probe_loop_run(const struct probe_machine *ops, void *machine, struct probe_pace *pace, int64_t deadline_us, bool show);

#endif

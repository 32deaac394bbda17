/* SPDX-License-Identifier: MIT */
/* Fast looks in the time between two samples. They take what is free of it and never move the next sample. */
#include "sampler.h"

/* Shorter than the shortest delayed ACK by far, and longer than a few dozen questions take. */
#define STEP_US 5000
#define LOOKS 60

static void look_at(struct sampler *sampler, struct source_ns *ns, struct burst *burst)
{
	_Alignas(8) uint8_t answer[SOURCE_SOCKET_BYTES];
	struct sock sock = burst->candidate->last.sock;

	if (source_socket_info(ns, &sock, answer, sizeof(answer))) {
		burst->gone = true;
		return;
	}
	triage_look(burst, &sock, clock_mono_us());
	sampler->fast_looks++;
}

static void look_around(struct sampler *sampler)
{
	int64_t began = clock_mono_us();
	struct burst *burst;

	for (unsigned n = 0; n < sampler->session->ns_count; n++) {
		for (size_t i = 0; (burst = snapshot_burst(&sampler->snaps[n], i)); i++) {
			if (!burst->gone)
				look_at(sampler, sampler->session->ns[n], burst);
		}
	}
	sampler->read_us += clock_mono_us() - began;
}

void sampler_look_fast(struct sampler *sampler, int64_t until_us)
{
	int64_t began = clock_mono_us();

	for (unsigned n = 0; n < sampler->session->ns_count; n++)
		triage_fast(&sampler->snaps[n], sampler->triage, &sampler->fast_room);
	if (sampler->fast_room == SNAPSHOT_BURSTS)
		return;
	for (int64_t at = began; at < began + LOOKS * STEP_US && !interrupted; at += STEP_US) {
		clock_sleep_until(at);
		if (clock_mono_us() + STEP_US > until_us)
			return;
		look_around(sampler);
	}
}

/* SPDX-License-Identifier: MIT */
/* What tests of the search for a path MTU share: a path, the search along it, and what it found. Include after cmocka.h. */
#ifndef SUPPORT_MTU_SCENE_H
#define SUPPORT_MTU_SCENE_H

#include "fake_path.h"

#define SECOND_US 1000000

/* One path, the search along it, and what that found. */
struct scene {
	struct fake_path *path;
	struct mtu_search_options options;
	struct mtu_search *search;
	const struct mtu_path *found;
};

static inline struct scene scene(enum addr_family family, unsigned routers, uint64_t seed)
{
	struct scene s = { .path = fake_path_new(family, routers, seed) };

	s.options = fake_path_options(s.path);
	return s;
}

/* Three routers, four hops; the way out of the second is narrow. */
static inline struct scene narrow(uint32_t mtu, enum fake_ptb ptb)
{
	struct scene s = scene(ADDR_V4, 3, mtu);

	s.path->nodes[2].mtu = mtu;
	s.path->nodes[2].ptb = ptb;
	return s;
}

static inline void run_until(struct scene *s, int64_t stop_us)
{
	s->search = fake_path_run(s->path, &s->options, stop_us);
	s->found = mtu_search_path(s->search);
	if (s->path->fault)
		fail_msg("the search broke a promise: %s", s->path->fault);
	assert_int_equal(s->found->probes_sent, s->path->sent);
}

static inline void run(struct scene *s)
{
	run_until(s, 0);
}

static inline void end(struct scene *s)
{
	mtu_search_free(s->search);
	free(s->path);
	*s = (struct scene){ 0 };
}

static inline void assert_exact(const struct scene *s, enum mtu_finding finding, uint32_t mtu)
{
	assert_int_equal(s->found->finding, finding);
	assert_int_equal(s->found->path_mtu, mtu);
	assert_int_equal(s->found->bound, BOUND_EXACT);
	assert_int_equal(s->found->smallest_lost, finding == MTU_FITS ? 0 : mtu + 1);
	assert_false(s->found->partial);
	assert_false(s->found->lossy);
}

static inline void assert_place(const struct scene *s, enum shrink_place place, unsigned ttl, unsigned before)
{
	assert_int_equal(s->found->place, place);
	assert_int_equal(s->found->shrink_ttl, ttl);
	assert_int_equal(s->found->shrink_before, before);
}

static inline void limit_host(struct scene *s)
{
	s->options.method = PROBE_UDP;
	s->options.side_method = -1;
	s->options.answers_burst = 6;
	s->options.answers_per_s = 1;
	s->path->limit = (struct fake_limit){ .burst = 6, .per_s = 1 };
}

static inline const struct path_told *told_of(const struct scene *s, uint32_t mtu)
{
	for (size_t i = 0; i < s->found->told_count; i++) {
		if (s->found->told[i].mtu == mtu)
			return &s->found->told[i];
	}
	fail_msg("nobody told %u", mtu);
	return NULL;
}

static inline void report(const char *what, const struct scene *s)
{
	print_message("%-44s %3u probes, %2u rounds, %6.3f s\n", what, s->found->probes_sent, s->found->rounds, (double)s->found->elapsed_us / 1e6);
}

#endif

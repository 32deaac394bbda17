/* SPDX-License-Identifier: MIT */
/* Every packet of every scene at each captured length: what a snaplen cuts away may be missed, but nothing is ever made up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tcptriage/base/file.h"
#include "tcptriage/decode/packet.h"
#include "tcptriage/track/flows.h"

#include <fcntl.h>

#define SCENES_MAX 512
#define BUNDLE_MAX (64 << 20)
#define NAME_BYTES 32
/* More than any scene has; small, for a table is made anew for each length. */
#define FLOWS 64
/* Headers with all wrappings end before this, and so do the first bytes of a request; beyond it every 37th length is looked at. */
#define HEADERS_END 300
#define STRIDE_BEYOND 37

/* struct scene - frames of one scene; bytes stand in the bundle. */
static struct scene {
	char name[NAME_BYTES + 1];
	struct frame *frames;
	size_t count;
	uint32_t longest;
} scenes[SCENES_MAX];
static size_t scene_count;

/* struct key - what tells flows apart, whichever side was seen first. */
struct key {
	struct endpoint low, high;
	uint32_t tunnel_id;
	uint16_t vlan;
	uint8_t protocol, tunnel_kind;
};

static unsigned failures;

/* Says what is wrong and goes on: one scene must not hide the others. A scene is left at its first failure. */
static bool wrong(const char *format, ...) PRINTF_LIKE(1, 2);
static bool wrong(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	failures++;
	return false;
}

static uint64_t take(const char **at, unsigned bytes)
{
	uint64_t value = 0;

	memcpy(&value, *at, bytes);
	*at += bytes;
	return value;
}

static void load_scene(struct scene *scene, const char **at)
{
	uint32_t link;

	memcpy(scene->name, *at, NAME_BYTES);
	*at += NAME_BYTES;
	link = (uint32_t)take(at, 4);
	scene->count = take(at, 4);
	scene->frames = xcalloc(scene->count, sizeof(*scene->frames));
	for (size_t i = 0; i < scene->count; i++) {
		struct frame *frame = &scene->frames[i];

		frame->time_ns = (int64_t)take(at, 8) + 1700000000LL * 1000000000;
		frame->captured = (uint32_t)take(at, 4);
		frame->wire = (uint32_t)take(at, 4);
		frame->bytes = (const uint8_t *)*at;
		frame->number = i + 1;
		frame->link_type = link;
		scene->longest = MAX(scene->longest, frame->captured);
		*at += frame->captured;
	}
}

static void load(const char *path)
{
	static struct out bundle;
	const char *at;

	out_open_mem(&bundle);
	if (file_slurp_at(AT_FDCWD, path, &bundle, BUNDLE_MAX)) {
		fprintf(stderr, "%s cannot be read\n", path);
		exit(1);
	}
	for (at = bundle.base; at < bundle.at; scene_count++) {
		BUG_ON(scene_count == SCENES_MAX);
		load_scene(&scenes[scene_count], &at);
	}
}

/* The bytes are copied, so that a sanitizer sees each step beyond what was captured. */
static struct frame cut_frame(const struct frame *whole, uint32_t length, uint8_t *copy)
{
	struct frame frame = *whole;

	frame.captured = MIN(whole->captured, length);
	memcpy(copy, whole->bytes, frame.captured);
	frame.bytes = copy;
	return frame;
}

static struct key key_of(const struct flow *flow)
{
	const struct endpoint *a = &flow->end[0], *b = &flow->end[1];
	int order = addr_compare(&a->addr, &b->addr);
	bool swap = order ? order > 0 : a->port > b->port;
	struct key key;

	memset(&key, 0, sizeof(key));
	key.low = swap ? *b : *a;
	key.high = swap ? *a : *b;
	key.tunnel_id = flow->tunnel_id;
	key.vlan = flow->vlan;
	key.protocol = flow->protocol;
	key.tunnel_kind = flow->tunnel_kind;
	return key;
}

static bool key_equal(const struct key *a, const struct key *b)
{
	return endpoint_equal(&a->low, &b->low) && endpoint_equal(&a->high, &b->high) && a->tunnel_id == b->tunnel_id && a->vlan == b->vlan &&
	       a->protocol == b->protocol && a->tunnel_kind == b->tunnel_kind;
}

/* What may become of a packet when its capture ends earlier: nothing but "truncated", or what it was. */
static bool may_become(enum decode_status whole, enum decode_status cut)
{
	return cut == whole || cut == DECODE_TRUNCATED || (whole == DECODE_MALFORMED && cut == DECODE_OK) ||
	       (whole == DECODE_TRUNCATED && cut == DECODE_OK);
}

/* Folds the scene with each packet cut at @length into @flows. @whole: statuses of the uncut packets, filled when @fill. Return: is all well? */
static bool fold(struct flows *flows, const struct scene *scene, uint32_t length, uint8_t *whole, bool fill)
{
	static struct packet packet;

	for (size_t i = 0; i < scene->count; i++) {
		uint32_t captured = MIN(scene->frames[i].captured, length);
		AUTO_FREE uint8_t *copy = xmalloc(captured ? captured : 1);
		struct frame frame = cut_frame(&scene->frames[i], length, copy);
		enum decode_status status = packet_decode(&frame, &(struct decode_options){ .checksums = true }, &packet);

		if (fill)
			whole[i] = status;
		else if (!may_become(whole[i], status))
			return wrong("%s: packet %zu is %s, cut at %u it is %s", scene->name, i + 1, decode_status_name(whole[i]), length,
				     decode_status_name(status));
		flows_add(flows, &packet);
	}
	flows_end(flows);
	return true;
}

static bool is_known(const struct scene *scene, uint32_t length, const struct flow *flow, const struct key *keys, size_t count)
{
	struct key key = key_of(flow);

	for (size_t i = 0; i < count; i++) {
		if (key_equal(&key, &keys[i]))
			return true;
	}
	return wrong("%s: cut at %u there is a flow of protocol %u, ports %u and %u, that was never there", scene->name, length, flow->protocol,
		     flow->end[0].port, flow->end[1].port);
}

/* Packets of flows and of none add up: those of flows cannot be more than there are. */
static bool adds_up(const struct scene *scene, uint32_t length, const struct flows *flows)
{
	const struct capture_totals *totals = flows_totals(flows);
	uint64_t counted = 0, statuses = 0;

	for (size_t i = 0; i < flows_count(flows); i++)
		counted += (uint64_t)flows_at(flows, i)->side[0].packets + flows_at(flows, i)->side[1].packets;
	for (unsigned status = 0; status < DECODE_STATUS_COUNT; status++)
		statuses += totals->status[status];
	if (totals->packets == scene->count && statuses == scene->count && counted <= scene->count)
		return true;
	return wrong("%s: cut at %u: %zu packets, %llu counted, %llu by outcome, %llu in flows", scene->name, length, scene->count,
		     (unsigned long long)totals->packets, (unsigned long long)statuses, (unsigned long long)counted);
}

static struct flows *table(void)
{
	return flows_new(&(struct flows_options){ .max_flows = FLOWS });
}

/* One captured length of one scene. Return: no flow is new, and all is counted. */
static bool try_length(const struct scene *scene, uint32_t length, uint8_t *whole, const struct key *keys, size_t count)
{
	CLEANUP(flows_free_ptr) struct flows *flows = table();

	if (!fold(flows, scene, length, whole, false))
		return false;
	for (size_t i = 0; i < flows_count(flows); i++) {
		if (!is_known(scene, length, flows_at(flows, i), keys, count))
			return false;
	}
	return adds_up(scene, length, flows);
}

static void sweep(const struct scene *scene)
{
	CLEANUP(flows_free_ptr) struct flows *flows = table();
	AUTO_FREE uint8_t *whole = xcalloc(scene->count, 1);
	struct key keys[FLOWS];
	size_t count;

	fold(flows, scene, UINT32_MAX, whole, true);
	count = flows_count(flows);
	assert_true(count <= FLOWS);
	for (size_t i = 0; i < count; i++)
		keys[i] = key_of(flows_at(flows, i));
	for (uint32_t length = 0; length <= scene->longest; length += length < HEADERS_END ? 1 : STRIDE_BEYOND) {
		if (!try_length(scene, length, whole, keys, count))
			return;
	}
}

static void packets__cut_at_each_length__never_make_another_flow(void **state)
{
	(void)state;
	assert_true(scene_count > 100);
	failures = 0;
	for (size_t i = 0; i < scene_count; i++)
		sweep(&scenes[i]);
	assert_int_equal(failures, 0);
}

static void packets__whole__make_flows(void **state)
{
	size_t flows_seen = 0;

	(void)state;
	failures = 0;
	for (size_t i = 0; i < scene_count; i++) {
		CLEANUP(flows_free_ptr) struct flows *flows = table();
		AUTO_FREE uint8_t *whole = xcalloc(scenes[i].count, 1);

		fold(flows, &scenes[i], UINT32_MAX, whole, true);
		flows_seen += flows_count(flows);
		adds_up(&scenes[i], UINT32_MAX, flows);
	}
	assert_int_equal(failures, 0);
	assert_true(flows_seen > scene_count);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets__whole__make_flows),
		cmocka_unit_test(packets__cut_at_each_length__never_make_another_flow),
	};

	if (argc < 2) {
		fprintf(stderr, "usage: test_sweep BUNDLE\n");
		return 2;
	}
	load(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

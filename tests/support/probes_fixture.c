/* SPDX-License-Identifier: MIT */
/* Made-up results of probes for one rule. */
#include "probes_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define HOPS 4
#define TRIES 3

static struct addr address(const char *text)
{
	struct addr addr = { 0 };

	assert_true(addr_parse(text, &addr));
	return addr;
}

static struct addr router(const struct addr *target, unsigned ttl)
{
	char text[32];

	snprintf(text, sizeof(text), target->family == ADDR_V4 ? "10.9.%u.1" : "fd00:%u::1", ttl);
	return address(text);
}

/* Three routers and the host. */
static void set_hops(struct path_hop *hops, size_t *count, const struct addr *target, uint8_t last)
{
	for (unsigned ttl = 1; ttl <= HOPS; ttl++)
		hops[ttl - 1] = (struct path_hop){ .address = ttl < HOPS ? router(target, ttl) : *target, .rtt_us = 1000 * ttl, .ttl = (uint8_t)ttl,
						   .reply = ttl < HOPS ? REPLY_EXPIRED : last, .tries = 1 };
	*count = HOPS;
}

static void set_route(struct route *route, const struct addr *target)
{
	bool v4 = target->family == ADDR_V4;

	*route = (struct route){ .destination = *target, .gateway = router(target, 1), .source = address(v4 ? "10.9.1.2" : "fd00:1::2"), .ifindex = 2,
				 .has = ROUTE_HAS_DEVICE | ROUTE_HAS_GATEWAY | ROUTE_HAS_SOURCE | ROUTE_HAS_LINK, .link_mtu = 1500, .carrier = true, .device = "eth0" };
}

static void add_size(struct mtu_path *path, uint32_t size, enum size_fate fate)
{
	path->sizes[path->size_count++] = (struct path_size){ .size = size, .fate = (uint8_t)fate, .tries = TRIES };
}

void probing_mtu(struct probing *p, const char *rule, const char *to, uint16_t port)
{
	struct mtu_path *path = &p->mtu.path;

	*p = (struct probing){ .rule = rule };
	p->mtu = (struct mtu_result){ .name = "a\033[1m{peer}%s\n", .address = address(to), .port = port, .first = -1 };
	set_route(&p->mtu.route, &p->mtu.address);
	set_hops(path->hops, &path->hop_count, &p->mtu.address, REPLY_ARRIVED);
	path->method = PROBE_ICMP;
	path->finding = MTU_FITS;
	path->bound = BOUND_EXACT;
	path->path_mtu = 1500;
	path->told_by = -1;
	path->probes_sent = 40;
	path->controls_sent = 20;
	path->rounds = 4;
	path->elapsed_us = 800000;
	path->rtt_us = 4000;
	add_size(path, 1200, SIZE_PASSED);
	add_size(path, 1500, SIZE_PASSED);
}

void probing_hole(struct probing *p, uint32_t passes, unsigned ttl)
{
	struct mtu_path *path = &p->mtu.path;

	path->finding = MTU_BLACK_HOLE_FOUND;
	path->path_mtu = passes;
	path->smallest_lost = passes + 1;
	path->size_count = 0;
	add_size(path, passes, SIZE_PASSED);
	add_size(path, passes + 1, SIZE_LOST);
	add_size(path, 1500, SIZE_LOST);
	path->place = ttl ? SHRINK_AT : SHRINK_HERE;
	path->shrink_ttl = (uint8_t)ttl;
	path->shrink_address = ttl ? router(&p->mtu.address, ttl) : (struct addr){ .family = p->mtu.address.family };
	for (unsigned i = 0; i < HOPS; i++) {
		path->hops[i].large_sent = true;
		path->hops[i].large = i < ttl ? REPLY_EXPIRED : REPLY_NONE;
	}
}

struct path_told *probing_told(struct probing *p, const char *from, uint32_t mtu, enum told_kind kind)
{
	struct mtu_path *path = &p->mtu.path;
	struct path_told *told = &path->told[path->told_count];

	*told = (struct path_told){ .mtu = mtu, .count = 1, .kind = (uint8_t)kind };
	if (from)
		told->from = address(from);
	path->told_by = (int)path->told_count++;
	return told;
}

void probing_trace(struct probing *p, const char *rule, const char *to, uint16_t port)
{
	struct trace_path *path = &p->trace.path;

	*p = (struct probing){ .rule = rule, .tracing = true };
	p->trace = (struct trace_result){ .name = "a\033[1m{peer}%s\n", .address = address(to), .port = port };
	set_route(&p->trace.route, &p->trace.address);
	set_hops(path->hops, &path->hop_count, &p->trace.address, REPLY_OPEN);
	path->finding = TRACE_OPEN;
	path->by = p->trace.address;
	path->host_ttl = HOPS;
	path->dies_after = HOPS - 1;
	path->probes_sent = 4;
	path->elapsed_us = 20000;
	path->rtt_us = 4000;
	path->side_method = PROBE_UDP;
}

void probing_ends(struct probing *p, enum trace_finding finding, unsigned after)
{
	struct trace_path *path = &p->trace.path;

	path->finding = (uint8_t)finding;
	path->dies_after = (uint8_t)after;
	path->by = (struct addr){ .family = p->trace.address.family };
	path->host_ttl = 0;
	path->probes_sent = 20;
	path->rtt_us = -1;
	for (unsigned i = after; i < HOPS; i++)
		path->hops[i] = (struct path_hop){ .ttl = (uint8_t)(i + 1), .rtt_us = -1, .reply = REPLY_NONE, .tries = TRIES };
}

void probing_by(struct probing *p, const char *by, uint8_t type, uint8_t code)
{
	p->trace.path.by = address(by);
	p->trace.path.is_icmp = type;
	p->trace.path.icmp_type = type;
	p->trace.path.icmp_code = code;
	p->trace.path.rtt_us = 3000;
}

void probing_side(struct probing *p, unsigned reach)
{
	struct trace_path *path = &p->trace.path;

	set_hops(path->side, &path->side_count, &p->trace.address, REPLY_ARRIVED);
	for (unsigned i = reach; i < HOPS; i++)
		path->side[i] = (struct path_hop){ .ttl = (uint8_t)(i + 1), .rtt_us = -1, .reply = REPLY_NONE };
	if (reach == HOPS)
		path->host_ttl = HOPS;
}

void probing_close(struct probing *p)
{
	arena_free(&p->arena);
}

static void make_commands(const struct finding *finding)
{
	struct finding there = *finding;
	unsigned made = 0;
	struct out out;

	for (size_t i = 0; finding->next[i]; i++) {
		out_open_mem(&out);
		made += finding_command(&out, finding, finding->next[i]);
		there.scope.netns_at = "web";
		finding_command(&out, &there, finding->next[i]);
		assert_null(strchr(out_text(&out), '{'));
		out_close(&out);
	}
	assert_true(made > 0);
}

void probing_judge(struct probing *p)
{
	const char *const only[] = { p->rule, NULL };
	const struct triage_options options = { .only = only };
	const struct probe_evidence probes = { .mtu = p->tracing ? NULL : &p->mtu, .trace = p->tracing ? &p->trace : NULL };
	const struct view view = { .probes = &probes, .arena = &p->arena };

	assert_true(!p->rule || triage_rule_find(p->rule));
	p->verdict = (struct verdict){ .arena = &p->arena };
	triage_run(&view, p->rule ? &options : NULL, &p->verdict);
	triage_rank(&p->verdict);
	for (size_t i = 0; i < p->verdict.finding_count; i++) {
		assert_true(!p->rule || !strcmp(p->verdict.findings[i]->rule, p->rule));
		expect_filled(p->verdict.findings[i]);
		make_commands(p->verdict.findings[i]);
	}
}

void probing_expect_silence(const struct probing *p)
{
	if (p->verdict.finding_count)
		fail_msg("%s: %s", p->verdict.findings[0]->rule, p->verdict.findings[0]->title);
}

const struct finding *probing_expect_one(const struct probing *p, enum severity severity)
{
	assert_int_equal(p->verdict.finding_count, 1);
	assert_int_equal(p->verdict.findings[0]->severity, severity);
	return p->verdict.findings[0];
}

void probing_expect_part_skipped(const struct probing *p, const char *words)
{
	for (size_t i = 0; i < p->verdict.skipped_count; i++) {
		if (p->verdict.skipped[i].partial && strstr(p->verdict.skipped[i].reason, words))
			return;
	}
	fail_msg("nothing was skipped because of '%s'", words);
}

void probing_expect_list(const struct finding *finding, const char *const *list, const char *words)
{
	bool found = false;
	struct out out;

	out_open_mem(&out);
	for (; *list; list++) {
		finding_expand(&out, finding, *list);
		out_char(&out, '\n');
	}
	found = strstr(out_text(&out), words) != NULL;
	if (!found)
		print_error("'%s' is not in:\n%s", words, out_text(&out));
	out_close(&out);
	assert_true(found);
}

/* SPDX-License-Identifier: MIT */
/* A made-up namespace for one rule. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tcptriage/base/num.h"
#include "tcptriage/track/descriptors.h"

#define FIRST_INODE 1000
#define INFO_LEN 280

void fixture_open(struct fixture *f, const char *rule)
{
	*f = (struct fixture){ .info_len = INFO_LEN, .rule = { rule }, .fast_room = SNAPSHOT_BURSTS };
	f->fake = xcalloc(FIXTURE_SOCKS, sizeof(*f->fake));
	triage_watch(&f->snap);
	fixture_sysctl(f, SYSCTL_PORT_LO, 32768);
	fixture_sysctl(f, SYSCTL_PORT_HI, 60999);
	fixture_sysctl(f, SYSCTL_TCP_SYN_RETRIES, 6);
	fixture_sysctl(f, SYSCTL_TCP_SYN_LINEAR_TIMEOUTS, 4);
	fixture_sysctl(f, SYSCTL_TCP_FIN_TIMEOUT_S, 60);
	fixture_sysctl(f, SYSCTL_TCP_RTO_MAX_MS, 120000);
	fixture_sysctl(f, SYSCTL_TCP_TIMESTAMPS, 1);
	fixture_sysctl(f, SYSCTL_TCP_TW_REUSE, 2);
	fixture_sysctl(f, SYSCTL_TCP_MAX_TW_BUCKETS, 262144);
	fixture_sysctl(f, SYSCTL_SOMAXCONN, 4096);
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		fixture_count(f, i, 100);
}

void fixture_close(struct fixture *f)
{
	snapshot_free(&f->snap);
	arena_free(&f->arena);
	free(f->fake);
}

static struct endpoint endpoint_of(const char *text)
{
	const char *colon = strrchr(text, ':');
	struct endpoint e = { .addr = addr_v4(0) };
	char addr[64] = "";
	uint64_t port = 0;

	assert_non_null(colon);
	memcpy(addr, text, (size_t)(colon - text));
	if (strcmp(addr, "*"))
		assert_true(addr_parse(addr, &e.addr));
	if (strcmp(colon, ":*"))
		assert_true(num_u64(colon + 1, UINT16_MAX, &port));
	e.port = (uint16_t)port;
	return e;
}

struct fake *fixture_sock(struct fixture *f, enum sock_state state, const char *local,
			  const char *peer)
{
	struct fake *fake = arena_alloc(&f->arena, sizeof(*fake));

	assert_true(f->count < FIXTURE_SOCKS);
	fake->sock = (struct sock){
		.local = endpoint_of(local),
		.peer = endpoint_of(peer),
		.state = (uint8_t)state,
		.inode = state == SOCK_STATE_TIME_WAIT ? 0 : FIRST_INODE + (uint32_t)f->count,
		.cookie = f->count + 1,
		.has = SOCK_HAS_COOKIE,
		.info = { fake->info, state == SOCK_STATE_TIME_WAIT ? 0 : f->info_len },
	};
	fake->sock.family = fake->sock.local.addr.family;
	f->fake[f->count++] = fake;
	return fake;
}

struct fake *fixture_udp(struct fixture *f, const char *local, const char *peer)
{
	struct fake *fake = fixture_sock(f, SOCK_STATE_ESTAB, local, peer);

	fake->sock.netid = NETID_UDP;
	fake->sock.state = fake->sock.peer.port ? SOCK_STATE_ESTAB : SOCK_STATE_UNCONN;
	fake->sock.info.len = 0;
	fake->sock.has |= SOCK_HAS_SKMEM;
	return fake;
}

struct process *fixture_process(struct fixture *f, uint32_t pid, const char *comm)
{
	struct process *process = arena_alloc(&f->arena, sizeof(*process));

	*process = (struct process){
		.pid = pid, .comm = comm, .cgroup = "", .unit = "", .container = "", .run_state = 'S'
	};
	return process;
}

struct descriptor_user *fixture_user(struct fixture *f, struct process *process, uint32_t fds, uint64_t nofile)
{
	struct descriptor_user *user = &f->users[f->use.count];

	assert_true(f->use.count < FIXTURE_USERS);
	process->fds = fds;
	process->nofile = nofile;
	*user = (struct descriptor_user){ .process = *process, .listed = true };
	f->use.at = f->users;
	f->use.count++;
	f->has_use = true;
	return user;
}

/* Inodes rise in the order in which the sockets were made. */
static void find_sockets(struct fixture *f, struct descriptor_user *user)
{
	uint32_t *inodes = arena_alloc(&f->arena, (f->count + 1) * sizeof(*inodes));

	user->inodes = inodes;
	for (size_t i = 0; i < f->count; i++) {
		const struct fake *fake = f->fake[i];

		if (!fake->gone && fake->sock.inode && fake->owner && fake->owner->pid == user->process.pid)
			inodes[user->inode_count++] = fake->sock.inode;
	}
	user->process.sockets = MAX(user->process.sockets, (uint32_t)user->inode_count);
}

static void look_through(struct fixture *f)
{
	for (size_t i = 0; i < f->use.count; i++)
		find_sockets(f, &f->users[i]);
	for (size_t i = 0; i < f->count; i++) {
		if (!f->fake[i]->gone)
			descriptors_count(&f->use, &f->snap, &f->fake[i]->sock);
	}
}

void fake_set(struct fake *fake, enum tcpi_id id, uint64_t value)
{
	const struct tcpi_field *field = &tcpi_fields[id];
	uint8_t *at = fake->info + field->offset;
	uint32_t v32 = (uint32_t)value;
	uint16_t v16 = (uint16_t)value;

	if (field->bits == 64)
		memcpy(at, &value, 8);
	else if (field->bits == 32)
		memcpy(at, &v32, 4);
	else if (field->bits == 16)
		memcpy(at, &v16, 2);
	else
		*at |= (uint8_t)(value << field->shift);
	if (field->bits == 8)
		*at = (uint8_t)value;
}

void fixture_count(struct fixture *f, enum counter_id id, uint64_t value)
{
	f->counters.value[id] = value;
	f->counters.has[id] = true;
}

void fixture_sysctl(struct fixture *f, enum sysctl_id id, int64_t value)
{
	f->sysctls.value[id] = value;
	f->sysctls.has[id] = true;
}

static void feed(struct fixture *f, bool listeners)
{
	for (size_t i = 0; i < f->count; i++) {
		if (!f->fake[i]->gone && (f->fake[i]->sock.state == SOCK_STATE_LISTEN) == listeners)
			snapshot_add(&f->snap, &f->fake[i]->sock);
	}
}

void fixture_sample(struct fixture *f, double seconds)
{
	if (!f->snap.samples && !f->no_sysctls)
		snapshot_set_sysctls(&f->snap, &f->sysctls);
	f->now_us = 1000000000 + (int64_t)(seconds * 1e6);
	snapshot_begin(&f->snap, f->now_us);
	feed(f, true);
	feed(f, false);
	if (!f->no_counters)
		snapshot_add_counters(&f->snap, &f->counters);
	snapshot_end(&f->snap);
}

static const struct sock *asked_again(const struct fixture *f, const struct candidate *candidate)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->fake[i]->sock.cookie == candidate->key)
			return &f->fake[i]->sock;
	}
	return NULL;
}

void fixture_looks(struct fixture *f, double seconds, unsigned count, double step_ms,
		   void (*change)(struct fixture *f, double ms))
{
	const char *const only[] = { f->rule[0], NULL };
	struct triage_options options = { .only = only };
	struct burst *burst;

	triage_fast(&f->snap, &options, &f->fast_room);
	for (unsigned n = 0; n < count; n++) {
		if (change)
			change(f, n * step_ms);
		for (size_t i = 0; (burst = snapshot_burst(&f->snap, i)); i++)
			triage_look(burst, asked_again(f, burst->candidate),
				    1000000000 + (int64_t)(seconds * 1e6 + n * step_ms * 1e3));
	}
}

static const struct process *owner_of(const struct view *view, const struct sock *sock,
				      enum owner_unknown *reason)
{
	const struct fixture *f = view->context;
	const struct process *owner = NULL;

	if (sock->inode >= FIRST_INODE && sock->inode - FIRST_INODE < f->count)
		owner = f->fake[sock->inode - FIRST_INODE]->owner;
	*reason = owner ? OWNER_KNOWN : OWNER_NO_PERMISSION;
	return owner;
}

static const struct route *route_of(const struct view *view, const struct addr *destination)
{
	struct fixture *f = view->context;

	f->routes_asked++;
	for (size_t i = 0; i < f->route_count; i++) {
		if (addr_equal(&f->routes[i].destination, destination))
			return &f->routes[i];
	}
	return f->has_route ? &f->route : NULL;
}

static void expand_list(struct out *out, const struct finding *finding, const char *const *list)
{
	for (; list && *list; list++)
		finding_expand(out, finding, *list);
}

void expect_filled(const struct finding *finding)
{
	struct out out CLEANUP(out_close);

	assert_non_null(finding->threshold.name);
	assert_true(finding->count > 0);
	out_open_mem(&out);
	finding_expand(&out, finding, finding->title);
	finding_expand(&out, finding, finding->detail);
	expand_list(&out, finding, finding->against);
	expand_list(&out, finding, finding->causes);
	expand_list(&out, finding, finding->next);
	expand_list(&out, finding, finding->fixes);
	assert_null(strchr(out_text(&out), '{'));
}

void fixture_judge(struct fixture *f)
{
	const char *const only[] = { f->rule[0], NULL };
	struct triage_options options = { .only = only, .quick = f->quick };
	struct view view = {
		.snap = &f->snap,
		.owner_of = owner_of,
		.route_of = route_of,
		.network = f->network,
		.descriptors = f->has_use ? &f->use : NULL,
		.context = f,
		.window_us = snapshot_span_us(&f->snap),
		.boot_us = f->now_us,
		.platform = &f->platform,
		.arena = &f->arena,
	};

	assert_non_null(triage_rule_find(f->rule[0]));
	f->verdict = (struct verdict){ .arena = &f->arena };
	look_through(f);
	triage_run(&view, &options, &f->verdict);
	triage_rank(&f->verdict);
	for (size_t i = 0; i < f->verdict.finding_count; i++) {
		const struct finding *finding = f->verdict.findings[i];

		assert_string_equal(finding->rule, f->rule[0]);
		expect_filled(finding);
	}
}

void expect_silence(const struct fixture *f)
{
	for (size_t i = 0; i < f->verdict.skipped_count; i++)
		assert_true(f->verdict.skipped[i].partial);
	assert_int_equal(f->verdict.finding_count, 0);
}

const struct finding *expect_one(const struct fixture *f, enum severity severity)
{
	assert_int_equal(f->verdict.finding_count, 1);
	assert_string_equal(severity_name(f->verdict.findings[0]->severity), severity_name(severity));
	return f->verdict.findings[0];
}

static bool skipped(const struct fixture *f, const char *words, bool partial)
{
	for (size_t i = 0; i < f->verdict.skipped_count; i++) {
		if (f->verdict.skipped[i].partial == partial &&
		    strstr(f->verdict.skipped[i].reason, words))
			return true;
	}
	return false;
}

void expect_skipped(const struct fixture *f, const char *words)
{
	assert_true(skipped(f, words, false));
	assert_int_equal(f->verdict.finding_count, 0);
}

void expect_part_skipped(const struct fixture *f, const char *words)
{
	assert_true(skipped(f, words, true));
}

double evidence_of(const struct finding *finding, const char *name)
{
	const struct evidence *e = finding_evidence(finding, name);

	assert_non_null(e);
	return e->value;
}

static bool expands_to(const struct finding *finding, const char *template, const char *words)
{
	struct out out CLEANUP(out_close);

	out_open_mem(&out);
	finding_expand(&out, finding, template);
	return strstr(out_text(&out), words);
}

void expect_text(const struct finding *finding, const char *template, const char *words)
{
	if (!expands_to(finding, template, words))
		fail_msg("\"%s\" does not say \"%s\"", template, words);
}

void expect_against(const struct finding *finding, const char *words)
{
	for (size_t i = 0; finding->against[i]; i++) {
		if (expands_to(finding, finding->against[i], words))
			return;
	}
	fail_msg("nothing against it says \"%s\"", words);
}

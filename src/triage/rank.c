/* SPDX-License-Identifier: MIT */
/* Order among findings (RULES §6): identity, score, which one explains which, worst first. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kit.h"

#define EXCLUSIVE_MARGIN 0.15
#define FOLD_CONFIDENCE 0.5
#define SCORE_MAX 100.0

/* Impact of a severity: from @low for a small share of what is affected to @high for all of it. */
static const struct impact {
	double low, high;
} impacts[SEVERITY_COUNT] = {
	[SEVERITY_INFO] = { 5, 20 },
	[SEVERITY_WARNING] = { 40, 70 },
	[SEVERITY_CRITICAL] = { 80, 100 },
};

static double score_of(const struct finding *f)
{
	const struct impact *i = &impacts[f->severity];
	double impact = i->low + MIN(MAX(f->share, 0), 1) * (i->high - i->low);

	return MIN(impact * f->confidence * f->growth * f->scope_factor, SCORE_MAX);
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
	return text ? hash_bytes(hash, text, strlen(text)) : hash_mix(hash, 0);
}

static uint64_t mix_endpoint(uint64_t hash, bool has, const struct endpoint *e)
{
	return has ? hash_mix(hash_bytes(hash, e->addr.bytes, sizeof(e->addr.bytes)), e->port) :
		     hash_mix(hash, 1);
}

/* The pid is left out: the same fault after a restart is the same finding. */
static uint64_t identity(const struct finding *f)
{
	uint64_t hash = mix_text(0, f->rule);

	hash = mix_text(hash, f->scope.comm);
	hash = mix_text(hash, f->scope.unit);
	hash = mix_text(hash, f->scope.container);
	hash = mix_text(hash, f->scope.netns);
	hash = mix_text(hash, f->scope.interface);
	hash = mix_endpoint(hash, f->scope.has_local, &f->scope.local);
	hash = mix_endpoint(hash, f->scope.has_peer, &f->scope.peer);
	return hash_mix(hash, f->scope.peer_bits);
}

static bool is_taken(const struct verdict *v, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (v->findings[i]->id == v->findings[index]->id)
			return true;
	}
	return false;
}

/* Workers of one name with one fault need the pid to be told apart, and what has no pid either its place among the others. */
static void part_twins(const struct verdict *v, size_t index)
{
	struct finding *f = v->findings[index];

	for (uint64_t by = f->scope.pid; is_taken(v, index); by = 1)
		f->id = hash_mix(f->id, by);
}

static bool same_netns(const struct finding *a, const struct finding *b)
{
	return !strcmp(a->scope.netns ? a->scope.netns : "", b->scope.netns ? b->scope.netns : "");
}

static bool match_host(const struct finding *a, const struct finding *b)
{
	return same_netns(a, b);
}

static bool match_process(const struct finding *a, const struct finding *b)
{
	return same_netns(a, b) && a->scope.pid && a->scope.pid == b->scope.pid;
}

static unsigned scope_bits(const struct scope *scope)
{
	return scope->peer_bits ? scope->peer_bits : scope->peer.addr.family == ADDR_V4 ? 32 : 128;
}

/* A cause without a peer concerns every peer, unless it is about the clients of one port. A symptom without one is wider than any one peer. */
static bool match_peer(const struct finding *a, const struct finding *b)
{
	if (!same_netns(a, b))
		return false;
	if (a->scope.has_peer && b->scope.has_peer)
		return addr_in_prefix(&a->scope.peer.addr, &b->scope.peer.addr,
				      MIN(scope_bits(&a->scope), scope_bits(&b->scope)));
	if (!a->scope.has_peer && a->scope.has_local)
		return b->scope.has_local && a->scope.local.port == b->scope.local.port;
	return !a->scope.has_peer;
}

/* What concerns the whole host is not explained by one peer. */
static bool match_known_peer(const struct finding *a, const struct finding *b)
{
	return a->scope.has_peer && b->scope.has_peer && match_peer(a, b);
}

static bool match_local(const struct finding *a, const struct finding *b)
{
	return same_netns(a, b) && a->scope.has_local && b->scope.has_local &&
	       addr_equal(&a->scope.local.addr, &b->scope.local.addr);
}

/* Both speak of the same listener: an address alone is shared by all that listen on any. */
static bool match_endpoint(const struct finding *a, const struct finding *b)
{
	return match_local(a, b) && a->scope.local.port == b->scope.local.port;
}

/* The cause is a listener on this host, the symptom a connection to it. */
static bool match_listener(const struct finding *a, const struct finding *b)
{
	if (!a->scope.has_local || !b->scope.has_peer || a->scope.local.port != b->scope.peer.port)
		return false;
	if (addr_is_any(&a->scope.local.addr))
		return same_netns(a, b) && addr_is_loopback(&b->scope.peer.addr);
	return addr_equal(&a->scope.local.addr, &b->scope.peer.addr);
}

static double number(const struct finding *f, const char *evidence)
{
	const struct evidence *e = finding_evidence(f, evidence);

	return e ? e->value : 0;
}

/* The reader that stands still is here: at the other end of the blocked connection, or in the sending process, which leaves the peer unread as well. */
static bool match_reader(const struct finding *a, const struct finding *b)
{
	return same_netns(a, b) && a->scope.pid &&
	       (a->scope.pid == number(b, "reader_pid") ||
		(a->scope.pid == b->scope.pid && number(b, "own_unread") > 0));
}

/* A relay: what it cannot pass on it stops reading. */
static bool match_relay(const struct finding *a, const struct finding *b)
{
	return match_process(a, b) && number(a, "behind") > 0 && !match_reader(b, a);
}

/* Destinations that have no more than a silent next hop in common: only the default gateway's silence concerns all others. */
static bool match_next_hop(const struct finding *a, const struct finding *b)
{
	return match_peer(a, b) && (a->scope.has_peer || number(a, "default_gateway") > 0);
}

/* Resets for lack of memory have a cause of their own. A table of a capture's resets says of each class how many there were. */
static bool match_resets(const struct finding *a, const struct finding *b)
{
	return same_netns(a, b) && !(number(b, "out_of_memory") > 0) && !finding_evidence(b, "reset_flows");
}

/* Nothing in the table of resets is of another class. */
static bool is_all_of(const struct finding *table, const char *class)
{
	return number(table, class) > 0 && number(table, class) == number(table, "reset_flows");
}

static bool match_idle_resets(const struct finding *a, const struct finding *b)
{
	return match_resets(a, b) || (same_netns(a, b) && is_all_of(b, "after_idle"));
}

/* Both are of one rule: the connections that something in between ended, and the table that counts them. */
static bool match_between(const struct finding *a, const struct finding *b)
{
	return same_netns(a, b) && !finding_evidence(a, "reset_flows") && is_all_of(b, "between");
}

/* Counters do not tell which attempts were refused by ICMP errors; packets do. */
static bool match_icmp(const struct finding *a, const struct finding *b)
{
	return same_netns(a, b) && (!b->scope.has_peer || (number(b, "by_icmp") > 0 && match_peer(a, b)));
}

/*
 * Packets of the symptom leave by the interface that takes too much. A network behind this host, other ports of a bridge, or one route, are nothing to all that leaves
 * there; and what a probe has seen to pass the first hop was not lost here.
 */
static bool match_device(const struct finding *a, const struct finding *b)
{
	return same_netns(a, b) && a->scope.interface && b->scope.interface && !strcmp(a->scope.interface, b->scope.interface) &&
	       number(a, "own_packets") > 0 && !(number(b, "hop") > 0);
}

typedef bool match_fn(const struct finding *a, const struct finding *b);

/* Cause, symptom, and what makes them one story. A symptom stands alone as long as the cause is less severe or less than likely. */
static const struct fold_row {
	const char *cause, *symptom;
	match_fn *match;
} fold_rows[] = {
	{ "cidr-overlap", "syn-local-stuck", match_known_peer },
	{ "cidr-overlap", "syn-sent-stall", match_known_peer },
	{ "cidr-overlap", "dead-peer-unacked", match_known_peer },
	{ "mtu-config-mismatch", "mtu-blackhole-send", match_device },
	{ "mtu-config-mismatch", "mtu-blackhole-recv", match_device },
	{ "syn-local-stuck", "syn-sent-stall", match_next_hop },
	{ "conntrack-full", "syn-sent-stall", match_host },
	{ "nat-pressure", "syn-sent-stall", match_peer },
	{ "ttl-exceeded", "syn-sent-stall", match_peer },
	{ "icmp-unreachable", "syn-sent-stall", match_peer },
	{ "accept-queue-overflow", "syn-sent-stall", match_listener },
	{ "accept-stuck", "syn-sent-stall", match_listener },
	{ "backlog-clipped", "syn-sent-stall", match_listener },
	{ "rp-filter-drop", "syn-recv-stall", match_host },
	{ "recvq-not-drained", "peer-zero-window", match_reader },
	{ "peer-zero-window", "recvq-not-drained", match_relay },
	{ "close-wait-leak", "ephemeral-port-exhaustion", match_peer },
	{ "estab-growth", "ephemeral-port-exhaustion", match_peer },
	{ "explicit-bind-waste", "ephemeral-port-exhaustion", match_local },
	{ "ephemeral-port-exhaustion", "time-wait-churn", match_peer },
	{ "tw-bucket-overflow", "time-wait-churn", match_host },
	{ "close-wait-leak", "fd-headroom", match_process },
	{ "estab-growth", "fd-headroom", match_process },
	{ "fd-headroom", "accept-queue-overflow", match_process },
	{ "mtu-blackhole-send", "retrans-high", match_known_peer },
	{ "mtu-blackhole-recv", "awaiting-response", match_peer },
	{ "mtu-blackhole-send", "pmtu-shrunk", match_peer },
	{ "mtu-blackhole-send", "mss-clamp-mismatch", match_known_peer },
	{ "pmtu-shrunk", "mss-clamp-mismatch", match_known_peer },
	{ "ttl-exceeded", "dead-peer-unacked", match_known_peer },
	{ "icmp-unreachable", "dead-peer-unacked", match_known_peer },
	{ "dead-peer-unacked", "retrans-high", match_known_peer },
	{ "accept-queue-overflow", "awaiting-response", match_listener },
	{ "accept-stuck", "awaiting-response", match_listener },
	{ "idle-no-keepalive", "rst-after-idle", match_peer },
	{ "rst-after-idle", "dead-peer-unacked", match_peer },
	/* its other connections lose so much that a long silence of one is loss as well */
	{ "retrans-high", "dead-peer-unacked", match_known_peer },
	{ "host-drop-path", "retrans-high", match_host },
	{ "host-drop-path", "udp-rcvbuf-drop", match_host },
	{ "icmp-unreachable", "connect-refused", match_icmp },
	{ "stale-tuple-challenge", "rst-breakdown", match_resets },
	{ "tcp-memory-orphans", "rst-breakdown", match_host },
	{ "rst-after-idle", "rst-breakdown", match_idle_resets },
	{ "rst-breakdown", "rst-breakdown", match_between },
	{ "fd-headroom", "accept-stuck", match_process },
	{ "accept-queue-overflow", "accept-stuck", match_endpoint },
	{ "accept-stuck", "accept-queue-overflow", match_endpoint }, /* where the few drops are the lesser evil */
	{ "accept-queue-overflow", "backlog-clipped", match_endpoint },
	{ "accept-stuck", "backlog-clipped", match_endpoint },
	{ "dead-peer-unacked", "closing-stuck", match_peer },
	{ "mtu-blackhole-send", "closing-stuck", match_peer },
	{ "peer-zero-window", "closing-stuck", match_peer },
	{ "dead-peer-unacked", "keepalive-failing", match_peer },
	{ "syn-flood", "syn-sent-stall", match_listener },
	{ "syn-flood", "backlog-clipped", match_endpoint },
};

/* A fault in how this host is set up that would do no harm by itself: it becomes critical when what it leads to is seen. */
static const struct fold_row raise_rows[] = {
	{ "cidr-overlap", "syn-local-stuck", match_known_peer },
	{ "cidr-overlap", "syn-sent-stall", match_known_peer },
	{ "mtu-config-mismatch", "mtu-blackhole-send", match_device },
	{ "mtu-config-mismatch", "mtu-blackhole-recv", match_device },
};

/* Two readings of the same facts: the surer one stands, within the margin both do. */
static const struct fold_row exclusive_rows[] = {
	{ "syn-flood", "syn-recv-stall", match_endpoint },
	{ "mtu-blackhole-send", "dead-peer-unacked", match_peer },
};

static bool descends(const struct finding *f, const struct finding *ancestor)
{
	for (; f; f = f->parent) {
		if (f == ancestor)
			return true;
	}
	return false;
}

static void adopt(struct finding *parent, struct finding *child)
{
	if (child->parent || descends(parent, child))
		return;
	child->parent = parent;
	parent->folded++;
}

static_assert(ARRAY_SIZE(fold_rows) + ARRAY_SIZE(exclusive_rows) <= 64, "a bit for every row");

/* Rows that name this rule as their cause, or as their symptom: a bit each. Most pairs of findings have no row in common. */
static uint64_t rows_of(const char *rule, bool as_cause)
{
	uint64_t rows = 0;

	for (size_t i = 0; i < ARRAY_SIZE(fold_rows); i++)
		rows |= (uint64_t)!strcmp(rule, as_cause ? fold_rows[i].cause : fold_rows[i].symptom) << i;
	for (size_t i = 0; i < ARRAY_SIZE(exclusive_rows); i++)
		rows |= (uint64_t)!strcmp(rule, as_cause ? exclusive_rows[i].cause : exclusive_rows[i].symptom)
			<< (ARRAY_SIZE(fold_rows) + i);
	return rows;
}

static void fold_pair(struct finding *a, struct finding *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(fold_rows); i++) {
		const struct fold_row *row = &fold_rows[i];

		if (!strcmp(a->rule, row->cause) && !strcmp(b->rule, row->symptom) &&
		    a->severity >= b->severity && a->confidence >= FOLD_CONFIDENCE &&
		    row->match(a, b))
			adopt(a, b);
	}
	for (size_t i = 0; i < ARRAY_SIZE(exclusive_rows); i++) {
		const struct fold_row *row = &exclusive_rows[i];

		if (strcmp(a->rule, row->cause) || strcmp(b->rule, row->symptom) || !row->match(a, b))
			continue;
		if (a->confidence > b->confidence + EXCLUSIVE_MARGIN)
			adopt(a, b);
		else if (b->confidence > a->confidence + EXCLUSIVE_MARGIN)
			adopt(b, a);
	}
}

static bool is_raised(const struct verdict *v, const struct finding *cause, const struct fold_row *row)
{
	for (size_t i = 0; i < v->finding_count; i++) {
		const struct finding *symptom = v->findings[i];

		if (!strcmp(symptom->rule, row->symptom) && symptom->severity > SEVERITY_INFO && symptom->confidence >= FOLD_CONFIDENCE && row->match(cause, symptom))
			return true;
	}
	return false;
}

static void raise_all(const struct verdict *v)
{
	for (size_t i = 0; i < v->finding_count; i++) {
		struct finding *cause = v->findings[i];

		for (size_t r = 0; r < ARRAY_SIZE(raise_rows) && cause->confidence >= FOLD_CONFIDENCE; r++) {
			if (!strcmp(cause->rule, raise_rows[r].cause) && is_raised(v, cause, &raise_rows[r]))
				cause->severity = SEVERITY_CRITICAL;
		}
	}
}

static void fold_all(const struct verdict *v)
{
	uint64_t *symptom = arena_alloc(v->arena, (v->finding_count + 1) * sizeof(*symptom));

	for (size_t b = 0; b < v->finding_count; b++)
		symptom[b] = rows_of(v->findings[b]->rule, false);
	for (size_t a = 0; a < v->finding_count; a++) {
		uint64_t cause = rows_of(v->findings[a]->rule, true);

		for (size_t b = 0; cause && b < v->finding_count; b++) {
			if (cause & symptom[b])
				fold_pair(v->findings[a], v->findings[b]);
		}
	}
}

static int worst_first(const void *left, const void *right)
{
	const struct finding *a = *(struct finding *const *)left;
	const struct finding *b = *(struct finding *const *)right;

	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static void place(const struct verdict *v, struct finding **to, size_t *count,
		  struct finding *finding)
{
	to[(*count)++] = finding;
	for (size_t i = 0; finding->folded && i < v->finding_count; i++) {
		if (v->findings[i]->parent == finding)
			place(v, to, count, v->findings[i]);
	}
}

static void put_children_behind(struct verdict *v)
{
	struct finding **ordered = arena_alloc(v->arena, (v->finding_count + 1) * sizeof(*ordered));
	size_t count = 0;

	for (size_t i = 0; i < v->finding_count; i++) {
		if (!v->findings[i]->parent)
			place(v, ordered, &count, v->findings[i]);
	}
	v->findings = ordered;
	v->finding_cap = count;
}

void triage_rank(struct verdict *v)
{
	raise_all(v);
	for (size_t i = 0; i < v->finding_count; i++) {
		v->findings[i]->id = identity(v->findings[i]);
		v->findings[i]->score = score_of(v->findings[i]);
		part_twins(v, i);
	}
	fold_all(v);
	if (v->finding_count)
		qsort(v->findings, v->finding_count, sizeof(*v->findings), worst_first);
	put_children_behind(v);
}

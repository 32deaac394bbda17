/* SPDX-License-Identifier: MIT */
/* rst-breakdown from packets: connections that end by RST, by what happened before and by who sent it. */
#include "../attempts.h"
#include "../packets.h"

enum limit {
	COUNT,
	BOX,
	IDLE,
};

static const struct threshold thresholds[] = {
	[COUNT] = { "connections_reset", UNIT_COUNT, 1, "a table of what there is; it says nothing of whether that is bad" },
	[BOX] = { "reset_in_between", UNIT_COUNT, 2, "established connections of one server that something in between ended; a single odd RST may be a path that changed" },
	[IDLE] = { "idle", UNIT_MS, 30000, "silence before the reset: then an idle timeout is the likely cause, and rst-after-idle tells of it" },
	{ NULL, UNIT_NONE, 0, NULL },
};

#define CONFIDENCE_TABLE 0.93
#define CONFIDENCE_ONE_SIGN 0.65
#define CONFIDENCE_SIGNS 0.9

#define CAUSE_BETWEEN "a firewall, NAT or load balancer on the way ended the connection in one side's name: the RST does not look like the other packets of that side"
#define FIX_BETWEEN "find the box: its logs, its limits on time, connections or content"

/** enum reset_class - the first that fits, in this order. */
enum reset_class { BETWEEN, AFTER_IDLE, AFTER_FIN, HALF_OPEN, UNANSWERED, OTHER, CLASSES };

/** struct class_text - @short_text: of the detail line. @meaning: as a cause. @fix: what to do. */
static const struct class_text {
	const char *name, *short_text, *meaning, *fix;
} texts[CLASSES] = {
	[BETWEEN] = { "between", "{between} by something in between", CAUSE_BETWEEN,
		      FIX_BETWEEN },
	[AFTER_IDLE] = { "after_idle", "{after_idle} after a silence of 30 s or more", "something forgot the connection, or closes what is idle (rst-after-idle)", "make idle timeouts of clients shorter than those of servers and load balancers" },
	[UNANSWERED] = { "unanswered", "{unanswered} with the last data unanswered", "whoever reset it had not answered the last data: a crash, a program that closes before it has read everything, or an impatient client",
			 "read the request to its end, or shut down for writing and drain, before close(); look for crashes" },
	[HALF_OPEN] = { "half_open", "{half_open} before the handshake was complete", "half-open health checks and scans, or a client that did not want the connection any more", "nothing to do" },
	[AFTER_FIN] = { "after_fin", "{after_fin} after a FIN of the same side (normal)", "the side that reset it had closed already: browsers and many clients do so; where the other side used the connection long after that FIN, it had not closed on its part (close-wait-leak)", "nothing to do" },
	[OTHER] = { "others", "{others} with nothing outstanding", "ended between requests: health checks, load balancers and programs with SO_LINGER 0", "remove SO_LINGER 0 where answers may still be under way" },
};

/** struct tally - all connections that were reset. */
struct tally {
	uint64_t value[CLASSES], total, by_client, by_server;
};

static enum reset_class class_of(const struct view *view, const struct flow *flow)
{
	const struct {
		enum reset_class class;
		bool fits;
	} rows[] = {
		{ BETWEEN, flow->flags & FLOW_RESET_BY_BOX && flow->idle_last_ms < view->values[IDLE] },
		{ AFTER_FIN, flow->flags & FLOW_RESET_AFTER_FIN || flow->side[flow->resetter].has & SIDE_SENT_FIN },
		{ AFTER_IDLE, flow->idle_last_ms >= view->values[IDLE] },
		{ HALF_OPEN, flow->flags & FLOW_SAW_SYN_ACK && !(flow->flags & FLOW_SYN_TO_DATA) && !flow_went_on(flow, 0) },
		{ UNANSWERED, flow->flags & FLOW_RESET_UNREAD },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].fits)
			return rows[i].class;
	}
	return OTHER;
}

static bool keep(const struct view *view, struct flow_member *m)
{
	(void)view;
	return m->flow->state == FLOW_RESET && m->flow->resetter < 2;
}

static struct tally tally_of(const struct view *view, const struct flow_members *all)
{
	struct tally t = { .total = all->count };

	for (size_t i = 0; i < all->count; i++) {
		t.value[class_of(view, all->at[i].flow)]++;
		*(all->at[i].flow->resetter ? &t.by_server : &t.by_client) += 1;
	}
	return t;
}

/* What occurred, in the order of the table: one line of detail, the meaning of each, and what to do about it. */
static void describe(struct finding *f, const struct view *view, const struct tally *t)
{
	const char **meaning = arena_alloc(view->arena, (CLASSES + 1) * sizeof(*meaning));
	const char **fix = arena_alloc(view->arena, (CLASSES + 1) * sizeof(*fix));
	size_t count = 0;

	f->title = "Connections end by reset: {reset_flows}, {by_client} by the client and {by_server} by the server";
	f->detail = "";
	for (unsigned i = 0; i < CLASSES; i++) {
		if (!t->value[i])
			continue;
		f->detail = arena_printf(view->arena, "%s%s%s", f->detail, count ? " · " : "", texts[i].short_text);
		meaning[count] = texts[i].meaning;
		fix[count++] = texts[i].fix;
	}
	f->causes = meaning;
	f->fixes = fix;
}

static void file_table(const struct view *view, struct sink *sink, const struct flow_members *all)
{
	struct tally t = tally_of(view, all);
	struct finding *f = sink_finding(sink, SEVERITY_INFO, flow_confidence(view, CONFIDENCE_TABLE));

	finding_flows(f, view, all);
	f->share = (double)t.total / (double)view->packets->flow_count;
	finding_add(f, "reset_flows", (double)t.total, UNIT_COUNT, "capture");
	finding_add(f, "by_client", (double)t.by_client, UNIT_COUNT, "capture");
	finding_add(f, "by_server", (double)t.by_server, UNIT_COUNT, "capture");
	for (unsigned i = 0; i < CLASSES; i++)
		finding_add(f, texts[i].name, (double)t.value[i], UNIT_COUNT, "capture");
	finding_add(f, "flow", (double)all->at->flow->number, UNIT_NONE, "capture");
	describe(f, view, &t);
	f->next = flow_next(view, "tcp", NULL);
	finding_against(f, "health checkers, browsers and load balancers that close by RST are healthy");
	finding_trust(f, view);
	finding_threshold(f, sink, COUNT);
}

static unsigned signs_of(const struct flow *flow)
{
	return !!(flow->flags & FLOW_RESET_ALIEN_TTL) + !!(flow->flags & FLOW_RESET_ALIEN_ID) + !!(flow->flags & FLOW_RESET_NO_TIMESTAMP);
}

/* Connections that were at work when something in between ended them; seen from the side that lost its peer. */
static bool keep_between(const struct view *view, struct flow_member *m)
{
	return keep(view, m) && class_of(view, m->flow) == BETWEEN && m->flow->flags & FLOW_SYN_TO_DATA;
}

static const char *const between_causes[] = { CAUSE_BETWEEN, NULL };
static const char *const between_fixes[] = { FIX_BETWEEN, "let it close idle or unwanted connections in order, or not at all", NULL };
static const char *const between_next[] = { "nstat -az TcpOutRsts TcpEstabResets # on the side in whose name it was sent: if TcpOutRsts does not grow, it was somebody else", NULL };

static void add_signs(struct finding *f, const struct flow_member *m)
{
	const struct flow_side *side = &m->flow->side[m->flow->resetter];

	finding_add(f, "reset_ttl", side->ttl_reset, UNIT_NONE, "IP TTL of the RST");
	finding_add(f, "ttl_min", side->ttl_min, UNIT_NONE, "IP TTL of that side's other packets");
	finding_add(f, "ttl_max", side->ttl_max, UNIT_NONE, "IP TTL of that side's other packets");
	finding_add(f, "alien_ttl", !!(m->flow->flags & FLOW_RESET_ALIEN_TTL), UNIT_FLAG, "capture");
	finding_add(f, "alien_id", !!(m->flow->flags & FLOW_RESET_ALIEN_ID), UNIT_FLAG, "capture");
	finding_add(f, "no_timestamp", !!(m->flow->flags & FLOW_RESET_NO_TIMESTAMP), UNIT_FLAG, "capture");
}

/* "its TTL is 62, that side's other packets have 57 · no timestamp, which was agreed on". */
static const char *signs_text(const struct view *view, const struct flow *flow)
{
	const struct flow_side *side = &flow->side[flow->resetter];
	const char *text = "";

	if (flow->flags & FLOW_RESET_ALIEN_TTL)
		text = arena_printf(view->arena, "its TTL is {reset_ttl}, that side's other packets have %s · ",
				    flow_range_text(view, "ttl_min", "ttl_max", side->ttl_min == side->ttl_max));
	if (flow->flags & FLOW_RESET_ALIEN_ID)
		text = arena_printf(view->arena, "%sits IP id is 0, that side counts · ", text);
	if (flow->flags & FLOW_RESET_NO_TIMESTAMP)
		text = arena_printf(view->arena, "%sno timestamp, though both agreed on them · ", text);
	return text;
}

static void file_between(const struct view *view, struct sink *sink, const struct flow_members *run)
{
	const struct flow_member *m = run->at;
	unsigned signs = 0;
	struct finding *f;

	if (!RULE_MAIN(PACKETS_RST_BREAKDOWN, (double)run->count >= view->values[BOX]))
		return;
	for (size_t i = 0; i < run->count; i++) {
		if (signs_of(run->at[i].flow) > signs)
			m = &run->at[i];
		signs = MAX(signs, signs_of(run->at[i].flow));
	}
	f = sink_finding(sink, SEVERITY_WARNING, flow_confidence(view, signs > 1 ? CONFIDENCE_SIGNS : CONFIDENCE_ONE_SIGN));
	finding_flows(f, view, run);
	finding_add_text(f, "client", flow_who_text(view, run), "capture");
	finding_add(f, "in_whose_name", m->flow->resetter, UNIT_NONE, "capture (0 the client, 1 the server)");
	finding_add(f, "begins_at", (double)flow_offset_ms(view, m->flow), UNIT_MS, "capture");
	finding_add(f, "flow", (double)m->flow->number, UNIT_NONE, "capture");
	add_signs(f, m);
	f->title = "Something in between resets connections of {client} with {peer}: {flows} that were at work";
	f->detail = arena_printf(view->arena, "the RST bears the %s's address, but %sflow {flow}, {begins_at} into the capture", m->flow->resetter ? "server" : "client", signs_text(view, m->flow));
	f->causes = between_causes;
	f->fixes = between_fixes;
	f->next = flow_next(view, "host {peer_addr} and tcp port {peer_port}", between_next);
	finding_against(f, signs > 1 ? "some systems build RSTs in another way than their other packets" : "one sign only: some systems send RSTs with another TTL or without options");
	finding_trust(f, view);
	finding_threshold(f, sink, BOX);
}

static void eval(const struct view *view, struct sink *sink)
{
	struct flow_members all = flow_members_collect(view, PROTOCOL_TCP, ODD_RESET, keep);
	struct flow_members between = flow_members_filter(view, &all, keep_between);

	if (RULE_MAIN(PACKETS_RST_BREAKDOWN, (double)all.count >= view->values[COUNT]))
		file_table(view, sink, &all);
	flow_members_file(view, sink, &between, file_between);
}

const struct rule_signal packets_rst_breakdown = {
	.thresholds = thresholds,
	.eval = eval,
	.explain =
		"Every connection that ends by RST is put into one class: made by something in between (its TTL, IP id or timestamps do not fit the other packets of the side whose address it bears), after a FIN of the same side, after a long silence, "
		"before the handshake was complete, with the last data unanswered, or with nothing outstanding. The table is information. Connections at work that something in between ends are a warning. Refused attempts are the business of connect-refused.",
	.repro = "capture while a router rejects packets of an open connection with RST, and while a server closes with SO_LINGER 0",
};

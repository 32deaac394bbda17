/* SPDX-License-Identifier: MIT */
/* The eight signs of a half-open queue, and the evidence that rules show of it. */
#include "half_open.h"

#include "queues.h"

#define SYNCOOKIES_ALWAYS 2
#define BUSIEST_SHOWN 3

/* Without cookies the kernel keeps the last quarter of tcp_max_syn_backlog for clients it knows (net/ipv4/tcp_input.c, tcp_conn_request). */
#define STRANGERS_SHARE 0.75

/** struct siblings - all listeners on one endpoint (SO_REUSEPORT). @drops: of their own, since the first look. @overfull: an accept queue is, now. */
struct siblings {
	uint32_t count;
	uint64_t backlog, drops;
	bool overfull, drops_known;
};

static bool shares_endpoint(const struct sock *a, const struct sock *b)
{
	return a->local.port == b->local.port && addr_equal(&a->local.addr, &b->local.addr) &&
	       a->v6only == b->v6only;
}

static void add_sibling(struct siblings *all, const struct listener *listener)
{
	const struct sock *first = &listener->first.sock, *last = &listener->last.sock;

	all->count++;
	all->backlog += last->send_q;
	all->overfull |= last->recv_q > last->send_q;
	all->drops_known = all->drops_known && first->has & last->has & SOCK_HAS_SKMEM;
	all->drops += listener_drops(listener);
}

static struct siblings siblings_of(const struct view *view, const struct listener *listener)
{
	struct siblings all = { .drops_known = true };
	const struct listener *other;

	for (size_t i = 0; (other = snapshot_listener(view->snap, i)); i++) {
		bool stands = other->epoch == listener->epoch;

		if (stands && shares_endpoint(&other->last.sock, &listener->last.sock))
			add_sibling(&all, other);
	}
	return all;
}

static int64_t setting(const struct view *view, enum sysctl_id id, int64_t otherwise)
{
	return view->snap->has_sysctls ? sysctl_or(&view->snap->sysctls, id, otherwise) : otherwise;
}

static struct half_open_pressure pressure_of(const struct view *view)
{
	struct half_open_pressure p = { .counted = view->snap->has_counters && view->snap->samples > 1 };
	uint64_t asked, dropped, listen_drops;

	p.refused = !setting(view, SYSCTL_TCP_SYNCOOKIES, 1);
	p.always_cookies = setting(view, SYSCTL_TCP_SYNCOOKIES, 1) == SYNCOOKIES_ALWAYS;
	if (!p.counted)
		return p;
	view_delta(view, COUNTER_SYNCOOKIES_SENT, &p.cookies);
	view_delta(view, COUNTER_TCP_REQ_Q_FULL_DO_COOKIES, &asked);
	view_delta(view, COUNTER_SYNCOOKIES_RECV, &p.validated);
	view_delta(view, COUNTER_TCP_REQ_Q_FULL_DROP, &dropped);
	view_delta(view, COUNTER_LISTEN_DROPS, &listen_drops);
	view_delta(view, COUNTER_LISTEN_OVERFLOWS, &p.overflows);
	view_delta(view, COUNTER_TCP_PASSIVE_OPENS, &p.opens);
	p.cookies = MAX(p.cookies, asked);
	/* With cookies, what is dropped without an overflow lacked memory or a route: another matter. */
	p.drops = p.refused ? MAX(dropped, listen_drops - MIN(listen_drops, p.overflows)) : 0;
	p.windows = MAX(view_steps(view, COUNTER_SYNCOOKIES_SENT),
			view_steps(view, COUNTER_TCP_REQ_Q_FULL_DO_COOKIES));
	if (p.refused)
		p.windows = MAX(view_steps(view, COUNTER_TCP_REQ_Q_FULL_DROP),
				view_steps(view, COUNTER_LISTEN_DROPS));
	return p;
}

/* Overflows are counted for the namespace; a listener's own drops tell whether they are its own. */
static enum answer overflows(const struct half_open_pressure *p, const struct siblings *s)
{
	if (s->overfull)
		return ANSWER_YES;
	if (!p->counted)
		return ANSWER_UNKNOWN;
	return answer_of(p->overflows && (s->drops || !s->drops_known));
}

static enum answer validates(const struct view *view, const struct half_open_pressure *p)
{
	const double *l = view->values;
	double cookies = (double)p->cookies, back = (double)p->validated;

	if (cookies < l[QUEUE_EVENTS])
		return ANSWER_UNKNOWN;
	if (back > l[QUEUE_VALIDATED] * cookies)
		return ANSWER_YES;
	return back < l[QUEUE_UNVALIDATED] * cookies ? ANSWER_NO : ANSWER_UNKNOWN;
}

/* The namespace turned SYNs away, in number and for some time. Where cookies are the rule they say nothing until they stay away. */
static bool turns_away(const struct view *view, const struct half_open_pressure *p,
		       enum answer validated)
{
	const double *l = view->values;
	bool usual = p->always_cookies && validated != ANSWER_NO;
	double events = (double)p->drops + (usual ? 0 : (double)p->cookies);

	return events >= l[QUEUE_EVENTS] && p->windows >= l[QUEUE_WINDOWS] &&
	       100 * events >= l[QUEUE_EVENT_SHARE] * (double)p->opens;
}

static bool is_full(const struct view *view, const struct half_open_case *c, uint32_t count)
{
	return c->limit > 0 && count >= view->values[QUEUE_FULL] * c->limit;
}

static bool is_pressed(const struct view *view, const struct half_open_case *c)
{
	bool away = turns_away(view, &c->pressure, c->signs.validated);

	if (!c->half)
		return away;
	return (away && c->full) || (is_full(view, c, c->half->count) &&
				     c->half->count >= view->values[QUEUE_FULL_SOCKETS]);
}

static enum answer is_spread(const struct view *view, const struct half_open *half, bool stalled)
{
	const struct half_open_clients *clients = stalled ? &half->stalled : &half->all;
	uint32_t count = stalled ? half->retried : half->count;

	if (count < view->values[QUEUE_SPREAD_SOCKETS])
		return ANSWER_UNKNOWN;
	return answer_of(half_open_networks(clients) >= view->values[QUEUE_SPREAD] * count);
}

static enum answer repeats(const struct view *view, const struct half_open *half)
{
	const double *l = view->values;
	double known = (double)half->repeating + half->silent;

	if (known < l[QUEUE_WATCHED])
		return ANSWER_UNKNOWN;
	if (half->repeating >= l[QUEUE_REPEATING] * known)
		return ANSWER_YES;
	return half->repeating <= l[QUEUE_SILENT] * known ? ANSWER_NO : ANSWER_UNKNOWN;
}

/* Where clients are known to be silent, two more SYN-ACKs took 3 s; otherwise a client that repeats its SYN after a second gets them at once. */
static void count_stalled(struct half_open_case *c)
{
	bool silent = c->signs.repeats == ANSWER_NO;

	c->stalled = silent ? c->half->retried : c->half->aged;
	c->stalled_global = silent ? c->half->retried_global : c->half->aged_global;
}

static void read_queue(const struct view *view, struct half_open_case *c)
{
	const struct half_open *half = c->half;
	struct half_open_signs *signs = &c->signs;
	const double *l = view->values;

	signs->repeats = repeats(view, half);
	count_stalled(c);
	signs->stalled = answer_of(c->stalled >= l[QUEUE_STALLED]);
	signs->spread = is_spread(view, half, signs->stalled == ANSWER_YES);
	signs->deferred = answer_of(half->deferred >= l[QUEUE_DEFERRED]);
	if (half->count)
		signs->standing = answer_of(half->late >= l[QUEUE_STANDING] * half->count);
}

static void set_limit(struct half_open_case *c, const struct view *view, const struct siblings *all)
{
	int64_t somaxconn = setting(view, SYSCTL_SOMAXCONN, 0);
	double strangers =
		STRANGERS_SHARE * (double)setting(view, SYSCTL_TCP_MAX_SYN_BACKLOG, 0) * all->count;

	c->limit = (double)all->backlog;
	c->origin = c->listener->last.sock.send_q == somaxconn ? "net.core.somaxconn" : "listen()";
	if (c->pressure.refused && strangers > 0 && strangers < c->limit) {
		c->limit = strangers;
		c->origin = "three quarters of net.ipv4.tcp_max_syn_backlog";
	}
}

struct half_open_case half_open_look(const struct view *view, const struct listener *listener)
{
	struct half_open_case c = { .listener = listener,
				    .half = listener ? listener->half_open : NULL,
				    .origin = "unknown",
				    .pressure = pressure_of(view) };
	struct siblings all = { .drops_known = false };

	c.signs.validated = validates(view, &c.pressure);
	if (c.half) {
		all = siblings_of(view, listener);
		set_limit(&c, view, &all);
		c.full = is_full(view, &c, c.half->count_max);
		read_queue(view, &c);
	}
	c.signs.overflow = overflows(&c.pressure, &all);
	c.signs.pressed = answer_of(is_pressed(view, &c));
	c.verdict = half_open_verdict(&c.signs);
	return c;
}

const struct listener *half_open_only_listener(const struct view *view)
{
	const struct listener *listener, *only = NULL;

	for (size_t i = 0; (listener = snapshot_listener(view->snap, i)); i++) {
		if (!listener->present)
			continue;
		if (only && !shares_endpoint(&only->last.sock, &listener->last.sock))
			return NULL;
		only = only ? only : listener;
	}
	return only;
}

void half_open_scope(struct finding *f, const struct view *view, const struct listener *listener)
{
	enum owner_unknown reason;

	if (!listener)
		return;
	finding_local(f, &listener->last.sock.local);
	finding_owner(f, view->owner_of(view, &listener->last.sock, &reason));
	f->scope_factor = addr_is_loopback(&listener->last.sock.local.addr) ? 0.8 : 1;
}

static const char *prefix_text(const struct view *view, const struct addr *addr)
{
	struct addr prefix = addr_prefix(addr);

	return arena_printf(view->arena, "%s/%u", view_addr_text(view, &prefix),
			    addr->family == ADDR_V4 ? 24u : 64u);
}

/* "10.9.9.0/24 (12), 10.9.8.0/24 (3)": those that certainly have more than one, or all of a few. */
static const char *busiest_text(const struct view *view, const struct half_open_network *top, unsigned used)
{
	const char *text = NULL;

	for (unsigned i = 0; i < MIN(used, BUSIEST_SHOWN); i++) {
		uint32_t certain = top[i].count - top[i].error;
		const char *one = arena_printf(view->arena, "%s (%u)", prefix_text(view, &top[i].peer), certain);

		if (certain > 1 || used <= BUSIEST_SHOWN)
			text = text ? arena_printf(view->arena, "%s, %s", text, one) : one;
	}
	return text ? text : "none stands out";
}

static void add_networks(struct finding *f, const struct view *view,
			 const struct half_open_clients *clients)
{
	struct half_open_network top[HALF_OPEN_NETWORKS];
	unsigned used = half_open_busiest(clients, top);

	finding_add(f, "networks", half_open_networks(clients), UNIT_COUNT, "idiag_dst (/24, /64)");
	if (!used)
		return;
	finding_add_text(f, "busiest", busiest_text(view, top, used), "idiag_dst (/24, /64)");
	finding_add_text(f, "busiest_client", view_addr_text(view, &top->peer), "idiag_dst");
	finding_add_text(f, "busiest_network", prefix_text(view, &top->peer), "idiag_dst (/24, /64)");
}

static void add_setting(struct finding *f, const struct view *view, enum sysctl_id id, const char *name,
			const char *source)
{
	if (view->snap->has_sysctls && view->snap->sysctls.has[id])
		finding_add(f, name, (double)view->snap->sysctls.value[id], UNIT_COUNT, source);
}

void half_open_add_queue(struct finding *f, const struct view *view, const struct half_open_case *c,
			 const struct half_open_clients *clients)
{
	finding_add(f, "half_open", c->half->count, UNIT_SOCKETS, "sock_diag");
	finding_add(f, "limit", c->limit, UNIT_SOCKETS, "idiag_wqueue, sysctl");
	finding_add_text(f, "limit_from", c->origin, "rule");
	add_setting(f, view, SYSCTL_SOMAXCONN, "somaxconn", "net.core.somaxconn");
	add_setting(f, view, SYSCTL_TCP_MAX_SYN_BACKLOG, "tcp_max_syn_backlog",
		    "net.ipv4.tcp_max_syn_backlog");
	add_networks(f, view, clients);
}

void half_open_add_cookies(struct finding *f, const struct view *view, const struct half_open_case *c)
{
	add_setting(f, view, SYSCTL_TCP_SYNCOOKIES, "tcp_syncookies", "net.ipv4.tcp_syncookies");
	if (!c->pressure.counted)
		return;
	finding_add(f, "window", view_window_s(view), UNIT_S, "rule");
	finding_add(f, "cookies", (double)c->pressure.cookies, UNIT_COUNT, "TcpExtSyncookiesSent");
	finding_add(f, "validated", (double)c->pressure.validated, UNIT_COUNT, "TcpExtSyncookiesRecv");
}

static const char *const next_longer_look[] = {
	"tcptriage report --rule syn-flood --rule syn-recv-stall --interval 20",
	"ss -tno state syn-recv sport = :{local_port}",
	"nstat -az TcpExtSyncookiesSent TcpExtSyncookiesRecv TcpExtTCPReqQFullDrop TcpPassiveOpens",
	NULL
};
static const char *const next_other_connections[] = {
	"tcptriage states -t -a dst {busiest_network} and sport = :{local_port}",
	"ss -tno state syn-recv sport = :{local_port}",
	"ip route get {busiest_client}",
	NULL
};

/* What would decide: whether clients repeat their SYN, which a longer look shows; where it is known that they do not, whether the same
 * network has connections that work. */
void half_open_add_rival(struct finding *f, const struct half_open_case *c, enum half_open_story story)
{
	bool flood = story == HALF_OPEN_FLOOD;

	if (!c->verdict.rival)
		return;
	finding_against(f, flood ? "the facts fit a broken way back to real clients nearly as well: the first command below tells them apart" :
				   "the facts fit a SYN flood nearly as well: the first command below tells them apart");
	f->next = c->signs.repeats == ANSWER_UNKNOWN ? next_longer_look : next_other_connections;
	if (c->signs.repeats == ANSWER_UNKNOWN)
		finding_against(f, "not known whether the clients send their SYN again: only real ones do");
	else
		finding_against(f, "established connections from {busiest_network} would say that its way here and back works");
}

void half_open_note_lost(struct sink *sink)
{
	uint64_t lost = sink->view->snap->half_open_lost;

	if (lost)
		sink_skip_part(sink, arena_printf(sink->view->arena,
						  "%llu half-open connections of listeners beyond the first %u that had any were not examined",
						  (unsigned long long)lost, SNAPSHOT_HALF_OPEN));
}

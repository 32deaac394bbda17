/* SPDX-License-Identifier: MIT */
/* What rules are built with: their candidates in runs, growth of counters, caps of confidence, and the switch that breaks one. */
#ifndef TCPTRIAGE_TRIAGE_KIT_H
#define TCPTRIAGE_TRIAGE_KIT_H

#include "tcptriage/triage/engine.h"

/* RULE_MAIN(SYN_SENT_STALL, condition): the condition; false when the build defines BREAK_RULE_SYN_SENT_STALL (as 1), so that the
 * rule's tests can be seen to fail. */
#define KIT_SECOND(first, second, ...) second
#define KIT_PICK(...) KIT_SECOND(__VA_ARGS__, 1, 0)
#define KIT_BROKEN_1 0, 0
#define KIT_IS_WHOLE(value) KIT_PICK_VALUE(KIT_BROKEN_##value)
#define KIT_PICK_VALUE(...) KIT_PICK(__VA_ARGS__)
#define KIT_WHOLE(value) KIT_IS_WHOLE(value)
#define RULE_MAIN(ID, ...) (KIT_WHOLE(BREAK_RULE_##ID) && (__VA_ARGS__))

/**
 * struct sink - where the rule @rule files what it finds in @view. @thresholds: the table of the signal that is evaluated. @index: its bit. @filed: findings so far, @first: where they begin in the
 * verdict. @spare: storage for one that is not kept. @own: what a rule wants its members_file_fn to find.
 */
struct sink {
	const struct view *view;
	const struct rule *rule;
	const struct threshold *thresholds;
	unsigned index;
	struct verdict *verdict;
	size_t filed, first;
	struct finding *spare;
	void *own;
};

/** More findings of one rule in one namespace than a person reads; of the rest only a more severe one takes the place of another. */
#define SINK_FINDINGS_MAX 100

/** struct member - a candidate of the rule with what is known beside it. @key: by what it is grouped. @age_ms: −1 unknown. @mark: the rule's own. */
struct member {
	const struct candidate *candidate;
	const struct sock *sock; /* as last seen */
	const struct process *owner;
	struct endpoint key;
	int64_t age_ms;
	bool age_exact, mark;
};

/** struct members - the rule's candidates that stand in the newest sample. */
struct members {
	struct member *at;
	size_t count;
};

/** member_keep_fn - does this socket concern the rule? May set member->key (the peer at first). */
typedef bool member_keep_fn(const struct view *view, struct member *member);
/** members_collect() - candidates that @keep keeps, with owner and age. */
struct members members_collect(const struct sink *sink, member_keep_fn *keep);
/** members_collect_seen() - the same with those that stood in an earlier sample only (candidate->present is false). */
struct members members_collect_seen(const struct sink *sink, member_keep_fn *keep);

/** Orders: by key; by process and key. Ties by order of first sight. */
int member_by_key(const void *a, const void *b);
int member_by_owner_and_key(const void *a, const void *b);
int member_by_owner(const void *a, const void *b);
/** members_sort() - put them in @order. */
void members_sort(struct members *members, int (*order)(const void *, const void *));
/** members_same_key(), members_same_owner() - a and b belong together. */
bool members_same_key(const struct member *a, const struct member *b);
bool members_same_owner(const struct member *a, const struct member *b);
bool members_same_owner_and_key(const struct member *a, const struct member *b);
/** members_run() - the run of members from @from on that belong together. */
struct members members_run(const struct members *members, size_t from,
			   bool (*same)(const struct member *, const struct member *));
/** members_remotes() - how many different keys stand in a run that is sorted by key. */
uint64_t members_remotes(const struct members *members);
/** members_file_fn - files the finding of a run; @network: the run is a whole /24 or /64 whose members share a cause. */
typedef void members_file_fn(const struct view *view, struct sink *sink, const struct members *run,
			     bool network);
/**
 * members_file_by_network() - hands @all (sorted by key) to @file: networks with at least @remotes different remotes as a whole, other
 * remotes one by one (RULES §6).
 */
void members_file_by_network(const struct view *view, struct sink *sink, const struct members *all,
			     double remotes, members_file_fn *file);
/** member_is_public() - a client on the Internet: accepted from a global address. Such clients vanish all the time (RULES §0.5). */
bool member_is_public(const struct member *member);
/** members_any_public() - is one of them such a client? */
bool members_any_public(const struct members *members);
/**
 * members_stand_out() - are these clients of one listener more than the background of the Internet: at least @percent of its ESTAB, from at
 * least @prefixes networks. @clients: sorted by key.
 */
bool members_stand_out(const struct view *view, const struct members *clients, double percent,
		       double prefixes);
/**
 * members_file_by_role() - hands what we opened, and what private clients opened, to @file as members_file_by_network() does, and clients on
 * the Internet by the local port they came to (@network false; member_is_public(run->at) tells). Sorts @all.
 */
void members_file_by_role(const struct view *view, struct sink *sink, struct members *all,
			  double remotes, members_file_fn *file);
/** members_owner() - the process that holds most of them, as far as one vote can tell; NULL when it is unknown. */
const struct process *members_owner(const struct members *members);
/** members_oldest_ms() - greatest age; −1 none known. */
int64_t members_oldest_ms(const struct members *members);

/**
 * candidate_unread() - data stood in the receive queue in every sample of the run, never less than at first, and the program took nothing of
 * it: bytes_received minus Recv-Q is what it has taken.
 */
bool candidate_unread(const struct view *view, const struct candidate *candidate);

/** view_confidence() - @confidence within what the kind of evidence allows (RULES §6). @exact: the signal has one possible meaning. */
double view_confidence(const struct view *view, double confidence, bool exact);
/** view_delta() - growth of a counter over the window; 0 when it is unknown. Return: whether it is known. */
bool view_delta(const struct view *view, enum counter_id id, uint64_t *delta);
/** view_window_s() - the window in seconds, 0 when there is none. */
double view_window_s(const struct view *view);
/** view_owner_of_inode() - who holds a live socket of which only the inode is known; NULL when unknown. */
const struct process *view_owner_of_inode(const struct view *view, uint32_t inode);
/** view_route_text() - "eth0 via 10.0.0.1, next hop REACHABLE", in the arena. */
const char *view_route_text(const struct view *view, const struct addr *destination);
/** route_words() - the same of a route that is known, in the view's arena. */
const char *route_words(const struct view *view, const struct route *route);
/** view_first_hop_gone() - this host cannot send to @destination at all: no route, or no carrier on the interface. */
bool view_first_hop_gone(const struct view *view, const struct addr *destination);
/** view_peer_answers() - some connection to the same service, or from the same client, with nothing outstanding was heard of less than @within_ms ago. */
bool view_peer_answers(const struct view *view, const struct sock *sock, int64_t within_ms);
/** view_exception_is_new() - the path-MTU exception of @route was learned within the window: what is left of its life tells (mtu_expires). */
bool view_exception_is_new(const struct view *view, const struct route *route);
/** view_addr_text() - an address as text in the arena. */
const char *view_addr_text(const struct view *view, const struct addr *addr);

/** view_steps() - samples in which a counter had grown: a rate needs two (RULES §0.2). */
unsigned view_steps(const struct view *view, enum counter_id id);

/** sink_skip_history() - the part of the rule that judges by several runs: "<what>: needs history, none is kept yet". */
void sink_skip_history(struct sink *sink, const char *what);

/**
 * finding_members() - the scope of a run: its peer, or with @network the prefix of its peers (port 0 when they differ); clients on the
 * Internet by the local endpoint they came to.
 */
void finding_members(struct finding *finding, const struct members *run, bool network);
/** finding_route() - what this host does with packets to @addr: evidence "route", "interface_mtu", "exception_mtu" as far as known, and the interface of the scope. */
void finding_route(struct finding *finding, const struct view *view, const struct addr *addr);

/** struct field_row - a field of tcp_info as evidence @name. */
struct field_row {
	const char *name;
	enum tcpi_id id;
	enum unit unit;
	const char *source;
};
/** finding_fields() - attach those of @rows that the kernel delivered for @sock. */
void finding_fields(struct finding *finding, const struct sock *sock, const struct field_row *rows,
		    size_t count);
/** finding_address_class() - evidence "address_class": "RFC 1918", "CGNAT (RFC 6598)", … or "global". */
void finding_address_class(struct finding *finding, const struct addr *addr);
/**
 * finding_timeout() - which kind of timeout the sockets are in, and when the kernel ends it: evidence "timeout" ("connect", "idle", "request",
 * "close") and "gives_up" in ms (negative: never, left out). @source: of the settings it was computed from.
 */
void finding_timeout(struct finding *finding, const char *kind, double gives_up_ms,
		     const char *source);
/**
 * finding_process() - the scope's owner (may be NULL), and what is known of it as evidence: process_state ("sleeping"), fds, nofile,
 * process_age.
 */
void finding_process(struct finding *finding, const struct view *view, const struct process *process);
/** finding_counter() - attach the growth of a counter under nstat's name. */
void finding_counter(struct finding *finding, const struct view *view, enum counter_id id,
		     const char *name);

#endif

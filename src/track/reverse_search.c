/* SPDX-License-Identifier: MIT */
/* The test of the way back: does the answer to a large advertised MSS come, does the answer to a small one, and where lies the edge between them?
 *
 * First both are asked side by side. What is large and comes settles it at once: the way back is not narrow. A black hole needs the large one to stall three times and the
 * small one to come three times, and patience that the service's own pace does not explain. An answer that ends by itself before REVERSE_ENOUGH bytes, or one of
 * which full segments came, is no stall. In a hurry, a service that says a little in small segments and falls quiet is not waited for, although it may only be slow.
 * Then the edge: several MSS at once in the open interval, with little patience, for a size that was taken for dead by mistake is found out: the smallest dead one is asked
 * again with all patience before it stands, and when it comes after all, the search goes on above it. */
#include "tcptriage/track/reverse_search.h"

#include <stdlib.h>
#include <string.h>

#include "tcptriage/track/mtu_search.h"

#define CONNECTIONS_MAX 48
#define FLIGHTS_MAX 16
#define TRIES 3
#define FAILURES_MAX 3
#define ROUND_MAX 8
/* 50 connections a second at most. */
#define GAP_US 20000
/* RULES §5.2: what shows nothing for so long has stalled; a lost packet is sent again several times in it. */
#define STALL_US 3000000
#define QUICK_MIN_US 500000
/* In a hurry, a service whose small segments come is taken to have no more to say when it is quiet for so long: three repetitions of a lost one fit in. */
#define QUIET_US 1000000
#define QUIET_LOOKS 4
#define QUICK_ANSWERS 8
/* A stall must be this many times longer than the slowest answer took. */
#define STALL_ANSWERS 4
#define EARLY_MIN_US 300000
/* An outcome comes at the deadline at the latest; a sender that owes it is not waited for. */
#define GRACE_US 1000000
/* Largest that TCP_MAXSEG takes. */
#define MSS_MAX 32767
/* tcpi_rcv_mss begins with a guess that is no larger (net/ipv4/tcp_input.c tcp_initialize_rcv_mss()). */
#define RCV_MSS_GUESS 536

static const uint32_t small_mss[ADDR_FAMILY_COUNT] = { [ADDR_V4] = 1200, [ADDR_V6] = 1180 };

/* What became of one MSS. @open: connections asked for or under way. @stalled: with the patience that proves it; @quick: without. */
struct fate {
	uint32_t mss;
	uint8_t open, passed, stalled, quick;
};

/* A connection that was asked for (@begin_us 0) or is under way. @quiet_us: of its request. */
struct flight {
	uint32_t id, mss;
	int64_t begin_us, patience_us, quiet_us;
};

enum phase { PHASE_COMPARE, PHASE_EDGE, PHASE_DONE };

/*
 * @largest, @small: the two that are compared. @slowest_us: answer that came. @said_little: the service itself ended early, or it sent full segments and no more. @quiet: nor does
 * it end.
 * @failures: connections that were not made.
 */
struct reverse_search {
	struct reverse_search_options options;
	struct reverse_path path;
	struct tcp_witness witness;
	struct fate fates[CONNECTIONS_MAX];
	struct flight flights[FLIGHTS_MAX];
	size_t fate_count, flight_count;
	uint32_t largest, small, next_id;
	int64_t last_us, slowest_us;
	unsigned failures;
	uint8_t phase;
	bool said_little, quiet, witness_is_default;
};

static struct fate *fate_of(struct reverse_search *s, uint32_t mss)
{
	for (size_t i = 0; i < s->fate_count; i++) {
		if (s->fates[i].mss == mss)
			return &s->fates[i];
	}
	s->fates[s->fate_count] = (struct fate){ .mss = mss };
	return &s->fates[s->fate_count++];
}

/* Ask for a connection, as far as the budget goes: each is a fate of its own at most, so neither table overflows. */
static void want(struct reverse_search *s, uint32_t mss, int64_t patience_us)
{
	if (s->flight_count == FLIGHTS_MAX || s->path.connections + s->flight_count >= CONNECTIONS_MAX)
		return;
	fate_of(s, mss)->open++;
	s->flights[s->flight_count++] = (struct flight){ .mss = mss, .patience_us = patience_us };
}

/* Patience that tells a stall from a slow service. */
static int64_t stall_us(const struct reverse_search *s)
{
	return MAX(STALL_US, STALL_ANSWERS * s->slowest_us);
}

struct reverse_search *reverse_search_new(const struct reverse_search_options *options, int64_t now_us)
{
	struct reverse_search *s = xcalloc(1, sizeof(*s));

	s->options = *options;
	s->largest = MIN(options->largest, MSS_MAX);
	s->small = MIN(small_mss[options->family], s->largest);
	s->path.finding = REVERSE_UNKNOWN;
	s->last_us = now_us - GAP_US;
	want(s, s->largest, STALL_US);
	if (s->small < s->largest)
		want(s, s->small, STALL_US);
	return s;
}

static void finish(struct reverse_search *s, enum reverse_finding finding)
{
	s->path.finding = (uint8_t)finding;
	s->phase = PHASE_DONE;
}

/* What is settled needs no more of it: connections that were only asked for. */
static void forget_wishes(struct reverse_search *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->flight_count; i++) {
		if (s->flights[i].begin_us)
			s->flights[kept++] = s->flights[i];
		else
			fate_of(s, s->flights[i].mss)->open--;
	}
	s->flight_count = kept;
}

/* As many more as are missing of @wanted, when @done are and those that are open will be. */
static void want_missing(struct reverse_search *s, const struct fate *fate, unsigned done, unsigned wanted)
{
	for (unsigned n = done + fate->open; n < wanted; n++)
		want(s, fate->mss, stall_us(s));
}

static uint32_t largest_passed(const struct reverse_search *s)
{
	uint32_t low = 0;

	for (size_t i = 0; i < s->fate_count; i++) {
		if (s->fates[i].passed)
			low = MAX(low, s->fates[i].mss);
	}
	return low;
}

/* The smallest MSS above @low whose answer did not come; @sure: nor when it was asked again with all patience. Of a black hole the largest asked is one. */
static uint32_t smallest_dead(const struct reverse_search *s, uint32_t low, bool sure)
{
	uint32_t high = s->largest;

	for (size_t i = 0; i < s->fate_count; i++) {
		const struct fate *fate = &s->fates[i];

		if (fate->mss > low && (fate->stalled >= TRIES - 1 || (!sure && fate->stalled + fate->quick)))
			high = MIN(high, fate->mss);
	}
	return high;
}

static void publish(struct reverse_search *s)
{
	s->path.largest_mss = largest_passed(s);
	s->path.smallest_dead = s->path.finding == REVERSE_BLACK_HOLE ? smallest_dead(s, s->path.largest_mss, true) : 0;
}

static bool may_be_hole(const struct reverse_search *s, const struct fate *large, const struct fate *small)
{
	return small != large && !s->said_little && !small->stalled && !small->quick && s->failures < FAILURES_MAX;
}

/* The first connection of the large MSS has been silent for long enough to make the others, without having stalled yet. */
static bool is_late(const struct reverse_search *s, int64_t now_us)
{
	for (size_t i = 0; i < s->flight_count; i++) {
		const struct flight *f = &s->flights[i];

		if (f->mss == s->largest && f->begin_us && now_us - f->begin_us >= MAX(EARLY_MIN_US, STALL_ANSWERS * s->slowest_us))
			return true;
	}
	return false;
}

static void compare(struct reverse_search *s, int64_t now_us)
{
	const struct fate *large = fate_of(s, s->largest), *small = fate_of(s, s->small);

	if (!may_be_hole(s, large, small)) {
		if (small != large)
			forget_wishes(s);
		if (!large->open || s->quiet)
			finish(s, REVERSE_UNKNOWN);
	} else if (large->stalled >= TRIES && small->passed >= TRIES) {
		s->path.finding = REVERSE_BLACK_HOLE;
		s->phase = s->options.exact ? PHASE_EDGE : PHASE_DONE;
	} else if (!s->flight_count || (small->passed && is_late(s, now_us))) {
		want_missing(s, large, large->stalled, TRIES);
		want_missing(s, small, small->passed, TRIES);
		if (!s->flight_count)
			finish(s, REVERSE_UNKNOWN);
	}
}

/* Known sizes inside the interval, as MSS, at most ROUND_MAX of them, evenly chosen. */
static size_t known_between(const struct reverse_search *s, uint32_t low, uint32_t high, uint32_t out[static ROUND_MAX])
{
	uint32_t header = addr_tcp_headers(s->options.family);
	size_t count, first = 0, inside = 0;
	const uint16_t *known = mtu_candidates(&count);

	for (size_t i = 0; i < count; i++) {
		if (known[i] <= low + header)
			first = i + 1;
		else if (known[i] < high + header)
			inside++;
	}
	for (size_t i = 0; i < MIN(inside, (size_t)ROUND_MAX); i++)
		out[i] = known[first + (inside <= ROUND_MAX ? i : i * inside / ROUND_MAX)] - header;
	return MIN(inside, (size_t)ROUND_MAX);
}

/* With @count sizes a round, the rounds that it takes to tell @gap apart. */
static unsigned rounds_for(uint32_t gap, uint32_t count)
{
	unsigned rounds = 0;

	for (uint64_t reach = 1; reach < gap; reach *= count + 1)
		rounds++;
	return rounds;
}

/* Evenly spread, and no more of them than save a round. */
static size_t spread_between(uint32_t low, uint32_t high, uint32_t out[static ROUND_MAX])
{
	uint32_t gap = high - low, count = 1;

	while (rounds_for(gap, count) > rounds_for(gap, ROUND_MAX))
		count++;
	for (uint32_t i = 0; i < count; i++)
		out[i] = low + (uint32_t)((uint64_t)gap * (i + 1) / (count + 1));
	return count;
}

static void ask_between(struct reverse_search *s, uint32_t low, uint32_t high)
{
	uint32_t sizes[ROUND_MAX];
	size_t count = known_between(s, low, high, sizes);
	int64_t patience_us = MIN(MAX(QUICK_ANSWERS * s->slowest_us, QUICK_MIN_US), stall_us(s));

	if (!count)
		count = spread_between(low, high, sizes);
	for (size_t i = 0; i < count; i++)
		want(s, sizes[i], patience_us);
}

/* Between rounds: narrow the interval, or make sure of its upper end, which some tries without patience brought. */
static void seek_edge(struct reverse_search *s)
{
	uint32_t low = largest_passed(s), high = smallest_dead(s, low, false);

	if (s->flight_count)
		return;
	if (s->failures < FAILURES_MAX && high - low > 1)
		ask_between(s, low, high);
	else if (s->failures < FAILURES_MAX)
		want_missing(s, fate_of(s, high), fate_of(s, high)->stalled, TRIES - 1);
	if (!s->flight_count)
		s->phase = PHASE_DONE;
}

static void advance(struct reverse_search *s, int64_t now_us)
{
	if (s->phase != PHASE_DONE && fate_of(s, s->largest)->passed)
		finish(s, REVERSE_FITS);
	if (s->phase == PHASE_COMPARE)
		compare(s, now_us);
	if (s->phase == PHASE_EDGE)
		seek_edge(s);
	publish(s);
}

static void end_flight(struct reverse_search *s, struct flight *flight)
{
	fate_of(s, flight->mss)->open--;
	memmove(flight, flight + 1, (size_t)(s->flights + --s->flight_count - flight) * sizeof(*flight));
}

/* Connections whose outcome the sender owes: they count as not made. */
static void expire(struct reverse_search *s, int64_t now_us)
{
	for (size_t i = s->flight_count; i-- > 0;) {
		struct flight *flight = &s->flights[i];

		if (!flight->begin_us || now_us < flight->begin_us + flight->patience_us + GRACE_US)
			continue;
		s->failures++;
		end_flight(s, flight);
	}
}

static struct flight *next_wish(struct reverse_search *s)
{
	for (size_t i = 0; i < s->flight_count; i++) {
		if (!s->flights[i].begin_us)
			return &s->flights[i];
	}
	return NULL;
}

static void begin(struct reverse_search *s, struct flight *flight, int64_t now_us, struct reverse_request *request)
{
	bool may_be_quiet = s->options.hurry && s->phase == PHASE_COMPARE && flight->mss == s->small && s->small < s->largest;

	flight->id = ++s->next_id;
	flight->begin_us = MAX(now_us, 1);
	flight->quiet_us = may_be_quiet ? QUIET_US : 0;
	s->last_us = now_us;
	s->path.connections++;
	*request = (struct reverse_request){ .id = flight->id,
					     .mss = flight->mss == s->largest ? 0 : flight->mss,
					     .enough = REVERSE_ENOUGH,
					     .deadline_us = now_us + flight->patience_us,
					     .quiet_us = flight->quiet_us };
}

/* When something can change without a packet: a wish may be sent, the large one is late, one may have fallen quiet, an outcome is overdue. */
static int64_t next_change_us(struct reverse_search *s, int64_t now_us)
{
	int64_t wake_us = next_wish(s) ? s->last_us + GAP_US : INT64_MAX;

	for (size_t i = 0; i < s->flight_count; i++) {
		const struct flight *f = &s->flights[i];
		int64_t late_us = f->begin_us + MAX(EARLY_MIN_US, STALL_ANSWERS * s->slowest_us), end_us = f->begin_us + f->patience_us;

		if (!f->begin_us)
			continue;
		if (s->phase == PHASE_COMPARE && late_us > now_us)
			wake_us = MIN(wake_us, late_us);
		if (f->quiet_us)
			wake_us = MIN(wake_us, now_us + f->quiet_us / QUIET_LOOKS);
		wake_us = MIN(wake_us, end_us > now_us ? end_us : f->begin_us + f->patience_us + GRACE_US);
	}
	return wake_us;
}

enum probe_step reverse_search_step(struct reverse_search *s, int64_t now_us, struct reverse_request *request, int64_t *wake_us)
{
	struct flight *wish;

	expire(s, now_us);
	advance(s, now_us);
	if (s->phase == PHASE_DONE)
		return STEP_DONE;
	wish = next_wish(s);
	if (wish && now_us - s->last_us >= GAP_US) {
		begin(s, wish, now_us, request);
		return STEP_SEND;
	}
	*wake_us = next_change_us(s, now_us);
	return STEP_WAIT;
}

/* A segment as large as was asked for came in: the way back takes it, whatever the service does not say after it. */
static bool came_full(const struct flight *flight, const struct reverse_outcome *outcome)
{
	return outcome->witness.rcv_mss + TCP_TIMESTAMP_BYTES >= flight->mss;
}

static uint32_t option_bytes(const struct tcp_witness *witness)
{
	return witness->timestamps ? TCP_TIMESTAMP_BYTES : 0;
}

/* One MSS stands for another from now on. */
static void rename_mss(struct reverse_search *s, uint32_t from, uint32_t to)
{
	struct fate old = *fate_of(s, from), *kept;
	size_t at = (size_t)(fate_of(s, from) - s->fates);

	memmove(&s->fates[at], &s->fates[at + 1], (--s->fate_count - at) * sizeof(s->fates[0]));
	kept = fate_of(s, to);
	kept->open += old.open;
	kept->passed += old.passed;
	kept->stalled += old.stalled;
	kept->quick += old.quick;
	for (size_t i = 0; i < s->flight_count; i++) {
		if (s->flights[i].mss == from)
			s->flights[i].mss = to;
	}
}

/* What was advertised is what the kernel made of the wish: a route's advmss, or its MTU, can leave less of it. */
static void learn_largest(struct reverse_search *s, const struct tcp_witness *witness)
{
	uint32_t advertised = witness->advmss + option_bytes(witness);

	if (!witness->advmss || advertised >= s->largest)
		return;
	rename_mss(s, s->largest, advertised);
	s->largest = advertised;
	if (s->small > advertised)
		rename_mss(s, s->small, advertised);
	s->small = MIN(s->small, advertised);
}

static void see_packet(struct reverse_path *path, enum addr_family family, const struct reverse_outcome *outcome)
{
	const struct tcp_witness *witness = &outcome->witness;

	path->received = MAX(path->received, outcome->received);
	if (outcome->connected && witness->rcv_mss > RCV_MSS_GUESS)
		path->largest_packet = MAX(path->largest_packet, addr_tcp_headers(family) + option_bytes(witness) + witness->rcv_mss);
}

struct reverse_path reverse_search_alone(enum addr_family family, const struct reverse_outcome *outcome)
{
	struct reverse_path path = { .finding = REVERSE_FITS, .largest_mss = outcome->witness.advmss + option_bytes(&outcome->witness), .connections = 1 };

	see_packet(&path, family, outcome);
	return path;
}

static void take(struct reverse_search *s, const struct flight *flight, const struct reverse_outcome *outcome, int64_t now_us)
{
	struct fate *fate = fate_of(s, flight->mss);

	if (!outcome->connected) {
		s->failures++;
	} else if (outcome->received >= REVERSE_ENOUGH) {
		fate->passed++;
		s->slowest_us = MAX(s->slowest_us, now_us - flight->begin_us);
	} else if (outcome->ended || outcome->quiet) {
		s->said_little = s->said_little || s->phase == PHASE_COMPARE;
		s->quiet = s->path.quiet = s->quiet || outcome->quiet;
		s->failures += s->phase != PHASE_COMPARE;
	} else if (came_full(flight, outcome)) {
		s->said_little = s->said_little || s->phase == PHASE_COMPARE;
		fate->passed += s->phase != PHASE_COMPARE;
	} else if (flight->patience_us >= stall_us(s)) {
		fate->stalled++;
	} else {
		fate->quick++;
	}
}

/* The connection with the default MSS is what any other program would see; before it ended, or when none was made, another has to do. */
static void keep_witness(struct reverse_search *s, const struct reverse_outcome *outcome, bool is_default)
{
	bool better = outcome->connected ? !s->witness.connected || (is_default && !s->witness_is_default) : !s->witness.made;

	if (!better)
		return;
	s->witness = outcome->witness;
	s->witness.made = true;
	s->witness_is_default = is_default;
}

void reverse_search_outcome(struct reverse_search *s, const struct reverse_outcome *outcome, int64_t now_us)
{
	struct flight *flight = s->flights;

	while (flight < s->flights + s->flight_count && (!flight->begin_us || flight->id != outcome->id))
		flight++;
	if (flight == s->flights + s->flight_count)
		return;
	keep_witness(s, outcome, flight->mss == s->largest);
	see_packet(&s->path, s->options.family, outcome);
	if (outcome->connected && flight->mss == s->largest)
		learn_largest(s, &outcome->witness);
	if (s->phase != PHASE_DONE)
		take(s, flight, outcome, now_us);
	end_flight(s, flight);
	advance(s, now_us);
}

void reverse_search_stop(struct reverse_search *s, int64_t now_us)
{
	advance(s, now_us);
	s->phase = PHASE_DONE;
}

const struct reverse_path *reverse_search_path(const struct reverse_search *s)
{
	return &s->path;
}

const struct tcp_witness *reverse_search_witness(const struct reverse_search *s)
{
	return s->witness.made ? &s->witness : NULL;
}

void reverse_search_free(struct reverse_search *s)
{
	free(s);
}

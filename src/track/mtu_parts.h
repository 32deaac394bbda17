/* SPDX-License-Identifier: MIT */
/* What the parts of the search for a path MTU share: what was sent, what is known of each size, the round under way, the pace.
 *
 * Everything happens in rounds: a list of probes is planned, sent at the pace, waited for, and closed; only then silence means something, and what to do next is
 * decided anew from what is known of the sizes. So late answers, contradictions and reordering need no paths of their own: the next decision sees them. */
#ifndef TRACK_MTU_PARTS_H
#define TRACK_MTU_PARTS_H

#include "tcptriage/track/mtu_search.h"

/** Probes of one search at most; what is kept back for the hops; and time: whatever the path does, it ends. */
#define MTU_PROBES_MAX 600
#define MTU_PROBES_HOPS 220
#define MTU_TIME_MAX_US 60000000
/** Time between two probes, unless controls are lost. */
#define MTU_SPACING_US 10000
/** Probes of one round at most. */
#define MTU_ROUND_MAX 72
/** Silent tries of a size that make it certain when no control was ever lost; the most that are made, and the least of all sizes above the result together. */
#define MTU_TRIES_SURE 4
#define MTU_TRIES_MOST 8
/** Lost controls tell a share only when so many were sent; fewer for a host that answers only so often. */
#define MTU_CONTROLS_TELL 30
#define MTU_CONTROLS_TELL_LIMITED 10

/** enum mtu_purpose - what a probe is for; FOR_WITNESS: of the side lane, which tells echo from the path; the last two carry a hop limit. */
enum mtu_purpose { FOR_CONTROL, FOR_SIZE, FOR_WITNESS, FOR_HOP, FOR_HOP_LARGE };

/** struct mtu_item - a probe of the plan. @not_before_us: CLOCK_MONOTONIC, 0 as soon as the pace allows. */
struct mtu_item {
	int64_t not_before_us;
	uint32_t size;
	uint8_t purpose, hop_limit;
};

/**
 * struct mtu_sent - a probe that was sent; its id is its index + 1. @reply: enum probe_reply, REPLY_NONE while nothing came. @given_up: its round was closed without an
 * answer. @counted: as a silent try of its size, or a lost control. @reserved: one of the host's answers was set aside for it. @own_limit: this machine cannot send that size.
 */
struct mtu_sent {
	struct mtu_item item;
	int64_t sent_us, deadline_us;
	uint8_t lane, reply;
	bool given_up, counted, reserved, own_limit;
};

/** struct mtu_note - what is known of one size. @tries: probes sent. @lost: silent ones that count, since something as large
 * passed last. @told: answered by "too big" since it passed last, with @word as the least useful MTU (0 none), or with none to be had (@guess). @local: refused by this
 * machine. @unsaid: silent ones right before a smaller one that drew a word. */
struct mtu_note {
	uint32_t size;
	uint32_t word;
	uint16_t tries, passed, lost, told, local, unsaid;
	bool guess;
};
/** struct mtu_sizes - @at: ascending. */
struct mtu_sizes {
	struct mtu_note at[PATH_SIZES_MAX];
	size_t count;
};

/** struct mtu_round - @first: index of its first probe in what was sent. @burst: of its probes that may go out back to back. @until_us: it waits
 * for answers as long as that at least. @held_us: since when its next probe waits for an answer that the host has not yet left; 0 it does not. @behind: a
 * control was sent behind its silent sizes. */
struct mtu_round {
	struct mtu_item plan[MTU_ROUND_MAX];
	unsigned planned, sent, first, burst;
	int64_t last_us, until_us, held_us;
	bool open, behind;
};

/** struct mtu_pace - when probes were sent, newest at @next − 1. @spacing_us: between two of them; grows when controls are lost. */
struct mtu_pace {
	int64_t at_us[MTU_SEARCH_RATE], last_us, spacing_us;
	unsigned next, count;
};

/** struct mtu_budget - answers that the host has left for us, as far as we know. @burst: 0 no limit is known. */
struct mtu_budget {
	double left, burst, per_s;
	int64_t at_us;
};

/**
 * struct mtu_hops - the walk along the hops; arrays by ttl. @next: first that was not asked. @last: farthest router that answered. @distance: of the host, 0 unknown.
 * @control: probe that proves that the router could have answered the large one before it: index in what was sent + 1, 0 none. @proven: it did.
 */
struct mtu_hops {
	uint8_t next, last, distance;
	uint8_t small_tries[PATH_HOPS_MAX + 1], large_tries[PATH_HOPS_MAX + 1];
	int64_t small_us[PATH_HOPS_MAX + 1], large_us[PATH_HOPS_MAX + 1];
	struct addr told_by[PATH_HOPS_MAX + 1];
	bool proven[PATH_HOPS_MAX + 1];
	uint16_t control[PATH_HOPS_MAX + 1];
	uint32_t large;
};

/** enum mtu_course - what becomes of a sender that begins with the largest size and believes what it is told: it learns what passes; that is not known yet; a size vanishes without a word. */
enum mtu_course { COURSE_LEARNS, COURSE_OPEN, COURSE_DIES };

/** enum mtu_stage - CONTACT: does anything answer? NARROW: the size. CONFIRM: the path, or the host's answers? HOPS: the place. */
enum mtu_stage { STAGE_CONTACT, STAGE_NARROW, STAGE_CONFIRM, STAGE_HOPS, STAGE_DONE };

/** struct mtu_witness_state - what another protocol says of sizes that echo does not answer. @rounds: asked. @confirmed: small ones were answered, and large ones not: it is the path. */
struct mtu_witness_state {
	unsigned rounds;
	bool confirmed;
};

/**
 * struct mtu_search - @small: size of controls. @base: that every link should pass. @top: what may be asked for at most: @options.largest, or less when this machine
 * cannot send that; @top_told: it said how much less. @contact_tries. @said: a control's answer that the host cannot be reached. @verified: size, and @verify_rounds of it. @listed: the known sizes
 * were tried. @controls, @controls_lost: at the pace of now. @forgotten: sizes that passed and then did not any more. @voids: rounds in a row in which nothing was answered. @rtt_us: smoothed, −1 none. @exact: the size stands.
 * @lane: of sizes and controls. @witness. @rested: size that failed, and was sent again after a rest; 0 none. @policed: it passed then. @contradictions: sizes that passed after several silences.
 * @told_about: for each word of path.told the smallest size it was said of; @told_useful: it was said of more than its MTU; @told_tries: rounds spent on it.
 */
struct mtu_search {
	struct mtu_search_options options;
	struct mtu_path path;
	struct mtu_sizes sizes;
	struct mtu_sent sent[MTU_PROBES_MAX];
	unsigned sent_count;
	struct mtu_round round;
	struct mtu_pace pace;
	struct mtu_budget budget[LANE_COUNT];
	struct mtu_hops hops;
	struct mtu_witness_state witness;
	enum mtu_stage stage;
	enum probe_lane lane;
	int64_t begun_us, now_us, rtt_us;
	uint32_t small, base, top, verified, rested;
	unsigned contact_tries, verify_rounds, voids, reopened, forgotten, contradictions, controls, controls_lost;
	bool said, listed, exact, concluded, top_told, policed;
	uint32_t told_about[PATH_TOLD_MAX];
	uint8_t told_tries[PATH_TOLD_MAX];
	bool told_useful[PATH_TOLD_MAX];
};

/* mtu_sizes.c */
/** mtu_sizes_note() - the note of @size, new when there is none. Return: NULL when there is no room for another. */
struct mtu_note *mtu_sizes_note(struct mtu_sizes *sizes, uint32_t size);
/** mtu_sizes_find() - the note of @size; NULL none. */
const struct mtu_note *mtu_sizes_find(const struct mtu_sizes *sizes, uint32_t size);
/** mtu_sizes_passed() - the largest size that passed; 0 none. */
uint32_t mtu_sizes_passed(const struct mtu_sizes *sizes);
/** mtu_sizes_failed() - the smallest size that failed, of those above the largest that passed; NULL none. */
const struct mtu_note *mtu_sizes_failed(const struct mtu_sizes *sizes);
/** mtu_sizes_pass() - @note passed: silence of smaller ones was loss. */
void mtu_sizes_pass(struct mtu_sizes *sizes, struct mtu_note *note);
/** mtu_sizes_forget() - @note passed once, and does not any more. */
void mtu_sizes_forget(struct mtu_sizes *sizes, struct mtu_note *note);
/** mtu_sizes_publish() - fills sizes of @path. */
void mtu_sizes_publish(const struct mtu_sizes *sizes, struct mtu_path *path);

/* mtu_pace.c */
/** mtu_pace_when() - from when on a probe may be sent. @burst: without the distance to the one before. */
int64_t mtu_pace_when(const struct mtu_pace *pace, bool burst);
/** mtu_pace_sent() - one was sent at @now_us. */
void mtu_pace_sent(struct mtu_pace *pace, int64_t now_us);
/** mtu_budget_when() - from when on one more answer can be had. Return: @now_us when now. */
int64_t mtu_budget_when(struct mtu_budget *budget, int64_t now_us);
/** mtu_budget_take(), mtu_budget_give(), mtu_budget_empty() - an answer is set aside, was not needed, or: the host has none left. */
void mtu_budget_take(struct mtu_budget *budget, int64_t now_us);
void mtu_budget_give(struct mtu_budget *budget, int64_t now_us);
void mtu_budget_empty(struct mtu_budget *budget, int64_t now_us);

/* mtu_round.c */
/** mtu_round_begin() - an empty plan. */
void mtu_round_begin(struct mtu_search *search);
/** mtu_round_add() - one more probe at the end of the plan; without effect when it is full. */
void mtu_round_add(struct mtu_search *search, enum mtu_purpose purpose, uint32_t size, uint8_t hop_limit, int64_t not_before_us);
/** mtu_round_sizes() - a round of @count sizes, which are sorted, the largest first, with controls before, between and behind them. */
void mtu_round_sizes(struct mtu_search *search, uint32_t *sizes, size_t count);
/** mtu_round_step() - as mtu_search_step(); STEP_DONE: the round is over and was closed. */
enum probe_step mtu_round_step(struct mtu_search *search, int64_t now_us, struct probe_request *request, int64_t *wake_us);
/** mtu_round_wait_us() - how long an answer may take. */
int64_t mtu_round_wait_us(const struct mtu_search *search);
/** mtu_round_limited() - the host answers probes of @lane only so often. */
bool mtu_round_limited(const struct mtu_search *search, enum probe_lane lane);

/* mtu_told.c */
/** mtu_told_heard() - a "packet too big" about @size. */
void mtu_told_heard(struct mtu_search *search, uint32_t size, const struct probe_outcome *outcome);
/** mtu_told_plan() - a round that tries what routers told. Return: false when there is nothing to try. */
bool mtu_told_plan(struct mtu_search *search);
/** mtu_told_judge() - what each word is worth by now; what can be tried counts as untried only while the search goes on. */
void mtu_told_judge(struct mtu_search *search);
/** mtu_told_note() - the word of @outcome about the size of @note. */
void mtu_told_note(const struct mtu_search *search, struct mtu_note *note, const struct probe_outcome *outcome);
/** mtu_told_course() - of a sender that begins with the largest size. @size: where it ends, or what is not known yet. */
enum mtu_course mtu_told_course(const struct mtu_search *search, uint32_t *size);
/** mtu_told_answers() - the word by which a host that sends one byte more than the path MTU learns of it: index, −1 none. */
int mtu_told_answers(const struct mtu_search *search);

/* mtu_narrow.c */
/** mtu_narrow_tries() - silent tries that exclude loss, by what was lost of controls so far. */
unsigned mtu_narrow_tries(const struct mtu_search *search);
/** mtu_narrow_plan() - the next round of sizes. Return: false when the size stands (@search->exact), or no more can be found out. */
bool mtu_narrow_plan(struct mtu_search *search);

/* mtu_confirm.c */
/** mtu_confirm_wanted() - a black hole that rests on echoes alone: the answer is as large as the question, and another protocol can be asked. */
bool mtu_confirm_wanted(const struct mtu_search *search);
/** mtu_confirm_plan() - the next round of the other protocol. Return: false when it has said what it can. */
bool mtu_confirm_plan(struct mtu_search *search);
/** mtu_confirm_close() - a round of it is over. */
void mtu_confirm_close(struct mtu_search *search);
/** mtu_confirm_contradicts() - large packets arrive by the other protocol, or a router tells of them: the question goes to that one. */
bool mtu_confirm_contradicts(const struct mtu_search *search);
/** mtu_confirm_change() - from here on the other protocol searches. */
void mtu_confirm_change(struct mtu_search *search);
/** mtu_confirm_proven() - silence of large probes is the path's doing and not that of the host's answers. */
bool mtu_confirm_proven(const struct mtu_search *search);

/* mtu_hops.c */
/** mtu_hops_plan() - the next round of the walk. Return: false when it is over. */
bool mtu_hops_plan(struct mtu_search *search);
/** mtu_hops_sent() - the probe at @index of what was sent is one of the walk. */
void mtu_hops_sent(struct mtu_search *search, unsigned index);
/** mtu_hops_heard() - an answer to a probe of the walk. */
void mtu_hops_heard(struct mtu_search *search, const struct mtu_sent *sent, const struct probe_outcome *outcome);
/** mtu_hops_lane() - on which its probes go; false: on none. */
bool mtu_hops_lane(const struct mtu_search *search, enum probe_lane *lane);
/** mtu_hops_prove() - a router lets small packets expire, its neighbour nearer by large ones as well: they die between, and both answers are small. */
bool mtu_hops_prove(const struct mtu_search *search);
/** mtu_hops_place() - fills in where the path becomes narrow. */
void mtu_hops_place(struct mtu_search *search);

/* mtu_result.c */
/** mtu_result_publish() - fills the path with what is known now. */
void mtu_result_publish(struct mtu_search *search);

#endif

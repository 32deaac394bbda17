/* SPDX-License-Identifier: MIT */
/* TCP states: the kernel's numbers, ss's spellings, the groups a user may ask for. */
#ifndef TCPTRIAGE_MODEL_STATE_H
#define TCPTRIAGE_MODEL_STATE_H

#include "tcptriage/base/util.h"
#include "tcptriage/base/words.h"

/** enum sock_state - the kernel's numbers (include/net/tcp_states.h); they are also bit numbers in a state mask. */
enum sock_state {
	SOCK_STATE_ESTAB = 1,
	SOCK_STATE_SYN_SENT,
	SOCK_STATE_SYN_RECV,
	SOCK_STATE_FIN_WAIT_1,
	SOCK_STATE_FIN_WAIT_2,
	SOCK_STATE_TIME_WAIT,
	SOCK_STATE_UNCONN,
	SOCK_STATE_CLOSE_WAIT,
	SOCK_STATE_LAST_ACK,
	SOCK_STATE_LISTEN,
	SOCK_STATE_CLOSING,
	SOCK_STATE_NEW_SYN_RECV,   /* only asked for, reported as SYN-RECV */
	SOCK_STATE_BOUND_INACTIVE, /* only asked for, reported as UNCONN (6.8 and later) */
	SOCK_STATE_COUNT
};

#define STATE_BIT(state) (1u << (state))
/** The eleven states of RFC 9293 §3.3.2 as ss knows them, without the two request-only numbers. */
#define STATES_ALL (STATE_BIT(SOCK_STATE_NEW_SYN_RECV) - 2)
/** What ss shows without a selection: everything but LISTEN, UNCONN, SYN-RECV and TIME-WAIT. */
#define STATES_CONNECTED                                                                           \
	(STATES_ALL & ~(STATE_BIT(SOCK_STATE_LISTEN) | STATE_BIT(SOCK_STATE_UNCONN) |             \
			STATE_BIT(SOCK_STATE_SYN_RECV) | STATE_BIT(SOCK_STATE_TIME_WAIT)))

/** sock_state_name() - ss's spelling ("FIN-WAIT-1"); "?" for a number that is no state. */
const char *sock_state_name(unsigned state);
/** sock_state_display_order() - the eleven states in the order of a connection's life, for summaries. */
extern const uint8_t sock_state_display_order[11];
/**
 * sock_state_parse() - a state or group name in any spelling (time-wait, TIME_WAIT, timewait; all, connected, synchronized,
 * bucket, big, listening, closed, bound-inactive) to a state mask. Return: false when unknown.
 */
bool sock_state_parse(const char *text, uint32_t *mask);
/** sock_state_offer_names() - offers every accepted name to a search for the nearest word. */
void sock_state_offer_names(struct words_nearest *search);
/** sock_state_word() - the @index-th accepted name for completion, NULL after the last. */
const char *sock_state_word(size_t index);

#endif

/* SPDX-License-Identifier: MIT */
/* State names as a table: display, parsing and suggestions all read it. */
#include "tcptriage/model/state.h"

static const char *const names[SOCK_STATE_COUNT] = {
	[SOCK_STATE_ESTAB] = "ESTAB",
	[SOCK_STATE_SYN_SENT] = "SYN-SENT",
	[SOCK_STATE_SYN_RECV] = "SYN-RECV",
	[SOCK_STATE_FIN_WAIT_1] = "FIN-WAIT-1",
	[SOCK_STATE_FIN_WAIT_2] = "FIN-WAIT-2",
	[SOCK_STATE_TIME_WAIT] = "TIME-WAIT",
	[SOCK_STATE_UNCONN] = "UNCONN",
	[SOCK_STATE_CLOSE_WAIT] = "CLOSE-WAIT",
	[SOCK_STATE_LAST_ACK] = "LAST-ACK",
	[SOCK_STATE_LISTEN] = "LISTEN",
	[SOCK_STATE_CLOSING] = "CLOSING",
	[SOCK_STATE_NEW_SYN_RECV] = "SYN-RECV",
	[SOCK_STATE_BOUND_INACTIVE] = "UNCONN",
};

const uint8_t sock_state_display_order[11] = {
	SOCK_STATE_ESTAB,      SOCK_STATE_SYN_SENT,   SOCK_STATE_SYN_RECV, SOCK_STATE_FIN_WAIT_1,
	SOCK_STATE_FIN_WAIT_2, SOCK_STATE_TIME_WAIT,  SOCK_STATE_UNCONN,   SOCK_STATE_CLOSE_WAIT,
	SOCK_STATE_LAST_ACK,   SOCK_STATE_LISTEN,     SOCK_STATE_CLOSING,
};

static const struct {
	const char *word;
	uint32_t mask;
} words[] = {
	{ "established", STATE_BIT(SOCK_STATE_ESTAB) },
	{ "estab", STATE_BIT(SOCK_STATE_ESTAB) },
	{ "syn-sent", STATE_BIT(SOCK_STATE_SYN_SENT) },
	{ "syn-recv", STATE_BIT(SOCK_STATE_SYN_RECV) },
	{ "fin-wait-1", STATE_BIT(SOCK_STATE_FIN_WAIT_1) },
	{ "fin-wait-2", STATE_BIT(SOCK_STATE_FIN_WAIT_2) },
	{ "time-wait", STATE_BIT(SOCK_STATE_TIME_WAIT) },
	{ "unconnected", STATE_BIT(SOCK_STATE_UNCONN) },
	{ "unconn", STATE_BIT(SOCK_STATE_UNCONN) },
	{ "closed", STATE_BIT(SOCK_STATE_UNCONN) },
	{ "close", STATE_BIT(SOCK_STATE_UNCONN) },
	{ "close-wait", STATE_BIT(SOCK_STATE_CLOSE_WAIT) },
	{ "last-ack", STATE_BIT(SOCK_STATE_LAST_ACK) },
	{ "listening", STATE_BIT(SOCK_STATE_LISTEN) },
	{ "listen", STATE_BIT(SOCK_STATE_LISTEN) },
	{ "closing", STATE_BIT(SOCK_STATE_CLOSING) },
	{ "all", STATES_ALL },
	{ "connected", STATES_ALL & ~(STATE_BIT(SOCK_STATE_UNCONN) | STATE_BIT(SOCK_STATE_LISTEN)) },
	{ "synchronized", STATES_ALL & ~(STATE_BIT(SOCK_STATE_UNCONN) | STATE_BIT(SOCK_STATE_LISTEN) |
					 STATE_BIT(SOCK_STATE_SYN_SENT)) },
	{ "bucket", STATE_BIT(SOCK_STATE_SYN_RECV) | STATE_BIT(SOCK_STATE_TIME_WAIT) },
	{ "big", STATES_ALL & ~(STATE_BIT(SOCK_STATE_SYN_RECV) | STATE_BIT(SOCK_STATE_TIME_WAIT)) },
	{ "bound-inactive", STATE_BIT(SOCK_STATE_BOUND_INACTIVE) },
};

const char *sock_state_name(unsigned state)
{
	return state < SOCK_STATE_COUNT && names[state] ? names[state] : "?";
}

/* Letters and digits only, lower case: every spelling of a name becomes one. */
static void squeeze(const char *text, char *out, size_t size)
{
	size_t n = 0;

	for (; *text && n + 1 < size; text++)
		if (*text != '-' && *text != '_')
			out[n++] = *text >= 'A' && *text <= 'Z' ? (char)(*text | 0x20) : *text;
	out[*text ? 0 : n] = '\0';
}

bool sock_state_parse(const char *text, uint32_t *mask)
{
	char wanted[32], known[32];

	squeeze(text, wanted, sizeof(wanted));
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		squeeze(words[i].word, known, sizeof(known));
		if (*wanted && !__builtin_strcmp(wanted, known)) {
			*mask = words[i].mask;
			return true;
		}
	}
	return false;
}

void sock_state_offer_names(struct words_nearest *search)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		words_offer(search, words[i].word);
}

const char *sock_state_word(size_t index)
{
	return index < ARRAY_SIZE(words) ? words[index].word : NULL;
}

/* SPDX-License-Identifier: MIT */
/* The time before a packet: of day, with date, since 1970, since the packet before or the first. */
#include "src/render/packet_parts.h"

#include <assert.h>
#include <time.h>

#define NS_PER_SECOND 1000000000

static char *put_digits(char *at, uint32_t value, unsigned digits)
{
	for (unsigned i = digits; i--; value /= 10)
		at[i] = (char)('0' + value % 10);
	return at + digits;
}

static char *put_fraction(char *at, uint32_t ns)
{
	*at++ = '.';
	return put_digits(at, ns / 1000, 6);
}

/* Whole seconds, rounded down also before 1970. */
static int64_t split(int64_t time_ns, uint32_t *ns)
{
	int64_t second = time_ns / NS_PER_SECOND, rest = time_ns % NS_PER_SECOND;

	if (rest < 0) {
		second--;
		rest += NS_PER_SECOND;
	}
	*ns = (uint32_t)rest;
	return second;
}

/* localtime() costs more than the rest of a line: once a second is enough. */
static void format_second(struct packet_text *text, int64_t second)
{
	time_t clock = (time_t)second;
	struct tm local = { 0 };

	localtime_r(&clock, &local);
	text->second_len = (uint8_t)(text->options.time == PACKET_TIME_DATE ?
					     strftime(text->second_text, sizeof(text->second_text), "%Y-%m-%d %H:%M:%S", &local) :
					     strftime(text->second_text, sizeof(text->second_text), "%H:%M:%S", &local));
	text->second = second;
}

static char *put_local(char *at, struct packet_text *text, int64_t time_ns)
{
	uint32_t ns;
	int64_t second = split(time_ns, &ns);

	if (UNLIKELY(second != text->second || !text->second_len))
		format_second(text, second);
	at = put_mem(at, text->second_text, text->second_len);
	return put_fraction(at, ns);
}

static char *put_epoch(char *at, struct packet_text *text, int64_t time_ns)
{
	uint32_t ns;
	int64_t second = split(time_ns, &ns);

	(void)text;
	if (second < 0)
		*at++ = '-';
	at = put_u64(at, second < 0 ? -(uint64_t)second : (uint64_t)second);
	return put_fraction(at, ns);
}

/* Both times are cut to the digits that are shown before they are subtracted, so that shown times and differences add up. */
static char *put_difference(char *at, int64_t from_ns, int64_t to_ns)
{
	int64_t ns = (to_ns / 1000 - from_ns / 1000) * 1000;
	uint64_t length = ns < 0 ? -(uint64_t)ns : (uint64_t)ns, seconds = length / NS_PER_SECOND;

	*at++ = ns < 0 ? '-' : ' ';
	if (seconds < 36000)
		*at++ = '0';
	at = put_u64(at, seconds / 3600);
	*at++ = ':';
	at = put_digits(at, (uint32_t)(seconds / 60 % 60), 2);
	*at++ = ':';
	at = put_digits(at, (uint32_t)(seconds % 60), 2);
	return put_fraction(at, (uint32_t)(length % NS_PER_SECOND));
}

static char *put_since_last(char *at, struct packet_text *text, int64_t time_ns)
{
	return put_difference(at, text->last_ns, time_ns);
}

static char *put_since_first(char *at, struct packet_text *text, int64_t time_ns)
{
	return put_difference(at, text->first_ns, time_ns);
}

static char *(*const times[])(char *at, struct packet_text *text, int64_t time_ns) = {
	[PACKET_TIME_CLOCK] = put_local,
	[PACKET_TIME_NONE] = NULL,
	[PACKET_TIME_EPOCH] = put_epoch,
	[PACKET_TIME_SINCE_LAST] = put_since_last,
	[PACKET_TIME_DATE] = put_local,
	[PACKET_TIME_SINCE_FIRST] = put_since_first,
};
static_assert(ARRAY_SIZE(times) == PACKET_TIME_COUNT, "a writer for every time");

char *packet_time_put(char *at, struct packet_text *text, int64_t time_ns)
{
	if (!times[text->options.time])
		return at;
	if (UNLIKELY(!text->started)) {
		text->started = true;
		text->first_ns = text->last_ns = time_ns;
	}
	at = times[text->options.time](at, text, time_ns);
	text->last_ns = time_ns;
	*at++ = ' ';
	return at;
}

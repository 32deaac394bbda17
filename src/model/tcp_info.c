/* SPDX-License-Identifier: MIT */
/* The rows of tcp_info.def as data. */
#include "tcptriage/model/tcp_info.h"

#include <assert.h>

const struct tcpi_field tcpi_fields[TCPI_COUNT] = {
#define TCPI(id, field, json, at, width, first, measure)                                           \
	[TCPI_##id] = { .name = field,                                                             \
			.key = json,                                                               \
			.offset = at,                                                              \
			.need = at + ((width) + 7) / 8,                                            \
			.bits = width,                                                             \
			.shift = first,                                                            \
			.unit = measure },
#include "tcptriage/model/tcp_info.def"
#undef TCPI
};

#define TCPI(id, name, key, offset, bits, shift, unit)                                             \
	static_assert((offset) + ((bits) + 7) / 8 <= TCP_INFO_MAX, "inside the longest tcp_info");
#include "tcptriage/model/tcp_info.def"
#undef TCPI

enum tcpi_id tcpi_find(const char *name)
{
	for (unsigned i = 0; i < TCPI_COUNT; i++)
		if (!strcmp(name, tcpi_fields[i].name) || !strcmp(name, tcpi_fields[i].key))
			return (enum tcpi_id)i;
	return TCPI_COUNT;
}

static const struct {
	const char *word;
	enum tcpi_id id;
} words[] = {
	{ "minrtt", TCPI_MIN_RTT },	  { "cwnd", TCPI_SND_CWND },
	{ "ssthresh", TCPI_SND_SSTHRESH }, { "mss", TCPI_SND_MSS },
	{ "rcvmss", TCPI_RCV_MSS },	  { "retrans", TCPI_TOTAL_RETRANS },
	{ "lastsnd", TCPI_LAST_DATA_SENT }, { "lastrcv", TCPI_LAST_DATA_RECV },
	{ "lastack", TCPI_LAST_ACK_RECV }, { "notsent", TCPI_NOTSENT_BYTES },
	{ "busy", TCPI_BUSY_TIME },
};

enum tcpi_id tcpi_find_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i].word, word))
			return words[i].id;
	return tcpi_find(word);
}

const char *tcpi_word(size_t index)
{
	return index < ARRAY_SIZE(words) ? words[index].word : NULL;
}

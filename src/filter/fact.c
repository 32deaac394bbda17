/* SPDX-License-Identifier: MIT */
/* The numbers of a socket that a filter can compare, as a table; the fields of tcp_info come from the table that decodes them. */
#include <string.h>

#include "filter/tree.h"

static bool is_last_time(unsigned id)
{
	return id == TCPI_LAST_DATA_SENT || id == TCPI_LAST_DATA_RECV || id == TCPI_LAST_ACK_RECV;
}

/* Values by which the kernel says "not measured" (net/ipv4/tcp.c, tcp_get_info): no round trip yet, no path MTU before a route, a
 * moment that it does not remember at all. */
static bool says_nothing(unsigned id, uint64_t value)
{
	switch (id) {
	case TCPI_RTT:
	case TCPI_RCV_RTT:
	case TCPI_PMTU:
	case TCPI_LAST_ACK_SENT:
		return value == 0;
	case TCPI_MIN_RTT:
		return value == 0 || value == UINT32_MAX;
	default:
		return false;
	}
}

static bool get_tcpi(const struct sock *sock, unsigned arg, uint64_t *value)
{
	/* A listener's unacked and sacked are queue lengths, the rest of its tcp_info is empty; before the handshake the times since
	 * the last data count from boot. */
	if (sock->state == SOCK_STATE_LISTEN || !tcpi_has(&sock->info, (enum tcpi_id)arg))
		return false;
	if (sock->state == SOCK_STATE_SYN_SENT && is_last_time(arg))
		return false;
	*value = tcpi_get(&sock->info, (enum tcpi_id)arg);
	return !says_nothing(arg, *value);
}

static bool get_skmem(const struct sock *sock, unsigned arg, uint64_t *value)
{
	*value = sock->skmem[arg];
	return sock->has & SOCK_HAS_SKMEM;
}

static bool get_recv_q(const struct sock *sock, unsigned arg, uint64_t *value)
{
	(void)arg;
	*value = sock->recv_q;
	return true;
}

static bool get_send_q(const struct sock *sock, unsigned arg, uint64_t *value)
{
	(void)arg;
	*value = sock->send_q;
	return true;
}

static bool get_idle(const struct sock *sock, unsigned arg, uint64_t *value)
{
	int64_t idle_ms = sock_idle_ms(sock);

	(void)arg;
	*value = (uint64_t)idle_ms;
	return idle_ms >= 0;
}

#define OF_TCPI(word, id) { word, get_tcpi, TCPI_##id, FILTER_NEEDS_TCP_INFO, UNIT_NONE, 1 }
#define OF_SKMEM(word, id, unit) { word, get_skmem, SKMEM_##id, FILTER_NEEDS_SKMEM, unit, 1 }

/* What is no field of tcp_info; those come from their own table, by ss's word or the kernel's name. */
static const struct fact facts[] = {
	{ "recvq", get_recv_q, 0, 0, UNIT_BYTES, 1 },
	{ "sendq", get_send_q, 0, 0, UNIT_BYTES, 1 },
	{ "idle", get_idle, 0, FILTER_NEEDS_TCP_INFO, UNIT_MS, 1 },
	OF_SKMEM("rmem", RMEM, UNIT_BYTES),
	OF_SKMEM("rcvbuf", RCVBUF, UNIT_BYTES),
	OF_SKMEM("wmem", WMEM_QUEUED, UNIT_BYTES),
	OF_SKMEM("sndbuf", SNDBUF, UNIT_BYTES),
	OF_SKMEM("drops", DROPS, UNIT_COUNT),
};

static const struct fact *find_word(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		if (!strcmp(facts[i].name, name))
			return &facts[i];
	return NULL;
}

bool fact_find(const char *name, struct fact *out)
{
	const struct fact *word = find_word(name);
	enum tcpi_id id;

	*out = word ? *word : (struct fact)OF_TCPI(name, COUNT);
	if (!word) {
		id = strncmp(name, "tcpi_", 5) ? tcpi_find_word(name) : tcpi_find(name + 5);
		if (id == TCPI_COUNT)
			return false;
		out->arg = id;
	}
	if (out->get == get_tcpi)
		out->unit = (enum unit)tcpi_fields[out->arg].unit;
	out->scale = out->unit == UNIT_S ? 1000000 : out->unit == UNIT_MS ? 1000 : 1;
	return true;
}

const char *fact_word(size_t index)
{
	size_t ss_words = 0;

	if (index < ARRAY_SIZE(facts))
		return facts[index].name;
	index -= ARRAY_SIZE(facts);
	for (; tcpi_word(ss_words); ss_words++)
		if (ss_words == index)
			return tcpi_word(index);
	index -= ss_words;
	for (unsigned id = 0; id < TCPI_COUNT; id++)
		if (id != TCPI_STATE && id != TCPI_RETRANS && !index--)
			return tcpi_fields[id].name;
	return NULL;
}

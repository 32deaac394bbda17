/* SPDX-License-Identifier: MIT */
/* Any bytes as an answer of sock_diag: as one message's payload, and as a datagram whose messages are walked and decoded. */
#include <string.h>

#include "tcptriage/collect/netlink.h"
#include "tcptriage/collect/sock_diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads what a caller would: every byte that the decoder calls part of the socket. */
static int touch(const struct sock *sock, void *context)
{
	uint64_t *sum = context;

	BUG_ON(sock->state == 0 || sock->state > SOCK_STATE_CLOSING || sock->family >= ADDR_FAMILY_COUNT);
	BUG_ON(sock->info.len > TCP_INFO_MAX || !memchr(sock->cong, '\0', sizeof(sock->cong)) ||
	       !memchr(sock->ulp, '\0', sizeof(sock->ulp)));
	for (unsigned id = 0; id < TCPI_COUNT; id++)
		*sum += sock_tcpi(sock, (enum tcpi_id)id);
	*sum += (uint64_t)sock_age_ms(sock, 120000, 60000, NULL) + (uint64_t)sock_idle_ms(sock);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static volatile uint64_t sink;
	struct netlink_dump_result dump = { 0 };
	struct diag_result result = { 0 };
	uint64_t sum = 0;
	struct sock_diag_tally tally = { .netid = NETID_TCP, .states = UINT32_MAX, .families = 3, .fn = touch, .context = &sum, .result = &result };
	/* libFuzzer's bytes stand anywhere; a receive buffer is aligned, and exactly as long, so that a read behind it is seen */
	uint8_t *buf = xmalloc(size ? size : 1);
	struct sock sock;
	bool done = false;

	if (size)
		memcpy(buf, data, size);
	if (inet_diag_decode(data, size, (enum netid)(size % NETID_COUNT), &sock) == DECODE_OK)
		touch(&sock, &sum);
	netlink_walk(buf, size, 0, sock_diag_take, &tally, &dump, &done);
	BUG_ON(result.sockets > dump.messages);
	sink = sum;
	(void)sink;
	free_ptr(&buf);
	return 0;
}

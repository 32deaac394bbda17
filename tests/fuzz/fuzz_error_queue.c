/* SPDX-License-Identifier: MIT */
/* Any bytes as control messages of the error queue, and as an ICMP message, alone or behind an IPv4 header: the first byte chooses what and how much of it was captured. */
#include <string.h>

#include "tcptriage/decode/error_queue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_control(struct cursor c)
{
	struct queued_error error;
	enum decode_status status = queued_error_decode(c, &error);

	BUG_ON(status >= DECODE_STATUS_COUNT || error.class >= ICMP_CLASS_COUNT || error.family >= ADDR_FAMILY_COUNT || error.origin > QUEUED_ICMP);
	BUG_ON(error.error < 0 || (error.has_offender && error.offender.family >= ADDR_FAMILY_COUNT));
	BUG_ON(error.origin != QUEUED_ICMP && error.class != ICMP_OTHER);
	BUG_ON(status == DECODE_UNSUPPORTED && (error.has_offender || error.error));
	control_hop_limit(c);
}

static void fuzz_echo(struct cursor c, unsigned how)
{
	struct icmp_echo echo;
	enum decode_status status = how & 2 ? icmp_echo_decode_ipv4(c, &echo) : icmp_echo_decode(c, how & 1 ? ADDR_V6 : ADDR_V4, &echo);

	if (status != DECODE_OK)
		return;
	BUG_ON(echo.class != ICMP_ECHO_REQUEST && echo.class != ICMP_ECHO_REPLY);
	BUG_ON(echo.payload.p < c.p + 8 || echo.payload.p + echo.payload.captured_left > c.p + c.captured_left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *exact;
	size_t len;

	if (!size)
		return 0;
	len = size - 1;
	exact = xmalloc(len ? len : 1); /* exactly as long, so that a read behind it is seen */
	memcpy(exact, data + 1, len);
	if (data[0] & 4)
		fuzz_echo(cursor_of_cut(exact, len, data[0] & 8 ? len + 1000 : len), data[0] & 3);
	else
		fuzz_control(cursor_of(exact, len));
	free_ptr(&exact);
	return 0;
}

/* SPDX-License-Identifier: MIT */
/* Control messages of recvmsg() and the echo messages that come with them.
 *
 * A control message (struct cmsghdr, include/linux/socket.h), in this machine's order; the next one begins at the next multiple of size_t:
 *   length:size_t, header included | level:int | type:int | data
 * struct sock_extended_err (include/uapi/linux/errqueue.h), then the address of who sent the message (SO_EE_OFFENDER):
 *   errno:32 | origin | type | code | pad | info:32 | data:32 | family:16 | sockaddr_in: port:16 address[4], sockaddr_in6: port:16 flowinfo:32 address[16] scope:32
 * put_cmsg() (net/core/scm.c) cuts the last message to the room that is left and writes the cut length into it. */
#include "tcptriage/decode/error_queue.h"

#include <time.h> /* which the next one needs and does not include */
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "layers.h"

#define CONTROL_ALIGN(n) (((n) + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1))
#define CONTROL_HEADER CONTROL_ALIGN(sizeof(size_t) + 8)

/* One control message. */
struct control {
	uint32_t level, type;
	struct cursor data;
};

static bool take_length(struct cursor *c, uint64_t *length)
{
	uint32_t word;

	if (sizeof(size_t) == 8)
		return cursor_u64ne(c, length);
	if (!cursor_u32ne(c, &word))
		return false;
	*length = word;
	return true;
}

/* Every ATTR_OK moves @c by a header at least, so a loop ends. */
static enum attr_step control_next(struct cursor *c, struct control *out)
{
	struct cursor header;
	uint64_t length = 0;
	size_t data;

	if (!c->captured_left)
		return ATTR_END;
	if (!cursor_take(c, CONTROL_HEADER, &header))
		return ATTR_TRUNCATED;
	take_length(&header, &length);
	cursor_u32ne(&header, &out->level);
	cursor_u32ne(&header, &out->type);
	if (length < CONTROL_HEADER)
		return ATTR_MALFORMED;
	if (length - CONTROL_HEADER > c->captured_left)
		return ATTR_TRUNCATED;
	data = (size_t)length - CONTROL_HEADER;
	cursor_take(c, data, &out->data);
	cursor_skip(c, MIN(CONTROL_ALIGN(data) - data, c->captured_left));
	return ATTR_OK;
}

/* A hop limit, which the kernel hands out as an int. Return: false when @control is none. */
static bool take_hop_limit(const struct control *control, uint8_t *out)
{
	struct cursor data = control->data;
	uint32_t value;

	if (!(control->level == IPPROTO_IP && control->type == IP_TTL) && !(control->level == IPPROTO_IPV6 && control->type == IPV6_HOPLIMIT))
		return false;
	if (!cursor_u32ne(&data, &value) || value > UINT8_MAX)
		return false;
	*out = (uint8_t)value;
	return true;
}

/* An IPv4 router's answer to an IPv6 socket comes as a v4-mapped address. */
static void take_v6(struct cursor *c, struct addr *out)
{
	static const struct addr mapped = { .bytes = { [10] = 0xff, [11] = 0xff }, .family = ADDR_V6 };
	struct cursor last;

	addr_take_v6(c, out);
	if (!addr_in_prefix(out, &mapped, 96))
		return;
	last = cursor_of(out->bytes + 12, 4);
	addr_take_v4(&last, out);
}

static enum decode_status take_offender(struct cursor *c, struct queued_error *out)
{
	struct cursor address;
	uint16_t family;

	if (!cursor_u16ne(c, &family))
		return DECODE_OK; /* a kernel that names nobody */
	if (family != AF_INET && family != AF_INET6)
		return DECODE_OK;
	if (!cursor_take(c, family == AF_INET ? 6 : 22, &address))
		return DECODE_TRUNCATED;
	cursor_skip(&address, family == AF_INET ? 2 : 6);
	if (family == AF_INET)
		addr_take_v4(&address, &out->offender);
	else
		take_v6(&address, &out->offender);
	out->has_offender = true;
	return DECODE_OK;
}

static const struct {
	uint8_t origin, family;
} origins[] = {
	[SO_EE_ORIGIN_LOCAL] = { QUEUED_LOCAL, ADDR_FAMILY_COUNT },
	[SO_EE_ORIGIN_ICMP] = { QUEUED_ICMP, ADDR_V4 },
	[SO_EE_ORIGIN_ICMP6] = { QUEUED_ICMP, ADDR_V6 },
};

static enum decode_status take_error(const struct control *control, struct queued_error *out)
{
	struct cursor c = control->data;
	uint32_t error, info;
	uint8_t origin;

	if (!cursor_u32ne(&c, &error) || !cursor_u8(&c, &origin) || !cursor_u8(&c, &out->type) || !cursor_u8(&c, &out->code) || !cursor_skip(&c, 1) ||
	    !cursor_u32ne(&c, &info) || !cursor_skip(&c, 4))
		return DECODE_TRUNCATED;
	if (error > INT32_MAX)
		return DECODE_MALFORMED;
	out->error = (int)error;
	out->mtu = info;
	out->origin = origin < ARRAY_SIZE(origins) ? origins[origin].origin : QUEUED_OTHER;
	out->family = control->level == IPPROTO_IPV6 ? ADDR_V6 : ADDR_V4;
	if (out->origin == QUEUED_ICMP) {
		out->family = origins[origin].family;
		out->class = (uint8_t)icmp_class_of(out->family == ADDR_V6, out->type, out->code);
	}
	return take_offender(&c, out);
}

static bool is_error(const struct control *control)
{
	return (control->level == IPPROTO_IP && control->type == IP_RECVERR) || (control->level == IPPROTO_IPV6 && control->type == IPV6_RECVERR);
}

enum decode_status queued_error_decode(struct cursor control, struct queued_error *out)
{
	enum decode_status status = DECODE_UNSUPPORTED;
	struct control one;
	enum attr_step step;

	memset(out, 0, sizeof(*out));
	while ((step = control_next(&control, &one)) == ATTR_OK) {
		if (!take_hop_limit(&one, &out->ttl) && is_error(&one) && status == DECODE_UNSUPPORTED)
			status = take_error(&one, out);
	}
	if (step == ATTR_MALFORMED)
		return DECODE_MALFORMED;
	return step == ATTR_TRUNCATED ? DECODE_TRUNCATED : status;
}

uint8_t control_hop_limit(struct cursor control)
{
	struct control one;
	uint8_t ttl = 0;

	while (control_next(&control, &one) == ATTR_OK) {
		if (take_hop_limit(&one, &ttl))
			return ttl;
	}
	return 0;
}

enum decode_status icmp_echo_decode(struct cursor message, enum addr_family family, struct icmp_echo *out)
{
	enum decode_status status = cursor_lacks(&message, 8);
	uint8_t type, code;

	if (status != DECODE_OK)
		return status;
	cursor_u8(&message, &type);
	cursor_u8(&message, &code);
	cursor_skip(&message, 2);
	cursor_u16be(&message, &out->id);
	cursor_u16be(&message, &out->seq);
	out->class = (uint8_t)icmp_class_of(family == ADDR_V6, type, code);
	out->payload = message;
	return code == 0 && (out->class == ICMP_ECHO_REQUEST || out->class == ICMP_ECHO_REPLY) ? DECODE_OK : DECODE_UNSUPPORTED;
}

enum decode_status icmp_echo_decode_ipv4(struct cursor packet, struct icmp_echo *out)
{
	struct ip_reading how = { .outermost = true };
	struct ip_header ip;
	enum decode_status status = ipv4_decode(&packet, &ip, &how);

	if (status != DECODE_OK)
		return status;
	if (ip.protocol != PROTOCOL_ICMP || ip.offset)
		return DECODE_UNSUPPORTED;
	return icmp_echo_decode(packet, ADDR_V4, out);
}

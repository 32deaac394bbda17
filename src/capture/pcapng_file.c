/* SPDX-License-Identifier: MIT */
/* pcapng files (draft-ietf-opsawg-pcapng), read block by block.
 *
 * A file is one or more sections, each in a byte order of its own and with its own interfaces, numbered from 0:
 *   block type | block length | body, padded to 32 bits | block length
 *   section header:  byte order | version major minor | section length[2] | options
 *   interface:       link type reserved | snaplen | options
 *   packet:          interface (obsolete: interface drops) | time high low | captured | on the wire | bytes | options
 *   simple packet:   on the wire | bytes
 *   statistics:      interface | time high low | options
 *   option:          code length | value, padded to 32 bits
 * All other blocks (names, secrets, custom ones) are passed over. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/capture_file.h"
#include "capture/dlt.h"
#include "capture/pcapng_format.h"
#include "capture/time_scale.h"
#include "tcptriage/decode/cursor.h"

#define BLOCK_BYTES_MAX (16 * 1024 * 1024)
#define SECTION_INTERFACES_MAX 65536
/* So many blocks in a row without a packet, then the caller may look whether it was told to stop. */
#define BLOCKS_AT_ONCE 4096
#define OLD_DROPS_UNKNOWN 0xffff

/* @index: in the run. @received, @dropped_…: last statistics, which are sums since the capture began. @dropped_between: told packet by packet. */
struct section_interface {
	uint32_t index, link_type, snaplen;
	struct time_scale clock;
	uint64_t received, dropped_kernel, dropped_interface, dropped_between;
	bool has_statistics;
};

/* @last_ns: of the newest packet, for simple packets, which have no time. */
struct pcapng_file {
	bool swapped;
	struct section_interface *interfaces;
	unsigned count, room;
	uint64_t blocks;
	int64_t last_ns;
};

struct block {
	uint32_t type;
	struct cursor body;
};

struct option {
	uint16_t code;
	struct cursor value;
};

static bool take_u16(const struct pcapng_file *p, struct cursor *c, uint16_t *out)
{
	if (!cursor_u16ne(c, out))
		return false;
	if (p->swapped)
		*out = __builtin_bswap16(*out);
	return true;
}

static bool take_u32(const struct pcapng_file *p, struct cursor *c, uint32_t *out)
{
	if (!cursor_u32ne(c, out))
		return false;
	if (p->swapped)
		*out = __builtin_bswap32(*out);
	return true;
}

static bool take_u64(const struct pcapng_file *p, struct cursor *c, uint64_t *out)
{
	if (!cursor_u64ne(c, out))
		return false;
	if (p->swapped)
		*out = __builtin_bswap64(*out);
	return true;
}

/* Time stamps are two halves, the high one first in either byte order. */
static bool take_time(const struct pcapng_file *p, struct cursor *c, uint64_t *units)
{
	uint32_t high, low;

	if (!take_u32(p, c, &high) || !take_u32(p, c, &low))
		return false;
	*units = (uint64_t)high << 32 | low;
	return true;
}

static int malformed(const struct capture_file *file, struct err *err, const char *format, ...) PRINTF_LIKE(3, 4);

static int malformed(const struct capture_file *file, struct err *err, const char *format, ...)
{
	const struct pcapng_file *p = file->state;
	char what[160];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return err_set(err, -EBADMSG, "%s: broken after %llu packets: block %llu: %s", file->name, (unsigned long long)file->packets,
		       (unsigned long long)p->blocks, what);
}

static int cut(const struct capture_file *file, struct err *err)
{
	return err_set(err, -EBADMSG, "%s: cut in the middle of a block after %llu packets", file->name, (unsigned long long)file->packets);
}

/* The next option of @c. Every true moves @c by at least four bytes. Return: false at the end; then @whole tells whether the list ended well. */
static bool next_option(const struct pcapng_file *p, struct cursor *c, struct option *option, bool *whole)
{
	uint16_t len;

	*whole = !c->captured_left;
	if (!take_u16(p, c, &option->code) || !take_u16(p, c, &len))
		return false;
	*whole = option->code == PCAPNG_END;
	if (option->code == PCAPNG_END || !cursor_take(c, len, &option->value))
		return false;
	/* the block's length is a multiple of four, so only a lie lacks the padding */
	return cursor_skip(c, -(size_t)len & 3);
}

/* The byte order comes first of all, for it governs even the length of the block that tells it. */
static int read_byte_order(struct capture_file *file, const uint8_t *head, struct err *err)
{
	struct pcapng_file *p = file->state;
	struct cursor c = cursor_of(head, PCAPNG_BLOCK_HEAD + sizeof(uint32_t));
	uint32_t order = 0;

	cursor_skip(&c, PCAPNG_BLOCK_HEAD);
	cursor_u32ne(&c, &order);
	if (order != PCAPNG_BYTE_ORDER && order != __builtin_bswap32(PCAPNG_BYTE_ORDER))
		return malformed(file, err, "its byte order mark is 0x%08x", order);
	p->swapped = order != PCAPNG_BYTE_ORDER;
	return 0;
}

static int check_length(const struct capture_file *file, uint32_t length, struct err *err)
{
	if (length < PCAPNG_BLOCK_MIN || length % 4)
		return malformed(file, err, "its length of %u bytes is no multiple of 4 from %u on", length, PCAPNG_BLOCK_MIN);
	if (length > BLOCK_BYTES_MAX)
		return malformed(file, err, "its length of %u bytes is more than %u", length, BLOCK_BYTES_MAX);
	return 0;
}

/* Return: 1 with @block, whose bytes stay until the next call; 0 at the end; -EINTR; -EBADMSG or another -errno with @err. */
static int next_block(struct capture_file *file, struct block *block, struct err *err)
{
	struct pcapng_file *p = file->state;
	uint32_t length = 0, again = 0;
	const uint8_t *bytes;
	struct cursor c;
	ssize_t n = stream_peek(&file->stream, PCAPNG_BLOCK_MIN, &bytes);
	int status = 0;

	if (n <= 0)
		return n == -EINTR || !n ? (int)n : capture_file_failed(file, n, err);
	if (n < PCAPNG_BLOCK_MIN)
		return cut(file, err);
	p->blocks++;
	c = cursor_of(bytes, PCAPNG_BLOCK_HEAD);
	cursor_u32ne(&c, &block->type);
	if (block->type == PCAPNG_SECTION)
		status = read_byte_order(file, bytes, err);
	else if (p->swapped)
		block->type = __builtin_bswap32(block->type);
	take_u32(p, &c, &length);
	if (!status)
		status = check_length(file, length, err);
	if (status)
		return status;
	n = stream_peek(&file->stream, length, &bytes);
	if (n < (ssize_t)length) {
		p->blocks--;
		return n == -EINTR ? -EINTR : n < 0 ? capture_file_failed(file, n, err) : cut(file, err);
	}
	c = cursor_of(bytes, length);
	cursor_skip(&c, PCAPNG_BLOCK_HEAD);
	cursor_take(&c, length - PCAPNG_BLOCK_MIN, &block->body);
	take_u32(p, &c, &again);
	if (again != length)
		return malformed(file, err, "its length is %u bytes in front and %u behind", length, again);
	stream_skip(&file->stream, length);
	return 1;
}

static int take_section(struct capture_file *file, struct block *block, struct err *err)
{
	struct pcapng_file *p = file->state;
	uint16_t major, minor;
	uint32_t order;

	if (!take_u32(p, &block->body, &order) || !take_u16(p, &block->body, &major) || !take_u16(p, &block->body, &minor) ||
	    !cursor_skip(&block->body, sizeof(uint64_t)))
		return malformed(file, err, "too short for a section header");
	if (major != 1)
		return malformed(file, err, "pcapng version %u.%u is not known", major, minor);
	p->count = 0;
	return 0;
}

/* The name as a string in @name, cut at the first NUL and at INTERFACES_NAME_MAX bytes. */
static void copy_name(struct cursor value, char name[INTERFACES_NAME_MAX + 1])
{
	size_t len = strnlen((const char *)value.p, MIN(value.captured_left, (size_t)INTERFACES_NAME_MAX));

	cursor_bytes(&value, name, len);
	name[len] = '\0';
}

static bool take_interface_options(const struct pcapng_file *p, struct cursor *c, struct section_interface *row, char *name)
{
	struct option option;
	uint64_t offset;
	bool whole;

	while (next_option(p, c, &option, &whole)) {
		if (option.code == PCAPNG_IF_NAME)
			copy_name(option.value, name);
		else if (option.code == PCAPNG_IF_TSRESOL && !cursor_u8(&option.value, &row->clock.resolution))
			return false;
		else if (option.code == PCAPNG_IF_TSOFFSET) {
			if (!take_u64(p, &option.value, &offset))
				return false;
			row->clock.offset_s = (int64_t)offset;
		}
	}
	return whole;
}

static struct section_interface *add_interface(struct pcapng_file *p)
{
	if (p->count == p->room) {
		p->room = p->room ? 2 * p->room : 4;
		p->interfaces = xrealloc_array(p->interfaces, p->room, sizeof(*p->interfaces));
	}
	return &p->interfaces[p->count++];
}

static int take_interface(struct capture_file *file, struct block *block, struct err *err)
{
	struct section_interface row = { .clock.resolution = TIME_SCALE_MICROSECONDS };
	struct pcapng_file *p = file->state;
	char name[INTERFACES_NAME_MAX + 1] = "";
	uint16_t link_type, reserved;
	int index;

	if (!take_u16(p, &block->body, &link_type) || !take_u16(p, &block->body, &reserved) || !take_u32(p, &block->body, &row.snaplen))
		return malformed(file, err, "too short for an interface");
	/* without them the times of its packets would be guesses */
	if (!take_interface_options(p, &block->body, &row, name))
		return malformed(file, err, "the options of interface %u are broken", p->count);
	if (p->count == SECTION_INTERFACES_MAX)
		return malformed(file, err, "more than %u interfaces in a section", SECTION_INTERFACES_MAX);
	row.link_type = dlt_to_link_type(link_type);
	index = capture_file_interface(file, name, row.link_type, row.snaplen, err);
	if (index < 0)
		return index;
	row.index = (uint32_t)index;
	file->facts->nanoseconds |= time_scale_needs_ns(&row.clock);
	*add_interface(p) = row;
	return 0;
}

static void fill_frame(struct frame *frame, const struct section_interface *row, struct cursor bytes, uint32_t wire, int64_t time_ns)
{
	uint32_t captured = (uint32_t)bytes.captured_left;

	*frame = (struct frame){ .bytes = bytes.p,
				 .captured = captured,
				 .wire = MAX(wire, captured),
				 .time_ns = time_ns,
				 .link_type = row->link_type,
				 .interface = row->index };
}

/* What a packet says of those lost before it counts until the interface has statistics, which hold them, too. */
static void count_dropped_between(struct capture_facts *facts, struct section_interface *row, uint64_t dropped)
{
	if (row->has_statistics || !dropped)
		return;
	row->dropped_between += dropped;
	facts->dropped_kernel += dropped;
	facts->has_drops = true;
}

/* A packet whose options are broken is whole without them: what is missing is a direction. */
static void take_packet_options(const struct capture_file *file, struct cursor *c, struct section_interface *row, struct frame *frame)
{
	static const uint8_t directions[] = { [PCAPNG_DIRECTION_IN] = DIRECTION_IN, [PCAPNG_DIRECTION_OUT] = DIRECTION_OUT, [PCAPNG_DIRECTION_MASK] = 0 };
	const struct pcapng_file *p = file->state;
	struct option option;
	uint64_t dropped;
	uint32_t flags;
	bool whole;

	while (next_option(p, c, &option, &whole)) {
		if (option.code == PCAPNG_EPB_FLAGS && take_u32(p, &option.value, &flags))
			frame->direction = directions[flags & PCAPNG_DIRECTION_MASK];
		else if (option.code == PCAPNG_EPB_DROPS && take_u64(p, &option.value, &dropped))
			count_dropped_between(file->facts, row, dropped);
	}
}

static int take_packet(struct capture_file *file, struct block *block, struct frame *frame, struct err *err)
{
	struct pcapng_file *p = file->state;
	uint16_t old_interface = 0, old_drops = OLD_DROPS_UNKNOWN;
	uint32_t id = 0, captured, wire;
	struct cursor *c = &block->body, bytes;
	struct section_interface *row;
	uint64_t units;
	bool old = block->type == PCAPNG_OLD_PACKET;

	if ((old ? !take_u16(p, c, &old_interface) || !take_u16(p, c, &old_drops) : !take_u32(p, c, &id)) || !take_time(p, c, &units) ||
	    !take_u32(p, c, &captured) || !take_u32(p, c, &wire))
		return malformed(file, err, "too short for a packet");
	id = old ? old_interface : id;
	if (id >= p->count)
		return malformed(file, err, "a packet of interface %u where %u are known", id, p->count);
	if (!cursor_take(c, captured, &bytes))
		return malformed(file, err, "a packet of %u bytes where %zu are there", captured, c->captured_left);
	row = &p->interfaces[id];
	p->last_ns = time_scale_ns(&row->clock, units);
	fill_frame(frame, row, bytes, wire, p->last_ns);
	if (old_drops != OLD_DROPS_UNKNOWN)
		count_dropped_between(file->facts, row, old_drops);
	if (cursor_skip(c, -(size_t)captured & 3) && c->captured_left)
		take_packet_options(file, c, row, frame);
	return 1;
}

static int take_simple_packet(struct capture_file *file, struct block *block, struct frame *frame, struct err *err)
{
	const struct pcapng_file *p = file->state;
	const struct section_interface *row = p->interfaces;
	struct cursor bytes;
	uint32_t wire, captured;

	if (!take_u32(p, &block->body, &wire))
		return malformed(file, err, "too short for a packet");
	if (!p->count)
		return malformed(file, err, "a packet before any interface");
	captured = row->snaplen ? MIN(wire, row->snaplen) : wire;
	if (!cursor_take(&block->body, captured, &bytes))
		return malformed(file, err, "a packet of %u bytes where %zu are there", captured, block->body.captured_left);
	fill_frame(frame, row, bytes, wire, p->last_ns);
	return 1;
}

/* Replaces what an earlier block said, for each counts from the beginning of the capture. */
static void replace(uint64_t *sum, uint64_t *row, uint64_t value)
{
	*sum += value - *row;
	*row = value;
}

static void take_counter(struct capture_facts *facts, struct section_interface *row, uint16_t code, uint64_t value)
{
	if (code == PCAPNG_ISB_RECEIVED) {
		replace(&facts->received, &row->received, value);
		return;
	}
	if (code == PCAPNG_ISB_DROPPED_KERNEL)
		replace(&facts->dropped_kernel, &row->dropped_kernel, value);
	else if (code == PCAPNG_ISB_DROPPED_INTERFACE)
		replace(&facts->dropped_interface, &row->dropped_interface, value);
	else
		return;
	facts->has_drops = row->has_statistics = true;
	replace(&facts->dropped_kernel, &row->dropped_between, 0);
}

/* Statistics that are broken tell nothing, and no packet is in doubt for it. */
static void take_statistics(struct capture_file *file, struct block *block)
{
	struct pcapng_file *p = file->state;
	struct option option;
	uint64_t units, value;
	uint32_t id;
	bool whole;

	if (!take_u32(p, &block->body, &id) || !take_time(p, &block->body, &units) || id >= p->count)
		return;
	while (next_option(p, &block->body, &option, &whole))
		if (take_u64(p, &option.value, &value))
			take_counter(file->facts, &p->interfaces[id], option.code, value);
}

/* Return: 1 with @frame when the block holds a packet, 0 when it holds something else, -EBADMSG with @err. */
static int take_block(struct capture_file *file, struct block *block, struct frame *frame, struct err *err)
{
	switch (block->type) {
	case PCAPNG_SECTION:
		return take_section(file, block, err);
	case PCAPNG_INTERFACE:
		return take_interface(file, block, err);
	case PCAPNG_PACKET:
	case PCAPNG_OLD_PACKET:
		return take_packet(file, block, frame, err);
	case PCAPNG_SIMPLE_PACKET:
		return take_simple_packet(file, block, frame, err);
	case PCAPNG_STATISTICS:
		take_statistics(file, block);
		return 0;
	default:
		return 0;
	}
}

/* The first interface together with the section that it nearly always follows: so a filter is known not to fit its link type before any packet. */
static int begin_first_interface(struct capture_file *file, struct err *err)
{
	struct pcapng_file *p = file->state;
	uint32_t type = 0;
	const uint8_t *bytes;
	struct block block;
	struct cursor c;
	int status;

	if (stream_peek(&file->stream, PCAPNG_BLOCK_HEAD, &bytes) < PCAPNG_BLOCK_HEAD)
		return 0;
	c = cursor_of(bytes, PCAPNG_BLOCK_HEAD);
	take_u32(p, &c, &type);
	status = type == PCAPNG_INTERFACE ? next_block(file, &block, err) : 0;
	return status == 1 ? take_interface(file, &block, err) : status == -EINTR ? 0 : status;
}

static int pcapng_file_open(struct capture_file *file, struct err *err)
{
	struct block block;
	int status;

	if (!file->state)
		file->state = xcalloc(1, sizeof(struct pcapng_file));
	status = next_block(file, &block, err);
	if (status == 1)
		status = take_section(file, &block, err);
	return status ? status : begin_first_interface(file, err);
}

static int pcapng_file_next(struct capture_file *file, struct frame *frame, struct err *err)
{
	struct block block;

	for (unsigned i = 0; i < BLOCKS_AT_ONCE; i++) {
		int status = next_block(file, &block, err);

		if (status == 1)
			status = take_block(file, &block, frame, err);
		else if (!status)
			return 0;
		if (status) {
			file->packets += status == 1;
			return status == -EINTR ? -EAGAIN : status;
		}
	}
	return -EAGAIN;
}

static void pcapng_file_close(struct capture_file *file)
{
	struct pcapng_file *p = file->state;

	free(p->interfaces);
	free(p);
}

const struct capture_format pcapng_file_format = { pcapng_file_open, pcapng_file_next, pcapng_file_close };

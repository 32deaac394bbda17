/* SPDX-License-Identifier: MIT */
/* pcapng, in this machine's byte order: a section header, then each interface before its first packet. pcapng_file.c draws the blocks. */
#include <string.h>

#include "capture/pcapng_format.h"
#include "capture/time_scale.h"
#include "capture/writer_internal.h"
#include "config.h"

#define OPTION_BYTES_MAX 65535
#define OPTION_HEAD 4

static void put_u8(struct writer *w, uint8_t value)
{
	writer_append(w, &value, sizeof(value));
}

static void put_u16(struct writer *w, uint16_t value)
{
	writer_append(w, &value, sizeof(value));
}

static void put_u32(struct writer *w, uint32_t value)
{
	writer_append(w, &value, sizeof(value));
}

static void put_padding(struct writer *w, size_t len)
{
	static const uint8_t zeros[4];

	writer_append(w, zeros, -len & 3);
}

static void put_padded(struct writer *w, const void *bytes, size_t len)
{
	writer_append(w, bytes, len);
	put_padding(w, len);
}

static size_t padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

/* A block is begun with the length of its body and ended by that length again; the body in between has to keep to it. */
static uint32_t block_begin(struct writer *w, uint32_t type, size_t body)
{
	uint32_t length = (uint32_t)(body + PCAPNG_BLOCK_MIN);

	put_u32(w, type);
	put_u32(w, length);
	return length;
}

static size_t option_bytes(size_t len)
{
	return OPTION_HEAD + padded(len);
}

static void put_option(struct writer *w, uint16_t code, const void *value, size_t len)
{
	put_u16(w, code);
	put_u16(w, (uint16_t)len);
	put_padded(w, value, len);
}

static void put_option_end(struct writer *w)
{
	put_option(w, PCAPNG_END, "", 0);
}

static void put_time(struct writer *w, int64_t ns)
{
	put_u32(w, (uint32_t)((uint64_t)ns >> 32));
	put_u32(w, (uint32_t)ns);
}

static void put_section(struct writer *w)
{
	static const char application[] = "tcptriage " VERSION;
	size_t len = strlen(application);
	const int64_t unknown = -1;
	uint32_t length = block_begin(w, PCAPNG_SECTION, 16 + option_bytes(len) + OPTION_HEAD);

	put_u32(w, PCAPNG_BYTE_ORDER);
	put_u16(w, 1);
	put_u16(w, 0);
	writer_append(w, &unknown, sizeof(unknown));
	put_option(w, PCAPNG_SHB_APPLICATION, application, len);
	put_option_end(w);
	put_u32(w, length);
}

/* if_filter's first byte says that the rest is text of pcap-filter(7). */
static void put_filter_option(struct writer *w, size_t len)
{
	put_u16(w, PCAPNG_IF_FILTER);
	put_u16(w, (uint16_t)(1 + len));
	put_u8(w, 0);
	writer_append(w, w->filter, len);
	put_padding(w, 1 + len);
}

static void put_interface(struct writer *w, const struct capture_interface *interface)
{
	static const uint8_t resolution = TIME_SCALE_NANOSECONDS;
	size_t name = MIN(strlen(interface->name), (size_t)OPTION_BYTES_MAX), filter = MIN(strlen(w->filter), (size_t)OPTION_BYTES_MAX - 1);
	size_t options = option_bytes(sizeof(resolution)) + OPTION_HEAD + (name ? option_bytes(name) : 0) + (filter ? option_bytes(1 + filter) : 0);
	uint32_t length = block_begin(w, PCAPNG_INTERFACE, 8 + options);

	put_u16(w, (uint16_t)interface->link_type);
	put_u16(w, 0);
	put_u32(w, interface->snaplen);
	if (name)
		put_option(w, PCAPNG_IF_NAME, interface->name, name);
	put_option(w, PCAPNG_IF_TSRESOL, &resolution, sizeof(resolution));
	if (filter)
		put_filter_option(w, filter);
	put_option_end(w);
	put_u32(w, length);
}

static void make_room_for(struct writer *w, uint32_t index)
{
	uint32_t room = MAX(16u, w->ids_room);

	if (index < w->ids_room)
		return;
	while (room <= index)
		room *= 2;
	w->ids = xrealloc_array(w->ids, room, sizeof(*w->ids));
	memset(w->ids + w->ids_room, 0, (room - w->ids_room) * sizeof(*w->ids));
	w->ids_room = room;
}

/* The number that interface @index of the run has in this file; described there when it is new. */
static uint32_t interface_id(struct writer *w, uint32_t index, const struct capture_interface *interface)
{
	make_room_for(w, index);
	if (!w->ids[index]) {
		put_interface(w, interface);
		w->ids[index] = ++w->described;
	}
	return w->ids[index] - 1;
}

static void pcapng_begin(struct writer *w)
{
	if (w->ids_room)
		memset(w->ids, 0, w->ids_room * sizeof(*w->ids));
	w->described = 0;
	put_section(w);
	/* a live capture has one interface, which is known before its first packet */
	if (w->live)
		interface_id(w, 0, &w->source_interface);
}

/* @text as valid UTF-8 in w->text, which a comment has to be. Return: its length. */
static size_t comment_text(struct writer *w, const char *text)
{
	out_clear(&w->text);
	if (text)
		out_escaped(&w->text, text, strlen(text));
	return MIN(out_len(&w->text), (size_t)OPTION_BYTES_MAX);
}

static int pcapng_put(struct writer *w, const struct frame *frame, const struct capture_interface *interface, const char *comment, struct err *err)
{
	static const uint32_t flags_of[] = { [DIRECTION_IN] = PCAPNG_DIRECTION_IN, [DIRECTION_OUT] = PCAPNG_DIRECTION_OUT };
	uint32_t id = interface_id(w, frame->interface, interface), flags = frame->direction < ARRAY_SIZE(flags_of) ? flags_of[frame->direction] : 0, length;
	size_t comment_len = comment_text(w, comment);
	size_t options = (flags ? option_bytes(sizeof(flags)) : 0) + (comment_len ? option_bytes(comment_len) : 0);

	(void)err; /* it holds everything */
	length = block_begin(w, PCAPNG_PACKET, 20 + padded(frame->captured) + (options ? options + OPTION_HEAD : 0));
	put_u32(w, id);
	put_time(w, frame->time_ns);
	put_u32(w, frame->captured);
	put_u32(w, frame->wire);
	put_padded(w, frame->bytes, frame->captured);
	if (flags)
		put_option(w, PCAPNG_EPB_FLAGS, &flags, sizeof(flags));
	if (comment_len)
		put_option(w, PCAPNG_COMMENT, out_text(&w->text), comment_len);
	if (options)
		put_option_end(w);
	put_u32(w, length);
	return 0;
}

static void pcapng_statistics(struct writer *w, const struct capture_source *source)
{
	static const char all[] = "of all interfaces together";
	size_t comment = w->described > 1 ? strlen(all) : 0;
	uint32_t length;

	if (!w->described)
		interface_id(w, 0, &w->source_interface);
	length = block_begin(w, PCAPNG_STATISTICS, 12 + 3 * option_bytes(sizeof(uint64_t)) + (comment ? option_bytes(comment) : 0) + OPTION_HEAD);
	put_u32(w, 0);
	put_time(w, w->last_ns);
	put_option(w, PCAPNG_ISB_RECEIVED, &source->received, sizeof(uint64_t));
	put_option(w, PCAPNG_ISB_DROPPED_INTERFACE, &source->dropped_interface, sizeof(uint64_t));
	put_option(w, PCAPNG_ISB_DROPPED_KERNEL, &source->dropped_kernel, sizeof(uint64_t));
	if (comment)
		put_option(w, PCAPNG_COMMENT, all, comment);
	put_option_end(w);
	put_u32(w, length);
}

static void pcapng_end(struct writer *w)
{
	(void)w;
}

const struct writer_format writer_pcapng = { .begin = pcapng_begin, .put = pcapng_put, .statistics = pcapng_statistics, .end = pcapng_end };

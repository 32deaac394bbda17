/* SPDX-License-Identifier: MIT */
/* A live interface as a source of frames.
 *
 * The kernel hands over a block of its ring (TPACKET_V3) when it is full or after RETIRE_MS; until then what lies in it cannot be read. An end that
 * does not wait loses that block. So the drain notes how many packets the kernel has accepted up to its moment and goes on reading until it
 * has seen that many. Where the number is not to be trusted (no filter in the kernel), it is over when nothing came for as long as a block can
 * be held back, or with the first packet that is younger than the drain. Time alone ends it at DRAIN_MAX_US, and only when there was nothing to
 * read after that: on a busy machine this process may not run, nor the kernel's timer, for longer than anything here allows for.
 *
 * The kernel's counters are read here and not by pcap_stats(), since reading resets them, and libpcap also opens files that a sandboxed
 * process cannot open. */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "capture/dlt.h"
#include "capture/live.h"
#include "capture/live_filter.h"
#include "capture/live_link.h"
#include "capture/reader_internal.h"
#include "tcptriage/base/clock.h"

#define SNAPLEN_DEFAULT 128
#define BUFFER_KIB_DEFAULT 2048
#define POLL_MS 100
#define RETIRE_MS 100
/* A block that gets its first packet just before the kernel's timer fires is closed at the one after (net/packet/af_packet.c). */
#define DRAIN_QUIET_US (2 * RETIRE_MS * 1000 + 50000)
#define DRAIN_MAX_US 1200000
/* The kernel counts in 32 bits: look long before they are full. */
#define COUNT_EVERY (1u << 20)

/**
 * struct live - @direction: of every frame when only one was asked for, or unknown. @received, @dropped: since the filter stood.
 * @began_ns: when that was; @counted: frames delivered that are younger. @exact: @received − @dropped is the number that will be delivered.
 * @has_counts: the kernel tells them. @draining: reader_drain() was called at @until_ns; @target, @deadline_us, @quiet_us: how it ends.
 */
struct live {
	struct reader base;
	pcap_t *pcap;
	int fd;
	struct live_link link;
	struct capture_interface interface;
	char name[LIVE_NAME_MAX], *filter;
	bool promiscuous, nanoseconds, exact, has_counts, draining;
	uint8_t direction;
	uint64_t number, counted, received, dropped, target;
	int64_t began_ns, until_ns, deadline_us, quiet_us;
};

/* The clock that packets are stamped by. */
static int64_t real_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* Reading resets them. */
static void take_counts(struct live *live)
{
	struct tpacket_stats_v3 stats = { .tp_packets = 0 };
	socklen_t len = sizeof(stats);

	live->has_counts = !getsockopt(live->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len);
	live->received += stats.tp_packets;
	live->dropped += stats.tp_drops;
}

/* Own frames bear our address; on lo and where there is no address, nobody can tell. Cooked frames say it themselves. */
static uint8_t direction_of(const struct live *live, const uint8_t *bytes, uint32_t captured)
{
	if (live->direction != DIRECTION_UNKNOWN)
		return live->direction;
	switch (live->interface.link_type) {
	case DLT_EN10MB:
		if (!live->link.has_mac || captured < 12)
			return DIRECTION_UNKNOWN;
		return memcmp(bytes + 6, live->link.mac, 6) ? DIRECTION_IN : DIRECTION_OUT;
	case DLT_LINUX_SLL:
		return captured < 2 ? DIRECTION_UNKNOWN : bytes[1] == PACKET_OUTGOING ? DIRECTION_OUT : DIRECTION_IN;
	case DLT_LINUX_SLL2:
		return captured < 11 ? DIRECTION_UNKNOWN : bytes[10] == PACKET_OUTGOING ? DIRECTION_OUT : DIRECTION_IN;
	default:
		return DIRECTION_UNKNOWN;
	}
}

static void fill_frame(struct live *live, const struct pcap_pkthdr *header, const uint8_t *bytes, struct frame *frame)
{
	int64_t fraction_ns = live->nanoseconds ? header->ts.tv_usec : header->ts.tv_usec * 1000;

	*frame = (struct frame){ .bytes = bytes,
				 .captured = header->caplen,
				 .wire = header->len,
				 .time_ns = header->ts.tv_sec * INT64_C(1000000000) + fraction_ns,
				 .number = ++live->number,
				 .link_type = live->interface.link_type,
				 .direction = direction_of(live, bytes, header->caplen) };
	live->counted += frame->time_ns >= live->began_ns;
	if (UNLIKELY(live->number % COUNT_EVERY == 0))
		take_counts(live);
}

static bool knows_target(const struct live *live)
{
	return live->exact && live->has_counts;
}

/* What comes from here on is none of this capture. @frame: the next one that is there, NULL when at @now_us there was none. */
static bool is_drained(const struct live *live, const struct frame *frame, int64_t now_us)
{
	if (frame && now_us < live->deadline_us + DRAIN_MAX_US)
		return !knows_target(live) && frame->time_ns > live->until_ns;
	return now_us >= live->deadline_us || (!knows_target(live) && now_us >= live->quiet_us);
}

/* Return: -EAGAIN, also when a signal came, so that the caller looks around. */
static int wait_for_frames(const struct live *live)
{
	struct pollfd wait = { .fd = live->fd, .events = POLLIN };

	poll(&wait, 1, POLL_MS);
	return -EAGAIN;
}

/* Return: 1 with @frame, 0 none is there, -EIO with @err. */
static int read_frame(struct live *live, struct frame *frame, struct err *err)
{
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	int code = pcap_next_ex(live->pcap, &header, &bytes);

	if (LIKELY(code == 1))
		fill_frame(live, header, bytes, frame);
	return code >= 0 ? code : err_set(err, -EIO, "capturing on '%s' ended: %s", live->name, pcap_geterr(live->pcap));
}

/* As live_next(), after reader_drain(). The clock is read before the ring is: whatever was in it by then has been looked at. */
static int next_draining(struct live *live, struct frame *frame, struct err *err)
{
	int64_t now_us = clock_mono_us();
	int code;

	if (knows_target(live) && live->counted >= live->target)
		return 0;
	code = read_frame(live, frame, err);
	if (code < 0)
		return code;
	if (is_drained(live, code ? frame : NULL, now_us))
		return 0;
	if (code)
		live->quiet_us = now_us + DRAIN_QUIET_US;
	return code ? code : wait_for_frames(live);
}

static int live_next(struct reader *reader, struct frame *frame, struct err *err)
{
	struct live *live = (struct live *)reader;
	int code;

	if (UNLIKELY(live->draining))
		return next_draining(live, frame, err);
	code = read_frame(live, frame, err);
	return LIKELY(code) ? code : wait_for_frames(live);
}

static const struct capture_interface *live_interface(const struct reader *reader, unsigned index)
{
	return index ? NULL : &((const struct live *)reader)->interface;
}

static int live_fd(const struct reader *reader)
{
	return ((const struct live *)reader)->fd;
}

static void live_drain(struct reader *reader)
{
	struct live *live = (struct live *)reader;
	int64_t now = clock_mono_us();

	if (live->draining)
		return;
	take_counts(live);
	live->until_ns = real_ns();
	live->draining = true;
	live->target = live->received - live->dropped;
	live->deadline_us = now + DRAIN_MAX_US;
	live->quiet_us = now + DRAIN_QUIET_US;
}

/* While it drains, the counts are those of its beginning: what comes later is none of this capture. */
static void live_source(struct reader *reader, struct capture_source *source)
{
	struct live *live = (struct live *)reader;

	if (!live->draining)
		take_counts(live);
	*source = (struct capture_source){ .name = live->name,
					   .filter = live->filter,
					   .link_type = live->interface.link_type,
					   .snaplen = live->interface.snaplen,
					   .mtu = live->link.mtu,
					   .received = live->received,
					   .dropped_kernel = live->dropped,
					   .dropped_interface = live_link_drops(&live->link),
					   .live = true,
					   .has_drops = live->has_counts,
					   .offload = live->link.offload,
					   .promiscuous = live->promiscuous };
}

static void live_close(struct reader *reader)
{
	struct live *live = (struct live *)reader;

	live_pcap_close(&live->pcap);
	live_link_close(&live->link);
	free(live->filter);
	free(live);
}

static const struct reader_ops live_ops = {
	.next = live_next,
	.interface = live_interface,
	.source = live_source,
	.fd = live_fd,
	.drain = live_drain,
	.close = live_close,
};

static void set_options(struct live *live, const struct reader_live *wish)
{
	uint32_t kib = wish->buffer_kib ? wish->buffer_kib : BUFFER_KIB_DEFAULT;

	pcap_set_snaplen(live->pcap, (int)MIN(wish->snaplen ? wish->snaplen : SNAPLEN_DEFAULT, (uint32_t)INT32_MAX));
	pcap_set_buffer_size(live->pcap, (int)MIN(kib, (uint32_t)INT32_MAX / 1024) * 1024);
	pcap_set_promisc(live->pcap, wish->promiscuous);
	pcap_set_timeout(live->pcap, RETIRE_MS);
	pcap_set_immediate_mode(live->pcap, wish->immediate);
	if (wish->nanoseconds)
		pcap_set_tstamp_precision(live->pcap, PCAP_TSTAMP_PRECISION_NANO);
}

static int set_link_type(struct live *live, const struct reader_live *wish, struct err *err)
{
	char name[32];

	if (wish->link_type != UINT32_MAX && pcap_set_datalink(live->pcap, dlt_of_link_type(wish->link_type)))
		return err_set(err, -EINVAL, "'%s' has no link type %s (-L lists those it has)", live->name, dlt_name(wish->link_type, name, sizeof(name)));
	/* "any" is SLL unless asked; only SLL2 tells which interface a packet passed */
	if (wish->link_type == UINT32_MAX && pcap_datalink(live->pcap) == DLT_LINUX_SLL && !strcmp(live->name, "any"))
		pcap_set_datalink(live->pcap, DLT_LINUX_SLL2);
	return 0;
}

static int set_filter(struct live *live, const struct reader_live *wish, struct err *err)
{
	uint32_t loopback = if_nametoindex("lo");
	bool any = !strcmp(live->name, "any"), is_loopback = live->link.ifindex && live->link.ifindex == loopback;
	struct live_filter filter = { .expression = live->filter };

	/* on lo every packet goes both ways */
	filter.direction = is_loopback ? DIRECTION_UNKNOWN : wish->direction;
	filter.loopback = any || is_loopback ? loopback : 0;
	live->direction = filter.direction;
	return live_filter_install(live->pcap, &filter, &live->exact, err);
}

/* From here on packets count. */
static void begin(struct live *live)
{
	take_counts(live);
	live->received = live->dropped = 0;
	live->began_ns = real_ns();
}

static int open_live(struct live *live, const struct reader_live *wish, struct err *err)
{
	char why[PCAP_ERRBUF_SIZE];
	int code = live_create(live->name, &live->pcap, err);

	if (code)
		return code;
	set_options(live, wish);
	code = live_activate(live->pcap, live->name, err);
	if (!code)
		code = set_link_type(live, wish, err);
	if (!code)
		code = set_filter(live, wish, err);
	if (code)
		return code;
	if (pcap_setnonblock(live->pcap, 1, why))
		return err_set(err, -EIO, "cannot capture on '%s': %s", live->name, why);
	live->fd = pcap_get_selectable_fd(live->pcap);
	live->promiscuous = wish->promiscuous;
	live->nanoseconds = pcap_get_tstamp_precision(live->pcap) == PCAP_TSTAMP_PRECISION_NANO;
	live->interface = (struct capture_interface){ .name = live->name,
						      .link_type = dlt_to_link_type(pcap_datalink(live->pcap)),
						      .snaplen = (uint32_t)pcap_snapshot(live->pcap),
						      .ifindex = live->link.ifindex };
	begin(live);
	return 0;
}

int reader_open_live(struct reader **out, const struct reader_live *wish, struct err *err)
{
	struct live *live = xcalloc(1, sizeof(*live));
	int code = live_resolve(wish->interface, live->name, err);

	live->base.ops = &live_ops;
	live->filter = xstrdup(wish->filter ? wish->filter : "");
	live_link_open(&live->link, live->name);
	if (!code)
		code = open_live(live, wish, err);
	if (code) {
		live_close(&live->base);
		live = NULL;
	}
	*out = live ? &live->base : NULL;
	return code;
}

/* SPDX-License-Identifier: MIT */
/* Opens all that a capture needs, with privilege, and gives the privilege up before a packet is read. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "capture.h"
#include "tcptriage/base/num.h"

/* tcpdump counts -C in millions of bytes. */
#define ROTATE_UNIT 1000000
/* Beyond this number of an interface it is the number that is shown. */
#define INTERFACES_NAMED_MAX 1000000u

bool capture_to_stdout(const struct capture_options *o)
{
	return o->write && !strcmp(o->write, "-");
}

/* The document's frame; host names cannot be asked for once privileges are gone. */
static void open_document(struct capture_run *run)
{
	struct utsname uts;

	uname(&uts);
	run->doc = (struct document){ .schema = "tcptriage.capture/1",
				      .host = arena_strdup(&run->arena, uts.nodename),
				      .netns = run->o->common.netns ? run->o->common.netns : "",
				      .generated_us = clock_now().real_us,
				      .complete = true,
				      .notices = &run->notices };
}

static void on_event(const struct event *event, void *context)
{
	struct capture_run *run = context;
	const struct flow_owner *owner = capture_owners_of(&run->owners, event->flow);

	capture_status_hide(run);
	if (run->format == FORMAT_NDJSON)
		event_ndjson(&run->out, event, owner);
	else if (run->format == FORMAT_TEXT && !run->o->packets && !run->o->flows)
		event_text(&run->out, event, owner, &run->style);
}

static void on_new_flow(struct flow *flow, void *context)
{
	struct capture_run *run = context;

	capture_owners_new(flow, &run->owners);
}

/* Reading a file packet by packet as tcpdump does needs no flows: they are only kept where something comes of them. */
static bool wants_flows(const struct capture_run *run)
{
	return run->live || !run->o->packets || run->o->flows;
}

static void open_table(struct capture_run *run)
{
	const struct flows_options options = { .max_flows = run->o->max_flows ? (uint32_t)run->o->max_flows : FLOWS_DEFAULT,
					       .on_event = on_event,
					       .on_new = run->live ? on_new_flow : NULL,
					       .context = run };

	if (wants_flows(run))
		run->table = flows_new(&options);
}

/* The sandbox lets nobody ask later. Return: by number, @count of them; NULL for a number that has no name or is beyond all sense. */
static const char **interface_names(struct arena *arena, uint32_t *count)
{
	struct if_nameindex *list = if_nameindex();
	const char **names;

	*count = 0;
	for (const struct if_nameindex *at = list; at && at->if_index; at++)
		*count = MAX(*count, MIN(at->if_index, INTERFACES_NAMED_MAX) + 1);
	names = arena_alloc(arena, (*count + 1) * sizeof(*names));
	for (const struct if_nameindex *at = list; at && at->if_index; at++)
		if (at->if_index < *count)
			names[at->if_index] = arena_strdup(arena, at->if_name);
	if (list)
		if_freenameindex(list);
	return names;
}

/* One that came up since then has a number only. */
static const char *interface_name(const void *context, const struct packet *packet)
{
	const struct capture_run *run = context;

	return packet->has & PACKET_HAS_IFINDEX && packet->link.ifindex < run->name_count ? run->names[packet->link.ifindex] : NULL;
}

static unsigned dump_of(const struct capture_options *o)
{
	if (o->hex_ascii)
		return o->hex_ascii > 1 ? PACKET_DUMP_HEX_TEXT_LINK : PACKET_DUMP_HEX_TEXT;
	if (o->hex)
		return o->hex > 1 ? PACKET_DUMP_HEX_LINK : PACKET_DUMP_HEX;
	if (o->ascii)
		return o->ascii > 1 ? PACKET_DUMP_TEXT_LINK : PACKET_DUMP_TEXT;
	return PACKET_DUMP_NONE;
}

static void open_text(struct capture_run *run)
{
	static const uint8_t times[] = { PACKET_TIME_CLOCK, PACKET_TIME_NONE, PACKET_TIME_EPOCH, PACKET_TIME_SINCE_LAST, PACKET_TIME_DATE, PACKET_TIME_SINCE_FIRST };
	const struct capture_options *o = run->o;
	const struct packet_text_options options = { .verbosity = (uint8_t)MIN(o->verbosity, 3u),
						     .time = times[MIN(o->timestamps, ARRAY_SIZE(times) - 1)],
						     .dump = (uint8_t)dump_of(o),
						     .link_header = o->link_header,
						     .absolute_seq = o->absolute_seq,
						     .number = o->number,
						     .skip_checksums = o->skip_checksums,
						     .interface_name = run->live ? interface_name : NULL,
						     .interface_context = run };

	packet_text_init(&run->text, &options);
}

static int direction_of(const struct capture_options *o, uint8_t *direction, struct err *err)
{
	static const struct {
		const char *word;
		uint8_t direction;
	} words[] = { { "in", DIRECTION_IN }, { "out", DIRECTION_OUT }, { "inout", DIRECTION_UNKNOWN } };

	*direction = DIRECTION_UNKNOWN;
	for (size_t i = 0; o->direction && i < ARRAY_SIZE(words); i++) {
		if (!strcmp(o->direction, words[i].word)) {
			*direction = words[i].direction;
			return 0;
		}
	}
	return o->direction ? err_set(err, -EINVAL, "'%s' is no direction for -Q: in, out or inout", o->direction) : 0;
}

static int open_live(struct capture_run *run, const char *filter, struct err *err)
{
	const struct capture_options *o = run->o;
	struct reader_live wish = { .interface = o->interface,
				    .filter = filter,
				    .snaplen = (uint32_t)o->snaplen,
				    .buffer_kib = (uint32_t)o->buffer_kib,
				    .link_type = UINT32_MAX,
				    .promiscuous = !o->no_promiscuous,
				    .immediate = o->immediate };
	int code = direction_of(o, &wish.direction, err);

	if (code)
		return code;
	if (o->link_type) {
		wish.link_type = reader_link_type_named(o->link_type);
		if (wish.link_type == UINT32_MAX)
			return err_set(err, -EINVAL, "'%s' is no link type for -y (-L lists those of an interface)", o->link_type);
	}
	return reader_open_live(&run->reader, &wish, err);
}

static int give_up_privileges(struct capture_run *run, struct err *err)
{
	tzset();
	return sandbox_enter(run->o->user, &run->sandbox, err);
}

/* Names in the filter are looked up before privileges go, bytes of the files are read after that. */
static int before_reading(void *context, struct err *err)
{
	return give_up_privileges(context, err);
}

static int open_files(struct capture_run *run, const char *filter, struct err *err)
{
	const struct reader_files wish = { .names = run->o->files.values,
					   .count = run->o->files.count,
					   .open = helper_open_input,
					   .context = run->helper,
					   .ready = before_reading,
					   .ready_context = run,
					   .idle = capture_run_idle,
					   .idle_context = run,
					   .filter = filter };

	return reader_open_files(&run->reader, &wish, err);
}

static int settle_rotation(const struct capture_options *o, struct writer_plan *plan, struct err *err)
{
	size_t len = strlen(o->write);
	uint64_t millions = 0;

	*plan = (struct writer_plan){ .path = o->write,
				      .pcapng = len > 7 && !strcmp(o->write + len - 7, ".pcapng"),
				      .packet_buffered = o->packet_buffered,
				      .rotate_seconds = o->rotate_seconds,
				      .files = (uint32_t)o->rotate_files };
	if (o->rotate_size && (!num_u64(o->rotate_size, UINT32_MAX, &millions) || !millions))
		return err_set(err, -EINVAL, "'%s' is no size for -C: millions of bytes", o->rotate_size);
	plan->rotate_bytes = millions * ROTATE_UNIT;
	if ((plan->rotate_bytes || plan->rotate_seconds) && capture_to_stdout(o))
		return err_set(err, -EINVAL, "stdout cannot be rotated: -C and -G need a file name after -w");
	return 0;
}

static int open_writer(struct capture_run *run, const struct writer_plan *plan, struct err *err)
{
	struct capture_source source = { 0 };

	reader_source(run->reader, &source);
	return writer_open(&run->writer, plan, helper_open_output, run->helper, &source, err);
}

int capture_enter_namespace(const struct capture_options *o, struct err *err)
{
	CLEANUP(session_close) struct session session = { 0 };
	const struct session_wish wish = { .common = &o->common };
	int code;

	if (!o->common.netns)
		return 0;
	code = session_open(&session, &wish, err);
	return code ? code : source_ns_enter(session.ns[0], err);
}

int capture_run_open(struct capture_run *run, const struct capture_options *o, const char *filter, struct err *err)
{
	struct writer_plan plan = { 0 };
	struct helper_plan helper = { .inputs = o->files.values, .input_count = o->files.count, .owners = o->interface, .stop = &interrupted };
	int code;

	*run = (struct capture_run){ .o = o, .live = o->interface, .began_us = clock_mono_us() };
	run->status_us = run->began_us;
	run->notices.arena = &run->arena;
	run->format = o->common.ndjson ? FORMAT_NDJSON : o->common.json ? FORMAT_JSON : FORMAT_TEXT;
	out_open_fd(&run->out, capture_to_stdout(o) ? STDERR_FILENO : STDOUT_FILENO);
	code = session_style(&run->style, &o->common, run->out.fd, err);
	if (!code && o->write)
		code = settle_rotation(o, &plan, err);
	if (code)
		return code;
	helper.output = o->write ? &plan : NULL;
	open_document(run);
	code = capture_enter_namespace(o, err);
	if (!code)
		code = helper_start(&run->helper, &helper, err);
	if (code)
		return code;
	capture_owners_open(&run->owners, run->helper);
	if (run->live && o->packets)
		run->names = interface_names(&run->arena, &run->name_count);
	code = run->live ? open_live(run, filter, err) : open_files(run, filter, err);
	if (!code && o->write)
		code = open_writer(run, &plan, err);
	if (!code && run->live)
		code = give_up_privileges(run, err);
	if (code)
		return code;
	open_table(run);
	open_text(run);
	return 0;
}

void capture_run_close(struct capture_run *run)
{
	writer_close(run->writer, NULL);
	reader_close(run->reader);
	helper_stop(run->helper);
	capture_owners_close(&run->owners);
	flows_free(run->table);
	packet_text_close(&run->text);
	out_close(&run->out);
	arena_free(&run->arena);
}

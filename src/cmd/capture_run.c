/* SPDX-License-Identifier: MIT */
/* One capture under way: packet after packet through the decoder, the tracker, the printer and the writer. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "tcptriage/decode/packet.h"

#define STATUS_EVERY_US 500000
/* How many packets pass between two looks at the clock and the signals. */
#define PACKETS_A_LOOK 256
#define OWNER_TEXT_MAX 64

static volatile sig_atomic_t numbers_wanted;

static void on_usr1(int number)
{
	numbers_wanted = number;
}

void capture_run_catch(void)
{
	struct sigaction usr1 = { .sa_handler = on_usr1 };

	sigaction(SIGUSR1, &usr1, NULL);
}

static const char *owner_text(const struct capture_run *run, const struct flow *flow, char *text, size_t size)
{
	const struct flow_owner *owner = capture_owners_of(&run->owners, flow);

	if (!owner || !owner->pid)
		return NULL;
	snprintf(text, size, "%s[%u]", owner->comm, owner->pid);
	return text;
}

static int write_packet(struct capture_run *run, const struct frame *frame, const struct flow *flow, struct err *err)
{
	char text[OWNER_TEXT_MAX];

	return writer_put(run->writer, frame, reader_interface(run->reader, frame->interface), owner_text(run, flow, text, sizeof(text)), err);
}

/* Return: 1, run->over when a limit ends the run; -errno. */
static int take_packet(struct capture_run *run, const struct frame *frame, struct packet *packet, struct err *err)
{
	const struct capture_options *o = run->o;
	const struct decode_options options = { .checksums = !o->skip_checksums };
	const struct flow *flow = NULL;
	char text[OWNER_TEXT_MAX];
	int code;

	packet_decode(frame, &options, packet);
	if (run->table)
		flow = flows_add(run->table, packet);
	if (o->packets && run->format == FORMAT_TEXT) {
		capture_status_hide(run);
		packet_text_line(&run->out, &run->text, packet, owner_text(run, flow, text, sizeof(text)));
	}
	run->packets++;
	run->bytes += frame->wire;
	code = run->writer ? write_packet(run, frame, flow, err) : 0;
	run->over = code == 1 || (o->count && run->packets >= o->count) || (o->max_bytes && run->bytes >= o->max_bytes);
	/* what comes from here on is none of this capture, and neither is what is dropped */
	if (run->over)
		reader_drain(run->reader);
	return code < 0 ? code : 1;
}

void capture_run_numbers(struct capture_run *run)
{
	CLEANUP(out_close) struct out out = { 0 };
	struct capture_source source = { 0 };
	const struct capture_totals without_flows = { .packets = run->packets, .bytes = run->bytes };

	capture_status_hide(run);
	out_open_fd(&out, STDERR_FILENO);
	reader_source(run->reader, &source);
	capture_summary_text(&out, &source, run->table ? flows_totals(run->table) : &without_flows);
}

static void status_line(struct capture_run *run, const struct capture_report *capture)
{
	double seconds = (double)(clock_mono_us() - run->began_us) / 1e6;

	fprintf(stderr, "\r%llu packets · %.0f/s · %llu dropped · %zu finding%s so far\033[K", (unsigned long long)capture->totals->packets,
		seconds > 0 ? (double)capture->totals->packets / seconds : 0,
		(unsigned long long)(capture->source->dropped_kernel + capture->source->dropped_interface), capture->report->finding_count,
		capture->report->finding_count == 1 ? "" : "s");
	run->status_shown = true;
}

void capture_status_hide(struct capture_run *run)
{
	if (UNLIKELY(run->status_shown))
		fputs("\r\033[K", stderr);
	run->status_shown = false;
}

/* Behind the lines that are due, and gone before the next one. */
static void show_status(struct capture_run *run)
{
	CLEANUP(arena_free) struct arena scratch = { 0 };
	int64_t now = clock_mono_us();

	if (run->o->common.quiet || !run->table || now - run->status_us < STATUS_EVERY_US || !isatty(STDERR_FILENO))
		return;
	run->status_us = now;
	capture_judge(run, &scratch, status_line);
}

/* A write that fails leaves its error in run->out, where the next look finds it. */
void capture_run_idle(void *context)
{
	struct capture_run *run = context;

	out_flush(&run->out);
	show_status(run);
}

/* Return: 0; -EPIPE without @err when nobody reads the output any more; another -errno with @err. */
static int flush_output(struct capture_run *run, struct err *err)
{
	int code = out_flush(&run->out);

	return code && code != -EPIPE ? err_errno(err, code, "cannot write the output") : code;
}

/* What there is to do while no packet waits. */
static int breathe(struct capture_run *run, struct err *err)
{
	int code;

	if (run->live)
		capture_owners_take(&run->owners);
	if (numbers_wanted) {
		numbers_wanted = 0;
		capture_run_numbers(run);
	}
	code = flush_output(run, err);
	if (!code)
		show_status(run);
	return !code && run->writer && run->o->packet_buffered ? writer_flush(run->writer, err) : code;
}

static bool is_over(const struct capture_run *run)
{
	return interrupted || (run->o->duration_us && clock_mono_us() - run->began_us >= (int64_t)run->o->duration_us);
}

/* Between packets. A live capture that is over still delivers what the kernel has accepted; a file ends where it is. */
static int look_around(struct capture_run *run, struct err *err)
{
	int code = breathe(run, err);

	if (code || !is_over(run) || run->draining)
		return code;
	run->over = !run->live;
	run->draining = run->live;
	if (!run->live)
		return 0;
	run->watched_us = clock_now().real_us;
	reader_drain(run->reader);
	return 0;
}

/* Return: as reader_next(), but a file that is cut counts as nothing for a moment: the next one follows. */
static int read_one(struct capture_run *run, struct packet *packet, struct err *err)
{
	struct frame frame;
	int got = reader_next(run->reader, &frame, err);

	if (got == -EBADMSG) {
		run->cut = true;
		notices_add(&run->notices, "%s", err->text);
		return -EAGAIN;
	}
	return got == 1 ? take_packet(run, &frame, packet, err) : got;
}

int capture_run_loop(struct capture_run *run, struct err *err)
{
	struct packet *packet = arena_alloc(&run->arena, sizeof(*packet));
	unsigned since_look = 0;

	if (run->format == FORMAT_NDJSON)
		document_ndjson_header(&run->out, &run->doc);
	while (!run->over) {
		int got = read_one(run, packet, err), code = 0;

		if (got == 0)
			break;
		if (got < 0 && got != -EAGAIN)
			return got;
		if (got == 1 && !run->o->line_buffered && ++since_look < PACKETS_A_LOOK)
			continue;
		since_look = 0;
		code = look_around(run, err);
		if (code)
			return code;
	}
	capture_status_hide(run);
	if (run->watched_us && run->table)
		flows_watched(run->table, run->watched_us * 1000);
	if (run->live && run->table)
		capture_owners_end(&run->owners, run->table);
	return 0;
}

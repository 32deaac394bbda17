/* SPDX-License-Identifier: MIT */
/* `tcptriage capture`: options, and what is printed at the end. */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "tcptriage/base/file.h"
#include "tcptriage/base/num.h"

#define AT(member) offsetof(struct capture_options, member)

static const struct option_row options[] = {
	{ "interface", 'i', "IFACE", "capture on this interface: a name, any, or a number of -D", OPTION_STRING, AT(interface), "interfaces" },
	{ "read", 'r', "FILE", "read packets from this file, - for stdin (may be repeated)", OPTION_LIST, AT(files), "files" },
	{ "write", 'w', "FILE", "write packets to this file too, - for stdout; pcapng by the ending .pcapng", OPTION_STRING, AT(write), "files" },
	{ "packets", 0, NULL, "print every packet, as tcpdump does", OPTION_FLAG, AT(packets), NULL },
	{ "flows", 0, NULL, "print the table of flows", OPTION_FLAG, AT(flows), NULL },
	{ "max-flows", 0, "N", "flows that are kept (200000)", OPTION_U64, AT(max_flows), NULL },
	{ "count", 'c', "N", "stop after N packets", OPTION_U64, AT(count), NULL },
	{ "duration", 0, "SECS", "stop after this long", OPTION_DURATION, AT(duration_us), NULL },
	{ "max-bytes", 0, "N", "stop after N bytes on the wire", OPTION_U64, AT(max_bytes), NULL },
	{ "snaplen", 's', "BYTES", "keep this much of each packet (128: headers; 0: all of it)", OPTION_STRING, AT(snaplen_text), NULL },
	{ "buffer-size", 'B', "KIB", "kernel buffer (2048)", OPTION_U64, AT(buffer_kib), NULL },
	{ "no-promiscuous-mode", 'p', NULL, "only packets that are meant for this machine", OPTION_FLAG, AT(no_promiscuous), NULL },
	{ "direction", 'Q', "WORD", "in, out or inout", OPTION_STRING, AT(direction), "in|out|inout" },
	{ "immediate-mode", 0, NULL, "packets at once, not in blocks", OPTION_FLAG, AT(immediate), NULL },
	{ "list-interfaces", 'D', NULL, "list the interfaces", OPTION_FLAG, AT(list), NULL },
	{ "list-data-link-types", 'L', NULL, "list the link types of the interface", OPTION_FLAG, AT(list_link_types), NULL },
	{ "linktype", 'y', "TYPE", "capture with this link type", OPTION_STRING, AT(link_type), NULL },
	{ "filter-file", 'F', "FILE", "read the filter from this file", OPTION_STRING, AT(filter_file), "files" },
	{ "file-size", 'C', "MB", "begin another file after so many millions of bytes", OPTION_STRING, AT(rotate_size), NULL },
	{ "file-seconds", 'G', "SECS", "begin another file every SECS seconds; strftime in the name", OPTION_U64, AT(rotate_seconds), NULL },
	{ "file-count", 'W', "N", "with -C a ring of N files, with -G stop after N", OPTION_U64, AT(rotate_files), NULL },
	{ "packet-buffered", 'U', NULL, "write each packet at once", OPTION_FLAG, AT(packet_buffered), NULL },
	{ "line-buffered", 'l', NULL, "print each line at once", OPTION_FLAG, AT(line_buffered), NULL },
	{ "relinquish-privileges", 'Z', "USER", "read packets as this user (nobody)", OPTION_STRING, AT(user), NULL },
	{ "verbose", 'v', NULL, "more: evidence, what did not fire; in packets as tcpdump's -v, -vv, -vvv", OPTION_COUNT, AT(verbosity), NULL },
	{ "link-header", 'e', NULL, "in packets: the link header", OPTION_FLAG, AT(link_header), NULL },
	{ "hex", 'x', NULL, "in packets: bytes in hex; -xx with the link header", OPTION_COUNT, AT(hex), NULL },
	{ "hex-ascii", 'X', NULL, "in packets: bytes in hex and ASCII; -XX with the link header", OPTION_COUNT, AT(hex_ascii), NULL },
	{ "ascii", 'A', NULL, "in packets: bytes as ASCII; -AA with the link header", OPTION_COUNT, AT(ascii), NULL },
	{ "timestamps", 't', NULL, "in packets: no time; -tt since 1970, -ttt since the last, -tttt with date, -ttttt since the first", OPTION_COUNT, AT(timestamps), NULL },
	{ "number", '#', NULL, "in packets: their number", OPTION_FLAG, AT(number), NULL },
	{ "absolute-tcp-sequence-numbers", 'S', NULL, "in packets: sequence numbers as they are", OPTION_FLAG, AT(absolute_seq), NULL },
	{ "dont-verify-checksums", 'K', NULL, "verify no checksum", OPTION_FLAG, AT(skip_checksums), NULL },
	{ 0 },
};

/* "Everything" in libpcap's words, and headers only. */
#define SNAPLEN_WHOLE 262144
#define SNAPLEN_HEADERS 128
#define FILTER_MAX 65536
#define FLOWS_LEAST 16

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && S_ISREG(x.st_mode) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Opening it for writing would empty what is still to be read. */
static bool writes_what_it_reads(const struct capture_options *o)
{
	for (unsigned i = 0; o->write && i < o->files.count; i++) {
		if (same_file(o->write, o->files.values[i]))
			return true;
	}
	return false;
}

static int contradiction(const struct capture_options *o, struct err *err)
{
	const struct {
		bool wrong;
		const char *text;
	} rows[] = {
		{ !o->interface && !o->files.count, "nothing to look at: -i IFACE captures, -r FILE reads (-D lists interfaces)" },
		{ o->interface && o->files.count, "-i and -r exclude each other" },
		{ o->common.all_netns, "one capture looks into one network namespace: --netns NAME instead of --all-netns" },
		{ o->common.netns && o->files.count, "a file has no network namespace: --netns goes with -i" },
		{ o->files.count && (o->direction || o->link_type), "a file holds what it holds: -Q and -y go with -i" },
		{ (o->packets || o->flows) && (o->common.json || o->common.ndjson), "--packets and --flows are text: JSON has flows and events of its own" },
		{ o->max_flows && o->max_flows < FLOWS_LEAST, "--max-flows is at least 16" },
		{ (o->rotate_size || o->rotate_seconds || o->rotate_files) && !o->write, "-C, -G and -W need -w" },
		{ writes_what_it_reads(o), "-r and -w name the same file: it would be emptied before it is read" },
		{ o->rotate_files && !o->rotate_size && !o->rotate_seconds, "-W needs -C or -G" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].wrong)
			return err_set(err, -EINVAL, "%s", rows[i].text);
	}
	return 0;
}

static int settle(struct capture_options *o, struct err *err)
{
	o->snaplen = SNAPLEN_HEADERS;
	/* bytes are asked for: then not their first 128 only */
	if (o->hex || o->hex_ascii || o->ascii)
		o->snaplen = SNAPLEN_WHOLE;
	if (o->snaplen_text && (!num_u64(o->snaplen_text, SNAPLEN_WHOLE, &o->snaplen)))
		return err_set(err, -EINVAL, "'%s' is no length for -s: bytes up to %d, 0 for all", o->snaplen_text, SNAPLEN_WHOLE);
	if (!o->snaplen)
		o->snaplen = SNAPLEN_WHOLE;
	/* asking for what only packets have is asking for packets */
	o->packets = o->packets || o->hex || o->hex_ascii || o->ascii || o->link_header || o->number || o->absolute_seq || o->timestamps;
	o->common.verbose = o->verbosity > 0;
	return contradiction(o, err);
}

/* The words behind the options, or the file of -F, as one expression in @arena. Return: 0, -EINVAL for both, or -errno; with @err. */
static int filter_text(const struct capture_options *o, struct arena *arena, int count, char **words, const char **filter, struct err *err)
{
	CLEANUP(out_close) struct out text;
	int code;

	out_open_mem(&text);
	if (o->filter_file && count)
		return err_set(err, -EINVAL, "a filter stands in -F or behind the options, not in both");
	code = o->filter_file ? file_slurp_at(AT_FDCWD, o->filter_file, &text, FILTER_MAX) : 0;
	if (code)
		return err_errno(err, code, "cannot read the filter '%s'", o->filter_file);
	for (int i = 0; i < count; i++) {
		if (i)
			out_char(&text, ' ');
		out_str(&text, words[i]);
	}
	*filter = arena_strdup(arena, out_text(&text));
	return 0;
}

static void print_end(struct capture_run *run, const struct capture_report *capture)
{
	if (run->format != FORMAT_TEXT) {
		capture_renderers[run->format](&run->out, capture);
		return;
	}
	if (run->o->flows)
		capture_flows_text(&run->out, capture);
	if (!run->o->flows && !run->o->packets)
		capture_renderers[FORMAT_TEXT](&run->out, capture);
}

static void print_notices(struct capture_run *run)
{
	CLEANUP(out_close) struct out out = { 0 };

	if (run->o->common.quiet)
		return;
	out_open_fd(&out, STDERR_FILENO);
	document_text_notices(&out, &run->doc);
}

/* What the bounds of the tables cost, once. */
static void note_bounds(struct capture_run *run)
{
	const struct capture_totals *totals = flows_totals(run->table);

	if (totals->evicted)
		notices_add(&run->notices, "%llu flows had to make room before they were judged (--max-flows)", (unsigned long long)totals->evicted);
	if (totals->troubles_forgotten)
		notices_add(&run->notices, "more connections were in trouble at once than are followed closely: those that came first are, findings count only them");
}

/* It is closed whatever becomes of its last block; the first failure is the one that is told. */
static int finish_writer(struct capture_run *run, struct err *err)
{
	struct capture_source source = { 0 };
	int code, closed;

	reader_source(run->reader, &source);
	code = writer_drops(run->writer, &source, err);
	closed = writer_close(run->writer, code ? NULL : err);
	run->writer = NULL;
	return code ? code : closed;
}

static int finish(struct capture_run *run, struct err *err)
{
	bool plain = run->format == FORMAT_TEXT && (run->o->packets || run->o->flows);
	int code = 0;

	if (run->table) {
		note_bounds(run);
		capture_judge(run, &run->arena, print_end);
	}
	code = out_flush(&run->out);
	if (code)
		return code == -EPIPE ? 0 : err_errno(err, code, "cannot write the output");
	if (plain && !run->o->common.quiet)
		capture_run_numbers(run);
	if (plain || run->format != FORMAT_TEXT)
		print_notices(run);
	return run->writer ? finish_writer(run, err) : 0;
}

/* The interface is gone, the disk is full: what was captured until then is worth its end all the same. Return: @code, with the error that it stands for. */
static int end_early(struct capture_run *run, int code, const struct err *err)
{
	struct err second = { "" };

	run->cut = true;
	if (run->format != FORMAT_TEXT) /* beside text it stands on stderr */
		notices_add(&run->notices, "%s", err->text);
	if (run->packets)
		finish(run, &second);
	return code;
}

/* Nobody reads our output any more, which is no failure; a pipe of -w that broke is one. */
static bool is_unread(const struct capture_options *o, int code, const struct err *err)
{
	return code == -EPIPE && (!*err->text || capture_to_stdout(o));
}

static int capture(const struct capture_options *o, int count, char **words, struct err *err)
{
	CLEANUP(arena_free) struct arena arena = { 0 };
	CLEANUP(capture_run_close) struct capture_run run = { 0 };
	const char *filter = NULL;
	int code = filter_text(o, &arena, count, words, &filter, err);

	if (code)
		return code;
	signals_catch();
	capture_run_catch();
	code = capture_run_open(&run, o, filter, err);
	if (!code)
		code = capture_run_loop(&run, err);
	if (is_unread(o, code, err))
		return EXIT_RAN;
	if (code)
		return end_early(&run, code, err);
	code = finish(&run, err);
	if (code)
		return code;
	return interrupted == SIGINT ? EXIT_SIGINT : run.cut ? EXIT_PARTIAL : EXIT_RAN;
}

static int run(void *values, int operand_count, char **operands)
{
	struct capture_options *o = values;
	struct err err = { "" };
	int code;

	if (o->list || o->list_link_types)
		return capture_list(o);
	code = settle(o, &err);
	if (!code)
		code = capture(o, operand_count, operands, &err);
	if (code == -EINVAL)
		return usage_error(&cmd_capture, err.text);
	if (code < 0)
		run_error(&cmd_capture, err.text);
	if (code == -EINTR && interrupted == SIGINT)
		return EXIT_SIGINT;
	return code < 0 ? EXIT_FAILED : code;
}

const struct command cmd_capture = {
	.name = "capture",
	.summary = "packets, live or from files: what goes wrong in them, in which flow, whose it is",
	.operands = "-i IFACE | -r FILE [FILTER]",
	.example = "tcptriage capture -i eth0 tcp port 443",
	.options = options,
	.options_size = sizeof(struct capture_options),
	.run = run,
};

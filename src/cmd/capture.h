/* SPDX-License-Identifier: MIT */
/* `tcptriage capture`: what its files share. */
#ifndef TCPTRIAGE_SRC_CMD_CAPTURE_H
#define TCPTRIAGE_SRC_CMD_CAPTURE_H

#include "session.h"
#include "tcptriage/capture/helper.h"
#include "tcptriage/capture/sandbox.h"
#include "tcptriage/render/capture.h"
#include "tcptriage/render/packets.h"
#include "tcptriage/track/flows.h"
#include "tcptriage/triage/engine.h"

/** struct capture_options - the command line. Letters are tcpdump's. */
struct capture_options {
	struct common_options common;
	struct option_list files;
	const char *interface, *write, *direction, *link_type, *filter_file, *user, *rotate_size, *snaplen_text;
	uint64_t count, snaplen, buffer_kib, duration_us, max_bytes, max_flows, rotate_files, rotate_seconds;
	unsigned verbosity, hex, hex_ascii, ascii, timestamps;
	bool list, list_link_types, no_promiscuous, link_header, number, absolute_seq, skip_checksums;
	bool packet_buffered, line_buffered, packets, flows, immediate;
};

/**
 * struct capture_owners - who holds the sockets of live flows. @owner: CAPTURE_OWNERS of them at most; flow.owner is index + 1. @local: addresses
 * of this machine.
 */
struct capture_owners {
	struct helper *helper;
	struct flow_owner *owner;
	size_t count;
	struct addr *local;
	size_t local_count;
};

/** Live flows whose owner is remembered; later ones have none. */
#define CAPTURE_OWNERS 65536

/** capture_owners_open() - reads the addresses of this machine. */
void capture_owners_open(struct capture_owners *owners, struct helper *helper);
/** capture_owners_new() - flows_options.on_new for live captures: which side is ours, and a question about its owner. @context: struct capture_owners. */
void capture_owners_new(struct flow *flow, void *context);
/** capture_owners_take() - take the answers that have come. */
void capture_owners_take(struct capture_owners *owners);
/** capture_owners_end() - ask about the sockets of @flows once more, and wait a moment for the answers. */
void capture_owners_end(struct capture_owners *owners, const struct flows *flows);
/** capture_owners_of() - of a flow, NULL unknown. */
const struct flow_owner *capture_owners_of(const struct capture_owners *owners, const struct flow *flow);
/** capture_owners_close() - releases it, not the helper. Fit for CLEANUP(). */
void capture_owners_close(struct capture_owners *owners);

/**
 * struct capture_run - one capture under way.
 * @out: where lines go. @table: flows, NULL when only packets are printed. @style, @format: of the output. @doc: frame of the document. @cut: a file ended too early. @draining: only what the kernel
 * still holds is read. @over: no packet is read any more. @watched_us: when a live capture was told to end, 0 not yet.
 * @status_us: when the status line was written last, or the capture began. @status_shown: it stands on the terminal.
 * @names: of interfaces, by number, @name_count of them: as they were at the start.
 */
struct capture_run {
	const struct capture_options *o;
	struct arena arena;
	struct notices notices;
	struct document doc;
	struct style style;
	enum format format;
	struct reader *reader;
	struct writer *writer;
	struct helper *helper;
	struct sandbox_state sandbox;
	struct capture_owners owners;
	struct flows *table;
	struct packet_text text;
	const char **names;
	uint32_t name_count;
	struct out out;
	uint64_t packets, bytes;
	int64_t began_us, status_us, watched_us;
	bool cut, live, draining, over, status_shown;
};

/** capture_run_open() - start the privileged process, open what is read and written, give up privileges. Return: 0 or -errno with @err (-EINVAL: usage). */
int capture_run_open(struct capture_run *run, const struct capture_options *o, const char *filter, struct err *err);
/** capture_run_loop() - read until the end, a limit, or a signal. Return: 0 or -errno with @err. */
int capture_run_loop(struct capture_run *run, struct err *err);
/** capture_to_stdout() - whether packets are written there, so that all text goes to stderr. */
bool capture_to_stdout(const struct capture_options *o);
/** capture_run_catch() - SIGUSR1 asks for numbers from here on. capture_run_numbers() - those so far, on stderr. */
void capture_run_catch(void);
void capture_run_numbers(struct capture_run *run);
/** capture_run_idle() - reader_files.idle: lines that are due appear, although the next packets are still to come. @context: struct capture_run. */
void capture_run_idle(void *context);
/** capture_status_hide() - takes the status line off the terminal, before a line is written. */
void capture_status_hide(struct capture_run *run);
/** capture_run_close() - releases everything. Fit for CLEANUP(). */
void capture_run_close(struct capture_run *run);

/** capture_judge() - run the rules on what was captured so far and hand the result to @print. @arena: for what it needs, until @print is over. */
void capture_judge(struct capture_run *run, struct arena *arena, void (*print)(struct capture_run *run, const struct capture_report *capture));
/**
 * capture_enter_namespace() - go into that of --netns, if any: interfaces, addresses and sockets are those of it, for both processes.
 * Return: 0 or -errno with @err.
 */
int capture_enter_namespace(const struct capture_options *o, struct err *err);
/** capture_list() - -D, or -L. Return: exit status. */
int capture_list(const struct capture_options *o);

#endif

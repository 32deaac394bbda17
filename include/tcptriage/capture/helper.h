/* SPDX-License-Identifier: MIT */
/* The privileged process of a capture: opens the files that were named on the command line and looks up owners. No packet byte reaches it.
 *
 * It is forked before any packet is read and knows the files from then on: a request names one by its number only, so that a decoder that
 * was taken over cannot have another file opened. Messages have a fixed size and travel over a SOCK_SEQPACKET pair, descriptors by SCM_RIGHTS. */
#ifndef TCPTRIAGE_CAPTURE_HELPER_H
#define TCPTRIAGE_CAPTURE_HELPER_H

#include "tcptriage/capture/writer.h"

/**
 * struct helper_plan - what the privileged process may be asked for. @inputs, @input_count: files to read. @output: NULL none. @owners: look up owners.
 * @stop: not 0 when our side was told to end, so that it waits no longer for a file that cannot be opened (a pipe without another end); NULL never.
 */
struct helper_plan {
	const char *const *inputs;
	unsigned input_count;
	const struct writer_plan *output;
	bool owners;
	const volatile int *stop;
};

struct helper;

/** helper_start() - fork it. It ignores SIGINT, and ends when the other side of the pair is closed. Return: 0 or -errno with @err. */
int helper_start(struct helper **out, const struct helper_plan *plan, struct err *err);
/** helper_open_input() - reader_files.open: input @index, opened for reading; -EINTR when @stop came first. @context: struct helper. */
int helper_open_input(void *context, unsigned index, struct err *err);
/**
 * helper_open_output() - writer_open_fn. @context: struct helper. Numbers go up by one or back to 0; anything else ends the process. Symbolic links
 * are followed, the mode is what umask leaves of 0666, and the owner is the user who started the program: as tcpdump does without -Z.
 */
int helper_open_output(void *context, uint32_t number, int64_t begin_s, struct err *err);

/**
 * struct owner_question - whose socket is this? @tag: comes back in the answer. @again: the second look at the end, by cookie. @local: our side.
 */
struct owner_question {
	uint64_t tag, cookie;
	uint8_t protocol;
	bool again;
	struct endpoint local, peer;
};
/** struct owner_answer - @tag: of the question. @found: a socket stood there. @owner: what is known of it. @local_side: 0: question.local is this machine's, 1: the peer is, 2 neither. */
struct owner_answer {
	uint64_t tag;
	bool found;
	uint8_t local_side;
	struct flow_owner owner;
};
/** helper_ask_owner() - send a question; never waits. Return: 0, or -EAGAIN when too many are under way (the flow stays without owner for now), -EPIPE when the process is gone. */
int helper_ask_owner(struct helper *helper, const struct owner_question *question);
/** helper_answer() - take an answer that came. @wait_ms: how long to wait for one, 0 not at all. Return: 1 with @answer, 0 none, -errno when the process is gone. */
int helper_answer(struct helper *helper, struct owner_answer *answer, int wait_ms);
/** helper_owes() - answers to questions that were asked are still to come. */
bool helper_owes(const struct helper *helper);
/** helper_pid() - of the privileged process. */
int helper_pid(const struct helper *helper);
/** helper_stop() - end it and wait for it; NULL is fine. */
void helper_stop(struct helper *helper);
/** helper_stop_ptr() - cleanup handler. */
void helper_stop_ptr(struct helper **helper);

#endif

/* SPDX-License-Identifier: MIT */
/* Connections that ask a service for an answer, each with an advertised MSS of its own: what of the answer arrived (RULES §5.2); and the first one, as a witness. */
#ifndef TCPTRIAGE_PROBE_TCP_REVERSE_H
#define TCPTRIAGE_PROBE_TCP_REVERSE_H

#include "tcptriage/model/path.h"
#include "tcptriage/probe/prober.h"

/**
 * struct reverse_request - connect with @mss advertised (0 the default), send the payload, read until @deadline_us, the end, or @enough bytes; or, once some came and none is missing
 * between them, until nothing more came for @quiet_us and four round trips (0: never), which is found out when tcp_reverse_next() is called. Monotonic clock.
 */
struct reverse_request {
	uint32_t id, mss, enough;
	int64_t deadline_us, quiet_us;
};

/**
 * struct reverse_outcome - @id, @mss of the request. @connected; else @error. @received: bytes in order. @ended: the service closed, or @enough came. @quiet: it said something and
 * fell quiet. @held: packets stand behind a gap (tcpi_rcv_ooopack). @witness: tcp_info of it, its rcv_mss the
 * largest that the kernel told, which is a guess of 536 at most before a segment came.
 */
struct reverse_outcome {
	uint32_t id, mss;
	int error;
	bool connected, ended, quiet, held;
	uint64_t received;
	struct tcp_witness witness;
};

struct tcp_reverse;

/** tcp_reverse_open() - @options as for PROBER_TCP_DATA; with PAYLOAD_NONE nothing is sent and only what the service sends by itself is read. Return: 0 or -errno with @err. */
int tcp_reverse_open(struct tcp_reverse **out, const struct prober_options *options, struct err *err);
/** tcp_reverse_send() - begin one; 16 at once at most. */
void tcp_reverse_send(struct tcp_reverse *reverse, const struct reverse_request *request);
/** tcp_reverse_fd(), tcp_reverse_next() - as prober_fd() and prober_next(), but an outcome comes for every request, at its deadline at the latest. */
int tcp_reverse_fd(const struct tcp_reverse *reverse);
bool tcp_reverse_next(struct tcp_reverse *reverse, int64_t now_us, struct reverse_outcome *outcome);
/** tcp_reverse_close() - ends connections by a reset and releases it; NULL is fine. */
void tcp_reverse_close(struct tcp_reverse *reverse);

#endif

/* SPDX-License-Identifier: MIT */
/* `tcptriage mtu-probe`: what its files share. */
#ifndef TCPTRIAGE_SRC_CMD_MTU_PROBE_H
#define TCPTRIAGE_SRC_CMD_MTU_PROBE_H

#include "probe_job.h"
#include "tcptriage/probe/tcp_reverse.h"

/** struct mtu_probe_options - the command line. @largest: of --max-mtu as a number, 0 the interface's MTU. @payload: enum tcp_payload of --tcp-payload. */
struct mtu_probe_options {
	struct common_options common;
	struct probe_options probe;
	const char *port, *payload_word, *max_mtu;
	bool udp, icmp, tcp, hops;
	uint32_t largest;
	enum tcp_payload payload;
};

/** mtu_address_probe() - a probe_kind.probe: methods in turn, the witness beside them, then the way back. */
int mtu_address_probe(struct probe_job *job, const struct addr *address, int64_t deadline_us, struct probe_result *result, struct err *err);

/** mtu_limits_remembers() - this kernel remembers a path MTU that is less than the interface's: as long as it does, TCP sends nothing larger. */
bool mtu_limits_remembers(const struct route *route);
/** mtu_limits_tell() - what a search came to, made no more of than this machine let it see: sizes that it does not send, words that it does not hear. Changes result->path; notices say why. */
void mtu_limits_tell(struct probe_job *job, struct mtu_result *result);

/**
 * mtu_limits_tell_lowered() - a search by TCP that ended below @once, the largest packet that the host's MSS had allowed at first: the host was told of its own way to
 * us meanwhile and allows less, so that what lies between was no longer tried. Changes result->path; a notice says why.
 */
void mtu_limits_tell_lowered(struct probe_job *job, struct mtu_result *result, uint32_t once);

/** MTU of an interface that could not be asked for. */
#define MTU_OF_UNKNOWN_LINK 1500

/** mtu_live_sockets() - what sockets to @address say that are open now. */
struct live_path mtu_live_sockets(struct probe_job *job, const struct addr *address);

/**
 * struct mtu_witness - the one connection that carries no data. @waited: its outcome is still to come, at @deadline_us at the latest. @connections: made so far, when the first one was not answered two.
 */
struct mtu_witness {
	struct tcp_reverse *tcp;
	struct reverse_outcome outcome;
	int64_t deadline_us;
	uint32_t connections;
	bool waited;
};
/** mtu_witness_open() - connect to the port now; the outcome comes within @patience_us. */
void mtu_witness_open(struct mtu_witness *witness, struct probe_job *job, const struct addr *address, int64_t patience_us);
/** mtu_witness_take() - the outcome, when it is there. Return: it came. */
bool mtu_witness_take(struct mtu_witness *witness, int64_t now_us);
/** mtu_witness_tell() - what it saw goes into @result: tcp_info, and the way back where the service spoke enough by itself. */
void mtu_witness_tell(const struct mtu_witness *witness, struct mtu_result *result);
/** mtu_witness_close() - ends the connection; safe on a zeroed struct. Fit for CLEANUP(). */
void mtu_witness_close(struct mtu_witness *witness);

/** mtu_reverse_test() - the test with the advertised MSS (RULES §5.2) until @deadline_us, into @result. */
void mtu_reverse_test(struct probe_job *job, struct mtu_result *result, int64_t deadline_us);

#endif

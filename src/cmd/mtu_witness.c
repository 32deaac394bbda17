/* SPDX-License-Identifier: MIT */
/* One connection to the real port that carries no data of ours: what its handshake tells, and what the service says by itself. */
#include "mtu_probe.h"
#include "tcptriage/track/reverse_search.h"

void mtu_witness_open(struct mtu_witness *witness, struct probe_job *job, const struct addr *address, int64_t patience_us)
{
	struct prober_options options = probe_job_prober(job, address, PROBER_TCP_DATA);
	struct err err = { "" };

	options.payload = PAYLOAD_NONE;
	*witness = (struct mtu_witness){ .deadline_us = clock_mono_us() + patience_us, .connections = witness->connections };
	if (tcp_reverse_open(&witness->tcp, &options, &err)) {
		notices_add(&job->session.notices, "no connection was made to port %u: %s", job->target.port, err.text);
		return;
	}
	tcp_reverse_send(witness->tcp, &(struct reverse_request){ .id = 1, .enough = REVERSE_ENOUGH, .deadline_us = witness->deadline_us });
	probe_pace_sent(&job->pace, clock_mono_us());
	witness->connections++;
	witness->waited = true;
}

bool mtu_witness_take(struct mtu_witness *witness, int64_t now_us)
{
	if (!witness->waited || !tcp_reverse_next(witness->tcp, now_us, &witness->outcome))
		return false;
	witness->waited = false;
	return true;
}

void mtu_witness_tell(const struct mtu_witness *witness, struct mtu_result *result)
{
	const struct reverse_outcome *seen = &witness->outcome;

	result->connections = witness->connections;
	if (!witness->tcp || witness->waited)
		return;
	result->tcp = seen->witness;
	if (seen->connected && seen->received >= REVERSE_ENOUGH && !seen->held)
		result->reverse = reverse_search_alone((enum addr_family)result->address.family, seen);
}

void mtu_witness_close(struct mtu_witness *witness)
{
	tcp_reverse_close(witness->tcp);
	*witness = (struct mtu_witness){ .connections = witness->connections };
}

/* SPDX-License-Identifier: MIT */
/* Who opened a flow, and the background of the Internet (RULES §0.5): clients there vanish and lose packets all the time. */
#ifndef TCPTRIAGE_TRIAGE_FLOW_CLIENTS_H
#define TCPTRIAGE_TRIAGE_FLOW_CLIENTS_H

#include "flow_kit.h"

/** flow_clients_accepted() - the member's own side is the one that was connected to; where no SYN was seen, the lower port is taken for it. */
bool flow_clients_accepted(const struct flow_member *member);
/** flow_clients_is_public() - it was connected to from a global address. */
bool flow_clients_is_public(const struct flow_member *member);
/** flow_clients_set_key() - by what members belong together: the service that they use, the client's address, or the service that public clients use. */
void flow_clients_set_key(struct flow_member *member);
/** flow_clients_stand_out() - are these public clients at least @percent of all TCP flows to the same service, from at least @prefixes networks? @run: sorted, of flows with ODD_REPEATS or ODD_DEAD. */
bool flow_clients_stand_out(const struct view *view, const struct flow_members *run, double percent, double prefixes);

#endif

/* SPDX-License-Identifier: MIT */
/* What an ICMP message says of a probe, and of which probe when it does not say that. Pure; private to this room. */
#ifndef PROBE_ANSWER_H
#define PROBE_ANSWER_H

#include "kinds.h"
#include "tcptriage/decode/error_queue.h"
#include "tcptriage/model/packet.h"

/**
 * answer_reply() - what a message of @class says. @from_target: the host that was asked sent it: its own "port unreachable" means that the probe came.
 * Return: REPLY_NONE for a class that says nothing about what became of a packet.
 */
enum probe_reply answer_reply(enum icmp_class class, bool from_target);

/**
 * answer_local() - a message that this machine sent to itself, of a neighbour that does not answer (RULES fact 8) or a filter of its own, is no router's word.
 * @own: the address that probes are sent from. @outcome: becomes REPLY_LOCAL when @error came from there and the target is another.
 */
void answer_local(struct probe_outcome *outcome, const struct queued_error *error, const struct addr *own, const struct addr *target);

/**
 * answer_guess() - a probe under way about which @reply is true whichever of them it was meant for.
 * That one of them arrived is true of the smallest with the farthest hop limit; that one was too big, of the largest with the farthest; that its hop limit was reached, only where
 * all have the same. Any other guess could call a size good that died, or a router a hop that it is not.
 * Return: NULL when there is none.
 */
struct pending_probe *answer_guess(struct pending *pending, enum probe_reply reply, int64_t now_us);
/** answer_alike() - any of the probes under way when all have one size and one hop limit; else NULL. */
struct pending_probe *answer_alike(struct pending *pending, int64_t now_us);

#endif

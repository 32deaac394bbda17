/* SPDX-License-Identifier: MIT */
/* Whose socket is it? Questions of one capture, answered by sock_diag at once and by /proc in batches. */
#ifndef CAPTURE_HELPER_OWNERS_H
#define CAPTURE_HELPER_OWNERS_H

#include "tcptriage/capture/writer.h"
#include "tcptriage/capture/helper.h"

struct helper_owners;

/** helper_owners_new() - for the network namespace that we are in. NULL when this kernel or /proc does not let us ask. */
struct helper_owners *helper_owners_new(void);
/** helper_owners_ask() - look for the socket; its process follows in a batch. Return: false for a question that cannot be, or one too many. */
bool helper_owners_ask(struct helper_owners *owners, const struct owner_question *question);
/** helper_owners_wait_ms() - when helper_owners_work() has something to do, -1 never. */
int helper_owners_wait_ms(const struct helper_owners *owners);
/** helper_owners_work() - one pass over /proc for the batch when it is due. */
void helper_owners_work(struct helper_owners *owners);
/** helper_owners_ready() - the next answer to send, NULL none. */
const struct owner_answer *helper_owners_ready(const struct helper_owners *owners);
/** helper_owners_sent() - drop the answer that helper_owners_ready() gave. */
void helper_owners_sent(struct helper_owners *owners);
/** helper_owners_free() - NULL is fine. */
void helper_owners_free(struct helper_owners *owners);

#endif

/* SPDX-License-Identifier: MIT */
/* What travels between the process that reads packets and the privileged one: one size each way, descriptors beside it by SCM_RIGHTS. */
#ifndef CAPTURE_HELPER_PROTOCOL_H
#define CAPTURE_HELPER_PROTOCOL_H

#include "tcptriage/capture/writer.h"
#include "tcptriage/capture/helper.h"

/** Questions about owners under way at once, sent and not yet answered: room for this many answers is kept on both sides. */
#define HELPER_QUESTIONS_MAX 1024

enum helper_request_kind { HELPER_OPEN_INPUT, HELPER_OPEN_OUTPUT, HELPER_ASK_OWNER, HELPER_REQUEST_COUNT };

/** struct helper_request - @number: of the file. @begin_s: HELPER_OPEN_OUTPUT. @question: HELPER_ASK_OWNER. */
struct helper_request {
	uint32_t kind, number;
	int64_t begin_s;
	struct owner_question question;
};

/** struct helper_response - @kind: of the request. @code: 0 with the descriptor beside it, or -errno with @err; @answer: HELPER_ASK_OWNER. */
struct helper_response {
	uint32_t kind;
	int32_t code;
	union {
		struct err err;
		struct owner_answer answer;
	};
};

/** helper_serve() - the life of the privileged process: answers what comes over @fd until the other side is closed or asks for what it must not. */
void helper_serve(int fd, const struct helper_plan *plan);

#endif

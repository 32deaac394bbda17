/* SPDX-License-Identifier: MIT */
/* The life of the privileged process. It knows the files from its start and takes numbers only; whatever a request has that it must not have
 * ends it, since only a process that was taken over sends such. It never waits for the other side to read. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/helper_owners.h"
#include "capture/helper_protocol.h"

/* Requests taken before owners are looked after again. */
#define BATCH 64

/** struct service - @last: number of the output opened last, @has_last: there was one. @ended: the other side is gone or is not to be trusted. */
struct service {
	int fd;
	const struct helper_plan *plan;
	struct helper_owners *owners;
	uint32_t last;
	bool has_last, ended;
};

/* @descriptor: goes with it, -1 none. Return: false when the other side's buffer is full. */
static bool send_response(struct service *s, const struct helper_response *response, int descriptor, int flags)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { .iov_base = (void *)response, .iov_len = sizeof(*response) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *head = (struct cmsghdr *)(void *)control;

	if (descriptor >= 0) {
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &descriptor, sizeof(descriptor));
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
	}
	if (sendmsg(s->fd, &message, flags | MSG_NOSIGNAL) == (ssize_t)sizeof(*response))
		return true;
	if (errno != EAGAIN)
		s->ended = true;
	return false;
}

/* The other side waits for this answer and nothing else, and reads what comes before it: this send comes through. */
static void answer_open(struct service *s, uint32_t kind, int result, const struct err *err)
{
	struct helper_response response;

	memset(&response, 0, sizeof(response));
	response.kind = kind;
	response.code = result < 0 ? result : 0;
	if (result < 0)
		response.err = *err;
	send_response(s, &response, result, 0);
	if (result >= 0)
		close(result);
}

static bool serve_input(struct service *s, const struct helper_request *request)
{
	struct err err = { "" };
	const char *name;
	int fd;

	if (request->number >= s->plan->input_count)
		return false;
	name = s->plan->inputs[request->number];
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	answer_open(s, request->kind, fd < 0 ? err_errno(&err, -errno, "cannot open %s", name) : fd, &err);
	return true;
}

/* The writer begins at 0, or goes on with the number after the last: no other file of the plan is anybody's to truncate. */
static bool serve_output(struct service *s, const struct helper_request *request)
{
	const struct writer_plan *plan = s->plan->output;
	bool next = s->has_last && plan && plan->rotate_bytes && request->number == s->last + 1;
	struct err err = { "" };

	if (!plan || (request->number && !next) || (plan->files && plan->rotate_bytes && request->number >= plan->files))
		return false;
	s->has_last = true;
	s->last = request->number;
	answer_open(s, request->kind, writer_create(plan, request->number, request->begin_s, &err), &err);
	return true;
}

static bool serve_owner(struct service *s, const struct helper_request *request)
{
	return s->owners && helper_owners_ask(s->owners, &request->question);
}

/* Each returns false for what a request must not ask. */
static bool (*const serve[HELPER_REQUEST_COUNT])(struct service *, const struct helper_request *) = {
	[HELPER_OPEN_INPUT] = serve_input,
	[HELPER_OPEN_OUTPUT] = serve_output,
	[HELPER_ASK_OWNER] = serve_owner,
};

/* Return: whether there may be more. */
static bool take_request(struct service *s)
{
	struct helper_request request;
	struct iovec part = { .iov_base = &request, .iov_len = sizeof(request) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 }; /* without room for descriptors: they are not let in */
	ssize_t n = recvmsg(s->fd, &message, MSG_DONTWAIT);

	if (n < 0)
		s->ended = errno != EAGAIN && errno != EINTR;
	else
		s->ended = n != (ssize_t)sizeof(request) || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || request.kind >= HELPER_REQUEST_COUNT ||
			   !serve[request.kind](s, &request);
	return n >= 0 && !s->ended;
}

static void send_answers(struct service *s)
{
	struct helper_response response;
	const struct owner_answer *answer;

	memset(&response, 0, sizeof(response));
	response.kind = HELPER_ASK_OWNER;
	while (s->owners && !s->ended && (answer = helper_owners_ready(s->owners))) {
		response.answer = *answer;
		if (!send_response(s, &response, -1, MSG_DONTWAIT))
			return;
		helper_owners_sent(s->owners);
	}
}

void helper_serve(int fd, const struct helper_plan *plan)
{
	struct service s = { .fd = fd, .plan = plan, .owners = plan->owners ? helper_owners_new() : NULL };

	while (!s.ended) {
		bool more = s.owners && helper_owners_ready(s.owners);
		struct pollfd wait = { .fd = fd, .events = (short)(POLLIN | (more ? POLLOUT : 0)) };

		poll(&wait, 1, s.owners ? helper_owners_wait_ms(s.owners) : -1);
		for (unsigned i = 0; i < BATCH && take_request(&s); i++)
			;
		if (s.owners)
			helper_owners_work(s.owners);
		send_answers(&s);
	}
	helper_owners_free(s.owners);
}

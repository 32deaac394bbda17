/* SPDX-License-Identifier: MIT */
/* The side of the process that reads packets: starts the privileged one, asks, and keeps answers that come between others. */
#include "tcptriage/capture/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "capture/helper_protocol.h"

#define STOP_STEP_NS 5000000
/* While an answer is awaited: how often we look whether to stop, and how many times more after that. */
#define WAIT_MS 100
#define WAITS_AFTER_STOP 5
#define STOP_STEPS 400

/** struct helper - @under_way: questions without an answer. @answers: a ring of @waiting of them from @first on, that came while a descriptor was awaited. */
struct helper {
	int fd;
	pid_t pid;
	unsigned under_way, first, waiting;
	const volatile int *stop;
	struct owner_answer answers[HELPER_QUESTIONS_MAX];
};

/* Everything that was open is the business of the other process: a pipe that we kept would never end. */
static void close_all_but(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC); /* is among those closed below */

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (syscall(SYS_close_range, fd + 1, ~0U, 0)) /* before Linux 5.9 */
		for (int other = fd + 1; other < sysconf(_SC_OPEN_MAX); other++)
			close(other);
	for (int other = STDERR_FILENO + 1; other < fd; other++)
		close(other);
}

/* It ends with the other process and not before, since it has the last word about owners: what a terminal or a service manager sends to both is
 * for the other one to heed. */
static void ignore_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGTSTP };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &ignore, NULL);
}

static _Noreturn void child_main(int end, pid_t parent, const struct helper_plan *plan)
{
	int fd = fcntl(end, F_DUPFD_CLOEXEC, STDERR_FILENO + 1); /* beyond the standard ones, which may have been closed */

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd < 0 || getppid() != parent)
		_exit(1);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_NAME, "tcptriage-files");
	ignore_signals();
	close_all_but(fd);
	tzset();
	helper_serve(fd, plan);
	_exit(0);
}

int helper_start(struct helper **out, const struct helper_plan *plan, struct err *err)
{
	pid_t parent = getpid(), pid;
	struct helper *helper;
	int ends[2];

	*out = NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return err_errno(err, -errno, "cannot talk to a second process");
	pid = fork();
	if (pid == 0)
		child_main(ends[1], parent, plan);
	close(ends[1]);
	if (pid < 0) {
		int code = -errno;

		close(ends[0]);
		return err_errno(err, code, "cannot start a second process");
	}
	helper = xcalloc(1, sizeof(*helper));
	helper->fd = ends[0];
	helper->pid = pid;
	helper->stop = plan->stop;
	*out = helper;
	return 0;
}

static int descriptor_of(struct msghdr *message)
{
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS && control->cmsg_len >= CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(control), sizeof(fd));
	return fd;
}

/* @flags: MSG_DONTWAIT or 0. @fd: a descriptor that came with it, -1 none. Return: 0; -EAGAIN; -EPIPE when the process is gone. */
static int receive(struct helper *helper, struct helper_response *response, int *fd, int flags)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct iovec part = { .iov_base = response, .iov_len = sizeof(*response) };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t n;

	do
		n = recvmsg(helper->fd, &message, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return -EAGAIN;
	if (n != (ssize_t)sizeof(*response))
		return -EPIPE;
	*fd = descriptor_of(&message);
	return 0;
}

static int send_request(struct helper *helper, const struct helper_request *request, int flags)
{
	ssize_t n;

	do
		n = send(helper->fd, request, sizeof(*request), flags | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -EAGAIN : -EPIPE;
	return 0;
}

static void keep_answer(struct helper *helper, const struct owner_answer *answer)
{
	BUG_ON(helper->waiting == HELPER_QUESTIONS_MAX);
	helper->answers[(helper->first + helper->waiting++) % HELPER_QUESTIONS_MAX] = *answer;
}

static int gone(struct err *err)
{
	return err_set(err, -EPIPE, "the process that opens files has ended");
}

/* The other side never waits for us, so its answer comes, unless its open() hangs. Return: false when that is so and we were told to stop. */
static bool wait_for_answer(const struct helper *helper)
{
	struct pollfd wait = { .fd = helper->fd, .events = POLLIN };

	for (unsigned left = WAITS_AFTER_STOP; left; left -= helper->stop && *helper->stop)
		if (poll(&wait, 1, WAIT_MS) > 0)
			return true;
	return false;
}

static int open_by_request(struct helper *helper, const struct helper_request *request, struct err *err)
{
	struct helper_response response;
	int fd, code = send_request(helper, request, 0);

	while (!code) {
		if (!wait_for_answer(helper))
			return err_set(err, -EINTR, "interrupted while a file was being opened");
		code = receive(helper, &response, &fd, 0);
		if (!code && response.kind == request->kind)
			break;
		if (!code)
			keep_answer(helper, &response.answer);
	}
	if (code)
		return gone(err);
	if (response.code)
		return err_set(err, response.code, "%s", response.err.text);
	return fd < 0 ? gone(err) : fd;
}

int helper_open_input(void *context, unsigned index, struct err *err)
{
	struct helper_request request;

	memset(&request, 0, sizeof(request));
	request.kind = HELPER_OPEN_INPUT;
	request.number = index;
	return open_by_request(context, &request, err);
}

int helper_open_output(void *context, uint32_t number, int64_t begin_s, struct err *err)
{
	struct helper_request request;

	memset(&request, 0, sizeof(request));
	request.kind = HELPER_OPEN_OUTPUT;
	request.number = number;
	request.begin_s = begin_s;
	return open_by_request(context, &request, err);
}

int helper_ask_owner(struct helper *helper, const struct owner_question *question)
{
	struct helper_request request;
	int code;

	if (helper->under_way == HELPER_QUESTIONS_MAX)
		return -EAGAIN;
	memset(&request, 0, sizeof(request));
	request.kind = HELPER_ASK_OWNER;
	request.question = *question;
	code = send_request(helper, &request, MSG_DONTWAIT);
	helper->under_way += !code;
	return code;
}

static void take_kept(struct helper *helper, struct owner_answer *answer)
{
	*answer = helper->answers[helper->first];
	helper->first = (helper->first + 1) % HELPER_QUESTIONS_MAX;
	helper->waiting--;
	helper->under_way--;
}

int helper_answer(struct helper *helper, struct owner_answer *answer, int wait_ms)
{
	struct pollfd wait = { .fd = helper->fd, .events = POLLIN };
	struct helper_response response;
	int fd, code;

	if (helper->waiting) {
		take_kept(helper, answer);
		return 1;
	}
	if (wait_ms)
		poll(&wait, 1, wait_ms);
	code = receive(helper, &response, &fd, MSG_DONTWAIT);
	if (code)
		return code == -EAGAIN ? 0 : code;
	BUG_ON(response.kind != HELPER_ASK_OWNER || !helper->under_way);
	*answer = response.answer;
	helper->under_way--;
	return 1;
}

bool helper_owes(const struct helper *helper)
{
	return helper->under_way > 0;
}

int helper_pid(const struct helper *helper)
{
	return helper->pid;
}

/* It may be held up in an open(), as of a pipe that nobody writes to; then our own end takes it along (PR_SET_PDEATHSIG). */
static void wait_for_end(pid_t pid)
{
	struct timespec step = { .tv_nsec = STOP_STEP_NS };

	for (unsigned i = 0; i < STOP_STEPS; i++) {
		if (waitpid(pid, NULL, WNOHANG) != 0)
			return;
		nanosleep(&step, NULL);
	}
}

void helper_stop(struct helper *helper)
{
	if (!helper)
		return;
	close(helper->fd);
	wait_for_end(helper->pid);
	free(helper);
}

void helper_stop_ptr(struct helper **helper)
{
	helper_stop(*helper);
}

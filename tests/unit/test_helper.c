/* SPDX-License-Identifier: MIT */
/* capture/helper: the privileged process opens what it knows and nothing else, ends with us, and tells whose socket a flow is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "capture/helper_protocol.h"
#include "tcptriage/model/flow.h"
#include "tcptriage/model/state.h"

static char dir[64];
static struct err err;

static const char *below(const char *name)
{
	static char path[4][512];
	static unsigned next;

	next = (next + 1) % ARRAY_SIZE(path);
	snprintf(path[next], sizeof(path[next]), "%s/%s", dir, name);
	return path[next];
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/tcptriage-helper-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	struct dirent *entry;
	DIR *open_dir = opendir(dir);

	(void)state;
	while (open_dir && (entry = readdir(open_dir)))
		if (entry->d_name[0] != '.')
			unlink(below(entry->d_name));
	closedir(open_dir);
	return rmdir(dir);
}

/* It takes a copy of the plan along. */
static struct helper *start(const struct helper_plan *plan)
{
	struct helper *helper;

	assert_int_equal(helper_start(&helper, plan, &err), 0);
	return helper;
}

/* Two inputs, of which the second is not there. */
static struct helper *start_with_inputs(void)
{
	const char *inputs[2] = { below("in.pcap"), below("missing.pcap") };
	struct helper_plan plan = { .inputs = inputs, .input_count = 2 };
	FILE *file;

	file = fopen(inputs[0], "w");
	assert_non_null(file);
	fputs("bytes", file);
	fclose(file);
	return start(&plan);
}

static void input__by_number__can_be_read_and_not_written(void **state)
{
	struct helper *helper = start_with_inputs();
	int fd = helper_open_input(helper, 0, &err);
	char text[16] = "";

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text)), 5);
	assert_string_equal(text, "bytes");
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	helper_stop(helper);
}

static void input__that_is_missing__fails_with_its_name_and_work_goes_on(void **state)
{
	struct helper *helper = start_with_inputs();
	int fd;

	(void)state;
	assert_int_equal(helper_open_input(helper, 1, &err), -ENOENT);
	assert_non_null(strstr(err.text, "missing.pcap"));
	fd = helper_open_input(helper, 0, &err);
	assert_true(fd >= 0);
	close(fd);
	helper_stop(helper);
}

static void input__that_cannot_be_opened_yet__is_given_up_when_told_to_stop(void **state)
{
	volatile int stop = 2;
	const char *inputs[1] = { below("pipe") };
	struct helper_plan plan = { .inputs = inputs, .input_count = 1, .stop = &stop };
	struct helper *helper;

	(void)state;
	assert_int_equal(mkfifo(inputs[0], 0600), 0);
	helper = start(&plan);
	assert_int_equal(helper_open_input(helper, 0, &err), -EINTR);
	assert_non_null(strstr(err.text, "interrupted"));
	helper_stop(helper);
}

static void input__of_no_such_number__ends_the_process(void **state)
{
	struct helper *helper = start_with_inputs();

	(void)state;
	assert_int_equal(helper_open_input(helper, 2, &err), -EPIPE);
	assert_int_equal(helper_open_input(helper, 0, &err), -EPIPE);
	helper_stop(helper);
}

static struct helper *start_with_output(uint64_t rotate_bytes, uint32_t files)
{
	struct writer_plan output = { .path = below("out.pcap"), .rotate_bytes = rotate_bytes, .files = files };
	struct helper_plan plan = { .output = &output };

	return start(&plan);
}

static void open_and_write(struct helper *helper, uint32_t number, const char *text)
{
	int fd = helper_open_output(helper, number, 0, &err);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void assert_content(const char *name, const char *wanted, mode_t mode)
{
	char text[64] = "";
	struct stat st;
	int fd = open(below(name), O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	assert_string_equal(text, wanted);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, mode);
	assert_int_equal(st.st_uid, geteuid());
	close(fd);
}

static void output__rotating__has_the_names_of_the_writer_and_the_mode_of_umask(void **state)
{
	mode_t old = umask(022);
	struct helper *helper = start_with_output(1000, 0);

	(void)state;
	umask(old);
	open_and_write(helper, 0, "first, longer");
	open_and_write(helper, 1, "second");
	assert_content("out.pcap", "first, longer", 0644);
	assert_content("out.pcap1", "second", 0644);
	open_and_write(helper, 0, "again");
	assert_content("out.pcap", "again", 0644);
	helper_stop(helper);
}

static void output__number_out_of_order__ends_the_process(void **state)
{
	struct helper *helper = start_with_output(1000, 0);

	(void)state;
	open_and_write(helper, 0, "first");
	assert_int_equal(helper_open_output(helper, 2, 0, &err), -EPIPE);
	helper_stop(helper);
	assert_int_equal(access(below("out.pcap2"), F_OK), -1);
}

static void output__beyond_the_ring__ends_the_process(void **state)
{
	struct helper *helper = start_with_output(1000, 2);

	(void)state;
	open_and_write(helper, 0, "first");
	open_and_write(helper, 1, "second");
	assert_int_equal(helper_open_output(helper, 2, 0, &err), -EPIPE);
	helper_stop(helper);
}

static void output__none_planned__ends_the_process(void **state)
{
	struct helper *helper = start_with_inputs();

	(void)state;
	assert_int_equal(helper_open_output(helper, 0, 0, &err), -EPIPE);
	helper_stop(helper);
}

/* What a process that was taken over may send: @len bytes of @bytes, with a descriptor beside them when @fd is one. Expects the end. */
static void assert_ends_on(const void *bytes, size_t len, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part = { .iov_base = (void *)bytes, .iov_len = len };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *head = (struct cmsghdr *)(void *)control;
	const char *inputs[] = { "/dev/null" };
	struct helper_plan plan = { .inputs = inputs, .input_count = 1 };
	int ends[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	pid = fork();
	if (!pid) {
		close(ends[0]);
		helper_serve(ends[1], &plan);
		_exit(7);
	}
	close(ends[1]);
	if (fd >= 0) {
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &fd, sizeof(fd));
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
	}
	assert_int_equal(sendmsg(ends[0], &message, MSG_NOSIGNAL), len);
	assert_int_equal(recv(ends[0], &byte, 1, 0), 0); /* no answer, but the end */
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	close(ends[0]);
}

static void request__of_wrong_shape__ends_the_process(void **state)
{
	struct {
		struct helper_request request;
		char more[8];
	} sent;

	(void)state;
	memset(&sent, 0, sizeof(sent));
	sent.request.kind = HELPER_OPEN_INPUT;
	assert_ends_on(&sent, sizeof(sent.request) - 1, -1);
	assert_ends_on(&sent, sizeof(sent), -1);
	assert_ends_on(&sent, 1, -1);
	assert_ends_on(&sent, sizeof(sent.request), STDERR_FILENO);
	sent.request.kind = HELPER_REQUEST_COUNT;
	assert_ends_on(&sent, sizeof(sent.request), -1);
	sent.request.kind = UINT32_MAX;
	assert_ends_on(&sent, sizeof(sent.request), -1);
	sent.request.kind = HELPER_ASK_OWNER; /* not planned */
	assert_ends_on(&sent, sizeof(sent.request), -1);
}

static unsigned descriptors_of(int pid)
{
	struct dirent *entry;
	char path[64];
	unsigned count = 0;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	fds = opendir(path);
	assert_non_null(fds);
	while ((entry = readdir(fds)))
		count += entry->d_name[0] != '.';
	closedir(fds);
	return count;
}

static void process__from_its_start__keeps_no_descriptor_of_ours(void **state)
{
	int pipe_ends[2];
	struct helper *helper;
	char byte;

	(void)state;
	assert_int_equal(pipe(pipe_ends), 0);
	helper = start_with_inputs();
	close(pipe_ends[1]);
	assert_int_equal(read(pipe_ends[0], &byte, 1), 0); /* ends as soon as nobody holds the other end */
	assert_int_equal(helper_open_input(helper, 1, &err), -ENOENT); /* it is at work */
	/* three standard ones, its end of the pair */
	assert_true(descriptors_of(helper_pid(helper)) <= 4);
	close(pipe_ends[0]);
	helper_stop(helper);
}

static void process__signalled_from_a_terminal__goes_on(void **state)
{
	struct helper *helper = start_with_inputs();
	int fd, pid = helper_pid(helper);

	(void)state;
	fd = helper_open_input(helper, 0, &err); /* it has begun */
	close(fd);
	assert_int_equal(kill(helper_pid(helper), SIGINT), 0);
	assert_int_equal(kill(helper_pid(helper), SIGTERM), 0);
	fd = helper_open_input(helper, 0, &err);
	assert_true(fd >= 0);
	close(fd);
	helper_stop(helper);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1); /* was waited for */
}

static void process__whose_parent_is_killed__ends(void **state)
{
	int ends[2], status;
	pid_t middle, helper_process;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(pipe(ends), 0);
	middle = fork();
	if (!middle) {
		int pid = helper_pid(start_with_inputs());

		if (write(ends[1], &pid, sizeof(pid)) == (ssize_t)sizeof(pid))
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(read(ends[0], &helper_process, sizeof(helper_process)), sizeof(helper_process));
	assert_int_equal(waitpid(middle, &status, 0), middle);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(waitpid(helper_process, &status, 0), helper_process); /* does not come back while it lives */
	close(ends[0]);
	close(ends[1]);
}

static struct helper *start_for_owners(void)
{
	struct helper_plan plan = { .owners = true };

	return start(&plan);
}

static struct endpoint endpoint_of(const struct sockaddr_storage *name)
{
	struct endpoint end;

	memset(&end, 0, sizeof(end));
	if (name->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)name;

		memcpy(end.addr.bytes, &in->sin_addr, 4);
		end.port = ntohs(in->sin_port);
	} else {
		const struct sockaddr_in6 *in6 = (const void *)name;

		end.addr.family = ADDR_V6;
		memcpy(end.addr.bytes, &in6->sin6_addr, 16);
		end.port = ntohs(in6->sin6_port);
	}
	return end;
}

static struct endpoint local_of(int fd)
{
	struct sockaddr_storage name = { .ss_family = 0 };
	socklen_t len = sizeof(name);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	return endpoint_of(&name);
}

static int bound_socket(int family, int type, const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (family == AF_INET) {
		assert_int_equal(inet_pton(AF_INET, address, &in.sin_addr), 1);
		assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	} else {
		assert_int_equal(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
		assert_int_equal(bind(fd, (struct sockaddr *)&in6, sizeof(in6)), 0);
	}
	return fd;
}

static void connect_to(int fd, int family, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	if (family == AF_INET)
		assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	else
		assert_int_equal(connect(fd, (struct sockaddr *)&in6, sizeof(in6)), 0);
}

/* struct pair - a connection on loopback: @server accepted it from @listener. */
struct pair {
	int listener, client, server;
};

static struct pair connect_pair(int family, int listener_family, bool accepted)
{
	struct pair pair = { .listener = bound_socket(listener_family, SOCK_STREAM, listener_family == AF_INET ? "0.0.0.0" : "::") };

	assert_int_equal(listen(pair.listener, 4), 0);
	pair.client = bound_socket(family, SOCK_STREAM, family == AF_INET ? "127.0.0.1" : "::1");
	connect_to(pair.client, family, local_of(pair.listener).port);
	pair.server = accepted ? accept4(pair.listener, NULL, NULL, SOCK_CLOEXEC) : -1;
	return pair;
}

static void close_pair(struct pair *pair)
{
	close(pair->client);
	close(pair->listener);
	if (pair->server >= 0)
		close(pair->server);
}

static struct owner_answer ask_again(struct helper *helper, uint8_t protocol, struct endpoint local, struct endpoint peer, uint64_t cookie, bool again)
{
	struct owner_question question = { .tag = 4711, .cookie = cookie, .protocol = protocol, .again = again, .local = local, .peer = peer };
	struct owner_answer answer;

	assert_int_equal(helper_ask_owner(helper, &question), 0);
	assert_int_equal(helper_answer(helper, &answer, 5000), 1);
	assert_int_equal(answer.tag, 4711);
	return answer;
}

static struct owner_answer ask(struct helper *helper, uint8_t protocol, struct endpoint local, struct endpoint peer)
{
	return ask_again(helper, protocol, local, peer, 0, false);
}

static void assert_us(const struct owner_answer *answer)
{
	assert_true(answer->found);
	assert_int_equal(answer->owner.pid, getpid());
	assert_string_equal(answer->owner.comm, "test_helper");
	assert_int_equal(answer->owner.uid, geteuid());
}

/* Address of the peer as the capture would show it: loopback of the family, and the port. */
static struct endpoint loopback(int family, uint16_t port)
{
	struct endpoint end;

	memset(&end, 0, sizeof(end));
	assert_true(addr_parse(family == AF_INET ? "127.0.0.1" : "::1", &end.addr));
	end.port = port;
	return end;
}

static void check_tcp(int family, int listener_family)
{
	struct pair pair = connect_pair(family, listener_family, true);
	struct helper *helper = start_for_owners();
	struct endpoint client = local_of(pair.client), server = loopback(family, local_of(pair.listener).port);
	struct owner_answer answer = ask(helper, PROTOCOL_TCP, client, server), other;

	assert_us(&answer);
	assert_int_equal(answer.local_side, 0);
	assert_true(answer.owner.cookie);
	assert_true(answer.owner.has_first);
	assert_int_equal(answer.owner.first.state, SOCK_STATE_ESTAB);
	assert_true(answer.owner.first.snd_mss > 500);
	assert_true(answer.owner.first.pmtu > 1000);
	other = ask(helper, PROTOCOL_TCP, server, client);
	assert_us(&other);
	assert_int_equal(other.local_side, 0);
	assert_true(other.owner.cookie && other.owner.cookie != answer.owner.cookie);
	helper_stop(helper);
	close_pair(&pair);
}

static void tcp__v4_and_v6__owner_and_tcp_info_of_either_end(void **state)
{
	(void)state;
	check_tcp(AF_INET, AF_INET);
	check_tcp(AF_INET6, AF_INET6);
}

static void tcp__v4_on_a_socket_of_v6__is_found_by_its_v4_addresses(void **state)
{
	(void)state;
	check_tcp(AF_INET, AF_INET6);
}

static void tcp__not_accepted_yet__belongs_to_the_listener(void **state)
{
	struct pair pair = connect_pair(AF_INET, AF_INET, false);
	struct helper *helper = start_for_owners();
	struct endpoint server = loopback(AF_INET, local_of(pair.listener).port);
	struct owner_answer answer = ask(helper, PROTOCOL_TCP, server, local_of(pair.client));

	(void)state;
	assert_us(&answer);
	assert_true(answer.owner.cookie);
	assert_int_equal(answer.owner.first.state, SOCK_STATE_ESTAB);
	helper_stop(helper);
	close_pair(&pair);
}

/* A SYN was seen, but the connection does not stand (any more): what would take it is the listener, which has another cookie. */
static void tcp__only_a_listener__is_found_without_cookie(void **state)
{
	struct pair pair = connect_pair(AF_INET, AF_INET, true);
	struct helper *helper = start_for_owners();
	struct endpoint server = loopback(AF_INET, local_of(pair.listener).port), client = loopback(AF_INET, 1);
	struct owner_answer answer = ask(helper, PROTOCOL_TCP, client, server);

	(void)state;
	assert_us(&answer);
	assert_int_equal(answer.local_side, 1);
	assert_int_equal(answer.owner.cookie, 0);
	assert_false(answer.owner.has_first);
	helper_stop(helper);
	close_pair(&pair);
}

static void tcp__addresses_of_others__are_not_given_to_our_listener(void **state)
{
	struct pair pair = connect_pair(AF_INET, AF_INET, true);
	struct helper *helper = start_for_owners();
	struct endpoint server = { .port = local_of(pair.listener).port }, client = { .port = 1234 };
	struct owner_answer answer;

	(void)state;
	assert_true(addr_parse("192.0.2.1", &client.addr));
	assert_true(addr_parse("198.51.100.7", &server.addr));
	answer = ask(helper, PROTOCOL_TCP, client, server);
	assert_false(answer.found);
	assert_int_equal(answer.local_side, 2);
	assert_int_equal(answer.owner.pid, 0);
	helper_stop(helper);
	close_pair(&pair);
}

static void second_look__while_open__brings_tcp_info(void **state)
{
	struct pair pair = connect_pair(AF_INET, AF_INET, true);
	struct helper *helper = start_for_owners();
	struct endpoint client = local_of(pair.client), server = loopback(AF_INET, local_of(pair.listener).port);
	struct owner_answer first = ask(helper, PROTOCOL_TCP, client, server);
	struct owner_answer second = ask_again(helper, PROTOCOL_TCP, client, server, first.owner.cookie, true);

	(void)state;
	assert_us(&second);
	assert_true(second.owner.has_last);
	assert_false(second.owner.has_first);
	assert_false(second.owner.gone);
	assert_int_equal(second.owner.last.state, SOCK_STATE_ESTAB);
	helper_stop(helper);
	close_pair(&pair);
}

static void second_look__after_close__is_gone(void **state)
{
	struct linger at_once = { .l_onoff = 1 };
	struct pair pair = connect_pair(AF_INET, AF_INET, true);
	struct helper *helper = start_for_owners();
	struct endpoint client = local_of(pair.client), server = loopback(AF_INET, local_of(pair.listener).port);
	struct owner_answer first = ask(helper, PROTOCOL_TCP, client, server), second;

	(void)state;
	setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close_pair(&pair);
	second = ask_again(helper, PROTOCOL_TCP, client, server, first.owner.cookie, true);
	assert_true(second.owner.gone);
	assert_false(second.owner.has_last);
	helper_stop(helper);
}

/* The tuple lives on as another connection: the cookie tells them apart. */
static void second_look__other_cookie__is_gone(void **state)
{
	struct pair pair = connect_pair(AF_INET, AF_INET, true);
	struct helper *helper = start_for_owners();
	struct endpoint client = local_of(pair.client), server = loopback(AF_INET, local_of(pair.listener).port);
	struct owner_answer first = ask(helper, PROTOCOL_TCP, client, server);
	struct owner_answer second = ask_again(helper, PROTOCOL_TCP, client, server, first.owner.cookie + 100000, true);

	(void)state;
	assert_true(second.owner.gone);
	assert_false(second.found);
	helper_stop(helper);
	close_pair(&pair);
}

static void check_udp(int family, int server_family, const char *server_address)
{
	int server_fd = bound_socket(server_family, SOCK_DGRAM, server_address);
	int client_fd = bound_socket(family, SOCK_DGRAM, family == AF_INET ? "127.0.0.1" : "::1");
	struct endpoint server = loopback(family, local_of(server_fd).port), client = local_of(client_fd);
	struct helper *helper = start_for_owners();
	struct owner_answer connected, bound;

	connect_to(client_fd, family, server.port);
	connected = ask(helper, PROTOCOL_UDP, client, server);
	assert_us(&connected);
	assert_int_equal(connected.local_side, 0);
	assert_true(connected.owner.cookie);
	assert_false(connected.owner.has_first);
	bound = ask(helper, PROTOCOL_UDP, server, loopback(family, 9)); /* nobody there: only the bound socket is ours */
	assert_us(&bound);
	assert_int_equal(bound.local_side, 0);
	assert_true(bound.owner.cookie && bound.owner.cookie != connected.owner.cookie);
	bound = ask(helper, PROTOCOL_UDP, loopback(family, 9), server);
	assert_us(&bound);
	assert_int_equal(bound.local_side, 1);
	helper_stop(helper);
	close(server_fd);
	close(client_fd);
}

static void udp__connected_and_bound__owner_of_either_end(void **state)
{
	(void)state;
	check_udp(AF_INET, AF_INET, "127.0.0.1");
	check_udp(AF_INET, AF_INET, "0.0.0.0");
	check_udp(AF_INET6, AF_INET6, "::1");
	check_udp(AF_INET, AF_INET6, "::");
}

static void other_protocol__asked__is_not_found_and_work_goes_on(void **state)
{
	struct helper *helper = start_for_owners();
	struct owner_answer answer = ask(helper, PROTOCOL_ICMP, loopback(AF_INET, 1), loopback(AF_INET, 1));

	(void)state;
	assert_false(answer.found);
	answer = ask(helper, PROTOCOL_TCP, loopback(AF_INET, 1), loopback(AF_INET, 1));
	assert_false(answer.found);
	helper_stop(helper);
}

/* More than may be under way: the one too many is refused, the others are all answered, and a descriptor gets through between them. */
static void questions__as_many_as_fit__are_all_answered_once(void **state)
{
	static unsigned char seen[HELPER_QUESTIONS_MAX];
	const char *inputs[] = { "/dev/null" };
	struct helper_plan plan = { .inputs = inputs, .input_count = 1, .owners = true };
	struct pair pair = connect_pair(AF_INET, AF_INET, true);
	struct helper *helper = start(&plan);
	struct owner_question question = { .protocol = PROTOCOL_TCP, .local = local_of(pair.client), .peer = loopback(AF_INET, local_of(pair.listener).port) };
	struct owner_answer answer;
	unsigned asked = 0, answered = 0;
	int fd;

	(void)state;
	memset(seen, 0, sizeof(seen));
	for (unsigned tries = 0; asked < HELPER_QUESTIONS_MAX && tries < 100000; tries++) {
		question.tag = asked;
		if (!helper_ask_owner(helper, &question))
			asked++;
		else
			usleep(100); /* the pair holds fewer at once */
	}
	assert_int_equal(asked, HELPER_QUESTIONS_MAX);
	assert_int_equal(helper_ask_owner(helper, &question), -EAGAIN);
	fd = helper_open_input(helper, 0, &err);
	assert_true(fd >= 0);
	close(fd);
	while (answered < asked && helper_answer(helper, &answer, 5000) == 1) {
		assert_true(answer.tag < HELPER_QUESTIONS_MAX);
		assert_int_equal(seen[answer.tag]++, 0);
		assert_us(&answer);
		answered++;
	}
	assert_int_equal(answered, asked);
	assert_int_equal(helper_answer(helper, &answer, 0), 0);
	helper_stop(helper);
	close_pair(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(input__by_number__can_be_read_and_not_written, setup, teardown),
		cmocka_unit_test_setup_teardown(input__that_is_missing__fails_with_its_name_and_work_goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(input__that_cannot_be_opened_yet__is_given_up_when_told_to_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(input__of_no_such_number__ends_the_process, setup, teardown),
		cmocka_unit_test_setup_teardown(output__rotating__has_the_names_of_the_writer_and_the_mode_of_umask, setup, teardown),
		cmocka_unit_test_setup_teardown(output__number_out_of_order__ends_the_process, setup, teardown),
		cmocka_unit_test_setup_teardown(output__beyond_the_ring__ends_the_process, setup, teardown),
		cmocka_unit_test_setup_teardown(output__none_planned__ends_the_process, setup, teardown),
		cmocka_unit_test(request__of_wrong_shape__ends_the_process),
		cmocka_unit_test_setup_teardown(process__from_its_start__keeps_no_descriptor_of_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(process__signalled_from_a_terminal__goes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(process__whose_parent_is_killed__ends, setup, teardown),
		cmocka_unit_test(tcp__v4_and_v6__owner_and_tcp_info_of_either_end),
		cmocka_unit_test(tcp__v4_on_a_socket_of_v6__is_found_by_its_v4_addresses),
		cmocka_unit_test(tcp__not_accepted_yet__belongs_to_the_listener),
		cmocka_unit_test(tcp__only_a_listener__is_found_without_cookie),
		cmocka_unit_test(tcp__addresses_of_others__are_not_given_to_our_listener),
		cmocka_unit_test(second_look__while_open__brings_tcp_info),
		cmocka_unit_test(second_look__after_close__is_gone),
		cmocka_unit_test(second_look__other_cookie__is_gone),
		cmocka_unit_test(udp__connected_and_bound__owner_of_either_end),
		cmocka_unit_test(other_protocol__asked__is_not_found_and_work_goes_on),
		cmocka_unit_test(questions__as_many_as_fit__are_all_answered_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

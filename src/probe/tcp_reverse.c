/* SPDX-License-Identifier: MIT */
/* Connections that ask a service for an answer, each with an advertised MSS of its own: what of the answer arrived. */
#include "tcptriage/probe/tcp_reverse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcp_payload.h"
#include "tcp_socket.h"
#include "tcptriage/base/util.h"

#define SLOTS 16
#define READ_BYTES 65536
/* TCP_MAXSEG takes what lies between (net/ipv4/tcp.c: TCP_MIN_MSS, MAX_TCP_WINDOW). */
#define MSS_MIN 88
#define MSS_MAX 32767

/* A quiet service may still be about to repeat what was lost: so many round trips are added. */
#define QUIET_ROUND_TRIPS 4

/* A connection, or an attempt at one that this machine refused (@fd −1, its errno in @outcome). @heard_us: when bytes came last, 0 never. @used: the outcome has not been handed over. */
struct slot {
	struct reverse_outcome outcome;
	int64_t deadline_us, quiet_us, heard_us;
	uint32_t enough;
	int fd;
	bool used;
};

struct tcp_reverse {
	struct prober_options options;
	struct slot slots[SLOTS];
	size_t payload_len;
	int events;
	uint8_t payload[TCP_PAYLOAD_MAX];
	uint8_t scratch[READ_BYTES];
};

int tcp_reverse_open(struct tcp_reverse **out, const struct prober_options *options, struct err *err)
{
	struct tcp_reverse *reverse = xcalloc(1, sizeof(*reverse));
	int code = tcp_socket_route(options, err);

	reverse->options = *options;
	reverse->events = code ? -1 : epoll_create1(EPOLL_CLOEXEC);
	if (!code && reverse->events < 0)
		code = err_errno(err, -errno, "cannot wait for connections");
	if (code) {
		tcp_reverse_close(reverse);
		return code;
	}
	reverse->payload_len = tcp_payload_write(options, 0, reverse->payload);
	*out = reverse;
	return 0;
}

static int watch(const struct tcp_reverse *reverse, const struct slot *slot, int operation, uint32_t events)
{
	struct epoll_event event = { .events = events };

	return epoll_ctl(reverse->events, operation, slot->fd, &event) ? -errno : 0;
}

static struct slot *free_slot(struct tcp_reverse *reverse)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		if (!reverse->slots[i].used)
			return &reverse->slots[i];
	}
	return NULL;
}

void tcp_reverse_send(struct tcp_reverse *reverse, const struct reverse_request *request)
{
	struct tcp_socket_wish wish = { .options = &reverse->options, .mss = request->mss ? MAX(MIN(request->mss, MSS_MAX), MSS_MIN) : 0 };
	struct slot *slot = free_slot(reverse);
	int code;

	BUG_ON(!slot);
	*slot = (struct slot){ .outcome = { .id = request->id, .mss = request->mss, .witness = { .made = true, .handshake_us = -1 } },
			       .deadline_us = request->deadline_us,
			       .quiet_us = request->quiet_us,
			       .enough = request->enough ? request->enough : UINT32_MAX,
			       .fd = tcp_socket_connect(&wish),
			       .used = true };
	code = slot->fd < 0 ? slot->fd : watch(reverse, slot, EPOLL_CTL_ADD, EPOLLOUT);
	slot->outcome.error = -code;
	if (code && slot->fd >= 0)
		close(slot->fd);
	if (code)
		slot->fd = -1;
}

int tcp_reverse_fd(const struct tcp_reverse *reverse)
{
	return reverse->events;
}

/* The handshake is over: ask, and wait for the answer from now on. */
static void begin(struct tcp_reverse *reverse, struct slot *slot, const struct tcp_reading *reading)
{
	slot->outcome.connected = true;
	slot->outcome.witness = tcp_socket_witness(reading);
	tcp_socket_forget_errors(slot->fd, reverse->options.address.family);
	watch(reverse, slot, EPOLL_CTL_MOD, EPOLLIN);
	/* A request is shorter than any send buffer; should the connection have ended, reading says so. */
	if (reverse->payload_len)
		(void)!send(slot->fd, reverse->payload, reverse->payload_len, MSG_NOSIGNAL);
}

static void take_answer(struct tcp_reverse *reverse, struct slot *slot, int64_t now_us)
{
	struct reverse_outcome *outcome = &slot->outcome;

	while (!outcome->ended) {
		ssize_t len = recv(slot->fd, reverse->scratch, sizeof(reverse->scratch), 0);

		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		outcome->received += (uint64_t)MAX(len, 0);
		slot->heard_us = now_us;
		outcome->ended = len <= 0 || outcome->received >= slot->enough;
	}
}

/* Segments of equal length behind large ones lessen what the kernel tells: the largest that it told counts. */
static void take_segment(struct slot *slot, const struct tcp_reading *reading)
{
	uint32_t seen = (uint32_t)tcpi_get(&reading->info, TCPI_RCV_MSS);

	if (slot->outcome.connected)
		slot->outcome.witness.rcv_mss = MAX(slot->outcome.witness.rcv_mss, seen);
}

/* Nothing is missing of what came, and nothing more comes. */
static bool is_quiet(const struct slot *slot, const struct tcp_reading *reading, int64_t now_us)
{
	int64_t patience_us = slot->quiet_us + QUIET_ROUND_TRIPS * MAX(slot->outcome.witness.handshake_us, 0);

	return slot->quiet_us && slot->heard_us && now_us - slot->heard_us >= patience_us && !tcpi_get(&reading->info, TCPI_RCV_OOOPACK);
}

/* It is over: take the last look at the connection and end it. */
static void end(struct slot *slot, const struct tcp_reading *reading)
{
	slot->outcome.held = !slot->outcome.ended && tcpi_get(&reading->info, TCPI_RCV_OOOPACK) > 0;
	take_segment(slot, reading);
	tcp_socket_reset(slot->fd);
	slot->fd = -1;
}

/* Return: its outcome stands. */
static bool look(struct tcp_reverse *reverse, struct slot *slot, int64_t now_us)
{
	struct reverse_outcome *outcome = &slot->outcome;
	struct tcp_reading reading = { .info = { .len = 0 } };

	if (slot->fd < 0)
		return true;
	if (!tcp_socket_read(slot->fd, &reading))
		outcome->error = errno;
	else if (!outcome->connected && tcp_socket_connected(&reading))
		begin(reverse, slot, &reading);
	else if (!outcome->connected && !tcp_socket_connecting(&reading))
		outcome->error = tcp_socket_error(slot->fd);
	if (outcome->connected)
		take_answer(reverse, slot, now_us);
	take_segment(slot, &reading);
	outcome->quiet = !outcome->ended && is_quiet(slot, &reading, now_us);
	if (!outcome->connected && !outcome->error && slot->deadline_us <= now_us)
		outcome->error = ETIMEDOUT;
	if (!outcome->error && !outcome->ended && !outcome->quiet && slot->deadline_us > now_us)
		return false;
	tcp_socket_read(slot->fd, &reading);
	end(slot, &reading);
	return true;
}

bool tcp_reverse_next(struct tcp_reverse *reverse, int64_t now_us, struct reverse_outcome *outcome)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		struct slot *slot = &reverse->slots[i];

		if (!slot->used || !look(reverse, slot, now_us))
			continue;
		*outcome = slot->outcome;
		outcome->witness.error = outcome->error;
		slot->used = false;
		return true;
	}
	return false;
}

void tcp_reverse_close(struct tcp_reverse *reverse)
{
	if (!reverse)
		return;
	for (unsigned i = 0; i < SLOTS; i++) {
		if (reverse->slots[i].used && reverse->slots[i].fd >= 0)
			tcp_socket_reset(reverse->slots[i].fd);
	}
	if (reverse->events >= 0)
		close(reverse->events);
	free(reverse);
}

/* SPDX-License-Identifier: MIT */
/* What the sockets that are open to an address say of its path, before anything is sent. */
#include "mtu_probe.h"

/* struct live - sockets to @address on their way through the dump. */
struct live {
	const struct addr *address;
	struct live_path seen;
};

static void widen(uint32_t value, bool first, uint32_t *least, uint32_t *most)
{
	*least = first ? value : MIN(*least, value);
	*most = first ? value : MAX(*most, value);
}

static int take_socket(const struct sock *sock, void *context)
{
	struct live *live = context;
	struct live_path *seen = &live->seen;
	uint32_t mss = (uint32_t)sock_tcpi(sock, TCPI_SND_MSS), pmtu = (uint32_t)sock_tcpi(sock, TCPI_PMTU);

	if (!addr_equal(&sock->peer.addr, live->address))
		return 0;
	seen->sockets++;
	if (!mss || !pmtu)
		return 0;
	widen(mss, !seen->with_info, &seen->mss_min, &seen->mss_max);
	widen(pmtu, !seen->with_info, &seen->pmtu_min, &seen->pmtu_max);
	seen->with_info++;
	return 0;
}

struct live_path mtu_live_sockets(struct probe_job *job, const struct addr *address)
{
	struct session *session = &job->session;
	const char *text = probe_job_text(job, address);
	char *words[] = { arena_strdup(&session->arena, "dst"), arena_printf(&session->arena, address->family == ADDR_V6 ? "[%s]" : "%s", text) };
	struct diag_request request = { .netid = NETID_TCP, .states = STATE_BIT(SOCK_STATE_ESTAB) | STATE_BIT(SOCK_STATE_CLOSE_WAIT), .ext = DIAG_EXT_INFO };
	struct diag_result result = { .complete = true };
	struct live live = { .address = address };
	struct filter filter;
	struct err err = { "" };
	bool exact;
	int code = session_filter(session, &filter, ARRAY_SIZE(words), words, &err);

	if (!code)
		code = filter_compile(&filter, &session->arena, &request.bytecode, &request.bytecode_len, &exact, &err);
	request.families = code ? 0 : filter.families;
	if (!code)
		code = source_sockets(session->ns[0], &request, take_socket, &live, &result, &err);
	if (code)
		notices_add(&session->notices, "open sockets to %s were not looked at: %s", text, err.text);
	return live.seen;
}

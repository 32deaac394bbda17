/* SPDX-License-Identifier: MIT */
/* Sockets as JSON objects: one writer for the array and for the stream of lines.
 *
 * Keys are literals copied with their separators; tcp_info walks the table of its fields, whose keys are laid out at compile time. */
#include "src/render/json.h"
#include "src/render/put.h"
#include "src/render/row_formats.h"

/* Room for a socket without texts from outside: 70 fields of tcp_info in at most 64 bytes each, and 2 KiB for the rest. */
#define SOCKET_BYTES (TCPI_COUNT * 64 + 2048)

static const struct field_key {
	char text[46];
	uint8_t len;
} field_keys[TCPI_COUNT] = {
#define TCPI(id, name, key, offset, bits, shift, unit) { ",\"" key "\":", sizeof(",\"" key "\":") - 1 },
#include "tcptriage/model/tcp_info.def"
#undef TCPI
};

static char *put_tcp_info(char *at, const struct tcp_info_bytes *info)
{
	if (!info->len)
		return put_lit(at, "null");
	for (unsigned i = 0; i < TCPI_COUNT; i++) {
		memcpy(at, field_keys[i].text, sizeof(field_keys[i].text));
		if (!i)
			*at = '{';
		at += field_keys[i].len;
		if (LIKELY(tcpi_has(info, (enum tcpi_id)i)))
			at = put_u64(at, tcpi_get(info, (enum tcpi_id)i));
		else
			at = put_lit(at, "null");
	}
	*at++ = '}';
	return at;
}

static char *put_skmem(char *at, const struct sock *sock)
{
	static const struct field_key keys[SKMEM_COUNT] = {
#define KEY(literal) { literal, sizeof(literal) - 1 }
		[SKMEM_RMEM] = KEY("{\"rmem_bytes\":"),
		[SKMEM_RCVBUF] = KEY(",\"rcvbuf_bytes\":"),
		[SKMEM_WMEM] = KEY(",\"wmem_bytes\":"),
		[SKMEM_SNDBUF] = KEY(",\"sndbuf_bytes\":"),
		[SKMEM_FWD] = KEY(",\"forward_alloc_bytes\":"),
		[SKMEM_WMEM_QUEUED] = KEY(",\"wmem_queued_bytes\":"),
		[SKMEM_OPTMEM] = KEY(",\"optmem_bytes\":"),
		[SKMEM_BACKLOG] = KEY(",\"backlog_bytes\":"),
		[SKMEM_DROPS] = KEY(",\"drops\":"),
#undef KEY
	};

	if (!(sock->has & SOCK_HAS_SKMEM))
		return put_lit(at, "null");
	for (unsigned i = 0; i < SKMEM_COUNT; i++)
		at = put_u64(put_mem(at, keys[i].text, keys[i].len), sock->skmem[i]);
	*at++ = '}';
	return at;
}

static char *put_endpoint(char *at, const struct endpoint *endpoint)
{
	at = put_lit(at, "{\"address\":\"");
	at = addr_text(at, &endpoint->addr);
	at = put_lit(at, "\",\"port\":");
	at = put_u64(at, endpoint->port);
	*at++ = '}';
	return at;
}

static char *put_timer(char *at, const struct sock *sock)
{
	at = put_lit(at, ",\"timer\":{\"kind\":\"");
	at = put_str(at, sock->timer ? sock_timer_name(sock->timer) : "none");
	at = put_lit(at, "\",\"expires_ms\":");
	at = sock->timer ? put_u64(at, sock->expires_ms) : put_lit(at, "null");
	at = put_lit(at, ",\"retrans\":");
	at = put_u64(at, sock->retrans);
	*at++ = '}';
	return at;
}

/* A number that the kernel may not have told. */
static inline char *put_known(char *at, bool known, uint64_t value)
{
	return known ? put_u64(at, value) : put_lit(at, "null");
}

static char *put_cookie(char *at, const struct sock *sock)
{
	if (!(sock->has & SOCK_HAS_COOKIE))
		return put_lit(at, "null");
	*at++ = '"';
	at = put_hex(at, sock->cookie);
	*at++ = '"';
	return at;
}

/* Everything of fixed size that the kernel always tells. */
static char *put_base(char *at, const struct sock *sock)
{
	at = sock->netid == NETID_UDP ? put_lit(at, "\"netid\":\"udp\"") : put_lit(at, "\"netid\":\"tcp\"");
	at = sock->family == ADDR_V6 ? put_lit(at, ",\"family\":\"inet6\",\"state\":\"") :
				       put_lit(at, ",\"family\":\"inet\",\"state\":\"");
	at = put_str(at, sock_state_name(sock->state));
	at = put_endpoint(put_lit(at, "\",\"local\":"), &sock->local);
	at = put_endpoint(put_lit(at, ",\"peer\":"), &sock->peer);
	at = put_u64(put_lit(at, ",\"recv_q\":"), sock->recv_q);
	at = put_u64(put_lit(at, ",\"send_q\":"), sock->send_q);
	at = put_u64(put_lit(at, ",\"uid\":"), sock->uid);
	at = put_u64(put_lit(at, ",\"inode\":"), sock->inode);
	at = put_cookie(put_lit(at, ",\"cookie\":"), sock);
	at = put_u64(put_lit(at, ",\"ifindex\":"), sock->ifindex);
	at = put_known(put_lit(at, ",\"mark\":"), sock->has & SOCK_HAS_MARK, sock->mark);
	return put_timer(at, sock);
}

/* Extensions that are numbers. */
static char *put_extensions(char *at, const struct sock *sock)
{
	at = put_known(put_lit(at, ",\"tos\":"), sock->has & SOCK_HAS_TOS, sock->tos);
	at = put_known(put_lit(at, ",\"tclass\":"), sock->has & SOCK_HAS_TCLASS, sock->tclass);
	at = put_known(put_lit(at, ",\"class_id\":"), sock->has & SOCK_HAS_CLASS_ID, sock->class_id);
	at = put_known(put_lit(at, ",\"cgroup_id\":"), sock->has & SOCK_HAS_CGROUP_ID, sock->cgroup_id);
	at = put_known(put_lit(at, ",\"sockopt\":"), sock->has & SOCK_HAS_SOCKOPT, sock->sockopt);
	at = put_known(put_lit(at, ",\"shutdown\":"), sock->has & SOCK_HAS_SHUTDOWN, sock->shutdown);
	at = put_lit(at, ",\"v6only\":");
	if (!(sock->has & SOCK_HAS_V6ONLY))
		return put_lit(at, "null");
	return sock->v6only ? put_lit(at, "true") : put_lit(at, "false");
}

/* State of the congestion control, when it tells more than its name. */
static void congestion_members(struct out *out, const struct sock *sock)
{
	json_key(out, ",", "congestion");
	json_word(out, sock->has & SOCK_HAS_CONG ? sock->cong : NULL);
	json_key(out, ",", "bbr");
	if (sock->has & SOCK_HAS_BBR) {
		char *at = out_need(out, 160);

		at = put_u64(put_lit(at, "{\"bw_bytes_per_s\":"), sock->cc.bbr.bw_bytes_per_s);
		at = put_u64(put_lit(at, ",\"min_rtt_us\":"), sock->cc.bbr.min_rtt_us);
		at = put_u64(put_lit(at, ",\"pacing_gain_256ths\":"), sock->cc.bbr.pacing_gain);
		at = put_u64(put_lit(at, ",\"cwnd_gain_256ths\":"), sock->cc.bbr.cwnd_gain);
		out->at = put_lit(at, "}");
	} else {
		out_lit(out, "null");
	}
	json_key(out, ",", "ulp");
	json_word(out, sock->has & SOCK_HAS_ULP_NAME ? sock->ulp : NULL);
}

static void owner_members(struct out *out, const struct row *row)
{
	bool asked = row->holder_count || row->reason != OWNER_KNOWN;

	json_key(out, ",", "owners");
	out_str(out, asked ? "[" : "null");
	for (size_t i = 0; i < row->holder_count; i++) {
		const struct holder *holder = &row->holders[i];

		out_str(out, i ? ",{\"pid\":" : "{\"pid\":");
		out_u64(out, holder->process->pid);
		json_key(out, ",", "comm");
		json_text(out, holder->process->comm);
		json_key(out, ",", "fd");
		if (holder->fd < 0)
			out_lit(out, "null");
		else
			out_u64(out, (uint64_t)holder->fd);
		json_key(out, ",", "unit");
		json_word(out, holder->process->unit);
		json_key(out, ",", "container");
		json_word(out, holder->process->container);
		out_char(out, '}');
	}
	if (asked)
		out_char(out, ']');
	json_key(out, ",", "owner_unknown");
	json_word(out, row->holder_count ? NULL : owner_unknown_name(row->reason));
}

static void flag_member(struct out *out, const struct row *row)
{
	json_key(out, ",", "flags");
	if (!row->flags) {
		out_lit(out, "null");
		return;
	}
	out_char(out, '[');
	for (size_t i = 0; row->flags[i]; i++) {
		if (i)
			out_char(out, ',');
		json_text(out, row->flags[i]);
	}
	out_char(out, ']');
}

static void age_member(struct out *out, const struct row *row)
{
	json_key(out, ",", "age_ms");
	if (row->age_ms < 0)
		out_lit(out, "null");
	else
		out_u64(out, (uint64_t)row->age_ms);
}

static void timeout_member(struct out *out, const struct sock_timeout *timeout)
{
	json_key(out, ",", "timeout");
	if (timeout->kind == TIMEOUT_NONE) {
		out_lit(out, "null");
		return;
	}
	json_key(out, "{", "kind");
	json_text(out, timeout_kind_name(timeout->kind));
	json_key(out, ",", "gives_up_ms");
	if (timeout->gives_up_ms < 0)
		out_lit(out, "null");
	else
		out_u64(out, (uint64_t)timeout->gives_up_ms);
	out_char(out, '}');
}

void socket_json(struct out *out, const struct row *row, const char *head)
{
	const struct sock *sock = row->sock;
	char *at = put_str(out_need(out, SOCKET_BYTES), head);

	at = put_base(at, sock);
	at = put_tcp_info(put_lit(at, ",\"tcp_info\":"), &sock->info);
	at = put_skmem(put_lit(at, ",\"skmem\":"), sock);
	out->at = put_extensions(at, sock);
	congestion_members(out, sock);
	owner_members(out, row);
	json_key(out, ",", "cgroup");
	json_word(out, row->cgroup);
	flag_member(out, row);
	age_member(out, row);
	timeout_member(out, &row->timeout);
	if (row->netns) {
		json_key(out, ",", "netns");
		json_text(out, row->netns);
	}
	out_char(out, '}');
}

void rows_json_begin(struct out *out, const struct row_options *options,
		       const struct document *doc)
{
	(void)options;
	document_json_open(out, doc);
	out_lit(out, ",\"sockets\":[");
}

void rows_json_row(struct out *out, const struct row_options *options, const struct row *row,
		     bool first)
{
	(void)options;
	socket_json(out, row, first ? "\n{" : ",\n{");
}

void rows_json_end(struct out *out, const struct row_options *options, const struct document *doc,
		     const struct state_counts *counts)
{
	(void)options;
	out_lit(out, "\n]");
	document_json_close(out, doc, counts);
}

void rows_ndjson_begin(struct out *out, const struct row_options *options,
			 const struct document *doc)
{
	(void)options;
	document_ndjson_header(out, doc);
}

void rows_ndjson_row(struct out *out, const struct row_options *options, const struct row *row,
		       bool first)
{
	(void)first;
	(void)options;
	socket_json(out, row, "{\"type\":\"socket\",");
	out_char(out, '\n');
}

void rows_ndjson_end(struct out *out, const struct row_options *options,
		       const struct document *doc, const struct state_counts *counts)
{
	(void)options;
	document_ndjson_summary(out, doc, counts);
}

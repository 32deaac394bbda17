/* SPDX-License-Identifier: MIT */
/* The tokens that options add to a text row, in ss's order and spelling. */
#include "src/render/cells.h"

#include "src/render/put.h"
#include "src/render/tcp_info_text.h"

/* ss's reading of a timer: minutes alone from ten on, whole seconds from ten on, else a point and three digits called ms. */
static char *put_timer_ms(char *at, uint32_t ms)
{
	uint32_t minutes = ms / 60000, seconds = ms / 1000 % 60;

	ms %= 1000;
	if (minutes) {
		at = put_lit(put_u64(at, minutes), "min");
		ms = 0;
		if (minutes > 9)
			seconds = 0;
	}
	if (seconds > 9)
		ms = 0;
	if (seconds) {
		at = put_u64(at, seconds);
		at = ms ? put_lit(at, ".") : put_lit(at, "sec");
	}
	if (!ms)
		return at;
	*at++ = (char)('0' + ms / 100);
	*at++ = (char)('0' + ms / 10 % 10);
	*at++ = (char)('0' + ms % 10);
	return put_lit(at, "ms");
}

static void token_timer(struct out *out, const struct row_options *options, const struct row *row)
{
	const struct sock *sock = row->sock;
	char *at;

	(void)options;
	if (!sock->timer)
		return;
	at = put_lit(out_need(out, 96), " timer:(");
	at = put_str(at, sock_timer_name(sock->timer));
	*at++ = ',';
	at = put_timer_ms(at, sock->expires_ms);
	*at++ = ',';
	at = put_u64(at, sock->retrans);
	*at++ = ')';
	out->at = at;
}

static void token_owners(struct out *out, const struct row_options *options, const struct row *row)
{
	(void)options;
	if (!row->holder_count) {
		if (row->reason == OWNER_KNOWN)
			return;
		out_lit(out, " users:-(");
		out_str(out, owner_unknown_name(row->reason));
		out_char(out, ')');
		return;
	}
	out_lit(out, " users:(");
	for (size_t i = 0; i < row->holder_count; i++) {
		out_str(out, i ? ",(" : "(");
		out_comm(out, row->holders[i].process->comm);
		out_lit(out, ",pid=");
		out_u64(out, row->holders[i].process->pid);
		out_lit(out, ",fd=");
		out_i64(out, row->holders[i].fd);
		out_char(out, ')');
	}
	out_char(out, ')');
}

static void token_cgroup(struct out *out, const struct row_options *options, const struct row *row)
{
	(void)options;
	if (!(row->sock->has & SOCK_HAS_CGROUP_ID) && !row->cgroup)
		return;
	out_lit(out, " cgroup:");
	if (row->cgroup && *row->cgroup) {
		out_escaped(out, row->cgroup, strlen(row->cgroup));
	} else {
		out_lit(out, "unreachable:");
		out_hex(out, row->sock->cgroup_id);
	}
}

static void token_extended(struct out *out, const struct row_options *options, const struct row *row)
{
	const struct sock *sock = row->sock;
	char *at = out_need(out, 128);

	if (sock->uid)
		at = put_u64(put_lit(at, " uid:"), sock->uid);
	at = put_u64(put_lit(at, " ino:"), sock->inode);
	at = put_hex(put_lit(at, " sk:"), sock->cookie);
	if (sock->mark)
		at = put_hex(put_lit(at, " fwmark:0x"), sock->mark);
	out->at = at;
	if (sock->cgroup_id)
		token_cgroup(out, options, row);
	at = out_need(out, 32);
	if (sock->family == ADDR_V6 && sock->has & SOCK_HAS_V6ONLY)
		at = put_u64(put_lit(at, " v6only:"), sock->v6only);
	if (sock->has & SOCK_HAS_SHUTDOWN) {
		*at++ = ' ';
		*at++ = sock->shutdown & 1 ? '-' : '<';
		*at++ = '-';
		*at++ = sock->shutdown & 2 ? '-' : '>';
	}
	out->at = at;
}

/* Hexadecimal with 0x, but a bare 0. */
static char *put_alternate_hex(char *at, uint32_t value)
{
	return put_hex(value ? put_lit(at, "0x") : at, value);
}

static void token_tos(struct out *out, const struct row_options *options, const struct row *row)
{
	const struct sock *sock = row->sock;
	char *at = out_need(out, 96);

	(void)options;
	if (sock->has & SOCK_HAS_TOS)
		at = put_alternate_hex(put_lit(at, " tos:"), sock->tos);
	if (sock->has & SOCK_HAS_TCLASS)
		at = put_alternate_hex(put_lit(at, " tclass:"), sock->tclass);
	if (sock->has & SOCK_HAS_CLASS_ID)
		at = put_alternate_hex(put_lit(at, " class_id:"), sock->class_id);
	out->at = at;
}

static void token_flags(struct out *out, const struct row_options *options, const struct row *row)
{
	(void)options;
	if (!row->flags || !row->flags[0])
		return;
	out_lit(out, " flags:");
	for (size_t i = 0; row->flags[i]; i++) {
		if (i)
			out_char(out, ',');
		out_str(out, row->flags[i]);
	}
}

static void token_netns(struct out *out, const struct row_options *options, const struct row *row)
{
	(void)options;
	if (!row->netns)
		return;
	out_lit(out, " netns:");
	if (*row->netns)
		out_escaped(out, row->netns, strlen(row->netns));
	else
		out_char(out, '-');
}

static const struct {
	unsigned show;
	cell_fn *write;
} first_line[] = {
	{ ROW_SHOW_OWNERS, token_owners },
	{ ROW_SHOW_TIMERS | ROW_SHOW_EXTENDED, token_timer },
	{ ROW_SHOW_EXTENDED, token_extended },
	{ ROW_SHOW_TOS, token_tos },
	{ ROW_SHOW_CGROUP, token_cgroup },
	{ ROW_SHOW_FLAGS, token_flags },
	{ ROW_SHOW_NETNS, token_netns },
};

void tokens_first_line(struct out *out, const struct row_options *options, const struct row *row)
{
	for (size_t i = 0; i < ARRAY_SIZE(first_line); i++)
		if (options->show & first_line[i].show)
			first_line[i].write(out, options, row);
}

static void write_skmem(struct out *out, const struct sock *sock)
{
	static const struct {
		char text[10];
		uint8_t len;
	} parts[SKMEM_COUNT] = {
		[SKMEM_RMEM] = { " skmem:(r", 9 }, [SKMEM_RCVBUF] = { ",rb", 3 },
		[SKMEM_WMEM] = { ",t", 2 },	   [SKMEM_SNDBUF] = { ",tb", 3 },
		[SKMEM_FWD] = { ",f", 2 },	   [SKMEM_WMEM_QUEUED] = { ",w", 2 },
		[SKMEM_OPTMEM] = { ",o", 2 },	   [SKMEM_BACKLOG] = { ",bl", 3 },
		[SKMEM_DROPS] = { ",d", 2 },
	};
	char *at = out_need(out, 256);

	if (!(sock->has & SOCK_HAS_SKMEM))
		return;
	for (unsigned i = 0; i < SKMEM_COUNT; i++)
		at = put_u64(put_mem(at, parts[i].text, parts[i].len), sock->skmem[i]);
	*at++ = ')';
	out->at = at;
}

/* A number that the kernel's headers name, or the number. */
static void write_named(struct out *out, const char *key, const char *const *names, size_t count,
			unsigned value)
{
	out_str(out, key);
	if (value < count && names[value])
		out_str(out, names[value]);
	else
		out_printf(out, "unknown(%u)", value);
}

/* Upper layer protocol; numbers as in include/uapi/linux/tls.h. */
static void write_ulp(struct out *out, const struct sock *sock)
{
	static const char *const ciphers[] = { [51] = "aes-gcm-128",  [52] = "aes-gcm-256",
					       [53] = "aes-ccm-128",  [54] = "chacha20-poly1305",
					       [55] = "sm4-gcm",      [56] = "sm4-ccm",
					       [57] = "aria-gcm-128", [58] = "aria-gcm-256" };
	static const char *const confs[] = { [1] = "none", [2] = "sw", [3] = "hw", [4] = "hw-record" };

	if (!(sock->has & SOCK_HAS_ULP_NAME))
		return;
	out_lit(out, " tcp-ulp-");
	out_escaped(out, sock->ulp, strlen(sock->ulp));
	if (sock->has & SOCK_HAS_ULP_TLS) {
		static const char *const minors[] = { NULL, NULL, NULL, "1.2", "1.3" };

		write_named(out, " version: ", minors, sock->tls.version >> 8 == 3 ? ARRAY_SIZE(minors) : 0,
			    sock->tls.version & 0xff);
		write_named(out, " cipher: ", ciphers, ARRAY_SIZE(ciphers), sock->tls.cipher);
		write_named(out, " rxconf: ", confs, ARRAY_SIZE(confs), sock->tls.rx_conf);
		write_named(out, " txconf: ", confs, ARRAY_SIZE(confs), sock->tls.tx_conf);
	}
	if (sock->has & SOCK_HAS_ULP_MPTCP) {
		out_lit(out, " token:");
		out_hex(out, sock->mptcp_token);
	}
}

void tokens_second_line(struct out *out, const struct row_options *options, const struct row *row)
{
	if (options->show & ROW_SHOW_MEMORY)
		write_skmem(out, row->sock);
	if (options->show & ROW_SHOW_INFO && row->sock->netid == NETID_TCP) {
		out_tcp_info(out, row->sock,
			     options->show & (ROW_SHOW_TIMERS | ROW_SHOW_EXTENDED));
		write_ulp(out, row->sock);
	}
}

/* SPDX-License-Identifier: MIT */
/* tcp_info as ss words it.
 *
 * One table row a token, in ss's order; a token is left out when its value is zero, as in ss, so absence tells nothing here: JSON has
 * every field. What ss 6.1 does not know stands behind what it knows. */
#include "src/render/tcp_info_text.h"

#include <math.h>
#include <stdio.h>

#include "src/render/put.h"

/* More than the tokens of one socket can take: 70 of 24 bytes of name and 48 of values. */
#define TOKENS_MAX 5120

/* Six significant places of digits / 10^decimals, as printf's %g gives them; where that means an exponent, or a half that only the
 * double @value can round, printf is asked. */
static char *put_g6(char *at, uint64_t digits, unsigned decimals, double value)
{
	static const uint64_t power[] = { 1,	   10,	     100,	1000,	    10000,	 100000,
					  1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000 };
	unsigned drop = 0;
	uint64_t part;

	while (UNLIKELY(digits / power[drop] >= 1000000) && drop + 1 < ARRAY_SIZE(power))
		drop++;
	if (drop) {
		uint64_t rest = digits % power[drop] * 2;

		if (drop > decimals || rest == power[drop])
			return at + sprintf(at, "%g", value);
		digits = digits / power[drop] + (rest > power[drop]);
		decimals -= drop;
		if (digits == 1000000 && !decimals)
			return at + sprintf(at, "%g", value);
	}
	at = put_u64(at, digits / power[decimals]);
	part = digits % power[decimals];
	if (part)
		*at++ = '.';
	while (part) {
		decimals--;
		*at++ = (char)('0' + part / power[decimals]);
		part %= power[decimals];
	}
	return at;
}

char *put_ms(char *at, uint64_t us)
{
	return put_g6(at, us, 3, (double)us / 1000.0);
}

/* BBR's gains, in 1/256. */
static char *put_gain(char *at, uint32_t gain)
{
	return put_g6(at, gain * UINT64_C(390625), 8, gain / 256.0);
}

/* A rate of @bytes a second as whole bits a second. */
static char *put_bps(char *at, double bits)
{
	if (bits < 1.8e19)
		at = put_u64(at, (uint64_t)rint(bits));
	else
		at += sprintf(at, "%.0f", bits);
	return put_lit(at, "bps");
}

static char *put_congestion(char *at, const struct sock *sock)
{
	if (!sock->cong[0])
		return at;
	*at++ = ' ';
	for (const char *p = sock->cong; *p; p++)
		*at++ = *p > ' ' && *p < 0x7f ? *p : '?';
	return at;
}

static char *put_wscale(char *at, const struct sock *sock)
{
	if (!(sock_tcpi(sock, TCPI_OPTIONS) & TCPI_OPT_WSCALE))
		return at;
	at = put_lit(at, " wscale:");
	at = put_u64(at, sock_tcpi(sock, TCPI_SND_WSCALE));
	*at++ = ',';
	return put_u64(at, sock_tcpi(sock, TCPI_RCV_WSCALE));
}

/* ss hides the timeout of a socket that has never measured one: 3 s. */
static char *put_rto(char *at, const struct sock *sock)
{
	uint64_t rto = sock_tcpi(sock, TCPI_RTO);

	return rto && rto != 3000000 ? put_ms(put_lit(at, " rto:"), rto) : at;
}

static char *put_rtt(char *at, const struct sock *sock)
{
	uint64_t rtt = sock_tcpi(sock, TCPI_RTT);

	if (!rtt)
		return at;
	at = put_ms(put_lit(at, " rtt:"), rtt);
	*at++ = '/';
	return put_ms(at, sock_tcpi(sock, TCPI_RTTVAR));
}

static char *put_ssthresh(char *at, const struct sock *sock)
{
	uint64_t ssthresh = sock_tcpi(sock, TCPI_SND_SSTHRESH);

	return ssthresh && ssthresh < 0xffff ? put_u64(put_lit(at, " ssthresh:"), ssthresh) : at;
}

static char *put_dctcp(char *at, const struct sock *sock)
{
	if (!(sock->has & SOCK_HAS_DCTCP))
		return at;
	if (!sock->cc.dctcp.enabled)
		return put_lit(at, " dctcp:fallback_mode");
	at = put_u64(put_lit(at, " dctcp:(ce_state:"), sock->cc.dctcp.ce_state);
	at = put_u64(put_lit(at, ",alpha:"), sock->cc.dctcp.alpha);
	at = put_u64(put_lit(at, ",ab_ecn:"), sock->cc.dctcp.ab_ecn);
	at = put_u64(put_lit(at, ",ab_tot:"), sock->cc.dctcp.ab_tot);
	*at++ = ')';
	return at;
}

static char *put_bbr(char *at, const struct sock *sock)
{
	if (!(sock->has & SOCK_HAS_BBR))
		return at;
	at = put_bps(put_lit(at, " bbr:(bw:"), (double)sock->cc.bbr.bw_bytes_per_s * 8.0);
	at = put_ms(put_lit(at, ",mrtt:"), sock->cc.bbr.min_rtt_us);
	if (sock->cc.bbr.pacing_gain)
		at = put_gain(put_lit(at, ",pacing_gain:"), sock->cc.bbr.pacing_gain);
	if (sock->cc.bbr.cwnd_gain)
		at = put_gain(put_lit(at, ",cwnd_gain:"), sock->cc.bbr.cwnd_gain);
	*at++ = ')';
	return at;
}

/* What the window lets through: cwnd · mss / rtt; Vegas has a round trip of its own. */
static char *put_send(char *at, const struct sock *sock)
{
	double rtt = (double)sock_tcpi(sock, TCPI_RTT);
	double mss = (double)sock_tcpi(sock, TCPI_SND_MSS);
	double cwnd = (double)sock_tcpi(sock, TCPI_SND_CWND);

	if (sock->has & SOCK_HAS_VEGAS && sock->cc.vegas.enabled && sock->cc.vegas.rtt_us &&
	    sock->cc.vegas.rtt_us != 0x7fffffff)
		rtt = sock->cc.vegas.rtt_us;
	if (rtt <= 0 || mss <= 0 || cwnd <= 0)
		return at;
	return put_bps(put_lit(at, " send "), cwnd * mss * 8000000.0 / rtt);
}

static char *put_pacing(char *at, const struct sock *sock)
{
	uint64_t rate = sock_tcpi(sock, TCPI_PACING_RATE);
	uint64_t max = sock_tcpi(sock, TCPI_MAX_PACING_RATE);

	if (!rate || rate == UINT64_MAX)
		return at;
	at = put_bps(put_lit(at, " pacing_rate "), (double)rate * 8.0);
	if (!max || max == UINT64_MAX)
		return at;
	*at++ = '/';
	return put_bps(at, (double)max * 8.0);
}

static char *put_delivery(char *at, const struct sock *sock)
{
	uint64_t rate = sock_tcpi(sock, TCPI_DELIVERY_RATE);

	return rate ? put_bps(put_lit(at, " delivery_rate "), (double)rate * 8.0) : at;
}

static char *put_limited(char *at, uint64_t us, uint64_t busy)
{
	at = put_u64(at, us / 1000);
	return at + sprintf(at, "ms(%.1f%%)", 100.0 * (double)us / (double)busy);
}

static char *put_busy(char *at, const struct sock *sock)
{
	uint64_t busy = sock_tcpi(sock, TCPI_BUSY_TIME);
	uint64_t rwnd = sock_tcpi(sock, TCPI_RWND_LIMITED);
	uint64_t sndbuf = sock_tcpi(sock, TCPI_SNDBUF_LIMITED);

	if (!busy)
		return at;
	at = put_u64(put_lit(at, " busy:"), busy / 1000);
	at = put_lit(at, "ms");
	if (rwnd)
		at = put_limited(put_lit(at, " rwnd_limited:"), rwnd, busy);
	if (sndbuf)
		at = put_limited(put_lit(at, " sndbuf_limited:"), sndbuf, busy);
	return at;
}

static char *put_retrans(char *at, const struct sock *sock)
{
	uint64_t now = sock_tcpi(sock, TCPI_RETRANS), total = sock_tcpi(sock, TCPI_TOTAL_RETRANS);

	if (!now && !total)
		return at;
	at = put_u64(put_lit(at, " retrans:"), now);
	*at++ = '/';
	return put_u64(at, total);
}

/* In LISTEN this field is the backlog, which stands in Send-Q already. */
static char *put_sacked(char *at, const struct sock *sock)
{
	uint64_t sacked = sock_tcpi(sock, TCPI_SACKED);

	return sacked && sock->state != SOCK_STATE_LISTEN ? put_u64(put_lit(at, " sacked:"), sacked) : at;
}

static char *put_reordering(char *at, const struct sock *sock)
{
	uint64_t reordering = sock_tcpi(sock, TCPI_REORDERING);

	return reordering != 3 ? put_u64(put_lit(at, " reordering:"), reordering) : at;
}

static char *put_min_rtt(char *at, const struct sock *sock)
{
	uint64_t us = sock_tcpi(sock, TCPI_MIN_RTT);

	return us && us != UINT32_MAX ? put_ms(put_lit(at, " minrtt:"), us) : at;
}

static char *put_ca_state(char *at, const struct sock *sock)
{
	static const char *const names[] = { "open", "disorder", "cwr", "recovery", "loss" };
	uint64_t state = sock_tcpi(sock, TCPI_CA_STATE);

	if (!state)
		return at;
	at = put_lit(at, " ca_state:");
	return state < ARRAY_SIZE(names) ? put_str(at, names[state]) : put_u64(at, state);
}

enum token_kind { TOKEN_COUNT, TOKEN_MS, TOKEN_WORD, TOKEN_SPECIAL };

/* One token: its text with the leading blank, the field it tells, or the function that knows better. */
static const struct token {
	char text[30];
	uint8_t len, kind, field;
	char *(*put)(char *at, const struct sock *sock);
} tokens[] = {
#define COUNT(name, id) { " " name ":", sizeof(name) + 1, TOKEN_COUNT, TCPI_##id, NULL }
#define MS(name, id) { " " name ":", sizeof(name) + 1, TOKEN_MS, TCPI_##id, NULL }
#define WORD(name, id) { " " name, sizeof(name), TOKEN_WORD, TCPI_##id, NULL }
#define SPECIAL(function) { "", 0, TOKEN_SPECIAL, 0, function }
	SPECIAL(put_congestion),
	SPECIAL(put_wscale),
	SPECIAL(put_rto),
	COUNT("backoff", BACKOFF),
	SPECIAL(put_rtt),
	MS("ato", ATO),
	COUNT("mss", SND_MSS),
	COUNT("pmtu", PMTU),
	COUNT("rcvmss", RCV_MSS),
	COUNT("advmss", ADVMSS),
	COUNT("cwnd", SND_CWND),
	SPECIAL(put_ssthresh),
	COUNT("bytes_sent", BYTES_SENT),
	COUNT("bytes_retrans", BYTES_RETRANS),
	COUNT("bytes_acked", BYTES_ACKED),
	COUNT("bytes_received", BYTES_RECEIVED),
	COUNT("segs_out", SEGS_OUT),
	COUNT("segs_in", SEGS_IN),
	COUNT("data_segs_out", DATA_SEGS_OUT),
	COUNT("data_segs_in", DATA_SEGS_IN),
	SPECIAL(put_dctcp),
	SPECIAL(put_bbr),
	SPECIAL(put_send),
	COUNT("lastsnd", LAST_DATA_SENT),
	COUNT("lastrcv", LAST_DATA_RECV),
	COUNT("lastack", LAST_ACK_RECV),
	SPECIAL(put_pacing),
	SPECIAL(put_delivery),
	COUNT("delivered", DELIVERED),
	COUNT("delivered_ce", DELIVERED_CE),
	WORD("app_limited", APP_LIMITED),
	SPECIAL(put_busy),
	COUNT("unacked", UNACKED),
	SPECIAL(put_retrans),
	COUNT("lost", LOST),
	SPECIAL(put_sacked),
	COUNT("dsack_dups", DSACK_DUPS),
	COUNT("fackets", FACKETS),
	SPECIAL(put_reordering),
	COUNT("reord_seen", REORD_SEEN),
	MS("rcv_rtt", RCV_RTT),
	COUNT("rcv_space", RCV_SPACE),
	COUNT("rcv_ssthresh", RCV_SSTHRESH),
	COUNT("notsent", NOTSENT_BYTES),
	SPECIAL(put_min_rtt),
	COUNT("rcv_ooopack", RCV_OOOPACK),
	COUNT("snd_wnd", SND_WND),
	COUNT("rcv_wnd", RCV_WND),
	COUNT("rehash", REHASH),
	SPECIAL(put_ca_state),
	COUNT("retransmits", RETRANSMITS),
	COUNT("probes", PROBES),
	COUNT("fastopen_client_fail", FASTOPEN_CLIENT_FAIL),
	COUNT("total_rto", TOTAL_RTO),
	COUNT("total_rto_recoveries", TOTAL_RTO_RECOVERIES),
	COUNT("total_rto_time", TOTAL_RTO_TIME),
	COUNT("received_ce", RECEIVED_CE),
	COUNT("delivered_e1_bytes", DELIVERED_E1_BYTES),
	COUNT("delivered_e0_bytes", DELIVERED_E0_BYTES),
	COUNT("delivered_ce_bytes", DELIVERED_CE_BYTES),
	COUNT("received_e1_bytes", RECEIVED_E1_BYTES),
	COUNT("received_e0_bytes", RECEIVED_E0_BYTES),
	COUNT("received_ce_bytes", RECEIVED_CE_BYTES),
	COUNT("accecn_fail_mode", ACCECN_FAIL_MODE),
	COUNT("accecn_opt_seen", ACCECN_OPT_SEEN),
};

static const struct {
	uint8_t bit, len;
	char text[14];
} option_words[] = {
	{ TCPI_OPT_USEC_TS, 8, " usec_ts" }, { TCPI_OPT_TIMESTAMPS, 3, " ts" },
	{ TCPI_OPT_SACK, 5, " sack" },	     { TCPI_OPT_ECN, 4, " ecn" },
	{ TCPI_OPT_ECN_SEEN, 8, " ecnseen" }, { TCPI_OPT_SYN_DATA, 9, " fastopen" },
};

static char *put_options(char *at, const struct sock *sock)
{
	unsigned options = (unsigned)sock_tcpi(sock, TCPI_OPTIONS);

	for (size_t i = 0; i < ARRAY_SIZE(option_words); i++)
		if (options & option_words[i].bit)
			at = put_mem(at, option_words[i].text, option_words[i].len);
	return at;
}

static inline char *put_token(char *at, const struct token *token, const struct sock *sock)
{
	uint64_t value;

	if (token->kind == TOKEN_SPECIAL)
		return token->put(at, sock);
	value = sock_tcpi(sock, token->field);
	if (!value)
		return at;
	memcpy(at, token->text, sizeof(token->text));
	at += token->len;
	if (token->kind == TOKEN_COUNT)
		return put_u64(at, value);
	return token->kind == TOKEN_MS ? put_ms(at, value) : at;
}

void out_tcp_info(struct out *out, const struct sock *sock, bool options)
{
	char *at = out_need(out, TOKENS_MAX);

	if (!sock->info.len)
		return;
	if (options)
		at = put_options(at, sock);
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++)
		at = put_token(at, &tokens[i], sock);
	out->at = at;
}

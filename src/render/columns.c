/* SPDX-License-Identifier: MIT */
/* The columns of text rows as one table: ss's own, ours, and behind them every field of tcp_info. */
#include "src/render/cells.h"

#include "src/render/put.h"

#define ENDPOINT_MAX (ADDR_TEXT_MAX + 40)

static const char *const state_colors[SOCK_STATE_COUNT] = {
	[SOCK_STATE_ESTAB] = "\033[32m",      [SOCK_STATE_SYN_SENT] = "\033[33m",
	[SOCK_STATE_SYN_RECV] = "\033[33m",   [SOCK_STATE_LISTEN] = "\033[36m",
	[SOCK_STATE_CLOSE_WAIT] = "\033[31m", [SOCK_STATE_TIME_WAIT] = "\033[2m",
};

size_t out_state(struct out *out, unsigned state, bool color)
{
	const char *name = sock_state_name(state);
	const char *on = color && state < SOCK_STATE_COUNT ? state_colors[state] : NULL;

	if (on)
		out_str(out, on);
	out_str(out, name);
	if (on)
		out_lit(out, "\033[0m");
	return strlen(name);
}

void out_age(struct out *out, int64_t ms)
{
	static const struct {
		uint32_t ms, below;
		char unit;
	} units[] = { { 86400000, 3600000, 'd' }, { 3600000, 60000, 'h' }, { 60000, 1000, 'm' }, { 1000, 0, 's' } };

	if (ms < 0) {
		out_char(out, '-');
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		uint64_t count = (uint64_t)ms / units[i].ms, rest = (uint64_t)ms % units[i].ms;

		if (!count)
			continue;
		out_u64(out, count);
		out_char(out, units[i].unit);
		if (!units[i].below || rest < units[i].below)
			return;
		out_u64(out, rest / units[i].below);
		out_char(out, units[i + 1].unit);
		return;
	}
	out_u64(out, (uint64_t)ms);
	out_lit(out, "ms");
}

void out_comm(struct out *out, const char *comm)
{
	const char *quote;

	out_char(out, '"');
	while ((quote = strchr(comm, '"'))) {
		out_escaped(out, comm, (size_t)(quote - comm));
		out_lit(out, "\\x22");
		comm = quote + 1;
	}
	out_escaped(out, comm, strlen(comm));
	out_char(out, '"');
}

/* Text from outside, or a dash. */
static void out_word(struct out *out, const char *text)
{
	if (text && *text)
		out_escaped(out, text, strlen(text));
	else
		out_char(out, '-');
}

/* What is known, or a dash. */
static void out_count(struct out *out, bool known, uint64_t value)
{
	if (known)
		out_u64(out, value);
	else
		out_char(out, '-');
}

static char *put_address(char *at, const struct sock *sock, const struct addr *addr)
{
	if (addr->family == ADDR_V4 && sock->family == ADDR_V4)
		return addr_text(at, addr);
	if (addr->family == ADDR_V6 && !sock->v6only && addr_is_any(addr)) {
		*at++ = '*';
		return at;
	}
	*at++ = '[';
	if (addr->family == ADDR_V4)
		at = put_lit(at, "::ffff:");
	at = addr_text(at, addr);
	*at++ = ']';
	return at;
}

static void write_interface(struct out *out, const struct row_options *options, uint32_t ifindex)
{
	const char *name = options->ifname ? options->ifname(ifindex) : NULL;

	if (name)
		out_escaped(out, name, strlen(name));
	else
		out_u64(out, ifindex);
}

static void write_port(struct out *out, const struct row_options *options, const struct sock *sock,
		       uint16_t port)
{
	const char *name = port && options->service ? options->service(port, sock->netid) : NULL;
	char *at;

	if (name) {
		out_escaped(out, name, strlen(name));
		return;
	}
	at = out_need(out, 20);
	if (port)
		at = put_u64(at, port);
	else
		*at++ = '*';
	out->at = at;
}

/* An address in the spelling of the socket's family: what a dual-stack socket sees of IPv4 is v4-mapped, and no address at all a star. */
static void write_endpoint(struct out *out, const struct row_options *options,
			   const struct sock *sock, const struct endpoint *endpoint, uint32_t ifindex)
{
	const struct addr *addr = &endpoint->addr;
	const char *name = NULL;

	if (UNLIKELY(options->hostname) && !addr_is_any(addr))
		name = options->hostname(addr);
	if (name)
		out_escaped(out, name, strlen(name));
	else
		out->at = put_address(out_need(out, ENDPOINT_MAX), sock, addr);
	if (ifindex) {
		out_char(out, '%');
		write_interface(out, options, ifindex);
	}
	out_char(out, ':');
	write_port(out, options, sock, endpoint->port);
}

#define CELL(name)                                                                                 \
	static void name(struct out *out, const struct row_options *options, const struct row *row)
#define UNUSED_OPTIONS (void)options

CELL(cell_netid)
{
	UNUSED_OPTIONS;
	out_str(out, netid_name(row->sock->netid));
}

CELL(cell_state)
{
	out_state(out, row->sock->state, options->style.color);
}

CELL(cell_recv_q)
{
	UNUSED_OPTIONS;
	out_u64(out, row->sock->recv_q);
}

CELL(cell_send_q)
{
	UNUSED_OPTIONS;
	out_u64(out, row->sock->send_q);
}

CELL(cell_local)
{
	write_endpoint(out, options, row->sock, &row->sock->local, row->sock->ifindex);
}

CELL(cell_peer)
{
	write_endpoint(out, options, row->sock, &row->sock->peer, 0);
}

CELL(cell_family)
{
	UNUSED_OPTIONS;
	out_str(out, row->sock->family == ADDR_V6 ? "inet6" : "inet");
}

CELL(cell_local_port)
{
	write_port(out, options, row->sock, row->sock->local.port);
}

CELL(cell_peer_port)
{
	write_port(out, options, row->sock, row->sock->peer.port);
}

CELL(cell_interface)
{
	if (row->sock->ifindex)
		write_interface(out, options, row->sock->ifindex);
	else
		out_char(out, '-');
}

CELL(cell_timer)
{
	UNUSED_OPTIONS;
	if (row->sock->timer)
		out_str(out, sock_timer_name(row->sock->timer));
	else
		out_char(out, '-');
}

CELL(cell_expires)
{
	UNUSED_OPTIONS;
	out_age(out, row->sock->timer ? (int64_t)row->sock->expires_ms : -1);
}

CELL(cell_timer_retrans)
{
	UNUSED_OPTIONS;
	out_count(out, row->sock->timer, row->sock->retrans);
}

CELL(cell_uid)
{
	UNUSED_OPTIONS;
	out_u64(out, row->sock->uid);
}

CELL(cell_user)
{
	const char *name = options->username ? options->username(row->sock->uid) : NULL;

	if (name)
		out_word(out, name);
	else
		out_u64(out, row->sock->uid);
}

CELL(cell_inode)
{
	UNUSED_OPTIONS;
	out_u64(out, row->sock->inode);
}

CELL(cell_cookie)
{
	UNUSED_OPTIONS;
	if (row->sock->has & SOCK_HAS_COOKIE)
		out_hex(out, row->sock->cookie);
	else
		out_char(out, '-');
}

CELL(cell_mark)
{
	UNUSED_OPTIONS;
	if (row->sock->has & SOCK_HAS_MARK) {
		out_lit(out, "0x");
		out_hex(out, row->sock->mark);
	} else {
		out_char(out, '-');
	}
}

CELL(cell_tos)
{
	UNUSED_OPTIONS;
	out_count(out, row->sock->has & SOCK_HAS_TOS, row->sock->tos);
}

CELL(cell_tclass)
{
	UNUSED_OPTIONS;
	out_count(out, row->sock->has & SOCK_HAS_TCLASS, row->sock->tclass);
}

CELL(cell_congestion)
{
	UNUSED_OPTIONS;
	out_word(out, row->sock->has & SOCK_HAS_CONG ? row->sock->cong : NULL);
}

CELL(cell_ulp)
{
	UNUSED_OPTIONS;
	out_word(out, row->sock->has & SOCK_HAS_ULP_NAME ? row->sock->ulp : NULL);
}

static void write_skmem(struct out *out, const struct row *row, enum skmem_id id)
{
	out_count(out, row->sock->has & SOCK_HAS_SKMEM, row->sock->skmem[id]);
}

CELL(cell_rmem)
{
	UNUSED_OPTIONS;
	write_skmem(out, row, SKMEM_RMEM);
}

CELL(cell_rcvbuf)
{
	UNUSED_OPTIONS;
	write_skmem(out, row, SKMEM_RCVBUF);
}

CELL(cell_wmem)
{
	UNUSED_OPTIONS;
	write_skmem(out, row, SKMEM_WMEM);
}

CELL(cell_sndbuf)
{
	UNUSED_OPTIONS;
	write_skmem(out, row, SKMEM_SNDBUF);
}

CELL(cell_drops)
{
	UNUSED_OPTIONS;
	write_skmem(out, row, SKMEM_DROPS);
}

CELL(cell_age)
{
	UNUSED_OPTIONS;
	out_age(out, row->age_ms);
}

CELL(cell_timeout)
{
	const char *kind = timeout_kind_name(row->timeout.kind);

	UNUSED_OPTIONS;
	out_str(out, *kind ? kind : "–");
}

CELL(cell_gives_up)
{
	UNUSED_OPTIONS;
	out_age(out, row->timeout.gives_up_ms);
}

CELL(cell_idle)
{
	UNUSED_OPTIONS;
	out_age(out, sock_idle_ms(row->sock));
}

/* Why there is no owner, between parentheses behind a dash; a dash alone when nobody asked. */
static void write_no_owner(struct out *out, const struct row *row)
{
	out_char(out, '-');
	if (row->reason == OWNER_KNOWN)
		return;
	out_char(out, '(');
	out_str(out, owner_unknown_name(row->reason));
	out_char(out, ')');
}

CELL(cell_owner)
{
	UNUSED_OPTIONS;
	for (size_t i = 0; i < row->holder_count; i++) {
		const struct process *process = row->holders[i].process;

		if (i)
			out_char(out, ',');
		out_escaped(out, process->comm, strlen(process->comm));
		out_char(out, '[');
		out_u64(out, process->pid);
		out_char(out, ']');
	}
	if (!row->holder_count)
		write_no_owner(out, row);
}

CELL(cell_pid)
{
	UNUSED_OPTIONS;
	for (size_t i = 0; i < row->holder_count; i++) {
		if (i)
			out_char(out, ',');
		out_u64(out, row->holders[i].process->pid);
	}
	if (!row->holder_count)
		write_no_owner(out, row);
}

CELL(cell_fd)
{
	UNUSED_OPTIONS;
	for (size_t i = 0; i < row->holder_count; i++) {
		if (i)
			out_char(out, ',');
		out_i64(out, row->holders[i].fd);
	}
	if (!row->holder_count)
		write_no_owner(out, row);
}

CELL(cell_comm)
{
	UNUSED_OPTIONS;
	for (size_t i = 0; i < row->holder_count; i++) {
		const char *comm = row->holders[i].process->comm;

		if (i)
			out_char(out, ',');
		out_escaped(out, comm, strlen(comm));
	}
	if (!row->holder_count)
		write_no_owner(out, row);
}

CELL(cell_unit)
{
	UNUSED_OPTIONS;
	out_word(out, row->holder_count ? row->holders->process->unit : NULL);
}

CELL(cell_container)
{
	UNUSED_OPTIONS;
	out_word(out, row->holder_count ? row->holders->process->container : NULL);
}

CELL(cell_cgroup)
{
	UNUSED_OPTIONS;
	out_word(out, row->cgroup);
}

CELL(cell_netns)
{
	UNUSED_OPTIONS;
	out_word(out, row->netns);
}

CELL(cell_flags)
{
	UNUSED_OPTIONS;
	if (!row->flags || !row->flags[0])
		out_char(out, '-');
	for (size_t i = 0; row->flags && row->flags[i]; i++) {
		if (i)
			out_char(out, ',');
		out_str(out, row->flags[i]);
	}
}

/*
 * struct column - one column. @id: for --columns. @title: header. @width: minimum. @needs: bits of enum row_show that collect its data.
 */
struct column {
	const char *id, *title;
	uint8_t width;
	uint16_t needs;
	cell_fn *write;
};

static const struct column columns[] = {
	[COLUMN_NETID] = { "netid", "Netid", 5, 0, cell_netid },
	[COLUMN_STATE] = { "state", "State", 10, 0, cell_state },
	[COLUMN_RECV_Q] = { "recv_q", "Recv-Q", 6, 0, cell_recv_q },
	[COLUMN_SEND_Q] = { "send_q", "Send-Q", 6, 0, cell_send_q },
	[COLUMN_LOCAL] = { "local", "Local Address:Port", 25, 0, cell_local },
	[COLUMN_PEER] = { "peer", "Peer Address:Port", 25, 0, cell_peer },
	{ "family", "Family", 6, 0, cell_family },
	{ "local_port", "Local-Port", 10, 0, cell_local_port },
	{ "peer_port", "Peer-Port", 9, 0, cell_peer_port },
	{ "interface", "Interface", 9, 0, cell_interface },
	{ "timer", "Timer", 9, 0, cell_timer },
	{ "expires", "Expires", 7, 0, cell_expires },
	{ "timer_retrans", "Timer-Retrans", 13, 0, cell_timer_retrans },
	{ "age", "Age", 6, ROW_SHOW_INFO, cell_age },
	{ "idle", "Idle", 6, ROW_SHOW_INFO, cell_idle },
	{ "timeout", "Timeout", 7, ROW_SHOW_INFO, cell_timeout },
	{ "gives_up", "Gives-Up", 8, ROW_SHOW_INFO, cell_gives_up },
	{ "owner", "Owner", 20, ROW_SHOW_OWNERS, cell_owner },
	{ "pid", "Pid", 7, ROW_SHOW_OWNERS, cell_pid },
	{ "comm", "Comm", 15, ROW_SHOW_OWNERS, cell_comm },
	{ "fd", "Fd", 4, ROW_SHOW_OWNERS, cell_fd },
	{ "unit", "Unit", 20, ROW_SHOW_OWNERS, cell_unit },
	{ "container", "Container", 12, ROW_SHOW_OWNERS, cell_container },
	{ "user", "User", 8, 0, cell_user },
	{ "uid", "Uid", 5, 0, cell_uid },
	{ "inode", "Inode", 8, 0, cell_inode },
	{ "cookie", "Cookie", 8, 0, cell_cookie },
	{ "mark", "Mark", 6, ROW_SHOW_EXTENDED, cell_mark },
	{ "cgroup", "Cgroup", 20, ROW_SHOW_CGROUP, cell_cgroup },
	{ "tos", "Tos", 3, ROW_SHOW_TOS, cell_tos },
	{ "tclass", "Tclass", 6, ROW_SHOW_TOS, cell_tclass },
	{ "congestion", "Congestion", 10, ROW_SHOW_INFO, cell_congestion },
	{ "ulp", "Ulp", 5, ROW_SHOW_INFO, cell_ulp },
	{ "rmem", "Rmem", 7, ROW_SHOW_MEMORY, cell_rmem },
	{ "rcvbuf", "Rcvbuf", 7, ROW_SHOW_MEMORY, cell_rcvbuf },
	{ "wmem", "Wmem", 7, ROW_SHOW_MEMORY, cell_wmem },
	{ "sndbuf", "Sndbuf", 7, ROW_SHOW_MEMORY, cell_sndbuf },
	{ "drops", "Drops", 5, ROW_SHOW_MEMORY, cell_drops },
	{ "netns", "Netns", 12, 0, cell_netns },
	{ "flags", "Flags", 12, ROW_SHOW_FLAGS, cell_flags },
};

#define OWN_COLUMNS ARRAY_SIZE(columns)
/* tcp_info's own "state" repeats our column of that name and is left out. */
#define INFO_FIRST (TCPI_STATE + 1)
#define INFO_COLUMNS (TCPI_COUNT - INFO_FIRST)

/* The field behind a column of tcp_info. */
static enum tcpi_id column_field(size_t index)
{
	BUG_ON(index < OWN_COLUMNS || index - OWN_COLUMNS >= INFO_COLUMNS);
	return (enum tcpi_id)(index - OWN_COLUMNS + INFO_FIRST);
}

const char *column_title(uint16_t index)
{
	return index < OWN_COLUMNS ? columns[index].title : row_column_name(index);
}

unsigned column_width(uint16_t index)
{
	return index < OWN_COLUMNS ? columns[index].width : (unsigned)strlen(row_column_name(index));
}

void column_write(struct out *out, const struct row_options *options, const struct row *row,
		  uint16_t index)
{
	enum tcpi_id field;

	if (LIKELY(index < OWN_COLUMNS)) {
		columns[index].write(out, options, row);
		return;
	}
	field = column_field(index);
	out_count(out, tcpi_has(&row->sock->info, field), sock_tcpi(row->sock, field));
}

const char *row_column_name(size_t index)
{
	if (index < OWN_COLUMNS)
		return columns[index].id;
	return index < OWN_COLUMNS + INFO_COLUMNS ? tcpi_fields[column_field(index)].key : NULL;
}

static char fold(char c)
{
	if (c == '-')
		return '_';
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool same_word(const char *a, const char *b)
{
	while (*a && fold(*a) == fold(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

bool row_column_find(const char *name, uint16_t *column)
{
	enum tcpi_id field = tcpi_find_word(name);
	const char *id;

	for (uint16_t i = 0; (id = row_column_name(i)); i++)
		if (same_word(name, id) ||
		    (i >= OWN_COLUMNS && (column_field(i) == field ||
					  same_word(name, tcpi_fields[column_field(i)].name)))) {
			*column = i;
			return true;
		}
	return false;
}

unsigned row_column_needs(uint16_t column)
{
	return column < OWN_COLUMNS ? columns[column].needs : ROW_SHOW_INFO;
}

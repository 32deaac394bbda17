/* SPDX-License-Identifier: MIT */
/* The summary view for people: the eleven states with zeros shown, port headroom, flagged sockets. */
#include "src/render/cells.h"
#include "src/render/summary_formats.h"
#include "src/render/grid.h"

static void age_cell(struct grid *grid, int64_t ms)
{
	if (ms >= 0)
		out_duration(&grid->cell, (uint64_t)ms * 1000);
	grid_cell(grid);
}

/* "nginx[812] 640" */
static void top_cell(struct grid *grid, const char *text, uint64_t count)
{
	if (text && *text) {
		out_escaped(&grid->cell, text, strlen(text));
		out_char(&grid->cell, ' ');
		out_u64(&grid->cell, count);
	}
	grid_cell(grid);
}

static void flags_cell(struct grid *grid, const char *const *flags)
{
	for (size_t i = 0; flags && flags[i]; i++) {
		if (i)
			out_char(&grid->cell, ' ');
		out_str(&grid->cell, flags[i]);
	}
	if (!out_len(&grid->cell))
		out_char(&grid->cell, ' ');
	grid_cell(grid);
}

static void state_line(struct grid *grid, const struct summary_line *line)
{
	grid_line(grid);
	grid_text(grid, sock_state_name(line->state));
	grid_count(grid, line->v4);
	grid_count(grid, line->v6);
	age_cell(grid, line->oldest_ms);
	top_cell(grid, line->top_owner, line->top_owner_count);
	top_cell(grid, line->top_peer, line->top_peer_count);
	flags_cell(grid, line->flags);
}

static void states_table(struct out *out, const struct summary *summary)
{
	static const struct grid_column columns[] = {
		{ "STATE", false },	{ "IPv4", true },     { "IPv6", true }, { "OLDEST", true },
		{ "TOP OWNER", false }, { "TOP PEER", false }, { "", false },
	};
	struct grid grid;

	grid_open(&grid, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < ARRAY_SIZE(summary->line); i++)
		state_line(&grid, &summary->line[i]);
	grid_print(&grid, out);
	out_lit(out, "UDP: ");
	out_u64(out, summary->udp_v4);
	out_lit(out, " IPv4, ");
	out_u64(out, summary->udp_v6);
	out_lit(out, " IPv6\n");
}

static void ports_line(struct grid *grid, const struct summary_ports *ports)
{
	grid_line(grid);
	if (ports->netns)
		grid_text(grid, ports->netns);
	out_endpoint(&grid->cell, &ports->peer);
	grid_cell(grid);
	out_addr(&grid->cell, &ports->local);
	grid_cell(grid);
	grid_count(grid, ports->used);
	grid_count(grid, ports->time_wait);
	grid_count(grid, ports->total > ports->used ? ports->total - ports->used : 0);
	if (ports->total)
		out_printf(&grid->cell, "%u %%", (unsigned)(100ull * ports->used / ports->total));
	grid_cell(grid);
}

static void ports_table(struct out *out, const struct summary *summary)
{
	static const struct grid_column columns[] = {
		{ "NETNS", false },
		{ "BUSIEST DESTINATION", false }, { "FROM", false }, { "PORTS USED", true },
		{ "IN TIME-WAIT", true },	  { "FREE", true },  { "USE", true },
	};
	struct grid grid;
	size_t skip;

	if (!summary->port_count)
		return;
	skip = summary->ports[0].netns ? 0 : 1;
	out_char(out, '\n');
	grid_open(&grid, columns + skip, ARRAY_SIZE(columns) - skip);
	for (size_t i = 0; i < summary->port_count; i++)
		ports_line(&grid, &summary->ports[i]);
	grid_print(&grid, out);
}

static void owner_cell(struct grid *grid, const struct summary_flagged *flagged)
{
	if (flagged->owner) {
		out_escaped(&grid->cell, flagged->owner->comm, strlen(flagged->owner->comm));
		out_printf(&grid->cell, "[%u]", flagged->owner->pid);
	} else if (flagged->reason != OWNER_KNOWN) {
		out_printf(&grid->cell, "(%s)", owner_unknown_name(flagged->reason));
	}
	grid_cell(grid);
}

static void flagged_line(struct grid *grid, const struct summary_flagged *flagged)
{
	const struct sock *sock = flagged->sock;

	grid_line(grid);
	if (flagged->netns)
		grid_text(grid, flagged->netns);
	grid_text(grid, flagged->rule);
	grid_text(grid, sock_state_name(sock->state));
	out_endpoint(&grid->cell, &sock->local);
	grid_cell(grid);
	out_endpoint(&grid->cell, &sock->peer);
	grid_cell(grid);
	age_cell(grid, flagged->age_ms);
	owner_cell(grid, flagged);
	if (flagged->alike)
		out_printf(&grid->cell, "+%llu", (unsigned long long)flagged->alike);
	grid_cell(grid);
}

static void flagged_table(struct out *out, const struct summary *summary)
{
	static const struct grid_column columns[] = {
		{ "NETNS", false },
		{ "FLAGGED BY", false }, { "STATE", false }, { "LOCAL", false },
		{ "PEER", false },	 { "AGE", true },    { "OWNER", false },
		{ "ALIKE", true },
	};
	struct grid grid;
	size_t skip;

	if (!summary->flagged_count)
		return;
	skip = summary->flagged[0].netns ? 0 : 1;
	out_char(out, '\n');
	grid_open(&grid, columns + skip, ARRAY_SIZE(columns) - skip);
	for (size_t i = 0; i < summary->flagged_count; i++)
		flagged_line(&grid, &summary->flagged[i]);
	grid_print(&grid, out);
	if (summary->flagged_more)
		out_printf(out, "… and %llu more: tcptriage states -ta --flags\n", (unsigned long long)summary->flagged_more);
}

void summary_text(struct out *out, const struct summary *summary)
{
	states_table(out, summary);
	ports_table(out, summary);
	flagged_table(out, summary);
}

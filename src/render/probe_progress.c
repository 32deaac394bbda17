/* SPDX-License-Identifier: MIT */
/* What a running probe knows so far, on one line of a terminal. */
#include "src/render/paragraph.h"
#include "src/render/probe_text.h"
#include "tcptriage/base/clock.h"

/* The last column stays free: a terminal that wraps there would begin a line. */
#define PROGRESS_COLUMNS 79

/* struct progress - the line being written. @columns: taken so far. @item: what comes next. */
struct progress {
	struct out *out, item;
	size_t columns;
};

/* An item that does not fit is left out, and so are those behind it. */
static void put(struct progress *progress, const char *separator)
{
	const char *text = out_text(&progress->item);
	size_t columns = text_columns(separator, strlen(separator)) + text_columns(text, strlen(text));

	if (progress->columns + columns <= PROGRESS_COLUMNS) {
		out_str(progress->out, separator);
		out_str(progress->out, text);
		progress->columns += columns;
	} else {
		progress->columns = PROGRESS_COLUMNS;
	}
	out_clear(&progress->item);
}

static void begin(struct progress *progress, struct out *out, const struct addr *address)
{
	*progress = (struct progress){ .out = out };
	out_open_mem(&progress->item);
	out_addr(&progress->item, address);
	put(progress, "");
}

static void probes(struct progress *progress, uint32_t sent, int64_t elapsed_us)
{
	probe_text_count(&progress->item, sent, "probe", "probes");
	out_lit(&progress->item, " in ");
	out_duration(&progress->item, (uint64_t)MAX(elapsed_us, 0));
	put(progress, ": ");
}

void mtu_probe_progress(struct out *out, const struct addr *address, const struct mtu_path *path)
{
	struct progress progress;

	begin(&progress, out, address);
	probes(&progress, path->probes_sent, path->elapsed_us);
	if (path->path_mtu) {
		out_printf(&progress.item, "%u passes", path->path_mtu);
		put(&progress, " · ");
	}
	if (path->smallest_lost) {
		out_printf(&progress.item, "%u does not", path->smallest_lost);
		put(&progress, " · ");
	}
	out_close(&progress.item);
}

void trace_progress(struct out *out, const struct addr *address, const struct trace_path *path)
{
	size_t count = MIN(path->hop_count, (size_t)PATH_HOPS_MAX);
	struct progress progress;

	begin(&progress, out, address);
	probes(&progress, path->probes_sent, path->elapsed_us);
	if (count) {
		const struct path_hop *last = &path->hops[count - 1];

		out_printf(&progress.item, "hop %u ", last->ttl);
		if (last->reply == REPLY_NONE)
			out_char(&progress.item, '*');
		else
			out_addr(&progress.item, &last->address);
		put(&progress, " · ");
	}
	out_close(&progress.item);
}

/* SPDX-License-Identifier: MIT */
/* Rows as ss prints them: the same fields in the same order, columns with fixed minimum widths so that a stream need not be measured. */
#include "src/render/cells.h"
#include "src/render/row_formats.h"

/* The columns of ss, or those that the user chose. */
static unsigned row_columns(const struct row_options *options, uint16_t columns[ROW_COLUMNS_MAX])
{
	unsigned count = 0;

	if (options->column_count) {
		memcpy(columns, options->columns, options->column_count * sizeof(*columns));
		return options->column_count;
	}
	if (options->netid_column)
		columns[count++] = COLUMN_NETID;
	if (options->state_column)
		columns[count++] = COLUMN_STATE;
	for (uint16_t column = COLUMN_RECV_Q; column <= COLUMN_PEER; column++)
		columns[count++] = column;
	return count;
}

void rows_text_begin(struct out *out, const struct row_options *options,
		       const struct document *doc)
{
	uint16_t columns[ROW_COLUMNS_MAX];
	unsigned count = row_columns(options, columns);

	(void)doc;
	if (options->no_header)
		return;
	for (unsigned i = 0; i < count; i++) {
		size_t start = out_len(out);

		out_str(out, column_title(columns[i]));
		if (i + 1 < count || !options->column_count) {
			out_pad_to(out, start, column_width(columns[i]));
			out_char(out, ' ');
		}
	}
	if (!options->column_count)
		out_lit(out, "Process");
	out_char(out, '\n');
}

/* Room for a row without texts of unbounded length, taken at once so that its appenders find room. */
#define ROW_BYTES 16384

/* A cell and blanks up to the column's width, at least one. Colour takes bytes but no room. */
static inline void write_padded(struct out *out, const struct row_options *options,
				const struct row *row, uint16_t column, unsigned width)
{
	size_t start = out_len(out), len;

	if (column == COLUMN_STATE) {
		len = out_state(out, row->sock->state, options->style.color);
	} else {
		column_write(out, options, row, column);
		len = out_len(out) - start;
	}
	out_spaces(out, len < width ? width - len + 1 : 1);
}

/* Columns that ss does not know end the row: nothing is added behind what the user chose. */
static void write_chosen(struct out *out, const struct row_options *options, const struct row *row)
{
	for (unsigned i = 0; i + 1 < options->column_count; i++)
		write_padded(out, options, row, options->columns[i], column_width(options->columns[i]));
	column_write(out, options, row, options->columns[options->column_count - 1]);
	out_char(out, '\n');
}

static void write_as_ss(struct out *out, const struct row_options *options, const struct row *row)
{
	const struct sock *sock = row->sock;
	bool details = options->show & ROW_SHOW_MEMORY ||
		       (options->show & ROW_SHOW_INFO && sock->netid == NETID_TCP);

	if (options->netid_column)
		write_padded(out, options, row, COLUMN_NETID, 5);
	if (options->state_column)
		write_padded(out, options, row, COLUMN_STATE, 10);
	write_padded(out, options, row, COLUMN_RECV_Q, 6);
	write_padded(out, options, row, COLUMN_SEND_Q, 6);
	write_padded(out, options, row, COLUMN_LOCAL, 25);
	if (options->show) {
		write_padded(out, options, row, COLUMN_PEER, 24);
		out->at--;
		tokens_first_line(out, options, row);
	} else {
		column_write(out, options, row, COLUMN_PEER);
	}
	if (details && !options->one_line)
		out_lit(out, "\n\t");
	if (details)
		tokens_second_line(out, options, row);
	out_char(out, '\n');
}

void rows_text_row(struct out *out, const struct row_options *options, const struct row *row,
		     bool first)
{
	(void)first;
	out_need(out, ROW_BYTES);
	if (options->column_count)
		write_chosen(out, options, row);
	else
		write_as_ss(out, options, row);
}

/* What is missing goes to stderr (document_text_notices): rows are for scripts. */
void rows_text_end(struct out *out, const struct row_options *options, const struct document *doc,
		     const struct state_counts *counts)
{
	(void)out;
	(void)options;
	(void)doc;
	(void)counts;
}

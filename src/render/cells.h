/* SPDX-License-Identifier: MIT */
/* The pieces of a text row: cells of the columns, and the tokens that options add behind them. */
#ifndef TCPTRIAGE_RENDER_CELLS_H
#define TCPTRIAGE_RENDER_CELLS_H

#include "tcptriage/render/rows.h"

/** cell_fn - writes one value of a row, one word without blanks unless it holds text from outside; "-" when there is none. */
typedef void cell_fn(struct out *out, const struct row_options *options, const struct row *row);

/** enum column_id - the columns that ss has, which stand first in the table. */
enum column_id { COLUMN_NETID, COLUMN_STATE, COLUMN_RECV_Q, COLUMN_SEND_Q, COLUMN_LOCAL, COLUMN_PEER };

/** column_title() - header of any column. */
const char *column_title(uint16_t index);
/** column_width() - minimum width of any column. */
unsigned column_width(uint16_t index);
/** column_write() - value of any column. */
void column_write(struct out *out, const struct row_options *options, const struct row *row,
		  uint16_t index);

/** tokens_first_line() - what -p -o -e --tos --cgroup --flags add, each token after a blank. */
void tokens_first_line(struct out *out, const struct row_options *options, const struct row *row);
/** tokens_second_line() - what -m and -i add, each token after a blank. */
void tokens_second_line(struct out *out, const struct row_options *options, const struct row *row);

/** out_comm() - a process name between quotes; nothing in it can end them. */
void out_comm(struct out *out, const char *comm);
/** out_age() - milliseconds as one word: 312ms 31s 2h14m 3d4h; "-" when negative. */
void out_age(struct out *out, int64_t ms);
/** out_state() - the state's name, coloured when @color. Return: columns it takes. */
size_t out_state(struct out *out, unsigned state, bool color);

#endif

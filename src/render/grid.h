/* SPDX-License-Identifier: MIT */
/* Small tables whose columns are measured before they are printed. */
#ifndef TCPTRIAGE_RENDER_GRID_H
#define TCPTRIAGE_RENDER_GRID_H

#include <locale.h>

#include "tcptriage/base/out.h"

struct libscols_table;
struct libscols_line;

/**
 * struct grid - a table being filled, a cell after the other.
 * @cell: text of the cell being written, safe to print. @utf8: locale in which it is laid out, 0 when there is none.
 */
struct grid {
	struct libscols_table *table;
	struct libscols_line *line;
	size_t next;
	struct out cell;
	locale_t utf8;
};

/** struct grid_column - heading and side. */
struct grid_column {
	const char *title;
	bool right;
};

/** grid_open() - an empty table. */
void grid_open(struct grid *grid, const struct grid_column *columns, size_t count);
/** grid_line() - begins a line. */
void grid_line(struct grid *grid);
/** grid_cell() - what stands in grid.cell becomes the next cell; a dash when nothing does. */
void grid_cell(struct grid *grid);
/** grid_text() - text from outside as the next cell. */
void grid_text(struct grid *grid, const char *text);
/** grid_count() - a number as the next cell. */
void grid_count(struct grid *grid, uint64_t count);
/** grid_print() - writes the table without blanks at the ends of lines, and releases it. */
void grid_print(struct grid *grid, struct out *out);

#endif

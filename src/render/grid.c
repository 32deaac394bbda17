/* SPDX-License-Identifier: MIT */
/* libsmartcols, kept on a short lead.
 *
 * Cells are UTF-8 whatever the locale says, and the library's own escaping is off, because out_escaped() has been there. In a locale
 * without UTF-8, libsmartcols 2.38 measures such a cell as unprintable and loops for ever: the table is laid out in C.UTF-8, and where
 * there is no such locale, cells are reduced to ASCII. */
#include "src/render/grid.h"

#include <libsmartcols.h>
#include <stdlib.h>

void grid_open(struct grid *grid, const struct grid_column *columns, size_t count)
{
	*grid = (struct grid){ .table = scols_new_table(),
				 .utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0) };
	BUG_ON(!grid->table);
	out_open_mem(&grid->cell);
	scols_table_enable_noencoding(grid->table, 1);
	scols_table_set_termforce(grid->table, SCOLS_TERMFORCE_NEVER);
	for (size_t i = 0; i < count; i++)
		BUG_ON(!scols_table_new_column(grid->table, columns[i].title, 0,
					       columns[i].right ? SCOLS_FL_RIGHT : 0));
}

void grid_line(struct grid *grid)
{
	grid->line = scols_table_new_line(grid->table, NULL);
	grid->next = 0;
	BUG_ON(!grid->line);
}

static void to_ascii(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			*text = '?';
}

void grid_cell(struct grid *grid)
{
	if (!out_len(&grid->cell))
		out_str(&grid->cell, grid->utf8 ? "–" : "-");
	out_text(&grid->cell);
	if (!grid->utf8)
		to_ascii(grid->cell.base);
	BUG_ON(scols_line_set_data(grid->line, grid->next++, grid->cell.base));
	out_clear(&grid->cell);
}

void grid_text(struct grid *grid, const char *text)
{
	if (text)
		out_escaped(&grid->cell, text, strlen(text));
	grid_cell(grid);
}

void grid_count(struct grid *grid, uint64_t count)
{
	out_u64(&grid->cell, count);
	grid_cell(grid);
}

static void write_trimmed(struct out *out, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n"), kept = len;

		while (kept && text[kept - 1] == ' ')
			kept--;
		out_mem(out, text, kept);
		out_char(out, '\n');
		text += len + (text[len] == '\n');
	}
}

void grid_print(struct grid *grid, struct out *out)
{
	locale_t before = uselocale(grid->utf8); /* 0 changes nothing */
	char *text = NULL;

	BUG_ON(scols_print_table_to_string(grid->table, &text));
	uselocale(before);
	if (grid->utf8)
		freelocale(grid->utf8);
	write_trimmed(out, text);
	free(text);
	scols_unref_table(grid->table);
	out_close(&grid->cell);
}

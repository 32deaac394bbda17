/* SPDX-License-Identifier: MIT */
/* Lines of fields between tabs, for the text files of a recording. A field holds any bytes: what is not plain is written as \xNN. */
#ifndef COLLECT_TABLE_H
#define COLLECT_TABLE_H

#include "tcptriage/base/out.h"

#define TABLE_FIELDS_MAX 16

/** table_text() - append @text as a field, after a tab unless it begins a line. An empty field is "-". */
void table_text(struct out *out, const char *text);
/** table_u64() - likewise a number. */
void table_u64(struct out *out, uint64_t value);
/** table_end() - ends the line. */
void table_end(struct out *out);

/**
 * struct table_reader - lines of an open file, read in bounded pieces.
 * @field, @fields: of the newest line, unescaped, terminated. @cut: the file ended inside a line, which is not delivered.
 * @odd: lines that were too long or held an escape that is none, which are not delivered either.
 */
struct table_reader {
	char *field[TABLE_FIELDS_MAX];
	size_t fields;
	bool cut;
	unsigned odd;
	int fd;
	char *buf;
	size_t at, len;
};

/** table_open() - read from @fd (not owned). */
void table_open(struct table_reader *reader, int fd);
/** table_close() - releases the buffer. Fit for CLEANUP(). */
void table_close(struct table_reader *reader);
/** table_next() - the next line. Return: false at the end. */
bool table_next(struct table_reader *reader);
/** table_is() - the line begins with the word @key and has exactly @fields fields, that word included. */
bool table_is(const struct table_reader *reader, const char *key, size_t fields);
/** table_number() - field @index as a number ≤ @max. Return: false when it is none. */
bool table_number(const struct table_reader *reader, size_t index, uint64_t max, uint64_t *out);

#endif

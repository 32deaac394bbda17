/* SPDX-License-Identifier: MIT */
/* The filter's text as tokens. What a character means depends on where it stands, so the parser says what it expects. */
#ifndef TCPTRIAGE_FILTER_LEXER_H
#define TCPTRIAGE_FILTER_LEXER_H

#include "filter/tree.h"

/** struct lexer - a place in NUL-terminated text; copy it to look ahead. */
struct lexer {
	const char *at;
};

/** enum token_kind - what may stand where a term or a connector is expected. */
enum token_kind { TOKEN_END, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_NOT, TOKEN_AND, TOKEN_OR, TOKEN_WORD, TOKEN_OPERATOR };

/** struct token - @text, @len: as it stands in the source. */
struct token {
	enum token_kind kind;
	const char *text;
	size_t len;
};

/** lexer_next() - takes the next token where a term or a connector is expected. A backslash before a special character is dropped. */
struct token lexer_next(struct lexer *lexer);
/** lexer_operator() - takes a comparison (= == != < > <= >= or the word forms) if one stands here. Return: whether it did. */
bool lexer_operator(struct lexer *lexer, enum compare_op *op);
/**
 * lexer_value() - takes an operand: up to white space, ')', '&' or '|', unless quoted or escaped.
 * @value: copy with quotes and backslashes removed, owned by @arena.
 * Return: false when none stands here (end, parenthesis, a bare connector) or a quote is not closed.
 */
bool lexer_value(struct lexer *lexer, struct arena *arena, const char **value);
/** lexer_span() - copy of the source from @from up to @lexer, without white space at its ends, owned by @arena. */
const char *lexer_span(const struct lexer *lexer, const char *from, struct arena *arena);

#endif

/* SPDX-License-Identifier: MIT */
/* Tokens of the filter language. */
#include "filter/lexer.h"

#include <string.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct lexer *lexer)
{
	while (is_space(*lexer->at))
		lexer->at++;
}

/* Shells make users write \( and \>: the backslash says nothing here. */
static void skip_escape(struct lexer *lexer)
{
	if (lexer->at[0] == '\\' && lexer->at[1] && strchr("()!<>=&|", lexer->at[1]))
		lexer->at++;
}

static bool ends_word(char c)
{
	return !c || is_space(c) || strchr("()!<>=&|", c);
}

/* Marks, the longer one first where one begins another. */
static const struct {
	const char *text;
	enum token_kind kind;
} marks[] = {
	{ "(", TOKEN_OPEN },	  { ")", TOKEN_CLOSE }, { "!=", TOKEN_OPERATOR }, { "!", TOKEN_NOT },
	{ "&&", TOKEN_AND },	  { "&", TOKEN_AND },	{ "||", TOKEN_OR },	  { "|", TOKEN_OR },
	{ "=", TOKEN_OPERATOR },  { "<", TOKEN_OPERATOR },	{ ">", TOKEN_OPERATOR },
};

static const struct {
	const char *text;
	enum token_kind kind;
} connectors[] = { { "and", TOKEN_AND }, { "or", TOKEN_OR }, { "not", TOKEN_NOT } };

static const struct {
	const char *text;
	enum compare_op op;
} operators[] = {
	{ "==", OP_EQ }, { "=", OP_EQ },  { "!=", OP_NE },  { "<=", OP_LE },
	{ ">=", OP_GE }, { "<", OP_LT },  { ">", OP_GT },   { "eq", OP_EQ },
	{ "ne", OP_NE }, { "neq", OP_NE }, { "le", OP_LE }, { "leq", OP_LE },
	{ "ge", OP_GE }, { "geq", OP_GE }, { "lt", OP_LT }, { "gt", OP_GT },
};

static bool is_text(const struct token *token, const char *text)
{
	return token->len == strlen(text) && !memcmp(token->text, text, token->len);
}

struct token lexer_next(struct lexer *lexer)
{
	struct token token = { TOKEN_END, NULL, 0 };

	skip_space(lexer);
	skip_escape(lexer);
	token.text = lexer->at;
	if (!*lexer->at)
		return token;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		token.len = strlen(marks[i].text);
		if (strncmp(lexer->at, marks[i].text, token.len))
			continue;
		token.kind = marks[i].kind;
		lexer->at += token.len;
		return token;
	}
	while (!ends_word(*lexer->at))
		lexer->at++;
	token.len = (size_t)(lexer->at - token.text);
	token.kind = TOKEN_WORD;
	for (size_t i = 0; i < ARRAY_SIZE(connectors); i++)
		if (is_text(&token, connectors[i].text))
			token.kind = connectors[i].kind;
	return token;
}

bool lexer_operator(struct lexer *lexer, enum compare_op *op)
{
	struct lexer ahead = *lexer;

	skip_space(&ahead);
	skip_escape(&ahead);
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		const char *text = operators[i].text;
		size_t len = strlen(text);
		bool is_word = text[0] >= 'a';

		if (strncmp(ahead.at, text, len) || (is_word && ahead.at[len] && !is_space(ahead.at[len])))
			continue;
		*op = operators[i].op;
		lexer->at = ahead.at + len;
		return true;
	}
	return false;
}

static bool is_connector(const char *text, size_t len)
{
	const struct token token = { TOKEN_WORD, text, len };

	for (size_t i = 0; i < ARRAY_SIZE(connectors); i++)
		if (is_text(&token, connectors[i].text))
			return true;
	return false;
}

/* One character of an operand, or the end of it. @quote: the open quote. */
static bool step_value(const char **at, char *quote, char *out, bool *kept)
{
	const char c = **at;

	*kept = false;
	if (!c || c == '\n' || (!*quote && (is_space(c) || strchr(")&|", c))))
		return false;
	++*at;
	if (*quote && c == *quote) {
		*quote = '\0';
	} else if (!*quote && (c == '"' || c == '\'')) {
		*quote = c;
	} else {
		*kept = true;
		*out = c == '\\' && **at && **at != '\n' ? *(*at)++ : c;
	}
	return true;
}

bool lexer_value(struct lexer *lexer, struct arena *arena, const char **value)
{
	const char *from, *at;
	char *copy, *end, c, quote = '\0';
	bool kept;

	skip_space(lexer);
	from = at = lexer->at;
	while (step_value(&at, &quote, &c, &kept))
		;
	if (quote || at == from || is_connector(from, (size_t)(at - from)))
		return false;
	end = copy = arena_alloc(arena, (size_t)(at - from) + 1);
	lexer->at = at;
	for (at = from; at < lexer->at && step_value(&at, &quote, &c, &kept);)
		if (kept)
			*end++ = c;
	*value = copy;
	return true;
}

const char *lexer_span(const struct lexer *lexer, const char *from, struct arena *arena)
{
	const char *end = lexer->at;

	while (end > from && is_space(end[-1]))
		end--;
	return arena_memdup(arena, from, (size_t)(end - from));
}

/* SPDX-License-Identifier: MIT */
/* Members of JSON objects. A key is a literal with its separator: JSON_KEY(out, ",", "name"). */
#ifndef TCPTRIAGE_RENDER_JSON_H
#define TCPTRIAGE_RENDER_JSON_H

#include "tcptriage/model/address.h"

/** json_key() - a separator ("," or "") and a key with its colon; both literals. */
#define json_key(out, separator, key) out_lit(out, separator "\"" key "\":")

/** json_text() - a string from outside, null when @text is NULL. */
void json_text(struct out *out, const char *text);
/** json_word() - a string from outside, null when @text is NULL or empty. */
void json_word(struct out *out, const char *text);
/** json_number() - @value, null unless @known: absent is not zero. */
void json_number(struct out *out, bool known, uint64_t value);
/** json_bool() - true or false. */
void json_bool(struct out *out, bool value);
/** json_endpoint() - {"address":…,"port":…}. */
void json_endpoint(struct out *out, const struct endpoint *endpoint);
/** json_ms() - µs as milliseconds with up to three places. */
void json_ms(struct out *out, int64_t us);

#endif

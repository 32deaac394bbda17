/* SPDX-License-Identifier: MIT */
/* Values that several JSON documents have in common. */
#include "src/render/json.h"

#include "src/render/put.h"
#include "tcptriage/model/unit.h"

void json_text(struct out *out, const char *text)
{
	if (text)
		out_json(out, text, strlen(text));
	else
		out_lit(out, "null");
}

void json_word(struct out *out, const char *text)
{
	json_text(out, text && *text ? text : NULL);
}

void json_number(struct out *out, bool known, uint64_t value)
{
	if (known)
		out_u64(out, value);
	else
		out_lit(out, "null");
}

void json_bool(struct out *out, bool value)
{
	out_str(out, value ? "true" : "false");
}

void json_endpoint(struct out *out, const struct endpoint *endpoint)
{
	char *at = out_need(out, ADDR_TEXT_MAX + 64);

	at = put_lit(at, "{\"address\":\"");
	at = addr_text(at, &endpoint->addr);
	at = put_lit(at, "\",\"port\":");
	at = put_u64(at, endpoint->port);
	*at++ = '}';
	out->at = at;
}

void json_ms(struct out *out, int64_t us)
{
	out_number(out, (double)MAX(us, 0) / 1000.0);
}

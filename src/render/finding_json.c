/* SPDX-License-Identifier: MIT */
/* A finding as a JSON object: every key stands in every object, null where it does not apply. */
#include "src/render/finding_formats.h"
#include "src/render/json.h"

static void scope_endpoint(struct out *out, bool known, const struct endpoint *endpoint, uint8_t bits)
{
	if (!known) {
		out_lit(out, "null");
		return;
	}
	json_key(out, "{", "address");
	out_char(out, '"');
	out_addr(out, &endpoint->addr);
	out_char(out, '"');
	json_key(out, ",", "port");
	json_number(out, endpoint->port, endpoint->port);
	json_key(out, ",", "prefix_length");
	json_number(out, bits, bits);
	out_char(out, '}');
}

static void scope_object(struct out *out, const struct scope *scope)
{
	json_key(out, "{", "pid");
	json_number(out, scope->pid, scope->pid);
	json_key(out, ",", "comm");
	json_word(out, scope->comm);
	json_key(out, ",", "unit");
	json_word(out, scope->unit);
	json_key(out, ",", "container");
	json_word(out, scope->container);
	json_key(out, ",", "netns");
	json_word(out, scope->netns);
	json_key(out, ",", "local");
	scope_endpoint(out, scope->has_local, &scope->local, 0);
	json_key(out, ",", "peer");
	scope_endpoint(out, scope->has_peer, &scope->peer, scope->peer_bits);
	json_key(out, ",", "interface");
	json_word(out, scope->interface);
	out_char(out, '}');
}

static void evidence_object(struct out *out, const struct evidence *evidence)
{
	json_key(out, "{", "name");
	json_text(out, evidence->name);
	json_key(out, ",", "value");
	if (evidence->text)
		json_text(out, evidence->text);
	else
		out_number(out, evidence->value);
	json_key(out, ",", "unit");
	json_text(out, evidence->text ? "" : unit_name(evidence->unit));
	json_key(out, ",", "source");
	json_text(out, evidence->source);
	out_char(out, '}');
}

static void evidence_array(struct out *out, const struct finding *finding)
{
	out_char(out, '[');
	for (unsigned i = 0; i < finding->evidence_count; i++) {
		if (i)
			out_char(out, ',');
		evidence_object(out, &finding->evidence[i]);
	}
	out_char(out, ']');
}

static void template_string(struct out *out, struct out *scratch, const struct finding *finding,
			    const char *template)
{
	if (!template) {
		out_lit(out, "null");
		return;
	}
	out_clear(scratch);
	finding_expand(scratch, finding, template);
	out_json(out, scratch->base, out_len(scratch));
}

/* Fills a template in. Return: false, nothing written, when it is not fit to be shown. */
typedef bool expand_fn(struct out *out, const struct finding *finding, const char *template);

static bool expand_text(struct out *out, const struct finding *finding, const char *template)
{
	finding_expand(out, finding, template);
	return true;
}

static void template_array(struct out *out, struct out *scratch, const struct finding *finding,
			   const char *const *templates, expand_fn *expand)
{
	const char *separator = "";

	out_char(out, '[');
	for (unsigned i = 0; templates && templates[i]; i++) {
		out_clear(scratch);
		if (!expand(scratch, finding, templates[i]))
			continue;
		out_str(out, separator);
		out_json(out, scratch->base, out_len(scratch));
		separator = ",";
	}
	out_char(out, ']');
}

static void threshold_object(struct out *out, const struct threshold_used *threshold)
{
	if (!threshold->name) {
		out_lit(out, "null");
		return;
	}
	json_key(out, "{", "name");
	json_text(out, threshold->name);
	json_key(out, ",", "value");
	out_number(out, threshold->value);
	json_key(out, ",", "unit");
	json_text(out, unit_name(threshold->unit));
	json_key(out, ",", "origin");
	json_text(out, threshold->origin);
	out_char(out, '}');
}

static void id_string(struct out *out, uint64_t id)
{
	out_printf(out, "\"%016llx\"", (unsigned long long)id);
}

static void text_members(struct out *out, const struct finding *finding)
{
	const struct {
		const char *key;
		const char *const *templates;
		expand_fn *expand;
	} lists[] = {
		{ ",\"against\":", finding->against, expand_text },
		{ ",\"causes\":", finding->causes, expand_text },
		{ ",\"next\":", finding->next, finding_command },
		{ ",\"fixes\":", finding->fixes, expand_text },
		{ ",\"refs\":", finding->refs, expand_text },
	};
	struct out scratch;

	out_open_mem(&scratch);
	json_key(out, ",", "title");
	template_string(out, &scratch, finding, finding->title);
	json_key(out, ",", "detail");
	template_string(out, &scratch, finding, finding->detail);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		out_str(out, lists[i].key);
		template_array(out, &scratch, finding, lists[i].templates, lists[i].expand);
	}
	out_close(&scratch);
}

/* What history will tell stands as null: one run knows nothing of earlier ones. */
static void history_members(struct out *out)
{
	json_key(out, ",", "first_seen");
	out_lit(out, "null");
	json_key(out, ",", "runs_seen");
	out_lit(out, "null");
	json_key(out, ",", "trend");
	out_lit(out, "null");
}

void finding_json(struct out *out, const struct finding *finding, const char *head)
{
	out_str(out, head);
	json_key(out, "", "id");
	id_string(out, finding->id);
	json_key(out, ",", "rule");
	json_text(out, finding->rule);
	json_key(out, ",", "severity");
	json_text(out, severity_name(finding->severity));
	json_key(out, ",", "confidence");
	out_number(out, finding->confidence);
	json_key(out, ",", "score");
	out_number(out, finding->score);
	json_key(out, ",", "scope");
	scope_object(out, &finding->scope);
	json_key(out, ",", "count");
	out_u64(out, finding->count);
	json_key(out, ",", "evidence");
	evidence_array(out, finding);
	text_members(out, finding);
	json_key(out, ",", "threshold");
	threshold_object(out, &finding->threshold);
	json_key(out, ",", "explains");
	out_u64(out, finding->folded);
	json_key(out, ",", "explained_by");
	if (finding->parent)
		id_string(out, finding->parent->id);
	else
		out_lit(out, "null");
	history_members(out);
	out_char(out, '}');
}

/* SPDX-License-Identifier: MIT */
/* Offline knowledge on paper: the list of topics, and topics in full, as text, JSON and NDJSON. */
#ifndef TCPTRIAGE_RENDER_TOPIC_H
#define TCPTRIAGE_RENDER_TOPIC_H

#include "tcptriage/render/document.h"
#include "tcptriage/triage/topics.h"

/**
 * struct topic_page - what is printed.
 * @topic, @count: the topics in order. @full: with their texts; false: one line each. @style: of the text format.
 */
struct topic_page {
	const struct document *doc;
	const struct topic *topic;
	size_t count;
	bool full;
	struct style style;
};

/** topic_renderers[] - one function a format. */
typedef void topic_render_fn(struct out *out, const struct topic_page *page);
extern topic_render_fn *const topic_renderers[FORMAT_COUNT];

#endif

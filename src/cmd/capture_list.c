/* SPDX-License-Identifier: MIT */
/* -D and -L: what can be captured on, and which link types an interface offers. */
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "commands.h"
#include "tcptriage/decode/packet.h"

static void interface_line(struct out *out, int number, const struct listed_interface *interface)
{
	out_printf(out, "%d.", number);
	out_escaped(out, interface->name, strlen(interface->name));
	if (*interface->description) {
		out_lit(out, " (");
		out_escaped(out, interface->description, strlen(interface->description));
		out_char(out, ')');
	}
	if (*interface->flags)
		out_printf(out, " [%s]", interface->flags);
	out_char(out, '\n');
}

int capture_list(const struct capture_options *o)
{
	CLEANUP(arena_free) struct arena arena = { 0 };
	CLEANUP(out_close) struct out out;
	const struct listed_interface *list;
	struct err err = { "" };
	int count = reader_list(&arena, &list, &err);

	(void)o;
	out_open_fd(&out, STDOUT_FILENO);
	if (count < 0)
		return run_error(&cmd_capture, err.text);
	for (int i = 0; i < count; i++)
		interface_line(&out, i + 1, &list[i]);
	return EXIT_RAN;
}

int capture_list_link_types(const struct capture_options *o)
{
	CLEANUP(out_close) struct out out;
	uint32_t types[64];
	struct err err = { "" };
	int count = reader_link_types(o->interface ? o->interface : "any", types, ARRAY_SIZE(types), &err);

	out_open_fd(&out, STDOUT_FILENO);
	if (count < 0)
		return run_error(&cmd_capture, err.text);
	for (int i = 0; i < count; i++) {
		const char *name = link_type_name(types[i]);

		if (name)
			out_str(&out, name);
		else
			out_printf(&out, "LINKTYPE %u", types[i]);
		out_str(&out, link_type_supported(types[i]) ? "\n" : " (can be written with -w, is not decoded)\n");
	}
	return EXIT_RAN;
}

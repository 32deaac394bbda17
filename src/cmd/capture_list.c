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

static void link_type_line(struct out *out, uint32_t type)
{
	const char *name = link_type_name(type);

	if (name)
		out_str(out, name);
	else
		out_printf(out, "LINKTYPE %u", type);
	out_str(out, link_type_supported(type) ? "\n" : " (can be written with -w, is not decoded)\n");
}

static int list_interfaces(struct out *out, struct err *err)
{
	CLEANUP(arena_free) struct arena arena = { 0 };
	const struct listed_interface *list;
	int count = reader_list(&arena, &list, err);

	for (int i = 0; i < count; i++)
		interface_line(out, i + 1, &list[i]);
	return MIN(count, 0);
}

static int list_link_types(struct out *out, const char *interface, struct err *err)
{
	uint32_t types[64];
	int count = reader_link_types(interface ? interface : "any", types, ARRAY_SIZE(types), err);

	for (int i = 0; i < count; i++)
		link_type_line(out, types[i]);
	return MIN(count, 0);
}

int capture_list(const struct capture_options *o)
{
	CLEANUP(out_close) struct out out;
	struct err err = { "" };
	int code;

	out_open_fd(&out, STDOUT_FILENO);
	code = capture_enter_namespace(o, &err);
	if (!code)
		code = o->list ? list_interfaces(&out, &err) : list_link_types(&out, o->interface, &err);
	if (!code && out_flush(&out))
		code = err_errno(&err, out.error, "cannot write the output");
	return code ? run_error(&cmd_capture, err.text) : EXIT_RAN;
}

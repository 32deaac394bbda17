/* SPDX-License-Identifier: MIT */
/* The layout of a namespace as lines of a recording. */
#ifndef COLLECT_NETWORK_TABLE_H
#define COLLECT_NETWORK_TABLE_H

#include "collect/network_list.h"
#include "collect/table.h"

/** network_table_write() - all of @network, with the line that ends it. */
void network_table_write(struct out *out, const struct network *network);
/** network_table_take() - one line. Return: false when it is none that was ever written, or @list is full. */
bool network_table_take(struct network_list *list, const struct table_reader *reader);

#endif

/* SPDX-License-Identifier: MIT */
/* The picture of sizes that passed and died. */
#ifndef TCPTRIAGE_RENDER_MTU_SIZE_TEXT_H
#define TCPTRIAGE_RENDER_MTU_SIZE_TEXT_H

#include "src/render/probe_text.h"

/** mtu_size_lines() - a mark for each size that was tried, in ascending order, with the sizes at the ends of each run of the same fate, and what the marks mean; with -v each size in words. */
void mtu_size_lines(struct probe_text *text, const struct mtu_path *path);

#endif

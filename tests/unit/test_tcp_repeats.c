/* SPDX-License-Identifier: MIT */
/* Segments that come again, and their look-alikes: timeout, duplicate ACKs, neither, unneeded, late, a copy, lost in the capture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "segments.h"

#define SEGMENTS_MAX 32

/* A: opens and sends. @without: no timestamps, and ids that are not counted. */
struct scene {
	const char *what;
	struct tally tally;
	unsigned duplicate_acks, unseen;
	bool no_timestamps, no_ids, v6;
	struct segment segment[SEGMENTS_MAX];
};

static const struct scene scenes[] = {
	{ "nothing is lost",
	  { 0, 0, 0, 0, 0, 0 },
	  .segment = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 21, A, 1001, 1000, 1 }, { 30, B, 1, 0, 2001 }, { 31, A, 2001, 500, 1 }, { 41, B, 1, 0, 2501 } } },
	{ "the head comes again after a silence",
	  { 1, 1, 0, 0, 0, 0 },
	  .segment = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 240, A, 1, 1000, 1 }, { 250, B, 1, 0, 1001 } } },
	{ "twice, the second time later",
	  { 2, 2, 0, 0, 0, 0 },
	  .segment = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 240, A, 1, 1000, 1 }, { 680, A, 1, 1000, 1 }, { 690, B, 1, 0, 1001 } } },
	{ "after a timeout the rest follows as it is acknowledged",
	  { 3, 1, 0, 0, 0, 0 },
	  .segment = { OPEN_10MS,
		       { 20, A, 1, 1000, 1 },
		       { 20.1, A, 1001, 1000, 1 },
		       { 20.2, A, 2001, 1000, 1 },
		       { 240, A, 1, 1000, 1 },
		       { 250, B, 1, 0, 1001 },
		       { 250.1, A, 1001, 1000, 1 },
		       { 250.2, A, 2001, 1000, 1 },
		       { 260, B, 1, 0, 3001 } } },
	{ "a probe for the tail comes before any timeout",
	  { 1, 0, 0, 0, 0, 0 },
	  .segment = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 20.1, A, 1001, 1000, 1 }, { 30, B, 1, 0, 1001 }, { 60, A, 1001, 1000, 1 }, { 70, B, 1, 0, 2001 } } },
	{ "three duplicate ACKs ask for it",
	  { 1, 0, 1, 0, 0, 0 },
	  .duplicate_acks = 3,
	  .segment = { OPEN_10MS,
		       { 15, A, 1, 100, 1 },
		       { 25, B, 1, 0, 101 },
		       { 26, A, 101, 1000, 1 },
		       { 26.1, A, 1101, 1000, 1 },
		       { 26.2, A, 2101, 1000, 1 },
		       { 26.3, A, 3101, 1000, 1 },
		       { 36.1, B, 1, 0, 101, .left = { 1101 }, .right = { 2101 } },
		       { 36.2, B, 1, 0, 101, .left = { 1101 }, .right = { 3101 } },
		       { 36.3, B, 1, 0, 101, .left = { 1101 }, .right = { 4101 } },
		       { 36.4, A, 101, 1000, 1 },
		       { 46.4, B, 1, 0, 4101 } } },
	{ "one SACK block above it is enough",
	  { 1, 0, 1, 0, 0, 0 },
	  .duplicate_acks = 0,
	  .segment = { OPEN_10MS,
		       { 20, A, 1, 1000, 1 },
		       { 20.1, A, 1001, 1000, 1 },
		       { 30, B, 1, 0, 1, .left = { 1001 }, .right = { 2001 } },
		       { 33, A, 1, 1000, 1 },
		       { 43, B, 1, 0, 2001 } } },
	{ "captured at the receiver: what was lost on the way fills its hole",
	  { 1, 0, 1, 0, 0, 0 },
	  .duplicate_acks = 3,
	  .segment = { OPEN_10MS,
		       { 15, A, 1, 100, 1 },
		       { 15.1, B, 1, 0, 101 },
		       { 26, A, 1101, 1000, 1, .id = 1010 },
		       { 26.1, B, 1, 0, 101, .left = { 1101 }, .right = { 2101 } },
		       { 26.2, A, 2101, 1000, 1, .id = 1011 },
		       { 26.3, B, 1, 0, 101, .left = { 1101 }, .right = { 3101 } },
		       { 26.4, A, 3101, 1000, 1, .id = 1012 },
		       { 26.5, B, 1, 0, 101, .left = { 1101 }, .right = { 4101 } },
		       { 36.5, A, 101, 1000, 1, .id = 1013 },
		       { 36.6, B, 1, 0, 4101 } } },
	{ "late by its IP id, however long it took",
	  { 0, 0, 0, 0, 1, 0 },
	  .no_timestamps = true,
	  .segment = { OPEN_10MS,
		       { 15, A, 1, 100, 1, .id = 1005 },
		       { 25, B, 1, 0, 101 },
		       { 26, A, 1101, 1000, 1, .id = 1007 },
		       { 46, A, 101, 1000, 1, .id = 1006 },
		       { 56, B, 1, 0, 2101 } } },
	{ "sent again by its IP id, however soon it came",
	  { 1, 0, 0, 0, 0, 0 },
	  .no_timestamps = true,
	  .segment = { OPEN_10MS,
		       { 15, A, 1, 100, 1, .id = 1005 },
		       { 25, B, 1, 0, 101 },
		       { 26, A, 1101, 1000, 1, .id = 1007 },
		       { 26.5, A, 101, 1000, 1, .id = 1008 },
		       { 36, B, 1, 0, 2101 } } },
	{ "late by its timestamp",
	  { 0, 0, 0, 0, 1, 0 },
	  .no_ids = true,
	  .segment = { OPEN_10MS, { 26, A, 1001, 1000, 1, .no_id = true }, { 46, A, 1, 1000, 1, .no_id = true, .sent_ms = 22 }, { 56, B, 1, 0, 2001 } } },
	{ "late by its timestamp, though what overtook it is of the same tick",
	  { 0, 0, 0, 0, 1, 0 },
	  .no_ids = true,
	  .segment = { OPEN_10MS,
		       { 26, A, 1001, 1000, 1, .no_id = true, .sent_ms = 22 },
		       { 28, A, 2001, 1000, 1, .no_id = true, .sent_ms = 24 },
		       { 46, A, 1, 1000, 1, .no_id = true, .sent_ms = 22 },
		       { 56, B, 1, 0, 3001 } } },
	{ "sent again by its timestamp",
	  { 1, 0, 0, 0, 0, 0 },
	  .no_ids = true,
	  .segment = { OPEN_10MS,
		       { 26, A, 1001, 1000, 1, .no_id = true, .sent_ms = 24 },
		       { 26.5, A, 1, 1000, 1, .no_id = true, .sent_ms = 26 },
		       { 56, B, 1, 0, 2001 } } },
	{ "without either: soon is late",
	  { 0, 0, 0, 0, 1, 0 },
	  .no_timestamps = true,
	  .no_ids = true,
	  .segment = { OPEN_10MS, { 26, A, 1001, 1000, 1, .no_id = true }, { 28, A, 1, 1000, 1, .no_id = true }, { 36, B, 1, 0, 2001 } } },
	{ "without either: after 3 ms it was sent again",
	  { 1, 0, 0, 0, 0, 0 },
	  .no_timestamps = true,
	  .no_ids = true,
	  .segment = { OPEN_10MS, { 26, A, 1001, 1000, 1, .no_id = true }, { 29.5, A, 1, 1000, 1, .no_id = true }, { 36, B, 1, 0, 2001 } } },
	{ "two copies of a frame, then a third one hop later",
	  { 0, 0, 0, 0, 0, 2 },
	  .segment = { OPEN_10MS,
		       { 20, A, 1, 1000, 1, .id = 1003 },
		       { 20.01, A, 1, 1000, 1, .id = 1003, .interface = 1 },
		       { 24.9, A, 1, 1000, 1, .id = 1003, .ttl = 63, .sent_ms = 20 },
		       { 30, B, 1, 0, 1001 } } },
	{ "a copy that the network made, much later: by its id it is no repetition",
	  { 0, 0, 0, 0, 0, 1 },
	  .segment = { OPEN_10MS,
		       { 20, A, 1, 1000, 1, .id = 1003 },
		       { 20.1, A, 1001, 1000, 1, .id = 1004 },
		       { 60, A, 1, 1000, 1, .id = 1003, .sent_ms = 20 },
		       { 61, B, 1, 0, 2001 } } },
	{ "IPv6: the same words at once on one interface are a copy",
	  { 0, 0, 0, 0, 0, 1 },
	  .v6 = true,
	  .segment = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 20.05, A, 1, 1000, 1 }, { 30, B, 1, 0, 1001 } } },
	{ "IPv6: a millisecond later they are said again",
	  { 1, 0, 0, 0, 0, 0 },
	  .v6 = true,
	  .no_timestamps = true,
	  .segment = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 21, A, 1, 1000, 1 }, { 30, B, 1, 0, 1001 } } },
	{ "IPv6: … unless on another interface",
	  { 0, 0, 0, 0, 0, 1 },
	  .v6 = true,
	  .segment = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 21, A, 1, 1000, 1, .interface = 2, .sent_ms = 20 }, { 30, B, 1, 0, 1001 } } },
	{ "it was acknowledged already",
	  { 1, 1, 0, 1, 0, 0 },
	  .segment = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 30, B, 1, 0, 1001 }, { 240, A, 1, 1000, 1 }, { 250, B, 1, 0, 1001 } } },
	{ "… and the DSACK that follows is not counted once more",
	  { 1, 1, 0, 1, 0, 0 },
	  .segment = { OPEN_10MS,
		       { 20, A, 1, 1000, 1 },
		       { 30, B, 1, 0, 1001 },
		       { 240, A, 1, 1000, 1 },
		       { 250, B, 1, 0, 1001, .left = { 1 }, .right = { 1001 } } } },
	{ "a DSACK reports it",
	  { 1, 1, 0, 1, 0, 0 },
	  .no_timestamps = true,
	  .segment = { OPEN_10MS,
		       { 20, A, 1, 1000, 1 },
		       { 240, A, 1, 1000, 1 },
		       { 240.5, B, 1, 0, 1001 },
		       { 250, B, 1, 0, 1001, .left = { 1 }, .right = { 1001 } } } },
	{ "a DSACK within the second block reports it",
	  { 1, 0, 0, 1, 0, 0 },
	  .no_timestamps = true,
	  .segment = { OPEN_10MS,
		       { 20, A, 1, 1000, 1 },
		       { 20.1, A, 1001, 1000, 1 },
		       { 20.2, A, 2001, 1000, 1 },
		       { 60, A, 1001, 1000, 1 },
		       { 70, B, 1, 0, 1, .left = { 1001, 1001 }, .right = { 2001, 3001 } } } },
	{ "a DSACK for bytes that were sent once tells of a copy in the network",
	  { 0, 0, 0, 0, 0, 0 },
	  .segment = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 30, B, 1, 0, 1001 }, { 30.1, B, 1, 0, 1001, .left = { 1 }, .right = { 1001 } } } },
	{ "the acknowledgement echoes the first copy",
	  { 1, 1, 0, 1, 0, 0 },
	  .segment = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 240, A, 1, 1000, 1 }, { 241, B, 1, 0, 1001, .echo_ms = 20 } } },
	{ "… and a DSACK besides",
	  { 1, 1, 0, 1, 0, 0 },
	  .segment = { OPEN_10MS,
		       { 20, A, 1, 1000, 1 },
		       { 240, A, 1, 1000, 1 },
		       { 241, B, 1, 0, 1001, .echo_ms = 20 },
		       { 250, B, 1, 0, 1001, .echo_ms = 20, .left = { 1 }, .right = { 1001 } } } },
	{ "the acknowledgement echoes the second copy: it was needed",
	  { 1, 1, 0, 0, 0, 0 },
	  .segment = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 240, A, 1, 1000, 1 }, { 250, B, 1, 0, 1001, .echo_ms = 240 } } },
	{ "the capture missed a segment that was acknowledged",
	  { 0, 0, 0, 0, 0, 0 },
	  .unseen = 1,
	  .segment = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 20.2, A, 2001, 1000, 1 }, { 30, B, 1, 0, 3001 } } },
	{ "the capture missed the newest segment",
	  { 0, 0, 0, 0, 0, 0 },
	  .unseen = 1,
	  .segment = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 30, B, 1, 0, 2001 } } },
	{ "first seen in the middle: what is acknowledged may have been sent before",
	  { 0, 0, 0, 0, 0, 0 },
	  .unseen = 0,
	  .segment = { { 20, A, 5001, 1000, 1 }, { 21, B, 1, 0, 7001 }, { 22, A, 7001, 1000, 1 }, { 32, B, 1, 0, 8001 } } },
	{ "first seen in the middle: what was on its way is not missing",
	  { 0, 0, 0, 0, 0, 0 },
	  .unseen = 0,
	  .segment = { { 20, B, 1, 0, 3001 }, { 20.1, A, 5001, 1000, 1 }, { 21, B, 1, 0, 4001 }, { 22, B, 1, 0, 6001 } } },
	{ "first seen in the middle, later on: that is loss in the capture",
	  { 0, 0, 0, 0, 0, 0 },
	  .unseen = 1,
	  .segment = { { 20, A, 5001, 1000, 1 }, { 21, B, 1, 0, 6001 }, { 22, A, 6001, 1000, 1 }, { 32, B, 1, 0, 8001 } } },
	{ "first seen in the middle, duplicate ACKs for what was sent before",
	  { 1, 0, 1, 0, 0, 0 },
	  .duplicate_acks = 3,
	  .segment = { { 20, B, 1, 0, 3001 },
		       { 20.1, A, 5001, 1000, 1, .id = 1003 },
		       { 20.2, B, 1, 0, 3001, .left = { 4001 }, .right = { 6001 } },
		       { 20.3, A, 6001, 1000, 1, .id = 1004 },
		       { 20.4, B, 1, 0, 3001, .left = { 4001 }, .right = { 7001 } },
		       { 20.5, A, 7001, 1000, 1, .id = 1005 },
		       { 20.6, B, 1, 0, 3001, .left = { 4001 }, .right = { 8001 } },
		       { 20.7, A, 3001, 1000, 1, .id = 1006 },
		       { 20.8, B, 1, 0, 8001 } } },
	{ "three duplicate ACKs without a block",
	  { 1, 0, 1, 0, 0, 0 },
	  .duplicate_acks = 3,
	  .no_timestamps = true,
	  .segment = { OPEN_10MS,
		       { 15, A, 1, 100, 1 },
		       { 25, B, 1, 0, 101 },
		       { 26, A, 101, 1000, 1 },
		       { 26.1, A, 1101, 1000, 1 },
		       { 26.2, A, 2101, 1000, 1 },
		       { 26.3, A, 3101, 1000, 1 },
		       { 36.1, B, 1, 0, 101 },
		       { 36.2, B, 1, 0, 101 },
		       { 36.3, B, 1, 0, 101 },
		       { 36.4, A, 101, 1000, 1 },
		       { 46.4, B, 1, 0, 4101 } } },
	{ "two are no signal",
	  { 1, 0, 0, 0, 0, 0 },
	  .duplicate_acks = 2,
	  .no_timestamps = true,
	  .segment = { OPEN_10MS,
		       { 15, A, 1, 100, 1 },
		       { 25, B, 1, 0, 101 },
		       { 26, A, 101, 1000, 1 },
		       { 26.1, A, 1101, 1000, 1 },
		       { 26.2, A, 2101, 1000, 1 },
		       { 36.1, B, 1, 0, 101 },
		       { 36.2, B, 1, 0, 101 },
		       { 36.4, A, 101, 1000, 1 },
		       { 46.4, B, 1, 0, 3101 } } },
	{ "the fast repair was lost too: the next one comes after a silence",
	  { 2, 1, 1, 0, 0, 0 },
	  .segment = { OPEN_10MS,
		       { 20, A, 1, 1000, 1 },
		       { 20.1, A, 1001, 1000, 1 },
		       { 30, B, 1, 0, 1, .left = { 1001 }, .right = { 2001 } },
		       { 33, A, 1, 1000, 1 },
		       { 260, A, 1, 1000, 1 },
		       { 270, B, 1, 0, 2001 } } },
	{ "a probe for the tail over a long path is no timeout, for those begin at the head",
	  { 1, 0, 0, 0, 0, 0 },
	  .segment = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 20.1, A, 1001, 1000, 1 }, { 240, A, 1001, 1000, 1 }, { 250, B, 1, 0, 2001 } } },
	{ "the first copy was lost before the capture: an old echo proves nothing",
	  { 1, 1, 0, 0, 0, 0 },
	  .segment = { OPEN_10MS, { 20, A, 1001, 1000, 1 }, { 240, A, 1, 1000, 1 }, { 240.1, B, 1, 0, 2001, .echo_ms = 20 } } },
	{ "without id and timestamp, asked for by duplicate ACKs: however soon it came",
	  { 1, 0, 1, 0, 0, 0 },
	  .duplicate_acks = 3,
	  .no_timestamps = true,
	  .no_ids = true,
	  .segment = { OPEN_10MS,
		       { 15, A, 1, 100, 1, .no_id = true },
		       { 15.1, B, 1, 0, 101 },
		       { 26, A, 1101, 1000, 1, .no_id = true },
		       { 26.1, B, 1, 0, 101 },
		       { 26.2, A, 2101, 1000, 1, .no_id = true },
		       { 26.3, B, 1, 0, 101 },
		       { 26.4, A, 3101, 1000, 1, .no_id = true },
		       { 26.5, B, 1, 0, 101 },
		       { 27.5, A, 101, 1000, 1, .no_id = true },
		       { 27.6, B, 1, 0, 4101 } } },
	{ "without either, on a path of 1 ms: after 2 ms it was sent again",
	  { 1, 0, 0, 0, 0, 0 },
	  .no_timestamps = true,
	  .no_ids = true,
	  .segment = { { 0, A, 0, 0, 0, TCP_SYN, .no_id = true },
		       { 1, B, 0, 0, 1, TCP_SYN | TCP_ACK },
		       { 1.1, A, 1, 0, 1, .no_id = true },
		       { 26, A, 1001, 1000, 1, .no_id = true },
		       { 28, A, 1, 1000, 1, .no_id = true },
		       { 36, B, 1, 0, 2001 } } },
	{ "a hole that fills from its middle",
	  { 0, 0, 0, 0, 3, 0 },
	  .segment = { OPEN_10MS,
		       { 20, A, 3001, 1000, 1, .id = 1010 },
		       { 20.1, A, 1001, 1000, 1, .id = 1008 },
		       { 20.2, A, 2001, 1000, 1, .id = 1009 },
		       { 20.3, A, 1, 1000, 1, .id = 1007 },
		       { 30, B, 1, 0, 4001 } } },
	{ "first seen in the middle: a segment that was overtaken",
	  { 0, 0, 0, 0, 1, 0 },
	  .segment = { { 20, A, 4001, 1000, 1, .id = 1005 },
		       { 20.1, A, 5001, 1000, 1, .id = 1006 },
		       { 20.2, A, 6001, 1000, 1, .id = 1007 },
		       { 20.3, B, 1, 0, 3001 },
		       { 20.4, A, 3001, 1000, 1, .id = 1004 },
		       { 30, B, 1, 0, 7001 } } },
	{ "the capture wrote the acknowledgement before the data",
	  { 0, 0, 0, 0, 0, 0 },
	  .unseen = 0,
	  .segment = { OPEN_10MS, { 20, B, 1, 0, 1001 }, { 20.05, A, 1, 1000, 1 }, { 30, A, 1001, 1000, 1 }, { 40, B, 1, 0, 2001 } } },
	{ "one acknowledgement covers two gaps of the capture",
	  { 0, 0, 0, 0, 0, 0 },
	  .unseen = 1,
	  .segment = { OPEN_10MS, { 20, A, 1001, 1000, 1 }, { 20.2, A, 3001, 1000, 1 }, { 30, B, 1, 0, 4001 }, { 40, A, 4001, 10, 1 } } },
	{ "a forged acknowledgement far ahead moves nothing",
	  { 0, 0, 0, 0, 0, 0 },
	  .unseen = 0,
	  .segment = { OPEN_10MS,
		       { 20, A, 1, 1000, 1 },
		       { 30, B, 1, 0, 1001 },
		       { 31, B, 1, 0, 900000 },
		       { 32, A, 1001, 1000, 1 },
		       { 42, B, 1, 0, 2001 } } },
	{ "a forged segment far ahead opens no hole",
	  { 0, 0, 0, 0, 0, 0 },
	  .unseen = 0,
	  .segment = { OPEN_10MS,
		       { 20, A, 1, 1000, 1 },
		       { 30, B, 1, 0, 1001 },
		       { 31, A, 900000, 100, 1 },
		       { 32, A, 1001, 1000, 1 },
		       { 42, B, 1, 0, 2001 },
		       { 43, A, 2001, 1000, 1 },
		       { 53, B, 1, 0, 3001 } } },
	{ "a long gap of the capture in both directions: one loss, and then it goes on",
	  { 0, 0, 0, 0, 0, 0 },
	  .unseen = 1,
	  .segment = { OPEN_10MS,
		       { 20, A, 1, 1000, 1 },
		       { 30, B, 1, 0, 1001 },
		       { 31, A, 900001, 1000, 1 },
		       { 32, A, 901001, 1000, 1 },
		       { 42, B, 1, 0, 902001 },
		       { 43, B, 1, 0, 902001 },
		       { 44, A, 902001, 1000, 1 },
		       { 54, B, 1, 0, 903001 } } },
	{ "one interface shows one by one what offload joined on another",
	  { 0, 0, 0, 0, 0, 3 },
	  .segment = { OPEN_10MS,
		       { 20, A, 1, 4344, 1, .id = 1003 },
		       { 20.01, A, 1, 1448, 1, .id = 1003, .interface = 1, .sent_ms = 20 },
		       { 20.02, A, 1449, 1448, 1, .id = 1004, .interface = 1, .sent_ms = 20 },
		       { 20.03, A, 2897, 1448, 1, .id = 1005, .interface = 1, .sent_ms = 20 },
		       { 30, B, 1, 0, 4345 } } },
	{ "IPv6: duplicate ACKs say the same, and mean it",
	  { 0, 0, 0, 0, 0, 0 },
	  .duplicate_acks = 3,
	  .v6 = true,
	  .segment = { OPEN_10MS,
		       { 15, A, 1, 100, 1 },
		       { 25, B, 1, 0, 101 },
		       { 26, A, 101, 1000, 1 },
		       { 36.01, B, 1, 0, 101, .sent_ms = 36 },
		       { 36.03, B, 1, 0, 101, .sent_ms = 36 },
		       { 36.05, B, 1, 0, 101, .sent_ms = 36 } } },
	{ "old bytes with new ones behind them",
	  { 1, 1, 0, 0, 0, 0 },
	  .segment = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 240, A, 1, 1400, 1 }, { 250, B, 1, 0, 1401 } } },
	{ "a FIN comes again",
	  { 1, 1, 0, 0, 0, 0 },
	  .segment = { OPEN_10MS, { 20, A, 1, 0, 1, TCP_FIN | TCP_ACK }, { 240, A, 1, 0, 1, TCP_FIN | TCP_ACK }, { 250, B, 1, 0, 2 } } },
	{ "sequence numbers that wrap are numbers like others",
	  { 1, 1, 0, 0, 0, 0 },
	  .segment = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 240, A, 1, 1000, 1 }, { 250, B, 1, 0, 1001 } } },
};

static void scenes__each_phenomenon_and_its_twin__are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		const struct scene *scene = &scenes[i];
		size_t count = 0;
		struct talk t;

		while (count < SEGMENTS_MAX && (!count || scene->segment[count].at_ms > 0))
			count++;
		talk_open(&t);
		t.timestamps = !scene->no_timestamps;
		t.v6 = scene->v6;
		if (i % 2)
			t.isn[A] = 0xffffff00;
		print_message("%s\n", scene->what);
		talk_play(&t, scene->segment, count);
		talk_expect(&t, A, &scene->tally);
		assert_int_equal(talk_side(&t, B)->duplicate_acks, scene->duplicate_acks);
		assert_int_equal(talk_side(&t, B)->acked_unseen, scene->unseen);
		assert_int_equal(talk_side(&t, B)->retransmissions, 0);
		talk_close(&t);
	}
}

static void events__timeout__tell_silence_place_and_length(void **state)
{
	static const struct segment scene[] = { OPEN_10MS, { 20, A, 1, 1000, 1 }, { 240, A, 1, 1000, 1 } };
	const struct event *event;
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, scene, ARRAY_SIZE(scene));
	event = &t.event[EVENT_TIMEOUT_RETRANSMISSION];
	assert_int_equal(event->side, A);
	assert_int_equal(event->nth, 1);
	assert_int_equal(event->seq, 1);
	assert_int_equal(event->length, 1000);
	assert_int_equal(event->since_us, 220000);
	assert_int_equal(event->packet_number, 5);
	assert_int_equal(event->time_ns, TALK_START_NS + INT64_C(240000000));
	assert_int_equal(event->from.port, 40000);
	assert_int_equal(event->to.port, 80);
	talk_close(&t);
}

/* As in RFC 6675: one repair after another, out of one burst of loss. */
static void recovery__many_holes__all_repairs_are_fast(void **state)
{
	struct talk t;
	struct tally expected = { .again = 4, .fast = 4 };

	(void)state;
	talk_open(&t);
	talk_play(&t, (const struct segment[]){ OPEN_10MS }, 3);
	for (uint32_t i = 0; i < 12; i++)
		talk_send(&t, &(struct segment){ 20 + i * 0.1, A, 1 + i * 1000, 1000, 1 });
	for (uint32_t i = 0; i < 4; i++)
		talk_send(&t, &(struct segment){ 30 + i * 0.1, B, 1, 0, 1, .left = { 8001 }, .right = { 9001 + i * 1000 } });
	for (uint32_t i = 0; i < 4; i++) {
		talk_send(&t, &(struct segment){ 40 + i * 10, A, 1 + i * 1000, 1000, 1 });
		talk_send(&t, &(struct segment){ 50 + i * 10, B, 1, 0, 1001 + i * 1000 });
	}
	talk_expect(&t, A, &expected);
	talk_close(&t);
}

/* Jitter overtakes, again and again: eight holes at a time are more than are kept, and still nothing was sent twice. */
static void reorder__heavy_jitter__is_no_loss(void **state)
{
	static const uint8_t order[] = { 1, 3, 0, 5, 7, 2, 9, 4, 6, 8 };
	struct tally expected = { 0 };
	struct talk t;

	(void)state;
	talk_open(&t);
	talk_play(&t, (const struct segment[]){ OPEN_10MS }, 3);
	for (uint32_t round = 0; round < 50; round++) {
		for (uint32_t i = 0; i < ARRAY_SIZE(order); i++) {
			uint32_t nth = round * 10 + order[i];

			talk_send(&t, &(struct segment){ 20 + round * 10 + i,
							 A,
							 1 + nth * 1000,
							 1000,
							 1,
							 .id = (uint16_t)(1003 + nth),
							 .sent_ms = 19 + round * 10 + order[i] });
		}
		talk_send(&t, &(struct segment){ 29.9 + round * 10, B, 1, 0, 1 + (round + 1) * 10000 });
	}
	expected.late = talk_side(&t, A)->out_of_order;
	assert_in_range(expected.late, 200, 300);
	talk_expect(&t, A, &expected);
	assert_int_equal(talk_side(&t, B)->acked_unseen, 0);
	talk_close(&t);
}

static void dead_direction__never_acknowledged__counts_every_try(void **state)
{
	struct talk t;

	(void)state;
	talk_open(&t);
	for (unsigned i = 0; i < 6; i++)
		talk_send(&t, &(struct segment){ 20 + 200 * ((1 << i) - 1) + i, A, 1, 1000, 1 });
	flows_end(t.flows);
	talk_expect(&t, A, &(struct tally){ .again = 5, .timeouts = 5 });
	assert_int_equal(talk_flow(&t)->state, FLOW_MIDSTREAM);
	talk_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scenes__each_phenomenon_and_its_twin__are_told_apart),
		cmocka_unit_test(events__timeout__tell_silence_place_and_length),
		cmocka_unit_test(recovery__many_holes__all_repairs_are_fast),
		cmocka_unit_test(reorder__heavy_jitter__is_no_loss),
		cmocka_unit_test(dead_direction__never_acknowledged__counts_every_try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Which frames are copies of one that was just captured, and which packets run in circles. */
#ifndef TCPTRIAGE_TRACK_DUPLICATE_FRAMES_H
#define TCPTRIAGE_TRACK_DUPLICATE_FRAMES_H

#include "tcptriage/model/capture.h"

#define DUPLICATE_FRAMES 4096
#define LOOP_REPORTS 64

/** enum frame_verdict - what a frame is beside those before it. */
enum frame_verdict {
	FRAME_NEW,
	FRAME_COPY,    /* the same packet, captured again */
	FRAME_LOOP,    /* the same packet for the third time, each time with as many hops less: from now on it is known to run in circles */
	FRAME_LOOPING, /* … and once more */
};

/**
 * struct seen_frame - a frame by what it says. @print: fingerprint, 0 none. @first_ns, @last_ns: of its first and newest copy.
 * @slot1: flow slot + 1 of the first copy, 0 none. @interface: of the newest. @hop_first, @hop_last: hop limits. @step: what the second pass lacked.
 * @passes: with ever lower hop limits. @loop1: loop report + 1, 0 none.
 */
struct seen_frame {
	uint64_t print;
	int64_t first_ns, last_ns;
	uint32_t slot1, interface;
	uint8_t hop_first, hop_last, step, passes, loop1;
};

/**
 * struct duplicate_frames - the newest frame of each place, and what ran in circles. @tag: upper half of each print: nearly every frame is new, and this
 * says so from 16 KiB, which stay in the nearest cache, while a new frame is only written to @seen. @reports of @report are there.
 */
struct duplicate_frames {
	uint32_t tag[DUPLICATE_FRAMES];
	struct seen_frame seen[DUPLICATE_FRAMES];
	struct loop_report report[LOOP_REPORTS];
	size_t reports;
};

/** duplicate_frames_print() - the fingerprint of what a packet says; 0 when it has none. */
uint64_t duplicate_frames_print(const struct packet *packet);
/** duplicate_frames_prefetch() - fetches the place of @print. */
static inline void duplicate_frames_prefetch(const struct duplicate_frames *frames, uint64_t print)
{
	__builtin_prefetch(&frames->seen[print % DUPLICATE_FRAMES], 1);
}
/**
 * duplicate_frames_judge() - what @packet is; its place is taken over when it is new. @mirrored: most frames of this capture have copies, so that one
 * without an IP id is taken for a copy more easily. @entry: its place, where the caller notes the flow of a new one.
 */
enum frame_verdict duplicate_frames_judge(struct duplicate_frames *frames, const struct packet *packet, uint64_t print, int64_t now_ns, bool mirrored,
					  struct seen_frame **entry);
/** duplicate_frames_report() - notes one pass of a packet in a loop. Return: false when it is a new loop and there is no room. */
bool duplicate_frames_report(struct duplicate_frames *frames, struct seen_frame *entry, const struct packet *packet);
/** duplicate_frames_interface() - where @packet was captured: the index on the machine that captured, else the capture's own. */
uint32_t duplicate_frames_interface(const struct packet *packet);

#endif

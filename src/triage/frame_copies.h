/* SPDX-License-Identifier: MIT */
/* Packets that came twice: by the network, which their receiver noticed, or by the way they were captured. */
#ifndef TCPTRIAGE_TRIAGE_FRAME_COPIES_H
#define TCPTRIAGE_TRIAGE_FRAME_COPIES_H

#include "flow_kit.h"

/** enum frame_copies - where the copies of a flow's packets come from. */
enum frame_copies {
	COPIES_NONE,
	COPIES_OF_CAPTURE, /* seen on several interfaces, everywhere in the capture, or the receiver got only one */
	COPIES_OF_NETWORK, /* the receiver reported so many (DSACK), and nothing that explains it was sent again */
	COPIES_UNKNOWN,	   /* nobody could have reported them */
};

/** frame_copies_reported() - how many more segments the receiver had twice than were sent again; 0 none, or not known since data was not captured. */
uint32_t frame_copies_reported(const struct flow_member *member);
/** frame_copies_of() - what the own side's copies are. @margin: reports more than repetitions that prove it. @everywhere: percent of all frames. */
enum frame_copies frame_copies_of(const struct view *view, const struct flow_member *member, double margin, double everywhere);

#endif

/* SPDX-License-Identifier: MIT */
/* ICMP errors by reporter, class and quoted destination. */
#ifndef TCPTRIAGE_TRACK_ICMP_ERRORS_H
#define TCPTRIAGE_TRACK_ICMP_ERRORS_H

#include "tcptriage/model/capture.h"

#define ICMP_REPORTS 1024
#define ICMP_REPORT_PLACES 2048

struct flows;
struct flow_step;
struct flow_key;

/** struct icmp_errors - @count of @report are there; @place: open addressing, index + 1. @refused: reports whose flow went on to send too much. */
struct icmp_errors {
	struct icmp_report report[ICMP_REPORTS];
	uint16_t place[ICMP_REPORT_PLACES];
	uint8_t refused[ICMP_REPORTS / 8];
	size_t count;
};

/** icmp_errors_add() - an ICMP error: counted, told, and noted in the flow that it quotes. @key: of the error itself. Return: that flow, NULL none. */
struct flow *icmp_errors_add(struct flows *flows, const struct packet *packet, const struct flow_key *key, int64_t now_ns);
/** icmp_errors_check_size() - a packet of a flow whose sender was told to send less. */
void icmp_errors_check_size(const struct flow_step *step);

#endif

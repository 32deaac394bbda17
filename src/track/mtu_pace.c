/* SPDX-License-Identifier: MIT */
/* How fast probes of a search for a path MTU are sent, and how many answers the host has left for them. */
#include <math.h>

#include "mtu_parts.h"

/* A little more than a second: what is sent late once must not make 51 in the second that follows. */
#define WINDOW_US 1050000

int64_t mtu_pace_when(const struct mtu_pace *pace, bool burst)
{
	int64_t at = pace->count && !burst ? pace->last_us + pace->spacing_us : INT64_MIN;

	return pace->count < MTU_SEARCH_RATE ? at : MAX(at, pace->at_us[pace->next] + WINDOW_US);
}

void mtu_pace_sent(struct mtu_pace *pace, int64_t now_us)
{
	pace->at_us[pace->next] = pace->last_us = now_us;
	pace->next = (pace->next + 1) % MTU_SEARCH_RATE;
	pace->count = MIN(pace->count + 1, MTU_SEARCH_RATE);
}

static void refill(struct mtu_budget *budget, int64_t now_us)
{
	budget->left = MIN(budget->burst, budget->left + (double)(now_us - budget->at_us) / 1e6 * budget->per_s);
	budget->at_us = now_us;
}

int64_t mtu_budget_when(struct mtu_budget *budget, int64_t now_us)
{
	refill(budget, now_us);
	if (budget->burst <= 0 || budget->left >= 1)
		return now_us;
	return now_us + (int64_t)ceil((1 - budget->left) / budget->per_s * 1e6) + 1;
}

void mtu_budget_take(struct mtu_budget *budget, int64_t now_us)
{
	refill(budget, now_us);
	budget->left = MAX(0, budget->left - 1);
}

void mtu_budget_give(struct mtu_budget *budget, int64_t now_us)
{
	refill(budget, now_us);
	budget->left = MIN(budget->burst, budget->left + 1);
}

void mtu_budget_empty(struct mtu_budget *budget, int64_t now_us)
{
	refill(budget, now_us);
	budget->left = 0;
}

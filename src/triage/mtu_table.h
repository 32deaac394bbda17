/* SPDX-License-Identifier: MIT */
/* Packet sizes that tunnels, links and clouds are known for. */
#ifndef TCPTRIAGE_TRIAGE_MTU_TABLE_H
#define TCPTRIAGE_TRIAGE_MTU_TABLE_H

#include "tcptriage/model/network.h"

/**
 * mtu_likely() - what commonly lets no more than @pmtu through where the link itself takes @link_mtu: a size that a network is known for, or
 * an encapsulation whose headers are as long as the difference. A guess from numbers. Return: words, NULL when nothing common fits.
 */
const char *mtu_likely(uint32_t link_mtu, uint32_t pmtu);
/** mtu_overhead() - bytes that a tunnel of @kind puts around each packet at least, with outer packets of @outer. Return: 0 for a kind that is no tunnel, or whose overhead is not known. */
uint32_t mtu_overhead(enum link_kind kind, enum addr_family outer);

#endif

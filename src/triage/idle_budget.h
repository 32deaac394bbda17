/* SPDX-License-Identifier: MIT */
/* How long a connection may be silent before something on its way forgets it: what clouds are known for, and this host's own tracking. */
#ifndef TCPTRIAGE_TRIAGE_IDLE_BUDGET_H
#define TCPTRIAGE_TRIAGE_IDLE_BUDGET_H

#include "tcptriage/model/address.h"
#include "tcptriage/model/platform.h"
#include "tcptriage/model/sysctls.h"

/**
 * struct idle_budget - the limit that concerns one connection.
 * @ms: silence after which it is forgotten. @device: what forgets it, as a noun with its article. @source: where the limit is known from.
 * @known: such a device does stand on the way of this connection, as far as can be told. @own: it is this host.
 */
struct idle_budget {
	double ms;
	const char *device, *source;
	bool known, own;
};

/**
 * idle_budget_of() - of a connection from @local to @peer. @platform: NULL unknown. @sysctls: of the namespace, NULL unknown.
 * @fallback_ms: where no device is known. The shortest limit counts.
 */
struct idle_budget idle_budget_of(const struct platform *platform, const struct sysctls *sysctls,
				  double fallback_ms, const struct addr *local,
				  const struct addr *peer);
/** idle_budget_least_ms() - no connection of a namespace with these settings (NULL unknown) has a shorter budget, whatever the cloud. */
double idle_budget_least_ms(const struct sysctls *sysctls);
/** idle_budget_tracks() - this host's connection tracking is at work in the namespace. */
bool idle_budget_tracks(const struct sysctls *sysctls);

#endif

/* SPDX-License-Identifier: MIT */
/* Idle limits: the table of clouds (RULES §7.1) and the host's own. */
#include "idle_budget.h"

#include <string.h>

/**
 * struct cloud - a cloud as its machines' firmware shows it. A text that is NULL is not looked at. The product and asset matter: notebooks
 * have Google as their vendor too, and Hyper-V in somebody's cellar is a Microsoft Virtual Machine.
 * @idle_s: the shortest limit that is the default of a device which most connections from there to the Internet pass.
 */
static const struct cloud {
	const char *vendor, *product, *asset;
	unsigned idle_s;
	const char *device, *source;
} clouds[] = {
	{ "Amazon EC2", NULL, NULL, 350, "an AWS NAT gateway or network load balancer", "default of AWS, by DMI" },
	{ "Google", "Google Compute Engine", NULL, 600, "the VPC firewall of Google Cloud", "default of Google Cloud, by DMI" },
	{ "Microsoft Corporation", "Virtual Machine", PLATFORM_ASSET_AZURE, 240, "an Azure load balancer or NAT gateway", "default of Azure, by DMI" },
};

static bool fits(const char *wanted, const char *text)
{
	return !wanted || (text && !strcmp(wanted, text));
}

static const struct cloud *cloud_of(const struct platform *platform)
{
	for (size_t i = 0; platform && i < ARRAY_SIZE(clouds); i++) {
		const struct cloud *c = &clouds[i];

		if (fits(c->vendor, platform->vendor) && fits(c->product, platform->product) &&
		    fits(c->asset, platform->asset))
			return c;
	}
	return NULL;
}

bool idle_budget_tracks(const struct sysctls *sysctls)
{
	return sysctls && sysctl_or(sysctls, SYSCTL_CONNTRACK_COUNT, 0) > 0 &&
	       sysctl_or(sysctls, SYSCTL_CONNTRACK_ESTABLISHED_S, 0) > 0;
}

static double tracking_ms(const struct sysctls *sysctls)
{
	return 1e3 * (double)sysctls->value[SYSCTL_CONNTRACK_ESTABLISHED_S];
}

struct idle_budget idle_budget_of(const struct platform *platform, const struct sysctls *sysctls,
				  double fallback_ms, const struct addr *local,
				  const struct addr *peer)
{
	const struct cloud *cloud = cloud_of(platform);
	struct idle_budget budget = { .ms = fallback_ms,
				      .device = "a NAT or load balancer",
				      .source = "common limit of NAT gateways" };

	if (cloud)
		budget = (struct idle_budget){
			.ms = 1e3 * cloud->idle_s,
			.device = cloud->device,
			.source = cloud->source,
			/* from a global address nothing has to be translated */
			.known = addr_is_global(peer) && !addr_is_global(local),
		};
	if (idle_budget_tracks(sysctls) && tracking_ms(sysctls) < budget.ms)
		budget = (struct idle_budget){
			.ms = tracking_ms(sysctls),
			.device = "this host's own connection tracking",
			.source = "nf_conntrack_tcp_timeout_established",
			.known = true,
			.own = true,
		};
	return budget;
}

double idle_budget_least_ms(const struct sysctls *sysctls)
{
	double least = 1e3 * clouds[0].idle_s;

	for (size_t i = 1; i < ARRAY_SIZE(clouds); i++)
		least = MIN(least, 1e3 * clouds[i].idle_s);
	return idle_budget_tracks(sysctls) ? MIN(least, tracking_ms(sysctls)) : least;
}

/* SPDX-License-Identifier: MIT */
/* What kind of machine this is, as its firmware says: a hint at the cloud it runs in. */
#ifndef TCPTRIAGE_MODEL_PLATFORM_H
#define TCPTRIAGE_MODEL_PLATFORM_H

/** The asset tag that every virtual machine of Azure carries; Hyper-V elsewhere has the same vendor and product. */
#define PLATFORM_ASSET_AZURE "7783-7084-3265-9085-8269-3286-77"

/** struct platform - texts of DMI (sys_vendor, product_name, chassis_asset_tag), "" unknown: no such firmware, or a container without /sys. Text from outside. */
struct platform {
	const char *vendor, *product, *asset;
};

#endif
